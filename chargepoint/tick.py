"""The time that an event carries."""

from __future__ import annotations

from iso15118.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    """When something happened, on two clocks, so that a step of the wall clock is a visible fact.

    `mono` is seconds on a clock that never steps (its zero means nothing); every timeout counts on it.
    `utc` is POSIX seconds as the board's clock had it; only what is shown or reported uses it.
    """

    mono: float
    utc: float
