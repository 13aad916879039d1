"""Schedules that do not hold any more: when a vehicle in scheduled control is asked to take others (ScheduleRenegotiation of ISO 15118-20, ReNegotiation of -2).

What is lower than the schedule reaches the vehicle in the loop anyway; it is asked so that it can plan anew, and so that it learns of more than it was
offered, and of what follows when all that it was told is over. One that does not follow is asked once. A limit of nothing, or of less than the
vehicle can draw, is a pause: no schedule of a day without energy is made of it.
"""

from __future__ import annotations

from chargepoint.facts import Bounds, EvseFacts
from chargepoint.tick import Tick
from chargepoint.v2g_state import Replan
from iso15118.secc.offers import SAID_W, Held, least_of, usable_W
from iso15118.terms import Prices

TOLERANCE = 0.05
"""A limit that differs from the schedule by less is left to the loop."""
STANDS_S = 10.0
"""So long a difference stands before the vehicle is asked."""
ASKS_S = 30.0
"""So long it is asked (NotificationMaxDelay)."""
BETWEEN_S = 60.0
"""From one question to the next at least: a limit that wanders does not keep the vehicle out of its loop."""


def noted(s: Replan, offered_mono: float, evse: EvseFacts) -> None:
    """Schedules, or a plan, have been offered, with these bounds."""
    if offered_mono != s.offered_mono:
        s.offered_mono, s.offered, s.since, s.asked = offered_mono, evse.bounds, None, None
        s.offers += 1


def asks(s: Replan, now: Tick, evse: EvseFacts, held: Held | None, prices: Prices | None, *, waits: bool = False) -> bool:
    """Whether the vehicle is asked for other schedules at this moment. `held`: what it draws by now; `waits`: it is asked for something else first."""
    per_kWh = prices.slots[0].per_kWh if prices else None
    if waits:
        s.since = None
        return False
    if held is None or _paused(evse) or not _differs(s, evse, held, per_kWh):
        s.since = s.asked = None
        return False
    if s.since is None:
        s.since = now.mono
    if s.asked_mono is not None:
        if s.asked is not None and _near(power_W(evse, evse.bounds), power_W(evse, s.asked)) and per_kWh == s.asked_per_kWh:
            return now.mono - s.asked_mono < ASKS_S
        if now.mono - s.asked_mono < BETWEEN_S:
            return False
    if now.mono - s.since < STANDS_S:
        return False
    s.asked_mono, s.asked, s.asked_per_kWh = now.mono, evse.bounds, per_kWh
    return True


def _paused(evse: EvseFacts) -> bool:
    """There is nothing, or less than the vehicle can draw."""
    return evse.limit_W <= 0.0 or (evse.vehicle is not None and evse.vehicle.target_W == 0.0)


def _differs(s: Replan, evse: EvseFacts, held: Held, per_kWh: float | None) -> bool:
    """Against the schedule, and against what the bounds of its time would give at the voltage that really is: the battery's voltage alone is no change. A
    schedule that has nothing was made when there was less than the vehicle can draw: what those bounds gave was of no use to it.
    """
    if held.ended or (held.per_kWh is not None and per_kWh is not None and held.per_kWh != per_kWh):
        return True
    is_W, was_W = power_W(evse, evse.bounds), power_W(evse, s.offered) if abs(held.power_W) > SAID_W else 0.0
    if less(is_W, was_W):
        return less(is_W, held.power_W)
    most_W = evse.vehicle.limits.max_power_W if evse.vehicle is not None else None
    gains = most_W is None or less(held.power_W, most_W)
    return gains and less(was_W, is_W) and less(held.power_W, is_W)


def power_W(evse: EvseFacts, bounds: Bounds) -> float:
    """That these bounds let the vehicle have: at the voltage of its battery (DC), on the phases that it has chosen (AC)."""
    if evse.dc is not None:
        return min(bounds.power_W, bounds.current_A * evse.dc.voltage_V)
    return bounds.power_W * evse.part


def for_it_W(evse: EvseFacts) -> float:
    """What there is for the vehicle now. AC: nothing where that is less than it can draw."""
    is_W = power_W(evse, evse.bounds)
    return usable_W(is_W, least_of(evse.vehicle.limits)) if evse.vehicle is not None and evse.dc is None else is_W


def less(value: float, other: float) -> bool:
    """By more than is left to the loop."""
    return value < other * (1 - TOLERANCE)


def _near(value: float, other: float) -> bool:
    return not less(value, other) and not less(other, value)
