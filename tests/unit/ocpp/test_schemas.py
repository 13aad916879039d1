"""All official schemas, by both validators and by the walk that gives the reasons."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from chargepoint.ocpp import schemas
from chargepoint.ocpp.schema_walk import clean, explain
from tests.unit.ocpp.schema_corpus import Corpus

ALL = sorted(schemas.names("v21"))
SOME = ("TransactionEventRequest", "SetChargingProfileRequest", "AuthorizeResponse", "DataTransferRequest", "NotifyPeriodicEventStream")


def test_there_are_181_schemas_of_which_one_is_never_answered() -> None:
    assert len(ALL) == 181
    calls = {name.removesuffix("Request") for name in ALL if name.endswith("Request")}
    answers = {name.removesuffix("Response") for name in ALL if name.endswith("Response")}
    assert calls == answers
    assert set(ALL) - {f"{c}Request" for c in calls} - {f"{c}Response" for c in calls} == {"NotifyPeriodicEventStream"}


@pytest.mark.req("S-5", "S-18")
@pytest.mark.parametrize("name", ALL)
def test_every_schema_takes_what_is_valid_and_names_what_is_not(name: str) -> None:
    schema = schemas.load("v21", name)
    rs, corpus = schemas.compile_with_jsonschema_rs(schema), Corpus(schema)
    for valid in (corpus.minimal(), corpus.maximal()):
        assert rs(valid)
        assert explain(schema, valid) is None
        assert schemas.check("v21", name, valid, received=True) is None
    for spoilt in corpus.spoilt():
        violation = schemas.check("v21", name, spoilt.payload, received=True)
        assert violation is not None, spoilt.what
        assert violation.code == spoilt.code, (spoilt.what, violation)
        assert (violation.path or "payload") == spoilt.place, (spoilt.what, violation)
        assert violation.description.startswith(spoilt.place[:255]), spoilt.what
        assert len(violation.description) <= 255
        if violation.keyword != "format":
            assert not rs(spoilt.payload), spoilt.what


@pytest.mark.parametrize("name", ALL)
def test_both_validators_agree(name: str) -> None:
    schema = schemas.load("v21", name)
    fast, rs, corpus = schemas.compile_with_fastjsonschema(schema), schemas.compile_with_jsonschema_rs(schema), Corpus(schema)
    before = json.dumps(corpus.minimal())
    payload = json.loads(before)
    assert fast(payload)
    assert json.dumps(payload) == before, "defaults must not be written into a payload"
    assert fast(corpus.maximal())
    for spoilt in corpus.spoilt():
        assert fast(spoilt.payload) == rs(spoilt.payload), spoilt.what


NOT_JSON: tuple[Any, ...] = (
    object(),
    {"idToken": object()},
    {1: 2},
    {"idToken": {"idToken": "x", "type": b"ISO14443"}},
    {"idToken": {"idToken": "x", "type": {1, 2}}},
    None,
    float("nan"),
    "Authorize",
)


@pytest.mark.req("S-5")
@pytest.mark.parametrize("package", list(schemas.COMPILERS))
def test_what_is_no_json_is_a_violation_not_an_exception(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = schemas.COMPILERS[package](schemas.load("v21", "AuthorizeRequest"))
    monkeypatch.setattr(schemas, "_fits", lambda schema_set, name: fits)
    deep: Any = "x"
    for _ in range(5000):
        deep = {"x": deep}
    for payload in (*NOT_JSON, deep, {"idToken": {"idToken": "x", "type": deep}}, {"idToken": {"idToken": "x", "type": 10**5000}}):
        violation = schemas.check("v21", "AuthorizeRequest", payload, received=True)
        assert violation is not None
        assert 0 < len(violation.description) <= 255
        violation.description.encode()


@pytest.mark.req("S-5")
def test_no_value_gets_into_a_description() -> None:
    secret = "hunter2" * 500
    data = {
        "setVariableData": [{"attributeValue": secret, "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}]
    }
    violation = schemas.check("v21", "SetVariablesRequest", data, received=True)
    assert violation is not None
    assert violation.description == "setVariableData[0].attributeValue: is longer than 2500 characters"


@pytest.mark.req("S-5")
def test_hostile_names_are_made_harmless_in_descriptions() -> None:
    for name in ("\ud800" * 300, "\x00\n\u202e", "x" * 100_000):
        violation = schemas.check("v21", "HeartbeatRequest", {name: 1}, received=True)
        assert violation is not None
        assert violation.code == "FormatViolation"
        assert len(violation.description.encode()) <= 255 * 4
        assert violation.description.isprintable()
    assert clean("\ud800" * 10_000).encode()
    assert len(clean("\ud800" * 10_000)) <= 255


@pytest.mark.req("F-3")
def test_our_own_clock_may_stand_in_1970_but_not_in_nonsense() -> None:
    payload = {"timestamp": "1970-01-01T00:00:05.000Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    assert schemas.check("v21", "StatusNotificationRequest", payload, received=False) is None
    assert schemas.check("v21", "StatusNotificationRequest", payload, received=True) is not None
    nonsense = {**payload, "timestamp": "1970-01-01"}
    assert schemas.check("v21", "StatusNotificationRequest", nonsense, received=False) is not None


def test_unknown_fields_can_be_let_pass_but_nothing_else() -> None:
    answer = {"currentTime": "2026-11-24T12:00:00Z", "interval": 300, "status": "Accepted", "vendor": {"x": 1}}
    strict = schemas.check("v21", "BootNotificationResponse", answer, received=True)
    assert strict is not None
    assert strict.keyword == "additionalProperties"
    assert schemas.check("v21", "BootNotificationResponse", answer, received=True, open_ended=True) is None
    for spoilt in ({"interval": "300"}, {"currentTime": "2150-01-01T00:00:00Z"}, {"status": "Yes"}):
        assert schemas.check("v21", "BootNotificationResponse", {**answer, **spoilt}, received=True, open_ended=True) is not None


def test_names_of_actions() -> None:
    assert schemas.request_name("v21", "Reset") == "ResetRequest"
    assert schemas.request_name("v21", "NotifyPeriodicEventStream") == "NotifyPeriodicEventStream"
    for unknown in ("Nonsense", "ResetRequest", "ResetResponse", "", "../v16/Reset", "Reset\x00"):
        assert schemas.request_name("v21", unknown) is None
    with pytest.raises(KeyError, match="no schema"):
        schemas.load("v21", "../v16/Reset")
    with pytest.raises(schemas.SchemasMissing, match="ocpp"):
        schemas.folder("v99")


def test_neither_the_heavy_package_nor_a_validator_is_imported_before_a_message_passes() -> None:
    code = (
        "import sys; from chargepoint.ocpp import rpc, framing, dialects, schemas; schemas.load('v21', 'ResetRequest');"
        "print([m for m in ('ocpp', 'jsonschema', 'jsonschema_rs', 'fastjsonschema', 'asyncio') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("name", SOME)
def test_compiled_once(name: str) -> None:
    schemas.warm("v21", frozenset({name, "no such"}))
    hits = schemas._fits.cache_info().hits
    schemas.check("v21", name, {}, received=True)
    assert schemas._fits.cache_info().hits == hits + 1
