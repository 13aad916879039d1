"""bench-station with cars that talk: whole charges by the verbs of ISO 15118, on real time."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.csms import EmbeddedCsms
from bench.report.collect import sessions_of
from chargepoint.journal import read
from chargepoint.runtime.journal_file import lines
from tests.unit.bench.bench_rig import IDENTITY, BenchStation, bench_station, told_charging


def ended(payload: dict[str, Any]) -> bool:
    return bool(payload["eventType"] == "Ended")


async def leaves_in_order(station: BenchStation, csms: EmbeddedCsms) -> None:
    """The car goes, and with it the station."""
    await station.do("plug_out_iso", connector_id=1)
    await station.until(lambda evse: evse["pilot"] == "A" and evse["session"] == "Idle")
    said = await csms.wait_for("TransactionEvent", ended)
    assert said["transactionInfo"]["stoppedReason"] == "StoppedByEV"
    assert csms.invalid == []
    assert await station.end() == (0, "")


def test_dc_is_charged_paused_resumed_and_left_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        config: dict[str, Any] = {"evses": [{"id": 1, "charge_mode": "dc"}]}
        async with EmbeddedCsms(validate=True) as csms, bench_station(tmp_path, csms, **config) as station:
            await station.do("plug_in_dc_iso", connector_id=1)
            assert await station.post("plug_in", connector_id=1) == (400, "EVSE 1: a car is plugged in already")
            await station.do("swipe", token="04A1B2C3")
            evse = await station.until(told_charging)
            assert (evse["pilot"], evse["duty"], evse["faults"]) == ("C", 5.0, [])
            evse = await station.until(lambda evse: evse["meter"]["A"] > 100.0)
            assert 300.0 < evse["meter"]["V"] < 420.0
            await csms.wait_for("NotifyEVChargingNeeds", lambda _: True)

            await station.do("pause_iso_session", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "B" and evse["contactor"] == "open" and evse["duty"] == 100.0)
            await station.do("resume_iso_session_dc", connector_id=1)
            await station.until(lambda evse: evse["meter"]["A"] > 100.0)

            await leaves_in_order(station, csms)

    asyncio.run(story())
    assert cli.main(["replay", "--quiet", str(tmp_path / "state/journal")]) == 0


def test_an_ac_evse_serves_cars_that_talk_and_cars_that_do_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=True) as csms, bench_station(tmp_path, csms) as station:
            await station.do("plug_in_ac_iso", connector_id=1, payment_type="externalpayment")
            await station.do("swipe", token="04A1B2C3")
            evse = await station.until(lambda evse: evse["meter"]["A"] > 10.0)
            assert (evse["duty"], evse["faults"]) == (5.0, [])
            assert 15.0 < evse["meter"]["A"] < 17.0
            await station.do("plug_out_iso", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "A" and evse["session"] == "Idle")
            evse = await station.charging()
            assert evse["duty"] > 50.0
            assert csms.invalid == []
            assert await station.end() == (0, "")

    asyncio.run(story())


@pytest.mark.parametrize("protocol", ["iso20-ac", "iso2-ac"])
def test_a_car_of_one_phase_draws_on_one(tmp_path: Path, protocol: str) -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=True) as csms, bench_station(tmp_path, csms) as station:
            assert await station.post("plug_in_ac_iso", connector_id=1, phases=2) == (400, "phases: 1 or 3, not 2")
            await station.do("plug_in_ac_iso", connector_id=1, protocol=protocol, phases=1)
            await station.do("swipe", token="04A1B2C3")
            evse = await station.until(lambda evse: evse["meter"]["A"] > 31.0)  # one of three phases draws 16 A
            assert (evse["duty"], evse["faults"]) == (5.0, [])
            needs = await csms.wait_for("NotifyEVChargingNeeds", lambda _: True)
            assert needs["chargingNeeds"]["requestedEnergyTransfer"] == "AC_single_phase"
            assert csms.invalid == []
            assert await station.end() == (0, "")

    asyncio.run(story())


OWN_WORDS = {
    "din": {"ContractAuthenticationReq", "CurrentDemandReq"},
    "iso2-dc": {"AuthorizationReq", "CurrentDemandReq"},
    "iso2-ac": {"AuthorizationReq", "ChargingStatusReq"},
}
"""Requests by which a protocol is known from the others."""


@pytest.mark.parametrize("protocol", OWN_WORDS)
def test_older_protocols_charge_as_well(tmp_path: Path, protocol: str) -> None:
    mode = "ac" if protocol == "iso2-ac" else "dc"

    async def story() -> None:
        config: dict[str, Any] = {"evses": [{"id": 1, "charge_mode": mode}]}
        async with EmbeddedCsms(validate=True) as csms, bench_station(tmp_path, csms, **config) as station:
            await station.do(f"plug_in_{mode}_iso", connector_id=1, protocol=protocol)
            await station.do("swipe", token="04A1B2C3")
            evse = await station.until(told_charging)
            assert (evse["pilot"], evse["duty"], evse["faults"]) == ("C", 5.0, [])
            if protocol == "din":
                no_pause = "EVSE 1: the car speaks DIN 70121, which knows no pause"
                assert await station.post("pause_iso_session", connector_id=1) == (400, no_pause)
            else:
                await station.do("pause_iso_session", connector_id=1)
                await station.until(lambda evse: evse["pilot"] == "B" and evse["contactor"] == "open" and evse["duty"] == 100.0)
                await station.do(f"resume_iso_session_{mode}", connector_id=1)
                await station.until(lambda evse: evse["meter"]["A"] > 10.0)
            await leaves_in_order(station, csms)

    asyncio.run(story())
    (session, *_) = sessions_of(read(lines(tmp_path / "state/journal")))
    assert {each.name for each in session.messages} >= OWN_WORDS[protocol]


def test_after_a_reset_the_car_that_stands_there_talks_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms) as station:
            await station.do("plug_in_ac_iso", connector_id=1)
            await station.do("swipe", token="04A1B2C3")
            await station.until(lambda evse: evse["meter"]["A"] > 10.0)
            assert await csms.call(IDENTITY, "Reset", {"type": "Immediate"}) == {"status": "Accepted"}
            await csms.wait_for("BootNotification", lambda boot: boot["reason"] == "RemoteReset")
            await station.until(lambda evse: evse["contactor"] == "open" and evse["duty"] == 5.0)
            await station.do("swipe", token="04A1B2C3")
            await station.until(lambda evse: evse["meter"]["A"] > 10.0 and evse["duty"] == 5.0)
            await station.do("plug_out", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "A" and evse["session"] == "Idle")
            assert await station.end() == (0, "")

    asyncio.run(story())


@pytest.mark.req("F-1")
@pytest.mark.parametrize(("verb", "mode"), [("plug_in_ac_iso", "ac"), ("plug_in_dc_iso", "dc")])
def test_after_a_power_cut_the_car_that_stands_there_talks_again(tmp_path: Path, verb: str, mode: str) -> None:
    """What it is, and what is in its battery, is kept with the board; its session is not."""

    def battery() -> float:
        saved = json.loads((tmp_path / "state/board.json").read_text("utf-8"))
        soc = saved["world"]["evses"]["1"]["load"]["talks"]["soc"]
        assert isinstance(soc, float)
        return soc

    async def story() -> None:
        config: dict[str, Any] = {"evses": [{"id": 1, "charge_mode": mode}]}
        async with EmbeddedCsms() as csms:
            async with bench_station(tmp_path, csms, **config) as station:
                await station.do(verb, connector_id=1)
                await station.do("swipe", token="04A1B2C3")
                await station.until(lambda evse: evse["meter"]["A"] > 10.0)
                await station.until(lambda _: battery() > 30.0)
                await station.end(signal.SIGKILL)
            before = battery()
            async with bench_station(tmp_path, csms, **config) as station:
                assert battery() >= before
                await station.until(lambda evse: evse["pilot"] == "B" and evse["duty"] == 5.0)
                await station.do("swipe", token="04A1B2C3")
                evse = await station.until(told_charging)
                assert (evse["pilot"], evse["duty"], evse["faults"]) == ("C", 5.0, [])
                await station.do("plug_out_iso", connector_id=1)
                await station.until(lambda evse: evse["pilot"] == "A")
                assert await station.end() == (0, "")

    asyncio.run(story())
