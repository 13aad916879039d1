"""The security log, its notifications, and the password."""

import json
from typing import Any

import pytest

from chargepoint.commands import Log
from chargepoint.events import OversizeReceived, PasswordChanged, PersistFailed, SecurityEvent
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.security import BASIC_AUTH_PASSWORD, MOST_ENTRIES, MOST_WAITING, SECURITY_EVENTS, SecurityBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from tests.unit.ocpp.block_rig import NOW_UTC, BlockRig

BLOCKS = (VariablesBlock, ProvisioningBlock, SecurityBlock)
OLD, NEW = "0123456789abcdef", "correct-horse-battery"


@pytest.fixture
def station() -> BlockRig:
    station = BlockRig(BLOCKS)
    station.boot(interval=86_400)
    station.accept_all()
    return station


def entries(station: BlockRig) -> Any:
    return [(row["type"], row["info"]) for _, row in sorted(station.store["security_log"].items(), key=lambda pair: int(pair[0]))]


def set_password(station: BlockRig, value: str) -> Any:
    item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": value}
    return station.ask("SetVariables", {"setVariableData": [item]})["setVariableResult"][0]


def test_there_are_21_events_and_these_five_stay_in_the_log() -> None:
    """Appendix 1 of OCPP 2.1 calls all others critical."""
    assert len(SECURITY_EVENTS) == 21
    assert {kind for kind, critical in SECURITY_EVENTS.items() if not critical} == {
        "FailedToAuthenticateAtCsms",
        "CsmsFailedToAuthenticate",
        "ReconfigurationOfSecurityParameters",
        "InvalidMessages",
        "AttemptedReplayAttacks",
    }


@pytest.mark.req("A04.FR.01", "A04.FR.04")
@pytest.mark.parametrize("kind", sorted(SECURITY_EVENTS))
def test_every_event_is_logged_and_the_critical_ones_are_told(station: BlockRig, kind: str) -> None:
    station.hear(SecurityEvent(kind, "why"))
    assert entries(station)[-1] == (kind, "why")
    told = [call.payload["type"] for call in station.calls if call.action == "SecurityEventNotification"]
    assert told == ([kind] if SECURITY_EVENTS[kind] else [])


def test_an_event_that_does_not_exist_is_a_mistake_of_the_program(station: BlockRig) -> None:
    before = len(entries(station))
    out = station.hear(SecurityEvent("Nonsense"))
    assert [entry.level for entry in out if isinstance(entry, Log)] == ["error"]
    assert len(entries(station)) == before


@pytest.mark.req("A04.FR.02")
def test_offline_they_wait_also_over_a_reboot(station: BlockRig) -> None:
    station.link_down()
    station.hear(SecurityEvent("TamperDetectionActivated", "lid"))
    again = station.restart()
    again.power_up()
    again.link_up()
    assert again.actions() == ["BootNotification"]
    again.answer("BootNotification", {"status": "Accepted", "interval": 300, "currentTime": "2026-11-24T12:30:00Z"})
    types = []
    while "SecurityEventNotification" in again.actions():
        types.append(next(call for call in again.calls if call.action == "SecurityEventNotification").payload["type"])
        again.answer("SecurityEventNotification", {})
    assert types == ["TamperDetectionActivated", "StartupOfTheDevice", "SettingSystemTime"]
    third = again.restart()
    third.boot()
    assert [c.payload["type"] for c in third.calls if c.action == "SecurityEventNotification"] == ["StartupOfTheDevice"]


def test_what_went_with_the_link_goes_again(station: BlockRig) -> None:
    station.hear(SecurityEvent("TamperDetectionActivated"))
    station.link_down()
    station.link_up()
    assert station.actions() == ["SecurityEventNotification"]


def test_one_that_the_csms_refuses_or_never_answers_does_not_hold_up_the_next(station: BlockRig) -> None:
    station.hear(SecurityEvent("TamperDetectionActivated", "1"), SecurityEvent("TamperDetectionActivated", "2"))
    station.refuse("SecurityEventNotification", "NotImplemented")
    for _ in range(3):
        assert [call.payload["techInfo"] for call in station.calls] == ["2"]
        station.refuse("SecurityEventNotification", "Timeout")
    assert station.calls == []


@pytest.mark.req("F-3")
def test_events_before_the_clock_was_right_are_told_with_the_right_time() -> None:
    station = BlockRig(BLOCKS, utc=100.0)
    station.power_up()
    station.advance(10)
    station.link_up()
    station.answer("BootNotification", {"status": "Accepted", "interval": 300, "currentTime": "2026-11-24T12:00:00Z"})
    call = station.pop("SecurityEventNotification")
    assert (call.payload["type"], call.payload["timestamp"]) == ("StartupOfTheDevice", "2026-11-24T11:59:50.000Z")


@pytest.mark.req("S-18")
def test_the_log_is_bounded_and_the_outside_cannot_turn_it(station: BlockRig) -> None:
    before = len(entries(station))
    for _ in range(5000):
        station.hear(OversizeReceived(10_000_000))
    assert len(entries(station)) == before + 1
    station.advance(61)
    station.hear(OversizeReceived(10_000_000))
    assert len(entries(station)) == before + 2
    station.link_down()
    for number in range(MOST_ENTRIES + 50):
        station.hear(SecurityEvent("TamperDetectionActivated", str(number)))
    assert len(station.store["security_log"]) == MOST_ENTRIES
    assert len(station.machines[-1].state.waiting) <= MOST_WAITING


@pytest.mark.parametrize(
    ("cause", "kind"),
    [("unauthorized", "FailedToAuthenticateAtCsms"), ("certificate", "InvalidCsmsCertificate"), ("tls", "CsmsFailedToAuthenticate")],
)
@pytest.mark.req("F-8")
def test_what_a_refused_connection_says(station: BlockRig, cause: str, kind: str) -> None:
    station.link_down(cause)
    assert entries(station)[-1][0] == kind


def test_a_full_disk_is_memory_exhaustion(station: BlockRig) -> None:
    station.hear(PersistFailed(("x",), "database or disk is full"))
    assert entries(station)[-1][0] == "MemoryExhaustion"


def test_other_firmware_at_the_start_is_told(station: BlockRig) -> None:
    assert "firmware_version" not in station.store.get("meta", {})
    one = station.restart()
    one.power_up(firmware_version="1")
    two = one.restart()
    two.power_up(firmware_version="2")
    assert entries(two)[-1] == ("FirmwareUpdated", "1 to 2")


@pytest.mark.req("A01.FR.01", "A01.FR.11", "A01.FR.12", "A01.FR.02")
def test_a_new_password_is_stored_answered_and_then_used(station: BlockRig) -> None:
    result = set_password(station, NEW)
    assert result["attributeStatus"] == "Accepted"
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == NEW
    assert station.store["variables"]["SecurityCtrlr.BasicAuthPassword"] == NEW
    kinds = [type(entry).__name__ for entry in station.log]
    assert kinds.index("Answer") < kinds.index("PasswordChanged")
    assert entries(station)[-1] == ("ReconfigurationOfSecurityParameters", "BasicAuthPassword")
    assert NEW not in json.dumps(station.store["security_log"])
    assert NEW not in repr([entry for entry in station.log if isinstance(entry, (Log, SecurityEvent))])


@pytest.mark.parametrize("value", ["short", "x" * 41, "ümlaut-ümlaut-ümlaut", "with\nnewline-and-more", ""])
def test_a_password_that_cannot_be_one_is_rejected_and_the_old_one_stays(station: BlockRig, value: str) -> None:
    assert set_password(station, value)["attributeStatus"] == "Rejected"
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == OLD
    assert not station.said(PasswordChanged)


def test_a_refused_password_falls_back_to_the_one_before(station: BlockRig) -> None:
    """Quirk 20 of the hubs, the other way round: the CSMS says it has taken it over, and has not."""
    set_password(station, NEW)
    station.link_down()
    station.link_down("unauthorized")
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == OLD
    assert station.said(PasswordChanged)[-1] == PasswordChanged(fell_back=True)
    assert station.store["variables"]["SecurityCtrlr.BasicAuthPassword"] == OLD
    station.link_up()
    assert "password_before" not in station.store["meta"]
    station.link_down("unauthorized")
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == OLD


def test_while_none_of_the_two_works_they_take_turns(station: BlockRig) -> None:
    set_password(station, NEW)
    seen = []
    for _ in range(4):
        station.link_down("unauthorized")
        seen.append(station.context.model.text(BASIC_AUTH_PASSWORD))
    assert seen == [OLD, NEW, OLD, NEW]
    station.link_up()
    station.link_down("unauthorized")
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == NEW


def test_the_one_before_outlives_a_restart_between_change_and_connection(station: BlockRig) -> None:
    set_password(station, NEW)
    again = station.restart()
    again.power_up()
    assert again.context.model.text(BASIC_AUTH_PASSWORD) == NEW
    again.link_down("unauthorized")
    assert again.context.model.text(BASIC_AUTH_PASSWORD) == OLD


def test_rows_of_the_security_controller(station: BlockRig) -> None:
    def get(name: Any) -> Any:
        item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": name}}
        return station.ask("GetVariables", {"getVariableData": [item]})["getVariableResult"][0].get("attributeValue")

    assert (get("Identity"), get("SecurityProfile"), get("BasicAuthPassword")) == ("CP1", "1", None)
    assert station.utc == NOW_UTC
