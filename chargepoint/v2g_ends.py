"""How sessions end: what is kept of one and what is not, and the moment that a vehicle has to end it in order, when it is refused or has opened S2."""

from __future__ import annotations

from chargepoint import v2g_contracts, v2g_facts, v2g_paced
from chargepoint.events import Supply
from chargepoint.facts import EvseFacts
from chargepoint.tick import Tick
from chargepoint.v2g_state import Asks, Replan, V2gState
from iso15118.secc.paused import Paused

STOPS_S = 2.0
"""AC: from S2 that opens to the end of the loop in words: there are vehicles that open it first (ISO 15118-2 has it after PowerDeliveryRes [K])."""
WENT_OFF = "the output went off"
OPENED_S2 = "the vehicle has opened S2"


def went_off(s: V2gState, evse: EvseFacts) -> bool:
    """What was asked for was on the output, and is not any more."""
    on = evse.supply is not Supply.OFF
    lost = s.was_on and s.supply is not Supply.OFF and not on
    s.was_on = s.was_on or (on and s.supply is evse.supply)
    return lost


def by_s2(evse: EvseFacts, mode: str) -> bool:
    """AC, and the vehicle did it: nothing is wrong but the order."""
    return mode != "dc" and evse.s2_open


def overdue(s: V2gState, now: Tick) -> str:
    """Why what is under way ends now; "" for nothing. Said once."""
    if s.refused_by is not None and now.mono >= s.refused_by:
        s.refused_by = None
        return v2g_facts.REVOKED
    if s.stops_by is not None and now.mono >= s.stops_by:
        s.stops_by = None
        return WENT_OFF
    return ""


def keep(s: V2gState, paused: Paused | None) -> None:
    """How the vehicle may come back; None: it may not."""
    kept = paused or Paused(b"", "")
    s.paused_id, s.paused_evcc, s.paused_schedule = kept.session_id, kept.evcc_id, kept.schedule_id


def forget(s: V2gState) -> None:
    """What belonged to one session."""
    s.authorization_wanted = s.authorised = s.was_on = s.asking_needs = s.refused = False
    s.refused_by = s.stops_by = None
    s.needs_told = 0
    s.asked_V = s.asked_A = 0.0
    s.replan, s.asks = Replan(), Asks()
    v2g_paced.over(s.paced)
    v2g_contracts.forget(s.contracts)
