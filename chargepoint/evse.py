"""One EVSE: what its hardware says and what it may do come in; what its pilot, contactor and lock shall do goes out.

An event is first noted in the state; then everything is settled: what has to open opens, the pilot shows what it should, and
only then may something close. So no order of events (an RFID card, an unplugging, a late answer) is a special case (S-10).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from chargepoint import evse_faults, evse_guard, evse_lock, evse_pilot, evse_power
from chargepoint.clock import WallClock
from chargepoint.commands import Log, OpenContactor, ResetResidualCurrent, SetX1, WithdrawPermit
from chargepoint.config import EvseConfig, Timings
from chargepoint.events import (
    AuthorisationEnded,
    Authorised,
    ChargingState,
    ChargingStateChanged,
    FaultAcknowledged,
    HardwareDone,
    HardwareFailed,
    LimitSet,
    OperationalChanged,
    PhasesWanted,
    PoweredUp,
    ShutdownRequested,
    SupplyStopped,
    TimerExpired,
    TransactionDurable,
    TransactionEnded,
    TransactionNotStored,
    UnlockWanted,
)
from chargepoint.evse_state import Board, Evse, EvseState, Output, Power, Wake
from chargepoint.facts import EvseFacts
from chargepoint.faults import BOARD_SILENT
from chargepoint.interlock import INTERLOCK, Facts, Interlock
from chargepoint.pilot import TABLE, CpEvent, CpState
from chargepoint.tick import Tick
from hal.types import (
    BoardFault,
    BoardSilence,
    ContactorFeedback,
    LockState,
    MeterSample,
    MeterSilence,
    PilotState,
    PilotVoltage,
    ProximityResistance,
    ResidualCurrentTrip,
    TemperatureSample,
)
from iso15118.machine import Table

COMMANDED_STARTS = ("LocalReset", "RemoteReset", "ScheduledReset", "ApplicationReset")
"""Boot reasons that are no power loss: nothing waits (F-17)."""
PASSES = 20
"""Rounds of settling that one event may take; more would be two rules that undo each other."""


class EvseMachine:
    """The machine of one EVSE. It writes the `evse` fields of its facts, and is the only one that moves its hardware."""

    def __init__(
        self,
        config: EvseConfig,
        timings: Timings,
        facts: EvseFacts,
        board: Board,
        clock: WallClock,
        *,
        interlock: Interlock = INTERLOCK,
        pilot_table: Table[CpState, CpEvent] = TABLE,
    ) -> None:
        state = EvseState(phases=config.phases, phases_wanted=config.phases)
        self.evse = Evse(config, timings, facts, board, clock, interlock, pilot_table, state)

    @property
    def state(self) -> EvseState:
        """All that this machine remembers."""
        return self.evse.state

    @state.setter
    def state(self, value: EvseState) -> None:
        self.evse.state = value

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """Note the event, then settle everything that follows."""
        handler = _HANDLERS.get(type(event))
        if handler is None or getattr(event, "evse_id", self.evse.id) not in (self.evse.id, 0):
            return ()
        out = self._lapsed(now)
        out += handler(self, now, event)
        for _ in range(PASSES):
            more = self._settle(now)
            out += more
            if not more:
                break
        return out

    def deadline(self) -> float | None:
        """The earliest moment at which something here falls due by time."""
        return self.state.due

    # ---- what follows from the state

    def _settle(self, now: Tick) -> list[object]:
        evse = self.evse
        evse.state.due = None
        out = evse_pilot.settle_level(evse, now)
        out += evse_guard.settle(evse, now)
        out += evse_power.watch(evse, now)
        if not evse.state.running and not evse.state.asked_open_at:
            return out
        offer = evse_guard.offer(evse)
        out += evse_power.settle_opening(evse, now, evse_power.facts_of(evse, now, offer))
        out += evse_power.settle_phases(evse, now)
        out += evse_pilot.settle_output(evse, now, evse_power.facts_of(evse, now, offer), offer)
        out += evse_lock.settle(evse, now)
        facts = evse_power.facts_of(evse, now, offer)
        out += evse_power.settle_closing(evse, now, facts)
        out += self._charging_state(facts)
        return out

    def _lapsed(self, now: Tick) -> list[object]:
        """The lease has run out before it was renewed: the hardware has opened, or does so now; we say it, too (F-16)."""
        s = self.state
        if s.power not in (Power.CLOSED, Power.CLOSING, Power.ARMED) or now.mono < s.permit_until:
            return []
        late = Log("warning", "permit.lapsed", {"evse": self.evse.id, "late_s": round(now.mono - s.permit_until, 3)})
        s.settled_at = max(s.settled_at, now.mono + self.evse.timings.reclose_after_s)
        return [*evse_power.open_now(self.evse, now, "permit lapsed"), late]

    def _charging_state(self, facts: Facts) -> list[object]:
        state = charging_state(self.evse, facts)
        if state is self.evse.facts.charging_state:
            return []
        self.evse.facts.charging_state = state
        return [ChargingStateChanged(self.evse.id, state)]

    # ---- events

    def _timer(self, now: Tick, event: TimerExpired) -> list[object]:
        return []

    def _powered_up(self, now: Tick, event: PoweredUp) -> list[object]:
        """Open, before anything else (F-1); after a power loss nothing closes for a while (F-17)."""
        evse, s, t = self.evse, self.state, self.evse.timings
        s.running = True
        s.output_since = s.meter_at = now.mono
        s.output_least_s = t.x1_s
        hold_s = 0.0 if event.reason in COMMANDED_STARTS else t.close_after_boot_s
        s.settled_at = now.mono + max(hold_s, t.boot_jitter_s * _share(event.entropy_hex, evse.id))
        out: list[object] = [*evse_power.open_now(evse, now, "powered up"), SetX1(evse.id)]
        return out + evse_faults.restored(evse, event.stored.get(evse_faults.TABLE, {}), now)

    def _shutdown(self, now: Tick, event: ShutdownRequested) -> list[object]:
        self.state.running = False
        return evse_power.open_now(self.evse, now, "shutting down")

    def _pilot_voltage(self, now: Tick, event: PilotVoltage) -> list[object]:
        return evse_pilot.voltage(self.evse, now, event.high_V, event.low_V)

    def _pilot_state(self, now: Tick, event: PilotState) -> list[object]:
        return evse_pilot.reported_state(self.evse, now, event.state)

    def _proximity(self, now: Tick, event: ProximityResistance) -> list[object]:
        evse_guard.proximity(self.evse, now, event.ohm)
        return []

    def _feedback(self, now: Tick, event: ContactorFeedback) -> list[object]:
        return evse_power.feedback(self.evse, now, event.closed)

    def _meter(self, now: Tick, event: MeterSample) -> list[object]:
        return evse_guard.measured(self.evse, now, event)

    def _meter_silence(self, now: Tick, event: MeterSilence) -> list[object]:
        return evse_guard.meter_silent(self.evse, now)

    def _residual(self, now: Tick, event: ResidualCurrentTrip) -> list[object]:
        return evse_guard.residual_trip(self.evse, now, event.kind)

    def _temperature(self, now: Tick, event: TemperatureSample) -> list[object]:
        return evse_guard.temperature(self.evse, now, event.place, event.celsius)

    def _lock(self, now: Tick, event: LockState) -> list[object]:
        return evse_lock.lock_state(self.evse, now, event.locked, event.fault)

    def _board_fault(self, now: Tick, event: BoardFault) -> list[object]:
        return evse_faults.reported(self.evse, now, event.code, event.text, event.present)

    def _board_silence(self, now: Tick, event: BoardSilence) -> list[object]:
        return evse_faults.reported(self.evse, now, BOARD_SILENT, "", event.silent)

    def _done(self, now: Tick, event: HardwareDone) -> list[object]:
        if event.command in ("LockCable", "UnlockCable"):
            return evse_lock.done(self.evse, now, event.command)
        if event.command == ResetResidualCurrent.__name__:
            return evse_guard.residual_rearmed(self.evse)
        return evse_power.done(self.evse, now, event.command)

    def _failed(self, now: Tick, event: HardwareFailed) -> list[object]:
        if event.command in ("LockCable", "UnlockCable"):
            return evse_lock.failed(self.evse, now, event.command)
        if event.command in ("SetX1", "SetDuty", "SetStateF"):
            self.state.output_failed_at = now.mono
        return evse_power.failed(self.evse, now, event.command, event.error)

    def _authorised(self, now: Tick, event: Authorised) -> list[object]:
        s = self.state
        s.authorised, s.at_once, s.released, s.charged = True, False, False, s.charged and s.authorised
        return []

    def _authorisation_ended(self, now: Tick, event: AuthorisationEnded) -> list[object]:
        s = self.state
        s.authorised, s.at_once, s.charged, s.wanted = False, event.at_once, False, False
        s.stops = ()
        return []

    def _supply_stopped(self, now: Tick, event: SupplyStopped) -> list[object]:
        others = tuple(c for c in self.state.stops if c != event.cause)
        self.state.stops = (*others, event.cause) if event.stopped else others
        return []

    def _durable(self, now: Tick, event: TransactionDurable) -> list[object]:
        self.state.transaction_id = event.transaction_id
        return []

    def _not_stored(self, now: Tick, event: TransactionNotStored) -> list[object]:
        evse_power.not_stored(self.evse, now)
        return []

    def _transaction_ended(self, now: Tick, event: TransactionEnded) -> list[object]:
        if event.transaction_id == self.state.transaction_id:
            self.state.transaction_id = ""
        return []

    def _limit(self, now: Tick, event: LimitSet) -> list[object]:
        if event.current_A is None:
            self.state.limits.pop(event.source, None)
        else:
            self.state.limits[event.source] = event.current_A
        return []

    def _phases(self, now: Tick, event: PhasesWanted) -> list[object]:
        if self.evse.board.switches_phases and event.phases <= self.evse.config.phases:
            self.state.phases_wanted = event.phases
        return []

    def _operational(self, now: Tick, event: OperationalChanged) -> list[object]:
        return []  # the facts say it

    def _unlock(self, now: Tick, event: UnlockWanted) -> list[object]:
        return evse_lock.wanted(self.evse)

    def _acknowledged(self, now: Tick, event: FaultAcknowledged) -> list[object]:
        return evse_faults.acknowledged(self.evse, event.code)


def charging_state(evse: Evse, facts: Facts) -> ChargingState:
    """OCPP 2.1 ChargingStateEnumType, from what is so.

    SuspendedEV only once the EV has had its chance: it has drawn before, or the wake-up did not move it. Until then, and while
    a first closing is on its way, it is EVConnected.
    """
    s = evse.state
    if not s.plugged:
        return ChargingState.IDLE
    if s.power is Power.CLOSED and s.cp in (CpState.C2, CpState.D2):
        return ChargingState.CHARGING
    if not s.authorised:
        return ChargingState.EV_CONNECTED
    if not s.transaction_id:
        return ChargingState.EV_CONNECTED
    if s.wake in (Wake.PULSE, Wake.X1, Wake.OFFERED):
        return evse.facts.charging_state
    offered = s.output is Output.X2 and evse.interlock.offers(facts)
    if offered and s.cp is CpState.B2:
        return ChargingState.SUSPENDED_EV if s.charged or s.wake is Wake.DONE else ChargingState.EV_CONNECTED
    if offered and facts.settled and s.cp in (CpState.C2, CpState.D2):
        return evse.facts.charging_state if evse.facts.charging_state is not ChargingState.IDLE else ChargingState.EV_CONNECTED
    return ChargingState.SUSPENDED_EVSE if evse.interlock.not_offering(facts) or not facts.settled else evse.facts.charging_state


def _share(entropy_hex: str, evse_id: int) -> float:
    """A number in [0, 1) from the run's seed, another one for each EVSE."""
    return int.from_bytes(hashlib.sha256(f"{entropy_hex}:evse{evse_id}".encode()).digest()[:7], "big") / (1 << 56)


_HANDLERS: dict[type, Callable[[EvseMachine, Tick, Any], list[object]]] = {
    TimerExpired: EvseMachine._timer,
    PoweredUp: EvseMachine._powered_up,
    ShutdownRequested: EvseMachine._shutdown,
    PilotVoltage: EvseMachine._pilot_voltage,
    PilotState: EvseMachine._pilot_state,
    ProximityResistance: EvseMachine._proximity,
    ContactorFeedback: EvseMachine._feedback,
    MeterSample: EvseMachine._meter,
    MeterSilence: EvseMachine._meter_silence,
    ResidualCurrentTrip: EvseMachine._residual,
    TemperatureSample: EvseMachine._temperature,
    LockState: EvseMachine._lock,
    BoardFault: EvseMachine._board_fault,
    BoardSilence: EvseMachine._board_silence,
    HardwareDone: EvseMachine._done,
    HardwareFailed: EvseMachine._failed,
    Authorised: EvseMachine._authorised,
    AuthorisationEnded: EvseMachine._authorisation_ended,
    SupplyStopped: EvseMachine._supply_stopped,
    TransactionDurable: EvseMachine._durable,
    TransactionNotStored: EvseMachine._not_stored,
    TransactionEnded: EvseMachine._transaction_ended,
    LimitSet: EvseMachine._limit,
    PhasesWanted: EvseMachine._phases,
    OperationalChanged: EvseMachine._operational,
    UnlockWanted: EvseMachine._unlock,
    FaultAcknowledged: EvseMachine._acknowledged,
}


__all__ = ["EvseMachine", "OpenContactor", "WithdrawPermit", "charging_state"]
