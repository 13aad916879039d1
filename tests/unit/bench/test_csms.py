"""The embedded CSMS: decent answers that fit their schemas, and all the ways to be no decent CSMS."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from bench.csms import Behaviour, EmbeddedCsms, Refused
from chargepoint.ocpp import schemas
from chargepoint.runtime.virtual import run_virtual

NOW = 1_767_225_600.0
TOKEN = {"idToken": "04A2", "type": "ISO14443"}
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "1"}
REQUESTS: dict[str, dict[str, Any]] = {
    "BootNotification": {"reason": "PowerUp", "chargingStation": {"vendorName": "v", "model": "m"}},
    "Authorize": {"idToken": TOKEN},
    "GetCertificateChainStatus": {
        "certificateStatusRequests": [{"source": "OCSP", "urls": ["http://x"], "certificateHashData": HASH}]
    },
}  # fmt: skip
FROM_STATION = (
    "BootNotification", "Heartbeat", "Authorize", "TransactionEvent", "StatusNotification", "MeterValues", "NotifyEvent", "NotifyReport",
    "NotifyMonitoringReport", "NotifyDisplayMessages", "NotifyCustomerInformation", "NotifyChargingLimit", "NotifyDERAlarm",
    "NotifyDERStartStop", "NotifyPriorityCharging", "NotifySettlement", "ClearedChargingLimit", "FirmwareStatusNotification",
    "PublishFirmwareStatusNotification", "LogStatusNotification", "ReportChargingProfiles", "ReportDERControl", "ReservationStatusUpdate",
    "SecurityEventNotification", "DataTransfer", "SignCertificate", "GetCertificateStatus", "Get15118EVCertificate",
    "GetCertificateChainStatus", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule", "PullDynamicScheduleUpdate", "VatNumberValidation",
    "OpenPeriodicEventStream", "ClosePeriodicEventStream", "NotifyWebPaymentStarted", "BatterySwap",
)  # fmt: skip


def transaction_event(kind: str = "Started", number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind, "seqNo": number, "timestamp": "2026-01-01T00:00:00Z", "triggerReason": "CablePluggedIn",
        "transactionInfo": {"transactionId": "T1"}, **more,
    }  # fmt: skip


@asynccontextmanager
async def station(csms: EmbeddedCsms, **more: Any) -> AsyncIterator[ClientConnection]:
    async with connect(f"{csms.url}/CP%201", subprotocols=[Subprotocol("ocpp2.1")], proxy=None, ping_interval=None, **more) as link:
        await csms.wait_connected("CP 1")
        yield link


async def ask(link: ClientConnection, action: str, payload: dict[str, Any]) -> Any:
    await link.send(json.dumps([2, "m1", action, payload]))
    kind, message_id, answer = json.loads(await link.recv())
    assert (kind, message_id) == (3, "m1")
    return answer


@pytest.mark.parametrize("action", FROM_STATION)
def test_a_decent_answer_fits_its_schema(action: str) -> None:
    async def story() -> None:
        payload = REQUESTS.get(action, transaction_event(idToken=TOKEN) if action == "TransactionEvent" else {})
        async with EmbeddedCsms(validate=False) as csms, station(csms) as link:
            answer = await ask(link, action, payload)
            assert schemas.check("v21", f"{action}Response", answer, received=True) is None

    asyncio.run(story())


def test_what_it_tells_of_tokens_time_and_registration() -> None:
    async def story() -> None:
        behaviour = Behaviour(boot_status="Pending", interval_s=7, tokens={"04A2": "Blocked"}, other_tokens="Invalid")
        async with EmbeddedCsms(behaviour, clock=lambda: NOW, validate=False) as csms, station(csms) as link:
            assert await ask(link, "BootNotification", {}) == {
                "currentTime": "2026-01-01T00:00:00.000Z",
                "interval": 7,
                "status": "Pending",
            }
            for token, status in (
                (TOKEN, "Blocked"),
                ({**TOKEN, "idToken": "x"}, "Invalid"),
                ({"idToken": "", "type": "NoAuthorization"}, "Accepted"),
            ):
                assert await ask(link, "Authorize", {"idToken": token}) == {"idTokenInfo": {"status": status}}
            assert await ask(link, "TransactionEvent", transaction_event()) == {}
            assert await ask(link, "TransactionEvent", transaction_event(idToken=TOKEN)) == {"idTokenInfo": {"status": "Blocked"}}

    asyncio.run(story())


def test_sessions_are_kept_with_what_came_of_them() -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=False) as csms, station(csms) as link:
            for event in (transaction_event(), transaction_event("Updated", 1), transaction_event("Updated", 1)):
                await ask(link, "TransactionEvent", event)
            session = csms.sessions["T1"]
            assert (session.identity, session.numbers, session.ended) == ("CP 1", [0, 1, 1], False)
            await ask(link, "TransactionEvent", transaction_event("Ended", 2))
            assert session.ended
            assert [event["seqNo"] for event in csms.calls_of("TransactionEvent", "CP 1")] == [0, 1, 1, 2]
            assert csms.calls_of("TransactionEvent", "CP2") == []
            assert (await csms.wait_for("TransactionEvent", lambda event: event["eventType"] == "Ended"))["seqNo"] == 2

    asyncio.run(story())


def test_it_calls_the_station_and_tells_its_refusal() -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=False) as csms, station(csms) as link:
            call = asyncio.ensure_future(csms.call("CP 1", "Reset", {"type": "OnIdle"}))
            kind, message_id, action, payload = json.loads(await link.recv())
            assert (kind, action, payload) == (2, "Reset", {"type": "OnIdle"})
            await link.send(json.dumps([3, "nobody's", {}]))
            await link.send(json.dumps([3, message_id, {"status": "Accepted"}]))
            assert await call == {"status": "Accepted"}
            call = asyncio.ensure_future(csms.call("CP 1", "Zorp", {}))
            message_id = json.loads(await link.recv())[1]
            await link.send(json.dumps([4, message_id, "NotImplemented", "no", {}]))
            with pytest.raises(Refused, match="NotImplemented: no"):
                await call
            with pytest.raises(KeyError):
                await csms.call("CP2", "Reset", {})

    asyncio.run(story())


def test_a_station_that_does_not_answer_is_given_up() -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=False) as csms, station(csms):
            with pytest.raises(TimeoutError):
                await csms.call("CP 1", "Reset", {"type": "OnIdle"}, timeout_s=30.0)

    run_virtual(story())


def test_slow_answers_do_not_hold_up_its_own_calls() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with EmbeddedCsms(Behaviour(delay_s=20.0), validate=False) as csms, station(csms) as link:
            begun = loop.time()
            await link.send(json.dumps([2, "slow", "Heartbeat", {}]))
            call = asyncio.ensure_future(csms.call("CP 1", "ClearCache", {}))
            message_id = json.loads(await link.recv())[1]
            await link.send(json.dumps([3, message_id, {"status": "Accepted"}]))
            await call
            assert loop.time() - begun < 1.0
            assert json.loads(await link.recv())[1] == "slow"
            assert loop.time() - begun >= 20.0

    run_virtual(story())


@pytest.mark.parametrize(
    ("told", "expected"),
    [({"a": 1}, [3, "m1", {"a": 1}]), ([4, "m1", "InternalError", "", {}], [4, "m1", "InternalError", "", {}]), ('["garbage', '["garbage')],
)
def test_any_answer_can_be_ordered(told: Any, expected: Any) -> None:
    async def story() -> None:
        behaviour = Behaviour(answer=lambda message_id, action, payload: told if action == "Heartbeat" else False)
        async with EmbeddedCsms(behaviour, validate=False) as csms, station(csms) as link:
            await link.send('[2, "never", "Authorize", {}]')
            await link.send('[2, "m1", "Heartbeat", {}]')
            text = await link.recv()
            assert text == expected if isinstance(told, str) else json.loads(text) == expected

    asyncio.run(story())


def test_garbage_is_noted_and_survived() -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=True) as csms, station(csms) as link:
            for text in ("{", "[]", '[2, "x"]', "7", '[2, "m", "TransactionEvent", {}]', '[2, "m", "Zorp", {}]'):
                await link.send(text)
            await link.send(
                '[6, "m", "NotifyPeriodicEventStream", {"id": 1, "pending": 0, "basetime": "2026-01-01T00:00:00Z", "data": []}]'
            )
            await link.recv()
            assert "currentTime" in await ask(link, "Heartbeat", {})
            assert len(csms.invalid) == 8
            assert any(each.startswith("Zorp: no such action") for each in csms.invalid)
            assert any("NotifyPeriodicEventStream" in each for each in csms.invalid)
            csms.invalid.clear()

    asyncio.run(story())


def test_a_frame_that_fits_is_not_invalid() -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=True) as csms, station(csms) as link:
            await ask(link, "BootNotification", REQUESTS["BootNotification"])
            await ask(link, "TransactionEvent", transaction_event())
            assert csms.invalid == []

    asyncio.run(story())


@pytest.mark.parametrize(("code", "said"), [(1012, 1012), (None, 1006)])
def test_it_hangs_up_politely_or_not(code: int | None, said: int) -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=False) as csms, station(csms) as link:
            await csms.drop("CP 1", code)
            with pytest.raises(ConnectionClosed) as closed:
                await link.recv()
            assert (closed.value.rcvd.code if closed.value.rcvd else 1006) == said
            async with station(csms):
                assert csms.connected_times == 2

    asyncio.run(story())


@pytest.mark.parametrize("refuse", [403, 404, 503])
def test_it_refuses_the_upgrade(refuse: int) -> None:
    async def story() -> None:
        async with EmbeddedCsms(Behaviour(refuse=refuse), validate=False) as csms:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{csms.url}/CP1", proxy=None)
            assert refused.value.response.status_code == refuse

    asyncio.run(story())


@pytest.mark.parametrize(
    ("credentials", "admitted"),
    [("CP 1:0123456789abcdef", True), ("CP 1:wrong", False), ("CP2:0123456789abcdef", False), ("", False), ("\udcff", False)],
)
def test_basic_authentication(credentials: str, admitted: bool) -> None:
    async def story() -> None:
        header = "Basic " + base64.b64encode(credentials.encode("utf-8", "surrogateescape")).decode()
        async with EmbeddedCsms(Behaviour(passwords={"CP 1": "0123456789abcdef"}), validate=False) as csms:
            status = 101
            try:
                async with station(csms, additional_headers={"Authorization": header}):
                    pass
            except InvalidStatus as refused:
                status = refused.response.status_code
            assert status == (101 if admitted else 401)

    asyncio.run(story())


def test_every_frame_is_shown_to_watchers() -> None:
    async def story() -> None:
        seen: list[tuple[str, str, str]] = []
        async with EmbeddedCsms(keep=False, validate=False) as csms, station(csms) as link:
            csms.watchers.append(lambda *frame: seen.append(frame))
            await ask(link, "NotifyEvent", {})
            assert seen == [("CP 1", "in", '[2, "m1", "NotifyEvent", {}]'), ("CP 1", "out", '[3, "m1", {}]')]
            assert (csms.received, csms.sessions) == ([], {})

    asyncio.run(story())
