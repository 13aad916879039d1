"""DIN 70121 and ISO 15118-2 as dialects of `evcc.session`: a table, its functions, and the timers of each message. A protocol gives the table, the functions
and its spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iso15118 import exi
from iso15118.connection import Now, Unexpected
from iso15118.evcc.session import Question, Turn
from iso15118.evcc.terms import StopDrawing
from iso15118.evcc.v2gmsg import ask, hear, hear_dc
from iso15118.evcc.v2gmsg.table import S, Said
from iso15118.evcc.v2gmsg.talk import Heard, Talk
from iso15118.machine import Table, step
from iso15118.messages.declare import Message
from iso15118.terms import Ending
from iso15118.v2gtp import SAP_DIN_ISO2

MESSAGE_S = 2.0
"""V2G_EVCC_Msg_Timeout [K], of what has no other."""

Hear = Callable[[Talk, Now, Any], Heard]
Ask = Callable[[Talk, Now], Message]

HEAR: dict[S, Hear] = {
    S.SETUP: hear.session_setup,
    S.DISCOVERY: hear.service_discovery,
    S.SELECTION: hear.selection,
    S.AUTHORIZATION: hear.authorization,
    S.PARAMETERS: hear_dc.parameters,
    S.CABLE_CHECK: hear_dc.cable_check,
    S.PRECHARGE: hear_dc.precharge,
    S.START: hear_dc.power_start,
    S.DC_LOOP: hear_dc.current_demand,
    S.STOP: hear_dc.power_stop,
    S.WELDING: hear_dc.welding_detection,
    S.ENDING: hear.session_stop,
}
"""Whose response is awaited -> the function that says what it came to, where both protocols have it."""
ASK: dict[str, Ask] = {
    each.__name__: each
    for each in (
        ask.session_setup, ask.service_discovery, ask.selection, ask.authorization, ask.parameters, ask.cable_check, ask.precharge, ask.power_start,
        ask.power_stop, ask.current_demand, ask.welding_detection, ask.session_stop,
    )
}  # fmt: skip
"""Names in the table -> functions, likewise."""
_LOOPS = (S.AC_LOOP, S.DC_LOOP)


class V2gMsg:
    """One session. See `evcc.session.Dialect`. What it shows of a V2G_Message is its body."""

    def __init__(self, talk: Talk, table: Table[S, Said], hears: Mapping[S, Hear], asks: Mapping[str, Ask]) -> None:
        self.talk, self._table, self._hears, self._asks = talk, table, hears, asks
        entry = step(table, table.initial, Said.GO)
        self.state, self._next = entry.to, entry.do[0]
        self._expected: type[Message] = Message

    @property
    def session_id(self) -> bytes:
        return self.talk.session_id

    @property
    def drawing(self) -> bool:
        return self.talk.drawing

    def ask(self, now: Now) -> Question:
        talk, spelling = self.talk, self.talk.spelling
        request = self._asks[self._next](talk, now)
        kind = type(request)
        if self.state in _LOOPS:
            talk.looped_at = now.mono
        self._expected = spelling.responses[kind]
        within_s = max(spelling.longer_s.get(kind, MESSAGE_S), talk.wants.patience_s)
        earlier = talk.wants.resume if spelling.pausing else b""
        document = spelling.document(talk.session_id or earlier or talk.wants.fresh_id, request, talk.signature)
        talk.signature = None
        return Question(document, SAP_DIN_ISO2, spelling.namespace, within_s, shown=request)

    def response(self, now: Now, payload_type: int, octets: bytes) -> Message:
        if payload_type != SAP_DIN_ISO2:
            raise Unexpected(f"payload type {payload_type:04X} instead of {SAP_DIN_ISO2:04X}")
        document: Any = exi.decode(octets, self.talk.spelling.namespace)
        body = document.Body.BodyElement if type(document).__name__ == "V2G_Message" else None  # alone, it has no header
        if type(body) is not self._expected:
            raise Unexpected(f"{type(body).__name__} instead of {self._expected.__name__}")
        self.talk.given_id, self.talk.given_signature = document.Header.SessionID, document.Header.Signature
        return body

    def heard(self, now: Now, response: Message) -> Turn:
        """Session id, then response code, then what the response means."""
        talk, code = self.talk, str(getattr(response, "ResponseCode", ""))
        if talk.session_id and talk.given_id != talk.session_id:
            return self._failed("a session id that is not ours")
        if code.startswith("FAILED"):
            why = f"{type(response).__name__}: {code}"
            return self._failed(why, Heard(Said.FAILED, hear.refused(talk, self.state, code)))
        heard = self._hears[self.state](talk, now, response)
        if heard.said is Said.FAILED:
            return self._failed(heard.why, heard)
        entry = step(self._table, self.state, heard.said)
        self.state = entry.to
        if heard.said is Said.OVER:
            return Turn(heard.told, over=heard.over or Ending.ABORTED, why=heard.why)
        self._next = entry.do[0]
        return Turn(heard.told, heard.wait_s)

    def _failed(self, why: str, heard: Heard | None = None) -> Turn:
        self.state = step(self._table, self.state, Said.FAILED).to
        told = (StopDrawing(why),) if self.talk.drawing else ()
        self.talk.drawing = False
        return Turn((*told, *(heard.told if heard else ())), over=Ending.ABORTED, why=why)
