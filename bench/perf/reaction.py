"""From a reading of the pilot to the command that opens, inside the process, under OCPP load and an fsync-heavy outbox."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench.csms import EmbeddedCsms
from bench.ev import Ev, EvSpec
from bench.perf.table import Row
from chargepoint.commands import OpenContactor
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.runtime.main import Options, station
from hal.sim.ports import SimBoard
from hal.types import ContactorFeedback, EvseInfo, PilotVoltage, TokenPresented

ROUNDS = 200
MESSAGES_PER_S = 100
S2_CLOSED, S2_OPENED = PilotVoltage(1, 6.0, -12.0), PilotVoltage(1, 9.0, -12.0)


Load = Callable[[EmbeddedCsms, asyncio.Event], Coroutine[Any, Any, None]]


async def _load(csms: EmbeddedCsms, stop: asyncio.Event) -> None:
    """Calls of the CSMS that make the station write: each sets a variable, durably."""
    number = 0
    while not stop.is_set():
        number += 1
        data = {
            "attributeValue": str(60 + number % 100),
            "component": {"name": "SampledDataCtrlr"},
            "variable": {"name": "TxUpdatedInterval"},
        }
        await csms.call("CP1", "SetVariables", {"setVariableData": [data]})
        await asyncio.sleep(1 / MESSAGES_PER_S)


async def _reports(csms: EmbeddedCsms, stop: asyncio.Event) -> None:
    """One inventory of everything after the other."""
    number = 0
    while not stop.is_set():
        number += 1
        await csms.call("CP1", "GetBaseReport", {"requestId": number, "reportBase": "FullInventory"})
        await asyncio.sleep(0.05)


async def _measure(folder: Path, under: Load = _load) -> list[float]:
    loop = asyncio.get_running_loop()
    async with EmbeddedCsms(keep=False, validate=False) as csms:
        board = SimBoard.of([EvseInfo(1, 32.0)])
        timings = Timings(boot_jitter_s=0.0, close_after_boot_s=0.0, reclose_after_s=0.0, pilot_open_debounce_s=0.0)
        config = StationConfig(
            serial="CP1",
            csms=CsmsConfig(url=csms.url, security_profile=0),
            evses=(EvseConfig(id=1),),
            timings=timings,
        )
        async with station(config, board, folder, Options(start_reason="PowerUp")) as handle:
            await csms.wait_connected("CP1")
            opened: list[float] = []
            switched = asyncio.Event()

            def watch(tick: Any, event: object, commands: Any) -> None:
                if any(isinstance(each, OpenContactor) for each in commands):
                    opened.append(time.perf_counter())
                if isinstance(event, ContactorFeedback):
                    switched.set()

            handle.watch(watch)
            board.plug(1, Ev(EvSpec(s2_delay_s=0.1), loop.time()))
            await asyncio.sleep(1.0)
            board.present(TokenPresented("04A1B2C3D4E5F6"))
            stop = asyncio.Event()
            load = loop.create_task(under(csms, stop))
            facts = handle.station.wiring.context.evses[1]
            found: list[float] = []
            for _ in range(ROUNDS):
                await _until(lambda: facts.power_closed, switched)
                await asyncio.sleep(0.02)
                opened.clear()
                began = time.perf_counter()
                loop.call_soon(handle.tell, S2_OPENED)  # as a driver's callback would
                await _until(lambda: not facts.power_closed, switched)
                found.append(opened[0] - began)
                handle.tell(S2_CLOSED)
            stop.set()
            await load
            return found


async def _until(holds: Callable[[], bool], news: asyncio.Event) -> None:
    while not holds():
        news.clear()
        await news.wait()


def measure(under: Load = _load, words: str = "100 OCPP messages/s") -> Row:
    """Percentiles over many openings."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-reaction-") as folder:
        found = sorted(asyncio.run(_measure(Path(folder), under)))
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99) - 1]
    return Row(f"pilot change to open command, {words}", f"p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms", "p99 at most 5 ms")


def under_reports() -> Row:
    """While the CSMS asks for one FullInventory after the other."""
    return measure(_reports, "FullInventory 20 times a second")


if __name__ == "__main__":
    print(measure(), under_reports(), sep="\n")
