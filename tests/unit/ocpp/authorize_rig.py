"""Cards, remote starts and what comes of them: the authorize machine with its blocks; the test is the EVSE, the transaction, the driver and the CSMS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chargepoint.authorize import AuthorizeMachine
from chargepoint.commands import Indicate
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRefused,
    Authorised,
    CablePluggedIn,
    EvDisconnected,
    IdToken,
    TransactionEnded,
    TransactionStarted,
    TransactionTokenJudged,
)
from chargepoint.ocpp.block import Block
from chargepoint.ocpp.blocks.authorization import AuthorizationBlock
from chargepoint.ocpp.blocks.local_list import LocalListBlock
from chargepoint.ocpp.blocks.remote_control import RemoteControlBlock
from chargepoint.ocpp.device_model import Missing, parse_place
from chargepoint.ocpp.messages import CallFailed
from hal.types import MeterSample, TokenPresented
from tests.unit.ocpp.block_rig import BlockRig

BLOCKS: tuple[type[Block], ...] = (LocalListBlock, AuthorizationBlock, RemoteControlBlock)
CARD = IdToken("04A2B3C4", "ISO14443")
OTHER = IdToken("04FFEEDD", "ISO14443")


@dataclass
class AuthRig(BlockRig):
    """Powered up and, unless `online` is False, accepted by the CSMS."""

    blocks: Any = BLOCKS
    online: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.machine = AuthorizeMachine(self.config, self.context.evses)
        self.machines.insert(0, self.machine)  # type: ignore[arg-type]
        self.power_up()
        if self.online:
            self.connect()

    def connect(self) -> None:
        self.context.link.connected, self.context.link.registration = True, "Accepted"

    def disconnect(self) -> None:
        """The link breaks, and with it what is under way."""
        self.context.link.connected = False
        lost, self.calls = self.calls, []
        for call in lost:
            self.hear(CallFailed(call.token, call.action, "ConnectionLost"))

    def set(self, key: str, value: str) -> None:
        place = self.context.model.find(parse_place(key))
        assert not isinstance(place, Missing), place
        self.hear(*self.context.model.change(place, self.context.model.checked(place, value)))

    # ---- the driver and the EVSE

    def swipe(self, token: IdToken = CARD, *evse_ids: int) -> list[object]:
        return self.hear(TokenPresented(token.id_token, token.type, evse_ids or (1,)))

    def plug(self, evse_id: int = 1) -> list[object]:
        self.context.evses[evse_id].plugged = True
        return self.hear(CablePluggedIn(evse_id))

    def unplug(self, evse_id: int = 1) -> list[object]:
        self.context.evses[evse_id].plugged = False
        return self.hear(EvDisconnected(evse_id))

    def begin(self, evse_id: int = 1, transaction_id: str = "t1") -> list[object]:
        self.context.evses[evse_id].transaction_id = transaction_id
        return self.hear(TransactionStarted(evse_id, transaction_id))

    def finish(self, evse_id: int = 1) -> list[object]:
        facts = self.context.evses[evse_id]
        transaction_id, facts.transaction_id = facts.transaction_id, ""
        return self.hear(TransactionEnded(evse_id, transaction_id))

    def meter(self, energy_Wh: float, evse_id: int = 1) -> list[object]:
        sample = MeterSample(evse_id, energy_Wh, 0.0, 0.0, (0.0, 0.0, 0.0), (230.0, 230.0, 230.0), 50.0)
        self.context.evses[evse_id].meter = sample
        return self.hear(sample)

    # ---- the CSMS

    def allow(self, status: str = "Accepted", group: str = "", **more: Any) -> list[object]:
        """The oldest Authorize is answered."""
        return self.answer("Authorize", {"idTokenInfo": {"status": status, **grouped(group), **more}})

    def judge(self, status: str, token: IdToken = CARD, transaction_id: str = "t1", evse_id: int = 1, **more: Any) -> list[object]:
        return self.hear(TransactionTokenJudged(evse_id, transaction_id, token, {"status": status, **more}))

    def charging(self, token: IdToken = CARD, evse_id: int = 1, group: str = "") -> None:
        """A car is plugged in, its token accepted by the CSMS, and the transaction goes on."""
        self.plug(evse_id)
        self.swipe(token, evse_id)
        self.allow(group=group)
        self.begin(evse_id, f"t{evse_id}")
        assert self.context.evses[evse_id].id_token == token

    def start_remotely(self, token: IdToken = CARD, evse_id: int | None = 1, **more: Any) -> Any:
        where = {} if evse_id is None else {"evseId": evse_id}
        return self.ask(
            "RequestStartTransaction", {"remoteStartId": 7, "idToken": {"idToken": token.id_token, "type": token.type}, **where, **more}
        )

    def send_list(self, version: int, *items: tuple[IdToken, dict[str, Any] | None], full: bool = True) -> Any:
        entries = [
            {"idToken": {"idToken": token.id_token, "type": token.type}, **({} if info is None else {"idTokenInfo": info})}
            for token, info in items
        ]
        kind = "Full" if full else "Differential"
        request = {"versionNumber": version, "updateType": kind, **({"localAuthorizationList": entries} if entries else {})}
        return self.ask("SendLocalList", request)

    # ---- what came of it

    def token_of(self, evse_id: int = 1) -> IdToken | None:
        return self.context.evses[evse_id].id_token

    def authorised(self) -> list[Authorised]:
        return self.said(Authorised)

    def ends(self) -> list[tuple[int, str, str]]:
        return [(each.evse_id, each.reason, each.trigger) for each in self.said(AuthorisationEnded)]

    def refusals(self) -> list[str]:
        return [each.status for each in self.said(AuthorisationRefused)]

    def shown(self) -> list[str]:
        return [each.key for each in self.said(Indicate)]

    def another_life(self, **changes: Any) -> AuthRig:
        """The same store, another process."""
        return AuthRig(config=self.config, store=self.store, start=50.0, utc=self.now.utc, **changes)


def grouped(group: str) -> dict[str, Any]:
    return {"groupIdToken": {"idToken": group, "type": "Central"}} if group else {}


__all__ = ["BLOCKS", "CARD", "OTHER", "AuthRig", "grouped"]
