"""The link machine on pure ticks: who is dialled, when, how often, and what the others may read of it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from chargepoint.commands import CloseLink, Log, OpenLink, SetPingInterval
from chargepoint.config import CsmsConfig
from chargepoint.events import (
    LinkCause,
    LinkDown,
    LinkSwitched,
    LinkUp,
    PasswordChanged,
    ShutdownRequested,
    VariableForced,
)
from chargepoint.ocpp.blocks.network import MESSAGE_TIMEOUT
from chargepoint.ocpp.link_state import Turns
from tests.unit.ocpp.block_rig import CONFIG
from tests.unit.ocpp.link_rig import LinkRig, slots

THREE = replace(CONFIG, network_profiles=slots(2, 3))


def keys(station: LinkRig) -> list[str]:
    return [log.key for log in station.said(Log)]


# ---- who is dialled


@pytest.mark.req("B10.FR.01", "B10.FR.03", "B10.FR.04", "B10.FR.07", "F-8")
@pytest.mark.parametrize(
    ("priority", "attempts", "good", "dialled"),
    [
        ("1", 3, 0, [1, 1, 1, 1, 1, 1, 1]),
        ("2,1", 1, 0, [2, 1, 2, 1, 2, 1]),
        ("2,1", 2, 0, [2, 2, 1, 1, 2, 2, 1, 1]),
        ("2,1", 2, 1, [2, 2, 1, 1, 2, 2, 1, 1]),
        ("2,3", 2, 1, [2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 1, 1]),
        ("1,2,3", 1, 2, [1, 2, 3, 2, 1, 2, 3, 2]),
        ("3", 3, 1, [3, 3, 3, 1, 1, 1, 3, 3, 3, 1]),
        ("3", 2, 7, [3, 3, 3, 3]),
    ],
)
def test_each_profile_has_its_attempts_then_the_next_then_the_last_good(
    priority: str, attempts: int, good: int, dialled: list[int]
) -> None:
    rows = {"OCPPCommCtrlr.NetworkConfigurationPriority": priority, "OCPPCommCtrlr.NetworkProfileConnectionAttempts": str(attempts)}
    station = LinkRig(THREE, {"meta": {"network_slot": good}} if good else {}, rows)
    station.power_up()
    station.fail(len(dialled) - 1)
    assert station.dialled == dialled


@pytest.mark.req("B10.FR.07")
def test_a_connection_that_is_lost_is_tried_first_and_the_round_goes_on_behind_it() -> None:
    rows = {"OCPPCommCtrlr.NetworkConfigurationPriority": "1,2,3", "OCPPCommCtrlr.NetworkProfileConnectionAttempts": "2"}
    station = LinkRig(THREE, {}, rows)
    station.power_up()
    station.fail(2)
    station.up()
    station.advance(600)
    station.fail(12)
    assert station.dialled == [1, 1, 2, *[2, 2, 3, 3, 1, 1, 2, 2, 1, 1, 2, 2]]


def test_turns_with_nothing_usable_stay_where_they_are() -> None:
    turns = Turns(slot=1)
    turns.failed_once([], [], attempts=1)
    assert turns.slot == 1


@pytest.mark.parametrize("last_good", [None, "x", [], {}, -1, 99])
def test_a_damaged_row_about_the_last_good_slot_is_no_obstacle(last_good: object) -> None:
    station = LinkRig(CONFIG, {"meta": {"network_slot": last_good}})
    station.power_up()
    station.fail(7)
    assert set(station.dialled) == {1}


# ---- when


@pytest.mark.req("F-8")
@pytest.mark.parametrize(
    ("minimum", "repeat", "waits"),
    [(5, 3, [5, 10, 20, 40, 40, 40]), (1, 0, [1, 1, 1, 1]), (60, 2, [60, 120, 240, 240]), (1, 16, [1, 2, 4, 8, 16, 32, 64, 128])],
)
def test_the_wait_is_doubled_and_then_stays(minimum: int, repeat: int, waits: list[float]) -> None:
    rows = {"OCPPCommCtrlr.RetryBackOffWaitMinimum": str(minimum), "OCPPCommCtrlr.RetryBackOffRepeatTimes": str(repeat)}
    station = LinkRig(variables=rows)
    station.power_up()
    station.fail(len(waits))
    assert station.waits == waits


@pytest.mark.req("S-17", "F-8")
def test_chance_spreads_the_stations() -> None:
    rows = {"OCPPCommCtrlr.RetryBackOffWaitMinimum": "10", "OCPPCommCtrlr.RetryBackOffRandomRange": "30"}
    firsts = set()
    for seed in range(8):
        station = LinkRig(variables={**rows, "OCPPCommCtrlr.RetryBackOffRepeatTimes": "0"})
        station.context.entropy.seed_hex = str(seed)
        station.power_up()
        station.fail(10)
        assert all(10 <= wait < 40 for wait in station.waits)
        assert len(set(station.waits)) > 5
        firsts.add(station.waits[0])
    assert len(firsts) == 8


@pytest.mark.req("S-17")
@pytest.mark.parametrize("held_s", [0.0, 1.0, 5.0])
def test_a_second_station_with_our_id_makes_us_no_faster_than_the_back_off(held_s: float) -> None:
    """Both throw each other out as soon as they connect: it must not become a race (csms 10: closed 1011 every 5 s)."""
    station = LinkRig()
    station.power_up()
    for _ in range(20):
        station.accepted()
        station.advance(held_s)
        station.fail(1, "closed")
    assert [wait - held_s for wait in station.waits[:7]] == [5, 10, 20, 40, 80, 160, 160]


def test_a_connection_that_held_begins_anew() -> None:
    station = LinkRig()
    station.power_up()
    station.fail(4)
    station.up()
    station.advance(60)
    station.fail(2, "pong")
    assert station.waits[-2:] == [60 + 5, 10]


@pytest.mark.req("F-5", "F-8")
@pytest.mark.parametrize("cause", get_args(LinkCause))
def test_every_cause_waits_its_turn_and_is_named(cause: LinkCause) -> None:
    station = LinkRig()
    station.power_up()
    station.down(cause, "in words")
    logs = [log.values for log in station.said(Log) if log.key == "link.down"]
    assert logs == [{"cause": cause, "why": "in words", "again_in_s": 5, "slot": 1}]
    assert len(station.dials) == 1
    station.advance(4.9)
    assert len(station.dials) == 1
    station.advance(0.2)
    assert len(station.dials) == 2


@pytest.mark.parametrize(
    "forced", [("RetryBackOffWaitMinimum", "0"), ("RetryBackOffWaitMinimum", "-7"), ("NetworkProfileConnectionAttempts", "-1"),
               ("RetryBackOffRepeatTimes", "-1"), ("RetryBackOffRandomRange", "-100"), ("NetworkConfigurationPriority", "x,,9"),
               ("WebSocketPingInterval", "-5"), ("RetryBackOffWaitMinimum", None)]
)  # fmt: skip
def test_a_value_forced_past_its_limits_neither_floods_nor_stops_the_link(forced: tuple[str, str | None]) -> None:
    station = LinkRig()
    station.power_up()
    station.hear(VariableForced("OCPPCommCtrlr", *forced))
    station.fail(5)
    assert all(wait >= 1 for wait in station.waits)
    assert all(dial.ping_interval_s >= 0 for _, dial in station.dials)


# ---- what the others read


def test_facts_stand_before_the_others_hear() -> None:
    """The boot block sends at LinkUp: it found the link up, so the link machine was there first."""
    station = LinkRig()
    station.power_up()
    facts = station.context.link
    assert (facts.connected, facts.offline_since) == (False, 1000.0)
    station.advance(3)
    station.up()
    assert station.actions() == ["BootNotification"]
    assert (facts.connected, facts.slot, facts.security_profile, facts.subprotocol, facts.offline_since) == (True, 1, 1, "ocpp2.1", None)
    station.advance(100)
    station.down()
    assert (facts.connected, facts.subprotocol, facts.offline_since) == (False, "", 1103.0)
    station.fail(2)
    assert facts.offline_since == 1103.0


@pytest.mark.parametrize("stale", [LinkUp(1, "ocpp2.1"), LinkDown(1, "closed")])
def test_the_answer_to_an_earlier_attempt_says_nothing(stale: object) -> None:
    station = LinkRig()
    station.power_up()
    station.fail(1)
    station.hear(stale)
    assert not station.context.link.connected
    assert len(station.dials) == 2
    assert station.link.deadline() is None
    station.up()
    station.hear(LinkDown(1, "closed"))
    assert station.context.link.connected


def test_a_second_up_says_nothing_new() -> None:
    station = LinkRig()
    station.power_up()
    station.up()
    station.advance(30)
    assert not [log for log in station.hear(LinkUp(1, "ocpp2.0.1")) if isinstance(log, Log) and log.key == "link.up"]
    assert station.context.link.subprotocol == "ocpp2.1"


def test_the_order_says_all_that_the_port_needs() -> None:
    station = LinkRig()
    station.power_up()
    assert station.last == OpenLink(1, 1, "ws://localhost/CP1", "CP1", 1, "0123456789abcdef", ("ocpp2.1",), 30.0)
    assert "0123456789abcdef" not in repr(station.last)


@pytest.mark.parametrize(("value", "wildcards"), [(None, False), ("false", False), ("true", True)])
def test_wildcards_of_the_csms_are_taken_where_the_row_says_so(value: str | None, wildcards: bool) -> None:
    station = LinkRig(variables={"SecurityCtrlr.AllowCSMSTLSWildcards": value} if value else None)
    station.power_up()
    assert station.last.wildcards is wildcards


@pytest.mark.parametrize("wildcard", [True, False])
def test_a_csms_that_is_known_by_a_wildcard_cannot_lock_the_station_out(wildcard: bool) -> None:
    """The next connection would not come about, and nobody could set it back."""
    name = "SecurityCtrlr.AllowCSMSTLSWildcards"
    station = LinkRig(variables={name: "true"})
    station.power_up()
    station.hear(LinkUp(station.last.attempt, "ocpp2.1", wildcard=wildcard))
    station.accepted()
    assert station.set(name, "true") == "Accepted"
    assert station.set(name, "false") == ("Rejected" if wildcard else "Accepted")
    station.down()
    station.advance(30.0)
    assert station.last.wildcards is wildcard
    if wildcard:
        station.hear(LinkUp(station.last.attempt, "ocpp2.1"))
        station.accepted()
        assert station.set(name, "false") == "Accepted"  # it has a certificate of its own name by now


# ---- what is asked for


@pytest.mark.req("F-5")
def test_another_ping_interval_counts_at_once() -> None:
    station = LinkRig()
    station.power_up()
    station.accepted()
    assert station.set("OCPPCommCtrlr.WebSocketPingInterval", "7") == "Accepted"
    assert station.said(SetPingInterval) == [SetPingInterval(7.0)]
    station.fail(1)
    assert station.last.ping_interval_s == 7.0
    station.hear(VariableForced("OCPPCommCtrlr", "WebSocketPingInterval", "9"))  # dialling already
    station.down()
    station.hear(VariableForced("OCPPCommCtrlr", "WebSocketPingInterval", "11"))
    assert station.said(SetPingInterval) == [SetPingInterval(7.0), SetPingInterval(9.0)]


def test_a_pulled_network_is_not_dialled_until_it_is_back() -> None:
    station = LinkRig()
    station.power_up()
    station.accepted()
    assert CloseLink(1001, "network switched off") in station.hear(LinkSwitched(up=False))
    station.down()
    station.advance(86_400)
    assert len(station.dials) == 1
    assert station.hear(LinkSwitched(up=False)) == []
    station.hear(LinkSwitched(up=True))
    assert len(station.dials) == 2
    assert station.hear(LinkSwitched(up=True)) == []


def test_a_network_pulled_while_waiting_and_while_dialling() -> None:
    station = LinkRig()
    station.power_up()
    station.down("unreachable")
    station.hear(LinkSwitched(up=False))
    assert station.link.deadline() is None
    station.hear(LinkSwitched(up=True))
    assert len(station.dials) == 2
    assert any(isinstance(command, CloseLink) for command in station.hear(LinkSwitched(up=False)))
    station.down("closed", "given up while dialling")
    assert station.link.deadline() is None


def test_put_back_before_it_was_gone_waits_like_any_other() -> None:
    station = LinkRig()
    station.power_up()
    station.accepted()
    station.hear(LinkSwitched(up=False), LinkSwitched(up=True))
    station.down()
    assert station.link.deadline() == station.now.mono + 5


@pytest.mark.req("F-18")
@pytest.mark.parametrize("connected", [True, False])
def test_nothing_is_dialled_once_the_end_has_begun(connected: bool) -> None:
    station = LinkRig()
    station.power_up()
    if connected:
        station.up()
    else:
        station.down("dns")
    station.hear(ShutdownRequested())
    assert station.context.link.connected is connected
    if connected:
        station.down()
    station.advance(3600)
    station.hear(LinkSwitched(up=False), LinkSwitched(up=True))
    assert len(station.dials) == 1


@pytest.mark.req("B10.FR.06")
def test_a_mere_reconnect_boots_no_second_time_and_another_slot_does() -> None:
    station = LinkRig(replace(THREE, variables={"OCPPCommCtrlr.NetworkConfigurationPriority": "1,2"}))
    station.power_up()
    station.accepted()
    station.fail(1)
    station.up()
    assert "BootNotification" not in station.actions()
    station.fail(4)
    assert station.last.slot == 2
    station.up()
    assert station.actions() == ["BootNotification"]


def test_a_profile_taken_into_use_brings_its_message_timeout_once() -> None:
    config = replace(CONFIG, network_profiles=slots(2, messageTimeout=45), variables={"OCPPCommCtrlr.NetworkConfigurationPriority": "2"})
    station = LinkRig(config)
    station.power_up()
    station.accepted()
    assert station.context.model.integer(MESSAGE_TIMEOUT) == 45
    station.hear(VariableForced("OCPPCommCtrlr", "MessageTimeout", "20", "Default"))
    station.fail(1)
    station.accepted()
    assert station.context.model.integer(MESSAGE_TIMEOUT) == 20


# ---- what cannot be dialled


@pytest.mark.parametrize(
    ("csms", "said"),
    [
        (CsmsConfig(), "link.no_csms"),
        (CsmsConfig(url="http://hub.example/", security_profile=1), "network.profile"),
        (CsmsConfig(url="ws://hub.example/"), "network.profile"),
        (CsmsConfig(url="wss://hub.example/", security_profile=3), "network.profile"),
        (CsmsConfig(url="ws://hub.example/", security_profile=1, basic_auth_password="short"), "link.password"),
        (CsmsConfig(url="wss://hub.example/", security_profile=2), "link.password"),
        (CsmsConfig(url="ws://hub.example/", security_profile=0, versions=("ocpp1.6",)), "link.no_csms"),
    ],
)
@pytest.mark.req("S-17")
def test_without_a_way_to_a_csms_the_station_says_why_and_waits(csms: CsmsConfig, said: str) -> None:
    station = LinkRig(replace(CONFIG, csms=csms))
    station.power_up()
    assert said in keys(station)
    assert not station.dials
    station.hear(LinkSwitched(up=False), LinkSwitched(up=True), PasswordChanged())
    station.advance(3600)
    assert not station.dials


@pytest.mark.req("S-17")
def test_no_security_is_dialled_only_when_asked_for() -> None:
    assert CsmsConfig().security_profile == 2
    asked = LinkRig(replace(CONFIG, csms=CsmsConfig(url="ws://hub.example/", identity="CP1", security_profile=0)))
    asked.power_up()
    assert (asked.last.security_profile, asked.last.password) == (0, "")
    station = LinkRig(replace(CONFIG, network_profiles=slots(2, profile=0)), variables={"OCPPCommCtrlr.NetworkConfigurationPriority": "2"})
    station.power_up()
    station.fail(5)
    assert set(station.dialled) == {1}


@pytest.mark.parametrize(
    "entry", [{}, {"configurationSlot": "x", "connectionData": {}}, {"configurationSlot": 2}, {"configurationSlot": 9, "connectionData": slots(9)[0]["connectionData"]},
              {"configurationSlot": 2, "connectionData": None}, {"configurationSlot": None, "connectionData": {}}]
)  # fmt: skip
def test_a_profile_of_the_configuration_that_cannot_be_read_is_named(entry: dict[str, object]) -> None:
    station = LinkRig(replace(CONFIG, network_profiles=(entry,)))
    station.power_up()
    assert "network.config" in keys(station)
    assert station.dialled == [1]
