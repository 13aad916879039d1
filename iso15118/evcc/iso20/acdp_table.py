"""What a vehicle asks next, where an arm comes down to it (ACDP of ISO 15118-20). The order is that of `secc.iso20.acdp_table` [S]."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from iso15118.evcc.iso20.table import BEGINNING, S, Said, beginning, dc, dc_loop
from iso15118.machine import Table, Transition, on, rest_refused, stay


class A(enum.Enum):
    """Whose response is awaited, beside those that are the same for every vehicle, and those of DC."""

    POSITIONING = "ACDP positioning"
    CONNECT = "ACDP connect"
    DISCONNECT = "ACDP disconnect"
    STATUS = "ACDP status"
    """In the loop, on the stream beside it."""


class Beside(enum.Enum):
    """What a response came to, beside `Said`."""

    STATUS = "say how we are"


_BEFORE = (A.POSITIONING, *BEGINNING, S.DC_PARAMETERS, S.ARRIVAL, S.SCHEDULE)
_DC = tuple(each for each in S if each.name.startswith("DC_") and each is not S.DC_PARAMETERS)
_UNDER_POWER = (S.RESCHEDULE, S.CABLE_CHECK, S.PRECHARGE, S.START, *_DC, S.RENEGOTIATION, A.STATUS)
STATES: tuple[Any, ...] = (*(each for each in S if not each.name.startswith("AC_")), *A)
EVENTS: tuple[Any, ...] = (*(each for each in Said if each is not Said.AC), *Beside)


def _rows() -> Iterator[Transition[Any, Any]]:
    yield from beginning()
    yield from on(S.SETUP, Said.GO, to=A.POSITIONING, do=("positioning",))
    yield from stay(A.POSITIONING, Said.AGAIN, do=("positioning",), source="on the way to the place")
    yield from on(A.POSITIONING, Said.GO, to=S.AUTHORIZATION_SETUP, do=("authorization_setup",))
    yield from on(S.SELECTION, Said.DC, to=S.DC_PARAMETERS, do=("dc_parameters",))
    yield from on(S.DC_PARAMETERS, Said.CHECK_IN, to=S.ARRIVAL, do=("check_in",), source="on stream 8104")
    yield from on((S.DC_PARAMETERS, S.ARRIVAL), Said.GO, to=S.SCHEDULE, do=("schedule_exchange",))
    yield from stay((S.SCHEDULE, S.RESCHEDULE), Said.AGAIN, do=("schedule_exchange",), source="ongoing")
    yield from on(S.SCHEDULE, Said.DC, to=A.CONNECT, do=("connect",))
    yield from stay(A.CONNECT, Said.AGAIN, do=("connect",), source="the arm moves")
    yield from on(A.CONNECT, Said.GO, to=S.CABLE_CHECK, do=("cable_check",))
    yield from on(A.CONNECT, Said.OFF, to=A.DISCONNECT, do=("disconnect",))
    yield from on(S.RESCHEDULE, Said.DC, to=S.START, do=("power_start",))
    yield from dc()
    yield from stay(S.START, Said.AGAIN, do=("power_start",), source="the vehicle is at work")
    yield from dc_loop()
    yield from on(S.DC_LOOP, Beside.STATUS, to=A.STATUS, do=("system_status",), source="on stream 8103")
    yield from on(A.STATUS, Said.GO, to=S.DC_LOOP, do=("dc_loop",))
    yield from on(S.RENEGOTIATION, Said.GO, to=S.RESCHEDULE, do=("schedule_exchange",))
    yield from on(_BEFORE, Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(_UNDER_POWER, Said.OFF, to=S.STOP, do=("power_stop",))
    yield from on(S.STOP, Said.DC, to=S.WELDING, do=("welding_detection",))
    yield from stay(S.WELDING, Said.AGAIN, do=("welding_detection",))
    yield from on((S.STOP, S.WELDING), Said.CHECK_OUT, to=S.DEPARTURE, do=("check_out",), source="on stream 8104")
    yield from on((S.STOP, S.WELDING, S.DEPARTURE), Said.END, to=A.DISCONNECT, do=("disconnect",))
    yield from stay(A.DISCONNECT, Said.AGAIN, do=("disconnect",), source="the arm moves")
    yield from on(A.DISCONNECT, Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(S.ENDING, Said.GO, to=S.DISCOVERY, do=("service_discovery",), source="service renegotiation")
    yield from on(S.ENDING, Said.OVER, to=S.OVER)
    yield from on(tuple(state for state in STATES if state not in (S.BEGIN, S.OVER)), Said.FAILED, to=S.OVER)


TABLE: Table[Any, Any] = Table(
    "EVCC ISO 15118-20 ACDP", STATES, EVENTS, S.BEGIN, rest_refused(STATES, EVENTS, _rows(), why="cannot follow")
)
