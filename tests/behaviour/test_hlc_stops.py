"""Every way in which a charge of a vehicle that talks is stopped: energy off first, in order, and told (F-10, F-11, F-12, F-18, S-11, S-20)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.ev.talking import TalkingEv
from bench.v2g.model import COMPACT
from chargepoint.commands import CloseVehicle, OpenContactor, SetDcOutput, SetX1, StopDcOutput
from chargepoint.events import ChargingState, DataLinkChanged, ShutdownRequested, StopRequested, SupplyStopped
from iso15118.terms import Control, Ending, Energy
from tests.behaviour.hlc_rig import HlcSite

SOAK = os.environ.get("SOAK") == "1"
MODES = ("ac", "dc")
KIND = {"ac": Energy.AC, "dc": Energy.DC}


def charging(mode: str, control: Control = Control.DYNAMIC) -> tuple[HlcSite, TalkingEv]:
    site = HlcSite(mode)
    ev = site.charge(site.vehicle(KIND[mode], control))
    site.run(5.0)
    return site, ev


def current_A(site: HlcSite) -> float:
    return max(map(abs, site.sim.current_A))


def opened_within(site: HlcSite, most_s: float) -> None:
    site.until(lambda: site.sim.contactor.poles == 0, most_s=most_s)


# ---- the vehicle, or the line to it, is lost


@pytest.mark.req("F-10")
@pytest.mark.parametrize("mode", MODES)
def test_the_data_link_is_lost(mode: str) -> None:
    site, ev = charging(mode)
    at = site.heap.now
    site.heap.tell(DataLinkChanged(1, ready=False))
    opened_within(site, 0.2 if mode == "ac" else 1.2)
    site.run(1.0)
    closed_at = next(when for when, _ in site.at(CloseVehicle) if when >= at)
    off_at = next(when for when, _ in site.at(OpenContactor if mode == "ac" else StopDcOutput) if when >= at)
    assert off_at <= closed_at
    assert site.facts.charging_state is not ChargingState.CHARGING
    site.run(6.0)
    assert site.hlc.value in ("waiting for the link", "linked", "talking")
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
    assert ev.sessions == 2
    assert len({each["transactionInfo"]["transactionId"] for each in site.told()}) == 1


@pytest.mark.req("F-10")
def test_a_link_that_is_lost_as_often_as_it_may_before_there_is_energy_leaves_ac_with_the_pwm_alone() -> None:
    site = HlcSite("ac")
    ev = site.plug(site.vehicle(Energy.AC))
    for _ in range(3):
        site.until(lambda: site.hlc.value == "talking")
        site.run(1.0)
        site.heap.tell(DataLinkChanged(1, ready=False))
        site.run(0.5)
    site.card()
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
    assert site.hlc.value == "basic"
    assert site.duties()[-1] > 10.0
    assert ev.basic.state.s2


@pytest.mark.req("F-10")
@pytest.mark.parametrize("mode", MODES)
def test_links_that_are_lost_during_a_charge_are_not_counted(mode: str) -> None:
    site, _ = charging(mode)
    for _ in range(4):
        site.run(20.0)
        site.heap.tell(DataLinkChanged(1, ready=False))
        site.run(0.5)
        site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
    assert site.hlc.value == "talking"


@pytest.mark.req("F-11")
@pytest.mark.parametrize("mode", MODES)
def test_a_vehicle_that_falls_silent_in_the_loop(mode: str) -> None:
    site, ev = charging(mode)
    at = site.heap.now
    ev.mute()
    opened_within(site, 2.0)
    assert site.heap.now - at < 1.0 + (0.0 if mode == "ac" else 1.0)
    off_at = next(when for when, _ in site.at(OpenContactor if mode == "ac" else StopDcOutput) if when > at)
    closed_at = next(when for when, _ in site.at(CloseVehicle) if when > at)
    assert off_at <= closed_at


@pytest.mark.req("F-12")
@pytest.mark.parametrize("mode", MODES)
def test_it_is_unplugged_under_load(mode: str) -> None:
    site, _ = charging(mode)
    site.unplug()
    opened_within(site, 0.2)
    site.run(2.0)
    assert site.story()[-1] == "Ended EVCommunicationLost Idle EVDisconnected"
    assert site.facts.vehicle is None


def test_s2_opens_in_the_middle_of_the_loop_of_dc() -> None:
    site, ev = charging("dc")
    ev.s2 = False
    site.heap.run(0.0)
    opened_within(site, 1.2)
    site.run(0.1)
    assert ev.over is not None
    assert ev.over.ending is Ending.ABORTED


# ---- the station, its driver or the CSMS want it to end


@pytest.mark.req("S-11")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("control", list(Control), ids=lambda each: each.value)
def test_the_driver_stops_at_the_box_and_the_vehicle_stops_in_order(mode: str, control: Control) -> None:
    site, ev = charging(mode, control)
    site.card()
    site.until(lambda: ev.over is not None, most_s=4.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.TERMINATED
    assert site.sim.contactor.poles == 0
    site.run(1.0)
    assert any(line.startswith("Ended StopAuthorized") and line.endswith("Local") for line in site.story())


@pytest.mark.req("S-11")
@pytest.mark.parametrize("mode", MODES)
def test_a_vehicle_that_does_not_hear_is_cut_off(mode: str) -> None:
    site = HlcSite(mode)
    vehicle = site.vehicle(KIND[mode])
    vehicle.wants.heeds = frozenset()
    ev = site.charge(vehicle)
    site.run(3.0)
    site.heap.tell(StopRequested(1, "Local"))
    opened_within(site, 4.5)
    assert current_A(site) == 0.0
    assert ev.over is None or ev.over.ending is Ending.ABORTED


@pytest.mark.req("S-11", "F04")
@pytest.mark.parametrize("mode", MODES)
def test_the_csms_stops_the_transaction(mode: str) -> None:
    site, ev = charging(mode)
    site.heap.receive([2, "r1", "RequestStopTransaction", {"transactionId": site.facts.transaction_id}])
    site.until(lambda: ev.over is not None, most_s=4.0)
    site.run(1.0)
    assert any(line.startswith("Ended RemoteStop") and line.endswith("Remote") for line in site.story())
    assert site.sim.contactor.poles == 0


@pytest.mark.soak
@pytest.mark.req("S-11")
@pytest.mark.parametrize("mode", MODES)
def test_no_energy_five_seconds_after_the_authorisation_ended_wherever_that_was(mode: str) -> None:
    """At every message of the session from the authorisation to the first rounds of the loop; of those that come again and again at the first."""
    steps = steps_of(mode)
    assert len(steps) > 6
    for step in (each for each in range(len(steps)) if SOAK or steps[each] not in steps[:each]):
        site = HlcSite(mode)
        ev = site.plug(site.vehicle(KIND[mode]))
        site.run(4.0)
        site.card()
        seen = len(ev.messages)
        site.until(lambda ev=ev, seen=seen, step=step: len(ev.messages) > seen + step)  # type: ignore[misc] # of this turn
        site.heap.tell(StopRequested(1, "Local"))
        site.run(5.0)
        assert site.sim.contactor.poles == 0, steps[step]
        assert site.facts.id_token is None
        site.run(60.0)
        assert site.sim.contactor.poles == 0, steps[step]
        assert not site.facts.transaction_id or site.facts.charging_state is not ChargingState.CHARGING


def steps_of(mode: str) -> list[str]:
    site = HlcSite(mode)
    ev = site.plug(site.vehicle(KIND[mode]))
    site.run(4.0)
    site.card()
    seen = len(ev.messages)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
    site.run(0.3)
    return [type(message).__name__ for _, _, message in ev.messages[seen:]]


@pytest.mark.req("F-18")
@pytest.mark.parametrize("mode", MODES)
def test_sigterm(mode: str) -> None:
    site, _ = charging(mode)
    at = site.heap.now
    site.heap.tell(ShutdownRequested())
    opened_within(site, 0.2 if mode == "ac" else 1.2)
    site.run(3.0)
    assert site.heap.ended is not None
    assert site.heap.now - at < 5.0
    assert site.story()[-1].startswith("Ended")
    assert site.told()[-1]["transactionInfo"]["stoppedReason"] == "Reboot"


@pytest.mark.req("F-18")
@pytest.mark.parametrize("mode", MODES)
def test_the_end_is_told_when_the_contactor_is_open(mode: str) -> None:
    site, _ = charging(mode)
    site.heap.tell(ShutdownRequested())
    while not site.story()[-1].startswith("Ended"):
        assert site.heap.ended is None
        site.run(0.001)
    assert site.sim.contactor.poles == 0
    assert site.facts.transaction_id == ""


@pytest.mark.req("F-18")
@pytest.mark.parametrize("mode", MODES)
def test_a_contactor_that_does_not_open_keeps_no_end_from_being_told(mode: str) -> None:
    site, _ = charging(mode)
    site.heap.looks.remove(site.guard)  # it sees the weld
    site.heap.world.inject(1, "ContactorWeld")
    at = site.heap.now
    site.heap.tell(ShutdownRequested())
    site.until(lambda: site.heap.ended is not None, most_s=5.0)
    assert site.heap.now - at > 3.0
    assert site.story()[-1].startswith("Ended")
    assert site.heap.store["transactions"] == {}


@pytest.mark.parametrize("mode", MODES)
def test_the_supply_is_held_and_comes_back(mode: str) -> None:
    """A limit of the transaction: the vehicle pauses, and is woken."""
    site, ev = charging(mode)
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test"))
    opened_within(site, 8.0)
    site.run(3.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.PAUSED
    assert site.facts.charging_state is ChargingState.SUSPENDED_EVSE
    site.heap.tell(SupplyStopped(1, stopped=False, cause="test"))
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.resumed


# ---- limits


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("control", list(Control), ids=lambda each: each.value)
def test_a_limit_reaches_the_vehicle_in_the_loop(mode: str, control: Control) -> None:
    site, _ = charging(mode, control)
    before_A = current_A(site)
    site.limit(watts=5_000.0)
    site.run(2.0)
    reason, power_W = site.facts.limit_reason, site.sim.sample().power_W
    assert reason == "csms"
    assert power_W is not None
    assert power_W == pytest.approx(5_000.0, rel=0.03)
    site.limit()
    site.run(3.0)
    assert current_A(site) == pytest.approx(before_A, rel=0.03)


@pytest.mark.parametrize("mode", MODES)
def test_a_limit_of_nothing_keeps_the_session(mode: str) -> None:
    site, ev = charging(mode)
    site.limit(watts=0.0)
    site.run(20.0)
    assert current_A(site) < 0.5
    assert site.facts.charging_state is ChargingState.SUSPENDED_EVSE
    assert ev.online
    site.limit()
    site.run(3.0)
    assert current_A(site) > 5.0


@pytest.mark.req("S-20")
def test_a_vehicle_that_draws_more_than_it_is_told() -> None:
    site = HlcSite("ac")
    site.charge(site.vehicle(Energy.AC), stubborn=True)
    site.run(5.0)
    site.limit(amps=8.0)
    opened_within(site, 20.0)
    assert "OverCurrent" in site.facts.faults


# ---- the hardware


@pytest.mark.parametrize(
    ("fault", "value", "code"),
    [
        ("InsulationLow", 20_000.0, "CableCheckFailure"),
        ("StageNoRise", None, "CableCheckFailure"),
        ("StageStuck", None, "PowerStageFault"),
    ],
)
def test_dc_does_not_begin_with_hardware_that_is_not_right(fault: str, value: float | None, code: str) -> None:
    site = HlcSite("dc")
    site.heap.world.inject(1, fault, value)
    ev = site.plug(site.vehicle(Energy.DC))
    site.card()
    site.until(lambda: code in site.facts.faults)
    opened_within(site, 1.5)
    site.run(30.0)
    assert "DC_PreChargeReq" not in site.said("ev")
    assert ev.over is not None
    assert current_A(site) == 0.0
    site.heap.world.clear(1)
    site.unplug()
    site.run(2.0)
    assert code not in site.facts.faults


def mid_loop(fault: str, value: float | None = None) -> Callable[[HlcSite], None]:
    return lambda site: site.heap.world.inject(1, fault, value)


@pytest.mark.parametrize(
    ("mode", "breaks", "code"),
    [
        ("ac", mid_loop("RcdTrip"), "ResidualCurrentTrip"),
        ("dc", mid_loop("InsulationLow", 5_000.0), "InsulationFault"),
        ("dc", mid_loop("GroundFailure"), "GroundFailure"),
        ("dc", mid_loop("EmergencyStop"), "EmergencyStop"),
    ],
    ids=["rcd", "insulation", "ground", "emergency stop"],
)
def test_a_fault_in_the_loop(mode: str, breaks: Callable[[HlcSite], None], code: str) -> None:
    site, ev = charging(mode)
    breaks(site)
    site.heap.run(0.0)
    opened_within(site, 0.2 if mode == "ac" else 1.3)
    site.run(2.0)
    assert code in site.facts.faults
    assert ev.over is not None
    assert site.heap.station is not None


def test_a_stage_that_does_not_go_off_is_cut_by_the_contactor_at_the_deadline() -> None:
    site = HlcSite("dc")
    site.charge(site.vehicle(Energy.DC, spec=replace(COMPACT, welded=True)))
    site.run(3.0)
    site.heap.looks.remove(site.guard)  # this contactor does break a current
    site.heap.world.inject(1, "StageNotOff")
    at = site.heap.now
    site.heap.world.inject(1, "EmergencyStop")
    site.heap.run(0.0)
    opened_within(site, 1.3)
    assert site.sim.contactor.opened_under_A > 5.0
    off_at = next(when for when, _ in site.at(StopDcOutput) if when >= at)
    open_at = next(when for when, _ in site.at(OpenContactor) if when >= at)
    assert 0.9 < open_at - off_at < 1.2


@pytest.mark.req("F-1", "F-16")
@pytest.mark.parametrize("mode", MODES)
def test_the_power_goes_in_the_middle_and_comes_back(mode: str) -> None:
    site, ev = charging(mode)
    site.heap.looks.clear()
    site.heap.cut()
    site.heap.run(0.1)
    assert site.sim.contactor.poles == 0
    site.heap.run(1.0)
    site.heap.start()
    site.heap.run(8.0)
    assert ev.online
    assert site.sim.contactor.poles == 0
    assert any(line.startswith("Ended") and line.endswith("PowerLoss") for line in site.story())


@pytest.mark.parametrize("mode", MODES)
def test_the_pilot_says_so_first(mode: str) -> None:
    """X1 never comes before the output is off."""
    site, _ = charging(mode)
    at = site.heap.now
    site.card()
    site.run(6.0)
    x1_at = next(when for when, _ in site.at(SetX1) if when > at)
    off_at = next(when for when, _ in site.at(OpenContactor if mode == "ac" else StopDcOutput) if when > at)
    assert off_at <= x1_at
    if mode == "dc":
        assert all(each.current_A == 0.0 for when, each in site.at(SetDcOutput) if when > at)
