"""The store: durable, merged, one commit for what waits together; what cannot be written is told and leaves the rest alone (F-1, F-2)."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chargepoint.commands import Delete, Persist, Put
from chargepoint.events import Persisted, PersistFailed
from chargepoint.runtime.ports.store import SCHEMA_VERSION, Database, StoreError, StorePort, outcome
from chargepoint.runtime.virtual import run_virtual


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "station.sqlite"


def test_what_was_written_is_there_again(path: Path) -> None:
    database = Database(path)
    database.write([Persist((Put("a", "1", {"x": [1, None, "\ud800"]}), Put("a", "2", 2), Put("b", "1", "é")))])
    database.write([Persist((Delete("a", "2"), Delete("a", "never"), Put("b", "1", 3)))])
    database.close()
    assert Database(path).load() == {"a": {"1": {"x": [1, None, "\ud800"]}}, "b": {"1": 3}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.req("F-1")
def test_a_commit_is_on_disk_when_it_is_told(path: Path) -> None:
    """A process that is killed right after `Persisted` has lost nothing."""
    code = f"""
import os, signal
from pathlib import Path
from chargepoint.commands import Persist, Put
from chargepoint.runtime.ports.store import Database
database = Database(Path({str(path)!r}))
for n in range(20):
    database.write([Persist((Put("t", str(n), n),))])
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert Database(path).load()["t"] == {str(n): n for n in range(20)}


@pytest.mark.req("F-1")
def test_synchronous_full_and_wal(path: Path) -> None:
    database = Database(path)
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.req("F-2")
def test_a_full_disk_is_told_and_is_over_when_there_is_room(path: Path) -> None:
    database = Database(path, most_bytes=64 * 4096)
    big = "x" * 100_000
    written = []
    for number in range(10):
        written += outcome(database, [Persist((Put("t", str(number), big),), (f"r{number}",))])
    kept = [each for each in written if isinstance(each, Persisted)]
    refused = [each for each in written if isinstance(each, PersistFailed)]
    assert kept
    assert refused
    assert "full" in refused[0].error
    assert set(database.load()["t"]) == {each.refs[0].removeprefix("r") for each in kept}
    assert outcome(database, [Persist((Delete("t", "0"),), ("room",))]) == [Persisted(("room",))]
    assert outcome(database, [Persist((Put("t", "again", big),), ("again",))]) == [Persisted(("again",))]


@pytest.mark.req("F-2")
def test_one_that_cannot_be_written_does_not_take_the_others_with_it(path: Path) -> None:
    database = Database(path)
    persists = [Persist((Put("t", "1", 1),), ("1",)), Persist((Put("t", "2", object()),), ("2",)), Persist((Put("t", "3", 3),), ("3",))]
    said = outcome(database, persists)
    assert [type(each).__name__ for each in said] == ["Persisted", "PersistFailed", "Persisted"]
    assert database.load() == {"t": {"1": 1, "3": 3}}


def test_a_persist_is_whole_or_not_at_all(path: Path) -> None:
    database = Database(path)
    assert isinstance(outcome(database, [Persist((Put("t", "1", 1), Put("t", "2", object())), ("x",))])[0], PersistFailed)
    assert database.load() == {}


@pytest.mark.req("F-1")
@pytest.mark.parametrize("damage", [b"no database at all, but long enough to be read as one" * 4, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_kept_aside_and_the_station_starts(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    database = Database(path)
    assert database.load() == {}
    assert database.set_aside
    assert database.set_aside.read_bytes() == damage


def test_a_file_of_a_later_software_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as later:
        later.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    later.close()
    with pytest.raises(StoreError, match="later software"):
        Database(path)


def test_a_file_of_version_0_is_brought_up(path: Path) -> None:
    sqlite3.connect(path).close()
    database = Database(path)
    assert database.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


@pytest.mark.parametrize("threaded", [True, False])
def test_the_port_tells_what_is_on_disk_in_order(path: Path, threaded: bool) -> None:
    async def main() -> list[object]:
        told: list[object] = []
        port = StorePort(Database(path), told.append, threaded=threaded)
        await port.start()
        for number in range(100):
            port.carry_out(Persist((Put("t", str(number), number),), (f"r{number}",)))
        port.carry_out(Persist((Put("t", "quiet", 1),)))
        assert told == []
        await port.stop()
        await asyncio.sleep(0)
        return told

    told = asyncio.run(main()) if threaded else run_virtual(main())
    assert told == [Persisted((f"r{number}",)) for number in range(100)]
    stored = sqlite3.connect(path)
    assert [json.loads(value) for (value,) in stored.execute("SELECT value FROM rows WHERE key='99'")] == [99]
    stored.close()


@pytest.mark.parametrize("value", ["no json", b"\xff\xfe"])
def test_a_file_with_a_row_that_is_no_json_is_set_aside(path: Path, value: object) -> None:
    database = Database(path)
    database.write([Persist((Put("a", "1", 1),))])
    database.connection.execute("INSERT INTO rows VALUES ('a', '2', CAST(? AS TEXT))", (value,))
    database.close()
    database = Database(path)
    assert database.load() == {}
    assert database.set_aside == path.with_name("station.sqlite.damaged-1")
    database.write([Persist((Put("a", "1", 2),))])
    assert database.load() == {"a": {"1": 2}}
    with sqlite3.connect(database.set_aside) as kept:
        assert kept.execute("SELECT count(*) FROM rows").fetchone() == (2,)
