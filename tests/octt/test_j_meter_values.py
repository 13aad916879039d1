"""Certification cases of J01 and J02: clock-aligned and sampled meter values, without and within transactions."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from chargepoint.metering import MEASURANDS
from hal.types import TokenPresented
from tests.octt.states import charges, listed, station
from tests.octt.system import CARD, Payload, TestSystem

ALIGNED = "AlignedDataCtrlr"
SAMPLED = "SampledDataCtrlr"
SOME = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
PHASES = {"Current.Import": {"L1", "L2", "L3"}, "Current.Export": {"L1", "L2", "L3"}, "Voltage": {"L1-N", "L2-N", "L3-N"}}
BY_AC = [name for name in MEASURANDS if name != "SoC"]


def at(payload: Payload) -> float:
    """POSIX seconds of its timestamp."""
    return datetime.fromisoformat(payload["timestamp"]).timestamp()


def contexts(value: Payload) -> set[str]:
    return {sampled.get("context", "Sample.Periodic") for sampled in value["sampledValue"]}


def complete(value: Payload, measurands: str, context: str) -> None:
    """One element for each of these, per phase where there are phases, all taken for this."""
    told: dict[str, set[str]] = {}
    for sampled in value["sampledValue"]:
        told.setdefault(sampled.get("measurand", "Energy.Active.Import.Register"), set()).add(sampled.get("phase", ""))
    assert told == {name: PHASES.get(name, {""}) for name in measurands.split(",")}
    assert contexts(value) == {context}


def on_the_dot(values: list[Payload], interval_s: float) -> None:
    """At boundaries of the clock, one after the other, none left out."""
    times = [at(value) for value in values]
    assert all(time % interval_s == 0 for time in times), times
    assert [after - before for before, after in pairwise(times)] == [interval_s] * (len(times) - 1), times


def aligned(**rows: str) -> dict[str, str]:
    """Clock-aligned data, and sampled ones only where they are asked for."""
    rows = {f"{ALIGNED}.Interval": "60", f"{ALIGNED}.Measurands": SOME} | {key.replace("_", "."): value for key, value in rows.items()}
    return {f"{SAMPLED}.Enabled": "false", **rows}


def values_of(it: TestSystem, **wanted: str) -> list[Payload]:
    """The meter values of TransactionEvents like these, in order."""
    events = [event for event in it.said("TransactionEvent") if all(event[key] == value for key, value in wanted.items())]
    return [value for event in events for value in event.get("meterValue", ())]


def begins(it: TestSystem, how: str, evse: int = 1) -> None:
    """A transaction, with the cable or the card first, one that the list knows offline, or one that the list knows and the CSMS then refuses."""
    if how in ("offline", "refused"):
        listed(it, {CARD: "Accepted"})
    if how == "refused":
        it.tokens[CARD] = "Invalid"
    if how == "offline":
        it.offline()
    if how == "cable":
        it.plug(evse)
        it.wait(5.0)
    it.tell(TokenPresented(CARD, "ISO14443", (evse,)))
    it.wait(5.0)
    if how != "cable":
        it.plug(evse)
        it.wait(5.0)


def reachable(it: TestSystem) -> None:
    """The CSMS is there again, and has been told."""
    it.online()
    it.wait(120.0)


def ends(it: TestSystem, how: str) -> Payload:
    """A transaction that goes on: by its card, or because the cable is pulled at the vehicle; its last event."""
    if how in ("offline", "whole"):
        it.offline()
        it.wait(1.0)
    if how in ("pulled", "not back"):
        it.evse().unplug_vehicle()
    elif how == "remote":
        transaction = it.said("TransactionEvent")[0]["transactionInfo"]["transactionId"]
        assert it.call("RequestStopTransaction", {"transactionId": transaction}) == {"status": "Accepted"}
    else:
        it.swipe()
    it.wait(20.0)
    if how in ("offline", "whole"):
        reachable(it)
    (ended,) = [event for event in it.said("TransactionEvent") if event["eventType"] == "Ended"]
    assert ended["offline"] is (how in ("offline", "whole"))
    trigger = {"pulled": "EVCommunicationLost", "not back": "EVConnectTimeout", "remote": "RemoteStop"}.get(how, "StopAuthorized")
    assert ended["triggerReason"] == trigger
    return ended


BACK_OFF = {"OCPPCommCtrlr.RetryBackOffWaitMinimum": "5", "OCPPCommCtrlr.RetryBackOffRandomRange": "0"}
NOT_BACK = {"TxCtrlr.StopTxOnEVSideDisconnect": "false", "TxCtrlr.EVConnectionTimeOut": "10"}
ENDS = pytest.mark.parametrize(
    "how",
    [
        pytest.param("card", marks=pytest.mark.req("E06.FR.11", "E07.FR.08")),
        pytest.param("offline", marks=pytest.mark.req("E08.FR.09")),
        pytest.param("pulled", marks=pytest.mark.req("E09.FR.05")),
        pytest.param("not back", marks=pytest.mark.req("E10.FR.04")),
        pytest.param("whole", marks=pytest.mark.req("E12.FR.07")),
    ],
)


def going_on(how: str, variables: dict[str, str]) -> TestSystem:
    """One that will end so has begun."""
    rows = variables | BACK_OFF | (NOT_BACK if how == "not back" else {})
    it = station(stop="Authorized", variables=rows)
    begins(it, "offline" if how == "whole" else "cable")
    return it


# ---- J01


@pytest.mark.req("TC_J_01", "J01.FR.01", "J01.FR.02", "J01.FR.06", "J01.FR.07", "J01.FR.08", "J01.FR.14")
@pytest.mark.parametrize("interval", ["30", "60", "900"])
@pytest.mark.req("J01.FR.05", "J01.FR.10", "J01.FR.17")
def test_tc_j_01_no_transaction(interval: str) -> None:
    it = station(variables=aligned(AlignedDataCtrlr_Interval=interval), evses=2)
    it.ignores -= {"MeterValues"}
    heard: dict[int, list[Payload]] = {1: [], 2: []}
    for _ in range(6):
        told = it.expect("MeterValues", 2000.0)
        (value,) = told["meterValue"]
        complete(value, SOME, "Sample.Clock")
        heard[told["evseId"]].append(value)
    for values in heard.values():
        on_the_dot(values, float(interval))
    assert [at(value) for value in heard[1]] == [at(value) for value in heard[2]]


@pytest.mark.req("TC_J_02", "J01.FR.01", "J01.FR.02", "J01.FR.06", "J01.FR.07", "J01.FR.08", "J01.FR.14")
@pytest.mark.req("J01.FR.22")
def test_tc_j_02_a_transaction_is_going_on() -> None:
    it = station(variables=aligned(), evses=2)
    charges(it)
    before = len(it.said("MeterValues"))
    for _ in range(3):
        event = it.tx("Updated", "MeterValueClock", 70.0)
        (value,) = event["meterValue"]
        complete(value, SOME, "Sample.Clock")
        assert event["timestamp"] == value["timestamp"]
    on_the_dot(values_of(it, triggerReason="MeterValueClock"), 60.0)
    it.wait(1.0)
    others = it.said("MeterValues")[before:]
    assert {told["evseId"] for told in others} == {2}
    on_the_dot([value for told in others for value in told["meterValue"]], 60.0)


@pytest.mark.req("TC_J_03", "J01.FR.01", "J01.FR.02", "J01.FR.06", "J01.FR.07", "J01.FR.08", "J01.FR.14")
@ENDS
def test_tc_j_03_at_its_end(how: str) -> None:
    rows = {f"{ALIGNED}.Interval": "0", f"{ALIGNED}.TxEndedInterval": "30", f"{ALIGNED}.TxEndedMeasurands": SOME}
    it = going_on(how, aligned() | rows)
    it.wait(117.0)
    assert values_of(it) == []
    values = ends(it, how)["meterValue"]
    begun, ended = (at(event) for event in (it.said("TransactionEvent")[0], it.said("TransactionEvent")[-1]))
    assert len(values) == ended // 30 - begun // 30 >= 4
    for value in values:
        complete(value, SOME, "Sample.Clock")
    on_the_dot(values, 30.0)


@pytest.mark.req("TC_J_06", "J01.FR.20")
@pytest.mark.req("J01.FR.19")
def test_tc_j_06_nothing_while_a_transaction_is_going_on() -> None:
    it = station(variables=aligned(AlignedDataCtrlr_SendDuringIdle="true"), evses=2)
    it.among("MeterValues", evseId=1)
    charges(it)
    before = len(it.said("MeterValues"))
    it.wait(190.0)
    assert len(it.said("MeterValues")) == before
    it.swipe()
    it.wait(3.0)
    it.unplug()
    assert values_of(it) == []
    value = it.among("MeterValues", 70.0, evseId=1)["meterValue"][0]
    complete(value, SOME, "Sample.Clock")
    assert at(value) % 60 == 0


@pytest.mark.parametrize("name", BY_AC)
def test_each_measurand_that_a_meter_knows(name: str) -> None:
    both = {f"{ALIGNED}.Measurands": name, f"{SAMPLED}.Enabled": "true", f"{SAMPLED}.TxUpdatedInterval": "30"}
    it = station(variables=aligned() | both | {f"{SAMPLED}.TxUpdatedMeasurands": name, f"{SAMPLED}.TxEndedMeasurands": name})
    charges(it)
    it.wait(125.0)
    it.swipe()
    for trigger, context in (("MeterValueClock", "Sample.Clock"), ("MeterValuePeriodic", "Sample.Periodic")):
        values = values_of(it, triggerReason=trigger)
        assert values
        complete(values[-1], name, context)
        for sampled in values[-1]["sampledValue"]:
            assert sampled["unitOfMeasure"]["unit"] == MEASURANDS[name].unit
    if not name.endswith("Interval"):
        complete(values_of(it, eventType="Ended")[-1], name, "Transaction.End")


@pytest.mark.req("J02.FR.16")
def test_an_interval_is_what_has_flowed_since_the_value_before() -> None:
    names = "Energy.Active.Import.Register,Energy.Active.Import.Interval"
    it = station(variables=aligned(AlignedDataCtrlr_Measurands=names))
    charges(it)
    it.wait(300.0)
    told = [
        {sampled["measurand"].rpartition(".")[2]: sampled["value"] for sampled in value["sampledValue"]}
        for value in values_of(it, triggerReason="MeterValueClock")
    ]
    assert len(told) >= 4
    for before, after in pairwise(told):
        assert after["Interval"] == pytest.approx(after["Register"] - before["Register"], abs=0.2)
        assert after["Interval"] > 0


# ---- J02


REFUSED = {"TxCtrlr.StopTxOnInvalidId": "false", "TxCtrlr.MaxEnergyOnInvalidId": "1000"}


@pytest.mark.req("TC_J_07", "J02.FR.01", "J02.FR.02", "J02.FR.03", "J02.FR.04", "J02.FR.10", "E01.FR.09")
@pytest.mark.parametrize("start", ["EVConnected", "PowerPathClosed", "EnergyTransfer"])
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("cable", marks=pytest.mark.req("E02.FR.09")),
        pytest.param("card", marks=pytest.mark.req("E03.FR.07")),
        pytest.param("offline", marks=pytest.mark.req("E04.FR.05")),
        pytest.param("refused", marks=pytest.mark.req("E05.FR.05")),
    ],
)
def test_tc_j_07_where_the_evse_is_known(how: str, start: str) -> None:
    it = station(start, variables=BACK_OFF | REFUSED | {f"{SAMPLED}.TxStartedMeasurands": SOME})
    begins(it, how)
    reachable(it)
    started, *later = it.said("TransactionEvent")
    assert (started["eventType"], started["offline"]) == ("Started", how == "offline")
    (value,) = started["meterValue"]
    complete(value, SOME, "Transaction.Begin")
    assert not any("meterValue" in event for event in later)


@pytest.mark.req("TC_J_08", "J02.FR.01", "J02.FR.02", "J02.FR.03", "J02.FR.04", "J02.FR.10", "E01.FR.17")
@pytest.mark.parametrize("evse", [1, 2])
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("card", marks=pytest.mark.req("E03.FR.11")),
        pytest.param("offline", marks=pytest.mark.req("E04.FR.11")),
        pytest.param("refused", marks=pytest.mark.req("E05.FR.08")),
    ],
)
@pytest.mark.req("E02.FR.21")
def test_tc_j_08_where_the_evse_is_not_known_yet(how: str, evse: int) -> None:
    it = station("Authorized", variables=BACK_OFF | REFUSED | {f"{SAMPLED}.TxStartedMeasurands": SOME}, evses=2)
    begins(it, how, evse)
    reachable(it)
    started, plugged, *later = it.said("TransactionEvent")
    assert (started["eventType"], "meterValue" in started, "evse" in started) == ("Started", False, False)
    assert started["offline"] is (how == "offline")
    assert (plugged["eventType"], plugged["evse"]) == ("Updated", {"id": evse, "connectorId": 1})
    (value,) = plugged["meterValue"]
    complete(value, SOME, "Transaction.Begin")
    assert not any("meterValue" in event for event in later)


@pytest.mark.req("TC_J_09", "J02.FR.01", "J02.FR.02", "J02.FR.03", "J02.FR.04", "J02.FR.10", "J02.FR.11")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("cable", marks=pytest.mark.req("E02.FR.10")),
        pytest.param("card", marks=pytest.mark.req("E03.FR.08")),
        pytest.param("offline", marks=pytest.mark.req("E04.FR.06")),
        pytest.param("meanwhile", marks=pytest.mark.req("E11.FR.03")),
        pytest.param("whole", marks=pytest.mark.req("E12.FR.03")),
    ],
)
@pytest.mark.req("J02.FR.06", "J02.FR.18")
def test_tc_j_09_while_it_goes_on(how: str) -> None:
    """`offline`: it begins while the CSMS cannot be reached, `whole`: and ends then; `meanwhile`: neither, but for a time in between."""
    it = station(variables=BACK_OFF | {f"{SAMPLED}.TxUpdatedInterval": "20", f"{SAMPLED}.TxUpdatedMeasurands": SOME})
    begins(it, {"meanwhile": "cable", "whole": "offline"}.get(how, how))
    gone = it.utc(-10.0)
    if how == "meanwhile":
        it.wait(20.0)
        gone = it.utc()
        it.offline()
    it.wait(65.0)
    if how == "whole":
        it.wait(60.0)
        it.swipe()
        it.wait(5.0)
    back = it.utc()
    reachable(it)
    values = values_of(it, triggerReason="MeterValuePeriodic")
    assert len(values) >= 6
    for value in values:
        complete(value, SOME, "Sample.Periodic")
    times = [at(value) for value in values]
    assert [after - before for before, after in pairwise(times)] == [pytest.approx(20.0, abs=0.1)] * (len(times) - 1)
    events = it.said("TransactionEvent")
    away = how in ("offline", "meanwhile", "whole")
    assert {event["offline"] for event in events if gone < event["timestamp"] < back} == {away}
    assert {event["offline"] for event in events} == {away, how == "whole"}
    assert (events[-1]["eventType"] == "Ended") is (how == "whole")


@pytest.mark.req("TC_J_10", "J02.FR.01", "J02.FR.02", "J02.FR.03", "J02.FR.04", "J02.FR.10")
@ENDS
def test_tc_j_10_at_its_end(how: str) -> None:
    it = going_on(how, {f"{SAMPLED}.TxEndedInterval": "30", f"{SAMPLED}.TxEndedMeasurands": SOME})
    it.wait(117.0)
    ended = ends(it, how)
    begin, *periodic, end = ended["meterValue"]
    assert contexts(begin) == {"Transaction.Begin"}
    complete(end, SOME, "Transaction.End")
    assert len(periodic) == 4
    for value in periodic:
        complete(value, SOME, "Sample.Periodic")
    times = [at(value) for value in (begin, *periodic)]
    assert [after - before for before, after in pairwise(times)] == [pytest.approx(30.0, abs=0.1)] * 4


# ---- the rows


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        *((f"{ALIGNED}.{row}", ("0", "900"), ("-1", "86401", "x")) for row in ("Interval", "TxEndedInterval")),
        *((f"{SAMPLED}.{row}", ("0", "900"), ("-1", "86401", "x")) for row in ("TxUpdatedInterval", "TxEndedInterval")),
        *((f"{ALIGNED}.{row}", ("", SOME), ("Volts", f"{SOME},Temperature")) for row in ("Measurands", "TxEndedMeasurands")),
        *((f"{SAMPLED}.Tx{when}Measurands", ("", SOME), ("Volts", f"{SOME},Temperature")) for when in ("Started", "Updated", "Ended")),
        (f"{ALIGNED}.Enabled", ("true", "false"), ("yes",)),
        (f"{SAMPLED}.Enabled", ("true", "false"), ("yes",)),
        (f"{ALIGNED}.SendDuringIdle", ("true", "false"), ("yes",)),
        (f"{ALIGNED}.Available", (), ("false",)),
        (f"{SAMPLED}.Available", (), ("false",)),
        (f"{SAMPLED}.RegisterValuesWithoutPhases", (), ("false",)),
    ],
)
def test_rows(name: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    it = station()
    before = it.get(name)
    for value in bad:
        assert it.set(name, value) == "Rejected"
        assert it.get(name) == before
    for value in good:
        assert it.set(name, value) == "Accepted"
        assert it.get(name) == value


@pytest.mark.parametrize("name", [f"{ALIGNED}.SignReadings", f"{SAMPLED}.SignReadings", "OCPPCommCtrlr.PublicKeyWithSignedMeterValue"])
def test_where_no_meter_signs_nothing_can_be_signed(name: str) -> None:
    it = station()
    assert it.set(name, "true") in ("UnknownComponent", "UnknownVariable")


@pytest.mark.parametrize("component", [ALIGNED, SAMPLED])
def test_what_is_disabled_is_not_told(component: str) -> None:
    rows: dict[str, Any] = {f"{ALIGNED}.Interval": "30", f"{SAMPLED}.TxUpdatedInterval": "30", f"{component}.Enabled": "false"}
    it = station(variables=rows)
    charges(it)
    it.wait(100.0)
    it.swipe()
    told = {event["triggerReason"] for event in it.said("TransactionEvent")}
    assert ("MeterValueClock" in told) is (component == SAMPLED)
    assert ("MeterValuePeriodic" in told) is (component == ALIGNED)
