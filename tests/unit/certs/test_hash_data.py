"""Certificates by their hashes, held against OCSP requests of `cryptography`, of OpenSSL, and the words of RFC 6960."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from certs.hash_data import ALGORITHMS, Algorithm, HashData, HashDataError, OcspRequestData, names, ocsp_requests, of, parsed, responder_url
from certs.ocsp import request, request_for
from tests.unit.certs.revocation_parts import ED448_KEY, LEAF, OTHER_KEY, ROOT, RSA_KEY, SUB, URL, certificate

ALL: tuple[Algorithm, ...] = ("SHA256", "SHA384", "SHA512")


@pytest.mark.parametrize("algorithm", ALL)
def test_the_hashes_are_those_of_the_words(algorithm: Algorithm) -> None:
    """Of the issuer's name as it stands in the certificate, and of its key without tag and length (RFC 6960, 4.1.1)."""
    made = of(LEAF, SUB, algorithm)
    key = SUB.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    digest = hashlib.new(algorithm.lower())
    for text, octets in (
        (made.issuer_name_hash, LEAF.issuer.public_bytes()),
        (made.issuer_key_hash, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
    ):
        digest = hashlib.new(algorithm.lower(), octets)
        assert text == digest.hexdigest()
    assert made.serial_number == "123456789abcdef"
    assert made.algorithm == algorithm


def test_the_key_of_ed448_is_hashed_as_it_is() -> None:
    ca = certificate("ed", ED448_KEY, "ed", ED448_KEY)
    key = ca.public_key()
    assert isinstance(key, ed448.Ed448PublicKey)
    assert of(ca, ca).issuer_key_hash == hashlib.sha256(key.public_bytes_raw()).hexdigest()


@pytest.mark.parametrize("algorithm", ALL)
def test_they_are_those_of_a_request(algorithm: Algorithm) -> None:
    asked = ocsp.OCSPRequestBuilder().add_certificate(LEAF, SUB, ALGORITHMS[algorithm]).build()
    made = of(LEAF, SUB, algorithm)
    again = ocsp.load_der_ocsp_request(request(made))
    for each in (asked, again):
        assert (each.issuer_name_hash.hex(), each.issuer_key_hash.hex(), each.serial_number) == (*made[1:3], int(made.serial_number, 16))
        assert each.hash_algorithm.name.upper() == algorithm
    if algorithm == "SHA256":
        assert request_for(LEAF, SUB) == request(made)


def test_they_are_those_of_openssl(tmp_path: Path) -> None:
    for name, each in (("leaf", LEAF), ("sub", SUB)):
        (tmp_path / name).write_bytes(each.public_bytes(Encoding.PEM))
    command = ["openssl", "ocsp", "-no_nonce", "-sha256", "-issuer", "sub", "-cert", "leaf", "-reqout", "request"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "request").read_bytes() == request(of(LEAF, SUB))


def test_a_root_is_its_own_issuer() -> None:
    assert of(ROOT, ROOT).serial_number == "1"
    assert of(ROOT, ROOT)[1:3] == of(SUB, ROOT)[1:3]


def test_others_write_in_other_ways() -> None:
    made = of(SUB, ROOT, "SHA384")
    assert made.serial_number == "a0b"
    assert parsed("SHA384", made[1].upper(), made[2].upper(), "0A0B") == made
    assert names(made, SUB, ROOT)
    assert not names(made, LEAF, SUB)
    assert not names(made._replace(serial_number="a0c"), SUB, ROOT)
    assert parsed("SHA384", made[1], made[2], "00").serial_number == "0"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"algorithm": "SHA1"}, "hashAlgorithm is none of SHA256, SHA384 and SHA512"),
        ({"algorithm": "SHA512"}, "issuerNameHash is not 128 hexadecimal digits, as SHA512 has"),
        ({"issuer_name_hash": ""}, "issuerNameHash is not 64"),
        ({"issuer_key_hash": "g" * 64}, "issuerKeyHash is not 64"),
        ({"serial_number": ""}, "serialNumber is not 1 to 40"),
        ({"serial_number": "0x1"}, "serialNumber is not 1 to 40"),
        ({"serial_number": "1\n"}, "serialNumber is not 1 to 40"),
        ({"serial_number": "1" * 41}, "serialNumber is not 1 to 40"),
    ],
)
def test_what_names_no_certificate(change: dict[str, str], why: str) -> None:
    made = HashData(*of(LEAF, SUB))._asdict() | change
    with pytest.raises(HashDataError, match=re.escape(why)):
        parsed(*made.values())


def test_what_to_ask_about_a_chain() -> None:
    assert ocsp_requests((LEAF, SUB, ROOT)) == (OcspRequestData(of(LEAF, SUB), URL),)
    assert ocsp_requests((LEAF, SUB), "SHA512") == (OcspRequestData(of(LEAF, SUB, "SHA512"), URL),)
    assert ocsp_requests((LEAF,)) == ()


def test_where_a_certificate_is_asked_about() -> None:
    def at(*places: x509.GeneralName) -> str:
        access = [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, each) for each in places]
        return responder_url(certificate("x", OTHER_KEY, "x", RSA_KEY, (x509.AuthorityInformationAccess(access), False)))

    assert responder_url(LEAF) == URL
    assert responder_url(SUB) == ""
    assert at(x509.DNSName("ocsp.example")) == ""
    assert at(x509.UniformResourceIdentifier("http://" + "x" * 2000), x509.UniformResourceIdentifier("http://short")) == "http://short"
