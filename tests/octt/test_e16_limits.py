"""Certification cases of E16 and F07: transactions with a fixed energy, time, cost or state of charge."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.events import Limits, LimitsWanted
from tests.octt.system import CARD, Answer, TestSystem

STOPPED = "SuspendedEVSE"


def limited(answers: dict[str, dict[str, Any]], answers_all: Answer | None = None, **variables: str) -> TestSystem:
    """Charging; the CSMS answers the first TransactionEvent of each trigger (or "Started") like this, or all of them."""
    left = dict(answers)

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        key = "Started" if payload["eventType"] == "Started" else payload["triggerReason"]
        return left.pop(key, {})

    variables.setdefault("SampledDataCtrlr_TxUpdatedInterval", "0")
    names = {key.replace("_", "."): value for key, value in variables.items()}
    station = TestSystem(variables=names, answers={"TransactionEvent": answers_all or answer}).booted()
    station.plug()
    station.swipe()
    station.expect("Authorize")
    station.tx("Started")
    return station


def limit_set(station: TestSystem, **limit: float) -> None:
    station.among("TransactionEvent", triggerReason="LimitSet", eventType="Updated", transactionInfo={"transactionLimit": limit})


def ends_with(station: TestSystem, trigger: str, within_s: float = 600.0) -> None:
    station.among("TransactionEvent", within_s, triggerReason=trigger, eventType="Updated", transactionInfo={"chargingState": STOPPED})
    station.wait(4.0)
    assert not station.closed()
    station.wait(60.0)
    told = [event["triggerReason"] for event in station.said("TransactionEvent")]
    assert set(told[told.index(trigger) :]) <= {trigger, "MeterValuePeriodic"}
    assert told.count(trigger) == 1


@pytest.mark.req("TC_E_100", "E16", "E16.FR.03", "E16.FR.05")
def test_tc_e_100_energy_by_the_csms() -> None:
    station = limited({"Started": {"transactionLimit": {"maxEnergy": 2000}}, "LimitSet": {"transactionLimit": {"maxEnergy": 30}}})
    limit_set(station, maxEnergy=2000)
    limit_set(station, maxEnergy=30)
    ends_with(station, "EnergyLimitReached")
    assert 30.0 <= station.evse().sample().energy_import_Wh < 45.0


@pytest.mark.req("TC_E_101", "E16", "E16.FR.03", "E16.FR.05", "E16.FR.15")
def test_tc_e_101_cost_as_the_csms_reckons_it() -> None:
    station = limited(
        {"Started": {"transactionLimit": {"maxCost": 45.3}}, "MeterValuePeriodic": {"totalCost": 50.0}},
        SampledDataCtrlr_TxUpdatedInterval="30",
    )
    limit_set(station, maxCost=45.3)
    ends_with(station, "CostLimitReached")


@pytest.mark.req("TC_E_102", "E16", "E16.FR.01")
def test_tc_e_102_the_lower_of_both() -> None:
    station = limited({"Started": {"transactionLimit": {"maxEnergy": 20_000, "maxTime": 3600}}})
    limit_set(station, maxEnergy=20_000, maxTime=3600)
    station.tell(LimitsWanted(1, Limits(energy_Wh=40.0)))
    limit_set(station, maxEnergy=40.0, maxTime=3600)
    ends_with(station, "EnergyLimitReached")


@pytest.mark.req("TC_E_104", "E16", "E16.FR.15")
def test_tc_e_104_cost_as_the_csms_goes_on_reckoning_it() -> None:
    totals = iter([50.34, 120.34])

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        if payload["eventType"] == "Started":
            return {"transactionLimit": {"maxCost": 99.13}}
        return {"totalCost": next(totals, 130.0)} if payload["triggerReason"] == "MeterValuePeriodic" else {}

    station = limited({}, answer, SampledDataCtrlr_TxUpdatedInterval="30")
    limit_set(station, maxCost=99.13)
    station.among("TransactionEvent", triggerReason="MeterValuePeriodic")
    station.wait(20.0)
    assert station.closed()
    ends_with(station, "CostLimitReached")


@pytest.mark.req("TC_E_105", "E16", "E16.FR.05", "E16.FR.09")
def test_time_by_the_csms() -> None:
    station = limited({"Started": {"transactionLimit": {"maxTime": 60}}})
    at = station.heap.now
    limit_set(station, maxTime=60)
    ends_with(station, "TimeLimitReached", within_s=62.0)
    assert station.heap.now - at < 130.0


@pytest.mark.req("TC_E_106", "E16", "E16.FR.01", "E16.FR.05")
def test_tc_e_106_energy_by_the_driver() -> None:
    station = limited({})
    station.tell(LimitsWanted(1, Limits(energy_Wh=20_000.0)))
    limit_set(station, maxEnergy=20_000)
    station.tell(LimitsWanted(1, Limits(energy_Wh=200.0)))
    limit_set(station, maxEnergy=200)
    ends_with(station, "EnergyLimitReached")


@pytest.mark.req("TC_E_107", "E16", "E16.FR.01", "E16.FR.05")
def test_tc_e_107_time_by_the_driver() -> None:
    station = limited({})
    station.tell(LimitsWanted(1, Limits(time_s=3600)))
    limit_set(station, maxTime=3600)
    station.tell(LimitsWanted(1, Limits(time_s=30)))
    limit_set(station, maxTime=30)
    ends_with(station, "TimeLimitReached")


def reached(**variables: str) -> TestSystem:
    station = limited({"Started": {"transactionLimit": {"maxEnergy": 30}}}, None, **variables)
    station.wait(30.0)
    return station


@pytest.mark.req("E16.FR.14")
def test_a_higher_bound_lets_energy_flow_again() -> None:
    station = reached()
    assert not station.closed()
    station.tell(LimitsWanted(1, Limits(energy_Wh=1.0)))
    station.wait(20.0)
    assert not station.closed()
    station.answers["TransactionEvent"] = {"transactionLimit": {"maxEnergy": 60}}
    station.tell(LimitsWanted(1, Limits(energy_Wh=1e6)))
    station.wait(10.0)
    assert station.closed()
    station.wait(30.0)
    assert not station.closed()
    assert 60.0 <= station.evse().sample().energy_import_Wh < 75.0


@pytest.mark.req("E16", "E16.FR.06")
def test_where_the_stop_point_is_energy_the_transaction_ends() -> None:
    station = reached(TxCtrlr_TxStopPoint="EnergyTransfer")
    station.among(
        "TransactionEvent", eventType="Ended", triggerReason="EnergyLimitReached", transactionInfo={"stoppedReason": "EnergyLimitReached"}
    )


@pytest.mark.req("E16.FR.03", "E16.FR.05")
def test_what_was_reached_is_echoed_once_and_the_end_is_the_drivers() -> None:
    station = reached()
    station.answers["TransactionEvent"] = {"transactionLimit": {"maxEnergy": 30}}
    station.forget()
    station.call("TriggerMessage", {"requestedMessage": "TransactionEvent"})
    station.tx("Updated", "Trigger", state="SuspendedEVSE")
    station.nothing("TransactionEvent", for_s=30.0)
    station.swipe()
    station.tx("Ended", "StopAuthorized", reason="Local")


@pytest.mark.req("E16.FR.04")
def test_a_driver_gets_no_more_than_the_csms_allows() -> None:
    station = limited({"Started": {"transactionLimit": {"maxEnergy": 60}}})
    limit_set(station, maxEnergy=60)
    station.tell(LimitsWanted(1, Limits(energy_Wh=20_000.0, time_s=3600)))
    limit_set(station, maxEnergy=60, maxTime=3600)
    ends_with(station, "EnergyLimitReached")
    assert station.evse().sample().energy_import_Wh < 75.0


@pytest.mark.req("E16.FR.10")
@pytest.mark.parametrize("limit", [{"maxEnergy": 10}, {"maxEnergy": -1}, {"maxTime": 5}, {"maxTime": -1}, {"maxCost": -1.0}])
@pytest.mark.parametrize("stop", ["EVConnected", "EnergyTransfer"])
def test_a_bound_that_is_passed_already_counts_at_once(limit: dict[str, float], stop: str) -> None:
    station = TestSystem(variables={"TxCtrlr.TxStopPoint": stop, "SampledDataCtrlr.TxUpdatedInterval": "0"}).booted()
    station.charging()
    station.wait(60.0)
    station.answers["TransactionEvent"] = {"transactionLimit": limit, "totalCost": 0.0}
    station.call("TriggerMessage", {"requestedMessage": "TransactionEvent"})
    limit_set(station, **limit)
    station.wait(10.0)
    assert not station.closed()
    event = station.said("TransactionEvent")[-1]
    assert event["triggerReason"].removesuffix("LimitReached").lower() == next(iter(limit)).removeprefix("max").lower()
    assert event["eventType"] == ("Ended" if stop == "EnergyTransfer" else "Updated")


@pytest.mark.req("E16.FR.17")
def test_a_bound_that_is_not_named_again_stands() -> None:
    station = limited({"Started": {"transactionLimit": {"maxEnergy": 40}}, "LimitSet": {"transactionLimit": {"maxTime": 3600}}})
    limit_set(station, maxEnergy=40)
    limit_set(station, maxEnergy=40, maxTime=3600)
    station.tell(LimitsWanted(1, Limits(cost=5.0)))
    limit_set(station, maxEnergy=40, maxTime=3600, maxCost=5.0)
    station.tell(LimitsWanted(1, Limits()))
    ends_with(station, "EnergyLimitReached")


@pytest.mark.req("F07", "F07.FR.03", "F07.FR.04")
def test_the_csms_starts_and_bounds() -> None:
    station = TestSystem(variables={"SampledDataCtrlr.TxUpdatedInterval": "0"}).booted()
    station.answers["TransactionEvent"] = lambda it: {"transactionLimit": {"maxEnergy": 30}} if it["eventType"] == "Started" else {}
    station.plug()
    request = {"idToken": {"idToken": CARD, "type": "ISO14443"}, "remoteStartId": 9, "evseId": 1}
    assert station.call("RequestStartTransaction", request)["status"] == "Accepted"
    station.expect("Authorize")
    station.tx("Started", "RemoteStart", remote=9)
    limit_set(station, maxEnergy=30)
    ends_with(station, "EnergyLimitReached")
    told = [event for event in station.said("TransactionEvent") if "transactionLimit" in event["transactionInfo"]]
    assert len(told) == 1


RESUMES = {"TxCtrlr.ResumptionTimeout": "999", "TxCtrlr.AllowEnergyTransferResumption": "true"}


def cut_past_its_time(**variables: str) -> tuple[TestSystem, str]:
    """Charging for 60 s at the most, and the power goes for longer."""
    station = TestSystem(variables=RESUMES | {key.replace("_", "."): value for key, value in variables.items()}).booted()
    station.answers["TransactionEvent"] = lambda p: {"transactionLimit": {"maxTime": 60}} if p["eventType"] == "Started" else {}
    transaction = station.charging()
    station.power_loss(120.0)
    station.expect("BootNotification")
    return station, transaction


@pytest.mark.req("E16.FR.05", "E16.FR.09", "E17.FR.14")
def test_a_time_that_is_over_when_the_power_comes_back() -> None:
    station, transaction = cut_past_its_time()
    station.tx("Updated", "TxResumed", transaction=transaction, state=STOPPED, within_s=5.0)
    station.tx("Updated", "TimeLimitReached", transaction=transaction, state=STOPPED, within_s=10.0)
    station.nothing()
    assert not station.closed()


@pytest.mark.req("E16.FR.06", "E16.FR.09", "E17.FR.14")
def test_a_time_that_is_over_when_the_power_comes_back_is_the_end_where_energy_is() -> None:
    station, transaction = cut_past_its_time(TxCtrlr_TxStopPoint="EnergyTransfer")
    station.tx("Updated", "TxResumed", transaction=transaction, state=STOPPED, within_s=5.0)
    station.tx("Ended", "TimeLimitReached", transaction=transaction, reason="TimeLimitReached", within_s=10.0)
    station.nothing()
    assert not station.closed()


@pytest.mark.req("E16.FR.06", "E16.FR.09")
def test_a_time_that_is_over_before_any_energy_flows() -> None:
    station = TestSystem(variables={"TxCtrlr.TxStartPoint": "EVConnected", "TxCtrlr.TxStopPoint": "EnergyTransfer"})
    station.answers["TransactionEvent"] = lambda p: {"transactionLimit": {"maxTime": 60}} if p["eventType"] == "Started" else {}
    station.booted().plug(ready=False)
    station.among("TransactionEvent", triggerReason="LimitSet")
    station.tx("Ended", "TimeLimitReached", 65.0, reason="TimeLimitReached")


@pytest.mark.req("E16.FR.05", "E16.FR.10")
@pytest.mark.parametrize("most", [0.0, -1.0])
def test_a_balance_of_nothing_is_used_up_before_anybody_says_what_it_costs(most: float) -> None:
    station = limited({"Started": {"transactionLimit": {"maxCost": most}}})
    limit_set(station, maxCost=most)
    ends_with(station, "CostLimitReached")
    assert station.evse().sample().energy_import_Wh == 0.0


@pytest.mark.req("E16.FR.14", "E16.FR.15", "I02.FR.02")
def test_the_csms_says_by_itself_what_it_costs() -> None:
    station = limited({"Started": {"transactionLimit": {"maxCost": 5.0}}, "CostLimitReached": {"transactionLimit": {"maxCost": 9.0}}})
    transaction = station.said("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    limit_set(station, maxCost=5.0)
    assert station.call("CostUpdated", {"totalCost": 4.5, "transactionId": transaction}) == {}
    station.wait(20.0)
    assert station.closed()
    station.power_loss()
    station.wait(10.0)
    assert station.refused("CostUpdated", {"totalCost": 5.0, "transactionId": transaction})


@pytest.mark.req("E16.FR.14", "E16.FR.15", "I02.FR.02")
def test_what_the_csms_says_of_the_cost_counts_over_a_restart_too() -> None:
    station = limited(
        {"Started": {"transactionLimit": {"maxCost": 5.0}}, "CostLimitReached": {"transactionLimit": {"maxCost": 9.0}}},
        TxCtrlr_ResumptionTimeout="999",
        TxCtrlr_AllowEnergyTransferResumption="true",
    )
    transaction = station.said("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    limit_set(station, maxCost=5.0)
    station.power_loss()
    station.wait(15.0)
    assert station.closed()
    assert station.call("CostUpdated", {"totalCost": 5.0, "transactionId": transaction}) == {}
    station.among("TransactionEvent", triggerReason="CostLimitReached", transactionInfo={"chargingState": STOPPED})
    limit_set(station, maxCost=9.0)
    station.wait(20.0)
    assert station.closed()


@pytest.mark.req("I02.FR.02")
def test_a_cost_that_bounds_nothing_is_not_taken() -> None:
    station = limited({})
    transaction = station.said("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    assert station.refused("CostUpdated", {"totalCost": 5.0, "transactionId": transaction}) == "NotSupported"
    assert station.refused("CostUpdated", {"totalCost": 5.0, "transactionId": "another"}) == "NotSupported"
