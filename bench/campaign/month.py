"""`python -m bench.campaign.month [DAYS] [SEED]`: a month of a station on virtual time, its store on a real disk, and what of it grows.

Ten sessions a day; the CSMS is away now and then, for up to six hours; twice a day the station begins anew, in order, or because the power went, every
other time while a vehicle charges. What the CSMS got is summed up as it comes and forgotten, so that what grows is the station's. One JSON object on
standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.csms import EmbeddedCsms
from bench.ev import Ev, EvSpec
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.runtime.clock import VirtualClock
from chargepoint.runtime.main import Options, station
from chargepoint.runtime.virtual import run_virtual
from hal.sim.ports import SimBoard
from hal.types import EvseInfo, TokenPresented

DAY_S = 86_400.0
SESSIONS_A_DAY = 10
WARM_DAYS = 5
"""After so many days everything has been loaded that ever is."""
KEEP_DISK_MB = 24
"""Less than a month fills: the bound is met."""
CARD = TokenPresented("04A1B2C3D4E5F6")
IDENTITY = "CP1"


@dataclass(slots=True)
class Figures:
    """What a run says."""

    days: float = 0.0
    transactions: int = 0
    unended: int = 0
    wrong: list[str] = field(default_factory=list)
    """Gaps, and values that do not fit."""
    told_Wh: float = 0.0
    """From Transaction.Begin to Transaction.End, over all transactions."""
    metered_Wh: float = 0.0
    """What the board's meter has counted."""
    resumed: int = 0
    """Transactions that went on after a restart, each time that they did."""
    outages: int = 0
    restarts: int = 0
    rss_warm_MB: float = 0.0
    rss_MB: float = 0.0
    rss_daily_MB: list[float] = field(default_factory=list)
    """At each restart."""
    state_dir_MB: float = 0.0
    """At its largest, seen daily."""
    database_MB: float = 0.0


class Ledger:
    """What the CSMS keeps of a transaction: its next number, and its readings."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.open: dict[str, tuple[int, float]] = {}
        """Transaction -> number of its next event, and the reading at its beginning."""
        self.over: dict[str, int] = {}

    def take(self, payload: dict[str, Any]) -> None:
        """One TransactionEvent; what comes twice is the same."""
        key, number = payload["transactionInfo"]["transactionId"], payload["seqNo"]
        following, begun_Wh = self.open.get(key, (0, 0.0))
        if number < following or key in self.over:
            return
        if number > following:
            self.figures.wrong.append(f"{key}: {number} after {following - 1}")
        self.figures.resumed += payload["triggerReason"] == "TxResumed"
        readings = dict(_readings(payload))
        begun_Wh = readings.get("Transaction.Begin", begun_Wh)
        if payload["eventType"] != "Ended":
            self.open[key] = number + 1, begun_Wh
            return
        self.open.pop(key, None)
        self.over[key] = number
        if len(self.over) > 50:
            self.over.pop(next(iter(self.over)))
        self.figures.transactions += 1
        if "Transaction.End" not in readings:
            self.figures.wrong.append(f"{key}: no reading at its end")
        self.figures.told_Wh += readings.get("Transaction.End", begun_Wh) - begun_Wh


def _readings(payload: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for value in payload.get("meterValue", ()):
        for sample in value["sampledValue"]:
            if sample.get("measurand") == "Energy.Active.Import.Register":
                yield sample["context"], float(sample["value"])


def _rss_MB() -> float:
    gc.collect()
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _size_MB(folder: Path, pattern: str = "*") -> float:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file()) / 1e6


async def _drive(board: SimBoard, dice: random.Random) -> None:
    """Sessions of one day after the other, spread over it."""
    while True:
        board.plug(1, Ev(EvSpec(max_A=dice.choice((10.0, 16.0, 32.0))), asyncio.get_running_loop().time()))
        await asyncio.sleep(5.0)
        board.present(CARD)
        charging_s = dice.uniform(300.0, 1_500.0)
        await asyncio.sleep(charging_s)
        board.unplug(1)
        await asyncio.sleep(DAY_S / SESSIONS_A_DAY - charging_s - 5.0)


async def _charging(board: SimBoard) -> None:
    """Until a vehicle is in the midst of it: few restarts would meet one by chance."""
    while True:
        await asyncio.sleep(30.0)
        if board.world.evses[1].contactor.poles:
            return


async def _outages(csms: EmbeddedCsms, dice: random.Random, figures: Figures) -> None:
    while True:
        await asyncio.sleep(dice.expovariate(2.0 / DAY_S))
        figures.outages += 1
        csms.behaviour.refuse = 503
        for connection in list(csms.connections.values()):
            await connection.close()
        await asyncio.sleep(dice.choice((1.0, 60.0, 1_800.0, 21_600.0)))
        csms.behaviour.refuse = 0


async def month(folder: Path, days: float, seed: int) -> Figures:
    """The whole of it."""
    figures, dice, clock = Figures(days), random.Random(seed), VirtualClock()
    ledger = Ledger(figures)
    async with EmbeddedCsms(keep=False, clock=lambda: clock.now().utc) as csms:

        def answer(_: str, action: str, payload: dict[str, Any]) -> None:
            if action == "TransactionEvent":
                ledger.take(payload)

        csms.behaviour.answer = answer
        board = SimBoard.of([EvseInfo(1, 32.0)])
        config = StationConfig(
            serial=IDENTITY,
            keep_disk_MB=KEEP_DISK_MB,
            csms=CsmsConfig(url=csms.url, security_profile=0),
            evses=(EvseConfig(id=1, max_current_A=32.0),),
            timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
            variables={"TxCtrlr.ResumptionTimeout": "600", "TxCtrlr.AllowEnergyTransferResumption": "true"},
        )
        loop, begun = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        tasks = [loop.create_task(_outages(csms, dice, figures))]
        lives = [loop.create_task(_drive(board, dice))]
        while loop.time() - begun < days * DAY_S:
            async with station(config, board, folder, Options(start_reason="PowerUp", threaded=False, clock=clock)) as handle:
                await asyncio.sleep(dice.uniform(0.2, 0.8) * DAY_S)
                if not figures.restarts % 2:
                    await _charging(board)
                elif dice.random() < 0.5:
                    handle.shut_down()
                    await handle.shell.ended
            figures.restarts += 1
            figures.rss_daily_MB.append(round(_rss_MB(), 2))
            figures.state_dir_MB = max(figures.state_dir_MB, _size_MB(folder))
            if not figures.rss_warm_MB and loop.time() - begun > min(WARM_DAYS, days / 2) * DAY_S:
                figures.rss_warm_MB = _rss_MB()
            await asyncio.sleep(dice.uniform(1.0, 30.0))
        for task in (*tasks, *lives):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        csms.behaviour.refuse = 0
        async with station(config, board, folder, Options(start_reason="PowerUp", threaded=False, clock=clock)):
            await asyncio.sleep(60.0)
            if board.world.evses[1].load is not None:
                board.unplug(1)
            await asyncio.sleep(3_600.0)
        figures.rss_MB = _rss_MB()
    figures.unended = len(ledger.open)
    figures.metered_Wh = board.world.evses[1].register.import_Wh
    figures.database_MB = _size_MB(folder, "*.sqlite*") or _size_MB(folder, "*.db*")
    return figures


def main(days: float = 30.0, seed: int = 1) -> Figures:
    """In a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-month-") as folder:
        return run_virtual(month(Path(folder), days, seed))


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(asdict(main(float(given[0]) if given else 30.0, int(given[1]) if len(given) > 1 else 1))))
