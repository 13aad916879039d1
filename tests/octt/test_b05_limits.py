"""Every variable of a station from its CSMS's side (B05, B06): what is told of it is what holds."""

from __future__ import annotations

from itertools import count

import pytest

from tests.octt.system import Payload, TestSystem

NOT_THERE = (
    # What OCPP 2.1 names for these components and this station has not: the time of day and the mobile network are the operating system's.
    ("ClockCtrlr", "", "NtpServerUri"),
    ("ClockCtrlr", "", "NtpSource"),
    ("ClockCtrlr", "", "TimeOffset"),
    ("ClockCtrlr", "", "TimeZone"),
    ("ClockCtrlr", "", "NextTimeOffsetTransitionDateTime"),
    ("OCPPCommCtrlr", "", "FieldLength"),
    ("OCPPCommCtrlr", "", "ExternalConfigChangeDate"),
    *(("NetworkConfiguration", "1", name) for name in ("VpnType", "VpnServer", "VpnUser", "VpnGroup", "VpnPassword", "VpnKey")),
    *(("NetworkConfiguration", "1", name) for name in ("Apn", "ApnUserName", "ApnPassword", "ApnAuthentication", "SimPin")),
    *(("NetworkConfiguration", "1", name) for name in ("PreferredNetwork", "UseOnlyPreferredNetwork")),
)
NUMBERS = count(500)


@pytest.fixture(scope="module")
def it() -> TestSystem:
    """One for all: nothing that is asked of it here changes it."""
    return TestSystem(evses=2, socket=True).booted()


@pytest.fixture(scope="module")
def rows(it: TestSystem) -> list[Payload]:
    """FullInventory."""
    it.call("GetBaseReport", {"requestId": next(NUMBERS), "reportBase": "FullInventory"})
    found: list[Payload] = []
    while not found or found[-1]["tbc"]:
        found.append(it.among("NotifyReport"))
    return [row for part in found for row in part["reportData"]]


def put(it: TestSystem, row: Payload, value: str) -> tuple[str, str]:
    """Status and reason."""
    entry = {"component": row["component"], "variable": row["variable"], "attributeValue": value}
    (result,) = it.call("SetVariables", {"setVariableData": [entry]})["setVariableResult"]
    return result["attributeStatus"], result.get("attributeStatusInfo", {}).get("reasonCode", "")


def attribute(row: Payload) -> Payload:
    found: Payload = row["variableAttribute"][0]
    return found


def writable(rows: list[Payload]) -> list[Payload]:
    return [row for row in rows if attribute(row)["mutability"] != "ReadOnly"]


@pytest.mark.req("B05.FR.08")
def test_beyond_its_limits_no_number_is_taken(it: TestSystem, rows: list[Payload]) -> None:
    tried = 0
    for row in writable(rows):
        told = row["variableCharacteristics"]
        if told["dataType"] in ("integer", "decimal"):
            assert "minLimit" in told, row
            assert "maxLimit" in told, row
            assert put(it, row, str(int(told["minLimit"]) - 1)) == ("Rejected", "ValueTooLow"), row
            assert put(it, row, str(int(told["maxLimit"]) + 1)) == ("Rejected", "ValueTooHigh"), row
            tried += 1
    assert tried > 20


@pytest.mark.req("B05.FR.07")
def test_of_another_type_nothing_is_taken(it: TestSystem, rows: list[Payload]) -> None:
    """A list takes what is in its valuesList, a boolean two words, a text no more than its length."""
    wrong = {"integer": "1.5", "decimal": "much", "boolean": "yes", "dateTime": "today"}
    for row in writable(rows):
        told = row["variableCharacteristics"]
        kind = told["dataType"]
        if kind == "string":
            assert "maxLimit" in told, row
            value = "x" * (int(told["maxLimit"]) + 1)
        else:
            value = wrong.get(kind, "Nonsense")
        status, _ = put(it, row, value)
        assert status == "Rejected", (row, value)


@pytest.mark.req("B05.FR.09")
def test_what_can_only_be_read_is_not_set(it: TestSystem, rows: list[Payload]) -> None:
    for row in rows:
        if attribute(row)["mutability"] == "ReadOnly":
            assert put(it, row, attribute(row)["value"]) == ("Rejected", "ReadOnly"), row


@pytest.mark.req("B06.FR.10", "B06.FR.09", "B07.FR.11")
def test_what_is_reported_is_what_is_got(it: TestSystem, rows: list[Payload]) -> None:
    """But for the time of day."""
    for row in rows:
        entry = {"component": row["component"], "variable": row["variable"]}
        (result,) = it.call("GetVariables", {"getVariableData": [entry]})["getVariableResult"]
        if attribute(row)["mutability"] == "WriteOnly":
            assert result["attributeStatus"] == "Rejected"
        elif row["variable"]["name"] != "DateTime":
            assert result.get("attributeValue") == attribute(row)["value"], row


@pytest.mark.parametrize(("component", "instance", "variable"), NOT_THERE)
def test_what_the_station_has_not_is_not_pretended(it: TestSystem, component: str, instance: str, variable: str) -> None:
    row = {"component": {"name": component} | ({"instance": instance} if instance else {}), "variable": {"name": variable}}
    assert put(it, row, "1")[0] == "UnknownVariable"


@pytest.mark.req("B09.FR.13", "B09.FR.15")
@pytest.mark.req("B09.FR.11")
def test_neither_a_private_nor_a_mobile_network_can_be_set(rows: list[Payload]) -> None:
    found = [
        row
        for row in rows
        if row["component"]["name"] == "NetworkConfiguration" and row["variable"]["name"] in ("VpnEnabled", "ApnEnabled")
    ]
    assert len(found) == 8
    assert {(attribute(row)["mutability"], attribute(row)["value"]) for row in found} == {("ReadOnly", "false")}
