"""The register of the simulated meter is the integral of what flows, and what a loss of power leaves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.ev import CATALOGUE, Ev, EvSpec, ev
from hal.sim.box import ResistorBox
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.faults import FAULTS
from hal.sim.signals import NOTHING, PilotOutput
from hal.sim.world import SavedWorldError, SimWorld
from hal.types import EvseInfo
from tests.unit.hal.life import Life, state

SOCKET = EvseInfo(2, phases=1, connector="sType2", has_lock=True)


# ---- the meter


CARS = st.sampled_from(sorted(CATALOGUE))
STEPS = st.lists(st.floats(0.001, 40.0), max_size=60)
ACTS = st.lists(
    st.tuples(st.floats(0.0, 120.0), st.sampled_from(["pwm 10", "pwm 26.7", "x1", "open", "close", "pause", "resume"])), max_size=8
)


def _act(evse: SimEvse, car: Ev, act: str) -> None:
    match act.split():
        case ["pwm", duty]:
            evse.set_pilot(PilotOutput.PWM, float(duty))
        case ["x1"]:
            evse.set_pilot(PilotOutput.X1)
        case ["open"]:
            evse.contactor.open()
        case ["close"]:
            evse.contactor.close(3)
        case ["pause"]:
            car.pause()
        case ["resume"]:
            car.resume()


def _live(car: str, acts: list[tuple[float, str]], steps: list[float]) -> tuple[SimEvse, Ev, float]:
    """120 s with these acts at their times, looked at after each of these steps too; and the integral of what was seen to flow."""
    load = ev(car)
    evse = SimEvse(SimEvseOptions())
    evse.plug(load)
    evse.contactor.permit(1e9)
    for act in ("pwm 26.7", "close"):
        _act(evse, load, act)
        evse.settle()
    integral_Ws = 0.0
    looks, at_s = [], 0.0
    for step in steps:
        at_s += step
        looks.append((at_s, ""))
    for at_s, act in sorted([*looks, *acts, (120.0, "")]):
        if at_s > 120.0:
            break
        while (due := evse.deadline()) is not None and due < at_s:
            integral_Ws += _flowed(evse, max(due, evse.now_s))
        integral_Ws += _flowed(evse, at_s)
        _act(evse, load, act)
        evse.settle()
    return evse, load, integral_Ws


def _flowed(evse: SimEvse, to_s: float) -> float:
    """Trapezoid of voltage times current over a stretch in which nothing happens."""
    before, volts, from_s = evse.current_A, evse.voltage_V, evse.now_s
    load = evse.load
    after = load.currents_A(to_s) if load and evse.contactor.poles else NOTHING
    evse.advance(to_s)
    return sum(u * (a + b) / 2.0 for u, a, b in zip(volts, before, after, strict=True)) * (to_s - from_s)


@settings(deadline=None)
@given(CARS, ACTS, STEPS)
def test_the_register_is_the_integral_of_the_currents_whatever_the_steps(
    car: str, acts: list[tuple[float, str]], steps: list[float]
) -> None:
    evse, load, integral_Ws = _live(car, acts, steps)
    straight, _, _ = _live(car, acts, [])
    assert evse.register.import_Ws == pytest.approx(integral_Ws, rel=1e-9, abs=1e-3)
    assert evse.register.import_Ws == pytest.approx(straight.register.import_Ws, rel=1e-9, abs=1e-3)
    assert load.state.taken_Wh * 3600.0 == pytest.approx(evse.register.import_Ws, rel=1e-9, abs=1e-3)


def test_the_register_is_what_a_hand_calculates() -> None:
    """16 A on three phases at 230 V for an hour: 11.04 kWh. And one that feeds back counts the other way."""
    for amps, imported_Wh, exported_Wh in ((16.0, 11040.0, 0.0), (-16.0, 0.0, 11040.0)):
        life = Life()
        life.evse.plug(ResistorBox("C", (amps, amps, amps)))
        life.evse.contactor.permit(1e9)
        life.evse.contactor.close(3)
        life.settle()
        life.run(0.025)
        life.run(3600.0)
        assert life.evse.register.import_Wh == pytest.approx(imported_Wh, abs=0.1)
        assert life.evse.register.export_Wh == pytest.approx(exported_Wh, abs=0.1)


# ---- a loss of power


@pytest.mark.req("F-1")
@pytest.mark.parametrize("at_s", [0.0, 1e6])
def test_a_power_cut_opens_unplugs_nobody_and_loses_no_energy(at_s: float) -> None:
    life = Life()
    life.charge()
    again = life.cut(at_s)
    assert again.evse.register.import_Ws == life.evse.register.import_Ws
    assert (again.evse.contactor.poles, again.evse.pilot.pilot) == (0, PilotOutput.X1)
    again.run(3.0)
    assert again.evse.state_letter == "B"
    again.evse.set_pilot(PilotOutput.PWM, 26.7)
    again.settle()
    again.run(3.0)
    assert again.evse.state_letter == "C"
    again.evse.contactor.permit(1e9)
    again.evse.contactor.close(3)
    again.settle()
    again.run(60.0)
    assert again.evse.current_A[0] == pytest.approx(16.0, abs=0.03)
    assert again.evse.register.import_Ws > life.evse.register.import_Ws


@pytest.mark.req("F-14")
@pytest.mark.parametrize("name", [*FAULTS, "GroundFailure"])
def test_damage_outlives_a_power_cut(name: str) -> None:
    life = Life(SOCKET)
    life.world.inject(2, name)
    life.settle()
    life.run(1.0)
    again = life.cut()
    assert again.world.view()[0]["faults"] == [name]
    assert state(again.evse) == state(life.evse)


def test_cuts_again_and_again_lose_nothing() -> None:
    life = Life()
    total_Ws = 0.0
    life.evse.plug(Ev(EvSpec(phases=1, max_A=32.0)))
    for _ in range(20):
        life.evse.set_pilot(PilotOutput.PWM, 53.3)
        life.settle()
        life.run(2.0)
        life.evse.contactor.permit(1e9)
        life.evse.contactor.close(3)
        life.settle()
        life.run(7.3)
        assert life.evse.register.import_Ws > total_Ws
        total_Ws = life.evse.register.import_Ws
        life = life.cut()
        assert life.evse.register.import_Ws == total_Ws


@pytest.mark.parametrize("saved", [{}, [], None, {"evses": {"1": {}}, "reported": {}}, {"evses": {"x": 1}, "reported": {}}, {"evses": 3}])
def test_what_is_no_saved_world_is_refused(saved: Any) -> None:
    with pytest.raises(SavedWorldError):
        SimWorld().restore(saved, Ev.restored, 0.0)


def test_an_evse_that_the_saved_world_does_not_know_begins_new() -> None:
    life = Life(EvseInfo(1))
    life.charge()
    world = SimWorld([SimEvseOptions(EvseInfo(1)), SimEvseOptions(EvseInfo(2))])
    world.restore(life.world.save(), Ev.restored, 0.0)
    assert [evse.register.import_Ws > 0.0 for evse in world.evses.values()] == [True, False]
