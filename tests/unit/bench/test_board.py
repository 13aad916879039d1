"""The board process: the conformance kit over its line, leases while the station hangs, and what survives a kill."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bench.board import saved, server
from bench.board.client import LinkedBoard, spawn
from bench.board.lines import LIMIT, Line
from bench.board.server import BoardOptions, BoardProcess
from chargepoint.runtime.virtual import run_virtual
from hal.conformance import Can, Story, stories
from hal.errors import BoardSilent, HalError, NotFitted
from hal.ports import Sink
from hal.sim.ports import OPENS_WITHIN_S
from hal.types import (
    BoardInfo,
    BoardInput,
    BoardSilence,
    ContactorFeedback,
    EvseInfo,
    MeterSample,
    Opens,
    PilotVoltage,
    Shape,
)
from tests.unit.bench.board_rig import CAN, DC, SOCKET, TETHERED, Hands, HandsInOneLoop, linked


def cases(can: frozenset[Can]) -> list[Any]:
    return [
        pytest.param(evse, story, id=f"{evse.connector}-{story}")
        for evse in (TETHERED, SOCKET, DC)
        for story in stories(BoardInfo("sim", Shape.RAW, Opens(OPENS_WITHIN_S), (evse,)), can)
    ]


@pytest.mark.req("F-14", "F-16")
@pytest.mark.parametrize(("evse", "story"), cases(CAN | {Can.GARBAGE}))
def test_a_linked_board_conforms(evse: EvseInfo, story: Story) -> None:
    async def play() -> None:
        async with linked(BoardOptions((evse,))) as (board, process):
            await story.play(HandsInOneLoop(board, process))

    run_virtual(play())


REAL = (
    "start_tells_every_input_once",
    "power_comes_and_goes",
    "a_lapsed_lease_opens",
    "a_weld_is_a_fault",
    "silence_is_told_once_and_ends",
)
REAL_DC = ("a_lapsed_lease_ends_the_output_and_opens", "the_insulation_is_measured")
OVER_THE_LINE = [
    case for case in cases(CAN) if case.values[0] in (SOCKET, DC) and str(case.values[1]) in (REAL if case.values[0] is SOCKET else REAL_DC)
]


@pytest.mark.req("F-14", "F-16")
@pytest.mark.parametrize(("evse", "story"), OVER_THE_LINE)
def test_a_board_process_conforms(evse: EvseInfo, story: Story) -> None:
    async def play() -> None:
        board = await spawn(BoardOptions((evse,)))
        try:
            await story.play(Hands(board))
        finally:
            await board.close()

    asyncio.run(play())


# ---- the line


def test_what_the_board_does_not_know_is_a_hal_error() -> None:
    async def ask() -> None:
        async with linked(BoardOptions((TETHERED,))) as (board, _):
            await board.start()
            for name, evse_id, error in (
                ("lock.lock", 1, NotFitted),
                ("contactor.close", 7, HalError),
                ("contactor.no_such_thing", 1, HalError),
                ("no_such_thing.close", 1, HalError),
                ("contactor.close", 1, HalError),
            ):
                with pytest.raises(error):
                    await board.call(name, evse_id, *(["three"] if name.endswith("close") else []))
            await board.evses[1].pilot.set_x1()

    run_virtual(ask())


def test_verbs_reach_the_station_and_its_answer_comes_back() -> None:
    async def ask() -> list[tuple[int, str]]:
        async with linked(BoardOptions((TETHERED,))) as (board, process):
            before = await process.ask_station({"verb": "stop_transaction"})
            board.on_verb = lambda body: (400, f"no {body['verb']} today")
            return [before, await process.ask_station({"verb": "stop_transaction"})]

    assert run_virtual(ask()) == [(503, "the station is not running"), (400, "no stop_transaction today")]


def test_a_verb_to_a_hanging_station_is_answered_in_its_stead() -> None:
    async def ask() -> tuple[int, str]:
        ours, theirs = socket.socketpair()
        found: asyncio.Future[BoardProcess] = asyncio.get_running_loop().create_future()

        async def capture(process: BoardProcess) -> None:
            found.set_result(process)

        with ours:
            running = asyncio.ensure_future(server.run(theirs, BoardOptions((TETHERED,)), capture))
            answer = await (await found).ask_station({"verb": "freeze"})
        await running
        return answer

    assert run_virtual(ask()) == (503, "the station does not answer")


def test_a_dead_board_process_is_silence() -> None:
    async def die() -> tuple[list[BoardInput], LinkedBoard]:
        board = await spawn(BoardOptions((TETHERED,)))
        heard: list[BoardInput] = []
        board.listen(heard.append)
        await board.start()
        assert board.process is not None
        board.process.kill()
        await board.process.wait()
        with pytest.raises(BoardSilent):
            while True:
                await board.evses[1].power.permit(0.4)
        await board.close()
        return heard, board

    heard, _ = asyncio.run(die())
    assert heard[-1] == BoardSilence(silent=True)


# ---- what a kill leaves


async def charging(board: LinkedBoard, seconds: float, also: Sink = lambda said: None, ttl_s: float = 0.4) -> list[BoardInput]:
    """A car draws for so long."""
    heard: list[BoardInput] = []

    def hear(said: BoardInput) -> None:
        heard.append(said)
        also(said)

    board.listen(hear)
    await board.start()
    await board.call("person.plug_in", 1, "one-phase")
    ports, loop = board.evses[1], asyncio.get_running_loop()
    await ports.pilot.set_pwm(53.3)
    end_s, closed = loop.time() + seconds, False
    while loop.time() < end_s:
        await ports.power.permit(ttl_s)
        if not closed and any(isinstance(each, PilotVoltage) and 5.0 < each.high_V < 7.0 for each in heard):
            await ports.contactor.close(3)
            closed = True
        await asyncio.sleep(0.1)
    return heard


@pytest.mark.req("F-1")
def test_a_power_cut_unplugs_nobody_winds_no_meter_back_and_mends_no_weld(tmp_path: Path) -> None:
    options = BoardOptions((TETHERED,), str(tmp_path))

    async def cut() -> float:
        async with linked(options) as (board, process):
            heard = await charging(board, 30.0)
            process.board.inject(1, "ContactorWeld")
            process.view()
            kept = (tmp_path / saved.FILE).read_text()
            told = [each.energy_import_Wh for each in heard if isinstance(each, MeterSample)][-1]
        (tmp_path / saved.FILE).write_text(kept)
        return told

    async def again() -> tuple[list[BoardInput], list[dict[str, Any]]]:
        async with linked(options) as (board, process):
            heard: list[BoardInput] = []
            board.listen(heard.append)
            await board.start()
            await asyncio.sleep(5.0)
            return heard, process.view()

    told_Wh = run_virtual(cut())
    assert told_Wh > 50.0
    heard, view = run_virtual(again())
    assert next(each for each in heard if isinstance(each, MeterSample)).energy_import_Wh >= told_Wh
    assert [each for each in heard if isinstance(each, PilotVoltage)][-1].high_V == pytest.approx(9.0, abs=0.5)
    assert next(each for each in heard if isinstance(each, ContactorFeedback)).closed
    assert view[0]["faults"] == ["ContactorWeld"]


@pytest.mark.req("F-1")
def test_nothing_is_told_that_a_power_cut_would_wind_back(tmp_path: Path) -> None:
    """At each sample that is told and at each look, the file has that energy already."""

    async def watch() -> list[tuple[float, float]]:
        async with linked(BoardOptions((TETHERED,), str(tmp_path))) as (board, process):
            seen: list[tuple[float, float]] = []

            def kept_Wh() -> float:
                return float(json.loads((tmp_path / saved.FILE).read_text())["world"]["evses"]["1"]["import_Ws"]) / 3600.0

            def hear(said: BoardInput) -> None:
                if isinstance(said, MeterSample):
                    seen.append((said.energy_import_Wh, kept_Wh()))

            await charging(board, 10.0, hear)
            meter = board.evses[1].meter
            assert meter is not None
            await asyncio.sleep(0.017)
            hear(await meter.read())
            for _ in range(20):
                await asyncio.sleep(0.017)
                seen.append((process.view()[0]["meter"]["Wh"], kept_Wh()))
            return seen

    seen = run_virtual(watch())
    assert len(seen) > 25
    assert [(told, kept) for told, kept in seen if kept < told - 0.001] == []


def test_a_car_leaves_at_its_time_over_a_restart(tmp_path: Path) -> None:
    options = BoardOptions((TETHERED,), str(tmp_path))

    async def first() -> str:
        async with linked(options) as (_, process):
            process.driver.plug_in(1)
            await asyncio.sleep(150.0)
            return str(process.view()[0]["pilot"])

    async def second() -> list[str]:
        async with linked(options) as (_, process):
            letters = []
            for seconds in (45.0, 10.0):
                await asyncio.sleep(seconds)
                letters.append(str(process.view()[0]["pilot"]))
            return letters

    assert run_virtual(first()) == "B"
    assert run_virtual(second()) == ["B", "A"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"world": {"evses": {"1": {}}}, "driver": {}}'])
def test_a_broken_state_file_is_said_and_begins_new(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / saved.FILE).write_text(text)

    async def start() -> None:
        async with linked(BoardOptions((TETHERED,), str(tmp_path))) as (board, _):
            await board.start()

    run_virtual(start())
    assert "begins new" in capsys.readouterr().err
    assert json.loads((tmp_path / saved.FILE).read_text())["world"]["evses"]["1"]["import_Ws"] == 0.0


def test_a_full_disk_does_not_stop_the_board(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def start() -> float:
        async with linked(BoardOptions((TETHERED,), str(tmp_path))) as (board, process):

            def full(self: Path, target: Path) -> None:
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(Path, "replace", full)
            await charging(board, 10.0)
            return float(process.view()[0]["meter"]["Wh"])

    assert run_virtual(start()) > 0.0
    assert capsys.readouterr().err.count("No space left") == 1


@pytest.mark.req("F-16")
def test_while_the_station_hangs_the_process_opens_and_goes_on_and_it_dies_with_the_station(tmp_path: Path) -> None:
    """A real process. The station hangs for longer than its lease, then it is gone: the world stands in the file as it was."""
    options = BoardOptions((TETHERED,), str(tmp_path))

    async def hang() -> tuple[list[BoardInput], int]:
        board = await spawn(options)
        heard = await charging(board, 4.0, ttl_s=1.0)
        mark = len(heard)
        time.sleep(1.5)  # noqa: ASYNC251 the hang is what is tested
        await asyncio.sleep(0.1)
        process = board.process
        assert process is not None
        board.line.writer.transport.abort()
        code = await process.wait()
        await board.close()
        return heard[mark:], code

    said, code = asyncio.run(hang())
    feedback = [each for each in said if isinstance(each, ContactorFeedback)]
    assert feedback == [ContactorFeedback(1, closed=False, phases=0)]
    assert code == 0
    kept = json.loads((tmp_path / saved.FILE).read_text())
    assert kept["world"]["evses"]["1"]["import_Ws"] > 0.0
    assert kept["world"]["evses"]["1"]["load"] is not None


def test_a_process_waits_until_the_one_before_has_written(tmp_path: Path) -> None:
    first = saved.StateFile(tmp_path)
    read: list[Any] = []
    second = threading.Thread(target=lambda: read.append(saved.StateFile(tmp_path).read()))
    second.start()
    second.join(0.2)
    assert second.is_alive()
    first.write({"n": 1})
    first.close()
    second.join(10.0)
    assert read == [{"n": 1}]


def test_a_second_process_on_one_state_gives_up(tmp_path: Path) -> None:
    first = saved.StateFile(tmp_path)
    with pytest.raises(saved.StateInUse, match="another board process"):
        saved.StateFile(tmp_path, patience_s=0.0)
    first.close()


def test_an_end_that_does_not_read_is_given_up() -> None:
    async def flood() -> bool:
        ours, theirs = socket.socketpair()
        with theirs:
            line = Line(*await asyncio.open_connection(sock=ours, limit=LIMIT))
            for _ in range(64):
                line.send({"said": "x" * 65536})
            closing = line.writer.is_closing()
            await line.close()
        return closing

    assert run_virtual(flood())
