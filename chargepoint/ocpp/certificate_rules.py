"""What the CSMS wants to install, judged; and what is installed, as OCPP names it (OCPP 2.1 block M, A02.FR.06).

Imported when the first of these is asked for: a station without certificates need not carry what reads them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import chain, csr, hash_data
from certs.hash_data import HashData
from certs.profiles import PROFILES, Profile
from certs.reading import CertificateError, fingerprint, kind_of, load, read
from certs.store import InstalledRoot, OwnChain, OwnUse, RootUse
from iso15118.frozen import dataclass

WIRE: Mapping[RootUse, str] = {
    "CSMSRootCertificate": "csms", "V2GRootCertificate": "secc", "MORootCertificate": "contract", "OEMRootCertificate": "oem",
    "ManufacturerRootCertificate": "csms",
}  # fmt: skip
"""Whose root it is: the profile, those of ISO 15118 without their number."""
LEAFS: Mapping[OwnUse, str] = {"ChargingStationCertificate": "station", "V2GCertificate": "secc2", "V2G20Certificate": "secc20"}
MOST_CHILDREN = 4
"""childCertificateHashData, maxItems."""
Pairs: TypeAlias = tuple[tuple[x509.Certificate, x509.Certificate], ...]
"""A certificate, and the one above it."""


class Unfit(Exception):
    """It is not installed; the message says why, for a log and for the CSMS."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A chain as it is to be kept."""

    pem: str
    """Leaf first, each by the next one, no root."""
    why: str
    """What is odd about it, in a line."""


def judge_root(pem: str, use: RootUse, utc: float | None, above: Sequence[InstalledRoot] = ()) -> str:
    """The fingerprint of one root certificate that may be trusted for this. With `above`, one of these has to have signed it (M05.FR.10). Raises Unfit."""
    try:
        (certificate,) = load(pem.encode())
    except (CertificateError, ValueError) as error:
        raise Unfit(f"it is not one certificate: {error}"[:300]) from None
    profile = _profile_of_root(use, certificate)
    verdict = chain.validate_root(certificate, _time(utc), profile)
    refusals = verdict.refusals
    if above:
        if not any(chain.signed_by(read(certificate), read(each)) for each in _read(above)):
            raise Unfit("the root that it is to replace has not signed it (AdditionalRootCertificateCheck)")
        refusals = tuple(each for each in refusals if each.code != "bad_signature")
    if refusals:
        raise Unfit(replace(verdict, findings=refusals).why)
    return fingerprint(certificate)


def judge_chain(pem: str, use: OwnUse, utc: float | None, request: str, roots: Sequence[InstalledRoot]) -> Fit:
    """A chain for the key of the request. Raises Unfit.

    Where no root is installed for it, nobody can say whether it belongs to the operator's hierarchy (A02.FR.06), and it is taken.
    """
    trust = _read(roots)
    verdict = chain.validate(pem.encode(), _time(utc), PROFILES[LEAFS[use]], trust, key=csr.load(request.encode()).public_key())
    refusals = [each for each in verdict.refusals if trust or each.code != "unknown_root"]
    if refusals:
        raise Unfit(replace(verdict, findings=tuple(refusals)).why)
    known = {fingerprint(each) for each in trust}
    kept = [each for at, each in enumerate(verdict.path) if at == 0 or (fingerprint(each) not in known and each.subject != each.issuer)]
    return Fit("".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in kept), verdict.why)


def pairs_of_root(root: InstalledRoot, roots: Sequence[InstalledRoot]) -> Pairs:
    """How it may be named; the first one is how it is told. One that another root has signed is named by that one, or by itself once that is gone."""
    (certificate,) = _read((root,))
    others = [each for each in _read(roots) if each.subject == certificate.issuer and each != certificate]
    return tuple((certificate, above) for above in (*others, certificate))


def pairs_of_chain(own: OwnChain, roots: Sequence[InstalledRoot]) -> Pairs:
    """Its leaf and the CAs between, as far as it is known who is above them."""
    certificates = load(own.pem.encode()) if own.pem else ()
    above = [each for each in _read(roots) if certificates and each.subject == certificates[-1].issuer][:1]
    return tuple(pairwise((*certificates, *above)))


def root_of_chain(own: OwnChain, roots: Sequence[InstalledRoot]) -> InstalledRoot | None:
    """The installed one that it ends at."""
    if not own.pem:
        return None
    issuer = load(own.pem.encode())[-1].issuer
    return next((root for root, certificate in zip(roots, _read(roots), strict=True) if certificate.subject == issuer), None)


def asked_for(wanted: Mapping[str, str]) -> HashData:
    """CertificateHashDataType. Raises HashDataError."""
    return hash_data.parsed(wanted["hashAlgorithm"], wanted["issuerNameHash"], wanted["issuerKeyHash"], wanted["serialNumber"])


def named(asked: HashData, pairs: Pairs) -> bool:
    """Whether it is one of these that is meant."""
    return any(hash_data.names(asked, certificate, issuer) for certificate, issuer in pairs)


def wire(pair: tuple[x509.Certificate, x509.Certificate]) -> dict[str, str]:
    """CertificateHashDataType."""
    hashed = hash_data.of(*pair)
    return {
        "hashAlgorithm": hashed.algorithm,
        "issuerNameHash": hashed.issuer_name_hash,
        "issuerKeyHash": hashed.issuer_key_hash,
        "serialNumber": hashed.serial_number,
    }


def _profile_of_root(use: RootUse, certificate: x509.Certificate) -> Profile:
    name = WIRE[use]
    if name != "csms":
        name += "2" if kind_of(certificate.public_key()) == "p256" else "20"
    return replace(PROFILES[name], what=f"{use} for {PROFILES[name].what}" if use != "ManufacturerRootCertificate" else use)


def _time(utc: float | None) -> dt.datetime | None:
    return None if utc is None else dt.datetime.fromtimestamp(utc, dt.UTC)


def _read(roots: Iterable[InstalledRoot]) -> list[x509.Certificate]:
    return [load(each.pem.encode())[0] for each in roots]
