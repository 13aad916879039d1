"""The JSON form of messages: names as in the schema, lists where more than one may come, base64 and upper-case hex for octets."""

from __future__ import annotations

import binascii
from typing import Any

from iso15118.exi import text
from iso15118.exi.errors import ExiError
from iso15118.exi.limits import MOST_DEPTH
from iso15118.exi.schema import Schema, schema
from iso15118.exi.types import Field, Simple, fields_of
from iso15118.messages.declare import AnyElement, Message, defaults


def to_json(message: Message) -> dict[str, Any]:
    """A document: `{"DC_ChargeLoopReq": {...}}`."""
    return {message._element_: body(message)}


def body(message: Message) -> dict[str, Any]:
    """What an element holds."""
    if isinstance(message, AnyElement):
        return {
            "name": message.name,
            "attributes": dict(message.attributes),
            "content": [each if isinstance(each, str) else _any(each) for each in message.content],
        }
    found: dict[str, Any] = {}
    for field in fields_of(type(message)):
        value = getattr(message, field.name)
        if value is None or value == () or (field.kind == "mixed" and not value):
            continue
        if field.kind == "any":
            found[field.name] = [_any(each) for each in value]
        elif field.ref and not field.many:
            found[value._element_] = body(value)
        elif field.ref:
            for each in value:
                found.setdefault(each._element_, []).append(body(each))
        else:
            found[field.name] = [_plain(field, each) for each in value] if field.many else _plain(field, value)
    return found


def _any(message: Message) -> dict[str, Any]:
    """What a wildcard let through."""
    return body(message) if isinstance(message, AnyElement) else to_json(message)


XSI_TYPE = "xsi:type"
"""Key of the type's name where an element holds another type than it is declared with."""


def _plain(field: Field, value: Any) -> Any:
    if isinstance(value, Message):
        return body(value) if type(value) is field.value else {XSI_TYPE: type(value)._type_, **body(value)}
    return _simple(value, field.value)


def _simple(value: Any, *types: Simple | type[Message]) -> Any:
    """Of octets: base64 or hexadecimal, as their type has it."""
    if not isinstance(value, bytes):
        return value
    if any(isinstance(each, Simple) and each.hex for each in types):
        return value.hex().upper()
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def fragment_to_json(name: str, value: Any, namespace: str) -> dict[str, Any]:
    """A fragment, an element by any name that the schema set declares: `{"SignedInfo": {...}}`. Raises UnknownSet."""
    if isinstance(value, Message):
        return {name: body(value)}
    return {name: _simple(value, *(each for qname, types in schema(namespace).declared.items() if qname[1] == name for each in types))}


class Reader:
    """JSON to messages of one schema set. Raises ExiError with the path."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def document(self, document: Any) -> Message:
        """The other way of `to_json`."""
        name, content = _single(document)
        return self.message(self._root(name), content, name)

    def _root(self, name: str) -> type[Message]:
        for element in self.schema.elements.values():
            if element.qname[1] == name and isinstance(element.value, type):
                return element.value
        raise ExiError(f"there is no message {text.shortly(name)} in the set {self.schema.namespace}")

    def fragment(self, document: Any) -> tuple[str, Any]:
        """The other way of `fragment_to_json`."""
        name, content = _single(document)
        problems = []
        for qname, values in self.schema.declared.items():
            for value in values if qname[1] == name else ():
                try:
                    return name, self.message(value, content, name) if isinstance(value, type) else self._simple(value, content, name)
                except ExiError as error:
                    problems.append(error)
        raise problems[0] if problems else ExiError(f"there is no element {text.shortly(name)} in the set {self.schema.namespace}")

    def message(self, kind: type[Message], content: Any, path: str) -> Message:
        """An object of this type."""
        if path.count("/") >= MOST_DEPTH:
            raise ExiError(f"more than {MOST_DEPTH} elements in one another", path)
        if not isinstance(content, dict):
            raise ExiError(f"{text.shortly(content)} is no object", path)
        if kind._abstract_:
            raise ExiError(f"{kind.__name__} is abstract", path)
        given, found = dict(content), dict(defaults(kind))
        for field in fields_of(kind):
            if field.ref:
                self._referred(field, given, found, path)
            elif field.name in given:
                found[field.name] = self._field(field, given.pop(field.name), f"{path}/{field.name}")
            if field.name not in found:
                raise ExiError("missing", f"{path}/{field.name}")
        if given:
            raise ExiError(
                f"no such field in {kind.__name__}; there are {', '.join(each.name for each in fields_of(kind))}",
                f"{path}/{next(iter(given))}",
            )
        return kind(**found)

    def _referred(self, field: Field, given: dict[str, Any], found: dict[str, Any], path: str) -> None:
        items = []
        for element in self.schema.branches(field):
            name = element.qname[1]
            if name in given and isinstance(element.value, type):
                value = given.pop(name)
                for at, each in enumerate(_list(value, f"{path}/{name}") if field.many else [value]):
                    items.append(self.message(element.value, each, f"{path}/{name}" + (f"[{at}]" if field.many else "")))
        if field.many:
            found[field.name] = tuple(items)
        elif len(items) > 1:
            raise ExiError("more than one element of the substitution group", f"{path}/{field.name}")
        elif items:
            found[field.name] = items[0]

    def _field(self, field: Field, value: Any, path: str) -> Any:
        if field.kind == "any":
            return tuple(self._any(each, path) for each in _list(value, path))
        if field.many:
            return tuple(self._one(field, each, f"{path}[{at}]") for at, each in enumerate(_list(value, path)))
        return self._one(field, value, path)

    def _one(self, field: Field, value: Any, path: str) -> Any:
        if isinstance(field.value, Simple):
            return self._simple(field.value, value, path)
        if isinstance(value, dict) and XSI_TYPE in value:
            value = dict(value)
            return self.message(self._derived(field.value, value.pop(XSI_TYPE), path), value, path)
        return self.message(field.value, value, path)

    def _derived(self, kind: type[Message], name: Any, path: str) -> type[Message]:
        for (_, known), each in self.schema.types.items():
            if known == name and issubclass(each, kind):
                return each
        raise ExiError(f"{text.shortly(name)} is no type derived from {kind.__name__}", path)

    def _any(self, value: Any, path: str) -> Message:
        if path.count("/") >= MOST_DEPTH:
            raise ExiError(f"more than {MOST_DEPTH} elements in one another", path)
        if not (isinstance(value, dict) and set(value) == {"name", "attributes", "content"}):
            name, content = _single(value)
            return self.message(self._root(name), content, f"{path}/{name}")
        name, attributes = value["name"], value["attributes"]
        if (
            not isinstance(name, str)
            or not isinstance(attributes, dict)
            or not all(isinstance(each, str) for pair in attributes.items() for each in pair)
        ):
            raise ExiError("name is a text, and attributes are texts by name", path)
        inside = f"{path}/{name[-40:].replace('/', '')}"
        content = tuple(each if isinstance(each, str) else self._any(each, inside) for each in _list(value["content"], path))
        return AnyElement(name=name, attributes=attributes, content=content)

    @staticmethod
    def _simple(simple: Simple, value: Any, path: str) -> Any:
        if simple.kind == "binary" and isinstance(value, str):
            try:
                return text.parsed(simple, value)
            except ValueError as error:
                raise ExiError(str(error), path) from None
        if wrong := text.problem(simple, value):
            raise ExiError(wrong, path)
        return value


def _single(document: Any) -> tuple[str, Any]:
    if not isinstance(document, dict) or len(document) != 1:
        raise ExiError("a document is an object with one key, the name of its root element")
    ((name, content),) = document.items()
    return name, content


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise ExiError(f"{text.shortly(value)} is no list", path)
    return value


__all__ = ["XSI_TYPE", "Reader", "body", "fragment_to_json", "to_json"]
