"""When a transaction starts and ends, and what is told in between (OCPP 2.1 block E, J02).

Each event changes what is so at an EVSE (`Conditions`); TxStartPoint and TxStopPoint decide over before and after. What goes to the CSMS
leaves as `TransactionReport`; the outbox numbers and delivers it. A Started is on disk before TransactionDurable is said, and so before
the contactor closes.

A transaction that a restart has interrupted ends with the next start, with the last reading that is on disk, or goes on (`transaction_resume`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from chargepoint import energy, transaction_limits, transaction_power, transaction_resume
from chargepoint.clock import WallClock
from chargepoint.config import EvseConfig, StationConfig
from chargepoint.entropy import Entropy
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRules,
    Authorised,
    BayOccupied,
    CablePluggedIn,
    ChargingState,
    ChargingStateChanged,
    ContractJudged,
    DataLinkChanged,
    EvDisconnected,
    FaultCleared,
    FaultRaised,
    LimitsWanted,
    MessageTriggered,
    Persisted,
    PersistFailed,
    PoweredUp,
    PowerSwitched,
    PowerWanted,
    RegistrationChanged,
    ResetInterrupts,
    SessionChanged,
    SupplyChanged,
    TimerExpired,
    TimeSet,
    TransactionAnswered,
    TransactionDurable,
    TransactionTokenJudged,
)
from chargepoint.facts import EvseFacts, LinkFacts
from chargepoint.metering import ClockAlignedMoment
from chargepoint.tick import Tick
from chargepoint.transaction_ledger import CHARGING, Ledger
from chargepoint.transaction_meter import SAVE_S, TransactionMeter
from chargepoint.transaction_points import (
    PARKING_BAY,
    Conditions,
    ends,
    idle,
    starts,
)
from chargepoint.transaction_state import (
    FAULT_REASONS,
    FAULTS,
    Cause,
    Running,
    SamplingSettings,
    Spot,
    TransactionSettings,
    TransactionState,
    ending,
    why_without_energy,
)
from hal.types import MeterSample, ProximityResistance


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
        self.settings = settings
        self.meter = TransactionMeter(sampling, evses, clock, [evse.id for evse in config.evses if evse.mode == "dc"])
        self.evses = evses
        both_ways = [evse.id for evse in config.evses if _feeds_back(evse)]
        self.ledger = Ledger(self.meter, evses, link, clock, entropy, both_ways)
        self.handlers: dict[type, Callable[[Tick, Any], list[object]]] = {
            PoweredUp: self._powered_up,
            Persisted: self.ledger.persisted,
            PersistFailed: self.ledger.persist_failed,
            BayOccupied: self._bay,
            CablePluggedIn: self._plugged_in,
            EvDisconnected: self._unplugged,
            Authorised: self._authorised,
            AuthorisationEnded: self._deauthorised,
            AuthorisationRules: self._rules,
            PowerWanted: lambda now, event: transaction_power.wanted(self.ledger, self.settings.start_points(), now, event),
            PowerSwitched: partial(transaction_power.switched, self.ledger),
            SupplyChanged: partial(transaction_power.supplied, self.ledger),
            ChargingStateChanged: self._charging_state,
            ContractJudged: self.ledger.contract,
            DataLinkChanged: partial(transaction_power.link, self.ledger),
            SessionChanged: partial(transaction_power.session, self.ledger),
            FaultRaised: self._fault,
            FaultCleared: self._fault_cleared,
            ProximityResistance: self._cable,
            TransactionAnswered: self._answered,
            LimitsWanted: self._limits_wanted,
            MeterSample: self._measured,
            MessageTriggered: self._triggered,
            ClockAlignedMoment: self._aligned,
            ResetInterrupts: partial(transaction_resume.reset, self.ledger, self.settings),
            TransactionTokenJudged: partial(transaction_resume.judged, self.ledger),
            TimeSet: partial(transaction_resume.time_set, self.ledger, self.settings),
            RegistrationChanged: partial(transaction_resume.time_known, self.ledger, self.settings),
            TimerExpired: self._timer,
        }

    @property
    def state(self) -> TransactionState:
        """All that this machine remembers."""
        return self.ledger.state

    @state.setter
    def state(self, value: TransactionState) -> None:
        self.ledger.state = value

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event; what concerns an EVSE that is not there is ignored."""
        handler = self.handlers.get(type(event))
        if handler is None or ((evse_id := getattr(event, "evse_id", 0)) and evse_id not in self.evses):
            return ()
        return handler(now, event)

    def deadline(self) -> float | None:
        """The next reading to be told, kept or written down."""
        return min((at for _, running in self.ledger.all_running() for at in self._dues(running)), default=None)

    def _dues(self, running: Running) -> list[float]:
        if running.resume_by is not None:
            return [running.resume_by]
        time_up_at = running.time_up_at if not running.limit_hit else None
        mine = (running.resumed_by, running.energy_from, running.limit_told_by, time_up_at, running.closing_by if running.closing else None)
        return [*self.meter.dues(running), *(at for at in mine if at is not None)]

    # ---- what happens at an EVSE

    def _powered_up(self, now: Tick, event: PoweredUp) -> list[object]:
        found, out = self.ledger.stored(event)
        free = {evse_id for evse_id, spot in self.state.spots.items() if spot.running is None}
        for running in found:
            if transaction_resume.goes_on(self.ledger, now, running, free, self.settings):
                free.discard(running.evse_id)
                out += transaction_resume.kept(self.ledger, self.settings, now, running)
            else:
                out += self.ledger.cut_short(running, self.state.interrupted)
        return out

    def _bay(self, now: Tick, event: BayOccupied) -> list[object]:
        after = replace(self._spot(event).conditions, bay_occupied=event.occupied)
        return self._happened(now, event.evse_id, after, Cause("EVDetected" if event.occupied else "EVDeparted"))

    def _plugged_in(self, now: Tick, event: CablePluggedIn) -> list[object]:
        spot = self._spot(event)
        running = spot.running
        if running and running.resume_by is not None:
            out = transaction_resume.resumed(self.ledger, self.settings, now, running)
            return [*self._permitted(event.evse_id, spot), *out]
        spot.charging_state = ChargingState.EV_CONNECTED.value
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
        out += transaction_resume.stops(running)
        return [*out, TransactionDurable(evse_id, running.transaction_id)] if running and running.durable else out

    def _unplugged(self, now: Tick, event: EvDisconnected) -> list[object]:
        spot = self._spot(event)
        stays = spot.conditions.authorised and not self.state.end_on_unplug and spot.running is not None
        after = replace(spot.conditions, connected=False, authorised=stays, energy=False, signed=False)
        transaction_power.charges(now, spot, ChargingState.IDLE.value)
        cause = Cause("EVCommunicationLost", "" if stays else "EVDisconnected", told=spot.conditions.connected)
        out = self._happened(now, event.evse_id, after, cause)
        spot.cable_A, spot.cable_told = None, False
        return out

    def _authorised(self, now: Tick, event: Authorised) -> list[object]:
        spot = self._spot(event)
        remote = event.remote_start_id is not None
        if spot.conditions.authorised and spot.running and not remote and event.id_token == self.evses[event.evse_id].owner:
            return []  # said again after the EV came back
        spot.id_token, spot.remote_start_id = event.id_token, event.remote_start_id
        spot.owner, spot.group, spot.leaf = event.id_token, event.group, ""
        if spot.running:
            spot.running.reason = ""
        cause = Cause("RemoteStart" if remote else "Authorized", fresh=True)
        out = self._happened(now, event.evse_id, replace(spot.conditions, authorised=True), cause)
        return [*out, *transaction_resume.stops(spot.running)]

    def _deauthorised(self, now: Tick, event: AuthorisationEnded) -> list[object]:
        spot = self._spot(event)
        if not spot.conditions.authorised and not spot.conditions.connected and event.trigger == "EVCommunicationLost":
            return []  # the unplugging has said it
        cause = ending(event)
        if event.reason == "Timeout" and PARKING_BAY not in self.settings.stop_points():
            cause = replace(cause, ends=True)  # no cable comes, whoever is in the bay (E03.FR.05, F02.FR.07)
        if event.reason == "StoppedByEV":
            # it asks for nothing any more, and nothing is offered (E15)
            transaction_power.charges(now, spot, ChargingState.EV_CONNECTED.value)
        if spot.running is None:
            spot.id_token = spot.remote_start_id = None
        return self._happened(now, event.evse_id, replace(spot.conditions, authorised=False, signed=False), cause)

    def _rules(self, now: Tick, event: AuthorisationRules) -> list[object]:
        self.state.end_on_unplug = event.end_on_unplug
        return []

    def _charging_state(self, now: Tick, event: ChargingStateChanged) -> list[object]:
        spot, state = self._spot(event), event.state.value
        transaction_power.charges(now, spot, state)
        energy_flows = state == CHARGING
        running = spot.running
        if running is not None and running.resumed_by is not None and transaction_resume.waits(running, state):
            return []
        told = running is not None and running.state_told != state
        reason = why_without_energy(running, state)
        trigger = "ChargingStateChanged"
        if running is not None and running.resumed_by is not None:
            trigger, running.resumed_by = "TxResumed", None
        elif running is not None and running.limit_told_by is not None and not energy_flows:
            trigger, reason, running.limit_told_by = running.limit_hit, transaction_limits.REASONS[running.limit_hit], None
        return self._happened(now, event.evse_id, replace(spot.conditions, energy=energy_flows), Cause(trigger, reason, told=told))

    def _fault(self, now: Tick, event: FaultRaised) -> list[object]:
        out: list[object] = []
        for evse_id, running in self.ledger.all_running():
            if event.stops_charging and event.evse_id in (0, evse_id):
                running.reason = running.reason or FAULT_REASONS.get(event.code, "Other")
                out += self.ledger.tell(now, evse_id, "Updated", Cause("AbnormalCondition"))
        return out

    def _fault_cleared(self, now: Tick, event: FaultCleared) -> list[object]:
        for evse_id, running in self.ledger.all_running():
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
        if spot.running is not None and spot.running.closing is not None:
            return []  # its end is on the way, and says all
        if spot.running is None:
            return self.ledger.start(now, evse_id, cause) if starts(self.settings.start_points(), before, after, fresh=cause.fresh) else []
        if cause.deauthorises:
            before = replace(before, authorised=True)  # a stop also stops what nobody had authorised yet
        if cause.reason and cause.told and (cause.deauthorises or not after.connected):
            spot.running.reason = spot.running.reason or cause.reason
        points = transaction_resume.stop_points(spot.running, self.settings)
        waits_for_nothing = cause.deauthorises and idle(self.settings.start_points(), points, before, after)
        if cause.ends or waits_for_nothing or ends(points, before, after):
            if cause.trigger == "ChargingStateChanged" and spot.running.reason in FAULTS:
                cause = replace(cause, trigger="AbnormalCondition")  # E06.FR.16
            return self._end(now, evse_id, spot.running, cause)
        return self.ledger.tell(now, evse_id, "Updated", cause) if cause.told else []

    def _end(self, now: Tick, evse_id: int, running: Running, cause: Cause) -> list[object]:
        if not cause.opens_within_s or not self.evses[evse_id].power_closed:
            return self.ledger.end(now, evse_id, cause)
        running.closing, running.closing_by = cause, now.mono + cause.opens_within_s
        return []

    # ---- limits

    def _answered(self, now: Tick, event: TransactionAnswered) -> list[object]:
        running = self._spot(event).running
        if running is None or running.transaction_id != event.transaction_id:
            return []
        return transaction_limits.answered(self.ledger, self.settings, now, running, event)

    def _limits_wanted(self, now: Tick, event: LimitsWanted) -> list[object]:
        running = self._spot(event).running
        return transaction_limits.wanted(self.ledger, self.settings, now, running, event.limits) if running else []

    def _measured(self, now: Tick, event: MeterSample) -> list[object]:
        running = self._spot(event).running
        return transaction_limits.looked(self.ledger, self.settings, now, running) if running and running.resume_by is None else []

    # ---- readings

    def _triggered(self, now: Tick, event: MessageTriggered) -> list[object]:
        out: list[object] = []
        for evse_id, running in self.ledger.all_running():
            if event.requested == "TransactionEvent" and event.evse_id in (0, evse_id):
                out += self.ledger.tell(now, evse_id, "Updated", Cause("Trigger"), self.meter.asked(now, running), tell_state=True)
        return out

    def _aligned(self, now: Tick, event: ClockAlignedMoment) -> list[object]:
        running = self._spot(event).running
        values = self.meter.aligned(now, running, event) if running else ()
        return self.ledger.tell(now, event.evse_id, "Updated", Cause("MeterValueClock", utc=event.utc), values) if values else []

    def _timer(self, now: Tick, event: TimerExpired) -> list[object]:
        out: list[object] = []
        for evse_id, running in self.ledger.all_running():
            if running.resume_by is not None:
                out += transaction_resume.gone(self.ledger, self.settings, now, self.state.spots[evse_id], running)
            elif running.closing and now.mono >= running.closing_by:
                out += self.ledger.end(now, evse_id, running.closing)
            elif running.resumed_by is not None and now.mono >= running.resumed_by:
                out += transaction_resume.told(self.ledger, now, evse_id, running)
            elif running.energy_from is not None and now.mono >= running.energy_from:
                out += transaction_resume.flows(running)
            elif running.limit_told_by is not None and now.mono >= running.limit_told_by:
                out += transaction_limits.told(self.ledger, self.settings, now, running)
            elif running.time_up_at is not None and now.mono >= running.time_up_at and not running.limit_hit:
                out += transaction_limits.looked(self.ledger, self.settings, now, running)
            elif values := self.meter.periodic(now, running):
                out += self.ledger.tell(now, evse_id, "Updated", Cause("MeterValuePeriodic"), values)
            elif now.mono >= running.saved_at + SAVE_S:
                running.last = (self.meter.reading(now, evse_id) if running.evse_told else None) or running.last
                out.append(self.ledger.row(now, running))
        return out

    # ---- small things

    def _spot(self, event: Any) -> Spot:
        return self.state.spots[event.evse_id]


def _feeds_back(evse: EvseConfig) -> bool:
    """Whether a vehicle may give energy here."""
    return (evse.dc.max_discharge_W if evse.mode == "dc" else evse.v2g.ac_discharge_W) > 0
