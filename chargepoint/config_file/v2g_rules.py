"""What no type can say of an EVSE that charges DC, or that talks with the vehicle by ISO 15118."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from chargepoint.config import EvseConfig
from chargepoint.config_file.reader import Finding
from iso15118 import protocols

DC_CONNECTORS = ("cCCS1", "cCCS2")
NO_PKI = "is needed for TLS: a folder of certificates; without any, say tls = 'none', which serves vehicles of ISO 15118-2 and DIN 70121"
At = tuple[str, int]


def broken(evse: EvseConfig, at: At) -> Iterator[Finding]:
    """Every rule that this EVSE breaks."""
    if evse.mode == "dc":
        yield from _dc(evse, at)
    if evse.v2g.slac.autocharge and not evse.has_modem:
        yield Finding((*at, "v2g", "slac", "autocharge"), "needs a modem that finds the vehicle: v2g.interface and slac.modem")
    if evse.v2g.interface:
        yield from _v2g(evse, (*at, "v2g"))


def _dc(evse: EvseConfig, at: At) -> Iterator[Finding]:
    if not evse.v2g.interface:
        yield Finding((*at, "v2g", "interface"), "is needed with mode = 'dc': DC is charged by ISO 15118 only")
    if evse.connector not in DC_CONNECTORS:
        yield Finding((*at, "connector"), f"{evse.connector!r} carries no DC; {' and '.join(map(repr, DC_CONNECTORS))} do")
    if evse.dc.min_voltage_V >= evse.dc.max_voltage_V:
        yield Finding((*at, "dc", "min_voltage_V"), f"{evse.dc.min_voltage_V:g} is not below max_voltage_V ({evse.dc.max_voltage_V:g})")


def _v2g(evse: EvseConfig, at: tuple[str, int, str]) -> Iterator[Finding]:
    v2g = evse.v2g
    if not protocols.spoken(evse.protocols, evse.mode):
        others = ", ".join(map(repr, protocols.usual(evse.mode, plain=v2g.tls != "required")))
        yield Finding((*at, "protocols"), f"none of them charges mode = {evse.mode!r}; {others} do")
    if v2g.tls == "required" and "din" in v2g.protocols:
        yield Finding((*at, "protocols"), "'din' serves nobody with tls = 'required': DIN 70121 has no TLS; say tls = 'optional'")
    if v2g.tls == "none" and all(each.startswith("iso20-") for each in evse.protocols):
        yield Finding(
            (*at, "tls"), "'none' serves nobody: ISO 15118-20 is never offered without TLS 1.3 and a verified vehicle; say 'required'"
        )
    if v2g.unverified_vehicles:
        yield Finding((*at, "unverified_vehicles"), "a bench may; a station speaks ISO 15118-20 with verified vehicles only")
    if v2g.p256_contracts:
        yield Finding((*at, "p256_contracts"), "a bench may; ISO 15118-20 has P-521 and Ed448")
    tls = evse.tls != "none" and not all(protocols.PROTOCOLS[each].only_plain for each in evse.protocols)
    if tls and (lacking := missing(Path(v2g.pki_dir), evse.protocols, named=bool(v2g.protocols)) if v2g.pki_dir else NO_PKI):
        yield Finding((*at, "pki_dir"), lacking)


def missing(folder: Path, names: Sequence[str] = ("iso20-dc",), *, named: bool = True) -> str:
    """What this folder of certificates lacks for these protocols, or which file in it cannot be used; "" when it serves them as the standards want it. Where
    nobody has `named` them, ISO 15118-2 is not served over TLS without certificates of its own, and that is no fault.
    """
    from certs import pki_files  # noqa: PLC0415 a station that does not talk needs no certificates of its own

    try:
        pki = pki_files.read(folder)
    except pki_files.PkiError as error:
        return str(error)
    if named and any(each.startswith("iso2-") for each in names) and pki.iso2.secc is None:
        return f"{folder}: cpoCertChain.pem and seccLeaf.key, which the station shows to vehicles of ISO 15118-2, are not there"
    if not any(each.startswith("iso20-") for each in names):
        return ""
    if pki.borrowed:
        return f"{folder}: there is no iso20/, with the certificates of ISO 15118-20"
    if pki.iso20.secc is None:
        return f"{folder}/iso20: cpoCertChain.pem and seccLeaf.key, which the station shows of itself, are not there"
    if not pki.iso20.oem_roots:
        return f"{folder}/iso20: oemRootCACert.pem, by which vehicles are verified, is not there"
    return ""
