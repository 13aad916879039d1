"""Signatures that are refused, each by its reason, and what is taken by name only."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from iso15118.exi import encode_fragment
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso2 import data_certificates as two
from iso15118.messages.iso2 import msg_body as body2
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.signature import ISO2, ISO20, SUITES, XMLDSIG, Edition, signed_octets, signer_of, verify
from tests.unit.iso15118.signature_parts import EDITIONS, KEYS, P256, P521, judged, parts_of, signed

# ---- what is refused

Change = Callable[[ds.SignatureType], object]


def first_transforms(signature: ds.SignatureType) -> ds.TransformsType:
    transforms = signature.SignedInfo.Reference[0].Transforms
    assert transforms is not None
    return transforms


def uri(value: str | None, at: int = 0) -> Change:
    return lambda signature: setattr(signature.SignedInfo.Reference[at], "URI", value)


def references(change: Callable[[tuple[ds.ReferenceType, ...]], tuple[ds.ReferenceType, ...]]) -> Change:
    return lambda signature: setattr(signature.SignedInfo, "Reference", change(signature.SignedInfo.Reference))


def algorithm(path: Callable[[ds.SignedInfoType], Any], value: str) -> Change:
    return lambda signature: setattr(path(signature.SignedInfo), "Algorithm", value)


def value(change: Callable[[bytes], bytes]) -> Change:
    return lambda signature: setattr(signature.SignatureValue, "value", change(signature.SignatureValue.value))


def put(path: Callable[[ds.SignatureType], Any], name: str, what: Any) -> Change:
    return lambda signature: setattr(path(signature), name, what)


SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
HMAC = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
CHANGED = "the signature is not the key's, or something in SignedInfo was changed"


REFUSED: dict[str, tuple[Change, str]] = {
    "wrong reference": (uri("#id9"), "a reference to '#id9': that is none of what has to be signed, PnC_AReqAuthorizationMode"),
    "reference to the document": (uri(""), "a reference to '': that is none of"),
    "reference elsewhere": (uri("http://x/#id1"), "a reference to 'http://x/#id1': that is none of"),
    "reference without URI": (uri(None), "a reference has no URI"),
    "missing reference": (references(lambda old: old[:1]), "SignedInstallationData is not signed"),
    "reference twice": (references(lambda old: (*old, old[0])), "PnC_AReqAuthorizationMode is referred to twice"),
    "additional reference": (
        references(lambda old: (*old, ds.ReferenceType(URI="#id3", DigestMethod=old[0].DigestMethod, DigestValue=b""))),
        "a reference to '#id3': that is none of",
    ),
    "references exchanged": (
        lambda signature: (uri("#id2")(signature), uri("#id1", 1)(signature)),
        "SignedInstallationData is not what was signed: its digest differs",
    ),
    "digest differs": (
        lambda signature: setattr(signature.SignedInfo.Reference[0], "DigestValue", bytes(64)),
        "PnC_AReqAuthorizationMode is not what was signed: its digest differs",
    ),
    "digest cut": (
        lambda signature: setattr(signature.SignedInfo.Reference[0], "DigestValue", signature.SignedInfo.Reference[0].DigestValue[:32]),
        "PnC_AReqAuthorizationMode is not what was signed: its digest differs",
    ),
    "digest algorithm": (algorithm(lambda info: info.Reference[0].DigestMethod, SHA1), f"DigestMethod '{SHA1}': with a key of P-521"),
    "digest of the other edition": (
        algorithm(lambda info: info.Reference[1].DigestMethod, SUITES["iso2"].digest_method),
        "DigestMethod 'http://www.w3.org/2001/04/xmlenc#sha256': with a key of P-521",
    ),
    "signature algorithm": (algorithm(lambda info: info.SignatureMethod, HMAC), f"SignatureMethod '{HMAC}': a key of P-521"),
    "algorithm of the other edition": (
        algorithm(lambda info: info.SignatureMethod, SUITES["iso2"].signature_method),
        "SignatureMethod 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256': a key of P-521",
    ),
    "canonicalization": (algorithm(lambda info: info.CanonicalizationMethod, C14N), f"CanonicalizationMethod '{C14N}'"),
    "transform": (
        put(lambda signature: first_transforms(signature).Transform[0], "Algorithm", C14N),
        f"transform '{C14N}' of PnC_AReqAuthorizationMode: it is canonical EXI",
    ),
    "no transform": (
        lambda signature: setattr(signature.SignedInfo.Reference[0], "Transforms", None),
        "the reference to PnC_AReqAuthorizationMode has no transform",
    ),
    "two transforms": (
        lambda signature: setattr(first_transforms(signature), "Transform", first_transforms(signature).Transform * 2),
        "the reference to PnC_AReqAuthorizationMode has 2 transforms: it has one",
    ),
    "XPath": (
        put(lambda signature: first_transforms(signature).Transform[0], "XPath", ("/",)),
        "an algorithm of the signature has parameters",
    ),
    "parameters": (
        put(lambda signature: signature.SignedInfo.SignatureMethod, "text", "x"),
        "an algorithm of the signature has parameters",
    ),
    "HMAC length": (put(lambda signature: signature.SignedInfo.SignatureMethod, "HMACOutputLength", 0), "HMACOutputLength"),
    "Id of Signature": (put(lambda signature: signature, "Id", "id1"), "Id of Signature is there"),
    "Id of SignedInfo": (put(lambda signature: signature.SignedInfo, "Id", "id1"), "Id of SignedInfo is there"),
    "Id of SignatureValue": (put(lambda signature: signature.SignatureValue, "Id", "id1"), "Id of SignatureValue is there"),
    "Type": (put(lambda signature: signature.SignedInfo.Reference[0], "Type", "x"), "Type of Reference is there"),
    "KeyInfo": (put(lambda signature: signature, "KeyInfo", ds.KeyInfoType(KeyName=("x",))), "KeyInfo is there"),
    "Object": (put(lambda signature: signature, "Object", (ds.ObjectType(),)), "Object is there"),
    "value too short": (value(lambda old: old[:-1]), "SignatureValue of 131 octets: P-521 has 132"),
    "value of the other edition": (value(lambda old: old[:64]), "SignatureValue of 64 octets: P-521 has 132"),
    "value in DER": (
        value(lambda old: encode_dss_signature(int.from_bytes(old[:66], "big"), int.from_bytes(old[66:], "big"))),
        "octets: P-521 has 132",
    ),
    "no value": (value(lambda old: b""), "SignatureValue of 0 octets"),
    "zeros": (value(lambda old: bytes(132)), CHANGED),
    "ones": (value(lambda old: b"\xff" * 132), CHANGED),
    "r and s exchanged": (value(lambda old: old[66:] + old[:66]), CHANGED),
    "SignedInfo changed": (references(lambda old: old[::-1]), CHANGED),
    "a long word": (uri("#" + "x" * 500), "a reference to '#" + "x" * 79 + "...': that"),
    "a word of two lines": (uri("#x\nall is well"), r"a reference to '#x\nall is well': that"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_by_its_reason(name: str) -> None:
    change, why = REFUSED[name]
    signature = signed("iso20")
    change(signature)
    told = judged("iso20", signature)
    assert why in told
    assert len(told) < 300
    assert "\n" not in told


def test_a_message_that_is_not_signed() -> None:
    assert judged("iso20", None) == "the message is not signed"


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_part_that_was_changed_behind_the_signature(edition: Edition) -> None:
    parts = parts_of(edition)
    id_, name, part = parts[-1]
    part = copy.deepcopy(part)
    if isinstance(part, two.EMAIDType):
        part.value = "DETSTC00000002"
    elif isinstance(part, cc.SignedInstallationDataType):
        part.DHPublicKey = bytes(132) + b"\x01"
    told = verify(signed(edition), [*parts[:-1], (id_, name, part)], KEYS[edition].public_key())
    assert told == f"{name} is not what was signed: its digest differs"


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_key_of_somebody_else(edition: Edition) -> None:
    own = KEYS[edition]
    other = (
        ed448.Ed448PrivateKey.from_private_bytes(bytes(57))
        if isinstance(own, ed448.Ed448PrivateKey)
        else ec.derive_private_key(99, own.curve)
    )
    assert verify(signed(edition), parts_of(edition), other.public_key()) == CHANGED


def test_a_key_of_the_wrong_kind() -> None:
    for edition in EDITIONS:
        for other in EDITIONS:
            if other != edition:
                assert verify(signed(edition), parts_of(edition), KEYS[other].public_key()) != ""
    signature, parts = signed("iso2"), parts_of("iso2")
    assert verify(signature, parts, P521.public_key()).startswith("SignatureMethod ")
    of_384 = ec.derive_private_key(7, ec.SECP384R1()).public_key()
    assert verify(signature, parts, of_384) == "a key on secp384r1: ISO 15118 signs with P-256, P-521 and Ed448"
    of_rsa = rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key()
    assert verify(signature, parts, of_rsa).startswith("a key that is none of ISO 15118")
    assert verify(signature, parts, None) == "a key that is none of ISO 15118: NoneType"


def test_a_part_that_cannot_be_written_is_refused() -> None:
    authorization = body2.AuthorizationReq(Id="id1", GenChallenge=bytes(17))
    told = verify(signed("iso2"), [("id1", "AuthorizationReq", authorization)], P256.public_key())
    assert told
    one = [("id1", "AuthorizationReq", body2.AuthorizationReq(Id="id1", GenChallenge=bytes(16)))]
    signature = signed("iso2", list(one))
    assert verify(signature, one, P256.public_key()) == ""
    assert "GenChallenge" in verify(signature, [("id1", "AuthorizationReq", authorization)], P256.public_key())


# ---- what is taken, and what is taken by name


def again(signature: ds.SignatureType, edition: Edition, namespace: str = XMLDSIG) -> ds.SignatureType:
    """Signed again after a change."""
    signature.SignatureValue.value = signer_of(KEYS[edition])(encode_fragment("SignedInfo", signature.SignedInfo, namespace))
    return signature


def test_the_uri_of_canonical_exi_may_lack_its_slash() -> None:
    signature = signed("iso20")
    for each in signature.SignedInfo.Reference:
        assert each.Transforms is not None
        each.Transforms.Transform[0].Algorithm = "http://www.w3.org/TR/canonical-exi"
    signature.SignedInfo.CanonicalizationMethod.Algorithm = "http://www.w3.org/TR/canonical-exi"
    assert judged("iso20", signature) == CHANGED
    assert judged("iso20", again(signature, "iso20")) == ""


def test_signed_info_of_the_messages_set_is_taken_by_name() -> None:
    signature = again(signed("iso2"), "iso2", ISO2)
    assert signed_octets(signature.SignedInfo, ISO2).startswith(bytes.fromhex("80d044"))
    assert judged("iso2", signature) == CHANGED
    assert judged("iso2", signature, lax=["signed_info_in_message_set"]) == ""
    assert judged("iso2", again(signature, "iso2", ISO20), lax=["signed_info_in_message_set"]) == CHANGED
    assert judged("iso2", signed("iso2"), lax=["signed_info_in_message_set"]) == ""


def test_no_transform_is_taken_by_name() -> None:
    signature = signed("iso20")
    for each in signature.SignedInfo.Reference:
        each.Transforms = None
    again(signature, "iso20")
    assert "has no transform" in judged("iso20", signature)
    assert judged("iso20", signature, lax=["no_transforms"]) == ""


def test_elements_without_use_are_taken_by_name() -> None:
    signature = signed("iso20_ed448")
    signature.KeyInfo, signature.SignedInfo.Id = ds.KeyInfoType(KeyName=("x",)), "a"
    again(signature, "iso20_ed448")
    assert "is there: ISO 15118 leaves it out" in judged("iso20_ed448", signature)
    assert judged("iso20_ed448", signature, lax=["unused_elements"]) == ""


def test_p256_in_iso20_is_taken_by_name() -> None:
    parts = parts_of("iso20")
    signature = signed("iso20")
    info = signature.SignedInfo
    info.SignatureMethod.Algorithm = SUITES["iso2"].signature_method
    for reference, (_, name, part) in zip(info.Reference, parts, strict=True):
        reference.DigestMethod.Algorithm = SUITES["iso2"].digest_method
        reference.DigestValue = hashlib.sha256(encode_fragment(name, part, ISO20)).digest()
    again(signature, "iso2")
    assert verify(signature, parts, P256.public_key()) != ""
    assert verify(signature, parts, P256.public_key(), lax=["iso20_p256"]) == ""
    assert verify(signed("iso2"), parts_of("iso2"), P256.public_key(), lax=["iso20_p256"]) != ""
