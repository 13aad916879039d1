"""GetVariables, SetVariables, and variables that are forced."""

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.commands import Log
from chargepoint.events import VariableForced
from chargepoint.ocpp.blocks.availability import MINIMUM_STATUS_DURATION, OFFLINE_THRESHOLD, AvailabilityBlock
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.security import BASIC_AUTH_PASSWORD, SecurityBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from chargepoint.ocpp.device_model import VariableChanged
from chargepoint.ocpp.messages import AnswerError
from tests.unit.ocpp.block_rig import CONFIG, BlockRig

BLOCKS = (VariablesBlock, ProvisioningBlock, AvailabilityBlock, SecurityBlock)


@pytest.fixture
def station() -> BlockRig:
    station = BlockRig(BLOCKS)
    station.boot()
    return station


def item(component: str, variable: str, value: str | None = None, **more: Any) -> Any:
    found = {"component": {"name": component}, "variable": {"name": variable}, **more}
    return found if value is None else {**found, "attributeValue": value}


def put(station: BlockRig, *items: Any) -> Any:
    return station.ask("SetVariables", {"setVariableData": list(items)})["setVariableResult"]


def get(station: BlockRig, *items: Any) -> Any:
    return station.ask("GetVariables", {"getVariableData": list(items)})["getVariableResult"]


@pytest.mark.req("B05.FR.01", "B05.FR.02", "B05.FR.03", "B05.FR.04", "B05.FR.05", "B05.FR.06", "B05.FR.10", "B05.FR.12")
def test_each_entry_gets_its_own_result_in_order(station: BlockRig) -> None:
    results = put(
        station,
        item("OCPPCommCtrlr", "OfflineThreshold", "30"),
        item("NoCtrlr", "OfflineThreshold", "30"),
        item("OCPPCommCtrlr", "NoVariable", "30"),
        item("OCPPCommCtrlr", "OfflineThreshold", "30", attributeType="Target"),
        item("ClockCtrlr", "DateTime", "2026-11-24T12:00:00Z"),
        item("OCPPCommCtrlr", "MinimumStatusDuration", "soon"),
        item("ClockCtrlr", "TimeAdjustmentReportingThreshold", "99999"),
        item("ocppcommctrlr", "heartbeatinterval", "30"),
    )
    assert [(r["attributeStatus"], r.get("attributeStatusInfo", {}).get("reasonCode")) for r in results] == [
        ("Accepted", None),
        ("UnknownComponent", None),
        ("UnknownVariable", None),
        ("NotSupportedAttributeType", None),
        ("Rejected", "ReadOnly"),
        ("Rejected", "InvalidValue"),
        ("Rejected", "ValueTooHigh"),
        ("Accepted", None),
    ]
    assert [r["attributeType"] for r in results] == ["Actual"] * 3 + ["Target"] + ["Actual"] * 4
    assert station.context.model.integer(OFFLINE_THRESHOLD) == 30
    assert station.context.model.integer(MINIMUM_STATUS_DURATION) == 0


@pytest.mark.req("B05.FR.13")
def test_the_same_variable_twice_in_one_request_changes_once(station: BlockRig) -> None:
    results = put(station, item("OCPPCommCtrlr", "OfflineThreshold", "30"), item("OCPPCommCtrlr", "OfflineThreshold", "31"))
    assert [r["attributeStatus"] for r in results] == ["Accepted", "Rejected"]
    assert station.context.model.integer(OFFLINE_THRESHOLD) == 30


def test_what_was_set_is_there_after_a_restart(station: BlockRig) -> None:
    put(station, item("OCPPCommCtrlr", "OfflineThreshold", "30"))
    assert station.store["variables"]["OCPPCommCtrlr.OfflineThreshold"] == "30"
    again = station.restart()
    again.power_up()
    assert again.context.model.integer(OFFLINE_THRESHOLD) == 30


def test_a_stored_row_that_is_no_longer_declared_is_named_and_left(station: BlockRig) -> None:
    station.store["variables"] = {"Gone.Row": "1", "OCPPCommCtrlr.OfflineThreshold": "never"}
    again = station.restart()
    out = again.power_up()
    assert sorted(c.values["why"] for c in out if isinstance(c, Log) and c.key == "variable.ignored") == [
        "Gone.Row: UnknownComponent",
        "OCPPCommCtrlr.OfflineThreshold: not a whole number",
    ]
    assert again.context.model.integer(OFFLINE_THRESHOLD) == 60


@pytest.mark.req("B06.FR.01", "B06.FR.06", "B06.FR.07", "B06.FR.08", "B06.FR.09", "B06.FR.10", "B06.FR.11")
def test_get_variables_gives_values_and_keeps_secrets(station: BlockRig) -> None:
    results = get(
        station,
        item("OCPPCommCtrlr", "OfflineThreshold"),
        item("SecurityCtrlr", "BasicAuthPassword"),
        item("NoCtrlr", "X"),
        item("OCPPCommCtrlr", "X"),
        item("OCPPCommCtrlr", "OfflineThreshold", attributeType="MaxSet"),
        {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "ItemsPerMessage", "instance": "GetVariables"}},
        {"component": {"name": "EVSE", "evse": {"id": 2}}, "variable": {"name": "AvailabilityState"}},
        {"component": {"name": "EVSE", "evse": {"id": 3}}, "variable": {"name": "AvailabilityState"}},
    )
    assert [(r["attributeStatus"], r.get("attributeValue")) for r in results] == [
        ("Accepted", "60"),
        ("Rejected", None),
        ("UnknownComponent", None),
        ("UnknownVariable", None),
        ("NotSupportedAttributeType", None),
        ("Accepted", "100"),
        ("Accepted", "Available"),
        ("UnknownComponent", None),
    ]


@pytest.mark.req("B06.FR.16", "S-7")
@pytest.mark.parametrize("entries", [101, 10_000])
def test_too_many_items_are_refused_whole(station: BlockRig, entries: int) -> None:
    refused = station.ask("GetVariables", {"getVariableData": [item("A", "B")] * entries})
    assert isinstance(refused, AnswerError)
    assert refused.code == "OccurrenceConstraintViolation"
    refused = station.ask("SetVariables", {"setVariableData": [item("OCPPCommCtrlr", "OfflineThreshold", "1")] * entries})
    assert isinstance(refused, AnswerError)
    assert station.context.model.integer(OFFLINE_THRESHOLD) == 60


@pytest.mark.req("B06.FR.17", "S-5")
def test_too_many_bytes_are_refused_whole(station: BlockRig) -> None:
    refused = station.ask("SetVariables", {"setVariableData": [item("A", "B", "x" * 2500)] * 20})
    assert isinstance(refused, AnswerError)
    assert refused.code == "FormatViolation"


@pytest.mark.req("S-5")
def test_a_value_at_the_schema_limit_is_judged_not_fatal(station: BlockRig) -> None:
    assert put(station, item("SecurityCtrlr", "BasicAuthPassword", "x" * 2500))[0]["attributeStatus"] == "Rejected"


def test_the_secret_is_in_no_log(station: BlockRig) -> None:
    put(station, item("SecurityCtrlr", "BasicAuthPassword", "correct horse battery"))
    told = [entry for entry in station.log if isinstance(entry, (Log, VariableChanged))]
    assert "correct horse" not in repr(told)


def test_forcing_goes_past_mutability_but_not_past_type(station: BlockRig) -> None:
    station.hear(VariableForced("ClockCtrlr", "TimeSource", "Heartbeat"))
    out = station.hear(VariableForced("OCPPCommCtrlr", "OfflineThreshold", "soon"))
    assert station.context.model.integer(OFFLINE_THRESHOLD) == 60
    assert [c.key for c in out if isinstance(c, Log)] == ["variable.refused"]
    station.hear(VariableForced("DeviceDataCtrlr", "ItemsPerMessage", "1", "GetVariables"))
    assert isinstance(station.ask("GetVariables", {"getVariableData": [item("A", "B")] * 2}), AnswerError)


def test_forcing_removes_and_brings_back(station: BlockRig) -> None:
    station.hear(VariableForced("OCPPCommCtrlr", "OfflineThreshold", None))
    assert get(station, item("OCPPCommCtrlr", "OfflineThreshold"))[0]["attributeStatus"] == "UnknownVariable"
    assert station.context.model.integer(OFFLINE_THRESHOLD) == 60
    station.hear(VariableForced("OCPPCommCtrlr", "OfflineThreshold", "5"))
    assert get(station, item("OCPPCommCtrlr", "OfflineThreshold"))[0]["attributeValue"] == "5"


def test_forcing_by_the_16_key(station: BlockRig) -> None:
    station.hear(VariableForced("", "HeartbeatInterval", "42"))
    assert get(station, item("OCPPCommCtrlr", "HeartbeatInterval"))[0]["attributeValue"] == "42"
    out = station.hear(VariableForced("", "NoSuchKey", "42"))
    assert [c.key for c in out if isinstance(c, Log)] == ["variable.unknown"]


def test_the_configuration_seeds_and_the_store_wins() -> None:
    config = replace(
        CONFIG, variables={"OCPPCommCtrlr.OfflineThreshold": "7", "SecurityCtrlr.BasicAuthPassword": "from-the-owner-0", "No.Row": "1"}
    )
    station = BlockRig(BLOCKS, config=config)
    out = station.power_up()
    assert (station.context.model.integer(OFFLINE_THRESHOLD), station.context.model.text(BASIC_AUTH_PASSWORD)) == (7, "from-the-owner-0")
    assert [c.values for c in out if isinstance(c, Log) and c.key == "variable.ignored"] == [{"why": "No.Row: UnknownComponent"}]
    station.link_up()
    station.answer("BootNotification", {"status": "Accepted", "interval": 300, "currentTime": "2026-11-24T12:00:00Z"})
    put(station, item("OCPPCommCtrlr", "OfflineThreshold", "8"))
    again = station.restart()
    again.power_up()
    assert again.context.model.integer(OFFLINE_THRESHOLD) == 8
