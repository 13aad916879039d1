"""`chargepoint bench-station FILE.json`: the station on the simulated board, driven through the control port (docs/reference/control-port.md)."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.bench_config import BenchConfig, read
from bench.board.client import LinkedBoard, spawn
from bench.board.vehicle_port import LinkedVehicles
from bench.verbs import STATION_VERBS, BadBody
from chargepoint.commands import Command, Log
from chargepoint.runtime.log import Background, Logger
from chargepoint.runtime.main import Handle, Options, alone, run_station
from chargepoint.runtime.monitor.server import monitored
from chargepoint.tick import Tick

NOT_TAKEN = ("variable.unknown", "variable.refused")
"""What the station logs when it does not take what the operator forces."""


def believes(handle: Handle) -> dict[str, Any]:
    """What the station says of itself, for `/state`."""
    context = handle.station.wiring.context
    evses = {
        str(facts.evse_id): {
            "transaction": facts.transaction_id or None,
            "session": facts.charging_state.value,
            "faults": sorted(facts.faults),
        }
        for facts in context.evses.values()
    }
    return {"connected": context.link.connected, "evses": evses}


class Bench:
    """Station and board process together, over every restart of the station."""

    def __init__(self, config: BenchConfig, board: LinkedBoard) -> None:
        self.config, self.board = config, board
        self.handle: Handle | None = None
        self.ended = ""
        self.ends = False
        """It has been told to end, perhaps before the station was ready."""
        self._said: dict[str, Any] = {}
        self._refused = ""
        board.on_verb = self.on_verb
        board.after_verb = self.after_verb

    def ready(self, handle: Handle) -> None:
        """A run has begun."""
        self.handle = handle
        handle.watch(self.watch)
        self.watch(Tick(0.0, 0.0), None, ())
        if self.ends:
            handle.shut_down()

    def over(self) -> None:
        """A run has ended; nothing is connected until the next one says so."""
        self.handle = None
        self._said = {**self._said, "connected": False}
        self.board.tell_status(self._said)

    def watch(self, tick: Tick, event: object, commands: Sequence[Command]) -> None:
        """Tell the board's process what changed."""
        for command in commands:
            if isinstance(command, Log) and command.key in NOT_TAKEN:
                self._refused = f"{command.key}: {', '.join(map(str, command.values.values()))}"
        if self.handle is not None and (now := believes(self.handle)) != self._said:
            self._said = now
            self.board.tell_status(now)

    def on_verb(self, body: dict[str, Any]) -> tuple[int, str]:
        """A verb of the control port: 200 when the station has taken it."""
        if body.get("verb") == "end":
            self.ended = str(body["why"])
            self.end()
            return 200, ""
        if self.handle is None:
            return 503, "the station is starting"
        try:
            event = STATION_VERBS[body["verb"]](body)
        except BadBody as error:
            return 400, str(error)
        if isinstance(event, float):
            return 200, ""
        known = self.handle.station.wiring.context.evses
        if getattr(event, "evse_id", 1) not in known:
            return 400, f"connector_id: there is no EVSE {getattr(event, 'evse_id', 0)}; there are {sorted(known)}"
        self._refused = ""
        self.handle.tell(event)
        return (400, self._refused) if self._refused else (200, "")

    def after_verb(self, body: dict[str, Any]) -> None:
        """`freeze`: the event loop hangs, on purpose, once the answer is out."""
        if body.get("verb") == "freeze":
            asyncio.get_running_loop().call_later(0.02, time.sleep, float(body["seconds"]))

    async def watch_board(self) -> None:
        """A station without its body is of no use here."""
        if self.board.process is not None:
            await self.board.process.wait()
            self.ended = self.ended or "the board's process is gone"
            self.end()

    def end(self) -> None:
        """SIGINT, SIGTERM: in order, within 5 s."""
        self.ends = True
        if self.handle is not None:
            self.handle.shut_down()


async def run(config: BenchConfig) -> int:
    """Until SIGINT or SIGTERM; a Reset begins anew. Raises StartError.

    The lock comes before the board's process, which would write down its world at once.
    """
    with alone(config.state_dir, "bench.lock"), Background(sys.stdout.fileno()) as out:
        return await _run(config, Logger(out))


async def _run(config: BenchConfig, logger: Logger) -> int:
    loop = asyncio.get_running_loop()
    board = await spawn(config.board)
    bench = Bench(config, board)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, bench.end)
    watching = loop.create_task(bench.watch_board())
    reason = "PowerUp"
    evses = config.station.evses
    lax = [each.id for each in evses if each.v2g.p256_contracts]
    vehicles = partial(LinkedVehicles, board, [each for each in evses if each.mode == "dc"], lax=lax)
    try:
        while not bench.ends:
            options = Options(start_reason=reason, watchers=[logger], vehicles=vehicles)
            outcome = await run_station(config.station, board, config.state_dir, ready=bench.ready, options=options, monitor=monitored)
            bench.over()
            if not outcome.restart:
                break
            reason = "ApplicationReset"
    finally:
        watching.cancel()
        await board.close()
    if bench.ended:
        print(bench.ended, file=sys.stderr)
    return 1 if bench.ended else 0


def main(path: Path) -> int:
    """The command."""
    config = read(path)
    for warning in config.warnings:
        print(f"{path}: warning: {warning}", file=sys.stderr)
    return asyncio.run(run(config))
