"""What may be left out where memory is short: of what waits for the CSMS, and of the values at the end (E04, E06 to E12, F03, J02)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chargepoint import transaction_meter
from chargepoint.events import Limits, LimitsWanted
from chargepoint.ocpp import outbox, outbox_queue
from tests.octt.states import charges, listed, station
from tests.octt.system import CARD
from tests.octt.test_e11_offline import SAMPLED as LINE
from tests.octt.test_e11_offline import queued
from tests.octt.test_j_meter_values import SAMPLED, SOME, at, contexts, ends, going_on


@pytest.mark.req("E04.FR.07", "E04.FR.08", "E11.FR.05", "E12.FR.05", "J02.FR.12", "J02.FR.13")
@pytest.mark.parametrize("whole", [True, False])
def test_where_memory_is_short_what_lies_between_goes_and_neither_end_nor_bounds(monkeypatch: pytest.MonkeyPatch, *, whole: bool) -> None:
    for module in (outbox, outbox_queue):
        monkeypatch.setattr(module, "MOST_ROWS", 24)
    it = station(stop="Authorized", variables=LINE)
    listed(it, {CARD: "Accepted"})
    if whole:
        it.offline()
        it.wait(2.0)
    it.plug()
    it.swipe()
    it.wait(10.0)
    it.all.clear()
    it.offline()
    for most_Wh in (90_000.0, 80_000.0, 70_000.0):
        it.tell(LimitsWanted(1, Limits(energy_Wh=most_Wh)))
        it.wait(600.0)
    it.swipe()
    it.wait(5.0)
    it.online()
    events = queued(it, 1200.0)
    assert len(events) <= 24
    assert [event["transactionInfo"]["transactionLimit"]["maxEnergy"] for event in events if event["triggerReason"] == "LimitSet"] == [
        90_000.0,
        80_000.0,
        70_000.0,
    ]
    assert (events[0]["eventType"] == "Started") is whole
    assert events[-1]["eventType"] == "Ended"
    numbers = [event["seqNo"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(events)))
    periodic = [event for event in events if event["triggerReason"] == "MeterValuePeriodic"]
    assert len(periodic) >= 8
    assert at(events[-1]) - at(periodic[0]) > 1700.0
    assert max(at(after) - at(before) for before, after in pairwise(periodic)) < 900.0


@pytest.mark.req("E12.FR.04")
def test_bounds_are_told_whatever_else_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (outbox, outbox_queue):
        monkeypatch.setattr(module, "MOST_ROWS", 16)
    it = station(stop="Authorized")
    ev, _ = charges(it)
    it.offline()
    it.wait(2.0)
    for n in range(6):
        it.tell(LimitsWanted(1, Limits(energy_Wh=90_000.0 - n)))
        for _ in range(4):
            ev.pause()
            it.wait(5.0)
            ev.resume()
            it.wait(5.0)
    it.tell(LimitsWanted(1, Limits(energy_Wh=1.0)))
    it.wait(10.0)
    it.online()
    events = queued(it, 1200.0)
    assert len(events) <= 16
    triggers = [event["triggerReason"] for event in events]
    assert triggers.count("LimitSet") == 7
    assert triggers.count("EnergyLimitReached") == 1


@pytest.mark.req("J02.FR.20")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("card", marks=pytest.mark.req("E06.FR.12", "E06.FR.13", "E07.FR.09", "E07.FR.10")),
        pytest.param("remote", marks=pytest.mark.req("F03.FR.04", "F03.FR.05", "F03.FR.06")),
        pytest.param("offline", marks=pytest.mark.req("E08.FR.10", "E08.FR.11")),
        pytest.param("pulled", marks=pytest.mark.req("E09.FR.06", "E09.FR.07")),
        pytest.param("not back", marks=pytest.mark.req("E10.FR.05", "E10.FR.06")),
        pytest.param("whole", marks=pytest.mark.req("E12.FR.08", "E12.FR.09")),
    ],
)
def test_where_there_would_be_too_many_values_at_its_end_every_other_one_goes(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction_meter, "KEPT_MOST", 10)
    it = going_on(how, {f"{SAMPLED}.TxEndedInterval": "30", f"{SAMPLED}.TxEndedMeasurands": SOME})
    it.wait(1500.0)
    begin, *periodic, end = ends(it, how)["meterValue"]
    assert contexts(begin) == {"Transaction.Begin"}
    assert contexts(end) == {"Transaction.End"}
    assert 4 <= len(periodic) <= 10
    steps = [at(after) - at(before) for before, after in pairwise((begin, *periodic, end))]
    assert max(steps) <= 500.0
