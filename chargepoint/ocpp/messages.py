"""What passes between the RPC machine and whoever calls or answers: the payloads are OCPP 2.1, in the wire's own camelCase, whatever version the link speaks.

A `token` begins with the name of the machine or block that called (`"outbox:17"`), so that the outcome finds the way back. Every
`Call` is answered by exactly one CallAnswered or CallFailed.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from chargepoint.commands import Command
from chargepoint.events import Event
from iso15118.frozen import dataclass

TIMEOUT = "Timeout"
"""CallFailed.code: no answer within MessageTimeout."""
CONNECTION_LOST = "ConnectionLost"
"""CallFailed.code: it was not sent, or the link went before the answer came. No attempt was used up."""


# ---- to the RPC machine


@dataclass(frozen=True, slots=True)
class Call(Command):
    """Ask the CSMS. Calls go out one at a time, first come first served; an `urgent` one goes before those that wait."""

    action: str
    payload: Any
    token: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class SendOneWay(Command):
    """Tell the CSMS without an answer (SEND, 2.1 only). Without a link, or under an older version, it is dropped."""

    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Answer(Command):
    """The answer to a CallReceived."""

    message_id: str
    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class AnswerError(Command):
    """The refusal of a CallReceived. `code` is an OCPP 2.1 error code."""

    message_id: str
    code: str
    description: str = ""
    details: dict[str, Any] = field(default_factory=dict)


# ---- from the RPC machine


@dataclass(frozen=True, slots=True)
class CallReceived(Event):
    """The CSMS asks; the payload is valid. Whoever owns the action answers, now or later, with this message id."""

    message_id: str
    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class SendReceived(Event):
    """The CSMS tells something and wants no answer."""

    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class CallAnswered(Event):
    """The CSMS's answer to the `Call` with this token; the payload is valid."""

    token: str
    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class CallFailed(Event):
    """No good answer to the `Call` with this token. `code` is the CSMS's or our OCPP error code, TIMEOUT or CONNECTION_LOST."""

    token: str
    action: str
    code: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class LateAnswer(Event):
    """An answer to a call that had been given up (CallFailed came before). `accepted`: it was a CALLRESULT."""

    token: str
    action: str
    accepted: bool
