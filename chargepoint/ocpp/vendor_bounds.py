"""What a vendor extension may say: JSON of a bounded size, and few things that follow, none of which touches the body, the store or the vehicle.

The blocks are guarded against an extension that raises; these bounds keep what it gives from failing later, in machines that are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from chargepoint.commands import Log
from chargepoint.events import DataTransferWanted

MOST_DATA = 65_536
"""Octets of `data` as compact JSON."""
DEEPEST_DATA = 60
"""Lists and objects in each other: as deep as the frame around it may be (S-25)."""
LONGEST_MESSAGE_ID = 50
"""Characters of DataTransferRequest.messageId."""
MOST_FOLLOWING = 100
"""Events and commands that follow from one call of an extension."""
FOLLOWING = (DataTransferWanted, Log)
"""All that may follow: what else a station hears and does is decided by its own machines."""


LEVELS = ("debug", "info", "warning", "error")


class NotSayable(ValueError):
    """Data that no message can carry; its text says why."""


def sayable(data: Any) -> Any:
    """The data as JSON values, a copy. Raises NotSayable.

    >>> sayable({"a": (1, 2.5, None)})
    {'a': [1, 2.5, None]}
    """
    try:
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        octets = len(text.encode())
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotSayable(f"no JSON: {error}"[:200]) from None
    if octets > MOST_DATA:
        raise NotSayable(f"{octets} octets, {MOST_DATA} are allowed")
    if _deeper(value, DEEPEST_DATA):
        raise NotSayable(f"nested deeper than {DEEPEST_DATA}")
    return value


def sayable_id(message_id: object) -> str:
    """The messageId. Raises NotSayable."""
    if not isinstance(message_id, str) or len(message_id) > LONGEST_MESSAGE_ID:
        raise NotSayable(f"messageId: no text of at most {LONGEST_MESSAGE_ID} characters")
    return str(sayable(message_id))


def following(vendor_id: str, given: Iterable[object], *, may_send: bool = True) -> Iterator[object]:
    """What of it is followed; what is not is named in the log. `may_send`: DataTransferWanted counts."""
    for count, each in enumerate(islice(given, MOST_FOLLOWING + 1)):
        if count == MOST_FOLLOWING:
            yield not_followed(vendor_id, f"more than {MOST_FOLLOWING}")
        elif not isinstance(each, FOLLOWING):
            yield not_followed(vendor_id, type(each).__name__)
        elif isinstance(each, Log):
            yield _log(vendor_id, each)
        elif may_send:
            yield each
        else:
            yield not_followed(vendor_id, "DataTransferWanted from what is told of one that has not left")


def not_followed(vendor_id: str, what: str) -> Log:
    """One line for what an extension wants in vain."""
    return Log("warning", "vendor.not_followed", {"vendor": vendor_id, "what": what})


def _log(vendor_id: str, log: Log) -> Log:
    level: str = log.level
    try:
        if level in LEVELS and isinstance(sayable(log.key), str) and isinstance(values := sayable(log.values), dict):
            return Log(log.level, log.key, values)
    except NotSayable:
        pass
    return not_followed(vendor_id, "Log")


def _deeper(value: Any, most: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return parts is not None and (most == 0 or any(_deeper(each, most - 1) for each in parts))
