"""A life with a power-line modem replays from a snapshot at any moment of a matching (ISO 15118-3)."""

from __future__ import annotations

import pytest

from bench.plc.line import Path
from chargepoint.config import SlacConfig
from chargepoint.events import PowerLineChanged, TalkingBegun
from chargepoint.matching import MatchingMachine
from iso15118.terms import Energy
from tests.replay.test_replay_talking import Recorded, follow


def matched(*, validation: bool) -> Recorded:
    """Two vehicles, one after the other."""
    site = Recorded("ac", slac=SlacConfig(modem="qualcomm", validation=validation))
    cables = site.heap.cables
    assert cables is not None
    if validation:
        cables.line.paths = {frozenset(("evse 1", "vehicle 1")): Path(14.0)}
    for _ in range(2):
        site.plug(site.vehicle(Energy.AC), slac=cables.vehicle(1))
        site.until(lambda: site.hlc.value == "linked")
        site.unplug()
        cables.gone(1)
        site.run(2.0)
    return site


@pytest.mark.parametrize("validation", [False, True])
def test_from_any_moment_of_a_matching_what_follows_is_the_same(validation: bool) -> None:
    site = matched(validation=validation)
    follow(site, PowerLineChanged, step=1 if validation else 3)
    for state in ("SOUNDING", "KNOWN", "MATCHED", *(["COUNTING"] if validation else [])):
        assert any(f'"state": "{state}"' in each for each in site.before), state
    assert any('"counted_until"' in each for each in site.before) is validation
    assert not any(isinstance(each.event, TalkingBegun) for each in site.entries), "what machines tell one another is no input"


def test_what_the_machine_remembers_stands_in_its_snapshot() -> None:
    station = matched(validation=False).heap.station
    assert station is not None
    machine = station.wiring.machines["slac:1"]
    assert isinstance(machine, MatchingMachine)
    assert vars(machine).keys() - {"config", "timings", "entropy", "handlers"} == {"memory", "slac"}
