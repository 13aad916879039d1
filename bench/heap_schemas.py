"""What a station says fits the published schemas of OCPP 2.1, in every test."""

from __future__ import annotations

import json
from typing import Any

from chargepoint.ocpp import schemas

CALL, CALLRESULT, SCHEMAS = 2, 3, "v21"


class BySchema:
    """Of one station; an answer is checked by what was asked."""

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}
        """Message id of a call of the CSMS that goes on -> its action."""

    def heard(self, frame: Any) -> None:
        """A frame of the CSMS."""
        match frame:
            case [kind, message_id, str() as action, _, *_] if kind == CALL:
                self._asked[str(message_id)] = action

    def check(self, frame: list[Any]) -> None:
        """A frame of the station. Raises AssertionError."""
        match frame:
            case [kind, _, str() as action, payload] if kind == CALL:
                name = schemas.request_name(SCHEMAS, action)
            case [kind, str() as message_id, payload] if kind == CALLRESULT and message_id in self._asked:
                name = schemas.response_name(self._asked.pop(message_id))
            case _:
                return
        violation = schemas.check(SCHEMAS, name, payload, received=False) if name else "no such action"
        if violation is not None:
            raise AssertionError(f"the station said {json.dumps(frame)[:2000]}: {name}: {violation}")
