"""Faults on the wire and in the device model."""

from typing import Any

import pytest

from chargepoint.events import FaultCleared, FaultRaised
from chargepoint.faults import BOARD_SILENT, FAULTS, LOCK, RESIDUAL_CURRENT
from chargepoint.ocpp.blocks.problems import MOST_NEWS, ProblemsBlock
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from tests.unit.ocpp.block_rig import BlockRig

BLOCKS = (VariablesBlock, ProvisioningBlock, ProblemsBlock)


@pytest.fixture
def station() -> BlockRig:
    station = BlockRig(BLOCKS)
    station.boot(interval=86_400)
    return station


def raise_(station: BlockRig, code: str, evse_id: int = 1, text: str = "") -> None:
    if evse_id:
        station.context.evses[evse_id].faults[code] = text
    station.hear(FaultRaised(evse_id, code, text))


def clear(station: BlockRig, code: str, evse_id: int = 1) -> None:
    if evse_id:
        del station.context.evses[evse_id].faults[code]
    station.hear(FaultCleared(evse_id, code))


def news(station: BlockRig) -> Any:
    found = []
    while "NotifyEvent" in station.actions():
        found += next(call for call in station.calls if call.action == "NotifyEvent").payload["eventData"]
        station.answer("NotifyEvent", {})
    return found


def row(station: BlockRig, component: str, variable: str, **evse: Any) -> Any:
    item = {"component": {"name": component, **({"evse": evse} if evse else {})}, "variable": {"name": variable}}
    return station.ask("GetVariables", {"getVariableData": [item]})["getVariableResult"][0].get("attributeValue")


@pytest.mark.req("G05.FR.01", "F-15")
def test_a_fault_is_told_when_it_comes_and_when_it_goes(station: BlockRig) -> None:
    raise_(station, RESIDUAL_CURRENT)
    (told,) = news(station)
    assert (told["component"], told["variable"], told["actualValue"], told["cleared"], told["techCode"], told["trigger"]) == (
        {"name": "RCD", "evse": {"id": 1}},
        {"name": "Tripped"},
        "true",
        False,
        "MREC2GroundFailure",
        "Delta",
    )
    assert (row(station, "RCD", "Tripped", id=1), row(station, "RCD", "Tripped", id=2), row(station, "ChargingStation", "Problem")) == (
        "true",
        "false",
        "true",
    )
    clear(station, RESIDUAL_CURRENT)
    (told,) = news(station)
    assert (told["actualValue"], told["cleared"]) == ("false", True)
    assert row(station, "ChargingStation", "Problem") == "false"


@pytest.mark.req("G05.FR.01")
def test_a_lock_that_fails_is_a_problem_of_its_connector(station: BlockRig) -> None:
    raise_(station, LOCK, 2)
    assert news(station)[0]["component"] == {"name": "ConnectorPlugRetentionLock", "evse": {"id": 2, "connectorId": 1}}
    assert row(station, "ConnectorPlugRetentionLock", "Problem", id=2, connectorId=1) == "true"


def test_a_fault_of_the_station_is_its_own_problem(station: BlockRig) -> None:
    raise_(station, BOARD_SILENT, 0)
    assert news(station)[0]["component"] == {"name": "ChargingStation"}
    assert row(station, "ChargingStation", "Problem") == "true"
    clear(station, BOARD_SILENT, 0)
    assert row(station, "ChargingStation", "Problem") == "false"


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_every_fault_has_its_row_and_its_message(station: BlockRig, code: str) -> None:
    raise_(station, code, 1, "x" * 600)
    (told,) = news(station)
    evse = told["component"]["evse"]
    assert row(station, told["component"]["name"], told["variable"]["name"], **evse) == "true"


def test_faults_without_a_link_are_told_later_with_their_time_and_none_twice(station: BlockRig) -> None:
    station.link_down()
    raise_(station, RESIDUAL_CURRENT)
    station.advance(30)
    clear(station, RESIDUAL_CURRENT)
    station.link_up()
    told = news(station)
    assert [(event["timestamp"], event["actualValue"]) for event in told] == [
        ("2026-11-24T12:00:00.000Z", "true"),
        ("2026-11-24T12:00:30.000Z", "false"),
    ]
    assert len({event["eventId"] for event in told}) == 2


def test_what_went_with_the_link_goes_again_and_what_was_refused_does_not(station: BlockRig) -> None:
    raise_(station, RESIDUAL_CURRENT)
    station.link_down()
    station.link_up()
    assert len(news(station)) == 1
    clear(station, RESIDUAL_CURRENT)
    station.refuse("NotifyEvent", "NotImplemented")
    assert station.calls == []


def test_the_news_are_bounded(station: BlockRig) -> None:
    station.link_down()
    for number in range(3 * MOST_NEWS):
        raise_(station, RESIDUAL_CURRENT, 1, str(number))
    station.link_up()
    told = news(station)
    assert [event["techInfo"] for event in told] == [str(number) for number in range(2 * MOST_NEWS, 3 * MOST_NEWS)]
