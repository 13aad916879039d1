"""What has stopped the energy of a transaction stands, whatever interrupts it: a replug, another card, a power loss, a clock (E05, E10, E16, E17)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chargepoint.events import Limits, LimitsWanted, VehicleMatched
from chargepoint.facts import Vehicle
from iso15118.terms import Battery
from tests.octt.system import CARD, Answer, TestSystem
from tests.octt.test_c06_vehicle import by_mac, comes

KEPT = {"TxCtrlr.ResumptionTimeout": "999", "TxCtrlr.AllowEnergyTransferResumption": "true"}
STAYS = {"TxCtrlr.StopTxOnEVSideDisconnect": "false", "TxCtrlr.TxStopPoint": "Authorized"}
BY_CABLE = {"TxCtrlr.TxStopPoint": "EVConnected"}


def swipes_again(station: TestSystem) -> None:
    station.swipe()
    station.wait(8.0)
    station.swipe()


def comes_back(station: TestSystem) -> None:
    station.unplug()
    station.wait(5.0)
    station.plug()


def loses_power(station: TestSystem) -> None:
    station.power_loss()


def refused(variables: dict[str, str]) -> TestSystem:
    """The CSMS finds out in the transaction that it does not want this token."""
    answers: dict[str, Answer] = {"Authorize": {"idTokenInfo": {"status": "Accepted"}}}
    station = TestSystem(variables=variables | {"TxCtrlr.StopTxOnInvalidId": "false"}, answers=answers).booted()
    station.tokens[CARD] = "Invalid"
    station.plug()
    station.wait(3.0)
    station.swipe()
    station.wait(20.0)
    return station


def without_energy(variables: dict[str, str]) -> TestSystem:
    """A restart has interrupted it, and its energy is not to go on."""
    station = TestSystem(variables=variables | KEPT | {"TxCtrlr.AllowEnergyTransferResumption": "false"}).booted()
    station.charging()
    station.power_loss()
    station.wait(40.0)
    return station


def bounded(variables: dict[str, str]) -> TestSystem:
    """It has had the energy that bounds it."""
    station = TestSystem(variables=variables).booted()
    station.charging()
    station.tell(LimitsWanted(1, Limits(energy_Wh=30.0)))
    station.wait(30.0)
    return station


def full(variables: dict[str, str]) -> TestSystem:
    """The vehicle has shown the state of charge that bounds it."""
    station = TestSystem(variables=variables).booted()
    station.charging()
    station.tell(LimitsWanted(1, Limits(soc_percent=80)))
    shows(station, 85)
    station.wait(20.0)
    return station


def shows(station: TestSystem, soc: int | None) -> None:
    assert station.heap.station is not None
    facts = station.heap.station.wiring.context.evses[1]
    facts.vehicle = None if soc is None else Vehicle("urn:iso:std:iso:15118:-20:AC", "EVCC", battery=Battery(soc=soc))


@pytest.mark.req("E05", "E10", "E16", "E17")
@pytest.mark.parametrize("why", [refused, without_energy, bounded, full])
@pytest.mark.parametrize(
    ("what", "variables"),
    [(swipes_again, BY_CABLE), (comes_back, STAYS), (loses_power, KEPT)],
)
def test_no_energy_after_all(why: Callable[..., TestSystem], what: Callable[[TestSystem], None], variables: dict[str, str]) -> None:
    station = why(variables)
    begun = station.said("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    had = station.evse().sample().energy_import_Wh
    assert not station.closed()
    what(station)
    station.wait(90.0)
    assert {event["transactionInfo"]["transactionId"] for event in station.said("TransactionEvent")} == {begun}
    assert "Ended" not in [event["eventType"] for event in station.said("TransactionEvent")]
    assert not station.closed()
    assert station.evse().sample().energy_import_Wh - had < 1.0


@pytest.mark.req("E05", "E17")
def test_a_refused_token_gets_no_more_than_its_bound_over_a_power_loss() -> None:
    station = refused(KEPT | {"TxCtrlr.MaxEnergyOnInvalidId": "300"})
    assert station.closed()
    station.power_loss()
    station.wait(300.0)
    assert not station.closed()
    assert 300.0 <= station.evse().sample().energy_import_Wh < 330.0


@pytest.mark.req("E16")
def test_a_state_of_charge_that_nobody_shows_any_more_was_not_less() -> None:
    station = full({})
    told = station.said("TransactionEvent")[-1]
    assert (told["triggerReason"], told["transactionInfo"]["chargingState"]) == ("SoCLimitReached", "SuspendedEVSE")
    shows(station, None)
    station.wait(20.0)
    assert not station.closed()
    shows(station, 79)
    station.wait(20.0)
    assert station.closed()


@pytest.mark.req("E16", "E17", "F-3")
@pytest.mark.parametrize("ahead_s", [0.0, 5e6, -5e6, 7_200.0])
def test_a_bound_of_time_minds_no_clock_that_somebody_sets(ahead_s: float) -> None:
    """600 s, 10 s of them without power: whatever the CSMS says of the time."""
    station = TestSystem(variables=KEPT | {"SampledDataCtrlr.TxUpdatedInterval": "0"})
    time = lambda _: {"currentTime": station.utc(ahead_s)}
    station.answers["BootNotification"] = lambda _: {"currentTime": station.utc(ahead_s), "interval": 300, "status": "Accepted"}
    station.answers["Heartbeat"] = time
    station.booted().charging()
    begun = station.heap.now
    station.tell(LimitsWanted(1, Limits(time_s=600)))
    station.wait(100.0)
    station.power_loss(10.0)
    station.among("TransactionEvent", 700.0, triggerReason="TimeLimitReached")
    assert station.heap.now - begun == pytest.approx(596.0, abs=5.0)
    station.wait(10.0)
    assert not station.closed()
    station.power_loss(10.0)
    station.wait(120.0)
    assert not station.closed()


@pytest.mark.req("E17", "F-3")
def test_a_board_that_begins_with_its_last_time_is_put_right_by_the_csms() -> None:
    """Away for a day, without a battery: it seems to have been a moment, until the CSMS says what day it is."""
    station = TestSystem(variables=KEPT).booted()
    transaction = station.charging()
    before = station.utc()
    station.answers["BootNotification"] = lambda _: {"currentTime": station.utc(86_400.0), "interval": 300, "status": "Accepted"}
    station.heap.cut()
    station.heap.run(86_400.0)
    station.heap.utc_offset -= 86_400.0
    station.start()
    station.expect("BootNotification")
    ended = station.among(
        "TransactionEvent", eventType="Ended", transactionInfo={"transactionId": transaction, "stoppedReason": "PowerLoss"}
    )
    assert ended["triggerReason"] == "AbnormalCondition"
    assert before < ended["timestamp"]
    station.wait(30.0)
    assert not station.closed()


@pytest.mark.req("E17", "F-3")
def test_what_the_csms_says_of_the_time_later_ends_nothing() -> None:
    """It was a moment by both clocks; that the CSMS's is put right in an hour is another matter."""
    station = TestSystem(variables=KEPT).booted()
    transaction = station.charging()
    station.power_loss()
    station.among("TransactionEvent", triggerReason="TxResumed", transactionInfo={"transactionId": transaction})
    station.wait(3_600.0)
    station.answers["Heartbeat"] = {"currentTime": station.utc(7_200.0)}
    station.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
    station.wait(30.0)
    assert "Ended" not in [event["eventType"] for event in station.said("TransactionEvent")]
    assert station.closed()


@pytest.mark.req("C06", "E10", "E17")
@pytest.mark.parametrize("what", [comes_back, loses_power])
def test_another_vehicle_does_not_charge_on_the_address_of_the_first(what: Callable[[TestSystem], None]) -> None:
    station = by_mac(variables=KEPT | {"TxCtrlr.StopTxOnEVSideDisconnect": "false", "TxCtrlr.TxStopPoint": "Authorized"})
    comes(station)
    station.wait(10.0)
    assert station.closed()
    what(station)
    station.wait(10.0)
    station.tell(VehicleMatched(1, "02:00:5e:99:99:99", 4.0))
    station.wait(10.0)
    assert not station.closed()
    (ended,) = [event for event in station.said("TransactionEvent") if event["eventType"] == "Ended"]
    assert ended["transactionInfo"]["stoppedReason"] == "EVDisconnected"
