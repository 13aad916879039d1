"""chargepoint.toml: what is right is read, and everything that is wrong is told with its line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.v2g.cable import fresh_pki
from certs.store import gnutls
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.config_file import ConfigError, from_values, parse, read
from chargepoint.config_file.hints import fields_of, taken_apart
from chargepoint.config_file.lines import lines_of
from chargepoint.config_file.schema import json_schema
from chargepoint.ocpp.profiles import MOST_SLOTS
from tests.house.rules import ROOT

CSMS = '[csms]\nurl = "wss://hub.example/x"\nbasic_auth_password = "0123456789abcdef"\n'
TOKEN = "[certificates]\nbackend = 'tpm2'\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "cp.toml")
    return [str(problem).removeprefix("cp.toml:") for problem in caught.value.problems]


def test_an_empty_file_is_the_defaults() -> None:
    assert parse("", "cp.toml") == StationConfig()


def test_a_whole_file_is_read() -> None:
    config = parse(
        'serial = "X1"\nlocal_tokens = ["ISO14443:04AB", "DEADBEEF"]\n' + CSMS + 'versions = ["ocpp2.1"]\n'
        "[[evses]]\nmax_current_A = 32\n[[evses]]\nid = 2\nphases = 1\n[timings]\npermit_ttl_s = 0.3\n"
        '[variables]\n"TxCtrlr.EVConnectionTimeOut" = 90\nAuthCtrlr.Enabled = false\n[board_options]\nphases = 1\n',
        "cp.toml",
    )
    assert config.evses == (EvseConfig(max_current_A=32.0), EvseConfig(id=2, phases=1))
    assert isinstance(config.evses[0].max_current_A, float)
    assert config.timings.permit_ttl_s == 0.3
    assert config.variables == {"TxCtrlr.EVConnectionTimeOut": "90", "AuthCtrlr.Enabled": "false"}
    assert config.board_options == {"phases": 1}
    assert (config.csms.versions, config.local_tokens) == (("ocpp2.1",), ("ISO14443:04AB", "DEADBEEF"))


# (text, what is said)
WRONG = [
    ("seral = 1", ["1: seral: no such key; did you mean serial?"]),
    ("\n\nserial = 1", ["3: serial: 1 is not a text of at most 25 characters"]),
    ("url = 'ws://x'", ["1: url: no such key here; it belongs to [csms]"]),
    ("max_curent_A = 16", ["1: max_curent_A: no such key; did you mean max_current_A, which belongs to [evses]?"]),
    ("zorp = 1", ["1: zorp: no such key; there are vendor, model, serial"]),
    ("[[evses]]\nmax_current_A = 99", ["2: evses[0].max_current_A: 99 is not a number from 6 to 80"]),
    ("[[evses]]\nMAX_current_a = 16", ["2: evses[0].MAX_current_a: no such key; did you mean max_current_A?"]),
    ("[[evses]]\nphases = 2", ["2: evses[0].phases: 2 is not one of 1, 3"]),
    ("[[evses]]\nventilation = 1", ["2: evses[0].ventilation: 1 is not true or false"]),
    ("[[evses]]\nid = true", ["2: evses[0].id: true is not a whole number from 1 to 99"]),
    ("[[evses]]\nid = 1.0", ["2: evses[0].id: 1.0 is not a whole number from 1 to 99"]),
    ("[[evses]]\nmax_current_A = nan", ["2: evses[0].max_current_A: nan is not a number from 6 to 80"]),
    ("accept_on_silence = 'open'", ['1: accept_on_silence: "open" is not one of "opens", "falls_back", "goes_on"; did you mean "opens"?']),
    ("timings = 3", ["1: timings: 3 is not a table"]),
    ("evses = [1]", ["1: evses[0]: 1 is not a table"]),
    ("evses = []", ["1: evses: there is none"]),
    ("board = 'Open EVSE'", ['1: board: "Open EVSE" is not a text of at most 40 characters that matches']),
    ("board = 'sym'", ["1: board: no driver 'sym'; did you mean 'sim'?"]),
    ("[board_options]\nmax_current_A = 99", ["2: board_options.max_current_A: 99"]),
    ("[board_options]\nmax_curent_A = 16", ["2: board_options.max_curent_A: no such key; did you mean max_current_A?"]),
    ("local_tokens = [\n 'x',\n 7]", ["3: local_tokens[1]: 7 is not a text"]),
    ("local_tokens = ['RFID:04AB']", ["1: local_tokens[0]: there is no token type 'RFID'"]),
    ("local_tokens = ['ISO14443:']", ["1: local_tokens[0]: the token is empty"]),
    ("[variables]\nx = [1]", ["2: variables.x: [1] is not a text"]),
    # tomllib's own
    ("serial = 'x", ["1: is no TOML: Expected"]),
    ("a = 1\na = 2", ["2: is no TOML: Cannot overwrite a value"]),
    # what does not go together
    ("[[evses]]\n[[evses]]\nid = 1", ["3: evses[1].id: 1 is the id of an EVSE above"]),
    ("[[evses]]\n\n[[evses]]", ["3: evses[1].id: 1 is the id of an EVSE above"]),
    ("[[evses]]\nmax_current_A = 10\nmin_current_A = 13", ["3: evses[0].min_current_A: 13 is more than max_current_A (10)"]),
    ("[[evses]]\nconnector = 'cType1'", ["1: evses[0].phases: 3 phases do not go through a cType1, which has 1"]),
    ("[[evses]]\nderate_from_C = 80", ["2: evses[0].derate_from_C: 80 is not below derate_stop_C (80)"]),
    ("[[evses]]\nmode = 'dc'", ["1: evses[0].v2g.interface: is needed with mode = 'dc'", "1: evses[0].connector: 'cType2' carries no DC; 'cCCS1' and 'cCCS2' do"]),
    ("[[evses]]\n[evses.v2g]\ninterface = 'a'", ["2: evses[0].v2g.pki_dir: is needed for TLS: a folder of certificates; without any, say tls = 'none', which serves"]),
    ("[[evses]]\n[evses.v2g]\ninterface = 'a'\npki_dir = '/none'", ["4: evses[0].v2g.pki_dir: /none: there is no such folder"]),
    ("[[evses]]\n[evses.v2g]\nprotocols = ['iso20-ac']\ninterface = 'a'\ntls = 'none'", ["5: evses[0].v2g.tls: 'none' serves nobody: ISO 15118-20 is never offered without TLS 1.3"]),
    ("[[evses]]\n[evses.v2g]\nunverified_vehicles = true\ninterface = 'a'", ["2: evses[0].v2g.pki_dir: is needed", "3: evses[0].v2g.unverified_vehicles: a bench may"]),
    ("[[evses]]\n[evses.v2g]\np256_contracts = true\ninterface = 'a'", ["2: evses[0].v2g.pki_dir: is needed", "3: evses[0].v2g.p256_contracts: a bench may"]),
    ("[[evses]]\n[evses.v2g.slac]\nautocharge = true", ["3: evses[0].v2g.slac.autocharge: needs a modem that finds the vehicle"]),
    ("[[evses]]\n[evses.v2g.slac]\nautocharge = true\nmodem = 'auto'", ["3: evses[0].v2g.slac.autocharge: needs a modem"]),
    ("[[evses]]\n[evses.v2g]\nprotocols = ['iso20-dc']\ninterface = 'a'", ["2: evses[0].v2g.pki_dir", "3: evses[0].v2g.protocols: none of them charges mode = 'ac'; 'iso20-ac', 'iso2-ac' do"]),
    ("[csms]\nurl = 'ws://x'\nbasic_auth_password='0123456789abcdef'", ["1: csms.security_profile: security profile 2 needs wss://; the url is 'ws://x'; without TLS say"]),
    ("[csms]\nurl = 'wss://x'\nsecurity_profile = 0", ["3: csms.security_profile: security profile 0 needs ws://"]),
    ("[csms]\nurl = 'wss://x'", ["1: csms.basic_auth_password: is needed with security profile 2"]),
    ("[csms]\nurl = 'https://x'", ["2: csms.url: 'https://x' does not begin with ws:// or wss://"]),
    ("[csms]\nbasic_auth_password = 'short'", ["2: csms.basic_auth_password: a password has 16 to 40 characters"]),
    (CSMS + "identity = 'a:b'", ["4: csms.identity: a colon cannot stand in the user name"]),
    ("[csms]\nurl = 'wss://x'\nsecurity_profile = 3\nclient_cert_file = 'a'", ["1: csms.client_key_file: is needed with security profile 3"]),
    ("[csms]\nversions = ['ocpp1.6']", ["2: csms.versions: none of them is implemented; there is ocpp2.1"]),
    ("[variables]\nAuthCtrlr.Enabled = 'perhaps'", ["2: variables.AuthCtrlr.Enabled: neither true nor false"]),
    ("[variables]\n'AuthCtrlr.Zorp' = '1'", ["2: variables.AuthCtrlr.Zorp: UnknownVariable"]),
    ("[certificates]\nbackend = 'tpm'", ['2: certificates.backend: "tpm" is not one of "files", "pkcs11", "tpm2"']),
    ("[certificates]\nexpiring_days = 0", ["2: certificates.expiring_days: 0 is not a number from 1 to 365"]),
    ("[certificates]\ntree = '/none'", ["2: certificates.tree: /none: there is no such folder"]),
    ("[certificates]\nbackend = 'pkcs11'", [f"1: certificates.{key}: is needed with backend = 'pkcs11'" for key in ("module", "token", "pin_file")]),
    ("[certificates]\nbackend = 'tpm2'", [f"1: certificates.{key}: is needed with backend = 'tpm2'" for key in ("token", "pin_file")]),
    (TOKEN + "token = 'pkcs11:token=a;pin-value=1234'\npin_file = '/none'", ["3: certificates.token: no PIN stands in it", "4: certificates.pin_file: /none: No such file"]),
    (TOKEN + "token = 'pkcs11:token=a'\nmodule = '/none.so'\npin_file = 'none'", ["4: certificates.module: /none.so: there is no such file", "5: certificates.pin_file: none: is no absolute path"]),
    (TOKEN + "[csms]\nsecurity_profile = 3", [*(f"1: certificates.{key}: is needed" for key in ("token", "pin_file"))]),
    (TOKEN + "token = 'a'", ['3: certificates.token: "a" is not a text']),
    ("[[network_profiles]]\nconfigurationSlot = 2", ["1: network_profiles[0]: is not shaped as SetNetworkProfileRequest: "]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG)
@pytest.mark.req("A00.FR.004")
def test_what_is_wrong_is_said_with_line_key_value_and_range(text: str, said: list[str]) -> None:
    found = problems(text)
    assert len(found) == len(said), found
    assert all(one.startswith(begin) for one, begin in zip(found, said, strict=True)), found


TALKS = """[[evses]]
mode = "dc"
connector = "cCCS2"
[evses.v2g]
interface = "seth0"
pki_dir = "{folder}"
"""


def test_a_dc_evse_with_its_certificates_is_right(tmp_path: Path) -> None:
    fresh_pki(tmp_path / "pki")
    (evse,) = parse(TALKS.format(folder=tmp_path / "pki"), "cp.toml").evses
    assert (evse.mode, evse.v2g.interface, evse.v2g.tls) == ("dc", "seth0", "optional")


def test_the_example_of_the_how_to_is_right(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/dc-and-iso15118.md").read_text("utf-8")
    fresh_pki(tmp_path / "pki")
    example = page.partition("```toml\n")[2].partition("```")[0].replace("/etc/chargepoint/pki", str(tmp_path / "pki"))
    config = parse(example, "cp.toml")
    assert (config.evses[0].mode, config.evses[0].dc.max_power_W) == ("dc", 50_000.0)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("iso20/seccLeaf.key", "seccLeaf.key: not there, though cpoCertChain.pem is"),
        ("iso20/cpoCertChain.pem", "iso20: cpoCertChain.pem and seccLeaf.key, which the station shows of itself, are not there"),
        ("iso20/oemRootCACert.pem", "iso20: oemRootCACert.pem, by which vehicles are verified, is not there"),
        ("iso20", "there is no iso20/"),
    ],
)
def test_which_certificate_is_missing_is_said(tmp_path: Path, lost: str, said: str) -> None:
    folder = tmp_path / "pki"
    fresh_pki(folder)
    (folder / lost).rename(tmp_path / "lost")
    (found,) = problems(TALKS.format(folder=folder))
    assert found.startswith("6: evses[0].v2g.pki_dir: ")
    assert said in found


@pytest.mark.parametrize(
    ("octets", "mode", "said"),
    [
        (b"sesam", 0o600, ""),
        (b"sesam", 0o640, "others than its owner may read or write it (mode 640)"),
        (b"sesam\n", 0o600, "no end of line either"),
        (b"", 0o600, "holds the PIN"),
    ],
    ids=["right", "mode", "line", "empty"],
)
def test_a_file_with_a_pin(tmp_path: Path, octets: bytes, mode: int, said: str) -> None:
    path = tmp_path / "pin"
    path.write_bytes(octets)
    path.chmod(mode)
    found = problems(f"{TOKEN}token = 'pkcs11:token=a'\npin_file = '{path}'") if said else []
    assert [said in each and "sesam" not in each for each in found] == [True] * bool(said)
    if not said:
        assert parse(f"{TOKEN}token = 'pkcs11:token=a'\npin_file = '{path}'", "cp.toml").certificates.pin_file == str(path)


def test_keys_in_a_token_without_gnutls_are_said_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    gnutls._library.cache_clear()
    monkeypatch.setattr(gnutls, "LIBRARY", "libnowhere.so")
    (said,) = (each for each in problems(TOKEN) if "backend:" in each)
    assert said.startswith("2: certificates.backend: 'tpm2': libnowhere.so is not there; keys in a token need libgnutls30 ")
    assert said.endswith("towards vehicles or the CSMS")


SLOT = """[[network_profiles]]
configurationSlot = {slot}
connectionData = {{ocppVersion="OCPP21", ocppTransport="JSON", ocppCsmsUrl="{url}", messageTimeout=30, securityProfile=2, ocppInterface="Any"}}
"""


@pytest.mark.parametrize(
    ("slots", "said"),
    [
        ([(2, "wss://b")], None),
        ([(1, "wss://b")], "slot 1 is taken by [csms]"),
        ([(2, "wss://b"), (2, "wss://c")], "slot 2 is taken above"),
        ([(MOST_SLOTS + 1, "wss://b")], f"slots are 1 to {MOST_SLOTS}, not {MOST_SLOTS + 1}"),
        ([(2, "ws://b")], "security profile 2 needs wss://"),
    ],
)
def test_more_slots(slots: list[tuple[int, str]], said: str | None) -> None:
    text = CSMS + "".join(SLOT.format(slot=slot, url=url) for slot, url in slots)
    if said is None:
        assert parse(text, "cp.toml").network_profiles[0]["configurationSlot"] == 2
    else:
        assert any(said in problem for problem in problems(text))


def test_everything_is_told_at_once_in_the_files_order() -> None:
    found = problems(
        "zorp = 1\nserial = 2\n[[evses]]\nid = 100\n[[evses]]\nid = 2\n[[evses]]\nid = 2\nphases = 5\n[timings]\npermit_ttl_s = 9\n"
    )
    assert [problem.split(":")[0] for problem in found] == ["1", "2", "4", "9", "11"]


def test_a_value_that_could_not_be_read_has_no_echo() -> None:
    assert len(problems("[csms]\nurl = 'ws://x'\nsecurity_profil = 0")) == 1


@pytest.mark.parametrize("password", ["'a secret of sixteen and far too many characters, sixty-four at most'", "1234567890123456"])
def test_a_secret_is_never_shown(password: str) -> None:
    (said,) = problems(f"[csms]\nbasic_auth_password = {password}")
    assert "***" in said
    assert "sixteen" not in said
    assert "12345" not in said


def test_a_long_value_is_cut() -> None:
    assert len(problems(f"serial = '{'x' * 5000}'")[0]) < 200


def test_lines_end_as_on_windows_too() -> None:
    assert problems("vendor = 'x'\r\nserial = 1\r\n")[0].startswith("2: serial")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"serial = 'x'\n\n# \xff\n", ":3: is no UTF-8"),
        (None, ": cannot be read: No such file or directory"),
        (b"seral = 1", ":1: seral: no such key"),
    ],
)
def test_a_file_names_itself(tmp_path: Path, octets: bytes | None, said: str) -> None:
    file = tmp_path / "my.toml"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}{said}")


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("serial = 'Grüße'\n", "utf-8")
    assert read(file).serial == "Grüße"


# ---- lines


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb.c.d = 2", ("b", "c", "d"), 2),
        ("a = 1\nb.c.d = 2", ("b", "c"), 2),
        ("# x\n\"a.b\" . 'c d' = 1", ("a.b", "c d"), 2),
        ('"\\u00e9\\t" = 1', ("é\t",), 1),
        ("[[a]]\nx = 1\n[[a]]\nx = 2", ("a", 1, "x"), 4),
        ("[[a]]\n[a.b]\n[[a.c]]\n[[a]]\n[[a.c]]\n[[a.c]]\nx=1", ("a", 1, "c", 1, "x"), 7),
        ("[ a . 'b' ] # c\nx = 1", ("a", "b", "x"), 2),
        ("a = {b = 1, c = {d = [1, {e = 2}]}}\nf = 1", ("a", "c", "d", 1, "e"), 1),
        ("a = '''\n[b]\nc = 1\n'''\nd = 1", ("d",), 5),
        ('a = """x\\"""\n= 1"""\nd = 1', ("d",), 3),
        ('a = """"quoted""""\nd = 1', ("d",), 2),
        ("a = [ # ]\n 1, # x, y\n 2,\n]\nd = 1", ("a", 1), 3),
        ("a = [ # ]\n 1, # x, y\n 2,\n]\nd = 1", ("d",), 5),
        ('a = "# no comment" # one\nd = 1', ("d",), 2),
        ("a = 1979-05-27 07:32:00\nd = 1", ("d",), 2),
        ("a = [[1, 2],\n[3]]", ("a", 1, 0), 2),
        ("a = ''\nb = \"\"\nc = 1", ("c",), 3),
    ],
)
def test_lines(text: str, path: tuple[str | int, ...], line: int) -> None:
    assert lines_of(text)[path] == line


KEYS = st.text(min_size=1, max_size=6)
VALUES = st.recursive(st.integers() | st.booleans() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_every_key_that_tomllib_reads_has_its_line(table: dict[str, object]) -> None:
    pairs = [f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items()]
    text = "".join(pairs).replace("\x7f", "\\u007f")
    assert [*tomllib.loads(text)] == [*table]
    assert {path[0]: line for path, line in lines_of(text).items() if len(path) == 1} == {key: n for n, key in enumerate(table, 1)}


KNOWN = sorted({name for kind in (StationConfig, CsmsConfig, EvseConfig, Timings) for name in fields_of(kind)})
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["ws://x", "wss://x", "dc", "cType1"])
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=9), inner, max_size=5)
)


@given(st.dictionaries(st.sampled_from(KNOWN), ANYTHING, max_size=6))
def test_whatever_stands_in_it_is_read_or_told(values: dict[str, object]) -> None:
    config, findings = from_values(values)
    assert findings or isinstance(config, StationConfig)
    assert all(found.path and found.text for found in findings)


@given(st.text(alphabet="ab.[]={}\"'#\n ,1\\\t", max_size=60))
def test_any_text_is_read_or_told(text: str) -> None:
    lines = [1]
    try:
        parse(text, "cp.toml")
    except ConfigError as error:
        lines = [problem.line for problem in error.problems]
    assert min(lines) >= 1


# ---- the schema


def test_the_schema_takes_what_the_loader_takes_and_refuses_what_a_type_refuses() -> None:
    import jsonschema_rs

    fits = jsonschema_rs.validator_for(json_schema()).is_valid
    assert fits({"csms": {"url": "wss://x", "versions": ["ocpp2.1"]}, "evses": [{"id": 1, "max_current_A": 32}], "variables": {"a.b": 1}})
    for wrong in (
        {"zorp": 1},
        {"evses": [{"max_current_A": 99}]},
        {"evses": [{"phases": 2}]},
        {"board": "A b"},
        {"csms": {"security_profile": 4}},
    ):
        assert not fits(wrong), wrong


def test_a_field_of_an_unknown_type_is_not_let_through() -> None:
    with pytest.raises(TypeError, match="no rule for"):
        taken_apart(complex)
