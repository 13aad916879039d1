"""What both sides are put in terms of: elements, types and content, with nothing in it of how either side writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple


class Name(NamedTuple):
    """A qualified name. The local name of an anonymous type is `<element>`."""

    namespace: str
    local: str

    def __str__(self) -> str:
        return f"{{{self.namespace}}}{self.local}"


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple type by what it allows: a name leaves no trace on the wire, its facets do."""

    kind: str
    """integer, boolean, text, base64, hex or enumeration."""
    least: int | None = None
    most: int | None = None
    """Of the value for an integer, of the length for text and octets; None: no bound."""
    values: tuple[str, ...] = ()
    """Of an enumeration, in order: EXI counts them."""

    @property
    def facets(self) -> int:
        """How many facets there are to compare."""
        return len(self.values) + (self.least is not None) + (self.most is not None)

    def __str__(self) -> str:
        if self.kind == "enumeration":
            return f"one of {', '.join(self.values)}"
        bounds = "" if self.least is self.most is None else f" {self.least} to {'no bound' if self.most is None else self.most}"
        return self.kind + bounds


Type = Name | Simple


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element in a content, or a wildcard: then `type` is None and `name.local` is `any`."""

    name: Name
    type: Type | None
    least: int = 1
    most: int | None = 1

    def __str__(self) -> str:
        shown = self.name.local if self.type is not None else f"any({self.name.namespace})"
        return shown + times(self.least, self.most)


@dataclass(frozen=True, slots=True)
class Group:
    """A sequence, or a choice."""

    parts: tuple[Leaf | Group, ...] = ()
    choice: bool = False
    least: int = 1
    most: int | None = 1

    def __str__(self) -> str:
        return f"({(' | ' if self.choice else ', ').join(map(str, self.parts))}){times(self.least, self.most)}"


Part = Leaf | Group


def times(least: int, most: int | None) -> str:
    """The bounds as a DTD would write them."""
    known = {(1, 1): "", (0, 1): "?", (0, None): "*", (1, None): "+"}
    return known.get((least, most), f"{{{least},{'' if most is None else most}}}")


def plain(part: Part) -> Part:
    """The same content with no group that says nothing: both sides come to the same form, whoever nested how."""
    if isinstance(part, Leaf):
        return part
    parts: list[Part] = []
    for each in map(plain, part.parts):
        once = isinstance(each, Group) and (each.least, each.most) == (1, 1)
        parts.extend(each.parts if isinstance(each, Group) and once and (each.choice == part.choice or not each.parts) else [each])
    if len(parts) == 1:
        only = parts[0]
        if (only.least, only.most) == (1, 1):
            return replace(only, least=part.least, most=part.most)
        if (part.least, part.most) == (1, 1):
            return only
    return replace(part, parts=tuple(parts), choice=part.choice and bool(parts))


def leaves(part: Part) -> Iterator[Leaf]:
    """All elements and wildcards, in order."""
    if isinstance(part, Leaf):
        yield part
    else:
        for each in part.parts:
            yield from leaves(each)


@dataclass(slots=True)
class Complex:
    """A complex type: what it adds to its base."""

    base: Name | None = None
    abstract: bool = False
    mixed: bool = False
    text: Simple | None = None
    """Of simple content."""
    content: Part = field(default_factory=Group)
    attributes: dict[str, tuple[Simple, bool]] = field(default_factory=dict)
    """Name -> type, and whether it must be there. Without order: EXI sorts them by name."""


@dataclass(slots=True)
class Global:
    """A global element."""

    type: Type
    head: Name | None = None
    """Of the substitution group that it belongs to."""


@dataclass(slots=True)
class Schema:
    """Everything of one namespace."""

    namespace: str
    qualified: bool = True
    qualified_attributes: bool = False
    """Local elements, and attributes, have the namespace."""
    elements: dict[str, Global] = field(default_factory=dict)
    types: dict[str, Complex] = field(default_factory=dict)
    simple: dict[str, Simple] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    """Namespaces."""
    modules: set[str] = field(default_factory=set)
    """Ours only: where it is declared."""
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Where, and what could not be read or contradicts itself."""
