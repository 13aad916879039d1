"""The whole charge point as one pure machine: it routes events to machines until all is quiet.

`wiring` says which machines there are and which events each of them takes; docs/machines/routes.md is the same as a picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chargepoint import codec
from chargepoint.commands import (
    CloseContactor,
    Command,
    Lane,
    Log,
    OpenContactor,
    Permit,
    Persist,
    SetDcOutput,
    SetDuty,
    SetStateF,
    SetX1,
    StopDcOutput,
    WithdrawPermit,
)
from chargepoint.config import StationConfig
from chargepoint.events import PoweredUp, TimerExpired
from chargepoint.machine import Machine
from chargepoint.ocpp.messages import Answer, AnswerError, Call, CallReceived, SendOneWay
from chargepoint.ocpp.vendors import Vendor
from chargepoint.tick import Tick
from chargepoint.wiring import Wiring, build
from hal.types import BoardInfo
from iso15118.frozen import dataclass

QUIET_LIMIT = 10_000
"""Events that one input may lead to; more is a loop in the wiring."""
TIMER = TimerExpired()


LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A block's timer has failed: it is asked again after this."""

    seconds: float
    until: float


class RoutingLoop(RuntimeError):
    """Machines kept answering each other; a bug, never an input's fault."""


class Station:
    """`handle(now, event) -> commands`, safe ones first; `deadline() -> Tick.mono or None`."""

    def __init__(self, config: StationConfig, board: BoardInfo, vendors: Iterable[Vendor] = ()) -> None:
        self.config = config
        self.wiring: Wiring = build(config, board, vendors)
        self._pauses: dict[Machine, Pause] = {}
        """Of blocks whose timer failed: without one a deadline that stays in the past would be a busy loop."""
        self._deadlines: dict[Machine, float | None] = {machine: machine.deadline() for machine in self.wiring.machines.values()}
        """Of each machine, as of the last event that it took: a deadline moves with nothing else."""

    def handle(self, now: Tick, event: object) -> tuple[Command, ...]:
        """Take one input; give the commands that follow. Timers that are due by `now` run first."""
        if isinstance(event, PoweredUp):
            self.wiring.context.entropy.seed_hex = event.entropy_hex
        commands: list[Command] = []
        waiting: deque[tuple[Machine | None, object]] = deque((machine, TIMER) for machine in self._due(now))
        if not isinstance(event, TimerExpired):
            waiting.append((None, event))
        for _ in range(QUIET_LIMIT):
            if not waiting:
                return _ordered(commands)
            machine, happened = waiting.popleft()
            for taker in (machine,) if machine else self.wiring.takers(happened):
                results = self._deliver(now, taker, happened)
                self._deadlines[taker] = self._deadline(taker)
                for result in results:
                    if isinstance(result, _FOR_RPC):
                        waiting.append((self.wiring.rpc, result))
                    elif isinstance(result, Command):
                        commands.append(result)
                    else:
                        waiting.append((None, result))
        raise RoutingLoop(f"{type(event).__name__} led to over {QUIET_LIMIT} events")

    def deadline(self) -> float | None:
        """The earliest deadline of all machines."""
        return min((at for at in self._deadlines.values() if at is not None), default=None)

    def snapshot(self) -> dict[str, Any]:
        """Everything that the station remembers, as JSON values."""
        return {name: codec.dump(type(m.state), m.state) for name, m in self.wiring.remembering() if m.state is not None}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go on from a snapshot. Raises CodecError when it is of another shape."""
        for name, machine in self.wiring.remembering():
            if name in snapshot:
                machine.state = codec.load(type(machine.state), snapshot[name], name)
        self._deadlines = {machine: machine.deadline() for machine in self.wiring.machines.values()}

    def _deadline(self, machine: Machine) -> float | None:
        """The machine's own, but not before a contained failure has had its pause."""
        at, pause = machine.deadline(), self._pauses.get(machine)
        return at if at is None or pause is None else max(at, pause.until)

    def _due(self, now: Tick) -> Iterable[Machine]:
        return [machine for machine, at in self._deadlines.items() if at is not None and at <= now.mono]

    def _deliver(self, now: Tick, machine: Machine, event: object) -> Sequence[object]:
        if not self.wiring.guarded(machine):
            return machine.handle(now, event)
        try:
            results = machine.handle(now, event)
            if isinstance(event, TimerExpired):
                self._pauses.pop(machine, None)
            return results
        except Exception as error:  # noqa: BLE001 a bug in one OCPP block must not take the contactor's keeper down with it
            log = Log("error", "block.failed", {"block": type(machine).__name__, "event": type(event).__name__, "error": repr(error)[:200]})
            if isinstance(event, TimerExpired):
                pause_s = min(2.0 * self._pauses[machine].seconds, LONGEST_PAUSE_S) if machine in self._pauses else 1.0
                self._pauses[machine] = Pause(pause_s, now.mono + pause_s)
            if isinstance(event, CallReceived):
                return [AnswerError(event.message_id, "InternalError", "the station could not process this"), log]
            return [log]


_FOR_RPC = (Call, SendOneWay, Answer, AnswerError)


_OVERTAKEN: dict[type[Command], tuple[type[Command], ...]] = {
    OpenContactor: (CloseContactor, Permit, SetDcOutput),
    WithdrawPermit: (CloseContactor, Permit, SetDcOutput),
    StopDcOutput: (SetDcOutput,),
    SetX1: (SetDuty,),
    SetStateF: (SetDuty,),
}
"""What makes safe -> what of the same EVSE was decided before it in the same moment, and must not come after it now."""


def _overtaken(commands: list[Command]) -> Iterator[int]:
    """Places of commands that a later one has made wrong: a timer may close what the event behind it opens."""
    ended: dict[tuple[int, type[Command]], bool] = {}
    for place in range(len(commands) - 1, -1, -1):
        command = commands[place]
        evse_id: int = getattr(command, "evse_id", 0)
        if (evse_id, type(command)) in ended:
            yield place
        ended |= {(evse_id, kind): True for kind in _OVERTAKEN.get(type(command), ())}


def _ordered(commands: list[Command]) -> tuple[Command, ...]:
    """Safe ones first; all Persist as one, before what may depend on it."""
    if len(commands) < 2:
        return tuple(commands)
    overtaken = set(_overtaken(commands))
    commands = [command for place, command in enumerate(commands) if place not in overtaken]
    safe = [c for c in commands if c.lane is Lane.SAFE]
    persists = [c for c in commands if isinstance(c, Persist)]
    rest = [c for c in commands if c.lane is not Lane.SAFE and not isinstance(c, Persist)]
    writes = tuple(w for p in persists for w in p.writes)
    refs = tuple(r for p in persists for r in p.refs)
    return (*safe, *((Persist(writes, refs),) if persists else ()), *rest)


__all__ = ["RoutingLoop", "Station"]
