"""TODO"""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, ID, REF, Message, long, short, unsignedShort
from iso15118.messages.iso2 import msg_data_types as dt

NAMESPACE = "urn:iso:15118:2:2013:MsgBody"
QUALIFIED_ATTRIBUTES = True


class BodyBaseType(Message, abstract=True, element="BodyElement"):
    """TODO"""


class BodyType(Message):
    """TODO"""

    BodyElement: Annotated[BodyBaseType, REF] | None = None


class SessionSetupReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    EVCCID: dt.evccIDType


class SessionSetupRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    EVSETimeStamp: long | None = None


class ServiceDiscoveryReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ServiceScope: dt.serviceScopeType | None = None
    ServiceCategory: dt.serviceCategoryType | None = None


class ServiceDiscoveryRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    PaymentOptionList: dt.PaymentOptionListType
    ChargeService: dt.ChargeServiceType
    ServiceList: dt.ServiceListType | None = None


class ServiceDetailReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ServiceID: dt.serviceIDType


class ServiceDetailRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    ServiceID: dt.serviceIDType
    ServiceParameterList: dt.ServiceParameterListType | None = None


class PaymentServiceSelectionReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    SelectedPaymentOption: dt.paymentOptionType
    SelectedServiceList: dt.SelectedServiceListType


class PaymentServiceSelectionRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType


class PaymentDetailsReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    eMAID: dt.eMAIDType
    ContractSignatureCertChain: dt.CertificateChainType


class PaymentDetailsRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    GenChallenge: dt.genChallengeType
    EVSETimeStamp: long


class AuthorizationReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    GenChallenge: dt.genChallengeType | None = None


class AuthorizationRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType


class ChargeParameterDiscoveryReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    MaxEntriesSAScheduleTuple: unsignedShort | None = None
    RequestedEnergyTransferMode: dt.EnergyTransferModeType
    EVChargeParameter: Annotated[dt.EVChargeParameterType, REF]


class ChargeParameterDiscoveryRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType
    SASchedules: Annotated[dt.SASchedulesType, REF] | None = None
    EVSEChargeParameter: Annotated[dt.EVSEChargeParameterType, REF]


class PowerDeliveryReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ChargeProgress: dt.chargeProgressType
    SAScheduleTupleID: dt.SAIDType
    ChargingProfile: dt.ChargingProfileType | None = None
    EVPowerDeliveryParameter: Annotated[dt.EVPowerDeliveryParameterType, REF] | None = None


class PowerDeliveryRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEStatus: Annotated[dt.EVSEStatusType, REF]


class MeteringReceiptReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    SessionID: dt.sessionIDType
    SAScheduleTupleID: dt.SAIDType | None = None
    MeterInfo: dt.MeterInfoType


class MeteringReceiptRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEStatus: Annotated[dt.EVSEStatusType, REF]


class SessionStopReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ChargingSession: dt.chargingSessionType


class SessionStopRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType


class CertificateUpdateReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    ContractSignatureCertChain: dt.CertificateChainType
    eMAID: dt.eMAIDType
    ListOfRootCertificateIDs: dt.ListOfRootCertificateIDsType


class CertificateUpdateRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    SAProvisioningCertificateChain: dt.CertificateChainType
    ContractSignatureCertChain: dt.CertificateChainType
    ContractSignatureEncryptedPrivateKey: dt.ContractSignatureEncryptedPrivateKeyType
    DHpublickey: dt.DiffieHellmanPublickeyType
    eMAID: dt.EMAIDType
    RetryCounter: short | None = None


class CertificateInstallationReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    OEMProvisioningCert: dt.certificateType
    ListOfRootCertificateIDs: dt.ListOfRootCertificateIDsType


class CertificateInstallationRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    SAProvisioningCertificateChain: dt.CertificateChainType
    ContractSignatureCertChain: dt.CertificateChainType
    ContractSignatureEncryptedPrivateKey: dt.ContractSignatureEncryptedPrivateKeyType
    DHpublickey: dt.DiffieHellmanPublickeyType
    eMAID: dt.EMAIDType


class ChargingStatusReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""


class ChargingStatusRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    SAScheduleTupleID: dt.SAIDType
    EVSEMaxCurrent: dt.PhysicalValueType | None = None
    MeterInfo: dt.MeterInfoType | None = None
    ReceiptRequired: bool | None = None
    AC_EVSEStatus: dt.AC_EVSEStatusType


class CableCheckReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    DC_EVStatus: dt.DC_EVStatusType


class CableCheckRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEProcessing: dt.EVSEProcessingType


class PreChargeReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    DC_EVStatus: dt.DC_EVStatusType
    EVTargetVoltage: dt.PhysicalValueType
    EVTargetCurrent: dt.PhysicalValueType


class PreChargeRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType


class CurrentDemandReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    DC_EVStatus: dt.DC_EVStatusType
    EVTargetCurrent: dt.PhysicalValueType
    EVMaximumVoltageLimit: dt.PhysicalValueType | None = None
    EVMaximumCurrentLimit: dt.PhysicalValueType | None = None
    EVMaximumPowerLimit: dt.PhysicalValueType | None = None
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool
    RemainingTimeToFullSoC: dt.PhysicalValueType | None = None
    RemainingTimeToBulkSoC: dt.PhysicalValueType | None = None
    EVTargetVoltage: dt.PhysicalValueType


class CurrentDemandRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType
    EVSEPresentCurrent: dt.PhysicalValueType
    EVSECurrentLimitAchieved: bool
    EVSEVoltageLimitAchieved: bool
    EVSEPowerLimitAchieved: bool
    EVSEMaximumVoltageLimit: dt.PhysicalValueType | None = None
    EVSEMaximumCurrentLimit: dt.PhysicalValueType | None = None
    EVSEMaximumPowerLimit: dt.PhysicalValueType | None = None
    EVSEID: dt.evseIDType
    SAScheduleTupleID: dt.SAIDType
    MeterInfo: dt.MeterInfoType | None = None
    ReceiptRequired: bool | None = None


class WeldingDetectionReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    DC_EVStatus: dt.DC_EVStatusType


class WeldingDetectionRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType
