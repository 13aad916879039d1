"""XML signatures over EXI fragments, as ISO 15118-2 and -20 use them: made, and judged with a reason.

    signature = sign(signer_of(key), "iso20", [("id1", "SignedInstallationData", data)])
    why = verify(signature, [("id1", "SignedInstallationData", data)], certificate.public_key())     # "" is right

What is signed are named elements of the message, handed over by the caller: a signature never chooses by itself what it covers. Each is digested as an
EXI fragment of its message's schema set, SignedInfo as one of xmldsig alone ([V2G2-771], [V2G20-1449]). One algorithm belongs to one kind of key:

| edition | key | SignatureMethod | DigestMethod | SignatureValue |
|---|---|---|---|---|
| `iso2` | P-256 | ecdsa-sha256 | SHA-256 | r and s, 64 octets |
| `iso20` | P-521 | ecdsa-sha512 [V2G20-2473] | SHA-512 [V2G20-2475] | r and s, 132 octets |
| `iso20_ed448` | Ed448 | Ed448 [V2G20-2474] | SHAKE256 [V2G20-2476], 64 octets [K] | 114 octets (RFC 8032, no context) [K] |

Clause numbers are those that public implementations and documents quote. The transform's URI without its last slash is read as well: it changes no octet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Literal, NamedTuple, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from iso15118.exi import ExiError, encode_fragment
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import Message

Edition: TypeAlias = Literal["iso2", "iso20", "iso20_ed448", "iso20_p256"]
"""`iso20_p256` is what some peers do, as in `Lax`."""
Part: TypeAlias = tuple[str, str, Message]
"""Id, name of the element, and what it holds."""
Signer: TypeAlias = Callable[[bytes], bytes]
"""From the octets of SignedInfo to the SignatureValue; hashing them is its work."""

Lax: TypeAlias = Literal["iso20_p256", "no_transforms", "signed_info_in_message_set", "unused_elements"]
"""What some peers do, and `verify` takes by name only.

`iso20_p256`: messages of -20 signed as -2 signs (the PyPI package `iso15118`). `no_transforms`: a reference names no transform.
`signed_info_in_message_set`: SignedInfo was signed as a fragment of the message's set instead of xmldsig.
`unused_elements`: Id, Type, KeyInfo and Object where [V2G2-771] and [V2G20-771] leave them out; they are not looked at.
"""

UNUSED: tuple[Lax, ...] = ("unused_elements",)
"""What both ends of ISO 15118-2 take: it lies outside of what is signed, or is signed itself. That it was there is noted."""
CANONICAL_EXI = "http://www.w3.org/TR/canonical-exi/"
_CANONICAL = (CANONICAL_EXI, CANONICAL_EXI.rstrip("/"))
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
MOST_PARTS = 4
"""References in one signature ([V2G2-909]: at most four are signed together; for -20 [K])."""
ISO2, ISO20 = "urn:iso:15118:2:2013:MsgDef", "urn:iso:std:iso:15118:-20:CommonMessages"


def _sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def _sha512(octets: bytes) -> bytes:
    return hashlib.sha512(octets).digest()


def _shake256(octets: bytes) -> bytes:
    return hashlib.shake_256(octets).digest(64)


class Suite(NamedTuple):
    """The algorithms of one edition and kind of key."""

    namespace: str
    """Schema set of the signed elements."""
    key: str
    signature_method: str
    digest_method: str
    digest: Callable[[bytes], bytes]
    octets: int
    """Of the SignatureValue."""


SUITES: dict[Edition, Suite] = {
    "iso2": Suite(
        ISO2, "P-256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256", _sha256, 64
    ),
    "iso20": Suite(
        ISO20, "P-521", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", "http://www.w3.org/2001/04/xmlenc#sha512", _sha512, 132
    ),
    "iso20_ed448": Suite(
        ISO20,
        "Ed448",
        "urn:iso:std:iso:15118:-20:Security:xmldsig#Ed448",
        "urn:iso:std:iso:15118:-20:Security:xmlenc#SHAKE256",
        _shake256,
        114,
    ),
}
SUITES["iso20_p256"] = SUITES["iso2"]._replace(namespace=ISO20)
_Method: TypeAlias = ds.CanonicalizationMethodType | ds.SignatureMethodType | ds.DigestMethodType | ds.TransformType
_HASHES = {64: hashes.SHA256(), 132: hashes.SHA512()}


class Refused(Exception):
    """Why a signature does not hold."""


# ---- making


def sign(signer: Signer, edition: Edition, parts: Sequence[Part]) -> ds.SignatureType:
    """The Signature for a message's header, over these parts in this order. Raises ValueError for parts or a signer that cannot be right."""
    suite = SUITES[edition]
    _checked(parts)
    info = ds.SignedInfoType(
        CanonicalizationMethod=ds.CanonicalizationMethodType(Algorithm=CANONICAL_EXI),
        SignatureMethod=ds.SignatureMethodType(Algorithm=suite.signature_method),
        Reference=tuple(_reference(suite, part) for part in parts),
    )
    value = signer(signed_octets(info))
    if len(value) != suite.octets:
        raise ValueError(f"the signer gave {len(value)} octets, {edition} has {suite.octets}")
    return ds.SignatureType(SignedInfo=info, SignatureValue=ds.SignatureValueType(value=value))


def signer_of(key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey) -> Signer:
    """Signs with a key that is in memory; the curve decides the algorithm. A token brings a signer of its own."""
    if isinstance(key, ed448.Ed448PrivateKey):
        return key.sign
    octets = _octets_of(key.curve)

    def ecdsa(octets_of_info: bytes) -> bytes:
        return side_by_side(key.sign(octets_of_info, ec.ECDSA(_HASHES[octets])), octets)

    return ecdsa


def side_by_side(der: bytes, octets: int) -> bytes:
    """The numbers r and s, each in half of the octets, of an ECDSA signature in DER. Raises ValueError."""
    r, s = decode_dss_signature(der)
    try:
        return r.to_bytes(octets // 2, "big") + s.to_bytes(octets // 2, "big")
    except OverflowError:
        raise ValueError("an ECDSA signature of a larger curve") from None


def signed_octets(info: ds.SignedInfoType, namespace: str = XMLDSIG) -> bytes:
    """What the signature is computed over."""
    return encode_fragment("SignedInfo", info, namespace)


def _octets_of(curve: ec.EllipticCurve) -> int:
    octets = {"secp256r1": 64, "secp521r1": 132}.get(curve.name)
    if octets is None:
        raise ValueError(f"{curve.name}: no curve of ISO 15118")
    return octets


def _reference(suite: Suite, part: Part) -> ds.ReferenceType:
    return ds.ReferenceType(
        URI=f"#{part[0]}",
        Transforms=ds.TransformsType(Transform=(ds.TransformType(Algorithm=CANONICAL_EXI),)),
        DigestMethod=ds.DigestMethodType(Algorithm=suite.digest_method),
        DigestValue=suite.digest(_fragment(suite, part)),
    )


def _fragment(suite: Suite, part: Part) -> bytes:
    return encode_fragment(part[1], part[2], suite.namespace)


def _checked(parts: Sequence[Part]) -> None:
    if not 1 <= len(parts) <= MOST_PARTS:
        raise ValueError(f"{len(parts)} parts: a signature covers 1 to {MOST_PARTS}")
    for id_, name, part in parts:
        own = getattr(part, "Id", None)
        if not id_ or own != id_:
            raise ValueError(f"{name} has the Id {_shown(own or '')}, not {_shown(id_)}")
    if len({each[0] for each in parts}) != len(parts):
        raise ValueError("two parts have one Id")


# ---- judging


def verify(signature: ds.SignatureType | None, parts: Sequence[Part], public_key: object, *, lax: Collection[Lax] = ()) -> str:
    """Why the signature is not the key's over exactly these parts, in words for a log; "" where it is. Raises nothing for what a peer sent."""
    if signature is None:
        return "the message is not signed"
    try:
        _checked(parts)
        suite = _suite_of(public_key, lax)
        info = signature.SignedInfo
        _no_more_than_allowed(signature, lax)
        _algorithms(info, suite)
        _references(info, parts, suite, lax)
        _value(signature, public_key, suite, lax)
    except (Refused, ExiError, ValueError) as error:
        return str(error)
    return ""


def _suite_of(public_key: object, lax: Collection[Lax]) -> Suite:
    if isinstance(public_key, ed448.Ed448PublicKey):
        return SUITES["iso20_ed448"]
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        match public_key.curve.name:
            case "secp521r1":
                return SUITES["iso20"]
            case "secp256r1":
                return SUITES["iso20_p256"] if "iso20_p256" in lax else SUITES["iso2"]
            case other:
                raise Refused(f"a key on {other}: ISO 15118 signs with P-256, P-521 and Ed448")
    raise Refused(f"a key that is none of ISO 15118: {type(public_key).__name__}")


def _no_more_than_allowed(signature: ds.SignatureType, lax: Collection[Lax]) -> None:
    info = signature.SignedInfo
    transforms = [one for each in info.Reference if each.Transforms is not None for one in each.Transforms.Transform]
    methods: list[_Method] = [
        info.CanonicalizationMethod,
        info.SignatureMethod,
        *(each.DigestMethod for each in info.Reference),
        *transforms,
    ]
    if any(each.any or each.text.strip() for each in methods) or any(each.XPath for each in transforms):
        raise Refused("an algorithm of the signature has parameters: none has any")
    if info.SignatureMethod.HMACOutputLength is not None:
        raise Refused("HMACOutputLength: nothing is signed by HMAC")
    if "unused_elements" in lax:
        return
    if found := _unused(signature):
        raise Refused(f"{found[0]} is there: ISO 15118 leaves it out")


def unused(signature: ds.SignatureType | None) -> str:
    """What a signature has that ISO 15118 leaves out, in words for a log; "" for nothing."""
    found = _unused(signature) if signature is not None else []
    return f"with the signature there is what ISO 15118 leaves out: {', '.join(found)}" if found else ""


def _unused(signature: ds.SignatureType) -> list[str]:
    info = signature.SignedInfo
    there = {
        "Id of Signature": signature.Id,
        "Id of SignedInfo": info.Id,
        "Id of SignatureValue": signature.SignatureValue.Id,
        "Type of Reference": next((each.Type for each in info.Reference if each.Type is not None), None),
        "KeyInfo": signature.KeyInfo,
        "Object": signature.Object or None,
    }
    return [name for name, value in there.items() if value is not None]


def _algorithms(info: ds.SignedInfoType, suite: Suite) -> None:
    if info.CanonicalizationMethod.Algorithm not in _CANONICAL:
        raise Refused(f"CanonicalizationMethod {_shown(info.CanonicalizationMethod.Algorithm)}: it is canonical EXI")
    if info.SignatureMethod.Algorithm != suite.signature_method:
        raise Refused(f"SignatureMethod {_shown(info.SignatureMethod.Algorithm)}: a key of {suite.key} signs by {suite.signature_method}")


def _references(info: ds.SignedInfoType, parts: Sequence[Part], suite: Suite, lax: Collection[Lax]) -> None:
    wanted = {f"#{part[0]}": part for part in parts}
    uris = [each.URI for each in info.Reference]
    for uri in uris:
        if uri is None:
            raise Refused("a reference has no URI")
        if uri not in wanted:
            raise Refused(f"a reference to {_shown(uri)}: that is none of what has to be signed, {', '.join(part[1] for part in parts)}")
        if uris.count(uri) > 1:
            raise Refused(f"{wanted[uri][1]} is referred to twice")
    for uri, part in wanted.items():
        if uri not in uris:
            raise Refused(f"{part[1]} is not signed")
    for each in info.Reference:
        part = wanted[each.URI or ""]
        _transforms(each, part[1], lax)
        if each.DigestMethod.Algorithm != suite.digest_method:
            raise Refused(f"DigestMethod {_shown(each.DigestMethod.Algorithm)}: with a key of {suite.key} it is {suite.digest_method}")
        if each.DigestValue != suite.digest(_fragment(suite, part)):
            raise Refused(f"{part[1]} is not what was signed: its digest differs")


def _transforms(reference: ds.ReferenceType, name: str, lax: Collection[Lax]) -> None:
    if reference.Transforms is None:
        if "no_transforms" not in lax:
            raise Refused(f"the reference to {name} has no transform: it is canonical EXI")
        return
    named = reference.Transforms.Transform
    if len(named) != 1:
        raise Refused(f"the reference to {name} has {len(named)} transforms: it has one")  # [V2G2-767], [V2G20-767]
    if named[0].Algorithm not in _CANONICAL:
        raise Refused(f"transform {_shown(named[0].Algorithm)} of {name}: it is canonical EXI")


def _value(signature: ds.SignatureType, public_key: object, suite: Suite, lax: Collection[Lax]) -> None:
    value = signature.SignatureValue.value
    if len(value) != suite.octets:
        raise Refused(f"SignatureValue of {len(value)} octets: {suite.key} has {suite.octets}")
    if _holds(public_key, value, signed_octets(signature.SignedInfo)):
        return
    if "signed_info_in_message_set" in lax and _holds(public_key, value, signed_octets(signature.SignedInfo, suite.namespace)):
        return
    raise Refused("the signature is not the key's, or something in SignedInfo was changed")


def _holds(public_key: object, value: bytes, octets: bytes) -> bool:
    try:
        if isinstance(public_key, ed448.Ed448PublicKey):
            public_key.verify(value, octets)
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            half = len(value) // 2
            der = encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
            public_key.verify(der, octets, ec.ECDSA(_HASHES[len(value)]))
    except InvalidSignature:
        return False
    return True


def _shown(text: str) -> str:
    """A peer's word in a message: on one line, and not long."""
    return repr(text if len(text) <= 80 else text[:80] + "...")
