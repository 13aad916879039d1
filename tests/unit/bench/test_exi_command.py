"""`chargepoint exi`: what goes in and comes out, exit codes, and words for what is wrong."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.exi import given
from bench.fuzz import exi as fuzz
from iso15118 import v2gtp
from iso15118.exi import codec_of, encode_fragment
from iso15118.exi.explain import HEADING
from iso15118.exi.limits import MOST_DEPTH, MOST_OCTETS
from iso15118.exi.options import COOKIE
from iso15118.exi.schema import schema
from iso15118.exi.types import Simple
from iso15118.messages import SETS
from iso15118.v2gtp import SAP_DIN_ISO2, SCHEMA_SETS
from tests.unit.bench.exi_tape import SETUP, SETUP_RES, Tape, chosen, offer

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "exi.md"
ROWS = fuzz.rows()
DOCUMENTS = [row for row in ROWS if row["kind"] == "document"]
REQUEST = "8000ebab9371d34b9b79d189a98989c1d191d191818999d26b9b3a232b30020000040040"
REQUEST_JSON = {
    "supportedAppProtocolReq": {
        "AppProtocol": [
            {
                "ProtocolNamespace": "urn:iso:15118:2:2013:MsgDef",
                "VersionNumberMajor": 2,
                "VersionNumberMinor": 0,
                "SchemaID": 1,
                "Priority": 1,
            }
        ]
    }
}


class Terminal:
    """The command, with what it is given and what it says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = monkeypatch, capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str, stdin: bytes = b"") -> int:
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        try:
            code = cli.main(["exi", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        self.out, self.err = self._capsys.readouterr()
        assert "Traceback" not in self.err
        return code

    def answers(self, action: str, *lines: bytes) -> list[dict[str, Any]]:
        """Of a filter."""
        assert self(action, stdin=b"".join(line + b"\n" for line in lines)) == 0
        found = [json.loads(line) for line in self.out.splitlines()]
        assert len(found) == len(lines)
        return found


@pytest.fixture
def exi(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal(monkeypatch, capsys)


# ---- one message


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        ([REQUEST], b""),
        ([REQUEST.upper()], b""),
        (["0x" + REQUEST], b""),
        ([REQUEST[:10], REQUEST[10:]], b""),
        ([", ".join("0x" + REQUEST[at : at + 2] for at in range(0, len(REQUEST), 2))], b""),
        ([":".join(REQUEST[at : at + 2] for at in range(0, len(REQUEST), 2))], b""),
        ([], REQUEST.encode() + b"\n"),
        (["-"], b" 80 00\n" + REQUEST[4:].encode()),
        ([], bytes.fromhex(REQUEST)),
    ],
)
def test_octets_in_any_spelling(exi: Terminal, arguments: list[str], stdin: bytes) -> None:
    assert exi("decode", "--schema", "sap", *arguments, stdin=stdin) == 0
    assert json.loads(exi.out) == REQUEST_JSON


@pytest.mark.parametrize("stdin", [True, False])
def test_encoding(exi: Terminal, *, stdin: bool) -> None:
    text = json.dumps(REQUEST_JSON)
    assert exi("encode", "--schema", "sap", *([] if stdin else [text]), stdin=text.encode() if stdin else b"") == 0
    assert exi.out == REQUEST + "\n"


@pytest.mark.parametrize(
    "name",
    [*given.NAMES, *SETS, "ISO_15118_20_DC", "ISO_15118_20_AC", "ISO_15118_2", "DIN_SPEC_70121", "ISO20-DC", "URN:ISO:15118:2:2013:MSGDEF"],
)
def test_names_of_schemas(name: str) -> None:
    assert given.namespace(name) in SETS


def test_every_set_has_a_short_name() -> None:
    assert sorted(given.NAMES.values()) == sorted(SETS)
    assert given.namespace("ISO_15118_20_DC") == "urn:iso:std:iso:15118:-20:DC"
    assert given.namespace("ISO_15118_2") == "urn:iso:15118:2:2013:MsgDef"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("iso2-dc", "did you mean iso20-dc?"), ("urn:iso:15118:2:2013:MsgDeff", "did you mean urn:iso:15118:2:2013:MsgDef?"), ("?", "there are sap, din, iso2")],
)  # fmt: skip
def test_a_schema_that_there_is_not(exi: Terminal, name: str, hint: str) -> None:
    assert exi("decode", "--schema", name, REQUEST) == 2
    assert f"no schema {name!r}; " in exi.err
    assert hint in exi.err


@pytest.mark.parametrize("row", DOCUMENTS[::13], ids=lambda row: row["message"])
def test_golden_documents(exi: Terminal, row: dict[str, Any]) -> None:
    assert exi("decode", "--schema", row["ns"], row["exi_hex"]) == 0
    assert json.loads(exi.out) == row["json"]
    assert exi("encode", "--schema", row["ns"], json.dumps(row["json"])) == 0
    assert exi.out.strip() == row["exi_hex"]


@pytest.mark.parametrize("row", [row for row in ROWS if row["kind"] == "fragment"], ids=lambda row: f"{row['message']} {row['variant']}")
def test_golden_fragments(exi: Terminal, row: dict[str, Any]) -> None:
    assert exi("decode", "--fragment", "--schema", row["ns"], row["exi_hex"]) == 0
    assert json.loads(exi.out) == row["json"]
    assert exi("encode", "--fragment", "--schema", row["ns"], json.dumps(row["json"])) == 0
    assert exi.out.strip() == row["exi_hex"]


@pytest.mark.parametrize(
    ("namespace", "name", "value", "shown"),
    [
        (given.ISO2, "GenChallenge", bytes(16), "AAAAAAAAAAAAAAAAAAAAAA=="),
        (given.ISO2, "SessionID", b"\xab\xcd", "ABCD"),
        (given.ISO2, "ServiceName", "x", "x"),
    ],
)
def test_fragments_of_a_simple_type(exi: Terminal, namespace: str, name: str, value: Any, shown: Any) -> None:
    octets = encode_fragment(name, value, namespace)
    assert exi("decode", "--fragment", "--schema", namespace, octets.hex()) == 0
    assert json.loads(exi.out) == {name: shown}
    assert exi("encode", "--fragment", "--schema", namespace, json.dumps({name: shown})) == 0
    assert exi.out.strip() == octets.hex()


def test_no_name_holds_octets_of_both_spellings() -> None:
    """Whether a fragment's octets are base64 or hexadecimal follows from its name."""
    for namespace in SETS:
        spelled: dict[str, set[bool]] = {}
        for (_, name), values in schema(namespace).declared.items():
            spelled.setdefault(name, set()).update(each.hex for each in values if isinstance(each, Simple) and each.kind == "binary")
        assert [name for name, found in spelled.items() if len(found) > 1] == []


# ---- frames


def frame(payload: int, stream: str) -> str:
    return f"01fe{payload:04x}{len(stream) // 2:08x}{stream}"


@pytest.mark.parametrize(
    "row", [*DOCUMENTS[::7], *(row for row in ROWS if row["kind"] == "signed-document")], ids=lambda row: row["message"]
)
def test_a_frame_says_its_schema_itself(exi: Terminal, row: dict[str, Any]) -> None:
    payload = next((payload for payload, ns in SCHEMA_SETS.items() if ns == row["ns"]), SAP_DIN_ISO2)
    assert exi("decode", frame(payload, row["exi_hex"])) == 0
    assert json.loads(exi.out) == row["json"]


def test_what_tells_sap_din_and_iso2_apart() -> None:
    for code, namespace in given.ROOTS.items():
        elements = list(schema(namespace).elements)
        assert len(elements).bit_length() == 7
        assert elements[code][1] == "V2G_Message"
    assert len(schema(given.SAP).elements).bit_length() == 2
    assert all(code >> 6 for code in given.ROOTS)


@pytest.mark.parametrize("namespace", [given.SAP, given.DIN, given.ISO2])
def test_a_cookie_before_the_header_hides_no_schema(namespace: str) -> None:
    octets = bytes.fromhex(next(row["exi_hex"] for row in DOCUMENTS if row["ns"] == namespace))
    assert given.schema_set(SAP_DIN_ISO2, octets) == namespace
    assert given.schema_set(SAP_DIN_ISO2, COOKIE + octets) == namespace


def test_a_schema_that_is_given_wins(exi: Terminal) -> None:
    assert exi("decode", "--schema", "iso20-dc", frame(0x8001, REQUEST)) == 1
    assert "DC_" in exi.err


def test_frames_one_behind_the_other(exi: Terminal) -> None:
    row = next(row for row in DOCUMENTS if row["ns"] == given.DIN)
    assert exi("decode", stdin=bytes.fromhex(frame(0x8001, REQUEST) + frame(0x8001, row["exi_hex"]))) == 0
    first, end = json.JSONDecoder().raw_decode(exi.out)
    assert [first, json.loads(exi.out[end:])] == [REQUEST_JSON, row["json"]]


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (frame(0x9000, "1000"), "V2GTP payload type 9000 (SDP request): no EXI"),
        (frame(0x8007, "80"), "V2GTP payload type 8007: no EXI"),
        (frame(0x8001, REQUEST)[:-2], "the V2GTP frame ends too early"),
        ("01fe8001", "the V2GTP frame ends too early"),
        (frame(0x8001, REQUEST) + "0203", "no V2GTP: it begins with 0203, expected 01FE"),
        ("01fe8001ffffffff", "a V2GTP payload of 4294967295 octets"),
        (frame(0x8001, ""), "no EXI stream"),
        (frame(0x8002, "80"), "the octets end"),
        ("80", "--schema NAME is needed"),
        ("", "nothing was given"),
        ("8", "half an octet is missing"),
        ("80 4g", "'g' is no hexadecimal digit"),
        ("80\u06604", "is no hexadecimal digit"),
    ],
)
def test_what_is_wrong_is_said_in_words(exi: Terminal, octets: str, said: str) -> None:
    assert exi("decode", octets) == 1
    assert said in exi.err


def test_broken_messages(exi: Terminal) -> None:
    assert exi("decode", "--schema", "sap", REQUEST[:-8]) == 1
    assert (exi.out, exi.err.count("\n")) == ("", 1)
    assert "supportedAppProtocolReq/AppProtocol/" in exi.err
    assert exi("encode", "--schema", "sap", '{"supportedAppProtocolReq": {"AppProtocol": [{}]}}') == 1
    assert "supportedAppProtocolReq/AppProtocol[0]/ProtocolNamespace: missing" in exi.err
    assert exi("encode", "--schema", "sap", "{") == 1
    assert "no JSON: Expecting property name" in exi.err
    assert exi("encode", "--schema", "sap", stdin=b"\xff") == 1
    assert "no JSON" in exi.err
    assert exi("encode", REQUEST) == 2
    assert "--schema" in exi.err


# ---- explain


def test_explain_ends_with_the_json(exi: Terminal) -> None:
    assert exi("explain", frame(0x8001, REQUEST)) == 0
    lines, _, document = exi.out.partition("\n\n")
    assert json.loads(document) == REQUEST_JSON
    assert "= 'urn:iso:15118:2:2013:MsgDef'  a text of 0 to 100 characters" in lines
    assert "\x1b" not in exi.out


def test_explain_of_frames_one_behind_the_other(exi: Terminal) -> None:
    assert exi("explain", frame(0x8001, REQUEST) + frame(0x8001, REQUEST[:20]) + frame(0x8001, REQUEST)) == 1
    first, second, third = exi.out.split("\n\n" + HEADING)
    assert json.loads(first.partition("\n\n")[2]) == json.loads(third.partition("\n\n")[2]) == REQUEST_JSON
    assert "octets are left" in second


def test_explain_of_a_broken_message(exi: Terminal) -> None:
    assert exi("explain", "--schema", "sap", REQUEST[:20]) == 1
    assert "\n>  " in exi.out
    assert "a text of 27 characters, and 7 octets are left" in exi.out
    assert "{" not in exi.out


def test_explain_of_a_fragment(exi: Terminal) -> None:
    row = next(row for row in ROWS if row["kind"] == "fragment")
    assert exi("explain", "--fragment", "--schema", row["ns"], row["exi_hex"]) == 0
    assert "end of the fragment" in exi.out
    assert json.loads(exi.out.partition("\n\n")[2]) == row["json"]


def test_colours_in_a_terminal_only(exi: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.exi.commands._painting", lambda: True)
    assert exi("explain", "--schema", "sap", REQUEST[:20]) == 1
    painted = exi.out
    monkeypatch.undo()
    assert exi("explain", "--schema", "sap", REQUEST[:20]) == 1
    assert "\x1b[1;31m" in painted
    assert "\x1b[36m" in painted
    for code in ("2", "36", "32", "1;31", "0"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == exi.out


# ---- captures


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A car and a station begin to talk -2; the station's last answer is cut short, and something that is no EXI comes."""
    ev, secc = ("fe80::1", 50000), ("fe80::2", 15118)
    tape = Tape()
    tape.open(ev, secc)
    tape.tcp(ev, secc, offer(given.ISO2))
    tape.tcp(secc, ev, chosen(1))
    tape.tcp(ev, secc, SETUP)
    broken = SETUP_RES[v2gtp.HEADER : -4]
    tape.tcp(secc, ev, v2gtp.Frame(v2gtp.SAP_DIN_ISO2, broken).octets())
    tape.tcp(ev, secc, v2gtp.Frame(0x8007, b"\x80").octets())
    return tape.save(tmp_path / "a.pcap")


def test_a_capture(exi: Terminal, capture: Path) -> None:
    assert exi("pcap", str(capture)) == 1
    told = exi.out.splitlines()
    assert told[0] == "    3    0.000000  [fe80::1]:50000 > [fe80::2]:15118  8001  supportedAppProtocolReq (sap)"
    assert json.loads(told[1]) == REQUEST_JSON
    assert [each.split("  ")[-1] for each in told if not each.startswith("      {")] == [
        "supportedAppProtocolReq (sap)",
        "supportedAppProtocolRes (sap)",
        "SessionSetupReq (iso2)",
        told[6].split("  ")[-1],
        "payload type 8007 [this payload type carries no EXI that is known]",
    ]
    assert "8001  SAP, DIN or -2 [not decoded with urn:iso:15118:2:2013:MsgDef: V2G_Message/Body/SessionSetupRes" in told[6]
    assert len(told) == 8
    shown = PAGE.read_text("utf-8").partition("$ chargepoint exi pcap session.pcapng\n")[2].partition("```")[0]
    assert told[:6] == shown.splitlines()


def test_a_capture_bit_by_bit(exi: Terminal, capture: Path) -> None:
    assert exi("pcap", "--explain", str(capture)) == 1
    assert exi.out.count(HEADING) == 4
    assert "element SessionSetupReq" in exi.out
    assert exi.out.count("\n> ") == 1, "the broken one is shown with the set that its root element says"


def test_a_capture_of_whole_messages(exi: Terminal, tmp_path: Path) -> None:
    tape = Tape()
    tape.tcp(("10.0.0.1", 50000), ("10.0.0.2", 15118), offer(given.ISO2))
    assert exi("pcap", str(tape.save(tmp_path / "b.pcapng", ng=True))) == 0
    assert "10.0.0.1:50000 > 10.0.0.2:15118  8001  supportedAppProtocolReq (sap)\n" in exi.out


def test_what_is_no_capture(exi: Terminal, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing")
    assert exi("pcap", str(tmp_path / "x")) == 1
    assert "neither pcap nor pcapng" in exi.err
    assert exi("pcap", str(tmp_path / "y")) == 1
    assert "No such file" in exi.err


# ---- filters


def asked(**what: Any) -> bytes:
    return json.dumps(what).encode()


def test_filter_answers_each_line(exi: Terminal) -> None:
    found = exi.answers("filter", *(asked(ns=row["ns"], hex=row["exi_hex"], fragment=row["kind"] == "fragment") for row in ROWS))
    assert found == [{"ok": row["json"]} for row in ROWS]


def test_encode_filter_answers_each_line(exi: Terminal) -> None:
    found = exi.answers("encode-filter", *(asked(ns=row["ns"], json=row["json"], fragment=row["kind"] == "fragment") for row in ROWS))
    assert found == [{"hex": row["exi_hex"]} for row in ROWS]


@pytest.mark.req("S-28")
@pytest.mark.parametrize("action", ["filter", "encode-filter"])
def test_no_line_ends_a_filter(exi: Terminal, action: str) -> None:
    lines = [
        b"",
        b"{",
        b"\xff\xfe",
        b"\x00",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"ns": "sap"}',
        b'{"ns": "sap", "hex": 7, "json": 7}',
        b'{"ns": ["sap"], "hex": "80", "json": {}}',
        b'{"ns": "none", "hex": "80", "json": {}}',
        b'{"ns": "sap", "hex": "8", "json": {"x": {}}}',
        b'{"ns": "sap", "hex": "zz", "json": {"supportedAppProtocolRes": []}}',
        b'{"ns": "sap", "hex": "", "json": {"supportedAppProtocolRes": {"ResponseCode": NaN}}}',
        b'{"ns": "sap", "hex": "8000ffff", "json": {"supportedAppProtocolRes": {"ResponseCode": "\\ud800"}}}',
        b'{"ns": "sap", "hex": "' + b"80" * 200_000 + b'", "json": {"a": 1, "b": 2}}',
        b'{"ns": "http://www.w3.org/2000/09/xmldsig#", "hex": "8080", "json": {"Object": {"any": '
        + b'[{"name": "x", "attributes": {}, "content": ' * 60
        + b"[]"
        + b"}]" * 60
        + b"}}}",
    ]
    good = asked(ns="sap", hex=REQUEST, json=REQUEST_JSON)
    found = exi.answers(action, *lines, good)
    assert found.pop() in ({"ok": REQUEST_JSON}, {"hex": REQUEST})
    for line, answer in zip(lines, found, strict=True):
        assert set(answer) == {"error"}, line[:80]
        assert answer["error"].startswith("ExiError: "), (line[:80], answer)


def test_a_bug_is_told_by_its_own_name(exi: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.exi.commands.decode", lambda *_: 1 / 0)
    assert exi.answers("filter", asked(ns="sap", hex=REQUEST)) == [{"error": "ZeroDivisionError: division by zero"}]


def test_a_filter_answers_at_once() -> None:
    """Each answer is there before the next line is sent; the end of the input ends it."""
    command = [sys.executable, "-m", "bench.cli", "exi", "filter"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for row in DOCUMENTS[:3]:
            process.stdin.write(asked(ns=row["ns"], hex=row["exi_hex"]) + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"ok": row["json"]}
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(10) == 0


def test_a_filter_makes_a_codec_once(exi: Terminal) -> None:
    codec = codec_of(given.SAP)
    exi.answers("filter", *[asked(ns="sap", hex=REQUEST)] * 3)
    assert codec_of(given.SAP) is codec


# ---- help


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_the_actions(exi: Terminal, arguments: list[str]) -> None:
    assert exi(*arguments) == 0
    assert all(action in exi.out for action in ("decode", "encode", "explain", "filter", "encode-filter", "pcap"))


def test_help_of_an_action(exi: Terminal) -> None:
    assert exi("decode", "--help") == 0
    assert all(name in exi.out.replace("\n" + " " * 17, " ") for name in given.NAMES)


# ---- the page


def examples() -> list[tuple[str, str]]:
    """Command line and output of each example of the page."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [(command, output) for block in blocks for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)]


@pytest.mark.parametrize(("command", "output"), examples())
def test_an_example_of_the_page(exi: Terminal, command: str, output: str) -> None:
    words = shlex.split(command)
    stdin = b""
    if words[0] == "echo":
        stdin, words = words[1].encode() + b"\n", words[3:]
    assert words[:2] == ["chargepoint", "exi"]
    assert exi(*words[2:], stdin=stdin) in (0, 1)
    assert exi.out + exi.err == output


def test_the_page_names_every_action_schema_and_payload_type() -> None:
    text = PAGE.read_text("utf-8")
    assert len(examples()) == 8
    for name, namespace in given.NAMES.items():
        payloads = [f"{payload:04X}" for payload, each in SCHEMA_SETS.items() if each == namespace]
        payloads += ["8001"] * (namespace in (given.SAP, *given.ROOTS.values()))
        assert f"| `{name}` | `{namespace}` |{' ' if payloads else ''}{', '.join(payloads)} |" in text
    assert f"{MOST_OCTETS:,} octets" in text
    assert f"{MOST_DEPTH} elements in one another" in text
