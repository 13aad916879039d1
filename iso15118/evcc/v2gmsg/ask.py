"""The requests of a vehicle that DIN 70121 and ISO 15118-2 have alike; each takes its message classes from the spelling of its protocol."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.evcc.v2gmsg.plans import planned_W
from iso15118.evcc.v2gmsg.talk import Talk
from iso15118.messages.declare import Message

INRUSH_A = 1.0
"""PreCharge: with more than 2 A nothing may be closed (IEC 61851-23 CC.5.2 [K])."""


def status(talk: Talk, *, ready: bool) -> Any:
    """DC_EVStatus."""
    shown = talk.wants.shown
    soc = shown.soc if shown is not None and shown.soc is not None else 0
    return talk.spelling.types.DC_EVStatusType(EVReady=ready, EVErrorCode=talk.wants.error, EVRESSSOC=min(100, max(0, soc)))


def full(talk: Talk) -> bool:
    """ChargingComplete."""
    return talk.wants.shown is not None and bool(talk.wants.shown.full)


def session_setup(talk: Talk, now: Now) -> Message:
    """A new session, or the paused one: the header says it."""
    request: Message = talk.spelling.body.SessionSetupReq(EVCCID=talk.wants.mac)
    return request


def service_discovery(talk: Talk, now: Now) -> Message:
    """What is there? `narrow`: for charging, where nothing else is wanted."""
    narrow = talk.wants.narrow and not talk.wants.added_services
    request: Message = talk.spelling.body.ServiceDiscoveryReq(ServiceCategory="EVCharging" if narrow else None)
    return request


def selection(talk: Talk, now: Now) -> Message:
    """How it is paid, and what is taken."""
    return talk.spelling.selection(talk)


def authorization(talk: Talk, now: Now) -> Message:
    """May we?"""
    return talk.spelling.authorization(talk)


def parameters(talk: Talk, now: Now) -> Message:
    """Needs and limits of the vehicle."""
    return talk.spelling.parameters(talk)


def dc_limits(talk: Talk) -> dict[str, Any]:
    """What DC_EVChargeParameter of both protocols has."""
    value, wants = talk.spelling.value, talk.wants
    limits, needs, shown = wants.limits, wants.needs, wants.shown
    capacity_Wh = shown.capacity_Wh if shown is not None else None
    return {
        "DC_EVStatus": status(talk, ready=False),
        "EVMaximumCurrentLimit": value("A", limits.max_current_A or 0.0),
        "EVMaximumPowerLimit": None if limits.max_power_W is None else value("W", limits.max_power_W),
        "EVMaximumVoltageLimit": value("V", limits.max_voltage_V or 0.0),
        "EVEnergyCapacity": None if capacity_Wh is None else value("Wh", capacity_Wh),
        "EVEnergyRequest": None if needs.target_Wh is None else value("Wh", max(0.0, needs.target_Wh)),
        "FullSOC": 100,
        "BulkSOC": limits.target_soc,
    }


def cable_check(talk: Talk, now: Now) -> Message:
    """Test the insulation."""
    request: Message = talk.spelling.body.CableCheckReq(DC_EVStatus=status(talk, ready=True))
    return request


def precharge(talk: Talk, now: Now) -> Message:
    """Up to the battery's voltage."""
    value = talk.spelling.value
    request: Message = talk.spelling.body.PreChargeReq(
        DC_EVStatus=status(talk, ready=True), EVTargetVoltage=value("V", talk.wants.voltage_V), EVTargetCurrent=value("A", INRUSH_A)
    )
    return request


def power_start(talk: Talk, now: Now) -> Message:
    """Energy, with the profile."""
    return talk.spelling.power(talk, "Start")


def power_stop(talk: Talk, now: Now) -> Message:
    """No energy any more."""
    return talk.spelling.power(talk, "Stop")


def current_demand(talk: Talk, now: Now) -> Message:
    """What is wanted now, within what vehicle, plan and charger allow."""
    value, limits, wants = talk.spelling.value, talk.wants.limits, talk.wants
    request: Message = talk.spelling.body.CurrentDemandReq(
        DC_EVStatus=status(talk, ready=True),
        EVTargetCurrent=value("A", target_A(talk, now)),
        EVMaximumVoltageLimit=None if limits.max_voltage_V is None else value("V", limits.max_voltage_V),
        EVMaximumCurrentLimit=None if limits.max_current_A is None else value("A", limits.max_current_A),
        EVMaximumPowerLimit=None if limits.max_power_W is None else value("W", limits.max_power_W),
        BulkChargingComplete=full(talk),
        ChargingComplete=full(talk),
        EVTargetVoltage=value("V", wants.target_V),
    )
    return request


def target_A(talk: Talk, now: Now) -> float:
    """Nothing is given back in these protocols."""
    wants, evse = talk.wants, talk.evse
    if not talk.drawing:
        return 0.0
    volts = max(wants.voltage_V, 1.0)
    powers_W = (planned_W(talk.profile, now.mono - talk.planned_at), evse.max_power_W)
    most_A = [each / volts for each in powers_W if each is not None]
    if evse.max_current_A is not None:
        most_A.append(evse.max_current_A)
    return max(0.0, min([wants.target_A, *most_A]))


def welding_detection(talk: Talk, now: Now) -> Message:
    """What voltage is there still?"""
    request: Message = talk.spelling.body.WeldingDetectionReq(DC_EVStatus=status(talk, ready=False))
    return request


def session_stop(talk: Talk, now: Now) -> Message:
    """The end, or a pause."""
    return talk.spelling.stop(talk)
