"""Why a chain is refused, and with which alert (RFC 8446, section 6.2): `certs.chain` judges it by the profile of who shows it and by the station's
clock; GnuTLS, which has built the path once more, has to be content as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509

from certs import ocsp
from certs.chain import MOST, CertificateError, Finding, Status, Verdict, load, tbs_fingerprint, validate
from certs.profiles import PROFILES, Profile, relaxed
from certs.reading import CURVES
from certs.rules import Code
from chargepoint.runtime.v2g_tls.plan import Plan

BAD, UNSUPPORTED, REVOKED, EXPIRED, UNKNOWN, UNKNOWN_CA = 42, 43, 44, 45, 46, 48
MOST_CERTIFICATES = 3
"""Leaf and two sub-CAs, without the root: [V2G2-009], as the profiles have it."""
ALERTS: Mapping[Code, int] = {
    "revoked": REVOKED,
    "revocation_unknown": UNKNOWN,
    "expired": EXPIRED,
    "not_yet_valid": EXPIRED,
    "unknown_root": UNKNOWN_CA,
    "key": UNSUPPORTED,
    "key_usage": UNSUPPORTED,
    "extended_key_usage": UNSUPPORTED,
    "critical_extension": UNSUPPORTED,
}
"""All others are bad certificates (42)."""


class Refusal(NamedTuple):
    """The alert to send, the words for us, and those for the driver where there are some."""

    alert: int
    words: str
    sentence: str = ""


STATUS: tuple[tuple[int, int, str], ...] = (
    # gnutls_certificate_status_t, the alert, in words; the first that is set is told
    (1 << 5, REVOKED, "has been revoked"),
    (1 << 11, BAD, "has a signature that does not fit"),
    (1 << 6, UNKNOWN_CA, "does not end at a known root"),
    (1 << 7, BAD, "has an issuer that is no CA"),
    (1 << 16, BAD, "is longer than its CAs allow, or outside of their constraints"),
    (1 << 8, BAD, "has a signature that is too weak"),
    (1 << 9, EXPIRED, "is not valid yet"),
    (1 << 10, EXPIRED, "has expired"),
    (1 << 21, UNSUPPORTED, "has a critical extension that is not known"),
)


def refusal(chain: Sequence[bytes], plan: Plan, version: str, staples: Sequence[bytes] = ()) -> Refusal | None:
    """None for a chain (DER as it was sent, leaf first) that is right. `version` of TLS is what was agreed on, as "1.3"; `staples` came with the chain."""
    return refused(judged(chain, plan, version, staples), plan)


def refused(verdict: Verdict, plan: Plan) -> Refusal | None:
    """What comes of it; None for what is right."""
    if verdict.ok:
        return None
    return Refusal(_alert(verdict.refusals[0], verdict, plan), verdict.why, verdict.sentence)


def judged(chain: Sequence[bytes], plan: Plan, version: str, staples: Sequence[bytes] = ()) -> Verdict:
    """What is found of it; dates by the station's clock, the root's as well, and while nobody has set that they are no reason (F-3)."""
    now, profile = _now(plan), profile_of(plan, version)
    roots = [_read(each.pem) for each in plan.roots]
    known = dict(plan.revocation()) if plan.revocation is not None else {}
    if staples and now is not None:
        # A revocation that was known before is not taken back by who shows the chain.
        known = {**_told(chain, staples, roots, now), **{each: status for each, status in known.items() if status == "revoked"}}
    return validate(chain, now, profile, roots, known, policy=plan.policy, host=plan.host)


def _told(chain: Sequence[bytes], staples: Sequence[bytes], roots: Sequence[x509.Certificate], now: dt.datetime) -> dict[str, Status]:
    """What the staples, in the order of the chain, say of it."""
    try:
        certificates = [each for octets in chain[:MOST] for each in load(octets)]
    except CertificateError:
        return {}
    found: dict[str, Status] = {}
    for octets, certificate in zip(staples, certificates, strict=False):
        issuer = next((each for each in (*certificates, *roots) if each.subject == certificate.issuer), None)
        if octets and issuer is not None:
            found[tbs_fingerprint(certificate)] = ocsp.judge(octets, certificate=certificate, issuer=issuer, now=now).status
    return found


def second(status: int, plan: Plan) -> Refusal | None:
    """What GnuTLS has against a chain that is right for us."""
    for bit, alert, words in STATUS:
        if status & bit:
            return Refusal(alert, f"{plan.whose} {words}")
    return Refusal(BAD, f"{plan.whose} is not valid (0x{status:x})") if status else None


def profile_of(plan: Plan, version: str) -> Profile:
    """What the other side's chain has to be."""
    if plan.host:
        return PROFILES["csms"]
    name = "vehicle20" if plan.role == "server" else "secc2" if version == "1.2" else "secc20"
    return _relaxed(name) if plan.lax and name != "secc2" else PROFILES[name]


@lru_cache(maxsize=8)
def _relaxed(name: str) -> Profile:
    """For a bench: peers have the certificates of ISO 15118-2, the one of a vehicle is for its provisioning."""
    profile = relaxed(PROFILES[name], keys=tuple(CURVES.values()), signatures=("ecdsa-with-SHA256", "ecdsa-with-SHA384"))
    return replace(profile, leaf=replace(profile.leaf, purpose_needed=None))


def _alert(finding: Finding, verdict: Verdict, plan: Plan) -> int:
    """A signature that does not fit below a root of ours is as if the root were not ours."""
    if finding.code == "bad_signature" and verdict.path:
        above = verdict.path[-1].issuer.public_bytes()
        return UNKNOWN_CA if any(root.name == above for root in plan.roots) else BAD
    return ALERTS.get(finding.code, BAD)


def _now(plan: Plan) -> dt.datetime | None:
    if plan.clock is None:
        return dt.datetime.now(dt.UTC) if plan.check_time else None
    utc = plan.clock()
    return None if utc is None else dt.datetime.fromtimestamp(utc, dt.UTC)


@lru_cache(maxsize=64)
def _read(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)
