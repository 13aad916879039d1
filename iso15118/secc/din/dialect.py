"""DIN 70121 as a dialect of `secc.session`."""

from __future__ import annotations

from typing import Any

from iso15118.frozen import dataclass
from iso15118.messages.din import msg_body as mb
from iso15118.secc.din.spelling import SPELLING
from iso15118.secc.din.table import BEFORE, TABLE, E, S
from iso15118.secc.output import Away
from iso15118.secc.v2gmsg.dialect import V2gMsg
from iso15118.secc.v2gmsg.talk import SavedTalk

NAMESPACE = SPELLING.namespace
_EVENTS: dict[type, E] = {getattr(mb, each.value): each for each in E if each not in (E.START, E.STOP)}


@dataclass(frozen=True, slots=True)
class SavedDin:
    """A `Din` as plain values. What belongs to a request that waits comes back with that request (`again`)."""

    state: S
    talk: SavedTalk
    loop_at: float = 0.0
    away: Away = Away()


class Din(V2gMsg[S, E]):
    """One session."""

    SPELLING, TABLE = SPELLING, TABLE
    VOLTAGE, FLOWING = BEFORE, (S.LOOP,)
    AUTHORIZING = (S.AUTHENTICATION,)

    def event_of(self, request: Any) -> E:
        if type(request) is mb.PowerDeliveryReq:
            return E.START if request.ReadyToChargeState else E.STOP
        return _EVENTS[type(request)]

    def saved(self) -> SavedDin:
        """What it remembers."""
        return SavedDin(self.state, self.talk.saved(), self._loop_at, self._away)
