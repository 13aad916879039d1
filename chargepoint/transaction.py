"""When a transaction starts and ends, and what is told in between (OCPP 2.1 block E, J02).

Each event changes what is so at an EVSE (`Conditions`); TxStartPoint and TxStopPoint decide over before and after. What goes to the CSMS
leaves as `TransactionReport`; the outbox numbers and delivers it. A Started is on disk before TransactionDurable is said, and so before
the contactor closes.

A transaction that a power loss cut short ends with the next start: Ended, PowerLoss, with the last reading that is on disk. Going on with
it (OCPP 2.1 E17) is not done yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from hal.types import ProximityResistance

from chargepoint import codec, energy, metering
from chargepoint.clock import WallClock
from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.config import StationConfig
from chargepoint.entropy import Entropy
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRules,
    Authorised,
    BayOccupied,
    CablePluggedIn,
    ChargingState,
    ChargingStateChanged,
    EvDisconnected,
    FaultCleared,
    FaultRaised,
    MessageTriggered,
    Persisted,
    PersistFailed,
    PoweredUp,
    PowerWanted,
    ShutdownRequested,
    TimerExpired,
    TransactionDurable,
    TransactionEnded,
    TransactionNotStored,
    TransactionStarted,
)
from chargepoint.facts import EvseFacts, LinkFacts
from chargepoint.metering import ClockAlignedMoment, MeterValue, Reading, Taken, meter_value, next_in_series
from chargepoint.tick import Tick
from chargepoint.transaction_points import (
    AUTHORIZED,
    DATA_SIGNED,
    ENERGY_TRANSFER,
    EV_CONNECTED,
    POWER_PATH,
    Conditions,
    ends,
    holding,
    starts,
)
from chargepoint.transaction_state import (
    KEPT_MOST,
    Cause,
    Running,
    SamplingSettings,
    Spot,
    TransactionReport,
    TransactionSettings,
    TransactionState,
    TransactionVoid,
)

TABLE = "transactions"
OUTBOX = "outbox"
"""Where reports wait; at a start the transaction machine looks there whether an Ended had already been written."""
SAVE_S = 60.0
"""The last reading goes to disk this often while a transaction runs: what a power cut may lose at most. Ours."""

CHARGING = ChargingState.CHARGING.value
RESTARTS = frozenset({"ImmediateReset", "Reboot"})
"""Reasons for which a transaction ends at once: nobody will be there to see its TxStopPoint (B12.FR.03)."""
BOOT_REASONS = {"PowerUp": "PowerLoss", "Unknown": "PowerLoss", "RemoteReset": "ImmediateReset"}
"""BootReasonEnumType -> why a transaction that was running ended; every other start is a Reboot."""
FAULT_REASONS = {
    "ResidualCurrentTrip": "GroundFault",
    "GroundFailure": "GroundFault",
    "OverCurrent": "OvercurrentFault",
    "EmergencyStop": "EmergencyStop",
    "OverVoltage": "PowerQuality",
    "UnderVoltage": "PowerQuality",
    "PowerLoss": "PowerLoss",
}
"""Fault code -> ReasonEnumType; every other fault is Other."""
END_REASONS = {"EVCommunicationLost": "EVDisconnected", "EVDeparted": "EVDisconnected", "StopAuthorized": "Local", "RemoteStop": "Remote"}
"""What ended a transaction of which no reason is known, by the trigger of its last event."""


class TransactionMachine:
    """One for the station. Writes `transaction_id` of the facts; says TransactionStarted, TransactionDurable, TransactionEnded."""

    def __init__(
        self,
        config: StationConfig,
        settings: TransactionSettings,
        sampling: SamplingSettings,
        evses: Mapping[int, EvseFacts],
        link: LinkFacts,
        clock: WallClock,
        entropy: Entropy,
    ) -> None:
        self.config = {evse.id: evse for evse in config.evses}
        self.settings, self.sampling = settings, sampling
        self.evses, self.link, self.clock, self.entropy = evses, link, clock, entropy
        self.state = TransactionState(spots={evse_id: Spot() for evse_id in evses})
        self.handlers: dict[type, Callable[[Tick, Any], list[object]]] = {
            PoweredUp: self._powered_up,
            Persisted: self._persisted,
            PersistFailed: self._persist_failed,
            BayOccupied: self._bay,
            CablePluggedIn: self._plugged_in,
            EvDisconnected: self._unplugged,
            Authorised: self._authorised,
            AuthorisationEnded: self._deauthorised,
            AuthorisationRules: self._rules,
            PowerWanted: self._power_wanted,
            ChargingStateChanged: self._charging_state,
            FaultRaised: self._fault,
            FaultCleared: self._fault_cleared,
            ProximityResistance: self._cable,
            MessageTriggered: self._triggered,
            ClockAlignedMoment: self._aligned,
            ShutdownRequested: self._shutdown,
            TimerExpired: self._timer,
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event; what concerns an EVSE that is not there is ignored."""
        handler = self.handlers.get(type(event))
        if handler is None or ((evse_id := getattr(event, "evse_id", 0)) and evse_id not in self.evses):
            return ()
        return handler(now, event)

    def deadline(self) -> float | None:
        """The next reading to be told, kept or written down."""
        return min((at for _, r in self._all_running() for at in self._dues(r)), default=None)

    # ---- what happens at an EVSE

    def _bay(self, now: Tick, event: BayOccupied) -> list[object]:
        after = replace(self._spot(event).conditions, bay_occupied=event.occupied)
        return self._happened(now, event.evse_id, after, Cause("EVDetected" if event.occupied else "EVDeparted"))

    def _plugged_in(self, now: Tick, event: CablePluggedIn) -> list[object]:
        spot = self._spot(event)
        spot.charging_state = ChargingState.EV_CONNECTED.value
        running = spot.running
        if running and running.reason == "EVDisconnected":
            running.reason = ""
        out = self._happened(now, event.evse_id, replace(spot.conditions, connected=True), Cause("CablePluggedIn"))
        if running and spot.running is running:
            out += self._permitted(event.evse_id, spot)
        return out

    def _permitted(self, evse_id: int, spot: Spot) -> list[object]:
        """The EVSE forgets everything with its EV; one that comes back within its transaction goes on (E10)."""
        running, owner = spot.running, self.evses[evse_id].id_token
        out: list[object] = [Authorised(evse_id, owner)] if spot.conditions.authorised and owner else []
        return [*out, TransactionDurable(evse_id, running.transaction_id)] if running and running.durable else out

    def _unplugged(self, now: Tick, event: EvDisconnected) -> list[object]:
        spot = self._spot(event)
        stays = spot.conditions.authorised and not self.state.end_on_unplug and spot.running is not None
        after = replace(spot.conditions, connected=False, authorised=stays, energy=False, signed=False)
        self._charges(now, spot, ChargingState.IDLE.value)
        out = self._happened(now, event.evse_id, after, Cause("EVCommunicationLost", "EVDisconnected"))
        spot.cable_A, spot.cable_told = None, False
        return out

    def _authorised(self, now: Tick, event: Authorised) -> list[object]:
        spot = self._spot(event)
        remote = event.remote_start_id is not None
        if spot.conditions.authorised and spot.running and not remote and event.id_token == self.evses[event.evse_id].owner:
            return []  # said again after the EV came back
        spot.id_token, spot.remote_start_id = event.id_token, event.remote_start_id
        if spot.running:
            spot.running.reason = ""
        cause = Cause("RemoteStart" if remote else "Authorized", fresh=True)
        return self._happened(now, event.evse_id, replace(spot.conditions, authorised=True), cause)

    def _deauthorised(self, now: Tick, event: AuthorisationEnded) -> list[object]:
        spot = self._spot(event)
        if not spot.conditions.authorised and not spot.conditions.connected and event.trigger == "EVCommunicationLost":
            return []  # the unplugging has said it
        token = event.id_token if event.trigger == "StopAuthorized" else None
        cause = Cause(event.trigger, event.reason, token, deauthorises=True, ends=event.reason in RESTARTS)
        if spot.running is None:
            spot.id_token = spot.remote_start_id = None
        return self._happened(now, event.evse_id, replace(spot.conditions, authorised=False, signed=False), cause)

    def _rules(self, now: Tick, event: AuthorisationRules) -> list[object]:
        self.state.end_on_unplug = event.end_on_unplug
        return []

    def _power_wanted(self, now: Tick, event: PowerWanted) -> list[object]:
        """Energy is about to flow: the last moment for a Started, since nothing flows outside of a transaction."""
        spot = self._spot(event)
        if spot.running:
            durable = spot.running.durable
            return [TransactionDurable(event.evse_id, spot.running.transaction_id)] if durable else []
        points = self.settings.start_points()
        after = replace(spot.conditions, energy=ENERGY_TRANSFER in points)
        if not holding(points, after) and DATA_SIGNED not in points:
            after = replace(after, energy=True)
        if after.energy:
            spot.charging_state = CHARGING
        before, spot.conditions = spot.conditions, after
        if holding(points, after) or after.energy:
            return self._start(now, event.evse_id, Cause(self._trigger_of(points, after)))
        spot.conditions = before
        return []

    def _trigger_of(self, points: Collection[str], after: Conditions) -> str:
        held = holding(points, after)
        if held & {AUTHORIZED, POWER_PATH}:
            return "Authorized"
        return "CablePluggedIn" if EV_CONNECTED in held else "ChargingStateChanged"

    def _charging_state(self, now: Tick, event: ChargingStateChanged) -> list[object]:
        spot, state = self._spot(event), event.state.value
        self._charges(now, spot, state)
        energy_flows = state == CHARGING
        told = spot.running is not None and spot.running.state_told != state
        reason = "StoppedByEV" if state == ChargingState.SUSPENDED_EV.value else ""
        after = replace(spot.conditions, energy=energy_flows)
        return self._happened(now, event.evse_id, after, Cause("ChargingStateChanged", reason, told=told))

    def _fault(self, now: Tick, event: FaultRaised) -> list[object]:
        out: list[object] = []
        for evse_id, running in self._all_running():
            if event.stops_charging and event.evse_id in (0, evse_id):
                running.reason = running.reason or FAULT_REASONS.get(event.code, "Other")
                out += self._tell(now, evse_id, "Updated", Cause("AbnormalCondition"))
        return out

    def _fault_cleared(self, now: Tick, event: FaultCleared) -> list[object]:
        for evse_id, running in self._all_running():
            if event.evse_id in (0, evse_id) and running.reason == FAULT_REASONS.get(event.code, "Other"):
                running.reason = ""
        return []

    def _cable(self, now: Tick, event: ProximityResistance) -> list[object]:
        config, spot = self.config[event.evse_id], self._spot(event)
        if config.connector == "sType2":
            amps = energy.cable_A(event.ohm, config.phases)
            spot.cable_A = int(amps) if amps else None
        return []

    # ---- beginning, middle and end

    def _happened(self, now: Tick, evse_id: int, after: Conditions, cause: Cause) -> list[object]:
        spot = self.state.spots[evse_id]
        before, spot.conditions = spot.conditions, after
        if spot.running is None:
            return self._start(now, evse_id, cause) if starts(self.settings.start_points(), before, after, fresh=cause.fresh) else []
        if cause.deauthorises:
            before = replace(before, authorised=True)  # a stop also stops what nobody had authorised yet
        if cause.reason and cause.told and (cause.deauthorises or not after.connected):
            spot.running.reason = spot.running.reason or cause.reason
        if cause.ends or ends(self.settings.stop_points(), before, after):
            return self._end(now, evse_id, cause)
        return self._tell(now, evse_id, "Updated", cause) if cause.told else []

    def _start(self, now: Tick, evse_id: int, cause: Cause) -> list[object]:
        spot = self.state.spots[evse_id]
        utc = self.clock.utc(now)
        running = Running(self.entropy.uuid(), evse_id, utc, updated_at=now.mono, kept_at=now.mono, saved_at=now.mono, alive_utc=utc)
        spot.running = running
        spot.cable_told = False
        self.evses[evse_id].transaction_id = running.transaction_id
        if spot.remote_start_id is not None and spot.conditions.authorised:
            cause = replace(cause, trigger="RemoteStart")  # F02.FR.21
        if spot.charging_state == CHARGING:
            running.charging_at = now.mono
        said = self._tell(now, evse_id, "Started", cause)
        return [TransactionStarted(evse_id, running.transaction_id), *said]

    def _end(self, now: Tick, evse_id: int, cause: Cause) -> list[object]:
        spot = self.state.spots[evse_id]
        running = spot.running
        if running is None:
            return []
        self._charges(now, spot, spot.charging_state if spot.charging_state != CHARGING else "")
        reason = running.reason or cause.reason or END_REASONS.get(cause.trigger, "Other")
        out = self._tell(now, evse_id, "Ended", replace(cause, reason=reason))
        spot.running = None
        spot.id_token = spot.remote_start_id = None
        spot.conditions = replace(spot.conditions, authorised=False, energy=False, signed=False)
        self.evses[evse_id].transaction_id = ""
        return [*out, TransactionEnded(evse_id, running.transaction_id)]

    def _tell(
        self,
        now: Tick,
        evse_id: int,
        kind: Literal["Started", "Updated", "Ended"],
        cause: Cause,
        values: tuple[MeterValue, ...] = (),
        *,
        tell_state: bool = False,
    ) -> list[object]:
        """One TransactionReport, and the row that goes with it."""
        spot = self.state.spots[evse_id]
        running = spot.running
        if running is None:
            return []
        connected = spot.conditions.connected
        reading = self._reading(now, evse_id) if connected or running.evse_told else None
        running.last = reading or running.last
        tell_evse = connected and not running.evse_told
        if tell_evse or (running.evse_told and running.begin is None):
            values = (*self._begins(running, reading), *values)
        if kind == "Ended":
            values = (*values, *self._at_end(running))
        state = (
            spot.charging_state if tell_state or (spot.charging_state != running.state_told and (connected or running.state_told)) else ""
        )
        id_token = (spot.id_token if spot.conditions.authorised else None) or cause.id_token
        remote_start_id = spot.remote_start_id if spot.conditions.authorised else None
        report = TransactionReport(
            evse_id=evse_id,
            transaction_id=running.transaction_id,
            event_type=kind,
            trigger=cause.trigger,
            utc=cause.utc if cause.utc is not None else self.clock.utc(now),
            offline=not self.link.online,
            tell_evse=tell_evse,
            charging_state=state,
            id_token=id_token,
            remote_start_id=remote_start_id,
            stopped_reason=cause.reason if kind == "Ended" else "",
            charging_s=None if kind == "Started" else int(self._charged_s(now, running)),
            phases=metering.phases_used(reading) if spot.charging_state == CHARGING else None,
            cable_A=spot.cable_A if connected and not spot.cable_told else None,
            meter_values=values,
        )
        spot.cable_told = spot.cable_told or report.cable_A is not None
        running.evse_told = running.evse_told or tell_evse
        running.state_told = state or running.state_told
        if spot.conditions.authorised:
            spot.id_token = spot.remote_start_id = None
        return [report, self._row(now, running, ended=kind == "Ended")]

    # ---- readings

    def _reading(self, now: Tick, evse_id: int) -> Reading | None:
        return metering.read(now, self.clock.utc(now), self.evses[evse_id])

    def _begins(self, running: Running, reading: Reading | None) -> tuple[MeterValue, ...]:
        if reading is None:
            return ()
        running.begin = Taken(reading, "Transaction.Begin")
        running.updated_from = reading
        value = meter_value(running.begin, self.sampling.started_measurands())
        return (value,) if value else ()

    def _at_end(self, running: Running) -> tuple[MeterValue, ...]:
        """TxEndedMeasurands from the beginning to the end; the clock-aligned ones among them (J02, J01)."""
        sampled, aligned = self.sampling.ended_measurands(), self.sampling.aligned_ended_measurands()
        taken = [running.begin] if running.begin else []
        taken += running.kept
        if running.last:
            taken.append(Taken(running.last, "Transaction.End"))
        values = [meter_value(t, aligned if t.context == "Sample.Clock" else sampled) for t in taken]
        return tuple(value for value in values if value)

    def _keep(self, running: Running, taken: Taken) -> None:
        running.kept.append(taken)
        if len(running.kept) > KEPT_MOST:
            running.kept = running.kept[::2]

    def _triggered(self, now: Tick, event: MessageTriggered) -> list[object]:
        if event.requested != "TransactionEvent":
            return []
        out: list[object] = []
        for evse_id, running in self._all_running():
            if event.evse_id in (0, evse_id):
                values = self._values(now, running, "Trigger", self.sampling.updated_measurands())
                out += self._tell(now, evse_id, "Updated", Cause("Trigger"), values, tell_state=True)
        return out

    def _values(self, now: Tick, running: Running, context: str, measurands: Sequence[str]) -> tuple[MeterValue, ...]:
        reading = self._reading(now, running.evse_id)
        value = meter_value(next_in_series(reading, context, running.updated_from), measurands) if reading else None
        return (value,) if value else ()

    def _aligned(self, now: Tick, event: ClockAlignedMoment) -> list[object]:
        spot = self._spot(event)
        running, reading = spot.running, self._reading(now, event.evse_id)
        if running is None or reading is None or not running.evse_told:
            return []
        if reading.fresh:
            reading = replace(reading, utc=event.utc)  # on the boundary, as the standard wants it
        taken = next_in_series(reading, "Sample.Clock", running.aligned_from)
        if event.keep:
            self._keep(running, taken)
        value = meter_value(taken, self.sampling.aligned_measurands()) if event.tell else None
        if value is None:
            return []
        running.aligned_from = reading
        return self._tell(now, event.evse_id, "Updated", Cause("MeterValueClock", utc=event.utc), (value,))

    def _timer(self, now: Tick, event: TimerExpired) -> list[object]:
        out: list[object] = []
        for evse_id, running in self._all_running():
            out += self._sample(now, evse_id, running)
        return out

    def _sample(self, now: Tick, evse_id: int, running: Running) -> list[object]:
        updated_s, kept_s = self.sampling.updated_interval_s(), self.sampling.ended_interval_s()
        reading = self._reading(now, evse_id) if running.evse_told else None
        if kept_s and now.mono >= running.kept_at + kept_s:
            running.kept_at = _next_due(running.kept_at, kept_s, now.mono)
            if reading:
                before = running.kept[-1].reading if running.kept else (running.begin.reading if running.begin else None)
                self._keep(running, next_in_series(reading, "Sample.Periodic", before))
        if updated_s and now.mono >= running.updated_at + updated_s:
            running.updated_at = _next_due(running.updated_at, updated_s, now.mono)
            values = self._values(now, running, "Sample.Periodic", self.sampling.updated_measurands()) if reading else ()
            running.updated_from = reading or running.updated_from
            if values:
                return self._tell(now, evse_id, "Updated", Cause("MeterValuePeriodic"), values)
        if now.mono >= running.saved_at + SAVE_S:
            running.last = reading or running.last
            return [self._row(now, running)]
        return []

    def _dues(self, running: Running) -> list[float]:
        intervals = ((running.updated_at, self.sampling.updated_interval_s()), (running.kept_at, self.sampling.ended_interval_s()))
        return [running.saved_at + SAVE_S, *(at + interval for at, interval in intervals if interval)]

    def _charges(self, now: Tick, spot: Spot, state: str) -> None:
        """The state is now this one (or no longer the one it was: ""); how long energy flows is counted on the way."""
        running = spot.running
        if running:
            running.charging_s = self._charged_s(now, running)
            running.charging_at = now.mono if state == CHARGING else None
        spot.charging_state = state or spot.charging_state

    def _charged_s(self, now: Tick, running: Running) -> float:
        return running.charging_s + (now.mono - running.charging_at if running.charging_at is not None else 0.0)

    # ---- the store

    def _row(self, now: Tick, running: Running, *, ended: bool = False) -> Persist:
        if ended:
            return Persist((Delete(TABLE, running.transaction_id),), (f"{TABLE}:{running.transaction_id}",))
        running.saved_at, running.alive_utc = now.mono, self.clock.utc(now)
        kept = replace(running, charging_s=self._charged_s(now, running), charging_at=None)
        return Persist((Put(TABLE, running.transaction_id, codec.dump(Running, kept)),), (f"{TABLE}:{running.transaction_id}",))

    def _persisted(self, now: Tick, event: Persisted) -> list[object]:
        out: list[object] = []
        for evse_id, running in self._all_running():
            if not running.durable and f"{TABLE}:{running.transaction_id}" in event.refs:
                running.durable = True
                out.append(TransactionDurable(evse_id, running.transaction_id))
        return [*out, *self._made_up(now)]

    def _made_up(self, now: Tick) -> list[object]:
        """The store works: write what it refused before (F-2)."""
        out: list[object] = []
        if self.state.forget:
            gone, self.state.forget = self.state.forget, ()
            out.append(Persist(tuple(Delete(TABLE, each) for each in gone), tuple(f"{TABLE}:{each}" for each in gone)))
        if self.state.unsaved:
            self.state.unsaved = False
            out += [self._row(now, running) for _, running in self._all_running()]
        return out

    def _persist_failed(self, now: Tick, event: PersistFailed) -> list[object]:
        """A Started that is not on disk has never been: no power, and the outbox forgets it as well. What runs goes on."""
        failed = {ref.partition(":")[2] for ref in event.refs if ref.startswith(f"{TABLE}:")}
        out: list[object] = []
        for evse_id, running in self._all_running():
            if running.transaction_id not in failed:
                continue
            failed.discard(running.transaction_id)
            self.state.unsaved = True
            if not running.durable:
                self.state.spots[evse_id].running = None
                self.state.spots[evse_id].id_token = self.evses[evse_id].id_token
                self.evses[evse_id].transaction_id = ""
                out += [Log("error", "transaction.not_stored", {"evse": evse_id, "error": event.error}), TransactionNotStored(evse_id)]
                out.append(TransactionVoid(running.transaction_id))
        self.state.forget = (*self.state.forget, *sorted(failed))
        return out

    def _powered_up(self, now: Tick, event: PoweredUp) -> list[object]:
        """End what was running when the power went, with what is on disk of it (F-1)."""
        out: list[object] = []
        rows = event.stored.get(OUTBOX, {}).values()
        ended = {row.get("transaction_id") for row in rows if isinstance(row, dict) and row.get("event_type") == "Ended"}
        for key, value in event.stored.get(TABLE, {}).items():
            try:
                running = codec.load(Running, value, f"{TABLE}.{key}")
            except codec.CodecError as error:
                out += [Log("error", "transaction.unreadable", {"transaction": key, "error": str(error)}), Persist((Delete(TABLE, key),))]
                continue
            if key in ended:
                out.append(Persist((Delete(TABLE, key),)))
            else:
                out += self._cut_short(running, BOOT_REASONS.get(event.reason, "Reboot"))
        return out

    def _cut_short(self, running: Running, reason: str) -> list[object]:
        report = TransactionReport(
            evse_id=running.evse_id,
            transaction_id=running.transaction_id,
            event_type="Ended",
            trigger="AbnormalCondition",
            utc=max(running.alive_utc, running.started_utc),
            offline=True,
            stopped_reason=reason,
            charging_s=int(running.charging_s),
            meter_values=self._at_end(running),
        )
        return [report, Persist((Delete(TABLE, running.transaction_id),), (f"{TABLE}:{running.transaction_id}",))]

    def _shutdown(self, now: Tick, event: ShutdownRequested) -> list[object]:
        """Nothing runs on while the station is away (F-18)."""
        cause = Cause("AbnormalCondition", event.reason, ends=True)
        return [each for evse_id, _ in self._all_running() for each in self._end(now, evse_id, cause)]

    # ---- small things

    def _spot(self, event: Any) -> Spot:
        return self.state.spots[event.evse_id]

    def _all_running(self) -> list[tuple[int, Running]]:
        return [(evse_id, spot.running) for evse_id, spot in self.state.spots.items() if spot.running]


def _next_due(anchor: float, interval_s: float, mono: float) -> float:
    """The last point of the grid `anchor + n * interval` that is not after `mono`: readings keep their rhythm, missed ones are not made up."""
    return anchor + interval_s * int((mono - anchor) // interval_s)
