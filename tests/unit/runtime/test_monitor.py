"""Looking into a running station, over its real socket."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
import stat
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bench.csms.server import EmbeddedCsms
from bench.ev import ev
from chargepoint.runtime.main import Handle, Options, station
from chargepoint.runtime.monitor import server, shown
from chargepoint.runtime.monitor.server import MOST_CLIENTS, MOST_TAILS, SOCKET, Monitor, monitored, without_secrets
from hal.sim.ports import SimBoard
from hal.types import EvseInfo, TokenPresented
from tests.behaviour.link_site import IDENTITY, PASSWORD, configured

STRANGER = TokenPresented("04FFFFFFFFFFFF")


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Handle, SimBoard, EmbeddedCsms]]:
    async with EmbeddedCsms() as csms:
        csms.behaviour.tokens = {STRANGER.id_token: "Invalid"}
        board = SimBoard.of([EvseInfo(1)])
        config = configured(csms.url, state_dir=str(folder))
        async with station(config, board, folder, Options(start_reason="PowerUp")) as handle, monitored(handle, folder) as why:
            assert why == ""
            await csms.wait_for("StatusNotification", lambda it: True)
            yield handle, board, csms


def asked(show: Callable[..., int], folder: Path, *more: Any, **how: Any) -> str:
    out = io.StringIO()
    show(folder, out, *more, **how)
    return out.getvalue()


async def elsewhere(show: Callable[..., int], folder: Path, *more: Any, **how: Any) -> str:
    return await asyncio.to_thread(asked, show, folder, *more, **how)


def test_what_a_station_does(tmp_path: Path) -> None:
    async def story() -> tuple[str, str, dict[str, Any]]:
        async with running(tmp_path) as (_, board, csms):
            mode = stat.S_IMODE((tmp_path / SOCKET).stat().st_mode)
            assert mode == 0o600
            board.plug(1, ev(now_s=asyncio.get_running_loop().time()))
            await csms.wait_for("StatusNotification", lambda it: it["connectorStatus"] == "Occupied")
            board.present(STRANGER)
            await csms.wait_for("Authorize", lambda it: True)
            await asyncio.sleep(0.2)
            refused = await elsewhere(shown.show_status, tmp_path)
            board.present(TokenPresented("04A1B2C3D4E5F6"))
            await csms.wait_for("TransactionEvent", lambda it: it["eventType"] == "Started")
            await asyncio.sleep(0.2)
            return (
                refused,
                await elsewhere(shown.show_status, tmp_path),
                json.loads(await elsewhere(shown.show_status, tmp_path, as_json=True)),
            )

    refused, going, found = asyncio.run(story())
    assert f"CSMS: connected as '{IDENTITY}', slot 1, security profile 1, ocpp2.1, Accepted" in refused
    assert "EVSE 1: " in refused
    assert "refused 0." in refused
    assert "EVSE 1, auth.unknown" in refused
    (evse,) = found["evses"]
    assert f"transaction {evse['transaction']}, ISO14443 04A1…" in going
    assert "outbox: 0 waiting" in going
    assert PASSWORD not in json.dumps(found)
    assert not (tmp_path / SOCKET).exists()


def test_variables_as_the_csms_sees_them_without_secrets(tmp_path: Path) -> None:
    async def story() -> tuple[str, str, list[dict[str, Any]]]:
        async with running(tmp_path):
            points = await elsewhere(shown.show_variables, tmp_path, "txstartpoint")
            nothing = await elsewhere(shown.show_variables, tmp_path, "zorp")
            return points, nothing, json.loads(await elsewhere(shown.show_variables, tmp_path, as_json=True))

    points, nothing, all_ = asyncio.run(story())
    assert points == "TxCtrlr.TxStartPoint  PowerPathClosed  (MemberList, ReadWrite)\n"
    assert nothing == ""
    assert len(all_) > 100
    assert next(each for each in all_ if each["name"] == "SecurityCtrlr.BasicAuthPassword")["value"] is None
    assert PASSWORD not in json.dumps(all_)


async def _call(csms: EmbeddedCsms, action: str, payload: dict[str, Any]) -> Any:
    return await csms.call(IDENTITY, action, payload)


def test_messages_as_they_pass_an_answer_with_its_call(tmp_path: Path) -> None:
    new = "another-password-of-24c"
    data = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": new}

    async def story() -> list[Any]:
        async with running(tmp_path) as (_, _board, csms):
            reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
            writer.write(b'{"ask": "tail"}\n')
            await asyncio.sleep(0.2)
            await _call(csms, "GetLocalListVersion", {})
            await _call(csms, "SetVariables", {"setVariableData": [data]})
            found = [json.loads(await reader.readline()) for _ in range(4)]
            writer.close()
            return found

    told = asyncio.run(story())
    assert new not in json.dumps(told)
    tail = shown.Tail()
    lines = [tail.line(each) for each in told]
    assert lines[0] is not None
    assert lines[0].endswith(" < GetLocalListVersion {}")
    assert lines[1] is not None
    assert lines[1].endswith('>   GetLocalListVersion {"versionNumber": 0}')
    some = shown.Tail(("setvariables",))
    assert [line is None for line in map(some.line, told)] == [True, True, False, False]


@pytest.mark.parametrize(
    "octets", [b"", b"\n", b"[]\n", b'{"ask":"stop"}\n', b'{"ask":1}\n', b"\xff\xfe\n", b"x" * 100_000, b"[" * 4000 + b"\n"]
)
def test_whatever_is_asked_the_station_goes_on(tmp_path: Path, octets: bytes) -> None:
    failures: list[dict[str, Any]] = []

    async def story() -> str:
        asyncio.get_running_loop().set_exception_handler(lambda _, failure: failures.append(failure))
        async with running(tmp_path):
            reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
            with contextlib.suppress(ConnectionError):
                writer.write(octets)
                writer.write_eof()
                assert await reader.read() in (b"", b'{"error":"ask: one of status, variables, tail"}\n')
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            return await elsewhere(shown.show_status, tmp_path)

    assert "CSMS: connected" in asyncio.run(story())
    assert failures == []


def test_too_many_clients_and_one_that_does_not_read(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path) as (handle, _, csms):
            lazy = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.connect(str(tmp_path / SOCKET))
            lazy.sendall(b'{"ask":"tail"}\n')
            await asyncio.sleep(0.2)
            (watcher,) = [each for each in handle.shell.watchers if isinstance(getattr(each, "__self__", None), Monitor)]
            monitor: Monitor = watcher.__self__  # type: ignore[attr-defined] # a bound method
            assert len(monitor.tails) == 1
            for _ in range(30):
                await _call(csms, "DataTransfer", {"vendorId": "x", "data": "y" * 60_000})
            assert len(monitor.tails) == 0
            lazy.close()
            others = [await asyncio.open_unix_connection(tmp_path / SOCKET) for _ in range(MOST_CLIENTS)]
            await asyncio.sleep(0.1)
            reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
            assert json.loads(await reader.read()) == {"error": f"{MOST_CLIENTS} others are asking already"}
            with pytest.raises(shown.NotRunning, match="others are asking already"):
                await elsewhere(shown.show_status, tmp_path)
            for _, each in (*others, (reader, writer)):
                each.close()
            await asyncio.sleep(0.1)
            assert "CSMS: connected" in await elsewhere(shown.show_status, tmp_path)

    asyncio.run(story())


async def tail_of(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(folder / SOCKET)
    writer.write(b'{"ask":"tail"}\n')
    await asyncio.sleep(0.05)
    return reader, writer


def test_who_watches_leaves_room_for_who_asks(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path):
            tails = [await tail_of(tmp_path) for _ in range(MOST_CLIENTS)]
            for reader, _ in tails[MOST_TAILS:]:
                assert json.loads(await asyncio.wait_for(reader.read(), 5.0)) == {"error": f"{MOST_TAILS} others are watching already"}
            with pytest.raises(shown.NotRunning, match="others are watching already"):
                await elsewhere(shown.show_tail, tmp_path)
            assert "CSMS: connected" in await elsewhere(shown.show_status, tmp_path)
            for _, writer in tails:
                writer.close()

    asyncio.run(story())


def test_what_a_watcher_writes_is_not_kept(tmp_path: Path) -> None:
    most = 0

    async def story() -> None:
        nonlocal most
        async with running(tmp_path) as (_, _board, csms):
            reader, writer = await tail_of(tmp_path)
            tracemalloc.start()
            try:
                for _ in range(40):
                    writer.write(b"x" * 1_000_000)
                    await writer.drain()
                most = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
            await _call(csms, "GetLocalListVersion", {})
            assert json.loads(await reader.readline())["frame"][2] == "GetLocalListVersion"
            writer.close()

    asyncio.run(story())
    assert most < 8_000_000


def test_who_does_not_read_its_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ASK_S", 0.2)
    monkeypatch.setattr(server, "variables", lambda *_: ["x" * 2_000_000])

    async def story() -> None:
        async with running(tmp_path):
            lazy = []
            for _ in range(MOST_CLIENTS):
                each = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                each.connect(str(tmp_path / SOCKET))
                each.sendall(b'{"ask":"variables"}\n')
                lazy.append(each)
            await asyncio.sleep(0.6)
            assert "CSMS: connected" in await elsewhere(shown.show_status, tmp_path)
            for each in lazy:
                each.close()

    asyncio.run(story())


def test_a_client_that_asks_nothing_is_let_go_with_the_station(tmp_path: Path) -> None:
    failures: list[dict[str, Any]] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, failure: failures.append(failure))
        async with running(tmp_path):
            reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
            await asyncio.sleep(0.05)
        assert await asyncio.wait_for(reader.read(), 5.0) == b""
        writer.close()

    asyncio.run(story())
    assert failures == []


def test_a_path_that_is_too_long_keeps_no_station_from_charging(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()

    async def story() -> str:
        board = SimBoard.of([EvseInfo(1)])
        async with (
            station(configured("ws://127.0.0.1:9/x"), board, folder, Options(start_reason="PowerUp")) as handle,
            monitored(handle, folder) as why,
        ):
            return why

    assert "too long" in asyncio.run(story())


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(shown.NotRunning, match="no station is running there"):
        asked(shown.show_status, tmp_path)


@pytest.mark.parametrize("show", [shown.show_status, shown.show_variables])
def test_a_station_that_hangs_up(tmp_path: Path, show: Callable[..., int]) -> None:
    async def story() -> None:
        hung_up = await asyncio.start_unix_server(lambda _, writer: writer.close(), tmp_path / SOCKET)
        with pytest.raises(shown.NotRunning, match="no answer"):
            await elsewhere(show, tmp_path)
        hung_up.close()

    asyncio.run(story())


def test_text_that_is_no_json_is_not_passed_on() -> None:
    assert without_secrets("{" * 10) == {"no_json": 10}
    assert without_secrets("[" * 100_000) == {"no_json": 100_000}


@pytest.mark.parametrize("value", [["hunter2"], {"it": "hunter2"}, [{"it": ["hunter2"]}], 1234, "hunter2"])
@pytest.mark.parametrize(
    "where",
    [
        lambda it: {"connectionData": {"basicAuthPassword": it}},
        lambda it: {"vpn": {"key": it}},
        lambda it: {"setVariableData": [{"attributeValue": it, "variable": {"name": "BasicAuthPassword"}}]},
        lambda it: {"idToken": {"idToken": it, "type": "KeyCode"}},
    ],
)
def test_a_secret_is_left_out_whatever_shape_it_has(where: Callable[[Any], Any], value: Any) -> None:
    told = json.dumps(without_secrets(json.dumps([2, "1", "X", where(value)])))
    assert "hunter2" not in told
    assert "1234" not in told
    assert "\\u2026" in told


EVIL = "a\x1b]0;t\x07\x9b2J\x7f\r\u202e\x85b"
STATUS: dict[str, Any] = {
    "station": {"serial": EVIL, "board": "b", "version": "1", "time": "T", "clock_set": True},
    "link": {"connected": True, "identity": "i", "slot": 1, "security_profile": 1, "subprotocol": EVIL, "registration": "Accepted"},
    "profiles": [{"slot": 1, "url": EVIL, "security_profile": 1, "not_dialled": EVIL}],
    "outbox": {"waiting": 0, "set_aside": 0},
    "evses": [
        {
            "id": 1,
            "operative": True,
            "plugged": True,
            "charging_state": "Idle",
            "power_closed": False,
            "limit_A": 6.0,
            "limit_reason": EVIL,
            "faults": {EVIL: EVIL},
            "transaction": EVIL,
            "token": EVIL,
            "meter": None,
            "vehicle": {"protocol": EVIL, "evcc_id": EVIL, "soc_percent": None},
            "said": {"ago_s": 1.0, "key": EVIL},
        }
    ],
    "refused": [{"ago_s": 1.0, "evse": 1, "why": EVIL, "values": {"evcc_id": EVIL}}],
}
VARIABLES = [{"name": EVIL, "value": EVIL, "type": "string", "mutability": "ReadOnly", "unit": EVIL, "after_reboot": False}]
TOLD = [
    {"time": "T", "out": False, "frame": frame} for frame in ([2, "1", EVIL, {"a": EVIL}], [3, "1", EVIL], [4, EVIL, EVIL], {EVIL: EVIL})
]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(("show", "answers"), [(shown.show_status, [STATUS]), (shown.show_variables, [VARIABLES]), (shown.show_tail, TOLD)])
def test_what_a_peer_says_moves_no_cursor(
    monkeypatch: pytest.MonkeyPatch, show: Callable[..., int], answers: list[Any], *, as_json: bool
) -> None:
    monkeypatch.setattr(shown, "ask", lambda *_, **__: iter(answers))
    text = asked(show, Path(), as_json=as_json)
    assert text.count("u009b2J") > 1
    assert all(line.isprintable() for line in text.split("\n"))
    if as_json:
        found = [json.loads(line) for line in text.splitlines()] if show is shown.show_tail else [json.loads(text)]
        assert found == answers


def test_a_tail_remembers_calls_that_are_answered_and_so_many_of_them() -> None:
    tail = shown.Tail()
    for n in range(2 * shown.MOST_CALLS):
        assert tail.line({"time": "T", "out": True, "frame": [6, f"s{n}", "NotifyPeriodicEventStream", {}]}) is not None
    assert not tail.calls
    for n in range(2 * shown.MOST_CALLS):
        tail.line({"time": "T", "out": True, "frame": [2, f"{n}{'x' * 1000}", "Heartbeat" * 100, {}]})
    assert len(tail.calls) == shown.MOST_CALLS
    assert all(len(message_id) + len(action) < 200 for (_, message_id), action in tail.calls.items())
    tail.line({"time": "T", "out": True, "frame": [2, "last", "Heartbeat", {}]})
    assert tail.line({"time": "T", "out": False, "frame": [3, "last", {}]}) == "T <   Heartbeat {}"
    assert tail.line({"time": "T", "out": False, "frame": [3, "0", {}]}) == "T <   ? {}"
