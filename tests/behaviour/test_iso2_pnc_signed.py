"""Plug & Charge of ISO 15118-2, our vehicle at our charger: readings that the vehicle signs, and tariffs that its operator has signed."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g import pki_older
from bench.v2g.pair import Pair
from iso15118.evcc.terms import (
    AuthorizationRefused,
    PricesJudged,
    ProfileMade,
    SchedulesOffered,
)
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import msg_body as mb
from iso15118.terms import (
    MeteringConfirmed,
    Price,
    Prices,
    Reading,
    Schedule,
    Slot,
    Wish,
)
from tests.behaviour.iso2_pnc_rig import SPEECHES, WORLD, pnc, restarted, said
from tests.behaviour.iso20_rig import ended_well, told

# ---- receipts


@pytest.mark.req("S-21")
@pytest.mark.parametrize("speech", SPEECHES)
@pytest.mark.parametrize("anew", [False, True])
def test_the_vehicle_signs_the_reading_that_it_is_shown(speech: str, anew: bool) -> None:
    pair = pnc(speech, loops=20)
    pair.when(lambda: pair.loops() >= 6, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    if anew:
        pair.when(lambda: bool(said(pair, mb.MeteringReceiptReq)), lambda: restarted(pair))
    ended_well(pair.session())
    (receipt,) = said(pair, mb.MeteringReceiptReq)
    assert (receipt.SessionID, receipt.SAScheduleTupleID) == (pair.vehicle.session_id, 1)
    (confirmed,) = told(pair, MeteringConfirmed)
    assert (confirmed.verified, confirmed.why) == (True, "")
    assert confirmed.reading.import_Wh == receipt.MeterInfo.MeterReading


def test_who_does_not_heed_it_is_left_alone() -> None:
    pair = pnc(loops=20, heeds=frozenset())
    pair.when(lambda: pair.loops() >= 6, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    ended_well(pair.session())
    assert said(pair, mb.MeteringReceiptReq) == []


def test_nobody_who_pays_otherwise_is_asked() -> None:
    pair = pnc(contracts=(), facts={"certificate_installation": False, "meter": Reading("M", 1)}, loops=20)
    pair.when(lambda: pair.loops() >= 6, lambda: setattr(pair.charger.facts, "wish", Wish.CONFIRM_METERING))
    ended_well(pair.session())
    assert {each.ReceiptRequired for each in said(pair, mb.CurrentDemandRes, "evse")} == {False}


# ---- tariffs


def tariff(id_: str = "tariff1", levels: tuple[int, ...] = (2, 1)) -> sc.SalesTariffType:
    entries = tuple(
        sc.SalesTariffEntryType(TimeInterval=sc.RelativeTimeInterval(start=3600 * at), EPriceLevel=level) for at, level in enumerate(levels)
    )
    return sc.SalesTariffType(Id=id_, SalesTariffID=1, NumEPriceLevels=max(levels), SalesTariffEntry=entries)


def with_tariff(octets: bytes, signature: bytes, **more: Any) -> Pair:
    """The charger has a tariff that the operator has signed, and one of its own beside it, which is as good and dearer."""
    pair = pnc(**more)
    prices = Prices(1, "", (Price(0, 86_400, level=2),), levels=2, signed_tariff=octets)
    pair.charger.facts.tariff_signature = signature
    return planned(pair, prices)


def test_the_tariff_that_the_operator_has_signed() -> None:
    pair = with_tariff(*pki_older.signed_tariff(WORLD, tariff())).session()
    ended_well(pair)
    assert told(pair, PricesJudged, "ev") == [PricesJudged(verified=True)]
    (offered,) = told(pair, SchedulesOffered, "ev")
    assert [each.level for each in offered.schedules[0].prices.slots] == [2, 1]
    *_, answer = said(pair, mb.ChargeParameterDiscoveryRes, "evse")
    assert answer.SASchedules.SAScheduleTuple[0].SalesTariff == tariff()


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        (pki_older.signed_tariff(WORLD, tariff(), by="cpsLeaf"), "the signature is not the key's"),
        ((pki_older.signed_tariff(WORLD, tariff(levels=(1, 1)))[0], pki_older.signed_tariff(WORLD, tariff())[1]), "its digest differs"),
        ((pki_older.signed_tariff(WORLD, tariff())[0], b"no signature"), "the message is not signed"),
        ((b"no tariff", b""), "not signed: the prices of schedule 1"),
        ((b"", b""), "not signed: the prices of schedule 1"),
    ],
)
def test_a_tariff_that_nobody_answers_for_is_not_chosen_by(signed: tuple[bytes, bytes], why: str) -> None:
    pair = with_tariff(*signed).session()
    ended_well(pair)
    (judged,) = told(pair, PricesJudged, "ev")
    assert not judged.verified
    assert why in judged.why
    assert len(told(pair, ProfileMade, "ev")) == 1


def test_prices_that_are_not_signed_choose_nothing() -> None:
    """By card the cheaper schedule is taken; by contract the first, since what is told of prices is nobody's word."""
    chosen = []
    for contracts in (None, ()):
        pair = pnc(contracts=contracts, facts={"certificate_installation": False})
        dear, cheap = (Prices(at, "", (Price(0, 86_400, level=level),), levels=3) for at, level in ((1, 3), (2, 1)))
        ended_well(planned(pair, dear, cheap).session())
        chosen.append(told(pair, ProfileMade, "ev")[0].schedule_id)
    assert chosen == [1, 2]


def test_a_tariff_that_is_longer_than_the_vehicle_takes_is_told_in_words_of_ours() -> None:
    pair = with_tariff(*pki_older.signed_tariff(WORLD, tariff(levels=(1, 2, 3))), most_points=2).session()
    ended_well(pair)
    *_, answer = said(pair, mb.ChargeParameterDiscoveryRes, "evse")
    assert len(answer.SASchedules.SAScheduleTuple[0].SalesTariff.SalesTariffEntry) == 1


def test_by_card_nobody_asks_who_has_signed() -> None:
    pair = with_tariff(*pki_older.signed_tariff(WORLD, tariff()), contracts=(), facts={"certificate_installation": False}).session()
    ended_well(pair)
    assert told(pair, PricesJudged, "ev") == []
    assert told(pair, AuthorizationRefused, "ev") == []


def planned(pair: Pair, *prices: Prices) -> Pair:
    """A schedule for each of these, all of them as good."""

    def plan() -> None:
        pair.charger.facts.schedules = tuple(Schedule(at, (Slot(0, 86_400, 1e5),), prices=each) for at, each in enumerate(prices, 1))

    pair.charger._plan = plan  # type: ignore[method-assign]
    return pair


def tuples(pair: Pair) -> Any:
    return said(pair, mb.ChargeParameterDiscoveryRes, "evse")[-1].SASchedules.SAScheduleTuple


def test_one_that_nobody_has_signed_takes_nothing_from_the_signed_one_beside_it() -> None:
    octets, signature = pki_older.signed_tariff(WORLD, tariff())
    own, theirs = (
        Prices(1, "", (Price(0, 86_400, level=1),), levels=2),
        Prices(2, "", (Price(0, 86_400, level=2),), levels=2, signed_tariff=octets),
    )
    pair = planned(pnc(), own, theirs)
    pair.charger.facts.tariff_signature = signature
    ended_well(pair.session())
    assert told(pair, PricesJudged, "ev") == [
        PricesJudged(verified=True),
        PricesJudged(verified=False, why="not signed: the prices of schedule 1"),
    ]
    assert told(pair, ProfileMade, "ev")[0].schedule_id == 2, "its prices are somebody's word, however cheap the other says it is"


def test_a_signed_tariff_that_holds_for_two_schedules_stands_in_the_message_once() -> None:
    """An xs:ID does."""
    octets, signature = pki_older.signed_tariff(WORLD, tariff())
    prices = Prices(1, "", (Price(0, 86_400, level=2),), levels=2, signed_tariff=octets)
    pair = planned(pnc(), prices, prices)
    pair.charger.facts.tariff_signature = signature
    ended_well(pair.session())
    assert [each.SalesTariff.Id for each in tuples(pair)] == ["tariff1", None]
    assert [each.verified for each in told(pair, PricesJudged, "ev")] == [True, False]


def test_levels_and_shares_are_those_among_all_that_is_told() -> None:
    """By card nobody has to sign them, and the cheaper schedule is taken."""
    dear, cheap = Prices(1, "EUR", (Price(0, 86_400, 0.40),)), Prices(2, "EUR", (Price(0, 3_600, 0.20), Price(3_600, 82_800, 0.30)))
    pair = planned(pnc(contracts=(), facts={"certificate_installation": False}), dear, cheap)
    ended_well(pair.session())
    found = [
        (
            each.SalesTariff.NumEPriceLevels,
            [(one.EPriceLevel, one.ConsumptionCost[0].Cost[0].amount) for one in each.SalesTariff.SalesTariffEntry],
        )
        for each in tuples(pair)
    ]
    assert found == [(3, [(3, 100)]), (3, [(1, 50), (2, 75)])]
    assert told(pair, ProfileMade, "ev")[0].schedule_id == 2
