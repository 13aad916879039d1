"""Certification cases of C10, C11, C12 and C15: a token that the cache knows, and what becomes of one that the CSMS refuses afterwards."""

from __future__ import annotations

import pytest

from tests.octt.states import cached, listed, station, token
from tests.octt.system import CARD, TestSystem

START = pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed", "EVConnected"])


def known(start: str = "PowerPathClosed", status: str = "Accepted", **variables: str) -> TestSystem:
    """The usual card is in the cache with this status, and a vehicle is there."""
    it = station(start, tokens={CARD: status}, variables={key.replace("_", "."): value for key, value in variables.items()})
    cached(it, CARD)
    return it


def plugged(it: TestSystem, start: str) -> None:
    """EVConnectedPreSession."""
    it.plug()
    it.status("Occupied")
    if start == "EVConnected":
        it.tx("Started", "CablePluggedIn", idToken=None)


def charges(it: TestSystem, start: str) -> None:
    if start == "EVConnected":
        it.tx("Updated", "Authorized", idToken=token())
    else:
        it.tx("Started", "Authorized" if start == "Authorized" else None, idToken=token())
    it.tx("Updated", "ChargingStateChanged", state="Charging", idToken=None)
    assert it.closed()


@pytest.mark.req("TC_C_08", "C12.FR.02", "C12.FR.04")
@START
def test_tc_c_08_accepted(start: str) -> None:
    it = known(start)
    plugged(it, start)
    it.swipe()
    charges(it, start)
    it.nothing(for_s=5.0)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.req("TC_C_09")),
        pytest.param("Blocked", marks=pytest.mark.req("TC_C_10")),
        pytest.param("Expired", marks=pytest.mark.req("TC_C_11")),
    ],
)
@pytest.mark.req("C10.FR.03", "C12.FR.05")
@START
def test_tc_c_09_10_11_not_accepted_then_and_now(status: str, start: str) -> None:
    it = known(start, status)
    plugged(it, start)
    it.swipe()
    it.expect("Authorize", within_s=2.0, idToken=token())
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_12", "C10.FR.03", "C12.FR.05", "C10.FR.04")
@START
def test_tc_c_12_invalid_then_and_accepted_now(start: str) -> None:
    it = known(start, "Invalid")
    it.tokens[CARD] = "Accepted"
    plugged(it, start)
    it.swipe()
    it.expect("Authorize", within_s=2.0, idToken=token())
    charges(it, start)


@pytest.mark.req("TC_C_13", "C12.FR.02", "C12.FR.04")
@pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed"])
def test_tc_c_13_the_cable_comes_later(start: str) -> None:
    it = known(start)
    it.swipe()
    if start == "Authorized":
        it.tx("Started", "Authorized", idToken=token())
    it.nothing(for_s=10.0)
    it.plug()
    it.status("Occupied")
    it.tx("Updated" if start == "Authorized" else "Started", "CablePluggedIn", idToken=None if start == "Authorized" else token())
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    assert it.closed()


@pytest.mark.req("TC_C_36")
def test_tc_c_36_without_local_pre_authorize_the_csms_is_asked() -> None:
    it = known(AuthCtrlr_LocalPreAuthorize="false")
    it.tokens[CARD] = "Invalid"
    it.swipe()
    it.expect("Authorize", within_s=2.0, idToken=token())
    it.plug()
    it.status("Occupied")
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_57", "C10.FR.03", "C12.FR.05")
@START
def test_tc_c_57_a_refusal_in_the_cache_is_final(start: str) -> None:
    it = known(start, "Invalid", AuthCacheCtrlr_DisablePostAuthorize="true")
    it.tokens[CARD] = "Accepted"
    plugged(it, start)
    it.swipe()
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_32", "C10.FR.02")
def test_tc_c_32_it_outlives_a_restart() -> None:
    it = known("Authorized")
    assert it.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    it.expect("BootNotification")
    it.wait(5.0)
    it.swipe()
    it.tx("Started", "Authorized", idToken=token())
    it.plug()
    it.tx("Updated", "CablePluggedIn")
    it.tx("Updated", "ChargingStateChanged", state="Charging")


def again(it: TestSystem, start: str) -> None:
    """EVDisconnected, EVConnectedPreSession and the same card."""
    it.swipe()
    it.wait(6.0)
    it.unplug()
    it.wait(6.0)
    it.forget()
    plugged(it, start)
    it.swipe()


@pytest.mark.req("TC_C_33", "C10.FR.04", "C12.FR.06")
@START
def test_tc_c_33_an_authorize_response_is_kept(start: str) -> None:
    it = station(start)
    plugged(it, start)
    it.swipe()
    it.expect("Authorize", idToken=token())
    charges(it, start)
    again(it, start)
    charges(it, start)


@pytest.mark.req("TC_C_34", "C10.FR.05", "C12.FR.06")
@START
def test_tc_c_34_a_transaction_event_response_is_kept(start: str) -> None:
    it = known(start)
    it.tokens[CARD] = "Invalid"
    plugged(it, start)
    it.swipe()
    it.among("TransactionEvent", idToken=token())
    it.wait(6.0)
    it.unplug()
    it.wait(6.0)
    it.forget()
    plugged(it, start)
    it.swipe()
    it.expect("Authorize", within_s=2.0, idToken=token())
    it.nothing(for_s=10.0)
    assert not it.closed()


@pytest.mark.req("TC_C_46", "C10.FR.08")
@pytest.mark.parametrize(("after_s", "asked"), [(200.0, False), (310.0, True)])
def test_tc_c_46_its_lifetime_ends(after_s: float, asked: bool) -> None:
    it = known(AuthCacheCtrlr_LifeTime="420")
    plugged(it, "PowerPathClosed")
    it.wait(after_s)
    it.swipe()
    if asked:
        it.expect("Authorize", within_s=2.0, idToken=token())
    charges(it, "PowerPathClosed")


@pytest.mark.req("TC_C_37", "C11.FR.01", "C11.FR.02", "C11.FR.03")
def test_tc_c_37_the_cache_is_cleared() -> None:
    it = known()
    assert it.get("AuthCacheCtrlr.Storage") != "0"
    assert it.call("ClearCache")["status"] == "Accepted"
    assert it.get("AuthCacheCtrlr.Storage") == "0"
    plugged(it, "PowerPathClosed")
    it.swipe()
    it.expect("Authorize", within_s=2.0, idToken=token())
    charges(it, "PowerPathClosed")


@pytest.mark.req("TC_C_38", "C11.FR.01", "C11.FR.02", "C11.FR.04")
def test_tc_c_38_a_cache_that_is_off_is_not_cleared() -> None:
    it = known()
    assert it.set("AuthCacheCtrlr.Enabled", "false") == "Accepted"
    assert it.call("ClearCache")["status"] == "Rejected"


# ---- offline by the cache or list, and the CSMS does not like it


def started_offline(stop: bool, most_Wh: int, *, start: str = "PowerPathClosed", where: str = "cache", for_s: float = 5.0) -> TestSystem:
    """A transaction whose token list or cache knew; from here on the CSMS calls it invalid."""
    rules = {
        "TxCtrlr.StopTxOnInvalidId": str(stop).lower(),
        "TxCtrlr.MaxEnergyOnInvalidId": str(most_Wh),
        "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true",
    }
    it = station(start, variables=rules)
    if where == "cache":
        cached(it, CARD)
    elif where == "list":
        listed(it, {CARD: "Accepted"})
    it.plug()
    it.wait(2.0)
    it.forget()
    it.offline()
    it.swipe()
    it.wait(for_s)
    assert it.closed()
    it.tokens[CARD] = "Invalid"
    it.online()
    return it


def told(it: TestSystem, start: str) -> None:
    """What was queued comes first, all of it called offline."""
    if start == "Authorized":
        it.tx("Started", "Authorized", offline=True, idToken=token())
    else:
        it.tx("Started", offline=True, idToken=token())
    it.tx("Updated", "ChargingStateChanged", offline=True, state="Charging", idToken=None)


OFFLINE = pytest.mark.parametrize(
    ("start", "where"), [("PowerPathClosed", "cache"), ("Authorized", "cache"), ("PowerPathClosed", "list"), ("PowerPathClosed", "nowhere")]
)


@pytest.mark.req("TC_C_16", "C12.FR.02", "C12.FR.04", "C15.FR.04")
@OFFLINE
def test_tc_c_16_it_is_deauthorised(start: str, where: str) -> None:
    it = started_offline(stop=True, most_Wh=0, start=start, where=where)
    told(it, start)
    it.tx("Ended", "Deauthorized", offline=lambda it: not it, reason="DeAuthorized")
    it.wait(4.0)
    assert not it.closed()
    it.nothing()


@pytest.mark.req("TC_C_17", "C12.FR.02", "C12.FR.04")
@OFFLINE
@pytest.mark.req("E05.FR.02")
def test_tc_c_17_it_gets_no_more_energy(start: str, where: str) -> None:
    it = started_offline(stop=False, most_Wh=0, start=start, where=where)
    told(it, start)
    it.tx("Updated", state="SuspendedEVSE", offline=lambda it: not it)
    it.wait(4.0)
    assert not it.closed()
    it.nothing()


@pytest.mark.req("TC_C_15", "C12.FR.02", "C12.FR.04")
@OFFLINE
@pytest.mark.req("E05.FR.03", "C15.FR.07")
def test_tc_c_15_it_gets_so_much_energy_and_then_no_more(start: str, where: str) -> None:
    it = started_offline(stop=False, most_Wh=500, start=start, where=where)
    told(it, start)
    it.nothing(for_s=30.0)
    assert it.closed()
    it.tx("Updated", within_s=600.0, state="SuspendedEVSE", offline=lambda it: not it)
    it.wait(4.0)
    assert not it.closed()
    assert 500.0 <= it.evse().sample().energy_import_Wh < 520.0
    it.nothing()


@pytest.mark.req("TC_C_18", "C12.FR.02", "C12.FR.04")
@OFFLINE
def test_tc_c_18_it_gets_so_much_energy_and_is_then_deauthorised(start: str, where: str) -> None:
    it = started_offline(stop=True, most_Wh=500, start=start, where=where)
    told(it, start)
    it.nothing(for_s=30.0)
    assert it.closed()
    it.tx("Ended", "Deauthorized", within_s=600.0, offline=lambda it: not it, reason="DeAuthorized")
    it.wait(4.0)
    assert not it.closed()
    assert 500.0 <= it.evse().sample().energy_import_Wh < 520.0
    it.nothing()


@pytest.mark.req("C10.FR.05", "C12.FR.06", "C13.FR.01")
def test_what_is_said_of_a_token_whose_transaction_is_over_counts_as_well() -> None:
    it = known()
    it.offline()
    it.wait(2.0)
    it.plug()
    it.wait(3.0)
    it.swipe()
    it.wait(20.0)
    assert it.closed()
    it.swipe()
    it.unplug()
    it.tokens[CARD] = "Blocked"
    it.online()
    it.among("TransactionEvent", eventType="Ended", idToken=token())
    it.wait(5.0)
    it.offline()
    it.wait(2.0)
    it.plug()
    it.wait(3.0)
    it.swipe()
    it.wait(20.0)
    assert not it.closed()
