"""AC discharging by European grid rules (ISO 15118-20:2022/Amd 1, schema AC-DER-IEC [K]; the functions are those of EN 50549).

Read from the grammars that a code generator made of the schema, not from the schema itself. Units as in `ac`, voltage in V, frequency in
Hz, times in s [K].
"""

from typing import Annotated, Literal

from iso15118.messages.declare import Message, Occurs, OneOf, unsignedByte, unsignedInt, unsignedShort
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-IEC"
QUALIFIED_ATTRIBUTES = True


powerFactorExcitationType = Literal["OverExcited", "UnderExcited"]
"""Over-excited: reactive power into the grid; under-excited: out of it [K]."""

curveDataPointsUnitType = Literal["V", "Hz", "W", "s", "var"]
"""Unit of one axis of a curve."""

lockValueUnitType = Literal["V", "Hz", "W", "s", "var"]
"""Unit of the lock-in and lock-out values."""

powerReferenceType = Literal["MaximumDischargePower", "MomentaryPower"]
"""Power that a slope is relative to."""

evOperatingModeType = Literal["GridFollowing", "GridForming"]
"""Whether the EV follows the grid's voltage or makes it."""

gridConnectionModeType = Literal["GridConnected", "GridIslanded"]
"""Whether there is a grid behind the EVSE."""


class SetpointExcitationType(Message):
    """Setpoint; for a power factor, with the side that it is on."""

    SetpointValue: ct.RationalNumberType
    Excitation: powerFactorExcitationType | None = None


class DataTupleType(Message):
    """One point of a curve."""

    xValue: ct.RationalNumberType
    yValue: SetpointExcitationType


class CurveDataPointsListType(Message):
    """Points of a curve by rising x [K]."""

    CurveDataPoint: Annotated[tuple[DataTupleType, ...], Occurs(2, 10)]


class DERCurveType(Message):
    """Reactive power or power factor over voltage or active power; lock-in and lock-out: where the function begins and ends."""

    xUnit: curveDataPointsUnitType
    yUnit: curveDataPointsUnitType
    CurveDataPoints: CurveDataPointsListType
    MinCosPhi: ct.RationalNumberType | None = None
    LockValueUnit: lockValueUnitType | None = None
    LockInValue: ct.RationalNumberType | None = None
    LockOutValue: ct.RationalNumberType | None = None
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType
    IntentionalDelay: ct.RationalNumberType | None = None


class FrequencyWattType(Message):
    """Active power over frequency: the slope between Fstart and Fstop."""

    Fstart: ct.RationalNumberType
    Fstop: ct.RationalNumberType
    IntentionalDelayFstop: unsignedShort | None = None
    Slope: ct.RationalNumberType
    DeactivationTime: unsignedShort | None = None
    IntentionalDelayPowerControl: unsignedShort | None = None
    PowerReference: powerReferenceType
    HysteresisControl: bool
    PowerUpRamp: unsignedShort | None = None
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: ct.RationalNumberType


class VoltWattType(Message):
    """Active power lowered over voltage, from UStart to UStop."""

    PowerReference: powerReferenceType
    UStart: ct.RationalNumberType
    UStop: ct.RationalNumberType
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: ct.RationalNumberType
    IntentionalDelayPowerControl: unsignedInt | None = None


class FaultRideThroughType(Message):
    """Stays connected in a fault and feeds reactive current; K factor: its rise per change of voltage."""

    VoltageLimitStartFRT: ct.RationalNumberType
    VoltageLimitStopFRT: ct.RationalNumberType | None = None
    VoltageRecoveryLimit: ct.RationalNumberType | None = None
    VoltageRideThroughPositiveCurveKFactor: ct.RationalNumberType | None = None
    VoltageRideThroughNegativeCurveKFactor: ct.RationalNumberType | None = None
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: ct.RationalNumberType
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType


class ZeroCurrentType(Message):
    """Voltages beyond which the EV stays connected without current, and at which it comes back."""

    OverVoltageLimit: ct.RationalNumberType | None = None
    UnderVoltageLimit: ct.RationalNumberType | None = None
    OverVoltageRecoveryLimit: ct.RationalNumberType | None = None
    UnderVoltageRecoveryLimit: ct.RationalNumberType | None = None
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: ct.RationalNumberType
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType


class ReactivePowerSupportType(Message):
    """The one function of reactive power that is asked for."""

    VoltVar: Annotated[DERCurveType, OneOf("curve")] | None = None
    WattVar: Annotated[DERCurveType, OneOf("curve")] | None = None
    WattCosPhi: Annotated[DERCurveType, OneOf("curve")] | None = None


class ActivePowerSupportType(Message):
    """Functions of active power."""

    UnderFrequencyWatt: FrequencyWattType | None = None
    OverFrequencyWatt: FrequencyWattType | None = None
    VoltWatt: VoltWattType | None = None


class EVReactivePowerLimitsType(Message):
    """The EV's limits of reactive power in var, while charging and while discharging."""

    EVMaximumChargeReactivePower: ct.RationalNumberType
    EVMaximumChargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMaximumChargeReactivePower_L3: ct.RationalNumberType | None = None
    EVMinimumChargeReactivePower: ct.RationalNumberType | None = None
    EVMinimumChargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMinimumChargeReactivePower_L3: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower: ct.RationalNumberType
    EVMaximumDischargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargeReactivePower: ct.RationalNumberType | None = None
    EVMinimumDischargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargeReactivePower_L3: ct.RationalNumberType | None = None


class DSOQSetpointType(Message):
    """Reactive power in var that the grid operator wants."""

    DSOQSetpointValue: ct.RationalNumberType
    DSOQSetpointValue_L2: ct.RationalNumberType | None = None
    DSOQSetpointValue_L3: ct.RationalNumberType | None = None
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType


class DERControlType(Message):
    """Functions that the grid rules ask for; MaximumLevelDCInjection: DC that the EV may feed into the grid."""

    OvervoltageFaultRideThrough: FaultRideThroughType | None = None
    UndervoltageFaultRideThrough: FaultRideThroughType | None = None
    ZeroCurrent: ZeroCurrentType | None = None
    ReactivePowerSupport: ReactivePowerSupportType | None = None
    ActivePowerSupport: ActivePowerSupportType | None = None
    MaximumLevelDCInjection: ct.RationalNumberType | None = None


class DSOCosPhiSetpointType(Message):
    """Power factor that the grid operator wants."""

    DSOCosPhiSetpointValue: ct.RationalNumberType
    DSOCosPhiSetpointValue_L2: ct.RationalNumberType | None = None
    DSOCosPhiSetpointValue_L3: ct.RationalNumberType | None = None
    Excitation: powerFactorExcitationType
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType


class DER_AC_CPDReqEnergyTransferMode(ac.AC_CPDReqEnergyTransferModeType, element=True, substitutes=ac.AC_CPDReqEnergyTransferModeType):
    """The EV's limits of discharging and of reactive power; energy that it can give in Wh."""

    EVProcessing: ct.processingType
    EVMaximumDischargePower: ct.RationalNumberType
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None
    EVSessionTotalDischargeEnergyAvailable: ct.RationalNumberType | None = None
    EVReactivePowerLimits: EVReactivePowerLimitsType | None = None


class DER_AC_CPDResEnergyTransferMode(ac.AC_CPDResEnergyTransferModeType, element=True, substitutes=ac.AC_CPDResEnergyTransferModeType):
    """The EVSE's limits of discharging, and the grid functions that hold."""

    EVSENominalChargePower: ct.RationalNumberType
    EVSENominalChargePower_L2: ct.RationalNumberType | None = None
    EVSENominalChargePower_L3: ct.RationalNumberType | None = None
    EVSENominalDischargePower: ct.RationalNumberType
    EVSENominalDischargePower_L2: ct.RationalNumberType | None = None
    EVSENominalDischargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVOperatingMode: evOperatingModeType
    GridConnectionMode: gridConnectionModeType
    DERControl: DERControlType


class DER_Dynamic_AC_CLReqControlMode(ac.Dynamic_AC_CLReqControlMode, element=True, substitutes=ac.Dynamic_AC_CLReqControlMode):
    """Dynamic: limits of discharging and reactive power, energy in Wh, and what the EV sees of the grid."""

    EVMaximumDischargePower: ct.RationalNumberType
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None
    EVMaximumChargeReactivePower: ct.RationalNumberType | None = None
    EVMaximumChargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMaximumChargeReactivePower_L3: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L3: ct.RationalNumberType | None = None
    GridEventCondition: unsignedByte
    EVMaximumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVSessionTotalDischargeEnergyAvailable: ct.RationalNumberType | None = None


class DER_Dynamic_AC_CLResControlMode(ac.Dynamic_AC_CLResControlMode, element=True, substitutes=ac.Dynamic_AC_CLResControlMode):
    """Dynamic: limits of EVSE and grid operator, and the grid operator's setpoints."""

    EVSEMaximumChargePower: ct.RationalNumberType
    EVSEMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    DSOMaximumDischargePower: ct.RationalNumberType | None = None
    DSOMaximumDischargePower_L2: ct.RationalNumberType | None = None
    DSOMaximumDischargePower_L3: ct.RationalNumberType | None = None
    DSOQSetpoint: DSOQSetpointType | None = None
    DSOCosPhiSetpoint: DSOCosPhiSetpointType | None = None


class DER_Scheduled_AC_CLReqControlMode(ac.Scheduled_AC_CLReqControlMode, element=True, substitutes=ac.Scheduled_AC_CLReqControlMode):
    """Scheduled: limits of discharging and reactive power, and what the EV sees of the grid."""

    EVMaximumDischargePower: ct.RationalNumberType
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None
    EVMaximumChargeReactivePower: ct.RationalNumberType | None = None
    EVMaximumChargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMaximumChargeReactivePower_L3: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L3: ct.RationalNumberType | None = None
    GridEventCondition: unsignedByte


class DER_Scheduled_AC_CLResControlMode(ac.Scheduled_AC_CLResControlMode, element=True, substitutes=ac.Scheduled_AC_CLResControlMode):
    """Scheduled: limits of EVSE and grid operator, and the grid operator's setpoints."""

    EVSEMaximumChargePower: ct.RationalNumberType
    EVSEMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    DSOMaximumDischargePower: ct.RationalNumberType | None = None
    DSOMaximumDischargePower_L2: ct.RationalNumberType | None = None
    DSOMaximumDischargePower_L3: ct.RationalNumberType | None = None
    DSOQSetpoint: DSOQSetpointType | None = None
    DSOCosPhiSetpoint: DSOCosPhiSetpointType | None = None
