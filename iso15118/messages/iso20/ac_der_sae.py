"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import Length, Message, Occurs, unsignedInt, unsignedLong, unsignedShort
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-SAE"
QUALIFIED_ATTRIBUTES = True


powerReferenceType = Literal["MaximumActivePower", "MomentaryPower"]
"""TODO"""

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
"""TODO"""

powerFactorExcitationType = Literal["OverExcited", "UnderExcited"]
"""TODO"""

ieee1547NormalCategoryType = Literal["CategoryA", "CategoryB"]
"""TODO"""

ieee1547AbnormalCategoryType = Literal["CategoryI", "CategoryII", "CategoryIII"]
"""TODO"""

derOperationalStateType = Literal["On", "Off"]
"""TODO"""

derConnectionStatusType = Literal["Disconnected", "Connected"]
"""TODO"""

requiredDEROperatingModeType = Literal["GridFollowing", "GridForming"]
"""TODO"""

gridConnectionModeType = Literal["GridConnected", "GridIslanded"]
"""TODO"""

evInverterSwVersionType = Annotated[str, Length(0, 32)]
"""TODO"""

evInverterHwVersionType = Annotated[str, Length(0, 32)]
"""TODO"""

evInverterManufacturerType = Annotated[str, Length(0, 32)]
"""TODO"""

evInverterModelType = Annotated[str, Length(0, 32)]
"""TODO"""

evInverterSerialNumberType = Annotated[str, Length(0, 32)]
"""TODO"""


class DataTupleType(Message):
    """TODO"""

    xValue: ct.RationalNumberType
    yValue: ct.RationalNumberType


class FrequencyDroopSettingsType(Message):
    """TODO"""

    db: ct.RationalNumberType
    DroopFactor: ct.RationalNumberType
    DroopFactor_L2: ct.RationalNumberType | None = None
    DroopFactor_L3: ct.RationalNumberType | None = None
    PowerReference: powerReferenceType
    PowerReference_L2: powerReferenceType | None = None
    PowerReference_L3: powerReferenceType | None = None
    OpenLoopResponseTime: ct.RationalNumberType


class CurveDataPointsListType(Message):
    """TODO"""

    CurveDataPoint: Annotated[tuple[DataTupleType, ...], Occurs(2, 10)]


class DERCurveType(Message):
    """TODO"""

    Enable: bool
    Priority: unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None


class ConstantPowerFactorType(Message):
    """TODO"""

    Enable: bool
    Priority: unsignedShort | None = None
    PowerFactorValue: ct.RationalNumberType
    PowerFactorValue_L2: ct.RationalNumberType | None = None
    PowerFactorValue_L3: ct.RationalNumberType | None = None
    PowerFactorExcitation: powerFactorExcitationType
    PowerFactorExcitation_L2: powerFactorExcitationType | None = None
    PowerFactorExcitation_L3: powerFactorExcitationType | None = None


class FrequencyDroopType(Message, element="FrequencyDroop"):
    """TODO"""

    Enable: bool
    Priority: unsignedShort | None = None
    OverFrequencyDroop: FrequencyDroopSettingsType | None = None
    UnderFrequencyDroop: FrequencyDroopSettingsType | None = None


class VoltVarType(Message):
    """TODO"""

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
    """TODO"""

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
    """TODO"""

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
    """TODO"""

    Enable: bool
    Priority: unsignedShort | None = None
    WattSetpoint: ct.RationalNumberType
    WattSetpoint_L2: ct.RationalNumberType | None = None
    WattSetpoint_L3: ct.RationalNumberType | None = None
    Unit: derUnitType


class ConstantVarType(Message):
    """TODO"""

    Enable: bool
    Priority: unsignedShort | None = None
    VarSetpoint: ct.RationalNumberType
    VarSetpoint_L2: ct.RationalNumberType | None = None
    VarSetpoint_L3: ct.RationalNumberType | None = None
    Unit: derUnitType


class LimitMaxDischargePowerType(Message):
    """TODO"""

    Enable: bool
    Priority: unsignedShort | None = None
    PercentageValue: unsignedShort
    PercentageValue_L2: unsignedShort | None = None
    PercentageValue_L3: unsignedShort | None = None
    OpenLoopResponseTime: ct.RationalNumberType | None = None


class VoltageTripType(Message):
    """TODO"""

    OverVoltageMustTripCurve: DERCurveType
    UnderVoltageMustTripCurve: DERCurveType
    OverVoltageMomentaryCessationTripCurve: DERCurveType | None = None
    UnderVoltageMomentaryCessationTripCurve: DERCurveType | None = None
    OverVoltageMayTripCurve: DERCurveType | None = None
    UnderVoltageMayTripCurve: DERCurveType | None = None


class FrequencyTripType(Message):
    """TODO"""

    OverFrequencyMustTripCurve: DERCurveType
    UnderFrequencyMustTripCurve: DERCurveType
    OverFrequencyMayTripCurve: DERCurveType | None = None
    UnderFrequencyMayTripCurve: DERCurveType | None = None


class EnterServiceCPDResType(Message):
    """TODO"""

    PermitService: bool
    EnterServiceVoltageHigh: ct.RationalNumberType
    EnterServiceVoltageLow: ct.RationalNumberType
    EnterServiceFrequencyHigh: ct.RationalNumberType
    EnterServiceFrequencyLow: ct.RationalNumberType
    EnterServiceDelay: ct.RationalNumberType | None = None
    EnterServiceRandomizedDelay: ct.RationalNumberType | None = None
    EnterServiceRampTime: ct.RationalNumberType | None = None


class EnterServiceCLResType(Message):
    """TODO"""

    PermitService: bool
    EnterServiceVoltageHigh: ct.RationalNumberType | None = None
    EnterServiceVoltageLow: ct.RationalNumberType | None = None
    EnterServiceFrequencyHigh: ct.RationalNumberType | None = None
    EnterServiceFrequencyLow: ct.RationalNumberType | None = None
    EnterServiceDelay: ct.RationalNumberType | None = None
    EnterServiceRandomizedDelay: ct.RationalNumberType | None = None
    EnterServiceRampTime: ct.RationalNumberType | None = None


class ReactivePowerSupportCPDResType(Message):
    """TODO"""

    ConstantPowerFactor: ConstantPowerFactorType
    VoltVar: VoltVarType
    WattVar: WattVarType
    ConstantVar: ConstantVarType


class ReactivePowerSupportCLResType(Message):
    """TODO"""

    ConstantPowerFactor: ConstantPowerFactorType | None = None
    VoltVar: VoltVarType | None = None
    WattVar: WattVarType | None = None
    ConstantVar: ConstantVarType | None = None


class ActivePowerSupportCPDResType(Message):
    """TODO"""

    FrequencyDroop: FrequencyDroopType
    VoltWatt: VoltWattType
    ConstantWatt: ConstantWattType
    LimitMaxDischargePower: LimitMaxDischargePowerType


class ActivePowerSupportCLResType(Message):
    """TODO"""

    FrequencyDroop: FrequencyDroopType | None = None
    VoltWatt: VoltWattType | None = None
    ConstantWatt: ConstantWattType | None = None
    LimitMaxDischargePower: LimitMaxDischargePowerType | None = None


class DERControlCLResType(Message):
    """TODO"""

    VoltageTrip: VoltageTripType | None = None
    FrequencyTrip: FrequencyTripType | None = None
    EnterServiceCLRes: EnterServiceCLResType
    ReactivePowerSupportCLRes: ReactivePowerSupportCLResType | None = None
    ActivePowerSupportCLRes: ActivePowerSupportCLResType | None = None


class EVApparentPowerLimitsType(Message):
    """TODO"""

    EVMaximumApparentPowerDuringChargingAndVarAbsorption: ct.RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L3: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection: ct.RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarInjection_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection_L3: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption: ct.RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L3: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection: ct.RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L3: ct.RationalNumberType | None = None


class DERControlCPDResType(Message):
    """TODO"""

    VoltageTrip: VoltageTripType
    FrequencyTrip: FrequencyTripType
    EnterServiceCPDRes: EnterServiceCPDResType
    ReactivePowerSupportCPDRes: ReactivePowerSupportCPDResType
    ActivePowerSupportCPDRes: ActivePowerSupportCPDResType


class EVReactivePowerLimitsType(Message):
    """TODO"""

    EVMaximumVarAbsorptionDuringCharging: ct.RationalNumberType
    EVMaximumVarAbsorptionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging: ct.RationalNumberType
    EVMaximumVarInjectionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging: ct.RationalNumberType
    EVMaximumVarAbsorptionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging: ct.RationalNumberType
    EVMaximumVarInjectionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVReactiveSusceptance: ct.RationalNumberType
    EVReactiveSusceptance_L2: ct.RationalNumberType | None = None
    EVReactiveSusceptance_L3: ct.RationalNumberType | None = None


class EVExcitationLimitsType(Message):
    """TODO"""

    EVSpecifiedOverExcitedPowerFactor: ct.RationalNumberType
    EVSpecifiedOverExcitedPowerFactor_L2: ct.RationalNumberType | None = None
    EVSpecifiedOverExcitedPowerFactor_L3: ct.RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower: ct.RationalNumberType
    EVSpecifiedOverExcitedDischargePower_L2: ct.RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower_L3: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor: ct.RationalNumberType
    EVSpecifiedUnderExcitedPowerFactor_L2: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor_L3: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower: ct.RationalNumberType
    EVSpecifiedUnderExcitedDischargePower_L2: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower_L3: ct.RationalNumberType | None = None


class EVInverterDetailsType(Message):
    """TODO"""

    EVInverterSwVersion: evInverterSwVersionType
    EVInverterHwVersion: evInverterHwVersionType | None = None
    EVInverterManufacturer: evInverterManufacturerType
    EVInverterModel: evInverterModelType
    EVInverterSerialNumber: evInverterSerialNumberType


class EVSEReactivePowerLimitsType(Message):
    """TODO"""

    EVSEMaximumVarAbsorptionDuringCharging: ct.RationalNumberType
    EVSEMaximumVarAbsorptionDuringCharging_L2: ct.RationalNumberType | None = None
    EVSEMaximumVarAbsorptionDuringCharging_L3: ct.RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringCharging: ct.RationalNumberType
    EVSEMaximumVarInjectionDuringCharging_L2: ct.RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringCharging_L3: ct.RationalNumberType | None = None
    EVSEMaximumVarAbsorptionDuringDischarging: ct.RationalNumberType
    EVSEMaximumVarAbsorptionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVSEMaximumVarAbsorptionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringDischarging: ct.RationalNumberType
    EVSEMaximumVarInjectionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringDischarging_L3: ct.RationalNumberType | None = None


class GridLimitsType(Message):
    """TODO"""

    GridNominalFrequency: ct.RationalNumberType
    GridNominalVoltage: ct.RationalNumberType
    GridNominalVoltageOffset: ct.RationalNumberType
    GridMinFrequency: ct.RationalNumberType | None = None
    GridMaxFrequency: ct.RationalNumberType | None = None
    GridMaximumVoltage: ct.RationalNumberType
    GridMinimumVoltage: ct.RationalNumberType


class EVApparentPowerType(Message):
    """TODO"""

    EVMaximumApparentPowerDuringChargingAndVarAbsorption: ct.RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L3: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection: ct.RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarInjection_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection_L3: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption: ct.RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L3: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection: ct.RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L2: ct.RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L3: ct.RationalNumberType | None = None


class EVReactivePowerType(Message):
    """TODO"""

    EVMaximumVarAbsorptionDuringCharging: ct.RationalNumberType
    EVMaximumVarAbsorptionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging: ct.RationalNumberType
    EVMaximumVarInjectionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L2: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L3: ct.RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging: ct.RationalNumberType
    EVMaximumVarAbsorptionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging: ct.RationalNumberType
    EVMaximumVarInjectionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging_L3: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L2: ct.RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L3: ct.RationalNumberType | None = None


class EVExcitationType(Message):
    """TODO"""

    EVSpecifiedOverExcitedPowerFactor: ct.RationalNumberType | None = None
    EVSpecifiedOverExcitedPowerFactor_L2: ct.RationalNumberType | None = None
    EVSpecifiedOverExcitedPowerFactor_L3: ct.RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower: ct.RationalNumberType
    EVSpecifiedOverExcitedDischargePower_L2: ct.RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower_L3: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor_L2: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor_L3: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower: ct.RationalNumberType
    EVSpecifiedUnderExcitedDischargePower_L2: ct.RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower_L3: ct.RationalNumberType | None = None


class DER_AC_CPDReqEnergyTransferMode(ac.AC_CPDReqEnergyTransferModeType, element=True, substitutes=ac.AC_CPDReqEnergyTransferModeType):
    """TODO"""

    EVProcessing: ct.processingType
    EVMaximumDischargePower: ct.RationalNumberType
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None
    EVSessionTotalDischargeEnergyAvailable: ct.RationalNumberType | None = None
    EVApparentPowerLimits: EVApparentPowerLimitsType
    EVReactivePowerLimits: EVReactivePowerLimitsType
    EVExcitationLimits: EVExcitationLimitsType
    EVInverterDetails: EVInverterDetailsType
    IEEE1547NormalCategory: ieee1547NormalCategoryType
    IEEE1547AbnormalCategory: ieee1547AbnormalCategoryType
    EVNominalVoltage: ct.RationalNumberType
    EVMaximumVoltage: ct.RationalNumberType
    EVMinimumVoltage: ct.RationalNumberType
    EVNominalVoltageOffset: ct.RationalNumberType
    J3072Certified: bool
    J3072CertificationDate: unsignedLong
    EVUseableWattHours: unsignedInt
    EVUpdateTime: unsignedLong
    SupportedModes: unsignedInt
    EnabledModes: unsignedInt


class DER_AC_CPDResEnergyTransferMode(ac.AC_CPDResEnergyTransferModeType, element=True, substitutes=ac.AC_CPDResEnergyTransferModeType):
    """TODO"""

    EVSEProcessing: ct.processingType
    EVSEStatus: ct.EVSEStatusType | None = None
    DERControlCPDRes: DERControlCPDResType
    EVSENominalChargePower: ct.RationalNumberType | None = None
    EVSENominalChargePower_L2: ct.RationalNumberType | None = None
    EVSENominalChargePower_L3: ct.RationalNumberType | None = None
    EVSENominalDischargePower: ct.RationalNumberType | None = None
    EVSENominalDischargePower_L2: ct.RationalNumberType | None = None
    EVSENominalDischargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVSEReactivePowerLimits: EVSEReactivePowerLimitsType
    GridLimits: GridLimitsType
    RequiredDEROperatingMode: requiredDEROperatingModeType
    GridConnectionMode: gridConnectionModeType
    EVSEUpdateTime: unsignedLong


class DER_Scheduled_AC_CLReqControlMode(ac.Scheduled_AC_CLReqControlMode, element=True, substitutes=ac.Scheduled_AC_CLReqControlMode):
    """TODO"""

    EVPresentVoltage: ct.RationalNumberType
    EVPresentFrequency: ct.RationalNumberType
    EVMaximumDischargePower: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None
    DEROperationalState: derOperationalStateType
    DERConnectionStatus: derConnectionStatusType
    EVApparentPower: EVApparentPowerType | None = None
    EVReactivePower: EVReactivePowerType | None = None
    EVExcitation: EVExcitationType | None = None
    EVUpdateTime: unsignedLong
    EVMinimumChargingDuration: unsignedInt | None = None
    EVDurationMaximumChargeRate: unsignedInt | None = None
    EVDurationMaximumDischargeRate: unsignedInt | None = None
    DERAlarmStatus: unsignedInt
    EnabledModes: unsignedInt


class DER_Scheduled_AC_CLResControlMode(ac.Scheduled_AC_CLResControlMode, element=True, substitutes=ac.Scheduled_AC_CLResControlMode):
    """TODO"""

    DERControlCLRes: DERControlCLResType
    EVSEMaximumChargePower: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    RequiredDEROperatingMode: requiredDEROperatingModeType | None = None
    GridConnectionMode: gridConnectionModeType | None = None


class DER_Dynamic_AC_CLReqControlMode(ac.Dynamic_AC_CLReqControlMode, element=True, substitutes=ac.Dynamic_AC_CLReqControlMode):
    """TODO"""

    EVMaximumDischargePower: ct.RationalNumberType
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None
    EVPresentVoltage: ct.RationalNumberType
    EVPresentFrequency: ct.RationalNumberType
    EVSessionTotalDischargeEnergyAvailable: ct.RationalNumberType | None = None
    EVApparentPower: EVApparentPowerType | None = None
    EVReactivePower: EVReactivePowerType | None = None
    EVExcitation: EVExcitationType | None = None
    EVMaximumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: ct.RationalNumberType | None = None
    DEROperationalState: derOperationalStateType
    DERConnectionStatus: derConnectionStatusType
    EVUpdateTime: unsignedLong
    EVMinimumChargingDuration: unsignedInt
    EVDurationMaximumChargeRate: unsignedInt
    EVDurationMaximumDischargeRate: unsignedInt
    DERAlarmStatus: unsignedInt
    EnabledModes: unsignedInt


class DER_Dynamic_AC_CLResControlMode(ac.Dynamic_AC_CLResControlMode, element=True, substitutes=ac.Dynamic_AC_CLResControlMode):
    """TODO"""

    DERControlCLRes: DERControlCLResType
    EVSEMaximumChargePower: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    RequiredDEROperatingMode: requiredDEROperatingModeType | None = None
    GridConnectionMode: gridConnectionModeType | None = None
