"""The temperature of the relay's terminals: heated by the square of the current, cooled by the surroundings; first order."""

from __future__ import annotations

import math
from dataclasses import dataclass

TIME_CONSTANT_S = 600.0
"""A small wallbox [K]."""
RISE_AT_32_A_K = 35.0
"""Above the surroundings, with 32 A on each phase for long; a larger contactor has it at its own rating [K]."""


@dataclass(slots=True)
class Thermal:
    """Pure."""

    ambient_C: float = 20.0
    celsius: float = 20.0
    forced_C: float | None = None
    """A sensor (or a defect) that says this whatever flows."""
    rated_A: float = 32.0

    def advance(self, passed_s: float, mean_square_A2: float) -> None:
        """So long with this mean of the squared current of the hottest phase."""
        target_C = self.ambient_C + RISE_AT_32_A_K * mean_square_A2 / self.rated_A**2
        self.celsius = target_C + (self.celsius - target_C) * math.exp(-passed_s / TIME_CONSTANT_S)

    @property
    def reading_C(self) -> float:
        """What the sensor says."""
        return self.celsius if self.forced_C is None else self.forced_C
