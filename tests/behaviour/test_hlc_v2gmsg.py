"""Vehicles that speak DIN 70121 or ISO 15118-2, at the station: pilot, session, board and CSMS together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.v2g.model import Spec
from chargepoint import codec
from chargepoint.commands import Log, OpenContactor, SetDcOutput
from chargepoint.events import ChargingState
from iso15118.evcc.terms import EvWish, ProfileMade
from iso15118.protocols import PROTOCOLS
from iso15118.secc.speak import of
from iso15118.terms import Control, Ending, Energy
from tests.behaviour.hlc_rig import HlcSite

SPEECHES = ("din", "iso2-dc", "iso2-ac")
EVERYTHING = tuple(PROTOCOLS)
BIG = Spec("big", capacity_Wh=400_000.0, ac_power_W=22_000.0)


def site_of(speech: str, **more: Any) -> HlcSite:
    """A station that speaks everything, without TLS and with it."""
    return HlcSite("ac" if speech.endswith("ac") else "dc", protocols=EVERYTHING, tls="optional", **more)


def vehicle_of(site: HlcSite, speech: str, **more: Any) -> Any:
    vehicle = site.vehicle(Energy.AC if speech.endswith("ac") else Energy.DC, Control.SCHEDULED, **more)
    vehicle.wants.protocols = (speech,)
    return vehicle


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_whole_charge(speech: str) -> None:
    site = site_of(speech)
    ev = site.charge(vehicle_of(site, speech, soc=79.0))
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.protocol == PROTOCOLS[speech].namespace
    assert [each.values["protocol"] for _, each in site.at(Log) if each.key == "v2g.begun"] == [PROTOCOLS[speech].namespace]
    site.until(lambda: ev.over is not None, most_s=600.0)
    site.run(5.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.TERMINATED
    assert ev.vehicle.soc == pytest.approx(80.0, abs=0.1)
    assert site.hlc.value == "done"
    site.unplug()
    site.run(2.0)
    register_Wh = site.sim.register.import_Ws / 3600
    assert register_Wh == pytest.approx(ev.vehicle.taken_Wh, rel=0.05)
    assert site.told()[-1]["eventType"] == "Ended"


def test_over_tls_din_is_declined_and_the_vehicle_goes_on_with_what_it_likes_next() -> None:
    site = site_of("din")
    vehicle = vehicle_of(site, "din")
    vehicle.wants.protocols = ("din", "iso2-dc")
    site.charge(vehicle)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.protocol == PROTOCOLS["iso2-dc"].namespace


@pytest.mark.parametrize("speech", SPEECHES)
def test_less_power_reaches_the_vehicle_in_its_loop(speech: str) -> None:
    site = site_of(speech)
    site.charge(vehicle_of(site, speech, spec=BIG))
    site.run(5.0)
    site.limit(watts=6_000.0)
    site.run(5.0)
    assert site.facts.limit_W == pytest.approx(6_000.0)
    before_Ws = site.sim.register.import_Ws
    site.run(10.0)
    assert (site.sim.register.import_Ws - before_Ws) / 10.0 <= 6_000.0 * 1.05


@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
def test_the_vehicle_is_asked_for_other_schedules(speech: str) -> None:
    site = site_of(speech)
    ev = site.charge(vehicle_of(site, speech, spec=BIG))
    site.run(5.0)
    began = site.heap.now
    site.limit(watts=8_000.0)
    site.run(40.0)
    plans = [each.profile[0].power_W for _, each in ev.vehicle.log if isinstance(each, ProfileMade)]
    assert len(plans) == 2
    assert plans[1] <= 8_000.0
    opened = [at for at, _ in site.at(OpenContactor) if at > began]
    assert opened == [], "the energy stays on"
    assert site.facts.charging_state is ChargingState.CHARGING


def test_din_is_never_asked() -> None:
    site = site_of("din")
    ev = site.charge(vehicle_of(site, "din", spec=BIG))
    site.limit(watts=8_000.0)
    site.run(60.0)
    assert sum(isinstance(each, ProfileMade) for _, each in ev.vehicle.log) <= 1
    assert "PowerDeliveryReq" not in site.said("ev")[site.said("ev").index("CurrentDemandReq") :]


@pytest.mark.req("S-11")
@pytest.mark.parametrize("speech", SPEECHES)
def test_an_authorisation_that_ends_stops_the_vehicle(speech: str) -> None:
    site = site_of(speech)
    ev = site.charge(vehicle_of(site, speech, spec=BIG))
    site.run(5.0)
    site.card()
    site.until(lambda: ev.over is not None, most_s=10.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.TERMINATED
    assert "PowerDeliveryRes" in site.said("evse")
    site.run(3.0)
    assert max(map(abs, site.sim.current_A)) == 0.0


@pytest.mark.req("F-11")
@pytest.mark.parametrize("speech", ["din", "iso2-dc"])
def test_a_vehicle_that_falls_silent(speech: str) -> None:
    """No current after a second and the ramp; the session and the energy end with the sequence timeout."""
    site = site_of(speech)
    ev = site.charge(vehicle_of(site, speech, spec=BIG))
    site.run(10.0)
    ev.mute()
    site.run(3.0)
    assert [each.current_A for _, each in site.at(SetDcOutput)][-1] == 0.0
    assert site.stage.current_A == pytest.approx(0.0, abs=2.0)
    assert site.facts.power_closed
    waited_s = site.until(lambda: not site.facts.power_closed)
    assert waited_s == pytest.approx(57.0, abs=0.5)


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_session_is_saved_and_goes_on(speech: str) -> None:
    """Whatever the vehicle speaks, the station has it in its snapshot, and out of that it goes on: other schedules leave the energy on."""
    site = site_of(speech)
    ev = site.charge(vehicle_of(site, speech, spec=BIG))
    site.run(2.0)
    assert site.heap.station is not None
    machine: Any = site.heap.station.wiring.machines["v2g:1"]
    before = machine.state
    written = json.loads(json.dumps(site.heap.station.snapshot()["v2g:1"]))
    machine.state = codec.load(type(before), written, "v2g:1")
    assert machine.state == before
    (session,) = machine.sessions.values()
    assert of(session) is not None
    began = site.heap.now
    site.run(5.0)
    site.limit(watts=8_000.0)
    site.run(40.0)
    assert site.facts.charging_state is ChargingState.CHARGING
    plans = sum(isinstance(each, ProfileMade) for _, each in ev.vehicle.log)
    assert plans == (1 if speech == "din" else 2)
    assert [at for at, _ in site.at(OpenContactor) if at > began] == []
    assert ev.sessions == 1


def test_no_contactor_opens_under_load_for_another_number_of_phases() -> None:
    """Other schedules are for the energy that was chosen."""
    site = site_of("iso2-ac")
    ev = site.charge(vehicle_of(site, "iso2-ac", spec=BIG))
    site.run(5.0)
    began = site.heap.now
    talk: Any = ev.evcc.dialect
    talk.talk.mode = "AC_single_phase_core"
    ev.vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    site.until(lambda: any("FAILED" in str(getattr(each, "ResponseCode", "")) for _, _, each in ev.messages), most_s=5.0)
    assert [code for at, _, each in ev.messages if at > began and (code := getattr(each, "ResponseCode", "OK")) != "OK"] == [
        "FAILED_WrongEnergyTransferMode"
    ]


def test_the_output_is_without_voltage_after_all() -> None:
    site = site_of("din")
    ev = site.charge(vehicle_of(site, "din", loops=20))
    site.until(lambda: ev.over is not None)
    site.run(3.0)
    assert site.at(OpenContactor)
    assert site.stage.outlet_V < 60.0
