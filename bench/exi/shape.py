"""What a declaration says, read from its annotations: apart from the codec's own reading, so that one can check the other."""

from __future__ import annotations

import importlib
import inspect
import sys
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from iso15118.messages import SETS
from iso15118.messages.declare import (
    ATTRIBUTE,
    HEX,
    MIXED,
    REF,
    TEXT,
    Length,
    Message,
    Occurs,
    OneOf,
    Range,
    Wildcard,
)


class Simple(NamedTuple):
    """A simple type: Python's type of its values and their bounds."""

    type: type[bool | int | str | bytes]
    range: Range = Range(None, None)
    length: Length = Length(0, None)
    values: tuple[str, ...] = ()
    hex: bool = False


Kind = type[Message] | Simple


class Field(NamedTuple):
    """One field of a type."""

    name: str
    namespace: str
    """Of the element (unless it is a `ref`) or of the attribute."""
    owner: type[Message]
    kind: Kind
    place: Literal["element", "attribute", "text", "any", "mixed"]
    occurs: Occurs
    many: bool
    ref: bool
    one_of: OneOf | None
    wildcard: str
    """The namespaces that it lets through, in the schema's words."""


def namespace_of(kind: type[Message]) -> str:
    """Of global elements and types of the module that a class is in; "" for what is of no schema."""
    return str(sys.modules[kind.__module__].__dict__.get("NAMESPACE", ""))


@cache
def fields(kind: type[Message]) -> tuple[Field, ...]:
    """In the order of the schema, those of base types first."""
    return tuple(
        _field(name, annotation, owner)
        for owner in reversed(kind.__mro__)
        if issubclass(owner, Message)
        for name, annotation in _own(owner)
    )


def _own(owner: type[Message]) -> list[tuple[str, Any]]:
    annotations = inspect.get_annotations(owner)
    return [(name, annotations[name]) for name in owner.__dict__.get("__slots__", ())]


def _field(name: str, annotation: Any, owner: type[Message]) -> Field:
    optional, kind, marks = _unwrapped(annotation)
    occurs = Occurs(0 if optional else 1, 1)
    many = get_origin(kind) is tuple
    if many:
        occurs = next(each for each in marks if isinstance(each, Occurs))
        _, kind, inner = _unwrapped(get_args(kind)[0])
        marks = (*marks, *inner)
    place: Literal["element", "attribute", "text", "any", "mixed"] = "element"
    if any(isinstance(each, Wildcard) for each in marks):
        place = "any"
    elif ATTRIBUTE in marks:
        place = "attribute"
    elif TEXT in marks:
        place = "text"
    elif MIXED in marks:
        place = "mixed"
    words = sys.modules[owner.__module__].__dict__
    qualified = {"element": words.get("QUALIFIED_ELEMENTS", True), "attribute": words.get("QUALIFIED_ATTRIBUTES", False)}
    return Field(
        name=name,
        namespace=namespace_of(owner) if qualified.get(place) else "",
        owner=owner,
        kind=_kind(kind, marks),
        place=place,
        occurs=occurs,
        many=many,
        ref=REF in marks,
        one_of=next((each for each in marks if isinstance(each, OneOf)), None),
        wildcard=next((each.namespace for each in marks if isinstance(each, Wildcard)), ""),
    )


def _unwrapped(annotation: Any) -> tuple[bool, Any, tuple[Any, ...]]:
    """(may be None, the type, its marks)."""
    optional = False
    if get_origin(annotation) in {Union, UnionType}:
        left = [each for each in get_args(annotation) if each is not NoneType]
        if len(left) != 1:
            raise TypeError(f"{annotation}: more than one type in a field")
        annotation, optional = left[0], True
    if get_origin(annotation) is Annotated:
        return optional, annotation.__origin__, annotation.__metadata__
    return optional, annotation, ()


def _kind(kind: Any, marks: tuple[Any, ...]) -> Kind:
    if isinstance(kind, type) and issubclass(kind, Message):
        return kind
    if get_origin(kind) is Literal:
        return Simple(str, values=get_args(kind))
    return Simple(
        kind,
        range=next((each for each in marks if isinstance(each, Range)), Range(None, None)),
        length=next((each for each in marks if isinstance(each, Length)), Length(0, None)),
        hex=HEX in marks,
    )


# ---- schema sets


@cache
def classes(namespace: str) -> tuple[type[Message], ...]:
    """All types of a schema set."""
    found: dict[type[Message], None] = {}
    for name in SETS[namespace].modules:
        module = importlib.import_module(f"iso15118.messages.{name}")
        own = (each for each in module.__dict__.values() if isinstance(each, type) and issubclass(each, Message))
        found |= dict.fromkeys(each for each in own if each.__module__ == module.__name__)
    return tuple(found)


@cache
def roots(namespace: str) -> tuple[type[Message], ...]:
    """The types of the global elements that a document of this set can begin with."""
    return tuple(each for each in classes(namespace) if each._element_ and not each._abstract_)


@cache
def simple_roots(namespace: str) -> dict[tuple[str, str], Simple]:
    """(namespace, local name) of the global elements of simple type: only a wildcard lets them through."""
    modules = [importlib.import_module(f"iso15118.messages.{name}").__dict__ for name in SETS[namespace].modules]
    return {
        (module["NAMESPACE"], name): kind
        for module in modules
        for name, annotation in module.get("ELEMENTS", {}).items()
        if isinstance(kind := _kind(*_unwrapped(annotation)[1:]), Simple)
    }


@cache
def declared(namespace: str) -> tuple[tuple[str, str, Kind], ...]:
    """(namespace, local name, type) of every element that a schema set declares anywhere: what a fragment can hold."""
    found: dict[tuple[str, str, Kind], None] = {}
    for kind in classes(namespace):
        if kind in roots(namespace):
            found[*element(kind), kind] = None
        for field in fields(kind):
            if field.place == "element" and not field.ref and not (isinstance(field.kind, type) and field.kind._abstract_):
                found[field.namespace, field.name, field.kind] = None
    return tuple(found)


@cache
def members(head: type[Message], namespace: str) -> tuple[type[Message], ...]:
    """What may stand where the schema refers to an element: itself unless abstract, and whatever substitutes it, over any number of steps."""
    return tuple(each for each in roots(namespace) if head in _heads(each))


def _heads(kind: type[Message] | None) -> list[type[Message]]:
    found = []
    while kind is not None:
        found.append(kind)
        kind = kind._substitutes_
    return found


def element(kind: type[Message]) -> tuple[str, str]:
    """(namespace, local name) of a type's global element."""
    if not kind._element_:
        raise TypeError(f"{kind.__name__} has no global element")
    return namespace_of(kind), kind._element_
