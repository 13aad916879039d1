"""A modem's machine, its time, and modems of every kind that answer it."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from bench.plc.site import At
from iso15118.slac import mme, vendor
from iso15118.slac.layout import Mme
from iso15118.slac.mme import LOCAL, Frame, octets, read
from iso15118.slac.modem import Modem
from iso15118.slac.modem_table import ModemOptions
from iso15118.slac.signals import (
    FrameHeard,
    SendFrame,
    SlacCommand,
    TimerExpired,
)

HOST, MODEM, OTHER = (bytes.fromhex(each) for each in ("98ED5C0A0B0C", "00B0524E4D01", "0011223344FF"))
KEY, KEY2 = bytes(range(16)), bytes(range(16, 32))

Answer = Callable[[Mme], Mme | None]


def nonce(number: int) -> bytes:
    """Of the request for the first key, the second, ...."""
    return b"\x5e\xc4" + number.to_bytes(2, "big")


class World:
    """A modem's machine, time, and what the modem itself would say, each answer after `answers_s`."""

    def __init__(self, answer: Answer, options: ModemOptions | None = None) -> None:
        self.modem, self.answer = Modem(HOST, options), answer
        self.now = 0.0
        self.key_s = 0.7
        self.source = MODEM
        self.sent: list[tuple[float, Mme]] = []
        self.said: list[tuple[float, SlacCommand]] = []
        self._coming: list[tuple[float, int, bytes]] = []

    def do(self, act: Callable[[At], list[SlacCommand]]) -> None:
        for command in act(At(self.now)):
            if isinstance(command, SendFrame):
                frame = read(command.octets)
                assert (frame.destination, frame.source) == (LOCAL, HOST)
                self.sent.append((self.now, frame.mme))
                if (found := self.answer(frame.mme)) is not None:
                    self.say(found, after_s=self.key_s if isinstance(found, mme.SetKeyCnf) else 0.01)
            else:
                self.said.append((self.now, command))

    def say(self, message: Mme, *, after_s: float = 0.0, source: bytes | None = None, to: bytes = HOST) -> None:
        heapq.heappush(self._coming, (self.now + after_s, len(self.sent), octets(Frame(to, source or self.source, message))))

    def run(self, for_s: float) -> None:
        end = self.now + for_s
        for _ in range(10_000):
            due = min(
                [each for each in (self.modem.deadline(), self._coming[0][0] if self._coming else None) if each is not None],
                default=end + 1,
            )
            if due > end:
                self.now = end
                return
            self.now = max(self.now, due)
            if self._coming and self._coming[0][0] <= self.now:
                frame = heapq.heappop(self._coming)[2]
                self.do(lambda now, frame=frame: self.modem.handle(now, FrameHeard(frame)))  # type: ignore[misc]
            else:
                self.do(lambda now: self.modem.handle(now, TimerExpired()))
        raise AssertionError("the deadline does not move")

    def start(self, nmk: bytes | None = None) -> None:
        self.do(self.modem.start)
        if nmk is not None:
            self.set_key(nmk)

    def set_key(self, nmk: bytes) -> None:
        self.do(lambda now: self.modem.set_key(now, nmk))

    def watch(self, every_s: float = 0.5) -> None:
        self.do(lambda now: self.modem.watch(now, every_s))

    def kinds(self) -> list[type[Mme]]:
        return [type(message) for _, message in self.sent]

    def told(self, kind: type[SlacCommand]) -> list[SlacCommand]:
        return [command for _, command in self.said if isinstance(command, kind)]

    def take(self) -> list[SlacCommand]:
        """What was said since it was last taken."""
        said, self.said = [command for _, command in self.said], []
        return said


def qualcomm(message: Mme, *, link: int = 1, result: int = 1) -> Mme | None:
    match message:
        case vendor.VsSwVerReq():
            return vendor.VsSwVerCnf(device_class=0x22, version="MAC-QCA7000-1.1.3")
        case vendor.VsPlLnkStatusReq():
            return vendor.VsPlLnkStatusCnf(link_status=link)
        case vendor.VsRsDevReq():
            return vendor.VsRsDevCnf()
        case mme.SetKeyReq():
            return mme.SetKeyCnf(result=result)
        case _:
            return None


def lumissil(message: Mme) -> Mme | None:
    match message:
        case vendor.NscmGetVersionReq():
            return vendor.NscmGetVersionCnf(major=3, minor=4, patch=5, build=6)
        case vendor.NscmGetDLinkStatusReq():
            return vendor.NscmGetDLinkStatusCnf(link_status=1)
        case mme.SetKeyReq():
            return mme.SetKeyCnf(result=0)
        case _:
            return None


def key_only(message: Mme) -> Mme | None:
    return mme.SetKeyCnf(result=1) if isinstance(message, mme.SetKeyReq) else None


def with_stats(*stations: mme.Rate) -> Answer:
    return lambda message: mme.NwStatsCnf(stations=stations) if isinstance(message, mme.NwStatsReq) else key_only(message)


def dead(message: Mme) -> Mme | None:
    return None


def refusing(message: Mme) -> Mme | None:
    return qualcomm(message, result=7)


def mute(message: Mme) -> Mme | None:
    """About its link."""
    return None if isinstance(message, vendor.VsPlLnkStatusReq) else qualcomm(message)


def linked(answer: Answer, options: ModemOptions | None = None) -> World:
    world = World(answer, options)
    world.start(KEY)
    world.run(3)
    world.take()
    world.sent.clear()
    return world
