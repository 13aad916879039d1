"""A station with its board and a car on virtual time, in front of a CSMS that is not ours and lives on real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import ocpp.messages

from bench.ev import EvSpec, ev
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.runtime.clock import VirtualClock
from chargepoint.runtime.main import Handle, Options, Outcome, station
from chargepoint.runtime.virtual import VirtualLoop, run_virtual
from hal.sim.ports import SimBoard
from hal.types import EvseInfo, TokenPresented
from tests.peers.foreign_csms import ForeignCsms, Payload

T = TypeVar("T")

PATIENCE_S = 0.004
"""Real time that the CSMS gets before virtual time jumps."""
CALL_PATIENCE_S = 5.0
"""The same while it is asked for something: its answer takes no virtual time."""
CARD = TokenPresented("04A1B2C3D4E5F6")
IDENTITY = "CP1"
UTC_S = 1_795_500_000.0


def on_virtual_time(main: Callable[[], Awaitable[T]]) -> T:
    """Run a test; the library of the CSMS may not use threads here."""
    ocpp.messages.ASYNC_VALIDATION = False

    async def run() -> T:
        return await main()

    return run_virtual(run(), patience_s=PATIENCE_S)


async def real(waiting: Awaitable[T]) -> T:
    """Wait for the CSMS on real time."""
    with virtual_loop().patience(CALL_PATIENCE_S):
        return await waiting


def virtual_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def configured(url: str, **csms: Any) -> StationConfig:
    """A 22 kW wallbox that waits for nothing after its start."""
    settings = {"url": url, "identity": IDENTITY, "security_profile": 0, **csms}
    return StationConfig(
        serial=IDENTITY,
        csms=CsmsConfig(**settings),
        evses=(EvseConfig(id=1, max_current_A=32.0),),
        timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
    )


LONGEST_S = 60
"""So long a charge may take to begin."""
BEGINS_PATIENCE_S = 0.05
"""The real time that the CSMS gets before a jump while a charge is to begin: on a busy machine its process waits for its turn."""


@dataclass
class Site:
    """The box, and whoever stands in front of it."""

    config: StationConfig
    board: SimBoard
    csms: ForeignCsms
    folder: Path
    handle: Handle

    async def plug(self, spec: EvSpec | None = None) -> None:
        self.board.plug(1, ev(now_s=asyncio.get_running_loop().time()) if spec is None else ev_of(spec))

    async def swipe(self, token: TokenPresented = CARD) -> None:
        self.board.present(token)

    async def unplug(self) -> None:
        self.board.unplug(1)

    async def charge(self, seconds: float = 30.0) -> None:
        """Plug, swipe, and draw for so long."""
        await self.plug()
        await asyncio.sleep(4.0)
        contactor = self.board.world.evses[1].contactor
        with virtual_loop().patience(BEGINS_PATIENCE_S):
            await self.swipe()
            for _ in range(LONGEST_S):
                if contactor.poles == 3:
                    break
                await asyncio.sleep(1.0)
        await asyncio.sleep(seconds)
        assert contactor.poles == 3

    async def call(self, action: str, payload: Payload) -> Payload:
        return await real(self.csms.call(IDENTITY, action, payload))

    async def told(
        self, action: str, predicate: Callable[[Payload], bool] = lambda _: True, *, after: int = 0, within_s: float = 60.0
    ) -> Payload:
        return await self.csms.wait_for(action, predicate, after=after, timeout_s=within_s)

    @property
    def transaction(self) -> str:
        return self.handle.station.wiring.context.evses[1].transaction_id

    def events(self, transaction_id: str = "") -> list[Payload]:
        """The TransactionEvents as the CSMS got them."""
        return [p for p in self.csms.calls("TransactionEvent") if transaction_id in ("", p["transactionInfo"]["transactionId"])]

    def story(self) -> list[str]:
        """Event, trigger and what else one looks for first."""
        told = []
        for payload in self.events():
            info = payload["transactionInfo"]
            parts = [payload["eventType"], payload["triggerReason"], info.get("chargingState", ""), info.get("stoppedReason", "")]
            told.append(" ".join(part for part in parts if part))
        return told


def ev_of(spec: EvSpec) -> Any:
    from bench.ev import Ev

    return Ev(spec, asyncio.get_running_loop().time())


@asynccontextmanager
async def running(
    config: StationConfig, csms: ForeignCsms, folder: Path, board: SimBoard | None = None, **options: Any
) -> AsyncIterator[Site]:
    """A started station; its store stays in `folder`."""
    board = board or SimBoard.of([EvseInfo(1)])
    settings = replace(Options(start_reason="PowerUp", threaded=False, clock=VirtualClock(UTC_S)), **options)
    async with station(config, board, folder, settings) as handle:
        yield Site(config, board, csms, folder, handle)


async def ended(site: Site) -> Outcome:
    """Wait for the end of a run, as `run_station` does."""
    from chargepoint.commands import Restart

    command = await site.handle.shell.ended
    return Outcome(isinstance(command, Restart), command.reason if isinstance(command, Restart) else "")
