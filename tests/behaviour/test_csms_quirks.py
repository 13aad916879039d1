"""Twenty things that real CSMSs do to a station, each as a test; the numbers are those of the project's list of quirks.

Those of the connection itself (1, 9, 19) are shown on real sockets in tests/unit/runtime/test_csms_port.py, _tls.py and _connection.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargepoint.commands import CloseLink, OpenLink, SendText
from chargepoint.events import LinkDown, LinkUp
from chargepoint.ocpp import schemas
from chargepoint.ocpp.timestamps import parse_timestamp
from hal.types import TokenPresented
from tests.behaviour.csms_side import CsmsSide
from tests.replay.stories import CARD, csms


def boots(side: CsmsSide) -> list[dict[str, Any]]:
    return side.calls("BootNotification")


def events(side: CsmsSide) -> list[dict[str, Any]]:
    return side.calls("TransactionEvent")


def test_01_no_subprotocol_is_a_failure_and_no_guess() -> None:
    side = CsmsSide()
    side.heap.lose_link()
    side.heap.run(0.1)
    before = len(side.heap.frames)
    side.heap.tell(LinkUp(99, ""))  # a port that would let it pass: nothing is sent all the same
    side.heap.run(1.0)
    assert side.heap.frames[before:] == []


@pytest.mark.req("F03.FR.02")
def test_02_a_stop_before_the_started_is_answered() -> None:
    side = CsmsSide(lambda i, action, p: None if action == "TransactionEvent" else csms(i, action, p))
    side.charge()
    (started,) = events(side)
    assert side.ask("RequestStopTransaction", {"transactionId": started["transactionInfo"]["transactionId"]})[2] == {"status": "Accepted"}
    side.heap.run(6.0)
    assert not side.closed


def test_03_one_call_at_a_time_and_answers_that_wait_for_none_of_ours() -> None:
    outstanding: list[str] = []
    asked: list[str] = []

    def strict(message_id: str, action: str, payload: Any) -> Any:
        assert outstanding == [], "Call already in progress"
        outstanding.append(message_id)
        side_of[0].heap.later(0.4, lambda: done(message_id, action, payload))
        if action in {"StatusNotification", "Authorize", "TransactionEvent"} and len(asked) < 40:
            asked.append(f"a{len(asked)}")
            side_of[0].heap.receive([2, asked[-1], "GetLocalListVersion", {}])
        return None

    def done(message_id: str, action: str, payload: Any) -> None:
        outstanding.remove(message_id)
        side_of[0].heap.receive([3, message_id, csms(message_id, action, payload)])

    side = CsmsSide()
    side_of = [side]
    side.heap.csms = strict
    side.charge()
    side.heap.world.evses[1].unplug_vehicle()
    side.heap.run(20.0)
    assert asked
    answered = [frame[1] for frame in side.heap.frames if frame[0] == 3]
    assert [each for each in answered if each.startswith("a")] == asked


def test_04_the_csms_overwrites_intervals_right_after_the_boot() -> None:
    side = CsmsSide()
    data = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}, "attributeValue": "5"}
    assert side.ask("SetVariables", {"setVariableData": [data]})[2]["setVariableResult"][0]["attributeStatus"] == "Accepted"
    side.charge()
    side.heap.run(21.0)
    assert [e["triggerReason"] for e in events(side)].count("MeterValuePeriodic") in (4, 5, 6)


def report(side: CsmsSide) -> list[dict[str, Any]]:
    side.ask("GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
    side.heap.run(5.0)
    return side.calls("NotifyReport")


@pytest.mark.req("B07")
def test_05_the_report_names_the_evse_component_with_its_id() -> None:
    places = [data["component"] for part in report(CsmsSide()) for data in part["reportData"]]
    assert {"name": "EVSE", "evse": {"id": 1}} in places


@pytest.mark.req("C01")
def test_06_a_callerror_to_authorize_is_a_card_that_may_not_charge_and_nothing_worse() -> None:
    def picky(message_id: str, action: str, payload: Any) -> Any:
        if action == "Authorize" and len(payload["idToken"]["idToken"]) not in (8, 14):
            return [4, message_id, "PropertyConstraintViolation", "no hex of a card", {}]
        return csms(message_id, action, payload)

    side = CsmsSide(picky)
    side.heap.tell(TokenPresented("not hex", "ISO14443", (1,)))
    side.heap.run(5.0)
    side.charge()
    assert events(side)[0]["idToken"]["idToken"] == CARD


@pytest.mark.req("F-7", "E13.FR.02")
def test_07_a_callerror_to_a_transaction_event_stalls_nothing() -> None:
    refused = [3]

    def unwilling(message_id: str, action: str, payload: Any) -> Any:
        if action == "TransactionEvent" and refused[0]:
            refused[0] -= 1
            return [4, message_id, "InternalError", "later", {}]
        return csms(message_id, action, payload)

    side = CsmsSide(unwilling)
    side.charge()
    side.heap.run(300.0)
    side.heap.world.evses[1].unplug_vehicle()
    side.heap.run(60.0)
    numbers = [e["seqNo"] for e in events(side)]
    assert numbers[:4] == [0, 0, 0, 0]
    assert sorted(set(numbers)) == list(range(max(numbers) + 1))
    assert events(side)[-1]["eventType"] == "Ended"


def test_08_a_boot_that_gets_a_callerror_for_ever_is_no_flood() -> None:
    side = CsmsSide(lambda message_id, action, payload: [4, message_id, "InternalError", "no", {}])
    side.heap.run(3600.0)
    assert {frame[2] for frame in side.heap.frames if frame[0] == 2} == {"BootNotification"}
    assert 3 <= len(boots(side)) <= 16


@pytest.mark.req("S-17", "B01.FR.08")
def test_10_a_socket_closed_every_five_seconds_boots_once_and_keeps_its_transaction() -> None:
    side = CsmsSide()
    side.charge()
    for _ in range(30):
        side.heap.run(5.0)
        side.heap.lose_link("closed")
    side.heap.run(120.0)
    assert side.closed
    assert len(boots(side)) == 1
    assert len({e["transactionInfo"]["transactionId"] for e in events(side)}) == 1
    dialled = sum(isinstance(c, OpenLink) for c in side.heap.commands)
    assert 3 <= dialled <= 25


@pytest.mark.req("F-3")
@pytest.mark.parametrize(
    "text", ["2026-01-01T00:00:09.123456+00:00", "2026-01-01T00:00:09Z", "2026-01-01T02:00:09.1+02:00", "2025-12-31T19:00:09-05:00", "2026-01-01 00:00:09Z"]
)  # fmt: skip
def test_11_every_way_to_write_the_time(text: str) -> None:
    def dated(message_id: str, action: str, payload: Any) -> Any:
        return (
            {"currentTime": text, "interval": 300, "status": "Accepted"}
            if action == "BootNotification"
            else csms(message_id, action, payload)
        )

    side = CsmsSide(dated)
    side.heap.run(1.0)
    assert parse_timestamp(side.calls("StatusNotification")[0]["timestamp"]) == pytest.approx(1_767_225_609.0, abs=0.3)


def test_12_a_tariff_in_the_answer_to_authorize_is_no_reason_to_refuse() -> None:
    tariff = {"tariffId": "t", "currency": "EUR", "energy": {"prices": [{"priceKwh": 0.3}]}}

    def with_tariff(message_id: str, action: str, payload: Any) -> Any:
        return {"idTokenInfo": {"status": "Accepted"}, "tariff": tariff} if action == "Authorize" else csms(message_id, action, payload)

    side = CsmsSide(with_tariff)
    side.charge()


@pytest.mark.parametrize("token", ["A" * 20, "0" * 16, "04a1b2c3d4e5f6", "x" * 255])
def test_13_a_token_passes_as_it_was_presented(token: str) -> None:
    side = CsmsSide(lambda i, action, p: {"idTokenInfo": {"status": "Accepted"}} if action == "Authorize" else csms(i, action, p))
    side.heap.tell(TokenPresented(token, "ISO14443", (1,)))
    side.heap.run(1.0)
    assert side.calls("Authorize")[0]["idToken"]["idToken"] == token


@pytest.mark.req("E01.FR.16", "E04.FR.03")
def test_14_seq_no_offline_and_connector_id_are_there() -> None:
    side = CsmsSide()
    side.charge()
    side.heap.reachable = False
    side.heap.lose_link()
    side.heap.world.evses[1].unplug_vehicle()
    side.heap.run(10.0)
    side.heap.reachable = True
    side.heap.run(400.0)
    found = events(side)
    assert [e["seqNo"] for e in found] == list(range(len(found)))
    assert [e["evse"] for e in found if "evse" in e] == [{"id": 1, "connectorId": 1}]
    assert found[0]["offline"] is False
    assert found[-1]["offline"] is True


def test_15_no_answer_is_cut_and_no_part_of_a_report_is_large() -> None:
    side = CsmsSide()
    report(side)
    for command in side.heap.commands:
        if isinstance(command, SendText):
            json.loads(command.text)
            assert len(command.text) < 10_000


@pytest.mark.req("J02")
def test_16_measurands_and_units_are_the_schemas_own() -> None:
    side = CsmsSide()
    everything = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Frequency,Current.Offered,Power.Offered"
    data = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedMeasurands"}, "attributeValue": everything}
    side.ask("SetVariables", {"setVariableData": [data]})
    side.charge()
    side.heap.run(130.0)
    sampled = [s for e in events(side) for v in e.get("meterValue", []) for s in v["sampledValue"]]
    assert {s["measurand"] for s in sampled if "measurand" in s} >= {"Voltage", "Current.Import", "Power.Active.Import"}
    for each in sampled:
        assert each.get("measurand", "x").strip() == each.get("measurand", "x")
    for event in events(side):
        assert schemas.check("v21", "TransactionEventRequest", event, received=True) is None


@pytest.mark.req("B02.FR.01", "F-6")
def test_17_calls_before_the_boot_is_accepted_are_answered_and_late_answers_do_no_harm() -> None:
    def pending(message_id: str, action: str, payload: Any) -> Any:
        if action == "BootNotification":
            return {"currentTime": "2026-01-01T00:00:00Z", "interval": 60, "status": "Pending"}
        return csms(message_id, action, payload)

    side = CsmsSide(pending)
    assert side.ask("GetLocalListVersion", {})[0] == 3
    slow = CsmsSide()
    slow.heap.csms = lambda message_id, action, payload: slow.heap.later(
        60.0, lambda: slow.heap.receive([3, message_id, csms(message_id, action, payload)])
    )
    slow.heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
    slow.heap.run(200.0)
    slow.heap.csms = csms
    slow.alive()


@pytest.mark.req("B04.FR.01", "F06.FR.06")
def test_18_status_after_an_outage_and_meter_values_when_asked() -> None:
    side = CsmsSide()
    side.heap.reachable = False
    side.heap.lose_link()
    side.heap.run(4000.0)
    before = len(side.calls("StatusNotification"))
    side.heap.reachable = True
    side.heap.run(400.0)
    assert len(side.calls("StatusNotification")) == before + 1
    assert side.ask("TriggerMessage", {"requestedMessage": "MeterValues", "evse": {"id": 1}})[2]["status"] == "Accepted"
    assert side.calls("MeterValues")


@pytest.mark.req("F-5", "S-19")
def test_19_a_pong_that_does_not_come_leads_to_a_new_connection() -> None:
    side = CsmsSide()
    attempt = side.heap._attempt
    side.heap._linked = False
    side.heap.tell(LinkDown(attempt, "pong"))
    side.heap.run(30.0)
    side.alive()
    assert side.heap._attempt > attempt


@pytest.mark.req("A01", "S-19")
def test_20_a_new_password_is_used_at_the_next_connection() -> None:
    side = CsmsSide()
    data = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": "a brand new password"}
    assert side.ask("SetVariables", {"setVariableData": [data]})[2]["setVariableResult"][0]["attributeStatus"] == "Accepted"
    side.heap.run(30.0)
    assert [c for c in side.heap.commands if isinstance(c, CloseLink)]
    assert [c for c in side.heap.commands if isinstance(c, OpenLink)][-1].password == "a brand new password"


def test_also_a_remote_start_after_a_stop_without_replugging() -> None:
    """A user's complaint: the second remote start at the same plug was refused."""
    side = CsmsSide()
    side.charge()
    side.ask("RequestStopTransaction", {"transactionId": events(side)[0]["transactionInfo"]["transactionId"]})
    side.heap.run(20.0)
    assert not side.closed
    start = {"remoteStartId": 2, "evseId": 1, "idToken": {"idToken": "any random tag", "type": "Central"}}
    assert side.ask("RequestStartTransaction", start)[2]["status"] == "Accepted"
    side.heap.run(40.0)
    assert side.closed
