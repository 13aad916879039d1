"""What a schedule that was offered has for a moment, and whether what a vehicle plans is within it: the same in every dialect."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from iso15118.terms import Price, Schedule, Slot

PROFILE_TOLERANCE = 1.01
"""A profile above its schedule by less is rounding."""


SAID_W = 1.0
"""Of powers that are told nobody minds so much."""


class Held(NamedTuple):
    """What the schedule that a vehicle draws by has for this moment."""

    power_W: float
    per_kWh: float | None
    """None: it was told no prices."""
    ended: bool = False
    """It has nothing for this moment any more, or no price; then as at its end."""


def usable(schedule: Schedule, least_W: float) -> Schedule:
    """Where it has less than the vehicle can draw it has nothing: that is what the vehicle is told in its loop, and else it would plan with its least."""
    charging = tuple(each if each.power_W + SAID_W >= least_W else replace(each, power_W=0.0) for each in schedule.charging)
    return replace(schedule, charging=charging)


def allowed_W(slots: tuple[Slot, ...], at_s: float) -> float:
    """After its end as at its end."""
    found = next((each.power_W for each in slots if each.start_s <= at_s < each.start_s + each.duration_s), None)
    return found if found is not None else slots[-1].power_W


def end_s(slots: tuple[Slot, ...] | tuple[Price, ...]) -> int:
    """Where the last stretch ends."""
    return slots[-1].start_s + slots[-1].duration_s


def asked_per_kWh(slots: tuple[Price, ...], at_s: float) -> float:
    """The price of this moment."""
    return next((each.per_kWh for each in reversed(slots) if each.start_s <= at_s), slots[0].per_kWh)


def held(schedule: Schedule, at_s: float, *, told_prices: bool = True) -> Held:
    """What it has so long after it was offered. What is told in levels is an amount here, too."""
    prices, ends_s = schedule.prices, end_s(schedule.charging)
    power_W = allowed_W(schedule.charging, at_s)
    if prices is None or not prices.currency or not told_prices:
        return Held(power_W, None, at_s >= ends_s)
    return Held(power_W, asked_per_kWh(prices.slots, at_s), at_s >= min(ends_s, end_s(prices.slots)))


def exceeded(profile: tuple[Slot, ...], schedule: Schedule) -> bool:
    """Whether a profile wants more than its schedule gives, wherever either of them changes; what it gives back is not judged."""
    for slot in profile:
        moments = [
            slot.start_s,
            *(each.start_s for each in schedule.charging if slot.start_s < each.start_s < slot.start_s + slot.duration_s),
        ]
        if any(slot.power_W > allowed_W(schedule.charging, at) * PROFILE_TOLERANCE for at in moments):
            return True
    return False
