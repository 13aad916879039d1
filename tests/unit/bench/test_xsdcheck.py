"""How the checker reads declarations: what contradicts itself is told. (The XSDs' side: tests/peers/test_xsdcheck.py.)"""

import sys
from types import ModuleType
from typing import Annotated, Any

import pytest

from bench.xsdcheck import ours
from bench.xsdcheck.model import Group, Leaf, Name, Part, Schema, Simple, plain
from iso15118.messages.declare import ATTRIBUTE, ID, MIXED, REF, Length, Message, Occurs, OneOf, Range, byte, string


def declared(patch: pytest.MonkeyPatch, **names: Any) -> list[str]:
    """Faults of a module that declares these."""
    module = ModuleType("iso15118.messages.made_up")
    patch.setitem(sys.modules, module.__name__, module)
    for value in names.values():
        if isinstance(value, type):
            value.__module__ = module.__name__
    vars(module).update(names, NAMESPACE="urn:x")
    into = Schema("urn:x")
    ours._Reader(module, into).read()
    return [f"{where}: {what}" for where, what in into.faults]


class OtherType(Message):
    X: byte


class UnnamedType(Message, type_name="AnotherType"):
    X: byte


class NoDefaultType(Message):
    X: byte | None


class WrongDefaultType(Message):
    X: byte = ()  # type: ignore[assignment]


class NoOccursType(Message):
    X: tuple[byte, ...]


class EmptyListType(Message):
    X: Annotated[tuple[byte, ...], Occurs(1, 3)] = ()


class TwoTypesType(Message):
    X: byte | string | None = None


class NoElementType(Message):
    Other: Annotated[OtherType, REF]


class MustBeThereType(Message):
    X: Annotated[byte, OneOf("c")]
    Y: Annotated[byte, OneOf("c")] | None = None


class UnnotedType(Message, content="(X)"):
    X: byte
    Y: byte


class MisnotedType(Message, content="(X, Z)"):
    X: byte


class BothKindsType(Message, content="(X, Y | Z)"):
    X: byte
    Y: byte
    Z: byte


class NotMixedType(Message):
    text: Annotated[str, MIXED] = ""


class TwoFacetsType(Message):
    X: Annotated[ID, Length(2, 3), ATTRIBUTE]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (UnnamedType, "a class of another name"),
        (NoDefaultType, "what may be absent is None"),
        (WrongDefaultType, "what may be absent is None"),
        (NoOccursType, "a tuple has Occurs"),
        (EmptyListType, "a list has a default when it may be empty, and only then"),
        (TwoTypesType, "more than one type"),
        (NoElementType, "OtherType has no global element to refer to"),
        (MustBeThereType, "a member of the choice c must be there"),
        (UnnotedType, "fields that the content does not name: Y"),
        (MisnotedType, "Z is no field"),
        (BothKindsType, "a group of neither one kind nor the other"),
        (NotMixedType, "the class is not mixed"),
        (TwoFacetsType, "no simple type"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_told(kind: type, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = declared(monkeypatch, **{kind.__name__: kind})
    assert told in fault


def test_a_declaration_that_does_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert declared(monkeypatch, OtherType=OtherType, xType=Annotated[int, Range(0, 1)]) == []


def leaf(local: str, least: int = 1, most: int | None = 1) -> Leaf:
    return Leaf(Name("urn:x", local), Simple("boolean"), least, most)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        (Group((Group((leaf("A"), leaf("B"))),)), Group((leaf("A"), leaf("B")))),
        (Group((Group(), leaf("A"))), leaf("A")),
        (Group((leaf("A"),), choice=True, least=0, most=None), leaf("A", 0, None)),
        (Group((leaf("A", 0, 3),)), leaf("A", 0, 3)),
        (Group((leaf("A", 0, 3),), least=2, most=2), Group((leaf("A", 0, 3),), least=2, most=2)),
        (Group((Group((leaf("A"), leaf("B")), choice=True), leaf("C"))), Group((Group((leaf("A"), leaf("B")), choice=True), leaf("C")))),
        (Group((Group((leaf("A"), leaf("B")), least=0), leaf("C"))), Group((Group((leaf("A"), leaf("B")), least=0), leaf("C")))),
        (Group(choice=True), Group()),
    ],
)
def test_groups_that_say_nothing_go(written: Part, means: Part) -> None:
    assert plain(written) == means
