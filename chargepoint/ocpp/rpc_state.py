"""What the RPC machine of OCPP-J remembers, and its limits."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from chargepoint.ocpp.messages import Call
from iso15118.frozen import dataclass

MESSAGE_TIMEOUT_S = 30.0
"""OCPPCommCtrlr.MessageTimeout[Default] where nobody has set it (ours, as other stations have it)."""
ANSWER_WITHIN_S = 25.0
"""A call of the CSMS that no block has answered by then is answered InternalError: below the 30 s that most CSMSs wait (ours)."""
QUEUE_LIMIT = 256
"""Calls of ours that may wait (ours); one more fails at once."""
OWED_LIMIT = 32
"""Calls of the CSMS that may wait for their answer (ours). One at a time is all that it may send (part 4, 4.1.1)."""
GIVEN_UP_LIMIT = 64
"""How many given-up message ids are remembered, to recognise a late answer (ours)."""
TELL_AGAIN_S = 300.0
"""The same complaint about a CSMS is told again after this time at the earliest, with how often it came meanwhile (ours)."""


@dataclass(slots=True)
class Outstanding:
    """Our call that waits for its answer. `action` is the 2.1 name, `wire_action` the link's."""

    message_id: str
    token: str
    action: str
    wire_action: str
    deadline: float


@dataclass(slots=True)
class Owed:
    """A call of the CSMS that waits for our answer; the first one has been told, the others wait for their turn."""

    message_id: str
    action: str
    wire_action: str
    payload: Any
    deadline: float = 0.0
    """Counts from its turn on."""


@dataclass(slots=True)
class GivenUp:
    """A call of ours that failed without an answer."""

    token: str
    action: str


@dataclass(slots=True)
class Told:
    """A complaint that was made lately."""

    again: float
    hidden: int = 0


@dataclass(slots=True)
class RpcState:
    """All that the machine remembers."""

    boot: str = ""
    """A nonce of this run: message ids are unique over all connections and runs."""
    count: int = 0
    subprotocol: str = ""
    """Of the connection that stands; "" without one, or with one of no use."""
    queue: list[Call] = field(default_factory=list)
    outstanding: Outstanding | None = None
    owed: list[Owed] = field(default_factory=list)
    given_up: dict[str, GivenUp] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)

    def give_up(self) -> Outstanding | None:
        """End the call under way without an answer, and remember its id for one that comes late."""
        call, self.outstanding = self.outstanding, None
        if call:
            self.given_up[call.message_id] = GivenUp(call.token, call.action)
            if len(self.given_up) > GIVEN_UP_LIMIT:
                del self.given_up[next(iter(self.given_up))]
        return call

    def may_tell(self, now_s: float, key: str) -> int | None:
        """Whether this complaint may be told now: how many were kept back since the last time, or None while it may not."""
        told = self.told.get(key)
        if told and now_s < told.again:
            told.hidden += 1
            return None
        self.told[key] = Told(now_s + TELL_AGAIN_S)
        return told.hidden if told else 0
