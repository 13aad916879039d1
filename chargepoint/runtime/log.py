"""What an operator reads: one line for each thing that happened, or a JSON object a line. No secrets: they are in no Log, and events are named here."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from chargepoint.commands import CloseContactor, Command, Log, SetDuty
from chargepoint.events import PoweredUp, ShutdownRequested
from chargepoint.tick import Tick
from hal.types import BoardFault, BoardSilence, ContactorFeedback, PilotState, ResidualCurrentTrip, TokenPresented

LEVELS = ("debug", "info", "warning", "error")

Shown = tuple[str, str, dict[str, Any]]
"""Level, key, values."""

_EVENTS: dict[type, Callable[[Any], Shown | None]] = {
    PoweredUp: lambda e: ("info", "station.start", {"reason": e.reason, "version": e.firmware_version}),
    ShutdownRequested: lambda e: ("info", "station.stop", {"reason": e.reason}),
    ContactorFeedback: lambda e: ("info", "contactor", {"evse": e.evse_id, "is": f"closed, {e.phases} phases" if e.closed else "open"}),
    PilotState: lambda e: ("info", "pilot", {"evse": e.evse_id, "state": e.state}),
    TokenPresented: lambda e: ("info", "card", {"type": e.type, "token": masked(e.id_token)}),
    ResidualCurrentTrip: lambda e: ("error", "residual_current", {"evse": e.evse_id, "kind": e.kind}),
    BoardFault: lambda e: ("warning", "board.fault", {"evse": e.evse_id, "code": e.code, "present": e.present}),
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
    return f"{token[:2]}…{token[-2:]}" if len(token) >= 8 else "…"


def told(event: object, commands: Sequence[Command]) -> list[Shown]:
    """What an input and its commands are to an operator."""
    found = []
    if (show := _EVENTS.get(type(event))) and (shown := show(event)):
        found.append(shown)
    for command in commands:
        shown = told_of(command)
        if shown:
            found.append(shown)
    return found


def told_of(command: Command) -> Shown | None:
    """One command; most of them say nothing to an operator."""
    show = _COMMANDS.get(type(command))
    return show(command) if show else None


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
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(c.isspace() or c == '"' for c in text) else text


class Logger:
    """A watcher of the shell that writes lines."""

    def __init__(self, out: TextIO | None = None, *, as_json: bool = False, level: str = "info") -> None:
        self.out = out or sys.stdout
        self.render = json_line if as_json else line
        self.least = LEVELS.index(level)

    def __call__(self, tick: Tick, event: object, commands: Sequence[Command]) -> None:
        for level, key, values in told(event, commands):
            if LEVELS.index(level) >= self.least:
                print(self.render(tick, level, key, values), file=self.out, flush=True)
