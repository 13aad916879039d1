"""Who is who at a bench's Plug & Charge, out of a test PKI: what a charger trusts, what a vehicle has, and a provisioning service that makes contracts.

world = World.of("p521")
charger = Charger(every_way(payments=(Payment.PNC,), trust=world.trust()), provides=Cps(world).answer)
wants = Wants(payment=Payment.PNC, contracts=(world.contract("DETSTC00000001"),), provisioning=world.provisioning())
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x448
from cryptography.hazmat.primitives.serialization import Encoding

from bench.v2g import pki_older
from bench.v2g.charger import Given
from certs import contract as envelopes
from certs.testpki import build, spec_of
from certs.testpki_make import Identity, Kind, Spec, drawn, issue, key_of
from iso15118 import exi
from iso15118.evcc.terms import Contract, Provisioning
from iso15118.iso20.certificates import leaf_of
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_types as ct
from iso15118.signature import Edition, Part, sign, signer_of
from iso15118.terms import InstallationAsked
from iso15118.trust import Refusal, Trust

NOW = dt.datetime(2027, 1, 15, 8, tzinfo=dt.UTC)
"""About when a `Pair` begins."""
SEED = b"bench"
EDITIONS: dict[Kind, Edition] = {"p521": "iso20", "ed448": "iso20_ed448", "p256": "iso20_p256"}
Key = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey


def der(certificates: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    """As messages have them."""
    return tuple(each.public_bytes(Encoding.DER) for each in certificates)


@dataclass(frozen=True)
class World:
    """A whole PKI of one kind of key."""

    kind: Kind
    seed: bytes
    made: dict[str, Identity] = field(repr=False)
    now: dt.datetime = NOW
    responder: str = ""
    """Where its certificates say that their state is told."""
    lists: str = ""
    """Likewise, by revocation lists."""

    @classmethod
    def of(cls, kind: Kind = "p521", seed: bytes = SEED, responder: str = "", lists: str = "") -> World:
        """The same one of the same seed."""
        return _world(kind, seed, responder, lists)

    def trust(self, **more: Any) -> Trust:
        """Of a charger that knows its operators and makers."""
        roots: dict[str, Any] = {"contract_roots": self.roots("moRoot"), "oem_roots": self.roots("oemRoot"), "installation": True}
        return Trust(**(roots | more))

    def roots(self, name: str) -> tuple[bytes, ...]:
        return der([self.made[name].certificate])

    def signer(self, name: str) -> Callable[[bytes], bytes]:
        """With the key of one of the tree."""
        return signer_of(_own(self.made[name].key))

    def provisioning(self) -> Provisioning:
        """What the maker has put into the vehicle."""
        oem = self.made["oemLeaf"]
        key = _own(oem.key)
        agreement = envelopes.x448_private(key) if isinstance(key, ed448.Ed448PrivateKey) else key
        return Provisioning(leaf_of(der(oem.chain)[0]).common_name, der(oem.chain), self.signer("oemLeaf"), agreement)

    def contract(self, emaid: str = "DETSTC00000001", change: Callable[[Spec], Spec] = lambda spec: spec) -> Contract:
        """One of the mobility operator's; `change` what stands in its certificate."""
        identity = self.issued(emaid, change)
        key = _own(identity.key)
        return Contract(emaid, der(identity.chain), signer_of(key), key)

    def issued(self, emaid: str, change: Callable[[Spec], Spec] = lambda spec: spec) -> Identity:
        """Likewise, with its key: one that an envelope has room for."""
        issuer = self.made["moSub2"]
        key: Key = _own(key_of(self.kind, self.seed, f"contract {emaid}"))
        if self.kind == "ed448":
            key = envelopes.ed448_of(drawn(self.seed, f"contract {emaid}", octets=56))
        spec = spec_of("contractLeaf", self.kind, seed=self.seed, now=self.now, serial_of=emaid, responder=self.responder, lists=self.lists)
        spec = replace(spec, common_name=emaid, issuer=issuer.certificate.subject)
        certificate = issue(change(spec), key, issuer.key)
        return Identity(certificate, key, (certificate, *issuer.chain))

    def wants(self, **more: Any) -> dict[str, Any]:
        """Of a vehicle, as fields of `Wants`."""
        given = {"provisioning": self.provisioning(), "v2g_roots": self.roots("v2gRoot"), "mo_roots": self.roots("moRoot")}
        return given | more

    def signed_prices(self, schedule: pr.AbsolutePriceScheduleType, by: str = "moSub2") -> tuple[bytes, bytes]:
        """`Prices.signed` and `Facts.prices_signature` for a schedule that has an Id."""
        signature = self.signature(by, (schedule.Id or "", "AbsolutePriceSchedule", schedule))
        octets = exi.encode_fragment("AbsolutePriceSchedule", schedule, pr.NAMESPACE)
        return octets, exi.encode_fragment("Signature", signature, ds.NAMESPACE)

    def signature(self, by: str, *parts: Part) -> ds.SignatureType:
        """Of one of the tree."""
        return sign(self.signer(by), EDITIONS[self.kind], parts)


@lru_cache(maxsize=8)
def _world(kind: Kind, seed: bytes, responder: str, lists: str) -> World:
    return World(kind, seed, build(kind, seed=seed, now=NOW, responder=responder, lists=lists), responder=responder, lists=lists)


def _own(key: object) -> Key:
    if not isinstance(key, (ec.EllipticCurvePrivateKey, ed448.Ed448PrivateKey)):
        raise TypeError(f"{type(key).__name__}: no key of ISO 15118")
    return key


@dataclass
class Cps:
    """A provisioning service: has these contracts for the vehicle that asks, those first that it prefers. Everything that is random comes of the seed."""

    world: World
    emaids: tuple[str, ...] = ("DETSTC00000001",)
    by: str = "cpsLeaf"
    """Who signs, in the tree."""
    sender: World | None = None
    """Whose the tree is; None: the same world's."""
    says_remaining: bool = True
    """The number of further contracts comes beside the answer as well, as OCPP has it; else in it alone."""

    def answer(self, asked: InstallationAsked) -> Given | Refusal:
        """The next contract, as CertificateInstallationRes."""
        if asked.namespace == pki_older.NAMESPACE:
            return self._older(asked)
        request = exi.decode(asked.octets, cm.NAMESPACE)
        if not isinstance(request, cm.CertificateInstallationReq):
            return Refusal.NO_CERTIFICATE
        if asked.emaids and not set(asked.emaids) & set(self.emaids):
            return Refusal.UNKNOWN_PROVIDER
        first = [each for each in asked.emaids if each in self.emaids]
        order = [*first, *(each for each in self.emaids if each not in first)]
        if asked.number > len(order):
            return Refusal.NO_CONTRACT
        left = len(order) - asked.number
        octets = self.made(request, order[asked.number - 1], asked.pcid, left)
        return Given(octets, left if self.says_remaining else None)

    def _older(self, asked: InstallationAsked) -> Given | Refusal:
        """ISO 15118-2: the first contract, or the same anew."""
        emaid = asked.pcid if asked.update else next(iter(self.emaids), "")
        if emaid not in self.emaids:
            return Refusal.NO_CONTRACT
        return Given(pki_older.made(self.world, self.sender or self.world, self.by, asked.octets, emaid))

    def made(self, request: cm.CertificateInstallationReq, emaid: str, pcid: str, left: int) -> bytes:
        """One contract, sealed for whoever has asked."""
        world, sender = self.world, self.sender or self.world
        identity = world.issued(emaid)
        receiver = x509.load_der_x509_certificate(request.OEMProvisioningCertificateChain.Certificate)
        curve448 = world.kind == "ed448"
        ephemeral: envelopes.AgreementKey = (
            x448.X448PrivateKey.from_private_bytes(drawn(world.seed, f"ephemeral {emaid}", octets=56))
            if curve448
            else _agreeing(key_of(world.kind, world.seed, f"ephemeral {emaid}"))
        )
        sealed = envelopes.seal(
            "iso20_x448" if curve448 else "iso20",
            _own(identity.key),
            envelopes.agrees_by(receiver),
            contract=identity.certificate,
            ephemeral=ephemeral,
            iv=drawn(world.seed, f"iv {emaid}", octets=12),
            pcid=pcid,
        )
        chain = der(identity.chain)
        data = cc.SignedInstallationDataType(
            Id="id1",
            ContractCertificateChain=cc.ContractCertificateChainType(
                Certificate=chain[0], SubCertificates=cc.SubCertificatesType(Certificate=chain[1:])
            ),
            ECDHCurve="X448" if curve448 else "SECP521",
            DHPublicKey=envelopes.filled(sealed.dh_public_key),
            SECP521_EncryptedPrivateKey=None if curve448 else sealed.encrypted,
            X448_EncryptedPrivateKey=sealed.encrypted if curve448 else None,
        )
        cps = der(sender.made[self.by].chain)
        response = cm.CertificateInstallationRes(
            Header=ct.MessageHeaderType(
                SessionID=request.Header.SessionID,
                TimeStamp=request.Header.TimeStamp,
                Signature=sender.signature(self.by, ("id1", "SignedInstallationData", data)),
            ),
            ResponseCode="OK",
            EVSEProcessing="Finished",
            CPSCertificateChain=cc.CertificateChainType(
                Certificate=cps[0], SubCertificates=cc.SubCertificatesType(Certificate=cps[1:]) if cps[1:] else None
            ),
            SignedInstallationData=data,
            RemainingContractCertificateChains=left,
        )
        return exi.encode(response, cm.NAMESPACE)


def _agreeing(key: object) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("no key that agrees on a secret")
    return key
