"""What a fuzzer does to a message: blindly to its bits, knowingly to the fields that a decoder trusts, and to its JSON form."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from iso15118.exi import ExiError, codec_of
from iso15118.exi.types import Simple

MOST_OCTETS = 64 * 1024
VARINTS = (0, 1, 2, 3, 127, 128, 255, 4097, 4098, 4099, 8193, 65535, 65536, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, 1 << 64, 1 << 280)
"""Lengths, counts and numbers of hits that stand at a bound of somebody's."""
PADDED = 10
"""Groups that an integer of few is written in at most: as many as are read of one of 64 bits."""


@dataclass(frozen=True, slots=True)
class Bits:
    """A string of bits."""

    value: int
    length: int

    @staticmethod
    def of(octets: bytes) -> Bits:
        return Bits(int.from_bytes(octets, "big"), 8 * len(octets))

    def octets(self) -> bytes:
        return (self.value << (-self.length & 7)).to_bytes((self.length + 7) >> 3, "big")

    def cut(self, start: int, end: int) -> Bits:
        """A part."""
        return Bits(self.value >> self.length - end & (1 << end - start) - 1, end - start)

    def then(self, other: Bits) -> Bits:
        """Both, one behind the other."""
        return Bits(self.value << other.length | other.value, self.length + other.length)

    def put(self, start: int, end: int, new: Bits) -> Bits:
        """With `new` in the place of a part."""
        return self.cut(0, start).then(new).then(self.cut(end, self.length))


@dataclass(frozen=True, slots=True)
class Seed:
    """A stream to begin with, and where its parts are: event codes and values, as the walk tells them."""

    namespace: str
    fragment: bool
    octets: bytes
    codes: tuple[tuple[int, int], ...] = ()
    values: tuple[tuple[int, int], ...] = ()


def seed(namespace: str, octets: bytes, *, fragment: bool = False) -> Seed:
    """Finds the parts; of a broken stream those before the break."""
    codes: list[tuple[int, int]] = []
    values: list[tuple[int, int]] = []

    def note(start: int, end: int, path: str, what: str, value: str, simple: Simple | None) -> None:
        (values if what in {"value", "text", "name", "xsi:type"} else codes).append((start, end))

    with suppress(ExiError):
        codec_of(namespace).walk(octets, note, fragment=fragment)
    return Seed(namespace, fragment, octets, tuple(codes), tuple(values))


# ---- octets


def mutated(one: Seed, others: Sequence[Seed], dice: random.Random) -> bytes:
    """Another stream made of this one; `others` lend pieces."""
    octets = one.octets
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        bits = Bits.of(octets)
        if bits.length:
            octets = dice.choice(MUTATIONS)(bits, one, others, dice).octets()[:MOST_OCTETS]
    return octets


def _flip(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    value = bits.value
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        value ^= 1 << dice.randrange(bits.length)
    return Bits(value, bits.length)


def _truncate(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    return bits.cut(0, dice.randrange(bits.length))


def _extend(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    more = dice.choice((1, 7, 8, 16, 64, 1024))
    return bits.then(Bits(dice.choice((0, (1 << more) - 1, dice.getrandbits(more))), more))


def _shift(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    at, count = dice.randrange(bits.length), dice.randint(1, 9)
    if dice.random() < 0.5:
        return bits.put(at, min(at + count, bits.length), Bits(0, 0))
    return bits.put(at, at, Bits(dice.getrandbits(count), count))


def _splice(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    """The beginning of this one, and the end of another from one of its event codes on."""
    other = dice.choice(others)
    donor = Bits.of(other.octets)
    here = min(dice.choice(one.codes)[0] if one.codes else dice.randrange(bits.length), bits.length)
    there = dice.choice(other.codes)[0] if other.codes else 0
    return bits.cut(0, here).then(donor.cut(there, donor.length))


def _repeat(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    """A part of it again and again."""
    start = min(dice.choice(one.codes)[0] if one.codes else 0, bits.length)
    end = min(start + dice.choice((8, 12, 20, 64, 256)), bits.length)
    part = bits.cut(start, end)
    for _ in range(dice.choice((1, 3, 6))):
        part = part.then(part)
    return bits.put(start, start, part)


def _code(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    """An event code of all ones, of zeros, or of anything."""
    if not one.codes:
        return _flip(bits, one, others, dice)
    start, end = dice.choice(one.codes)
    width = end - start
    end = min(end, bits.length)
    start = min(start, end)
    return bits.put(start, end, Bits(dice.choice(((1 << width) - 1, 0, dice.getrandbits(width) if width else 0)), width))


def _length(bits: Bits, one: Seed, others: Sequence[Seed], dice: random.Random) -> Bits:
    """A value begins with something extreme: the length of a text or of octets, the number of a hit, or an integer."""
    if not one.values:
        return _flip(bits, one, others, dice)
    start = min(dice.choice(one.values)[0] + dice.choice((0, 0, 1)), bits.length)
    end = min(start + dice.choice((0, 8, 8)), bits.length)
    return bits.put(start, end, varint(dice.choice(VARINTS), dice.choice((0, 0, 2, 5, 6, PADDED))))


MUTATIONS: tuple[Callable[[Bits, Seed, Sequence[Seed], random.Random], Bits], ...] = (
    _flip,
    _truncate,
    _extend,
    _shift,
    _splice,
    _repeat,
    _code,
    _length,
)


def varint(value: int, groups: int = 0) -> Bits:
    """Unsigned Integer of EXI, in at least so many groups of 7 bits: those that it does not need are zeros, which EXI does not forbid."""
    octets = bytearray()
    while value > 127 or len(octets) < groups - 1:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return Bits.of(bytes(octets))


# ---- JSON


def _nested(dice: random.Random) -> Any:
    inner: Any = []
    wrap = dice.choice(
        (lambda each: [each], lambda each: {"a": each}, lambda each: {"name": "{urn:x}x", "attributes": {}, "content": [each]})
    )
    for _ in range(dice.choice((3, 30, 3000))):
        inner = wrap(inner)
    return inner


ODD: tuple[Callable[[random.Random], Any], ...] = (
    lambda dice: None,
    lambda dice: dice.random() < 0.5,
    lambda dice: dice.choice((-1, 0, 1, 255, 256, 1 << 31, -(1 << 63), 1 << 64, 10**5000)),
    lambda dice: dice.choice((0.5, float("nan"), float("inf"))),
    lambda dice: dice.choice(("", "x", "\ud800", "\U0001f50c", "A" * 9000, "====", "0g", "{urn:x}x")),
    lambda dice: [],
    lambda dice: {},
    lambda dice: [None] * dice.choice((1, 5000)),
    _nested,
)


def mutated_json(document: Any, dice: random.Random) -> Any:
    """Another document made of this one: something odd in the place of a part, a part dropped, doubled, or under another name."""
    root = [copy.deepcopy(document)]
    for _ in range(dice.choice((1, 1, 2, 4))):
        places = list(_places(root))
        holder, key = dice.choice(places)
        what = dice.randrange(4)
        if what == 0 and isinstance(holder, dict):
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[dice.choice(("x", "any", "Header", "value", 1))] = holder.pop(key)
        elif what == 2 and isinstance(holder, list) and holder is not root:
            holder += [holder[key]] * dice.choice((1, 100, 3000))
        else:
            holder[key] = dice.choice(ODD)(dice)
    return root[0]


def _places(root: Any) -> list[tuple[Any, Any]]:
    """Every place in which something stands."""
    found: list[tuple[Any, Any]] = []
    left = [root]
    while left and len(found) < 5000:
        holder = left.pop()
        for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
            found.append((holder, key))
            if isinstance(value, dict | list):
                left.append(value)
    return found
