"""What the station's certificates are, as its store said last, and which of them end soon (F-3, F-9).

Dates are judged by the station's own time of day, and not at all while nobody has set it. Time steps: what the CSMS says comes as TimeSet,
and the board's own clock is looked at every hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from certs.store import ROOT_USES, CertificateUse
from chargepoint.clock import WallClock
from chargepoint.commands import Log
from chargepoint.events import CertificateExpiring, CertificatesRead, TimerExpired, TimeSet
from chargepoint.facts import CertificateFacts
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

DAY_S = 86_400.0
LEAST_S = 0.1
"""Differences of times of day are not exact: a look that comes a little early must not lead to one that is due at once."""
LOOK_AGAIN_S = 3_600.0
"""A clock that somebody sets shows itself at the latest then [K]."""


@dataclass(slots=True)
class CertificatesState:
    """What it remembers."""

    told_utc: dict[str, float] = field(default_factory=dict)
    """Use and slot -> for which day ahead it was told last, as POSIX seconds of that day's begin."""
    look_at: float | None = None
    """Tick.mono of the next look."""


class CertificatesMachine:
    """Keeps `CertificateFacts`, and tells `CertificateExpiring` ahead of time and daily from then on: own chains in use until they are
    replaced, roots until a day after their end.
    """

    def __init__(self, facts: CertificateFacts, clock: WallClock, expiring_days: float) -> None:
        self.facts, self.clock, self.expiring_days = facts, clock, expiring_days
        self.state = CertificatesState()
        self.handlers: Mapping[type, Callable[[Tick, Any], Sequence[object]]] = {
            CertificatesRead: self._read,
            TimeSet: lambda now, _: self._look(now),
            TimerExpired: lambda now, _: self._look(now),
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event."""
        return self.handlers[type(event)](now, event)

    def deadline(self) -> float | None:
        """Of the next look; none while there is nothing to look at."""
        return self.state.look_at

    def _read(self, now: Tick, event: CertificatesRead) -> Sequence[object]:
        self.facts.roots, self.facts.own, self.facts.read = event.roots, event.own, event.read
        notes = [Log("warning", "certificates.found", {"what": note}) for note in event.notes]
        return [*notes, *self._look(now)]

    def _look(self, now: Tick) -> Sequence[object]:
        watched = {f"{use} {slot}": end_utc for use, slot, end_utc in self._watched()}
        self.state.told_utc = {name: at for name, at in self.state.told_utc.items() if name in watched}
        self.state.look_at = now.mono + LOOK_AGAIN_S if watched else None
        utc = self.clock.known_utc(now)
        return () if utc is None else [each for use, slot, end_utc in self._watched() for each in self._judge(now, utc, use, slot, end_utc)]

    def _judge(self, now: Tick, utc: float, use: CertificateUse, slot: str, end_utc: float) -> Sequence[object]:
        told, name = self.state.told_utc, f"{use} {slot}"
        from_utc = end_utc - self.expiring_days * DAY_S
        if utc < from_utc:
            told.pop(name, None)
            self._look_within(now, from_utc - utc)
            return ()
        day_utc = from_utc + (utc - from_utc) // DAY_S * DAY_S
        self._look_within(now, day_utc + DAY_S - utc)
        if told.get(name) == day_utc or (utc > end_utc + DAY_S and use in ROOT_USES):
            return ()
        told[name] = day_utc
        days = round((end_utc - utc) / DAY_S, 2)
        values = {"use": use, "slot": slot, "days": days}
        log = Log("warning", "certificate.expiring", values) if days > 0 else Log("error", "certificate.expired", values)
        return CertificateExpiring(use, slot, days), log

    def _look_within(self, now: Tick, seconds: float) -> None:
        at = now.mono + max(seconds, LEAST_S)
        self.state.look_at = at if self.state.look_at is None else min(self.state.look_at, at)

    def _watched(self) -> Iterator[tuple[CertificateUse, str, float]]:
        for own in self.facts.own:
            if own.state == "active":
                yield own.use, own.slot, own.not_after_utc
        for root in self.facts.roots:
            yield root.use, root.fingerprint, root.not_after_utc
