"""AC charging: the EV has the charger (ISO 15118-20:2022, schema AC [K]).

Active power in W, reactive power in var; without L2 and L3 the value is the sum of the phases, with them that of L1 [K].
"""

from typing import Annotated

from iso15118.messages.declare import REF, Message
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:AC"
QUALIFIED_ATTRIBUTES = True


class AC_CPDReqEnergyTransferModeType(Message, element="AC_CPDReqEnergyTransferMode"):
    """The EV's limits when charging."""

    EVMaximumChargePower: ct.RationalNumberType
    EVMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVMinimumChargePower: ct.RationalNumberType
    EVMinimumChargePower_L2: ct.RationalNumberType | None = None
    EVMinimumChargePower_L3: ct.RationalNumberType | None = None


class AC_ChargeParameterDiscoveryReq(ct.ChargeParameterDiscoveryReqType, element=True):
    """The EV's limits for AC."""

    AC_CPDReqEnergyTransferMode: Annotated[AC_CPDReqEnergyTransferModeType, REF]


class AC_CPDResEnergyTransferModeType(Message, element="AC_CPDResEnergyTransferMode"):
    """The EVSE's limits when charging, frequency in Hz, and what the EVSE has delivered up to now."""

    EVSEMaximumChargePower: ct.RationalNumberType
    EVSEMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVSEMinimumChargePower: ct.RationalNumberType
    EVSEMinimumChargePower_L2: ct.RationalNumberType | None = None
    EVSEMinimumChargePower_L3: ct.RationalNumberType | None = None
    EVSENominalFrequency: ct.RationalNumberType
    MaximumPowerAsymmetry: ct.RationalNumberType | None = None
    EVSEPowerRampLimitation: ct.RationalNumberType | None = None
    EVSEPresentActivePower: ct.RationalNumberType | None = None
    EVSEPresentActivePower_L2: ct.RationalNumberType | None = None
    EVSEPresentActivePower_L3: ct.RationalNumberType | None = None


class AC_ChargeParameterDiscoveryRes(ct.ChargeParameterDiscoveryResType, element=True):
    """The EVSE's limits for AC."""

    AC_CPDResEnergyTransferMode: Annotated[AC_CPDResEnergyTransferModeType, REF]


class AC_ChargeLoopReq(ct.ChargeLoopReqType, element=True):
    """The EV's present values and wishes, again and again."""

    CLReqControlMode: Annotated[ct.CLReqControlModeType, REF]


class AC_ChargeLoopRes(ct.ChargeLoopResType, element=True):
    """The EVSE's targets, again and again; EVSETargetFrequency in Hz."""

    EVSETargetFrequency: ct.RationalNumberType | None = None
    CLResControlMode: Annotated[ct.CLResControlModeType, REF]


class BPT_AC_CPDReqEnergyTransferMode(AC_CPDReqEnergyTransferModeType, element=True, substitutes=AC_CPDReqEnergyTransferModeType):
    """The EV's limits when discharging, too."""

    EVMaximumDischargePower: ct.RationalNumberType
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None


class BPT_AC_CPDResEnergyTransferMode(AC_CPDResEnergyTransferModeType, element=True, substitutes=AC_CPDResEnergyTransferModeType):
    """The EVSE's limits when discharging, too."""

    EVSEMaximumDischargePower: ct.RationalNumberType
    EVSEMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVSEMinimumDischargePower: ct.RationalNumberType
    EVSEMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVSEMinimumDischargePower_L3: ct.RationalNumberType | None = None


class Scheduled_AC_CLReqControlMode(ct.Scheduled_CLReqControlModeType, element=True, substitutes=ct.CLReqControlModeType):
    """Scheduled: present values, and limits where they have changed."""

    EVMaximumChargePower: ct.RationalNumberType | None = None
    EVMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVMinimumChargePower: ct.RationalNumberType | None = None
    EVMinimumChargePower_L2: ct.RationalNumberType | None = None
    EVMinimumChargePower_L3: ct.RationalNumberType | None = None
    EVPresentActivePower: ct.RationalNumberType
    EVPresentActivePower_L2: ct.RationalNumberType | None = None
    EVPresentActivePower_L3: ct.RationalNumberType | None = None
    EVPresentReactivePower: ct.RationalNumberType | None = None
    EVPresentReactivePower_L2: ct.RationalNumberType | None = None
    EVPresentReactivePower_L3: ct.RationalNumberType | None = None


class Scheduled_AC_CLResControlMode(ct.Scheduled_CLResControlModeType, element=True, substitutes=ct.CLResControlModeType):
    """Scheduled: targets where the schedule alone does not say it."""

    EVSETargetActivePower: ct.RationalNumberType | None = None
    EVSETargetActivePower_L2: ct.RationalNumberType | None = None
    EVSETargetActivePower_L3: ct.RationalNumberType | None = None
    EVSETargetReactivePower: ct.RationalNumberType | None = None
    EVSETargetReactivePower_L2: ct.RationalNumberType | None = None
    EVSETargetReactivePower_L3: ct.RationalNumberType | None = None
    EVSEPresentActivePower: ct.RationalNumberType | None = None
    EVSEPresentActivePower_L2: ct.RationalNumberType | None = None
    EVSEPresentActivePower_L3: ct.RationalNumberType | None = None


class BPT_Scheduled_AC_CLReqControlMode(Scheduled_AC_CLReqControlMode, element=True, substitutes=Scheduled_AC_CLReqControlMode):
    """Scheduled, both ways: limits of discharging where they have changed, too."""

    EVMaximumDischargePower: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None


class BPT_Scheduled_AC_CLResControlMode(Scheduled_AC_CLResControlMode, element=True, substitutes=Scheduled_AC_CLResControlMode):
    """Scheduled, both ways: a target below zero discharges."""


class Dynamic_AC_CLReqControlMode(ct.Dynamic_CLReqControlModeType, element=True, substitutes=ct.CLReqControlModeType):
    """Dynamic: present values and limits; the EVSE decides within them."""

    EVMaximumChargePower: ct.RationalNumberType
    EVMaximumChargePower_L2: ct.RationalNumberType | None = None
    EVMaximumChargePower_L3: ct.RationalNumberType | None = None
    EVMinimumChargePower: ct.RationalNumberType
    EVMinimumChargePower_L2: ct.RationalNumberType | None = None
    EVMinimumChargePower_L3: ct.RationalNumberType | None = None
    EVPresentActivePower: ct.RationalNumberType
    EVPresentActivePower_L2: ct.RationalNumberType | None = None
    EVPresentActivePower_L3: ct.RationalNumberType | None = None
    EVPresentReactivePower: ct.RationalNumberType
    EVPresentReactivePower_L2: ct.RationalNumberType | None = None
    EVPresentReactivePower_L3: ct.RationalNumberType | None = None


class Dynamic_AC_CLResControlMode(ct.Dynamic_CLResControlModeType, element=True, substitutes=ct.CLResControlModeType):
    """Dynamic: the power that the EV has to take."""

    EVSETargetActivePower: ct.RationalNumberType
    EVSETargetActivePower_L2: ct.RationalNumberType | None = None
    EVSETargetActivePower_L3: ct.RationalNumberType | None = None
    EVSETargetReactivePower: ct.RationalNumberType | None = None
    EVSETargetReactivePower_L2: ct.RationalNumberType | None = None
    EVSETargetReactivePower_L3: ct.RationalNumberType | None = None
    EVSEPresentActivePower: ct.RationalNumberType | None = None
    EVSEPresentActivePower_L2: ct.RationalNumberType | None = None
    EVSEPresentActivePower_L3: ct.RationalNumberType | None = None


class BPT_Dynamic_AC_CLReqControlMode(Dynamic_AC_CLReqControlMode, element=True, substitutes=Dynamic_AC_CLReqControlMode):
    """Dynamic, both ways: limits of discharging, and the energy in Wh within which the EV lets the grid use its battery."""

    EVMaximumDischargePower: ct.RationalNumberType
    EVMaximumDischargePower_L2: ct.RationalNumberType | None = None
    EVMaximumDischargePower_L3: ct.RationalNumberType | None = None
    EVMinimumDischargePower: ct.RationalNumberType
    EVMinimumDischargePower_L2: ct.RationalNumberType | None = None
    EVMinimumDischargePower_L3: ct.RationalNumberType | None = None
    EVMaximumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: ct.RationalNumberType | None = None


class BPT_Dynamic_AC_CLResControlMode(Dynamic_AC_CLResControlMode, element=True, substitutes=Dynamic_AC_CLResControlMode):
    """Dynamic, both ways: a target below zero discharges."""
