"""From the start of the process to BootNotification on the wire, beside the bare `ocpp` + `websockets` client."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.csms import EmbeddedCsms
from bench.perf.table import Row

ROUNDS = 7
BARE = """
import asyncio, sys
import websockets
from ocpp.v21 import ChargePoint, call
from ocpp.v21.datatypes import ChargingStationType

async def main():
    async with websockets.connect(sys.argv[1] + "/BARE", subprotocols=["ocpp2.1"]) as link:
        point = ChargePoint("BARE", link)
        serving = asyncio.create_task(point.start())
        await point.call(call.BootNotification(charging_station=ChargingStationType("chargepoint", "bare"), reason="PowerUp"))
        serving.cancel()

asyncio.run(main())
"""
TOML = """
serial = "CP1"
state_dir = "{folder}/state"

[csms]
url = "{url}"
security_profile = 0

[timings]
boot_jitter_s = 0
"""


async def _until_boot(csms: EmbeddedCsms, command: list[str]) -> float:
    before = len(csms.received)
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    await csms.wait_for("BootNotification", after=before)
    seconds = time.perf_counter() - began
    if process.returncode is None:
        process.terminate()
    await process.wait()
    return seconds


async def _measure() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="chargepoint-start-") as folder:
        async with EmbeddedCsms(validate=False) as csms:
            config = Path(folder) / "chargepoint.toml"
            config.write_text(TOML.format(folder=folder, url=csms.url), "utf-8")
            ours, bare = [], []
            for _ in range(ROUNDS):
                ours.append(await _until_boot(csms, [sys.executable, "-m", "bench.cli", "run", "--config", str(config)]))
                bare.append(await _until_boot(csms, [sys.executable, "-c", BARE, csms.url]))
            return sorted(ours)[ROUNDS // 2], sorted(bare)[ROUNDS // 2]


def measure() -> Row:
    """Medians of one run, taken turn by turn."""
    ours, bare = asyncio.run(_measure())
    return Row(
        "process start to BootNotification on the wire, boot_jitter_s 0",
        f"{ours:.2f} s",
        "0.8 s, and 2 x",
        f"bare ocpp + websockets {bare:.2f} s",
        f"{ours / bare:.2f}",
    )


if __name__ == "__main__":
    print(measure())
