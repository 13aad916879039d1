"""The line between station and board process: JSON values, one a line, over a stream socket.

Station to board: `{"id", "call": "contactor.close", "evse", "args"}`, answered by `{"id", "ok"}` or `{"id", "error", "text"}`;
`{"answer", "status", "text"}` to a verb; `{"status": {...}}`, what the station believes, for `/state`; `{"vehicle": command}`.
Board to station: `{"said": input}`, in order; `{"verb": number, "body"}`, what the driver does that is the station's matter; `{"vehicle": event}`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import hal.types
from chargepoint import codec
from chargepoint.journal import COMMANDS, EVENTS

LIMIT = 1 << 20
"""Octets of one line, and of what waits to be read by the other end."""
BROKEN = (LookupError, TypeError, ValueError, AttributeError)
"""What reading a message of another shape raises."""


def to_json(value: Any) -> Any:
    """A dataclass with its class name, or a plain value."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    return {codec.TAG: type(value).__name__, **codec.dump(type(value), value)}


def from_json(value: Any) -> Any:
    """The way back. Raises one of BROKEN."""
    if isinstance(value, list):
        return tuple(from_json(each) for each in value)
    if not isinstance(value, dict):
        return value
    name = value[codec.TAG]
    kind = EVENTS.get(name) or COMMANDS.get(name) or getattr(hal.types, name)
    return codec.load(kind, {key: each for key, each in value.items() if key != codec.TAG}, name)


class Line:
    """One end. `send` never waits: what passes is small, and an end that does not read for long is given up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, value: Any) -> None:
        """Nothing happens when the other end is gone; the reader notices."""
        if self.writer.is_closing():
            return
        self.writer.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")
        if self.writer.transport.get_write_buffer_size() > LIMIT:
            self.writer.transport.abort()

    async def receive(self) -> dict[str, Any] | None:
        """The next object; what is none is passed over. None when the other end is gone."""
        while True:
            try:
                text = await self.reader.readline()
            except ValueError:  # longer than the limit; asyncio has thrown it away
                continue
            except ConnectionError:
                return None
            if not text.endswith(b"\n"):
                return None
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                return value

    async def close(self) -> None:
        """Let go."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, BrokenPipeError):
            return
