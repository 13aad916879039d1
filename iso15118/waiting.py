"""How long something has been going on that is asked for again and again."""

from __future__ import annotations

from dataclasses import field

from iso15118.connection import Now
from iso15118.frozen import dataclass


@dataclass(slots=True, kw_only=True)
class Waiting:
    """What a session waits for, by name: authorization, schedule, cable check, precharge."""

    since: dict[str, float] = field(default_factory=dict)
    """What has been going on since when (mono)."""

    def ongoing(self, what: str, now: Now, most_s: float) -> bool:
        """Whether it may still go on."""
        return now.mono - self.since.setdefault(what, now.mono) < most_s

    def done(self, what: str) -> None:
        """It is waited for no more."""
        self.since.pop(what, None)
