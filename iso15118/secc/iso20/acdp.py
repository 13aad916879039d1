"""ISO 15118-20, the charger's answers where an arm comes down to the vehicle (ACDP). In between it is DC, for as long as the arm has contact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from iso15118.approach import Arm, ArmWanted, PositioningWanted, VehicleStatus
from iso15118.connection import Now, Unexpected
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, acdp
from iso15118.secc.iso20.acdp_table import P
from iso15118.secc.iso20.approached import POSITIONING_S, approach_of, stopped, while_right
from iso15118.secc.iso20.dialect import event_of as event_of_cable
from iso15118.secc.iso20.table import E
from iso15118.secc.iso20.talk import Result, Talk, failed, off, ok
from iso15118.secc.output import flows
from iso15118.terms import Progress

ARM_S = 55.0
"""V2G_SECC timeout of what may be ongoing [K]."""
DEAD_V = 60.0
"""Below this the arm may leave its contact (DC that may be touched [K])."""
CONTACT = "contact"
"""What lasts from Connect to the stop of the energy: from then on it has to."""
TROUBLE, LOST = "trouble of the vehicle", "lost meanwhile"
"""What lasts from its word to the stop of the energy, whatever it says meanwhile."""
TROUBLES = ("FAILED_EmergencyEvent", "FAILED_Breaker")
"""Errors of a vehicle that take the energy off at once."""
EVENTS: dict[type[Message], P] = {
    acdp.ACDP_VehiclePositioningReq: P.POSITIONING,
    acdp.ACDP_ConnectReq: P.CONNECT,
    acdp.ACDP_DisconnectReq: P.DISCONNECT,
    acdp.ACDP_SystemStatusReq: P.STATUS,
}
_ARM: dict[Arm, acdp.mechanicalChargingDeviceStatusType] = {Arm.HOME: "Home", Arm.MOVING: "Moving", Arm.THERE: "EndPosition"}
_ISOLATION: dict[Progress, acdp.isolationStatusType] = {
    Progress.NOT_ASKED: "Invalid",
    Progress.UNDER_WAY: "Invalid",
    Progress.DONE: "Safe",
    Progress.FAILED: "Fault",
}


def event_of(request: Message, payload_type: int) -> Any:
    """The table's event for a request. Raises Unexpected for one of AC."""
    found = EVENTS.get(type(request))
    if found is not None:
        return found
    if type(request).__module__ == ac.__name__:
        raise Unexpected(f"{type(request).__name__} under an arm")
    event = event_of_cable(request, payload_type)
    return E.SELECTION_DC if event is E.SELECTION_AC else event


def _wrong(talk: Talk, *, contact: bool) -> str:
    """What stands against an arm that comes down, or against energy over its `contact`."""
    approach = approach_of(talk)
    if why := stopped(talk):
        return why
    if TROUBLE in talk.since:
        return "the vehicle tells of an emergency, or that it is free to roll"
    if LOST in talk.since:
        return "the place, or the contact, was lost while energy was on"
    if approach.positioning is not Progress.DONE:
        return "the vehicle has left its place"
    return "the arm has no contact" if contact and not _touches(talk) else ""


def _touches(talk: Talk) -> bool:
    approach = approach_of(talk)
    return approach.arm is Arm.THERE and approach.connected


def _lost(talk: Talk) -> str:
    """What is wrong where contact has been made; "" before that, and after the energy was stopped."""
    return _wrong(talk, contact=True) if CONTACT in talk.since else ""


def positioning(talk: Talk, now: Now, request: acdp.ACDP_VehiclePositioningReq) -> Result:
    """Ongoing until the vehicle stands under the arm."""
    approach = approach_of(talk)
    done = approach.positioning is Progress.DONE
    if why := stopped(talk):
        return failed(talk, now, request, "FAILED", why)
    if approach.positioning is Progress.FAILED or not (done or talk.ongoing("positioning", now, POSITIONING_S)):
        return failed(talk, now, request, "FAILED", "the vehicle does not come to its place")
    (x, y), (window_x, window_y) = approach.deviation_mm, approach.window_mm
    response = ok(
        talk, now, acdp.ACDP_VehiclePositioningRes,
        EVSEProcessing="Finished" if done else "Ongoing",
        EVSEPositioningSupport=approach.helps,
        EVRelativeXDeviation=_short(x),
        EVRelativeYDeviation=_short(y),
        ContactWindowXc=_short(window_x),
        ContactWindowYc=_short(window_y),
        EVInChargePosition=done,
    )  # fmt: skip
    if done:
        talk.done("positioning")
    return Result(response, (PositioningWanted(request.EVMobilityStatus),), stay=not done)


def _short(value: int) -> int:
    return max(-32768, min(32767, value))


def _moved(talk: Talk, now: Now, kind: type[Any], *, done: bool) -> Any:
    approach = approach_of(talk)
    return ok(
        talk, now, kind,
        EVSEProcessing="Finished" if done else "Ongoing",
        EVSEElectricalChargingDeviceStatus="State_B" if approach.connected else "State_A",
        EVSEMechanicalChargingDeviceStatus=_ARM[approach.arm],
    )  # fmt: skip


def connect(talk: Talk, now: Now, request: acdp.ACDP_ConnectReq) -> Result:
    """Ongoing until the arm has contact. Where it may not come down (any more), it goes home."""
    done, why = _touches(talk), _wrong(talk, contact=False)
    if not why and not done and not talk.ongoing("connect", now, ARM_S):
        why = "the arm has no contact in time"
    if why:
        return failed(talk, now, request, "FAILED", why)._replace(told=_home(talk))
    if done:
        talk.done("connect")
        talk.since.setdefault(CONTACT, now.mono)
    return Result(_moved(talk, now, acdp.ACDP_ConnectRes, done=done), (ArmWanted(down=True),), stay=not done)


def _home(talk: Talk) -> tuple[ArmWanted, ...]:
    """The arm goes home, but not under a current nor under a voltage, nor while nobody knows that."""
    live = flows(talk) or not talk.facts.voltage_known or abs(talk.facts.voltage_V) >= DEAD_V
    return () if live else (ArmWanted(down=False),)


def disconnect(talk: Talk, now: Now, request: acdp.ACDP_DisconnectReq) -> Result:
    """Ongoing until the arm is home. It does not begin to move while its contacts are live."""
    approach = approach_of(talk)
    talk.done("connect")
    done = approach.arm is Arm.HOME and not approach.connected
    if not done and not talk.ongoing("disconnect", now, ARM_S):
        return failed(talk, now, request, "FAILED", "the arm does not come home in time")
    if done:
        for what in ("disconnect", CONTACT, TROUBLE, LOST):
            talk.done(what)
    return Result(_moved(talk, now, acdp.ACDP_DisconnectRes, done=done), _home(talk), stay=not done)


def system_status(talk: Talk, now: Now, request: acdp.ACDP_SystemStatusReq) -> Result:
    """How both are, beside everything else. What must not go on goes off here, whatever the main stream waits for; its next request ends the session."""
    said, approach, facts = request.EVTechnicalStatus, approach_of(talk), talk.facts
    if said.EVErrorCode in TROUBLES or (said.EVImmobilized is False and approach.arm is not Arm.HOME):
        talk.since.setdefault(TROUBLE, now.mono)
    elif CONTACT not in talk.since:
        talk.done(TROUBLE)
    lost = _lost(talk)
    if lost:  # that it comes back lets no energy on again without insulation test and precharge
        talk.since.setdefault(LOST, now.mono)
    response = ok(
        talk, now, acdp.ACDP_SystemStatusRes,
        EVSEMechanicalChargingDeviceStatus=_ARM[approach.arm],
        EVSEReadyToCharge=not _wrong(talk, contact=CONTACT in talk.since),
        EVSEIsolationStatus=_ISOLATION[facts.cable_check],
        EVSEDisabled=False,
        EVSEUtilityInterruptEvent=False,
        EVSEEmergencyShutdown=approach.emergency,
        EVSEMalfunction=bool(facts.fault),
        EVInChargePosition=approach.positioning is Progress.DONE,
        EVAssociationStatus=bool(talk.session_id),
    )  # fmt: skip
    error = said.EVErrorCode if said.EVErrorCode not in (None, "OK_NoEVError") else None
    told = VehicleStatus(
        said.EVReadyToCharge, said.EVImmobilizationRequest, said.EVImmobilized, said.EVCPStatus or "", said.EVSOC, error or ""
    )
    return Result(response, (*(off(talk, lost) if lost else ()), told), stay=True)


_GRANTS = ("cable_check", "precharge", "power_start", "dc_loop")
"""Answers that need contact."""
_BESIDE = (
    "schedule_exchange", "schedule_exchange_aside", "schedule_renegotiation", "other_profile", "metering_confirmation", "power_standby", "check_in",
    "check_out",
)  # fmt: skip
"""And those that may come while energy flows, or while a voltage stays on for it."""


def under_the_arm(handlers: Mapping[str, Callable[..., Result]]) -> dict[str, Callable[..., Result]]:
    """Answers of DC that grant nothing, and leave nothing on, without contact."""
    return while_right(handlers, dict.fromkeys(_GRANTS, partial(_wrong, contact=True)) | dict.fromkeys(_BESIDE, _lost))
