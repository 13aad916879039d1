"""A station with a full local list: SendLocalList, memory, and its next start."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench.csms import EmbeddedCsms
from bench.perf.memory import vm_rss_MB
from bench.perf.start import TOML
from bench.perf.table import Row

ENTRIES = 10_000
ROUNDS = 5
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _parts(most: int) -> Iterator[dict[str, Any]]:
    """Full first, then what follows, in messages of so many entries."""
    for version, begin in enumerate(range(0, ENTRIES, most), 1):
        entries = [
            {"idToken": {"idToken": f"04{number:012X}", "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}
            for number in range(begin, min(begin + most, ENTRIES))
        ]
        kind = "Full" if version == 1 else "Differential"
        yield {"versionNumber": version, "updateType": kind, "localAuthorizationList": entries}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


async def _started(csms: EmbeddedCsms, config: Path) -> tuple[asyncio.subprocess.Process, float]:
    before, began = len(csms.received), time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.cli", "run", "--config", str(config), stdout=asyncio.subprocess.DEVNULL
    )
    await csms.wait_for("BootNotification", after=before)
    return process, time.perf_counter() - began


async def _ended(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    await process.wait()


async def _measure(folder: Path) -> tuple[float, float, float]:
    async with EmbeddedCsms(validate=False) as csms:
        config = folder / "chargepoint.toml"
        config.write_text(TOML.format(folder=folder, url=csms.url), "utf-8")
        process, _ = await _started(csms, config)
        await csms.wait_for("StatusNotification")
        asked = {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "ItemsPerMessage"}}
        answer = await csms.call("CP1", "GetVariables", {"getVariableData": [asked]})
        most = int(answer["getVariableResult"][0]["attributeValue"])
        before = _cpu_s(process.pid)
        for part in _parts(most):
            answer = await csms.call("CP1", "SendLocalList", part)
            if answer["status"] != "Accepted":
                raise SystemExit(f"SendLocalList: {answer}")
        used_s = _cpu_s(process.pid) - before
        await asyncio.sleep(1.0)
        rss_MB = vm_rss_MB(process.pid)
        await _ended(process)
        starts = []
        for _ in range(ROUNDS):
            process, seconds = await _started(csms, config)
            starts.append(seconds)
            await csms.wait_for("StatusNotification", after=len(csms.received) - 1)
            rss_MB = max(rss_MB, vm_rss_MB(process.pid))
            await _ended(process)
        return used_s, rss_MB, median(starts)


def measure() -> list[Row]:
    """One process that takes the list, and its starts with it."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-core-") as folder:
        used_s, rss_MB, start_s = asyncio.run(_measure(Path(folder)))
    return [
        Row(f"SendLocalList of {ENTRIES} entries in parts, CPU of the station", f"{used_s:.2f} s", "at most 1 s"),
        Row("VmRSS of the station with that list", f"{rss_MB:.0f} MB", "at most 70 MB"),
        Row("process start to BootNotification with that list", f"{start_s:.2f} s", "at most 1.2 s"),
    ]


if __name__ == "__main__":
    print(*measure(), sep="\n")
