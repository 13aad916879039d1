"""The power line of a simulated station: each EVSE has a modem, and so has the vehicle on its cable. Other cables are heard, too, but from afar."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import NamedTuple

from bench.plc.line import Delivery, Line, Noise, Path
from bench.plc.modem import SimModem
from iso15118.slac.ev import Ev
from iso15118.slac.ev_state import EvOptions

NEAR, ACROSS = Path(6.0, 4.0), Path(35.0, 10.0)
"""The cable itself, and from one cable to the next."""


class HeardBy(NamedTuple):
    """A frame for the host at one end of an EVSE's cable."""

    evse_id: int
    vehicle: bool
    octets: bytes


class Cables:
    """Times are anybody's, in seconds. All that is random follows from the seed."""

    def __init__(
        self, evses: Iterable[int], *, seed: int = 0, near: Path = NEAR, across: Path | None = ACROSS, noise: Noise | None = None
    ) -> None:
        self.dice = random.Random(seed)
        self.evses = tuple(evses)
        self._ports = {port: (each, vehicle) for each in self.evses for vehicle in (False, True) for port in (_port(each, vehicle),)}
        modems = {port: SimModem(_mac(2, *where), profiles=not where[1], dead=where[1]) for port, where in self._ports.items()}
        paths = {(_port(each, False), _port(each, True)): near for each in self.evses}
        self.line = Line(modems, self.dice.random, paths=paths, elsewhere=across, noise=noise)

    def modem(self, evse_id: int, *, vehicle: bool = False) -> SimModem:
        """To change it."""
        return self.line.modems[_port(evse_id, vehicle)]

    def vehicle(self, evse_id: int) -> Ev:
        """What matches for a vehicle that is plugged in there; its modem has power from now on."""
        self.modem(evse_id, vehicle=True).dead = False
        return Ev(EvOptions(mac=_mac(0, evse_id, True)), self.dice.randbytes)

    def gone(self, evse_id: int) -> None:
        """Nobody is on this cable any more."""
        self.modem(evse_id, vehicle=True).dead = True

    def sent(self, now_s: float, evse_id: int, octets: bytes, *, vehicle: bool) -> list[HeardBy]:
        """The host at one end sends; what has arrived by now, also of earlier ones."""
        return self._heard(self.line.heard(now_s, _port(evse_id, vehicle), octets))

    def due(self, now_s: float) -> list[HeardBy]:
        """What has arrived by now."""
        return self._heard(self.line.due(now_s))

    def deadline(self) -> float | None:
        """When something arrives next."""
        return self.line.deadline()

    def _heard(self, deliveries: list[Delivery]) -> list[HeardBy]:
        return [HeardBy(*self._ports[each.port], each.octets) for each in deliveries]


def mac_of(evse_id: int) -> bytes:
    """Of the station's interface there."""
    return _mac(0, evse_id, False)


def _port(evse_id: int, vehicle: bool) -> str:
    return f"{'vehicle' if vehicle else 'evse'} {evse_id}"


def _mac(kind: int, evse_id: int, vehicle: bool) -> bytes:
    """Locally administered; `kind` 2: a modem's own."""
    return bytes((2, 0, kind, int(vehicle), 0, evse_id))
