"""What a SECC or an EV on the command line speaks and offers, by the names that callers use."""

from __future__ import annotations

import os
from pathlib import Path

from bench.exi import given
from bench.exi.given import InputError
from chargepoint.runtime.v2g_tls.plan import KeyLog, Version
from iso15118.terms import Control, Energy, Offered

ALL = ("", "any")
PROTOCOLS = {name: given.NAMES[name] for name in ("iso20-dc", "iso20-ac")}
"""Name -> namespace of supportedAppProtocol. DIN and -2 come with their dialects."""
LATER = (given.ISO2, given.DIN)


def protocols(words: str) -> tuple[str, ...]:
    """Namespaces, in the order given. What is asked for by name and not there yet is an error; `any` takes what there is."""
    if words.lower() in ALL:
        return tuple(PROTOCOLS.values())
    found = []
    for word in words.split(","):
        namespace = _namespace(word)
        if namespace in LATER:
            raise InputError(f"--protocols {word}: that dialect is not there yet; there are {', '.join(PROTOCOLS)}")
        if namespace not in PROTOCOLS.values():
            raise InputError(f"--protocols {word}: no such protocol; there are {', '.join(PROTOCOLS)}")
        found.append(namespace)
    return tuple(found)


def _namespace(word: str) -> str:
    """In any spelling; "" where no schema set has that name."""
    try:
        return given.namespace(word)
    except InputError:
        return ""


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
    """Services."""
    if words.lower() in ALL:
        return tuple(Energy)
    try:
        return tuple(Energy[word.strip().upper()] for word in words.split(","))
    except KeyError as error:
        raise InputError(f"--services {error.args[0]}: no such service; there are {', '.join(Energy.__members__)}") from None


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
