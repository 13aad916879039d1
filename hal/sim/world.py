"""A whole simulated board: its EVSEs, what it says, and how it looks from outside; and the same over a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hal.sim import faults
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.signals import Load, PilotOutput
from hal.types import BoardFault, BoardInput

LoadFactory = Callable[[dict[str, Any], float], Load]
"""Makes a vehicle of what its `save` gave, at a moment."""
STATION = 0


class SavedWorldError(ValueError):
    """A saved world is not one, or is of other EVSEs."""


class SimWorld:
    """Pure; times are seconds on the caller's clock, which never goes back."""

    def __init__(self, options: Sequence[SimEvseOptions] = (SimEvseOptions(),), now_s: float = 0.0) -> None:
        self.evses: dict[int, SimEvse] = {o.info.evse_id: SimEvse(o, now_s) for o in options}
        self.reported: dict[str, str] = {}
        """Faults of the board as a whole."""
        self.silent = False
        """The board answers nothing and says nothing; its physics go on."""
        self._told: dict[str, str] = {}

    def deadline(self) -> float | None:
        """The next moment at which something happens by itself."""
        return min((at for evse in self.evses.values() if (at := evse.deadline()) is not None), default=None)

    def advance(self, now_s: float) -> list[BoardInput]:
        """Let time come to `now_s`; what is said on the way, nothing while the board is silent."""
        said = [item for evse in self.evses.values() for item in evse.advance(now_s)]
        if self._told != self.reported:
            said += [BoardFault(STATION, code, "", present=False) for code in self._told if code not in self.reported]
            said += [BoardFault(STATION, code, text, present=True) for code, text in self.reported.items() if code not in self._told]
            self._told = dict(self.reported)
        return [] if self.silent else said

    def say_everything(self, now_s: float) -> list[BoardInput]:
        """Every input once, as at a start."""
        self._told = {}
        for evse in self.evses.values():
            evse.sensors.forget(now_s)
            evse.sensors.pilot_at = now_s
        return self.advance(now_s)

    def safe(self) -> None:
        """What power-up does before anything else: no permit, no coil current, pilot at X1."""
        for evse in self.evses.values():
            evse.contactor.withdraw()
            evse.set_pilot(PilotOutput.X1)

    # ---- faults

    def inject(self, evse_id: int, name: str, value: float | None = None) -> None:
        """Break something (`hal.sim.faults`); EVSE 0 is the board: `BoardSilent`, or any word that it reports. KeyError: no such EVSE."""
        if name == "BoardSilent":
            self.silent = True
        elif evse_id == STATION:
            self.reported[name] = name
        else:
            faults.inject(self.evses[evse_id], name, value)

    def clear(self, evse_id: int, name: str = "") -> None:
        """Mend it; "" mends all of this EVSE (of the board for 0). KeyError: no such EVSE."""
        if name in ("", "BoardSilent") and self.silent:
            self.silent = False
            for evse in self.evses.values():
                evse.sensors.forget(evse.now_s)
        if evse_id == STATION:
            self.reported = {} if not name else {k: v for k, v in self.reported.items() if k != name}
        elif name != "BoardSilent":
            faults.clear(self.evses[evse_id], name)

    # ---- looking

    def view(self) -> list[dict[str, Any]]:
        """Every EVSE as the control port's `/state` shows it: what is so, not what anybody believes."""
        return [
            {
                "id": evse.id,
                "pilot": evse.state_letter,
                "duty": _duty_percent(evse),
                "contactor": "closed" if evse.contactor.poles else "open",
                "phases": evse.contactor.poles,
                "meter": {"Wh": evse.register.import_Wh, "A": _shown_A(evse), "V": _shown_V(evse)},
                "faults": [*evse.injected, *(self.reported if not self.silent else {}), *(["BoardSilent"] if self.silent else [])],
            }
            for evse in self.evses.values()
        ]

    # ---- over a loss of power

    @property
    def changes(self) -> int:
        """Counts what a restart has to know (registers apart: they go with the time)."""
        return sum(evse.changes for evse in self.evses.values())

    def save(self) -> dict[str, Any]:
        """What is still so after the power was away: cars, registers, welds; JSON values."""
        return {"evses": {str(evse.id): evse.save() for evse in self.evses.values()}, "reported": dict(self.reported)}

    def restore(self, saved: dict[str, Any], loads: LoadFactory, now_s: float) -> None:
        """Go on from `save`; EVSEs that it does not name begin new. Raises SavedWorldError."""
        try:
            for key, evse_saved in saved["evses"].items():
                evse = self.evses.get(int(key))
                if evse is not None:
                    load = loads(evse_saved["load"], now_s) if evse_saved["load"] is not None else None
                    evse.restore(evse_saved, load)
            self.reported = dict(saved["reported"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SavedWorldError(f"this is no saved world: {error!r}") from error


def _shown_A(evse: SimEvse) -> float:
    """The largest of the phases, or the direct current with its sign."""
    return max(evse.current_A) if evse.stage is None else evse.current_A[0]


def _shown_V(evse: SimEvse) -> float:
    """Of L1, or of the outlet."""
    return evse.options.voltage_V[0] if evse.stage is None else evse.stage.outlet_V


def _duty_percent(evse: SimEvse) -> float:
    """As an oscilloscope shows it: 100 is steady +12 V, 0 steady -12 V."""
    match evse.pilot.pilot:
        case PilotOutput.PWM:
            return evse.pilot.duty_percent
        case PilotOutput.X1:
            return 100.0
        case _:
            return 0.0
