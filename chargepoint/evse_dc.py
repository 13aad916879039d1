"""The DC output of one EVSE: cable check, precharge, current within every bound, and off before anything opens (IEC 61851-23, ISO 15118).

The session says what the vehicle wants; what the stage is ordered is decided here. It is ordered nothing while the contactor is open.
"""

from __future__ import annotations

import math

from chargepoint import energy, evse_faults
from chargepoint.commands import Log, MeasureInsulation, SetDcOutput, StopDcOutput
from chargepoint.config import EvseConfig
from chargepoint.energy import Offer
from chargepoint.events import InsulationTested, Supply, SupplyChanged
from chargepoint.evse_state import Check, Evse, Power
from chargepoint.facts import Bounds
from chargepoint.faults import BOARD_SILENT, CABLE_CHECK, DC_OVER, DC_SILENT, DC_STAGE, INSULATION
from chargepoint.tick import Tick
from hal.types import DcRatings, DcSample, EvseInfo

IDLE_A = 2.0
"""More does not flow before PowerDelivery Start, nor after the ramp-down (closing invariant)."""
TEST_A = 1.0
"""Of the stage while the cable is checked: nothing but leakage draws."""
OPENS_A = 5.0
"""Below this a DC contactor may open (IEC 61851-23 [K])."""
MEET_V = 20.0
"""The two sides of a contactor that closes differ by less (IEC 61851-23 [K])."""
SAFE_V = 60.0
"""An outlet with less is without voltage (IEC 61851-23 [K])."""
OHM_PER_V = 100.0
"""Less insulation for each volt of the output is a fault (IEC 61851-23 CC.4.1 [K])."""
RISEN = 0.95
"""Of the test voltage: the insulation is measured from here on."""
UNREAD_S = 1.5
"""So long a reading of the output says what is so; while the stage delivers, it may be without one for no longer [K]."""
SILENT_S = 3.0
"""While nothing is delivered, a stage that has said nothing for so long is silent: three of its readings are missing [K]."""
FOLLOWS_S = 1.0
"""So long the stage may take to follow a reduction [K]."""
OVER, OVER_V, OVER_A, OVER_S = 1.05, 10.0, 5.0, 0.4
"""The output has more than was ordered, for so long: the stage cannot be relied on [K]."""


def ratings(evse: Evse) -> DcRatings:
    """Of this EVSE."""
    return ratings_of(evse.config, evse.board)


def ratings_of(config: EvseConfig, info: EvseInfo) -> DcRatings:
    """What site and board let the stage do, together; without a stage nothing."""
    board, site = info.dc, config.dc
    if board is None:
        return DcRatings(0.0, 0.0, 0.0, 0.0)
    return DcRatings(
        min(board.max_voltage_V, site.max_voltage_V),
        max(board.min_voltage_V, site.min_voltage_V),
        min(board.max_current_A, site.max_current_A),
        min(board.max_power_W, site.max_power_W),
        min(board.max_discharge_A, site.max_discharge_A),
        min(board.max_discharge_W, site.max_discharge_W),
        board.ramp_A_per_s,
    )


def offer(evse: Evse) -> Offer:
    """The current that the output may have now, with the bound that says so; the power bound is `power`."""
    volts, found = _offered_V(evse), _bounds_A(evse)
    for source, watts in _bounds_W(evse).items():
        found[source] = min(found.get(source, math.inf), watts / volts)
    return energy.least(found)


def power(evse: Evse) -> float:
    """The power that the output may have now, W."""
    return max(0.0, min((*_bounds_W(evse).values(), offer(evse).current_A * _offered_V(evse))))


def bounds(evse: Evse) -> Bounds:
    """The same without a voltage."""
    return Bounds(energy.least(_bounds_A(evse)).current_A, energy.least(_bounds_W(evse)).current_A)


def _bounds_A(evse: Evse) -> dict[str, float]:
    s, rated = evse.state, ratings(evse)
    found = {energy.HARDWARE: rated.max_current_A}
    for source, amps in s.limits.items():
        found[source] = min(found.get(source, math.inf), amps)
    if not s.authorised or s.stops:
        found[energy.STOPPED] = 0.0
    if s.thermal_A is not None:
        found[energy.THERMAL] = min(found.get(energy.THERMAL, math.inf), rated.max_current_A * s.thermal_A / evse.config.max_current_A)
    return found


def _bounds_W(evse: Evse) -> dict[str, float]:
    return {source: min(watts, ratings(evse).max_power_W) for source, watts in {energy.HARDWARE: math.inf, **evse.state.limits_W}.items()}


def reading(evse: Evse, now: Tick) -> DcSample | None:
    """The output as it is: the last sample, unless that is older than `UNREAD_S`; then nobody knows, and at that moment everything is judged anew."""
    sample = evse.facts.dc
    return None if sample is None or evse.reached(now, evse.state.dc_sample_at + UNREAD_S) else sample


def voltages_meet(evse: Evse, now: Tick) -> bool:
    """Both sides of the open contactor are near enough, or nothing is on the cable. Without a reading nobody knows."""
    if not evse.is_dc:
        return True
    sample = reading(evse, now)
    return sample is not None and (abs(sample.voltage_V - sample.outlet_V) < MEET_V or max(sample.voltage_V, sample.outlet_V) < SAFE_V)


def may_flow(evse: Evse) -> bool:
    """More current than a contactor should break, or on its way there since the last reading."""
    sample, ordered = evse.facts.dc, evse.state.dc_ordered
    return sample is None or abs(sample.current_A) >= OPENS_A or (ordered is not None and abs(ordered[1]) >= OPENS_A)


def is_down(evse: Evse) -> bool:
    """A reading since the output was ordered off shows hardly a current."""
    sample = evse.facts.dc
    return sample is not None and evse.state.dc_sample_at > evse.state.power_since and abs(sample.current_A) < OPENS_A


# ---- in


def measured(evse: Evse, now: Tick, sample: DcSample) -> list[object]:
    """A reading of the output. One that is no number is none."""
    if not all(math.isfinite(value) for value in (sample.voltage_V, sample.current_A, sample.outlet_V)):
        return []
    s = evse.state
    evse.facts.dc, s.dc_sample_at = sample, now.mono
    ordered_V, ordered_A = s.dc_ordered or (0.0, 0.0)
    most_A = max(abs(ordered_A), s.dc_before_A if now.mono < s.dc_before_until else 0.0) * OVER + OVER_A
    # A battery may hold more voltage than was ordered; then nothing flows into it.
    high = sample.voltage_V > ordered_V * OVER + OVER_V and (sample.current_A > IDLE_A or s.supply is Supply.CABLE_CHECK)
    over = s.dc_ordered is not None and s.power is Power.CLOSED and (high or abs(sample.current_A) > most_A)
    s.dc_over_since = (s.dc_over_since if s.dc_over_since is not None else now.mono) if over else None
    return evse_faults.cause_over(evse, DC_SILENT)


def insulation(evse: Evse, now: Tick, resistance_ohm: float) -> list[object]:
    """What the monitor measured: the answer to a check, or a change while there is voltage."""
    s = evse.state
    most_V = check_V(evse) if s.check is Check.MEASURING else _present_V(evse)
    right = math.isfinite(resistance_ohm) and resistance_ohm >= OHM_PER_V * most_V
    if s.check is Check.MEASURING:
        if not right:
            return failed_check(evse, now, f"{resistance_ohm / 1000:.0f} kohm to earth at {most_V:.0f} V")
        s.check, s.check_since = Check.FALLING, now.mono
        return []
    if s.power is Power.CLOSED and s.check is Check.PASSED and not right:
        return evse_faults.raise_fault(evse, now, INSULATION, f"{resistance_ohm / 1000:.0f} kohm to earth at {most_V:.0f} V")
    return []


def failed_check(evse: Evse, now: Tick, why: str) -> list[object]:
    """The cable check has failed: no charge with this plug-in."""
    evse.state.check, evse.facts.insulation = Check.FAILED, False
    return [*evse_faults.raise_fault(evse, now, CABLE_CHECK, why), InsulationTested(evse.id, passed=False)]


def failed(evse: Evse, now: Tick, command: str, error: str) -> list[object]:
    """Stage or monitor did not do it."""
    if command == MeasureInsulation.__name__:
        return failed_check(evse, now, "the insulation monitor gives no reading") if evse.state.check is Check.MEASURING else []
    evse.state.dc_ordered = None
    return [] if error == "LeaseLapsed" else evse_faults.raise_fault(evse, now, DC_STAGE, f"{command}: {error}")


# ---- what follows


def watch(evse: Evse, now: Tick) -> list[object]:
    """The cable check's course, and an output that does not do what it was ordered."""
    if not evse.is_dc:
        return []
    s = evse.state
    if s.supply is not Supply.CABLE_CHECK and s.check is not Check.NONE and s.supply is Supply.OFF:
        s.check, evse.facts.insulation = Check.NONE, None
    sample = evse.facts.dc = reading(evse, now)
    out = _silent(evse, now)
    read_at = max(s.dc_sample_at, s.dc_ordered_at)
    if s.dc_ordered is not None and s.power is Power.CLOSED and evse.reached(now, read_at + UNREAD_S):
        out += evse_faults.raise_fault(evse, now, DC_STAGE, f"no reading of the output for {UNREAD_S:g} s")
    if s.dc_over_since is not None and evse.reached(now, s.dc_over_since + OVER_S):
        s.dc_over_since = None
        out += evse_faults.raise_fault(evse, now, DC_OVER)
    return out + (_check(evse, now, sample) if sample is not None else [])


def _silent(evse: Evse, now: Tick) -> list[object]:
    """A stage without a word while nothing is delivered: no session begins. When the whole board is silent, that is told already."""
    s = evse.state
    if not s.running or s.dc_ordered is not None or BOARD_SILENT in s.faults or not evse.reached(now, s.dc_sample_at + SILENT_S):
        return []
    return evse_faults.raise_fault(evse, now, DC_SILENT, f"no reading of the DC output for {SILENT_S:g} s")


def _check(evse: Evse, now: Tick, sample: DcSample) -> list[object]:
    s, t = evse.state, evse.timings
    if s.supply is not Supply.CABLE_CHECK or s.power is not Power.CLOSED:
        return []
    match s.check:
        case Check.NONE:
            s.check, s.check_since = Check.RISING, now.mono
        case Check.RISING if sample.voltage_V >= RISEN * check_V(evse):
            s.check, s.check_since = Check.MEASURING, now.mono
            return [MeasureInsulation(evse.id)]
        case Check.RISING if evse.reached(now, s.check_since + t.dc_rise_s):
            return failed_check(evse, now, "the output does not reach the test voltage")
        case Check.MEASURING if evse.reached(now, s.check_since + t.insulation_s):
            return failed_check(evse, now, "the insulation monitor does not answer")
        case Check.FALLING if sample.outlet_V < SAFE_V:
            s.check, evse.facts.insulation = Check.PASSED, True
            return [InsulationTested(evse.id, passed=True), Log("info", "cable_check.passed", {"evse": evse.id})]
        case Check.FALLING if evse.reached(now, s.check_since + t.dc_rise_s):
            return failed_check(evse, now, "the output does not go down again")
    return []


def check_V(evse: Evse) -> float:
    """The cable is checked at the highest voltage that this session may have."""
    rated = ratings(evse)
    return min(evse.state.asked_V or rated.max_voltage_V, rated.max_voltage_V)


def settle(evse: Evse, now: Tick) -> list[object]:
    """Order the stage what is to be on the output now, and say what the output is there for."""
    s = evse.state
    out: list[object] = []
    if evse.is_dc:
        wanted = _wanted(evse)
        if wanted is None and s.dc_ordered is not None:
            out.append(StopDcOutput(evse.id))
        elif wanted is not None and wanted != s.dc_ordered:
            if s.dc_ordered is not None and abs(wanted[1]) < abs(s.dc_ordered[1]):
                before_A = s.dc_before_A if now.mono < s.dc_before_until else 0.0
                s.dc_before_A, s.dc_before_until = max(abs(s.dc_ordered[1]), before_A), now.mono + FOLLOWS_S
            out.append(SetDcOutput(evse.id, *wanted))
        if wanted is not None and s.dc_ordered is None:
            s.dc_ordered_at = now.mono
        s.dc_ordered = wanted
    supply = s.supply if s.power is Power.CLOSED else Supply.OFF
    if supply is Supply.POWER:
        s.charged, s.hlc_attempts = True, 0
    if supply is not evse.facts.supply:
        evse.facts.supply = supply
        out.append(SupplyChanged(evse.id))
    return out


def _wanted(evse: Evse) -> tuple[float, float] | None:
    s, rated = evse.state, ratings(evse)
    if s.power is not Power.CLOSED:
        return None
    match s.supply:
        case Supply.CABLE_CHECK if s.check in (Check.RISING, Check.MEASURING) and check_V(evse) >= rated.min_voltage_V:
            return check_V(evse), TEST_A
        case Supply.PRECHARGE if s.check is Check.PASSED and s.asked_V >= rated.min_voltage_V:
            return min(s.asked_V, rated.max_voltage_V), IDLE_A
        case Supply.STANDBY if s.check is Check.PASSED and s.asked_V >= rated.min_voltage_V:
            return min(s.asked_V, rated.max_voltage_V), 0.0
        case Supply.POWER if s.check is Check.PASSED and s.asked_V >= rated.min_voltage_V:
            volts = _delivered_V(evse)
            least_A = (
                -min(rated.max_discharge_A, rated.max_discharge_W / volts) if gives_back(evse) and s.authorised and not s.stops else 0.0
            )
            return min(s.asked_V, rated.max_voltage_V), max(least_A, min(s.asked_A, offer(evse).current_A))
    return None


def gives_back(evse: Evse) -> bool:
    """The vehicle has chosen a service both ways."""
    vehicle = evse.facts.vehicle
    return vehicle is not None and vehicle.chosen is not None and vehicle.chosen.energy.is_bpt


def _offered_V(evse: Evse) -> float:
    """By which a power is a current: that of the battery once it is on the output; before, the most that the vehicle takes."""
    rated, vehicle = ratings(evse), evse.facts.vehicle
    if evse.state.power is Power.CLOSED and evse.state.supply is Supply.POWER:
        return max(_delivered_V(evse), rated.min_voltage_V)
    most_V = vehicle.limits.max_voltage_V if vehicle is not None else None
    return max(min(most_V or rated.max_voltage_V, rated.max_voltage_V), rated.min_voltage_V, 1.0)


def _delivered_V(evse: Evse) -> float:
    """By which a power is a current while there is one; while nobody knows the voltage, the highest that it can be."""
    return max(_present_V(evse), 1.0) if evse.facts.dc is not None else max(ratings(evse).max_voltage_V, 1.0)


def _present_V(evse: Evse) -> float:
    return evse.facts.dc.voltage_V if evse.facts.dc is not None else 0.0
