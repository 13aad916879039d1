"""ChangeAvailability and the status of connectors."""

from typing import Any

import pytest

from chargepoint.events import (
    CablePluggedIn,
    EvDisconnected,
    EvseOutOfService,
    EvseSeen,
    FaultCleared,
    FaultRaised,
    MessageTriggered,
    OperationalChanged,
    PlugKept,
    PoweredUp,
    TransactionEnded,
    TransactionStarted,
)
from chargepoint.faults import METER_SILENT, RESIDUAL_CURRENT
from chargepoint.ocpp.blocks.availability import FIRST_LOOK_S, AvailabilityBlock
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from tests.unit.ocpp.block_rig import NOW, BlockRig

BLOCKS = (VariablesBlock, ProvisioningBlock, AvailabilityBlock)


@pytest.fixture
def station() -> BlockRig:
    station = BlockRig(BLOCKS)
    station.boot(interval=86_400)
    station.accept_all()
    return station


@pytest.fixture
def unseen() -> BlockRig:
    """Booted, before anybody looked at a pilot."""
    station = BlockRig(BLOCKS)
    station.hear(PoweredUp("PowerUp", "00", {}))
    station.link_up()
    station.answer("BootNotification", {"status": "Accepted", "interval": 86_400, "currentTime": NOW})
    return station


def order(station: BlockRig, status: str, evse: dict[str, int] | None = None) -> Any:
    return station.ask("ChangeAvailability", {"operationalStatus": status, **({"evse": evse} if evse else {})})["status"]


def told(station: BlockRig) -> Any:
    """What the CSMS hears now, and answers."""
    reports = [(c.payload["evseId"], c.payload["connectorStatus"]) for c in station.calls if c.action == "StatusNotification"]
    station.accept_all()
    return reports


def plug(station: BlockRig, evse_id: int = 1) -> None:
    station.context.evses[evse_id].plugged = True
    station.hear(CablePluggedIn(evse_id))


def unplug(station: BlockRig, evse_id: int = 1) -> None:
    station.context.evses[evse_id].plugged = False
    station.hear(EvDisconnected(evse_id))


def begin(station: BlockRig, evse_id: int = 1) -> None:
    plug(station, evse_id)
    station.context.evses[evse_id].transaction_id = "t1"
    station.hear(TransactionStarted(evse_id, "t1"))
    told(station)


def finish(station: BlockRig, evse_id: int = 1) -> None:
    station.context.evses[evse_id].transaction_id = ""
    station.hear(TransactionEnded(evse_id, "t1"))


def setting(station: BlockRig, variable: str, value: str) -> None:
    item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": variable}, "attributeValue": value}
    assert station.ask("SetVariables", {"setVariableData": [item]})["setVariableResult"][0]["attributeStatus"] == "Accepted"


@pytest.mark.req("G01.FR.01")
def test_plugging_in_and_out_is_reported(station: BlockRig) -> None:
    plug(station)
    assert told(station) == [(1, "Occupied")]
    unplug(station)
    assert told(station) == [(1, "Available")]


def test_a_transaction_keeps_its_socket_while_the_cable_is_out(station: BlockRig) -> None:
    station.machines[-1].sockets = {1}  # type: ignore[attr-defined]
    begin(station)
    unplug(station)
    assert told(station) == []
    finish(station)
    assert told(station) == [(1, "Available")]


@pytest.mark.req("TC_E_26")
def test_a_cable_of_the_station_is_free_when_it_hangs_there(station: BlockRig) -> None:
    begin(station)
    unplug(station)
    assert told(station) == [(1, "Available")]
    plug(station)
    assert told(station) == [(1, "Occupied")]


def test_a_plug_that_the_socket_holds_occupies(station: BlockRig) -> None:
    plug(station)
    told(station)
    station.context.evses[1].locked = True
    unplug(station)
    assert told(station) == []
    station.context.evses[1].locked = False
    station.hear(PlugKept(1, kept=False))
    assert told(station) == [(1, "Available")]


def test_a_transaction_that_waits_for_the_plug_does_not_occupy(station: BlockRig) -> None:
    station.context.evses[1].transaction_id = "t1"
    station.hear(TransactionStarted(1, "t1"))
    assert told(station) == []


def test_faults_that_stop_charging_show_and_others_do_not(station: BlockRig) -> None:
    faults = station.context.evses[1].faults
    faults[METER_SILENT] = "x"
    station.hear(FaultRaised(1, METER_SILENT, stops_charging=False))
    assert told(station) == []
    faults[RESIDUAL_CURRENT] = "x"
    station.hear(FaultRaised(1, RESIDUAL_CURRENT))
    assert told(station) == [(1, "Faulted")]
    faults.clear()
    station.hear(FaultCleared(1, RESIDUAL_CURRENT))
    assert told(station) == [(1, "Available")]


def test_reserved_shows_as_such(station: BlockRig) -> None:
    station.context.evses[2].reserved = True
    station.advance(0)
    station.hear(TransactionEnded(1, "other"))
    assert told(station) == [(2, "Reserved")]


@pytest.mark.req("G03.FR.01", "G03.FR.02", "G03.FR.03", "G04.FR.02", "G04.FR.04", "G04.FR.05")
@pytest.mark.parametrize(
    ("evse", "down", "key"),
    [(None, [1, 2], ""), ({"id": 1}, [1], "1"), ({"id": 2, "connectorId": 1}, [2], "2.1")],
)
def test_inoperative_and_back(station: BlockRig, evse: dict[str, int] | None, down: list[int], key: str) -> None:
    assert order(station, "Inoperative", evse) == "Accepted"
    assert told(station) == [(evse_id, "Unavailable") for evse_id in down]
    assert station.said(OperationalChanged) == [OperationalChanged(evse_id, operative=False) for evse_id in down]
    assert station.store["availability"] == {key: "Inoperative"}
    assert order(station, "Inoperative", evse) == "Accepted"
    assert told(station) == []
    assert order(station, "Operative", evse) == "Accepted"
    assert told(station) == [(evse_id, "Available") for evse_id in down]
    assert station.store["availability"] == {}
    assert all(facts.operative for facts in station.context.evses.values())


@pytest.mark.req("S-7")
@pytest.mark.parametrize(
    "evse", [{"id": 3}, {"id": 1, "connectorId": 2}, {"id": 1, "connectorId": 0}, {"id": 0, "connectorId": 1}, {"id": 2**31}]
)
def test_what_is_not_there_is_rejected(station: BlockRig, evse: dict[str, int] | None) -> None:
    assert order(station, "Inoperative", evse) == "Rejected"
    assert told(station) == []
    assert station.store.get("availability", {}) == {}


@pytest.mark.req("G03.FR.05", "G04.FR.06")
def test_a_running_transaction_schedules_and_the_other_evse_goes_at_once(station: BlockRig) -> None:
    begin(station)
    assert order(station, "Inoperative") == "Scheduled"
    assert told(station) == [(2, "Unavailable")]
    assert station.context.evses[1].operative
    finish(station)
    assert told(station) == [(1, "Unavailable")]


@pytest.mark.req("G03.FR.05")
@pytest.mark.req("G01.FR.05")
def test_available_is_never_shown_in_between(station: BlockRig) -> None:
    begin(station)
    assert order(station, "Inoperative", {"id": 1}) == "Scheduled"
    facts = station.context.evses[1]
    facts.plugged, facts.transaction_id = False, ""
    station.hear(EvDisconnected(1), TransactionEnded(1, "t1"))
    assert told(station) == [(1, "Unavailable")]


def test_operative_takes_a_scheduled_order_back(station: BlockRig) -> None:
    begin(station)
    assert order(station, "Inoperative", {"id": 1}) == "Scheduled"
    assert order(station, "Operative", {"id": 1}) == "Accepted"
    finish(station)
    unplug(station)
    assert told(station) == [(1, "Available")]


@pytest.mark.req("G03.FR.06", "G03.FR.07")
def test_a_connector_stays_down_when_its_evse_comes_back(station: BlockRig) -> None:
    order(station, "Inoperative", {"id": 1, "connectorId": 1})
    order(station, "Inoperative", {"id": 1})
    told(station)
    assert order(station, "Operative", {"id": 1}) == "Accepted"
    assert told(station) == []


@pytest.mark.req("G01.FR.02", "G03.FR.08", "G04.FR.09")
@pytest.mark.parametrize("evse", [None, {"id": 1}, {"id": 1, "connectorId": 1}])
def test_it_outlives_a_restart_and_available_is_not_shown_on_the_way(station: BlockRig, evse: dict[str, int] | None) -> None:
    order(station, "Inoperative", evse)
    again = station.restart()
    out = again.power_up()
    assert OperationalChanged(1, operative=False) in out
    again.link_up()
    again.answer("BootNotification", {"status": "Accepted", "interval": 300, "currentTime": "2026-11-24T12:00:00Z"})
    assert told(again)[0] == (1, "Unavailable")


def test_other_causes_add_up(station: BlockRig) -> None:
    station.hear(EvseOutOfService(1, "reset", out=True))
    order(station, "Inoperative", {"id": 1})
    assert told(station) == [(1, "Unavailable")]
    station.hear(EvseOutOfService(1, "reset", out=False))
    assert told(station) == []
    order(station, "Operative", {"id": 1})
    assert told(station) == [(1, "Available")]


@pytest.mark.req("B04.FR.02")
def test_after_a_short_outage_only_what_changed_is_told(station: BlockRig) -> None:
    station.link_down()
    plug(station, 2)
    plug(station, 1)
    unplug(station, 1)
    station.advance(59)
    station.link_up()
    assert told(station) == [(2, "Occupied")]


@pytest.mark.req("B04.FR.01")
def test_after_a_long_outage_everything_is_told(station: BlockRig) -> None:
    station.link_down()
    plug(station, 2)
    station.advance(61)
    station.link_up()
    assert told(station) == [(1, "Available"), (2, "Occupied")]


def test_a_status_has_the_time_when_it_came_about(station: BlockRig) -> None:
    station.link_down()
    station.advance(10)
    plug(station)
    station.advance(20)
    station.link_up()
    assert station.pop("StatusNotification").payload["timestamp"] == "2026-11-24T12:00:10.000Z"


def test_a_status_that_went_down_with_the_link_is_told_again(station: BlockRig) -> None:
    plug(station)
    station.link_down()
    station.link_up()
    assert told(station) == [(1, "Occupied")]


def test_a_status_that_the_csms_refuses_is_not_sent_for_ever(station: BlockRig) -> None:
    plug(station)
    station.refuse("StatusNotification", "FormatViolation")
    station.advance(3600)
    assert station.calls == []


def test_a_status_shorter_than_the_minimum_is_not_told(station: BlockRig) -> None:
    setting(station, "MinimumStatusDuration", "5")
    plug(station)
    station.advance(4)
    unplug(station)
    station.advance(60)
    assert told(station) == []
    plug(station)
    assert told(station) == []
    station.advance(5)
    assert told(station) == [(1, "Occupied")]


@pytest.mark.req("B04.FR.01", "G01.FR.01")
def test_notify_event_instead_when_it_is_set_so(station: BlockRig) -> None:
    setting(station, "StatusReporting", "NotifyEvent")
    plug(station)
    data = station.pop("NotifyEvent").payload["eventData"][0]
    assert (data["component"], data["variable"], data["actualValue"], data["trigger"]) == (
        {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        {"name": "AvailabilityState"},
        "Occupied",
        "Delta",
    )


def test_a_wanted_report_comes_even_unchanged(station: BlockRig) -> None:
    station.hear(MessageTriggered("StatusNotification", 2))
    assert told(station) == [(2, "Available")]
    station.hear(MessageTriggered("Heartbeat"))
    assert told(station) == []
    setting(station, "StatusReporting", "NotifyEvent")
    station.hear(MessageTriggered("StatusNotification"))
    assert told(station) == [(1, "Available"), (2, "Available")]


@pytest.mark.parametrize(
    ("states", "station_state"),
    [
        (("Available", "Occupied"), "Available"),
        (("Occupied", "Occupied"), "Occupied"),
        (("Unavailable", "Unavailable"), "Unavailable"),
        (("Occupied", "Unavailable"), "Occupied"),
    ],
)
def test_the_station_has_a_state_too(station: BlockRig, states: tuple[str, str], station_state: str) -> None:
    for evse_id, state in enumerate(states, 1):
        if state == "Occupied":
            plug(station, evse_id)
        if state == "Unavailable":
            order(station, "Inoperative", {"id": evse_id})
    asked = {"component": {"name": "ChargingStation"}, "variable": {"name": "AvailabilityState"}}
    assert station.ask("GetVariables", {"getVariableData": [asked]})["getVariableResult"][0]["attributeValue"] == station_state


@pytest.mark.req("B01.FR.05")
def test_a_car_that_is_plugged_in_already_is_not_told_as_available_first(unseen: BlockRig) -> None:
    assert told(unseen) == []
    plug(unseen, 1)
    unseen.hear(EvseSeen(1), EvseSeen(2))
    assert told(unseen) == [(1, "Occupied"), (2, "Available")]


@pytest.mark.req("B01.FR.05")
def test_a_pilot_that_nobody_reads_does_not_keep_the_csms_waiting(unseen: BlockRig) -> None:
    unseen.advance(FIRST_LOOK_S)
    assert told(unseen) == [(1, "Available"), (2, "Available")]
