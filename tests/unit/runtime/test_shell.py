"""The one door: safe commands reach their port at once, a bug opens everything, and neither log nor journal can stop a charge (F-16, F-18)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.csms import EmbeddedCsms
from bench.ev import ev
from chargepoint.clock import SET_FROM_UTC
from chargepoint.commands import Command, Log, OpenContactor, Persist, StopProcess
from chargepoint.config import StationConfig
from chargepoint.events import BayOccupied
from chargepoint.journal import Entry, read
from chargepoint.runtime import main as main_module
from chargepoint.runtime.clock import VirtualClock
from chargepoint.runtime.journal_file import lines
from chargepoint.runtime.main import Handle, NoVehicles, Options, check_board, run_station, station
from chargepoint.runtime.port import StartError, Tell
from chargepoint.runtime.virtual import VirtualLoop, run_virtual
from chargepoint.tick import Tick
from hal.sim.ports import SimBoard
from hal.types import EvseInfo, TokenPresented
from tests.peers.site import configured


async def charging(handle: Handle, board: SimBoard) -> None:
    board.plug(1, ev(now_s=asyncio.get_running_loop().time()))
    await asyncio.sleep(4.0)
    board.present(TokenPresented("04A1B2C3D4E5F6"))
    await asyncio.sleep(10.0)
    assert board.world.evses[1].contactor.poles == 3


def life(folder: Path, test: Any, **options: Any) -> Any:
    """A station in front of the embedded CSMS, charging."""

    async def main() -> Any:
        async with EmbeddedCsms() as csms:
            board = SimBoard.of([EvseInfo(1, 32.0)])
            settings = Options(start_reason="PowerUp", threaded=False, clock=VirtualClock(), **options)
            async with station(configured(csms.url), board, folder, settings) as handle:
                await charging(handle, board)
                return await test(handle, board, csms)

    return run_virtual(main())


@pytest.mark.req("F-16")
def test_a_loop_that_hangs_holds_no_power(tmp_path: Path) -> None:
    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> None:
        loop, evse = asyncio.get_running_loop(), board.world.evses[1]
        assert isinstance(loop, VirtualLoop)
        loop.advance(0.45)
        await asyncio.sleep(0.05)
        assert evse.contactor.poles == 0
        await asyncio.sleep(60.0)
        assert evse.contactor.poles == 3  # and it goes on by itself

    life(tmp_path, test)


@pytest.mark.req("F-16", "S-30")
def test_a_bug_in_the_core_opens_and_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> None:
        machine = handle.station.wiring.machines["transaction"]
        monkeypatch.setattr(type(machine), "handle", lambda self, now, event: 1 / 0)
        handle.tell(BayOccupied(1, occupied=True))
        await asyncio.sleep(0.1)
        assert board.world.evses[1].contactor.poles == 0
        with pytest.raises(ZeroDivisionError):
            await handle.shell.ended
        handle.tell(BayOccupied(1, occupied=False))  # nothing is taken any more

    life(tmp_path, test)
    last = [each for each in read(lines(tmp_path / "journal")) if isinstance(each, Entry)][-1]
    assert last.crashed.startswith("ZeroDivisionError")


def test_a_watcher_that_fails_is_left_out_and_named(tmp_path: Path) -> None:
    seen: list[str] = []

    def good(tick: Any, event: object, commands: Any) -> None:
        seen.extend(each.key for each in commands if isinstance(each, Log))

    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> None:
        def bad(tick: Any, event: object, commands: Any) -> None:
            raise BrokenPipeError

        handle.shell.watchers.insert(0, bad)
        await asyncio.sleep(30.0)
        assert board.world.evses[1].contactor.poles == 3
        assert bad not in handle.shell.watchers
        assert seen.count("watcher.lost") == 1

    life(tmp_path, test, watchers=[good])


def test_a_journal_that_fails_does_not_stop_a_charge(tmp_path: Path) -> None:
    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> None:
        def broken(*_: Any) -> None:
            raise TypeError("no JSON form")

        handle.shell.record = broken
        await asyncio.sleep(30.0)
        assert board.world.evses[1].contactor.poles == 3

    life(tmp_path, test)


@pytest.mark.req("F-18")
def test_the_end_comes_within_its_time_and_the_contactor_first(tmp_path: Path) -> None:
    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        handle.shut_down()
        await asyncio.sleep(0.1)
        poles = board.world.evses[1].contactor.poles
        assert await handle.shell.ended == StopProcess()
        assert csms.calls_of("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Reboot"
        return loop.time() - began, poles

    took_s, poles = life(tmp_path, test)
    assert poles == 0
    assert took_s < 5.0


@pytest.mark.req("F-18")
def test_a_station_that_cannot_finish_ends_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> float:
        reset = handle.station.wiring.machines["reset"]
        monkeypatch.setattr(type(reset), "handle", lambda self, now, event: ())
        began = asyncio.get_running_loop().time()
        handle.shut_down()
        await handle.shell.ended
        return asyncio.get_running_loop().time() - began

    assert life(tmp_path, test) < 5.0


@pytest.mark.req("F-3")
@pytest.mark.parametrize(("board_utc", "knows"), [(0.0, False), (SET_FROM_UTC - 1.0, False), (SET_FROM_UTC, True)])
def test_vehicles_are_judged_by_the_stations_own_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board_utc: float, knows: bool
) -> None:
    """The board's clock, where somebody has set it; else the CSMS's word, and until that comes nobody knows."""
    clocks: list[Callable[[], float | None]] = []
    shown: list[str] = []

    def vehicles(config: StationConfig, known_utc: Callable[[], float | None], tell: Tell, held: object) -> NoVehicles:
        clocks.append(known_utc)
        return NoVehicles()

    def watch(now: Tick, event: object, commands: Sequence[Command]) -> None:
        shown.extend(each.key for each in commands if isinstance(each, Log))

    monkeypatch.setattr(main_module, "_vehicles", vehicles)

    async def main() -> None:
        async with EmbeddedCsms() as csms:
            settings = Options(start_reason="PowerUp", threaded=False, clock=VirtualClock(board_utc), watchers=[watch])
            async with station(configured(csms.url), SimBoard.of(), tmp_path, settings) as handle:
                (known_utc,) = clocks
                assert known_utc() == (board_utc if knows else None)
                assert ("clock.not_set" in shown) is not knows
                await asyncio.sleep(10.0)
                assert handle.station.wiring.context.clock.synchronised
                assert (known_utc() or 0.0) > SET_FROM_UTC

    run_virtual(main())


def test_two_stations_do_not_share_a_state(tmp_path: Path) -> None:
    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> None:
        with pytest.raises(StartError, match="another station is running on it"):
            await run_station(configured(csms.url), SimBoard.of(), tmp_path, options=Options(threaded=False))

    life(tmp_path, test)


def test_what_the_board_does_on_silence_is_said_and_has_to_be_accepted() -> None:
    from dataclasses import replace

    from hal.types import FallsBack

    async def main() -> None:
        board = SimBoard.of([EvseInfo(1)])
        config = configured("ws://csms.example")
        assert "opens within 0.4 s" in check_board(config, board)[0]
        board.info = replace(board.info, on_silence=FallsBack(6.0))
        with pytest.raises(StartError, match="accept_on_silence = 'falls_back'"):
            check_board(config, board)
        assert "goes on with 6 A" in check_board(replace(config, accept_on_silence="falls_back"), board)[0]
        with pytest.raises(StartError, match="no such EVSE"):
            check_board(replace(config, evses=(replace(config.evses[0], id=7),)), board)

    run_virtual(main())


@pytest.mark.req("S-30")
def test_a_port_with_a_bug_opens_everything_and_the_process_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> None:
        def broken(command: object) -> None:
            raise ZeroDivisionError("a bug in the store's port")

        monkeypatch.setattr(handle.shell._ports[Persist], "carry_out", broken)
        board.unplug(1)
        await asyncio.sleep(1.0)
        assert board.world.evses[1].contactor.poles == 0
        with pytest.raises(ZeroDivisionError):
            await handle.shell.ended

    life(tmp_path, test)


@pytest.mark.req("F-12")
def test_an_opening_waits_for_no_file(tmp_path: Path) -> None:
    """The journal is written once the opening has reached the contactor."""
    order: list[str] = []

    async def test(handle: Handle, board: SimBoard, csms: EmbeddedCsms) -> None:
        contactor, record = board.evses[1].contactor, handle.shell.record
        assert record
        opened = contactor.open

        async def opening() -> None:
            order.append("open")
            await opened()

        def recorded(entries: Any) -> None:
            if any(isinstance(command, OpenContactor) for entry in entries for command in entry.commands):
                order.append("journal")
            record(entries)

        setattr(contactor, "open", opening)  # noqa: B010 a port of this one board
        handle.shell.record = recorded
        board.unplug(1)
        await asyncio.sleep(0.2)

    life(tmp_path, test)
    assert order[:2] == ["open", "journal"]
