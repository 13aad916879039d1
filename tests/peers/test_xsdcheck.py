"""The declarations of the V2G messages say what the XSDs say; and the checker sees it when an XSD says something else."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import wheel
from bench.xsdcheck import ours, xsd
from bench.xsdcheck.__main__ import main
from bench.xsdcheck.compare import INTENDED, Intended, Result, compare, unused
from bench.xsdcheck.model import Schema

pytestmark = pytest.mark.peer

CT = "iso15118_20/V2G_CI_CommonTypes.xsd"
CM = "iso15118_20/V2G_CI_CommonMessages.xsd"
ISO2 = "iso15118_2/V2G_CI_MsgDataTypes.xsd"
DIN = "din_spec/V2G_CI_MsgDataTypes.xsd"
BODY = "din_spec/V2G_CI_MsgBody.xsd"
SAP = "V2G_CI_AppProtocol.xsd"
SIG = "xmldsig-core-schema.xsd"


@pytest.fixture(scope="session")
def schemas(wheel_folder: Path) -> Path:
    """The XSDs of the wheel."""
    return wheel.schemas(wheel_folder)


@cache
def declarations() -> dict[str, Schema]:
    return ours.read()


def compared(folder: Path) -> Result:
    return compare(xsd.read(folder), declarations())


def test_the_declarations_are_those_of_the_xsds(schemas: Path) -> None:
    result = compared(schemas)
    assert result.differences == []
    assert unused(result) == []
    least = {"schemas": 16, "global elements": 200, "types": 300, "simple types": 100, "particles": 900, "facets": 2000, "attributes": 40}
    assert {what: result.compared[what] >= count for what, count in least.items()} == dict.fromkeys(least, True)


def test_nothing_of_the_xsds_is_passed_over(schemas: Path) -> None:
    """What was compared is as much as a plain count of the files finds."""
    count = dict.fromkeys(("element", "any", "attribute", "complexType", "simpleType", "extension", "substitutionGroup"), 0)
    for path in schemas.rglob("*.xsd"):
        for each in ET.parse(path).iter():
            count["substitutionGroup"] += "substitutionGroup" in each.attrib
            if (kind := each.tag.rpartition("}")[2]) in count:
                count[kind] += 1
    result = compared(schemas).compared
    assert result["global elements"] + result["particles"] == count["element"] + count["any"]
    assert result["attributes"] == count["attribute"]
    assert result["types"] == count["complexType"]
    assert result["substitutions"] == count["substitutionGroup"]
    anonymous = 2  # both in the -2 RelativeTimeInterval
    assert result["simple types"] == count["simpleType"] - anonymous
    of_simple_content = 4
    assert result["derivations"] == count["extension"] - of_simple_content


def swapped(first: str, second: str, kind: str = "element name") -> tuple[str, str]:
    """Two neighbours, the other way round."""
    one, other = (rf'<xs:{kind}="{each}"[^>]*/>' for each in (first, second))
    return rf"({one})(\s*)({other})", r"\3\2\1"


def within(owner: str, pattern: str) -> str:
    """The first such place after the type's or the element's name."""
    return rf'(name="{owner}"(?:(?!{pattern})[\s\S])*){pattern}'


EDITS = {
    "upper bound": (CT, within("ReceiptType", 'maxOccurs="10"'), r'\1maxOccurs="11"', "ReceiptType: content"),
    "no bound": (SAP, 'maxOccurs="20"', 'maxOccurs="unbounded"', "<supportedAppProtocolReq>: content"),
    "no longer optional": (CT, within("DisplayParametersType", ' minOccurs="0"'), r"\1", "DisplayParametersType: content"),
    "optional": (SAP, within("AppProtocolType", 'type="idType"'), r'\1type="idType" minOccurs="0"', "AppProtocolType: content"),
    "order": (CT, *swapped("Exponent", "Value"), "RationalNumberType: content"),
    "missing in the XSD": (CT, '<xs:element name="InletHot"[^>]*/>', "", "DisplayParametersType: content"),
    "missing in ours": (DIN, '(<xs:element name="FreeService")', r'<xs:element name="X" type="xs:byte"/>\1', "ServiceType: content"),
    "element's name": (ISO2, 'name="EVRESSSOC"', 'name="EVRESSOC"', "DC_EVStatusType: content"),
    "global element only in ours": (CM, '<xs:element name="SessionStopReq"[^>]*/>', "", "SessionStopReq: element only in ours"),
    "global element missing": (CM, "</xs:schema>", '<xs:element name="X" type="xs:byte"/></xs:schema>', "X: element missing in ours"),
    "type missing": (CT, "</xs:schema>", '<xs:complexType name="XType"/></xs:schema>', "XType: type missing in ours"),
    "simple type missing": (
        CT,
        "</xs:schema>",
        '<xs:simpleType name="x"><xs:restriction base="xs:byte"/></xs:simpleType></xs:schema>',
        "x: simple type missing in ours",
    ),
    "enumeration's value": (ISO2, '"FAILED_ChallengeInvalid"', '"FAILED_ChallengeWrong"', "responseCodeType: simple type"),
    "enumeration's order": (CT, *swapped("Pause", "ExitStandby", "enumeration value"), "evseNotificationType: simple type"),
    "enumeration shorter": (DIN, '<xs:enumeration value="Fault"/>', "", "isolationLevelType: simple type"),
    "greatest length": (CT, within("identifierType", 'value="255"'), r'\1value="254"', "identifierType: simple type"),
    "least length": (ISO2, within("evseIDType", 'minLength value="7"'), r'\1minLength value="0"', "evseIDType: simple type"),
    "length": (CM, within("genChallengeType", 'value="16"'), r'\1value="17"', "genChallengeType: simple type"),
    "greatest value": (SAP, 'maxInclusive value="20"', 'maxInclusive value="21"', "priorityType: simple type"),
    "least value": (CT, within("numericIDType", 'value="1"'), r'\1value="0"', "numericIDType: simple type"),
    "facet of an anonymous type": (
        ISO2,
        within("duration", 'value="86400"'),
        r'\1value="86401"',
        "RelativeTimeIntervalType.duration: type",
    ),
    "built-in type": (CT, 'name="Exponent" type="xs:byte"', 'name="Exponent" type="xs:short"', "RationalNumberType.Exponent: type"),
    "binary or text": (CT, within("meterSignatureType", "base64Binary"), r"\1string", "meterSignatureType: simple type"),
    "hex or base64": (CT, within("sessionIDType", "hexBinary"), r"\1base64Binary", "sessionIDType: simple type"),
    "type of an element": (
        CT,
        'name="CostPerUnit" type="RationalNumberType"',
        'name="CostPerUnit" type="DetailedTaxType"',
        "DetailedCostType.CostPerUnit: type",
    ),
    "type of a global element": (
        BODY,
        '(name="SessionStopReq" type=")SessionStopType"',
        r'\1SessionStopResType"',
        "SessionStopReq: type of the element",
    ),
    "other head": (DIN, '(name="DC_EVStatus" [^>]*substitutionGroup=")EVStatus"', r'\1EVSEStatus"', "DC_EVStatus: substitutes"),
    "no head": (DIN, '(name="PMaxScheduleEntry" [^>]*) substitutionGroup="Entry"', r"\1", "PMaxScheduleEntry: substitutes"),
    "base": (CT, within("ChargeLoopReqType", "V2GRequestType"), r"\1V2GResponseType", "ChargeLoopReqType: base"),
    "abstract": (CT, '(name="V2GRequestType") abstract="true"', r"\1", "V2GRequestType: abstract"),
    "not abstract": (CT, 'complexType name="EVSEStatusType"', r'\g<0> abstract="true"', "EVSEStatusType: abstract"),
    "attribute's name": (SIG, 'attribute name="Target"', 'attribute name="Aim"', "SignaturePropertyType: attribute Target only in ours"),
    "attribute's use": (
        DIN,
        'attribute name="Id" type="xs:IDREF" use="required"',
        'attribute name="Id" type="xs:IDREF"',
        "SalesTariffType: attribute Id is required",
    ),
    "attribute's type": (
        DIN,
        'attribute name="ValueType" type="valueType"',
        'attribute name="ValueType" type="xs:string"',
        "ParameterType: attribute ValueType",
    ),
    "mixed": (SIG, '(complexType name="DigestMethodType") mixed="true"', r"\1", "DigestMethodType: mixed"),
    "wildcard's namespace": (SIG, within("TransformType", "##other"), r"\1##any", "TransformType: content"),
    "nested group": (SIG, within("DSAKeyValueType", ' minOccurs="0"'), r"\1", "DSAKeyValueType: content"),
    "choice or sequence": (DIN, r"<(/?)xs:choice>", r"<\1xs:sequence>", "ParameterType: content"),
    "optional choice": (CM, "<xs:choice>", '<xs:choice minOccurs="0">', "AuthorizationSetupResType: content"),
    "reference": (
        DIN,
        'ref="PMaxScheduleEntry" maxOccurs="unbounded"',
        'ref="SalesTariffEntry" maxOccurs="unbounded"',
        "PMaxScheduleType: content",
    ),
    "text of simple content": (
        ISO2,
        within("EMAIDType", 'base="eMAIDType"'),
        r'\1base="meterIDType"',
        "EMAIDType: text",
    ),
    "namespace of elements": (CT, 'elementFormDefault="qualified"', "", "schema: local elements have the namespace"),
    "namespace of attributes": (CM, 'attributeFormDefault="qualified"', "", "schema: attributes have the namespace"),
    "import": ("din_spec/V2G_CI_MsgHeader.xsd", r'<xs:import namespace="http://www.w3.org[^>]*/>', "", "set: http://www.w3.org"),
    "what the checker does not know": (
        CT,
        within("identifierType", "<xs:maxLength"),
        r'\1<xs:pattern value="x"/><xs:maxLength',
        "all of pattern",
    ),
    "attribute that it does not know": (CT, 'name="InletHot"', 'name="InletHot" nillable="true"', "not understood: nillable"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_small_edit_is_seen(schemas: Path, tmp_path: Path, edit: str) -> None:
    """It is told, at its place; of other schemas only that a type which they use is another."""
    file, pattern, replacement, told = EDITS[edit]
    edited, folder = tmp_path / "xsd" / file, tmp_path / "xsd"
    shutil.copytree(schemas, folder)
    text, count = re.subn(pattern, replacement, edited.read_text("utf-8"), count=0 if edit == "choice or sequence" else 1)
    assert count
    edited.write_text(text, "utf-8")
    result = compared(folder)
    assert told in "\n".join(f"{each.where}: {each.what}" for each in result.differences)
    namespace = ET.parse(edited).getroot().get("targetNamespace")
    elsewhere = [each for each in result.differences if each.namespace != namespace and each.where != "set"]
    assert [each for each in elsewhere if not each.what.startswith(("type: ", "attribute "))] == []


def test_the_command_line(schemas: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(schemas)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 differences and 2 that are meant; compared: 16 schemas, ")
    shutil.copytree(schemas, tmp_path / "xsd")
    (tmp_path / "xsd" / SAP).unlink()
    assert main([str(tmp_path / "xsd")]) == 1
    assert "AppProtocol schema: there is no XSD of it" in capsys.readouterr().out
    (tmp_path / "xsd" / "broken.xsd").write_text("<schema>")
    assert main([str(tmp_path / "xsd")]) == 2
    assert "broken.xsd: no element found" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == 2
    assert "no *.xsd there" in capsys.readouterr().err
    assert main([]) == 2


def test_two_documents_of_one_namespace(schemas: Path, tmp_path: Path) -> None:
    """The same file twice is no matter; another one is."""
    folder = tmp_path / "xsd"
    shutil.copytree(schemas, folder)
    shutil.copy(folder / SIG, folder / "copy.xsd")
    assert compared(folder).differences == []
    (folder / "copy.xsd").write_text((folder / SIG).read_text("utf-8").replace('value="', 'value="1').replace("MgmtData", "Mgmt"), "utf-8")
    assert any("are two documents of this namespace" in each.what for each in compared(folder).differences)


def test_a_stale_row_fails_the_command_line(schemas: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stale = Intended("urn:x", "", "we have no declaration", "a test")
    monkeypatch.setattr("bench.xsdcheck.__main__.INTENDED", (*INTENDED, stale))
    assert main([str(schemas)]) == 1
    assert "meant, and not there any more: urn:x anywhere: we have no declaration (a test)" in capsys.readouterr().out


def test_an_intended_difference_is_told_as_such_and_a_stale_one_is_found(schemas: Path) -> None:
    theirs, mine = xsd.read(schemas), ours.read()
    theirs["urn:iso:15118:2:2010:AppProtocol"].simple.pop("protocolNameType")
    result = compare(theirs, mine)
    assert [str(each) for each in result.differences] == ["urn:iso:15118:2:2010:AppProtocol protocolNameType: simple type only in ours"]
    known = (*INTENDED, *(type(INTENDED[0])(each.namespace, each.where, each.what, "a test") for each in result.differences))
    assert compare(theirs, mine, known).differences == []
    assert unused(compare(xsd.read(schemas), mine, known), known) == [known[-1]]
