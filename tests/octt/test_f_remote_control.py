"""Certification cases of block F: remote start and stop, and what TriggerMessage brings."""

from __future__ import annotations

import pytest

from chargepoint.commands import UnlockCable
from chargepoint.events import BayOccupied
from tests.octt.states import charges, driver, remote_start, station, token
from tests.octt.system import CARD, STRANGER, Payload, TestSystem

EVSE = {"id": 1, "connectorId": 1}


def trigger(it: TestSystem, requested: str, **more: Payload) -> str:
    """Of its answer the status; nothing that it brings comes before that."""
    it.forget()
    status: str = it.call("TriggerMessage", {"requestedMessage": requested, **more})["status"]
    return status


@pytest.mark.req("TC_F_01", "F01.FR.03", "F01.FR.04", "F01.FR.05", "F01.FR.13", "F01.FR.17", "F01.FR.19", "F02.FR.01")
@pytest.mark.parametrize("start", ["EVConnected", "PowerPathClosed", "Authorized"])
@pytest.mark.req("F01.FR.18")
def test_tc_f_01_cable_first(start: str) -> None:
    it = station(start)
    it.plug()
    it.status("Occupied")
    begun = it.tx("Started", "CablePluggedIn", evse=EVSE, state="EVConnected") if start == "EVConnected" else None
    answer = remote_start(it, 11)
    assert answer["status"] == "Accepted"
    assert answer.get("transactionId") == (begun["transactionInfo"]["transactionId"] if begun else None)
    it.expect("Authorize", idToken=token())
    it.tx("Updated" if begun else "Started", "RemoteStart", remote=11, idToken=token())
    it.tx("Updated", "ChargingStateChanged", state="Charging", remote=None, idToken=None)
    assert it.closed()


@pytest.mark.req("F01.FR.14")
def test_what_is_measured_is_told_as_for_any_other_start() -> None:
    names = "Energy.Active.Import.Register,Voltage"
    it = station(variables={"SampledDataCtrlr.TxStartedMeasurands": names})
    it.plug()
    assert remote_start(it)["status"] == "Accepted"
    it.expect("Authorize")
    started = it.tx("Started", "RemoteStart", remote=7)
    assert {value["measurand"] for value in started["meterValue"][0]["sampledValue"]} == set(names.split(","))


@pytest.mark.req("TC_F_02", "F01.FR.01", "F01.FR.03", "F02.FR.01", "F02.FR.21")
@pytest.mark.req("F02.FR.05", "F02.FR.09", "F02.FR.11", "F02.FR.12", "F02.FR.13", "F02.FR.14")
def test_tc_f_02_remote_start_first() -> None:
    it = station("Authorized")
    driver(it, 12)
    it.tx("Started", "RemoteStart", remote=12, idToken=token(), evse=None)
    it.plug()
    it.status("Occupied")
    it.tx("Updated", "CablePluggedIn", evse=EVSE, state="EVConnected", remote=None)
    it.tx("Updated", "ChargingStateChanged", state="Charging")


@pytest.mark.req("TC_F_03", "F01.FR.02", "F02.FR.01")
@pytest.mark.req("F02.FR.10", "F02.FR.11")
def test_tc_f_03_without_asking() -> None:
    it = station("Authorized", variables={"AuthCtrlr.AuthorizeRemoteStart": "false"})
    assert remote_start(it, 13)["status"] == "Accepted"
    it.tx("Started", "RemoteStart", remote=13, idToken=token())
    it.plug()
    it.tx("Updated", "CablePluggedIn", evse=EVSE)
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    assert not it.said("Authorize")


@pytest.mark.req("F03.FR.02", "F04.FR.02", "F04.FR.03")
@pytest.mark.parametrize("socket", [True, False])
def test_where_it_ends_with_the_plug_a_stop_lets_the_plug_go(*, socket: bool) -> None:
    it = station(stop="EVConnected", socket=socket)
    _, transaction = charges(it)
    assert it.call("RequestStopTransaction", {"transactionId": transaction}) == {"status": "Accepted"}
    it.tx("Updated", "RemoteStop", transaction=transaction)
    it.wait(10.0)
    assert not it.closed()
    if socket:
        assert it.evse().lock.locked is False
    it.forget()
    it.unplug()
    it.tx("Ended", transaction=transaction, reason="Remote")


@pytest.mark.req("F02.FR.07", "F02.FR.08")
@pytest.mark.parametrize("stop", ["EVConnected", "EnergyTransfer", "ParkingBayOccupancy"])
def test_where_somebody_is_in_the_bay_and_no_cable_comes(stop: str) -> None:
    it = station("Authorized", stop, variables={"TxCtrlr.EVConnectionTimeOut": "20"})
    it.tell(BayOccupied(1, occupied=True))
    driver(it, 14)
    it.tx("Started", "RemoteStart", remote=14)
    if stop == "ParkingBayOccupancy":
        it.tx("Updated", "EVConnectTimeout", 30.0, reason=None)
        it.tell(BayOccupied(1, occupied=False))
        it.tx("Ended", "EVDeparted")
    else:
        it.tx("Ended", "EVConnectTimeout", 30.0, reason="Timeout")


@pytest.mark.req("TC_F_04", "F02.FR.07")
def test_tc_f_04_no_cable_comes() -> None:
    it = station("Authorized", "Authorized", variables={"TxCtrlr.EVConnectionTimeOut": "20"})
    driver(it, 14)
    it.tx("Started", "RemoteStart", remote=14)
    it.tx("Ended", "EVConnectTimeout", 30.0, reason="Timeout")
    it.plug()
    it.wait(10.0)
    assert not it.closed()


@pytest.mark.req("F01.FR.04")
def test_a_token_that_the_csms_then_refuses_charges_nothing() -> None:
    it = station()
    it.plug()
    request = {"idToken": token(STRANGER), "remoteStartId": 15, "evseId": 1}
    assert it.call("RequestStartTransaction", request)["status"] == "Accepted"
    it.expect("Authorize", idToken=token(STRANGER))
    it.nothing(for_s=20.0)
    assert not it.closed()


@pytest.mark.req("TC_F_08", "F03.FR.02", "F03.FR.07", "F03.FR.09")
@pytest.mark.parametrize("card", [CARD, ""], ids=["local", "remote"])
def test_tc_f_08_stop(card: str) -> None:
    it = station()
    _, transaction = charges(it, None if card else 16)
    assert it.call("RequestStopTransaction", {"transactionId": transaction}) == {"status": "Accepted"}
    it.tx("Ended", "RemoteStop", transaction=transaction, reason="Remote", idToken=None)
    it.wait(3.0)
    assert not it.closed()


@pytest.mark.req("TC_F_09", "F03.FR.08")
def test_tc_f_09_stop_of_another() -> None:
    it = station()
    charges(it)
    assert it.call("RequestStopTransaction", {"transactionId": "0f3c1f8a-2222-4444-8888-1234567890ab"})["status"] == "Rejected"
    it.nothing(for_s=10.0)
    assert it.closed()


# ---- F06


@pytest.mark.parametrize(
    ("status", "plugged"),
    [
        pytest.param("Available", False, id="23", marks=pytest.mark.req("TC_F_23", "F06.FR.02", "F06.FR.04", "F06.FR.05", "F06.FR.10")),
        pytest.param("Occupied", True, id="24", marks=pytest.mark.req("TC_F_24", "F06.FR.02", "F06.FR.04", "F06.FR.05", "F06.FR.10")),
    ],
)
@pytest.mark.req("F06.FR.09")
def test_tc_f_23_24_status(status: str, *, plugged: bool) -> None:
    it = station(evses=2)
    if plugged:
        it.plug()
        it.wait(5.0)
    it.ignores -= {"StatusNotification"}
    assert trigger(it, "StatusNotification", evse=EVSE) == "Accepted"
    it.expect("StatusNotification", evseId=1, connectorId=1, connectorStatus=status)
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_F_20", "F06.FR.02", "F06.FR.03", "F06.FR.04", "F06.FR.05", "F06.FR.10")
@pytest.mark.parametrize("evse", [None, 1, 9])
def test_tc_f_20_heartbeat_whatever_the_evse(evse: int | None) -> None:
    it = station()
    it.ignores -= {"Heartbeat"}
    more = {"evse": {"id": evse}} if evse else {}
    assert trigger(it, "Heartbeat", **more) == "Accepted"
    it.expect("Heartbeat")
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_F_26", "F06.FR.04", "F06.FR.05", "F06.FR.17")
def test_tc_f_26_boot() -> None:
    it = station()
    assert trigger(it, "BootNotification") == "Rejected"
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_F_11", "TC_F_12", "F06.FR.06", "F06.FR.10", "F06.FR.11")
@pytest.mark.parametrize("evse", [2, None])
def test_tc_f_11_12_meter_values(evse: int | None) -> None:
    names = "Energy.Active.Import.Register,Voltage"
    it = station(evses=2, variables={"AlignedDataCtrlr.Measurands": names})
    it.wait(5.0)
    it.ignores -= {"MeterValues"}
    more = {"evse": {"id": evse}} if evse else {}
    assert trigger(it, "MeterValues", **more) == "Accepted"
    for each in (evse,) if evse else (1, 2):
        told = it.expect("MeterValues", evseId=each)
        sampled = told["meterValue"][0]["sampledValue"]
        assert {value["measurand"] for value in sampled} == set(names.split(","))
        assert {value["context"] for value in sampled} == {"Trigger"}
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_F_13", "TC_F_14", "F06.FR.07", "F06.FR.10", "F06.FR.11")
@pytest.mark.parametrize("evse", [2, None])
def test_tc_f_13_14_transaction_event(evse: int | None) -> None:
    names = "Energy.Active.Import.Register,Power.Active.Import"
    it = station(evses=2, variables={"SampledDataCtrlr.TxUpdatedMeasurands": names})
    transactions = {1: it.charging(1), 2: it.charging(2, "04112233445566")}
    more = {"evse": {"id": evse}} if evse else {}
    assert trigger(it, "TransactionEvent", **more) == "Accepted"
    for each in (evse,) if evse else (1, 2):
        event = it.tx("Updated", "Trigger", transaction=transactions[each], state="Charging")
        sampled = event["meterValue"][0]["sampledValue"]
        assert {value["measurand"] for value in sampled} == set(names.split(","))
        assert {value["context"] for value in sampled} == {"Trigger"}
    it.nothing(for_s=10.0)


def unlock(it: TestSystem) -> str:
    status: str = it.call("UnlockConnector", {"evseId": 1, "connectorId": 1}, within_s=5.0)["status"]
    return status


def attempts(it: TestSystem) -> int:
    return sum(isinstance(each, UnlockCable) for each in it.heap.commands)


@pytest.mark.req("TC_F_07", "F05.FR.01", "F05.FR.04", "F05.FR.06")
def test_tc_f_07_no_cable_and_yet_an_attempt() -> None:
    it = TestSystem(socket=True).booted()
    before = attempts(it)
    assert unlock(it) == "Unlocked"
    assert attempts(it) == before + 1
    it.nothing(for_s=5.0)


@pytest.mark.req("TC_F_06", "F05.FR.01", "F05.FR.04")
def test_tc_f_06_a_plug_that_no_transaction_holds() -> None:
    it = TestSystem(socket=True).booted()
    it.plug()
    it.wait(3.0)
    before = attempts(it)
    assert unlock(it) == "Unlocked"
    assert attempts(it) == before + 1


@pytest.mark.req("F05.FR.01", "F05.FR.05")
def test_a_plug_that_does_not_come_free() -> None:
    it = TestSystem(socket=True).booted()
    it.charging()
    it.evse().lock.stuck = True
    it.swipe()
    it.wait(30.0)
    assert it.evse().lock.locked is True
    before = attempts(it)
    assert unlock(it) == "UnlockFailed"
    assert attempts(it) > before
    it.evse().lock.stuck = False
    assert unlock(it) == "Unlocked"
    assert it.evse().lock.locked is False
