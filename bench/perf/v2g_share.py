"""The charger's own share of a session, request by request: from the octets of a request into its connection to the octets of the answer out of it, TLS included; without
sockets, wake-ups and the vehicle's work.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from bench.v2g import ev, secc
from bench.v2g.charger import Pace
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g_line import Secure
from chargepoint.runtime.v2g_tls.secured import station, vehicle
from iso15118.connection import Changed, Command, Send

LOOP = "DC_ChargeLoopReq"
PACE = Pace()
WARM = 20
"""Rounds of a session before, which is not counted: a charger that runs has had one."""


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

    def takes(self, new: secc.Connection) -> bool:
        return True

    def forget(self, gone: secc.Connection) -> None:
        """Nothing is remembered."""


class Car(ev.Drive):
    """A vehicle; `asked` is the kind of its last request."""

    asked = ""

    def shown(self, command: Command) -> None:
        if isinstance(command, Send):
            self.asked = type(command.message).__name__


def shares_ms(pki: Path | None, loops: int, pace: Pace = PACE, auth: str = "eim") -> list[tuple[str, float]]:
    """What was asked ("": the handshake) and the charger's share of it, for a whole session of DC in dynamic control. Without a folder of certificates: without
    TLS.
    """
    asyncio.run(_session(pki, WARM, pace, auth))
    return asyncio.run(_session(pki, loops, pace, auth))


def loop_ms(shares: list[tuple[str, float]]) -> list[float]:
    """Of each round of the loop."""
    return [ms for asked, ms in shares if asked == LOOP]


def setup_ms(shares: list[tuple[str, float]]) -> float:
    """From the connection to the first PowerDelivery, which waits for power."""
    until = next(at for at, (asked, _) in enumerate(shares) if asked == "PowerDeliveryReq")
    return sum(ms for _, ms in shares[:until])


async def _session(pki: Path | None, loops: int, pace: Pace, auth: str) -> list[tuple[str, float]]:
    tls = "none" if pki is None else "1.3"
    bench = secc.Bench(secc.Options("", pki, tls=tls, auth=auth, control="dynamic", show=False), SystemClock(), sys.stdout)
    ours: Secure | None = None
    theirs: Secure | None = None
    if pki is not None:
        ours, theirs = station(pki, "1.3")[0](), vehicle(pki, "1.3")[0]
    session = bench.session(ours)
    bench.chargers[id(session)].pace = pace
    charger = secc.Connection(bench, Server(), session, ours)
    bench.changed = lambda: charger.handle(Changed())
    options = ev.Options("", pki, tls=tls, auth=auth, control="dynamic", loops=loops, loop_s=0.001, show=False)
    car = Car(ev.vehicle_for(options), theirs, lambda _: None)
    to_car, to_charger = Pipe(), Pipe()
    charger.connection_made(to_car)
    car.connection_made(to_charger)
    took: list[tuple[str, float]] = []
    while not car.over.done():
        if octets := to_charger.fetched():
            began = time.perf_counter()
            charger.data_received(octets)
            took.append((car.asked, 1000 * (time.perf_counter() - began)))
        if octets := to_car.fetched():
            car.data_received(octets)
        await asyncio.sleep(0)
    return took
