"""ISO 15118-20, schedules as a vehicle reads them, and the power profile that it makes of one."""

from __future__ import annotations

from certs.reading import CertificateError
from iso15118.evcc.iso20.talk import Talk
from iso15118.evcc.terms import PlanOffered, PricesDoubted, PricesJudged, ProfileMade, SchedulesOffered
from iso15118.iso20.certificates import PEER_SIGNATURES, leaf_of
from iso15118.iso20.services import NO_PRICING, PRICE_LEVELS
from iso15118.iso20.values import entry_W, number, part_W, profile_slots, rational, slots
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.signature import verify
from iso15118.terms import Control, DynamicPlan, EvLimits, Price, Prices, Schedule, Told


def schedules(mode: cs.Scheduled_SEResControlModeType) -> tuple[Schedule, ...]:
    """What is offered, in neutral words. The second price schedule of a tuple, that of discharging, is left out."""
    return tuple(
        Schedule(
            each.ScheduleTupleID,
            slots(each.ChargingSchedule.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry),
            slots(each.DischargingSchedule.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry) if each.DischargingSchedule else (),
            prices(each.ChargingSchedule.AbsolutePriceSchedule, each.ChargingSchedule.PriceLevelSchedule),
        )
        for each in mode.ScheduleTuple
    )


def plan(mode: cs.Dynamic_SEResControlModeType) -> DynamicPlan:
    """What the charger has in mind."""
    return DynamicPlan(mode.DepartureTime, mode.MinimumSOC, mode.TargetSOC, prices(mode.AbsolutePriceSchedule, mode.PriceLevelSchedule))


def prices(absolute: pr.AbsolutePriceScheduleType | None, levels: pr.PriceLevelScheduleType | None) -> Prices | None:
    """Of energy alone, its first rule of each stretch: fees, taxes and rules of higher power are left out."""
    if absolute is not None:
        found, at = [], 0
        for stack in absolute.PriceRuleStacks.PriceRuleStack:
            rule = stack.PriceRule[0]
            found.append(Price(at, stack.Duration, number(rule.EnergyFee), from_power_W=number(rule.PowerRangeStart)))
            at += stack.Duration
        return Prices(absolute.PriceScheduleID, absolute.Currency, tuple(found), absolute.Language, absolute.PriceScheduleDescription or "")
    if levels is not None:
        found, at = [], 0
        for each in levels.PriceLevelScheduleEntries.PriceLevelScheduleEntry:
            found.append(Price(at, each.Duration, level=each.PriceLevel))
            at += each.Duration
        return Prices(
            levels.PriceScheduleID, "", tuple(found), description=levels.PriceScheduleDescription or "", levels=levels.NumberOfPriceLevels
        )
    return None


def profile(chosen: cs.ScheduleTupleType, limits: EvLimits, *, give: bool = False, use: int = 3, of: int = 0) -> cs.EVPowerProfileType:
    """As much as schedule and vehicle allow, phase by phase as the schedule has it. `give`: of the schedule for discharging, where there is one. `use`: AC, we
    have so many phases `of` those that the schedule is for.
    """
    schedule = (chosen.DischargingSchedule if give and chosen.DischargingSchedule else chosen.ChargingSchedule).PowerSchedule
    return cs.EVPowerProfileType(
        TimeAnchor=schedule.TimeAnchor,
        Scheduled_EVPPTControlMode=cs.Scheduled_EVPPTControlModeType(
            SelectedScheduleTupleID=chosen.ScheduleTupleID, PowerToleranceAcceptance="PowerToleranceConfirmed"
        ),
        EVPowerProfileEntries=cs.EVPowerProfileEntryListType(
            EVPowerProfileEntry=tuple(_within(_ours(each, use, of), limits) for each in schedule.PowerScheduleEntries.PowerScheduleEntry)
        ),
    )


def taken(talk: Talk, response: cm.ScheduleExchangeRes) -> tuple[Told, ...]:
    """The first schedule, and a profile made within it; in dynamic control there is only a plan. Nothing: of another control mode."""
    scheduled, dynamic = response.Scheduled_SEResControlMode, response.Dynamic_SEResControlMode
    control, judged = talk.way.control if talk.way else None, _judged(talk, response)
    if control is Control.SCHEDULED and scheduled is not None:
        chosen = scheduled.ScheduleTuple[0]
        wants, of = talk.wants, talk.way.phases if talk.way is not None else 0
        talk.profile = profile(chosen, wants.limits, give=wants.begin_by_giving, use=wants.phases, of=of)
        offered = schedules(scheduled)
        doubts = _doubts(talk, *(each.prices for each in offered))
        return SchedulesOffered(offered), *judged, *doubts, ProfileMade(chosen.ScheduleTupleID, profile_slots(talk.profile))
    if control is Control.DYNAMIC and dynamic is not None:
        talk.profile = None
        offered_plan = plan(dynamic)
        return PlanOffered(offered_plan), *judged, *_doubts(talk, offered_plan.prices)
    return ()


def _judged(talk: Talk, response: cm.ScheduleExchangeRes) -> tuple[PricesJudged, ...]:
    """Signed prices are signed with the key of the second sub-CA of the mobility operator, which stands above our contract [K]."""
    scheduled, dynamic = response.Scheduled_SEResControlMode, response.Dynamic_SEResControlMode
    schedules_ = (
        [part for each in scheduled.ScheduleTuple for part in (each.ChargingSchedule, each.DischargingSchedule)] if scheduled else []
    )
    found = [each.AbsolutePriceSchedule for each in (*schedules_, dynamic) if each is not None]
    parts = [(each.Id, "AbsolutePriceSchedule", each) for each in found if each is not None and each.Id]
    if response.Header.Signature is None and not parts:
        return ()
    if talk.contract is None or len(talk.contract.chain) < 2:
        return (PricesJudged(verified=False, why="no contract pays: nobody knows whose signature it should be"),)
    try:
        key = leaf_of(talk.contract.chain[1]).key
    except CertificateError as error:
        return (PricesJudged(verified=False, why=str(error)),)
    why = verify(response.Header.Signature, parts, key, lax=PEER_SIGNATURES if talk.wants.peer_profile else ())
    return (PricesJudged(verified=not why, why=why),)


def _doubts(talk: Talk, *offered: Prices | None) -> tuple[PricesDoubted, ...]:
    """Each thing once."""
    pricing = talk.way.pricing if talk.way else NO_PRICING
    return tuple(PricesDoubted(why) for why in dict.fromkeys(doubt(pricing, each) for each in offered) if why)


def doubt(pricing: int, offered: Prices | None) -> str:
    """What is wrong with prices that come with a parameter set of this Pricing; "" when nothing is. More than was promised is no harm."""
    if offered is None:
        return "" if pricing == NO_PRICING else "the parameter set promises prices, and there are none"
    if pricing != NO_PRICING and (pricing == PRICE_LEVELS) != (offered.levels > 0):
        return "the parameter set promises " + (
            "price levels, and there are amounts" if pricing == PRICE_LEVELS else "amounts, and there are none"
        )
    if not offered.levels and not (len(offered.currency) == 3 and offered.currency.isalpha() and offered.currency.isupper()):
        return f"{offered.currency!r} is no currency of ISO 4217"
    if any(each.duration_s <= 0 for each in offered.slots):
        return "a price holds for no time"
    if offered.levels and (wrong := next((each.level for each in offered.slots if each.level > offered.levels), None)) is not None:
        return f"level {wrong} of {offered.levels}"
    return ""


def _ours(entry: cs.PowerScheduleEntryType, use: int, of: int) -> cs.PowerScheduleEntryType:
    if use >= of:
        return entry
    return cs.PowerScheduleEntryType(Duration=entry.Duration, Power=rational(part_W(entry, "Power", use, of) or 0.0))


def _within(entry: cs.PowerScheduleEntryType, limits: EvLimits) -> cs.PowerScheduleEntryType:
    total_W = entry_W(entry)
    most_W = limits.max_power_W if total_W > 0 else limits.max_discharge_W
    if most_W is None or abs(total_W) <= most_W:
        return entry
    share = most_W / abs(total_W)
    return cs.PowerScheduleEntryType(
        Duration=entry.Duration,
        Power=rational(number(entry.Power) * share),
        Power_L2=rational(number(entry.Power_L2) * share) if entry.Power_L2 else None,
        Power_L3=rational(number(entry.Power_L3) * share) if entry.Power_L3 else None,
    )


def planned_W(made: cs.EVPowerProfileType | None, utc: float) -> float | None:
    """What the profile has for this moment; after its end its last entry. None: there is none."""
    if made is None:
        return None
    at_s = max(0.0, utc - made.TimeAnchor)
    found = profile_slots(made)
    return next((each.power_W for each in found if at_s < each.start_s + each.duration_s), found[-1].power_W)


def planned(wanted: float, most: float | None) -> float:
    """What is wanted, as far as the plan goes, in the plan's direction. None: there is no plan."""
    if most is None:
        return wanted
    return max(0.0, min(wanted, most)) if most >= 0 else min(0.0, max(wanted, most))
