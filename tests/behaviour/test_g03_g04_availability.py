"""OCPP 2.1 G03, G04: availability ordered while a reset and a transaction are going on."""

import pytest

from chargepoint.commands import Restart
from chargepoint.events import CablePluggedIn, EvDisconnected, TransactionEnded, TransactionStarted
from tests.unit.ocpp.block_rig import BlockRig
from tests.unit.ocpp.test_block_reports import BLOCKS


def statuses(station: BlockRig) -> list[tuple[int, str]]:
    found = [(c.payload["evseId"], c.payload["connectorStatus"]) for c in station.calls if c.action == "StatusNotification"]
    station.accept_all()
    return found


def charging() -> BlockRig:
    station = BlockRig(BLOCKS)
    station.boot()
    facts = station.context.evses[1]
    facts.plugged, facts.transaction_id, facts.power_closed = True, "t1", True
    station.hear(CablePluggedIn(1), TransactionStarted(1, "t1"))
    station.accept_all()
    return station


def leave(station: BlockRig) -> None:
    facts = station.context.evses[1]
    facts.plugged, facts.transaction_id, facts.power_closed = False, "", False
    station.hear(EvDisconnected(1), TransactionEnded(1, "t1"))


@pytest.mark.req("G03.FR.05", "TC_G_11", "TC_G_14", "TC_G_17")
@pytest.mark.parametrize("evse", [None, {"id": 1}, {"id": 1, "connectorId": 1}])
def test_an_order_during_a_transaction_comes_true_after_it_and_outlives_the_reset(evse: dict[str, int] | None) -> None:
    station = charging()
    order = {"operationalStatus": "Inoperative", **({"evse": evse} if evse else {})}
    assert station.ask("ChangeAvailability", order)["status"] == "Scheduled"
    assert station.ask("Reset", {"type": "OnIdle"})["status"] == "Scheduled"
    statuses(station)
    leave(station)
    assert (1, "Available") not in statuses(station)
    assert station.said(Restart) == [Restart("ScheduledReset")]
    again = station.restart()
    again.boot()
    assert statuses(again)[0] == (1, "Unavailable")


@pytest.mark.req("TC_B_23", "B12.FR.06")
def test_a_reset_that_waited_leaves_nothing_out_of_service_behind() -> None:
    station = charging()
    station.ask("Reset", {"type": "OnIdle"})
    statuses(station)
    leave(station)
    again = station.restart()
    again.boot()
    assert statuses(again) == [(1, "Available"), (2, "Available")]
