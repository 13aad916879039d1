"""Wireshark's dissectors, as another program's opinion of frames."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bench.plc.site import pcap


def capture(path: Path, frames: list[bytes]) -> Path:
    """One a second."""
    path.write_bytes(pcap((float(number), each) for number, each in enumerate(frames)))
    return path


def tshark(path: Path, *words: str) -> str:
    """What it prints."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("no tshark (`make oracles` installs it)")
    return subprocess.run([program, "-r", str(path), *words], capture_output=True, text=True, check=True, timeout=120).stdout
