"""DC charging: the EVSE has the charger (ISO 15118-20:2022, schema DC [K]).

Power in W, current in A, voltage in V.
"""

from typing import Annotated

from iso15118.messages.declare import REF, Message
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:DC"
QUALIFIED_ATTRIBUTES = True


class DC_CPDReqEnergyTransferModeType(Message, element="DC_CPDReqEnergyTransferMode"):
    """The EV's limits when charging; TargetSOC in %."""

    EVMaximumChargePower: ct.RationalNumberType
    EVMinimumChargePower: ct.RationalNumberType
    EVMaximumChargeCurrent: ct.RationalNumberType
    EVMinimumChargeCurrent: ct.RationalNumberType
    EVMaximumVoltage: ct.RationalNumberType
    EVMinimumVoltage: ct.RationalNumberType
    TargetSOC: ct.percentValueType | None = None


class DC_ChargeParameterDiscoveryReq(ct.ChargeParameterDiscoveryReqType, element=True):
    """The EV's limits for DC."""

    DC_CPDReqEnergyTransferMode: Annotated[DC_CPDReqEnergyTransferModeType, REF]


class DC_CPDResEnergyTransferModeType(Message, element="DC_CPDResEnergyTransferMode"):
    """The EVSE's limits when charging; EVSEPowerRampLimitation: how fast its power can change."""

    EVSEMaximumChargePower: ct.RationalNumberType
    EVSEMinimumChargePower: ct.RationalNumberType
    EVSEMaximumChargeCurrent: ct.RationalNumberType
    EVSEMinimumChargeCurrent: ct.RationalNumberType
    EVSEMaximumVoltage: ct.RationalNumberType
    EVSEMinimumVoltage: ct.RationalNumberType
    EVSEPowerRampLimitation: ct.RationalNumberType | None = None


class DC_ChargeParameterDiscoveryRes(ct.ChargeParameterDiscoveryResType, element=True):
    """The EVSE's limits for DC."""

    DC_CPDResEnergyTransferMode: Annotated[DC_CPDResEnergyTransferModeType, REF]


class DC_CableCheckReq(ct.V2GRequestType, element=True):
    """Asks for the insulation test, until it is Finished."""


class DC_CableCheckRes(ct.V2GResponseType, element=True):
    """How far the insulation test is."""

    EVSEProcessing: ct.processingType


class DC_PreChargeReq(ct.V2GRequestType, element=True):
    """Asks for the battery's voltage at the outlet before the EV's contactors close."""

    EVProcessing: ct.processingType
    EVPresentVoltage: ct.RationalNumberType
    EVTargetVoltage: ct.RationalNumberType


class DC_PreChargeRes(ct.V2GResponseType, element=True):
    """The voltage that has been reached."""

    EVSEPresentVoltage: ct.RationalNumberType


class DC_ChargeLoopReq(ct.ChargeLoopReqType, element=True):
    """The EV's present voltage and wishes, again and again."""

    EVPresentVoltage: ct.RationalNumberType
    CLReqControlMode: Annotated[ct.CLReqControlModeType, REF]


class DC_ChargeLoopRes(ct.ChargeLoopResType, element=True):
    """The EVSE's present values, which of its limits holds it back, and its limits, again and again."""

    EVSEPresentCurrent: ct.RationalNumberType
    EVSEPresentVoltage: ct.RationalNumberType
    EVSEPowerLimitAchieved: bool
    EVSECurrentLimitAchieved: bool
    EVSEVoltageLimitAchieved: bool
    CLResControlMode: Annotated[ct.CLResControlModeType, REF]


class DC_WeldingDetectionReq(ct.V2GRequestType, element=True):
    """Asks for the voltage at the outlet while the EV tests its contactors."""

    EVProcessing: ct.processingType


class DC_WeldingDetectionRes(ct.V2GResponseType, element=True):
    """The voltage at the outlet: none when no contact is welded."""

    EVSEPresentVoltage: ct.RationalNumberType


class BPT_DC_CPDReqEnergyTransferMode(DC_CPDReqEnergyTransferModeType, element=True, substitutes=DC_CPDReqEnergyTransferModeType):
    """The EV's limits when discharging, too."""

    EVMaximumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower: ct.RationalNumberType
    EVMaximumDischargeCurrent: ct.RationalNumberType
    EVMinimumDischargeCurrent: ct.RationalNumberType


class BPT_DC_CPDResEnergyTransferMode(DC_CPDResEnergyTransferModeType, element=True, substitutes=DC_CPDResEnergyTransferModeType):
    """The EVSE's limits when discharging, too."""

    EVSEMaximumDischargePower: ct.RationalNumberType
    EVSEMinimumDischargePower: ct.RationalNumberType
    EVSEMaximumDischargeCurrent: ct.RationalNumberType
    EVSEMinimumDischargeCurrent: ct.RationalNumberType


class Scheduled_DC_CLReqControlMode(ct.Scheduled_CLReqControlModeType, element=True, substitutes=ct.CLReqControlModeType):
    """Scheduled: the current and voltage that the EV wants now, and limits where they have changed."""

    EVTargetCurrent: ct.RationalNumberType
    EVTargetVoltage: ct.RationalNumberType
    EVMaximumChargePower: ct.RationalNumberType | None = None
    EVMinimumChargePower: ct.RationalNumberType | None = None
    EVMaximumChargeCurrent: ct.RationalNumberType | None = None
    EVMaximumVoltage: ct.RationalNumberType | None = None
    EVMinimumVoltage: ct.RationalNumberType | None = None


class Scheduled_DC_CLResControlMode(ct.Scheduled_CLResControlModeType, element=True, substitutes=ct.CLResControlModeType):
    """Scheduled: the EVSE's limits where they have changed."""

    EVSEMaximumChargePower: ct.RationalNumberType | None = None
    EVSEMinimumChargePower: ct.RationalNumberType | None = None
    EVSEMaximumChargeCurrent: ct.RationalNumberType | None = None
    EVSEMaximumVoltage: ct.RationalNumberType | None = None


class BPT_Scheduled_DC_CLReqControlMode(Scheduled_DC_CLReqControlMode, element=True, substitutes=Scheduled_DC_CLReqControlMode):
    """Scheduled, both ways: a target current below zero discharges."""

    EVMaximumDischargePower: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType | None = None
    EVMaximumDischargeCurrent: ct.RationalNumberType | None = None


class BPT_Scheduled_DC_CLResControlMode(Scheduled_DC_CLResControlMode, element=True, substitutes=Scheduled_DC_CLResControlMode):
    """Scheduled, both ways: limits of discharging where they have changed, too."""

    EVSEMaximumDischargePower: ct.RationalNumberType | None = None
    EVSEMinimumDischargePower: ct.RationalNumberType | None = None
    EVSEMaximumDischargeCurrent: ct.RationalNumberType | None = None
    EVSEMinimumVoltage: ct.RationalNumberType | None = None


class Dynamic_DC_CLReqControlMode(ct.Dynamic_CLReqControlModeType, element=True, substitutes=ct.CLReqControlModeType):
    """Dynamic: the EV's limits; the EVSE decides within them."""

    EVMaximumChargePower: ct.RationalNumberType
    EVMinimumChargePower: ct.RationalNumberType
    EVMaximumChargeCurrent: ct.RationalNumberType
    EVMaximumVoltage: ct.RationalNumberType
    EVMinimumVoltage: ct.RationalNumberType


class Dynamic_DC_CLResControlMode(ct.Dynamic_CLResControlModeType, element=True, substitutes=ct.CLResControlModeType):
    """Dynamic: the EVSE's limits."""

    EVSEMaximumChargePower: ct.RationalNumberType
    EVSEMinimumChargePower: ct.RationalNumberType
    EVSEMaximumChargeCurrent: ct.RationalNumberType
    EVSEMaximumVoltage: ct.RationalNumberType


class BPT_Dynamic_DC_CLReqControlMode(Dynamic_DC_CLReqControlMode, element=True, substitutes=Dynamic_DC_CLReqControlMode):
    """Dynamic, both ways: limits of discharging, and the energy in Wh within which the EV lets the grid use its battery."""

    EVMaximumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower: ct.RationalNumberType
    EVMaximumDischargeCurrent: ct.RationalNumberType
    EVMaximumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: ct.RationalNumberType | None = None


class BPT_Dynamic_DC_CLResControlMode(Dynamic_DC_CLResControlMode, element=True, substitutes=Dynamic_DC_CLResControlMode):
    """Dynamic, both ways: the EVSE's limits of discharging, too."""

    EVSEMaximumDischargePower: ct.RationalNumberType
    EVSEMinimumDischargePower: ct.RationalNumberType
    EVSEMaximumDischargeCurrent: ct.RationalNumberType
    EVSEMinimumVoltage: ct.RationalNumberType
