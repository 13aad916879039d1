"""A connection to the CSMS that stands: frames of every kind, and all the ways in which it ends; real sockets, virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest
from websockets.asyncio.server import ServerConnection

from chargepoint.commands import CloseLink, SendText, SetPingInterval
from chargepoint.events import LinkDown, LinkUp, OversizeReceived, TextReceived
from chargepoint.ocpp import wire
from chargepoint.runtime.ports.csms import MOST_UNSENT_BYTES
from chargepoint.runtime.virtual import run_virtual
from chargepoint.runtime.websocket import CLOSE_TIMEOUT_S, MOST_READ_BYTES
from tests.unit.runtime.csms_rig import Freezer, a_csms, a_listener, a_port, order, says_nothing, virtually, wait_closed

# ---- frames


@pytest.mark.req("S-18", "S-25")
def test_a_frame_beyond_the_limit_is_told_and_the_connection_kept() -> None:
    async def story() -> None:
        sizes = [wire.LIMITS.frame_bytes, wire.LIMITS.frame_bytes + 1, MOST_READ_BYTES]

        async def large(link: ServerConnection) -> None:
            for size in sizes:
                await link.send("x" * size)
            await link.send("é" * (wire.LIMITS.frame_bytes // 2 + 1))
            await link.send("[3,1,{}]")
            await wait_closed(link)

        async with a_csms(large) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)
            assert len((await ears.next(TextReceived)).text) == sizes[0]
            assert await ears.next(OversizeReceived) == OversizeReceived(sizes[1])
            assert await ears.next(OversizeReceived) == OversizeReceived(sizes[2])
            assert await ears.next(OversizeReceived) == OversizeReceived(wire.LIMITS.frame_bytes + 2)
            assert await ears.next(TextReceived) == TextReceived("[3,1,{}]")

    virtually(story())


@pytest.mark.req("S-18")
def test_a_frame_that_is_not_read_at_all_ends_the_connection_and_the_next_one_works() -> None:
    async def story() -> None:
        sizes = [MOST_READ_BYTES + 1, 5]

        async def huge(link: ServerConnection) -> None:
            with contextlib.suppress(Exception):
                await link.send("x" * sizes.pop(0))
                await wait_closed(link)

        async with a_csms(huge) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)
            assert (await ears.next(OversizeReceived)).size > MOST_READ_BYTES
            assert (await ears.next(LinkDown)).cause == "protocol"
            port.carry_out(order(url, 2))
            await ears.next(LinkUp)
            assert await ears.next(TextReceived) == TextReceived("xxxxx")

    virtually(story())


@pytest.mark.parametrize(("frame", "text"), [(b"[3,1]", "[3,1]"), (b"\xff\xfe", ""), (b"", ""), ("", ""), ("\x00", "\x00")])
def test_a_frame_of_another_kind_is_no_end(frame: str | bytes, text: str) -> None:
    async def story() -> None:
        async def send(link: ServerConnection) -> None:
            await link.send(frame)
            await link.send("[3,2]")
            await wait_closed(link)

        async with a_csms(send) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)
            assert [await ears.next(TextReceived), await ears.next(TextReceived)] == [TextReceived(text), TextReceived("[3,2]")]

    virtually(story())


@pytest.mark.parametrize("octets", [b"\x81\x02\xff\xfe", b"\xff\xff\xff\xff", b"\x83\x00", b"\x81\x85abcdefghi", b"\x80\x01x"])
def test_a_broken_frame_ends_the_connection_in_words(octets: bytes) -> None:
    async def story() -> None:
        async def raw(link: ServerConnection) -> None:
            link.transport.write(octets)
            with contextlib.suppress(Exception):
                await wait_closed(link)

        async with a_csms(raw) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)
            down = await ears.next(LinkDown)
            assert down.cause == "protocol"
            assert down.detail

    virtually(story())


# ---- ends


@pytest.mark.parametrize(
    ("code", "reason", "detail"), [(1011, "try later", "1011 try later"), (1000, "", "1000"), (1001, "é" * 20, "1001 " + "é" * 20)]
)
def test_closed_by_the_csms_again_and_again(code: int, reason: str, detail: str) -> None:
    """Quirk 10 of the hubs. Each time there is one LinkUp and one LinkDown, and never two sockets."""

    async def story() -> None:
        open_now, most = 0, 0

        async def close(link: ServerConnection) -> None:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            await link.close(code, reason)
            await link.wait_closed()
            open_now -= 1

        async with a_csms(close) as url, a_port() as (port, ears):
            for attempt in range(1, 6):
                port.carry_out(order(url, attempt))
                assert (await ears.next(LinkUp)).attempt == attempt
                assert await ears.next(LinkDown) == LinkDown(attempt, "closed", detail)
        assert most == 1

    virtually(story())


def test_broken_off() -> None:
    async def story() -> None:
        async def abort(link: ServerConnection) -> None:
            link.transport.abort()

        async with a_csms(abort) as url, a_port() as (port, ears):
            port.carry_out(order(url))
            await ears.next(LinkUp)
            assert (await ears.next(LinkDown)).cause == "closed"

    virtually(story())


@pytest.mark.req("F-5")
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("interval_s", [1.0, 30.0])
def test_a_half_open_connection_is_found_within_two_intervals(interval_s: float, busy: bool) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with a_csms(wait_closed) as there:
            freezer = Freezer(there)
            async with a_listener(freezer.talk) as url, a_port() as (port, ears):
                port.carry_out(order(url, ping_interval_s=interval_s))
                await ears.next(LinkUp)
                await asyncio.sleep(10 * interval_s + interval_s / 3)
                assert ears.queue.empty()
                freezer.frozen, frozen_at = True, loop.time()
                if busy:
                    port.carry_out(SendText("[2,1]"))
                down = await ears.next(LinkDown)
                assert down.cause == "pong"
                assert loop.time() - frozen_at <= 2 * interval_s
                freezer.frozen = False
                port.carry_out(order(url, 2, ping_interval_s=interval_s))
                await ears.next(LinkUp)
                assert freezer.most_open == 1

    virtually(story())


@pytest.mark.req("F-5")
def test_another_ping_interval_counts_on_the_connection_that_stands() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with a_csms(wait_closed) as there:
            freezer = Freezer(there)
            async with a_listener(freezer.talk) as url, a_port() as (port, ears):
                port.carry_out(order(url, ping_interval_s=0.0))
                await ears.next(LinkUp)
                freezer.frozen = True
                await asyncio.sleep(300)
                assert ears.queue.empty()  # 0: no pings, so nobody notices
                port.carry_out(SetPingInterval(5.0))
                began = loop.time()
                assert (await ears.next(LinkDown)).cause == "pong"
                assert loop.time() - began <= 10.0

    virtually(story())


@pytest.mark.req("F-5", "S-18")
@pytest.mark.parametrize("interval_s", [0.0, 30.0])
def test_a_csms_that_reads_nothing_is_left_before_memory_grows(interval_s: float) -> None:
    async def story() -> None:
        async def deaf(link: ServerConnection) -> None:
            link.transport.pause_reading()
            await link.wait_closed()

        async with a_csms(deaf) as url, a_port() as (port, ears):
            port.carry_out(order(url, ping_interval_s=interval_s))
            await ears.next(LinkUp)
            given = 0
            while ears.queue.empty():
                port.carry_out(SendText("x" * 65_536))
                given += 65_536
                await asyncio.sleep(0)
            down = await ears.next(LinkDown)
            assert down == LinkDown(1, "timeout", "the CSMS does not read")
            assert given < 4 * MOST_UNSENT_BYTES
            port.carry_out(SendText("into nowhere"))

    virtually(story())


@pytest.mark.req("F-5")
def test_a_ping_that_cannot_even_be_sent_counts_as_unanswered() -> None:
    async def story() -> None:
        async def deaf(link: ServerConnection) -> None:
            link.transport.pause_reading()
            await link.wait_closed()

        async with a_csms(deaf) as url, a_port() as (port, ears):
            port.carry_out(order(url, ping_interval_s=10.0))
            await ears.next(LinkUp)
            for _ in range(60):  # fills both sockets' buffers, but not what may wait
                port.carry_out(SendText("x" * 65_536))
            assert (await ears.next(LinkDown)).cause == "pong"
            assert asyncio.get_running_loop().time() <= 20.0

    virtually(story())


@pytest.mark.parametrize("frozen", [False, True])
def test_closing_is_bounded(frozen: bool) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with a_csms(wait_closed) as there:
            freezer = Freezer(there)
            async with a_listener(freezer.talk) as url, a_port() as (port, ears):
                port.carry_out(order(url))
                await ears.next(LinkUp)
                freezer.frozen, began = frozen, loop.time()
                port.carry_out(SendText("[2,1]"))
                port.carry_out(CloseLink(1001, "network switched off"))
                assert (await ears.next(LinkDown)).cause == "closed"
                assert loop.time() - began <= CLOSE_TIMEOUT_S + 1.0

    virtually(story())


def test_closed_while_dialling_and_dialled_again() -> None:
    async def story() -> None:
        async with a_listener(says_nothing) as dead, a_csms(wait_closed) as url, a_port() as (port, ears):
            port.carry_out(order(dead))
            await asyncio.sleep(1)
            port.carry_out(CloseLink())
            assert await ears.next(LinkDown) == LinkDown(1, "closed", "given up while dialling")
            assert asyncio.get_running_loop().time() == 1.0
            port.carry_out(order(url, 2))
            await ears.next(LinkUp)

    virtually(story())


def test_a_new_order_ends_the_connection_before() -> None:
    async def story() -> None:
        async with a_csms(wait_closed) as url, a_port() as (port, ears):
            port.carry_out(order(url, 1))
            await ears.next(LinkUp)
            port.carry_out(order(url, 2))
            assert (await ears.next(LinkDown)).attempt == 1
            assert (await ears.next(LinkUp)).attempt == 2

    virtually(story())


def test_commands_without_a_connection_are_no_error() -> None:
    async def story() -> None:
        async with a_port() as (port, ears):
            port.carry_out(SendText("[2,1]"))
            port.carry_out(SetPingInterval(5.0))
            port.carry_out(CloseLink())
        assert ears.told == []

    virtually(story())


@pytest.mark.parametrize("up", [False, True])
def test_stopping_leaves_no_task(up: bool) -> None:
    async def story() -> None:
        async with a_csms(wait_closed) as url, a_listener(says_nothing) as dead:
            async with a_port() as (port, ears):
                port.carry_out(order(url if up else dead))
                await (ears.next(LinkUp) if up else asyncio.sleep(0.1))
                before = asyncio.all_tasks()
            assert not {task for task in before if not task.done() and "CsmsPort" in repr(task)}

    virtually(story())


def test_the_librarys_log_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def story() -> None:
        async with a_port() as (port, ears), a_csms(wait_closed, logger=_silent()) as url:
            port.carry_out(order(url))
            await ears.next(LinkUp)
            port.carry_out(SendText("[2,1]"))
            port.carry_out(CloseLink())
            await ears.next(LinkDown)

    run_virtual(story())
    assert "[2,1]" not in caplog.text
    assert "Authorization" not in caplog.text


def _silent() -> logging.Logger:
    logger = logging.getLogger("tests.silent")
    logger.disabled = True
    return logger
