"""ISO 15118-20, schedules and prices as the vehicle is offered them."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.iso20.values import profile_slots, rational
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.secc.iso20.talk import Talk
from iso15118.terms import Control, Prices, Schedule, Slot

ALGORITHM = "urn:iso:std:iso:15118:-20:PriceAlgorithm:1-Power"
"""How fees are added up: by power [K]."""
MOST_TUPLES = 3
LONGEST_S = (1 << 32) - 1
PROFILE_TOLERANCE = 1.01
"""A profile above its schedule by less is rounding."""


def offered(talk: Talk, now: Now, most_points: int) -> dict[str, Any] | None:
    """The control mode of a finished answer; None: the host does not know yet."""
    if talk.way is not None and talk.way.control is Control.DYNAMIC:
        plan = talk.facts.dynamic
        if plan is None:
            return None
        by_us = talk.way.mobility_by_secc
        mode = cs.Dynamic_SEResControlModeType(
            DepartureTime=plan.departure_s if by_us else None,
            MinimumSOC=plan.min_soc if by_us else None,
            TargetSOC=plan.target_soc if by_us else None,
            **(_prices(plan.prices, now) if plan.prices else {}),
        )
        return {"Dynamic_SEResControlMode": mode}
    known = talk.facts.schedules
    if not known:
        return None
    talk.schedules = known[:MOST_TUPLES]
    tuples = tuple(_tuple(each, now, most_points, bpt=talk.offered is not None and talk.offered.energy.is_bpt) for each in talk.schedules)
    return {"Scheduled_SEResControlMode": cs.Scheduled_SEResControlModeType(ScheduleTuple=tuples)}


def nothing_yet(talk: Talk, now: Now) -> dict[str, Any]:
    """What an answer has to carry while it is ongoing: a schedule of no power, or an empty plan."""
    if talk.way is not None and talk.way.control is Control.DYNAMIC:
        return {"Dynamic_SEResControlMode": cs.Dynamic_SEResControlModeType()}
    empty = _tuple(Schedule(1, (Slot(0, 86_400, 0.0),)), now, 12, bpt=False)
    return {"Scheduled_SEResControlMode": cs.Scheduled_SEResControlModeType(ScheduleTuple=(empty,))}


def _tuple(schedule: Schedule, now: Now, most_points: int, *, bpt: bool) -> cs.ScheduleTupleType:
    prices = _prices(schedule.prices, now) if schedule.prices else {}
    return cs.ScheduleTupleType(
        ScheduleTupleID=schedule.id,
        ChargingSchedule=cs.ChargingScheduleType(PowerSchedule=_power(schedule.charging, now, most_points), **prices),
        DischargingSchedule=cs.ChargingScheduleType(PowerSchedule=_power(schedule.discharging, now, most_points), **prices)
        if bpt and schedule.discharging
        else None,
    )


def _power(slots: tuple[Slot, ...], now: Now, most_points: int) -> cs.PowerScheduleType:
    """As many points as the vehicle takes; what does not fit is left out at the end: it can ask again."""
    entries = tuple(
        cs.PowerScheduleEntryType(Duration=min(each.duration_s, LONGEST_S), Power=rational(each.power_W)) for each in slots[:most_points]
    )
    return cs.PowerScheduleType(
        TimeAnchor=max(0, int(now.utc)), PowerScheduleEntries=cs.PowerScheduleEntryListType(PowerScheduleEntry=entries)
    )


def _prices(prices: Prices, now: Now) -> dict[str, Any]:
    """Amounts, or levels."""
    common: dict[str, Any] = {
        "TimeAnchor": max(0, int(now.utc)),
        "PriceScheduleID": prices.id,
        "PriceScheduleDescription": prices.description or None,
    }
    if prices.levels:
        levels = tuple(pr.PriceLevelScheduleEntryType(Duration=each.duration_s, PriceLevel=each.level) for each in prices.slots)
        entries = pr.PriceLevelScheduleEntryListType(PriceLevelScheduleEntry=levels)
        return {
            "PriceLevelSchedule": pr.PriceLevelScheduleType(**common, NumberOfPriceLevels=prices.levels, PriceLevelScheduleEntries=entries)
        }
    stacks = tuple(
        pr.PriceRuleStackType(
            Duration=each.duration_s,
            PriceRule=(pr.PriceRuleType(EnergyFee=rational(each.per_kWh), PowerRangeStart=rational(each.from_power_W)),),
        )
        for each in prices.slots
    )
    return {
        "AbsolutePriceSchedule": pr.AbsolutePriceScheduleType(
            **common,
            Currency=prices.currency,
            Language=prices.language,
            PriceAlgorithm=ALGORITHM,
            PriceRuleStacks=pr.PriceRuleStackListType(PriceRuleStack=stacks),
        )
    }


def refused(talk: Talk, profile: cs.EVPowerProfileType | None) -> tuple[str, str] | None:
    """Takes the schedule that a profile names, and says with which code and why the profile cannot be granted. Dynamic control wants none."""
    if talk.way is None or talk.way.control is not Control.SCHEDULED:
        return None
    chosen = profile.Scheduled_EVPPTControlMode if profile else None
    if profile is None or chosen is None or chosen.SelectedScheduleTupleID not in {each.id for each in talk.schedules}:
        return "FAILED_ScheduleSelectionInvalid", "the profile names no schedule that was offered"
    talk.schedule_id = chosen.SelectedScheduleTupleID
    return ("FAILED_EVPowerProfileInvalid", "the profile wants more than the schedule gives") if violated(talk, profile) else None


def violated(talk: Talk, profile: cs.EVPowerProfileType) -> bool:
    """Whether a profile wants more than its schedule gives, wherever either of them changes; what it gives back is not judged."""
    schedule = next((each for each in talk.schedules if each.id == talk.schedule_id), None)
    if schedule is None:
        return True
    for slot in profile_slots(profile):
        end_s = slot.start_s + slot.duration_s
        moments = [slot.start_s, *(each.start_s for each in schedule.charging if slot.start_s < each.start_s < end_s)]
        if any(slot.power_W > _allowed_W(schedule.charging, at) * PROFILE_TOLERANCE for at in moments):
            return True
    return False


def _allowed_W(slots: tuple[Slot, ...], at_s: int) -> float:
    found = next((each.power_W for each in slots if each.start_s <= at_s < each.start_s + each.duration_s), None)
    return found if found is not None else slots[-1].power_W
