"""`python -m bench.wheel FOLDER`: XSDs and an EXI codec for the JVM, out of the PyPI wheel `iso15118`. They are compared with, never kept here."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

VERSION = "0.31.2"
NAME = f"iso15118-{VERSION}-py3-none-any.whl"
SHA256 = "2e1fd191888ca5f5f3a34ccd0588611dba1cb6f33bbe7ad0588bab0cfe48d45a"
SCHEMAS = "iso15118/shared/schemas"
JAR = "iso15118/shared/EXICodec.jar"
PATIENCE_S = 240.0
"""For pip, from the call to the file."""


class WheelError(RuntimeError):
    """The wheel is not the one that we know; the message says why."""


class NoWheel(WheelError):
    """The wheel could not be fetched."""


def schemas(folder: Path) -> Path:
    """The wheel's tree of XSDs, as it stands there: V2G_CI_AppProtocol.xsd, xmldsig-core-schema.xsd, din_spec/, iso15118_2/, iso15118_20/."""
    target = folder / "schemas"
    return target if target.is_dir() else _unpack(folder, SCHEMAS, target)


def jar(folder: Path) -> Path:
    """EXICodec.jar."""
    target = folder / PurePosixPath(JAR).name
    return target if target.is_file() else _unpack(folder, JAR, target)


def wheel(folder: Path) -> Path:
    """The wheel itself; pip fetches it, from wherever pip is configured to, unless `folder` has it."""
    target = folder / NAME
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            _download(Path(place))
            (Path(place) / NAME).replace(target)
    if (found := hashlib.sha256(target.read_bytes()).hexdigest()) != SHA256:
        raise WheelError(f"{target}: not the wheel that PyPI has (sha256 {found})")
    return target


def _download(place: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command = [*pip, "download", "--no-deps", "--only-binary=:all:", f"--dest={place}", f"iso15118=={VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise NoWheel(f"pip download iso15118=={VERSION}: not there after {PATIENCE_S:g} s") from None
    if done.returncode or not (place / NAME).is_file():
        told = [line for line in done.stderr.splitlines() if line.strip()]
        raise NoWheel(f"pip download iso15118=={VERSION}: {told[-1] if told else f'no {NAME} came'}")


def _unpack(folder: Path, member: str, target: Path) -> Path:
    """A file or a tree of the wheel, put there in one step: another process never sees half of it."""
    with zipfile.ZipFile(wheel(folder)) as archive, tempfile.TemporaryDirectory(dir=folder) as place:
        names = [each for each in archive.namelist() if each == member or (each.startswith(f"{member}/") and each.endswith(".xsd"))]
        archive.extractall(place, names)
        try:
            (Path(place) / member).rename(target)
        except OSError:  # another process was faster: a folder with files in it is not replaced
            if not target.exists():
                raise
    return target


if __name__ == "__main__":
    print(schemas(Path(sys.argv[1])))
    print(jar(Path(sys.argv[1])))
