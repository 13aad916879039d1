"""Any stretch of a station's life replays to the same commands, from its start or from a snapshot in the middle."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from bench.heap import Heap, info_of
from chargepoint.commands import Command, OpenContactor
from chargepoint.events import PoweredUp
from chargepoint.journal import Entry, Head, JournalError, Replayed, entry_line, head_line, read, replay
from chargepoint.tick import Tick
from tests.replay.stories import act, life


def recorded(heap: Heap, seed: int, steps: int, *, snapshot_each: int = 0) -> list[str]:
    """A life as journal lines; a new segment after each so many inputs."""
    lines: list[str] = []
    told = [0]

    def record(tick: Tick, event: object, commands: tuple[Command, ...]) -> None:
        if told[0] == 0 or (snapshot_each and told[0] % snapshot_each == 0):
            begins = isinstance(event, PoweredUp)
            head = Head("test", heap.config, info_of(heap.world), None if begins else snapshot[0])
            lines.append(head_line(head))
        lines.append(entry_line(Entry(tick, event, commands)))
        told[0] += 1
        if snapshot_each and told[0] % snapshot_each == 0 and heap.station:
            snapshot[0] = heap.station.snapshot()

    snapshot: list[Any] = [None]
    heap.watch = record
    dice = random.Random(seed)
    heap.start()
    heap.run(20.0)
    for _ in range(steps):
        act(heap, dice)
    return lines


def replayed(lines: list[str]) -> list[Replayed]:
    return list(replay(read(lines)))


@pytest.mark.parametrize("seed", range(4))
def test_a_life_replays_to_the_same_commands(seed: int) -> None:
    found = replayed(recorded(life(seed), seed, 60))
    assert len(found) > 100
    assert [each.first_difference for each in found if not each.same] == []


@pytest.mark.parametrize("seed", range(4))
def test_any_segment_replays_from_its_snapshot(seed: int) -> None:
    lines = recorded(life(seed), seed, 60, snapshot_each=37)
    heads = [place for place, line in enumerate(lines) if line.startswith('{"journal"')]
    assert len(heads) > 3
    for begin, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        assert [each.first_difference for each in replayed(lines[begin:end]) if not each.same] == []


def test_the_first_difference_is_named() -> None:
    lines = recorded(life(), 1, 5)
    entries = list(read(lines))
    first = entries[1]
    assert isinstance(first, Entry)
    entries[1] = replace(first, commands=(OpenContactor(7), *first.commands[1:]))
    found = next(each for each in replay(entries) if not each.same)
    assert found.number == 1
    assert "command 1: then OpenContactor(evse_id=7), now OpenContactor(evse_id=1)" in found.first_difference
    entries[1] = replace(first, commands=first.commands[:-1])
    assert next(each for each in replay(entries) if not each.same).first_difference.startswith("now also ")
    entries[1] = replace(first, commands=(*first.commands, OpenContactor(7)))
    assert next(each for each in replay(entries) if not each.same).first_difference == "then also OpenContactor(evse_id=7)"


def test_a_torn_last_line_costs_itself_only() -> None:
    lines = recorded(life(), 1, 5)
    whole = len(replayed(lines))
    assert len(replayed([*lines[:-1], lines[-1][:40]])) == whole - 1
    assert len(replayed([*lines[:-1], lines[-1][:40], *lines])) == 2 * whole - 1


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda lines: lines[1:], "line 1: a journal begins with its head"),
        (lambda lines: [lines[0], "{", *lines[1:]], "line 2"),
        (lambda lines: [lines[0].replace('"software"', '"softwear"'), *lines[1:]], "softwear"),
        (lambda lines: [lines[0], lines[1].replace("PoweredUp", "PoweredUpp")], "line 2"),
        (lambda lines: [lines[0].replace('"journal":{', '"journal":{"format":99,'), *lines[1:]], "format 99"),
        (lambda lines: ["[]", *lines], "line 1: no journal"),
    ],
)
def test_what_is_no_journal_is_named_by_its_line(spoil: Any, says: str) -> None:
    with pytest.raises(JournalError) as refused:
        replayed(spoil(recorded(life(), 1, 1)))
    assert says in str(refused.value)
