"""What the CSMS is told of needs and plans: twice in twenty seconds of each at most, and no plan before the needs that it is for."""

from __future__ import annotations

from chargepoint import v2g_paced
from chargepoint.events import ChargingNeedsTold, ScheduleChosen
from chargepoint.tick import Tick
from chargepoint.v2g_paced import IN_S, NEEDS, PLAN
from chargepoint.v2g_state import V2gState


def at(mono: float) -> Tick:
    return Tick(mono, 0.0)


def test_a_plan_waits_for_its_needs() -> None:
    s = V2gState()
    for mono in (0.0, 1.0):
        assert v2g_paced.say(s, at(mono), 1, NEEDS)
    assert v2g_paced.say(s, at(2.0), 1, NEEDS) == []
    assert v2g_paced.say(s, at(3.0), 1, PLAN) == []
    assert v2g_paced.deadline(s.paced) == IN_S
    assert v2g_paced.due(s, at(IN_S - 0.1), 1) == []
    assert [type(each) for each in v2g_paced.due(s, at(IN_S), 1)] == [ChargingNeedsTold, ScheduleChosen]
    assert v2g_paced.deadline(s.paced) is None


def test_a_plan_that_is_left_over_is_told_at_once() -> None:
    s = V2gState()
    for mono in (0.0, 1.0, 2.0):
        v2g_paced.say(s, at(mono), 1, NEEDS)
    v2g_paced.say(s, at(3.0), 1, PLAN)
    assert v2g_paced.say(s, at(IN_S), 1, NEEDS)
    due = v2g_paced.deadline(s.paced)
    assert due is not None
    assert due <= IN_S
    assert [type(each) for each in v2g_paced.due(s, at(IN_S), 1)] == [ScheduleChosen]
