"""What the generated functions call: windows, long integers, texts and octets."""

from __future__ import annotations

from typing import Any

from iso15118.exi.characters import taken
from iso15118.exi.limits import MOST_BIG_INTEGER_OCTETS, MOST_INTEGER_OCTETS

WINDOW = 256
"""Octets that are taken into a window at a time."""
WHOLE = 256
"""Messages up to this length are one window."""
LONG = 64
"""More octets than this are cut out of the source rather than out of a window."""
MASKS = tuple((1 << 8 * n) - 1 for n in range(LONG + 1))
"""For so many octets."""
FULL = 1 << 2048
"""So much may wait before it is flushed."""


class Unusual(Exception):
    """Something that the straight way does not take."""


NOTHING = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, Unusual)
"""What the generated functions raise for what is not straight. A shift by less than nothing is a ValueError: the octets have ended."""


class Window:
    """The octets behind the present window."""

    __slots__ = ("at", "octets")

    def __init__(self, octets: bytes) -> None:
        self.octets, self.at = octets, 0

    def fill(self, x: int, s: int, bits: int = 0) -> tuple[int, int, bool]:
        """Drop what was read, and take in more: WINDOW octets behind as many as `bits` want."""
        at = self.at
        end = min(at + (bits >> 3) + WINDOW, len(self.octets))
        self.at = end
        more = 8 * (end - at)
        return (x & ((1 << s) - 1)) << more | int.from_bytes(self.octets[at:end], "big"), s + more, end < len(self.octets)

    def cut(self, s: int, bits: int) -> tuple[bytes, int, int, bool]:
        """Long octets past the window, and a window behind them."""
        source, end = self.octets, 8 * self.at - s + bits
        first, behind, odd, all_ = end - bits >> 3, end >> 3, end & 7, len(source)
        if end > 8 * all_:
            raise Unusual
        if odd:
            n = behind - first + 1
            found = (int.from_bytes(source[first : behind + 1], "big") >> 8 - odd).to_bytes(n, "big")[1:]
        else:
            found = source[first:behind]
        self.at = at = min(all_, behind + WINDOW)
        return found, int.from_bytes(source[behind:at], "big"), 8 * (at - behind) - odd, at < all_


class Out:
    """What has been flushed."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done: list[bytes] = []

    def flush(self, b: int) -> int:
        """Whole octets go; the rest stays, with its leading one."""
        bits = b.bit_length() - 1
        rest, octets = bits & 7, bits >> 3
        self.done.append((b >> rest ^ 1 << 8 * octets).to_bytes(octets, "big"))
        return 1 << rest | b & ((1 << rest) - 1)

    def finish(self, b: int) -> bytes:
        """Pad the last octet with zeros; all octets."""
        b <<= -(b.bit_length() - 1) & 7
        octets = b.bit_length() >> 3
        last = (b ^ 1 << 8 * octets).to_bytes(octets, "big")
        return b"".join((*self.done, last)) if self.done else last


def more(x: int, s: int, v: int) -> tuple[int, int]:
    """An unsigned integer whose second group says that more follow."""
    return _groups(x, s, v, 7 * MOST_INTEGER_OCTETS)


def big(x: int, s: int, v: int) -> tuple[int, int]:
    """The same for one without a bound."""
    return _groups(x, s, v, 7 * MOST_BIG_INTEGER_OCTETS)


def _groups(x: int, s: int, v: int, most: int) -> tuple[int, int]:
    v &= 16383
    shift = 14
    while shift < most:
        s -= 8
        group = x >> s & 255
        v |= (group & 127) << shift
        if group < 128:
            return v, s
        shift += 7
    raise Unusual


def octets(d: Window, x: int, s: int, q: bool, n: int) -> tuple[bytes, int, int, bool]:
    """So many octets, no more than LONG unless the window has them all."""
    bits = n << 3
    if q and s < bits:
        x, s, q = d.fill(x, s, bits)
    s -= bits
    return (x >> s & (MASKS[n] if n <= LONG else (1 << bits) - 1)).to_bytes(n, "big"), x, s, q


def text(d: Window, x: int, s: int, q: bool, n: int) -> tuple[str, int, int, bool]:
    """So many characters. ASCII comes in one piece."""
    bits = n << 3
    if q and s < bits:
        x, s, q = d.fill(x, s, bits)
    s -= bits
    try:
        return (x >> s & (MASKS[n] if n <= LONG else (1 << bits) - 1)).to_bytes(n, "big").decode("ascii"), x, s, q
    except UnicodeDecodeError:
        s += bits
    if q and s < 3 * bits:
        x, s, q = d.fill(x, s, 3 * bits)
    n_raw = min(3 * n, s >> 3)
    found, used = taken((x >> s - 8 * n_raw & (1 << 8 * n_raw) - 1).to_bytes(n_raw, "big"), n)
    return found, x, s - 8 * used, q


def more_out(b: int, v: int) -> int:
    """An unsigned integer of more than one group."""
    if v < 16384:
        return b << 16 | (v & 127 | 128) << 8 | v >> 7
    group, bits = 0, 0
    while v > 127:
        group = group << 8 | v & 127 | 128
        bits += 8
        v >>= 7
    return b << bits + 8 | group << 8 | v


def octets_out(d: Out, b: int, v: bytes) -> int:
    """Length and octets."""
    if v.__class__ is not bytes:
        raise Unusual
    n = len(v)
    b = b << 8 | n if n < 128 else more_out(b, n)
    b = b << 8 * n | int.from_bytes(v, "big")
    return d.flush(b) if n > 128 else b


def text_out(d: Out, b: int, v: str) -> int:
    """Length and characters, never a hit."""
    n = len(v)
    b = b << 8 | n + 2 if n < 126 else more_out(b, n + 2)
    if v.isascii():
        return b << 8 * n | int.from_bytes(v.encode("ascii"), "big")
    for each in v:
        point = ord(each)
        if 0xD800 <= point < 0xE000:
            raise Unusual
        b = b << 8 | point if point < 128 else more_out(b, point)
    return d.flush(b) if n > 128 else b


HELP: dict[str, Any] = {
    "Unusual": Unusual, "FULL": FULL, "LISTS": (tuple, list), "BOOL": {True: 1, False: 0}, "new": object.__new__, "more": more, "big": big, "octets": octets, "text": text,
    "more_out": more_out, "octets_out": octets_out, "text_out": text_out,
}  # fmt: skip
"""The scope of the generated functions."""
