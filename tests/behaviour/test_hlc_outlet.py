"""The station's own look at the DC outlet after opening (IEC 61851-23): whose voltage it is, when it is judged, and what it keeps away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.v2g.model import COMPACT
from chargepoint.events import ChargingState, FaultAcknowledged, StopRequested
from chargepoint.evse_outlet import OUTLET_FALLS_S, VEHICLE_OPENS_S
from chargepoint.faults import CONTACTOR_WELDED, EV_CONTACTOR, OUTLET_LIVE
from hal.types import BoardSilence, DcSample
from iso15118.terms import Control, Energy
from tests.behaviour.hlc_rig import HlcSite

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
