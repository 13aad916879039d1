"""The cable's network side on real sockets (loopback): who gets in, what is answered, and what a flood costs (S-3, S-14, S-22, S-23, S-24)."""

from __future__ import annotations

import asyncio
import contextlib
import io
import ipaddress
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.v2g.secc import Bench, Options, Server
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g import DYNAMIC_PORTS, MOST_CONNECTIONS, NoInterface, V2gServer, Where, find
from chargepoint.runtime.ports.v2g_line import MOST_UNREAD
from iso15118 import exi, sdp
from iso15118.connection import Close, Command, Note, Send
from iso15118.messages import sap
from iso15118.messages.declare import Message
from iso15118.messages.din import msg_body as din_body
from iso15118.messages.iso2 import msg_body as iso2_body
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.protocols import PROTOCOLS
from iso15118.secc.din import spelling as din
from iso15118.secc.iso2 import spelling as iso2
from iso15118.secc.session import Session
from iso15118.terms import SessionBegun, SessionOver, Told
from iso15118.v2gtp import ISO20_MAIN, SAP_DIN_ISO2, SDP_RESPONSE, Frame, FrameReader

LOOPBACK = Where("lo", socket.if_nametoindex("lo"), ipaddress.IPv6Address("::1"))
COMMON = cm.NAMESPACE
PATIENCE_S = 20.0
SETUPS: dict[str, Message] = {
    "iso2-dc": iso2.document(bytes(8), iso2_body.SessionSetupReq(EVCCID=b"\2CAR\0\1")),
    "din": din.document(bytes(8), din_body.SessionSetupReq(EVCCID=b"\2CAR\0\1")),
}
SPEECHES = pytest.mark.parametrize("speech", ["iso20-dc", "iso2-dc", "din"])


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, int]]:
    """A server with its bench on loopback; its TCP port."""
    bench = Bench(Options("lo", show=False), SystemClock(), io.StringIO())
    server = V2gServer(LOOPBACK, bench)
    await server.start()
    bench.changed = server.changed
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield server, port(server)
    finally:
        await server.stop()


def port(server: Server) -> int:
    answer = server.answer(sdp.Request(sdp.Security.NONE).octets())
    assert answer is not None
    return sdp.read_response(answer).port


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Client:
    """A vehicle by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.frames = reader, writer, FrameReader()

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("::1", port))

    async def ask(self, message: Message, payload_type: int, namespace: str, piece: int = 0) -> Message:
        octets = Frame(payload_type, exi.encode(message, namespace)).octets()
        for at in range(0, len(octets), piece or len(octets)):
            self.writer.write(octets[at : at + (piece or len(octets))])
            await self.writer.drain()
        while True:
            data = await self.reader.read(4096)
            assert data, "closed"
            for frame in self.frames.feed(data):
                return exi.decode(frame.payload, namespace)

    async def begin(self, piece: int = 0, speech: str = "iso20-dc") -> bytes:
        """Up to the session id."""
        namespace, major, minor, *_ = PROTOCOLS[speech]
        offer = sap.AppProtocolType(ProtocolNamespace=namespace, VersionNumberMajor=major, VersionNumberMinor=minor, SchemaID=7, Priority=1)
        agreed = await self.ask(sap.supportedAppProtocolReq(AppProtocol=(offer,)), SAP_DIN_ISO2, sap.NAMESPACE, piece)
        assert agreed == sap.supportedAppProtocolRes(ResponseCode="OK_SuccessfulNegotiation", SchemaID=7)
        if speech in SETUPS:
            document: Any = await self.ask(SETUPS[speech], SAP_DIN_ISO2, namespace, piece)
            assert document.Body.BodyElement.ResponseCode == "OK_NewSessionEstablished"
            found: bytes = document.Header.SessionID
            return found
        header = ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1)
        response = await self.ask(cm.SessionSetupReq(Header=header, EVCCID="CAR"), ISO20_MAIN, COMMON, piece)
        assert isinstance(response, cm.SessionSetupRes)
        assert response.ResponseCode == "OK_NewSessionEstablished"
        return response.Header.SessionID

    async def closed(self) -> bool:
        """The charger has closed."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True
        finally:
            self.writer.close()

    def close(self) -> None:
        self.writer.close()


@pytest.mark.req("S-22")
@pytest.mark.parametrize("piece", [0, 1, 7])
@SPEECHES
def test_a_session_begins_however_its_octets_are_cut(piece: int, speech: str) -> None:
    async def story() -> None:
        async with serving() as (_, port):
            client = await Client.connect(port)
            first = await client.begin(piece, speech)
            client.close()
            again = await Client.connect(port)
            assert await again.begin(piece, speech) != first, "ids are drawn"
            again.close()

    asyncio.run(story())


@pytest.mark.req("S-23", "S-3")
def test_sdp_answers_what_is_a_request_and_not_more_often_than_a_vehicle_asks() -> None:
    async def story() -> None:
        async with serving() as (server, port):
            request = sdp.Request(sdp.Security.NONE).octets()
            assert port in DYNAMIC_PORTS
            assert server.answer(request[:-1]) is None
            assert server.answer(Frame(SDP_RESPONSE, bytes(20)).octets()) is None
            tls = server.answer(sdp.Request(sdp.Security.TLS).octets())
            assert tls is not None
            assert sdp.read_response(tls).security is sdp.Security.NONE, "less than it asked for: it may go"
            answered = sum(server.answer(request) is not None for _ in range(5000))
            assert answered <= 40

    asyncio.run(story())


@pytest.mark.req("S-3")
@SPEECHES
def test_five_hundred_idle_connections_cost_nothing_and_keep_nobody_out(speech: str) -> None:
    async def story() -> None:
        async with serving() as (server, port):
            before = open_files(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            idle = [await Client.connect(port) for _ in range(200)]
            await asyncio.sleep(0)
            assert len(server.connections) <= MOST_CONNECTIONS
            for each in idle:
                each.close()
            for _ in range(300):
                (await Client.connect(port)).close()
            honest = await Client.connect(port)
            await honest.begin(speech=speech)
            assert len(server.connections) <= MOST_CONNECTIONS
            honest.close()
            await asyncio.sleep(0.05)
            assert open_files() - before[0] < 20
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before[1] < 20_000

    asyncio.run(story())


@pytest.mark.req("S-3", "S-24")
@SPEECHES
def test_a_vehicle_that_connects_anew_is_served_at_once(speech: str) -> None:
    """Its old connection hangs, without energy: it gives way."""

    async def story() -> None:
        async with serving() as (server, port):
            old = await Client.connect(port)
            await old.begin(speech=speech)
            new = await Client.connect(port)
            await new.begin(speech=speech)
            assert await old.closed()
            assert len(server.connections) == 1
            new.close()

    asyncio.run(story())


@pytest.mark.req("S-1", "S-4")
@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"\x01\xfe\x80\x01\xff\xff\xff\xf8",
        Frame(SAP_DIN_ISO2, b"\x80\xff").octets(),
        bytes(1000),
    ],
)
@SPEECHES
def test_whatever_is_no_v2g_closes_its_connection_and_the_next_one_works(octets: bytes, speech: str) -> None:
    async def story() -> None:
        async with serving() as (_, port):
            stranger = await Client.connect(port)
            stranger.writer.write(octets)
            assert await stranger.closed()
            honest = await Client.connect(port)
            await honest.begin(speech=speech)
            honest.close()

    asyncio.run(story())


@pytest.mark.req("S-9")
def test_an_interface_that_is_not_there_is_said_in_words() -> None:
    with pytest.raises(NoInterface, match="no network interface 'none0'"):
        find("none0")
    with pytest.raises(NoInterface, match="'lo' has no IPv6 link-local address"):
        find("lo")


def test_a_charger_that_stops_ends_its_sessions() -> None:
    async def story() -> None:
        async with serving() as (server, port):
            client = await Client.connect(port)
            await client.begin()
            await server.stop()
            assert await client.closed()
            assert server.connections == []

    asyncio.run(story())


@pytest.mark.req("S-11", "S-24")
@pytest.mark.parametrize("at", [cm.SessionSetupRes, Note, Close, SessionBegun, SessionOver])
def test_an_error_of_our_own_ends_the_session_and_nothing_else(at: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the host raises: the session is told to be over, the connection is gone, and the next vehicle is served."""
    over: list[str] = []
    failures: list[object] = []
    told, shown = Bench.told, Bench.shown

    def fail(thing: object) -> None:
        if isinstance(thing, at) and not failures:
            failures.append(thing)
            raise KeyError("of ours")

    def telling(self: Bench, session: Session, what: Told) -> None:
        if isinstance(what, SessionOver):
            over.append(what.why)
        told(self, session, what)
        fail(what)

    def showing(self: Bench, session: Session, command: Command) -> None:
        shown(self, session, command)
        fail(command.message if isinstance(command, Send) else command)

    monkeypatch.setattr(Bench, "told", telling)
    monkeypatch.setattr(Bench, "shown", showing)

    async def story() -> None:
        complaints: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context["message"]))
        async with serving() as (server, port):
            client = await Client.connect(port)
            with contextlib.suppress(AssertionError, ConnectionError):
                await client.begin()
                client.writer.write(b"no V2GTP at all")
            assert await client.closed()
            assert len(failures) == len(complaints) == len(over) == 1
            assert server.connections == []
            again = await Client.connect(port)
            await again.begin()
            again.close()

    asyncio.run(story())


@pytest.mark.req("S-3")
def test_a_vehicle_that_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    over: list[str] = []
    sent: list[Command] = []
    told = Bench.told

    def keep(self: Bench, session: Session, what: Told) -> None:
        if isinstance(what, SessionOver):
            over.append(what.why)
        told(self, session, what)

    monkeypatch.setattr(Bench, "told", keep)
    monkeypatch.setattr(Bench, "shown", lambda self, session, command: sent.append(command) if isinstance(command, Send) else None)

    async def story() -> None:
        async with serving() as (server, port):
            line = socket.socket(socket.AF_INET6)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(line, ("::1", port))
            reader, writer = await asyncio.open_connection(sock=line)
            client = Client(reader, writer)
            header = ct.MessageHeaderType(SessionID=await client.begin(), TimeStamp=1)
            await client.ask(cm.AuthorizationSetupReq(Header=header), ISO20_MAIN, COMMON)
            ask = cm.AuthorizationReq(
                Header=header, SelectedAuthorizationService="EIM", EIM_AReqAuthorizationMode=cm.EIM_AReqAuthorizationModeType()
            )
            while True:
                response = await client.ask(ask, ISO20_MAIN, COMMON)
                if getattr(response, "EVSEProcessing", "") == "Finished":
                    break
                await asyncio.sleep(0.05)
            await client.ask(cm.ServiceDiscoveryReq(Header=header), ISO20_MAIN, COMMON)
            octets = Frame(ISO20_MAIN, exi.encode(cm.ServiceDetailReq(Header=header, ServiceID=2), COMMON)).octets()
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            (connection,) = server.connections
            held = 0
            while server.connections:
                before = len(sent)
                writer.write(octets)
                for _ in range(1_000_000):
                    await asyncio.sleep(0)
                    if len(sent) > before or not server.connections:
                        break
                held = max(held, connection._transport.get_write_buffer_size() if connection._transport else 0)
            assert held <= MOST_UNREAD + 4096
            assert over == ["does not read what it is sent"]
            writer.transport.abort()

    asyncio.run(story())
