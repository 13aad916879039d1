"""A transaction that a restart has interrupted goes on, or ended when the power went (OCPP 2.1 E17, B13).

Rows say what ran. One that was interrupted no longer than ResumptionTimeout waits for its EV, which shows itself when the board has looked at the
pilot; then everything is as it was, and the CSMS hears TxResumed with the first state of charging. Without AllowEnergyTransferResumption no energy
flows any more in one that had charged, whoever shows which card: another EV may have been plugged in meanwhile. One that had not goes on as it was
(E17.FR.13); of a vehicle that had paused by itself the standard says nothing after a power loss, and it gets no more either.

How long it was is told by the board's own clock. A board without a battery may begin with the time at which it was switched off; so what the CSMS then
says of the time counts as well, and ends what had been interrupted for too long.

| interrupted | EV | |
|---|---|---|
| longer than ResumptionTimeout, or nobody knows how long | | Ended, PowerLoss or Reboot, with what was on disk |
| not longer | there within 30 s | Updated, TxResumed; energy as AllowEnergyTransferResumption says, at random up to EnergyTransferResumptionRandomRange later |
| not longer | not there, and TxStopPoint ends it therefore | Ended, EVDisconnected, as of the interruption |
| not longer | not there | Updated, TxResumed, Idle: it may come back (E10) |
| not longer | was not there before either | Updated, TxResumed, Idle: it may come, or come back, as if nothing had happened |
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from chargepoint import transaction_limits
from chargepoint.commands import Log
from chargepoint.events import (
    Authorised,
    ChargingState,
    EvDisconnected,
    ResetInterrupts,
    SupplyStopped,
    TimeSet,
    TransactionEnded,
    TransactionKept,
    TransactionTokenJudged,
)
from chargepoint.tick import Tick
from chargepoint.transaction_ledger import CHARGING, Ledger
from chargepoint.transaction_meter import moved
from chargepoint.transaction_points import ENERGY_TRANSFER, ends
from chargepoint.transaction_state import Cause, Running, Spot, TransactionSettings

PLUG_S = 30.0
"""A board has told what is plugged in by then. Ours."""
TOLD_S = 10.0
"""An EV that goes on does so within this. Ours."""
CAUSE, DELAY = "resumption", "resumption_delay"
"""Of the SupplyStopped where energy is not to flow again, or not yet."""
GONE = "EVDisconnected"
"""Why one without its EV ends."""
RESET = "reset"
"""Of the SupplyStopped while a reset leaves a transaction open."""
IMMEDIATE_RESET = "ImmediateReset"
"""Why this start interrupted what ran, where the CSMS has ordered it."""
IDLE = ChargingState.IDLE.value
AT_IT = (CHARGING, ChargingState.SUSPENDED_EV.value)
"""Its vehicle takes energy, or is free to."""


def goes_on(ledger: Ledger, now: Tick, running: Running, evses: Collection[int], settings: TransactionSettings) -> bool:
    """Whether it may. A board's clock that has gone back, or was never so far, says nothing of how long it was: then it may not.

    Where the CSMS has ordered it so, it goes on however long that took (B13.FR.23).
    """
    if running.evse_id not in evses or running.closing is not None:
        return False
    if running.reset and ledger.state.interrupted == IMMEDIATE_RESET:
        return True
    most_s = settings.resumption_s()
    return most_s > 0 and 0.0 <= now.utc - running.alive_board_s <= most_s


def kept(ledger: Ledger, settings: TransactionSettings, now: Tick, running: Running) -> list[object]:
    """It is there again, and waits for its EV, or knows that this one was away (E17.FR.16)."""
    spot = ledger.state.spots[running.evse_id]
    away = running.state_told == IDLE or not running.evse_told
    running.resume_by = None if away else now.mono + PLUG_S
    running.updated_at = running.kept_at = running.saved_at = running.age_at = running.again_at = now.mono
    running.age_s += max(0.0, now.utc - running.alive_board_s)
    ordered = running.reset and ledger.state.interrupted == IMMEDIATE_RESET
    running.interrupted_utc = running.alive_utc if running.alive_synced and not ordered else None
    running.delayed = running.delayed or (running.state_told == CHARGING and not ordered)
    running.had_energy |= running.delayed or (running.state_told in AT_IT and not ordered)
    running.reset = False
    transaction_limits.bounds(ledger, running)
    spot.running, spot.owner, spot.group, spot.leaf = running, running.owner, running.group, running.leaf
    spot.conditions = replace(spot.conditions, authorised=running.authorised, bay_occupied=running.bay_occupied)
    ledger.evses[running.evse_id].transaction_id = running.transaction_id
    begun_Wh = running.begin.reading.import_Wh if running.begin else None
    plugged = not away if running.evse_told else None
    whose = running.owner, running.authorised, running.group, running.refused
    what = TransactionKept(running.evse_id, running.transaction_id, *whose, begun_Wh, plugged, running.leaf)
    out: list[object] = [what, Log("info", "transaction.kept", {"evse": running.evse_id, "id": running.transaction_id})]
    return out if not away else [*out, *told(ledger, now, running.evse_id, running)]


def resumed(ledger: Ledger, settings: TransactionSettings, now: Tick, running: Running) -> list[object]:
    """Its EV is there. What permits energy is said by who calls."""
    spot = ledger.state.spots[running.evse_id]
    running.resume_by, running.resumed_by, running.state_told = None, now.mono + TOLD_S, ""
    _decide(running, settings)
    running.delayed = running.delayed and not running.no_energy and settings.resumption_spread_s() > 0
    running.energy_from = now.mono + ledger.entropy.uniform() * settings.resumption_spread_s() if running.delayed else None
    spot.charging_state = ChargingState.EV_CONNECTED.value
    spot.conditions = replace(spot.conditions, connected=True)
    return [Log("info", "transaction.resumed", {"evse": running.evse_id, "id": running.transaction_id, "energy": not running.no_energy})]


def _decide(running: Running, settings: TransactionSettings) -> None:
    """Whether energy may flow in it again."""
    running.no_energy = running.no_energy or (running.had_energy and not settings.resumes_energy())
    running.had_energy = False


def flows(running: Running) -> list[object]:
    """Energy has been held back for long enough."""
    running.delayed, running.energy_from = False, None
    return [SupplyStopped(running.evse_id, False, DELAY)]


def reset(ledger: Ledger, settings: TransactionSettings, now: Tick, event: ResetInterrupts) -> list[object]:
    """The CSMS hears of a reset that leaves its transaction open (B13.FR.04), and where only the EVSE was reset, that it goes on (B13.FR.12)."""
    spot = ledger.state.spots[event.evse_id]
    running = spot.running
    if not event.over:
        if running is None:
            return []
        running.reset = True
        running.had_energy |= spot.charging_state == CHARGING
        return ledger.tell(now, event.evse_id, "Updated", Cause("ResetCommand"))
    out: list[object] = [SupplyStopped(event.evse_id, False, RESET)]
    if running is None:
        return out
    running.reset, running.resumed_by, running.state_told = False, now.mono + TOLD_S, ""
    _decide(running, settings)
    again = [Authorised(event.evse_id, running.owner)] if spot.conditions.authorised and running.owner else []
    return [*again, *stops(running), *out]


def stop_points(running: Running, settings: TransactionSettings) -> Collection[str]:
    """What ends it: not that a reset, which it outlives, takes its energy off."""
    points = settings.stop_points()
    return [point for point in points if point != ENERGY_TRANSFER] if running.reset else points


def stops(running: Running | None) -> list[object]:
    """For an EV that is permitted anew within its transaction: what has stopped the energy in it, and stands."""
    if running is None:
        return []
    delayed = running.energy_from is not None
    held = {transaction_limits.CAUSE: bool(running.limit_hit), CAUSE: running.no_energy, DELAY: delayed, RESET: running.reset}
    return [SupplyStopped(running.evse_id, True, cause) for cause, holds in held.items() if holds]


def judged(ledger: Ledger, now: Tick, event: TransactionTokenJudged) -> list[object]:
    """Whether the CSMS has refused its owner is written with it: nobody asks again after a restart."""
    running = ledger.state.spots[event.evse_id].running if event.evse_id else None
    if running is not None and running.transaction_id == event.transaction_id:
        running.refused = event.info.get("status") != "Accepted"
    return []


def time_known(ledger: Ledger, settings: TransactionSettings, now: Tick, event: object) -> list[object]:
    """The CSMS has told the time, and so how long it really was: that counts once, and no clock that it sets later does."""
    out: list[object] = []
    for evse_id, running in ledger.all_running() if ledger.clock.synchronised else ():
        utc, running.interrupted_utc = running.interrupted_utc, None
        if utc is not None and ledger.clock.utc(now) - utc > settings.resumption_s() + now.mono - running.again_at:
            out += ledger.end(now, evse_id, Cause("AbnormalCondition", ledger.state.interrupted))
    return out


def time_set(ledger: Ledger, settings: TransactionSettings, now: Tick, event: TimeSet) -> list[object]:
    """So are the times of what began before anybody had told one."""
    out = time_known(ledger, settings, now, event)
    for evse_id, running in ledger.all_running():
        if not running.clock_set:
            ledger.state.spots[evse_id].running = moved(running, event.changed_s)
    return out


def waits(running: Running, state: str) -> bool:
    """Whether the CSMS hears of it in another state than this one: where energy may flow, its EV will ask for it (E17.FR.11)."""
    return state == ChargingState.EV_CONNECTED.value or (state != CHARGING and not running.no_energy and not running.limit_hit)


def told(ledger: Ledger, now: Tick, evse_id: int, running: Running) -> list[object]:
    """The CSMS hears of it, with the state that it is in now."""
    running.resumed_by = None
    return ledger.tell(now, evse_id, "Updated", Cause("TxResumed"), tell_state=True)


def gone(ledger: Ledger, settings: TransactionSettings, now: Tick, spot: Spot, running: Running) -> list[object]:
    """Its EV is not there in time. Where that ends it, it ended when the power went, with what the meter has counted till then: nothing has flowed since."""
    if running.resume_by is None or now.mono < running.resume_by:
        return []
    before = replace(spot.conditions, connected=True)
    after = replace(before, connected=False, authorised=before.authorised and not ledger.state.end_on_unplug)
    if not ends(settings.stop_points(), before, after):
        running.resume_by, running.delayed = None, False
        _decide(running, settings)
        spot.charging_state = IDLE
        return [*told(ledger, now, running.evse_id, running), EvDisconnected(running.evse_id)]
    reading = ledger.meter.reading(now, running.evse_id)
    if reading is not None and (running.last is None or reading.import_Wh >= running.last.import_Wh):
        running.last = replace(reading, utc=running.alive_utc)
    spot.running = None
    spot.owner, spot.group, spot.leaf = None, "", ""
    spot.conditions = replace(spot.conditions, authorised=False)
    ledger.evses[running.evse_id].transaction_id = ""
    log = Log("info", "transaction.ended", {"evse": running.evse_id, "id": running.transaction_id, "reason": GONE})
    ended = ledger.cut_short(running, GONE, "EVCommunicationLost", IDLE)
    return [*ended, TransactionEnded(running.evse_id, running.transaction_id), log]
