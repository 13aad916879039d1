"""TODO"""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, IDREF, REF, long, short
from iso15118.messages.din import msg_data_types as dt
from iso15118.messages.din import msg_def as md

NAMESPACE = "urn:din:70121:2012:MsgBody"


class SessionSetupReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    EVCCID: dt.evccIDType


class SessionSetupRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    DateTimeNow: long | None = None


class ServiceDiscoveryReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ServiceScope: dt.serviceScopeType | None = None
    ServiceCategory: dt.serviceCategoryType | None = None


class ServiceDiscoveryRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    PaymentOptions: dt.PaymentOptionsType
    ChargeService: dt.ServiceCharge
    ServiceList: dt.ServiceTagListType | None = None


class ServiceDetailReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ServiceID: dt.serviceIDType


class ServiceDetailRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    ServiceID: dt.serviceIDType
    ServiceParameterList: dt.ServiceParameterListType | None = None


class ServicePaymentSelectionReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    SelectedPaymentOption: dt.paymentOptionType
    SelectedServiceList: dt.SelectedServiceListType


class ServicePaymentSelectionRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType


class PaymentDetailsReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ContractID: dt.contractIDType
    ContractSignatureCertChain: dt.CertificateChainType


class PaymentDetailsRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    GenChallenge: dt.genChallengeType
    DateTimeNow: long


class ContractAuthenticationReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    GenChallenge: dt.genChallengeType | None = None


class ContractAuthenticationRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType


class ChargeParameterDiscoveryReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    EVRequestedEnergyTransferType: dt.EVRequestedEnergyTransferType
    EVChargeParameter: Annotated[dt.EVChargeParameterType, REF]


class ChargeParameterDiscoveryRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType
    SASchedules: Annotated[dt.SASchedulesType, REF]
    EVSEChargeParameter: Annotated[dt.EVSEChargeParameterType, REF]


class PowerDeliveryReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ReadyToChargeState: bool
    ChargingProfile: dt.ChargingProfileType | None = None
    EVPowerDeliveryParameter: Annotated[dt.EVPowerDeliveryParameterType, REF] | None = None


class PowerDeliveryRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEStatus: Annotated[dt.EVSEStatusType, REF]


class ChargingStatusReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""


class ChargingStatusRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    SAScheduleTupleID: dt.SAIDType
    EVSEMaxCurrent: dt.PhysicalValueType | None = None
    MeterInfo: dt.MeterInfoType | None = None
    ReceiptRequired: bool
    AC_EVSEStatus: dt.AC_EVSEStatusType


class MeteringReceiptReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    SessionID: dt.sessionIDType
    SAScheduleTupleID: dt.SAIDType | None = None
    MeterInfo: dt.MeterInfoType


class MeteringReceiptRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    AC_EVSEStatus: dt.AC_EVSEStatusType


class SessionStopReq(md.BodyBaseType, element=True, type_name="SessionStopType", substitutes=md.BodyBaseType):
    """TODO"""


class SessionStopRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType


class CertificateUpdateReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    ContractSignatureCertChain: dt.CertificateChainType
    ContractID: dt.contractIDType
    ListOfRootCertificateIDs: dt.ListOfRootCertificateIDsType
    DHParams: dt.dHParamsType


class CertificateUpdateRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    Id: Annotated[IDREF, ATTRIBUTE]
    ResponseCode: dt.responseCodeType
    ContractSignatureCertChain: dt.CertificateChainType
    ContractSignatureEncryptedPrivateKey: dt.privateKeyType
    DHParams: dt.dHParamsType
    ContractID: dt.contractIDType
    RetryCounter: short


class CertificateInstallationReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    OEMProvisioningCert: dt.certificateType
    ListOfRootCertificateIDs: dt.ListOfRootCertificateIDsType
    DHParams: dt.dHParamsType


class CertificateInstallationRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    Id: Annotated[IDREF, ATTRIBUTE]
    ResponseCode: dt.responseCodeType
    ContractSignatureCertChain: dt.CertificateChainType
    ContractSignatureEncryptedPrivateKey: dt.privateKeyType
    DHParams: dt.dHParamsType
    ContractID: dt.contractIDType


class CableCheckReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    DC_EVStatus: dt.DC_EVStatusType


class CableCheckRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEProcessing: dt.EVSEProcessingType


class PreChargeReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    DC_EVStatus: dt.DC_EVStatusType
    EVTargetVoltage: dt.PhysicalValueType
    EVTargetCurrent: dt.PhysicalValueType


class PreChargeRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType


class CurrentDemandReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
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


class CurrentDemandRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
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


class WeldingDetectionReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    DC_EVStatus: dt.DC_EVStatusType


class WeldingDetectionRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """TODO"""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType
