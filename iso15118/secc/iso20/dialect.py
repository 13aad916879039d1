"""ISO 15118-20 as a dialect of `secc.session`: the table, the functions that answer, and the timers of each state.

These are for a cable (`CABLE`). Another way of energy transfer has `Rules` of its own, and brings its messages only where it is spoken (`others`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cache
from typing import Any

from iso15118 import exi, v2gtp
from iso15118.connection import Now, Unexpected
from iso15118.frozen import dataclass
from iso15118.iso20.services import ENERGIES
from iso15118.iso20.wire import RESPONSES, SIDE_STREAMS, STREAMS
from iso15118.iso20.wire import payload_type as payload_type_of
from iso15118.machine import Refused, Table, step
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20 import contracts, energy, loop, planning, schedules, setup
from iso15118.secc.iso20.table import LOOPS, TABLE, E, S
from iso15118.secc.iso20.talk import Result, SavedTalk, Talk, failed, live
from iso15118.secc.offers import Held
from iso15118.secc.output import AWAY, BEFORE_S, CONTACTOR_S, STOP_S, Away
from iso15118.secc.session import SEQUENCE_S, Answer
from iso15118.terms import Energy, Facts, Told

LOOP_S = 0.5
"""Sequence timeout in the charge loop (V2G_SECC_Sequence_Timeout of the loop [K])."""
QUIET_S = 1.0
"""So long energy stays on without a word from a vehicle that has left the loop for other schedules (F-11)."""
NAMESPACES: dict[str, tuple[Energy, ...]] = {ac.NAMESPACE: (Energy.AC, Energy.AC_BPT), dc.NAMESPACE: (Energy.DC, Energy.DC_BPT)}
"""Namespaces of supportedAppProtocol -> what may be chosen."""

_Handler = Callable[..., Result]
HANDLERS: dict[str, _Handler] = {"certificate_installation": contracts.certificate_installation} | {
    name: function
    for module in (setup, energy, planning, loop)
    for name, function in vars(module).items()
    if callable(function) and not name.startswith("_") and getattr(function, "__module__", "") == module.__name__ and name != "Result"
}
"""Names in the table -> functions."""
_WAITING = ("power_start", "power_stop", "power_standby", "session_stop")
"""Their answers wait for facts."""
_BESIDE = ("check_in", "check_out", "system_status")
"""These stand beside the main stream: they keep nothing going."""
_ENDS = ("power_stop", "session_stop")
_BETWEEN = (S.AC_RESCHEDULE, S.AC_READY, S.DC_RESCHEDULE, S.DC_READY)
_PLAIN: dict[type[Message], E] = {
    cm.SessionSetupReq: E.SETUP,
    cm.AuthorizationSetupReq: E.AUTHORIZATION_SETUP,
    cm.AuthorizationReq: E.AUTHORIZATION,
    cm.CertificateInstallationReq: E.INSTALLATION,
    cm.ServiceDiscoveryReq: E.DISCOVERY,
    cm.ServiceDetailReq: E.DETAIL,
    ac.AC_ChargeParameterDiscoveryReq: E.AC_PARAMETERS,
    dc.DC_ChargeParameterDiscoveryReq: E.DC_PARAMETERS,
    cm.ScheduleExchangeReq: E.SCHEDULE,
    dc.DC_CableCheckReq: E.CABLE_CHECK,
    dc.DC_PreChargeReq: E.PRECHARGE,
    ac.AC_ChargeLoopReq: E.AC_LOOP,
    dc.DC_ChargeLoopReq: E.DC_LOOP,
    dc.DC_WeldingDetectionReq: E.WELDING,
    cm.MeteringConfirmationReq: E.METERING,
    cm.VehicleCheckInReq: E.CHECK_IN,
    cm.VehicleCheckOutReq: E.CHECK_OUT,
}
_PROGRESS = {"Start": E.START, "Stop": E.STOP, "Standby": E.STANDBY, "ScheduleRenegotiation": E.RENEGOTIATE}
_STOPS = {"Terminate": E.TERMINATE, "Pause": E.PAUSE, "ServiceRenegotiation": E.SERVICES_AGAIN}


def event_of(request: Message, payload_type: int = v2gtp.ISO20_MAIN) -> E:
    """The table's event for a request that came with this payload type. Raises Unexpected for what is none."""
    match request:
        case cm.ScheduleExchangeReq() if payload_type == v2gtp.ISO20_SCHEDULE_RENEGOTIATION:
            return E.SCHEDULE_ASIDE
        case cm.PowerDeliveryReq(ChargeProgress="ScheduleRenegotiation", EVPowerProfile=cs.EVPowerProfileType()):
            return E.REPLAN
        case cm.PowerDeliveryReq():
            return _PROGRESS[request.ChargeProgress]
        case cm.SessionStopReq():
            return _STOPS[request.ChargingSession]
        case cm.ServiceSelectionReq():
            chosen = ENERGIES.get(request.SelectedEnergyTransferService.ServiceID)
            return E.SELECTION_DC if chosen is not None and chosen.is_dc else E.SELECTION_AC
    if type(request) not in _PLAIN:
        raise Unexpected(f"{type(request).__name__} is no request")
    return _PLAIN[type(request)]


@dataclass(frozen=True, slots=True)
class Rules:
    """What one way of energy transfer makes of a session."""

    table: Table[Any, Any] = TABLE
    handlers: Mapping[str, _Handler] = field(default_factory=lambda: HANDLERS)
    event_of: Callable[[Message, int], Any] = event_of
    requests: frozenset[type[Message]] = frozenset(RESPONSES)
    streams: Mapping[str, int] = field(default_factory=lambda: STREAMS)
    side_streams: Mapping[type[Message], int] = field(default_factory=lambda: SIDE_STREAMS)
    loops: tuple[Any, ...] = LOOPS
    """States in the charge loop."""
    between: tuple[Any, ...] = _BETWEEN
    """And where it was left for other schedules."""
    rounds: tuple[type[Message], ...] = (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq)
    """What keeps the loop going."""

    def __deepcopy__(self, memo: object) -> Rules:
        """They are the same for every session."""
        return self


CABLE = Rules()


@cache
def _standby(table: Table[Any, Any]) -> frozenset[Any]:
    """Where a vehicle is that has gone into standby."""
    return frozenset(each.to for each in table.entries.values() if each.event is E.STANDBY and not each.refused)


@dataclass(frozen=True, slots=True)
class SavedIso20:
    """An `Iso20` as plain values. What belongs to a request that waits comes back with that request (`again`)."""

    state: str
    """By its name: which states there are, the rules say."""
    heard_at: float
    talk: SavedTalk
    away: Away = Away()


class Iso20:
    """One session. See `secc.session.Dialect`."""

    def __init__(self, talk: Talk, loop_s: float = LOOP_S, rules: Rules = CABLE) -> None:
        self.talk, self.loop_s, self.rules = talk, loop_s, rules
        self.state: Any = S.SETUP
        """Of the table of `rules`."""
        self._came_as = v2gtp.ISO20_MAIN
        self._octets = b""
        """The request as it came."""
        self._stops = False
        """The request is a SessionStop."""
        self._told_for: Message | None = None
        self._heard_at = 0.0
        """When the last request was answered that keeps this state going: in the loop one of the loop, or when it was begun; elsewhere one of the main stream."""
        self._away = Away()

    def saved(self) -> SavedIso20:
        """What it remembers."""
        return SavedIso20(self.state.value, self._heard_at, self.talk.saved(), self._away)

    @classmethod
    def restored(cls, saved: SavedIso20, facts: Facts, rules: Rules = CABLE) -> Iso20:
        """Go on from what was saved, by the same rules. Raises Unexpected for a state that they do not have."""
        dialect = cls(Talk.restored(saved.talk, facts), rules=rules)
        state = next((each for each in rules.table.states if each.value == saved.state), None)
        if state is None:
            raise Unexpected(f"{rules.table.name} has no state {saved.state}")
        dialect.state, dialect._heard_at, dialect._away = state, saved.heard_at, saved.away
        return dialect

    @property
    def energy_on(self) -> bool:
        return self.talk.energy_on

    @property
    def authorizing(self) -> bool:
        """The vehicle waits for its authorisation."""
        return self.state is S.AUTHORIZATION

    @property
    def stands_by(self) -> bool:
        """The vehicle is in its loop without energy."""
        return self.state in _standby(self.rules.table)

    @property
    def confirms(self) -> bool:
        """It can be asked to confirm the meter."""
        return self.state in self.rules.loops

    def held(self, now: Now) -> Held | None:
        """What the schedule has now that the vehicle draws by."""
        return schedules.held(self.talk, now)

    def patience_s(self, now: Now) -> float:
        """Where energy is on, or voltage (standby), it counts from what keeps the state going, not from what is said beside that."""
        quiet_s = self._heard_at - now.mono
        if self.state in self.rules.loops:
            return max(0.0, quiet_s + self.loop_s)
        if not live(self.talk):
            return SEQUENCE_S
        most_s = SEQUENCE_S
        if self.energy_on:
            most_s = max(self.loop_s, QUIET_S) if self.state in self.rules.between else BEFORE_S
        return max(0.0, min(quiet_s + most_s, self._away.left_s(now)))

    def hush_s(self, now: Now) -> float | None:
        """The loop itself has no longer patience than that."""
        return None

    def hushed(self) -> tuple[Told, ...]:
        return ()

    @property
    def answer_within_s(self) -> float:
        return STOP_S if self._stops else CONTACTOR_S

    def again(self, payload_type: int, octets: bytes) -> Message:
        self._told_for = self._read(payload_type, octets)
        return self._told_for

    def request(self, now: Now, payload_type: int, octets: bytes) -> Message:
        return self._read(payload_type, octets)

    def _read(self, payload_type: int, octets: bytes) -> Message:
        namespace = v2gtp.SCHEMA_SETS.get(payload_type)
        if namespace is None:
            raise Unexpected(f"payload type {payload_type:04X} in a session of ISO 15118-20")
        message = exi.decode(octets, namespace)
        if not isinstance(message, ct.V2GRequestType):
            raise Unexpected(f"{type(message).__name__} is no request")
        right = {payload_type_of(type(message), self.rules.streams), self.rules.side_streams.get(type(message))}
        if payload_type not in right:
            raise Unexpected(f"{type(message).__name__} with payload type {payload_type:04X}")
        self._came_as, self._octets, self._stops = payload_type, octets, isinstance(message, cm.SessionStopReq)
        return message

    def answer(self, now: Now, request: Message, *, late: bool) -> Answer:
        """Session id, then order, then what the request means."""
        if type(request) not in self.rules.requests or not isinstance(request, ct.V2GRequestType):
            raise Unexpected(f"{type(request).__name__} is no request of a session")
        if self.talk.session_id and request.Header.SessionID != self.talk.session_id:
            return self._answer(failed(self.talk, now, request, "FAILED_UnknownSession", "a session id that is not ours"))
        try:
            entry = step(self.rules.table, self.state, self.rules.event_of(request, self._came_as))
        except Refused:
            why = f"{type(request).__name__} in {self.state.value}"
            return self._answer(failed(self.talk, now, request, "FAILED_SequenceError", why))
        name, again = entry.do[0], isinstance(request, self.rules.rounds)
        self._away = self._away.on(now, energy=live(self.talk))
        if self._away.over and not again and name not in _ENDS:
            return self._answer(failed(self.talk, now, request, "FAILED", AWAY))
        if name != "power_start" and name not in _BESIDE:
            self.talk.done("start")
        more: dict[str, Any] = {"late": late} if name in _WAITING else {}
        if name == "certificate_installation":
            more["octets"] = self._octets
        result = self.rules.handlers[name](self.talk, now, request, **more)
        told = result.told if self._told_for is not request else ()
        self._told_for = request
        self._away = (Away() if again else self._away).on(now, energy=live(self.talk))
        if result.response is None:
            return Answer(None, 0, "", told)
        before = self.state
        if not result.stay and not result.failed:
            self.state = entry.to
        if again or self._keeps_going(name, before):
            self._heard_at = now.mono
        return self._answer(result, told)

    def _keeps_going(self, name: str, before: Any) -> bool:
        """Whether a request that is none of the loop makes the vehicle's silence begin anew: in the loop only another profile, once."""
        if before in self.rules.loops and self.state in self.rules.loops:
            return name == "other_profile" and self._away.s < self.loop_s
        return name not in _BESIDE

    def _answer(self, result: Result, told: tuple[Told, ...] = ()) -> Answer:
        """A response travels as its request came: on the main stream, or on one beside it."""
        namespace = v2gtp.SCHEMA_SETS[self._came_as]
        return Answer(result.response, self._came_as, namespace, told, result.failed, result.over, result.ev_code)
