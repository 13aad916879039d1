"""When TCP segments with octets pass an interface, by the kernel's own clock: what is measured is not disturbed, for the socket is read when all is over."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_ETH_IPV6, _TCP, _OUTGOING = 0x86DD, 6, 4
_RECEIVE_OCTETS = 16 << 20
_SO_TIMESTAMPNS = 35


@dataclass
class Passed:
    """One exchange after the other: seconds from the last octets in to the first octets out."""

    answers_s: list[float] = field(default_factory=list)


@contextmanager
def tapped(namespace: str, interface: str) -> Iterator[Passed]:
    """Filled when the block is left. Needs root."""
    passed = Passed()
    command = ["ip", "netns", "exec", namespace, sys.executable, __file__, interface]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is not None:
            process.stdout.readline()
        try:
            yield passed
        finally:
            out, _ = process.communicate("\n")
            passed.answers_s = list(answers_s(json.loads(out)))


def answers_s(segments: list[tuple[bool, float]]) -> Iterator[float]:
    """`(goes out, when)` of each segment; gives the time of each answer."""
    asked: float | None = None
    for out, at in segments:
        if not out:
            asked = at
        elif asked is not None:
            yield at - asked
            asked = None


def _main(interface: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)) as tap:
        tap.setsockopt(socket.SOL_SOCKET, 33, _RECEIVE_OCTETS)  # SO_RCVBUFFORCE
        tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        tap.bind((interface, 0x0003))
        print("ready", flush=True)
        sys.stdin.readline()
        tap.setblocking(False)
        found: list[tuple[bool, float]] = []
        while True:
            try:
                frame, ancillary, _, address = tap.recvmsg(65536, 256)
            except BlockingIOError:
                break
            if _octets(frame):
                seconds, ns = struct.unpack("qq", ancillary[0][2][:16])
                found.append((address[2] == _OUTGOING, seconds + ns * 1e-9))
        print(json.dumps(found))


def _octets(frame: bytes) -> int:
    """How many a TCP segment carries."""
    if len(frame) < 74 or int.from_bytes(frame[12:14], "big") != _ETH_IPV6 or frame[20] != _TCP:
        return 0
    return int.from_bytes(frame[18:20], "big") - 4 * (frame[14 + 40 + 12] >> 4)


if __name__ == "__main__":
    _main(sys.argv[1])
