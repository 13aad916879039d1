"""The simulated board as ports: virtual physics in the running event loop, on its time, which may be virtual as well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hal.errors import (
    BoardSilent,
    ContactorFault,
    HalError,
    LeaseLapsed,
    LockFault,
    MeterFault,
    NotFitted,
    PilotFault,
    ResidualCurrentFault,
)
from hal.iec61851 import LEAST_DUTY, MOST_DUTY
from hal.ports import EvsePorts, Sink
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.signals import Load, PilotOutput
from hal.sim.world import SimWorld
from hal.types import (
    BoardInfo,
    BoardInput,
    BoardSilence,
    ButtonPressed,
    EvseInfo,
    Indication,
    MeterSample,
    Opens,
    Phases,
    Shape,
    TemperatureSample,
    TokenPresented,
)

CLOSE_TIMEOUT_S = 0.5
"""The mirror contact says closed by then, or the contactor failed to close."""
OPEN_TIMEOUT_S = 0.3
"""The mirror contact says open by then, or it is welded."""
LOCK_TIMEOUT_S = 3.0
LEAST_S = 1e-4
"""The loop is not asked for shorter waits."""
DIGITAL_DUTY = (4.5, 5.5)
OPENS_WITHIN_S = 2.0
"""The longest lease that is given: a station that falls silent holds power no longer."""


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
        self.evses: Mapping[int, EvsePorts] = {evse_id: _ports(self, evse) for evse_id, evse in world.evses.items()}
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
        self._hear(self.world.say_everything(self._now()))
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
        self.world.advance(self._now())
        self.world.safe()
        self.changed()
        await self.until(lambda: not any(evse.contactor.mirror for evse in self.world.evses.values()), OPEN_TIMEOUT_S)

    # ---- what a person does

    def plug(self, evse_id: int, load: Load, cable_ohm: float | None = 220.0) -> None:
        """The EV is on the cable."""
        self._hear(self.world.advance(self._now()))
        self.world.evses[evse_id].plug(load, cable_ohm)
        self.changed()

    def unplug(self, evse_id: int) -> None:
        """The driver pulls the plug: at the socket, and at the vehicle where the lock holds it."""
        evse = self.world.evses[evse_id]
        self._hear(self.world.advance(self._now()))
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
        self._hear(self.world.advance(self._now()))
        self.world.inject(evse_id, name, value)
        self.changed()

    def clear(self, evse_id: int, name: str = "") -> None:
        """Mend it."""
        self._hear(self.world.advance(self._now()))
        self.world.clear(evse_id, name)
        self.changed()

    # ---- time

    def _now(self) -> float:
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
        self._hear(self.world.advance(self._now()))
        if self.started and self.world.silent is not self._silent:
            self._silent = self.world.silent
            self._hear([BoardSilence(self._silent)])
            if not self._silent:
                self._hear(self.world.say_everything(self._now()))
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
            self._timer = asyncio.get_running_loop().call_at(max(at, self._now() + LEAST_S), self._expired)

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
        self._hear(self.world.advance(self._now()))
        done = act()
        self._hear(evse.settle())
        self._arm()
        return done


def _nobody(said: BoardInput) -> None:
    pass


class _Part:
    """A port of one EVSE."""

    def __init__(self, board: SimBoard, evse: SimEvse) -> None:
        self.board, self.evse = board, evse

    def do(self, act: Callable[[], object]) -> object:
        """`SimBoard.command`."""
        return self.board.command(self.evse, act)


class SimPilot(_Part):
    """hal.ports.ControlPilot."""

    async def set_x1(self) -> None:
        self.do(lambda: self.evse.set_pilot(PilotOutput.X1))

    async def set_pwm(self, duty_percent: float) -> None:
        if not (LEAST_DUTY <= duty_percent <= MOST_DUTY or DIGITAL_DUTY[0] <= duty_percent <= DIGITAL_DUTY[1]):
            raise PilotFault(f"a duty of {duty_percent} % says nothing")
        self.do(lambda: self.evse.set_pilot(PilotOutput.PWM, duty_percent))

    async def set_f(self) -> None:
        self.do(lambda: self.evse.set_pilot(PilotOutput.F))


class SimPower(_Part):
    """hal.ports.PowerPath."""

    async def permit(self, ttl_s: float) -> None:
        now_s, contactor = asyncio.get_running_loop().time(), self.evse.contactor
        until_s = now_s + min(ttl_s, OPENS_WITHIN_S)
        if now_s < contactor.permit_until <= until_s and not self.board.world.silent:
            contactor.permit(until_s)  # longer than it was: nothing moves, and the timer looks again when the old one would have ended
        else:
            self.do(lambda: contactor.permit(until_s))

    async def withdraw(self) -> None:
        self.do(self.evse.contactor.withdraw)


class SimContactor(_Part):
    """hal.ports.Contactor. `open` and `withdraw` take the coil's current, which ends a closing that waits."""

    async def close(self, phases: Phases = 3) -> None:
        contactor, info = self.evse.contactor, self.evse.options.info
        if phases != info.phases and not (phases == 1 and info.switches_phases):
            raise NotFitted(f"EVSE {info.evse_id} cannot close {phases} phases")
        if not self.do(lambda: contactor.close(phases)):
            if contactor.permitted:
                raise ContactorFault("other poles are closed")
            raise LeaseLapsed("no live permit")
        await self.board.until(lambda: contactor.mirror == phases or not contactor.coil, CLOSE_TIMEOUT_S)
        if not contactor.coil:
            if self.evse.rcd.tripped is not None:
                raise ContactorFault("the residual-current device holds it open")
            raise LeaseLapsed("opened while it was closing")
        if contactor.mirror != phases:
            self.do(contactor.open)
            raise ContactorFault("the mirror contact does not say closed")

    async def open(self) -> None:
        contactor = self.evse.contactor
        self.do(contactor.open)
        if not await self.board.until(lambda: not contactor.mirror or bool(contactor.coil), OPEN_TIMEOUT_S) and contactor.mirror:
            raise ContactorFault("the mirror contact still says closed")


class SimMeter(_Part):
    """hal.ports.Meter."""

    async def read(self) -> MeterSample:
        self.do(lambda: None)
        if self.evse.meter_silent:
            raise MeterFault("the meter does not answer")
        return self.evse.sample()


class SimLock(_Part):
    """hal.ports.Lock."""

    async def lock(self) -> None:
        await self._drive(locked=True)

    async def unlock(self) -> None:
        await self._drive(locked=False)

    async def _drive(self, *, locked: bool) -> None:
        lock = self.evse.lock
        self.do(lambda: lock.drive(asyncio.get_running_loop().time(), locked=locked))
        await self.board.until(lambda: lock.moving_until is None, LOCK_TIMEOUT_S)
        if lock.locked is not locked:
            raise LockFault("the bolt is not where it was sent")


class SimProximity(_Part):
    """hal.ports.ProximityPilot."""

    async def read(self) -> float | None:
        self.do(lambda: None)
        return self.evse.proximity_ohm


class SimResidualCurrent(_Part):
    """hal.ports.ResidualCurrent."""

    async def self_test(self) -> None:
        if self.do(lambda: self.evse.contactor.poles):
            raise HalError("a self-test needs an open contactor")
        if self.evse.rcd.broken:
            raise ResidualCurrentFault("the device does not trip")

    async def reset(self) -> None:
        if not self.do(self.evse.rearm):
            raise ResidualCurrentFault("the device does not hold")


class SimTemperature(_Part):
    """hal.ports.Temperature."""

    async def read(self) -> tuple[TemperatureSample, ...]:
        self.do(lambda: None)
        return (self.evse.temperature(),)


class SimIndicator(_Part):
    """hal.ports.Indicator."""

    async def show(self, indication: Indication) -> None:
        self.do(lambda: self.board.shown.__setitem__(self.evse.id, indication))


class SimReader:
    """hal.ports.TokenReader."""

    def __init__(self, board: SimBoard) -> None:
        self.board, self.on = board, True

    async def enable(self, on: bool) -> None:
        if self.board.world.silent or not self.board.started:
            raise BoardSilent("the simulated board does not answer")
        self.on = on


def _ports(board: SimBoard, evse: SimEvse) -> EvsePorts:
    info = evse.options.info
    return EvsePorts(
        pilot=SimPilot(board, evse),
        contactor=SimContactor(board, evse),
        power=SimPower(board, evse),
        proximity=SimProximity(board, evse) if info.connector == "sType2" else None,
        meter=SimMeter(board, evse) if info.has_meter else None,
        lock=SimLock(board, evse) if info.has_lock else None,
        residual_current=SimResidualCurrent(board, evse) if info.residual_current else None,
        temperature=SimTemperature(board, evse),
        indicator=SimIndicator(board, evse),
    )
