"""Certification cases of B07 and B08: reports on the device model."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from chargepoint.config import EvseConfig, V2gConfig
from hal.types import ResidualCurrentTrip
from tests.octt.required import CORE, LOCAL_LIST, Row
from tests.octt.system import Payload, TestSystem

LISTS = ("OptionList", "SequenceList", "MemberList")
NUMBERS = count(100)
ONE_VALUE = ("OcppTransport", "ApnEnabled", "VpnEnabled")
"""Of NetworkConfiguration: there is nothing to choose."""


@pytest.fixture
def it() -> TestSystem:
    return TestSystem(evses=2).booted()


def parts(it: TestSystem, request_id: int) -> list[Payload]:
    """The NotifyReports that follow, whose numbers and marks of continuation are as they should be."""
    found: list[Payload] = []
    while not found or found[-1].get("tbc", False):
        part = it.expect("NotifyReport", requestId=request_id, seqNo=len(found))
        assert part["generatedAt"].endswith("Z")
        found.append(part)
    it.nothing("NotifyReport", for_s=3.0)
    return found


def rows(found: list[Payload]) -> list[Payload]:
    return [row for part in found for row in part["reportData"]]


def base(it: TestSystem, kind: str) -> list[Payload]:
    """The whole of a base report."""
    number = next(NUMBERS)
    answer = it.call("GetBaseReport", {"requestId": number, "reportBase": kind})
    assert answer["status"] == "Accepted"
    assert answer.get("statusInfo", {}).get("reasonCode", "NoError") == "NoError"
    return rows(parts(it, number))


def report(it: TestSystem, *criteria: str, of: list[Payload] | None = None) -> list[Payload] | str:
    """Of a custom report; or the status that says why there is none."""
    number = next(NUMBERS)
    asked: Payload = {"requestId": number}
    if criteria:
        asked["componentCriteria"] = list(criteria)
    if of is not None:
        asked["componentVariable"] = of
    status: str = it.call("GetReport", asked)["status"]
    if status == "Accepted":
        return rows(parts(it, number))
    it.nothing("NotifyReport", for_s=3.0)
    return status


def on(component: str, variable: str | None = None, instance: str | None = None, evse: int | None = None) -> Payload:
    """An entry of componentVariable."""
    asked: Payload = {"component": {"name": component} | ({"evse": {"id": evse}} if evse else {})}
    if variable:
        asked["variable"] = {"name": variable} | ({"instance": instance} if instance else {})
    return asked


def place(row: Payload) -> tuple[str, str, str, int]:
    """Component, variable, its instance, EVSE."""
    component, variable = row["component"], row["variable"]
    return component["name"], variable["name"], variable.get("instance", ""), component.get("evse", {}).get("id", 0)


def places(found: list[Payload] | str) -> set[tuple[str, str, str, int]]:
    assert not isinstance(found, str), found
    assert len({(str(row["component"]), str(row["variable"])) for row in found}) == len(found), "a row is there twice"
    return {place(row) for row in found}


def value(row: Payload) -> str:
    text: str = row["variableAttribute"][0]["value"]
    return text


def well_told(found: list[Payload]) -> None:
    """Each with its characteristics; of a list also what may stand in it."""
    for row in found:
        told = row["variableCharacteristics"]
        if told["dataType"] in LISTS:
            assert told.get("valuesList"), row
        assert {each.get("type", "Actual") for each in row["variableAttribute"]} <= {"Actual", "Target", "MinSet", "MaxSet"}


# ---- B07


@pytest.mark.req("TC_B_12", "B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.07", "B07.FR.10", "B07.FR.12")
def test_tc_b_12_configuration_inventory(it: TestSystem) -> None:
    found = base(it, "ConfigurationInventory")
    well_told(found)
    assert {each["mutability"] for row in found for each in row["variableAttribute"]} == {"ReadWrite", "WriteOnly"}
    assert all("value" not in each for row in found for each in row["variableAttribute"] if each["mutability"] == "WriteOnly")
    writable = {(row.component, row.variable, row.instance) for row in CORE + LOCAL_LIST if row.mutability == "ReadWrite"}
    assert writable <= {each[:3] for each in places(found)}


@pytest.mark.req("TC_B_13", "B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.08", "B07.FR.10", "B07.FR.12")
def test_tc_b_13_full_inventory(it: TestSystem) -> None:
    found = base(it, "FullInventory")
    well_told(found)
    settable = {place(row) for row in found if any(each.get("mutability", "ReadWrite") != "ReadOnly" for each in row["variableAttribute"])}
    assert settable == places(base(it, "ConfigurationInventory"))
    assert places(base(it, "SummaryInventory")) <= places(found)


@pytest.mark.req("TC_B_53", "B07.FR.08")
@pytest.mark.parametrize("row", CORE + LOCAL_LIST, ids=lambda row: f"{row.component}.{row.variable}{row.instance}")
def test_tc_b_53_what_every_station_has(full: list[Payload], row: Row) -> None:
    found = [each for each in full if place(each)[:3] == (row.component, row.variable, row.instance)]
    assert {place(each)[3] for each in found} == ({1, 2} if row.component in ("EVSE", "Connector") else {0})
    for each in found:
        told, (attribute,) = each["variableCharacteristics"], each["variableAttribute"]
        assert told["dataType"] == row.type
        assert attribute.get("mutability", "ReadWrite") in row.mutability.split("|")
        assert told.get("unit", "") in row.units
        if row.values:
            assert set(told["valuesList"].split(",")) <= set(row.values)
        if row.positive:
            assert told["maxLimit"] > 0
        if row.type in LISTS:
            assert set(filter(None, attribute["value"].split(","))) <= set(told["valuesList"].split(","))


@pytest.mark.req("TC_B_53")
def test_tc_b_53_what_an_evse_that_speaks_iso_15118_has() -> None:
    evse = EvseConfig(id=1, v2g=V2gConfig(interface="lo"))
    found = {place(row): row for row in base(TestSystem(more={"evses": (evse,)}).booted(), "FullInventory")}
    row = found["ISO15118Ctrlr", "ContractValidationOffline", "", 1]
    assert (row["variableCharacteristics"]["dataType"], row["variableAttribute"][0]["mutability"]) == ("boolean", "ReadWrite")


@pytest.fixture(scope="module")
def full() -> list[Payload]:
    """FullInventory of a station with two EVSEs."""
    return base(TestSystem(evses=2).booted(), "FullInventory")


@pytest.mark.req("TC_B_14", "B07.FR.01", "B07.FR.09")
def test_tc_b_14_summary_inventory(it: TestSystem) -> None:
    """Availability and condition of the station, its EVSEs and connectors, and nothing else."""
    found = base(it, "SummaryInventory")
    assert places(found) == {
        ("ChargingStation", "AvailabilityState", "", 0),
        *((component, "AvailabilityState", "", n) for component in ("EVSE", "Connector") for n in (1, 2)),
    }
    assert {value(row) for row in found} == {"Available"}
    assert it.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}})["status"] == "Accepted"
    it.plug(ready=False)
    it.ignores.add("TransactionEvent")
    states = {place(row): value(row) for row in base(it, "SummaryInventory")}
    assert (states["EVSE", "AvailabilityState", "", 1], states["EVSE", "AvailabilityState", "", 2]) == ("Occupied", "Unavailable")


@pytest.mark.req("B07.FR.09")
def test_the_summary_names_what_is_broken(it: TestSystem) -> None:
    faulty(it)
    states = {place(row): value(row) for row in base(it, "SummaryInventory")}
    assert states["ChargingStation", "Problem", "", 0] == "true"
    assert states["Connector", "AvailabilityState", "", 2] == "Faulted"


def faulty(it: TestSystem) -> None:
    """The residual-current device of EVSE 2 has tripped."""
    it.tell(ResidualCurrentTrip(2, "ac"))
    it.wait(2.0)


# ---- B08


@pytest.mark.req("TC_B_16", "B08.FR.01", "B08.FR.03", "B08.FR.05", "B08.FR.09")
@pytest.mark.req("B08.FR.04", "B08.FR.12", "B08.FR.14")
def test_tc_b_16_by_criterion(it: TestSystem) -> None:
    """All components that are Enabled, or have no such variable."""
    assert it.set("LocalAuthListCtrlr.Enabled", "false") == "Accepted"
    found = report(it, "Enabled")
    assert not isinstance(found, str)
    well_told(found)
    components = {each[0] for each in places(found)}
    assert {"AuthCtrlr", "OCPPCommCtrlr", "EVSE"} <= components
    assert "LocalAuthListCtrlr" not in components
    assert it.set("LocalAuthListCtrlr.Enabled", "true") == "Accepted"
    assert "LocalAuthListCtrlr" in {each[0] for each in places(report(it, "Enabled"))}


@pytest.mark.req("B08.FR.07", "B08.FR.08")
@pytest.mark.parametrize("criterion", ["Active", "Available"])
def test_components_without_such_a_variable_meet_the_criterion(it: TestSystem, criterion: str) -> None:
    found = places(report(it, criterion))
    assert ("OCPPCommCtrlr", "OfflineThreshold", "", 0) in found
    assert it.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}})["status"] == "Accepted"
    it.wait(1.0)
    assert ("EVSE", "AvailabilityState", "", 1) in places(report(it, criterion))


@pytest.mark.req("B08.FR.10", "B08.FR.15")
def test_only_what_says_so_has_a_problem(it: TestSystem) -> None:
    assert report(it, "Problem") == "EmptyResultSet"
    faulty(it)
    found = report(it, "Problem")
    assert {each[0] for each in places(found)} == {"ChargingStation"}
    assert not isinstance(found, str)
    assert {value(row) for row in found if place(row)[1] == "Problem"} == {"true"}


@pytest.mark.req("TC_B_17", "B08.FR.01", "B08.FR.03")
@pytest.mark.req("B08.FR.04", "B08.FR.11", "B08.FR.12")
def test_tc_b_17_by_component_and_variable(it: TestSystem) -> None:
    found = report(it, of=[on("EVSE", "AvailabilityState", evse=1)])
    assert places(found) == {("EVSE", "AvailabilityState", "", 1)}
    assert not isinstance(found, str)
    well_told(found)
    assert [value(row) for row in found] == ["Available"]


@pytest.mark.req("TC_B_18", "B08.FR.01", "B08.FR.03", "B08.FR.15")
@pytest.mark.req("B08.FR.13")
def test_tc_b_18_by_both(it: TestSystem) -> None:
    """What one names and the other does not is not reported."""
    asked = [on("EVSE", "AvailabilityState", evse=1)]
    assert places(report(it, "Available", of=asked)) == {("EVSE", "AvailabilityState", "", 1)}
    assert report(it, "Problem", of=asked) == "EmptyResultSet"
    assert places(report(it, "Problem", "Available", of=asked)) == {("EVSE", "AvailabilityState", "", 1)}


@pytest.mark.req("TC_B_54", "B08.FR.01", "B08.FR.21")
def test_tc_b_54_all_instances_where_none_is_named(it: TestSystem) -> None:
    found = places(report(it, of=[on("DeviceDataCtrlr", "ItemsPerMessage")]))
    assert found == {("DeviceDataCtrlr", "ItemsPerMessage", of, 0) for of in ("GetReport", "GetVariables", "SetVariables")}


@pytest.mark.req("TC_B_55", "B08.FR.01")
def test_tc_b_55_one_instance_where_it_is_named(it: TestSystem) -> None:
    found = places(report(it, of=[on("DeviceDataCtrlr", "ItemsPerMessage", "GetReport")]))
    assert found == {("DeviceDataCtrlr", "ItemsPerMessage", "GetReport", 0)}


@pytest.mark.req("TC_B_56", "B08.FR.01", "B08.FR.23")
def test_tc_b_56_all_evses_where_none_is_named(it: TestSystem) -> None:
    assert places(report(it, of=[on("EVSE", "AvailabilityState")])) == {("EVSE", "AvailabilityState", "", n) for n in (1, 2)}


def slots(found: list[Payload] | str) -> set[str]:
    """The instances of the component that are reported on."""
    assert not isinstance(found, str)
    return {row["component"]["instance"] for row in found}


@pytest.mark.req("B08.FR.24", "B08.FR.25", "B09.FR.06", "B09.FR.10")
def test_of_a_component_with_instances_all_or_the_one_that_is_named(it: TestSystem) -> None:
    every = report(it, of=[on("NetworkConfiguration")])
    assert not isinstance(every, str)
    assert len(slots(every)) >= 2
    for row in every:
        name, (attribute,) = row["variable"]["name"], row["variableAttribute"]
        wanted = "WriteOnly" if name == "BasicAuthPassword" else "ReadOnly" if name in ONE_VALUE else "ReadWrite"
        assert attribute.get("mutability", "ReadWrite") == wanted, name
    one = on("NetworkConfiguration")
    one["component"]["instance"] = "2"
    assert slots(report(it, of=[one])) == {"2"}
    one["component"]["instance"] = "99"
    assert report(it, of=[one]) == "EmptyResultSet"


@pytest.mark.req("B09.FR.08")
@pytest.mark.parametrize("kind", ["FullInventory", "ConfigurationInventory"])
def test_every_slot_of_a_network_profile_is_in_the_base_report(it: TestSystem, kind: str) -> None:
    every = base(it, kind)
    found = [row for row in every if row["component"]["name"] == "NetworkConfiguration"]
    (priority,) = [row for row in every if row["variable"]["name"] == "NetworkConfigurationPriority"]
    assert slots(found) == set(priority["variableCharacteristics"]["valuesList"].split(","))
    for slot in slots(found):
        of_slot = {row["variable"]["name"] for row in found if row["component"]["instance"] == slot}
        assert of_slot >= {"OcppCsmsUrl", "SecurityProfile", "MessageTimeout", "Identity", "BasicAuthPassword", "OcppInterface"}


@pytest.mark.req("B08.FR.01", "B08.FR.20")
def test_all_variables_where_none_is_named(it: TestSystem) -> None:
    found = places(report(it, of=[on("ClockCtrlr")]))
    assert {each[1] for each in found} >= {"DateTime", "TimeSource"}
    assert {each[0] for each in found} == {"ClockCtrlr"}


@pytest.mark.parametrize(
    "asked",
    [[on("UnknownComponent", "AvailabilityState")], [on("EVSE", "UnknownVariable")], [on("EVSE", "AvailabilityState", evse=9)]],
    ids=["component", "variable", "EVSE"],
)
@pytest.mark.req("B08.FR.15")
def test_nothing_by_that_name(it: TestSystem, asked: list[Payload]) -> None:
    assert report(it, of=asked) == "EmptyResultSet"
    assert report(it, "Available", of=asked) == "EmptyResultSet"
    assert places(report(it, of=[*asked, on("EVSE", "Power", evse=1)])) == {("EVSE", "Power", "", 1)}


@pytest.mark.req("B08.FR.17", "B08.FR.18")
def test_a_request_beyond_the_limits(it: TestSystem) -> None:
    limits = {each[1]: each for each in places(report(it, of=[on("DeviceDataCtrlr", instance=None)])) if each[2] == "GetReport"}
    assert set(limits) == {"ItemsPerMessage", "BytesPerMessage"}
    many: list[Any] = [on("EVSE", "Power")] * 101
    assert it.refused("GetReport", {"requestId": 1, "componentVariable": many}) == "OccurrenceConstraintViolation"
    long = [{"component": {"name": "x" * 50, "instance": "\u6f22" * 50}, "variable": {"name": "y" * 50, "instance": "\u6f22" * 50}}] * 100
    assert it.refused("GetReport", {"requestId": 1, "componentVariable": long}) == "FormatViolation"
    it.nothing("NotifyReport")
