"""One end of a V2G connection, the charger's or the vehicle's: octets and TLS off it as events, octets onto it; with a session at it (`Line`) or without
(`Wire`).
"""

from __future__ import annotations

import abc
import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from typing import Protocol, cast

from chargepoint.runtime.clock import Clock
from iso15118.connection import Abort, Close, Command, Connected, Event, Lost, Now, Received, Send, TimerExpired
from iso15118.terms import Told

MOST_UNREAD = 1 << 16
"""Octets that the other end has not read yet."""
CLOSE_S = 2.0
"""Then a connection that is closed is gone, whatever of it was not read."""


class Secure(Protocol):
    """TLS between a connection and its session: octets in, octets out, no I/O of its own."""

    def received(self, octets: bytes) -> bytes:
        """Takes what came; gives what it says inside. Raises ConnectionError in words when the connection is over."""

    def wrapped(self, octets: bytes) -> bytes:
        """What is to be sent for these octets."""

    def pending(self) -> bytes:
        """What TLS itself wants to send."""

    def closing(self) -> bytes:
        """Its last words before the connection is closed."""

    @property
    def ready(self) -> bool:
        """The handshake is done."""

    @property
    def verified(self) -> bool:
        """The vehicle's certificate was judged good."""

    @property
    def version(self) -> str:
        """Of TLS, as "1.3", once the handshake is done."""


class Machine(Protocol):
    """A session of either end."""

    def handle(self, now: Now, event: Event) -> Sequence[Command]: ...

    def deadline(self) -> float | None: ...


class Wire(asyncio.Protocol, abc.ABC):
    """A TCP connection and its TLS. What happens to it goes to `handle`; whoever derives from it says what becomes of that."""

    def __init__(self, secure: Secure | None) -> None:
        self.secure = secure
        self.peer = ""
        self._transport: asyncio.Transport | None = None
        self._agreed = False
        self._gone = False

    # ---- what an end makes of it

    @abc.abstractmethod
    def begin(self) -> None:
        """TCP stands, TLS does not yet."""

    @abc.abstractmethod
    def handle(self, event: Event) -> None:
        """Connected, when TLS is done; Received, without TLS; Lost."""

    def forgotten(self) -> None:
        """It is closed."""

    # ---- in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.peer = str(transport.get_extra_info("peername", ("",))[0])
        line = transport.get_extra_info("socket")
        if line is not None:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.secure is not None:
            self._send(self.secure.pending())
        self.begin()

    def data_received(self, data: bytes) -> None:
        if self.secure is None:
            self.handle(Received(data))
            return
        try:
            inside = self.secure.received(data)
        except ConnectionError as error:
            self._send(self.secure.pending())
            self.handle(Lost(str(error)))
            return
        self._send(self.secure.pending())
        if self.secure.ready and not self._agreed:
            self._agreed = True
            self.handle(Connected(verified=self.secure.verified))
        if inside:
            self.handle(Received(inside))

    def eof_received(self) -> bool:
        self.handle(Lost("closed by the other end"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.handle(Lost(str(exc) if exc else "closed"))
        self._forget()

    # ---- out

    def send(self, octets: bytes) -> None:
        """Octets for the other end; TLS goes on here."""
        self._send(self.secure.wrapped(octets) if self.secure else octets)

    def _send(self, octets: bytes) -> None:
        if octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)
            if self._transport.get_write_buffer_size() > MOST_UNREAD:
                self.drop()
                self.handle(Lost("does not read what it is sent"))

    def close(self) -> None:
        """Once what was sent is out."""
        if self.secure is not None:
            self._send(self.secure.closing())
        if self._transport is not None:
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)
        self._forget()

    def drop(self) -> None:
        """At once, with whatever was not read."""
        if self._transport is not None:
            self._transport.abort()
        self._forget()

    def _forget(self) -> None:
        self._gone = True
        self.forgotten()


class Line(Wire):
    """With a session: its commands are carried out, and it has a timer. Whoever derives from it says what becomes of what is told."""

    def __init__(self, machine: Machine, clock: Clock, secure: Secure | None) -> None:
        super().__init__(secure)
        self.machine, self.clock = machine, clock
        self._timer: asyncio.TimerHandle | None = None
        self._events: deque[Event] = deque()
        self._failed = False

    # ---- what an end makes of it

    def told(self, told: Told) -> None:
        """Something that the session tells."""

    def shown(self, command: Command) -> None:
        """Everything else that it does, before it is done."""

    def deadline(self) -> float | None:
        """When something is due."""
        return self.machine.deadline()

    def due(self) -> None:
        """It is."""

    # ---- through the session

    def handle(self, event: Event) -> None:
        """One event into the session; carry out what it says, in its order. What comes of that in the meantime waits for its turn."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            self._carry_out(self._events[0])
            self._events.popleft()
        self._set_timer()

    def _carry_out(self, event: Event) -> None:
        """A command that fails takes none of the others with it: PowerOff may be among them."""
        try:
            commands = self.machine.handle(self.clock.now(), event)
        except Exception as error:  # noqa: BLE001 whatever it was, the energy has to go off
            self._bug(error, event)
            return
        for command in commands:
            try:
                self._do(command)
            except Exception as error:  # noqa: BLE001 the same
                self._bug(error, command)

    def _do(self, command: Command) -> None:
        if isinstance(command, Told):
            self.told(command)
            return
        try:
            self.shown(command)
        finally:
            if isinstance(command, Send):
                self.send(command.octets)
            elif isinstance(command, Close):
                self.close()

    def _bug(self, error: Exception, at: Event | Command) -> None:
        """An error of ours: the session ends; when it cannot even do that, the connection does."""
        words = f"an error of ours in a V2G connection, at {type(at).__name__}"
        asyncio.get_running_loop().call_exception_handler({"message": words, "exception": error})
        if self._failed:
            self.drop()
        else:
            self._failed = True
            self._events.append(Abort("an error of our own"))

    # ---- the timer

    def _forget(self) -> None:
        self._stop_timer()
        super()._forget()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._stop_timer()
        deadline = None if self._gone else self.deadline()
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, deadline - self.clock.now().mono), self._due)

    def _due(self) -> None:
        self._timer = None
        self.due()
        self.handle(TimerExpired())
