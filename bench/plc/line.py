"""The line between simulated modems, pure and on anybody's time: what a host sends goes in, what hosts get comes out when it is due.

    line = Line({"evse": SimModem(mac1), "ev": SimModem(mac2)}, random.Random(7).random)
    line.heard(now, "ev", octets) -> deliveries that are due by now; line.deadline(); line.due(now) -> the others, later

Management messages of HomePlug travel between modems that hear each other, whatever their keys; all other frames between those of one key only. Messages
to the own modem stay there.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bench.plc.modem import SimModem
from iso15118.slac import mme
from iso15118.slac.layout import ETHERTYPE
from iso15118.slac.mme import LOCAL, Frame, MmeError

MANAGEMENT = range(0x6000, 0x8000)
"""MMTYPEs that travel; those of vendors are for the own modem."""


class Path(NamedTuple):
    """Between two modems: attenuation in dB, in the mean of all groups of carriers, and how much more it is for the last than for the first."""

    dB: float
    slope_dB: float = 0.0

    def groups(self) -> bytes:
        """Of each."""
        middle = (mme.GROUPS - 1) / 2
        each = (self.dB + self.slope_dB * (number - middle) / (mme.GROUPS - 1) for number in range(mme.GROUPS))
        return bytes(round(min(max(0.0, dB), 255.0)) for dB in each)


CLOSE = Path(4.0)
"""As on one cable."""


@dataclass(slots=True)
class Noise:
    """What happens to frames on their way, for each modem that could hear them."""

    loss: float = 0.0
    duplicates: float = 0.0
    """Share of frames."""
    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Up to so much later: frames overtake each other."""


class Delivery(NamedTuple):
    """A frame for the host at a port."""

    at: float
    port: str
    octets: bytes


class Line:
    """Modems by port. `paths`: between ports, either way; `elsewhere` for all others, None where nothing is heard. `chance` gives 0 to 1."""

    def __init__(
        self,
        modems: Mapping[str, SimModem],
        chance: Callable[[], float],
        *,
        paths: Mapping[tuple[str, str], Path | None] | None = None,
        elsewhere: Path | None = CLOSE,
        noise: Noise | None = None,
        join_s: float = 0.6,
    ) -> None:
        self.modems, self._chance = dict(modems), chance
        self.paths = {frozenset(ports): path for ports, path in (paths or {}).items()}
        self.elsewhere, self.noise, self.join_s = elsewhere, noise or Noise(), join_s
        self._number = itertools.count()
        self._coming: list[tuple[float, int, str, str, bytes]] = []
        """When, to which port, from which other one; from "" it is the modem's own word."""

    # ---- in and out

    def heard(self, now: float, port: str, octets: bytes) -> list[Delivery]:
        """The host at this port sends a frame."""
        out = self.due(now)
        modem = self.modems[port]
        if len(octets) >= 14 and not modem.dead:
            modem.host = modem.host or octets[6:12]
            if octets[:6] in (LOCAL, modem.mac):
                self._ask(now, port, octets)
            elif modem.awake(now):
                self._spread(now, port, octets)
        return [*out, *self.due(now)]

    def due(self, now: float) -> list[Delivery]:
        """What arrives by now."""
        out: list[Delivery] = []
        for modem in self.modems.values():
            modem.settle(now)
        while self._coming and self._coming[0][0] <= now:
            at, _, port, source, octets = heapq.heappop(self._coming)
            if not source:
                out.append(Delivery(at, port, octets))
            elif self._hears(at, port, octets):
                out += self._profile(at, port, source, octets)
                out.append(Delivery(at, port, octets))
        return out

    def deadline(self) -> float | None:
        """When something arrives next."""
        return self._coming[0][0] if self._coming else None

    def path(self, one: str, other: str) -> Path | None:
        """Between two ports."""
        return self.paths.get(frozenset((one, other)), self.elsewhere)

    def linked(self, now: float, one: str, other: str) -> bool:
        """The modems at both ports hear each other and have one key, for long enough."""
        ends = (self.modems[one], self.modems[other])
        together = ends[0].nmk == ends[1].nmk and now >= max(each.keyed_at for each in ends) + self.join_s
        return together and all(each.awake(now) for each in ends) and self.path(one, other) is not None

    def link(self, now: float, port: str) -> bool:
        """With anybody."""
        return any(other != port and self.linked(now, port, other) for other in self.modems)

    # ---- inside

    def _push(self, at: float, port: str, source: str, octets: bytes) -> None:
        heapq.heappush(self._coming, (at, next(self._number), port, source, octets))

    def _ask(self, now: float, port: str, octets: bytes) -> None:
        modem = self.modems[port]
        try:
            frame = mme.read(octets)
        except MmeError:
            return
        for answer in modem.asked(now, frame.mme, lambda: self.link(now, port)):
            self._push(answer.at, port, "", mme.octets(Frame(frame.source, modem.mac, answer.mme)))

    def _spread(self, now: float, port: str, octets: bytes) -> None:
        management = octets[12:14] == ETHERTYPE
        if management and int.from_bytes(octets[15:17], "little") not in MANAGEMENT:
            return
        noise = self.noise
        for other in self.modems:
            if other == port or self.path(port, other) is None or not (management or self.linked(now, port, other)):
                continue
            if self._chance() < noise.loss:
                continue
            for _ in range(2 if self._chance() < noise.duplicates else 1):
                self._push(now + noise.delay_s + noise.jitter_s * self._chance(), other, port, octets)

    def _hears(self, at: float, port: str, octets: bytes) -> bool:
        """It is awake, and the frame is for its host or for all; of a host that it does not know it takes everything."""
        modem = self.modems[port]
        return modem.awake(at) and (bool(octets[0] & 1) or modem.host in (None, octets[:6]))

    def _profile(self, at: float, port: str, source: str, octets: bytes) -> list[Delivery]:
        """How it heard a sound."""
        modem, path = self.modems[port], self.path(port, source)
        if not modem.profiles or modem.host is None or path is None:
            return []
        try:
            frame = mme.read(octets)
        except MmeError:
            return []
        if not isinstance(frame.mme, mme.MnbcSoundInd):
            return []
        told = mme.AttenProfileInd(pev_mac=frame.source, aag=path.groups())
        return [Delivery(at, port, mme.octets(Frame(modem.host, modem.mac, told)))]
