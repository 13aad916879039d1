"""What a simulated vehicle has of its own in the tree that bench-station's `certs_dir` is: its contract in `client/mo`, and in `client/vehicle` or
`client/oem` what it shows of itself.

As in EVerest's trees: a leaf with its key may lie alone there, the CAs above it in `ca/mo`, `ca/oem`, `ca/vehicle`; whatever the files are called, what
belongs together is told by keys and signatures. A key that is encrypted has its password beside it, in NAME_PASSWORD.txt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bench.v2g.pki import der
from bench.v2g.pki_folder import contract_of
from certs.pki_files import Chain, PkiError, Root, Side, chain_of, octets_of, roots_of
from certs.reading import is_signed
from certs.store import StoreError
from certs.store.configured import plain_key
from certs.store.reading import spki_of
from chargepoint.runtime.v2g_tls.plan import Plan, client_plan
from iso15118.evcc.terms import Wants
from iso15118.terms import Payment

MO, OWN = "client/mo", ("client/vehicle", "client/oem")
V2G_ROOTS, MO_ROOTS = "ca/v2g", "ca/mo"
ABOVE_CONTRACT = (MO_ROOTS, V2G_ROOTS)
ABOVE_VEHICLE = ("ca/vehicle", "ca/oem", "ca/mf", V2G_ROOTS)
KINDS, OLDER_KINDS = ("p521", "ed448"), ("p256",)
"""Of ISO 15118-20, best first, and of ISO 15118-2."""
MOST_CHAIN = 4


@dataclass(frozen=True, slots=True)
class Papers:
    """What a vehicle pays with, and the TLS that it does that over."""

    contract: Chain
    plan: Plan = field(repr=False)
    v2g_roots: tuple[bytes, ...] = field(repr=False)
    mo_roots: tuple[bytes, ...] = field(repr=False)
    lax: bool
    """It has keys of ISO 15118-2 only, and shows them all the same, as the stacks of others do that know no other ones."""

    def fill(self, wants: Wants) -> None:
        """It shows the contract first; where that is not taken, its driver looks for a card."""
        wants.payment, wants.fall_back, wants.peer_profile = Payment.PNC, True, self.lax
        wants.contracts, wants.v2g_roots, wants.mo_roots = (contract_of(self.contract),), self.v2g_roots, self.mo_roots


def papers(folder: Path, *, older: bool = False) -> Papers:
    """`older`: for ISO 15118-2. Raises PkiError, which names what is missing."""
    contract = _best(folder, (MO,), ABOVE_CONTRACT, OLDER_KINDS if older else KINDS)
    v2g, mo = _roots(folder / V2G_ROOTS), _roots(folder / MO_ROOTS)
    if not v2g:
        raise PkiError(f"{folder / V2G_ROOTS}: no root there (*.pem) for the vehicle to know the station by")
    if older:
        if contract.kind not in OLDER_KINDS:
            raise PkiError(f"{folder / MO}: no contract on P-256 there, which is what ISO 15118-2 pays with")
        return Papers(contract, client_plan("1.2", Side(v2g_roots=v2g), Side()), _der(v2g), _der(mo), lax=False)
    own = _best(folder, OWN, ABOVE_VEHICLE, KINDS)
    lax = any(each.kind not in KINDS for each in (contract, own))
    plan = client_plan("1.3", Side(), Side(vehicle=own, v2g_roots=v2g), lax=lax)
    return Papers(contract, plan, _der(v2g), _der(mo), lax)


def _best(folder: Path, below: Sequence[str], above: Sequence[str], kinds: Sequence[str]) -> Chain:
    """The first that has one of these kinds of key, the best of them; else the first."""
    found = [each for name in below for each in _own(folder / name, [*_certificates(folder / name), *_all(folder, above)])]
    if not found:
        raise PkiError(f"{' and '.join(str(folder / name) for name in below)}: no certificate (*.pem) with its key (*.key) there")
    return min(found, key=lambda chain: kinds.index(chain.kind) if chain.kind in kinds else len(kinds))


def _own(folder: Path, pool: Sequence[x509.Certificate]) -> Iterator[Chain]:
    """Each certificate there that has its key there, with those above it."""
    keys = [(path, *found) for path in sorted(folder.glob("*.key")) if (found := _key(path)) is not None]
    for leaf in _certificates(folder):
        for path, key, public in keys:
            if spki_of(leaf.public_key()) == public and not _is_ca(leaf):
                pem = b"".join(each.public_bytes(Encoding.PEM) for each in _path(leaf, pool))
                yield chain_of(pem, key, where=str(path))


def _path(leaf: x509.Certificate, pool: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Up to below the root."""
    path = [leaf]
    while len(path) < MOST_CHAIN:
        above = next((each for each in pool if each.subject == path[-1].issuer and is_signed(path[-1], each)), None)
        if above is None or above.subject == above.issuer:
            break
        path.append(above)
    return path


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _all(folder: Path, names: Sequence[str]) -> list[x509.Certificate]:
    return [each for name in names for each in _certificates(folder / name)]


def _certificates(folder: Path) -> list[x509.Certificate]:
    """What is no certificate is none of the vehicle's; that something is missing is said later."""
    found: list[x509.Certificate] = []
    for path in sorted(folder.glob("*.pem")):
        try:
            found += x509.load_pem_x509_certificates(octets_of(path))
        except (ValueError, UnsupportedAlgorithm):
            continue
    return found


def _roots(folder: Path) -> tuple[Root, ...]:
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in _certificates(folder) if each.subject == each.issuer)
    return roots_of(pem, where=str(folder)) if pem else ()


def _der(roots: Sequence[Root]) -> tuple[bytes, ...]:
    return der([x509.load_pem_x509_certificate(each.pem) for each in roots])


def _key(path: Path) -> tuple[bytes, object] | None:
    """PEM, and what public key belongs to it."""
    try:
        pem = plain_key(path)
        return pem, spki_of(load_pem_private_key(pem, None).public_key())
    except (StoreError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
