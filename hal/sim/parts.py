"""The ports of one simulated EVSE: each a few lines on its physics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hal.errors import (
    ContactorFault,
    HalError,
    InsulationFault,
    LeaseLapsed,
    LockFault,
    MeterFault,
    NotFitted,
    PilotFault,
    ResidualCurrentFault,
    StageFault,
)
from hal.iec61851 import LEAST_DUTY, MOST_DUTY
from hal.ports import EvsePorts
from hal.sim.evse import SimEvse
from hal.sim.signals import PilotOutput
from hal.sim.stage import DcStage
from hal.types import Indication, InsulationSample, MeterSample, Phases, TemperatureSample

if TYPE_CHECKING:
    from hal.sim.ports import SimBoard

CLOSE_TIMEOUT_S = 0.5
"""The mirror contact says closed by then, or the contactor failed to close."""
OPEN_TIMEOUT_S = 0.3
"""The mirror contact says open by then, or it is welded."""
LOCK_TIMEOUT_S = 3.0
DIGITAL_DUTY = (4.5, 5.5)
OPENS_WITHIN_S = 2.0
"""The longest lease that is given: a station that falls silent holds power no longer."""


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
        now_s, contactor = self.board.now_s(), self.evse.contactor
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
        self.do(lambda: lock.drive(self.board.now_s(), locked=locked))
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


class _StagePart(_Part):
    """A port of an EVSE with a DC stage."""

    def __init__(self, board: SimBoard, evse: SimEvse, stage: DcStage) -> None:
        super().__init__(board, evse)
        self.stage = stage


class SimDcSupply(_StagePart):
    """hal.ports.DcSupply."""

    async def set_output(self, voltage_V: float, current_A: float) -> None:
        if problem := self.stage.problem(voltage_V, current_A):
            raise StageFault(problem)
        if not self.do(lambda: self._take(voltage_V, current_A)):
            raise LeaseLapsed("no live permit")

    def _take(self, voltage_V: float, current_A: float) -> bool:
        if not self.evse.contactor.permitted:
            return False
        if self.stage.stuck:
            raise StageFault("the stage does not take the order")
        self.stage.order(voltage_V, current_A)
        return True

    async def off(self) -> None:
        self.do(self.stage.stop)


class SimInsulation(_StagePart):
    """hal.ports.InsulationMonitor."""

    async def measure(self) -> InsulationSample:
        self._needs_voltage()
        await self.board.until(lambda: not self.stage.measurable, self.stage.measure_s)
        self._needs_voltage()
        return InsulationSample(self.evse.id, self.stage.insulation_ohm)

    def _needs_voltage(self) -> None:
        if not self.do(lambda: self.stage.measurable):
            raise InsulationFault("there is no voltage on the output")


def ports_of(board: SimBoard, evse: SimEvse) -> EvsePorts:
    """All that is fitted."""
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
        dc=SimDcSupply(board, evse, evse.stage) if evse.stage else None,
        insulation=SimInsulation(board, evse, evse.stage) if evse.stage else None,
    )
