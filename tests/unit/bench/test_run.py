"""`chargepoint run` as systemd starts it: one process on a board that the configuration names."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.csms import EmbeddedCsms
from tests.house.rules import ROOT

PATIENCE_S = 30.0


@asynccontextmanager
async def run(folder: Path, csms: EmbeddedCsms, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    file = folder / "chargepoint.toml"
    file.write_text(
        f'serial = "CP1"\nstate_dir = "{folder / "state"}"\n[csms]\nurl = "{csms.url}"\nsecurity_profile = 0\n'
        "[timings]\nboot_jitter_s = 0\nclose_after_boot_s = 0\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.cli", "run", "--config", str(file), *options,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def end(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()


@pytest.mark.req("F-18")
def test_it_boots_and_sigterm_ends_it_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=True) as csms, run(tmp_path, csms, "--json") as process:
            boot = await csms.wait_for("BootNotification", timeout_s=PATIENCE_S)
            assert boot["chargingStation"]["serialNumber"] == "CP1"
            await csms.wait_for("StatusNotification")
            code, out, errors = await end(process)
            assert (code, errors) == (0, "")
            keys = [json.loads(line)["key"] for line in out.splitlines()]
            assert keys[:2] == ["board.on_silence", "station.start"]
            assert "station.going" in keys
            assert csms.invalid == []

    asyncio.run(story())


def test_a_reset_of_the_csms_starts_it_anew_and_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms, run(tmp_path, csms, "--log-level", "warning") as process:
            await csms.wait_for("StatusNotification", timeout_s=PATIENCE_S)
            assert await csms.call("CP1", "Reset", {"type": "Immediate"}) == {"status": "Accepted"}
            await csms.wait_for("BootNotification", lambda boot: boot["reason"] == "RemoteReset", timeout_s=PATIENCE_S)
            before = len(csms.received)
            await csms.wait_for("StatusNotification", after=before - 1)
            code, out, errors = await end(process)
            assert (code, errors) == (0, "")
            assert all(" WARNING " in line or " ERROR " in line for line in out.splitlines())

    asyncio.run(story())
