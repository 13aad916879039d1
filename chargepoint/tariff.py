"""What energy costs here, as a vehicle is told it: prices by the time of day, as amounts and as levels (ISO 15118-20). Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from chargepoint.clock import WallClock
from chargepoint.config import TariffConfig
from chargepoint.tick import Tick
from iso15118.terms import Price, Prices

DAY_S = 86_400


def now_told(tariff: TariffConfig, clock: WallClock, now: Tick) -> Prices | None:
    """What a vehicle is told at this moment. None: there is no tariff, or prices go by the time of day, and nobody knows it (F-3)."""
    if not tariff.currency or (tariff.times and clock.known_utc(now) is None):
        return None
    return prices(tariff, int(clock.utc(now)))


@lru_cache(maxsize=8)  # asked for at each message, and the same for a second
def prices(tariff: TariffConfig, utc: int) -> Prices:
    """The next 24 h, counted from this second. The levels are the ranks of all its prices, the cheapest first ([K]; OCPP says the same of its copy)."""
    steps = _steps(tariff, utc // DAY_S)
    first = bisect_right(steps, utc, key=lambda each: each[0]) - 1
    within = [each for each in steps[first:] if each[0] < utc + DAY_S]
    ranks = {price: rank for rank, price in enumerate(sorted({tariff.price_per_kWh, *(each.price_per_kWh for each in tariff.times)}), 1)}
    starts = [0, *(at - utc for at, _ in within[1:])]
    slots = tuple(
        Price(start, end - start, per_kWh, ranks[per_kWh])
        for (start, end), (_, per_kWh) in zip(pairwise([*starts, DAY_S]), within, strict=True)
    )
    return Prices(1, tariff.currency, slots, description=tariff.description, levels=len(ranks))


@lru_cache(maxsize=8)
def _steps(tariff: TariffConfig, utc_day: int) -> tuple[tuple[int, float], ...]:
    """From when on which price, for this day of UTC and the next."""
    day = _Day(tariff)
    steps: list[tuple[int, float]] = []
    for at in _moments(day, utc_day * DAY_S, (utc_day + 2) * DAY_S):
        if not steps or day.price(at) != steps[-1][1]:
            steps.append((at, day.price(at)))
    return tuple(steps)


class _Day:
    """A price is that of the wall clock: where it is put back an hour comes twice, where it is put forward one is left out."""

    def __init__(self, tariff: TariffConfig) -> None:
        self.zone = ZoneInfo(tariff.time_zone)
        rows = sorted((time.fromisoformat(each.from_), each.price_per_kWh) for each in tariff.times)
        self.starts = [time(0), *(start for start, _ in rows)]
        self.prices = [tariff.price_per_kWh, *(price for _, price in rows)]

    def price(self, utc: int) -> float:
        return self.prices[bisect_right(self.starts, self.local(utc).time()) - 1]

    def local(self, utc: int) -> datetime:
        return datetime.fromtimestamp(utc, self.zone)


def _moments(day: _Day, begin: int, end: int) -> list[int]:
    """When a price may begin. Both readings of a time that comes twice are among them, and the change of the clock."""
    first = day.local(begin).date()
    found = {begin}
    for date in (first + timedelta(days=ahead) for ahead in range(-1, 4)):
        for start in day.starts:
            found |= {int(datetime.combine(date, start, day.zone).replace(fold=fold).timestamp()) for fold in (0, 1)}
    within = sorted(each for each in found if begin <= each < end)
    return sorted({*within, *_clock_changes(day, [*within, end])})


def _clock_changes(day: _Day, moments: list[int]) -> Iterator[int]:
    for before, after in pairwise(moments):
        if day.local(before).utcoffset() != day.local(after).utcoffset():
            low, high = before, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if day.local(middle).utcoffset() == day.local(before).utcoffset() else (low, middle)
            yield high
