"""The lock of a socket: a motor, its travel and its sensor."""

from __future__ import annotations

from dataclasses import dataclass

TRAVEL_S = 0.6
"""Time that the motor is driven (Tarragon's default)."""


@dataclass(slots=True)
class PlugLock:
    """Pure. It keeps its place without power."""

    locked: bool = False
    wanted: bool = False
    moving_until: float | None = None
    stuck: bool = False

    def drive(self, now_s: float, locked: bool) -> None:
        """Start the motor."""
        self.wanted = locked
        self.moving_until = now_s + TRAVEL_S

    def deadline(self) -> float | None:
        """End of travel."""
        return self.moving_until

    def advance(self, now_s: float) -> None:
        """It arrives, or it does not."""
        if self.moving_until is not None and now_s >= self.moving_until:
            self.moving_until = None
            if not self.stuck:
                self.locked = self.wanted

    @property
    def failed(self) -> bool:
        """The motor has stopped and the bolt is not where it was sent."""
        return self.moving_until is None and self.locked is not self.wanted
