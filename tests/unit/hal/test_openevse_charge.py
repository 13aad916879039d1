"""A whole station on an OpenEVSE controller, in front of a CSMS: real sockets, a real pseudo-terminal, virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bench.csms import EmbeddedCsms
from bench.devices.openevse import OpenEvseDevice
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.runtime.clock import VirtualClock
from chargepoint.runtime.main import Options, station
from chargepoint.runtime.port import StartError
from hal.types import BoardFault, TokenPresented
from tests.unit.hal.openevse_rig import board_on, closed, play, powered

REGISTER = "Energy.Active.Import.Register"


class Car:
    """Closes S2 a second after it is offered a current, draws it, and opens S2 when the offer goes."""

    def __init__(self, device: OpenEvseDevice) -> None:
        self.device = device
        device.on_offer = self._offered

    def _offered(self, ampere: float) -> None:
        loop = asyncio.get_running_loop()
        self.device.draws_A = ampere
        loop.call_later(1.0 if ampere else 0.1, self._show, "C" if ampere else "B")

    def _show(self, state: str) -> None:
        if self.device.car != "A":
            self.device.car = "C" if state == "C" else "B"

    def plug(self) -> None:
        self.device.car = "B"

    def unplug(self) -> None:
        self.device.draws_A, self.device.car = 0.0, "A"


def configured(url: str, accepts: str) -> StationConfig:
    return StationConfig(
        serial="SN1",
        board="openevse",
        accept_on_silence=accepts,  # type: ignore[arg-type] # one of its words
        csms=CsmsConfig(url=url, identity="CP1", security_profile=1, basic_auth_password="0123456789abcdef"),
        evses=(EvseConfig(max_current_A=16.0, phases=1),),
        timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
    )


def energy(event: dict[str, Any]) -> list[float]:
    """The register's values in a TransactionEvent."""
    sampled = [each for meter in event.get("meterValue", ()) for each in meter["sampledValue"]]
    return [each["value"] for each in sampled if each.get("measurand", REGISTER) == REGISTER]


@pytest.mark.req("F-16")
def test_its_fall_back_has_to_be_accepted_by_name(tmp_path: Path) -> None:
    async def whole() -> None:
        async with powered() as device:
            board = board_on(device)
            with pytest.raises(StartError, match="falls_back"):
                async with station(configured("ws://127.0.0.1:1", "opens"), board, tmp_path, Options(threaded=False)):
                    pass

    play(whole())


def test_a_whole_charge(tmp_path: Path) -> None:
    async def whole() -> None:
        async with powered() as device, EmbeddedCsms(validate=True) as csms:
            car = Car(device)
            board = board_on(device)
            options = Options(start_reason="PowerUp", threaded=False, clock=VirtualClock())
            async with station(configured(csms.url, "falls_back"), board, tmp_path, options) as handle:
                await asyncio.sleep(3.0)
                car.plug()
                await asyncio.sleep(4.0)
                assert (device.state, closed(device)) == (0xFE, False)
                handle.tell(TokenPresented("04A1B2C3D4E5F6"))
                await asyncio.sleep(120.0)
                assert closed(device)
                assert device.flows_A == 16.0
                handle.tell(TokenPresented("04A1B2C3D4E5F6"))
                await asyncio.sleep(10.0)
                assert not closed(device)
                car.unplug()
                await asyncio.sleep(10.0)
            assert csms.invalid == []
            (session,) = csms.sessions.values()
            types = [event["eventType"] for event in session.events]
            assert (types[0], types[-1]) == ("Started", "Ended")
            assert "Updated" in types
            assert session.numbers == list(range(len(types)))
            states = [event["transactionInfo"].get("chargingState") for event in session.events]
            assert "Charging" in states
            begun, ended = energy(session.events[0]), energy(session.events[-1])
            # Two minutes at 16 A and 230 V.
            assert 110.0 < ended[-1] - min(begun + ended) < 126.0
            assert not any("fault" in event.get("triggerReason", "").lower() for event in session.events)

    play(whole())


@pytest.mark.req("F-14")
def test_an_opening_under_load_is_no_weld(tmp_path: Path) -> None:
    """`$FS` would leave the EV 3 s; the station wants it open at once."""

    async def whole() -> None:
        async with powered() as device, EmbeddedCsms(validate=True) as csms:
            car = Car(device)
            board = board_on(device)
            options = Options(start_reason="PowerUp", threaded=False, clock=VirtualClock())
            async with station(configured(csms.url, "falls_back"), board, tmp_path, options) as handle:
                car.plug()
                await asyncio.sleep(4.0)
                handle.tell(TokenPresented("04A1B2C3D4E5F6"))
                await asyncio.sleep(20.0)
                assert closed(device)
                device.on_offer = lambda ampere: None  # the EV goes on drawing
                handle.tell(BoardFault(1, "EmergencyStop", "", present=True))
                await asyncio.sleep(0.2)
                assert not closed(device)
                await asyncio.sleep(10.0)
                assert list(handle.station.wiring.machines["evse:1"].state.faults) == ["EmergencyStop"]

    play(whole())


def test_a_controller_that_restarts_in_a_charge(tmp_path: Path) -> None:
    """Open, and the charge goes on by itself within the same transaction."""

    async def whole() -> None:
        async with powered() as device, EmbeddedCsms(validate=True) as csms:
            car = Car(device)
            board = board_on(device)
            options = Options(start_reason="PowerUp", threaded=False, clock=VirtualClock())
            async with station(configured(csms.url, "falls_back"), board, tmp_path, options) as handle:
                car.plug()
                await asyncio.sleep(4.0)
                handle.tell(TokenPresented("04A1B2C3D4E5F6"))
                await asyncio.sleep(20.0)
                assert closed(device)
                device.reboot()
                await asyncio.sleep(2.0)
                assert (device.state, closed(device)) == (0xFE, False)
                await asyncio.sleep(30.0)
                assert closed(device)
                assert device.amps == 16
                car.unplug()
                await asyncio.sleep(10.0)
            (session,) = csms.sessions.values()
            assert session.ended
            assert csms.invalid == []

    play(whole())
