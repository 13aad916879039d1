"""Certificate chains in messages of ISO 15118-20, judged: who signed, whose contract it is, and why it is not taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certs.chain import MOST, Code, Finding, Status, Verdict, validate
from certs.profiles import PROFILES, relaxed
from certs.reading import DER, CertificateError, Read, kind_of, load, read, readable
from iso15118.connection import Now
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.signature import Lax
from iso15118.trust import Refusal

PEER_SIGNATURES: tuple[Lax, ...] = ("iso20_p256",)
"""What the profile for peers in tests takes."""
_REFUSALS: dict[Code, Refusal] = {"revoked": Refusal.REVOKED, "expired": Refusal.EXPIRED, "not_yet_valid": Refusal.NOT_YET_VALID}


class Leaf(NamedTuple):
    """The certificate that a message is signed with."""

    der: bytes
    key: PublicKeyTypes
    common_name: str
    ends: dt.datetime


class Judged(NamedTuple):
    """What a chain came to."""

    refusal: Refusal | None
    why: str
    sentence: str = ""
    path: tuple[bytes, ...] = ()


def leaf_of(der: bytes) -> Leaf:
    """Raises CertificateError."""
    found = _read(der)
    names = found.named(NameOID.COMMON_NAME)
    return Leaf(der, found.key, names[0] if names else "", found.ends)


@lru_cache(maxsize=16)
def _read(der: bytes) -> Read:
    if der[:2] not in DER:
        raise CertificateError("no DER")
    return read(load(der)[0])


def unreadable(chain: Sequence[bytes]) -> str:
    """Why the chain goes to nobody: each of its certificates is one DER (certificateType), and nothing else; "" where they are."""
    try:
        for each in chain[:MOST]:
            _read(each)
    except CertificateError as error:
        return f"a certificate of its chain cannot be read: {error}"
    return "" if len(chain) <= MOST else f"it has more than {MOST} certificates"


def wrong_key(leaf: Leaf, *, peer: bool = False) -> str:
    """Why nothing of ISO 15118-20 is signed with the leaf's key; "" where it may be."""
    kind = kind_of(leaf.key)
    return "" if kind in ("p521", "ed448") or (peer and kind == "p256") else f"its key is {kind}, not p521 or ed448"


def plain(name: str) -> str:
    """An eMAID, or a provider, as they are compared.

    >>> plain("de-abc-C00000001")
    'DEABCC00000001'
    """
    return name.upper().replace("-", "").replace("*", "")


def chain_of(message: cc.ContractCertificateChainType | cc.SignedCertificateChainType | cc.CertificateChainType) -> tuple[bytes, ...]:
    """As it was sent, leaf first."""
    return message.Certificate, *(message.SubCertificates.Certificate if message.SubCertificates else ())


def sub_certificates(chain: Sequence[bytes]) -> cc.SubCertificatesType | None:
    """The other way: what is above the leaf, as many as a message has room for."""
    return cc.SubCertificatesType(Certificate=tuple(chain[1:4])) if len(chain) > 1 else None


def judge(
    chain: Sequence[bytes],
    profile: str,
    roots: tuple[bytes, ...],
    now: Now | None,
    *,
    key: PublicKeyTypes,
    revoked: Iterable[str] = (),
    peer: bool = False,
    only: Collection[Code] | None = None,
) -> Judged:
    """A chain by the profile of this name; `now` None: no dates are judged. `key` is the one that has signed: what is judged is its certificate, in whatever
    order the others come. `only` these findings refuse.
    """
    by = relaxed(PROFILES[profile]) if peer else PROFILES[profile]
    if wrong := unreadable(chain):
        nothing = Verdict(by, (Finding("chain", "unreadable", wrong),))
        return Judged(Refusal.INVALID, nothing.why, nothing.sentence)
    status: dict[str, Status] = dict.fromkeys(revoked, "revoked")
    at = dt.datetime.fromtimestamp(now.utc, dt.UTC) if now is not None else None
    verdict = validate(tuple(chain), at, by, certificates(roots), status, key=key)
    codes = [each.code for each in verdict.refusals if only is None or each.code in only]
    path = tuple(each.public_bytes(Encoding.DER) for each in verdict.path) if _rooted(verdict) else ()
    if not codes:
        return Judged(None, verdict.why, path=path)
    others = [each for each in codes if each != "unknown_root"]
    refusal = _REFUSALS.get(others[0], Refusal.INVALID) if others else Refusal.UNKNOWN_PROVIDER
    return Judged(refusal, verdict.why, verdict.sentence, path)


def _rooted(verdict: Verdict) -> bool:
    return bool(verdict.places) and verdict.places[-1] == "root" and not any(each.code == "unknown_root" for each in verdict.findings)


@lru_cache(maxsize=8)
def certificates(ders: tuple[bytes, ...]) -> tuple[x509.Certificate, ...]:
    """Those of them that can be read."""
    return tuple(one for each in ders for one in readable(each))
