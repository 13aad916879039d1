"""What a schedule that was offered has for a moment, and whether what a vehicle plans is within it: the same in every dialect."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from iso15118.terms import EvLimits, Price, Schedule, Slot

PROFILE_TOLERANCE = 1.01
"""A profile above its schedule by less is rounding."""

SAID_W = 1.0
"""Of powers that are told nobody minds so much."""


class Least(NamedTuple):
    """AC: less than this a vehicle cannot draw, or give back, on the phases that it uses: it does more, or nothing. 0: it can as little as there is."""

    power_W: float = 0.0
    back_W: float = 0.0


NO_LEAST = Least()


class Held(NamedTuple):
    """What the schedule that a vehicle draws by has for this moment."""

    power_W: float
    per_kWh: float | None
    """None: it was told no prices."""
    ended: bool = False
    """It has nothing for this moment any more, or no price; then as at its end."""


def least_of(limits: EvLimits, before: Least = NO_LEAST) -> Least:
    """As the vehicle says it; where it does not say it again, as `before`. A least above the most that it says with it is that most: else nothing would be
    usable.
    """
    return Least(
        _capped(limits.min_power_W, limits.max_power_W, before.power_W),
        _capped(limits.min_discharge_W, limits.max_discharge_W, before.back_W),
    )


def _capped(least_W: float | None, most_W: float | None, before_W: float) -> float:
    if least_W is None:
        return before_W
    return least_W if most_W is None else min(least_W, most_W)


def usable_W(power_W: float, least: Least) -> float:
    """A power that a vehicle is told, in its loop as in its schedules: nothing, where that is less than it can. Negative: to give back."""
    return power_W if abs(power_W) + SAID_W >= (least.power_W if power_W >= 0.0 else least.back_W) else 0.0


def usable(schedule: Schedule, least: Least) -> Schedule:
    """With nothing, where it has less than the vehicle can: else it would plan with its least. A negative power to charge by wants at least so much back,
    and stays.
    """
    draw, give = Least(power_W=least.power_W), Least(back_W=least.back_W)
    return replace(schedule, charging=_usable(schedule.charging, draw), discharging=_usable(schedule.discharging, give))


def _usable(slots: tuple[Slot, ...], least: Least) -> tuple[Slot, ...]:
    return tuple(replace(each, power_W=usable_W(each.power_W, least)) for each in slots)


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
