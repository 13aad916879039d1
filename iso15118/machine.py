"""State machines as tables: they run, they draw themselves, and they can be proved complete.

A `Table` is a value. `step(table, state, event)` looks an entry up and gives it; what the entry's actions mean is the caller's
business. An entry that is not there is an error of the table, not of the input: `Table.undecided()` lists those, and a test wants it
empty. An event that must not come in a state is written down as `refused`.

>>> class Door(enum.Enum):
...     OPEN = "open"
...     SHUT = "shut"
>>> class Push(enum.Enum):
...     PULL = "pull"
...     KICK = "kick"
>>> door = Table("door", Door, Push, Door.SHUT, (
...     *on(Door.SHUT, Push.PULL, to=Door.OPEN, do=("creak",)),
...     *on(Door.OPEN, Push.PULL, to=Door.SHUT),
...     *stay(Door.OPEN, Push.KICK),
...     *refuse(Door.SHUT, Push.KICK, why="it is shut"),
... ))
>>> step(door, Door.SHUT, Push.PULL).do
('creak',)
>>> door.undecided()
()
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from iso15118.frozen import dataclass

S = TypeVar("S", bound="enum.Enum | type | str")
"""A state: a member of an enumeration, a class or a text."""
E = TypeVar("E", bound="enum.Enum | type | str")
"""An event, likewise."""


class TableError(ValueError):
    """The table itself is wrong: two entries for one (state, event), or a state or event that it does not know."""


class Undecided(LookupError):
    """The table has no entry for this (state, event): a hole in it."""


class Refused(Exception):
    """The table says that this event must not come in this state; `why` says so in words."""

    def __init__(self, table: str, state: object, event: object, why: str) -> None:
        super().__init__(f"{table}: {label(event)} in {label(state)} refused: {why}")
        self.state, self.event, self.why = state, event, why


@dataclass(frozen=True, slots=True)
class Transition(Generic[S, E]):
    """One entry. `do` names actions in order; `source` is where it comes from (standard and clause)."""

    state: S
    event: E
    to: S
    do: tuple[str, ...] = ()
    source: str = ""
    refused: bool = False


def on(
    states: S | tuple[S, ...], events: E | tuple[E, ...], *, to: S, do: tuple[str, ...] = (), source: str = ""
) -> Iterator[Transition[S, E]]:
    """Entries that lead to `to`, one for each pair."""
    for state, event in _pairs(states, events):
        yield Transition(state, event, to, do, source)


def stay(states: S | tuple[S, ...], events: E | tuple[E, ...], *, do: tuple[str, ...] = (), source: str = "") -> Iterator[Transition[S, E]]:
    """Entries that lead nowhere else."""
    for state, event in _pairs(states, events):
        yield Transition(state, event, state, do, source)


def refuse(states: S | tuple[S, ...], events: E | tuple[E, ...], *, why: str) -> Iterator[Transition[S, E]]:
    """Entries that say: this cannot come here, and is an error when it does."""
    for state, event in _pairs(states, events):
        yield Transition(state, event, state, (), why, refused=True)


def rest_refused(states: Iterable[S], events: Iterable[E], entries: Iterable[Transition[S, E]], *, why: str) -> Iterator[Transition[S, E]]:
    """These entries, and a refusal for each pair that they do not decide."""
    decided = set()
    for entry in entries:
        decided.add((entry.state, entry.event))
        yield entry
    for state, event in itertools.product(states, events):
        if (state, event) not in decided:
            yield from refuse(state, event, why=why)


def _pairs(states: Any, events: Any) -> Iterator[tuple[Any, Any]]:
    for state in states if isinstance(states, tuple) else (states,):
        for event in events if isinstance(events, tuple) else (events,):
            yield state, event


class Table(Generic[S, E]):
    """A machine as data. Raises TableError when entries contradict each other or name what is not declared."""

    def __init__(self, name: str, states: Iterable[S], events: Iterable[E], initial: S, entries: Iterable[Transition[S, E]]) -> None:
        self.name, self.states, self.events, self.initial = name, tuple(states), tuple(events), initial
        self.entries: dict[tuple[S, E], Transition[S, E]] = {}
        for entry in entries:
            self._add(entry)
        if initial not in self.states:
            raise TableError(f"{name}: the initial state {label(initial)} is none of its states")

    def _add(self, entry: Transition[S, E]) -> None:
        place = f"{self.name}: {label(entry.event)} in {label(entry.state)}"
        if entry.state not in self.states or entry.to not in self.states or entry.event not in self.events:
            raise TableError(f"{place}: a state or event that the table does not declare")
        if (entry.state, entry.event) in self.entries:
            raise TableError(f"{place}: decided twice")
        self.entries[entry.state, entry.event] = entry

    def undecided(self) -> tuple[tuple[S, E], ...]:
        """The (state, event) pairs that have no entry; a proven table has none."""
        return tuple((s, e) for s in self.states for e in self.events if (s, e) not in self.entries)

    def reachable(self) -> frozenset[S]:
        """The states that some sequence of events leads to from the initial one."""
        seen, waiting = {self.initial}, [self.initial]
        while waiting:
            state = waiting.pop()
            for event in self.events:
                entry = self.entries.get((state, event))
                if entry is not None and not entry.refused and entry.to not in seen:
                    seen.add(entry.to)
                    waiting.append(entry.to)
        return frozenset(seen)

    def replaced(self, *entries: Transition[S, E]) -> Table[S, E]:
        """The same table with other entries in these places: how a test breaks one to see a proof fail."""
        merged = {**self.entries, **{(e.state, e.event): e for e in entries}}
        return Table(self.name, self.states, self.events, self.initial, merged.values())

    def to_mermaid(self) -> str:
        """A Mermaid state diagram; what stays without an action, and what is refused, is left out of it."""
        arrows: dict[tuple[S, S], list[str]] = {}
        for state in self.states:
            for event in self.events:
                entry = self.entries.get((state, event))
                if entry is not None and not entry.refused and (entry.to != state or entry.do):
                    arrows.setdefault((state, entry.to), []).append(label(event) + (f" / {', '.join(entry.do)}" if entry.do else ""))
        lines = ["stateDiagram-v2", f"    [*] --> {_id(self.initial)}"]
        lines += [f"    {_id(a)} --> {_id(b)}: {'; '.join(texts)}" for (a, b), texts in arrows.items()]
        return "\n".join(lines) + "\n"


def step(table: Table[S, E], state: S, event: E) -> Transition[S, E]:
    """The entry for this event in this state. Raises Undecided for a hole, Refused where the table says no."""
    entry = table.entries.get((state, event))
    if entry is None:
        raise Undecided(f"{table.name}: nothing says what {label(event)} does in {label(state)}")
    if entry.refused:
        raise Refused(table.name, state, event, entry.source)
    return entry


def label(item: object) -> str:
    """How a state or event is written in diagrams: an enum member's value, a class's name, else its text."""
    if isinstance(item, enum.Enum):
        return str(item.value)
    return item.__name__ if isinstance(item, type) else str(item)


def _id(item: object) -> str:
    return "".join(c if c.isalnum() else "_" for c in label(item))
