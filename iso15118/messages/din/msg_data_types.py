"""What many messages share: identifiers, numbers with units, status, meter (DIN SPEC 70121:2014 [K])."""

from typing import Annotated, Literal

from iso15118.messages.declare import HEX, Length, Message, Range, long, short, unsignedInt

NAMESPACE = "urn:din:70121:2012:MsgDataTypes"

meterStatusType = Annotated[int, Range(-32768, 32767)]
"""State of the meter, as its maker numbers it."""

percentValueType = Annotated[int, Range(0, 100)]
"""Whole per cent."""

faultMsgType = Annotated[str, Length(0, 64)]
"""Words about a fault."""

EVSEProcessingType = Literal["Finished", "Ongoing"]
"""Finished, or not yet: the EV then asks again."""

EVSENotificationType = Literal["None", "StopCharging", "ReNegotiation"]
"""What the EVSE asks the EV to do."""

sigMeterReadingType = Annotated[bytes, Length(0, 32)]
"""The meter's signature on its reading."""

sessionIDType = Annotated[bytes, Length(0, 8), HEX]
"""Drawn at random by the SECC; zero, in one octet or eight, in a SessionSetupReq that resumes nothing."""

evccIDType = Annotated[bytes, Length(0, 8), HEX]
"""MAC address of the EVCC, six octets of the eight that fit."""

evseIDType = Annotated[bytes, Length(0, 32), HEX]
"""Identifier of the EVSE as octets; 00 where it has none."""

meterIDType = Annotated[str, Length(0, 32)]
"""Number of the meter."""

faultCodeType = Literal["ParsingError", "NoTLSRootCertificatAvailable", "UnknownError"]
"""Kind of a fault."""

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
"""OK: the session goes on; FAILED: it ends."""

unitMultiplierType = Annotated[int, Range(-3, 3)]
"""Power of ten."""

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
"""Unit of a PhysicalValueType."""

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
"""What a DC EVSE does, or why it does not."""

isolationLevelType = Literal["Invalid", "Valid", "Warning", "Fault"]
"""What isolation monitoring found."""

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
"""Why a DC EV does not charge, or NO_ERROR."""


class PhysicalValueType(Message):
    """Value times ten to the power of Multiplier, in Unit."""

    Multiplier: unitMultiplierType
    Unit: unitSymbolType | None = None
    Value: short


class MeterInfoType(Message):
    """Reading of the meter, and when (TMeter): seconds since 1970 (UTC)."""

    MeterID: meterIDType
    MeterReading: PhysicalValueType | None = None
    SigMeterReading: sigMeterReadingType | None = None
    MeterStatus: meterStatusType | None = None
    TMeter: long | None = None


class NotificationType(Message):
    """A fault, told in the header."""

    FaultCode: faultCodeType
    FaultMsg: faultMsgType | None = None


class EVSEStatusType(Message, abstract=True, element="EVSEStatus"):
    """Stands for the status of an AC or DC EVSE."""


class AC_EVSEStatusType(EVSEStatusType, element="AC_EVSEStatus", substitutes=EVSEStatusType):
    """Contactor, RCD (true: it has tripped), and a notification to react to within NotificationMaxDelay s."""

    PowerSwitchClosed: bool
    RCD: bool
    NotificationMaxDelay: unsignedInt
    EVSENotification: EVSENotificationType


class EVStatusType(Message, abstract=True, element="EVStatus"):
    """Stands for the EV's status."""


class DC_EVSEStatusType(EVSEStatusType, element="DC_EVSEStatus", substitutes=EVSEStatusType):
    """Isolation, state, and a notification to react to within NotificationMaxDelay s."""

    EVSEIsolationStatus: isolationLevelType | None = None
    EVSEStatusCode: DC_EVSEStatusCodeType
    NotificationMaxDelay: unsignedInt
    EVSENotification: EVSENotificationType


class DC_EVStatusType(EVStatusType, element="DC_EVStatus", substitutes=EVStatusType):
    """Readiness and error of a DC EV, conditioning, charge of the battery in %."""

    EVReady: bool
    EVCabinConditioning: bool | None = None
    EVRESSConditioning: bool | None = None
    EVErrorCode: DC_EVErrorCodeType
    EVRESSSOC: percentValueType
