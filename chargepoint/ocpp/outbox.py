"""What has to reach the CSMS, whatever happens on the way: on disk before it is sent, in order, until it is answered (OCPP 2.1 E04, E11..E14).

A message stays what it was: 2.1, without its seqNo. That is the count of the messages of its transaction that have left the queue, so
it follows from what is on disk, is the same when the message is sent again, and has no gap where thinning took something out. Only what
was given up after its last attempt leaves a gap (docs/adr/0004-outbox-and-seqno.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from chargepoint import codec
from chargepoint.clock import WallClock
from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.events import Event, LinkDown, LinkUp, Persisted, PersistFailed, PoweredUp, RegistrationChanged, TimerExpired, TimeSet
from chargepoint.facts import LinkFacts
from chargepoint.ocpp.messages import CONNECTION_LOST, TIMEOUT, Answer, Call, CallAnswered, CallFailed, LateAnswer
from chargepoint.tick import Tick
from chargepoint.transaction_state import TransactionVoid

NAME = "outbox"
TABLE = "outbox"
SET_ASIDE = "set_aside"
"""Messages that the CSMS would not take, for export (F-7)."""
GONE = f"{NAME}:gone"
"""Ref of a Persist that removes answered messages."""

MOST_ROWS = 6000
MOST_BYTES = 6_000_000
"""Bounds of the queue; over one of them it is thinned (E11.FR.04). Ours: seven days offline fit, in memory and on disk."""
THIN_TO = 0.9
"""How full thinning leaves the queue: it is not done for every message."""
MOST_SET_ASIDE = 1000
BATCH = 50
"""Answered messages are removed from disk in groups of this size while the queue drains; after a power cut so many may go out twice."""
FLUSH_S = 1.0
"""... and after this time at the latest."""
STORE_AGAIN_S = 10.0
"""What could not be stored is tried again this often (F-2)."""


class DeliverySettings(Protocol):
    """What the CSMS has set about delivery (OCPPCommCtrlr)."""

    def attempts(self) -> int:
        """MessageAttempts[TransactionEvent]: sends in all, at least 1."""

    def interval_s(self) -> float:
        """MessageAttemptInterval[TransactionEvent]."""

    def timeout_s(self) -> float:
        """MessageTimeout[Default]."""

    def queue_all(self) -> bool:
        """QueueAllMessages."""


Thin = Literal["never", "last", "first"]
LaneName = Literal["transactions", "others"]


@dataclass(frozen=True, slots=True)
class Enqueue(Event):
    """Deliver this to the CSMS, also over outages and restarts. The outcome is a Delivered or a SetAside."""

    action: str
    payload: dict[str, Any]
    source: str = ""
    """Name of the block that wants to hear of the outcome; it is in Delivered and SetAside."""
    transaction_id: str = ""
    """Gives the message its place in a transaction, and its seqNo."""
    event_type: str = ""
    """"Started", "Updated" or "Ended" for a TransactionEvent."""
    thin: Thin = "never"
    """Whether it may be dropped when memory is short, and in which turn."""
    offline: Literal["keep", "drop", "by_setting"] = "keep"
    """While the CSMS cannot be told: keep it, drop it, or keep it where QueueAllMessages says so."""


@dataclass(frozen=True, slots=True)
class Delivered(Event):
    """The CSMS has answered."""

    action: str
    source: str
    payload: dict[str, Any]
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DroppedFromQueue(Event):
    """The CSMS did not take it in all its attempts (kept in table `set_aside`), or was offline and it was not to be kept."""

    action: str
    source: str
    payload: dict[str, Any]
    code: str


@dataclass(frozen=True, slots=True)
class QueueAsked(Event):
    """GetTransactionStatus: the outbox answers this call, since it knows what waits. Without a transaction id all count."""

    message_id: str
    transaction_id: str = ""
    ongoing: bool = False


@dataclass(slots=True)
class Row:
    """One message in the queue. What is on disk is this, without what only this run knows."""

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
    """Message numbers in order; those before `head` have left."""
    head: int = 0
    under_way: int = 0
    """Number of the message that the CSMS has to answer; 0 = none."""
    attempts: int = 0
    """Failed sends of the first one, in this run."""
    again_at: float | None = None


@dataclass(slots=True)
class OutboxState:
    """All that the outbox remembers."""

    last_number: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=lambda: {"transactions": Lane(), "others": Lane()})
    bytes: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    """Transaction -> how many of its messages are in the queue."""
    left: dict[str, int] = field(default_factory=dict)
    """Transaction -> how many of its messages have left the queue: the seqNo of its next one."""
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
    unsynchronised: int = 0
    """The first number whose timestamps come from a clock that nobody had set (F-3); 0 = none."""
    aside: int = 0


class Outbox:
    """The machine `outbox`. Calls one message per lane at a time, and only while the CSMS has accepted the station."""

    def __init__(self, settings: DeliverySettings, link: LinkFacts, clock: WallClock) -> None:
        self.settings, self.link, self.clock = settings, link, clock
        self.state = OutboxState()
        self.handlers: dict[type, Callable[[Tick, Any], Iterator[object]]] = {
            PoweredUp: self._powered_up,
            Enqueue: self._enqueue,
            Persisted: self._persisted,
            PersistFailed: self._persist_failed,
            TransactionVoid: self._void,
            CallAnswered: self._answered,
            CallFailed: self._failed,
            LateAnswer: self._late,
            LinkUp: self._look,
            LinkDown: self._look,
            RegistrationChanged: self._look,
            TimerExpired: self._timer,
            QueueAsked: self._asked,
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event in, what follows out."""
        handler = self.handlers.get(type(event))
        return list(handler(now, event)) if handler else ()

    def deadline(self) -> float | None:
        """The next attempt, the next write, or a look at the link."""
        s = self.state
        again = [lane.again_at for lane in s.lanes.values()] if self.link.online else []
        return min((at for at in (s.flush_at, s.store_again_at, s.look_at, *again) if at is not None), default=None)

    # ---- in

    def _enqueue(self, now: Tick, event: Enqueue) -> Iterator[object]:
        if not self.link.online and (event.offline == "drop" or (event.offline == "by_setting" and not self.settings.queue_all())):
            yield DroppedFromQueue(event.action, event.source, event.payload, "Offline")
            return
        s = self.state
        s.last_number += 1
        lane: LaneName = "transactions" if event.transaction_id else "others"
        text = json.dumps(event.payload, separators=(",", ":"), ensure_ascii=False)
        self._take(s.last_number, Row(event.action, text, event.source, event.transaction_id, event.event_type, event.thin, lane))
        s.storing[s.last_number] = False
        yield Persist((self._put(s.last_number), *self._flushed()), (f"{NAME}:{s.last_number}", *((GONE,) if s.removed else ())))
        yield from self._thinned()

    def _take(self, number: int, row: Row) -> None:
        s = self.state
        s.rows[number] = row
        s.lanes[row.lane].numbers.append(number)
        s.bytes += len(row.text)
        if row.transaction_id:
            s.waiting[row.transaction_id] = s.waiting.get(row.transaction_id, 0) + 1
        if row.event_type == "Ended":
            s.ended[row.transaction_id] = True

    def _put(self, number: int) -> Put:
        return Put(TABLE, _key(number), codec.dump(Row, self.state.rows[number]))

    # ---- out

    def _send(self, now: Tick) -> Iterator[object]:
        if not self.link.online:
            return
        for lane in self.state.lanes.values():
            number = self._first(lane)
            if number and not lane.under_way and number not in self.state.storing and (lane.again_at is None or now.mono >= lane.again_at):
                lane.under_way, lane.again_at = number, None
                row = self.state.rows[number]
                yield Call(row.action, self._payload(row), f"{NAME}:{number}")

    def _first(self, lane: Lane) -> int:
        while lane.head < len(lane.numbers):
            if lane.numbers[lane.head] in self.state.rows:
                return lane.numbers[lane.head]
            lane.head += 1
        lane.numbers.clear()
        lane.head = 0
        return 0

    def _payload(self, row: Row) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(row.text)
        return {**payload, "seqNo": self.state.left.get(row.transaction_id, 0)} if row.transaction_id else payload

    def _answered(self, now: Tick, event: CallAnswered) -> Iterator[object]:
        found = self._mine(event.token)
        if found:
            lane, number = found
            row = self.state.rows[number]
            yield Delivered(row.action, row.source, self._payload(row), event.payload)
            yield from self._done(now, lane, number)

    def _late(self, now: Tick, event: LateAnswer) -> Iterator[object]:
        """The CSMS has taken it after all: not again. Where the answer matters (a token), it is sent again for the answer's sake."""
        number = _number(event.token)
        row = self.state.rows.get(number)
        lane = self.state.lanes[row.lane] if row else None
        if event.accepted and row and lane and self._first(lane) == number and not lane.under_way and '"idToken":' not in row.text:
            yield from self._done(now, lane, number)

    def _failed(self, now: Tick, event: CallFailed) -> Iterator[object]:
        found = self._mine(event.token)
        if not found:
            return
        lane, number = found
        lane.under_way = 0
        if event.code == CONNECTION_LOST:
            lane.again_at = None
            self.state.look_at = now.mono + FLUSH_S if self.link.online else None
            return
        lane.attempts += 1
        if lane.attempts >= self.settings.attempts():
            yield from self._set_aside(now, lane, number, event)
            return
        wait_s = self.settings.interval_s() * lane.attempts + (0.0 if event.code == TIMEOUT else self.settings.timeout_s())
        lane.again_at = now.mono + wait_s
        row = self.state.rows[number]
        yield Log("warning", "outbox.refused", {"action": row.action, "code": event.code, "attempt": lane.attempts, "again_in_s": wait_s})

    def _mine(self, token: str) -> tuple[Lane, int] | None:
        number = _number(token)
        return next(((lane, number) for lane in self.state.lanes.values() if number and lane.under_way == number), None)

    def _set_aside(self, now: Tick, lane: Lane, number: int, event: CallFailed) -> Iterator[object]:
        """Its last attempt has failed: kept for a person, and the queue goes on (E13.FR.04, F-7)."""
        s, row = self.state, self.state.rows[number]
        payload = self._payload(row)
        s.aside += 1
        kept = {"action": row.action, "payload": payload, "code": event.code, "description": event.description, "utc": now.utc}
        old = (Delete(SET_ASIDE, _key(s.aside - MOST_SET_ASIDE)),) if s.aside > MOST_SET_ASIDE else ()
        yield Persist((Put(SET_ASIDE, _key(s.aside), kept), *old))
        yield Log(
            "error", "outbox.set_aside", {"action": row.action, "code": event.code, "description": event.description, "number": s.aside}
        )
        yield DroppedFromQueue(row.action, row.source, payload, event.code)
        yield from self._done(now, lane, number)

    def _done(self, now: Tick, lane: Lane, number: int) -> Iterator[object]:
        lane.under_way = lane.attempts = 0
        lane.again_at = None
        self._remove(number, left=True)
        yield from self._send(now)
        if len(self.state.removing) >= BATCH or not any(other.under_way for other in self.state.lanes.values()):
            yield from self._flush()
        elif self.state.flush_at is None:
            self.state.flush_at = now.mono + FLUSH_S

    def _remove(self, number: int, *, left: bool) -> None:
        """Out of the queue; `left`: it used up its seqNo."""
        s = self.state
        row = s.rows.pop(number)
        s.storing.pop(number, None)
        s.bytes -= len(row.text)
        s.removing.append(_key(number))
        tx = row.transaction_id
        if not tx:
            return
        s.waiting[tx] -= 1
        if left:
            s.left[tx] = s.left.get(tx, 0) + 1
        if not s.waiting[tx]:
            del s.waiting[tx]
        if row.event_type == "Ended":
            s.ended.pop(tx, None)
            s.left.pop(tx, None)
            s.removing.append(_counter(tx))

    # ---- the store

    def _flush(self) -> Iterator[object]:
        writes = self._flushed()
        if writes:
            yield Persist(writes, (GONE,))

    def _flushed(self) -> tuple[Put | Delete, ...]:
        """Removals that are due, and the counters of the transactions that go on."""
        s = self.state
        s.flush_at = None
        if s.removed or not s.removing:
            return ()  # one group at a time
        s.removed, s.removing = s.removing, []
        return (*(Delete(TABLE, key) for key in s.removed), *(Put(TABLE, _counter(tx), {"left": n}) for tx, n in s.left.items()))

    def _persisted(self, now: Tick, event: Persisted) -> Iterator[object]:
        s = self.state
        if GONE in event.refs:
            s.removed = []
            if len(s.removing) >= BATCH:
                yield from self._flush()
            elif s.removing:
                s.flush_at = now.mono + FLUSH_S
        for ref in event.refs:
            s.storing.pop(_number(ref), None)
        yield from self._send(now)

    def _persist_failed(self, now: Tick, event: PersistFailed) -> Iterator[object]:
        """F-2: what is not on disk waits, is tried again, and makes room first where it can."""
        s = self.state
        if GONE in event.refs:
            s.removing, s.removed = [*s.removed, *s.removing], []
        refused = [number for ref in event.refs if (number := _number(ref)) in s.storing]
        for number in refused:
            s.storing[number] = True
        if refused or GONE in event.refs:
            if s.store_again_at is None:
                yield Log("error", "outbox.not_stored", {"messages": len(refused), "error": event.error})
            s.store_again_at = now.mono + STORE_AGAIN_S
        yield from ()

    def _store_again(self, now: Tick) -> Iterator[object]:
        s = self.state
        s.store_again_at = None
        self._thin(len(s.rows) // 2, s.bytes // 2, rounds=1)
        again = [number for number, refused in s.storing.items() if refused]
        for number in again:
            s.storing[number] = False
        writes = (*self._flushed(), *(self._put(number) for number in again))
        if writes:
            yield Persist(writes, (*(f"{NAME}:{number}" for number in again), *((GONE,) if s.removed else ())))

    def _void(self, now: Tick, event: TransactionVoid) -> Iterator[object]:
        numbers = [number for number, row in self.state.rows.items() if row.transaction_id == event.transaction_id]
        for number in numbers:
            self._remove(number, left=False)
        self.state.left.pop(event.transaction_id, None)
        yield from self._flush()

    def _powered_up(self, now: Tick, event: PoweredUp) -> Iterator[object]:
        s, unreadable = self.state, []
        for key, value in sorted(event.stored.get(TABLE, {}).items()):
            if key.startswith("seq:"):
                s.left[key[4:]] = value["left"]
                continue
            try:
                self._take(int(key), codec.load(Row, value, f"{TABLE}.{key}"))
            except (codec.CodecError, ValueError) as error:
                unreadable.append(key)
                yield Log("error", "outbox.unreadable", {"key": key, "error": str(error)})
            else:
                s.last_number = int(key)
        s.aside = max((int(key) for key in event.stored.get(SET_ASIDE, {})), default=0)
        first = [self._first(lane) for lane in s.lanes.values()]
        s.pinned = max((n + BATCH for n in first if n), default=0)
        if unreadable:
            yield Persist(tuple(Delete(TABLE, key) for key in unreadable))

    # ---- when memory is short

    def _thinned(self) -> Iterator[object]:
        s = self.state
        if len(s.rows) <= MOST_ROWS and s.bytes <= MOST_BYTES:
            return
        dropped = self._thin(int(MOST_ROWS * THIN_TO), int(MOST_BYTES * THIN_TO))
        if dropped:
            yield Log("warning", "outbox.thinned", {"dropped": dropped, "left": len(s.rows)})
            yield from self._flush()

    def _thin(self, rows: int, octets: int, rounds: int = 8) -> int:
        """Drop the 2nd, 4th ... of the Updated of each transaction, ended ones first, until it fits; never Started or Ended (E11.FR.05)."""
        s, before = self.state, len(self.state.rows)
        for thin in ("first", "last"):
            for ended in (True, False):
                for _ in range(rounds):
                    droppable = self._droppable(thin, ended=ended)
                    for number in droppable:
                        if len(s.rows) <= rows and s.bytes <= octets:
                            return before - len(s.rows)
                        self._remove(number, left=False)
                    if not droppable:
                        break
        return before - len(s.rows)

    def _droppable(self, thin: str, *, ended: bool) -> list[int]:
        s = self.state
        under_way = {lane.under_way for lane in s.lanes.values()} | {self._first(lane) for lane in s.lanes.values()}
        second: dict[str, bool] = {}
        out = []
        for number, row in s.rows.items():
            if row.thin == thin and number > s.pinned and number not in under_way and (row.transaction_id in s.ended) is ended:
                if second.get(row.transaction_id, False):
                    out.append(number)
                second[row.transaction_id] = not second.get(row.transaction_id, False)
        return out

    # ---- the rest

    def _look(self, now: Tick, event: object) -> Iterator[object]:
        """The link's facts may be written after us: look again in a moment."""
        self.state.look_at = now.mono
        yield from ()

    def _timer(self, now: Tick, event: TimerExpired) -> Iterator[object]:
        s = self.state
        if s.look_at is not None and now.mono >= s.look_at:
            s.look_at = None
        if s.store_again_at is not None and now.mono >= s.store_again_at:
            yield from self._store_again(now)
        if s.flush_at is not None and now.mono >= s.flush_at:
            yield from self._flush()
        yield from self._send(now)

    def _asked(self, now: Tick, event: QueueAsked) -> Iterator[object]:
        """E14: without a transaction id only whether anything waits is told (E14.FR.06)."""
        waiting = bool(self.state.waiting.get(event.transaction_id)) if event.transaction_id else bool(self.state.waiting)
        payload: dict[str, Any] = {"messagesInQueue": waiting}
        if event.transaction_id:
            payload["ongoingIndicator"] = event.ongoing
        yield Answer(event.message_id, "GetTransactionStatus", payload)


def _key(number: int) -> str:
    return f"{number:012d}"


def _counter(transaction_id: str) -> str:
    return f"seq:{transaction_id}"


def _number(token: str) -> int:
    name, _, rest = token.partition(":")
    return int(rest) if name == NAME and rest.isdigit() else 0
