"""Amplitude maps, once there is a link: each side may ask the other to send with less power on some carriers (CM_AMP_MAP, ISO 15118-3 A.9.7 [K])."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.slac import mme, times


class Amplitudes:
    """Ours, as the other side is told of it; without one nothing is ever due."""

    def __init__(self, amplitudes: bytes) -> None:
        self.amplitudes = amplitudes
        self.due: float | None = None
        """It has confirmed by then, or gets it again."""
        self._tries = 0

    def begin(self, now: Now) -> list[mme.AmpMapReq]:
        """The link is up."""
        self._tries = 0
        return self._told(now) if self.amplitudes else []

    def stop(self) -> None:
        """It has confirmed, or there is no link any more."""
        self.due = None

    def late(self, now: Now) -> list[mme.AmpMapReq]:
        """What is to be sent when nothing has come by now."""
        if self.due is None or self.due > now.mono:
            return []
        self.due = None
        return self._told(now) if self._tries <= times.C_EV_MATCH_RETRY else []

    def _told(self, now: Now) -> list[mme.AmpMapReq]:
        self._tries, self.due = self._tries + 1, now.mono + times.TT_AMP_MAP_EXCHANGE_S
        return [mme.AmpMapReq(amplitudes=self.amplitudes)]

    def saved(self) -> dict[str, Any]:
        """In JSON's types."""
        return {"due": self.due, "tries": self._tries}

    def restore(self, saved: dict[str, Any]) -> None:
        """As `saved` left it."""
        self.due, self._tries = saved["due"], saved["tries"]
