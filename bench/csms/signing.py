"""The sub-CAs behind a CSMS: they sign what stations ask for with SignCertificate, or do it wrong by name."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, get_args

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.reading import kind_of
from certs.store import OwnUse
from certs.testpki_make import Identity, Key, Kind, key_of

Parties: TypeAlias = Callable[[Kind], Mapping[str, Identity]]
"""The test PKI of one kind of key."""
Wrong: TypeAlias = Literal[
    "", "expired", "not_yet_valid", "wrong_root", "wrong_key", "is_ca", "no_organization", "no_sub_ca", "garbage", "too_large",
    "other_request", "other_type", "never", "rejected",
]  # fmt: skip
WRONGS: tuple[Wrong, ...] = get_args(Wrong)[1:]
"""The last five are wrong ways to answer; the others are wrong certificates."""
DAY = dt.timedelta(days=1)
ISSUERS: Mapping[OwnUse, str] = {"ChargingStationCertificate": "csmsSub", "V2GCertificate": "cpoSub2", "V2G20Certificate": "cpoSub2"}


class Signer:
    """`now` says when it is; `wrong` may be changed while it is used."""

    def __init__(self, parties: Parties, now: Callable[[], dt.datetime], wrong: Wrong = "") -> None:
        self.parties, self.now, self.wrong = parties, now, wrong
        self.signed = 0
        self.days = 90.0
        """How long they are valid, unless somebody says otherwise."""

    def chain_for(self, request_pem: str, use: OwnUse, *, days: float = 0.0, issuer: str = "") -> str:
        """The chain for a PKCS#10 request as PEM: leaf first, no root."""
        if self.wrong == "garbage":
            return "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"
        request = x509.load_pem_x509_csr(request_pem.encode())
        if not request.is_signature_valid:
            raise ValueError("the request is not signed by its own key")
        above = self._issuer(request, use, issuer)
        leaf = self._leaf(request, use, above, days or self.days)
        sent = (leaf,) if self.wrong == "no_sub_ca" else (leaf, *above.chain)
        text = "".join(each.public_bytes(Encoding.PEM).decode() for each in sent)
        return text * 20 if self.wrong == "too_large" else text

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """SignCertificateResponse."""
        return {"status": "Rejected" if self.wrong == "rejected" else "Accepted"}

    def follow_up(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The CertificateSignedRequest that belongs to a SignCertificateRequest; None where none comes."""
        if self.wrong in ("never", "rejected"):
            return None
        use: OwnUse = request.get("certificateType", "ChargingStationCertificate")
        payload: dict[str, Any] = {"certificateChain": self.chain_for(request["csr"], use)[:10_000], "certificateType": use}
        if self.wrong == "other_type":
            payload["certificateType"] = "V2GCertificate" if use != "V2GCertificate" else "ChargingStationCertificate"
        if "requestId" in request:
            payload["requestId"] = request["requestId"] + (1000 if self.wrong == "other_request" else 0)
        return payload

    def _issuer(self, request: x509.CertificateSigningRequest, use: OwnUse, issuer: str) -> Identity:
        kind = kind_of(request.public_key())
        of: Kind = "ed448" if kind == "ed448" else "p521" if kind == "p521" else "p256"
        return self.parties(of)[issuer or ISSUERS[use]]

    def _leaf(self, request: x509.CertificateSigningRequest, use: OwnUse, above: Identity, days: float) -> x509.Certificate:
        now, self.signed = self.now(), self.signed + 1
        begins, ends = now - DAY / 24, now + days * DAY
        if self.wrong == "expired":
            begins, ends = now - 10 * DAY, now - DAY
        if self.wrong == "not_yet_valid":
            begins, ends = now + DAY, now + 10 * DAY
        subject = request.subject
        if self.wrong == "no_organization":
            subject = x509.Name([each for each in subject if each.oid != NameOID.ORGANIZATION_NAME])
        key = key_of("p256", b"another", "key").public_key() if self.wrong == "wrong_key" else request.public_key()
        serial = hashlib.sha256(request.public_bytes(Encoding.DER) + bytes([self.signed % 256])).digest()[:8]
        builder = x509.CertificateBuilder(above.certificate.subject, subject, key, int.from_bytes(serial, "big") | 1, begins, ends)
        builder = builder.add_extension(x509.BasicConstraints(self.wrong == "is_ca", None), critical=True)
        builder = builder.add_extension(_usage(agrees=use == "V2GCertificate"), critical=True)
        if use != "V2GCertificate":
            purpose = ExtendedKeyUsageOID.CLIENT_AUTH if use == "ChargingStationCertificate" else ExtendedKeyUsageOID.SERVER_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        issuer = above.key if self.wrong != "wrong_root" else key_of(_kind(above.key), b"somebody else", "CA")
        return builder.sign(issuer, _digest(issuer))


def _kind(key: Key) -> Kind:
    found = kind_of(key.public_key())
    return "ed448" if found == "ed448" else "p521" if found == "p521" else "p256"


def _digest(key: Key) -> hashes.SHA256 | hashes.SHA512 | None:
    if isinstance(key, ed448.Ed448PrivateKey):
        return None
    return hashes.SHA512() if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp521r1" else hashes.SHA256()


def _usage(*, agrees: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=agrees,
        key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
