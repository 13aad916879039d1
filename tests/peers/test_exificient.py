"""Our EXI codec and EXIficient agree, octet by octet, on random messages of every schema set: its grammars are from the XSDs, ours are not."""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import wheel
from bench.exi import instances, shape, xml
from bench.exi.exificient import NO_XSD, ROOTS, XMLDSIG, Exificient, OracleError
from bench.fuzz import exi as fuzz
from bench.perf import exi as perf
from iso15118 import exi
from iso15118.exi.limits import MOST_EVENTS
from iso15118.exi.schema import XSD, XSI
from iso15118.messages import SETS
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import AnyElement, Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.messages.iso20 import dc

pytestmark = [pytest.mark.peer, pytest.mark.soak]

WHOLE = bool(os.environ.get("SOAK"))
COMMON, DC = "urn:iso:std:iso:15118:-20:CommonMessages", "urn:iso:std:iso:15118:-20:DC"
DOCUMENTS, FRAGMENTS = (2000, 2000) if WHOLE else (200, 100)


@pytest.fixture(scope="module")
def exificient(wheel_folder: Path) -> Iterator[Exificient]:
    with Exificient(wheel_folder) as oracle:
        yield oracle


def documents(count: int, seed: int) -> Iterator[tuple[str, str, Message]]:
    """(what, schema set, message): the sets in turn, and of each set its global elements in turn. Those of xmldsig are in one set only."""
    dice = random.Random(seed)
    own = {name: [each for each in shape.roots(name) if name == XMLDSIG or shape.namespace_of(each) != XMLDSIG] for name in ROOTS}
    for kinds in own.values():
        dice.shuffle(kinds)
    for number in range(count):
        namespace = tuple(ROOTS)[number % len(ROOTS)]
        kind = own[namespace][number // len(ROOTS) % len(own[namespace])]
        yield f"{namespace} {kind.__name__} {number}", namespace, instances.instance(kind, random.Random(seed + number), namespace)


def anywhere(message: Message, true: Callable[[Message], bool]) -> bool:
    """Of the message, or of one in it."""
    if true(message):
        return True
    values = message.content if isinstance(message, AnyElement) else [getattr(message, field.name) for field in shape.fields(type(message))]
    inside = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    return any(isinstance(each, Message) and anywhere(each, true) for each in inside)


def long_way(message: Message) -> bool:
    return sum(1 for _ in xml.events(("", ""), type(message), message)) > MOST_EVENTS // 2


UNUSUAL = "what needs the long way is read to a bound of events (exi.limits.MOST_EVENTS)"
LEFT_OUT: dict[str, tuple[str, Callable[[Message], bool]]] = {
    "the same": (
        "what else is in a Transform may stand in any order, which a message does not keep",
        lambda message: anywhere(message, lambda each: isinstance(each, ds.TransformType) and bool(each.XPath and each.any and each.text)),
    ),
    "octets": ("wildcards need the long way, which has a bound of events (exi.limits.MOST_EVENTS)", long_way),
    "hits": (UNUSUAL, long_way),
    "its": (UNUSUAL, long_way),
}
"""What is not looked at -> (why, of which messages)."""


def left_out(what: str, value: Any) -> bool:
    return isinstance(value, Message) and LEFT_OUT[what][1](value)


def compare(oracle: Exificient, namespace: str, message: Message, done: Counter[str]) -> Iterator[str]:
    """What differs."""
    text = xml.to_xml(message)
    octets = oracle.encode_events(xml.events(shape.element(type(message)), type(message), message), namespace)
    theirs = {"octets": octets, "its": oracle.encode(text, namespace), "hits": oracle.encode(text, namespace, hits=True)}
    done["empty values as ends"] += theirs["its"] != octets
    done["hits"] += theirs["hits"] != theirs["its"]
    missing = {what for what in LEFT_OUT if left_out(what, message)}
    done.update(f"left out: {what}" for what in missing)
    try:
        ours = exi.encode(message, namespace)
        if ours != octets and "the same" not in missing:
            yield f"ours {ours.hex()}, its {octets.hex()}"
        if xml.from_xml(oracle.decode(ours, namespace), namespace) != message:
            yield f"it reads ours otherwise: {ours.hex()}"
        for what in theirs.keys() - missing:
            if exi.decode(theirs[what], namespace) != message:
                yield f"ours reads its {what} otherwise: {theirs[what].hex()}"
        if exi.from_json(json.loads(json.dumps(exi.to_json(message))), namespace) != message:
            yield "by JSON it is another"
    except (exi.ExiError, OracleError, xml.XmlError) as error:
        yield f"{error}: its {[each.hex() for each in theirs.values()]}"


def test_documents(exificient: Exificient) -> None:
    """Its octets are ours, each reads the other's, and ours reads its streams with string-table hits."""
    wrong, done = [], Counter[str]()
    for what, namespace, message in documents(DOCUMENTS, 15118):
        wrong += [f"{what}: {each}: {message!r}" for each in compare(exificient, namespace, message, done)]
    assert wrong == []
    assert done["hits"] >= DOCUMENTS // 10
    assert done["empty values as ends"] >= DOCUMENTS // 20
    assert sum(count for what, count in done.items() if what.startswith("left out")) <= DOCUMENTS // 2


def test_an_empty_value_beside_attributes(exificient: Exificient) -> None:
    """The end of the element where the schema has characters is an empty value, as canonical EXI has it; so it is without attributes."""
    message = ds.SignatureValueType(value=b"")
    assert exi.decode(exificient.encode(xml.to_xml(message), XMLDSIG), XMLDSIG) == message


def test_zero_where_anything_may_stand() -> None:
    message = ds.SignatureMethodType(Algorithm="a", HMACOutputLength=0)
    assert exi.decode(exi.encode(message, XMLDSIG), XMLDSIG) == message


def fragments(count: int, seed: int) -> Iterator[tuple[str, str, tuple[str, str], shape.Kind, Any]]:
    """(what, schema set, name, type, value): any element that a set declares, global or not; a name stands for one namespace."""
    namespaces = {name: Counter(local for _, local in {each[:2] for each in shape.declared(name)}) for name in ROOTS}
    for number in range(count):
        dice = random.Random(seed + number)
        namespace = tuple(ROOTS)[number % len(ROOTS)]
        uri, name, kind = dice.choice([each for each in shape.declared(namespace) if namespaces[namespace][each[1]] == 1])
        value = instances.value(kind, dice, namespace)
        yield f"{namespace} {name} {number}", namespace, (uri, name), kind, value


def test_fragments(exificient: Exificient) -> None:
    wrong = []
    for what, namespace, name, kind, value in fragments(FRAGMENTS, 70121):
        theirs = exificient.encode_events(xml.events(name, kind, value), namespace, fragment=True)
        try:
            ours = exi.encode_fragment(name[1], value, namespace)
            if ours != theirs and not left_out("the same", value):
                wrong.append(f"{what}: ours {ours.hex()}, its {theirs.hex()}: {value!r}")
            if xml.element_from_xml(exificient.decode(ours, namespace, fragment=True), kind, namespace) != value:
                wrong.append(f"{what}: it reads ours otherwise: {value!r}")
            if not left_out("octets", value) and exi.decode_fragment(theirs, namespace) != (name[1], value):
                wrong.append(f"{what}: ours reads its otherwise: {exi.decode_fragment(theirs, namespace)} {value!r}")
        except (exi.ExiError, OracleError, xml.XmlError) as error:
            wrong.append(f"{what}: {error}: its {theirs.hex()}: {value!r}")
    assert wrong == []


PREFIXES = f'xmlns:xsi="{XSI}" xmlns:xs="{XSD}"'
TYPES = f'xmlns:t="{ct.NAMESPACE}"'
RATIONAL = ct.RationalNumberType(Exponent=0, Value=40)
HEADER = ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1)


@pytest.mark.parametrize(
    ("element", "name", "refused"),
    [
        *(("Value", f"xs:{name}", "") for name in ("byte", "short", "int", "long", "integer", "unsignedByte", "unsignedShort")),
        *(("EVSEID", f"xs:{name}", "") for name in ("string", "token", "NMTOKEN", "language", "ID", "anyURI")),
        ("EVSEID", "t:meterIDType", ""),
        ("SessionID", "xs:hexBinary", ""),
        ("ResponseCode", "xs:string", ""),
        ("Value", "xs:string", "string has no values of the type that is declared"),
        ("EVSEID", "xs:int", "int has no values of the type that is declared"),
        ("EVSEID", "t:processingType", "'DE' is not one of Finished"),
    ],
)
def test_a_simple_type_that_is_named(exificient: Exificient, element: str, name: str, refused: str) -> None:
    """Its octets are of the type that xsi:type names, whatever that is derived from; ours takes what are values of the declared one."""
    message: Message = cm.SessionSetupRes(Header=HEADER, ResponseCode="OK", EVSEID="DE")
    namespace = COMMON
    if element == "Value":
        message, namespace = dc.DC_PreChargeRes(Header=HEADER, ResponseCode="OK", EVSEPresentVoltage=RATIONAL), DC
    octets = exificient.encode(
        re.sub(f"(<[a-z0-9]*:{element})>", rf'\1 {PREFIXES} {TYPES} xsi:type="{name}">', xml.to_xml(message)), namespace
    )
    assert octets != exi.encode(message, namespace)
    if refused:
        with pytest.raises(exi.ExiError, match=refused):
            exi.decode(octets, namespace)
    else:
        assert exi.decode(octets, namespace) == message


KEY_NAME = AnyElement(name=f"{{{XMLDSIG}}}KeyName", attributes={}, content=("ab",))
DIGEST = AnyElement(name=f"{{{XMLDSIG}}}DigestValue", attributes={}, content=("AAEC",))
SPKI = ds.SPKIDataType(SPKISexp=(b"\0\1\2",))
TYPED = f"{{{XSI}}}type"


def foreign(*content: Message | str, type: str = "", k: str = "") -> AnyElement:
    attributes = {name: value for name, value in ((TYPED, type), ("{}k", k)) if value}
    return AnyElement(name="{urn:u}a", attributes=attributes, content=content)


@pytest.mark.parametrize(
    ("inside", "any_"),
    [
        ("<d:KeyName>ab</d:KeyName><d:KeyName>ab</d:KeyName>", (KEY_NAME, KEY_NAME)),
        ("<d:DigestValue>AAEC</d:DigestValue>", (DIGEST,)),
        ("<d:MgmtData>x</d:MgmtData>", (AnyElement(name=f"{{{XMLDSIG}}}MgmtData", attributes={}, content=("x",)),)),
        (
            "<u:a><d:KeyName>ab</d:KeyName>x<d:SPKIData><d:SPKISexp>AAEC</d:SPKISexp></d:SPKIData><d:KeyName>ab</d:KeyName></u:a>",
            (foreign(KEY_NAME, "x", SPKI, KEY_NAME),),
        ),
        ('<u:a xsi:type="xs:int">5</u:a>', (foreign("5", type=f"{{{XSD}}}int"),)),
        ('<u:a xsi:type="xs:boolean">true</u:a>', (foreign("true", type=f"{{{XSD}}}boolean"),)),
        ('<u:a xsi:type="d:DigestValueType">AAEC</u:a>', (foreign("AAEC", type=f"{{{XMLDSIG}}}DigestValueType"),)),
        ('<u:a xsi:type="u:b" k="v">5</u:a>', (foreign("5", type="{urn:u}b", k="v"),)),
        (
            '<u:a xsi:type="xs:int">5</u:a><u:a>5</u:a><u:a xsi:type="xs:int">6</u:a>',
            (
                foreign("5", type=f"{{{XSD}}}int"),
                foreign("5"),
                foreign("6", type=f"{{{XSD}}}int"),
            ),
        ),
    ],
)
def test_what_a_wildcard_lets_through(exificient: Exificient, inside: str, any_: tuple[Message, ...]) -> None:
    """What is declared is coded as declared, wherever it stands; xsi:type counts on an element that is not declared, too."""
    octets = exificient.encode(f'<d:Object xmlns:d="{XMLDSIG}" xmlns:u="urn:u" {PREFIXES}>{inside}</d:Object>', XMLDSIG)
    message = ds.ObjectType(any=any_)
    assert exi.decode(octets, XMLDSIG) == message
    assert exi.encode(message, XMLDSIG) == octets
    assert exi.from_json(json.loads(json.dumps(exi.to_json(message))), XMLDSIG) == message


@pytest.mark.parametrize("name", ["xs:decimal", "xs:date", "xs:anyType", "d:SPKIDataType"])
def test_a_type_that_is_not_read_where_nothing_is_declared(exificient: Exificient, name: str) -> None:
    text = f'<d:Object xmlns:d="{XMLDSIG}" {PREFIXES}><u:a xmlns:u="urn:u" xsi:type="{name}"/></d:Object>'
    with pytest.raises(exi.ExiError, match=f"xsi:type {name.partition(':')[2]} on an element that no schema declares: not read"):
        exi.decode(exificient.encode(text, XMLDSIG), XMLDSIG)


def test_the_golden_vectors_are_its(exificient: Exificient) -> None:
    """From the JSON beside them, by our XML: so the XML is right, whatever our codec does."""
    count = 0
    for row in fuzz.rows():
        if row["kind"] != "fragment":
            text = xml.to_xml(exi.from_json(row["json"], row["ns"]))
            assert exificient.encode(text, row["ns"]).hex() == row["exi_hex"], row["message"]
            count += 1
    assert count > 200


def test_the_oracle_refuses_in_words(exificient: Exificient) -> None:
    with pytest.raises(OracleError, match="Exception"):
        exificient.decode(b"\x80", XMLDSIG)
    with pytest.raises(OracleError, match="SAXParseException"):
        exificient.encode("<a>", XMLDSIG)
    with pytest.raises(OracleError, match="amendment 1"):
        exificient.encode("<a/>", next(iter(NO_XSD)))


def test_what_is_measured_beside_ours_answers(wheel_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its door for JSON, as the PyPI package calls it."""
    archive = wheel.jar(wheel_folder)
    monkeypatch.setattr(wheel, "jar", lambda _: archive)
    message = perf.messages()[0]
    with perf.exificient() as door:
        assert door is not None
        assert door.decode_us(message, 1) > 0
        assert door.encode_us(message, 1) > 0


def test_its_xml_is_valid(exificient: Exificient) -> None:
    """What the messages of these tests are is what the XSDs allow: so says the JDK's validator, where it can know."""
    # It tries anyURI as an address, wants IDs of other documents and schemas for what wildcards let through, and counts UTF-16 where XML counts characters.
    unknown = ("'anyURI'", "cvc-id", "wildcard is strict", "cvc-maxLength-valid", "cvc-length-valid")
    told = [(what, exificient.validate(xml.to_xml(message), namespace)) for what, namespace, message in documents(DOCUMENTS // 4, 20)]
    assert [each for each in told if each[1] and not any(words in each[1] for words in unknown)] == []
    assert sum(1 for _, words in told if not words) >= len(told) // 3
    assert "cvc-elt" in exificient.validate("<a/>", XMLDSIG)


def test_what_is_left_out_has_a_reason() -> None:
    assert ROOTS.keys() | NO_XSD.keys() == SETS.keys()
    assert ROOTS.keys().isdisjoint(NO_XSD)
    assert all(NO_XSD.values())
