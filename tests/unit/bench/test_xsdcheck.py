"""How the checker reads both sides: what it does not understand, or what contradicts itself, is told. (On real XSDs: tests/peers.)"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest

from bench.xsdcheck import ours, xsd
from bench.xsdcheck.compare import Intended, compare, unused
from bench.xsdcheck.model import Group, Leaf, Name, Part, Schema, Simple, leaves, plain
from iso15118.messages.declare import ATTRIBUTE, ID, REF, Length, Message, MessageMeta, Occurs, OneOf, Range, byte, string
from iso15118.messages.din import data_services


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


class HeadType(Message, element="Head"):
    _private: int


class OtherReferenceType(Message):
    Of: Annotated[HeadType, REF]


class NestedTupleType(Message):
    X: Annotated[tuple[tuple[byte, ...], ...], Occurs(1, 3)]


class LeftOverType(Message, content="(X) X"):
    X: byte


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
        (OtherReferenceType, "a reference to the element Head"),
        (NestedTupleType, "a tuple of other form"),
        (LeftOverType, "X is left over"),
        (TwoFacetsType, "no simple type"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_told(kind: type, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = declared(monkeypatch, **{kind.__name__: kind})
    assert told in fault


def test_a_type_is_mixed_by_its_field() -> None:
    found = ours.read(["xmldsig"])["http://www.w3.org/2000/09/xmldsig#"].types
    mixed = "CanonicalizationMethod SignatureMethod Transform DigestMethod KeyValue KeyInfo Object SignatureProperty"
    assert {name for name, each in found.items() if each.mixed} == {f"{name}Type" for name in mixed.split()}


def test_what_is_declared_twice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    again = MessageMeta("Again", (Message,), {"__annotations__": {}}, element="E", type_name="OtherType")
    twice = declared(monkeypatch, OtherType=OtherType, Again=again, Once=MessageMeta("Once", (Message,), {}, element="E", type_name="E"))
    assert "OtherType: declared twice" in twice
    assert "E: declared twice" in twice


def test_a_declaration_that_does_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert declared(monkeypatch, OtherType=OtherType, HeadType=HeadType, xType=Annotated[int, Range(0, 1)]) == []


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


def test_modules_of_a_namespace_have_its_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_services, "QUALIFIED_ATTRIBUTES", True, raising=False)
    (schema,) = ours.read(["din.msg_data_types", "din.data_services"]).values()
    assert schema.faults == [("schema", "din.data_services has other forms than din.msg_data_types")]


# ---- the XSDs' side

HEAD = '<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:x="urn:x" xmlns:y="urn:y" targetNamespace="urn:x">'


def written(folder: Path, text: str) -> Schema:
    """What is read of an XSD with this in it."""
    (folder / "x.xsd").write_text(f"{HEAD}{text}</schema>")
    return xsd.read(folder)["urn:x"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('<group name="g"/>', "group at the top"),
        ('<complexType name="T"><all/></complexType>', "not understood: all of all"),
        ('<element name="E" type="x:T" nillable="true"/>', "element E: not understood: nillable"),
        ('<element name="E"/>', "E: an element without a type"),
        ('<element name="E" type="date"/>', "date: a built-in type that is not understood"),
        ('<element name="E" type="y:T"/>', "y:T: there is no XSD of urn:y"),
        ('<simpleType name="s"><list itemType="byte"/></simpleType>', "s: a simple type that is no restriction"),
        ('<simpleType name="s"><restriction base="x:T"/></simpleType>', "s: restricts what is no simple type"),
        ('<complexType name="T"><sequence><element ref="x:E"/></sequence></complexType>', "{urn:x}E: no such element"),
        ('<complexType name="T"><complexContent><restriction base="x:B"/></complexContent></complexType>', "otherwise than by extension"),
        ('<complexType name="T"><attribute name="a" type="byte" use="prohibited"/></complexType>', "attribute a is not understood"),
        ('<element name="E" type="x:T" abstract="true"/><complexType name="T"/>', "the element is abstract, its type is not"),
        ('<element name="E" type="byte" abstract="true"/>', "the element is abstract, its type is not"),
    ],
)
def test_what_is_not_understood_is_told(text: str, told: str, tmp_path: Path) -> None:
    assert told in "\n".join(what for _, what in written(tmp_path, text).faults)


def test_what_is_understood(tmp_path: Path) -> None:
    text = """
      <annotation><documentation>of no matter</documentation></annotation>
      <element name="E" type="x:T" abstract="true"/>
      <element name="S" type="byte"/>
      <complexType name="T" abstract="true"><sequence>
        <element name="A" maxOccurs="2"><simpleType><restriction base="string"><maxLength value="3"/></restriction></simpleType></element>
        <element name="B"><complexType><sequence/></complexType></element>
        <element ref="x:S" minOccurs="0"/>
      </sequence></complexType>"""
    schema = written(tmp_path, text)
    assert schema.faults == []
    assert schema.elements["S"].type == Simple("integer", -128, 127)
    assert schema.types["T"].abstract
    assert str(schema.types["T"].content) == "(A{1,2}, B, S?)"
    assert [str(each.name) for each in leaves(schema.types["T"].content)] == ["{}A", "{}B", "{urn:x}S"]
    assert [str(each.type) for each in leaves(schema.types["T"].content)] == ["text 0 to 3", "{urn:x}T/<B>", "integer -128 to 127"]


def test_another_root_is_no_xsd(tmp_path: Path) -> None:
    (tmp_path / "x.xsd").write_text("<x/>")
    with pytest.raises(xsd.XsdError, match=r"x\.xsd: no schema"):
        xsd.read(tmp_path)


def test_a_namespace_of_theirs_alone_and_a_row_that_stands_for_nothing(tmp_path: Path) -> None:
    theirs = {"urn:x": written(tmp_path, "")}
    (difference,) = compare(theirs, {}, ()).differences
    assert str(difference) == "urn:x schema: we have no declaration of it"
    row, stale = (Intended("urn:x", where, "we have no declaration", "a test") for where in ("schema", "elsewhere"))
    result = compare(theirs, {}, (stale, row))
    assert (result.differences, unused(result, (stale, row))) == ([], [stale])
