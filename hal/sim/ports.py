"""The simulated board as ports: virtual physics in the running event loop, on its time, which may be virtual as well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hal.errors import BoardSilent
from hal.ports import EvsePorts, Sink
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.parts import OPEN_TIMEOUT_S, OPENS_WITHIN_S, ports_of
from hal.sim.signals import Load
from hal.sim.world import SimWorld
from hal.types import (
    BoardInfo,
    BoardInput,
    BoardSilence,
    ButtonPressed,
    EvseInfo,
    Indication,
    Opens,
    Shape,
    TokenPresented,
)

__all__ = ["OPENS_WITHIN_S", "SimBoard", "SimReader"]

LEAST_S = 1e-4
"""The loop is not asked for shorter waits."""


class SimBoard:
    """A raw board. `world` may be shared with whoever plays the driver and the vehicle: call `changed` after changing it."""

    def __init__(self, world: SimWorld, *, serial: str = "SIM-1") -> None:
        self.world = world
        self.info = BoardInfo(
            "sim",
            Shape.RAW,
            Opens(OPENS_WITHIN_S),
            tuple(evse.options.info for evse in world.evses.values()),
            "chargepoint",
            "simulated board",
            serial,
        )
        self.evses: Mapping[int, EvsePorts] = {evse_id: ports_of(self, evse) for evse_id, evse in world.evses.items()}
        self.clock = None
        self.reader = SimReader(self)
        self.shown: dict[int, Indication] = {}
        """What the indicators show."""
        self.started = False
        self._sink: Sink = _nobody
        self._silent = False
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._said: list[BoardInput] = []

    @classmethod
    def of(cls, evses: Sequence[EvseInfo] = (EvseInfo(),), **options: Any) -> SimBoard:
        """A board with these EVSEs; `options` are those of `SimEvseOptions`."""
        now_s = asyncio.get_running_loop().time()
        return cls(SimWorld([SimEvseOptions(info, **options) for info in evses], now_s))

    # ---- hal.ports.Board

    def listen(self, sink: Sink) -> None:
        self._sink = sink

    async def start(self) -> None:
        if self.world.silent:
            raise BoardSilent("the simulated board is silent")
        await self._make_safe()
        self.started, self._silent = True, False
        self._hear(self.world.say_everything(self.now_s()))
        self._arm()

    async def stop(self) -> None:
        self.started = False
        self._sink = _nobody
        if not self.world.silent:
            with contextlib.suppress(BoardSilent):
                await self._make_safe()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _make_safe(self) -> None:
        """Everything open, unless it is welded, and at X1."""
        self.world.advance(self.now_s())
        self.world.safe()
        self.changed()
        await self.until(lambda: not any(evse.contactor.mirror for evse in self.world.evses.values()), OPEN_TIMEOUT_S)

    # ---- what a person does

    def plug(self, evse_id: int, load: Load, cable_ohm: float | None = 220.0) -> None:
        """The EV is on the cable."""
        self._hear(self.world.advance(self.now_s()))
        self.world.evses[evse_id].plug(load, cable_ohm)
        self.changed()

    def unplug(self, evse_id: int) -> None:
        """The driver pulls the plug: at the socket, and at the vehicle where the lock holds it."""
        evse = self.world.evses[evse_id]
        self._hear(self.world.advance(self.now_s()))
        if evse.lock.locked:
            evse.unplug_vehicle()
        else:
            evse.unplug_socket()
        self.changed()

    def present(self, token: TokenPresented) -> None:
        """A card at the reader, when that reads."""
        if self.reader.on and not self.world.silent:
            self._hear([token])

    def press(self, button: str, *, long: bool = False, evse_id: int = 0) -> None:
        """A button at the box."""
        if not self.world.silent:
            self._hear([ButtonPressed(button, long, evse_id)])

    def inject(self, evse_id: int, name: str, value: float | None = None) -> None:
        """Break something (`SimWorld.inject`)."""
        self._hear(self.world.advance(self.now_s()))
        self.world.inject(evse_id, name, value)
        self.changed()

    def clear(self, evse_id: int, name: str = "") -> None:
        """Mend it."""
        self._hear(self.world.advance(self.now_s()))
        self.world.clear(evse_id, name)
        self.changed()

    # ---- time

    def now_s(self) -> float:
        """The loop's time, which is the world's."""
        return asyncio.get_running_loop().time()

    def changed(self) -> None:
        """The world was changed at this moment: what follows at once, what is said, and when to look again."""
        for evse in self.world.evses.values():
            said = evse.settle()
            if not self.world.silent:
                self._hear(said)
        self.look()

    def look(self) -> None:
        """Bring the world to now."""
        self._hear(self.world.advance(self.now_s()))
        if self.started and self.world.silent is not self._silent:
            self._silent = self.world.silent
            self._hear([BoardSilence(self._silent)])
            if not self._silent:
                self._hear(self.world.say_everything(self.now_s()))
        self._arm()

    def _hear(self, said: Sequence[BoardInput]) -> None:
        """Told in a turn of its own, so never from inside of a call; in order."""
        if not said or not self.started:
            return
        if not self._said:
            asyncio.get_running_loop().call_soon(self._tell)
        self._said.extend(said)

    def _tell(self) -> None:
        said, self._said = self._said, []
        for each in said:
            self._sink(each)

    def _arm(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._arm_timer()

    def _arm_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self.world.deadline()
        if at is not None and (self.started or self._waiters):
            self._timer = asyncio.get_running_loop().call_at(max(at, self.now_s() + LEAST_S), self._expired)

    def _expired(self) -> None:
        self._timer = None
        self.look()

    async def until(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until the physics make it so; False when they do not in this time. Raises BoardSilent when the board falls silent meanwhile."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        while not holds():
            if loop.time() >= end_s:
                return False
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.append(waiter)
            self._arm_timer()
            await asyncio.wait([waiter], timeout=end_s - loop.time())
            if self.world.silent:
                raise BoardSilent("the simulated board fell silent")
        return True

    def command(self, evse: SimEvse, act: Callable[[], object]) -> object:
        """Bring the world to now, do this, and let follow what follows at once. Raises BoardSilent."""
        if self.world.silent or not self.started:
            raise BoardSilent("the simulated board " + ("does not answer" if self.world.silent else "is not started"))
        self._hear(self.world.advance(self.now_s()))
        done = act()
        self._hear(evse.settle())
        self._arm()
        return done


def _nobody(said: BoardInput) -> None:
    pass


class SimReader:
    """hal.ports.TokenReader."""

    def __init__(self, board: SimBoard) -> None:
        self.board, self.on = board, True

    async def enable(self, on: bool) -> None:
        if self.board.world.silent or not self.board.started:
            raise BoardSilent("the simulated board does not answer")
        self.on = on
