"""The charger's own share of a round of the loop: from the octets of a request into its connection to the octets of the answer out of it, TLS included; without
sockets, wake-ups and the vehicle's work.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from bench.vehicle import ev, secc
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g_line import Secure
from chargepoint.runtime.v2g_tls.secured import station, vehicle
from iso15118.connection import Changed, Command, Send

WARM = 20
"""Rounds that are not counted."""


class Pipe(asyncio.Transport):
    """Keeps what is written until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close

    def fetched(self) -> bytes:
        octets = bytes(self.written)
        self.written.clear()
        return octets


class Server:
    """Lets everybody in."""

    connections: tuple[secc.Connection, ...] = ()

    def takes(self, connection: secc.Connection) -> bool:
        return True

    def forget(self, connection: secc.Connection) -> None:
        """Nothing is remembered."""


class Car(ev.Drive):
    """A vehicle; `asked` is the kind of its last request."""

    asked = ""

    def shown(self, command: Command) -> None:
        if isinstance(command, Send):
            self.asked = type(command.message).__name__


def share_ms(pki: Path | None, loops: int) -> list[float]:
    """Of each round of a DC loop in dynamic control. Without a folder of certificates: without TLS."""
    return asyncio.run(_session(pki, loops))


async def _session(pki: Path | None, loops: int) -> list[float]:
    tls = "none" if pki is None else "1.3"
    bench = secc.Bench(secc.Options("", pki, tls=tls, control="dynamic", show=False), SystemClock(), sys.stdout)
    ours: Secure | None = None
    theirs: Secure | None = None
    if pki is not None:
        ours, theirs = station(pki, "1.3")[0](), vehicle(pki, "1.3")[0]
    charger = secc.Connection(bench, Server(), bench.session(), ours)  # type: ignore[arg-type]
    bench.changed = lambda: charger.handle(Changed())
    options = ev.Options("", pki, tls=tls, control="dynamic", loops=loops + WARM, loop_s=0.001, show=False)
    car = Car(ev.vehicle_for(options), theirs, lambda _: None)
    to_car, to_charger = Pipe(), Pipe()
    charger.connection_made(to_car)
    car.connection_made(to_charger)
    took: list[float] = []
    while not car.over.done():
        if octets := to_charger.fetched():
            began = time.perf_counter()
            charger.data_received(octets)
            if car.asked == "DC_ChargeLoopReq" and to_car.written:
                took.append(1000 * (time.perf_counter() - began))
        if octets := to_car.fetched():
            car.data_received(octets)
        await asyncio.sleep(0)
    return took[WARM:]
