"""The annotations of a declaration, taken apart: what a value is in EXI, and what a field is in the content of its type."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

from iso15118.exi.limits import MOST_BINARY, MOST_CHARACTERS
from iso15118.messages.declare import ATTRIBUTE, HEX, MIXED, REF, TEXT, Length, Message, Occurs, OneOf, Range, Wildcard

Kind = Literal["bool", "bits", "unsigned", "signed", "enum", "text", "binary"]
"""EXI datatype representation: 7.1.2 Boolean, 7.1.9 n-bit and 7.1.6 Unsigned Integer, 7.1.5 Integer, 7.2 Enumeration, 7.1.10 String, 7.1.1 Binary."""
N_BIT_RANGE = 4096
"""An integer with at most so many values is coded in n bits (EXI 7.1.9)."""
QName = tuple[str, str]
"""(namespace, local name)."""


class Simple(NamedTuple):
    """A simple type. `least` and `most` bound an integer's value, or the length of a text (characters) or binary (octets)."""

    kind: Kind
    least: int | None = None
    most: int | None = None
    values: tuple[str, ...] = ()
    """Of an enumeration, in schema order."""
    hex: bool = False
    """hexBinary rather than base64Binary: another JSON form, the same octets."""

    @property
    def bits(self) -> int:
        """Width of an n-bit integer, an enumeration or a boolean."""
        if self.kind == "bool":
            return 1
        span = len(self.values) if self.kind == "enum" else (self.most or 0) - (self.least or 0) + 1
        return (span - 1).bit_length()

    @property
    def longest(self) -> int:
        """The schema's bound of a length, or ours."""
        return self.most if self.most is not None else MOST_CHARACTERS if self.kind == "text" else MOST_BINARY

    def __str__(self) -> str:
        """For a person: "an integer from 1 to 255"."""
        match self.kind:
            case "bool":
                return "true or false"
            case "enum":
                return "one of " + ", ".join(self.values)
            case "text":
                return f"a text of {self.least or 0} to {self.longest} characters"
            case "binary":
                return f"{self.least or 0} to {self.longest} octets"
            case _ if self.least is None and self.most is None:
                return "an integer"
            case _:
                return f"an integer from {self.least} to {self.most}"


class Field(NamedTuple):
    """One field of a type. `value` is what one of it holds; `most` None where the schema has no bound."""

    name: str
    kind: Literal["element", "attribute", "text", "any", "mixed"]
    qname: QName
    value: Simple | type[Message]
    least: int = 1
    most: int | None = 1
    ref: bool = False
    """A reference to the global element of `value`, which others may substitute."""
    choice: str = ""
    """Name of the choice that it is a branch of."""
    choice_optional: bool = False

    @property
    def many(self) -> bool:
        """Its value is a tuple."""
        return self.most is None or self.most > 1


@cache
def simple_of(annotation: Any) -> Simple:
    """The simple type that an annotation says. Raises TypeError for what is none."""
    base, marks = _unwrapped(annotation)
    if typing.get_origin(base) is Literal:
        return Simple("enum", values=typing.get_args(base))
    bounds = next((mark for mark in marks if isinstance(mark, (Range, Length))), None)
    if base is bool:
        return Simple("bool")
    if base is int and isinstance(bounds, Range):
        least, most = bounds
        if least is not None and most is not None and most - least < N_BIT_RANGE:
            return Simple("bits", least, most)
        return Simple("unsigned" if least is not None and least >= 0 else "signed", least, most)
    if base is str:
        return Simple("text", *bounds) if bounds else Simple("text", 0)
    if base is bytes:
        least, most = bounds or (0, None)
        return Simple("binary", least, most, hex=HEX in marks)
    raise TypeError(f"no rule for a simple type {annotation!r}")


def _unwrapped(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Without Annotated and without the None of an optional field; the marks, the outer ones last."""
    marks: tuple[Any, ...] = ()
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation, *inner = typing.get_args(annotation)
            marks = (*inner, *marks)
        elif origin in (typing.Union, types.UnionType):
            (annotation,) = (each for each in typing.get_args(annotation) if each is not type(None))
        else:
            return annotation, marks


def namespace_of(kind: type[Message]) -> str:
    """The target namespace of the schema that declares a type: its module's."""
    return str(vars(sys.modules[kind.__module__])["NAMESPACE"])


@cache
def fields_of(kind: type[Message]) -> tuple[Field, ...]:
    """All fields of a type in the order of the schema, those of its base types first."""
    return tuple(_fields(kind))


def _fields(kind: type[Message]) -> Iterator[Field]:
    for each in reversed(kind.__mro__):
        if each is Message or not issubclass(each, Message):
            continue
        module = vars(sys.modules[each.__module__])
        for name, annotation in each.__dict__.get("__annotations__", {}).items():  # noqa: RUF063 inspect takes 10 ms to import
            yield _field(module, name, annotation)


def _field(module: dict[str, Any], name: str, annotation: Any) -> Field:
    base, marks = _unwrapped(annotation)
    optional = type(None) in typing.get_args(annotation)
    occurs = next((mark for mark in marks if isinstance(mark, Occurs)), Occurs(0 if optional else 1, 1))
    if typing.get_origin(base) is tuple:
        base, inner = _unwrapped(typing.get_args(base)[0])
        marks = (*inner, *marks)
    if any(isinstance(mark, Wildcard) for mark in marks):
        return Field(name, "any", ("", "*"), Message, *occurs)
    value = base if isinstance(base, type) and issubclass(base, Message) else simple_of(typing.Annotated[base, *marks] if marks else base)
    if MIXED in marks:
        return Field(name, "mixed", ("", ""), value, 0, 1)
    if TEXT in marks:
        return Field(name, "text", ("", ""), value, *occurs)
    if ATTRIBUTE in marks:
        uri = module["NAMESPACE"] if module.get("QUALIFIED_ATTRIBUTES") else ""
        return Field(name, "attribute", (uri, name), value, *occurs)
    choice = next((mark for mark in marks if isinstance(mark, OneOf)), None)
    uri = module["NAMESPACE"] if module.get("QUALIFIED_ELEMENTS", True) else ""
    qname = (namespace_of(value), value._element_) if REF in marks and isinstance(value, type) else (uri, name)
    return Field(
        name,
        "element",
        qname,
        value,
        *occurs,
        ref=REF in marks,
        choice=choice.name if choice else "",
        choice_optional=bool(choice and choice.optional),
    )
