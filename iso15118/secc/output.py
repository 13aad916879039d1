"""The charger's output as every dialect goes by it: when contactors may open, and how long is waited for it."""

from __future__ import annotations

from typing import Protocol

from iso15118.connection import Now
from iso15118.terms import Facts, Offered, Progress

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

    def ongoing(self, what: str, now: Now, most_s: float) -> bool:
        """Whether it may still go on (`Waiting`)."""

    def done(self, what: str) -> None:
        """It is waited for no more (`Waiting`)."""


def flows(talk: Talks) -> bool:
    """DC, and more than contactors may break."""
    return talk.offered is not None and talk.offered.energy.is_dc and abs(talk.facts.current_A) >= OPENS_A


def insulated(talk: Talks, now: Now) -> bool | str:
    """Whether the test of the insulation is done; or why it has failed."""
    match talk.facts.cable_check:
        case Progress.DONE:
            talk.done("cable check")
            return True
        case Progress.FAILED:
            return "the insulation test has failed"
    return False if talk.ongoing("cable check", now, CABLE_CHECK_S) else "no result of the insulation test in time"


def no_precharge(talk: Talks, now: Now, most_s: float) -> str:
    """Why there is none (any more), or nothing."""
    if not talk.facts.voltage_known:
        return UNREAD
    if talk.facts.precharge is Progress.FAILED:
        return "the output does not reach the voltage"
    return "" if talk.ongoing("precharge", now, most_s) else "no end of the precharge in time"
