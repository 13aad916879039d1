"""The line to the board: silence, garbage, the end."""

from __future__ import annotations

import asyncio

from hal.conformance.rig import PERMIT_S, Bench, Can
from hal.conformance.story import story
from hal.conformance.told import everything
from hal.errors import BoardSilent
from hal.types import BoardSilence, MeterSample, TemperatureSample


@story(Can.SILENCE)
async def silence_is_told_once_and_ends(bench: Bench) -> None:
    """`BoardSilence` once, calls raise BoardSilent; back again, everything is told once more."""
    await bench.rig.silence(on=True)
    await bench.refuses(_until_refused(bench), BoardSilent)
    await bench.hears(BoardSilence, lambda s: s.silent, since=0, within_s=bench.rig.silent_within_s)
    for call in (bench.ports.pilot.set_x1, bench.ports.contactor.open, bench.ports.power.withdraw):
        await bench.refuses(call(), BoardSilent)
    assert len(bench.since(0, BoardSilence)) == 1
    mark = bench.mark()
    await bench.rig.silence(on=False)
    await bench.hears(BoardSilence, lambda s: not s.silent, since=mark, within_s=bench.rig.silent_within_s)
    await everything(bench, mark)
    assert len(bench.since(0, BoardSilence)) == 2
    await bench.ports.pilot.set_x1()


async def _until_refused(bench: Bench) -> None:
    """A board may notice its silence by a call only, and that takes its time."""
    while True:
        await bench.ports.pilot.set_x1()
        await asyncio.sleep(0.01)


@story(Can.GARBAGE)
async def garbage_changes_nothing(bench: Bench) -> None:
    """What cannot be read is no reading: nothing is told because of it, and the board goes on."""
    await everything(bench, 0)
    mark = bench.mark()
    for _ in range(3):
        await bench.rig.garbage()
        await bench.ports.pilot.set_x1()
    told = [each for each in bench.heard[mark:] if not isinstance(each, (MeterSample, TemperatureSample))]
    assert not told, f"told because of garbage: {told}"
    await bench.car("B")


@story()
async def stopped_it_is_open_and_quiet(bench: Bench) -> None:
    """`stop` opens, raises nothing, and nothing is told afterwards."""
    await bench.supply()
    await bench.board.stop()
    await bench.let_lapse()
    mark = bench.mark()
    await bench.rig.car("A")
    await asyncio.sleep(bench.rig.tells_within_s)
    assert bench.mark() == mark, f"told after the end: {bench.heard[mark:]}"
    await bench.refuses(bench.ports.power.permit(PERMIT_S), BoardSilent)
    await bench.board.stop()
