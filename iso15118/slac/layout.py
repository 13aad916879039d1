"""How a management message (MME) of HomePlug lies in an Ethernet frame, declared once for reading and writing.

    destination 6 | source 6 | 88E1 | MMV | MMTYPE, little-endian | head | body | zeros up to 60 octets

A message is a class under `@mme(MMTYPE)`; its annotations are the body, in order. A field is `Annotated[bytes, Octets(n)]`, `Annotated[int,
Number(n)]` or the one `Tail` of variable length at the end; a ClassVar is what every such message has there: `Same(octets)` must be
that, `Reserved(n)` is written as zeros and not looked at. Everything is bounded: a length is held
against the frame before it is used. Annotations are evaluated: no `from __future__ import annotations` in declarations.
"""

from __future__ import annotations

import abc
import struct
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar, dataclass_transform, get_args, get_origin

from iso15118.frozen import dataclass

ETHERTYPE = bytes.fromhex("88E1")
LEAST, MOST = 60, 1514
"""Octets of an Ethernet frame without its check sequence."""
BODY = 17
"""Where the head begins: after MMV and MMTYPE."""


class MmeError(ValueError):
    """A frame that is no management message, or one that is not as it has to be; nobody answers it. `at`: the octet that shows it."""

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(f"octet {at}: {problem}")
        self.at = at


class NotOurs(MmeError):
    """Not for this machine: another protocol, a type that is not known here, another vendor's message."""


class Head(NamedTuple):
    """What follows the MMTYPE, and the version that goes with it."""

    mmv: int
    fragmentation: bytes
    oui: bytes = b""

    @property
    def octets(self) -> bytes:
        return self.fragmentation + self.oui


STANDARD = Head(1, bytes(2))
"""HomePlug AV 1.1: never in fragments."""


# ---- marks


class Octets(NamedTuple):
    """So many octets, as they are."""

    size: int


class Number(NamedTuple):
    """An unsigned number of 1, 2 or 4 octets, the lowest first."""

    size: int


class Same(NamedTuple):
    """Exactly these octets."""

    octets: bytes


class Reserved(NamedTuple):
    """Octets that mean nothing."""

    size: int


class Tail(abc.ABC):
    """The end of a body whose length the message says itself."""

    @abc.abstractmethod
    def read(self, frame: bytes, at: int) -> tuple[Any, int]:
        """Value and where it ends. Raises MmeError."""

    @abc.abstractmethod
    def octets(self, value: Any) -> bytes:
        """The way back. Raises ValueError for what does not fit."""


def take(frame: bytes, at: int, count: int, what: str) -> bytes:
    """`count` octets from here on. Raises MmeError where the frame has less."""
    if len(frame) < at + count:
        raise MmeError(len(frame), f"the frame ends inside of {what}: {count} octets from {at} on are needed")
    return frame[at : at + count]


# ---- messages


class Mme:
    """A management message."""

    __slots__ = ()
    MMTYPE: ClassVar[int]
    LAYOUT: ClassVar[Layout]


M = TypeVar("M", bound=Mme)
_FORMATS = {1: "B", 2: "H", 4: "I"}


class Layout:
    """Where in a frame what lies, for one class of messages."""

    def __init__(self, made: type[Mme], head: Head, *, open_end: bool) -> None:
        self.made, self.head, self.open_end = made, head, open_end
        self.start = BODY + len(head.octets)
        self.begin = bytes((head.mmv,)) + made.MMTYPE.to_bytes(2, "little") + head.octets
        self.tail: tuple[str, Tail] | None = None
        self._names: list[str] = []
        self._sizes: list[tuple[str, int]] = []
        self._same: list[tuple[str, int, bytes]] = []
        self._format = "<"
        for name, mark in fields(made):
            self._add(name, mark)
        self._struct = struct.Struct(self._format)
        self.least = self.start + self._struct.size

    def _add(self, name: str, mark: object) -> None:
        at = self.start + struct.calcsize(self._format)
        match mark:
            case Octets(size):
                self._names.append(name)
                self._sizes.append((name, size))
                self._format += f"{size}s"
            case Number(size):
                self._names.append(name)
                self._format += _FORMATS[size]
            case Same(octets):
                self._same.append((name, at, octets))
                self._format += f"{len(octets)}x"
            case Reserved(size):
                self._format += f"{size}x"
            case Tail():
                self.tail = (name, mark)
            case _:
                raise TypeError(f"{self.made.__name__}.{name}: no mark of a layout")

    def read(self, frame: bytes) -> Mme:
        """The message of a frame whose MMTYPE is this one's. Raises MmeError."""
        self._check_begin(frame)
        if len(frame) < self.least:
            raise MmeError(len(frame), f"{self.made.__name__} ends here; it has {self.least} octets at least")
        for name, at, octets in self._same:
            if frame[at : at + len(octets)] != octets:
                found = frame[at : at + len(octets)].hex().upper()
                raise MmeError(at, f"{self.made.__name__}: {name} is {found}, expected {octets.hex().upper()}")
        values = dict(zip(self._names, self._struct.unpack_from(frame, self.start), strict=True))
        end = self.least
        if self.tail is not None:
            name, tail = self.tail
            values[name], end = tail.read(frame, end)
        if not self.open_end:
            check_end(frame, end, self.made.__name__)
        return self.made(**values)

    def octets(self, mme: Mme) -> bytes:
        """From MMV on. Raises ValueError for a value that does not fit."""
        for name, size in self._sizes:
            if len(getattr(mme, name)) != size:
                raise ValueError(f"{self.made.__name__}.{name}: {len(getattr(mme, name))} octets, has to be {size}")
        body = bytearray(self._struct.size)
        try:
            self._struct.pack_into(body, 0, *(getattr(mme, name) for name in self._names))
        except struct.error as error:
            raise ValueError(f"{self.made.__name__}: {error}") from None
        for _, at, octets in self._same:
            body[at - self.start : at - self.start + len(octets)] = octets
        tail = b"" if self.tail is None else self.tail[1].octets(getattr(mme, self.tail[0]))
        return self.begin + bytes(body) + tail

    def _check_begin(self, frame: bytes) -> None:
        name, head = self.made.__name__, self.head
        if frame[14] != head.mmv:
            raise MmeError(14, f"{name}: MMV is {frame[14]:02X}, expected {head.mmv:02X}")
        oui = BODY + len(head.fragmentation)
        if take(frame, BODY, oui - BODY, "the head") != head.fragmentation:
            raise MmeError(BODY, f"{name}: in fragments, or a part of some")
        if take(frame, oui, len(head.oui), "the head") != head.oui:
            raise NotOurs(oui, f"{name}: of the vendor {frame[oui : oui + 3].hex().upper()}, expected {head.oui.hex().upper()}")


def check_end(frame: bytes, end: int, name: str) -> None:
    """Raises MmeError when there is more than padding: zeros, and those up to the least length of a frame only."""
    if len(frame) > max(end, LEAST):
        raise MmeError(end, f"{name} ends here; there are {len(frame) - end} octets more")
    if any(frame[end:]):
        raise MmeError(end, f"{name} ends here; what follows is no padding: {frame[end:].hex().upper()}")


def fields(made: type[Mme]) -> list[tuple[str, object]]:
    """The body in order: names and marks."""
    found = []
    hint: Any
    for name, hint in made.__annotations__.items():
        inner = get_args(hint)[0] if get_origin(hint) is ClassVar else hint
        marks = getattr(inner, "__metadata__", ())
        if marks:
            found.append((name, marks[0]))
    return found


KNOWN: dict[int, Layout] = {}
"""MMTYPE -> layout of its message."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def mme(mmtype: int, head: Head = STANDARD, *, open_end: bool = False) -> Callable[[type[M]], type[M]]:
    """Declares a message. `open_end`: what follows its fields is not looked at, where a firmware sends more than is known of it."""

    def declare(body: type[M]) -> type[M]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(body)
        made.MMTYPE = mmtype
        made.LAYOUT = KNOWN[mmtype] = Layout(made, head, open_end=open_end)
        return made

    return declare
