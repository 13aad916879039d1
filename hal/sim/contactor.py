"""A contactor: coil, travel, poles, mirror contact, and the permit without which its coil gets no current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hal.types import Phases

CLOSE_TRAVEL_S = 0.025
"""From coil current to closed contacts; usual for a 40 A contactor [K]."""
OPEN_TRAVEL_S = 0.015
"""From no coil current to open contacts [K]."""
UNDER_LOAD_A = 5.0
"""Direct current that a contactor is not opened under (IEC 61851-23 [K])."""


@dataclass(slots=True)
class Contactor:
    """Pure; `advance` first, then command. Times are on the caller's clock."""

    coil: int = 0
    """Phases that the coils ask for: 0, 1 or 3."""
    poles: int = 0
    """Phases whose contacts are closed."""
    moving_until: float | None = None
    permit_until: float = float("-inf")
    welded: bool = False
    """The contacts do not open any more."""
    welds_on_close: bool = False
    stuck_open: bool = False
    """The coil pulls, the contacts do not move."""
    mirror_stuck: bool = False
    mirror: int = 0
    """What the mirror contact says."""
    opened_under_A: float = 0.0
    """DC: the most that it had to break, of what is too much for it; 0: it never had to."""

    @property
    def permitted(self) -> bool:
        """Whether the permit lives, as of the last `advance`."""
        return self.permit_until > float("-inf")

    def close(self, phases: Phases) -> bool:
        """Coil current on, for so many phases; False without a live permit, or when other poles are closed: never live from one to the other."""
        if not self.permitted or (self.poles and self.poles != phases):
            return False
        self._drive(phases)
        return True

    def open(self) -> None:
        """No coil current."""
        self._drive(0)

    def permit(self, until_s: float) -> None:
        """The hardware lets the coil have current until then."""
        self.permit_until = until_s

    def withdraw(self) -> None:
        """The permit ends now, and with it the coil current."""
        self.permit_until = float("-inf")
        self._drive(0)

    def weld(self, phases: Phases = 3) -> None:
        """The contacts stick together from now on, also if they were open: then so many of them."""
        self.welded = True
        self.poles = self.poles or phases
        self.moving_until = None
        self._tell()

    def free(self) -> None:
        """A weld or a jam is repaired: the contacts go where the coil wants them."""
        if self.poles != self.coil:
            self.moving_until = float("-inf")

    def broke(self, current_A: float) -> None:
        """The contacts opened while so much direct current flowed."""
        if abs(current_A) >= UNDER_LOAD_A:
            self.opened_under_A = max(self.opened_under_A, abs(current_A))

    def deadline(self) -> float | None:
        """End of travel, or of the permit while the coil has current."""
        ends = [e for e in (self.moving_until, self.permit_until if self.coil else None) if e is not None]
        return min(ends, default=None)

    def advance(self, now_s: float) -> None:
        """Contacts arrive; a permit that has run out takes the coil current."""
        if now_s >= self.permit_until:
            self.withdraw()
        if self.moving_until is None:
            return
        if self.moving_until == float("-inf"):
            self.moving_until = now_s + (CLOSE_TRAVEL_S if self.coil > self.poles else OPEN_TRAVEL_S)
        elif now_s >= self.moving_until:
            self.moving_until = None
            self._arrive()

    def _drive(self, phases: int) -> None:
        if phases == self.coil:
            return
        self.coil = phases
        # Travel begins when the clock is next looked at, which is at this same moment.
        self.moving_until = None if phases == self.poles else float("-inf")

    def _arrive(self) -> None:
        if self.coil and not self.stuck_open:
            self.poles = self.coil
            self.welded = self.welded or self.welds_on_close
            self.welds_on_close = False
        elif not self.coil and not self.welded:
            self.poles = 0
        self._tell()

    def _tell(self) -> None:
        if not self.mirror_stuck:
            self.mirror = self.poles

    def save(self) -> dict[str, Any]:
        """What outlives a loss of power: only damage."""
        return {
            "poles": self.poles if self.welded else 0,
            "welded": self.welded,
            "welds_on_close": self.welds_on_close,
            "stuck_open": self.stuck_open,
            "mirror_stuck": self.mirror_stuck,
            "opened_under_A": self.opened_under_A,
        }

    @staticmethod
    def restored(saved: dict[str, Any]) -> Contactor:
        """A contactor after a loss of power."""
        contactor = Contactor(
            poles=int(saved["poles"]),
            welded=bool(saved["welded"]),
            welds_on_close=bool(saved["welds_on_close"]),
            stuck_open=bool(saved["stuck_open"]),
            mirror_stuck=bool(saved["mirror_stuck"]),
            opened_under_A=float(saved.get("opened_under_A", 0.0)),
        )
        contactor.mirror = contactor.poles
        return contactor
