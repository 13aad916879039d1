"""What a vehicle in its loop is asked beside other schedules: to come out of standby when there is more energy again, and to confirm the meter (ISO 15118-20).

Either is asked for `ASKS_S`, and then left alone: a vehicle may have its own reasons for its standby, and need not know what a receipt is.
"""

from __future__ import annotations

from chargepoint.facts import EvseFacts
from chargepoint.tick import Tick
from chargepoint.v2g_replan import ASKS_S, BETWEEN_S, STANDS_S, for_it_W, less
from chargepoint.v2g_state import Asks
from iso15118.secc.speak import Dialect
from iso15118.terms import Wish


def wish(s: Asks, now: Tick, evse: EvseFacts, dialect: Dialect, confirm_s: float, *, waits: bool) -> Wish | None:
    """What it is asked at this moment. `confirm_s`: how often it confirms the meter, 0 never; `waits`: it is asked for something else first."""
    if _comes_back(s, now, evse, stands_by=dialect.stands_by, waits=waits):
        return Wish.EXIT_STANDBY
    return Wish.CONFIRM_METERING if _confirms(s, now, evse, confirm_s if dialect.confirms else 0.0, waits=waits) else None


def confirmed(s: Asks, now: Tick) -> None:
    """It has confirmed a reading."""
    s.confirmed_mono, s.confirm_mono = now.mono, None


def _comes_back(s: Asks, now: Tick, evse: EvseFacts, *, stands_by: bool, waits: bool) -> bool:
    """There is more for it than the least since it stands by, and has been for a while."""
    if not stands_by:
        s.least_W = s.less_since = s.more_since = s.exit_mono = None
        return False
    is_W = for_it_W(evse)
    s.least_W = is_W if s.least_W is None else _fallen(s, now, s.least_W, is_W)
    if s.exit_mono is not None and now.mono - s.exit_mono < ASKS_S:
        return is_W > 0.0
    if waits or not less(s.least_W, is_W):
        s.more_since = None
        return False
    s.more_since = now.mono if s.more_since is None else s.more_since
    if now.mono - s.more_since < STANDS_S or (s.exit_mono is not None and now.mono - s.exit_mono < BETWEEN_S):
        return False
    s.exit_mono, s.least_W = now.mono, is_W
    return True


def _fallen(s: Asks, now: Tick, least_W: float, is_W: float) -> float:
    """The least from now on: a fall that is soon over is none."""
    if is_W >= least_W:
        s.less_since = None
        return least_W
    s.less_since = now.mono if s.less_since is None else s.less_since
    return is_W if now.mono - s.less_since >= STANDS_S else least_W


def _confirms(s: Asks, now: Tick, evse: EvseFacts, confirm_s: float, *, waits: bool) -> bool:
    """It is time again, counted from the last confirmation, or from the begin of the loop."""
    if not confirm_s or evse.meter is None:
        return False
    s.confirmed_mono = now.mono if s.confirmed_mono is None else s.confirmed_mono
    if s.confirm_mono is not None and now.mono - s.confirm_mono >= ASKS_S:
        confirmed(s, now)
    if waits or now.mono - s.confirmed_mono < confirm_s:
        return False
    s.confirm_mono = now.mono if s.confirm_mono is None else s.confirm_mono
    return True
