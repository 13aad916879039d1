"""What all vehicles that do wrong have in common: an honest session whose outgoing requests are changed on their way, and how a request is changed."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, ClassVar, Protocol

from bench.v2g import wrong_older as older
from iso15118 import exi, v2gtp
from iso15118.connection import Close, Command, Event, Lost, Now, Send, TimerExpired
from iso15118.exi.types import fields_of
from iso15118.iso20.wire import RESPONSES, least, payload_type
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.v2gtp import Frame

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
        if self.after_setup and not (isinstance(message, ct.V2GRequestType) or older.is_request(message)):
            return False
        if self.after_setup and type(message).__name__ == "SessionSetupReq":
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


# ---- requests


def changed(send: Send, message: Message) -> Send:
    """Another message in the place of this one."""
    if isinstance(message, ct.V2GRequestType):
        kind = payload_type(type(message))
        return Send(Frame(kind, exi.encode(message, v2gtp.SCHEMA_SETS[kind])).octets(), message)
    return older.changed(send, message) if older.is_request(message) else send


def request_of(send: Send) -> ct.V2GRequestType:
    """What a vehicle of ISO 15118-20 sends."""
    if not isinstance(send.message, ct.V2GRequestType):
        raise TypeError(f"{type(send.message).__name__} is no request of ISO 15118-20")
    return send.message


def session_id_of(send: Send) -> bytes:
    """In its header."""
    return older.session_id(send) if older.is_request(send.message) else request_of(send).Header.SessionID


def with_session_id(send: Send, session_id: bytes) -> Send:
    """The same in a session of another name."""
    if older.is_request(send.message):
        return older.changed(send, send.message, session_id)
    return changed(send, again(send.message, Header=again(request_of(send).Header, SessionID=session_id)))


def another(send: Send, dice: random.Random) -> Send:
    """The least request of another kind, in the same session."""
    if older.is_request(send.message):
        return older.changed(send, older.least(dice.choice(older.others(send.message))))
    kinds = [each for each in RESPONSES if each is not type(send.message)]
    return changed(send, any_request(dice.choice(kinds), request_of(send).Header.SessionID))


def setup_again(send: Send) -> Send:
    """SessionSetupReq in its place, in the same session."""
    if older.is_request(send.message):
        return older.changed(send, older.least(older.setup_of(send.message)))
    return changed(send, any_request(cm.SessionSetupReq, request_of(send).Header.SessionID))


def answered(send: Send) -> Send:
    """The response in its place."""
    if older.is_request(send.message):
        return older.changed(send, older.response_to(send.message))
    request = request_of(send)
    response = least(RESPONSES[type(request)], Header=request.Header)
    number = payload_type(type(request))
    return Send(Frame(number, exi.encode(response, v2gtp.SCHEMA_SETS[number])).octets(), response)


def again(message: Message, **fields: Any) -> Any:
    """A copy with other fields."""
    kept = {each.name: getattr(message, each.name) for each in fields_of(type(message))}
    return type(message)(**(kept | fields))


def any_request(kind: type[ct.V2GRequestType], session_id: bytes) -> ct.V2GRequestType:
    """The least request of a kind."""
    return least(kind, Header=ct.MessageHeaderType(SessionID=session_id, TimeStamp=0))
