"""Certification cases of block G: availability of connectors, EVSEs and the station."""

from __future__ import annotations

from typing import Any

import pytest

from hal.sim.lock import PlugLock
from tests.octt.states import station
from tests.octt.system import TestSystem

EVSE, CONNECTOR = {"evse": {"id": 1}}, {"evse": {"id": 1, "connectorId": 1}}
STATION: dict[str, Any] = {}


def order(it: TestSystem, where: dict[str, Any], status: str) -> str:
    said: str = it.call("ChangeAvailability", {"operationalStatus": status, **where})["status"]
    return said


def heard(it: TestSystem, expected: dict[int, str]) -> None:
    """The connectors whose state is told now, in any order, once each; and no other one."""
    it.wait(5.0)
    came = [(said["evseId"], said["connectorId"], said["connectorStatus"]) for said in it.said("StatusNotification")]
    assert sorted(came) == sorted((evse_id, 1, status) for evse_id, status in expected.items())


def quiet(evses: int = 2, where: dict[str, Any] | None = None, **more: Any) -> TestSystem:
    """Booted; what lies at `where` is unavailable; what has been said is forgotten."""
    it = TestSystem(evses=evses, **more).booted()
    if where is not None:
        assert order(it, where, "Inoperative") == "Accepted"
        it.wait(5.0)
    it.all.clear()
    it.forget()
    return it


@pytest.mark.req("TC_G_01", "G01.FR.01")
@pytest.mark.req("G01.FR.03")
def test_tc_g_01_available_to_occupied() -> None:
    it = TestSystem().booted()
    it.plug(ready=False)
    it.status("Occupied")


@pytest.mark.req("TC_G_02", "G01.FR.01")
@pytest.mark.req("G01.FR.04")
def test_tc_g_02_occupied_to_available() -> None:
    it = TestSystem().booted()
    it.plug(ready=False)
    it.status("Occupied")
    it.ignores.add("TransactionEvent")
    it.unplug()
    it.status("Available")


@pytest.mark.parametrize(
    ("where", "down"),
    [
        pytest.param(EVSE, {1}, marks=pytest.mark.req("TC_G_03", "G03.FR.01", "G03.FR.02", "G03.FR.04", "G03.FR.06"), id="evse"),
        pytest.param(CONNECTOR, {1}, marks=pytest.mark.req("TC_G_07", "G03.FR.01", "G03.FR.02", "G03.FR.04", "G03.FR.06"), id="connector"),
        pytest.param(
            STATION, {1, 2}, marks=pytest.mark.req("TC_G_05", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.05", "G04.FR.07"), id="station"
        ),
    ],
)
@pytest.mark.req("G01.FR.07")
def test_tc_g_03_05_07_operative_to_inoperative(where: dict[str, Any], down: set[int]) -> None:
    it = quiet()
    assert order(it, where, "Inoperative") == "Accepted"
    heard(it, dict.fromkeys(down, "Unavailable"))
    it.plug(1)
    it.swipe(evse_id=1)
    it.nothing()
    assert not it.closed(1)


@pytest.mark.parametrize(
    ("where", "down"),
    [
        pytest.param(EVSE, {1}, marks=pytest.mark.req("TC_G_04", "G03.FR.01", "G03.FR.02", "G03.FR.04", "G03.FR.07"), id="evse"),
        pytest.param(CONNECTOR, {1}, marks=pytest.mark.req("TC_G_08", "G03.FR.01", "G03.FR.02", "G03.FR.04", "G03.FR.07"), id="connector"),
        pytest.param(
            STATION, {1, 2}, marks=pytest.mark.req("TC_G_06", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.05", "G04.FR.08"), id="station"
        ),
    ],
)
@pytest.mark.req("G01.FR.07")
def test_tc_g_04_06_08_inoperative_to_operative(where: dict[str, Any], down: set[int]) -> None:
    it = quiet(where=where)
    assert order(it, where, "Operative") == "Accepted"
    heard(it, dict.fromkeys(down, "Available"))
    it.charging(1)
    assert it.closed(1)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(EVSE, marks=pytest.mark.req("TC_G_09", "G03.FR.01", "G03.FR.02", "G03.FR.03", "G03.FR.04"), id="evse"),
        pytest.param(
            STATION, marks=pytest.mark.req("TC_G_12", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.04", "G04.FR.05"), id="station"
        ),
        pytest.param(CONNECTOR, marks=pytest.mark.req("TC_G_15", "G03.FR.01", "G03.FR.02", "G03.FR.03", "G03.FR.04"), id="connector"),
    ],
)
def test_tc_g_09_12_15_operative_to_operative(where: dict[str, Any]) -> None:
    it = quiet()
    assert order(it, where, "Operative") == "Accepted"
    heard(it, {})
    it.charging(1)
    assert it.closed(1)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(EVSE, marks=pytest.mark.req("TC_G_10", "G03.FR.01", "G03.FR.02", "G03.FR.03", "G03.FR.04"), id="evse"),
        pytest.param(
            STATION, marks=pytest.mark.req("TC_G_13", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.04", "G04.FR.05"), id="station"
        ),
        pytest.param(CONNECTOR, marks=pytest.mark.req("TC_G_16", "G03.FR.01", "G03.FR.02", "G03.FR.03", "G03.FR.04"), id="connector"),
    ],
)
def test_tc_g_10_13_16_inoperative_to_inoperative(where: dict[str, Any]) -> None:
    it = quiet(where=where)
    assert order(it, where, "Inoperative") == "Accepted"
    it.wait(5.0)
    assert "Available" not in [said["connectorStatus"] for said in it.said("StatusNotification")]
    it.plug(1)
    it.swipe()
    it.nothing()
    assert not it.closed(1)


@pytest.mark.parametrize(
    ("where", "at_once"),
    [
        pytest.param(EVSE, {}, marks=pytest.mark.req("TC_G_11", "G03.FR.01", "G03.FR.02", "G03.FR.04", "G03.FR.05"), id="evse"),
        pytest.param(
            STATION,
            {2: "Unavailable"},
            marks=pytest.mark.req("TC_G_14", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.05", "G04.FR.06"),
            id="station",
        ),
        pytest.param(CONNECTOR, {}, marks=pytest.mark.req("TC_G_17", "G03.FR.01", "G03.FR.02", "G03.FR.04", "G03.FR.05"), id="connector"),
    ],
)
@pytest.mark.parametrize("stop", ["Authorized", "EVConnected"])
@pytest.mark.req("G01.FR.05")
def test_tc_g_11_14_17_with_a_transaction_that_goes_on(where: dict[str, Any], at_once: dict[int, str], stop: str) -> None:
    it = quiet(variables={"TxCtrlr.TxStopPoint": stop})
    it.charging(1)
    it.all.clear()
    assert order(it, where, "Inoperative") == "Scheduled"
    heard(it, at_once)
    assert it.closed(1)
    it.all.clear()
    it.swipe()
    it.among("TransactionEvent", triggerReason="StopAuthorized")
    heard(it, {1: "Unavailable"} if stop == "Authorized" else {})
    it.unplug(1)
    heard(it, {1: "Unavailable"})
    ended = [event for event in it.said("TransactionEvent") if event["eventType"] == "Ended"]
    assert len(ended) == 1


@pytest.mark.req("G01.FR.02", "B01.FR.07")
@pytest.mark.parametrize(
    ("where", "down"),
    [
        pytest.param(EVSE, {1}, marks=pytest.mark.req("TC_G_18", "G03.FR.08", "G01.FR.01"), id="evse"),
        pytest.param(CONNECTOR, {1}, marks=pytest.mark.req("TC_G_19", "G03.FR.08"), id="connector"),
        pytest.param(STATION, {1, 2}, marks=pytest.mark.req("TC_G_21", "G04.FR.09"), id="station"),
    ],
)
@pytest.mark.parametrize("by", ["Reset", "loss of power"])
def test_tc_g_18_19_21_it_outlives_a_restart(where: dict[str, Any], down: set[int], by: str) -> None:
    it = quiet(where=where)
    if by == "Reset":
        assert it.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    else:
        it.power_loss()
    it.expect("BootNotification")
    del it.all[: [said.action for said in it.all].index("BootNotification")]
    heard(it, {evse_id: "Unavailable" if evse_id in down else "Available" for evse_id in (1, 2)})
    events = [said["type"] for said in it.said("SecurityEventNotification")]
    assert set(events) & {"StartupOfTheDevice", "ResetOrReboot"}


@pytest.mark.req("TC_G_20", "G05.FR.01", "G05.FR.02")
@pytest.mark.parametrize("start", ["PowerPathClosed", "Authorized", "EVConnected"])
def test_tc_g_20_a_plug_that_cannot_be_locked_gets_no_power(start: str) -> None:
    it = station(start, socket=True)
    lock: PlugLock = it.evse().lock
    lock.stuck = True
    it.plug()
    it.swipe()
    it.ignores |= {"Authorize", "TransactionEvent"}
    it.ignores -= {"NotifyEvent"}
    data = it.expect("NotifyEvent")["eventData"]
    named = [each for each in data if each["component"]["name"] == "ConnectorPlugRetentionLock"]
    assert [(each["variable"]["name"], each["actualValue"], each["trigger"]) for each in named] == [("Problem", "true", "Delta")]
    assert named[0]["component"]["evse"] == {"id": 1, "connectorId": 1}
    it.wait(60.0)
    assert not it.closed()
    assert "Charging" not in [event["transactionInfo"].get("chargingState") for event in it.said("TransactionEvent")]


@pytest.mark.req("G01")
def test_a_plug_that_is_released_after_its_transaction_leaves_the_connector_free() -> None:
    """Pulled at the vehicle in the middle: the lock lets the plug go when the transaction has ended, and nobody has asked for it."""
    it = TestSystem(socket=True).booted()
    it.plug()
    it.swipe()
    it.wait(5.0)
    it.forget()
    it.evse().unplug_vehicle()
    it.tx("Ended", "EVCommunicationLost")
    it.status("Available")
    it.wait(5.0)
    assert not it.evse().lock.locked
