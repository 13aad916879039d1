"""C06 by the MAC address of the vehicle, where an EVSE is configured to take it for a token; and what such a token must not do."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.config import EvseConfig, SlacConfig, V2gConfig
from chargepoint.events import ChargingState, VehicleMatched
from iso15118.terms import Energy
from tests.behaviour.test_slac_station import SlacSite
from tests.octt.states import listed, station, token
from tests.octt.system import CARD, OTHER_CARD, Payload, TestSystem

MAC, TOKEN = "02:00:5e:10:ab:cd", "02005E10ABCD"
GROUP = "FAMILY"


def by_mac(it_is: str = "Accepted", *, on: bool = True, **more: Any) -> TestSystem:
    """EVSE 1 takes MAC addresses, EVSE 2 does not."""
    evses = tuple(EvseConfig(id=n, max_current_A=32.0, v2g=V2gConfig(slac=SlacConfig(autocharge=on and n == 1))) for n in (1, 2))
    tokens = {TOKEN: it_is, CARD: "Accepted", OTHER_CARD: "Accepted"}
    return station("PowerPathClosed", evses=2, tokens=tokens, more={"evses": evses}, **more)


def mac() -> Payload:
    return {"idToken": TOKEN, "type": "MacAddress"}


def comes(it: TestSystem, evse_id: int = 1) -> None:
    """A vehicle is plugged in and found on the power line."""
    it.plug(evse_id)
    it.tell(VehicleMatched(evse_id, MAC, 4.0))


@pytest.mark.req("C06", "C06.FR.02", "TC_C_02")
def test_the_csms_is_asked_and_it_charges() -> None:
    it = by_mac()
    comes(it)
    it.expect("Authorize", idToken=mac())
    it.tx("Started", idToken=mac())
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    assert it.closed()


@pytest.mark.req("C06", "C06.FR.02", "TC_C_02")
@pytest.mark.parametrize("said", ["Invalid", "Unknown", "Blocked"])
def test_one_that_is_not_accepted_gets_nothing_and_a_card_still_does(said: str) -> None:
    it = by_mac(said)
    comes(it)
    it.expect("Authorize", idToken=mac())
    it.nothing(for_s=20.0)
    it.tell(VehicleMatched(1, MAC, 4.0))
    it.nothing(for_s=5.0)
    it.swipe()
    it.expect("Authorize", idToken=token())
    it.tx("Started", idToken=token())


@pytest.mark.parametrize("evse_id", [1, 2])
def test_where_it_is_not_configured_nobody_hears_of_it(evse_id: int) -> None:
    it = by_mac(on=False)
    comes(it, evse_id)
    it.nothing(for_s=20.0)
    it = by_mac()
    comes(it, 2)
    it.nothing(for_s=20.0)


def test_what_was_stopped_begins_anew_only_after_the_vehicle_was_away() -> None:
    it = by_mac()
    comes(it)
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    transaction = it.said("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    it.tell(VehicleMatched(1, MAC, 4.0))
    it.nothing(for_s=5.0)
    assert it.closed()
    assert it.call("RequestStopTransaction", {"transactionId": transaction})["status"] == "Accepted"
    it.among("TransactionEvent", eventType="Ended")
    it.tell(VehicleMatched(1, MAC, 4.0))
    it.nothing(for_s=20.0)
    it.unplug()
    it.wait(5.0)
    comes(it)
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})


@pytest.mark.req("S-11")
@pytest.mark.parametrize("leaves", [False, True])
def test_what_was_stopped_stays_stopped_over_a_power_loss(leaves: bool) -> None:
    it = by_mac()
    comes(it)
    it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    transaction = it.said("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    assert it.call("RequestStopTransaction", {"transactionId": transaction})["status"] == "Accepted"
    it.among("TransactionEvent", eventType="Ended")
    it.heap.cut()
    if leaves:
        it.evse().unplug_vehicle()
    it.heap.run(10.0)
    it.heap.start("PowerUp")
    it.wait(10.0)
    it.forget()
    if leaves:
        comes(it)
        it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    else:
        it.tell(VehicleMatched(1, MAC, 4.0))
        it.nothing("TransactionEvent", "Authorize", for_s=20.0)
        assert not it.closed()


def test_it_stops_nobody_s_charge_whatever_its_group() -> None:
    it = by_mac(groups={TOKEN: GROUP, CARD: GROUP}, answers={"Authorize": lambda _: None})
    listed(it, {CARD: "Accepted"}, group=GROUP)
    comes(it)
    it.expect("Authorize", idToken=mac())
    it.swipe()
    it.wait(5.0)
    assert it.closed()
    it.heap.receive([3, _asked(it)[-1][1], {"idTokenInfo": it.info(TOKEN)}])
    it.tx("Started", idToken=token())
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    it.nothing(for_s=20.0)
    assert it.closed()


def test_a_master_pass_it_is_not() -> None:
    it = by_mac(groups={TOKEN: "POLICE"})
    assert it.set("AuthCtrlr.MasterPassGroupId", "POLICE") == "Accepted"
    it.charging(2, OTHER_CARD)
    comes(it)
    it.expect("Authorize", idToken=mac())
    it.nothing(for_s=20.0)
    assert it.closed(2)
    assert not it.closed(1)


@pytest.mark.req("C06")
@pytest.mark.parametrize("on", [True, False])
def test_the_vehicle_that_the_power_line_finds(on: bool) -> None:
    """With modems at both ends, and nobody who shows a card."""
    site = SlacSite("ac", slac=SlacConfig(modem="qualcomm", autocharge=on))
    site.arrive(Energy.AC)
    if on:
        site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
        (shown,) = [frame[3]["idToken"] for frame in _asked(site)]
        assert (shown["type"], len(shown["idToken"])) == ("MacAddress", 12)
    else:
        site.until(site.linked)
        site.run(20.0)
        assert not _asked(site)
    assert site.facts.power_closed is on


def _asked(it: TestSystem | SlacSite) -> list[list[Any]]:
    """AuthorizeRequests, as frames."""
    return [frame for frame in it.heap.frames if frame[0] == 2 and frame[2] == "Authorize"]
