"""What is new in OCPP 2.1 about transactions, and the reports, against CSMSs that are not ours; each frame passes their own validators."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chargepoint.events import Limits, LimitsWanted
from chargepoint.runtime.clock import VirtualClock
from tests.peers.foreign_csms import Settings
from tests.peers.site import CARD, UTC_S, Site, configured, ended, on_virtual_time, running
from tests.peers.test_sessions import Kind, kind, session, sound, started

pytestmark = pytest.mark.peer
__all__ = ["kind"]


@pytest.mark.req("B13", "E17")
def test_a_reset_that_leaves_the_transaction_open(kind: Kind, tmp_path: Path) -> None:
    async def main() -> None:
        async with started(kind, Settings(tokens={CARD.id_token: "Accepted"})) as csms:
            config, clock = configured(csms.url), VirtualClock(UTC_S)
            async with running(config, csms, tmp_path, clock=clock) as site:
                await site.told("StatusNotification")
                for name, value in (("ResumptionTimeout", "300"), ("AllowEnergyTransferResumption", "true")):
                    data = {"component": {"name": "TxCtrlr"}, "variable": {"name": name}, "attributeValue": value}
                    (result,) = (await site.call("SetVariables", {"setVariableData": [data]}))["setVariableResult"]
                    assert result["attributeStatus"] == "Accepted"
                await site.charge(30.0)
                board, transaction = site.board, site.transaction
                assert (await site.call("Reset", {"type": "ImmediateAndResume"}))["status"] == "Accepted"
                outcome = await ended(site)
                assert outcome.restart
            async with running(config, csms, tmp_path, board, start_reason="ApplicationReset", clock=clock) as site:
                resumed = await site.told("TransactionEvent", lambda p: p["triggerReason"] == "TxResumed")
                assert resumed["transactionInfo"]["transactionId"] == transaction
                await asyncio.sleep(30.0)
                status = await site.call("GetTransactionStatus", {"transactionId": transaction})
                assert status == {"ongoingIndicator": True, "messagesInQueue": False}
                await site.swipe()
                await site.told("TransactionEvent", lambda p: p["eventType"] == "Ended")
                sound(site.events())
            assert csms.invalid == []

    on_virtual_time(main)


@pytest.mark.req("E16")
def test_a_bound_is_told_and_kept(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        await site.charge(10.0)
        site.handle.tell(LimitsWanted(1, Limits(energy_Wh=150.0, time_s=3600)))
        told = await site.told("TransactionEvent", lambda p: p["triggerReason"] == "LimitSet")
        assert told["transactionInfo"]["transactionLimit"] == {"maxEnergy": 150.0, "maxTime": 3600}
        reached = await site.told("TransactionEvent", lambda p: p["triggerReason"] == "EnergyLimitReached", within_s=120.0)
        assert reached["transactionInfo"]["chargingState"] == "SuspendedEVSE"
        await asyncio.sleep(60.0)
        assert site.board.world.evses[1].register.import_Wh < 165.0

    session(kind, tmp_path, test)


def is_last(number: int, report: dict[str, Any]) -> bool:
    return report["requestId"] == number and not report.get("tbc")


@pytest.mark.req("B07", "B08", "J01", "G04")
def test_inventories_criteria_and_a_lone_meter(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        for number, base in enumerate(("ConfigurationInventory", "SummaryInventory"), 1):
            assert (await site.call("GetBaseReport", {"requestId": number, "reportBase": base}))["status"] == "Accepted"
            await site.told("NotifyReport", partial(is_last, number))
        assert (await site.call("GetReport", {"requestId": 3, "componentCriteria": ["Problem"]}))["status"] == "EmptyResultSet"
        await site.plug()
        await asyncio.sleep(4.0)
        assert (await site.call("TriggerMessage", {"requestedMessage": "MeterValues", "evse": {"id": 1}}))["status"] == "Accepted"
        values = await site.told("MeterValues")
        assert values["evseId"] == 1
        order = {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}}
        assert (await site.call("ChangeAvailability", order))["status"] == "Accepted"
        await site.told("StatusNotification", lambda p: p["connectorStatus"] == "Unavailable")

    session(kind, tmp_path, test)
