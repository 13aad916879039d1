"""The simulated board in a heap of moments: what its port does with commands, at once and in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from chargepoint.commands import (
    CloseContactor,
    Command,
    LockCable,
    MeasureInsulation,
    OpenContactor,
    Permit,
    ResetResidualCurrent,
    SetDcOutput,
    SetDuty,
    SetStateF,
    SetX1,
    StopDcOutput,
    UnlockCable,
    WithdrawPermit,
)
from chargepoint.events import HardwareDone, HardwareFailed
from hal.sim.evse import SimEvse
from hal.sim.lock import TRAVEL_S
from hal.sim.signals import PilotOutput
from hal.sim.world import SimWorld
from hal.types import InsulationSample

CLOSE_TIMEOUT_S = 0.5
Moves: TypeAlias = (
    OpenContactor | WithdrawPermit | CloseContactor | Permit | SetX1 | SetStateF | SetDuty | LockCable | UnlockCable | ResetResidualCurrent
)
"""What moves something of one EVSE."""


class Body:
    """All EVSEs of a world. `later(delay_s, action)` and `tell(event)` are the heap's."""

    def __init__(self, world: SimWorld, later: Callable[[float, Callable[[], None]], None], tell: Callable[[object], None]) -> None:
        self.world, self.later, self._tell = world, later, tell
        self._closing: dict[int, float] = {}
        """EVSE -> when it was told to close last."""

    def carry_out(self, now: float, command: Command) -> None:
        """What is not the body's is nothing to it."""
        match command:
            case SetDcOutput() | StopDcOutput():
                self._stage(now, self.world.evses[command.evse_id], command)
            case MeasureInsulation():
                self._measure(now, self.world.evses[command.evse_id])
            case _ if isinstance(command, Moves):
                self._move(now, self.world.evses[command.evse_id], command)

    def _move(self, now: float, evse: SimEvse, command: Moves) -> None:
        said = evse.advance(now)
        _MOVES[type(command)](evse, command, now)
        for each in (*said, *evse.settle()):
            self.later(0.0, partial(self._tell, each))
        if isinstance(command, CloseContactor):
            self._closing[evse.id] = now
            self.later(CLOSE_TIMEOUT_S, lambda: self._closed(evse, now))
        elif isinstance(command, (LockCable, UnlockCable)):
            self.later(TRAVEL_S, lambda: self._bolted(evse, type(command).__name__, locked=isinstance(command, LockCable)))
        elif not isinstance(command, (Permit, OpenContactor)) or (isinstance(command, OpenContactor) and not evse.contactor.mirror):
            self.later(0.0, lambda: self._tell(HardwareDone(evse.id, type(command).__name__)))

    def _stage(self, now: float, evse: SimEvse, command: SetDcOutput | StopDcOutput) -> None:
        """As the simulated board's port does it."""
        said, stage = evse.advance(now), evse.stage
        name, error = type(command).__name__, ""
        if stage is None:
            error = "NotFitted"
        elif isinstance(command, StopDcOutput):
            stage.stop()
        elif not evse.contactor.permitted:
            error = "LeaseLapsed"
        elif stage.stuck or stage.problem(command.voltage_V, command.current_A):
            error = "StageFault"
        else:
            stage.order(command.voltage_V, command.current_A)
        for each in (*said, *evse.settle()):
            self.later(0.0, partial(self._tell, each))
        if error:
            self.later(0.0, lambda: self._tell(HardwareFailed(evse.id, name, error)))

    def _measure(self, now: float, evse: SimEvse) -> None:
        stage = evse.stage
        if stage is None:
            return

        def done() -> None:
            evse.advance(now + stage.measure_s)
            if stage.measurable:
                self._tell(InsulationSample(evse.id, stage.insulation_ohm))
                self._tell(HardwareDone(evse.id, "MeasureInsulation"))
            else:
                self._tell(HardwareFailed(evse.id, "MeasureInsulation", "InsulationFault"))

        self.later(stage.measure_s, done)

    def _closed(self, evse: SimEvse, began: float) -> None:
        if began == self._closing[evse.id] and evse.contactor.coil and not evse.contactor.mirror:
            evse.contactor.open()
            self._tell(HardwareFailed(evse.id, "CloseContactor", "ContactorFault"))

    def _bolted(self, evse: SimEvse, name: str, *, locked: bool) -> None:
        """Its sensor says so, or it does not."""
        self._tell(HardwareDone(evse.id, name) if evse.lock.locked is locked else HardwareFailed(evse.id, name, "LockFault"))


def _pilot(output: PilotOutput) -> Callable[[SimEvse, Any, float], None]:
    return lambda evse, command, _now: evse.set_pilot(output, getattr(command, "duty_percent", 0.0))


_MOVES: dict[type[Moves], Callable[[SimEvse, Any, float], object]] = {
    OpenContactor: lambda evse, _command, _now: evse.contactor.open(),
    WithdrawPermit: lambda evse, _command, _now: evse.contactor.withdraw(),
    CloseContactor: lambda evse, command, _now: evse.contactor.close(command.phases),
    Permit: lambda evse, command, now: evse.contactor.permit(now + command.ttl_s),
    SetX1: _pilot(PilotOutput.X1),
    SetStateF: _pilot(PilotOutput.F),
    SetDuty: _pilot(PilotOutput.PWM),
    LockCable: lambda evse, _command, now: evse.lock.drive(now, locked=True),
    UnlockCable: lambda evse, _command, now: evse.lock.drive(now, locked=False),
    ResetResidualCurrent: lambda evse, _command, _now: evse.rcd.reset(),
}
