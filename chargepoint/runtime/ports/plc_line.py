"""The network interface of a power-line modem: whole Ethernet frames with EtherType 88E1 go onto it and come off it. What they say is its host's matter.

Strangers are on the line. The kernel lets through what is a management message by its length and is for this host; of that, so much a second is told, and a
stranger's flood has its own share of it; addresses that nobody has heard before have a small one together, and who is spoken with comes before the others.
The own modem, known by its answers to what only it takes, is apart from them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import socket
import struct
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from chargepoint.runtime.ports.v2g import NoInterface
from iso15118.frozen import dataclass
from iso15118.slac.layout import BODY, ETHERTYPE, MOST
from iso15118.slac.mme import BROADCAST, LOCAL

T = TypeVar("T")
LOOK_S = 5.0
"""So often the interface is looked at (S-9) where the kernel has said nothing of it: what it says of any is heard at once."""
NETWORKS = Path("/sys/class/net")
OTHERS_PER_S, OTHERS_MOST = 250.0, 250.0
"""Frames of all others that are told, and so many at once; a matching has some 25, with each EVSE that hears it."""
SOURCE_PER_S, SOURCE_MOST = 20.0, 80.0
"""Of them, those of one address: three matchings that follow at once, and one each second from then on."""
MODEM_PER_S, MODEM_MOST = 1000.0, 1000.0
"""Those of the own modem: 32 matchings at once are 320 profiles in half a second, so that an honest one never comes near. Its address can be forged."""
LASTING_PER_S, LASTING_MOST, LASTING_FREE = 0.5, 120.0, 40.0
"""Of one address, where there is too much in all: whoever has sent more than the last of these over some time, which is more than a matching has, comes after
whoever has not. So a flood of N addresses that are spoken with is over for a vehicle when each has had that, and half as much again: N / 4 s.
"""
NEW_PER_S, NEW_MOST = 50.0, 50.0
"""Of them, those of addresses that are heard for the first time, all together: 32 vehicles may begin at once."""
LEFT = OTHERS_MOST * 2 / 3
"""So much of what can be told at once is left to others by an address that has used all of its share; half of it by one that is not spoken with, at least."""
SOURCES = 1024
"""Addresses that are known again: who has not been heard for longest goes. A vehicle asks again after 0.2 s, in which a flood has some hundred."""
SPOKEN = 256
"""Of them, those that have been sent something."""
AT_ONCE = 256
"""Frames are taken before others have their turn; half a millisecond where all of them are too many."""
ASKED_S = 15.0
"""An answer of the own modem comes within this: a reset takes long."""
FAITHFUL_S = 10.0
"""Another one takes the modem's place only after it has been asked and has not answered for so long."""

CNF = 1
"""The lowest two bits of the MMTYPE of an answer."""
_SO_ATTACH_FILTER, _PACKET_IGNORE_OUTGOING, _SOL_PACKET = 26, 23, 263
_NEWS_OF_LINKS = 1
"""RTMGRP_LINK: an interface has appeared, changed or gone."""
_ETHERNET = 1
"""ARPHRD_ETHER"""
_ETHERTYPE = int.from_bytes(ETHERTYPE, "big")


# ---- the kernel's part

_LOAD_BYTE, _LOAD_HALF, _LOAD_LENGTH = 0x30, 0x28, 0x80
_IF_EQUAL, _IF_MORE, _IF_LESS_NOT, _RETURN = 0x15, 0x25, 0x35, 0x06
_PACKET_TYPE = 0xFFFFF000 + 4
"""SKF_AD_OFF + SKF_AD_PKTTYPE: 0 for this host, 1 for all, 2 a group, 3 for another host, 4 our own going out."""
_FILTER = (
    (_LOAD_BYTE, 0, 0, _PACKET_TYPE),
    (_IF_MORE, 6, 0, 1),
    (_LOAD_LENGTH, 0, 0, 0),
    (_IF_LESS_NOT, 0, 4, BODY),
    (_IF_MORE, 3, 0, MOST),
    (_LOAD_HALF, 0, 0, 12),
    (_IF_EQUAL, 0, 1, _ETHERTYPE),
    (_RETURN, 0, 0, MOST),
    (_RETURN, 0, 0, 0),
)


def open_socket(interface: str) -> socket.socket:
    """Of what comes in there it hears what the filter passes, and nothing from before it was there. Raises OSError."""
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in _FILTER))
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(_FILTER), ctypes.addressof(program)))
        with contextlib.suppress(OSError):  # before Linux 4.20; the filter drops them as well
            raw.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        raw.bind((interface, _ETHERTYPE))
    except OSError:
        raw.close()
        raise
    return raw


def open_news() -> socket.socket:
    """Is readable when something of an interface changes."""
    news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    news.setblocking(False)
    news.bind((0, _NEWS_OF_LINKS))
    return news


@dataclass(frozen=True, slots=True)
class At:
    """The interface, as the kernel has it."""

    index: int
    mac: bytes


def find(interface: str) -> At:
    """An interface that is up and has a carrier, by any of its names. Raises NoInterface."""
    try:
        index = socket.if_nametoindex(interface)
        folder = _folder(index)
        mac = bytes.fromhex((folder / "address").read_text("ascii").strip().replace(":", ""))
        if int((folder / "type").read_text("ascii")) != _ETHERNET or len(mac) != 6:
            raise NoInterface(f"the network interface {interface!r} is no Ethernet")
        if not int((folder / "flags").read_text("ascii"), 16) & 1:
            raise NoInterface(f"the network interface {interface!r} is down")
        if (folder / "carrier").read_text("ascii").strip() != "1":
            raise NoInterface(f"the network interface {interface!r} has no carrier: the modem is off, or not connected")
    except (OSError, ValueError):
        raise NoInterface(f"there is no network interface {interface!r}") from None
    return At(index, mac)


def _folder(index: int) -> Path:
    """By its own name: it may be asked for by another of them, which have none. Raises OSError."""
    return NETWORKS / socket.if_indextoname(index)


# ---- how much is told


class Bucket:
    """So many a second, and `most` at once."""

    __slots__ = ("at", "has", "most", "per_s")

    def __init__(self, per_s: float, most: float, now_s: float) -> None:
        self.per_s, self.most, self.has, self.at = per_s, most, most, now_s

    def takes(self, now_s: float, leaves: float = 0.0) -> bool:
        """One more, where so many are left for others."""
        self.has = min(self.most, self.has + (now_s - self.at) * self.per_s)
        self.at = now_s
        if self.has < 1 + leaves:
            return False
        self.has -= 1
        return True

    @property
    def used(self) -> float:
        """0..1 of what there was at most."""
        return 1 - self.has / self.most


class Door:
    """Which frames are told, and who is the own modem."""

    def __init__(self, mac: bytes, now_s: float, pinned: bytes | None = None) -> None:
        """`pinned`: the own modem is this one, whoever answers."""
        self.mac, self.pinned = mac, pinned
        self.modem = pinned
        self._unanswered: float | None = None
        """Since when the modem has been asked and has said nothing."""
        self._asked: deque[tuple[float, int]] = deque(maxlen=8)
        """What the modem was asked: until when an answer may come, and its MMTYPE."""
        self._of_modem = Bucket(MODEM_PER_S, MODEM_MOST, now_s)
        self._of_others = Bucket(OTHERS_PER_S, OTHERS_MOST, now_s)
        self._of_new = Bucket(NEW_PER_S, NEW_MOST, now_s)
        self._of_source: OrderedDict[bytes, tuple[Bucket, Bucket]] = OrderedDict()
        """What each may send now, and over some time."""
        self._spoken: OrderedDict[bytes, None] = OrderedDict()
        """Who has been sent something."""

    def sent(self, octets: bytes, now_s: float) -> None:
        """To the own modem goes what only it takes; who is sent something else is spoken with."""
        to = octets[:6]
        if to not in (LOCAL, self.modem, BROADCAST):
            _latest(self._spoken, to, None, SPOKEN)
        elif to != BROADCAST:
            self._asked.append((now_s + ASKED_S, int.from_bytes(octets[15:17], "little") + 1))
            self._unanswered = now_s if self._unanswered is None else self._unanswered

    def takes(self, octets: bytes, now_s: float, *, serves: bool) -> bool:
        """This frame is told. While nobody is served it is only what the own modem answers."""
        source = octets[6:12]
        answer = octets[15] & 3 == CNF and octets[:6] == self.mac
        if answer and self._answers(octets, now_s):
            self._learn(source, now_s)
            self._unanswered = None if source == self.modem else self._unanswered
        if source == self.modem:
            return (serves or answer) and self._of_modem.takes(now_s)
        return serves and self._takes_other(source, now_s)

    def _takes_other(self, source: bytes, now_s: float) -> bool:
        known, spoken = self._of_source.get(source), source in self._spoken
        own, lasting = known or (Bucket(SOURCE_PER_S, SOURCE_MOST, now_s), Bucket(LASTING_PER_S, LASTING_MOST, now_s))
        _latest(self._of_source, source, (own, lasting), SOURCES)
        if spoken:
            self._spoken.move_to_end(source)
        elif known is None and not self._of_new.takes(now_s):
            return False
        if not own.takes(now_s):
            return False
        lasting.takes(now_s)
        sent = max(0.0, LASTING_MOST * lasting.used - LASTING_FREE) / (LASTING_MOST - LASTING_FREE)
        return self._of_others.takes(now_s, LEFT * max(sent, own.used, 0.0 if spoken else 0.5))

    def _answers(self, octets: bytes, now_s: float) -> bool:
        mmtype = int.from_bytes(octets[15:17], "little")
        return any(each == mmtype and now_s <= until for until, each in self._asked)

    def _learn(self, source: bytes, now_s: float) -> None:
        if self.pinned is not None:
            return
        faithful = self._unanswered is None or now_s - self._unanswered < FAITHFUL_S
        if self.modem is None or not faithful:
            self.modem = source


def _latest(table: OrderedDict[bytes, T], key: bytes, value: T, most: int) -> None:
    """In the last place; who is in the first goes where there is none."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)


# ---- the line


class PowerLine:
    """One interface. `changed(ready, mac, why)` says whether it can be used, each time that it is different; `heard` gets frames."""

    def __init__(self, interface: str, changed: Callable[[bool, bytes, str], None], heard: Callable[[bytes], None]) -> None:
        self.interface, self.changed, self.heard = interface, changed, heard
        self.serves = False
        """A vehicle is there: frames of others are told."""
        self.lifts: Callable[[], str] = lambda: ""
        """Called when an interface is there and down, once for each that appears; what it says in words is added to why it is not ready."""
        self.pinned: bytes | None = None
        """The own modem's address, where it is configured."""
        self.dropped = 0
        """Frames that were too many."""
        self.unsent = 0
        """Frames that the interface did not take."""
        self.at: At | None = None
        self._door: Door | None = None
        self._socket: socket.socket | None = None
        self._told: tuple[bool, bytes, str] | None = None
        self._lifted: int | None = None
        """The index of the interface that `lifts` was called for."""
        self._watching: asyncio.Task[None] | None = None
        self._news: socket.socket | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def modem(self) -> bytes | None:
        """The address of the own modem, once it has answered or where it is configured."""
        return self._door.modem if self._door is not None else None

    def begin(self) -> None:
        """Look after the interface."""
        self._news = open_news()
        self._loop.add_reader(self._news, self._hear_news)
        self._watching = self._loop.create_task(self._watch())

    async def stop(self) -> None:
        """Nothing is heard or sent any more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._news is not None:
            self._loop.remove_reader(self._news)
            self._news.close()
            self._news = None
        self._close()

    def send(self, octets: bytes) -> None:
        """Onto the interface; what it does not take is lost, as on the line itself."""
        if self._socket is None or self._door is None:
            self.unsent += 1
            return
        self._door.sent(octets, self._loop.time())
        try:
            self._socket.send(octets)
        except OSError as error:
            self.unsent += 1
            if error.errno not in (errno.EAGAIN, errno.ENOBUFS, errno.EMSGSIZE):
                self._loop.call_soon(self._lost, error)

    # ---- the interface

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def _hear_news(self) -> None:
        """What they are is seen where one looks."""
        with contextlib.suppress(OSError):  # more of them than are kept is an error, too
            while self._news is not None:
                self._news.recv(1 << 14)
        self.look()

    def look(self) -> None:
        """As it is now."""
        try:
            at = find(self.interface)
            if self.at is not None and self.at != at:
                self._gone(f"the network interface {self.interface!r} has another index or address")
            if self._socket is None:
                self._open(at)
        except NoInterface as error:
            self._gone(str(error) + self._lift())

    def _open(self, at: At) -> None:
        try:
            self._socket = open_socket(self.interface)
        except OSError as error:
            raise NoInterface(f"the network interface {self.interface!r}: {error.strerror or error}") from None
        self.at, self._door, self._lifted = at, Door(at.mac, self._loop.time(), self.pinned), at.index
        self._loop.add_reader(self._socket, self._read)
        self._tell(True, at.mac, "")

    def _lift(self) -> str:
        """What is done for an interface that is there, and not up."""
        with contextlib.suppress(OSError, ValueError):
            index = socket.if_nametoindex(self.interface)
            down = not int((_folder(index) / "flags").read_text("ascii"), 16) & 1
            if down and self._lifted != index:
                self._lifted = index
                said = self.lifts()
                return f"; {said}" if said else ""
        return ""

    def _gone(self, why: str) -> None:
        self._close()
        if self._told is None or self._told[0] or not self._told[2].startswith(why.partition(";")[0]):
            self._tell(False, b"", why)

    def _close(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
        self._socket = self.at = self._door = None

    def _tell(self, ready: bool, mac: bytes, why: str) -> None:
        if self._told != (ready, mac, why):
            self._told = ready, mac, why
            self.changed(ready, mac, why)

    def _lost(self, error: OSError) -> None:
        """The interface has gone down, or away: that is known before it is looked for."""
        if self._socket is not None:
            why = "is down" if error.errno == errno.ENETDOWN else f"is lost: {error.strerror or error}"
            self._gone(f"the network interface {self.interface!r} {why}")

    # ---- frames

    def _read(self) -> None:
        now_s = self._loop.time()
        for _ in range(AT_ONCE):
            if self._socket is None or self._door is None:
                return
            try:
                octets = self._socket.recv(MOST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._lost(error)
                return
            if self._door.takes(octets, now_s, serves=self.serves):
                self.heard(octets)
            elif self.serves:
                self.dropped += 1
