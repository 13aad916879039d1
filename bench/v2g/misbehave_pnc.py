"""Vehicles that do wrong where a contract pays, by name: what they show, or ask contracts with, is not what it has to be. As in `misbehave`.

Each strikes every request of its kind, so that what is repeated is repeated wrong. `code` is what a charger has to answer: after a warning an honest
vehicle goes on with EIM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bench.v2g.pki import NOW, World
from bench.v2g.wrong import Session, Then, Wrong, again, changed
from certs.reading import kind_of
from certs.testpki import spec_of
from certs.testpki_make import Kind, Spec
from iso15118.connection import Command, Now, Send
from iso15118.evcc.iso20.ask_contracts import signed
from iso15118.evcc.terms import Contract
from iso15118.iso20.certificates import leaf_of, sub_certificates
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct

INVALID: ct.responseCodeType = "WARNING_CertificateValidationError"
DAY = timedelta(days=1)
OTHERS = b"somebody else's"


class OfContracts(Wrong):
    """Shows contracts otherwise than it should."""

    then, for_good = Then.SERVED, True
    code: ClassVar[ct.responseCodeType] = INVALID

    def __init__(self, inner: Session, seed: int, at: str = "") -> None:
        super().__init__(inner, seed, at)
        self._made: cm.AuthorizationReq | None = None

    def _strikes(self, message: Message) -> bool:
        return isinstance(message, cm.AuthorizationReq) and message.PnC_AReqAuthorizationMode is not None

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        request: Any = send.message
        if self._made is None:
            mode, signature = self.made(request.PnC_AReqAuthorizationMode, request.Header.Signature)
            self._made = again(request, Header=again(request.Header, Signature=signature), PnC_AReqAuthorizationMode=mode)
        yield 0.0, changed(send, again(self._made, Header=again(request.Header, Signature=self._made.Header.Signature)))

    def made(
        self, mode: cm.PnC_AReqAuthorizationModeType, signature: ds.SignatureType
    ) -> tuple[cm.PnC_AReqAuthorizationModeType, ds.SignatureType | None]:
        """What is shown instead."""
        return mode, signature

    def world(self, mode: cm.PnC_AReqAuthorizationModeType, seed: bytes | None = None) -> World:
        """The PKI of the contract that is shown, or another of its kind."""
        kind: Kind = "ed448" if kind_of(leaf_of(mode.ContractCertificateChain.Certificate).key) == "ed448" else "p521"
        return World.of(kind, seed) if seed else World.of(kind)


def _with(
    mode: cm.PnC_AReqAuthorizationModeType, contract: Contract, chain: tuple[bytes, ...] = ()
) -> tuple[cm.PnC_AReqAuthorizationModeType, ds.SignatureType]:
    """This contract shown, signed with its key; perhaps with another chain."""
    chain = chain or contract.chain
    shown = cc.ContractCertificateChainType(Certificate=chain[0], SubCertificates=cc.SubCertificatesType(Certificate=chain[1:]))
    changed_mode = again(mode, ContractCertificateChain=shown)
    return changed_mode, signed(contract.chain, contract.signer, (mode.Id, "PnC_AReqAuthorizationMode", changed_mode))


class ReplayedChallenge(OfContracts):
    words, code = "the challenge and the signature of an earlier session", "WARNING_ChallengeInvalid"

    def made(self, mode: Any, signature: Any) -> Any:
        return _with(again(mode, GenChallenge=self.dice.randbytes(16)), self.world(mode).contract())


class ReplayedSignature(OfContracts):
    words = "this session's challenge with the signature of an earlier one"

    def made(self, mode: Any, signature: Any) -> Any:
        return mode, _with(again(mode, GenChallenge=self.dice.randbytes(16)), self.world(mode).contract())[1]


class OtherKey(OfContracts):
    words = "a signature by a key that is not the contract's"

    def made(self, mode: Any, signature: Any) -> Any:
        other = self.world(mode).contract("DETSTC00000099")
        return mode, signed(other.chain, other.signer, (mode.Id, "PnC_AReqAuthorizationMode", mode))


class Unsigned(OfContracts):
    words = "no signature"

    def made(self, mode: Any, signature: Any) -> Any:
        return mode, None


class SignedElsewhere(OfContracts):
    words = "a signature that refers to something else in the message"

    def made(self, mode: Any, signature: Any) -> Any:
        info = signature.SignedInfo
        return mode, again(signature, SignedInfo=again(info, Reference=(again(info.Reference[0], URI="#id2"),)))


class Stranger(OfContracts):
    words, code = "a contract below a root that nobody knows", "WARNING_eMSPUnknown"

    def made(self, mode: Any, signature: Any) -> Any:
        return _with(mode, self.world(mode, OTHERS).contract())


class Forged(OfContracts):
    words = "a contract that names the operator, and that he has not signed"

    def made(self, mode: Any, signature: Any) -> Any:
        right, other = self.world(mode), self.world(mode, OTHERS)
        forged = other.contract(change=lambda spec: replace(spec, issuer=right.made["moSub2"].certificate.subject))
        return _with(mode, forged, (forged.chain[0], *right.contract().chain[1:]))


class UpsideDown(OfContracts):
    words = "a certificate of its own, which calls itself the issuer of somebody's contract, and that contract behind it"

    def made(self, mode: Any, signature: Any) -> Any:
        right, other = self.world(mode), self.world(mode, OTHERS)
        victim = right.contract()
        own = other.contract(change=named_like(right))
        return _with(mode, own, (own.chain[0], *victim.chain))


def named_like(right: World) -> Callable[[Spec], Spec]:
    """With the subject of the operator's second sub-CA."""
    sub = spec_of("moSub2", right.kind, seed=right.seed, now=NOW)
    return lambda spec: replace(spec, common_name=sub.common_name, unit=sub.unit, domain=sub.domain)


class Truncated(OfContracts):
    words, code = "a chain without the CA in its middle", "WARNING_eMSPUnknown"

    def made(self, mode: Any, signature: Any) -> Any:
        contract = self.world(mode).contract()
        return _with(mode, contract, (contract.chain[0], contract.chain[2]))


class Oversized(OfContracts):
    words = "as many and as long CA certificates as the message has room for, none of which is one"

    def made(self, mode: Any, signature: Any) -> Any:
        contract = self.world(mode).contract()
        return _with(mode, contract, (contract.chain[0], *(self.dice.randbytes(1600) for _ in range(3))))


class NoCertificate(OfContracts):
    words = "octets that are no certificate"

    def made(self, mode: Any, signature: Any) -> Any:
        chain = cc.ContractCertificateChainType(
            Certificate=self.dice.randbytes(700), SubCertificates=mode.ContractCertificateChain.SubCertificates
        )
        return again(mode, ContractCertificateChain=chain), signature


class Pem(OfContracts):
    words = "CA certificates as PEM, where DER belongs"

    def made(self, mode: Any, signature: Any) -> Any:
        contract = self.world(mode).contract()
        return _with(mode, contract, (contract.chain[0], *map(as_pem, contract.chain[1:])))


def as_pem(der: bytes) -> bytes:
    """One certificate in the other form."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


class Expired(OfContracts):
    words, code = "a contract that has expired", "WARNING_CertificateExpired"

    def made(self, mode: Any, signature: Any) -> Any:
        return _with(mode, self.world(mode).contract(change=lambda spec: replace(spec, ends=NOW - DAY / 2)))


class NotYetValid(OfContracts):
    words, code = "a contract that begins next year", "WARNING_CertificateNotYetValid"

    def made(self, mode: Any, signature: Any) -> Any:
        return _with(mode, self.world(mode).contract(change=lambda spec: replace(spec, begins=NOW + 365 * DAY)))


class ActsAsCa(OfContracts):
    words = "a contract that may sign others"

    def made(self, mode: Any, signature: Any) -> Any:
        return _with(mode, self.world(mode).contract(change=lambda spec: replace(spec, ca=True, path=0)))


class NoEmaid(OfContracts):
    words = "a contract whose name is no eMAID"

    def made(self, mode: Any, signature: Any) -> Any:
        return _with(mode, self.world(mode).contract(change=lambda spec: replace(spec, common_name="somebody")))


class OldKey(OfContracts):
    words = "a contract of ISO 15118-2, signed as there"

    def made(self, mode: Any, signature: Any) -> Any:
        return _with(mode, World.of("p256").contract())


# ---- asking for contracts, and readings


class OfInstallation(Wrong):
    """Asks for contracts otherwise than it should."""

    words, then, for_good = "contracts asked for without a signature", Then.REFUSED, True
    code: ClassVar[ct.responseCodeType] = "FAILED_SignatureError"

    def _strikes(self, message: Message) -> bool:
        return isinstance(message, cm.CertificateInstallationReq)

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        request: Any = send.message
        chain, signature = self.made(request.OEMProvisioningCertificateChain, request.Header.Signature)
        header = again(request.Header, Signature=signature)
        yield 0.0, changed(send, again(request, Header=header, OEMProvisioningCertificateChain=chain))

    def made(self, chain: cc.SignedCertificateChainType, signature: Any) -> tuple[cc.SignedCertificateChainType, ds.SignatureType | None]:
        """What is sent instead."""
        return chain, None


class InstallationOfAnother(OfInstallation):
    words = "contracts asked for in another vehicle's name"

    def made(self, chain: Any, signature: Any) -> Any:
        other = World.of(seed=OTHERS).provisioning()
        return chain, signed(other.chain, other.signer, (chain.Id, "OEMProvisioningCertificateChain", chain))


class StrangeMaker(OfInstallation):
    words, then, code = "a provisioning certificate of a maker whom nobody knows", Then.SERVED, INVALID

    def made(self, chain: Any, signature: Any) -> Any:
        other = World.of(seed=OTHERS).provisioning()
        shown = again(chain, Certificate=other.chain[0], SubCertificates=sub_certificates(other.chain))
        return shown, signed(other.chain, other.signer, (chain.Id, "OEMProvisioningCertificateChain", shown))


class NoProvisioning(OfInstallation):
    words, then, code = "octets instead of a provisioning certificate", Then.SERVED, INVALID

    def made(self, chain: Any, signature: Any) -> Any:
        return again(chain, Certificate=b"\x30" + bytes(500)), signature


class PemProvisioning(OfInstallation):
    words, then, code = "a provisioning certificate's CAs as PEM, where DER belongs", Then.SERVED, INVALID

    def made(self, chain: Any, signature: Any) -> Any:
        ours = World.of().provisioning()
        shown = again(chain, SubCertificates=cc.SubCertificatesType(Certificate=tuple(map(as_pem, ours.chain[1:]))))
        return shown, signed(ours.chain, ours.signer, (chain.Id, "OEMProvisioningCertificateChain", shown))


class OtherReading(Wrong):
    """Confirms readings otherwise than it should."""

    words, then, for_good = "another reading than the one that was signed", Then.REFUSED, True
    code: ClassVar[ct.responseCodeType] = "FAILED_MeteringSignatureNotValid"

    def _strikes(self, message: Message) -> bool:
        return isinstance(message, cm.MeteringConfirmationReq)

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        request: Any = send.message
        data = request.SignedMeteringData
        yield 0.0, changed(send, again(request, SignedMeteringData=again(data, MeterInfo=again(data.MeterInfo, ChargedEnergyReadingWh=1))))


class UnsignedReading(OtherReading):
    words = "a reading that is not signed, of a session that a contract pays"

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        request: Any = send.message
        yield 0.0, changed(send, again(request, Header=again(request.Header, Signature=None)))


PNC: dict[str, type[OfContracts | OfInstallation | OtherReading]] = {
    "replayed_challenge": ReplayedChallenge,
    "replayed_signature": ReplayedSignature,
    "other_key": OtherKey,
    "unsigned": Unsigned,
    "signed_elsewhere": SignedElsewhere,
    "stranger": Stranger,
    "forged": Forged,
    "upside_down": UpsideDown,
    "truncated": Truncated,
    "oversized": Oversized,
    "no_certificate": NoCertificate,
    "pem": Pem,
    "expired": Expired,
    "not_yet_valid": NotYetValid,
    "acts_as_ca": ActsAsCa,
    "no_emaid": NoEmaid,
    "old_key": OldKey,
    "installation_unsigned": OfInstallation,
    "installation_of_another": InstallationOfAnother,
    "strange_maker": StrangeMaker,
    "no_provisioning": NoProvisioning,
    "pem_provisioning": PemProvisioning,
    "other_reading": OtherReading,
    "unsigned_reading": UnsignedReading,
}
"""Name -> what it does. They need a vehicle that pays by contract; those of installation one that asks for contracts."""

__all__ = ["PNC", "OfContracts", "OfInstallation", "OtherReading"]
