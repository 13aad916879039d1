"""Ports of the simulated board beyond what the conformance kit asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chargepoint.runtime.virtual import run_virtual
from hal.errors import BoardSilent, ContactorFault, HalError, LeaseLapsed, LockFault, MeterFault, PilotFault, ResidualCurrentFault
from hal.ports import EvsePorts
from hal.sim.box import ResistorBox
from hal.sim.ports import SimBoard
from hal.types import BoardInput, ButtonPressed, ContactorFeedback, EvseInfo, Indication, PhaseWiring, TokenPresented

FULL = EvseInfo(1, connector="sType2", has_lock=True, phase_wiring=PhaseWiring.SERIAL)
Act = Callable[[SimBoard, EvsePorts, list[BoardInput]], Awaitable[None]]


def on_a_board(act: Act, evse: EvseInfo = FULL) -> None:
    async def play() -> None:
        board = SimBoard.of([evse])
        heard: list[BoardInput] = []
        board.listen(heard.append)
        await board.start()
        try:
            await act(board, board.evses[1], heard)
        finally:
            await board.stop()
        assert all(not each.contactor.mirror or each.contactor.welded for each in board.world.evses.values())

    run_virtual(play())


def test_one_phase_and_three_never_live_from_one_to_the_other() -> None:
    async def act(board: SimBoard, ports: EvsePorts, heard: list[BoardInput]) -> None:
        await ports.power.permit(2.0)
        await ports.contactor.close(1)
        with pytest.raises(ContactorFault, match="other poles"):
            await ports.contactor.close(3)
        await ports.contactor.open()
        await ports.contactor.close(3)
        assert [each.phases for each in heard if isinstance(each, ContactorFeedback)] == [0, 1, 0, 3]

    on_a_board(act)


@pytest.mark.req("F-15")
def test_the_residual_current_device_by_its_port() -> None:
    async def act(board: SimBoard, ports: EvsePorts, heard: list[BoardInput]) -> None:
        device = ports.residual_current
        assert device is not None
        await device.self_test()
        await ports.power.permit(2.0)
        await ports.contactor.close(3)
        with pytest.raises(HalError, match="open contactor"):
            await device.self_test()
        board.inject(1, "ResidualDc", 60.0)
        await asyncio.sleep(0.4)
        with pytest.raises(ContactorFault, match="residual-current"):
            await ports.contactor.close(3)
        await device.reset()
        board.inject(1, "ContactorWeld")
        await asyncio.sleep(0.4)
        with pytest.raises(ResidualCurrentFault, match="does not hold"):
            await device.reset()
        board.clear(1)
        await ports.contactor.open()
        board.inject(1, "RcdBroken")
        with pytest.raises(ResidualCurrentFault, match="does not trip"):
            await device.self_test()

    on_a_board(act)


def test_what_else_there_is() -> None:
    async def act(board: SimBoard, ports: EvsePorts, heard: list[BoardInput]) -> None:
        assert ports.temperature is not None
        assert ports.indicator is not None
        assert ports.proximity is not None
        assert ports.meter is not None
        (sample,) = await ports.temperature.read()
        assert (sample.place, sample.celsius) == ("relay", 20.0)
        await ports.indicator.show(Indication("charging", (("A", "16"),)))
        assert board.shown == {1: Indication("charging", (("A", "16"),))}
        assert await ports.proximity.read() is None
        board.plug(1, ResistorBox("B"), 680.0)
        assert await ports.proximity.read() == 680.0
        board.press("stop", long=True, evse_id=1)
        board.present(TokenPresented("04AA"))
        await asyncio.sleep(0)
        assert heard[-2:] == [ButtonPressed("stop", long=True, evse_id=1), TokenPresented("04AA")]
        board.inject(1, "MeterSilent")
        with pytest.raises(MeterFault):
            await ports.meter.read()
        for duty in (4.5, 5.0, 5.5, 8.0, 97.0):
            await ports.pilot.set_pwm(duty)
        for duty in (4.0, 6.0, 7.9, 97.1, float("nan")):
            with pytest.raises(PilotFault):
                await ports.pilot.set_pwm(duty)

    on_a_board(act)


def test_a_lock_that_sticks_is_a_fault_within_bounded_time() -> None:
    async def act(board: SimBoard, ports: EvsePorts, heard: list[BoardInput]) -> None:
        assert ports.lock is not None
        await ports.lock.lock()
        board.inject(1, "ConnectorLockFailure")
        with pytest.raises(LockFault):
            await ports.lock.unlock()
        board.clear(1)
        await ports.lock.unlock()

    on_a_board(act)


@pytest.mark.parametrize("part", ["close", "lock"])
def test_a_board_that_falls_silent_answers_nobody_that_waits(part: str) -> None:
    async def act(board: SimBoard, ports: EvsePorts, heard: list[BoardInput]) -> None:
        assert ports.lock is not None
        await ports.power.permit(2.0)
        waiting = asyncio.ensure_future(ports.contactor.close(3) if part == "close" else ports.lock.lock())
        await asyncio.sleep(0.001)
        board.inject(0, "BoardSilent")
        with pytest.raises(BoardSilent):
            await waiting
        assert board.reader is not None
        with pytest.raises(BoardSilent):
            await board.reader.enable(on=True)
        board.present(TokenPresented("04AA"))
        board.press("stop")
        await asyncio.sleep(1.0)
        assert not any(isinstance(each, (TokenPresented, ButtonPressed)) for each in heard)
        board.clear(0)

    on_a_board(act)


@pytest.mark.req("F-16")
def test_stopped_while_silent_the_lease_opens() -> None:
    async def play() -> tuple[int, int]:
        board = SimBoard.of([FULL])
        await board.start()
        ports = board.evses[1]
        await ports.power.permit(0.4)
        await ports.contactor.close(3)
        board.inject(0, "BoardSilent")
        await board.stop()
        poles = board.world.evses[1].contactor.poles
        await asyncio.sleep(1.0)
        board.look()
        with pytest.raises(BoardSilent):
            await board.start()
        return poles, board.world.evses[1].contactor.poles

    assert run_virtual(play()) == (3, 0)


def test_a_start_opens_first_and_says_a_weld() -> None:
    async def play() -> list[ContactorFeedback]:
        board = SimBoard.of([FULL])
        await board.start()
        await board.evses[1].power.permit(2.0)
        await board.evses[1].contactor.close(3)
        heard: list[BoardInput] = []
        board.listen(heard.append)
        await board.start()
        await asyncio.sleep(0)
        board.inject(1, "ContactorWeld")
        await board.start()
        await asyncio.sleep(0)
        return [each for each in heard if isinstance(each, ContactorFeedback)]

    assert [each.closed for each in run_virtual(play())] == [False, False, True, True]


def test_before_the_start_nothing_moves() -> None:
    async def play() -> None:
        board = SimBoard.of([FULL])
        board.plug(1, ResistorBox("C"))
        with pytest.raises(BoardSilent, match="not started"):
            await board.evses[1].power.permit(1.0)
        await board.start()
        with pytest.raises(LeaseLapsed):
            await board.evses[1].contactor.close(3)

    run_virtual(play())
