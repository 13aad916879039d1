"""The seam between what the station says (OCPP 2.1) and what the link speaks.

Blocks and outbox know 2.1 only. The RPC machine passes each payload through the dialect of the connection, whose version may
differ on the next one. Everything that depends on a version is asked here; no other file compares one.
"""

from __future__ import annotations

from typing import Any, Protocol

from iso15118.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Projected:
    """An action and its payload in the other version."""

    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Drop:
    """There is no such message in that version. `answer` is what the 2.1 side gets instead of the CSMS's answer; None: a failure."""

    why: str
    answer: Any = None


class Dialect(Protocol):
    """One version of OCPP as a view on 2.1. Pure: what it has to remember between messages is part of the machine that uses it."""

    subprotocol: str
    """As Sec-WebSocket-Protocol says it."""
    schema_set: str
    """The set of official schemas that wire payloads are held against (`chargepoint.ocpp.schemas`)."""
    message_types: frozenset[int]
    """The RPC message types that this version knows; others are ignored."""

    def down(self, action: str, payload: Any) -> Projected | Drop:
        """Our call (or SEND) to its wire form."""

    def answer_up(self, action: str, payload: Any) -> Any:
        """The CSMS's answer to our 2.1 call `action`, to 2.1."""

    def up(self, action: str, payload: Any) -> Projected | Drop:
        """The CSMS's call to 2.1."""

    def answer_down(self, action: str, payload: Any) -> Any:
        """Our answer to the CSMS's wire call `action`, to its wire form."""

    def code_down(self, code: str) -> str:
        """A 2.1 error code as this version spells it."""

    def code_up(self, code: str) -> str:
        """An error code of this version as 2.1 spells it."""
