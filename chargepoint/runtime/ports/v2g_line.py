"""One end of a V2G connection: octets come off it as events, TLS taken away, and go onto it. The session is elsewhere."""

from __future__ import annotations

import abc
import asyncio
import socket
from typing import Protocol, cast

from certs.chain import Verdict
from iso15118.connection import Connected, Event, Lost, Received
from iso15118.v2gtp import START

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
    def verdict(self) -> Verdict | None:
        """What was found of the vehicle's chain."""

    @property
    def sentence(self) -> str:
        """For a driver whose vehicle's certificate was refused."""

    @property
    def without_chain(self) -> bool:
        """The vehicle was refused for want of a chain of ISO 15118-2: without TLS it may be served."""

    @property
    def version(self) -> str:
        """Of TLS, as "1.3", once the handshake is done."""


class Wire(asyncio.Protocol, abc.ABC):
    """A TCP connection and its TLS. What happens to it goes to `handle`; whoever derives from it says what becomes of that."""

    def __init__(self, secure: Secure | None) -> None:
        self.secure = secure
        self.plain_too = False
        """A vehicle that comes without TLS, though it was told TLS, is served as it comes."""
        self.peer = ""
        self._transport: asyncio.Transport | None = None
        self._agreed = self._heard = False
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
        if self.secure is not None and self.plain_too and not self._heard and data.startswith(START[:1]):
            self.secure = None
            self.handle(Connected())
        self._heard = True
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
