"""What real vehicles have sent, over TCP: each with a connection of its own to the charger of `chargepoint secc`, all of them at once. There is an AC one and a DC
one, and each speaks all that it may: it is the vehicle's own offer that decides.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.v2g.charger import Pace
from bench.v2g.recorded import Player, Recorded, recorded
from bench.v2g.secc import Bench, Options, Server
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g import V2gServer, Where
from chargepoint.runtime.ports.v2g_line import Secure
from iso15118 import sdp
from iso15118.messages.declare import Message
from iso15118.protocols import usual
from iso15118.secc.session import Session
from iso15118.terms import SessionOver, Told
from iso15118.v2gtp import FrameReader
from tests.replay.test_replay_cars import DIY

pytestmark = pytest.mark.collected

LOOPBACK = Where("lo", socket.if_nametoindex("lo"), ipaddress.IPv6Address("::1"))
PATIENCE_S = 240.0
MOST_PAUSE_S = 0.02
"""From a response to the next request: as recorded, but no longer."""
QUICK = Pace(0.1, 0.1, contactor_s=0.02, voltage_V_per_s=50_000.0, current_A_per_s=50_000.0, off_A_per_s=50_000.0)


class Chargers(Bench):
    """Quick ones; `endings` is how their sessions ended."""

    def __init__(self, mode: str) -> None:
        names = ",".join(usual(mode, plain=True))
        super().__init__(Options("lo", protocols=names, show=False, most_sessions=100), SystemClock(), io.StringIO())
        self.endings: list[str] = []

    def session(self, secure: Secure | None = None) -> Session:
        made = super().session(secure)
        self.chargers[id(made)].pace = QUICK
        return made

    def told(self, session: Session, told: Told) -> None:
        if isinstance(told, SessionOver):
            self.endings.append(told.ending.value)
        super().told(session, told)


async def ride(port: int, car: Recorded) -> list[Message]:
    """Its responses, as far as there are any."""
    player, frames = Player(car), FrameReader()
    reader, writer = await asyncio.open_connection("::1", port)
    while player.asked is not None:
        await asyncio.sleep(min(player.asked.after_s, MOST_PAUSE_S))
        writer.write(player.ask() or b"")
        answered = len(player.responses)
        while len(player.responses) == answered:
            if not (octets := await reader.read(65536)):
                writer.close()
                return player.responses
            for each in frames.feed(octets):
                player.hear(each.payload)
    writer.close()
    return player.responses


@asynccontextmanager
async def charging(mode: str) -> AsyncIterator[tuple[Chargers, int]]:
    """Chargers, and their port."""
    chargers = Chargers(mode)
    server: Server = V2gServer(LOOPBACK, chargers)
    await server.start()
    chargers.changed = server.changed
    answer = server.answer(sdp.Request(sdp.Security.NONE).octets())
    assert answer is not None
    try:
        yield chargers, sdp.read_response(answer).port
    finally:
        await server.stop()


async def everybody(cars: list[Recorded]) -> tuple[dict[str, list[Message]], list[str]]:
    """The responses to each, and how the sessions ended."""
    async with asyncio.timeout(PATIENCE_S), charging("ac") as (ac, ac_port), charging("dc") as (dc, dc_port):
        ports = [ac_port if each.is_ac else dc_port for each in cars]
        found = await asyncio.gather(*(ride(port, each) for port, each in zip(ports, cars, strict=True)))
    assert ac.sessions + dc.sessions == len(cars)
    return {each.name: responses for each, responses in zip(cars, found, strict=True)}, ac.endings + dc.endings


def test_every_vehicle_is_answered_to_its_last_request(collected: Path) -> None:
    cars = [each for each in recorded(collected) if each.name not in DIY]
    found, endings = asyncio.run(everybody(cars))
    for each in cars:
        last = found[each.name][-1]
        assert (each.name, type(last).__name__) == (each.name, each.requests[-1].name.replace("Req", "Res"))
        codes = {code for one in found[each.name] if not (code := str(getattr(one, "ResponseCode", ""))).startswith("OK")}
        assert (each.name, codes) == (each.name, set())
    complete = [each for each in cars if each.row["state"] == "complete"]
    assert len(complete) >= 10
    assert all(type(found[each.name][-1]).__name__ == "SessionStopRes" for each in complete)
    stopped = [each for each in cars if each.requests[-1].name == "SessionStopReq"]
    assert endings.count("terminated") == len(stopped)
