"""What is in some files: who signed whom as a tree of lines, the role that each certificate seems to have, until when it holds, and what is wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography.x509.oid import NameOID

from certs.chain import MOST, Verdict, signed_by, validate
from certs.profiles import CLIENT, EMAID, OCSP, PROFILES, SERVER, Profile
from certs.reading import CertificateError, Read, load, read, title_of
from certs.rules import Finding

EDITIONS = {"p256": 2, "p521": 20, "ed448": 20}
DOMAINS = {"CPO": "secc", "MO": "contract", "OEM": "oem", "CPS": "cps", "Vehicle": "vehicle"}
OF_CA = {"V2G": "V2G", "CPO": "CPO", "MO": "MO", "OEM": "OEM", "CPS": "CPS"}
SOON_DAYS = 30
"""A certificate that expires within these is told (ours: what renewal ahead of time has at least)."""


@dataclass(slots=True)
class Node:
    """A certificate, where it was found, and who it signed."""

    read: Read
    where: list[str]
    below: list[Node] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """Lines for a terminal, and whether something is wrong."""

    lines: tuple[str, ...]
    wrong: bool


def guess(of: Read) -> Profile | None:
    """The profile that a leaf seems to be made for: by its domain component, its purpose, its name, and the edition by its key."""
    if of.ca:
        return None
    edition = EDITIONS.get(of.kind)
    domains = [DOMAINS[each] for each in of.named(NameOID.DOMAIN_COMPONENT) if each in DOMAINS]
    purposes = of.purposes or ()
    if OCSP in purposes:
        return PROFILES["ocsp"]
    if domains and edition is not None:
        role = "vehicle" if domains[0] == "oem" and CLIENT in purposes and edition == 20 else domains[0]
        return PROFILES.get(f"{role}{edition}")
    if SERVER in purposes or CLIENT in purposes:
        return PROFILES["csms" if SERVER in purposes else "station"]
    if edition is not None and any(re.fullmatch(EMAID, each) for each in of.named(NameOID.COMMON_NAME)):
        return PROFILES[f"contract{edition}"]
    return None


def role(of: Read) -> str:
    """In words."""
    if of.ca:
        domain = next((each for each in of.named(NameOID.DOMAIN_COMPONENT) if each in OF_CA), "")
        return f"{domain} {'root' if of.self_issued else 'sub-CA'}".strip()
    profile = guess(of)
    return profile.what.removeprefix("the ") if profile else "a certificate of no role that is known here"


def report(files: Mapping[str, bytes], now: dt.datetime) -> Report:
    """Judge each leaf by the profile that it seems to have, below whatever roots are among the files."""
    nodes: dict[str, Node] = {}
    unread: list[str] = []
    for where, octets in files.items():
        try:
            for each in load(octets):
                found = read(each)
                nodes.setdefault(found.fingerprint, Node(found, [])).where.append(where)
        except CertificateError as error:
            unread.append(f"{where}: ✗ it cannot be read: {error}")
    tops = _grown(list(nodes.values()))
    _judged(nodes, now)
    lines = [line for top in tops for line in _lines(top, now)]
    wrong = bool(unread) or any(each.weight == "refuse" for node in nodes.values() for each in node.findings)
    return Report((*lines, *unread), wrong)


def _grown(nodes: list[Node]) -> list[Node]:
    """Hang each one below who signed it; those that nobody here signed are the tops."""
    tops: list[Node] = []
    for node in nodes:
        above = next((each for each in nodes if each is not node and each.read.ca and signed_by(node.read, each.read)), None)
        (above.below if above is not None and not node.read.self_issued else tops).append(node)
    return tops


def _judged(nodes: Mapping[str, Node], now: dt.datetime) -> None:
    everything = [node.read for node in nodes.values()]
    roots = [each for each in everything if each.ca and each.self_issued]
    cas = [each for each in everything if each.ca and not each.self_issued]
    for node in nodes.values():
        if node.read.ca:
            node.findings += _dates(node.read, now)
            continue
        verdict = _verdict(node.read, cas, roots, now)
        path = dict(zip(verdict.places, verdict.path, strict=True))
        for found in verdict.findings:
            each = found
            if each.code in {"unused", "order", "clock_unset", "too_many"}:
                continue  # what else lies there is no part of its chain
            at = next((one for one in nodes.values() if one.read.certificate == path.get(each.at)), node)
            if each.code == "unknown_root" and not at.read.self_issued:
                each = replace(each, words=f"{title_of(at.read.issuer)}, who signed it, is not among these files", weight="warn")
            if each not in at.findings and (at is node or each.code not in {"expired", "not_yet_valid"}):
                at.findings.append(each)
        node.findings += _soon(node.read, now)


def _verdict(leaf: Read, cas: Sequence[Read], roots: Sequence[Read], now: dt.datetime) -> Verdict:
    above, names = [leaf], [leaf.issuer]
    for name in names:  # which grows
        up = [each for each in cas if each.subject == name and each not in above]
        above += up
        names += [each.issuer for each in up]
    profile = guess(leaf) or PROFILES["station"]
    return validate([each.certificate for each in above[:MOST]], now, profile, [each.certificate for each in roots])


def _dates(of: Read, now: dt.datetime) -> Iterator[Finding]:
    if now > of.ends:
        yield Finding("", "expired", f"it expired {of.ends:%Y-%m-%d}")
    elif now < of.begins:
        yield Finding("", "not_yet_valid", f"it is not valid before {of.begins:%Y-%m-%d}")
    else:
        yield from _soon(of, now)


def _soon(of: Read, now: dt.datetime) -> Iterator[Finding]:
    if dt.timedelta(0) <= of.ends - now < dt.timedelta(days=SOON_DAYS):
        yield Finding("", "expired", f"it expires in {(of.ends - now).days} days", "warn")


def _lines(node: Node, now: dt.datetime, first: str = "", rest: str = "") -> Iterator[str]:
    of = node.read
    yield f"{first}{of.title}: {role(of)}, {of.kind}, {of.begins:%Y-%m-%d} to {of.ends:%Y-%m-%d}, in {', '.join(dict.fromkeys(node.where))}"
    down = f"{rest}{'│  ' if node.below else '   '}"
    for each in node.findings:
        yield f"{down}{'✗' if each.weight == 'refuse' else '!'} {each.words}"
    for child in node.below:
        last = child is node.below[-1]
        yield from _lines(child, now, f"{rest}{'└─ ' if last else '├─ '}", f"{rest}{'   ' if last else '│  '}")
