"""The websocket to the CSMS: OpenLink and CloseLink in, LinkUp and LinkDown out, frames both ways.

One connection at a time: the one before is gone before the next one is dialled. What is read is bounded, and so is what waits to be sent:
a CSMS that does not read is one that is not there. A frame beyond `wire.LIMITS` is told as OversizeReceived and the connection kept; one
beyond MOST_READ_BYTES is told, too, and ends the connection (1009).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from chargepoint.commands import CloseLink, Command, OpenLink, SendText, SetPingInterval
from chargepoint.events import LinkCause, LinkDown, LinkUp, OversizeReceived, TextReceived
from chargepoint.ocpp import wire
from chargepoint.runtime.port import Tell
from chargepoint.runtime.tls import TlsFiles
from chargepoint.runtime.websocket import MOST_READ_BYTES, dial, hang_up

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

MOST_UNSENT, MOST_UNSENT_BYTES = 1000, 4 << 20
"""Frames, and their characters, that may wait for a CSMS that does not read (ours)."""
FLUSH_S = 1.0
"""What was given to be sent before CloseLink still goes out, for so long (ours): the answer to a new password is among it."""

Ended = tuple[LinkCause, str]
Credentials: TypeAlias = Callable[[OpenLink], TlsFiles]
"""Roots and client chain for an attempt, as they are now."""


class Unsent:
    """What waits to be sent on one connection."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.characters = 0

    def put(self, text: str) -> bool:
        """Whether it is still bearable."""
        self.queue.put_nowait(text)
        self.characters += len(text)
        return self.queue.qsize() <= MOST_UNSENT and self.characters <= MOST_UNSENT_BYTES

    async def send(self, link: ClientConnection) -> None:
        """Send one after the other, for ever."""
        while True:
            text = await self.queue.get()
            await link.send(text)
            self.characters -= len(text)
            self.queue.task_done()


class CsmsPort:
    """Takes OpenLink, CloseLink, SendText, SetPingInterval. `threaded` False: on virtual time, names are looked up in place."""

    takes: ClassVar[tuple[type[Command], ...]] = (OpenLink, CloseLink, SendText, SetPingInterval)

    def __init__(self, tell: Tell, credentials: Credentials = lambda _: TlsFiles(), *, threaded: bool = True) -> None:
        self.tell = tell
        self.credentials = credentials
        self.threaded = threaded
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._unsent = Unsent()
        self._close = asyncio.Event()
        self._close_as = CloseLink()
        self._deaf = False
        """The CSMS does not read."""
        self._ping_s = 0.0
        self._ping_changed = asyncio.Event()

    async def start(self) -> None:
        """Nothing to do until OpenLink."""

    def carry_out(self, command: Command) -> None:
        match command:
            case OpenLink():
                self._close.set()
                before, self._close = self._task, asyncio.Event()
                self._task = self._loop.create_task(self._run(command, before, self._close))
            case CloseLink():
                self._close_as = command
                self._close.set()
            case SendText():
                if not self._unsent.put(command.text):
                    self._deaf = True
                    self._close.set()
            case SetPingInterval():
                self._ping_s = command.ping_interval_s
                self._ping_changed.set()

    async def stop(self) -> None:
        """Close in good order, within CLOSE_TIMEOUT_S and FLUSH_S."""
        self._close.set()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    # ---- one connection

    async def _run(self, order: OpenLink, before: asyncio.Task[None] | None, close: asyncio.Event) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._unsent, self._deaf, self._close_as, self._ping_s = Unsent(), False, CloseLink(), order.ping_interval_s
        closing = self._loop.create_task(close.wait())
        try:
            down = await self._dialled(order, closing)
        except Exception as error:  # noqa: BLE001 whatever it was: a station that is never told would never dial again
            down = LinkDown(order.attempt, "protocol", f"the link failed: {error!r}"[:300])
        finally:
            closing.cancel()
        self.tell(down)

    async def _dialled(self, order: OpenLink, closing: asyncio.Task[bool]) -> LinkDown:
        dialling = self._loop.create_task(dial(order, self.credentials(order), threaded=self.threaded))
        try:
            await asyncio.wait([closing, dialling], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not dialling.done():
                dialling.cancel()
                await asyncio.wait([dialling])
        if dialling.cancelled():
            return LinkDown(order.attempt, "closed", "given up while dialling")
        link = dialling.result()
        if isinstance(link, LinkDown):
            return link
        try:
            root, wildcard = getattr(link, "root", ""), getattr(link, "wildcard", False)
            self.tell(LinkUp(order.attempt, link.subprotocol or "", _peer(link), root, wildcard))
            return LinkDown(order.attempt, *await self._talk(link, closing))
        finally:
            link.transport.abort()  # nobody is there any more, or all has been said

    async def _talk(self, link: ClientConnection, closing: asyncio.Task[bool]) -> Ended:
        workers = [self._loop.create_task(work) for work in (self._read(link), self._write(link), self._ping(link))]
        flushed = None
        try:
            await asyncio.wait([*workers, closing], return_when=asyncio.FIRST_COMPLETED)
            if closing.done() and not self._deaf:
                flushed = self._loop.create_task(self._unsent.queue.join())
                await asyncio.wait([*workers, flushed], return_when=asyncio.FIRST_COMPLETED, timeout=FLUSH_S)
            ended = next((worker.result() for worker in workers if worker.done()), None)
        finally:
            for task in (*workers, *((flushed,) if flushed else ())):
                task.cancel()
            await asyncio.wait(workers)
        if ended is None and self._deaf:
            ended = "timeout", "the CSMS does not read"
        if ended is None:
            await hang_up(link, self._close_as.code, self._close_as.reason)
            return "closed", "closed by us"
        return ended

    async def _read(self, link: ClientConnection) -> Ended:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                frame = await link.recv()
                text = frame if isinstance(frame, str) else _as_text(frame)
                size = len(text) if text.isascii() else len(text.encode())
                self.tell(OversizeReceived(size) if size > wire.LIMITS.frame_bytes else TextReceived(text))
                await asyncio.sleep(0)  # what makes safe comes between any two frames
        except ConnectionClosed as closed:
            if closed.rcvd is None and closed.sent is not None and closed.sent.code == 1009:
                self.tell(OversizeReceived(MOST_READ_BYTES + 1))
            return _closed(closed)

    async def _write(self, link: ClientConnection) -> Ended:
        from websockets.exceptions import ConnectionClosed

        try:
            await self._unsent.send(link)
        except ConnectionClosed as closed:
            return _closed(closed)
        return "closed", ""

    async def _ping(self, link: ClientConnection) -> Ended:
        """A ping each interval; one that is not answered within the interval means that nobody is there (F-5)."""
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                interval_s = self._ping_s
                self._ping_changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(interval_s or None):
                        await self._ping_changed.wait()
                    continue
                try:
                    async with asyncio.timeout(interval_s):  # around the sending, too: it waits where the other side reads nothing
                        await (await link.ping())
                except TimeoutError:
                    return "pong", f"no pong within {interval_s:g} s"
        except ConnectionClosed as closed:
            return _closed(closed)


def _as_text(frame: bytes) -> str:
    """A binary frame is not OCPP-J; some send JSON in one. What is no text is no JSON either, and the RPC machine says so."""
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return ""


def _peer(link: ClientConnection) -> str:
    address = link.remote_address
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else ""


def _closed(closed: ConnectionClosed) -> Ended:
    if closed.rcvd is not None:
        return "closed", f"{closed.rcvd.code} {closed.rcvd.reason}".strip()
    if closed.sent is not None:
        return "protocol", f"closed by us: {closed.sent.reason or closed.sent.code}"
    return "closed", "the connection broke"
