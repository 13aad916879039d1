"""Numbers of IEC 61851-1 that drivers, the simulated board and the simulated EV share."""

from __future__ import annotations

SOURCE_V = 12.0
"""The pilot's source; its negative half is -12 V (IEC 61851-1 Table A.2)."""
SOURCE_OHM = 1000.0
"""Resistance of the pilot's source (Table A.2)."""
DIODE_V = 0.7
"""Forward voltage of the EV's diode; with it the resistors below give 9, 6 and 3 V (Table A.3)."""
EV_B_OHM = 2740.0
"""What an EV shows in state B: R2 alone (Table A.3)."""
EV_C_OHM = 2740.0 * 1300.0 / (2740.0 + 1300.0)
"""State C: R2 with 1.3 kohm beside it, by S2."""
EV_D_OHM = 2740.0 * 270.0 / (2740.0 + 270.0)
"""State D: R2 with 270 ohm beside it: the EV wants ventilation."""

PLUG_OHM: dict[int, float] = {13: 1500.0, 20: 680.0, 32: 220.0, 63: 100.0}
"""Rating of a cable in A -> resistor in its plug (Table B.2)."""

LEAST_DUTY, MOST_DUTY = 8.0, 97.0
"""Between these the duty says a current; 3 to 7 % is digital communication (Table A.8)."""


def current_of(duty_percent: float) -> float:
    """The current that a duty allows an EV (Table A.8); 0 where it allows none by itself.

    >>> [current_of(d) for d in (5, 8, 10, 26.7, 53.3, 90, 96.5, 98)]
    [0.0, 6.0, 6.0, 16.02, 31.98, 65.0, 80.0, 0.0]
    """
    if not LEAST_DUTY <= duty_percent <= MOST_DUTY:
        return 0.0
    if duty_percent < 10.0:
        return 6.0
    if duty_percent <= 85.0:
        return round(duty_percent * 0.6, 6)
    if duty_percent <= 96.0:
        return round((duty_percent - 64.0) * 2.5, 6)
    return 80.0
