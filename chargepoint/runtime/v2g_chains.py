"""What vehicles are shown, and by which roots they are known: what the store holds, over the folder of the configuration.

It is looked up for each handshake, so that a chain that was adopted meanwhile, a root or a staple counts for the next one; sessions go on as they began.
"""

from __future__ import annotations

import time
from base64 import encodebytes
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from certs import pki_files
from certs.chain import Status
from certs.pki_files import Chain, PkiError, Root
from certs.reading import is_signed, readable
from certs.store import Identity, OwnChain, OwnUse, StoreError, in_use
from chargepoint.runtime.certificate_store import use_token
from chargepoint.runtime.ports.certificates import Held
from chargepoint.runtime.v2g_tls.plan import Chains
from iso15118.frozen import dataclass

KINDS = ("p521", "ed448", "p256")
"""What a vehicle gets first that may have several."""
USES: tuple[OwnUse, OwnUse] = ("V2GCertificate", "V2G20Certificate")


@dataclass(frozen=True, slots=True)
class _Now:
    """Of one state of the store."""

    held: Held
    v2g_roots: tuple[Root, ...] = ()
    vehicle_roots: tuple[Root, ...] = ()


class SeccChains:
    """`token_module` is the PKCS#11 library that keys in a token need."""

    def __init__(self, held: Callable[[], Held], token_module: str = "") -> None:
        self._held, self._token_module = held, token_module
        self._now = _Now(Held())
        self._staples: dict[str, tuple[bytes, ...]] = {}
        self._revoked: dict[str, Status] = {}
        self._made: dict[tuple[Chains, tuple[tuple[OwnChain, ...], ...]], Chains] = {}

    def staple(self, slot: str, responses: tuple[bytes, ...]) -> None:
        """OCSP responses (DER) for the chain in this slot, leaf first, b"" where there is none: from the next handshake on."""
        self._staples[slot] = responses
        self._made.clear()

    def revoke(self, fingerprints: tuple[str, ...]) -> None:
        """These certificates of vehicles, and no others: from the next handshake on."""
        self._revoked = dict.fromkeys(fingerprints, "revoked")

    def known(self) -> Mapping[str, Status]:
        """What is known of them."""
        return self._revoked

    def over(self, folder: Chains) -> Chains:
        """For the next handshake; `folder` is what the configuration names."""
        return self._over(replace(folder, revocation=self.known))

    def _over(self, folder: Chains) -> Chains:
        held = self._held()
        if not held.read:
            return folder
        if held is not self._now.held:
            self._now = _read(held)
            self._made.clear()
        utc = folder.clock() if folder.clock else time.time() if folder.check_time else None
        best = tuple(_best(held, use, utc) for use in USES)
        found = self._made.get((folder, best))
        if found is None:
            iso2, iso20 = (tuple(self._shown(slots, chains)) for slots, chains in zip(best, (folder.iso2, folder.iso20), strict=True))
            found = self._made[folder, best] = replace(folder, iso2=iso2, iso20=iso20, vehicle_roots=self._now.vehicle_roots)
        return found

    def _shown(self, slots: Sequence[OwnChain], folder: Sequence[Chain]) -> Iterator[Chain]:
        """Where the store has what the folder has, it is the one of this folder: EVSEs may have folders of their own."""
        for shown in slots:
            identity = self._now.held.identity(shown.slot)
            if identity is None:
                continue
            own = next((each for each in folder if shown.configured and each.kind == identity.kind), None)
            chain = own or Chain(identity.chain, identity.key, identity.kind, _roots_of(identity, self._now.v2g_roots))
            if identity.in_token:
                self._use_token()
            same = own is None or readable(own.certificates) == readable(identity.chain)
            yield replace(chain, staples=_pem(self._staples.get(identity.slot, ()))) if same else chain

    def _use_token(self) -> None:
        try:
            use_token(self._token_module)
        except StoreError:
            return  # the handshake will say it


def _best(held: Held, use: OwnUse, utc: float | None) -> tuple[OwnChain, ...]:
    """One for each kind of key."""
    return tuple(sorted(in_use(held.contents.own, use, utc), key=lambda each: _rank(each.kind)))


def _read(held: Held) -> _Now:
    return _Now(held, _roots(held, "V2GRootCertificate"), _roots(held, "OEMRootCertificate"))


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _roots(held: Held, use: str) -> tuple[Root, ...]:
    found: list[Root] = []
    for each in held.contents.roots:
        if each.use == use:
            try:
                found += pki_files.roots_of(each.pem.encode(), where=use)
            except PkiError:
                continue  # one that nobody can read is trusted by nobody
    return tuple(dict.fromkeys(found))


def _roots_of(identity: Identity, roots: Sequence[Root]) -> tuple[Root, ...]:
    """Those that a vehicle may name to get this chain."""
    certificates = readable(identity.chain)
    return tuple(root for root in roots if certificates and all(is_signed(certificates[-1], each) for each in readable(root.pem)))


def _pem(responses: Sequence[bytes]) -> bytes:
    return b"".join(b"-----BEGIN OCSP RESPONSE-----\n" + encodebytes(each) + b"-----END OCSP RESPONSE-----\n" for each in responses if each)
