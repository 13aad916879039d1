"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import Message, Occurs, unsignedByte, unsignedInt, unsignedShort
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-IEC"
QUALIFIED_ATTRIBUTES = True


powerFactorExcitationType = Literal["OverExcited", "UnderExcited"]
"""TODO"""

curveDataPointsUnitType = Literal["V", "Hz", "W", "s", "var"]
"""TODO"""

lockValueUnitType = Literal["V", "Hz", "W", "s", "var"]
"""TODO"""

powerReferenceType = Literal["MaximumDischargePower", "MomentaryPower"]
"""TODO"""

evOperatingModeType = Literal["GridFollowing", "GridForming"]
"""TODO"""

gridConnectionModeType = Literal["GridConnected", "GridIslanded"]
"""TODO"""


class SetpointExcitationType(Message):
    """TODO"""

    SetpointValue: ct.RationalNumberType
    Excitation: powerFactorExcitationType | None = None


class DataTupleType(Message):
    """TODO"""

    xValue: ct.RationalNumberType
    yValue: SetpointExcitationType


class CurveDataPointsListType(Message):
    """TODO"""

    CurveDataPoint: Annotated[tuple[DataTupleType, ...], Occurs(2, 10)]


class DERCurveType(Message):
    """TODO"""

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
    """TODO"""

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
    """TODO"""

    PowerReference: powerReferenceType
    UStart: ct.RationalNumberType
    UStop: ct.RationalNumberType
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: ct.RationalNumberType
    IntentionalDelayPowerControl: unsignedInt | None = None


class FaultRideThroughType(Message):
    """TODO"""

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
    """TODO"""

    OverVoltageLimit: ct.RationalNumberType | None = None
    UnderVoltageLimit: ct.RationalNumberType | None = None
    OverVoltageRecoveryLimit: ct.RationalNumberType | None = None
    UnderVoltageRecoveryLimit: ct.RationalNumberType | None = None
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: ct.RationalNumberType
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType


class ReactivePowerSupportType(Message):
    """TODO"""

    VoltVar: DERCurveType | None = None
    WattVar: DERCurveType | None = None
    WattCosPhi: DERCurveType | None = None


class ActivePowerSupportType(Message):
    """TODO"""

    UnderFrequencyWatt: FrequencyWattType | None = None
    OverFrequencyWatt: FrequencyWattType | None = None
    VoltWatt: VoltWattType | None = None


class EVReactivePowerLimitsType(Message):
    """TODO"""

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
    """TODO"""

    DSOQSetpointValue: ct.RationalNumberType
    DSOQSetpointValue_L2: ct.RationalNumberType | None = None
    DSOQSetpointValue_L3: ct.RationalNumberType | None = None
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType


class DERControlType(Message):
    """TODO"""

    OvervoltageFaultRideThrough: FaultRideThroughType | None = None
    UndervoltageFaultRideThrough: FaultRideThroughType | None = None
    ZeroCurrent: ZeroCurrentType | None = None
    ReactivePowerSupport: ReactivePowerSupportType | None = None
    ActivePowerSupport: ActivePowerSupportType | None = None
    MaximumLevelDCInjection: ct.RationalNumberType | None = None


class DSOCosPhiSetpointType(Message):
    """TODO"""

    DSOCosPhiSetpointValue: ct.RationalNumberType
    DSOCosPhiSetpointValue_L2: ct.RationalNumberType | None = None
    DSOCosPhiSetpointValue_L3: ct.RationalNumberType | None = None
    Excitation: powerFactorExcitationType
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: ct.RationalNumberType


class DER_AC_CPDReqEnergyTransferMode(ac.AC_CPDReqEnergyTransferModeType, element=True, substitutes=ac.AC_CPDReqEnergyTransferModeType):
    """TODO"""

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
    """TODO"""

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
    """TODO"""

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
    """TODO"""

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
    """TODO"""

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
    """TODO"""

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
