"""`explain`: every bit is told once, right and broken streams alike, and nothing of a stream reaches a terminal as it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzz import exi as fuzz
from iso15118.exi import UnknownSet, encode_fragment
from iso15118.exi.errors import ExiError, printable
from iso15118.exi.explain import HEADING, Piece, explain, line, pieces
from iso15118.exi.limits import MOST_OCTETS
from iso15118.exi.options import COOKIE
from iso15118.messages import SETS
from iso15118.messages.declare import AnyElement
from iso15118.messages.xmldsig import CanonicalizationMethodType, TransformType
from tests.unit.iso15118.exi_surgery import bits_of, octets_of

SAP = "urn:iso:15118:2:2010:AppProtocol"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
REQUEST = bytes.fromhex("8000ebab9371d34b9b79d189a98989c1d191d191818999d26b9b3a232b30020000040040")
"""supportedAppProtocolReq: ISO 15118-2, version 2.0, SchemaID 1, priority 1."""
ROWS = fuzz.rows()


def checked(octets: bytes, namespace: str, *, fragment: bool = False) -> list[Piece]:
    """The pieces, once it is sure that they are the whole stream, in order."""
    found = pieces(octets, namespace, fragment=fragment)
    assert "".join(each.bits for each in found) == bits_of(octets)
    at = 0
    for each in found:
        if each.kind != "error":
            assert each.bit == at
        at += len(each.bits)
    assert all(each.words.isprintable() and each.value.isprintable() for each in found)
    assert all(text.isprintable() for text in explain(octets, namespace, fragment=fragment))
    return found


def test_a_message_line_by_line() -> None:
    assert explain(REQUEST, SAP) == [
        HEADING,
        "       0     8  10000000              EXI header: no options, version 1",
        "       8     2  00                    element supportedAppProtocolReq",
        "      10     1  0                       element AppProtocol",
        "      11     1  0                         element ProtocolNamespace",
        "      12     1  0                           content",
        "      13   224  0001110101110101011…        = 'urn:iso:15118:2:2013:MsgDef'  a text of 0 to 100 characters",
        "     237     1  0                         end of ProtocolNamespace",
        "     238     1  0                         element VersionNumberMajor",
        "     239     1  0                           content",
        "     240     8  00000010                    = 2  an integer from 0 to 4294967295",
        "     248     1  0                         end of VersionNumberMajor",
        "     249     1  0                         element VersionNumberMinor",
        "     250     1  0                           content",
        "     251     8  00000000                    = 0  an integer from 0 to 4294967295",
        "     259     1  0                         end of VersionNumberMinor",
        "     260     1  0                         element SchemaID",
        "     261     1  0                           content",
        "     262     8  00000001                    = 1  an integer from 0 to 255",
        "     270     1  0                         end of SchemaID",
        "     271     1  0                         element Priority",
        "     272     1  0                           content",
        "     273     5  00000                       = 1  an integer from 1 to 20",
        "     278     1  0                         end of Priority",
        "     279     1  0                       end of AppProtocol",
        "     280     2  01                    end of supportedAppProtocolReq",
        "     282     6  000000                padding",
    ]


def test_a_broken_message_says_where() -> None:
    """The priority's 5 bits say 21 where 20 is the most."""
    bits = bits_of(REQUEST)
    told = explain(octets_of(bits[:273] + "10100" + bits[278:]), SAP)
    assert told[-5:] == [
        ">    273     5  10100                       = 21  an integer from 1 to 20",
        "     278    10  0001000000            not read",
        "                                      21 is not an integer from 1 to 20",
        "                                      at bit 273: octet 34, its bit 1",
        "                                      in supportedAppProtocolReq/AppProtocol/Priority",
    ]


def test_what_was_expected_is_told() -> None:
    told = checked(octets_of("10000000" + "00" + "0" + "1" + "111"), SAP)
    assert [each.words for each in told if each.kind == "error"] == [
        "no event of code 1.7",
        "at bit 11: octet 1, its bit 3",
        "in supportedAppProtocolReq/AppProtocol",
        "expected SE(ProtocolNamespace)",
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['message']} {row['kind']}")
def test_every_bit_of_a_right_stream_is_told_once(row: dict[str, Any]) -> None:
    told = checked(bytes.fromhex(row["exi_hex"]), row["ns"], fragment=row["kind"] == "fragment")
    assert {each.kind for each in told} <= {"header", "event", "value", "padding"}
    assert not any(each.here for each in told)
    starts = [each for each in told if each.words.startswith("element ")]
    ends = [each for each in told if each.words.startswith("end of ") and each.words != "end of the fragment"]
    assert sorted((each.depth, each.words.split()[-1]) for each in starts) == sorted((each.depth, each.words.split()[-1]) for each in ends)


@pytest.mark.req("S-28")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_octets_at_all(data: st.DataObject) -> None:
    """Random ones, and right ones cut or with bits turned."""
    row = data.draw(st.sampled_from(ROWS))
    octets = bytearray.fromhex(row["exi_hex"])
    match data.draw(st.sampled_from(("random", "cut", "turned"))):
        case "random":
            octets = bytearray(data.draw(st.binary(max_size=64)))
        case "cut":
            octets = octets[: data.draw(st.integers(0, len(octets)))]
        case _:
            for at in data.draw(st.lists(st.integers(0, 8 * len(octets) - 1), max_size=4)):
                octets[at >> 3] ^= 1 << (at & 7)
    told = checked(bytes(octets), row["ns"], fragment=data.draw(st.booleans()))
    assert sum(each.here for each in told) <= 1
    errors = [each for each in told if each.kind == "error"]
    assert not errors or told[-len(errors) :] == errors


def test_a_hit_in_the_string_table() -> None:
    """The same text a second time, by its number: 8 bits of zero, and none for the only text there is."""
    told = pieces(REQUEST, SAP)
    start, end = (next(n for n, each in enumerate(told) if each.words == words) for words in ("element AppProtocol", "end of AppProtocol"))
    (value,) = [n for n, each in enumerate(told) if "MsgDef" in each.value]
    once = [each.bits for each in told]
    again = "".join(once[start + 1 : value]) + "00000000" + "".join(once[value + 1 : end + 1])
    doubled = checked(octets_of("".join(once[: end + 1]) + "00" + again + "01"), SAP)
    assert [each.value for each in doubled if "MsgDef" in each.value] == [
        "'urn:iso:15118:2:2013:MsgDef'",
        "'urn:iso:15118:2:2013:MsgDef' (local hit 0)",
    ]
    assert not any(each.kind == "error" for each in doubled)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (bits_of(COOKIE) + "10000000", "EXI header: the cookie $EXI, no options, version 1"),
        ("10100000" + "0" + "11", "EXI header: an options document, version 1"),
        (bits_of(COOKIE) + "10100000" + "0" + "11", "EXI header: the cookie $EXI, an options document, version 1"),
    ],
)
def test_what_a_header_has_in_it(header: str, words: str) -> None:
    told = checked(octets_of(header + bits_of(REQUEST)[8:]), SAP)
    assert (told[0].kind, told[0].bits, told[0].words, told[0].value) == ("header", header, words, "")
    assert not any(each.kind == "error" for each in told)


def test_what_stands_beside_the_schema() -> None:
    """xsi:nil="false" on an element, by the second level of event codes."""
    bits = bits_of(REQUEST)
    told = checked(octets_of(bits[:11] + "1" + "010" + "0" + bits[11:282]), SAP)
    at = next(n for n, each in enumerate(told) if each.words == "attribute xsi:nil")
    assert (told[at].bits, told[at + 1].bits, told[at + 1].value, told[at + 1].words) == ("1010", "0", "false", "")
    assert told[-1].kind == "padding"


def test_what_no_schema_declares() -> None:
    inner = AnyElement(name="{urn:y}Inner", attributes={"{}a": "1"}, content=("text",))
    method = CanonicalizationMethodType(Algorithm="x", any=(AnyElement(name="{urn:y}Outer", attributes={}, content=(inner,)),))
    told = checked(encode_fragment("CanonicalizationMethod", method, XMLDSIG), XMLDSIG, fragment=True)
    assert [(each.depth, each.words, each.value) for each in told[4:-3]] == [
        (1, "an element by its name", ""),
        (1, "element {urn:y}Outer", ""),
        (2, "element Inner", ""),
        (3, "attribute a", ""),
        (3, "", "'1'"),
        (3, "content", ""),
        (3, "", "'text'"),
        (2, "end of Inner", ""),
        (1, "end of Outer", ""),
    ]


def test_padding_and_what_is_behind() -> None:
    assert [each.words for each in checked(REQUEST + b"\0", SAP)[-2:]] == ["padding", "an octet of zeros behind the message"]
    told = checked(REQUEST + b"\1", SAP)
    assert (told[-3].kind, told[-3].bits, told[-3].here) == ("rest", "000000" + "00000001", True)
    assert told[-2].words == "1 octets are left over"


def test_texts_of_a_stream_move_no_cursor() -> None:
    octets = encode_fragment("Transform", TransformType(Algorithm="\x1b[2J\n\u202e", any=(), XPath=(), text=""), XMLDSIG)
    told = checked(octets, XMLDSIG, fragment=True)
    assert r"'\x1b[2J\n\u202e'" in [each.value for each in told]
    assert printable("a\x1b[0m\n\u202eb") == r"a\x1b[0m\n\u202eb"
    assert str(ExiError("no element \u202e\U000e0001", "\x1b")) == r"\x1b: no element \u202e\U000e0001"


def test_a_long_value_is_shortened_in_its_line_only() -> None:
    octets = encode_fragment("CanonicalizationMethod", CanonicalizationMethodType(Algorithm="x" * 500), XMLDSIG)
    (value,) = [each for each in checked(octets, XMLDSIG, fragment=True) if each.kind == "value"]
    assert value.value == repr("x" * 500)
    assert len(line(value)) < 200


def test_too_many_octets() -> None:
    told = checked(bytes(MOST_OCTETS + 1), SAP)
    assert [each.kind for each in told] == ["rest", "error", "error"]
    assert told[1].words == f"{MOST_OCTETS + 1} octets, {MOST_OCTETS} are allowed"


def test_no_octets() -> None:
    assert {each.kind for each in checked(b"", SAP)} == {"error"}


def test_only_the_sets_that_there_are() -> None:
    with pytest.raises(UnknownSet):
        explain(REQUEST, "urn:none")
    for namespace in SETS:
        assert explain(b"\x80", namespace)[0] == HEADING
