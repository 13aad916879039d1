"""Certification cases of E17: transactions that a restart interrupts."""

from __future__ import annotations

import pytest

from tests.octt.states import suspended
from tests.octt.system import CARD, OTHER_CARD, TestSystem


def interrupted(timeout: str, energy: str = "false", for_s: float = 20.0) -> tuple[TestSystem, str]:
    """A vehicle that charges, and the power goes for that long."""
    station = TestSystem(variables={"TxCtrlr.ResumptionTimeout": timeout, "TxCtrlr.AllowEnergyTransferResumption": energy}).booted()
    transaction = station.charging()
    station.power_loss(for_s)
    station.expect("BootNotification")
    return station, transaction


@pytest.mark.req("TC_E_112", "E17.FR.01", "E17.FR.10", "E17.FR.12", "E17.FR.14")
def test_tc_e_112_goes_on_without_energy() -> None:
    station, transaction = interrupted("999")
    station.tx("Updated", "TxResumed", transaction=transaction, state="SuspendedEVSE")
    station.nothing()
    assert not station.closed()


@pytest.mark.req("TC_E_113", "E17.FR.01", "E17.FR.10", "E17.FR.11", "E17.FR.14")
def test_tc_e_113_goes_on_with_energy() -> None:
    station, transaction = interrupted("999", "true")
    station.tx("Updated", "TxResumed", transaction=transaction, state="Charging", within_s=20.0)
    assert station.closed()


@pytest.mark.req("TC_E_115", "E17.FR.20", "E17.FR.21")
@pytest.mark.parametrize("energy", ["false", "true"])
def test_tc_e_115_never_goes_on(energy: str) -> None:
    station, transaction = interrupted("0", energy)
    station.tx("Ended", "AbnormalCondition", transaction=transaction, reason="PowerLoss")
    station.nothing()


@pytest.mark.req("TC_E_116", "E17.FR.02", "E17.FR.20", "E17.FR.21")
def test_tc_e_116_interrupted_for_too_long() -> None:
    station, transaction = interrupted("60", "true", for_s=120.0)
    station.tx("Ended", "AbnormalCondition", transaction=transaction, reason="PowerLoss")
    station.nothing()


@pytest.mark.req("E17.FR.20", "E17.FR.22")
def test_a_process_that_ended_by_itself_for_too_long() -> None:
    station = TestSystem(variables={"TxCtrlr.ResumptionTimeout": "60"}).booted()
    transaction = station.charging()
    station.power_loss(120.0, "Watchdog")
    station.expect("BootNotification", reason="Watchdog")
    station.tx("Ended", "AbnormalCondition", transaction=transaction, reason="Reboot")


@pytest.mark.req("E17.FR.13")
def test_what_had_no_energy_goes_on_as_it_was() -> None:
    station = TestSystem(variables={"TxCtrlr.ResumptionTimeout": "999", "TxCtrlr.TxStopPoint": "EVConnected"}).booted()
    transaction = station.charging()
    station.swipe()
    station.among("TransactionEvent", transactionInfo={"chargingState": "EVConnected"})
    station.wait(10.0)
    station.forget()
    station.power_loss()
    station.expect("BootNotification")
    station.tx("Updated", "TxResumed", transaction=transaction, state="EVConnected", within_s=20.0)
    assert not station.closed()


@pytest.mark.req("E17.FR.13")
def test_what_had_not_charged_yet_does_so_when_its_vehicle_asks() -> None:
    station = TestSystem(variables={"TxCtrlr.ResumptionTimeout": "999"}).booted()
    car = station.plug(ready=False)
    station.wait(3.0)
    station.swipe()
    transaction = station.among("TransactionEvent", eventType="Started")["transactionInfo"]["transactionId"]
    station.power_loss()
    station.expect("BootNotification")
    station.tx("Updated", "TxResumed", transaction=transaction, state="EVConnected", within_s=20.0)
    car.resume()
    station.tx("Updated", "ChargingStateChanged", transaction=transaction, state="Charging")
    station.power_loss()
    station.expect("BootNotification")
    station.tx("Updated", "TxResumed", transaction=transaction, state="SuspendedEVSE")
    station.nothing("TransactionEvent")
    assert not station.closed()


@pytest.mark.req("E17.FR.12")
def test_interrupted_again_and_again_it_still_had_charged() -> None:
    station = TestSystem(variables={"TxCtrlr.ResumptionTimeout": "999"}).booted()
    transaction = station.charging()
    before = len(station.said("TransactionEvent"))
    for wait_s in (0.02, 0.2, 60.0):
        station.power_loss(3.0)
        station.wait(wait_s)
    resumed = station.said("TransactionEvent")[before:]
    assert {event["transactionInfo"]["transactionId"] for event in resumed} == {transaction}
    assert {(event["triggerReason"], event["transactionInfo"]["chargingState"]) for event in resumed} == {("TxResumed", "SuspendedEVSE")}
    assert not station.closed()


@pytest.mark.req("E17")
@pytest.mark.req("E06.FR.14", "E07.FR.11")
def test_whoever_began_it_ends_it_after_the_restart_and_nobody_else_begins() -> None:
    station, transaction = interrupted("999", "true")
    station.tx("Updated", "TxResumed", transaction=transaction)
    station.swipe(OTHER_CARD)
    station.ignores.add("Authorize")
    station.nothing("TransactionEvent", for_s=5.0)
    station.swipe(CARD)
    ended = station.tx("Ended", "StopAuthorized", transaction=transaction, reason="Local")
    numbers = [event["seqNo"] for event in station.said("TransactionEvent")]
    assert numbers == list(range(ended["seqNo"] + 1))


@pytest.mark.req("E17.FR.17")
def test_no_vehicle_there_any_more_ends_it_as_of_then() -> None:
    station = TestSystem(variables={"TxCtrlr.ResumptionTimeout": "999"}).booted()
    transaction = station.charging()
    station.wait(40.0)
    station.heap.cut()
    station.unplug()
    station.heap.run(5.0)
    station.start()
    station.expect("BootNotification")
    ended = station.tx("Ended", "EVCommunicationLost", transaction=transaction, reason="EVDisconnected", state="Idle")
    assert ended["timestamp"] < station.utc(-5.0 - 30.0)
    last = ended["meterValue"][-1]
    assert last["timestamp"] < station.utc(-5.0 - 30.0)
    assert last["sampledValue"][0]["value"] == pytest.approx(station.evse().sample().energy_import_Wh, abs=0.1)
    station.plug()
    station.status("Occupied")
    station.nothing("TransactionEvent")


@pytest.mark.req("E17.FR.16")
@pytest.mark.parametrize("back", [True, False])
def test_a_vehicle_that_is_away_may_come_back_where_that_ends_nothing(*, back: bool) -> None:
    rules = {
        "TxCtrlr.ResumptionTimeout": "999",
        "TxCtrlr.AllowEnergyTransferResumption": "true",
        "TxCtrlr.StopTxOnEVSideDisconnect": "false",
        "TxCtrlr.TxStopPoint": "Authorized",
        "TxCtrlr.EVConnectionTimeOut": "60",
    }
    station = TestSystem(variables=rules).booted()
    transaction = station.charging()
    station.heap.cut()
    station.unplug()
    station.heap.run(5.0)
    station.start()
    station.expect("BootNotification")
    station.tx("Updated", "TxResumed", transaction=transaction, state="Idle")
    if back:
        station.plug()
        station.tx("Updated", "CablePluggedIn", transaction=transaction, state="EVConnected")
        station.tx("Updated", "ChargingStateChanged", transaction=transaction, state="Charging")
        assert station.closed()
        station.swipe()
        station.tx("Ended", "StopAuthorized", transaction=transaction, reason="Local")
    else:
        station.tx("Ended", "EVConnectTimeout", 70.0, transaction=transaction, reason="Timeout")
        station.nothing("TransactionEvent")


def test_interrupted_twice() -> None:
    station, transaction = interrupted("999", "true")
    station.tx("Updated", "TxResumed", transaction=transaction)
    station.power_loss()
    station.expect("BootNotification")
    station.tx("Updated", "TxResumed", transaction=transaction, state="Charging")
    station.power_loss(for_s=3.0)
    station.wait(0.2)
    station.power_loss(for_s=3.0)
    station.among(
        "TransactionEvent", triggerReason="TxResumed", transactionInfo={"transactionId": transaction, "chargingState": "Charging"}
    )
    station.nothing("TransactionEvent", for_s=30.0)


def test_what_was_remotely_stopped_does_not_come_back() -> None:
    station = TestSystem(
        variables={
            "TxCtrlr.ResumptionTimeout": "999",
            "TxCtrlr.AllowEnergyTransferResumption": "true",
            "TxCtrlr.TxStopPoint": "EVConnected",
        }
    ).booted()
    transaction = station.charging()
    assert station.call("RequestStopTransaction", {"transactionId": transaction}) == {"status": "Accepted"}
    station.tx("Updated", "RemoteStop")
    station.wait(10.0)
    station.forget()
    station.power_loss()
    station.expect("BootNotification")
    station.tx("Updated", "TxResumed", transaction=transaction)
    assert not station.closed()
    station.unplug()
    station.tx("Ended", transaction=transaction)


@pytest.mark.req("E17", "F-3")
@pytest.mark.parametrize(
    ("board_s", "goes_on"), [(0.0, True), (-30.0, False), (900.0, False), (-1.7e9, False)], ids=["right", "back", "ahead", "1970"]
)
def test_how_long_it_was_is_told_by_the_boards_clock_alone(board_s: float, goes_on: bool) -> None:
    """What the CSMS has said of the time is forgotten with the process; the board's clock, right or wrong, runs on, unless its battery is missing."""
    station = TestSystem(variables={"TxCtrlr.ResumptionTimeout": "600"}).booted()
    told_s, told = station.heap.utc_offset, station.utc(5e6)
    station.answers["Heartbeat"] = {"currentTime": told}
    station.answers["BootNotification"] = {"currentTime": told, "interval": 300, "status": "Accepted"}
    station.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
    transaction = station.charging()
    station.heap.cut()
    station.heap.run(20.0)
    station.heap.utc_offset = told_s + board_s
    station.start()
    station.expect("BootNotification")
    if goes_on:
        station.tx("Updated", "TxResumed", transaction=transaction)
    else:
        station.tx("Ended", "AbnormalCondition", transaction=transaction, reason="PowerLoss")


SPREAD = {
    "TxCtrlr.ResumptionTimeout": "999",
    "TxCtrlr.AllowEnergyTransferResumption": "true",
    "TxCtrlr.EnergyTransferResumptionRandomRange": "600",
}


@pytest.mark.req("E17.FR.18")
def test_energy_comes_back_some_time_later_lest_all_stations_begin_at_once() -> None:
    waits = []
    for seed in ("a1", "b2", "c3"):
        station = TestSystem(variables=SPREAD).booted()
        transaction = station.charging()
        station.heap.seed = seed
        station.power_loss()
        at = station.heap.now
        station.expect("BootNotification")
        station.tx("Updated", "TxResumed", transaction=transaction, state="SuspendedEVSE")
        assert not station.closed()
        station.among("TransactionEvent", 610.0, triggerReason="ChargingStateChanged", transactionInfo={"chargingState": "Charging"})
        assert station.closed()
        waits.append(station.heap.now - at)
    assert 0.0 < min(waits) < max(waits) <= 610.0
    assert max(waits) - min(waits) > 1.0


@pytest.mark.req("E17.FR.18")
def test_power_that_goes_again_meanwhile_gives_nobody_his_energy_at_once() -> None:
    station = TestSystem(variables=SPREAD).booted()
    transaction = station.charging()
    for _ in range(2):
        station.power_loss()
        station.expect("BootNotification")
        station.tx("Updated", "TxResumed", transaction=transaction, state="SuspendedEVSE")
        assert not station.closed()
    station.among("TransactionEvent", 610.0, triggerReason="ChargingStateChanged", transactionInfo={"chargingState": "Charging"})


@pytest.mark.req("E17.FR.18")
def test_who_does_not_charge_then_waits_for_nothing() -> None:
    station = TestSystem(variables=SPREAD).booted()
    car, _ = suspended(station)
    station.power_loss()
    car.resume()
    station.among("TransactionEvent", 30.0, triggerReason="TxResumed", transactionInfo={"chargingState": "Charging"})


AWAY = {
    "TxCtrlr.ResumptionTimeout": "999",
    "TxCtrlr.AllowEnergyTransferResumption": "true",
    "TxCtrlr.StopTxOnEVSideDisconnect": "false",
    "TxCtrlr.TxStartPoint": "Authorized",
    "TxCtrlr.TxStopPoint": "Authorized",
    "TxCtrlr.EVConnectionTimeOut": "60",
}


@pytest.mark.req("E17.FR.10", "E17.FR.16")
@pytest.mark.parametrize("been", [True, False], ids=["left", "never came"])
@pytest.mark.parametrize("comes", ["before the power", "in time", "not"])
def test_a_transaction_whose_vehicle_was_not_there_goes_on_without_it(*, been: bool, comes: str) -> None:
    station = TestSystem(variables=AWAY).booted()
    if been:
        transaction = station.charging()
        station.unplug()
        station.among("TransactionEvent", transactionInfo={"chargingState": "Idle"})
    else:
        station.swipe()
        transaction = station.among("TransactionEvent", eventType="Started")["transactionInfo"]["transactionId"]
    station.wait(20.0)
    station.forget()
    station.heap.cut()
    if comes == "before the power":
        station.plug()
    station.heap.run(10.0)
    station.start()
    station.expect("BootNotification")
    station.tx("Updated", "TxResumed", transaction=transaction, state="Idle")
    if comes == "not":
        station.nothing("TransactionEvent", for_s=50.0)
        station.tx("Ended", "EVConnectTimeout", 20.0, transaction=transaction, reason="Timeout")
        return
    if comes == "in time":
        station.wait(40.0)
        station.plug()
    station.tx("Updated", "CablePluggedIn", transaction=transaction, state="EVConnected")
    station.tx("Updated", "ChargingStateChanged", transaction=transaction, state="Charging")
    assert station.closed()
    station.swipe()
    ended = station.tx("Ended", "StopAuthorized", transaction=transaction, reason="Local")
    numbers = [event["seqNo"] for event in station.said("TransactionEvent")]
    assert numbers == list(range(ended["seqNo"] + 1))


@pytest.mark.req("E17.FR.14")
@pytest.mark.parametrize("how", ["card", "csms"])
def test_one_that_is_ended_at_once_has_gone_on_before(how: str) -> None:
    station = TestSystem(variables=SPREAD | {"TxCtrlr.EnergyTransferResumptionRandomRange": "0"}).booted()
    transaction = station.charging()
    station.power_loss()
    station.expect("BootNotification")
    station.wait(0.2)
    if how == "card":
        station.swipe()
    else:
        assert station.call("RequestStopTransaction", {"transactionId": transaction})["status"] == "Accepted"
    station.tx("Updated", "TxResumed", transaction=transaction, state="EVConnected", idToken=None)
    trigger, reason = ("StopAuthorized", "Local") if how == "card" else ("RemoteStop", "Remote")
    station.tx("Ended", trigger, transaction=transaction, reason=reason)
    station.nothing("TransactionEvent")
