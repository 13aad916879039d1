"""The station's own look at a DC outlet that it has opened: without a vehicle's battery on it there is no voltage (IEC 61851-23 [K]).

The rule. Judged is an outlet whose contactor was ordered open, and on which no battery may stand:

- state A: there is no vehicle, so the voltage is ours, and its pins can be touched. `OUTLET_FALLS_S` after both, it is `OutletLive`;
- state B while no session is under way: a vehicle has opened its contactors when its session is over, however that ended, and has not closed
  them before one. `VEHICLE_OPENS_S` after all three it is the vehicle's own failure, unless the stage's terminals have the same voltage: then the
  two sides are one circuit, and that is ours.

Not judged: C and D, and B in a session (S2 opens before the vehicle's contactors do, and welding detection is still to come); E and F, which say
nothing of a vehicle; an output that still goes down; a board that is silent.

What is ours stays until a person has looked, as a welded contactor does (F-14); what is the vehicle's, until it is gone. Either opens and
keeps the 5 % away: no session begins. A voltage that still stands when a person acknowledges is found again.
"""

from __future__ import annotations

from chargepoint import evse_faults
from chargepoint.evse_dc import MEET_V, SAFE_V
from chargepoint.evse_state import Evse, Power
from chargepoint.faults import EV_CONTACTOR, OUTLET_LIVE
from chargepoint.hlc import HlcState
from chargepoint.pilot import CpState
from chargepoint.tick import Tick
from hal.types import DcSample

OUTLET_FALLS_S = 2.0
"""From the opening to an outlet without voltage: 1 s (IEC 61851-23 [K]), and as much for a reading to come."""
VEHICLE_OPENS_S = 5.0
"""So long a vehicle whose session is over may take to open its contactors: as long as it may keep its connection (ISO 15118 [K])."""
_NOBODY = (CpState.A1, CpState.A2)
_OPENED = (CpState.B1, CpState.B2)


def watch(evse: Evse, now: Tick) -> list[object]:
    """Judge the outlet, where it can be judged."""
    s, sample = evse.state, evse.facts.dc
    if not evse.is_dc:
        return []
    within_s = _within_s(evse)
    if within_s is None or sample is None or sample.outlet_V < SAFE_V:
        s.outlet_live_since = None
        return evse_faults.cause_over(evse, OUTLET_LIVE) if sample is not None and sample.outlet_V < SAFE_V else []
    if s.outlet_live_since is None or within_s != s.outlet_within_s:
        s.outlet_live_since, s.outlet_within_s = now.mono, within_s
    if not evse.reached(now, s.outlet_live_since + within_s):
        return []
    return evse_faults.raise_fault(evse, now, *_found(evse, sample, within_s))


def _within_s(evse: Evse) -> float | None:
    """How long there may still be voltage; None: for as long as it likes."""
    s = evse.state
    if s.power not in (Power.OPEN, Power.OPENING):
        return None
    if s.cp in _NOBODY:
        return OUTLET_FALLS_S
    return VEHICLE_OPENS_S if s.cp in _OPENED and s.hlc is not HlcState.TALKING else None


def _found(evse: Evse, sample: DcSample, within_s: float) -> tuple[str, str]:
    """Whose failure it is, and in words."""
    volts = f"{sample.outlet_V:.0f} V at the outlet {within_s:g} s after"
    if evse.state.cp in _NOBODY:
        return OUTLET_LIVE, f"{volts} opening, and no vehicle is there"
    if abs(sample.voltage_V - sample.outlet_V) < MEET_V:
        return OUTLET_LIVE, f"{volts} opening, and at the stage as well"
    return EV_CONTACTOR, f"{volts} the session, from the vehicle"
