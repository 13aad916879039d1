"""The simulated EV: what it shows and draws for what it is offered, by tables; the misbehaving ones misbehave as they say."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from bench.ev import CATALOGUE, Ev, EvSpec, ev
from bench.ev.talking import TalkingEv
from bench.v2g.model import COMPACT, Vehicle
from hal.iec61851 import EV_B_OHM, EV_C_OHM, EV_D_OHM, current_of
from hal.sim.signals import NOTHING, Offered, PhaseValues, PilotOutput
from iso15118.terms import Ending, SessionOver

THREE: PhaseValues = (230.0, 230.0, 230.0)
ONE: PhaseValues = (230.0, 0.0, 0.0)
X1 = Offered(PilotOutput.X1, 0.0, NOTHING)
F = Offered(PilotOutput.F, 0.0, NOTHING)
OHM = {"B": EV_B_OHM, "C": EV_C_OHM, "D": EV_D_OHM}


def pwm(duty_percent: float, voltage_V: PhaseValues = NOTHING) -> Offered:
    return Offered(PilotOutput.PWM, duty_percent, voltage_V)


class Time:
    """Brings a car from one of its moments to the next."""

    def __init__(self, car: Ev, offered: Offered = X1, now_s: float = 0.0) -> None:
        self.car, self.now_s, self.offered = car, now_s, offered
        car.advance(now_s, offered)

    def offer(self, offered: Offered) -> None:
        self.offered = offered
        self.car.advance(self.now_s, offered)

    def run(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while (due := self.car.deadline()) is not None and due < until_s:
            self.now_s = max(due, self.now_s)
            self.car.advance(self.now_s, self.offered)
        self.now_s = until_s
        self.car.advance(self.now_s, self.offered)

    @property
    def state(self) -> str:
        return next(letter for letter, ohm in OHM.items() if ohm == self.car.pilot_load.resistance_ohm)

    @property
    def amps(self) -> PhaseValues:
        return self.car.currents_A(self.now_s)


def charging(name: str = "three-phase", duty_percent: float = 26.7, **changes: Any) -> Time:
    """A car that has drawn for 10 s."""
    time = Time(ev(name, **changes))
    time.offer(pwm(duty_percent))
    time.run(5.0)
    time.offer(pwm(duty_percent, THREE))
    time.run(10.0)
    return time


# name, duty, phases with voltage -> state after 5 s, current after 10 s more
DRAWS: list[tuple[str, float, PhaseValues, str, PhaseValues]] = [
    ("three-phase", 26.7, THREE, "C", (16.0, 16.0, 16.0)),
    ("three-phase", 26.7, ONE, "C", (16.0, 0.0, 0.0)),
    ("three-phase", 16.0, THREE, "C", (9.6, 9.6, 9.6)),
    ("three-phase", 53.3, THREE, "C", (16.0, 16.0, 16.0)),
    ("22kW", 53.3, THREE, "C", (31.98, 31.98, 31.98)),
    ("one-phase", 53.3, THREE, "C", (31.98, 0.0, 0.0)),
    ("two-phase", 26.7, THREE, "C", (16.0, 16.0, 0.0)),
    ("ventilated", 26.7, THREE, "D", (16.0, 16.0, 16.0)),
    ("simplified", 26.7, THREE, "C", (10.0, 0.0, 0.0)),
    ("three-phase", 5.0, THREE, "B", (0.0, 0.0, 0.0)),
    ("three-phase", 98.0, THREE, "B", (0.0, 0.0, 0.0)),
    ("never-charges", 26.7, THREE, "B", (0.0, 0.0, 0.0)),
    ("overdraws-15", 26.7, THREE, "C", (18.4, 18.4, 18.4)),
    ("overdraws-40", 16.7, THREE, "C", (14.028, 14.028, 14.028)),
    ("draws-in-b", 5.0, THREE, "B", (16.0, 16.0, 16.0)),
]


@pytest.mark.parametrize(("name", "duty_percent", "voltage_V", "state", "amps"), DRAWS)
def test_what_it_draws(name: str, duty_percent: float, voltage_V: PhaseValues, state: str, amps: PhaseValues) -> None:
    time = Time(ev(name))
    time.offer(pwm(duty_percent))
    time.run(5.0)
    assert time.state == state
    assert time.amps == NOTHING
    time.offer(pwm(duty_percent, voltage_V))
    time.run(10.0)
    assert time.amps == pytest.approx(amps, abs=0.03)


WELL_BEHAVED = ("three-phase", "one-phase", "two-phase", "22kW", "ventilated", "sleepy", "old")


@pytest.mark.parametrize("name", WELL_BEHAVED)
@pytest.mark.parametrize(("before", "after"), [(26.7, 10.0), (10.0, 26.7), (53.3, 10.0), (10.0, 53.3), (16.0, 20.0)])
def test_it_follows_a_new_duty_within_5_s(name: str, before: float, after: float) -> None:
    """IEC 61851-1: 5 s from the change of the duty."""
    time = charging(name, before)
    time.offer(pwm(after, THREE))
    time.run(5.0)
    assert time.amps[0] == pytest.approx(min(current_of(after), CATALOGUE[name].max_A), abs=0.05)


def test_the_late_one_does_not() -> None:
    time = charging("follows-late", 26.7)
    time.run(30.0)
    time.offer(pwm(10.0, THREE))
    time.run(15.0)
    assert time.amps[0] == pytest.approx(16.0)
    time.run(10.0)
    assert time.amps[0] == pytest.approx(6.0)


# name -> seconds from the loss of PWM after which S2 is open, and before which it is not
STOPS = [("three-phase", 0.9, 1.1), ("22kW", 0.9, 1.1), ("stops-late", 4.9, 5.1)]


@pytest.mark.parametrize(("name", "not_before_s", "by_s"), STOPS)
def test_s2_opens_after_the_pwm_went_away_and_the_current_before(name: str, not_before_s: float, by_s: float) -> None:
    time = charging(name)
    time.offer(Offered(PilotOutput.X1, 0.0, THREE))
    time.run(not_before_s)
    assert time.state == "C"
    assert time.amps == NOTHING
    time.run(by_s - not_before_s)
    assert time.state == "B"


def test_one_that_ignores_the_loss_of_pwm_goes_on() -> None:
    time = charging("ignores-pwm-loss")
    time.offer(Offered(PilotOutput.X1, 0.0, THREE))
    time.run(10.0)
    assert time.state == "C"
    assert time.amps == pytest.approx((16.0, 16.0, 16.0), abs=0.03)


def test_s2_closes_after_its_delay_only_while_the_pwm_stands() -> None:
    time = Time(ev("slow"))
    time.offer(pwm(26.7))
    time.run(19.9)
    assert time.state == "B"
    time.offer(X1)
    time.run(1.0)
    time.offer(pwm(26.7))
    time.run(19.9)
    assert time.state == "B"
    time.run(0.2)
    assert time.state == "C"


def test_pause_and_resume() -> None:
    time = charging()
    time.car.pause()
    time.offer(pwm(26.7, THREE))
    time.run(0.5)
    assert (time.state, time.amps) == ("C", NOTHING)
    time.run(1.0)
    assert time.state == "B"
    time.run(60.0)
    assert time.state == "B"
    time.car.resume()
    time.offer(pwm(26.7, THREE))
    time.run(1.6)
    assert time.state == "C"


# name, seconds asleep by X1, then what is done -> whether it charges afterwards
WAKES: list[tuple[str, float, list[tuple[Offered, float]], str]] = [
    ("sleepy", 30.0, [(pwm(26.7), 5.0)], "C"),
    ("sleepy", 120.0, [(pwm(26.7), 5.0)], "C"),
    ("old", 30.0, [(pwm(26.7), 5.0)], "C"),
    ("old", 120.0, [(pwm(26.7), 60.0)], "B"),
    ("old", 120.0, [(pwm(26.7), 5.0), (F, 2.0), (X1, 1.0), (pwm(26.7), 5.0)], "B"),
    ("old", 120.0, [(pwm(26.7), 5.0), (F, 4.0), (X1, 1.0), (pwm(26.7), 5.0)], "C"),
]


@pytest.mark.parametrize(("name", "asleep_s", "then", "state"), WAKES)
def test_falling_asleep_and_waking_up(name: str, asleep_s: float, then: list[tuple[Offered, float]], state: str) -> None:
    time = Time(ev(name))
    time.run(asleep_s)
    for offered, seconds in then:
        time.offer(offered)
        time.run(seconds)
    assert time.state == state


def test_the_driver_wakes_it_too() -> None:
    time = Time(ev("old"))
    time.run(120.0)
    time.car.resume()
    time.offer(pwm(26.7))
    time.run(5.0)
    assert time.state == "C"


def test_a_full_battery_ends_the_charge_at_its_energy() -> None:
    time = charging("small-battery")
    time.run(1800.0)
    assert time.state == "B"
    assert time.amps == NOTHING
    assert time.car.state.taken_Wh == pytest.approx(500.0, abs=1.0)


def test_the_current_tapers_at_its_energy() -> None:
    time = charging(wants_Wh=2000.0, taper=((400.0, 8.0),))
    while time.car.state.taken_Wh < 399.0:
        assert time.amps[0] == pytest.approx(16.0, abs=0.03)
        time.run(1.0)
    time.run(10.0)
    assert time.amps[0] == pytest.approx(8.0)


def test_it_has_enough_after_its_time() -> None:
    time = charging(draws_for_s=60.0)
    time.run(48.0)
    assert time.amps[0] == pytest.approx(16.0, abs=0.03)
    time.run(5.0)
    assert (time.state, time.amps) == ("B", NOTHING)


def test_bcb_toggles_end_where_they_began() -> None:
    time = Time(Ev(EvSpec(never_closes_s2=True)))
    time.offer(pwm(5.0))
    time.car.toggle_bcb(3)
    seen = []
    for _ in range(24):
        time.run(0.1)
        seen.append(time.state)
    runs = [seen[0], *(after for before, after in pairwise(seen) if before != after)]
    assert runs == ["C", "B"] * 3


def test_one_that_talks_shows_b_first_when_its_driver_is_quick() -> None:
    """A charger that has not seen the pause would take B-C-B for nothing."""
    car = TalkingEv(Vehicle(COMPACT), 0.0)
    seen = []
    for now_s in (0.0, 10.0, 10.02, 10.29, 10.31, 10.59, 10.62):
        car.advance(now_s, X1)
        if now_s == 0.0:
            car.s2 = True
        if now_s == 10.0:
            car._carry_out(SessionOver(Ending.PAUSED, "pause"))
        if now_s == 10.02:
            car.toggle_bcb()
        seen.append(car.s2)
    assert seen == [True, False, False, False, True, True, False]


@pytest.mark.parametrize("name", ["flaps", "three-phase", "simplified"])
def test_bcb_during_anything_comes_to_an_end(name: str) -> None:
    time = charging(name)
    time.car.toggle_bcb(8)
    time.offer(pwm(26.7, THREE))
    time.run(30.0)
    assert time.car.state.toggle_at is None


def test_one_that_flaps_changes_its_state_each_2_s() -> None:
    time = Time(ev("flaps"))
    time.offer(pwm(26.7))
    seen = []
    for _ in range(10):
        time.run(1.0)
        seen.append(time.state)
    assert sum(before != after for before, after in pairwise(seen)) >= 4


def test_diodes() -> None:
    assert ev().pilot_load.diode
    assert not ev("no-diode").pilot_load.diode
    car = ev()
    car.fail_diode()
    assert not car.pilot_load.diode


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@pytest.mark.parametrize("at_s", [0.0, 2.0, 7.0])
def test_every_car_goes_on_after_a_restart(name: str, at_s: float) -> None:
    """Saved, through JSON, and restored on another clock, it does the same as one that was not; it draws from 0 A again."""
    time = Time(ev(name))
    time.offer(pwm(26.7))
    time.run(at_s)
    again = Time(Ev.restored(json.loads(json.dumps(time.car.save(time.now_s))), 1000.0), pwm(26.7), 1000.0)
    assert again.car.spec == time.car.spec
    for _ in range(8):
        assert again.state == time.state
        time.run(1.0)
        again.run(1.0)


def test_names_that_are_near() -> None:
    with pytest.raises(KeyError, match="did you mean 'three-phase'"):
        ev("tree-phase")
