"""A schema set as EXI sees it: global elements, every qualified name, the types by name, and the string tables' first entries."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from functools import cache, cached_property
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from iso15118.exi.types import Field, QName, Simple, fields_of, namespace_of, simple_of
from iso15118.messages import SETS, declare
from iso15118.messages.declare import Message

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
XSD = "http://www.w3.org/2001/XMLSchema"
_XML_NAMES = ("base", "id", "lang", "space")
_XSI_NAMES = ("nil", "type")
_XSD_NAMES = (
    "ENTITIES", "ENTITY", "ID", "IDREF", "IDREFS", "NCName", "NMTOKEN", "NMTOKENS", "NOTATION", "Name", "QName", "anySimpleType", "anyType", "anyURI",
    "base64Binary", "boolean", "byte", "date", "dateTime", "decimal", "double", "duration", "float", "gDay", "gMonth", "gMonthDay", "gYear",
    "gYearMonth", "hexBinary", "int", "integer", "language", "long", "negativeInteger", "nonNegativeInteger", "nonPositiveInteger",
    "normalizedString", "positiveInteger", "short", "string", "time", "token", "unsignedByte", "unsignedInt", "unsignedLong", "unsignedShort",
)  # fmt: skip
"""EXI 1.0 Appendix D.3."""

_XSD_SIMPLE: dict[str, Simple] = {
    "boolean": Simple("bool"),
    "hexBinary": Simple("binary", 0, hex=True),
    "base64Binary": Simple("binary", 0),
    **dict.fromkeys(
        ("anyURI", "string", "normalizedString", "token", "language", "NMTOKEN", "Name", "NCName", "ID", "IDREF", "ENTITY"),
        Simple("text", 0),
    ),
    "byte": Simple("bits", -128, 127),
    "unsignedByte": Simple("bits", 0, 255),
    **{name: Simple("signed", -(1 << bits - 1), (1 << bits - 1) - 1) for name, bits in (("short", 16), ("int", 32), ("long", 64))},
    **{name: Simple("unsigned", 0, (1 << bits) - 1) for name, bits in (("unsignedShort", 16), ("unsignedInt", 32), ("unsignedLong", 64))},
    "integer": Simple("signed"),
    "nonPositiveInteger": Simple("signed", None, 0),
    "negativeInteger": Simple("signed", None, -1),
    "nonNegativeInteger": Simple("unsigned", 0),
    "positiveInteger": Simple("unsigned", 1),
}
"""The types of XML Schema whose values a type of these schemas may have, too; a text's own rules are left to the type that is declared."""

Value = Simple | type[Message]


class UnknownSet(LookupError):
    """There is no schema set of this namespace; the message names those there are."""


class Element(NamedTuple):
    """An element declaration: its name, and what it holds."""

    qname: QName
    value: Value


class Schema:
    """One set. Everything is computed from the declarations, at first use."""

    def __init__(self, namespace: str, modules: Iterable[ModuleType]) -> None:
        self.namespace, self.modules = namespace, tuple(modules)
        self.classes: tuple[type[Message], ...] = tuple(
            each
            for module in self.modules
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, Message) and each.__module__ == module.__name__
        )

    @cached_property
    def elements(self) -> dict[QName, Element]:
        """Global elements by name, in the order of their event codes: local name, then namespace (EXI 8.5.1)."""
        found = [Element((namespace_of(each), each._element_), each) for each in self.classes if each._element_]
        for module in self.modules:
            given: dict[str, Any] = vars(module).get("ELEMENTS", {})
            found += [Element((module.NAMESPACE, name), simple_of(annotation)) for name, annotation in given.items()]
        return {each.qname: each for each in sorted(found, key=lambda each: each.qname[::-1])}

    @cached_property
    def members(self) -> dict[type[Message], tuple[Element, ...]]:
        """Head of a substitution group -> the elements that may stand for it, itself included, in the order of their event codes (EXI 8.5.4.1.6)."""
        found: dict[type[Message], list[Element]] = {each: [] for each in self.classes if each._element_}
        for element in self.elements.values():
            head = element.value if isinstance(element.value, type) else None
            while head is not None:
                found[head].append(element)
                head = head._substitutes_
        return {head: tuple(each) for head, each in found.items()}

    def branches(self, field: Field) -> tuple[Element, ...]:
        """The elements that may stand where this field is."""
        if field.ref and isinstance(field.value, type):
            return self.members[field.value]
        return (Element(field.qname, field.value),)

    @cached_property
    def types(self) -> dict[QName, type[Message]]:
        """Complex types by name, for xsi:type."""
        found: dict[QName, type[Message]] = {}
        for each in self.classes:
            if each._type_:
                found.setdefault((namespace_of(each), each._type_), each)
        return found

    @cached_property
    def simple_types(self) -> dict[QName, Simple]:
        """Simple types by name, for xsi:type."""
        found = {(XSD, name): simple for name, simple in _XSD_SIMPLE.items()}
        for module in self.modules:
            found |= {(module.NAMESPACE, name): simple_of(vars(module)[name]) for name in simple_type_names(module)}
        return found

    @cached_property
    def declared(self) -> dict[QName, tuple[Value, ...]]:
        """Every element name declared anywhere -> what elements of this name hold, in the order of fragment event codes (EXI 8.5.2)."""
        found: dict[QName, list[Value]] = {element.qname: [element.value] for element in self.elements.values()}
        for each in self.classes:
            for field in fields_of(each):
                if field.kind == "element" and not field.ref:
                    values = found.setdefault(field.qname, [])
                    if field.value not in values:  # not a set: hashing an enumeration takes longer
                        values.append(field.value)
        return {qname: tuple(found[qname]) for qname in sorted(found, key=lambda qname: qname[::-1])}

    @cached_property
    def attributes(self) -> dict[QName, Simple]:
        """Every attribute declared anywhere, in order (EXI 8.5.3)."""
        found = {field.qname: field.value for each in self.classes for field in fields_of(each) if field.kind == "attribute"}
        return {qname: value for qname in sorted(found, key=lambda qname: qname[::-1]) if isinstance(value := found[qname], Simple)}

    # ---- string tables

    @cached_property
    def uris(self) -> tuple[str, ...]:
        """First entries of the URI partition (EXI 7.3.1, Appendix D.1)."""
        mine = sorted({module.NAMESPACE for module in self.modules} - {"", XML, XSI, XSD})
        return ("", XML, XSI, XSD, *mine)

    @cached_property
    def local_names(self) -> dict[str, tuple[str, ...]]:
        """Namespace -> first entries of its local-name partition: names of elements, attributes and types (EXI 7.3.1, Appendix D.3)."""
        found: dict[str, set[str]] = {uri: set() for uri in self.uris}
        for uri, local in [*self.declared, *self.attributes, *self.types]:
            found[uri].add(local)
        for module in self.modules:
            found[module.NAMESPACE] |= simple_type_names(module)
        given = {XML: _XML_NAMES, XSI: _XSI_NAMES, XSD: _XSD_NAMES}
        return {uri: given[uri] if uri in given else tuple(sorted(names)) for uri, names in found.items()}


def simple_type_names(module: ModuleType) -> set[str]:
    """The simple types that a module of declarations names."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in vars(declare)
        and (value is bool or typing.get_origin(value) is not None)
        and name != "ELEMENTS"
    }


@cache
def schema(namespace: str) -> Schema:
    """The set whose documents have their root in this namespace. Raises UnknownSet."""
    if namespace not in SETS:
        raise UnknownSet(f"no schema set {namespace!r}; there are {', '.join(SETS)}")
    return Schema(namespace, [import_module(f"iso15118.messages.{name}") for name in SETS[namespace].modules])
