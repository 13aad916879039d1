"""A whole station on the simulated board, in front of a CSMS on real sockets in the same loop, on virtual time."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.csms.server import EmbeddedCsms, Session
from bench.ev import ev
from chargepoint.commands import Command, Log, OpenLink
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.events import LinkDown
from chargepoint.runtime.clock import Clock, VirtualClock
from chargepoint.runtime.main import Handle, Options, station
from chargepoint.tick import Tick
from hal.sim.ports import SimBoard
from hal.types import EvseInfo, TokenPresented

IDENTITY, PASSWORD = "CP1", "0123456789abcdef"
CARD = TokenPresented("04A1B2C3D4E5F6")


def configured(url: str, variables: dict[str, str] | None = None, **more: Any) -> StationConfig:
    csms = {"url": url, "identity": IDENTITY, "security_profile": 1, "basic_auth_password": PASSWORD, **more.pop("csms", {})}
    return StationConfig(
        serial="SN1",
        csms=CsmsConfig(**csms),
        evses=(EvseConfig(max_current_A=32.0),),
        timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
        variables=variables or {},
        **more,
    )


@dataclass
class Box:
    """The station, its board, and what it said and did."""

    board: SimBoard
    handle: Handle
    logs: list[Log] = field(default_factory=list)
    dials: list[float] = field(default_factory=list)
    down: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self, now: Tick, event: object, commands: Sequence[Command]) -> None:
        self.logs += [command for command in commands if isinstance(command, Log)]
        self.dials += [now.mono for command in commands if isinstance(command, OpenLink)]
        if isinstance(event, LinkDown):
            self.down.set()

    async def next_down(self) -> None:
        """Until the connection, or an attempt, fails."""
        self.down.clear()
        await self.down.wait()

    async def charge(self) -> None:
        """Plug, swipe, and draw."""
        self.board.plug(1, ev(now_s=asyncio.get_running_loop().time()))
        await asyncio.sleep(4)
        self.board.present(CARD)
        await asyncio.sleep(20)
        assert self.closed

    @property
    def closed(self) -> bool:
        """What the board's physics see."""
        return self.board.world.evses[1].contactor.poles == 3

    @property
    def causes(self) -> list[str]:
        """Of each LinkDown, in order."""
        return [str(log.values["cause"]) for log in self.logs if log.key == "link.down"]


@asynccontextmanager
async def a_box(config: StationConfig, folder: Path, clock: Clock | None = None) -> AsyncIterator[Box]:
    """A started station. Its log begins with the connection under way."""
    board = SimBoard.of([EvseInfo(1)])
    early: list[tuple[Tick, object, Sequence[Command]]] = []
    watcher = lambda *told: early.append(told)
    options = Options(start_reason="PowerUp", threaded=False, clock=clock or VirtualClock(), watchers=[watcher])
    async with station(config, board, folder, options) as handle:
        box = Box(board, handle)
        for told in early:
            box.watch(*told)
        handle.shell.watchers[:] = [box.watch]
        yield box


@asynccontextmanager
async def a_csms(clock: Clock | None = None, **options: Any) -> AsyncIterator[EmbeddedCsms]:
    time = clock or VirtualClock()
    async with EmbeddedCsms(clock=lambda: time.now().utc, validate=True, **options) as csms:
        yield csms
        assert csms.invalid == []


def counted(csms: EmbeddedCsms) -> Counter[str]:
    """Calls by action."""
    return Counter(action for _, action, _ in csms.received)


def the_session(csms: EmbeddedCsms) -> Session:
    """The one transaction there was, whole and in order. What was under way when the link broke may have come twice, offline then, and was the same."""
    (session,) = csms.sessions.values()
    told = [event | {"offline": None} for event in session.events]
    session.events = [event for n, event in enumerate(session.events) if not n or told[n] != told[n - 1]]
    assert session.numbers == list(range(len(session.events)))
    assert [event["eventType"] for event in session.events].count("Started") == 1
    return session


async def set_variable(csms: EmbeddedCsms, name: str, value: str) -> str:
    component, variable = name.split(".")
    entry = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": value}
    answer = await csms.call(IDENTITY, "SetVariables", {"setVariableData": [entry]})
    status: str = answer["setVariableResult"][0]["attributeStatus"]
    return status


def server_tls(cert_file: str, key_file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    return context
