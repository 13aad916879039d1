"""The messages (ISO 15118-2:2014, Annex C [K])."""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, ID, REF, Message, long, short, unsignedShort
from iso15118.messages.iso2 import data_certificates as ce
from iso15118.messages.iso2 import data_charging as ch
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import data_services as sv
from iso15118.messages.iso2 import msg_data_types as dt

NAMESPACE = "urn:iso:15118:2:2013:MsgBody"
QUALIFIED_ATTRIBUTES = True


class BodyBaseType(Message, abstract=True, element="BodyElement"):
    """Stands for any message."""


class BodyType(Message):
    """The one message of a document."""

    BodyElement: Annotated[BodyBaseType, REF] | None = None


class SessionSetupReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV opens a session, or resumes the one in the header."""

    EVCCID: dt.evccIDType


class SessionSetupRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The session is open; EVSETimeStamp is the SECC's clock in seconds since 1970 (UTC)."""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    EVSETimeStamp: long | None = None


class ServiceDiscoveryReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV asks for services, of one scope or category if it says so."""

    ServiceScope: sv.serviceScopeType | None = None
    ServiceCategory: sv.serviceCategoryType | None = None


class ServiceDiscoveryRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Ways of paying, charging, and other services."""

    ResponseCode: dt.responseCodeType
    PaymentOptionList: sv.PaymentOptionListType
    ChargeService: sv.ChargeServiceType
    ServiceList: sv.ServiceListType | None = None


class ServiceDetailReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV asks for the parameter sets of a service."""

    ServiceID: sv.serviceIDType


class ServiceDetailRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Parameter sets of a service."""

    ResponseCode: dt.responseCodeType
    ServiceID: sv.serviceIDType
    ServiceParameterList: sv.ServiceParameterListType | None = None


class PaymentServiceSelectionReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV chooses a way of paying, and services."""

    SelectedPaymentOption: sv.paymentOptionType
    SelectedServiceList: sv.SelectedServiceListType


class PaymentServiceSelectionRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Whether the choice is taken."""

    ResponseCode: dt.responseCodeType


class PaymentDetailsReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Plug and charge: the contract and its certificates."""

    eMAID: ce.eMAIDType
    ContractSignatureCertChain: ce.CertificateChainType


class PaymentDetailsRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Plug and charge: a challenge; the SECC's clock in seconds since 1970 (UTC)."""

    ResponseCode: dt.responseCodeType
    GenChallenge: ce.genChallengeType
    EVSETimeStamp: long


class AuthorizationReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV asks whether it may charge: under a contract with the challenge, signed, else empty."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    GenChallenge: ce.genChallengeType | None = None


class AuthorizationRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Whether the EV may charge, or that this is not decided yet."""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType


class ChargeParameterDiscoveryReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV tells its needs and limits."""

    MaxEntriesSAScheduleTuple: unsignedShort | None = None
    RequestedEnergyTransferMode: sv.EnergyTransferModeType
    EVChargeParameter: Annotated[ch.EVChargeParameterType, REF]


class ChargeParameterDiscoveryRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Limits of the EVSE, and schedules as soon as they are known."""

    ResponseCode: dt.responseCodeType
    EVSEProcessing: dt.EVSEProcessingType
    SASchedules: Annotated[sc.SASchedulesType, REF] | None = None
    EVSEChargeParameter: Annotated[ch.EVSEChargeParameterType, REF]


class PowerDeliveryReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV asks for power, for no more of it, or for other schedules."""

    ChargeProgress: dt.chargeProgressType
    SAScheduleTupleID: sc.SAIDType
    ChargingProfile: sc.ChargingProfileType | None = None
    EVPowerDeliveryParameter: Annotated[ch.EVPowerDeliveryParameterType, REF] | None = None


class PowerDeliveryRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Whether power is on or off as asked for."""

    ResponseCode: dt.responseCodeType
    EVSEStatus: Annotated[dt.EVSEStatusType, REF]


class MeteringReceiptReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV gives a reading back, signed: it has seen what it took."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    SessionID: dt.sessionIDType
    SAScheduleTupleID: sc.SAIDType | None = None
    MeterInfo: dt.MeterInfoType


class MeteringReceiptRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Whether the receipt is taken."""

    ResponseCode: dt.responseCodeType
    EVSEStatus: Annotated[dt.EVSEStatusType, REF]


class SessionStopReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV ends or pauses the session."""

    ChargingSession: dt.chargingSessionType


class SessionStopRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The last answer of a session."""

    ResponseCode: dt.responseCodeType


class CertificateUpdateReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV asks for a new certificate of its contract, signed with the old one."""

    Id: Annotated[ID, ATTRIBUTE]
    ContractSignatureCertChain: ce.CertificateChainType
    eMAID: ce.eMAIDType
    ListOfRootCertificateIDs: ce.ListOfRootCertificateIDsType


class CertificateUpdateRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """New certificate of a contract, its private key encrypted for this EV; without one, RetryCounter says when to ask again."""

    ResponseCode: dt.responseCodeType
    SAProvisioningCertificateChain: ce.CertificateChainType
    ContractSignatureCertChain: ce.CertificateChainType
    ContractSignatureEncryptedPrivateKey: ce.ContractSignatureEncryptedPrivateKeyType
    DHpublickey: ce.DiffieHellmanPublickeyType
    eMAID: ce.EMAIDType
    RetryCounter: short | None = None


class CertificateInstallationReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """The EV asks for a contract's certificate, signed with the one of its maker."""

    Id: Annotated[ID, ATTRIBUTE]
    OEMProvisioningCert: ce.certificateType
    ListOfRootCertificateIDs: ce.ListOfRootCertificateIDsType


class CertificateInstallationRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """Certificate of a contract, its private key encrypted for this EV."""

    ResponseCode: dt.responseCodeType
    SAProvisioningCertificateChain: ce.CertificateChainType
    ContractSignatureCertChain: ce.CertificateChainType
    ContractSignatureEncryptedPrivateKey: ce.ContractSignatureEncryptedPrivateKeyType
    DHpublickey: ce.DiffieHellmanPublickeyType
    eMAID: ce.EMAIDType


class ChargingStatusReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """AC loop: the EV shows that it is there."""


class ChargingStatusRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """AC loop: greatest current, meter, and whether the EV shall sign for the reading."""

    ResponseCode: dt.responseCodeType
    EVSEID: dt.evseIDType
    SAScheduleTupleID: sc.SAIDType
    EVSEMaxCurrent: dt.PhysicalValueType | None = None
    MeterInfo: dt.MeterInfoType | None = None
    ReceiptRequired: bool | None = None
    AC_EVSEStatus: dt.AC_EVSEStatusType


class CableCheckReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """DC: the EV asks whether the isolation test is done."""

    DC_EVStatus: dt.DC_EVStatusType


class CableCheckRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """DC: what the isolation test found, or that it goes on."""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEProcessing: dt.EVSEProcessingType


class PreChargeReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """DC: the EV asks for its battery's voltage before it closes its contactors."""

    DC_EVStatus: dt.DC_EVStatusType
    EVTargetVoltage: dt.PhysicalValueType
    EVTargetCurrent: dt.PhysicalValueType


class PreChargeRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """DC: the voltage that is there now."""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType


class CurrentDemandReq(BodyBaseType, element=True, substitutes=BodyBaseType):
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


class CurrentDemandRes(BodyBaseType, element=True, substitutes=BodyBaseType):
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
    EVSEID: dt.evseIDType
    SAScheduleTupleID: sc.SAIDType
    MeterInfo: dt.MeterInfoType | None = None
    ReceiptRequired: bool | None = None


class WeldingDetectionReq(BodyBaseType, element=True, substitutes=BodyBaseType):
    """DC: the EV has opened its contactors and asks what voltage is left."""

    DC_EVStatus: dt.DC_EVStatusType


class WeldingDetectionRes(BodyBaseType, element=True, substitutes=BodyBaseType):
    """DC: voltage that is left, by which the EV judges its contactors."""

    ResponseCode: dt.responseCodeType
    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEPresentVoltage: dt.PhysicalValueType
