"""Requests: made with a signer, read by `cryptography` and OpenSSL, and judged before they are signed."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from certs import csr
from certs.chain import CertificateError
from certs.profiles import PROFILES
from certs.testpki_make import AnyKind, Key, key_of

USAGE = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
CERT_SIGN = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
STATION = csr.subject_of("CP-0001", organization="Operator", country="DE")
KINDS: list[AnyKind] = ["p256", "p384", "p521", "ed448", "rsa2048"]


@cache
def key(kind: AnyKind = "p256", name: str = "a") -> Key:
    return key_of(kind, b"csr", name)


def signer(of: Key) -> object:
    def sign(octets: bytes) -> bytes:
        if isinstance(of, ec.EllipticCurvePrivateKey):
            digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[of.key_size]
            return of.sign(octets, ec.ECDSA(digest))
        if isinstance(of, ed448.Ed448PrivateKey):
            return of.sign(octets)
        assert isinstance(of, rsa.RSAPrivateKey)
        return of.sign(octets, padding.PKCS1v15(), hashes.SHA256())

    return sign


def made(of: Key, subject: x509.Name = STATION, *extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    sign = signer(of)
    assert callable(sign)
    return csr.make(subject, of.public_key(), sign, extensions)


@pytest.mark.parametrize("kind", KINDS)
def test_made(kind: AnyKind) -> None:
    purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")])
    request = x509.load_pem_x509_csr(made(key(kind), STATION, (USAGE, True), (purposes, False)))
    assert request.is_signature_valid
    assert request.subject == STATION
    assert request.public_key() == key(kind).public_key()
    assert {(each.oid, each.critical) for each in request.extensions} == {(USAGE.oid, True), (purposes.oid, False)}
    assert not list(x509.load_pem_x509_csr(made(key(kind))).extensions)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl: make oracles")
@pytest.mark.parametrize("kind", KINDS)
def test_openssl_reads_it(kind: AnyKind) -> None:
    pem = made(key(kind), STATION, (USAGE, True), (x509.BasicConstraints(ca=False, path_length=None), True))
    done = subprocess.run(["openssl", "req", "-verify", "-noout", "-text"], input=pem, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"verify OK" in done.stderr + done.stdout
    assert b"X509v3 Key Usage: critical\n                    Digital Signature" in done.stdout


@pytest.mark.parametrize("signature", [b"", b"no signature", bytes(64)])
def test_a_signer_that_is_wrong(signature: bytes) -> None:
    with pytest.raises(ValueError, match="signature"):
        csr.make(STATION, key().public_key(), lambda octets: signature)
    other = signer(key(name="b"))
    assert callable(other)
    with pytest.raises(ValueError, match="not by the key of the request"):
        csr.make(STATION, key().public_key(), other)
    with pytest.raises(ValueError, match="rsa1024"):
        csr.make(STATION, key("rsa1024").public_key(), lambda octets: b"")


def codes(octets: bytes, profile: str = "station", own: Key | None = None) -> list[str]:
    verdict = csr.judge(octets, PROFILES[profile], key=own.public_key() if own else None)
    assert verdict.why.isprintable()
    assert verdict.why.startswith("the request for ") or not verdict.findings
    return [each.code for each in verdict.findings]


def test_judged() -> None:
    right = made(key(), STATION, (USAGE, True))
    assert codes(right, own=key()) == []
    assert codes(right, own=key(name="b")) == ["key_mismatch"]
    assert codes(made(key("rsa2048"))) == []
    assert codes(made(key(), csr.subject_of("ws://a", organization="O"))) == ["common_name"]
    assert codes(made(key(), csr.subject_of("CP-1"))) == ["organization"]
    assert codes(made(key(), STATION, (x509.BasicConstraints(ca=True, path_length=None), True))) == ["basic_constraints"]
    assert codes(made(key(), STATION, (CERT_SIGN, True))) == ["key_usage"]
    purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.3")])
    assert codes(made(key(), STATION, (purposes, False))) == ["extended_key_usage"]
    assert codes(made(key("p384")), "secc2") == ["key", "signature_algorithm", "domain"]
    assert codes(made(key("p521"), csr.subject_of("DETSTE1", organization="O", domain="CPO")), "secc20") == []
    forged = bytearray(x509.load_pem_x509_csr(right).public_bytes(Encoding.DER))
    at = forged.index(b"CP-0001")
    forged[at] ^= 1
    assert codes(bytes(forged)) == ["bad_signature"]


@given(st.binary(max_size=100), st.integers(0, 300), st.integers(0, 255))
def test_never_raises(octets: bytes, place: int, value: int) -> None:
    assert codes(octets) == ["unreadable"]
    changed = bytearray(DER)
    changed[place % len(changed)] = value
    assert codes(bytes(changed)) or bytes(changed) == DER


def test_too_much() -> None:
    with pytest.raises(CertificateError, match="the most"):
        csr.load(bytes(70_000))


def test_fields() -> None:
    name = csr.subject_of("a", organization="b", country="DE", domain="CPO")
    oids = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME, NameOID.DOMAIN_COMPONENT)
    assert [each.oid for each in name] == list(oids)
    with pytest.raises(ValueError, match="length"):
        csr.subject_of("a", country="Germany")


DER = x509.load_pem_x509_csr(made(key(), STATION, (USAGE, True))).public_bytes(Encoding.DER)
