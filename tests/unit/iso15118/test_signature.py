"""XML signatures: those of others hold, ours hold for others, and what is wrong is refused by its reason."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from bench.fuzz import exi as fuzz
from iso15118.exi import decode, encode_fragment
from iso15118.exi.encoder import Encoder
from iso15118.exi.types import fields_of
from iso15118.messages.declare import Message
from iso15118.signature import ISO2, ISO20, MOST_PARTS, SUITES, XMLDSIG, Edition, Lax, sign, signed_octets, signer_of, verify
from tests.unit.iso15118.signature_parts import EDITIONS, KEYS, P256, P521, judged, parts_of, signed

# ---- others' signatures

ROWS = [row for row in fuzz.rows(fuzz.VECTORS) if row["kind"] == "signed-document"]


def elements(message: Message) -> Iterator[tuple[str, Any]]:
    for field in fields_of(type(message)):
        value = getattr(message, field.name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Message):
                yield (each._element_ if field.ref else field.name), each
                yield from elements(each)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['message']} of {row['ns']}")
def test_a_signature_out_of_a_session_of_others(row: dict[str, Any]) -> None:
    """Those of -20 are signed as -2 signs: that wants its name said."""
    message = decode(bytes.fromhex(row["exi_hex"]), row["ns"])
    there = list(elements(message))
    (signature,) = [each for name, each in there if name == "Signature"]
    by_id = {each.Id: (each.Id, name, each) for name, each in there if getattr(each, "Id", None)}
    parts = [by_id[each["uri"].removeprefix("#")] for each in row["references"]]
    key = load_der_x509_certificate(base64.b64decode(row["signer_cert_der_b64"])).public_key()
    lax: tuple[Lax, ...] = ("iso20_p256",) if row["ns"] == ISO20 else ()
    assert verify(signature, parts, key, lax=lax) == ""
    if lax:
        assert verify(signature, parts, key) != ""
    signature.SignatureValue.value = signature.SignatureValue.value[:-1] + bytes([signature.SignatureValue.value[-1] ^ 1])
    assert verify(signature, parts, key, lax=lax) == "the signature is not the key's, or something in SignedInfo was changed"


def test_there_are_signatures_of_others_in_both_editions() -> None:
    assert len(ROWS) == 8
    assert {row["ns"] for row in ROWS} == {ISO2, ISO20}


# ---- ours


@pytest.mark.parametrize("edition", EDITIONS)
def test_ours_hold(edition: Edition) -> None:
    signature = signed(edition)
    assert judged(edition, signature) == ""
    assert len(signature.SignatureValue.value) == {"iso2": 64, "iso20": 132, "iso20_ed448": 114}[edition]


@pytest.mark.parametrize("edition", EDITIONS)
def test_ours_hold_for_cryptography_alone(edition: Edition) -> None:
    signature = signed(edition)
    octets = encode_fragment("SignedInfo", signature.SignedInfo, XMLDSIG)
    assert octets.startswith(bytes.fromhex("808112"))
    value, key = signature.SignatureValue.value, KEYS[edition].public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        half = len(value) // 2
        der = encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
        key.verify(der, octets, ec.ECDSA(hashes.SHA256() if edition == "iso2" else hashes.SHA512()))
    else:
        key.verify(value, octets)
    digest: Callable[[bytes], bytes] = {
        "iso2": lambda octets: hashlib.sha256(octets).digest(),
        "iso20": lambda octets: hashlib.sha512(octets).digest(),
        "iso20_ed448": lambda octets: hashlib.shake_256(octets).digest(64),
    }[edition]
    for reference, (id_, name, part) in zip(signature.SignedInfo.Reference, parts_of(edition), strict=True):
        assert (reference.URI or "").removeprefix("#") == id_
        assert reference.DigestValue == digest(encode_fragment(name, part, ISO2 if edition == "iso2" else ISO20))


@pytest.mark.parametrize("edition", EDITIONS)
def test_ours_hold_for_openssl(edition: Edition, tmp_path: Path) -> None:
    signature, key = signed(edition), KEYS[edition].public_key()
    value = signature.SignatureValue.value
    if isinstance(key, ec.EllipticCurvePublicKey):
        half = len(value) // 2
        value = encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
    octets = signed_octets(signature.SignedInfo)
    (tmp_path / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "value").write_bytes(value)
    digest = [] if edition == "iso20_ed448" else ["-digest", "sha256" if edition == "iso2" else "sha512"]
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", *digest, "-sigfile", "value", "-in", "octets"]
    for what, code in ((octets, 0), (octets[:-1] + bytes([octets[-1] ^ 128]), 1)):
        (tmp_path / "octets").write_bytes(what)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_algorithms_are_named_as_the_standard_names_them(edition: Edition) -> None:
    info = signed(edition).SignedInfo
    suite = SUITES[edition]
    assert info.CanonicalizationMethod.Algorithm == "http://www.w3.org/TR/canonical-exi/"
    assert info.SignatureMethod.Algorithm == suite.signature_method
    assert {each.DigestMethod.Algorithm for each in info.Reference} == {suite.digest_method}
    assert suite.signature_method.rpartition("#")[2] == {"iso2": "ecdsa-sha256", "iso20": "ecdsa-sha512", "iso20_ed448": "Ed448"}[edition]
    assert suite.digest_method.rpartition("#")[2] == {"iso2": "sha256", "iso20": "sha512", "iso20_ed448": "SHAKE256"}[edition]


def test_no_fragment_but_emaid_takes_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[str] = []
    walk = Encoder.fragment

    def told(self: Encoder, name: str, value: Any) -> bytes:
        walked.append(name)
        return walk(self, name, value)

    monkeypatch.setattr(Encoder, "fragment", told)
    for edition in EDITIONS:
        assert judged(edition, signed(edition)) == ""
    assert set(walked) == {"eMAID"}


def test_references_hold_in_any_order() -> None:
    assert judged("iso2", signed("iso2", parts_of("iso2")[::-1])) == ""


# ---- what cannot be signed


def test_a_signer_of_another_curve_is_an_error() -> None:
    with pytest.raises(ValueError, match="the signer gave 64 octets, iso20 has 132"):
        sign(signer_of(P256), "iso20", parts_of("iso20"))
    with pytest.raises(ValueError, match="secp384r1"):
        signer_of(ec.derive_private_key(7, ec.SECP384R1()))


def test_parts_that_cannot_be_referred_to_are_errors() -> None:
    part = parts_of("iso20")[0]
    for parts, why in (
        ([], "0 parts: a signature covers 1 to 4"),
        ([part] * (MOST_PARTS + 1), "5 parts: a signature covers 1 to 4"),
        ([part, part], "two parts have one Id"),
        ([("other", part[1], part[2])], "PnC_AReqAuthorizationMode has the Id 'id1', not 'other'"),
        ([("", part[1], part[2])], "PnC_AReqAuthorizationMode has the Id 'id1', not ''"),
    ):
        with pytest.raises(ValueError, match=why):
            sign(signer_of(P521), "iso20", parts)
        assert verify(signed("iso20"), parts, P521.public_key()) == why
