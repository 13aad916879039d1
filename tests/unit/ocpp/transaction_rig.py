"""A charge on virtual time: the transaction machine, its block and the outbox; the test is the EVSE, the driver, the store and the CSMS."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chargepoint import codec
from chargepoint.clock import WallClock
from chargepoint.commands import Command, Delete, Persist
from chargepoint.config import EvseConfig, StationConfig
from chargepoint.entropy import Entropy
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRules,
    Authorised,
    CablePluggedIn,
    ChargingState,
    ChargingStateChanged,
    EvDisconnected,
    Event,
    IdToken,
    LinkDown,
    LinkUp,
    Persisted,
    PersistFailed,
    PoweredUp,
    PowerWanted,
    RegistrationChanged,
    TimerExpired,
    TransactionEnded,
)
from chargepoint.facts import EvseFacts, LinkFacts
from chargepoint.ocpp.block import Block, Context
from chargepoint.ocpp.blocks.meter_values import MeterValues, SamplingRows
from chargepoint.ocpp.blocks.transactions import TransactionRows, Transactions
from chargepoint.ocpp.device_model import DeviceModel, VariableChanged, parse_place
from chargepoint.ocpp.messages import Answer, AnswerError, Call, CallAnswered, CallFailed, CallReceived
from chargepoint.ocpp.outbox import Outbox
from chargepoint.tick import Tick
from chargepoint.transaction import TransactionMachine
from hal.types import MeterSample
from tests.unit.ocpp.block_rig import NOW_UTC, valid

T = TypeVar("T")
TOKEN = IdToken("04AABBCC", "ISO14443")
CONFIG = StationConfig(evses=(EvseConfig(id=1), EvseConfig(id=2, connector="sType2")))
Answering = Callable[[Call], "dict[str, Any] | str"]
EMPTY: Answering = lambda call: {}


@dataclass
class ChargeRig:
    """`csms` answers each call with a payload, with an error code (a text), or not at all (None)."""

    start: str = "PowerPathClosed"
    stop: str = "EVConnected,Authorized"
    variables: dict[str, str] = field(default_factory=dict)
    store: dict[str, dict[str, Any]] = field(default_factory=dict)
    csms: Callable[[Call], Any] = EMPTY
    online: bool = True
    stores: bool = True
    seed: str = "7"
    utc: float = NOW_UTC
    snapshots: bool = True
    checks: bool = True
    config: StationConfig = CONFIG
    more: tuple[type[Block], ...] = ()
    """Blocks beside those of transactions and meter values."""

    def __post_init__(self) -> None:
        self.now = Tick(1000.0, self.utc)
        self.calls: list[Call] = []
        self.sent: list[dict[str, Any]] = []
        self.log: list[object] = []
        self.evses = {evse.id: EvseFacts(evse.id) for evse in self.config.evses}
        self.link = LinkFacts()
        blocks: tuple[type[Block], ...] = (Transactions, MeterValues, *self.more)
        model = DeviceModel([row for block in blocks for row in block.variables], self.evses)
        self.context = Context(self.config, model, WallClock(), Entropy(self.seed), self.evses, self.link)
        self.rows = TransactionRows(model)
        self.transactions = Transactions(self.context)
        self.meter_values = MeterValues(self.context)
        self.machine = TransactionMachine(
            self.config, self.rows, SamplingRows(model), self.evses, self.link, self.context.clock, self.context.entropy
        )
        self.outbox = Outbox(self.rows, self.link, self.context.clock)
        self.machines: list[Any] = [
            self.machine,
            self.transactions,
            self.meter_values,
            *(block(self.context) for block in self.more),
            self.outbox,
        ]
        for key, value in {"TxCtrlr.TxStartPoint": self.start, "TxCtrlr.TxStopPoint": self.stop, **self.variables}.items():
            place = parse_place(key)
            model.values[place] = model.checked(place, value)
        if self.online:
            self.go_online()
        self.hear(PoweredUp("PowerUp", "00", {table: dict(rows) for table, rows in self.store.items()}))

    # ---- the loop

    def hear(self, *events: object) -> list[object]:
        out: list[object] = []
        waiting = deque(events)
        while waiting:
            event = waiting.popleft()
            if isinstance(event, TransactionEnded):  # as the authorize machine does
                self.evses[event.evse_id].owner = self.evses[event.evse_id].id_token = None
            for machine in self.machines:
                for result in self._deliver(machine, event):
                    out.append(result)
                    if isinstance(result, (Event, VariableChanged)):
                        waiting.append(result)
                    elif isinstance(result, Persist):
                        waiting.extend(self._write(result))
                    elif isinstance(result, Call):
                        waiting.extend(self._ask(result))
                    elif not isinstance(result, (Command, Answer, AnswerError)):
                        raise TypeError(f"{result!r} is neither event nor command")
        self.log += out
        return out

    def _deliver(self, machine: Any, event: object) -> list[object]:
        if self.snapshots and machine.state is not None:
            kind = type(machine.state)
            machine.state = codec.load(kind, json.loads(json.dumps(codec.dump(kind, machine.state))), "state")
        return list(machine.handle(self.now, event))

    def _write(self, persist: Persist) -> list[object]:
        if not self.stores:
            return [PersistFailed(persist.refs, "disk full")] if persist.refs else []
        for write in persist.writes:
            if isinstance(write, Delete):
                self.store.get(write.table, {}).pop(write.key, None)
            else:
                self.store.setdefault(write.table, {})[write.key] = json.loads(json.dumps(write.value))
        return [Persisted(persist.refs)] if persist.refs else []

    def _ask(self, call: Call) -> list[object]:
        if self.checks:
            valid(f"{call.action}Request", call.payload)
        self.calls.append(call)
        if call.action == "TransactionEvent":
            self.sent.append(call.payload)
        answer = self.csms(call)
        if answer is None:
            return []
        if isinstance(answer, str):
            return [CallFailed(call.token, call.action, answer)]
        return [CallAnswered(call.token, call.action, answer)]

    def advance(self, seconds: float) -> list[object]:
        out: list[object] = []
        end = self.now.mono + seconds
        for _ in range(100_000):
            due = min((d for m in self.machines if (d := m.deadline()) is not None), default=None)
            if due is None or due > end:
                break
            self._go_to(max(due, self.now.mono))
            out += self.hear(TimerExpired())
        else:
            raise AssertionError("a deadline that does not move")
        self._go_to(end)
        return out

    def _go_to(self, mono: float) -> None:
        self.now = Tick(mono, self.now.utc + mono - self.now.mono)

    # ---- the link

    def go_online(self) -> None:
        self.link.connected, self.link.registration, self.link.subprotocol = True, "Accepted", "ocpp2.1"
        self.hear(LinkUp(1, "ocpp2.1"), RegistrationChanged("Accepted"))

    def go_offline(self) -> None:
        self.link.connected = False
        under_way = [lane.under_way for lane in self.outbox.state.lanes.values() if lane.under_way]
        self.hear(LinkDown(1, "closed"), *(CallFailed(f"outbox:{number}", "", "ConnectionLost") for number in under_way))

    def call(self, action: str, payload: dict[str, Any]) -> Any:
        """The CSMS asks; gives the answer."""
        valid(f"{action}Request", payload)
        answers = [each for each in self.hear(CallReceived("m1", action, payload)) if isinstance(each, (Answer, AnswerError))]
        assert len(answers) == 1, answers
        if isinstance(answers[0], AnswerError):
            return answers[0]
        valid(f"{action}Response", answers[0].payload)
        return answers[0].payload

    # ---- what a driver and an EVSE do

    def meter(self, import_Wh: float, *, evse_id: int = 1, amps: float = 0.0) -> None:
        sample = MeterSample(evse_id, import_Wh, 0.0, amps * 230, (amps, 0.0, 0.0), (230.0, 230.0, 230.0), 50.0)
        facts = self.evses[evse_id]
        facts.meter, facts.meter_mono, facts.limit_A = sample, self.now.mono, 16.0
        self.hear(sample)

    def plug(self, evse_id: int = 1) -> None:
        self.evses[evse_id].plugged = True
        self.hear(CablePluggedIn(evse_id), ChargingStateChanged(evse_id, ChargingState.EV_CONNECTED))

    def unplug(self, evse_id: int = 1, *, keeps: bool = False) -> None:
        facts = self.evses[evse_id]
        facts.plugged = False
        events: list[object] = [EvDisconnected(evse_id), ChargingStateChanged(evse_id, ChargingState.IDLE)]
        if facts.id_token and not keeps:
            events.append(AuthorisationEnded(evse_id, "EVDisconnected", "EVCommunicationLost", facts.id_token))
            facts.id_token = None
        self.hear(*events)

    def swipe(self, evse_id: int = 1, remote_start_id: int | None = None) -> None:
        facts = self.evses[evse_id]
        facts.id_token = facts.owner = TOKEN
        self.hear(Authorised(evse_id, TOKEN, how="online", remote_start_id=remote_start_id))

    def stop_by(self, reason: str = "Local", trigger: str = "StopAuthorized", evse_id: int = 1) -> None:
        facts = self.evses[evse_id]
        token, facts.id_token = facts.id_token, None
        self.hear(AuthorisationEnded(evse_id, reason, trigger, token))

    def wants_power(self, evse_id: int = 1) -> None:
        self.hear(PowerWanted(evse_id))

    def charging(self, state: ChargingState = ChargingState.CHARGING, evse_id: int = 1) -> None:
        self.hear(ChargingStateChanged(evse_id, state))

    def keep_on_unplug(self) -> None:
        self.hear(AuthorisationRules(end_on_unplug=False))

    def restart(self, **changes: Any) -> ChargeRig:
        """The same store, another process."""
        base: dict[str, Any] = {
            "start": self.start,
            "stop": self.stop,
            "variables": self.variables,
            "store": self.store,
            "utc": self.now.utc,
            "config": self.config,
            "more": self.more,
        }
        return ChargeRig(**{**base, "csms": self.csms, "seed": self.seed + "'", **changes})

    # ---- what came of it

    def said(self, kind: type[T]) -> list[T]:
        return [result for result in self.log if isinstance(result, kind)]

    def story(self) -> list[str]:
        """The TransactionEvents as the CSMS got them: type, trigger, and what else one looks for first."""
        return [told(payload) for payload in self.sent]


def told(payload: dict[str, Any]) -> str:
    info = payload["transactionInfo"]
    more = [info.get("chargingState", ""), info.get("stoppedReason", "")]
    return " ".join([payload["eventType"], payload["triggerReason"], *(each for each in more if each)])
