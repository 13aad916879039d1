"""What EXI allows beside the schema's own events: second-level productions, string-table hits, headers with options."""

from __future__ import annotations

from typing import Any

import pytest

from iso15118.exi import ExiError, codec_of, from_json, to_json
from iso15118.exi.grammar import SIMPLE_END, SIMPLE_TEXT
from iso15118.exi.schema import XSD, XSI
from iso15118.messages import iso20
from iso15118.messages.declare import AnyElement
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.messages.iso20 import dc
from iso15118.messages.iso20.common_types import NAMESPACE as CT
from tests.unit.iso15118.exi_surgery import Bits, bits_of, cut, octets_of, places

DC = codec_of("urn:iso:std:iso:15118:-20:DC")
COMMON = codec_of("urn:iso:std:iso:15118:-20:CommonMessages")
HEADER = ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1)
LOOP = dc.DC_PreChargeReq(
    Header=HEADER,
    EVProcessing="Ongoing",
    EVPresentVoltage=ct.RationalNumberType(Exponent=0, Value=400),
    EVTargetVoltage=ct.RationalNumberType(Exponent=-1, Value=4001),
)
OCTETS = DC.encode(LOOP)
RATIONAL = DC.grammars.content(ct.RationalNumberType)
START = RATIONAL.state(RATIONAL.begin)
AFTER = RATIONAL.state(0, 1)


def behind(path: str, what: str) -> int:
    """The bit behind something of LOOP."""
    return next(each.end for each in places(DC, OCTETS) if each.path.endswith(path) and each.what == what)


def with_bits(at: int, bits: Bits) -> bytes:
    return cut(OCTETS, at, at, bits.text())


AT_START = behind("DC_PreChargeReq", "SE(EVPresentVoltage)")
"""The first state of a RationalNumberType."""


@pytest.mark.parametrize(
    "bits",
    [
        Bits().escape(START, "AT(xsi:type)").qname(DC, (CT, "RationalNumberType")),
        Bits().escape(START, "AT(*)").qname(DC, (XSI, "schemaLocation")).value("urn:x x.xsd"),
        Bits().escape(START, "CH(untyped)").value("\n    "),
    ],
    ids=["xsi:type", "xsi:schemaLocation", "space"],
)
@pytest.mark.req("S-28")
def test_what_changes_nothing_is_read_over(bits: Bits) -> None:
    assert DC.decode(with_bits(AT_START, bits)) == LOOP


def test_nil_may_be_said_to_be_false_and_nothing_else() -> None:
    yes, no = Bits().escape(START, "AT(xsi:nil)"), Bits().escape(START, "AT(xsi:nil)")
    yes.write(1, 1)
    no.write(0, 1)
    assert DC.decode(with_bits(AT_START, no)) == LOOP
    with pytest.raises(ExiError, match="nil"):
        DC.decode(with_bits(AT_START, yes))


def test_space_between_elements_is_read_over() -> None:
    at = behind("EVPresentVoltage/Exponent", "EE")
    assert DC.decode(with_bits(at, Bits().escape(AFTER, "CH(untyped)").value("\n"))) == LOOP
    with pytest.raises(ExiError, match="text where only elements"):
        DC.decode(with_bits(at, Bits().escape(AFTER, "CH(untyped)").value("400")))


@pytest.mark.parametrize(
    ("text", "value"), [("400", 400), (" +0400 ", 400), ("-32768", -32768), ("32768", None), ("4e2", None), ("", None), ("٤", None)]
)
def test_a_value_written_as_text_is_taken_by_the_rules_of_its_type(text: str, value: int | None) -> None:
    """CH(untyped) in an element of simple type."""
    found = places(DC, OCTETS)
    start = next(each.start for each in found if each.path.endswith("EVPresentVoltage/Value") and each.what == "CH")
    end = behind("EVPresentVoltage/Value", "value")
    octets = cut(OCTETS, start, end, Bits().escape(SIMPLE_TEXT, "CH(untyped)").value(text).text())
    if value is None:
        with pytest.raises(ExiError, match="is not an integer from -32768 to 32767") as error:
            DC.decode(octets)
        assert error.value.path == "DC_PreChargeReq/EVPresentVoltage/Value"
    else:
        message = DC.decode(octets)
        assert isinstance(message, dc.DC_PreChargeReq)
        assert message.EVPresentVoltage.Value == value


def test_an_empty_text_may_be_no_text_at_all() -> None:
    """An element of text that ends at once (second-level EE)."""
    message = cm.SessionSetupReq(Header=HEADER, EVCCID="")
    octets = COMMON.encode(message)
    found = places(COMMON, octets)
    start = next(each.start for each in found if each.path.endswith("EVCCID") and each.what == "CH")
    end = next(each.end for each in found if each.path.endswith("EVCCID") and each.what == "EE")
    assert COMMON.decode(cut(octets, start, end, Bits().escape(SIMPLE_TEXT, "EE").text())) == message


def test_an_attribute_may_be_written_as_text() -> None:
    chain = iso20.common_certificates.SignedCertificateChainType(Id="id1", Certificate=b"\x30")
    message = cm.CertificateInstallationReq(
        Header=HEADER,
        OEMProvisioningCertificateChain=chain,
        ListOfRootCertificateIDs=ct.ListOfRootCertificateIDsType(RootCertificateID=(_serial(),)),
        MaximumContractCertificateChains=1,
    )
    octets = COMMON.encode(message)
    content = COMMON.grammars.content(type(chain))
    found = places(COMMON, octets)
    (at,) = [each for each in found if each.what == "AT(Id)"]
    bits = Bits().escape(content.state(content.begin), "AT(untyped)")
    bits.write(0, 1)  # the first of one declared attribute, and AT(*)
    assert COMMON.decode(cut(octets, at.start, at.end, bits.text())) == message


def _serial() -> Any:
    from iso15118.messages import xmldsig as ds

    return ds.X509IssuerSerialType(X509IssuerName="CN=x", X509SerialNumber=7)


def test_a_type_may_be_named_where_another_is_declared() -> None:
    """xsi:type with a derived type; and the head of a substitution group, which is abstract, with a member's type."""
    head = DC.schema.members[ct.CLReqControlModeType]
    names = [each.qname[1] for each in head]
    mode = dc.Dynamic_DC_CLReqControlMode(
        **dict.fromkeys(
            (
                "EVTargetEnergyRequest", "EVMaximumEnergyRequest", "EVMinimumEnergyRequest", "EVMaximumChargePower", "EVMinimumChargePower",
                "EVMaximumChargeCurrent", "EVMaximumVoltage", "EVMinimumVoltage",
            ),
            ct.RationalNumberType(Exponent=0, Value=1),
        )  # type: ignore[arg-type]
    )  # fmt: skip
    message = dc.DC_ChargeLoopReq(
        Header=HEADER, MeterInfoRequested=False, EVPresentVoltage=ct.RationalNumberType(Exponent=0, Value=400), CLReqControlMode=mode
    )
    octets = DC.encode(message)
    (at,) = [each for each in places(DC, octets) if each.what == "SE(Dynamic_DC_CLReqControlMode)"]
    bits = Bits()
    bits.write(names.index("CLReqControlMode"), len(names).bit_length())
    abstract = DC.grammars.content(ct.CLReqControlModeType)
    bits.escape(abstract.state(-1), "AT(xsi:type)").qname(DC, (dc.NAMESPACE, "Dynamic_DC_CLReqControlModeType"))
    assert DC.decode(cut(octets, at.start, at.end, bits.text())) == message

    wrong = Bits()
    wrong.write(names.index("CLReqControlMode"), len(names).bit_length())
    wrong.escape(abstract.state(-1), "AT(xsi:type)").qname(DC, (CT, "RationalNumberType"))
    with pytest.raises(ExiError, match="RationalNumberType is not derived from CLReqControlModeType"):
        DC.decode(cut(octets, at.start, at.end, wrong.text()))


NAMED_AS = {
    "byte": "0" * 7 + "1",
    "unsignedByte": "10000001",
    "short": "0" + "10000001" + "00000001",
    "int": "0" + "10000001" + "00000001",
    "integer": "0" + "10000001" + "00000001",
    "nonNegativeInteger": "10000001" + "00000001",
}
"""129 and, as a byte, -127: by the rules of each type."""


@pytest.mark.parametrize("name", NAMED_AS)
def test_a_simple_type_may_be_named_and_is_coded_by_its_own_rules(name: str) -> None:
    found = places(DC, OCTETS)
    start = next(each.start for each in found if each.path.endswith("EVPresentVoltage/Value") and each.what == "CH")
    end = behind("EVPresentVoltage/Value", "value")
    bits = Bits().escape(SIMPLE_TEXT, "AT(xsi:type)").qname(DC, (XSD, name)).text() + "0" + NAMED_AS[name]
    message = DC.decode(cut(OCTETS, start, end, bits))
    assert isinstance(message, dc.DC_PreChargeReq)
    assert message.EVPresentVoltage.Value == (-127 if name == "byte" else 129)
    assert message.EVTargetVoltage == LOOP.EVTargetVoltage


@pytest.mark.parametrize(
    ("qname", "value", "words"),
    [
        ((XSD, "int"), "0" + "10000000" * 2 + "00000010", "32768 is not an integer from -32768 to 32767"),
        ((XSD, "string"), "", "string has no values of the type that is declared; expected an integer from -32768 to 32767"),
        ((XSD, "boolean"), "1", "boolean has no values"),
        ((XSD, "decimal"), "", "decimal has no values"),
        ((CT, "RationalNumberType"), "", "RationalNumberType has no values"),
    ],
    ids=lambda each: each[1] if isinstance(each, tuple) else None,
)
@pytest.mark.req("S-28")
def test_a_simple_type_that_is_named_has_values_of_the_declared_one(qname: tuple[str, str], value: str, words: str) -> None:
    start = next(each.start for each in places(DC, OCTETS) if each.path.endswith("EVPresentVoltage/Value") and each.what == "CH")
    bits = Bits().escape(SIMPLE_TEXT, "AT(xsi:type)").qname(DC, qname).text() + "0" + value
    with pytest.raises(ExiError, match=words) as error:
        DC.decode(cut(OCTETS, start, behind("EVPresentVoltage/Value", "value"), bits))
    assert error.value.path == "DC_PreChargeReq/EVPresentVoltage/Value"


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (Bits().escape(START, "EE"), "ends too early"),
        (Bits().escape(START, "SE(*)").qname(DC, ("urn:x", "More")), "not allowed here"),
        (Bits().escape(START, "AT(*)").qname(DC, ("", "more")).value("1"), "attribute more is not declared"),
        (Bits().escape(START, "AT(xsi:type)").qname(DC, (XSD, "int")), "not derived"),
    ],
    ids=["EE", "SE(*)", "AT(*)", "xsi:type"],
)
@pytest.mark.req("S-28")
def test_what_the_schema_does_not_allow_is_an_error_that_says_what_was_expected(bits: Bits, words: str) -> None:
    with pytest.raises(ExiError, match=words) as error:
        DC.decode(with_bits(AT_START, bits))
    assert error.value.path == "DC_PreChargeReq/EVPresentVoltage"
    assert error.value.bit is not None
    assert error.value.bit >= AT_START


def test_hits_in_the_string_table_are_read_local_and_global() -> None:
    """The value came before in an element of the same name (local), or anywhere (global)."""
    providers = cm.SupportedProvidersListType(ProviderID=("DE*ABC", "DE*ABC", "FR*X", "DE*ABC"))
    message = cm.AuthorizationSetupRes(
        Header=HEADER, ResponseCode="OK", AuthorizationServices=("PnC",), CertificateInstallationService=True,
        PnC_ASResAuthorizationMode=cm.PnC_ASResAuthorizationModeType(GenChallenge=bytes(16), SupportedProviders=providers),
    )  # fmt: skip
    octets = COMMON.encode(message)
    values = [each for each in places(COMMON, octets) if each.path.endswith("ProviderID") and each.what == "value"]
    assert len(values) == 4
    local, everywhere = Bits(), Bits()
    local.unsigned(0)  # local hit: one of the three that this name has had
    local.write(0, 2)
    everywhere.unsigned(1)  # global hit: one of three
    everywhere.write(1, 2)
    last = cut(octets, values[3].start, values[3].end, everywhere.text())
    assert COMMON.decode(last) == message
    assert COMMON.decode(cut(octets, values[3].start, values[3].end, local.text())) == message
    first = Bits()
    first.unsigned(0)  # the only one: no bits
    assert COMMON.decode(cut(octets, values[1].start, values[1].end, first.text())) == message


@pytest.mark.req("S-28")
def test_a_hit_on_nothing_is_an_error() -> None:
    octets = COMMON.encode(cm.SessionSetupReq(Header=HEADER, EVCCID="x"))
    (value,) = [each for each in places(COMMON, octets) if each.path.endswith("EVCCID") and each.what == "value"]
    for which in (0, 1):
        hit = Bits()
        hit.unsigned(which)
        with pytest.raises(ExiError, match=r"no value of number 0 in the (local|global) string table, which has 0"):
            COMMON.decode(cut(octets, value.start, value.end, hit.text()))


# ---- the header


def with_header(bits: str) -> bytes:
    return octets_of(bits + bits_of(OCTETS)[8:])


OPTIONS = "10100000" + "0"
"""Options present, final version 1, the options document's root (EXI 1.0 Appendix C)."""


@pytest.mark.parametrize(
    "bits",
    [
        bits_of(b"$EXI") + "10000000",
        OPTIONS + "11",
        OPTIONS + "00" + "00" + "011" + "00000000" + "10" + "10" + "10",  # lesscommon, uncommon: valuePartitionCapacity 0
        OPTIONS + "01" + "10" + "0" + f"{3 + 2:08b}" + bits_of(b"iso") + "" + "1",  # common: schemaId
        OPTIONS + "01" + "10" + "11" + "1",  # common: schemaId, nil
    ],
    ids=["cookie", "empty options", "capacity 0", "schemaId", "schemaId nil"],
)
def test_headers_that_say_what_is_so_anyhow_are_read(bits: str) -> None:
    assert DC.decode(with_header(bits)) == LOOP


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        ("00000000", "no EXI stream"),
        ("11000000", "no EXI stream"),
        ("10010000", "version"),
        ("10000001", "version"),
        (OPTIONS + "10", "strict"),
        (OPTIONS + "01" + "00", "compression"),
        (OPTIONS + "01" + "01" + "1" + "1", "a fragment"),
        (OPTIONS + "00" + "01", "preserve"),
        (OPTIONS + "00" + "00" + "000", "alignment"),
        (OPTIONS + "00" + "00" + "001", "selfContained"),
        (OPTIONS + "00" + "00" + "011" + "00000001", "valuePartitionCapacity"),
    ],
)
@pytest.mark.req("S-28")
def test_headers_that_mean_another_coding_are_refused_by_name(bits: str, words: str) -> None:
    with pytest.raises(ExiError, match=words):
        DC.decode(with_header(bits))


# ---- wildcards


def test_what_no_schema_declares_goes_through_a_wildcard() -> None:
    """Attributes, text and elements, nested and repeated: the built-in grammar learns, and both sides learn the same."""
    from iso15118.messages import xmldsig as ds

    codec = codec_of(ds.NAMESPACE)
    inner = AnyElement(
        name="{urn:x}b", attributes={"{}k": "v", "{urn:x}l": "w"}, content=("text", AnyElement(name="{urn:x}b", attributes={}, content=()))
    )
    outer = AnyElement(name="{urn:x}a", attributes={"{}k": "1"}, content=(inner, inner, "more", inner))
    known = ds.SPKIDataType(SPKISexp=(b"\1", b"\2"))
    message = ds.ObjectType(Id="o", any=(outer, outer, known), text="mixed")
    assert codec.decode(codec.encode(message)) == message


def test_what_is_declared_stays_so_in_what_no_schema_declares() -> None:
    """A simple element by its type; xsi:type on an element that no schema declares."""
    from iso15118.messages import xmldsig as ds

    codec = codec_of(ds.NAMESPACE)
    digest = AnyElement(name=f"{{{ds.NAMESPACE}}}DigestValue", attributes={}, content=("AAEC",))
    typed = AnyElement(name="{urn:x}a", attributes={"{}k": "v", f"{{{XSI}}}type": f"{{{XSD}}}unsignedByte"}, content=("7",))
    known = ds.SPKIDataType(SPKISexp=(b"\1",))
    outer = AnyElement(name="{urn:x}a", attributes={}, content=(typed, digest, "more", known, typed))
    message = ds.ObjectType(any=(outer, digest, typed))
    octets = codec.encode(message)
    assert bytes.fromhex("000102") in {octets_of(bits_of(octets)[at:])[:3] for at in range(8 * len(octets))}
    assert codec.decode(octets) == message
    assert from_json(to_json(message), ds.NAMESPACE) == message


@pytest.mark.parametrize(
    ("name", "attributes", "content", "words"),
    [
        ("DigestValue", {}, ("?",), "not one text of its type; expected 0 to 8192 octets"),
        ("DigestValue", {}, (), "not one text"),
        ("KeyName", {}, (AnyElement(name="x", attributes={}, content=()),), "not one text"),
        ("KeyName", {"k": "v"}, ("",), "an attribute of a simple type"),
        ("SPKIData", {}, (), "is declared"),
        ("x", {f"{{{XSI}}}type": f"{{{XSD}}}byte"}, ("128",), "expected an integer from -128 to 127"),
        ("x", {f"{{{XSI}}}type": f"{{{XSD}}}byte", "k": "v"}, ("1",), "an attribute of a simple type"),
        ("x", {f"{{{XSI}}}type": f"{{{XSD}}}decimal"}, ("1",), "xsi:type decimal on an element that no schema declares"),
    ],
)  # fmt: skip
def test_what_cannot_stand_in_a_wildcard(name: str, attributes: dict[str, str], content: tuple[Any, ...], words: str) -> None:
    from iso15118.messages import xmldsig as ds

    with pytest.raises(ExiError) as error:
        codec_of(ds.NAMESPACE).encode(
            ds.ObjectType(any=(AnyElement(name=f"{{{ds.NAMESPACE}}}{name}", attributes=attributes, content=content),))
        )
    assert words in str(error.value)


def test_simple_end_is_one_bit() -> None:
    assert (SIMPLE_END.bits, SIMPLE_TEXT.bits) == (1, 1)
