"""Certification cases of C09 and C16: groups of tokens, and the master pass."""

from __future__ import annotations

from typing import Any

import pytest

from tests.octt.states import cached, listed, station, token
from tests.octt.system import CARD, OTHER_CARD, TestSystem

GROUP, MASTER = "FAMILY", "POLICE"
PASS = "04FEDCBA987654"
START = pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed"])


def family(start: str = "PowerPathClosed", status: str = "Accepted", **more: Any) -> TestSystem:
    """Two cards of one group, the second of them with this status."""
    return station(start, tokens={CARD: "Accepted", OTHER_CARD: status}, groups={CARD: GROUP, OTHER_CARD: GROUP}, **more)


def begins(it: TestSystem, start: str, *, asked: bool) -> None:
    """EVConnectedPreSession, then EnergyTransferStarted by the usual card."""
    it.plug()
    it.status("Occupied")
    it.swipe()
    if asked:
        it.expect("Authorize", idToken=token())
    it.tx("Started", "Authorized" if start == "Authorized" else None, idToken=token())
    it.tx("Updated", "ChargingStateChanged", state="Charging", idToken=None)
    assert it.closed()


def stopped_by_the_other(it: TestSystem, *, asked: bool) -> None:
    it.swipe(OTHER_CARD)
    if asked:
        it.expect("Authorize", idToken=token(OTHER_CARD))
    it.tx("Ended", "StopAuthorized", idToken=token(OTHER_CARD), reason="Local")
    it.unplug()
    it.status("Available")
    it.nothing(for_s=10.0)
    assert not it.closed()


@pytest.mark.req("TC_C_39", "C09.FR.02", "C09.FR.03", "C09.FR.05")
@START
def test_tc_c_39_the_csms_says_both_are_of_one_group(start: str) -> None:
    it = family(start)
    begins(it, start, asked=True)
    stopped_by_the_other(it, asked=True)


@pytest.mark.req("TC_C_39", "C09.FR.03")
def test_where_the_stop_point_is_later_the_stop_is_told_and_then_the_end() -> None:
    it = family(stop="EVConnected")
    begins(it, "PowerPathClosed", asked=True)
    it.swipe(OTHER_CARD)
    it.expect("Authorize", idToken=token(OTHER_CARD))
    it.tx("Updated", "StopAuthorized", idToken=token(OTHER_CARD))
    it.wait(5.0)
    assert not it.closed()
    it.unplug()
    it.among("TransactionEvent", eventType="Ended", transactionInfo={"stoppedReason": "Local"})


@pytest.mark.req("TC_C_40", "C09.FR.02", "C09.FR.03", "C09.FR.07")
@START
@pytest.mark.req("E07.FR.01")
def test_tc_c_40_both_are_in_the_list(start: str) -> None:
    it = family(start)
    listed(it, {CARD: "Accepted", OTHER_CARD: "Accepted"}, group=GROUP)
    begins(it, start, asked=False)
    stopped_by_the_other(it, asked=False)


@pytest.mark.req("TC_C_41", "C09.FR.02", "C09.FR.03", "C09.FR.07")
@START
@pytest.mark.req("E07.FR.01")
def test_tc_c_41_both_are_in_the_cache(start: str) -> None:
    it = family(start)
    cached(it, CARD, OTHER_CARD)
    begins(it, start, asked=False)
    stopped_by_the_other(it, asked=False)


@pytest.mark.req("C01.FR.03", "C09.FR.07", "E07.FR.01")
@pytest.mark.parametrize("where", ["list", "cache"])
@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
def test_who_is_known_stops_without_asking_though_list_and_cache_let_nobody_begin(where: str, *, offline: bool) -> None:
    it = family()
    if where == "list":
        listed(it, {CARD: "Accepted", OTHER_CARD: "Accepted"}, group=GROUP)
    else:
        cached(it, CARD, OTHER_CARD)
    for name in ("LocalPreAuthorize", "LocalAuthorizeOffline"):
        assert it.set(f"AuthCtrlr.{name}", "false") == "Accepted"
    begins(it, "PowerPathClosed", asked=True)
    if offline:
        it.offline()
        it.wait(5.0)
        it.swipe(OTHER_CARD)
        it.wait(5.0)
        assert not it.closed()
        it.online()
        it.tx("Ended", "StopAuthorized", 200.0, idToken=token(OTHER_CARD), reason="Local")
    else:
        stopped_by_the_other(it, asked=False)


def goes_on(it: TestSystem) -> None:
    it.swipe(OTHER_CARD)
    it.expect("Authorize", idToken=token(OTHER_CARD))
    it.nothing()
    assert it.closed()


@pytest.mark.req("TC_C_42", "C09.FR.11")
@START
def test_tc_c_42_an_invalid_card_of_the_group_stops_nothing(start: str) -> None:
    it = family(start, "Invalid")
    begins(it, start, asked=True)
    goes_on(it)


@pytest.mark.req("TC_C_43", "C09.FR.02", "C09.FR.03", "C09.FR.07", "C09.FR.11")
@START
def test_tc_c_43_it_is_invalid_in_the_list(start: str) -> None:
    it = family(start, "Invalid")
    listed(it, {CARD: "Accepted", OTHER_CARD: "Invalid"}, group=GROUP)
    begins(it, start, asked=False)
    goes_on(it)


@pytest.mark.req("TC_C_44", "C09.FR.02", "C09.FR.03", "C09.FR.07", "C09.FR.11")
@START
def test_tc_c_44_it_is_invalid_in_the_cache(start: str) -> None:
    it = family(start, "Invalid")
    cached(it, CARD, OTHER_CARD)
    begins(it, start, asked=False)
    goes_on(it)


# ---- the master pass


def policed(start: str = "PowerPathClosed", evses: int = 1, **more: Any) -> TestSystem:
    tokens = {CARD: "Accepted", OTHER_CARD: "Accepted", PASS: "Accepted"}
    it = station(start, evses=evses, tokens=tokens, groups={PASS: MASTER}, **more)
    assert it.set("AuthCtrlr.MasterPassGroupId", MASTER) == "Accepted"
    return it


@pytest.mark.req("TC_C_45", "C16.FR.03")
@START
def test_tc_c_45_the_master_pass_starts_nothing(start: str) -> None:
    it = policed(start)
    it.swipe(PASS)
    it.expect("Authorize", idToken=token(PASS))
    it.nothing(for_s=10.0)
    it.plug()
    it.status("Occupied")
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_49", "C16.FR.02", "C16.FR.08", "E07")
@pytest.mark.parametrize("evses", [1, 2])
@pytest.mark.parametrize("asked", [True, False], ids=["online", "in the list"])
@pytest.mark.req("C16.FR.05")
def test_tc_c_49_the_master_pass_stops_everything(evses: int, asked: bool) -> None:
    it = policed(evses=evses)
    if not asked:
        listed(it, {PASS: "Accepted"}, group=MASTER)
    for evse_id, card in ((1, CARD), (2, OTHER_CARD))[:evses]:
        it.charging(evse_id, card)
    it.swipe(PASS)
    if asked:
        it.expect("Authorize", idToken=token(PASS))
    it.ignores.add("TransactionEvent")
    it.wait(5.0)
    ended = [event for event in it.said("TransactionEvent") if event["eventType"] == "Ended"]
    assert len(ended) == evses
    assert len({event["transactionInfo"]["transactionId"] for event in ended}) == evses
    for event in ended:
        assert event["transactionInfo"]["stoppedReason"] == "MasterPass"
        assert event["triggerReason"] == "StopAuthorized"
        assert event.get("idToken", token(PASS)) == token(PASS)
    assert not any(it.closed(evse_id + 1) for evse_id in range(evses))
    for evse_id in range(1, evses + 1):
        it.unplug(evse_id)
        it.status("Available", evse_id)


@pytest.mark.req("TC_C_14", "C12.FR.09", "C16.FR.02")
@pytest.mark.req("C16.FR.04")
def test_tc_c_14_a_master_pass_of_the_cache_stops_what_goes_on() -> None:
    it = policed()
    cached(it, PASS)
    it.charging()
    it.swipe(PASS)
    it.tx("Ended", "StopAuthorized", reason="MasterPass")
    it.nothing(for_s=10.0)
    assert not it.closed()


@pytest.mark.req("TC_C_14", "C12.FR.09", "C16.FR.03")
def test_a_master_pass_of_the_cache_starts_nothing() -> None:
    it = policed("Authorized")
    cached(it, PASS)
    it.plug()
    it.status("Occupied")
    it.swipe(PASS)
    it.nothing()
    assert not it.closed()
