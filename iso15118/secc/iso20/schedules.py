"""ISO 15118-20, schedules and prices as the vehicle is offered them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iso15118 import exi
from iso15118.connection import Now
from iso15118.exi import ExiError
from iso15118.iso20.services import ABSOLUTE_PRICES, NO_PRICING
from iso15118.iso20.values import fee, profile_slots, rational
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.secc import offers
from iso15118.secc.iso20.talk import Talk
from iso15118.secc.phases import schedule_of
from iso15118.terms import Control, Prices, Schedule, Slot

ALGORITHM = "urn:iso:std:iso:15118:-20:PriceAlgorithm:1-Power"
"""How fees are added up: by power [K]."""
MOST_TUPLES = 3
LONGEST_S = (1 << 32) - 1


def offered(talk: Talk, now: Now, most_points: int) -> dict[str, Any] | None:
    """The control mode of a finished answer; None: the host does not know yet."""
    if talk.way is not None and talk.way.control is Control.DYNAMIC:
        plan = talk.facts.dynamic
        if plan is None:
            return None
        by_us, talk.offered_mono = talk.way.mobility_by_secc, now.mono
        mode = cs.Dynamic_SEResControlModeType(
            DepartureTime=plan.departure_s if by_us else None,
            MinimumSOC=plan.min_soc if by_us else None,
            TargetSOC=plan.target_soc if by_us else None,
            **_prices(talk, _cut(Schedule(1, (), prices=plan.prices), most_points).prices, now, signed=True),
        )
        return {"Dynamic_SEResControlMode": mode}
    known = talk.facts.schedules
    if not known:
        return None
    mine = (schedule_of(talk, _cut(each, most_points)) for each in known[:MOST_TUPLES])
    talk.schedules, talk.offered_mono = tuple(offers.usable(each, talk.least) for each in mine), now.mono
    bpt = talk.offered is not None and talk.offered.energy.is_bpt
    tuples = tuple(
        _tuple(each, _prices(talk, each.prices, now, signed=True), now, _prices(talk, each.prices, now) if bpt else None)
        for each in talk.schedules
    )
    return {"Scheduled_SEResControlMode": cs.Scheduled_SEResControlModeType(ScheduleTuple=tuples)}


def nothing_yet(talk: Talk, now: Now) -> dict[str, Any]:
    """What an answer has to carry while it is ongoing: a schedule of no power, or an empty plan."""
    if talk.way is not None and talk.way.control is Control.DYNAMIC:
        return {"Dynamic_SEResControlMode": cs.Dynamic_SEResControlModeType()}
    empty = _tuple(Schedule(1, (Slot(0, 86_400, 0.0),)), {}, now, None)
    return {"Scheduled_SEResControlMode": cs.Scheduled_SEResControlModeType(ScheduleTuple=(empty,))}


def _cut(schedule: Schedule, most_points: int) -> Schedule:
    """As many stretches as the vehicle takes: what does not fit is left out at the end; it is asked again when that is over."""
    most = max(1, most_points)
    prices = schedule.prices
    if prices is not None and len(prices.slots) > most:  # what was signed cannot be cut
        prices = replace(prices, slots=prices.slots[:most], signed=b"")
    return replace(schedule, charging=schedule.charging[:most], discharging=schedule.discharging[:most], prices=prices)


def _tuple(schedule: Schedule, prices: dict[str, Any], now: Now, prices_back: dict[str, Any] | None) -> cs.ScheduleTupleType:
    """`prices_back`: both ways; the same prices without the Id of those that are signed."""
    return cs.ScheduleTupleType(
        ScheduleTupleID=schedule.id,
        ChargingSchedule=cs.ChargingScheduleType(PowerSchedule=_power(schedule.charging, now), **prices),
        DischargingSchedule=cs.ChargingScheduleType(PowerSchedule=_power(schedule.discharging, now), **prices_back)
        if prices_back is not None and schedule.discharging
        else None,
    )


def _power(slots: tuple[Slot, ...], now: Now) -> cs.PowerScheduleType:
    entries = tuple(cs.PowerScheduleEntryType(Duration=min(each.duration_s, LONGEST_S), Power=rational(each.power_W)) for each in slots)
    return cs.PowerScheduleType(
        TimeAnchor=max(0, int(now.utc)), PowerScheduleEntries=cs.PowerScheduleEntryListType(PowerScheduleEntry=entries)
    )


def _prices(talk: Talk, prices: Prices | None, now: Now, *, signed: bool = False) -> dict[str, Any]:
    """What the chosen parameter set says: amounts, levels or nothing. Where no parameter set says anything of prices, what there is."""
    pricing = talk.way.pricing if talk.way else NO_PRICING
    silent = pricing == NO_PRICING and talk.offered is not None and talk.offered.pricings != (NO_PRICING,)
    if prices is None or silent:
        return {}
    as_levels = pricing != ABSOLUTE_PRICES and prices.levels > 0
    if signed and not as_levels and (found := _signed(prices)) is not None:
        return {"AbsolutePriceSchedule": found}
    return _written(prices, now, levels=as_levels) if as_levels or prices.currency else {}


def _signed(prices: Prices) -> pr.AbsolutePriceScheduleType | None:
    """As the mobility operator has made it; None where nobody has, or it cannot be read."""
    try:
        _, found = exi.decode_fragment(prices.signed, pr.NAMESPACE) if prices.signed else ("", None)
    except ExiError:
        return None
    return found if isinstance(found, pr.AbsolutePriceScheduleType) and found.Id else None


def signature(talk: Talk, mode: dict[str, Any]) -> ds.SignatureType | None:
    """Of the prices in an answer that is `offered`, where all that it covers is in there; None where nothing is signed, or something is left out."""
    told = (
        [each.ChargingSchedule for each in mode["Scheduled_SEResControlMode"].ScheduleTuple] if "Scheduled_SEResControlMode" in mode else []
    )
    plans = [*told, *([mode["Dynamic_SEResControlMode"]] if "Dynamic_SEResControlMode" in mode else [])]
    ids = {f"#{each.AbsolutePriceSchedule.Id}" for each in plans if each.AbsolutePriceSchedule and each.AbsolutePriceSchedule.Id}
    try:
        _, found = exi.decode_fragment(talk.facts.prices_signature, ds.NAMESPACE) if ids and talk.facts.prices_signature else ("", None)
    except ExiError:
        return None
    if not isinstance(found, ds.SignatureType) or {each.URI for each in found.SignedInfo.Reference} != ids:
        return None
    return found


def _written(prices: Prices, now: Now, *, levels: bool) -> dict[str, Any]:
    slots = prices.slots
    common: dict[str, Any] = {
        "TimeAnchor": max(0, int(now.utc)),
        "PriceScheduleID": prices.id,
        "PriceScheduleDescription": prices.description or None,
    }
    if levels:
        by_level = tuple(pr.PriceLevelScheduleEntryType(Duration=each.duration_s, PriceLevel=each.level) for each in slots)
        entries = pr.PriceLevelScheduleEntryListType(PriceLevelScheduleEntry=by_level)
        return {
            "PriceLevelSchedule": pr.PriceLevelScheduleType(**common, NumberOfPriceLevels=prices.levels, PriceLevelScheduleEntries=entries)
        }
    stacks = tuple(
        pr.PriceRuleStackType(
            Duration=each.duration_s,
            PriceRule=(pr.PriceRuleType(EnergyFee=fee(each.per_kWh), PowerRangeStart=rational(each.from_power_W)),),
        )
        for each in slots
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
    """Whether a profile wants more than its schedule gives."""
    schedule = next((each for each in talk.schedules if each.id == talk.schedule_id), None)
    return schedule is None or offers.exceeded(profile_slots(profile), schedule)


def held(talk: Talk, now: Now) -> offers.Held | None:
    """None: it draws by no schedule now."""
    schedule = next((each for each in talk.schedules if each.id == talk.schedule_id), None)
    if schedule is None or not talk.energy_on or talk.way is None or talk.way.control is not Control.SCHEDULED:
        return None
    return offers.held(schedule, now.mono - talk.offered_mono, told_prices=talk.way.pricing != NO_PRICING)
