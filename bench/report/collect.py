"""Sessions with vehicles out of a journal: what was said, what stood at the output, and what was ordered, over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.exi.given import DIN, ISO2, schema_set
from chargepoint.commands import CloseContactor, CloseVehicle, OpenContactor, SendToVehicle, SetDcOutput, StopDcOutput
from chargepoint.events import FaultAcknowledged, VehicleConnected, VehicleGone, VehicleSaid
from chargepoint.journal import Entry, Head
from hal.types import BoardFault, DcSample, MeterSample
from iso15118 import exi
from iso15118.exi import ExiError
from iso15118.messages.declare import Message
from iso15118.messages.din import msg_body as din
from iso15118.messages.iso2 import msg_body as iso2
from iso15118.messages.iso20 import common_messages as cm
from iso15118.v2gtp import FrameReader, V2gtpError

Series = list[tuple[float, float]]
"""(seconds since the connection, value)."""
TAIL_S = 3.0
"""So long after its end a session is looked at: the output goes down."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message; `who` is "ev" or "evse"."""

    at_s: float
    who: str
    name: str
    words: str = ""
    """The response code, and what a PowerDelivery or a SessionStop wants."""


@dataclass(slots=True)
class SessionReport:
    """One connection of a vehicle."""

    evse_id: int
    connection: int
    began_mono: float
    began_utc: float
    tls: str
    dc: bool = False
    ended_s: float | None = None
    why: str = "the journal ends"
    voltage_V: Series = field(default_factory=list)
    current_A: Series = field(default_factory=list)
    power_W: Series = field(default_factory=list)
    ordered_A: Series = field(default_factory=list)
    """What the stage was ordered at most, DC."""
    soc: Series = field(default_factory=list)
    messages: list[Said] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    """Contactor, output off, faults."""

    @property
    def energy_Wh(self) -> float:
        """Out of power and time."""
        pairs = zip(self.power_W, self.power_W[1:], strict=False)
        return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairs) / 3600

    @property
    def lasts_s(self) -> float:
        """Until its last sign."""
        parts = (self.voltage_V, self.current_A, self.power_W, self.soc)
        return max([self.ended_s or 0.0, *(each[-1][0] for each in parts if each), *(each.at_s for each in self.messages[-1:]), 1e-3])


class _Wire:
    """One direction of a connection, cut into messages."""

    def __init__(self) -> None:
        self._reader = FrameReader()

    def messages(self, octets: bytes) -> Iterator[Message | None]:
        try:
            frames = self._reader.feed(octets)
        except V2gtpError:
            return
        for frame in frames:
            namespace = schema_set(frame.payload_type, frame.payload)
            if namespace:
                try:
                    message: Any = exi.decode(frame.payload, namespace)
                    yield message.Body.BodyElement if namespace in (DIN, ISO2) else message
                except ExiError:
                    continue


class Collector:
    """Takes a journal's entries; `sessions` are what it has found."""

    def __init__(self) -> None:
        self.sessions: list[SessionReport] = []
        self._open: dict[tuple[int, int], tuple[SessionReport, _Wire, _Wire]] = {}
        self._looking: list[SessionReport] = []
        """Open ones, and those whose end is not long ago."""

    def take(self, entry: Entry) -> None:
        """One input and what followed."""
        now = entry.tick.mono
        self._looking = [each for each in self._looking if each.ended_s is None or now - each.began_mono - each.ended_s < TAIL_S]
        self._event(entry, now)
        for command in entry.commands:
            self._command(command, now)

    def _event(self, entry: Entry, now: float) -> None:
        match entry.event:
            case VehicleConnected(evse_id, number, _, tls):
                session = SessionReport(evse_id, number, now, entry.tick.utc, tls)
                self._open[evse_id, number] = session, _Wire(), _Wire()
                self.sessions.append(session)
                self._looking.append(session)
            case VehicleSaid(evse_id, number, octets) if (found := self._open.get((evse_id, number))) is not None:
                self._said(found[0], "ev", found[1].messages(octets), now)
            case VehicleGone(evse_id, number, why):
                self._end((evse_id, number), now, why)
            case DcSample() as sample:
                for session in self._of(sample.evse_id):
                    session.dc = True
                    volts = sample.voltage_V if abs(sample.current_A) > 0 or sample.voltage_V > sample.outlet_V else sample.outlet_V
                    self._point(session.voltage_V, session, now, volts)
                    self._point(session.current_A, session, now, sample.current_A)
                    self._point(session.power_W, session, now, volts * sample.current_A)
            case MeterSample() as sample:
                for session in (each for each in self._of(sample.evse_id) if not each.dc):
                    self._metered(session, now, sample)
            case BoardFault(evse_id, code, _, present) if present:
                self._mark(evse_id, now, code)
            case FaultAcknowledged(evse_id):
                self._mark(evse_id, now, "acknowledged")

    def _command(self, command: object, now: float) -> None:
        match command:
            case SendToVehicle(evse_id, number, octets) if (found := self._open.get((evse_id, number))) is not None:
                self._said(found[0], "evse", found[2].messages(octets), now)
            case CloseVehicle(evse_id, number):
                self._end((evse_id, number), now, "closed by the charger")
            case SetDcOutput(evse_id, _, amps):
                for session in self._of(evse_id):
                    self._point(session.ordered_A, session, now, amps)
            case StopDcOutput(evse_id):
                for session in self._of(evse_id):
                    self._point(session.ordered_A, session, now, 0.0)
                self._mark(evse_id, now, "output off")
            case CloseContactor(evse_id) | OpenContactor(evse_id):
                self._mark(evse_id, now, "contactor closes" if isinstance(command, CloseContactor) else "contactor opens")

    def _metered(self, session: SessionReport, now: float, sample: MeterSample) -> None:
        self._point(session.voltage_V, session, now, max(sample.voltage_V, default=0.0))
        self._point(session.current_A, session, now, max(sample.current_A, key=abs, default=0.0))
        if sample.power_W is not None:
            self._point(session.power_W, session, now, sample.power_W)

    def _of(self, evse_id: int) -> list[SessionReport]:
        return [each for each in self._looking if each.evse_id == evse_id]

    @staticmethod
    def _point(series: Series, session: SessionReport, now: float, value: float) -> None:
        series.append((now - session.began_mono, value))

    def _mark(self, evse_id: int, now: float, words: str) -> None:
        for session in self._of(evse_id):
            if not session.marks or session.marks[-1][1] != words:
                session.marks.append((now - session.began_mono, words))

    def _end(self, key: tuple[int, int], now: float, why: str) -> None:
        if (found := self._open.pop(key, None)) is not None:
            found[0].ended_s, found[0].why = now - found[0].began_mono, why

    @staticmethod
    def _said(session: SessionReport, who: str, messages: Iterable[Message | None], now: float) -> None:
        at_s = now - session.began_mono
        for message in messages:
            if message is None:  # a document with an empty body
                continue
            session.messages.append(Said(at_s, who, type(message).__name__, _words(message)))
            soc = _soc(message)
            if soc is not None:
                session.soc.append((at_s, float(soc)))


def _soc(message: Any) -> int | None:
    """As ISO 15118-20 shows it, or the others."""
    shown, status = getattr(message, "DisplayParameters", None), getattr(message, "DC_EVStatus", None)
    found: int | None = shown.PresentSOC if shown is not None else status.EVRESSSOC if status is not None else None
    return found


def _words(message: Any) -> str:
    match message:
        case cm.PowerDeliveryReq() | iso2.PowerDeliveryReq():
            return str(message.ChargeProgress)
        case din.PowerDeliveryReq():
            return "Start" if message.ReadyToChargeState else "Stop"
        case cm.SessionStopReq() | iso2.SessionStopReq():
            return str(message.ChargingSession)
    return " ".join(str(each) for each in (getattr(message, name, None) for name in ("ResponseCode", "EVSEProcessing")) if each)


def sessions_of(journal: Iterable[Head | Entry]) -> list[SessionReport]:
    """All of a journal, in their order. Raises JournalError as it is read."""
    collector = Collector()
    for each in journal:
        if isinstance(each, Entry):
            collector.take(each)
    return collector.sessions
