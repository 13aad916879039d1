"""The store: one SQLite file, durable with each commit, written by one thread.

Everything that waits when the thread looks is one commit, so a burst of events costs one fsync. On a loop that has no threads
(virtual time) it is written in place, and told a turn later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from chargepoint.commands import Command, Delete, Persist
from chargepoint.events import Persisted, PersistFailed
from chargepoint.runtime.port import Tell

FILE = "station.sqlite"
SCHEMA_VERSION = 1
MIGRATIONS: tuple[str, ...] = (
    # 0 -> 1
    "CREATE TABLE rows (name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, key)) WITHOUT ROWID",
)
"""Each brings the file from the version of its place to the next."""
BUSY_S = 5.0
"""Another process that reads the file (a person with sqlite3) gets this long."""
STOP_S = 3.0
"""At the end of the process the last writes get this long."""


class StoreError(Exception):
    """The file cannot be used; the message says why and what to do."""


class Database:
    """The file itself; every call blocks. One thread at a time uses it."""

    def __init__(self, path: Path, most_bytes: int = 0) -> None:
        self.path, self._most_bytes = path, most_bytes
        self.set_aside: Path | None = None
        """Where a damaged file was moved, which was then begun anew; nothing of it is deleted."""
        try:
            self._open(most_bytes)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise StoreError(f"{path}: {error}") from None
            self._begin_anew(most_bytes)

    def _begin_anew(self, most_bytes: int) -> None:
        self.set_aside = _aside(self.path)
        self._open(most_bytes)

    def _open(self, most_bytes: int) -> None:
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self.path.chmod(0o600)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA wal_autocheckpoint=200")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StoreError(f"{self.path}: of version {version}, written by a later software; this one knows {SCHEMA_VERSION}")
            for number, migration in enumerate(MIGRATIONS[version:], version + 1):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(migration)
                connection.execute(f"PRAGMA user_version={number}")
                connection.execute("COMMIT")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("damaged")
            if most_bytes:
                page = connection.execute("PRAGMA page_size").fetchone()[0]
                connection.execute(f"PRAGMA max_page_count={max(most_bytes // page, 64)}")
        except BaseException:
            connection.close()
            raise
        self.connection = connection

    def load(self) -> dict[str, dict[str, Any]]:
        """Everything: table -> key -> value. A file with a row that is no JSON is damaged: set aside, and nothing is found."""
        found: dict[str, dict[str, Any]] = {}
        try:
            for name, key, value in self.connection.execute("SELECT name, key, value FROM rows ORDER BY name, key"):
                found.setdefault(name, {})[key] = json.loads(value)
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if isinstance(error, sqlite3.OperationalError) and "decode" not in str(error):
                raise StoreError(f"{self.path}: {error}") from None
            self.connection.close()
            self._begin_anew(self._most_bytes)
            return {}
        return found

    def write(self, persists: Sequence[Persist]) -> None:
        """All of them in one commit, on disk when it returns. Raises sqlite3.Error, and then nothing of it is."""
        with contextlib.closing(self.connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                for persist in persists:
                    for row in persist.writes:
                        if isinstance(row, Delete):
                            cursor.execute("DELETE FROM rows WHERE name=? AND key=?", (row.table, row.key))
                        else:
                            cursor.execute("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", (row.table, row.key, _text(row.value)))
                cursor.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    cursor.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Write back what is in the WAL, and let go."""
        self.connection.close()


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))  # ASCII: a lone surrogate from the wire can be kept, too


def _aside(path: Path) -> Path:
    number = 1
    while (moved := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(moved)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(moved.with_name(moved.name + suffix))
    return moved


def outcome(database: Database, persists: Sequence[Persist]) -> list[Persisted | PersistFailed]:
    """Write, and what there is to tell of it. When all together cannot be written, each is tried by itself: one must not fail for another."""
    try:
        database.write(persists)
    except Exception as error:  # noqa: BLE001 whatever it was, the writer goes on, and nobody waits for an answer that does not come
        if len(persists) > 1:
            return [said for each in persists for said in outcome(database, [each])]
        return [PersistFailed(persists[0].refs, str(error))]
    return [Persisted(each.refs) for each in persists if each.refs]


class StorePort:
    """Takes Persist, tells Persisted or PersistFailed. `threaded` False writes in place."""

    takes: ClassVar[tuple[type[Command], ...]] = (Persist,)

    def __init__(self, database: Database, tell: Tell, *, threaded: bool = True) -> None:
        self.database, self.tell = database, tell
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[Persist | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True) if threaded else None

    async def start(self) -> None:
        if self._thread:
            self._thread.start()

    def carry_out(self, command: Command) -> None:
        if not isinstance(command, Persist):
            return
        if self._thread:
            self._waiting.put(command)
        else:
            for said in outcome(self.database, [command]):
                self._loop.call_soon(self.tell, said)

    def _run(self) -> None:
        while True:
            persists, end = self._next()
            if persists:
                for said in outcome(self.database, persists):
                    with contextlib.suppress(RuntimeError):  # the loop is gone: nobody is left to hear it, and it is on disk
                        self._loop.call_soon_threadsafe(self.tell, said)
            if end:
                return

    def _next(self) -> tuple[list[Persist], bool]:
        taken = [self._waiting.get()]
        while not self._waiting.empty():
            taken.append(self._waiting.get())
        return [each for each in taken if each is not None], None in taken

    async def stop(self) -> None:
        """What has been given is on disk when this returns; a disk that hangs is not waited for longer than STOP_S."""
        if self._thread and self._thread.is_alive():
            self._waiting.put(None)
            await self._loop.run_in_executor(None, self._thread.join, STOP_S)
            if self._thread.is_alive():
                return
        self.database.close()
