"""Encoding step by step along the grammar: what `straight` does not take, and every error, with its path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iso15118.exi import text
from iso15118.exi.bits import BitWriter
from iso15118.exi.builtin import TYPE
from iso15118.exi.errors import ExiError
from iso15118.exi.grammar import Production, State
from iso15118.exi.limits import MOST_CHARACTERS, MOST_NAME, MOST_REPEATS
from iso15118.exi.schema import XSD, Value
from iso15118.exi.strings import write_value
from iso15118.exi.types import Field, QName, Simple, fields_of, namespace_of
from iso15118.exi.walk import HEADER, Grammars, Walk
from iso15118.messages.declare import AnyElement, Message

ANY_TEXT = Simple("text", 0, MOST_CHARACTERS)


class Encoder(Walk):
    """One message, written. Raises ExiError with its path for what the declaration does not allow."""

    def __init__(self, grammars: Grammars) -> None:
        super().__init__(grammars)
        self.out = BitWriter()

    def document(self, message: Message) -> bytes:
        """A document; the message's class has a global element."""
        return self._whole(lambda: self._document(message))

    def fragment(self, name: str, value: Any) -> bytes:
        """A fragment of the one element `name`, as signatures digest it."""
        return self._whole(lambda: self._fragment(name, value))

    def _whole(self, what: Callable[[], None]) -> bytes:
        try:
            self.out.write(HEADER, 8)
            what()
            return self.out.finish()
        except ExiError as error:
            raise ExiError(error.problem, error.path or "/".join(self.path), None, error.expected) from None
        except (AttributeError, TypeError) as error:
            raise ExiError(f"no message: {error}", "/".join(self.path)) from None

    def _document(self, message: Message) -> None:
        for code, element in enumerate(self.schema.elements.values()):
            if element.value is type(message):
                self.out.write(code, len(self.schema.elements).bit_length())
                with self.at(element.qname[1]):
                    self.complex_element(message)
                return
        raise ExiError(f"{type(message).__name__} has no global element in the set {self.schema.namespace}")

    def _fragment(self, name: str, value: Any) -> None:
        names = tuple(self.schema.declared)
        width = (len(names) + 1).bit_length()
        codes = [code for code, qname in enumerate(names) if qname[1] == name and _holds(self.schema.declared[qname], value)]
        if not codes:
            raise ExiError(f"no element {name} that holds a {type(value).__name__} in the set {self.schema.namespace}")
        values = self.schema.declared[names[codes[0]]]
        self.out.write(codes[0], width)
        with self.at(name):
            if len(values) > 1:
                self._relaxed(value, values)
            elif isinstance(values[0], Simple):
                self.simple_element(values[0], value)
            else:
                self.complex_element(value)
        self.out.write(len(names) + 1, width)

    def _relaxed(self, value: Any, values: tuple[Value, ...]) -> None:
        names, rest = tuple(self.schema.attributes), len(self.schema.declared) + 1
        width = (len(names) + 1 + rest + 2).bit_length()
        simple, body = next(each for each in values if _holds((each,), value)), value
        if isinstance(value, Message):
            for field in sorted(fields_of(type(value)), key=lambda each: each.qname[::-1]):
                if field.kind == "text":
                    simple, body = field.value, getattr(value, field.name)
                elif field.kind == "attribute" and (given := getattr(value, field.name)) is not None:
                    self._check(field.value, given, f"@{field.name}")
                    self.out.write(names.index(field.qname), width)
                    write_value(self.out, given)
        if not isinstance(simple, Simple):
            raise ExiError(f"a {type(value).__name__} holds more than text")
        if wrong := text.problem(simple, body):
            raise ExiError(wrong)
        self.out.write(len(names) + 1 + rest + 1, width)
        write_value(self.out, text.shown(simple, body))
        self.out.write(rest, (rest + 2).bit_length())

    # ---- elements

    def simple_element(self, simple: Simple, value: Any) -> None:
        """CH, value, EE."""
        self.out.write(0, 1)
        self.typed(simple, value)
        self.out.write(0, 1)

    def complex_element(self, message: Message, declared: type[Message] | None = None) -> None:
        """All of its content, to its end. Of another type than the element is declared with: xsi:type says so."""
        kind = type(message)
        if kind._abstract_:
            raise ExiError(f"{kind.__name__} is abstract")
        content = self.grammars.content(kind)
        if declared is not None and kind is not declared:
            start = self.grammars.content(declared)
            state = start.state(start.begin)
            self.out.write(len(state.productions), state.bits)
            self.out.write(state.second.index("AT(xsi:type)"), (len(state.second) - 1).bit_length())
            self.strings.write_qname(self.out, (namespace_of(kind), kind._type_))
        left = {field.name: _items(field, getattr(message, field.name)) for field in fields_of(kind)}
        place, count = content.begin, 0
        while True:
            state = content.state(place, count)
            code = self._choose(state, place, left)
            production = state.productions[code]
            self.out.write(code, state.bits)
            if production.event == "EE":
                break
            count = count + 1 if production.to == place else 1
            place = production.to
            self._give(production, left[production.field.name].pop(0))
        if over := [name for name, items in left.items() if items]:
            raise ExiError(f"{over[0]} has no place here beside the rest", expected="fewer of it")

    def _choose(self, state: State, place: int, left: dict[str, list[Any]]) -> int:
        """The production for what comes next: onward rather than around, and the end when nothing is left."""
        fallback = None
        for code, production in enumerate(state.productions):
            if production.event == "EE":
                if fallback is None and not any(left.values()):
                    return code
                continue
            items = left[production.field.name]
            if not items or not self._suits(production, items[0]):
                continue
            if production.to >= place or production.event in ("AT", "CH(mixed)"):
                return code
            fallback = code if fallback is None else fallback
        if fallback is not None:
            return fallback
        ends = next((code for code, production in enumerate(state.productions) if production.event == "EE"), None)
        if ends is None:
            wrong = next((each for each in state.productions if left.get(each.field.name)), None)
            if wrong is not None:
                raise ExiError(f"a {type(left[wrong.field.name][0]).__name__} as {wrong.field.name}", expected=str(state))
            raise ExiError("something is missing", expected=str(state))
        return ends

    @staticmethod
    def _suits(production: Production, item: Any) -> bool:
        value = production.element.value
        if production.event != "SE" or isinstance(value, Simple):
            return True
        return type(item) is value or (not production.field.ref and isinstance(item, value) and bool(type(item)._type_))

    def _give(self, production: Production, item: Any) -> None:
        field = production.field
        match production.event:
            case "SE":
                with self.at(production.element.qname[1]):
                    if isinstance(production.element.value, Simple):
                        self.simple_element(production.element.value, item)
                    else:
                        self.complex_element(item, production.element.value)
            case "SE(*)":
                qname = self._any_name(item)
                self.strings.write_qname(self.out, qname)
                self._any(qname, item)
            case "CH(mixed)":
                self._check(field.value, item, field.name)
                write_value(self.out, item)
            case _:
                with self.at(f"@{field.name}" if production.event == "AT" else field.name):
                    self.typed(field.value, item)

    def typed(self, simple: Any, value: Any) -> None:
        """A value as its type codes it."""
        if wrong := text.problem(simple, value):
            raise ExiError(wrong)
        match simple.kind:
            case "bool":
                self.out.write(int(value), 1)
            case "bits":
                self.out.write(value - simple.least, simple.bits)
            case "enum":
                self.out.write(simple.values.index(value), simple.bits)
            case "unsigned":
                self.out.unsigned(value)
            case "signed":
                self.out.write(int(value < 0), 1)
                self.out.unsigned(-value - 1 if value < 0 else value)
            case "binary":
                self.out.unsigned(len(value))
                self.out.octets(value)
            case _:
                write_value(self.out, value)

    def _check(self, simple: Any, value: Any, name: str) -> None:
        if wrong := text.problem(simple, value):
            with self.at(name):
                raise ExiError(wrong)

    def _any_name(self, item: Any) -> QName:
        """Of an element that may stand where anything may."""
        if not isinstance(item, Message):
            raise ExiError(f"a {type(item).__name__} in a wildcard", expected="a message or an AnyElement")
        if not isinstance(item, AnyElement):
            known = next((each.qname for each in self.schema.elements.values() if each.value is type(item)), None)
            if known is None:
                raise ExiError(f"{type(item).__name__} has no global element")
            return known
        qname = _split(item.name)
        if qname in self.schema.elements and isinstance(self.schema.elements[qname].value, type):
            raise ExiError(f"{item.name} is declared: give it as its own type")
        return qname

    def _any(self, qname: QName, item: Any) -> None:
        """What is in it, to its end."""
        with self.at(qname[1]):
            if not isinstance(item, AnyElement):
                self.complex_element(item)
            elif qname in self.schema.elements:
                self._shown(self.schema.elements[qname].value, item.content, item.attributes)
            else:
                self._built_in(qname, item)

    def _shown(self, simple: Any, content: tuple[Any, ...], attributes: Any = ()) -> None:
        """An element of simple type, given as text."""
        try:
            (found,) = content
            value = text.parsed(simple, found)
        except (ValueError, AttributeError):
            raise ExiError("not one text of its type", expected=str(simple)) from None
        if attributes:
            raise ExiError("an attribute of a simple type")
        self.simple_element(simple, value)

    def _built_in(self, qname: QName, item: AnyElement) -> None:
        rules = self.built_ins.rules(qname)
        names = {name: _split(name) for name in item.attributes}
        if len(set(names.values())) < len(names):
            raise ExiError("an attribute twice")
        for at, (name, value) in enumerate(item.attributes.items(), 1):
            self._check(ANY_TEXT, value, f"@{name}")
            self.built_ins.write(self.out, rules, ("AT", names[name]))
            if names[name] != TYPE:
                write_value(self.out, value)
                continue
            named = _split(value)
            self.strings.write_qname(self.out, named)
            if named in self.schema.simple_types:
                self._shown(self.schema.simple_types[named], item.content, tuple(item.attributes)[at:])
                return
            if named in self.schema.types or named[0] == XSD:
                raise ExiError(f"xsi:type {named[1]} on an element that no schema declares")
        for each in item.content:
            if isinstance(each, str):
                self._check(ANY_TEXT, each, "")
                self.built_ins.write(self.out, rules, ("CH", None))
                write_value(self.out, each)
            else:
                child = self._any_name(each)
                self.built_ins.write(self.out, rules, ("SE", child))
                self._any(child, each)
            rules.inside()
        self.built_ins.write(self.out, rules, ("EE", None))


def _items(field: Field, value: Any) -> list[Any]:
    if field.kind == "mixed":
        return [value] if value else []
    if field.many:
        if not isinstance(value, (tuple, list)):
            raise ExiError(f"{text.shortly(value)} as {field.name}", expected="a tuple")
        if len(value) > (field.most or MOST_REPEATS):
            raise ExiError(f"{len(value)} of {field.name}", expected=f"at most {field.most or MOST_REPEATS}")
        return list(value)
    return [] if value is None else [value]


def _holds(values: tuple[Value, ...], value: Any) -> bool:
    return any(not text.problem(each, value) if isinstance(each, Simple) else type(value) is each for each in values)


def _split(name: str) -> QName:
    if not isinstance(name, str):
        raise ExiError(f"{text.shortly(name)} is no name", expected="{namespace}local")
    uri, _, local = name[1:].partition("}") if name.startswith("{") else ("", "", name)
    if not 0 < len(local) <= MOST_NAME or len(uri) > MOST_NAME or text.problem(ANY_TEXT, name):
        raise ExiError(f"{text.shortly(name)} is no name", expected="{namespace}local")
    return uri, local
