"""Streams that our codec did not make: those of `tests/golden` (its README says whence), and those that other projects and cars have made."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import load_der_x509_certificate

from bench.fuzz import exi as fuzz
from iso15118.exi import Codec, ExiError, codec_of, decode, encode_fragment, fragment_to_json, to_json
from iso15118.exi.decoder import Decoder
from iso15118.exi.encoder import Encoder
from iso15118.exi.json import Reader
from iso15118.exi.types import fields_of
from iso15118.messages.declare import Message
from tests.unit.iso15118.exi_surgery import Place, bits_of, octets_of, places

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"


class Row(NamedTuple):
    """A line of a file of vectors."""

    number: int
    all: dict[str, Any]

    @property
    def octets(self) -> bytes:
        return bytes.fromhex(self.all["exi_hex"])

    @property
    def codec(self) -> Codec:
        return codec_of(self.all["ns"])

    @property
    def fragment(self) -> bool:
        return bool(self.all["kind"] == "fragment")

    @property
    def name(self) -> str:
        return f"{self.number} {self.all['message']} {self.all['kind']} of {self.all['ns']}"


def rows(path: Path = fuzz.VECTORS) -> list[Row]:
    return [Row(number, row) for number, row in enumerate(fuzz.rows(path), 1)]


ROWS = rows()
SIGNED = [row for row in ROWS if row.all["kind"] == "signed-document"]


# ---- two ways through the codec


class Way(NamedTuple):
    """What is read and written is a message, or the name and content of a fragment."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def plain(row: Row) -> Way:
    """As callers have it."""
    if row.fragment:
        return Way(row.codec.decode_fragment, lambda found: row.codec.encode_fragment(*found))
    return Way(row.codec.decode, row.codec.encode)


def walk(row: Row) -> Way:
    """Along the grammar, without the generated functions."""
    grammars = row.codec.grammars
    if row.fragment:
        return Way(lambda octets: Decoder(grammars, octets).fragment(), lambda found: Encoder(grammars).fragment(*found))
    return Way(lambda octets: Decoder(grammars, octets).document(), lambda found: Encoder(grammars).document(found))


def shown(row: Row, found: Any) -> Any:
    """As JSON."""
    return fragment_to_json(found[0], found[1], row.all["ns"]) if row.fragment else to_json(found)


def read(row: Row) -> Any:
    """The row's JSON as message or fragment."""
    reader = Reader(row.codec.schema)
    return reader.fragment(row.all["json"]) if row.fragment else reader.document(row.all["json"])


def wrong(row: Row, way: Way) -> dict[str, str]:
    """Step -> what is wrong: `decode`, `json` (of what was decoded), `again` (encoded again), `encode` (of the row's JSON)."""
    found: dict[str, str] = {}

    def same(step: str, make: Callable[[], Any], wanted: Any) -> Any:
        try:
            made = make()
        except ExiError as error:
            found[step] = str(error)
            return None
        if wanted is not None and made != wanted:
            found[step] = f"{made!r} instead of {wanted!r}"
        return made

    decoded = same("decode", lambda: way.decode(row.octets), None)
    if decoded is not None:
        same("json", lambda: shown(row, decoded), row.all["json"])
        same("again", lambda: way.encode(decoded).hex(), row.all["exi_hex"])
    if row.all["json"] is not None:
        same("encode", lambda: way.encode(read(row)).hex(), row.all["exi_hex"])
    return found


# ---- ours


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_vector_both_ways(row: Row) -> None:
    assert wrong(row, plain(row)) == {}
    assert wrong(row, walk(row)) == {}


def test_the_generated_functions_need_no_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they do not take falls back on the walk: right, and a hundred times as slow. No golden document does."""

    def fallen(*_: object) -> None:
        raise AssertionError("fell back on the walk")

    monkeypatch.setattr("iso15118.exi.codec.Decoder", fallen)
    monkeypatch.setattr("iso15118.exi.codec.Encoder", fallen)
    documents = [row for row in ROWS if not row.fragment]
    assert len(documents) == 268
    for row in documents:
        assert wrong(row, plain(row)) == {}, row.name


def test_the_generated_functions_write_fragments(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but eMAID: an element name with two types has a grammar of its own."""
    fragments = [(row, plain(row).decode(row.octets)) for row in ROWS if row.fragment]
    fallen: list[str] = []
    encoder = Encoder.fragment

    def told(walk: Encoder, name: str, value: Any) -> bytes:
        fallen.append(name)
        return encoder(walk, name, value)

    monkeypatch.setattr(Encoder, "fragment", told)
    for row, found in fragments:
        assert plain(row).encode(found) == row.octets
    assert fallen == ["eMAID", "eMAID"]


def test_fragments_have_the_digests_that_the_rows_say() -> None:
    told = [row for row in ROWS if "sha256" in row.all]
    assert len(told) == 26
    for row in told:
        name, content = read(row)
        octets = encode_fragment(name, content, row.all["ns"])
        assert hashlib.sha256(octets).hexdigest() == row.all["sha256"], row.name
        assert hashlib.sha512(octets).hexdigest() == row.all["sha512"], row.name


@pytest.mark.req("S-28")
@pytest.mark.parametrize("namespace", sorted({row.all["ns"] for row in ROWS}))
def test_a_stream_that_is_cut_says_where(namespace: str) -> None:
    """The shortest, the middle and the longest document of a set, cut behind each octet (at most 200 of them)."""
    of_set = sorted((row for row in ROWS if row.all["ns"] == namespace), key=lambda row: len(row.octets))
    for row in (of_set[0], of_set[len(of_set) // 2], of_set[-1]):
        whole = len(row.octets)
        standing = places(row.codec, row.octets, fragment=row.fragment)
        for length in range(0, whole, -(-whole // 200)):
            with pytest.raises(ExiError) as raised:
                plain(row).decode(row.octets[:length])
            assert raised.value.bit is not None
            assert 0 <= raised.value.bit <= 8 * length
            there = next(each for each in standing if each.end > 8 * length)
            assert there.start <= raised.value.bit <= there.end
            told = raised.value.expected
            assert expected(there, row) in (told, *told.split(" or ")), row.name


def expected(there: Place, row: Row) -> str:
    """What a stream that is cut is told to lack, where this stood."""
    if there.what == "EXI header":
        return "80"
    if there.simple or there.what == "text":
        return str(there.simple or "a text")
    if not there.path and there.what != "ED":
        return "an element of the schema set" if row.fragment else "a global element"
    return there.what


# ---- signed documents


def elements(message: Message) -> Iterator[tuple[str, Any]]:
    """Name and content of every element in a message."""
    for field in fields_of(type(message)):
        if field.kind not in ("element", "any"):
            continue
        value = getattr(message, field.name)
        for each in value if field.many else () if value is None else (value,):
            yield (each._element_ if field.ref else field.name), each
            if isinstance(each, Message):
                yield from elements(each)


def only(message: Message, wanted: str) -> Any:
    (found,) = [each for name, each in elements(message) if name == wanted]
    return found


@pytest.mark.parametrize("row", SIGNED, ids=lambda row: row.name)
def test_a_signed_document(row: Row) -> None:
    """Each digest over our octets of the element with that Id, the signature over our octets of SignedInfo."""
    namespace, message = row.all["ns"], decode(row.octets, row.all["ns"])
    signed_info = only(message, "SignedInfo")
    by_id = {each.Id: (name, each) for name, each in elements(message) if getattr(each, "Id", None)}
    assert [reference.URI for reference in signed_info.Reference] == [each["uri"] for each in row.all["references"]]
    for reference, told in zip(signed_info.Reference, row.all["references"], strict=True):
        assert reference.DigestMethod.Algorithm == "http://www.w3.org/2001/04/xmlenc#sha256"
        name, element = by_id[reference.URI.removeprefix("#")]
        octets = encode_fragment(name, element, namespace)
        assert name == told["element"]
        assert octets.hex() == told["fragment_exi_hex"]
        assert hashlib.sha256(octets).digest() == reference.DigestValue == bytes.fromhex(told["digest_sha256"])

    signed = encode_fragment("SignedInfo", signed_info, XMLDSIG)
    assert signed.hex() == row.all["signed_info_exi_hex"]
    value = only(message, "SignatureValue").value
    assert value.hex() == row.all["signature_r_s_hex"]
    key = load_der_x509_certificate(base64.b64decode(row.all["signer_cert_der_b64"])).public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    der = encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    key.verify(der, signed, ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(der, signed[:-1] + bytes([signed[-1] ^ 128]), ECDSA(hashes.SHA256()))


def test_there_are_signed_documents() -> None:
    assert len(SIGNED) == 8
    assert sum(len(row.all["references"]) for row in SIGNED) == 11


# ---- what others have made


class Fault(NamedTuple):
    """A row of the collected file that is wrong itself: which steps it fails, and why."""

    row: int
    message: str
    steps: set[str]
    reason: str


SHORT = "EVSEID of 5 characters: the schema's least is 7"
EMPTY = "the JSON has {} where the stream has an empty value"
ZERO = "an octet of zeros behind the message, as this car sends it: read, and not written again"
FAULTS = (
    Fault(24, "SessionSetupRes", {"decode", "encode"}, SHORT),
    Fault(38, "ChargingStatusRes", {"decode", "encode"}, SHORT),
    Fault(40, "CurrentDemandRes", {"decode", "encode"}, SHORT),
    Fault(129, "CertificateInstallationRes", {"decode", "encode"}, "DHPublicKey of 2 octets: the schema's length is 133"),
    Fault(171, "SalesTariff", {"json", "encode"}, "the JSON is empty, the stream is not"),
    Fault(202, "SessionSetupRes", {"json", "encode"}, EMPTY),
    Fault(245, "ContractAuthenticationReq", {"again", "encode"}, ZERO),
    Fault(364, "SessionSetupReq", {"json", "encode"}, EMPTY),
    Fault(468, "ChargeParameterDiscoveryRes", {"decode", "encode"}, "SASchedules: an abstract element itself, none that substitutes it"),
    Fault(591, "ContractAuthenticationReq", {"again", "encode"}, ZERO),
)


@pytest.mark.collected
@pytest.mark.parametrize("way", [plain, walk])
def test_what_others_have_made(collected: Path, way: Callable[[Row], Way]) -> None:
    found = [
        (row.number, row.all["message"], set(faults)) for row in rows(collected / "exi-collected.jsonl") if (faults := wrong(row, way(row)))
    ]
    assert found == [fault[:3] for fault in FAULTS]


@pytest.mark.collected
def test_what_is_wrong_with_them_is_what_we_say(collected: Path) -> None:
    """The same rows again, mended: what is left of them is right."""
    found = rows(collected / "exi-collected.jsonl")
    assert len(found) == 695
    assert sum(row.all["json"] is None for row in found) == 50, "rows without JSON are only decoded and encoded again"
    for fault in FAULTS:
        row = found[fault.row - 1]
        said = wrong(row, plain(row))
        if fault.reason == SHORT:
            assert "EVSEID" in said["decode"]
            assert "'EVSE1' is not a text of 7 to 37 characters" in said["decode"]
        elif fault.reason == ZERO:
            mended = Row(row.number, {**row.all, "exi_hex": row.all["exi_hex"].removesuffix("00")})
            assert wrong(mended, plain(mended)) == {}
        elif fault.reason == EMPTY:
            mended = Row(row.number, {**row.all, "json": json.loads(json.dumps(row.all["json"]).replace("{}", '""'))})
            assert wrong(mended, plain(mended)) == {}


@pytest.mark.collected
def test_keys_of_a_wrong_length_are_what_is_wrong_with_row_129(collected: Path) -> None:
    row = rows(collected / "exi-collected.jsonl")[129 - 1]
    assert "SignedInstallationData/DHPublicKey" in wrong(row, plain(row))["decode"]
    assert "b'\\x06\\x07' is not 133 to 133 octets" in wrong(row, plain(row))["decode"]
    bits, document = bits_of(row.octets), json.dumps(row.all["json"])
    for octets, length in ((b"\x06\x07", 133), (b"\x08\x09", 94)):
        key, value = bytes(range(length)), bits_of(bytes([len(octets)]) + octets)
        assert bits.count(value) == 1
        bits = bits.replace(value, bits_of((bytes([133, 1]) if length > 127 else bytes([length])) + key))
        document = document.replace(base64.b64encode(octets).decode(), base64.b64encode(key).decode())
    mended = Row(
        row.number, {**row.all, "exi_hex": octets_of(bits.removesuffix("0" * (len(bits) % 8))).hex(), "json": json.loads(document)}
    )
    assert wrong(mended, plain(mended)) == {}


@pytest.mark.collected
def test_an_empty_json_is_what_is_wrong_with_row_171(collected: Path) -> None:
    row = rows(collected / "exi-collected.jsonl")[171 - 1]
    tariff = {"SalesTariffID": 1, "SalesTariffEntry": [{"RelativeTimeInterval": {"start": 0}}]}
    mended = Row(row.number, {**row.all, "json": {"SalesTariff": tariff}})
    assert wrong(mended, plain(mended)) == {}


@pytest.mark.collected
def test_an_abstract_element_is_what_is_wrong_with_row_468(collected: Path) -> None:
    """With a member of its substitution group in its place, all the rest stays as it is."""
    row = rows(collected / "exi-collected.jsonl")[468 - 1]
    assert "SASchedulesType is abstract" in wrong(row, plain(row))["decode"]
    entry = {"RelativeTimeInterval": {"start": 0}, "PMax": 100}
    schedules = {"SAScheduleTuple": [{"SAScheduleTupleID": 1, "PMaxSchedule": {"PMaxScheduleID": 1, "PMaxScheduleEntry": [entry]}}]}
    document = json.loads(json.dumps(row.all["json"]).replace('"SASchedules": {}', f'"SAScheduleList": {json.dumps(schedules)}'))
    octets = plain(row).encode(read(Row(row.number, {**row.all, "json": document})))
    assert shown(row, plain(row).decode(octets)) == document
    before, behind = bits_of(row.octets)[:112], bits_of(row.octets)[115:]
    assert bits_of(octets).startswith(before)
    assert bits_of(octets).rstrip("0").endswith(behind.rstrip("0"))


@pytest.mark.collected
def test_the_generated_functions_take_what_others_have_made(collected: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of real cars and stations take the quick way, the faulty ones apart."""
    fallen: list[object] = []
    monkeypatch.setattr("iso15118.exi.codec.Decoder", lambda *_: fallen.append(1))
    faulty = {fault.row for fault in FAULTS if "decode" in fault.steps}
    for row in rows(collected / "exi-collected.jsonl"):
        if not row.fragment and row.number not in faulty:
            row.codec.decode(row.octets)
            assert not fallen, row.name
