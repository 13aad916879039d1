"""Which protocols a vehicle offers to a charger, by name and in any order: the first is its favourite."""

from __future__ import annotations

from collections.abc import Sequence

from iso15118.evcc.din import dialect as din
from iso15118.evcc.iso2 import dialect as iso2
from iso15118.evcc.iso20 import dialect as iso20
from iso15118.evcc.session import Spoken
from iso15118.evcc.terms import Wants
from iso15118.terms import Energy

ISO20 = {"iso20-dc": True, "iso20-ac": False}
"""Name -> DC."""
ISO2 = {"iso2-dc": Energy.DC, "iso2-ac": Energy.AC}
"""Name -> what is taken by it."""
DIN = "din"
PROTOCOLS = (*ISO20, *ISO2, DIN)


def spoken(wants: Wants) -> tuple[Spoken, ...]:
    """What `Wants.protocols` name. The two of ISO 15118-2 are one offer, and what is first there is taken first."""
    if not wants.protocols:
        return iso20.spoken(wants)
    by_iso2 = [ISO2[each] for each in wants.protocols if each in ISO2]
    found = [_spoken(wants, each, by_iso2) for each in wants.protocols]
    return tuple({each.namespace: each for each in reversed(found)}[name] for name in dict.fromkeys(each.namespace for each in found))


def _spoken(wants: Wants, name: str, by_iso2: Sequence[Energy]) -> Spoken:
    """Raises ValueError for another name."""
    if name in ISO20:
        return iso20.spoken_for(wants, dc=ISO20[name])
    if name in ISO2:
        return iso2.spoken(wants, by_iso2)
    if name == DIN:
        return din.spoken(wants)
    raise ValueError(f"{name}: no such protocol; there are {', '.join(PROTOCOLS)}")
