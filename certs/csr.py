"""Requests for certificates (PKCS#10, RFC 2986): made with a key that may be in a token, and judged before somebody signs them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from certs.chain import Verdict
from certs.profiles import Profile
from certs.reading import MOST_OCTETS, SIGNATURES, CertificateError, kind_of, refusing, title_of
from certs.rules import Finding, judge_name

ALGORITHMS = {
    "p256": "300a06082a8648ce3d040302", "p384": "300a06082a8648ce3d040303", "p521": "300a06082a8648ce3d040304",
    "ed448": "300506032b6571", "ed25519": "300506032b6570", "rsa2048": "300d06092a864886f70d01010b0500",
}  # fmt: skip
"""The AlgorithmIdentifier (DER) that a signer of this kind of key signs by: ECDSA with the hash of the curve's size, EdDSA, RSA with SHA-256."""
EXTENSION_REQUEST = "06092a864886f70d01090e"
SEQUENCE, SET, BITS, OCTETS, ATTRIBUTES = 0x30, 0x31, 0x03, 0x04, 0xA0
LINE = 64


def subject_of(common_name: str, *, organization: str = "", country: str = "", domain: str = "") -> x509.Name:
    """What is "" is left out. Raises ValueError for a text that does not go there."""
    fields = (
        (NameOID.COMMON_NAME, common_name), (NameOID.ORGANIZATION_NAME, organization), (NameOID.COUNTRY_NAME, country), (NameOID.DOMAIN_COMPONENT, domain),
    )  # fmt: skip
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in fields if text])


def make(
    subject: x509.Name,
    public_key: CertificatePublicKeyTypes,
    sign: Callable[[bytes], bytes],
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A request as PEM. `sign` signs octets with the key that belongs to `public_key`, ECDSA as DER; `extensions` are asked for, critical or not.

    Raises ValueError for a key of a kind that nobody here signs with, and for a signer whose signature does not fit.
    """
    kind = kind_of(public_key)
    if kind not in ALGORITHMS:
        raise ValueError(f"no request is made for a key of the kind {kind}")
    asked = b"".join(
        _der(SEQUENCE, _oid(value.oid) + (b"\x01\x01\xff" if critical else b"") + _der(OCTETS, value.public_bytes()))
        for value, critical in extensions
    )
    attributes = _der(SEQUENCE, bytes.fromhex(EXTENSION_REQUEST) + _der(SET, _der(SEQUENCE, asked))) if asked else b""
    key = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = _der(SEQUENCE, b"\x02\x01\x00" + subject.public_bytes() + key + _der(ATTRIBUTES, attributes))
    signature = _der(BITS, b"\0" + sign(info))
    der = _der(SEQUENCE, info + bytes.fromhex(ALGORITHMS[kind]) + signature)
    try:
        if not load(der).is_signature_valid:
            raise ValueError("the signature is not by the key of the request")
    except (CertificateError, InvalidSignature) as error:
        raise ValueError(f"what the signer gave is no signature: {error}") from None
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[at : at + LINE] for at in range(0, len(text), LINE))
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n".encode()


def load(octets: bytes) -> x509.CertificateSigningRequest:
    """PEM or DER. Raises CertificateError only."""
    if len(octets) > MOST_OCTETS:
        raise CertificateError(f"{len(octets)} octets; {MOST_OCTETS} are the most")
    with refusing():
        return x509.load_pem_x509_csr(octets) if b"-----BEGIN" in octets else x509.load_der_x509_csr(octets)


def judge(octets: bytes, profile: Profile, *, key: PublicKeyTypes | None = None) -> Verdict:
    """Whether a leaf of this profile may be made from it: its signature, its key, its name, and what it asks for. `key` is the one it has to have."""
    asked = replace(profile, what=f"the request for {profile.what}")
    try:
        request = load(octets)
        with refusing():
            title = title_of(request.subject)
            findings = tuple(_findings(request, profile, key))
    except CertificateError as error:
        return Verdict(asked, (Finding("request", "unreadable", f"it cannot be read: {error}"),))
    return Verdict(asked, findings, (), title)


def _findings(request: x509.CertificateSigningRequest, profile: Profile, key: PublicKeyTypes | None) -> Iterator[Finding]:
    shape, own = profile.leaf, request.public_key()
    dotted = request.signature_algorithm_oid.dotted_string
    signature = SIGNATURES.get(dotted, dotted)
    if not request.is_signature_valid:
        yield Finding("request", "bad_signature", "its signature is not by the key that is in it")
    if kind_of(own) not in shape.keys.wants:
        yield Finding("request", "key", f"its key is {kind_of(own)}, not {' or '.join(shape.keys.wants)}", shape.keys.weight)
    if signature not in shape.signatures.wants:
        words = f"it is signed with {signature}, not {' or '.join(shape.signatures.wants)}"
        yield Finding("request", "signature_algorithm", words, shape.signatures.weight)
    if key is not None and own != key:
        yield Finding("request", "key_mismatch", "it is not for the key that it is asked for")
    yield from judge_name(request.subject, shape, "request")
    for each in request.extensions:
        if isinstance(each.value, x509.BasicConstraints) and each.value.ca:
            yield Finding("request", "basic_constraints", "it asks to be a CA")
        if isinstance(each.value, x509.KeyUsage) and (each.value.key_cert_sign or each.value.crl_sign):
            yield Finding("request", "key_usage", "it asks to sign certificates")
        if isinstance(each.value, x509.ExtendedKeyUsage) and shape.purpose is not None:
            purposes = {one.dotted_string for one in each.value}
            if shape.purpose.wants not in purposes:
                yield Finding("request", "extended_key_usage", "it asks to be for something else", shape.purpose.weight)


# ---- DER, as much as a request needs: a token gives signatures, and `cryptography` builds requests with keys in memory only


def _der(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _oid(oid: x509.ObjectIdentifier) -> bytes:
    first, second, *rest = (int(each) for each in oid.dotted_string.split("."))
    octets = bytearray()
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return _der(0x06, bytes(octets))
