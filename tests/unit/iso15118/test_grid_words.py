"""What by IEC and by SAE there are words for, of grid rules, and what is named for want of them."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import pytest

from iso15118.grid import Curve, Droop, EnterService, GridCode, PowerFactor, RideThrough, Setpoint, Trip, TripKind, Unit, ZeroCurrent
from iso15118.iso20 import der_iec, der_sae
from iso15118.iso20.grid_words import Base, by_iec, by_sae
from iso15118.iso20.values import number

BASE = Base(10_000.0, 5_000.0, 230.0)
VOLT_VAR = Curve(((207.0, 4000.0), (253.0, -4000.0)), Unit.V, Unit.VAR)


def volt_watt(*points: tuple[float, float], **fields: Any) -> Curve:
    return Curve(points, **({"x": Unit.V, "y": Unit.MOST_W} | fields))


# ---- Volt-Watt by IEC: from UStart to UStop


@pytest.mark.parametrize(
    ("curve", "start", "stop"),
    [
        pytest.param(volt_watt((253.0, 100.0), (264.5, 0.0)), 253.0, 264.5, id="a line"),
        pytest.param(volt_watt((230.0, 100.0), (253.0, 100.0), (264.5, 0.0)), 253.0, 264.5, id="a plateau before it"),
        pytest.param(volt_watt((253.0, 100.0), (264.5, 0.0), (280.0, 0.0)), 253.0, 264.5, id="a tail of nothing"),
        pytest.param(volt_watt((253.0, 100.0), (263.0, 20.0)), 253.0, 265.5, id="not to its end"),
        pytest.param(volt_watt((253.0, 100.0), (258.0, 50.0), (263.0, 0.0)), 253.0, 263.0, id="a point on the way"),
        pytest.param(volt_watt((253.0, 100.0), (253.0, 0.0)), 253.0, 253.0, id="a step"),
        pytest.param(volt_watt((110.0, 100.0), (115.0, 0.0), x=Unit.EFFECTIVE_V), 253.0, 264.5, id="% of the nominal voltage"),
        pytest.param(
            volt_watt((110.0, 100.0), (115.0, 0.0), x=Unit.EFFECTIVE_V, reference_V=200.0), 220.0, 230.0, id="% of a voltage of its own"
        ),
        pytest.param(volt_watt((253.0, 10_000.0), (264.5, 0.0), y=Unit.W), 253.0, 264.5, id="W of what the vehicle can"),
    ],
)
def test_volt_watt_falls_where_it_was_set_to(curve: Curve, start: float, stop: float) -> None:
    worded = by_iec(GridCode(volt_watt=curve), BASE)
    assert worded.unsaid == frozenset()
    active = der_iec.control(worded.code).ActivePowerSupport
    assert active is not None
    assert active.VoltWatt is not None
    assert (number(active.VoltWatt.UStart), number(active.VoltWatt.UStop)) == pytest.approx((start, stop))


@pytest.mark.parametrize(
    "curve",
    [
        pytest.param(volt_watt((253.0, 100.0), (258.0, 60.0), (270.0, 0.0)), id="two slopes"),
        pytest.param(volt_watt((250.0, 100.0), (253.0, 80.0), (258.0, 60.0), (260.0, 0.0)), id="three slopes"),
        pytest.param(volt_watt((253.0, 100.0), (263.0, 20.0), (270.0, 20.0)), id="a tail of something"),
        pytest.param(volt_watt((253.0, 80.0), (264.5, 0.0)), id="never all"),
        pytest.param(volt_watt((253.0, 100.0), (264.5, 100.0)), id="no fall"),
        pytest.param(volt_watt((253.0, 100.0), (260.0, 120.0), (264.5, 0.0)), id="a rise"),
        pytest.param(volt_watt((253.0, 100.0), (260.0, 50.0), (264.5, 100.0)), id="up again"),
        pytest.param(volt_watt((253.0, 100.0), (260.0, 0.0), (264.5, 30.0)), id="up again from nothing"),
        pytest.param(volt_watt(), id="empty"),
        pytest.param(volt_watt((253.0, 100.0)), id="one point"),
        pytest.param(volt_watt((264.5, 0.0), (253.0, 100.0)), id="from right to left"),
        pytest.param(volt_watt((253.0, 100.0), (264.5, nan)), id="no number"),
        pytest.param(volt_watt((253.0, 100.0), (264.5, 0.0), y=Unit.VAR), id="no power"),
        pytest.param(volt_watt((50.0, 100.0), (51.0, 0.0), x=Unit.HZ), id="no voltage"),
        pytest.param(volt_watt((253.0, 5_000.0), (264.5, 0.0), y=Unit.W), id="W of less than the vehicle can"),
    ],
)
def test_volt_watt_that_is_no_straight_fall_is_not_said_by_iec(curve: Curve) -> None:
    worded = by_iec(GridCode(volt_watt=curve), BASE)
    assert worded.unsaid == {"volt_watt"}
    assert der_iec.control(worded.code).ActivePowerSupport is None


# ---- a share of nothing


@pytest.mark.parametrize(
    "asked",
    [
        {"volt_var": replace(VOLT_VAR, y=Unit.MOST_VAR)},
        {"volt_var": replace(VOLT_VAR, y=Unit.AVAILABLE_VAR)},
        {"fixed_var": Setpoint(50.0, Unit.MOST_VAR)},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_by_iec_a_share_of_what_is_not_declared_is_not_said_as_nothing(asked: dict[str, Any]) -> None:
    worded = by_iec(GridCode(**asked), Base(10_000.0, None))
    assert worded.unsaid == set(asked)
    assert worded.code == GridCode()
    assert by_iec(GridCode(**asked), BASE).unsaid == frozenset()


@pytest.mark.parametrize("unit", [Unit.MOST_VA, Unit.NONE])
def test_by_iec_no_apparent_power_is_declared_and_nothing_is_without_a_unit(unit: Unit) -> None:
    asked = GridCode(volt_var=replace(VOLT_VAR, y=unit), fixed_var=Setpoint(50.0, unit))
    assert by_iec(asked, BASE).unsaid == {"volt_var", "fixed_var"}


def test_by_iec_a_curve_along_a_share_of_nothing_is_none() -> None:
    asked = GridCode(watt_var=Curve(((0.0, 0.0), (100.0, -4000.0)), Unit.MOST_W, Unit.VAR))
    assert by_iec(asked, Base(0.0, 5_000.0)).unsaid == {"watt_var"}
    assert by_iec(asked, BASE).unsaid == frozenset()


def test_by_iec_watts_are_no_reactive_power() -> None:
    assert by_iec(GridCode(fixed_var=Setpoint(50.0, Unit.W)), BASE).unsaid == {"fixed_var"}


def test_by_iec_what_locks_a_curve_in_is_absolute_as_its_points_are() -> None:
    curve = Curve(((0.0, 1.0), (100.0, -0.9)), Unit.MOST_W, Unit.NONE, lock_in=105.0, lock_out=100.0, lock_unit=Unit.EFFECTIVE_V)
    said = by_iec(GridCode(watt_cos_phi=curve), BASE).code.watt_cos_phi
    assert said is not None
    assert (said.lock_in, said.lock_out) == pytest.approx((241.5, 230.0))
    assert said.lock_unit is Unit.V
    worded = by_iec(GridCode(watt_cos_phi=replace(curve, lock_unit=Unit.MOST_VA)), BASE)
    assert worded.unsaid == {"watt_cos_phi.lock_in", "watt_cos_phi.lock_out", "watt_cos_phi.lock_unit"}


# ---- what is named


def test_what_iec_has_no_words_for() -> None:
    code = GridCode(
        nominal_V=240.0,
        most_V=264.0,
        least_V=200.0,
        most_Hz=51.0,
        least_Hz=49.0,
        most_var=4000.0,
        enter=EnterService(permitted=False),
        fixed_W=Setpoint(5000.0, Unit.W),
        discharge_response_s=1.0,
        trips=(Trip(TripKind.HV_MUST, Curve(((0.1, 288.0), (13.0, 264.0)), Unit.S, Unit.V)),),
        volt_var=replace(VOLT_VAR, reference_V=230.0, reference_follows_s=300.0),
        over_frequency=Droop(0.2, 0.05, priority=1, delay_s=70_000.0),
        under_frequency=Droop(0.2, 0.05, stop_Hz=49.8),
        power_factor=PowerFactor(0.9, priority=2),
    )
    assert by_iec(code, BASE).unsaid == {
        "nominal_V", "most_V", "least_V", "most_Hz", "least_Hz", "most_var", "enter", "fixed_W", "discharge_response_s", "trips",
        "volt_var.reference_V", "volt_var.reference_follows_s", "over_frequency.priority", "over_frequency.delay_s", "under_frequency.stop_Hz",
        "power_factor.priority",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("priorities", "there"),
    [((None, None, None), "volt_var"), ((3, 1, 2), "watt_var"), ((None, 9, None), "watt_var"), ((2, None, 1), "watt_cos_phi")],
)
def test_by_iec_one_function_of_reactive_power_is_said_which_is_the_first(priorities: tuple[int | None, ...], there: str) -> None:
    curves: dict[str, Any] = {
        "volt_var": replace(VOLT_VAR, priority=priorities[0]),
        "watt_var": Curve(((0.0, 0.0), (9000.0, 400.0)), Unit.W, Unit.VAR, priorities[1]),
        "watt_cos_phi": Curve(((0.0, 1.0), (9000.0, 0.9)), Unit.W, Unit.NONE, priorities[2]),
    }
    worded = by_iec(GridCode(**curves), BASE)
    assert {name for name in curves if getattr(worded.code, name) is not None} == {there}
    assert {each for each in worded.unsaid if "." not in each} == set(curves) - {there}


def test_what_sae_has_no_words_for() -> None:
    code = GridCode(
        watt_cos_phi=Curve(((0.0, 1.0), (9000.0, 0.9)), Unit.W, Unit.NONE),
        over_voltage=RideThrough(264.0),
        under_voltage=RideThrough(195.0),
        zero_current=ZeroCurrent(287.0),
        dc_injection=0.5,
        over_frequency=Droop(0.2, 0.05, 51.5, hysteresis=True, first_order=True, delay_s=1.0),
        volt_var=replace(
            VOLT_VAR, first_order=True, delay_s=1.0, least_cos_phi=0.9, lock_in=1.0, lock_out=2.0, lock_unit=Unit.V, priority=-1
        ),
        volt_watt=replace(volt_watt((253.0, 100.0), (264.5, 0.0)), reference_V=230.0, reference_follows_s=300.0),
        power_factor=PowerFactor(0.9, response_s=1.0, first_order=True),
        fixed_var=Setpoint(50.0, Unit.VAR, 1.0, first_order=True),
        discharge_response_s=1.0,
        trips=(
            Trip(TripKind.HV_MUST, Curve(((0.1, 288.0), (13.0, 264.0)), Unit.S, Unit.V, response_s=1.0)),
            Trip(TripKind.HF_MUST, Curve(((0.1, 62.0),), Unit.S, Unit.HZ)),
        ),
    )
    curve_parts = ("first_order", "delay_s", "least_cos_phi", "lock_in", "lock_out", "lock_unit", "priority")
    worded = by_sae(code)
    assert worded.unsaid == {
        "watt_cos_phi", "over_voltage", "under_voltage", "zero_current", "dc_injection", "over_frequency.stop_Hz", "over_frequency.hysteresis",
        "over_frequency.first_order", "over_frequency.delay_s", *(f"volt_var.{each}" for each in curve_parts), "volt_watt.reference_V",
        "volt_watt.reference_follows_s", "power_factor.response_s", "power_factor.first_order", "fixed_var.response_s", "fixed_var.first_order",
        "discharge_response_s", "trips.HVMustTrip.response_s", "trips.HFMustTrip",
    }  # fmt: skip
    assert by_sae(worded.code) == (worded.code, frozenset()), "what is said once can be said again"


@pytest.mark.parametrize("asked", [{"fixed_var": Setpoint(1.0, Unit.NONE)}, {"volt_var": replace(VOLT_VAR, y=Unit.NONE)}], ids=str)
def test_by_sae_nothing_is_without_a_unit(asked: dict[str, Any]) -> None:
    worded = by_sae(GridCode(**asked))
    assert worded.unsaid == set(asked)
    assert der_sae.all_of(worded.code) == der_sae.all_of(GridCode())


@pytest.mark.parametrize(
    ("over", "under", "said", "unsaid"),
    [
        (None, 2, 2, {"over_frequency.priority"}),
        (1, 2, 1, {"under_frequency.priority"}),
        (2, 2, 2, set()),
        (0, None, 0, {"under_frequency.priority"}),
        (None, None, None, set()),
    ],
)
def test_by_sae_both_droops_have_one_priority(over: int | None, under: int | None, said: int | None, unsaid: set[str]) -> None:
    worded = by_sae(GridCode(over_frequency=Droop(0.2, 0.05, priority=over), under_frequency=Droop(0.2, 0.04, priority=under)))
    assert worded.unsaid == unsaid
    assert der_sae.all_of(worded.code).ActivePowerSupportCPDRes.FrequencyDroop.Priority == said


def test_by_sae_a_droop_has_more_places_than_a_voltage() -> None:
    worded = by_sae(GridCode(over_frequency=Droop(0.036, 0.0285)))
    over = der_sae.all_of(worded.code).ActivePowerSupportCPDRes.FrequencyDroop.OverFrequencyDroop
    assert over is not None
    assert number(over.DroopFactor) == 0.0285


def test_of_two_trips_of_a_kind_one_is_said_and_it_is_named() -> None:
    one, other = (Trip(TripKind.HV_MUST, Curve(((0.1, 288.0), (each, 264.0)), Unit.S, Unit.V)) for each in (13.0, 2.0))
    worded = by_sae(GridCode(trips=(one, other)))
    assert worded.code.trips == (other,)
    assert worded.unsaid == {"trips.HVMustTrip"}


@pytest.mark.parametrize(("percent", "said"), [(-5.0, 0.0), (0.0, 0.0), (40.0, 40.0), (150.0, 100.0), (nan, None)])
def test_less_than_nothing_is_nothing_and_more_than_all_is_all(percent: float, said: float | None) -> None:
    for worded in (by_sae(GridCode(most_discharge_percent=percent)), by_iec(GridCode(most_discharge_percent=percent), BASE)):
        assert worded.code.most_discharge_percent == said
        assert worded.unsaid == (set() if said is not None else {"most_discharge_percent"})


# ---- what changes, by SAE


def test_by_sae_a_time_that_is_taken_away_is_said_to_be_none() -> None:
    told = GridCode(enter=EnterService(delay_s=300.0, random_delay_s=10.0, ramp_s=300.0))
    said = der_sae.since(told, GridCode()).EnterServiceCLRes
    for each in (said.EnterServiceDelay, said.EnterServiceRandomizedDelay, said.EnterServiceRampTime):
        assert each is not None
        assert number(each) == 0.0
    before = der_sae.since(GridCode(), GridCode(enter=EnterService(high_V=250.0))).EnterServiceCLRes
    assert before.EnterServiceDelay is None, "there was none"


def test_by_sae_a_trip_that_is_taken_away_is_said_to_be_off() -> None:
    told = GridCode(trips=(Trip(TripKind.LV_MAY, Curve(((2.0, 108.0), (21.0, 168.0)), Unit.S, Unit.V)),))
    voltage = der_sae.since(told, GridCode()).VoltageTrip
    assert voltage is not None
    assert voltage.UnderVoltageMayTripCurve is not None
    assert not voltage.UnderVoltageMayTripCurve.Enable


def test_by_sae_the_time_of_a_limit_is_told_when_it_changes() -> None:
    told = GridCode(most_discharge_percent=50.0, discharge_response_s=1.0)
    active = der_sae.since(told, replace(told, discharge_response_s=5.0)).ActivePowerSupportCLRes
    assert active is not None
    assert active.LimitMaxDischargePower is not None
    assert active.LimitMaxDischargePower.OpenLoopResponseTime is not None


@pytest.mark.parametrize(
    "points",
    [
        pytest.param((), id="none"),
        pytest.param(((207.0, 0.0),), id="one"),
        pytest.param(tuple((float(x), 0.0) for x in range(11)), id="more than ten"),
        pytest.param(((253.0, 0.0), (207.0, 1.0)), id="from right to left"),
        pytest.param(((nan, 0.0), (207.0, 1.0)), id="nowhere"),
        pytest.param(((207.0, 1e300), (253.0, 1.0)), id="out of sight"),
    ],
)
def test_points_that_make_no_curve_are_unsaid(points: tuple[tuple[float, float], ...]) -> None:
    code = GridCode(volt_var=replace(VOLT_VAR, points=points))
    assert by_iec(code, BASE).unsaid == by_sae(code).unsaid == {"volt_var"}


def test_no_dead_band_is_less_than_nothing() -> None:
    code = GridCode(over_frequency=Droop(-0.2, 0.05))
    assert by_iec(code, BASE).unsaid == by_sae(code).unsaid == {"over_frequency"}
