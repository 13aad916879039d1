"""Contracts in vehicles: whether they pay here, and how they get there through the CSMS (OCPP 2.1 C07, M01, M02).

What a vehicle asks for goes up as it is, and what the provisioning service behind the CSMS has made comes down as it is: neither is read here. A vehicle
does not wait for ever, and this neither keeps nor repeats anything: without a link, or without a good answer, it is told so at once.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

from chargepoint.commands import Log
from chargepoint.events import (
    CertificatesRead,
    ContractsAllowed,
    InstallationAnswered,
    InstallationWanted,
    LinkDown,
    LinkUp,
    PoweredUp,
    RegistrationChanged,
)
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, Context, hears
from chargepoint.ocpp.contract_rows import CENTRAL_VALIDATION, INSTALLATION_ENABLED, PNC_ENABLED, SUPPORTED_PROVIDERS, providers
from chargepoint.ocpp.device_model import Variable, VariableChanged
from chargepoint.ocpp.messages import Call
from chargepoint.tick import Tick
from iso15118.frozen import dataclass
from iso15118.protocols import ISO2
from iso15118.trust import Refusal

OWN_ROWS = (PNC_ENABLED, INSTALLATION_ENABLED, SUPPORTED_PROVIDERS)
ROWS = (*OWN_ROWS, CENTRAL_VALIDATION)
ACTION = "Get15118EVCertificate"
LONGEST_REQUEST = 11_000
"""Characters of exiRequest (in OCPP 2.0.1: 7,500)."""
MOST_EMAIDS = 8


@dataclass(slots=True)
class ContractsState:
    """What was said last."""

    allowed: dict[int, ContractsAllowed] = field(default_factory=dict)
    """EVSE -> what its sessions go by."""


def _readable(value: str) -> None:
    providers(value)


class ContractsBlock(Block):
    """Says what is allowed, and hands on what is asked for and what is given."""

    name: ClassVar[str] = "contracts"
    variables: ClassVar[tuple[Variable, ...]] = OWN_ROWS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: ContractsState = ContractsState()
        self.talking = [evse.id for evse in context.config.evses if evse.v2g.interface]
        for evse in context.config.evses:
            if evse.v2g.interface:
                context.model.guard(SUPPORTED_PROVIDERS, _readable, evse.id)
            else:
                context.model.undeclare(OWN_ROWS, evse.id)

    # ---- what is allowed

    @hears(PoweredUp, VariableChanged, CertificatesRead, RegistrationChanged, LinkUp, LinkDown)
    def rules(self, now: Tick, event: object) -> Sequence[object]:
        """Told when it is otherwise than it was."""
        if isinstance(event, VariableChanged) and not any(event.concerns(row) for row in ROWS):
            return ()
        are = {evse_id: self._allowed(evse_id) for evse_id in self.talking}
        changed = [each for evse_id, each in are.items() if self.state.allowed.get(evse_id) != each]
        self.state.allowed = are
        return changed

    def _allowed(self, evse_id: int) -> ContractsAllowed:
        """There has to be somebody who judges a contract: a root here, or the CSMS where it may."""
        model, certificates, online = self.context.model, self.context.certificates, self.context.link.online
        central = model.flag(CENTRAL_VALIDATION, evse_id)
        roots = bool(certificates.trusted("MORootCertificate") or certificates.trusted("V2GRootCertificate"))
        pnc = model.flag(PNC_ENABLED, evse_id) and (roots or (central and online))
        installation = pnc and online and model.flag(INSTALLATION_ENABLED, evse_id)
        return ContractsAllowed(evse_id, pnc, central, installation, providers(model.text(SUPPORTED_PROVIDERS, evse_id)))

    # ---- what is asked for

    @hears(InstallationWanted)
    def wanted(self, now: Tick, event: InstallationWanted) -> Sequence[object]:
        """Updates are of ISO 15118-2 alone (M01.FR.01, M02.FR.01 [K]); several contracts, and eMAIDs that come first, of -20 alone."""
        text = b64encode(event.octets).decode()
        if len(text) > LONGEST_REQUEST:
            return self._none(event.evse_id, event.number, f"a request of {len(event.octets)} octets, more than goes into a message")
        if not self.context.link.online:
            return self._none(event.evse_id, event.number, "the CSMS cannot be reached")
        request: dict[str, Any] = {
            "iso15118SchemaVersion": event.schema,
            "action": "Update" if event.update else "Install",
            "exiRequest": text,
        }
        several = event.schema != ISO2
        if several:
            request["maximumContractCertificateChains"] = event.maximum
        if several and event.emaids:
            request["prioritizedEMAIDs"] = list(event.emaids[:MOST_EMAIDS])
        return [Call(ACTION, request, f"{self.name}:{event.evse_id}:{event.number}")]

    @hears(CallAnswered, CallFailed)
    def given(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        owner, _, rest = event.token.partition(":")
        if owner != self.name:
            return ()
        evse_id, number = map(int, rest.split(":"))
        if isinstance(event, CallFailed):
            return self._none(evse_id, number, f"no good answer of the CSMS: {event.code} {event.description}".rstrip())
        payload = event.payload
        if payload["status"] != "Accepted":
            info = payload.get("statusInfo") or {}
            why = f"{payload['status']} {info.get('reasonCode', '')} {info.get('additionalInfo', '')}".strip()
            return self._none(evse_id, number, f"the CSMS says {why}")
        try:
            octets = b64decode(payload["exiResponse"], validate=True)
        except (Base64Error, ValueError):
            octets = b""
        if not octets:
            return self._none(evse_id, number, "the CSMS has answered without an EXI document")
        return [InstallationAnswered(evse_id, number, octets, payload.get("remainingContracts"))]

    def _none(self, evse_id: int, number: int, why: str) -> list[object]:
        log = Log("warning", "contracts.not_installed", {"evse": evse_id, "why": why[:200]})
        return [log, InstallationAnswered(evse_id, number, refusal=Refusal.NO_CERTIFICATE)]
