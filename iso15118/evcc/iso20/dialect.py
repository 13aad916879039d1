"""ISO 15118-20 as a dialect of `evcc.session`: the table, its functions, and the timers of each message.

These are for a cable (`CABLE`). Another way of energy transfer has `Rules` of its own, and brings its messages only where it is spoken (`others`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from iso15118 import exi, v2gtp
from iso15118.connection import Now, Unexpected
from iso15118.evcc.iso20 import ask, ask_contracts, ask_loop, hear_contracts, hear_energy, hear_loop, hear_setup
from iso15118.evcc.iso20.table import TABLE, S, Said
from iso15118.evcc.iso20.talk import Heard, Talk
from iso15118.evcc.session import Question, Spoken, Turn
from iso15118.evcc.terms import StopDrawing, Wants
from iso15118.frozen import dataclass
from iso15118.iso20.version import MAJOR, MINOR
from iso15118.iso20.wire import SIDE_STREAMS, STREAMS, response_of
from iso15118.iso20.wire import payload_type as payload_type_of
from iso15118.machine import Table, step
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import PLAIN, Ending, Energy

MESSAGE_S = 2.0
"""V2G_EVCC_Msg_Timeout [K], of what is not below."""
LONGER_S: dict[type[Message], float] = {
    cm.ServiceDetailReq: 5.0,
    cm.CertificateInstallationReq: 5.0,
    cm.PowerDeliveryReq: 5.0,
}
LOOP_S = 0.5
"""Of the charge loop."""
_ASIDE = (cm.MeteringConfirmationReq, cm.VehicleCheckInReq, cm.VehicleCheckOutReq)
"""What goes on a stream beside the main one where the vehicle wants so."""
_ALWAYS_ASIDE = (S.AC_REPLAN, S.DC_REPLAN, S.ARRIVAL, S.DEPARTURE)
"""What is asked here does in any case."""
_LOOPS = (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq)

_Hear = Callable[[Talk, Now, Any], Heard]
_Ask = Callable[[Talk, Now], ct.V2GRequestType]
HEAR: dict[S, _Hear] = {
    S.SETUP: hear_setup.session_setup,
    S.AUTHORIZATION_SETUP: hear_contracts.authorization_setup,
    S.INSTALLATION: hear_contracts.certificate_installation,
    S.AUTHORIZATION: hear_contracts.authorization,
    S.DISCOVERY: hear_setup.service_discovery,
    S.DETAIL: hear_setup.service_detail,
    S.SELECTION: hear_setup.service_selection,
    S.AC_PARAMETERS: hear_energy.ac_parameters,
    S.DC_PARAMETERS: hear_energy.dc_parameters,
    S.ARRIVAL: hear_energy.arrival,
    S.SCHEDULE: hear_energy.schedule_exchange,
    S.RESCHEDULE: hear_energy.schedule_exchange,
    S.CABLE_CHECK: hear_energy.cable_check,
    S.PRECHARGE: hear_energy.precharge,
    S.START: hear_energy.power_start,
    S.AC_LOOP: hear_loop.ac_loop,
    S.DC_LOOP: hear_loop.dc_loop,
    S.AC_METERING: hear_loop.metering_confirmation,
    S.DC_METERING: hear_loop.metering_confirmation,
    S.AC_PARKING: hear_loop.parking,
    S.DC_PARKING: hear_loop.parking,
    S.AC_REPLAN: hear_loop.other_schedules,
    S.DC_REPLAN: hear_loop.other_schedules,
    S.AC_REPLANNED: hear_loop.other_profile,
    S.DC_REPLANNED: hear_loop.other_profile,
    S.AC_TO_STANDBY: hear_energy.power_standby,
    S.DC_TO_STANDBY: hear_energy.power_standby,
    S.AC_STANDBY: hear_loop.ac_loop,
    S.DC_STANDBY: hear_loop.dc_loop,
    S.RENEGOTIATION: hear_energy.schedule_renegotiation,
    S.STOP: hear_energy.power_stop,
    S.WELDING: hear_energy.welding_detection,
    S.DEPARTURE: hear_energy.departure,
    S.ENDING: hear_setup.session_stop,
}
"""Whose response is awaited -> the function that says what it came to."""
ASK: dict[str, _Ask] = {
    name: function
    for module in (ask, ask_contracts, ask_loop)
    for name, function in vars(module).items()
    if callable(function)
    and not name.startswith("_")
    and getattr(function, "__module__", "") == module.__name__
    and name not in ("signed", "signs")
}
"""Names in the table -> functions."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one way of energy transfer makes of a session."""

    table: Table[Any, Any] = TABLE
    hear: Mapping[Any, _Hear] = field(default_factory=lambda: HEAR)
    ask: Mapping[str, _Ask] = field(default_factory=lambda: ASK)
    streams: Mapping[str, int] = field(default_factory=lambda: STREAMS)
    side_streams: Mapping[type[Message], int] = field(default_factory=lambda: SIDE_STREAMS)
    always_aside: tuple[Any, ...] = _ALWAYS_ASIDE
    """What is asked in these states goes on a stream beside the main one in any case."""
    rounds: tuple[type[Message], ...] = _LOOPS
    """Requests of the charge loop."""

    def __deepcopy__(self, memo: object) -> Rules:
        """They are the same for every session."""
        return self


CABLE = Rules()


class Iso20:
    """One session. See `evcc.session.Dialect`."""

    def __init__(self, wants: Wants, energies: tuple[Energy, ...], rules: Rules = CABLE) -> None:
        self.talk, self.rules = Talk(wants, energies), rules
        entry = step(rules.table, rules.table.initial, Said.GO)
        self.state, self._next = entry.to, entry.do[0]
        self._expected: type[Message] = Message
        self._came_as = v2gtp.ISO20_MAIN

    @property
    def session_id(self) -> bytes:
        return self.talk.session_id

    @property
    def drawing(self) -> bool:
        return self.talk.drawing

    def ask(self, now: Now) -> Question:
        rules, request = self.rules, self.rules.ask[self._next](self.talk, now)
        kind = type(request)
        if kind in rules.rounds:
            self.talk.looped_at = now.mono
        aside = self.state in rules.always_aside or (self.talk.wants.side_streams and kind in _ASIDE)
        self._came_as = rules.side_streams[kind] if aside else payload_type_of(kind, rules.streams)
        self._expected = response_of(kind)
        usual_s = LOOP_S if kind in rules.rounds else LONGER_S.get(kind, MESSAGE_S)
        within_s = max(usual_s, self.talk.wants.patience_s)
        return Question(request, self._came_as, v2gtp.SCHEMA_SETS[self._came_as], within_s)

    def response(self, now: Now, payload_type: int, octets: bytes) -> Message:
        if payload_type != self._came_as:
            raise Unexpected(f"payload type {payload_type:04X} instead of {self._came_as:04X}")
        message = exi.decode(octets, v2gtp.SCHEMA_SETS[payload_type])
        if type(message) is not self._expected:
            raise Unexpected(f"{type(message).__name__} instead of {self._expected.__name__}")
        return message

    def heard(self, now: Now, response: Message) -> Turn:
        """Session id, then response code, then what the response means."""
        if not isinstance(response, ct.V2GResponseType):
            raise Unexpected(f"{type(response).__name__} is no response of a session")
        if self.talk.session_id and response.Header.SessionID != self.talk.session_id:
            return self._failed("a session id that is not ours")
        if response.ResponseCode.startswith("FAILED"):
            return self._failed(f"{type(response).__name__}: {response.ResponseCode}")
        heard = self.rules.hear[self.state](self.talk, now, response)
        if heard.said is Said.FAILED:
            return self._failed(heard.why)
        entry = step(self.rules.table, self.state, heard.said)
        self.state = entry.to
        if heard.said is Said.OVER:
            return Turn(heard.told, over=heard.over or Ending.ABORTED, why=heard.why)
        self._next = entry.do[0]
        return Turn(heard.told, heard.wait_s)

    def _failed(self, why: str) -> Turn:
        self.state = step(self.rules.table, self.state, Said.FAILED).to
        told = (StopDrawing(why),) if self.talk.drawing else ()
        self.talk.drawing = False
        return Turn(told, over=Ending.ABORTED, why=why)


def spoken(wants: Wants) -> tuple[Spoken, ...]:
    """The namespaces for what is wanted, in that order."""
    kinds = dict.fromkeys(each.is_dc for each in wants.energies if each in PLAIN)
    return tuple(spoken_for(wants, dc=is_dc) for is_dc in kinds)


def spoken_for(wants: Wants, *, dc: bool) -> Spoken:
    """One of the two."""
    energies = tuple(each for each in PLAIN if each.is_dc == dc)
    return Spoken(_DC if dc else _AC, MAJOR, MINOR, lambda _: Iso20(wants, energies))


_AC, _DC = ac.NAMESPACE, dc.NAMESPACE
