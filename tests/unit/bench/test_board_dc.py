"""A DC EVSE in the board process: what a power cut leaves, and answers that take long. The stories of the kit are in test_board."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bench.board import saved
from bench.board.server import BoardOptions
from chargepoint.runtime.virtual import run_virtual
from hal.types import BoardInput, BoardSilence, DcSample, InsulationSample
from tests.unit.bench.board_rig import DC, HandsInOneLoop, linked


@pytest.mark.req("F-1")
def test_a_power_cut_leaves_a_dc_output_off_its_register_and_its_faults(tmp_path: Path) -> None:
    options = BoardOptions((DC,), str(tmp_path))

    async def cut() -> float:
        async with linked(options) as (board, process):
            await board.start()
            ports, box = board.evses[1], HandsInOneLoop(board, process)
            await box.car("C")
            await ports.power.permit(2.0)
            await ports.contactor.close(3)
            assert ports.dc is not None
            await ports.dc.set_output(400.0, 0.0)
            await asyncio.sleep(1.0)
            await box.battery(400.0)
            for _ in range(10):
                await ports.power.permit(2.0)
                await ports.dc.set_output(420.0, 100.0)
                await asyncio.sleep(1.0)
            process.board.inject(1, "InsulationLow")
            shown = process.view()[0]["meter"]
            assert (shown["A"], shown["V"]) == (100.0, 400.0)
            kept = (tmp_path / saved.FILE).read_text()
        (tmp_path / saved.FILE).write_text(kept)
        return float(shown["Wh"])

    async def again() -> tuple[list[BoardInput], list[dict[str, Any]]]:
        async with linked(options) as (board, process):
            heard: list[BoardInput] = []
            board.listen(heard.append)
            await board.start()
            await asyncio.sleep(1.0)
            return heard, process.view()

    shown_Wh = run_virtual(cut())
    assert shown_Wh > 50.0
    heard, view = run_virtual(again())
    assert [each for each in heard if isinstance(each, DcSample)] == [DcSample(1, 0.0, 0.0, 400.0)]
    assert view[0]["meter"] == {"Wh": shown_Wh, "A": 0.0, "V": 400.0}
    assert view[0]["faults"] == ["InsulationLow"]


def test_a_measurement_may_take_longer_than_any_other_answer() -> None:
    async def ask() -> tuple[InsulationSample, list[BoardInput]]:
        async with linked(BoardOptions((DC,))) as (board, process):
            heard: list[BoardInput] = []
            board.listen(heard.append)
            await board.start()
            ports, stage = board.evses[1], process.board.world.evses[1].stage
            assert ports.dc is not None
            assert ports.insulation is not None
            assert stage is not None
            stage.measure_s = 35.0
            process.board.world.evses[1].contactor.permit(1e9)
            await ports.dc.set_output(500.0, 2.0)
            await asyncio.sleep(1.0)
            return await ports.insulation.measure(), heard

    sample, heard = run_virtual(ask())
    assert sample == InsulationSample(1, 5e6)
    assert not any(isinstance(each, BoardSilence) for each in heard)
