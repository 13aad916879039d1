"""ISO 15118-20, what a vehicle makes of the responses from the parameters to the loop, and from its end to the test of the contactors."""

from __future__ import annotations

from iso15118.connection import Now
from iso15118.evcc.iso20 import plans
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.iso20.talk import ONGOING_S, Heard, Talk, again, failed, leave, leaving, our_W
from iso15118.evcc.terms import (
    CableChecked,
    CloseContactors,
    DrawPower,
    EvseLimits,
    EvWish,
    OpenContactors,
    Parked,
    WeldingSeen,
    WishTaken,
)
from iso15118.iso20.values import number, ramp_W_per_s
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import Told

CABLE_CHECK_S = 40.0
PRECHARGE_S = 10.0
"""V2G_EVCC timeouts of what may be ongoing [K]."""
WELDING_S = 5.0
"""So long the voltage may take to go."""
DEAD_V = 60.0
"""Below: nothing is welded."""


# ---- parameters and schedules


def ac_parameters(talk: Talk, now: Now, response: ac.AC_ChargeParameterDiscoveryRes) -> Heard:
    """Limits of the charger, AC."""
    mode = response.AC_CPDResEnergyTransferMode
    bpt = isinstance(mode, ac.BPT_AC_CPDResEnergyTransferMode)
    if talk.energy is None or bpt != talk.energy.is_bpt:
        return failed("the charger's parameters are not those of the chosen service")
    told = EvseLimits(
        max_power_W=our_W(talk, mode, "EVSEMaximumChargePower"),
        min_power_W=our_W(talk, mode, "EVSEMinimumChargePower"),
        max_discharge_W=our_W(talk, mode, "EVSEMaximumDischargePower"),
        min_discharge_W=our_W(talk, mode, "EVSEMinimumDischargePower"),
        nominal_Hz=number(mode.EVSENominalFrequency),
    )
    return leaving(talk, told, off=False) or parked(talk, told)


def dc_parameters(talk: Talk, now: Now, response: dc.DC_ChargeParameterDiscoveryRes) -> Heard:
    """Limits of the charger, DC. One that cannot reach the battery's voltage is left here."""
    mode = response.DC_CPDResEnergyTransferMode
    bpt = isinstance(mode, dc.BPT_DC_CPDResEnergyTransferMode)
    if talk.energy is None or bpt != talk.energy.is_bpt:
        return failed("the charger's parameters are not those of the chosen service")
    told = EvseLimits(
        max_power_W=number(mode.EVSEMaximumChargePower),
        min_power_W=number(mode.EVSEMinimumChargePower),
        max_current_A=number(mode.EVSEMaximumChargeCurrent),
        min_current_A=number(mode.EVSEMinimumChargeCurrent),
        max_voltage_V=number(mode.EVSEMaximumVoltage),
        min_voltage_V=number(mode.EVSEMinimumVoltage),
        max_discharge_W=number(mode.EVSEMaximumDischargePower) if isinstance(mode, dc.BPT_DC_CPDResEnergyTransferMode) else None,
        max_discharge_A=number(mode.EVSEMaximumDischargeCurrent) if isinstance(mode, dc.BPT_DC_CPDResEnergyTransferMode) else None,
        ramp_W_per_s=ramp_W_per_s(mode.EVSEPowerRampLimitation, number(mode.EVSEMaximumChargePower)),
    )
    if gone := leaving(talk, told, off=False):
        return gone
    if not number(mode.EVSEMinimumVoltage) <= talk.wants.voltage_V <= number(mode.EVSEMaximumVoltage):
        return leave(talk, "the charger does not reach the battery's voltage", told, off=False)
    return parked(talk, told)


def parked(talk: Talk, *told: Told) -> Heard:
    """Schedules come next, or before them the parking place."""
    if talk.wants.wish is EvWish.CHECK_IN:
        return Heard(Said.CHECK_IN, (WishTaken(EvWish.CHECK_IN), *told))
    return Heard(Said.GO, told)


def arrival(talk: Talk, now: Now, response: cm.VehicleCheckInRes) -> Heard:
    """The charger knows how we stand."""
    told = Parked(EvWish.CHECK_IN)
    return leaving(talk, told, off=False) or Heard(Said.GO, (told,))


def schedule_exchange(talk: Talk, now: Now, response: cm.ScheduleExchangeRes) -> Heard:
    """Schedules, a plan, or nothing yet. GoToPause: the charger wants us later."""
    if gone := leaving(talk, off=talk.rescheduling):
        return gone
    if response.GoToPause:
        talk.ending = "Pause"
        return leave(talk, "the charger wants a pause", off=talk.rescheduling)
    if response.EVSEProcessing != "Finished":
        if not talk.ongoing("schedule", now, ONGOING_S):
            return failed("no schedules in time")
        return again(talk)
    talk.done("schedule")
    told = plans.taken(talk, response)
    return Heard(Said.DC if talk.dc else Said.AC, told) if told else failed("the charger answers in another control mode")


# ---- DC before the loop


def cable_check(talk: Talk, now: Now, response: dc.DC_CableCheckRes) -> Heard:
    """Again while the charger tests."""
    if gone := leaving(talk, off=True):
        return gone
    if response.EVSEProcessing == "Finished":
        return Heard(Said.GO, (CableChecked(),))
    if not talk.ongoing("cable check", now, CABLE_CHECK_S):
        return failed("no result of the insulation test in time")
    return again(talk)


def precharge(talk: Talk, now: Now, response: dc.DC_PreChargeRes) -> Heard:
    """Near enough: the contactors close; when they are closed we start. They stay closed while the voltage wanders off."""
    if gone := leaving(talk, off=True):
        return gone
    there_V = number(response.EVSEPresentVoltage)
    if talk.close_told and talk.wants.contactors_closed:
        return Heard(Said.GO)
    if not talk.ongoing("precharge", now, PRECHARGE_S):
        return failed("the voltage does not come in time")
    if talk.close_told or abs(there_V - talk.wants.voltage_V) > talk.wants.near_V:
        return again(talk)
    talk.close_told = True
    return again(talk, CloseContactors(there_V))


# ---- power delivery


def power_start(talk: Talk, now: Now, response: cm.PowerDeliveryRes) -> Heard:
    """The charger is ready as soon as we are."""
    if gone := leaving(talk, off=True):
        return gone
    if not talk.started:
        return again(talk)
    talk.drawing, talk.rescheduling = True, False
    return Heard(Said.DC if talk.dc else Said.AC, (DrawPower(),))


def power_stop(talk: Talk, now: Now, response: cm.PowerDeliveryRes) -> Heard:
    """DC: our contactors open, and the charger says what voltage it still sees."""
    if not talk.dc:
        return _done(talk)
    if not talk.wants.welding_detection:
        return _done(talk, OpenContactors())
    return Heard(Said.DC, (OpenContactors(),), talk.wants.poll_s)


def power_standby(talk: Talk, now: Now, response: cm.PowerDeliveryRes) -> Heard:
    """The loop goes on, without energy. Where the charger does not let us wait: with energy, or to the end."""
    if gone := leaving(talk, off=True):
        return gone
    if response.ResponseCode != "WARNING_StandbyNotAllowed":
        return Heard(Said.GO)
    if talk.wants.standby_or_stop:
        talk.ending = "Terminate"
        return leave(talk, "the charger allows no standby", off=True)
    talk.drawing = True
    return Heard(Said.RESUME, (DrawPower(),))


def schedule_renegotiation(talk: Talk, now: Now, response: cm.PowerDeliveryRes) -> Heard:
    """Other schedules come next."""
    talk.done("schedule")
    talk.rescheduling = True
    return leaving(talk, off=True) or Heard(Said.GO)


def welding_detection(talk: Talk, now: Now, response: dc.DC_WeldingDetectionRes) -> Heard:
    """Until the voltage is gone, or should be: then somebody has to look."""
    there_V = number(response.EVSEPresentVoltage)
    told = WeldingSeen(there_V)
    dead = there_V < DEAD_V and not talk.wants.contactors_closed
    if talk.welding_said_finished or (not dead and not talk.ongoing("welding", now, WELDING_S)):
        return _done(talk, told)
    talk.welding_said_finished = dead
    return Heard(Said.AGAIN, (told,), 0.0 if dead else talk.wants.poll_s)


def _done(talk: Talk, *told: Told) -> Heard:
    """SessionStop comes next, or before it the parking place."""
    if talk.wants.wish is EvWish.CHECK_OUT:
        return Heard(Said.CHECK_OUT, (WishTaken(EvWish.CHECK_OUT), *told))
    return Heard(Said.END, told)


def departure(talk: Talk, now: Now, response: cm.VehicleCheckOutRes) -> Heard:
    """The charger knows when we leave."""
    return Heard(Said.END, (Parked(EvWish.CHECK_OUT, response.EVSECheckOutStatus),))
