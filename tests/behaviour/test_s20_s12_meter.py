"""A meter that leaps or winds back hides no over-current, and ends in the right readings again (S-12, S-20)."""

from __future__ import annotations

import pytest

from hal.types import MeterSample
from tests.behaviour.csms_side import CsmsSide


def sample(energy_Wh: float, amps: float) -> MeterSample:
    return MeterSample(1, energy_Wh, 0.0, 690.0 * amps, (amps,) * 3, (230.0,) * 3, 50.0)


@pytest.mark.req("S-20", "S-12")
@pytest.mark.parametrize("register_Wh", [1e9, -5.0, float("nan"), 0.0], ids=["leap", "negative", "no number", "back to zero"])
def test_too_much_current_stops_whatever_the_register_says(register_Wh: float) -> None:
    side = CsmsSide()
    side.charge()
    side.heap.run(30.0)
    side.heap.world.evses[1].meter_silent = True  # from here on the readings are ours
    for _ in range(9):
        side.heap.tell(sample(register_Wh, 60.0))
        side.heap.run(1.0)
    assert not side.closed


@pytest.mark.req("S-12")
def test_one_leap_is_no_reading_and_the_right_ones_count_again() -> None:
    side = CsmsSide()
    side.charge()
    side.heap.run(30.0)
    assert side.heap.station
    facts = side.heap.station.wiring.context.evses[1]
    assert facts.meter
    before = facts.meter.energy_import_Wh
    side.heap.tell(sample(before + 1e6, 16.0))
    assert facts.meter.energy_import_Wh == before
    side.heap.run(5.0)
    assert before < facts.meter.energy_import_Wh < before + 100.0
    assert side.closed


@pytest.mark.req("S-12")
def test_a_leap_that_the_next_readings_bear_out_is_true() -> None:
    side = CsmsSide()
    side.heap.run(5.0)
    side.heap.world.evses[1].meter_silent = True
    for number in range(3):
        side.heap.tell(sample(5e6 + number, 0.0))
        side.heap.run(1.0)
    assert side.heap.station
    facts = side.heap.station.wiring.context.evses[1]
    assert facts.meter
    assert facts.meter.energy_import_Wh == 5e6 + 2
