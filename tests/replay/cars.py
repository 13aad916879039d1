"""A recorded vehicle against our charger: its requests in their order, our session id in each, on virtual time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bench.v2g.charger import AC_22_KW, DC_150_KW, Charger, Pace
from bench.v2g.recorded import Player, Recorded
from chargepoint.tick import Tick
from iso15118.connection import Changed, Close, Command, Connected, Event, Heard, Note, Received, Send, TimerExpired
from iso15118.messages.declare import Message
from iso15118.protocols import BY_NAMESPACE
from iso15118.secc import speak
from iso15118.secc.session import Protocol_, Session
from iso15118.terms import Energy, Facts, Offered, Told

SESSION_ID = b"\x1c\xe0\x00\x00\x00\x00\x00\x01"
PATIENCE_S = 5.0
PAUSE_S = 0.09
"""From a response to the next request."""


@dataclass
class Ride:
    """What came of it."""

    car: Recorded
    mono: float = 100.0
    responses: list[Message] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.charger = Charger(
            Facts(energies=(Offered(Energy.AC), Offered(Energy.DC)), ac=AC_22_KW, dc=DC_150_KW),
            Pace(authorization_s=0.3, cable_check_s=0.5),
        )
        spoken = BY_NAMESPACE[self.car.namespace]
        self.session = Session([Protocol_(spoken.namespace, spoken.major, spoken.minor, self._begun, unverified=spoken.unverified)])

    def _begun(self, namespace: str) -> speak.Dialect:
        return speak.begun(namespace, speak.Host(self.charger.facts, SESSION_ID, bytes(16)))

    def run(self) -> Ride:
        """To its last request, or to where it is not answered any more."""
        self._do(Connected())
        player = Player(self.car)
        player.session_id = SESSION_ID
        while (octets := player.ask()) is not None and not self.closed:
            if not self._ask(octets):
                break
            player.heard(self.responses[-1])
            self._pass(PAUSE_S)
        return self

    def _ask(self, octets: bytes) -> bool:
        """Whether it is answered."""
        answered = len(self.responses)
        self._do(Received(octets))
        end = self.mono + PATIENCE_S
        while len(self.responses) == answered and not self.closed and self.mono < end:
            self._pass(0.01)
        return len(self.responses) > answered

    def _pass(self, seconds: float) -> None:
        end = self.mono + seconds
        while (
            due := min((each for each in (self.charger.deadline(), self.session.deadline()) if each is not None), default=math.inf)
        ) <= end:
            self.mono = max(self.mono, due)
            if (at := self.charger.deadline()) is not None and at <= self.mono:
                if self.charger.tick(self.now):
                    self._do(Changed())
            else:
                self._do(TimerExpired())
        self.mono = end

    @property
    def now(self) -> Tick:
        return Tick(self.mono, 1_800_000_000.0 + self.mono)

    def _do(self, event: Event) -> None:
        for command in self.session.handle(self.now, event):
            self._one(command)

    def _one(self, command: Command) -> None:
        match command:
            case Send(_, message):
                self.responses.append(message)
            case Close():
                self.closed = True
            case Note():
                self.notes.append(command)
            case Heard():
                pass
            case _:
                self.told.append(command)
                self.charger.told(self.now, command)

    def codes(self) -> list[tuple[str, str]]:
        """Response and code, without what is a success."""
        every = [(type(each).__name__, getattr(each, "ResponseCode", "")) for each in self.responses]
        return [(name, code) for name, code in every if not code.startswith("OK")]
