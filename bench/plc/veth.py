"""The simulated power line between two real network interfaces: frames of each host go through its modem, as `bench.plc.line` has it.

    chargepoint bench-line IF-OF-EV IF-OF-EVSE --dB 5.3 --loss 0.05

Both interfaces are the line's own ends of veth pairs, whose other ends are the hosts'. What crosses beside management messages (SDP, TCP) is carried
with what the kernel has put off for it, check sums and segments, so that nothing has to be switched off at the hosts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from bench.plc.line import Delivery, Line, Noise, Path
from bench.plc.modem import SimModem
from iso15118.slac.layout import ETHERTYPE
from iso15118.slac.modem_table import Kind

EV, EVSE = "ev", "evse"
MODEMS = {EV: bytes.fromhex("00B052000EF1"), EVSE: bytes.fromhex("00B052000EF2")}
AT_ONCE = 64
"""Frames are taken before others have their turn."""
MOST_OCTETS = 1 << 17
REOPEN_S = 0.05
_ALL = 0x0003
"""ETH_P_ALL."""
_SOL_PACKET, _ADD_MEMBERSHIP, _VNET_HDR, _IGNORE_OUTGOING, _PROMISCUOUS = 263, 1, 15, 23, 1
_RECEIVE_BUFFER_FORCE = 33
_HEADER = 10
"""struct virtio_net_hdr: before each frame, what is still to be done for it."""


class Port:
    """One end: an interface with everything that comes in on it; one that has gone away is waited for."""

    def __init__(self, name: str, interface: str) -> None:
        self.name, self.interface = name, interface
        self.socket = self._opened()

    def _opened(self) -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            made.setblocking(False)
            made.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
            made.setsockopt(_SOL_PACKET, _VNET_HDR, 1)
            made.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCE, 1 << 22)
            made.bind((self.interface, _ALL))
            member = struct.pack("iHH8s", socket.if_nametoindex(self.interface), _PROMISCUOUS, 0, b"")
            made.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, member)
        except OSError:
            made.close()
            raise
        return made

    def reopen(self) -> None:
        """Raises OSError where it is not there yet."""
        self.socket.close()
        self.socket = self._opened()

    def received(self) -> bytes | None:
        """One frame; those that are no management message have their header behind them. None: no more. Raises OSError when the interface goes."""
        try:
            octets = self.socket.recv(MOST_OCTETS)
        except BlockingIOError:
            return None
        header, frame = octets[:_HEADER], octets[_HEADER:]
        return frame if frame[12:14] == ETHERTYPE else frame + header

    def send(self, octets: bytes) -> None:
        """One frame as `received` gives it; what the interface does not take is lost."""
        plain = octets[12:14] == ETHERTYPE
        with contextlib.suppress(OSError):
            self.socket.send(bytes(_HEADER) + octets if plain else octets[-_HEADER:] + octets[:-_HEADER])


class Process:
    """The line on the loop's time."""

    def __init__(self, line: Line, ports: Iterable[Port]) -> None:
        self.line, self.ports = line, {each.name: each for each in ports}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        for each in self.ports.values():
            self._loop.add_reader(each.socket, self._read, each)

    def _read(self, port: Port) -> None:
        try:
            for _ in range(AT_ONCE):
                octets = port.received()
                if octets is None:
                    break
                self._deliver(self.line.heard(self._loop.time(), port.name, octets))
        except OSError:
            self._loop.remove_reader(port.socket)
            self._reopen(port)
        self._set_timer()

    def _reopen(self, port: Port) -> None:
        try:
            port.reopen()
        except OSError:
            self._loop.call_later(REOPEN_S, self._reopen, port)
            return
        self.line.modems[port.name].host = None
        self._loop.add_reader(port.socket, self._read, port)

    def _deliver(self, deliveries: Iterable[Delivery]) -> None:
        for each in deliveries:
            self.ports[each.port].send(each.octets)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.line.deadline()
        self._timer = None if due is None else self._loop.call_at(due, self._due)

    def _due(self) -> None:
        self._deliver(self.line.due(self._loop.time()))
        self._set_timer()

    def change(self, words: bytes) -> None:
        """`{"evse": {"dead": true}}` or `{"noise": {"loss": 0.5}}` or `{"dB": 30}`: what is so from now on. Raises ValueError."""
        for name, values in json.loads(words).items():
            if name == "dB":
                self.line.paths[frozenset((EV, EVSE))] = None if values is None else Path(float(values))
                continue
            made: Any = self.line.noise if name == "noise" else self.line.modems[name]
            for key, value in values.items():
                if key not in {each.name for each in fields(made)}:
                    raise ValueError(f"{name} has no {key}")
                setattr(made, key, Kind(value) if key == "kind" else value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As given on the command line."""

    ev: str
    evse: str
    dB: float = 5.3
    slope_dB: float = 0.0
    loss: float = 0.0
    duplicates: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    ev_kind: Kind = Kind.QUALCOMM
    evse_kind: Kind = Kind.QUALCOMM
    key_s: float = 0.7
    result: int = 1
    join_s: float = 0.6
    seed: int = 0

    def line(self) -> Line:
        """With two modems."""
        kinds = {EV: self.ev_kind, EVSE: self.evse_kind}
        modems = {
            name: SimModem(mac, kind=kinds[name], key_s=self.key_s, result=self.result, profiles=name == EVSE)
            for name, mac in MODEMS.items()
        }
        noise = Noise(self.loss, self.duplicates, self.delay_s, self.jitter_s)
        chance = random.Random(self.seed).random
        return Line(modems, chance, elsewhere=Path(self.dB, self.slope_dB), noise=noise, join_s=self.join_s)


async def run(options: Options) -> None:
    """Until SIGINT or SIGTERM. Raises OSError. On standard input: what changes, a JSON object a line (`Process.change`)."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    process = Process(options.line(), (Port(EV, options.ev), Port(EVSE, options.evse)))

    said = b""

    def told() -> None:
        nonlocal said
        octets = os.read(sys.stdin.fileno(), MOST_OCTETS)
        if not octets:
            loop.remove_reader(sys.stdin)
        *lines, said = (said + octets).split(b"\n")
        for each in lines:
            try:
                process.change(each)
            except (ValueError, KeyError, TypeError) as error:
                print(f"not understood: {error!r}", file=sys.stderr, flush=True)

    with contextlib.suppress(OSError, ValueError):  # a file, or /dev/null
        loop.add_reader(sys.stdin, told)
    print("ready", flush=True)
    await ended.wait()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the line is like."""
    parser.add_argument("ev", metavar="IF-OF-EV", help="the line's end of the vehicle's veth pair")
    parser.add_argument("evse", metavar="IF-OF-EVSE", help="the line's end of the charger's veth pair")
    parser.add_argument("--dB", type=float, default=5.3, help="attenuation between the modems")
    parser.add_argument("--slope-dB", type=float, default=0.0, help="so much more for the last group of carriers than for the first")
    parser.add_argument("--loss", type=float, default=0.0, help="share of frames that are lost")
    parser.add_argument("--duplicates", type=float, default=0.0, help="share of frames that come twice")
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--jitter-s", type=float, default=0.0)
    parser.add_argument("--ev-kind", type=Kind, default=Kind.QUALCOMM, metavar="KIND", help="qualcomm, lumissil, key only")
    parser.add_argument("--evse-kind", type=Kind, default=Kind.QUALCOMM, metavar="KIND")
    parser.add_argument("--key-s", type=float, default=0.7, help="a modem takes so long to set a key")
    parser.add_argument("--result", type=int, default=1, help="of CM_SET_KEY.CNF: 1 as Qualcomm's chips, 0 as the standard")
    parser.add_argument("--join-s", type=float, default=0.6, help="from equal keys to a link")
    parser.add_argument("--seed", type=int, default=0, help="of what is left to chance")


def options_of(given: argparse.Namespace) -> Options:
    """From the command line."""
    return Options(**{each.name: getattr(given, each.name) for each in fields(Options)})


def main(arguments: Sequence[str]) -> int:
    """Exit code 0."""
    parser = argparse.ArgumentParser(prog="chargepoint bench-line", description=(__doc__ or "").partition("\n")[0])
    add_arguments(parser)
    asyncio.run(run(options_of(parser.parse_args(arguments))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
