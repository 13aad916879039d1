"""Certification cases of B11 and B12: resets of the station and of one EVSE. Those that resume transactions are with E17."""

from __future__ import annotations

from typing import Any

import pytest

from tests.octt.states import charges, station
from tests.octt.system import CARD, Payload, TestSystem


def reset(it: TestSystem, kind: str, evse: int | None = None) -> Payload:
    """The station's answer."""
    return it.call("Reset", {"type": kind} | ({"evseId": evse} if evse else {}))


def rebooted(it: TestSystem, reason: str, **connectors: str) -> None:
    """BootNotification, and then the state of each connector, once."""
    it.ignores.add("StatusNotification")
    it.expect("BootNotification", reason=reason)
    it.ignores.remove("StatusNotification")
    told: dict[int, str] = {}
    while len(told) < it.evses:
        said = it.expect("StatusNotification")
        assert said["evseId"] not in told
        assert said["connectorId"] == 1
        told[said["evseId"]] = said["connectorStatus"]
    assert told == {n: connectors.get(f"evse{n}", "Available") for n in range(1, it.evses + 1)}
    it.nothing(for_s=10.0)


def stop(it: TestSystem, evse: int, card: str, **wanted: Any) -> None:
    """StopAuthorized; the transaction ends with it."""
    it.swipe(card, evse)
    it.tx("Ended", "StopAuthorized", reason="Local", **wanted)


# ---- the station


@pytest.mark.req("TC_B_20", "B11.FR.01", "B11.FR.03", "B11.FR.04", "B01.FR.03")
@pytest.mark.parametrize("kind", ["OnIdle", "Immediate"])
def test_tc_b_20_without_a_transaction(kind: str) -> None:
    it = station(evses=2)
    assert reset(it, kind) == {"status": "Accepted"}
    rebooted(it, "RemoteReset")


@pytest.mark.req("B11.FR.01", "B11.FR.03")
def test_a_vehicle_without_a_transaction_is_no_reason_to_wait() -> None:
    it = station(evses=2)
    it.plug(2, ready=False)
    it.status("Occupied", 2)
    assert reset(it, "OnIdle") == {"status": "Accepted"}
    rebooted(it, "RemoteReset", evse2="Occupied")


@pytest.mark.req("TC_B_21", "B12.FR.01", "B12.FR.03", "E07.FR.03")
def test_tc_b_21_on_idle_waits_for_the_transaction() -> None:
    it = station(evses=2)
    _, transaction = charges(it)
    assert reset(it, "OnIdle") == {"status": "Scheduled"}
    it.nothing(for_s=60.0)
    assert it.closed()
    before = len(it.said("SecurityEventNotification"))
    stop(it, 1, CARD, transaction=transaction)
    rebooted(it, "ScheduledReset", evse1="Occupied")
    assert {each["type"] for each in it.said("SecurityEventNotification")[before:]} >= {"StartupOfTheDevice"}


@pytest.mark.req("TC_B_21", "B12.FR.01", "B12.FR.03")
def test_tc_b_21_which_ends_when_the_vehicle_leaves() -> None:
    it = station("PowerPathClosed", "EVConnected")
    _, transaction = charges(it)
    assert reset(it, "OnIdle") == {"status": "Scheduled"}
    it.swipe(CARD)
    it.tx("Updated", "StopAuthorized", transaction=transaction)
    it.ignores.add("TransactionEvent")
    it.nothing("BootNotification", for_s=30.0)
    it.unplug()
    it.among("TransactionEvent", eventType="Ended", triggerReason="EVCommunicationLost")
    rebooted(it, "ScheduledReset")


@pytest.mark.req("TC_B_41", "B12.FR.01", "B12.FR.03", "E07.FR.03")
def test_tc_b_41_on_idle_waits_for_all_transactions() -> None:
    it = station(evses=2, variables={"AuthCacheCtrlr.Enabled": "false"})
    first = it.charging(1)
    second = it.charging(2, "04112233445566")
    assert reset(it, "OnIdle") == {"status": "Scheduled"}
    stop(it, 1, CARD, transaction=first)
    it.unplug(1)
    it.nothing(for_s=60.0)
    assert it.closed(2)
    stop(it, 2, "04112233445566", transaction=second)
    rebooted(it, "ScheduledReset", evse2="Occupied")


@pytest.mark.req("TC_B_41", "B12.FR.01")
def test_tc_b_41_nothing_new_begins_while_a_reset_waits() -> None:
    it = station(evses=2)
    it.charging(1)
    assert reset(it, "OnIdle") == {"status": "Scheduled"}
    it.status("Unavailable", 2)
    it.plug(2)
    it.swipe("04112233445566", 2)
    it.nothing("TransactionEvent", for_s=30.0)
    assert not it.closed(2)


@pytest.mark.req("TC_B_22", "B12.FR.02", "B12.FR.04", "B01.FR.03")
def test_tc_b_22_immediate_ends_the_transaction() -> None:
    it = station(evses=2)
    _, transaction = charges(it)
    assert reset(it, "Immediate") == {"status": "Accepted"}
    it.tx("Ended", "ResetCommand", transaction=transaction, state="EVConnected", reason="ImmediateReset", idToken=None)
    assert not it.closed()
    rebooted(it, "RemoteReset", evse1="Occupied")


@pytest.mark.req("TC_B_22", "B12.FR.02", "B12.FR.04")
def test_tc_b_22_immediate_ends_all_transactions_and_nothing_begins_by_itself() -> None:
    it = station(evses=2)
    open_ = {it.charging(1), it.charging(2, "04112233445566")}
    assert reset(it, "Immediate") == {"status": "Accepted"}
    for _ in range(2):
        event = it.tx("Ended", "ResetCommand", state="EVConnected", reason="ImmediateReset", idToken=None)
        open_.remove(event["transactionInfo"]["transactionId"])
    rebooted(it, "RemoteReset", evse1="Occupied", evse2="Occupied")
    it.nothing("TransactionEvent")
    assert not it.closed(1)


@pytest.mark.req("B11.FR.06")
def test_a_station_that_goes_down_already_takes_no_other_reset() -> None:
    it = station()
    assert reset(it, "OnIdle") == {"status": "Accepted"}
    assert reset(it, "OnIdle")["status"] == "Rejected"
    rebooted(it, "RemoteReset")


@pytest.mark.req("B12.FR.10")
def test_nor_while_it_ends_its_transaction() -> None:
    it = station()
    charges(it)
    assert reset(it, "Immediate") == {"status": "Accepted"}
    it.wait(0.5)
    assert reset(it, "Immediate")["status"] == "Rejected"
    it.tx("Ended", "ResetCommand")
    rebooted(it, "RemoteReset", evse1="Occupied")


# ---- one EVSE


@pytest.mark.req("TC_B_25", "B11.FR.01", "B11.FR.08", "B11.FR.10")
def test_tc_b_25_without_a_transaction() -> None:
    it = station(evses=2)
    assert it.get("EVSE.AllowReset", evse=1) == "true"
    assert reset(it, "OnIdle", 1) == {"status": "Accepted"}
    it.status("Unavailable", 1)
    it.status("Available", 1)
    it.nothing()


@pytest.mark.req("TC_B_25", "B11.FR.08")
def test_tc_b_25_the_other_one_goes_on() -> None:
    it = station(evses=2)
    it.charging(2)
    assert reset(it, "OnIdle", 1) == {"status": "Accepted"}
    it.nothing()
    assert it.closed(2)


@pytest.mark.req("TC_B_26", "B12.FR.01", "B12.FR.07", "E07.FR.03")
def test_tc_b_26_on_idle_waits_for_its_transaction() -> None:
    it = station(evses=2)
    other = it.charging(2, "04112233445566")
    transaction = it.charging(1)
    assert reset(it, "OnIdle", 1) == {"status": "Scheduled"}
    it.nothing(for_s=60.0)
    assert it.closed(1)
    stop(it, 1, CARD, transaction=transaction)
    it.status("Unavailable", 1)
    it.status("Occupied", 1)
    it.nothing()
    assert it.closed(2)
    assert it.call("GetTransactionStatus", {"transactionId": other})["ongoingIndicator"] is True


@pytest.mark.req("TC_B_27", "B12.FR.02", "B12.FR.08")
def test_tc_b_27_immediate_ends_its_transaction() -> None:
    it = station(evses=2)
    it.charging(2, "04112233445566")
    transaction = it.charging(1)
    assert reset(it, "Immediate", 1) == {"status": "Accepted"}
    it.tx("Ended", "ResetCommand", transaction=transaction, state="EVConnected", reason="ImmediateReset", idToken=None)
    it.nothing()
    assert not it.closed(1)
    assert it.closed(2)


@pytest.mark.req("TC_B_28", "B11.FR.01", "B11.FR.09")
@pytest.mark.parametrize("kind", ["OnIdle", "Immediate"])
def test_tc_b_28_an_evse_that_cannot_be_reset(kind: str) -> None:
    it = station(evses=2, variables={"EVSE@1.AllowReset": "false"})
    assert it.get("EVSE.AllowReset", evse=1) == "false"
    assert reset(it, kind, 1)["status"] == "Rejected"
    it.nothing("BootNotification", "StatusNotification", "TransactionEvent")


@pytest.mark.req("TC_B_29", "B12.FR.01", "B12.FR.09")
@pytest.mark.parametrize("kind", ["OnIdle", "Immediate"])
def test_tc_b_29_nor_with_a_transaction(kind: str) -> None:
    it = station(evses=2, variables={"EVSE@1.AllowReset": "false"})
    transaction = it.charging(1)
    assert reset(it, kind, 1)["status"] == "Rejected"
    it.nothing("BootNotification", "StatusNotification", "TransactionEvent")
    assert it.closed()
    stop(it, 1, CARD, transaction=transaction)
    it.nothing("BootNotification")


def test_an_evse_that_there_is_not() -> None:
    it = station()
    assert reset(it, "OnIdle", 2)["status"] == "Rejected"


@pytest.mark.req("B12.FR.01", "B12.FR.03")
@pytest.mark.parametrize("comes", [True, False])
@pytest.mark.parametrize("one", [True, False], ids=["evse", "station"])
def test_on_idle_waits_for_who_was_accepted_and_has_not_plugged_in_yet(*, comes: bool, one: bool) -> None:
    it = station(variables={"TxCtrlr.EVConnectionTimeOut": "60"})
    it.swipe(CARD)
    it.expect("Authorize")
    assert it.call("Reset", {"type": "OnIdle"} | ({"evseId": 1} if one else {})) == {"status": "Scheduled"}
    it.nothing(for_s=30.0)
    if comes:
        it.plug()
        it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
        it.nothing("BootNotification", for_s=60.0)
        it.swipe(CARD)
        it.among("TransactionEvent", eventType="Ended")
    if one:
        it.status("Unavailable", within_s=40.0)
        it.status("Occupied" if comes else "Available")
    else:
        it.expect("BootNotification", 40.0, reason="ScheduledReset")
