"""Telling systemd that the station runs: Type=notify and WatchdogSec, by the protocol of sd_notify(3)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket


class Notifier:
    """Does nothing where systemd did not start us. A watchdog that is not fed restarts the process; the lease has opened long before (F-16)."""

    def __init__(self, environ: dict[str, str] | None = None) -> None:
        environ = dict(os.environ) if environ is None else environ
        self.address = environ.get("NOTIFY_SOCKET", "")
        watchdog_us = environ.get("WATCHDOG_USEC", "")
        mine = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self.watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() and mine else 0.0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, state: str) -> None:
        """One datagram; a systemd that does not take it is no reason to stop."""
        if not self.address:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
            line.sendto(state.encode(), address)

    def ready(self) -> None:
        """The station takes inputs; from now on the event loop feeds the watchdog, twice in its time."""
        self.send("READY=1")
        if self.watchdog_s:
            self._feed()

    def _feed(self) -> None:
        self.send("WATCHDOG=1")
        self._timer = asyncio.get_running_loop().call_later(self.watchdog_s / 2, self._feed)

    def stopping(self) -> None:
        """The end has begun."""
        if self._timer is not None:
            self._timer.cancel()
        self.send("STOPPING=1")
