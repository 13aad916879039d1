"""What the CSMS of a heap knows: whom it has accepted, and that this has ended. The station is not asked; what it says on the wire is."""

from __future__ import annotations

from typing import Any

from bench.heap import Heap

ENDS = frozenset(
    {"StopAuthorized", "Deauthorized", "RemoteStop", "ResetCommand", "EVConnectTimeout", "TimeLimitReached", "EnergyLimitReached"}
)
"""TriggerReasonEnumType: nobody is authorised from then on."""


class CsmsView:
    """Stands in front of the heap's CSMS and notes what is asked and answered. For a heap with one EVSE."""

    def __init__(self, heap: Heap) -> None:
        self._heap, self._csms, self._lives = heap, heap.csms, heap.lives
        heap.csms = self._answer
        self._accepted = False
        self._known: set[str] = set()
        """Tokens that it has accepted at some time: those the station may know by itself."""

    @property
    def accepted(self) -> bool:
        """Somebody may charge; what was so in another life of the station is over."""
        if self._lives != self._heap.lives:
            self._lives, self._accepted = self._heap.lives, False
        return self._accepted

    def left(self) -> None:
        """The vehicle is gone, and nobody inherits from it (S-10)."""
        self._accepted = False

    def _answer(self, message_id: str, action: str, payload: Any) -> Any:
        answer = self._csms(message_id, action, payload) if self._csms is not None else None
        match action:
            case "Authorize":
                self._authorize(payload["idToken"]["idToken"], answer)
            case "TransactionEvent":
                self._transaction(payload, answer)
        return answer

    def _authorize(self, token: str, answer: Any) -> None:
        if _status(answer) == "Accepted":
            self._known.add(token)
            self._accepted, self._lives = True, self._heap.lives
        else:
            self._known.discard(token)

    def _transaction(self, payload: Any, answer: Any) -> None:
        token = payload.get("idToken", {}).get("idToken", "")
        if payload["eventType"] == "Ended" or payload["triggerReason"] in ENDS or _status(answer) not in ("", "Accepted"):
            self._accepted = False
        elif token in self._known:
            self._accepted, self._lives = True, self._heap.lives


def _status(answer: Any) -> str:
    """Of the token; "" where the answer says nothing of it."""
    return str(answer.get("idTokenInfo", {}).get("status", "")) if isinstance(answer, dict) else ""
