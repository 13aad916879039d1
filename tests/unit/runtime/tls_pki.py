"""Certificates for TLS tests, good ones and bad ones, as PEM files in a folder."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
OF_CA = ("key_cert_sign", "crl_sign")
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", *OF_CA, "encipher_only", "decipher_only",
)  # fmt: skip
NUMBERS = itertools.count(1000)
Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def ec_key(curve: ec.EllipticCurve | None = None) -> Key:
    return ec.generate_private_key(curve or ec.SECP256R1())


def rsa_key(bits: int) -> Key:
    return rsa.generate_private_key(65537, bits)


@dataclass
class Identity:
    """A certificate with its key, and the chain that it is sent with."""

    certificate: x509.Certificate
    key: Key
    issuers: Sequence[x509.Certificate] = ()

    def issue(
        self,
        common_name: str,
        key: Key | None = None,
        *,
        names: Sequence[str] = (),
        is_ca: bool = False,
        begins: dt.datetime = NOW - DAY,
        ends: dt.datetime = NOW + 30 * DAY,
        usage: x509.ObjectIdentifier | None = None,
        digest: Any = None,
    ) -> Identity:
        key = key or ec_key()
        certificate = _build(
            common_name,
            key,
            self.certificate.subject,
            self.key,
            names=names,
            is_ca=is_ca,
            begins=begins,
            ends=ends,
            usage=usage,
            digest=digest,
        )
        return Identity(certificate, key, () if not self.issuers and _self_signed(self.certificate) else (self.certificate, *self.issuers))

    def write(self, folder: Path, name: str, *, chain: bool = True) -> tuple[str, str]:
        """Paths of the certificate file (with its issuers below it, but no root) and of the key file."""
        certificates = [self.certificate, *(self.issuers if chain else ())]
        cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
        cert_file.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates))
        key_file.write_bytes(
            self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return str(cert_file), str(key_file)


def root(common_name: str = "Test root", key: Key | None = None) -> Identity:
    key = key or ec_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = _build(common_name, key, name, key, names=(), is_ca=True, begins=NOW - DAY, ends=NOW + 30 * DAY, usage=None, digest=None)
    return Identity(certificate, key)


def self_signed(common_name: str) -> Identity:
    key = ec_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return Identity(
        _build(common_name, key, name, key, names=(common_name,), is_ca=False, begins=NOW - DAY, ends=NOW + DAY, usage=None, digest=None),
        key,
    )


def _self_signed(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def _build(
    common_name: str,
    key: Key,
    issuer: x509.Name,
    signer: Key,
    *,
    names: Sequence[str],
    is_ca: bool,
    begins: dt.datetime,
    ends: dt.datetime,
    usage: x509.ObjectIdentifier | None,
    digest: Any,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(next(NUMBERS))
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    )
    if is_ca:
        builder = builder.add_extension(x509.KeyUsage(**{each: each in OF_CA for each in USAGES}), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(signer, digest or hashes.SHA256())


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def with_sha1(identity: Identity, signer: Identity) -> Identity:
    """The same certificate signed with SHA-1 by an RSA issuer: no library does that any more, so it is done by hand (RFC 8017 9.2)."""
    assert isinstance(signer.key, rsa.RSAPrivateKey)
    sha256_rsa, sha1_rsa = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    signed = identity.certificate.tbs_certificate_bytes.replace(sha256_rsa, sha1_rsa)
    numbers = signer.key.private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    digest = bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(signed).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    signature = pow(int.from_bytes(padded, "big"), numbers.d, modulus).to_bytes(size, "big")
    algorithm = bytes.fromhex("300d0609") + sha1_rsa + b"\x05\x00"
    der = _der(0x30, signed + algorithm + _der(0x03, b"\x00" + signature))
    return Identity(x509.load_der_x509_certificate(der), identity.key, identity.issuers)


def _der(tag: int, content: bytes) -> bytes:
    length = len(content).to_bytes(2, "big")
    return bytes((tag, 0x82)) + length + content
