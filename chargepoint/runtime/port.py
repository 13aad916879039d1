"""The shape of a port."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from chargepoint.commands import Command

Tell = Callable[[object], None]
"""The one door: stamps the event, journals it, gives it to the station and carries out what follows. In the loop's thread only."""


class StartError(Exception):
    """The station does not start; the message says why and what to do."""


class Port(Protocol):
    """Made with a `Tell`. All calls come in the event loop's thread."""

    takes: ClassVar[tuple[type[Command], ...]]
    """The commands that are this port's."""

    async def start(self) -> None:
        """Be ready for commands. Raises what makes the process useless."""

    def carry_out(self, command: Command) -> None:
        """Begin it and return at once: no waiting, no exception. The outcome comes as an event, told later and never from inside this call."""

    async def stop(self) -> None:
        """Let go of everything; no task is left over."""


class ReleasedPort(Port, Protocol):
    """Tells nothing before the station has heard that it is powered up."""

    def release(self) -> None:
        """It has."""
