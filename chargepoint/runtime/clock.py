"""Where Ticks come from. `mono` is the event loop's own time, so that deadlines and timers are of one clock."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from chargepoint.tick import Tick


class Clock(Protocol):
    """Both clocks of the board."""

    def now(self) -> Tick:
        """This moment."""


class SystemClock:
    """CLOCK_MONOTONIC, by the loop, and the system's time of day."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def now(self) -> Tick:
        return Tick(self._loop.time(), time.time())


class VirtualClock:
    """For a loop on virtual time. `utc` begins at `utc_s`; `step` is somebody who sets the clock."""

    def __init__(self, utc_s: float = 1_767_225_600.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._offset_s = utc_s - self._loop.time()

    def now(self) -> Tick:
        mono = self._loop.time()
        return Tick(mono, mono + self._offset_s)

    def step(self, seconds: float) -> None:
        """The time of day jumps."""
        self._offset_s += seconds
