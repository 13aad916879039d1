"""An exported journal names nobody: tokens, passwords, seeds and hashes of tokens are pseudonyms, consistently."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargepoint.journal_export import pseudonym, redacted
from chargepoint.tick import Tick
from iso15118.slac import mme
from iso15118.slac.modem import Modem
from tests.replay.stories import CARD, STRANGER, life
from tests.replay.test_replay import recorded

SALT = b"a salt"


def test_no_token_password_or_seed_is_left() -> None:
    heap = life()
    lines = recorded(heap, 3, 80, snapshot_each=50)
    plain = "\n".join(lines)
    assert CARD in plain
    assert "0123456789abcdef" in plain
    text = "\n".join(redacted(lines, SALT))
    for secret in (CARD, STRANGER, "0123456789abcdef", heap.seed + "0001"):
        assert secret not in text
        assert secret.lower() not in text
    assert pseudonym("token", CARD, SALT) in text
    assert len(text.splitlines()) == len(lines)


def test_frames_and_settings_are_read_inside() -> None:
    frame = json.dumps([2, "1", "SetVariables", {"setVariableData": [{"attributeValue": "s3cret", "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}]}])  # fmt: skip
    lines = [
        json.dumps({"e": {"@": "TextReceived", "text": frame}}),
        json.dumps(
            {
                "c": [
                    {
                        "@": "Put",
                        "table": "variables",
                        "key": "AuthCtrlr.MasterPassGroupId",
                        "value": {"AuthCtrlr.MasterPassGroupId": "GRP"},
                    }
                ]
            }
        ),
        json.dumps({"stored": {"local_list": {"ab" * 32: {"id": "ab" * 32}}}, "note": "a GROUP of wrapped things, GRP and s3cret"}),
        "torn {",
    ]
    text = "\n".join(redacted(lines, SALT))
    for secret in ("s3cret", '"GRP"', " GRP", "ab" * 32):
        assert secret not in text
    assert "GROUP of wrapped things" in text
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize("secret", [["hunter2hunter2"], {"it": ["hunter2hunter2", None, True]}, [{"it": 12341234}]])
def test_a_password_of_whatever_shape_is_a_password(secret: Any) -> None:
    frame = json.dumps([2, "1", "SetNetworkProfile", {"connectionData": {"basicAuthPassword": secret, "vpn": {"key": secret}}}])
    (line,) = redacted([json.dumps({"text": frame})], SALT)
    assert "hunter2" not in line
    assert "12341234" not in line
    assert "password-" in line


def test_a_vehicle_is_named_nowhere() -> None:
    shown = {"attributeValue": "WMIV1234567890ABCDEX", "component": {"name": "ConnectedEV"}, "variable": {"name": "VehicleId"}}
    frame = json.dumps([3, "1", {"getVariableResult": [shown]}])
    lines = [
        json.dumps({"c": [{"@": "SendText", "text": frame}]}),
        json.dumps({"evse_facts:1": {"vehicle": {"evcc_id": "EVCC-0042"}}, "v2g:1": {"paused_evcc": "EVCC-0043"}}),
        json.dumps({"note": "WMIV1234567890ABCDEX, EVCC-0042 and EVCC-0043 were here"}),
    ]
    text = "\n".join(redacted(lines, SALT))
    assert not [name for name in ("WMIV1234567890ABCDEX", "EVCC-0042", "EVCC-0043") if name in text]


def test_the_address_of_a_vehicle_is_its_modems_number_and_the_address_of_a_csms_stays() -> None:
    address = "fe80::5054:ff:fe12:3456"
    told = {"@": "VehicleConnected", "evse_id": 1, "connection": 1, "peer": address}
    lines = [
        json.dumps({"e": told}),
        json.dumps({"e": {"@": "LinkUp", "peer": "203.0.113.7:443"}}),
        json.dumps({"text": f"from {address}"}),
    ]
    text = "\n".join(redacted(lines, SALT))
    assert address not in text
    assert text.count(pseudonym("address", address, SALT)) == 2
    assert "203.0.113.7:443" in text


def test_the_same_token_has_the_same_name_with_the_same_salt_only() -> None:
    lines = [json.dumps({"id_token": CARD}), json.dumps({"x": [f"seen {CARD}"]})]
    first, second = (json.loads(line) for line in redacted(lines, SALT))
    assert second["x"] == [f"seen {first['id_token']}"]
    assert first["id_token"] != json.loads(next(iter(redacted(lines, b"other"))))["id_token"]


def test_the_owners_cards_of_the_configuration_are_nobodys_business() -> None:
    lines = recorded(life(local_tokens=("ISO14443:0499887766", "eMAID:DE-8AA-C12345678-9", "KeyCode:4711")), 3, 5)
    text = "\n".join(redacted(lines, SALT))
    for secret in ("0499887766", "DE-8AA-C12345678-9", ":4711"):
        assert secret in "\n".join(lines)
        assert secret not in text


def test_nothing_of_the_power_line_is_left() -> None:
    """A frame may hold the key of the vehicle's network, and its address says who it is."""
    vehicle, key = "02:00:00:0a:0b:0c", "ab" * 16
    modem = Modem(bytes(6))
    modem.set_key(Tick(0, 0), bytes.fromhex(key))
    asks = mme.octets(mme.Frame(mme.BROADCAST, bytes.fromhex(vehicle.replace(":", "")), mme.SlacParmReq(run_id=bytes(8))))
    lines = [
        json.dumps({"e": {"@": "PowerLineHeard", "evse_id": 1, "octets": asks.hex()}}),
        json.dumps({"c": [{"@": "Log", "level": "info", "key": "slac.missed", "fields": {"text": f"vehicle {vehicle}: it chose nobody"}}]}),
        json.dumps({"slac:1": {"slac": {"modem": modem.saved(), "matchings": [{"ev_mac": vehicle.replace(":", "")}]}}}),
    ]
    assert key in "".join(lines)
    text = "\n".join(redacted(lines, SALT))
    for secret in (vehicle, vehicle.replace(":", ""), key):
        assert secret not in text
    assert "slac.missed" in text


def test_a_vehicles_certificate_is_left_out_and_its_number_is_a_pseudonym() -> None:
    serial = "5fe312a9c0ffee01"
    hashed = {"hashAlgorithm": "SHA256", "issuerNameHash": "a" * 64, "issuerKeyHash": "b" * 64, "serialNumber": serial}
    asked = json.dumps([2, "1", "GetCertificateChainStatus", {"certificateStatusRequests": [{"certificateHashData": hashed}]}])
    boot = json.dumps([2, "2", "BootNotification", {"chargingStation": {"serialNumber": "SN-00000001"}}])
    question = {"issuer_key_hash": "b" * 64, "serial_number": serial, "fingerprint": "c" * 64}
    lines = [
        json.dumps({"e": {"@": "VehicleConnected", "evse_id": 1, "peer": "fe80::1", "chain_pem": "-----BEGIN CERTIFICATE-----\nMIIB\n"}}),
        json.dumps({"c": [{"@": "SendText", "text": asked}, {"@": "SendText", "text": boot}], "s": {"question": question}}),
        json.dumps({"c": [{"@": "Log", "values": {"certificate": "c" * 64}}]}),
    ]
    text = "\n".join(redacted(lines, SALT))
    for secret in ("MIIB", serial, "c" * 64):
        assert secret not in text
    assert "SN-00000001" in text


def test_a_contract_is_left_out_and_what_is_said_of_it_stays() -> None:
    contract, root = "-----BEGIN CERTIFICATE-----\nMIIB\n", "-----BEGIN CERTIFICATE-----\nMIIC\n"
    asked = json.dumps([2, "1", "Authorize", {"idToken": {"idToken": "DETSTC00000001", "type": "eMAID"}, "certificate": contract}])
    installed = json.dumps([2, "2", "InstallCertificate", {"certificateType": "MORootCertificate", "certificate": root}])
    lines = [
        json.dumps({"c": [{"@": "SendText", "text": asked}], "e": {"@": "TextReceived", "text": installed}}),
        json.dumps({"e": {"@": "ContractPresented", "emaid": "DETSTC00000001", "contract": {"chain_pem": contract}}}),
        json.dumps({"e": {"certificate": "CertificateRevoked"}}),
    ]
    text = "\n".join(redacted(lines, SALT))
    assert "MIIB" not in text
    assert "DETSTC00000001" not in text
    assert "MIIC" in text
    assert "CertificateRevoked" in text
