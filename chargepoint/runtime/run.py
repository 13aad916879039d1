"""`chargepoint run`: the station on its hardware, under systemd or by hand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from chargepoint.config import StationConfig
from chargepoint.config_file import read
from chargepoint.runtime.last_words import listening
from chargepoint.runtime.log import Background, Logger
from chargepoint.runtime.main import Handle, Options, Outcome, run_station
from chargepoint.runtime.monitor.server import monitored
from chargepoint.runtime.port import StartError
from chargepoint.runtime.systemd import Notifier
from chargepoint.runtime.vendors import installed
from hal.ports import Board


def main(path: Path, *, as_json: bool = False, level: str = "info") -> int:
    """Until SIGTERM or SIGINT. A restart that the CSMS ordered replaces the process by a fresh one. Raises ConfigError, StartError."""
    keep_secrets()
    config = read(path)
    with Background(sys.stdout.fileno()) as out:
        outcome = asyncio.run(_run(config, Logger(out, as_json=as_json, level=level)))
    if outcome.restart:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 our own program again, no shell
    return 0


def keep_secrets() -> None:
    """What this process writes is for its owner's eyes, and no core dump has its keys and passwords in it."""
    os.umask(0o077)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def _run(config: StationConfig, logger: Logger) -> Outcome:
    """A signal before the station stands ends the start; afterwards it is an orderly end."""
    loop, notifier, state_dir = asyncio.get_running_loop(), Notifier(), Path(config.state_dir)
    started = contextlib.ExitStack()
    if starting := asyncio.current_task():
        _on_signals(loop, starting.cancel)

    def ready(handle: Handle) -> None:
        _on_signals(loop, handle.shut_down)
        started.enter_context(listening(state_dir))
        notifier.ready()

    with started:
        try:
            return await run_station(
                config,
                make_board(config),
                state_dir,
                ready=ready,
                options=Options(watchers=[logger], vendors=installed()),
                monitor=monitored,
            )
        except asyncio.CancelledError:
            return Outcome(restart=False)
        finally:
            notifier.stopping()


def _on_signals(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, callback)


def make_board(config: StationConfig) -> Board:
    """The driver that the configuration names. Raises StartError, OptionError."""
    from hal.registry import UnknownDriver, create

    try:
        return create(config.board, config.board_options, [evse.id for evse in config.evses])
    except UnknownDriver as error:
        raise StartError(f"board = {config.board!r}: {error}") from None
