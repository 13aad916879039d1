"""The lock of a socket: closed before power, released when there is neither power nor a permission, or on request."""

from __future__ import annotations

from chargepoint import evse_faults
from chargepoint.commands import LockCable, UnlockCable
from chargepoint.events import IdToken, PlugKept, UnlockFinished
from chargepoint.evse_state import Evse, Power
from chargepoint.faults import LOCK
from chargepoint.tick import Tick

LOCK_TRIES = 3
"""Attempts of the motor before it is a fault [K]."""
BY_ITSELF = frozenset({"NoAuthorization", "eMAID"})
"""Types of tokens that no reader could be shown: free charging, and a vehicle's contract."""


def lock_state(evse: Evse, now: Tick, locked: bool, fault: bool) -> list[object]:
    """The lock's own sensor."""
    s = evse.state
    s.locked = locked and not fault
    told = _told(evse, kept=s.locked)
    if fault:
        return [*told, *evse_faults.raise_fault(evse, now, LOCK), *_answer(evse, unlocked=False)]
    if (s.lock_asked == "lock") is locked:
        s.lock_tries = 0
    return told if locked else [*told, *_answer(evse, unlocked=True)]


def _told(evse: Evse, *, kept: bool) -> list[object]:
    before, evse.facts.locked = evse.facts.locked, kept
    return [PlugKept(evse.id, kept)] if before != kept else []


def wanted(evse: Evse) -> list[object]:
    """Somebody wants the plug released. Under power it is not; without a lock there is nothing to release."""
    s = evse.state
    if not evse.has_lock or s.power is not Power.OPEN:
        return [UnlockFinished(evse.id, unlocked=False)]
    s.released = s.unlock_wanted = True
    s.held = False
    s.lock_asked, s.lock_tries = "", 0
    return []


def done(evse: Evse, now: Tick, command: str) -> list[object]:
    """The motor has moved."""
    return lock_state(evse, now, locked=command == "LockCable", fault=False)


def failed(evse: Evse, now: Tick, command: str) -> list[object]:
    """It has not; the next attempt follows, up to a number."""
    return _next_try(evse, now)


def settle(evse: Evse, now: Tick) -> list[object]:
    """Bring the lock to where it should be."""
    s = evse.state
    if not evse.has_lock or not s.running or s.power in (Power.CLOSING, Power.CLOSED, Power.OPENING):
        return []  # under power, and on the way there and back, the lock stays as it is
    want = "lock" if _should_lock(evse) else "unlock"
    if s.lock_asked != want:
        s.lock_tries = 0
        if s.locked is (want == "lock") and not s.unlock_wanted:
            s.lock_asked = want
            return []
        return _ask(evse, now, want)
    if s.locked is not (want == "lock") and LOCK not in s.faults and evse.reached(now, s.lock_asked_at + evse.timings.lock_timeout_s):
        return _next_try(evse, now)
    return []


def unplugged(evse: Evse) -> None:
    """At the EV; said while it is still known who was authorised. Nobody is kept from a plug that no token could release."""
    s = evse.state
    s.held = s.held or (s.authorised and s.presents and s.locked is True and not s.unlock_on_unplug)


def authorised(evse: Evse, id_token: IdToken) -> None:
    """From now on the plug belongs to this token."""
    s = evse.state
    s.released = s.held = False
    s.presents = id_token.type not in BY_ITSELF


def ended(evse: Evse, trigger: str) -> None:
    """Somebody has stopped what a plug was held for: it is released. That it was pulled at the EV is why it is held."""
    s = evse.state
    if s.held and trigger != "EVCommunicationLost":
        s.held, s.unlock_wanted = False, True


def _should_lock(evse: Evse) -> bool:
    s = evse.state
    s.held = s.held and s.plug_in_socket
    return (s.held or (s.plugged and s.authorised)) and s.plug_in_socket and not s.released


def _ask(evse: Evse, now: Tick, want: str) -> list[object]:
    s = evse.state
    s.lock_asked, s.lock_asked_at = want, now.mono
    s.locked = None  # in motion: nothing is known until the sensor says it
    s.lock_tries += 1
    return [*_told(evse, kept=False), LockCable(evse.id) if want == "lock" else UnlockCable(evse.id)]


def _next_try(evse: Evse, now: Tick) -> list[object]:
    if evse.state.lock_tries >= LOCK_TRIES:
        return [*evse_faults.raise_fault(evse, now, LOCK), *_answer(evse, unlocked=False)]
    return _ask(evse, now, evse.state.lock_asked)


def _answer(evse: Evse, *, unlocked: bool) -> list[object]:
    s = evse.state
    if not s.unlock_wanted:
        return []
    s.unlock_wanted = False
    return [UnlockFinished(evse.id, unlocked)]
