"""What the station asks of a vehicle in its loop beside other schedules, and what it offers it beside energy, as configured."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from chargepoint.commands import Log
from chargepoint.config import ParkingConfig
from chargepoint.events import ChargingState, StopRequested, SupplyStopped
from chargepoint.v2g_replan import ASKS_S, BETWEEN_S, STANDS_S
from iso15118.evcc.terms import EvseAsks, EvWish, MeterShown, Parked, ServiceDescribed
from iso15118.terms import AddedService, Control, Ending, Energy, EnergyChosen, Parameter, ParameterSet, Wish
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_own_limits import LEAST

MODES = ("ac", "dc")
KIND = {"ac": Energy.AC, "dc": Energy.DC}


def charging(mode: str, control: Control = Control.DYNAMIC, **more: Any) -> HlcSite:
    site = HlcSite(mode, **more)
    vehicle = site.vehicle(KIND[mode], control)
    vehicle.wants.loop_s, vehicle.wants.meter = 0.4, False
    site.charge(vehicle)
    site.run(2.0)
    return site


def told(site: HlcSite, kind: type[Any]) -> list[Any]:
    assert site.ev is not None
    return [each for _, each in site.ev.vehicle.log if isinstance(each, kind)]


def asked(site: HlcSite, wish: Wish) -> list[float]:
    """When: rounds of the loop that follow one another are one question."""
    assert site.ev is not None
    times = [at for at, each in site.ev.vehicle.log if isinstance(each, EvseAsks) and each.wish is wish]
    return [at for at, before in zip(times, [-99.0, *times], strict=False) if at - before > 2.0]


def stands_by(site: HlcSite) -> None:
    assert site.ev is not None
    site.ev.vehicle.wants.wish = EvWish.STANDBY
    site.until(lambda: site.facts.charging_state is not ChargingState.CHARGING)
    site.run(1.0)
    assert site.ev.vehicle.wants.wish is None


# ---- out of standby


@pytest.mark.parametrize("control", list(Control), ids=lambda each: each.value)
@pytest.mark.parametrize("mode", MODES)
def test_a_vehicle_in_standby_is_called_back_when_there_is_energy_again(mode: str, control: Control) -> None:
    site = charging(mode, control)
    site.limit(watts=0.0)
    stands_by(site)
    site.run(60.0)
    assert asked(site, Wish.EXIT_STANDBY) == []
    site.limit(watts=10_000.0)
    at = site.heap.now
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=STANDS_S + 5.0)
    (first,) = asked(site, Wish.EXIT_STANDBY)
    assert first - at == pytest.approx(STANDS_S, abs=1.0)
    site.run(BETWEEN_S + STANDS_S)
    assert len(asked(site, Wish.EXIT_STANDBY)) == 1
    assert site.ev is not None
    assert site.ev.sessions == 1


def test_less_than_a_vehicle_can_draw_is_nothing_to_come_back_for() -> None:
    site = HlcSite("ac")
    vehicle = site.vehicle(Energy.AC, Control.DYNAMIC, spec=LEAST)
    site.charge(vehicle)
    site.limit(amps=3.0)
    stands_by(site)
    for amps in (5.0, 5.9):
        site.limit(amps=amps)
        site.run(STANDS_S + 5.0)
    assert asked(site, Wish.EXIT_STANDBY) == []
    site.limit(amps=6.1)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=STANDS_S + 5.0)
    assert len(asked(site, Wish.EXIT_STANDBY)) == 1


def test_a_short_fall_below_it_calls_nobody_back() -> None:
    site = HlcSite("ac")
    site.charge(site.vehicle(Energy.AC, Control.DYNAMIC, spec=LEAST))
    site.limit(amps=6.1)
    stands_by(site)
    for _ in range(3):
        site.limit(amps=5.95)
        site.run(STANDS_S - 2.0)
        site.limit(amps=6.1)
        site.run(STANDS_S + BETWEEN_S)
    assert asked(site, Wish.EXIT_STANDBY) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_standby_of_its_own_is_left_alone_unless_there_is_more_than_before(mode: str) -> None:
    site = charging(mode)
    site.limit(watts=8_000.0)
    stands_by(site)
    for watts in (8_000.0, 8_200.0, 7_900.0, 8_000.0):
        site.limit(watts=watts)
        site.run(STANDS_S + 5.0)
    assert asked(site, Wish.EXIT_STANDBY) == []
    site.limit(watts=0.0)
    site.run(STANDS_S - 2.0)
    site.limit(watts=8_000.0)
    site.run(STANDS_S - 2.0)
    site.limit(watts=0.0)
    site.run(STANDS_S + 1.0)
    assert asked(site, Wish.EXIT_STANDBY) == [], "what is soon over is nothing to come back for"
    site.limit(watts=8_000.0)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=STANDS_S + 5.0)


def test_a_vehicle_that_stays_in_standby_is_asked_once_for_each_rise() -> None:
    site = charging("dc")
    assert site.ev is not None
    site.ev.vehicle.wants.heeds -= {Wish.EXIT_STANDBY}
    site.limit(watts=0.0)
    stands_by(site)
    for nth, watts in enumerate((5_000.0, 10_000.0), 1):
        site.limit(watts=watts)
        site.run(STANDS_S + ASKS_S + 5.0)
        assert len(asked(site, Wish.EXIT_STANDBY)) == nth
        last = [at for at, each in site.ev.vehicle.log if isinstance(each, EvseAsks)][-1]
        assert last - asked(site, Wish.EXIT_STANDBY)[-1] == pytest.approx(ASKS_S, abs=1.0)
        site.run(BETWEEN_S)
        assert len(asked(site, Wish.EXIT_STANDBY)) == nth


def test_what_is_wanted_more_comes_before_coming_back() -> None:
    site = charging("dc")
    site.limit(watts=0.0)
    stands_by(site)
    site.limit()
    site.run(STANDS_S - 1.0)
    assert site.ev is not None
    site.ev.vehicle.wants.heeds = frozenset()
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test"))
    site.run(STANDS_S)
    assert {each.wish for each in told(site, EvseAsks)} == {Wish.PAUSE}


@pytest.mark.req("S-11")
@pytest.mark.parametrize("mode", MODES)
def test_a_vehicle_in_standby_whose_driver_stops_ends_in_order(mode: str) -> None:
    site = charging(mode)
    stands_by(site)
    site.heap.tell(StopRequested(1, "Local"))
    assert site.ev is not None
    site.until(lambda: site.ev.over is not None, most_s=4.0)  # type: ignore[union-attr] # it is there
    assert {each.wish for each in told(site, EvseAsks)} == {Wish.STOP}
    assert site.ev.over.ending is Ending.TERMINATED  # type: ignore[union-attr] # by now
    codes = {getattr(each, "ResponseCode", "OK") for _, by, each in site.ev.messages if by == "evse"}
    assert not [each for each in codes if each.startswith("FAILED")]
    assert site.sim.contactor.poles == 0


@pytest.mark.req("S-11")
@pytest.mark.parametrize("mode", MODES)
def test_out_of_standby_comes_nobody_who_may_not_charge_any_more(mode: str) -> None:
    site = charging(mode)
    assert site.ev is not None
    site.ev.vehicle.wants.heeds = frozenset()
    stands_by(site)
    site.heap.tell(StopRequested(1, "Local"))
    site.run(0.5)
    site.ev.vehicle.wants.wish = EvWish.RESUME
    site.run(10.0)
    assert max(map(abs, site.sim.current_A)) == 0.0
    assert site.sim.contactor.poles == 0


# ---- the meter


@pytest.mark.req("J03")
@pytest.mark.parametrize("mode", MODES)
def test_the_meter_is_confirmed_as_often_as_is_configured(mode: str) -> None:
    site = charging(mode, confirm_metering_s=20.0)
    site.run(70.0)
    confirmed = [at for at, log in site.at(Log) if log.key == "v2g.metering_confirmed"]
    assert len(confirmed) == 3
    assert [after - before for before, after in pairwise(confirmed)] == [pytest.approx(20.0, abs=1.0)] * 2
    assert site.facts.charging_state is ChargingState.CHARGING
    shown = told(site, MeterShown)[-1].reading
    assert shown.utc is not None
    assert shown.utc == pytest.approx(confirmed[-1] + site.heap.utc_offset, abs=2.0), "the time of the reading"


def test_without_it_nobody_asks() -> None:
    site = charging("dc")
    site.run(60.0)
    assert asked(site, Wish.CONFIRM_METERING) == []
    assert told(site, MeterShown) == []


def test_a_vehicle_that_confirms_nothing_is_asked_for_a_while_each_time_and_charges_on() -> None:
    site = HlcSite("ac", confirm_metering_s=60.0)
    vehicle = site.vehicle(Energy.AC)
    vehicle.wants.heeds -= {Wish.CONFIRM_METERING}
    site.charge(vehicle)
    site.run(2 * 60.0 + 2 * ASKS_S)
    first, second = asked(site, Wish.CONFIRM_METERING)
    assert second - first == pytest.approx(60.0 + ASKS_S, abs=2.0)
    assert site.facts.charging_state is ChargingState.CHARGING


def test_what_is_wanted_more_comes_before_the_meter() -> None:
    site = charging("ac", confirm_metering_s=10.0)
    assert site.ev is not None
    site.ev.vehicle.wants.heeds = frozenset({Wish.CONFIRM_METERING})
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test"))
    site.run(3.0)
    wishes = {each.wish for each in told(site, EvseAsks)}
    assert wishes == {Wish.PAUSE}


def test_a_meter_that_waited_for_something_else_has_its_whole_time() -> None:
    site = charging("ac", confirm_metering_s=10.0)
    assert site.ev is not None
    site.ev.vehicle.wants.heeds = frozenset()
    site.run(5.0)
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test"))
    site.run(5.0)
    site.heap.tell(SupplyStopped(1, stopped=False, cause="test"))
    site.run(ASKS_S + 5.0)
    times = [at for at, each in site.ev.vehicle.log if isinstance(each, EvseAsks) and each.wish is Wish.CONFIRM_METERING]
    assert times[-1] - times[0] == pytest.approx(ASKS_S, abs=0.8)


@pytest.mark.req("F-3")
def test_a_reading_has_no_time_while_nobody_knows_it() -> None:
    site = HlcSite("ac")
    assert site.heap.station is not None
    clock = site.heap.station.wiring.context.clock
    clock.synchronised, clock.offset_s = False, 0.0
    site.heap.utc_offset = 0.0
    vehicle = site.vehicle(Energy.AC)
    vehicle.wants.meter = True
    site.charge(vehicle)
    site.run(2.0)
    assert told(site, MeterShown)[-1].reading.utc is None


# ---- beside energy


@pytest.mark.parametrize("mode", MODES)
def test_services_beside_energy_are_offered_as_configured(mode: str) -> None:
    parking = (ParkingConfig("check-in", "auto, external"), ParkingConfig("check-out"))
    site = HlcSite(mode, internet=("ftp:21", "https:443"), parking=parking, parking_methods=("Manual",))
    vehicle = site.vehicle(KIND[mode])
    vehicle.wants.added_services = (65, 66)
    vehicle.wants.wish = EvWish.CHECK_IN
    site.charge(vehicle)
    assert [each.service for each in told(site, ServiceDescribed)] == [
        AddedService(
            65,
            (
                ParameterSet(2, (Parameter("Protocol", "ftp"), Parameter("Port", 21))),
                ParameterSet(4, (Parameter("Protocol", "https"), Parameter("Port", 443))),
            ),
        ),
        AddedService(
            66,
            (
                ParameterSet(1, (Parameter("IntendedService", 1), Parameter("ParkingStatusType", 2))),
                ParameterSet(2, (Parameter("IntendedService", 2), Parameter("ParkingStatusType", 4))),
            ),
        ),
    ]
    assert told(site, EnergyChosen)[0].added_services == ((65, 2), (66, 1))
    assert told(site, Parked) == [Parked(EvWish.CHECK_IN)]


def test_a_way_of_parking_that_is_not_configured_is_refused() -> None:
    site = HlcSite("dc", parking_methods=("AutoParking", "MVGuideManual"))
    vehicle = site.vehicle(Energy.DC)
    vehicle.wants.wish = EvWish.CHECK_IN
    ev = site.plug(vehicle)
    site.card()
    site.until(lambda: ev.over is not None or ev.sessions > 1, most_s=20.0)
    assert told(site, Parked) == []


def test_without_configuration_there_is_energy_only() -> None:
    site = HlcSite("ac")
    vehicle = site.vehicle(Energy.AC)
    vehicle.wants.added_services = (65, 66)
    site.charge(vehicle)
    assert told(site, ServiceDescribed) == []
    assert told(site, EnergyChosen)[0].added_services == ()
