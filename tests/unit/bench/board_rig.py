"""Hands on a board process, over its line or in one loop with it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

from bench.board import server
from bench.board.client import LinkedBoard
from bench.board.lines import LIMIT, Line
from bench.board.server import BoardOptions, BoardProcess
from hal.conformance import Can, CarState
from hal.types import DcRatings, EvseInfo, TokenPresented

TETHERED = EvseInfo(1, 32.0)
SOCKET = EvseInfo(1, 20.0, phases=1, connector="sType2", has_lock=True)
DC = EvseInfo(1, connector="cCCS2", residual_current=False, dc=DcRatings(max_discharge_A=100.0, max_discharge_W=30_000.0))
CAN = frozenset({Can.WELD, Can.JAM, Can.SILENCE, Can.DRAW, Can.PRESENT, Can.BATTERY})


class Hands:
    """Hands on a board in another process, over its line."""

    evse_id = 1
    tells_within_s = 1.0
    silent_within_s = 6.0

    def __init__(self, board: LinkedBoard) -> None:
        self.board = board
        self.state: CarState = "A"

    async def person(self, act: str, *args: Any) -> None:
        await self.board.call(f"person.{act}", 1, *args)

    async def car(self, state: CarState) -> None:
        self.state = state
        await self.person("box", state)

    async def weld(self) -> None:
        await self.person("inject", "ContactorWeld")

    async def jam(self) -> None:
        await self.person("inject", "ContactorStuckOpen")

    async def mend(self) -> None:
        await self.person("clear")

    async def draw(self, ampere: float) -> None:
        await self.person("box", self.state, ampere)

    async def battery(self, volts: float | None) -> None:
        await self.person("battery", volts)

    async def present(self, id_token: str) -> None:
        await self.person("present", TokenPresented(id_token))

    async def limit_A(self) -> float:
        raise NotImplementedError

    async def garbage(self) -> None:
        raise NotImplementedError

    async def silence(self, on: bool) -> None:
        """The process itself does not run."""
        assert self.board.process is not None
        self.board.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)


class HandsInOneLoop(Hands):
    """Both ends in one loop, so that time may be virtual; the hands touch the world, not the line."""

    def __init__(self, board: LinkedBoard, process: BoardProcess) -> None:
        super().__init__(board)
        self.process = process

    async def person(self, act: str, *args: Any) -> None:
        self.process._person(act, 1, list(args))

    async def silence(self, on: bool) -> None:
        if on:
            self.process.board.inject(0, "BoardSilent")
        else:
            self.process.board.clear(0, "BoardSilent")

    async def garbage(self) -> None:
        for octets in (
            b"\xff\x00\n",
            b"{\n",
            b"[]\n",
            b"{}\n",
            b'{"said": {"@": "NoSuchThing"}}\n',
            b'{"said": {"@": "PilotVoltage", "evse_id": "one"}}\n',
            b'{"id": 999, "ok": null}\n',
            b'{"verb": 1}\n',
            b"x" * (LIMIT + 10) + b"\n",
        ):
            self.process.line.writer.write(octets)


@contextlib.asynccontextmanager
async def linked(options: BoardOptions) -> AsyncIterator[tuple[LinkedBoard, BoardProcess]]:
    """Both ends in this loop."""
    ours, theirs = socket.socketpair()
    found: asyncio.Future[BoardProcess] = asyncio.get_running_loop().create_future()

    async def capture(process: BoardProcess) -> None:
        found.set_result(process)

    running = asyncio.ensure_future(server.run(theirs, options, capture))
    board = LinkedBoard(Line(*await asyncio.open_connection(sock=ours, limit=LIMIT)), options)
    process = await found
    try:
        yield board, process
    finally:
        await board.close()
        await running
