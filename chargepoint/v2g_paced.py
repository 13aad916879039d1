"""What the CSMS is told of the vehicle's needs and plans, not more often than it has use for: of what comes faster the last one is told.

A vehicle may take other schedules as often as it likes; one that is right takes them twice in a row at most, when a session has begun.
"""

from __future__ import annotations

from chargepoint.events import ChargingNeedsTold, ScheduleChosen
from chargepoint.tick import Tick
from chargepoint.v2g_state import Paced, V2gState

MOST, IN_S = 2, 20.0
"""So many of a kind in so long."""
NEEDS, PLAN = "needs", "plan"


def say(s: V2gState, now: Tick, evse_id: int, kind: str) -> list[object]:
    """Now, or when it is time."""
    at = s.paced.at.get(kind, ())
    behind = kind == PLAN and NEEDS in s.paced.waiting
    if behind or (len(at) == MOST and now.mono < at[0] + IN_S):
        s.paced.waiting = tuple(dict.fromkeys((*s.paced.waiting, kind)))
        return []
    s.paced.at[kind] = (*at, now.mono)[-MOST:]
    s.paced.waiting = tuple(each for each in s.paced.waiting if each != kind)
    return [ChargingNeedsTold(evse_id, renegotiated=s.needs_told > 1) if kind == NEEDS else ScheduleChosen(evse_id)]


def deadline(s: Paced) -> float | None:
    """When the next one is to be told: a plan never before the needs that it is for."""
    if not s.waiting:
        return None
    at = s.at.get(NEEDS if NEEDS in s.waiting else PLAN, ())
    return at[0] + IN_S if len(at) == MOST else 0.0


def due(s: V2gState, now: Tick, evse_id: int) -> list[object]:
    """What has waited long enough."""
    return [item for kind in sorted(s.paced.waiting) for item in say(s, now, evse_id, kind)]


def over(s: Paced) -> None:
    """The session is over: what waits is of no use any more."""
    s.waiting = ()
