"""The station's end of the board process: `LinkedBoard` is a board like any other, and `spawn` starts the process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import count
from typing import Any

import hal.errors
from bench.board.lines import LIMIT, Line, from_json, to_json
from bench.board.server import BoardOptions
from chargepoint import codec
from hal.errors import BoardSilent, HalError
from hal.ports import EvsePorts, Sink
from hal.types import BoardInfo, BoardSilence, EvseInfo, Opens, Shape

ANSWERS_S = 4.0
"""A board process that does not answer in this time is not there."""
OnVerb = Callable[[dict[str, Any]], tuple[int, str]]
"""What the driver does that is the station's matter: HTTP status and a text."""


class LinkedBoard:
    """A raw board in another process. It may be started again after it was stopped, as long as the process lives (`close`)."""

    def __init__(self, line: Line, options: BoardOptions, process: asyncio.subprocess.Process | None = None) -> None:
        self.line, self.process = line, process
        self.info = BoardInfo("sim", Shape.RAW, Opens(0.5), options.evses, "chargepoint", "simulated board", "SIM-1")
        self.evses: Mapping[int, EvsePorts] = {info.evse_id: self._ports(info) for info in options.evses}
        self.reader: Any = _Remote(self, 0, "reader")
        self.clock = None
        self.on_verb: OnVerb = lambda body: (503, "the station is not running")
        self.after_verb: Callable[[dict[str, Any]], None] = lambda body: None
        """Called once the answer to a verb is on its way."""
        self._sink: Sink | None = None
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._numbers = count(1)
        self._gone = False
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    def _ports(self, info: EvseInfo) -> EvsePorts:
        fitted = {
            "proximity": info.connector == "sType2",
            "meter": info.has_meter,
            "signed_meter": False,
            "lock": info.has_lock,
            "residual_current": info.residual_current,
        }
        parts = {each.name: _Remote(self, info.evse_id, each.name) for each in fields(EvsePorts) if fitted.get(each.name, True)}
        return EvsePorts(**parts)

    # ---- hal.ports.Board

    def listen(self, sink: Sink) -> None:
        self._sink = sink

    async def start(self) -> None:
        self.info = from_json(await self.call("board.start", 0))

    async def stop(self) -> None:
        with contextlib.suppress(HalError):
            await self.call("board.stop", 0)
        self._sink = None

    # ---- the line

    async def call(self, name: str, evse_id: int, *args: Any) -> Any:
        """The board's answer. Raises the HalError that it names, BoardSilent when it does not answer."""
        if self._gone:
            raise BoardSilent("the board process is gone")
        number = next(self._numbers)
        future = self._calls[number] = asyncio.get_running_loop().create_future()
        self.line.send({"id": number, "call": name, "evse": evse_id, "args": [to_json(each) for each in args]})
        try:
            async with asyncio.timeout(ANSWERS_S):
                return await future
        except TimeoutError:
            raise BoardSilent(f"no answer to {name} within {ANSWERS_S:g} s") from None
        finally:
            self._calls.pop(number, None)

    async def _listen(self) -> None:
        while (message := await self.line.receive()) is not None:
            if "said" in message:
                if self._sink is not None:
                    self._sink(from_json(message["said"]))
            elif "verb" in message:
                status, text = self.on_verb(message["body"])
                self.line.send({"answer": message["verb"], "status": status, "text": text})
                self.after_verb(message["body"])
            elif (future := self._calls.get(message["id"])) and not future.done():
                if "error" in message:
                    future.set_exception(getattr(hal.errors, message["error"], HalError)(message["text"]))
                else:
                    future.set_result(from_json(message["ok"]))
        self._gone = True
        for future in self._calls.values():
            if not future.done():
                future.set_exception(BoardSilent("the board process is gone"))
        if self._sink is not None:
            self._sink(BoardSilence(silent=True))

    def tell_status(self, status: dict[str, Any]) -> None:
        """What the station believes, for `/state`."""
        self.line.send({"status": status})

    async def close(self) -> None:
        """The board process ends."""
        self._sink = None
        await self.line.close()
        await asyncio.wait([self._listening], timeout=1.0)
        self._listening.cancel()
        if self.process is not None:
            try:
                async with asyncio.timeout(3.0):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


class _Remote:
    """Every method of a port is a call over the line."""

    def __init__(self, board: LinkedBoard, evse_id: int, part: str) -> None:
        self._board, self._evse_id, self._part = board, evse_id, part

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)

        async def call(*args: Any) -> Any:
            return await self._board.call(f"{self._part}.{method}", self._evse_id, *args)

        return call


async def spawn(options: BoardOptions) -> LinkedBoard:
    """Start the process. It is in a session of its own, so Ctrl-C at the terminal is the station's alone."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.board.server",
            str(theirs.fileno()),
            json.dumps(codec.dump(BoardOptions, options)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    reader, writer = await asyncio.open_connection(sock=ours, limit=LIMIT)
    return LinkedBoard(Line(reader, writer), options, process)
