"""The authorization cache: bounded, with a lifetime, each change as rows to be written (OCPP 2.1 C10, C11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargepoint import codec
from chargepoint.commands import Delete, Put
from chargepoint.ocpp.id_tokens import Entry

TABLE = "auth_cache"
MOST_ENTRIES = 1000
"""What the cache holds [K]; the CSMS sees its size in AuthCacheCtrlr.Storage."""
RENEW_S = 60.0
"""A use is written down when the last one is longer ago, so that a busy card does not wear out the flash [K]."""
Rows = tuple[Put | Delete, ...]


def loaded(stored: Mapping[str, Any]) -> tuple[dict[str, Entry], int]:
    """The cache as it was kept, and how many rows could not be read."""
    cache: dict[str, Entry] = {}
    unreadable = 0
    for key, value in stored.items():
        try:
            cache[key] = codec.load(Entry, value, f"{TABLE}.{key}")
        except codec.CodecError:
            unreadable += 1
    return cache, unreadable


def lapsed(entry: Entry, utc: float, lifetime_s: float) -> bool:
    """Whether it no longer counts: cacheExpiryDateTime where there is one, else the lifetime since its last use; 0 = no end (C10.FR.10, .13)."""
    if entry.until is not None:
        return utc > entry.until
    return lifetime_s > 0 and utc - entry.used > lifetime_s


def put(cache: dict[str, Entry], key: str, entry: Entry, lifetime_s: float) -> Rows:
    """Keep it, or forget it when it says of itself that it is over (prepaid cards, C17). Room is made by what is worth least."""
    utc, before = entry.used, cache.get(key)
    if lapsed(entry, utc, lifetime_s):
        return drop(cache, key)
    gone = _make_room(cache, utc, lifetime_s) if before is None and len(cache) >= MOST_ENTRIES else ()
    cache[key] = entry
    if before is not None and before.known() == entry.known() and before.until == entry.until and 0 <= utc - before.used < RENEW_S:
        cache[key] = before
        return ()
    return (*gone, Put(TABLE, key, codec.dump(Entry, entry)))


def drop(cache: dict[str, Entry], key: str) -> Rows:
    """Forget one."""
    return (Delete(TABLE, key),) if cache.pop(key, None) is not None else ()


def _make_room(cache: dict[str, Entry], utc: float, lifetime_s: float) -> Rows:
    """First what no longer authorises anybody, then what was used longest ago (C10.FR.07 [K])."""
    least = min(cache, key=lambda k: (cache[k].status == "Accepted" and not lapsed(cache[k], utc, lifetime_s), cache[k].used))
    return drop(cache, least)
