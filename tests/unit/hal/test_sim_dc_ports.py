"""The DC ports of the simulated board beyond what the conformance kit asks: what is broken, what comes at the same time, how it is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargepoint.runtime.virtual import run_virtual
from hal import registry
from hal.errors import BoardSilent, InsulationFault, LeaseLapsed, OptionError, StageFault
from hal.ports import DcSupply, EvsePorts, InsulationMonitor
from hal.sim.box import ResistorBox
from hal.sim.ports import SimBoard
from hal.sim.stage import DcStage
from hal.types import BoardInput, ContactorFeedback, DcRatings, DcSample, EvseInfo, InsulationSample

DC = EvseInfo(1, connector="cCCS2", residual_current=False, dc=DcRatings())
RENEWED_S = 0.1


class Body:
    """A DC board, its ports, and what it said."""

    def __init__(self, info: EvseInfo = DC) -> None:
        self.board = SimBoard.of([info])
        self.ports: EvsePorts = self.board.evses[1]
        self.box = ResistorBox("C")
        self.heard: list[BoardInput] = []
        self.board.listen(self.heard.append)
        self.keeping: asyncio.Task[None] | None = None

    @property
    def dc(self) -> DcSupply:
        assert self.ports.dc is not None
        return self.ports.dc

    @property
    def insulation(self) -> InsulationMonitor:
        assert self.ports.insulation is not None
        return self.ports.insulation

    @property
    def stage(self) -> DcStage:
        stage = self.board.world.evses[1].stage
        assert stage is not None
        return stage

    def said(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.heard if isinstance(each, kind)]

    async def keep(self) -> None:
        while True:
            await self.ports.power.permit(0.4)
            await asyncio.sleep(RENEWED_S)

    async def begin(self) -> None:
        """The lease is kept, the contactor closed, 400 V on the output."""
        await self.ports.power.permit(0.4)
        self.keeping = asyncio.ensure_future(self.keep())
        await self.ports.contactor.close(3)
        await self.dc.set_output(400.0, 0.0)
        await asyncio.sleep(1.0)
        assert (self.stage.voltage_V, self.stage.outlet_V) == (400.0, 400.0)

    def battery(self, volts: float | None) -> None:
        self.box.volts = volts
        self.board.changed()

    async def deliver(self, current_A: float) -> None:
        await self.begin()
        self.battery(400.0)
        await self.dc.set_output(420.0, current_A)
        await asyncio.sleep(1.0)


def on_a_board(act: Callable[[Body], Awaitable[None]]) -> None:
    async def play() -> None:
        body = Body()
        await body.board.start()
        body.board.plug(1, body.box)
        try:
            await act(body)
        finally:
            if body.keeping is not None:
                body.keeping.cancel()
            await body.board.stop()

    run_virtual(play())


def test_a_stuck_stage_refuses_orders_and_goes_off_all_the_same() -> None:
    async def act(body: Body) -> None:
        await body.deliver(50.0)
        body.board.inject(1, "StageStuck")
        with pytest.raises(StageFault, match="does not take"):
            await body.dc.set_output(420.0, 90.0)
        await asyncio.sleep(1.0)
        assert body.stage.current_A == 50.0
        await body.dc.off()
        await asyncio.sleep(1.0)
        assert body.stage.current_A == 0.0
        body.board.clear(1, "StageStuck")
        await body.dc.set_output(420.0, 90.0)

    on_a_board(act)


@pytest.mark.parametrize(
    ("voltage_V", "current_A", "why"),
    [(1001.0, 1.0, "150 to 1000 V"), (149.0, 1.0, "150 to 1000 V"), (400.0, 201.0, "200 A"), (400.0, -1.0, "0 A")],
)
def test_an_order_beyond_the_ratings_changes_nothing(voltage_V: float, current_A: float, why: str) -> None:
    async def act(body: Body) -> None:
        await body.deliver(50.0)
        with pytest.raises(StageFault, match=why):
            await body.dc.set_output(voltage_V, current_A)
        await asyncio.sleep(1.0)
        assert body.stage.current_A == 50.0

    on_a_board(act)


@pytest.mark.req("F-16")
@pytest.mark.parametrize("ends", ["lapse", "withdraw", "silence", "stop"])
def test_however_the_lease_ends_the_contactor_breaks_no_current(ends: str) -> None:
    async def act(body: Body) -> None:
        await body.deliver(100.0)
        assert body.keeping is not None
        body.keeping.cancel()
        match ends:
            case "withdraw":
                await body.ports.power.withdraw()
            case "stop":
                await body.board.stop()
            case "silence":
                body.board.inject(0, "BoardSilent")
        await asyncio.sleep(1.0)
        body.board.look()
        evse = body.board.world.evses[1]
        assert (evse.contactor.poles, body.stage.current_A, body.stage.on) == (0, 0.0, False)
        assert (evse.contactor.opened_under_A, body.stage.inrush_V) == (0.0, 0.0)
        if ends in ("lapse", "withdraw"):
            with pytest.raises(LeaseLapsed):
                await body.dc.set_output(420.0, 1.0)
        else:
            for call in (body.dc.set_output(420.0, 1.0), body.dc.off(), body.insulation.measure()):
                with pytest.raises(BoardSilent):
                    await call

    on_a_board(act)


def test_a_measurement_takes_its_time_and_has_one_sample() -> None:
    async def act(body: Body) -> None:
        await body.begin()
        body.board.inject(1, "InsulationLow", 35_000.0)
        began_s = asyncio.get_running_loop().time()
        assert await body.insulation.measure() == InsulationSample(1, 35_000.0)
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(1.0, abs=1e-3)
        # What a fault changed is told by itself; what was asked for is the answer only.
        assert body.said(InsulationSample) == [InsulationSample(1, 35_000.0)]

    on_a_board(act)


def test_without_voltage_there_is_no_reading() -> None:
    async def act(body: Body) -> None:
        with pytest.raises(InsulationFault, match="no voltage"):
            await body.insulation.measure()
        await body.begin()
        measuring = asyncio.ensure_future(body.insulation.measure())
        await asyncio.sleep(0.1)
        await body.dc.off()
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(InsulationFault, match="no voltage"):
            await measuring
        assert asyncio.get_running_loop().time() - began_s == pytest.approx((400.0 - 50.0) / 500.0, abs=0.1)

    on_a_board(act)


def test_a_board_that_falls_silent_measures_nothing() -> None:
    async def act(body: Body) -> None:
        await body.begin()
        measuring = asyncio.ensure_future(body.insulation.measure())
        await asyncio.sleep(0.1)
        body.board.inject(0, "BoardSilent")
        with pytest.raises(BoardSilent):
            await measuring
        body.board.clear(0)

    on_a_board(act)


def test_the_end_of_the_current_is_told_before_the_contactor_opens() -> None:
    """It does not wait for the interval."""

    async def act(body: Body) -> None:
        await body.deliver(100.0)
        await asyncio.sleep(0.033)
        body.heard.clear()
        await body.ports.power.withdraw()
        await asyncio.sleep(0)
        assert body.said(DcSample) == [DcSample(1, 400.0, 0.0, 400.0)]
        assert body.said(ContactorFeedback) == []

    on_a_board(act)


# ---- the driver's options


def test_the_options_of_the_sim_board_make_a_dc_board() -> None:
    given = {
        "mode": "dc",
        "connector": "cCCS2",
        "dc_max_voltage_V": 500,
        "dc_max_current_A": 30,
        "dc_max_discharge_A": 20,
        "dc_ramp_A_per_s": 50,
    }

    async def make() -> EvseInfo:
        return registry.create("sim", given, (3,)).info.evse(3)

    info = run_virtual(make())
    assert info.dc == DcRatings(500.0, 150.0, 30.0, 60_000.0, 20.0, 0.0, 50.0)
    assert (info.residual_current, info.connector, info.has_lock) == (False, "cCCS2", False)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"mode": "dc"}, "connector = 'cType2': one of 'cCCS1', 'cCCS2'"),
        ({"mode": "dc", "connector": "cCCS2", "dc_min_voltage_V": 900, "dc_max_voltage_V": 500}, "dc_min_voltage_V = 900: less than"),
        ({"mode": "dc", "connector": "cCCS2", "switches_phases": True}, "there are no phases"),
        ({"mode": "dc", "connector": "cCCS2", "dc_max_voltage_V": 2000}, "dc_max_voltage_V = 2000.0: from 100 to 1250"),
        ({"mode": "hybrid"}, "mode = 'hybrid': one of"),
    ],
)
def test_options_that_do_not_go_together_are_named(given: dict[str, Any], why: str) -> None:
    async def make() -> None:
        registry.create("sim", given)

    with pytest.raises(OptionError) as raised:
        run_virtual(make())
    assert why in str(raised.value)
