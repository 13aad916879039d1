"""What the controller can be asked: allow with a limit, disallow, open."""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from hal.drivers.openevse import rapi
from hal.drivers.openevse.line import Overtaken, Refused
from hal.errors import BoardSilent, ContactorFault, LeaseLapsed, NotFitted, PilotFault, ResidualCurrentFault
from hal.iec61851 import current_of
from hal.ports import EvsePorts
from hal.types import MeterSample, Phases, TemperatureSample

if TYPE_CHECKING:
    from hal.drivers.openevse.board import OpenEvseBoard

OPEN_TIMEOUT_S = 1.0
CLOSE_TIMEOUT_S = 3.0
RESTART_S = 8.0
LEAST_A = 6


class Mode(enum.Enum):
    """What the pilot was ordered to show: asleep is X1, disabled is F."""

    X1 = "FS"
    F = "FD"
    PWM = "FE"


class OpenEvsePorts:
    """The orders that stand. `orders` counts those that make safe, so that what they overtook is dropped."""

    def __init__(self, board: OpenEvseBoard) -> None:
        self.board = board
        self.orders = 0
        self.mode = Mode.X1
        self.limit_A = 0
        self.enabled = False
        """`$FE` was answered, and nothing took it back."""
        self.asleep_for_sure = False
        """`$FS` was answered last: awake it can only be after a restart, or by a hand at its button."""
        self.permit_until_s = -math.inf
        self._offering = False
        self.pilot, self.contactor, self.power = Pilot(self), Contactor(self), Power(self)
        fitted = board.info.evses[0].has_meter
        self.evse = EvsePorts(
            self.pilot,
            self.contactor,
            self.power,
            meter=Meter(board) if fitted else None,
            residual_current=Residual(self),
            temperature=Temperature(board),
        )

    def forget(self) -> None:
        """Nothing stands any more: asleep, nothing permitted."""
        self.orders += 1
        self.mode, self.limit_A, self.enabled, self.asleep_for_sure = Mode.X1, 0, False, False
        self.permit_until_s = -math.inf

    @property
    def permitted(self) -> bool:
        """A permit is alive."""
        return asyncio.get_running_loop().time() < self.permit_until_s

    @property
    def wants_enabling(self) -> bool:
        """PWM was asked for, and only the permit was missing."""
        return self.mode is Mode.PWM and not self.enabled and not self._offering

    def may_go_on(self, now_s: float) -> bool:
        """Whether a pulse may be sent: not for power that nobody permits any more, so that the controller falls back."""
        return not self.enabled or now_s < self.permit_until_s

    async def safe(self, mode: Mode, *, cut: bool = False) -> None:
        """To X1 or F at once. `cut`: the relay as well; to X1 the controller gives the EV 3 s to stop drawing first, to F it does not."""
        self.orders += 1
        self.mode, self.limit_A, self.enabled = mode, 0, False
        self.board.told.f_ordered = mode is Mode.F
        status = self.board.status
        if cut and mode is Mode.X1 and (status is None or status.closed):
            self.asleep_for_sure = False
            await self._order(Mode.F)
            await self.board.until(lambda status: not status.closed, OPEN_TIMEOUT_S)
        if self.mode is mode:
            await self._order(mode)
            self.asleep_for_sure = mode is Mode.X1

    async def _order(self, mode: Mode) -> None:
        try:
            await self.board.ask(mode.value, safe=True)
        except Refused as error:
            raise PilotFault(str(error)) from None

    async def offer(self) -> None:
        """The limit, and with a live permit the way is free."""
        orders, self._offering = self.orders, True

        def still() -> bool:
            return orders == self.orders

        try:
            await self._limit(still)
            if self.permitted and not self.enabled:
                self.asleep_for_sure = False
                await self.board.ask("FE", still=still)
                self.enabled = still()
        except Overtaken:
            raise PilotFault("something that makes safe came first") from None
        except Refused as error:
            await self.safe(Mode.X1, cut=True)
            raise PilotFault(str(error)) from None
        finally:
            self._offering = False

    async def _limit(self, still: Callable[[], bool]) -> None:
        """Always with V: without it the controller writes its EEPROM. It clamps, and says so by NK."""
        try:
            values = await self.board.ask("SC", self.limit_A, "V", still=still)
        except Refused as error:
            values = error.values
            if not values:
                raise
        try:
            if rapi.numbers(values, 1)[0] > self.limit_A:
                raise Refused(("SC", self.limit_A, "V"), values)
        except rapi.RapiError:
            raise Refused(("SC", self.limit_A, "V"), values) from None

    async def offer_again(self) -> None:
        """After a fall-back the controller is at its own maximum: bring it to what was asked for, if that still stands."""
        if self.mode is Mode.PWM:
            await self.offer()


class Pilot:
    """hal.ports.ControlPilot."""

    def __init__(self, ports: OpenEvsePorts) -> None:
        self.ports = ports

    async def set_x1(self) -> None:
        await self.ports.safe(Mode.X1)

    async def set_f(self) -> None:
        await self.ports.safe(Mode.F)

    async def set_pwm(self, duty_percent: float) -> None:
        ampere = int(current_of(duty_percent) + 0.005)
        if ampere < LEAST_A:
            raise PilotFault(f"a duty of {duty_percent} % says no current")
        ports = self.ports
        ports.mode, ports.limit_A = Mode.PWM, min(ampere, ports.board.options.max_current_A)
        await ports.offer()


class Power:
    """hal.ports.PowerPath. What the hardware keeps is the heartbeat: pulses go out while a permit lives."""

    def __init__(self, ports: OpenEvsePorts) -> None:
        self.ports = ports

    async def permit(self, ttl_s: float) -> None:
        ports = self.ports
        if not ports.board.ready:
            raise BoardSilent("the controller does not answer")
        ports.permit_until_s = asyncio.get_running_loop().time() + ttl_s
        if ports.wants_enabling:
            await ports.offer()

    async def withdraw(self) -> None:
        self.ports.permit_until_s = -math.inf
        await self.ports.safe(self.ports.mode if self.ports.mode is Mode.F else Mode.X1, cut=True)


class Contactor:
    """hal.ports.Contactor."""

    def __init__(self, ports: OpenEvsePorts) -> None:
        self.ports = ports

    async def close(self, phases: Phases = 3) -> None:
        ports = self.ports
        if phases != ports.board.options.phases:
            raise NotFitted(f"this controller closes {ports.board.options.phases} phases")
        if not ports.permitted:
            raise LeaseLapsed("no live permit")
        orders = ports.orders
        closed = await ports.board.until(lambda status: status.closed or orders != ports.orders, CLOSE_TIMEOUT_S)
        if orders != ports.orders:
            raise LeaseLapsed("opened while it was closing")
        if not closed:
            raise ContactorFault("the controller did not close")

    async def open(self) -> None:
        ports = self.ports
        await ports.safe(ports.mode if ports.mode is Mode.F else Mode.X1, cut=True)
        if not await ports.board.until(lambda status: not status.closed, OPEN_TIMEOUT_S):
            raise ContactorFault("the controller still says closed")


class Meter:
    """hal.ports.Meter."""

    def __init__(self, board: OpenEvseBoard) -> None:
        self.board = board

    async def read(self) -> MeterSample:
        return await self.board.sample()


class Residual:
    """hal.ports.ResidualCurrent. The controller tests by itself before each closing."""

    def __init__(self, ports: OpenEvsePorts) -> None:
        self.ports = ports

    async def self_test(self) -> None:
        raise NotFitted("the controller tests its residual-current device by itself")

    async def reset(self) -> None:
        """A hard fault ends by a restart of the controller only."""
        board = self.ports.board
        if board.status is not None and board.status.vflags & rapi.HARD_FAULT:
            await board.ask("FR", safe=True)
            if not await board.until(lambda status: not status.vflags & rapi.HARD_FAULT, RESTART_S):
                raise ResidualCurrentFault("tripped after a restart as well")
            return
        board.say(*board.told.residual_over())


class Temperature:
    """hal.ports.Temperature."""

    def __init__(self, board: OpenEvseBoard) -> None:
        self.board = board

    async def read(self) -> tuple[TemperatureSample, ...]:
        return tuple(self.board.told.temperatures(await self.board.ask("GP")))
