"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import (
    ATTRIBUTE,
    ID,
    Length,
    Message,
    Occurs,
    OneOf,
    Range,
    byte,
    int_,
    short,
    unsignedByte,
    unsignedInt,
    unsignedLong,
    unsignedShort,
)
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


authorizationType = Literal["EIM", "PnC"]
"""TODO"""

genChallengeType = Annotated[bytes, Length(16, 16)]
"""TODO"""

serviceIDType = Annotated[int, Range(0, 65535)]
"""TODO"""

maxSupportingPointsScheduleTupleType = Annotated[int, Range(12, 1024)]
"""TODO"""

chargeProgressType = Literal["Start", "Stop", "Standby", "ScheduleRenegotiation"]
"""TODO"""

channelSelectionType = Literal["Charge", "Discharge"]
"""TODO"""

ecdhCurveType = Literal["SECP521", "X448"]
"""TODO"""

dhPublicKeyType = Annotated[bytes, Length(133, 133)]
"""TODO"""

secp521_EncryptedPrivateKeyType = Annotated[bytes, Length(94, 94)]
"""TODO"""

x448_EncryptedPrivateKeyType = Annotated[bytes, Length(84, 84)]
"""TODO"""

tpm_EncryptedPrivateKeyType = Annotated[bytes, Length(206, 206)]
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

currencyType = Annotated[str, Length(0, 3)]
"""TODO"""

languageType = Annotated[str, Length(0, 3)]
"""TODO"""

powerToleranceAcceptanceType = Literal["PowerToleranceNotConfirmed", "PowerToleranceConfirmed"]
"""TODO"""

certificateType = Annotated[bytes, Length(0, 1600)]
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


class SubCertificatesType(Message):
    """TODO"""

    Certificate: Annotated[tuple[certificateType, ...], Occurs(1, 3)]


class ContractCertificateChainType(Message):
    """TODO"""

    Certificate: certificateType
    SubCertificates: SubCertificatesType


class PnC_AReqAuthorizationModeType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    GenChallenge: genChallengeType
    ContractCertificateChain: ContractCertificateChainType


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


class ServiceIDListType(Message):
    """TODO"""

    ServiceID: Annotated[tuple[serviceIDType, ...], Occurs(1, 16)]


class ServiceDiscoveryReq(ct.V2GRequestType, element=True):
    """TODO"""

    SupportedServiceIDs: ServiceIDListType | None = None


class ServiceType(Message):
    """TODO"""

    ServiceID: serviceIDType
    FreeService: bool


class ServiceListType(Message):
    """TODO"""

    Service: Annotated[tuple[ServiceType, ...], Occurs(1, 8)]


class ServiceDiscoveryRes(ct.V2GResponseType, element=True):
    """TODO"""

    ServiceRenegotiationSupported: bool
    EnergyTransferServiceList: ServiceListType
    VASList: ServiceListType | None = None


class ServiceDetailReq(ct.V2GRequestType, element=True):
    """TODO"""

    ServiceID: serviceIDType


class ParameterType(Message):
    """TODO"""

    Name: Annotated[ct.nameType, ATTRIBUTE]
    boolValue: Annotated[bool, OneOf("choice1")] | None = None
    byteValue: Annotated[byte, OneOf("choice1")] | None = None
    shortValue: Annotated[short, OneOf("choice1")] | None = None
    intValue: Annotated[int_, OneOf("choice1")] | None = None
    rationalNumber: Annotated[ct.RationalNumberType, OneOf("choice1")] | None = None
    finiteString: Annotated[ct.nameType, OneOf("choice1")] | None = None


class ParameterSetType(Message):
    """TODO"""

    ParameterSetID: serviceIDType
    Parameter: Annotated[tuple[ParameterType, ...], Occurs(1, 32)]


class ServiceParameterListType(Message):
    """TODO"""

    ParameterSet: Annotated[tuple[ParameterSetType, ...], Occurs(1, 32)]


class ServiceDetailRes(ct.V2GResponseType, element=True):
    """TODO"""

    ServiceID: serviceIDType
    ServiceParameterList: ServiceParameterListType


class SelectedServiceType(Message):
    """TODO"""

    ServiceID: serviceIDType
    ParameterSetID: serviceIDType


class SelectedServiceListType(Message):
    """TODO"""

    SelectedService: Annotated[tuple[SelectedServiceType, ...], Occurs(1, 16)]


class ServiceSelectionReq(ct.V2GRequestType, element=True):
    """TODO"""

    SelectedEnergyTransferService: SelectedServiceType
    SelectedVASList: SelectedServiceListType | None = None


class ServiceSelectionRes(ct.V2GResponseType, element=True):
    """TODO"""


class EVPowerScheduleEntryType(Message):
    """TODO"""

    Duration: unsignedInt
    Power: ct.RationalNumberType


class EVPowerScheduleEntryListType(Message):
    """TODO"""

    EVPowerScheduleEntry: Annotated[tuple[EVPowerScheduleEntryType, ...], Occurs(1, 1024)]


class EVPowerScheduleType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    EVPowerScheduleEntries: EVPowerScheduleEntryListType


class EVPriceRuleType(Message):
    """TODO"""

    EnergyFee: ct.RationalNumberType
    PowerRangeStart: ct.RationalNumberType


class EVPriceRuleStackType(Message):
    """TODO"""

    Duration: unsignedInt
    EVPriceRule: Annotated[tuple[EVPriceRuleType, ...], Occurs(1, 8)]


class EVPriceRuleStackListType(Message):
    """TODO"""

    EVPriceRuleStack: Annotated[tuple[EVPriceRuleStackType, ...], Occurs(1, 1024)]


class EVAbsolutePriceScheduleType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    Currency: currencyType
    PriceAlgorithm: ct.identifierType
    EVPriceRuleStacks: EVPriceRuleStackListType


class EVEnergyOfferType(Message):
    """TODO"""

    EVPowerSchedule: EVPowerScheduleType
    EVAbsolutePriceSchedule: EVAbsolutePriceScheduleType


class Scheduled_SEReqControlModeType(Message):
    """TODO"""

    DepartureTime: unsignedInt | None = None
    EVTargetEnergyRequest: ct.RationalNumberType | None = None
    EVMaximumEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumEnergyRequest: ct.RationalNumberType | None = None
    EVEnergyOffer: EVEnergyOfferType | None = None


class Dynamic_SEReqControlModeType(Message):
    """TODO"""

    DepartureTime: unsignedInt
    MinimumSOC: ct.percentValueType | None = None
    TargetSOC: ct.percentValueType | None = None
    EVTargetEnergyRequest: ct.RationalNumberType
    EVMaximumEnergyRequest: ct.RationalNumberType
    EVMinimumEnergyRequest: ct.RationalNumberType
    EVMaximumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: ct.RationalNumberType | None = None


class ScheduleExchangeReq(ct.V2GRequestType, element=True):
    """TODO"""

    MaximumSupportingPoints: maxSupportingPointsScheduleTupleType
    Dynamic_SEReqControlMode: Annotated[Dynamic_SEReqControlModeType, OneOf("choice1")] | None = None
    Scheduled_SEReqControlMode: Annotated[Scheduled_SEReqControlModeType, OneOf("choice1")] | None = None


class PowerScheduleEntryType(Message):
    """TODO"""

    Duration: unsignedInt
    Power: ct.RationalNumberType
    Power_L2: ct.RationalNumberType | None = None
    Power_L3: ct.RationalNumberType | None = None


class PowerScheduleEntryListType(Message):
    """TODO"""

    PowerScheduleEntry: Annotated[tuple[PowerScheduleEntryType, ...], Occurs(1, 1024)]


class PowerScheduleType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    AvailableEnergy: ct.RationalNumberType | None = None
    PowerTolerance: ct.RationalNumberType | None = None
    PowerScheduleEntries: PowerScheduleEntryListType


class PriceScheduleType(Message, abstract=True):
    """TODO"""

    TimeAnchor: unsignedLong
    PriceScheduleID: ct.numericIDType
    PriceScheduleDescription: ct.descriptionType | None = None


class PriceLevelScheduleEntryType(Message):
    """TODO"""

    Duration: unsignedInt
    PriceLevel: unsignedByte


class PriceLevelScheduleEntryListType(Message):
    """TODO"""

    PriceLevelScheduleEntry: Annotated[tuple[PriceLevelScheduleEntryType, ...], Occurs(1, 1024)]


class PriceLevelScheduleType(PriceScheduleType):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    NumberOfPriceLevels: unsignedByte
    PriceLevelScheduleEntries: PriceLevelScheduleEntryListType


class TaxRuleType(Message):
    """TODO"""

    TaxRuleID: ct.numericIDType
    TaxRuleName: ct.nameType | None = None
    TaxRate: ct.RationalNumberType
    TaxIncludedInPrice: bool | None = None
    AppliesToEnergyFee: bool
    AppliesToParkingFee: bool
    AppliesToOverstayFee: bool
    AppliesMinimumMaximumCost: bool


class TaxRuleListType(Message):
    """TODO"""

    TaxRule: Annotated[tuple[TaxRuleType, ...], Occurs(1, 10)]


class PriceRuleType(Message):
    """TODO"""

    EnergyFee: ct.RationalNumberType
    ParkingFee: ct.RationalNumberType | None = None
    ParkingFeePeriod: unsignedInt | None = None
    CarbonDioxideEmission: unsignedShort | None = None
    RenewableGenerationPercentage: unsignedByte | None = None
    PowerRangeStart: ct.RationalNumberType


class PriceRuleStackType(Message):
    """TODO"""

    Duration: unsignedInt
    PriceRule: Annotated[tuple[PriceRuleType, ...], Occurs(1, 8)]


class PriceRuleStackListType(Message):
    """TODO"""

    PriceRuleStack: Annotated[tuple[PriceRuleStackType, ...], Occurs(1, 1024)]


class OverstayRuleType(Message):
    """TODO"""

    OverstayRuleDescription: ct.descriptionType | None = None
    StartTime: unsignedInt
    OverstayFee: ct.RationalNumberType
    OverstayFeePeriod: unsignedInt


class OverstayRuleListType(Message):
    """TODO"""

    OverstayTimeThreshold: unsignedInt | None = None
    OverstayPowerThreshold: ct.RationalNumberType | None = None
    OverstayRule: Annotated[tuple[OverstayRuleType, ...], Occurs(1, 5)]


class AdditionalServiceType(Message):
    """TODO"""

    ServiceName: ct.nameType
    ServiceFee: ct.RationalNumberType


class AdditionalServiceListType(Message):
    """TODO"""

    AdditionalService: Annotated[tuple[AdditionalServiceType, ...], Occurs(1, 5)]


class AbsolutePriceScheduleType(PriceScheduleType):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    Currency: currencyType
    Language: languageType
    PriceAlgorithm: ct.identifierType
    MinimumCost: ct.RationalNumberType | None = None
    MaximumCost: ct.RationalNumberType | None = None
    TaxRules: TaxRuleListType | None = None
    PriceRuleStacks: PriceRuleStackListType
    OverstayRules: OverstayRuleListType | None = None
    AdditionalSelectedServices: AdditionalServiceListType | None = None


class ChargingScheduleType(Message):
    """TODO"""

    PowerSchedule: PowerScheduleType
    AbsolutePriceSchedule: Annotated[AbsolutePriceScheduleType, OneOf("choice1", optional=True)] | None = None
    PriceLevelSchedule: Annotated[PriceLevelScheduleType, OneOf("choice1", optional=True)] | None = None


class ScheduleTupleType(Message):
    """TODO"""

    ScheduleTupleID: ct.numericIDType
    ChargingSchedule: ChargingScheduleType
    DischargingSchedule: ChargingScheduleType | None = None


class Scheduled_SEResControlModeType(Message):
    """TODO"""

    ScheduleTuple: Annotated[tuple[ScheduleTupleType, ...], Occurs(1, 3)]


class Dynamic_SEResControlModeType(Message):
    """TODO"""

    DepartureTime: unsignedInt | None = None
    MinimumSOC: ct.percentValueType | None = None
    TargetSOC: ct.percentValueType | None = None
    AbsolutePriceSchedule: Annotated[AbsolutePriceScheduleType, OneOf("choice1", optional=True)] | None = None
    PriceLevelSchedule: Annotated[PriceLevelScheduleType, OneOf("choice1", optional=True)] | None = None


class ScheduleExchangeRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    GoToPause: bool | None = None
    Dynamic_SEResControlMode: Annotated[Dynamic_SEResControlModeType, OneOf("choice1")] | None = None
    Scheduled_SEResControlMode: Annotated[Scheduled_SEResControlModeType, OneOf("choice1")] | None = None


class EVPowerProfileEntryListType(Message):
    """TODO"""

    EVPowerProfileEntry: Annotated[tuple[PowerScheduleEntryType, ...], Occurs(1, 2048)]


class Scheduled_EVPPTControlModeType(Message):
    """TODO"""

    SelectedScheduleTupleID: ct.numericIDType
    PowerToleranceAcceptance: powerToleranceAcceptanceType | None = None


class Dynamic_EVPPTControlModeType(Message):
    """TODO"""


class EVPowerProfileType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    Dynamic_EVPPTControlMode: Annotated[Dynamic_EVPPTControlModeType, OneOf("choice1")] | None = None
    Scheduled_EVPPTControlMode: Annotated[Scheduled_EVPPTControlModeType, OneOf("choice1")] | None = None
    EVPowerProfileEntries: EVPowerProfileEntryListType


class PowerDeliveryReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVProcessing: ct.processingType
    ChargeProgress: chargeProgressType
    EVPowerProfile: EVPowerProfileType | None = None
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


class EMAIDListType(Message):
    """TODO"""

    EMAID: Annotated[tuple[ct.identifierType, ...], Occurs(1, 8)]


class SignedCertificateChainType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class CertificateInstallationReq(ct.V2GRequestType, element=True):
    """TODO"""

    OEMProvisioningCertificateChain: SignedCertificateChainType
    ListOfRootCertificateIDs: ct.ListOfRootCertificateIDsType
    MaximumContractCertificateChains: unsignedByte
    PrioritizedEMAIDs: EMAIDListType | None = None


class SignedInstallationDataType(Message, element="SignedInstallationData"):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    ContractCertificateChain: ContractCertificateChainType
    ECDHCurve: ecdhCurveType
    DHPublicKey: dhPublicKeyType
    SECP521_EncryptedPrivateKey: Annotated[secp521_EncryptedPrivateKeyType, OneOf("choice1")] | None = None
    X448_EncryptedPrivateKey: Annotated[x448_EncryptedPrivateKeyType, OneOf("choice1")] | None = None
    TPM_EncryptedPrivateKey: Annotated[tpm_EncryptedPrivateKeyType, OneOf("choice1")] | None = None


class CertificateChainType(Message):
    """TODO"""

    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class CertificateInstallationRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    CPSCertificateChain: CertificateChainType
    SignedInstallationData: SignedInstallationDataType
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
