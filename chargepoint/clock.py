"""The station's own idea of the time of day: the board's clock, corrected by what the CSMS says.

A board without a battery starts in 1970; the offset from BootNotification and Heartbeat makes its reports right without
the right to set the system clock (F-3). Time-outs never come near this: they count on `Tick.mono`.
"""

from __future__ import annotations

from chargepoint.tick import Tick
from iso15118.frozen import dataclass

SET_FROM_UTC = 1_735_689_600.0
"""2025-01-01: a board's clock that stands before this station was written has not been set."""
SYNC_THRESHOLD_S = 1.0
"""Smaller differences are the network's, and are left alone."""


def board_is_set(now: Tick) -> bool:
    """Whether somebody has set the board's clock."""
    return now.utc >= SET_FROM_UTC


@dataclass(slots=True)
class WallClock:
    """Shared by the machines that report times; only the provisioning block moves it."""

    offset_s: float = 0.0
    synchronised: bool = False

    def utc(self, now: Tick) -> float:
        """POSIX seconds as the station reports them."""
        return now.utc + self.offset_s

    def follow_board(self, now: Tick) -> float:
        """Go by the board's clock alone; gives by how much the station's time moved."""
        change_s, self.offset_s = -self.offset_s, 0.0
        self.synchronised = board_is_set(now)
        return change_s

    def known_utc(self, now: Tick) -> float | None:
        """POSIX seconds, where somebody has set a clock: the CSMS ours, or whoever it was the board's; None where nobody has."""
        return self.utc(now) if self.synchronised or board_is_set(now) else None

    def set(self, now: Tick, csms_utc: float) -> float:
        """Take the CSMS's time over; gives by how much the station's time moved (0.0 when within the threshold)."""
        change_s = csms_utc - self.utc(now)
        self.synchronised = True
        if abs(change_s) < SYNC_THRESHOLD_S:
            return 0.0
        self.offset_s += change_s
        return change_s
