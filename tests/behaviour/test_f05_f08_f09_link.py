"""A network and a CSMS that fail while a car charges: what was begun goes on, is told once, and nobody is flooded (F-5, F-6, F-8, F-9)."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.csms.server import Behaviour
from chargepoint.config import StationConfig
from chargepoint.events import LinkSwitched
from chargepoint.runtime.clock import VirtualClock
from tests.behaviour.link_site import IDENTITY, PASSWORD, Box, a_box, a_csms, configured, counted, server_tls, set_variable, the_session
from tests.unit.runtime.csms_rig import Freezer, a_listener, virtually
from tests.unit.runtime.tls_pki import DAY, NOW, root

NO_CHANCE = {"OCPPCommCtrlr.RetryBackOffRandomRange": "0"}


@pytest.mark.req("F-5", "E04.FR.03", "B04.FR.01")
def test_a_wire_cut_without_a_word_is_noticed_and_the_charge_goes_on(tmp_path: Path) -> None:
    """Quirk 19 of the hubs: a station that does not come back after an unanswered ping."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with a_csms() as csms:
            wire = Freezer(csms.url)
            async with a_listener(wire.talk) as url:
                config = configured(
                    url, {**NO_CHANCE, "OCPPCommCtrlr.WebSocketPingInterval": "10", "SampledDataCtrlr.TxUpdatedInterval": "30"}
                )
                async with a_box(config, tmp_path) as box:
                    await csms.wait_for("StatusNotification")
                    await box.charge()
                    wire.frozen, cut_at = True, loop.time()
                    await box.next_down()
                    assert box.causes == ["pong"]
                    assert loop.time() - cut_at <= 20
                    await asyncio.sleep(600)
                    assert box.closed
                    wire.frozen = False
                    await csms.wait_for("TransactionEvent", lambda event: event.get("offline", False), timeout_s=300)
                    await asyncio.sleep(60)
                    box.board.unplug(1)
                    await csms.wait_for("TransactionEvent", lambda event: event["eventType"] == "Ended")
                    assert wire.most_open == 1
            session = the_session(csms)
            assert any(event.get("offline") for event in session.events)
            assert not session.events[-1].get("offline")
            assert counted(csms)["BootNotification"] == 1

    virtually(story())


@pytest.mark.req("S-17", "F-8")
def test_a_csms_that_hangs_up_every_five_seconds_meets_the_back_off_and_one_transaction(tmp_path: Path) -> None:
    """Quirk 10 of the hubs: 1011, again and again, in the middle of a transaction."""

    async def story() -> None:
        async with a_csms() as csms, a_box(configured(csms.url, NO_CHANCE), tmp_path) as box:
            await csms.wait_for("StatusNotification")
            await box.charge()
            began = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() - began < 600:
                await asyncio.sleep(5)
                if IDENTITY in csms.connections:
                    await csms.drop(IDENTITY, 1011)
            assert box.closed
            waits = [round(later - earlier) for earlier, later in pairwise(box.dials)]
            assert all(least <= wait <= least + 10 for least, wait in zip([10, 20, 40, 80, 160, 160], waits[1:], strict=True))
            assert csms.connected_times <= 9
            await csms.wait_connected(IDENTITY, timeout_s=300)
            box.board.unplug(1)
            await csms.wait_for("TransactionEvent", lambda event: event["eventType"] == "Ended")
            the_session(csms)
            assert counted(csms)["BootNotification"] == 1

    virtually(story())


@pytest.mark.req("F-8", "B01.FR.01")
@pytest.mark.parametrize(
    ("status", "cause", "event"),
    [(401, "unauthorized", "FailedToAuthenticateAtCsms"), (403, "forbidden", ""), (404, "not_found", ""), (503, "http", "")],
)
def test_a_csms_that_turns_us_away_for_an_hour(status: int, cause: str, event: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_csms(behaviour=Behaviour(refuse=status)) as csms, a_box(configured(csms.url, NO_CHANCE), tmp_path) as box:
            await asyncio.sleep(3600)
            assert set(box.causes) == {cause}
            assert 20 <= len(box.dials) <= 30  # 160 s at the end
            events = {log.values["type"] for log in box.logs if log.key == "security.event"} - {"StartupOfTheDevice"}
            assert events == ({event} if event else set())
            csms.behaviour.refuse = 0
            await csms.wait_for("BootNotification", timeout_s=300)

    virtually(story())


@pytest.mark.req("F-8", "B10.FR.04", "B10.FR.07")
def test_the_second_csms_takes_over_in_the_middle_of_a_charge(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_csms() as second:
            connection = {
                "ocppInterface": "Any",
                "ocppTransport": "JSON",
                "messageTimeout": 30,
                "ocppCsmsUrl": second.url,
                "securityProfile": 1,
            }
            profiles = ({"configurationSlot": 2, "connectionData": connection},)
            rows = {**NO_CHANCE, "OCPPCommCtrlr.NetworkConfigurationPriority": "1,2", "OCPPCommCtrlr.NetworkProfileConnectionAttempts": "2"}
            async with a_csms() as first:
                config = configured(first.url, rows, network_profiles=profiles)
                async with a_box(config, tmp_path) as box:
                    await first.wait_for("StatusNotification")
                    await box.charge()
                    await _gone(first, box)
                    await second.wait_for("BootNotification", timeout_s=300)
                    assert box.causes == ["closed", "http", "http"]
                    box.board.unplug(1)
                    await second.wait_for("TransactionEvent", lambda event: event["eventType"] == "Ended")
                    await asyncio.sleep(1)
                    assert not box.closed
        (before,), (after,) = first.sessions.values(), second.sessions.values()
        told = before.events + after.events
        assert [event["seqNo"] for event in told] == list(range(len(told)))

    virtually(story())


async def _gone(csms: Any, box: Box) -> None:
    csms.behaviour.refuse = 503
    await csms.drop(IDENTITY, 1001)
    await asyncio.sleep(0)


@pytest.mark.req("F-6", "E13.FR.01")
@pytest.mark.parametrize("delay_s", [29.0, 31.0])
def test_a_slow_csms_never_sees_two_calls_at_once(delay_s: float, tmp_path: Path) -> None:
    async def story() -> None:
        open_calls: list[str] = []
        most = 0
        sent_at: dict[str, float] = {}

        def watch(identity: str, direction: str, text: str) -> None:
            nonlocal most
            frame, now = json.loads(text), asyncio.get_running_loop().time()
            open_calls[:] = [each for each in open_calls if now - sent_at[each] < 30]
            if direction == "in" and frame[0] == 2:
                open_calls.append(frame[1])
                sent_at[frame[1]] = now
                most = max(most, len(open_calls))
            elif direction == "out" and frame[1] in open_calls:
                open_calls.remove(frame[1])

        def config(url: str) -> StationConfig:
            return configured(url, {"SampledDataCtrlr.TxUpdatedInterval": "20"})

        async with a_csms() as csms, a_box(config(csms.url), tmp_path) as box:
            await csms.wait_for("StatusNotification")
            await box.charge()
            csms.behaviour.delay_s = delay_s
            csms.watchers.append(watch)
            await asyncio.sleep(400)
            assert (most, box.closed, box.causes) == (1, True, [])
            late = [log for log in box.logs if log.key == "rpc.late_answer"]
            assert (0 < len(late) <= 2) is (delay_s > 30)
            csms.behaviour.delay_s = 0.0
            box.board.unplug(1)
            await csms.wait_for("TransactionEvent", lambda event: event["eventType"] == "Ended", timeout_s=600)

    virtually(story())


@pytest.mark.req("F-9", "S-29", "A04.FR.01")
def test_a_certificate_that_runs_out_ends_no_connection_and_allows_no_new_one(tmp_path: Path) -> None:
    ca = root()
    good = ca.issue("localhost").write(tmp_path, "good")
    old = ca.issue("localhost", ends=NOW - DAY / 2).write(tmp_path, "old")
    tls = server_tls(*good)

    async def story() -> None:
        clock = VirtualClock(NOW.timestamp())
        async with a_csms(clock, tls=tls) as csms:
            config = configured(csms.url, NO_CHANCE, csms={"security_profile": 2, "ca_file": ca.write(tmp_path, "ca")[0]})
            async with a_box(config, tmp_path / "state", clock) as box:
                await csms.wait_for("StatusNotification")
                tls.load_cert_chain(*old)
                await asyncio.sleep(3600)
                assert box.causes == []
                await csms.drop(IDENTITY)
                await asyncio.sleep(100)
                assert box.causes == ["closed", *["certificate"] * (len(box.causes) - 1)]
                assert len(box.causes) > 3
                tls.load_cert_chain(*good)
                told = await csms.wait_for(
                    "SecurityEventNotification", lambda event: event["type"] == "InvalidCsmsCertificate", timeout_s=300
                )
                assert "expired" in told["techInfo"]

    virtually(story())


@pytest.mark.req("A01.FR.01", "A01.FR.02", "TC_A_09", "TC_A_10")
@pytest.mark.parametrize("honest", [True, False])
def test_a_new_password_over_a_real_connection(honest: bool, tmp_path: Path) -> None:
    """Quirk 20 of the hubs. A CSMS that does not take the password that it has set gets the old one again."""
    new = "aNewPassword4Station"

    async def story() -> None:
        behaviour = Behaviour(passwords={IDENTITY: PASSWORD})
        async with a_csms(behaviour=behaviour) as csms, a_box(configured(csms.url, NO_CHANCE), tmp_path) as box:
            await csms.wait_for("StatusNotification")
            if honest:
                behaviour.passwords = {IDENTITY: new}
            assert await set_variable(csms, "SecurityCtrlr.BasicAuthPassword", new) == "Accepted"
            await asyncio.sleep(30)
            assert IDENTITY in csms.connections
            assert box.causes == ([] if honest else ["unauthorized"])
            assert csms.connected_times == 2
            assert counted(csms)["BootNotification"] == 1

    virtually(story())


@pytest.mark.req("S-18", "S-25")
def test_a_frame_that_is_too_large_is_answered_and_the_next_one_served(tmp_path: Path) -> None:
    async def story() -> None:
        answers: list[Any] = []
        async with a_csms() as csms, a_box(configured(csms.url), tmp_path) as box:
            await csms.wait_for("StatusNotification")
            csms.watchers.append(lambda _, direction, text: answers.append(json.loads(text)) if direction == "in" else None)
            await csms.send_raw(IDENTITY, json.dumps([2, "big", "DataTransfer", {"vendorId": "x" * 1_500_000}]))
            await asyncio.sleep(1)
            assert [answer[:3] for answer in answers] == [[4, "-1", "RpcFrameworkError"]]
            assert await csms.call(IDENTITY, "DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}
            assert box.causes == []

    virtually(story())


def test_the_network_pulled_and_put_back_by_the_operator(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_csms() as csms, a_box(configured(csms.url), tmp_path) as box:
            await csms.wait_for("StatusNotification")
            box.handle.tell(LinkSwitched(up=False))
            await asyncio.sleep(7200)
            assert (len(box.dials), csms.connections) == (1, {})
            box.handle.tell(LinkSwitched(up=True))
            await csms.wait_connected(IDENTITY)

    virtually(story())
