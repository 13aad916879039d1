"""One connection with a vehicle, from supportedAppProtocol to its end: a pure machine (`handle`, `deadline`).

What is the same in every dialect is here: which dialect is spoken, framing, timers, and what happens when something is wrong. What a request means, and
whether it is of this session, is the dialect's work.

The policy of errors, in one place (S-2, S-4):

| what | answer | then |
|---|---|---|
| no V2GTP, no EXI, a message that is no request | none | energy off, connection closed |
| a request out of its order | FAILED_SequenceError | energy off, connection closed |
| a session id that is not ours | FAILED_UnknownSession | energy off, connection closed |
| a request that the charger cannot grant | the code that the dialect gives | energy off and connection closed where it is a FAILED |
| no protocol in common, or none that an unverified vehicle may speak | Failed_NoNegotiation | connection closed |
| nothing in time | none | energy off, connection closed |
| energy on, and for `AWAY_S` no request of the loop | FAILED, or none | energy off, connection closed |
| an answer that no message can say, since a fact is no number, out of range or has no word | none | energy off, connection closed |
| many requests before the first is answered | none | energy off, connection closed |

"Energy off" is told before the answer is sent (S-11).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from iso15118 import exi
from iso15118.connection import Abort, Changed, Close, Command, Connected, Event, Heard, Lost, Note, Now, Received, Send, Unexpected
from iso15118.exi import ExiError
from iso15118.frozen import dataclass
from iso15118.messages import sap
from iso15118.messages.declare import Message
from iso15118.terms import DialectChosen, Ending, PowerOff, SessionOver, Told
from iso15118.v2gtp import SAP_DIN_ISO2, Frame, FrameReader, V2gtpError

SETUP_S = 18.0
"""V2G_SECC_CommunicationSetup_Performance_Time [K]: from the connection to SessionSetupRes."""
SEQUENCE_S = 60.0
"""V2G_SECC_Sequence_Timeout: from a response to the next request."""
EIM_S = 180.0
"""So long an authorisation may be ongoing: longer than V2G_SECC's ongoing timeout (55 s [K]), since the driver looks for the card. A vehicle that waits no
longer than V2G_EVCC_Ongoing_Timeout ends it by itself."""
MOST_AHEAD = 8
"""Requests that may come before the one before them is answered: the streams of ISO 15118-20 beside the main one are few. More is no vehicle."""
CLOSE_S = 5.0
"""So long the vehicle gets to close the connection after the last response, before we do."""


# ---- what a dialect is


@dataclass(frozen=True, slots=True)
class Answer:
    """What a dialect says to a request. `told` goes to the host before the response is sent."""

    response: Message | None
    """None: not yet; ask again when facts change, and at last with `late`."""
    payload_type: int
    namespace: str
    """Of the schema set that the response is coded with."""
    told: tuple[Told, ...] = ()
    failed: str = ""
    """In words, for a response code that ends the session."""
    over: Ending | None = None
    ev_code: str = ""
    document: Message | None = None
    """What travels, where that is not the response itself but something around it."""


class Dialect(Protocol):
    """One of DIN 70121, ISO 15118-2, ISO 15118-20, for one session."""

    def request(self, now: Now, payload_type: int, octets: bytes) -> Message:
        """The message of a frame. Raises ExiError, and Unexpected for one that is no request."""

    def again(self, payload_type: int, octets: bytes) -> Message:
        """The message of a frame whose answer was waited for when the session was saved: what it tells has been told."""

    def answer(self, now: Now, request: Message, *, late: bool) -> Answer:
        """What follows from a request."""

    def patience_s(self, now: Now) -> float:
        """How long to wait for the next request, from the answer that has just been made."""

    def hush_s(self, now: Now) -> float | None:
        """After how long, from the answer that has just been made, something is told before the wait for a request is over; None: nothing is."""

    def hushed(self) -> Sequence[Told]:
        """What is told then; the session goes on."""

    @property
    def answer_within_s(self) -> float:
        """How long an answer may wait for facts."""

    @property
    def energy_on(self) -> bool:
        """Power was asked for, and not ended yet."""


@dataclass(frozen=True, slots=True)
class Protocol_:
    """A namespace that this charger speaks."""

    namespace: str
    major: int
    minor: int
    make: Callable[[str], Dialect]
    """Given the namespace, a dialect for a new session."""
    unverified: bool = False
    """Also for a vehicle whose certificate nobody has judged: DIN 70121, ISO 15118-2, and -20 on a bench."""


class Stage(enum.Enum):
    """Where the connection is."""

    NEW = "new"
    AGREEING = "supportedAppProtocol"
    TALKING = "talking"
    ENDING = "ending"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Saved:
    """A `Session` as plain values, without its dialect."""

    stage: Stage
    verified: bool = False
    deadline: float | None = None
    told_over: bool = False
    rest: bytes = b""
    """A frame that has begun to come."""
    waiting: tuple[tuple[int, bytes], ...] = ()
    """Frames behind the one whose answer is waited for: payload type, payload."""
    pending: tuple[int, bytes] | None = None
    """The frame whose answer is waited for."""
    hush: float | None = None
    """When it is too quiet."""


class Session:
    """One connection. `protocols`: what is offered; the vehicle's priorities decide among them."""

    def __init__(self, protocols: Sequence[Protocol_]) -> None:
        self.protocols = tuple(protocols)
        self.stage = Stage.NEW
        self._verified = False
        self.dialect: Dialect | None = None
        self._reader = FrameReader()
        self._waiting: list[Frame] = []
        self._pending: Message | None = None
        """A request whose answer waits for facts."""
        self._asked: Frame | None = None
        """Its frame."""
        self._deadline: float | None = None
        self._hush: float | None = None
        self._told_over = False

    def saved(self) -> Saved:
        """What it remembers; the dialect apart."""
        return Saved(
            self.stage,
            self._verified,
            self._deadline,
            self._told_over,
            self._reader.rest,
            tuple((each.payload_type, each.payload) for each in self._waiting),
            (self._asked.payload_type, self._asked.payload) if self._asked is not None and self._pending is not None else None,
            self._hush,
        )

    @classmethod
    def restored(cls, protocols: Sequence[Protocol_], saved: Saved, dialect: Dialect | None) -> Session:
        """Go on from what was saved. Raises ExiError or Unexpected for a frame that was none."""
        session = cls(protocols)
        session.stage, session._verified, session._deadline = saved.stage, saved.verified, saved.deadline
        session._told_over, session.dialect, session._hush = saved.told_over, dialect, saved.hush
        session._reader.feed(saved.rest)
        session._waiting = [Frame(*each) for each in saved.waiting]
        if dialect is not None and saved.pending is not None:
            session._asked = Frame(*saved.pending)
            session._pending = dialect.again(*session._asked)
        return session

    def deadline(self) -> float | None:
        if self._hush is None or self._deadline is None:
            return self._deadline
        return min(self._hush, self._deadline)

    def handle(self, now: Now, event: Event) -> list[Command]:
        """One event; commands in their order."""
        if self.stage is Stage.OVER:
            return []
        match event:
            case Connected(verified):
                self._verified = verified
                if self.stage is Stage.NEW:
                    self.stage = Stage.AGREEING
                    self._deadline = now.mono + SETUP_S
                return []
            case Received(octets):
                return list(self._received(now, octets))
            case Lost(why):
                return list(self._over(Ending.ABORTED, why))
            case Changed():
                return [*self._again(now, late=False), *self._next(now)]
            case Abort(why):
                return [*self._over(Ending.ABORTED, why)]
            case _:
                return list(self._timer(now))

    # ---- in

    def _received(self, now: Now, octets: bytes) -> Iterator[Command]:
        if self.stage is Stage.ENDING:
            return
        try:
            self._waiting += self._reader.feed(octets)
        except V2gtpError as error:
            yield from self._broken(str(error))
            return
        if len(self._waiting) > MOST_AHEAD:
            yield from self._broken(f"{len(self._waiting)} requests at once")
            return
        yield from self._next(now)

    def _next(self, now: Now) -> Iterator[Command]:
        """The frames that wait, as long as each is answered."""
        while self._waiting and self._pending is None and self.stage in (Stage.AGREEING, Stage.TALKING):
            yield from self._frame(now, self._waiting.pop(0))

    def _frame(self, now: Now, frame: Frame) -> Iterator[Command]:
        try:
            if self.dialect is None:
                yield from self._agree(now, frame)
                return
            request = self.dialect.request(now, frame.payload_type, frame.payload)
        except (ExiError, Unexpected) as error:
            yield from self._broken(str(error))
            return
        yield Heard(request)
        self._pending, self._asked, self._hush = request, frame, None
        self._deadline = now.mono + self.dialect.answer_within_s
        yield from self._again(now, late=False)

    def _again(self, now: Now, *, late: bool) -> Iterator[Command]:
        """Answer the request that waits, if it can be answered."""
        if self._pending is None or self.dialect is None:
            return
        was_on = self.dialect.energy_on
        try:
            answer = self.dialect.answer(now, self._pending, late=late)
            send = (
                self._sent(answer.response, answer.payload_type, answer.namespace, answer.document) if answer.response is not None else None
            )
        except (ExiError, ValueError, ArithmeticError, LookupError) as error:
            # A fact that no message can say: no number, out of its range, or nothing that there is a word for.
            if was_on and not self.dialect.energy_on:
                # The request has taken the energy off, and what would have told so is lost with its answer.
                yield PowerOff("no answer can be made")
            yield from self._broken(f"no answer can be made: {error}")
            return
        yield from answer.told
        if send is None:
            return
        self._pending = None
        if answer.failed and self.dialect.energy_on:
            yield PowerOff(answer.failed)
        yield send
        if answer.failed or answer.over:
            yield from self._end(now, answer.over or Ending.ABORTED, answer.failed or "SessionStop", answer.ev_code)
            return
        self._deadline = now.mono + self.dialect.patience_s(now)
        quiet_s = self.dialect.hush_s(now)
        self._hush = None if quiet_s is None else now.mono + quiet_s

    @staticmethod
    def _sent(response: Message, payload_type: int, namespace: str, document: Message | None = None) -> Send:
        return Send(Frame(payload_type, exi.encode(document or response, namespace)).octets(), response)

    # ---- supportedAppProtocol

    def _agree(self, now: Now, frame: Frame) -> Iterator[Command]:
        if frame.payload_type != SAP_DIN_ISO2:
            raise Unexpected(f"payload type {frame.payload_type:04X} before supportedAppProtocol")
        request = exi.decode(frame.payload, sap.NAMESPACE)
        if not isinstance(request, sap.supportedAppProtocolReq):
            raise Unexpected("a supportedAppProtocolRes from the vehicle")
        yield Heard(request)
        chosen = choose([each for each in self.protocols if each.unverified or self._verified], request)
        if chosen is None:
            response = sap.supportedAppProtocolRes(ResponseCode="Failed_NoNegotiation")
            offered = ", ".join(repr(each.ProtocolNamespace) for each in request.AppProtocol)
            yield Note("warning", "v2g.no_protocol", f"the vehicle offers {offered}")
            yield self._sent(response, SAP_DIN_ISO2, sap.NAMESPACE)
            yield from self._end(now, Ending.ABORTED, "no protocol in common", "")
            return
        protocol, schema_id, exact = chosen
        code = "OK_SuccessfulNegotiation" if exact else "OK_SuccessfulNegotiationWithMinorDeviation"
        self.dialect = protocol.make(protocol.namespace)
        self.stage = Stage.TALKING
        yield DialectChosen(protocol.namespace)
        response = sap.supportedAppProtocolRes(ResponseCode=code, SchemaID=schema_id)  # type: ignore[arg-type]
        yield self._sent(response, SAP_DIN_ISO2, sap.NAMESPACE)

    # ---- the end

    def _timer(self, now: Now) -> Iterator[Command]:
        if self._hush is not None and now.mono >= self._hush and self.dialect is not None:
            self._hush = None
            yield from self.dialect.hushed()
        if self._deadline is None or now.mono < self._deadline:
            return
        if self.stage is Stage.ENDING:
            yield from self._gone()
        elif self._pending is not None:
            yield from self._again(now, late=True)
            yield from self._next(now)
        else:
            yield from self._over(Ending.ABORTED, "no request in time")

    def _broken(self, problem: str) -> Iterator[Command]:
        yield Note("warning", "v2g.broken", problem)
        yield from self._over(Ending.ABORTED, problem)

    def _end(self, now: Now, ending: Ending, why: str, ev_code: str) -> Iterator[Command]:
        """The last response is sent; the vehicle closes."""
        yield from self._tell_over(ending, why, ev_code)
        self.stage, self._hush = Stage.ENDING, None
        self._deadline = now.mono + CLOSE_S

    def _over(self, ending: Ending, why: str) -> Iterator[Command]:
        """At once, without an answer."""
        if self.dialect is not None and self.dialect.energy_on and not self._told_over:
            yield PowerOff(why)
        yield from self._tell_over(ending, why, "")
        yield from self._gone()

    def _tell_over(self, ending: Ending, why: str, ev_code: str) -> Iterator[Command]:
        if not self._told_over:
            self._told_over = True
            yield SessionOver(ending, why, ev_code)

    def _gone(self) -> Iterator[Command]:
        self.stage, self._deadline, self._hush, self._pending = Stage.OVER, None, None, None
        self._waiting.clear()
        yield Close()


def choose(protocols: Sequence[Protocol_], request: sap.supportedAppProtocolReq) -> tuple[Protocol_, int, bool] | None:
    """Among what both speak the vehicle's first (priority 1 is the highest), with its SchemaID, and whether the minor version is the same. The major version
    must be the same (ISO 15118-2 8.2, ISO 15118-20 8.2 [K]).
    """
    for offer in sorted(request.AppProtocol, key=lambda each: each.Priority):
        for protocol in protocols:
            if protocol.namespace == offer.ProtocolNamespace and protocol.major == offer.VersionNumberMajor:
                return protocol, offer.SchemaID, protocol.minor == offer.VersionNumberMinor
    return None
