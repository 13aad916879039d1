"""A charger and a vehicle in one process on virtual time, without asyncio: both sessions, their hosts, and a wire between them.

    pair = Pair(charger, vehicle)
    pair.run()
    pair.messages      # (seconds, "ev" or "evse", message)

A bench changes what happens from outside (`at`, `when`), puts a misbehaviour in the vehicle's place (`evcc`), and looks at everything that was said.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bench.v2g import others
from bench.v2g.charger import Charger
from bench.v2g.model import Vehicle
from chargepoint.tick import Tick
from iso15118.connection import Abort, Changed, Close, Command, Connected, Event, Heard, Lost, Note, Received, Send, TimerExpired
from iso15118.evcc.session import Session as Evcc
from iso15118.iso20.other_streams import NAMESPACES
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, dc
from iso15118.secc import speak
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.paused import Paused
from iso15118.secc.session import Protocol_, Session
from iso15118.terms import Ending, SessionBegun, SessionOver, Told

UTC = 1_800_000_000.0
"""Of the first moment."""
VERIFIED = Connected(verified=True)
LOOPS = frozenset({"AC_ChargeLoopReq", "DC_ChargeLoopReq", "WPT_ChargeLoopReq", "ChargingStatusReq", "CurrentDemandReq"})
"""Requests of the charge loop, in all dialects."""


class Machine(Protocol):
    """A session, or something in its place."""

    def handle(self, now: Tick, event: Event) -> Sequence[Command]: ...

    def deadline(self) -> float | None: ...


class Stuck(AssertionError):
    """The sessions turn in a circle without time going on."""


def fresh_id(number: int) -> bytes:
    """A session id that is no secret: nobody but a bench listens."""
    return (0x1CE0_0000_0000_0000 + number).to_bytes(8, "big")


@dataclass
class Pair:
    """Both ends of one cable; each call of `connect` is a connection."""

    charger: Charger
    vehicle: Vehicle
    latency_s: float = 0.002
    namespaces: tuple[str, ...] = (dc.NAMESPACE, ac.NAMESPACE, *NAMESPACES)
    """What the charger speaks."""
    connection: Connected = VERIFIED
    """What the charger is told of it."""
    unverified: bool = False
    """It talks to a vehicle that nobody has verified, too."""
    mono: float = 100.0
    sessions: int = 0
    paused: Paused | None = None
    messages: list[tuple[float, str, Message]] = field(default_factory=list)
    notes: list[tuple[float, str, Note]] = field(default_factory=list)
    octets: list[tuple[float, str, bytes]] = field(default_factory=list)
    story: list[tuple[str, Message | Told | Close]] = field(default_factory=list)
    """What both ends sent, told and closed, in order."""
    moments: list[tuple[float, str, Message | Told | Close]] = field(default_factory=list)
    """The same with its time."""
    watches: list[Callable[[Pair], None]] = field(default_factory=list)
    """Called after every step: what has to hold all the time."""
    spoil: Callable[[str, Send], bytes] | None = None
    """Given an end and what it sends: the octets that come out of the wire instead."""

    def __post_init__(self) -> None:
        self.any_dialect: speak.Dialect | None = None
        self.secc = Session(())
        self.evcc: Machine = Evcc(())
        self.closed = {"ev": False, "evse": False}
        self.evse_over: SessionOver | None = None
        self.ev_over: SessionOver | None = None
        self._wire: list[tuple[float, int, str, Event]] = []
        self._calls: list[tuple[float, int, Callable[[], object]]] = []
        self._whens: list[tuple[Callable[[], bool], Callable[[], object]]] = []
        self._count = 0

    # ---- from outside

    def at(self, seconds: float, what: Callable[[], object]) -> None:
        """Do this then, counted from now."""
        self._count += 1
        heapq.heappush(self._calls, (self.mono + seconds, self._count, what))

    def when(self, true: Callable[[], bool], what: Callable[[], object]) -> None:
        """Do this once, as soon as that holds."""
        self._whens.append((true, what))

    def changed(self) -> None:
        """Facts of the charger were changed from outside."""
        self._evse(Changed())

    def lose(self, lost: Lost) -> None:
        """The connection is gone, for both."""
        self._wire.clear()
        self._evse(lost)
        self._ev(lost)
        self._wire.clear()

    def abort(self, abort: Abort) -> None:
        """The charger's host ends it."""
        self._evse(abort)

    def connect(self, evcc: Machine | None = None) -> None:
        """A new connection, with a new session at each end."""
        self.sessions += 1
        protocols = [others.protocol(each) for each in self.namespaces]
        self.secc = Session(
            [
                Protocol_(each.namespace, each.major, each.minor, self._dialect, unverified=self.unverified or each.unverified)
                for each in protocols
            ]
        )
        self.evcc = evcc or Evcc(others.spoken(self.vehicle.wants))
        self.any_dialect, self.evse_over, self.ev_over = None, None, None
        self.closed = {"ev": False, "evse": False}
        self._wire.clear()
        self._evse(self.connection)
        self._ev(Connected())

    def _dialect(self, namespace: str) -> speak.Dialect:
        fresh, verified = fresh_id(self.sessions), self.connection.verified
        host = speak.Host(self.charger.facts, fresh, fresh * 2, self.paused, verified=verified, secure=verified)
        self.any_dialect = others.begun(namespace, host)
        return self.any_dialect

    @property
    def dialect(self) -> Iso20 | None:
        """The charger's, where it speaks ISO 15118-20."""
        return self.any_dialect if isinstance(self.any_dialect, Iso20) else None

    @dialect.setter
    def dialect(self, value: Iso20) -> None:
        self.any_dialect = value

    def run(self, most_s: float = 3600.0, *, until: Callable[[], bool] | None = None) -> Pair:
        """Until both sides are done, or `until` holds, or so much time has gone. Raises Stuck."""
        last, here, rounds = self.mono + most_s, self.mono, 0
        while not (until is not None and until()):
            due = min((each for each in self._dues() if each is not None), default=None)
            if due is None or due > last:
                break
            self.mono = max(self.mono, due)
            rounds = rounds + 1 if self.mono == here else 0
            here = self.mono
            if rounds > 20_000:
                raise Stuck(f"at {self.mono}")
            self._step()
        return self

    def session(self, most_s: float = 3600.0) -> Pair:
        """One whole connection."""
        self.connect()
        return self.run(most_s)

    # ---- time

    def _dues(self) -> Iterable[float | None]:
        yield self._wire[0][0] if self._wire else None
        yield self._calls[0][0] if self._calls else None
        yield self.secc.deadline()
        yield self.evcc.deadline()
        yield self.charger.deadline()
        yield self.vehicle.deadline()

    @property
    def now(self) -> Tick:
        """On both clocks."""
        return Tick(self.mono, UTC + self.mono)

    def _step(self) -> None:
        """Everything that is due at this moment, in a fixed order."""
        if self._calls and self._calls[0][0] <= self.mono:
            heapq.heappop(self._calls)[2]()
        elif _due(self.charger.deadline(), self.mono):
            if self.charger.tick(self.now):
                self._evse(Changed())
        elif _due(self.vehicle.deadline(), self.mono):
            self.vehicle.tick(self.now)
        elif self._wire and self._wire[0][0] <= self.mono:
            _, _, to, event = heapq.heappop(self._wire)
            (self._evse if to == "evse" else self._ev)(event)
        elif _due(self.secc.deadline(), self.mono):
            self._evse(TimerExpired())
        elif _due(self.evcc.deadline(), self.mono):
            self._ev(TimerExpired())
        self._look()

    def _look(self) -> None:
        for watch in self.watches:
            watch(self)
        for pair in [pair for pair in self._whens if pair[0]()]:
            self._whens.remove(pair)
            pair[1]()

    # ---- the ends

    def _evse(self, event: Event) -> None:
        self._do("evse", self.secc.handle(self.now, event))

    def _ev(self, event: Event) -> None:
        self._do("ev", self.evcc.handle(self.now, event))

    def _do(self, end: str, commands: Iterable[Command]) -> None:
        other = "ev" if end == "evse" else "evse"
        queue = deque(commands)
        while queue:
            command = queue.popleft()
            if not isinstance(command, (Heard, Note)):
                thing = command.message if isinstance(command, Send) else command
                self.story.append((end, thing))
                self.moments.append((self.mono, end, thing))
            match command:
                case Send(octets, message):
                    if self.spoil is not None:
                        octets = self.spoil(end, command)
                    self.messages.append((self.mono, end, message))
                    self.octets.append((self.mono, end, octets))
                    self._put(other, Received(octets))
                case Close():
                    if not self.closed[end]:
                        self.closed[end] = True
                        self._put(other, Lost(f"closed by the {'vehicle' if end == 'ev' else 'charger'}"))
                case Note():
                    self.notes.append((self.mono, end, command))
                case Heard():
                    pass
                case _:
                    self._told(end, command)

    def _put(self, to: str, event: Event) -> None:
        self._count += 1
        heapq.heappush(self._wire, (self.mono + self.latency_s, self._count, to, event))

    def _told(self, end: str, told: Told) -> None:
        if end == "ev":
            self.vehicle.told(self.now, told)
            if isinstance(told, SessionOver):
                self.ev_over = told
            return
        self.charger.told(self.now, told)
        match told:
            case SessionBegun(resumed=resumed) if not resumed:
                self.paused = None
            case SessionOver(ending):
                self.evse_over = told
                if ending is Ending.PAUSED:
                    self.paused = speak.paused(self.secc)

    # ---- looking back

    def said(self, end: str) -> list[str]:
        """Names of the messages of one end, in order."""
        return [type(message).__name__ for _, who, message in self.messages if who == end]

    def loops(self) -> int:
        """Requests of the charge loop so far."""
        return sum(type(message).__name__ in LOOPS for _, _, message in self.messages)


def _due(deadline: float | None, now: float) -> bool:
    return deadline is not None and deadline <= now
