"""What a real vehicle has sent, against a charger: its requests in their order, with the session id that the charger gives.

How often a vehicle asks again is up to the charger: what is polled is polled until that has finished, and not on.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from iso15118 import exi
from iso15118.messages import sap
from iso15118.messages.declare import Message
from iso15118.v2gtp import SAP_DIN_ISO2, Frame

UNTOLD = ("supportedAppProtocolReq", "SessionSetupReq")
"""They travel as they were recorded."""
POLLED = ("ContractAuthenticationReq", "AuthorizationReq", "ChargeParameterDiscoveryReq", "CableCheckReq")
NO_ID = bytes(8)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a vehicle."""

    name: str
    octets: bytes
    """EXI, with the session id of its recording."""
    after_s: float = 0.0
    """From the response before it, in the recording."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of the file."""

    row: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.row["id"])

    @property
    def namespace(self) -> str:
        return str(self.row["ns"])

    @property
    def is_ac(self) -> bool:
        return str(self.row["energy"]).startswith("AC")

    @property
    def requests(self) -> list[Asked]:
        return list(self._requests())

    def _requests(self) -> Iterator[Asked]:
        answered_s = 0.0
        for each in self.row["requests"]:
            yield Asked(each["m"], bytes.fromhex(each["hex"]), max(0.0, each["dt"] - answered_s))
            answered_s = each["dt"] + (each.get("rt") or 0.0)


def recorded(folder: Path) -> list[Recorded]:
    """All of them."""
    return [Recorded(json.loads(line)) for line in (folder / "car-sessions-collected.jsonl").read_text("utf-8").splitlines()]


Sequence: TypeAlias = Generator[Asked, Message, None]


def sequence(car: Recorded) -> Sequence:
    """Gives each request; is sent the response to it."""
    polled, ongoing = "", False
    waiting = car.requests
    while waiting:
        asked = waiting[0]
        if asked.name == polled and not ongoing:
            waiting.pop(0)
            continue
        response = yield asked
        ongoing = getattr(response, "EVSEProcessing", "Finished") != "Finished"
        polled = asked.name if asked.name in POLLED else ""
        if not (ongoing and polled and (len(waiting) == 1 or waiting[1].name != asked.name)):
            waiting.pop(0)


def with_id(asked: Asked, namespace: str, session_id: bytes) -> bytes:
    """Its EXI, in this session."""
    if asked.name in UNTOLD:
        return asked.octets
    document: Any = exi.decode(asked.octets, namespace)
    document.Header.SessionID = session_id
    return exi.encode(document, namespace)


class Player:
    """A recorded vehicle, in octets: `ask` is what it sends next, None at its end; `hear` takes the response's EXI."""

    def __init__(self, car: Recorded) -> None:
        self.car, self.session_id = car, NO_ID
        self.responses: list[Message] = []
        self._sequence = sequence(car)
        self._next: Asked | None = next(self._sequence, None)

    @property
    def asked(self) -> Asked | None:
        """What comes next."""
        return self._next

    def ask(self) -> bytes | None:
        if self._next is None:
            return None
        return Frame(SAP_DIN_ISO2, with_id(self._next, self.car.namespace, self.session_id)).octets()

    def hear(self, octets: bytes) -> Message:
        if not self.responses:
            return self.heard(exi.decode(octets, sap.NAMESPACE))
        document: Any = exi.decode(octets, self.car.namespace)
        self.session_id = document.Header.SessionID
        return self.heard(document.Body.BodyElement)

    def heard(self, response: Message) -> Message:
        """The response itself."""
        self.responses.append(response)
        try:
            self._next = self._sequence.send(response)
        except StopIteration:
            self._next = None
        return response
