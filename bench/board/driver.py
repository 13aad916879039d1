"""Who drives the cars of a simulated board: plugs in, pauses, unplugs after a while, or has a car that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.ev import Ev, EvSpec
from hal.sim.box import BoxState, ResistorBox
from hal.sim.ports import SimBoard
from hal.sim.signals import Load

UNPLUGS_AFTER_S = 200.0
"""`plug_in` of the control port: the EV leaves by itself after this."""
DIODE_FAILS_AFTER_S = 5.0
"""`diode_fail`: so long after energy first flowed."""
LOOK_S = 0.25
ONE_PHASE = EvSpec(phases=1, max_A=32.0)
"""The EV of `plug_in`."""


class NotPossible(ValueError):
    """The driver cannot do this now; the message says why."""


@dataclass(slots=True)
class Plan:
    """What the driver of one EVSE will do by himself. Times are the loop's."""

    leaves_at: float | None = None
    diode_fails: bool = False
    fails_at: float | None = None


class Driver:
    """All drivers of one board. `tick` has to be called now and then; `save` and `restore` go over a restart of the process."""

    def __init__(self, board: SimBoard, now_s: Callable[[], float] | None = None) -> None:
        self.board = board
        self.now_s = now_s or asyncio.get_running_loop().time
        self.plans: dict[int, Plan] = {}

    def plug_in(
        self, evse_id: int, spec: EvSpec = ONE_PHASE, *, leaves_after_s: float | None = UNPLUGS_AFTER_S, diode_fails: bool = False
    ) -> None:
        """Raises NotPossible when there is a car already."""
        load = self.board.world.evses[evse_id].load
        if load is not None and not isinstance(load, ResistorBox):
            raise NotPossible(f"EVSE {evse_id}: a car is plugged in already")
        self.board.plug(evse_id, Ev(spec, self.now_s()))
        self.plans[evse_id] = Plan(None if leaves_after_s is None else self.now_s() + leaves_after_s, diode_fails)

    def plug_out(self, evse_id: int) -> None:
        """At the EV side; where no car is, nothing happens."""
        self.plans.pop(evse_id, None)
        if self.board.world.evses[evse_id].load is not None:
            self.board.unplug(evse_id)

    def pause(self, evse_id: int) -> None:
        """The EV stops drawing (state B). Raises NotPossible without a car."""
        self._needed(evse_id).pause()
        self.board.changed()

    def resume(self, evse_id: int) -> None:
        """The EV draws again (state C). Raises NotPossible without a car."""
        self._needed(evse_id).resume()
        self.board.changed()

    def box(self, evse_id: int, state: BoxState, draws_A: float = 0.0) -> None:
        """Switch a box of resistors, in the place of a car, to this state; A takes it away. Raises NotPossible where a car is."""
        if self.car(evse_id) is not None:
            raise NotPossible(f"EVSE {evse_id}: a car is plugged in already")
        load = self.board.world.evses[evse_id].load
        if state == "A":
            if load is not None:
                self.board.unplug(evse_id)
        elif isinstance(load, ResistorBox):
            load.state, load.draws_A = state, (draws_A, 0.0, 0.0)
            self.board.changed()
        else:
            self.board.plug(evse_id, ResistorBox(state, (draws_A, 0.0, 0.0)))

    def battery(self, evse_id: int, volts: float | None) -> None:
        """What the box has on the cable of a DC EVSE from now on; None: nothing. Raises NotPossible where no box is."""
        load = self.board.world.evses[evse_id].load
        if not isinstance(load, ResistorBox):
            raise NotPossible(f"EVSE {evse_id}: no box is on the cable")
        load.volts = volts
        self.board.changed()

    def car(self, evse_id: int) -> Ev | None:
        """What is plugged in."""
        load = self.board.world.evses[evse_id].load
        return load if isinstance(load, Ev) else None

    def _needed(self, evse_id: int) -> Ev:
        car = self.car(evse_id)
        if car is None:
            raise NotPossible(f"EVSE {evse_id}: no car is plugged in")
        return car

    def tick(self) -> None:
        """Do what is due."""
        now_s = self.now_s()
        for evse_id, plan in list(self.plans.items()):
            if plan.leaves_at is not None and now_s >= plan.leaves_at:
                self.plug_out(evse_id)
            elif plan.diode_fails and self.board.world.evses[evse_id].current_A != (0.0, 0.0, 0.0):
                plan.diode_fails, plan.fails_at = False, now_s + DIODE_FAILS_AFTER_S
            elif plan.fails_at is not None and now_s >= plan.fails_at and (car := self.car(evse_id)):
                plan.fails_at = None
                car.fail_diode()
                self.board.changed()

    # ---- over a restart

    def save(self) -> dict[str, Any]:
        """JSON values, times relative to now."""
        now_s = self.now_s()
        return {
            str(evse_id): {
                "leaves_in_s": None if plan.leaves_at is None else plan.leaves_at - now_s,
                "diode_fails": plan.diode_fails or plan.fails_at is not None,
            }
            for evse_id, plan in self.plans.items()
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on. Raises KeyError, TypeError, ValueError for another shape."""
        for key, plan in saved.items():
            left = plan["leaves_in_s"]
            if int(key) in self.board.world.evses:
                self.plans[int(key)] = Plan(None if left is None else self.now_s() + float(left), bool(plan["diode_fails"]))


def load_of(saved: dict[str, Any], now_s: float) -> Load:
    """What is on the cable, of what its `save` gave. Raises KeyError, TypeError, ValueError for another shape."""
    if "box" in saved:
        return ResistorBox.restored(saved, now_s)
    if "talks" not in saved:
        return Ev.restored(saved, now_s)
    from bench.ev.talking import TalkingEv

    return TalkingEv.restored(saved, now_s)
