"""`chargepoint bench-station` as a process of its own, and somebody at its control port."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench.csms import EmbeddedCsms
from tests.house.rules import ROOT

IDENTITY = "CP1"
PATIENCE_S = 30.0


def told_charging(evse: dict[str, Any]) -> bool:
    """A current is read before the settled state is told: who asks for both waits for both."""
    return bool(evse["meter"]["A"] > 10.0 and evse["session"] == "Charging")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def http(port: int, method: str, path: str, body: str | bytes | None = None) -> tuple[int, str]:
    """One request on a connection of its own. Raises OSError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    octets = body.encode() if isinstance(body, str) else body or b""
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(octets)}\r\n\r\n".encode() + octets)
    head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), rest.decode()


@dataclass
class BenchStation:
    process: asyncio.subprocess.Process
    port: int

    async def post(self, verb: str, **body: Any) -> tuple[int, str]:
        return await http(self.port, "POST", f"/{verb}", json.dumps(body))

    async def do(self, verb: str, **body: Any) -> None:
        assert await self.post(verb, **body) == (200, "")

    async def state(self) -> dict[str, Any]:
        status, text = await http(self.port, "GET", "/state")
        assert status == 200
        found: dict[str, Any] = json.loads(text)
        return found

    async def evse(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.state())["evses"][0]
        return found

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first EVSE as `/state` shows it, once it is so."""
        seen: dict[str, Any] = {}

        async def look() -> bool:
            nonlocal seen
            seen = await self.evse()
            return holds(seen)

        try:
            await until(look)
        except TimeoutError:
            raise AssertionError(f"it never came to that: {seen}") from None
        return seen

    async def charging(self) -> dict[str, Any]:
        """Plugged in, card shown, current flows."""
        await self.do("plug_in", connector_id=1)
        await self.do("swipe", token="04A1B2C3")
        return await self.until(lambda evse: evse["contactor"] == "closed" and evse["meter"]["A"] > 6.0)

    async def ended(self) -> tuple[int, str]:
        """It ends by itself: exit code and what stood on stderr."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.process.wait()
        finally:
            found = await self.end(signal.SIGKILL)
        return found

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and what stood on stderr."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            _, errors = await self.process.communicate()
        return self.process.returncode or 0, errors.decode()


def configured(folder: Path, url: str, **changes: Any) -> tuple[Path, int]:
    """The JSON file and the port of its control port."""
    port = changes.pop("port", 0) or free_port()
    config = {
        "charge_point_id": IDENTITY,
        "csms_url": f"{url}/{IDENTITY}",
        "state_dir": str(folder / "state"),
        "control": {"host": "127.0.0.1", "port": port},
        **changes,
    }
    file = folder / "bench.json"
    file.write_text(json.dumps(config), "utf-8")
    return file, port


async def started(file: Path, port: int, out: int = asyncio.subprocess.DEVNULL) -> BenchStation:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.cli", "bench-station", str(file), cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return BenchStation(process, port)


@asynccontextmanager
async def bench_station(
    folder: Path, csms: EmbeddedCsms, *, out: int = asyncio.subprocess.DEVNULL, **changes: Any
) -> AsyncIterator[BenchStation]:
    """A running one, whose control port is healthy, and which the CSMS has accepted."""
    before = len(csms.received)
    station = await started(*configured(folder, csms.url, **changes), out)
    try:
        await until(lambda: _healthy(station))
        await csms.wait_for("StatusNotification", after=before)
        yield station
    finally:
        await station.end(signal.SIGKILL)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Other processes are looked at again and again. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        for _ in count():
            if await holds():
                return
            await asyncio.sleep(0.02)


async def _healthy(station: BenchStation) -> bool:
    assert station.process.returncode is None, (await station.end())[1]
    try:
        return (await http(station.port, "GET", "/health"))[0] == 200
    except OSError:
        return False
