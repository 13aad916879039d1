"""`python -m bench.campaign.life STATE_DIR CSMS_URL SEED`: one life of a station that is going to be killed.

Station, board, cars and drivers are in this process on virtual time, so a night of charging passes in seconds; store and journal are on the
real disk, and the CSMS is somebody else. What the board knows stands in `board.json` before the station hears of it. Each closing of the
contactor is a line on standard output: `closed TRANSACTION`; `open` is the first one, written once the board is up and before the store is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
from pathlib import Path

from bench.ev import Ev, EvSpec
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.runtime.clock import VirtualClock
from chargepoint.runtime.main import Handle, Options, run_station
from chargepoint.runtime.virtual import run_virtual
from hal.ports import Sink
from hal.sim.evse import SimEvseOptions
from hal.sim.ports import SimBoard
from hal.sim.world import SimWorld
from hal.types import BoardInput, ContactorFeedback, EvseInfo, TokenPresented

CARD = TokenPresented("04A1B2C3D4E5F6")
PATIENCE_S = 0.001


class Box(SimBoard):
    """The board of this life: what it knows is kept before it is said."""

    def __init__(self, world: SimWorld, file: Path, clock: VirtualClock) -> None:
        super().__init__(world)
        self.file, self.clock_of_day = file, clock

    def listen(self, sink: Sink) -> None:
        def kept(said: BoardInput) -> None:
            self.keep()
            sink(said)

        super().listen(kept)

    def keep(self) -> None:
        """Atomically."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"world": self.world.save(), "utc": self.clock_of_day.now().utc}), "utf-8")
        fresh.replace(self.file)

    async def start(self) -> None:
        await super().start()
        print("open" if not any(evse.contactor.poles for evse in self.world.evses.values()) else "CLOSED AT BOOT", flush=True)


async def drive(box: Box, dice: random.Random) -> None:
    """A driver after the other: plugs in, swipes before or after, charges, stops in one of three ways, leaves."""
    while True:
        loop = asyncio.get_running_loop()
        if box.world.evses[1].load is not None:
            await asyncio.sleep(dice.uniform(0.0, 20.0))
            box.unplug(1)
        await asyncio.sleep(dice.uniform(3.0, 30.0))
        first = dice.random() < 0.3
        if first:
            box.present(CARD)
            await asyncio.sleep(dice.uniform(0.5, 5.0))
        box.plug(1, Ev(EvSpec(phases=dice.choice((1, 3)), max_A=dice.choice((10.0, 16.0, 32.0))), loop.time()))
        await asyncio.sleep(dice.uniform(0.5, 8.0))
        if not first:
            box.present(CARD)
        await asyncio.sleep(dice.uniform(10.0, 400.0))
        if dice.random() < 0.5:
            box.present(CARD)
            await asyncio.sleep(dice.uniform(0.0, 10.0))
        box.unplug(1)


async def main(state_dir: Path, url: str, seed: int) -> None:
    """Until SIGTERM, or until somebody kills it."""
    loop = asyncio.get_running_loop()
    file = state_dir / "board.json"
    world = SimWorld([SimEvseOptions(EvseInfo(1, 32.0))], loop.time())
    utc_s = 1_795_500_000.0
    if file.exists():
        saved = json.loads(file.read_text("utf-8"))
        world.restore(saved["world"], Ev.restored, loop.time())
        utc_s = saved["utc"] + 60.0
    box = Box(world, file, VirtualClock(utc_s))
    config = StationConfig(
        serial="CP1",
        csms=CsmsConfig(url=url, identity="CP1", security_profile=0),
        evses=(EvseConfig(id=1, max_current_A=32.0),),
        timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
        variables={"OCPPCommCtrlr.RetryBackOffWaitMinimum": "1", "OCPPCommCtrlr.RetryBackOffRandomRange": "1"},
    )
    dice = random.Random(seed)

    def ready(handle: Handle) -> None:
        def watch(tick: object, event: object, commands: object) -> None:
            if isinstance(event, ContactorFeedback) and event.closed:
                print(f"closed {handle.station.wiring.context.evses[1].transaction_id}", flush=True)

        handle.watch(watch)
        loop.add_signal_handler(signal.SIGTERM, handle.shut_down)
        driving.append(loop.create_task(drive(box, dice)))

    driving: list[asyncio.Task[None]] = []
    await run_station(config, box, state_dir, ready=ready, options=Options(start_reason="PowerUp", clock=box.clock_of_day))
    for task in driving:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    run_virtual(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])), patience_s=PATIENCE_S)
