"""Plug & Charge out of the folder that `--pki` names: whom a charger trusts, what a vehicle pays with, and a provisioning service where the folder has the
keys of its CAs (as `certs testpki` writes them).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bench.exi.given import InputError
from bench.v2g import pki_older
from bench.v2g.charger import Given
from bench.v2g.pki import Cps, Key, World, der
from certs import contract as envelopes
from certs import pki_files
from certs.testpki import FOLDERS
from certs.testpki_make import Identity, Kind
from iso15118.evcc.terms import Contract, Provisioning, Wants
from iso15118.iso20.certificates import leaf_of, plain
from iso15118.signature import signer_of
from iso15118.terms import InstallationAsked, Payment
from iso15118.trust import Refusal, Trust

WORDS = {"eim": Payment.EIM, "pnc": Payment.PNC, "pnc-p256": Payment.PNC}
"""`pnc-p256` is for peers that know no key of ISO 15118-20: contracts on P-256, signed as in -2, are taken as well."""
EMAIDS = ("DETSTC00000001", "DETSTC00000002", "DETSTC00000003")
"""What the service has for every vehicle."""


def payments(words: str) -> tuple[Payment, ...]:
    """What `--auth` says, in its order. Raises InputError."""
    found = [word.strip().lower() for word in words.split(",")]
    if strange := [each for each in found if each not in WORDS]:
        raise InputError(f"--auth {strange[0]}: no such way to pay; there are {', '.join(WORDS)}")
    return tuple(dict.fromkeys(WORDS[each] for each in found))


def peer(words: str) -> bool:
    """Whether the profile for peers was asked for."""
    return "pnc-p256" in words.lower()


def _sides(folder: Path, *, peer_profile: bool) -> list[pki_files.Side]:
    """What peers know stands first where it is asked for; else what ISO 15118-2 has last."""
    pki = pki_files.read(folder)
    older = [] if pki.borrowed else [pki.iso2]
    return [*older, pki.iso20, pki.iso20_ed448] if peer_profile else [pki.iso20, pki.iso20_ed448, *older]


def _roots(found: Iterable[pki_files.Root]) -> tuple[bytes, ...]:
    return der([x509.load_pem_x509_certificate(each.pem) for each in found])


def trust(folder: Path, *, peer_profile: bool) -> Trust:
    """Of a charger. Raises PkiError; InputError where there is nobody to trust."""
    sides = _sides(folder, peer_profile=peer_profile)
    contracts = _roots(root for side in sides for root in side.mo_roots)
    if not contracts:
        raise InputError(f"--auth pnc: {folder} has no moRootCACert.pem to know contracts by")
    oem = _roots(root for side in sides for root in side.oem_roots)
    return Trust(contracts, oem, installation=True, peer_profile=peer_profile)


def fill(wants: Wants, folder: Path, words: str) -> None:
    """What a vehicle pays with. Raises PkiError; InputError where it has neither a contract nor what to ask for one with."""
    wants.peer_profile, sides = peer(words), _sides(folder, peer_profile=peer(words))
    wants.payment, wants.fall_back = Payment.PNC, Payment.EIM in payments(words)
    wants.contracts = tuple(contract_of(side.contract) for side in sides if side.contract is not None)
    wants.v2g_roots = _roots(root for side in sides for root in side.v2g_roots)
    wants.mo_roots = _roots(root for side in sides for root in side.mo_roots)
    own = next((side.oem for side in sides if side.oem is not None), None)
    wants.provisioning = _provisioning(own) if own is not None else None
    older = pki_files.read(folder).iso2.oem
    wants.provisioning_iso2 = _provisioning(older) if older is not None else None
    if not wants.contracts and wants.provisioning is None:
        raise InputError(f"--auth pnc: {folder} has neither contractCertChain.pem nor oemCertChain.pem")


def contract_of(chain: pki_files.Chain) -> Contract:
    """What a session signs with. Raises InputError for a key that no contract has."""
    found = der(x509.load_pem_x509_certificates(chain.certificates))
    key = _key(chain.key)
    return Contract(plain(leaf_of(found[0]).common_name), found, signer_of(key), key)


def _provisioning(chain: pki_files.Chain) -> Provisioning:
    found, key = der(x509.load_pem_x509_certificates(chain.certificates)), _key(chain.key)
    agreement = envelopes.x448_private(key) if isinstance(key, ed448.Ed448PrivateKey) else key
    return Provisioning(leaf_of(found[0]).common_name, found, signer_of(key), agreement)


def _key(pem: bytes) -> Key:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, (ec.EllipticCurvePrivateKey, ed448.Ed448PrivateKey)):
        raise InputError(f"a key of {type(key).__name__}: no contract has such a one")
    return key


@dataclass(frozen=True)
class Services:
    """A provisioning service for each edition; None: there is none."""

    iso2: Cps | None
    iso20: Cps | None

    def answer(self, asked: InstallationAsked) -> Given | Refusal:
        """Of the one that it is for."""
        service = self.iso2 if asked.namespace == pki_older.NAMESPACE else self.iso20
        return service.answer(asked) if service is not None else Refusal.NO_CERTIFICATE


def service(folder: Path, seed: bytes, now: dt.datetime) -> Services | None:
    """Of -2, and of the first kind of key of -20, whose CA of the operator and whose service's certificate have their keys there. Raises PkiError."""
    found = {kind: Cps(made, EMAIDS) for below, kind in FOLDERS if (made := _world(folder / below, kind, seed, now)) is not None}
    iso20 = next((found[kind] for _, kind in FOLDERS[1:] if kind in found), None)
    return Services(found.get("p256"), iso20) if found else None


def _world(folder: Path, kind: Kind, seed: bytes, now: dt.datetime) -> World | None:
    names = {"moSub1": folder / "issuers/moSub1", "moSub2": folder / "issuers/moSub2", "cpsLeaf": folder / "cpsLeaf"}
    chain = folder / "cpsCertChain.pem"
    if not all(each.with_suffix(".key").is_file() for each in names.values()) or not chain.is_file():
        return None
    subs = [x509.load_pem_x509_certificate(names[each].with_suffix(".pem").read_bytes()) for each in ("moSub2", "moSub1")]
    cps = tuple(x509.load_pem_x509_certificates(chain.read_bytes()))
    key = _key(names["cpsLeaf"].with_suffix(".key").read_bytes())
    issuer = _key(names["moSub2"].with_suffix(".key").read_bytes())
    return World(kind, seed, {"moSub2": Identity(subs[0], issuer, tuple(subs)), "cpsLeaf": Identity(cps[0], key, cps)}, now)
