"""How much current an EVSE offers: the least of all bounds, with the name of the one that won.

Bounds only ever lower: no source raises the offer above what hardware and cable carry (S-20).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from chargepoint.pilot import MAX_CURRENT_A, MIN_CURRENT_A
from iso15118.frozen import dataclass

HARDWARE, CABLE, THERMAL, CSMS, LOCAL, STOPPED = "hardware", "cable", "thermal", "csms", "local", "stopped"
"""Sources of bounds that this station knows; `LimitSet` may bring others."""

SAFETY_SOURCES = frozenset({HARDWARE, CABLE, THERMAL, LOCAL})
"""A reduction by one of these goes to the EV at once; others keep to the 5 s between two changes of the PWM. `local` is the
supply of the house (a fuse, a load manager): what it takes away is overloaded now."""

PAUSE = 0.0
"""Less than the least current (6 A by IEC 61851-1) cannot be offered: no PWM."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The current offered on each phase, or PAUSE, and the bound that says so."""

    current_A: float
    reason: str

    @property
    def paused(self) -> bool:
        """Nothing is offered."""
        return self.current_A == PAUSE


def offer(bounds: Mapping[str, float], min_current_A: float = MIN_CURRENT_A) -> Offer:
    """The least of the bounds (A by source; "hardware" has to be among them). A bound that is no number counts as 0 A.

    >>> offer({"hardware": 32, "cable": 20, "csms": 40})
    Offer(current_A=20.0, reason='cable')
    >>> offer({"hardware": 32, "csms": 5.9})
    Offer(current_A=0.0, reason='csms')
    """
    found = least(bounds)
    if found.current_A < max(min_current_A, MIN_CURRENT_A):
        return Offer(PAUSE, found.reason)
    return Offer(min(found.current_A, MAX_CURRENT_A), found.reason)


def least(bounds: Mapping[str, float]) -> Offer:
    """The least of the bounds as it is, not below 0: for a vehicle that is told it in its session. Raises ValueError without one of the hardware."""
    if HARDWARE not in bounds:
        raise ValueError("no bound of the hardware: nothing can be offered without one")
    reason, least_A = min(((name, _number(bound_A)) for name, bound_A in bounds.items()), key=lambda item: item[1])
    return Offer(max(0.0, least_A), reason)


def _number(bound_A: float) -> float:
    return float(bound_A) if math.isfinite(bound_A) else 0.0


# ---- the cable. IEC 61851-1 Table B.2; the nominal values are public (1500, 680, 220, 100 ohm), the bands [K].


@dataclass(frozen=True, slots=True)
class Coding:
    """What a resistor in a plug means; bounds in ohm, included. 63 A on three phases, 70 A on one."""

    min_ohm: float
    max_ohm: float
    three_phase_A: float
    one_phase_A: float


CODINGS = (
    Coding(1100, 2460, 13, 13),
    Coding(400, 936, 20, 20),
    Coding(164, 308, 32, 32),
    Coding(80, 140, 63, 70),
)
NO_PLUG_OHM = 4500.0
"""Above this there is no plug in the socket [K]."""


def cable_A(ohm: float | None, phases: int) -> float | None:
    """What the cable carries by its coding; None when there is no plug, or when the coding is out of range (a fault).

    >>> cable_A(1500, 3), cable_A(220, 1), cable_A(100, 1), cable_A(100, 3), cable_A(350, 3), cable_A(None, 3)
    (13, 32, 70, 63, None, None)
    """
    if ohm is None:
        return None
    for coding in CODINGS:
        if coding.min_ohm <= ohm <= coding.max_ohm:
            return coding.three_phase_A if phases == 3 else coding.one_phase_A
    return None


def plug_absent(ohm: float | None) -> bool:
    """No plug in the socket: no reading of the coding, or one above 4.5 kohm. A reading that is no number is not absent, but wrong."""
    return ohm is None or ohm > NO_PLUG_OHM


# ---- temperature


def derated_A(temperature_C: float, from_C: float, stop_C: float, max_current_A: float) -> float | None:
    """Linear from the full current at `from_C` down to the least at `stop_C`, in whole amperes; None when cool, PAUSE from `stop_C` on.

    >>> derated_A(50, 60, 80, 32), derated_A(60, 60, 80, 32), derated_A(70, 60, 80, 32), derated_A(80, 60, 80, 32)
    (None, 32.0, 19.0, 0.0)
    """
    if not math.isfinite(temperature_C) or temperature_C >= stop_C:
        return PAUSE
    if temperature_C < from_C:
        return None
    share = (temperature_C - from_C) / (stop_C - from_C)
    return float(math.floor(max_current_A - share * (max_current_A - MIN_CURRENT_A)))
