"""The outbox's queue: messages in lanes, their transactions, what of it is on disk, and what goes when memory is short.

Nothing here sends or waits; `chargepoint.ocpp.outbox` does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Literal

from chargepoint import codec
from chargepoint.commands import Delete, Put
from chargepoint.ocpp.wire import TimestampError, format_timestamp, parse_timestamp
from iso15118.frozen import dataclass

TABLE = "outbox"
BATCH = 50
"""Answered messages are removed from disk in groups of this size while the queue drains."""
UNREMOVED_MOST = 2 * BATCH
"""So many answered messages may still be on disk; after a power cut as many may go out twice, each as it was. No more are sent until then."""
MOST_ROWS = 6000
MOST_BYTES = 6_000_000
"""Bounds of the queue; over one of them it is thinned (E11.FR.04). Ours: seven days offline fit, in memory and on disk."""
THIN_TO = 0.9
"""How full thinning leaves the queue, so that not every message thins it."""
THIN_ROUNDS = 13
"""Halvings of one transaction's Updated: from the whole queue down to one of them."""

Thin = Literal["never", "last", "first"]
LaneName = Literal["transactions", "others"]
_TIMESTAMP = re.compile(r'"timestamp":"([^"]+)"')


@dataclass(slots=True)
class Row:
    """One message in the queue, as it is on disk."""

    action: str
    text: str
    """The payload as JSON text: a fifth of the memory of the objects."""
    source: str = ""
    transaction_id: str = ""
    event_type: str = ""
    thin: Thin = "never"
    lane: LaneName = "transactions"


@dataclass(slots=True)
class Lane:
    """A queue of its own, with one message under way at most."""

    numbers: list[int] = field(default_factory=list)
    """Message numbers in order; what stands before `head`, and what is no row any more, has left."""
    head: int = 0
    under_way: int = 0
    """Number of the message that the CSMS has to answer; 0 = none."""
    tried: int = 0
    """Number of the message that has been sent, with or without an answer; 0 = the first one has not."""
    attempts: int = 0
    """Failed sends of the first one, in this run."""
    again_at: float | None = None


@dataclass(slots=True)
class OutboxState:
    """All that the outbox remembers. Times are Tick.mono."""

    last_number: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=lambda: {"transactions": Lane(), "others": Lane()})
    octets: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    """Transaction -> how many of its messages are in the queue."""
    left: dict[str, int] = field(default_factory=dict)
    """Transaction -> how many of its messages have left the queue with a seqNo: the seqNo of its next one."""
    ended: dict[str, bool] = field(default_factory=dict)
    """Transactions whose Ended is in the queue: thinned first."""
    storing: dict[int, bool] = field(default_factory=dict)
    """Not on disk yet; True: the store has refused it."""
    pinned: int = 0
    """Messages up to this number may have been sent by the run before: they are not thinned, their seqNo is known out there."""
    removing: list[str] = field(default_factory=list)
    """Keys to be deleted on disk."""
    removed: list[str] = field(default_factory=list)
    """Keys whose deletion is on its way to the disk."""
    flush_at: float | None = None
    store_again_at: float | None = None
    look_at: float | None = None
    unset_from: int = 0
    """Messages from this number to `unset_to` carry times of a clock that nobody had set (F-3); 0 = none."""
    unset_to: int = 0
    aside: int = 0
    """How many messages have been set aside, ever."""
    offline_to: int = 0
    """Messages up to this number were still here when the CSMS could not be reached: they go out as offline (E11.FR.07)."""


class Queue:
    """Bookkeeping over the state."""

    def __init__(self) -> None:
        self.state = OutboxState()

    # ---- in and out

    def add(self, row: Row, *, clock_is_set: bool) -> int:
        """At the end of its lane; gives its number."""
        s = self.state
        s.last_number += 1
        if not clock_is_set:
            s.unset_from = s.unset_from or s.last_number
            s.unset_to = s.last_number
        self._take(s.last_number, row)
        s.storing[s.last_number] = False
        return s.last_number

    def _take(self, number: int, row: Row) -> None:
        s = self.state
        s.rows[number] = row
        s.lanes[row.lane].numbers.append(number)
        s.octets += len(row.text)
        if row.transaction_id:
            s.waiting[row.transaction_id] = s.waiting.get(row.transaction_id, 0) + 1
        if row.event_type == "Ended":
            s.ended[row.transaction_id] = True

    def first(self, lane: Lane) -> int:
        """The number of the lane's first message; 0 when it is empty."""
        while lane.head < len(lane.numbers):
            if lane.numbers[lane.head] in self.state.rows:
                break
            lane.head += 1
        if lane.head > UNREMOVED_MOST or lane.head == len(lane.numbers):
            del lane.numbers[: lane.head]
            lane.head = 0
        return lane.numbers[lane.head] if lane.numbers else 0

    def payload(self, number: int) -> dict[str, Any]:
        """As it goes out when it is the first of its transaction: with the seqNo that follows from what has left before."""
        row = self.state.rows[number]
        payload: dict[str, Any] = json.loads(row.text)
        if row.event_type and number <= self.state.offline_to:
            payload["offline"] = True
        return {**payload, "seqNo": self.state.left.get(row.transaction_id, 0)} if row.transaction_id else payload

    def went_offline(self) -> None:
        """Whatever is here has not reached the CSMS as it happened."""
        self.state.offline_to = self.state.last_number

    def remove(self, number: int, *, numbered: bool) -> None:
        """Out of the queue; `numbered`: it used up its seqNo."""
        s = self.state
        row = s.rows.pop(number)
        s.storing.pop(number, None)
        s.octets -= len(row.text)
        s.removing.append(key_of(number))
        transaction_id = row.transaction_id
        if not transaction_id:
            return
        if numbered:
            s.left[transaction_id] = s.left.get(transaction_id, 0) + 1
        s.waiting[transaction_id] -= 1
        if not s.waiting[transaction_id]:
            del s.waiting[transaction_id]
        if row.event_type == "Ended":
            self.close(transaction_id)

    def close(self, transaction_id: str) -> None:
        """Nothing more comes of this transaction."""
        s = self.state
        s.ended.pop(transaction_id, None)
        if s.left.pop(transaction_id, None) is not None:
            s.removing.append(_counter(transaction_id))

    # ---- on disk

    def put(self, number: int) -> Put:
        """The write that keeps this message."""
        return Put(TABLE, key_of(number), codec.dump(Row, self.state.rows[number]))

    def removals(self) -> tuple[Put | Delete, ...]:
        """The writes that remove what has left, and keep the counters in step with it. One group is on its way at a time."""
        s = self.state
        s.flush_at = None
        if s.removed or not s.removing:
            return ()
        s.removed, s.removing = s.removing, []
        return (*(Delete(TABLE, key) for key in s.removed), *(Put(TABLE, _counter(tx), {"left": n}) for tx, n in s.left.items()))

    def may_send(self) -> bool:
        """Whether the disk keeps up with what is answered."""
        return len(self.state.removing) + len(self.state.removed) < UNREMOVED_MOST

    def load(self, stored: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Take over what is on disk; gives key and problem of what cannot be read."""
        s = self.state
        problems = []
        for key, value in sorted(stored.items()):
            try:
                if key.startswith(_COUNTER):
                    s.left[key.removeprefix(_COUNTER)] = int(value["left"])
                else:
                    self._take(int(key), codec.load(Row, value, f"{TABLE}.{key}"))
                    s.last_number = int(key)
            except (codec.CodecError, ValueError, KeyError, TypeError) as error:
                problems.append((key, str(error)))
        self.went_offline()
        s.pinned = max((lane.numbers[:UNREMOVED_MOST][-1] for lane in s.lanes.values() if lane.numbers), default=0)
        return problems

    # ---- times of a clock that was set later

    def restamp(self, changed_s: float) -> list[int]:
        """Move the times of messages that came before the clock was set, unless they have been sent; gives their numbers (F-3)."""
        s = self.state
        tried = {lane.tried for lane in s.lanes.values()}
        numbers = [n for n in range(s.unset_from, s.unset_to + 1) if n in s.rows and n not in tried] if s.unset_from else []
        s.unset_from = s.unset_to = 0
        for number in numbers:
            row = s.rows[number]
            moved = _TIMESTAMP.sub(lambda found: f'"timestamp":"{_moved(found[1], changed_s)}"', row.text)
            s.octets += len(moved) - len(row.text)
            row.text = moved
        return numbers

    # ---- when memory is short

    def over(self) -> bool:
        """Whether a bound is passed."""
        return len(self.state.rows) > MOST_ROWS or self.state.octets > MOST_BYTES

    def thin(self, rows: int, octets: int, rounds: int = THIN_ROUNDS) -> int:
        """Drop the 2nd, 4th ... of each transaction's Updated until it fits: those of ended transactions first (E11.FR.04, E11.FR.05).

        Plain meter values go before anything else; Started, Ended and what carries a token never.
        """
        before = len(self.state.rows)
        for thin in ("first", "last"):
            for ended in (True, False):
                for _ in range(rounds):
                    droppable = self._droppable(thin, ended=ended)
                    for number in droppable:
                        if len(self.state.rows) <= rows and self.state.octets <= octets:
                            return before - len(self.state.rows)
                        self.remove(number, numbered=False)
                    if not droppable:
                        break
        return before - len(self.state.rows)

    def _droppable(self, thin: str, *, ended: bool) -> list[int]:
        """Every other one; where they lie thickest comes first, so that what was thinned before is not thinned away."""
        s = self.state
        sent = {lane.tried for lane in s.lanes.values()}
        series: dict[str, list[int]] = {}
        for number, row in s.rows.items():
            if row.thin == thin and number > s.pinned and number not in sent and (row.transaction_id in s.ended) is ended:
                series.setdefault(row.transaction_id, []).append(number)
        gaps: list[tuple[float, int]] = []
        for numbers in series.values():
            ends = (*numbers[2:], math.inf)
            gaps += [(after - before, number) for before, number, after in zip(numbers[::2], numbers[1::2], ends[::2], strict=False)]
        return [number for _, number in sorted(gaps)]

    def of_transaction(self, transaction_id: str) -> list[int]:
        """The numbers of its messages."""
        return [number for number, row in self.state.rows.items() if row.transaction_id == transaction_id]


_COUNTER = "seq:"


def key_of(number: int) -> str:
    """The key on disk; keys sort as numbers."""
    return f"{number:012d}"


def _counter(transaction_id: str) -> str:
    return _COUNTER + transaction_id


def _moved(timestamp: str, changed_s: float) -> str:
    try:
        return format_timestamp(parse_timestamp(timestamp, in_range=False) + changed_s)
    except TimestampError:
        return timestamp


def as_text(payload: Mapping[str, Any]) -> str:
    """A payload as it is kept."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False)


def puts(queue: Queue, numbers: Iterable[int]) -> tuple[Put, ...]:
    """The writes that keep these messages."""
    return tuple(queue.put(number) for number in numbers)
