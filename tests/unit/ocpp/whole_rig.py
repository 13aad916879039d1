"""One EVSE with everything that decides about its charge, on a simulated board and EV: pilot, contactor, authorisation, transaction, outbox.

The test is the driver and the CSMS: what is asked waits in `calls` until it is answered, unless `answer` says what comes at once.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from chargepoint.authorize import AuthorizeMachine
from chargepoint.clock import WallClock
from chargepoint.commands import Command, Delete, Persist
from chargepoint.config import CsmsConfig, StationConfig
from chargepoint.entropy import Entropy
from chargepoint.events import Event, IdToken, LinkDown, LinkUp, Persisted, PoweredUp, RegistrationChanged, TimerExpired
from chargepoint.evse import EvseMachine
from chargepoint.evse_state import EvseState
from chargepoint.facts import EvseFacts, LinkFacts
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.blocks.authorization import AuthorizationBlock
from chargepoint.ocpp.blocks.local_list import LocalListBlock
from chargepoint.ocpp.blocks.meter_values import MeterValues, SamplingRows
from chargepoint.ocpp.blocks.remote_control import RemoteControlBlock
from chargepoint.ocpp.blocks.transactions import TransactionRows, Transactions
from chargepoint.ocpp.device_model import DeviceModel, VariableChanged
from chargepoint.ocpp.messages import Answer, AnswerError, Call, CallAnswered, CallFailed, CallReceived
from chargepoint.ocpp.outbox import Outbox
from chargepoint.ocpp.variable import parse_place
from chargepoint.tick import Tick
from chargepoint.transaction import TransactionMachine
from hal.types import TokenPresented
from tests.unit.chargepoint.rig import Rig, World
from tests.unit.ocpp.authorize_rig import CARD, grouped
from tests.unit.ocpp.block_rig import valid

ROWS = (Transactions, MeterValues, AuthorizationBlock, LocalListBlock, RemoteControlBlock)


@dataclass
class Everything:
    """Machines that hear each other until quiet; looks like one to the rig."""

    machines: list[Any]
    store: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def state(self) -> EvseState:
        state: EvseState = self.machines[0].state
        return state

    def deadline(self) -> float | None:
        return min((d for m in self.machines if (d := m.deadline()) is not None), default=None)

    def handle(self, now: Tick, event: object) -> list[object]:
        out: list[object] = []
        due = [m for m in self.machines if (d := m.deadline()) is not None and d <= now.mono]
        waiting: deque[tuple[Any, object]] = deque((m, event) for m in (due if isinstance(event, TimerExpired) else self.machines))
        while waiting:
            machine, happened = waiting.popleft()
            for result in machine.handle(now, happened):
                out.append(result)
                heard = (
                    self._written(result)
                    if isinstance(result, Persist)
                    else [result]
                    if isinstance(result, (Event, VariableChanged))
                    else []
                )
                waiting.extend((m, each) for each in heard for m in self.machines)
        return out

    def _written(self, persist: Persist) -> list[object]:
        for write in persist.writes:
            if isinstance(write, Delete):
                self.store.get(write.table, {}).pop(write.key, None)
            else:
                self.store.setdefault(write.table, {})[write.key] = json.loads(json.dumps(write.value))
        return [Persisted(persist.refs)] if persist.refs else []


@dataclass
class WholeRig(Rig):
    """`durable` is the transaction machine's matter here."""

    durable: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    local_tokens: tuple[str, ...] = ()
    answer: Callable[[Call], dict[str, Any] | None] = lambda call: None if call.action == "Authorize" else {}

    def __post_init__(self) -> None:
        self.now = 100.0
        self.world = World()
        self.events, self.commands, self._heap, self._ids = [], [], [], count()
        self.calls: list[Call] = []
        self.sent: list[dict[str, Any]] = []
        self.facts = EvseFacts(self.config.id)
        evses, link, clock, entropy = {self.config.id: self.facts}, LinkFacts(), WallClock(), Entropy("5")
        config = StationConfig(csms=CsmsConfig(url="ws://localhost/"), evses=(self.config,), local_tokens=self.local_tokens)
        model = DeviceModel([row for block in ROWS for row in block.variables], evses)
        for key, value in self.variables.items():
            place = parse_place(key)
            model.values[place] = model.checked(place, value)
        self.context = Context(config, model, clock, entropy, evses, link)
        rows = TransactionRows(model)
        self.machine: Any = Everything(
            [
                EvseMachine(self.config, self.timings, self.facts, self.traits, clock, **self.extra),
                AuthorizeMachine(config, evses),
                TransactionMachine(config, rows, SamplingRows(model), evses, link, clock, entropy),
                Outbox(rows, link, clock),
                *(block(self.context) for block in ROWS),
            ]
        )
        self.connect()
        self.tell(PoweredUp(self.reason, "00", {}))
        self.run(0.1)

    def tell(self, event: object) -> list[object]:
        out = super().tell(event)
        for call in out:
            if isinstance(call, Call):
                valid(f"{call.action}Request", call.payload)
                if call.action == "TransactionEvent":
                    self.sent.append(call.payload)
                payload = self.answer(call)
                if payload is None:
                    self.calls.append(call)
                else:
                    self.later(0.0, CallAnswered(call.token, call.action, payload))
        return out

    # ---- the link and the CSMS

    def connect(self) -> None:
        link = self.context.link
        link.connected, link.registration, link.subprotocol, link.offline_since = True, "Accepted", "ocpp2.1", None
        self.tell(LinkUp(1, "ocpp2.1"))
        self.tell(RegistrationChanged("Accepted"))

    def disconnect(self) -> None:
        self.context.link.connected, self.context.link.offline_since = False, self.now
        self.tell(LinkDown(1, "closed"))
        lost, self.calls = self.calls, []
        for call in lost:
            self.tell(CallFailed(call.token, call.action, "ConnectionLost"))

    def say(self, status: str = "Accepted", group: str = "", **info: Any) -> None:
        """The CSMS answers the oldest Authorize."""
        call = next(call for call in self.calls if call.action == "Authorize")
        self.calls.remove(call)
        self.tell(CallAnswered(call.token, "Authorize", {"idTokenInfo": {"status": status, **grouped(group), **info}}))

    def fail(self, code: str = "Timeout") -> None:
        call = next(call for call in self.calls if call.action == "Authorize")
        self.calls.remove(call)
        self.tell(CallFailed(call.token, "Authorize", code))

    def answer_late(self, call: Call, payload: dict[str, Any]) -> None:
        if call in self.calls:
            self.calls.remove(call)
        self.tell(CallAnswered(call.token, call.action, payload))

    def ask(self, action: str, payload: dict[str, Any]) -> Any:
        valid(f"{action}Request", payload)
        found = [each for each in self.tell(CallReceived("m1", action, payload)) if isinstance(each, (Answer, AnswerError))]
        assert len(found) == 1, found
        return found[0].payload if isinstance(found[0], Answer) else found[0]

    def stop_remotely(self) -> Any:
        return self.ask("RequestStopTransaction", {"transactionId": self.facts.transaction_id})

    # ---- the driver

    def swipe(self, token: IdToken = CARD) -> None:
        self.tell(TokenPresented(token.id_token, token.type, (self.config.id,)))

    def charges(self) -> WholeRig:
        """As far as an ordinary charge, by card."""
        self.plug()
        self.run(4.0)
        self.swipe()
        if any(call.action == "Authorize" for call in self.calls):
            self.say()
        self.run(4.0)
        self.s2(closed=True)
        self.run(1.0)
        assert self.world.closed
        return self

    # ---- what came of it

    def story(self) -> list[str]:
        told = []
        for payload in self.sent:
            info = payload["transactionInfo"]
            more = [info.get("chargingState", ""), info.get("stoppedReason", "")]
            told.append(" ".join([payload["eventType"], payload["triggerReason"], *(each for each in more if each)]))
        return told

    def commands_of(self, kind: type[Command]) -> list[Any]:
        return self.did(kind)
