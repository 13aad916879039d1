"""Schedules that do not hold any more: when a vehicle in scheduled control is asked to take others (ISO 15118-20, ScheduleRenegotiation).

What is lower than the schedule reaches the vehicle in the loop anyway; it is asked so that it can plan anew, and so that it learns of more than it was
offered. One that does not follow is asked once. A limit of nothing is a pause: no schedule of a day without energy is made of it.
"""

from __future__ import annotations

from chargepoint.facts import EvseFacts
from chargepoint.tick import Tick
from chargepoint.v2g_state import Replan
from iso15118.secc.iso20.schedules import Held
from iso15118.secc.iso20.talk import Talk
from iso15118.terms import Prices

TOLERANCE = 0.05
"""A limit that differs from the schedule by less is left to the loop."""
STANDS_S = 10.0
"""So long a difference stands before the vehicle is asked."""
ASKS_S = 30.0
"""So long it is asked (NotificationMaxDelay)."""
BETWEEN_S = 60.0
"""From one question to the next at least: a limit that wanders does not keep the vehicle out of its loop."""


def noted(s: Replan, talk: Talk, evse: EvseFacts) -> None:
    """Schedules have been offered, with this limit."""
    if talk.offered_mono != s.offered_mono:
        s.offered_mono, s.offered_A, s.since, s.asked_W = talk.offered_mono, evse.limit_A, None, None


def asks(s: Replan, now: Tick, evse: EvseFacts, held: Held | None, prices: Prices | None) -> bool:
    """Whether the vehicle is asked for other schedules at this moment. `held`: what it draws by now."""
    per_kWh = prices.slots[0].per_kWh if prices else None
    if held is None or evse.limit_W <= 0.0 or not _differs(s, evse, held, per_kWh):
        s.since = s.asked_W = None
        return False
    if s.since is None:
        s.since = now.mono
    if s.asked_mono is not None:
        if s.asked_W is not None and _near(evse.limit_W, s.asked_W) and per_kWh == s.asked_per_kWh:
            return now.mono - s.asked_mono < ASKS_S
        if now.mono - s.asked_mono < BETWEEN_S:
            return False
    if now.mono - s.since < STANDS_S:
        return False
    s.asked_mono, s.asked_W, s.asked_per_kWh = now.mono, evse.limit_W, per_kWh
    return True


def _differs(s: Replan, evse: EvseFacts, held: Held, per_kWh: float | None) -> bool:
    """Power and current, both: the battery's voltage alone moves one of them only."""
    if held.per_kWh is not None and per_kWh is not None and held.per_kWh != per_kWh:
        return True
    if _less(evse.limit_W, held.power_W) and _less(evse.limit_A, s.offered_A):
        return True
    most_W = evse.vehicle.limits.max_power_W if evse.vehicle is not None else None
    gains = most_W is None or _less(held.power_W, most_W)
    return gains and _less(held.power_W, evse.limit_W) and _less(s.offered_A, evse.limit_A)


def _less(value: float, other: float) -> bool:
    return value < other * (1 - TOLERANCE)


def _near(value: float, other: float) -> bool:
    return not _less(value, other) and not _less(other, value)
