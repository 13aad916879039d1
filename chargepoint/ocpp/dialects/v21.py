"""OCPP 2.1: what the station thinks in, so nothing changes on the way."""

from __future__ import annotations

from typing import Any

from chargepoint.ocpp.dialect import Projected


class V21:
    """The identity."""

    subprotocol = "ocpp2.1"
    schema_set = "v21"
    message_types = frozenset({2, 3, 4, 5, 6})

    def down(self, action: str, payload: Any) -> Projected:
        return Projected(action, payload)

    up = down

    def answer_up(self, action: str, payload: Any) -> Any:
        return payload

    answer_down = answer_up

    def code_down(self, code: str) -> str:
        return code

    code_up = code_down
