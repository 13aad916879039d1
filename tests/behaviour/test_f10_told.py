"""What the CSMS is told when the data link to the vehicle is lost (F-10)."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.events import ChargingState, DataLinkChanged
from iso15118.terms import Control, Energy
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_flow import BELOW_A, SPEECHES, Sated, charging

LOST = "Updated EVCommunicationLost"


@pytest.mark.req("F-10")
@pytest.mark.parametrize(("mode", "energy"), [("ac", Energy.AC), ("dc", Energy.DC)])
def test_a_link_lost_while_charging_is_told_once_and_the_transaction_goes_on(mode: str, energy: Energy) -> None:
    site = HlcSite(mode)
    site.charge(site.vehicle(energy))
    site.run(2.0)
    site.heap.tell(DataLinkChanged(1, ready=False))
    site.heap.tell(DataLinkChanged(1, ready=False))
    site.run(1.5)
    story = site.story()
    assert story[-2:] == [LOST, "Updated ChargingStateChanged EVConnected"]
    assert story.count(LOST) == 1
    assert not any(each.startswith("Ended") for each in story)


@pytest.mark.req("F-10")
def test_a_link_that_goes_after_the_session_is_no_loss() -> None:
    site = HlcSite("dc")
    ev = site.charge(site.vehicle(Energy.DC, loops=5))
    site.until(lambda: ev.over is not None)
    site.run(2.0)
    site.heap.tell(DataLinkChanged(1, ready=False))
    site.run(1.0)
    assert not any("EVCommunicationLost" in each for each in site.story())


@pytest.mark.req("F-11")
@pytest.mark.parametrize(("mode", "energy"), [("ac", Energy.AC), ("dc", Energy.DC)])
@pytest.mark.parametrize("stop_point", ["EVConnected,Authorized", "EnergyTransfer"])
def test_a_vehicle_that_falls_silent_is_a_lost_one_and_not_one_that_stops(mode: str, energy: Energy, stop_point: str) -> None:
    site = HlcSite(mode, variables={"TxCtrlr.TxStopPoint": stop_point})
    ev = site.charge(site.vehicle(energy))
    site.run(2.0)
    ev.mute()
    site.run(3.0)
    story = site.story()
    assert story.count(LOST) == 1
    assert not any("StoppedByEV" in each for each in story)
    assert any(each.startswith("Ended") for each in story) is (stop_point == "EnergyTransfer")


def suspended(speech: str, control: Control, by: ChargingState) -> HlcSite:
    """In its loop, with a closed contactor."""
    at_vehicle = by is ChargingState.SUSPENDED_EV
    site = charging(speech, control, **({"kind": Sated} if at_vehicle else {}))
    ev: Any = site.ev
    ev.enough = True
    if not at_vehicle:
        site.limit(amps=BELOW_A)
    site.until(lambda: site.facts.charging_state is by)
    site.run(5.0)
    assert site.facts.power_closed
    site.heap.frames.clear()
    return site


@pytest.mark.req("F-10")
@pytest.mark.parametrize("by", [ChargingState.SUSPENDED_EV, ChargingState.SUSPENDED_EVSE])
@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_a_link_lost_while_the_vehicle_is_suspended_in_its_loop_is_told_the_same(speech: str, control: Control, by: ChargingState) -> None:
    site = suspended(speech, control, by)
    site.heap.tell(DataLinkChanged(1, ready=False))
    site.heap.tell(DataLinkChanged(1, ready=False))
    site.run(1.5)
    assert site.story() == [LOST, "Updated ChargingStateChanged EVConnected"]


@pytest.mark.req("F-11")
@pytest.mark.parametrize("by", [ChargingState.SUSPENDED_EV, ChargingState.SUSPENDED_EVSE])
@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_a_vehicle_that_falls_silent_while_it_is_suspended_in_its_loop_is_a_lost_one(
    speech: str, control: Control, by: ChargingState
) -> None:
    site = suspended(speech, control, by)
    assert site.ev is not None
    site.ev.mute()
    site.until(lambda: not site.facts.power_closed)
    site.run(1.0)
    assert next(each for each in site.story() if each != "Updated MeterValuePeriodic") == LOST
    assert site.story().count(LOST) == 1
