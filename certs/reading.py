"""One certificate's facts, read once. What a stranger sends may be anything: it is read here or refused here, with CertificateError."""

from __future__ import annotations

import datetime as dt
import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from certs.name_constraints import understood

MOST_OCTETS, MOST_CERTIFICATES = 64 * 1024, 16
"""Of what `load` takes (ours)."""
DER = tuple(bytes((0x30, each)) for each in range(0x80, 0x85))
"""How one of more than 127 octets begins: no text does."""
UNREADABLE = (
    ValueError, TypeError, KeyError, AttributeError, OverflowError, NotImplementedError, UnsupportedAlgorithm,
    x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, CryptographyDeprecationWarning,
)  # fmt: skip
"""What `cryptography` says to bytes that it does not take."""
TBS = "tbs:"
"""How a `tbs_fingerprint` begins: it is never taken for a `fingerprint`."""
RSA_BITS = 2048
PSS, PSS_OCTETS = "RSASSA-PSS", 32
"""Its hash stands in its parameters: shorter than SHA-256, it is named with it."""

USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
CRITICAL = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
    x509.CertificatePolicies,
    x509.NameConstraints,
)
"""Extensions that may be critical: all others that are refuse the certificate (RFC 5280, 4.2). No policy is asked for, so that any will do."""
SIGNATURES: Mapping[str, str] = {
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
"""As RFC 5758, RFC 8017 and RFC 8410 name them."""
CURVES = {"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521"}


class CertificateError(Exception):
    """These bytes are no certificate that can be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Read:
    """A certificate that has been read to its end."""

    certificate: x509.Certificate
    fingerprint: str
    """SHA-256 of its DER, in hex."""
    tbs_fingerprint: str
    octets: int
    subject: x509.Name
    issuer: x509.Name
    key: CertificatePublicKeyTypes
    kind: str
    signature: str
    begins: dt.datetime
    ends: dt.datetime
    constrained: bool
    """Whether it has basic constraints at all."""
    ca: bool
    path: int | None
    usages: frozenset[str] | None
    """None where it has no key usage."""
    purposes: tuple[str, ...] | None
    """Dotted; None where it has no extended key usage."""
    not_critical: tuple[str, ...]
    """Of basic constraints and key usage, those that are there and are not marked critical."""
    unknown_critical: tuple[str, ...]
    hosts: tuple[str, ...]
    """Names and addresses of its subjectAltName."""
    constraints: x509.NameConstraints | None
    """The names that it, as a CA, may give."""

    @property
    def self_issued(self) -> bool:
        return self.subject == self.issuer

    def named(self, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        """The texts of one attribute of its subject."""
        return texts_of(self.subject, oid)

    @property
    def title(self) -> str:
        """What a log calls it."""
        return title_of(self.subject)


def texts_of(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    """The texts of one attribute of a name."""
    return tuple(clean(str(each.value)) for each in name.get_attributes_for_oid(oid))


def title_of(name: x509.Name) -> str:
    """Its common name, or the whole of it."""
    names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return clean(str(names[0].value) if names else name.rfc4514_string())[:64] or "(no name)"


def clean(text: str) -> str:
    """What a stranger wrote, fit for one log line."""
    return "".join(each if each.isprintable() else "?" for each in text)


@contextmanager
def refusing() -> Iterator[None]:
    """CertificateError for all that `cryptography` refuses. What it only warns of (a negative serial number) is refused as well."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            yield
    except UNREADABLE as error:
        raise CertificateError(clean(str(error))[:200] or type(error).__name__) from None


def load(octets: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM text in their order, or of one DER. Raises CertificateError only."""
    if len(octets) > MOST_OCTETS:
        raise CertificateError(f"{len(octets)} octets; {MOST_OCTETS} are the most")
    with refusing():
        if octets[:2] in DER or b"-----BEGIN" not in octets:  # whatever text stands in its names
            return (x509.load_der_x509_certificate(octets),)
        if octets.count(b"-----BEGIN") > 2 * MOST_CERTIFICATES:
            raise ValueError(f"more than {MOST_CERTIFICATES} certificates")
        found = tuple(x509.load_pem_x509_certificates(octets))
        if len(found) > MOST_CERTIFICATES:
            raise ValueError(f"{len(found)} certificates; {MOST_CERTIFICATES} are the most")
        return found


def readable(octets: bytes) -> tuple[x509.Certificate, ...]:
    """The same; none where they cannot be read."""
    try:
        return load(octets)
    except CertificateError:
        return ()


def is_signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether it bears the name and the signature of this issuer. Whether that may sign is not asked."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def kind_of(key: object) -> str:
    """p256, p384, p521, ed448, ed25519, rsa2048 (and above), rsa with its bits below that, or the name of what else it is."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVES.get(key.curve.name, key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa2048" if key.key_size >= RSA_BITS else f"rsa{key.key_size}"
    if isinstance(key, ed448.Ed448PublicKey):
        return "ed448"
    return "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__


def fingerprint(certificate: x509.Certificate) -> str:
    """What stores know it by: SHA-256 of its DER, in hex."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def tbs_fingerprint(certificate: x509.Certificate) -> str:
    """What revocation knows it by: SHA-256 of what its issuer signed (TBSCertificate), in hex behind `TBS`.

    Not of the whole: where (r, s) is a signature of ECDSA, (r, n - s) is one as well, and anybody can write a certificate down so. Issuer and serial number,
    as OCSP has them, would need the issuer's certificate, which a chain need not have.
    """
    return TBS + hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest()


def read(certificate: x509.Certificate) -> Read:
    """Raises CertificateError where a part of it is not what it should be."""
    with refusing():
        der = certificate.public_bytes(Encoding.DER)
        key, subject = certificate.public_key(), certificate.subject
        constraints, usage = _find(certificate, x509.BasicConstraints), _find(certificate, x509.KeyUsage)
        purposes, names = _find(certificate, x509.ExtendedKeyUsage), _find(certificate, x509.SubjectAlternativeName)
        limits = _find(certificate, x509.NameConstraints)
        title_of(subject), title_of(certificate.issuer)  # any name that cannot be told is not taken
        if certificate.version is not x509.Version.v3:
            raise ValueError("no X.509 v3")
        return Read(
            certificate,
            fingerprint(certificate),
            tbs_fingerprint(certificate),
            len(der),
            subject,
            certificate.issuer,
            key,
            kind_of(key),
            _signature(certificate),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            constrained=constraints is not None,
            ca=constraints is not None and constraints.value.ca,
            path=constraints.value.path_length if constraints is not None else None,
            usages=frozenset(each for each in USAGES if getattr(usage.value, each)) if usage is not None else None,
            purposes=tuple(each.dotted_string for each in purposes.value) if purposes is not None else None,
            not_critical=tuple(
                name for name, each in (("basic_constraints", constraints), ("key_usage", usage)) if each is not None and not each.critical
            ),
            unknown_critical=tuple(each.oid.dotted_string for each in certificate.extensions if not _known(each)),
            hosts=_hosts(names.value) if names is not None else (),
            constraints=limits.value if limits is not None else None,
        )


Kind = TypeVar("Kind", bound=x509.ExtensionType)


def _find(certificate: x509.Certificate, kind: type[Kind]) -> x509.Extension[Kind] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _known(extension: x509.Extension[x509.ExtensionType]) -> bool:
    """Limits on names count whether they are critical or not: those that cannot be judged are never passed over."""
    if isinstance(extension.value, x509.NameConstraints):
        return understood(extension.value)
    return not extension.critical or isinstance(extension.value, CRITICAL)


def _signature(certificate: x509.Certificate) -> str:
    dotted = certificate.signature_algorithm_oid.dotted_string
    name = SIGNATURES.get(dotted, dotted)
    if name == PSS and (digest := certificate.signature_hash_algorithm) is not None and digest.digest_size < PSS_OCTETS:
        return f"{name} with {digest.name}"
    return name


def _hosts(value: x509.SubjectAlternativeName) -> tuple[str, ...]:
    return (*map(clean, value.get_values_for_type(x509.DNSName)), *(str(each) for each in value.get_values_for_type(x509.IPAddress)))
