"""ISO 15118-2, schedules and tariffs as the vehicle is offered them, and what it makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from iso15118 import exi
from iso15118.connection import Now
from iso15118.exi import ExiError
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.messages.iso2 import msg_def as md
from iso15118.secc.offers import Least, exceeded, usable
from iso15118.secc.phases import per_A_W, schedule_of
from iso15118.secc.v2gmsg.dc import most_points
from iso15118.secc.v2gmsg.talk import Chosen, Talk
from iso15118.terms import Price, Prices, Schedule, Slot
from iso15118.v2gmsg.values import maker, number

MOST_TUPLES = 3
MOST_ID = 255
LONGEST_S = 86_400
MOST_START_S = 16_777_214
MOST_LEVEL = 255
PER_CENT = 100
_watts = maker(dt.PhysicalValueType, "W")


def offered(talk: Talk, now: Now, request: Any) -> sc.SAScheduleList | None:
    """None: the host does not know yet. What the vehicle takes no more of is left out at the end; ids are those that the protocol has."""
    known = talk.facts.schedules
    if not known:
        return None
    most = most_points(request)
    talk.schedules = tuple(usable(schedule_of(talk, _fitting(each, most)), least_of_talk(talk)) for each in known[:MOST_TUPLES])
    talk.offered_mono = now.mono
    signed = _all_signed(talk.schedules, most if talk.by_contract else 0)
    amounts = _amounts(each for each, tariff in zip(talk.schedules, signed, strict=True) if tariff is None)
    return sc.SAScheduleList(
        SAScheduleTuple=tuple(_tuple(each, tariff, amounts) for each, tariff in zip(talk.schedules, signed, strict=True))
    )


def least_of_talk(talk: Talk) -> Least:
    """AC: by all the phases that the vehicle uses."""
    return Least(talk.least_A * per_A_W(talk))


def _amounts(schedules: Iterable[Schedule]) -> list[float]:
    """All that are told to this vehicle, the cheapest first: levels and shares of one schedule are compared with those of the others."""
    prices = [each.prices for each in schedules if each.prices is not None and each.prices.currency]
    return sorted({slot.per_kWh for each in prices for slot in each.slots})


def _fitting(schedule: Schedule, most: int) -> Schedule:
    prices = schedule.prices
    if prices is not None and len(prices.slots) > most:
        prices = replace(prices, slots=prices.slots[:most])
    return replace(schedule, id=(schedule.id - 1) % MOST_ID + 1, charging=schedule.charging[:most], prices=prices)


def _tuple(schedule: Schedule, signed: sc.SalesTariffType | None, amounts: Sequence[float]) -> sc.SAScheduleTupleType:
    entries = tuple(
        sc.PMaxScheduleEntryType(TimeInterval=_interval(each), PMax=_watts(max(0.0, each.power_W))) for each in schedule.charging
    )
    prices = schedule.prices
    tariff = signed or (_tariff(prices, amounts) if prices is not None else None)
    return sc.SAScheduleTupleType(
        SAScheduleTupleID=schedule.id,
        PMaxSchedule=sc.PMaxScheduleType(PMaxScheduleEntry=entries),
        SalesTariff=tariff,
    )


def _interval(each: Slot | Price) -> sc.RelativeTimeInterval:
    return sc.RelativeTimeInterval(start=min(each.start_s, MOST_START_S), duration=min(each.duration_s, LONGEST_S))


def _all_signed(schedules: Sequence[Schedule], most: int) -> list[sc.SalesTariffType | None]:
    """Of each schedule. An Id stands once in a message: what has one that is there already is told in words of ours."""
    found: list[sc.SalesTariffType | None] = []
    for each in schedules:
        tariff = _signed(each.prices, most) if each.prices is not None else None
        known = tariff is not None and any(other is not None and other.Id == tariff.Id for other in found)
        found.append(None if known else tariff)
    return found


def _signed(prices: Prices, most: int) -> sc.SalesTariffType | None:
    """As the mobility operator has made it; None where nobody has, it cannot be read, or is longer than the vehicle takes."""
    try:
        _, found = exi.decode_fragment(prices.signed_tariff, md.NAMESPACE) if prices.signed_tariff else ("", None)
    except ExiError:
        return None
    fits = isinstance(found, sc.SalesTariffType) and found.Id and len(found.SalesTariffEntry) <= most
    return found if fits and isinstance(found, sc.SalesTariffType) else None


def signature(talk: Talk, written: sc.SAScheduleList | None) -> ds.SignatureType | None:
    """Of the tariffs in an answer, where all that it covers is in there; None where nothing is signed, or something is left out."""
    tariffs = [each.SalesTariff for each in written.SAScheduleTuple if each.SalesTariff is not None] if written is not None else []
    ids = {f"#{each.Id}" for each in tariffs if each.Id}
    try:
        _, found = exi.decode_fragment(talk.facts.tariff_signature, ds.NAMESPACE) if ids and talk.facts.tariff_signature else ("", None)
    except ExiError:
        return None
    if not isinstance(found, ds.SignatureType) or {each.URI for each in found.SignedInfo.Reference} != ids:
        return None
    return found


def _tariff(prices: Prices, amounts: Sequence[float]) -> sc.SalesTariffType | None:
    """Not signed. Amounts are told by their place among all that are told to this vehicle, and as a share of the dearest; a tariff of one level without
    amounts says nothing.
    """
    if prices.currency:
        levels = {value: place for place, value in enumerate(amounts, 1)}
        most = len(amounts)
    elif prices.levels > 1:
        levels, most = {}, prices.levels
    else:
        return None
    entries = tuple(
        sc.SalesTariffEntryType(
            TimeInterval=_interval(each),
            EPriceLevel=min(MOST_LEVEL, max(0, levels.get(each.per_kWh, each.level) if prices.currency else each.level)),
            ConsumptionCost=_costs(each, amounts[-1]) if prices.currency and amounts[-1] > 0 else (),
        )
        for each in prices.slots
    )
    return sc.SalesTariffType(
        SalesTariffID=(prices.id - 1) % MOST_ID + 1,
        SalesTariffDescription=prices.description[:32] or None,
        NumEPriceLevels=min(MOST_LEVEL, most),
        SalesTariffEntry=entries,
    )


def _costs(each: Price, dearest: float) -> tuple[sc.ConsumptionCostType, ...]:
    share = max(0, round(each.per_kWh / dearest * PER_CENT))
    cost = sc.CostType(costKind="relativePricePercentage", amount=share)
    return (sc.ConsumptionCostType(startValue=_watts(each.from_power_W), Cost=(cost,)),)


NOTHING_YET: sc.SAScheduleList | None = None
"""While it is ongoing SASchedules is left out."""


def chosen(talk: Talk, request: mb.PowerDeliveryReq) -> Chosen:
    """Takes the schedule that is named, and says with which code and why the profile cannot be granted."""
    schedule = next((each for each in talk.schedules if each.id == request.SAScheduleTupleID), None)
    if schedule is None:
        return Chosen((), ("FAILED_TariffSelectionInvalid", "PowerDelivery names no schedule that was offered"))
    talk.schedule_id = schedule.id
    profile = slots(request.ChargingProfile)
    if exceeded(profile, schedule):
        return Chosen((), ("FAILED_ChargingProfileInvalid", "the profile wants more than the schedule gives"))
    return Chosen(profile)


def slots(profile: sc.ChargingProfileType | None) -> tuple[Slot, ...]:
    """Each entry holds until the next begins, the last for a day."""
    if profile is None:
        return ()
    entries = profile.ProfileEntry
    starts = [each.ChargingProfileEntryStart for each in entries]
    ends = [*starts[1:], starts[-1] + LONGEST_S]
    return tuple(
        Slot(start, max(0, end - start), number(each.ChargingProfileEntryMaxPower))
        for start, end, each in zip(starts, ends, entries, strict=True)
    )
