"""The charger's output as every dialect goes by it: when contactors may open, how long is waited for it, and how long it is on for nobody."""

from __future__ import annotations

from typing import Protocol

from iso15118.connection import Now
from iso15118.frozen import dataclass
from iso15118.terms import Facts, Offered, Progress

OPENS_A = 5.0
"""Below this contactors may open (IEC 61851-23 [K])."""
BEFORE_S = 10.0
"""So long voltage stays on without a word from a vehicle in cable check and precharge, or while other schedules are agreed on."""
CABLE_CHECK_S = 38.0
"""So long the insulation test may be ongoing: a little less than the vehicle's own 40 s [K]."""
PRECHARGE_S = 10.0
"""So long precharge may be ongoing [K], wherever the voltage is: contactors and a vehicle that is at work take their time with it. A vehicle of DIN 70121 or
ISO 15118-2 goes after its own 7 s.
"""
CONTACTOR_S = 3.0
"""So long PowerDeliveryRes waits for the contactor."""
POWER_S = 4.0
"""ISO 15118-2, from the request: the vehicle has 0.25 s for state C, then the contactor 3 s, and the answer is due after 4.5 s ([V2G2-847], [V2G2-862] [K])."""
STOP_S = 1.5
"""And SessionStopRes for the current to go: the vehicle waits 2 s [K]."""
AWAY_S = 65.0
"""So long energy may be on without a request of the loop, whatever else is said (F-11). Cable check, precharge, a vehicle that is not ready and the contactor
take 61 s at most; other schedules and the contactor 59 s. Other schedules and then another cable check (ISO 15118-2) take longer only with a host that knows
none for more than 11 s: then the session ends here.
"""
AWAY = "energy is on, and no request of the loop comes"
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


@dataclass(frozen=True, slots=True)
class Away:
    """How long energy has been on without a request of the loop, in standby included. Energy that goes off and on again counts on."""

    s: float = 0.0
    at: float | None = None
    """When that was so (mono); None: no energy was on."""

    def on(self, now: Now, *, energy: bool) -> Away:
        """The same now. `energy`: it is on from here."""
        return Away(self.s + (now.mono - self.at if self.at is not None else 0.0), now.mono if energy else None)

    @property
    def over(self) -> bool:
        """It is too long."""
        return self.at is not None and self.s >= AWAY_S

    def left_s(self, now: Now) -> float:
        """How long it may still last."""
        return AWAY_S - self.on(now, energy=True).s


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


def no_precharge(talk: Talks, now: Now) -> str:
    """Why there is none (any more), or nothing."""
    if not talk.facts.voltage_known:
        return UNREAD
    if talk.facts.precharge is Progress.FAILED:
        return "the output does not reach the voltage"
    return "" if talk.ongoing("precharge", now, PRECHARGE_S) else "no end of the precharge in time"
