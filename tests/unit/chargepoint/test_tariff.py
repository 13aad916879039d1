"""Prices of the next day from a tariff, by the wall clock of its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargepoint import tariff
from chargepoint.clock import WallClock
from chargepoint.config import TariffConfig, TariffTime
from chargepoint.config_file import from_values, parse, spelled
from chargepoint.config_file.schema import json_schema
from chargepoint.tick import Tick
from iso15118.terms import Price, Prices

NIGHT, DAY, PEAK = 0.19, 0.31, 0.4
BERLIN = TariffConfig(
    "EUR", NIGHT, (TariffTime("17:30", PEAK), TariffTime("06:00", DAY), TariffTime("22:00", NIGHT)), "Europe/Berlin", "day and night"
)
H = 3600


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def rows(prices: Prices) -> list[tuple[float, float]]:
    """(hours, price), and what has to be so of any of them."""
    assert prices.slots[0].start_s == 0
    for before, after in zip(prices.slots, prices.slots[1:], strict=False):
        assert before.start_s + before.duration_s == after.start_s
        assert before.per_kWh != after.per_kWh
    assert prices.slots[-1].start_s + prices.slots[-1].duration_s == 24 * H
    return [(each.duration_s / H, each.per_kWh) for each in prices.slots]


def test_the_next_day_counted_from_now() -> None:
    found = tariff.prices(BERLIN, utc("2026-01-15T16:45:30+01:00"))
    assert found.slots == (
        Price(0, 2670, DAY, 2),
        Price(2670, 16_200, PEAK, 3),
        Price(18_870, 28_800, NIGHT, 1),
        Price(47_670, 38_730, DAY, 2),
    )
    assert (found.currency, found.levels, found.description) == ("EUR", 3, "day and night")


def test_a_price_that_goes_on_over_midnight_is_one_stretch() -> None:
    assert rows(tariff.prices(BERLIN, utc("2026-01-15T22:00:00+01:00"))) == [(8, NIGHT), (11.5, DAY), (4.5, PEAK)]


def test_without_times_it_is_one_price_whatever_the_time() -> None:
    assert tariff.prices(TariffConfig("CHF", 0.25), 5).slots == (Price(0, 24 * H, 0.25, 1),)


@pytest.mark.parametrize(
    ("begins", "expected"),
    [
        pytest.param("2026-03-28T22:00:00+01:00", [(7, NIGHT), (11.5, DAY), (4.5, PEAK), (1, NIGHT)], id="an hour less"),
        pytest.param("2026-10-24T22:00:00+02:00", [(9, NIGHT), (11.5, DAY), (3.5, PEAK)], id="an hour more"),
    ],
)
def test_the_night_in_which_the_clock_changes(begins: str, expected: list[tuple[float, float]]) -> None:
    assert rows(tariff.prices(BERLIN, utc(begins))) == expected


def test_a_time_that_is_left_out_begins_with_the_new_time_and_one_that_comes_twice_counts_twice() -> None:
    small = TariffConfig("EUR", 0.1, (TariffTime("02:30", 0.2), TariffTime("03:10", 0.3)), "Europe/Berlin")
    assert rows(tariff.prices(small, utc("2026-03-29T00:00:00+01:00")))[:3] == [
        (2, 0.1),
        (pytest.approx(1 / 6), 0.2),
        (pytest.approx(20 + 5 / 6), 0.3),
    ]
    assert rows(tariff.prices(small, utc("2026-10-25T00:00:00+02:00")))[:5] == [
        (2.5, 0.1),
        (0.5, 0.2),
        (0.5, 0.1),
        (pytest.approx(2 / 3), 0.2),
        (pytest.approx(19 + 5 / 6), 0.3),
    ]


TIMES = st.lists(
    st.tuples(st.integers(1, 95), st.floats(0, 2, allow_nan=False).map(lambda each: round(each, 3))),
    unique_by=lambda each: each[0],
    max_size=30,
).map(lambda rows: tuple(TariffTime(f"{at // 4:02}:{at % 4 * 15:02}", price) for at, price in rows))


@given(
    times=TIMES,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu"]),
    begins=st.one_of(st.integers(1_735_689_600, 1_900_000_000), st.integers(utc("2026-03-27T00:00Z"), utc("2026-04-06T00:00Z"))),
    asked=st.lists(st.integers(0, 24 * H - 1), max_size=20),
)
def test_at_each_moment_it_is_the_price_of_the_wall_clock(times: tuple[TariffTime, ...], zone: str, begins: int, asked: list[int]) -> None:
    config = TariffConfig("EUR", 0.5, times, zone)
    found = tariff.prices(config, begins)
    rows(found)
    for at_s in asked:
        shown = (datetime.fromtimestamp(begins, UTC) + timedelta(seconds=at_s)).astimezone(ZoneInfo(zone)).strftime("%H:%M")
        price = max((each for each in times if each.from_ <= shown), key=lambda each: each.from_, default=None)
        slot = next(each for each in found.slots if each.start_s <= at_s < each.start_s + each.duration_s)
        assert slot.per_kWh == (price.price_per_kWh if price else 0.5)
    by_price = sorted({(each.per_kWh, each.level) for each in found.slots})
    assert [level for _, level in by_price] == sorted({level for _, level in by_price})
    assert all(1 <= each.level <= found.levels <= 255 for each in found.slots)


@pytest.mark.req("F-3")
def test_prices_by_the_time_of_day_wait_for_the_time() -> None:
    clock, early = WallClock(), Tick(10.0, 10.0)
    assert tariff.now_told(BERLIN, clock, early) is None
    assert tariff.now_told(TariffConfig("EUR", 0.3), clock, early) is not None
    clock.set(early, utc("2026-01-15T12:00:00+01:00"))
    told = tariff.now_told(BERLIN, clock, early)
    assert told is not None
    assert told.slots[0].per_kWh == DAY
    assert tariff.now_told(BERLIN, WallClock(), Tick(10.0, utc("2026-01-15T12:00:00+01:00"))) is not None
    assert tariff.now_told(TariffConfig(), clock, early) is None


# ---- in the file

GOOD = """
[tariff]
currency = "EUR"
price_per_kWh = 0.19
time_zone = "Europe/Berlin"
times = [{ from = "06:00", price_per_kWh = 0.31 }, { from = "22:00", price_per_kWh = 0.19 }]
"""


def test_a_tariff_in_the_file() -> None:
    config = parse(GOOD, "it").tariff
    assert config == TariffConfig("EUR", 0.19, (TariffTime("06:00", 0.31), TariffTime("22:00", 0.19)), "Europe/Berlin")
    free = parse('[tariff]\ncurrency = "EUR"\nprice_per_kWh = 0\ndescription = "Gratis für Gäste 🙂"', "it").tariff
    assert (free.price_per_kWh, free.description) == (0.0, "Gratis für Gäste 🙂")


@pytest.mark.parametrize(
    ("section", "key", "says"),
    [
        ({"currency": "eur"}, "tariff.currency", "[A-Z]{3}"),
        ({"currency": "EURO"}, "tariff.currency", "at most 3"),
        ({"price_per_kWh": 0.3}, "tariff.currency", "is needed with a price"),
        ({"currency": "EUR", "price_per_kWh": -1}, "tariff.price_per_kWh", "0 to 100000"),
        ({"currency": "EUR", "price_per_kwh": 1}, "tariff.price_per_kwh", "did you mean price_per_kWh?"),
        ({"currency": "EUR", "price_per_kWh": 0.2, "time_zone": "Europe/Bärlin"}, "tariff.time_zone", "matches"),
        ({"currency": "EUR", "price_per_kWh": 0.2, "time_zone": "Europe/Berln"}, "tariff.time_zone", "is no time zone"),
        ({"currency": "EUR", "price_per_kWh": 0.2, "time_zone": "../etc/passwd"}, "tariff.time_zone", "matches"),
        ({"currency": "EUR", "price_per_kWh": 0.2, "times": [{"from": "24:00", "price_per_kWh": 1}]}, "tariff.times[0].from", "matches"),
        ({"currency": "EUR", "price_per_kWh": 0.2, "times": [{"from": "6:00", "price_per_kWh": 1}]}, "tariff.times[0].from", "5 to 5"),
        (
            {"currency": "EUR", "price_per_kWh": 0.2, "times": [{"from": "00:00", "price_per_kWh": 1}]},
            "tariff.times[0].from",
            "from midnight on",
        ),
        (
            {"currency": "EUR", "price_per_kWh": 0.2, "times": [{"from": "06:00"}]},
            "tariff.times[0]",
            "price_per_kWh is needed: a number from 0",
        ),
        ({"currency": "EUR", "price_per_kWh": 0.2, "times": [{"price_per_kWh": 1}]}, "tariff.times[0]", "from is needed: a text"),
        (
            {"currency": "EUR", "price_per_kWh": 0.2, "times": [{"from": "06:00", "price_per_kWh": 1}] * 2},
            "tariff.times[1].from",
            "has a price already",
        ),
        (
            {"currency": "EUR", "price_per_kWh": 0.2, "times": [{"from": "06:00", "form": 1, "price_per_kWh": 1}]},
            "tariff.times[0].form",
            "did you mean from?",
        ),
        ({"currency": "EUR"}, "tariff.price_per_kWh", "0 is free of charge"),
        ({"currency": "EUR", "times": [{"from": "06:00", "price_per_kWh": 1}]}, "tariff.price_per_kWh", "is needed"),
        ({"description": "hello"}, "tariff.description", "says nothing without currency"),
        ({"time_zone": "Europe/Berlin"}, "tariff.time_zone", "says nothing without currency"),
        ({"times": [{"from": "06:00", "price_per_kWh": 1}], "time_zone": "UTC"}, "tariff.currency", "is needed with a price"),
        *(
            ({"currency": "EUR", "price_per_kWh": 0, "description": f"a{each}b"}, "tariff.description", "matches")
            for each in ("\0", "\a", "\n", "\x7f", "\x85")
        ),
        (
            {
                "currency": "EUR",
                "price_per_kWh": 0.2,
                "times": [{"from": f"{at // 60:02}:{at % 60:02}", "price_per_kWh": 1} for at in range(1, 98)],
            },
            "tariff.times",
            "97 are more than 96",
        ),
    ],
)
def test_what_is_wrong_with_a_tariff_is_said_where_it_stands(section: dict[str, object], key: str, says: str) -> None:
    _, findings = from_values({"tariff": section})
    assert [spelled(each.path) for each in findings] == [key]
    assert says in findings[0].text


def test_the_schema_knows_which_keys_are_needed() -> None:
    times = json_schema()["properties"]["tariff"]["properties"]["times"]
    assert times["items"]["required"] == ["from", "price_per_kWh"]
    assert "default" not in times["items"]["properties"]["from"]
    assert times["default"] == []
