"""Each row of both tables of matching, taken: how a side comes into the state, and what makes it happen there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.plc.site import At
from iso15118.machine import step
from iso15118.slac import ev as ev_module
from iso15118.slac import ev_table, evse_table
from iso15118.slac import evse as evse_module
from iso15118.slac.ev_table import Happening as EvHappening
from iso15118.slac.ev_table import State as EvState
from iso15118.slac.evse_state import Matching
from iso15118.slac.evse_table import Happening as EvseHappening
from iso15118.slac.evse_table import State as EvseState
from iso15118.slac.signals import Begin, Leave, Toggled
from tests.behaviour.slac_rig import Car, Station, ev_mac, site


def rows(table: Any) -> list[Any]:
    """Those that move or do something."""
    return [each for each in table.entries.values() if each.to is not each.state or each.do]


def taken(monkeypatch: pytest.MonkeyPatch, module: Any) -> list[tuple[Any, Any]]:
    """What is stepped through from now on."""
    log: list[tuple[Any, Any]] = []

    def logged(table: Any, state: Any, event: Any) -> Any:
        log.append((state, event))
        return step(table, state, event)

    monkeypatch.setattr(module, "step", logged)
    return log


@pytest.mark.parametrize("table", [evse_table.TABLE, ev_table.TABLE], ids=["evse", "ev"])
def test_the_tables_decide_everything_and_reach_every_state(table: Any) -> None:
    assert table.undecided() == ()
    assert table.reachable() == frozenset(table.states)


# ---- the EVSE's


def counting() -> Car:
    car = Car(validation=True).to_known()
    car.validate()
    car.validate(5)
    return car


def busy() -> Car:
    """Known, while another's toggles are counted."""
    car = Car(counting().site, ev_mac(1))
    return car.to_known()


def before(*steps: str) -> Callable[[], Car]:
    def brought() -> Car:
        car = Car(validation=True)
        for each in steps:
            getattr(car, each)()
        return car

    return brought


def unproven(car: Car) -> None:
    """Its toggles were not counted."""
    car.validate(5)
    car.site.tell("evse0", Toggled(0))
    car.match()


PLACES: dict[EvseState, Callable[[], Car]] = {
    EvseState.ASKED: before("parm"),
    EvseState.SOUNDING: before("parm", "start"),
    EvseState.TOLD: before("parm", "start", "profile"),
    EvseState.KNOWN: before("to_known"),
    EvseState.COUNTING: counting,
    EvseState.MATCHED: before("whole"),
}
ACTS: dict[EvseHappening, Callable[[Car], object]] = {
    EvseHappening.PARM: Car.parm,
    EvseHappening.START: Car.start,
    EvseHappening.LAST_PROFILE: Car.profile,
    EvseHappening.SOUNDS_OVER: lambda car: (car.profile(7), car.wait(0.7)),
    EvseHappening.NOTHING_HEARD: lambda car: car.wait(0.7),
    EvseHappening.HAS_IT: Car.rsp,
    EvseHappening.REFUSES: lambda car: car.rsp(1),
    EvseHappening.AGAIN: lambda car: car.wait(0.25),
    EvseHappening.LATE: lambda car: car.wait(13.0),
    EvseHappening.MAY_VALIDATE: Car.validate,
    EvseHappening.VALIDATE: lambda car: car.validate(5),
    EvseHappening.BUSY: Car.validate,
    EvseHappening.COUNTED: lambda car: car.site.tell("evse0", Toggled(2)),
    EvseHappening.MATCH: Car.match,
    EvseHappening.UNPROVEN: unproven,
}


@pytest.mark.parametrize("row", rows(evse_table.TABLE), ids=lambda row: f"{row.state.name}-{row.event.name}")
def test_the_evse_takes_the_row(row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    car = busy() if row.event is EvseHappening.BUSY else PLACES[row.state]()
    found = car.evse.matchings.of(car.mac, car.run)
    assert found is not None
    assert found.state is row.state
    log = taken(monkeypatch, evse_module)
    ACTS[row.event](car)
    assert (row.state, row.event) in log
    if log[-1] == (row.state, row.event):
        assert found.state is row.to
    assert (found in car.evse.matchings) is (found.state is not EvseState.OVER)


def test_what_changes_nothing_at_the_evse_does_nothing() -> None:
    car = Car()
    for entry in evse_table.TABLE.entries.values():
        if entry.to is entry.state and not entry.do:
            matching = Matching(car.mac, car.run, state=entry.state)
            assert car.evse._advance(At(car.site.now), matching, entry.event) == []
            assert matching == Matching(car.mac, car.run, state=entry.state)


# ---- the vehicle's


def waiting() -> Station:
    station = Station(site(ready=False))
    station.begin()
    return station


def asking() -> Station:
    station = Station()
    station.begin()
    return station


def sounding() -> Station:
    station = asking()
    station.parm()
    station.wait(0.21)
    return station


def toggling() -> Station:
    station = Station().to_validating()
    station.validated(1)
    return station


def matching() -> Station:
    station = Station().to_listening()
    station.tell(4)
    return station


def joining() -> Station:
    station = matching()
    station.key()
    return station


def linked() -> Station:
    station = joining()
    station.join().wait(3.0)
    return station


def resting() -> Station:
    station = asking()
    station.wait(0.65)
    return station


def failed() -> Station:
    station = asking()
    station.wait(20.0)
    return station


def lose_modem(station: Station) -> None:
    station.site.line.modems["ev0"].dead = True
    station.wait(40.0)


def lose_link(station: Station) -> None:
    station.join(bytes(16)).wait(4.0)


EV_PLACES: dict[EvState, Callable[[], Station]] = {
    EvState.IDLE: Station,
    EvState.WAITING: waiting,
    EvState.ASKING: asking,
    EvState.SOUNDING: sounding,
    EvState.LISTENING: lambda: Station().to_listening(),
    EvState.VALIDATING: lambda: Station().to_validating(),
    EvState.TOGGLING: toggling,
    EvState.MATCHING: matching,
    EvState.JOINING: joining,
    EvState.LINKED: linked,
    EvState.RESTING: resting,
    EvState.FAILED: failed,
}
EV_ACTS: dict[EvHappening, Callable[[Station], object]] = {
    EvHappening.BEGIN: lambda station: station.site.tell("ev0", Begin()),
    EvHappening.LEAVE: lambda station: station.site.tell("ev0", Leave("unplugged")),
    EvHappening.READY: lambda station: station.wait(2.0),
    EvHappening.UNREADY: lose_modem,
    EvHappening.AGAIN: lambda station: station.wait(0.21),
    EvHappening.LATE: lambda station: station.wait(13.0),
    EvHappening.ASKED: lambda station: (station.parm(), station.wait(0.21)),
    EvHappening.NEXT: lambda station: station.wait(0.03),
    EvHappening.LAST: lambda station: station.wait(0.3),
    EvHappening.HEARD: lambda station: station.tell(4),
    EvHappening.OVER: lambda station: station.wait(1.3),
    EvHappening.WANTED: lambda station: station.validated(1),
    EvHappening.UNNEEDED: lambda station: station.validated(4),
    EvHappening.RIGHT: lambda station: station.validated(2, station.ev.run.toggles),
    EvHappening.REFUSED: lambda station: station.validated(3),
    EvHappening.KEY: Station.key,
    EvHappening.UP: lambda station: station.join().wait(3.0),
    EvHappening.DOWN: lose_link,
    EvHappening.REST_OVER: lambda station: station.wait(0.5),
    EvHappening.ENOUGH: lambda station: station.wait(12.0),
}
CHOICES = {EvHappening.NEAR: 4, EvHappening.PERHAPS: 15, EvHappening.NOBODY: 30}
"""dB of the only one."""


@pytest.mark.parametrize("row", rows(ev_table.TABLE), ids=lambda row: f"{row.state.name}-{row.event.name}")
def test_the_vehicle_takes_the_row(row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    station = Station().to_listening() if row.state is EvState.CHOOSING else EV_PLACES[row.state]()
    if row.state is not EvState.CHOOSING:
        assert station.ev.state is row.state
    if (row.state, row.event) == (EvState.LINKED, EvHappening.UP):
        lose_link(station)
    if (row.state, row.event) == (EvState.WAITING, EvHappening.LATE):
        station.site.line.modems["ev0"].dead = True
    log = taken(monkeypatch, ev_module)
    if row.event in CHOICES:
        station.tell(CHOICES[row.event])
        station.wait(1.3)
    else:
        EV_ACTS[row.event](station)
    assert (row.state, row.event) in log
    if log[-1] == (row.state, row.event):
        assert station.ev.state is row.to


def test_what_changes_nothing_at_the_vehicle_does_nothing() -> None:
    station = Station()
    for entry in ev_table.TABLE.entries.values():
        if entry.to is entry.state and not entry.do:
            station.ev.state = entry.state
            before = station.ev.saved()
            assert station.ev._advance(At(station.site.now), entry.event) == []
            assert station.ev.saved() == before
