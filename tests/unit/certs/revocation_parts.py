"""What the tests of hash data, OCSP and revocation lists share: a root, a sub-CA, a leaf and who answers for them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
URL, LIST = "http://ocsp.example/leaf", "http://crl.example/sub.crl"
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


def key_of(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP521R1())


def algorithm_of(key: Any) -> Any:
    return (
        None
        if isinstance(key, ed448.Ed448PrivateKey)
        else hashes.SHA512()
        if isinstance(key, ec.EllipticCurvePrivateKey)
        else hashes.SHA256()
    )


def certificate(subject: str, key: Any, issuer: str, issuer_key: Any, *extensions: tuple[x509.ExtensionType, bool], serial: int = 7, begins: dt.datetime = NOW - 9 * DAY, ends: dt.datetime = NOW + 90 * DAY) -> x509.Certificate:  # fmt: skip
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")])

    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), serial, begins, ends)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer_key, algorithm_of(issuer_key))


def usage(*names: str) -> tuple[x509.KeyUsage, bool]:
    return x509.KeyUsage(**{each: each in names for each in USAGES}), True


CA = (x509.BasicConstraints(True, None), True)
ACCESS = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example")),
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(URL)),
    ]
)
POINTS = x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(LIST)], None, None, None)])
ROOT_KEY, SUB_KEY, LEAF_KEY, RESPONDER_KEY, OTHER_KEY = (key_of(number) for number in range(3, 8))
ROOT = certificate("root", ROOT_KEY, "root", ROOT_KEY, CA, serial=1)
SUB = certificate("sub", SUB_KEY, "root", ROOT_KEY, CA, usage("key_cert_sign", "crl_sign"), serial=0x0A0B)
LEAF = certificate("leaf", LEAF_KEY, "sub", SUB_KEY, (ACCESS, False), (POINTS, False), serial=0x0123456789ABCDEF)
SIGNING = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)
RESPONDER = certificate("responder", RESPONDER_KEY, "sub", SUB_KEY, SIGNING, usage("digital_signature"), serial=99)


def response(**other: Any) -> bytes:
    """An OCSP response that is right, but for what is said."""
    from cryptography.hazmat.primitives.serialization import Encoding

    how: dict[str, Any] = {
        "about": LEAF, "issuer": SUB, "status": ocsp.OCSPCertStatus.GOOD, "since": NOW - MINUTE, "until": NOW + DAY, "at": None, "reason": None,
        "responder": SUB, "key": SUB_KEY, "by": ocsp.OCSPResponderEncoding.HASH, "sent": [], "nonce": b"", "hash": hashes.SHA256(), "digest": None,
    } | other  # fmt: skip
    builder = ocsp.OCSPResponseBuilder().add_response(
        how["about"], how["issuer"], how["hash"], how["status"], how["since"], how["until"], how["at"], how["reason"]
    )
    builder = builder.responder_id(how["by"], how["responder"])
    if how["sent"]:
        builder = builder.certificates(how["sent"])
    if how["nonce"]:
        builder = builder.add_extension(x509.OCSPNonce(how["nonce"]), False)
    return builder.sign(how["key"], how["digest"] or algorithm_of(how["key"])).public_bytes(Encoding.DER)


RSA_KEY = rsa.generate_private_key(65537, 2048)
ED448_KEY = ed448.Ed448PrivateKey.from_private_bytes(bytes(57))
