"""`chargepoint run` as systemd starts it: one process on a board that the configuration names."""

from __future__ import annotations

import asyncio
import json
import os
import pty
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
async def run(
    folder: Path, csms: EmbeddedCsms, *options: str, board: str = "", more: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    file = folder / "chargepoint.toml"
    file.write_text(
        f'serial = "CP1"\nstate_dir = "{folder / "state"}"\n{board}[csms]\nurl = "{csms.url}"\nsecurity_profile = 0\n'
        f"[timings]\nboot_jitter_s = 0\nclose_after_boot_s = 0\n{more}"
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


RESUMES = '[variables]\n"TxCtrlr.TxStartPoint" = "Authorized"\n"TxCtrlr.ResumptionTimeout" = "1"\n'


@pytest.mark.req("B13.FR.21", "B13.FR.23", "B13.FR.30", "TC_B_102")
def test_a_reset_that_resumes_is_known_by_the_process_that_comes_after(tmp_path: Path) -> None:
    """It takes longer than ResumptionTimeout: only one that was ordered so goes on then."""

    async def story() -> None:
        async with EmbeddedCsms() as csms, run(tmp_path, csms, "--json", more=RESUMES) as process:
            await csms.wait_for("StatusNotification", timeout_s=PATIENCE_S)
            start = {"idToken": {"idToken": "04A1B2C3D4E5F6", "type": "ISO14443"}, "remoteStartId": 7, "evseId": 1}
            assert (await csms.call("CP1", "RequestStartTransaction", start))["status"] == "Accepted"
            started = await csms.wait_for("TransactionEvent", lambda event: event["eventType"] == "Started", timeout_s=PATIENCE_S)
            assert await csms.call("CP1", "Reset", {"type": "ImmediateAndResume"}) == {"status": "Accepted"}
            await csms.wait_for("BootNotification", lambda boot: boot["reason"] == "RemoteReset", timeout_s=PATIENCE_S)
            resumed = await csms.wait_for("TransactionEvent", lambda event: event["triggerReason"] == "TxResumed", timeout_s=PATIENCE_S)
            assert resumed["transactionInfo"]["transactionId"] == started["transactionInfo"]["transactionId"]
            code, out, errors = await end(process)
            assert (code, errors) == (0, "")
            starts = [line for line in map(json.loads, out.splitlines()) if line["key"] == "station.start"]
            assert [line["reason"] for line in starts] == ["PowerUp", "RemoteReset"]

    asyncio.run(story())


@pytest.mark.req("F-16")
@pytest.mark.parametrize(("number", "reason"), [(signal.SIGABRT, "Watchdog"), (signal.SIGKILL, "ApplicationReset")])
def test_the_start_after_the_watchdog_says_so(tmp_path: Path, number: signal.Signals, reason: str) -> None:
    """systemd ends a process that does not feed it with SIGABRT; a kill is something else."""

    async def story() -> None:
        async with EmbeddedCsms() as csms:
            async with run(tmp_path, csms) as process:
                await csms.wait_for("StatusNotification", timeout_s=PATIENCE_S)
                process.send_signal(number)
                async with asyncio.timeout(PATIENCE_S):
                    await process.communicate()
                assert process.returncode == -number
            for says in (reason, "LocalReset"):
                before = len(csms.received)
                async with run(tmp_path, csms) as process:
                    boot = await csms.wait_for("BootNotification", after=before - 1, timeout_s=PATIENCE_S)
                    assert boot["reason"] == says
                    assert (await end(process))[0] == 0
        assert (tmp_path / "state" / "last-words.old").exists() == (number is signal.SIGABRT)

    asyncio.run(story())


@pytest.mark.req("F-18")
def test_sigterm_while_it_starts_is_an_end_in_order(tmp_path: Path) -> None:
    """A controller that does not answer holds the start up."""
    ours, its = pty.openpty()
    try:
        code, errors = asyncio.run(_ended_at_first_word(tmp_path, ours, os.ttyname(its)))
    finally:
        os.close(ours)
        os.close(its)
    assert (code, errors) == (0, "")


async def _ended_at_first_word(folder: Path, ours: int, port: str) -> tuple[int | None, str]:
    said = asyncio.Event()
    asyncio.get_running_loop().add_reader(ours, said.set)
    board = f'board = "openevse"\naccept_on_silence = "falls_back"\n[board_options]\nport = "{port}"\n'
    async with EmbeddedCsms() as csms, run(folder, csms, board=board) as process:
        async with asyncio.timeout(PATIENCE_S):
            await said.wait()
        code, _, errors = await end(process)
        return code, errors
