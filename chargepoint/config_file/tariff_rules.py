"""What no type can say of a tariff."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from chargepoint.config import TariffConfig
from chargepoint.config_file.reader import Finding

MOST_TIMES = 96
"""One each quarter of an hour: schedules hold 1024 entries, and levels 255."""


def broken(tariff: TariffConfig) -> Iterator[Finding]:
    """Every rule that this tariff breaks."""
    if not tariff.currency and (tariff.times or tariff.price_per_kWh):
        yield Finding(("tariff", "currency"), "is needed with a price")
    if len(tariff.times) > MOST_TIMES:
        yield Finding(("tariff", "times"), f"{len(tariff.times)} are more than {MOST_TIMES}")
    seen = {"00:00": "price_per_kWh of [tariff] is the price from midnight on"}
    for i, each in enumerate(tariff.times):
        if each.from_ in seen:
            yield Finding(("tariff", "times", i, "from"), f"{each.from_} has a price already: {seen[each.from_]}")
        seen[each.from_] = f"that of times[{i}]"
    try:
        ZoneInfo(tariff.time_zone)
    except (ValueError, OSError, KeyError):  # KeyError: ZoneInfoNotFoundError is one
        yield Finding(
            ("tariff", "time_zone"), f"{tariff.time_zone!r} is no time zone that this system knows (package tzdata); Europe/Berlin is one"
        )
