"""What a vehicle that talks is told of the station's tariff, and of what else the station offers it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.heap import UTC_S
from bench.v2g.model import Vehicle
from chargepoint.config import TariffConfig, TariffTime
from chargepoint.tick import Tick
from chargepoint.v2g_facts import NO_TARIFF
from iso15118.evcc.terms import EvseLimits, EvWish, PlanOffered, PricesDoubted, SchedulesOffered
from iso15118.iso20.services import meaning, read
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import Control, Energy, EnergyChosen, Price, Prices
from tests.behaviour.hlc_rig import HlcSite

MODES = ("ac", "dc")
KIND = {"ac": Energy.AC, "dc": Energy.DC}
TARIFF = TariffConfig("EUR", 0.2849, (TariffTime("06:00", 0.35), TariffTime("22:00", 0.2849)), "UTC", "two prices")
H = 3600
ABSOLUTE, LEVELS, NOTHING = 1, 2, 0


def told(vehicle: Vehicle, kind: type[Any]) -> list[Any]:
    return [each for _, each in vehicle.log if isinstance(each, kind)]


def charged(
    mode: str, control: Control, *pricings: int, tariff: TariffConfig | None = TARIFF, clock_at: float = UTC_S, **v2g: Any
) -> tuple[HlcSite, Vehicle]:
    """A session up to the loop. The station's time begins at midnight."""
    site = HlcSite(mode, tariff=tariff, **v2g)
    site.heap.utc_offset = clock_at
    vehicle = site.vehicle(KIND[mode], control)
    vehicle.wants.pricings = pricings
    site.charge(vehicle)
    return site, vehicle


def prices_of(vehicle: Vehicle, control: Control) -> Prices | None:
    if control is Control.DYNAMIC:
        (plan,) = told(vehicle, PlanOffered)
        found = plan.plan.prices
    else:
        (offered,) = told(vehicle, SchedulesOffered)
        found = offered.schedules[0].prices
    assert found is None or isinstance(found, Prices)
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("control", list(Control), ids=lambda each: each.value)
@pytest.mark.parametrize("pricing", [ABSOLUTE, LEVELS, NOTHING])
def test_the_vehicle_is_told_what_the_parameter_set_that_it_chose_says(mode: str, control: Control, pricing: int) -> None:
    site, vehicle = charged(mode, control, pricing)
    assert told(vehicle, EnergyChosen)[0].pricing == pricing
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.chosen is not None
    assert site.facts.vehicle.chosen.pricing == pricing
    prices = prices_of(vehicle, control)
    assert not told(vehicle, PricesDoubted)
    if pricing == NOTHING:
        assert prices is None
        return
    assert prices is not None
    assert [each.start_s + each.duration_s for each in prices.slots][-1] == 24 * H
    assert [round(each.start_s / H) for each in prices.slots] == [0, 6, 22]
    assert prices.description == "two prices"
    if pricing == ABSOLUTE:
        assert [each.per_kWh for each in prices.slots] == [0.2849, 0.35, 0.2849]
        assert (prices.currency, prices.levels) == ("EUR", 0)
    else:
        assert [each.level for each in prices.slots] == [1, 2, 1]
        assert prices.levels == 2


@pytest.mark.parametrize("mode", MODES)
def test_three_parameter_sets_for_each_control_mode_and_amounts_first(mode: str) -> None:
    site, _ = charged(mode, Control.SCHEDULED)
    assert site.ev is not None
    (details,) = (each for _, _, each in site.ev.messages if isinstance(each, cm.ServiceDetailRes))
    ways = [meaning(Energy(mode.upper()), read(each)) for each in details.ServiceParameterList.ParameterSet]
    assert [each.phases for each in ways] == ([3] * 6 + [1] * 6 if mode == "ac" else [0] * 6), "those of one phase stand behind the others"
    assert [each[1:4] for each in ways[6:]] == [each[1:4] for each in ways[:6] if mode == "ac"]
    assert [(each.id, each.control, each.pricing) for each in ways[:6]] == [
        (1, Control.SCHEDULED, ABSOLUTE),
        (2, Control.SCHEDULED, LEVELS),
        (3, Control.SCHEDULED, NOTHING),
        (4, Control.DYNAMIC, ABSOLUTE),
        (5, Control.DYNAMIC, LEVELS),
        (6, Control.DYNAMIC, NOTHING),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_without_a_tariff_there_is_one_level_all_day(mode: str) -> None:
    _, vehicle = charged(mode, Control.SCHEDULED, tariff=None)
    assert told(vehicle, EnergyChosen)[0].parameter_set == 1
    prices = prices_of(vehicle, Control.SCHEDULED)
    assert prices is not None
    assert prices.slots == NO_TARIFF.slots == (Price(0, 24 * H, level=1),)
    assert prices.levels == 1
    _, other = charged(mode, Control.DYNAMIC, tariff=None)
    assert prices_of(other, Control.DYNAMIC) is None


@pytest.mark.req("F-3")
@pytest.mark.parametrize("mode", MODES)
def test_a_station_that_does_not_know_the_time_says_nothing_of_prices_that_go_by_it(mode: str) -> None:
    site = HlcSite(mode, tariff=TARIFF)
    assert site.heap.station is not None
    clock = site.heap.station.wiring.context.clock
    clock.synchronised, clock.offset_s = False, 0.0
    site.heap.utc_offset = 0.0
    vehicle = site.vehicle(KIND[mode], Control.SCHEDULED)
    vehicle.wants.pricings = (ABSOLUTE,)
    ev = site.charge(vehicle)
    assert told(vehicle, EnergyChosen)[0].pricing == NOTHING
    prices = prices_of(vehicle, Control.SCHEDULED)
    assert prices is not None
    assert prices.slots == NO_TARIFF.slots
    site.unplug()
    site.run(5.0)
    assert ev.over is not None
    clock.set(Tick(site.heap.now, site.heap.now), UTC_S)
    vehicle = site.vehicle(KIND[mode], Control.SCHEDULED)
    vehicle.wants.pricings = (ABSOLUTE,)
    site.charge(vehicle)
    prices = prices_of(vehicle, Control.SCHEDULED)
    assert prices is not None
    assert prices.slots[0].per_kWh == 0.2849


@pytest.mark.req("F-3")
def test_a_session_has_the_time_that_the_station_has_from_its_csms() -> None:
    site = HlcSite("ac", tariff=TARIFF)
    assert site.heap.station is not None
    site.heap.station.wiring.context.clock.offset_s = 7 * H
    vehicle = site.vehicle(Energy.AC, Control.SCHEDULED)
    ev = site.charge(vehicle)
    answers = [each for _, by, each in ev.messages if by == "evse" and isinstance(each, cm.ScheduleExchangeRes)]
    mode = answers[-1].Scheduled_SEResControlMode
    assert mode is not None
    (last,) = mode.ScheduleTuple
    absolute = last.ChargingSchedule.AbsolutePriceSchedule
    assert absolute is not None
    assert 0 <= absolute.TimeAnchor - (UTC_S + 7 * H) < 60
    assert answers[-1].Header.TimeStamp == absolute.TimeAnchor
    prices = prices_of(vehicle, Control.SCHEDULED)
    assert prices is not None
    assert prices.slots[0].per_kWh == 0.35


def test_as_many_prices_as_the_vehicle_takes() -> None:
    times = tuple(TariffTime(f"{hour:02}:00", 0.1 + hour / 100) for hour in range(1, 24))
    site = HlcSite("ac", tariff=TariffConfig("EUR", 0.1, times))
    vehicle = site.vehicle(Energy.AC, Control.SCHEDULED)
    vehicle.wants.most_points = 12
    site.charge(vehicle)
    prices = prices_of(vehicle, Control.SCHEDULED)
    assert prices is not None
    assert len(prices.slots) == 12


# ---- beside prices


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("allowed", [True, False])
def test_standby_is_granted_or_refused_as_it_is_configured(mode: str, allowed: bool) -> None:
    site, vehicle = charged(mode, Control.DYNAMIC, tariff=None, standby=allowed)
    vehicle.wants.wish = EvWish.STANDBY
    site.run(3.0)
    assert site.ev is not None
    (answer,) = [
        each
        for (_, _, asked), (_, _, each) in zip(site.ev.messages, site.ev.messages[1:], strict=False)
        if isinstance(asked, cm.PowerDeliveryReq) and asked.ChargeProgress == "Standby"
    ]
    assert isinstance(answer, cm.PowerDeliveryRes)
    assert answer.ResponseCode == ("OK" if allowed else "WARNING_StandbyNotAllowed")
    flows = max(map(abs, site.sim.current_A)) > 1.0
    assert flows is not allowed, "refused, the vehicle goes on drawing"
    assert site.ev.over is None


def test_a_dc_vehicle_is_told_how_fast_the_power_follows() -> None:
    _, vehicle = charged("dc", Control.SCHEDULED, tariff=None)
    limits = next(each for each in told(vehicle, EvseLimits) if each.ramp_W_per_s is not None)
    assert limits.ramp_W_per_s == pytest.approx(200.0 * 150.0, rel=1e-3), "A/s of the stage, at its least voltage"
