"""AC discharging by US grid rules (ISO 15118-20:2022/Amd 1, schema AC-DER-SAE [K]; SAE J3072, IEEE 1547).

Grid functions: `ac_der_sae_control`. Read from the grammars that a code generator made of the schema, not from the schema itself. Units as
in `ac`, apparent power in VA, voltage in V, frequency in Hz, EVUpdateTime and its like in seconds since 1970 (UTC) [K].
"""

from typing import Annotated, Literal

from iso15118.messages.declare import Length, Message, unsignedInt, unsignedLong
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import ac_der_sae_control as control
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-SAE"
QUALIFIED_ATTRIBUTES = True


ieee1547NormalCategoryType = Literal["CategoryA", "CategoryB"]
"""How much reactive power the EV can do (IEEE 1547 category A or B)."""

ieee1547AbnormalCategoryType = Literal["CategoryI", "CategoryII", "CategoryIII"]
"""How much of a fault the EV rides through (IEEE 1547 category I, II or III)."""

derOperationalStateType = Literal["On", "Off"]
"""Whether the EV's inverter runs."""

derConnectionStatusType = Literal["Disconnected", "Connected"]
"""Whether the EV's inverter is connected to the grid."""

requiredDEROperatingModeType = Literal["GridFollowing", "GridForming"]
"""Whether the EV has to follow the grid's voltage or make it."""

gridConnectionModeType = Literal["GridConnected", "GridIslanded"]
"""Whether there is a grid behind the EVSE."""

evInverterSwVersionType = Annotated[str, Length(0, 32)]
"""Software version of the inverter."""

evInverterHwVersionType = Annotated[str, Length(0, 32)]
"""Hardware version of the inverter."""

evInverterManufacturerType = Annotated[str, Length(0, 32)]
"""Maker of the inverter."""

evInverterModelType = Annotated[str, Length(0, 32)]
"""Model of the inverter."""

evInverterSerialNumberType = Annotated[str, Length(0, 32)]
"""Serial number of the inverter."""


class EVApparentPowerLimitsType(Message):
    """The EV's limits in VA, by direction of active and of reactive power."""

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


class EVReactivePowerLimitsType(Message):
    """The EV's limits in var, by direction of active and of reactive power; susceptance in S."""

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
    """Power factor on either side, and the discharge power in W at which the EV keeps it."""

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
    """Nameplate of the inverter."""

    EVInverterSwVersion: evInverterSwVersionType
    EVInverterHwVersion: evInverterHwVersionType | None = None
    EVInverterManufacturer: evInverterManufacturerType
    EVInverterModel: evInverterModelType
    EVInverterSerialNumber: evInverterSerialNumberType


class EVSEReactivePowerLimitsType(Message):
    """The EVSE's limits in var, by direction of active and of reactive power."""

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
    """Nominal values of the grid, and the range that it keeps."""

    GridNominalFrequency: ct.RationalNumberType
    GridNominalVoltage: ct.RationalNumberType
    GridNominalVoltageOffset: ct.RationalNumberType
    GridMinFrequency: ct.RationalNumberType | None = None
    GridMaxFrequency: ct.RationalNumberType | None = None
    GridMaximumVoltage: ct.RationalNumberType
    GridMinimumVoltage: ct.RationalNumberType


class EVApparentPowerType(Message):
    """The EV's limits in VA as they are now, by direction of active and of reactive power."""

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
    """The EV's limits in var as they are now, by direction of active and of reactive power."""

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
    """Power factor on either side, and the discharge power in W at which the EV keeps it, as they are now."""

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
    """The EV's limits, nameplate and certification; energy in Wh; modes as bits."""

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
    """The EVSE's and the grid's limits, and the grid functions that hold."""

    EVSEProcessing: ct.processingType
    EVSEStatus: ct.EVSEStatusType | None = None
    DERControlCPDRes: control.DERControlCPDResType
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
    """Scheduled: state, present voltage and frequency, limits where they have changed, alarms and modes as bits."""

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
    """Scheduled: grid functions and limits where they have changed."""

    DERControlCLRes: control.DERControlCLResType
    EVSEMaximumChargePower: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    RequiredDEROperatingMode: requiredDEROperatingModeType | None = None
    GridConnectionMode: gridConnectionModeType | None = None


class DER_Dynamic_AC_CLReqControlMode(ac.Dynamic_AC_CLReqControlMode, element=True, substitutes=ac.Dynamic_AC_CLReqControlMode):
    """Dynamic: state, present voltage and frequency, limits, energy in Wh, alarms and modes as bits."""

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
    """Dynamic: grid functions and limits where they have changed."""

    DERControlCLRes: control.DERControlCLResType
    EVSEMaximumChargePower: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    RequiredDEROperatingMode: requiredDEROperatingModeType | None = None
    GridConnectionMode: gridConnectionModeType | None = None
