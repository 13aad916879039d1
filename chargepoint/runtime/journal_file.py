"""The journal on disk: segments of bounded size, the finished ones compressed, the oldest ones dropped.

Lines reach the operating system each second, and at once when something opens or fails, so a kill of the process costs at most the last
quiet second. A disk that takes no more costs the journal, never the station.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from chargepoint import journal
from chargepoint.commands import Command, Lane, Log
from chargepoint.journal import Entry, Head

FLUSH_S = 1.0
SEGMENT_BYTES = 4_000_000
"""A segment is closed after this much, when no contactor is closed, since the snapshot of the next one takes a moment; after four times as much at any moment."""
TRY_AGAIN_S = 60.0
"""After the disk took no more."""


class JournalFile:
    """`record` is the shell's. `head` gives the head of a segment that begins now; `quiet` says whether this is a good moment for it."""

    def __init__(
        self,
        folder: Path,
        head: Callable[[], Head],
        quiet: Callable[[], bool] = lambda: True,
        *,
        keep_bytes: int = 32_000_000,
        segment_bytes: int = SEGMENT_BYTES,
        threaded: bool = True,
    ) -> None:
        self.folder, self.head, self.quiet = folder, head, quiet
        self.keep_bytes, self.segment_bytes, self.threaded = keep_bytes, segment_bytes, threaded
        self.failed = ""
        """Why nothing is written at the moment."""
        self._loop = asyncio.get_running_loop()
        self._file: TextIO | None = None
        self._size = 0
        self._try_at = 0.0
        self._flush: asyncio.TimerHandle | None = None
        self._packing: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """A new segment; the one before is packed."""
        self._close()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / f"{_last(self.folder) + 1:08d}.jsonl"
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii", newline="\n")
            self.failed = ""
            self._write(journal.head_line(self.head()))
            self._pack(path)
        except OSError as error:
            self._give_up(error)

    def record(self, entries: Sequence[Entry]) -> None:
        """Some inputs and what followed. A new segment begins after the last of them, since its snapshot holds them all."""
        if not entries:
            return
        if self._file is None:
            if entries[-1].tick.mono >= self._try_at:
                self.begin()
            return
        try:
            for entry in entries:
                self._write(journal.entry_line(entry))
            if any(entry.crashed or any(_urgent(each) for each in entry.commands) for entry in entries):
                self.flush()
        except OSError as error:
            self._give_up(error)
            return
        if self._size > self.segment_bytes and (self.quiet() or self._size > 4 * self.segment_bytes):
            self.begin()

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        self._size += self._file.write(line + "\n")
        if self._flush is None:
            self._flush = self._loop.call_later(FLUSH_S, self._flush_due)

    def _flush_due(self) -> None:
        self._flush = None
        try:
            self.flush()
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """To the operating system. Raises OSError."""
        if self._file is not None:
            self._file.flush()

    def _give_up(self, error: OSError) -> None:
        self.failed = str(error)
        self._try_at = self._loop.time() + TRY_AGAIN_S
        self._close()

    def _close(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        file, self._file, self._size = self._file, None, 0
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.failed = str(error)

    def _pack(self, current: Path) -> None:
        finished = [path for path in sorted(self.folder.glob("*.jsonl")) if path != current]
        if self.threaded and self._packing is not None and not self._packing.done():
            return  # the next segment finds what this one left
        if self.threaded:
            self._packing = self._loop.run_in_executor(None, pack, self.folder, finished, self.keep_bytes)
        else:
            pack(self.folder, finished, self.keep_bytes)

    async def stop(self) -> None:
        """All is in the file."""
        self._close()
        if self._packing is not None:
            await self._packing


def _urgent(command: Command) -> bool:
    return command.lane is Lane.SAFE or (isinstance(command, Log) and command.level in ("warning", "error"))


def _last(folder: Path) -> int:
    return max((int(path.name[:8]) for path in folder.glob("*.jsonl*") if path.name[:8].isdigit()), default=0)


def pack(folder: Path, finished: Sequence[Path], keep_bytes: int) -> None:
    """Compress what is finished, and drop the oldest segments until the folder keeps to its bound. What fails is tried next time."""
    for path in finished:
        packed = path.with_name(path.name + ".gz")
        try:
            with (
                path.open("rb") as plain,
                os.fdopen(os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw,
                gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=6) as zipped,
            ):
                shutil.copyfileobj(plain, zipped)
            path.unlink()
        except OSError:
            packed.unlink(missing_ok=True)
    kept = sorted(folder.glob("*.jsonl*"))
    sizes = [path.stat().st_size for path in kept]
    while len(kept) > 1 and sum(sizes) > keep_bytes:
        kept.pop(0).unlink(missing_ok=True)
        sizes.pop(0)


def lines(path: Path) -> Iterator[str]:
    """The lines of one segment, or of all segments of a folder in order, packed or not. Raises OSError, EOFError."""
    for segment in sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]:
        with gzip.open(segment, "rt", encoding="ascii") if segment.suffix == ".gz" else segment.open(encoding="ascii") as text:
            yield from text
