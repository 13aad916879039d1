"""Findings: what one certificate breaks of the Shape that it should have."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from cryptography import x509
from cryptography.x509.oid import NameOID

from certs.profiles import Rule, Shape, Weight
from certs.reading import Read, texts_of

Code: TypeAlias = Literal[
    "empty", "unreadable", "too_many", "revoked", "bad_signature", "key_mismatch", "unknown_root", "expired", "not_yet_valid", "basic_constraints",
    "host", "chain_length", "path_length", "name_constraints", "key", "signature_algorithm", "key_usage", "extended_key_usage",
    "critical_extension", "not_critical", "size", "domain", "common_name", "organization", "revocation_unknown", "order", "unused",
    "validity", "clock_unset",
]  # fmt: skip
"""What can be wrong, the gravest first."""

ANY_PURPOSE = "2.5.29.37.0"
DAY = dt.timedelta(days=1)
PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a chain. `at` is the place: leaf, sub-CA 1 (who signed the leaf), root, chain."""

    at: str
    code: Code
    words: str
    weight: Weight = "refuse"


def judge(read: Read, shape: Shape, at: str, host: str = "") -> Iterator[Finding]:
    """All that this certificate breaks, whatever stands above and below it, and whatever time it is."""

    def found(rule: Rule[Any], code: Code, words: str) -> Finding:
        return Finding(at, code, words, rule.weight)

    if read.kind not in shape.keys.wants:
        yield found(shape.keys, "key", f"its key is {read.kind}, not {_either(shape.keys.wants)}")
    if read.signature not in shape.signatures.wants:
        yield found(shape.signatures, "signature_algorithm", f"it is signed with {read.signature}, not {_either(shape.signatures.wants)}")
    yield from _purpose(read, shape, at)
    if shape.path is not None and read.ca and (read.path is None or read.path > shape.path.wants):
        yield found(shape.path, "path_length", f"its path length is {'not limited' if read.path is None else read.path}")
    if read.unknown_critical:
        yield Finding(
            at, "critical_extension", f"it has a critical extension that is not known here: {', '.join(read.unknown_critical[:3])}"
        )
    if shape.critical is not None and (lax := [each for each in read.not_critical if each in shape.critical.wants]):
        yield found(shape.critical, "not_critical", f"{' and '.join(lax).replace('_', ' ')} is not marked critical")
    if shape.octets is not None and read.octets > shape.octets.wants:
        yield found(shape.octets, "size", f"it has {read.octets} octets, more than {shape.octets.wants}")
    if shape.days is not None and read.ends - read.begins > shape.days.wants * DAY:
        yield found(shape.days, "validity", f"it is valid for {(read.ends - read.begins).days} days, more than {shape.days.wants}")
    yield from judge_name(read.subject, shape, at)
    if shape.host is not None and host and not _for_host(read, host):
        said = ", ".join(each[:64] for each in (*read.hosts, *read.named(NameOID.COMMON_NAME))[:3])
        yield found(shape.host, "host", f"it is for {said or 'nobody'}, not for {host}")


def _purpose(read: Read, shape: Shape, at: str) -> Iterator[Finding]:
    if read.ca != shape.ca.wants:
        yield Finding(at, "basic_constraints", "it is one of a CA" if read.ca else "it is none of a CA, yet signs others", shape.ca.weight)
    usages = read.usages
    if usages is None:
        yield Finding(at, "key_usage", "it has no key usage", shape.usage.weight)
    else:
        if missing := [each for each in shape.needed.wants if each not in usages]:
            yield Finding(at, "key_usage", f"its key is not for {_bits(missing)}", shape.needed.weight)
        if too_much := [each for each in shape.never.wants if each in usages]:
            yield Finding(at, "key_usage", f"its key must not be for {_bits(too_much)}", shape.never.weight)
        if shape.wished is not None and (missing := [each for each in shape.wished.wants if each not in usages]):
            yield Finding(at, "key_usage", f"its key is not for {_bits(missing)}", shape.wished.weight)
    for rule in (shape.not_purposes, shape.odd_purposes):
        if rule is not None and (others := [each for each in read.purposes or () if each in rule.wants]):
            yield Finding(at, "extended_key_usage", f"it is for {', '.join(PURPOSES.get(each, each) for each in others)}", rule.weight)
    if shape.purpose is None:
        return
    if read.purposes is None:
        if shape.purpose_needed is not None:
            words = f"it does not say that it is for {PURPOSES[shape.purpose.wants]}"
            yield Finding(at, "extended_key_usage", words, shape.purpose_needed.weight)
    elif not {shape.purpose.wants, ANY_PURPOSE} & set(read.purposes):
        words = f"it is for {', '.join(PURPOSES.get(each, each) for each in read.purposes[:3])}, not {PURPOSES[shape.purpose.wants]}"
        yield Finding(at, "extended_key_usage", words, shape.purpose.weight)


def judge_name(subject: x509.Name, shape: Shape, at: str) -> Iterator[Finding]:
    """What the name of a certificate, or of a request for one, breaks."""
    if shape.domain is not None:
        domains = texts_of(subject, NameOID.DOMAIN_COMPONENT)
        if not set(domains) & set(shape.domain.wants):
            said = ", ".join(each[:64] for each in domains[:3]) or "missing"
            yield Finding(at, "domain", f"its DC is {said}, not {_either(shape.domain.wants)}", shape.domain.weight)
    if shape.not_domain is not None:
        domains = texts_of(subject, NameOID.DOMAIN_COMPONENT)
        if others := [each for each in domains if each.strip().upper() in shape.not_domain.wants]:
            yield Finding(at, "domain", f"its DC is {others[0][:64]}, of others than it is for", shape.not_domain.weight)
    if shape.common_name is not None:
        names = texts_of(subject, NameOID.COMMON_NAME)
        if len(names) != 1 or not re.fullmatch(shape.common_name.wants, names[0]):
            said = ", ".join(each[:64] for each in names[:3]) or "missing"
            yield Finding(at, "common_name", f"its CN does not have the form that is needed: {said}", shape.common_name.weight)
    if shape.organization is not None and not any(texts_of(subject, NameOID.ORGANIZATION_NAME)):
        yield Finding(at, "organization", "its name has no O", shape.organization.weight)


def _for_host(read: Read, host: str) -> bool:
    """RFC 9525; the common name counts where there is no subjectAltName (A00.FR.510)."""
    try:
        address = str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        wanted = host.rstrip(".").lower()
        return any(_fits(each.rstrip(".").lower(), wanted) for each in read.hosts or read.named(NameOID.COMMON_NAME))
    return address in (read.hosts or read.named(NameOID.COMMON_NAME))


def _fits(pattern: str, host: str) -> bool:
    """A star is one whole label, the first, of at least three."""
    if pattern.startswith("*.") and pattern.count(".") > 1:
        return host.partition(".")[2] == pattern[2:]
    return pattern == host


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(words) if len(words) < 4 else f"one of {', '.join(words)}"


def _bits(names: list[str]) -> str:
    return " and ".join(each.replace("_", " ") for each in names)
