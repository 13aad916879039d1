"""The messages (DIN SPEC 70121:2014 [K])."""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, IDREF, REF, long, short
from iso15118.messages.din import data_certificates as ce
from iso15118.messages.din import data_charging as ch
from iso15118.messages.din import data_schedules as sc
from iso15118.messages.din import data_services as sv
from iso15118.messages.din import msg_data_types as dt
from iso15118.messages.din import msg_def as md

NAMESPACE = "urn:din:70121:2012:MsgBody"


class SessionSetupReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV opens a session, or resumes the one in the header."""

    EVCCID: dt.evccIDType


class SessionSetupRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The session is open; DateTimeNow is the SECC's clock in seconds since 1970 (UTC)."""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    DateTimeNow: long | None = None


class ServiceDiscoveryReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV asks for services, of one scope or category if it says so."""

    ServiceScope: sv.serviceScopeType | None = None
    ServiceCategory: sv.serviceCategoryType | None = None


class ServiceDiscoveryRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Ways of paying, charging, and other services."""

    ResponseCode: dt.responseCodeType
    PaymentOptions: sv.PaymentOptionsType
    ChargeService: sv.ServiceCharge
    ServiceList: sv.ServiceTagListType | None = None


class ServiceDetailReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV asks for the parameter sets of a service."""

    ServiceID: sv.serviceIDType


class ServiceDetailRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Parameter sets of a service."""

    ResponseCode: dt.responseCodeType
    ServiceID: sv.serviceIDType
    ServiceParameterList: sv.ServiceParameterListType | None = None


class ServicePaymentSelectionReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV chooses a way of paying, and services."""

    SelectedPaymentOption: sv.paymentOptionType
    SelectedServiceList: sv.SelectedServiceListType


class ServicePaymentSelectionRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Whether the choice is taken."""

    ResponseCode: dt.responseCodeType


class PaymentDetailsReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Plug and charge: the contract and its certificates."""

    ContractID: ce.contractIDType
    ContractSignatureCertChain: ce.CertificateChainType


class PaymentDetailsRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Plug and charge: a challenge; the SECC's clock in seconds since 1970 (UTC)."""

    ResponseCode: dt.responseCodeType
    GenChallenge: ce.genChallengeType
    DateTimeNow: long


class ContractAuthenticationReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV asks whether it may charge: under a contract with the challenge, signed, else empty."""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    GenChallenge: ce.genChallengeType | None = None


class ContractAuthenticationRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Whether the EV may charge, or that this is not decided yet."""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType


class ChargeParameterDiscoveryReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV tells its needs and limits."""

    EVRequestedEnergyTransferType: sv.EVRequestedEnergyTransferType
    EVChargeParameter: Annotated[ch.EVChargeParameterType, REF]


class ChargeParameterDiscoveryRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Limits of the EVSE, and schedules as soon as they are known."""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType
    SASchedules: Annotated[sc.SASchedulesType, REF]
    EVSEChargeParameter: Annotated[ch.EVSEChargeParameterType, REF]


class PowerDeliveryReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV asks for power, or for no more of it."""

    ReadyToChargeState: bool
    ChargingProfile: sc.ChargingProfileType | None = None
    EVPowerDeliveryParameter: Annotated[ch.EVPowerDeliveryParameterType, REF] | None = None


class PowerDeliveryRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Whether power is on or off as asked for."""

    ResponseCode: dt.responseCodeType
    EVSEStatus: Annotated[dt.EVSEStatusType, REF]


class ChargingStatusReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """AC loop: the EV shows that it is there."""


class ChargingStatusRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """AC loop: greatest current, meter, and whether the EV shall sign for the reading."""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    SAScheduleTupleID: sc.SAIDType
    EVSEMaxCurrent: dt.PhysicalValueType | None = None
    MeterInfo: dt.MeterInfoType | None = None
    ReceiptRequired: bool
    AC_EVSEStatus: dt.AC_EVSEStatusType


class MeteringReceiptReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV gives a reading back, signed: it has seen what it took."""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    SessionID: dt.sessionIDType
    SAScheduleTupleID: sc.SAIDType | None = None
    MeterInfo: dt.MeterInfoType


class MeteringReceiptRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Whether the receipt is taken."""

    ResponseCode: dt.responseCodeType
    AC_EVSEStatus: dt.AC_EVSEStatusType


class SessionStopReq(md.BodyBaseType, element=True, type_name="SessionStopType", substitutes=md.BodyBaseType):
    """The EV ends the session."""


class SessionStopRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The last answer of a session."""

    ResponseCode: dt.responseCodeType


class CertificateUpdateReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV asks for a new certificate of its contract, signed with the old one."""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    ContractSignatureCertChain: ce.CertificateChainType
    ContractID: ce.contractIDType
    ListOfRootCertificateIDs: ce.ListOfRootCertificateIDsType
    DHParams: ce.dHParamsType


class CertificateUpdateRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """New certificate of a contract, its private key encrypted for this EV."""

    Id: Annotated[IDREF, ATTRIBUTE]
    ResponseCode: dt.responseCodeType
    ContractSignatureCertChain: ce.CertificateChainType
    ContractSignatureEncryptedPrivateKey: ce.privateKeyType
    DHParams: ce.dHParamsType
    ContractID: ce.contractIDType
    RetryCounter: short


class CertificateInstallationReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """The EV asks for a contract's certificate, signed with the one of its maker."""

    Id: Annotated[IDREF, ATTRIBUTE] | None = None
    OEMProvisioningCert: ce.certificateType
    ListOfRootCertificateIDs: ce.ListOfRootCertificateIDsType
    DHParams: ce.dHParamsType


class CertificateInstallationRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """Certificate of a contract, its private key encrypted for this EV."""

    Id: Annotated[IDREF, ATTRIBUTE]
    ResponseCode: dt.responseCodeType
    ContractSignatureCertChain: ce.CertificateChainType
    ContractSignatureEncryptedPrivateKey: ce.privateKeyType
    DHParams: ce.dHParamsType
    ContractID: ce.contractIDType


class CableCheckReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """DC: the EV asks whether the isolation test is done."""

    DC_EVStatus: dt.DC_EVStatusType


class CableCheckRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """DC: what the isolation test found, or that it goes on."""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEProcessing: dt.EVSEProcessingType


class PreChargeReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """DC: the EV asks for its battery's voltage before it closes its contactors."""

    DC_EVStatus: dt.DC_EVStatusType
    EVTargetVoltage: dt.PhysicalValueType
    EVTargetCurrent: dt.PhysicalValueType


class PreChargeRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """DC: the voltage that is there now."""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType


class CurrentDemandReq(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """DC loop: current and voltage that the EV wants now, times in s."""

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
    """DC loop: current and voltage that are there now, and limits that are met."""

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
    """DC: the EV has opened its contactors and asks what voltage is left."""

    DC_EVStatus: dt.DC_EVStatusType


class WeldingDetectionRes(md.BodyBaseType, element=True, substitutes=md.BodyBaseType):
    """DC: voltage that is left, by which the EV judges its contactors."""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType
