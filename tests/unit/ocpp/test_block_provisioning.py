"""Boot, heartbeat, clock."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from chargepoint.commands import Log
from chargepoint.config import Timings
from chargepoint.events import MessageTriggered, RegistrationChanged, SecurityEvent, TimeSet
from chargepoint.ocpp.blocks.availability import AvailabilityBlock
from chargepoint.ocpp.blocks.provisioning import HEARTBEAT_INTERVAL, ProvisioningBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from tests.unit.ocpp.block_rig import CONFIG, NOW, NOW_UTC, BlockRig

BLOCKS = (VariablesBlock, ProvisioningBlock, AvailabilityBlock)
ACCEPTED = {"status": "Accepted", "interval": 300, "currentTime": NOW}


def rig(**more: Any) -> BlockRig:
    return BlockRig(BLOCKS, **more)


def answer(status: str = "Accepted", interval: int = 300, currentTime: str = NOW) -> Any:
    return {"status": status, "interval": interval, "currentTime": currentTime}


@pytest.mark.req("B01.FR.01")
def test_the_first_thing_on_a_link_is_boot_notification() -> None:
    station = rig()
    station.power_up("Watchdog", firmware_version="1.2.3")
    station.link_up()
    assert [(call.action, call.payload) for call in station.calls] == [
        (
            "BootNotification",
            {
                "reason": "Watchdog",
                "chargingStation": {"vendorName": "Acme", "model": "Wallbox 1", "serialNumber": "SN1", "firmwareVersion": "1.2.3"},
            },
        )
    ]


@pytest.mark.req("F-17")
def test_boot_waits_its_jitter_and_no_longer() -> None:
    config = replace(CONFIG, timings=Timings(boot_jitter_s=30))
    waits = set()
    for seed in range(20):
        station = rig(config=config, seed=str(seed))
        station.power_up()
        station.link_up()
        assert station.calls == []
        waits.add((station.machines[1].deadline() or 0.0) - station.now.mono)
        station.advance(30.0)
        assert station.actions() == ["BootNotification"]
    assert len(waits) == 20
    assert all(0 <= wait < 30 for wait in waits)


@pytest.mark.req("B01.FR.03", "B01.FR.04", "B01.FR.05", "B01.FR.08")
@pytest.mark.req("G02.FR.01")
def test_accepted_sets_the_heartbeat_and_reports_every_connector() -> None:
    station = rig()
    station.power_up()
    station.link_up()
    assert station.actions() == ["BootNotification"]
    out = station.answer("BootNotification", answer(interval=77))
    assert RegistrationChanged("Accepted") in out
    assert station.context.link.registration == "Accepted"
    assert station.context.model.integer(HEARTBEAT_INTERVAL) == 77
    assert [(c.action, c.payload["evseId"], c.payload["connectorStatus"]) for c in station.calls] == [
        ("StatusNotification", 1, "Available"),
        ("StatusNotification", 2, "Available"),
    ]
    station.accept_all()
    station.advance(76.9)
    assert station.calls == []
    station.advance(0.2)
    assert station.actions() == ["Heartbeat"]


@pytest.mark.req("B02.FR.02", "B02.FR.07", "B02.FR.08", "B03.FR.02", "B03.FR.05", "B03.FR.06")
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
@pytest.mark.parametrize(("interval", "waits"), [(10, 10), (0, 60)])
def test_not_accepted_is_silent_until_the_interval(status: str, interval: int, waits: int) -> None:
    station = rig()
    station.boot(status, interval)
    assert station.calls == []
    station.advance(waits - 0.1)
    assert station.calls == []
    station.advance(0.2)
    assert station.actions() == ["BootNotification"]
    station.answer("BootNotification", ACCEPTED)
    assert station.actions() == ["StatusNotification"] * 2


@pytest.mark.req("B03.FR.02")
def test_a_reconnect_does_not_shorten_the_interval_of_a_rejection() -> None:
    station = rig()
    station.boot("Rejected", 600)
    station.advance(10)
    station.link_down()
    station.link_up()
    assert station.calls == []
    station.advance(600)
    assert station.actions() == ["BootNotification"]


def test_a_mere_reconnect_does_not_boot_again() -> None:
    station = rig()
    station.boot()
    station.accept_all()
    station.link_down("pong")
    station.advance(5)
    station.link_up()
    assert station.calls == []


def test_another_network_profile_boots_again() -> None:
    station = rig()
    station.boot()
    station.link_down()
    station.link_up(slot=2)
    assert station.actions() == ["BootNotification"]
    assert not station.context.link.online


def test_a_link_that_breaks_during_boot_begins_anew_on_the_next() -> None:
    station = rig()
    station.power_up()
    station.link_up()
    station.link_down()
    station.link_up()
    assert station.actions() == ["BootNotification"]


@pytest.mark.parametrize("code", ["InternalError", "Timeout", "NotImplemented"])
def test_boot_answered_by_an_error_for_ever_backs_off(code: str) -> None:
    """Quirk 8 of the hubs: 24 hours of CALLERROR are few messages."""
    station = rig()
    station.power_up()
    station.link_up()
    times = []
    for _ in range(12):
        times.append(station.now.mono)
        station.refuse("BootNotification", code)
        assert station.calls == []
        while not station.calls:
            station.advance(1.0)
    gaps = [b - a for a, b in pairwise(times)]
    assert 10 <= gaps[0] <= 14
    assert gaps[1] > gaps[0]
    assert all(600 <= gap <= 751 for gap in gaps[7:])
    station.answer("BootNotification", ACCEPTED)
    assert station.context.link.online


@pytest.mark.req("F-3", "B01.FR.06")
def test_the_clock_follows_the_csms_and_a_jump_is_a_security_event() -> None:
    station = rig(utc=0.0)
    out = station.boot()
    assert station.context.clock.utc(station.now) == NOW_UTC
    assert TimeSet(NOW_UTC, NOW_UTC) in out
    assert any(isinstance(event, SecurityEvent) and event.type == "SettingSystemTime" for event in out)
    status = station.pop("StatusNotification")
    assert status.payload["timestamp"] == NOW


@pytest.mark.req("F-3")
def test_a_small_correction_is_no_security_event() -> None:
    station = rig(utc=NOW_UTC - 15)
    out = station.boot()
    assert TimeSet(15.0, 15.0) in out
    assert not [event for event in out if isinstance(event, SecurityEvent)]


@pytest.mark.req("B01.FR.06")
@pytest.mark.parametrize(
    ("sources", "board_utc", "taken"),
    [
        ("Heartbeat", NOW_UTC - 3600, True),
        ("Heartbeat,RealTimeClock", NOW_UTC - 3600, True),
        ("RealTimeClock,Heartbeat", NOW_UTC - 3600, False),
        ("RealTimeClock", NOW_UTC - 3600, False),
        ("RealTimeClock,Heartbeat", 1000.0, True),
        ("RealTimeClock", 1000.0, False),
    ],
)
def test_the_csms_sets_the_clock_where_it_is_a_source_and_no_better_one_is_set(sources: str, board_utc: float, *, taken: bool) -> None:
    station = rig(utc=board_utc, config=replace(CONFIG, variables={"ClockCtrlr.TimeSource": sources}))
    out = station.boot()
    assert (station.context.clock.utc(station.now) == NOW_UTC) is taken
    assert any(isinstance(event, TimeSet) for event in out) is taken
    assert station.context.clock.synchronised is (taken or board_utc > 1000)


@pytest.mark.req("B01.FR.06")
def test_another_source_counts_at_once_and_its_jump_is_a_security_event() -> None:
    station = rig(utc=NOW_UTC - 3600)
    station.boot(interval=10)
    station.accept_all()
    entry = {"component": {"name": "ClockCtrlr"}, "variable": {"name": "TimeSource"}, "attributeValue": "RealTimeClock"}
    answered = station.ask("SetVariables", {"setVariableData": [entry]})["setVariableResult"]
    assert answered[0]["attributeStatus"] == "Accepted"
    assert station.context.clock.offset_s == 0.0
    assert SecurityEvent("SettingSystemTime", "changed by -3600 s") in station.log
    station.advance(12)
    station.answer("Heartbeat", {"currentTime": "2026-11-24T13:00:00Z"})
    assert station.context.clock.offset_s == 0.0


@pytest.mark.parametrize("text", ["2026-11-24T13:00:00.123456+01:00", "2026-11-24T12:00:00.123Z", "2026-11-24T12:00:00Z"])
def test_times_are_read_in_every_usual_spelling(text: str) -> None:
    """Quirk 11 of the hubs."""
    station = rig(utc=0.0)
    station.power_up()
    station.link_up()
    station.answer("BootNotification", answer(currentTime=text))
    assert abs(station.context.clock.utc(station.now) - NOW_UTC) < 1


@pytest.mark.req("S-18")
def test_an_impossible_time_leaves_the_clock_alone_and_the_registration_standing() -> None:
    station = rig()
    out = station.power_up() + station.link_up() + station.answer("BootNotification", answer(currentTime="0001-01-01T00:00:00Z"))
    assert station.context.clock.offset_s == 0.0
    assert station.context.link.online
    assert any(isinstance(command, Log) and command.key == "clock.unreadable" for command in out)


@pytest.mark.req("G02")
@pytest.mark.req("G02.FR.02", "G02.FR.06")
def test_heartbeats_go_on_one_at_a_time_and_set_the_clock() -> None:
    station = rig()
    station.boot(interval=10)
    station.accept_all()
    station.advance(35)
    assert station.actions() == ["Heartbeat"]
    station.answer("Heartbeat", {"currentTime": "2026-11-24T13:00:00Z"})
    assert abs(station.context.clock.utc(station.now) - (NOW_UTC + 3600)) < 1
    station.refuse("Heartbeat") if station.calls else station.advance(10)
    station.refuse("Heartbeat")
    station.advance(10)
    assert station.actions() == ["Heartbeat"]


def test_no_heartbeat_without_a_link_and_one_at_once_when_it_is_late() -> None:
    station = rig()
    station.boot(interval=10)
    station.accept_all()
    station.link_down()
    station.advance(30)
    assert station.calls == []
    station.link_up()
    assert station.actions() == ["Heartbeat"]


def test_a_csms_that_has_forgotten_us_gets_a_boot_notification() -> None:
    station = rig()
    station.boot(interval=10)
    station.accept_all()
    station.advance(10)
    station.refuse("Heartbeat", "SecurityError")
    assert station.actions() == ["BootNotification"]


def test_set_variables_changes_the_interval() -> None:
    station = rig()
    station.boot(interval=300)
    station.accept_all()
    station.advance(5)
    item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}, "attributeValue": "20"}
    assert station.ask("SetVariables", {"setVariableData": [item]})["setVariableResult"][0]["attributeStatus"] == "Accepted"
    station.advance(20)
    assert station.actions() == ["Heartbeat"]


def test_date_time_is_what_it_is_when_somebody_asks() -> None:
    station = rig()
    station.boot()
    station.advance(60)
    item = {"component": {"name": "ClockCtrlr"}, "variable": {"name": "DateTime"}}
    assert station.ask("GetVariables", {"getVariableData": [item]})["getVariableResult"][0]["attributeValue"] == "2026-11-24T12:01:00.000Z"


@pytest.mark.req("F06.FR.06", "B02.FR.04")
def test_a_triggered_boot_ends_the_wait_of_pending() -> None:
    station = rig()
    station.boot("Pending", 3600)
    station.hear(MessageTriggered("BootNotification"))
    assert [call.payload["reason"] for call in station.calls] == ["Triggered"]
    station.answer("BootNotification", ACCEPTED)
    assert station.context.link.online
    station.accept_all()
    station.advance(299)
    assert station.calls == []


def test_a_triggered_heartbeat_comes_beside_the_others() -> None:
    station = rig()
    station.boot(interval=10)
    station.accept_all()
    station.hear(MessageTriggered("Heartbeat"))
    station.answer("Heartbeat", {"currentTime": NOW})
    station.advance(10)
    assert station.actions() == ["Heartbeat"]


def test_a_boot_that_could_not_even_be_sent_is_not_tried_in_a_circle() -> None:
    station = rig()
    station.power_up()
    station.link_up()
    station.refuse("BootNotification", "ConnectionLost")
    station.advance(3600)
    assert station.calls == []
    station.link_down()
    station.link_up()
    assert station.actions() == ["BootNotification"]
