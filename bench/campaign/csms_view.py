"""What the CSMS of a heap knows: whom it has accepted, and that this has ended. The station is not asked; what it says on the wire is.

A token that the CSMS has accepted before, the station may know by itself (cache), and nothing waits for the CSMS to hear of it: between the card at the
reader and the message stand those that are still to be answered. So what is on disk for the CSMS counts as said, where a card has been presented for it,
or a vehicle has shown its contract.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from bench.heap import Heap
from chargepoint.events import PoweredUp, TextReceived
from hal.types import TokenPresented

ENDS = frozenset(
    {"StopAuthorized", "Deauthorized", "RemoteStop", "ResetCommand", "EVConnectTimeout", "TimeLimitReached", "EnergyLimitReached"}
)
"""TriggerReasonEnumType: nobody is authorised from then on."""


class CsmsView:
    """Stands in front of the heap's CSMS and notes what is asked and answered. For a heap with one EVSE."""

    def __init__(self, heap: Heap) -> None:
        self._heap, self._csms = heap, heap.csms
        heap.csms = self._answer
        heap.hears.append(self._hear)
        self._accepted = False
        self._known: set[str] = set()
        """Tokens that it has accepted at some time: those the station may know by itself."""
        self._presented: Counter[str] = Counter()
        """How often a token was at the reader without a word to the CSMS of what came of it."""
        self._said: set[tuple[str, ...]] = set()
        """Events of transactions that it has heard, which may be on disk for a while."""
        self._over: set[tuple[str, ...]] = set()
        """Those that were on disk and count no more: of another life, or of a vehicle that has left."""

    @property
    def accepted(self) -> bool:
        """Somebody may charge; what was so in another life of the station is over."""
        if self._accepted:
            return True
        accepted, presented = False, self._presented.copy()
        for event in self._waiting():
            token = _token(event)
            mine = presented[token] > 0 and _mark(event) not in self._over
            presented[token] -= 1
            accepted = not _ends(event) and (accepted or (mine and token in self._known))
        return accepted

    def shown(self, token: str) -> None:
        """A card at the reader, or a contract in a session."""
        self._presented[token] += 1

    def knows(self, token: str) -> None:
        """The station may take this one by itself, for whatever reason."""
        self._known.add(token)

    def goes_on(self) -> None:
        """What it had accepted has not ended with the life of the station (E17)."""
        self._accepted = True

    def left(self) -> None:
        """The vehicle is gone, and nobody inherits from it (S-10)."""
        self._accepted = False
        self._over = {_mark(event) for event in self._waiting()}

    def _waiting(self) -> list[Any]:
        """Events of transactions that are on disk and have not been said, in order."""
        rows = self._heap.store.get("outbox", {})
        events = [json.loads(rows[key]["text"]) for key in sorted(rows) if rows[key].get("action") == "TransactionEvent"]
        return [event for event in events if _mark(event) not in self._said]

    def _hear(self, what: object) -> None:
        match what:
            case PoweredUp():
                self.left()
            case TokenPresented(token):
                self.shown(token)
            case TextReceived(text) if '"SendLocalList"' in text:
                for each in json.loads(text)[3].get("localAuthorizationList", ()):
                    if _status(each) == "Accepted":
                        self.knows(each["idToken"]["idToken"])

    def _answer(self, message_id: str, action: str, payload: Any) -> Any:
        answer = self._csms(message_id, action, payload) if self._csms is not None else None
        match action:
            case "Authorize":
                self._authorize(payload["idToken"]["idToken"], answer)
            case "TransactionEvent":
                self._transaction(payload, answer)
        return answer

    def _authorize(self, token: str, answer: Any) -> None:
        if _status(answer) == "Accepted" and answer.get("certificateStatus", "Accepted") == "Accepted":
            self._known.add(token)
            self._accepted = True
        elif answer is not None or token not in self._known:  # who is not answered may go by what was said before (C10, C13)
            self._known.discard(token)
            self._heard_of(token)

    def _transaction(self, payload: Any, answer: Any) -> None:
        token = _token(payload)
        if _ends(payload) or _status(answer) not in ("", "Accepted"):
            self._accepted = False
        elif token in self._known and self._presented[token] and _mark(payload) not in self._over:
            self._accepted = True
        if _mark(payload) not in self._said:
            self._said.add(_mark(payload))
            self._heard_of(token)

    def _heard_of(self, token: str) -> None:
        self._presented[token] = max(0, self._presented[token] - 1)


def _token(event: Any) -> str:
    return str(event.get("idToken", {}).get("idToken", ""))


def _ends(event: Any) -> bool:
    return event["eventType"] == "Ended" or event["triggerReason"] in ENDS


def _mark(event: Any) -> tuple[str, ...]:
    """What makes it this event; its seqNo it gets when it is sent."""
    return event["transactionInfo"]["transactionId"], event["eventType"], event["triggerReason"], event["timestamp"]


def _status(answer: Any) -> str:
    """Of the token; "" where the answer says nothing of it."""
    return str(answer.get("idTokenInfo", {}).get("status", "")) if isinstance(answer, dict) else ""
