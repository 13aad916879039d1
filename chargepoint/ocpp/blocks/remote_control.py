"""RequestStartTransaction, RequestStopTransaction, UnlockConnector, TriggerMessage (OCPP 2.1 block F).

Answered from what is known; what follows is the authorize machine's and the EVSE's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

from certs.store import CertificateUse
from chargepoint.authorize_rules import obstacle
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRefused,
    Authorised,
    IdToken,
    MessageTriggered,
    RemoteStartRequested,
    RemoteStopRequested,
    SigningAsked,
    TimerExpired,
    UnlockFinished,
    UnlockWanted,
)
from chargepoint.ocpp.block import Block, CallReceived, Context, Later, Reply, answers, hears, refusal, status_info
from chargepoint.ocpp.device_model import Mutability, Variable
from chargepoint.ocpp.id_tokens import CSMS_KNOWS, MOST_ADDITIONAL, TYPES, from_wire
from chargepoint.ocpp.messages import Answer
from chargepoint.ocpp.vendor_rows import custom_triggers
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

AUTHORIZE_REMOTE_START = Variable(
    "AuthCtrlr", "AuthorizeRemoteStart", "boolean", "true", "the token of a RequestStartTransaction is authorised like a card",
    mutability=Mutability.READ_WRITE, key16="AuthorizeRemoteTxRequests", source="OCPP 2.1 F01.FR.01, F01.FR.02",
)  # fmt: skip

UNLOCK_WAIT_S = 25.0
"""Longer than the lock's own tries; then the CSMS hears UnlockFailed, before its own patience ends (30 s) [K]."""
SIGNINGS: dict[str, CertificateUse] = {
    "SignChargingStationCertificate": "ChargingStationCertificate", "SignV2GCertificate": "V2GCertificate", "SignV2G20Certificate": "V2G20Certificate",
}  # fmt: skip
"""What is answered by who renews certificates."""
TRIGGERS = ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification", "TransactionEvent", *SIGNINGS)
"""MessageTriggerEnumType that some block sends; every other one is answered NotImplemented (F06.FR.08)."""
OBSTACLES = {
    "unavailable": ("Unavailable", "inoperative or faulted"),
    "occupied": ("TxInProgress", "somebody is authorised here"),
    "reserved": ("Reserved", "reserved"),
}


@dataclass(slots=True)
class Unlocking:
    """An UnlockConnector that waits for the lock."""

    message_ids: tuple[str, ...]
    until: float


@dataclass(slots=True)
class RemoteControlState:
    """What has been promised and is not there yet."""

    starting: dict[int, int] = field(default_factory=dict)
    """EVSE -> remoteStartId whose token is being authorised."""
    unlocking: dict[int, Unlocking] = field(default_factory=dict)


class RemoteControlBlock(Block):
    """What the CSMS does at a distance."""

    name: ClassVar[str] = "remote_control"
    variables: ClassVar[tuple[Variable, ...]] = (AUTHORIZE_REMOTE_START,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: RemoteControlState = RemoteControlState()

    # ---- start and stop

    @answers("RequestStartTransaction")
    def request_start(self, now: Tick, call: CallReceived) -> Reply:
        payload = call.payload
        id_token = from_wire(payload["idToken"])
        if self.context.link.registration != "Accepted":
            return refusal("Rejected", "CSNotAccepted", "the BootNotification is not accepted yet")  # B02.FR.05
        if problem := token_problem(id_token):
            return refusal("Rejected", *problem)
        evse_id = payload.get("evseId") or self._best_evse(id_token)
        if not evse_id:
            return refusal("Rejected", "MissingParam", "evseId: no EVSE offers itself")  # F01.FR.20
        if evse_id not in self.context.evses:
            return refusal("Rejected", "UnknownEvse", f"there is no EVSE {evse_id}")
        facts = self.context.evses[evse_id]
        why = obstacle(facts, id_token)
        if why or evse_id in self.state.starting:
            return refusal("Rejected", *OBSTACLES[why or "occupied"])
        authorize = self.context.model.flag(AUTHORIZE_REMOTE_START) and id_token.type not in CSMS_KNOWS
        if authorize:
            self.state.starting[evse_id] = payload["remoteStartId"]
        group = (payload.get("groupIdToken") or {}).get("idToken", "")
        answer: dict[str, Any] = {"status": "Accepted"}
        if facts.transaction_id:
            answer["transactionId"] = facts.transaction_id  # F01.FR.13
        if "chargingProfile" in payload:
            answer["statusInfo"] = status_info("UnsupportedParam", "chargingProfile is ignored")  # F01.FR.12
        return Reply(answer, [RemoteStartRequested(evse_id, id_token, payload["remoteStartId"], group, authorize)])

    def _best_evse(self, id_token: IdToken) -> int:
        """Without an evseId: the only one where an EV waits, else the only one that is free."""
        free = [e for e, facts in self.context.evses.items() if not obstacle(facts, id_token) and e not in self.state.starting]
        waiting = [e for e in free if self.context.evses[e].plugged]
        candidates = waiting or free
        return candidates[0] if len(candidates) == 1 else 0

    @hears(Authorised, AuthorisationRefused, AuthorisationEnded)
    def settled(self, now: Tick, event: Authorised | AuthorisationRefused | AuthorisationEnded) -> Sequence[object]:
        self.state.starting.pop(event.evse_id, None)
        return ()

    @answers("RequestStopTransaction")
    def request_stop(self, now: Tick, call: CallReceived) -> Reply:
        transaction_id = call.payload["transactionId"]
        if self.context.link.registration != "Accepted":
            return refusal("Rejected", "CSNotAccepted", "the BootNotification is not accepted yet")
        evse_id = next((e for e, facts in self.context.evses.items() if transaction_id and facts.transaction_id == transaction_id), 0)
        if not evse_id:
            return refusal("Rejected", "TxNotFound", "no such transaction goes on")  # F03.FR.08
        return Reply({"status": "Accepted"}, [RemoteStopRequested(evse_id, transaction_id)])

    # ---- unlock

    @answers("UnlockConnector")
    def unlock(self, now: Tick, call: CallReceived) -> Reply | Later:
        evse_id, connector_id = call.payload["evseId"], call.payload["connectorId"]
        if evse_id not in self.context.evses or connector_id != 1:
            return Reply({"status": "UnknownConnector"})
        facts = self.context.evses[evse_id]
        if facts.transaction_id and facts.id_token is not None:
            return Reply({"status": "OngoingAuthorizedTransaction"})
        if next(evse.connector for evse in self.context.config.evses if evse.id == evse_id) != "sType2":
            return refusal("UnlockFailed", "FixedCable", "the cable is attached")
        waiting = self.state.unlocking.get(evse_id)
        if waiting:
            waiting.message_ids = (*waiting.message_ids, call.message_id)
            return Later()
        self.state.unlocking[evse_id] = Unlocking((call.message_id,), now.mono + UNLOCK_WAIT_S)
        return Later([UnlockWanted(evse_id)])

    @hears(UnlockFinished)
    def unlocked(self, now: Tick, event: UnlockFinished) -> Sequence[object]:
        return self._unlock_answers(event.evse_id, "Unlocked" if event.unlocked else "UnlockFailed")

    @hears(TimerExpired)
    def timer(self, now: Tick, event: TimerExpired) -> Sequence[object]:
        late = [evse_id for evse_id, waiting in self.state.unlocking.items() if waiting.until <= now.mono]
        return [answer for evse_id in late for answer in self._unlock_answers(evse_id, "UnlockFailed")]

    def deadline(self) -> float | None:
        return min((waiting.until for waiting in self.state.unlocking.values()), default=None)

    def _unlock_answers(self, evse_id: int, status: str) -> list[object]:
        waiting = self.state.unlocking.pop(evse_id, None)
        return [Answer(message_id, "UnlockConnector", {"status": status}) for message_id in waiting.message_ids] if waiting else []

    # ---- trigger

    @answers("TriggerMessage")
    def trigger(self, now: Tick, call: CallReceived) -> Reply | Later:
        """The message itself follows the answer (F06.FR.05). An evse that does not matter for it is not looked at (F06.FR.03)."""
        requested, evse = call.payload["requestedMessage"], call.payload.get("evse") or {}
        custom = call.payload.get("customTrigger", "") if requested == "CustomTrigger" else ""
        if requested not in TRIGGERS and custom not in custom_triggers(self.context):
            return Reply({"status": "NotImplemented"})
        if requested == "BootNotification" and self.context.link.registration == "Accepted":
            return refusal("Rejected", "BootAccepted", "already accepted")  # F06.FR.17
        if requested in ("BootNotification", "Heartbeat"):
            return Reply({"status": "Accepted"}, [MessageTriggered(requested)])
        evse_id, connector_id = evse.get("id", 0), evse.get("connectorId")
        if evse_id and evse_id not in self.context.evses:
            return refusal("Rejected", "UnknownEvse", f"there is no EVSE {evse_id}")
        if requested in SIGNINGS:
            return Later([SigningAsked(call.message_id, SIGNINGS[requested])])
        if connector_id is not None and (connector_id != 1 or not evse_id):
            return refusal("Rejected", "UnknownConnectorId", f"there is no connector {connector_id} at EVSE {evse_id}")
        if requested == "StatusNotification" and connector_id is None:
            return refusal("Rejected", "MissingParam", "evse.id and evse.connectorId")  # F06.FR.12
        if requested == "TransactionEvent" and not self._transactions(evse_id):
            return refusal("Rejected", "TxNotFound", "no transaction goes on there")
        return Reply({"status": "Accepted"}, [MessageTriggered(requested, evse_id, custom)])

    def _transactions(self, evse_id: int) -> bool:
        return any(facts.transaction_id for e, facts in self.context.evses.items() if evse_id in (0, e))


def token_problem(id_token: IdToken) -> tuple[str, str] | None:
    """Why a token cannot be used, as reasonCode and text; None when it can."""
    if id_token.type not in TYPES:
        return "InvalidIdToken", "idToken.type is not one of AuthCtrlr.SupportedIdTokenTypes"
    if not id_token.id_token and id_token.type != "NoAuthorization":
        return "InvalidIdToken", "idToken is empty"
    if len(id_token.additional) > MOST_ADDITIONAL:
        return "TooManyElements", f"additionalInfo: {MOST_ADDITIONAL} at most"
    return None
