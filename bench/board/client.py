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
from bench.board.lines import BROKEN, LIMIT, Line, from_json, to_json
from bench.board.server import BoardOptions
from chargepoint import codec
from chargepoint.commands import Command
from chargepoint.events import VehicleServed
from hal.errors import BoardSilent, HalError
from hal.ports import EvsePorts, Sink
from hal.types import BoardInfo, BoardInput, BoardSilence, EvseInfo, Opens, Shape

ANSWERS_S = 4.0
"""A board process that does not answer in this time is not there; its lock takes up to 3 s."""
STARTS_S = 30.0
"""The same for its first answer: Python has to come up first."""
MEASURES_S = 45.0
"""The same for the insulation monitor, which may be set to take long."""
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
        self.on_vehicle: Callable[[Any], None] = lambda event: None
        """Hears what cars say (ISO 15118)."""
        self.serves: dict[int, VehicleServed] = {}
        """What was last said of an EVSE's cable, over restarts of the station."""
        self._sink: Sink | None = None
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._numbers = count(1)
        self._gone = self._silent = self._started = False
        self._restarting: asyncio.Task[None] | None = None
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    def _ports(self, info: EvseInfo) -> EvsePorts:
        fitted = {
            "proximity": info.connector == "sType2",
            "meter": info.has_meter,
            "signed_meter": False,
            "lock": info.has_lock,
            "residual_current": info.residual_current,
            "dc": info.dc is not None,
            "insulation": info.dc is not None,
        }
        parts = {each.name: _Remote(self, info.evse_id, each.name) for each in fields(EvsePorts) if fitted.get(each.name, True)}
        return EvsePorts(**parts)

    # ---- hal.ports.Board

    def listen(self, sink: Sink) -> None:
        self._sink = sink

    async def start(self) -> None:
        self.info = from_json(await self.call("board.start", 0, within_s=STARTS_S))
        self._started = True

    async def stop(self) -> None:
        self._started = False
        self._sink = None
        with contextlib.suppress(HalError):
            await self.call("board.stop", 0)

    # ---- the line

    async def call(self, name: str, evse_id: int, *args: Any, within_s: float = ANSWERS_S, **named: Any) -> Any:
        """The board's answer. Raises the HalError that it names, BoardSilent when it does not answer."""
        if self._gone or self._silent:
            raise BoardSilent("the board process " + ("is gone" if self._gone else "does not answer"))
        number = next(self._numbers)
        future = self._calls[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "call": name, "evse": evse_id, "args": [to_json(each) for each in args]}
        self.line.send({**message, "named": {key: to_json(each) for key, each in named.items()}} if named else message)
        try:
            async with asyncio.timeout(within_s):
                return await future
        except TimeoutError:
            self._fell_silent()
            raise BoardSilent(f"no answer to {name} within {within_s:g} s") from None
        finally:
            self._calls.pop(number, None)

    async def _listen(self) -> None:
        while (message := await self.line.receive()) is not None:
            if self._silent:
                self._is_back()
            with contextlib.suppress(*BROKEN):
                self._take(message)
        self._gone = True
        for future in self._calls.values():
            if not future.done():
                future.set_exception(BoardSilent("the board process is gone"))
        self._fell_silent()

    def _take(self, message: dict[str, Any]) -> None:
        if "said" in message:
            self._tell(from_json(message["said"]))
        elif "vehicle" in message:
            event = from_json(message["vehicle"])
            if isinstance(event, VehicleServed):
                self.serves[event.evse_id] = event
            self.on_vehicle(event)
        elif "verb" in message:
            body = message["body"]
            status, text = self.on_verb(body)
            self.line.send({"answer": message["verb"], "status": status, "text": text})
            self.after_verb(body)
        elif (future := self._calls.get(message["id"])) and not future.done():
            if "error" in message:
                future.set_exception(getattr(hal.errors, message["error"], HalError)(message["text"]))
            else:
                future.set_result(from_json(message["ok"]))

    def _tell(self, said: BoardInput) -> None:
        if self._sink is not None:
            self._sink(said)

    def _fell_silent(self) -> None:
        if not self._silent:
            self._silent = True
            asyncio.get_running_loop().call_soon(self._tell, BoardSilence(silent=True))

    def _is_back(self) -> None:
        """What was asked before the silence may be carried out late, so the board is started anew: open, X1, everything told once more."""
        self._silent = False
        self._tell(BoardSilence(silent=False))
        if self._started:
            self._restarting = asyncio.get_running_loop().create_task(self._restart())

    async def _restart(self) -> None:
        with contextlib.suppress(HalError):
            await self.call("board.start", 0)

    def tell_status(self, status: dict[str, Any]) -> None:
        """What the station believes, for `/state`."""
        self.line.send({"status": status})

    def tell_vehicle(self, command: Command) -> None:
        """For a car that talks."""
        self.line.send({"vehicle": to_json(command)})

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

        async def call(*args: Any, **named: Any) -> Any:
            within_s = MEASURES_S if method == "measure" else ANSWERS_S
            return await self._board.call(f"{self._part}.{method}", self._evse_id, *args, within_s=within_s, **named)

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
