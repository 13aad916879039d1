"""EXI streams that are as slow to read as the grammar allows: endless lists, hits in string tables, second-level events, wildcards in one another.

A forge walks the grammar of a schema set as an attacker would who knows it, and writes what its `Style` prefers in each state, until the octets are
used up. Then the stream is cut, or broken in its last bits: whatever the quick way has read by then is read again by the slow one.
"""

from __future__ import annotations

import base64
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from iso15118.exi import codec_of
from iso15118.exi.bits import BitWriter
from iso15118.exi.builtin import BuiltIns
from iso15118.exi.grammar import SIMPLE_END, SIMPLE_TEXT, State
from iso15118.exi.limits import MOST_BIG_INTEGER_OCTETS, MOST_CHARACTERS, MOST_DEPTH, MOST_REPEATS
from iso15118.exi.schema import XSI, Element
from iso15118.exi.strings import Strings, write_characters
from iso15118.exi.types import QName, Simple
from iso15118.messages.declare import Message

OCTETS = 64 * 1024
THREE_OCTETS = "\u20ac"
FAR = "\ufffd"
"""Needs three groups of 7 bits as a character."""


@dataclass(frozen=True, slots=True)
class Style:
    """What a forge prefers; each is a probability unless said otherwise."""

    optional: float = 1.0
    """An element that may be left out is there (decided once for each place in the grammar)."""
    again: float = 1.0
    """A list goes on."""
    text: str = "empty"
    """Texts are "empty", "ascii", "wide" (both as long as may be) or "hit" (the same long text again and again, by its number)."""
    first: str = FAR
    """What the texts that hits refer to are made of."""
    longest: int = MOST_CHARACTERS
    """Characters of such a text at most: many short ones reach other bounds than few long ones."""
    binary: str = "empty"
    """Octets are "empty" or "long"."""
    integer: str = "least"
    """Integers are "least" or "most" (as many groups as are read)."""
    second: float = 0.0
    """An event of the second level that changes nothing comes first, where one may."""
    untyped: float = 0.0
    """A value is written as text."""
    wild: float = 0.0
    """An element comes by a wildcard rather than by its declaration."""
    mixed: float = 0.0
    """Text in mixed content goes on."""
    deep: int = MOST_DEPTH - 1
    """Elements in elements at most."""


STYLES = {
    "tiny": Style(),
    "few": Style(optional=0.5),
    "ascii": Style(text="ascii", binary="long"),
    "wide": Style(text="wide", binary="long"),
    "integers": Style(integer="most"),
    "hits": Style(text="hit"),
    "short hits": Style(text="hit", longest=15),
    "hits with an ASCII text": Style(text="hit", first="x"),
    "hits of space": Style(text="hit", first=" ", second=0.5),
    "short hits of space": Style(text="hit", first=" ", second=0.8, longest=15),
    "second level": Style(second=0.8),
    "untyped": Style(untyped=1.0),
    "untyped hits": Style(untyped=1.0, text="hit", first="A"),
    "untyped hits of space": Style(untyped=1.0, text="hit", first=" ", second=0.8),
    "mixed": Style(mixed=0.999, text="hit"),
    "short mixed": Style(mixed=0.999, text="hit", longest=1),
    "mixed and tiny": Style(mixed=0.5),
    "wild": Style(wild=0.9),
    "wild and deep": Style(wild=0.5, again=0.7, mixed=0.3, deep=MOST_DEPTH - 1),
    "wild hits": Style(wild=0.7, text="hit", mixed=0.5),
    "short wild hits": Style(wild=0.7, text="hit", mixed=0.5, longest=15),
}


class Full(Exception):
    """The octets are used up."""


class Writer(BitWriter):
    """Stops when it has written enough."""

    __slots__ = ("left",)

    def __init__(self, octets: int) -> None:
        super().__init__()
        self.left = 8 * octets

    def write(self, value: int, bits: int) -> None:
        super().write(value, bits)
        self.left -= bits
        if self.left < 0:
            raise Full


class Forge:
    """One stream. `octets()` makes it."""

    def __init__(self, namespace: str, dice: random.Random, style: Style, size: int = OCTETS) -> None:
        self.codec = codec_of(namespace)
        self.schema = self.codec.schema
        self.dice, self.style, self.size = dice, style, size
        self.out = Writer(size)
        self.built_ins = BuiltIns(Strings(self.schema))
        self._wishes: dict[Any, bool] = {}
        self._texts: dict[str, int] = {}
        self._depth = 0

    def octets(self, root: str = "") -> bytes:
        """A document with this root, or any; cut where the size is reached."""
        elements = list(self.schema.elements.values())
        roots = [each for each in elements if isinstance(each.value, type) and not each.value._abstract_]
        element = next((each for each in roots if each.qname[1] == root), None) or self.dice.choice(roots)
        with suppress(Full):
            self.out.write(0x80, 8)
            self.out.write(elements.index(element), len(elements).bit_length())
            self._element(element)
        return self.out.finish()[: self.size]

    def fragment(self, name: str = "") -> bytes:
        """A fragment of this element, or any; one whose name has several types holds nothing but attributes."""
        names = list(self.schema.declared)
        qname = next((each for each in names if each[1] == name), None) or self.dice.choice(names)
        values = self.schema.declared[qname]
        with suppress(Full):
            self.out.write(0x80, 8)
            self.out.write(names.index(qname), (len(names) + 1).bit_length())
            if len(values) == 1:
                self._element(Element(qname, values[0]))
                self.out.write(len(names) + 1, (len(names) + 1).bit_length())
            else:
                self._attributes()
        return self.out.finish()[: self.size]

    def _attributes(self) -> None:
        """The same attribute again and again, in the grammar of EXI 8.5.3."""
        width = (len(self.schema.attributes) + len(self.schema.declared) + 4).bit_length()
        while True:
            self.out.write(0, width)
            self._text(self._long(MOST_CHARACTERS))

    # ---- elements

    def _wish(self, key: Any, likely: float) -> bool:
        """Decided once for each place of the grammar, so that a list's elements are alike."""
        if key not in self._wishes:
            self._wishes[key] = self.dice.random() < likely
        return self._wishes[key]

    def _element(self, element: Element) -> None:
        self._depth += 1
        if isinstance(element.value, Simple):
            self._simple(element.value)
        else:
            self._complex(element.value)
        self._depth -= 1

    def _simple(self, simple: Simple) -> None:
        self._second(SIMPLE_TEXT)
        if self.dice.random() < self.style.untyped:
            self._event(SIMPLE_TEXT, "CH(untyped)")
            self._text(self._untyped(simple))
        else:
            self.out.write(0, SIMPLE_TEXT.bits)
            self._value(simple)
        self._second(SIMPLE_END)
        self.out.write(0, SIMPLE_END.bits)

    def _complex(self, kind: type[Message]) -> None:
        content = self.codec.grammars.content(kind)
        place, count, seen = content.begin, 0, dict[str, int]()
        while True:
            state = content.state(place, count)
            self._second(state)
            code = self._choose(kind, place, state, seen)
            production = state.productions[code]
            self.out.write(code, state.bits)
            if production.event == "EE":
                return
            field = production.field
            seen[field.name] = seen.get(field.name, 0) + 1
            count = count + 1 if production.to == place else 1
            place = production.to
            if production.event == "SE":
                self._element(production.element)
            elif production.event == "SE(*)":
                self._any()
            elif production.event == "CH(mixed)":
                self._text(self._long(MOST_CHARACTERS))
            elif isinstance(field.value, Simple):
                self._value(field.value)
            else:
                raise TypeError(f"{kind.__name__}.{field.name}: an attribute or a text that is no simple type")

    def _choose(self, kind: type[Message], place: int, state: State, seen: dict[str, int]) -> int:
        """The code of the next event."""
        deep = self._depth >= self.style.deep
        end: int | None = None
        again: list[int] = []
        onward: list[tuple[int, bool]] = []
        for code, each in enumerate(state.productions):
            field = each.field
            if each.event == "EE":
                end = code
            elif each.event in {"CH(mixed)", "SE(*)"}:
                likely = self.style.mixed if each.event == "CH(mixed)" else 0.0 if deep else self.style.wild
                full = each.event == "SE(*)" and seen.get(field.name, 0) >= (field.most or MOST_REPEATS)
                if not full and self.dice.random() < likely:
                    return code
            elif field.many and seen.get(field.name, 0) >= (field.most or MOST_REPEATS):
                pass
            elif each.to == place:
                again.append(code)
            else:
                onward.append((code, self._wish((kind, each.to, str(each)), self.style.optional)))
        if end is not None and deep:
            return end
        if again and self.dice.random() < self.style.again:
            return self.dice.choice(again)
        liked = [code for code, wanted in onward if wanted]
        if liked:
            return liked[0] if self._wish((kind, place, "in order"), 0.7) else self.dice.choice(liked)
        if end is not None:
            return end
        return onward[-1][0] if onward else again[0] if again else 0

    # ---- the second level

    def _event(self, state: State, event: str) -> None:
        second = state.second
        self.out.write(len(state.productions), state.bits)
        self.out.write(second.index(event), (len(second) - 1).bit_length())

    def _second(self, state: State) -> None:
        while self.dice.random() < self.style.second:
            harmless = ["CH(untyped)"] if state is not SIMPLE_TEXT else []
            harmless += ["AT(xsi:nil)", "AT(*)"] if "AT(xsi:type)" in state.second else []
            if not harmless:
                return
            event = self.dice.choice(harmless)
            self._event(state, event)
            if event == "AT(xsi:nil)":
                self.out.write(0, 1)
            elif event == "AT(*)":
                self.built_ins.strings.write_qname(self.out, (XSI, "nil"))
                self._text(self._long(MOST_CHARACTERS))
            else:
                self._text(" " * self.style.longest if self.style.text == "hit" else " ")

    # ---- wildcards

    def _any(self) -> None:
        """A global element by a wildcard, or one that nobody declares."""
        if self._wish("declared", 0.5):
            element = self.dice.choice(
                [each for each in self.schema.elements.values() if isinstance(each.value, Simple) or not each.value._abstract_]
            )
            self.built_ins.strings.write_qname(self.out, element.qname)
            self._element(element)
        else:
            qname = self._foreign()
            self.built_ins.strings.write_qname(self.out, qname)
            self._built_in(qname)

    def _foreign(self) -> QName:
        uri = "urn:x" if self._wish("one namespace", 0.7) else f"urn:{self.dice.randrange(1000)}"
        return uri, "x" if self._wish("one name", 0.5) else f"x{self.dice.randrange(1 << 40):x}"

    def _built_in(self, qname: QName) -> None:
        self._depth += 1
        rules = self.built_ins.rules(qname)
        for _ in range(self.dice.randrange(4) if self.dice.random() < 0.9 else 4000):
            if self._wish("attributes", 0.3):
                name = self._foreign()
                self.built_ins.write(self.out, rules, ("AT", name))
                self._text(self._long(MOST_CHARACTERS) if self.style.text == "hit" else "")
        for _ in range(self.dice.randrange(1 if self._depth >= self.style.deep else 4)):
            name = self._foreign()
            self.built_ins.write(self.out, rules, ("SE", name))
            rules.inside()
            self._built_in(name)
        while self.dice.random() < self.style.mixed:
            self.built_ins.write(self.out, rules, ("CH", None))
            rules.inside()
            self._text(self._long(MOST_CHARACTERS))
        self.built_ins.write(self.out, rules, ("EE", None))
        self._depth -= 1

    # ---- values

    def _value(self, simple: Simple) -> None:
        match simple.kind:
            case "bool" | "bits" | "enum":
                self.out.write(0, simple.bits)
            case "unsigned" | "signed":
                self._integer(simple)
            case "binary":
                length = simple.longest if self.style.binary == "long" else simple.least or 0
                self.out.unsigned(length)
                self.out.octets(bytes(length))
            case _:
                least = simple.least or 0
                self._text("x" * least if self.style.text == "empty" else self._long(max(simple.longest, least)))

    def _integer(self, simple: Simple) -> None:
        most = simple.most if simple.most is not None else 1 << 7 * MOST_BIG_INTEGER_OCTETS - 1
        least = simple.least if simple.least is not None else -most
        value = most if self.style.integer == "most" else max(least, 0)
        if simple.kind == "signed":
            self.out.write(int(value < 0), 1)
        self.out.unsigned(value if value >= 0 else -1 - value)

    def _long(self, most: int) -> str:
        match self.style.text:
            case "empty":
                return ""
            case "ascii":
                return "x" * most
            case "wide":
                return THREE_OCTETS * most
            case _:
                return self.style.first * min(most, self.style.longest)

    def _untyped(self, simple: Simple) -> str:
        """A value of this type as text, with as much space as the rules of XML Schema take."""
        space = " " * max(self.style.longest - 100, 0) if self.style.text == "hit" else ""
        match simple.kind:
            case "bool":
                return space + "true"
            case "enum":
                return space + simple.values[0]
            case "binary":
                return self._spaced(simple)
            case "text":
                return "x" * (simple.least or 0) if self.style.text == "empty" else self._long(simple.longest)
            case _:
                return f"{space}{max(simple.least or 0, 0)}"

    def _spaced(self, simple: Simple) -> str:
        digits, octets = ("00", 1) if simple.hex else ("AAAA", 3)
        least, most = simple.least or 0, simple.longest
        if self.style.text != "hit":
            return "00" * least if simple.hex else base64.b64encode(bytes(least)).decode()
        if most // octets * octets < least:
            return base64.b64encode(bytes(least)).decode()
        plain = digits * min(most // octets, MOST_CHARACTERS // (2 * len(digits)))
        return " ".join(plain) if not simple.hex else plain

    def _text(self, text: str) -> None:
        """A string value: literal, or where the style says so a hit."""
        if self.style.text == "hit" and text in self._texts:
            self.out.unsigned(1)
            self.out.write(self._texts[text], (len(self._texts) - 1).bit_length())
            return
        self.out.unsigned(len(text) + 2)
        write_characters(self.out, text)
        if text:
            self._texts.setdefault(text, len(self._texts))
