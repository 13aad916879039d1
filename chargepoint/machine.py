"""The shape of everything that decides: a pure machine with one entry and one deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chargepoint.tick import Tick


class Machine(Protocol):
    """Pure: no I/O, no clock, no randomness, no logging.

    What it remembers stands in `state`, a slotted dataclass that `chargepoint.codec` can write, so that a journal segment
    can begin with it and a replay can go on from it. Everything else on the object is wiring that does not change.
    """

    @property
    def handlers(self) -> Mapping[type, Any]:
        """The events that it takes (keys); others are not given to it."""

    @property
    def state(self) -> Any:
        """All that this machine remembers."""

    @state.setter
    def state(self, value: Any) -> None: ...

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """Take one event; give what follows: commands for the world, events for other machines, in order."""

    def deadline(self) -> float | None:
        """When (`Tick.mono`) this machine wants `TimerExpired`, or None. A deadline in the past means: at once."""
