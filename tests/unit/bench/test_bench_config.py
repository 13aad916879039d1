"""The JSON file of bench-station: what is understood, what is left out with a warning, and what ends it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from bench.bench_config import KEYS, BenchConfig, read
from chargepoint.config_file import ConfigError
from tests.unit.runtime.tls_pki import self_signed

LEAST: dict[str, Any] = {
    "charge_point_id": "CP1",
    "csms_url": "ws://127.0.0.1:9000/ocpp/CP1",
    "state_dir": "state",
    "control": {"host": "127.0.0.1", "port": 8800},
}
SLOT = {
    "ocppVersion": "OCPP21", "ocppTransport": "JSON", "ocppCsmsUrl": "ws://127.0.0.1:9001/x",
    "messageTimeout": 30, "securityProfile": 0, "ocppInterface": "Any",
}  # fmt: skip


def config(tmp_path: Path, **changes: Any) -> BenchConfig:
    file = tmp_path / "bench.json"
    file.write_text(json.dumps({**LEAST, "state_dir": str(tmp_path / "state"), **changes}), "utf-8")
    return read(file)


def test_the_least_file(tmp_path: Path) -> None:
    found = config(tmp_path)
    station = found.station
    assert (station.csms.identity, station.csms.url, station.csms.security_profile) == ("CP1", LEAST["csms_url"], 0)
    assert [evse.id for evse in station.evses] == [1]
    assert (station.timings.boot_jitter_s, station.timings.close_after_boot_s) == (0.0, 0.0)
    assert found.board.control == ("127.0.0.1", 8800)
    assert found.state_dir == tmp_path / "state"
    assert found.warnings == ()


def test_null_is_absent(tmp_path: Path) -> None:
    names = ("ocpp_version", "security_profile", "basic_auth_password", "certs_dir", "network_profiles", "variables", "keys", "evses")
    assert config(tmp_path, **dict.fromkeys(names)) == config(tmp_path)


def test_everything_is_read(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        ocpp_version="ocpp2.1",
        security_profile=1,
        basic_auth_password="0123456789abcdef",
        boot_jitter_s=1.5,
        control="127.0.0.1:8801",
        evses=[{"id": 1, "connectors": [1], "charge_mode": "AC"}, {"id": 2, "connectors": [{"id": 1}], "charge_mode": None}],
        network_profiles=[{"configurationSlot": 2, "connectionData": SLOT}],
        variables=[
            {"component": "AuthCtrlr", "variable": "Enabled", "value": "false", "component_instance": None, "evse_id": None, "mutability": "ReadWrite"},
            {"component": "TxCtrlr", "variable": "EVConnectionTimeOut", "value": 45, "attribute": None, "data_type": "integer"},
            {"component": "TxCtrlr", "variable": "StopTxOnInvalidId", "value": None},
        ],
    )  # fmt: skip
    assert found.warnings == ()
    assert found.board.control == ("127.0.0.1", 8801)
    assert [evse.id for evse in found.station.evses] == [1, 2]
    assert [info.evse_id for info in found.board.evses] == [1, 2]
    assert found.station.csms.versions == ("ocpp2.1",)
    assert found.station.variables == {"AuthCtrlr.Enabled": "false", "TxCtrlr.EVConnectionTimeOut": "45"}
    assert [entry["configurationSlot"] for entry in found.station.network_profiles] == [2]
    assert found.station.timings.boot_jitter_s == 1.5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chargepoint_id": "x"}, "chargepoint_id: unknown, ignored; did you mean charge_point_id?"),
        ({"variables": [{"component": "Zorp", "variable": "x", "value": "1"}]}, "variables.Zorp.x: UnknownComponent"),
        ({"variables": [{"component": "AuthCtrlr", "variable": "Enabled", "value": "perhaps"}]}, "variables.AuthCtrlr.Enabled: neither true nor false"),
        ({"variables": [{"component": "AuthCtrlr", "value": "1"}]}, "variables[0]: names no variable; ignored"),
        ({"variables": ["x"]}, "variables: entries that are no objects are ignored"),
        ({"network_profiles": [{"configurationSlot": 2}]}, "network_profiles[0]: is not shaped as SetNetworkProfileRequest"),
        ({"evses": [{"id": 1, "charge_mode": "wpt"}]}, 'evses[0].charge_mode: "wpt": neither ac nor dc; the EVSE is an AC one'),
        ({"evses": [{"id": 1, "connectors": [1, 2]}]}, "evses[0].connectors: [1, 2]: an EVSE of this station has one connector"),
        ({"security_profile": 1}, "csms.basic_auth_password: is needed with security profile 1"),
        ({"control": {"host": "0.0.0.0", "port": 80}}, "control: 0.0.0.0 is no loopback address"),
        ({"ocpp_version": "ocpp1.6"}, "csms.versions: none of them is implemented"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_left_out_and_said(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    found = config(tmp_path, **changes)
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(said)
    assert found.station.variables == {}
    assert found.station.network_profiles == ()


def test_a_dc_evse_has_a_stage_and_talks(tmp_path: Path) -> None:
    found = config(tmp_path, evses=[{"id": 1, "charge_mode": "DC"}, {"id": 2}])
    assert found.warnings == ()
    assert [(each.mode, each.connector) for each in found.station.evses] == [("dc", "cCCS2"), ("ac", "cType2")]
    assert [each.dc is not None for each in found.board.evses] == [True, False]
    assert all(each.v2g.interface for each in found.station.evses)


def test_every_evse_speaks_with_the_cars_on_the_road(tmp_path: Path) -> None:
    found = config(tmp_path, evses=[{"id": 1, "charge_mode": "dc"}, {"id": 2}])
    assert [each.protocols for each in found.station.evses] == [("iso20-dc", "iso2-dc", "din"), ("iso20-ac", "iso2-ac")]


def test_of_several_slots_only_the_bad_one_is_left_out(tmp_path: Path) -> None:
    slots = [
        {"configurationSlot": n, "connectionData": {**SLOT, "ocppCsmsUrl": url}}
        for n, url in ((2, "http://x"), (3, "ws://x"), (3, "ws://y"))
    ]
    assert [entry["connectionData"]["ocppCsmsUrl"] for entry in config(tmp_path, network_profiles=slots).station.network_profiles] == [
        "ws://x"
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"csms_url": None, "state_dir": None, "control": None}, ["state_dir: is missing", "csms_url: is missing", "control: is missing"]),
        ({"csms_url": "http://x"}, ["csms_url: 'http://x' does not begin with ws:// or wss://"]),
        ({"charge_point_id": 7}, ["charge_point_id: 7 is not a text"]),
        ({"security_profile": 4}, ["security_profile: 4 is not 0, 1, 2 or 3"]),
        ({"security_profile": 2}, ["security_profile: 2 needs wss://"]),
        ({"ocpp_version": "2.1"}, ["ocpp_version: '2.1' is not one of ocpp2.1, ocpp2.0.1, ocpp1.6"]),
        ({"evses": []}, ["evses: there is none"]),
        ({"evses": {}}, ["evses: {} is not a list"]),
        ({"evses": [{"id": "1"}, {"id": 2}, {"id": 2}]}, ['evses[0].id: "1" is not a whole number', "evses[2].id: 2 is the id of an EVSE above"]),
        ({"control": {"port": "x"}}, ['control: {"port": "x"}: port is a whole number from 1 to 65535']),
        ({"control": 8800}, ["control: is not {"]),
        ({"boot_jitter_s": -1}, ["boot_jitter_s: -1 is not a number from 0 to 600"]),
    ],
)  # fmt: skip
def test_what_ends_it_is_told_whole(tmp_path: Path, changes: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, **changes)
    found = [str(problem).removeprefix(f"{tmp_path / 'bench.json'}: ") for problem in caught.value.problems]
    assert len(found) == len(said), found
    assert all(one.startswith(begin) for one, begin in zip(found, said, strict=True)), found


@pytest.mark.parametrize(
    ("text", "said"), [('{\n"a": }', ":2: is no JSON"), ("[]", ": the file holds one JSON object"), (None, ": cannot be read")]
)
def test_no_file_no_json_no_object(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "bench.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}{said}")


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=9)
    | st.sampled_from(["ws://x", "wss://x", "dc", ":1"])
)
NAMES = st.sampled_from(
    ["id", "connectors", "charge_mode", "host", "port", "component", "variable", "value", "configurationSlot", "connectionData"]
)
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))


@given(st.dictionaries(st.sampled_from([*(set(KEYS) - {"certs_dir"}), "zorp"]), ANYTHING))
def test_whatever_stands_in_it_is_read_or_told(values: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = len(config(Path(folder), **values).warnings)
        except ConfigError as error:
            found = len(error.problems)
    assert found >= 0


# ---- certificates


def pair(folder: Path, certificate: str, key_name: str) -> None:
    """A certificate and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    _, key = self_signed("x").write(folder, certificate.removesuffix(".pem"))
    Path(key).rename(folder / key_name)


def test_the_stations_chain_is_found_with_the_key_that_belongs_to_it(tmp_path: Path) -> None:
    own = tmp_path / "certs/client/csms"
    pair(own, "a.pem", "z.key")
    pair(own, "b.pem", "a.key")
    (own / "z.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    pair(tmp_path / "certs/ca/csms", "root1.pem", "x.txt")
    pair(tmp_path / "certs/ca/csms", "root2.pem", "y.txt")
    before = sorted(tmp_path.rglob("certs/**/*"))
    csms = config(tmp_path, csms_url="wss://localhost:1/x", security_profile=3, certs_dir=str(tmp_path / "certs")).station.csms
    assert (csms.client_cert_file, csms.client_key_file) == (str(own / "b.pem"), str(own / "a.key"))
    assert len(x509.load_pem_x509_certificates(Path(csms.ca_file).read_bytes())) == 2
    assert sorted(tmp_path.rglob("certs/**/*")) == before


def test_one_root_is_used_where_it_lies(tmp_path: Path) -> None:
    pair(tmp_path / "certs/ca/csms", "root.pem", "x.txt")
    found = config(tmp_path, csms_url="wss://localhost:1/x", basic_auth_password="0123456789abcdef", certs_dir=str(tmp_path / "certs"))
    assert found.station.csms.ca_file == str(tmp_path / "certs/ca/csms/root.pem")
    assert (found.station.csms.security_profile, found.station.csms.client_cert_file) == (2, "")
