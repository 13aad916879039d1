"""Charging by an automated connection device, a pantograph for one (ISO 15118-20:2022, schema ACDP [K]).

The charge loop itself is that of DC.
"""

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
"""State of the control pilot as the EV sees it."""

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
"""What is wrong in the EV."""

isolationStatusType = Literal["Invalid", "Safe", "Warning", "Fault"]
"""What the insulation monitor says."""

electricalChargingDeviceStatusType = Literal["State_A", "State_B", "State_C", "State_D"]
"""State of the electrical contact, named as the states of the control pilot."""

mechanicalChargingDeviceStatusType = Literal["Home", "Moving", "EndPosition"]
"""Where the arm is."""


class ACDP_VehiclePositioningReq(ct.V2GRequestType, element=True):
    """Whether the EV can still move, and whether it can use help to find the place."""

    EVMobilityStatus: bool
    EVPositioningSupport: bool


class ACDP_VehiclePositioningRes(ct.V2GResponseType, element=True):
    """How far the EV is off the place, and the window within which contact can be made."""

    EVSEProcessing: ct.processingType
    EVSEPositioningSupport: bool
    EVRelativeXDeviation: short
    EVRelativeYDeviation: short
    ContactWindowXc: short
    ContactWindowYc: short
    EVInChargePosition: bool


class ACDP_ConnectReqType(ct.V2GRequestType):
    """The EV's side of connecting and disconnecting."""

    EVElectricalChargingDeviceStatus: electricalChargingDeviceStatusType


class ACDP_ConnectReq(ACDP_ConnectReqType, element=True, type_name="ACDP_ConnectReqType"):
    """Asks for the arm to come."""


class ACDP_DisconnectReq(ACDP_ConnectReqType, element=True, type_name="ACDP_ConnectReqType"):
    """Asks for the arm to go."""


class ACDP_ConnectResType(ct.V2GResponseType):
    """The EVSE's side of connecting and disconnecting."""

    EVSEProcessing: ct.processingType
    EVSEElectricalChargingDeviceStatus: electricalChargingDeviceStatusType
    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatusType


class ACDP_ConnectRes(ACDP_ConnectResType, element=True, type_name="ACDP_ConnectResType"):
    """How far the arm has come."""


class ACDP_DisconnectRes(ACDP_ConnectResType, element=True, type_name="ACDP_ConnectResType"):
    """How far the arm has gone."""


class EVTechnicalStatusType(Message):
    """What the EV says of itself beside the charge loop; states of charge in %."""

    EVReadyToCharge: bool
    EVImmobilizationRequest: bool
    EVImmobilized: bool | None = None
    EVWLANStrength: ct.RationalNumberType | None = None
    EVCPStatus: cpStatusType | None = None
    EVSOC: ct.percentValueType | None = None
    EVErrorCode: errorCodeType | None = None
    EVTimeout: bool | None = None


class ACDP_SystemStatusReq(ct.V2GRequestType, element=True):
    """The EV's state, beside the messages of the charge loop."""

    EVTechnicalStatus: EVTechnicalStatusType


class ACDP_SystemStatusRes(ct.V2GResponseType, element=True):
    """The EVSE's state, beside the messages of the charge loop."""

    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatusType
    EVSEReadyToCharge: bool
    EVSEIsolationStatus: isolationStatusType
    EVSEDisabled: bool
    EVSEUtilityInterruptEvent: bool
    EVSEEmergencyShutdown: bool
    EVSEMalfunction: bool
    EVInChargePosition: bool
    EVAssociationStatus: bool
