"""Wireless power transfer (ISO 15118-20:2022, schema WPT [K]; magnetic side: IEC 61980, ISO 19363).

LF: low-frequency signal, LPE: low power excitation, SD: supply device, PD: primary device (coil in the ground), SPC: supply power
circuit, EVPC: EV power circuit.
"""

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
"""How the EV finds the place over the coil."""

WPT_PairingMethodType = Literal[
    "External confirmation",
    "LPE",
    "LF_TxEV",
    "LF_TxPrimaryDevice",
    "Optical",
    "Proprietary",
]
"""How both sides make sure that they talk to the one that they stand at."""

WPT_AlignmentCheckMethodType = Literal["PowerCheck", "LPE", "Proprietary"]
"""How the place is checked before power flows."""

WPT_EVPCChargeDiagnosticsType = Literal[
    "EVPCNoIssue", "EVPCTempOverheatDetected", "EVPCPowerTransferAnomalyDetected", "EVPCAnomalyDetected"
]
"""What is wrong on the EV's side."""

WPT_SPCChargeDiagnosticsType = Literal[
    "SPCNoIssue",
    "SPCFODDetected",
    "SPCLOPDetected",
    "SPCTempOverheatDetected",
    "SPCPowerTransferAnomalyDetected",
    "SPCAnomalyDetected",
]
"""What is wrong on the ground's side; FOD: foreign object, LOP: living object."""

WPT_PowerClassType = Literal["MF-WPT1", "MF-WPT2", "MF-WPT3", "MF-WPT4"]
"""Input power class of the supply device (IEC 61980-1)."""

WPT_EVResultType = Literal["EVResultUnknown", "EVResultSuccess", "EVResultFailed"]
"""What the EV says of the step."""

bssidType = Annotated[str, Length(0, 12)]
"""MAC address of an access point, twelve hexadecimal digits."""

ipaddressType = Annotated[str, Length(0, 39)]
"""IPv4 or IPv6 address as text."""

WPT_DataContainerType = Annotated[bytes, Length(0, 256)]
"""Octets that only the makers of both sides understand."""


class WPT_FinePositioningMethodListType(Message):
    """Methods that one side knows, its favourite first [K]."""

    WPT_FinePositioningMethod: Annotated[tuple[WPT_FinePositioningMethodType, ...], Occurs(1, 8)]


class WPT_PairingMethodListType(Message):
    """Methods that one side knows, its favourite first [K]."""

    WPT_PairingMethod: Annotated[tuple[WPT_PairingMethodType, ...], Occurs(1, 8)]


class WPT_AlignmentCheckMethodListType(Message):
    """Methods that one side knows, its favourite first [K]."""

    WPT_AlignmentCheckMethod: Annotated[tuple[WPT_AlignmentCheckMethodType, ...], Occurs(1, 8)]


class WPT_CoordinateXYZType(Message):
    """Place or direction of an antenna."""

    Coord_X: short
    Coord_Y: short
    Coord_Z: short


class WPT_TxRxSpecDataType(Message):
    """One transmitter or receiver: where it is and where it looks."""

    TxRxIdentifier: ct.numericIDType
    TxRxPosition: WPT_CoordinateXYZType
    TxRxOrientation: WPT_CoordinateXYZType


class WPT_TxRxPulseOrderType(Message):
    """Which transmitter sends at which place of the sequence."""

    IndexNumber: unsignedShort
    TxRxIdentifier: ct.numericIDType


class WPT_TxRxPackageSpecDataType(Message):
    """How the pulses of a package follow each other."""

    PulseSequenceOrder: Annotated[tuple[WPT_TxRxPulseOrderType, ...], Occurs(2, 255)]
    PulseSeparationTime: unsignedShort
    PulseDuration: unsignedShort
    PackageSeparationTime: unsignedShort


class WPT_LF_TransmitterDataType(Message):
    """The LF transmitters of one side; SignalFrequency in Hz."""

    NumberOfTransmitters: unsignedByte
    SignalFrequency: ct.RationalNumberType
    TxSpecData: Annotated[tuple[WPT_TxRxSpecDataType, ...], Occurs(2, 255)]
    TxPackageSpecData: WPT_TxRxPackageSpecDataType | None = None


class WPT_LF_ReceiverDataType(Message):
    """The LF receivers of one side."""

    NumberOfReceivers: unsignedByte
    RxSpecData: Annotated[tuple[WPT_TxRxSpecDataType, ...], Occurs(2, 255)]


class WPT_LF_SystemSetupDataType(Message):
    """The LF equipment of the sender: it transmits or it receives."""

    LF_TransmitterSetupData: Annotated[WPT_LF_TransmitterDataType, OneOf("choice1")] | None = None
    LF_ReceiverSetupData: Annotated[WPT_LF_ReceiverDataType, OneOf("choice1")] | None = None


class WPT_FinePositioningSetupReq(ct.V2GRequestType, element=True):
    """What the EV can do to find the place, pair and check."""

    EVProcessing: ct.processingType
    EVDeviceFinePositioningMethodList: WPT_FinePositioningMethodListType
    EVDevicePairingMethodList: WPT_PairingMethodListType
    EVDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodListType
    NaturalOffset: unsignedShort
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    LF_SystemSetupData: WPT_LF_SystemSetupDataType | None = None


class WPT_FinePositioningSetupRes(ct.V2GResponseType, element=True):
    """What the ground can do to help find the place, pair and check."""

    PrimaryDeviceFinePositioningMethodList: WPT_FinePositioningMethodListType
    PrimaryDevicePairingMethodList: WPT_PairingMethodListType
    PrimaryDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodListType
    NaturalOffset: unsignedShort
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    LF_SystemSetupData: WPT_LF_SystemSetupDataType | None = None


class WPT_LF_TxDataType(Message):
    """Power that one transmitter radiates."""

    TxIdentifier: ct.numericIDType
    EIRP: ct.RationalNumberType


class WPT_LF_TxDataListType(Message):
    """What the transmitters radiate."""

    WPT_LF_TxDataList: WPT_LF_TxDataType


class WPT_LF_RxRSSIType(Message):
    """How strongly one transmitter is received."""

    TxIdentifier: ct.numericIDType
    RSSI: ct.RationalNumberType


class WPT_LF_RxRSSIListType(Message):
    """How strongly the transmitters are received."""

    RSSIDataList: WPT_LF_RxRSSIType


class WPT_LF_RxDataType(Message):
    """What one receiver hears."""

    RxIdentifier: ct.numericIDType
    RSSIData: WPT_LF_RxRSSIListType


class WPT_LF_RxDataListType(Message):
    """What the receivers hear."""

    WPT_LF_RxDataList: WPT_LF_RxDataType


class WPT_LF_DataPackageType(Message):
    """What was sent or heard in one package of pulses."""

    PackageIndex: unsignedByte
    LF_TxData: Annotated[WPT_LF_TxDataListType, OneOf("choice1")] | None = None
    LF_RxData: Annotated[WPT_LF_RxDataListType, OneOf("choice1")] | None = None


class WPT_LF_DataPackageListType(Message):
    """Packages since the last message."""

    NumPackages: unsignedByte
    WPT_LF_DataPackage: WPT_LF_DataPackageType


class WPT_FinePositioningReq(ct.V2GRequestType, element=True):
    """Measurements on the way to the place, again and again."""

    EVProcessing: ct.processingType
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    WPT_LF_DataPackageList: WPT_LF_DataPackageListType | None = None


class WPT_FinePositioningRes(ct.V2GResponseType, element=True):
    """The ground's measurements on the way to the place."""

    EVSEProcessing: ct.processingType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
    WPT_LF_DataPackageList: WPT_LF_DataPackageListType | None = None


class WPT_PairingReq(ct.V2GRequestType, element=True):
    """The code that the EV has observed."""

    EVProcessing: ct.processingType
    ObservedIDCode: ct.numericIDType | None = None
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class AlternativeSECCType(Message):
    """Another communication controller: where to find it."""

    SSID: ct.identifierType | None = None
    BSSID: bssidType | None = None
    IPAddress: ipaddressType | None = None
    Port: unsignedShort | None = None


class AlternativeSECCListType(Message):
    """Communication controllers that the EV may belong to instead."""

    AlternativeSECC: Annotated[tuple[AlternativeSECCType, ...], Occurs(1, 8)]


class WPT_PairingRes(ct.V2GResponseType, element=True):
    """The code that the ground has observed; other controllers where it does not match."""

    EVSEProcessing: ct.processingType
    ObservedIDCode: ct.numericIDType | None = None
    AlternativeSECCList: AlternativeSECCListType | None = None
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_ChargeParameterDiscoveryReq(ct.ChargeParameterDiscoveryReqType, element=True):
    """The EV's limits: power in W, ground clearance in mm [K], frequency in Hz."""

    EVPCMaxReceivablePower: ct.RationalNumberType
    SDMaxGroundClearence: unsignedShort
    SDMinGroundClearence: unsignedShort
    EVPCNaturalFrequency: ct.RationalNumberType
    EVPCDeviceLocalControl: bool
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_ChargeParameterDiscoveryRes(ct.ChargeParameterDiscoveryResType, element=True):
    """The ground's limits: power in W, ground clearance in mm [K], coil current in A."""

    PDInputPowerClass: WPT_PowerClassType
    SDMinOutputPower: ct.RationalNumberType
    SDMaxOutputPower: ct.RationalNumberType
    SDMaxGroundClearanceSupport: unsignedShort
    SDMinGroundClearanceSupport: unsignedShort
    PDMinCoilCurrent: ct.RationalNumberType
    PDMaxCoilCurrent: ct.RationalNumberType
    SDManufacturerSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_AlignmentCheckReq(ct.V2GRequestType, element=True):
    """Whether the EV finds itself well placed."""

    EVProcessing: ct.processingType
    TargetCoilCurrent: ct.RationalNumberType | None = None
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_AlignmentCheckRes(ct.V2GResponseType, element=True):
    """Whether the ground has finished its check."""

    EVSEProcessing: ct.processingType
    PowerTransmitted: ct.RationalNumberType | None = None
    SupplyDeviceCurrent: ct.RationalNumberType | None = None
    VendorSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_EVPCPowerControlParameterType(Message):
    """The EV's control loop: coil current in A wanted and present, and its output in A and V."""

    EVPCCoilCurrentRequest: ct.RationalNumberType
    EVPCCoilCurrentInformation: ct.RationalNumberType
    EVPCCurrentOutputInformation: ct.RationalNumberType
    EVPCVoltageOutputInformation: ct.RationalNumberType


class WPT_ChargeLoopReq(ct.ChargeLoopReqType, element=True):
    """Power in W that the EV wants and gets, again and again."""

    EVPCPowerRequest: ct.RationalNumberType
    EVPCPowerOutput: ct.RationalNumberType
    EVPCChargeDiagnostics: WPT_EVPCChargeDiagnosticsType
    EVPCOperatingFrequency: ct.RationalNumberType | None = None
    EVPCPowerControlParameter: WPT_EVPCPowerControlParameterType | None = None
    ManufacturerSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()


class WPT_SPCPowerControlParameterType(Message):
    """The ground's control loop: coil current in A."""

    SPCPrimaryDeviceCoilCurrentInformation: ct.RationalNumberType


class WPT_ChargeLoopRes(ct.ChargeLoopResType, element=True):
    """Power in W that the ground may give, again and again."""

    EVPCPowerRequest: ct.RationalNumberType
    SDPowerInput: ct.RationalNumberType | None = None
    SPCMaxOutputPowerLimit: ct.RationalNumberType
    SPCMinOutputPowerLimit: ct.RationalNumberType
    SPCChargeDiagnostics: WPT_SPCChargeDiagnosticsType
    SPCOperatingFrequency: ct.RationalNumberType | None = None
    SPCPowerControlParameter: WPT_SPCPowerControlParameterType | None = None
    ManufacturerSpecificDataContainer: Annotated[tuple[WPT_DataContainerType, ...], Occurs(0, 16)] = ()
