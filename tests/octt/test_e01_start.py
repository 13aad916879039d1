"""Certification cases of E01, E02 and E03: when a transaction starts, and what it tells."""

from __future__ import annotations

import pytest

from chargepoint.events import BayOccupied
from tests.octt.states import driver, station, token
from tests.octt.system import OTHER_CARD, TestSystem

EVSE = {"id": 1, "connectorId": 1}
BY = pytest.mark.parametrize("remote", [None, 7], ids=["local", "remote"])


def begins_at_0(it: TestSystem) -> None:
    """Of each transaction the first event is Started, numbers follow, and its EVSE is told once."""
    by_id: dict[str, list[dict[str, object]]] = {}
    for event in it.said("TransactionEvent"):
        by_id.setdefault(event["transactionInfo"]["transactionId"], []).append(event)
    for events in by_id.values():
        assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert [event["eventType"] for event in events].count("Started") == 1
        assert events[0]["eventType"] == "Started"
        assert sum("evse" in event for event in events) <= 1


@pytest.mark.req("TC_E_01", "E01.FR.05", "E01.FR.07", "E01.FR.10", "E01.FR.15", "E01.FR.16")
@BY
@pytest.mark.req("E01.FR.18")
def test_tc_e_01_power_path_closed(remote: int | None) -> None:
    it = station("PowerPathClosed")
    driver(it, remote)
    it.nothing("TransactionEvent", for_s=5.0)
    it.plug()
    it.status("Occupied")
    trigger = "CablePluggedIn" if remote is None else "RemoteStart"
    it.tx("Started", trigger, evse=EVSE, idToken=token(), state="EVConnected", remote=remote)
    it.tx("Updated", "ChargingStateChanged", evse=None, idToken=None, state="Charging", remote=None)
    begins_at_0(it)


@pytest.mark.req("TC_E_02", "E01.FR.06", "E01.FR.07", "E01.FR.10", "E01.FR.15", "E01.FR.16")
@BY
def test_tc_e_02_energy_transfer(remote: int | None) -> None:
    it = station("EnergyTransfer")
    driver(it, remote)
    it.plug()
    it.status("Occupied")
    trigger = "ChargingStateChanged" if remote is None else "RemoteStart"
    it.tx("Started", trigger, evse=EVSE, idToken=token(), state="Charging", remote=remote)
    it.nothing(for_s=10.0)
    begins_at_0(it)


@pytest.mark.req("TC_E_09", "E01.FR.02", "E01.FR.07", "E01.FR.10", "E01.FR.15", "E01.FR.16")
@pytest.mark.req("C01.FR.04", "C06.FR.03")
def test_tc_e_09_ev_connected() -> None:
    it = station("EVConnected")
    it.plug()
    it.status("Occupied")
    it.tx("Started", "CablePluggedIn", evse=EVSE, idToken=None, state="EVConnected")
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_E_10", "E01.FR.03", "E01.FR.07", "E01.FR.10", "E01.FR.15", "E01.FR.16", "C01.FR.02")
def test_tc_e_10_authorized_at_the_station() -> None:
    it = station("Authorized")
    driver(it)
    it.tx("Started", "Authorized", evse=None, idToken=token())
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_E_13", "E01.FR.03", "F01.FR.03", "F01.FR.04", "F01.FR.06", "F01.FR.19", "F02.FR.01")
def test_tc_e_13_authorized_by_the_csms() -> None:
    it = station("Authorized")
    driver(it, 7)
    it.tx("Started", "RemoteStart", idToken=token(), remote=7)
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_E_12", "E01.FR.01", "E01.FR.07", "E01.FR.10", "E01.FR.15")
def test_tc_e_12_parking_bay() -> None:
    it = station("ParkingBayOccupancy", "ParkingBayOccupancy")
    it.tell(BayOccupied(1, occupied=True))
    it.tx("Started", "EVDetected", idToken=None)


@pytest.mark.req("TC_E_03", "E02.FR.01", "E02.FR.05", "E02.FR.06", "E02.FR.07", "E02.FR.13", "E02.FR.15", "E02.FR.16", "E02.FR.17")
@pytest.mark.req("TC_E_03", "E01.FR.16", "C01.FR.02")
@pytest.mark.req("E02.FR.20", "E01.FR.18")
def test_tc_e_03_cable_first() -> None:
    it = station("EVConnected")
    it.plug()
    it.status("Occupied")
    it.tx("Started", "CablePluggedIn", evse=EVSE, state="EVConnected")
    driver(it)
    it.tx("Updated", "Authorized", idToken=token(), evse=None)
    it.tx("Updated", "ChargingStateChanged", state="Charging", idToken=None)
    assert it.closed()
    begins_at_0(it)


@pytest.mark.req("TC_E_04", "E03.FR.01", "E03.FR.06", "E03.FR.12", "E01.FR.16", "C01.FR.02")
def test_tc_e_04_card_first() -> None:
    it = station("Authorized")
    driver(it)
    it.tx("Started", "Authorized", idToken=token(), evse=None)
    it.plug()
    it.status("Occupied")
    it.tx("Updated", "CablePluggedIn", evse=EVSE, state="EVConnected", idToken=None)
    it.tx("Updated", "ChargingStateChanged", state="Charging", evse=None)
    assert it.closed()
    begins_at_0(it)


@pytest.mark.req("TC_E_05", "E03.FR.01", "E03.FR.05", "E03.FR.06", "E03.FR.12", "E03.FR.15", "C01.FR.02")
@pytest.mark.parametrize("stop", ["Authorized", "EVConnected", "ParkingBayOccupancy"])
def test_tc_e_05_card_first_and_no_cable(stop: str) -> None:
    variables = {"TxCtrlr.EVConnectionTimeOut": "30", "AuthCacheCtrlr.Enabled": "false", "AuthCtrlr.LocalPreAuthorize": "false"}
    it = station("ParkingBayOccupancy,Authorized", stop, variables=variables)
    it.tell(BayOccupied(1, occupied=True))
    it.tx("Started", "EVDetected")
    driver(it)
    it.tx("Updated", "Authorized", idToken=token())
    at = it.heap.now
    goes_on = stop == "ParkingBayOccupancy"
    if goes_on:
        it.tx("Updated", "EVConnectTimeout", reason=None)
    else:
        it.tx("Ended", "EVConnectTimeout", reason="Timeout")
    assert 29.0 <= it.heap.now - at <= 31.0
    driver(it)
    it.tx("Updated" if goes_on else "Started", "Authorized", idToken=token())
    it.plug()
    it.tx("Updated", "CablePluggedIn", evse=EVSE, state="EVConnected")
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    begins_at_0(it)


@pytest.mark.req("TC_E_39", "E06.FR.15", "E03.FR.05", "C01.FR.26")
def test_tc_e_39_the_end_of_the_wait_for_a_cable_ends_it() -> None:
    it = station("Authorized", "Authorized", variables={"TxCtrlr.EVConnectionTimeOut": "30"})
    driver(it)
    it.tx("Started", "Authorized")
    it.tx("Ended", "EVConnectTimeout", reason="Timeout")
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_E_38")
@pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed", "EVConnected"])
@pytest.mark.req("E01.FR.19")
def test_tc_e_38_the_vehicle_is_not_ready(start: str) -> None:
    it = station(start)
    driver(it)
    if start == "Authorized":
        it.tx("Started", "Authorized")
    it.plug(ready=False)
    it.status("Occupied")
    it.tx("Updated" if start == "Authorized" else "Started", evse=EVSE, state="EVConnected")
    it.tx("Updated", "ChargingStateChanged", state="SuspendedEV")
    assert not it.closed()
    it.nothing(for_s=10.0)


@pytest.mark.req("TC_E_52")
def test_tc_e_52_nobody_is_asked() -> None:
    it = station("Authorized", variables={"AuthCtrlr.DisableRemoteAuthorization": "true"})
    it.swipe(OTHER_CARD)
    it.nothing(for_s=10.0)
    it.plug()
    it.nothing(for_s=10.0)
    assert not it.closed()
