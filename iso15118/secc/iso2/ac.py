"""ISO 15118-2, the charger's answers in AC, and those about other schedules in both energies."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.messages.iso2 import data_charging as ch
from iso15118.messages.iso2 import msg_body as mb
from iso15118.secc.iso2.schedules import least_of_talk
from iso15118.secc.iso2.spelling import AC_THREE, seen
from iso15118.secc.offers import usable_W
from iso15118.secc.phases import per_A_W, target_W
from iso15118.secc.v2gmsg.dc import SCHEDULE_S, choose, offered_for, said_points
from iso15118.secc.v2gmsg.refuse import failed
from iso15118.secc.v2gmsg.talk import Result, Talk, ac_status, status
from iso15118.terms import AcDemand, Control, EnergyWanted, EvLimits, ScheduleAsked
from iso15118.v2gmsg.values import number


def ac_parameters(talk: Talk, now: Now, request: mb.ChargeParameterDiscoveryReq) -> Result:
    """Limits of both sides, and the schedules: ongoing until the host has them."""
    spelling, limits, mode = talk.spelling, talk.facts.ac, request.RequestedEnergyTransferMode
    asked: Any = request.EVChargeParameter
    phases = 3 if mode == AC_THREE else 1
    offered = offered_for(talk, mode, phases)
    if offered is None or limits is None or offered.energy.is_dc or phases > offered.phases or not hasattr(asked, "EAmount"):
        return failed(talk, request, spelling.wrong_energy, f"{mode} is not offered")
    per_A = limits.nominal_V * phases
    told = (
        *choose(talk, offered, phases),
        EvLimits(
            max_power_W=number(asked.EVMaxCurrent) * per_A,
            min_power_W=number(asked.EVMinCurrent) * per_A,
            max_current_A=number(asked.EVMaxCurrent),
            min_current_A=number(asked.EVMinCurrent),
            max_voltage_V=number(asked.EVMaxVoltage),
        ),
        EnergyWanted(asked.DepartureTime or None, number(asked.EAmount)),  # a departure in no time is none
        ScheduleAsked(said_points(request), Control.SCHEDULED),
    )
    talk.least_A = min(number(asked.EVMinCurrent), number(asked.EVMaxCurrent))
    schedules = spelling.schedules(talk, now, request)
    if schedules is None and not talk.ongoing("schedule", now, SCHEDULE_S):
        return failed(talk, request, "FAILED", "no schedules in time")
    if schedules is not None:
        talk.done("schedule")
    response = mb.ChargeParameterDiscoveryRes(
        ResponseCode="OK",
        EVSEProcessing="Ongoing" if schedules is None else "Finished",
        SASchedules=schedules,
        EVSEChargeParameter=ch.AC_EVSEChargeParameter(
            AC_EVSEStatus=ac_status(talk),
            EVSENominalVoltage=spelling.volts(limits.nominal_V),
            EVSEMaxCurrent=spelling.amperes(limits.max_power_W / (limits.nominal_V * limits.phases)),
        ),
    )
    return Result(response, told, stay=schedules is None, signature=spelling.signature(talk, schedules))


def charging_status(talk: Talk, now: Now, request: mb.ChargingStatusReq) -> Result:
    """What the vehicle may draw now, in each phase: nothing, where that is less than it can."""
    facts = talk.facts
    if facts.fault or facts.ac is None:
        return failed(talk, request, "FAILED", facts.fault or "this charger has no AC")
    most_W = usable_W(max(0.0, target_W(talk)), least_of_talk(talk))
    response = mb.ChargingStatusRes(
        ResponseCode="OK", EVSEMaxCurrent=talk.spelling.amperes(most_W / per_A_W(talk)), AC_EVSEStatus=ac_status(talk), **seen(talk)
    )
    return Result(response, (AcDemand(target_W=most_W),))


def renegotiation(talk: Talk, now: Now, request: mb.PowerDeliveryReq) -> Result:
    """The loop is left for other schedules; the energy stays on for as long as that takes."""
    talk.done("schedule")
    return Result(talk.spelling.power(ResponseCode="OK", EVSEStatus=status(talk)))
