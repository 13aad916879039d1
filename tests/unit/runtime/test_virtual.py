"""Virtual time: timers jump, sockets are real, nothing runs in threads."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from chargepoint.runtime import virtual
from chargepoint.runtime.virtual import Deadlock, VirtualLoop, run_virtual


def test_a_day_passes_at_once_and_in_order() -> None:
    async def day() -> list[tuple[float, str]]:
        loop, seen = asyncio.get_running_loop(), list[tuple[float, str]]()

        async def nap(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            seen.append((loop.time(), name))

        await asyncio.gather(nap(86_400.0, "day"), nap(0.5, "half"), nap(3600.0, "hour"))
        return seen

    began = time.monotonic()
    assert run_virtual(day()) == [(0.5, "half"), (3600.0, "hour"), (86_400.0, "day")]
    assert time.monotonic() - began < 60.0


def test_no_time_passes_while_a_socket_has_something_to_say() -> None:
    async def talk() -> float:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(data)
                await writer.drain()
            writer.close()
            await writer.wait_closed()
            gone.set()

        gone = asyncio.Event()
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        waiting = asyncio.get_running_loop().call_later(10.0, lambda: None)
        for _ in range(100):
            writer.write(b"x")
            assert await reader.read(1) == b"x"
        passed = asyncio.get_running_loop().time()
        waiting.cancel()
        writer.close()
        await gone.wait()
        server.close()
        await server.wait_closed()
        return passed

    assert run_virtual(talk()) == 0.0


def test_what_would_be_a_thread_runs_in_place() -> None:
    async def ask() -> str:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: threading.current_thread().name)

    async def fail() -> None:
        await asyncio.get_running_loop().run_in_executor(None, int, "x")

    assert run_virtual(ask()) == threading.current_thread().name
    with pytest.raises(ValueError, match="invalid literal"):
        run_virtual(fail())


def test_nothing_left_to_wait_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(virtual, "DEADLOCK_S", 0.01)
    with pytest.raises(Deadlock):
        run_virtual(wait_for_ever())


def test_a_hanging_loop_loses_time() -> None:
    async def hang() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.advance(2.0)
        await asyncio.sleep(0.5)
        return loop.time()

    assert run_virtual(hang()) == 2.5
