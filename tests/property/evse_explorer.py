"""A bounded exploration of one EVSE: station x vehicle x faults, from snapshots, with no loop and no clock of its own.

The world beside the machine (`evse_world`) is the truth; after every step the closing invariant is checked there, never on what the machine believes.
Times are coarse (whole seconds), readings arrive with what they show, feedback arrives when the explorer likes: so orders of events are what is explored.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from chargepoint import codec
from chargepoint.config import EvseConfig
from chargepoint.events import (
    AuthorisationEnded,
    Authorised,
    FaultAcknowledged,
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
from chargepoint.evse_state import EvseState
from chargepoint.facts import EvseFacts
from hal.types import BoardRestarted, ContactorFeedback, EvseInfo, LockState, ProximityResistance, ResidualCurrentTrip
from tests.property.evse_world import CONFIG, TOKEN, TRAITS, TTL_S, Site, Violation, World


@dataclass
class Node:
    machine: dict[str, Any]
    facts: dict[str, Any]
    world: World
    now: float
    path: tuple[str, ...]


_TIME_FIELDS = tuple(f.name for f in fields(EvseState) if f.name.endswith(("_at", "_since", "_until")) or f.name == "due")
_OTHER_FIELDS = tuple(f.name for f in fields(EvseState) if f.name not in _TIME_FIELDS)


class Explorer(Site):
    """`explore(limit)` is breadth first over distinct states; `walk(steps)` goes deep at random."""

    leading: ClassVar[set[str]] = {"plug 220", "s2 on", "authorise", "durable", "limit lifted", "supply allowed", "acknowledge"}
    """What a walk does more often than other things."""
    world_times: ClassVar[tuple[str, ...]] = ("x1_since", "permit_until", "deauthorised_at", "undurable_at", "x2_since", "booted_at")

    def __init__(self, *, config: EvseConfig = CONFIG, traits: EvseInfo = TRAITS, **tables: Any) -> None:
        super().__init__(config, traits, **tables)
        self.seen: set[int] = set()
        """Hashes of keys: 64 bits are enough for a million states, and small enough to keep."""

    # ---- state in and out

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
        world = tuple(ago(getattr(w, f.name)) if f.name in self.world_times else _frozen(getattr(w, f.name)) for f in fields(w))
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
        self._boot()
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

    def walk(self, rng: random.Random, steps: int, prefix: tuple[str, ...] = ()) -> None:
        """One random walk from where `prefix` leads; choices that lead on are likelier than faults."""
        self.start()
        for name in prefix:
            self._take(name)
        for _ in range(steps):
            names = [name for name, _ in self.choices()]
            weights = [8 if n == "time passes" else 6 if n.startswith("feedback") else 4 if n in self.leading else 1 for n in names]
            self._take(rng.choices(names, weights)[0])


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((k, _frozen(v)) for k, v in value.items()))
    if isinstance(value, list):
        return tuple(value)
    if type(value).__name__ == "Standing":
        return value.present
    return value


__all__ = ["Explorer", "Violation"]
