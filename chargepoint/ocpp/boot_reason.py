"""Why the station starts, which an ordered restart carries over in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargepoint.commands import Delete, Put
from chargepoint.events import PoweredUp

TABLE, KEY = "meta", "boot_reason"
FORGOTTEN = Delete(TABLE, KEY)
"""The restart did not come about: a later start has another reason."""


def kept(reason: str) -> Put:
    """The row to persist before the process ends."""
    return Put(TABLE, KEY, reason)


def used(event: PoweredUp) -> tuple[Delete, ...]:
    """The row counts once."""
    return (FORGOTTEN,) if KEY in event.stored.get(TABLE, {}) else ()


def boot_reason(found: str, stored: Mapping[str, Mapping[str, Any]]) -> str:
    """BootReasonEnumType of this start, of which the process has `found` what it can see: only where just the process began anew, it was ordered to.

    >>> boot_reason("ApplicationReset", {"meta": {"boot_reason": "RemoteReset"}})
    'RemoteReset'
    >>> boot_reason("PowerUp", {"meta": {"boot_reason": "RemoteReset"}})
    'PowerUp'
    """
    ordered = stored.get(TABLE, {}).get(KEY)
    return ordered if isinstance(ordered, str) and found == "ApplicationReset" else found
