"""What each event means to an EVSE: mostly a note in its state; what follows is settled afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from chargepoint import evse_dc, evse_faults, evse_guard, evse_hlc, evse_lock, evse_pilot, evse_power
from chargepoint.commands import MeasureInsulation, ResetResidualCurrent, SetDcOutput, SetX1, StopDcOutput
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRules,
    Authorised,
    DataLinkChanged,
    FaultAcknowledged,
    HardwareDone,
    HardwareFailed,
    LimitSet,
    MatchingFailed,
    ModemReady,
    OperationalChanged,
    PhasesWanted,
    PoweredUp,
    SessionChanged,
    ShutdownRequested,
    SupplyAsked,
    SupplyStopped,
    TalkingAllowed,
    TimerExpired,
    TransactionDurable,
    TransactionEnded,
    TransactionNotStored,
    UnlockWanted,
    VehicleServed,
)
from chargepoint.evse_state import Evse
from chargepoint.faults import BOARD_SILENT, RESIDUAL_CURRENT
from chargepoint.tick import Tick
from hal.types import (
    BoardFault,
    BoardRestarted,
    BoardSilence,
    ContactorFeedback,
    DcSample,
    InsulationSample,
    LockState,
    MeterSample,
    MeterSilence,
    PilotState,
    PilotVoltage,
    ProximityResistance,
    ResidualCurrentReset,
    ResidualCurrentTrip,
    TemperatureSample,
)

COMMANDED_STARTS = ("LocalReset", "RemoteReset", "ScheduledReset")
"""Boot reasons that are no power loss: nothing waits (F-17)."""


def _timer(evse: Evse, now: Tick, event: TimerExpired) -> list[object]:
    return []


def _powered_up(evse: Evse, now: Tick, event: PoweredUp) -> list[object]:
    """Open, before anything else (F-1); after a power loss nothing closes for a while (F-17)."""
    s, t = evse.state, evse.timings
    s.running = True
    s.output_since = s.meter_at = s.dc_sample_at = now.mono
    s.output_least_s = t.x1_s
    hold_s = 0.0 if event.reason in COMMANDED_STARTS else t.close_after_boot_s
    s.settled_at = now.mono + max(hold_s, t.boot_jitter_s * _share(event.entropy_hex, evse.id))
    out: list[object] = [*evse_power.open_now(evse, now, "powered up"), SetX1(evse.id)]
    return out + evse_faults.restored(evse, event.stored.get(evse_faults.TABLE, {}), now)


def _shutdown(evse: Evse, now: Tick, event: ShutdownRequested) -> list[object]:
    evse.state.running = False
    return evse_power.open_now(evse, now, "shutting down")


def _pilot_voltage(evse: Evse, now: Tick, event: PilotVoltage) -> list[object]:
    return evse_pilot.voltage(evse, now, event.high_V, event.low_V)


def _pilot_state(evse: Evse, now: Tick, event: PilotState) -> list[object]:
    return evse_pilot.reported_state(evse, now, event.state)


def _proximity(evse: Evse, now: Tick, event: ProximityResistance) -> list[object]:
    evse_guard.proximity(evse, now, event.ohm)
    return []


def _feedback(evse: Evse, now: Tick, event: ContactorFeedback) -> list[object]:
    return evse_power.feedback(evse, now, event.closed)


def _meter(evse: Evse, now: Tick, event: MeterSample) -> list[object]:
    return evse_guard.measured(evse, now, event)


def _meter_silence(evse: Evse, now: Tick, event: MeterSilence) -> list[object]:
    return evse_guard.meter_silent(evse, now)


def _residual(evse: Evse, now: Tick, event: ResidualCurrentTrip) -> list[object]:
    return evse_guard.residual_trip(evse, now, event.kind)


def _temperature(evse: Evse, now: Tick, event: TemperatureSample) -> list[object]:
    return evse_guard.temperature(evse, now, event.place, event.celsius)


def _lock(evse: Evse, now: Tick, event: LockState) -> list[object]:
    return evse_lock.lock_state(evse, now, event.locked, event.fault)


def _board_fault(evse: Evse, now: Tick, event: BoardFault) -> list[object]:
    return evse_faults.reported(evse, now, event.code, event.text, event.present)


def _board_silence(evse: Evse, now: Tick, event: BoardSilence) -> list[object]:
    """What it said before no longer counts: the pilot, the contactor and the lock have to say where they are again."""
    s = evse.state
    if event.silent:
        s.level = s.candidate = s.feedback_closed = s.locked = None
        s.open_confirmed = False
        evse.facts.dc = None
    else:
        s.dc_sample_at = now.mono
    return evse_faults.reported(evse, now, BOARD_SILENT, "", event.silent)


def _board_restarted(evse: Evse, now: Tick, event: BoardRestarted) -> list[object]:
    """The controller began anew: so do we, with everything open."""
    s = evse.state
    s.level = s.candidate = s.feedback_closed = s.locked = None
    s.lock_asked = ""
    return [*evse_power.opened_by_hardware(evse, now, "board restarted"), *evse_pilot.board_restarted(evse, now)]


def _residual_reset(evse: Evse, now: Tick, event: ResidualCurrentReset) -> list[object]:
    """Armed again by whatever way: the cause is gone; what a person has to see still waits for that."""
    return evse_faults.cause_over(evse, RESIDUAL_CURRENT)


def _done(evse: Evse, now: Tick, event: HardwareDone) -> list[object]:
    if event.command in ("LockCable", "UnlockCable"):
        return evse_lock.done(evse, now, event.command)
    if event.command == ResetResidualCurrent.__name__:
        return evse_guard.residual_rearmed(evse)
    return evse_power.done(evse, now, event.command)


def _failed(evse: Evse, now: Tick, event: HardwareFailed) -> list[object]:
    if event.command in ("LockCable", "UnlockCable"):
        return evse_lock.failed(evse, now, event.command)
    if event.command == ResetResidualCurrent.__name__:
        return evse_faults.raise_fault(evse, now, RESIDUAL_CURRENT, "the residual current device does not take the re-arming")
    if event.command in _DC_COMMANDS:
        return evse_dc.failed(evse, now, event.command, event.error)
    if event.command in ("SetX1", "SetDuty", "SetStateF"):
        evse.state.output_failed_at = now.mono
    return evse_power.failed(evse, now, event.command, event.error)


def _authorised(evse: Evse, now: Tick, event: Authorised) -> list[object]:
    s = evse.state
    s.charged = s.charged and s.authorised
    s.authorised, s.at_once = True, False
    evse_lock.authorised(evse, event.id_token)
    return []


def _rules(evse: Evse, now: Tick, event: AuthorisationRules) -> list[object]:
    evse.state.unlock_on_unplug = event.unlock_on_unplug
    return []


def _authorisation_ended(evse: Evse, now: Tick, event: AuthorisationEnded) -> list[object]:
    s = evse.state
    s.authorised, s.at_once, s.charged, s.wanted = False, event.at_once, False, False
    s.stops = ()
    evse_lock.ended(evse, event.trigger)
    return []


def _supply_stopped(evse: Evse, now: Tick, event: SupplyStopped) -> list[object]:
    others = tuple(c for c in evse.state.stops if c != event.cause)
    evse.state.stops = (*others, event.cause) if event.stopped else others
    return []


def _durable(evse: Evse, now: Tick, event: TransactionDurable) -> list[object]:
    evse.state.transaction_id = event.transaction_id
    return []


def _not_stored(evse: Evse, now: Tick, event: TransactionNotStored) -> list[object]:
    evse_power.not_stored(evse, now)
    return []


def _transaction_ended(evse: Evse, now: Tick, event: TransactionEnded) -> list[object]:
    if event.transaction_id == evse.state.transaction_id:
        evse.state.transaction_id = ""
    return []


def _limit(evse: Evse, now: Tick, event: LimitSet) -> list[object]:
    for bounds, bound in ((evse.state.limits, event.current_A), (evse.state.limits_W, event.power_W)):
        if bound is None:
            bounds.pop(event.source, None)
        else:
            bounds[event.source] = bound
    return []


def _phases(evse: Evse, now: Tick, event: PhasesWanted) -> list[object]:
    if evse.board.switches_phases and event.phases <= evse.config.phases:
        evse.state.phases_wanted = event.phases
    return []


def _operational(evse: Evse, now: Tick, event: OperationalChanged) -> list[object]:
    return []  # the facts say it


def _unlock(evse: Evse, now: Tick, event: UnlockWanted) -> list[object]:
    return evse_lock.wanted(evse)


def _acknowledged(evse: Evse, now: Tick, event: FaultAcknowledged) -> list[object]:
    return evse_faults.acknowledged(evse, event.code)


def _dc_sample(evse: Evse, now: Tick, event: DcSample) -> list[object]:
    return evse_dc.measured(evse, now, event)


def _insulation(evse: Evse, now: Tick, event: InsulationSample) -> list[object]:
    return evse_dc.insulation(evse, now, event.resistance_ohm)


def _link(evse: Evse, now: Tick, event: DataLinkChanged) -> list[object]:
    return evse_hlc.link(evse, now, event.ready)


def _served(evse: Evse, now: Tick, event: VehicleServed) -> list[object]:
    return evse_hlc.served(evse, now, event.ready, event.why)


_DC_COMMANDS = tuple(each.__name__ for each in (SetDcOutput, StopDcOutput, MeasureInsulation))


def _share(entropy_hex: str, evse_id: int) -> float:
    """A number in [0, 1) from the run's seed, another one for each EVSE."""
    return int.from_bytes(hashlib.sha256(f"{entropy_hex}:evse{evse_id}".encode()).digest()[:7], "big") / (1 << 56)


HANDLERS: dict[type, Callable[[Evse, Tick, Any], list[object]]] = {
    TimerExpired: _timer,
    PoweredUp: _powered_up,
    ShutdownRequested: _shutdown,
    PilotVoltage: _pilot_voltage,
    PilotState: _pilot_state,
    ProximityResistance: _proximity,
    ContactorFeedback: _feedback,
    MeterSample: _meter,
    MeterSilence: _meter_silence,
    ResidualCurrentTrip: _residual,
    TemperatureSample: _temperature,
    LockState: _lock,
    BoardFault: _board_fault,
    BoardRestarted: _board_restarted,
    ResidualCurrentReset: _residual_reset,
    BoardSilence: _board_silence,
    HardwareDone: _done,
    HardwareFailed: _failed,
    Authorised: _authorised,
    AuthorisationRules: _rules,
    AuthorisationEnded: _authorisation_ended,
    SupplyStopped: _supply_stopped,
    TransactionDurable: _durable,
    TransactionNotStored: _not_stored,
    TransactionEnded: _transaction_ended,
    LimitSet: _limit,
    PhasesWanted: _phases,
    OperationalChanged: _operational,
    UnlockWanted: _unlock,
    FaultAcknowledged: _acknowledged,
    DcSample: _dc_sample,
    InsulationSample: _insulation,
    DataLinkChanged: _link,
    VehicleServed: _served,
    ModemReady: evse_hlc.modem,
    MatchingFailed: evse_hlc.unmatched,
    SessionChanged: evse_hlc.session,
    SupplyAsked: evse_hlc.asked,
    TalkingAllowed: evse_hlc.allowed,
}
