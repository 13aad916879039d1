"""Reset of the station and of one EVSE, and the ordered end of the process."""

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.commands import Log, Persist, Put, Restart, StopProcess
from chargepoint.events import (
    AuthorisationEnded,
    EvseOutOfService,
    IdToken,
    Persisted,
    PersistFailed,
    SecurityEvent,
    ShutdownRequested,
    TransactionEnded,
)
from chargepoint.ocpp.blocks.availability import AvailabilityBlock
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.reset import DELIVERY_S, END_S, EVSE_DOWN_S, SHUTDOWN_DELIVERY_S, SHUTDOWN_END_S, ResetBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from tests.unit.ocpp.block_rig import BlockRig

BLOCKS = (VariablesBlock, ProvisioningBlock, AvailabilityBlock, ResetBlock)
TOKEN = IdToken("04AABBCC", "ISO14443")


@pytest.fixture
def station() -> BlockRig:
    station = BlockRig(BLOCKS)
    station.boot(interval=86_400)
    station.accept_all()
    station.log.clear()
    return station


def begin(station: BlockRig, evse_id: int = 1) -> None:
    facts = station.context.evses[evse_id]
    facts.plugged, facts.power_closed, facts.transaction_id, facts.id_token = True, True, f"t{evse_id}", TOKEN
    station.hear()


def finish(station: BlockRig, evse_id: int = 1) -> None:
    facts = station.context.evses[evse_id]
    facts.power_closed, facts.transaction_id, facts.id_token = False, "", None
    station.hear(TransactionEnded(evse_id, f"t{evse_id}"))


def operative(station: BlockRig, evse_id: int) -> bool:
    return station.context.evses[evse_id].operative


def reset(station: BlockRig, kind: str, evse_id: int | None = None) -> Any:
    return station.ask("Reset", {"type": kind, **({} if evse_id is None else {"evseId": evse_id})})


def reboot(station: BlockRig) -> Any:
    """The process ends and comes back; gives what its BootNotification says."""
    again = station.restart()
    again.power_up("ApplicationReset")
    again.link_up()
    return again, again.pop("BootNotification").payload["reason"]


@pytest.mark.req("B11.FR.01", "B11.FR.03", "B11.FR.04")
@pytest.mark.parametrize("kind", ["Immediate", "OnIdle"])
@pytest.mark.parametrize("evse_id", [None, 0])
def test_an_idle_station_restarts_at_once_and_says_why(station: BlockRig, kind: str, evse_id: int) -> None:
    assert reset(station, kind, evse_id) == {"status": "Accepted"}
    assert station.said(Restart) == [Restart("RemoteReset")]
    again, reason = reboot(station)
    assert reason == "RemoteReset"
    assert reboot(again)[1] == "ApplicationReset"


def test_the_reason_is_on_disk_before_the_restart(station: BlockRig) -> None:
    station.writes = False
    reset(station, "Immediate")
    assert station.said(Restart) == []
    assert Persist((Put("meta", "boot_reason", "RemoteReset"),), ("reset:boot_reason",)) in station.log
    station.hear(PersistFailed(("reset:boot_reason",), "disk full"))
    assert station.said(Restart) == [Restart("RemoteReset")]


@pytest.mark.req("B12.FR.02", "B12.FR.04")
def test_immediate_ends_transactions_first(station: BlockRig) -> None:
    begin(station)
    assert reset(station, "Immediate") == {"status": "Accepted"}
    assert station.said(AuthorisationEnded) == [AuthorisationEnded(1, "ImmediateReset", "ResetCommand", at_once=False)]
    assert SecurityEvent("ResetOrReboot", "RemoteReset") in station.log
    assert station.said(Restart) == []
    finish(station)
    assert station.said(Restart) == []
    station.advance(DELIVERY_S)
    assert station.said(Restart) == [Restart("RemoteReset")]


def test_a_transaction_that_does_not_end_does_not_hold_up_the_reset_for_ever(station: BlockRig) -> None:
    begin(station)
    reset(station, "Immediate")
    station.advance(END_S - 0.1)
    assert station.said(Restart) == []
    station.advance(0.2)
    assert station.said(Restart) == [Restart("RemoteReset")]


@pytest.mark.req("B12.FR.01", "B12.FR.03")
def test_on_idle_waits_and_lets_nothing_new_begin(station: BlockRig) -> None:
    begin(station)
    assert reset(station, "OnIdle") == {"status": "Scheduled"}
    assert not operative(station, 2)
    assert operative(station, 1)
    station.advance(3600)
    assert station.said(Restart) == []
    finish(station)
    assert station.said(Restart) == [Restart("ScheduledReset")]
    assert reboot(station)[1] == "ScheduledReset"


def test_several_transactions_are_all_waited_for(station: BlockRig) -> None:
    begin(station, 1)
    begin(station, 2)
    reset(station, "OnIdle")
    finish(station, 1)
    assert station.said(Restart) == []
    assert not operative(station, 1)
    finish(station, 2)
    assert station.said(Restart) == [Restart("ScheduledReset")]


def test_a_plug_that_is_still_held_is_not_idle(station: BlockRig) -> None:
    station.context.evses[2].locked = True
    assert reset(station, "OnIdle") == {"status": "Scheduled"}


def test_immediate_overtakes_one_that_waits(station: BlockRig) -> None:
    begin(station)
    reset(station, "OnIdle")
    assert reset(station, "Immediate") == {"status": "Accepted"}
    finish(station)
    station.advance(DELIVERY_S)
    assert station.said(Restart) == [Restart("RemoteReset")]


@pytest.mark.req("B11.FR.02", "B12.FR.06")
def test_unavailable_stays_over_a_reset(station: BlockRig) -> None:
    station.ask("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    reset(station, "Immediate")
    assert station.store["availability"] == {"1": "Inoperative"}
    again, _ = reboot(station)
    assert not operative(again, 1)
    assert operative(again, 2)


@pytest.mark.req("B11.FR.08")
@pytest.mark.parametrize("kind", ["Immediate", "OnIdle"])
def test_one_evse_goes_down_and_comes_back_without_a_restart(station: BlockRig, kind: str) -> None:
    assert reset(station, kind, 1) == {"status": "Accepted"}
    assert [(c.payload["evseId"], c.payload["connectorStatus"]) for c in station.calls] == [(1, "Unavailable")]
    station.accept_all()
    station.advance(EVSE_DOWN_S)
    assert [(c.payload["evseId"], c.payload["connectorStatus"]) for c in station.calls] == [(1, "Available")]
    assert station.said(Restart) == []


@pytest.mark.req("B12.FR.08")
def test_one_evse_immediately_ends_its_transaction_only(station: BlockRig) -> None:
    begin(station, 1)
    begin(station, 2)
    assert reset(station, "Immediate", 1) == {"status": "Accepted"}
    assert [event.evse_id for event in station.said(AuthorisationEnded)] == [1]
    assert operative(station, 1)
    finish(station, 1)
    assert not operative(station, 1)
    station.advance(EVSE_DOWN_S)
    assert operative(station, 1)
    assert station.context.evses[2].transaction_id == "t2"


@pytest.mark.req("B12.FR.07")
def test_one_evse_on_idle_waits_for_its_own_transaction(station: BlockRig) -> None:
    begin(station, 1)
    begin(station, 2)
    assert reset(station, "OnIdle", 1) == {"status": "Scheduled"}
    assert station.said(AuthorisationEnded) == []
    finish(station, 1)
    assert not operative(station, 1)
    station.advance(EVSE_DOWN_S)
    assert operative(station, 1)


@pytest.mark.req("B11.FR.09", "B11.FR.10", "B12.FR.09", "S-7")
def test_what_cannot_be_reset_is_rejected(station: BlockRig) -> None:
    assert reset(station, "Immediate", 3)["statusInfo"]["reasonCode"] == "UnknownEvse"
    assert reset(station, "ImmediateAndResume")["status"] == "Rejected"
    config = replace(station.config, variables={"EVSE@1.AllowReset": "false"})
    strict = BlockRig(BLOCKS, config=config)
    strict.boot()
    assert reset(strict, "Immediate", 1)["status"] == "Rejected"
    assert reset(strict, "OnIdle", 2)["status"] == "Accepted"


def test_a_restart_that_does_not_happen_is_tried_again_and_then_given_up(station: BlockRig) -> None:
    reset(station, "Immediate")
    station.advance(3600)
    assert station.said(Restart) == [Restart("RemoteReset")] * 4
    assert "station.reset_failed" in [entry.key for entry in station.said(Log)]
    assert all(facts.operative for facts in station.context.evses.values())
    assert reboot(station)[1] == "ApplicationReset"


@pytest.mark.parametrize("found", ["PowerUp", "Watchdog"])
def test_power_that_was_away_and_a_process_that_hung_are_no_ordered_restart(station: BlockRig, found: str) -> None:
    reset(station, "Immediate")
    again = station.restart()
    again.power_up(found)
    again.link_up()
    assert again.pop("BootNotification").payload["reason"] == found
    assert reboot(again)[1] == "ApplicationReset"


@pytest.mark.req("F-18")
def test_sigterm_opens_at_once_and_stops_when_the_end_is_on_disk(station: BlockRig) -> None:
    begin(station)
    station.hear(ShutdownRequested())
    assert station.said(AuthorisationEnded) == [AuthorisationEnded(1, "Reboot", "ResetCommand", at_once=True)]
    assert station.said(StopProcess) == []
    finish(station)
    assert station.said(StopProcess) == []  # the Ended gets a moment to reach the CSMS
    station.advance(SHUTDOWN_DELIVERY_S)
    assert station.said(StopProcess) == [StopProcess()]
    assert station.said(Restart) == []
    assert reboot(station)[1] == "LocalReset"


@pytest.mark.req("F-18")
def test_sigterm_waits_for_nobody_who_is_not_there(station: BlockRig) -> None:
    begin(station)
    station.context.link.connected = False
    station.hear(ShutdownRequested())
    finish(station)
    assert station.said(StopProcess) == [StopProcess()]


@pytest.mark.req("F-18")
def test_sigterm_does_not_wait_for_ever(station: BlockRig) -> None:
    begin(station)
    station.hear(ShutdownRequested())
    station.advance(SHUTDOWN_END_S)
    assert station.said(StopProcess) == [StopProcess()]
    assert SHUTDOWN_END_S < 5


def test_a_shutdown_is_not_the_reason_when_the_power_was_away_since(station: BlockRig) -> None:
    station.hear(ShutdownRequested())
    again = station.restart()
    again.power_up("PowerUp", uptime_s=20.0)
    again.link_up()
    assert again.pop("BootNotification").payload["reason"] == "PowerUp"


def test_going_down_takes_all_out_of_service(station: BlockRig) -> None:
    station.hear(ShutdownRequested())
    assert [event.evse_id for event in station.said(EvseOutOfService) if event.out] == [1, 2]
    assert reset(station, "Immediate")["status"] == "Rejected"


@pytest.mark.req("B12.FR.01")
def test_a_suspended_transaction_is_a_transaction(station: BlockRig) -> None:
    begin(station)
    station.context.evses[1].power_closed = False
    assert reset(station, "OnIdle") == {"status": "Scheduled"}


def test_only_its_own_row_on_disk_lets_the_station_go(station: BlockRig) -> None:
    begin(station)
    reset(station, "Immediate")
    station.hear(Persisted(("transaction:t1:3",)))
    assert station.said(Restart) == []
