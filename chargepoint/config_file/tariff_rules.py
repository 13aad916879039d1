"""What no type can say of a tariff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chargepoint.config import TariffConfig
from chargepoint.config_file.reader import Finding

MOST_TIMES = 96
"""One each quarter of an hour: schedules hold 1024 entries, and levels 255."""


def broken(tariff: TariffConfig, given: Mapping[str, Any]) -> Iterator[Finding]:
    """Every rule that this tariff breaks. `given`: what stands in the file, since free of charge has to be said."""
    yield from _whole(tariff, given)
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


def _whole(tariff: TariffConfig, given: Mapping[str, Any]) -> Iterator[Finding]:
    if tariff.currency and "price_per_kWh" not in given:
        yield Finding(("tariff", "price_per_kWh"), "is needed with a currency: the price from midnight on; 0 is free of charge")
    if tariff.currency:
        return
    if tariff.times or tariff.price_per_kWh:
        yield Finding(("tariff", "currency"), "is needed with a price")
        return
    for key in ("description", "time_zone"):
        if key in given:
            yield Finding(("tariff", key), "says nothing without currency and price_per_kWh: there is no tariff")
