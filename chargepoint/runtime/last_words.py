"""What a process that is killed by a signal of its own leaves behind: where each thread was.

systemd ends a process whose watchdog nobody feeds with SIGABRT. The interpreter may be stuck then, so no handler in Python runs: `faulthandler`
writes from the signal itself. The next start finds the file, and knows why it starts (F-16: boot reason Watchdog).
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
from collections.abc import Iterator
from pathlib import Path

FILE, KEPT = "last-words", "last-words.old"
ABORTED = b"Fatal Python error: Aborted"


@contextlib.contextmanager
def listening(state_dir: Path) -> Iterator[None]:
    """From here to the end a fatal signal writes the tracebacks of all threads. A disk that takes no file is no reason not to run."""
    try:
        file = os.open(state_dir / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    faulthandler.enable(file)
    try:
        yield
    finally:
        faulthandler.disable()
        os.close(file)


def taken(state_dir: Path) -> bytes:
    """What the process before us wrote; kept beside as `last-words.old`, for a person. b"" where it said nothing."""
    file = state_dir / FILE
    try:
        words = file.read_bytes()
        if words:
            file.replace(state_dir / KEPT)
    except OSError:
        return b""
    return words
