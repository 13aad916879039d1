"""Vendor extensions of OCPP: what a distribution adds by its vendorId, as DataTransfer in both directions and as custom triggers (P01, P02, F06).

A `Vendor` is a value with pure functions in it; they get the moment and what every block may read, and give what is to follow: `DataTransferWanted`
and `Log`, nothing else (`vendor_bounds`). `Station(config, board, vendors)` takes them; `chargepoint run` finds those of other distributions by the entry point
group `chargepoint.vendors`. Its CSMS switches each by CustomizationCtrlr.CustomImplementationEnabled[vendorId].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from chargepoint.tick import Tick
from iso15118.frozen import dataclass

if TYPE_CHECKING:
    from chargepoint.ocpp.block import Context


NOT_SAYABLE = "FormatViolation"
"""`Told.error` of data that no message can carry."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """What a vendor answers; `then` may hold DataTransferWanted and Log."""

    status: Literal["Accepted", "Rejected", "UnknownMessageId"]
    data: Any = None
    then: Sequence[object] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a DataTransfer of the station: the CSMS's answer, or why there is none."""

    message_id: str
    status: str
    """DataTransferStatusEnumType; "" where the CSMS has not answered."""
    data: Any = None
    error: str = ""
    """Where it has not: the code of its CALLERROR, "Timeout", or, of what has not left and cannot be sent again from here, "Offline" or NOT_SAYABLE."""


Transfer = Callable[[Tick, "Context", str, Any], Transferred]
"""`(now, context, messageId or "", data)`: the CSMS's DataTransfer for this vendor."""
Trigger = Callable[[Tick, "Context", int], Sequence[object]]
"""`(now, context, evse_id or 0)`: the CSMS's TriggerMessage has been accepted."""
Hears = Callable[[Tick, "Context", Told], Sequence[object]]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendorId, whatever its case, and what it does here. Its functions are called by the station's one loop: none of them may block."""

    id: str
    transfer: Transfer | None = None
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    """Names of custom triggers, without regard to whose they are: no two vendors have the same."""
    told: Hears | None = None


def by_id(vendors: Iterable[Vendor]) -> dict[str, Vendor]:
    """By `folded` vendorId. Raises ValueError for two of the same id, and for two custom triggers of the same name."""
    found: dict[str, Vendor] = {}
    names: set[str] = set()
    for each in vendors:
        if folded(each.id) in found or names & set(each.triggers):
            raise ValueError(f"{each.id}: its vendorId or one of its triggers is there already")
        found[folded(each.id)] = each
        names |= set(each.triggers)
    return found


def folded(vendor_id: object) -> str:
    """A vendorId as a key: it is an identifierString, whose case does not count. "" for what is none.

    >>> folded("ORG.Lamp"), folded(1)
    ('org.lamp', '')
    """
    return vendor_id.casefold() if isinstance(vendor_id, str) else ""
