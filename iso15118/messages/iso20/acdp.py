"""TODO"""

from typing import Literal

from iso15118.messages.declare import Message, short
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:ACDP"
QUALIFIED_ATTRIBUTES = True


cpStatusType = Literal[
    "StateA",
    "StateB",
    "StateC",
    "StateD",
    "StateE",
]
"""TODO"""

errorCodeType = Literal[
    "OK_NoEVError",
    "FAILED",
    "FAILED_EmergencyEvent",
    "FAILED_Breaker",
    "FAILED_RESSTemperatureInhibit",
    "FAILED_RESS",
    "FAILED_ChargingCurrentDifferential",
    "FAILED_ChargingVoltageOutOfRange",
    "FAILED_Reserved1",
    "FAILED_Reserved2",
]
"""TODO"""

isolationStatusType = Literal["Invalid", "Safe", "Warning", "Fault"]
"""TODO"""

electricalChargingDeviceStatusType = Literal["State_A", "State_B", "State_C", "State_D"]
"""TODO"""

mechanicalChargingDeviceStatusType = Literal["Home", "Moving", "EndPosition"]
"""TODO"""


class ACDP_VehiclePositioningReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVMobilityStatus: bool
    EVPositioningSupport: bool


class ACDP_VehiclePositioningRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEProcessing: ct.processingType
    EVSEPositioningSupport: bool
    EVRelativeXDeviation: short
    EVRelativeYDeviation: short
    ContactWindowXc: short
    ContactWindowYc: short
    EVInChargePosition: bool


class ACDP_ConnectReqType(ct.V2GRequestType):
    """TODO"""

    EVElectricalChargingDeviceStatus: electricalChargingDeviceStatusType


class ACDP_ConnectReq(ACDP_ConnectReqType, element=True, type_name="ACDP_ConnectReqType"):
    """TODO"""


class ACDP_DisconnectReq(ACDP_ConnectReqType, element=True, type_name="ACDP_ConnectReqType"):
    """TODO"""


class ACDP_ConnectResType(ct.V2GResponseType):
    """TODO"""

    EVSEProcessing: ct.processingType
    EVSEElectricalChargingDeviceStatus: electricalChargingDeviceStatusType
    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatusType


class ACDP_ConnectRes(ACDP_ConnectResType, element=True, type_name="ACDP_ConnectResType"):
    """TODO"""


class ACDP_DisconnectRes(ACDP_ConnectResType, element=True, type_name="ACDP_ConnectResType"):
    """TODO"""


class EVTechnicalStatusType(Message):
    """TODO"""

    EVReadyToCharge: bool
    EVImmobilizationRequest: bool
    EVImmobilized: bool | None = None
    EVWLANStrength: ct.RationalNumberType | None = None
    EVCPStatus: cpStatusType | None = None
    EVSOC: ct.percentValueType | None = None
    EVErrorCode: errorCodeType | None = None
    EVTimeout: bool | None = None


class ACDP_SystemStatusReq(ct.V2GRequestType, element=True):
    """TODO"""

    EVTechnicalStatus: EVTechnicalStatusType


class ACDP_SystemStatusRes(ct.V2GResponseType, element=True):
    """TODO"""

    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatusType
    EVSEReadyToCharge: bool
    EVSEIsolationStatus: isolationStatusType
    EVSEDisabled: bool
    EVSEUtilityInterruptEvent: bool
    EVSEEmergencyShutdown: bool
    EVSEMalfunction: bool
    EVInChargePosition: bool
    EVAssociationStatus: bool
