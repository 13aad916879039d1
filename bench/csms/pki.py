"""Who stands behind a CSMS where contracts pay: mobility operators that know their contracts, a provisioning service that makes them, and who has revoked what.

    other = Roaming(World.of("p521", responder=URL), clock=lambda: heap.now + heap.utc_offset)
    behaviour.answer = other.answer          # of an EmbeddedCsms; a heap's `csms` asks it likewise
    other.revoke("DETSTC00000001")           # an eMAID, or a name of the tree

Everything is judged as it should be; what is done wrong has a name in `WRONGS`.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from bench.csms.ocsp_responder import Responder
from bench.v2g import pki_older
from bench.v2g.pki import Cps, World
from certs import hash_data
from certs.chain import CertificateError, Status, load, validate
from certs.profiles import PROFILES
from iso15118 import exi
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import InstallationAsked
from iso15118.trust import Refusal

Payload = dict[str, Any]
EMAID = "DETSTC00000001"
FAILED: Payload = {"status": "Failed", "exiResponse": ""}
_STATUS = {"expired": "CertificateExpired", "revoked": "CertificateRevoked", "bad_signature": "SignatureError"}
"""AuthorizeCertificateStatusEnumType of what is found of a chain; of anything else CertChainError."""


@dataclass
class Roaming:
    """One world's operators and service. `contracts` are those that are known, with the status of their token."""

    world: World
    clock: Callable[[], float]
    contracts: dict[str, str] = field(default_factory=lambda: {EMAID: "Accepted"})
    given: tuple[str, ...] = (EMAID,)
    """What the provisioning service has for every vehicle, in its order."""
    checks: bool = True
    """Certificates are looked at. Else the answer has no certificateStatus."""
    wrong: str = ""
    """One of WRONGS."""

    def __post_init__(self) -> None:
        self.responder = Responder(self.world)
        self.asked: dict[bytes, int] = {}
        """PCID's provisioning certificate -> how many contracts its vehicle has got."""

    # ---- what people do

    def revoke(self, name: str) -> None:
        """A contract by its eMAID, or a certificate by its name in the tree."""
        identity = self.world.made.get(name) or self.world.issued(name)
        self.responder.revoke(identity.certificate, self._now())

    def forget(self) -> None:
        """Vehicles may ask for all of it again."""
        self.asked.clear()

    # ---- what a CSMS answers with it

    def answer(self, message_id: str, action: str, payload: Payload) -> Any:
        """None: this is for others to answer. False: silence."""
        if self.wrong in WRONGS and (told := WRONGS[self.wrong](self, message_id, action, payload)) is not None:
            return told
        match action:
            case "Authorize" if payload["idToken"]["type"] == "eMAID":
                return self.authorize(payload)
            case "Get15118EVCertificate":
                return self.provide(payload)
            case "GetCertificateStatus":
                return self.responder.answer(payload["ocspRequestData"], self._now())
            case "GetCertificateChainStatus":
                return {"certificateStatus": [self.responder.row(each, self._now()) for each in payload["certificateStatusRequests"]]}
        return None

    def authorize(self, payload: Payload) -> Payload:
        """A contract that a vehicle has shown (C07)."""
        status = self.contracts.get(payload["idToken"]["idToken"].replace("-", "").upper(), "Unknown")
        certificate = self._certificate(payload) if self.checks else ""
        if certificate not in ("", "Accepted") and status == "Accepted":
            status = "Invalid"
        return {"idTokenInfo": {"status": status}, **({"certificateStatus": certificate} if certificate else {})}

    def _certificate(self, payload: Payload) -> str:
        if "certificate" in payload:
            return self._chain(payload["certificate"])
        rows = payload.get("iso15118CertificateHashData", [])
        found = {self.responder.status_of(hash_data.parsed(*_texts(each))) for each in rows}
        if "revoked" in found:
            return "CertificateRevoked"
        return "CertChainError" if "unknown" in found else "Accepted" if found else ""

    def _chain(self, pem: str) -> str:
        try:
            chain = load(pem.encode())
        except CertificateError:
            return "CertChainError"
        revoked: dict[str, Status] = dict.fromkeys(self.responder.revoked, "revoked")
        verdict = validate(
            chain,
            self._now(),
            PROFILES["contract2" if self.world.kind == "p256" else "contract20"],
            [self.world.made["moRoot"].certificate],
            revoked,
        )
        return "Accepted" if verdict.ok else _STATUS.get(verdict.refusals[0].code, "CertChainError")

    def provide(self, payload: Payload) -> Payload:
        """The next contract for this vehicle (M01)."""
        octets = b64decode(payload["exiRequest"])
        if payload["iso15118SchemaVersion"] == pki_older.NAMESPACE:
            return self._provide_older(octets, update=payload["action"] == "Update")
        request = exi.decode(octets, cm.NAMESPACE)
        if not isinstance(request, cm.CertificateInstallationReq):
            return FAILED
        der = request.OEMProvisioningCertificateChain.Certificate
        number = self.asked[der] = self.asked.get(der, 0) + 1
        pcid = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        asked = InstallationAsked(
            octets, request.MaximumContractCertificateChains, tuple(payload.get("prioritizedEMAIDs", ())), number, str(pcid)
        )
        given = self.service().answer(asked)
        if isinstance(given, Refusal):
            return {**FAILED, "statusInfo": {"reasonCode": "NoContract"}}
        return {"status": "Accepted", "exiResponse": b64encode(given.octets).decode(), "remainingContracts": given.remaining or 0}

    def _provide_older(self, octets: bytes, *, update: bool) -> Payload:
        """ISO 15118-2: one contract, or the one that the vehicle has anew (M01, M02)."""
        document: Any = exi.decode(octets, pki_older.NAMESPACE)
        try:
            der = pki_older.receiver_of(document.Body.BodyElement)
        except (AttributeError, TypeError):
            return FAILED
        name = der.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        given = self.service().answer(InstallationAsked(octets, pcid=str(name), namespace=pki_older.NAMESPACE, update=update))
        return FAILED if isinstance(given, Refusal) else {"status": "Accepted", "exiResponse": b64encode(given.octets).decode()}

    def service(self) -> Cps:
        """As it is; a wrong one has somebody else's key or chain."""
        match self.wrong:
            case "cps_of_another_root":
                return Cps(self.world, self.given, sender=World.of(self.world.kind, b"somebody else"))
            case "cps_by_a_station":
                return Cps(self.world, self.given, by="seccLeaf")
        return Cps(self.world, self.given)

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.clock(), dt.UTC)


def _texts(row: Payload) -> tuple[str, str, str, str]:
    return row["hashAlgorithm"], row["issuerNameHash"], row["issuerKeyHash"], row["serialNumber"]


# ---- wrong ends

Wrong = Callable[[Roaming, str, str, Payload], Any]


def _of_installation(answer: Any) -> Wrong:
    def wrong(_: Roaming, message_id: str, action: str, payload: Payload) -> Any:
        if action != "Get15118EVCertificate":
            return None
        return answer(message_id, payload) if callable(answer) else answer

    return wrong


def _accepted(octets: bytes | str) -> Payload:
    return {"status": "Accepted", "exiResponse": octets if isinstance(octets, str) else b64encode(octets).decode(), "remainingContracts": 0}


def _cancelled(_: Roaming, __: str, action: str, payload: Payload) -> Any:
    """The token is accepted, and the certificate is not."""
    if action != "Authorize" or payload["idToken"]["type"] != "eMAID":
        return None
    return {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "ContractCancelled"}


def _as_it_is(_: Roaming, __: str, ___: str, ____: Payload) -> Any:
    return None


WRONGS: dict[str, Wrong] = {
    "cps_of_another_root": _as_it_is,
    "cps_by_a_station": _as_it_is,
    "status_failed": _of_installation(FAILED),
    "garbage_exi": _of_installation(_accepted(b"\x80" + bytes(range(64)))),
    "no_exi": _of_installation(_accepted(b"")),
    "no_base64": _of_installation(_accepted("?" * 40)),
    "too_long": _of_installation(_accepted(b"\x80" * 17_000)),
    "another_message": _of_installation(lambda _, payload: _accepted(payload["exiRequest"])),
    "error": _of_installation(lambda message_id, _: [4, message_id, "InternalError", "the service is down", {}]),
    "silence": _of_installation(False),
    "contract_cancelled": _cancelled,
}  # fmt: skip
"""What may be wrong, by name: the first two with the service that installs contracts itself, the last one with who pays."""
