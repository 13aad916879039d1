"""A bounded exploration of one EVSE: station x vehicle x faults, from snapshots, with no loop and no clock of its own.

The world beside the machine is the truth: contactor, pilot line, EV, cable, lock, lease. After every step the closing invariant is
checked on the world, never on what the machine believes. Times are coarse (whole seconds), readings arrive with what they show,
feedback arrives when the explorer likes: so orders of events are what is explored.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from chargepoint import codec
from chargepoint.clock import WallClock
from chargepoint.commands import (
    CloseContactor,
    Delete,
    LockCable,
    OpenContactor,
    Permit,
    Persist,
    Put,
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
    FaultAcknowledged,
    IdToken,
    LimitSet,
    PhasesWanted,
    PoweredUp,
    ShutdownRequested,
    SupplyStopped,
    TimerExpired,
    TransactionDurable,
    TransactionEnded,
    TransactionNotStored,
)
from chargepoint.evse import EvseMachine
from chargepoint.evse_state import EvseState
from chargepoint.facts import EvseFacts
from chargepoint.faults import FAULTS, Reaction, Until
from chargepoint.tick import Tick
from hal.types import (
    BoardRestarted,
    ContactorFeedback,
    EvseInfo,
    LockState,
    PhaseWiring,
    PilotState,
    PilotVoltage,
    ProximityResistance,
    ResidualCurrentTrip,
)

TTL_S = 2.0
TIMINGS = Timings(
    permit_ttl_s=TTL_S, boot_jitter_s=0, close_after_boot_s=5, meter_silence_s=1e6, pilot_open_debounce_s=0, pilot_debounce_s=0,
    reclose_after_s=2, wake_up_after_s=8, phase_switch_wait_s=5, lock_timeout_s=2, duty_spacing_s=5,
)  # fmt: skip
CONFIG = EvseConfig(connector="sType2", ventilation=True, max_current_A=32)
TRAITS = EvseInfo(max_current_A=80, phase_wiring=PhaseWiring.SERIAL, has_meter=False, has_lock=True)
C1_HOLDS_S, EV_STOPS_S = 6.0, 3.0
DIODE_S = 0.1
"""The diode shows in the negative half of the PWM only; when that comes back in C1's 6 s, it is judged after this."""
LATE_S = 1e-6
TOKEN = IdToken("T", "ISO14443")


class Violation(AssertionError):
    """The invariant does not hold in the world; the trace leads there."""


@dataclass
class World:
    connected: bool = False
    s2: bool = False
    ventilated: bool = False
    diode: bool = True
    short: bool = False
    ohm: float | None = None
    pilot: str = "X1"
    duty: float = 0.0
    x1_since: float = 0.0
    x2_since: float = 0.0
    booted_at: float = 100.0
    closed: bool = False
    phases: int = 0
    welded: bool = False
    stuck: bool = False
    permit_until: float = -1.0
    locked: bool = False
    authorised: bool = False
    deauthorised_at: float = -100.0
    at_once: bool = False
    durable: bool = False
    undurable_at: float = -100.0
    wanted_phases: int = 3
    faults: int = 0
    pending: tuple[str, ...] = ()
    """Feedback that has not arrived: "closed", "open", "locked", "unlocked"."""
    stored: dict[str, Any] = field(default_factory=dict)
    down: bool = False

    def high_V(self) -> float:
        if self.pilot == "F":
            return -12.0
        if self.short:
            return 0.0
        if not self.connected:
            return 12.0
        return (3.0 if self.ventilated else 6.0) if self.s2 else 9.0

    def low_V(self) -> float | None:
        return None if self.pilot != "X2" else -12.0 if self.diode or not self.connected else -self.high_V()


@dataclass
class Node:
    machine: dict[str, Any]
    facts: dict[str, Any]
    world: World
    now: float
    path: tuple[str, ...]


_TIME_FIELDS = tuple(f.name for f in fields(EvseState) if f.name.endswith(("_at", "_since", "_until")) or f.name == "due")
_OTHER_FIELDS = tuple(f.name for f in fields(EvseState) if f.name not in _TIME_FIELDS)
_WORLD_TIMES = ("x1_since", "permit_until", "deauthorised_at", "undurable_at", "x2_since", "booted_at")


class Explorer:
    """`explore(limit)` is breadth first over distinct states; `walk(steps)` goes deep at random."""

    def __init__(self, *, interlock: Any = None, pilot_table: Any = None, config: EvseConfig = CONFIG, traits: EvseInfo = TRAITS) -> None:
        self.traits = traits
        self.extra = {k: v for k, v in (("interlock", interlock), ("pilot_table", pilot_table)) if v is not None}
        self.config = config
        self.seen: set[int] = set()
        """Hashes of keys: 64 bits are enough for a million states, and small enough to keep."""
        self.closed_in: set[str] = set()
        self.steps = 0
        self._boot({})

    # ---- state in and out

    def _boot(self, stored: dict[str, Any]) -> None:
        self.facts = EvseFacts(evse_id=1)
        self.machine = EvseMachine(self.config, TIMINGS, self.facts, self.traits, WallClock(), **self.extra)
        if not hasattr(self, "world"):
            self.world, self.now = World(), 100.0
            self.path: tuple[str, ...] = ()

    def snapshot(self) -> Node:
        world = replace(self.world, stored=dict(self.world.stored))
        return Node(codec.dump(EvseState, self.machine.state), codec.dump(EvseFacts, self.facts), world, self.now, self.path)

    def restore(self, node: Node) -> None:
        self.facts = codec.load(EvseFacts, node.facts)
        self.machine.evse.facts = self.facts
        self.machine.state = codec.load(EvseState, node.machine)
        self.world, self.now, self.path = replace(node.world, stored=dict(node.world.stored)), node.now, node.path

    def key(self) -> Any:
        """The state without absolute time: moments long past or far off are all the same."""
        s, w, now = self.machine.state, self.world, self.now

        def ago(moment: float | None) -> float | None:
            # Positive numbers only: hash(-1.0) == hash(-2.0).
            return None if moment is None else 100.0 + max(-10.0, min(15.0, round(moment - now, 3)))

        times = tuple(ago(getattr(s, name)) for name in _TIME_FIELDS)
        others = tuple(_frozen(getattr(s, name)) for name in _OTHER_FIELDS)
        world = tuple(ago(getattr(w, f.name)) if f.name in _WORLD_TIMES else _frozen(getattr(w, f.name)) for f in fields(w))
        return times, others, world

    # ---- choices

    def choices(self) -> Iterator[tuple[str, Callable[[], None]]]:
        w = self.world
        yield "time passes", self._time
        if w.pending:
            yield f"feedback {w.pending[0]}", self._feedback
        yield from self._ev_choices(w)
        yield from self._station_choices(w)
        if w.faults < 2:
            yield from self._fault_choices(w)

    def _ev_choices(self, w: World) -> Iterator[tuple[str, Callable[[], None]]]:
        if not w.connected:
            for ohm in (220.0, 350.0):
                yield f"plug {ohm:g}", lambda ohm=ohm: self._plug(ohm)  # type: ignore[misc]
            return
        yield "unplug", self._unplug
        yield f"s2 {'off' if w.s2 else 'on'}", lambda: self._ev(s2=not w.s2)
        if w.s2:
            yield "ventilation asked" if not w.ventilated else "ventilation not asked", lambda: self._ev(ventilated=not w.ventilated)

    def _station_choices(self, w: World) -> Iterator[tuple[str, Callable[[], None]]]:
        if not w.authorised:
            yield "authorise", self._authorise
        else:
            yield "deauthorise", lambda: self._deauthorise(at_once=False)
            yield "deauthorise at once", lambda: self._deauthorise(at_once=True)
        if w.authorised and not w.durable:
            yield "durable", lambda: self._durable(value=True)
            yield "not stored", lambda: self.tell(TransactionNotStored(1))
        if w.durable:
            yield "transaction ended", lambda: self._durable(value=False)
        paused = "csms" in self.machine.state.limits
        yield "limit lifted" if paused else "limit 0", lambda: self.tell(LimitSet(1, "csms", None if paused else 0.0))
        stopped = bool(self.machine.state.stops)
        yield "supply allowed" if stopped else "supply stopped", lambda: self.tell(SupplyStopped(1, not stopped, "x"))
        yield f"phases {4 - w.wanted_phases}", self._switch_phases
        yield "acknowledge", lambda: self.tell(FaultAcknowledged(1))

    def _fault_choices(self, w: World) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "residual trip", lambda: self._fault(lambda: self.tell(ResidualCurrentTrip(1, "dc")))
        yield "hang", lambda: self._fault(self._hang)
        yield "restart", lambda: self._fault(self._restart)
        yield "board restarts", lambda: self._fault(self._board_restarts)
        yield "shutdown", lambda: self._fault(lambda: self.tell(ShutdownRequested()))
        yield "short", lambda: self._fault(lambda: self._ev(short=not w.short))
        if not w.welded and w.closed:
            yield "weld", lambda: self._fault(lambda: setattr(w, "welded", True))
        if w.connected:
            yield "diode fails", lambda: self._fault(lambda: self._ev(diode=False))
            yield "coding lost", lambda: self._fault(lambda: self._coding(None))
        if w.locked:
            yield "lock opens", lambda: self._fault(self._lock_opens)

    # ---- what they do

    def _fault(self, action: Callable[[], None]) -> None:
        self.world.faults += 1
        action()

    def _time(self) -> None:
        deadline = self.machine.deadline()
        self.now = min(self.now + 1.0, max(self.now, deadline)) if deadline is not None else self.now + 1.0
        self._lapse()
        self.tell(TimerExpired())

    def _hang(self) -> None:
        self.now += TTL_S + 1
        self._lapse()
        self.tell(TimerExpired())

    def _lapse(self) -> None:
        w = self.world
        if w.closed and not w.welded and self.now > w.permit_until:
            w.closed = False
            w.pending = (*w.pending, "open")

    def _restart(self) -> None:
        """The power goes: the contactor falls open, what was on disk is there again."""
        w = self.world
        self.now += 1.0
        w.closed, w.permit_until, w.pilot, w.x1_since, w.pending = w.closed and w.welded, -1.0, "X1", self.now, ()
        w.authorised = w.durable = w.down = False
        w.deauthorised_at = w.undurable_at = -100.0
        w.wanted_phases = 3
        w.booted_at = self.now
        self._boot(w.stored)
        self.tell(PoweredUp("PowerUp", "00", {"faults": dict(w.stored)}))
        self.tell(ProximityResistance(1, w.ohm))
        self.tell(LockState(1, w.locked, False))
        self._show()

    def _board_restarts(self) -> None:
        """The controller alone: everything open, at X1, and every input once more."""
        w = self.world
        w.closed, w.permit_until, w.pilot, w.x1_since, w.pending = w.closed and w.welded, -1.0, "X1", self.now, ()
        self.tell(BoardRestarted())
        self.tell(ProximityResistance(1, w.ohm))
        self.tell(LockState(1, w.locked, False))
        self.tell(ContactorFeedback(1, w.closed, 3 * w.closed))
        self._show()

    def _plug(self, ohm: float) -> None:
        w = self.world
        w.connected, w.s2, w.ventilated, w.diode, w.ohm = True, False, False, True, ohm
        self.tell(ProximityResistance(1, ohm))
        self._show()

    def _unplug(self) -> None:
        w = self.world
        w.connected = w.s2 = w.ventilated = False
        w.ohm = None
        w.authorised = w.durable = False
        w.deauthorised_at = w.undurable_at = -100.0
        self._show()
        self.tell(ProximityResistance(1, None))
        if self.machine.state.authorised or self.machine.state.transaction_id:  # in F it is seen later; the rest of the station says so
            self.tell(AuthorisationEnded(1, "EVDisconnected", "EVCommunicationLost", TOKEN))
            self.tell(TransactionEnded(1, "tx"))

    def _ev(self, **change: bool) -> None:
        for name, value in change.items():
            setattr(self.world, name, value)
        self._show()

    def _coding(self, ohm: float | None) -> None:
        self.world.ohm = ohm
        self.tell(ProximityResistance(1, ohm))

    def _lock_opens(self) -> None:
        self.world.locked = False
        self.world.pending = tuple(p for p in self.world.pending if p not in ("locked", "unlocked"))
        self.tell(LockState(1, False, False))

    def _authorise(self) -> None:
        self.world.authorised, self.world.at_once = True, False
        self.tell(Authorised(1, TOKEN))

    def _deauthorise(self, *, at_once: bool) -> None:
        w = self.world
        w.authorised, w.at_once, w.deauthorised_at = False, at_once, self.now
        self.tell(AuthorisationEnded(1, "Local", "StopAuthorized", TOKEN, at_once))

    def _durable(self, *, value: bool) -> None:
        self.world.durable = value
        if not value:
            self.world.undurable_at = self.now
        self.tell(TransactionDurable(1, "tx") if value else TransactionEnded(1, "tx"))

    def _switch_phases(self) -> None:
        self.world.wanted_phases = 4 - self.world.wanted_phases
        self.tell(PhasesWanted(1, self.world.wanted_phases))  # type: ignore[arg-type]

    def _feedback(self) -> None:
        first, *rest = self.world.pending
        self.world.pending = tuple(rest)
        if first in ("locked", "unlocked"):
            self.tell(LockState(1, first == "locked", False))
        else:
            self.tell(ContactorFeedback(1, first == "closed", self.world.phases))

    def _show(self) -> None:
        """The board reads the pilot; one that runs it by itself acts on it, too, and tells the state."""
        self._act_alone()
        w = self.world
        if self.traits.closes_by_itself:
            letter = {12.0: "A", 9.0: "B", 6.0: "C", 3.0: "D", 0.0: "E", -12.0: "F"}[w.high_V()]
            self.tell(PilotState(1, letter))  # type: ignore[arg-type]
        else:
            self.tell(PilotVoltage(1, w.high_V(), w.low_V()))

    def _act_alone(self) -> None:
        """A board that closes by itself: as soon as it may and the EV wants, and open as soon as not."""
        w = self.world
        if not self.traits.closes_by_itself:
            return
        wants = w.connected and w.s2 and not w.short and w.pilot == "X2" and self.now <= w.permit_until
        if wants and not w.closed:
            self._close(3)
        elif not wants and w.pilot == "X2" and w.closed and not w.welded:
            w.closed = False
            w.pending = (*(p for p in w.pending if p not in ("open", "closed")), "open")

    # ---- machine and board

    def tell(self, event: object) -> None:
        self.steps += 1
        out = self.machine.handle(Tick(self.now, self.now), event)
        commands = sorted((c for c in out if hasattr(c, "lane")), key=lambda c: c.lane.value != "safe")
        before = self.world.pilot
        for command in commands:
            self._obey(command)
        if self.world.pilot != before or any(isinstance(c, (SetDuty, Permit)) for c in commands):
            self._show()

    def _obey(self, command: Any) -> None:
        w = self.world
        match command:
            case SetX1() | SetStateF():
                if w.pilot != "X1":
                    w.x1_since = self.now
                w.pilot, w.duty = "X1" if isinstance(command, SetX1) else "F", 0.0
            case SetDuty():
                if w.pilot != "X2":
                    w.x2_since = self.now
                w.pilot, w.duty = "X2", command.duty_percent
            case OpenContactor():
                w.closed = w.closed and w.welded
                w.pending = (*(p for p in w.pending if p not in ("open", "closed")), "closed" if w.closed else "open")
            case CloseContactor():
                self._close(command.phases)
            case Permit():
                w.permit_until = self.now + command.ttl_s
            case WithdrawPermit():
                w.permit_until = -1.0
            case LockCable() | UnlockCable():
                w.locked = isinstance(command, LockCable)
                w.pending = (*(p for p in w.pending if p not in ("locked", "unlocked")), "locked" if w.locked else "unlocked")
            case Persist():
                for write in command.writes:
                    if isinstance(write, Put):
                        w.stored[write.key] = write.value if isinstance(write.value, int) else {"text": "", "utc": 0.0}
                    elif isinstance(write, Delete):
                        w.stored.pop(write.key, None)
            case _:
                pass

    def _close(self, phases: int) -> None:
        w = self.world
        if w.closed and phases != w.phases:
            raise Violation(f"phases switched live: {' > '.join(self.path)}")
        if w.pilot != "X2" or not (w.connected and w.s2) or w.short:
            raise Violation(f"asked to close, and no EV that wants energy at PWM: {' > '.join(self.path)}")
        if self.now < w.booted_at + TIMINGS.close_after_boot_s:
            raise Violation(f"asked to close soon after a power loss: {' > '.join(self.path)}")
        if self.now < w.permit_until:
            w.closed, w.phases = True, phases
            w.pending = (*(p for p in w.pending if p not in ("open", "closed")), "closed")

    # ---- the invariant

    def check(self) -> None:
        wrong = list(self._wrong())
        if wrong:
            raise Violation(f"{'; '.join(wrong)}: {' > '.join(self.path)}")

    def _wrong(self) -> Iterator[str]:
        w, now = self.world, self.now
        if not w.closed or w.welded:
            return
        if not w.connected or w.short or not w.s2 or (w.ventilated and not self.config.ventilation):
            yield "closed, and no EV that wants energy"
        if w.pilot == "F":
            yield "closed in F"
        if w.pilot == "X1" and now - w.x1_since > C1_HOLDS_S + LATE_S:
            yield f"closed in C1 for {now - w.x1_since:g} s"
        if w.pilot == "X2" and not 10 <= w.duty <= 97:
            yield f"duty {w.duty:g} %"
        raw = not self.traits.closes_by_itself  # a board that runs the pilot checks the diode itself
        if raw and not w.diode and w.pilot == "X2" and now - w.x2_since > DIODE_S + LATE_S:
            yield "no diode"
        socket = self.config.connector == "sType2"
        if socket and w.ohm != 220.0:
            yield "no valid coding"
        if socket and not w.locked:
            yield "not locked"
        if not w.authorised and (w.at_once or now - w.deauthorised_at > EV_STOPS_S + LATE_S):
            yield "not authorised"
        if not w.durable and now - w.undurable_at > EV_STOPS_S + LATE_S:
            yield "no durable Started"
        if now > w.permit_until + LATE_S:
            yield "no lease"
        latched = [c for c in self.facts.faults if FAULTS[c].until is Until.ACKNOWLEDGED and FAULTS[c].reaction is Reaction.OPEN]
        if latched:
            yield f"latched {latched}"
        if not self.machine.state.running:
            yield "shut down"

    def _note(self) -> None:
        w = self.world
        if w.closed:
            self.closed_in.add(("D" if w.ventilated else "C") + ("2" if w.pilot == "X2" else "1") + ("w" if w.welded else ""))

    # ---- going through

    def start(self) -> None:
        self.tell(PoweredUp("PowerUp", "00", {}))
        self._show()

    def explore(self, limit: int, prefix: tuple[str, ...] = ()) -> int:
        """Breadth first from where `prefix` leads, until no state is new or `limit` of them have been seen; gives how many."""
        self.start()
        for name in prefix:
            self._take(name)
        self.seen.add(hash(self.key()))
        waiting = deque([self.snapshot()])
        while waiting and len(self.seen) < limit:
            self._expand(waiting.popleft(), waiting)
        return len(self.seen)

    def _expand(self, node: Node, waiting: deque[Node]) -> None:
        self.restore(node)
        for name in [name for name, _ in self.choices()]:
            self.restore(node)
            self._take(name)
            key = hash(self.key())
            if key not in self.seen:
                self.seen.add(key)
                waiting.append(self.snapshot())

    def _take(self, name: str) -> None:
        action = next(a for n, a in self.choices() if n.startswith(name))
        self.path = (*self.path, name)
        action()
        self.check()
        self._note()

    def walk(self, rng: random.Random, steps: int) -> None:
        """One random walk from the start; choices that lead on are likelier than faults."""
        self.start()
        for _ in range(steps):
            names = [name for name, _ in self.choices()]
            weights = [8 if n == "time passes" else 6 if n.startswith("feedback") else 4 if n in LEADING else 1 for n in names]
            self._take(rng.choices(names, weights)[0])


LEADING = {"plug 220", "s2 on", "authorise", "durable", "limit lifted", "supply allowed", "acknowledge"}


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((k, _frozen(v)) for k, v in value.items()))
    if isinstance(value, list):
        return tuple(value)
    if type(value).__name__ == "Standing":
        return value.present
    return value


__all__ = ["ChargingState", "Explorer", "Violation"]
