"""What grid rules ask of a vehicle that feeds back, and what its inverter is: in words of no dialect, as OCPP's DER control has them, too.

`GridCode` is what charger and grid operator set. `Inverter` is what the vehicle declares before energy flows, `InverterState` what it shows while it does.
Active power to the vehicle is positive. Reactive power: absorbed out of the grid, or injected into it. Times in s, voltages in V, frequencies in Hz.
"""

from __future__ import annotations

import enum

from iso15118.frozen import dataclass


class Unit(enum.Enum):
    """Of an axis, or of a setpoint; percentages by the names of OCPP."""

    V = "V"
    HZ = "Hz"
    W = "W"
    S = "s"
    VAR = "var"
    MOST_W = "PctMaxW"
    MOST_VAR = "PctMaxVar"
    MOST_VA = "PctMaxVA"
    AVAILABLE_W = "PctWAvail"
    AVAILABLE_VAR = "PctVarAvail"
    EFFECTIVE_V = "PctEffectiveV"
    NONE = "Not_Applicable"
    """A power factor has none."""


class GridFunction(enum.IntEnum):
    """One thing that grid rules may ask for: its bit in DERControlFunctions of a parameter set [K]."""

    OVER_FREQUENCY_WATT = 0
    UNDER_FREQUENCY_WATT = 1
    VOLT_WATT = 2
    VOLT_VAR = 3
    WATT_VAR = 4
    WATT_COS_PHI = 5
    VAR_SETPOINT = 6
    COS_PHI_SETPOINT = 7
    DC_INJECTION = 8
    ZERO_CURRENT = 9
    OVER_VOLTAGE_RIDE_THROUGH = 10
    UNDER_VOLTAGE_RIDE_THROUGH = 11


@dataclass(frozen=True, slots=True)
class Curve:
    """Points by rising x. Of a power factor: below zero it is under-excited, which absorbs reactive power."""

    points: tuple[tuple[float, float], ...]
    x: Unit
    y: Unit
    priority: int | None = None
    response_s: float = 0.0
    first_order: bool = False
    """The response is that of a first-order lag."""
    delay_s: float | None = None
    least_cos_phi: float | None = None
    lock_in: float | None = None
    """The function begins here, in `lock_unit`."""
    lock_out: float | None = None
    lock_unit: Unit | None = None
    reference_V: float | None = None
    reference_follows_s: float | None = None
    """The reference follows the grid's voltage with this time constant."""


@dataclass(frozen=True, slots=True)
class Droop:
    """Active power over frequency, beyond the dead band around the nominal frequency. `droop`: change of frequency, per unit, for all of the power."""

    dead_band_Hz: float
    droop: float
    stop_Hz: float | None = None
    of_present_power: bool = False
    """Relative to the power at the moment when it began; else to the most power."""
    hysteresis: bool = False
    response_s: float = 0.0
    first_order: bool = False
    delay_s: float | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class PowerFactor:
    """One that is held."""

    cos_phi: float
    under_excited: bool = False
    response_s: float = 0.0
    first_order: bool = False
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Setpoint:
    """A power that is held: active or reactive."""

    value: float
    unit: Unit
    response_s: float = 0.0
    first_order: bool = False
    priority: int | None = None


class TripKind(enum.Enum):
    """By the names of OCPP: high or low, voltage or frequency; must trip, may trip, or momentary cessation."""

    HV_MUST = "HVMustTrip"
    LV_MUST = "LVMustTrip"
    HV_CEASE = "HVMomCess"
    LV_CEASE = "LVMomCess"
    HV_MAY = "HVMayTrip"
    LV_MAY = "LVMayTrip"
    HF_MUST = "HFMustTrip"
    LF_MUST = "LFMustTrip"
    HF_MAY = "HFMayTrip"
    LF_MAY = "LFMayTrip"


@dataclass(frozen=True, slots=True)
class Trip:
    """How long which voltage or frequency is borne."""

    kind: TripKind
    curve: Curve


@dataclass(frozen=True, slots=True)
class EnterService:
    """When the inverter may begin."""

    permitted: bool = True
    high_V: float = 253.0
    low_V: float = 195.5
    high_Hz: float = 50.2
    low_Hz: float = 49.5
    delay_s: float | None = None
    random_delay_s: float | None = None
    ramp_s: float | None = None


@dataclass(frozen=True, slots=True)
class RideThrough:
    """A fault of the voltage is ridden through, with reactive current that rises by K per change of voltage."""

    start_V: float
    stop_V: float | None = None
    recovery_V: float | None = None
    positive_k: float | None = None
    negative_k: float | None = None
    response_s: float = 0.0
    first_order: bool = False


@dataclass(frozen=True, slots=True)
class ZeroCurrent:
    """Beyond these voltages the inverter stays connected without current."""

    over_V: float | None = None
    under_V: float | None = None
    over_recovery_V: float | None = None
    under_recovery_V: float | None = None
    response_s: float = 0.0
    first_order: bool = False


@dataclass(frozen=True, slots=True)
class GridCode:
    """All of it. None: that function is not asked for."""

    nominal_V: float = 230.0
    nominal_Hz: float = 50.0
    most_V: float = 253.0
    least_V: float = 195.5
    most_Hz: float | None = None
    least_Hz: float | None = None
    forming: bool = False
    """The vehicle makes the grid; else it follows it."""
    islanded: bool = False
    """There is no grid behind the charger."""
    most_var: float = 0.0
    """Of the charger, in every direction."""
    enter: EnterService = EnterService()
    over_frequency: Droop | None = None
    under_frequency: Droop | None = None
    volt_watt: Curve | None = None
    volt_var: Curve | None = None
    watt_var: Curve | None = None
    watt_cos_phi: Curve | None = None
    power_factor: PowerFactor | None = None
    fixed_var: Setpoint | None = None
    fixed_W: Setpoint | None = None
    most_discharge_percent: float | None = None
    """Of what the vehicle can give."""
    discharge_response_s: float | None = None
    trips: tuple[Trip, ...] = ()
    over_voltage: RideThrough | None = None
    under_voltage: RideThrough | None = None
    zero_current: ZeroCurrent | None = None
    dc_injection: float | None = None
    """DC that may be fed into the grid, as the grid rules count it."""


def functions(code: GridCode) -> int:
    """What is asked for, as bits.

    >>> functions(GridCode(volt_var=Curve(((207.0, 30.0), (253.0, -30.0)), Unit.V, Unit.MOST_VAR), dc_injection=0.5))
    264
    """
    there = {
        GridFunction.OVER_FREQUENCY_WATT: code.over_frequency,
        GridFunction.UNDER_FREQUENCY_WATT: code.under_frequency,
        GridFunction.VOLT_WATT: code.volt_watt,
        GridFunction.VOLT_VAR: code.volt_var,
        GridFunction.WATT_VAR: code.watt_var,
        GridFunction.WATT_COS_PHI: code.watt_cos_phi,
        GridFunction.VAR_SETPOINT: code.fixed_var,
        GridFunction.COS_PHI_SETPOINT: code.power_factor,
        GridFunction.DC_INJECTION: code.dc_injection,
        GridFunction.ZERO_CURRENT: code.zero_current,
        GridFunction.OVER_VOLTAGE_RIDE_THROUGH: code.over_voltage,
        GridFunction.UNDER_VOLTAGE_RIDE_THROUGH: code.under_voltage,
    }
    return sum(1 << bit for bit, value in there.items() if value is not None)


# ---- the vehicle


@dataclass(frozen=True, slots=True)
class Quadrants:
    """A limit for each direction of active and of reactive power."""

    charge_absorb: float = 0.0
    charge_inject: float = 0.0
    discharge_absorb: float = 0.0
    discharge_inject: float = 0.0


@dataclass(frozen=True, slots=True)
class Nameplate:
    """Who made the inverter."""

    maker: str = ""
    model: str = ""
    serial: str = ""
    software: str = ""
    hardware: str | None = None


@dataclass(frozen=True, slots=True)
class Inverter:
    """What the vehicle declares of its inverter. None: it does not say."""

    var: Quadrants | None = None
    apparent_VA: Quadrants | None = None
    available_Wh: float | None = None
    """What it can give in this session, all in all."""
    usable_Wh: float | None = None
    over_excited: tuple[float, float] | None = None
    """Power factor, and the power in W at which it is kept."""
    under_excited: tuple[float, float] | None = None
    susceptance_S: float | None = None
    nameplate: Nameplate | None = None
    normal_category: str = ""
    """IEEE 1547: A or B."""
    abnormal_category: str = ""
    """IEEE 1547: I, II or III."""
    nominal_V: float | None = None
    most_V: float | None = None
    least_V: float | None = None
    certified_utc: int | None = None
    """By SAE J3072, since then."""
    supported: int = 0
    """Modes, as bits."""
    enabled: int = 0


@dataclass(frozen=True, slots=True)
class InverterState:
    """What it shows while energy flows. None: it does not say."""

    present_V: float | None = None
    present_Hz: float | None = None
    running: bool | None = None
    connected: bool | None = None
    alarms: int = 0
    """Bits."""
    enabled: int = 0
    """Modes, as bits."""
    event: int = 0
    """GridEventCondition: what it sees of the grid."""
    available_Wh: float | None = None
    most_charge_var: float | None = None
    most_discharge_var: float | None = None
