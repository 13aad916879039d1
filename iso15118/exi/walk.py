"""What decoding and encoding along the grammar share: the grammars of a set, and where we are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from iso15118.exi.builtin import BuiltIns
from iso15118.exi.errors import ExiError
from iso15118.exi.grammar import Content
from iso15118.exi.limits import MOST_DEPTH
from iso15118.exi.schema import Schema
from iso15118.exi.strings import Strings
from iso15118.messages.declare import Message

HEADER = 0x80
"""Distinguishing bits 10, no options, final version 1 (EXI section 5)."""


class Grammars:
    """The contents of a schema set's types, made when they are first needed."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._contents: dict[type[Message], Content] = {}

    def content(self, kind: type[Message]) -> Content:
        if kind not in self._contents:
            self._contents[kind] = Content(self.schema, kind)
        return self._contents[kind]


class Walk:
    """One stream in the making or being read."""

    def __init__(self, grammars: Grammars) -> None:
        self.grammars, self.schema = grammars, grammars.schema
        self.strings = Strings(grammars.schema)
        self.built_ins = BuiltIns(self.strings)
        self.path: list[str] = []

    def enter(self, name: str) -> None:
        """Into this element; it is left by taking its name off the path, which after an error stays as it is: the path is told with it."""
        if len(self.path) >= MOST_DEPTH:
            raise ExiError(f"more than {MOST_DEPTH} elements in one another")
        self.path.append(name)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Inside of this element."""
        self.enter(name)
        yield
        self.path.pop()
