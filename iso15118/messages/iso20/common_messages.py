"""Messages of every session, whichever way the energy goes (ISO 15118-20:2022, schema CommonMessages [K]).

Types of the same schema: `common_services`, `common_schedules`, `common_prices`, `common_certificates`.
"""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, ID, Length, Message, Occurs, OneOf, short, unsignedByte, unsignedLong, unsignedShort
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


authorizationType = Literal["EIM", "PnC"]
"""EIM: card, app or button at the EVSE; PnC: contract certificate in the EV."""

genChallengeType = Annotated[bytes, Length(16, 16)]
"""Random octets that the EV signs to prove that its answer is fresh."""

chargeProgressType = Literal["Start", "Stop", "Standby", "ScheduleRenegotiation"]
"""Where the energy transfer goes next."""

channelSelectionType = Literal["Charge", "Discharge"]
"""Which way a bidirectional transfer begins."""

chargingSessionType = Literal["Pause", "Terminate", "ServiceRenegotiation"]
"""What becomes of the session: to be resumed, over, or back to the choice of services."""

evCheckInStatusType = Literal["CheckIn", "Processing", "Completed"]
"""How far the EV is with checking in to a parking place."""

evCheckOutStatusType = Literal["CheckOut", "Processing", "Completed"]
"""How far the EV is with checking out."""

evseCheckOutStatusType = Literal["Scheduled", "Completed"]
"""How far the EVSE is with checking out."""

parkingMethodType = Literal["AutoParking", "MVGuideManual", "Manual"]
"""Who steers: the car, the driver by the car's guidance, or the driver alone."""


class SessionSetupReq(ct.V2GRequestType, element=True):
    """First message of a session, new or resumed."""

    EVCCID: ct.identifierType


class SessionSetupRes(ct.V2GResponseType, element=True):
    """The header carries the SessionID that holds from now on."""

    EVSEID: ct.identifierType


class AuthorizationSetupReq(ct.V2GRequestType, element=True):
    """Asks how the session may be authorised."""


class SupportedProvidersListType(Message):
    """Mobility providers whose contracts the EVSE takes."""

    ProviderID: Annotated[tuple[ct.nameType, ...], Occurs(1, 128)]


class PnC_ASResAuthorizationModeType(Message):
    """The challenge, and whose contracts are taken; no list: anyone's."""

    GenChallenge: genChallengeType
    SupportedProviders: SupportedProvidersListType | None = None


class EIM_ASResAuthorizationModeType(Message):
    """Empty: nothing is said about EIM beyond that it is offered."""


class AuthorizationSetupRes(ct.V2GResponseType, element=True):
    """Ways of authorisation on offer, and whether contract certificates can be installed."""

    AuthorizationServices: Annotated[tuple[authorizationType, ...], Occurs(1, 2)]
    CertificateInstallationService: bool
    EIM_ASResAuthorizationMode: Annotated[EIM_ASResAuthorizationModeType, OneOf("choice1")] | None = None
    PnC_ASResAuthorizationMode: Annotated[PnC_ASResAuthorizationModeType, OneOf("choice1")] | None = None


class PnC_AReqAuthorizationModeType(Message):
    """Challenge and contract certificate, signed with the contract's key."""

    Id: Annotated[ID, ATTRIBUTE]
    GenChallenge: genChallengeType
    ContractCertificateChain: cc.ContractCertificateChainType


class EIM_AReqAuthorizationModeType(Message):
    """Empty: the EVSE learns from elsewhere who pays."""


class AuthorizationReq(ct.V2GRequestType, element=True):
    """The way that the EV chose; repeated until EVSEProcessing is Finished."""

    SelectedAuthorizationService: authorizationType
    EIM_AReqAuthorizationMode: Annotated[EIM_AReqAuthorizationModeType, OneOf("choice1")] | None = None
    PnC_AReqAuthorizationMode: Annotated[PnC_AReqAuthorizationModeType, OneOf("choice1")] | None = None


class AuthorizationRes(ct.V2GResponseType, element=True):
    """Whether the authorisation is through."""

    EVSEProcessing: ct.processingType


class ServiceDiscoveryReq(ct.V2GRequestType, element=True):
    """Asks for services, perhaps among a few only."""

    SupportedServiceIDs: sv.ServiceIDListType | None = None


class ServiceDiscoveryRes(ct.V2GResponseType, element=True):
    """Ways of energy transfer, and services beside it, that are on offer."""

    ServiceRenegotiationSupported: bool
    EnergyTransferServiceList: sv.ServiceListType
    VASList: sv.ServiceListType | None = None


class ServiceDetailReq(ct.V2GRequestType, element=True):
    """Asks for the parameter sets of one service."""

    ServiceID: sv.serviceIDType


class ServiceDetailRes(ct.V2GResponseType, element=True):
    """Parameter sets of one service."""

    ServiceID: sv.serviceIDType
    ServiceParameterList: sv.ServiceParameterListType


class ServiceSelectionReq(ct.V2GRequestType, element=True):
    """One way of energy transfer and any services beside it, each with a parameter set."""

    SelectedEnergyTransferService: sv.SelectedServiceType
    SelectedVASList: sv.SelectedServiceListType | None = None


class ServiceSelectionRes(ct.V2GResponseType, element=True):
    """Whether the choice is taken."""


class ScheduleExchangeReq(ct.V2GRequestType, element=True):
    """What the EV needs; MaximumSupportingPoints: entries of a schedule that it can take."""

    MaximumSupportingPoints: cs.maxSupportingPointsScheduleTupleType
    Dynamic_SEReqControlMode: Annotated[cs.Dynamic_SEReqControlModeType, OneOf("choice1")] | None = None
    Scheduled_SEReqControlMode: Annotated[cs.Scheduled_SEReqControlModeType, OneOf("choice1")] | None = None


class ScheduleExchangeRes(ct.V2GResponseType, element=True):
    """Schedules to choose from, or targets; GoToPause: come back later."""

    EVSEProcessing: ct.processingType
    GoToPause: bool | None = None
    Dynamic_SEResControlMode: Annotated[cs.Dynamic_SEResControlModeType, OneOf("choice1")] | None = None
    Scheduled_SEResControlMode: Annotated[cs.Scheduled_SEResControlModeType, OneOf("choice1")] | None = None


class PowerDeliveryReq(ct.V2GRequestType, element=True):
    """Start, stop, standby or new schedules, with the power that the EV plans to draw."""

    EVProcessing: ct.processingType
    ChargeProgress: chargeProgressType
    EVPowerProfile: cs.EVPowerProfileType | None = None
    BPT_ChannelSelection: channelSelectionType | None = None


class PowerDeliveryRes(ct.V2GResponseType, element=True):
    """Whether the power path is as asked for."""

    EVSEStatus: ct.EVSEStatusType | None = None


class Scheduled_SMDTControlModeType(Message):
    """The schedule by which the metered energy was delivered."""

    SelectedScheduleTupleID: ct.numericIDType


class Dynamic_SMDTControlModeType(Message):
    """Empty: no schedule was chosen."""


class SignedMeteringDataType(Message, element="SignedMeteringData"):
    """Reading and receipt that the EV confirms by its signature."""

    Id: Annotated[ID, ATTRIBUTE]
    SessionID: ct.sessionIDType
    MeterInfo: ct.MeterInfoType
    Receipt: ct.ReceiptType | None = None
    Dynamic_SMDTControlMode: Annotated[Dynamic_SMDTControlModeType, OneOf("choice1")] | None = None
    Scheduled_SMDTControlMode: Annotated[Scheduled_SMDTControlModeType, OneOf("choice1")] | None = None


class MeteringConfirmationReq(ct.V2GRequestType, element=True):
    """The EV confirms what the meter has counted."""

    SignedMeteringData: SignedMeteringDataType


class MeteringConfirmationRes(ct.V2GResponseType, element=True):
    """Whether the signature was right."""


class SessionStopReq(ct.V2GRequestType, element=True):
    """The EV ends or pauses the session, or goes back to the choice of services."""

    ChargingSession: chargingSessionType
    EVTerminationCode: ct.nameType | None = None
    EVTerminationExplanation: ct.descriptionType | None = None


class SessionStopRes(ct.V2GResponseType, element=True):
    """Whether the end or pause is taken."""


class CertificateInstallationReq(ct.V2GRequestType, element=True):
    """Asks for contract certificates by the provisioning certificate that the maker gave the EV."""

    OEMProvisioningCertificateChain: cc.SignedCertificateChainType
    ListOfRootCertificateIDs: ct.ListOfRootCertificateIDsType
    MaximumContractCertificateChains: unsignedByte
    PrioritizedEMAIDs: cc.EMAIDListType | None = None


class CertificateInstallationRes(ct.V2GResponseType, element=True):
    """One contract certificate with its key; RemainingContractCertificateChains: how many more can be asked for."""

    EVSEProcessing: ct.processingType
    CPSCertificateChain: cc.CertificateChainType
    SignedInstallationData: cc.SignedInstallationDataType
    RemainingContractCertificateChains: unsignedByte


class VehicleCheckInReq(ct.V2GRequestType, element=True):
    """The EV arrives at a parking place and says how it parks."""

    EVCheckInStatus: evCheckInStatusType
    ParkingMethod: parkingMethodType
    VehicleFrame: short | None = None
    DeviceOffset: short | None = None
    VehicleTravel: short | None = None


class VehicleCheckInRes(ct.V2GResponseType, element=True):
    """Where the place and the charging device are."""

    ParkingSpace: short | None = None
    DeviceLocation: short | None = None
    TargetDistance: short | None = None


class VehicleCheckOutReq(ct.V2GRequestType, element=True):
    """The EV leaves; CheckOutTime in seconds since 1970 (UTC)."""

    EVCheckOutStatus: evCheckOutStatusType
    CheckOutTime: unsignedLong


class VehicleCheckOutRes(ct.V2GResponseType, element=True):
    """Whether the leaving is planned or done."""

    EVSECheckOutStatus: evseCheckOutStatusType


class TargetPositionType(Message):
    """Offset of the place to park at; no message has one."""

    TargetOffsetX: unsignedShort
    TargetOffsetY: unsignedShort
