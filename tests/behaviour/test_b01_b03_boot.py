"""OCPP 2.1 B01 to B03: cold boot accepted, pending, rejected. The order of messages is the one that OCTT's cases look for."""

import pytest

from chargepoint.events import CablePluggedIn, FaultRaised, SecurityEvent
from chargepoint.faults import RESIDUAL_CURRENT
from tests.unit.ocpp.block_rig import NOW, BlockRig
from tests.unit.ocpp.test_block_reports import BLOCKS


def answer(station: BlockRig, status: str, interval: int = 10) -> None:
    station.answer("BootNotification", {"status": status, "interval": interval, "currentTime": NOW})


def something_happens(station: BlockRig) -> None:
    """All that would make a registered station speak unasked."""
    facts = station.context.evses[1]
    facts.plugged = True
    facts.faults[RESIDUAL_CURRENT] = ""
    station.hear(CablePluggedIn(1), FaultRaised(1, RESIDUAL_CURRENT), SecurityEvent("TamperDetectionActivated", "lid"))


@pytest.mark.req("B01.FR.08", "TC_B_01")
def test_nothing_but_boot_before_the_answer_and_everything_after() -> None:
    station = BlockRig(BLOCKS)
    station.power_up()
    something_happens(station)
    station.link_up()
    something_happens(station)
    assert station.actions() == ["BootNotification"]
    answer(station, "Accepted")
    assert set(station.actions()) == {"StatusNotification", "NotifyEvent", "SecurityEventNotification"}
    assert [c.payload["connectorStatus"] for c in station.calls if c.action == "StatusNotification"] == ["Faulted", "Available"]


@pytest.mark.req("B02.FR.01", "B02.FR.02", "B02.FR.04", "B02.FR.06", "TC_B_02")
def test_pending_answers_and_reports_what_is_asked_and_says_nothing_else() -> None:
    station = BlockRig(BLOCKS)
    station.boot("Pending", 10)
    something_happens(station)
    assert station.calls == []
    item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
    assert (
        station.ask("SetVariables", {"setVariableData": [{**item, "attributeValue": "1800"}]})["setVariableResult"][0]["attributeStatus"]
        == "Accepted"
    )
    assert station.ask("GetVariables", {"getVariableData": [item]})["getVariableResult"][0]["attributeValue"] == "1800"
    assert station.ask("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"}) == {"status": "Accepted"}
    assert station.actions() == ["NotifyReport"]
    station.answer("NotifyReport", {})
    station.advance(9.9)
    assert station.calls == []
    station.advance(0.2)
    assert station.actions() == ["BootNotification"]
    answer(station, "Accepted")
    assert "StatusNotification" in station.actions()


@pytest.mark.req("B03.FR.02", "B03.FR.06", "TC_B_03")
def test_rejected_is_silent_until_the_interval() -> None:
    station = BlockRig(BLOCKS)
    station.boot("Rejected", 10)
    something_happens(station)
    station.advance(9.9)
    assert station.calls == []
    station.advance(0.2)
    assert station.actions() == ["BootNotification"]


@pytest.mark.req("F-17")
def test_twenty_starts_in_a_minute_lose_nothing() -> None:
    station = BlockRig(BLOCKS)
    station.boot()
    station.ask("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}})
    for _ in range(20):
        station = station.restart()
        station.power_up()
        station.advance(3)
    station.link_up()
    answer(station, "Accepted")
    assert [c.payload["connectorStatus"] for c in station.calls if c.action == "StatusNotification"] == ["Available", "Unavailable"]
