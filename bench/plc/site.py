"""Stations and vehicles on one power line, on virtual time: their machines, their modems, and the pilots of the cables that are plugged.

    site = Site(Line({"evse": ..., "ev": ...}, chance))
    site.add("evse", evse); site.add("ev", ev); site.run(3.0); site.plug("ev", "evse"); site.run(5.0)

A station shows 5 % as soon as a vehicle is there and the key is ready; what comes after a failed matching is its host's matter, and is not here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from bench.agenda import Agenda
from bench.plc.line import Delivery, Line
from iso15118.slac import mme
from iso15118.slac.ev import Ev
from iso15118.slac.evse import Evse
from iso15118.slac.mme import Frame
from iso15118.slac.signals import (
    Begin,
    CountToggles,
    EvCommand,
    FrameHeard,
    KeyReady,
    Leave,
    PilotSeen,
    SendFrame,
    SlacEvent,
    TimerExpired,
    Toggle,
    Toggled,
)

C = TypeVar("C")
STEPS = 1_000_000
"""More in one `run` mean that a deadline does not move."""


class At(NamedTuple):
    """Time as machines take it."""

    mono: float
    utc: float = 0.0


class Seen(NamedTuple):
    """A frame on a host's interface."""

    at: float
    port: str
    sent: bool
    octets: bytes


@dataclass(slots=True)
class Host:
    """A machine at a port."""

    port: str
    machine: Evse | Ev
    said: list[tuple[float, EvCommand]] = field(default_factory=list)
    """All but frames."""
    partner: str = ""
    """At the other end of its cable."""
    level: str = "A"
    """Of the pilot, as the cable shows it to a station."""
    ready: bool = False
    toggles: int | None = None
    """So many so far, while they are counted."""


class Site:
    """All of it. `now` is its time."""

    def __init__(self, line: Line) -> None:
        self.line, self.now = line, 0.0
        self.hosts: dict[str, Host] = {}
        self.seen: list[Seen] = []
        self._later = Agenda()

    # ---- what happens at the site

    def add(self, port: str, machine: Evse | Ev, *, start: bool = True) -> Host:
        """A machine, with its interface up."""
        host = self.hosts[port] = Host(port, machine)
        if start:
            self._take(host, machine.start(At(self.now)))
        return host

    def plug(self, ev: str, evse: str) -> None:
        """The cable is plugged; the vehicle sees 5 % when the station shows it."""
        self.hosts[ev].partner, self.hosts[evse].partner = evse, ev
        self.hosts[evse].level = "B"
        self.tell(evse, PilotSeen("B"))
        if self.hosts[evse].ready:
            self._show_5(self.hosts[evse])

    def unplug(self, ev: str) -> None:
        """And out."""
        evse = self.hosts[ev].partner
        self.hosts[ev].partner = self.hosts[evse].partner = ""
        self.hosts[evse].level = "A"
        self.tell(evse, PilotSeen("A"))
        self.tell(evse, Leave("unplugged"))
        self.tell(ev, Leave("unplugged"))

    def tell(self, port: str, event: SlacEvent) -> None:
        """An event for one of them, now."""
        host = self.hosts[port]
        self._take(host, host.machine.handle(At(self.now), event))

    def hear(self, port: str, frame: Frame | bytes) -> None:
        """A frame that comes to this host from nowhere, now."""
        octets = frame if isinstance(frame, bytes) else mme.octets(frame)
        self.seen.append(Seen(self.now, port, sent=False, octets=octets))
        self.tell(port, FrameHeard(octets))

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """Later."""
        self._later.add(self.now + delay_s, act)

    def run(self, for_s: float, until: Callable[[], bool] = lambda: False) -> bool:
        """So long, or until something has come about; whether it has."""
        end = self.now + for_s
        for _ in range(STEPS):
            if until():
                return True
            due = min(self._dues(), default=end + 1.0)
            if due > end:
                self.now = end
                return until()
            self.now = max(self.now, due)
            self._turn()
        raise RuntimeError(f"a deadline does not move at {self.now}")

    # ---- what is to be seen of it

    def told(self, port: str, kind: type[C]) -> list[C]:
        """What one of them has said, of one kind."""
        return [command for _, command in self.hosts[port].said if isinstance(command, kind)]

    def sent(self, port: str) -> list[tuple[float, Frame]]:
        """The messages that it has sent."""
        return [(each.at, mme.read(each.octets)) for each in self.seen if each.sent and each.port == port]

    def capture(self, path: Path) -> Path:
        """Every frame once, as a capture file: what was sent, and what was heard of nobody who is seen sending it."""
        sent = {each.octets for each in self.seen if each.sent}
        path.write_bytes(pcap((each.at, each.octets) for each in self.seen if each.sent or each.octets not in sent))
        return path

    # ---- inside

    def _dues(self) -> Iterator[float]:
        dues = (self.line.deadline(), self._later.deadline(), *(host.machine.deadline() for host in self.hosts.values()))
        yield from (at for at in dues if at is not None)

    def _turn(self) -> None:
        """Everything that is due now, in a fixed order."""
        self._deliver(self.line.due(self.now))
        self._later.due(self.now)
        for host in list(self.hosts.values()):
            at = host.machine.deadline()
            if at is not None and at <= self.now:
                self._take(host, host.machine.handle(At(self.now), TimerExpired()))

    def _deliver(self, deliveries: list[Delivery]) -> None:
        for each in deliveries:
            host = self.hosts.get(each.port)
            if host is not None:
                self.hear(each.port, each.octets)

    def _take(self, host: Host, commands: Sequence[EvCommand]) -> None:
        for each in commands:
            if isinstance(each, SendFrame):
                self.seen.append(Seen(self.now, host.port, sent=True, octets=each.octets))
                arrived = self.line.heard(self.now, host.port, each.octets)
                if arrived:
                    self.after(0.0, partial(self._deliver, arrived))
                continue
            host.said.append((self.now, each))
            match each:
                case KeyReady(ready):
                    host.ready = ready
                    if ready and host.partner and isinstance(host.machine, Evse) and not host.machine.begun:
                        self.after(0.0, partial(self._show_5, host))
                case CountToggles(for_s):
                    host.toggles = 0
                    self.after(for_s, partial(self._counted, host))
                case Toggle(times, state_s):
                    self._toggle(host, times, state_s)

    def _show_5(self, host: Host) -> None:
        if host.partner:
            self.tell(host.port, Begin())
            self.tell(host.partner, Begin())

    def _counted(self, host: Host) -> None:
        count, host.toggles = host.toggles, None
        self.tell(host.port, Toggled(count or 0))

    def _toggle(self, host: Host, times: int, state_s: float) -> None:
        for number in range(2 * times):
            self.after(number * state_s, partial(self._toggles, host, "CB"[number % 2]))

    def _toggles(self, ev: Host, level: str) -> None:
        """On the cable that it is on by then."""
        if ev.partner:
            self._level(ev.partner, level)

    def _level(self, evse: str, level: str) -> None:
        """A toggle is C between two B."""
        host = self.hosts[evse]
        if (host.level, level) == ("C", "B") and host.toggles is not None:
            host.toggles += 1
        host.level = level
        self.tell(evse, PilotSeen(level))


def pcap(frames: Iterable[tuple[float, bytes]]) -> bytes:
    """A capture of Ethernet: seconds and octets of each frame."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for at, octets in frames:
        out += struct.pack("<IIII", *divmod(round(at * 1e6), 1_000_000), len(octets), len(octets)) + octets
    return out
