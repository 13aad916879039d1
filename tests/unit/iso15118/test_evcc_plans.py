"""ISO 15118-20, schedules and prices as a vehicle reads them, and the power profiles that it makes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iso15118.evcc.iso20 import plans
from iso15118.iso20.values import profile_slots, rational
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.minimal import minimal
from iso15118.terms import EvLimits, Price, Prices, Slot


def entry(seconds: int, *watts: float) -> cs.PowerScheduleEntryType:
    one, *more = (rational(each) for each in watts)
    return cs.PowerScheduleEntryType(Duration=seconds, Power=one, **dict(zip(("Power_L2", "Power_L3"), more, strict=False)))


def schedule(*entries: cs.PowerScheduleEntryType, **prices: Any) -> cs.ScheduleTupleType:
    power = cs.PowerScheduleType(TimeAnchor=1000, PowerScheduleEntries=cs.PowerScheduleEntryListType(PowerScheduleEntry=entries))
    return cs.ScheduleTupleType(ScheduleTupleID=3, ChargingSchedule=cs.ChargingScheduleType(PowerSchedule=power, **prices))


def test_a_profile_is_within_schedule_and_vehicle() -> None:
    made = plans.profile(
        schedule(entry(60, 20_000), entry(30, 5_000), entry(10, 4_000, 4_000, 4_000), entry(5, 0)), EvLimits(max_power_W=6_000)
    )
    assert profile_slots(made) == (Slot(0, 60, 6_000), Slot(60, 30, 5_000), Slot(90, 10, 6_000), Slot(100, 5, 0))
    assert made.EVPowerProfileEntries.EVPowerProfileEntry[2] == entry(10, 2_000, 2_000, 2_000)
    assert made.TimeAnchor == 1000
    assert made.Scheduled_EVPPTControlMode is not None
    assert made.Scheduled_EVPPTControlMode.SelectedScheduleTupleID == 3
    assert [plans.planned_W(made, utc) for utc in (900, 1000, 1059.9, 1060, 1095, 1104, 9999)] == [6_000, 6_000, 6_000, 5_000, 6_000, 0, 0]
    assert plans.planned_W(None, 1000) is None


def test_a_profile_of_giving() -> None:
    both = schedule(entry(60, 20_000))
    both.DischargingSchedule = schedule(entry(60, -3_000), entry(60, -9_000)).ChargingSchedule
    limits = EvLimits(max_power_W=6_000, max_discharge_W=5_000)
    assert profile_slots(plans.profile(both, limits, give=True)) == (Slot(0, 60, -3_000), Slot(60, 60, -5_000))
    assert profile_slots(plans.profile(both, limits)) == (Slot(0, 60, 6_000),)
    both.DischargingSchedule = None
    assert profile_slots(plans.profile(both, limits, give=True)) == (Slot(0, 60, 6_000),), "nothing is asked back"


@pytest.mark.parametrize(
    ("wanted", "most", "planned"), [(5, None, 5), (5, 3, 3), (2, 3, 2), (-5, 3, 0), (-5, -3, -3), (-2, -3, -2), (5, -3, 0), (-5, None, -5)]
)
def test_what_is_planned(wanted: float, most: float | None, planned: float) -> None:
    assert plans.planned(wanted, most) == planned


def test_prices_are_read() -> None:
    stack = pr.PriceRuleStackType(Duration=60, PriceRule=(pr.PriceRuleType(EnergyFee=rational(0.25), PowerRangeStart=rational(0)),))
    absolute = minimal(
        pr.AbsolutePriceScheduleType, TimeAnchor=0, PriceScheduleID=5, Currency="EUR", Language="de",
        PriceRuleStacks=pr.PriceRuleStackListType(PriceRuleStack=(stack, stack)),
    )  # fmt: skip
    found = plans.prices(absolute, None)
    assert found is not None
    assert (found.id, found.currency, [(each.start_s, each.per_kWh) for each in found.slots]) == (5, "EUR", [(0, 0.25), (60, 0.25)])
    levels = pr.PriceLevelScheduleType(
        TimeAnchor=0, PriceScheduleID=6, NumberOfPriceLevels=2,
        PriceLevelScheduleEntries=pr.PriceLevelScheduleEntryListType(
            PriceLevelScheduleEntry=(pr.PriceLevelScheduleEntryType(Duration=10, PriceLevel=1), pr.PriceLevelScheduleEntryType(Duration=20, PriceLevel=2)),
        ),
    )  # fmt: skip
    (read,) = plans.schedules(cs.Scheduled_SEResControlModeType(ScheduleTuple=(schedule(entry(1, 1), PriceLevelSchedule=levels),)))
    assert read.prices is not None
    assert (read.prices.levels, [(each.start_s, each.level) for each in read.prices.slots]) == (2, [(0, 1), (10, 2)])
    assert plans.prices(None, None) is None


EUROS = Prices(1, "EUR", (Price(0, 60, 0.25),))
LEVELS = Prices(1, "", (Price(0, 60, level=1), Price(60, 60, level=3)), levels=3)


@pytest.mark.parametrize(
    ("pricing", "offered", "says"),
    [
        (0, None, ""),
        (0, EUROS, ""),
        (0, LEVELS, ""),
        (1, EUROS, ""),
        (2, LEVELS, ""),
        (1, None, "there are none"),
        (2, None, "there are none"),
        (1, LEVELS, "amounts, and there are none"),
        (2, EUROS, "there are amounts"),
        (1, replace(EUROS, currency="EU"), "'EU' is no currency"),
        (1, replace(EUROS, currency="eur"), "'eur' is no currency"),
        (0, replace(EUROS, currency=""), "'' is no currency"),
        (1, replace(EUROS, slots=(Price(0, 0, 0.25),)), "for no time"),
        (2, replace(LEVELS, levels=2), "level 3 of 2"),
    ],
)
def test_prices_are_looked_at(pricing: int, offered: Prices | None, says: str) -> None:
    found = plans.doubt(pricing, offered)
    assert says in found
    assert bool(found) == bool(says)
