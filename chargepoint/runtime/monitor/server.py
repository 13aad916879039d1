"""The monitor's socket: a line of JSON in, lines of JSON out. It only tells; whoever asks too much, or reads too slowly, is let go.

| asks | answers |
|---|---|
| `{"ask": "status"}` | one line, `asked.status` |
| `{"ask": "variables", "wanted": "TxCtrlr"}` | one line, `asked.variables` |
| `{"ask": "tail"}` | a line for each message in either direction, until the other side goes: {"time", "out", "frame"} |

Who is sent away reads why: {"error": "..."}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from chargepoint.commands import Command, SendText
from chargepoint.events import TextReceived
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.runtime.main import Handle, software_version
from chargepoint.runtime.monitor.asked import Memory, status, variables
from chargepoint.secret_names import is_key_code, is_secret
from chargepoint.tick import Tick

SOCKET = "monitor"
"""In state_dir."""
MOST_CLIENTS = 8
MOST_TAILS = 4
"""Of them: whoever watches for long leaves room for who wants to know now."""
MOST_ASKED = 4_096
"""Octets of a question."""
MOST_UNREAD = 1_000_000
"""Octets that a reader may be behind."""
ASK_S = 10.0
"""For the question, and for reading the answer."""


class Monitor:
    """For one running station."""

    def __init__(self, handle: Handle) -> None:
        self.handle, self.memory = handle, Memory()
        self.tails: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        handle.watch(self.memory.watch)
        handle.watch(self._pass_on)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, one question."""
        self._clients.add(writer)
        try:
            if len(self._clients) > MOST_CLIENTS:
                writer.write(_line({"error": f"{MOST_CLIENTS} others are asking already"}))
                return
            line = await asyncio.wait_for(reader.readline(), ASK_S)
            await self._answer(json.loads(line), reader, writer)
            writer.transport.set_write_buffer_limits(high=0)  # what is not read stands in memory: it is seen out, or given up
            await asyncio.wait_for(writer.drain(), ASK_S)
        except TimeoutError:
            writer.transport.abort()
        except (OSError, ValueError, RecursionError):
            pass
        finally:
            self._clients.discard(writer)
            self.tails.discard(writer)
            writer.close()

    def end(self) -> None:
        """Nobody is answered any more."""
        for writer in tuple(self._clients):
            writer.transport.abort()

    async def _answer(self, asked: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        what = asked.get("ask") if isinstance(asked, dict) else None
        now, station = self.handle.shell.clock.now(), self.handle.station
        match what:
            case "status":
                writer.write(_line(status(station, now, self.memory, software_version())))
            case "variables":
                writer.write(_line(variables(station, now, str(asked.get("wanted") or ""))))
            case "tail" if len(self.tails) >= MOST_TAILS:
                writer.write(_line({"error": f"{MOST_TAILS} others are watching already"}))
            case "tail":
                self.tails.add(writer)
                while await reader.read(MOST_ASKED):
                    pass  # until the other side goes; what it says meanwhile is not kept
            case _:
                writer.write(_line({"error": "ask: one of status, variables, tail"}))

    def _pass_on(self, now: Tick, event: object, commands: Sequence[Command]) -> None:
        if not self.tails:
            return
        texts = [(False, event.text)] if isinstance(event, TextReceived) else []
        texts += [(True, command.text) for command in commands if isinstance(command, SendText)]
        for out, text in texts:
            self._tell(_line({"time": self._time(now), "out": out, "frame": without_secrets(text)}))

    def _time(self, now: Tick) -> str:
        return format_timestamp(self.handle.station.wiring.context.clock.utc(now))

    def _tell(self, line: bytes) -> None:
        for writer in tuple(self.tails):
            if writer.transport.get_write_buffer_size() > MOST_UNREAD:
                self.tails.discard(writer)
                writer.transport.abort()
            elif not writer.is_closing():
                writer.write(line)


def without_secrets(text: str) -> Any:
    """A frame as JSON, its passwords and PINs left out; text that is none is told by its length.

    >>> without_secrets('[2,"1","SetNetworkProfile",{"connectionData":{"basicAuthPassword":"hunter2"}}]')[3]
    {'connectionData': {'basicAuthPassword': '…'}}
    >>> without_secrets('[2,"2","Authorize",{"idToken":{"idToken":"1234","type":"KeyCode"}}]')[3]
    {'idToken': {'idToken': '…', 'type': 'KeyCode'}}
    """
    try:
        return _without(json.loads(text))
    except (ValueError, RecursionError):
        return {"no_json": len(text)}


def _without(value: Any, parent: str = "") -> Any:
    if isinstance(value, list):
        return [_without(each, parent) for each in value]
    if not isinstance(value, dict):
        return value
    name = value["variable"].get("name") if isinstance(value.get("variable"), dict) else None
    hidden = {"attributeValue", "value"} if isinstance(name, str) and is_secret(name) else set()
    hidden |= {"idToken", "additionalIdToken"} if is_key_code(value.get("type")) else set()
    return {key: "…" if key in hidden or is_secret(key, parent) else _without(each, key) for key, each in value.items()}


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


@contextlib.asynccontextmanager
async def monitored(handle: Handle, state_dir: Path) -> AsyncIterator[str]:
    """While this lasts, the station can be looked into. Gives why it cannot; "" where it can: a station charges without it."""
    path = state_dir / SOCKET
    monitor = Monitor(handle)
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # of a run before: the lock says that there is no other
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(monitor.serve, path, limit=MOST_ASKED)
        finally:
            os.umask(before)
    except OSError as error:
        yield str(error)
        return
    try:
        yield ""
    finally:
        server.close()
        monitor.end()
        with contextlib.suppress(OSError):
            path.unlink()
