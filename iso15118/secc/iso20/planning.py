"""ISO 15118-20, the charger's answers about schedules: before the power, after the loop was left for others, and beside the loop that goes on."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.iso20.values import maybe, number, profile_slots
from iso15118.messages.iso20 import common_messages as cm
from iso15118.secc.iso20 import schedules
from iso15118.secc.iso20.talk import Result, Talk, failed, header, ok, status
from iso15118.terms import Control, EnergyWanted, PlanChanged, ScheduleAsked

SCHEDULE_S = 55.0
"""V2G_SECC timeout of what may be ongoing [K]."""
ASIDE = "other schedules"
"""What is waited for beside the loop."""


def schedule_exchange(talk: Talk, now: Now, request: cm.ScheduleExchangeReq) -> Result:
    """Ongoing until the host has schedules (scheduled control) or a plan (dynamic control)."""
    if wrong := _wrong(talk, now, request):
        return wrong
    told = (_wanted(request), _asked(talk, request))
    mode = schedules.offered(talk, now, request.MaximumSupportingPoints)
    if mode is None:
        if not talk.ongoing("schedule", now, SCHEDULE_S):
            return failed(talk, now, request, "FAILED", "no schedules in time")
        return Result(_nothing_yet(talk, now), told, stay=True)
    talk.done("schedule")
    return Result(_finished(talk, now, mode), told)


def schedule_exchange_aside(talk: Talk, now: Now, request: cm.ScheduleExchangeReq) -> Result:
    """The same while energy flows. The first answer is "ongoing": the host hears `ScheduleAsked`, once, and empties `Facts.schedules` where it makes others.
    Where it has none in time, the vehicle goes on with those of before.
    """
    if wrong := _wrong(talk, now, request):
        return wrong
    if ASIDE not in talk.since:
        talk.ongoing(ASIDE, now, SCHEDULE_S)
        return Result(_nothing_yet(talk, now), (_wanted(request), _asked(talk, request, aside=True)), stay=True)
    mode = schedules.offered(talk, now, request.MaximumSupportingPoints)
    if mode is not None:
        talk.done(ASIDE)
        return Result(_finished(talk, now, mode))
    if talk.ongoing(ASIDE, now, SCHEDULE_S):
        return Result(_nothing_yet(talk, now), stay=True)
    talk.done(ASIDE)
    empty, code = schedules.nothing_yet(talk, now), "WARNING_ScheduleRenegotiationFailed"
    return Result(ok(talk, now, cm.ScheduleExchangeRes, ResponseCode=code, EVSEProcessing="Finished", **empty), stay=True)


def _finished(talk: Talk, now: Now, mode: dict[str, Any]) -> cm.ScheduleExchangeRes:
    around = header(talk, now, schedules.signature(talk, mode))
    return ok(talk, now, cm.ScheduleExchangeRes, Header=around, EVSEProcessing="Finished", **mode)


def _nothing_yet(talk: Talk, now: Now) -> cm.ScheduleExchangeRes:
    return ok(talk, now, cm.ScheduleExchangeRes, EVSEProcessing="Ongoing", **schedules.nothing_yet(talk, now))


def _wrong(talk: Talk, now: Now, request: cm.ScheduleExchangeReq) -> Result | None:
    """Another control mode than was chosen."""
    scheduled = request.Scheduled_SEReqControlMode is not None
    if talk.way is None or scheduled != (talk.way.control is Control.SCHEDULED):
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "the control mode is not that of the chosen parameter set")
    return None


def _asked(talk: Talk, request: cm.ScheduleExchangeReq, *, aside: bool = False) -> ScheduleAsked:
    return ScheduleAsked(request.MaximumSupportingPoints, talk.way.control if talk.way else Control.SCHEDULED, aside)


def _wanted(request: cm.ScheduleExchangeReq) -> EnergyWanted:
    if (dynamic := request.Dynamic_SEReqControlMode) is not None:
        return EnergyWanted(
            dynamic.DepartureTime,
            number(dynamic.EVTargetEnergyRequest),
            number(dynamic.EVMaximumEnergyRequest),
            number(dynamic.EVMinimumEnergyRequest),
            dynamic.MinimumSOC,
            dynamic.TargetSOC,
            maybe(dynamic.EVMaximumV2XEnergyRequest),
            maybe(dynamic.EVMinimumV2XEnergyRequest),
        )
    scheduled = request.Scheduled_SEReqControlMode
    if scheduled is None:
        return EnergyWanted()
    return EnergyWanted(
        scheduled.DepartureTime,
        maybe(scheduled.EVTargetEnergyRequest),
        maybe(scheduled.EVMaximumEnergyRequest),
        maybe(scheduled.EVMinimumEnergyRequest),
    )


def schedule_renegotiation(talk: Talk, now: Now, request: cm.PowerDeliveryReq) -> Result:
    """The loop is left for other schedules; the energy stays on for as long as that takes."""
    talk.schedule_id = None
    talk.done(ASIDE)
    return Result(ok(talk, now, cm.PowerDeliveryRes, EVSEStatus=status(talk.facts)))


def other_profile(talk: Talk, now: Now, request: cm.PowerDeliveryReq) -> Result:
    """What the vehicle makes of the schedules that it has got beside the loop. Energy flows on."""
    profile = request.EVPowerProfile
    if refused := schedules.refused(talk, profile):
        return failed(talk, now, request, *refused)
    told = PlanChanged(talk.schedule_id, profile_slots(profile) if profile else ())
    return Result(ok(talk, now, cm.PowerDeliveryRes, EVSEStatus=status(talk.facts)), (told,))
