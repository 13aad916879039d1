"""What power does to a transaction: the last moment for its Started, how long energy flows in it, and a vehicle that is lost under power (F-10, F-11)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from chargepoint.events import (
    ChargingState,
    DataLinkChanged,
    PowerSwitched,
    PowerWanted,
    SessionChanged,
    Supply,
    SupplyChanged,
    TransactionDurable,
)
from chargepoint.tick import Tick
from chargepoint.transaction_ledger import CHARGING, Ledger
from chargepoint.transaction_meter import charged_s
from chargepoint.transaction_points import DATA_SIGNED, ENERGY_TRANSFER, holding, trigger_of
from chargepoint.transaction_state import Cause, Spot


def wanted(ledger: Ledger, start_points: Collection[str], now: Tick, event: PowerWanted) -> list[object]:
    """Energy may flow in a moment: the last one for a Started, since nothing flows outside of a transaction.

    Whether it does is told later where a vehicle talks and takes what it wants (AC): its loop may begin with a limit under its least. The end of
    what has not begun ends nothing (TxStopPoint EnergyTransfer).
    """
    spot = ledger.state.spots[event.evse_id]
    if spot.running:
        return [TransactionDurable(event.evse_id, spot.running.transaction_id)] if spot.running.durable else []
    held = holding(start_points, spot.conditions)
    by_energy = ENERGY_TRANSFER in start_points or not (held or DATA_SIGNED in start_points)
    if not by_energy and not held:
        return []
    with_energy = replace(spot.conditions, energy=by_energy)
    if by_energy and not _tells_later(ledger, event.evse_id):
        spot.charging_state, spot.conditions = CHARGING, with_energy
    return ledger.start(now, event.evse_id, Cause(trigger_of(start_points, with_energy)))


def _tells_later(ledger: Ledger, evse_id: int) -> bool:
    return ledger.evses[evse_id].digital and evse_id not in ledger.meter.dc


def charges(now: Tick, spot: Spot, state: str) -> None:
    """The charging state is now this one; how long energy flows is counted on the way."""
    spot.charging_state = state
    if spot.running:
        spot.running.charging_s = charged_s(now, spot.running)
        spot.running.charging_at = now.mono if state == CHARGING else None


def supplied(ledger: Ledger, now: Tick, event: SupplyChanged) -> list[object]:
    """A session has power, or no longer; whether its vehicle draws any is another matter."""
    ledger.state.spots[event.evse_id].powered = ledger.evses[event.evse_id].supply is Supply.POWER
    return []


def link(ledger: Ledger, now: Tick, event: DataLinkChanged) -> list[object]:
    """Lost under power, it takes the energy off (F-10); the transaction goes on, and the vehicle may come back."""
    return _lost(ledger, now, event.evse_id) if not event.ready else []


def session(ledger: Ledger, now: Tick, event: SessionChanged) -> list[object]:
    """A vehicle that falls silent under power is the same (F-11)."""
    return _lost(ledger, now, event.evse_id) if event.lost else []


def _lost(ledger: Ledger, now: Tick, evse_id: int) -> list[object]:
    powered = ledger.state.spots[evse_id].powered
    return ledger.tell(now, evse_id, "Updated", Cause("EVCommunicationLost")) if powered else []


def switched(ledger: Ledger, now: Tick, event: PowerSwitched) -> list[object]:
    """An end that has waited for its contactor."""
    spot = ledger.state.spots[event.evse_id]
    running = spot.running
    if running is None or running.closing is None or event.closed:
        return []
    if spot.charging_state == CHARGING:
        charges(now, spot, ChargingState.EV_CONNECTED.value)
    return ledger.end(now, event.evse_id, running.closing)
