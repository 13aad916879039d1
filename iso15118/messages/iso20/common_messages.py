"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, ID, Length, Message, Occurs, OneOf, short, unsignedByte, unsignedLong, unsignedShort
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


authorizationType = Literal["EIM", "PnC"]
"""TODO"""

genChallengeType = Annotated[bytes, Length(16, 16)]
"""TODO"""

chargeProgressType = Literal["Start", "Stop", "Standby", "ScheduleRenegotiation"]
"""TODO"""

channelSelectionType = Literal["Charge", "Discharge"]
"""TODO"""

chargingSessionType = Literal["Pause", "Terminate", "ServiceRenegotiation"]
"""TODO"""

evCheckInStatusType = Literal["CheckIn", "Processing", "Completed"]
"""TODO"""

evCheckOutStatusType = Literal["CheckOut", "Processing", "Completed"]
"""TODO"""

evseCheckOutStatusType = Literal["Scheduled", "Completed"]
"""TODO"""

parkingMethodType = Literal["AutoParking", "MVGuideManual", "Manual"]
"""TODO"""


class SessionSetupReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVCCID: ct.identifierType


class SessionSetupRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEID: ct.identifierType


class AuthorizationSetupReq(ct.V2GRequestType, element=True):
    """TODO"""


class SupportedProvidersListType(Message):
    """TODO"""

    ProviderID: Annotated[tuple[ct.nameType, ...], Occurs(1, 128)]


class PnC_ASResAuthorizationModeType(Message):
    """TODO"""

    GenChallenge: genChallengeType
    SupportedProviders: SupportedProvidersListType | None = None


class EIM_ASResAuthorizationModeType(Message):
    """TODO"""


class AuthorizationSetupRes(ct.V2GResponseType, element=True):
    """TODO"""

    AuthorizationServices: Annotated[tuple[authorizationType, ...], Occurs(1, 2)]
    CertificateInstallationService: bool
    EIM_ASResAuthorizationMode: Annotated[EIM_ASResAuthorizationModeType, OneOf("choice1")] | None = None
    PnC_ASResAuthorizationMode: Annotated[PnC_ASResAuthorizationModeType, OneOf("choice1")] | None = None


class PnC_AReqAuthorizationModeType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    GenChallenge: genChallengeType
    ContractCertificateChain: cc.ContractCertificateChainType


class EIM_AReqAuthorizationModeType(Message):
    """TODO"""


class AuthorizationReq(ct.V2GRequestType, element=True):
    """TODO"""

    SelectedAuthorizationService: authorizationType
    EIM_AReqAuthorizationMode: Annotated[EIM_AReqAuthorizationModeType, OneOf("choice1")] | None = None
    PnC_AReqAuthorizationMode: Annotated[PnC_AReqAuthorizationModeType, OneOf("choice1")] | None = None


class AuthorizationRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType


class ServiceDiscoveryReq(ct.V2GRequestType, element=True):
    """TODO"""

    SupportedServiceIDs: sv.ServiceIDListType | None = None


class ServiceDiscoveryRes(ct.V2GResponseType, element=True):
    """TODO"""

    ServiceRenegotiationSupported: bool
    EnergyTransferServiceList: sv.ServiceListType
    VASList: sv.ServiceListType | None = None


class ServiceDetailReq(ct.V2GRequestType, element=True):
    """TODO"""

    ServiceID: sv.serviceIDType


class ServiceDetailRes(ct.V2GResponseType, element=True):
    """TODO"""

    ServiceID: sv.serviceIDType
    ServiceParameterList: sv.ServiceParameterListType


class ServiceSelectionReq(ct.V2GRequestType, element=True):
    """TODO"""

    SelectedEnergyTransferService: sv.SelectedServiceType
    SelectedVASList: sv.SelectedServiceListType | None = None


class ServiceSelectionRes(ct.V2GResponseType, element=True):
    """TODO"""


class ScheduleExchangeReq(ct.V2GRequestType, element=True):
    """TODO"""

    MaximumSupportingPoints: cs.maxSupportingPointsScheduleTupleType
    Dynamic_SEReqControlMode: Annotated[cs.Dynamic_SEReqControlModeType, OneOf("choice1")] | None = None
    Scheduled_SEReqControlMode: Annotated[cs.Scheduled_SEReqControlModeType, OneOf("choice1")] | None = None


class ScheduleExchangeRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    GoToPause: bool | None = None
    Dynamic_SEResControlMode: Annotated[cs.Dynamic_SEResControlModeType, OneOf("choice1")] | None = None
    Scheduled_SEResControlMode: Annotated[cs.Scheduled_SEResControlModeType, OneOf("choice1")] | None = None


class PowerDeliveryReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVProcessing: ct.processingType
    ChargeProgress: chargeProgressType
    EVPowerProfile: cs.EVPowerProfileType | None = None
    BPT_ChannelSelection: channelSelectionType | None = None


class PowerDeliveryRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEStatus: ct.EVSEStatusType | None = None


class Scheduled_SMDTControlModeType(Message):
    """TODO"""

    SelectedScheduleTupleID: ct.numericIDType


class Dynamic_SMDTControlModeType(Message):
    """TODO"""


class SignedMeteringDataType(Message, element="SignedMeteringData"):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    SessionID: ct.sessionIDType
    MeterInfo: ct.MeterInfoType
    Receipt: ct.ReceiptType | None = None
    Dynamic_SMDTControlMode: Annotated[Dynamic_SMDTControlModeType, OneOf("choice1")] | None = None
    Scheduled_SMDTControlMode: Annotated[Scheduled_SMDTControlModeType, OneOf("choice1")] | None = None


class MeteringConfirmationReq(ct.V2GRequestType, element=True):
    """TODO"""

    SignedMeteringData: SignedMeteringDataType


class MeteringConfirmationRes(ct.V2GResponseType, element=True):
    """TODO"""


class SessionStopReq(ct.V2GRequestType, element=True):
    """TODO"""

    ChargingSession: chargingSessionType
    EVTerminationCode: ct.nameType | None = None
    EVTerminationExplanation: ct.descriptionType | None = None


class SessionStopRes(ct.V2GResponseType, element=True):
    """TODO"""


class CertificateInstallationReq(ct.V2GRequestType, element=True):
    """TODO"""

    OEMProvisioningCertificateChain: cc.SignedCertificateChainType
    ListOfRootCertificateIDs: ct.ListOfRootCertificateIDsType
    MaximumContractCertificateChains: unsignedByte
    PrioritizedEMAIDs: cc.EMAIDListType | None = None


class CertificateInstallationRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    CPSCertificateChain: cc.CertificateChainType
    SignedInstallationData: cc.SignedInstallationDataType
    RemainingContractCertificateChains: unsignedByte


class VehicleCheckInReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVCheckInStatus: evCheckInStatusType
    ParkingMethod: parkingMethodType
    VehicleFrame: short | None = None
    DeviceOffset: short | None = None
    VehicleTravel: short | None = None


class VehicleCheckInRes(ct.V2GResponseType, element=True):
    """TODO"""

    ParkingSpace: short | None = None
    DeviceLocation: short | None = None
    TargetDistance: short | None = None


class VehicleCheckOutReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVCheckOutStatus: evCheckOutStatusType
    CheckOutTime: unsignedLong


class VehicleCheckOutRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSECheckOutStatus: evseCheckOutStatusType


class TargetPositionType(Message):
    """TODO"""

    TargetOffsetX: unsignedShort
    TargetOffsetY: unsignedShort
