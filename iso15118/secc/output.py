"""The charger's output as every dialect goes by it: when contactors may open, and how long is waited for it."""

from __future__ import annotations

from typing import Protocol

from iso15118.terms import Facts, Offered

OPENS_A = 5.0
"""Below this contactors may open (IEC 61851-23 [K])."""
BEFORE_S = 10.0
"""So long voltage stays on without a word from a vehicle in cable check and precharge, or while other schedules are agreed on."""
CABLE_CHECK_S = 38.0
"""So long the insulation test may be ongoing: a little less than the vehicle's own 40 s [K]."""
CONTACTOR_S = 3.0
"""So long PowerDeliveryRes waits for the contactor."""
STOP_S = 1.5
"""And SessionStopRes for the current to go: the vehicle waits 2 s [K]."""
UNREAD = "nobody knows the voltage of the output"


class Talks(Protocol):
    """What a session of any dialect has."""

    facts: Facts
    offered: Offered | None
    """The energy that was chosen."""


def flows(talk: Talks) -> bool:
    """DC, and more than contactors may break."""
    return talk.offered is not None and talk.offered.energy.is_dc and abs(talk.facts.current_A) >= OPENS_A
