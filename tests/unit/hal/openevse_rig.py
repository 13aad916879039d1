"""The driver on one end of a pseudo-terminal, the simulated controller on the other."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from bench.devices.openevse import OpenEvseDevice
from chargepoint.runtime.virtual import VirtualLoop
from hal.conformance import Bench, Can, CarState
from hal.drivers.openevse.board import OpenEvseBoard
from hal.ports import Board
from hal.registry import create
from hal.types import BoardInput

CAN = frozenset({Can.SILENCE, Can.GARBAGE, Can.DRAW, Can.LIMIT})
CARRIED_S = 2.0
"""Real seconds that the kernel gets to carry octets from one end of a pseudo-terminal to the other."""
T = TypeVar("T")


class End(Protocol):
    """Who writes and reads at the other end of a device's line; it counts as `Line` does."""

    opened: int
    sent: int
    received: int

    @property
    def is_open(self) -> bool: ...


class Wire:
    """Between a driver and a device: whether octets are on their way."""

    def __init__(self, device: OpenEvseDevice, line: End) -> None:
        self.device, self.line = device, line
        self._opened = self._sent = self._taken = 0

    def busy(self) -> bool:
        device, line = self.device, self.line
        if line.opened != self._opened:
            self._opened, self._sent, self._taken = line.opened, device.sent, device.taken
        return line.is_open and (device.sent - self._sent > line.received or line.sent > device.taken - self._taken)


class WireLoop(VirtualLoop):
    """Virtual time does not jump over what the kernel still carries: a pseudo-terminal has a thread of its own there."""

    def __init__(self) -> None:
        super().__init__()
        self.wires: list[Wire] = []
        self._without_wires = self._virtual.select
        self._virtual.select = self._select  # type: ignore[method-assign] # of this loop only

    def _select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._virtual.patience_s = CARRIED_S if any(wire.busy() for wire in self.wires) else 0.0
        return self._without_wires(timeout)


def play(story: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=WireLoop) as runner:
        return runner.run(story)


def board_on(device: OpenEvseDevice, **options: Any) -> OpenEvseBoard:
    """Not started yet."""
    board = create("openevse", {"port": device.path, **options})
    loop = asyncio.get_running_loop()
    assert isinstance(board, OpenEvseBoard)
    assert isinstance(loop, WireLoop)
    loop.wires.append(Wire(device, board.line))
    return board


class OpenEvseRig:
    """Hands on the simulated controller."""

    evse_id = 1
    tells_within_s = 5.0
    silent_within_s = 10.0

    def __init__(self, device: OpenEvseDevice, **options: Any) -> None:
        self.device = device
        self.board: Board = board_on(device, **options)

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

    async def battery(self, volts: float | None) -> None:
        raise NotImplementedError

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
