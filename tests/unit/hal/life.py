"""A simulated world, its time, and what it said."""

from __future__ import annotations

import json
from typing import Any

from bench.ev import Ev, ev
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.signals import PilotOutput
from hal.sim.world import SimWorld
from hal.types import BoardInput, EvseInfo


class Life:
    """A world, its time, and what it said."""

    def __init__(self, *evses: EvseInfo, **options: Any) -> None:
        self.world = SimWorld([SimEvseOptions(info, **options) for info in evses or (EvseInfo(),)])
        self.evse = next(iter(self.world.evses.values()))
        self.now_s = 0.0
        self.said: list[tuple[float, BoardInput]] = []
        self._hear(self.world.say_everything(0.0))

    def _hear(self, said: list[BoardInput]) -> None:
        self.said += [(self.now_s, each) for each in said]

    def settle(self) -> None:
        self._hear(self.world.advance(self.now_s))
        for evse in self.world.evses.values():
            self._hear(evse.settle())

    def run(self, seconds: float) -> None:
        """From one interesting moment to the next, as a runtime does."""
        until_s = self.now_s + seconds
        while (due := self.world.deadline()) is not None and due <= until_s:
            self.now_s = max(due, self.now_s)
            self._hear(self.world.advance(self.now_s))
        self.now_s = until_s
        self._hear(self.world.advance(self.now_s))

    def charge(self, car: Any = None, duty_percent: float = 26.7) -> None:
        """A car on the cable draws."""
        self.evse.plug(car or ev())
        self.evse.set_pilot(PilotOutput.PWM, duty_percent)
        self.settle()
        self.run(3.0)
        self.evse.contactor.permit(1e9)
        self.evse.contactor.close(self.evse.options.info.phases)
        self.settle()
        self.run(10.0)

    def mark(self) -> int:
        return len(self.said)

    def since(self, mark: int, kind: type[BoardInput]) -> list[tuple[float, Any]]:
        return [(at_s, each) for at_s, each in self.said[mark:] if isinstance(each, kind)]

    def cut(self, at_s: float = 0.0) -> Life:
        """The power goes and comes back: another life of the same world, on a clock that begins anew."""
        again = Life.__new__(Life)
        again.world = SimWorld([evse.options for evse in self.world.evses.values()], at_s)
        again.world.restore(json.loads(json.dumps(self.world.save())), Ev.restored, at_s)
        again.evse = next(iter(again.world.evses.values()))
        again.now_s, again.said = at_s, []
        again._hear(again.world.say_everything(at_s))
        return again


def state(evse: SimEvse) -> object:
    """What is broken, and how it stands."""
    c = evse.contactor
    reading_C = evse.thermal.reading_C < 60.0
    return (c.welded, c.stuck_open, c.mirror_stuck, c.poles, c.mirror, evse.rcd.tripped, evse.rcd.broken, evse.lock.stuck,
            evse.pilot_shorted, evse.diode_bridged, evse.meter_silent, evse.proximity_ohm, evse.reported, reading_C)  # fmt: skip
