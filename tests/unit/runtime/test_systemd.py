"""sd_notify on a real socket: ready once, the watchdog fed while the loop runs, nothing without systemd (F-16)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargepoint.runtime.systemd import Notifier
from chargepoint.runtime.virtual import run_virtual


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
        line.bind(str(tmp_path / "notify"))
        yield line


def heard(line: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(line.recv(100).decode())
        except BlockingIOError:
            return found


async def life(environ: dict[str, str], seconds: float) -> None:
    notifier = Notifier(environ)
    notifier.ready()
    await asyncio.sleep(seconds)
    notifier.stopping()
    await asyncio.sleep(60.0)


@pytest.mark.req("F-16")
def test_the_watchdog_is_fed_twice_in_its_time(systemd: socket.socket) -> None:
    run_virtual(life({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "10000000"}, 21.0))
    assert heard(systemd) == ["READY=1", *["WATCHDOG=1"] * 5, "STOPPING=1"]


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid() + 1)}, {"WATCHDOG_USEC": "soon"}])
def test_no_watchdog_is_fed_that_is_not_ours(systemd: socket.socket, more: dict[str, str]) -> None:
    run_virtual(life({"NOTIFY_SOCKET": systemd.getsockname(), **more}, 21.0))
    assert heard(systemd) == ["READY=1", "STOPPING=1"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "10000000"}])
def test_without_systemd_nothing_happens(environ: dict[str, str]) -> None:
    run_virtual(life(environ, 21.0))
