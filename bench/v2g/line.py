"""A V2G connection with its session, either end of the bench's: the session's commands carried out, and its one timer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from chargepoint.runtime.clock import Clock
from chargepoint.runtime.ports.v2g_line import Secure, Wire
from iso15118.connection import Abort, Close, Command, Event, Now, Send, TimerExpired
from iso15118.terms import Told


class Machine(Protocol):
    """A session of either end."""

    def handle(self, now: Now, event: Event) -> Sequence[Command]: ...

    def deadline(self) -> float | None: ...


class Line(Wire):
    """With a session: its commands are carried out, and it has a timer. Whoever derives from it says what becomes of what is told."""

    def __init__(self, machine: Machine, clock: Clock, secure: Secure | None) -> None:
        super().__init__(secure)
        self.machine, self.clock = machine, clock
        self._timer: asyncio.TimerHandle | None = None
        self._events: deque[Event] = deque()
        self._failed = False

    # ---- what an end makes of it

    def told(self, told: Told) -> None:
        """Something that the session tells."""

    def shown(self, command: Command) -> None:
        """Everything else that it does, before it is done."""

    def deadline(self) -> float | None:
        """When something is due."""
        return self.machine.deadline()

    def due(self) -> None:
        """It is."""

    # ---- through the session

    def handle(self, event: Event) -> None:
        """One event into the session; carry out what it says, in its order. What comes of that in the meantime waits for its turn."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            self._carry_out(self._events[0])
            self._events.popleft()
        self._set_timer()

    def _carry_out(self, event: Event) -> None:
        """A command that fails takes none of the others with it: PowerOff may be among them."""
        try:
            commands = self.machine.handle(self.clock.now(), event)
        except Exception as error:  # noqa: BLE001 whatever it was, the energy has to go off
            self._bug(error, event)
            return
        for command in commands:
            try:
                self._do(command)
            except Exception as error:  # noqa: BLE001 the same
                self._bug(error, command)

    def _do(self, command: Command) -> None:
        if isinstance(command, Told):
            self.told(command)
            return
        try:
            self.shown(command)
        finally:
            if isinstance(command, Send):
                self.send(command.octets)
            elif isinstance(command, Close):
                self.close()

    def _bug(self, error: Exception, at: Event | Command) -> None:
        """An error of ours: the session ends; when it cannot even do that, the connection does."""
        words = f"an error of ours in a V2G connection, at {type(at).__name__}"
        asyncio.get_running_loop().call_exception_handler({"message": words, "exception": error})
        if self._failed:
            self.drop()
        else:
            self._failed = True
            self._events.append(Abort("an error of our own"))

    # ---- the timer

    def _forget(self) -> None:
        self._stop_timer()
        super()._forget()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._stop_timer()
        deadline = None if self._gone else self.deadline()
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, deadline - self.clock.now().mono), self._due)

    def _due(self) -> None:
        self._timer = None
        self.due()
        self.handle(TimerExpired())
