"""The grammar of a type: which events may come where, and their codes (EXI 1.0 section 8.5.4).

A type's content is an automaton over its particles. A state is a place in it: between two attributes, or behind a particle that has come so
and so often. Its productions are in the order of their event codes; one code more always leads to the second level, since our streams are not
strict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from iso15118.exi.schema import Element, Schema
from iso15118.exi.types import Field, fields_of
from iso15118.messages.declare import Message, defaults

Event = Literal["AT", "SE", "SE(*)", "EE", "CH", "CH(mixed)"]
_ORDER = {"AT": 0, "SE": 1, "SE(*)": 2, "EE": 3, "CH": 4, "CH(mixed)": 5}
"""Event codes of one state are given out in this order (EXI 8.5.4.3)."""


_NO_FIELD = Field("", "element", ("", ""), Message)
_NO_ELEMENT = Element(("", ""), Message)


class Production(NamedTuple):
    """One event that may come in a state. `to` is the place behind it, for `Content.state`."""

    event: Event
    to: int
    field: Field = _NO_FIELD
    element: Element = _NO_ELEMENT
    """Of SE: what comes."""

    def __str__(self) -> str:
        name = self.element.qname[1] or self.field.name
        return f"{self.event}({name})" if name and self.event in ("AT", "SE") else self.event


class State:
    """What may come at one place in the content of a type. `bits` is the width of the first part of an event code."""

    __slots__ = ("bits", "productions", "second")

    def __init__(self, productions: Iterable[Production], *, attributes: bool, start: bool = False) -> None:
        self.productions = tuple(sorted(productions, key=lambda each: _ORDER[each.event]))
        self.bits = len(self.productions).bit_length()
        events = [] if any(each.event == "EE" for each in self.productions) else ["EE"]
        if start:
            events += ["AT(xsi:type)", "AT(xsi:nil)"]
        if attributes:
            events += ["AT(*)", "AT(untyped)"]
        self.second = (*events, "SE(*)", "CH(untyped)")
        """The productions of the second level, by code. "AT(untyped)" has a third level. Undeclared attributes may come up to and with the beginning of the content, xsi:type and xsi:nil in the first state (EXI 8.5.4.4.1)."""

    def __str__(self) -> str:
        """For a person: what is expected there."""
        return " or ".join(str(each) for each in self.productions)


# ---- content as particles


class _Particle(NamedTuple):
    """A field in the content model, and how often it comes here; the tree's leaves."""

    field: Field
    least: int
    most: int | None


class _Group(NamedTuple):
    kind: Literal["sequence", "choice"]
    parts: tuple[_Particle | _Group, ...]
    least: int = 1
    many: bool = False


def _content(kind: type[Message]) -> _Group:
    """The particles of a type as its declaration orders them."""
    fields = [each for each in fields_of(kind) if each.kind in ("element", "any", "text")]
    if kind._content_:
        return _Dtd(kind._content_, {each.name: each for each in fields}).group()
    parts: list[_Particle | _Group] = []
    for each in fields:
        if (
            each.choice
            and parts
            and isinstance(last := parts[-1], _Group)
            and isinstance(last.parts[0], _Particle)
            and last.parts[0].field.choice == each.choice
        ):
            parts[-1] = _Group("choice", (*last.parts, _Particle(each, each.least, each.most)), last.least)
        elif each.choice:
            parts.append(_Group("choice", (_Particle(each, each.least, each.most),), 0 if each.choice_optional else 1))
        else:
            parts.append(_Particle(each, each.least, each.most))
    return _Group("sequence", tuple(parts))


class _Dtd:
    """Reads a content model in the notation of a DTD: `((P, Q)?, G?, Y)`. A name is one element, its count stands behind it."""

    def __init__(self, text: str, fields: dict[str, Field]) -> None:
        self.words, self.fields = _words(text), fields

    def group(self) -> _Group:
        part = self._part()
        return part if isinstance(part, _Group) else _Group("sequence", (part,))

    def _part(self) -> _Particle | _Group:
        word = self.words.pop(0)
        if word != "(":
            return self._counted(_Particle(self.fields[word], 1, 1))
        parts, kind = [self._part()], "sequence"
        while (word := self.words.pop(0)) != ")":
            kind = "choice" if word == "|" else "sequence"
            parts.append(self._part())
        return self._counted(_Group("choice" if kind == "choice" else "sequence", tuple(parts)))

    def _counted(self, part: _Particle | _Group) -> _Particle | _Group:
        if not self.words or self.words[0] not in "?*+":
            return part
        count = self.words.pop(0)
        inner = part.parts if isinstance(part, _Group) else (part,)
        kind = part.kind if isinstance(part, _Group) else "sequence"
        return _Group(kind, inner, 1 if count == "+" else 0, count != "?")


def _words(text: str) -> list[str]:
    for each in "(),|?*+":
        text = text.replace(each, f" {each} ")
    return text.split()


# ---- from particles to states


class _Place:
    """A leaf of the content. `follow`: what may follow it, as indices of places; `last`: the content may end behind it."""

    __slots__ = ("field", "follow", "last", "least", "most")

    def __init__(self, particle: _Particle) -> None:
        self.field, self.most = particle.field, particle.most
        self.least = max(particle.least, 1)
        self.follow: list[int] = []
        self.last = False


class Content:
    """The automaton of one type in one schema set. Places: -1 is the beginning of the content, -2 - n the place before attribute n."""

    def __init__(self, schema: Schema, kind: type[Message]) -> None:
        self.schema, self.kind, self.defaults = schema, kind, defaults(kind)
        fields = fields_of(kind)
        self.attributes = sorted((each for each in fields if each.kind == "attribute"), key=lambda each: each.qname[::-1])
        self.mixed = next((each for each in fields if each.kind == "mixed"), None)
        self._places: list[_Place] = []
        self._first, last, self._empty = self._walk(_content(kind))
        for place in last:
            self._places[place].last = True
        self._made: dict[tuple[int, int], State] = {}
        self.begin = -2 if self.attributes else -1
        """The place before everything."""

    def _walk(self, part: _Particle | _Group) -> tuple[list[int], list[int], bool]:
        """Glushkov's construction: first places, last places, whether the part may be empty."""
        if isinstance(part, _Particle):
            self._places.append(_Place(part))
            at = len(self._places) - 1
            return [at], [at], part.least == 0 and not part.field.choice
        first: list[int] = []
        last: list[int] = []
        empty = part.kind == "sequence"
        for each in part.parts:
            firsts, lasts, nothing = self._walk(each)
            if part.kind == "choice":
                first, last, empty = first + firsts, last + lasts, empty or nothing
                continue
            for place in last:
                self._places[place].follow += firsts
            first = first + firsts if empty else first
            last = last + lasts if nothing else lasts
            empty = empty and nothing
        if part.many:
            for place in last:
                self._places[place].follow += [each for each in first if each not in self._places[place].follow]
        return first, last, empty or part.least == 0

    def counted(self, place: int) -> tuple[int, int | None]:
        """How often the element at a place comes at least and at most."""
        each = self._places[place]
        return each.least, each.most

    def state(self, place: int, count: int = 0) -> State:
        """Behind the element at `place` that has come `count` times."""
        if place >= 0:
            least, most = self.counted(place)
            count = count if count <= least else least if most is None or count < most else most
        if (place, count) not in self._made:
            self._made[place, count] = self._state(place, count)
        return self._made[place, count]

    def _state(self, place: int, count: int) -> State:
        if place >= -1:
            return State(self._productions(place, count), attributes=place < 0, start=place == self.begin)
        number = -2 - place
        productions: list[Production] = []
        for at in range(number, len(self.attributes)):
            each = self.attributes[at]
            productions.append(Production("AT", -3 - at if at + 1 < len(self.attributes) else -1, each))
            if each.least:
                break
        else:
            productions += self._productions(-1, 0)
        return State(productions, attributes=True, start=number == 0)

    def _productions(self, place: int, count: int) -> Iterator[Production]:
        following, ends, again = self._first, self._empty, []
        if place >= 0:
            here = self._places[place]
            following, ends = here.follow, here.last
            if here.most is None or count < here.most:
                again = [place]
            if count < here.least:
                following, ends = [], False
        wildcard = False
        for at in sorted({*again, *following}):
            each = self._places[at].field
            if each.kind == "any":
                if not wildcard:
                    yield Production("SE(*)", at, each)
                wildcard = True
            elif each.kind == "text":
                yield Production("CH", at, each)
            else:
                for element in self.schema.branches(each):
                    yield Production("SE", at, each, element)
        if ends:
            yield Production("EE", -1)
        if self.mixed:
            yield Production("CH(mixed)", place, self.mixed)


SIMPLE_TEXT = State([Production("CH", 0)], attributes=True, start=True)
SIMPLE_END = State([Production("EE", 0)], attributes=False)
"""An element that holds a simple type: its text, then its end."""
