"""A box of resistors in the place of a vehicle: it shows what it is switched to, and draws what it is told to. For drivers' tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from hal.iec61851 import EV_B_OHM, EV_C_OHM, EV_D_OHM
from hal.sim.signals import NO_OFFER, NOTHING, Offered, PhaseValues, PilotLoad

BoxState = Literal["A", "B", "C", "D"]
RESISTORS_OHM: dict[BoxState, float | None] = {"A": None, "B": EV_B_OHM, "C": EV_C_OHM, "D": EV_D_OHM}


@dataclass(slots=True)
class ResistorBox:
    """Implements `hal.sim.signals.DcLoad`. In A its cable is plugged in and its pilot wire open."""

    state: BoxState = "B"
    draws_A: PhaseValues = NOTHING
    """On the phases that have voltage, whatever the pilot says."""
    diode: bool = True
    leakage_dc_mA: float = 0.0
    volts: float | None = None
    """What is put on the cable of a DC EVSE; None: nothing."""
    offered: Offered = field(default=NO_OFFER)

    def advance(self, now_s: float, offered: Offered) -> None:
        self.offered = offered

    def deadline(self) -> float | None:
        return None

    def currents_A(self, at_s: float) -> PhaseValues:
        first, second, third = (amps if volts else 0.0 for amps, volts in zip(self.draws_A, self.offered.voltage_V, strict=True))
        return first, second, third

    def battery_V(self, now_s: float) -> float | None:
        return self.volts

    @property
    def pilot_load(self) -> PilotLoad:
        return PilotLoad(RESISTORS_OHM[self.state], self.diode)

    def save(self, now_s: float) -> dict[str, Any]:
        return {
            "box": self.state,
            "draws_A": list(self.draws_A),
            "diode": self.diode,
            "leakage_dc_mA": self.leakage_dc_mA,
            "volts": self.volts,
        }

    @staticmethod
    def restored(saved: dict[str, Any], now_s: float) -> ResistorBox:
        """Of what `save` gave. Raises KeyError, TypeError, ValueError for another shape."""
        first, second, third = (float(amps) for amps in saved["draws_A"])
        volts = saved.get("volts")
        battery_V = None if volts is None else float(volts)
        box = ResistorBox(saved["box"], (first, second, third), bool(saved["diode"]), float(saved["leakage_dc_mA"]), battery_V)
        if box.state not in RESISTORS_OHM:
            raise ValueError(f"no position {box.state!r}")
        return box
