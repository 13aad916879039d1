"""The station, its power-line modem and a vehicle that matches before it talks (ISO 15118-3): keys, pilot, link and session together."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import pytest

from bench.ev.talking import TalkingEv
from bench.plc.cables import Cables, mac_of
from bench.plc.line import Path
from chargepoint.commands import Log, SendOnPowerLine, SetDuty, SetStateF
from chargepoint.config import SlacConfig, Timings
from chargepoint.entropy import Entropy
from chargepoint.events import ChargingState, LevelSettled, PowerLineChanged, PowerLineHeard, VehicleGone, VehicleServed
from chargepoint.faults import NO_VEHICLE_LINK, NO_VEHICLE_LINK_DC
from chargepoint.matching import MatchingMachine, MatchingState
from chargepoint.tick import Tick
from iso15118.evcc.terms import EvWish
from iso15118.slac import mme, times
from iso15118.slac.evse import Evse
from iso15118.slac.layout import Mme
from iso15118.slac.mme import Frame
from iso15118.terms import PLAIN, Control, Ending, Energy
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_sessions import mode_of

MODEM = SlacConfig(modem="qualcomm")
M = TypeVar("M", bound=Mme)


class SlacSite(HlcSite):
    """With a modem, that has its first key."""

    def __init__(self, mode: str, slac: SlacConfig = MODEM, **more: Any) -> None:
        super().__init__(mode, slac=slac, **more)

    @property
    def cables(self) -> Cables:
        assert self.heap.cables is not None
        return self.heap.cables

    def arrive(self, energy: Energy, control: Control = Control.DYNAMIC, **more: Any) -> TalkingEv:
        """A vehicle whose modem is off no more."""
        return self.plug(self.vehicle(energy, control), slac=self.cables.vehicle(1), **more)

    def leave(self) -> None:
        self.unplug()
        self.cables.gone(1)

    def frames(self) -> list[tuple[float, Frame]]:
        """What the station has sent to its modem and on the line."""
        return [(at, mme.read(each.octets)) for at, each in self.at(SendOnPowerLine)]

    def sent(self, kind: type[M]) -> list[tuple[float, M]]:
        return [(at, frame.mme) for at, frame in self.frames() if isinstance(frame.mme, kind)]

    def keys(self) -> list[bytes]:
        return [asked.new_key for _, asked in self.sent(mme.SetKeyReq)]

    def five_percent(self) -> list[float]:
        return [at for at, each in self.at(SetDuty) if each.duty_percent == 5.0]

    def linked(self) -> bool:
        return bool(self.facts.digital) and self.hlc.value in ("linked", "talking")


@pytest.mark.parametrize("energy", PLAIN, ids=lambda each: each.value)
def test_a_whole_charge(energy: Energy) -> None:
    """Plug in, 5 %, SLAC, D-LINK, SDP, session."""
    site = SlacSite(mode_of(energy), both_ways=energy.is_bpt)
    ev = site.arrive(energy)
    site.card()
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING and max(map(abs, site.sim.current_A)) > 1.0)
    assert site.hlc.value == "talking"
    assert len(site.keys()) == 1
    assert [type(frame.mme).__name__ for _, frame in site.frames() if frame.destination != mme.LOCAL] == [
        "SlacParmCnf",
        "AttenCharInd",
        "SlacMatchCnf",
    ]
    ev.vehicle.wants.loops = 0
    site.until(lambda: ev.over is not None, most_s=600.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.TERMINATED


def test_the_key_is_confirmed_before_5_percent() -> None:
    """Setting it takes longer than a vehicle waits for its answer; this modem even has to be reset."""
    site = SlacSite("ac")
    site.arrive(Energy.AC)
    site.until(site.linked)
    first = site.keys()
    site.cables.modem(1).stuck = True
    site.leave()
    site.run(0.2)
    assert len(site.keys()) == 2, "the vehicle that left has the other one"
    unplugged = site.heap.now
    site.arrive(Energy.AC)
    site.until(site.linked)
    set_at = [at for at, asked in site.sent(mme.SetKeyReq) if asked.new_key != first[0]]
    shown = [at for at in site.five_percent() if at > unplugged]
    assert set_at[-1] - unplugged > 4.0
    assert shown[0] >= set_at[-1] + site.cables.modem(1).key_s
    assert len(set(site.keys())) == 2


def test_no_key_between_match_request_and_its_answer() -> None:
    site = SlacSite("ac")
    for _ in range(3):
        site.arrive(Energy.AC)
        site.until(site.linked)
        site.leave()
        site.run(3.0)
    asked = [at for at, _ in site.sent(mme.SetKeyReq)]
    for at, _ in site.sent(mme.SlacMatchCnf):
        assert not any(at - 0.25 < each <= at for each in asked)
    assert len(site.sent(mme.SlacMatchCnf)) == 3


@pytest.mark.req("S-13")
@pytest.mark.parametrize("there", [False, True])
def test_nobody_is_answered_while_nobody_is_on_the_pilot(there: bool) -> None:
    site = SlacSite("ac")
    if there:
        site.arrive(Energy.AC)
        site.until(lambda: bool(site.five_percent()))
    asks = mme.octets(Frame(mme.BROADCAST, b"\x02\0\0\0\0\x66", mme.SlacParmReq(run_id=b"stranger")))
    before = len(site.sent(mme.SlacParmCnf))
    site.heap.tell(PowerLineHeard(1, asks))
    answers = [answer for _, answer in site.sent(mme.SlacParmCnf)[before:] if answer.run_id == b"stranger"]
    assert bool(answers) is there


@pytest.mark.req("F-10")
@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_a_link_that_is_lost_is_found_again(mode: str) -> None:
    """Energy is off; and matching is possible again well within T_conn_resetup."""
    site = SlacSite(mode)
    energy = Energy.DC if mode == "dc" else Energy.AC
    site.arrive(energy)
    site.card()
    site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0)
    modem = site.cables.modem(1, vehicle=True)
    modem.dead = True
    lost_s = site.until(lambda: site.hlc.value == "again", most_s=10.0)
    assert lost_s < 4.0
    site.run(1.0)
    assert not site.facts.power_closed
    modem.dead = False
    again_s = site.until(lambda: site.facts.digital, most_s=6.0)
    assert again_s <= 5.0 < times.T_CONN_RESETUP_S
    site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0, most_s=90.0)
    assert len(set(site.keys())) == len(site.keys()) >= 2


def test_a_vehicle_that_is_plugged_in_can_match_within_t_conn_max_comm() -> None:
    site = SlacSite("ac")
    plugged = site.heap.now
    site.arrive(Energy.AC)
    site.until(lambda: bool(site.sent(mme.SlacParmCnf)))
    assert site.sent(mme.SlacParmCnf)[0][0] - plugged <= times.T_CONN_MAX_COMM_S


def test_who_does_not_match_gets_what_it_can_without() -> None:
    """F for T_step_EF and 5 % again, as often as may be; then AC goes on with the PWM (V2G3-M06-07)."""
    site = SlacSite("ac")
    ev = site.plug(site.vehicle(Energy.AC), modem=False)
    site.card()
    site.until(lambda: site.hlc.value == "basic", most_s=300.0)
    site.until(lambda: max(site.sim.current_A) > 1.0, most_s=20.0)
    assert not ev.online
    assert len(site.five_percent()) == 1 + times.C_SEQU_RETRY
    pulses = [at for at, event in site.commands if type(event).__name__ == "SetStateF"]
    assert len(pulses) == times.C_SEQU_RETRY
    shown = [at for at, each in site.at(SetDuty) if each.duty_percent != 5.0]
    assert shown
    assert shown[0] - site.five_percent()[-1] > times.TT_EVSE_SLAC_INIT_S[0]


@pytest.mark.req("S-9")
@pytest.mark.parametrize("wait_s", [0.5, 3.0, 8.0])
def test_an_interface_that_blinks_before_energy_costs_no_session(wait_s: float) -> None:
    """AC comes back to 5 %, whether the vehicle was matched already or not."""
    site = SlacSite("ac")
    site.arrive(Energy.AC)
    site.run(wait_s)
    site.heap.tell(PowerLineChanged(1, ready=False, why="down"))
    site.heap.tell(PowerLineChanged(1, ready=True, mac=mac_of(1)))
    site.until(lambda: site.hlc.value == "talking", most_s=60.0)
    assert site.facts.faults == {}


def test_a_match_without_a_link_is_tried_again() -> None:
    site = SlacSite("dc")
    site.cables.line.join_s = 60.0  # the networks never come together in time
    site.arrive(Energy.DC)
    site.until(lambda: site.hlc.value == "pulse", most_s=40.0)
    site.cables.line.join_s = 0.6
    site.until(site.linked, most_s=60.0)
    assert len(set(site.keys())) == len(site.keys())


@pytest.mark.req("S-9")
@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_a_modem_that_is_dead_and_comes_back(mode: str) -> None:
    """A fault in words; AC charges by its PWM meanwhile, DC waits."""
    site = SlacSite(mode)
    site.cables.modem(1).dead = True
    site.arrive(Energy.DC if mode == "dc" else Energy.AC)
    site.card()
    fault = NO_VEHICLE_LINK_DC if mode == "dc" else NO_VEHICLE_LINK
    site.until(lambda: fault in site.facts.faults, most_s=120.0)
    assert "does not answer" in site.facts.faults[fault]
    site.heap.tell(VehicleServed(1, ready=True))
    assert fault in site.facts.faults, "the network is not what is missing"
    if mode == "ac":
        site.until(lambda: max(site.sim.current_A) > 1.0, most_s=20.0)
        assert 5.0 not in site.duties()[-1:]
    else:
        site.run(60.0)
        assert not site.facts.power_closed
    site.cables.modem(1).dead = False
    site.until(lambda: fault not in site.facts.faults, most_s=60.0)
    if mode == "dc":
        site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0)


@pytest.mark.req("S-9")
def test_an_interface_that_goes_and_comes_back() -> None:
    site = SlacSite("ac")
    site.heap.tell(PowerLineChanged(1, ready=False, why="there is no network interface 'plc0'"))
    assert "plc0" in site.facts.faults[NO_VEHICLE_LINK]
    site.arrive(Energy.AC)
    site.card()
    site.until(lambda: max(site.sim.current_A) > 1.0)
    assert not site.five_percent()
    site.leave()
    site.run(2.0)
    site.heap.tell(PowerLineChanged(1, ready=True, mac=mac_of(1)))
    site.run(3.0)
    assert not site.facts.faults
    site.arrive(Energy.AC)
    site.until(site.linked)


def test_validation_counts_toggles_on_the_pilot() -> None:
    """Two cables hear each other too well: the vehicle shows itself."""
    site = SlacSite("ac", slac=SlacConfig(modem="qualcomm", validation=True))
    site.cables.line.paths = {frozenset(("evse 1", "vehicle 1")): Path(14.0)}
    site.arrive(Energy.AC)
    site.until(site.linked)
    results = [answer for _, answer in site.sent(mme.ValidateCnf)]
    assert [each.result for each in results] == [1, 2]
    assert 1 <= results[1].toggle_num <= 3
    assert not site.facts.power_closed


def test_a_vehicle_that_sleeps_keeps_its_link() -> None:
    site = SlacSite("dc")
    ev = site.arrive(Energy.DC)
    site.card()
    site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0)
    ev.vehicle.wants.wish = EvWish.PAUSE
    site.until(lambda: site.hlc.value == "paused")
    site.run(30.0)
    ev.toggle_bcb()
    site.until(lambda: site.hlc.value == "talking")
    site.run(times.TT_EVSE_SLAC_INIT_S[1] + 10.0)
    assert site.hlc.value == "talking"
    assert len(site.sent(mme.SlacParmCnf)) == 1
    assert len(site.keys()) == 1


@pytest.mark.req("V2G3-M06-07")
@pytest.mark.parametrize("mode", ["ac", "dc"])
@pytest.mark.parametrize("dead", [False, True], ids=["modem back", "modem dead"])
def test_a_vehicle_whose_link_went_while_it_slept_is_waited_for_to_join_and_then_matches_anew(mode: str, dead: bool) -> None:
    site = SlacSite(mode)
    ev = site.arrive(Energy.DC if mode == "dc" else Energy.AC)
    site.card()
    site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0)
    ev.vehicle.wants.wish = EvWish.PAUSE
    site.until(lambda: site.hlc.value == "paused", most_s=300.0)
    site.cables.modem(1, vehicle=True).dead = True
    site.run(10.0)
    site.cables.modem(1, vehicle=True).dead = dead
    ev.toggle_bcb()
    site.until(lambda: site.hlc.value == "waiting for the link")
    if not dead:
        site.until(lambda: site.hlc.value == "talking")
        return
    before = len(site.at(SetStateF))
    site.run(times.TT_MATCH_JOIN_S + 10.0)
    assert len(site.at(SetStateF)) > before, "F, so that it begins anew"
    site.run(600.0)
    assert site.hlc.value == ("given up" if mode == "dc" else "basic")


def test_a_matching_that_never_says_that_it_has_failed_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    site = SlacSite("ac")
    monkeypatch.setattr(Evse, "_wait_for_vehicle", lambda _self, _now: None)
    site.plug(site.vehicle(Energy.AC, Control.DYNAMIC))
    site.run(10.0)
    site.until(lambda: site.hlc.value == "basic", most_s=600.0)


def test_only_a_c_that_begins_while_toggles_are_counted_is_one() -> None:
    """V2G3-A09: the pilot goes from B to C and back; what it was before nobody was asked to count."""
    machine = MatchingMachine(SlacSite("ac").heap.config.evses[0], Timings(), Entropy())
    counted = []
    for begins in ("B", "C"):
        machine.memory = MatchingState(level=begins, counted_until=99.0)
        for at, level in enumerate("CBCB"):
            machine.handle(Tick(float(at), float(at)), LevelSettled(1, level))
        counted.append(machine.memory.toggles)
    assert counted == [2, 1]


def test_a_snapshot_in_the_middle_of_a_match_goes_on() -> None:
    site = SlacSite("ac")
    site.arrive(Energy.AC)
    site.until(lambda: bool(site.sent(mme.SlacParmCnf)))
    assert site.heap.station is not None
    snapshot = json.loads(json.dumps(site.heap.station.snapshot()))
    assert snapshot["slac:1"]["slac"]["matchings"]
    site.heap.station.restore(snapshot)
    site.until(site.linked)


def test_the_network_outlives_the_session_for_a_moment() -> None:
    """The vehicle closes its connection after SessionStop; then the network is left, and its key is nobody's any more."""
    site = SlacSite("dc")
    ev = site.arrive(Energy.DC)
    site.card()
    site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0)
    ev.vehicle.wants.loops = 0
    site.until(lambda: ev.over is not None)
    began = site.heap.now
    site.until(lambda: len(site.keys()) == 2, most_s=5.0)
    assert 0.5 <= site.heap.now - began <= 1.5
    lost = [event for _, event in site.events if isinstance(event, VehicleGone)]
    assert [each.why for each in lost] == ["closed by the vehicle"]


def test_a_modem_that_comes_late_finds_the_vehicle_that_is_there() -> None:
    site = SlacSite("dc")
    site.heap.tell(PowerLineChanged(1, ready=False, why="not yet"))
    site.arrive(Energy.DC)
    site.run(10.0)
    assert not site.five_percent()
    site.heap.tell(PowerLineChanged(1, ready=True, mac=mac_of(1)))
    site.until(site.linked, most_s=15.0)


def test_settings_are_heeded() -> None:
    """What the modem adds is taken off; and how long is waited for a vehicle."""
    site = SlacSite("ac", SlacConfig(modem="auto", correction_dB=2.5), timings=Timings(link_s=20.0))
    ev = site.plug(site.vehicle(Energy.AC), modem=False, slac=site.cables.vehicle(1))
    site.until(lambda: bool(site.five_percent()))
    assert site.until(lambda: site.hlc.value == "pulse") == pytest.approx(20.0, abs=0.2)
    ev.modem = True
    site.until(site.linked)
    matched = [each.values for _, each in site.at(Log) if each.key == "slac.matched"]
    assert [each["attenuation_dB"] for each in matched] == [3.5]


def test_strangers_do_not_fill_the_log() -> None:
    """With every frame they could cause a line."""
    site = SlacSite("ac")
    site.plug(site.vehicle(Energy.AC), modem=False, slac=site.cables.vehicle(1))
    site.until(lambda: bool(site.five_percent()))
    before = len(site.at(Log))
    for number in range(1000):
        stranger = b"\x02\0\0\0" + number.to_bytes(2, "big")
        site.heap.tell(PowerLineHeard(1, mme.octets(Frame(mme.BROADCAST, stranger, mme.SlacParmReq(run_id=stranger + b"xx")))))
        forged = mme.AttenProfileInd(pev_mac=stranger, aag=bytes(mme.GROUPS))
        site.heap.tell(PowerLineHeard(1, mme.octets(Frame(mac_of(1), stranger, forged))))
        site.run(0.001)
    assert len(site.at(Log)) - before <= 12


def test_a_modem_of_another_address_is_not_ours() -> None:
    site = SlacSite("ac", SlacConfig(modem="qualcomm", modem_mac="02:00:02:00:00:77"))
    site.run(60.0)
    assert "does not answer" in site.facts.faults[NO_VEHICLE_LINK]
    assert SlacSite("ac", SlacConfig(modem="qualcomm", modem_mac="02:00:02:00:00:01")).facts.faults == {}
