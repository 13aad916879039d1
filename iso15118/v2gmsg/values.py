"""PhysicalValue and float, and schedules that are written with it (DIN SPEC 70121, ISO 15118-2 8.5.2.7 [K]).

The two protocols have a PhysicalValueType each, of one shape: whoever writes one says which. Nothing is imported of either here, so that who speaks one of
them loads no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from iso15118.messages.declare import Message

V = TypeVar("V", bound=Message)
Unit = Literal["h", "m", "s", "A", "V", "W", "Wh"]

LEAST_MULTIPLIER, MOST_MULTIPLIER = -3, 3
FINEST = -1
"""Volts and amperes are said in tenths: finer no stage measures, and a tenth of 3,276 V still fits."""
MOST_VALUE = 32767


class PhysicalValue(Protocol):
    """Of either protocol."""

    @property
    def Multiplier(self) -> int: ...
    @property
    def Value(self) -> int: ...


def physical(kind: type[V], unit: Unit, value: float, finest: int = FINEST) -> V:
    """The nearest value of this kind; more than it can say becomes the most that it can. Raises ValueError for what is no number.

    >>> from iso15118.messages.din.msg_data_types import PhysicalValueType
    >>> physical(PhysicalValueType, "V", 400), physical(PhysicalValueType, "A", 12.34), physical(PhysicalValueType, "W", 150_000)
    (PhysicalValueType(Multiplier=0, Unit='V', Value=400), PhysicalValueType(Multiplier=-1, Unit='A', Value=123), PhysicalValueType(Multiplier=1, Unit='W', \
Value=15000))
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} {unit} is no number that a message can say")
    make: Callable[..., V] = kind
    if -MOST_VALUE <= value <= MOST_VALUE and value == (whole := int(value)):
        return make(Multiplier=0, Unit=unit, Value=whole)
    multiplier = finest
    while abs(scaled := round(value * 10.0**-multiplier)) > MOST_VALUE and multiplier < MOST_MULTIPLIER:
        multiplier += 1
    scaled = max(-MOST_VALUE, min(MOST_VALUE, scaled))
    while multiplier < 0 and scaled % 10 == 0:
        scaled, multiplier = scaled // 10, multiplier + 1
    return make(Multiplier=multiplier, Unit=unit, Value=scaled)


def maker(kind: type[V], unit: Unit, finest: int = FINEST) -> Callable[[float], V]:
    """`physical` for one protocol and unit."""
    return partial(physical, kind, unit, finest=finest)


def number(value: PhysicalValue) -> float:
    """What a PhysicalValue means; its unit is that of its field, whatever it says (DIN 70121 may leave it out).

    >>> from iso15118.messages.din.msg_data_types import PhysicalValueType
    >>> number(PhysicalValueType(Multiplier=-1, Value=4001))
    400.1
    """
    if value.Multiplier >= 0:
        return float(value.Value * 10**value.Multiplier)
    return float(value.Value / 10**-value.Multiplier)


def maybe(value: PhysicalValue | None) -> float | None:
    """The same where it may be absent."""
    return None if value is None else number(value)


def positive(value: float | None) -> float | None:
    """What cannot be below nothing, and is, was not said."""
    return value if value is not None and value >= 0.0 else None


def whole(value: Any) -> int | None:
    """The same of seconds."""
    return None if value is None else round(number(value))
