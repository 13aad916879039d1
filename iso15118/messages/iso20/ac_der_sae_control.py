"""Grid functions of `ac_der_sae`, same schema (ISO 15118-20:2022/Amd 1, schema AC-DER-SAE [K]; from IEEE 1547 and SAE J3072).

Voltage in V, frequency in Hz, times in s [K]. Priority: which function goes first where two disagree.
"""

from typing import Annotated, Literal

from iso15118.messages.declare import Message, Occurs, unsignedInt, unsignedShort
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-SAE"
QUALIFIED_ATTRIBUTES = True


powerReferenceType = Literal["MaximumActivePower", "MomentaryPower"]
"""Power that a droop is relative to."""

derUnitType = Literal[
    "V",
    "Hz",
    "W",
    "s",
    "var",
    "PercentageEVMaximumConfiguredActivePower",
    "PercentageEVMaximumConfiguredReactivePower",
    "PercentageEVMaximumConfiguredApparentPower",
    "PercentageEVMaximumAvailableActivePower",
    "PercentageEVMaximumAvailableReactivePower",
    "PercentageV",
]
"""Unit of an axis or a setpoint."""

powerFactorExcitationType = Literal["OverExcited", "UnderExcited"]
"""Over-excited: reactive power into the grid; under-excited: out of it [K]."""


class DataTupleType(Message):
    """One point of a curve."""

    xValue: ct.RationalNumberType
    yValue: ct.RationalNumberType


class FrequencyDroopSettingsType(Message):
    """Droop on one side of the nominal frequency; db: dead band in Hz."""

    db: ct.RationalNumberType
    DroopFactor: ct.RationalNumberType
    DroopFactor_L2: ct.RationalNumberType | None = None
    DroopFactor_L3: ct.RationalNumberType | None = None
    PowerReference: powerReferenceType
    PowerReference_L2: powerReferenceType | None = None
    PowerReference_L3: powerReferenceType | None = None
    OpenLoopResponseTime: ct.RationalNumberType


class CurveDataPointsListType(Message):
    """Points of a curve by rising x [K]."""

    CurveDataPoint: Annotated[tuple[DataTupleType, ...], Occurs(2, 10)]


class DERCurveType(Message):
    """Trip curve: voltage or frequency over time."""

    Enable: bool
    Priority: unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None


class ConstantPowerFactorType(Message):
    """Power factor that is held."""

    Enable: bool
    Priority: unsignedShort | None = None
    PowerFactorValue: ct.RationalNumberType
    PowerFactorValue_L2: ct.RationalNumberType | None = None
    PowerFactorValue_L3: ct.RationalNumberType | None = None
    PowerFactorExcitation: powerFactorExcitationType
    PowerFactorExcitation_L2: powerFactorExcitationType | None = None
    PowerFactorExcitation_L3: powerFactorExcitationType | None = None


class FrequencyDroopType(Message, element="FrequencyDroop"):
    """Active power over frequency."""

    Enable: bool
    Priority: unsignedShort | None = None
    OverFrequencyDroop: FrequencyDroopSettingsType | None = None
    UnderFrequencyDroop: FrequencyDroopSettingsType | None = None


class VoltVarType(Message):
    """Reactive power over voltage, around a reference that may follow the grid's voltage."""

    Enable: bool
    Priority: unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None
    OpenLoopResponseTime: ct.RationalNumberType
    TimeConstantPT1: unsignedInt | None = None
    ReferenceVoltage: ct.RationalNumberType
    AutonomousReferenceVoltageAdjustmentEnable: bool
    ReferenceVoltageAdjustmentTimeConstant: unsignedInt


class VoltWattType(Message):
    """Active power over voltage."""

    Enable: bool
    Priority: unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None
    OpenLoopResponseTime: ct.RationalNumberType
    TimeConstantPT1: unsignedInt | None = None


class WattVarType(Message):
    """Reactive power over active power."""

    Enable: bool
    Priority: unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None
    OpenLoopResponseTime: ct.RationalNumberType | None = None
    TimeConstantPT1: unsignedInt | None = None


class ConstantWattType(Message):
    """Active power that is held."""

    Enable: bool
    Priority: unsignedShort | None = None
    WattSetpoint: ct.RationalNumberType
    WattSetpoint_L2: ct.RationalNumberType | None = None
    WattSetpoint_L3: ct.RationalNumberType | None = None
    Unit: derUnitType


class ConstantVarType(Message):
    """Reactive power that is held."""

    Enable: bool
    Priority: unsignedShort | None = None
    VarSetpoint: ct.RationalNumberType
    VarSetpoint_L2: ct.RationalNumberType | None = None
    VarSetpoint_L3: ct.RationalNumberType | None = None
    Unit: derUnitType


class LimitMaxDischargePowerType(Message):
    """Cap on discharging, in % of what the EV can."""

    Enable: bool
    Priority: unsignedShort | None = None
    PercentageValue: unsignedShort
    PercentageValue_L2: unsignedShort | None = None
    PercentageValue_L3: unsignedShort | None = None
    OpenLoopResponseTime: ct.RationalNumberType | None = None


class VoltageTripType(Message):
    """How long which voltage is ridden through, and when the EV trips."""

    OverVoltageMustTripCurve: DERCurveType
    UnderVoltageMustTripCurve: DERCurveType
    OverVoltageMomentaryCessationTripCurve: DERCurveType | None = None
    UnderVoltageMomentaryCessationTripCurve: DERCurveType | None = None
    OverVoltageMayTripCurve: DERCurveType | None = None
    UnderVoltageMayTripCurve: DERCurveType | None = None


class FrequencyTripType(Message):
    """How long which frequency is ridden through, and when the EV trips."""

    OverFrequencyMustTripCurve: DERCurveType
    UnderFrequencyMustTripCurve: DERCurveType
    OverFrequencyMayTripCurve: DERCurveType | None = None
    UnderFrequencyMayTripCurve: DERCurveType | None = None


class EnterServiceCPDResType(Message):
    """Voltages and frequencies at which the EV may begin, how long to wait and how fast to rise."""

    PermitService: bool
    EnterServiceVoltageHigh: ct.RationalNumberType
    EnterServiceVoltageLow: ct.RationalNumberType
    EnterServiceFrequencyHigh: ct.RationalNumberType
    EnterServiceFrequencyLow: ct.RationalNumberType
    EnterServiceDelay: ct.RationalNumberType | None = None
    EnterServiceRandomizedDelay: ct.RationalNumberType | None = None
    EnterServiceRampTime: ct.RationalNumberType | None = None


class EnterServiceCLResType(Message):
    """Whether the EV may be in service, and conditions that have changed."""

    PermitService: bool
    EnterServiceVoltageHigh: ct.RationalNumberType | None = None
    EnterServiceVoltageLow: ct.RationalNumberType | None = None
    EnterServiceFrequencyHigh: ct.RationalNumberType | None = None
    EnterServiceFrequencyLow: ct.RationalNumberType | None = None
    EnterServiceDelay: ct.RationalNumberType | None = None
    EnterServiceRandomizedDelay: ct.RationalNumberType | None = None
    EnterServiceRampTime: ct.RationalNumberType | None = None


class ReactivePowerSupportCPDResType(Message):
    """All functions of reactive power, on or off."""

    ConstantPowerFactor: ConstantPowerFactorType
    VoltVar: VoltVarType
    WattVar: WattVarType
    ConstantVar: ConstantVarType


class ReactivePowerSupportCLResType(Message):
    """Functions of reactive power that have changed."""

    ConstantPowerFactor: ConstantPowerFactorType | None = None
    VoltVar: VoltVarType | None = None
    WattVar: WattVarType | None = None
    ConstantVar: ConstantVarType | None = None


class ActivePowerSupportCPDResType(Message):
    """All functions of active power, on or off."""

    FrequencyDroop: FrequencyDroopType
    VoltWatt: VoltWattType
    ConstantWatt: ConstantWattType
    LimitMaxDischargePower: LimitMaxDischargePowerType


class ActivePowerSupportCLResType(Message):
    """Functions of active power that have changed."""

    FrequencyDroop: FrequencyDroopType | None = None
    VoltWatt: VoltWattType | None = None
    ConstantWatt: ConstantWattType | None = None
    LimitMaxDischargePower: LimitMaxDischargePowerType | None = None


class DERControlCLResType(Message):
    """Grid functions that have changed."""

    VoltageTrip: VoltageTripType | None = None
    FrequencyTrip: FrequencyTripType | None = None
    EnterServiceCLRes: EnterServiceCLResType
    ReactivePowerSupportCLRes: ReactivePowerSupportCLResType | None = None
    ActivePowerSupportCLRes: ActivePowerSupportCLResType | None = None


class DERControlCPDResType(Message):
    """All grid functions, on or off."""

    VoltageTrip: VoltageTripType
    FrequencyTrip: FrequencyTripType
    EnterServiceCPDRes: EnterServiceCPDResType
    ReactivePowerSupportCPDRes: ReactivePowerSupportCPDResType
    ActivePowerSupportCPDRes: ActivePowerSupportCPDResType
