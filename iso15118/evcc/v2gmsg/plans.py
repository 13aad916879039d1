"""SASchedules as a vehicle reads them, which of them it takes, and the profile that it makes of that one (ISO 15118-2 8.5.2.12 [K])."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from iso15118.terms import EnergyWanted, Price, Prices, Schedule, Slot

DAY_S = 86_400
"""So long the last entry of a schedule holds, where it does not say it."""


def schedules(found: Any, power_W: Callable[[Any], float]) -> tuple[Schedule, ...]:
    """SAScheduleList in neutral words; nothing for nothing. `power_W`: what a PMax of the protocol means."""
    if found is None:
        return ()
    level_of = _levels([each.SalesTariff for each in found.SAScheduleTuple if each.SalesTariff is not None])
    return tuple(
        Schedule(
            each.SAScheduleTupleID,
            tuple(
                Slot(start_s, duration_s, power_W(entry.PMax)) for entry, start_s, duration_s in _timed(each.PMaxSchedule.PMaxScheduleEntry)
            ),
            prices=_prices(each.SalesTariff, level_of),
        )
        for each in found.SAScheduleTuple
    )


def _timed(entries: Sequence[Any]) -> list[tuple[Any, int, int]]:
    """Entries with start and duration; one that does not say how long it holds does until the next begins."""
    starts = [getattr(each.TimeInterval, "start", 0) for each in entries]
    found = []
    for at, (each, start_s) in enumerate(zip(entries, starts, strict=True)):
        said_s = getattr(each.TimeInterval, "duration", None)
        if at + 1 < len(entries):
            said_s = starts[at + 1] - start_s
        found.append((each, start_s, max(0, DAY_S if said_s is None else said_s)))
    return found


def _levels(tariffs: Sequence[Any]) -> Callable[[Any], int | None]:
    """What an entry costs, as a level. Where one does not say it, they are ranked by their shares of the dearest price, if all have that: what is ranked is
    compared with each other.
    """
    entries = [each for tariff in tariffs for each in tariff.SalesTariffEntry]
    if all(each.EPriceLevel is not None for each in entries):
        return lambda entry: entry.EPriceLevel
    shares = [_share(each) for each in entries]
    if None in shares:
        return lambda entry: entry.EPriceLevel
    ladder = sorted({each for each in shares if each is not None})
    ranks: dict[float | None, int] = {share: rank for rank, share in enumerate(ladder, 1)}
    return lambda entry: ranks.get(_share(entry))


def _share(entry: Any) -> float | None:
    """relativePricePercentage; where it depends on the power, of the least."""
    costs = [each for block in entry.ConsumptionCost for each in block.Cost if each.costKind == "relativePricePercentage"]
    return costs[0].amount * 10.0 ** (costs[0].amountMultiplier or 0) if costs else None


def _prices(tariff: Any, level_of: Callable[[Any], int | None]) -> Prices | None:
    """Price levels, where each entry has one; what a SalesTariff says of renewable energy and CO2 is left out."""
    if tariff is None:
        return None
    slots, highest = [], 0
    for entry, start_s, duration_s in _timed(tariff.SalesTariffEntry):
        level = level_of(entry)
        if level is None:  # nobody knows what it costs: that is not nothing
            return None
        slots.append(Price(start_s, duration_s, level=level))
        highest = max(highest, level)
    levels = max(tariff.NumEPriceLevels or 0, highest)
    return Prices(tariff.SalesTariffID, "", tuple(slots), description=tariff.SalesTariffDescription or "", levels=levels)


def best(offered: Sequence[Schedule], needs: EnergyWanted, most_W: float | None) -> Schedule:
    """The one that brings most of what is needed until the departure; of several, the cheapest of those that say prices, then the first.

    The energy is taken as early as it comes: what a driver with a departure in mind expects.
    """

    def worth(schedule: Schedule) -> tuple[float, float]:
        got_Wh, cost = _brought(schedule, needs, most_W)
        return -round(got_Wh), cost

    return min(offered, key=worth)


def _brought(schedule: Schedule, needs: EnergyWanted, most_W: float | None) -> tuple[float, float]:
    """Energy until the departure, no more than is needed; and its cost by level, infinite where there are none."""
    until_s = DAY_S if needs.departure_s is None else needs.departure_s
    left_Wh = float("inf") if needs.target_Wh is None else max(0.0, needs.target_Wh)
    got_Wh = cost = 0.0
    for start_s, end_s in _steps(schedule, until_s):
        power_W = max(0.0, planned_W(schedule.charging, start_s) or 0.0)
        here_Wh = min(left_Wh, (power_W if most_W is None else min(power_W, most_W)) * (end_s - start_s) / 3600)
        got_Wh, left_Wh = got_Wh + here_Wh, left_Wh - here_Wh
        cost += here_Wh * _level(schedule.prices, start_s)
    return got_Wh, cost if schedule.prices is not None else float("inf")


def _steps(schedule: Schedule, until_s: int) -> list[tuple[int, int]]:
    """Stretches in which neither power nor price changes."""
    prices = schedule.prices.slots if schedule.prices is not None else ()
    edges = {0, until_s, *(each.start_s for each in schedule.charging), *(each.start_s for each in prices)}
    inside = sorted(each for each in edges if 0 <= each <= until_s)
    return list(itertools.pairwise(inside))


def _level(prices: Prices | None, at_s: float) -> float:
    slots = prices.slots if prices is not None else ()
    return float(next((each.level for each in reversed(slots) if each.start_s <= at_s), 0))


def profile(schedule: Schedule, most_W: float | None, most_entries: int | None) -> tuple[Slot, ...]:
    """As much as schedule and vehicle allow. Where there are more entries than can be said, the last one holds the least of the rest."""
    found = [
        Slot(each.start_s, each.duration_s, each.power_W if most_W is None else min(each.power_W, most_W)) for each in schedule.charging
    ]
    if most_entries is None or len(found) <= most_entries:
        return tuple(found)
    rest = found[most_entries - 1 :]
    end_s = rest[-1].start_s + rest[-1].duration_s
    return (*found[: most_entries - 1], Slot(rest[0].start_s, end_s - rest[0].start_s, min(each.power_W for each in rest)))


def planned_W(slots: Sequence[Slot], at_s: float) -> float | None:
    """What holds at this moment; before the first slot the first, after the last the last. None: there is no plan."""
    if not slots:
        return None
    return next((each.power_W for each in reversed(slots) if each.start_s <= at_s), slots[0].power_W)
