"""`chargepoint run`: the station on its hardware, under systemd or by hand."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from chargepoint.config import StationConfig
from chargepoint.config_file import read
from chargepoint.runtime.log import Background, Logger
from chargepoint.runtime.main import Handle, Options, Outcome, StartError, run_station
from chargepoint.runtime.systemd import Notifier
from hal.ports import Board


def main(path: Path, *, as_json: bool = False, level: str = "info") -> int:
    """Until SIGTERM or SIGINT. A restart that the CSMS ordered replaces the process by a fresh one. Raises ConfigError, StartError."""
    config = read(path)
    with Background(sys.stdout.fileno()) as out:
        outcome = asyncio.run(_run(config, Logger(out, as_json=as_json, level=level)))
    if outcome.restart:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 our own program again, no shell
    return 0


async def _run(config: StationConfig, logger: Logger) -> Outcome:
    loop, notifier = asyncio.get_running_loop(), Notifier()

    def ready(handle: Handle) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, handle.shut_down)
        notifier.ready()

    try:
        return await run_station(config, make_board(config), Path(config.state_dir), ready=ready, options=Options(watchers=[logger]))
    finally:
        notifier.stopping()


def make_board(config: StationConfig) -> Board:
    """The driver that the configuration names. Raises StartError, OptionError."""
    from hal.registry import UnknownDriver, create

    try:
        return create(config.board, config.board_options, [evse.id for evse in config.evses])
    except UnknownDriver as error:
        raise StartError(f"board = {config.board!r}: {error}") from None
