"""A delegated board for the kit: a controller between station and physics that runs the pilot itself and closes by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from hal.errors import PilotFault
from hal.iec61851 import current_of
from hal.ports import EvsePorts, Sink
from hal.sim.ports import SimBoard
from hal.sim.signals import PilotOutput
from hal.types import BoardInfo, BoardInput, BoardSilence, EvseInfo, FallsBack, OnSilence, Opens, PilotState, PilotVoltage, Shape

EVSE = EvseInfo(closes_by_itself=True)
FALL_BACK = FallsBack(6.0)
OPENS = Opens(0.5)
NOT_NOW, FALL_BACK_DUTY = 0.0, 10.0
OWN_LEASE_S = 1.0


class ControllerBoard:
    """`sim` is what it drives; the station sees states and asks for limits."""

    def __init__(self, on_silence: OnSilence) -> None:
        self.sim = SimBoard.of([EVSE])
        self.info = replace(self.sim.info, driver="controller", shape=Shape.DELEGATED, on_silence=on_silence)
        inner = self.sim.evses[1]
        self.evses = {1: replace(inner, pilot=Pilot(self), contactor=Contactor(self), power=Power(self))}
        self.reader, self.clock = self.sim.reader, None
        self.inner: EvsePorts = inner
        self.duty_percent = NOT_NOW
        self.state = ""
        self.heard_until_s = float("-inf")
        self._sink: Sink | None = None
        self._running: asyncio.Task[None] | None = None

    def listen(self, sink: Sink) -> None:
        self._sink = sink
        self.sim.listen(self._hear)

    def _hear(self, said: BoardInput) -> None:
        if isinstance(said, BoardSilence):
            self.state = ""
        if isinstance(said, PilotVoltage):
            levels = ((10.5, "A"), (7.5, "B"), (4.5, "C"), (1.5, "D"), (-1.5, "E"))
            letter: Any = next((name for above_V, name in levels if said.high_V > above_V), "F")
            if letter == self.state:
                return
            self.state = letter
            said = PilotState(said.evse_id, letter)
        if self._sink is not None:
            self._sink(said)

    async def start(self) -> None:
        self.duty_percent = NOT_NOW
        await self.sim.start()
        self._running = asyncio.get_running_loop().create_task(self._control())

    async def stop(self) -> None:
        self._sink = None
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        await self.sim.stop()

    @property
    def offered_percent(self) -> float:
        """The duty on the pilot."""
        if asyncio.get_running_loop().time() < self.heard_until_s or self.duty_percent == NOT_NOW:
            return self.duty_percent
        return FALL_BACK_DUTY if isinstance(self.info.on_silence, FallsBack) else NOT_NOW

    async def _control(self) -> None:
        """What a controller's firmware does, each 20 ms, past the line that may be silent."""
        evse = self.sim.world.evses[1]
        while True:
            duty_percent = self.offered_percent
            evse.contactor.permit(asyncio.get_running_loop().time() + OWN_LEASE_S)
            evse.set_pilot(PilotOutput.PWM if duty_percent else PilotOutput.X1, duty_percent)
            if duty_percent and evse.state_letter in "CD":
                evse.contactor.close(3)
            else:
                evse.contactor.open()
            self.sim.changed()
            await asyncio.sleep(0.02)


class Part:
    def __init__(self, board: ControllerBoard) -> None:
        self.board = board

    async def allow(self, duty_percent: float) -> None:
        await self.board.inner.temperature.read()  # type: ignore[union-attr] # fitted; raises BoardSilent
        self.board.duty_percent = duty_percent
        await asyncio.sleep(0.03)


class Pilot(Part):
    async def set_x1(self) -> None:
        await self.allow(NOT_NOW)

    async def set_f(self) -> None:
        await self.allow(NOT_NOW)

    async def set_pwm(self, duty_percent: float) -> None:
        if not current_of(duty_percent):
            raise PilotFault(f"{duty_percent} %")
        await self.allow(duty_percent)


class Power(Part):
    async def permit(self, ttl_s: float) -> None:
        await self.board.inner.temperature.read()  # type: ignore[union-attr] # fitted; raises BoardSilent
        self.board.heard_until_s = asyncio.get_running_loop().time() + ttl_s

    async def withdraw(self) -> None:
        await self.allow(NOT_NOW)


class Contactor(Part):
    async def close(self, phases: Any = 3) -> None:
        await self.board.sim.until(lambda: bool(self.board.sim.world.evses[1].contactor.mirror), 3.0)

    async def open(self) -> None:
        await self.allow(NOT_NOW)
        await self.board.inner.contactor.open()


def info_of(on_silence: OnSilence) -> BoardInfo:
    """What it declares."""
    return BoardInfo("controller", Shape.DELEGATED, on_silence, (EVSE,))
