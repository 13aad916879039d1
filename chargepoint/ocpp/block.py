"""The shape of one OCPP functional block: it owns its requests, its variables and what it hears of the station."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, TypeVar

from chargepoint.clock import WallClock
from chargepoint.config import StationConfig
from chargepoint.entropy import Entropy
from chargepoint.facts import CertificateFacts, EvseFacts, LinkFacts
from chargepoint.ocpp.device_model import DeviceModel, Variable
from chargepoint.ocpp.messages import Answer, AnswerError, CallAnswered, CallFailed, CallReceived
from chargepoint.ocpp.vendors import Vendor
from chargepoint.tick import Tick
from iso15118.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """What every block may read. Only its owner writes a field of the facts; everything else goes by events and commands."""

    config: StationConfig
    model: DeviceModel
    clock: WallClock
    entropy: Entropy
    evses: Mapping[int, EvseFacts]
    link: LinkFacts
    certificates: CertificateFacts = field(default_factory=CertificateFacts)
    vendors: Mapping[str, Vendor] = field(default_factory=dict)
    """Extensions by their vendorId."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call, and what follows once it is on its way."""

    payload: Any
    then: Sequence[object] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """The answer comes by itself as an `Answer` with the call's message id; `then` begins what it waits for."""

    then: Sequence[object] = ()


MOST_WORDS = 512
"""Characters of StatusInfoType.additionalInfo in OCPP 2.0.1; 2.1 takes 1024."""


def status_info(code: str, text: str) -> dict[str, str]:
    """StatusInfoType: why, for a program (reasonCode, 20 characters at most) and for a person."""
    return {"reasonCode": code[:20], "additionalInfo": text[:MOST_WORDS]}


def refusal(status: str, code: str, text: str, *then: object) -> Reply:
    """The answer to a call that is not done."""
    return Reply({"status": status, "statusInfo": status_info(code, text)}, then)


class Refused(Exception):
    """Raised by a handler: the call is answered with this CALLERROR."""

    def __init__(self, code: str, description: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(code, description)
        self.code, self.description, self.details = code, description, details or {}


F = TypeVar("F", bound=Callable[..., Any])


def answers(action: str) -> Callable[[F], F]:
    """This method answers the CSMS's call: `(now, CallReceived) -> Reply | Later`, or raises Refused."""
    return _mark("answers", action)


def hears(*events: type) -> Callable[[F], F]:
    """This method hears these events: `(now, event) -> sequence of events and commands`."""
    return _mark("hears", *events)


def _mark(kind: str, *what: Any) -> Callable[[F], F]:
    def mark(method: F) -> F:
        method.__dict__.setdefault("_block_marks", []).extend((kind, item) for item in what)
        return method

    return mark


class Block:
    """Base of the blocks. `name` also begins the tokens of its calls (`"name:..."`), so that answers find the way back."""

    name: ClassVar[str]
    variables: ClassVar[tuple[Variable, ...]] = ()
    answered: ClassVar[dict[str, str]] = {}
    heard: ClassVar[dict[type, tuple[str, ...]]] = {}

    def __init__(self, context: Context) -> None:
        self.context = context
        self.state: Any = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.answered, cls.heard = {}, {}
        for name in dir(cls):
            for kind, what in getattr(getattr(cls, name, None), "_block_marks", ()):
                if kind == "answers":
                    cls.answered[what] = name
                else:
                    cls.heard[what] = (*cls.heard.get(what, ()), name)

    @property
    def handlers(self) -> Mapping[type, Any]:
        """The events that it hears; calls of the CSMS come by their action (`answered`)."""
        return self.heard

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """Dispatch to the method that answers or hears the event."""
        if isinstance(event, CallReceived) and event.action in self.answered:
            return self._answer(now, event)
        out: list[object] = []
        for name in self.heard.get(type(event), ()):
            out.extend(getattr(self, name)(now, event))
        return out

    def _answer(self, now: Tick, call: CallReceived) -> Sequence[object]:
        try:
            reply: Reply | Later = getattr(self, self.answered[call.action])(now, call)
        except Refused as refused:
            return [AnswerError(call.message_id, refused.code, refused.description, refused.details)]
        if isinstance(reply, Later):
            return reply.then
        return [Answer(call.message_id, call.action, reply.payload), *reply.then]

    def deadline(self) -> float | None:
        """Overridden by blocks that wait for something; they hear TimerExpired."""
        return None


__all__ = ["Block", "CallAnswered", "CallFailed", "CallReceived", "Context", "Later", "Refused", "Reply", "answers", "hears"]
