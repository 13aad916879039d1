"""An energy meter: it integrates the power that really flows, exactly for currents that run linearly."""

from __future__ import annotations

from dataclasses import dataclass

from hal.sim.signals import PhaseValues

FREQUENCY_Hz = 50.0


@dataclass(slots=True)
class Register:
    """Pure. Energy in watt-seconds, so that a long sum of short steps loses nothing that shows."""

    import_Ws: float = 0.0
    export_Ws: float = 0.0

    def add(self, seconds: float, voltage_V: PhaseValues, from_A: PhaseValues, to_A: PhaseValues) -> None:
        """So long, with currents that run straight from the first to the second; a negative current feeds back."""
        energy_Ws = sum(u * (a + b) / 2.0 for u, a, b in zip(voltage_V, from_A, to_A, strict=True)) * seconds
        if energy_Ws >= 0.0:
            self.import_Ws += energy_Ws
        else:
            self.export_Ws -= energy_Ws

    @property
    def import_Wh(self) -> float:
        """The import register, in steps of 1 mWh as its display has them."""
        return round(self.import_Ws / 3600.0, 3)

    @property
    def export_Wh(self) -> float:
        """The export register."""
        return round(self.export_Ws / 3600.0, 3)
