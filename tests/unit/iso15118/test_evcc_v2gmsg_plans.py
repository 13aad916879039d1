"""SASchedules as a vehicle reads them, the one that it takes, and the profile that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from iso15118.evcc.v2gmsg import plans
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.terms import EnergyWanted, Price, Prices, Schedule, Slot
from iso15118.v2gmsg.values import number, physical
from tests.unit.iso15118.v2gmsg_rig import Rig

HOUR = 3600


def schedule(number: int, *powers_W: float, levels: tuple[int, ...] = ()) -> Schedule:
    """A power for each hour; and a price level."""
    prices = Prices(1, "", tuple(Price(at * HOUR, HOUR, level=level) for at, level in enumerate(levels)), levels=4) if levels else None
    return Schedule(number, tuple(Slot(at * HOUR, HOUR, each) for at, each in enumerate(powers_W)), prices=prices)


def best(*offered: Schedule, wanted_Wh: float | None = 10_000, departure_s: int | None = 4 * HOUR, most_W: float | None = 11_000) -> int:
    return plans.best(offered, EnergyWanted(departure_s=departure_s, target_Wh=wanted_Wh), most_W).id


def test_more_until_the_departure_comes_first() -> None:
    assert best(schedule(1, 0, 0, 11_000), schedule(2, 5_000, 5_000)) == 1, "both bring it: the first"
    assert best(schedule(1, 0, 0, 11_000), schedule(2, 5_000, 5_000), departure_s=2 * HOUR) == 2
    assert best(schedule(1, 3_000, 3_000), schedule(2, 4_000, 4_000), wanted_Wh=None) == 2
    assert best(schedule(1, 3_000), schedule(2, 4_000), most_W=2_000, wanted_Wh=20_000) == 1, "the vehicle takes no more of either"
    assert best(schedule(1, -5_000, 4_000), schedule(2, 4_000, 4_000), wanted_Wh=20_000) == 2


def test_of_what_brings_it_the_cheapest() -> None:
    dear, cheap = schedule(1, 11_000, 11_000, levels=(4, 4)), schedule(2, 0, 11_000, 11_000, levels=(4, 1, 1))
    assert best(dear, cheap) == 2
    assert best(dear, cheap, departure_s=HOUR) == 1
    assert best(schedule(1, 11_000, 11_000, levels=(3, 1)), schedule(2, 11_000, 11_000, levels=(2, 4))) == 2, (
        "what it costs when it is taken"
    )
    assert best(schedule(1, 11_000), schedule(2, 11_000, levels=(3,))) == 2, "where nobody says a price it may be any"


def test_nothing_is_needed() -> None:
    assert best(schedule(1, 1_000), schedule(2, 2_000), wanted_Wh=-5.0) == 1
    assert best(schedule(1, 1_000), schedule(2, 2_000), departure_s=0) == 1
    assert best(schedule(1, 1_000), schedule(2, 2_000), wanted_Wh=None, departure_s=None, most_W=None) == 2


def test_the_profile_is_within_schedule_and_vehicle() -> None:
    assert plans.profile(schedule(1, 5_000, 20_000), 11_000, None) == (Slot(0, HOUR, 5_000), Slot(HOUR, HOUR, 11_000))
    assert plans.profile(schedule(1, 20_000), None, 24) == (Slot(0, HOUR, 20_000),)


def test_more_entries_than_can_be_said() -> None:
    made = plans.profile(schedule(1, *(1_000 + each for each in range(30))), None, 24)
    assert len(made) == 24
    assert made[22] == Slot(22 * HOUR, HOUR, 1_022)
    assert made[23] == Slot(23 * HOUR, 7 * HOUR, 1_023), "the least of the rest, to the end"


@pytest.mark.parametrize(("at_s", "power_W"), [(-1, 1.0), (0, 1.0), (HOUR - 1, 1.0), (HOUR, 2.0), (9 * HOUR, 2.0)])
def test_what_is_planned_for_a_moment(at_s: float, power_W: float) -> None:
    assert plans.planned_W(schedule(1, 1.0, 2.0).charging, at_s) == power_W
    assert plans.planned_W((), at_s) is None


def test_no_schedules() -> None:
    assert plans.schedules(None, number) == ()


def test_schedules_with_prices() -> None:
    vehicle = Rig("iso2-dc")
    entries: Any = (vehicle.entry(0, None, 5_000), vehicle.entry(900, 5, 6_000), vehicle.entry(1_000, None, 7_000))
    tariff = sc.SalesTariffType(
        SalesTariffID=4,
        SalesTariffDescription="night",
        SalesTariffEntry=(
            sc.SalesTariffEntryType(TimeInterval=sc.RelativeTimeInterval(start=0), EPriceLevel=2),
            sc.SalesTariffEntryType(TimeInterval=sc.RelativeTimeInterval(start=600, duration=60), EPriceLevel=1),
        ),
    )
    found = sc.SAScheduleList(
        SAScheduleTuple=(
            sc.SAScheduleTupleType(SAScheduleTupleID=1, PMaxSchedule=sc.PMaxScheduleType(PMaxScheduleEntry=entries), SalesTariff=tariff),
        )
    )
    prices = Prices(4, "", (Price(0, 600, level=2), Price(600, 60, level=1)), description="night", levels=2)
    assert plans.schedules(found, number) == (
        Schedule(1, (Slot(0, 900, 5_000.0), Slot(900, 100, 6_000.0), Slot(1_000, 86_400, 7_000.0)), prices=prices),
    )


def priced(*tariffs: tuple[int | None, int | None]) -> tuple[Schedule, ...]:
    """With a tariff for each of these: a level, and a share of the dearest price."""

    def tariff(level: int | None, share: int | None) -> sc.SalesTariffType:
        costs: tuple[sc.CostType, ...] = (sc.CostType(costKind="CarbonDioxideEmission", amount=1),)
        if share is not None:
            costs = (*costs, sc.CostType(costKind="relativePricePercentage", amount=share, amountMultiplier=1))
        block = sc.ConsumptionCostType(startValue=physical(dt.PhysicalValueType, "W", 0), Cost=costs)
        entry = sc.SalesTariffEntryType(TimeInterval=sc.RelativeTimeInterval(start=0), EPriceLevel=level, ConsumptionCost=(block,))
        return sc.SalesTariffType(SalesTariffID=1, SalesTariffEntry=(entry,))

    entries: Any = (Rig("iso2-dc").entry(0, None, 11_000),)
    tuples = tuple(
        sc.SAScheduleTupleType(SAScheduleTupleID=at, PMaxSchedule=sc.PMaxScheduleType(PMaxScheduleEntry=entries), SalesTariff=tariff(*each))
        for at, each in enumerate(tariffs, 1)
    )
    return plans.schedules(sc.SAScheduleList(SAScheduleTuple=tuples), number)


@pytest.mark.parametrize(
    ("tariffs", "levels", "takes"),
    [
        ([(1, 5), (3, 10)], [1, 3], 1),
        ([(3, 5), (None, 10)], [1, 2], 1),
        ([(None, 10), (None, 2)], [2, 1], 2),
        ([(None, 10), (None, 10)], [1, 1], 1),
        ([(None, None), (3, None)], [None, 3], 2),
        ([(None, None), (3, 10)], [None, 3], 2),
        ([(None, 10), (3, None)], [None, 3], 2),
        ([(None, None), (None, None)], [None, None], 1),
    ],
)
def test_what_has_no_level_is_ranked_by_its_share_or_has_no_price(
    tariffs: list[tuple[int | None, int | None]], levels: list[int | None], takes: int
) -> None:
    """It costs something, whatever that is."""
    found = priced(*tariffs)
    assert [each.prices.slots[0].level if each.prices is not None else None for each in found] == levels
    assert best(*found) == takes
