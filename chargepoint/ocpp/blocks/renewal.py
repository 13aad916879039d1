"""SignCertificate and CertificateSigned: the station's own certificates are renewed (OCPP 2.1 A02, A03; F-9).

Asked for by TriggerMessage, or begun by itself ahead of a certificate's end. A new key waits in the store, its request goes to the CSMS, and goes
again as long as no certificate comes: the same request each time, so that one that comes late still fits. What comes is judged, and adopted when it
is right; the CSMS is answered when it is on disk. All EVSEs share one certificate for vehicles of each edition, so ISO15118Ctrlr has these rows once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar, Literal

from certs.store import OWN_USES, KeyKind, OwnUse, RootUse, Subject
from chargepoint.commands import AdoptChain, Delete, DeleteOwn, Log, MakeCsr, Persist, Put
from chargepoint.events import (
    CertificateExpiring,
    CertificatesRead,
    CertificateStored,
    CredentialsRenewed,
    CsrMade,
    LinkUp,
    PoweredUp,
    RegistrationChanged,
    SecurityEvent,
    SigningAsked,
    TimerExpired,
)
from chargepoint.ocpp.block import (
    Block,
    CallAnswered,
    CallFailed,
    CallReceived,
    Context,
    Later,
    Reply,
    answers,
    hears,
    refusal,
    status_info,
)
from chargepoint.ocpp.contract_rows import V2G_INSTALLATION
from chargepoint.ocpp.device_model import BadValue, Mutability, Variable
from chargepoint.ocpp.messages import CONNECTION_LOST, TIMEOUT, Answer, Call
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

RW = Mutability.READ_WRITE
STATION: OwnUse = "ChargingStationCertificate"
V2G20: OwnUse = "V2G20Certificate"
ROOTS: dict[OwnUse, RootUse] = {STATION: "CSMSRootCertificate", "V2GCertificate": "V2GRootCertificate", V2G20: "V2GRootCertificate"}
TABLE, META, NUMBER = "signing", "meta", "sign_request_id"
"""Where it stands which requests wait, and the number of the last one."""
MOST_CHAIN = 10_000
"""Characters of CertificateSignedRequest.certificateChain."""
MOST_CSR = 5_500

WAIT_MINIMUM = Variable(
    "SecurityCtrlr", "CertSigningWaitMinimum", "integer", "30", "how long a signed certificate may take before it is asked for again; doubled each time",
    mutability=RW, unit="s", min=1, max=86_400, key16="CertSigningWaitMinimum", source="OCPP 2.1 A02.FR.17, A02.FR.18",
)  # fmt: skip
REPEAT_TIMES = Variable(
    "SecurityCtrlr", "CertSigningRepeatTimes", "integer", "3", "how often a signed certificate is asked for again",
    mutability=RW, min=0, max=16, key16="CertSigningRepeatTimes", source="OCPP 2.1 A02.FR.19",
)  # fmt: skip
MAX_CHAIN_SIZE = Variable(
    "SecurityCtrlr", "MaxCertificateChainSize", "integer", str(MOST_CHAIN), "characters of the longest chain that is taken",
    constant=True, max=MOST_CHAIN, key16="CertificateSignedMaxChainSize", source="OCPP 2.1 A02.FR.16",
)  # fmt: skip
ORGANIZATION_NAME = Variable(
    "SecurityCtrlr", "OrganizationName", "string", "", "the operator's name, as the certificate for the CSMS carries it (O)",
    mutability=RW, max_length=64, key16="CpoName", source="OCPP 2.1 A00.FR.509, A02.FR.13",
)  # fmt: skip
SECC_ID = Variable(
    "ISO15118Ctrlr", "SeccId", "string", "", "the station's name in certificates for vehicles (CN)", mutability=RW, max_length=64, source="OCPP 2.1 A02.FR.22"
)  # fmt: skip
V2G_ORGANIZATION_NAME = Variable(
    "ISO15118Ctrlr", "OrganizationName", "string", "", "the operator's name in certificates for vehicles (O)", mutability=RW, max_length=64,
    source="OCPP 2.1 A02.FR.22",
)  # fmt: skip
COUNTRY_NAME = Variable(
    "ISO15118Ctrlr", "CountryName", "string", "", "the operator's country in certificates for vehicles (C)", mutability=RW, max_length=2,
    source="OCPP 2.1 A02.FR.22",
)  # fmt: skip


@dataclass(slots=True)
class Signing:
    """One certificate that is being renewed."""

    request_id: int
    kind: KeyKind = "p256"
    slot: str = ""
    """Where its key waits."""
    csr: str = field(default="", repr=False)
    phase: Literal["key", "send", "sent", "wait", "adopt"] = "key"
    """The store makes the key; the link is waited for; the CSMS has the request; it has promised a certificate; the store takes that over."""
    triggered: bool = False
    tries: int = 0
    until: float | None = None
    """Tick.mono when it is asked for again."""
    message_id: str = ""
    """CertificateSigned that is being answered."""
    again: bool = False
    """Asked for meanwhile: another one is begun when this one is on disk."""


@dataclass(slots=True)
class RenewalState:
    """What is under way, by use."""

    number: int = 0
    signings: dict[str, Signing] = field(default_factory=dict)


class RenewalBlock(Block):
    """One request at a time for each use; a new trigger takes the place of one that is under way."""

    name: ClassVar[str] = "renewal"
    variables: ClassVar[tuple[Variable, ...]] = (
        WAIT_MINIMUM, REPEAT_TIMES, MAX_CHAIN_SIZE, ORGANIZATION_NAME, SECC_ID, V2G_ORGANIZATION_NAME, COUNTRY_NAME, V2G_INSTALLATION,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: RenewalState = RenewalState()
        context.model.guard(COUNTRY_NAME, _country)

    def deadline(self) -> float | None:
        return min((each.until for each in self.state.signings.values() if each.until is not None), default=None)

    # ---- it begins

    @hears(SigningAsked)
    def asked(self, now: Tick, event: SigningAsked) -> Sequence[object]:
        """A02: the answer first, then the key."""
        use = _own(event.use)
        if why := self._why_not(use):
            code, text = why
            status = "NotImplemented" if code == "NotEnabled" else "Rejected"
            return [Answer(event.message_id, "TriggerMessage", {"status": status, "statusInfo": status_info(code, text)})]
        accepted = Answer(event.message_id, "TriggerMessage", {"status": "Accepted"})
        under_way = self.state.signings.get(use)
        if under_way is not None and under_way.phase == "adopt":
            under_way.again = True
            return [accepted]
        return [accepted, *self._begin(use, self._kind(use), triggered=True)]

    @hears(CertificateExpiring)
    def expiring(self, now: Tick, event: CertificateExpiring) -> Sequence[object]:
        """A03: told daily, so that what came to nothing is tried again a day later."""
        under_way = self.state.signings.get(event.use)
        exhausted = under_way is not None and under_way.phase == "wait" and under_way.until is None
        if event.use not in OWN_USES or (under_way is not None and not exhausted):
            return ()
        use = _own(event.use)
        if why := self._why_not(use):
            return [Log("warning", "renewal.not_begun", {"use": use, "why": why[1]})]
        return self._begin(use, self._kind(use, event.slot), triggered=False)

    def _why_not(self, use: OwnUse) -> tuple[str, str] | None:
        model = self.context.model
        rows = (ORGANIZATION_NAME,) if use == STATION else (SECC_ID, V2G_ORGANIZATION_NAME, COUNTRY_NAME)
        if use != STATION:
            if not model.flag(V2G_INSTALLATION):
                return "NotEnabled", "ISO15118Ctrlr.V2GCertificateInstallationEnabled is false"
            if self.context.link.security_profile < 2:
                return "InsecureConnection", "certificates for vehicles come over security profile 2 or 3 only"
        missing = [f"{row.component}.{row.name}" for row in rows if not model.text(row)]
        return ("MissingDevModelInfo", f"not set: {', '.join(missing)}") if missing else None

    def _subject(self, use: OwnUse) -> Subject:
        model = self.context.model
        if use == STATION:
            config = self.context.config
            return Subject(
                config.serial or self.context.link.identity or config.csms.identity, model.text(ORGANIZATION_NAME)
            )  # A02.FR.13, A00.FR.511
        return Subject(model.text(SECC_ID), model.text(V2G_ORGANIZATION_NAME), model.text(COUNTRY_NAME), "CPO")  # A02.FR.22

    def _kind(self, use: OwnUse, slot: str = "") -> KeyKind:
        """-2 knows P-256 only; -20 stays with the kind of key that it has."""
        if use != V2G20:
            return "p256"
        chains = [each for each in self.context.certificates.active(use) if slot in ("", each.slot)]
        return "ed448" if chains and all(each.kind == "ed448" for each in chains) else "p521"

    def _begin(self, use: OwnUse, kind: KeyKind, *, triggered: bool) -> list[object]:
        state = self.state
        state.number += 1
        state.signings[use] = Signing(state.number, kind, triggered=triggered)
        return [
            Persist((Put(META, NUMBER, state.number),)),
            Log("info", "renewal.begun", {"use": use, "key": kind, "why": "asked for by the CSMS" if triggered else "it ends soon"}),
            MakeCsr(self._token(use), use, self._subject(use), kind),
        ]

    @hears(CsrMade)
    def made(self, now: Tick, event: CsrMade) -> Sequence[object]:
        use, signing = self._by_token(event.token)
        if signing is None or use is None or signing.phase != "key":
            return ()
        if event.error or len(event.pem) > MOST_CSR:
            del self.state.signings[use]
            return [Log("error", "renewal.no_request", {"use": use, "why": event.text or event.error or "the request is too long"})]
        signing.slot, signing.csr, signing.phase = event.slot, event.pem, "send"
        return [Persist((Put(TABLE, use, {"request_id": signing.request_id, "slot": signing.slot, "kind": signing.kind}),)), *self._send()]

    # ---- the request

    @hears(LinkUp, RegistrationChanged)
    def linked(self, now: Tick, event: LinkUp | RegistrationChanged) -> Sequence[object]:
        return self._send()

    def _send(self) -> list[object]:
        """What waits for the link. A station that is not accepted yet sends what was asked for (B02)."""
        link = self.context.link
        return [
            self._request(_own(use), signing)
            for use, signing in self.state.signings.items()
            if signing.phase == "send" and signing.csr and (link.online or (link.connected and signing.triggered))
        ]

    def _request(self, use: OwnUse, signing: Signing) -> Call:
        signing.phase, signing.until = "sent", None
        payload: dict[str, Any] = {"csr": signing.csr, "certificateType": use, "requestId": signing.request_id}  # A02.FR.24
        if root := self._root_hash(use):
            payload["hashRootCertificate"] = root
        return Call("SignCertificate", payload, self._token(use))

    def _root_hash(self, use: OwnUse) -> dict[str, str] | None:
        """Which PKI is to sign (A02.FR.27, A03.FR.23 [K]): the one of the chain in use, or the only one that is known here."""
        held = self.context.certificates
        if use == STATION or not held.trusted(ROOTS[use]):
            return None
        from chargepoint.ocpp import certificate_rules as rules  # noqa: PLC0415 a station without certificates carries none of it

        roots = held.trusted(ROOTS[use])
        found = {root for own in held.active(use) if (root := rules.root_of_chain(own, roots))} or set(roots)
        return rules.wire(rules.pairs_of_root(found.pop(), roots)[0]) if len(found) == 1 else None

    @hears(CallAnswered, CallFailed)
    def outcome(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        use, signing = self._by_token(event.token)
        if signing is None or use is None or signing.phase != "sent":
            return ()
        if isinstance(event, CallFailed) and event.code == CONNECTION_LOST:
            signing.phase = "send"
            return ()
        if isinstance(event, CallAnswered) and event.payload["status"] == "Rejected":
            return self._give_up(use, "the CSMS rejects the request")
        if isinstance(event, CallFailed) and event.code != TIMEOUT:
            return self._give_up(use, f"the CSMS answers the request with {event.code}")
        signing.phase = "wait"
        signing.until = now.mono + self._wait_s(signing)
        return ()

    def _wait_s(self, signing: Signing) -> float:
        return float(max(1, self.context.model.integer(WAIT_MINIMUM)) << min(signing.tries, 16))

    @hears(TimerExpired)
    def late(self, now: Tick, event: TimerExpired) -> Sequence[object]:
        """No certificate in time: again, with twice the patience, and not for ever (A02.FR.17 to .19). One that comes after the last wait still counts."""
        out: list[object] = []
        for use, signing in self.state.signings.items():
            if signing.until is None or signing.until > now.mono:
                continue
            signing.until = None
            if signing.tries >= self.context.model.integer(REPEAT_TIMES):
                out.append(Log("warning", "renewal.no_certificate", {"use": use, "asked_times": signing.tries + 1}))
                continue
            signing.tries += 1
            signing.phase = "send"
        return [*out, *self._send()]

    # ---- the certificate

    @answers("CertificateSigned")
    def signed(self, now: Tick, call: CallReceived) -> Reply | Later:
        from chargepoint.ocpp.certificate_rules import Unfit, judge_chain  # noqa: PLC0415 as above

        payload = call.payload
        use = self._meant(payload.get("certificateType"))
        signing = self.state.signings.get(use)
        if signing is None or signing.phase in ("key", "adopt"):
            return refusal("Rejected", "NoRequest", f"no certificate of the type {use} was asked for")
        if not signing.csr:
            return refusal("Rejected", "CertificateStore", "the store that has the key cannot be read")
        if payload.get("requestId", signing.request_id) != signing.request_id:
            return refusal("Rejected", "UnknownRequestId", f"the request that waits has the id {signing.request_id}")  # A02.FR.26
        pem, limit = payload["certificateChain"], self.context.model.integer(MAX_CHAIN_SIZE)
        if len(pem) > limit:
            return refusal("Rejected", "ChainTooLong", f"more than {limit} characters")  # A02.FR.16
        try:
            fit = judge_chain(pem, use, self.context.clock.known_utc(now), signing.csr, self.context.certificates.trusted(ROOTS[use]))
        except Unfit as unfit:
            why = str(unfit)
            refused = refusal("Rejected", "InvalidCertificate", why)
            return Reply(
                refused.payload, [SecurityEvent("InvalidChargingStationCertificate", why[:255]), *self._give_up(use, why)]
            )  # A02.FR.07
        signing.phase, signing.until, signing.message_id = "adopt", None, call.message_id
        return Later([Log("info", "renewal.signed", {"use": use, "what": fit.why}), AdoptChain(self._token(use), signing.slot, fit.pem)])

    def _meant(self, certificate_type: str | None) -> OwnUse:
        """The CSMS need not repeat the type where one request waits."""
        waiting = list(self.state.signings)
        return _own(certificate_type or (waiting[0] if len(waiting) == 1 else STATION))

    @hears(CertificateStored)
    def stored(self, now: Tick, event: CertificateStored) -> Sequence[object]:
        use, signing = self._by_token(event.token)
        if signing is None or use is None or signing.phase != "adopt":
            return ()
        if event.error:
            why = event.text or event.error
            payload = {"status": "Rejected", "statusInfo": status_info("CertificateStore", why)}
            return [Answer(signing.message_id, "CertificateSigned", payload), *self._give_up(use, why), *self._anew(use, signing)]
        out: list[object] = [Answer(signing.message_id, "CertificateSigned", {"status": "Accepted"}), *self._forget(use)]
        out.append(SecurityEvent("ReconfigurationOfSecurityParameters", use))
        if use == STATION and self.context.link.security_profile == 3:
            out.append(CredentialsRenewed("a new client certificate"))  # A02.FR.08
        return [*out, *self._anew(use, signing)]

    def _anew(self, use: OwnUse, done: Signing) -> list[object]:
        return self._begin(use, self._kind(use), triggered=True) if done.again else []

    # ---- ends and beginnings

    def _give_up(self, use: OwnUse, why: str) -> list[object]:
        """Its key is of no use any more."""
        slot = self.state.signings[use].slot
        return [Log("warning", "renewal.given_up", {"use": use, "why": why}), *self._forget(use), DeleteOwn(f"{self.name}:dropped", slot)]

    def _forget(self, use: OwnUse) -> list[object]:
        del self.state.signings[use]
        return [Persist((Delete(TABLE, use),))]

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """What waited for a certificate goes on waiting, once the store says that the key is still there."""
        number = event.stored.get(META, {}).get(NUMBER)
        self.state.number = number if isinstance(number, int) else 0
        for use, row in event.stored.get(TABLE, {}).items():
            if use in OWN_USES and isinstance(row, dict):
                self.state.signings[use] = Signing(int(row["request_id"]), row["kind"], str(row["slot"]), phase="send")
        return ()

    @hears(CertificatesRead)
    def read(self, now: Tick, event: CertificatesRead) -> Sequence[object]:
        out: list[object] = []
        waiting = {each.slot: each.csr for each in event.own if each.state == "pending"}
        for use, signing in list(self.state.signings.items()):
            if signing.slot and not signing.csr and not (csr := waiting.get(signing.slot, "")):
                out += self._forget(_own(use)) if event.read else []
            elif signing.slot and not signing.csr:
                signing.csr = csr
        return [*out, *self._send()]

    def _token(self, use: OwnUse) -> str:
        return f"{self.name}:{use}:{self.state.signings[use].request_id}"

    def _by_token(self, token: str) -> tuple[OwnUse | None, Signing | None]:
        for use, signing in self.state.signings.items():
            if token == self._token(_own(use)):
                return _own(use), signing
        return None, None


def _own(use: str) -> OwnUse:
    return next((each for each in OWN_USES if each == use), STATION)


def _country(value: str) -> None:
    if not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
        raise BadValue("InvalidValue", "is not a country of ISO 3166-1, two capital letters")
