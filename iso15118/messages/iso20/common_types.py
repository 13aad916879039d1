"""What all messages share: header, numbers, status, charge loop (ISO 15118-20:2022, schema CommonTypes [K])."""

from typing import Annotated, Literal

from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import HEX, REF, Length, Message, Occurs, Range, byte, short, unsignedInt, unsignedLong, unsignedShort

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonTypes"
QUALIFIED_ATTRIBUTES = True


numericIDType = Annotated[int, Range(1, (1 << 32) - 1)]
"""Number of an entry, by which other places refer to it: tax rule, price schedule, schedule tuple, transmitter."""

sessionIDType = Annotated[bytes, Length(8, 8), HEX]
"""Drawn at random by the SECC; all zero in a SessionSetupReq that resumes nothing."""

evseNotificationType = Literal[
    "Pause",
    "ExitStandby",
    "Terminate",
    "ScheduleRenegotiation",
    "ServiceRenegotiation",
    "MeteringConfirmation",
]
"""What the EVSE asks the EV to do."""

processingType = Literal["Finished", "Ongoing", "Ongoing_WaitingForCustomerInteraction"]
"""Finished, or not yet: the EV then asks again."""

responseCodeType = Literal[
    "OK",
    "OK_CertificateExpiresSoon",
    "OK_NewSessionEstablished",
    "OK_OldSessionJoined",
    "OK_PowerToleranceConfirmed",
    "WARNING_AuthorizationSelectionInvalid",
    "WARNING_CertificateExpired",
    "WARNING_CertificateNotYetValid",
    "WARNING_CertificateRevoked",
    "WARNING_CertificateValidationError",
    "WARNING_ChallengeInvalid",
    "WARNING_EIMAuthorizationFailure",
    "WARNING_eMSPUnknown",
    "WARNING_EVPowerProfileViolation",
    "WARNING_GeneralPnCAuthorizationError",
    "WARNING_NoCertificateAvailable",
    "WARNING_NoContractMatchingPCIDFound",
    "WARNING_PowerToleranceNotConfirmed",
    "WARNING_ScheduleRenegotiationFailed",
    "WARNING_StandbyNotAllowed",
    "WARNING_WPT",
    "FAILED",
    "FAILED_AssociationError",
    "FAILED_ContactorError",
    "FAILED_EVPowerProfileInvalid",
    "FAILED_EVPowerProfileViolation",
    "FAILED_MeteringSignatureNotValid",
    "FAILED_NoEnergyTransferServiceSelected",
    "FAILED_NoServiceRenegotiationSupported",
    "FAILED_PauseNotAllowed",
    "FAILED_PowerDeliveryNotApplied",
    "FAILED_PowerToleranceNotConfirmed",
    "FAILED_ScheduleRenegotiation",
    "FAILED_ScheduleSelectionInvalid",
    "FAILED_SequenceError",
    "FAILED_ServiceIDInvalid",
    "FAILED_ServiceSelectionInvalid",
    "FAILED_SignatureError",
    "FAILED_UnknownSession",
    "FAILED_WrongChargeParameter",
]
"""OK and WARNING: the session goes on; FAILED: it ends."""

percentValueType = Annotated[int, Range(0, 100)]
"""Whole per cent."""

identifierType = Annotated[str, Length(0, 255)]
"""Identifier of an EVCC, an EVSE, a contract (EMAID), a price algorithm, a WLAN."""

nameType = Annotated[str, Length(0, 80)]
"""Short name: provider, parameter, tax, service, termination code."""

descriptionType = Annotated[str, Length(0, 160)]
"""A sentence for people."""

meterIDType = Annotated[str, Length(0, 32)]
"""Identifier of the meter."""

meterSignatureType = Annotated[bytes, Length(0, 64)]
"""The meter's own signature over its reading."""


class MessageHeaderType(Message):
    """TimeStamp in seconds since 1970 (UTC); Signature where parts of the body are signed."""

    SessionID: sessionIDType
    TimeStamp: unsignedLong
    Signature: Annotated[ds.SignatureType, REF] | None = None


class V2GMessageType(Message, abstract=True):
    """Base of all messages."""

    Header: MessageHeaderType


class V2GRequestType(V2GMessageType, abstract=True):
    """Base of what the EV sends."""


class V2GResponseType(V2GMessageType, abstract=True):
    """Base of what the EVSE sends."""

    ResponseCode: responseCodeType


class ChargeParameterDiscoveryReqType(V2GRequestType, abstract=True):
    """Base of the requests in which the EV tells its limits, one for each way of transfer."""


class ChargeParameterDiscoveryResType(V2GResponseType, abstract=True):
    """Base of the responses in which the EVSE tells its limits, one for each way of transfer."""


class RationalNumberType(Message):
    """Value times ten to the power of Exponent."""

    Exponent: byte
    Value: short


class DisplayParametersType(Message):
    """What the EVSE may show to the driver: state of charge in %, times in s from now, capacity in Wh."""

    PresentSOC: percentValueType | None = None
    MinimumSOC: percentValueType | None = None
    TargetSOC: percentValueType | None = None
    MaximumSOC: percentValueType | None = None
    RemainingTimeToMinimumSOC: unsignedInt | None = None
    RemainingTimeToTargetSOC: unsignedInt | None = None
    RemainingTimeToMaximumSOC: unsignedInt | None = None
    ChargingComplete: bool | None = None
    BatteryEnergyCapacity: RationalNumberType | None = None
    InletHot: bool | None = None


class ChargeLoopReqType(V2GRequestType, abstract=True):
    """Base of the requests of the charge loop, one for each way of transfer."""

    DisplayParameters: DisplayParametersType | None = None
    MeterInfoRequested: bool


class EVSEStatusType(Message):
    """What the EVSE asks for, to be done within NotificationMaxDelay (s)."""

    NotificationMaxDelay: unsignedShort
    EVSENotification: evseNotificationType


class MeterInfoType(Message):
    """Reading in Wh and varh; MeterTimestamp in seconds since 1970 (UTC)."""

    MeterID: meterIDType
    ChargedEnergyReadingWh: unsignedLong
    BPT_DischargedEnergyReadingWh: unsignedLong | None = None
    CapacitiveEnergyReadingVARh: unsignedLong | None = None
    BPT_InductiveEnergyReadingVARh: unsignedLong | None = None
    MeterSignature: meterSignatureType | None = None
    MeterStatus: short | None = None
    MeterTimestamp: unsignedLong | None = None


class DetailedCostType(Message):
    """Amount in the currency of the price schedule, and the price of one unit."""

    Amount: RationalNumberType
    CostPerUnit: RationalNumberType


class DetailedTaxType(Message):
    """Amount of one tax, in the currency of the price schedule."""

    TaxRuleID: numericIDType
    Amount: RationalNumberType


class ReceiptType(Message):
    """What the session has cost so far; TimeAnchor in seconds since 1970 (UTC)."""

    TimeAnchor: unsignedLong
    EnergyCosts: DetailedCostType | None = None
    OccupancyCosts: DetailedCostType | None = None
    AdditionalServicesCosts: DetailedCostType | None = None
    OverstayCosts: DetailedCostType | None = None
    TaxCosts: Annotated[tuple[DetailedTaxType, ...], Occurs(0, 10)] = ()


class ChargeLoopResType(V2GResponseType, abstract=True):
    """Base of the responses of the charge loop, one for each way of transfer."""

    EVSEStatus: EVSEStatusType | None = None
    MeterInfo: MeterInfoType | None = None
    Receipt: ReceiptType | None = None


class CLReqControlModeType(Message, abstract=True, element="CLReqControlMode"):
    """Head of the group of what the EV says in the charge loop; the member tells control mode and way of transfer."""


class CLResControlModeType(Message, abstract=True, element="CLResControlMode"):
    """Head of the group of what the EVSE says in the charge loop; its member matches the request's."""


class Scheduled_CLReqControlModeType(CLReqControlModeType, abstract=True):
    """The EV follows the schedule that it chose; its energy needs in Wh."""

    EVTargetEnergyRequest: RationalNumberType | None = None
    EVMaximumEnergyRequest: RationalNumberType | None = None
    EVMinimumEnergyRequest: RationalNumberType | None = None


class Scheduled_CLResControlModeType(CLResControlModeType, abstract=True):
    """The EVSE keeps to the schedule that the EV chose."""


class Dynamic_CLReqControlModeType(CLReqControlModeType, abstract=True):
    """The EVSE decides; the EV's needs in Wh, DepartureTime in s from now."""

    DepartureTime: unsignedInt | None = None
    EVTargetEnergyRequest: RationalNumberType
    EVMaximumEnergyRequest: RationalNumberType
    EVMinimumEnergyRequest: RationalNumberType


class Dynamic_CLResControlModeType(CLResControlModeType, abstract=True):
    """The EVSE decides; DepartureTime in s from now, states of charge in %, AckMaxDelay in s."""

    DepartureTime: unsignedInt | None = None
    MinimumSOC: percentValueType | None = None
    TargetSOC: percentValueType | None = None
    AckMaxDelay: unsignedShort | None = None


class ListOfRootCertificateIDsType(Message):
    """Root certificates that the EV holds."""

    RootCertificateID: Annotated[tuple[ds.X509IssuerSerialType, ...], Occurs(1, 20)]
