"""Which request may come when, where energy comes over a coil in the ground (WPT of ISO 15118-20), as the charger sees it.

The vehicle finds its place and both sides are paired before anybody is asked to pay; the coils are tried when it is known what they are to do. That
order is taken from what a public implementation does with ACDP, not from the standard [K].
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from iso15118.machine import Table, Transition, on, rest_refused, stay
from iso15118.secc.iso20.table import BEGINNING, E, S, around, beginning, ending, parking


class W(enum.Enum):
    """Where a session is, beside the states that all begin with."""

    POSITIONING_SETUP = "WPT positioning setup"
    POSITIONING = "WPT positioning"
    PAIRING = "WPT pairing"
    PARAMETERS = "WPT parameters"
    SCHEDULE = "WPT schedule"
    ALIGNMENT = "WPT alignment"
    READY = "WPT ready"
    LOOP = "WPT loop"
    REPLANNED = "WPT loop, other schedules offered"
    STANDBY = "WPT standby"
    RESCHEDULE = "WPT reschedule"
    OFF = "WPT off"


class V(enum.Enum):
    """A request of WPT."""

    POSITIONING_SETUP = "WPT_FinePositioningSetupReq"
    POSITIONING = "WPT_FinePositioningReq"
    PAIRING = "WPT_PairingReq"
    SELECTION = "ServiceSelectionReq WPT"
    PARAMETERS = "WPT_ChargeParameterDiscoveryReq"
    ALIGNMENT = "WPT_AlignmentCheckReq"
    LOOP = "WPT_ChargeLoopReq"


LOOPS = (W.LOOP, W.REPLANNED)
BETWEEN = (W.RESCHEDULE, W.READY)
_QUIET = (
    W.POSITIONING_SETUP, W.POSITIONING, W.PAIRING, *BEGINNING, W.PARAMETERS, W.SCHEDULE, W.ALIGNMENT, W.READY, W.STANDBY, W.RESCHEDULE, W.OFF,
)  # fmt: skip
_CABLE = (E.SELECTION_AC, E.SELECTION_DC, E.AC_PARAMETERS, E.DC_PARAMETERS, E.CABLE_CHECK, E.PRECHARGE, E.AC_LOOP, E.DC_LOOP, E.WELDING)
STATES: tuple[Any, ...] = (S.SETUP, *BEGINNING, *W, S.OVER)
EVENTS: tuple[Any, ...] = (*(each for each in E if each not in _CABLE), *V)


def _rows() -> Iterator[Transition[Any, Any]]:
    yield from on(S.SETUP, E.SETUP, to=W.POSITIONING_SETUP, do=("session_setup",))
    yield from on(
        W.POSITIONING_SETUP, V.POSITIONING_SETUP, to=W.POSITIONING, do=("positioning_setup",), source="stays while the vehicle is at work"
    )
    yield from on(W.POSITIONING, V.POSITIONING, to=W.PAIRING, do=("positioning",), source="stays while either is at work")
    yield from on(W.PAIRING, V.PAIRING, to=S.AUTHORIZATION_SETUP, do=("pairing",), source="stays while either is at work")
    yield from beginning()
    yield from on(S.SERVICE_SELECTION, V.SELECTION, to=W.PARAMETERS, do=("service_selection",))
    yield from on(W.PARAMETERS, V.PARAMETERS, to=W.SCHEDULE, do=("wpt_parameters",))
    yield from on(W.SCHEDULE, E.SCHEDULE, to=W.ALIGNMENT, do=("schedule_exchange",), source="stays while ongoing")
    yield from on(W.ALIGNMENT, V.ALIGNMENT, to=W.READY, do=("alignment",), source="stays while either is at work")
    yield from on(W.RESCHEDULE, E.SCHEDULE, to=W.READY, do=("schedule_exchange",), source="stays while ongoing")
    yield from on((W.READY, W.STANDBY), E.START, to=W.LOOP, do=("power_start",), source="waits for the coil")
    yield from stay(LOOPS, V.LOOP, do=("wpt_loop",))
    yield from stay(W.STANDBY, V.LOOP, do=("wpt_loop",), source="without energy; here the charger can ask to exit standby")
    yield from around(W.LOOP, W.REPLANNED, W.STANDBY, W.RESCHEDULE, W.OFF, (W.ALIGNMENT, W.RESCHEDULE, W.READY, W.STANDBY, W.OFF))
    yield from ending(_QUIET, (W.OFF,), (W.SCHEDULE,))
    yield from parking((*_QUIET, *LOOPS))


TABLE: Table[Any, Any] = Table(
    "SECC ISO 15118-20 WPT", STATES, EVENTS, S.SETUP, rest_refused(STATES, EVENTS, _rows(), why="out of sequence")
)
