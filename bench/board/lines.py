"""The line between station and board process: JSON values, one a line, over a stream socket.

Station to board: `{"id", "call": "contactor.close", "evse", "args"}`, answered by `{"id", "ok"}` or `{"id", "error", "text"}`;
`{"answer", "status", "text"}` to a verb; `{"status": {...}}`, what the station believes, for `/state`.
Board to station: `{"said": input}`, in order; `{"verb": number, "body"}`, what the driver does that is the station's matter.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import hal.types
from chargepoint import codec
from chargepoint.journal import EVENTS

LIMIT = 1 << 20


def to_json(value: Any) -> Any:
    """A dataclass with its class name, or a plain value."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    return {codec.TAG: type(value).__name__, **codec.dump(type(value), value)}


def from_json(value: Any) -> Any:
    """The way back. Raises CodecError, KeyError."""
    if isinstance(value, list):
        return tuple(from_json(each) for each in value)
    if not isinstance(value, dict):
        return value
    name = value[codec.TAG]
    kind = EVENTS.get(name) or getattr(hal.types, name)
    return codec.load(kind, {key: each for key, each in value.items() if key != codec.TAG}, name)


class Line:
    """One end. `send` never waits: what passes is small and the other end reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, value: Any) -> None:
        """Nothing happens when the other end is gone; the reader notices."""
        if not self.writer.is_closing():
            self.writer.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    async def receive(self) -> Any:
        """The next value; None when the other end is gone."""
        try:
            text = await self.reader.readline()
        except (ConnectionError, ValueError):
            return None
        return json.loads(text) if text.endswith(b"\n") else None

    async def close(self) -> None:
        """Let go."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, BrokenPipeError):
            return
