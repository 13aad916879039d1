"""The station routes until quiet: safe commands first, one Persist, timers to those who are due, a failing block kept to itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.heap import info_of
from chargepoint.commands import Lane, Log, Persist, Put, SetDuty
from chargepoint.events import BayOccupied, Event, PoweredUp, TimerExpired
from chargepoint.ocpp.blocks.data_transfer import DataTransferBlock
from chargepoint.ocpp.messages import CallReceived
from chargepoint.station import RoutingLoop, Station
from chargepoint.tick import Tick
from chargepoint.wiring import answers_of, build
from tests.replay.stories import configured, life, world_of


@pytest.fixture
def station() -> Station:
    config = configured()
    return Station(config, info_of(world_of(config)))


def test_what_makes_safe_stands_first_and_what_is_kept_is_one_commit() -> None:
    heap = life()
    mixed = []

    def look(tick: Tick, event: object, commands: tuple[Any, ...]) -> None:
        lanes = [command.lane for command in commands]
        assert lanes == sorted(lanes, key=lambda lane: lane is not Lane.SAFE), commands
        assert sum(isinstance(each, Persist) for each in commands) <= 1
        mixed.extend(lanes)

    heap.watch = look
    heap.start()
    heap.run(30.0)
    assert {Lane.SAFE, Lane.NORMAL} == set(mixed)


def test_an_event_that_nobody_takes_does_nothing(station: Station) -> None:
    class Unheard(Event):
        pass

    assert station.handle(Tick(0.0, 0.0), Unheard()) == ()


def test_timers_go_to_those_who_are_due_and_before_the_event(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []
    station.handle(Tick(0.0, 0.0), PoweredUp("PowerUp", "00", {}))
    for name, machine in station.wiring.machines.items():

        def listening(now: Tick, event: object, name: str = name, handle: Any = machine.handle) -> Any:
            heard.append((name, type(event).__name__))
            return handle(now, event)

        monkeypatch.setattr(machine, "handle", listening)
    due = station.deadline()
    assert due is not None
    who = [name for name, machine in station.wiring.machines.items() if machine.deadline() == due]
    station.handle(Tick(due, due), BayOccupied(1, occupied=False))
    assert [name for name, event in heard if event == "TimerExpired"] == who
    assert heard[len(who)] == ("transaction", "BayOccupied")


def test_a_cached_deadline_is_the_machines_own() -> None:
    """Deadlines are asked after a machine has heard something; nothing else moves them."""
    heap = life(5)

    def look(tick: Tick, event: object, commands: tuple[Any, ...]) -> None:
        assert heap.station
        machines = heap.station.wiring.machines
        assert heap.station.deadline() == min((at for m in machines.values() if (at := m.deadline()) is not None), default=None)

    heap.watch = look
    heap.start()
    heap.run(400.0)


def test_machines_that_answer_each_other_for_ever_are_a_bug_with_a_name(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = station.wiring.machines["transaction"]
    monkeypatch.setattr(type(machine), "handle", lambda self, now, event: [event])
    with pytest.raises(RoutingLoop, match="BayOccupied"):
        station.handle(Tick(0.0, 0.0), BayOccupied(1, occupied=True))


def test_a_block_that_fails_answers_and_the_rest_goes_on(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, now: Tick, event: object) -> list[object]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(DataTransferBlock, "handle", broken)
    station.wiring.context.link.registration = "Accepted"
    commands = station.handle(Tick(0.0, 0.0), CallReceived("m1", "DataTransfer", {"vendorId": "x"}))
    (log,) = [each for each in commands if isinstance(each, Log) and each.key == "block.failed"]
    assert log.values["error"] == "ZeroDivisionError('a bug')"


def test_a_bug_in_the_keeper_of_the_contactor_is_not_hidden(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = station.wiring.machines["evse:1"]
    monkeypatch.setattr(type(machine), "handle", lambda self, now, event: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        station.handle(Tick(0.0, 0.0), PoweredUp("PowerUp", "00", {}))


def test_a_snapshot_is_json_and_holds_everything() -> None:
    heap = life(2)
    heap.start()
    heap.run(60.0)
    assert heap.station
    snapshot = json.loads(json.dumps(heap.station.snapshot()))
    other = Station(heap.config, info_of(heap.world))
    other.restore(snapshot)
    assert other.snapshot() == heap.station.snapshot()
    assert other.deadline() == heap.station.deadline()


def test_every_answer_has_one_block(station: Station) -> None:
    machines = dict(station.wiring.machines)
    machines["again"] = machines["data_transfer"]
    with pytest.raises(ValueError, match="DataTransfer is answered by data_transfer and by again"):
        answers_of(machines)


def test_a_board_without_a_configured_evse_is_refused() -> None:
    with pytest.raises(KeyError, match="no EVSE 3"):
        build(configured(evses=3), info_of(world_of(configured(evses=2))))


def test_the_order_of_commands_in_one_answer(station: Station) -> None:
    from chargepoint import station as module
    from chargepoint.commands import OpenContactor

    ordered = module._ordered(
        [SetDuty(1, 20.0), Persist((Put("a", "1", 1),), ("x",)), OpenContactor(1), Persist((Put("a", "2", 2),), ("y",))]
    )
    assert ordered == (OpenContactor(1), Persist((Put("a", "1", 1), Put("a", "2", 2)), ("x", "y")), SetDuty(1, 20.0))


def test_a_block_whose_timer_fails_is_no_busy_loop(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its deadline stays in the past; it is asked again after a pause that gets longer."""
    machine = station.wiring.machines["meter_values"]
    station.handle(Tick(0.0, 0.0), PoweredUp("PowerUp", "00", {}))
    monkeypatch.setattr(type(machine), "deadline", lambda self: 10.0)
    monkeypatch.setattr(type(machine), "handle", lambda self, now, event: 1 / 0)
    station._deadlines[machine] = 10.0
    pauses = []
    for now in (10.0, 11.0, 13.0, 17.0):
        station.handle(Tick(now, now), TimerExpired())
        after = station._deadlines[machine]
        assert after is not None
        pauses.append(after - now)
        assert not [each for each in station.handle(Tick(now, now), TimerExpired()) if isinstance(each, Log) and each.key == "block.failed"]
    assert pauses == [1.0, 2.0, 4.0, 8.0]
