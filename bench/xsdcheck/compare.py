"""Every difference between XSDs and declarations, and the list of those that are meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.xsdcheck.model import Complex, Leaf, Part, Schema, Simple, Type, leaves
from iso15118.messages import SETS, SchemaSet


class Difference(NamedTuple):
    """What the XSD says, and what we say."""

    namespace: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.namespace} {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Intended:
    """A difference that is meant, and why. `where` "" stands for all of the namespace."""

    namespace: str
    where: str
    what: str
    """How the words of the difference begin."""
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Whether the difference is this one."""
        return self.namespace == difference.namespace and self.where in {"", difference.where} and difference.what.startswith(self.what)


NO_XSD = "there is no XSD of it"
_AMENDMENT = "the XSDs of Amendment 1 are in no package; put them into the folder, and they are compared"

INTENDED = (
    Intended("urn:iso:std:iso:15118:-20:AC-DER-IEC", "", NO_XSD, _AMENDMENT),
    Intended("urn:iso:std:iso:15118:-20:AC-DER-SAE", "", NO_XSD, _AMENDMENT),
)


@dataclass(slots=True)
class Result:
    """What came out, and how much was compared."""

    differences: list[Difference] = field(default_factory=list)
    intended: list[tuple[Difference, Intended]] = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)


def compare(theirs: Mapping[str, Schema], ours: Mapping[str, Schema], intended: tuple[Intended, ...] = INTENDED) -> Result:
    """All of it."""
    result = Result()
    for difference in _all(theirs, ours, result.compared):
        meant = next((each for each in intended if each.covers(difference)), None)
        if meant is None:
            result.differences.append(difference)
        else:
            result.intended.append((difference, meant))
    return result


def _all(theirs: Mapping[str, Schema], ours: Mapping[str, Schema], compared: Counter[str]) -> Iterator[Difference]:
    for namespace in sorted(theirs.keys() | ours.keys()):
        if namespace not in theirs:
            yield Difference(namespace, "schema", NO_XSD)
        elif namespace not in ours:
            yield Difference(namespace, "schema", "we have no declaration of it")
        else:
            compared["schemas"] += 1
            yield from _Schemas(theirs[namespace], ours[namespace], compared).differences()
        for side, of in (("XSD", theirs), ("ours", ours)):
            if namespace in of:
                yield from (Difference(namespace, where, f"{side}: {what}") for where, what in of[namespace].faults)
    for each in SETS.values():
        if each.namespace in theirs:
            yield from _set(each, theirs, ours)


def _set(it: SchemaSet, theirs: Mapping[str, Schema], ours: Mapping[str, Schema]) -> Iterator[Difference]:
    """The modules of a set are the documents that the root's document imports, one by the other."""
    reached, ahead = set[str](), [it.namespace]
    while ahead:
        namespace = ahead.pop()
        if namespace not in reached:
            reached.add(namespace)
            ahead.extend(theirs[namespace].imports if namespace in theirs else ())
    listed = {namespace for namespace in ours if ours[namespace].modules & set(it.modules)}
    for namespace in sorted(reached ^ listed):
        words = "is imported, and in no module of the set" if namespace in reached else "is in a module of the set, and not imported"
        yield Difference(it.namespace, "set", f"{namespace} {words}")


class _Schemas:
    def __init__(self, theirs: Schema, ours: Schema, compared: Counter[str]) -> None:
        self.theirs, self.ours, self.compared = theirs, ours, compared

    def tell(self, where: str, what: str, theirs: object = None, ours: object = None) -> Difference:
        words = what if theirs is ours is None else f"{what}: XSD {theirs}, ours {ours}"
        return Difference(self.theirs.namespace, where, words)

    def differences(self) -> Iterator[Difference]:
        if self.theirs.qualified != self.ours.qualified:
            yield self.tell("schema", "local elements have the namespace", self.theirs.qualified, self.ours.qualified)
        if self.theirs.qualified_attributes != self.ours.qualified_attributes:
            yield self.tell("schema", "attributes have the namespace", self.theirs.qualified_attributes, self.ours.qualified_attributes)
        for what in ("elements", "types", "simple"):
            theirs, ours = getattr(self.theirs, what), getattr(self.ours, what)
            noun = {"elements": "element", "types": "type", "simple": "simple type"}[what]
            yield from (self.tell(name, f"{noun} missing in ours") for name in sorted(theirs.keys() - ours.keys()))
            yield from (self.tell(name, f"{noun} only in ours") for name in sorted(ours.keys() - theirs.keys()))
        for name in sorted(self.theirs.elements.keys() & self.ours.elements.keys()):
            yield from self.element(name)
        for name in sorted(self.theirs.types.keys() & self.ours.types.keys()):
            self.compared["types"] += 1
            yield from self.complex_type(name, self.theirs.types[name], self.ours.types[name])
        for name in sorted(self.theirs.simple.keys() & self.ours.simple.keys()):
            self.compared["simple types"] += 1
            yield from self.type(name, "simple type", self.theirs.simple[name], self.ours.simple[name])

    def element(self, name: str) -> Iterator[Difference]:
        theirs, ours = self.theirs.elements[name], self.ours.elements[name]
        self.compared["global elements"] += 1
        yield from self.type(name, "type of the element", theirs.type, ours.type)
        self.compared["substitutions"] += theirs.head is not None
        if theirs.head != ours.head:
            yield self.tell(name, "substitutes", theirs.head, ours.head or "nothing")

    def type(self, where: str, what: str, theirs: Type | None, ours: Type | None) -> Iterator[Difference]:
        if isinstance(theirs, Simple):
            self.compared["facets"] += theirs.facets
        if theirs != ours:
            yield self.tell(where, what, theirs, ours)

    def complex_type(self, name: str, theirs: Complex, ours: Complex) -> Iterator[Difference]:
        self.compared["derivations"] += theirs.base is not None
        if theirs.base != ours.base:
            yield self.tell(name, "base", theirs.base or "none", ours.base or "none")
        for what in ("abstract", "mixed"):
            if getattr(theirs, what) != getattr(ours, what):
                yield self.tell(name, what, getattr(theirs, what), getattr(ours, what))
        yield from self.type(name, "text", theirs.text, ours.text)
        for attribute in sorted(theirs.attributes.keys() | ours.attributes.keys()):
            self.compared["attributes"] += attribute in theirs.attributes
            one, other = theirs.attributes.get(attribute), ours.attributes.get(attribute)
            if one is None or other is None:
                yield self.tell(name, f"attribute {attribute} {'only in ours' if one is None else 'missing in ours'}")
                continue
            yield from self.type(name, f"attribute {attribute}", one[0], other[0])
            if one[1] != other[1]:
                yield self.tell(name, f"attribute {attribute} is required", one[1], other[1])
        yield from self.content(name, theirs.content, ours.content)

    def content(self, name: str, theirs: Part, ours: Part) -> Iterator[Difference]:
        """Structure and bounds first, as text; then names and types element by element."""
        self.compared["particles"] += sum(1 for _ in leaves(theirs))
        if str(theirs) != str(ours):
            yield self.tell(name, "content", theirs, ours)
            known = {each.name.local: each for each in leaves(ours)}
            pairs = [(each, known[each.name.local]) for each in leaves(theirs) if each.name.local in known]
        else:
            pairs = list(zip(leaves(theirs), leaves(ours), strict=True))
        for one, other in pairs:
            yield from self.leaf(name, one, other)

    def leaf(self, owner: str, theirs: Leaf, ours: Leaf) -> Iterator[Difference]:
        yield from self.type(f"{owner}.{theirs.name.local}", "type", theirs.type, ours.type)
        if theirs.name != ours.name:
            yield self.tell(f"{owner}.{theirs.name.local}", "name", theirs.name, ours.name)


def unused(result: Result, intended: tuple[Intended, ...] = INTENDED) -> list[Intended]:
    """Rows that stand for nothing any more."""
    met = [each for _, each in result.intended]
    return [each for each in intended if each not in met]
