"""`chargepoint demo`: board, EV, CSMS and station, everything simulated; a car charges at once.

With `--hlc` the car talks (ISO 15118-20, ISO 15118-2 or DIN 70121). In a terminal the picture is live and keys do what a driver does; in a pipe each event is a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.board.client import LinkedBoard, spawn
from bench.board.server import BoardOptions
from bench.board.vehicle_port import LinkedVehicles
from bench.csms import EmbeddedCsms
from bench.view import Model, render
from chargepoint.commands import Command
from chargepoint.config import CsmsConfig, EvseConfig, SlacConfig, StationConfig, Timings, V2gConfig
from chargepoint.events import FaultAcknowledged
from chargepoint.runtime.main import Handle, Options, run_station
from chargepoint.tick import Tick
from hal.errors import HalError
from hal.types import DcRatings, EvseInfo, TokenPresented
from iso15118.protocols import PROTOCOLS

CARD = TokenPresented("04A1B2C3D4E5F6")
CAR = "three-phase"
REFRESH_PER_S = 8
VARIABLES = {"SampledDataCtrlr.TxUpdatedInterval": "5", "TxCtrlr.TxStartPoint": "Authorized"}


def by_dc(hlc: str) -> bool:
    """What it speaks is for DC."""
    return bool(hlc) and "dc" in PROTOCOLS[hlc].modes


def info_of(hlc: str) -> EvseInfo:
    """The board's EVSE."""
    if by_dc(hlc):
        return EvseInfo(1, 32.0, connector="cCCS2", residual_current=False, dc=DcRatings())
    return EvseInfo(1, 32.0)


def evse_of(hlc: str) -> EvseConfig:
    """The station's. Its vehicle is inside of the demo: there is nobody who would have to be verified."""
    if not hlc:
        return EvseConfig()
    v2g = V2gConfig(
        interface="demo", tls="none", unverified_vehicles=True, protocols=("iso20-dc", "iso20-ac", "iso2-dc", "iso2-ac", "din"), slac=SlacConfig(modem="auto")
    )  # fmt: skip
    return EvseConfig(mode="dc", connector="cCCS2", v2g=v2g) if by_dc(hlc) else EvseConfig(v2g=v2g)


def config_of(url: str, hlc: str = "") -> StationConfig:
    """A 22 kW wallbox, or a DC charger of 60 kW, that waits for nothing."""
    return StationConfig(
        model="Demo DC charger" if by_dc(hlc) else "Demo wallbox",
        serial="DEMO-1",
        csms=CsmsConfig(url=url, identity="DEMO-1", security_profile=0),
        evses=(evse_of(hlc),),
        timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
        variables=VARIABLES,
    )


class Demo:
    """The driver at the box, by keys, and what he sees."""

    def __init__(self, board: LinkedBoard, *, live: bool, hlc: str = "") -> None:
        self.board, self.live, self.hlc = board, live, hlc
        self.model = Model(speaks=hlc)
        self.handle: Handle | None = None
        self.paused = self.arrived = self.ends = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.keys: dict[str, Callable[[], Awaitable[None]]] = {
            "p": lambda: self.person("plug_in", self.hlc or CAR),
            "u": lambda: self.person("plug_out"),
            "s": lambda: self.person("present", CARD),
            " ": self._pause,
            "t": lambda: self.person("inject", "RcdTrip"),
            "c": self._clear,
        }

    def ready(self, handle: Handle) -> None:
        """The station runs: the car comes, and its driver swipes."""
        self.handle = self.model.handle = handle
        if self.ends:
            self.end()
        elif not self.arrived:
            self.arrived = True
            self.do(self._arrive)

    async def _arrive(self) -> None:
        await self.person("plug_in", self.hlc or CAR)
        await asyncio.sleep(1.0)
        await self.person("present", CARD)

    async def person(self, act: str, *args: Any) -> None:
        """What somebody does at the box; what is not possible is told."""
        try:
            await self.board.call(f"person.{act}", 1, *args)
        except HalError as error:
            self.say(str(error))

    async def _pause(self) -> None:
        self.paused = not self.paused
        await self.person("pause" if self.paused else "resume")

    async def _clear(self) -> None:
        await self.person("clear")
        if self.handle is not None:
            self.handle.tell(FaultAcknowledged(1))

    def do(self, act: Callable[[], Awaitable[None]]) -> None:
        """In a task of its own."""
        task = asyncio.ensure_future(act())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def watch(self, tick: Tick, event: object, commands: Sequence[Command]) -> None:
        """A watcher of the shell."""
        for line in self.model.follow(tick, event, commands):
            if not self.live:
                self.say(line)

    def say(self, line: str) -> None:
        """A line for a pipe; a note in the picture."""
        if self.live:
            self.model.notes.append(line)
            return
        try:
            print(line, flush=True)
        except OSError:  # nobody reads any more; the station is inside of telling this, so it is told to end afterwards
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            asyncio.get_running_loop().call_soon(self.end)

    def end(self) -> None:
        """In order: the contactor first, then the transaction's Ended."""
        self.ends = True
        if self.handle is not None:
            self.handle.shut_down("Local")


async def run(seconds: float, hlc: str = "") -> int:
    """Until Ctrl-C, `q`, or so many seconds."""
    live = sys.stdin.isatty() and sys.stdout.isatty()
    loop = asyncio.get_running_loop()
    board = await spawn(BoardOptions((info_of(hlc),), modems=(1,) if hlc else ()))
    demo = Demo(board, live=live, hlc=hlc)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, demo.end)
    if seconds:
        loop.call_later(seconds, demo.end)
    try:
        with tempfile.TemporaryDirectory(prefix="chargepoint-demo-") as folder, _keys(demo) if live else contextlib.nullcontext():
            async with EmbeddedCsms(validate=False) as csms:
                picture = loop.create_task(_draw(demo)) if live else None
                await _lives(demo, csms.url, Path(folder))
                if picture is not None:
                    picture.cancel()
                    await asyncio.wait([picture])
    finally:
        await board.close()
    if live:
        print("\n".join(demo.model.ended) or "no transaction has ended")
    return 0


async def _lives(demo: Demo, url: str, folder: Path) -> None:
    """One run after the other: the CSMS may order a Reset."""
    reason = "PowerUp"
    while not demo.ends:
        config = config_of(url, demo.hlc)
        vehicles = partial(LinkedVehicles, demo.board, config.evses if demo.hlc else ())
        options = Options(start_reason=reason, journal=False, watchers=[demo.watch], vehicles=vehicles)
        outcome = await run_station(config, demo.board, folder, ready=demo.ready, options=options)
        demo.handle = demo.model.handle = None
        if not outcome.restart:
            return
        reason = "ApplicationReset"


async def _draw(demo: Demo) -> None:
    from rich.live import Live

    with Live(refresh_per_second=REFRESH_PER_S, screen=True, redirect_stderr=False) as live:
        while True:
            live.update(render(demo.model, live.console.size.height))
            await asyncio.sleep(1 / REFRESH_PER_S)


@contextlib.contextmanager
def _keys(demo: Demo) -> Iterator[None]:
    """Single keys without echo; the terminal is as it was afterwards."""
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    loop = asyncio.get_running_loop()

    def pressed() -> None:
        for key in os.read(number, 64).decode(errors="ignore"):
            if key == "q":
                demo.end()
            elif key in demo.keys:
                demo.do(demo.keys[key])

    loop.add_reader(number, pressed)
    try:
        yield
    finally:
        loop.remove_reader(number)
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def main(seconds: float = 0.0, hlc: str = "") -> int:
    """The command; `hlc` is what the car speaks."""
    return asyncio.run(run(seconds, hlc))
