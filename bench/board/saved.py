"""The state file of the board's process: written whole or not at all, and by one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

FILE = "board.json"
PATIENCE_S = 5.0
"""A process that is ending has written by then."""
LOOK_S = 0.05


class StateInUse(Exception):
    """Another board process lives on this folder."""


class StateFile:
    """`board.json` in a folder. A process that was killed leaves the lock with its death, one that is still ending is waited for."""

    def __init__(self, folder: Path, patience_s: float = PATIENCE_S) -> None:
        """Raises StateInUse, OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / FILE
        self._lock = os.open(folder / "board.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until_s = time.monotonic() + patience_s
        while not self._locked():
            if time.monotonic() > until_s:
                os.close(self._lock)
                raise StateInUse(f"{folder}: another board process is running on it")
            time.sleep(LOOK_S)
        self._last = ""
        self._failed = False

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def read(self) -> Any:
        """What was written last; None when there is nothing. Raises ValueError, OSError."""
        return json.loads(self.path.read_text("utf-8")) if self.path.exists() else None

    def write(self, value: dict[str, Any]) -> None:
        """A reader finds the old or the new. No fsync: what has to survive is a killed process, not a machine without power."""
        text = json.dumps(value, separators=(",", ":"))
        if text == self._last:
            return
        fresh = self.path.with_suffix(".new")
        try:
            fresh.write_text(text, "utf-8")
            fresh.replace(self.path)
        except OSError as error:
            if not self._failed:
                print(f"board: {self.path}: {error.strerror or error}; the simulated world is not kept", file=sys.stderr)
            self._failed = True
        else:
            self._last, self._failed = text, False

    def close(self) -> None:
        """Let the next process have it."""
        os.close(self._lock)
