"""Certification cases of E04, E08, E11 to E14: transactions while the CSMS cannot be reached or does not answer, and what it may ask about them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.octt.states import cached, charges, station, token
from tests.octt.system import CARD, OTHER_CARD, Payload, TestSystem

BACK_OFF_S = 40.0
LINE = {
    "OCPPCommCtrlr.OfflineThreshold": "100",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum": "40",
    "OCPPCommCtrlr.RetryBackOffRandomRange": "0",
}
SAMPLED = LINE | {"SampledDataCtrlr.TxUpdatedInterval": "15", "SampledDataCtrlr.TxUpdatedMeasurands": "Energy.Active.Import.Register"}


def away(it: TestSystem, for_s: float = BACK_OFF_S) -> None:
    """The CSMS closes the connection, and takes one again after so long."""
    it.forget()
    it.offline()
    it.wait(for_s)
    it.online()


def queued(it: TestSystem, within_s: float = 60.0) -> list[Payload]:
    """All TransactionEvents that come now."""
    before = len(it.said("TransactionEvent"))
    it.wait(within_s)
    return it.said("TransactionEvent")[before:]


def of(it: TestSystem, transaction: str = "") -> Payload:
    return it.call("GetTransactionStatus", {"transactionId": transaction} if transaction else {})


def reconnected(it: TestSystem) -> None:
    """The line is there again; nothing has been asked or sent yet."""
    before = len(it.heap.frames)
    for _ in range(20_000):
        if it.heap._linked:
            break
        it.heap.run(0.01)
    assert len(it.heap.frames) <= before + 1


# ---- E11, E04, E08, E12: events wait


@pytest.mark.req("TC_E_40", "E11.FR.01", "E11.FR.02")
def test_tc_e_40_what_is_measured_meanwhile() -> None:
    it = station(variables=SAMPLED)
    _, transaction = charges(it)
    away(it)
    events = [event for event in queued(it, 30.0) if event["offline"]]
    assert len(events) >= 2
    for event in events:
        assert event["eventType"] == "Updated"
        assert event["transactionInfo"]["transactionId"] == transaction
        assert event["meterValue"]
    numbers = [event["seqNo"] for event in it.said("TransactionEvent")]
    assert numbers == list(range(len(numbers)))
    assert it.closed()


@pytest.mark.req("TC_E_43", "E12.FR.01", "E12.FR.02", "E04.FR.01", "E04.FR.02", "E04.FR.03")
@pytest.mark.parametrize("known", [True, False], ids=["cached", "unknown"])
@pytest.mark.req("E04.FR.04")
def test_tc_e_43_a_whole_transaction(*, known: bool) -> None:
    it = station(variables=LINE | {"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true", "TxCtrlr.EVConnectionTimeOut": "10"})
    if known:
        cached(it, CARD)
    it.forget()
    it.offline()
    it.plug()
    it.swipe()
    it.wait(20.0)
    assert it.closed()
    it.swipe()
    it.wait(5.0)
    assert not it.closed()
    it.unplug()
    it.wait(5.0)
    it.online()
    events = queued(it, 120.0)
    assert {event["offline"] for event in events} == {True}
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert (events[0]["eventType"], events[0]["idToken"]) == ("Started", token())
    assert (events[-1]["eventType"], events[-1]["transactionInfo"]["stoppedReason"]) == ("Ended", "Local")
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1


@pytest.mark.req("TC_E_44", "E08.FR.01", "E08.FR.04", "E08.FR.05", "E08.FR.06", "E08.FR.07", "E08.FR.08")
@pytest.mark.req("E08.FR.03")
def test_tc_e_44_its_end() -> None:
    it = station(stop="Authorized", socket=True, variables=LINE)
    _, transaction = charges(it)
    it.offline()
    it.wait(2.0)
    it.swipe()
    it.wait(5.0)
    assert not it.closed()
    assert it.evse().lock.locked is False
    it.unplug()
    it.wait(20.0)
    it.online()
    events = queued(it, 120.0)
    assert {event["offline"] for event in events} == {True}
    assert [(event["eventType"], event["triggerReason"]) for event in events] == [("Ended", "StopAuthorized")]
    assert events[0]["transactionInfo"]["transactionId"] == transaction
    assert events[0]["idToken"] == token()


@pytest.mark.req("TC_E_45", "E08.FR.02", "E08.FR.04", "E08.FR.05", "E08.FR.06", "E08.FR.07", "E08.FR.08")
def test_tc_e_45_its_end_by_another_of_the_group() -> None:
    groups = {CARD: "Family", OTHER_CARD: "Family"}
    it = station(stop="Authorized", variables=LINE | {"TxCtrlr.EVConnectionTimeOut": "10"}, groups=groups)
    cached(it, OTHER_CARD)
    _, transaction = charges(it)
    it.offline()
    it.wait(2.0)
    it.swipe(OTHER_CARD)
    it.wait(5.0)
    assert not it.closed()
    it.unplug()
    it.wait(20.0)
    it.online()
    events = queued(it, 120.0)
    assert {event["offline"] for event in events} == {True}
    assert [(event["eventType"], event["idToken"]) for event in events] == [("Ended", token(OTHER_CARD))]
    assert events[0]["transactionInfo"]["transactionId"] == transaction


def test_a_stranger_ends_nothing_meanwhile() -> None:
    it = station(stop="Authorized", variables=LINE)
    charges(it)
    it.offline()
    it.wait(2.0)
    it.swipe(OTHER_CARD)
    it.wait(10.0)
    assert it.closed()


@pytest.mark.req("E11.FR.07")
@pytest.mark.parametrize("by", ["line", "power"])
def test_what_the_csms_had_not_taken_when_the_line_broke_is_offline(by: str) -> None:
    it = station(variables=LINE | {"TxCtrlr.ResumptionTimeout": "600"})
    it.answers["TransactionEvent"] = lambda _payload: None
    it.plug()
    it.swipe()
    it.wait(10.0)
    assert [event["offline"] for event in it.said("TransactionEvent")] == [False]
    if by == "line":
        away(it)
    else:
        it.power_loss()
    del it.answers["TransactionEvent"]
    it.all.clear()
    it.forget()
    first, second, *_ = queued(it, 120.0)
    assert (first["eventType"], first["seqNo"], first["offline"]) == ("Started", 0, True)
    assert (second["transactionInfo"]["chargingState"], second["offline"]) == ("Charging", True)
    it.swipe()
    it.wait(5.0)
    assert it.said("TransactionEvent")[-1]["offline"] is False


# ---- E13: events that are not taken

ATTEMPTS = {
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "10",
    "OCPPCommCtrlr.MessageTimeout[Default]": "30",
}


def unwilling(taken: int, error: bool) -> tuple[TestSystem, list[float]]:
    """A vehicle begins to charge, and the CSMS does not take that event but at its nth sending; when it came."""
    came: list[float] = []

    def answer(payload: Payload) -> Payload | list[Any] | None:
        if payload["transactionInfo"].get("chargingState") != "Charging":
            return {}
        came.append(it.heap.now)
        if len(came) == taken:
            return {}
        return [4, "", "InternalError", "", {}] if error else None

    it = station("Authorized", variables=ATTEMPTS)
    it.answers["TransactionEvent"] = answer
    it.swipe()
    it.plug()
    return it, came


@pytest.mark.parametrize(
    ("error", "taken", "waits"),
    [
        pytest.param(False, 0, (40, 50), id="41", marks=pytest.mark.req("TC_E_41", "E13.FR.01", "E13.FR.02", "E13.FR.03", "E13.FR.04")),
        pytest.param(True, 0, (10, 20), id="50", marks=pytest.mark.req("TC_E_50", "E13.FR.01", "E13.FR.02", "E13.FR.03", "E13.FR.04")),
        pytest.param(False, 2, (40,), id="42", marks=pytest.mark.req("TC_E_42", "E13.FR.01", "E13.FR.02", "E13.FR.03")),
        pytest.param(True, 2, (10,), id="51", marks=pytest.mark.req("TC_E_51", "E13.FR.01", "E13.FR.02", "E13.FR.03")),
    ],
)
def test_tc_e_41_42_50_51_sent_again(*, error: bool, taken: int, waits: tuple[float, ...]) -> None:
    it, came = unwilling(taken, error)
    it.wait(300.0)
    assert [after - before for before, after in pairwise(came)] == [pytest.approx(each, abs=1.0) for each in waits]
    same = [event for event in it.said("TransactionEvent") if event["transactionInfo"].get("chargingState") == "Charging"]
    assert all(event == same[0] for event in same)
    it.forget()
    it.swipe()
    it.among("TransactionEvent", eventType="Ended")
    assert it.said("TransactionEvent")[-1]["seqNo"] > same[0]["seqNo"]


# ---- E14: the CSMS asks


@pytest.mark.req("TC_E_28", "E14.FR.01")
def test_tc_e_28_unknown() -> None:
    it = station()
    assert of(it, "0f3c1f8a-2222-4444-8888-1234567890ab") == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.req("TC_E_30", "E14.FR.02", "E14.FR.05")
def test_tc_e_30_ongoing_and_all_is_told() -> None:
    it = station()
    _, transaction = charges(it)
    assert of(it, transaction) == {"ongoingIndicator": True, "messagesInQueue": False}


@pytest.mark.req("TC_E_32", "E14.FR.03", "E14.FR.05")
def test_tc_e_32_ended_and_all_is_told() -> None:
    it = station()
    _, transaction = charges(it)
    it.swipe()
    it.tx("Ended")
    it.unplug()
    it.wait(5.0)
    assert of(it, transaction) == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.req("TC_E_34", "E14.FR.06", "E14.FR.08")
def test_tc_e_34_nothing_waits() -> None:
    assert of(station()) == {"messagesInQueue": False}


@pytest.mark.parametrize(
    ("named", "ends"),
    [
        pytest.param(True, False, id="29", marks=pytest.mark.req("TC_E_29", "E14.FR.02", "E14.FR.04")),
        pytest.param(True, True, id="31", marks=pytest.mark.req("TC_E_31", "E14.FR.03", "E14.FR.04")),
        pytest.param(False, False, id="33", marks=pytest.mark.req("TC_E_33", "E14.FR.06", "E14.FR.07")),
    ],
)
def test_tc_e_29_31_33_something_waits(*, named: bool, ends: bool) -> None:
    it = station(stop="Authorized", variables=SAMPLED)
    _, transaction = charges(it)
    it.offline()
    it.wait(20.0)
    if ends:
        it.swipe()
        it.wait(5.0)
        it.unplug()
    it.wait(15.0)
    it.forget()
    it.answers["TransactionEvent"] = lambda _payload: None
    it.online()
    reconnected(it)
    ongoing = {"ongoingIndicator": not ends} if named else {}
    assert of(it, transaction if named else "") == ongoing | {"messagesInQueue": True}
    del it.answers["TransactionEvent"]
    events = queued(it, 120.0)
    assert all(event["meterValue"] for event in events)
    assert events[0]["offline"] is True
    assert ("Ended" in [event["eventType"] for event in events]) is ends
    assert of(it, transaction if named else "")["messagesInQueue"] is False
