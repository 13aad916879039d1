"""Vehicles that do wrong, by name: each is an honest session whose outgoing requests are changed on their way. Same name and seed, same deeds.

    evcc = misbehaving("wrong_session_id", Session(spoken(wants)), seed=7)
    evcc = misbehaving("silent", Session(spoken(wants)), seed=7, at="DC_ChargeLoopReq")

`at` is the kind of request that is struck first; without it the seed chooses. `CATALOGUE` says what each one does, and what a charger has to make of it.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Protocol

from iso15118 import exi, v2gtp
from iso15118.connection import Close, Command, Event, Lost, Now, Send, TimerExpired
from iso15118.exi.types import fields_of
from iso15118.iso20.wire import RESPONSES, SIDE_STREAMS, least, payload_type
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.v2gtp import HEADER, Frame

LATEST = 40
"""A seed strikes at one of the first so many requests."""


class Session(Protocol):
    """What is wrapped: a vehicle's session."""

    def handle(self, now: Any, event: Event) -> Sequence[Command]: ...

    def deadline(self) -> float | None: ...


class Then(Enum):
    """What a charger has to make of a misbehaviour."""

    SERVED = "the session goes on as if nothing were"
    REFUSED = "a FAILED answer, then over"
    CLOSED = "no answer, over"
    EITHER = "refused, closed or served, as the place of it says"


class Wrong:
    """An honest session; the subclasses change `strike`."""

    words: ClassVar[str] = ""
    then: ClassVar[Then] = Then.EITHER
    after_setup: ClassVar[bool] = True
    """Strikes only when there is a session id."""
    for_good: ClassVar[bool] = False
    """Strikes every request from the first one on."""

    def __init__(self, inner: Session, seed: int, at: str = "") -> None:
        self.inner, self.dice, self.at = inner, random.Random(seed), at
        self.struck = False
        self.struck_at = 0.0
        """When it struck first (mono)."""
        self.gone = False
        """It says nothing any more."""
        self._count = 0
        self._strike_at = self.dice.randrange(LATEST)
        self._later: list[tuple[float, int, Command]] = []

    def deadline(self) -> float | None:
        dues = [self._later[0][0]] if self._later else []
        inner = None if self.gone else self.inner.deadline()
        return min([*dues, *([inner] if inner is not None else [])], default=None)

    def handle(self, now: Now, event: Event) -> list[Command]:
        commands: list[Command] = []
        while self._later and self._later[0][0] <= now.mono:
            commands.append(heapq.heappop(self._later)[2])
        if self.gone and not isinstance(event, Lost):
            return commands
        due = self.inner.deadline()
        if isinstance(event, TimerExpired) and (due is None or due > now.mono):
            return commands
        for command in self.inner.handle(now, event):
            commands += self._out(now, command)
        return commands

    def _out(self, now: Now, command: Command) -> Iterator[Command]:
        if self.gone:
            if not isinstance(command, (Send, Close)):
                yield command
            return
        if not isinstance(command, Send) or not self._strikes(command.message):
            if isinstance(command, Send):
                self.seen(command)
            yield command
            return
        if not self.struck:
            self.struck, self.struck_at = True, now.mono
        for after_s, each in self.strike(now, command):
            if after_s <= 0:
                yield each
            else:
                self._count += 1
                heapq.heappush(self._later, (now.mono + after_s, self._count, each))

    def _strikes(self, message: Message) -> bool:
        if self.after_setup and not isinstance(message, ct.V2GRequestType):
            return False
        if self.after_setup and isinstance(message, cm.SessionSetupReq):
            return False
        if self.struck:
            return self.for_good
        self._strike_at -= 1
        return type(message).__name__ == self.at if self.at else self._strike_at < 0

    def seen(self, send: Send) -> None:
        """An honest request goes by."""

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        """What goes out instead, and after how many seconds."""
        yield 0.0, send


class Honest(Wrong):
    words, then = "nothing is wrong", Then.SERVED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, send


# ---- time


class Slow(Wrong):
    words, then, for_good = "every request comes a little late", Then.SERVED, True

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield self.dice.uniform(0.0, 0.2), send


class TooSlow(Wrong):
    words, then = "one request comes after every time limit", Then.CLOSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        self.gone = True
        yield 75.0, send


class Silent(Wrong):
    words, then = "nothing more is said; the connection stays open", Then.CLOSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        self.gone = True
        yield from ()


class Mute(Silent):
    words, after_setup = "not even supportedAppProtocolReq comes", False

    def _strikes(self, message: Message) -> bool:
        return True


class EarlyClose(Wrong):
    words, then = "the connection is closed instead of a request", Then.CLOSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        self.gone = True
        yield 0.0, Close()


# ---- sessions and order


def changed(send: Send, message: Message) -> Send:
    """Another message in the place of this one."""
    if isinstance(message, ct.V2GRequestType):
        kind = payload_type(type(message))
        return Send(Frame(kind, exi.encode(message, v2gtp.SCHEMA_SETS[kind])).octets(), message)
    return send


def request_of(send: Send) -> ct.V2GRequestType:
    """What a vehicle of ISO 15118-20 sends."""
    if not isinstance(send.message, ct.V2GRequestType):
        raise TypeError(f"{type(send.message).__name__} is no request of ISO 15118-20")
    return send.message


def again(message: Message, **fields: Any) -> Any:
    """A copy with other fields."""
    kept = {each.name: getattr(message, each.name) for each in fields_of(type(message))}
    return type(message)(**(kept | fields))


class WrongSessionId(Wrong):
    words, then = "a session id of somebody else", Then.REFUSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        header = request_of(send).Header
        yield 0.0, changed(send, again(send.message, Header=again(header, SessionID=self.other(header.SessionID))))

    def other(self, right: bytes) -> bytes:
        return bytes((right[0] ^ (1 + self.dice.randrange(255)), *right[1:]))


class ZeroSessionId(WrongSessionId):
    words = "a session id of zeros in the middle of a session"

    def other(self, right: bytes) -> bytes:
        return bytes(8)


def any_request(kind: type[ct.V2GRequestType], session_id: bytes) -> ct.V2GRequestType:
    """The least request of a kind."""
    return least(kind, Header=ct.MessageHeaderType(SessionID=session_id, TimeStamp=0))


class WrongOrder(Wrong):
    words, then = "another request than the order wants", Then.EITHER

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        kinds = [each for each in RESPONSES if each is not type(send.message)]
        yield 0.0, changed(send, any_request(self.dice.choice(kinds), request_of(send).Header.SessionID))


class SetupAgain(Wrong):
    words, then = "SessionSetupReq in the middle of a session", Then.REFUSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, changed(send, any_request(cm.SessionSetupReq, request_of(send).Header.SessionID))


class Replay(Wrong):
    words, then = "the octets of an earlier request once more", Then.EITHER

    def __init__(self, inner: Session, seed: int, at: str = "") -> None:
        super().__init__(inner, seed, at)
        self._heard: list[Send] = []

    def seen(self, send: Send) -> None:
        self._heard.append(send)

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, self.dice.choice(self._heard[1:] or [send])


class Twice(Wrong):
    words, then = "one request in two frames at once", Then.EITHER

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, Send(send.octets * 2, send.message)


class Flood(Wrong):
    words, then = "hundreds of requests at once", Then.CLOSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, Send(send.octets * self.dice.randrange(100, 1000), send.message)


class ResponseAsRequest(Wrong):
    words, then = "the response instead of the request", Then.CLOSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        request = request_of(send)
        response = least(RESPONSES[type(request)], Header=request.Header)
        number = payload_type(type(request))
        yield 0.0, Send(Frame(number, exi.encode(response, v2gtp.SCHEMA_SETS[number])).octets(), response)


# ---- octets


class Segmented(Wrong):
    words, then, for_good, after_setup = "one octet at a time", Then.SERVED, True, False

    def _strikes(self, message: Message) -> bool:
        return True

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        for at in range(len(send.octets)):
            yield at * 0.0005, Send(send.octets[at : at + 1], send.message)


class Half(Wrong):
    words, then = "half of a request, and then nothing", Then.CLOSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        self.gone = True
        yield 0.0, Send(send.octets[: self.dice.randrange(1, max(2, len(send.octets)))], send.message)


class Octets(Wrong):
    """Other octets in the place of a frame."""

    then = Then.CLOSED
    after_setup = False

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, Send(self.instead(send.octets), send.message)

    def instead(self, octets: bytes) -> bytes:
        return octets


class Garbage(Octets):
    words = "random octets in the payload"

    def instead(self, octets: bytes) -> bytes:
        """They begin with no EXI header."""
        payload = bytes((self.dice.randrange(0x80), *self.dice.randbytes(self.dice.randrange(1, 200))))
        return Frame(int.from_bytes(octets[2:4], "big"), payload).octets()


class FlippedBits(Octets):
    words, then = "a few bits of the payload are other than they were", Then.EITHER

    def instead(self, octets: bytes) -> bytes:
        flipped = bytearray(octets)
        for _ in range(self.dice.randrange(1, 6)):
            flipped[self.dice.randrange(min(HEADER, len(flipped) - 1), len(flipped))] ^= 1 << self.dice.randrange(8)
        return bytes(flipped)


class Huge(Octets):
    words = "a header that announces 4 GiB"

    def instead(self, octets: bytes) -> bytes:
        return octets[:4] + b"\xff\xff\xff\xff" + octets[HEADER:]


class NoV2gtp(Octets):
    words = "something else than V2GTP"

    def instead(self, octets: bytes) -> bytes:
        return b"GET / HTTP/1.1\r\n\r\n"


class WrongPayloadType(Octets):
    words = "a payload type that the message does not have"

    def instead(self, octets: bytes) -> bytes:
        right = int.from_bytes(octets[2:4], "big")
        kinds = [each for each in v2gtp.NAMES if each != right and each not in _BESIDE.get(right, ())]
        return octets[:2] + self.dice.choice(kinds).to_bytes(2, "big") + octets[4:]


class Aside(Wrong):
    words, then = "a request on a stream that is not its own", Then.CLOSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        kinds = [each for each in _BESIDE[v2gtp.ISO20_MAIN] if each != SIDE_STREAMS.get(type(send.message))]
        yield 0.0, Send(send.octets[:2] + self.dice.choice(kinds).to_bytes(2, "big") + send.octets[4:], send.message)


_BESIDE = {v2gtp.ISO20_MAIN: (v2gtp.ISO20_SCHEDULE_RENEGOTIATION, v2gtp.ISO20_METERING_CONFIRMATION, v2gtp.ISO20_PARKING)}
"""Types with the same schema set: some messages travel either way."""


# ---- values


class OutOfRange(Wrong):
    words, then, for_good = "numbers as great, small or negative as a message can say them", Then.EITHER, True

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, changed(send, self._spoilt(send.message))

    def _spoilt(self, message: Message) -> Any:
        fields = {}
        for each in fields_of(type(message)):
            value = getattr(message, each.name)
            if isinstance(value, ct.RationalNumberType) and self.dice.random() < 0.5:
                fields[each.name] = ct.RationalNumberType(
                    Exponent=self.dice.choice((-128, 0, 6, 127)), Value=self.dice.choice((-32768, -1, 0, 32767))
                )
            elif isinstance(value, Message) and each.name != "Header":
                fields[each.name] = self._spoilt(value)
        return again(message, **fields)


class Lies(Wrong):
    words, then, for_good = "the voltages that it tells are not those of its battery", Then.EITHER, True
    _NAMES: ClassVar = ("EVPresentVoltage", "EVTargetVoltage", "EVMaximumVoltage", "EVMinimumVoltage")

    def __init__(self, inner: Session, seed: int, at: str = "") -> None:
        super().__init__(inner, seed, at)
        self._volts = self.dice.choice((0, 5, 60, 1500, 5000, -400))

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, changed(send, self._lied(send.message))

    def _lied(self, message: Message) -> Any:
        fields: dict[str, Any] = {}
        for each in fields_of(type(message)):
            value = getattr(message, each.name)
            if each.name in self._NAMES:
                fields[each.name] = ct.RationalNumberType(Exponent=0, Value=self._volts)
            elif isinstance(value, Message) and each.name != "Header":
                fields[each.name] = self._lied(value)
        return again(message, **fields)


# ---- by name


@dataclass(frozen=True, slots=True)
class Entry:
    """One misbehaviour."""

    name: str
    words: str
    then: Then
    make: Callable[..., Wrong]


def _entry(name: str, kind: type[Wrong]) -> Entry:
    return Entry(name, kind.words, kind.then, kind)


CATALOGUE: dict[str, Entry] = {
    name: _entry(name, kind)
    for name, kind in {
        "honest": Honest,
        "slow": Slow,
        "too_slow": TooSlow,
        "silent": Silent,
        "mute": Mute,
        "early_close": EarlyClose,
        "wrong_session_id": WrongSessionId,
        "zero_session_id": ZeroSessionId,
        "wrong_order": WrongOrder,
        "setup_again": SetupAgain,
        "replay": Replay,
        "twice": Twice,
        "flood": Flood,
        "response_as_request": ResponseAsRequest,
        "segmented": Segmented,
        "half": Half,
        "garbage": Garbage,
        "flipped_bits": FlippedBits,
        "huge": Huge,
        "no_v2gtp": NoV2gtp,
        "wrong_payload_type": WrongPayloadType,
        "aside": Aside,
        "out_of_range": OutOfRange,
        "lies": Lies,
    }.items()
}
"""Name -> what it does."""


def misbehaving(name: str, inner: Session, seed: int = 0, at: str = "") -> Wrong:
    """A session in misbehaviour's clothes. Raises KeyError for a name that is not in the catalogue."""
    return CATALOGUE[name].make(inner, seed, at)


__all__ = ["CATALOGUE", "Entry", "Then", "Wrong", "again", "any_request", "misbehaving"]
