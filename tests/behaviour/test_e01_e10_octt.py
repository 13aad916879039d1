"""TransactionEvents in the order, with the triggers and reasons, that OCTT's cases for block E look for (ids and outcomes; OCPP 2.0.1 part 6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chargepoint.events import Authorised, BayOccupied, CablePluggedIn, ChargingState, TransactionDurable
from tests.unit.ocpp.transaction_rig import ChargeRig

EV_CONNECTED = ChargingState.EV_CONNECTED


def charging(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    rig.wants_power()
    rig.charging()


def bay(rig: ChargeRig, *, occupied: bool) -> None:
    rig.hear(BayOccupied(1, occupied))


def stops_locally(rig: ChargeRig) -> None:
    charging(rig)
    rig.stop_by("Local")
    rig.charging(EV_CONNECTED)


def never_plugs(rig: ChargeRig) -> None:
    rig.swipe()
    rig.stop_by("Timeout", "EVConnectTimeout")


def goes_home_from_the_bay(rig: ChargeRig) -> None:
    bay(rig, occupied=True)
    stops_locally(rig)
    rig.unplug()
    bay(rig, occupied=False)


def returns(rig: ChargeRig) -> None:
    rig.keep_on_unplug()
    charging(rig)
    rig.unplug(keeps=True)
    rig.plug()
    rig.wants_power()
    rig.charging()


def tethered_does_not_return(rig: ChargeRig) -> None:
    rig.keep_on_unplug()
    charging(rig)
    rig.unplug(keeps=True)
    rig.stop_by("Timeout", "EVConnectTimeout")


def not_ready(rig: ChargeRig) -> None:
    rig.swipe()
    rig.plug()
    rig.charging(ChargingState.SUSPENDED_EV)


def card_then_plug(rig: ChargeRig) -> None:
    rig.swipe()
    rig.plug()
    rig.wants_power()
    rig.charging()


def remote_start(rig: ChargeRig) -> None:
    rig.swipe(remote_start_id=5)


def remote_stop(rig: ChargeRig) -> None:
    charging(rig)
    rig.stop_by("Remote", "RemoteStop")


def deauthorised(rig: ChargeRig) -> None:
    charging(rig)
    rig.stop_by("DeAuthorized", "Deauthorized")


def ev_stops(rig: ChargeRig) -> None:
    charging(rig)
    rig.charging(ChargingState.SUSPENDED_EV)


def pulled(rig: ChargeRig) -> None:
    charging(rig)
    rig.unplug()


def pulled_while_suspended(rig: ChargeRig) -> None:
    ev_stops(rig)
    rig.unplug()


P, E, A, B, C = "PowerPathClosed", "EnergyTransfer", "Authorized", "ParkingBayOccupancy", "EVConnected"
CASES: list[tuple[str, str, str, Callable[[ChargeRig], None], list[str]]] = [
    ("TC_E_01", P, P, charging, ["Started Authorized EVConnected", "Updated ChargingStateChanged Charging"]),
    ("TC_E_02", E, E, charging, ["Started ChargingStateChanged Charging"]),
    ("TC_E_03", C, C, charging, ["Started CablePluggedIn EVConnected", "Updated Authorized", "Updated ChargingStateChanged Charging"]),
    (
        "TC_E_04",
        A,
        A,
        card_then_plug,
        ["Started Authorized", "Updated CablePluggedIn EVConnected", "Updated ChargingStateChanged Charging"],
    ),
    ("TC_E_05", A, A, never_plugs, ["Started Authorized", "Ended EVConnectTimeout Timeout"]),
    ("TC_E_07", P, P, stops_locally, ["...", "Ended StopAuthorized Local"]),
    ("TC_E_08", P, E, stops_locally, ["...", "Updated StopAuthorized", "Ended ChargingStateChanged EVConnected Local"]),
    ("TC_E_09", C, C, ChargeRig.plug, ["Started CablePluggedIn EVConnected"]),
    ("TC_E_10", A, A, ChargeRig.swipe, ["Started Authorized"]),
    ("TC_E_12", B, B, lambda rig: bay(rig, occupied=True), ["Started EVDetected"]),
    ("TC_E_13", A, A, remote_start, ["Started RemoteStart"]),
    ("TC_E_15", P, A, stops_locally, ["...", "Ended StopAuthorized Local"]),
    ("TC_E_16", P, A, deauthorised, ["...", "Ended Deauthorized DeAuthorized"]),
    ("TC_E_17", P, A, pulled, ["...", "Ended EVCommunicationLost Idle EVDisconnected"]),
    (
        "TC_E_19",
        B,
        B,
        goes_home_from_the_bay,
        ["...", "Updated EVCommunicationLost Idle", "Ended EVDeparted Local"],
    ),
    ("TC_E_20", P, C, pulled_while_suspended, ["...", "Ended EVCommunicationLost Idle EVDisconnected"]),
    ("TC_E_21", P, A, remote_stop, ["...", "Ended RemoteStop Remote"]),
    ("TC_E_22", P, E, ev_stops, ["...", "Ended ChargingStateChanged SuspendedEV StoppedByEV"]),
    (
        "TC_E_26",
        P,
        A,
        returns,
        [
            "...",
            "Updated EVCommunicationLost Idle",
            "Updated CablePluggedIn EVConnected",
            "Updated ChargingStateChanged Charging",
        ],
    ),
    ("TC_E_27", P, A, tethered_does_not_return, ["...", "Updated EVCommunicationLost Idle", "Ended EVConnectTimeout Timeout"]),
    ("TC_E_35", P, P, remote_stop, ["...", "Ended RemoteStop Remote"]),
    ("TC_E_37", P, P, pulled, ["...", "Ended EVCommunicationLost Idle EVDisconnected"]),
    ("TC_E_38", A, A, not_ready, ["...", "Updated CablePluggedIn EVConnected", "Updated ChargingStateChanged SuspendedEV"]),
    ("TC_E_39", A, A, never_plugs, ["Started Authorized", "Ended EVConnectTimeout Timeout"]),
]


@pytest.mark.req("E01.FR.01", "E01.FR.02", "E01.FR.03", "E01.FR.05", "E01.FR.06", "E03.FR.05", "E07.FR.03", "E09.FR.01", "E10.FR.01")
@pytest.mark.req("E06.FR.01", "E06.FR.02", "E06.FR.03", "E06.FR.04", "E06.FR.06", "E06.FR.07", "F-12")
@pytest.mark.parametrize(("case", "start", "stop", "story", "expected"), CASES, ids=[case[0] for case in CASES])
def test_story(case: str, start: str, stop: str, story: Callable[[ChargeRig], None], expected: list[str]) -> None:
    rig = ChargeRig(start, stop)
    rig.meter(1000.0)
    story(rig)
    told = rig.story()
    assert (told[-len(expected) + 1 :] if expected[0] == "..." else told) == [each for each in expected if each != "..."], case


@pytest.mark.req("E10.FR.01", "S-10")
def test_an_ev_that_comes_back_gets_its_permission_again() -> None:
    """The EVSE forgets everything with its EV, so it is told again: whose it is, and that its transaction is on disk."""
    rig = ChargeRig("PowerPathClosed", "Authorized")
    rig.keep_on_unplug()
    charging(rig)
    rig.unplug(keeps=True)
    rig.evses[1].plugged = True
    out = rig.hear(CablePluggedIn(1))
    assert [type(each) for each in out if isinstance(each, (Authorised, TransactionDurable))] == [Authorised, TransactionDurable]


@pytest.mark.req("E01.FR.16", "F01.FR.25", "F02.FR.01")
def test_what_is_said_once() -> None:
    rig = ChargeRig("Authorized", "Authorized")
    rig.swipe(remote_start_id=99)
    rig.plug()
    rig.wants_power()
    rig.charging()
    rig.stop_by("Local")
    sent = rig.sent
    assert [payload.get("evse") for payload in sent] == [None, {"id": 1, "connectorId": 1}, None, None]
    assert [payload["transactionInfo"].get("remoteStartId") for payload in sent] == [99, None, None, None]
    assert ["idToken" in payload for payload in sent] == [True, False, False, True]


@pytest.mark.req("E03.FR.01")
def test_a_token_is_told_where_it_was_presented_and_not_where_it_was_not() -> None:
    rig = ChargeRig()
    charging(rig)
    rig.stop_by("Remote", "RemoteStop")
    assert ["idToken" in payload for payload in rig.sent] == [True, False, False]
