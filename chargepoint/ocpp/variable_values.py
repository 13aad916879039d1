"""What a value of a device-model variable may look like: checked before anything is stored (B05.FR.07, B05.FR.08).

A value that passes comes back in one spelling (`true`, `Charging,Idle`), so that readers need not be lenient again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from iso15118.frozen import dataclass

DataType = Literal["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]

VALUE_SIZE = 2500
"""Longest value that the schemas allow (SetVariableDataType.attributeValue and VariableAttributeType.value, maxLength)."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_DATE_TIME = re.compile(
    r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?([Zz]|[+-][0-2][0-9]:[0-5][0-9])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a value. For texts `min` and `max` are lengths, for lists `max_elements` counts entries."""

    min: float | None = None
    max: float | None = None
    values: tuple[str, ...] = ()
    max_elements: int | None = None


class BadValue(ValueError):
    """The value does not fit its variable. `reason` is a reason code of OCPP 2.1 Part 2 appendix 5."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def checked(kind: DataType, value: str, limits: Limits = Limits()) -> str:
    """The value in its one spelling. Raises BadValue, whose text names what is wrong and never repeats the value.

    >>> checked("boolean", "TRUE"), checked("MemberList", " a ,b", Limits(values=("A", "B")))
    ('true', 'A,B')
    """
    if len(value) > VALUE_SIZE:
        raise BadValue("TooLargeElement", f"longer than {VALUE_SIZE} characters")
    match kind:
        case "boolean":
            return _boolean(value)
        case "integer":
            return _number(value, _INTEGER, "a whole number", limits)
        case "decimal":
            return _number(value, _DECIMAL, "a decimal number", limits)
        case "dateTime":
            if not _DATE_TIME.fullmatch(value):
                raise BadValue("InvalidValue", "not a date and time with its offset (RFC 3339) in this century")
            return value
        case "string":
            return _text(value, limits)
        case "OptionList":
            return _member(value.strip(), limits.values)
        case _:
            return _list(value, limits)


def _boolean(value: str) -> str:
    lowered = value.strip().lower()
    if lowered not in ("true", "false"):
        raise BadValue("InvalidValue", "neither true nor false")
    return lowered


def _number(value: str, pattern: re.Pattern[str], kind: str, limits: Limits) -> str:
    stripped = value.strip()
    if not pattern.fullmatch(stripped) or not math.isfinite(float(stripped)):
        raise BadValue("InvalidValue", f"not {kind}")
    if limits.min is not None and float(stripped) < limits.min:
        raise BadValue("ValueTooLow", f"below {limits.min:g}")
    if limits.max is not None and float(stripped) > limits.max:
        raise BadValue("ValueTooHigh", f"above {limits.max:g}")
    return stripped.lstrip("+")


def _text(value: str, limits: Limits) -> str:
    if any(ord(character) < 0x20 or 0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise BadValue("InvalidValue", "holds control characters")
    if limits.min is not None and len(value) < limits.min:
        raise BadValue("InvalidValue", f"shorter than {limits.min:g} characters")
    if limits.max is not None and len(value) > limits.max:
        raise BadValue("TooLargeElement", f"longer than {limits.max:g} characters")
    if limits.values:
        return _member(value, limits.values)
    return value


def _member(value: str, members: Sequence[str]) -> str:
    if not members:
        return value
    for member in members:
        if member.lower() == value.lower():
            return member
    raise BadValue("InvalidValue", f"not one of {', '.join(members)}"[:1000])


def _list(value: str, limits: Limits) -> str:
    entries = [entry.strip() for entry in value.split(",")] if value.strip() else []
    if not all(entries):
        raise BadValue("InvalidValue", "an empty entry in the list")
    if limits.max_elements is not None and len(entries) > limits.max_elements:
        raise BadValue("TooManyElements", f"more than {limits.max_elements} entries")
    spelled = [_member(entry, limits.values) for entry in entries]
    if len(set(spelled)) != len(spelled):
        raise BadValue("InvalidValue", "an entry twice in the list")
    return _text(",".join(spelled), Limits(max=limits.max))
