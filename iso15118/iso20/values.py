"""RationalNumber and float; powers of phases and of schedules as a vehicle or charger means them (ISO 15118-20 8.3.5.3 [K])."""

from __future__ import annotations

import math
from collections.abc import Iterable

from iso15118.messages.iso20.common_schedules import EVPowerProfileType, PowerScheduleEntryType
from iso15118.messages.iso20.common_types import RationalNumberType
from iso15118.terms import Slot

LEAST_EXPONENT = -3
"""Finer than thousandths nothing is said."""
FINEST_FEE = -6
MOST_VALUE = 32767


def rational(value: float, least_exponent: int = LEAST_EXPONENT) -> RationalNumberType:
    """The nearest RationalNumber; more than it can say becomes the most that it can. Raises ValueError for what is no number.

    >>> rational(400), rational(0.25), rational(123456.0)
    (RationalNumberType(Exponent=0, Value=400), RationalNumberType(Exponent=-2, Value=25), RationalNumberType(Exponent=1, Value=12346))
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number that a message can say")
    if -MOST_VALUE <= value <= MOST_VALUE and value == (whole := int(value)):
        return RationalNumberType(Exponent=0, Value=whole)
    exponent = least_exponent
    while abs(scaled := round(value * 10.0**-exponent)) > MOST_VALUE and exponent < 127:
        exponent += 1
    while exponent < 0 and scaled % 10 == 0:
        scaled, exponent = scaled // 10, exponent + 1
    return RationalNumberType(Exponent=exponent, Value=scaled)


def fee(value: float) -> RationalNumberType:
    """The same for money: a price for a kWh has more places than a thing that is measured.

    >>> fee(0.2849)
    RationalNumberType(Exponent=-4, Value=2849)
    """
    return rational(value, FINEST_FEE)


def number(value: RationalNumberType) -> float:
    """What a RationalNumber means. An exponent of no physical sense gives 0 or infinity, never an error.

    >>> number(RationalNumberType(Exponent=-1, Value=4001)), number(RationalNumberType(Exponent=127, Value=1))
    (400.1, 1e+127)
    """
    if value.Exponent >= 0:
        return float(value.Value) * 10.0**value.Exponent
    return value.Value / 10.0**-value.Exponent


def ramp(per_s: float | None, max_power_W: float) -> RationalNumberType | None:
    """EVSEPowerRampLimitation is in % of the most power a minute (ISO 15118-20 8.3.5.5, by a copy of its table [S]); what it is a share of, [K].

    >>> ramp(1_000.0, 60_000.0), ramp(None, 60_000.0)
    (RationalNumberType(Exponent=0, Value=100), None)
    """
    return rational(per_s * 60 * 100 / max_power_W) if per_s is not None and max_power_W > 0 else None


def ramp_W_per_s(value: RationalNumberType | None, max_power_W: float) -> float | None:
    """The other way."""
    return None if value is None else number(value) * max_power_W / 60 / 100


def maybe(value: RationalNumberType | None) -> float | None:
    """The same where it may be absent."""
    return None if value is None else number(value)


def maybe_rational(value: float | None) -> RationalNumberType | None:
    """The other way."""
    return None if value is None else rational(value)


def total_W(message: object, name: str) -> float | None:
    """A power of AC: alone it is the sum of the phases, else that of L1 ([K]). None: it does not say."""
    found = [number(each) for suffix in ("", "_L2", "_L3") if (each := getattr(message, name + suffix, None)) is not None]
    return sum(found) if found else None


def part_W(message: object, name: str, use: int, of: int) -> float | None:
    """What `use` phases have of a power of AC that is told for `of`: those that are said apart, or their share of the sum. `of` 0: it is told for those that
    are used.
    """
    total = total_W(message, name)
    if total is None or use >= of:
        return total
    apart = [getattr(message, name + suffix, None) for suffix in ("", "_L2", "_L3")]
    if all(each is None for each in apart[1:]):
        return total * use / of
    return sum(number(each) for each in apart[:use] if each is not None)


def entry_W(entry: PowerScheduleEntryType) -> float:
    """The same of a stretch of a schedule."""
    return total_W(entry, "Power") or 0.0


def slots(entries: Iterable[PowerScheduleEntryType]) -> tuple[Slot, ...]:
    """Entries one behind the other, phases added up."""
    found, at = [], 0
    for each in entries:
        found.append(Slot(at, each.Duration, entry_W(each)))
        at += each.Duration
    return tuple(found)


def profile_slots(profile: EVPowerProfileType) -> tuple[Slot, ...]:
    """What a vehicle plans."""
    return slots(profile.EVPowerProfileEntries.EVPowerProfileEntry)
