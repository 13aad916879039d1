"""The station's own look at the DC outlet after opening (IEC 61851-23): whose voltage it is, when it is judged, and what it keeps away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.v2g.model import COMPACT
from chargepoint.commands import CloseContactor
from chargepoint.config import Timings
from chargepoint.events import Authorised, ChargingState, FaultAcknowledged, IdToken, StopRequested
from chargepoint.evse_dc import SAFE_V, SILENT_S, UNREAD_S
from chargepoint.evse_outlet import OUTLET_FALLS_S, VEHICLE_OPENS_S
from chargepoint.evse_state import Check
from chargepoint.faults import BOARD_SILENT, CONTACTOR_WELDED, DC_SILENT, DC_STAGE, EV_CONTACTOR, OUTLET_LIVE, VEHICLE_SILENT
from chargepoint.v2g import V2gMachine
from hal.types import BoardSilence, DcSample
from iso15118.evcc.terms import EvWish
from iso15118.terms import Control, Energy
from tests.behaviour.hlc_rig import CARD, HlcSite

WELDED = replace(COMPACT, welded=True)


def charged(*, welded: bool = False, silent: bool = True) -> HlcSite:
    """A charge that its driver has stopped; the vehicle is still there. `silent`: it begins no other session."""
    site = HlcSite("dc")
    ev = site.charge(site.vehicle(Energy.DC, Control.DYNAMIC, spec=WELDED if welded else COMPACT))
    site.run(2.0)
    ev.silent = silent
    site.heap.tell(StopRequested(1, "Local"))
    site.until(lambda: site.hlc.value == "done")
    return site


def charges(site: HlcSite) -> bool:
    return site.facts.charging_state is ChargingState.CHARGING


def problems(site: HlcSite) -> list[str]:
    """What the CSMS was told."""
    told = (event for each in site.told("NotifyEvent") for event in each["eventData"])
    return [event["component"]["name"] for event in told if event["variable"]["name"] == "Problem" and event["actualValue"] == "true"]


def test_a_vehicle_that_opens_its_contactors_is_no_fault() -> None:
    site = charged()
    site.run(60.0)
    assert site.facts.faults == {}
    site.unplug()
    site.run(60.0)
    assert site.facts.faults == {}


def test_a_vehicle_that_stays_on_the_cable_after_its_session_is_told_and_gets_no_other() -> None:
    site = charged(welded=True)
    assert site.stage.outlet_V > 300.0
    site.run(VEHICLE_OPENS_S - 1.0)
    assert site.facts.faults == {}
    site.run(2.0)
    assert list(site.facts.faults) == [EV_CONTACTOR]
    assert "ConnectedEV" in problems(site)
    assert site.ev is not None
    site.ev.silent, sessions = False, site.ev.sessions
    site.card()
    site.run(60.0)
    assert not site.serving()
    assert site.ev.sessions == sessions
    assert not charges(site)
    site.unplug()
    site.run(5.0)
    assert site.facts.faults == {}
    site.charge(site.vehicle(Energy.DC))


def test_in_its_session_it_may_stay_as_long_as_it_likes() -> None:
    """Welding detection is the vehicle's, and S2 is open by then."""
    site = HlcSite("dc")
    ev = site.charge(site.vehicle(Energy.DC, spec=WELDED))
    site.heap.tell(StopRequested(1, "Local"))
    site.until(lambda: site.sim.contactor.poles == 0)
    ev.s2, ev.silent = False, True
    ev.mute()
    at = site.heap.now
    site.run(VEHICLE_OPENS_S + 10.0)
    assert site.hlc.value == "talking"
    assert site.facts.faults == {}
    site.until(lambda: site.hlc.value != "talking", most_s=90.0)
    site.until(lambda: EV_CONTACTOR in site.facts.faults, most_s=VEHICLE_OPENS_S + 0.1)
    assert site.heap.now - at > VEHICLE_OPENS_S + 10.0


def test_voltage_where_nobody_is_stays_until_a_person_has_looked() -> None:
    site = charged()
    site.unplug()
    site.run(10.0)
    site.heap.world.inject(1, "OutletLive", 400.0)
    site.run(0.0)
    site.run(OUTLET_FALLS_S - 0.2)
    assert site.facts.faults == {}
    site.run(0.4)
    assert list(site.facts.faults) == [OUTLET_LIVE]
    assert "400 V" in site.facts.faults[OUTLET_LIVE]
    assert "Connector" in problems(site)
    site.heap.tell(FaultAcknowledged(1))
    site.run(10.0)
    assert list(site.facts.faults) == [OUTLET_LIVE], "it still stands"
    site.heap.world.clear(1, "OutletLive")
    site.run(5.0)
    assert list(site.facts.faults) == [OUTLET_LIVE], "gone, but nobody has looked"
    site.plug(site.vehicle(Energy.DC))
    site.card()
    site.run(30.0)
    assert not site.serving()
    site.heap.tell(FaultAcknowledged(1))
    site.run(5.0)
    site.card()
    site.until(lambda: charges(site))
    assert site.facts.faults == {}


def test_it_outlives_a_loss_of_power() -> None:
    site = charged()
    site.unplug()
    site.heap.world.inject(1, "OutletLive", 400.0)
    site.run(5.0)
    site.heap.cut()
    site.heap.world.clear(1, "OutletLive")
    site.heap.start()
    site.run(5.0)
    assert list(site.facts.faults) == [OUTLET_LIVE]


@pytest.mark.req("F-14")
def test_a_weld_that_the_mirror_hides_is_seen_at_the_outlet() -> None:
    """Both sides are one circuit, and the stage goes on: the mirror contact says open, the voltmeter does not."""
    site = charged()
    site.unplug()
    site.heap.looks.remove(site.guard)  # it sees the weld
    for each in ("MirrorStuck", "ContactorWeld", "StageNotOff"):
        site.heap.world.inject(1, each)
    site.stage.set_V, site.stage.on = 500.0, True
    site.run(5.0)
    assert list(site.facts.faults) == [OUTLET_LIVE]
    assert CONTACTOR_WELDED not in site.facts.faults


def test_the_same_voltage_at_stage_and_outlet_is_the_stations_own_failure() -> None:
    site = charged(welded=True)
    site.heap.looks.remove(site.guard)  # it sees the weld
    site.heap.world.inject(1, "MirrorStuck")
    site.heap.world.inject(1, "ContactorWeld")
    site.run(VEHICLE_OPENS_S + 1.0)
    assert list(site.facts.faults) == [OUTLET_LIVE]
    assert "at the stage as well" in site.facts.faults[OUTLET_LIVE]


def test_unplugging_a_vehicle_that_holds_it_gives_the_cable_its_second() -> None:
    site = charged(welded=True)
    site.run(VEHICLE_OPENS_S - 0.5)
    site.unplug()
    site.run(10.0)
    assert site.facts.faults == {}


def test_a_voltage_from_before_the_first_session_is_the_vehicles() -> None:
    site = HlcSite("dc")
    ev = site.vehicle(Energy.DC, spec=WELDED)
    ev.wants.contactors_closed = True
    site.plug(ev, modem=False)
    site.until(lambda: EV_CONTACTOR in site.facts.faults, most_s=VEHICLE_OPENS_S + 1.0)


def test_what_nobody_reads_nobody_judges() -> None:
    site = charged(welded=True)
    site.heap.tell(BoardSilence(silent=True))
    site.heap.deaf = DcSample
    site.run(VEHICLE_OPENS_S + 5.0)
    assert EV_CONTACTOR not in site.facts.faults
    assert OUTLET_LIVE not in site.facts.faults


# ---- without readings


def silent(site: HlcSite, seconds: float = UNREAD_S + 0.5) -> None:
    """The stage says nothing more; the board does."""
    site.heap.deaf = DcSample
    site.run(seconds)


def test_an_old_reading_closes_no_contactor() -> None:
    """The stage has fallen silent; 400 V come onto the outlet, and what was last read is 0 V."""
    site = HlcSite("dc")
    ev = site.plug(site.vehicle(Energy.DC))
    site.until(lambda: "AuthorizationReq" in site.said("ev"))
    silent(site)
    site.heap.world.inject(1, "OutletLive", 400.0)
    ev.s2 = True
    site.card()
    site.run(SILENT_S + 30.0)
    assert site.at(CloseContactor) == []
    assert list(site.facts.faults) == [DC_SILENT]


def test_a_stage_that_says_nothing_begins_no_session_and_is_a_fault_while_it_does() -> None:
    site = HlcSite("dc")
    silent(site, SILENT_S - 1.2)
    assert site.facts.faults == {}
    site.run(1.5)
    assert list(site.facts.faults) == [DC_SILENT]
    assert "no reading" in site.facts.faults[DC_SILENT]
    ev = site.plug(site.vehicle(Energy.DC))
    site.run(30.0)
    assert "ElectricalFeed" in problems(site)
    assert ev.sessions == 0
    assert not site.serving()
    site.heap.deaf = None
    site.run(1.1)
    assert site.facts.faults == {}
    site.card()
    site.until(lambda: charges(site))
    assert site.facts.faults == {}


@pytest.mark.parametrize("unplugs", [True, False], ids=["unplugged", "stays"])
def test_what_was_read_before_is_no_verdict_on_the_outlet(unplugs: bool) -> None:
    site = HlcSite("dc")
    ev = site.charge(site.vehicle(Energy.DC))
    site.run(2.0)
    ev.silent = True
    site.heap.tell(StopRequested(1, "Local"))
    site.until(lambda: site.sim.contactor.poles == 0)
    site.heap.deaf = DcSample
    if unplugs:
        site.unplug()
    site.run(20.0)
    assert site.stage.outlet_V < SAFE_V
    assert list(site.facts.faults) == [DC_SILENT]


def test_what_comes_onto_the_outlet_while_nobody_reads_is_found_as_soon_as_somebody_does() -> None:
    site = HlcSite("dc")
    silent(site)
    site.heap.world.inject(1, "OutletLive", 400.0)
    site.run(20.0)
    assert list(site.facts.faults) == [DC_SILENT]
    site.heap.deaf = None
    site.run(1.0 + OUTLET_FALLS_S + 0.1)
    assert list(site.facts.faults) == [OUTLET_LIVE]


@pytest.mark.parametrize("check", [Check.RISING, Check.MEASURING, Check.FALLING])
def test_no_cable_check_is_passed_without_readings(check: Check) -> None:
    site = HlcSite("dc")
    site.plug(site.vehicle(Energy.DC))
    site.card()
    state = site.heap.station.wiring.machines["evse:1"].state  # type: ignore[union-attr]
    site.until(lambda: state.check is check)
    site.heap.deaf = DcSample
    site.run(SILENT_S + Timings().dc_ramp_s + 0.1)
    assert site.facts.insulation is not True
    assert site.sim.contactor.poles == 0
    assert {DC_STAGE, DC_SILENT} & set(site.facts.faults)
    assert VEHICLE_SILENT not in site.facts.faults


def test_a_board_that_is_silent_as_a_whole_is_told_once() -> None:
    site = HlcSite("dc")
    site.heap.tell(BoardSilence(silent=True))
    silent(site, 20.0)
    assert list(site.facts.faults) == [BOARD_SILENT]
    site.heap.deaf = None
    site.heap.tell(BoardSilence(silent=False))
    site.run(5.0)
    assert site.facts.faults == {}


def test_a_voltage_that_nobody_reads_is_told_to_no_vehicle() -> None:
    """It would take 0 V for contactors that have opened."""
    site = HlcSite("dc")
    ev = site.charge(site.vehicle(Energy.DC))
    site.run(2.0)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
    ev.vehicle.wants.wish = EvWish.STOP
    site.until(lambda: "DC_WeldingDetectionReq" in site.said("ev"))
    assert site.heap.station is not None
    link = site.heap.station.wiring.machines["v2g:1"]
    assert isinstance(link, V2gMachine)
    assert link.facts.voltage_known
    silent(site, UNREAD_S + 0.1)
    site.heap.tell(Authorised(1, IdToken(CARD, "ISO14443")))
    assert not link.facts.voltage_known


# ---- a session that wants its cable check


@pytest.mark.parametrize(("stage_V", "fault"), [(0.0, EV_CONTACTOR), (390.0, OUTLET_LIVE)], ids=["vehicle", "stage"])
def test_a_voltage_at_the_cable_check_is_the_vehicles_unless_the_stage_has_it_too(stage_V: float, fault: str) -> None:
    site = HlcSite("dc")
    site.plug(site.vehicle(Energy.DC))
    site.until(lambda: "AuthorizationReq" in site.said("ev"))
    site.heap.world.inject(1, "OutletLive", 400.0)
    if stage_V:
        site.heap.world.inject(1, "StageNotOff")
        site.stage.set_V, site.stage.on = stage_V, True
    site.run(1.0)
    site.card()
    site.until(lambda: bool(site.facts.faults))
    site.run(30.0)
    assert list(site.facts.faults) == [fault], "and it is not the vehicle that does not talk"
    assert "before anything was closed" in site.facts.faults[fault]
    assert site.at(CloseContactor) == []


# ---- plugs that come and go


@pytest.mark.parametrize("each_s", [0.7, 1.5])
def test_an_outlet_that_is_live_is_found_however_often_a_plug_comes_and_goes(each_s: float) -> None:
    site = HlcSite("dc")
    site.run(1.0)
    site.heap.world.inject(1, "OutletLive", 400.0)
    for _ in range(4):
        site.run(each_s)
        site.plug(site.vehicle(Energy.DC))
        site.run(each_s)
        site.unplug()
    assert list(site.facts.faults) == [OUTLET_LIVE]


def test_vehicles_that_hold_it_and_go_one_after_the_other_are_no_live_outlet() -> None:
    site = HlcSite("dc")
    for _ in range(6):
        vehicle = site.vehicle(Energy.DC, spec=WELDED)
        vehicle.wants.contactors_closed = True
        site.plug(vehicle, modem=False)
        site.run(2.0)
        site.unplug()
        site.run(1.5)
    assert site.facts.faults == {}
