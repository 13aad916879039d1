"""TODO"""

from typing import Annotated, Literal

from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import HEX, REF, Length, Message, Occurs, Range, byte, short, unsignedInt, unsignedLong, unsignedShort

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonTypes"
QUALIFIED_ATTRIBUTES = True


numericIDType = Annotated[int, Range(1, (1 << 32) - 1)]
"""TODO"""

sessionIDType = Annotated[bytes, Length(8, 8), HEX]
"""TODO"""

evseNotificationType = Literal[
    "Pause",
    "ExitStandby",
    "Terminate",
    "ScheduleRenegotiation",
    "ServiceRenegotiation",
    "MeteringConfirmation",
]
"""TODO"""

processingType = Literal["Finished", "Ongoing", "Ongoing_WaitingForCustomerInteraction"]
"""TODO"""

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
"""TODO"""

percentValueType = Annotated[int, Range(0, 100)]
"""TODO"""

identifierType = Annotated[str, Length(0, 255)]
"""TODO"""

nameType = Annotated[str, Length(0, 80)]
"""TODO"""

descriptionType = Annotated[str, Length(0, 160)]
"""TODO"""

meterIDType = Annotated[str, Length(0, 32)]
"""TODO"""

meterSignatureType = Annotated[bytes, Length(0, 64)]
"""TODO"""


class MessageHeaderType(Message):
    """TODO"""

    SessionID: sessionIDType
    TimeStamp: unsignedLong
    Signature: Annotated[ds.SignatureType, REF] | None = None


class V2GMessageType(Message, abstract=True):
    """TODO"""

    Header: MessageHeaderType


class V2GRequestType(V2GMessageType, abstract=True):
    """TODO"""


class V2GResponseType(V2GMessageType, abstract=True):
    """TODO"""

    ResponseCode: responseCodeType


class ChargeParameterDiscoveryReqType(V2GRequestType, abstract=True):
    """TODO"""


class ChargeParameterDiscoveryResType(V2GResponseType, abstract=True):
    """TODO"""


class RationalNumberType(Message):
    """TODO"""

    Exponent: byte
    Value: short


class DisplayParametersType(Message):
    """TODO"""

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
    """TODO"""

    DisplayParameters: DisplayParametersType | None = None
    MeterInfoRequested: bool


class EVSEStatusType(Message):
    """TODO"""

    NotificationMaxDelay: unsignedShort
    EVSENotification: evseNotificationType


class MeterInfoType(Message):
    """TODO"""

    MeterID: meterIDType
    ChargedEnergyReadingWh: unsignedLong
    BPT_DischargedEnergyReadingWh: unsignedLong | None = None
    CapacitiveEnergyReadingVARh: unsignedLong | None = None
    BPT_InductiveEnergyReadingVARh: unsignedLong | None = None
    MeterSignature: meterSignatureType | None = None
    MeterStatus: short | None = None
    MeterTimestamp: unsignedLong | None = None


class DetailedCostType(Message):
    """TODO"""

    Amount: RationalNumberType
    CostPerUnit: RationalNumberType


class DetailedTaxType(Message):
    """TODO"""

    TaxRuleID: numericIDType
    Amount: RationalNumberType


class ReceiptType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    EnergyCosts: DetailedCostType | None = None
    OccupancyCosts: DetailedCostType | None = None
    AdditionalServicesCosts: DetailedCostType | None = None
    OverstayCosts: DetailedCostType | None = None
    TaxCosts: Annotated[tuple[DetailedTaxType, ...], Occurs(0, 10)] = ()


class ChargeLoopResType(V2GResponseType, abstract=True):
    """TODO"""

    EVSEStatus: EVSEStatusType | None = None
    MeterInfo: MeterInfoType | None = None
    Receipt: ReceiptType | None = None


class CLReqControlModeType(Message, abstract=True, element="CLReqControlMode"):
    """TODO"""


class CLResControlModeType(Message, abstract=True, element="CLResControlMode"):
    """TODO"""


class Scheduled_CLReqControlModeType(CLReqControlModeType, abstract=True):
    """TODO"""

    EVTargetEnergyRequest: RationalNumberType | None = None
    EVMaximumEnergyRequest: RationalNumberType | None = None
    EVMinimumEnergyRequest: RationalNumberType | None = None


class Scheduled_CLResControlModeType(CLResControlModeType, abstract=True):
    """TODO"""


class Dynamic_CLReqControlModeType(CLReqControlModeType, abstract=True):
    """TODO"""

    DepartureTime: unsignedInt | None = None
    EVTargetEnergyRequest: RationalNumberType
    EVMaximumEnergyRequest: RationalNumberType
    EVMinimumEnergyRequest: RationalNumberType


class Dynamic_CLResControlModeType(CLResControlModeType, abstract=True):
    """TODO"""

    DepartureTime: unsignedInt | None = None
    MinimumSOC: percentValueType | None = None
    TargetSOC: percentValueType | None = None
    AckMaxDelay: unsignedShort | None = None


class ListOfRootCertificateIDsType(Message):
    """TODO"""

    RootCertificateID: Annotated[tuple[ds.X509IssuerSerialType, ...], Occurs(1, 20)]
