"""Commands to the body, and what the body says.

What makes safe begins at once, and what waits for its turn in the same lane is dropped: a closing, a duty or an order to the DC stage never
comes after the opening that followed it. The others wait for each other by EVSE and lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from chargepoint.commands import (
    CloseContactor,
    Command,
    Indicate,
    Lane,
    LockCable,
    MeasureInsulation,
    OpenContactor,
    Permit,
    ResetResidualCurrent,
    SetDcOutput,
    SetDuty,
    SetStateF,
    SetX1,
    SignMeter,
    StopDcOutput,
    UnlockCable,
    WithdrawPermit,
)
from chargepoint.events import HardwareDone, HardwareFailed
from chargepoint.runtime.port import Tell
from hal.errors import BoardSilent, HalError, NotFitted
from hal.ports import Board, EvsePorts
from hal.types import BoardInput, Indication
from iso15118.frozen import dataclass

CALL_S, SIGN_S, INSULATION_S, OUTPUT_S = 10.0, 60.0, 40.0, 1.0
"""A driver's call is given up after this; signing a value takes some meters long, and so does a measurement of the insulation. An order to the
DC stage is old by the next one. A lease is given up after half of its time.
"""
_OFTEN = (Permit, SetDcOutput)
"""Come so often that a newer one stands for an older one that waits, and that only a failure is told: else they were most of the journal."""
STOP_S = 1.0
"""At the end of the process, orders that are under way get this long."""


@dataclass(slots=True, eq=False)
class _Order:
    command: Command
    dropped: bool = False
    """Not to be carried out any more, if that has not begun."""
    task: asyncio.Task[None] | None = None


class HalPort:
    """All EVSEs of one board."""

    takes: ClassVar[tuple[type[Command], ...]] = (
        OpenContactor, WithdrawPermit, SetX1, SetStateF, SetDuty, CloseContactor, Permit, LockCable, UnlockCable,
        ResetResidualCurrent, SignMeter, Indicate, SetDcOutput, StopDcOutput, MeasureInsulation,
    )  # fmt: skip

    def __init__(self, board: Board) -> None:
        self.board = board
        self._early: list[object] = []
        self.tell: Tell = self._early.append
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[tuple[int, str], list[_Order]] = {}

    async def start(self) -> None:
        """The board opens before anything else. What it says is kept until `release`, since PoweredUp is the first input."""
        self.board.listen(self._hear)
        await self.board.start()

    def _hear(self, said: BoardInput) -> None:
        self.tell(said)

    def release(self, tell: Tell) -> None:
        """From now on the board is heard; first what it said meanwhile."""
        self.tell = tell
        for each in self._early:
            tell(each)
        self._early.clear()

    def carry_out(self, command: Command) -> None:
        evse_id: int = getattr(command, "evse_id", 0)
        ports = self.board.evses.get(evse_id)
        if ports is None:
            return
        lane = self._lane(evse_id, _LANES[type(command)])
        beside = [order for name in _BESIDE.get(type(command), (_LANES[type(command)],)) for order in self._lane(evse_id, name)]
        order = _Order(command)
        before: list[asyncio.Task[None]] = []
        if command.lane is Lane.SAFE:
            for waiting in beside:
                waiting.dropped = waiting.dropped or waiting.command.lane is not Lane.SAFE
        else:
            before = [waiting.task for waiting in beside if waiting.task is not None]
        if isinstance(command, _OFTEN):
            for waiting in lane:
                waiting.dropped = waiting.dropped or isinstance(waiting.command, type(command))
        order.task = asyncio.get_running_loop().create_task(self._do(order, ports, before))
        lane.append(order)
        self._tasks.add(order.task)
        order.task.add_done_callback(lambda task: self._done(lane, order, task))

    def _lane(self, evse_id: int, name: str) -> list[_Order]:
        return self._lanes.setdefault((evse_id, name), [])

    def _done(self, lane: list[_Order], order: _Order, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        lane.remove(order)

    async def _do(self, order: _Order, ports: EvsePorts, before: list[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.wait(before)
        if order.dropped:
            return
        command = order.command
        name, evse_id = type(command).__name__, getattr(command, "evse_id", 0)
        try:
            async with asyncio.timeout(_allowed_s(command)):
                said = await _CALLS[type(command)](ports, command)
        except TimeoutError:
            self.tell(HardwareFailed(evse_id, name, BoardSilent.__name__, f"no answer within {_allowed_s(command):g} s"))
        except NotFitted:
            if not isinstance(command, Indicate):
                self.tell(HardwareFailed(evse_id, name, NotFitted.__name__, "this board has none"))
        except HalError as error:
            self.tell(HardwareFailed(evse_id, name, type(error).__name__, str(error)[:200]))
        except Exception as error:  # noqa: BLE001 a driver's bug is a failure of its hardware
            self.tell(HardwareFailed(evse_id, name, HalError.__name__, repr(error)[:200]))
        else:
            if said is not None:
                self.tell(said)
            if not isinstance(command, (*_OFTEN, Indicate)):
                self.tell(HardwareDone(evse_id, name))

    async def stop(self) -> None:
        """What makes safe is done to its end; then the board opens and lets go."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
        for task in tuple(self._tasks):
            task.cancel()
        await self.board.stop()


def _allowed_s(command: Command) -> float:
    """Drivers answer in bounded time; one that does not must not hold up what comes after, least of all the lease."""
    if isinstance(command, Permit):
        return command.ttl_s / 2
    return _ALLOWED_S.get(type(command), CALL_S)


def _fitted(port: Any, name: str) -> Any:
    if port is None:
        raise NotFitted(name)
    return port


async def _sign(ports: EvsePorts, command: Any) -> object:
    return await _fitted(ports.signed_meter, "a signing meter").sign(command.context, command.transaction_id, command.id_token)


async def _indicate(ports: EvsePorts, command: Any) -> None:
    values = tuple((key, str(value)) for key, value in command.values.items())
    await _fitted(ports.indicator, "an indicator").show(Indication(command.key, values))


_LANES: dict[type[Command], str] = {
    SetX1: "pilot",
    SetDuty: "pilot",
    SetStateF: "pilot",
    Permit: "lease",
    WithdrawPermit: "lease",
    CloseContactor: "contactor",
    OpenContactor: "contactor",
    LockCable: "lock",
    UnlockCable: "lock",
    ResetResidualCurrent: "residual current",
    SignMeter: "signed meter",
    Indicate: "indicator",
    SetDcOutput: "output",
    StopDcOutput: "output",
    MeasureInsulation: "insulation",
}
"""What is of one lane is done in order."""
_POWER = ("contactor", "lease")
_BESIDE: dict[type[Command], tuple[str, ...]] = {
    OpenContactor: (*_POWER, "output"),
    WithdrawPermit: (*_POWER, "output"),
    CloseContactor: _POWER,
}
"""Whose waiting orders a safe one drops, and for whose a closing waits: a lease that is renewed waits for no closing."""
_ALLOWED_S: dict[type[Command], float] = {SignMeter: SIGN_S, MeasureInsulation: INSULATION_S, SetDcOutput: OUTPUT_S}
_CALLS: dict[type[Command], Callable[[EvsePorts, Any], Awaitable[object]]] = {
    OpenContactor: lambda ports, _: ports.contactor.open(),
    WithdrawPermit: lambda ports, _: ports.power.withdraw(),
    SetX1: lambda ports, _: ports.pilot.set_x1(),
    SetStateF: lambda ports, _: ports.pilot.set_f(),
    SetDuty: lambda ports, command: ports.pilot.set_pwm(command.duty_percent),
    CloseContactor: lambda ports, command: ports.contactor.close(command.phases),
    Permit: lambda ports, command: ports.power.permit(command.ttl_s),
    LockCable: lambda ports, _: _fitted(ports.lock, "a lock").lock(),
    UnlockCable: lambda ports, _: _fitted(ports.lock, "a lock").unlock(),
    ResetResidualCurrent: lambda ports, _: _fitted(ports.residual_current, "a residual current device").reset(),
    SignMeter: _sign,
    Indicate: _indicate,
    SetDcOutput: lambda ports, command: _fitted(ports.dc, "a DC stage").set_output(command.voltage_V, command.current_A),
    StopDcOutput: lambda ports, _: _fitted(ports.dc, "a DC stage").off(),
    MeasureInsulation: lambda ports, _: _fitted(ports.insulation, "an insulation monitor").measure(),
}
