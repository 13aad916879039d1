"""What has to reach the CSMS, whatever happens on the way: on disk before it is sent, in order, until it is answered (OCPP 2.1 E04, E11..E14).

A message stays what it was: 2.1, without its seqNo. That is the count of the messages of its transaction that have left the queue, so
it follows from what is on disk, is the same when the message is sent again, and has no gap where thinning took something out. Only what
was given up after its last attempt leaves a gap (docs/adr/0004-outbox-and-seqno.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol

from chargepoint.clock import WallClock
from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.events import Event, LinkDown, LinkUp, Persisted, PersistFailed, PoweredUp, RegistrationChanged, TimerExpired, TimeSet
from chargepoint.facts import LinkFacts
from chargepoint.ocpp.messages import CONNECTION_LOST, Answer, Call, CallAnswered, CallFailed, LateAnswer
from chargepoint.ocpp.outbox_queue import (
    BATCH,
    MOST_BYTES,
    MOST_ROWS,
    TABLE,
    THIN_TO,
    Lane,
    OutboxState,
    Queue,
    Row,
    Thin,
    as_text,
    key_of,
    puts,
)
from chargepoint.tick import Tick
from chargepoint.transaction_state import TransactionVoid
from iso15118.frozen import dataclass

NAME = "outbox"
SET_ASIDE = "set_aside"
"""Table of the messages that the CSMS would not take, for export (F-7)."""
MOST_SET_ASIDE = 1000
"""The oldest ones go (ours)."""
GONE = f"{NAME}:gone"
"""Ref of a Persist that removes answered messages."""
FLUSH_S = 1.0
"""Answered messages are removed from disk after this time at the latest."""
STORE_AGAIN_S = 10.0
"""What could not be stored is tried again this often (F-2)."""


class DeliverySettings(Protocol):
    """What the CSMS has set about delivery (OCPPCommCtrlr)."""

    def attempts(self) -> int:
        """MessageAttempts[TransactionEvent]: sends in all, at least 1."""

    def interval_s(self) -> float:
        """MessageAttemptInterval[TransactionEvent]."""

    def queue_all(self) -> bool:
        """QueueAllMessages."""


@dataclass(frozen=True, slots=True)
class Enqueue(Event):
    """Deliver this to the CSMS, also over outages and restarts. The outcome is a Delivered or a DroppedFromQueue.

    Messages of transactions go one after the other; others have a queue of their own, so a backlog of transactions delays none of them.
    """

    action: str
    payload: dict[str, Any]
    source: str = ""
    """Name of the block that wants to hear of the outcome; it is in Delivered and DroppedFromQueue."""
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
    """The CSMS did not take it in all its attempts (kept in table `set_aside`), or was offline and it was not to be kept ("Offline")."""

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


class Outbox:
    """The machine `outbox`. Calls one message per lane at a time, and only while the CSMS has accepted the station."""

    def __init__(self, settings: DeliverySettings, link: LinkFacts, clock: WallClock) -> None:
        self.settings, self.link, self.clock = settings, link, clock
        self.queue = Queue()
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
            LinkDown: self._link_down,
            RegistrationChanged: self._look,
            TimeSet: self._time_set,
            TimerExpired: self._timer,
            QueueAsked: self._asked,
        }

    @property
    def state(self) -> OutboxState:
        """All that this machine remembers."""
        return self.queue.state

    @state.setter
    def state(self, value: OutboxState) -> None:
        self.queue.state = value

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
        row = Row(event.action, as_text(event.payload), event.source, event.transaction_id, event.event_type, event.thin)
        row.lane = "transactions" if event.transaction_id else "others"
        number = self.queue.add(row, clock_is_set=self.clock.synchronised)
        if self.queue.over():
            dropped = self.queue.thin(int(MOST_ROWS * THIN_TO), int(MOST_BYTES * THIN_TO))
            if dropped:
                yield Log("warning", "outbox.thinned", {"dropped": dropped, "left": len(self.state.rows)})
        yield from self._write(number)

    # ---- out

    def _send(self, now: Tick) -> Iterator[object]:
        if not self.link.online or not self.queue.may_send():
            return
        for lane in self.state.lanes.values():
            number = 0 if lane.under_way else self.queue.first(lane)
            if number and number not in self.state.storing and (lane.again_at is None or now.mono >= lane.again_at):
                lane.under_way, lane.tried, lane.again_at = number, number, None
                yield Call(self.state.rows[number].action, self.queue.payload(number), f"{NAME}:{number}")

    def _answered(self, now: Tick, event: CallAnswered) -> Iterator[object]:
        found = self._mine(event.token)
        if found:
            lane, number = found
            row = self.state.rows[number]
            yield Delivered(row.action, row.source, self.queue.payload(number), event.payload)
            yield from self._done(now, lane, number)

    def _late(self, now: Tick, event: LateAnswer) -> Iterator[object]:
        """The CSMS has taken it after all: not again. Where the answer matters (a token), it is sent again for the answer's sake."""
        number = _number(event.token)
        row = self.state.rows.get(number)
        lane = self.state.lanes[row.lane] if row else None
        if event.accepted and row and lane and lane.tried == number and not lane.under_way and '"idToken":' not in row.text:
            yield from self._done(now, lane, number)

    def _failed(self, now: Tick, event: CallFailed) -> Iterator[object]:
        found = self._mine(event.token)
        if not found:
            return
        lane, number = found
        lane.under_way = 0
        if event.code == CONNECTION_LOST:  # uses up no attempt
            self.state.look_at = now.mono + FLUSH_S if self.link.online else None
            return
        lane.attempts += 1
        if lane.attempts >= self.settings.attempts():
            yield from self._set_aside(now, lane, number, event)
            return
        wait_s = self.settings.interval_s() * lane.attempts  # after an answer that did not come in time as after a bad one (E13.FR.03)
        lane.again_at = now.mono + wait_s
        row = self.state.rows[number]
        yield Log("warning", "outbox.refused", {"action": row.action, "code": event.code, "attempt": lane.attempts, "again_in_s": wait_s})

    def _mine(self, token: str) -> tuple[Lane, int] | None:
        number = _number(token)
        return next(((lane, number) for lane in self.state.lanes.values() if number and lane.under_way == number), None)

    def _set_aside(self, now: Tick, lane: Lane, number: int, event: CallFailed) -> Iterator[object]:
        """Its last attempt has failed: kept for a person, and the queue goes on (E13.FR.04, F-7)."""
        s, row = self.state, self.state.rows[number]
        payload = self.queue.payload(number)
        s.aside += 1
        kept = {"action": row.action, "payload": payload, "code": event.code, "description": event.description, "utc": self.clock.utc(now)}
        oldest = (Delete(SET_ASIDE, key_of(s.aside - MOST_SET_ASIDE)),) if s.aside > MOST_SET_ASIDE else ()
        yield Persist((Put(SET_ASIDE, key_of(s.aside), kept), *oldest))
        yield Log(
            "error", "outbox.set_aside", {"action": row.action, "code": event.code, "description": event.description, "number": s.aside}
        )
        yield DroppedFromQueue(row.action, row.source, payload, event.code)
        yield from self._done(now, lane, number)

    def _done(self, now: Tick, lane: Lane, number: int) -> Iterator[object]:
        lane.under_way = lane.tried = lane.attempts = 0
        lane.again_at = None
        self.queue.remove(number, numbered=True)
        yield from self._send(now)
        draining = any(other.under_way for other in self.state.lanes.values())
        if len(self.state.removing) >= BATCH or not draining:
            yield from self._write()
        elif self.state.flush_at is None:
            self.state.flush_at = now.mono + FLUSH_S

    # ---- the store

    def _write(self, *numbers: int) -> Iterator[object]:
        """These messages, and what has left meanwhile, in one go."""
        removals = self.queue.removals()
        writes = (*puts(self.queue, (number for number in numbers if number in self.state.rows)), *removals)
        if writes:
            yield Persist(writes, (*(f"{NAME}:{number}" for number in numbers), *((GONE,) if removals else ())))

    def _persisted(self, now: Tick, event: Persisted) -> Iterator[object]:
        s = self.state
        for ref in event.refs:
            s.storing.pop(_number(ref), None)
        if GONE in event.refs:
            s.removed = []
            if len(s.removing) >= BATCH:
                yield from self._write()
            elif s.removing:
                s.flush_at = now.mono + FLUSH_S
        yield from self._send(now)

    def _persist_failed(self, now: Tick, event: PersistFailed) -> Iterator[object]:
        """What is not on disk is not sent; it waits and is tried again (F-2)."""
        s = self.state
        refused = [number for ref in event.refs if (number := _number(ref)) in s.storing]
        for number in refused:
            s.storing[number] = True
        if GONE in event.refs:
            s.removing, s.removed = [*s.removed, *s.removing], []
        elif not refused:
            return
        if s.store_again_at is None:
            yield Log("error", "outbox.not_stored", {"messages": len(refused), "error": event.error})
        s.store_again_at = now.mono + STORE_AGAIN_S

    def _store_again(self) -> Iterator[object]:
        """Room is made first, where there is something to drop: the disk may be full."""
        s = self.state
        s.store_again_at = None
        self.queue.thin(len(s.rows) // 2, s.octets // 2, rounds=1)
        again = [number for number, refused in s.storing.items() if refused]
        for number in again:
            s.storing[number] = False
        yield from self._write(*again)

    def _void(self, now: Tick, event: TransactionVoid) -> Iterator[object]:
        for number in self.queue.of_transaction(event.transaction_id):
            self.queue.remove(number, numbered=False)
        self.queue.close(event.transaction_id)
        yield from self._write()

    def _powered_up(self, now: Tick, event: PoweredUp) -> Iterator[object]:
        problems = self.queue.load(event.stored.get(TABLE, {}))
        self.state.aside = max((int(key) for key in event.stored.get(SET_ASIDE, {}) if key.isdigit()), default=0)
        for key, problem in problems:
            yield Log("error", "outbox.unreadable", {"key": key, "error": problem})
            yield Persist((Put(SET_ASIDE, f"unreadable {key}", event.stored[TABLE][key]), Delete(TABLE, key)))

    # ---- the rest

    def _look(self, now: Tick, event: object) -> Iterator[object]:
        """The link's facts may be written after us: look again in a moment."""
        self.state.look_at = now.mono
        yield from ()

    def _link_down(self, now: Tick, event: LinkDown) -> Iterator[object]:
        self.queue.went_offline()
        yield from self._look(now, event)

    def _timer(self, now: Tick, event: TimerExpired) -> Iterator[object]:
        s = self.state
        if s.look_at is not None and now.mono >= s.look_at:
            s.look_at = None
        if s.store_again_at is not None and now.mono >= s.store_again_at:
            yield from self._store_again()
        if s.flush_at is not None and now.mono >= s.flush_at:
            yield from self._write()
        yield from self._send(now)

    def _time_set(self, now: Tick, event: TimeSet) -> Iterator[object]:
        """Messages of a time when nobody had set the clock get the right time after all (F-3)."""
        moved = self.queue.restamp(event.changed_s)
        if moved:
            yield from self._write(*moved)

    def _asked(self, now: Tick, event: QueueAsked) -> Iterator[object]:
        """E14: without a transaction id only whether anything waits is told (E14.FR.06)."""
        waiting = event.transaction_id in self.state.waiting if event.transaction_id else bool(self.state.waiting)
        ongoing = {"ongoingIndicator": event.ongoing} if event.transaction_id else {}
        yield Answer(event.message_id, "GetTransactionStatus", {"messagesInQueue": waiting, **ongoing})


def _number(token: str) -> int:
    name, _, rest = token.partition(":")
    return int(rest) if name == NAME and rest.isdigit() else 0
