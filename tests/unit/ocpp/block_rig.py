"""OCPP blocks on a bench of virtual time: they hear each other, the test is the CSMS, and every payload is held against its official schema."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import jsonschema_rs

from chargepoint import codec
from chargepoint.clock import WallClock
from chargepoint.commands import Command, Delete, Persist
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.entropy import Entropy
from chargepoint.events import Event, EvseSeen, LinkDown, LinkUp, Persisted, PoweredUp, TimerExpired
from chargepoint.facts import EvseFacts, LinkFacts
from chargepoint.ocpp.block import Block, Context
from chargepoint.ocpp.boot_reason import boot_reason
from chargepoint.ocpp.device_model import DeviceModel, VariableChanged
from chargepoint.ocpp.messages import Answer, AnswerError, Call, CallAnswered, CallFailed, CallReceived
from chargepoint.ocpp.vendors import Vendor, by_id
from chargepoint.tick import Tick

T = TypeVar("T")
NOW = "2026-11-24T12:00:00.000Z"
NOW_UTC = 1795521600.0
CONFIG = StationConfig(
    vendor="Acme",
    model="Wallbox 1",
    serial="SN1",
    csms=CsmsConfig(url="ws://localhost/", identity="CP1", security_profile=1, basic_auth_password="0123456789abcdef"),
    evses=(EvseConfig(id=1), EvseConfig(id=2, connector="sType2", max_current_A=32.0, phases=1)),
    timings=Timings(boot_jitter_s=0),
)


@cache
def validator(name: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(files("ocpp.v21").joinpath("schemas", f"{name}.json").read_text("utf-8-sig")))


def valid(name: str, payload: Any) -> None:
    problems = [f"{error.instance_path}: {error.message}" for error in validator(name).iter_errors(payload)]
    assert not problems, f"{name}: {problems}"


@dataclass
class BlockRig:
    """Some blocks, one station's facts, and a CSMS that is the test itself."""

    blocks: Sequence[type[Block]]
    config: StationConfig = CONFIG
    store: dict[str, dict[str, Any]] = field(default_factory=dict)
    start: float = 1000.0
    utc: float = NOW_UTC
    writes: bool = True
    seed: str = "7"
    vendors: Sequence[Vendor] = ()

    def __post_init__(self) -> None:
        self.now = Tick(self.start, self.utc)
        self.log: list[object] = []
        self.calls: list[Call] = []
        self.context = Context(
            config=self.config,
            model=DeviceModel([row for block in self.blocks for row in block.variables], [evse.id for evse in self.config.evses]),
            clock=WallClock(),
            entropy=Entropy(self.seed),
            evses={evse.id: EvseFacts(evse.id) for evse in self.config.evses},
            link=LinkFacts(),
            vendors=by_id(self.vendors),
        )
        self.machines = [block(self.context) for block in self.blocks]
        self.ids = 0

    # ---- the station's side

    def hear(self, *events: object) -> list[object]:
        """Deliver until quiet; commands, calls and answers come out, in order, and are kept in `log`."""
        return self._run([(None, event) for event in events])

    def _run(self, waiting_for: Sequence[tuple[Block | None, object]]) -> list[object]:
        out: list[object] = []
        waiting = deque(waiting_for)
        while waiting:
            one, event = waiting.popleft()
            for machine in [one] if one else self.machines:
                self._through_a_snapshot(machine)
                for result in machine.handle(self.now, event):
                    out.append(result)
                    if isinstance(result, (Event, VariableChanged)):
                        waiting.append((None, result))
                    elif isinstance(result, Persist):
                        self._write(result)
                        if result.refs and self.writes:
                            waiting.append((None, Persisted(result.refs)))
                    elif isinstance(result, Call):
                        valid(f"{result.action}Request", result.payload)
                        self.calls.append(result)
                    elif not isinstance(result, (Command, Answer, AnswerError)):
                        raise TypeError(f"{result!r} is neither event nor command")
        self.log.extend(out)
        return out

    def _through_a_snapshot(self, machine: Block) -> None:
        """Each event finds the state as a journal segment would bring it back."""
        if machine.state is not None:
            kind = type(machine.state)
            machine.state = codec.load(kind, json.loads(json.dumps(codec.dump(kind, machine.state))), "state")

    def _write(self, persist: Persist) -> None:
        for write in persist.writes:
            if isinstance(write, Delete):
                self.store.get(write.table, {}).pop(write.key, None)
            else:
                self.store.setdefault(write.table, {})[write.key] = json.loads(json.dumps(write.value))

    def advance(self, seconds: float) -> list[object]:
        """Let time pass; whoever is due gets its timer."""
        out: list[object] = []
        end = self.now.mono + seconds
        for _ in range(10_000):
            due = min((d for m in self.machines if (d := m.deadline()) is not None), default=None)
            if due is None or due > end:
                break
            self._go_to(max(due, self.now.mono))
            out += self._run([(m, TimerExpired()) for m in self.machines if (d := m.deadline()) is not None and d <= self.now.mono])
        else:
            raise AssertionError("a deadline that does not move")
        self._go_to(end)
        return out

    def _go_to(self, mono: float) -> None:
        self.now = Tick(mono, self.now.utc + mono - self.now.mono)

    # ---- the world's side

    def power_up(self, reason: str = "PowerUp", **more: Any) -> list[object]:
        """The start, and the first look at each pilot."""
        stored = {table: dict(rows) for table, rows in self.store.items()}
        start = PoweredUp(boot_reason(reason, stored), "00", stored, **more)
        return self.hear(start, *(EvseSeen(evse_id) for evse_id in self.context.evses))

    def link_up(self, slot: int = 1) -> list[object]:
        link = self.context.link
        link.connected, link.slot, link.security_profile, link.subprotocol, link.offline_since = (
            True,
            slot,
            self.config.csms.security_profile,
            "ocpp2.1",
            None,
        )
        return self.hear(LinkUp(1, "ocpp2.1"))

    def link_down(self, cause: Any = "closed") -> list[object]:
        """The link breaks, and with it every call that is under way."""
        self.context.link.connected, self.context.link.offline_since = False, self.now.mono
        out = self.hear(LinkDown(1, cause))
        lost, self.calls = self.calls, []
        for call in lost:
            out += self.hear(CallFailed(call.token, call.action, "ConnectionLost", ""))
        return out

    def pop(self, action: str) -> Call:
        """The oldest call of that action that is under way."""
        call = next((call for call in self.calls if call.action == action), None)
        assert call is not None, f"no {action} under way, but {[c.action for c in self.calls]}"
        self.calls.remove(call)
        return call

    def answer(self, action: str, payload: Any) -> list[object]:
        """The CSMS answers the oldest call of that action."""
        valid(f"{action}Response", payload)
        call = self.pop(action)
        return self.hear(CallAnswered(call.token, action, payload))

    def refuse(self, action: str, code: str = "InternalError") -> list[object]:
        call = self.pop(action)
        return self.hear(CallFailed(call.token, action, code, ""))

    def accept_all(self) -> None:
        """The CSMS answers everything that has an empty answer."""
        for call in list(self.calls):
            if call.action in ("StatusNotification", "NotifyEvent", "SecurityEventNotification", "NotifyReport"):
                self.answer(call.action, {})

    def boot(self, status: str = "Accepted", interval: int = 300) -> list[object]:
        """Power, link, BootNotification and its answer."""
        return [
            *self.power_up(),
            *self.link_up(),
            *self.answer("BootNotification", {"status": status, "interval": interval, "currentTime": NOW}),
        ]

    def ask(self, action: str, payload: Any) -> Any:
        """The CSMS calls; gives the answer's payload, or the AnswerError."""
        valid(f"{action}Request", payload)
        self.ids += 1
        out = self.hear(CallReceived(f"m{self.ids}", action, payload))
        answers = [result for result in out if isinstance(result, (Answer, AnswerError))]
        assert len(answers) == 1, answers
        if isinstance(answers[0], AnswerError):
            return answers[0]
        valid(f"{action}Response", answers[0].payload)
        return answers[0].payload

    def said(self, kind: type[T]) -> list[T]:
        return [result for result in self.log if isinstance(result, kind)]

    def actions(self) -> list[str]:
        return [call.action for call in self.calls]

    def restart(self) -> BlockRig:
        """The same store, another process."""
        return BlockRig(self.blocks, self.config, self.store, start=50.0, utc=self.now.utc)
