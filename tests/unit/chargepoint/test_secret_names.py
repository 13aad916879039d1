"""No password of any OCPP message is left in an export, or shown to whoever looks on."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chargepoint.journal_export import redacted
from chargepoint.ocpp import schemas
from chargepoint.runtime.monitor.server import without_secrets
from chargepoint.secret_names import is_secret

LOOKS_SECRET = re.compile(r"passw|secret|pin$|key$|credential", re.IGNORECASE)
OPEN = {"issuerKeyHash", "publicKey"}
"""Whose key it is, and keys that are for everybody."""
DATA = {
    "ocppInterface": "Wireless0",
    "ocppTransport": "JSON",
    "messageTimeout": 30,
    "ocppCsmsUrl": "wss://csms.example",
    "securityProfile": 2,
    "basicAuthPassword": "BASICBASICBASIC1",
    "apn": {"apn": "a", "apnUserName": "u", "apnPassword": "APNSECRETPASS", "simPin": 471147, "apnAuthentication": "CHAP"},
    "vpn": {"server": "s", "user": "u", "password": "VPNPASSWORD1", "key": "VPNSHAREDSECRET", "type": "IKEv2"},
}
PROFILE = [2, "1", "SetNetworkProfile", {"configurationSlot": 2, "connectionData": DATA}]
VALUES = {
    "ApnPassword": "APNSECRETPASS",
    "SimPin": "471147",
    "VpnPassword": "VPNPASSWORD1",
    "VpnKey": "VPNSHAREDSECRET",
    "BasicAuthPassword": "BASICBASICBASIC1",
    "SharedSecret": "WEBPAYMENTSECRET",
}
ENTRIES = [
    {"component": {"name": "NetworkConfiguration", "instance": "2"}, "variable": {"name": name}, "attributeValue": value}
    for name, value in VALUES.items()
]
VARIABLES = [2, "2", "SetVariables", {"setVariableData": ENTRIES}]


def fields() -> set[tuple[str, str]]:
    """(name of the type, field) of all that the published schemas call something like a secret."""
    found = set()
    for name in schemas.names("v21"):
        schema: Any = schemas.load("v21", name)
        for owner, body in {name: schema, **schema.get("definitions", {})}.items():
            found |= {(owner, field) for field in body.get("properties", {}) if LOOKS_SECRET.search(field)}
    return found


def test_each_field_of_the_schemas_that_looks_like_a_secret_is_one() -> None:
    parents = {"VPNType": "vpn"}
    assert fields()
    assert {each for each in fields() if each[1] not in OPEN and not is_secret(each[1], parents.get(each[0], ""))} == set()


@pytest.mark.parametrize("frame", [PROFILE, VARIABLES])
def test_none_of_it_is_left(frame: list[Any]) -> None:
    text = json.dumps(frame)
    mine = [each for each in VALUES.values() if each in text]
    assert len(mine) >= 5
    exported = "".join(redacted([json.dumps({"event": {"TextReceived": {"text": text}}}), json.dumps({"frame": frame})], b"salt"))
    shown = json.dumps(without_secrets(text))
    assert [each for each in mine if each in exported] == []
    assert [each for each in mine if each in shown] == []
    assert frame[2] in exported
    assert "ocppCsmsUrl" in shown or "ApnPassword" in shown
