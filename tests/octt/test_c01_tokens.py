"""Certification cases of C01, C02, C04, C05 and C06: a driver shows who he is, and the CSMS says what it thinks of that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargepoint.commands import Command
from chargepoint.runtime.log import Teller
from chargepoint.runtime.monitor.asked import Memory, status
from chargepoint.tick import Tick
from tests.octt.states import driver, listed, station, token
from tests.octt.system import CARD, OTHER_CARD, STRANGER, TestSystem


def connected(start: str = "PowerPathClosed", **more: Any) -> TestSystem:
    """EVConnectedPreSession."""
    it = station(start, **more)
    it.plug()
    it.status("Occupied")
    if start == "EVConnected":
        it.tx("Started", "CablePluggedIn", idToken=None)
    return it


def refused(it: TestSystem, status: str, kind: str = "ISO14443") -> None:
    it.tokens[STRANGER] = status
    it.swipe(STRANGER, kind=kind)
    it.expect("Authorize", idToken={"idToken": STRANGER, "type": kind}, within_s=2.0)
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_02", "C01.FR.01", "C01.FR.02")
@pytest.mark.parametrize(
    ("kind", "start"),
    [("ISO14443", "Authorized"), ("ISO14443", "EVConnected")]
    + [(kind, "PowerPathClosed") for kind in ("ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "EVCCID", "VIN")],
)
@pytest.mark.req("C06.FR.01")
def test_tc_c_02_invalid(kind: str, start: str) -> None:
    refused(connected(start), "Invalid", kind)


@pytest.mark.req("TC_C_05", "C01.FR.02")
@pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed"])
def test_tc_c_05_invalid_at_a_socket_with_a_lock(start: str) -> None:
    it = station(start, socket=True)
    refused(it, "Invalid")
    it.plug()
    it.status("Occupied")
    it.nothing()
    assert not it.closed()


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Blocked", marks=pytest.mark.req("TC_C_06")),
        pytest.param("Expired", marks=pytest.mark.req("TC_C_07")),
        pytest.param("Unknown", marks=pytest.mark.req("TC_C_56")),
        "NoCredit",
        "NotAllowedTypeEVSE",
        "NotAtThisLocation",
        "NotAtThisTime",
        "ConcurrentTx",
    ],
)
@pytest.mark.req("C01.FR.02")
@pytest.mark.parametrize("start", ["PowerPathClosed", "EVConnected"])
def test_tc_c_06_07_56_not_accepted(status: str, start: str) -> None:
    refused(connected(start), status)


@pytest.mark.req("TC_C_04", "C01", "C04", "E07")
@pytest.mark.parametrize("stop", ["EVConnected,Authorized", "PowerPathClosed", "EnergyTransfer"])
def test_tc_c_04_another_card_stops_nothing(stop: str) -> None:
    it = station(stop=stop)
    it.charging()
    it.swipe(OTHER_CARD)
    it.ignores.add("Authorize")
    it.nothing()
    assert it.closed()


@pytest.mark.req("TC_C_100", "E03.FR.05", "C01.FR.02")
@pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed"])
def test_tc_c_100_no_cable_comes(start: str) -> None:
    it = station(start, variables={"TxCtrlr.EVConnectionTimeOut": "30"})
    driver(it)
    if start == "Authorized":
        it.tx("Started", "Authorized", idToken=token())
        it.nothing(for_s=28.0)
        it.tx("Ended", "EVConnectTimeout", within_s=4.0, reason="Timeout", idToken=None)
    else:
        it.nothing(for_s=32.0)
    it.plug()
    it.nothing()
    assert not it.closed()


# ---- PIN codes


@pytest.mark.req("C04.FR.04", "C04")
@pytest.mark.parametrize("pin", ["4711", "47114711"])
@pytest.mark.req("C04.FR.03")
def test_c04_a_pin_charges_and_stands_in_no_log(pin: str) -> None:
    it = station("Authorized", tokens={pin: "Accepted"})
    teller, memory = Teller(), Memory()
    lines: list[str] = []

    def watch(now: Tick, event: object, commands: tuple[Command, ...]) -> None:
        memory.watch(now, event, commands)
        lines.extend(json.dumps(each) for each in teller.told(event, commands))

    it.heap.watch = watch
    assert it.heap.station is not None
    it.swipe(pin, kind="KeyCode")
    it.expect("Authorize", idToken={"idToken": pin, "type": "KeyCode"})
    it.tx("Started", "Authorized", idToken={"idToken": pin, "type": "KeyCode"})
    lines.append(json.dumps(status(it.heap.station, Tick(it.heap.now, it.heap.now), memory)))
    it.plug()
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    it.swipe(pin, kind="KeyCode")
    it.among("TransactionEvent", triggerReason="StopAuthorized", idToken={"idToken": pin, "type": "KeyCode"})
    assert it.get("AuthCacheCtrlr.Storage") != "0"
    assert any("KeyCode" in line for line in lines)
    assert not [line for line in lines if pin in line or pin[:2] + "\\u2026" in line]


# ---- tokens of the CSMS's own making, and nobody who is asked


@pytest.mark.req("C03.FR.01", "C03.FR.02", "C05.FR.01", "C05.FR.02")
@pytest.mark.parametrize("authorize", ["true", "false"])
@pytest.mark.req("C05.FR.03", "C05.FR.05")
def test_c05_the_csms_is_not_asked_about_its_own_tokens(authorize: str) -> None:
    it = station("Authorized", tokens={"SESSION-4711": "Accepted"}, variables={"AuthCtrlr.AuthorizeRemoteStart": authorize})
    central = {"idToken": "SESSION-4711", "type": "Central"}
    assert it.call("RequestStartTransaction", {"idToken": central, "remoteStartId": 7, "evseId": 1})["status"] == "Accepted"
    it.tx("Started", "RemoteStart", idToken=central, remote=7)
    it.plug()
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    assert not it.said("Authorize")
    assert it.get("AuthCacheCtrlr.Storage") == "0"


@pytest.mark.req("C02", "C02.FR.01")
def test_where_nobody_has_to_be_authorised_a_card_is_named_all_the_same() -> None:
    it = station("Authorized", tokens={}, answers={"TransactionEvent": {}}, variables={"AuthCtrlr.Enabled": "false"})
    it.swipe()
    it.tx("Started", "Authorized", idToken=token())
    it.plug()
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    it.swipe(OTHER_CARD)
    it.nothing(for_s=10.0)
    it.swipe()
    it.tx("Ended", "StopAuthorized", idToken=token(), reason="Local")
    it.unplug()
    it.plug()
    it.tx("Started", idToken={"idToken": "", "type": "NoAuthorization"})
    it.swipe()
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    it.nothing(for_s=10.0)
    assert it.closed()
    assert not it.said("Authorize")


@pytest.mark.req("C01.FR.05")
def test_where_the_csms_is_never_asked_list_and_cache_say_it_all() -> None:
    it = station("Authorized", variables={"AuthCtrlr.DisableRemoteAuthorization": "true"})
    listed(it, {CARD: "Accepted"})
    it.swipe(OTHER_CARD)
    it.nothing(for_s=10.0)
    it.swipe(CARD)
    it.tx("Started", "Authorized", idToken=token())
    it.plug()
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    assert not it.said("Authorize")
