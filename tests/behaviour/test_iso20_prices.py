"""ISO 15118-20, prices in schedules and plans: by the parameter set that the vehicle has chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.v2g.charger import Charger
from bench.v2g.pair import Pair
from chargepoint.tick import Tick
from iso15118.evcc.terms import EvWish, PlanOffered, PricesDoubted, SchedulesOffered
from iso15118.iso20 import services
from iso15118.messages.iso20 import common_messages as cm
from iso15118.secc.iso20 import schedules
from iso15118.secc.iso20.talk import Talk
from iso15118.terms import (
    Control,
    DynamicPlan,
    Energy,
    EnergyChosen,
    Facts,
    Offered,
    Parameter,
    ParameterSet,
    Price,
    Prices,
    Schedule,
    Slot,
)
from tests.behaviour.iso20_rig import ask, ended_well, make, told

BOTH = Prices(7, "EUR", (Price(0, 60, 0.2849, level=1), Price(60, 3600, 0.4, level=2)), levels=2)
WAYS = {
    1: (replace(BOTH, levels=0, slots=tuple(replace(each, level=0) for each in BOTH.slots)), 0),
    2: (replace(BOTH, currency="", slots=tuple(replace(each, per_kWh=0.0) for each in BOTH.slots)), 1),
    0: (None, 2),
}
"""Pricing -> what the vehicle gets of BOTH, and which parameter set of a control mode it is."""


class Priced(Charger):
    """A charger whose energy costs something."""

    def _plan(self) -> None:
        self.facts.schedules = (Schedule(7, (Slot(0, 3600, 8_000.0),), prices=BOTH),)


@pytest.mark.parametrize("pricing", WAYS)
@pytest.mark.parametrize("control", list(Control), ids=lambda each: each.value)
@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC_BPT])
def test_prices_are_told_as_the_chosen_parameter_set_says(energy: Energy, control: Control, pricing: int) -> None:
    pair = make(energy, control, pricings=(pricing,))
    facts = pair.charger.facts
    facts.energies = tuple(replace(each, pricings=(1, 2, 0)) for each in facts.energies)
    facts.dynamic = DynamicPlan(prices=BOTH)
    pair.charger = Priced(facts)
    pair.session()
    ended_well(pair)
    expected, nth = WAYS[pricing]
    for side in ("ev", "evse"):
        assert told(pair, EnergyChosen, side)[0].pricing == pricing
    assert (told(pair, EnergyChosen, "ev")[0].parameter_set - 1) % 3 == nth
    if control is Control.SCHEDULED:
        found = told(pair, SchedulesOffered, "ev")[0].schedules[0].prices
    else:
        found = told(pair, PlanOffered, "ev")[0].plan.prices
    assert found == expected
    assert not told(pair, PricesDoubted, "ev")


def test_a_charger_that_does_not_keep_what_its_parameter_set_says_is_doubted_and_the_session_goes_on() -> None:
    pair = make(Energy.AC, Control.DYNAMIC, pricings=(1,))
    pair.charger.facts.energies = tuple(replace(each, pricings=(1,)) for each in pair.charger.facts.energies)
    pair.charger.facts.dynamic = DynamicPlan()
    pair.session()
    ended_well(pair)
    assert told(pair, PricesDoubted, "ev") == [PricesDoubted("the parameter set promises prices, and there are none")]


def test_a_parameter_set_of_each_way_and_its_meaning() -> None:
    offered = Offered(Energy.DC, mobility_by_secc=True, pricings=(1, 2, 0))
    ways = services.ways(offered)
    assert [each.id for each in ways] == list(range(1, 10))
    assert [services.meaning(Energy.DC, each) for each in services.parameter_sets(offered)] == list(ways)
    assert {(each.control, each.mobility_by_secc) for each in ways if each.pricing == 2} == {
        (Control.SCHEDULED, False),
        (Control.DYNAMIC, False),
        (Control.DYNAMIC, True),
    }
    assert len(services.ways(Offered(Energy.DC))) == 2
    strange = ParameterSet(1, (Parameter("ControlMode", 1), Parameter("Pricing", 9)))
    assert services.meaning(Energy.DC, strange).pricing == services.NO_PRICING


@pytest.mark.parametrize("at", [cm.ServiceDiscoveryRes, cm.ServiceDetailRes], ids=lambda each: each.__name__)
@pytest.mark.parametrize("before", [(0,), (1, 2, 0)], ids=["prices come", "prices go"])
def test_what_was_discovered_holds_until_the_vehicle_asks_again(before: tuple[int, ...], at: type) -> None:
    """The numbers of parameter sets mean what they meant; service renegotiation brings those of then."""
    pair = make(Energy.DC, Control.DYNAMIC, by_secc=True, loops=60, pricings=(1,), added_services=(65,))
    facts, after = pair.charger.facts, (1, 2, 0) if before == (0,) else (0,)
    facts.dynamic = DynamicPlan(7200, 20, 70, prices=BOTH)

    def offers(pricings: tuple[int, ...]) -> None:
        facts.energies = tuple(replace(each, pricings=pricings) for each in facts.energies)

    def change(pair: Pair) -> None:
        if pair.messages and isinstance(pair.messages[-1][2], at):
            offers(after)
            facts.added_services = ()

    offers(before)
    pair.watches.append(change)
    ask(pair, "vehicle", 20, EvWish.RENEGOTIATE_SERVICE, None)
    pair.session()
    ended_well(pair)
    chosen = told(pair, EnergyChosen)
    assert [(each.control, each.mobility_by_secc, each.pricing) for each in chosen] == [
        (Control.DYNAMIC, True, 1 if 1 in pricings else 0) for pricings in (before, after)
    ]
    assert told(pair, EnergyChosen, "ev") == chosen
    assert [each.added_services for each in chosen] == [((65, 3),), ()]


@pytest.mark.parametrize("control", list(Control), ids=lambda each: each.value)
def test_a_vehicle_that_takes_fewer_points_is_held_to_those_that_it_got(control: Control) -> None:
    slots = tuple(Slot(60 * n, 60, 8_000.0 + n) for n in range(20))
    prices = replace(BOTH, slots=tuple(Price(60 * n, 60, 0.2 + n / 100, level=1) for n in range(20)))
    talk = Talk(Facts(), (), bytes(8), way=services.Way(1, control, False, services.ABSOLUTE_PRICES), energy_on=True, schedule_id=7)
    talk.facts.schedules, talk.facts.dynamic = (Schedule(7, slots, slots, prices),), DynamicPlan(prices=prices)
    mode = schedules.offered(talk, Tick(100.0, 0.0), 12)
    assert mode is not None
    assert talk.offered_mono == 100.0
    if control is Control.DYNAMIC:
        assert len(mode["Dynamic_SEResControlMode"].AbsolutePriceSchedule.PriceRuleStacks.PriceRuleStack) == 12
        assert schedules.held(talk, Tick(100.0, 0.0)) is None
        return
    (offered,) = mode["Scheduled_SEResControlMode"].ScheduleTuple
    assert len(offered.ChargingSchedule.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry) == 12
    assert len(offered.ChargingSchedule.AbsolutePriceSchedule.PriceRuleStacks.PriceRuleStack) == 12
    assert talk.schedules == (Schedule(7, slots[:12], slots[:12], replace(prices, slots=prices.slots[:12])),)
    for at_s, ended in ((719.0, False), (720.0, True)):
        held = schedules.held(talk, Tick(100.0 + at_s, 0.0))
        assert held is not None
        assert (held.power_W, held.per_kWh, held.ended) == (8_011.0, prices.slots[11].per_kWh, ended)


def test_what_a_vehicle_draws_by_at_this_moment() -> None:
    slots = (Slot(0, 60, 8_000.0), Slot(60, 3600, 3_000.0))
    talk = Talk(Facts(), (), bytes(8), way=services.Way(1, Control.SCHEDULED, False, services.PRICE_LEVELS))
    talk.schedules, talk.offered_mono, talk.schedule_id, talk.energy_on = (Schedule(7, slots, prices=BOTH),), 100.0, 7, True
    assert schedules.held(talk, Tick(100.0, 0.0)) == (8_000.0, 0.2849, False), "in levels or not"
    assert schedules.held(talk, Tick(160.0, 0.0)) == (3_000.0, 0.4, False)
    assert schedules.held(talk, Tick(90_000.0, 0.0)) == (3_000.0, 0.4, True), "after its end as at its end"
    talk.way = services.Way(3, Control.SCHEDULED, False, services.NO_PRICING)
    assert schedules.held(talk, Tick(100.0, 0.0)) == (8_000.0, None, False)
    for name, value in (("energy_on", False), ("schedule_id", None), ("schedule_id", 8), ("way", services.Way(4, Control.DYNAMIC, False))):
        was = getattr(talk, name)
        setattr(talk, name, value)
        assert schedules.held(talk, Tick(100.0, 0.0)) is None, "also with what is left of an earlier service"
        setattr(talk, name, was)
