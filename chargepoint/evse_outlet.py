"""The station's own look at a DC outlet that it has opened: without a vehicle's battery on it there is no voltage (IEC 61851-23 [K]).

The rule. Judged is an outlet whose contactor was ordered open, and on which no battery may stand:

- state A: there is no vehicle, so the voltage is ours, and its pins can be touched. `OUTLET_FALLS_S` after both, it is `OutletLive`;
- state B while no session is under way: a vehicle has opened its contactors when its session is over, however that ended, and has not closed
  them before one. `VEHICLE_OPENS_S` after all three it is the vehicle's own failure, unless the stage's terminals have the same voltage: then the
  two sides are one circuit, and that is ours.

- a session that wants its cable check, before anything was closed for it: judged at once, and as in B.

Not judged otherwise: C and D, and B in a session (S2 opens before the vehicle's contactors do, and welding detection is still to come); E and F, which
say nothing of a vehicle; an output that still goes down; an outlet that nobody reads. What stands meanwhile goes on standing: a plug that comes and goes
does not begin the time of state A anew.

What is ours stays until a person has looked, as a welded contactor does (F-14); what is the vehicle's, until it is gone. Either opens and
keeps the 5 % away: no session begins. A voltage that still stands when a person acknowledges is found again.
"""

from __future__ import annotations

from chargepoint import evse_faults
from chargepoint.events import Supply
from chargepoint.evse_dc import MEET_V, SAFE_V, reading
from chargepoint.evse_state import Check, Evse, Power
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
    s = evse.state
    if not evse.is_dc:
        return []
    sample = reading(evse, now)
    if sample is None or sample.outlet_V < SAFE_V or s.power not in (Power.OPEN, Power.OPENING):
        s.outlet_live_since, s.outlet_nobody_s = None, 0.0
        return evse_faults.cause_over(evse, OUTLET_LIVE) if sample is not None and sample.outlet_V < SAFE_V else []
    if s.supply is Supply.CABLE_CHECK and s.check is Check.NONE and s.power is Power.OPEN and s.open_confirmed:
        s.check = Check.FAILED
        return evse_faults.raise_fault(evse, now, *_whose(sample, "before anything was closed"))
    within_s = _within_s(evse)
    if s.outlet_live_since is None or within_s != s.outlet_within_s:
        if s.outlet_live_since is not None and s.outlet_within_s == OUTLET_FALLS_S:
            s.outlet_nobody_s += now.mono - s.outlet_live_since
        s.outlet_live_since, s.outlet_within_s = now.mono, within_s
    stood_s = s.outlet_nobody_s if within_s == OUTLET_FALLS_S else 0.0
    if within_s is None or not evse.reached(now, s.outlet_live_since + within_s - stood_s):
        return []
    if s.cp in _NOBODY:
        return evse_faults.raise_fault(
            evse, now, OUTLET_LIVE, f"{sample.outlet_V:.0f} V at the outlet {within_s:g} s after opening, and no vehicle is there"
        )
    return evse_faults.raise_fault(evse, now, *_whose(sample, f"{within_s:g} s after the session"))


def _within_s(evse: Evse) -> float | None:
    """How long there may still be voltage; None: for as long as it likes."""
    s = evse.state
    if s.cp in _NOBODY:
        return OUTLET_FALLS_S
    return VEHICLE_OPENS_S if s.cp in _OPENED and s.hlc is not HlcState.TALKING else None


def _whose(sample: DcSample, when: str) -> tuple[str, str]:
    """Whose failure it is, of the vehicle that is there or ours, and in words."""
    volts = f"{sample.outlet_V:.0f} V at the outlet {when}"
    if abs(sample.voltage_V - sample.outlet_V) < MEET_V:
        return OUTLET_LIVE, f"{volts}, and at the stage as well"
    return EV_CONTACTOR, f"{volts}, from the vehicle"
