"""Random valid messages, made from their declarations: every bound, choice, optional field and member of a substitution group comes up."""

from __future__ import annotations

import random
import re
from functools import cache
from itertools import product
from typing import Any

from hypothesis import strategies as st

from bench.exi import shape, xml
from iso15118.messages.declare import AnyElement, Length, Message

LONG = 300
"""Characters or octets where the schema has no bound, or a greater one."""
MANY = 5
"""Entries of a list, unless it is one of the full ones."""
FULL = 0.02
"""How many of the lists are full."""
ENTRIES = 3000
"""Entries of all full lists of a message."""
WIDE_BITS = 100
"""Of an integer without bounds."""

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/",
    " !\"#$%&'()*+,;<=>?@[\\]^`{|}~",
    "äöüßÀÿğŁÆøñçΩλЖ\u00a0\u07ff",
    "你好充电桩カナ\u0800\ud7ff\ue000\ufffd\u20ac\u2028",
    "\U00010000🔌🚗𝔘\U0010fffd",
)
"""ASCII, what XML has to escape, and where UTF-8 gets two, three and four octets."""
NAME_START, NAME = "abcXYZ_éΩ", "abcXYZ019-._éΩ"
FOREIGN = ("urn:example:one", "urn:example:two")
"""Namespaces of elements that wildcards let through: of no schema."""


def instance(kind: type[Message], dice: random.Random, namespace: str) -> Message:
    """A valid message of this type; `namespace` names the schema set, which is where members of substitution groups come from."""
    return _Maker(dice, namespace).message(kind)


def value(kind: shape.Kind, dice: random.Random, namespace: str) -> Any:
    """The same of any type."""
    return _Maker(dice, namespace).value(kind)


def messages(kind: type[Message], namespace: str) -> st.SearchStrategy[Message]:
    """The same for Hypothesis: it draws, and shrinks, the dice."""
    return st.randoms(use_true_random=False).map(lambda dice: instance(kind, dice, namespace))


class _Maker:
    """One message's dice. How likely an optional field is there is a matter of the message: some have none of them, some have all."""

    def __init__(self, dice: random.Random, namespace: str) -> None:
        self._dice = dice
        self._namespace = namespace
        self._likely = dice.choice((0.0, 0.25, 0.5, 0.75, 1.0))
        self._entries = ENTRIES
        self._names: set[str] = set()
        self._texts: list[str] = []
        self._inside = False

    def _chance(self, likely: float) -> bool:
        """False by the least draw, so that Hypothesis shrinks to what is not there."""
        return self._dice.random() >= 1.0 - likely

    def value(self, kind: shape.Kind) -> Any:
        if isinstance(kind, shape.Simple):
            return self._simple(kind)
        return self.message(kind)

    def message(self, kind: type[Message]) -> Message:
        counts = self._counts(kind)
        values = {field.name: self._field(field, counts[field.name]) for field in shape.fields(kind)}
        return kind(**values)

    def _field(self, field: shape.Field, count: int) -> Any:
        if field.place == "mixed":
            return self._text(Length(1, 20)) if self._chance(0.2) else ""
        made = tuple(self._entry(field) for _ in range(count))
        if field.many:
            return made
        return made[0] if made else None

    def _entry(self, field: shape.Field) -> Any:
        if field.place == "any":
            return self._wildcard(field)
        if field.ref and not isinstance(field.kind, shape.Simple):
            return self.message(self._dice.choice(shape.members(field.kind, self._namespace)))
        return self.value(field.kind)

    # ---- how often

    def _counts(self, kind: type[Message]) -> dict[str, int]:
        """How often each field is there. Where the content model says more than the fields do, it is one of the ways that it allows, rather a short one."""
        counts = {field.name: self._count(field) for field in shape.fields(kind)}
        self._choose(kind, counts)
        if kind._content_:
            ways = _ways(kind)
            counts |= ways[int(len(ways) * self._dice.random() ** 4)]
        return counts

    def _count(self, field: shape.Field) -> int:
        least, most = field.occurs
        dice = self._dice
        if field.place == "any":
            return dice.choice((0, 0, 0, 1, 2)) if field.many else 0
        if not field.many:
            return least or int(self._chance(self._likely))
        top = least + MANY if most is None else most
        if self._chance(FULL) and top <= self._entries:
            self._entries -= top
            return top
        return dice.choice((least, min(top, least + 1), dice.randint(least, min(top, max(MANY, least)))))

    def _choose(self, kind: type[Message], counts: dict[str, int]) -> None:
        """Of each choice, one is there."""
        groups: dict[tuple[type[Message], str], list[shape.Field]] = {}
        for field in shape.fields(kind):
            if field.one_of is not None:
                groups.setdefault((field.owner, field.one_of.name), []).append(field)
        for fields in groups.values():
            counts |= dict.fromkeys((field.name for field in fields), 0)
            if not (fields[0].one_of and fields[0].one_of.optional and not self._chance(self._likely)):
                counts[self._dice.choice(fields).name] = 1

    # ---- simple values

    def _simple(self, kind: shape.Simple) -> bool | int | str | bytes:
        if kind.values:
            return self._dice.choice(kind.values)
        if kind.type is bool:
            return self._chance(0.5)
        if kind.type is int:
            return self._integer(*kind.range)
        if kind.type is bytes:
            return bytes(self._dice.choice((0, 255, self._dice.randrange(256))) for _ in range(self._length(kind.length)))
        return self._text(kind.length)

    def _integer(self, least: int | None, most: int | None) -> int:
        dice = self._dice
        least = -(1 << WIDE_BITS) if least is None else least
        most = 1 << WIDE_BITS if most is None else most
        bits = dice.randrange(max(1, (most - least).bit_length()))
        near = (least, least + 1, most - 1, most, 0, -1, dice.randint(least, most), (1 << bits) - 1, 1 << bits, -(1 << bits))
        return min(most, max(least, dice.choice(near)))

    def _length(self, length: Length) -> int:
        top = LONG if length.most is None else length.most
        around = min(top, length.least + 20)
        return self._dice.choice(
            (length.least, around, self._dice.randint(length.least, around), self._dice.randint(length.least, around), top)
        )

    def _text(self, length: Length) -> str:
        """Where at least one character is wanted and no more is said, it is an ID and has to be a name.

        Some come again, which is what string tables are for. Blanks stand alone and inside: where the schema says anyURI, XML means the same by fewer of them, and a declaration says `str` for both.
        """
        if length == (1, None):
            return self._name()
        before = [each for each in self._texts if length.least <= len(each) <= (LONG if length.most is None else length.most)]
        if before and self._chance(0.3):
            return self._dice.choice(before)
        alphabets = self._dice.sample(ALPHABETS, self._dice.choice((1, 1, 2, len(ALPHABETS))))
        characters = "".join(alphabets)
        text = "".join(self._dice.choice(characters) for _ in range(self._length(length)))
        self._texts.append(re.sub("^ | $|(?<= ) ", "_", text))
        return self._texts[-1]

    def _name(self) -> str:
        """No two of a message are the same."""
        while True:
            name = self._dice.choice(NAME_START) + "".join(self._dice.choice(NAME) for _ in range(self._dice.choice((0, 3, 8, 40))))
            if name not in self._names:
                self._names.add(name)
                return name

    # ---- wildcards

    def _wildcard(self, field: shape.Field) -> Message:
        """Of no schema, or one of this set's elements; only one deep, since what is inside has wildcards as well."""
        if self._inside or not self._chance(0.5):
            return self._any(2)
        made = self._of_set("" if field.wildcard == "##any" else shape.namespace_of(field.owner))
        return made or self._any(2)

    def _of_set(self, but: str = "") -> Message | None:
        """One of this set's elements, of another namespace than `but`; None where there is none."""
        names: list[tuple[tuple[str, str], shape.Kind]] = [(shape.element(each), each) for each in shape.roots(self._namespace)]
        names = [each for each in (*names, *shape.simple_roots(self._namespace).items()) if each[0][0] != but]
        if not names:
            return None
        (uri, name), kind = self._dice.choice(names)
        self._inside = True
        try:
            if not isinstance(kind, shape.Simple):
                return self.message(kind)
            return AnyElement(name=f"{{{uri}}}{name}", attributes={}, content=(xml.text_of(kind, self._simple(kind)),))
        finally:
            self._inside = False

    def _any(self, depth: int) -> AnyElement:
        dice = self._dice
        names = {f"{{{dice.choice(FOREIGN)}}}{dice.choice('ab')}" for _ in range(dice.choice((0, 1, 2)))}
        attributes = {name: self._text(Length(0, 20)) for name in sorted(names, key=lambda each: (each[-1], each))}
        content: list[Message | str] = []
        for _ in range(dice.choice((0, 1, 2))):
            if not self._inside and self._chance(0.1) and (made := self._of_set()):
                content.append(made)
            elif depth and self._chance(0.5):
                content.append(self._any(depth - 1))
            elif not content or not isinstance(content[-1], str):
                content.append("x" + self._text(Length(0, 20)))
        return AnyElement(
            name=f"{{{dice.choice(FOREIGN)}}}{dice.choice(('thing', 'other'))}", attributes=attributes, content=tuple(content)
        )


@cache
def _ways(kind: type[Message]) -> list[dict[str, int]]:
    """How often the elements of a type may come together, two of each at most: the content model as a pattern, and what it matches."""
    pattern = re.compile(re.sub(r"[\s,]", "", re.sub(r"\w+", r"(?:\g<0>;)", kind._content_)))
    particles = [field for field in shape.fields(kind) if field.place in {"element", "any"}]
    names = [field.name for field in particles]
    every = (dict(zip(names, counts, strict=True)) for counts in product(*(range(3 if field.many else 2) for field in particles)))
    return sorted(
        (each for each in every if pattern.fullmatch("".join(f"{name};" * count for name, count in each.items()))),
        key=lambda each: sum(each.values()),
    )
