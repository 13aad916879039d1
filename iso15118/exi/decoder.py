"""Decoding step by step along the grammar: complete, and able to say where it stands.

It reads all that EXI allows here: string-table hits, second-level productions, wildcards, xsi:type and xsi:nil, mixed content. `straight` is the
quick way for what messages normally are; what that does not take is read here again, and every error is found here, with its place.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from iso15118.exi import text
from iso15118.exi.bits import BitReader
from iso15118.exi.builtin import TYPE, Rules
from iso15118.exi.errors import Ended, ExiError
from iso15118.exi.grammar import SIMPLE_END, SIMPLE_TEXT, Content, Production, State
from iso15118.exi.limits import MOST_BIG_INTEGER_OCTETS, MOST_CHARACTERS, MOST_EVENTS, MOST_INTEGER_OCTETS, MOST_REPEATS
from iso15118.exi.options import read_header
from iso15118.exi.schema import XSD, XSI, Value
from iso15118.exi.types import Field, QName, Simple, fields_of
from iso15118.exi.walk import Grammars, Walk
from iso15118.messages.declare import AnyElement, Message

Note = Callable[[int, int, str, str, str, Simple | None], None]
"""Told of each thing read: first bit, bit behind it, path, what it is, its value, and of a typed value its type."""

_ALIKE = {"bool": bool, "bits": int, "unsigned": int, "signed": int, "enum": str, "text": str, "binary": bytes}
"""What values of a kind are."""


class Decoder(Walk):
    """One stream, read. Raises ExiError with path and bit."""

    def __init__(self, grammars: Grammars, octets: bytes, note: Note | None = None, *, most_events: int = MOST_EVENTS) -> None:
        super().__init__(grammars)
        self.bits = BitReader(octets)
        self.note = note
        self.events, self.most_events = 0, most_events
        self.expected: State | Simple | Rules | str = "the options that the header announces"
        """What stands where we are, should the octets end there."""

    # ---- the whole

    def document(self) -> Message:
        """A document: one global element."""
        found: Message = self._whole(self._document, fragment=False)
        return found

    def fragment(self) -> tuple[str, Any]:
        """A fragment of one element: its name and what it holds."""
        found: tuple[str, Any] = self._whole(self._fragment, fragment=True)
        return found

    def _whole(self, what: Callable[[], Any], *, fragment: bool) -> Any:
        try:
            self._header(fragment=fragment)
            found = what()
            self.bits.check_end()
            return found
        except ExiError as error:
            bit = self.bits.pos if error.bit is None else error.bit
            expected = error.expected or (str(self.expected) if isinstance(error, Ended) else "")
            raise ExiError(error.problem, error.path or "/".join(self.path), bit, expected) from None

    def _header(self, *, fragment: bool) -> None:
        start = self.bits.pos
        options = read_header(self.bits)
        if options.fragment is not None and options.fragment != fragment:
            raise ExiError(f"the header says that this is {'a fragment' if options.fragment else 'a document'}", bit=start)
        self.strings.kept = options.values_kept
        if self.note:
            self._say(
                start,
                "EXI header",
                f"{'the cookie $EXI, ' if options.cookie else ''}{'an options document' if options.document else 'no options'}",
            )

    def _document(self) -> Message:
        elements = tuple(self.schema.elements.values())
        self.expected = "a global element"
        start, code = self.bits.pos, self.bits.read(len(elements).bit_length())
        if code >= len(elements):
            raise ExiError("the root element is none of the schema set", bit=start, expected="a global element")
        element = elements[code]
        self._say(start, f"SE({element.qname[1]})")
        with self.at(element.qname[1]):
            found = self.value(element.qname, element.value)
        if not isinstance(found, Message):
            raise ExiError(f"{element.qname[1]} holds a simple type: it is no message", bit=start)
        return found

    def _fragment(self) -> tuple[str, Any]:
        names = tuple(self.schema.declared)
        width = (len(names) + 1).bit_length()
        self.expected = "an element of the schema set"
        start, code = self.bits.pos, self.bits.read(width)
        if code >= len(names):
            raise ExiError("the fragment does not begin with an element of the schema set", bit=start)
        qname = names[code]
        self._say(start, f"SE({qname[1]})")
        with self.at(qname[1]):
            values = self.schema.declared[qname]
            found = self.value(qname, values[0]) if len(values) == 1 else self._relaxed(qname, values)
        self.expected = "ED"
        start, code = self.bits.pos, self.bits.read(width)
        if code != len(names) + 1:
            raise ExiError("something comes behind the fragment's element", bit=start, expected="ED")
        self._say(start, "ED")
        return qname[1], found

    # ---- elements

    def value(self, qname: QName, value: Value) -> Any:
        """The content of an element whose start has been read, to its end."""
        return self._simple_element(qname, value) if isinstance(value, Simple) else self._complex_element(qname, value)

    def _simple_element(self, qname: QName, simple: Simple) -> Any:
        named = simple
        while True:
            start, production, second = self._event(SIMPLE_TEXT)
            if production is not None:
                found = self.typed(qname, named)
                break
            match second:
                case "EE":
                    return self._of_declared(simple, named, self._parsed(named, "", self.bits.pos), self.bits.pos)
                case "CH(untyped)":
                    found = self._untyped(qname, named)
                    break
                case "AT(xsi:type)":
                    named = self._xsi_type_of_simple(start, named)
                case _:
                    self._skip(second, start, SIMPLE_TEXT)
        found = self._of_declared(simple, named, found, start)
        self._end(SIMPLE_END)
        return found

    @staticmethod
    def _of_declared(declared: Simple, named: Simple, found: Any, start: int) -> Any:
        """A value read by the type that the stream named has to be one of the declared type too."""
        if named is not declared and (wrong := text.problem(declared, found)):
            raise ExiError(wrong, bit=start)
        return found

    def _end(self, state: State) -> None:
        while True:
            start, production, second = self._event(state)
            if production is not None:
                return
            self._skip(second, start, state)

    def _complex_element(self, qname: QName, kind: type[Message]) -> Message:
        content = self.grammars.content(kind)
        place, count = content.begin, 0
        found: dict[str, Any] = {}
        while True:
            state = content.state(place, count)
            start, production, second = self._event(state)
            if production is None:
                if second == "EE":
                    self._no_text(state, found, start)
                    return self._made(content, found, start)
                if second == "AT(xsi:type)":
                    other = self._xsi_type(start, kind)
                    if other is not kind:
                        return self._complex_element(qname, other)
                elif second == "AT(untyped)":
                    place = self._untyped_attribute(state, found)
                else:
                    self._skip(second, start, state)
                continue
            if production.event == "EE":
                return self._made(content, found, start)
            count = count + 1 if production.to == place else 1
            self._take(production, qname, found, start)
            place = production.to

    def _no_text(self, state: State, found: dict[str, Any], start: int) -> None:
        """An element that ends at once: only where its content is a text that may be empty."""
        field = next((each.field for each in state.productions if each.event == "CH"), None)
        if field is None or not isinstance(field.value, Simple):
            raise ExiError("the element ends too early", bit=start, expected=str(state))
        found[field.name] = self._parsed(field.value, "", start)

    def _take(self, production: Production, qname: QName, found: dict[str, Any], start: int) -> None:
        """What one event of the content brings."""
        field = production.field
        match production.event:
            case "SE":
                element = production.element
                self.enter(element.qname[1])
                self._put(found, field, self.value(element.qname, element.value), start)
                self.path.pop()
            case "AT":
                self.enter(f"@{field.name}")
                self._put(found, field, self.typed(field.qname, field.value), start)
                self.path.pop()
            case "SE(*)":
                self._put(found, field, self._wildcard(), start)
            case "CH":
                self._put(found, field, self.typed(qname, field.value), start)
            case _:
                found[field.name] = found.get(field.name, "") + self._characters(qname)
                if len(found[field.name]) > MOST_CHARACTERS:
                    raise ExiError(f"more than {MOST_CHARACTERS} characters between the elements of {qname[1]}", bit=start)

    def _put(self, found: dict[str, Any], field: Field, value: Any, start: int) -> None:
        if not field.many:
            found[field.name] = value
            return
        items = found.setdefault(field.name, [])
        if len(items) >= (field.most or MOST_REPEATS):
            raise ExiError(f"more than {field.most or MOST_REPEATS} of {field.name}", bit=start)
        items.append(value)

    @staticmethod
    def _made(content: Content, found: dict[str, Any], start: int) -> Message:
        kind = content.kind
        if kind._abstract_:
            raise ExiError(f"{kind.__name__} is abstract", bit=start, expected="xsi:type or a member of the substitution group")
        made = kind.__new__(kind)
        for name, value in (content.defaults | found).items():
            setattr(made, name, tuple(value) if value.__class__ is list else value)
        return made

    # ---- events

    def _event(self, state: State) -> tuple[int, Production | None, str]:
        """The next event code: where it begins, its production, or the event of the second level."""
        self._count()
        self.expected = state
        start = self.bits.pos
        code = self.bits.read(state.bits)
        if code < len(state.productions):
            production = state.productions[code]
            if self.note:
                self._say(start, str(production))
            return start, production, ""
        if code > len(state.productions):
            raise ExiError(f"no event of code {code}", bit=start, expected=str(state))
        second = state.second
        code = self.bits.read((len(second) - 1).bit_length())
        if code >= len(second):
            raise ExiError(f"no event of code {len(state.productions)}.{code}", bit=start, expected=str(state))
        self._say(start, second[code])
        return start, None, second[code]

    def _count(self) -> None:
        self.events += 1
        if self.events > self.most_events:
            raise ExiError(
                f"broken, or coded in an unusual way, somewhere in or behind its first {self.most_events} events: read no further"
            )

    def _skip(self, event: str, start: int, state: State) -> None:
        """What the second level has beside the schema, and changes nothing: xsi attributes, and space between elements."""
        match event:
            case "AT(xsi:nil)":
                if self._boolean():
                    raise ExiError("xsi:nil: no element of these schemas may be nil", bit=start)
            case "AT(*)":
                qname = self._qname("the name of an attribute")
                self.expected = "a text"
                value, _ = self.strings.read_value(self.bits, qname, MOST_CHARACTERS)
                self._say(start, f"AT({qname[1]})", value)
                if qname[0] != XSI:
                    raise ExiError(f"the attribute {qname[1]} is not declared here", bit=start, expected=str(state))
            case "CH(untyped)":
                if self._characters(("", "")).strip(" \t\r\n"):
                    raise ExiError("text where only elements may be", bit=start, expected=str(state))
            case "AT(untyped)":
                raise ExiError("an undeclared attribute", bit=start, expected=str(state))
            case _:
                raise ExiError(f"{event} is not allowed here", bit=start, expected=str(state))

    def _xsi_type(self, start: int, kind: type[Message]) -> type[Message]:
        qname = self._read_type(start)
        other = self.schema.types.get(qname)
        if other is None or not issubclass(other, kind):
            raise ExiError(f"xsi:type {qname[1]} is not derived from {kind.__name__}", bit=start)
        return other

    def _xsi_type_of_simple(self, start: int, simple: Simple) -> Simple:
        """The type by whose rules the value is coded from here on (EXI 8.5.4.4). Whether the schema derives it nobody asks; its values have to be alike."""
        qname = self._read_type(start)
        other = self.schema.simple_types.get(qname)
        if other is None or _ALIKE[other.kind] != _ALIKE[simple.kind] or other.hex != simple.hex:
            raise ExiError(f"xsi:type {qname[1]} has no values of the type that is declared", bit=start, expected=str(simple))
        return other

    def _read_type(self, start: int) -> QName:
        qname = self._qname("the name of a type")
        self._say(start, "xsi:type", qname[1])
        return qname

    def _qname(self, what: str) -> QName:
        self.expected = what
        return self.strings.read_qname(self.bits)

    def _untyped_attribute(self, state: State, found: dict[str, Any]) -> int:
        """An attribute whose value was written as text; its number is the code's third part."""
        declared = [each for each in state.productions if each.event == "AT"]
        self.expected = "the number of an attribute"
        start, code = self.bits.pos, self.bits.read(len(declared).bit_length())
        if code >= len(declared):
            raise ExiError("an undeclared attribute", bit=start)
        field = declared[code].field
        with self.at(f"@{field.name}"):
            found[field.name] = self._untyped(field.qname, field.value)
        return declared[code].to

    # ---- values

    def typed(self, qname: QName, simple: Any) -> Any:
        """A value as its type codes it."""
        start = self.bits.pos
        self.expected = simple
        match simple.kind:
            case "bool":
                value: Any = bool(self.bits.read(1))
            case "bits":
                value = self.bits.read(simple.bits) + simple.least
            case "enum":
                code = self.bits.read(simple.bits)
                if code >= len(simple.values):
                    raise ExiError(f"no value of number {code}", bit=start, expected=str(simple))
                value = simple.values[code]
            case "unsigned":
                value = self.bits.unsigned(MOST_INTEGER_OCTETS if simple.most is not None else MOST_BIG_INTEGER_OCTETS)
            case "signed":
                negative = self.bits.read(1)
                value = self.bits.unsigned(MOST_INTEGER_OCTETS if simple.most is not None else MOST_BIG_INTEGER_OCTETS)
                value = -value - 1 if negative else value
            case "binary":
                value = self._octets(simple)
            case _:
                value, how = self.strings.read_value(self.bits, qname, simple.longest)
                if self.note:
                    self._say(start, "value", repr(value) + (f" ({how})" if how else ""), simple)
                if not (simple.least or 0) <= len(value) <= simple.longest:
                    raise ExiError(text.problem(simple, value), bit=start)
                return value
        if self.note:
            self._say(start, "value", value.hex() if isinstance(value, bytes) else str(value), simple)
        if wrong := text.problem(simple, value):
            raise ExiError(wrong, bit=start)
        return value

    def _octets(self, simple: Simple) -> bytes:
        start, length = self.bits.pos, self.bits.unsigned(MOST_INTEGER_OCTETS)
        if length > simple.longest:
            raise ExiError(f"{length} octets", bit=start, expected=str(simple))
        return self.bits.octets(length)

    def _untyped(self, qname: QName, simple: Any) -> Any:
        start = self.bits.pos
        return self._parsed(simple, self._characters(qname), start)

    @staticmethod
    def _parsed(simple: Simple, found: str, start: int) -> Any:
        try:
            return text.parsed(simple, found)
        except ValueError as error:
            raise ExiError(str(error), bit=start) from None

    def _characters(self, qname: QName) -> str:
        start = self.bits.pos
        self.expected = "a text"
        value, how = self.strings.read_value(self.bits, qname, MOST_CHARACTERS)
        self._say(start, "text", repr(value) + (f" ({how})" if how else ""))
        return value

    def _boolean(self) -> bool:
        start = self.bits.pos
        self.expected = "true or false"
        value = bool(self.bits.read(1))
        self._say(start, "value", str(value).lower())
        return value

    # ---- what no schema declares

    def _wildcard(self) -> Message:
        """An element that a wildcard lets through: by its declaration where there is one, else by the built-in grammar."""
        start = self.bits.pos
        qname = self._qname("the name of an element")
        self._say(start, "name", joined(qname))
        with self.at(qname[1]):
            return self._any_element(qname)

    def _any_element(self, qname: QName) -> Message:
        element = self.schema.elements.get(qname)
        if element is None:
            return self._built_in(qname)
        if isinstance(element.value, type):
            return self._complex_element(qname, element.value)
        return AnyElement(name=joined(qname), attributes={}, content=(self._shown(qname, element.value),))

    def _shown(self, qname: QName, simple: Simple) -> str:
        """An element of simple type, as text."""
        return text.shown(simple, self._simple_element(qname, simple))

    def _built_in(self, qname: QName) -> AnyElement:
        """An element that no schema declares, to its end."""
        rules = self.built_ins.rules(qname)
        attributes: dict[str, str] = {}
        content: list[Message | str] = []
        while True:
            self._count()
            start, self.expected = self.bits.pos, rules
            event, name = self.built_ins.read(self.bits, rules)
            self._say(start, f"{event}({name[1]})" if name else event)
            if event == "EE":
                return AnyElement(name=joined(qname), attributes=attributes, content=tuple(content))
            if event == "AT" and name is not None:
                if joined(name) in attributes:
                    raise ExiError(f"the attribute {name[1]} comes twice", bit=start)
                if name == TYPE:
                    named = self._read_type(start)
                    attributes[joined(name)] = joined(named)
                    if named in self.schema.simple_types:
                        found = self._shown(qname, self.schema.simple_types[named])
                        return AnyElement(name=joined(qname), attributes=attributes, content=(found,))
                    if named in self.schema.types or named[0] == XSD:
                        raise ExiError(f"xsi:type {named[1]} on an element that no schema declares: not read", bit=start)
                    continue
                attributes[joined(name)] = self._characters(name)
                continue
            content.append(self._child(name) if name is not None else self._characters(qname))
            rules.inside()

    def _child(self, name: QName) -> Message:
        self.enter(name[1])
        found = self._any_element(name)
        self.path.pop()
        return found

    # ---- an element name with several types (EXI 8.5.3)

    def _relaxed(self, qname: QName, values: tuple[Value, ...]) -> Any:
        """The element-fragment grammar: attributes and text, untyped. What it holds is made of the first type that it fits."""
        attributes: dict[str, str] = {}
        found = ""
        rest = len(self.schema.declared) + 1  # SE of each name, SE(*)
        names = tuple(self.schema.attributes)
        before = len(names) + 1  # AT of each name, AT(*)
        while True:
            self._count()
            start, self.expected = self.bits.pos, "AT, CH or EE"
            code = self.bits.read((before + rest + 2).bit_length())
            if code < len(names) and names[code][1] in attributes:
                raise ExiError(f"the attribute {names[code][1]} comes twice", bit=start)
            if code < len(names):
                self._say(start, f"AT({names[code][1]})")
                attributes[names[code][1]] = self._characters(names[code])
                continue
            event = code - before - rest
            if event == 0:
                self._say(start, "EE")
                break
            if event == 1:
                self._say(start, "CH")
                found = self._characters(qname)
                self._relaxed_end(rest)
                break
            raise ExiError("only attributes and text are read here", bit=start, expected=self.expected)
        for value in values:
            made = _fitting(value, attributes, found)
            if made is not None:
                return made
        raise ExiError(f"{qname[1]} fits none of its {len(values)} types")

    def _relaxed_end(self, rest: int) -> None:
        self.expected = "EE"
        start, code = self.bits.pos, self.bits.read((rest + 2).bit_length())
        if code != rest:
            raise ExiError("only text is read here", bit=start, expected="EE")
        self._say(start, "EE")

    def _say(self, start: int, what: str, value: str = "", simple: Simple | None = None) -> None:
        if self.note:
            self.note(start, self.bits.pos, "/".join(self.path), what, value, simple)


def joined(qname: QName) -> str:
    """`{namespace}local`."""
    return f"{{{qname[0]}}}{qname[1]}"


def _fitting(value: Value, attributes: dict[str, str], found: str) -> Any:
    """A value of this type with these attributes and this text; None where they do not fit."""
    with suppress(ValueError):
        if isinstance(value, Simple):
            return None if attributes else text.parsed(value, found)
        fields = {each.name: each for each in fields_of(value)}
        body = next((each for each in fields.values() if each.kind == "text"), None)
        missing = any(each.least and each.name not in attributes for each in fields.values() if each.kind == "attribute")
        if body is not None and isinstance(body.value, Simple) and attributes.keys() <= fields.keys() and not missing:
            made = {
                name: text.parsed(simple, attributes[name])
                for name, each in fields.items()
                if name in attributes and isinstance(simple := each.value, Simple)
            }
            return value(**made, **{body.name: text.parsed(body.value, found)})
    return None
