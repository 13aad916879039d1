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

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from iso15118.exi.schema import Schema, Value
from iso15118.exi.straight.help import HELP, NOTHING, WHOLE, Out, Unusual, Window
from iso15118.exi.straight.items import Irregular, Item, is_small
from iso15118.exi.straight.reading import Reading
from iso15118.exi.straight.writing import Writing
from iso15118.exi.types import Simple
from iso15118.messages.declare import Message


class Straight:
    """The functions of one schema set. Each is made when it is first called, or by `warm`."""

    def __init__(self, schema: Schema, open_end: Callable[[type[Message]], tuple[int, int] | None]) -> None:
        self.schema, self.open_end = schema, open_end
        self.numbers = {kind: number for number, kind in enumerate(schema.classes)}
        self.scope: dict[str, Any] = dict(HELP)
        for kind, number in self.numbers.items():
            self.scope[f"C{number}"] = kind
            self.scope[f"D{number}"] = self._later(kind, "D")
            self.scope[f"W{number}"] = self._later(kind, "W")
        self._constants: dict[Any, str] = {}
        self._sources: dict[str, str] = {}

    def decoder(self, kind: type[Message]) -> Any:
        """`(window, x, s, q) -> (message, x, s, q)`."""
        return self.scope[f"D{self.numbers[kind]}"]

    def encoder(self, kind: type[Message]) -> Any:
        """`(out, message, b) -> b`."""
        return self.scope[f"W{self.numbers[kind]}"]

    def warm(self) -> None:
        """Make all functions now."""
        for kind in self.numbers:
            for way in "DW":
                self._make(kind, way)
        self.tell_sources()

    def _later(self, kind: type[Message], way: str) -> Callable[..., Any]:
        return partial(self._first, kind, way)

    def _first(self, kind: type[Message], way: str, *state: Any) -> Any:
        return self._make(kind, way)(*state)

    def _make(self, kind: type[Message], way: str) -> Callable[..., Any]:
        name = f"{way}{self.numbers[kind]}"
        try:
            source = (Reading(self, kind) if way == "D" else Writing(self, kind)).source(name)
        except Irregular:
            source = f"def {name}(*state):\n    raise Unusual\n"
        file = f"<exi {self.schema.namespace} {kind.__name__} {'decode' if way == 'D' else 'encode'}>"
        self._sources[file] = source
        exec(compile(source, file, "exec"), self.scope)  # noqa: S102 made of our own declarations
        made: Callable[..., Any] = self.scope[name]
        return made

    def tell_sources(self) -> None:
        """So that tracebacks, debuggers and profilers show the functions' lines. Not at once: the import takes 6 ms."""
        import linecache  # noqa: PLC0415

        for file, source in self._sources.items():
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)

    def constant(self, value: Any) -> str:
        """The name of a value in the functions' scope."""
        key = tuple(value.items()) if isinstance(value, dict) else value
        if key not in self._constants:
            name = self._constants[key] = f"K{len(self._constants)}"
            self.scope[name] = value
        return self._constants[key]

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
        return is_small(self.schema, kind)


__all__ = ["NOTHING", "WHOLE", "Out", "Straight", "Unusual", "Window"]
