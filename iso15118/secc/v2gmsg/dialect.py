"""A session of DIN 70121 or ISO 15118-2 as a dialect of `secc.session`: what both have; each has its table, and its own `Spelling`."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from iso15118 import exi
from iso15118.connection import Now, Unexpected
from iso15118.machine import Refused, Table, step
from iso15118.messages.declare import Message
from iso15118.secc.offers import Held, held
from iso15118.secc.output import AWAY, BEFORE_S, CONTACTOR_S, STOP_S, Away
from iso15118.secc.paused import Paused
from iso15118.secc.session import SEQUENCE_S, Answer
from iso15118.secc.v2gmsg import dc, setup, trouble
from iso15118.secc.v2gmsg.refuse import failed
from iso15118.secc.v2gmsg.talk import Result, Spelling, Talk
from iso15118.terms import DcDemand, Facts, Progress, Told, Wish
from iso15118.v2gtp import SAP_DIN_ISO2

S = TypeVar("S", bound=enum.Enum)
E = TypeVar("E", bound=enum.Enum)
QUIET_S = 1.0
"""So long current flows without a CurrentDemand from a vehicle in the DC loop (F-11), whatever else it says; energy goes off with the sequence timeout."""
INSTALLATION_S = 4.5
"""So long an answer with a contract waits for the provisioning service: the vehicle waits 5 s (V2G_SECC_Msg_Performance_Time [K])."""

Handler = Callable[..., Result]
SHARED: Mapping[str, Handler] = {
    each.__name__: each
    for each in (
        setup.session_setup, setup.service_discovery, setup.service_detail, setup.payment_selection, setup.authorization, setup.session_stop,
        dc.dc_parameters, dc.cable_check, dc.cable_check_again, dc.precharge, dc.power_start, dc.power_stop, dc.current_demand, dc.welding_detection,
    )
}  # fmt: skip
"""Names in the tables -> functions."""
_WITHIN_S = {
    "SessionStopReq": STOP_S,
    "CableCheckReq": STOP_S,  # after a renegotiation, for the current to go
    "CertificateInstallationReq": INSTALLATION_S,
    "CertificateUpdateReq": INSTALLATION_S,
}
"""So long an answer may wait for facts, where it is not the usual time."""


class V2gMsg(ABC, Generic[S, E]):
    """One session. See `secc.session.Dialect`. What travels is a V2G_Message; what is answered, shown and told about is the one message in it."""

    SPELLING: ClassVar[Spelling]
    TABLE: ClassVar[Any]
    """Table[S, E]."""
    HANDLERS: ClassVar[Mapping[str, Handler]] = SHARED
    HEADED: ClassVar[frozenset[str]] = frozenset({"session_setup"})
    """These want the header, too."""
    VOLTAGE: ClassVar[tuple[Any, ...]]
    """States outside of the loop with voltage on the output."""
    FLOWING: ClassVar[tuple[Any, ...]]
    """States in which DC may flow."""
    AUTHORIZING: ClassVar[tuple[Any, ...]]
    """States from the choice of a way to pay to the answer."""
    RAW: ClassVar[frozenset[str]] = frozenset()
    """These want the octets of the request, too."""
    WAITING: ClassVar[frozenset[str]] = frozenset({"power_start", "power_stop", "session_stop", "cable_check_again"})
    """Their answers wait for facts."""
    LOOP: ClassVar[frozenset[str]] = frozenset({"power_start", "current_demand"})
    """These keep the DC loop going; messages beside it do not. The table lets nobody start twice without a demand."""
    ROUNDS: ClassVar[frozenset[str]] = frozenset({"current_demand", "charging_status"})
    """Requests of a loop."""
    POWER_S: ClassVar[float] = CONTACTOR_S
    """So long PowerDeliveryRes waits."""
    ENDS: ClassVar[frozenset[str]] = frozenset({"power_stop", "session_stop", "cable_check_again"})
    """These take the energy off."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        table: Table[Any, Any] = self.TABLE
        self.state: S = table.initial
        self._header: Any = None
        self._octets = b""
        self._name = ""
        """Of the request."""
        self._told_for: Message | None = None
        self._loop_at = 0.0
        """When the last request of the DC loop was answered, or the loop was begun."""
        self._away = Away()

    @classmethod
    def begun(cls, fresh_id: bytes, challenge: bytes, facts: Facts, paused: Paused | None = None, *, secure: bool = False) -> Self:
        """A new session."""
        return cls(Talk(cls.SPELLING, facts, fresh_id, challenge, paused, secure=secure))

    @classmethod
    def restored(cls, saved: Any, facts: Facts) -> Self:
        """Go on from what was saved: a `SavedDin`, or a `SavedIso2`."""
        dialect = cls(Talk.restored(saved.talk, cls.SPELLING, facts))
        dialect.state, dialect._loop_at, dialect._away = saved.state, saved.loop_at, saved.away
        return dialect

    @abstractmethod
    def event_of(self, request: Any) -> E:
        """The table's event for a request."""

    @property
    def energy_on(self) -> bool:
        return self.talk.energy_on

    @property
    def authorizing(self) -> bool:
        """The vehicle waits for its authorisation."""
        return self.state in self.AUTHORIZING

    stands_by = False
    """There is no standby in these protocols."""

    @property
    def confirms(self) -> bool:
        """It can be asked to sign the meter: a receipt is signed with a contract's key alone."""
        return self.talk.shown is not None and self.talk.shown.accepted

    def held(self, now: Now) -> Held | None:
        """What the schedule has now that the vehicle draws by; None: by none, or it cannot be asked to take another one."""
        talk = self.talk
        schedule = next((each for each in talk.schedules if each.id == talk.schedule_id), None)
        can = Wish.RENEGOTIATE_SCHEDULE in self.SPELLING.wishes
        return held(schedule, now.mono - talk.offered_mono) if schedule is not None and talk.energy_on and can else None

    def patience_s(self, now: Now) -> float:
        if not self.energy_on:
            return SEQUENCE_S
        return max(0.0, min(BEFORE_S if self.state in self.VOLTAGE else SEQUENCE_S, self._away.left_s(now)))

    def hush_s(self, now: Now) -> float | None:
        """How long current may still flow without a word about it."""
        return max(0.0, self._loop_at + QUIET_S - now.mono) if self.energy_on and self.state in self.FLOWING else None

    def hushed(self) -> tuple[Told, ...]:
        """It is too long: the voltage stays, the current goes. An output that is not on stays off."""
        if self.talk.facts.power is not Progress.DONE:
            return ()
        return (DcDemand(self.talk.facts.voltage_V, self.talk.facts.voltage_V, 0.0),)

    @property
    def answer_within_s(self) -> float:
        return _WITHIN_S.get(self._name, self.POWER_S)

    def again(self, payload_type: int, octets: bytes) -> Message:
        self._told_for = self._read(payload_type, octets)
        return self._told_for

    def request(self, now: Now, payload_type: int, octets: bytes) -> Message:
        return self._read(payload_type, octets)

    def _read(self, payload_type: int, octets: bytes) -> Message:
        if payload_type != SAP_DIN_ISO2:
            raise Unexpected(f"payload type {payload_type:04X} in a session of {self.SPELLING.namespace}")
        document: Any = exi.decode(octets, self.SPELLING.namespace)
        body: Any = document.Body.BodyElement if type(document).__name__ == "V2G_Message" else None  # alone, it has no header
        if type(body) not in self.SPELLING.responses:
            raise Unexpected(f"{type(body).__name__} is no request")
        self._header, self._octets, self._name = document.Header, octets, type(body).__name__
        request: Message = body
        return request

    def answer(self, now: Now, request: Message, *, late: bool) -> Answer:
        """Session id, then order, then what the request means."""
        talk = self.talk
        if talk.session_id and self._header.SessionID != talk.session_id:
            return self._answer(failed(talk, request, "FAILED_UnknownSession", "a session id that is not ours"))
        try:
            entry = step(self.TABLE, self.state, self.event_of(request))
        except Refused:
            why = f"{type(request).__name__} in {self.state.value}"
            return self._answer(failed(talk, request, "FAILED_SequenceError", why))
        name = entry.do[0]
        self._away = self._away.on(now, energy=self.energy_on)
        if self._away.over and name not in self.ROUNDS | self.ENDS:
            return self._answer(failed(talk, request, "FAILED", AWAY))
        more: dict[str, Any] = {"late": late} if name in self.WAITING else {}
        if name in self.HEADED:
            more["header"] = self._header
        if name in self.RAW:
            more["octets"] = self._octets
        troubles = trouble.heard(talk, request, in_loop=name in self.ROUNDS)
        result = self.HANDLERS[name](talk, now, request, **more)
        told = (*troubles, *(result.told if self._told_for is not request else ()), *result.news)
        self._told_for = request
        self._away = (Away() if name in self.ROUNDS else self._away).on(now, energy=self.energy_on)
        if result.response is None:
            return Answer(None, 0, "", told)
        if not result.stay and not result.failed:
            self.state = entry.to
        if name in self.LOOP:
            self._loop_at = now.mono
        return self._answer(result, told)

    def _answer(self, result: Result, told: tuple[Told, ...] = ()) -> Answer:
        spelling, response = self.SPELLING, result.response
        if response is None:
            return Answer(None, 0, "", told)
        # The id of a session that has not begun is zero, in eight octets.
        document = spelling.document(self.talk.session_id or bytes(8), response, result.signature)
        return Answer(response, SAP_DIN_ISO2, spelling.namespace, told, result.failed, result.over, self.talk.trouble, document)
