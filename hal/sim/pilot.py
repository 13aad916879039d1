"""The control pilot as a circuit: 12 V behind 1 kohm, the EV's diode and resistors, and what may be wrong with them."""

from __future__ import annotations

from hal.iec61851 import DIODE_V, SOURCE_OHM, SOURCE_V
from hal.sim.signals import OPEN_PILOT, Offered, PilotLoad, PilotOutput


def plateaus_V(output: PilotOutput, load: PilotLoad, *, shorted: bool = False, diode_bridged: bool = False) -> tuple[float, float | None]:
    """Voltages of the positive and the negative half at the EVSE; the second is None without PWM.

    >>> plateaus_V(PilotOutput.PWM, PilotLoad(2740.0)), plateaus_V(PilotOutput.X1, PilotLoad(882.0))
    ((8.98, -12.0), (6.0, None))
    """
    if shorted or output is PilotOutput.OFF:
        return 0.0, (0.0 if output is PilotOutput.PWM else None)
    if diode_bridged and load.diode:
        load = PilotLoad(load.resistance_ohm, diode=False)
    if output is PilotOutput.F:
        return _negative_V(load), None
    return _positive_V(load), (_negative_V(load) if output is PilotOutput.PWM else None)


def _positive_V(load: PilotLoad) -> float:
    if load.resistance_ohm is None:
        return SOURCE_V
    drop_V = DIODE_V if load.diode else 0.0
    share = load.resistance_ohm / (load.resistance_ohm + SOURCE_OHM)
    return round(drop_V + (SOURCE_V - drop_V) * share, 2)


def _negative_V(load: PilotLoad) -> float:
    """The diode blocks; without it the resistor loads this half as well."""
    if load.resistance_ohm is None or load.diode:
        return -SOURCE_V
    return round(-SOURCE_V * load.resistance_ohm / (load.resistance_ohm + SOURCE_OHM), 2)


LETTERS = ((10.5, "A"), (7.5, "B"), (4.5, "C"), (1.5, "D"), (-1.5, "E"))


def letter(offered: Offered, load: PilotLoad | None, *, shorted: bool = False) -> str:
    """The state that a person with an oscilloscope would read: A to F."""
    high_V, _ = plateaus_V(offered.pilot, load or OPEN_PILOT, shorted=shorted)
    return next((name for above_V, name in LETTERS if high_V > above_V), "F")
