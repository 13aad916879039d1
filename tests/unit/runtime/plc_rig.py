"""A pair of real network interfaces in this process's own namespace, and frames for them."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from iso15118.slac import mme, vendor
from iso15118.slac.layout import Mme
from iso15118.slac.mme import BROADCAST, Frame

STRANGER, MODEM = bytes.fromhex("0200000000AA"), bytes.fromhex("00B052000001")[:5] + b"\x77"
RUN_ID = bytes(range(8))
PARM_REQ = mme.SlacParmReq(run_id=RUN_ID)
PATIENCE_S = 5.0
_numbers = itertools.count()


def frame(said: Mme, *, to: bytes = BROADCAST, source: bytes = STRANGER) -> bytes:
    return mme.octets(Frame(to, source, said))


def version(to: bytes, source: bytes = MODEM) -> bytes:
    """A modem's answer."""
    return frame(vendor.VsSwVerCnf(device_class=0x22, version="MAC-QCA7000"), to=to, source=source)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass(frozen=True)
class Pair:
    """Ours and the other end."""

    near: str
    far: str

    @property
    def mac(self) -> bytes:
        return bytes.fromhex(Path(f"/sys/class/net/{self.near}/address").read_text().strip().replace(":", ""))

    def make(self) -> None:
        ip("link", "add", self.near, "type", "veth", "peer", "name", self.far)
        for each in (self.near, self.far):
            Path(f"/proc/sys/net/ipv6/conf/{each}/disable_ipv6").write_text("1")
            ip("link", "set", each, "up")

    def remove(self) -> None:
        subprocess.run(["ip", "link", "del", self.near], check=False, capture_output=True)

    def up(self, *, on: bool, which: str = "") -> None:
        ip("link", "set", which or self.near, "up" if on else "down")

    @contextmanager
    def other_end(self) -> Iterator[socket.socket]:
        """Puts anything on the line, and hears management messages of all."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88E1)) as line:
            line.bind((self.far, 0x88E1))
            line.settimeout(PATIENCE_S)
            yield line


@contextmanager
def pair() -> Iterator[Pair]:
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("network interfaces need root and the program ip: make oracles")
    number = f"{os.getpid() % 100_000}x{next(_numbers)}"
    made = Pair(f"cpn{number}", f"cpf{number}")
    made.make()
    try:
        yield made
    finally:
        made.remove()


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 what is waited for says nothing by itself
            await asyncio.sleep(0.005)
