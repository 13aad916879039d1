"""What a vehicle asks next, in a session of DIN 70121 or ISO 15118-2: the states of both, and the rows that both have.

A state is the request whose response is awaited. The function for that response says what it came to (`Said`); the entry for both names the function
that makes the next request. What is not here cannot follow.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from iso15118.machine import Table, Transition, on, rest_refused, stay


class S(enum.Enum):
    """Whose response is awaited."""

    BEGIN = "begin"
    SETUP = "setup"
    DISCOVERY = "discovery"
    DETAIL = "detail"
    SELECTION = "selection"
    INSTALLATION = "certificate installation"
    UPDATE = "certificate update"
    CONTRACT = "payment details"
    AUTHORIZATION = "authorization"
    PARAMETERS = "parameters"
    REPARAMETERS = "parameters once more"
    CABLE_CHECK = "cable check"
    PRECHARGE = "precharge"
    START = "start"
    AC_LOOP = "charging status"
    AC_RECEIPT = "AC metering receipt"
    DC_LOOP = "current demand"
    DC_RECEIPT = "DC metering receipt"
    RENEGOTIATION = "renegotiation"
    STOP = "stop"
    WELDING = "welding detection"
    ENDING = "session stop"
    OVER = "over"


class Said(enum.Enum):
    """What a response came to, with what the vehicle wants."""

    GO = "go on"
    AGAIN = "again"
    OTHER = "another service"
    INSTALL = "ask for a contract"
    UPDATE = "ask for the contract anew"
    PAY = "show a contract"
    AC = "AC"
    DC = "DC"
    RECEIPT = "sign the meter"
    RESCHEDULE = "other schedules"
    OFF = "energy off"
    END = "end"
    OVER = "over"
    FAILED = "failed"


BEFORE = (S.SETUP, S.DISCOVERY, S.SELECTION, S.AUTHORIZATION, S.PARAMETERS)
"""No energy yet: SessionStop is enough."""
UNDER_POWER = (S.CABLE_CHECK, S.PRECHARGE, S.START, S.DC_LOOP)
"""Power was asked for: PowerDelivery says that it is not wanted any more."""
BARE = (S.CABLE_CHECK, S.PRECHARGE, S.START)
"""There are vehicles that say SessionStop here, and nothing before it."""


def shared_rows() -> Iterator[Transition[S, Said]]:
    """What both protocols do, DC."""
    yield from on(S.BEGIN, Said.GO, to=S.SETUP, do=("session_setup",))
    yield from on(S.SETUP, Said.GO, to=S.DISCOVERY, do=("service_discovery",))
    yield from on(S.DISCOVERY, Said.GO, to=S.SELECTION, do=("selection",))
    yield from on(S.SELECTION, Said.GO, to=S.AUTHORIZATION, do=("authorization",))
    yield from stay(S.AUTHORIZATION, Said.AGAIN, do=("authorization",), source="ongoing")
    yield from on(S.AUTHORIZATION, Said.GO, to=S.PARAMETERS, do=("parameters",))
    yield from stay(S.PARAMETERS, Said.AGAIN, do=("parameters",), source="ongoing")
    yield from on(S.PARAMETERS, Said.DC, to=S.CABLE_CHECK, do=("cable_check",))
    yield from stay(S.CABLE_CHECK, Said.AGAIN, do=("cable_check",), source="ongoing")
    yield from on(S.CABLE_CHECK, Said.GO, to=S.PRECHARGE, do=("precharge",))
    yield from stay(
        S.PRECHARGE, Said.AGAIN, do=("precharge",), source="the voltage is far, the contactors are open, or the vehicle is at work"
    )
    yield from on(S.PRECHARGE, Said.GO, to=S.START, do=("power_start",))
    yield from on(S.START, Said.DC, to=S.DC_LOOP, do=("current_demand",))
    yield from stay(S.DC_LOOP, Said.AGAIN, do=("current_demand",))
    yield from on(BEFORE, Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(UNDER_POWER, Said.OFF, to=S.STOP, do=("power_stop",))
    yield from on(BARE, Said.END, to=S.ENDING, do=("session_stop",), source="as some vehicles do")
    yield from on(S.STOP, Said.DC, to=S.WELDING, do=("welding_detection",))
    yield from stay(S.WELDING, Said.AGAIN, do=("welding_detection",))
    yield from on((S.STOP, S.WELDING), Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(S.ENDING, Said.OVER, to=S.OVER)


def table(name: str, states: Iterable[S], said: Iterable[Said], rows: Iterable[Transition[S, Said]]) -> Table[S, Said]:
    """With a way out of every state, and everything else refused."""
    states, said = tuple(states), tuple(said)
    failed = on(tuple(each for each in states if each not in (S.BEGIN, S.OVER)), Said.FAILED, to=S.OVER)
    return Table(name, states, said, S.BEGIN, rest_refused(states, said, (*rows, *failed), why="cannot follow"))
