"""What a vehicle asks next, where energy comes over a coil in the ground (WPT of ISO 15118-20). The order is that of `secc.iso20.wpt_table` [K]."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from iso15118.evcc.iso20.table import BEGINNING, Loop, S, Said, around, beginning
from iso15118.machine import Table, Transition, on, rest_refused, stay


class W(enum.Enum):
    """Whose response is awaited, beside those that are the same for every vehicle."""

    POSITIONING_SETUP = "WPT positioning setup"
    POSITIONING = "WPT positioning"
    PAIRING = "WPT pairing"
    PARAMETERS = "WPT parameters"
    ALIGNMENT = "WPT alignment"
    LOOP = "WPT loop"
    METERING = "WPT metering"
    REPLAN = "WPT schedules beside the loop"
    REPLANNED = "WPT other profile"
    PARKING = "WPT parking"
    TO_STANDBY = "WPT to standby"
    STANDBY = "WPT standby"


_LOOP = Loop(W.LOOP, W.METERING, W.REPLAN, W.REPLANNED, W.PARKING, W.TO_STANDBY, W.STANDBY)
_BEFORE = (W.POSITIONING_SETUP, W.POSITIONING, W.PAIRING, *BEGINNING, W.PARAMETERS, S.ARRIVAL, S.SCHEDULE)
_UNDER_POWER = (W.ALIGNMENT, S.RESCHEDULE, S.START, *_LOOP, S.RENEGOTIATION)
STATES: tuple[Any, ...] = (
    S.BEGIN, *BEGINNING, S.ARRIVAL, S.SCHEDULE, S.RESCHEDULE, S.START, S.RENEGOTIATION, S.STOP, S.DEPARTURE, S.ENDING, S.OVER, *W,
)  # fmt: skip
EVENTS = tuple(each for each in Said if each is not Said.DC)


def _rows() -> Iterator[Transition[Any, Any]]:
    yield from beginning()
    yield from on(S.SETUP, Said.GO, to=W.POSITIONING_SETUP, do=("positioning_setup",))
    yield from stay(W.POSITIONING_SETUP, Said.AGAIN, do=("positioning_setup",), source="the vehicle is at work")
    yield from on(W.POSITIONING_SETUP, Said.GO, to=W.POSITIONING, do=("positioning",))
    yield from stay(W.POSITIONING, Said.AGAIN, do=("positioning",), source="on the way to the place")
    yield from on(W.POSITIONING, Said.GO, to=W.PAIRING, do=("pairing",))
    yield from stay(W.PAIRING, Said.AGAIN, do=("pairing",), source="ongoing")
    yield from on(W.PAIRING, Said.GO, to=S.AUTHORIZATION_SETUP, do=("authorization_setup",))
    yield from on(S.SELECTION, Said.AC, to=W.PARAMETERS, do=("wpt_parameters",))
    yield from on(W.PARAMETERS, Said.CHECK_IN, to=S.ARRIVAL, do=("check_in",), source="on stream 8104")
    yield from on((W.PARAMETERS, S.ARRIVAL), Said.GO, to=S.SCHEDULE, do=("schedule_exchange",))
    yield from stay((S.SCHEDULE, S.RESCHEDULE), Said.AGAIN, do=("schedule_exchange",), source="ongoing")
    yield from on(S.SCHEDULE, Said.AC, to=W.ALIGNMENT, do=("alignment",))
    yield from stay(W.ALIGNMENT, Said.AGAIN, do=("alignment",), source="ongoing")
    yield from on(W.ALIGNMENT, Said.GO, to=S.START, do=("power_start",))
    yield from on(S.RESCHEDULE, Said.AC, to=S.START, do=("power_start",))
    yield from stay(S.START, Said.AGAIN, do=("power_start",), source="the vehicle is at work")
    yield from around(Said.AC, _LOOP, "wpt_loop")
    yield from on(S.RENEGOTIATION, Said.GO, to=S.RESCHEDULE, do=("schedule_exchange",))
    yield from on(_BEFORE, Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(_UNDER_POWER, Said.OFF, to=S.STOP, do=("power_stop",))
    yield from on(S.STOP, Said.CHECK_OUT, to=S.DEPARTURE, do=("check_out",), source="on stream 8104")
    yield from on((S.STOP, S.DEPARTURE), Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(S.ENDING, Said.GO, to=S.DISCOVERY, do=("service_discovery",), source="service renegotiation")
    yield from on(S.ENDING, Said.OVER, to=S.OVER)
    yield from on(tuple(state for state in STATES if state not in (S.BEGIN, S.OVER)), Said.FAILED, to=S.OVER)


TABLE: Table[Any, Any] = Table("EVCC ISO 15118-20 WPT", STATES, EVENTS, S.BEGIN, rest_refused(STATES, EVENTS, _rows(), why="cannot follow"))
