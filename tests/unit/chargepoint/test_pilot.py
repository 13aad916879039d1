"""Levels, the pilot table, duty and current."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargepoint import pilot
from chargepoint.pilot import TABLE, CpEvent, CpState, Level, duty_for, duty_means, level_of, low_is_right
from iso15118.machine import Refused, step

NOMINAL = [(12.0, Level.A), (9.0, Level.B), (6.0, Level.C), (3.0, Level.D), (0.0, Level.E), (-12.0, Level.N)]


@pytest.mark.parametrize(("volt", "level"), NOMINAL)
@pytest.mark.parametrize("off", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_a_level_is_its_nominal_voltage_within_1_V(volt: float, level: Level, off: float) -> None:
    for previous in (None, *Level):
        assert level_of(volt + off, previous) is level


@pytest.mark.parametrize(("volt", "upper", "lower"), [(10.5, Level.A, Level.B), (7.5, Level.B, Level.C), (4.5, Level.C, Level.D)])
def test_between_two_levels_the_previous_one_stays(volt: float, upper: Level, lower: Level) -> None:
    assert level_of(volt, upper) is upper
    assert level_of(volt, lower) is lower
    assert level_of(volt, None) is upper, "the one that allows less"


def test_between_d_and_e_nothing_is_allowed() -> None:
    assert level_of(1.5, Level.D) is Level.D
    assert level_of(1.5, Level.C) is Level.E


@pytest.mark.parametrize("volt", [20.0, -5.0, -20.0, math.nan, math.inf, -math.inf])
def test_what_is_no_level_is_an_error(volt: float) -> None:
    assert level_of(volt, Level.C) is Level.E


@given(st.floats(), st.sampled_from([None, *Level]))
def test_c_and_d_are_seen_only_near_their_voltage(volt: float, previous: Level | None) -> None:
    level = level_of(volt, previous)
    if level is Level.C:
        assert 4.0 < volt < 8.0
    if level is Level.D:
        assert 1.0 < volt < 5.0


@pytest.mark.parametrize(
    ("volt", "right"),
    [(-12.0, True), (-11.0, True), (-13.0, True), (-10.9, False), (-6.0, False), (6.0, False), (None, False), (math.nan, False)],
)
def test_the_diode_shows_in_the_negative_half(volt: float | None, right: bool) -> None:
    assert low_is_right(volt) is right


def test_every_state_and_event_is_decided() -> None:
    assert TABLE.undecided() == ()


def test_every_state_is_reachable_from_the_first() -> None:
    assert TABLE.reachable() == set(CpState)


@pytest.mark.parametrize("state", [s for s in CpState if s.value[0] in "BCD"])
@pytest.mark.parametrize("event", [CpEvent.A, CpEvent.E, CpEvent.N, CpEvent.F])
def test_losing_the_ev_or_the_pilot_asks_to_open(state: CpState, event: CpEvent) -> None:
    assert pilot.OPEN in step(TABLE, state, event).do


@pytest.mark.parametrize("state", [CpState.C1, CpState.C2, CpState.D1, CpState.D2])
def test_s2_opening_asks_to_open(state: CpState) -> None:
    assert pilot.OPEN in step(TABLE, state, CpEvent.B).do


@pytest.mark.parametrize("state", [CpState.A1, CpState.A2, CpState.E1, CpState.E2, CpState.F, CpState.U])
def test_pwm_without_an_ev_is_refused(state: CpState) -> None:
    with pytest.raises(Refused):
        step(TABLE, state, CpEvent.X2)


def test_states_with_pwm_come_from_pwm_only() -> None:
    for entry in TABLE.entries.values():
        if entry.to.value.endswith("2") and not entry.state.value.endswith("2"):
            assert entry.event is CpEvent.X2


def test_nothing_shows_through_f() -> None:
    for event in (CpEvent.A, CpEvent.B, CpEvent.C, CpEvent.D, CpEvent.E, CpEvent.N):
        assert step(TABLE, CpState.F, event).to is CpState.F


@pytest.mark.parametrize(("current_A", "duty"), [(6, 10.0), (16, 26.67), (32, 53.33), (51, 85.0), (63, 89.2), (80, 96.0)])
def test_duty_of_a_current(current_A: float, duty: float) -> None:
    assert duty_for(current_A) == pytest.approx(duty, abs=0.01)


@pytest.mark.parametrize("current_A", [0, 5.99, 80.01, -1, math.nan])
def test_what_no_duty_says_is_an_error(current_A: float) -> None:
    with pytest.raises(ValueError, match="6 to 80 A"):
        duty_for(current_A)


@given(st.floats(6, 80))
def test_an_ev_never_reads_more_than_is_offered(current_A: float) -> None:
    duty = duty_for(current_A)
    assert 10 <= duty <= 97
    assert duty_means(duty).current_A <= current_A * (1 + 1e-9)
    assert duty_means(duty).current_A >= current_A - 1.6, "51 to 52.5 A has no duty of its own"


@pytest.mark.parametrize(
    ("duty", "current_A"),
    [(2.9, 0), (7.5, 0), (8.0, 6), (9.9, 6), (10, 6), (50, 30), (85, 51), (90, 65), (96, 80), (96.5, 80), (97, 80), (97.1, 0)],
)
def test_what_an_ev_reads(duty: float, current_A: float) -> None:
    assert duty_means(duty).current_A == pytest.approx(current_A)
    assert not duty_means(duty).digital


@pytest.mark.parametrize("duty", [3.0, 5.0, 7.0])
def test_5_percent_is_digital(duty: float) -> None:
    assert duty_means(duty).digital
