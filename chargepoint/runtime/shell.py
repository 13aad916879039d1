"""The one door: every event is stamped here, given to the station, journalled, and what follows is carried out.

Everything happens in the event loop's thread. Ports tell from callbacks of their own, never from inside of `carry_out`, so an event
is always handled whole before the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from chargepoint.commands import Command, Log, OpenContactor, Restart, SetX1, StopProcess, WithdrawPermit
from chargepoint.events import TimerExpired
from chargepoint.journal import Entry
from chargepoint.runtime.clock import Clock
from chargepoint.runtime.port import Port
from chargepoint.station import Station
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

Watcher = Callable[[Tick, object, Sequence[Command]], None]
"""Sees every input and what followed. One that raises is not asked again."""
Record = Callable[[Sequence[Entry]], None]
"""Journals some inputs, in order; the station has handled all of them, and nothing after them."""
TIMER = TimerExpired()


@dataclass(frozen=True, slots=True)
class _Seen:
    tick: Tick
    event: object
    commands: Sequence[Command]
    shown: Sequence[Command]
    """To watchers, who also hear of what the shell itself did."""
    crashed: str = ""


class Shell:
    """Between the ports and the station. `ended` is done when the station wants the process to end, or when it failed."""

    def __init__(self, station: Station, clock: Clock) -> None:
        self.station = station
        self.clock = clock
        self.ended: asyncio.Future[Restart | StopProcess] = asyncio.get_running_loop().create_future()
        self.watchers: list[Watcher] = []
        self.record: Record | None = None
        self._loop = asyncio.get_running_loop()
        self._ports: dict[type[Command], Port] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._failed = False
        self._mono = 0.0
        self._seen: list[_Seen] = []

    def use(self, ports: Iterable[Port]) -> None:
        """Give each command its port."""
        for port in ports:
            self._ports.update(dict.fromkeys(port.takes, port))

    def tell(self, event: object) -> None:
        """Something happened. After the station itself has failed nothing is taken any more: everything is open, and the process ends."""
        if self._failed:
            return
        now = self._now()
        try:
            commands = self.station.handle(now, event)
        except Exception as error:  # noqa: BLE001 a bug in the core: open, write it down, begin anew
            self._fail(now, event, error)
            return
        for command in commands:
            self._carry_out(command)
        self._set_timer()
        self._later(_Seen(now, event, commands, commands))

    def _carry_out(self, command: Command) -> None:
        """A port that raises has a bug: the other commands go out all the same, and everything is opened."""
        port = self._ports.get(type(command))
        try:
            if port is not None:
                port.carry_out(command)
            elif isinstance(command, (Restart, StopProcess)) and not self.ended.done():
                self.ended.set_result(command)
        except Exception as error:  # noqa: BLE001 whatever it was
            self._loop.call_soon(self._fail, self._now(), None, error)

    def _later(self, seen: _Seen) -> None:
        """Journal and watchers come after what the ports have begun: an opening waits for no file."""
        self._seen.append(seen)
        if len(self._seen) == 1:
            self._loop.call_soon(self.show)

    def show(self) -> None:
        """Journal and watchers see what was done, in order. One of them that fails is left out from then on: charging does not hang on a log."""
        seen, self._seen = self._seen, []
        lost: list[Command] = []
        if self.record is not None and seen:
            try:
                self.record([Entry(each.tick, each.event, tuple(each.commands), each.crashed) for each in seen if each.event is not None])
            except Exception as error:  # noqa: BLE001 whatever it was, the station goes on
                self.record = None
                lost.append(Log("error", "journal.lost", {"error": repr(error)[:500]}))
        for each in seen:
            for watcher in tuple(self.watchers):
                try:
                    watcher(each.tick, each.event, (*each.shown, *lost))
                except Exception as error:  # noqa: BLE001 the same
                    self.watchers.remove(watcher)
                    lost.append(Log("error", "watcher.lost", {"error": repr(error)[:500]}))

    def end_within(self, seconds: float) -> None:
        """Whatever the station still waits for: the process ends by then (F-18)."""
        self._loop.call_later(seconds, self._end)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(StopProcess())

    def _set_timer(self) -> None:
        due = self.station.deadline()
        if due == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = None if due is None else self._loop.call_at(due, self._expired)

    def _expired(self) -> None:
        due, self._timer, self._timer_at = self._timer_at, None, None
        self._mono = max(self._mono, due or 0.0)
        self.tell(TIMER)

    def _now(self) -> Tick:
        """The loop calls a timer some nanoseconds early, which would be too early for the machine that asked for it; no tick is before another."""
        now = self.clock.now()
        if now.mono < self._mono:
            return Tick(self._mono, now.utc)
        self._mono = now.mono
        return now

    def _fail(self, now: Tick, event: object, error: Exception) -> None:
        """No decision can be trusted any more."""
        self._failed = True
        for evse in self.station.config.evses:
            for command in (OpenContactor(evse.id), WithdrawPermit(evse.id), SetX1(evse.id)):
                self._ports[type(command)].carry_out(command)
        told = (Log("error", "station.failed", {"event": type(event).__name__, "error": repr(error)[:500]}),)
        self._later(_Seen(now, event, (), told, repr(error)))
        if not self.ended.done():
            self.ended.set_exception(error)

    def stop(self) -> None:
        """No timer any more, and no event is taken; what was done is shown."""
        self._failed = True
        if self._timer is not None:
            self._timer.cancel()
        self.show()
