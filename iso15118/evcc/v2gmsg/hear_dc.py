"""What a vehicle makes of the responses of DC that DIN 70121 and ISO 15118-2 have alike."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

from iso15118.connection import Now
from iso15118.evcc.loop import too_much
from iso15118.evcc.terms import CableChecked, CloseContactors, Delivered, DrawPower, EvseLimits, OpenContactors, WeldingSeen
from iso15118.evcc.v2gmsg import hear
from iso15118.evcc.v2gmsg.hear_loop import heeding, looped
from iso15118.evcc.v2gmsg.table import Said
from iso15118.evcc.v2gmsg.talk import Heard, Talk, again, failed, leave
from iso15118.v2gmsg.values import maybe, number

CABLE_CHECK_S = 40.0
PRECHARGE_S = 7.0
"""V2G_EVCC timeouts of what may be ongoing [K]."""
WELDING_S = 5.0
"""So long the voltage may take to go."""
DEAD_V = 60.0
"""Below: nothing is welded."""


def parameters(talk: Talk, now: Now, response: Any) -> Heard:
    """Limits of the charger. One that cannot reach the battery's voltage is left here, but by vehicles that take any voltage."""
    found = response.EVSEChargeParameter
    if not hasattr(found, "DC_EVSEStatus"):
        return failed("the charger's parameters are not those of the chosen service")
    told = talk.evse = EvseLimits(
        max_power_W=maybe(found.EVSEMaximumPowerLimit),
        max_current_A=number(found.EVSEMaximumCurrentLimit),
        min_current_A=number(found.EVSEMinimumCurrentLimit),
        max_voltage_V=number(found.EVSEMaximumVoltageLimit),
        min_voltage_V=number(found.EVSEMinimumVoltageLimit),
    )
    gone, more = heeding(talk, found.DC_EVSEStatus, told, off=talk.rescheduling)
    if gone:
        return gone
    reached = number(found.EVSEMinimumVoltageLimit) <= talk.wants.voltage_V <= number(found.EVSEMaximumVoltageLimit)
    if not reached and not math.isinf(talk.wants.near_V):
        return leave(talk, "the charger does not reach the battery's voltage", told, *more, off=talk.rescheduling)
    return hear.schedules(talk, now, response, told, *more)


def cable_check(talk: Talk, now: Now, response: Any) -> Heard:
    """Again while the charger tests."""
    gone, told = heeding(talk, response.DC_EVSEStatus, off=True)
    if gone:
        return gone
    if response.EVSEProcessing == "Finished":
        found = response.DC_EVSEStatus.EVSEIsolationStatus
        if found in ("Invalid", "Fault"):
            return leave(talk, f"the insulation is {found}", *told, off=True)
        return Heard(Said.GO, (*told, CableChecked()))
    if not talk.ongoing("cable check", now, CABLE_CHECK_S):
        return leave(talk, "no result of the insulation test in time", *told, off=True)
    return again(talk, *told)


def precharge(talk: Talk, now: Now, response: Any) -> Heard:
    """Near enough: the contactors close; when they are closed, and the vehicle is ready, we start. They stay closed while the voltage wanders off."""
    gone, told = heeding(talk, response.DC_EVSEStatus, off=True)
    if gone:
        return gone
    there_V, wants = number(response.EVSEPresentVoltage), talk.wants
    if talk.close_told and wants.contactors_closed and wants.ready:
        return Heard(Said.GO, told)
    if not talk.ongoing("precharge", now, PRECHARGE_S):
        return leave(talk, "the voltage does not come in time", *told, off=True)
    if talk.close_told or abs(there_V - wants.voltage_V) > wants.near_V:
        return again(talk, *told)
    talk.close_told = True
    return again(talk, *told, CloseContactors(there_V))


def power_start(talk: Talk, now: Now, response: Any) -> Heard:
    """Energy may flow. DIN 70121: unless all of this took too long."""
    most_s = talk.spelling.ready_s
    in_time = talk.loops or most_s is None or talk.ongoing(hear.READY, now, most_s)
    talk.done(hear.READY)
    if not in_time:
        return leave(talk, "the charger was not ready to charge in time", off=True)
    gone, told = heeding(talk, response.EVSEStatus, off=True)
    if gone:
        return gone
    talk.drawing, talk.rescheduling = True, False
    return Heard(Said.DC if talk.dc else Said.AC, (*told, DrawPower()))


def current_demand(talk: Talk, now: Now, response: Any) -> Heard:
    """What the charger delivers, and its limits where it says them. Where it is more than we can take we go."""
    limits = EvseLimits(
        max_power_W=maybe(response.EVSEMaximumPowerLimit),
        max_current_A=maybe(response.EVSEMaximumCurrentLimit),
        max_voltage_V=maybe(response.EVSEMaximumVoltageLimit),
    )
    delivered = Delivered(
        number(response.EVSEPresentVoltage),
        number(response.EVSEPresentCurrent),
        response.EVSEPowerLimitAchieved,
        response.EVSECurrentLimitAchieved,
        response.EVSEVoltageLimitAchieved,
    )
    if wrong := too_much(talk.wants.limits, delivered):
        talk.loops += 1
        return leave(talk, wrong, delivered, off=True)
    if limits == EvseLimits():
        return looped(talk, now, response, response.DC_EVSEStatus, delivered)
    said = {each.name: value for each in fields(limits) if (value := getattr(limits, each.name)) is not None}
    talk.evse = replace(talk.evse, **said)
    return looped(talk, now, response, response.DC_EVSEStatus, delivered, limits)


def power_stop(talk: Talk, now: Now, response: Any) -> Heard:
    """Our contactors open, and the charger says what voltage it still sees; where they never were to close there is nothing to see."""
    if not talk.close_told:
        return Heard(Said.END)
    if not talk.wants.welding_detection:
        return Heard(Said.END, (OpenContactors(),))
    return Heard(Said.DC, (OpenContactors(),), talk.wants.poll_s)


def welding_detection(talk: Talk, now: Now, response: Any) -> Heard:
    """Until the voltage is gone, or should be: then somebody has to look."""
    there_V = number(response.EVSEPresentVoltage)
    told = WeldingSeen(there_V)
    dead = there_V < DEAD_V and not talk.wants.contactors_closed
    if dead or not talk.ongoing("welding", now, WELDING_S):
        return Heard(Said.END, (told,))
    return again(talk, told)
