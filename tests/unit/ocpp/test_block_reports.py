"""GetBaseReport, GetReport and NotifyReport; each payload is held against its schema by the rig."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chargepoint.commands import Log
from chargepoint.config import DcConfig, EvseConfig
from chargepoint.events import ChargingState
from chargepoint.faults import RESIDUAL_CURRENT
from chargepoint.ocpp.blocks.availability import AvailabilityBlock
from chargepoint.ocpp.blocks.certificates import CertificatesBlock
from chargepoint.ocpp.blocks.data_transfer import DataTransferBlock
from chargepoint.ocpp.blocks.inventory import InventoryBlock
from chargepoint.ocpp.blocks.problems import ProblemsBlock
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.renewal import RenewalBlock
from chargepoint.ocpp.blocks.reports import ReportsBlock
from chargepoint.ocpp.blocks.reset import ResetBlock
from chargepoint.ocpp.blocks.security import SecurityBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from chargepoint.ocpp.messages import AnswerError
from hal.types import MeterSample
from tests.unit.ocpp.block_rig import CONFIG, BlockRig

BLOCKS = (
    VariablesBlock,
    ReportsBlock,
    ProvisioningBlock,
    AvailabilityBlock,
    InventoryBlock,
    ProblemsBlock,
    ResetBlock,
    SecurityBlock,
    CertificatesBlock,
    RenewalBlock,
    DataTransferBlock,
)


@pytest.fixture
def station() -> BlockRig:
    station = BlockRig(BLOCKS)
    station.boot(interval=86_400)
    station.accept_all()
    return station


def collect(station: BlockRig) -> Any:
    """All parts of the report that is under way."""
    parts = []
    while "NotifyReport" in station.actions():
        parts.append(next(call for call in station.calls if call.action == "NotifyReport").payload)
        station.answer("NotifyReport", {})
    return parts


def rows(parts: Any) -> Any:
    return {
        (
            data["component"]["name"],
            data["component"].get("evse", {}).get("id", 0),
            data["variable"]["name"],
            data["variable"].get("instance", ""),
        ): data
        for part in parts
        for data in part["reportData"]
    }


def base(station: BlockRig, kind: str, request_id: int = 7) -> Any:
    assert station.ask("GetBaseReport", {"requestId": request_id, "reportBase": kind}) == {"status": "Accepted"}
    return collect(station)


def report(station: BlockRig, **asked: Any) -> Any:
    answer = station.ask("GetReport", {"requestId": 9, **asked})
    return answer["status"] if answer["status"] != "Accepted" else rows(collect(station))


def test_direct_current_has_no_phases_and_the_power_of_its_stage() -> None:
    evse = EvseConfig(id=1, mode="dc", connector="cCCS2", dc=DcConfig(max_power_W=150_000))
    station = BlockRig(BLOCKS, replace(CONFIG, evses=(evse,)))
    station.boot(interval=86_400)
    station.accept_all()
    found = rows(base(station, "FullInventory"))
    values = {name: found[component, 1, name, ""] for component, name in (("EVSE", "SupplyPhases"), ("Connector", "ConnectorType"))}
    assert [row["variableAttribute"][0]["value"] for row in values.values()] == ["0", "cCCS2"]
    assert found["Connector", 1, "SupplyPhases", ""]["variableAttribute"][0]["value"] == "0"
    assert found["ChargingStation", 0, "SupplyPhases", ""]["variableAttribute"][0]["value"] == "3"
    assert found["EVSE", 1, "Power", ""]["variableCharacteristics"]["maxLimit"] == 150_000
    assert ("EVSE", 1, "DischargePower", "") not in found


def test_what_may_be_fed_back_is_a_row_of_its_own() -> None:
    evse = EvseConfig(id=1, mode="dc", connector="cCCS2", dc=DcConfig(max_discharge_W=20_000))
    station = BlockRig(BLOCKS, replace(CONFIG, evses=(evse, EvseConfig(id=2))))
    station.boot(interval=86_400)
    station.accept_all()
    facts = station.context.evses[1]
    facts.meter, facts.power_closed = MeterSample(1, 0.0, 0.0, -7_500.0, (-20.0,), (375.0,)), True
    found = rows(base(station, "FullInventory"))
    back = found["EVSE", 1, "DischargePower", ""]
    assert (back["variableAttribute"][0]["value"], back["variableCharacteristics"]["maxLimit"]) == ("7500.0", 20_000)
    assert found["EVSE", 1, "Power", ""]["variableAttribute"][0]["value"] == "0.0"
    assert ("EVSE", 2, "DischargePower", "") not in found


@pytest.mark.req("B07.FR.08", "B07.FR.10", "B07.FR.12")
def test_the_full_inventory_has_every_row_in_numbered_parts(station: BlockRig) -> None:
    parts = base(station, "FullInventory")
    assert len(parts) > 1
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    assert {part["requestId"] for part in parts} == {7}
    assert len({part["generatedAt"] for part in parts}) == 1
    assert len(rows(parts)) == len(station.context.model.rows) == sum(len(part["reportData"]) for part in parts)


def test_the_required_rows_of_these_blocks_are_there_with_what_the_standard_wants_of_them(station: BlockRig) -> None:
    found = rows(base(station, "FullInventory"))
    for key in [
        ("ChargingStation", 0, "AvailabilityState", ""),
        ("ChargingStation", 0, "Available", ""),
        ("ChargingStation", 0, "SupplyPhases", ""),
        ("ClockCtrlr", 0, "DateTime", ""),
        ("ClockCtrlr", 0, "TimeSource", ""),
        ("Connector", 1, "Available", ""),
        ("Connector", 2, "ConnectorType", ""),
        ("Connector", 1, "SupplyPhases", ""),
        *(
            ("DeviceDataCtrlr", 0, name, of)
            for name in ("BytesPerMessage", "ItemsPerMessage")
            for of in ("GetReport", "GetVariables", "SetVariables")
        ),
        ("EVSE", 2, "AvailabilityState", ""),
        ("EVSE", 1, "Available", ""),
        ("EVSE", 1, "SupplyPhases", ""),
        ("OCPPCommCtrlr", 0, "FileTransferProtocols", ""),
        ("OCPPCommCtrlr", 0, "OfflineThreshold", ""),
        ("OCPPCommCtrlr", 0, "ResetRetries", ""),
        ("SecurityCtrlr", 0, "AdditionalRootCertificateCheck", ""),
        ("SecurityCtrlr", 0, "CertificateEntries", ""),
        ("SecurityCtrlr", 0, "OrganizationName", ""),
        ("SecurityCtrlr", 0, "SecurityProfile", ""),
    ]:
        assert key in found
    power = found["EVSE", 2, "Power", ""]
    assert power["variableCharacteristics"]["maxLimit"] == 32.0 * 230.0
    assert found["EVSE", 2, "SupplyPhases", ""]["variableAttribute"][0]["value"] == "1"
    assert found["Connector", 1, "ConnectorType", ""]["component"] == {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}


@pytest.mark.req("B07.FR.03", "B07.FR.07")
def test_the_configuration_inventory_has_what_can_be_set_and_no_secret(station: BlockRig) -> None:
    found = rows(base(station, "ConfigurationInventory"))
    mutabilities = {data["variableAttribute"][0]["mutability"] for data in found.values()}
    assert mutabilities == {"ReadWrite", "WriteOnly"}
    assert "value" not in found["SecurityCtrlr", 0, "BasicAuthPassword", ""]["variableAttribute"][0]
    assert station.config.csms.basic_auth_password not in json.dumps(list(found.values()))


@pytest.mark.req("B07.FR.09")
def test_the_summary_has_availability_and_what_is_wrong(station: BlockRig) -> None:
    calm = rows(base(station, "SummaryInventory"))
    assert set(calm) == {
        ("ChargingStation", 0, "AvailabilityState", ""),
        *((c, e, "AvailabilityState", "") for c in ("EVSE", "Connector") for e in (1, 2)),
    }
    station.context.evses[1].faults[RESIDUAL_CURRENT] = "x"
    assert set(rows(base(station, "SummaryInventory"))) - set(calm) == {("RCD", 1, "Tripped", ""), ("ChargingStation", 0, "Problem", "")}


@pytest.mark.req("B08.FR.05", "B08.FR.07")
@pytest.mark.req("B08.FR.22")
def test_a_report_on_named_variables(station: BlockRig) -> None:
    asked = [
        {"component": {"name": "EVSE"}, "variable": {"name": "Power"}},
        {"component": {"name": "devicedatactrlr"}, "variable": {"name": "ItemsPerMessage"}},
        {"component": {"name": "Connector", "evse": {"id": 2}}},
        {"component": {"name": "Nowhere"}},
    ]
    found = report(station, componentVariable=asked)
    assert {key[:3] for key in found} == {
        ("EVSE", 1, "Power"),
        ("EVSE", 2, "Power"),
        ("DeviceDataCtrlr", 0, "ItemsPerMessage"),
        *(("Connector", 2, name) for name in ("Available", "AvailabilityState", "ConnectorType", "SupplyPhases", "Problem")),
    }


@pytest.mark.req("B08.FR.15", "S-7")
def test_nothing_found_is_an_empty_result_set(station: BlockRig) -> None:
    assert report(station, componentVariable=[{"component": {"name": "Nowhere"}}]) == "EmptyResultSet"
    assert report(station, componentVariable=[{"component": {"name": "EVSE", "evse": {"id": 3}}}]) == "EmptyResultSet"
    assert station.calls == []


@pytest.mark.req("B08.FR.05")
def test_criteria_choose_components(station: BlockRig) -> None:
    assert report(station, componentCriteria=["Problem"]) == "EmptyResultSet"
    station.context.evses[2].faults[RESIDUAL_CURRENT] = "x"
    found = report(station, componentCriteria=["Problem"])
    assert {key[0] for key in found} == {"ChargingStation"}
    assert ("OCPPCommCtrlr", 0, "OfflineThreshold", "") in report(station, componentCriteria=["Active"])
    assert report(station, componentCriteria=["Problem"], componentVariable=[{"component": {"name": "EVSE"}}]) == "EmptyResultSet"


@pytest.mark.req("B08.FR.17", "B08.FR.18", "S-7")
def test_a_request_beyond_the_limits_is_refused_whole(station: BlockRig) -> None:
    refused = station.ask("GetReport", {"requestId": 1, "componentVariable": [{"component": {"name": "A"}}] * 101})
    assert isinstance(refused, AnswerError)
    assert refused.code == "OccurrenceConstraintViolation"
    refused = station.ask(
        "GetReport",
        {
            "requestId": 1,
            "componentVariable": [
                {"component": {"name": "A" * 50, "instance": "\u00e9" * 50}, "variable": {"name": "B" * 50, "instance": "\u6f22" * 50}}
            ]
            * 100,
        },
    )
    assert isinstance(refused, AnswerError)
    assert refused.code == "FormatViolation"


def test_parts_keep_within_the_declared_limits() -> None:
    many = replace(CONFIG, evses=tuple(EvseConfig(id=n) for n in range(1, 41)))
    station = BlockRig(BLOCKS, config=many)
    station.boot(interval=86_400)
    station.accept_all()
    parts = base(station, "FullInventory")
    assert len(parts) > 8
    assert all(len(part["reportData"]) <= 100 and len(json.dumps(part, separators=(",", ":")).encode()) <= 8192 for part in parts)
    assert len(rows(parts)) == len(station.context.model.rows)


@pytest.mark.req("B07.FR.13", "B08.FR.16")
def test_reports_follow_each_other_and_too_many_are_refused(station: BlockRig) -> None:
    statuses = [station.ask("GetBaseReport", {"requestId": n, "reportBase": "FullInventory"})["status"] for n in range(6)]
    assert statuses == ["Accepted"] * 4 + ["Rejected"] * 2
    assert station.actions() == ["NotifyReport"]
    ids = [part["requestId"] for part in collect(station)]
    assert ids == sorted(ids)
    assert set(ids) == {0, 1, 2, 3}


def test_a_part_that_the_csms_refuses_does_not_stop_the_rest_and_a_lost_link_does(station: BlockRig) -> None:
    station.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    station.refuse("NotifyReport", "InternalError")
    assert station.actions() == ["NotifyReport"]
    station.link_down()
    station.link_up()
    assert "NotifyReport" not in station.actions()
    assert len([entry for entry in station.said(Log) if entry.key == "report.part_failed"]) == 2
    assert len(base(station, "SummaryInventory")) == 1


def test_rows_that_follow_the_station(station: BlockRig) -> None:
    facts = station.context.evses[2]
    facts.transaction_id, facts.charging_state, facts.power_closed = "t2", ChargingState.CHARGING, True
    facts.meter = MeterSample(2, 1234.5, 0.0, 3680.0, (16.0,), (230.0,), 50.0)
    found = rows(base(station, "FullInventory"))
    values = {key: data["variableAttribute"][0]["value"] for key, data in found.items() if "value" in data["variableAttribute"][0]}
    assert values["EVSE", 2, "ChargingState", ""] == "Charging"
    assert values["EVSE", 2, "ActiveTransactionId", ""] == values["ChargingStation", 0, "ActiveTransactionId", ""] == "t2"
    assert values["EVSE", 1, "ActiveTransactionId", ""] == ""
    assert values["FiscalMetering", 2, "EnergyImportRegister", ""] == "1234.5"
    assert values["EVSE", 2, "Power", ""] == "3680.0"
    assert values["FiscalMetering", 1, "EnergyImportRegister", ""] == ""
