"""Certification cases of E06 to E10: when a transaction ends, and what becomes of it when the cable is pulled at the vehicle."""

from __future__ import annotations

import pytest

from chargepoint.events import BayOccupied
from tests.octt.states import charges, station, suspended, token
from tests.octt.system import CARD, OTHER_CARD, TestSystem

PULLED = {"TxCtrlr.StopTxOnEVSideDisconnect": "false"}
UNLOCKS = {"OCPPCommCtrlr.UnlockOnEVSideDisconnect": "true"}
LOCKED = {"OCPPCommCtrlr.UnlockOnEVSideDisconnect": "false"}


def pulled(it: TestSystem) -> None:
    """At the vehicle."""
    it.evse().unplug_vehicle()
    it.wait(0.5)


def stops(it: TestSystem, transaction: str, remote: int | None) -> tuple[str, str]:
    """StopAuthorized; trigger and reason of what comes."""
    if remote is None:
        it.swipe()
        return "StopAuthorized", "Local"
    assert it.call("RequestStopTransaction", {"transactionId": transaction}) == {"status": "Accepted"}
    return "RemoteStop", "Remote"


@pytest.mark.parametrize(
    ("stop", "remote"),
    [
        pytest.param("Authorized", None, id="15", marks=pytest.mark.req("TC_E_15", "E06.FR.03", "E06.FR.15", "E07.FR.02")),
        pytest.param("Authorized", 7, id="21", marks=pytest.mark.req("TC_E_21", "E06.FR.03", "E06.FR.15", "F03.FR.09")),
        pytest.param("PowerPathClosed", None, id="07", marks=pytest.mark.req("TC_E_07", "E06.FR.06", "E06.FR.15")),
        pytest.param("PowerPathClosed", 7, id="35", marks=pytest.mark.req("TC_E_35", "E06.FR.06", "E06.FR.15")),
    ],
)
def test_tc_e_07_15_21_35_the_driver_stops_and_so_does_the_transaction(stop: str, remote: int | None) -> None:
    it = station(stop=stop)
    _, transaction = charges(it, remote)
    trigger, reason = stops(it, transaction, remote)
    it.tx("Ended", trigger, transaction=transaction, reason=reason, idToken=token() if remote is None else None)
    it.wait(3.0)
    assert not it.closed()
    it.nothing()


@pytest.mark.req("TC_E_06", "E06.FR.15", "C01.FR.03")
@pytest.mark.parametrize("socket", [False, True], ids=["cable", "socket"])
@pytest.mark.req("E06.FR.10", "E07.FR.01", "E07.FR.05", "E07.FR.07")
def test_tc_e_06_local_stop(*, socket: bool) -> None:
    it = station(stop="Authorized", socket=socket)
    _, transaction = charges(it)
    assert it.evse().lock.locked is True if socket else True
    it.swipe()
    it.tx("Ended", "StopAuthorized", transaction=transaction, reason="Local", idToken=token())
    it.wait(5.0)
    assert not it.closed()
    if socket:
        assert it.evse().lock.locked is False
    it.unplug()
    it.status("Available")
    it.nothing("TransactionEvent", "Authorize")


@pytest.mark.parametrize(
    "remote",
    [pytest.param(None, marks=pytest.mark.req("TC_E_08", "E06.FR.07", "E06.FR.15")), pytest.param(7, marks=pytest.mark.req("TC_E_08"))],
)
def test_tc_e_08_no_energy_no_transaction(remote: int | None) -> None:
    it = station(stop="EnergyTransfer")
    _, transaction = charges(it, remote)
    trigger, reason = stops(it, transaction, remote)
    it.tx("Updated", trigger, transaction=transaction, reason=None)
    it.tx("Ended", "ChargingStateChanged", transaction=transaction, state="EVConnected", reason=reason)
    it.nothing()


@pytest.mark.req("TC_E_22", "E06.FR.07", "E06.FR.15")
def test_tc_e_22_the_vehicle_has_enough() -> None:
    it = station(stop="EnergyTransfer")
    ev, transaction = charges(it)
    ev.pause()
    it.tx("Ended", "ChargingStateChanged", transaction=transaction, state="SuspendedEV", reason="StoppedByEV")
    it.nothing()


@pytest.mark.req("TC_E_14", "E06.FR.02", "E06.FR.15")
@pytest.mark.parametrize("remote", [None, 7], ids=["local", "remote"])
def test_tc_e_14_the_plug_is_pulled_after_the_session(remote: int | None) -> None:
    it = station(stop="EVConnected")
    _, transaction = charges(it, remote)
    trigger, reason = stops(it, transaction, remote)
    it.tx("Updated", trigger, reason=None)
    it.tx("Updated", "ChargingStateChanged", state="EVConnected")
    it.unplug()
    it.status("Available")
    it.tx("Ended", "EVCommunicationLost", transaction=transaction, state="Idle", reason=reason)
    it.nothing()


@pytest.mark.parametrize(
    ("stop", "variables"),
    [
        pytest.param("EVConnected", PULLED, id="20", marks=pytest.mark.req("TC_E_20", "E06.FR.02", "E06.FR.15")),
        pytest.param("PowerPathClosed", PULLED, id="37", marks=pytest.mark.req("TC_E_37", "E06.FR.06", "E06.FR.15")),
        pytest.param("Authorized", LOCKED, id="17", marks=pytest.mark.req("TC_E_17", "E06.FR.15")),
        pytest.param("PowerPathClosed", LOCKED, id="17-power", marks=pytest.mark.req("TC_E_17", "E06.FR.06")),
    ],
)
@pytest.mark.req("E06.FR.08", "E07.FR.06")
def test_tc_e_17_20_37_the_cable_is_pulled_at_the_vehicle(stop: str, variables: dict[str, str]) -> None:
    it = station(stop=stop, variables=variables)
    _, transaction = suspended(it)
    pulled(it)
    it.tx("Ended", "EVCommunicationLost", transaction=transaction, state="Idle", reason="EVDisconnected")
    it.nothing("TransactionEvent", for_s=200.0)
    assert it.said("StatusNotification")[-1]["connectorStatus"] == "Available"


@pytest.mark.req("TC_E_19", "E06.FR.01", "E06.FR.15")
@pytest.mark.parametrize("remote", [None, 7], ids=["local", "remote"])
def test_tc_e_19_the_vehicle_leaves_the_bay(remote: int | None) -> None:
    it = station("ParkingBayOccupancy", "ParkingBayOccupancy")
    it.tell(BayOccupied(1, occupied=True))
    _, transaction = charges(it, remote)
    _, reason = stops(it, transaction, remote)
    it.wait(5.0)
    it.unplug()
    it.wait(5.0)
    assert "Ended" not in [event["eventType"] for event in it.said("TransactionEvent")]
    it.forget()
    it.tell(BayOccupied(1, occupied=False))
    it.tx("Ended", "EVDeparted", transaction=transaction, reason=reason)


# ---- E09, E10: the cable is pulled at the vehicle, and the station has a socket


@pytest.mark.req("TC_E_24", "E09.FR.01", "E09.FR.02", "E09.FR.04")
def test_tc_e_24_the_socket_is_unlocked() -> None:
    it = station(stop="Authorized", socket=True, variables=UNLOCKS)
    _, transaction = suspended(it)
    pulled(it)
    it.tx("Ended", "EVCommunicationLost", transaction=transaction, state="Idle", reason="EVDisconnected")
    it.wait(5.0)
    assert it.evse().lock.locked is False
    it.evse().unplug_socket()
    it.wait(5.0)
    assert it.said("StatusNotification")[-1]["connectorStatus"] == "Available"
    it.nothing("TransactionEvent")


@pytest.mark.req("TC_E_25", "E09.FR.01", "E09.FR.03", "E09.FR.04")
@pytest.mark.parametrize("socket", [False, True], ids=["cable", "socket"])
def test_tc_e_25_the_socket_keeps_the_plug_until_its_owner_comes(*, socket: bool) -> None:
    it = station(stop="Authorized", socket=socket, variables=LOCKED)
    _, transaction = suspended(it)
    pulled(it)
    it.tx("Ended", "EVCommunicationLost", transaction=transaction, state="Idle", reason="EVDisconnected")
    if socket:
        it.wait(30.0)
        assert it.evse().lock.locked is True
        assert it.said("StatusNotification")[-1]["connectorStatus"] == "Occupied"
        it.swipe(OTHER_CARD)
        it.wait(30.0)
        assert it.evse().lock.locked is True
        it.swipe(CARD)
        it.wait(5.0)
        assert it.evse().lock.locked is False
        it.evse().unplug_socket()
        it.wait(5.0)
    assert it.said("StatusNotification")[-1]["connectorStatus"] == "Available"
    it.nothing("TransactionEvent", "Authorize")


@pytest.mark.req("TC_E_26", "E10.FR.01", "E10.FR.03")
@pytest.mark.parametrize("socket", [False, True], ids=["cable", "socket"])
def test_tc_e_26_the_cable_comes_back(*, socket: bool) -> None:
    it = station(stop="Authorized", socket=socket, variables=PULLED | LOCKED)
    ev, transaction = suspended(it)
    pulled(it)
    it.tx("Updated", "EVCommunicationLost", transaction=transaction, state="Idle", reason=None)
    it.wait(20.0)
    assert not it.closed()
    if socket:
        assert it.evse().lock.locked is True
    else:
        assert it.said("StatusNotification")[-1]["connectorStatus"] == "Available"
    ev.resume()
    it.evse().plug(ev)
    it.tx("Updated", "CablePluggedIn", transaction=transaction, state="EVConnected")
    it.tx("Updated", "ChargingStateChanged", transaction=transaction, state="Charging")
    assert it.closed()
    it.swipe()
    it.tx("Ended", "StopAuthorized", transaction=transaction, reason="Local")


@pytest.mark.req("TC_E_27", "E10.FR.02", "E10.FR.03")
@pytest.mark.parametrize("stop", ["Authorized", "ParkingBayOccupancy"])
def test_tc_e_27_the_cable_does_not_come_back(stop: str) -> None:
    it = station("ParkingBayOccupancy,PowerPathClosed", stop, variables=PULLED | LOCKED | {"TxCtrlr.EVConnectionTimeOut": "60"})
    it.tell(BayOccupied(1, occupied=True))
    _, transaction = suspended(it)
    pulled(it)
    at = it.heap.now
    it.tx("Updated", "EVCommunicationLost", transaction=transaction, state="Idle", reason=None)
    if stop == "Authorized":
        it.tx("Ended", "EVConnectTimeout", 120.0, transaction=transaction, reason="Timeout")
    else:
        it.tx("Updated", "EVConnectTimeout", 120.0, transaction=transaction, reason=None)
    assert 58.0 <= it.heap.now - at <= 62.0
    it.nothing("TransactionEvent")


@pytest.mark.req("TC_E_16", "E06.FR.04", "E06.FR.15", "C15.FR.04")
@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed"])
def test_tc_e_16_the_csms_does_not_know_the_token(stop: str) -> None:
    it = station(stop=stop, variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true", "TxCtrlr.StopTxOnInvalidId": "true"})
    it.offline()
    it.plug()
    it.swipe("04DEADBEEF0001")
    it.wait(20.0)
    assert it.closed()
    it.online()
    it.among("TransactionEvent", 120.0, eventType="Started", offline=True, idToken=token("04DEADBEEF0001"))
    it.among("TransactionEvent", eventType="Ended", triggerReason="Deauthorized", transactionInfo={"stoppedReason": "DeAuthorized"})
    it.wait(3.0)
    assert not it.closed()


def test_the_csms_may_release_what_is_held_and_a_stop_does() -> None:
    it = station(stop="Authorized", socket=True, variables=LOCKED)
    suspended(it)
    pulled(it)
    it.wait(10.0)
    assert it.call("UnlockConnector", {"evseId": 1, "connectorId": 1})["status"] == "Unlocked"
    assert it.said("StatusNotification")[-1]["connectorStatus"] == "Available"

    it = station(stop="Authorized", socket=True, variables=LOCKED | PULLED)
    suspended(it)
    pulled(it)
    it.wait(10.0)
    it.forget()
    it.swipe()
    it.tx("Ended", "StopAuthorized", reason="Local")
    it.wait(5.0)
    assert it.evse().lock.locked is False
    assert it.said("StatusNotification")[-1]["connectorStatus"] == "Available"


def test_nobody_else_charges_where_a_plug_is_held() -> None:
    it = station(stop="Authorized", socket=True, variables=LOCKED)
    suspended(it)
    pulled(it)
    it.wait(10.0)
    answer = it.call("RequestStartTransaction", {"idToken": token(OTHER_CARD), "remoteStartId": 1, "evseId": 1})
    assert answer["status"] == "Rejected"


def test_a_station_of_fixed_cables_says_so() -> None:
    it = station()
    assert it.get("OCPPCommCtrlr.UnlockOnEVSideDisconnect") == "false"
    assert it.set("OCPPCommCtrlr.UnlockOnEVSideDisconnect", "true") == "Rejected"
    it = station(socket=True)
    assert it.get("OCPPCommCtrlr.UnlockOnEVSideDisconnect") == "true"
    assert it.set("OCPPCommCtrlr.UnlockOnEVSideDisconnect", "false") == "Accepted"
