"""Messages as XML and back. The vehicle's language never goes as XML: this is for the oracle, which speaks nothing else."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from xml.etree import ElementTree as ET

from bench.exi import shape
from iso15118.messages.declare import AnyElement, Message

Value = Message | bool | int | str | bytes

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


class XmlError(ValueError):
    """The text is no instance of the declarations; the message says where."""


# ---- to XML


def to_xml(message: Message) -> str:
    """A document: the message as its type's global element."""
    return element_to_xml(shape.element(type(message)), type(message), message)


def element_to_xml(name: tuple[str, str], kind: shape.Kind, value: Value) -> str:
    """One element of any (namespace, local name) and type as a document of its own: what an EXI fragment holds."""
    writer = _Writer()
    writer.element(name, kind, value)
    return writer.document()


class _Writer:
    """Collects text; every namespace that comes up is declared at the root."""

    def __init__(self) -> None:
        self._prefixes: dict[str, str] = {}
        self._parts: list[str] = []

    def document(self) -> str:
        declared = "".join(f' xmlns:{prefix}="{namespace.translate(_ESCAPES)}"' for namespace, prefix in self._prefixes.items())
        start, *rest = self._parts
        return f"{start}{declared}{''.join(rest)}"

    def element(self, name: tuple[str, str], kind: shape.Kind, value: Any) -> None:
        tag = self._name(name)
        self._parts.append(f"<{tag}")
        if isinstance(kind, shape.Simple):
            self._parts.append(f">{_text(kind, value)}")
        else:
            self._attributes(value)
            self._parts.append(">")
            self._content(value)
        self._parts.append(f"</{tag}>")

    def _attributes(self, message: Message) -> None:
        for field in shape.fields(type(message)):
            value = getattr(message, field.name)
            if field.place == "attribute" and value is not None:
                assert isinstance(field.kind, shape.Simple)  # noqa: S101 an attribute is
                self._parts.append(f' {self._name((field.namespace, field.name))}="{_text(field.kind, value)}"')

    def _content(self, message: Message) -> None:
        fields = shape.fields(type(message))
        for field in fields:
            if field.place in {"text", "mixed"} and isinstance(field.kind, shape.Simple):
                self._parts.append(_text(field.kind, getattr(message, field.name)))
        for field in fields:
            value = getattr(message, field.name)
            if field.place not in {"element", "any"} or value is None:
                continue
            for each in value if field.many else (value,):
                if field.place == "any":
                    self._any(each)
                elif field.ref:
                    self.element(shape.element(type(each)), type(each), each)
                else:
                    self.element((field.namespace, field.name), field.kind, each)

    def _any(self, element: AnyElement) -> None:
        tag = self._name(_split(element.name))
        attributes = "".join(f' {self._name(_split(name))}="{value.translate(_ESCAPES)}"' for name, value in element.attributes.items())
        self._parts.append(f"<{tag}{attributes}>")
        for each in element.content:
            if isinstance(each, str):
                self._parts.append(each.translate(_ESCAPES))
            else:
                self._any(each)
        self._parts.append(f"</{tag}>")

    def _name(self, name: tuple[str, str]) -> str:
        namespace, local = name
        if not namespace:
            return local
        return f"{self._prefixes.setdefault(namespace, f'n{len(self._prefixes)}')}:{local}"


def _split(name: str) -> tuple[str, str]:
    """(namespace, local name) of `{namespace}local`, as ElementTree writes it."""
    namespace, _, local = name.removeprefix("{").rpartition("}")
    return namespace, local


def _text(kind: shape.Simple, value: Any) -> str:
    if kind.type is bytes:
        return bytes(value).hex().upper() if kind.hex else base64.b64encode(value).decode()
    if kind.type is bool:
        return "true" if value else "false"
    return str(value).translate(_ESCAPES)


# ---- from XML


def from_xml(text: str, namespace: str) -> Message:
    """A document; `namespace` names the schema set."""
    root = _parsed(text)
    for kind in shape.roots(namespace):
        if shape.element(kind) == _split(root.tag):
            return _Reader(namespace).message(root, kind)
    raise XmlError(f"{root.tag}: no global element of {namespace}")


def element_from_xml(text: str, kind: shape.Kind, namespace: str) -> Value:
    """What a document holds whose only element has this type, whatever it is called."""
    return _Reader(namespace).value(_parsed(text), kind)


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
            if field.place == "attribute" and name in attributes:
                values[field.name] = self._simple(attributes.pop(name), field, element.tag)
            elif field.place == "text":
                values[field.name] = self._simple(element.text or "", field, element.tag)
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
                return field, _any(child)
        raise XmlError(f"{where}: {child.tag} does not belong there")

    def _simple(self, text: str, field: shape.Field, where: str) -> bool | int | str | bytes:
        assert isinstance(field.kind, shape.Simple)  # noqa: S101 an attribute or a text is
        return _parse(text, field.kind, f"{where}: {field.name}")


def _any(element: ET.Element) -> AnyElement:
    content: list[AnyElement | str] = [element.text] if element.text else []
    for child in element:
        content.append(_any(child))
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
