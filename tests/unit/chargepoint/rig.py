"""An EVSE machine on a bench of virtual time: a small board and an EV around it, all explicit, nothing asynchronous.

The board obeys: outputs show on the pilot, the contactor travels for 20 ms, the lease opens it when it lapses. Each of these can be broken.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from chargepoint import codec
from chargepoint.clock import WallClock
from chargepoint.commands import (
    CloseContactor,
    Lane,
    LockCable,
    OpenContactor,
    Permit,
    ResetResidualCurrent,
    SetDuty,
    SetStateF,
    SetX1,
    UnlockCable,
    WithdrawPermit,
)
from chargepoint.config import EvseConfig, Timings
from chargepoint.events import (
    AuthorisationEnded,
    Authorised,
    ChargingState,
    HardwareDone,
    IdToken,
    PoweredUp,
    PowerWanted,
    TimerExpired,
    TransactionDurable,
)
from chargepoint.evse import EvseMachine
from chargepoint.evse_state import EvseState
from chargepoint.facts import EvseFacts
from chargepoint.pilot import CpState
from chargepoint.tick import Tick
from hal.types import ContactorFeedback, EvseInfo, LockState, MeterSample, PilotVoltage, ProximityResistance

TOKEN = IdToken("04AABBCC", "ISO14443")
TRAVEL_S = 0.02
STORED: dict[str, dict[str, Any]] = {}
RAW = EvseInfo(max_current_A=80, has_lock=True)
TIMINGS = Timings(boot_jitter_s=0, close_after_boot_s=0, meter_silence_s=1e9)


@dataclass
class World:
    """What is really so."""

    connected: bool = False
    s2: bool = False
    ventilated: bool = False
    diode: bool = True
    short: bool = False
    ohm: float | None = None
    pilot: str = "X1"
    duty: float = 0.0
    closed: bool = False
    phases: int = 0
    welded: bool = False
    stuck_open: bool = False
    permit_until: float = 0.0
    locked: bool = False
    lock_broken: bool = False
    draws_A: float | None = None
    energy_Wh: float = 1000.0
    deaf: bool = False
    """The board takes no commands and says nothing."""

    def high_V(self) -> float:
        if self.pilot == "F":
            return -12.0
        if self.short:
            return 0.0
        if not self.connected:
            return 12.0
        return (3.0 if self.ventilated else 6.0) if self.s2 else 9.0

    def low_V(self) -> float | None:
        if self.pilot != "X2":
            return None
        return -12.0 if self.diode or not self.connected else -self.high_V()


@dataclass
class Rig:
    """Drive it: `plug()`, `authorise()`, `run(seconds)`; look at `world`, `events`, `commands`."""

    config: EvseConfig = field(default_factory=EvseConfig)
    timings: Timings = TIMINGS
    traits: EvseInfo = RAW
    stored: dict[str, Any] = field(default_factory=dict)
    durable: bool = True
    reason: str = "LocalReset"
    power_up: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = 100.0
        self.world = World()
        self.facts = EvseFacts(evse_id=self.config.id)
        self.machine = EvseMachine(self.config, self.timings, self.facts, self.traits, WallClock(), **self.extra)
        self.events: list[tuple[float, object]] = []
        self.commands: list[tuple[float, object]] = []
        self._heap: list[tuple[float, int, object]] = []
        self._ids = count()
        if self.power_up:
            self.tell(PoweredUp(self.reason, "00", {"faults": self.stored}))
            self.run(0.1)

    # ---- driving

    def tell(self, event: object) -> list[object]:
        """One event, now; the board obeys what comes out. Gives what came out."""
        out = list(self.machine.handle(Tick(self.now, 1_700_000_000 + self.now), event))
        codec.load(EvseState, codec.dump(EvseState, self.machine.state))  # a snapshot is possible at any moment
        out.sort(key=lambda i: getattr(i, "lane", Lane.NORMAL) is not Lane.SAFE)  # as the station does
        for item in out:
            if hasattr(item, "lane"):
                self.commands.append((self.now, item))
                self._obey(item)
            else:
                self.events.append((self.now, item))
        if self.durable and any(isinstance(item, PowerWanted) for item in out):
            self.tell(TransactionDurable(self.config.id, "tx-1"))
        return out

    def later(self, delay_s: float, event: object) -> None:
        heapq.heappush(self._heap, (self.now + delay_s, next(self._ids), event))

    def run(self, seconds: float) -> None:
        """Let time pass: the board reads the pilot each 10 ms when something moved, the meter each second."""
        end = self.now + seconds
        for _ in range(1_000_000):
            moments = [end]
            if self._heap:
                moments.append(self._heap[0][0])
            deadline = self.machine.deadline()
            if deadline is not None:
                moments.append(max(deadline, self.now))
            self.now = max(self.now, min(moments))
            self._lapse()
            if self._heap and self._heap[0][0] <= self.now:
                self._due(heapq.heappop(self._heap)[2])
            elif deadline is not None and deadline <= self.now:
                self.tell(TimerExpired())
            elif self.now >= end:
                return
        raise AssertionError("time does not pass: a deadline stays in the past")

    def _due(self, event: object) -> None:
        if callable(event):
            event()
        elif not self.world.deaf:
            self.tell(event)

    def meter(self, current_A: float | None = None, seconds: float = 0.0) -> None:
        """A reading each second for so long (one at least)."""
        for i in range(int(seconds) + 1):
            drawn = self.world.draws_A if current_A is None else current_A
            self.world.energy_Wh += 1
            self.tell(MeterSample(self.config.id, self.world.energy_Wh, 0.0, 0.0, (drawn or 0.0,) * 3, (230.0,) * 3, 50.0))
            if i < int(seconds):
                self.run(1.0)

    # ---- the EV and the driver

    def plug(self, *, s2: bool = False, ohm: float | None = 220.0) -> None:
        self.world.connected, self.world.s2, self.world.ohm = True, s2, ohm
        if self.config.connector == "sType2":
            self.tell(ProximityResistance(self.config.id, ohm))
        self.show()

    def unplug(self) -> None:
        self.world.connected = self.world.s2 = False
        self.world.ohm = None
        self.show()
        if self.config.connector == "sType2":
            self.tell(ProximityResistance(self.config.id, None))

    def s2(self, closed: bool) -> None:
        self.world.s2 = closed
        self.show()

    def show(self) -> None:
        """The board reads the pilot."""
        if not self.world.deaf and not self.traits.closes_by_itself:
            self.tell(PilotVoltage(self.config.id, self.world.high_V(), self.world.low_V()))

    def authorise(self) -> None:
        self.tell(Authorised(self.config.id, TOKEN))

    def deauthorise(self, *, at_once: bool = False) -> None:
        self.tell(AuthorisationEnded(self.config.id, "Local", "StopAuthorized", TOKEN, at_once))

    def charging(self) -> Rig:
        """As far as an ordinary charge."""
        self.plug()
        self.run(4.0)
        self.authorise()
        self.run(4.0)
        self.s2(True)
        self.run(1.0)
        assert self.world.closed, (self.machine.state, self.facts)
        return self

    # ---- the board

    def _obey(self, command: Any) -> None:
        w = self.world
        if w.deaf:
            return
        match command:
            case SetX1() | SetStateF() | SetDuty():
                w.pilot = {"SetX1": "X1", "SetStateF": "F", "SetDuty": "X2"}[type(command).__name__]
                w.duty = command.duty_percent if isinstance(command, SetDuty) else 0.0
                self._later(TRAVEL_S, self.show)
            case OpenContactor():
                self._later(TRAVEL_S, self._opened)
            case CloseContactor():
                assert self.now < w.permit_until, "closing without a lease"
                self._later(TRAVEL_S, lambda: self._closed(command.phases))
            case Permit():
                w.permit_until = self.now + command.ttl_s
            case WithdrawPermit():
                w.permit_until = 0.0
            case LockCable() | UnlockCable():
                if not w.lock_broken:
                    w.locked = isinstance(command, LockCable)
                self._later(0.3, lambda: self.tell(LockState(self.config.id, w.locked, False)))
            case ResetResidualCurrent():
                self.later(0.1, HardwareDone(self.config.id, "ResetResidualCurrent"))
            case _:
                pass

    def _later(self, delay_s: float, action: Any) -> None:
        heapq.heappush(self._heap, (self.now + delay_s, next(self._ids), action))

    def _opened(self) -> None:
        if not self.world.welded:
            self.world.closed = False
        self.tell(ContactorFeedback(self.config.id, self.world.closed, self.world.phases))

    def _closed(self, phases: int) -> None:
        if not self.world.stuck_open and self.now < self.world.permit_until:
            self.world.closed, self.world.phases = True, phases
            self.tell(ContactorFeedback(self.config.id, True, phases))

    def _lapse(self) -> None:
        """The hardware's own end of the lease."""
        if self.world.closed and self.now > self.world.permit_until and not self.world.welded and not self.world.deaf:
            self.world.closed = False
            self.later(0.0, ContactorFeedback(self.config.id, False, 0))

    # ---- looking

    def cp(self) -> CpState:
        return self.machine.state.cp

    def charging_state(self) -> ChargingState:
        return self.facts.charging_state

    def closed(self) -> bool:
        return self.world.closed

    def plug_locked(self) -> bool:
        return self.world.locked

    def pilot(self) -> str:
        return self.world.pilot

    def said(self, kind: type) -> list[Any]:
        return [e for _, e in self.events if isinstance(e, kind)]

    def did(self, kind: type) -> list[Any]:
        return [c for _, c in self.commands if isinstance(c, kind)]

    def when(self, kind: type) -> list[float]:
        return [t for t, c in (*self.commands, *self.events) if isinstance(c, kind)]

    def forget(self) -> None:
        self.events.clear()
        self.commands.clear()


def socket(**more: Any) -> EvseConfig:
    return replace(EvseConfig(connector="sType2", max_current_A=32), **more)
