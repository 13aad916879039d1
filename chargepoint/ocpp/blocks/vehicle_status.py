"""Whether the certificates of vehicles have been revoked: asked through the CSMS, kept, and what comes of it (OCPP 2.1 M07).

It is asked when a vehicle has shown its chain, and its handshake does not wait for that. A vehicle whose chain has a certificate that is revoked is refused
then, and by TLS from the next handshake on. What nobody says, and what cannot be asked, refuses nothing. What is revoked is asked about again when the answer has
become old: it may have been a mistake, and its vehicle does not get as far as asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import ClassVar

from certs.chain import Finding, Verdict
from certs.profiles import PROFILES
from chargepoint.commands import Indicate, Log, Persist, SetRevocations
from chargepoint.events import (
    EvDisconnected,
    LinkUp,
    PoweredUp,
    RegistrationChanged,
    TimerExpired,
    TimeSet,
    VehicleConnected,
    VehicleDismissed,
    VehicleGone,
    VehicleRevoked,
)
from chargepoint.ocpp import vehicle_status as status
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, Context, hears
from chargepoint.ocpp.device_model import Mutability, Variable
from chargepoint.ocpp.messages import CONNECTION_LOST, Call
from chargepoint.ocpp.vehicle_status import Question, Row
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

ACTION = "GetCertificateChainStatus"
MOST_PRESENT = 8
"""Connections of one EVSE whose vehicles are asked about: the oldest gives way, never the one whose session it is."""
LOOK_AGAIN_S = 3_600.0
"""A clock that somebody sets shows itself at the latest then [K]."""
LEAST_S = 1.0
BLOCKED = Verdict(PROFILES["vehicle20"], (Finding("leaf", "revoked", "it has been revoked"),)).sentence
"""For the driver."""
SOURCES = Variable(
    "ISO15118Ctrlr", "CertificateStatusSource", "MemberList", ",".join(status.SOURCES),
    "what the CSMS is asked to look into about a vehicle's certificates, where they name it; none: it is not asked",
    per="evse", mutability=Mutability.READ_WRITE, values=status.SOURCES, source="OCPP 2.1 M07",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Present:
    """A vehicle that has shown its chain."""

    evse_id: int
    connection: int
    fingerprints: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(slots=True)
class VehicleStatusState:
    """What it remembers."""

    rows: dict[str, Row] = field(default_factory=dict)
    """By `tbs_fingerprint`."""
    present: list[Present] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    """EVSEs whose driver has been told, since the vehicle was plugged in."""
    asking: tuple[Question, ...] = ()
    """What the CSMS is being asked."""
    look_at: float | None = None
    """Tick.mono."""


class VehicleStatusBlock(Block):
    """Of all EVSEs that talk. Writes `revoked` of the certificates' facts."""

    name: ClassVar[str] = "vehicle_status"
    variables: ClassVar[tuple[Variable, ...]] = (SOURCES,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: VehicleStatusState = VehicleStatusState()
        self.talking = [evse.id for evse in context.config.evses if evse.v2g.interface]
        for evse in context.config.evses:
            if not evse.v2g.interface:
                context.model.undeclare((SOURCES,), evse.id)

    def deadline(self) -> float | None:
        return self.state.look_at

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """The port knows what is revoked before the first vehicle comes."""
        self.state.rows, gone = status.loaded(event.stored.get(status.TABLE, {}))
        return [*([Persist(tuple(gone))] if gone else []), *self._revocations()]

    # ---- who is there

    @hears(VehicleConnected)
    def connected(self, now: Tick, event: VehicleConnected) -> Sequence[object]:
        """One that was refused before is refused at once, should TLS have let it in."""
        if not event.chain_pem:
            return ()
        questions = status.questions(event.chain_pem, self._sources(event.evse_id))
        new = Present(event.evse_id, event.connection, status.fingerprints(event.chain_pem), questions)
        here = [each for each in self.state.present if each.evse_id == event.evse_id]
        if len(here) >= MOST_PRESENT:
            self.state.present.remove(next(each for each in here if not self._talks(each)))
        self.state.present.append(new)
        return [*self._refused(), *self.look(now)]

    @hears(VehicleGone, VehicleDismissed)
    def gone(self, now: Tick, event: VehicleGone | VehicleDismissed) -> Sequence[object]:
        """Or it was refused by TLS, for whatever its certificate is. The one whose session it was stays: its contract may pay without any."""
        gone = event.evse_id, event.connection
        self.state.present = [each for each in self.state.present if (each.evse_id, each.connection) != gone or self._talks(each)]
        return self._tell(event.evse_id, event.sentence) if isinstance(event, VehicleGone) and event.sentence else ()

    def _talks(self, each: Present) -> bool:
        """The session of this EVSE is its own, or was the last one."""
        vehicle = self.context.evses[each.evse_id].vehicle
        return vehicle is not None and vehicle.connection == each.connection

    @hears(EvDisconnected)
    def unplugged(self, now: Tick, event: EvDisconnected) -> Sequence[object]:
        self.state.present = [each for each in self.state.present if each.evse_id != event.evse_id]
        self.state.told = [each for each in self.state.told if each != event.evse_id]
        return ()

    # ---- asking

    @hears(LinkUp, RegistrationChanged, TimeSet, TimerExpired)
    def look(self, now: Tick, event: object = None) -> Sequence[object]:
        """What is due is asked for: of vehicles that are there, and what is known to be revoked. What is not to be asked for is forgotten in time."""
        state, utc = self.state, self.context.clock.known_utc(now)
        wanted = {each.fingerprint: each for present in state.present for each in present.questions}
        allowed = {source for evse_id in self.talking for source in self._sources(evse_id)}
        gone = status.drop_unasked(state.rows, allowed, utc) if utc is not None else []
        out: list[object] = [Persist(tuple(gone)), *self._revocations()] if gone else []
        for name, known in state.rows.items():
            if known.status == "revoked" and known.question.source in allowed:
                wanted.setdefault(name, known.question)
        waits = wanted or any(row.question.source not in allowed for row in state.rows.values())
        state.look_at = now.mono + LOOK_AGAIN_S if waits else None
        if utc is None or not wanted:
            return out
        held = {name: row.until_utc for name in wanted if (row := state.rows.get(name)) is not None and row.holds(utc)}
        if held:
            state.look_at = now.mono + min(max(min(held.values()) - utc, LEAST_S), LOOK_AGAIN_S)
        due = tuple(each for name, each in wanted.items() if name not in held)[: status.MOST_QUESTIONS]
        if not due or state.asking or not self.context.link.online:
            return out
        state.asking = due
        return [*out, Call(ACTION, {"certificateStatusRequests": [each.wire() for each in due]}, self.name)]

    def _sources(self, evse_id: int) -> list[str]:
        return [each for each in self.context.model.text(SOURCES, evse_id).split(",") if each]

    # ---- what is said

    @hears(CallAnswered, CallFailed)
    def said(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        if event.token != self.name:
            return ()
        asked, self.state.asking = self.state.asking, ()
        utc = self.context.clock.known_utc(now)
        if utc is None or (isinstance(event, CallFailed) and event.code == CONNECTION_LOST):
            return ()  # it is due as before, and asked when there is a link again
        told = status.answers(event.payload) if isinstance(event, CallAnswered) else {}
        why = f"{event.code} {event.description}".rstrip()[:200] if isinstance(event, CallFailed) else ""
        out: list[object] = []
        for each in asked:
            answer, before = told.get(each.data), self.state.rows.get(each.fingerprint)
            row = status.after(before or Row(each), answer, utc)
            said = answer.status if answer is not None else why or "nothing"
            values = {"certificate": each.fingerprint, "source": each.source, "said": said}
            out.append(Log("info" if said == "Good" else "warning", "vehicle.certificate_status", values))
            out.append(Persist(tuple(status.put(self.state.rows, each.fingerprint, row))))
        return [*out, *self._revocations(), *self._refused(), *self.look(now)]

    def _revocations(self) -> Sequence[object]:
        """What has changed of what is revoked."""
        revoked = frozenset(name for name, row in self.state.rows.items() if row.status == "revoked")
        if revoked == self.context.certificates.revoked:
            return ()
        self.context.certificates.revoked = revoked
        return (SetRevocations(tuple(sorted(revoked))),)

    def _refused(self) -> list[object]:
        """Vehicles that are there, and are not served any longer: said once of each connection."""
        revoked = self.context.certificates.revoked
        gone = [each for each in self.state.present if not revoked.isdisjoint(each.fingerprints)]
        self.state.present = [each for each in self.state.present if each not in gone]
        out: list[object] = []
        for each in gone:
            log = Log("warning", "vehicle.revoked", {"evse": each.evse_id, "connection": each.connection})
            out += [log, VehicleRevoked(each.evse_id, each.connection), *self._tell(each.evse_id, BLOCKED)]
        return out

    def _tell(self, evse_id: int, sentence: str) -> list[object]:
        """The driver, once, however often the vehicle tries."""
        if evse_id in self.state.told:
            return []
        self.state.told.append(evse_id)
        return [Indicate(evse_id, "vehicle.refused", {"sentence": sentence})]
