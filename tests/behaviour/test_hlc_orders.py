"""Orders of events around a vehicle that talks: what comes too early, too late, twice, or in the same moment."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.commands import CloseContactor, OpenContactor, Permit, SetDcOutput, StopDcOutput, WithdrawPermit
from chargepoint.config import Timings
from chargepoint.events import ChargingState, SupplyStopped, TalkingAllowed, VehicleConnected, VehicleGone, VehicleSaid, VehicleServed
from chargepoint.station import _ordered
from hal.types import BoardFault, DcSample
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session
from iso15118.terms import Control, Energy
from tests.behaviour.hlc_rig import HlcSite

MODES = ("ac", "dc")
KIND = {"ac": Energy.AC, "dc": Energy.DC}


def charging(mode: str, control: Control = Control.DYNAMIC, **more: Any) -> HlcSite:
    site = HlcSite(mode, **more)
    site.charge(site.vehicle(KIND[mode], control))
    site.run(5.0)
    return site


def goes_on(site: HlcSite, most_s: float = 120.0) -> None:
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING and max(map(abs, site.sim.current_A)) > 1.0, most_s=most_s)


# ---- one moment


def test_what_a_later_opening_makes_wrong_is_not_carried_out() -> None:
    both = [Permit(1, 0.4), CloseContactor(1, 3), SetDcOutput(1, 400.0, 10.0), CloseContactor(2, 3), OpenContactor(1), WithdrawPermit(1)]
    assert _ordered(list(both)) == (OpenContactor(1), WithdrawPermit(1), CloseContactor(2, 3))
    assert _ordered([SetDcOutput(1, 400.0, 90.0), StopDcOutput(1)]) == (StopDcOutput(1),)
    assert _ordered([StopDcOutput(1), SetDcOutput(1, 400.0, 2.0)]) == (StopDcOutput(1), SetDcOutput(1, 400.0, 2.0))
    assert _ordered([OpenContactor(1), WithdrawPermit(1), Permit(1, 0.4)]) == (OpenContactor(1), WithdrawPermit(1), Permit(1, 0.4))


@pytest.mark.parametrize("mode", MODES)
def test_a_contactor_that_drops_in_a_session_is_not_closed_again_before_it_ended(mode: str) -> None:
    site = charging(mode)
    site.heap.looks.remove(site.guard)  # a dropping contactor breaks its current
    at = site.heap.now
    site.sim.contactor.open()
    site.run(1.0)
    assert not [when for when, _ in site.at(CloseContactor) if when >= at]
    goes_on(site)
    assert not site.facts.faults


# ---- what passes


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", ["OverTemperature", "UnderVoltage", "EmergencyStop"])
@pytest.mark.parametrize("lasts_s", [0.2, 2.0, 60.0])
def test_a_fault_that_passes_wakes_the_vehicle(mode: str, code: str, lasts_s: float) -> None:
    site = charging(mode)
    site.heap.tell(BoardFault(1, code, "", present=True))
    site.run(lasts_s)
    site.heap.tell(BoardFault(1, code, "", present=False))
    site.run(3.0)
    goes_on(site)
    assert len({each["transactionInfo"]["transactionId"] for each in site.told()}) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gap_s", [0.05, 0.15, 0.3, 0.5, 1.0, 3.0])
def test_a_card_that_stops_and_comes_again(mode: str, gap_s: float) -> None:
    site = charging(mode)
    site.card()
    site.run(gap_s)
    site.card()
    site.run(5.0)
    goes_on(site)
    assert site.hlc.value == "talking"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gap_s", [0.05, 0.15, 1.0, 10.0])
def test_a_supply_that_is_held_for_a_moment(mode: str, gap_s: float) -> None:
    site = charging(mode)
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test"))
    site.run(gap_s)
    site.heap.tell(SupplyStopped(1, stopped=False, cause="test"))
    site.run(5.0)
    goes_on(site)


@pytest.mark.req("S-9")
@pytest.mark.parametrize("gap_s", [0.2, 1.0, 2.9, 30.0])
def test_an_interface_that_is_away_for_a_moment(gap_s: float) -> None:
    site = charging("dc")
    site.heap.tell(VehicleServed(1, ready=False, why="down"))
    site.run(gap_s)
    site.heap.tell(VehicleServed(1, ready=True))
    site.run(1.0)
    goes_on(site)


def test_talking_that_is_switched_off_during_a_charge_is_off_afterwards() -> None:
    site = charging("dc")
    site.heap.tell(TalkingAllowed(1, allowed=False))
    site.run(5.0)
    assert site.facts.charging_state is ChargingState.CHARGING
    assert site.ev is not None
    site.ev.mute()
    site.run(60.0)
    assert site.hlc.value == "given up"
    site.ev.toggle_bcb()
    site.run(30.0)
    assert site.hlc.value == "given up"
    site.heap.tell(TalkingAllowed(1, allowed=True))
    goes_on(site)


# ---- connections


@pytest.mark.parametrize("mode", MODES)
def test_a_vehicle_goes_on_in_another_connection(mode: str) -> None:
    """The old one still stands when the new one begins; the session of the new one comes to energy."""
    site = HlcSite(mode)
    ev = site.plug(site.vehicle(KIND[mode]))
    site.run(5.0)
    assert ev.online
    ev.mute()
    ev.online = False  # it forgets its old connection without a word
    ev.connect_again()
    site.card()
    goes_on(site, most_s=40.0)
    assert ev.sessions == 2
    assert site.hlc.value == "talking"


def test_octets_and_ends_of_connections_that_nobody_knows() -> None:
    site = charging("dc")
    for number in (0, 7, 99):
        site.heap.tell(VehicleSaid(1, number, b"\x01\xfe\x80\x01"))
        site.heap.tell(VehicleGone(1, number, "gone"))
    site.heap.tell(VehicleConnected(1, 50, "fe80::2", "", verified=False))
    site.heap.tell(VehicleSaid(1, 50, b"GET / HTTP/1.1\r\n\r\n"))
    site.run(3.0)
    assert site.facts.charging_state is ChargingState.CHARGING
    assert Session(spoken(site.vehicle(Energy.DC).wants)).deadline() is None


# ---- after a start


@pytest.mark.req("F-17")
@pytest.mark.parametrize("mode", MODES)
def test_a_session_waits_as_long_as_nothing_may_close(mode: str) -> None:
    site = HlcSite(mode, timings=Timings(close_after_boot_s=40.0), settles=True)
    ev = site.plug(site.vehicle(KIND[mode]))
    site.card()
    site.run(30.0)
    assert site.said("ev")[-1] == "AuthorizationReq"
    goes_on(site)
    assert site.heap.now > 40.0
    assert ev.sessions == 1


# ---- the DC output


def test_a_stage_without_readings_is_not_relied_on() -> None:
    site = charging("dc")
    site.heap.deaf = DcSample
    site.until(lambda: site.facts.charging_state is not ChargingState.CHARGING, most_s=3.0)
    assert "PowerStageFault" in site.facts.faults
    site.until(lambda: site.sim.contactor.poles == 0, most_s=1.5)


@pytest.mark.parametrize("energy", [Energy.AC_BPT, Energy.DC_BPT], ids=lambda each: each.value)
def test_what_comes_back_is_held_against_its_own_bound(energy: Energy) -> None:
    site = HlcSite("dc" if energy.is_dc else "ac", both_ways=True)
    site.charge(site.vehicle(energy, Control.SCHEDULED, soc=60.0, give=True))
    site.run(3.0)
    assert min(site.sim.current_A) < -5.0
    site.limit(watts=1_000.0)
    site.run(30.0)
    assert not site.facts.faults
    assert min(site.sim.current_A) < -5.0
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test"))
    site.run(2.0)
    if energy.is_dc:
        assert max(map(abs, site.sim.current_A)) < 0.1
