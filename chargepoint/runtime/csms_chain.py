"""The CSMS's chain after OpenSSL has found it right, and before the first octet of HTTP: what Python's `ssl` leaves out (keys and their use, lengths, names, what
was revoked), by the same profile as everywhere.
"""

from __future__ import annotations

import datetime as dt
import ssl
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from certs.chain import validate
from certs.profiles import PROFILES
from certs.reading import fingerprint, read
from chargepoint.runtime.tls import TlsFiles

DER = 2
"""_ssl.ENCODING_DER"""


class Judged(NamedTuple):
    """Of the chain as it was sent."""

    why: str
    """It is refused; "" for one that is right."""
    root: str
    """The fingerprint of the one that it ends at."""
    wildcard: bool
    """It names the CSMS by a wildcard only."""


def judged(tls: ssl.SSLObject, files: TlsFiles, host: str, *, wildcards: bool = False) -> Judged:
    """`host` is what was dialled; `wildcards` are names that may stand for it.

    What OpenSSL has come to and was not sent is of those that count for this connection, and so is the last one.
    """
    utc = files.clock()
    now = None if utc is None else dt.datetime.fromtimestamp(utc, dt.UTC)
    sent, found = _chain(tls, "get_unverified_chain"), _chain(tls, "get_verified_chain")
    trust = [x509.load_der_x509_certificate(each) for each in (*(each for each in found[:-1] if each not in sent), *found[-1:])]
    verdict = validate(sent, now, PROFILES["csms"], trust, files.revocation, policy=files.policy, host=host)
    why = "" if verdict.ok else verdict.why
    wildcard = not why and not _named(verdict.path[0], host)
    if wildcard and not wildcards:
        why = f"the certificate of the CSMS is for {host} by a wildcard only, and SecurityCtrlr.AllowCSMSTLSWildcards is false"
    return Judged(why, fingerprint(verdict.path[-1]) if verdict.path else "", wildcard)


def _named(leaf: x509.Certificate, host: str) -> bool:
    """Letter by letter; the profile has found it for this host, and no wildcard stands for an address."""
    known = read(leaf)
    names = [each.rstrip(".").lower() for each in known.hosts or known.named(NameOID.COMMON_NAME)]
    return host.rstrip(".").lower() in names or ":" in host or not any(each.startswith("*.") for each in names)


def _chain(tls: ssl.SSLObject, name: str) -> list[bytes]:
    """DER. Python says it from 3.13 on; before, only the object below does, which `ssl` offers under no other name."""
    public: Any = getattr(tls, name, None)
    if public is not None:
        return [bytes(each) for each in public()]
    below: Any = tls._sslobj  # type: ignore[attr-defined] # noqa: SLF001
    return [each.public_bytes(DER) for each in getattr(below, name)() or ()]
