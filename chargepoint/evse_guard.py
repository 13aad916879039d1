"""What watches a charge: current against the offer, the meter, temperature, the residual-current device, the cable's coding."""

from __future__ import annotations

import math

from chargepoint import energy, evse_dc, evse_faults, evse_hlc
from chargepoint.commands import ResetResidualCurrent
from chargepoint.energy import Offer
from chargepoint.evse_state import Evse, Power
from chargepoint.faults import (
    CURRENT_WHILE_OPEN,
    METER_SILENT,
    METER_SILENT_STOPS,
    OVER_CURRENT,
    OVER_TEMPERATURE,
    PROXIMITY,
    RESIDUAL_CURRENT,
)
from chargepoint.tick import Tick
from hal.types import MeterSample

SOFT_FACTOR, SOFT_A = 1.10, 0.5
"""S-20: more than the limit + 10 % + 0.5 A for `overcurrent_delay_s` (7 s) stops the charge."""
HARD_FACTOR, HARD_S = 1.25, 1.0
"""S-20: more than the limit + 25 % for 1 s, too."""
STRAY_A, STRAY_S = 1.0, 2.0
"""Current with an open contactor: meter and feedback contradict each other (S-20; the numbers [K])."""
LEAP_FACTOR, LEAP_Wh, LEAP_READINGS = 2.0, 100.0, 3
"""Twice what the hardware carries, and something for a meter that counts in steps, is a leap; so many readings in a row make it true [K]."""
COOLER_K = 5.0
"""Over-temperature ends this much below where it began [K]."""
CABLE_WRONG_S = 0.5
"""A coding out of range is a fault after this; while a plug is moved, contacts bounce [K]."""


def offer(evse: Evse) -> Offer:
    """The least of all bounds now. A vehicle that talks can be told less than 6 A, too."""
    s = evse.state
    if evse.is_dc:
        return evse_dc.offer(evse)
    bounds = {k: v for k, v in s.limits.items() if k not in (energy.HARDWARE, energy.CABLE)}
    bounds[energy.HARDWARE] = min(evse.config.max_current_A, evse.board.max_current_A)
    if s.cable_A is not None:
        bounds[energy.CABLE] = s.cable_A
    for source, watts in s.limits_W.items():
        amps = watts / (evse.config.nominal_V * s.phases)
        bounds[source] = min(amps, bounds.get(source, amps))
    if s.thermal_A is not None:
        bounds[energy.THERMAL] = min(s.thermal_A, bounds.get(energy.THERMAL, s.thermal_A))
    if evse_hlc.by_session(evse):
        if not s.authorised or s.stops:
            bounds[energy.STOPPED] = 0.0
        return energy.least(bounds)
    return energy.offer(bounds, max(evse.config.min_current_A, evse.board.min_current_A))


def measured(evse: Evse, now: Tick, sample: MeterSample) -> list[object]:
    """A reading of the meter. One that is no number, or winds the register back, is none (S-12)."""
    out: list[object] = []
    if all(math.isfinite(amps) for amps in sample.current_A):  # whatever the register says: too much is too much (S-20)
        out += _over_current(evse, now, *_both_ways(sample))
    else:
        return out
    if not _register_right(evse, now, sample):
        return out
    evse.facts.meter, evse.facts.meter_mono = sample, now.mono
    evse.state.meter_at, evse.state.doubted_Wh, evse.state.doubts = now.mono, None, 0
    return out + evse_faults.cause_over(evse, METER_SILENT) + evse_faults.cause_over(evse, METER_SILENT_STOPS)


def _register_right(evse: Evse, now: Tick, sample: MeterSample) -> bool:
    """A register never goes back, and no faster on than the hardware carries; a leap that the next readings bear out is true after all."""
    s, last, energy_Wh = evse.state, evse.facts.meter, sample.energy_import_Wh
    if not math.isfinite(energy_Wh):
        return False
    if last is None:
        return True
    if energy_Wh < last.energy_import_Wh:
        return False
    ac_W = 3 * evse.config.nominal_V * max(evse.config.max_current_A, evse.board.max_current_A)
    rated_W = max(evse.board.dc.max_power_W, evse.config.dc.max_power_W) if evse.board.dc is not None else ac_W
    most_Wh = LEAP_FACTOR * rated_W * max(now.mono - evse.facts.meter_mono, 1.0) / 3600.0 + LEAP_Wh
    if energy_Wh - last.energy_import_Wh <= most_Wh:
        return True
    s.doubts = s.doubts + 1 if s.doubted_Wh is not None and 0.0 <= energy_Wh - s.doubted_Wh <= most_Wh else 1
    s.doubted_Wh = energy_Wh
    return s.doubts >= LEAP_READINGS


def limit_in_force(evse: Evse, now: Tick) -> float:
    """What the EV may draw: the offer, or the one before as long as the EV may take to follow a reduction."""
    s = evse.state
    return max(s.applied_A, s.old_limit_A) if now.mono < s.old_limit_until else s.applied_A


def _both_ways(sample: MeterSample) -> tuple[float, float]:
    """What is drawn, and what comes back, A. Some meters sign their currents, others only the power."""
    back = sample.power_W is not None and sample.power_W < 0
    drawn_A = max((amps for amps in sample.current_A if amps > 0), default=0.0)
    given_A = -min((amps for amps in sample.current_A if amps < 0), default=0.0)
    return (0.0, max(drawn_A, given_A)) if back else (drawn_A, given_A)


def _most_back_A(evse: Evse) -> float:
    """What a vehicle may feed back at most, on each phase."""
    if evse.is_dc:
        return evse_dc.ratings(evse).max_discharge_A
    return evse.config.v2g.ac_discharge_W / (evse.config.nominal_V * min(evse.config.phases, evse.board.phases))


def _over_current(evse: Evse, now: Tick, drawn_A: float, given_A: float) -> list[object]:
    s = evse.state
    limit_A = limit_in_force(evse, now)
    if given_A > drawn_A:
        drawn_A, limit_A = given_A, _most_back_A(evse)
    soft = drawn_A > limit_A * SOFT_FACTOR + SOFT_A
    hard = soft and drawn_A > limit_A * HARD_FACTOR
    s.over_soft_since = _since(s.over_soft_since, soft, now)
    s.over_hard_since = _since(s.over_hard_since, hard, now)
    stray = s.power is Power.OPEN and s.open_confirmed and drawn_A > STRAY_A
    s.stray_since = _since(s.stray_since, stray, now)
    out: list[object] = []
    for since, delay_s in ((s.over_soft_since, evse.timings.overcurrent_delay_s), (s.over_hard_since, HARD_S)):
        if since is not None and now.mono >= since + delay_s:
            out += evse_faults.raise_fault(evse, now, OVER_CURRENT, f"{drawn_A:.1f} A drawn of {limit_A:.1f} A")
    if s.stray_since is not None and now.mono >= s.stray_since + STRAY_S:
        out += evse_faults.raise_fault(evse, now, CURRENT_WHILE_OPEN, f"{drawn_A:.1f} A through an open contactor")
    return out


def _since(since: float | None, holds: bool, now: Tick) -> float | None:
    if not holds:
        return None
    return now.mono if since is None else since


def meter_silent(evse: Evse, now: Tick) -> list[object]:
    """No readings: the last one stays as it is (frozen, not zero: F-13)."""
    stops = evse.config.on_meter_silence == "stops"
    return evse_faults.raise_fault(evse, now, METER_SILENT_STOPS if stops else METER_SILENT)


def temperature(evse: Evse, now: Tick, place: str, temperature_C: float) -> list[object]:
    """The hottest place decides."""
    s, config = evse.state, evse.config
    s.temperatures_C[place] = temperature_C if math.isfinite(temperature_C) else config.derate_stop_C
    hottest_C = max(s.temperatures_C.values())
    s.thermal_A = energy.derated_A(hottest_C, config.derate_from_C, config.derate_stop_C, config.max_current_A)
    if hottest_C >= config.derate_stop_C:
        return evse_faults.raise_fault(evse, now, OVER_TEMPERATURE, f"{hottest_C:.0f} °C at {place or 'the sensor'}")
    if hottest_C < config.derate_stop_C - COOLER_K:
        return evse_faults.cause_over(evse, OVER_TEMPERATURE)
    return []


def residual_trip(evse: Evse, now: Tick, kind: str) -> list[object]:
    """The residual-current device tripped (F-15). It is re-armed by itself only as often as configured."""
    s = evse.state
    out = evse_faults.count_trip(evse)
    if s.residual_attempts < evse.config.residual_reclose_attempts:
        s.residual_attempts += 1
        s.residual_reclose_at = now.mono + evse.timings.residual_reclose_s
    return out + evse_faults.raise_fault(evse, now, RESIDUAL_CURRENT, f"residual current ({kind})")


def residual_rearmed(evse: Evse) -> list[object]:
    """The device took the re-arming."""
    evse.state.residual_reclose_at = None
    return evse_faults.acknowledged_by_itself(evse, RESIDUAL_CURRENT)


def proximity(evse: Evse, now: Tick, ohm: float | None) -> None:
    """The coding of the plug in a socket."""
    s = evse.state
    if not evse.has_socket:
        return
    s.plug_in_socket = not energy.plug_absent(ohm)
    s.cable_A = energy.cable_A(ohm, evse.config.phases)
    s.cable_wrong_since = None if s.cable_A is not None or not s.plug_in_socket else (s.cable_wrong_since or now.mono)


def settle(evse: Evse, now: Tick) -> list[object]:
    """What falls due with time."""
    s = evse.state
    out: list[object] = []
    if evse.has_socket:
        if s.cable_wrong_since is None:
            out += evse_faults.cause_over(evse, PROXIMITY)
        elif PROXIMITY not in s.faults and evse.reached(now, s.cable_wrong_since + CABLE_WRONG_S):
            out += evse_faults.raise_fault(evse, now, PROXIMITY)
    watched = evse.board.has_meter and s.running and not {METER_SILENT, METER_SILENT_STOPS} & s.faults.keys()
    if watched and evse.reached(now, s.meter_at + evse.timings.meter_silence_s):
        out += meter_silent(evse, now)
    out += _late_over_current(evse, now)
    if s.residual_reclose_at is not None and s.power is Power.OPEN and evse.reached(now, s.residual_reclose_at):
        s.residual_reclose_at = None
        out.append(ResetResidualCurrent(evse.id))
    return out


def _late_over_current(evse: Evse, now: Tick) -> list[object]:
    """Too much was drawn at the last reading, and none came since: no reading is not less current."""
    s, out = evse.state, list[object]()
    if s.power is not Power.CLOSED or OVER_CURRENT in s.faults:
        return out
    for since, delay_s in ((s.over_soft_since, evse.timings.overcurrent_delay_s), (s.over_hard_since, HARD_S)):
        if since is not None and evse.reached(now, since + delay_s + evse.timings.meter_interval_s):
            out += evse_faults.raise_fault(evse, now, OVER_CURRENT)
    return out
