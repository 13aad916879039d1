"""The driver on one end of a pseudo-terminal, the simulated controller on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from bench.devices.openevse import OpenEvseDevice
from chargepoint.runtime.virtual import run_virtual
from hal.conformance import Bench, Can, CarState
from hal.ports import Board
from hal.registry import create
from hal.types import BoardInput

CAN = frozenset({Can.SILENCE, Can.GARBAGE, Can.DRAW, Can.LIMIT})
PATIENCE_S = 0.003
"""Real seconds that the kernel gets to carry octets from one end to the other before time jumps."""
T = TypeVar("T")


def play(story: Coroutine[Any, Any, T]) -> T:
    return run_virtual(story, patience_s=PATIENCE_S)


class OpenEvseRig:
    """Hands on the simulated controller."""

    evse_id = 1
    tells_within_s = 5.0
    silent_within_s = 10.0

    def __init__(self, device: OpenEvseDevice, **options: Any) -> None:
        self.device = device
        self.board: Board = create("openevse", {"port": device.path, **options})

    async def car(self, state: CarState) -> None:
        self.device.car = state

    async def weld(self) -> None:
        self.device.welded = True

    async def jam(self) -> None:
        self.device.jammed = True

    async def mend(self) -> None:
        self.device.mend()

    async def silence(self, on: bool) -> None:
        self.device.silent = on

    async def garbage(self) -> None:
        self.device.noise()

    async def draw(self, ampere: float) -> None:
        self.device.draws_A = ampere

    async def present(self, id_token: str) -> None:
        raise NotImplementedError

    async def limit_A(self) -> float:
        return self.device.offered_A


@asynccontextmanager
async def powered(**options: Any) -> AsyncIterator[OpenEvseDevice]:
    """A controller with power."""
    device = OpenEvseDevice(**options)
    device.power_up()
    try:
        yield device
    finally:
        device.close()


@asynccontextmanager
async def started(device: OpenEvseDevice, **options: Any) -> AsyncIterator[Bench]:
    """The driver has started on it."""
    rig = OpenEvseRig(device, **options)
    bench = Bench(rig)
    rig.board.listen(bench.sink)
    await rig.board.start()
    try:
        yield bench
    finally:
        await bench.let_lapse()
        await rig.board.stop()


def on_both(story: Callable[[OpenEvseDevice, Bench], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Play this story on a controller and a driver that have started."""

    async def whole() -> None:
        async with powered() as device, started(device, **options) as bench:
            await story(device, bench)

    play(whole())


def kinds(heard: list[BoardInput]) -> list[str]:
    return [type(each).__name__ for each in heard]


def closed(device: OpenEvseDevice) -> bool:
    """Its relay."""
    return device.relay
