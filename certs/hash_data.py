"""How OCPP and OCSP name a certificate without showing it: hashes of its issuer's name and key, and its serial number.

CertificateHashData and OCSPRequestData of OCPP 2.x are the CertID of OCSP (RFC 6960, 4.1.1) as texts: hexadecimal digits, of the serial number without
leading zeros [K]. Ours are small letters; `parsed` brings those of a CSMS to the same form, so that two of them can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from certs.reading import UNREADABLE

Algorithm: TypeAlias = Literal["SHA256", "SHA384", "SHA512"]
ALGORITHMS: dict[Algorithm, hashes.HashAlgorithm] = {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}
MOST_SERIAL = 40
"""Digits of a serial number (OCPP's schema, and 20 octets of RFC 5280)."""
MOST_URL = 2000
"""Characters of responderURL; in OCPP 2.0.1 it is 512."""
_HEX = re.compile(r"[0-9a-fA-F]+")


class HashDataError(Exception):
    """These texts name no certificate; the message says why."""


class HashData(NamedTuple):
    """The four texts of CertificateHashData."""

    algorithm: Algorithm
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


class OcspRequestData(NamedTuple):
    """Whom to ask about which certificate."""

    hash_data: HashData
    responder_url: str


def of(certificate: x509.Certificate, issuer: x509.Certificate, algorithm: Algorithm = "SHA256") -> HashData:
    """Of a certificate; `issuer` is the one above it, of a root the root. The octets are hashed as they stand in the certificates."""
    built = cert_id(certificate, issuer, ALGORITHMS[algorithm])
    return HashData(algorithm, built.issuer_name_hash.hex(), built.issuer_key_hash.hex(), format(built.serial_number, "x"))


def parsed(algorithm: str, issuer_name_hash: str, issuer_key_hash: str, serial_number: str) -> HashData:
    """What somebody else has written. Raises HashDataError."""
    known = next((each for each in ALGORITHMS if each == algorithm), None)
    if known is None:
        raise HashDataError("hashAlgorithm is none of SHA256, SHA384 and SHA512")
    digits = 2 * ALGORITHMS[known].digest_size
    for name, text in (("issuerNameHash", issuer_name_hash), ("issuerKeyHash", issuer_key_hash)):
        if len(text) != digits or not _HEX.fullmatch(text):
            raise HashDataError(f"{name} is not {digits} hexadecimal digits, as {known} has")
    if len(serial_number) > MOST_SERIAL or not _HEX.fullmatch(serial_number):
        raise HashDataError(f"serialNumber is not 1 to {MOST_SERIAL} hexadecimal digits")
    return HashData(known, issuer_name_hash.lower(), issuer_key_hash.lower(), serial_number.lower().lstrip("0") or "0")


def names(hash_data: HashData, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether it is this certificate that is meant."""
    return hash_data == of(certificate, issuer, hash_data.algorithm)


def responder_url(certificate: x509.Certificate) -> str:
    """Where the certificate says that its state is told (Authority Information Access); "" where it does not."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return ""
    for each in access:
        if each.access_method == AuthorityInformationAccessOID.OCSP and isinstance(each.access_location, x509.UniformResourceIdentifier):
            url = each.access_location.value
            if len(url) <= MOST_URL:
                return url
    return ""


def ocsp_requests(chain: Sequence[x509.Certificate], algorithm: Algorithm = "SHA256") -> tuple[OcspRequestData, ...]:
    """What to ask about a chain: leaf first, its last the root, about which nobody asks. Certificates that name no responder are left out."""
    pairs = ((each, of(each, above, algorithm), responder_url(each)) for each, above in pairwise(chain))
    return tuple(OcspRequestData(hashed, url) for _, hashed, url in pairs if url)


def cert_id(certificate: x509.Certificate, issuer: x509.Certificate, algorithm: hashes.HashAlgorithm) -> ocsp.OCSPRequest:
    """A request about this certificate: it holds the CertID."""
    return ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm).build()
