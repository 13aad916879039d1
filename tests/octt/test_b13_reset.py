"""Certification cases of B13: the CSMS resets the station or an EVSE, and transactions stay open."""

from __future__ import annotations

from typing import Any

import pytest

from tests.octt.system import OTHER_CARD, TestSystem

RESUMES = {"TxCtrlr.ResumptionTimeout": "300"}
WITH_ENERGY = RESUMES | {"TxCtrlr.AllowEnergyTransferResumption": "true"}


def reset(it: TestSystem, evse: int | None = None) -> str:
    status: str = it.call("Reset", {"type": "ImmediateAndResume"} | ({"evseId": evse} if evse else {}))["status"]
    return status


def charging(variables: dict[str, str], **more: Any) -> tuple[TestSystem, str]:
    """EnergyTransferStarted at EVSE 1."""
    it = TestSystem(variables=variables, **more).booted()
    return it, it.charging()


def told(it: TestSystem, transaction: str) -> None:
    """That it is reset comes first, then that no energy flows any more; nothing ends."""
    it.tx("Updated", "ResetCommand", transaction=transaction)
    it.tx("Updated", "ChargingStateChanged", transaction=transaction, state="SuspendedEVSE")
    it.wait(2.0)


@pytest.mark.req("TC_B_101", "B13.FR.01")
@pytest.mark.parametrize("evse", [None, 1])
def test_tc_b_101_no_resumption_no_such_reset(evse: int | None) -> None:
    it, _ = charging({})
    assert reset(it, evse) == "Rejected"
    it.nothing()
    assert it.closed()


@pytest.mark.req("TC_B_102", "B13.FR.03", "B13.FR.04", "B13.FR.20", "B13.FR.21", "B13.FR.23", "B13.FR.25", "B13.FR.30")
def test_tc_b_102_goes_on_without_energy() -> None:
    it, transaction = charging(RESUMES)
    assert reset(it) == "Accepted"
    told(it, transaction)
    it.expect("BootNotification", reason="RemoteReset")
    it.tx("Updated", "TxResumed", transaction=transaction, state="SuspendedEVSE")
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_B_103", "B13.FR.03", "B13.FR.04", "B13.FR.20", "B13.FR.21", "B13.FR.23", "B13.FR.24", "B13.FR.30")
def test_tc_b_103_goes_on_with_energy() -> None:
    it, transaction = charging(WITH_ENERGY)
    assert reset(it) == "Accepted"
    told(it, transaction)
    it.expect("BootNotification", reason="RemoteReset")
    it.tx("Updated", "TxResumed", transaction=transaction, state="Charging")
    assert it.closed()


@pytest.mark.req("TC_B_104", "B13.FR.02")
def test_tc_b_104_nothing_to_resume() -> None:
    it = TestSystem(variables=RESUMES).booted()
    assert reset(it) == "Accepted"
    it.expect("BootNotification", reason="RemoteReset")
    it.nothing()


@pytest.mark.req("B13.FR.04", "B13.FR.23", "B13.FR.30")
def test_all_of_them_go_on() -> None:
    it, first = charging(WITH_ENERGY, evses=2)
    second = it.charging(2, "04112233445566")
    assert reset(it) == "Accepted"
    it.among("BootNotification", reason="RemoteReset")
    it.wait(20.0)
    for transaction in (first, second):
        events = [event for event in it.said("TransactionEvent") if event["transactionInfo"]["transactionId"] == transaction]
        triggers = [event["triggerReason"] for event in events]
        assert triggers.count("ResetCommand") == triggers.count("TxResumed") == 1
        assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert it.closed(1)
    assert it.closed(2)


@pytest.mark.req("B13.FR.23")
@pytest.mark.parametrize("ordered", [True, False])
def test_a_reset_may_take_longer_than_any_other_interruption(*, ordered: bool) -> None:
    it, transaction = charging(WITH_ENERGY | {"TxCtrlr.ResumptionTimeout": "60"})
    if ordered:
        assert reset(it) == "Accepted"
        it.heap.run(8.0)
        assert it.heap.ended is not None
    it.heap.cut()
    it.heap.run(600.0)
    it.heap.start("ApplicationReset" if ordered else "PowerUp")
    it.wait(10.0)
    triggers = [event["triggerReason"] for event in it.said("TransactionEvent")]
    assert ("TxResumed" in triggers) is ordered
    assert it.closed() is ordered
    if ordered:
        it.power_loss(120.0)
        it.among("TransactionEvent", eventType="Ended", transactionInfo={"transactionId": transaction, "stoppedReason": "PowerLoss"})


@pytest.mark.req("E17.FR.20", "E17.FR.21")
@pytest.mark.parametrize("away_s", [20.0, 2000.0])
def test_a_reset_that_does_not_come_about_is_no_reason_of_a_power_cut_later(away_s: float) -> None:
    it, transaction = charging(WITH_ENERGY)
    assert reset(it) == "Accepted"
    for _ in range(360):
        it.heap.run(0.25)
        it.heap.ended = None
    it.among("TransactionEvent", triggerReason="TxResumed", transactionInfo={"transactionId": transaction, "chargingState": "Charging"})
    it.forget()
    it.power_loss(away_s)
    it.expect("BootNotification", reason="PowerUp")
    if away_s < 300.0:
        it.tx("Updated", "TxResumed", transaction=transaction, state="Charging")
    else:
        it.tx("Ended", "AbnormalCondition", transaction=transaction, reason="PowerLoss")


@pytest.mark.req("B13.FR.20", "B13.FR.22")
def test_a_plug_is_free_while_the_station_is_away_and_locked_again_then() -> None:
    it, transaction = charging(WITH_ENERGY, socket=True)
    assert it.evse().lock.locked is True
    assert reset(it) == "Accepted"
    it.heap.run(8.0)
    assert it.heap.ended is not None
    assert not it.closed()
    assert it.evse().lock.locked is False
    it.wait(5.0)
    it.among("TransactionEvent", triggerReason="TxResumed", transactionInfo={"transactionId": transaction, "chargingState": "Charging"})
    assert it.evse().lock.locked is True


# ---- one EVSE


def evse_reset(variables: dict[str, str]) -> tuple[TestSystem, str]:
    """EVSE 1, which charges, has been reset; the other one has gone on."""
    it, transaction = charging(variables, evses=2)
    other = it.charging(2, "04112233445566")
    assert reset(it, 1) == "Accepted"
    told(it, transaction)
    assert not it.closed(1)
    assert it.closed(2)
    assert not it.said("BootNotification")[1:]
    assert it.call("GetTransactionStatus", {"transactionId": other})["ongoingIndicator"] is True
    return it, transaction


@pytest.mark.req("B13.FR.03", "B13.FR.04", "B13.FR.10", "B13.FR.11", "B13.FR.12", "B13.FR.13", "B13.FR.30")
def test_one_evse_goes_on_with_energy() -> None:
    it, transaction = evse_reset(WITH_ENERGY)
    it.tx("Updated", "TxResumed", transaction=transaction, state="Charging")
    it.nothing()
    assert it.closed(1)
    it.swipe(evse_id=1)
    it.tx("Ended", "StopAuthorized", transaction=transaction, reason="Local")


@pytest.mark.req("B13.FR.10", "B13.FR.11", "B13.FR.12", "B13.FR.14", "B13.FR.30")
def test_one_evse_goes_on_without_energy() -> None:
    it, transaction = evse_reset(RESUMES)
    it.tx("Updated", "TxResumed", transaction=transaction, state="SuspendedEVSE")
    it.nothing()
    assert not it.closed(1)


@pytest.mark.req("B13.FR.02")
def test_one_evse_without_a_transaction_is_reset_as_ever() -> None:
    it, _ = charging(RESUMES, evses=2)
    assert reset(it, 2) == "Accepted"
    it.status("Unavailable", 2)
    it.status("Available", 2)
    it.nothing()
    assert it.closed(1)


def test_an_evse_that_there_is_not_or_that_cannot_be_reset() -> None:
    it, _ = charging(RESUMES | {"EVSE@1.AllowReset": "false"})
    assert reset(it, 1) == reset(it, 2) == "Rejected"
    it.nothing()
    assert it.closed()


# ---- what happens while it is reset


@pytest.mark.req("B13.FR.12", "B13.FR.13", "B13.FR.23", "B13.FR.24")
@pytest.mark.parametrize("energy", ["true", "false"])
@pytest.mark.parametrize("evse", [None, 1])
def test_that_the_energy_goes_for_it_ends_nothing(evse: int | None, energy: str) -> None:
    rules = WITH_ENERGY | {"TxCtrlr.TxStopPoint": "EnergyTransfer", "TxCtrlr.AllowEnergyTransferResumption": energy}
    it, transaction = charging(rules)
    assert reset(it, evse) == "Accepted"
    told(it, transaction)
    it.ignores.add("BootNotification")
    it.tx("Updated", "TxResumed", transaction=transaction, state="Charging" if energy == "true" else "SuspendedEVSE")
    it.nothing()
    assert it.closed() is (energy == "true")


@pytest.mark.req("B13.FR.12", "B13.FR.14", "B13.FR.23", "B13.FR.25")
@pytest.mark.parametrize("evse", [None, 1])
def test_what_had_not_charged_yet_does_so_when_its_vehicle_asks(evse: int | None) -> None:
    it = TestSystem(variables=RESUMES).booted()
    car = it.plug(ready=False)
    it.wait(3.0)
    it.swipe()
    transaction = it.among("TransactionEvent", eventType="Started")["transactionInfo"]["transactionId"]
    it.wait(3.0)
    assert reset(it, evse) == "Accepted"
    it.among("TransactionEvent", triggerReason="TxResumed", transactionInfo={"transactionId": transaction, "chargingState": "EVConnected"})
    car.resume()
    it.tx("Updated", "ChargingStateChanged", transaction=transaction, state="Charging")
    assert it.closed()


def closed_meanwhile(it: TestSystem, for_s: float) -> bool:
    """Whether the contactor was closed at any moment of this time."""
    seen = False
    for _ in range(round(for_s / 0.1)):
        it.heap.run(0.1)
        seen = seen or it.closed()
    return seen


@pytest.mark.req("B13.FR.10", "B13.FR.20")
@pytest.mark.parametrize("evse", [None, 1])
def test_its_card_shown_twice_does_not_bring_the_energy_back_before_it_is_over(evse: int | None) -> None:
    it, transaction = charging(WITH_ENERGY | {"TxCtrlr.TxStopPoint": "EVConnected"})
    assert reset(it, evse) == "Accepted"
    it.heap.run(1.5)
    assert not it.closed()
    it.swipe()
    it.swipe()
    assert not closed_meanwhile(it, 1.5)
    it.wait(30.0)
    it.among("TransactionEvent", triggerReason="TxResumed", transactionInfo={"transactionId": transaction, "chargingState": "Charging"})
    states = [state for event in it.said("TransactionEvent") if (state := event["transactionInfo"].get("chargingState"))]
    assert states[-4:] == ["SuspendedEVSE", "EVConnected", "SuspendedEVSE", "Charging"]
    assert it.closed()


@pytest.mark.req("B13.FR.10", "B13.FR.20")
@pytest.mark.parametrize("evse", [None, 1])
def test_one_that_its_driver_ends_meanwhile_has_no_successor_before_it_is_over(evse: int | None) -> None:
    it, transaction = charging(WITH_ENERGY)
    assert reset(it, evse) == "Accepted"
    it.heap.run(1.5)
    it.swipe()
    it.among("TransactionEvent", eventType="Ended", transactionInfo={"transactionId": transaction, "stoppedReason": "Local"})
    it.swipe(OTHER_CARD)
    assert not closed_meanwhile(it, 1.5)
    it.wait(30.0)
    assert not it.closed()
    assert {event["transactionInfo"]["transactionId"] for event in it.said("TransactionEvent")} == {transaction}
    it.swipe(OTHER_CARD)
    it.wait(10.0)
    assert it.closed()


@pytest.mark.req("B13.FR.20")
def test_one_that_its_driver_ends_gives_its_evse_back_where_the_restart_does_not_come() -> None:
    it, _ = charging(WITH_ENERGY)
    assert reset(it) == "Accepted"
    it.heap.run(0.5)
    it.swipe()
    for _ in range(360):
        it.heap.run(0.25)
        it.heap.ended = None
    assert not it.closed()
    it.swipe(OTHER_CARD)
    it.wait(10.0)
    assert it.closed()


@pytest.mark.req("E17.FR.12", "E17.FR.14")
def test_power_that_goes_while_it_is_reset_does_not_let_energy_flow_again() -> None:
    it, transaction = charging(RESUMES)
    assert reset(it) == "Accepted"
    it.heap.run(1.0)
    it.forget()
    it.power_loss()
    it.expect("BootNotification", reason="PowerUp")
    it.tx("Updated", "TxResumed", transaction=transaction, state="SuspendedEVSE")
    it.nothing()
    assert not it.closed()
