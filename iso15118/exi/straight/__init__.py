"""Straight-line functions generated from the declarations: how a message is normally decoded and encoded.

For each type one function reads or writes its content without looking at a grammar. Neighbouring bits that are fixed (event codes with one choice) and
the values between them are read in one shift and compared once; small types are written out where they stand. What the functions do not take - a
string-table hit, a second-level event, a wildcard, a value out of bounds - makes them raise, and `codec` walks the grammar instead; so they have
no error texts and keep no place.

The state of reading is (x, s, q): a window of the octets as one integer, how many of its bits are left, whether more octets wait behind it. A
window is bounded: with the whole message as one integer, long messages would take quadratic time (S-28). The state of writing is b: what is not flushed yet
as one integer, with a leading one.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable, Sequence
from functools import partial
from types import CodeType
from typing import Any

from iso15118.exi.schema import Schema, Value
from iso15118.exi.straight.help import HELP, NOTHING, WHOLE, Out, Unusual, Window
from iso15118.exi.straight.items import SMALL, Irregular, Item, is_open, is_small, items_of
from iso15118.exi.straight.reading import Reading
from iso15118.exi.straight.writing import Writing
from iso15118.exi.types import Simple
from iso15118.messages.declare import Message


class Made:
    """What the sets share: a type that is coded alike in two of them is compiled once."""

    def __init__(self) -> None:
        self._numbers: dict[type[Message], int] = {}
        self._constants: dict[Any, str] = {}
        self._codes: dict[tuple[int, int], CodeType] = {}
        """By length and hash of the source: the sources themselves would be 2 MB."""

    def number(self, kind: type[Message]) -> int:
        return self._numbers.setdefault(kind, len(self._numbers))

    def constant(self, value: Any) -> str:
        return self._constants.setdefault(tuple(value.items()) if isinstance(value, dict) else value, f"K{len(self._constants)}")

    def code(self, source: str, file: str) -> CodeType:
        key = len(source), hash(source)
        if key not in self._codes:
            self._codes[key] = compile(source, file, "exec")
        return self._codes[key]


_MADE = Made()


class Straight:
    """The functions of one schema set. Each is made when it is first called, or by `warm`."""

    def __init__(self, schema: Schema, open_end: Callable[[type[Message]], tuple[int, int] | None]) -> None:
        self.schema, self.open_end = schema, open_end
        self.numbers = {kind: _MADE.number(kind) for kind in schema.classes}
        self.scope: dict[str, Any] = dict(HELP)
        self._told = False
        for kind, number in self.numbers.items():
            self.scope[f"C{number}"] = kind
            self.scope[f"D{number}"] = self._later(kind, "D")
            self.scope[f"W{number}"] = self._later(kind, "W")

    def decoder(self, value: Value) -> str:
        """Name in `scope` of `(window, x, s, q) -> (message, x, s, q)`."""
        return f"D{self.number(value)}"

    def encoder(self, value: Value) -> str:
        """Name in `scope` of `(out, message, b) -> b`."""
        return f"W{self.number(value)}"

    def warm(self) -> None:
        """Make all functions now."""
        for kind in self.numbers:
            for way in "DW":
                self._make(kind, way)

    def _later(self, kind: type[Message], way: str) -> Callable[..., Any]:
        return partial(self._first, kind, way)

    def _first(self, kind: type[Message], way: str, *state: Any) -> Any:
        return self._make(kind, way)(*state)

    def _make(self, kind: type[Message], way: str) -> Callable[..., Any]:
        source = self.source(kind, way)
        exec(_MADE.code(source, self.file(kind, way, source)), self.scope)  # noqa: S102 made of our own declarations
        made: Callable[..., Any] = self.scope[f"{way}{self.numbers[kind]}"]
        return made

    def source(self, kind: type[Message], way: str) -> str:
        """Of the function that decodes ("D") or encodes ("W") a type."""
        name = f"{way}{self.numbers[kind]}"
        try:
            return (Reading(self, kind) if way == "D" else Writing(self, kind)).source(name)
        except Irregular:
            return f"def {name}(*state):\n    raise Unusual\n"

    def file(self, kind: type[Message], way: str, source: str) -> str:
        """The name that tracebacks show. A type may be coded in two ways in two sets, and a function belongs to all sets that code it alike."""
        return f"<exi {kind.__name__} {'decoder' if way == 'D' else 'encoder'} {way}{self.numbers[kind]} {crc32(source.encode()):08x}>"

    def tell_sources(self) -> None:
        """So that tracebacks, debuggers and profilers show the functions' lines. Not from the beginning: it takes 4 MB for all sets."""
        import linecache  # noqa: PLC0415

        if self._told:
            return
        self._told = True
        for kind in self.numbers:
            for way in "DW":
                source = self.source(kind, way)
                file = self.file(kind, way, source)
                linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)

    def constant(self, value: Any) -> str:
        """The name of a value in the functions' scope."""
        name = _MADE.constant(value)
        self.scope[name] = value
        return name

    def number(self, value: Value) -> int:
        """Of a type's functions."""
        if isinstance(value, Simple):
            raise Irregular(str(value))
        return self.numbers[value]

    def end_of_open(self, kind: type[Message], items: Sequence[Item]) -> tuple[int, int]:
        """Code and width of the end behind the attributes of a type in which anything may stand. Raises Irregular where it cannot end there."""
        end = self.open_end(kind)
        if end is None or not all(each.least for each in items):
            raise Irregular(kind.__name__)
        return end

    def small(self, kind: type[Message]) -> bool:
        """Written out where it stands."""
        return is_small(self.schema, kind) or self._only_attributes(kind)

    def _only_attributes(self, kind: type[Message]) -> bool:
        """A type in which anything may stand, and normally nothing does: DigestMethod and its like."""
        if not is_open(kind) or kind._abstract_ or self.open_end(kind) is None:
            return False
        items = items_of(self.schema, kind)
        return len(items) <= SMALL and all(each.least for each in items)


__all__ = ["NOTHING", "WHOLE", "Out", "Straight", "Unusual", "Window"]
