"""A stream bit by bit, for a person: what each bit is, and where a broken one breaks.

Every bit of the octets is in exactly one piece, whatever the octets are. Texts come from the stream: what is not printable in them is escaped.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from iso15118.exi.codec import codec_of
from iso15118.exi.errors import ExiError, printable
from iso15118.exi.types import Simple

Kind = Literal["header", "event", "value", "padding", "rest", "error"]
SHOWN_BITS, SHOWN_VALUE = 20, 72
"""So many bits and characters of a value stand in a line; of more, the beginning."""
HEADING = f"   {'bit':>5} {'bits':>5}  {'as read':{SHOWN_BITS}}  what it is"
_EVENTS = {
    "CH": "content",
    "CH(mixed)": "text between elements",
    "CH(untyped)": "content as text, whatever its type",
    "SE(*)": "an element by its name",
    "AT(*)": "an attribute by its name",
    "AT(untyped)": "an attribute as text, whatever its type",
    "ED": "end of the fragment",
}
_NAMED = {"SE": "element", "AT": "attribute"}


class Piece(NamedTuple):
    """Some bits, and what they are. Of kind "error": no bits, but what is wrong."""

    bit: int
    """The first one."""
    bits: str
    """As 0 and 1."""
    depth: int
    """Elements around it."""
    kind: Kind
    words: str
    value: str = ""
    here: bool = False
    """The stream breaks in it."""


def explain(octets: bytes, namespace: str, *, fragment: bool = False) -> list[str]:
    """Lines of text: `HEADING`, then one a piece. Raises UnknownSet only."""
    return [HEADING, *(line(each) for each in pieces(octets, namespace, fragment=fragment))]


def line(piece: Piece) -> str:
    """One piece in one line, without its end."""
    if piece.kind == "error":
        return f"{'':>{len(HEADING) - len('what it is')}}{piece.words}"
    bits = piece.bits if len(piece.bits) <= SHOWN_BITS else piece.bits[: SHOWN_BITS - 1] + "…"
    value = piece.value if len(piece.value) <= SHOWN_VALUE else piece.value[: SHOWN_VALUE - 1] + "…"
    words = f"{'  ' * piece.depth}{value and f'= {value}'}{'  ' if value and piece.words else ''}{piece.words}"
    return f"{'>' if piece.here else ' '}  {piece.bit:>5} {len(piece.bits):>5}  {bits:{SHOWN_BITS}}  {words}".rstrip()


def pieces(octets: bytes, namespace: str, *, fragment: bool = False) -> list[Piece]:
    """The stream in pieces, in order; at the end the padding, or what was not read and why. Raises UnknownSet only."""
    telling = _Telling(octets, namespace)
    error = telling.read(fragment=fragment)
    end = 8 * len(octets)
    found = telling.found
    if error is None:
        if (-telling.end) & 7:
            found.append(telling.piece(telling.end + 7 & ~7, 0, "padding", "padding"))
        if telling.end < end:
            found.append(telling.piece(end, 0, "padding", "an octet of zeros behind the message"))
        return found
    if telling.end < end:
        found.append(telling.piece(end, 0, "rest", "not read"))
    bit = error.bit or 0
    found = [each._replace(here=each.bit <= bit < each.bit + len(each.bits)) for each in found]
    said = [error.problem, f"at bit {bit}: octet {bit >> 3}, its bit {bit & 7}" if octets else "", error.path and f"in {error.path}"]
    said.append(error.expected and f"expected {error.expected}")
    return found + [Piece(bit, "", 0, "error", printable(each)) for each in said if each]


class _Telling:
    """One reading, and what it told."""

    def __init__(self, octets: bytes, namespace: str) -> None:
        self._bits = bin(int.from_bytes(b"\1" + octets, "big"))[3:]  # the one in front keeps the zeros
        self._octets, self._codec = octets, codec_of(namespace)
        self.found: list[Piece] = []
        self.end = 0
        """Behind the last piece."""

    def read(self, *, fragment: bool) -> ExiError | None:
        """All of it; the error that ended it."""
        try:
            self._codec.walk(self._octets, self._note, fragment=fragment)
        except ExiError as error:
            return error
        return None

    def piece(self, end: int, depth: int, kind: Kind, words: str, value: str = "") -> Piece:
        """From where the last one ended, so that none is lost."""
        start, self.end = self.end, end
        return Piece(start, self._bits[start:end], depth, kind, printable(words), printable(value))

    def _note(self, _start: int, end: int, path: str, what: str, value: str, simple: Simple | None) -> None:
        depth = path.count("/") + 1 if path else 0
        if what in ("value", "text", "xsi:type"):
            self.found.append(self.piece(end, depth, "value", _facet(simple, value) if simple else "", value))
        elif what == "name":
            self.found.append(self.piece(end, depth, "event", f"element {value}"))
        elif what == "EE":
            self.found.append(self.piece(end, depth - 1, "event", f"end of {path.rpartition('/')[2]}"))
        elif what == "EXI header":
            self.found.append(self.piece(end, depth, "header", f"EXI header: {value}, version 1"))
        else:
            self.found.append(self.piece(end, depth, "event", _words(what), value))


def _words(event: str) -> str:
    """`SE(Body)` -> "element Body"."""
    kind, _, name = event.partition("(")
    return _EVENTS.get(event) or f"{_NAMED.get(kind, kind)} {name.removesuffix(')')}".rstrip()


def _facet(simple: Simple, value: str) -> str:
    """What the schema says of a value; of an enumeration that is its number rather than all of its words."""
    if simple.kind == "enum" and value in simple.values:
        return f"word {simple.values.index(value)} of 0 to {len(simple.values) - 1}"
    return str(simple)
