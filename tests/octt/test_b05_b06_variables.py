"""Certification cases of B05 and B06: setting and getting variables."""

from __future__ import annotations

from typing import Any

import pytest

from tests.octt.system import Payload, TestSystem

THRESHOLD = ("OCPPCommCtrlr", "OfflineThreshold")
OFFLINE = ("AuthCtrlr", "LocalAuthorizeOffline")
CASES = {
    "unknown component": (("UnknownComponent", "OfflineThreshold"), None, "UnknownComponent"),
    "unknown variable": (("OCPPCommCtrlr", "UnknownVariable"), None, "UnknownVariable"),
    "attribute type": (THRESHOLD, "Target", "NotSupportedAttributeType"),
}


@pytest.fixture
def it() -> TestSystem:
    return TestSystem(evses=2, variables={"OCPPCommCtrlr.OfflineThreshold": "300", "AuthCtrlr.LocalAuthorizeOffline": "true"}).booted()


def named(of: tuple[str, str], **more: Any) -> Payload:
    """An entry's component and variable; what is None is left out."""
    return {"component": {"name": of[0]}, "variable": {"name": of[1]}} | {key: value for key, value in more.items() if value is not None}


def get(it: TestSystem, *entries: Payload) -> list[Payload]:
    results: list[Payload] = it.call("GetVariables", {"getVariableData": list(entries)})["getVariableResult"]
    return results


def put(it: TestSystem, *entries: Payload) -> list[Payload]:
    results: list[Payload] = it.call("SetVariables", {"setVariableData": list(entries)})["setVariableResult"]
    return results


def calm(result: Payload) -> bool:
    """No reason is given, or the one that says that there is none."""
    reason: str = result.get("attributeStatusInfo", {}).get("reasonCode", "NoError")
    return reason == "NoError"


def in_any_order(results: list[Payload], *wanted: Payload) -> None:
    """As many as were asked for, each with the component and variable of one that was."""
    assert len(results) == len(wanted)
    for each in wanted:
        (found,) = [result for result in results if (result["component"], result["variable"]) == (each["component"], each["variable"])]
        assert {key: found.get(key) for key in each} == each
        assert calm(found)


# ---- B06


@pytest.mark.req("TC_B_06", "B06.FR.01", "B06.FR.02", "B06.FR.03", "B06.FR.04", "B06.FR.10")
def test_tc_b_06_a_single_value(it: TestSystem) -> None:
    results = get(it, named(THRESHOLD, attributeType="Actual"))
    in_any_order(results, named(THRESHOLD, attributeStatus="Accepted", attributeType="Actual", attributeValue="300"))


@pytest.mark.req("B06.FR.11")
def test_an_attribute_that_is_not_named_is_the_actual_one(it: TestSystem) -> None:
    in_any_order(get(it, named(THRESHOLD)), named(THRESHOLD, attributeStatus="Accepted", attributeType="Actual", attributeValue="300"))


@pytest.mark.req("TC_B_07", "B06.FR.01", "B06.FR.02", "B06.FR.03", "B06.FR.04", "B06.FR.10")
def test_tc_b_07_several_values(it: TestSystem) -> None:
    results = get(it, named(THRESHOLD, attributeType="Actual"), named(OFFLINE, attributeType="Actual"))
    in_any_order(
        results,
        named(THRESHOLD, attributeStatus="Accepted", attributeType="Actual", attributeValue="300"),
        named(OFFLINE, attributeStatus="Accepted", attributeType="Actual", attributeValue="true"),
    )


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("unknown component", marks=pytest.mark.req("TC_B_32", "B06.FR.06")),
        pytest.param("unknown variable", marks=pytest.mark.req("TC_B_33", "B06.FR.07")),
        pytest.param("attribute type", marks=pytest.mark.req("TC_B_34", "B06.FR.08")),
    ],
)
def test_tc_b_32_33_34_no_such_value(it: TestSystem, case: str) -> None:
    of, attribute, status = CASES[case]
    (result,) = get(it, named(of, attributeType=attribute))
    assert result["attributeStatus"] == status
    assert result["component"] == {"name": of[0]}
    assert result["variable"] == {"name": of[1]}
    assert result["attributeType"] == (attribute or "Actual")
    assert "attributeValue" not in result


@pytest.mark.req("TC_B_08", "B06.FR.16")
def test_tc_b_08_one_value_too_many(it: TestSystem) -> None:
    """2.1 answers the whole request with an error, where 2.0.1 had each value rejected."""
    it.call("GetBaseReport", {"requestId": 8, "reportBase": "FullInventory"})
    it.wait(5.0)
    rows = [row for part in it.said("NotifyReport") for row in part["reportData"]]
    (most,) = get(it, {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "ItemsPerMessage", "instance": "GetVariables"}})
    asked = [{"component": row["component"], "variable": row["variable"]} for row in rows]
    fits, too_many = asked[: int(most["attributeValue"])], asked[: int(most["attributeValue"]) + 1]
    assert len(too_many) == len(fits) + 1
    assert len(get(it, *fits)) == len(fits)
    assert it.refused("GetVariables", {"getVariableData": too_many}) == "OccurrenceConstraintViolation"


@pytest.mark.req("B06.FR.17")
def test_a_request_of_too_many_bytes(it: TestSystem) -> None:
    (most,) = get(it, {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "BytesPerMessage", "instance": "GetVariables"}})
    long = {"component": {"name": "x" * 50, "instance": "\u6f22" * 50}, "variable": {"name": "y" * 50, "instance": "\u6f22" * 50}}
    entries = [long] * 100
    assert len(str(entries)) < int(most["attributeValue"]) * 2
    assert it.refused("GetVariables", {"getVariableData": entries}) == "FormatViolation"


@pytest.mark.req("B06.FR.09")
def test_what_can_only_be_written_is_not_given(it: TestSystem) -> None:
    (result,) = get(it, named(("SecurityCtrlr", "BasicAuthPassword")))
    assert result["attributeStatus"] == "Rejected"
    assert "attributeValue" not in result


@pytest.mark.req("B06.FR.13")
def test_what_has_not_been_set_is_empty(it: TestSystem) -> None:
    entry = {"component": {"name": "NetworkConfiguration", "instance": "2"}, "variable": {"name": "OcppCsmsUrl"}}
    (result,) = get(it, entry)
    assert (result["attributeStatus"], result["attributeValue"]) == ("Accepted", "")


@pytest.mark.req("B06.FR.14", "B06.FR.15")
def test_an_instance_is_that_one_and_none_is_none(it: TestSystem) -> None:
    def attempts(**instance: str) -> Payload:
        return {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "BytesPerMessage", **instance}}

    results = get(it, attempts(instance="GetReport"), attempts(instance="GetVariables"), attempts(), attempts(instance="Nobody"))
    assert [result.get("attributeValue") for result in results[:2]] == ["8192", "32768"]
    assert [result["attributeStatus"] for result in results] == ["Accepted", "Accepted", "UnknownVariable", "UnknownVariable"]
    (result,) = get(it, {"component": {"name": "NetworkConfiguration", "instance": "9"}, "variable": {"name": "OcppCsmsUrl"}})
    assert result["attributeStatus"] == "UnknownComponent"


# ---- B05


@pytest.mark.req("TC_B_09", "B05.FR.01", "B05.FR.02", "B05.FR.03", "B05.FR.10")
def test_tc_b_09_a_single_value(it: TestSystem) -> None:
    assert it.set("OCPPCommCtrlr.OfflineThreshold", "30") == "Accepted"
    results = put(it, named(THRESHOLD, attributeValue="300", attributeType="Actual"))
    in_any_order(results, named(THRESHOLD, attributeStatus="Accepted", attributeType="Actual"))
    assert it.get("OCPPCommCtrlr.OfflineThreshold") == "300"


@pytest.mark.req("TC_B_10", "B05.FR.01", "B05.FR.02", "B05.FR.03", "B05.FR.10", "B05.FR.12")
def test_tc_b_10_several_values(it: TestSystem) -> None:
    assert it.set("OCPPCommCtrlr.OfflineThreshold", "30") == "Accepted"
    assert it.set("AuthCtrlr.LocalAuthorizeOffline", "false") == "Accepted"
    results = put(it, named(THRESHOLD, attributeValue="300", attributeType="Actual"), named(OFFLINE, attributeValue="true"))
    in_any_order(
        results,
        named(THRESHOLD, attributeStatus="Accepted", attributeType="Actual"),
        named(OFFLINE, attributeStatus="Accepted", attributeType="Actual"),
    )
    assert (it.get("OCPPCommCtrlr.OfflineThreshold"), it.get("AuthCtrlr.LocalAuthorizeOffline")) == ("300", "true")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("unknown component", marks=pytest.mark.req("TC_B_35", "B05.FR.04")),
        pytest.param("unknown variable", marks=pytest.mark.req("TC_B_36", "B05.FR.05")),
        pytest.param("attribute type", marks=pytest.mark.req("TC_B_37", "B05.FR.06")),
    ],
)
def test_tc_b_35_36_37_no_such_value(it: TestSystem, case: str) -> None:
    of, attribute, status = CASES[case]
    (result,) = put(it, named(of, attributeValue="20", attributeType=attribute))
    assert result["attributeStatus"] == status
    assert result["component"] == {"name": of[0]}
    assert result["variable"] == {"name": of[1]}
    assert result["attributeType"] == (attribute or "Actual")


@pytest.mark.req("TC_B_11", "B05.FR.07")
@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("OCPPCommCtrlr.OfflineThreshold", {"1"}),
        ("AuthCtrlr.AuthorizeRemoteStart", {"true"}),
        ("TxCtrlr.TxStartPoint", set[str]()),
        ("OCPPCommCtrlr.StatusReporting", set[str]()),
    ],
)
def test_tc_b_11_values_of_another_type(it: TestSystem, name: str, takes: set[str]) -> None:
    before = it.get(name)
    for value in ("1", "1.1", "true", it.utc(), "abc"):
        of = tuple(name.split("."))
        (result,) = put(it, named((of[0], of[1]), attributeValue=value, attributeType="Actual"))
        assert (result["attributeStatus"] == "Accepted") is (value in takes), value
        assert result["attributeType"] == "Actual"
        if value not in takes:
            assert (result["attributeStatus"], result["attributeStatusInfo"]["reasonCode"]) == ("Rejected", "InvalidValue")
    assert it.get(name) == (*takes, before)[0]


@pytest.mark.req("B05.FR.08")
@pytest.mark.parametrize(("value", "reason"), [("-1", "ValueTooLow"), ("9999999", "ValueTooHigh")])
def test_a_value_beyond_the_limits_that_are_reported(it: TestSystem, value: str, reason: str) -> None:
    (result,) = put(it, named(THRESHOLD, attributeValue=value))
    assert (result["attributeStatus"], result["attributeStatusInfo"]["reasonCode"]) == ("Rejected", reason)
    assert it.get("OCPPCommCtrlr.OfflineThreshold") == "300"


@pytest.mark.req("TC_B_39", "B05.FR.09")
def test_tc_b_39_what_can_only_be_read(it: TestSystem) -> None:
    variable = {"name": "MessageTimeout", "instance": "Default"}
    entry = {"component": {"name": "OCPPCommCtrlr"}, "variable": variable}
    (before,) = get(it, entry)
    (result,) = put(it, entry | {"attributeValue": "20"})
    assert result["attributeStatus"] == "Rejected"
    assert (result["component"], result["variable"]) == ({"name": "OCPPCommCtrlr"}, variable)
    assert get(it, entry) == [before]


def test_more_values_than_may_be_set_at_once(it: TestSystem) -> None:
    entries = [named(("OCPPCommCtrlr", f"Number{n}"), attributeValue="1") for n in range(101)]
    assert it.refused("SetVariables", {"setVariableData": entries}) == "OccurrenceConstraintViolation"
    assert len(put(it, *entries[:100])) == 100
