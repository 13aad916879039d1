"""`python -m bench.board.server FD OPTIONS`: the process of the simulated board.

Physics, cars and leases live here on real time, so while the station hangs or is killed they go on. What is plugged in, what the registers
say and what is welded stands in `board.json` of the state directory before the station hears of it: a power cut winds nothing back.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from bench.board.driver import LOOK_S, Driver, NotPossible, load_of
from bench.board.lines import BROKEN, LIMIT, Line, from_json, to_json
from bench.board.saved import FILE, StateFile, StateInUse
from bench.board.vehicles import KINDS, Vehicles
from bench.ev import CATALOGUE, EvSpec
from chargepoint import codec
from hal.errors import HalError, NotFitted
from hal.sim.evse import SimEvseOptions
from hal.sim.ports import SimBoard
from hal.sim.world import SavedWorldError, SimWorld
from hal.types import BoardInput, DcSample, EvseInfo, MeterSample

STATION_ANSWERS_S = 10.0
"""A verb that the station has to carry out is given up after this: it hangs."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What the process is told at its start."""

    evses: tuple[EvseInfo, ...] = (EvseInfo(),)
    state_dir: str = ""
    control: tuple[str, int] | None = None
    """Where the control port listens."""
    modems: tuple[int, ...] = ()
    """EVSEs with a power-line modem: cars that talk are matched there."""
    certs_dir: str = ""
    """The tree that has the contract of cars that pay by one (`bench.board.tree`)."""


@dataclass(slots=True)
class BoardProcess:
    """The board, its drivers, and the line to the station."""

    board: SimBoard
    driver: Driver
    line: Line
    file: StateFile | None
    modems: tuple[int, ...] = ()
    certs_dir: str = ""
    believes: dict[str, Any] = field(default_factory=dict)
    """What the station last said of itself."""
    vehicles: Vehicles = field(init=False)
    """Cars that talk."""
    _answers: dict[int, asyncio.Future[tuple[int, str]]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.vehicles = Vehicles(self.board, lambda event: self.line.send({"vehicle": to_json(event)}), self.modems, self.certs_dir)

    # ---- the station's calls

    def said(self, each: BoardInput) -> None:
        """Kept first, then told. A sample of the DC stage has nothing that could be wound back, and comes often."""
        if not isinstance(each, DcSample):
            self.save()
        self.line.send({"said": to_json(each)})

    async def serve(self) -> None:
        """Until the station is gone."""
        tasks: set[asyncio.Task[None]] = set()
        while (message := await self.line.receive()) is not None:
            if "call" in message:
                task = asyncio.get_running_loop().create_task(self._call(message))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            elif "answer" in message:
                self._answered(message)
            elif "vehicle" in message:
                self.vehicles.carry_out(from_json(message["vehicle"]))
            elif isinstance(message.get("status"), dict):
                self.believes = message["status"]
        for task in tuple(tasks):
            task.cancel()

    def _answered(self, message: dict[str, Any]) -> None:
        future = self._answers.pop(message["answer"], None)
        if future is not None and not future.done():
            future.set_result((int(message.get("status", 500)), str(message.get("text", ""))))

    async def _call(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any]
        try:
            args = [from_json(each) for each in message.get("args", ())]
            named = {key: from_json(each) for key, each in message.get("named", {}).items()}
            value = await self._do(message["call"], message.get("evse", 0), args, named)
            if isinstance(value, MeterSample):
                self.save()
            answer = {"ok": to_json(value)}
        except HalError as error:
            answer = {"error": type(error).__name__, "text": str(error)}
        except BROKEN as error:
            answer = {"error": HalError.__name__, "text": f"{message['call']}: {error!r}"}
        self.line.send({"id": message.get("id"), **answer})

    async def _do(self, call: str, evse_id: int, args: list[Any], named: dict[str, Any]) -> Any:
        part, _, method = call.partition(".")
        if part == "board":
            self.board.listen(self.said)
            self.vehicles.begin()
            await (self.board.start() if method == "start" else self.board.stop())
            return self.board.info
        if part == "person":
            self._person(method, evse_id, args)
            self.save()
            return None
        port = self.board.reader if part == "reader" else getattr(self.board.evses[evse_id], part)
        if port is None:
            raise NotFitted(part)
        return await getattr(port, method)(*args, **named)

    def _person(self, act: str, evse_id: int, args: list[Any]) -> None:
        """What the keys of the demo do. Raises HalError with a reason."""
        try:
            match act:
                case "present":
                    self.board.present(*args)
                case "inject":
                    self.board.inject(evse_id, *args)
                case "clear":
                    self.board.clear(evse_id, *args)
                case "plug_in" if args[0] in KINDS:
                    self.vehicles.plug_in(evse_id, args[0])
                case "pause" | "resume" if evse_id in self.vehicles.cars:
                    getattr(self.vehicles, act)(evse_id)
                case "plug_in":
                    self.driver.plug_in(evse_id, ev_spec(args[0]), leaves_after_s=None)
                case _:
                    getattr(self.driver, act)(evse_id, *args)
        except NotPossible as error:
            raise HalError(str(error)) from None

    # ---- the driver's wishes that are the station's matter

    async def ask_station(self, body: dict[str, Any]) -> tuple[int, str]:
        """The station's answer to a verb: HTTP status and a text."""
        number = next(self._numbers)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        self.line.send({"verb": number, "body": body})
        try:
            async with asyncio.timeout(STATION_ANSWERS_S):
                status, text = await future
                return status, text
        except TimeoutError:
            self._answers.pop(number, None)
            return 503, "the station does not answer"

    # ---- over a restart

    def view(self) -> list[dict[str, Any]]:
        """The world as it is at this moment; what is shown is kept first, so that no power cut winds it back."""
        self.board.look()
        self.save()
        return self.board.world.view()

    def save(self) -> None:
        """What a restart has to know."""
        if self.file is not None:
            self.file.write({"world": self.board.world.save(), "driver": self.driver.save(), "vehicles": self.vehicles.save()})

    def restore(self) -> str:
        """What the file says; gives what is wrong with it, and then everything begins new."""
        try:
            saved = self.file.read() if self.file is not None else None
            if saved is not None:
                self.board.world.restore(saved["world"], load_of, asyncio.get_running_loop().time())
                self.driver.restore(saved["driver"])
                self.vehicles.restore(saved.get("vehicles", {}))
        except (OSError, SavedWorldError, *BROKEN) as error:
            return f"{FILE}: {error}; what it did not say begins new"
        return ""


def ev_spec(name: str) -> EvSpec:
    """A car of the catalogue. Raises NotPossible."""
    if name not in CATALOGUE:
        raise NotPossible(f"there is no car {name!r}; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


async def run(line_end: socket.socket, options: BoardOptions, control: Callable[[BoardProcess], Awaitable[None]] | None = None) -> None:
    """The whole life of the process; `control` is one more task beside it."""
    loop = asyncio.get_running_loop()
    file = StateFile(Path(options.state_dir)) if options.state_dir else None
    reader, writer = await asyncio.open_connection(sock=line_end, limit=LIMIT)
    board = SimBoard(SimWorld([SimEvseOptions(info) for info in options.evses], loop.time()))
    process = BoardProcess(board, Driver(board), Line(reader, writer), file, options.modems, options.certs_dir)
    if problem := process.restore():
        print(f"board: {problem}", file=sys.stderr)
    tasks = [loop.create_task(_drive(process))]
    if control is not None:
        tasks.append(asyncio.ensure_future(control(process)))
    try:
        await process.serve()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await board.stop()
        process.save()
        await process.line.close()
        if file is not None:
            file.close()


async def _drive(process: BoardProcess) -> None:
    while True:
        process.driver.tick()
        process.vehicles.tick()
        process.save()
        await asyncio.sleep(LOOK_S)


def main(arguments: list[str]) -> int:
    """FD and the options as JSON."""
    options: BoardOptions = codec.load(BoardOptions, json.loads(arguments[1]), "options")
    line_end = socket.socket(fileno=int(arguments[0]))
    control = None
    if options.control is not None:
        from bench.control import serving

        control = serving(*options.control)
    try:
        asyncio.run(run(line_end, options, control))
    except (StateInUse, OSError) as error:
        print(f"board: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.pop("NOTIFY_SOCKET", None)
    raise SystemExit(main(sys.argv[1:]))
