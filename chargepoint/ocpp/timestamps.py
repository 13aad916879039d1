"""OCPP timestamps: RFC 3339 in, milliseconds and `Z` out."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

EARLIEST_UTC = 946_684_800.0
"""2000-01-01T00:00:00Z. What a CSMS says is before it or after LATEST_UTC is not believed (S-18)."""
LATEST_UTC = 4_102_444_800.0
"""2100-01-01T00:00:00Z."""

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,32}))?(?:[Zz]|([+-])(\d\d):(\d\d)|)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class TimestampError(ValueError):
    """Not a timestamp, or one that cannot be meant."""


def parse_timestamp(text: object, *, in_range: bool = True) -> float:
    """POSIX seconds of an RFC 3339 timestamp; raises TimestampError, also outside 2000..2100 unless `in_range` is False.

    Fractions of any length, lower-case t and z, a blank for T and leap seconds are taken. So is a missing offset, which
    RFC 3339 demands but which some CSMSs leave out: OCPP's timestamps are UTC.

    >>> parse_timestamp("2026-11-24T13:00:00.5+01:00")
    1795521600.5
    """
    match = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise TimestampError("is not an RFC 3339 timestamp")
    year, month, day, hour, minute, second, fraction, sign, offset_h, offset_min = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise TimestampError("is no day of the calendar") from None
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60 or int(offset_h or 0) > 23 or int(offset_min or 0) > 59:
        raise TimestampError("is no time of day")
    utc = days * 86_400 + int(hour) * 3600 + int(minute) * 60 + int(second)
    if sign:
        utc -= (int(offset_h) * 60 + int(offset_min)) * (60 if sign == "+" else -60)
    if in_range and not EARLIEST_UTC <= utc < LATEST_UTC:
        raise TimestampError("lies outside the years 2000 to 2100")
    return utc + float(f"0.{fraction}") if fraction else float(utc)


def format_timestamp(utc: float) -> str:
    """POSIX seconds as OCPP writes them: UTC, milliseconds, `Z`. Raises TimestampError for what is outside the years 1..9999.

    >>> format_timestamp(1795521600.0004)
    '2026-11-24T12:00:00.000Z'
    """
    try:
        moment = _EPOCH + timedelta(milliseconds=round(utc * 1000))
    except (OverflowError, ValueError):
        raise TimestampError(f"{utc!r} seconds have no date") from None
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"
