"""AC, a vehicle that talks, with a closed contactor: whether energy flows, and at whose wish it does not (OCPP 2.1 ChargingStateEnumType).

| what is so | told when it stands so long |
|---|---|
| the vehicle is told to draw nothing, also where the limit is less than it can draw: SuspendedEVSE | 10 s; when its loop begins at once |
| it is told that it may, and as good as no current flows: SuspendedEV | 60 s |
| a current flows: Charging | 10 s |

Else the CSMS would hear a word for each step of a limit about the vehicle's least, and of a battery that is nearly full. A vehicle that begins takes its
time until it draws. Where nobody reads the meter, it is believed to.
"""

from __future__ import annotations

from chargepoint.events import ChargingState, Supply
from chargepoint.evse_state import Evse, Power
from chargepoint.tick import Tick

NO_CURRENT_A = 0.5
"""Less than this in each phase is none: what a vehicle draws at rest, and a meter shows of nothing. Ours."""
STANDS_S = {ChargingState.SUSPENDED_EVSE: 10.0, ChargingState.SUSPENDED_EV: 60.0, ChargingState.CHARGING: 10.0}
"""Ours."""


def settle(evse: Evse, now: Tick) -> None:
    """What is told of it, `EvseState.flow`: None outside of a loop."""
    s = evse.state
    target_W = evse.facts.vehicle.target_W if evse.facts.vehicle is not None else None
    if evse.is_dc or s.power is not Power.CLOSED or s.supply is not Supply.POWER:
        s.flow = s.flow_next = None
        return
    if target_W is None:
        return
    seen = _seen(evse, now, target_W)
    if s.flow is None:
        s.flow = seen if seen is ChargingState.SUSPENDED_EVSE else ChargingState.CHARGING
    if seen is not s.flow_next:
        s.flow_next, s.flow_since = seen, now.mono
    if seen is not s.flow and evse.reached(now, s.flow_since + STANDS_S[seen]):
        s.flow = seen


def _seen(evse: Evse, now: Tick, target_W: float) -> ChargingState:
    """At this moment."""
    meter = evse.facts.meter if now.mono - evse.facts.meter_mono <= evse.timings.meter_silence_s else None
    if target_W == 0.0:
        return ChargingState.SUSPENDED_EVSE
    drawn = meter is None or not meter.current_A or max(map(abs, meter.current_A)) >= NO_CURRENT_A
    return ChargingState.CHARGING if drawn else ChargingState.SUSPENDED_EV
