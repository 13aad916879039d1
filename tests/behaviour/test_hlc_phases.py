"""A vehicle of one phase at a station of three (ISO 15118-20 and -2, AC): it has all that there is on its phase, and never more than its limit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bench.ev.talking import TalkingEv
from bench.v2g.model import CITY, Spec
from chargepoint import codec, metering, v2g_facts
from chargepoint.events import ChargingState, PhasesWanted, VehicleServed
from chargepoint.tick import Tick
from chargepoint.v2g_replan import BETWEEN_S, STANDS_S
from hal.types import PhaseWiring
from iso15118.evcc.terms import EvseLimits, SchedulesOffered
from iso15118.iso20 import services
from iso15118.protocols import PROTOCOLS
from iso15118.terms import AcLimits, Control, Energy, EnergyChosen, Told
from tests.behaviour.hlc_rig import HlcSite

BIG = Spec("big", 100_000.0, ac_power_W=22_080.0)
STRONG = replace(CITY, name="strong", ac_power_W=11_040.0)
ONE_W = 32.0 * 230.0
BACK_W = 10_000.0 / 3
FOLLOWS_S = 2.0
"""From a limit to the current of a vehicle that is told it in the loop."""
WAYS = [
    *(("iso20-ac", energy, control) for energy in (Energy.AC, Energy.AC_BPT) for control in Control),
    ("iso2-ac", Energy.AC, Control.SCHEDULED),
]
in_every_way = pytest.mark.parametrize(
    ("speech", "energy", "control"), WAYS, ids=[f"{speech}-{energy.value}-{control.value}" for speech, energy, control in WAYS]
)


class Watched(HlcSite):
    """Looks at the current of each phase all the time, against what the station offers, and before that what it has offered until a moment ago."""

    def __init__(self, **more: Any) -> None:
        self.most_A = 0.0
        """Of what was drawn."""
        self._limits = [(0.0, 0.0)]
        super().__init__("ac", protocols=tuple(PROTOCOLS), tls="optional", **more)
        self.heap.looks.append(self.look)

    def look(self, *_: Any) -> None:
        """At this moment."""
        if self.heap.station is None:
            return
        now_s, limit_A = self.heap.now, self.facts.limit_A
        if limit_A != self._limits[-1][1]:
            self._limits.append((now_s, limit_A))
        while len(self._limits) > 1 and self._limits[1][0] <= now_s - FOLLOWS_S:
            self._limits.pop(0)
        drawn_A = max(map(abs, self.sim.current_A))
        self.most_A = max(self.most_A, drawn_A)
        assert drawn_A <= max(amps for _, amps in self._limits) * 1.01 + 0.05, (now_s, self.sim.current_A, self._limits)

    def charging(self, speech: str, energy: Energy, control: Control, spec: Spec = CITY, **wants: Any) -> HlcSite:
        """A vehicle that speaks this, until it draws."""
        vehicle = self.vehicle(energy, control, spec=spec)
        vehicle.wants.protocols = (speech,)
        for name, value in wants.items():
            setattr(vehicle.wants, name, value)
        self.charge(vehicle)
        self.run(5.0)
        return self

    def heard(self, kind: type[Told]) -> list[Any]:
        """What the vehicle was told of."""
        assert self.ev is not None
        return [each for _, each in self.ev.vehicle.log if isinstance(each, kind)]


def giving(spec: Spec, **more: Any) -> Watched:
    """One that feeds back."""
    site = watched(Energy.AC_BPT, **more)
    vehicle = site.vehicle(Energy.AC_BPT, Control.SCHEDULED, spec=spec, give=True)
    vehicle.wants.protocols = ("iso20-ac",)
    site.charge(vehicle)
    return site


def goes_down(site: Watched, *, settles: bool = True) -> None:
    """To one phase: the vehicle pauses, and comes back."""
    ev = site.ev
    assert ev is not None
    site.heap.tell(PhasesWanted(1, 1))
    site.until(lambda: ev.over is not None)
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING, most_s=60.0)
    assert site.facts.phases == 1
    if settles:
        site.run(10.0)


def watched(energy: Energy, **more: Any) -> Watched:
    return Watched(both_ways=energy.is_bpt, **more)


@in_every_way
def test_it_has_the_whole_of_its_phase_and_no_more(speech: str, energy: Energy, control: Control) -> None:
    site = watched(energy)
    site.charging(speech, energy, control)
    site.run(60.0)
    assert site.sim.current_A == pytest.approx((32.0, 0.0, 0.0), abs=0.2)
    assert (site.facts.faults, site.ev.over if site.ev else None) == ({}, None)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.chosen is not None
    assert site.facts.vehicle.chosen.phases == 1
    assert site.heard(EvseLimits)[0].max_power_W == pytest.approx(ONE_W, rel=5e-3)
    for each in site.heard(SchedulesOffered):
        assert each.schedules[0].charging[0].power_W == pytest.approx(ONE_W, rel=1e-3)
    assert [each["numberOfPhasesUsed"] for each in site.told() if "numberOfPhasesUsed" in each][-1] == 1
    reading = metering.read(Tick(site.heap.now, 0.0), 0.0, site.facts)
    assert reading is not None
    assert [reading.offered_A, reading.offered_W] == pytest.approx([32.0, ONE_W]), "Current.Offered, Power.Offered"


@in_every_way
def test_a_limit_is_that_of_its_phase(speech: str, energy: Energy, control: Control) -> None:
    """No OverCurrent, and no asking without end: scheduled control takes another schedule, once for the drop and once for the rise."""
    site = watched(energy)
    site.charging(speech, energy, control)
    site.run(STANDS_S)
    site.limit(amps=16.0)
    site.run(FOLLOWS_S)
    assert site.sim.current_A == pytest.approx((16.0, 0.0, 0.0), abs=0.2)
    site.run(BETWEEN_S + STANDS_S)
    assert site.sim.current_A == pytest.approx((16.0, 0.0, 0.0), abs=0.2)
    offered = [each.schedules[0].charging[0].power_W for each in site.heard(SchedulesOffered)]
    if control is Control.SCHEDULED:
        assert offered[1:] == [pytest.approx(3_680.0, rel=1e-2)]
    site.limit()
    site.run(STANDS_S + 10.0)
    assert site.sim.current_A == pytest.approx((32.0, 0.0, 0.0), abs=0.2)
    site.run(BETWEEN_S + STANDS_S)
    assert len(site.heard(SchedulesOffered)) == (3 if control is Control.SCHEDULED else 0)
    assert site.facts.faults == {}


@in_every_way
def test_a_vehicle_of_three_phases_has_all_three(speech: str, energy: Energy, control: Control) -> None:
    site = watched(energy)
    site.charging(speech, energy, control, BIG)
    site.run(10.0)
    assert site.sim.current_A == pytest.approx((32.0, 32.0, 32.0), abs=0.2)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.chosen is not None
    assert site.facts.vehicle.chosen.phases == 3
    site.limit(amps=10.0)
    site.run(FOLLOWS_S)
    assert site.sim.current_A == pytest.approx((10.0, 10.0, 10.0), abs=0.2)


@pytest.mark.parametrize("control", Control)
def test_at_a_station_that_offers_three_phases_only_it_keeps_to_its_phase(monkeypatch: pytest.MonkeyPatch, control: Control) -> None:
    every = services.ways
    monkeypatch.setattr(services, "ways", lambda offered: tuple(each for each in every(offered) if each.phases != 1))
    site = watched(Energy.AC)
    site.charging("iso20-ac", Energy.AC, control)
    assert site.heard(EnergyChosen)[0].phases == 3
    assert site.sim.current_A == pytest.approx((32.0, 0.0, 0.0), abs=0.2)
    site.limit(amps=10.0)
    site.run(30.0)
    assert site.sim.current_A == pytest.approx((10.0, 0.0, 0.0), abs=0.2)
    assert site.facts.faults == {}


class OnOne(TalkingEv):
    """It takes all that it is told, as of three phases, on one."""

    def currents_A(self, at_s: float) -> tuple[float, float, float]:
        return sum(super().currents_A(at_s)), 0.0, 0.0


@pytest.mark.req("S-20")
@pytest.mark.parametrize("control", Control)
def test_a_vehicle_that_draws_what_three_may_on_one_is_stopped(control: Control) -> None:
    """What it is told is right for three; the station sees what comes of it on the one."""
    site = watched(Energy.AC)
    site.heap.looks.remove(site.look)
    vehicle = site.vehicle(Energy.AC, control, spec=replace(BIG, name="on one", ac_power_W=7_360.0))
    vehicle.wants.protocols = ("iso20-ac",)
    site.charge(vehicle, kind=OnOne)
    site.run(30.0)
    assert site.heard(EnergyChosen)[0].phases == 3
    assert site.sim.current_A == pytest.approx((32.0, 0.0, 0.0), abs=0.2)
    assert site.facts.faults == {}, "that much may flow on each phase"
    site.limit(amps=10.0)
    site.until(lambda: "OverCurrent" in site.facts.faults, most_s=20.0)
    site.until(lambda: not site.facts.power_closed, most_s=5.0)
    assert site.sim.current_A == (0.0, 0.0, 0.0)


def test_what_it_gives_back_is_that_of_its_phase() -> None:
    site = giving(CITY)
    assert site.heard(EvseLimits)[0].max_discharge_W == pytest.approx(BACK_W, rel=1e-3)
    assert site.sim.current_A == pytest.approx((-BACK_W / 230.0, 0.0, 0.0), abs=0.2)
    site.run(20.0)
    assert site.facts.faults == {}


@pytest.mark.parametrize("spec", [CITY, BIG], ids=lambda each: each.name)
def test_a_station_that_goes_down_to_one_phase_takes_back_what_one_may(spec: Spec) -> None:
    site = giving(spec, wiring=PhaseWiring.SERIAL)
    goes_down(site)
    assert site.heard(EvseLimits)[-1].max_discharge_W == pytest.approx(BACK_W, rel=1e-3)
    assert site.sim.current_A == pytest.approx((-BACK_W / 230.0, 0.0, 0.0), abs=0.2)
    assert site.facts.faults == {}


@pytest.mark.req("S-20")
def test_a_station_that_has_gone_down_to_one_phase_stops_who_gives_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may give on that phase what it might before, and not what three might."""
    monkeypatch.setattr(v2g_facts, "_ac", lambda *_: AcLimits(22_080.0, max_discharge_W=10_000.0, phases=1))
    site = giving(BIG, wiring=PhaseWiring.SERIAL)
    site.heap.looks.remove(site.look)
    goes_down(site, settles=False)
    site.until(lambda: "OverCurrent" in site.facts.faults, most_s=20.0)


@pytest.mark.req("K18.FR.06", "K19.FR.06")
@pytest.mark.parametrize(("spec", "mode", "most_W"), [(STRONG, "AC_single_phase", ONE_W), (BIG, "AC_three_phase", 22_080.0)])
def test_the_csms_hears_how_many_phases_and_what_there_is_on_them(spec: Spec, mode: str, most_W: float) -> None:
    site = watched(Energy.AC)
    vehicle = site.vehicle(Energy.AC, Control.DYNAMIC, spec=spec)
    vehicle.wants.protocols = ("iso20-ac",)
    site.charge(vehicle)
    site.until(lambda: bool(site.told("NotifyEVChargingNeeds")))
    needs = site.told("NotifyEVChargingNeeds")[-1]["chargingNeeds"]
    assert needs["requestedEnergyTransfer"] == mode
    assert needs["v2xChargingParameters"]["maxChargePower"] == pytest.approx(most_W)


@in_every_way
def test_it_comes_back_from_a_pause_as_it_went(speech: str, energy: Energy, control: Control) -> None:
    site = watched(energy)
    site.charging(speech, energy, control)
    assert site.ev is not None
    site.pause_and_back(site.ev)
    site.run(10.0)
    assert site.sim.current_A == pytest.approx((32.0, 0.0, 0.0), abs=0.2)
    assert {each.phases for each in site.heard(EnergyChosen)} == {1}


@in_every_way
def test_out_of_a_snapshot_it_charges_on_as_it_did(speech: str, energy: Energy, control: Control) -> None:
    site = watched(energy)
    site.charging(speech, energy, control)
    assert site.ev is not None
    assert site.heap.station is not None
    machine: Any = site.heap.station.wiring.machines["v2g:1"]
    before = machine.state
    machine.state = codec.load(type(before), json.loads(json.dumps(site.heap.station.snapshot()["v2g:1"])), "v2g:1")
    assert machine.state == before
    site.run(5.0)
    assert site.sim.current_A == pytest.approx((32.0, 0.0, 0.0), abs=0.2)
    site.limit(amps=16.0)
    site.run(FOLLOWS_S)
    assert site.sim.current_A == pytest.approx((16.0, 0.0, 0.0), abs=0.2)
    assert site.ev.sessions == 1


# ---- a station that goes down to one phase


@pytest.mark.parametrize("spec", [CITY, BIG], ids=lambda each: each.name)
@pytest.mark.parametrize(("speech", "energy", "control"), [each for each in WAYS if each[1] is Energy.AC])
def test_a_station_that_goes_down_to_one_phase_has_that_to_offer(speech: str, energy: Energy, control: Control, spec: Spec) -> None:
    """The vehicle is asked to pause; it comes back to what there is then."""
    site = watched(energy, wiring=PhaseWiring.SERIAL)
    site.charging(speech, energy, control, spec)
    goes_down(site)
    assert site.sim.current_A == pytest.approx((32.0, 0.0, 0.0), abs=0.2)
    assert site.heard(EnergyChosen)[-1].phases == 1
    assert site.heard(EvseLimits)[-1].max_power_W == pytest.approx(ONE_W, rel=5e-3)
    assert site.facts.faults == {}


def test_a_vehicle_that_talks_no_more_is_offered_all_phases_again() -> None:
    """Nobody knows how many it uses by the pilot alone."""
    site = watched(Energy.AC)
    site.charging("iso2-ac", Energy.AC, Control.SCHEDULED)
    site.heap.tell(VehicleServed(1, ready=False, why="it talks no more"))
    site.run(60.0)
    assert not site.facts.digital
    reading = metering.read(Tick(site.heap.now, 0.0), 0.0, site.facts)
    assert reading is not None
    assert [reading.offered_A, reading.offered_W] == pytest.approx([32.0, 3 * ONE_W])
