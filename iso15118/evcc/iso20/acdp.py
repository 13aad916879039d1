"""ISO 15118-20, the vehicle where an arm comes down to it (ACDP): what it asks, and what it makes of the responses. In between it is DC."""

from __future__ import annotations

from iso15118.approach import Arm, ArmMoved, ChargerStatus, Placed
from iso15118.connection import Now
from iso15118.evcc.iso20 import hear_loop
from iso15118.evcc.iso20.acdp_table import Beside
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.iso20.talk import ONGOING_S, Heard, Talk, again, failed, header, leave, leaving, round_due_s
from iso15118.messages.iso20 import acdp, dc

POSITIONING_S = 300.0
"""So long the charger may take to find us at our place (ours)."""
_ARM = {"Home": Arm.HOME, "Moving": Arm.MOVING, "EndPosition": Arm.THERE}


# ---- asks


def positioning(talk: Talk, now: Now) -> acdp.ACDP_VehiclePositioningReq:
    """Whether we can still move."""
    return acdp.ACDP_VehiclePositioningReq(Header=header(talk, now), EVMobilityStatus=not talk.wants.placed, EVPositioningSupport=True)


def connect(talk: Talk, now: Now) -> acdp.ACDP_ConnectReq:
    """The arm is to come."""
    return acdp.ACDP_ConnectReq(Header=header(talk, now), EVElectricalChargingDeviceStatus="State_A")


def disconnect(talk: Talk, now: Now) -> acdp.ACDP_DisconnectReq:
    """The arm is to go."""
    return acdp.ACDP_DisconnectReq(Header=header(talk, now), EVElectricalChargingDeviceStatus="State_B")


def system_status(talk: Talk, now: Now) -> acdp.ACDP_SystemStatusReq:
    """How we are."""
    shown = talk.wants.shown
    talk.status_at = now.mono
    status = acdp.EVTechnicalStatusType(
        EVReadyToCharge=talk.wants.ready,
        EVImmobilizationRequest=True,
        EVImmobilized=talk.wants.placed,
        EVCPStatus="StateC" if talk.drawing else "StateB",
        EVSOC=shown.soc if shown is not None else None,
        EVErrorCode="OK_NoEVError",
    )
    return acdp.ACDP_SystemStatusReq(Header=header(talk, now), EVTechnicalStatus=status)


# ---- hears


def hear_positioning(talk: Talk, now: Now, response: acdp.ACDP_VehiclePositioningRes) -> Heard:
    """The charger sees us under its arm."""
    there = response.EVSEProcessing == "Finished" and response.EVInChargePosition
    told = Placed((response.EVRelativeXDeviation, response.EVRelativeYDeviation), there)
    if gone := leaving(talk, told, off=False):
        return gone
    if not there:
        return again(talk, told) if talk.ongoing("positioning", now, POSITIONING_S) else failed("the charger does not find us in time")
    return Heard(Said.GO, (told,))


def hear_connect(talk: Talk, now: Now, response: acdp.ACDP_ConnectRes) -> Heard:
    """The arm has contact. A charger that is done without it is asked to take its arm home."""
    told = _moved(response)
    if gone := leaving(talk, told, off=True):
        return gone
    if response.EVSEProcessing == "Finished":
        talk.done("connect")
        if told == ArmMoved(Arm.THERE, connected=True):
            return Heard(Said.GO, (told,))
        return leave(talk, "the charger is done, and its arm has no contact", told, off=True)
    return again(talk, told) if talk.ongoing("connect", now, ONGOING_S) else leave(talk, "the arm has no contact in time", told, off=True)


def hear_disconnect(talk: Talk, now: Now, response: acdp.ACDP_DisconnectRes) -> Heard:
    """The arm is home. Under one that is not nobody drives away, whatever the charger says."""
    told = _moved(response)
    if response.EVSEProcessing == "Finished":
        talk.done("disconnect")
        talk.done("connect")
        if told == ArmMoved(Arm.HOME, connected=False):
            return Heard(Said.END, (told,))
        return failed("the charger is done, and its arm is not home", told)
    return again(talk, told) if talk.ongoing("disconnect", now, ONGOING_S) else failed("the arm does not go home in time", told)


def _moved(response: acdp.ACDP_ConnectRes | acdp.ACDP_DisconnectRes) -> ArmMoved:
    return ArmMoved(_ARM[response.EVSEMechanicalChargingDeviceStatus], response.EVSEElectricalChargingDeviceStatus != "State_A")


def hear_dc_loop(talk: Talk, now: Now, response: dc.DC_ChargeLoopRes) -> Heard:
    """As DC; from time to time we say how we are."""
    heard, every_s = hear_loop.dc_loop(talk, now, response), talk.wants.status_every_s
    due = every_s is not None and (talk.status_at is None or now.mono - talk.status_at >= every_s)
    return Heard(Beside.STATUS, heard.told) if heard.said is Said.AGAIN and due else heard


def hear_status(talk: Talk, now: Now, response: acdp.ACDP_SystemStatusRes) -> Heard:
    """How the charger is. In an emergency we go."""
    told = ChargerStatus(
        response.EVSEReadyToCharge,
        response.EVSEIsolationStatus,
        response.EVInChargePosition,
        response.EVSEDisabled,
        response.EVSEEmergencyShutdown,
        response.EVSEMalfunction,
    )
    if gone := leaving(talk, told, off=True):
        return gone
    if response.EVSEEmergencyShutdown:
        return leave(talk, "emergency of the charger", told, off=True)
    return Heard(Said.GO, (told,), wait_s=round_due_s(talk, now))
