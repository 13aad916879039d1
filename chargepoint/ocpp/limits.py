"""How large requests about the device model and reports may be, and the refusal of what is larger."""

from __future__ import annotations

import json

from chargepoint.ocpp.block import Refused

LARGEST_MESSAGE = 32_768
"""Bytes of one GetVariables or SetVariables request, as compact JSON."""
MOST_ITEMS = 100
"""Entries of one such message."""


def size_of(value: object) -> int:
    """Bytes of a JSON value written without blanks."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))


def refuse_oversize(most_items: int, most_bytes: int, items: int, payload: object) -> None:
    """Raises Refused (CALLERROR) for a request beyond what the station declared (B06.FR.16, B06.FR.17, B08.FR.17, B08.FR.18)."""
    if items > most_items:
        raise Refused("OccurrenceConstraintViolation", f"{items} entries, {most_items} are allowed")
    if (size := size_of(payload)) > most_bytes:
        raise Refused("FormatViolation", f"{size} bytes, {most_bytes} are allowed")
