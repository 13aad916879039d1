"""The RPC machine of OCPP-J: one CALL under way in each direction, answers at any time, and never silence.

Handlers never wait on our own calls: a call of the CSMS is an event, and its answer a command that comes when it comes.
Sources: OCPP 2.1 part 4, chapter 4; S-5, S-18, S-25..S-27, F-6; B01.FR.08, B03.FR.08.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from chargepoint.commands import Log, SendText
from chargepoint.events import LinkDown, LinkUp, OversizeReceived, PoweredUp, SecurityEvent, TextReceived, TimerExpired
from chargepoint.facts import LinkFacts
from chargepoint.ocpp import framing, schemas, wire
from chargepoint.ocpp.dialect import Dialect, Drop
from chargepoint.ocpp.dialects import IMPLEMENTED, Refusal, choose
from chargepoint.ocpp.messages import (
    CONNECTION_LOST,
    TIMEOUT,
    Answer,
    AnswerError,
    Call,
    CallAnswered,
    CallFailed,
    CallReceived,
    LateAnswer,
    SendOneWay,
    SendReceived,
)
from chargepoint.ocpp.rpc_state import (
    ANSWER_WITHIN_S,
    MESSAGE_TIMEOUT_S,
    OWED_LIMIT,
    QUEUE_LIMIT,
    Outstanding,
    Owed,
    RpcState,
)
from chargepoint.ocpp.schema_walk import UNKNOWN_FIELD, Violation, clean
from chargepoint.tick import Tick

Results = Iterator[object]
"""Commands for the world and events for other machines, in order."""


class Rpc:
    """Takes LinkUp, LinkDown, TextReceived, OversizeReceived, PoweredUp, TimerExpired and the commands Call, SendOneWay, Answer, AnswerError.

    `answered`: the 2.1 actions for which some block has an answer. `timeout_s` reads MessageTimeout when a call goes out.
    """

    def __init__(
        self,
        answered: Collection[str],
        link: LinkFacts,
        timeout_s: Callable[[], float] = lambda: MESSAGE_TIMEOUT_S,
        limits: wire.Limits = wire.LIMITS,
    ) -> None:
        self.answered = frozenset(answered)
        self.link = link
        self.timeout_s = timeout_s
        self.limits = limits
        self.state = RpcState()
        self.handlers: dict[type, Callable[[Tick, Any], Results]] = {
            PoweredUp: self._powered_up,
            LinkUp: self._link_up,
            LinkDown: self._link_down,
            TextReceived: self._text,
            OversizeReceived: self._oversize,
            TimerExpired: self._timer,
            Call: self._call,
            SendOneWay: self._send_one_way,
            Answer: self._answer,
            AnswerError: self._answer_error,
        }

    @property
    def idle(self) -> bool:
        """There is a link, nothing is under way and nothing waits: a call would go out at once."""
        return bool(self.state.subprotocol) and self.state.outstanding is None and not self.state.queue

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event or command in, what follows out."""
        handler = self.handlers.get(type(event))
        return list(handler(now, event)) if handler else ()

    def deadline(self) -> float | None:
        """When the call under way, or the oldest answer that we owe, is given up."""
        state = self.state
        waits = (state.outstanding.deadline if state.outstanding else None, state.owed[0].deadline if state.owed else None)
        return min((at for at in waits if at is not None), default=None)

    # ---- the link

    def _powered_up(self, now: Tick, event: PoweredUp) -> Results:
        self.state.boot = hashlib.sha256(f"message ids of {event.entropy_hex}".encode()).hexdigest()[:16]
        return iter(())

    def _link_up(self, now: Tick, event: LinkUp) -> Results:
        yield from self._lost("the link came up anew")
        self.state.subprotocol = event.subprotocol if not isinstance(choose(event.subprotocol), Refusal) else ""

    def _link_down(self, now: Tick, event: LinkDown) -> Results:
        yield from self._lost(event.cause)

    def _lost(self, why: str) -> Results:
        """Nobody will answer what is under way, and what we owe has nobody who waits for it."""
        state = self.state
        state.subprotocol = ""
        state.owed.clear()
        queue, state.queue = state.queue, []
        yield from self._give_up(CONNECTION_LOST, why)
        for call in queue:
            yield CallFailed(call.token, call.action, CONNECTION_LOST, why)

    @property
    def _dialect(self) -> Dialect | None:
        return IMPLEMENTED.get(self.state.subprotocol)

    # ---- our calls

    def _call(self, now: Tick, call: Call) -> Results:
        queue = self.state.queue
        if refused := self._not_now(call):
            yield refused
        elif len(queue) >= QUEUE_LIMIT:
            yield CallFailed(call.token, call.action, "InternalError", f"{QUEUE_LIMIT} calls are waiting")
        else:
            place = sum(other.urgent for other in queue) if call.urgent else len(queue)
            queue.insert(place, call)
            yield from self._next(now)

    def _not_now(self, call: Call) -> CallFailed | None:
        if not self.state.subprotocol:
            return CallFailed(call.token, call.action, CONNECTION_LOST, "there is no link")
        if call.action != "BootNotification" and self.link.registration not in ("Accepted", "Pending"):
            return CallFailed(call.token, call.action, CONNECTION_LOST, "the CSMS has not accepted this station (B01.FR.08)")
        return None

    def _next(self, now: Tick) -> Results:
        """Send the first call that can be sent, if none is under way."""
        state = self.state
        while state.queue and state.outstanding is None and (dialect := self._dialect):
            call = state.queue.pop(0)
            if refused := self._not_now(call):
                yield refused
            else:
                yield from self._transmit(now, call, dialect)

    def _transmit(self, now: Tick, call: Call, dialect: Dialect) -> Results:
        projected = dialect.down(call.action, call.payload)
        if isinstance(projected, Drop):
            nothing = CallFailed(call.token, call.action, "NotSupported", projected.why)
            yield nothing if projected.answer is None else CallAnswered(call.token, call.action, projected.answer)
            return
        message_id = self._new_id()
        text = framing.call_text(dialect, message_id, projected.action, projected.payload)
        if isinstance(text, Violation):
            yield Log("error", "rpc.unsendable", {"action": call.action, "why": text.description})
            yield CallFailed(call.token, call.action, text.code, f"not sent: {text.description}")
            return
        self.state.outstanding = Outstanding(message_id, call.token, call.action, projected.action, now.mono + self.timeout_s())
        yield SendText(text)

    def _send_one_way(self, now: Tick, send: SendOneWay) -> Results:
        dialect = self._dialect
        if dialect is None or wire.SEND not in dialect.message_types or self.link.registration not in ("Accepted", "Pending"):
            return
        projected = dialect.down(send.action, send.payload)
        if isinstance(projected, Drop):
            return
        text = framing.send_text(dialect, self._new_id(), projected.action, projected.payload)
        if isinstance(text, Violation):
            yield Log("error", "rpc.unsendable", {"action": send.action, "why": text.description})
        else:
            yield SendText(text)

    def _new_id(self) -> str:
        self.state.count += 1
        return f"{self.state.boot}-{self.state.count}"

    def _give_up(self, code: str, why: str) -> Results:
        """The call under way fails without an answer; should one come after all, it will be recognised."""
        if call := self.state.give_up():
            yield CallFailed(call.token, call.action, code, why)

    def _timer(self, now: Tick, event: TimerExpired) -> Results:
        state = self.state
        if state.outstanding and state.outstanding.deadline <= now.mono:
            yield from self._give_up(TIMEOUT, "no answer within MessageTimeout")
            yield from self._next(now)
        while state.owed and state.owed[0].deadline <= now.mono:
            owed = state.owed[0]
            yield Log("error", "rpc.unanswered", {"action": owed.action})
            yield from self._settle(now, owed, self._error(owed.message_id, "InternalError", "the station did not answer in time"))

    # ---- what comes in

    def _text(self, now: Tick, event: TextReceived) -> Results:
        dialect = self._dialect
        if dialect is None:
            return
        frame = wire.parse(event.text, self.limits)
        match frame:
            case wire.CallFrame():
                yield from self._called(now, frame, dialect)
            case wire.ResultFrame():
                yield from self._result(now, frame, dialect)
            case wire.ErrorFrame(of_result=False):
                yield from self._refused(now, frame, dialect)
            case wire.BadFrame():
                yield from self._bad(now, frame, dialect)
            case wire.Ignored():
                yield from self._tell(now, "rpc.ignored", {"why": frame.reason})
            case _ if (wire.SEND if isinstance(frame, wire.SendFrame) else wire.CALLRESULTERROR) not in dialect.message_types:
                yield from self._tell(now, "rpc.ignored", {"why": "a message type of a later version"})
            case wire.SendFrame():
                yield from self._told_one_way(now, frame, dialect)
            case wire.ErrorFrame():
                yield from self._tell(now, "rpc.answer_refused", {"code": frame.code, "why": frame.description})

    def _oversize(self, now: Tick, event: OversizeReceived) -> Results:
        if dialect := self._dialect:
            why = f"the frame of {event.size} bytes is larger than {self.limits.frame_bytes} bytes"
            yield from self._bad(now, wire.BadFrame(None, wire.UNREADABLE_ID, "RpcFrameworkError", why), dialect)

    def _bad(self, now: Tick, frame: wire.BadFrame, dialect: Dialect) -> Results:
        """Answer what may be answered, fail what waited for it, and tell (not too often)."""
        if frame.kind in (None, wire.CALL):
            yield SendText(self._error(frame.message_id, frame.code, frame.description))
        elif frame.kind in (wire.CALLRESULT, wire.CALLERROR) and (call := self._answered_by(frame.message_id)):
            yield from self._bad_answer(now, call, frame, dialect)
        yield from self._invalid(now, frame.description)

    def _invalid(self, now: Tick, why: str) -> Results:
        told = list(self._tell(now, "rpc.invalid", {"why": why}))
        yield from told
        if told:
            yield SecurityEvent("InvalidMessages", why)

    def _tell(self, now: Tick, key: str, values: dict[str, Any]) -> Results:
        """One log line for a kind of complaint, and then none for a while (S-27)."""
        hidden = self.state.may_tell(now.mono, key)
        if hidden is not None:
            yield Log("warning", key, {**values, "more_since_last": hidden} if hidden else values)

    # ---- the CSMS calls

    def _called(self, now: Tick, frame: wire.CallFrame, dialect: Dialect) -> Results:
        state = self.state
        if any(owed.message_id == frame.message_id for owed in state.owed):
            yield from self._tell(now, "rpc.repeated", {"action": clean(frame.action)})
            return
        taken = self._take(frame, dialect)
        if isinstance(taken, Owed):
            state.owed.append(taken)
            if len(state.owed) == 1:
                yield self._turn_of(now, taken)
            return
        code, why, invalid = taken
        yield SendText(self._error(frame.message_id, code, why))
        if invalid:
            yield from self._invalid(now, f"{frame.action}: {why}")

    def _take(self, frame: wire.CallFrame, dialect: Dialect) -> Owed | tuple[str, str, bool]:
        """The call as we owe it an answer; or the error code, why, and whether the message itself is wrong."""
        name = schemas.request_name(dialect.schema_set, frame.action)
        if name is None:
            return "NotImplemented", "this action is unknown", False
        if self.link.registration == "Rejected":
            return "SecurityError", "the CSMS has rejected this station (B03.FR.08)", False
        projected = dialect.up(frame.action, frame.payload)
        if isinstance(projected, Drop) or projected.action not in self.answered:
            return "NotSupported", f"this station does not support {frame.action}", False
        if violation := schemas.check(dialect.schema_set, name, frame.payload, received=True):
            return violation.code, violation.description, True
        if len(self.state.owed) >= OWED_LIMIT:
            return "GenericError", f"{OWED_LIMIT} calls wait for their answer", False
        return Owed(frame.message_id, projected.action, frame.action, projected.payload)

    def _turn_of(self, now: Tick, owed: Owed) -> CallReceived:
        owed.deadline = now.mono + ANSWER_WITHIN_S
        return CallReceived(owed.message_id, owed.action, owed.payload)

    def _told_one_way(self, now: Tick, frame: wire.SendFrame, dialect: Dialect) -> Results:
        """A SEND is never answered, whatever is wrong with it."""
        name = schemas.request_name(dialect.schema_set, frame.action)
        violation = schemas.check(dialect.schema_set, name, frame.payload, received=True) if name else None
        if name is None or violation:
            yield from self._invalid(now, violation.description if violation else "a SEND of an unknown action")
            return
        projected = dialect.up(frame.action, frame.payload)
        if not isinstance(projected, Drop):
            yield SendReceived(projected.action, projected.payload)

    # ---- our answers

    def _owed(self, message_id: str) -> Owed | None:
        """Only the call whose turn it is can be answered: no block knows of the others yet."""
        owed = self.state.owed
        return owed[0] if owed and owed[0].message_id == message_id else None

    def _answer(self, now: Tick, answer: Answer) -> Results:
        owed, dialect = self._owed(answer.message_id), self._dialect
        if owed is None or dialect is None or owed.action != answer.action:
            yield Log("debug", "rpc.answer_unwanted", {"action": answer.action})
            return
        payload = dialect.answer_down(owed.wire_action, answer.payload)
        text = framing.result_text(dialect, owed.message_id, owed.wire_action, payload)
        if isinstance(text, Violation):
            yield Log("error", "rpc.unsendable", {"action": f"answer to {answer.action}", "why": text.description})
            text = self._error(owed.message_id, "InternalError", "the station's answer did not fit its schema")
        yield from self._settle(now, owed, text)

    def _answer_error(self, now: Tick, answer: AnswerError) -> Results:
        if owed := self._owed(answer.message_id):
            yield from self._settle(now, owed, self._error(answer.message_id, answer.code, answer.description, answer.details))
        else:
            yield Log("debug", "rpc.answer_unwanted", {"code": answer.code})

    def _settle(self, now: Tick, owed: Owed, text: str) -> Results:
        """Send the answer that was owed, and let the next one have its turn."""
        self.state.owed.remove(owed)
        yield SendText(text)
        if self.state.owed:
            yield self._turn_of(now, self.state.owed[0])

    def _error(self, message_id: str, code: str, why: str, details: dict[str, Any] | None = None, *, of_result: bool = False) -> str:
        dialect = self._dialect
        return wire.encode_error(message_id, dialect.code_down(code) if dialect else code, why, details, of_result=of_result)

    # ---- the CSMS answers

    def _answered_by(self, message_id: str) -> Outstanding | None:
        call = self.state.outstanding
        return call if call and call.message_id == message_id else None

    def _result(self, now: Tick, frame: wire.ResultFrame, dialect: Dialect) -> Results:
        call = self._answered_by(frame.message_id)
        if call is None:
            yield from self._unexpected(now, frame.message_id, accepted=True)
            return
        name = schemas.response_name(call.wire_action)
        violation = schemas.check(dialect.schema_set, name, frame.payload, received=True)
        if violation and violation.keyword == UNKNOWN_FIELD:
            yield from self._tell(now, "rpc.unknown_field", {"action": call.action, "why": violation.description})
            violation = schemas.check(dialect.schema_set, name, frame.payload, received=True, open_ended=True)
        if violation:
            bad = wire.BadFrame(wire.CALLRESULT, frame.message_id, violation.code, violation.description)
            yield from self._bad_answer(now, call, bad, dialect)
            yield from self._invalid(now, f"answer to {call.action}: {violation.description}")
            return
        self.state.outstanding = None
        yield CallAnswered(call.token, call.action, dialect.answer_up(call.action, frame.payload))
        yield from self._next(now)

    def _bad_answer(self, now: Tick, call: Outstanding, bad: wire.BadFrame, dialect: Dialect) -> Results:
        self.state.outstanding = None
        if bad.kind == wire.CALLRESULT and wire.CALLRESULTERROR in dialect.message_types:
            yield SendText(self._error(bad.message_id, bad.code, bad.description, of_result=True))
        yield CallFailed(call.token, call.action, bad.code, bad.description)
        yield from self._next(now)

    def _refused(self, now: Tick, frame: wire.ErrorFrame, dialect: Dialect) -> Results:
        call = self._answered_by(frame.message_id)
        if call is None:
            yield from self._unexpected(now, frame.message_id, accepted=False)
            return
        self.state.outstanding = None
        yield CallFailed(call.token, call.action, dialect.code_up(frame.code), frame.description)
        yield from self._next(now)

    def _unexpected(self, now: Tick, message_id: str, *, accepted: bool) -> Results:
        """An answer to a call that was given up, or to nothing at all: neither is an error of the link (S-27, F-6)."""
        given_up = self.state.given_up.pop(message_id, None)
        if given_up:
            yield from self._tell(now, "rpc.late_answer", {"action": given_up.action})
            yield LateAnswer(given_up.token, given_up.action, accepted)
        else:
            yield from self._tell(now, "rpc.answer_to_nothing", {})
