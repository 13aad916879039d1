"""Which request may come when, where an arm comes down to the vehicle (ACDP of ISO 15118-20), as the charger sees it.

The vehicle finds its place before anybody is asked to pay; the arm comes down when the schedules are known, and goes home when the energy is off. In
between it is DC. That order is a public implementation's [S].
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from iso15118.machine import Table, Transition, on, rest_refused, stay
from iso15118.secc.iso20.table import BEGINNING, E, S, beginning, dc, ending, parking


class A(enum.Enum):
    """Where a session is, beside the states that all begin with, and those of DC."""

    POSITIONING = "ACDP positioning"
    CONNECT = "ACDP connect"
    GONE = "ACDP disconnected"


class P(enum.Enum):
    """A request of ACDP."""

    POSITIONING = "ACDP_VehiclePositioningReq"
    CONNECT = "ACDP_ConnectReq"
    DISCONNECT = "ACDP_DisconnectReq"
    STATUS = "ACDP_SystemStatusReq 8103"


LOOPS = (S.DC_LOOP, S.DC_REPLANNED)
BETWEEN = (S.DC_RESCHEDULE, S.DC_READY)
_DC = tuple(each for each in S if each.name.startswith("DC_"))
_QUIET = (A.POSITIONING, *BEGINNING, A.CONNECT, *(each for each in _DC if each not in LOOPS), A.GONE)
STATES: tuple[Any, ...] = (S.SETUP, *BEGINNING, *A, *_DC, S.OVER)
EVENTS: tuple[Any, ...] = (*(each for each in E if each not in (E.SELECTION_AC, E.AC_PARAMETERS, E.AC_LOOP)), *P)


def _rows() -> Iterator[Transition[Any, Any]]:
    yield from on(S.SETUP, E.SETUP, to=A.POSITIONING, do=("session_setup",))
    yield from on(
        A.POSITIONING, P.POSITIONING, to=S.AUTHORIZATION_SETUP, do=("positioning",), source="stays while the vehicle is off its place"
    )
    yield from beginning()
    yield from on(S.SERVICE_SELECTION, E.SELECTION_DC, to=S.DC_PARAMETERS, do=("service_selection",))
    yield from dc(after_schedule=A.CONNECT)
    yield from on(A.CONNECT, P.CONNECT, to=S.DC_CABLE_CHECK, do=("connect",), source="stays while the arm moves")
    yield from on((A.CONNECT, S.DC_OFF), P.DISCONNECT, to=A.GONE, do=("disconnect",), source="stays while the arm moves")
    yield from stay((*_QUIET, *LOOPS), P.STATUS, do=("system_status",), source="stands beside the main stream")
    yield from ending(_QUIET, (A.GONE,), (S.DC_SCHEDULE,))
    yield from parking((*_QUIET, *LOOPS))


TABLE: Table[Any, Any] = Table(
    "SECC ISO 15118-20 ACDP", STATES, EVENTS, S.SETUP, rest_refused(STATES, EVENTS, _rows(), why="out of sequence")
)
