"""The sessions with the vehicle of one EVSE (ISO 15118): connections come in, what the vehicle wants goes to the EVSE, what is so is answered.

Whatever a vehicle says, it switches nothing: `SupplyAsked` is its wish, and the EVSE decides. A bug in a session ends that session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from chargepoint import tariff, v2g_asks, v2g_contracts, v2g_ends, v2g_facts, v2g_paced, v2g_replan
from chargepoint.clock import WallClock
from chargepoint.commands import CloseVehicle, Log, SendToVehicle
from chargepoint.config import EvseConfig, TariffConfig
from chargepoint.entropy import Entropy
from chargepoint.events import (
    ContractJudged,
    ContractsAllowed,
    DataLinkChanged,
    EvDisconnected,
    InstallationAnswered,
    SessionChanged,
    SessionStage,
    ShutdownRequested,
    Supply,
    SupplyAsked,
    SupplyStopped,
    TalkingEnded,
    TimerExpired,
    VehicleConnected,
    VehicleDismissed,
    VehicleGone,
    VehicleLeft,
    VehicleRevoked,
    VehicleSaid,
)
from chargepoint.facts import CertificateFacts, EvseFacts
from chargepoint.tick import Tick
from chargepoint.v2g_state import Paced, Talking, V2gState
from chargepoint.v2g_told import LAST_WORDS, Teller
from hal.types import EvseInfo
from iso15118.connection import Abort, Changed, Close, Command, Connected, Event, Heard, Lost, Note, Received, Send
from iso15118.connection import TimerExpired as SessionTimer
from iso15118.protocols import carried
from iso15118.secc import speak
from iso15118.secc.paused import Paused
from iso15118.secc.session import Protocol_, Session, Stage
from iso15118.terms import Ending, PowerOff, SessionBegun, SessionOver, Told, Wish

MOST_CONNECTIONS = 4
_STAGES = {Ending.TERMINATED: SessionStage.TERMINATED, Ending.PAUSED: SessionStage.PAUSED, Ending.ABORTED: SessionStage.ABORTED}


class V2gMachine:
    """One for each EVSE that talks. Writes `vehicle` of the facts."""

    def __init__(
        self,
        config: EvseConfig,
        board: EvseInfo,
        evse: EvseFacts,
        entropy: Entropy,
        tariff: TariffConfig,
        clock: WallClock,
        certificates: CertificateFacts,
    ) -> None:
        self.certificates = certificates
        self.config, self.board, self.evse, self.entropy, self.tariff, self.clock = config, board, evse, entropy, tariff, clock
        self.memory = V2gState()
        """What it remembers, but for the sessions."""
        self.sessions: dict[int, Session] = {}
        """By the number of the connection."""
        self._secure: set[int] = set()
        """Those of them that came over TLS."""
        self.facts = v2g_facts.of(config, board)
        self.teller = Teller(config, evse)
        self._replacing = self._lost = False
        """Why a session ends, for as long as it takes."""
        changes = dict.fromkeys(v2g_facts.CHANGES, self._changed)
        self.handlers: Mapping[type, Callable[[Tick, Any], list[object]]] = {
            **changes,
            VehicleConnected: self._connected,
            VehicleSaid: lambda now, event: self._session(now, event.connection, Received(event.octets)),
            VehicleGone: lambda now, event: self._session(now, event.connection, Lost(event.why)),
            VehicleRevoked: self._revoked,
            DataLinkChanged: self._link,
            EvDisconnected: self._unplugged,
            TalkingEnded: self._ended,
            VehicleLeft: self._left,
            SupplyStopped: self._stopped,
            ContractsAllowed: self._answered,
            ContractJudged: self._answered,
            InstallationAnswered: self._answered,
            ShutdownRequested: self._shutdown,
            TimerExpired: self._timer,
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event; first it changes what is so, and then it is answered."""
        handler = self.handlers.get(type(event))
        if handler is None or getattr(event, "evse_id", self.evse.evse_id) not in (self.evse.evse_id, 0):
            return ()
        out = [*self._refresh(now), *handler(now, event)]
        return [*out, *(VehicleDismissed(each.evse_id, each.connection) for each in out if isinstance(each, CloseVehicle))]

    def deadline(self) -> float | None:
        """The earliest of the sessions, and of what one of them is given."""
        s = self.memory
        every = (s.refused_by, s.stops_by, v2g_paced.deadline(s.paced), *(session.deadline() for session in self.sessions.values()))
        return min((at for at in every if at is not None), default=None)

    # ---- in and out of a snapshot

    @property
    def state(self) -> V2gState:
        """All that this machine remembers."""
        return replace(self.memory, sessions={number: self._saved(number, session) for number, session in self.sessions.items()})

    @state.setter
    def state(self, value: V2gState) -> None:
        self.memory = replace(value, sessions={})
        self._secure = {number for number, each in value.sessions.items() if each.secure}
        self.sessions = {number: self._restored(each) for number, each in value.sessions.items()}

    def _saved(self, number: int, session: Session) -> Talking:
        dialect = speak.of(session)
        return Talking(session.saved(), dialect.saved() if dialect is not None else None, number in self._secure)

    def _restored(self, saved: Talking) -> Session:
        dialect = speak.restored(saved.dialect, self.facts) if saved.dialect is not None else None
        return Session.restored(self._protocols(verified=saved.session.verified, secure=saved.secure), saved.session, dialect)

    # ---- connections

    def _connected(self, now: Tick, event: VehicleConnected) -> list[object]:
        """A vehicle that connects anew takes the place of its own session, unless energy is on: then that one ends by its own silence first."""
        if not self.evse.digital:  # nobody is asked to talk (S-13), and no unplugging would end it
            return [CloseVehicle(event.evse_id, event.connection)]
        out: list[object] = []
        for number, session in list(self.sessions.items()):
            if session.dialect is not None and session.dialect.energy_on:
                return [
                    CloseVehicle(event.evse_id, event.connection),
                    Log("warning", "v2g.busy", {"evse": event.evse_id, "peer": event.peer}),
                ]
            if session.stage is not Stage.AGREEING or len(self.sessions) >= MOST_CONNECTIONS:
                out += self._replace(now, number, "the vehicle connected anew")
        self._secure = {number for number in self._secure if number in self.sessions} | ({event.connection} if event.tls else set())
        self.sessions[event.connection] = Session(self._protocols(verified=event.verified, secure=bool(event.tls)))
        out.append(Log("info", "v2g.connected", {"evse": event.evse_id, "tls": event.tls or "none", "verified": event.verified}))
        if event.note:
            out.append(Log("warning", "v2g.vehicle_certificate", {"evse": event.evse_id, "found": event.note[:500]}))
        return out + self._session(now, event.connection, Connected(event.verified))

    def _revoked(self, now: Tick, event: VehicleRevoked) -> list[object]:
        """Its session ends, and what its contract has authorised. Where energy is on, the vehicle is asked to end it, and made to a little later."""
        out, session = v2g_contracts.withdrawn(self.memory.contracts, self.evse, event.connection), self.sessions.get(event.connection)
        if session is None:
            return out
        if session.dialect is None or not session.dialect.energy_on:
            return [*out, *self._session(now, event.connection, Abort(v2g_facts.REVOKED))]
        self.memory.refused, self.memory.refused_by = True, now.mono + v2g_facts.REFUSED_S
        return [*out, *self._refresh(now), *self._changed(now, event)]

    def _replace(self, now: Tick, number: int, why: str) -> list[object]:
        """This session gives way to one that follows: the pilot stays as it is."""
        self._replacing = True
        try:
            return self._session(now, number, Abort(why))
        finally:
            self._replacing = False

    def _protocols(self, *, verified: bool, secure: bool) -> list[Protocol_]:
        lax, make = self.config.v2g.unverified_vehicles, partial(self._dialect, verified=verified, secure=secure)
        return [
            Protocol_(each.namespace, each.major, each.minor, make, unverified=lax or each.unverified)
            for each in carried(v2g_facts.spoken(self.config), secure=secure)
        ]

    def _dialect(self, namespace: str, *, verified: bool, secure: bool) -> speak.Dialect:
        """Contracts pay only over TLS; of ISO 15118-20 with a verified vehicle."""
        s = self.memory
        paused = Paused(s.paused_id, s.paused_evcc, s.paused_schedule) if s.paused_id else None
        host = speak.Host(self.facts, self.entropy.take(8), self.entropy.take(16), paused, verified=verified, secure=secure)
        return speak.begun(namespace, host)

    def _session(self, now: Tick, number: int, event: Event) -> list[object]:
        """One event into a session, and what it wants done."""
        session = self.sessions.get(number)
        if session is None:
            return []
        self._lost = isinstance(event, (Lost, SessionTimer))
        try:
            out = self._carry_out(now, number, session, session.handle(Tick(now.mono, self.clock.utc(now)), event))
            self._noted(number, session)
            return out
        except Exception as error:  # noqa: BLE001 a bug that a vehicle has found must cost its session only
            return self._bug(number, error, event)

    def _noted(self, number: int, session: Session) -> None:
        if number == self.memory.active and (dialect := speak.of(session)) is not None:
            v2g_replan.noted(self.memory.replan, dialect.talk.offered_mono, self.evse)

    def _carry_out(self, now: Tick, number: int, session: Session, commands: Iterable[Command]) -> list[object]:
        out: list[object] = []
        told: list[Told] = []
        for command in commands:
            match command:
                case Send(octets, message):
                    out.append(SendToVehicle(self.evse.evse_id, number, octets))
                    out += self._log("<", message)
                case Heard(message):
                    out += self._log(">", message)
                case Close():
                    self.sessions.pop(number, None)
                    out.append(CloseVehicle(self.evse.evse_id, number))
                case Note(level, key, words):
                    out.append(Log("warning" if level == "warning" else "info", key, {"evse": self.evse.evse_id, "text": words[:200]}))
                case _:
                    told.append(command)
        return [*self._told(now, number, session, told), *out]

    def _told(self, now: Tick, number: int, session: Session, told: Sequence[Told]) -> list[object]:
        out: list[object] = []
        for each in told:
            match each:
                case SessionBegun(resumed=resumed):
                    out += self._take_over(now, number)
                    if self.memory.active != number:
                        return out
                    if resumed:
                        self.memory.replan.offers = (self.memory.paused_schedule or 1) - 1
                    else:
                        v2g_ends.keep(self.memory, None)
                case SessionOver(ending, why, ev_code):
                    if self.memory.active == number:
                        if code := ev_code[:200] or (self.evse.vehicle.trouble if self.evse.vehicle is not None else ""):
                            why = f"{why}; the vehicle says {code}"
                            out.append(Log("warning", "v2g.vehicle_says", {"evse": self.evse.evse_id, "code": code}))
                        self.memory.active = None
                        out += self.teller.said(now, self.memory, [each for each in told if isinstance(each, LAST_WORDS)])
                        v2g_contracts.over(self.memory.contracts, told)
                        out += v2g_contracts.say(self.memory.contracts, self.evse)
                        v2g_ends.keep(self.memory, speak.paused(session) if ending is Ending.PAUSED else None)
                        v2g_ends.forget(self.memory)
                        stage = SessionStage.REPLACED if self._replacing else _STAGES[ending]
                        # First, since it says what the end of the supply means.
                        out.append(SessionChanged(self.evse.evse_id, stage, why, self._lost))
                        out += self._ask(SupplyAsked(self.evse.evse_id, Supply.OFF, why=why))
                    return out
        if self.memory.active not in (None, number):
            return out
        if any(isinstance(each, PowerOff) for each in told):
            self.memory.stops_by = None
        out += [
            item
            for event in self.teller.said(now, self.memory, told)
            for item in (self._ask(event) if isinstance(event, SupplyAsked) else [event])
        ]
        return out

    def _take_over(self, now: Tick, number: int) -> list[object]:
        """There is one session at a time: a new one ends the other, unless that has energy on."""
        other = self.sessions.get(self.memory.active) if self.memory.active is not None else None
        if other is not None and other.dialect is not None and other.dialect.energy_on:
            return self._session(now, number, Abort("another session has energy on"))
        out = self._replace(now, self.memory.active, "another session has begun") if self.memory.active is not None else []
        self.memory.active = number
        v2g_ends.forget(self.memory)
        return out

    def _ask(self, event: SupplyAsked) -> list[object]:
        s = self.memory
        if s.stops_by is not None and event.supply is not Supply.OFF:  # no way back into the loop that was left
            return []
        if event.supply is not s.supply:
            s.was_on = False
        s.supply, s.asked_V, s.asked_A = event.supply, event.voltage_V, event.current_A
        return [event]

    def _bug(self, number: int, error: Exception, event: Event) -> list[object]:
        self.sessions.pop(number, None)
        out: list[object] = [CloseVehicle(self.evse.evse_id, number)]
        out.append(Log("error", "v2g.failed", {"evse": self.evse.evse_id, "event": type(event).__name__, "error": repr(error)[:200]}))
        if self.memory.active == number:
            self.memory.active = None
            v2g_ends.forget(self.memory)
            why = "an error of our own"
            out += [
                *self._ask(SupplyAsked(self.evse.evse_id, Supply.OFF, why=why)),
                SessionChanged(self.evse.evse_id, SessionStage.ABORTED, why),
            ]
        return out

    # ---- what happens beside

    def _changed(self, now: Tick, event: object) -> list[object]:
        """Facts are other than before. An output that went off though it was asked for ends the session: at once, or a little later where S2 has opened."""
        out: list[object] = []
        heard: Event = Changed()
        if v2g_ends.went_off(self.memory, self.evse):
            if v2g_ends.by_s2(self.evse, self.config.mode):
                self.memory.stops_by = now.mono + v2g_ends.STOPS_S
                out = [*self._ask(SupplyAsked(self.evse.evse_id, Supply.OFF, why=v2g_ends.OPENED_S2)), *self._refresh(now)]
            else:
                heard = Abort(v2g_ends.WENT_OFF)
        return [*out, *(item for number in list(self.sessions) for item in self._session(now, number, heard))]

    def _link(self, now: Tick, event: DataLinkChanged) -> list[object]:
        return [] if event.ready else self._abort(now, "the data link is lost")

    def _ended(self, now: Tick, event: TalkingEnded) -> list[object]:
        """A session whose last answer is out is left to its vehicle, which closes."""
        going = [number for number, session in self.sessions.items() if session.stage is not Stage.ENDING]
        return [item for number in going for item in self._session(now, number, Abort("the pilot shows 5 % no more"))]

    def _unplugged(self, now: Tick, event: EvDisconnected) -> list[object]:
        out = self._abort(now, "unplugged")
        v2g_ends.keep(self.memory, None)
        self.memory.paced = Paced()
        v2g_contracts.left(self.memory.contracts)
        return [*out, VehicleLeft(event.evse_id)]

    def _left(self, now: Tick, event: VehicleLeft) -> list[object]:
        self.evse.vehicle = None
        return []

    def _stopped(self, now: Tick, event: SupplyStopped) -> list[object]:
        s = self.memory
        others = tuple(each for each in s.stopped if each != event.cause)
        s.stopped = (*others, event.cause) if event.stopped else others
        return [*self._refresh(now), *self._changed(now, event)]

    def _answered(self, now: Tick, event: ContractsAllowed | ContractJudged | InstallationAnswered) -> list[object]:
        said = v2g_contracts.heard(self.memory.contracts, self.evse, event)
        return [*said, *self._refresh(now), *self._changed(now, event)]

    def _shutdown(self, now: Tick, event: ShutdownRequested) -> list[object]:
        self.memory.leaving = True
        return self._abort(now, "the station shuts down")

    def _abort(self, now: Tick, why: str) -> list[object]:
        return [item for number in list(self.sessions) for item in self._session(now, number, Abort(why))]

    def _timer(self, now: Tick, event: TimerExpired) -> list[object]:
        due = [number for number, session in self.sessions.items() if (at := session.deadline()) is not None and at <= now.mono]
        told = v2g_paced.due(self.memory, now, self.evse.evse_id)
        return [*told, *(item for number in due for item in self._session(now, number, SessionTimer())), *self._overdue(now)]

    def _overdue(self, now: Tick) -> list[object]:
        """A vehicle that was given time to end its session, and goes on."""
        if not (why := v2g_ends.overdue(self.memory, now)):
            return []
        ongoing = [number for number, session in self.sessions.items() if session.dialect is not None and session.dialect.energy_on]
        return [item for number in ongoing for item in self._session(now, number, Abort(why))]

    def _refresh(self, now: Tick) -> list[object]:
        s, evse, facts = self.memory, self.evse, self.facts
        s.authorised = s.authorised or (s.authorization_wanted and evse.id_token is not None)
        prices = tariff.now_told(self.tariff, self.clock, now)
        session = self.sessions.get(s.active) if s.active is not None else None
        dialect = speak.of(session) if session is not None else None
        moment = v2g_facts.Moment(prices, self._read_utc(now), dialect is not None and dialect.stands_by)
        v2g_facts.refresh(facts, s, evse, self.config, self.board, moment)
        offered, clock_known = dialect is not None and dialect.authorizing, self.clock.known_utc(now) is not None
        p256 = self.config.v2g.p256_contracts
        v2g_contracts.refresh(facts, s.contracts, evse, self.certificates, clock_known=clock_known, p256=p256, offered=offered)
        if dialect is None:
            return []
        asked_before = s.replan.asked_mono
        held, waits = dialect.held(now), facts.wish is not None
        if v2g_replan.asks(s.replan, now, evse, held, prices, waits=waits):
            facts.wish, facts.wish_within_s = Wish.RENEGOTIATE_SCHEDULE, round(v2g_replan.ASKS_S)
        more = v2g_asks.wish(s.asks, now, evse, dialect, self.config.v2g.confirm_metering_s, waits=facts.wish is not None)
        if more is not None and facts.wish is None:
            facts.wish, facts.wish_within_s = more, round(v2g_replan.ASKS_S)
        if s.replan.asked_mono == asked_before:
            return []
        return [Log("info", "v2g.other_schedules", {"evse": evse.evse_id, "limit_W": round(evse.limit_W)})]

    def _read_utc(self, now: Tick) -> int | None:
        """When the meter was read; None while nobody knows the time."""
        utc = self.clock.known_utc(now)
        return round(utc - (now.mono - self.evse.meter_mono)) if utc is not None else None

    def _log(self, way: str, message: Any) -> list[object]:
        """What is said over and over is logged once."""
        name, code = type(message).__name__, getattr(message, "ResponseCode", "")
        if self.memory.said.get(way) == (name, code):
            return []
        self.memory.said[way] = name, code
        values = {"evse": self.evse.evse_id, "way": way, "message": name}
        return [Log("info", "v2g.message", {**values, "code": code} if code else values)]
