"""Random messages are what their declarations allow, reach everything that these allow, and are the same as XML."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.exi import instances, shape, xml
from iso15118.messages import SETS
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import AnyElement, Length, Message, Range
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.messages.iso2 import msg_def as md
from iso15118.messages.iso2 import msg_header as mh
from iso15118.messages.iso20 import common_types as ct
from iso15118.messages.iso20 import dc

ISO2 = "urn:iso:15118:2:2013:MsgDef"
DC = "urn:iso:std:iso:15118:-20:DC"
XMLDSIG = ds.NAMESPACE


def within(kind: shape.Simple, value: Any) -> bool:
    if kind.values:
        return value in kind.values
    if kind.type is int:
        least, most = kind.range
        return isinstance(value, int) and (least is None or value >= least) and (most is None or value <= most)
    if kind.type is bool:
        return isinstance(value, bool)
    return (
        isinstance(value, str | bytes)
        and isinstance(value, kind.type)
        and kind.length.least <= len(value) <= (instances.LONG if kind.length.most is None else kind.length.most)
    )


def check(message: Message, namespace: str) -> None:
    """Every field of it and below, by the declaration."""
    if isinstance(message, AnyElement):
        return
    assert not type(message)._abstract_
    chosen: Counter[tuple[type, str]] = Counter()
    for field in shape.fields(type(message)):
        value = getattr(message, field.name)
        values = value if field.many else () if value is None else (value,)
        assert isinstance(values, tuple)
        least, most = field.occurs
        assert least <= len(values) <= (instances.MANY + least if most is None else most), field
        if field.one_of:
            chosen[field.owner, field.one_of.name] += len(values)
            assert chosen[field.owner, field.one_of.name] <= 1
        for each in values:
            if isinstance(field.kind, shape.Simple):
                assert field.place == "mixed" or within(field.kind, each), (field, each)
            elif field.place == "any":
                check(each, namespace)
            else:
                assert type(each) in (shape.members(field.kind, namespace) if field.ref else (field.kind,))
                check(each, namespace)
    for field in shape.fields(type(message)):
        if field.one_of and not field.one_of.optional:
            assert chosen[field.owner, field.one_of.name] == 1


@pytest.mark.parametrize("namespace", SETS)
def test_all_of_a_set_is_valid_and_the_same_as_xml(namespace: str) -> None:
    for number, kind in enumerate(shape.roots(namespace)):
        for seed in range(4):
            message = instances.instance(kind, random.Random(1000 * number + seed), namespace)
            check(message, namespace)
            assert xml.from_xml(xml.to_xml(message), namespace) == message


def reached(message: Message, seen: Counter[str]) -> None:
    """What a message has in it: `Type`, `Type.field`, `Type.field=value` of enumerations."""
    seen[type(message).__name__] += 1
    if isinstance(message, AnyElement):
        return
    for field in shape.fields(type(message)):
        found = getattr(message, field.name)
        for each in found if field.many else (found,):
            if each is None:
                continue
            where = f"{type(message).__name__}.{field.name}"
            seen[where] += 1
            if isinstance(each, Message):
                reached(each, seen)
            elif isinstance(field.kind, shape.Simple) and field.kind.values:
                seen[f"{where}={each}"] += 1


@pytest.mark.parametrize("namespace", [ISO2, DC])
def test_everything_is_reached(namespace: str) -> None:
    """Every type, field, word of an enumeration and member of a substitution group that a document can have."""
    seen: Counter[str] = Counter()
    for number, kind in enumerate(shape.roots(namespace)):
        for seed in range(300 if kind._element_ == "V2G_Message" else 60):
            reached(instances.instance(kind, random.Random(5000 * number + seed), namespace), seen)
    wanted: set[str] = set()
    todo = list(shape.roots(namespace))
    done: set[type[Message]] = set()
    while todo:
        kind = todo.pop()
        if kind in done:
            continue
        done.add(kind)
        wanted.add(kind.__name__)
        for field in shape.fields(kind):
            wanted.add(f"{kind.__name__}.{field.name}")
            if isinstance(field.kind, shape.Simple):
                wanted |= {f"={value}" for value in field.kind.values}
            elif field.place != "any":
                todo += shape.members(field.kind, namespace) if field.ref else (field.kind,)
    assert len(wanted) > 300
    assert wanted - seen.keys() - {f"={each.partition('=')[2]}" for each in seen} == set()


def test_bounds_come_up() -> None:
    dice = random.Random(1)
    numbers = {instances.value(shape.Simple(int, Range(-3, 1000)), dice, ISO2) for _ in range(300)}
    assert {-3, -2, -1, 0, 999, 1000} <= numbers
    assert min(numbers) == -3
    assert max(numbers) == 1000
    wide = {instances.value(shape.Simple(int), dice, ISO2) for _ in range(300)}
    assert min(wide) < -(1 << 64)
    assert max(wide) > 1 << 64
    texts = [instances.value(shape.Simple(str, length=Length(0, 80)), dice, ISO2) for _ in range(400)]
    assert {0, 80} <= {len(each) for each in texts}
    assert {1, 2, 3, 4} <= {len(character.encode()) for each in texts for character in each}
    assert {len(instances.value(shape.Simple(bytes, length=Length(3, 9)), dice, ISO2)) for _ in range(200)} == set(range(3, 10))


def test_the_same_seed_is_the_same_message() -> None:
    assert instances.instance(dc.DC_ChargeLoopReq, random.Random(5), DC) == instances.instance(dc.DC_ChargeLoopReq, random.Random(5), DC)


@given(instances.messages(dc.DC_ChargeLoopReq, DC))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_hypothesis_draws_them(message: Message) -> None:
    assert isinstance(message, dc.DC_ChargeLoopReq)
    check(message, DC)


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_content_models_hold(data: st.DataObject) -> None:
    """Where a type's content is more than its fields."""
    draw = data.draw(instances.messages(ds.DSAKeyValueType, XMLDSIG))
    assert isinstance(draw, ds.DSAKeyValueType)
    assert (draw.P is None, draw.Seed is None) == (draw.Q is None, draw.PgenCounter is None)
    key = data.draw(instances.messages(ds.KeyValueType, XMLDSIG))
    assert isinstance(key, ds.KeyValueType)
    assert (key.DSAKeyValue is not None) + (key.RSAKeyValue is not None) + len(key.any) == 1


# ---- the shape of declarations


def test_substitution_goes_over_any_number_of_steps() -> None:
    found = {each.__name__ for each in shape.members(ct.CLReqControlModeType, DC)}
    assert found == {
        "Scheduled_DC_CLReqControlMode",
        "BPT_Scheduled_DC_CLReqControlMode",
        "Dynamic_DC_CLReqControlMode",
        "BPT_Dynamic_DC_CLReqControlMode",
    }
    assert ct.CLReqControlModeType not in shape.members(ct.CLReqControlModeType, DC)
    assert dc.DC_CPDReqEnergyTransferModeType in shape.members(dc.DC_CPDReqEnergyTransferModeType, DC)


def test_simple_types() -> None:
    kinds = {field.name: field.kind for each in (mh.MessageHeaderType, dt.DC_EVStatusType) for field in shape.fields(each)}
    assert kinds["SessionID"] == shape.Simple(bytes, length=Length(0, 8), hex=True)
    assert kinds["EVRESSSOC"] == shape.Simple(int, Range(0, 100))


# ---- XML


def message(body: mb.BodyBaseType) -> md.V2G_Message:
    return md.V2G_Message(Header=mh.MessageHeaderType(SessionID=b"\x0a"), Body=mb.BodyType(BodyElement=body))


def test_names_are_in_the_namespaces_of_their_schemas() -> None:
    text = xml.to_xml(message(mb.MeteringReceiptReq(Id="i", SessionID=b"", MeterInfo=dt.MeterInfoType(MeterID='<&\r\n\t">'))))
    assert text == (
        '<n0:V2G_Message xmlns:n0="urn:iso:15118:2:2013:MsgDef" xmlns:n1="urn:iso:15118:2:2013:MsgHeader"'
        ' xmlns:n2="urn:iso:15118:2:2013:MsgBody" xmlns:n3="urn:iso:15118:2:2013:MsgDataTypes">'
        "<n0:Header><n1:SessionID>0A</n1:SessionID></n0:Header><n0:Body>"
        '<n2:MeteringReceiptReq n2:Id="i"><n2:SessionID></n2:SessionID>'
        "<n2:MeterInfo><n3:MeterID>&lt;&amp;&#13;&#10;&#9;&quot;&gt;</n3:MeterID></n2:MeterInfo>"
        "</n2:MeteringReceiptReq></n0:Body></n0:V2G_Message>"
    )


HEADER = "<a:Header><h:SessionID>0A</h:SessionID></a:Header>"
START = (
    '<a:V2G_Message xmlns:a="urn:iso:15118:2:2013:MsgDef" xmlns:h="urn:iso:15118:2:2013:MsgHeader" xmlns:b="urn:iso:15118:2:2013:MsgBody"'
    ' xmlns:t="urn:iso:15118:2:2013:MsgDataTypes">'
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<a>", "no XML"),
        ("<a/>", "a: no global element of urn:iso:15118:2:2013:MsgDef"),
        (f"{START}{HEADER}</a:V2G_Message>", r"without \['Body'\]"),
        (f"{START}{HEADER}{HEADER}<a:Body/></a:V2G_Message>", "Header twice"),
        (f"{START}{HEADER}<a:Body x='1'/></a:V2G_Message>", r"unknown attributes \['x'\]"),
        (f"{START}{HEADER}<a:Body><b:Nothing/></a:Body></a:V2G_Message>", "Nothing does not belong there"),
        (f"{START}{HEADER.replace('0A', '0')}<a:Body/></a:V2G_Message>", "'0' is no bytes"),
        (
            f"{START}{HEADER}<a:Body><b:ServiceDetailReq><b:ServiceID>x</b:ServiceID></b:ServiceDetailReq></a:Body></a:V2G_Message>",
            "'x' is no int",
        ),
        (
            f"{START}{HEADER}<a:Body><b:SessionStopReq><b:ChargingSession>x</b:ChargingSession></b:SessionStopReq></a:Body></a:V2G_Message>",
            "'x' is none of its values",
        ),
    ],
)
def test_what_is_no_instance_is_told_in_words(text: str, words: str) -> None:
    with pytest.raises(xml.XmlError, match=words):
        xml.from_xml(text, ISO2)


def test_only_what_has_a_global_element_is_a_document() -> None:
    with pytest.raises(TypeError, match="BodyType has no global element"):
        xml.to_xml(mb.BodyType())
