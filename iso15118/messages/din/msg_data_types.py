"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import (
    ATTRIBUTE,
    HEX,
    IDREF,
    REF,
    Length,
    Message,
    Occurs,
    OneOf,
    Range,
    byte,
    int_,
    long,
    short,
    string,
    unsignedByte,
    unsignedInt,
)

NAMESPACE = "urn:din:70121:2012:MsgDataTypes"


valueType = Literal[
    "bool",
    "byte",
    "short",
    "int",
    "physicalValue",
    "string",
]
"""TODO"""

meterStatusType = Annotated[int, Range(-32768, 32767)]
"""TODO"""

PMaxType = Annotated[int, Range(-32768, 32767)]
"""TODO"""

percentValueType = Annotated[int, Range(0, 100)]
"""TODO"""

faultMsgType = Annotated[str, Length(0, 64)]
"""TODO"""

EVSEProcessingType = Literal["Finished", "Ongoing"]
"""TODO"""

EVSENotificationType = Literal["None", "StopCharging", "ReNegotiation"]
"""TODO"""

serviceNameType = Annotated[str, Length(0, 32)]
"""TODO"""

serviceCategoryType = Literal["EVCharging", "Internet", "ContractCertificate", "OtherCustom"]
"""TODO"""

serviceScopeType = Annotated[str, Length(0, 32)]
"""TODO"""

EVSESupportedEnergyTransferType = Literal[
    "AC_single_phase_core",
    "AC_three_phase_core",
    "DC_core",
    "DC_extended",
    "DC_combo_core",
    "DC_dual",
    "AC_core1p_DC_extended",
    "AC_single_DC_core",
    "AC_single_phase_three_phase_core_DC_extended",
    "AC_core3p_DC_extended",
]
"""TODO"""

EVRequestedEnergyTransferType = Literal[
    "AC_single_phase_core",
    "AC_three_phase_core",
    "DC_core",
    "DC_extended",
    "DC_combo_core",
    "DC_unique",
]
"""TODO"""

genChallengeType = Annotated[str, Length(0, None)]
"""TODO"""

certificateType = Annotated[bytes, Length(0, 1200)]
"""TODO"""

rootCertificateIDType = Annotated[str, Length(0, 40)]
"""TODO"""

dHParamsType = Annotated[bytes, Length(0, 256)]
"""TODO"""

privateKeyType = Annotated[bytes, Length(0, 128)]
"""TODO"""

sigMeterReadingType = Annotated[bytes, Length(0, 32)]
"""TODO"""

sessionIDType = Annotated[bytes, Length(0, 8), HEX]
"""TODO"""

evccIDType = Annotated[bytes, Length(0, 8), HEX]
"""TODO"""

evseIDType = Annotated[bytes, Length(0, 32), HEX]
"""TODO"""

serviceIDType = Annotated[int, Range(0, 65535)]
"""TODO"""

contractIDType = Annotated[str, Length(0, 24)]
"""TODO"""

meterIDType = Annotated[str, Length(0, 32)]
"""TODO"""

SAIDType = Annotated[int, Range(-32768, 32767)]
"""TODO"""

tariffDescriptionType = Annotated[str, Length(0, 32)]
"""TODO"""

costKindType = Literal["relativePricePercentage", "RenewableGenerationPercentage", "CarbonDioxideEmission"]
"""TODO"""

paymentOptionType = Literal["Contract", "ExternalPayment"]
"""TODO"""

faultCodeType = Literal["ParsingError", "NoTLSRootCertificatAvailable", "UnknownError"]
"""TODO"""

responseCodeType = Literal[
    "OK",
    "OK_NewSessionEstablished",
    "OK_OldSessionJoined",
    "OK_CertificateExpiresSoon",
    "FAILED",
    "FAILED_SequenceError",
    "FAILED_ServiceIDInvalid",
    "FAILED_UnknownSession",
    "FAILED_ServiceSelectionInvalid",
    "FAILED_PaymentSelectionInvalid",
    "FAILED_CertificateExpired",
    "FAILED_SignatureError",
    "FAILED_NoCertificateAvailable",
    "FAILED_CertChainError",
    "FAILED_ChallengeInvalid",
    "FAILED_ContractCanceled",
    "FAILED_WrongChargeParameter",
    "FAILED_PowerDeliveryNotApplied",
    "FAILED_TariffSelectionInvalid",
    "FAILED_ChargingProfileInvalid",
    "FAILED_EVSEPresentVoltageToLow",
    "FAILED_MeteringSignatureNotValid",
    "FAILED_WrongEnergyTransferType",
]
"""TODO"""

unitMultiplierType = Annotated[int, Range(-3, 3)]
"""TODO"""

unitSymbolType = Literal[
    "h",
    "m",
    "s",
    "A",
    "Ah",
    "V",
    "VA",
    "W",
    "W/s",
    "Wh",
]
"""TODO"""

DC_EVSEStatusCodeType = Literal[
    "EVSE_NotReady",
    "EVSE_Ready",
    "EVSE_Shutdown",
    "EVSE_UtilityInterruptEvent",
    "EVSE_IsolationMonitoringActive",
    "EVSE_EmergencyShutdown",
    "EVSE_Malfunction",
    "Reserved_8",
    "Reserved_9",
    "Reserved_A",
    "Reserved_B",
    "Reserved_C",
]
"""TODO"""

isolationLevelType = Literal["Invalid", "Valid", "Warning", "Fault"]
"""TODO"""

DC_EVErrorCodeType = Literal[
    "NO_ERROR",
    "FAILED_RESSTemperatureInhibit",
    "FAILED_EVShiftPosition",
    "FAILED_ChargerConnectorLockFault",
    "FAILED_EVRESSMalfunction",
    "FAILED_ChargingCurrentdifferential",
    "FAILED_ChargingVoltageOutOfRange",
    "Reserved_A",
    "Reserved_B",
    "Reserved_C",
    "FAILED_ChargingSystemIncompatibility",
    "NoData",
]
"""TODO"""


class ServiceTagType(Message):
    """TODO"""

    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None


class ServiceType(Message):
    """TODO"""

    ServiceTag: ServiceTagType
    FreeService: bool


class ServiceTagListType(Message):
    """TODO"""

    Service: Annotated[tuple[ServiceType, ...], Occurs(1, None)]


class SelectedServiceType(Message):
    """TODO"""

    ServiceID: serviceIDType
    ParameterSetID: short | None = None


class SelectedServiceListType(Message):
    """TODO"""

    SelectedService: Annotated[tuple[SelectedServiceType, ...], Occurs(1, None)]


class PhysicalValueType(Message):
    """TODO"""

    Multiplier: unitMultiplierType
    Unit: unitSymbolType | None = None
    Value: short


class ParameterType(Message):
    """TODO"""

    Name: Annotated[string, ATTRIBUTE]
    ValueType: Annotated[valueType, ATTRIBUTE]
    boolValue: Annotated[bool, OneOf("choice1")] | None = None
    byteValue: Annotated[byte, OneOf("choice1")] | None = None
    shortValue: Annotated[short, OneOf("choice1")] | None = None
    intValue: Annotated[int_, OneOf("choice1")] | None = None
    physicalValue: Annotated[PhysicalValueType, OneOf("choice1")] | None = None
    stringValue: Annotated[string, OneOf("choice1")] | None = None


class ParameterSetType(Message):
    """TODO"""

    ParameterSetID: short
    Parameter: Annotated[tuple[ParameterType, ...], Occurs(1, None)]


class ServiceParameterListType(Message):
    """TODO"""

    ParameterSet: Annotated[tuple[ParameterSetType, ...], Occurs(1, None)]


class ServiceCharge(ServiceType, element=True):
    """TODO"""

    EnergyTransferType: EVSESupportedEnergyTransferType


class SubCertificatesType(Message):
    """TODO"""

    Certificate: Annotated[tuple[certificateType, ...], Occurs(1, None)]


class CertificateChainType(Message):
    """TODO"""

    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class ListOfRootCertificateIDsType(Message):
    """TODO"""

    RootCertificateID: Annotated[tuple[rootCertificateIDType, ...], Occurs(1, None)]


class MeterInfoType(Message):
    """TODO"""

    MeterID: meterIDType
    MeterReading: PhysicalValueType | None = None
    SigMeterReading: sigMeterReadingType | None = None
    MeterStatus: meterStatusType | None = None
    TMeter: long | None = None


class NotificationType(Message):
    """TODO"""

    FaultCode: faultCodeType
    FaultMsg: faultMsgType | None = None


class SASchedulesType(Message, abstract=True, element="SASchedules"):
    """TODO"""


class IntervalType(Message, abstract=True, element="TimeInterval"):
    """TODO"""


class EntryType(Message, abstract=True, element="Entry"):
    """TODO"""

    TimeInterval: Annotated[IntervalType, REF]


class CostType(Message):
    """TODO"""

    costKind: costKindType
    amount: unsignedInt
    amountMultiplier: unitMultiplierType | None = None


class ConsumptionCostType(Message):
    """TODO"""

    startValue: unsignedInt
    Cost: Annotated[tuple[CostType, ...], Occurs(0, None)] = ()


class SalesTariffEntryType(EntryType, element="SalesTariffEntry", substitutes=EntryType):
    """TODO"""

    EPriceLevel: unsignedByte
    ConsumptionCost: Annotated[tuple[ConsumptionCostType, ...], Occurs(0, None)] = ()


class SalesTariffType(Message):
    """TODO"""

    Id: Annotated[IDREF, ATTRIBUTE]
    SalesTariffID: SAIDType
    SalesTariffDescription: tariffDescriptionType | None = None
    NumEPriceLevels: unsignedByte
    SalesTariffEntry: Annotated[tuple[SalesTariffEntryType, ...], Occurs(1, None), REF]


class PMaxScheduleEntryType(EntryType, element="PMaxScheduleEntry", substitutes=EntryType):
    """TODO"""

    PMax: PMaxType


class PMaxScheduleType(Message):
    """TODO"""

    PMaxScheduleID: SAIDType
    PMaxScheduleEntry: Annotated[tuple[PMaxScheduleEntryType, ...], Occurs(1, None), REF]


class SAScheduleTupleType(Message):
    """TODO"""

    SAScheduleTupleID: SAIDType
    PMaxSchedule: PMaxScheduleType
    SalesTariff: SalesTariffType | None = None


class SAScheduleList(SASchedulesType, element=True, substitutes=SASchedulesType):
    """TODO"""

    SAScheduleTuple: Annotated[tuple[SAScheduleTupleType, ...], Occurs(1, None)]


class RelativeTimeInterval(IntervalType, element=True, substitutes=IntervalType):
    """TODO"""

    start: unsignedInt
    duration: unsignedInt | None = None


class EVSEStatusType(Message, abstract=True, element="EVSEStatus"):
    """TODO"""


class AC_EVSEStatusType(EVSEStatusType, element="AC_EVSEStatus", substitutes=EVSEStatusType):
    """TODO"""

    PowerSwitchClosed: bool
    RCD: bool
    NotificationMaxDelay: unsignedInt
    EVSENotification: EVSENotificationType


class EVStatusType(Message, abstract=True, element="EVStatus"):
    """TODO"""


class DC_EVSEStatusType(EVSEStatusType, element="DC_EVSEStatus", substitutes=EVSEStatusType):
    """TODO"""

    EVSEIsolationStatus: isolationLevelType | None = None
    EVSEStatusCode: DC_EVSEStatusCodeType
    NotificationMaxDelay: unsignedInt
    EVSENotification: EVSENotificationType


class DC_EVStatusType(EVStatusType, element="DC_EVStatus", substitutes=EVStatusType):
    """TODO"""

    EVReady: bool
    EVCabinConditioning: bool | None = None
    EVRESSConditioning: bool | None = None
    EVErrorCode: DC_EVErrorCodeType
    EVRESSSOC: percentValueType


class EVChargeParameterType(Message, abstract=True, element="EVChargeParameter"):
    """TODO"""


class AC_EVChargeParameter(EVChargeParameterType, element=True, substitutes=EVChargeParameterType):
    """TODO"""

    DepartureTime: unsignedInt
    EAmount: PhysicalValueType
    EVMaxVoltage: PhysicalValueType
    EVMaxCurrent: PhysicalValueType
    EVMinCurrent: PhysicalValueType


class DC_EVChargeParameter(EVChargeParameterType, element=True, substitutes=EVChargeParameterType):
    """TODO"""

    DC_EVStatus: DC_EVStatusType
    EVMaximumCurrentLimit: PhysicalValueType
    EVMaximumPowerLimit: PhysicalValueType | None = None
    EVMaximumVoltageLimit: PhysicalValueType
    EVEnergyCapacity: PhysicalValueType | None = None
    EVEnergyRequest: PhysicalValueType | None = None
    FullSOC: percentValueType | None = None
    BulkSOC: percentValueType | None = None


class EVSEChargeParameterType(Message, abstract=True, element="EVSEChargeParameter"):
    """TODO"""


class AC_EVSEChargeParameter(EVSEChargeParameterType, element=True, substitutes=EVSEChargeParameterType):
    """TODO"""

    AC_EVSEStatus: AC_EVSEStatusType
    EVSEMaxVoltage: PhysicalValueType
    EVSEMaxCurrent: PhysicalValueType
    EVSEMinCurrent: PhysicalValueType


class DC_EVSEChargeParameter(EVSEChargeParameterType, element=True, substitutes=EVSEChargeParameterType):
    """TODO"""

    DC_EVSEStatus: DC_EVSEStatusType
    EVSEMaximumCurrentLimit: PhysicalValueType
    EVSEMaximumPowerLimit: PhysicalValueType | None = None
    EVSEMaximumVoltageLimit: PhysicalValueType
    EVSEMinimumCurrentLimit: PhysicalValueType
    EVSEMinimumVoltageLimit: PhysicalValueType
    EVSECurrentRegulationTolerance: PhysicalValueType | None = None
    EVSEPeakCurrentRipple: PhysicalValueType
    EVSEEnergyToBeDelivered: PhysicalValueType | None = None


class EVPowerDeliveryParameterType(Message, abstract=True, element="EVPowerDeliveryParameter"):
    """TODO"""


class DC_EVPowerDeliveryParameter(EVPowerDeliveryParameterType, element=True, substitutes=EVPowerDeliveryParameterType):
    """TODO"""

    DC_EVStatus: DC_EVStatusType
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool


class ProfileEntryType(Message):
    """TODO"""

    ChargingProfileEntryStart: unsignedInt
    ChargingProfileEntryMaxPower: PMaxType


class ChargingProfileType(Message):
    """TODO"""

    SAScheduleTupleID: SAIDType
    ProfileEntry: Annotated[tuple[ProfileEntryType, ...], Occurs(1, None)]


class PaymentOptionsType(Message):
    """TODO"""

    PaymentOption: Annotated[tuple[paymentOptionType, ...], Occurs(1, None)]
