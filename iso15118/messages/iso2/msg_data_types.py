"""TODO"""

from typing import Annotated, Literal

from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import (
    ATTRIBUTE,
    HEX,
    ID,
    REF,
    TEXT,
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
    unsignedLong,
    unsignedShort,
)

NAMESPACE = "urn:iso:15118:2:2013:MsgDataTypes"
QUALIFIED_ATTRIBUTES = True


percentValueType = Annotated[int, Range(0, 100)]
"""TODO"""

faultMsgType = Annotated[str, Length(0, 64)]
"""TODO"""

EVSEProcessingType = Literal["Finished", "Ongoing", "Ongoing_WaitingForCustomerInteraction"]
"""TODO"""

EVSENotificationType = Literal["None", "StopCharging", "ReNegotiation"]
"""TODO"""

chargeProgressType = Literal["Start", "Stop", "Renegotiate"]
"""TODO"""

chargingSessionType = Literal["Terminate", "Pause"]
"""TODO"""

serviceNameType = Annotated[str, Length(0, 32)]
"""TODO"""

serviceCategoryType = Literal["EVCharging", "Internet", "ContractCertificate", "OtherCustom"]
"""TODO"""

serviceScopeType = Annotated[str, Length(0, 64)]
"""TODO"""

maxNumPhasesType = Annotated[int, Range(1, 3)]
"""TODO"""

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

EnergyTransferModeType = Literal[
    "AC_single_phase_core",
    "AC_three_phase_core",
    "DC_core",
    "DC_extended",
    "DC_combo_core",
    "DC_unique",
]
"""TODO"""

genChallengeType = Annotated[bytes, Length(16, 16)]
"""TODO"""

certificateType = Annotated[bytes, Length(0, 800)]
"""TODO"""

dHpublickeyType = Annotated[bytes, Length(0, 65)]
"""TODO"""

privateKeyType = Annotated[bytes, Length(0, 48)]
"""TODO"""

sigMeterReadingType = Annotated[bytes, Length(0, 64)]
"""TODO"""

sessionIDType = Annotated[bytes, Length(0, 8), HEX]
"""TODO"""

evccIDType = Annotated[bytes, Length(0, 6), HEX]
"""TODO"""

evseIDType = Annotated[str, Length(7, 37)]
"""TODO"""

serviceIDType = Annotated[int, Range(0, 65535)]
"""TODO"""

eMAIDType = Annotated[str, Length(14, 15)]
"""TODO"""

meterIDType = Annotated[str, Length(0, 32)]
"""TODO"""

SAIDType = Annotated[int, Range(1, 255)]
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
    "FAILED_MeteringSignatureNotValid",
    "FAILED_NoChargeServiceSelected",
    "FAILED_WrongEnergyTransferMode",
    "FAILED_ContactorError",
    "FAILED_CertificateNotAllowedAtThisEVSE",
    "FAILED_CertificateRevoked",
]
"""TODO"""

unitMultiplierType = Annotated[int, Range(-3, 3)]
"""TODO"""

unitSymbolType = Literal[
    "h",
    "m",
    "s",
    "A",
    "V",
    "W",
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

isolationLevelType = Literal[
    "Invalid",
    "Valid",
    "Warning",
    "Fault",
    "No_IMD",
]
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


class ServiceType(Message):
    """TODO"""

    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None
    FreeService: bool


class ServiceListType(Message):
    """TODO"""

    Service: Annotated[tuple[ServiceType, ...], Occurs(1, 8)]


class SelectedServiceType(Message):
    """TODO"""

    ServiceID: serviceIDType
    ParameterSetID: short | None = None


class SelectedServiceListType(Message):
    """TODO"""

    SelectedService: Annotated[tuple[SelectedServiceType, ...], Occurs(1, 16)]


class PhysicalValueType(Message):
    """TODO"""

    Multiplier: unitMultiplierType
    Unit: unitSymbolType
    Value: short


class ParameterType(Message):
    """TODO"""

    Name: Annotated[string, ATTRIBUTE]
    boolValue: Annotated[bool, OneOf("choice1")] | None = None
    byteValue: Annotated[byte, OneOf("choice1")] | None = None
    shortValue: Annotated[short, OneOf("choice1")] | None = None
    intValue: Annotated[int_, OneOf("choice1")] | None = None
    physicalValue: Annotated[PhysicalValueType, OneOf("choice1")] | None = None
    stringValue: Annotated[string, OneOf("choice1")] | None = None


class ParameterSetType(Message):
    """TODO"""

    ParameterSetID: short
    Parameter: Annotated[tuple[ParameterType, ...], Occurs(1, 16)]


class ServiceParameterListType(Message):
    """TODO"""

    ParameterSet: Annotated[tuple[ParameterSetType, ...], Occurs(1, 255)]


class SupportedEnergyTransferModeType(Message):
    """TODO"""

    EnergyTransferMode: Annotated[tuple[EnergyTransferModeType, ...], Occurs(1, 6)]


class ChargeServiceType(ServiceType):
    """TODO"""

    SupportedEnergyTransferMode: SupportedEnergyTransferModeType


class ContractSignatureEncryptedPrivateKeyType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    value: Annotated[privateKeyType, TEXT]


class DiffieHellmanPublickeyType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    value: Annotated[dHpublickeyType, TEXT]


class EMAIDType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    value: Annotated[eMAIDType, TEXT]


class SubCertificatesType(Message):
    """TODO"""

    Certificate: Annotated[tuple[certificateType, ...], Occurs(1, 4)]


class CertificateChainType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class ListOfRootCertificateIDsType(Message):
    """TODO"""

    RootCertificateID: Annotated[tuple[ds.X509IssuerSerialType, ...], Occurs(1, 20)]


class MeterInfoType(Message):
    """TODO"""

    MeterID: meterIDType
    MeterReading: unsignedLong | None = None
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

    startValue: PhysicalValueType
    Cost: Annotated[tuple[CostType, ...], Occurs(1, 3)]


class SalesTariffEntryType(EntryType, element="SalesTariffEntry", substitutes=EntryType):
    """TODO"""

    EPriceLevel: unsignedByte | None = None
    ConsumptionCost: Annotated[tuple[ConsumptionCostType, ...], Occurs(0, 3)] = ()


class SalesTariffType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    SalesTariffID: SAIDType
    SalesTariffDescription: tariffDescriptionType | None = None
    NumEPriceLevels: unsignedByte | None = None
    SalesTariffEntry: Annotated[tuple[SalesTariffEntryType, ...], Occurs(1, 1024), REF]


class PMaxScheduleEntryType(EntryType, element="PMaxScheduleEntry", substitutes=EntryType):
    """TODO"""

    PMax: PhysicalValueType


class PMaxScheduleType(Message):
    """TODO"""

    PMaxScheduleEntry: Annotated[tuple[PMaxScheduleEntryType, ...], Occurs(1, 1024), REF]


class SAScheduleTupleType(Message):
    """TODO"""

    SAScheduleTupleID: SAIDType
    PMaxSchedule: PMaxScheduleType
    SalesTariff: SalesTariffType | None = None


class SAScheduleList(SASchedulesType, element=True, substitutes=SASchedulesType):
    """TODO"""

    SAScheduleTuple: Annotated[tuple[SAScheduleTupleType, ...], Occurs(1, 3)]


class RelativeTimeInterval(IntervalType, element=True, substitutes=IntervalType):
    """TODO"""

    start: Annotated[int, Range(0, 16777214)]
    duration: Annotated[int, Range(0, 86400)] | None = None


class EVSEStatusType(Message, abstract=True, element="EVSEStatus"):
    """TODO"""

    NotificationMaxDelay: unsignedShort
    EVSENotification: EVSENotificationType


class AC_EVSEStatusType(EVSEStatusType, element="AC_EVSEStatus", substitutes=EVSEStatusType):
    """TODO"""

    RCD: bool


class EVStatusType(Message, abstract=True, element="EVStatus"):
    """TODO"""


class DC_EVSEStatusType(EVSEStatusType, element="DC_EVSEStatus", substitutes=EVSEStatusType):
    """TODO"""

    EVSEIsolationStatus: isolationLevelType | None = None
    EVSEStatusCode: DC_EVSEStatusCodeType


class DC_EVStatusType(EVStatusType, element="DC_EVStatus", substitutes=EVStatusType):
    """TODO"""

    EVReady: bool
    EVErrorCode: DC_EVErrorCodeType
    EVRESSSOC: percentValueType


class EVChargeParameterType(Message, abstract=True, element="EVChargeParameter"):
    """TODO"""

    DepartureTime: unsignedInt | None = None


class AC_EVChargeParameter(EVChargeParameterType, element=True, substitutes=EVChargeParameterType):
    """TODO"""

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
    EVSENominalVoltage: PhysicalValueType
    EVSEMaxCurrent: PhysicalValueType


class DC_EVSEChargeParameter(EVSEChargeParameterType, element=True, substitutes=EVSEChargeParameterType):
    """TODO"""

    DC_EVSEStatus: DC_EVSEStatusType
    EVSEMaximumCurrentLimit: PhysicalValueType
    EVSEMaximumPowerLimit: PhysicalValueType
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
    ChargingProfileEntryMaxPower: PhysicalValueType
    ChargingProfileEntryMaxNumberOfPhasesInUse: maxNumPhasesType | None = None


class ChargingProfileType(Message):
    """TODO"""

    ProfileEntry: Annotated[tuple[ProfileEntryType, ...], Occurs(1, 24)]


class PaymentOptionListType(Message):
    """TODO"""

    PaymentOption: Annotated[tuple[paymentOptionType, ...], Occurs(1, 2)]
