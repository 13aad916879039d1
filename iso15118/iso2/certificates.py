"""Certificate chains in messages of ISO 15118-2: out of them, and into them."""

from __future__ import annotations

from collections.abc import Sequence

from certs.reading import kind_of
from iso15118.iso20.certificates import Leaf, plain
from iso15118.messages.iso2 import data_certificates as ce

MOST_SUBS = 4


def wrong_key(leaf: Leaf) -> str:
    """Why nothing of ISO 15118-2 is signed with the leaf's key; "" where it may be."""
    kind = kind_of(leaf.key)
    return "" if kind == "p256" else f"its key is {kind}, not p256"


def same_emaid(one: str, other: str) -> bool:
    """With its check digit or without.

    >>> same_emaid("DE-ABC-C00000001", "DEABCC000000019")
    True
    """
    return plain(one)[:14] == plain(other)[:14]


def chain_of(message: ce.CertificateChainType) -> tuple[bytes, ...]:
    """As it was sent, leaf first."""
    return message.Certificate, *(message.SubCertificates.Certificate if message.SubCertificates else ())


def chain_type(chain: Sequence[bytes], id_: str | None = None) -> ce.CertificateChainType:
    """The other way, as much of it as a message has room for."""
    subs = ce.SubCertificatesType(Certificate=tuple(chain[1 : 1 + MOST_SUBS])) if len(chain) > 1 else None
    return ce.CertificateChainType(Id=id_, Certificate=chain[0], SubCertificates=subs)
