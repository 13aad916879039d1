"""Certification cases of C13 and C14: a token that the local list knows, online and offline."""

from __future__ import annotations

import pytest

from tests.octt.states import cached, listed, station, token
from tests.octt.system import CARD, TestSystem

REFUSED = pytest.mark.parametrize("start", ["Authorized", "PowerPathClosed"])


def known(status: str = "Accepted", start: str = "PowerPathClosed", now: str = "", **variables: str) -> TestSystem:
    """The usual card is in the list with this status; `now`: what the CSMS says when it is asked."""
    it = station(start, tokens={CARD: now or status}, variables={key.replace("_", "."): value for key, value in variables.items()})
    listed(it, {CARD: status})
    return it


# ---- offline


@pytest.mark.req("TC_C_21", "C13.FR.05")
def test_tc_c_21_accepted_offline_starts_and_stops() -> None:
    it = known()
    it.offline()
    it.swipe()
    it.plug()
    it.wait(10.0)
    assert it.closed()
    it.swipe()
    it.wait(5.0)
    assert not it.closed()
    it.unplug()
    it.online()
    it.tx("Started", offline=True, idToken=token())
    it.tx("Updated", "ChargingStateChanged", offline=True, state="Charging")
    it.tx("Ended", "StopAuthorized", offline=True, idToken=token(), reason="Local")
    it.nothing(for_s=10.0)


@pytest.mark.req("C13.FR.05", "C13.FR.06")
@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.req("TC_C_22")),
        pytest.param("Blocked", marks=pytest.mark.req("TC_C_23")),
        pytest.param("Expired", marks=pytest.mark.req("TC_C_24")),
    ],
)
@pytest.mark.parametrize("unknown_may", ["false", "true"])
@REFUSED
def test_tc_c_22_23_24_not_accepted_offline(status: str, unknown_may: str, start: str) -> None:
    it = known(status, start, AuthCtrlr_OfflineTxForUnknownIdEnabled=unknown_may)
    it.offline()
    it.plug()
    it.swipe()
    it.wait(10.0)
    assert not it.closed()
    it.online()
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_25", "C13.FR.01")
@REFUSED
def test_tc_c_25_the_list_comes_before_the_cache(start: str) -> None:
    it = station(start, variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true", "TxCtrlr.StopTxOnInvalidId": "false"})
    cached(it, CARD)
    listed(it, {CARD: "Invalid"})
    it.plug()
    it.status("Occupied")
    it.offline()
    it.swipe()
    it.wait(10.0)
    it.online()
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_26", "C15.FR.02", "C15.FR.06", "C15.FR.08", "C13.FR.06")
def test_tc_c_26_unknown_offline() -> None:
    it = station(tokens={}, variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true", "TxCtrlr.StopTxOnInvalidId": "false"})
    it.offline()
    it.swipe()
    it.plug()
    it.wait(5.0)
    assert it.closed()
    it.online()
    it.tx("Started", offline=True, idToken=token())
    it.tx("Updated", "ChargingStateChanged", offline=True, state="Charging")
    it.tx("Updated", state="SuspendedEVSE")
    it.wait(4.0)
    assert not it.closed()
    it.swipe()
    it.tx("Ended", "StopAuthorized", idToken=token())
    it.unplug()
    it.status("Available")


# ---- online


@pytest.mark.req("TC_C_27", "C14.FR.04")
@REFUSED
def test_tc_c_27_accepted_online(start: str) -> None:
    it = known(start=start)
    it.swipe()
    if start == "Authorized":
        it.tx("Started", "Authorized", idToken=token())
    it.plug()
    it.status("Occupied")
    it.tx("Updated" if start == "Authorized" else "Started", "CablePluggedIn", idToken=None if start == "Authorized" else token())
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    assert it.closed()


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.req("TC_C_28")),
        pytest.param("Blocked", marks=pytest.mark.req("TC_C_29")),
        pytest.param("Expired", marks=pytest.mark.req("TC_C_30")),
    ],
)
@REFUSED
@pytest.mark.req("C14.FR.03")
def test_tc_c_28_29_30_not_accepted_in_the_list_nor_by_the_csms(status: str, start: str) -> None:
    it = known(status, start)
    it.swipe()
    it.expect("Authorize", within_s=2.0, idToken=token())
    it.plug()
    it.status("Occupied")
    it.nothing()
    assert not it.closed()


@pytest.mark.req("TC_C_31", "C14.FR.03")
def test_tc_c_31_invalid_in_the_list_and_accepted_by_the_csms() -> None:
    it = known("Invalid", now="Accepted")
    it.swipe()
    it.expect("Authorize", within_s=2.0, idToken=token())
    it.plug()
    it.status("Occupied")
    it.tx("Started", idToken=token())
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    assert it.closed()


@pytest.mark.req("TC_C_58", "C14.FR.03")
def test_tc_c_58_invalid_in_the_list_is_final() -> None:
    it = known("Invalid", now="Accepted", LocalAuthListCtrlr_DisablePostAuthorize="true")
    it.swipe()
    it.plug()
    it.status("Occupied")
    it.swipe()
    it.nothing()
    assert not it.closed()
