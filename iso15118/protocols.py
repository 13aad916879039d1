"""Protocols by the names that a configuration has for them, and as supportedAppProtocol says them; no message is imported for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from iso15118.iso20.version import AC, DC, MAJOR, MINOR

DIN, ISO2 = "urn:din:70121:2012:MsgDef", "urn:iso:15118:2:2013:MsgDef"


class Spoken(NamedTuple):
    """A protocol."""

    namespace: str
    major: int
    minor: int
    modes: tuple[str, ...]
    """Kinds of current: ac, dc."""
    unverified: bool = False
    """Also for a vehicle whose certificate nobody has judged, and without TLS."""
    only_plain: bool = False
    """It knows no TLS."""


PROTOCOLS: dict[str, Spoken] = {
    "iso20-dc": Spoken(DC, MAJOR, MINOR, ("dc",)),
    "iso20-ac": Spoken(AC, MAJOR, MINOR, ("ac",)),
    "iso2-dc": Spoken(ISO2, 2, 0, ("dc",), unverified=True),
    "iso2-ac": Spoken(ISO2, 2, 0, ("ac",), unverified=True),
    "din": Spoken(DIN, 2, 0, ("dc",), unverified=True, only_plain=True),
}
"""The two of ISO 15118-2 are one protocol, each for its kind of current."""
BY_NAMESPACE = {each.namespace: each for each in PROTOCOLS.values()}


def usual(mode: str, *, plain: bool) -> tuple[str, ...]:
    """Names of all that serve this kind of current; `plain`: a vehicle may come without TLS.

    >>> usual("dc", plain=True), usual("dc", plain=False)
    (('iso20-dc', 'iso2-dc', 'din'), ('iso20-dc', 'iso2-dc'))
    """
    return tuple(name for name, each in PROTOCOLS.items() if mode in each.modes and (plain or not each.only_plain))


def spoken(names: Iterable[str], mode: str | None = None) -> tuple[Spoken, ...]:
    """Those that serve this kind of current, each once, in the order of their names; None: all.

    >>> [each.namespace for each in spoken(("iso2-ac", "iso2-dc", "din"), "dc")]
    ['urn:iso:15118:2:2013:MsgDef', 'urn:din:70121:2012:MsgDef']
    """
    chosen = (PROTOCOLS[name] for name in names)
    return tuple({each.namespace: each for each in chosen if mode is None or mode in each.modes}.values())


def carried(each_spoken: Iterable[Spoken], *, secure: bool) -> tuple[Spoken, ...]:
    """Those of them that a connection may speak; `secure`: it is over TLS. A vehicle that offers DIN 70121 there too goes on with what it likes next.

    >>> [each.major for each in carried(spoken(("iso2-dc", "din")), secure=True)]
    [2]
    """
    return tuple(each for each in each_spoken if not (secure and each.only_plain))
