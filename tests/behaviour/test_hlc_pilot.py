"""The pilot of an EVSE that talks (ISO 15118-3, IEC 61851-1): 5 %, the way back to a PWM that states a current, and who is let in when."""

from __future__ import annotations

from typing import Any

import pytest

from bench.campaign.hostile import OPENING
from chargepoint.commands import CloseVehicle, SendToVehicle, ServeVehicle, SetDuty, SetStateF, SetX1
from chargepoint.config import Timings
from chargepoint.events import ChargingState, TalkingAllowed, VehicleConnected, VehicleSaid, VehicleServed
from chargepoint.hlc import HOLDS_X1, TABLE, HlcEvent, HlcState
from iso15118.evcc.terms import EvWish
from iso15118.terms import Control, Ending, Energy
from tests.behaviour.hlc_rig import HlcSite

QUICK = Timings(link_s=10.0)


def outputs(site: HlcSite, since: float = 0.0) -> list[tuple[float, str]]:
    """What was put on the pilot, and when."""
    found = []
    for at, each in site.commands:
        if at >= since and isinstance(each, (SetX1, SetDuty, SetStateF)):
            found.append((at, f"{each.duty_percent:.0f} %" if isinstance(each, SetDuty) else "X1" if isinstance(each, SetX1) else "F"))
    return found


# ---- the table


def test_the_table_decides_everything_and_reaches_every_state() -> None:
    assert TABLE.undecided() == ()
    assert TABLE.reachable() == frozenset(HlcState)


@pytest.mark.parametrize("event", list(HlcEvent), ids=lambda each: each.value)
def test_no_event_leads_from_five_percent_to_a_current_at_once(event: HlcEvent) -> None:
    for state in (HlcState.WAITING, HlcState.LINKED, HlcState.TALKING):
        assert TABLE.entries[state, event].to is not HlcState.BASIC


@pytest.mark.parametrize("state", list(HlcState), ids=lambda each: each.value)
def test_unplugging_ends_it_everywhere(state: HlcState) -> None:
    assert TABLE.entries[state, HlcEvent.UNPLUGGED].to is HlcState.OFF


# ---- a vehicle that cannot talk


def test_ac_goes_on_with_the_pwm_alone() -> None:
    """5 %, F for T_step_EF and 5 % again, twice, X1 for T_step_X1, then the current (V2G3-M06-07)."""
    site = HlcSite("ac")
    began = site.heap.now
    ev = site.plug(site.vehicle(Energy.AC), modem=False)
    site.card()
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=150.0)
    story = [(round(at - began), what) for at, what in outputs(site, began)]
    assert story == [
        *((0, "5 %"), (20, "F"), (24, "X1")),
        *((25, "5 %"), (45, "F"), (49, "X1")),
        *((50, "5 %"), (70, "X1"), (73, "53 %")),
    ]
    assert site.hlc.value == "basic"
    assert ev.basic.state.s2
    assert not site.serving()
    site.card()
    site.run(6.0)
    assert site.facts.charging_state is not ChargingState.CHARGING


def test_dc_gives_up_without_ever_showing_a_current_and_asks_again_at_a_sign() -> None:
    site = HlcSite("dc", timings=QUICK)
    ev = site.plug(site.vehicle(Energy.DC), modem=False)
    site.card()
    site.run(60.0)
    assert site.hlc.value == "given up"
    assert set(site.duties()) == {5.0}
    assert site.guard.closed_s == 0.0
    assert site.facts.charging_state is ChargingState.EV_CONNECTED
    ev.modem = True
    ev.toggle_bcb()
    site.heap.run(0.0)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=30.0)


def test_a_link_without_a_session_is_no_talk() -> None:
    site = HlcSite("ac", timings=QUICK)
    ev = site.plug(site.vehicle(Energy.AC))
    ev.silent = True
    site.card()
    site.until(lambda: site.hlc.value == "basic", most_s=90.0)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)


@pytest.mark.req("S-9")
@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_the_interface_goes_and_comes_back(mode: Any) -> None:
    site = HlcSite(mode)
    site.heap.tell(VehicleServed(1, ready=False, why="there is no network interface 'plc0'"))
    assert site.facts.faults.keys() == {"NoVehicleLink" if mode == "ac" else "NoVehicleLinkDc"}
    ev = site.plug(site.vehicle(Energy.AC if mode == "ac" else Energy.DC))
    site.card()
    site.run(10.0)
    assert (site.facts.charging_state is ChargingState.CHARGING) is (mode == "ac")
    assert 5.0 not in site.duties()
    site.heap.tell(VehicleServed(1, ready=True))
    assert not site.facts.faults
    if mode == "dc":  # which takes no card while it cannot charge anybody
        site.card()
    site.run(15.0)
    assert site.facts.charging_state is ChargingState.CHARGING
    assert ev.online is (mode == "dc")


@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_the_csms_switches_talking_off_and_on(mode: Any) -> None:
    site = HlcSite(mode)
    place = {"component": {"name": "ISO15118Ctrlr", "evse": {"id": 1}}, "variable": {"name": "Enabled"}}
    site.heap.receive([2, "v1", "SetVariables", {"setVariableData": [{**place, "attributeValue": "false"}]}])
    site.plug(site.vehicle(Energy.AC if mode == "ac" else Energy.DC))
    site.card()
    site.run(10.0)
    assert site.hlc.value == "off"
    assert (site.facts.charging_state is ChargingState.CHARGING) is (mode == "ac")
    site.unplug()
    site.run(2.0)
    site.heap.receive([2, "v2", "SetVariables", {"setVariableData": [{**place, "attributeValue": "true"}]}])
    site.charge(site.vehicle(Energy.AC if mode == "ac" else Energy.DC))
    assert site.hlc.value == "talking"
    site.heap.tell(TalkingAllowed(1, allowed=False))
    site.run(5.0)
    assert site.facts.charging_state is ChargingState.CHARGING


# ---- who is let in


@pytest.mark.req("S-13")
def test_nobody_is_let_in_without_a_vehicle_on_the_pilot() -> None:
    site = HlcSite("ac")
    assert not site.serving()
    site.run(10.0)
    assert not site.at(ServeVehicle)
    site.plug(site.vehicle(Energy.AC))
    site.run(1.0)
    assert site.serving()
    site.unplug()
    site.run(1.0)
    assert not site.serving()


@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_minus_20_is_only_for_a_verified_vehicle(mode: Any) -> None:
    site = HlcSite(mode)
    site.heap.verified = False
    ev = site.plug(site.vehicle(Energy.AC if mode == "ac" else Energy.DC))
    site.card()
    site.run(30.0)
    assert "SessionSetupReq" not in site.said()
    assert ev.sessions >= 1
    assert site.sim.contactor.poles == 0


@pytest.mark.req("S-13")
def test_a_connection_that_comes_while_nobody_is_asked_to_talk_is_closed() -> None:
    """It was under way when the interface was closed, say: without a vehicle nothing would end its session but its own silence."""
    site = HlcSite("dc")
    site.heap.tell(VehicleConnected(1, 99, "fe80::bad", "TLSv1.3", verified=True))
    for octets in OPENING[True]:
        site.heap.tell(VehicleSaid(1, 99, octets))
    assert [each.connection for _, each in site.at(CloseVehicle)] == [99]
    assert not site.at(SendToVehicle)
    site.charge(site.vehicle(Energy.DC))


def test_another_connection_does_not_disturb_one_with_energy() -> None:
    site = HlcSite("dc")
    ev = site.charge(site.vehicle(Energy.DC))
    site.heap.tell(VehicleConnected(1, 99, "fe80::bad", "TLSv1.3", verified=True))
    site.run(2.0)
    assert ev.online
    assert site.facts.charging_state is ChargingState.CHARGING


def test_a_vehicle_that_connects_anew_before_energy_takes_its_own_place() -> None:
    site = HlcSite("dc")
    ev = site.plug(site.vehicle(Energy.DC))
    site.run(5.0)
    assert ev.online
    site.heap.tell(VehicleConnected(1, 99, "fe80::1", "TLSv1.3", verified=True))
    site.run(0.1)
    assert ev.over is not None
    site.card()
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)


# ---- pauses


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC], ids=lambda each: each.value)
def test_the_vehicle_pauses_and_comes_back_with_a_toggle(energy: Energy) -> None:
    site = HlcSite("dc" if energy.is_dc else "ac")
    ev = site.charge(site.vehicle(energy))
    ev.vehicle.wants.wish = EvWish.PAUSE
    site.until(lambda: ev.over is not None)
    site.run(2.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.PAUSED
    assert site.hlc in HOLDS_X1
    assert site.hlc.value == "paused"
    assert site.facts.charging_state is ChargingState.SUSPENDED_EV
    site.run(600.0)
    ev.toggle_bcb()
    site.heap.run(0.0)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=30.0)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.resumed
    assert len({each["transactionInfo"]["transactionId"] for each in site.told()}) == 1


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC], ids=lambda each: each.value)
@pytest.mark.parametrize("control", list(Control), ids=lambda each: each.value)
def test_standby_and_back(energy: Energy, control: Control) -> None:
    """DC keeps the battery's voltage behind the closed contactor, without current."""
    site = HlcSite("dc" if energy.is_dc else "ac")
    ev = site.charge(site.vehicle(energy, control))
    ev.vehicle.wants.wish = EvWish.STANDBY
    site.run(5.0)
    assert max(map(abs, site.sim.current_A)) < 0.1
    assert site.facts.charging_state is ChargingState.SUSPENDED_EV
    assert ev.online
    assert (site.sim.contactor.poles > 0) is energy.is_dc
    if energy.is_dc:
        assert site.stage.voltage_V == pytest.approx(ev.vehicle.wants.voltage_V, abs=1.0)
    ev.vehicle.wants.wish = EvWish.RESUME
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=20.0)
    site.run(3.0)
    assert max(map(abs, site.sim.current_A)) > 1.0
    assert ev.sessions == 1
    assert ev.over is None


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC], ids=lambda each: each.value)
@pytest.mark.parametrize("wish", [EvWish.RENEGOTIATE_SCHEDULE, EvWish.RENEGOTIATE_SERVICE], ids=lambda each: each.value)
def test_renegotiation(energy: Energy, wish: EvWish) -> None:
    site = HlcSite("dc" if energy.is_dc else "ac")
    ev = site.charge(site.vehicle(energy, Control.SCHEDULED))
    before = len(site.told("NotifyEVChargingNeeds"))
    ev.vehicle.wants.wish = wish
    site.run(1.0)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=40.0)
    site.run(2.0)
    assert ev.online
    assert ev.sessions == 1
    assert len(site.told("NotifyEVChargingNeeds")) == before + 1


def test_a_card_while_the_vehicle_is_asked_is_no_reason_to_ask_again() -> None:
    site = HlcSite("dc")
    site.plug(site.vehicle(Energy.DC), modem=False)
    site.run(10.0)
    site.card()
    site.until(lambda: site.hlc.value == "given up", most_s=150.0)
    assert site.duties() == [5.0, 5.0, 5.0]
    assert "VehicleDoesNotTalk" in site.facts.faults
    site.run(300.0)
    assert site.duties() == [5.0, 5.0, 5.0]
