"""How an EVSE brings a vehicle to talk, and what it does when the vehicle does not: 5 % on the pilot, the data link, the session (ISO 15118-3).

AC goes on with the PWM alone when nobody talks; DC cannot, and waits for a sign of the vehicle.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from iso15118.machine import Table, Transition, on, stay


class HlcState(enum.Enum):
    """How far the talking has come."""

    OFF = "off"
    """No vehicle, or this EVSE does not talk."""
    WAITING = "waiting for the link"
    """5 %."""
    LINKED = "linked"
    """5 %, and D-LINK_READY: the vehicle looks for us (SDP)."""
    TALKING = "talking"
    """5 %, and a session."""
    PULSE = "pulse"
    """State F, so that a vehicle that sleeps begins anew."""
    AGAIN = "again"
    """X1 before 5 % comes again."""
    LEAVING = "leaving"
    """X1 before the talking is given up."""
    BASIC = "basic"
    """AC: the PWM states the current, as for a vehicle that cannot talk."""
    GIVEN_UP = "given up"
    """DC: X1 until the vehicle gives a sign."""
    PAUSED = "paused"
    """X1: the vehicle sleeps, and may come back to its session."""
    DONE = "done"
    """X1: the session is over in order."""


class HlcEvent(enum.Enum):
    """What moves it."""

    PLUGGED = "plugged in"
    """Or there already when it becomes possible to talk."""
    UNPLUGGED = "unplugged"
    UNSERVED = "not served"
    """The cable's network interface is gone, or talking was switched off."""
    LINK_UP = "D-LINK_READY"
    LINK_LOST = "link lost"
    BEGUN = "session begun"
    TERMINATED = "session terminated"
    PAUSED = "session paused"
    ABORTED = "session aborted"
    REPLACED = "session replaced"
    """The vehicle has connected anew: another session follows."""
    TIMEOUT = "nobody spoke in time"
    ENOUGH = "asked often enough"
    """Instead of TIMEOUT, ABORTED and LINK_LOST when there were as many attempts as there may be."""
    RESTED = "output stood its time"
    NO_OTHER_WAY = "output stood its time, DC"
    """Instead of RESTED where there is no charging without talking."""
    SIGN = "sign of the vehicle"
    """A BCB toggle."""
    WAKE = "wake up"
    """The station wants the vehicle to talk again: somebody was authorised, there is energy again."""


DIGITAL = (HlcState.WAITING, HlcState.LINKED, HlcState.TALKING)
"""5 % is on the pilot."""
HOLDS_X1 = (HlcState.AGAIN, HlcState.LEAVING, HlcState.GIVEN_UP, HlcState.PAUSED, HlcState.DONE)
ATTEMPT, FORGET = "count an attempt", "forget the attempts"

_S, _E = HlcState, HlcEvent
_TALK = (_S.WAITING, _S.LINKED, _S.TALKING)
_RESTING = (_S.PULSE, _S.AGAIN, _S.LEAVING)
_SILENT = (_S.BASIC, _S.GIVEN_UP, _S.PAUSED, _S.DONE)
_CONNECTED = (*_TALK, *_RESTING, *_SILENT)
_BUT_PLUGGED: tuple[HlcEvent, ...] = tuple(each for each in HlcEvent if each is not HlcEvent.PLUGGED)
_SESSION = (_E.TERMINATED, _E.PAUSED, _E.ABORTED, _E.REPLACED)


def _rows() -> Iterator[Transition[HlcState, HlcEvent]]:
    yield from on(_S.OFF, _E.PLUGGED, to=_S.WAITING, do=(FORGET,), source="ISO 15118-3 [K]: 5 % as soon as a vehicle is there")
    yield from stay(_S.OFF, _BUT_PLUGGED)
    yield from on(_CONNECTED, _E.UNPLUGGED, to=_S.OFF)
    yield from on(_TALK, _E.UNSERVED, to=_S.LEAVING, source="S-9: AC charges without talking")
    yield from on((_S.PULSE, _S.AGAIN), _E.UNSERVED, to=_S.LEAVING)
    yield from stay((_S.LEAVING, *_SILENT), _E.UNSERVED)
    yield from on(
        (_S.LEAVING, _S.BASIC), _E.PLUGGED, to=_S.AGAIN, do=(FORGET,), source="S-9: what was missing is back before it has charged"
    )
    yield from stay((*_TALK, _S.PULSE, _S.AGAIN, _S.GIVEN_UP, _S.PAUSED, _S.DONE), _E.PLUGGED)
    # The link.
    yield from on(_S.WAITING, _E.LINK_UP, to=_S.LINKED)
    yield from stay((_S.LINKED, _S.TALKING, *_RESTING, *_SILENT), _E.LINK_UP)
    yield from on((_S.LINKED, _S.TALKING), _E.LINK_LOST, to=_S.AGAIN, do=(ATTEMPT,), source="F-10")
    yield from stay((_S.WAITING, *_RESTING, *_SILENT), _E.LINK_LOST)
    # The session. It may begin without a word of the link: not every modem tells.
    yield from on((_S.WAITING, _S.LINKED), _E.BEGUN, to=_S.TALKING)
    yield from stay((_S.TALKING, *_RESTING, *_SILENT), _E.BEGUN)
    yield from on(_S.TALKING, _E.TERMINATED, to=_S.DONE, do=(FORGET,), source="ISO 15118-3 [K]: D-LINK_TERMINATE, X1")
    yield from on(_S.TALKING, _E.PAUSED, to=_S.PAUSED, do=(FORGET,), source="ISO 15118-3 [K]: D-LINK_PAUSE, X1")
    yield from on(_S.TALKING, _E.REPLACED, to=_S.LINKED, source="the vehicle goes on in another connection")
    yield from on(_S.TALKING, _E.ABORTED, to=_S.AGAIN, do=(ATTEMPT,), source="ISO 15118-3 [K]: D-LINK_ERROR, X1, then 5 %")
    yield from stay((_S.WAITING, _S.LINKED, *_RESTING, *_SILENT), _SESSION)
    # Silence.
    yield from on((_S.WAITING, _S.LINKED), _E.TIMEOUT, to=_S.PULSE, do=(ATTEMPT,), source="V2G3-M06-07: F for T_step_EF, then 5 % again")
    yield from stay((_S.TALKING, *_RESTING, *_SILENT), _E.TIMEOUT)
    yield from on(_TALK, _E.ENOUGH, to=_S.LEAVING, source="V2G3-M06-07: X1, then nominal PWM")
    yield from stay((*_RESTING, *_SILENT), _E.ENOUGH)
    yield from on(_S.PULSE, (_E.RESTED, _E.NO_OTHER_WAY), to=_S.AGAIN)
    yield from on(_S.AGAIN, (_E.RESTED, _E.NO_OTHER_WAY), to=_S.WAITING)
    yield from on(_S.LEAVING, _E.RESTED, to=_S.BASIC, source="IEC 61851-1: X1 of at least 3 s between 5 % and a current")
    yield from on(_S.LEAVING, _E.NO_OTHER_WAY, to=_S.GIVEN_UP, source="DC never shows more than 5 %")
    yield from stay((*_TALK, *_SILENT), (_E.RESTED, _E.NO_OTHER_WAY))
    # Beginning anew.
    yield from on(
        (_S.GIVEN_UP, _S.PAUSED, _S.DONE), (_E.SIGN, _E.WAKE), to=_S.AGAIN, do=(FORGET,), source="ISO 15118-3 [K]: BCB toggle; wake-up"
    )
    yield from stay((_S.BASIC, *_TALK, *_RESTING), (_E.SIGN, _E.WAKE))


TABLE: Table[HlcState, HlcEvent] = Table("Talking with the vehicle (ISO 15118-3)", HlcState, HlcEvent, HlcState.OFF, _rows())
