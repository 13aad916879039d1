"""A type's content as steps in a row, where it has that form, and the source text in the making."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from iso15118.exi.limits import MOST_REPEATS
from iso15118.exi.schema import Element, Schema
from iso15118.exi.types import Field, Simple, fields_of
from iso15118.messages.declare import Message

SMALL = 4
"""Types of so many simple fields are written out where they stand."""


class Irregular(Exception):
    """A type that has no straight form."""


class Item(NamedTuple):
    """One step of a type's content: an attribute, an element that may be several, a choice, the text, or the end (no branches)."""

    branches: tuple[tuple[Field, Element], ...]
    least: int = 1
    most: int = 1

    @property
    def size(self) -> int:
        """How many event codes it takes."""
        return max(len(self.branches), 1)

    @property
    def many(self) -> bool:
        return bool(self.branches) and self.branches[0][0].many

    @property
    def field(self) -> Field:
        return self.branches[0][0]


@cache
def items_of(schema: Schema, kind: type[Message]) -> tuple[Item, ...]:
    """The content in order: attributes by name, then the particles. Raises Irregular."""
    fields = fields_of(kind)
    attributes = sorted((each for each in fields if each.kind == "attribute"), key=lambda each: each.qname[::-1])
    found = [Item(((each, Element(each.qname, each.value)),), each.least) for each in attributes]
    if is_open(kind):
        return tuple(found)
    if kind._content_:
        raise Irregular(kind.__name__)
    for each in fields:
        if each.kind == "text":
            found.append(Item(((each, Element(each.qname, each.value)),)))
        elif each.kind == "element":
            branches = tuple((each, element) for element in schema.branches(each))
            if each.choice and found and found[-1].branches and found[-1].field.choice == each.choice:
                found[-1] = Item(found[-1].branches + branches, found[-1].least)
            elif each.choice:
                found.append(Item(branches, 0 if each.choice_optional else 1))
            else:
                found.append(Item(branches, each.least, each.most or MOST_REPEATS))
    return (*found, Item(()))


def is_open(kind: type[Message]) -> bool:
    """Anything may stand in it: only its attributes and its end are straight."""
    return any(each.kind in ("any", "mixed") for each in fields_of(kind))


def width(items: Sequence[Item]) -> int:
    """Bits of an event code among these."""
    return sum(each.size for each in items).bit_length()


def next_required(items: Sequence[Item], at: int) -> int:
    """The first item from here on that cannot be left out."""
    return next(number for number in range(at, len(items)) if items[number].least)


def is_small(schema: Schema, kind: type[Message]) -> bool:
    """Small enough to be written out where it stands."""
    if kind._abstract_ or is_open(kind):
        return False
    try:
        items = items_of(schema, kind)
    except Irregular:
        return False
    simple = all(isinstance(element.value, Simple) for item in items for _, element in item.branches)
    return simple and len(items) <= SMALL + 1 and all(each.most == 1 and each.size == 1 for each in items)


class Lines:
    """Source in the making."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 1
        self._names = 0

    def put(self, *lines: str) -> None:
        self._lines += ["    " * self._depth + line for line in lines]

    def name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.put(head)
        before = len(self._lines)
        self._depth += 1
        yield
        if len(self._lines) == before:
            self.put("pass")
        self._depth -= 1

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"
