"""Who a token is: list, cache, CSMS; and the cache."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.commands import Log, Persist
from chargepoint.events import IdToken, Persisted, PersistFailed, PoweredUp, TokenForced
from chargepoint.ocpp import auth_cache
from chargepoint.ocpp.blocks.authorization import CACHE_STORAGE
from chargepoint.ocpp.id_tokens import Entry, entry_of, key_of
from chargepoint.ocpp.messages import Answer, AnswerError, CallAnswered, CallReceived
from chargepoint.ocpp.variable import place_of
from tests.unit.ocpp.authorize_rig import CARD, OTHER, AuthRig


@pytest.fixture
def rig() -> AuthRig:
    return AuthRig()


def cached(rig: AuthRig, status: str = "Accepted", token: IdToken = CARD, **info: Any) -> None:
    """The CSMS has answered about this token once; the EVSE is free again."""
    rig.swipe(token)
    rig.allow(status, **info)
    rig.swipe(token) if rig.token_of() else None
    rig.calls.clear()
    rig.log.clear()


# ---- the table of the module: what is asked, and what comes of it


@pytest.mark.parametrize(
    ("known", "settings", "online", "asks", "result"),
    [
        ("Accepted", {}, True, False, "Accepted"),
        ("Accepted", {"AuthCtrlr.LocalPreAuthorize": "false"}, True, True, ""),
        ("Accepted", {"AuthCtrlr.LocalPreAuthorize": "false", "AuthCtrlr.DisableRemoteAuthorization": "true"}, True, False, "Accepted"),
        ("Accepted", {}, False, False, "Accepted"),
        ("Accepted", {"AuthCtrlr.LocalAuthorizeOffline": "false"}, False, False, "Unknown"),
        ("Blocked", {}, True, True, ""),
        ("Blocked", {"Ctrlr.DisablePostAuthorize": "true"}, True, False, "Blocked"),
        ("Blocked", {}, False, False, "Blocked"),
        ("Blocked", {"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"}, False, False, "Blocked"),
    ],
)
@pytest.mark.parametrize("where", ["list", "cache"])
@pytest.mark.req("C12.FR.02", "C13.FR.03", "C14.FR.03", "TC_C_57", "C13.FR.05", "C14.FR.04")
def test_a_token_that_is_known(where: str, known: str, settings: dict[str, str], online: bool, asks: bool, result: str) -> None:
    rig = AuthRig()
    rig.hear(TokenForced("list" if where == "list" else "cache", CARD.id_token, known))
    for key, value in settings.items():
        rig.set(
            key.replace("Ctrlr.Dis", "LocalAuthListCtrlr.Dis" if where == "list" else "AuthCacheCtrlr.Dis") if key[0] == "C" else key, value
        )
    if not online:
        rig.disconnect()
    rig.plug()
    rig.swipe()
    assert bool(rig.calls) is asks
    if not asks:
        assert ("Accepted" if rig.authorised() else rig.refusals()[0]) == result
        assert [each.how for each in rig.authorised()] == ([where] if result == "Accepted" else [])


@pytest.mark.parametrize(
    ("settings", "online", "asks", "accepted", "shown"),
    [
        ({}, True, True, False, "auth.present"),
        ({"AuthCtrlr.DisableRemoteAuthorization": "true"}, True, False, False, "auth.unknown"),
        ({}, False, False, False, "auth.offline"),
        ({"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"}, False, False, True, "auth.present"),
    ],
)
@pytest.mark.req("TC_C_26", "C15.FR.08")
def test_a_token_that_nobody_knows(settings: dict[str, str], online: bool, asks: bool, accepted: bool, shown: str) -> None:
    rig = AuthRig()
    for key, value in settings.items():
        rig.set(key, value)
    if not online:
        rig.disconnect()
    rig.plug()
    rig.swipe()
    assert bool(rig.calls) is asks
    assert [each.how for each in rig.authorised()] == (["offline_unknown"] if accepted else [])
    assert rig.shown()[-1] == shown


@pytest.mark.req("TC_C_25")
@pytest.mark.parametrize(
    "online", [pytest.param(False, marks=pytest.mark.req("C13.FR.01")), pytest.param(True, marks=pytest.mark.req("C14.FR.01"))]
)
@pytest.mark.parametrize(("in_list", "in_cache", "accepted"), [("Blocked", "Accepted", False), ("Accepted", "Blocked", True)])
def test_the_list_comes_before_the_cache(rig: AuthRig, in_list: str, in_cache: str, online: bool, accepted: bool) -> None:
    rig.hear(TokenForced("cache", CARD.id_token, in_cache), TokenForced("list", CARD.id_token, in_list))
    if not online:
        rig.disconnect()
    rig.swipe()
    assert bool(rig.authorised()) is accepted
    assert rig.actions() == (["Authorize"] if online and not accepted else [])


@pytest.mark.req("C13.FR.05", "C13.FR.06")
@pytest.mark.parametrize("unknown_may", ["true", "false"])
def test_an_entry_of_the_list_that_has_expired_is_no_entry_and_not_unknown(rig: AuthRig, unknown_may: str) -> None:
    rig.send_list(1, (CARD, {"status": "Accepted", "cacheExpiryDateTime": "2026-11-24T12:30:00Z"}))
    rig.set("AuthCtrlr.OfflineTxForUnknownIdEnabled", unknown_may)
    rig.disconnect()
    rig.advance(1801)
    rig.swipe()
    assert rig.authorised() == []


def test_a_list_that_is_off_says_nothing(rig: AuthRig) -> None:
    rig.hear(TokenForced("list", CARD.id_token, "Accepted"))
    rig.set("LocalAuthListCtrlr.Enabled", "false")
    rig.swipe()
    assert rig.actions() == ["Authorize"]


# ---- a CSMS that does not answer


@pytest.mark.req("F-6")
@pytest.mark.parametrize("code", ["Timeout", "InternalError", "FormatViolation"])
def test_a_csms_that_cannot_say_leaves_what_is_known(rig: AuthRig, code: str) -> None:
    rig.set("AuthCtrlr.LocalPreAuthorize", "false")
    rig.set("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true")
    rig.hear(TokenForced("cache", CARD.id_token, "Accepted"))
    rig.swipe(OTHER)
    rig.refuse("Authorize", code)
    assert rig.authorised() == []  # nobody is offline: an unknown card is not taken
    assert rig.shown() == ["auth.offline"]
    rig.swipe(CARD)
    rig.refuse("Authorize", code)
    assert [each.how for each in rig.authorised()] == ["cache"]


def test_a_link_that_breaks_under_the_question_is_offline(rig: AuthRig) -> None:
    rig.set("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true")
    rig.swipe()
    rig.disconnect()
    assert [each.how for each in rig.authorised()] == ["offline_unknown"]


def test_an_answer_nobody_waits_for_is_ignored(rig: AuthRig) -> None:
    payload = {"idTokenInfo": {"status": "Accepted"}}
    for token in ("authorization:77", "authorization:", "authorization:x", "other:1"):
        assert rig.hear(CallAnswered(token, "Authorize", payload)) == []


@pytest.mark.req("B02.FR.03", "B02.FR.05", "B03.FR.01", "B03.FR.02")
@pytest.mark.parametrize("before", ["true", "false"])
def test_before_the_csms_has_accepted_the_station(rig: AuthRig, before: str) -> None:
    rig.hear(TokenForced("list", CARD.id_token, "Accepted"))
    rig.set("TxCtrlr.TxBeforeAcceptedEnabled", before)
    rig.context.link.registration = "Pending"
    rig.swipe()
    assert rig.calls == []
    assert bool(rig.authorised()) is (before == "true")


@pytest.mark.req("C01.FR.21")
@pytest.mark.req("C10.FR.14")
def test_a_token_for_other_evses_is_refused_here(rig: AuthRig) -> None:
    rig.plug(1)
    rig.plug(2)
    rig.swipe(CARD, 1)
    rig.allow(evseId=[2])
    assert rig.refusals() == ["NotAtThisLocation"]
    rig.swipe(CARD, 1, 2)
    assert rig.token_of(2) == CARD  # the cache keeps where it may charge


def test_the_rest_of_an_answer_is_tolerated(rig: AuthRig) -> None:
    """A tariff, a certificateStatus, messages for the driver (what CSMSs send along)."""
    rig.swipe()
    info = {"status": "Accepted", "personalMessage": {"format": "UTF8", "content": "hello"}, "language1": "de", "chargingPriority": 3}
    tariff = {"tariffId": "T", "currency": "EUR"}
    rig.answer(
        "Authorize", {"idTokenInfo": info, "tariff": tariff, "certificateStatus": "Accepted", "allowedEnergyTransfer": ["AC_single_phase"]}
    )
    assert rig.token_of() == CARD


def test_a_token_goes_out_as_it_was_presented(rig: AuthRig) -> None:
    for text in ("04a2b3c4d5e6f7", "04A2B3C4D5E6F7AABBCC", "äöü"):
        rig.swipe(IdToken(text, "ISO14443"))
    assert [call.payload["idToken"]["idToken"] for call in rig.calls] == ["04a2b3c4d5e6f7", "04A2B3C4D5E6F7AABBCC", "äöü"]


# ---- the cache


@pytest.mark.req("C10.FR.01", "C10.FR.03", "TC_C_32", "TC_C_33")
def test_what_the_csms_says_is_kept_over_a_restart(rig: AuthRig) -> None:
    cached(rig, "Accepted", group="G")
    rig = rig.another_life(online=False)
    rig.swipe()
    assert [(each.how, each.group) for each in rig.authorised()] == [("cache", "G")]


def test_no_token_stands_in_the_store_in_clear(rig: AuthRig) -> None:
    cached(rig)
    rig.send_list(1, (OTHER, {"status": "Accepted"}))
    text = str(rig.store).lower()
    assert CARD.id_token.lower() not in text
    assert OTHER.id_token.lower() not in text
    assert rig.store["auth_cache"]


@pytest.mark.req("C12.FR.06", "TC_C_34")
def test_a_transaction_event_response_counts_as_well(rig: AuthRig) -> None:
    cached(rig)
    rig.plug()
    rig.swipe()
    rig.begin()
    rig.judge("Blocked")
    rig.disconnect()
    rig.unplug()
    rig.swipe()
    assert rig.refusals() == ["Blocked"]


@pytest.mark.req("TC_C_38", "C10.FR.11", "C11.FR.04")
def test_a_cache_that_is_off_is_neither_read_nor_filled_nor_cleared(rig: AuthRig) -> None:
    cached(rig)
    rig.set("AuthCacheCtrlr.Enabled", "false")
    rig.swipe(OTHER)
    rig.allow()
    rig.swipe(OTHER)
    assert len(rig.store["auth_cache"]) == 1
    rig.swipe(CARD)
    assert rig.actions() == ["Authorize"]
    assert rig.ask("ClearCache", {})["status"] == "Rejected"


@pytest.mark.req("C11.FR.02", "C11.FR.03", "TC_C_37")
def test_a_cleared_cache_is_empty_on_the_disk_too(rig: AuthRig) -> None:
    cached(rig)
    assert rig.ask("ClearCache", {}) == {"status": "Accepted"}
    assert rig.store["auth_cache"] == {}
    rig.swipe()
    assert rig.actions() == ["Authorize"]
    rig.set("AuthCacheCtrlr.Enabled", "true")
    assert AuthRig().ask("ClearCache", {}) == {"status": "Accepted"}  # an empty one


@pytest.mark.req("F-2", "C11.FR.05")
def test_a_cache_that_cannot_be_cleared_says_so(rig: AuthRig) -> None:
    cached(rig)
    rig.writes = False
    out = rig.hear(CallReceived("m9", "ClearCache", {}))
    refs = next(each.refs for each in out if isinstance(each, Persist))
    assert not [each for each in out if isinstance(each, Answer)]
    out = rig.hear(PersistFailed(refs, "disk full"))
    assert out == [Answer("m9", "ClearCache", {"status": "Rejected"})]
    assert rig.hear(Persisted(("something else",))) == []


@pytest.mark.req("C10.FR.10", "TC_C_46")
def test_the_lifetime_counts_from_the_last_use(rig: AuthRig) -> None:
    rig.set("AuthCacheCtrlr.LifeTime", "3600")
    cached(rig)
    rig.advance(3000)
    rig.swipe()  # from the cache: used
    rig.swipe()
    rig.advance(3000)
    rig.swipe()
    assert len(rig.authorised()) == 2
    rig.swipe()
    rig.advance(3601)
    rig.swipe()
    assert rig.actions() == ["Authorize"]


@pytest.mark.req("C10.FR.13")
def test_cache_expiry_ends_it_whatever_the_lifetime_and_a_past_one_keeps_it_out(rig: AuthRig) -> None:
    rig.set("AuthCacheCtrlr.LifeTime", "60")
    cached(rig, cacheExpiryDateTime="2026-11-24T13:00:00+00:00")
    rig.advance(3500)
    rig.swipe()
    assert len(rig.authorised()) == 1
    rig.swipe()
    rig.advance(200)
    rig.swipe()
    assert rig.actions() == ["Authorize"]
    rig.allow(cacheExpiryDateTime="2026-11-24T12:00:00.000000Z")
    assert rig.store["auth_cache"] == {}


@pytest.mark.req("C05.FR.02", "C10.FR.09")
@pytest.mark.parametrize("kind", ["Central", "DirectPayment", "NoAuthorization"])
def test_what_the_csms_has_made_is_not_cached(rig: AuthRig, kind: str) -> None:
    rig.judge("Accepted", IdToken("abc", kind))
    assert "auth_cache" not in rig.store
    rig.judge("Accepted", IdToken("abc", "Local"))
    assert len(rig.store["auth_cache"]) == 1


@pytest.mark.req("C10.FR.07", "F-4")
def test_a_full_cache_loses_first_what_helps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_cache, "MOST_ENTRIES", 3)
    cache: dict[str, Entry] = {}
    for second, (key, status) in enumerate([("a", "Accepted"), ("b", "Blocked"), ("c", "Accepted"), ("d", "Accepted")]):
        auth_cache.put(cache, key, Entry(status, used=float(second)), 0)
    assert sorted(cache) == ["a", "c", "d"]
    auth_cache.put(cache, "e", Entry("Accepted", used=9.0), 0)
    assert sorted(cache) == ["c", "d", "e"]


def test_a_busy_card_is_not_written_each_time(rig: AuthRig) -> None:
    cached(rig)
    for _ in range(10):
        rig.swipe()
        rig.advance(2)
    assert rig.said(Persist) == []
    rig.advance(120)
    rig.swipe()
    assert len(rig.said(Persist)) == 1


@pytest.mark.req("F-1")
def test_rows_that_cannot_be_read_are_left_out_and_told(rig: AuthRig) -> None:
    stored = {"auth_cache": {"a": {"status": "Accepted"}, "b": 7, "c": {"status": []}, "d": {"zorp": 1}}}
    out = rig.hear(PoweredUp("PowerUp", "00", stored))
    assert [each.values for each in out if isinstance(each, Log)] == [{"rows": 3}]


@pytest.mark.req("C10.FR.12")
def test_no_token_stands_in_the_cache_as_it_is(rig: AuthRig) -> None:
    cached(rig)
    assert len(rig.store["auth_cache"]) == 1
    assert CARD.id_token.lower() not in repr(rig.store["auth_cache"]).lower()


def test_the_cache_says_its_size(rig: AuthRig) -> None:
    place = place_of(CACHE_STORAGE)
    assert rig.context.model.shown(rig.now, place) == "0"
    cached(rig)
    assert int(rig.context.model.shown(rig.now, place)) > 64


def test_what_cannot_be_read_as_a_time_has_passed() -> None:
    assert entry_of({"status": "Accepted", "cacheExpiryDateTime": "tomorrow"}, 5.0).until == 0.0
    assert key_of(CARD) != key_of(OTHER)


def test_a_lone_surrogate_is_a_token_like_any_other(rig: AuthRig) -> None:
    rig.judge("Accepted", IdToken("\ud800", "Local"))
    assert len(rig.store["auth_cache"]) == 1
    assert not isinstance(rig.ask("ClearCache", {}), AnswerError)
