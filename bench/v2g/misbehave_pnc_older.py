"""Vehicles of ISO 15118-2 that do wrong where a contract pays, by name: as in `misbehave_pnc`, but that every refusal is the end of the session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from bench.v2g import wrong_older as older
from bench.v2g.misbehave_pnc import DAY, OTHERS, as_pem, named_like
from bench.v2g.pki import NOW, World
from bench.v2g.wrong import Then, Wrong, again
from iso15118.connection import Command, Now, Send
from iso15118.evcc.terms import Contract
from iso15118.iso2.certificates import chain_type
from iso15118.messages.declare import Message
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.signature import Signer, sign

CHAIN: dt.responseCodeType = "FAILED_CertChainError"
SIGNATURE: dt.responseCodeType = "FAILED_SignatureError"
METERING: dt.responseCodeType = "FAILED_MeteringSignatureNotValid"


def ours() -> World:
    """The PKI of the vehicle, of -2."""
    return World.of("p256")


def others() -> World:
    """One that nobody knows."""
    return World.of("p256", OTHERS)


class OfContracts(Wrong):
    """Says something else than it should, once."""

    then = Then.REFUSED
    code: ClassVar[dt.responseCodeType] = CHAIN
    kind: ClassVar[type[Message]] = mb.PaymentDetailsReq

    def _strikes(self, message: Message) -> bool:
        return isinstance(message, self.kind) and not self.struck

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        body, signature = self.made(send.message, older.signature(send))
        yield 0.0, older.changed(send, body, signature=signature)

    def made(self, request: Any, signature: Any) -> tuple[Message, Any]:
        """What is sent instead, and what stands in its header."""
        return request, signature


def shown(request: Any, contract: Contract, chain: tuple[bytes, ...] = ()) -> tuple[Message, None]:
    """This contract; perhaps with another chain."""
    return again(request, eMAID=contract.emaid, ContractSignatureCertChain=chain_type(chain or contract.chain)), None


def signed(message: Any, signer: Signer) -> tuple[Message, Any]:
    """With a signature over it."""
    return message, sign(signer, "iso2", [(message.Id, type(message).__name__, message)])


# ---- contracts that are shown


class Stranger(OfContracts):
    words = "a contract below a root that nobody knows"

    def made(self, request: Any, signature: Any) -> Any:
        return shown(request, others().contract())


class Forged(OfContracts):
    words = "a contract that names the operator, and that he has not signed"

    def made(self, request: Any, signature: Any) -> Any:
        forged = others().contract(change=lambda spec: replace(spec, issuer=ours().made["moSub2"].certificate.subject))
        return shown(request, forged, (forged.chain[0], *ours().contract().chain[1:]))


class UpsideDown(OfContracts):
    words = "a certificate of its own, which calls itself the issuer of somebody's contract, and that contract behind it"

    def made(self, request: Any, signature: Any) -> Any:
        own = others().contract(change=named_like(ours()))
        return shown(request, own, (own.chain[0], *ours().contract().chain))


class Truncated(OfContracts):
    words = "a chain without the CA in its middle"

    def made(self, request: Any, signature: Any) -> Any:
        contract = ours().contract()
        return shown(request, contract, (contract.chain[0], contract.chain[2]))


class Oversized(OfContracts):
    words = "as many and as long CA certificates as the message has room for, none of which is one"

    def made(self, request: Any, signature: Any) -> Any:
        contract = ours().contract()
        return shown(request, contract, (contract.chain[0], *(self.dice.randbytes(800) for _ in range(4))))


class NoCertificate(OfContracts):
    words = "octets that are no certificate"

    def made(self, request: Any, signature: Any) -> Any:
        return shown(request, ours().contract(), (self.dice.randbytes(700), *ours().contract().chain[1:]))


class Pem(OfContracts):
    words = "a CA's certificate as PEM, where DER belongs"

    def made(self, request: Any, signature: Any) -> Any:
        contract = ours().contract()
        return shown(request, contract, (contract.chain[0], *(as_pem(each)[:800] for each in contract.chain[1:])))


class Expired(OfContracts):
    words, code = "a contract that has expired", "FAILED_CertificateExpired"

    def made(self, request: Any, signature: Any) -> Any:
        return shown(request, ours().contract(change=lambda spec: replace(spec, ends=NOW - DAY / 2)))


class NotYetValid(OfContracts):
    words, code = "a contract that begins next year", "FAILED_CertificateExpired"

    def made(self, request: Any, signature: Any) -> Any:
        return shown(request, ours().contract(change=lambda spec: replace(spec, begins=NOW + 365 * DAY)))


class ActsAsCa(OfContracts):
    words = "a contract that may sign others"

    def made(self, request: Any, signature: Any) -> Any:
        return shown(request, ours().contract(change=lambda spec: replace(spec, ca=True, path=0)))


class NoEmaid(OfContracts):
    words = "a contract whose name is no eMAID, shown as one that is"

    def made(self, request: Any, signature: Any) -> Any:
        return shown(request, ours().contract(change=lambda spec: replace(spec, common_name="somebody")))


class AnotherEmaid(OfContracts):
    words = "a contract shown as somebody else's"

    def made(self, request: Any, signature: Any) -> Any:
        return again(request, eMAID="DETSTC00000099"), None


class NewKey(OfContracts):
    words = "a contract of ISO 15118-20"

    def made(self, request: Any, signature: Any) -> Any:
        contract = World.of("p521").contract()
        return shown(request, contract, tuple(each for each in contract.chain if len(each) <= 800))


# ---- challenges


class Challenge(OfContracts):
    """The challenge is not signed as it should be."""

    words = "the challenge and the signature of an earlier session (S-21)"
    code: ClassVar[dt.responseCodeType] = "FAILED_ChallengeInvalid"
    kind = mb.AuthorizationReq

    def made(self, request: Any, signature: Any) -> Any:
        return signed(again(request, GenChallenge=self.dice.randbytes(16)), ours().contract().signer)


class NoChallenge(Challenge):
    words = "no challenge, as if the first one had been answered already"

    def made(self, request: Any, signature: Any) -> Any:
        return mb.AuthorizationReq(), None


class ReplayedSignature(Challenge):
    words, code = "this session's challenge with the signature of an earlier one", SIGNATURE

    def made(self, request: Any, signature: Any) -> Any:
        return request, signed(again(request, GenChallenge=self.dice.randbytes(16)), ours().contract().signer)[1]


class OtherKey(Challenge):
    words, code = "a signature by a key that is not the contract's", SIGNATURE

    def made(self, request: Any, signature: Any) -> Any:
        return signed(request, ours().contract("DETSTC00000099").signer)


class Unsigned(Challenge):
    words, code = "no signature", SIGNATURE

    def made(self, request: Any, signature: Any) -> Any:
        return request, None


class SignedElsewhere(Challenge):
    words, code = "a signature that refers to something else in the message", SIGNATURE

    def made(self, request: Any, signature: Any) -> Any:
        info = signature.SignedInfo
        return request, again(signature, SignedInfo=again(info, Reference=(again(info.Reference[0], URI="#id2"),)))


class AnotherBody(Challenge):
    words, code = "a signature by the contract's key, over another message", SIGNATURE

    def made(self, request: Any, signature: Any) -> Any:
        receipt = mb.MeteringReceiptReq(Id=request.Id, SessionID=bytes(8), MeterInfo=dt.MeterInfoType(MeterID="M1"))
        return request, signed(receipt, ours().contract().signer)[1]


# ---- contracts that are asked for


class Installation(OfContracts):
    """Asked for otherwise than it should."""

    words = "a contract asked for without a signature"
    code: ClassVar[dt.responseCodeType] = SIGNATURE
    kind: ClassVar[type[Message]] = mb.CertificateInstallationReq

    def made(self, request: Any, signature: Any) -> Any:
        return request, None


class InstallationOfAnother(Installation):
    words = "a contract asked for in another vehicle's name"

    def made(self, request: Any, signature: Any) -> Any:
        return signed(request, others().provisioning().signer)


class NoProvisioning(Installation):
    words, code = "octets instead of a provisioning certificate", CHAIN

    def made(self, request: Any, signature: Any) -> Any:
        return again(request, OEMProvisioningCert=b"\x30" + bytes(500)), signature


class NewProvisioning(Installation):
    words, code = "a provisioning certificate of ISO 15118-20", CHAIN

    def made(self, request: Any, signature: Any) -> Any:
        return again(request, OEMProvisioningCert=World.of("p521").provisioning().chain[0]), signature


class UpdateUnsigned(Installation):
    words = "a contract asked for anew without a signature"
    kind = mb.CertificateUpdateReq


class UpdateOfAnother(UpdateUnsigned):
    words, code = "somebody else's contract asked for anew, by one's own", CHAIN

    def made(self, request: Any, signature: Any) -> Any:
        return signed(again(request, eMAID="DETSTC00000099"), ours().contract().signer)


class UpdateOfExpired(UpdateUnsigned):
    words, code = "a contract asked for anew that has expired", "FAILED_CertificateExpired"

    def made(self, request: Any, signature: Any) -> Any:
        contract = ours().contract(change=lambda spec: replace(spec, ends=NOW - DAY / 2))
        return signed(again(request, ContractSignatureCertChain=chain_type(contract.chain)), contract.signer)


# ---- readings


class OtherReading(OfContracts):
    """Signs something else than the reading that it was shown."""

    words, code = "another reading than the one that was signed", METERING
    kind = mb.MeteringReceiptReq

    def made(self, request: Any, signature: Any) -> Any:
        return self.less(request), signature

    @staticmethod
    def less(request: Any) -> Any:
        """Less energy than there was."""
        return again(request, MeterInfo=again(request.MeterInfo, MeterReading=0, MeterID="mine"))


class SmallerReading(OtherReading):
    words = "another reading than the charger's, rightly signed"

    def made(self, request: Any, signature: Any) -> Any:
        return signed(self.less(request), ours().contract().signer)


class ReadingOfAnotherSchedule(OfContracts):
    words, code = "a reading that is rightly signed, under a schedule that does not hold", METERING
    kind = mb.MeteringReceiptReq

    def made(self, request: Any, signature: Any) -> Any:
        return signed(again(request, SAScheduleTupleID=77), ours().contract().signer)


class ReadingOfAnotherSession(OtherReading):
    words = "a reading of another session, rightly signed"

    def made(self, request: Any, signature: Any) -> Any:
        return signed(again(request, SessionID=bytes(7) + b"\1"), ours().contract().signer)


class UnsignedReading(OtherReading):
    words = "a reading that is not signed"

    def made(self, request: Any, signature: Any) -> Any:
        return request, None


PNC_OLDER: dict[str, type[OfContracts]] = {
    "iso2_stranger": Stranger,
    "iso2_forged": Forged,
    "iso2_upside_down": UpsideDown,
    "iso2_truncated": Truncated,
    "iso2_oversized": Oversized,
    "iso2_no_certificate": NoCertificate,
    "iso2_pem": Pem,
    "iso2_expired": Expired,
    "iso2_not_yet_valid": NotYetValid,
    "iso2_acts_as_ca": ActsAsCa,
    "iso2_no_emaid": NoEmaid,
    "iso2_another_emaid": AnotherEmaid,
    "iso2_new_key": NewKey,
    "iso2_replayed_challenge": Challenge,
    "iso2_no_challenge": NoChallenge,
    "iso2_replayed_signature": ReplayedSignature,
    "iso2_other_key": OtherKey,
    "iso2_unsigned": Unsigned,
    "iso2_signed_elsewhere": SignedElsewhere,
    "iso2_another_body": AnotherBody,
    "iso2_installation_unsigned": Installation,
    "iso2_installation_of_another": InstallationOfAnother,
    "iso2_no_provisioning": NoProvisioning,
    "iso2_new_provisioning": NewProvisioning,
    "iso2_update_unsigned": UpdateUnsigned,
    "iso2_update_of_another": UpdateOfAnother,
    "iso2_update_of_expired": UpdateOfExpired,
    "iso2_other_reading": OtherReading,
    "iso2_smaller_reading": SmallerReading,
    "iso2_reading_of_another_session": ReadingOfAnotherSession,
    "iso2_reading_of_another_schedule": ReadingOfAnotherSchedule,
    "iso2_unsigned_reading": UnsignedReading,
}
"""Name -> what it does. They need a vehicle that pays by contract, that asks for one, that asks for its own anew, or that signs readings."""

__all__ = ["PNC_OLDER", "OfContracts"]
