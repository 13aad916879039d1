"""Vehicles that do wrong, by name: each is an honest session whose outgoing requests are changed on their way. Same name and seed, same deeds.

    evcc = misbehaving("wrong_session_id", Session(spoken(wants)), seed=7)
    evcc = misbehaving("silent", Session(spoken(wants)), seed=7, at="DC_ChargeLoopReq")

`at` is the kind of request that is struck first; without it the seed chooses. `CATALOGUE` says what each one does, and what a charger has to make of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.v2g import wrong_older as older
from bench.v2g.misbehave_pnc import PNC
from bench.v2g.misbehave_pnc_older import PNC_OLDER
from bench.v2g.wrong import Session, Then, Wrong, again, another, answered, changed, session_id_of, setup_again, with_session_id
from iso15118 import v2gtp
from iso15118.connection import Close, Command, Now, Send
from iso15118.exi.types import fields_of
from iso15118.iso20.wire import SIDE_STREAMS
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_types as ct
from iso15118.v2gtp import HEADER, Frame


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


class WrongSessionId(Wrong):
    words, then = "a session id of somebody else", Then.REFUSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, with_session_id(send, self.other(session_id_of(send)))

    def other(self, right: bytes) -> bytes:
        return bytes((right[0] ^ (1 + self.dice.randrange(255)), *right[1:]))


class ZeroSessionId(WrongSessionId):
    words = "a session id of zeros in the middle of a session"

    def other(self, right: bytes) -> bytes:
        return bytes(8)


class WrongOrder(Wrong):
    words, then = "another request than the order wants", Then.EITHER

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, another(send, self.dice)


class SetupAgain(Wrong):
    words, then = "SessionSetupReq in the middle of a session", Then.REFUSED

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, setup_again(send)


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
        yield 0.0, answered(send)


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
            elif older.is_number(value):
                fields[each.name] = older.spoilt_number(value, self.dice) if self.dice.random() < 0.5 else value
            elif isinstance(value, Message) and each.name != "Header":
                fields[each.name] = self._spoilt(value)
        return again(message, **fields)


class Lies(Wrong):
    words, then, for_good = "the voltages that it tells are not those of its battery", Then.EITHER, True
    _NAMES: ClassVar = ("EVPresentVoltage", "EVTargetVoltage", "EVMaximumVoltage", "EVMinimumVoltage")
    _OLDER: ClassVar = ("EVTargetVoltage", "EVMaximumVoltageLimit", "EVMaxVoltage")
    """In DIN 70121 and ISO 15118-2."""

    def __init__(self, inner: Session, seed: int, at: str = "") -> None:
        super().__init__(inner, seed, at)
        self._volts = self.dice.choice((0, 5, 60, 1500, 5000, -400))

    def strike(self, now: Now, send: Send) -> Iterator[tuple[float, Command]]:
        yield 0.0, changed(send, self._lied(send.message))

    def _lied(self, message: Message) -> Any:
        fields: dict[str, Any] = {}
        for each in fields_of(type(message)):
            value = getattr(message, each.name)
            if older.is_number(value):
                fields[each.name] = older.number(value, self._volts) if each.name in self._OLDER else value
            elif each.name in self._NAMES:
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
"""Name -> what it does, whatever the vehicle pays with."""
CONTRACTS: dict[str, Entry] = {name: _entry(name, kind) for name, kind in PNC.items()}
"""Likewise, where a contract pays."""


OLDER_CONTRACTS: dict[str, Entry] = {name: _entry(name, kind) for name, kind in PNC_OLDER.items()}
"""Likewise, of ISO 15118-2."""


def misbehaving(name: str, inner: Session, seed: int = 0, at: str = "") -> Wrong:
    """A session in misbehaviour's clothes. Raises KeyError for a name that is not in the catalogue."""
    return (CATALOGUE | CONTRACTS | OLDER_CONTRACTS)[name].make(inner, seed, at)


__all__ = ["CATALOGUE", "CONTRACTS", "OLDER_CONTRACTS", "Entry", "misbehaving"]
