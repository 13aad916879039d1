"""The port to the CSMS on virtual time against real servers on loopback, good ones and bad ones."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from chargepoint.commands import OpenLink
from chargepoint.runtime.ports.csms import CsmsPort
from chargepoint.runtime.tls import TlsFiles
from chargepoint.runtime.virtual import run_virtual

T = TypeVar("T")
Stream = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PASSWORD = "0123456789abcdef"


def order(url: str, attempt: int = 1, **changes: Any) -> OpenLink:
    plain = OpenLink(attempt, 1, url, "CP1", 2 if url.startswith("wss") else 1, PASSWORD, ("ocpp2.1",), 30.0)
    return replace(plain, **changes)


class Ears:
    """What the port told, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.queue: asyncio.Queue[object] = asyncio.Queue()

    def __call__(self, event: object) -> None:
        self.told.append(event)
        self.queue.put_nowait(event)

    async def next(self, kind: type[T]) -> T:
        """The next event, which has to be of this kind."""
        event = await self.queue.get()
        assert isinstance(event, kind), event
        return event


@asynccontextmanager
async def a_port(files: TlsFiles | None = None) -> AsyncIterator[tuple[CsmsPort, Ears]]:
    ears = Ears()
    port = CsmsPort(ears, lambda _: files or TlsFiles(), threaded=False)
    await port.start()
    try:
        yield port, ears
    finally:
        await port.stop()


@asynccontextmanager
async def a_csms(
    handler: Callable[[ServerConnection], Awaitable[None]], context: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[str]:
    """A websocket server that agrees to ocpp2.1; gives its URL."""
    options = {"subprotocols": ["ocpp2.1"], "ping_interval": None, "close_timeout": 1.0, **options}
    async with serve(handler, "127.0.0.1", 0, ssl=context, **options) as server:
        yield url_of(server, secure=context is not None)


@asynccontextmanager
async def a_listener(talk: Stream) -> AsyncIterator[str]:
    """A TCP server that is no websocket server."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield url_of(server)
    finally:
        server.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def a_tls_csms(
    handler: Callable[[ServerConnection], Awaitable[None]], context: ssl.SSLContext, over: Callable[[], None] | None = None
) -> AsyncIterator[str]:
    """A CSMS behind a TLS that says why it hangs up: asyncio's own server drops the alert. `over` is called when a connection has ended."""
    async with a_csms(handler) as plain:
        target = int(plain.rpartition(":")[2].partition("/")[0])

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, ssl.SSLError, EOFError):
                await _terminate(context, reader, writer, target)
            writer.close()
            if over:
                over()

        async with a_listener(talk) as url:
            yield url.replace("ws:", "wss:")


async def _terminate(context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)

    async def step(action: Callable[[], T]) -> T:
        while True:
            try:
                return action()
            except ssl.SSLWantReadError:
                pass
            finally:
                writer.write(outgoing.read())
            data = await reader.read(16_384)
            if not data:
                raise EOFError
            incoming.write(data)

    await step(tls.do_handshake)
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target)

    async def back() -> None:
        while data := await there_reader.read(16_384):
            tls.write(data)
            writer.write(outgoing.read())

    backwards = asyncio.ensure_future(back())
    try:
        while data := await step(lambda: tls.read(16_384)):
            there_writer.write(data)
    finally:
        backwards.cancel()
        there_writer.close()


def url_of(server: Server | asyncio.Server, *, secure: bool = False) -> str:
    number = next(iter(server.sockets)).getsockname()[1]
    return f"{'wss' if secure else 'ws'}://localhost:{number}/CP1"


def virtually(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end; whoever would wait for ever has a virtual day."""

    async def bounded() -> None:
        async with asyncio.timeout(86_400):
            await work

    run_virtual(bounded())


async def wait_closed(link: ServerConnection) -> None:
    """A CSMS that listens and says nothing."""
    with suppress(ConnectionClosed):
        async for _ in link:
            pass


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while await reader.read(1000):
            pass
    writer.close()


class Freezer:
    """A wire between the two that can be cut in the middle without either end noticing."""

    def __init__(self, url: str) -> None:
        self.target = int(url.rpartition(":")[2].partition("/")[0])
        self.frozen = False
        self.open = 0
        self.most_open = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        pumps = [asyncio.ensure_future(self._pump(reader, there_writer)), asyncio.ensure_future(self._pump(there_reader, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        self.open -= 1
        for pump in pumps:
            pump.cancel()
        await asyncio.wait(pumps)
        writer.close()
        there_writer.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(4096):
                if self.frozen:
                    continue  # swallowed
                target.write(data)
