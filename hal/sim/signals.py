"""What passes between an EVSE and what is plugged into it: pilot and voltage one way, resistance and current the other."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

PhaseValues = tuple[float, float, float]
"""L1, L2, L3."""
NOTHING: PhaseValues = (0.0, 0.0, 0.0)


class PilotOutput(enum.Enum):
    """What the EVSE puts on the pilot."""

    X1 = "X1"
    PWM = "PWM"
    F = "F"
    OFF = "OFF"
    """No supply at the pilot: 0 V (state E)."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The EVSE's end of the cable."""

    pilot: PilotOutput
    duty_percent: float
    """Means something with PWM only."""
    voltage_V: PhaseValues
    """Behind the contactor, against N; 0 where it is open."""
    outlet_V: float = 0.0
    """DC: on the cable behind the contactor, whoever put it there."""
    outlet_A: float = 0.0
    """DC: flows now; negative from the vehicle. It runs linearly from one moment to the next, but for a contactor that breaks it."""


NO_OFFER = Offered(PilotOutput.OFF, 0.0, NOTHING)
"""What an EV sees with nothing plugged in."""


@dataclass(frozen=True, slots=True)
class PilotLoad:
    """What hangs between pilot and PE at the EV's end."""

    resistance_ohm: float | None
    """None: open."""
    diode: bool = True
    """False: bridged, so that the negative half is loaded, too."""


OPEN_PILOT = PilotLoad(None)


class Load(Protocol):
    """A vehicle on a cable. Between two moments of `advance` its currents run linearly, and the next moment is not after `deadline`."""

    def advance(self, now_s: float, offered: Offered) -> None:
        """Time has come to `now_s`, and from now on this is offered."""

    def deadline(self) -> float | None:
        """When something changes by itself."""

    def currents_A(self, at_s: float) -> PhaseValues:
        """What it draws at this moment, not before the last `advance`."""

    @property
    def pilot_load(self) -> PilotLoad:
        """What it shows on the pilot since the last `advance`."""

    @property
    def leakage_dc_mA(self) -> float:
        """Smooth residual direct current that it causes while supplied."""

    def save(self, now_s: float) -> dict[str, Any]:
        """All of it as JSON values, times relative to `now_s`."""


@runtime_checkable
class DcLoad(Load, Protocol):
    """A vehicle that can be charged with direct current: a battery behind contactors. What flows, `Offered` says; `currents_A` is not asked."""

    def battery_V(self, now_s: float) -> float | None:
        """What its closed contactors put on the cable; None: open. Constant up to the next moment of `advance`."""
