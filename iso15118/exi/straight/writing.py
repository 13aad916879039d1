"""Writes encoders: see `iso15118.exi.straight`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iso15118.exi.limits import MOST_BIG_INTEGER_OCTETS
from iso15118.exi.schema import Element
from iso15118.exi.straight.items import Irregular, Item, Lines, is_open, items_of, next_required, width
from iso15118.exi.types import Field, Simple, fields_of
from iso15118.messages.declare import Message

if TYPE_CHECKING:
    from iso15118.exi.straight import Straight


class Writing(Lines):
    """Writes the encoder of one type."""

    def __init__(self, straight: Straight, kind: type[Message]) -> None:
        super().__init__()
        self.straight, self.kind = straight, kind
        self._run: list[tuple[int, str]] = []

    def source(self, name: str) -> str:
        if self.kind._abstract_:
            raise Irregular(self.kind.__name__)
        self.content(self.kind, "o")
        self.flush()
        self.put("return b")
        return f"def {name}(d, o, b):\n{self.text()}"

    def fixed(self, value: int, bits: int) -> None:
        self._run.append((bits, str(value)))

    def give(self, bits: int, expression: str) -> None:
        self._run.append((bits, expression))

    def flush(self) -> None:
        """Write the run: one shift."""
        run, self._run = self._run, []
        at = bits = sum(each for each, _ in run)
        constant, terms = 0, []
        for each, expression in run:
            at -= each
            if expression.isdigit():
                constant |= int(expression) << at
            else:
                terms.append(f"({expression}) << {at}" if at else f"({expression})")
        if constant:
            terms.append(str(constant))
        if bits:
            self.put(f"b = b << {bits}" + "".join(f" | {each}" for each in terms))

    def content(self, kind: type[Message], o: str) -> None:
        """Everything in an element of this type, to its end."""
        straight = self.straight
        items = items_of(straight.schema, kind)
        if is_open(kind):
            code, bits = straight.end_of_open(kind, items)
            rest = [each for each in fields_of(kind) if each.kind != "attribute"]
            there = " or ".join(
                f"{o}.{each.name}" if each.many or each.kind == "mixed" else f"{o}.{each.name} is not None" for each in rest
            )
            self.put(f"if {there}: raise Unusual")
            for each in items:
                self.fixed(0, 1)
                self.one(each.field, each.branches[0][1], f"{o}.{each.field.name}")
            self.fixed(code, bits)
            return
        self._sequence(items, o)

    def _sequence(self, items: Sequence[Item], o: str) -> None:
        """`dynamic`: the code of the next item lies in variables k (offset) and n (width), since it depends on what came before."""
        at, dynamic = 0, False
        while True:
            item = items[at]
            if not item.least:
                end = next_required(items, at)
                if not dynamic:
                    self.flush()
                    self._open_group(items, at, end, o)
                else:
                    for number in range(at, end):
                        self._if_there(items, number, end, o)
                at, dynamic = end, True
                continue
            if not item.branches:
                self._write_code("0", 1, dynamic)
                return
            if item.many:
                self._many(items, at, o, dynamic)
                dynamic = True
            else:
                self._required(items, at, o, dynamic)
                dynamic = False
            at += 1

    def _open_group(self, items: Sequence[Item], at: int, end: int, o: str) -> None:
        """Mostly nothing of it is there."""
        skipped = sum(each.size for each in items[at:end])
        nothing = " and ".join(
            f"not {o}.{name}" if item.many else f"{o}.{name} is None"
            for item in items[at:end]
            for name in dict.fromkeys(f.name for f, _ in item.branches)
        )
        with self.block(f"if {nothing}:"):
            self.put(f"k = {skipped}; n = {width(items[at : end + 1])}")
        with self.block("else:"):
            self.put(f"k = 0; n = {width(items[at : end + 1])}")
            for number in range(at, end):
                self._if_there(items, number, end, o)

    def _write_code(self, code: str, bits: int, dynamic: bool) -> None:
        if dynamic:
            self.flush()
            self.put("b = b << n | k" if code == "0" else f"b = b << n | k + {code}")
        else:
            self._run.append((bits, code))

    def _required(self, items: Sequence[Item], at: int, o: str, dynamic: bool) -> None:
        item = items[at]
        fields = list(dict.fromkeys(field for field, _ in item.branches))
        if item.size == 1:
            self._write_code("0", 1, dynamic)
            self.one(item.field, item.branches[0][1], f"{o}.{item.field.name}")
            return
        self.flush()
        self._among(item, fields, o, item.size.bit_length(), dynamic)

    def _among(self, item: Item, fields: Sequence[Field], o: str, bits: int, dynamic: bool) -> None:
        """A choice, or a member of a substitution group: by which field is there, and by class."""
        if len(fields) > 1:
            self.put("if " + " + ".join(f"({o}.{each.name} is not None)" for each in fields) + " != 1: raise Unusual")
        first = True
        for number, (field, element) in enumerate(item.branches):
            condition = (
                f"{o}.{field.name} is not None"
                if len(fields) > 1
                else f"{o}.{field.name}.__class__ is C{self.straight.number(element.value)}"
            )
            with self.block(f"{'' if first else 'el'}if {condition}:"):
                self._write_code(str(number), bits, dynamic)
                self.one(field, element, f"{o}.{field.name}")
                self.flush()
            first = False
        with self.block("else:"):
            self.put("raise Unusual")

    def _if_there(self, items: Sequence[Item], at: int, end: int, o: str) -> None:
        item = items[at]
        fields = list(dict.fromkeys(field for field, _ in item.branches))
        there = " or ".join(f"{o}.{each.name}" if item.many else f"{o}.{each.name} is not None" for each in fields)
        with self.block(f"if {there}:"):
            if item.many:
                self._many(items, at, o, dynamic=True)
            else:
                if item.size == 1:
                    self._write_code("0", 0, dynamic=True)
                    self.one(item.field, item.branches[0][1], f"{o}.{item.field.name}")
                    self.flush()
                else:
                    self._among(item, fields, o, 0, dynamic=True)
                self.put(f"k = 0; n = {width(items[at + 1 : end + 1])}")
        with self.block("else:"):
            self.put(f"k += {item.size}")

    def _many(self, items: Sequence[Item], at: int, o: str, dynamic: bool) -> None:
        item = items[at]
        followers = items[at + 1 : next_required(items, at + 1) + 1]
        found, each, rest = self.name("l"), self.name("v"), self.name("r")
        self.flush()
        self.put(
            f"{found} = {o}.{item.field.name}; {rest} = len({found})",
            f"if not {max(item.least, 1)} <= {rest} <= {item.most}: raise Unusual",
        )
        if not dynamic:
            self.put(f"k = 0; n = {item.size.bit_length()}")
        counted = item.least > 1
        if counted:
            self.put(f"{rest} = 0")
        with self.block(f"for {each} in {found}:"):
            self.put("if b > FULL: b = d.flush(b)")
            if item.size > 1:
                for number, (field, element) in enumerate(item.branches):
                    with self.block(f"{'el' if number else ''}if {each}.__class__ is C{self.straight.number(element.value)}:"):
                        self.put(f"b = b << n | k + {number}")
                        self.one(field, element, each)
                        self.flush()
                with self.block("else:"):
                    self.put("raise Unusual")
            else:
                self.put("b = b << n | k")
                self.one(item.field, item.branches[0][1], each)
                self.flush()
            within = width((item, *followers))
            if counted:
                self.put(f"{rest} += 1", f"k = 0; n = {within} if {rest} >= {item.least} else {item.size.bit_length()}")
            else:
                self.put(f"k = 0; n = {within}")
        if item.field.most is not None:
            with self.block(f"if len({found}) == {item.most}:"):
                self.put(f"n = {width(followers)}")
            with self.block("else:"):
                self.put(f"k = {item.size}")
        else:
            self.put(f"k = {item.size}")

    # ---- one element or attribute

    def one(self, field: Field, element: Element, expression: str) -> None:
        """Its event code has been written."""
        value = element.value
        if isinstance(value, Simple):
            if field.kind == "element":
                self.fixed(0, 1)
            self.value(value, expression)
            if field.kind == "element":
                self.fixed(0, 1)
            return
        number = self.straight.number(value)
        if value._abstract_:
            self.put("raise Unusual")
        elif self.straight.small(value):
            o = self.name("o")
            self.put(f"{o} = {expression}", f"if {o}.__class__ is not C{number}: raise Unusual")
            self.content(value, o)
        else:
            self.flush()
            o = self.name("o")
            self.put(f"{o} = {expression}", f"if {o}.__class__ is not C{number}: raise Unusual", f"b = W{number}(d, {o}, b)")

    def value(self, simple: Simple, expression: str) -> None:
        """A value as its type codes it, held against its facets. True is a 1 here, and 1 is true: to tell them apart takes up to 5 % of the time."""
        match simple.kind:
            case "bool":
                self.give(1, f"BOOL[{expression}]")
            case "bits":
                v = self.name("v")
                self.put(f"{v} = {expression}", f"if not {simple.least} <= {v} <= {simple.most}: raise Unusual")
                self.give(simple.bits, f"{v} - {simple.least}" if simple.least else v)
            case "enum":
                codes = self.straight.constant({each: code for code, each in enumerate(simple.values)})
                self.give(simple.bits, f"{codes}[{expression}]")
            case "unsigned" | "signed":
                self._integer(simple, expression)
            case _:
                self._long(simple, expression)

    def _integer(self, simple: Simple, expression: str) -> None:
        v = self.name("v")
        self.put(f"{v} = {expression}")
        if simple.most is not None:
            self.put(f"if not {simple.least} <= {v} <= {simple.most}: raise Unusual")
        else:
            self.put(f"if {v}.__class__ is not int or {v}.bit_length() > {7 * MOST_BIG_INTEGER_OCTETS}: raise Unusual")
        if simple.kind == "signed":
            g = self.name("g")
            self.put(f"{g} = 0")
            with self.block(f"if {v} < 0:"):
                self.put(f"{g} = 1; {v} = -1 - {v}")
            self.give(1, g)
        self.flush()
        self.put(f"b = b << 8 | {v} if {v} < 128 else more_out(b, {v})")

    def _long(self, simple: Simple, expression: str) -> None:
        least, most, text = simple.least or 0, simple.longest, simple.kind == "text"
        v = self.name("v")
        self.put(f"{v} = {expression}")
        if not text and least == most and most <= 32:
            self.put(f"if {v}.__class__ is not bytes or len({v}) != {most}: raise Unusual")
            self.fixed(most, 8)
            self.give(8 * most, f"int.from_bytes({v}, 'big')")
            return
        self.flush()
        self.put(f"if not {least} <= len({v}) <= {most}: raise Unusual", f"b = {'text_out' if text else 'octets_out'}(d, b, {v})")
