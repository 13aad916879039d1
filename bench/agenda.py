"""What simulated things will do, and when: on whatever clock their hosts have."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Agenda:
    """Entries of one moment are done in the order in which they were made."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], object]]] = []
        self._number = itertools.count()

    def add(self, at: float, what: Callable[[], object]) -> None:
        """Do this then."""
        heapq.heappush(self._entries, (at, next(self._number), what))

    def due(self, now: float) -> bool:
        """Do everything that is due by now, also what is added meanwhile; whether there was anything."""
        done = False
        while self._entries and self._entries[0][0] <= now:
            heapq.heappop(self._entries)[2]()
            done = True
        return done

    def deadline(self) -> float | None:
        """When the next one is due."""
        return self._entries[0][0] if self._entries else None

    def clear(self) -> None:
        """Nothing of it."""
        self._entries.clear()
