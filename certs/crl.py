"""Certificate revocation lists (RFC 5280, section 5), as OCPP 2.1 asks for them by GetCertificateChainStatus with the source CRL.

A list is believed where it is the issuer's, signed by it, of this time, and speaks of certificates like the one asked about; else the answer is "unknown".
Lists of changes (delta) and those in another's name (indirect) are not read.
"""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtensionOID

from certs.ocsp import SKEW, Answer
from certs.reading import UNREADABLE

MOST_OCTETS = 1024 * 1024
"""Of a list (ours)."""
_STRONG = ("sha256", "sha384", "sha512")
_UNDERSTOOD = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_NUMBER})


class _Unbelievable(Exception):
    pass


def judge(octets: bytes, *, certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime) -> Answer:
    """What a list, in DER or PEM, says of `certificate`, whose issuer is `issuer`."""
    try:
        return _judged(_read(octets), certificate, issuer, now)
    except _Unbelievable as error:
        return Answer("unknown", str(error))
    except UNREADABLE:
        return Answer("unknown", "the revocation list cannot be read")


def urls_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where the certificate says that lists are (CRL distribution points)."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return ()
    return tuple(name.value for each in points for name in each.full_name or () if isinstance(name, x509.UniformResourceIdentifier))


def _read(octets: bytes) -> x509.CertificateRevocationList:
    if len(octets) > MOST_OCTETS:
        raise _Unbelievable(f"a revocation list of {len(octets)} octets: at most {MOST_OCTETS} are read")
    load = x509.load_pem_x509_crl if octets.lstrip().startswith(b"-----") else x509.load_der_x509_crl
    return load(octets)


def _judged(crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime) -> Answer:
    if crl.issuer != certificate.issuer or issuer.subject != certificate.issuer:
        raise _Unbelievable("the revocation list is not of the certificate's issuer")
    _signed(crl, issuer)
    _scope(crl, certificate)
    since, until = crl.last_update_utc, crl.next_update_utc
    if since > now + SKEW:
        raise _Unbelievable("the revocation list is of the future: one of the two clocks is wrong")
    stale = until is None or now >= until
    if entry := crl.get_revoked_certificate_by_serial_number(certificate.serial_number):
        reason = _reason(entry)
        if reason is not x509.ReasonFlags.certificate_hold or not stale:  # a revocation does not grow old; what is on hold may come back
            named = f" ({reason.value})" if reason is not None else ""
            at = entry.revocation_date_utc
            return Answer("revoked", f"it is revoked since {at:%Y-%m-%d %H:%M} UTC{named}", since, until, at)
    if until is None:
        raise _Unbelievable("the revocation list does not say until when it holds")
    if stale:
        raise _Unbelievable(f"the revocation list is too old: it held until {until:%Y-%m-%d %H:%M} UTC")
    return Answer("good", "it is not on its issuer's revocation list", since, until)


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not usage.crl_sign:
        raise _Unbelievable("the issuer may not sign revocation lists: its certificate lacks the key usage cRLSign")
    algorithm = crl.signature_hash_algorithm
    if algorithm is not None and algorithm.name not in _STRONG:
        raise _Unbelievable(f"the revocation list is signed by {algorithm.name}: that proves nothing any more")
    key = issuer.public_key()
    known = (ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed448.Ed448PublicKey, ed25519.Ed25519PublicKey)
    if not isinstance(key, known) or not crl.is_signature_valid(key):
        raise _Unbelievable("the signature of the revocation list does not hold")


def _scope(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> None:
    for each in crl.extensions:
        if isinstance(each.value, x509.DeltaCRLIndicator):
            raise _Unbelievable("the revocation list holds changes only")
        if each.critical and each.oid not in _UNDERSTOOD:
            raise _Unbelievable(f"the revocation list has a critical extension that is not understood, {each.oid.dotted_string}")
    try:
        scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return
    if scope.indirect_crl:
        raise _Unbelievable("the revocation list is in another's name")
    if scope.only_some_reasons:
        raise _Unbelievable("the revocation list is for some reasons only")
    is_ca = _is_ca(certificate)
    if scope.only_contains_attribute_certs or (scope.only_contains_user_certs and is_ca) or (scope.only_contains_ca_certs and not is_ca):
        raise _Unbelievable("the revocation list is for other kinds of certificates")
    own = urls_of(certificate)
    of_list = [name.value for name in scope.full_name or () if isinstance(name, x509.UniformResourceIdentifier)]
    if own and of_list and not set(own) & set(of_list):
        raise _Unbelievable("the revocation list is of another distribution point than the certificate names")


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
