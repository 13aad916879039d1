"""Amplitude maps, once there is a link: each side may ask the other to send with less power on some carriers (CM_AMP_MAP, ISO 15118-3 A.9.7 [K]).

The other side's is the own modem's to take, and what that says is what the other side hears. It is taken for a moment after the link has come up: later
nobody has a reason to ask, but whoever is on the line can, in the other side's name.
"""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.slac import mme, times
from iso15118.slac.layout import Mme

TAKEN_S = 2.0
"""So long after the link is up: each side sees that in its own time (JOINED_S), and asks within TP_amp_map_exchange three times."""


class Amplitudes:
    """Ours, as the other side is told of it, without one nothing is ever due; and the other side's."""

    def __init__(self, amplitudes: bytes) -> None:
        self.amplitudes = amplitudes
        self.due: float | None = None
        """It has confirmed by then, or gets it again."""
        self._tries = 0
        self._takes_until = 0.0
        self._asks = False
        """The own modem has been asked for the other side, and has not said anything."""
        self._carriers = 0
        """Of the map that the own modem has."""

    def begin(self, now: Now) -> list[mme.AmpMapReq]:
        """The link is up."""
        self._tries, self._takes_until = 0, now.mono + TAKEN_S
        return self._told(now) if self.amplitudes else []

    def stop(self) -> None:
        """It has confirmed, or there is no link any more."""
        self.due = None

    def wanted(self, now: Now, theirs: mme.AmpMapReq) -> list[mme.AmpMapReq]:
        """By the other side: what the own modem is asked."""
        if now.mono > self._takes_until:
            return []
        self._asks, self._carriers = True, len(theirs.amplitudes)
        return [theirs]

    def done(self, said: Mme) -> list[Mme]:
        """The own modem has said something: the other side hears it when it was asked for."""
        if not self._asks or not isinstance(said, mme.AmpMapCnf):
            return []
        self._asks = False
        return [said]

    def end(self) -> list[mme.AmpMapReq]:
        """The network is left: the next one finds the own modem at its full power."""
        carriers, self._carriers, self._asks, self._takes_until = self._carriers, 0, False, 0.0
        self.stop()
        return [mme.AmpMapReq(amplitudes=bytes(carriers))] if carriers else []

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
        return {name.strip("_"): getattr(self, name) for name in _PLAIN}

    def restore(self, saved: dict[str, Any]) -> None:
        """As `saved` left it."""
        for name in _PLAIN:
            setattr(self, name, saved[name.strip("_")])


_PLAIN = ("due", "_tries", "_takes_until", "_asks", "_carriers")
