"""Where the link stands, and which network profile has its turn (OCPP 2.1 B10)."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import field

from iso15118.frozen import dataclass


class Phase(enum.Enum):
    """Where the link stands."""

    OFF = "off"
    """Nothing is dialled: no CSMS, the network is pulled, or the end has begun."""
    WAITING = "waiting"
    DIALLING = "dialling"
    UP = "up"


@dataclass(slots=True)
class Turns:
    """Whose turn it is: the slot that is dialled, those that come after it, and the one to fall back to.

    A round is every slot of the order; after it comes the slot that worked last, and then another round.
    """

    slot: int = 0
    failed: int = 0
    """Failed attempts with this slot in a row."""
    ahead: list[int] = field(default_factory=list)
    last_good: int = 0
    """The slot of the last connection, also when it was before this run; 0 = none."""

    def begin(self, order: Sequence[int]) -> None:
        """A round from its beginning (B10.FR.01 [K])."""
        self.slot, self.ahead, self.failed = order[0], list(order[1:]), 0

    def connected(self, order: Sequence[int]) -> None:
        """This slot works; should it be lost, it is tried first, then those behind it in the order, then those before it."""
        at = order.index(self.slot) if self.slot in order else -1
        self.last_good, self.failed = self.slot, 0
        self.ahead = [*order[at + 1 :], *order[: max(at, 0)]]

    def failed_once(self, order: Sequence[int], usable: Sequence[int], attempts: int) -> None:
        """One attempt failed; after `attempts` of them the next slot has its turn (B10.FR.03, .04, .07 [K]).

        >>> turns = Turns(last_good=1)
        >>> turns.begin([2])
        >>> dialled = []
        >>> for _ in range(8):
        ...     dialled.append(turns.slot)
        ...     turns.failed_once([2], [1, 2], attempts=2)
        >>> dialled
        [2, 2, 1, 1, 2, 2, 1, 1]
        """
        self.failed += 1
        if self.failed < attempts and self.slot in usable:
            return
        ahead = [slot for slot in self.ahead if slot in usable]
        if not ahead:
            ahead = [slot for slot in (self.last_good, *order) if slot in usable]
        while len(ahead) > 1 and ahead[0] == self.slot:
            ahead = ahead[1:]
        self.failed = 0
        if ahead:
            self.slot, self.ahead = ahead[0], ahead[1:]


@dataclass(slots=True)
class LinkState:
    """All that the machine remembers. Times are Tick.mono."""

    phase: Phase = Phase.OFF
    attempt: int = 0
    """Of the last OpenLink; an answer to an earlier one is stale."""
    turns: Turns = field(default_factory=Turns)
    failures: int = 0
    """Failures in a row, over all slots: the back-off."""
    dial_at: float | None = None
    up_since: float = 0.0
    pulled: bool = False
    ending: bool = False
    hurry: bool = False
    """The connection is being closed to be made anew at once."""
