"""What a vehicle asks next, in an ISO 15118-20 session (ISO 15118-20 8.8 [K]).

A state is the request whose response is awaited. The function for that response says what it came to (`Said`); the entry for both names the function
that makes the next request. What is not here cannot follow.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

from iso15118.machine import Table, Transition, on, rest_refused, stay


class S(enum.Enum):
    """Whose response is awaited."""

    BEGIN = "begin"
    SETUP = "setup"
    AUTHORIZATION_SETUP = "authorization setup"
    INSTALLATION = "certificate installation"
    AUTHORIZATION = "authorization"
    DISCOVERY = "discovery"
    DETAIL = "detail"
    SELECTION = "selection"
    AC_PARAMETERS = "AC parameters"
    DC_PARAMETERS = "DC parameters"
    ARRIVAL = "arrival"
    """Checks in before the schedules."""
    SCHEDULE = "schedule"
    RESCHEDULE = "reschedule"
    CABLE_CHECK = "cable check"
    PRECHARGE = "precharge"
    START = "start"
    AC_LOOP = "AC loop"
    DC_LOOP = "DC loop"
    AC_METERING = "AC metering"
    DC_METERING = "DC metering"
    AC_REPLAN = "AC schedules beside the loop"
    DC_REPLAN = "DC schedules beside the loop"
    AC_REPLANNED = "AC other profile"
    DC_REPLANNED = "DC other profile"
    AC_PARKING = "AC parking"
    DC_PARKING = "DC parking"
    AC_TO_STANDBY = "AC to standby"
    DC_TO_STANDBY = "DC to standby"
    AC_STANDBY = "AC standby"
    DC_STANDBY = "DC standby"
    RENEGOTIATION = "renegotiation"
    STOP = "stop"
    WELDING = "welding detection"
    DEPARTURE = "departure"
    """Checks out after the energy."""
    ENDING = "session stop"
    OVER = "over"


class Said(enum.Enum):
    """What a response came to, with what the vehicle wants."""

    GO = "go on"
    AGAIN = "again"
    OTHER = "another service"
    INSTALL = "install a contract"
    PAY = "pay otherwise"
    AC = "AC"
    DC = "DC"
    METERING = "confirm the meter"
    CHECK_IN = "check in"
    CHECK_OUT = "check out"
    STANDBY = "standby"
    RESUME = "resume"
    RESCHEDULE = "other schedules"
    REPLAN = "other schedules, beside the loop"
    PROFILE = "another profile"
    OFF = "energy off"
    END = "end"
    OVER = "over"
    FAILED = "failed"


BEGINNING = (S.SETUP, S.AUTHORIZATION_SETUP, S.INSTALLATION, S.AUTHORIZATION, S.DISCOVERY, S.DETAIL, S.SELECTION)
"""States that every way of energy transfer goes through."""
_BEFORE = (*BEGINNING, S.AC_PARAMETERS, S.DC_PARAMETERS, S.ARRIVAL, S.SCHEDULE)
"""No energy yet: SessionStop is enough."""
_UNDER_POWER = (S.RESCHEDULE, S.CABLE_CHECK, S.PRECHARGE, S.START, S.AC_LOOP, S.DC_LOOP, S.AC_METERING, S.DC_METERING, S.AC_REPLAN, S.DC_REPLAN, S.AC_REPLANNED, S.DC_REPLANNED,
                S.AC_PARKING, S.DC_PARKING, S.AC_TO_STANDBY, S.DC_TO_STANDBY, S.AC_STANDBY, S.DC_STANDBY,
                S.RENEGOTIATION)  # fmt: skip
"""PowerDelivery Stop comes before SessionStop."""


def beginning() -> Iterator[Transition[Any, Any]]:
    """What is the same whatever is wanted, but for what follows the setup and the selection."""
    yield from on(S.BEGIN, Said.GO, to=S.SETUP, do=("session_setup",))
    yield from on(S.AUTHORIZATION_SETUP, Said.PAY, to=S.AUTHORIZATION, do=("authorization",))
    yield from stay(S.AUTHORIZATION, Said.AGAIN, do=("authorization",), source="ongoing")
    yield from stay(S.AUTHORIZATION, Said.PAY, do=("authorization",), source="with another contract, or with EIM")
    yield from on(
        (S.AUTHORIZATION_SETUP, S.AUTHORIZATION),
        Said.INSTALL,
        to=S.INSTALLATION,
        do=("certificate_installation",),
        source="no contract suits",
    )
    yield from stay(S.INSTALLATION, Said.AGAIN, do=("certificate_installation",), source="ongoing, or there are more")
    yield from on(S.INSTALLATION, Said.PAY, to=S.AUTHORIZATION, do=("authorization",))
    yield from on(S.AUTHORIZATION, Said.GO, to=S.DISCOVERY, do=("service_discovery",))
    yield from on(S.DISCOVERY, Said.GO, to=S.DETAIL, do=("service_detail",))
    yield from stay(S.DETAIL, Said.OTHER, do=("service_detail",))
    yield from on(S.DETAIL, Said.GO, to=S.SELECTION, do=("service_selection",))


def _rows() -> Iterator[Transition[S, Said]]:
    yield from beginning()
    yield from on(S.SETUP, Said.GO, to=S.AUTHORIZATION_SETUP, do=("authorization_setup",))
    yield from on(S.SELECTION, Said.AC, to=S.AC_PARAMETERS, do=("ac_parameters",))
    yield from on(S.SELECTION, Said.DC, to=S.DC_PARAMETERS, do=("dc_parameters",))
    yield from on((S.AC_PARAMETERS, S.DC_PARAMETERS), Said.CHECK_IN, to=S.ARRIVAL, do=("check_in",), source="on stream 8104")
    yield from on((S.AC_PARAMETERS, S.DC_PARAMETERS, S.ARRIVAL), Said.GO, to=S.SCHEDULE, do=("schedule_exchange",))
    yield from stay((S.SCHEDULE, S.RESCHEDULE), Said.AGAIN, do=("schedule_exchange",), source="ongoing")
    yield from on(S.SCHEDULE, Said.AC, to=S.START, do=("power_start",))
    yield from on(S.SCHEDULE, Said.DC, to=S.CABLE_CHECK, do=("cable_check",))
    yield from on(S.RESCHEDULE, (Said.AC, Said.DC), to=S.START, do=("power_start",))
    yield from dc()
    yield from stay(S.START, Said.AGAIN, do=("power_start",), source="the vehicle is at work")
    yield from around(
        Said.AC, Loop(S.AC_LOOP, S.AC_METERING, S.AC_REPLAN, S.AC_REPLANNED, S.AC_PARKING, S.AC_TO_STANDBY, S.AC_STANDBY), "ac_loop"
    )
    yield from dc_loop()
    yield from on(S.RENEGOTIATION, Said.GO, to=S.RESCHEDULE, do=("schedule_exchange",))
    yield from on(_BEFORE, Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(_UNDER_POWER, Said.OFF, to=S.STOP, do=("power_stop",))
    yield from on(S.STOP, Said.DC, to=S.WELDING, do=("welding_detection",))
    yield from stay(S.WELDING, Said.AGAIN, do=("welding_detection",))
    yield from on((S.STOP, S.WELDING), Said.CHECK_OUT, to=S.DEPARTURE, do=("check_out",), source="on stream 8104")
    yield from on((S.STOP, S.WELDING, S.DEPARTURE), Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(S.ENDING, Said.GO, to=S.DISCOVERY, do=("service_discovery",), source="service renegotiation")
    yield from on(S.ENDING, Said.OVER, to=S.OVER)
    yield from on(tuple(state for state in S if state not in (S.BEGIN, S.OVER)), Said.FAILED, to=S.OVER)


def dc() -> Iterator[Transition[Any, Any]]:
    """From the cable check to the start."""
    yield from stay(S.CABLE_CHECK, Said.AGAIN, do=("cable_check",), source="ongoing")
    yield from on(S.CABLE_CHECK, Said.GO, to=S.PRECHARGE, do=("precharge",))
    yield from stay(S.PRECHARGE, Said.AGAIN, do=("precharge",), source="the voltage is far, or the contactors are open")
    yield from on(S.PRECHARGE, Said.GO, to=S.START, do=("power_start",))


def dc_loop() -> Iterator[Transition[Any, Any]]:
    """And around its loop."""
    yield from around(
        Said.DC, Loop(S.DC_LOOP, S.DC_METERING, S.DC_REPLAN, S.DC_REPLANNED, S.DC_PARKING, S.DC_TO_STANDBY, S.DC_STANDBY), "dc_loop"
    )


class Loop(NamedTuple):
    """States of a loop, and around it."""

    loop: Any
    metering: Any
    replan: Any
    replanned: Any
    parking: Any
    to_standby: Any
    standby: Any


def around(said: Said, at: Loop, ask: str) -> Iterator[Transition[Any, Any]]:
    """The loop of one kind, what leads out of it and goes on beside it."""
    loop, metering, replan, replanned, parking, to_standby, standby = at
    yield from on(S.START, said, to=loop, do=(ask,))
    yield from stay((loop, standby), Said.AGAIN, do=(ask,))
    yield from on(loop, Said.METERING, to=metering, do=("metering_confirmation",))
    yield from on(loop, Said.CHECK_IN, to=parking, do=("check_in",))
    yield from on(loop, Said.CHECK_OUT, to=parking, do=("check_out",))
    yield from on(loop, Said.REPLAN, to=replan, do=("schedule_exchange",), source="on stream 8101; while it is ongoing, once a round")
    yield from on(replan, Said.PROFILE, to=replanned, do=("other_profile",))
    yield from on((metering, parking, replan, replanned), Said.GO, to=loop, do=(ask,))
    yield from on(loop, Said.STANDBY, to=to_standby, do=("power_standby",))
    yield from on(to_standby, Said.GO, to=standby, do=(ask,))
    yield from on(to_standby, Said.RESUME, to=loop, do=(ask,), source="WARNING_StandbyNotAllowed: the charger stays in the loop")
    yield from on(standby, Said.RESUME, to=S.START, do=("power_start",))
    yield from on((loop, standby), Said.RESCHEDULE, to=S.RENEGOTIATION, do=("schedule_renegotiation",))


TABLE: Table[S, Said] = Table("EVCC ISO 15118-20", S, Said, S.BEGIN, rest_refused(S, Said, _rows(), why="cannot follow"))
