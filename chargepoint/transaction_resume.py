"""A transaction that a restart has interrupted goes on, or ended when the power went (OCPP 2.1 E17, B13).

Rows say what ran. One that was interrupted no longer than ResumptionTimeout waits for its EV, which shows itself when the board has looked at the
pilot; then everything is as it was, and the CSMS hears TxResumed with the first state of charging. Without AllowEnergyTransferResumption no energy
flows any more in it: another EV may have been plugged in meanwhile.

| interrupted | EV | |
|---|---|---|
| longer than ResumptionTimeout, or nobody knows how long | | Ended, PowerLoss or Reboot, with what was on disk |
| not longer | there within 30 s | Updated, TxResumed; energy as AllowEnergyTransferResumption says |
| not longer | not there | Ended, as above |
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from chargepoint import transaction_limits
from chargepoint.commands import Log
from chargepoint.events import ChargingState, SupplyStopped, TransactionEnded, TransactionKept
from chargepoint.tick import Tick
from chargepoint.transaction_ledger import Ledger
from chargepoint.transaction_state import Cause, Running, Spot, TransactionSettings

PLUG_S = 30.0
"""A board has told what is plugged in by then. Ours."""
TOLD_S = 10.0
"""An EV that goes on does so within this. Ours."""
CAUSE = "resumption"
"""Of the SupplyStopped where energy is not to flow again."""
CONNECTED = frozenset(
    {ChargingState.EV_CONNECTED.value, ChargingState.CHARGING.value, ChargingState.SUSPENDED_EV.value, ChargingState.SUSPENDED_EVSE.value}
)


def goes_on(now: Tick, running: Running, evses: Collection[int], settings: TransactionSettings) -> bool:
    """Whether it may. A board's clock that has gone back, or was never so far, says nothing of how long it was: then it may not."""
    if running.evse_id not in evses or running.state_told not in CONNECTED or running.closing is not None:
        return False
    return 0.0 <= now.utc - running.alive_board_s <= settings.resumption_s()


def kept(ledger: Ledger, now: Tick, running: Running) -> list[object]:
    """It is there again, and waits for its EV."""
    spot = ledger.state.spots[running.evse_id]
    running.resume_by = now.mono + PLUG_S
    running.updated_at = running.kept_at = running.saved_at = now.mono
    spot.running, spot.owner, spot.group = running, running.owner, running.group
    spot.conditions = replace(spot.conditions, authorised=running.authorised)
    ledger.evses[running.evse_id].transaction_id = running.transaction_id
    transaction_limits.timed(ledger, now, running)
    what = TransactionKept(running.evse_id, running.transaction_id, running.owner, running.authorised, running.group)
    return [what, Log("info", "transaction.kept", {"evse": running.evse_id, "id": running.transaction_id})]


def resumed(ledger: Ledger, now: Tick, spot: Spot, running: Running, *, energy: bool) -> list[object]:
    """Its EV is there. What permits energy is said by who calls."""
    running.resume_by, running.resumed_by, running.state_told = None, now.mono + TOLD_S, ""
    spot.charging_state = ChargingState.EV_CONNECTED.value
    spot.conditions = replace(spot.conditions, connected=True)
    log = Log("info", "transaction.resumed", {"evse": running.evse_id, "id": running.transaction_id, "energy": energy})
    return [log] if energy or not spot.conditions.authorised else [SupplyStopped(running.evse_id, True, CAUSE), log]


def told(ledger: Ledger, now: Tick, evse_id: int, running: Running) -> list[object]:
    """The CSMS hears of it, with the state that it is in now."""
    running.resumed_by = None
    return ledger.tell(now, evse_id, "Updated", Cause("TxResumed"), tell_state=True)


def gone(ledger: Ledger, spot: Spot, running: Running) -> list[object]:
    """Its EV is not there: it ended when the power went."""
    spot.running = None
    spot.owner, spot.group = None, ""
    spot.conditions = replace(spot.conditions, authorised=False)
    ledger.evses[running.evse_id].transaction_id = ""
    log = Log("info", "transaction.ended", {"evse": running.evse_id, "id": running.transaction_id, "reason": ledger.state.interrupted})
    return [*ledger.cut_short(running, ledger.state.interrupted), TransactionEnded(running.evse_id, running.transaction_id), log]
