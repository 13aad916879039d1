"""The transactions of the station: what each event of theirs says, and the row that goes with it (OCPP 2.1 block E; F-1, F-2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal

from chargepoint import codec
from chargepoint.clock import WallClock
from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.entropy import Entropy
from chargepoint.events import (
    ChargingState,
    ContractJudged,
    IdToken,
    Persisted,
    PersistFailed,
    PoweredUp,
    TransactionDurable,
    TransactionEnded,
    TransactionNotStored,
    TransactionStarted,
)
from chargepoint.facts import EvseFacts, LinkFacts
from chargepoint.metering import MeterValue, phases_used
from chargepoint.tick import Tick
from chargepoint.transaction_meter import TransactionMeter, charged_s
from chargepoint.transaction_state import Cause, Running, Spot, TransactionReport, TransactionState, TransactionVoid

TABLE = "transactions"
OUTBOX = "outbox"
"""Where reports wait; at a start the transaction machine looks there whether an Ended had already been written."""
CHARGING, EV_CONNECTED = ChargingState.CHARGING.value, ChargingState.EV_CONNECTED.value
EVCCID = "EVCCID"
"""AdditionalInfoType.type of the identifier that the vehicle gave in its session."""
BOOT_REASONS = {"PowerUp": "PowerLoss", "Unknown": "PowerLoss", "RemoteReset": "ImmediateReset"}
"""BootReasonEnumType -> why a transaction that was running ended; every other start is a Reboot."""
END_REASONS = {"EVCommunicationLost": "EVDisconnected", "EVDeparted": "EVDisconnected", "StopAuthorized": "Local", "RemoteStop": "Remote"}
"""What ended a transaction of which no reason is known, by the trigger of its last event."""


def energy_Wh(running: Running) -> float | None:
    """What has flowed in it, as far as the meter has told."""
    return round(running.last.import_Wh - running.begin.reading.import_Wh, 1) if running.last and running.begin else None


class Ledger:
    """Begins, tells and ends transactions; the machine decides when. Writes `transaction_id` of the facts.

    `both_ways`: the EVSEs that may take energy back; there the CSMS is told which vehicle a token came with (Q01.FR.02).
    """

    def __init__(
        self,
        meter: TransactionMeter,
        evses: Mapping[int, EvseFacts],
        link: LinkFacts,
        clock: WallClock,
        entropy: Entropy,
        both_ways: Collection[int] = (),
    ) -> None:
        self.meter, self.evses, self.link, self.clock, self.entropy = meter, evses, link, clock, entropy
        self.both_ways = both_ways
        self.state = TransactionState(spots={evse_id: Spot() for evse_id in evses})

    def all_running(self) -> list[tuple[int, Running]]:
        """EVSE id and transaction of all that go on."""
        return [(evse_id, spot.running) for evse_id, spot in self.state.spots.items() if spot.running]

    # ---- beginning, middle and end

    def start(self, now: Tick, evse_id: int, cause: Cause) -> list[object]:
        spot = self.state.spots[evse_id]
        utc = self.clock.utc(now)
        running = Running(
            self.entropy.uuid(),
            evse_id,
            utc,
            updated_at=now.mono,
            kept_at=now.mono,
            saved_at=now.mono,
            alive_utc=utc,
            age_at=now.mono,
            clock_set=self.clock.synchronised,
        )
        spot.running = running
        spot.cable_told = False
        self.evses[evse_id].transaction_id, self.evses[evse_id].cost_bounded = running.transaction_id, False
        if spot.remote_start_id is not None and spot.conditions.authorised:
            cause = replace(cause, trigger="RemoteStart")  # F02.FR.21
        if spot.charging_state == CHARGING:
            running.charging_at = now.mono
        said = self.tell(now, evse_id, "Started", cause)
        log = Log("info", "transaction.started", {"evse": evse_id, "id": running.transaction_id, "trigger": cause.trigger})
        return [TransactionStarted(evse_id, running.transaction_id), *said, log]

    def end(self, now: Tick, evse_id: int, cause: Cause) -> list[object]:
        spot = self.state.spots[evse_id]
        running = spot.running
        if running is None:
            return []
        reason = running.reason or cause.reason or END_REASONS.get(cause.trigger, "Other")
        out = self.tell(now, evse_id, "Ended", replace(cause, reason=reason))
        spot.running = None
        spot.id_token = spot.remote_start_id = None
        spot.conditions = replace(spot.conditions, authorised=False, energy=False, signed=False)
        self.evses[evse_id].transaction_id = ""
        log = Log("info", "transaction.ended", {"evse": evse_id, "id": running.transaction_id, "reason": reason, "Wh": energy_Wh(running)})
        return [*out, TransactionEnded(evse_id, running.transaction_id), log]

    def tell(
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
        if running.resumed_by is not None and (kind == "Ended" or cause.trigger.endswith("LimitReached")):
            return [*self._goes_on(now, spot, running), *self.tell(now, evse_id, kind, cause, values, tell_state=tell_state)]
        connected = spot.conditions.connected
        reading = self.meter.reading(now, evse_id) if connected or running.evse_told else None
        running.last = reading or running.last
        tell_evse = connected and not running.evse_told
        if tell_evse or (running.evse_told and running.begin is None):
            values = (*self.meter.begins(running, reading), *values)
        refused = cause.trigger == "Deauthorized" and spot.charging_state == EV_CONNECTED  # said with it, though it is no news (E05.FR.09)
        if kind == "Ended":
            values = (*values, *self.meter.at_end(running))
        state = (
            spot.charging_state
            if tell_state or refused or (spot.charging_state != running.state_told and (connected or running.state_told))
            else ""
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
            id_token=self._with_vehicle(evse_id, id_token),
            remote_start_id=remote_start_id,
            stopped_reason=cause.reason if kind == "Ended" else "",
            charging_s=None if kind == "Started" else int(charged_s(now, running)),
            phases=phases_used(reading) if spot.charging_state == CHARGING else None,
            cable_A=spot.cable_A if connected and not spot.cable_told else None,
            meter_values=values,
            limits=cause.limits,
        )
        spot.cable_told = spot.cable_told or report.cable_A is not None
        running.evse_told = running.evse_told or tell_evse
        running.state_told = state or running.state_told
        if spot.conditions.authorised:
            spot.id_token = spot.remote_start_id = None
        return [report, self.row(now, running, ended=kind == "Ended")]

    def _goes_on(self, now: Tick, spot: Spot, running: Running) -> list[object]:
        """The CSMS hears of one that a restart had interrupted before it hears of anything that ends it (E17.FR.14)."""
        running.resumed_by = None
        fresh, spot.id_token, spot.remote_start_id = (spot.id_token, spot.remote_start_id), None, None
        said = self.tell(now, running.evse_id, "Updated", Cause("TxResumed"), tell_state=True)
        spot.id_token, spot.remote_start_id = fresh
        return said

    def _with_vehicle(self, evse_id: int, token: IdToken | None) -> IdToken | None:
        """The token as it is told: with the vehicle's EVCCID beside it, once that is known."""
        vehicle = self.evses[evse_id].vehicle
        if token is None or vehicle is None or not vehicle.evcc_id or evse_id not in self.both_ways:
            return token
        others = tuple(each for each in token.additional if each[1] != EVCCID)
        return replace(token, additional=(*others, (vehicle.evcc_id, EVCCID)))

    # ---- the store

    def row(self, now: Tick, running: Running, *, ended: bool = False) -> Persist:
        if ended:
            return Persist((Delete(TABLE, running.transaction_id),), (f"{TABLE}:{running.transaction_id}",))
        running.saved_at, running.alive_utc, running.alive_board_s = now.mono, self.clock.utc(now), now.utc
        running.alive_synced, running.age_s, running.age_at = self.clock.synchronised, running.age_s + now.mono - running.age_at, now.mono
        spot = self.state.spots[running.evse_id]
        running.owner, running.group, running.authorised = spot.owner, spot.group, spot.conditions.authorised
        running.leaf = spot.leaf if spot.conditions.authorised else ""
        running.bay_occupied = spot.conditions.bay_occupied
        kept = replace(
            running,
            charging_s=charged_s(now, running),
            charging_at=None,
            resume_by=None,
            resumed_by=None,
            energy_from=None,
            limit_told_by=None,
            time_up_at=None,
            interrupted_utc=None,
            age_at=0.0,
        )
        return Persist((Put(TABLE, running.transaction_id, codec.dump(Running, kept)),), (f"{TABLE}:{running.transaction_id}",))

    def contract(self, now: Tick, event: ContractJudged) -> list[object]:
        """The certificate that pays is written down with its transaction: who shows it again after a restart has been judged already."""
        spot = self.state.spots[event.evse_id]
        if event.refusal is not None or event.leaf == spot.leaf:
            return []
        spot.leaf = event.leaf
        return [self.row(now, spot.running)] if spot.running else []

    def persisted(self, now: Tick, event: Persisted) -> list[object]:
        out: list[object] = []
        for evse_id, running in self.all_running():
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
            out += [self.row(now, running) for _, running in self.all_running()]
        return out

    def persist_failed(self, now: Tick, event: PersistFailed) -> list[object]:
        """A Started that is not on disk has never been: no power, and the outbox forgets it as well. What runs goes on."""
        failed = {ref.partition(":")[2] for ref in event.refs if ref.startswith(f"{TABLE}:")}
        out: list[object] = []
        for evse_id, running in self.all_running():
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
                failed.add(running.transaction_id)  # a later row of it may have reached the disk
        self.state.forget = (*self.state.forget, *sorted(failed))
        return out

    def stored(self, event: PoweredUp) -> tuple[list[Running], list[object]]:
        """What was running when the power went, and what follows from rows that say nothing of that."""
        found: list[Running] = []
        out: list[object] = []
        self.state.interrupted = BOOT_REASONS.get(event.reason, "Reboot")
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
                found.append(running)
        return found, out

    def cut_short(self, running: Running, reason: str, trigger: str = "AbnormalCondition", charging_state: str = "") -> list[object]:
        """It ended with what is on disk of it (F-1)."""
        report = TransactionReport(
            evse_id=running.evse_id,
            transaction_id=running.transaction_id,
            event_type="Ended",
            trigger=trigger,
            utc=max(running.alive_utc, running.started_utc),
            offline=True,
            charging_state=charging_state,
            stopped_reason=reason,
            charging_s=int(running.charging_s),
            meter_values=self.meter.at_end(running),
        )
        return [report, Persist((Delete(TABLE, running.transaction_id),), (f"{TABLE}:{running.transaction_id}",))]
