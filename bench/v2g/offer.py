"""What a SECC or an EV on the command line speaks and offers, by the names that callers use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bench.exi import given
from bench.exi.given import InputError
from chargepoint.runtime.v2g_tls.plan import KeyLog, Version
from iso15118.protocols import PROTOCOLS
from iso15118.terms import PLAIN, Control, Energy, Offered, Payment

ALL = ("", "any")
SPELT = {"iso2": ("iso2-dc", "iso2-ac")}
"""What stands for several."""


def protocols(words: str) -> tuple[str, ...]:
    """Names, in the order given. What is asked for by name and not there is an error; `any` takes what there is."""
    if words.lower() in ALL:
        return tuple(PROTOCOLS)
    return tuple(dict.fromkeys(name for word in words.split(",") for name in _names(word)))


def _names(word: str) -> tuple[str, ...]:
    """In any spelling: as the configuration has it, as other programs do, or a namespace."""
    plain = given.plain(word)
    if plain in PROTOCOLS:
        return (plain,)
    if plain in SPELT:
        return SPELT[plain]
    found = tuple(name for name, each in PROTOCOLS.items() if each.namespace == word.strip())
    if not found:
        raise InputError(f"--protocols {word}: no such protocol; there are {', '.join((*PROTOCOLS, *SPELT))}")
    return found


def carried(name: str) -> tuple[Energy, ...]:
    """What is charged by a protocol: those before ISO 15118-20 know their kind of current alone.

    >>> [each.value for each in carried("iso2-ac")], [each.value for each in carried("din")]
    (['AC'], ['DC'])
    """
    if PROTOCOLS[name].unverified:
        return (Energy.DC if "dc" in PROTOCOLS[name].modes else Energy.AC,)
    return tuple(each for each in Energy if each not in PLAIN or each.is_dc is ("dc" in PROTOCOLS[name].modes))


def are_older(names: Iterable[str]) -> bool:
    """There are some, and ISO 15118-20 is none of them."""
    names = tuple(names)
    return bool(names) and all(PROTOCOLS[each].unverified for each in names)


def check_ways(names: tuple[str, ...], modes: Iterable[Control], payments: Iterable[Payment]) -> None:
    """Raises InputError where none of these protocols knows what was asked for."""
    if are_older(names) and Control.SCHEDULED not in modes:
        raise InputError(f"--control dynamic: {', '.join(names)}: scheduled is the only control there; ISO 15118-20 alone knows the other")
    if names == ("din",) and Payment.EIM not in payments:
        raise InputError("--auth pnc: no way to pay in common: din takes no contracts, only eim")


def version(word: str) -> Version:
    """A TLS version; any also takes peers that know only what the editions do not have."""
    return "1.2" if word == "1.2" else "1.3" if word == "1.3" else "any"


def key_log() -> KeyLog | None:
    """Lines for SSLKEYLOGFILE, as Wireshark reads them, where that is set."""
    name = os.environ.get("SSLKEYLOGFILE")
    if not name:
        return None

    def write(line: str) -> None:
        with Path(name).open("a", encoding="ascii") as file:
            file.write(line.rstrip("\n") + "\n")

    return write


def energies(words: str) -> tuple[Energy, ...]:
    """Services. What no station has (AC by grid rules, WPT, ACDP) is none of `any`."""
    if words.lower() in ALL:
        return PLAIN
    try:
        return tuple(Energy[word.strip().upper().replace("-", "_")] for word in words.split(","))
    except KeyError as error:
        raise InputError(f"--services {error.args[0]}: no such service; there are {', '.join(Energy.__members__)}") from None


def served(energies: tuple[Energy, ...], names: tuple[str, ...]) -> tuple[Energy, ...]:
    """Those that one of these protocols carries; what no station has is ISO 15118-20's. Raises InputError where that is none, or was asked for by name
    without ISO 15118-20.
    """
    found = tuple(each for each in energies if any(each in carried(name) for name in names))
    lost = [each.value for each in energies if each not in found and (not found or each not in PLAIN)]
    if lost:
        able = ", ".join(f"{name} {'/'.join(each.value for each in carried(name) if each in PLAIN)}" for name in names)
        raise InputError(f"--services {', '.join(lost)}: not by --protocols {', '.join(names)}; there is {able}")
    return found


def controls(words: str) -> tuple[Control, ...]:
    """Control modes."""
    if words.lower() in ALL:
        return tuple(Control)
    try:
        return tuple(Control(word.strip().lower()) for word in words.split(","))
    except ValueError as error:
        raise InputError(f"--control: {error}; there are {', '.join(each.value for each in Control)}") from None


def offered(energy: Energy, modes: tuple[Control, ...]) -> Offered:
    """A kind of energy with these control modes. With price levels: the PyPI EVCC takes no schedule without prices."""
    return Offered(energy, modes, mobility_by_secc=Control.DYNAMIC in modes, pricings=(2,))
