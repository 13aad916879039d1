"""SendLocalList and GetLocalListVersion: whole or not at all, and on the disk before it is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.commands import Log, Persist
from chargepoint.events import IdToken, ListChecked, PersistFailed, PoweredUp, TokenForced
from chargepoint.ocpp.blocks import local_list
from chargepoint.ocpp.blocks.local_list import LIST_ENTRIES, LIST_STORAGE
from chargepoint.ocpp.messages import Answer, AnswerError, CallReceived
from chargepoint.ocpp.variable import place_of
from tests.unit.ocpp.authorize_rig import CARD, OTHER, AuthRig
from tests.unit.ocpp.block_rig import valid

YES, NO = {"status": "Accepted"}, {"status": "Blocked"}
THIRD = IdToken("04123456", "ISO14443")


@pytest.fixture
def rig() -> AuthRig:
    return AuthRig()


def version(rig: AuthRig) -> int:
    return int(rig.ask("GetLocalListVersion", {})["versionNumber"])


def known(rig: AuthRig, *tokens: IdToken) -> list[str]:
    """What the list alone says, offline."""
    rig.context.link.connected = False
    rig.log.clear()
    for token in tokens:
        rig.swipe(token)
        if rig.token_of():
            rig.swipe(token)
    rig.context.link.connected = True
    return [each.found.status for each in rig.said(ListChecked) if each.found]


@pytest.mark.req("D01.FR.01", "D01.FR.02", "D02.FR.01", "D01.FR.15")
def test_a_full_list_replaces_what_was_there(rig: AuthRig) -> None:
    assert version(rig) == 0
    assert rig.send_list(5, (CARD, YES), (OTHER, NO)) == {"status": "Accepted"}
    assert version(rig) == 5
    assert known(rig, CARD, OTHER) == ["Accepted", "Blocked"]
    assert rig.send_list(3, (THIRD, YES)) == {"status": "Accepted"}  # a full one may have any version
    assert version(rig) == 3
    assert known(rig, CARD, OTHER, THIRD) == ["Accepted"]
    assert len(rig.store["local_list"]) == 2  # the version and one token


@pytest.mark.req("D01.FR.04")
def test_an_empty_full_list_empties_it_and_keeps_its_version(rig: AuthRig) -> None:
    rig.send_list(5, (CARD, YES))
    assert rig.send_list(6) == {"status": "Accepted"}
    assert version(rig) == 6
    assert known(rig, CARD) == []


@pytest.mark.req("D01.FR.05", "D01.FR.16", "D01.FR.17")
def test_a_differential_list_adds_changes_and_removes(rig: AuthRig) -> None:
    rig.send_list(1, (CARD, YES), (OTHER, YES))
    assert rig.send_list(2, (CARD, NO), (OTHER, None), (THIRD, YES), full=False) == {"status": "Accepted"}
    assert known(rig, CARD, OTHER, THIRD) == ["Blocked", "Accepted"]
    assert rig.send_list(3, full=False) == {"status": "Accepted"}
    assert version(rig) == 3


@pytest.mark.req("D01.FR.19")
@pytest.mark.parametrize("number", [4, 5])
def test_a_differential_list_has_to_be_newer(rig: AuthRig, number: int) -> None:
    rig.send_list(5, (CARD, YES))
    assert rig.send_list(number, (CARD, NO), full=False)["status"] == "VersionMismatch"
    assert known(rig, CARD) == ["Accepted"]


@pytest.mark.req("D01.FR.06", "D01.FR.18")
@pytest.mark.parametrize(
    ("number", "items", "full", "why"),
    [
        (0, [(CARD, YES)], True, "InvalidValue"),
        (-1, [(CARD, YES)], True, "InvalidValue"),
        (9, [(CARD, YES), (IdToken("04a2b3c4", "ISO14443"), NO)], True, "InvalidValue"),
        (9, [(CARD, YES), (CARD, None)], False, "InvalidValue"),
        (9, [(CARD, None)], True, "MissingParam"),
    ],
)
def test_a_list_that_makes_no_sense_changes_nothing(rig: AuthRig, number: int, items: Any, full: bool, why: str) -> None:
    rig.send_list(5, (OTHER, YES))
    answer = rig.send_list(number, *items, full=full)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Failed", why)
    assert (version(rig), known(rig, OTHER, CARD)) == (5, ["Accepted"])


@pytest.mark.req("D01.FR.11", "S-7")
@pytest.mark.parametrize(("count", "code"), [(251, "OccurrenceConstraintViolation"), (10_000, "OccurrenceConstraintViolation")])
def test_more_than_a_message_may_hold_is_a_callerror(rig: AuthRig, count: int, code: str) -> None:
    answer = rig.send_list(1, *((IdToken(f"{n:08X}", "ISO14443"), YES) for n in range(count)))
    assert isinstance(answer, AnswerError)
    assert answer.code == code
    assert version(rig) == 0


@pytest.mark.req("D01.FR.11")
def test_more_bytes_than_a_message_may_have_is_a_callerror(rig: AuthRig) -> None:
    big = {"status": "Accepted", "personalMessage": {"format": "UTF8", "content": "x" * 1024}}
    answer = rig.send_list(1, *((IdToken(f"{n:08X}", "ISO14443"), big) for n in range(200)))
    assert isinstance(answer, AnswerError)
    assert answer.code == "FormatViolation"


def test_more_than_the_list_holds_fails_whole(rig: AuthRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_list, "MOST_ENTRIES", 3)
    rig.send_list(1, (CARD, YES), (OTHER, YES))
    tokens = [IdToken(f"0{n}", "ISO14443") for n in range(2)]
    answer = rig.send_list(2, *((token, YES) for token in tokens), full=False)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Failed", "OutOfStorage")
    assert rig.send_list(3, (CARD, None), *((token, YES) for token in tokens), full=False)["status"] == "Accepted"


@pytest.mark.req("D02.FR.03", "D01.FR.13")
def test_a_list_that_is_off(rig: AuthRig) -> None:
    rig.send_list(5, (CARD, YES))
    rig.set("LocalAuthListCtrlr.Enabled", "false")
    assert version(rig) == 0
    answer = rig.send_list(6, (CARD, NO))
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Failed", "NotEnabled")
    rig.set("LocalAuthListCtrlr.Enabled", "true")
    assert version(rig) == 5


@pytest.mark.req("D01.FR.10")
def test_it_outlives_a_restart(rig: AuthRig) -> None:
    rig.send_list(5, (CARD, {**YES, "groupIdToken": {"idToken": "G", "type": "Central"}, "evseId": [1]}), (OTHER, NO))
    rig = rig.another_life(online=False)
    assert version(rig) == 5
    rig.swipe(CARD)
    assert [(each.how, each.group) for each in rig.authorised()] == [("list", "G")]


@pytest.mark.req("F-2", "F-1")
def test_a_list_that_cannot_be_written_is_not_accepted_and_not_used(rig: AuthRig) -> None:
    rig.send_list(5, (CARD, YES))
    rig.writes = False
    request = {
        "versionNumber": 6,
        "updateType": "Full",
        "localAuthorizationList": [{"idToken": {"idToken": OTHER.id_token, "type": OTHER.type}, "idTokenInfo": YES}],
    }
    out = rig.hear(CallReceived("m7", "SendLocalList", request))
    assert not [each for each in out if isinstance(each, Answer)]
    assert known(rig, OTHER, CARD) == ["Accepted"]  # the old one counts as long as the new one is under way
    assert rig.ask("SendLocalList", request)["statusInfo"]["reasonCode"] == "Busy"
    out = rig.hear(PersistFailed(next(each.refs for each in out if isinstance(each, Persist)), "disk full"))
    answers = [each for each in out if isinstance(each, Answer)]
    assert [(each.message_id, each.payload["status"]) for each in answers] == [("m7", "Failed")]
    valid("SendLocalListResponse", answers[0].payload)
    rig.writes = True
    assert (version(rig), known(rig, OTHER, CARD)) == (5, ["Accepted"])
    assert rig.send_list(6, (OTHER, YES)) == {"status": "Accepted"}


@pytest.mark.req("F-1")
@pytest.mark.parametrize("row", [7, {"status": 3}, {"zorp": 1}])
def test_a_list_that_cannot_be_read_is_none(rig: AuthRig, row: Any) -> None:
    rig.send_list(5, (CARD, YES))
    rig.store["local_list"]["0" * 64] = row
    out = rig.hear(PoweredUp("PowerUp", "00", rig.store))
    assert [each.key for each in out if isinstance(each, Log)] == ["local_list.unreadable"]
    assert version(rig) == 0
    assert known(rig, CARD) == []


def test_the_model_tells_how_full_it_is(rig: AuthRig) -> None:
    rig.send_list(5, (CARD, YES), (OTHER, NO))
    model = rig.context.model
    assert model.shown(rig.now, place_of(LIST_ENTRIES)) == "2"
    assert int(model.shown(rig.now, place_of(LIST_STORAGE))) > 128
    assert model.limits(place_of(LIST_ENTRIES)).max == local_list.MOST_ENTRIES
    assert model.limits(place_of(LIST_STORAGE)).max == local_list.MOST_STORAGE


def test_what_it_takes_is_counted_as_it_changes(rig: AuthRig) -> None:
    def told() -> int:
        return int(rig.context.model.shown(rig.now, place_of(LIST_STORAGE)))

    rig.send_list(1, (CARD, YES), (OTHER, NO))
    both = told()
    rig.send_list(2, (THIRD, {**YES, "groupIdToken": {"idToken": "G" * 100, "type": "Central"}}), (CARD, NO), full=False)
    assert told() > both + 100
    rig.send_list(3, (THIRD, None), (CARD, YES), (IdToken("05", "ISO14443"), None), full=False)
    assert told() == both
    rig.hear(TokenForced("list", CARD.id_token, "Accepted"))
    assert told() == both
    assert int(rig.another_life().context.model.shown(rig.now, place_of(LIST_STORAGE))) == both
    rig.send_list(4)
    assert told() == 0


def test_more_bytes_than_the_list_may_take_fail_whole(rig: AuthRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_list, "MOST_STORAGE", 200)
    assert rig.send_list(1, (CARD, YES), (OTHER, YES))["status"] == "Accepted"
    assert rig.send_list(2, (THIRD, YES), full=False)["statusInfo"]["reasonCode"] == "OutOfStorage"
    assert rig.send_list(3, (THIRD, YES), (CARD, None), full=False)["status"] == "Accepted"


def test_a_token_that_was_put_there_by_hand(rig: AuthRig) -> None:
    rig.hear(TokenForced("list", CARD.id_token, "Accepted", "G"), TokenForced("cache", OTHER.id_token, "Accepted"))
    assert version(rig) == 1
    assert known(rig, CARD, OTHER) == ["Accepted"]


def test_too_much_additional_info_is_refused(rig: AuthRig) -> None:
    more = [{"additionalIdToken": str(n), "type": "x"} for n in range(11)]
    item = {"idToken": {"idToken": "04", "type": "ISO14443", "additionalInfo": more}, "idTokenInfo": YES}
    answer = rig.ask("SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [item]})
    assert answer["statusInfo"]["reasonCode"] == "TooManyElements"
