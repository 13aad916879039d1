"""Files that are whole or not there: written beside their place, synced, renamed, and the folder synced (F-1). For the owner's eyes only."""

from __future__ import annotations

import errno
import os
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
UNFINISHED = ".unfinished"
"""Ends the name of a file that is being written."""


class Disk:
    """Every step that changes something is a method of its own: a test lets each of them fail."""

    def make_folder(self, folder: Path) -> None:
        """With the folders above it, and whatever the umask says."""
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o777 != FOLDER_MODE:
            folder.chmod(FOLDER_MODE)

    def place(self, path: Path, octets: bytes) -> None:
        """On disk when it returns, in the place of what was there."""
        unfinished = path.with_name(path.name + UNFINISHED)
        self.write(unfinished, octets)
        self.rename(unfinished, path)
        self.sync(path.parent)

    def write(self, path: Path, octets: bytes) -> None:
        """One that a crash left is written over."""
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
        try:
            os.fchmod(file, FILE_MODE)
            rest = memoryview(octets)
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        finally:
            os.close(file)

    def rename(self, path: Path, to: Path) -> None:
        """At once: whoever looks sees the one or the other."""
        path.replace(to)

    def sync(self, folder: Path) -> None:
        """What was renamed and removed in it stays so."""
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def remove(self, path: Path) -> None:
        """One that is not there is no error."""
        path.unlink(missing_ok=True)

    def set_aside(self, path: Path, folder: Path) -> Path:
        """Moves what nobody here has written to where it harms nobody; nothing of it is deleted."""
        self.make_folder(folder)
        number = 1
        while (to := folder / f"{path.name}.{number}").exists() or to.is_symlink():
            number += 1
        self.rename(path, to)
        self.sync(folder)
        self.sync(path.parent)
        return to


class ReadOnlyDisk(Disk):
    """To look only."""

    def write(self, path: Path, octets: bytes) -> None:
        raise OSError(errno.EROFS, "opened to look only", str(path))

    def remove(self, path: Path) -> None:
        raise OSError(errno.EROFS, "opened to look only", str(path))
