"""What a vehicle and a charger say to one another that come together without a cable (ISO 15118-20): over a coil in the ground (WPT), or under an arm that
comes down to the roof (ACDP). The vehicle finds its place; both make sure that they talk to the one that they stand at; then they connect.
"""

from __future__ import annotations

import enum

from iso15118.frozen import dataclass
from iso15118.told import Progress, Told


class Arm(enum.Enum):
    """Where the arm of an ACDP is."""

    HOME = "home"
    MOVING = "moving"
    THERE = "there"


@dataclass(slots=True)
class Approach:
    """What the charger knows of it; part of `Facts`, and changed by the same host."""

    positioning: Progress = Progress.NOT_ASKED
    """DONE: the vehicle stands where it can be charged."""
    deviation_mm: tuple[int, int] = (0, 0)
    """How far the vehicle is off its place."""
    window_mm: tuple[int, int] = (100, 100)
    """ACDP: within this contact can be made."""
    helps: bool = True
    """ACDP: the charger can help to find the place."""
    pairing: Progress = Progress.NOT_ASKED
    """DONE: it is this vehicle that stands there."""
    pairing_code: int | None = None
    """What the charger has observed."""
    alignment: Progress = Progress.NOT_ASKED
    """WPT: the coils stand well to one another."""
    arm: Arm = Arm.HOME
    connected: bool = False
    """The contacts of the arm are closed."""
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class WptLimits:
    """Of the coil in the ground. Clearances in mm."""

    max_power_W: float = 11_000.0
    min_power_W: float = 0.0
    power_class: int = 3
    """MF-WPT1 to MF-WPT4."""
    max_clearance_mm: int = 250
    min_clearance_mm: int = 100
    max_coil_A: float = 75.0
    min_coil_A: float = 5.0
    natural_offset_mm: int = 0


# ---- told by the charger's session


@dataclass(frozen=True, slots=True)
class PositioningWanted(Told):
    """The vehicle looks for its place: the host sets `Approach.positioning`."""

    mobile: bool = True
    """It can still move by itself."""


@dataclass(frozen=True, slots=True)
class PairingWanted(Told):
    """The vehicle has observed this code: the host sets `Approach.pairing`."""

    code: int | None = None


@dataclass(frozen=True, slots=True)
class AlignmentWanted(Told):
    """The coils are to be tried with a small power: the host sets `Approach.alignment`."""

    coil_A: float | None = None


@dataclass(frozen=True, slots=True)
class WptDeclared(Told):
    """What the vehicle can take over a coil, and at which clearances."""

    max_power_W: float
    max_clearance_mm: int
    min_clearance_mm: int
    natural_Hz: float
    local_control: bool = False


@dataclass(frozen=True, slots=True)
class WptDemand(Told):
    """In the loop: what the vehicle wants, and what comes out of its coil."""

    power_W: float
    output_W: float
    diagnosis: str = ""
    """What is wrong on its side; "" for nothing."""


@dataclass(frozen=True, slots=True)
class ArmWanted(Told):
    """The arm is to come down, or to go home: the host moves it, and says where it is."""

    down: bool


@dataclass(frozen=True, slots=True)
class VehicleStatus(Told):
    """ACDP, on the stream beside the main one: what the vehicle says of itself."""

    ready: bool
    immobilize: bool
    immobilized: bool | None = None
    pilot: str = ""
    soc: int | None = None
    error: str = ""
    """"" for none."""


# ---- told by the vehicle's session


@dataclass(frozen=True, slots=True)
class Placed(Told):
    """The charger says where we stand: off our place by so much, and whether that is near enough."""

    deviation_mm: tuple[int, int]
    there: bool


@dataclass(frozen=True, slots=True)
class Paired(Told):
    """The charger is the one that we stand at. `code`: what it has observed."""

    code: int | None = None


@dataclass(frozen=True, slots=True)
class Aligned(Told):
    """The coils stand well."""

    transmitted_W: float | None = None


@dataclass(frozen=True, slots=True)
class ArmMoved(Told):
    """Where the arm is, and whether its contacts are closed."""

    arm: Arm
    connected: bool


@dataclass(frozen=True, slots=True)
class WptLimitsTold(Told):
    """Of the charger, before energy flows, or in the loop."""

    max_power_W: float
    min_power_W: float
    requested_W: float | None = None
    """In the loop: the power that it has understood."""
    diagnosis: str = ""


@dataclass(frozen=True, slots=True)
class ChargerStatus(Told):
    """ACDP, on the stream beside the main one: what the charger says of itself."""

    ready: bool
    isolation: str
    in_place: bool
    disabled: bool = False
    emergency: bool = False
    malfunction: bool = False
