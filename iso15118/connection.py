"""What happens to a V2G connection, and what its session wants done: the same for the charger's side and the vehicle's."""

from __future__ import annotations

from dataclasses import field
from typing import Protocol

from iso15118.frozen import dataclass
from iso15118.messages.declare import Message
from iso15118.terms import Told


class Now(Protocol):
    """The time that an event carries."""

    @property
    def mono(self) -> float: ...
    @property
    def utc(self) -> float: ...


# ---- events and commands


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection stands; said again when TLS is done with it. `verified`: with a vehicle certificate that was judged good."""

    verified: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """Octets, in pieces of any size."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone."""

    why: str = "closed by the vehicle"


@dataclass(frozen=True, slots=True)
class Changed:
    """`Facts` are other than before: an answer that waits may be possible now."""


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """The deadline was reached."""


@dataclass(frozen=True, slots=True)
class Abort:
    """The host ends it: fault, unplugged, shutdown."""

    why: str


Event = Connected | Received | Lost | Changed | TimerExpired | Abort


@dataclass(frozen=True, slots=True)
class Send:
    """Octets for the connection. `message` is what they say, for whoever shows it."""

    octets: bytes
    message: Message = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that was understood, for whoever shows it."""

    message: Message = field(compare=False)


@dataclass(frozen=True, slots=True)
class Note:
    """For the log."""

    level: str
    key: str
    words: str


Command = Told | Send | Close | Heard | Note


class Unexpected(Exception):
    """A message that no request is, or that has another payload type than its own."""
