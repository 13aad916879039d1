"""The journal: every input with its Tick and the commands that followed, so that any stretch of a station's life replays.

A segment is a text file of JSON lines. The first line is its head: format, software, configuration, board, and a snapshot of everything
that the station remembered (null at a start, where the first input is PoweredUp). Every other line is one input:
`{"m": mono, "u": utc, "e": event, "c": [command, ...]}`, each event and command with its class name under "@".
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import hal.types
from chargepoint import codec, commands, events
from chargepoint.commands import Command, Delete, Persist, Put
from chargepoint.config import StationConfig
from chargepoint.events import Event
from chargepoint.ocpp.vendors import Vendor
from chargepoint.station import Station
from chargepoint.tick import Tick
from hal.types import BoardInfo, BoardInput
from iso15118.frozen import dataclass

_ENCODER = json.JSONEncoder(separators=(",", ":"))
FORMAT = 1
"""Of the segments; a reader refuses a later one."""


def _classes(module: Any, base: type) -> dict[str, type]:
    found = (each for _, each in inspect.getmembers(module, inspect.isclass))
    return {each.__name__: each for each in found if issubclass(each, base) and each is not base}


EVENTS: dict[str, type] = {**_classes(events, Event), **_classes(hal.types, BoardInput)}
COMMANDS: dict[str, type] = _classes(commands, Command)


class JournalError(ValueError):
    """This is no journal, or one that this software does not read; the message names file line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a segment begins with."""

    software: str
    config: StationConfig
    board: BoardInfo
    snapshot: dict[str, Any] | None
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Entry:
    """One input and what followed; `crashed` is what the station raised instead."""

    tick: Tick
    event: Any
    commands: tuple[Command, ...] = ()
    crashed: str = ""


def head_line(head: Head) -> str:
    """The first line of a segment, without its newline."""
    return _text({"journal": codec.dump(Head, head)})


def entry_line(entry: Entry) -> str:
    """The line of one input, without its newline."""
    event, tick = entry.event, entry.tick
    line: dict[str, Any] = {"m": tick.mono, "u": tick.utc, "e": _tagged(event), "c": [_tagged(each) for each in entry.commands]}
    if entry.crashed:
        line["x"] = entry.crashed
    return _text(line)


def _text(value: Any) -> str:
    return _ENCODER.encode(value)


def _tagged(value: Any) -> dict[str, Any]:
    return {codec.TAG: type(value).__name__, **codec.dump(type(value), value)}


def _untagged(value: Any, known: dict[str, type], where: str) -> Any:
    if not isinstance(value, dict) or value.get(codec.TAG) not in known:
        raise JournalError(f"{where}: {json.dumps(value)[:80]} is nothing that this software knows")
    return codec.load(known[value[codec.TAG]], {key: each for key, each in value.items() if key != codec.TAG}, where)


def read(lines: Iterable[str]) -> Iterator[Head | Entry]:
    """The segments of a journal, one after the other. A last line of a segment that a power cut tore is left out. Raises JournalError."""
    torn = ""
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            if torn:
                raise JournalError(torn) from None
            torn = f"{where}: {error}"
            continue
        try:
            parsed = _parsed(value, where)
            if torn and not isinstance(parsed, Head):
                raise JournalError(torn)
            torn = ""
            yield parsed
        except (codec.CodecError, KeyError, TypeError) as error:
            raise JournalError(str(error) if isinstance(error, codec.CodecError) else f"{where}: {error!r}") from None


def _parsed(value: Any, where: str) -> Head | Entry:
    if not isinstance(value, dict):
        raise JournalError(f"{where}: no journal")
    if "journal" in value:
        if value["journal"].get("format", FORMAT) > FORMAT:
            raise JournalError(f"{where}: format {value['journal']['format']}; this software reads {FORMAT} and before")
        head: Head = codec.load(Head, value["journal"], where)
        return head
    event = _untagged(value["e"], EVENTS, where)
    told = tuple(_untagged(each, COMMANDS, where) for each in value["c"])
    return Entry(Tick(float(value["m"]), float(value["u"])), event, told, value.get("x", ""))


SECRET_TABLES = frozenset({"variables", "meta", "network_profiles"})
"""Tables of the store that may hold a password: their values are in the journal, and on no screen."""


def words(command: Command) -> str:
    """A command for a person's eyes.

    >>> words(Persist((Put("meta", "password_before", "hunter2hunter2hu"), Put("outbox", "1", 7), Delete("outbox", "0"))))
    'Persist(meta.password_before=…, outbox.1=7, outbox.0 gone)'
    """
    return f"Persist({', '.join(map(_row, command.writes))})" if isinstance(command, Persist) else str(command)


def _row(row: Put | Delete) -> str:
    if isinstance(row, Delete):
        return f"{row.table}.{row.key} gone"
    return f"{row.table}.{row.key}={'…' if row.table in SECRET_TABLES else row.value}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One input through today's code: `now` is what it does, `then` what it did."""

    number: int
    """Of the input, from 1."""
    entry: Entry
    now: tuple[Command, ...]
    crashed: str = ""

    @property
    def same(self) -> bool:
        """Whether today's code does what was done."""
        return self.crashed == self.entry.crashed and self.now == self.entry.commands

    @property
    def first_difference(self) -> str:
        """In words; "" when there is none."""
        if self.crashed != self.entry.crashed:
            return f"then {self.entry.crashed or 'no exception'}, now {self.crashed or 'no exception'}"
        for place, (then, now) in enumerate(zip(self.entry.commands, self.now, strict=False), 1):
            if then != now:
                return f"command {place}: then {words(then)}, now {words(now)}"
        then_more, now_more = self.entry.commands[len(self.now) :], self.now[len(self.entry.commands) :]
        if then_more:
            return f"then also {words(then_more[0])}"
        return f"now also {words(now_more[0])}" if now_more else ""


def replay(journal: Iterable[Head | Entry], vendors: Sequence[Vendor] = ()) -> Iterator[Replayed]:
    """All inputs through today's code, each segment from its own head. Raises JournalError when inputs come before a head."""
    station: Station | None = None
    number = 0
    for each in journal:
        if isinstance(each, Head):
            station = Station(each.config, each.board, vendors)
            if each.snapshot is not None:
                station.restore(each.snapshot)
            continue
        if station is None:
            raise JournalError("line 1: a journal begins with its head")
        number += 1
        crashed, told = "", tuple[Command, ...]()
        try:
            told = station.handle(each.tick, each.event)
        except Exception as error:  # noqa: BLE001 what the station raised is part of what is compared
            crashed = repr(error)
        yield Replayed(number, each, told, crashed)
