"""Bounds, cable coding, derating."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargepoint import energy
from chargepoint.energy import Offer, cable_A, derated_A, offer, plug_absent

BOUNDS = st.dictionaries(st.sampled_from(["cable", "csms", "local", "thermal", "x"]), st.floats(), max_size=5)


@pytest.mark.req("S-20")
@given(st.floats(6, 80), BOUNDS)
def test_the_offer_is_never_above_any_bound(hardware_A: float, others: dict[str, float]) -> None:
    bounds = {"hardware": hardware_A, **others}
    got = offer(bounds)
    assert got.paused or all(got.current_A <= bound_A for bound_A in bounds.values())
    assert got.paused or 6 <= got.current_A <= 80
    assert got.reason in bounds


def test_the_reason_is_the_bound_that_won() -> None:
    assert offer({"hardware": 32, "cable": 20, "csms": 24}) == Offer(20, "cable")
    assert offer({"hardware": 16, "csms": 16}) == Offer(16, "hardware")


@pytest.mark.parametrize("bound", [5.99, 0.0, -3.0, math.nan, -math.inf])
def test_less_than_the_least_is_a_pause(bound: float) -> None:
    got = offer({"hardware": 32, "csms": bound})
    assert got.paused
    assert got.reason == "csms"


def test_an_infinite_bound_is_no_number_and_pauses() -> None:
    assert offer({"hardware": 32, "csms": math.inf}).paused


def test_a_site_may_set_a_higher_least() -> None:
    assert offer({"hardware": 32, "csms": 9}, min_current_A=10).paused
    assert not offer({"hardware": 32, "csms": 9}, min_current_A=3).paused


def test_without_a_bound_of_the_hardware_there_is_no_offer() -> None:
    with pytest.raises(ValueError, match="hardware"):
        offer({"csms": 16})


@pytest.mark.parametrize(
    ("ohm", "three_A", "one_A"), [(1500, 13, 13), (1545, 13, 13), (680, 20, 20), (220, 32, 32), (213, 32, 32), (100, 63, 70), (97, 63, 70)]
)
def test_codings_with_their_tolerance(ohm: float, three_A: float, one_A: float) -> None:
    assert cable_A(ohm, 3) == three_A
    assert cable_A(ohm, 1) == one_A


@pytest.mark.parametrize("ohm", [0, 30, 79, 150, 350, 1000, 2500, 4000, -5, math.nan])
def test_codings_out_of_range(ohm: float) -> None:
    assert cable_A(ohm, 3) is None
    assert not plug_absent(ohm)


@pytest.mark.parametrize("ohm", [None, 5000.0, math.inf])
def test_no_plug(ohm: float | None) -> None:
    assert plug_absent(ohm)


@given(st.floats(-40, 150), st.floats(-40, 150))
def test_hotter_is_never_more(a_C: float, b_C: float) -> None:
    cool, hot = sorted((a_C, b_C))
    at = [x if (x := derated_A(t, 60, 80, 32)) is not None else 32.0 for t in (cool, hot)]
    assert at[1] <= at[0]


def test_a_sensor_without_a_number_is_hot() -> None:
    assert derated_A(math.nan, 60, 80, 32) == energy.PAUSE
