"""Our declarations, read from the classes themselves: annotations with their marks, defaults, and what the class was made with."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import groupby
from types import ModuleType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from bench.xsdcheck.model import Complex, Global, Group, Leaf, Name, Part, Schema, Simple, leaves, plain
from iso15118 import messages
from iso15118.messages import declare

ROOM = messages.__name__


def module_names() -> tuple[str, ...]:
    """Of all declarations, below `iso15118.messages`."""
    return tuple(dict.fromkeys(module for each in messages.SETS.values() for module in each.modules))


def read(names: Iterable[str] | None = None) -> dict[str, Schema]:
    """Namespace -> schema, of several modules where they share one."""
    schemas: dict[str, Schema] = {}
    for name in module_names() if names is None else names:
        module = import_module(f"{ROOM}.{name}")
        forms = getattr(module, "QUALIFIED_ELEMENTS", True), getattr(module, "QUALIFIED_ATTRIBUTES", False)
        into = schemas.setdefault(module.NAMESPACE, Schema(module.NAMESPACE, *forms))
        if (into.qualified, into.qualified_attributes) != forms:
            into.faults.append(("schema", f"{name} has other forms than {', '.join(sorted(into.modules))}"))
        into.modules.add(name)
        _Reader(module, into).read()
    return schemas


@dataclass(frozen=True, slots=True)
class Field:
    """One annotated line of a class."""

    name: str
    kind: Any
    marks: tuple[Any, ...]
    optional: bool
    repeated: bool

    def mark(self, kind: type) -> Any:
        """The mark of this class, or None."""
        return next((each for each in self.marks if type(each) is kind), None)


class Unreadable(ValueError):
    """A declaration says what the checker does not understand."""


class _Reader:
    def __init__(self, module: ModuleType, into: Schema) -> None:
        self.module, self.into = module, into

    def read(self) -> None:
        """Everything that the module declares, and nothing that it imports."""
        for name, value in vars(self.module).items():
            try:
                if isinstance(value, type) and issubclass(value, declare.Message):
                    if value.__module__ == self.module.__name__:
                        self.declared(value)
                elif get_origin(value) in {Annotated, Literal} and getattr(declare, name, None) is not value:
                    self.into.simple[name] = simple(value)
            except Unreadable as error:
                self.into.faults.append((name, str(error)))
        for name, value in getattr(self.module, "ELEMENTS", {}).items():
            self.into.elements[name] = Global(simple(value))

    def declared(self, kind: type[declare.Message]) -> None:
        name, element = type_name(kind), kind._element_
        if kind.__name__ not in {name.local, element} or name.namespace == "":
            self.into.faults.append((kind.__name__, f"a class of another name than its element {element!r} and its type {name.local!r}"))
        if element:
            head = kind._substitutes_
            taken = element in self.into.elements
            self.into.elements[element] = Global(name, element_name(head) if head else None)
            if taken:
                self.into.faults.append((element, "declared twice"))
        if alias(kind):
            return
        if name.local in self.into.types:
            self.into.faults.append((name.local, "declared twice"))
        self.into.types[name.local] = self.complex_type(kind)

    def complex_type(self, kind: type[declare.Message]) -> Complex:
        base = kind.__bases__[0]
        made = Complex(None if base is declare.Message else type_name(base), kind._abstract_)
        content: list[Field] = []
        for field in fields(kind):
            if declare.ATTRIBUTE in field.marks:
                made.attributes[field.name] = (simple(field.kind, field.marks), not field.optional)
            elif declare.TEXT in field.marks:
                made.text = simple(field.kind, field.marks)
            elif declare.MIXED in field.marks:
                made.mixed = True
            else:
                content.append(field)
        made.content = plain(self.content(kind, content))
        return made

    def content(self, kind: type[declare.Message], content: list[Field]) -> Group:
        found = {field.name: self.leaf(kind, field) for field in content}
        if kind._content_:
            return self.noted(kind, found)
        parts: list[Part] = []
        for choice, group in groupby(content, key=lambda field: field.mark(declare.OneOf)):
            members = [found[field.name] for field in group]
            if choice is None:
                parts.extend(members)
                continue
            if any(each.least for each in members):
                raise Unreadable(f"{kind.__name__}: a member of the choice {choice.name} must be there")
            parts.append(Group(tuple(replace(each, least=1) for each in members), True, 0 if choice.optional else 1))
        return Group(tuple(parts))

    def noted(self, kind: type[declare.Message], found: dict[str, Leaf]) -> Group:
        """Content in the notation of a DTD: bounds are there, types are in the fields."""
        group = Notation(kind._content_, found).read()
        named = {each.name.local for each in leaves(group)}
        if missing := sorted(set(found) - named):
            self.into.faults.append((kind.__name__, f"fields that the content does not name: {', '.join(missing)}"))
        return group

    def leaf(self, kind: type[declare.Message], field: Field) -> Leaf:
        occurs, wildcard = field.mark(declare.Occurs), field.mark(declare.Wildcard)
        if field.repeated != (occurs is not None):
            raise Unreadable(f"{kind.__name__}.{field.name}: a tuple has Occurs, and nothing else has")
        least, most = (occurs.least, occurs.most) if occurs else (0 if field.optional else 1, 1)
        if occurs and field.optional != (least == 0):
            raise Unreadable(f"{kind.__name__}.{field.name}: a list has a default when it may be empty, and only then")
        if wildcard:
            return Leaf(Name(wildcard.namespace, "any"), None, least, most)
        if is_message(field.kind):
            return Leaf(self.leaf_name(kind, field), type_name(field.kind), least, most)
        return Leaf(self.own(field.name), simple(field.kind, field.marks), least, most)

    def leaf_name(self, kind: type[declare.Message], field: Field) -> Name:
        if declare.REF not in field.marks:
            return self.own(field.name)
        name = element_name(field.kind)
        if name.local != field.name:
            raise Unreadable(f"{kind.__name__}.{field.name}: a reference to the element {name.local}")
        return name

    def own(self, local: str) -> Name:
        return Name(self.into.namespace if self.into.qualified else "", local)


class Notation:
    """`(A, (B | C)?, any*)`: groups of elements with how often they come."""

    def __init__(self, text: str, found: dict[str, Leaf]) -> None:
        self.text, self.found = text, found
        self.tokens = re.findall(r"\w+|[(),|?*+]", text)

    def read(self) -> Group:
        """The whole text. Raises Unreadable."""
        made = self.part()
        if self.tokens:
            raise Unreadable(f"{self.text}: {self.tokens[0]} is left over")
        return Group((made,))

    def part(self) -> Part:
        begin = self.tokens.pop(0) if self.tokens else ""
        made: Part
        if begin == "(":
            made = self.group()
        elif begin in self.found:
            made = replace(self.found[begin], least=1, most=1)
        else:
            raise Unreadable(f"{self.text}: {begin or 'the end'} is no field")
        if self.tokens and self.tokens[0] in "?*+":
            suffix = self.tokens.pop(0)
            made = replace(made, least=int(suffix == "+"), most=1 if suffix == "?" else None)
        return made

    def group(self) -> Group:
        parts, between = [self.part()], set[str]()
        while self.tokens and self.tokens[0] in ",|":
            between.add(self.tokens.pop(0))
            parts.append(self.part())
        if len(between) > 1 or not self.tokens or self.tokens.pop(0) != ")":
            raise Unreadable(f"{self.text}: a group of neither one kind nor the other")
        return Group(tuple(parts), between == {"|"})


def is_message(kind: Any) -> bool:
    """Whether it is one of our classes."""
    return isinstance(kind, type) and issubclass(kind, declare.Message)


def namespace(kind: type[declare.Message]) -> str:
    """Of the module where the class is."""
    return str(vars(sys.modules[kind.__module__]).get("NAMESPACE", ""))


def element_name(kind: type[declare.Message]) -> Name:
    """Of the class's global element. Raises Unreadable."""
    if not kind._element_:
        raise Unreadable(f"{kind.__name__} has no global element to refer to")
    return Name(namespace(kind), kind._element_)


def alias(kind: type[declare.Message]) -> bool:
    """Whether the class is one more element of its base's type."""
    base = kind.__bases__[0]
    return base is not declare.Message and bool(kind._type_) and kind._type_ == base._type_ and not inspect.get_annotations(kind)  # type: ignore[attr-defined]


def type_name(kind: type[declare.Message]) -> Name:
    """Of the class's type in the schema."""
    if alias(kind):
        return type_name(kind.__bases__[0])
    return Name(namespace(kind), kind._type_ or f"<{kind._element_}>")


def fields(kind: type[declare.Message]) -> Iterator[Field]:
    """What the class itself adds. Raises Unreadable."""
    given = kind.__dict__["_defaults_"]
    for name, annotation in inspect.get_annotations(kind).items():
        if name.startswith("_"):
            continue
        inner, marks, nullable, repeated = annotation, list[Any](), False, False
        while True:
            origin: Any = get_origin(inner)
            if origin is Annotated:
                inner, *more = get_args(inner)
                marks[:0] = more
            elif origin in {Union, types.UnionType}:
                options = [each for each in get_args(inner) if each is not type(None)]
                if len(options) != 1 or nullable:
                    raise Unreadable(f"{kind.__name__}.{name}: more than one type")
                inner, nullable = options[0], True
            elif origin is tuple:
                inner, *rest = get_args(inner)
                if rest != [...] or repeated:
                    raise Unreadable(f"{kind.__name__}.{name}: a tuple of other form than tuple[X, ...]")
                repeated = True
            else:
                break
        allowed = [None] if nullable else [""] if declare.MIXED in marks else [()] if repeated else []
        if (name in given and given[name] not in allowed) or (nullable and name not in given):
            raise Unreadable(f"{kind.__name__}.{name}: what may be absent is None, an empty tuple or, of mixed text, empty")
        yield Field(name, inner, tuple(marks), name in given, repeated)


def simple(annotation: Any, beside: Iterable[Any] = ()) -> Simple:
    """A simple type by what it allows. Raises Unreadable."""
    marks = list(beside)
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        marks[:0] = more
    if get_origin(annotation) is Literal:
        return Simple("enumeration", values=tuple(map(str, get_args(annotation))))
    facets = [each for each in marks if isinstance(each, declare.Range | declare.Length)]
    if annotation is bool and not facets:
        return Simple("boolean")
    kinds: dict[Any, tuple[str, type]] = {
        int: ("integer", declare.Range),
        str: ("text", declare.Length),
        bytes: ("hex" if declare.HEX in marks else "base64", declare.Length),
    }
    if annotation not in kinds or len(facets) != 1 or type(facets[0]) is not kinds[annotation][1]:
        raise Unreadable(f"{annotation} with {facets}: no simple type")
    return Simple(kinds[annotation][0], facets[0].least, facets[0].most)
