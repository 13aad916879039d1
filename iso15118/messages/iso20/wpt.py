"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import Length, Message, Occurs, OneOf, short, unsignedByte, unsignedShort
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:WPT"
QUALIFIED_ATTRIBUTES = True


WPT_FinePositioningMethodType = Literal[
    "Manual",
    "LF_TxEV",
    "LF_TxPrimaryDevice",
    "LPE",
    "Proprietary",
]
"""TODO"""

WPT_PairingMethodType = Literal[
    "External confirmation",
    "LPE",
    "LF_TxEV",
    "LF_TxPrimaryDevice",
    "Optical",
    "Proprietary",
]
"""TODO"""

WPT_AlignmentCheckMethodType = Literal["PowerCheck", "LPE", "Proprietary"]
"""TODO"""

WPT_EVPCChargeDiagnosticsType = Literal[
    "EVPCNoIssue", "EVPCTempOverheatDetected", "EVPCPowerTransferAnomalyDetected", "EVPCAnomalyDetected"
]
"""TODO"""

WPT_SPCChargeDiagnosticsType = Literal[
    "SPCNoIssue",
    "SPCFODDetected",
    "SPCLOPDetected",
    "SPCTempOverheatDetected",
    "SPCPowerTransferAnomalyDetected",
    "SPCAnomalyDetected",
]
"""TODO"""

WPT_PowerClassType = Literal["MF-WPT1", "MF-WPT2", "MF-WPT3", "MF-WPT4"]
"""TODO"""

WPT_EVResultType = Literal["EVResultUnknown", "EVResultSuccess", "EVResultFailed"]
"""TODO"""

bssidType = Annotated[str, Length(0, 12)]
"""TODO"""

ipaddressType = Annotated[str, Length(0, 39)]
"""TODO"""

WPT_DataContainerType = Annotated[bytes, Length(0, 256)]
"""TODO"""


class WPT_FinePositioningMethodListType(Message):
    """TODO"""

    WPT_FinePositioningMethod: Annotated[tuple[WPT_FinePositioningMethodType, ...], Occurs(1, 8)]


class WPT_PairingMethodListType(Message):
    """TODO"""

    WPT_PairingMethod: Annotated[tuple[WPT_PairingMethodType, ...], Occurs(1, 8)]


class WPT_AlignmentCheckMethodListType(Message):
    """TODO"""

    WPT_AlignmentCheckMethod: Annotated[tuple[WPT_AlignmentCheckMethodType, ...], Occurs(1, 8)]


class WPT_CoordinateXYZType(Message):
    """TODO"""

    Coord_X: short
    Coord_Y: short
    Coord_Z: short


class WPT_TxRxSpecDataType(Message):
    """TODO"""

    TxRxIdentifier: ct.numericIDType
    TxRxPosition: WPT_CoordinateXYZType
    TxRxOrientation: WPT_CoordinateXYZType


class WPT_TxRxPulseOrderType(Message):
    """TODO"""

    IndexNumber: unsignedShort
    TxRxIdentifier: ct.numericIDType


class WPT_TxRxPackageSpecDataType(Message):
    """TODO"""

    PulseSequenceOrder: Annotated[tuple[WPT_TxRxPulseOrderType, ...], Occurs(2, 255)]
    PulseSeparationTime: unsignedShort
    PulseDuration: unsignedShort
    PackageSeparationTime: unsignedShort


class WPT_LF_TransmitterDataType(Message):
    """TODO"""

    NumberOfTransmitters: unsignedByte
    SignalFrequency: ct.RationalNumberType
    TxSpecData: Annotated[tuple[WPT_TxRxSpecDataType, ...], Occurs(2, 255)]
    TxPackageSpecData: WPT_TxRxPackageSpecDataType | None = None


class WPT_LF_ReceiverDataType(Message):
    """TODO"""

    NumberOfReceivers: unsignedByte
    RxSpecData: Annotated[tuple[WPT_TxRxSpecDataType, ...], Occurs(2, 255)]


class WPT_LF_SystemSetupDataType(Message):
    """TODO"""

    LF_TransmitterSetupData: Annotated[WPT_LF_TransmitterDataType, OneOf("choice1")] | None = None
    LF_ReceiverSetupData: Annotated[WPT_LF_ReceiverDataType, OneOf("choice1")] | None = None


class WPT_FinePositioningSetupReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVProcessing: ct.processingType
    EVDeviceFinePositioningMethodList: WPT_FinePositioningMethodListType
    EVDevicePairingMethodList: WPT_PairingMethodListType
    EVDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodListType
    NaturalOffset: unsignedShort
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    LF_SystemSetupData: WPT_LF_SystemSetupDataType | None = None


class WPT_FinePositioningSetupRes(ct.V2GResponseType, element=True):
    """TODO"""

    PrimaryDeviceFinePositioningMethodList: WPT_FinePositioningMethodListType
    PrimaryDevicePairingMethodList: WPT_PairingMethodListType
    PrimaryDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodListType
    NaturalOffset: unsignedShort
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    LF_SystemSetupData: WPT_LF_SystemSetupDataType | None = None


class WPT_LF_TxDataType(Message):
    """TODO"""

    TxIdentifier: ct.numericIDType
    EIRP: ct.RationalNumberType


class WPT_LF_TxDataListType(Message):
    """TODO"""

    WPT_LF_TxDataList: WPT_LF_TxDataType


class WPT_LF_RxRSSIType(Message):
    """TODO"""

    TxIdentifier: ct.numericIDType
    RSSI: ct.RationalNumberType


class WPT_LF_RxRSSIListType(Message):
    """TODO"""

    RSSIDataList: WPT_LF_RxRSSIType


class WPT_LF_RxDataType(Message):
    """TODO"""

    RxIdentifier: ct.numericIDType
    RSSIData: WPT_LF_RxRSSIListType


class WPT_LF_RxDataListType(Message):
    """TODO"""

    WPT_LF_RxDataList: WPT_LF_RxDataType


class WPT_LF_DataPackageType(Message):
    """TODO"""

    PackageIndex: unsignedByte
    LF_TxData: Annotated[WPT_LF_TxDataListType, OneOf("choice1")] | None = None
    LF_RxData: Annotated[WPT_LF_RxDataListType, OneOf("choice1")] | None = None


class WPT_LF_DataPackageListType(Message):
    """TODO"""

    NumPackages: unsignedByte
    WPT_LF_DataPackage: WPT_LF_DataPackageType


class WPT_FinePositioningReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVProcessing: ct.processingType
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    WPT_LF_DataPackageList: WPT_LF_DataPackageListType | None = None


class WPT_FinePositioningRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    WPT_LF_DataPackageList: WPT_LF_DataPackageListType | None = None


class WPT_PairingReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVProcessing: ct.processingType
    ObservedIDCode: ct.numericIDType | None = None
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class AlternativeSECCType(Message):
    """TODO"""

    SSID: ct.identifierType | None = None
    BSSID: bssidType | None = None
    IPAddress: ipaddressType | None = None
    Port: unsignedShort | None = None


class AlternativeSECCListType(Message):
    """TODO"""

    AlternativeSECC: Annotated[tuple[AlternativeSECCType, ...], Occurs(1, 8)]


class WPT_PairingRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    ObservedIDCode: ct.numericIDType | None = None
    AlternativeSECCList: AlternativeSECCListType | None = None
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_ChargeParameterDiscoveryReq(ct.ChargeParameterDiscoveryReqType, element=True):
    """TODO"""

    EVPCMaxReceivablePower: ct.RationalNumberType
    SDMaxGroundClearence: unsignedShort
    SDMinGroundClearence: unsignedShort
    EVPCNaturalFrequency: ct.RationalNumberType
    EVPCDeviceLocalControl: bool
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_ChargeParameterDiscoveryRes(ct.ChargeParameterDiscoveryResType, element=True):
    """TODO"""

    PDInputPowerClass: WPT_PowerClassType
    SDMinOutputPower: ct.RationalNumberType
    SDMaxOutputPower: ct.RationalNumberType
    SDMaxGroundClearanceSupport: unsignedShort
    SDMinGroundClearanceSupport: unsignedShort
    PDMinCoilCurrent: ct.RationalNumberType
    PDMaxCoilCurrent: ct.RationalNumberType
    SDManufacturerSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_AlignmentCheckReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVProcessing: ct.processingType
    TargetCoilCurrent: ct.RationalNumberType | None = None
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_AlignmentCheckRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    PowerTransmitted: ct.RationalNumberType | None = None
    SupplyDeviceCurrent: ct.RationalNumberType | None = None
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_EVPCPowerControlParameterType(Message):
    """TODO"""

    EVPCCoilCurrentRequest: ct.RationalNumberType
    EVPCCoilCurrentInformation: ct.RationalNumberType
    EVPCCurrentOutputInformation: ct.RationalNumberType
    EVPCVoltageOutputInformation: ct.RationalNumberType


class WPT_ChargeLoopReq(ct.ChargeLoopReqType, element=True):
    """TODO"""

    EVPCPowerRequest: ct.RationalNumberType
    EVPCPowerOutput: ct.RationalNumberType
    EVPCChargeDiagnostics: WPT_EVPCChargeDiagnosticsType
    EVPCOperatingFrequency: ct.RationalNumberType | None = None
    EVPCPowerControlParameter: WPT_EVPCPowerControlParameterType | None = None
    ManufacturerSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_SPCPowerControlParameterType(Message):
    """TODO"""

    SPCPrimaryDeviceCoilCurrentInformation: ct.RationalNumberType


class WPT_ChargeLoopRes(ct.ChargeLoopResType, element=True):
    """TODO"""

    EVPCPowerRequest: ct.RationalNumberType
    SDPowerInput: ct.RationalNumberType | None = None
    SPCMaxOutputPowerLimit: ct.RationalNumberType
    SPCMinOutputPowerLimit: ct.RationalNumberType
    SPCChargeDiagnostics: WPT_SPCChargeDiagnosticsType
    SPCOperatingFrequency: ct.RationalNumberType | None = None
    SPCPowerControlParameter: WPT_SPCPowerControlParameterType | None = None
    ManufacturerSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
