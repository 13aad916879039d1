"""One certificate of a test PKI, drawn from a seed: its key, and all that stands in it as a Spec that may be changed before it is signed."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

Kind: TypeAlias = Literal["p256", "p521", "ed448"]
AnyKind: TypeAlias = Literal["p256", "p521", "ed448", "p384", "rsa1024", "rsa2048"]
Key: TypeAlias = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey | rsa.RSAPrivateKey
Digest: TypeAlias = Literal["", "sha224", "sha256", "sha384", "sha512"]

USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {
    "p256": (ec.SECP256R1(), 31), "p384": (ec.SECP384R1(), 47), "p521": (ec.SECP521R1(), 65),
}  # fmt: skip
"""And an octet less than the group's order has, so that any number is below it."""
DIGESTS: dict[str, hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha224": hashes.SHA224(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512(),
}  # fmt: skip
ORDERS = (
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
)
"""Of the groups of P-256, P-384 and P-521."""
OF_KEY = {"secp256r1": "sha256", "secp384r1": "sha384", "secp521r1": "sha512"}
EXPONENT = 65537
ORGANIZATION = "chargepoint test PKI"


@dataclass(frozen=True, slots=True)
class Spec:
    """What stands in a certificate, but for its key and its signature."""

    common_name: str
    issuer: x509.Name
    serial: int
    begins: dt.datetime
    ends: dt.datetime
    unit: str
    domain: str = ""
    organization: str = ORGANIZATION
    ca: bool | None = False
    """None: no basic constraints."""
    path: int | None = None
    usages: tuple[str, ...] | None = ()
    """None: no key usage."""
    purposes: tuple[str, ...] = ()
    """Extended key usage, dotted."""
    hosts: tuple[str, ...] = ()
    critical: bool = True
    """Whether basic constraints and key usage are marked so."""
    strange: tuple[tuple[str, bool, int], ...] = ()
    """Extensions that nobody knows: dotted, critical, octets."""
    permitted: tuple[str, ...] = ()
    """Hosts that a CA may give certificates to (name constraints)."""
    digest: Digest = ""
    """"" is the one that belongs to the issuer's key."""
    responder: str = ""
    """Where OCSP is asked."""
    lists: str = ""
    """Where there are revocation lists."""

    @property
    def subject(self) -> x509.Name:
        return name_of(self.common_name, self.unit, self.domain, self.organization)


def name_of(common_name: str, unit: str, domain: str, organization: str = ORGANIZATION) -> x509.Name:
    """What is "" is left out."""
    attributes = (
        (NameOID.COMMON_NAME, common_name), (NameOID.ORGANIZATIONAL_UNIT_NAME, unit), (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.COUNTRY_NAME, "DE"), (NameOID.DOMAIN_COMPONENT, domain),
    )  # fmt: skip
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in attributes if text])


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate, its key, and the certificates that are sent with it: leaf first, no root."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...]

    @property
    def chain_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in self.chain)

    @property
    def key_pem(self) -> bytes:
        return pem_of(self.key)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def pem_of(key: Key) -> bytes:
    """Not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def drawn(seed: bytes, *what: str, octets: int) -> bytes:
    """Of a seed and a place always the same octets."""
    return hashlib.shake_256(b"/".join([seed, *(each.encode() for each in what)])).digest(octets)


def key_of(kind: AnyKind, seed: bytes, name: str) -> Key:
    """Of a seed and a name always the same key."""
    if kind == "ed448":
        return ed448.Ed448PrivateKey.from_private_bytes(drawn(seed, kind, name, octets=57))
    if kind in CURVES:
        curve, octets = CURVES[kind]
        return ec.derive_private_key(int.from_bytes(drawn(seed, kind, name, octets=octets), "big") or 1, curve)
    return _rsa(int(kind.removeprefix("rsa")), seed, name)


def issue(spec: Spec, key: Key, issuer: Key) -> x509.Certificate:
    """The certificate of `key`, signed with the issuer's."""
    builder = (
        x509.CertificateBuilder(spec.issuer, spec.subject, key.public_key(), spec.serial, spec.begins, spec.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
    )
    if spec.ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(spec.ca, spec.path if spec.ca else None), critical=spec.critical)
    if spec.usages is not None:
        builder = builder.add_extension(x509.KeyUsage(**{each: each in spec.usages for each in USAGES}), critical=spec.critical)
    if spec.purposes:
        purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in spec.purposes])
        builder = builder.add_extension(purposes, critical=False)
    if spec.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(each) for each in spec.hosts]), critical=False)
    if spec.responder:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(spec.responder))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if spec.lists:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(spec.lists)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if spec.permitted:
        limits = x509.NameConstraints([_subtree(each) for each in spec.permitted], None)
        builder = builder.add_extension(limits, critical=spec.critical)
    for oid, critical, octets in spec.strange:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), _octet_string(octets)), critical=critical)
    return _signed(builder, issuer, spec.digest)


def _signed(builder: x509.CertificateBuilder, issuer: Key, digest: str) -> x509.Certificate:
    if isinstance(issuer, ed448.Ed448PrivateKey):
        return builder.sign(issuer, None)
    if isinstance(issuer, rsa.RSAPrivateKey):
        return builder.sign(issuer, DIGESTS[digest or "sha256"])
    algorithm = DIGESTS[digest or OF_KEY[issuer.curve.name]]
    try:  # the same octets each time (RFC 6979), where OpenSSL can
        return builder.sign(issuer, algorithm, ecdsa_deterministic=True)
    except (TypeError, UnsupportedAlgorithm):
        return builder.sign(issuer, algorithm)


def twin(certificate: x509.Certificate) -> x509.Certificate:
    """The same one with the other signature that is as right as its own, for ECDSA: (r, n - s) for (r, s). Anybody can make it, without any key."""
    der, tbs = certificate.public_bytes(Encoding.DER), certificate.tbs_certificate_bytes
    algorithm = der[der.index(tbs) + len(tbs) :]
    r, s = decode_dss_signature(certificate.signature)
    order = next(each for each in ORDERS if each > max(r, s))  # of who signed it: both are long but for one time in 2 ** 128
    signature = _tlv(0x03, b"\0" + encode_dss_signature(r, order - s))
    return x509.load_der_x509_certificate(_tlv(0x30, tbs + algorithm[: 2 + algorithm[1]] + signature))


def _tlv(tag: int, value: bytes) -> bytes:
    length = len(value)
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([length]) if length < 0x80 else bytes([0x80 | len(octets)]) + octets) + value


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _subtree(text: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_network(text)) if "/" in text else x509.DNSName(text)


def _octet_string(octets: int) -> bytes:
    return b"\x04\x82" + octets.to_bytes(2, "big") + bytes(octets)


# ---- RSA out of a seed: OpenSSL makes none


def _rsa(bits: int, seed: bytes, name: str) -> rsa.RSAPrivateKey:
    p, q = (_prime(bits // 2, seed, f"{name} {bits} {which}") for which in "pq")
    d = pow(EXPONENT, -1, math.lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def _prime(bits: int, seed: bytes, what: str) -> int:
    """Its two highest bits are set, so that the product has all of its bits."""
    found = int.from_bytes(drawn(seed, what, octets=bits // 8), "big") | 3 << (bits - 2) | 1
    while math.gcd(found, SMALL) > 1 or (found - 1) % EXPONENT == 0 or not all(pow(base, found - 1, found) == 1 for base in (2, 3, 5)):
        found += 2
    return found


SMALL = math.prod(each for each in range(3, 2000, 2) if all(each % below for below in range(3, math.isqrt(each) + 1, 2)))
