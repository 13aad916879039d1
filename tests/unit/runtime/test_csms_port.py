"""The websocket to the CSMS against real servers on loopback, on virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import http
import socket
import threading
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from chargepoint.commands import CloseLink, SendText
from chargepoint.events import LinkDown, LinkUp, TextReceived
from chargepoint.runtime import tcp
from chargepoint.runtime.ports.csms import CsmsPort
from chargepoint.runtime.websocket import OPEN_TIMEOUT_S
from tests.unit.runtime.csms_rig import PASSWORD, Ears, Stream, a_csms, a_listener, a_port, order, says_nothing, virtually, wait_closed

# ---- a good CSMS


def test_up_frames_both_ways_in_order_and_down() -> None:
    async def story() -> None:
        requests: list[Request] = []
        received: list[Any] = []

        async def echo(link: ServerConnection) -> None:
            assert link.request is not None
            requests.append(link.request)
            async for frame in link:
                received.append(frame)
                await link.send(frame)

        async with a_csms(echo) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            up = await ears.next(LinkUp)
            assert (up.attempt, up.subprotocol) == (1, "ocpp2.1")
            assert up.peer.startswith("127.0.0.1:")
            sent = [f"[2,{number},{'x' * (number % 700)}]" for number in range(2000)]
            for start in range(0, len(sent), 500):
                for text in sent[start : start + 500]:
                    port.carry_out(SendText(text))
                for text in sent[start : start + 500]:
                    assert await ears.next(TextReceived) == TextReceived(text)
            assert received == sent
            port.carry_out(CloseLink(1000, "new credentials"))
            assert await ears.next(LinkDown) == LinkDown(1, "closed", "closed by us")
        headers = requests[0].headers
        assert requests[0].path == "/CP1"
        assert headers["Authorization"] == "Basic Q1AxOjAxMjM0NTY3ODlhYmNkZWY="
        assert headers["Sec-WebSocket-Protocol"] == "ocpp2.1"
        assert "Sec-WebSocket-Extensions" not in headers
        assert not [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]

    virtually(story())


@pytest.mark.req("A00.FR.202", "A00.FR.204", "TC_A_01")
@pytest.mark.parametrize(("profile", "sent"), [(0, False), (1, True)])
def test_credentials_go_out_with_profile_1_and_not_with_0(profile: int, sent: bool) -> None:
    async def story() -> None:
        seen: list[bool] = []

        async def look(link: ServerConnection) -> None:
            assert link.request is not None
            seen.append("Authorization" in link.request.headers)
            await wait_closed(link)

        async with a_csms(look) as url, a_port() as (port, ears):
            port.carry_out(order(url, security_profile=profile))
            await ears.next(LinkUp)
        assert seen == [sent]

    virtually(story())


@pytest.mark.req("A01.FR.02")
def test_what_was_given_to_be_sent_goes_out_before_the_close_frame() -> None:
    async def story() -> None:
        received: list[Any] = []
        texts = [f"[3,{number}]{' ' * 80_000}" for number in range(50)]  # more than the sockets' buffers take
        closed: asyncio.Future[tuple[int | None, str | None]] = asyncio.get_running_loop().create_future()

        async def take(link: ServerConnection) -> None:
            received.extend([frame async for frame in link])
            closed.set_result((link.protocol.close_code, link.protocol.close_reason))

        async with a_csms(take) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)
            for text in texts:
                port.carry_out(SendText(text))
            port.carry_out(CloseLink(1000, "new credentials"))
            await ears.next(LinkDown)
            assert await closed == (1000, "new credentials")
        assert received == texts

    virtually(story())


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def story() -> None:
        async with a_csms(wait_closed) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)

    virtually(story())


# ---- refusals (F-8)


@pytest.mark.req("F-8")
@pytest.mark.parametrize(
    ("status", "cause"),
    [(401, "unauthorized"), (403, "forbidden"), (404, "not_found"), (400, "http"), (429, "http"), (500, "http"), (503, "http"), (200, "http"),
     (301, "redirect"), (302, "redirect"), (307, "redirect"), (308, "redirect")],
)  # fmt: skip
def test_a_refused_upgrade_is_named_and_no_redirect_is_followed(status: int, cause: str) -> None:
    async def story() -> None:
        elsewhere: list[str] = []

        async def other(link: ServerConnection) -> None:
            elsewhere.append("reached")

        async with a_csms(other) as there:

            def refuse(link: ServerConnection, request: Request) -> Response:
                response = link.respond(http.HTTPStatus(status), "no")
                response.headers["Location"] = there
                return response

            async with a_csms(wait_closed, process_request=refuse) as url, a_port() as (port, ears):
                port.carry_out(order(url))
                down = await ears.next(LinkDown)
                assert (down.cause, down.status, str(status) in down.detail) == (cause, status, True)
                assert PASSWORD not in repr(down)
        assert elsewhere == []

    virtually(story())


@pytest.mark.req("F-8")
@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize(
    "why", [socket.gaierror(-2, "Name or service not known"), socket.gaierror(-3, "Temporary failure"), UnicodeError("label")]
)
def test_a_name_that_nobody_knows(why: Exception, threaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise why

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    async def story() -> None:
        ears = Ears()
        port = CsmsPort(ears, threaded=threaded)
        port.carry_out(order("ws://csms.invalid/CP1"))
        assert (await ears.next(LinkDown)).cause == "dns"
        await port.stop()

    asyncio.run(story())


@pytest.mark.req("F-18")
def test_a_resolver_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    async def story() -> None:
        loop, asked = asyncio.get_running_loop(), asyncio.Event()

        def hang(*_: Any, **__: Any) -> Any:
            loop.call_soon_threadsafe(asked.set)
            answered.wait(60)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        ears = Ears()
        port = CsmsPort(ears)
        port.carry_out(order("ws://csms.invalid/CP1"))
        await asked.wait()
        port.carry_out(CloseLink())
        assert (await ears.next(LinkDown)).cause == "closed"
        await port.stop()

    asyncio.run(story())
    assert not answered.is_set()  # the loop has ended, and the resolver is still hanging
    answered.set()


def test_the_second_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with a_csms(wait_closed) as url, a_port() as (port, ears):
            number = int(url.rpartition(":")[2].partition("/")[0])
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, number)) for host in ("127.0.0.2", "127.0.0.1")]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            port.carry_out(order(url.replace("localhost", "csms.example")))
            await ears.next(LinkUp)

    virtually(story())


def test_small_frames_are_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nagle's algorithm would wait for the acknowledgement of the frame before: up to 40 ms each."""
    made: list[socket.socket] = []
    real = tcp.connect

    async def connect(host: str, port: int, *, threaded: bool) -> socket.socket:
        made.append(await real(host, port, threaded=threaded))
        return made[-1]

    monkeypatch.setattr(tcp, "connect", connect)

    async def story() -> None:
        async with a_csms(wait_closed) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)
            assert made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    virtually(story())


def test_nobody_listens() -> None:
    async def story() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            async with a_port() as (port, ears):
                for host in ("localhost", "127.0.0.1"):
                    port.carry_out(order(f"ws://{host}:{free.getsockname()[1]}/CP1"))
                    assert (await ears.next(LinkDown)).cause == "refused"

    virtually(story())


@pytest.mark.req("F-8")
@pytest.mark.parametrize("error", [OSError(101, "Network is unreachable"), OSError(113, "No route to host")])
def test_no_way_there(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(tcp, "_connect", fail)

    async def story() -> None:
        async with a_port() as (port, ears):
            port.carry_out(order("ws://192.0.2.1/CP1"))
            assert await ears.next(LinkDown) == LinkDown(1, "unreachable", str(error.strerror))

    virtually(story())


# ---- those that are no CSMS


def says(answer: bytes) -> Stream:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    return talk


@pytest.mark.req("F-8")
@pytest.mark.parametrize(
    ("talk", "cause"),
    [
        (says_nothing, "timeout"),
        (says(b""), "protocol"),
        (says(b"hello\r\n\r\n"), "protocol"),
        (says(b"\x15\x03\x01\x00\x02\x02\x46"), "protocol"),
        (says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "protocol"),
        (says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"), "protocol"),
        (says(b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"), "protocol"),
        (says(b"HTTP/1.1 101 " + b"x" * 100_000), "protocol"),
    ],
)  # fmt: skip
def test_whatever_answers_the_upgrade_we_know_within_bounded_time(talk: Stream, cause: str) -> None:
    async def story() -> None:
        async with a_listener(talk) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            down = await ears.next(LinkDown)
            assert down.cause == cause
            assert asyncio.get_running_loop().time() <= OPEN_TIMEOUT_S + 1

    virtually(story())


@pytest.mark.parametrize("options", [{"subprotocols": None}, {"subprotocols": ["ocpp1.6"]}])
def test_a_csms_that_selects_no_subprotocol_is_left(options: dict[str, Any]) -> None:
    """Quirk 1 of the hubs: it keeps the socket open and never answers."""

    async def story() -> None:
        left: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        async def silent(link: ServerConnection) -> None:
            await wait_closed(link)
            left.set_result(link.protocol.close_code)

        async with a_csms(silent, select_subprotocol=lambda *_: None, **options) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            down = await ears.next(LinkDown)
            assert (down.cause, "subprotocol" in down.detail) == ("protocol", True)
            assert await left == 1002
        assert [type(event) for event in ears.told] == [LinkDown]

    virtually(story())


def test_a_csms_that_selects_what_was_not_offered_is_left() -> None:
    async def story() -> None:
        async with a_csms(wait_closed, subprotocols=None, process_response=_selects("ocpp1.6")) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            assert (await ears.next(LinkDown)).cause == "protocol"

    virtually(story())


def _selects(name: str) -> Any:
    def process(_: ServerConnection, __: Request, response: Response) -> None:
        response.headers["Sec-WebSocket-Protocol"] = name

    return process
