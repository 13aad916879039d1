"""Why a chain is refused, and with which alert (RFC 8446, section 6.2): GnuTLS's verdict, dates by the station's clock, then what ISO 15118 asks of the leaf."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.pki_files import kind_of
from chargepoint.runtime.v2g_tls.plan import Plan

BAD, UNSUPPORTED, REVOKED, EXPIRED, UNKNOWN_CA = 42, 43, 44, 45, 48
MOST_CERTIFICATES = 3
"""Leaf and two sub-CAs, without the root [K]."""
MOST_OCTETS = 1600
"""Of one certificate: what -20's schema allows."""


class Refusal(NamedTuple):
    """The alert to send, and the words for us."""

    alert: int
    words: str


INVALID = 1 << 1
NOT_YET, PAST = "is not valid yet", "has expired"
STATUS: tuple[tuple[int, int, str], ...] = (
    # gnutls_certificate_status_t, the alert, in words; the first that is set is told
    (1 << 5, REVOKED, "has been revoked"),
    (1 << 11, BAD, "has a signature that does not fit"),
    (1 << 6, UNKNOWN_CA, "does not end at a known root"),
    (1 << 7, BAD, "has an issuer that is no CA"),
    (1 << 16, BAD, "is longer than its CAs allow, or outside of their constraints"),
    (1 << 8, BAD, "has a signature that is too weak"),
    (1 << 9, EXPIRED, NOT_YET),
    (1 << 10, EXPIRED, PAST),
    (1 << 21, UNSUPPORTED, "has a critical extension that is not known"),
)  # fmt: skip


def refusal(status: int, chain: Sequence[bytes], plan: Plan) -> Refusal | None:
    """None for a chain that is right. `status` is GnuTLS's; `chain` as it was sent, leaf first."""
    whose = "the vehicle's certificate" if plan.role == "server" else "the station's certificate"
    for bit, alert, words in STATUS:
        if status & bit:
            return Refusal(alert, f"{whose} {words}")
    if status:
        return Refusal(BAD, f"{whose} is not valid (0x{status:x})")
    try:
        certificates = [x509.load_der_x509_certificate(each) for each in chain]
        found = dates(certificates, plan) or _chain(certificates, chain) or _leaf(certificates[0], plan)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, IndexError) as error:
        return Refusal(BAD, f"{whose} cannot be read: {error}")
    return Refusal(found.alert, f"{whose} {found.words}") if found else None


def dates(certificates: Sequence[x509.Certificate], plan: Plan) -> Refusal | None:
    """By the station's own clock, the root's as well; while nobody has set that, whatever the dates are is no reason (F-3)."""
    utc = plan.clock() if plan.clock is not None else None
    if utc is None:
        return None
    for each in certificates:
        if wrong := _outside(_term(each), utc):
            return Refusal(EXPIRED, wrong if each is certificates[0] else f"is below one that {wrong}")
    above = certificates[-1].issuer.public_bytes()
    roots = [_outside(_term_of(root.pem), utc) for root in plan.roots if root.name == above]
    return Refusal(EXPIRED, f"is below a root that {roots[0]}") if roots and all(roots) else None


def _term(certificate: x509.Certificate) -> tuple[float, float]:
    return certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()


@lru_cache(maxsize=64)
def _term_of(pem: bytes) -> tuple[float, float]:
    return _term(x509.load_pem_x509_certificate(pem))


def _outside(term: tuple[float, float], utc: float) -> str:
    begins, ends = term
    return NOT_YET if utc < begins else PAST if utc > ends else ""


def _chain(certificates: Sequence[x509.Certificate], chain: Sequence[bytes]) -> Refusal | None:
    below_root = {each for each in certificates if each.issuer != each.subject}  # a leaf may stand in its own list of sub-CAs as well
    if len(below_root) > MOST_CERTIFICATES:
        return Refusal(BAD, f"comes with {len(below_root) - 1} sub-CAs")
    if max(len(each) for each in chain) > MOST_OCTETS:
        return Refusal(BAD, f"or one above it has more than {MOST_OCTETS} octets")
    return None


def _leaf(leaf: x509.Certificate, plan: Plan) -> Refusal | None:
    extensions = leaf.extensions
    if any(isinstance(each.value, x509.BasicConstraints) and each.value.ca for each in extensions):
        return Refusal(BAD, "is one of a CA")
    usages = [each.value for each in extensions if isinstance(each.value, x509.KeyUsage)]
    if not usages or not usages[0].digital_signature:
        return Refusal(UNSUPPORTED, "is not for signatures (key usage)")
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if plan.role == "server" else ExtendedKeyUsageOID.SERVER_AUTH
    for each in extensions:
        if isinstance(each.value, x509.ExtendedKeyUsage) and not {purpose, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(each.value):
            return Refusal(UNSUPPORTED, "is for something else (extended key usage)")
    if plan.kinds and kind_of(leaf) not in plan.kinds:
        return Refusal(UNSUPPORTED, f"has a {kind_of(leaf)} key")
    return None
