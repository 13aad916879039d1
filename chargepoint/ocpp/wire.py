"""OCPP-J text frames: to and from. Reading is total: any text gives a frame, a refusal or something to ignore; nothing raises.

Sources: OCPP 2.1 part 4, chapter 4; S-5, S-18, S-25, S-26, S-27.
"""

from __future__ import annotations

import json
import re
from dataclasses import field
from functools import cache
from typing import Any, NoReturn

from chargepoint.ocpp.schema_walk import clean
from chargepoint.ocpp.timestamps import EARLIEST_UTC, LATEST_UTC, TimestampError, format_timestamp, parse_timestamp
from iso15118.frozen import dataclass

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6

MESSAGE_ID_LIMIT = 36
UNREADABLE_ID = "-1"
"""The message id of a CALLERROR whose cause has no readable one (OCPP 2.1 part 4, 4.2.3)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a frame may be (S-25). The shell refuses larger ones before they are read whole."""

    frame_bytes: int = 1 << 20
    depth: int = 64
    integer_digits: int = 4300


LIMITS = Limits()


# ---- what a text can be


@dataclass(frozen=True, slots=True)
class CallFrame:
    """`[2, id, action, payload]`."""

    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResultFrame:
    """`[3, id, payload]`."""

    message_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """`[4, id, code, description, details]`, or the same with 5 where `of_result` (CALLRESULTERROR)."""

    message_id: str
    code: str
    description: str
    details: dict[str, Any] = field(default_factory=dict)
    of_result: bool = False


@dataclass(frozen=True, slots=True)
class SendFrame:
    """`[6, id, action, payload]`."""

    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadFrame:
    """Not a good frame. `kind` is what it wanted to be as far as that can be seen, which says how to answer:

    None or CALL: with a CALLERROR; CALLRESULT: with a CALLRESULTERROR, where the version has it; the rest: not at all.
    """

    kind: int | None
    message_id: str
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame of a type that this version of OCPP-J does not know: ignored in silence (2.1 errata, S-27)."""

    reason: str


Frame = CallFrame | ResultFrame | ErrorFrame | SendFrame | BadFrame | Ignored


# ---- reading


class _Refused(Exception):
    """JSON, but not what we take."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"the key {twice[:50]!r} stands twice in one object")
    return whole


def _float(text: str) -> float:
    value = float(text)
    if value in (_INFINITY, -_INFINITY):
        raise _Refused("a number is too large")
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON")


_INFINITY = float("inf")
_TOKENS = re.compile(r'[\[{\]}]|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89abAB]")
_PREFIX = re.compile(r'\s*\[\s*([0-9])\s*,\s*"([^"\\]{0,36})"')
_RPC, _FORMAT = "RpcFrameworkError", "FormatViolation"


def parse(text: str, limits: Limits = LIMITS) -> Frame:
    """Read one text frame. Never raises."""
    try:
        if len(text) > limits.frame_bytes or (not text.isascii() and len(text.encode()) > limits.frame_bytes):
            return _refuse(text, f"the frame is larger than {limits.frame_bytes} bytes")
        if text.count("[") + text.count("{") > limits.depth and _deeper_than(limits.depth, text):
            return _refuse(text, f"nested deeper than {limits.depth}")
        value = _decoder(limits.integer_digits).decode(text)
        if _SURROGATE.search(text):
            encode(value)
    except _Refused as refused:
        return _refuse(text, str(refused))
    except EncodeError:
        return _refuse(text, "a string holds half of a surrogate pair")
    except UnicodeEncodeError:
        return _refuse(text, "the text is not UTF-8")
    except (ValueError, RecursionError):
        return _unreadable(text)
    return _frame(value)


@cache
def _decoder(digits: int) -> json.JSONDecoder:
    def integer(text: str) -> int:
        if len(text) > digits + text.startswith("-"):
            raise _Refused(f"an integer has more than {digits} digits")
        return int(text)

    return json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_float, parse_int=integer, parse_constant=_constant)


def _deeper_than(limit: int, text: str) -> bool:
    depth = 0
    for match in _TOKENS.finditer(text):
        first = text[match.start()]
        if first in "[{":
            depth += 1
            if depth > limit:
                return True
        elif first != '"':
            depth -= 1
    return False


def _refuse(text: str, why: str) -> BadFrame:
    """A frame whose content we do not take; its beginning may still say which one it is."""
    prefix = _PREFIX.match(text[:200])
    if prefix is None:
        return BadFrame(None, UNREADABLE_ID, _RPC, clean(why))
    return BadFrame(int(prefix[1]), prefix[2], _FORMAT, clean(why))


def _unreadable(text: str) -> BadFrame:
    """No JSON. Is it an answer, by its beginning, then it is answered as one."""
    prefix = _PREFIX.match(text[:200])
    if prefix is None or prefix[1] == str(CALL):
        return BadFrame(None, UNREADABLE_ID, _RPC, "not a JSON text")
    return BadFrame(int(prefix[1]), prefix[2], _FORMAT, "not a JSON text")


def _frame(value: Any) -> Frame:
    if not isinstance(value, list) or not value or type(value[0]) is not int:
        return BadFrame(None, UNREADABLE_ID, _RPC, "not a list that begins with a message type")
    kind = value[0]
    if not CALL <= kind <= SEND:
        return Ignored(f"message type {clean(str(kind)[:20])}")
    message_id = value[1] if len(value) > 1 else None
    if not isinstance(message_id, str) or len(message_id) > MESSAGE_ID_LIMIT:
        return BadFrame(kind, UNREADABLE_ID, _RPC, f"the message id is not a string of at most {MESSAGE_ID_LIMIT} characters")
    if kind in (CALL, SEND):
        return _call(kind, message_id, value)
    if kind == CALLRESULT:
        return _result(message_id, value)
    return _error(kind, message_id, value)


def _call(kind: int, message_id: str, value: list[Any]) -> Frame:
    if len(value) != 4:
        return BadFrame(kind, message_id, _RPC, f"has {len(value)} elements, not 4")
    _, _, action, payload = value
    if not isinstance(action, str):
        return BadFrame(kind, message_id, _RPC, "the action is not a string")
    if not isinstance(payload, dict):
        return BadFrame(kind, message_id, "ProtocolError", "the payload is not a JSON object")
    return CallFrame(message_id, action, payload) if kind == CALL else SendFrame(message_id, action, payload)


def _result(message_id: str, value: list[Any]) -> Frame:
    if len(value) != 3:
        return BadFrame(CALLRESULT, message_id, _RPC, f"has {len(value)} elements, not 3")
    if not isinstance(value[2], dict):
        return BadFrame(CALLRESULT, message_id, "ProtocolError", "the payload is not a JSON object")
    return ResultFrame(message_id, value[2])


def _error(kind: int, message_id: str, value: list[Any]) -> Frame:
    """Refusals are read generously: many CSMSs leave out the details, and it is a refusal all the same."""
    code, description, details = (*value[2:5], None, None, None)[:3]
    return ErrorFrame(
        message_id,
        clean(code) if isinstance(code, str) and code else "GenericError",
        clean(description) if isinstance(description, str) else "",
        details if isinstance(details, dict) else {},
        of_result=kind == CALLRESULTERROR,
    )


# ---- writing


class EncodeError(ValueError):
    """The payload cannot be written as JSON that UTF-8 can carry; the message says why."""


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encode(value: Any) -> str:
    """One JSON text without blanks. Raises EncodeError."""
    try:
        text = _ENCODER.encode(value)
        if not text.isascii():
            text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise EncodeError(clean(f"{type(error).__name__}: {error}")) from None
    return text


def encode_error(message_id: str, code: str, description: str, details: Any = None, *, of_result: bool = False) -> str:
    """A CALLERROR or CALLRESULTERROR. Never raises (S-5): what cannot be written is left out."""
    kind = CALLRESULTERROR if of_result else CALLERROR
    for some_id, some_details in ((message_id, details if isinstance(details, dict) else {}), (message_id, {})):
        try:
            return encode([kind, some_id, code, clean(description), some_details])
        except EncodeError:
            continue
    return encode([kind, UNREADABLE_ID, clean(code), clean(description), {}])


__all__ = [
    "CALL",
    "CALLERROR",
    "CALLRESULT",
    "CALLRESULTERROR",
    "EARLIEST_UTC",
    "LATEST_UTC",
    "LIMITS",
    "SEND",
    "UNREADABLE_ID",
    "BadFrame",
    "CallFrame",
    "EncodeError",
    "ErrorFrame",
    "Frame",
    "Ignored",
    "Limits",
    "ResultFrame",
    "SendFrame",
    "TimestampError",
    "encode",
    "encode_error",
    "format_timestamp",
    "parse",
    "parse_timestamp",
]
