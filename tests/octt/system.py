"""The test system of a certification case, in the CSMS's place: a whole station on simulated power and virtual time, scripted from both ends.

A case reads as its procedure does: bring the station into a state, do or say one thing, and name what has to come next. Whatever the station says has
to be named in order (`expect`), but for the actions in `ignores`; what must not come is named by `nothing`. Each frame of either side is held against the
official schemas as it passes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from bench.csms.server import DECENT
from bench.ev import Ev, ev
from bench.heap import Heap
from certs.store import Store
from chargepoint.commands import Restart
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.events import LinkSwitched
from chargepoint.ocpp import schemas
from hal.sim.evse import PlugHeld, SimEvse, SimEvseOptions
from hal.sim.world import SimWorld
from hal.types import EvseInfo, TokenPresented

Payload = dict[str, Any]
Answer = Payload | Callable[[Payload], Payload | list[Any] | None]
SCHEMAS = "v21"
CARD, OTHER_CARD, STRANGER = "04A1B2C3D4E5F6", "04112233445566", "04FFFFFFFFFFFF"
CHATTER = frozenset({"Heartbeat", "StatusNotification", "NotifyEvent", "SecurityEventNotification", "MeterValues"})
"""What may come at any time; a case about one of them takes it out of `ignores`."""
STEP_S = 0.05
LONG_WAIT_S, LONG_STEP_S = 3.0, 0.25
"""Whoever waits longer than this looks less often whether the process has ended."""
WITHIN_S = 60.0
OFF_S = 2.0
"""From the end of a process to its next start."""


class NotAnswered(AssertionError):
    """The station answered a call with CALLERROR."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Said:
    """A call of the station."""

    at: float
    action: str
    payload: Payload

    def __str__(self) -> str:
        return f"{self.at:9.2f} {self.action} {json.dumps(self.payload)[:300]}"


def fits(wanted: Any, got: Any) -> bool:
    """Whether all that is wanted is there: of a mapping each key that is named; of a list each entry in its place; a function is asked; None: absent."""
    if callable(wanted):
        return bool(wanted(got))
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(fits(value, got.get(key)) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return isinstance(got, list) and len(got) == len(wanted) and all(map(fits, wanted, got))
    return bool(wanted == got)


@dataclass
class TestSystem:
    """`start` first, or `booted`."""

    __test__ = False

    evses: int = 1
    variables: dict[str, str] = field(default_factory=dict)
    """What the configuration sets: "TxCtrlr.TxStartPoint" -> value."""
    more: dict[str, Any] = field(default_factory=dict)
    """Other fields of StationConfig."""
    socket: bool = False
    """EVSEs have a socket with a lock instead of a cable of their own."""
    tokens: dict[str, str] = field(default_factory=lambda: {CARD: "Accepted", OTHER_CARD: "Accepted"})
    """idToken -> its status; any other is Invalid."""
    groups: dict[str, str] = field(default_factory=dict)
    """idToken -> its group."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """Action -> payload, or a function of the request. Of a function, None is silence, and a list a frame whose id is filled in."""
    interval_s: int = 300
    ignores: set[str] = field(default_factory=lambda: set(CHATTER))
    certificates: Callable[[], Store] | None = None

    def __post_init__(self) -> None:
        self.heap = self._heap()
        self.all: list[Said] = []
        """Every call, as it came."""
        self._unheard: deque[Said] = deque()
        self._answered: dict[str, list[Any]] = {}
        self._open: dict[str, str] = {}
        self._number = 0

    def _heap(self) -> Heap:
        connector: Literal["sType2", "cType2"] = "sType2" if self.socket else "cType2"
        settings: dict[str, Any] = {
            "csms": CsmsConfig(url="ws://csms.example/ocpp", security_profile=1, basic_auth_password="0123456789abcdef"),
            "evses": tuple(EvseConfig(id=n + 1, connector=connector, max_current_A=32.0) for n in range(self.evses)),
            "timings": Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
            "serial": "CP-1",
            "variables": self.variables,
        }
        config = StationConfig(**(settings | self.more))
        world = SimWorld([SimEvseOptions(EvseInfo(e.id, 32.0, connector=e.connector, has_lock=self.socket)) for e in config.evses])
        heap = Heap(config, world, self._csms, seed="0c77")
        heap.certificates = self.certificates
        return heap

    # ---- the CSMS's end

    def _csms(self, message_id: str, action: str, payload: Payload) -> Any:
        self._check(schemas.request_name(SCHEMAS, action) or action, payload, received=False)
        said = Said(self.heap.now, action, payload)
        self.all.append(said)
        self._unheard.append(said)
        given = self.answers[action] if action in self.answers else self._usual(action, payload)
        answer = given(payload) if callable(given) else given
        if answer is None:
            return None
        if isinstance(answer, list):
            return [answer[0], message_id, *answer[2:]]
        self._check(schemas.response_name(action), answer, received=True)
        return answer

    def _usual(self, action: str, payload: Payload) -> Payload:
        match action:
            case "BootNotification":
                return {"currentTime": self.utc(), "interval": self.interval_s, "status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": self.utc()}
            case "Authorize":
                return {"idTokenInfo": self.info(payload["idToken"]["idToken"])}
            case "TransactionEvent" if "idToken" in payload:
                return {"idTokenInfo": self.info(payload["idToken"]["idToken"])}
            case _:
                return dict(DECENT.get(action, {}))

    def info(self, token: str) -> Payload:
        """IdTokenInfo of this token."""
        info: Payload = {"status": self.tokens.get(token, "Invalid")}
        if token in self.groups:
            info["groupIdToken"] = {"idToken": self.groups[token], "type": "Central"}
        return info

    def utc(self, ahead_s: float = 0.0) -> str:
        """Now, or then, as messages write it."""
        then = datetime.fromtimestamp(self.heap.now + self.heap.utc_offset + ahead_s, UTC)
        return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @staticmethod
    def _check(name: str, payload: Any, *, received: bool) -> None:
        violation = schemas.check(SCHEMAS, name, payload, received=received)
        assert violation is None, f"{name}: {violation}: {json.dumps(payload)[:2000]}"

    def call(self, action: str, payload: Payload | None = None, *, raw: bool = False, within_s: float = 1.0) -> Payload:
        """The station's answer, which comes within a second. `raw`: the request may be against its schema. Raises NotAnswered for a CALLERROR."""
        if not raw:
            self._check(f"{action}Request", payload or {}, received=True)
        self._number += 1
        message_id = f"tc{self._number}"
        self._open[message_id] = action
        before = len(self.heap.frames)
        self.heap.receive([2, message_id, action, payload or {}])
        for _ in range(round(within_s / STEP_S)):
            for frame in self.heap.frames[before:]:
                if frame[0] in (3, 4) and frame[1] == message_id:
                    if frame[0] == 4:
                        raise NotAnswered(frame[2], frame[3])
                    self._check(f"{action}Response", frame[2], received=False)
                    answer: Payload = frame[2]
                    return answer
            self.wait(STEP_S)
        raise AssertionError(f"{action} was not answered")

    def refused(self, action: str, payload: Payload | None = None) -> str:
        """The code of the CALLERROR that this gets; it may be against its schema."""
        with pytest.raises(NotAnswered) as caught:
            self.call(action, payload, raw=True)
        return caught.value.code

    def set(self, name: str, value: str, **at: Any) -> str:
        """The status that SetVariables gives "Component.Variable"; `at` goes beside it: evse, attributeType."""
        component, _, variable = name.partition(".")
        evse = at.pop("evse", None)
        named: Payload = {"name": component} | ({"evse": {"id": evse}} if evse else {})
        data = {"component": named, "variable": {"name": variable}, "attributeValue": value, **at}
        status: str = self.call("SetVariables", {"setVariableData": [data]})["setVariableResult"][0]["attributeStatus"]
        return status

    def get(self, name: str, **at: Any) -> str:
        """The value of "Component.Variable"; raises AssertionError where there is none."""
        component, _, variable = name.partition(".")
        evse = at.pop("evse", None)
        named: Payload = {"name": component} | ({"evse": {"id": evse}} if evse else {})
        data = {"component": named, "variable": {"name": variable}, **at}
        (result,) = self.call("GetVariables", {"getVariableData": [data]})["getVariableResult"]
        assert result["attributeStatus"] == "Accepted", result
        value: str = result["attributeValue"]
        return value

    # ---- what has to come

    def expect(self, action: str, within_s: float = WITHIN_S, **wanted: Any) -> Payload:
        """The next call that is not ignored, which has to be this one, with these fields."""
        until = self.heap.now + within_s
        while True:
            while self._unheard:
                said = self._unheard.popleft()
                if said.action == action:
                    assert fits(wanted, said.payload), f"wanted {action} {wanted}\ngot {said}\nafter\n{self.story()}"
                    return said.payload
                assert said.action in self.ignores, f"wanted {action} {wanted}\ngot {said}\nafter\n{self.story()}"
            assert self.heap.now < until, f"{action} {wanted} did not come within {within_s} s\n{self.story()}"
            self.wait(STEP_S)

    def among(self, action: str, within_s: float = WITHIN_S, **wanted: Any) -> Payload:
        """A call like this, whatever came before it: what came is done with."""
        until = self.heap.now + within_s
        while True:
            while self._unheard:
                said = self._unheard.popleft()
                if said.action == action and fits(wanted, said.payload):
                    return said.payload
            assert self.heap.now < until, f"{action} {wanted} did not come within {within_s} s\n{self.story()}"
            self.wait(STEP_S)

    def tx(self, event: str, trigger: str | None = None, within_s: float = WITHIN_S, **wanted: Any) -> Payload:
        """A TransactionEvent; of transactionInfo: `state`, `reason`, `remote`."""
        inner = {key: wanted.pop(short) for short, key in INFO.items() if short in wanted}
        more = {"triggerReason": trigger} if trigger else {}
        return self.expect("TransactionEvent", within_s, eventType=event, **more, **({"transactionInfo": inner} if inner else {}), **wanted)

    def status(self, connector: str, evse: int = 1, within_s: float = WITHIN_S) -> Payload:
        """This connector's next state, as either message tells it: NotifyEvent of AvailabilityState, or StatusNotification."""
        self.ignores -= {"StatusNotification"}
        try:
            return self.expect("StatusNotification", within_s, evseId=evse, connectorStatus=connector)
        finally:
            self.ignores.add("StatusNotification")

    def nothing(self, *actions: str, for_s: float = WITHIN_S) -> None:
        """None of these comes in that time; without any: nothing that is not ignored."""
        self.wait(for_s)
        came = [said for said in self._unheard if (said.action in actions if actions else said.action not in self.ignores)]
        assert not came, "\n".join(map(str, came))

    def forget(self) -> None:
        """What came so far is of no interest."""
        self._unheard.clear()

    def said(self, action: str) -> list[Payload]:
        """All calls of this kind so far, heard or not."""
        return [said.payload for said in self.all if said.action == action]

    def story(self) -> str:
        return "\n".join(map(str, self.all[-12:]))

    # ---- time, line and power

    def wait(self, seconds: float) -> None:
        """Let time pass; a process that wants to begin anew does."""
        until = self.heap.now + seconds
        while self.heap.now < until:
            self.heap.run(min(LONG_STEP_S if until - self.heap.now > LONG_WAIT_S else STEP_S, until - self.heap.now))
            if isinstance(self.heap.ended, Restart):
                self.heap.cut()
                self.heap.run(OFF_S)
                self.heap.start("ApplicationReset")

    def start(self, reason: str = "PowerUp") -> None:
        self.heap.start(reason)

    def booted(self) -> TestSystem:
        """Started, accepted, and what it said about that taken."""
        self.start()
        self.expect("BootNotification")
        self.wait(2.0)
        self.forget()
        return self

    def offline(self) -> None:
        self.heap.reachable = False
        self.heap.lose_link("closed")

    def online(self) -> None:
        self.heap.reachable = True

    def pulled(self, *, up: bool) -> None:
        """The network cable."""
        self.heap.tell(LinkSwitched(up=up))

    def power_loss(self, for_s: float = 10.0, reason: str = "PowerUp") -> None:
        self.heap.cut()
        self.heap.run(for_s)
        self.heap.start(reason)

    # ---- the driver's end

    def evse(self, evse_id: int = 1) -> SimEvse:
        return self.heap.world.evses[evse_id]

    def plug(self, evse_id: int = 1, *, ready: bool = True, name: str = "three-phase", **changes: Any) -> Ev:
        """A vehicle comes; one that is not `ready` stays in state B."""
        car = ev(name, self.heap.now, **changes)
        if not ready:
            car.pause()
        self.evse(evse_id).plug(car)
        self.wait(0.5)
        return car

    def unplug(self, evse_id: int = 1) -> None:
        """At the vehicle where the station holds the plug, else there."""
        try:
            self.evse(evse_id).unplug_socket()
        except PlugHeld:
            self.evse(evse_id).unplug_vehicle()
        self.wait(0.5)

    def swipe(self, token: str = CARD, evse_id: int = 1, kind: str = "ISO14443") -> None:
        self.heap.tell(TokenPresented(token, kind, (evse_id,)))
        self.wait(0.1)

    def tell(self, event: object) -> None:
        """Any other input of the station."""
        self.heap.tell(event)

    def closed(self, evse_id: int = 1) -> bool:
        """What the board's physics see of the contactor."""
        return self.evse(evse_id).contactor.poles > 0

    # ---- reusable states of the procedures

    def charging(self, evse_id: int = 1, token: str = CARD) -> str:
        """EnergyTransferStarted by cable and card; the transaction's id. What was said on the way is done with."""
        self.plug(evse_id)
        self.wait(3.0)
        self.swipe(token, evse_id)
        event = self.among(
            "TransactionEvent", transactionInfo={"chargingState": "Charging"}, evse=lambda it: it is None or it["id"] == evse_id
        )
        self.wait(2.0)
        self.forget()
        found: str = event["transactionInfo"]["transactionId"]
        return found


INFO = {"state": "chargingState", "reason": "stoppedReason", "remote": "remoteStartId", "transaction": "transactionId"}
