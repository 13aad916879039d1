"""The interlock's table, condition by condition."""

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.commands import CloseContactor, Permit
from chargepoint.interlock import CONDITIONS, INTERLOCK, Facts, Lost
from chargepoint.pilot import CpState

GOOD = Facts(
    pilot=CpState.C2, duty_percent=26.7, ventilation=False, diode_right=True, cable_right=True, lock_right=True, authorised=True, durable=True,
    supply_allowed=True, offered_A=16.0, open_faults=False, stop_faults=False, operative=True, settled=True, contactor_known_open=True,
    phases_right=True, running=True, permit_left_s=0.4,
)  # fmt: skip

LOSSES: list[tuple[dict[str, Any], Lost]] = [
    ({"pilot": CpState.A1}, Lost.OPEN),
    ({"pilot": CpState.B2}, Lost.OPEN),
    ({"pilot": CpState.E2}, Lost.OPEN),
    ({"pilot": CpState.F}, Lost.OPEN),
    ({"pilot": CpState.D2}, Lost.OPEN),
    ({"pilot": CpState.D1}, Lost.OPEN),
    ({"pilot": CpState.C1}, Lost.PAUSE),
    ({"duty_percent": None}, Lost.PAUSE),
    ({"duty_percent": 5.0}, Lost.PAUSE),
    ({"duty_percent": 97.5}, Lost.PAUSE),
    ({"digital": True, "consent": True}, Lost.PAUSE),
    ({"dc": True, "consent": True}, Lost.PAUSE),
    ({"digital": True, "duty_percent": 5.0}, Lost.OPEN),
    ({"dc": True, "duty_percent": 5.0}, Lost.OPEN),
    ({"diode_right": False}, Lost.OPEN),
    ({"cable_right": False}, Lost.OPEN),
    ({"lock_right": False}, Lost.OPEN),
    ({"authorised": False}, Lost.STOP),
    ({"durable": False}, Lost.STOP),
    ({"supply_allowed": False}, Lost.PAUSE),
    ({"offered_A": 0.0}, Lost.PAUSE),
    ({"open_faults": True}, Lost.OPEN),
    ({"stop_faults": True}, Lost.STOP),
    ({"operative": False}, Lost.STOP),
    ({"running": False}, Lost.OPEN),
    ({"settled": False}, Lost.NOTHING),
    ({"contactor_known_open": False}, Lost.NOTHING),
    ({"phases_right": False}, Lost.NOTHING),
    ({"voltages_meet": False}, Lost.NOTHING),
    ({"permit_left_s": 0.0}, Lost.OPEN),
]


def test_when_all_holds_it_closes() -> None:
    assert INTERLOCK.missing(GOOD) == ()
    assert INTERLOCK.close(GOOD, 1, 3) == (CloseContactor(1, 3),)
    assert INTERLOCK.lost(GOOD) == (Lost.NOTHING, "")
    assert INTERLOCK.offers(GOOD)


@pytest.mark.parametrize(("change", "lost"), LOSSES, ids=str)
def test_one_thing_missing_is_enough(change: dict[str, Any], lost: Lost) -> None:
    facts = replace(GOOD, **change)
    assert INTERLOCK.missing(facts)
    assert INTERLOCK.close(facts, 1, 3) == ()
    assert INTERLOCK.lost(facts)[0] is lost
    assert (INTERLOCK.renewed(facts, 1, 0.4) is None) is (lost is Lost.OPEN)


@pytest.mark.parametrize("change", [{"digital": True}, {"dc": True}, {"digital": True, "offered_A": 0.0}], ids=str)
def test_with_a_session_five_percent_and_its_consent_close(change: dict[str, Any]) -> None:
    assert INTERLOCK.close(replace(GOOD, duty_percent=5.0, consent=True, **change), 1, 3) == (CloseContactor(1, 3),)


def test_five_percent_waits_for_nobody_to_be_authorised() -> None:
    assert INTERLOCK.talks(replace(GOOD, authorised=False, durable=False, offered_A=0.0, supply_allowed=False, lock_right=False))
    assert not INTERLOCK.talks(replace(GOOD, open_faults=True))
    assert not INTERLOCK.talks(replace(GOOD, operative=False))


def test_the_lease_lives_through_a_ramp_down_and_no_longer() -> None:
    assert INTERLOCK.permit_ramp(replace(GOOD, dc=True, ramp_left_s=0.3), 1, 2.0) == Permit(1, 0.4)
    assert INTERLOCK.permit_ramp(replace(GOOD, dc=True, ramp_left_s=0.0), 1, 0.4) is None
    assert INTERLOCK.permit_ramp(replace(GOOD, ramp_left_s=0.3), 1, 0.4) is None


def test_every_condition_has_a_case_here() -> None:
    failing = {name for change, _ in LOSSES for name in INTERLOCK.missing(replace(GOOD, **change))}
    assert failing == {c.name for c in CONDITIONS}


def test_the_hardest_loss_wins() -> None:
    facts = replace(GOOD, authorised=False, offered_A=0.0, open_faults=True)
    assert INTERLOCK.lost(facts) == (Lost.OPEN, "no fault that opens")


@pytest.mark.parametrize("state", [CpState.D1, CpState.D2])
def test_ventilation_allows_d(state: CpState) -> None:
    facts = replace(GOOD, pilot=state, ventilation=True)
    assert (INTERLOCK.missing(facts) == ()) is (state is CpState.D2)
    assert INTERLOCK.lost(facts)[0] is (Lost.NOTHING if state is CpState.D2 else Lost.PAUSE)


@pytest.mark.req("F-16")
def test_the_lease_needs_all_but_itself() -> None:
    assert INTERLOCK.permit(replace(GOOD, permit_left_s=0.0), 1, 0.4) == Permit(1, 0.4)
    assert INTERLOCK.permit(replace(GOOD, permit_left_s=0.0, durable=False), 1, 0.4) is None


def test_the_pwm_waits_for_what_the_table_says() -> None:
    assert INTERLOCK.offers(replace(GOOD, pilot=CpState.B1, duty_percent=None, durable=False, permit_left_s=0.0))
    assert INTERLOCK.not_offering(replace(GOOD, authorised=False)) == "authorised"
