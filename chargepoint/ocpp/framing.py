"""Payloads of ours to text frames, held against their official schemas before anybody else does that."""

from __future__ import annotations

from typing import Any

from chargepoint.ocpp import schemas, wire
from chargepoint.ocpp.dialect import Dialect
from chargepoint.ocpp.schema_walk import Violation


def call_text(dialect: Dialect, message_id: str, action: str, payload: Any) -> str | Violation:
    """A CALL in the dialect's own terms, or why it must not go out. Never raises."""
    return _text(dialect, wire.CALL, message_id, action, payload)


def send_text(dialect: Dialect, message_id: str, action: str, payload: Any) -> str | Violation:
    """A SEND, likewise."""
    return _text(dialect, wire.SEND, message_id, action, payload)


def result_text(dialect: Dialect, message_id: str, action: str, payload: Any) -> str | Violation:
    """A CALLRESULT to the action, likewise."""
    return _text(dialect, wire.CALLRESULT, message_id, action, payload)


def _text(dialect: Dialect, kind: int, message_id: str, action: str, payload: Any) -> str | Violation:
    request = schemas.request_name(dialect.schema_set, action)
    if request is None:
        return Violation("json", "", f"{action} is no message of {dialect.subprotocol}")
    name = schemas.response_name(action) if kind == wire.CALLRESULT else request
    if violation := schemas.check(dialect.schema_set, name, payload, received=False):
        return violation
    try:
        return wire.encode([kind, message_id, payload] if kind == wire.CALLRESULT else [kind, message_id, action, payload])
    except wire.EncodeError as error:
        return Violation("json", "", str(error))
