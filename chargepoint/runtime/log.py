"""What an operator reads: one line for each thing that happened, or a JSON object a line. No secrets: they are in no Log, and events are named here."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from chargepoint.commands import CloseContactor, Command, Log, SetDuty
from chargepoint.events import (
    BayOccupied,
    FaultAcknowledged,
    HardwareFailed,
    LinkSwitched,
    PersistFailed,
    PoweredUp,
    ShutdownRequested,
    StopRequested,
    VehicleGone,
    VehicleServed,
)
from chargepoint.pilot import Level, level_of
from chargepoint.secret_names import is_key_code
from chargepoint.tick import Tick
from hal.types import (
    BoardFault,
    BoardRestarted,
    BoardSilence,
    ContactorFeedback,
    MeterSilence,
    PilotState,
    PilotVoltage,
    ResidualCurrentTrip,
    TokenPresented,
)

MOST_LINES = 10_000
LAST_WORDS_S = 1.0
END = ""
HIDDEN = "…"
LEVELS = ("debug", "info", "warning", "error")

Shown = tuple[str, str, dict[str, Any]]
"""Level, key, values."""

_EVENTS: dict[type, Callable[[Any], Shown | None]] = {
    PoweredUp: lambda e: ("info", "station.start", {"reason": e.reason, "version": e.firmware_version}),
    ShutdownRequested: lambda e: ("info", "station.stop", {"reason": e.reason}),
    ContactorFeedback: lambda e: ("info", "contactor", {"evse": e.evse_id, "is": f"closed, {e.phases} phases" if e.closed else "open"}),
    PilotState: lambda e: ("info", "pilot", {"evse": e.evse_id, "is": e.state}),
    TokenPresented: lambda e: ("info", "card", {"type": e.type, "token": HIDDEN if is_key_code(e.type) else masked(e.id_token)}),
    ResidualCurrentTrip: lambda e: ("error", "residual_current", {"evse": e.evse_id, "kind": e.kind}),
    BoardFault: lambda e: ("warning", "board.fault", {"evse": e.evse_id, "code": e.code, "present": e.present}),
    BoardRestarted: lambda e: ("warning", "board.restarted", {"text": e.text}),
    MeterSilence: lambda e: ("warning", "meter.silent", {"evse": e.evse_id}),
    HardwareFailed: lambda e: ("warning", "hardware.failed", {"evse": e.evse_id, "command": e.command, "error": e.error, "text": e.text}),
    PersistFailed: lambda e: ("error", "store.failed", {"error": e.error}),
    LinkSwitched: lambda e: ("info", "link.switched", {"up": e.up}),
    StopRequested: lambda e: ("info", "stop", {"evse": e.evse_id, "reason": e.reason}),
    FaultAcknowledged: lambda e: ("info", "fault.acknowledged", {"evse": e.evse_id, "code": e.code or "all"}),
    BayOccupied: lambda e: ("info", "bay", {"evse": e.evse_id, "occupied": e.occupied}),
    VehicleServed: lambda e: ("info", "v2g.served", {"evse": e.evse_id, "ready": e.ready, **({"why": e.why} if e.why else {})}),
    VehicleGone: lambda e: ("info", "v2g.gone", {"evse": e.evse_id, "why": e.why}),
    BoardSilence: lambda e: ("error" if e.silent else "info", "board.silent", {"silent": e.silent}),
}
_COMMANDS: dict[type, Callable[[Any], Shown | None]] = {
    Log: lambda c: (c.level, c.key, c.values),
    CloseContactor: lambda c: ("info", "contactor.close", {"evse": c.evse_id, "phases": c.phases}),
    SetDuty: lambda c: ("info", "pilot.duty", {"evse": c.evse_id, "percent": round(c.duty_percent, 1)}),
}


def masked(token: str) -> str:
    """Enough of a token to tell two apart, too little to be somebody's card.

    >>> masked("04A1B2C3D4E5F6"), masked("1234")
    ('04…F6', '…')
    """
    return f"{token[:2]}…{token[-2:]}" if len(token) >= 8 else HIDDEN


class Teller:
    """What an input and its commands are to an operator. Remembers the pilots, to say from where they came."""

    def __init__(self) -> None:
        self.levels: dict[int, Level] = {}

    def told(self, event: object, commands: Sequence[Command]) -> list[Shown]:
        """In the order in which it happened; most inputs and commands say nothing."""
        found = [self._pilot(event) if isinstance(event, PilotVoltage) else _shown_of(_EVENTS, event)]
        found += [_shown_of(_COMMANDS, command) for command in commands]
        return [shown for shown in found if shown]

    def _pilot(self, event: PilotVoltage) -> Shown | None:
        before = self.levels.get(event.evse_id)
        level = self.levels[event.evse_id] = level_of(event.high_V, before)
        if level is before:
            return None
        return "info", "pilot", {"evse": event.evse_id, "is": LETTERS[level], **({"was": LETTERS[before]} if before else {})}


LETTERS = {level: "F" if level is Level.N else level.value for level in Level}


def _shown_of(table: Mapping[type, Callable[[Any], Shown | None]], what: object) -> Shown | None:
    show = table.get(type(what))
    return show(what) if show else None


def line(tick: Tick, level: str, key: str, values: Mapping[str, Any]) -> str:
    """For a person: time (UTC), level where it is not info, key, values.

    >>> line(Tick(0.0, 1767225600.25), "warning", "link.down", {"cause": "dns", "again_in_s": 5})
    '2026-01-01 00:00:00.250 WARNING link.down cause=dns again_in_s=5'
    """
    mark = "" if level == "info" else f" {level.upper()}"
    said = "".join(f" {name}={_shown(value)}" for name, value in values.items())
    return f"{_utc(tick):%Y-%m-%d %H:%M:%S}.{int(tick.utc % 1 * 1000):03d}{mark} {key}{said}"


def json_line(tick: Tick, level: str, key: str, values: Mapping[str, Any]) -> str:
    """For a program.

    >>> json_line(Tick(0.0, 1767225600.0), "info", "link.up", {"slot": 1})
    '{"time": "2026-01-01T00:00:00.000Z", "level": "info", "key": "link.up", "slot": 1}'
    """
    time = f"{_utc(tick):%Y-%m-%dT%H:%M:%S}.{int(tick.utc % 1 * 1000):03d}Z"
    return json.dumps({"time": time, "level": level, "key": key, **values}, default=str)


def _utc(tick: Tick) -> datetime:
    return datetime.fromtimestamp(max(tick.utc, 0.0), UTC)


def _shown(value: Any) -> str:
    """What a peer or a card said must not move somebody's cursor."""
    text = str(value)
    if text and text.isprintable() and not any(c.isspace() or c == '"' for c in text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


class Output(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object:
        """All of it, or OSError."""

    def flush(self) -> object:
        """Now."""


class Background:
    """A file descriptor behind a thread: whoever reads slowly, or not at all, does not hold up the station.

    Up to `most` lines wait; what is beyond that is left out, and a line says how much. A context manager: the end waits for
    LAST_WORDS_S at most. It writes past Python's buffers, whose lock a thread that hangs would take into the interpreter's end.
    """

    def __init__(self, fileno: int, most: int = MOST_LINES) -> None:
        self.fileno, self.broken = fileno, False
        self.dropped = 0
        """Lines that were left out so far."""
        self._waiting: queue.Queue[str] = queue.Queue(most)
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self.dropped += 1

    def flush(self) -> None:
        """The thread does, all the time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(queue.Full):
            self._waiting.put(END, timeout=LAST_WORDS_S)
            self._thread.join(LAST_WORDS_S)

    def _run(self) -> None:
        told = 0
        while (text := self._waiting.get()) is not END:
            if (missing := self.dropped - told) > 0:
                text += f"({missing} lines were left out: nobody read them)\n"
                told += missing
            octets = text.encode(errors="replace")
            while octets and not self.broken:
                try:
                    octets = octets[os.write(self.fileno, octets) :]
                except OSError:
                    self.broken = True


class Logger:
    """A watcher of the shell that writes lines. An output that is gone ends the log, never the station."""

    def __init__(self, out: Output | None = None, *, as_json: bool = False, level: str = "info") -> None:
        self.out: Output = out or sys.stdout
        self.render = json_line if as_json else line
        self.least = LEVELS.index(level)
        self.teller = Teller()
        self.broken = False

    def __call__(self, tick: Tick, event: object, commands: Sequence[Command]) -> None:
        for level, key, values in self.teller.told(event, commands):
            if LEVELS.index(level) >= self.least and not self.broken:
                try:
                    self.out.write(self.render(tick, level, key, values) + "\n")
                    self.out.flush()
                except (OSError, ValueError):
                    self.broken = True
