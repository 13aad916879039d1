"""Vendor extensions that other distributions bring: entry points of the group `chargepoint.vendors`, whose value is a `Vendor`."""

from __future__ import annotations

from importlib.metadata import entry_points

from chargepoint.ocpp.vendors import Vendor
from chargepoint.runtime.port import StartError

GROUP = "chargepoint.vendors"


def installed() -> tuple[Vendor, ...]:
    """All of them. Raises StartError: without what an operator relies on, a station does not start."""
    found = []
    for each in entry_points(group=GROUP):
        try:
            vendor = each.load()
        except (ImportError, AttributeError) as error:
            raise StartError(f"vendor extension {each.name!r}: {error}") from error
        if not isinstance(vendor, Vendor):
            raise StartError(f"vendor extension {each.name!r}: {each.value} is no Vendor")
        found.append(vendor)
    return tuple(found)
