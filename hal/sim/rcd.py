"""Residual-current device: type A with 6 mA DC detection (IEC 62955), as trip curves over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

DC_CURVE = ((6.0, 10.0), (60.0, 0.3), (200.0, 0.1))
"""IEC 62955: residual direct current in mA -> it has tripped by then, in s."""
AC_CURVE = ((30.0, 0.3), (60.0, 0.15), (150.0, 0.04))
"""IEC 61008-1 [K]: the same for 30 mA alternating current."""
TRIP_SHARE = 0.7
"""A healthy device trips after this share of the longest time allowed [K]."""
ROUNDING = 1e-6
"""Shares of a trip time are sums of rounded numbers."""

Kind = Literal["ac", "dc"]


def trip_time_s(mA: float, curve: tuple[tuple[float, float], ...]) -> float:
    """How long it takes; inf below the rating. Between the points of the curve along straight lines on logarithmic axes.

    >>> trip_time_s(5.9, DC_CURVE), round(trip_time_s(6, DC_CURVE), 3), round(trip_time_s(500, DC_CURVE), 3)
    (inf, 7.0, 0.07)
    """
    if mA < curve[0][0]:
        return math.inf
    for (low_mA, slow_s), (high_mA, fast_s) in pairwise(curve):
        if mA < high_mA:
            share = math.log(mA / low_mA) / math.log(high_mA / low_mA)
            return TRIP_SHARE * slow_s * math.pow(fast_s / slow_s, share)
    return TRIP_SHARE * curve[-1][1]


@dataclass(slots=True)
class ResidualCurrentDevice:
    """Pure. It adds up shares of the trip time, so that a rising current trips as the curve says."""

    dc_mA: float = 0.0
    ac_mA: float = 0.0
    tripped: Kind | None = None
    broken: bool = False
    """It never trips, and its self-test says so."""
    _dc_share: float = 0.0
    _ac_share: float = 0.0
    _at_s: float = 0.0

    def set(self, dc_mA: float, ac_mA: float) -> None:
        """What flows now; `advance` to now first."""
        self.dc_mA, self.ac_mA = dc_mA, ac_mA

    def trip(self, kind: Kind) -> None:
        """At once, as by its test button."""
        self.tripped = kind

    def reset(self) -> bool:
        """Arm it again; it holds only without residual current."""
        if trip_time_s(self.dc_mA, DC_CURVE) < math.inf or trip_time_s(self.ac_mA, AC_CURVE) < math.inf:
            return False
        self.tripped = None
        self._dc_share = self._ac_share = 0.0
        return True

    def deadline(self) -> float | None:
        """When it trips if nothing changes."""
        if self.tripped is not None or self.broken:
            return None
        at_s = self._at_s + min(
            (1.0 - self._dc_share) * trip_time_s(self.dc_mA, DC_CURVE), (1.0 - self._ac_share) * trip_time_s(self.ac_mA, AC_CURVE)
        )
        return at_s if at_s < math.inf else None

    def advance(self, now_s: float) -> None:
        """Time passes with the current as it was set."""
        passed_s, self._at_s = now_s - self._at_s, now_s
        if self.tripped is not None or self.broken:
            return
        dc_s, ac_s = trip_time_s(self.dc_mA, DC_CURVE), trip_time_s(self.ac_mA, AC_CURVE)
        self._dc_share = self._dc_share + passed_s / dc_s if dc_s < math.inf else 0.0
        self._ac_share = self._ac_share + passed_s / ac_s if ac_s < math.inf else 0.0
        if self._dc_share >= 1.0 - ROUNDING:
            self.tripped = "dc"
        elif self._ac_share >= 1.0 - ROUNDING:
            self.tripped = "ac"

    def save(self) -> dict[str, Any]:
        """The trip and the defect stay over a loss of power."""
        return {"tripped": self.tripped, "broken": self.broken}
