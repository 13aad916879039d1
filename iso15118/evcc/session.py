"""One connection with a charger, from supportedAppProtocol to its end: a pure machine (`handle`, `deadline`). The mirror of `secc.session`.

What is the same in every dialect is here: which dialects are offered, framing, pace and timers, and what happens when something is wrong. What to
ask next is the dialect's work.

| what | then |
|---|---|
| no V2GTP, no EXI, a message that is no response, or not the one that was asked for | stop drawing, close |
| a response that nobody asked for | stop drawing, close |
| a session id that is not ours | stop drawing, close |
| FAILED in any spelling | stop drawing, close |
| no response in time, or "ongoing" for too long | stop drawing, close |

"Stop drawing" is told before anything else.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from iso15118 import exi
from iso15118.connection import (
    Abort,
    Changed,
    Close,
    Command,
    Connected,
    Event,
    Heard,
    Lost,
    Note,
    Now,
    Received,
    Send,
    Unexpected,
)
from iso15118.evcc.terms import StopDrawing
from iso15118.exi import ExiError
from iso15118.frozen import dataclass
from iso15118.messages import sap
from iso15118.messages.declare import Message
from iso15118.terms import DialectChosen, Ending, SessionOver, Told
from iso15118.v2gtp import SAP_DIN_ISO2, Frame, FrameReader, V2gtpError

SETUP_S = 20.0
"""V2G_EVCC_CommunicationSetup_Timeout [K]: from the connection to SessionSetupRes."""
AGREE_S = 2.0
"""V2G_EVCC_Msg_Timeout of supportedAppProtocol [K]."""


# ---- what a dialect is


@dataclass(frozen=True, slots=True)
class Turn:
    """What follows from a response. `told` goes to the host before anything is sent."""

    told: tuple[Told, ...] = ()
    wait_s: float = 0.0
    """So long before the next question."""
    over: Ending | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and how long its response may take."""

    request: Message
    payload_type: int
    namespace: str
    within_s: float
    told: tuple[Told, ...] = ()
    shown: Message | None = None
    """What is shown of it; None: the request."""


class Dialect(Protocol):
    """One of DIN 70121, ISO 15118-2, ISO 15118-20, for one session."""

    def ask(self, now: Now) -> Question:
        """The next request, from what the vehicle wants and has now."""

    def response(self, now: Now, payload_type: int, octets: bytes) -> Message:
        """The message of a frame. Raises ExiError, and Unexpected for one that was not asked for."""

    def heard(self, now: Now, response: Message) -> Turn:
        """What follows from a response."""

    @property
    def session_id(self) -> bytes:
        """Of this session; b"" before there is one."""

    @property
    def drawing(self) -> bool:
        """Energy may flow, as far as we know."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A namespace that this vehicle speaks; the first of a sequence is its favourite."""

    namespace: str
    major: int
    minor: int
    make: Callable[[str], Dialect]
    """Given the namespace, a dialect for a new session."""


class Stage(enum.Enum):
    """Where the connection is."""

    NEW = "new"
    AGREEING = "supportedAppProtocol"
    TALKING = "talking"
    OVER = "over"


class Session:
    """One connection. `spoken`: what is offered to the charger, best first."""

    def __init__(self, spoken: Sequence[Spoken]) -> None:
        self.spoken = tuple(spoken)
        self.stage = Stage.NEW
        self.dialect: Dialect | None = None
        self._reader = FrameReader()
        self._asked = False
        """A response is awaited."""
        self._deadline: float | None = None
        self._setup_by = 0.0

    def deadline(self) -> float | None:
        return self._deadline

    def handle(self, now: Now, event: Event) -> list[Command]:
        """One event; commands in their order."""
        if self.stage is Stage.OVER:
            return []
        match event:
            case Connected():
                return list(self._offer(now))
            case Received(octets):
                return list(self._received(now, octets))
            case Lost(why) | Abort(why):
                return list(self._over(Ending.ABORTED, why))
            case Changed():
                return []  # what has changed is read when the next question is asked
            case _:
                return list(self._timer(now))

    # ---- out

    def _offer(self, now: Now) -> Iterator[Command]:
        self.stage, self._setup_by = Stage.AGREEING, now.mono + SETUP_S
        request = sap.supportedAppProtocolReq(
            AppProtocol=tuple(
                sap.AppProtocolType(
                    ProtocolNamespace=each.namespace, VersionNumberMajor=each.major, VersionNumberMinor=each.minor, SchemaID=at, Priority=at
                )
                for at, each in enumerate(self.spoken, 1)
            )
        )
        yield from self._sent(now, Question(request, SAP_DIN_ISO2, sap.NAMESPACE, AGREE_S))

    def _ask(self, now: Now) -> Iterator[Command]:
        if self.dialect is not None:
            yield from self._sent(now, self.dialect.ask(now))

    def _sent(self, now: Now, question: Question) -> Iterator[Command]:
        yield from question.told
        octets = exi.encode(question.request, question.namespace)
        self._asked, self._deadline = True, now.mono + question.within_s
        if self.dialect is None or not self.dialect.session_id:
            self._deadline = min(self._deadline, self._setup_by)
        yield Send(Frame(question.payload_type, octets).octets(), question.shown or question.request)

    # ---- in

    def _received(self, now: Now, octets: bytes) -> Iterator[Command]:
        try:
            frames = self._reader.feed(octets)
        except V2gtpError as error:
            yield from self._broken(str(error))
            return
        for frame in frames:
            if self.stage is not Stage.OVER:
                yield from self._frame(now, frame)

    def _frame(self, now: Now, frame: Frame) -> Iterator[Command]:
        if not self._asked:
            yield from self._broken("a message that was not asked for")
            return
        self._asked = False
        try:
            if self.dialect is None:
                yield from self._agreed(now, frame)
                return
            response = self.dialect.response(now, frame.payload_type, frame.payload)
        except (ExiError, Unexpected) as error:
            yield from self._broken(str(error))
            return
        yield Heard(response)
        turn = self.dialect.heard(now, response)
        yield from turn.told
        if turn.over is not None:
            if turn.over is Ending.ABORTED:
                yield Note("warning", "v2g.ended", turn.why)
            yield from self._over(turn.over, turn.why)
        elif turn.wait_s > 0:
            self._deadline = now.mono + turn.wait_s
        else:
            yield from self._ask(now)

    def _agreed(self, now: Now, frame: Frame) -> Iterator[Command]:
        if frame.payload_type != SAP_DIN_ISO2:
            raise Unexpected(f"payload type {frame.payload_type:04X} instead of supportedAppProtocolRes")
        response = exi.decode(frame.payload, sap.NAMESPACE)
        if not isinstance(response, sap.supportedAppProtocolRes):
            raise Unexpected("a supportedAppProtocolReq from the charger")
        yield Heard(response)
        chosen = response.SchemaID if response.ResponseCode != "Failed_NoNegotiation" else None
        if chosen is None or not 0 < chosen <= len(self.spoken):
            why = "no protocol in common" if response.ResponseCode == "Failed_NoNegotiation" else "a protocol that was not offered"
            yield Note("warning", "v2g.no_protocol", why)
            yield from self._over(Ending.ABORTED, why)
            return
        spoken = self.spoken[chosen - 1]
        self.dialect, self.stage = spoken.make(spoken.namespace), Stage.TALKING
        yield DialectChosen(spoken.namespace)
        yield from self._ask(now)

    # ---- the end

    def _timer(self, now: Now) -> Iterator[Command]:
        if self._deadline is None or now.mono < self._deadline:
            return
        if self._asked:
            yield from self._broken("no response in time")
        else:
            yield from self._ask(now)

    def _broken(self, problem: str) -> Iterator[Command]:
        yield Note("warning", "v2g.broken", problem)
        yield from self._over(Ending.ABORTED, problem)

    def _over(self, ending: Ending, why: str) -> Iterator[Command]:
        if self.dialect is not None and self.dialect.drawing:
            yield StopDrawing(why)
        self.stage, self._deadline, self._asked = Stage.OVER, None, False
        yield SessionOver(ending, why)
        yield Close()
