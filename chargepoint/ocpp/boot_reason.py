"""What the next BootNotification says, carried over an ordered restart in the store."""

from __future__ import annotations

from chargepoint.commands import Delete, Put
from chargepoint.events import PoweredUp

TABLE, KEY = "meta", "boot_reason"
FRESH_BOARD_S = 120.0
"""A board that has been up for less than this had lost its power."""


def kept(reason: str) -> Put:
    """The row to persist before the process ends."""
    return Put(TABLE, KEY, reason)


def used(event: PoweredUp) -> tuple[Delete, ...]:
    """The row counts once."""
    return (Delete(TABLE, KEY),) if KEY in event.stored.get(TABLE, {}) else ()


def boot_reason(event: PoweredUp) -> str:
    """BootReasonEnumType of this start. A shutdown for good (LocalReset) is forgotten when the power was away since.

    >>> boot_reason(PoweredUp("PowerUp", "", {"meta": {"boot_reason": "RemoteReset"}}))
    'RemoteReset'
    """
    ordered = event.stored.get(TABLE, {}).get(KEY)
    if not isinstance(ordered, str) or event.reason == "Watchdog":
        return event.reason
    fresh = event.uptime_s is not None and event.uptime_s < FRESH_BOARD_S
    return event.reason if ordered == "LocalReset" and fresh else ordered
