"""A CSMS that sends what it should not: every call gets one answer, nothing is echoed, the connection and the charge go on (S-5..S-7, S-18, S-25..S-27)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargepoint.commands import CloseLink
from chargepoint.events import OversizeReceived
from chargepoint.ocpp import schemas
from tests.behaviour.csms_side import CsmsSide
from tests.unit.ocpp.schema_corpus import Corpus

WHOLE = bool(os.environ.get("SOAK"))
ALL_OF, OF_THE_REST = 60, 7
"""Of the ways to spoil a payload all of the first, and each so many of the others; all in `make soak`."""
FROM_CSMS = (
    "AFRRSignal", "AdjustPeriodicEventStream", "CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeTransactionTariff", "ClearCache",
    "ClearChargingProfile", "ClearDERControl", "ClearDisplayMessage", "ClearTariffs", "ClearVariableMonitoring", "CostUpdated", "CustomerInformation",
    "DataTransfer", "DeleteCertificate", "GetBaseReport", "GetChargingProfiles", "GetCompositeSchedule", "GetDERControl", "GetDisplayMessages",
    "GetInstalledCertificateIds", "GetLocalListVersion", "GetLog", "GetMonitoringReport", "GetPeriodicEventStream", "GetReport", "GetTariffs",
    "GetTransactionStatus", "GetVariables", "InstallCertificate", "NotifyAllowedEnergyTransfer", "NotifyWebPaymentStarted", "PublishFirmware",
    "RequestBatterySwap", "RequestStartTransaction", "RequestStopTransaction", "ReserveNow", "Reset", "SendLocalList", "SetChargingProfile",
    "SetDERControl", "SetDefaultTariff", "SetDisplayMessage", "SetMonitoringBase", "SetMonitoringLevel", "SetNetworkProfile", "SetVariableMonitoring",
    "SetVariables", "TriggerMessage", "UnlockConnector", "UnpublishFirmware", "UpdateDynamicSchedule", "UpdateFirmware", "UsePriorityCharging",
)  # fmt: skip
ENDS_THE_PROCESS = {"Reset"}


@pytest.fixture
def side() -> CsmsSide:
    return CsmsSide()


@pytest.mark.req("S-5", "S-7", "S-30")
@pytest.mark.parametrize("action", FROM_CSMS)
def test_every_action_gets_one_answer_whatever_its_payload(action: str, side: CsmsSide) -> None:
    corpus = Corpus(schemas.load("v21", f"{action}Request"))
    valid = [corpus.minimal(), *([] if action in ENDS_THE_PROCESS else [corpus.maximal()])]
    for payload in valid:
        answer = side.ask(action, payload)
        if answer[0] == 3:
            assert schemas.check("v21", f"{action}Response", answer[2], received=False) is None
        else:
            assert answer[2] in {
                "NotImplemented",
                "NotSupported",
                "OccurrenceConstraintViolation",
                "PropertyConstraintViolation",
                "FormatViolation",
            }
    implemented = side.ask(action, corpus.minimal())[0] == 3 if action not in ENDS_THE_PROCESS else False
    for number, spoilt in enumerate(corpus.spoilt()):
        if not WHOLE and number >= ALL_OF and number % OF_THE_REST:
            continue
        answer = side.ask(action, spoilt.payload)
        assert answer[0] == 4, (spoilt.what, answer)
        if implemented and "frame is larger" not in answer[3]:
            assert answer[2] == spoilt.code, (spoilt.what, answer)
        assert len(answer[3]) <= 255
    if action not in ENDS_THE_PROCESS:
        side.alive()


@pytest.mark.req("S-5")
@pytest.mark.parametrize("size", [255, 256, 65_536])
def test_long_strings(side: CsmsSide, size: int) -> None:
    token = {"idToken": {"idToken": "x" * size, "type": "Central"}, "remoteStartId": 1}
    answer = side.ask("RequestStartTransaction", token)
    assert answer[0] == (3 if size <= 255 else 4)
    assert "xxxx" not in str(answer)
    side.alive()


@pytest.mark.req("S-5")
@pytest.mark.parametrize("hostile", ["\ud800", "\x00", "\u202e", "'; DROP TABLE rows; --", "$(reboot)", "{{7*7}}", "é" * 255])
def test_hostile_text_is_only_text(side: CsmsSide, hostile: str) -> None:
    data = [{"attributeValue": hostile, "component": {"name": "AuthCtrlr"}, "variable": {"name": "MasterPassGroupId"}}]
    answer = side.ask("SetVariables", {"setVariableData": data})
    assert answer[0] in (3, 4)
    side.ask("GetReport", {"requestId": 1, "componentVariable": [{"component": {"name": hostile[:50] or "x"}}]})
    side.alive()


@pytest.mark.req("S-25")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[2,"d","GetVariables",' + "[" * 65 + "]" * 65 + "]", "FormatViolation"),
        ('[2,"n","GetVariables",{"getVariableData":' + "9" * 5000 + "}]", "FormatViolation"),
        ('[2,"f","DataTransfer",{"vendorId":"x","data":1e999}]', "FormatViolation"),
        ('[2,"c","DataTransfer",{"vendorId":"x","data":NaN}]', "FormatViolation"),
        ('[2,"b","DataTransfer",{"vendorId":"x","data":"' + "x" * (1 << 20) + '"}]', "FormatViolation"),
    ],
    ids=["depth", "digits", "float", "constant", "size"],
)
def test_what_is_too_deep_too_long_or_too_large(side: CsmsSide, text: str, code: str) -> None:
    (answer,) = side.say(text)
    assert answer[0] == 4
    assert answer[2] in {code, "RpcFrameworkError"}
    side.alive()


@pytest.mark.req("S-25", "S-18")
def test_a_frame_that_the_shell_would_not_keep(side: CsmsSide) -> None:
    before = len(side.heap.frames)
    side.heap.tell(OversizeReceived(442_000_000))
    (answer,) = side.heap.frames[before:]
    assert answer[:3] == [4, "-1", "RpcFrameworkError"]
    side.alive()


@pytest.mark.req("S-26")
@pytest.mark.parametrize("message_id", ["17", "null", "true", "[]", "{}", '"' + "x" * 37 + '"'])
def test_a_message_id_that_is_none_is_not_echoed(side: CsmsSide, message_id: str) -> None:
    (answer,) = side.say(f'[2,{message_id},"Reset",{{"type":"Immediate"}}]')
    assert answer[0] == 4
    assert answer[1:3] == ["-1", "RpcFrameworkError"]
    side.alive()


@pytest.mark.req("S-26")
@pytest.mark.parametrize("text", ["", "{", "[]", "[2]", '[2,"x"]', '[2,"x","Heartbeat"]', "nonsense", '"text"', "null", "{}", "[[2]]", "\ufeff[]", '[2,"x","GetVariables",{},"more"]'])  # fmt: skip
def test_what_is_no_frame(side: CsmsSide, text: str) -> None:
    answers = side.say(text)
    assert len(answers) <= 1
    if answers:
        assert answers[0][0] == 4
        assert answers[0][2] in {"RpcFrameworkError", "FormatViolation", "ProtocolError"}
    side.alive()


@pytest.mark.req("S-27")
@pytest.mark.parametrize(
    "frame", [[3, "nobody asked", {}], [4, "nobody asked", "InternalError", "", {}], [5, "nobody", "InternalError", "", {}], [7, "x", {}], [99, "x", "y", {}], [6, "s", "NoSuchThing", {}]]
)  # fmt: skip
def test_answers_to_nothing_and_unknown_types_are_ignored_in_silence(side: CsmsSide, frame: list[Any]) -> None:
    for _ in range(100):
        assert side.say(frame) == []
    logs = [c for c in side.heap.commands if getattr(c, "key", "").startswith("rpc.")]
    assert len(logs) <= 3  # told, but not a hundred times
    side.alive()


@pytest.mark.req("S-18")
def test_a_key_that_stands_twice(side: CsmsSide) -> None:
    (answer,) = side.say('[2,"k","ChangeAvailability",{"operationalStatus":"Operative","operationalStatus":"Inoperative"}]')
    assert answer[:3] == [4, "k", "FormatViolation"]
    side.alive()


@pytest.mark.req("S-18")
@pytest.mark.parametrize("when", ["1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z", ""])
def test_a_timestamp_that_cannot_be_meant(side: CsmsSide, when: str) -> None:
    info = {"status": "Accepted", "cacheExpiryDateTime": when}
    update = {
        "versionNumber": 1,
        "updateType": "Full",
        "localAuthorizationList": [{"idToken": {"idToken": "A", "type": "Local"}, "idTokenInfo": info}],
    }
    assert side.ask("SendLocalList", update)[2] == "PropertyConstraintViolation"
    side.alive()


@pytest.mark.req("S-7")
@pytest.mark.parametrize("evse_id", [-1, 0, 2, 99, 2**31, 2**63])
def test_evses_that_are_not_there(side: CsmsSide, evse_id: int) -> None:
    for action, payload in (
        ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": evse_id, "connectorId": 7}}),
        ("UnlockConnector", {"evseId": evse_id, "connectorId": evse_id}),
        ("RequestStartTransaction", {"evseId": evse_id or 5, "remoteStartId": 1, "idToken": {"idToken": "x", "type": "Central"}}),
        ("Reset", {"type": "OnIdle", "evseId": evse_id or 5}),
        ("TriggerMessage", {"requestedMessage": "MeterValues", "evse": {"id": evse_id or 5}}),
    ):
        answer = side.ask(action, payload)
        assert answer[0] == 4 or answer[2]["status"] in {"Rejected", "UnknownConnector"}, (action, answer)
    side.alive()


@pytest.mark.req("S-7")
@pytest.mark.parametrize("entries", [0, 1, 7, 10_000])
def test_lists_of_any_length(side: CsmsSide, entries: int) -> None:
    places = [{"component": {"name": f"C{n}"}, "variable": {"name": "V"}} for n in range(entries)]
    got = side.ask("GetVariables", {"getVariableData": places})
    assert got[0] == (3 if 0 < entries <= 100 else 4)
    tokens = [{"idToken": {"idToken": f"T{n}", "type": "Local"}, "idTokenInfo": {"status": "Accepted"}} for n in range(entries)]
    sent = side.ask("SendLocalList", {"versionNumber": 1, "updateType": "Full", **({"localAuthorizationList": tokens} if tokens else {})})
    assert sent[0] == 4 or sent[2]["status"] == ("Accepted" if entries <= 250 else "Failed")
    side.alive()


@pytest.mark.req("S-5", "S-30", "S-26")
@settings(max_examples=400 if WHOLE else 60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.text(), each),
        max_leaves=20,
    ),
    st.sampled_from([2, 3, 4, 5, 6, 7, "2", None]),
    st.text(max_size=50),
    st.sampled_from(FROM_CSMS) | st.text(max_size=30),
)
def test_any_json_at_all(payload: Any, kind: Any, message_id: str, action: str) -> None:
    if action == "Reset":
        return
    side = CsmsSide()
    answers = side.say(json.dumps([kind, message_id, action, payload]))
    assert len(answers) <= 1
    if kind == 2:
        assert len(answers) == 1
    side.alive()


@pytest.mark.soak
@pytest.mark.req("S-5", "S-30", "S-20")
def test_a_charge_goes_on_through_all_of_it(side: CsmsSide) -> None:
    side.charge()
    for action in FROM_CSMS:
        if action in {"Reset", "RequestStopTransaction"}:
            continue
        corpus = Corpus(schemas.load("v21", f"{action}Request"))
        side.ask(action, corpus.minimal())
        for number, spoilt in enumerate(corpus.spoilt()):
            if WHOLE or number % 9 == 0:
                side.ask(action, spoilt.payload)
    for text in ("", "[", "[2]", "[" * 100):
        side.say(text)
    assert not [c for c in side.heap.commands if isinstance(c, CloseLink)]
    assert side.closed or side.calls("StatusNotification")[-1]["connectorStatus"] == "Unavailable"  # one of them was ChangeAvailability


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.soak
@pytest.mark.req("S-6")
def test_mixed_calls_cost_no_memory(side: CsmsSide) -> None:
    """RSS grows by at most 1 MB per 10 000 calls, errors among them."""
    calls = 100_000 if WHOLE else 6_000
    texts = [
        json.dumps(
            [2, "{}", "GetVariables", {"getVariableData": [{"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}]}]
        ),
        json.dumps([2, "{}", "TriggerMessage", {"requestedMessage": "Heartbeat"}]),
        json.dumps([2, "{}", "NoSuchAction", {}]),
        json.dumps([2, "{}", "GetVariables", {}]),
        json.dumps([3, "{}", {}]),
        "[2,",
    ]

    def some(count: int, base: int) -> None:
        for number in range(count):
            side.heap.receive(texts[number % len(texts)].replace("{}", f"{base + number}", 1))
            if number % 50 == 0:
                side.heap.run(1.0)
                side.heap.frames.clear()
                side.heap.commands.clear()

    some(3_000, 0)
    before = resident_bytes()
    some(calls, 10_000)
    assert resident_bytes() - before <= max(1, calls // 10_000) * 1_000_000
