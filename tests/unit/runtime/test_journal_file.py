"""Segments on disk: private, bounded, packed, complete after a kill; a disk that takes no more costs only the journal."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from bench.heap import info_of
from chargepoint.commands import Log, OpenContactor
from chargepoint.events import TimerExpired
from chargepoint.journal import Entry, Head, read
from chargepoint.runtime.journal_file import JournalFile, lines
from chargepoint.runtime.virtual import run_virtual
from chargepoint.tick import Tick
from tests.replay.stories import configured, world_of

CONFIG = configured()
HEAD = Head("test", CONFIG, info_of(world_of(CONFIG)), None)


def made(folder: Path, **more: Any) -> JournalFile:
    return JournalFile(folder, lambda: HEAD, threaded=False, **more)


def entry(number: int) -> Entry:
    return Entry(Tick(float(number), 1e9 + number), TimerExpired(), (Log("info", f"line {number}"),))


def test_all_segments_read_as_one_in_order(tmp_path: Path) -> None:
    async def main() -> None:
        file = made(tmp_path, segment_bytes=3000)
        file.begin()
        for number in range(200):
            file.record([entry(number)])
        await file.stop()

    run_virtual(main())
    found = list(read(lines(tmp_path)))
    entries = [each for each in found if isinstance(each, Entry)]
    assert [int(each.tick.mono) for each in entries] == list(range(200))
    assert sum(isinstance(each, Head) for each in found) > 3
    files = sorted(tmp_path.iterdir())
    assert [path.name.endswith(".gz") for path in files] == [True] * (len(files) - 1) + [False]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_oldest_go_when_the_bound_is_reached(tmp_path: Path) -> None:
    async def main() -> None:
        file = made(tmp_path, segment_bytes=3000, keep_bytes=8000)
        file.begin()
        for number in range(2000):
            file.record([entry(number)])
        await file.stop()

    run_virtual(main())
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 8000 + 3000
    entries = [each for each in read(lines(tmp_path)) if isinstance(each, Entry)]
    assert entries[-1].tick.mono == 1999.0
    assert entries[0].tick.mono > 0.0


def test_lines_reach_the_system_each_second_and_at_once_when_something_opens(tmp_path: Path) -> None:
    async def main() -> list[int]:
        seen = []
        file = made(tmp_path)
        file.begin()
        path = next(tmp_path.iterdir())

        def count() -> None:
            seen.append(len(path.read_text("ascii").splitlines()))

        file.record([entry(1)])
        count()
        await asyncio.sleep(1.1)
        count()
        file.record([Entry(Tick(2.0, 2.0), TimerExpired(), (OpenContactor(1),), "")])
        count()
        file.record([Entry(Tick(3.0, 3.0), TimerExpired(), (Log("error", "x"),), "")])
        count()
        file.record([Entry(Tick(3.0, 3.0), TimerExpired(), (), "KeyError('x')")])
        count()
        await file.stop()
        return seen

    assert run_virtual(main()) == [0, 2, 3, 4, 5]


def test_a_new_segment_waits_for_an_open_contactor(tmp_path: Path) -> None:
    async def main() -> list[int]:
        quiet = [False]
        file = made(tmp_path, segment_bytes=3000, quiet=lambda: quiet[0])
        file.begin()
        seen = []
        for number in range(30):
            file.record([entry(number)])
        seen.append(len(list(tmp_path.iterdir())))
        quiet[0] = True
        file.record([entry(30)])
        seen.append(len(list(tmp_path.iterdir())))
        quiet[0] = False
        for number in range(31, 331):
            file.record([entry(number)])
        seen.append(len(list(tmp_path.iterdir())))
        await file.stop()
        return seen

    first, second, third = run_virtual(main())
    assert (first, second) == (1, 2)
    assert third > 2


@pytest.mark.req("F-2")
def test_a_disk_that_takes_no_more_costs_the_journal_only_and_is_tried_again(tmp_path: Path) -> None:
    async def main() -> JournalFile:
        folder = tmp_path / "journal"
        folder.write_text("a file where the folder should be")
        file = made(folder)
        file.begin()
        assert file.failed
        file.record([entry(1)])
        folder.unlink()
        await asyncio.sleep(61.0)
        file.record([Entry(Tick(61.0, 61.0), TimerExpired(), (), "")])
        file.record([entry(62)])
        assert not file.failed
        await file.stop()
        return file

    file = run_virtual(main())
    entries = [each for each in read(lines(file.folder)) if isinstance(each, Entry)]
    assert [each.tick.mono for each in entries] == [62.0]
