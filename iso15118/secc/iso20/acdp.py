"""ISO 15118-20, the charger's answers where an arm comes down to the vehicle (ACDP). In between it is DC, for as long as the arm has contact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iso15118.approach import Approach, Arm, ArmWanted, PositioningWanted, VehicleStatus
from iso15118.connection import Now, Unexpected
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, acdp
from iso15118.secc.iso20.acdp_table import P
from iso15118.secc.iso20.dialect import event_of as event_of_cable
from iso15118.secc.iso20.table import E
from iso15118.secc.iso20.talk import Result, Talk, failed, ok
from iso15118.secc.output import flows
from iso15118.terms import Progress

POSITIONING_S = 300.0
"""So long a vehicle may look for its place (ours): a driver parks."""
ARM_S = 55.0
"""V2G_SECC timeout of what may be ongoing [K]."""
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


def _approach(talk: Talk) -> Approach:
    return talk.facts.approach or Approach()


def positioning(talk: Talk, now: Now, request: acdp.ACDP_VehiclePositioningReq) -> Result:
    """Ongoing until the vehicle stands under the arm."""
    approach = _approach(talk)
    done = approach.positioning is Progress.DONE
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
    approach = _approach(talk)
    return ok(
        talk, now, kind,
        EVSEProcessing="Finished" if done else "Ongoing",
        EVSEElectricalChargingDeviceStatus="State_B" if approach.connected else "State_A",
        EVSEMechanicalChargingDeviceStatus=_ARM[approach.arm],
    )  # fmt: skip


def connect(talk: Talk, now: Now, request: acdp.ACDP_ConnectReq) -> Result:
    """Ongoing until the arm has contact."""
    approach = _approach(talk)
    done = approach.arm is Arm.THERE and approach.connected
    if talk.facts.fault or approach.emergency:
        return failed(talk, now, request, "FAILED", talk.facts.fault or "emergency")
    if not done and not talk.ongoing("connect", now, ARM_S):
        return failed(talk, now, request, "FAILED", "the arm has no contact in time")
    if done:
        talk.done("connect")
    return Result(_moved(talk, now, acdp.ACDP_ConnectRes, done=done), (ArmWanted(down=True),), stay=not done)


def disconnect(talk: Talk, now: Now, request: acdp.ACDP_DisconnectReq) -> Result:
    """Ongoing until the arm is home. It does not begin to move while a current flows."""
    approach = _approach(talk)
    talk.done("connect")
    done = approach.arm is Arm.HOME and not approach.connected
    if not done and not talk.ongoing("disconnect", now, ARM_S):
        return failed(talk, now, request, "FAILED", "the arm does not come home in time")
    if done:
        talk.done("disconnect")
    told = () if flows(talk) else (ArmWanted(down=False),)
    return Result(_moved(talk, now, acdp.ACDP_DisconnectRes, done=done), told, stay=not done)


def system_status(talk: Talk, now: Now, request: acdp.ACDP_SystemStatusReq) -> Result:
    """How both are, beside everything else."""
    said, approach, facts = request.EVTechnicalStatus, _approach(talk), talk.facts
    in_place = approach.positioning is Progress.DONE
    response = ok(
        talk, now, acdp.ACDP_SystemStatusRes,
        EVSEMechanicalChargingDeviceStatus=_ARM[approach.arm],
        EVSEReadyToCharge=in_place and not facts.fault and not approach.emergency,
        EVSEIsolationStatus=_ISOLATION[facts.cable_check],
        EVSEDisabled=False,
        EVSEUtilityInterruptEvent=False,
        EVSEEmergencyShutdown=approach.emergency,
        EVSEMalfunction=bool(facts.fault),
        EVInChargePosition=in_place,
        EVAssociationStatus=bool(talk.session_id),
    )  # fmt: skip
    error = said.EVErrorCode if said.EVErrorCode not in (None, "OK_NoEVError") else None
    told = VehicleStatus(
        said.EVReadyToCharge, said.EVImmobilizationRequest, said.EVImmobilized, said.EVCPStatus or "", said.EVSOC, error or ""
    )
    return Result(response, (told,), stay=True)


def under_the_arm(handlers: Mapping[str, Callable[..., Result]]) -> dict[str, Callable[..., Result]]:
    """Answers of DC that grant nothing without contact."""
    names = ("cable_check", "precharge", "power_start", "dc_loop")
    return {name: _with_contact(handlers[name]) for name in names}


def _with_contact(handler: Callable[..., Result]) -> Callable[..., Result]:
    def answer(talk: Talk, now: Now, request: Any, **more: Any) -> Result:
        approach = _approach(talk)
        if approach.emergency or not approach.connected:
            return failed(talk, now, request, "FAILED", "emergency" if approach.emergency else "the arm has no contact")
        return handler(talk, now, request, **more)

    return answer
