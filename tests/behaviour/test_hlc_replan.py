"""The station asks a vehicle in scheduled control for other schedules when those that it draws by do not hold any more."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bench.ev.talking import TalkingEv
from bench.heap import UTC_S
from bench.v2g.model import TRUCK, Spec
from chargepoint.config import TariffConfig, TariffTime
from chargepoint.v2g import V2gMachine
from chargepoint.v2g_replan import ASKS_S, BETWEEN_S, STANDS_S
from iso15118.evcc.terms import EvseAsks, ProfileMade, SchedulesOffered
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import Control, Energy, Wish
from tests.behaviour.hlc_rig import HlcSite

MODES = ("ac", "dc")
KIND = {"ac": Energy.AC, "dc": Energy.DC}
FULL_W = {"ac": 22_080.0, "dc": 60_000.0}
LOW_W = {"ac": 8_000.0, "dc": 20_000.0}
BIG = Spec("big", capacity_Wh=400_000.0, ac_power_W=22_000.0)
ASKED = Wish.RENEGOTIATE_SCHEDULE


def charging(
    mode: str, control: Control = Control.SCHEDULED, *, heeds: bool = True, aside: bool = False, spec: Spec = BIG, **more: Any
) -> HlcSite:
    site = HlcSite(mode, **more)
    vehicle = site.vehicle(KIND[mode], control, spec=spec)
    vehicle.wants.other_schedules_aside, vehicle.wants.loop_s = aside, 0.4
    if not heeds:
        vehicle.wants.heeds -= {ASKED}
    site.charge(vehicle)
    site.run(5.0)
    return site


def ev_of(site: HlcSite) -> TalkingEv:
    assert site.ev is not None
    return site.ev


def told(site: HlcSite, kind: type[Any]) -> list[Any]:
    return [each for _, each in ev_of(site).vehicle.log if isinstance(each, kind)]


def asked(site: HlcSite) -> list[float]:
    """When the vehicle was asked: rounds of the loop that follow one another are one question."""
    times = [at for at, each in ev_of(site).vehicle.log if isinstance(each, EvseAsks) and each.wish is ASKED]
    return [at for at, before in zip(times, [-99.0, *times], strict=False) if at - before > 2.0]


def plans(site: HlcSite) -> list[float]:
    return [each.profile[0].power_W for each in told(site, ProfileMade)]


def offered_W(site: HlcSite) -> list[float]:
    return [round(each.schedules[0].charging[0].power_W) for each in told(site, SchedulesOffered)]


def drawn_W(site: HlcSite) -> float:
    if site.sim.stage is not None:
        return site.stage.voltage_V * site.stage.current_A
    return 230.0 * sum(site.sim.current_A)


def needs_told(site: HlcSite) -> int:
    return len(site.told("NotifyEVChargingNeeds"))


@pytest.mark.parametrize("aside", [False, True], ids=["out of the loop", "beside it"])
@pytest.mark.parametrize("mode", MODES)
def test_a_limit_drops_and_comes_back(mode: str, aside: bool) -> None:
    site = charging(mode, aside=aside)
    assert offered_W(site) == [FULL_W[mode]]
    before_W = drawn_W(site)
    at = site.heap.now
    site.limit(watts=LOW_W[mode])
    site.run(STANDS_S - 1.0)
    assert asked(site) == []
    assert drawn_W(site) <= LOW_W[mode] * 1.01, "the limit is obeyed in the loop, whatever the schedule says"
    site.run(BETWEEN_S)
    (first,) = asked(site)
    assert first - at == pytest.approx(STANDS_S, abs=2.0 * 3)
    assert offered_W(site)[1:] == [pytest.approx(LOW_W[mode], rel=0.03)]
    assert plans(site)[-1] <= LOW_W[mode] * 1.01
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.plan[0].power_W <= LOW_W[mode] * 1.01
    assert LOW_W[mode] * 0.8 < drawn_W(site) <= LOW_W[mode] * 1.01
    assert ev_of(site).sessions == 1
    assert ev_of(site).over is None
    site.limit()
    site.run(STANDS_S + 10.0)
    assert len(asked(site)) == 2
    assert len(offered_W(site)) == 3
    assert drawn_W(site) == pytest.approx(before_W, rel=0.05)
    assert needs_told(site) == 3, "the CSMS is told of each"
    site.run(BETWEEN_S + 20.0)
    assert len(asked(site)) == 2


LOW_BATTERY = replace(TRUCK, name="low battery", max_voltage_V=830.0, min_voltage_V=400.0, voltage_V=((0, 420), (100, 430)))
DEPTHS = [
    *(("ac", BIG, {}, {"watts": watts}) for watts in (20_000.0, 15_000.0, 8_000.0)),
    *(("ac", BIG, {}, {"amps": amps}) for amps in (25.0, 10.0)),
    *(("dc", BIG, {}, {"watts": watts}) for watts in (55_000.0, 40_000.0, 30_000.0, 25_000.0, 23_000.0, 21_000.0, 5_000.0)),
    *(("dc", BIG, {}, {"amps": amps}) for amps in (140.0, 120.0, 100.0, 80.0, 10.0)),
    *(("dc", LOW_BATTERY, {"watts": 20_000.0}, {"watts": watts}) for watts in (12_000.0, 10_500.0, 8_000.0)),
    ("dc", BIG, {"amps": 40.0}, {"amps": 36.0}),
]


@pytest.mark.parametrize(("mode", "spec", "before", "then"), DEPTHS, ids=lambda each: str(getattr(each, "name", each)))
def test_a_drop_of_any_depth_is_asked_for_once_and_offered_as_it_is(
    mode: str, spec: Spec, before: dict[str, float], then: dict[str, float]
) -> None:
    """What was offered at a voltage that nobody knew yet is compared at the one that really is."""
    site = HlcSite(mode)
    site.limit(**before)
    vehicle = site.vehicle(KIND[mode], Control.SCHEDULED, spec=spec)
    vehicle.wants.loop_s = 0.4
    site.charge(vehicle)
    site.run(STANDS_S + 5.0)
    assert asked(site) == []
    site.limit(**then)
    site.run(STANDS_S + 5.0)
    assert len(asked(site)) == 1
    volts = site.stage.voltage_V if mode == "dc" else 3 * 230.0
    (is_W,) = offered_W(site)[1:]
    assert is_W == pytest.approx(then.get("watts", then.get("amps", 0.0) * volts), rel=0.01)
    assert site.facts.limit_W == pytest.approx(is_W, rel=0.01)


def test_the_first_schedule_goes_by_what_the_vehicle_has_said_of_its_voltage() -> None:
    """Not by the charger's own, which gives more power for the same current."""
    site = HlcSite("dc")
    site.limit(amps=40.0)
    site.charge(site.vehicle(Energy.DC, Control.SCHEDULED, spec=BIG))
    assert offered_W(site) == [40.0 * BIG.max_voltage_V]


def test_each_offer_has_ids_of_its_own_in_a_session() -> None:
    site = charging("dc", tariff=TariffConfig("EUR", 0.2))
    for watts in (30_000.0, 20_000.0):
        site.limit(watts=watts)
        site.run(BETWEEN_S + STANDS_S + 5.0)
    offers = [each.schedules[0] for each in told(site, SchedulesOffered)]
    assert [each.id for each in offers] == [each.prices.id for each in offers] == [1, 2, 3]
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.schedule_id == 3


@pytest.mark.parametrize("mode", MODES)
def test_a_vehicle_that_does_not_follow_is_asked_once_and_bounded_all_the_same(mode: str) -> None:
    site = charging(mode, heeds=False)
    site.limit(watts=LOW_W[mode])
    site.run(STANDS_S + ASKS_S + 5.0)
    assert len(asked(site)) == 1
    rounds = (ac.AC_ChargeLoopRes, dc.DC_ChargeLoopRes)
    wishes = [at for at, _, each in ev_of(site).messages if isinstance(each, rounds) and each.EVSEStatus is not None]  # of those that asked
    assert wishes[-1] - wishes[0] == pytest.approx(ASKS_S, abs=1.0)
    site.run(BETWEEN_S + 20.0)
    assert len(asked(site)) == 1
    assert len(offered_W(site)) == 1
    assert drawn_W(site) <= LOW_W[mode] * 1.01
    site.limit(watts=LOW_W[mode] / 2)
    site.run(STANDS_S + 5.0)
    assert len(asked(site)) == 2, "another limit is another question"
    assert drawn_W(site) <= LOW_W[mode] / 2 * 1.01


@pytest.mark.parametrize("mode", MODES)
def test_a_dip_that_is_soon_over_asks_nothing(mode: str) -> None:
    site = charging(mode)
    for _ in range(5):
        site.limit(watts=LOW_W[mode])
        site.run(STANDS_S - 1.0)
        site.limit()
        site.run(STANDS_S - 1.0)
    assert asked(site) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_pause_leaves_the_schedule_as_it_is(mode: str) -> None:
    site = charging(mode)
    before_W = drawn_W(site)
    site.limit(watts=0.0)
    site.run(STANDS_S + 20.0)
    assert asked(site) == []
    assert drawn_W(site) == 0.0
    assert ev_of(site).over is None
    site.limit()
    site.run(10.0)
    assert asked(site) == []
    assert drawn_W(site) == pytest.approx(before_W, rel=0.05)


@pytest.mark.parametrize("mode", MODES)
def test_a_limit_that_wanders_asks_once_a_minute_at_most(mode: str) -> None:
    site = charging(mode)
    for turn in range(14):
        site.limit(watts=LOW_W[mode] * (1.0 - 0.05 * turn))
        site.run(11.0)
    times = asked(site)
    assert len(times) >= 2
    assert all(after - before >= BETWEEN_S for before, after in pairwise(times))


@pytest.mark.parametrize("mode", MODES)
def test_in_dynamic_control_the_loop_says_it_all(mode: str) -> None:
    site = charging(mode, Control.DYNAMIC)
    site.limit(watts=LOW_W[mode])
    site.run(STANDS_S + 20.0)
    assert asked(site) == []
    assert LOW_W[mode] * 0.8 < drawn_W(site) <= LOW_W[mode] * 1.01


def test_more_than_the_vehicle_takes_is_no_reason() -> None:
    site = HlcSite("ac")
    site.limit(watts=12_000.0)
    site.charge(site.vehicle(Energy.AC, Control.SCHEDULED))  # takes 11 kW
    site.run(5.0)
    site.limit()
    site.run(60.0)
    assert asked(site) == []


@pytest.mark.parametrize("amps", [None, 40.0])
def test_the_voltage_of_a_battery_alone_is_no_change(amps: float | None) -> None:
    """It rises by a third: what is bounded by current gains power, what is bounded by power loses current."""
    steep = Spec("steep", 800.0, ((0, 80_000), (100, 80_000)), ((0, 300), (30, 300), (95, 415), (100, 420)))
    site = HlcSite("dc")
    if amps:
        site.limit(amps=amps)
    vehicle = site.vehicle(Energy.DC, Control.SCHEDULED, spec=steep, soc=25.0, target_soc=99.0)
    vehicle.wants.loop_s = 0.45
    site.charge(vehicle)
    if amps:
        site.limit(amps=amps - 10.0)
        site.until(lambda: len(offered_W(site)) == 2)
        assert offered_W(site)[-1] == pytest.approx(300.0 * (amps - 10.0), rel=0.05), "at the voltage that the battery has by now"
    site.until(lambda: vehicle.soc > 94.0, most_s=2_000.0)
    assert site.stage.voltage_V > 400.0
    assert len(asked(site)) == (1 if amps else 0)


def test_a_stop_comes_before_other_schedules() -> None:
    site = charging("dc", heeds=False)
    site.limit(watts=LOW_W["dc"])
    site.run(STANDS_S + 3.0)
    assert len(asked(site)) == 1
    site.card()
    site.until(lambda: ev_of(site).over is not None, most_s=4.0)
    wishes = [each.wish for each in told(site, EvseAsks)]
    assert wishes[-1] is Wish.STOP


def test_a_pause_that_is_wanted_comes_before_other_schedules_while_the_limit_still_stands() -> None:
    site = charging("ac", heeds=False)
    ev_of(site).vehicle.wants.heeds = frozenset()
    site.limit(watts=LOW_W["ac"])
    site.run(STANDS_S + 3.0)
    assert site.heap.station is not None
    machine = site.heap.station.wiring.machines["v2g:1"]
    assert isinstance(machine, V2gMachine)
    assert machine.facts.wish is ASKED
    machine.memory.stopped = ("test",)  # the EVSE does not know of it
    site.run(1.0)
    assert machine.facts.wish is Wish.PAUSE
    assert told(site, EvseAsks)[-1].wish is Wish.PAUSE
    site.limit(watts=LOW_W["ac"] / 2)
    site.run(BETWEEN_S)
    machine.memory.stopped = ()
    site.run(STANDS_S - 1.0)
    assert len(asked(site)) == 1, "a difference stands only while nothing else is wanted"
    site.run(3.0)
    assert len(asked(site)) == 2


# ---- prices


DAY = TariffConfig("EUR", 0.2, (TariffTime("00:02", 0.3),), "UTC")


@pytest.mark.parametrize("mode", MODES)
def test_a_price_that_changes_as_it_was_told_asks_nothing(mode: str) -> None:
    site = charging(mode, spec=TRUCK if mode == "dc" else BIG, tariff=DAY)
    site.run(240.0)
    assert asked(site) == []


@pytest.mark.req("F-3")
@pytest.mark.parametrize("pricing", [1, 2, 0])
def test_a_clock_that_is_set_right_changes_what_was_told_of_prices(pricing: int) -> None:
    site = HlcSite("ac", tariff=DAY)
    vehicle = site.vehicle(Energy.AC, Control.SCHEDULED, spec=BIG)
    vehicle.wants.pricings = (pricing,)
    site.charge(vehicle)
    assert site.heap.station is not None
    site.heap.station.wiring.context.clock.offset_s = 3_600.0
    site.run(STANDS_S + 5.0)
    if not pricing:
        assert asked(site) == []
        return
    assert len(asked(site)) == 1
    prices = told(site, SchedulesOffered)[-1].schedules[0].prices
    assert prices is not None
    assert (prices.slots[0].per_kWh, prices.slots[0].level) == ((0.3, 0) if pricing == 1 else (0.0, 2))


@pytest.mark.parametrize("points", [12, 1024])
def test_a_vehicle_that_takes_fewer_prices_than_there_are_is_asked_when_those_that_it_knows_are_over(points: int) -> None:
    """A price each minute of the first hour."""
    times = tuple(TariffTime(f"00:{minute:02}", 0.1 + minute / 1_000) for minute in range(1, 60))
    site = HlcSite("ac", tariff=TariffConfig("EUR", 0.1, times), right_clock=True)
    vehicle = site.vehicle(Energy.AC, Control.SCHEDULED, spec=BIG)
    vehicle.wants.most_points, vehicle.wants.loop_s = points, 0.4
    site.charge(vehicle)
    site.run(5.0)
    prices = told(site, SchedulesOffered)[0].schedules[0].prices
    assert len(prices.slots) == min(points, 61)
    over_s = prices.slots[-1].start_s + prices.slots[-1].duration_s
    site.run(over_s + STANDS_S if points < 61 else 800.0)
    if points > 61:
        assert asked(site) == []
        return
    (at,) = asked(site)
    assert at == pytest.approx(over_s + STANDS_S, abs=10.0)
    assert told(site, SchedulesOffered)[-1].schedules[0].prices.slots[0].per_kWh == pytest.approx(0.112)


def test_after_a_day_the_vehicle_is_told_the_prices_of_the_next_one() -> None:
    """What was told ends; the price of then is not that of the schedule's end."""
    site = HlcSite("ac", tariff=TariffConfig("EUR", 0.2, (TariffTime("12:00", 0.3),), "UTC"))
    vehicle = site.vehicle(Energy.AC, Control.SCHEDULED, spec=Spec("ship", 5_000_000.0, ac_power_W=22_000.0))
    vehicle.wants.loop_s = 0.4
    site.charge(vehicle)
    assert site.heap.now + site.heap.utc_offset < UTC_S + 60
    assert site.heap.station is not None
    (session,) = site.heap.station.wiring.machines["v2g:1"].sessions.values()  # type: ignore[attr-defined] # a V2gMachine
    session.dialect.talk.offered_mono -= 36 * 3_600.0  # it has been charging for so long
    site.heap.utc_offset += 12 * 3_600.0
    site.run(STANDS_S + 5.0)
    assert len(asked(site)) == 1
    assert len([each for _, _, each in ev_of(site).messages if isinstance(each, cm.ScheduleExchangeReq)]) == 2
