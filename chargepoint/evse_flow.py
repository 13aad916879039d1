"""Whether energy flows where a session lets it, and at whose wish it does not (OCPP 2.1 ChargingStateEnumType). DC: it flows as long as there is an offer.
AC, in the loop:

| what is so | told when it stands so long |
|---|---|
| a current flows, either way and whatever the vehicle is told: Charging | 10 s |
| none, and it is told to draw nothing, also where the limit is less than it can draw: SuspendedEVSE | 10 s; when its loop begins, and where there is nothing at all, at once |
| none, and it is told that it may: SuspendedEV | 60 s |

Else the CSMS would hear a word for each step of a limit about the vehicle's least, and of a battery that is nearly full. A vehicle that begins takes its
time until it draws. Where nobody reads the meter it is believed to draw what it may, unless the meter has shown before that it does not.
"""

from __future__ import annotations

from chargepoint.events import ChargingState, Supply
from chargepoint.evse_state import Evse, Power
from chargepoint.tick import Tick

NO_CURRENT_A = 0.5
"""Less than this in each phase is none: what a vehicle draws at rest, and a meter shows of nothing. Ours."""
STANDS_S = {ChargingState.SUSPENDED_EVSE: 10.0, ChargingState.SUSPENDED_EV: 60.0, ChargingState.CHARGING: 10.0}
"""Ours."""


def settle(evse: Evse, now: Tick, offered_A: float) -> None:
    """What is told of it, `EvseState.flow`: None without power, and as long as nobody knows what the loop begins with."""
    s = evse.state
    if s.power is not Power.CLOSED or s.supply is not Supply.POWER:
        s.flow = s.flow_next = None
    elif evse.is_dc:
        s.flow = ChargingState.CHARGING if offered_A > 0 else None
    else:
        _of_loop(evse, now, offered_A)


def _of_loop(evse: Evse, now: Tick, offered_A: float) -> None:
    s = evse.state
    target_W = evse.facts.vehicle.target_W if evse.facts.vehicle is not None else None
    seen = _seen(evse, now, target_W)
    if seen is None:
        return
    if s.flow is None and target_W is not None:
        s.flow = ChargingState.SUSPENDED_EVSE if target_W == 0.0 else ChargingState.CHARGING
    if seen is not s.flow_next:
        s.flow_next, s.flow_since = seen, now.mono
    at_once = seen is ChargingState.SUSPENDED_EVSE and offered_A <= 0
    if seen is not s.flow and (at_once or evse.reached(now, s.flow_since + STANDS_S[seen])):
        s.flow = seen


def _seen(evse: Evse, now: Tick, target_W: float | None) -> ChargingState | None:
    """At this moment; None: the loop has not said yet, and nothing flows."""
    flows = _flows(evse, now)
    if flows:
        return ChargingState.CHARGING
    if target_W is None:
        return None
    if target_W == 0.0:
        return ChargingState.SUSPENDED_EVSE
    known = flows is False or evse.state.flow is ChargingState.SUSPENDED_EV
    return ChargingState.SUSPENDED_EV if known else ChargingState.CHARGING


def _flows(evse: Evse, now: Tick) -> bool | None:
    """Whether the meter shows a current; None where nobody reads it."""
    meter = evse.facts.meter
    if meter is None or not meter.current_A or now.mono - evse.facts.meter_mono > evse.timings.meter_silence_s:
        return None
    return max(map(abs, meter.current_A)) >= NO_CURRENT_A
