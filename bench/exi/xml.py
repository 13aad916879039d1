"""Messages as XML and back. The vehicle's language never goes as XML: this is for the oracle, which speaks nothing else."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from bench.exi import shape
from iso15118.messages.declare import AnyElement, Message

Value = Message | bool | int | str | bytes

_ORDER = ("attribute", "element", "any", "text", "mixed")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


class XmlError(ValueError):
    """The text is no instance of the declarations; the message says where."""


# ---- to XML


class Start(NamedTuple):
    """An element begins."""

    name: tuple[str, str]
    """(namespace, local name)."""
    attributes: tuple[tuple[tuple[str, str], str], ...]


class Text(NamedTuple):
    """Characters, perhaps none: an element with a simple value has one of these."""

    text: str


class End(NamedTuple):
    """The element ends that began last."""


Event = Start | Text | End


def to_xml(message: Message) -> str:
    """A document: the message as its type's global element."""
    return written(events(shape.element(type(message)), type(message), message))


def events(name: tuple[str, str], kind: shape.Kind, value: Any) -> Iterator[Event]:
    """An element, and what is in it, in order."""
    if isinstance(kind, shape.Simple):
        yield Start(name, ())
        yield Text(text_of(kind, value))
    else:
        yield Start(name, tuple(_attributes(value)))
        yield from _content(value)
    yield End()


def _attributes(message: Message) -> Iterator[tuple[tuple[str, str], str]]:
    for field in shape.fields(type(message)):
        value = getattr(message, field.name)
        if field.place == "attribute" and isinstance(field.kind, shape.Simple) and value is not None:
            yield (field.namespace, field.name), text_of(field.kind, value)


def _content(message: Message) -> Iterator[Event]:
    """Where XML would let them stand in any order: first the elements that are declared, then the others, then the text."""
    for field in sorted(shape.fields(type(message)), key=lambda each: _ORDER.index(each.place)):
        value = getattr(message, field.name)
        if field.place == "attribute" or value is None or (field.place == "mixed" and not value):
            continue
        for each in value if field.many else (value,):
            if isinstance(each, AnyElement):
                yield from _any_events(each)
            elif isinstance(each, Message) and (field.ref or field.place == "any"):
                yield from events(shape.element(type(each)), type(each), each)
            elif isinstance(field.kind, shape.Simple) and field.place in {"text", "mixed"}:
                yield Text(text_of(field.kind, each))
            else:
                yield from events((field.namespace, field.name), field.kind, each)


def _any_events(element: AnyElement) -> Iterator[Event]:
    yield Start(_split(element.name), tuple((_split(name), value) for name, value in element.attributes.items()))
    for each in element.content:
        if isinstance(each, str):
            yield Text(each)
        elif isinstance(each, AnyElement):
            yield from _any_events(each)
        else:
            yield from events(shape.element(type(each)), type(each), each)
    yield End()


def written(content: Iterable[Event]) -> str:
    """XML text of an element; every namespace that comes up is declared at the root."""
    prefixes: dict[str, str] = {}

    def tag(name: tuple[str, str]) -> str:
        namespace, local = name
        return f"{prefixes.setdefault(namespace, f'n{len(prefixes)}')}:{local}" if namespace else local

    parts: list[str] = []
    opened: list[str] = []
    for event in content:
        match event:
            case Start(name, attributes):
                opened.append(tag(name))
                parts += (f"<{opened[-1]}", "".join(f' {tag(each)}="{value.translate(_ESCAPES)}"' for each, value in attributes), ">")
            case Text(text):
                parts.append(text.translate(_ESCAPES))
            case End():
                parts.append(f"</{opened.pop()}>")
    declared = "".join(f' xmlns:{prefix}="{namespace.translate(_ESCAPES)}"' for namespace, prefix in prefixes.items())
    return "".join((parts[0], declared, *parts[1:]))


def _split(name: str) -> tuple[str, str]:
    """(namespace, local name) of `{namespace}local`, as ElementTree writes it."""
    namespace, _, local = name.removeprefix("{").rpartition("}")
    return namespace, local


def text_of(kind: shape.Simple, value: Any) -> str:
    """A value as XML has it."""
    if kind.type is bytes:
        return bytes(value).hex().upper() if kind.hex else base64.b64encode(value).decode()
    if kind.type is bool:
        return "true" if value else "false"
    return str(value)


# ---- from XML


def from_xml(text: str, namespace: str) -> Message:
    """A document; `namespace` names the schema set."""
    root = _parsed(text)
    kind = _root(_split(root.tag), namespace)
    if kind is None:
        raise XmlError(f"{root.tag}: no global element of {namespace}")
    return _Reader(namespace).message(root, kind)


def element_from_xml(text: str, kind: shape.Kind, namespace: str) -> Value:
    """What a document holds whose only element has this type, whatever it is called."""
    return _Reader(namespace).value(_parsed(text), kind)


def _root(name: tuple[str, str], namespace: str) -> type[Message] | None:
    return next((kind for kind in shape.roots(namespace) if shape.element(kind) == name), None)


def _parsed(text: str) -> ET.Element:
    try:
        return ET.fromstring(text)  # noqa: S314 it comes from the oracle
    except ET.ParseError as error:
        raise XmlError(f"no XML: {error}") from None


class _Reader:
    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def value(self, element: ET.Element, kind: shape.Kind) -> Value:
        if isinstance(kind, shape.Simple):
            return _parse(element.text or "", kind, element.tag)
        return self.message(element, kind)

    def message(self, element: ET.Element, kind: type[Message]) -> Message:
        fields = shape.fields(kind)
        values: dict[str, Any] = {field.name: () if field.many else None for field in fields}
        attributes = dict(element.attrib)
        for field in fields:
            name = f"{{{field.namespace}}}{field.name}" if field.namespace else field.name
            if field.place == "attribute" and name in attributes and isinstance(field.kind, shape.Simple):
                values[field.name] = _parse(attributes.pop(name), field.kind, f"{element.tag}: {field.name}")
            elif field.place == "text" and isinstance(field.kind, shape.Simple):
                values[field.name] = _parse(element.text or "", field.kind, f"{element.tag}: {field.name}")
            elif field.place == "mixed":
                values[field.name] = (element.text or "") + "".join(child.tail or "" for child in element)
        if attributes:
            raise XmlError(f"{element.tag}: unknown attributes {sorted(attributes)}")
        for child in element:
            field, value = self._child(child, fields, element.tag)
            if not field.many and values[field.name] is not None:
                raise XmlError(f"{element.tag}: {field.name} twice")
            values[field.name] = (*values[field.name], value) if field.many else value
        if missing := [field.name for field in fields if field.occurs.least and not field.many and values[field.name] is None]:
            raise XmlError(f"{element.tag}: without {missing}")
        return kind(**values)

    def _child(self, child: ET.Element, fields: tuple[shape.Field, ...], where: str) -> tuple[shape.Field, Any]:
        name = _split(child.tag)
        for field in fields:
            if field.place != "element":
                continue
            if field.ref and not isinstance(field.kind, shape.Simple):
                for member in shape.members(field.kind, self._namespace):
                    if shape.element(member) == name:
                        return field, self.message(child, member)
            elif name == (field.namespace, field.name):
                return field, self.value(child, field.kind)
        for field in fields:
            if field.place == "any":
                return field, self._any(child)
        raise XmlError(f"{where}: {child.tag} does not belong there")

    def _any(self, element: ET.Element) -> Message:
        if kind := _root(_split(element.tag), self._namespace):
            return self.message(element, kind)
        simple = _split(element.tag) in shape.simple_roots(self._namespace)
        content: list[Message | str] = [element.text or ""] if element.text or simple else []
        for child in element:
            content.append(self._any(child))
            if child.tail:
                content.append(child.tail)
        return AnyElement(name=element.tag, attributes=dict(element.attrib), content=tuple(content))


def _parse(text: str, kind: shape.Simple, where: str) -> bool | int | str | bytes:
    if kind.type is str:
        if kind.values and text not in kind.values:
            raise XmlError(f"{where}: {text!r} is none of its values")
        return text
    text = text.strip()
    if kind.type is bool:
        if text in {"true", "1", "false", "0"}:
            return text in {"true", "1"}
        raise XmlError(f"{where}: {text!r} is no boolean")
    try:
        if kind.type is int:
            return int(text)
        return bytes.fromhex(text) if kind.hex else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise XmlError(f"{where}: {text!r} is no {kind.type.__name__}") from None
