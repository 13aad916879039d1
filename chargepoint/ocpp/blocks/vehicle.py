"""The vehicle as the CSMS sees it: ConnectedEV and ISO15118Ctrlr, what it needs and what it plans (OCPP 2.1 K17 to K19, Q01).

A CSMS can do nothing with the needs of a transaction that it does not know: they wait for the delivery of its Started. Nothing of this is
kept while the CSMS cannot be reached; ChargingNeedsAnswered says so at once, and the vehicle is served by what is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from functools import partial
from typing import Any, ClassVar, Literal

from chargepoint.commands import Log
from chargepoint.config import EvseConfig
from chargepoint.events import (
    ChargingNeedsAnswered,
    ChargingNeedsTold,
    EvDisconnected,
    LinkDown,
    PoweredUp,
    ScheduleChosen,
    SessionChanged,
    SessionStage,
    TalkingAllowed,
    TransactionEnded,
)
from chargepoint.facts import Vehicle
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, Context, hears
from chargepoint.ocpp.charging_needs import MOST_PERIODS, TRANSFER_MODES, needs_request, schedule_request, transfer_mode
from chargepoint.ocpp.contract_rows import V2G_INSTALLATION, V2G_INSTALLATION_HERE
from chargepoint.ocpp.device_model import Attribute, DataType, Mutability, Variable, VariableChanged
from chargepoint.ocpp.messages import Call
from chargepoint.ocpp.outbox import Delivered, DroppedFromQueue
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.tick import Tick
from iso15118 import protocols
from iso15118.frozen import dataclass
from iso15118.terms import Control

PROTOCOLS = {name: f"{each.namespace},{each.major},{each.minor}" for name, each in protocols.PROTOCOLS.items()}
"""What the configuration calls a protocol -> "uri,major,minor"."""

SERVICES_AGAIN = tuple(version for name, version in PROTOCOLS.items() if name.startswith("iso20-"))
"""Those by which another service can be chosen while a session goes on."""

# ---- what the station can


def _controller(
    name: str, kind: DataType, default: str | None, doc: str, *, component: str = "ISO15118Ctrlr", constant: bool = True, **more: Any
) -> Variable:
    return Variable(component, name, kind, default, doc, per="evse", constant=constant, source="OCPP 2.1 Part 2, ISO15118Ctrlr", **more)


ISO15118_AVAILABLE = _controller("Available", "boolean", "false", "there is a line to the vehicle")
ISO15118_ENABLED = _controller(
    "Enabled", "boolean", "true", "the vehicle is asked to talk", constant=False, mutability=Mutability.READ_WRITE
)
EVSE_ID = _controller("ISO15118EvseId", "string", None, "EVSEID as the vehicle is told it", component="EVSE", min=7, max_length=37)
PROTOCOL_SUPPORTED = tuple(
    _controller("ProtocolSupported", "string", None, "uri,major,minor of what may be spoken", instance=str(number))
    for number in range(1, len(PROTOCOLS) + 1)
)
REQUESTED_MODE = _controller(
    "RequestedEnergyTransferMode",
    "OptionList",
    None,
    "the service that the vehicle has chosen",
    constant=False,
    persistent=False,
    values=TRANSFER_MODES,
)
RENEGOTIATION = _controller("ServiceRenegotiationSupport", "boolean", "true", "the vehicle may choose another service in its session")
MAX_SCHEDULE_ENTRIES = _controller("MaxScheduleEntries", "integer", str(MOST_PERIODS), "of a schedule of the vehicle that is told")
METERING_RECEIPT = _controller("RequestMeteringReceipt", "boolean", "false", "the vehicle is asked to sign readings")

# ---- what the vehicle has said


def _ev(name: str, kind: DataType, doc: str, unit: str = "", attributes: tuple[Attribute, ...] = ("Actual",)) -> Variable:
    return Variable(
        "ConnectedEV",
        name,
        kind,
        None,
        doc,
        per="evse",
        persistent=False,
        unit=unit,
        attributes=attributes,
        source="OCPP 2.1 Part 2, ConnectedEV; Q01.FR.36",
    )


EV_AVAILABLE = Variable(
    "ConnectedEV",
    "Available",
    "boolean",
    "false",
    "a vehicle has said who it is",
    per="evse",
    persistent=False,
    source="OCPP 2.1 Part 2, ConnectedEV; Q01.FR.36",
)
BOUNDS: tuple[Attribute, ...] = ("MinSet", "MaxSet")
MAX: tuple[Attribute, ...] = ("MaxSet",)
EV_DEPARTURE = _ev("DepartureTime", "dateTime", "when the vehicle wants to leave")


def _protocol(vehicle: Vehicle) -> str:
    """As both sides agreed on it; the namespace alone of one that has no version here."""
    return next((each for each in PROTOCOLS.values() if each.startswith(f"{vehicle.protocol},")), vehicle.protocol)


def _of(*, dc: bool, value: Callable[[Vehicle], object]) -> Callable[[Vehicle], object]:
    """The value where the vehicle has chosen this kind of current."""
    return lambda vehicle: value(vehicle) if vehicle.chosen and vehicle.chosen.energy.is_dc is dc else None


def _discharge_W(vehicle: Vehicle) -> float | None:
    value = vehicle.limits.max_discharge_W
    return abs(value) if value is not None else None


EV_ROWS: dict[Variable, tuple[Callable[[Vehicle], object], ...]] = {
    _ev("VehicleId", "string", "EVCCID"): (lambda v: v.evcc_id,),
    _ev("ProtocolAgreed", "string", "uri,major,minor of what is spoken"): (_protocol,),
    _ev("ACCurrent", "decimal", "of a phase", "A", BOUNDS): (
        _of(dc=False, value=lambda v: v.limits.min_current_A),
        _of(dc=False, value=lambda v: v.limits.max_current_A),
    ),
    _ev("DCCurrent", "decimal", "what the vehicle takes", "A", BOUNDS): (
        _of(dc=True, value=lambda v: v.limits.min_current_A),
        _of(dc=True, value=lambda v: v.limits.max_current_A),
    ),
    _ev("DCVoltage", "decimal", "what the vehicle takes", "V", BOUNDS): (
        _of(dc=True, value=lambda v: v.limits.min_voltage_V),
        _of(dc=True, value=lambda v: v.limits.max_voltage_V),
    ),
    _ev("Power", "decimal", "what the vehicle takes", "W", MAX): (lambda v: v.limits.max_power_W,),
    _ev("DischargePower", "decimal", "what the vehicle gives back", "W", MAX): (_discharge_W,),
    _ev("EnergyImport", "decimal", "to the least, to the most, and to the wanted state of charge", "Wh", (*BOUNDS, "Target")): (
        lambda v: v.needs.min_Wh,
        lambda v: v.needs.max_Wh,
        lambda v: v.needs.target_Wh,
    ),
    _ev("BatteryCapacity", "decimal", "of the vehicle's battery", "Wh"): (lambda v: v.battery.capacity_Wh,),
    _ev("StateOfCharge", "integer", "of the vehicle's battery; MaxSet: where it is full", "%", ("Actual", "MaxSet")): (
        lambda v: v.battery.soc,
        lambda v: v.battery.max_soc,
    ),
    _ev("RemainingTimeFull", "integer", "until the battery is full", "s"): (lambda v: v.battery.to_max_s,),
    _ev("ChargingCompleteFull", "boolean", "the battery is full"): (lambda v: v.battery.full,),
}
"""Row -> where the value of each of its attributes comes from. "" on the wire as long as the vehicle has not said it."""

EVERYWHERE = (ISO15118_AVAILABLE, EV_AVAILABLE)
WITH_A_LINE = (
    ISO15118_ENABLED,
    EVSE_ID,
    *PROTOCOL_SUPPORTED,
    REQUESTED_MODE,
    RENEGOTIATION,
    MAX_SCHEDULE_ENTRIES,
    V2G_INSTALLATION_HERE,
    METERING_RECEIPT,
    EV_DEPARTURE,
    *EV_ROWS,
)
"""Only EVSEs that can talk with the vehicle have these."""


@dataclass(slots=True)
class VehicleState:
    """What is to be asked, and what has been."""

    waiting: dict[int, dict[str, Any]] = field(default_factory=dict)
    """EVSE -> NotifyEVChargingNeedsRequest that waits for its transaction to be known."""
    asked: dict[int, int] = field(default_factory=dict)
    """EVSE -> number of the question that is under way."""
    questions: int = 0
    known: dict[int, str] = field(default_factory=dict)
    """EVSE -> its transaction, once the CSMS knows it."""
    departs: dict[int, float] = field(default_factory=dict)
    """EVSE -> when its vehicle wants to leave (Tick.mono)."""


class VehicleBlock(Block):
    """Owns what vehicles say of themselves; tells the CSMS what they need and plan, and the station what it answers."""

    name: ClassVar[str] = "vehicle"
    variables: ClassVar[tuple[Variable, ...]] = (*EVERYWHERE, *WITH_A_LINE)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: VehicleState = VehicleState()
        self.evses = {evse.id: evse for evse in context.config.evses}
        for evse in context.config.evses:
            if evse.v2g.interface:
                self._declare(evse)
            else:
                context.model.undeclare(WITH_A_LINE, evse.id)

    def _declare(self, evse: EvseConfig) -> None:
        model, evse_id = self.context.model, evse.id
        model.put(ISO15118_AVAILABLE, "true", evse_id)
        model.put(EVSE_ID, evse.v2g.evse_id, evse_id)
        model.put(METERING_RECEIPT, "true" if evse.v2g.confirm_metering_s else "false", evse_id)
        model.compute(V2G_INSTALLATION_HERE, lambda _: model.text(V2G_INSTALLATION) or "false", evse_id)
        spoken = list(_spoken(evse))
        model.put(RENEGOTIATION, _text(any(each in spoken for each in SERVICES_AGAIN)), evse_id)
        for row, protocol in zip(PROTOCOL_SUPPORTED, spoken, strict=False):
            model.put(row, protocol, evse_id)
        model.undeclare(PROTOCOL_SUPPORTED[len(spoken) :], evse_id)
        model.compute(EV_AVAILABLE, partial(self._shown, evse_id, lambda _: True, "false"), evse_id)
        model.compute(REQUESTED_MODE, partial(self._shown, evse_id, lambda v: transfer_mode(v, evse) if v.chosen else None, ""), evse_id)
        model.compute(EV_DEPARTURE, partial(self._departure, evse_id), evse_id)
        for row, sources in EV_ROWS.items():
            for attribute, source in zip(row.attributes, sources, strict=True):
                model.compute(row, partial(self._shown, evse_id, source, ""), evse_id, attribute)

    def _shown(self, evse_id: int, source: Callable[[Vehicle], object], nobody: str, now: Tick) -> str:
        vehicle = self.context.evses[evse_id].vehicle
        return _text(source(vehicle)) if vehicle else nobody

    def _departure(self, evse_id: int, now: Tick) -> str:
        at = self.state.departs.get(evse_id)
        return format_timestamp(self.context.clock.utc(now) + at - now.mono) if at is not None else ""

    # ---- whether it is asked

    @hears(PoweredUp, VariableChanged)
    def enabled(self, now: Tick, event: PoweredUp | VariableChanged) -> Sequence[object]:
        """ISO15118Ctrlr.Enabled, for the EVSEs that have a line to the vehicle."""
        if isinstance(event, VariableChanged) and not event.concerns(ISO15118_ENABLED):
            return ()
        talking = [evse.id for evse in self.evses.values() if evse.v2g.interface]
        return [TalkingAllowed(evse_id, self.context.model.flag(ISO15118_ENABLED, evse_id)) for evse_id in talking]

    # ---- what it needs

    @hears(ChargingNeedsTold)
    def needs(self, now: Tick, event: ChargingNeedsTold) -> Sequence[object]:
        """Ask the CSMS, once for each time that the vehicle says what it needs (K18.FR.01, K19.FR.01, K17)."""
        evse_id, state = event.evse_id, self.state
        vehicle = self._vehicle(evse_id)
        if vehicle is None:
            return ()
        if vehicle.needs.departure_s is not None:
            state.departs[evse_id] = now.mono + vehicle.needs.departure_s
        else:
            state.departs.pop(evse_id, None)
        if not event.renegotiated and (evse_id in state.waiting or evse_id in state.asked):
            return ()
        if not self.context.link.online:
            return [ChargingNeedsAnswered(evse_id, "")]
        state.waiting[evse_id] = needs_request(vehicle, self.evses[evse_id], self.context.clock.utc(now))
        return list(self._ask(evse_id))

    @hears(Delivered, DroppedFromQueue)
    def delivered(self, now: Tick, event: Delivered | DroppedFromQueue) -> Sequence[object]:
        """The CSMS has heard of a transaction, or will not: events of one go in order, so that any of them will do."""
        if event.action != "TransactionEvent":
            return ()
        transaction_id = event.payload["transactionInfo"]["transactionId"]
        found = [evse_id for evse_id, facts in self.context.evses.items() if facts.transaction_id == transaction_id]
        for evse_id in found:
            self.state.known[evse_id] = transaction_id
        return [each for evse_id in found for each in self._ask(evse_id)]

    def _ask(self, evse_id: int) -> Iterator[object]:
        state, transaction_id = self.state, self.context.evses[evse_id].transaction_id
        if evse_id in state.waiting and transaction_id and state.known.get(evse_id) == transaction_id:
            state.questions += 1
            state.asked[evse_id] = state.questions
            yield Call("NotifyEVChargingNeeds", state.waiting.pop(evse_id), self._token("needs", evse_id, state.questions))

    # ---- what it plans

    @hears(ScheduleChosen)
    def planned(self, now: Tick, event: ScheduleChosen) -> Sequence[object]:
        """Tell the CSMS (K18.FR.10). In dynamic control a vehicle's plan binds nobody, and is not told (K19.FR.10)."""
        vehicle = self._vehicle(event.evse_id)
        dynamic = vehicle is not None and vehicle.chosen is not None and vehicle.chosen.control is Control.DYNAMIC
        if vehicle is None or dynamic or not self.context.link.online or not self.context.evses[event.evse_id].transaction_id:
            return ()
        request = schedule_request(vehicle, self.evses[event.evse_id], self.context.clock.utc(now))
        return [Call("NotifyEVChargingSchedule", request, self._token("schedule", event.evse_id, 0))] if request else []

    # ---- what the CSMS says

    @hears(CallAnswered, CallFailed)
    def said(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        """Its answer, for whoever talks with the vehicle; none is one, too."""
        owner, _, rest = event.token.partition(":")
        if owner != self.name:
            return ()
        kind, evse_id, number = rest.split(":")
        status = event.payload["status"] if isinstance(event, CallAnswered) else ""
        code = event.code if isinstance(event, CallFailed) else ""
        log = [Log("warning", "vehicle.not_accepted", {"evse": int(evse_id), "action": event.action, "status": status, "code": code})]
        out: list[object] = [] if status and status != "Rejected" else [*log]
        if kind == "needs" and self.state.asked.get(int(evse_id)) == int(number):
            del self.state.asked[int(evse_id)]
            out.append(ChargingNeedsAnswered(int(evse_id), status))
        return out

    # ---- when it is over

    @hears(LinkDown)
    def unreachable(self, now: Tick, event: LinkDown) -> Sequence[object]:
        """What waits is not asked any more; what is under way fails by itself."""
        waiting, self.state.waiting = list(self.state.waiting), {}
        return [ChargingNeedsAnswered(evse_id, "") for evse_id in waiting if evse_id not in self.state.asked]

    @hears(SessionChanged)
    def session(self, now: Tick, event: SessionChanged) -> Sequence[object]:
        if event.stage is not SessionStage.BEGUN:
            self._forget(event.evse_id)
        return ()

    @hears(EvDisconnected)
    def unplugged(self, now: Tick, event: EvDisconnected) -> Sequence[object]:
        self._forget(event.evse_id)
        return ()

    @hears(TransactionEnded)
    def ended(self, now: Tick, event: TransactionEnded) -> Sequence[object]:
        """What the vehicle needs is still so, but there is nobody to be asked for it."""
        self.state.known.pop(event.evse_id, None)
        return ()

    def _forget(self, evse_id: int) -> None:
        for kept in (self.state.waiting, self.state.asked, self.state.departs):
            kept.pop(evse_id, None)

    # ---- small things

    def _vehicle(self, evse_id: int) -> Vehicle | None:
        facts = self.context.evses.get(evse_id)
        return facts.vehicle if facts else None

    def _token(self, kind: Literal["needs", "schedule"], evse_id: int, number: int) -> str:
        return f"{self.name}:{kind}:{evse_id}:{number}"


def _spoken(evse: EvseConfig) -> Iterator[str]:
    """What this EVSE speaks of what is configured: ISO 15118-20 with vehicles that TLS has verified, and each protocol for one kind of current."""
    verifies = evse.v2g.tls != "none" or evse.v2g.unverified_vehicles
    for each in protocols.spoken(evse.protocols, evse.mode):
        if verifies or each.unverified:
            yield f"{each.namespace},{each.major},{each.minor}"


def _text(value: object) -> str:
    """A value of the device model.

    >>> [_text(value) for value in (None, True, 42, 0.5, 150_000.0, "urn:x")]
    ['', 'true', '42', '0.5', '150000', 'urn:x']
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case _:
            return str(value)
