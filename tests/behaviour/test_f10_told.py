"""What the CSMS is told when the data link to the vehicle is lost (F-10)."""

from __future__ import annotations

import pytest

from chargepoint.events import DataLinkChanged
from iso15118.terms import Energy
from tests.behaviour.hlc_rig import HlcSite

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
