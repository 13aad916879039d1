"""Writes decoders: see `iso15118.exi.straight`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from iso15118.exi.schema import Element
from iso15118.exi.straight.help import LONG
from iso15118.exi.straight.items import Irregular, Item, Lines, is_open, items_of, next_required, width
from iso15118.exi.types import Field, Simple
from iso15118.messages.declare import Message, defaults

if TYPE_CHECKING:
    from iso15118.exi.straight import Straight

LOW = 1024
"""With fewer bits in the window, and more behind it, it is filled."""
MOST_BETWEEN = 960
"""Bits that are read at most from one look at the window to the next."""
WAS_FULL = MOST_BETWEEN


class Reading(Lines):
    """Writes the decoder of one type."""

    def __init__(self, straight: Straight, kind: type[Message]) -> None:
        super().__init__()
        self.straight, self.kind = straight, kind
        self._run: list[tuple[int, int | None, Callable[[str], None] | None]] = []
        self._since = 0

    def source(self, name: str) -> str:
        if self.kind._abstract_:
            raise Irregular(self.kind.__name__)
        self.put(f"if q and s < {LOW}: x, s, q = d.fill(x, s)")
        self.content(self.kind, "o")
        self.flush()
        self.put("return o, x, s, q")
        return f"def {name}(d, x, s, q):\n{self.text()}"

    # ---- runs of neighbouring bits

    def fixed(self, value: int, bits: int) -> None:
        self._run.append((bits, value, None))

    def take(self, bits: int, use: Callable[[str], None]) -> None:
        """These bits are a value; `use` writes what is done with it, given an expression."""
        self._run.append((bits, None, use))

    def flush(self) -> None:
        """Read the run: one shift, one comparison, then its values."""
        run, self._run = self._run, []
        bits = sum(each for each, _, _ in run)
        if not bits:
            return
        if self._since + bits > MOST_BETWEEN:
            self.look()
        self._since += bits
        mask = expected = 0
        at = bits
        for each, value, _ in run:
            at -= each
            if value is not None:
                mask |= ((1 << each) - 1) << at
                expected |= value << at
        if mask == (1 << bits) - 1:
            self.put(
                f"s -= {bits}", f"if x >> s & {mask} != {expected}: raise Unusual" if expected else f"if x >> s & {mask}: raise Unusual"
            )
            return
        self.put(f"s -= {bits}; w = x >> s & {(1 << bits) - 1}")
        if mask:
            self.put(f"if w & {mask} != {expected}: raise Unusual" if expected else f"if w & {mask}: raise Unusual")
        at = bits
        for each, _, use in run:
            at -= each
            if use is not None:
                shifted = f"w >> {at}" if at else "w"
                use(shifted if at + each == bits else f"{shifted} & {(1 << each) - 1}")

    def look(self) -> None:
        self.put(f"if q and s < {LOW}: x, s, q = d.fill(x, s)")
        self._since = 0

    # ---- content

    def content(self, kind: type[Message], o: str) -> None:
        """Everything in an element of this type, to its end."""
        straight = self.straight
        self.put(f"{o} = new(C{straight.numbers[kind]})")
        items = items_of(straight.schema, kind)
        given = defaults(kind)
        plain = [name for name, value in given.items() if value is None]
        if plain:
            self.put(" = ".join(f"{o}.{name}" for name in plain) + " = None")
        for name, value in given.items():
            if value is not None:
                self.put(f"{o}.{name} = {value!r}")
        if is_open(kind):
            code, bits = straight.end_of_open(kind, items)
            for each in items:
                self.fixed(0, 1)
                self.one(each.field, each.branches[0][1], self._store(o, each.field))
            self.fixed(code, bits)
            return
        self._sequence(items, o)

    def _sequence(self, items: Sequence[Item], o: str) -> None:
        at, c = 0, ""
        while True:
            item = items[at]
            if not item.least:
                c = self._optional(items, at, o, c)
                at = next_required(items, at)
                continue
            if item.size > 1:
                if not c:
                    c = self._code(items[at : at + 1])
                c = self._branches(items, at, o, c)
            else:
                if c:
                    if c != "0":
                        self.put(f"if {c}: raise Unusual")
                else:
                    self.fixed(0, 1)
                if not item.branches:
                    return
                c = self._one_or_many(items, at, o)
            at += 1

    def _code(self, items: Sequence[Item]) -> str:
        """Read an event code."""
        c = self.name("c")
        self.take(width(items), lambda e: self.put(f"{c} = {e}"))
        self.flush()
        return c

    def _optional(self, items: Sequence[Item], at: int, o: str, c: str) -> str:
        """Items that may be left out, up to the next that may not; gives the variable of that one's code, "0" when it is known to be right."""
        end = next_required(items, at)
        c = c or self._code(items[at : end + 1])
        skipped, several = sum(each.size for each in items[at:end]), items[end].size > 1
        with self.block(f"if {c} < {skipped}:" if several else f"if {c} != {skipped}:"):
            since = self._since
            for number in range(at, end):
                item = items[number]
                with self.block(f"if {c} < {item.size}:" if item.size > 1 else f"if not {c}:"):
                    after = self._branches(items, number, o, c) if item.size > 1 else self._one_or_many(items, number, o)
                    if after:
                        if after != c:
                            self.put(f"{c} = {after}")
                    elif number + 1 == end and not several:
                        self.fixed(0, 1)
                        self.flush()
                        self.put(f"{c} = 0")
                    else:
                        self.take(width(items[number + 1 : end + 1]), lambda e: self.put(f"{c} = {e}"))
                        self.flush()
                since = max(since, self._since)
                with self.block("else:"):
                    self.put(f"{c} -= {item.size}")
            if not several:
                self.put(f"if {c}: raise Unusual")
        self._since = WAS_FULL
        if several:
            with self.block("else:"):
                self.put(f"{c} -= {skipped}")
            return c
        return "0"

    def _branches(self, items: Sequence[Item], at: int, o: str, c: str) -> str:
        """A choice by its code; gives the variable of the next code where a list has read it."""
        item = items[at]
        if item.many:
            return self._many(items, at, o, c)
        for number, (field, element) in enumerate(item.branches):
            with self.block(f"{'el' if number else ''}if {c} == {number}:"):
                self.one(field, element, self._store(o, field))
                self.flush()
        with self.block("else:"):
            self.put("raise Unusual")
        self._since = WAS_FULL
        return ""

    def _one_or_many(self, items: Sequence[Item], at: int, o: str) -> str:
        item = items[at]
        if item.many:
            return self._many(items, at, o, "")
        self.one(item.field, item.branches[0][1], self._store(o, item.field))
        return ""

    def _many(self, items: Sequence[Item], at: int, o: str, first: str) -> str:
        """A list: after each element the code says whether another comes. Gives the variable of the code that ended it."""
        item = items[at]
        followers = items[at + 1 : next_required(items, at + 1) + 1]
        found, c = self.name("l"), self.name("c")
        self.flush()
        self.put(f"{found} = []; {found}_ = {found}.append")
        if first:
            self.put(f"{c} = {first}")
        with self.block("while True:"):
            self.look()
            self._since = 0
            if item.size > 1:
                for number, (field, element) in enumerate(item.branches):
                    with self.block(f"{'el' if number else ''}if {c} == {number}:"):
                        self.one(field, element, lambda e: self.put(f"{found}_({e})"))
                        self.flush()
                with self.block("else:"):
                    self.put("raise Unusual")
            else:
                self.one(item.field, item.branches[0][1], lambda e: self.put(f"{found}_({e})"))
                self.flush()
            self._since = WAS_FULL
            n = self.name("n")
            self.put(f"{n} = len({found})")
            if item.least > 1:
                with self.block(f"if {n} < {item.least}:"):
                    self.take(item.size.bit_length(), lambda e: self.put(f"{c} = {e}"))
                    self.flush()
                    self.put(f"if {c} >= {item.size}: raise Unusual", "continue")
            if item.field.most is not None:
                with self.block(f"if {n} == {item.most}:"):
                    self.take(width(followers), lambda e: self.put(f"{c} = {e}"))
                    self.flush()
                    self.put("break")
            else:
                self.put(f"if {n} > {item.most}: raise Unusual")
            self._since = WAS_FULL
            self.take(width((item, *followers)), lambda e: self.put(f"{c} = {e}"))
            self.flush()
            with self.block(f"if {c} >= {item.size}:"):
                self.put(f"{c} -= {item.size}", "break")
        self._since = WAS_FULL
        self.put(f"{o}.{item.field.name} = tuple({found})")
        return c

    def _store(self, o: str, field: Field) -> Callable[[str], None]:
        return lambda e: self.put(f"{o}.{field.name} = {e}")

    # ---- one element or attribute

    def one(self, field: Field, element: Element, store: Callable[[str], None]) -> None:
        """Its event code has been read."""
        value = element.value
        if isinstance(value, Simple):
            if field.kind == "element":
                self.fixed(0, 1)
            self.value(value, store)
            if field.kind == "element":
                self.fixed(0, 1)
        elif self.straight.small(value):
            o = self.name("o")
            self.content(value, o)
            store(o)
        elif value._abstract_:
            self.put("raise Unusual")
        else:
            self.flush()
            v = self.name("v")
            self.put(f"{v}, x, s, q = D{self.straight.number(value)}(d, x, s, q)")
            self._since = WAS_FULL
            store(v)

    def value(self, simple: Simple, store: Callable[[str], None]) -> None:
        """A value as its type codes it, held against its facets."""
        match simple.kind:
            case "bool":
                self.take(1, lambda e: store(f"({e}) != 0"))
            case "bits":
                self._n_bit(simple, store)
            case "enum":
                values = self.straight.constant(simple.values)
                if simple.bits:
                    self.take(simple.bits, lambda e: store(f"{values}[{e}]"))
                else:
                    store(f"{values}[0]")
            case "unsigned" | "signed":
                self._integer(simple, store)
            case _:
                self._long(simple, store)

    def _n_bit(self, simple: Simple, store: Callable[[str], None]) -> None:
        least, most = simple.least or 0, simple.most or 0
        if not simple.bits:
            store(str(least))
        elif most - least + 1 == 1 << simple.bits:
            self.take(simple.bits, lambda e: store(f"({e}) + {least}" if least else e))
        else:
            v = self.name("v")

            def use(e: str) -> None:
                self.put(f"{v} = {e}", f"if {v} > {most - least}: raise Unusual")
                store(f"{v} + {least}" if least else v)

            self.take(simple.bits, use)

    def _integer(self, simple: Simple, store: Callable[[str], None]) -> None:
        v, g = self.name("v"), self.name("g")
        signed = simple.kind == "signed"
        if signed:
            self.take(1, lambda e: self.put(f"{g} = {e}"))
        self.take(8, lambda e: self.put(f"{v} = {e}"))
        self.flush()
        if simple.most is None:
            self.look()
        self._more(v, big=simple.most is None)
        self._since += 640 if simple.most is None else 80
        if signed:
            self.put(f"if {g}: {v} = -1 - {v}")
        if simple.most is not None:
            self.put(
                f"if {v} > {simple.most}: raise Unusual"
                if (simple.least or 0) <= 0 <= simple.most and not signed
                else f"if not {simple.least} <= {v} <= {simple.most}: raise Unusual"
            )
        store(v)

    def _more(self, v: str, *, big: bool = False) -> None:
        """The groups behind the first one of an integer; the second stands here, since most have two."""
        with self.block(f"if {v} > 127:"):
            self.put(f"s -= 8; h = x >> s & 255; {v} = {v} & 127 | h << 7", f"if h > 127: {v}, s = {'big' if big else 'more'}(x, s, {v})")

    def _long(self, simple: Simple, store: Callable[[str], None]) -> None:
        """A text or octets."""
        least, most, text = simple.least or 0, simple.longest, simple.kind == "text"
        if not text and least == most and most <= 32:
            self.fixed(most, 8)
            self.take(8 * most, lambda e: store(f"({e}).to_bytes({most}, 'big')"))
            return
        n, v = self.name("n"), self.name("v")
        self.take(8, lambda e: self.put(f"{n} = {e}"))
        self.flush()
        self._more(n)
        low, high = (least + 2, most + 2) if text else (least, most)
        self.put(f"if {n} > {high}: raise Unusual" if not low else f"if not {low} <= {n} <= {high}: raise Unusual")
        cut = f"d.cut(s, {n} << 3) if q and {n} > {LONG} else " if not text and most > LONG else ""
        self.put(f"{v}, x, s, q = {cut}{'text' if text else 'octets'}(d, x, s, q, {n}{' - 2' if text else ''})")
        self._since = WAS_FULL
        store(v)
