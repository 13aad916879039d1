"""What the drivers of simulated cars do at their times, on virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.board.driver import DIODE_FAILS_AFTER_S, LOOK_S, UNPLUGS_AFTER_S, Driver, NotPossible, load_of
from bench.ev import Ev, EvSpec
from bench.ev.talking import TalkingEv
from bench.v2g.model import TRUCK, Vehicle
from chargepoint.runtime.virtual import run_virtual
from hal.sim.box import ResistorBox
from hal.sim.ports import SimBoard
from hal.types import EvseInfo, PilotVoltage
from iso15118.terms import Energy

SOCKET = EvseInfo(1, phases=1, connector="sType2", has_lock=True)


def at_the_box(act: Callable[[SimBoard, Driver], Awaitable[None]], evse: EvseInfo = EvseInfo()) -> None:  # noqa: B008 a frozen value
    async def play() -> None:
        board = SimBoard.of([evse])
        driver = Driver(board)
        await board.start()
        ticking = asyncio.ensure_future(_tick(driver))
        try:
            await act(board, driver)
        finally:
            ticking.cancel()
            await board.stop()

    run_virtual(play())


async def _tick(driver: Driver) -> None:
    while True:
        driver.tick()
        await asyncio.sleep(LOOK_S)


async def _supply(board: SimBoard, phases: int = 3) -> asyncio.Task[None]:
    """Offer 32 A and close, and keep it permitted."""
    ports = board.evses[1]
    await ports.pilot.set_pwm(53.3)
    await asyncio.sleep(3.0)

    async def permit() -> None:
        while True:
            await ports.power.permit(0.4)
            await asyncio.sleep(0.2)

    task = asyncio.ensure_future(permit())
    await asyncio.sleep(0.01)
    await ports.contactor.close(3 if phases == 3 else 1)
    return task


def test_the_car_of_plug_in_draws_32_A_on_one_phase_and_leaves_after_200_s() -> None:
    async def act(board: SimBoard, driver: Driver) -> None:
        driver.plug_in(1)
        task = await _supply(board)
        await asyncio.sleep(20.0)
        assert board.world.evses[1].current_A == pytest.approx((31.98, 0.0, 0.0))
        await asyncio.sleep(UNPLUGS_AFTER_S - 24.0)
        assert board.world.evses[1].state_letter == "C"
        await asyncio.sleep(2.0)
        assert board.world.evses[1].state_letter == "A"
        task.cancel()

    at_the_box(act)


def test_a_car_for_60_s_on_three_phases() -> None:
    async def act(board: SimBoard, driver: Driver) -> None:
        driver.plug_in(1, EvSpec(phases=3, max_A=16.0, draws_for_s=60.0))
        task = await _supply(board)
        await asyncio.sleep(50.0)
        assert board.world.evses[1].current_A == pytest.approx((16.0, 16.0, 16.0))
        await asyncio.sleep(15.0)
        assert board.world.evses[1].state_letter == "B"
        task.cancel()

    at_the_box(act)


def test_pause_and_resume() -> None:
    async def act(board: SimBoard, driver: Driver) -> None:
        driver.plug_in(1)
        task = await _supply(board)
        driver.pause(1)
        await asyncio.sleep(2.0)
        assert board.world.evses[1].state_letter == "B"
        driver.resume(1)
        await asyncio.sleep(2.0)
        assert board.world.evses[1].state_letter == "C"
        task.cancel()

    at_the_box(act)


def test_a_diode_fails_after_the_car_has_drawn_for_a_while() -> None:
    async def act(board: SimBoard, driver: Driver) -> None:
        heard: list[object] = []
        board.listen(heard.append)
        driver.plug_in(1, diode_fails=True)
        await asyncio.sleep(60.0)
        task = await _supply(board)
        await asyncio.sleep(DIODE_FAILS_AFTER_S - 1.0)
        assert all(each.low_V in (None, -12.0) for each in heard if isinstance(each, PilotVoltage))
        await asyncio.sleep(5.0)
        last = [each for each in heard if isinstance(each, PilotVoltage)][-1]
        assert last.low_V == pytest.approx(-5.6, abs=0.2)
        task.cancel()

    at_the_box(act)


def test_what_is_not_possible_is_said() -> None:
    async def act(board: SimBoard, driver: Driver) -> None:
        for wish in (driver.pause, driver.resume):
            with pytest.raises(NotPossible, match="no car is plugged in"):
                wish(1)
        driver.plug_out(1)
        driver.plug_in(1)
        with pytest.raises(NotPossible, match="plugged in already"):
            driver.plug_in(1)
        with pytest.raises(NotPossible, match="plugged in already"):
            driver.box(1, "B")
        driver.plug_out(1)
        driver.box(1, "C")
        driver.box(1, "D")
        assert board.world.evses[1].state_letter == "D"
        driver.battery(1, 400.0)
        load = board.world.evses[1].load
        assert isinstance(load, ResistorBox)
        assert load.battery_V(0.0) == 400.0
        driver.box(1, "A")
        driver.box(1, "A")
        with pytest.raises(NotPossible, match="no box"):
            driver.battery(1, 400.0)
        assert board.world.evses[1].load is None

    at_the_box(act)


def test_where_the_lock_holds_the_plug_the_driver_pulls_the_other_end() -> None:
    async def act(board: SimBoard, driver: Driver) -> None:
        driver.plug_in(1)
        lock = board.evses[1].lock
        assert lock is not None
        await lock.lock()
        driver.plug_out(1)
        assert (board.world.evses[1].state_letter, board.world.evses[1].proximity_ohm) == ("A", 220.0)
        await lock.unlock()
        driver.plug_in(1)
        driver.plug_out(1)
        assert board.world.evses[1].proximity_ohm is None

    at_the_box(act, SOCKET)


def talking(energy: Energy, soc: float) -> TalkingEv:
    vehicle = Vehicle(replace(TRUCK, welded=energy is Energy.DC), soc=soc)
    vehicle.wants.energies, vehicle.taken_Wh = (energy,), 1234.5
    return TalkingEv(vehicle, 10.0, modem=energy is Energy.DC)


def test_what_is_on_the_cable_comes_back_as_it_was() -> None:
    for load in (
        Ev(EvSpec(phases=1)),
        ResistorBox("D", (6.0, 0.0, 0.0), diode=False, leakage_dc_mA=2.0),
        ResistorBox("C", volts=400.0),
        ResistorBox("C"),
        talking(Energy.DC, 41.5),
        talking(Energy.AC_BPT, 80.0),
    ):
        again = load_of(json.loads(json.dumps(load.save(10.0))), 0.0)
        assert type(again) is type(load)
        assert again.pilot_load == load.pilot_load
        assert again.save(0.0) == load.save(10.0)
    wrong: tuple[dict[str, Any], ...] = ({"box": "X", "draws_A": [0, 0, 0], "diode": True, "leakage_dc_mA": 0}, {"spec": {}})
    for broken in wrong:
        with pytest.raises((KeyError, ValueError)):
            load_of(broken, 0.0)
