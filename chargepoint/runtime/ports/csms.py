"""The websocket to the CSMS: OpenLink and CloseLink in, LinkUp and LinkDown out, frames both ways.

One connection at a time: the one before is gone before the next one is dialled. What is read is bounded (MOST_READ_BYTES), and so is
what waits to be sent; a CSMS that does not read is one that is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, Any, ClassVar

from chargepoint.commands import CloseLink, Command, OpenLink, SendText, SetPingInterval
from chargepoint.events import LinkCause, LinkDown, LinkUp, OversizeReceived, TextReceived
from chargepoint.ocpp import dialects, wire
from chargepoint.runtime.port import Tell
from chargepoint.runtime.tls import TlsFiles, TlsSetupError, client_context, explain

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

OPEN_TIMEOUT_S = 20.0
"""TCP, TLS and the upgrade together (ours)."""
CLOSE_TIMEOUT_S = 2.0
"""For the closing handshake; then the socket is dropped (ours)."""
MOST_READ_BYTES = 4 << 20
"""A frame beyond the limit of `wire.LIMITS` is answered and the connection kept; one beyond this is not read, and closes it (1009)."""
MOST_UNSENT = 1000
"""Frames that may wait for a CSMS that does not read (ours)."""


class CsmsPort:
    """Takes OpenLink, CloseLink, SendText, SetPingInterval."""

    takes: ClassVar[tuple[type[Command], ...]] = (OpenLink, CloseLink, SendText, SetPingInterval)

    def __init__(self, tell: Tell, files: TlsFiles | None = None) -> None:
        self.tell = tell
        self.files = files or TlsFiles()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._unsent: asyncio.Queue[str] = asyncio.Queue()
        self._close: asyncio.Event = asyncio.Event()
        self._close_as = (1000, "")
        self._ping_s = 0.0
        self._ping_changed = asyncio.Event()

    async def start(self) -> None:
        """Nothing to do until OpenLink."""

    def carry_out(self, command: Command) -> None:
        match command:
            case OpenLink():
                before = self._task
                self._close = asyncio.Event()
                self._task = self._loop.create_task(self._run(command, before, self._close))
            case CloseLink():
                self._close_as = (command.code, command.reason)
                self._close.set()
            case SendText():
                self._unsent.put_nowait(command.text)
                if self._unsent.qsize() > MOST_UNSENT:
                    self._close.set()
            case SetPingInterval():
                self._ping_s = command.ping_interval_s
                self._ping_changed.set()

    async def stop(self) -> None:
        """Close in good order, within CLOSE_TIMEOUT_S."""
        self._close.set()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    # ---- one connection

    async def _run(self, order: OpenLink, before: asyncio.Task[None] | None, close: asyncio.Event) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._unsent = asyncio.Queue()
        self._ping_s = order.ping_interval_s
        down = await self._dialled(order, close)
        self.tell(down)

    async def _dialled(self, order: OpenLink, close: asyncio.Event) -> LinkDown:
        closing = self._loop.create_task(close.wait())
        dialling = self._loop.create_task(self._dial(order))
        try:
            await asyncio.wait([closing, dialling], return_when=asyncio.FIRST_COMPLETED)
            if not dialling.done():
                dialling.cancel()
                await asyncio.wait([dialling])
            if dialling.cancelled():
                return LinkDown(order.attempt, "closed", "given up while dialling")
            found = dialling.result()
            return found if isinstance(found, LinkDown) else await self._talk(order, found, closing)
        finally:
            closing.cancel()

    async def _dial(self, order: OpenLink) -> ClientConnection | LinkDown:
        from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

        try:
            return await self._connect(order)
        except TlsSetupError as error:
            return LinkDown(order.attempt, "certificate", str(error))
        except InvalidStatus as refused:
            return _refused(order.attempt, refused.response.status_code)
        except InvalidURI as error:
            return LinkDown(order.attempt, "protocol", str(error))
        except ssl.SSLError as error:
            return LinkDown(order.attempt, *explain(error))
        except (InvalidHandshake, EOFError) as error:
            cause: LinkCause = (
                "tls" if order.security_profile == 3 and isinstance(error.__cause__, (EOFError, ssl.SSLError)) else "protocol"
            )
            return LinkDown(order.attempt, cause, f"no answer to the upgrade that can be read: {error}"[:300])
        except TimeoutError:
            return LinkDown(order.attempt, "timeout", f"no connection within {OPEN_TIMEOUT_S:g} s")
        except OSError as error:
            return LinkDown(order.attempt, *_os_cause(error))

    async def _connect(self, order: OpenLink) -> ClientConnection:
        from websockets.asyncio.client import connect

        class Connect(connect):
            """Redirects are not followed: credentials go to the configured host only (F-8)."""

            def process_redirect(self, exc: Exception) -> Exception | str:
                return exc

        secure = order.security_profile >= 2
        headers = {"Authorization": _basic(order.identity, order.password)} if order.security_profile in (1, 2) else {}
        more: dict[str, Any] = {"ssl": client_context(self.files, order.security_profile)} if secure else {}
        return await Connect(
            order.url,
            subprotocols=[*order.subprotocols],  # type: ignore[list-item] # Subprotocol is a NewType of str, in a module that is imported late
            additional_headers=headers,
            user_agent_header="chargepoint",
            compression=None,
            proxy=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=MOST_READ_BYTES,
            logger=_quiet(),
            **more,
        )

    async def _talk(self, order: OpenLink, link: ClientConnection, closing: asyncio.Task[Any]) -> LinkDown:
        chosen = dialects.choose(link.subprotocol or "", order.subprotocols)
        if isinstance(chosen, dialects.Refusal):
            await self._hang_up(link, 1002, chosen.why)
            return LinkDown(order.attempt, "protocol", chosen.why)
        self.tell(LinkUp(order.attempt, link.subprotocol or "", _peer(link)))
        workers = [self._loop.create_task(work) for work in (self._read(link), self._write(link), self._ping(link))]
        try:
            await asyncio.wait([*workers, closing], return_when=asyncio.FIRST_COMPLETED)
            ended = next((worker.result() for worker in workers if worker.done()), None)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
        if ended is None:
            too_much = self._unsent.qsize() > MOST_UNSENT
            await self._hang_up(link, *((1008, "does not read") if too_much else self._close_as))
            return LinkDown(order.attempt, "timeout" if too_much else "closed", "the CSMS does not read" if too_much else "closed by us")
        await self._hang_up(link, 1000, "")
        return LinkDown(order.attempt, *ended)

    async def _hang_up(self, link: ClientConnection, code: int, why: str) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT_S + 1.0):
                await link.close(code, why.encode()[:120].decode(errors="ignore"))
        link.transport.abort()

    async def _read(self, link: ClientConnection) -> tuple[LinkCause, str]:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                frame = await link.recv()
                if isinstance(frame, bytes):
                    frame = frame.decode("utf-8", "replace")  # no OCPP-J; the RPC machine says so
                if len(frame) > wire.LIMITS.frame_bytes:
                    self.tell(OversizeReceived(len(frame)))
                else:
                    self.tell(TextReceived(frame))
        except ConnectionClosed as closed:
            return _closed(closed)

    async def _write(self, link: ClientConnection) -> tuple[LinkCause, str]:
        from websockets.exceptions import ConnectionClosed

        unsent = self._unsent
        try:
            while True:
                await link.send(await unsent.get())
        except ConnectionClosed as closed:
            return _closed(closed)

    async def _ping(self, link: ClientConnection) -> tuple[LinkCause, str]:
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
                pong = await link.ping()
                try:
                    async with asyncio.timeout(interval_s):
                        await pong
                except TimeoutError:
                    link.transport.abort()
                    return "pong", f"no pong within {interval_s:g} s"
        except ConnectionClosed as closed:
            return _closed(closed)


def _quiet() -> Any:
    """The library's log would hold headers and frames; ours says what matters."""
    import logging

    logger = logging.getLogger("chargepoint.websockets")
    logger.disabled = True
    return logger


def _basic(identity: str, password: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()


def _peer(link: ClientConnection) -> str:
    address = link.remote_address
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else ""


def _closed(closed: Any) -> tuple[LinkCause, str]:
    received = closed.rcvd
    if received is None:
        return (
            ("protocol", f"closed by us: {closed.sent.reason or closed.sent.code}") if closed.sent else ("closed", "the connection broke")
        )
    return "closed", f"{received.code} {received.reason}".strip()


def _refused(attempt: int, status: int) -> LinkDown:
    words: dict[int, LinkCause] = {401: "unauthorized", 403: "forbidden", 404: "not_found"}
    cause = words.get(status) or ("redirect" if 300 <= status < 400 else "http")
    return LinkDown(attempt, cause, f"the CSMS answers the upgrade with {status}", status)


def _os_cause(error: OSError) -> tuple[LinkCause, str]:
    import socket

    if isinstance(error, socket.gaierror):
        return "dns", error.strerror or str(error)
    if isinstance(error, ConnectionRefusedError):
        return "refused", error.strerror or str(error)
    if isinstance(error, ConnectionError):
        return "closed", error.strerror or str(error)
    return "unreachable", error.strerror or str(error)
