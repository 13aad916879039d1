"""Certification cases of block D: the local list is sent, changed, kept, and asked for its version."""

from __future__ import annotations

from typing import Any

import pytest

from tests.octt.states import CLEANED, listed, station, token
from tests.octt.system import CARD, OTHER_CARD, TestSystem

ACCEPTED = {"status": "Accepted"}
DIFFERENTIAL, FULL = "Differential", "Full"


def send(it: TestSystem, version: int, kind: str, *entries: tuple[str, dict[str, Any] | None]) -> str:
    """The status; an entry without idTokenInfo is one to be removed, and no entries are no list in the request."""
    items = [{"idToken": token(card), **({"idTokenInfo": info} if info else {})} for card, info in entries]
    request = {"versionNumber": version, "updateType": kind, **({"localAuthorizationList": items} if items else {})}
    status: str = it.call("SendLocalList", request)["status"]
    return status


def version(it: TestSystem) -> int:
    number: int = it.call("GetLocalListVersion")["versionNumber"]
    return number


def charges_by(it: TestSystem, card: str) -> bool:
    """Whether this card, which the CSMS does not know, is in the list: it charges, or the CSMS is asked."""
    asked = len(it.said("Authorize"))
    it.plug()
    it.swipe(card)
    it.wait(6.0)
    charged = it.closed()
    it.unplug()
    it.wait(6.0)
    it.forget()
    assert charged is (len(it.said("Authorize")) == asked)
    return charged


@pytest.fixture
def it() -> TestSystem:
    """The CSMS knows no card, and says so only when it is asked."""
    return station(tokens={}, answers={"TransactionEvent": {}}, variables=CLEANED)


@pytest.mark.req("TC_D_01", "D01.FR.01", "D01.FR.02", "D02.FR.01", "D01.FR.15")
def test_tc_d_01_a_full_list_replaces_what_was_there(it: TestSystem) -> None:
    listed(it, {OTHER_CARD: "Accepted"})
    assert charges_by(it, OTHER_CARD)
    assert send(it, 2, FULL, (CARD, ACCEPTED)) == "Accepted"
    assert version(it) == 2
    assert charges_by(it, CARD)
    assert not charges_by(it, OTHER_CARD)


@pytest.mark.req("TC_D_02", "D01.FR.02", "D01.FR.16")
def test_tc_d_02_a_differential_list_adds_and_changes(it: TestSystem) -> None:
    listed(it, {CARD: "Blocked"}, version=2)
    assert send(it, 3, DIFFERENTIAL, (OTHER_CARD, ACCEPTED)) == "Accepted"
    assert version(it) == 3
    assert charges_by(it, OTHER_CARD)
    assert not charges_by(it, CARD)
    assert send(it, 4, DIFFERENTIAL, (CARD, ACCEPTED)) == "Accepted"
    assert charges_by(it, CARD)
    assert charges_by(it, OTHER_CARD)


@pytest.mark.req("TC_D_03", "D01.FR.17")
def test_tc_d_03_a_differential_list_removes(it: TestSystem) -> None:
    listed(it, {CARD: "Accepted", OTHER_CARD: "Accepted"}, version=2)
    assert send(it, 3, DIFFERENTIAL, (CARD, None)) == "Accepted"
    assert version(it) == 3
    assert not charges_by(it, CARD)
    assert charges_by(it, OTHER_CARD)


@pytest.mark.req("TC_D_04", "D01.FR.04")
def test_tc_d_04_a_full_list_without_entries_empties_it(it: TestSystem) -> None:
    listed(it, {CARD: "Accepted"})
    assert send(it, 2, FULL) == "Accepted"
    assert version(it) == 2
    assert not charges_by(it, CARD)


@pytest.mark.req("TC_D_05", "D01.FR.05")
def test_tc_d_05_a_differential_list_without_entries_changes_the_version_alone(it: TestSystem) -> None:
    listed(it, {CARD: "Accepted"}, version=2)
    assert send(it, 3, DIFFERENTIAL) == "Accepted"
    assert version(it) == 3
    assert charges_by(it, CARD)


@pytest.mark.req("TC_D_06", "D01.FR.19")
@pytest.mark.parametrize("number", [2, 3])
def test_tc_d_06_a_differential_list_that_is_not_newer(it: TestSystem, number: int) -> None:
    listed(it, {CARD: "Accepted"}, version=3)
    assert send(it, number, DIFFERENTIAL, (OTHER_CARD, ACCEPTED)) == "VersionMismatch"
    assert version(it) == 3
    assert not charges_by(it, OTHER_CARD)
    assert charges_by(it, CARD)


@pytest.mark.req("TC_D_07", "D01.FR.10")
@pytest.mark.parametrize("by", ["Reset", "loss of power"])
def test_tc_d_07_it_outlives_a_restart(it: TestSystem, by: str) -> None:
    listed(it, {CARD: "Accepted"}, version=2)
    if by == "Reset":
        assert it.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"
    else:
        it.power_loss()
    it.expect("BootNotification")
    it.wait(5.0)
    it.forget()
    assert version(it) == 2
    assert charges_by(it, CARD)


@pytest.mark.req("TC_D_08", "D02.FR.01")
def test_tc_d_08_the_version_is_told(it: TestSystem) -> None:
    listed(it, {CARD: "Accepted"}, version=2)
    assert version(it) == 2


@pytest.mark.req("D02.FR.02")
def test_without_a_list_the_version_is_0(it: TestSystem) -> None:
    assert version(it) == 0


@pytest.mark.req("TC_D_10", "D02.FR.03", "D01.FR.13")
def test_tc_d_10_where_it_is_off_the_version_is_0(it: TestSystem) -> None:
    listed(it, {CARD: "Accepted"}, version=2)
    assert it.set("LocalAuthListCtrlr.Enabled", "false") == "Accepted"
    assert version(it) == 0
    assert not charges_by(it, CARD)
    assert send(it, 3, DIFFERENTIAL) == "Failed"


@pytest.mark.req("D01.FR.16", "D01.FR.12")
def test_ten_thousand_tokens_in_parts_and_not_one_more(it: TestSystem) -> None:
    most = int(it.get("LocalAuthListCtrlr.ItemsPerMessage"))
    cards = [f"04{number:012X}" for number in range(10_000)]
    for number in range(len(cards) // most):
        part = [(card, ACCEPTED) for card in cards[number * most : (number + 1) * most]]
        assert send(it, number + 1, DIFFERENTIAL if number else FULL, *part) == "Accepted"
    assert it.get("LocalAuthListCtrlr.Entries") == "10000"
    assert send(it, 99, DIFFERENTIAL, (CARD, ACCEPTED)) == "Failed"
    assert version(it) == len(cards) // most
    assert charges_by(it, cards[-1])
    it.power_loss()
    it.expect("BootNotification")
    it.wait(5.0)
    it.forget()
    assert charges_by(it, cards[0])
    assert send(it, 99, DIFFERENTIAL, (cards[0], None), (CARD, ACCEPTED)) == "Accepted"
    assert charges_by(it, CARD)
