"""Bounds of one transaction on energy, time, cost and state of charge, by the CSMS and by the driver (OCPP 2.1 E16, F07).

The lower of both counts. When one is reached, energy stops, and the transaction goes on unless TxStopPoint ends it; a higher bound lets it flow again. The CSMS hears its bounds
back once (LimitSet), and what was reached with the state of charging that follows. Costs are the CSMS's own: what it says a transaction has cost so far.
"""

from __future__ import annotations

from dataclasses import fields, replace

from chargepoint.commands import Log
from chargepoint.events import ChargingState, Limits, SupplyStopped, TransactionAnswered
from chargepoint.tick import Tick
from chargepoint.transaction_ledger import Ledger
from chargepoint.transaction_points import ENERGY_TRANSFER
from chargepoint.transaction_state import Cause, Running, TransactionSettings

SUSPENDED_EVSE = ChargingState.SUSPENDED_EVSE.value
CAUSE = "limit"
"""Of the SupplyStopped."""
TOLD_S = 5.0
"""A vehicle has stopped by then, or shown that it wants energy, or the CSMS hears of it as things stand. Ours."""
REASONS = {
    "EnergyLimitReached": "EnergyLimitReached",
    "TimeLimitReached": "TimeLimitReached",
    "CostLimitReached": "LocalOutOfCredit",
    "SoCLimitReached": "SOCLimitReached",
}
"""TriggerReasonEnumType -> ReasonEnumType, where the transaction ends with it."""


def lower(one: Limits, other: Limits) -> Limits:
    """Of both, bound by bound.

    >>> lower(Limits(energy_Wh=2000.0), Limits(energy_Wh=30.0, time_s=60))
    Limits(cost=None, energy_Wh=30.0, time_s=60, soc_percent=None)
    """
    pairs = {each.name: [v for v in (getattr(one, each.name), getattr(other, each.name)) if v is not None] for each in fields(Limits)}
    return Limits(**{name: min(values, default=None) for name, values in pairs.items()})


def changed(limits: Limits, new: Limits) -> Limits:
    """What was set before stands where it is not set anew: a bound can be changed, and not be taken away (E16.FR.17).

    >>> changed(Limits(energy_Wh=2000.0), Limits(time_s=60))
    Limits(cost=None, energy_Wh=2000.0, time_s=60, soc_percent=None)
    """
    found = {each.name: getattr(new, each.name) for each in fields(Limits)}
    return replace(limits, **{name: value for name, value in found.items() if value is not None})


def in_force(running: Running) -> Limits:
    """What bounds it now."""
    return lower(running.csms_limits, running.driver_limits)


def answered(ledger: Ledger, settings: TransactionSettings, now: Tick, running: Running, event: TransactionAnswered) -> list[object]:
    """The CSMS has set bounds, or said what it has cost."""
    running.cost = event.total_cost if event.total_cost is not None else running.cost
    before = running.csms_limits
    running.csms_limits = changed(before, event.limits) if event.limits is not None else before
    echo = running.csms_limits != before
    return _changed(ledger, settings, now, running, echo=echo)


def wanted(ledger: Ledger, settings: TransactionSettings, now: Tick, running: Running, limits: Limits) -> list[object]:
    """The driver has set bounds."""
    before, running.driver_limits = running.driver_limits, changed(running.driver_limits, limits)
    echo = running.driver_limits != before
    return _changed(ledger, settings, now, running, echo=echo)


def _changed(ledger: Ledger, settings: TransactionSettings, now: Tick, running: Running, *, echo: bool) -> list[object]:
    bounds(ledger, running)
    told = ledger.tell(now, running.evse_id, "Updated", replace(Cause("LimitSet"), limits=in_force(running))) if echo else []
    return [*told, *looked(ledger, settings, now, running)]


def bounds(ledger: Ledger, running: Running) -> None:
    """When its time is over, by the clock that nobody sets; and whether anybody has to say what it costs."""
    limits = in_force(running)
    ledger.evses[running.evse_id].cost_bounded, most_s = limits.cost is not None, limits.time_s
    running.time_up_at = None if most_s is None else running.age_at + most_s - running.age_s


def reached(ledger: Ledger, now: Tick, running: Running) -> str:
    """TriggerReasonEnumType of the bound that has been reached; "" for none."""
    limits, facts = in_force(running), ledger.evses[running.evse_id]
    begun_Wh = running.begin.reading.import_Wh if running.begin else None
    meter = facts.meter
    if limits.energy_Wh is not None and begun_Wh is not None and meter and meter.energy_import_Wh - begun_Wh >= limits.energy_Wh:
        return "EnergyLimitReached"
    if running.time_up_at is not None and now.mono >= running.time_up_at:
        return "TimeLimitReached"
    if limits.cost is not None and (running.cost or 0.0) >= limits.cost:
        return "CostLimitReached"
    soc = facts.vehicle.battery.soc if facts.vehicle else None
    running.soc_percent = running.soc_percent if soc is None else soc  # who shows none any more has not been discharged
    full = limits.soc_percent is not None and running.soc_percent is not None and running.soc_percent >= limits.soc_percent
    return "SoCLimitReached" if full else ""


def looked(ledger: Ledger, settings: TransactionSettings, now: Tick, running: Running) -> list[object]:
    """Stop the energy where a bound has been reached, and let it flow where it is no longer."""
    hit = reached(ledger, now, running)
    if bool(hit) == bool(running.limit_hit):
        return []
    was, running.limit_hit = running.limit_hit, hit
    log = Log("info", "transaction.limit", {"evse": running.evse_id, "id": running.transaction_id, "reached": hit, "was": was})
    if not hit:
        running.limit_told_by = None
        return [SupplyStopped(running.evse_id, False, CAUSE), log]
    out: list[object] = [SupplyStopped(running.evse_id, True, CAUSE), log]
    if ledger.state.spots[running.evse_id].charging_state != SUSPENDED_EVSE or running.resumed_by is not None:
        running.limit_told_by = now.mono + TOLD_S
        return out
    return [*out, *told(ledger, settings, now, running)]


def told(ledger: Ledger, settings: TransactionSettings, now: Tick, running: Running) -> list[object]:
    """The CSMS hears which bound was reached, as things stand; where a transaction ends with its energy, that is its end, though none flowed (E16.FR.06)."""
    running.limit_told_by = None
    if ENERGY_TRANSFER in settings.stop_points():
        return ledger.end(now, running.evse_id, Cause(running.limit_hit, REASONS[running.limit_hit]))
    return ledger.tell(now, running.evse_id, "Updated", Cause(running.limit_hit), tell_state=True)
