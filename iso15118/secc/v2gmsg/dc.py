"""DIN 70121 and ISO 15118-2, the charger's answers in DC: parameters, what comes before the loop, the loop, and what comes after it."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.secc.output import CABLE_CHECK_S, UNREAD, flows, insulated, no_precharge
from iso15118.secc.v2gmsg.refuse import failed
from iso15118.secc.v2gmsg.setup import READY as READY_TIMER
from iso15118.secc.v2gmsg.talk import MONITORING, NOT_READY, READY, Result, Talk, dc_status, off, status
from iso15118.terms import (
    Battery,
    CableCheckWanted,
    Control,
    DcDemand,
    EnergyChosen,
    EnergyWanted,
    EvLimits,
    Offered,
    PowerWanted,
    PrechargeWanted,
    Progress,
    ScheduleAsked,
    Told,
    WeldingCheckWanted,
)
from iso15118.v2gmsg.values import maybe, number, positive, whole

OUTLET_S = 10.0
"""So long the outlet may keep its voltage before another cable check: the ramp, the vehicle's contactors and the discharge; the test wants the rest [K]."""
DEAD_V = 60.0
"""An outlet with less is without voltage (IEC 61851-23 [K])."""
SCHEDULE_S = 55.0
"""V2G_SECC timeout of what may be ongoing: a little less than the vehicle's own 60 s [K]."""
NEVER_READY = "no power in the time from the authorisation"
MOST_POINTS = 1024


# ---- parameters


def offered_for(talk: Talk, asked: str, phases: int = 0) -> Offered | None:
    """What was discovered of the energy that the vehicle asks for. While energy is on it is what was chosen: for another one it would have to go off, under
    load.
    """
    energy = talk.spelling.energies.get(asked)
    found = next((each for each in talk.discovered if each.energy is energy), None)
    return None if talk.energy_on and (found, phases) != (talk.offered, talk.phases) else found


def choose(talk: Talk, offered: Offered, phases: int = 0) -> tuple[Told, ...]:
    """Said when the energy is asked for, not when it is asked for again. `phases`: AC, of so many."""
    if (talk.offered, talk.phases) == (offered, phases):  # not `is`: a session may come out of a snapshot
        return ()
    talk.offered, talk.phases, talk.least_A = offered, phases, 0.0
    return (EnergyChosen(offered.energy, Control.SCHEDULED, added_services=talk.chosen_services, phases=phases),)


def dc_parameters(talk: Talk, now: Now, request: Any) -> Result:
    """Limits of both sides, and the schedules: ongoing until the host has them. A battery whose voltage the charger cannot reach is refused here rather than
    at the precharge.
    """
    spelling, limits, asked = talk.spelling, talk.facts.dc, request.EVChargeParameter
    offered = offered_for(talk, spelling.asked_energy(request))
    if offered is None or limits is None or not offered.energy.is_dc or not hasattr(asked, "DC_EVStatus"):
        return failed(talk, request, spelling.wrong_energy, f"{spelling.asked_energy(request)} is not offered")
    if number(asked.EVMaximumVoltageLimit) <= 0.0 or number(asked.EVMaximumCurrentLimit) <= 0.0:
        return failed(talk, request, "FAILED_WrongChargeParameter", "the vehicle says that it takes no voltage, or no current")
    if number(asked.EVMaximumVoltageLimit) < limits.min_voltage_V:
        return failed(talk, request, "FAILED_WrongChargeParameter", "the voltages of vehicle and charger do not meet")
    told = (*choose(talk, offered), *_parameters_told(asked), _asked(request))
    schedules = spelling.schedules(talk, now, request)
    if schedules is None and not talk.ongoing("schedule", now, SCHEDULE_S):
        return failed(talk, request, "FAILED", "no schedules in time")
    if schedules is not None:
        talk.done("schedule")
    fields = {
        "DC_EVSEStatus": dc_status(talk),
        "EVSEMaximumCurrentLimit": spelling.amperes(limits.max_current_A),
        "EVSEMaximumPowerLimit": spelling.watts(limits.max_power_W),
        "EVSEMaximumVoltageLimit": spelling.volts(limits.max_voltage_V),
        "EVSEMinimumCurrentLimit": spelling.amperes(limits.min_current_A),
        "EVSEMinimumVoltageLimit": spelling.volts(limits.min_voltage_V),
        "EVSEPeakCurrentRipple": spelling.amperes(limits.ripple_A),
    }
    response = spelling.parameters(
        ResponseCode="OK",
        EVSEProcessing="Ongoing" if schedules is None else "Finished",
        SASchedules=spelling.no_schedules if schedules is None else schedules,
        EVSEChargeParameter=spelling.dc_parameters(**fields),
    )
    return Result(response, told, stay=schedules is None, signature=spelling.signature(talk, schedules))


def _parameters_told(asked: Any) -> tuple[Told, ...]:
    limits = EvLimits(
        max_power_W=positive(maybe(asked.EVMaximumPowerLimit)),
        max_current_A=number(asked.EVMaximumCurrentLimit),
        max_voltage_V=number(asked.EVMaximumVoltageLimit),
        target_soc=asked.BulkSOC,
    )
    battery = Battery(
        soc=asked.DC_EVStatus.EVRESSSOC,
        target_soc=asked.BulkSOC,
        max_soc=asked.FullSOC,
        capacity_Wh=positive(maybe(asked.EVEnergyCapacity)),
    )
    departure_s, target_Wh = getattr(asked, "DepartureTime", None) or None, positive(maybe(asked.EVEnergyRequest))  # in no time is none
    wanted = (EnergyWanted(departure_s, target_Wh),) if departure_s is not None or target_Wh is not None else ()
    return (limits, battery, *wanted)


def _asked(request: Any) -> ScheduleAsked:
    return ScheduleAsked(said_points(request), Control.SCHEDULED)


def said_points(request: Any) -> int:
    """As the vehicle says it; 0: it does not."""
    return getattr(request, "MaxEntriesSAScheduleTuple", None) or 0


def most_points(request: Any) -> int:
    """Of a schedule, that the vehicle takes."""
    asked = getattr(request, "MaxEntriesSAScheduleTuple", None)
    return MOST_POINTS if asked is None else max(1, min(MOST_POINTS, asked))


# ---- before the loop


def _never_ready(talk: Talk, now: Now) -> bool:
    return READY_TIMER in talk.since and talk.spelling.ready_s is not None and not talk.ongoing(READY_TIMER, now, talk.spelling.ready_s)


def cable_check_again(talk: Talk, now: Now, request: Any, *, late: bool) -> Result:
    """The first one after a renegotiation: the energy goes off, and then this is answered, as a PowerDelivery that stops is. What follows is a cable check
    and a precharge as any.
    """
    told = off(talk, "another cable check")
    talk.isolated = False
    talk.ongoing("cable check", now, CABLE_CHECK_S)
    talk.ongoing("outlet", now, OUTLET_S)
    if talk.facts.fault:
        return failed(talk, request, "FAILED", talk.facts.fault)._replace(told=told)
    if flows(talk):
        return failed(talk, request, "FAILED", "the current does not go down")._replace(told=told) if late else Result(None, told)
    return Result(_checking(talk, NOT_READY), told)


def _checking(talk: Talk, code: str) -> Any:
    return talk.spelling.cable_check(ResponseCode="OK", DC_EVSEStatus=dc_status(talk, code), EVSEProcessing="Ongoing")


def cable_check(talk: Talk, now: Now, request: Any) -> Result:
    """Ongoing while the insulation is tested. After a renegotiation the test is asked for when the outlet has lost its voltage."""
    facts, make = talk.facts, talk.spelling.cable_check
    if facts.fault:
        return failed(talk, request, "FAILED", facts.fault)
    if _never_ready(talk, now):
        return failed(talk, request, "FAILED", NEVER_READY)
    if "outlet" in talk.since:
        if not (facts.voltage_known and facts.voltage_V < DEAD_V):
            if not talk.ongoing("outlet", now, OUTLET_S):
                return failed(talk, request, "FAILED", "the outlet keeps its voltage")
            return Result(_checking(talk, NOT_READY), stay=True)
        talk.done("outlet")
    match insulated(talk, now):
        case True:
            talk.isolated = True
            return Result(make(ResponseCode="OK", DC_EVSEStatus=dc_status(talk), EVSEProcessing="Finished"))
        case str(why):
            return failed(talk, request, "FAILED", why)
    talk.energy_on = True
    return Result(_checking(talk, MONITORING), (CableCheckWanted(),), stay=True)


def precharge(talk: Talk, now: Now, request: Any) -> Result:
    """The voltage that is there; the vehicle decides when it is near enough."""
    facts = talk.facts
    if facts.fault:
        return failed(talk, request, "FAILED", facts.fault)
    if _never_ready(talk, now):
        return failed(talk, request, "FAILED", NEVER_READY)
    if why := no_precharge(talk, now):
        return failed(talk, request, "FAILED", why)
    talk.energy_on = True
    told = PrechargeWanted(number(request.EVTargetVoltage), facts.voltage_V)
    response = talk.spelling.precharge(
        ResponseCode="OK", DC_EVSEStatus=dc_status(talk), EVSEPresentVoltage=talk.spelling.volts(facts.voltage_V)
    )
    return Result(response, (told,))


def welding_detection(talk: Talk, now: Now, request: Any) -> Result:
    """The voltage behind our open contactors, for the vehicle to see that nothing is welded."""
    if not talk.facts.voltage_known:
        return failed(talk, request, "FAILED", UNREAD)
    response = talk.spelling.welding(
        ResponseCode="OK", DC_EVSEStatus=dc_status(talk, NOT_READY), EVSEPresentVoltage=talk.spelling.volts(talk.facts.voltage_V)
    )
    return Result(response, (WeldingCheckWanted(),), stay=True)


# ---- power delivery


def power_start(talk: Talk, now: Now, request: Any, *, late: bool) -> Result:
    """Answered when energy can flow: the contactor is closed, or the stage delivers."""
    facts, spelling = talk.facts, talk.spelling
    if facts.fault:
        return failed(talk, request, "FAILED_PowerDeliveryNotApplied", facts.fault)
    chosen = spelling.chosen(talk, request)
    if chosen.refused is not None:
        return failed(talk, request, *chosen.refused)
    told = (PowerWanted(talk.schedule_id, chosen.profile),)
    match facts.power:
        case Progress.FAILED:
            return failed(talk, request, spelling.no_contactor, "the contactor did not close")
        case Progress.DONE:
            talk.energy_on = True
            talk.done("precharge")
            talk.done(READY_TIMER)
            return Result(spelling.power(ResponseCode="OK", EVSEStatus=status(talk)), told)
    talk.energy_on = True
    if late:
        return failed(talk, request, spelling.no_contactor, "the contactor did not close in time")
    return Result(None, told)


def power_stop(talk: Talk, now: Now, request: Any, *, late: bool) -> Result:
    """The energy goes off, and then this is answered: DC when hardly a current flows any more, since the vehicle opens its contactors after the answer."""
    told = off(talk, "PowerDelivery Stop")
    talk.since.clear()
    if flows(talk):
        return failed(talk, request, "FAILED", "the current does not go down")._replace(told=told) if late else Result(None, told)
    return Result(talk.spelling.power(ResponseCode="OK", EVSEStatus=status(talk, NOT_READY)), told)


# ---- the loop


def current_demand(talk: Talk, now: Now, request: Any) -> Result:
    """What the output has, and what holds it back."""
    facts, spelling = talk.facts, talk.spelling
    limits = facts.dc
    if facts.fault or limits is None:
        return failed(talk, request, "FAILED", facts.fault or "this charger has no DC")
    if facts.power is not Progress.DONE:
        return failed(talk, request, "FAILED", "the output is off")
    volts, amperes = spelling.volts, spelling.amperes
    target_V = number(request.EVTargetVoltage)
    ev = EvLimits(
        max_power_W=positive(maybe(request.EVMaximumPowerLimit)),
        max_current_A=positive(maybe(request.EVMaximumCurrentLimit)),
        max_voltage_V=positive(maybe(request.EVMaximumVoltageLimit)),
    )
    battery = Battery(
        soc=request.DC_EVStatus.EVRESSSOC,
        to_target_s=whole(request.RemainingTimeToBulkSoC),
        to_max_s=whole(request.RemainingTimeToFullSoC),
        full=request.ChargingComplete,
    )
    # No vehicle says its own voltage here: what is on the output is the battery's, as long as the contactors are closed.
    target_A = 0.0 if talk.trouble else number(request.EVTargetCurrent)
    told = (battery, DcDemand(facts.voltage_V, target_V, target_A, ev))
    response = spelling.loop(
        ResponseCode="OK",
        DC_EVSEStatus=dc_status(talk, READY),
        EVSEPresentVoltage=volts(facts.voltage_V),
        EVSEPresentCurrent=amperes(facts.current_A),
        EVSECurrentLimitAchieved=facts.current_limited,
        EVSEVoltageLimitAchieved=facts.voltage_limited,
        EVSEPowerLimitAchieved=facts.power_limited,
        EVSEMaximumVoltageLimit=volts(limits.max_voltage_V),
        EVSEMaximumCurrentLimit=amperes(limits.max_current_A),
        EVSEMaximumPowerLimit=spelling.watts(limits.max_power_W),
        **spelling.loop_more(talk),
    )
    return Result(response, told)
