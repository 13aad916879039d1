"""ChangeAvailability, and what the CSMS hears of each connector's status (OCPP 2.1 block G, B01.FR.05, B04).

2.1 lets a station report a connector by StatusNotification (deprecated) or by NotifyEvent on Connector.AvailabilityState. We send
StatusNotification unless `StatusReporting` says otherwise: every CSMS understands it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import partial
from typing import Any, ClassVar

from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.events import (
    CablePluggedIn,
    EvDisconnected,
    EvseOutOfService,
    EvseSeen,
    FaultCleared,
    FaultRaised,
    LinkDown,
    LinkUp,
    MessageTriggered,
    OperationalChanged,
    PlugKept,
    PoweredUp,
    RegistrationChanged,
    TimerExpired,
    TransactionEnded,
    TransactionStarted,
)
from chargepoint.faults import Reaction, known
from chargepoint.ocpp.block import Block, CallFailed, CallReceived, Context, Reply, answers, hears, refusal
from chargepoint.ocpp.device_model import Mutability, Variable, VariableChanged
from chargepoint.ocpp.messages import CONNECTION_LOST, Call
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

TABLE = "availability"
"""Key "" for the station, "1" for an EVSE, "1.1" for a connector -> "Inoperative"; what is operative has no row."""
FIRST_LOOK_S = 2.0
"""From the start on, a connector is not called Available before its pilot was read, but no longer than this."""
STATUSES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
"""ConnectorStatusEnumType."""

OFFLINE_THRESHOLD = Variable(
    "OCPPCommCtrlr", "OfflineThreshold", "integer", "60", "after an outage longer than this all connectors are reported, after a shorter one those that changed",
    mutability=Mutability.READ_WRITE, unit="s", min=0, max=604_800, source="OCPP 2.1 B04",
)  # fmt: skip
MINIMUM_STATUS_DURATION = Variable(
    "OCPPCommCtrlr", "MinimumStatusDuration", "integer", "0", "a status that lasts shorter is not reported",
    mutability=Mutability.READ_WRITE, unit="s", min=0, max=3600, key16="MinimumStatusDuration", source="OCPP 2.1 Part 2, referenced variables [K]",
)  # fmt: skip
STATUS_REPORTING = Variable(
    "OCPPCommCtrlr", "StatusReporting", "OptionList", "StatusNotification", "how a connector's status is told (not a variable of the standard)",
    mutability=Mutability.READ_WRITE, values=("StatusNotification", "NotifyEvent"), source="OCPP 2.1 G01",
)  # fmt: skip


def _state_row(component: str, per: Any) -> Variable:
    return Variable(
        component,
        "AvailabilityState",
        "OptionList",
        None,
        "what can be done here now",
        per=per,
        values=STATUSES,
        persistent=False,
        source="OCPP 2.1 B07.FR.09",
    )


STATION_STATE, EVSE_STATE, CONNECTOR_STATE = (
    _state_row("ChargingStation", "station"),
    _state_row("EVSE", "evse"),
    _state_row("Connector", "connector"),
)


@dataclass(slots=True)
class Since:
    """A status and when it began (Tick.mono)."""

    status: str
    mono: float


@dataclass(slots=True)
class AvailabilityState:
    """What the CSMS ordered, and what it has been told."""

    inoperative: tuple[str, ...] = ()
    """Keys (as in the table) that ChangeAvailability made inoperative."""
    out: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """EVSE -> other causes for which it may not be used."""
    current: dict[int, Since] = field(default_factory=dict)
    reported: dict[int, str] = field(default_factory=dict)
    """EVSE -> the status that the CSMS knows."""
    seen: tuple[int, ...] = ()
    """EVSEs whose pilot was read."""
    started_at: float = 0.0
    registered: bool = False
    """A BootNotification was accepted, and the last one was not refused."""
    down_since: float | None = 0.0
    """Since when the link has been down."""
    events: int = 0
    """NotifyEvents so far, for their ids."""


class AvailabilityBlock(Block):
    """The one that says whether an EVSE is operative, and how its connector stands."""

    name: ClassVar[str] = "availability"
    variables: ClassVar[tuple[Variable, ...]] = (
        OFFLINE_THRESHOLD,
        MINIMUM_STATUS_DURATION,
        STATUS_REPORTING,
        STATION_STATE,
        EVSE_STATE,
        CONNECTOR_STATE,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: AvailabilityState = AvailabilityState()
        self.sockets = {evse.id for evse in context.config.evses if evse.connector == "sType2"}
        context.model.compute(STATION_STATE, lambda _: self._station_status())
        for evse_id in context.evses:
            context.model.compute(EVSE_STATE, partial(self._shown, evse_id), evse_id)
            context.model.compute(CONNECTOR_STATE, partial(self._shown, evse_id), evse_id)

    # ---- what the CSMS orders

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """The order outlives reboot and power loss, and stands before anything is reported (G01.FR.02, G03.FR.08, G04.FR.09)."""
        known_keys = {"", *(str(e) for e in self.context.evses), *(f"{e}.1" for e in self.context.evses)}
        self.state.started_at = now.mono
        self.state.inoperative = tuple(sorted(known_keys & event.stored.get(TABLE, {}).keys()))
        return self._settled(now)

    @answers("ChangeAvailability")
    def change_availability(self, now: Tick, call: CallReceived) -> Reply:
        evse = call.payload.get("evse") or {}
        evse_id, connector_id = evse.get("id", 0), evse.get("connectorId")
        if evse_id and evse_id not in self.context.evses:
            return refusal("Rejected", "UnknownEvse", f"there is no EVSE {evse_id}")
        if connector_id is not None and (connector_id != 1 or not evse_id):
            return refusal("Rejected", "UnknownConnectorId", f"there is no connector {connector_id} at EVSE {evse_id}")
        key = f"{evse_id}.1" if connector_id else str(evse_id or "")
        operative = call.payload["operationalStatus"] == "Operative"
        keys = set(self.state.inoperative)
        self.state.inoperative = tuple(sorted(keys - {key} if operative else keys | {key}))
        write = Delete(TABLE, key) if operative else Put(TABLE, key, "Inoperative")
        waits = any(self._waits(each) for each in self.context.evses if evse_id in (0, each))
        log = Log("info", "availability.ordered", {"where": key or "station", "operative": operative, "scheduled": waits})
        return Reply({"status": "Scheduled" if waits else "Accepted"}, [Persist((write,)), log, *self._settled(now)])

    @hears(EvseOutOfService)
    def out_of_service(self, now: Tick, event: EvseOutOfService) -> Sequence[object]:
        causes = set(self.state.out.get(event.evse_id, ())) - {event.cause} | ({event.cause} if event.out else set())
        self.state.out[event.evse_id] = tuple(sorted(causes))
        return self._settled(now)

    def _ordered_operative(self, evse_id: int) -> bool:
        return not self.state.out.get(evse_id) and not {"", str(evse_id), f"{evse_id}.1"} & set(self.state.inoperative)

    def _waits(self, evse_id: int) -> bool:
        """A running transaction is not disturbed: what was ordered comes true when it ends (G03.FR.05, G04.FR.06)."""
        facts = self.context.evses[evse_id]
        return bool(facts.transaction_id) and facts.operative and not self._ordered_operative(evse_id)

    # ---- what happens at the station

    @hears(EvseSeen)
    def seen(self, now: Tick, event: EvseSeen) -> Sequence[object]:
        self.state.seen = (*self.state.seen, event.evse_id)
        return self._settled(now)

    @hears(
        CablePluggedIn,
        EvDisconnected,
        FaultRaised,
        FaultCleared,
        TransactionStarted,
        TransactionEnded,
        PlugKept,
        TimerExpired,
        VariableChanged,
    )
    def _happened(self, now: Tick, event: object) -> Sequence[object]:
        return self._settled(now)

    def _settled(self, now: Tick) -> list[object]:
        """Orders first and then the status, so that Available is never shown in between."""
        out: list[object] = []
        for evse_id, facts in self.context.evses.items():
            operative = self._ordered_operative(evse_id)
            if operative != facts.operative and not self._waits(evse_id):
                facts.operative = operative
                out.append(OperationalChanged(evse_id, operative))
            status = self._status(evse_id)
            if evse_id not in self.state.current or self.state.current[evse_id].status != status:
                self.state.current[evse_id] = Since(status, now.mono)
        return [*out, *self._reports(now)]

    def _status(self, evse_id: int) -> str:
        facts, before = self.context.evses[evse_id], self.state.current.get(evse_id)
        if any(known(code).reaction is not Reaction.GO_ON for code in facts.faults):
            return "Faulted"
        if not facts.operative:
            return "Unavailable"
        # A socket is kept by the plug that it holds, and by a transaction while its cable is out for a moment (E10); one that waits for the
        # first plug keeps none, and a cable of the station's own is free again when it hangs there (E10.FR.03), unless the connector is to go
        # out of service as soon as the transaction ends.
        keeps = evse_id in self.sockets or self._waits(evse_id)
        kept = facts.transaction_id and keeps and before is not None and before.status in ("Occupied", "Faulted")
        if facts.plugged or facts.locked or kept:
            return "Occupied"
        return "Reserved" if facts.reserved else "Available"

    def _shown(self, evse_id: int, now: Tick) -> str:
        return self._status(evse_id)

    def _station_status(self) -> str:
        statuses = {self._status(evse_id) for evse_id in self.context.evses}
        if "" in self.state.inoperative and not statuses - {"Unavailable", "Faulted"}:
            return "Unavailable"
        return next(status for status in ("Available", "Occupied", "Reserved", "Unavailable", "Faulted") if status in statuses)

    # ---- what the CSMS hears

    @hears(LinkDown)
    def link_down(self, now: Tick, event: LinkDown) -> Sequence[object]:
        if self.state.down_since is None:
            self.state.down_since = now.mono
        return ()

    @hears(LinkUp)
    def link_up(self, now: Tick, event: LinkUp) -> Sequence[object]:
        down_s = now.mono - self.state.down_since if self.state.down_since is not None else 0.0
        self.state.down_since = None
        if down_s > self.context.model.integer(OFFLINE_THRESHOLD):
            self.state.reported.clear()
        return self._settled(now)

    @hears(RegistrationChanged)
    def registered(self, now: Tick, event: RegistrationChanged) -> Sequence[object]:
        """Every connector after a boot was accepted (B01.FR.05)."""
        self.state.registered = event.status == "Accepted"
        self.state.reported.clear()
        return self._settled(now)

    @hears(CallFailed)
    def failed(self, now: Tick, event: CallFailed) -> Sequence[object]:
        """What was under way when the link broke counts as untold; what the CSMS refused is not sent over and over."""
        if event.token.startswith("availability:") and event.code == CONNECTION_LOST:
            self.state.reported.pop(int(event.token.rsplit(":", 1)[1]), None)
        return ()

    @hears(MessageTriggered)
    def triggered(self, now: Tick, event: MessageTriggered) -> Sequence[object]:
        """Asked for by the CSMS (F06): also while Pending, whether it changed or not, and by the message that was named."""
        if event.requested != "StatusNotification":
            return ()
        return [self._status_notification(now, evse_id) for evse_id in self.context.evses if event.evse_id in (0, evse_id)]

    def _reports(self, now: Tick) -> list[object]:
        if not self._may_tell():
            return []
        return [self._report(now, evse_id) for evse_id, due in self._untold() if due <= now.mono]

    def _untold(self) -> Iterator[tuple[int, float]]:
        """EVSEs whose status the CSMS does not know, and when it is to be told."""
        minimum_s = self.context.model.integer(MINIMUM_STATUS_DURATION)
        for evse_id, current in self.state.current.items():
            told = self.state.reported.get(evse_id)
            if told == current.status:
                continue
            due = current.mono if told is None else current.mono + minimum_s
            unknown = current.status == "Available" and evse_id not in self.state.seen
            yield evse_id, max(due, self.state.started_at + FIRST_LOOK_S) if unknown else due

    def deadline(self) -> float | None:
        return min((due for _, due in self._untold()), default=None) if self._may_tell() else None

    def _may_tell(self) -> bool:
        return self.state.registered and self.context.link.online

    def _report(self, now: Tick, evse_id: int) -> Call:
        if self.context.model.text(STATUS_REPORTING) != "NotifyEvent":
            return self._status_notification(now, evse_id)
        self.state.events += 1
        status = self._told(evse_id)
        payload = notify_event(format_timestamp(self.context.clock.utc(now)), self.state.events, self._began(now, evse_id), evse_id, status)
        return Call("NotifyEvent", payload, f"{self.name}:{evse_id}")

    def _status_notification(self, now: Tick, evse_id: int) -> Call:
        payload = {"timestamp": self._began(now, evse_id), "connectorStatus": self._told(evse_id), "evseId": evse_id, "connectorId": 1}
        return Call("StatusNotification", payload, f"{self.name}:{evse_id}")

    def _told(self, evse_id: int) -> str:
        status = self.state.reported[evse_id] = self.state.current[evse_id].status
        return status

    def _began(self, now: Tick, evse_id: int) -> str:
        return format_timestamp(self.context.clock.utc(now) - (now.mono - self.state.current[evse_id].mono))


def notify_event(generated_at: str, event_id: int, began: str, evse_id: int, status: str) -> dict[str, Any]:
    """Connector.AvailabilityState as NotifyEvent payload (G01, B04.FR.01 of 2.1)."""
    return {
        "generatedAt": generated_at,
        "seqNo": 0,
        "tbc": False,
        "eventData": [
            {
                "eventId": event_id,
                "timestamp": began,
                "trigger": "Delta",
                "actualValue": status,
                "component": {"name": "Connector", "evse": {"id": evse_id, "connectorId": 1}},
                "variable": {"name": "AvailabilityState"},
                "eventNotificationType": "HardWiredNotification",
            }
        ],
    }
