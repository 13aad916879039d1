"""24 hours of charging, 48 sessions, on virtual time: station and CSMS over real sockets in one loop."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from pathlib import Path

from bench.csms import EmbeddedCsms
from bench.ev import Ev, EvSpec
from bench.perf.table import Row
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.runtime.clock import VirtualClock
from chargepoint.runtime.main import Options, station
from chargepoint.runtime.virtual import run_virtual
from hal.sim.ports import SimBoard
from hal.types import EvseInfo, TokenPresented

SESSIONS, DAY_S = 48, 86_400.0
CHARGING_SHARE = 0.8


async def day(folder: Path) -> tuple[int, float]:
    """Transactions that the CSMS saw whole, and Wh on the meter."""
    loop = asyncio.get_running_loop()
    async with EmbeddedCsms(validate=False) as csms:
        board = SimBoard.of([EvseInfo(1, 32.0)])
        config = StationConfig(
            serial="CP1",
            csms=CsmsConfig(url=csms.url, security_profile=0),
            evses=(EvseConfig(id=1, max_current_A=32.0),),
            timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
        )
        async with station(config, board, folder, Options(start_reason="PowerUp", threaded=False, clock=VirtualClock())):
            for _ in range(SESSIONS):
                board.plug(1, Ev(EvSpec(max_A=16.0), loop.time()))
                await asyncio.sleep(5.0)
                board.present(TokenPresented("04A1B2C3D4E5F6"))
                await asyncio.sleep(DAY_S / SESSIONS * CHARGING_SHARE)
                board.unplug(1)
                await asyncio.sleep(DAY_S / SESSIONS * (1 - CHARGING_SHARE) - 5.0)
        kinds = [p["eventType"] for p in csms.calls_of("TransactionEvent")]
        return min(kinds.count("Started"), kinds.count("Ended")), board.world.evses[1].register.import_Wh


def measure(*, profile: bool = False) -> Row:
    """Wall time of the whole day."""
    profiler = cProfile.Profile()
    with tempfile.TemporaryDirectory(prefix="chargepoint-day-") as folder:
        began = time.perf_counter()
        if profile:
            profiler.enable()
        whole, energy_Wh = run_virtual(day(Path(folder)))
        profiler.disable()
        seconds = time.perf_counter() - began
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    if whole != SESSIONS:
        raise SystemExit(f"{whole} of {SESSIONS} sessions")
    return Row(
        f"24 h, {SESSIONS} sessions, {energy_Wh / 1000:.0f} kWh, on virtual time over real sockets", f"{seconds:.1f} s", "at most 60 s"
    )


if __name__ == "__main__":
    print(measure(profile="--profile" in sys.argv))
