"""Is a chain right? `validate` says so, and why not, to a person who reads the log and to the driver who stands there.

Nothing that a stranger sends makes it raise: what cannot be read is a finding. The time is an argument; None while nobody has set the clock,
and then dates are not judged, which is told as a finding that refuses nothing (F-3).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from certs.name_constraints import outside
from certs.profiles import Policy, Profile
from certs.reading import CertificateError, Read, clean, fingerprint, is_signed, load, read, tbs_fingerprint, title_of
from certs.rules import Code, Finding, judge

__all__ = [
    "CertificateError", "Code", "Finding", "Status", "Verdict", "fingerprint", "load", "signed_by", "tbs_fingerprint", "validate", "validate_root",
]  # fmt: skip

Status: TypeAlias = Literal["good", "revoked", "unknown"]
MOST = 10
"""Certificates of a chain that are looked at (ours): more refuse it."""
MOST_TOLD = 3
RANK: Mapping[Code, int] = {code: number for number, code in enumerate(get_args(Code))}

SENTENCES: Mapping[Code, str] = {
    "revoked": "{} has been blocked.",
    "expired": "{} has expired.",
    "not_yet_valid": "{} is not valid yet.",
    "unknown_root": "{} comes from somebody whom this station does not know.",
    "bad_signature": "{} is not genuine.",
    "key_mismatch": "{} does not belong to its key.",
    "host": "{} is somebody else's.",
    "revocation_unknown": "Whether {} still holds cannot be asked at the moment.",
}
OTHERWISE = "{} is not as it has to be."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `validate` found. `path` runs from the leaf to the root, as far as it could be built."""

    profile: Profile
    findings: tuple[Finding, ...]
    path: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    title: str = ""
    """What the leaf is called."""
    places: tuple[str, ...] = ()
    """What `findings` call the certificates of `path`."""

    @property
    def ok(self) -> bool:
        return not self.refusals

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Why it is refused, the gravest first."""
        return tuple(sorted((each for each in self.findings if each.weight == "refuse"), key=lambda each: RANK[each.code]))

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is odd and refuses nothing."""
        return tuple(each for each in self.findings if each.weight == "warn")

    @property
    def why(self) -> str:
        """One log line."""
        whose = f"{self.profile.what}, {self.title}" if self.title else self.profile.what
        told = self.refusals or self.warnings
        said = "; ".join(f"{each.at}: {each.words}" for each in told[:MOST_TOLD])
        more = f"; {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        if self.ok:
            return f"{whose}: right, though {said}{more}" if said else f"{whose}: right"
        return f"{whose}: refused: {said}{more}"

    @property
    def sentence(self) -> str:
        """For the driver; "" where nothing is refused."""
        if self.ok:
            return ""
        words = SENTENCES.get(self.refusals[0].code, OTHERWISE).format(self.profile.whose)
        return f"{words[0].upper()}{words[1:]} {self.profile.advice}"


def validate(
    chain: bytes | Sequence[x509.Certificate | bytes],
    now: dt.datetime | None,
    profile: Profile,
    trust: Sequence[x509.Certificate],
    revocation: Mapping[str, Status] | None = None,
    *,
    policy: Policy | None = None,
    key: PublicKeyTypes | None = None,
    host: str = "",
) -> Verdict:
    """Judge a chain as it was sent: PEM, one DER, or certificates one by one. `now` knows its time zone.

    The leaf is the first one, since TLS shows that its key is there for that one only; with `key`, it is the one that has this key.
    `revocation` is what is known, by `tbs_fingerprint`; `policy` instead of the profile's. `key` is the one that the
    leaf has to have, `host` the name that was dialled, for profiles that look at it.
    """
    try:
        certificates = _certificates(chain)
        if not certificates:
            return Verdict(profile, (Finding("chain", "empty", "there is no certificate"),))
        if len(certificates) > MOST:
            return Verdict(profile, (Finding("chain", "too_many", f"it has more than {MOST} certificates"),))
        sent = [_read(each) for each in dict.fromkeys(certificates)]
    except CertificateError as error:
        return Verdict(profile, (Finding("chain", "unreadable", f"it cannot be read: {error}"),))
    path, end = _path(_leaf(sent, key), sent, trust, now)
    findings = [end] if end else []
    findings += _arranged(sent, path, profile)
    places = _places(path, rooted=end is None)
    for at, each in zip(places, path, strict=True):
        shape = profile.leaf if at == "leaf" else profile.root if at == "root" else profile.sub
        judged = judge(each, shape, at, host)
        findings += map(_told, judged) if end is None and len(path) == 1 and profile.pinned else judged
        findings += _dates(each, at, now)
    if now is None:
        findings.append(Finding("chain", "clock_unset", "the clock is not set yet: dates are not judged", "warn"))
    findings += _lengths(path, places, profile)
    findings += _limited(path, places)
    findings += _revoked(path, places, revocation or {}, policy or profile.revocation.wants)
    if key is not None and path[0].key != key:
        findings.append(Finding("leaf", "key_mismatch", "it is not for the key that it is used with"))
    return Verdict(profile, tuple(findings), tuple(each.certificate for each in path), path[0].title, tuple(places))


def _told(finding: Finding) -> Finding:
    """Of a certificate that is trusted itself: only whose it is refuses it."""
    return finding if finding.code == "host" else replace(finding, weight="warn")


def validate_root(certificate: x509.Certificate, now: dt.datetime | None, profile: Profile) -> Verdict:
    """Judge what is to be trusted as a root of this profile: it is one, it signed itself, and it is valid now."""
    try:
        root = read(certificate)
    except CertificateError as error:
        return Verdict(profile, (Finding("root", "unreadable", f"it cannot be read: {error}"),))
    findings = [*judge(root, profile.root, "root"), *_dates(root, "root", now)]
    if not signed_by(root, root):
        findings.append(Finding("root", "bad_signature", "it did not sign itself"))
    if now is None:
        findings.append(Finding("root", "clock_unset", "the clock is not set yet: dates are not judged", "warn"))
    return Verdict(profile, tuple(findings), (certificate,), root.title)


@lru_cache(maxsize=64)
def _read(certificate: x509.Certificate) -> Read:
    """Roots and sub-CAs are the same ones each time."""
    return read(certificate)


def _certificates(chain: bytes | Sequence[x509.Certificate | bytes]) -> list[x509.Certificate]:
    if isinstance(chain, bytes):
        return list(load(chain))
    return [one for each in chain[: MOST + 1] for one in (load(each) if isinstance(each, bytes) else (each,))]


def signed_by(below: Read, above: Read) -> bool:
    """Whether the one bears the name and the signature of the other."""
    return below.issuer == above.subject and is_signed(below.certificate, above.certificate)


def _path(first: Read, sent: list[Read], trust: Sequence[x509.Certificate], now: dt.datetime | None) -> tuple[list[Read], Finding | None]:
    """The shortest way from the leaf up to a root that is trusted, and why there is none. Each pair is looked at once, so that it ends soon.

    Of several that bear the same name and key, as when one was renewed, one that is valid now is taken.
    """
    known = {fingerprint(each) for each in trust}
    ways = [[first]]
    seen = {first.fingerprint}
    forged: list[Read] = []
    for way in ways:
        top = way[-1]
        if top.fingerprint in known:
            return way, None
        anchors = sorted(_named(trust, top), key=lambda each: now is not None and not each.begins <= now <= each.ends)
        for anchor in anchors:
            if anchor.fingerprint != top.fingerprint and signed_by(top, anchor):
                return [*way, anchor], None
        above = [each for each in sent if each.fingerprint != top.fingerprint and each.subject == top.issuer]
        above.sort(key=lambda each: now is not None and not each.begins <= now <= each.ends)
        right = [each for each in above if signed_by(top, each)]
        if (anchors or above) and not right:
            forged.append(top)
        for each in right:
            if each.fingerprint not in seen:
                seen.add(each.fingerprint)
                ways.append([*way, each])
    longest = max(ways, key=len)
    top, at = longest[-1], _places(longest, rooted=False)[-1]
    if top.self_issued and signed_by(top, top):
        return longest, Finding(at, "unknown_root", f"{top.title} signed itself, and is no root that is known here")
    if top in forged:
        return longest, Finding(at, "bad_signature", f"its signature is not by {title_of(top.issuer)}")
    words = f"it is by {title_of(top.issuer)}, whose certificate is neither with it nor a root that is known here"
    return longest, Finding(at, "unknown_root", words)


def _named(trust: Sequence[x509.Certificate], below: Read) -> Iterator[Read]:
    for each in trust:
        if each.subject == below.issuer:
            try:
                yield _read(each)
            except CertificateError:
                continue


def _leaf(sent: list[Read], key: PublicKeyTypes | None) -> Read:
    """Never another one than the one whose key is known to be there: a stranger's leaf may be among them."""
    return next((each for each in sent if key is not None and each.key == key), sent[0])


def _arranged(sent: list[Read], path: list[Read], profile: Profile) -> Iterator[Finding]:
    order = [each.fingerprint for each in sent]
    used = [each.fingerprint for each in path if each.fingerprint in order]
    if [each for each in order if each in used] != used:
        yield Finding("chain", "order", "its certificates are not in order, from the leaf up", profile.order.weight)
    if spare := [each for each in sent if each.fingerprint not in used]:
        below = next((each for each in spare if path[0].ca and each.issuer == path[0].subject), None)
        if below is not None:
            yield Finding("chain", "order", f"the leaf has to be the first one, and {below.title} is not", profile.order.weight)
        else:
            yield Finding("chain", "unused", f"{spare[0].title} is with it and does not belong to it", "warn")


def _places(path: list[Read], *, rooted: bool) -> list[str]:
    """What the certificates of a path are called; one that signed itself stands at the top as a root, known or not."""
    places = ["leaf", *(f"sub-CA {number}" for number in range(1, len(path)))]
    if len(path) > 1 and (rooted or path[-1].self_issued):
        places[-1] = "root"
    return places


def _dates(each: Read, at: str, now: dt.datetime | None) -> Iterator[Finding]:
    if now is not None and now < each.begins:
        yield Finding(at, "not_yet_valid", f"it is not valid before {each.begins:%Y-%m-%d %H:%M} UTC; it is {now:%Y-%m-%d %H:%M}")
    if now is not None and now > each.ends:
        yield Finding(at, "expired", f"it expired {each.ends:%Y-%m-%d %H:%M} UTC; it is {now:%Y-%m-%d %H:%M}")


def _lengths(path: list[Read], places: list[str], profile: Profile) -> Iterator[Finding]:
    subs = [each for at, each in zip(places, path, strict=True) if at.startswith("sub-CA") and not each.self_issued]
    if len(subs) > profile.subs.wants:
        yield Finding("chain", "chain_length", f"it has {len(subs)} sub-CAs, more than {profile.subs.wants}", profile.subs.weight)
    direct = places == ["leaf", "root"] and not path[0].ca
    if profile.direct is not None and direct and profile.direct.wants in path[-1].named(NameOID.DOMAIN_COMPONENT):
        yield Finding("chain", "chain_length", f"{path[-1].title} signed the leaf itself", profile.direct.weight)
    below = 0
    for at, each in list(zip(places, path, strict=True))[1:]:
        if each.path is not None and each.path < below:
            yield Finding(at, "path_length", f"it allows {each.path} sub-CAs below it, and there are {below}")
        below += not each.self_issued


def _limited(path: list[Read], places: list[str]) -> Iterator[Finding]:
    for number, above in enumerate(path):
        for at, each in zip(places[:number], path, strict=False):
            if above.constraints is None or (each.self_issued and number):
                continue
            hosts = each.hosts or (each.named(NameOID.COMMON_NAME) if at == "leaf" else ())
            if name := outside(above.constraints, each.subject, hosts):
                yield Finding(at, "name_constraints", f"{places[number]} may not give the name {clean(name)[:64]}")


def _revoked(path: list[Read], places: list[str], revocation: Mapping[str, Status], policy: Policy) -> Iterator[Finding]:
    for at, each in zip(places, path, strict=True):
        status = revocation.get(each.tbs_fingerprint)
        if status == "revoked":
            yield Finding(at, "revoked", "it has been revoked")
        elif status != "good" and at != "root" and (policy == "unknown" or status is not None):
            words = "nobody says whether it has been revoked"
            yield Finding(at, "revocation_unknown", words, "refuse" if policy == "unknown" else "warn")
