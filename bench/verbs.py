"""Verbs of the control port that are the station's matter, as events at its one door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from chargepoint.events import (
    BayOccupied,
    FaultAcknowledged,
    Limits,
    LimitsWanted,
    LinkSwitched,
    StopRequested,
    TokenForced,
    VariableForced,
)
from chargepoint.ocpp.model.enums import AuthorizationStatusEnumType, ReasonEnumType

MOST_FREEZE_S = 600.0


class BadBody(ValueError):
    """The body of a request is wrong; the message names the key."""


_NEEDED = object()


def text(body: dict[str, Any], key: str, most: int, default: Any = _NEEDED) -> str:
    """A text; null is absent. Raises BadBody."""
    value = body.get(key)
    if value is None:
        if default is _NEEDED:
            raise BadBody(f"{key}: missing")
        return str(default)
    if not isinstance(value, str) or not len(value) <= most or (default is _NEEDED and not value):
        raise BadBody(f"{key}: a text of 1 to {most} characters, not {value!r:.60}")
    return _sendable(key, value)


def _sendable(key: str, value: str) -> str:
    """JSON can say half a character (a lone surrogate); no message could carry it further."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadBody(f"{key}: no Unicode: {value!a:.60}") from None
    return value


def integer(body: dict[str, Any], key: str) -> int:
    """A whole number. Raises BadBody."""
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadBody(f"{key}: a whole number, not {value!r:.60}")
    return value


def _stop(body: dict[str, Any]) -> object:
    reason = text(body, "reason", 20, "Local")
    reasons = get_args(ReasonEnumType)
    if reason not in reasons:
        raise BadBody(f"reason: one of {', '.join(reasons)}, not {reason!r}")
    return StopRequested(integer(body, "connector_id"), reason)


def _limits(body: dict[str, Any]) -> object:
    def bound(key: str, most: float) -> float | None:
        value = body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            raise BadBody(f"{key}: a number from 0 to {most:g}, or null, not {value!r:.60}")
        return value

    energy_Wh, time_s, soc = bound("energy_Wh", 1e6), bound("time_s", 1e6), bound("soc_percent", 100)
    whole = [None if each is None else int(each) for each in (time_s, soc)]
    return LimitsWanted(integer(body, "connector_id"), Limits(bound("cost", 1e6), energy_Wh, *whole))


def _bay(body: dict[str, Any]) -> object:
    occupied = body.get("occupied")
    if not isinstance(occupied, bool):
        raise BadBody(f"occupied: true or false, not {occupied!r:.60}")
    return BayOccupied(integer(body, "connector_id"), occupied, text(body, "token", 255, ""))


def _variable(body: dict[str, Any]) -> object:
    value = body.get("value")
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, list | dict):
        raise BadBody(f"value: a text or null, not {value!r:.60}")
    return VariableForced(
        text(body, "component", 50, ""),
        text(body, "variable", 50),
        None if value is None else _sendable("value", str(value)),
        text(body, "instance", 50, ""),
    )


def _token(where: Any) -> Callable[[dict[str, Any]], object]:
    def forced(body: dict[str, Any]) -> object:
        status = text(body, "status", 20, "Accepted")
        known = get_args(AuthorizationStatusEnumType)
        if status not in known:
            raise BadBody(f"status: one of {', '.join(known)}, not {status!r}")
        return TokenForced(where, text(body, "token", 255), status, text(body, "group", 255, ""))

    return forced


def _freeze(body: dict[str, Any]) -> object:
    return float(_seconds(body))


def _seconds(body: dict[str, Any]) -> float:
    value = body.get("seconds")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= MOST_FREEZE_S:
        raise BadBody(f"seconds: a number up to {MOST_FREEZE_S:g}, not {value!r:.60}")
    return float(value)


STATION_VERBS: dict[str, Callable[[dict[str, Any]], object]] = {
    "disconnect_websocket": lambda body: LinkSwitched(up=False),
    "connect_websocket": lambda body: LinkSwitched(up=True),
    "stop_transaction": _stop,
    "limit_transaction": _limits,
    "parking_bay": _bay,
    "set_variable": _variable,
    "add_to_auth_cache": _token("cache"),
    "add_to_local_list": _token("list"),
    "clear_error": lambda body: FaultAcknowledged(integer(body, "connector_id"), text(body, "error_string", 50, "")),
    "freeze": _freeze,
}
"""Verb -> the event that it is; `freeze` gives its seconds."""


def texts(body: dict[str, Any]) -> None:
    """Refuse what the line cannot carry. Raises BadBody."""
    for key in body:
        if key == "verb":
            raise BadBody("verb: the path says it")
