"""One EVSE: what its hardware says and what it may do come in; what its pilot, contactor and lock shall do goes out.

An event is first noted in the state; then everything is settled: what has to open opens, the pilot shows what it should, and
only then may something close. So no order of events (an RFID card, an unplugging, a late answer) is a special case (S-10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from chargepoint import evse_dc, evse_flow, evse_guard, evse_hlc, evse_lock, evse_outlet, evse_pilot, evse_power
from chargepoint.clock import WallClock
from chargepoint.commands import Log, Permit
from chargepoint.config import EvseConfig, Timings
from chargepoint.events import (
    ChargingState,
    ChargingStateChanged,
    Supply,
)
from chargepoint.evse_events import HANDLERS
from chargepoint.evse_state import Evse, EvseState, Output, Power, Wake
from chargepoint.facts import EvseFacts
from chargepoint.hlc import TABLE as HLC_TABLE
from chargepoint.hlc import HlcEvent, HlcState
from chargepoint.interlock import INTERLOCK, Facts, Interlock
from chargepoint.pilot import TABLE, CpEvent, CpState
from chargepoint.tick import Tick
from hal.types import EvseInfo
from iso15118.machine import Table

PASSES = 20
"""Rounds of settling that one event may take; more would be two rules that undo each other."""


class EvseMachine:
    """The machine of one EVSE. It writes the `evse` fields of its facts, and is the only one that moves its hardware."""

    handlers: ClassVar[Mapping[type, Any]] = HANDLERS

    def __init__(
        self,
        config: EvseConfig,
        timings: Timings,
        facts: EvseFacts,
        board: EvseInfo,
        clock: WallClock,
        *,
        interlock: Interlock = INTERLOCK,
        pilot_table: Table[CpState, CpEvent] = TABLE,
        hlc_table: Table[HlcState, HlcEvent] = HLC_TABLE,
    ) -> None:
        phases = min(config.phases, board.phases)
        state = EvseState(phases=phases, phases_wanted=phases)
        self.evse = Evse(config, timings, facts, board, clock, interlock, pilot_table, hlc_table, state)
        state.modem_ready = not config.has_modem

    @property
    def state(self) -> EvseState:
        """All that this machine remembers."""
        return self.evse.state

    @state.setter
    def state(self, value: EvseState) -> None:
        self.evse.state = value

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """Note the event, then settle everything that follows."""
        handler = self.handlers.get(type(event))
        if handler is None or getattr(event, "evse_id", self.evse.id) not in (self.evse.id, 0):
            return ()
        out = self._lapsed(now)
        out += handler(self.evse, now, event)
        for _ in range(PASSES):
            more = self._settle(now)
            out += more
            renewed = self.state.power in (Power.CLOSED, Power.RAMPING) and all(isinstance(each, Permit) for each in more)
            if not more or renewed:  # a lease that was renewed changes nothing else
                break
        return out

    def deadline(self) -> float | None:
        """The earliest moment at which something here falls due by time."""
        return self.state.due

    # ---- what follows from the state

    def _settle(self, now: Tick) -> list[object]:
        evse = self.evse
        evse.state.due = None
        out = evse_pilot.settle_level(evse, now)
        out += evse_guard.settle(evse, now)
        out += evse_power.watch(evse, now)
        out += evse_dc.watch(evse, now)
        out += evse_hlc.settle(evse, now)
        out += evse_outlet.watch(evse, now)
        evse.facts.settled = not evse.state.running or evse.reached(now, evse.state.settled_at)
        evse.facts.phases, evse.facts.switching = evse.state.phases, evse.state.phases != evse.state.phases_wanted
        evse.facts.s2_open = evse.state.cp in (CpState.B1, CpState.B2)
        if not evse.state.running and not evse.state.asked_open_at:
            return out
        offer = evse_guard.offer(evse)
        facts, power = evse_power.facts_of(evse, now, offer), evse.state.power
        opened = [*evse_power.settle_opening(evse, now, facts), *evse_power.settle_phases(evse, now)]
        if opened or power is not evse.state.power:
            facts = evse_power.facts_of(evse, now, offer)
        shown = [*evse_pilot.settle_output(evse, now, facts, offer), *evse_lock.settle(evse, now)]
        if shown:
            facts = evse_power.facts_of(evse, now, offer)
        out += opened + shown + evse_power.settle_closing(evse, now, facts)
        out += evse_dc.settle(evse, now)
        evse_flow.settle(evse, now, facts.offered_A)
        out += self._charging_state(facts)
        return out

    def _lapsed(self, now: Tick) -> list[object]:
        """The lease has run out before it was renewed: the hardware has opened, or does so now; we say it, too (F-16)."""
        s = self.state
        if s.power not in (Power.CLOSED, Power.RAMPING, Power.CLOSING, Power.ARMED) or now.mono < s.permit_until:
            return []
        late = Log("warning", "permit.lapsed", {"evse": self.evse.id, "late_s": round(now.mono - s.permit_until, 3)})
        s.settled_at = max(s.settled_at, now.mono + self.evse.timings.reclose_after_s)
        return [*evse_power.opened_by_hardware(self.evse, now, "permit lapsed"), late]

    def _charging_state(self, facts: Facts) -> list[object]:
        state = charging_state(self.evse, facts)
        if state is self.evse.facts.charging_state:
            return []
        self.evse.facts.charging_state = state
        return [ChargingStateChanged(self.evse.id, state), Log("info", "evse.state", {"evse": self.evse.id, "is": state.value})]


def _by_session(evse: Evse, facts: Facts) -> ChargingState:
    """Of a vehicle that talks."""
    s = evse.state
    if s.flow is not None:
        return s.flow
    if evse.interlock.not_offering(facts) or facts.offered_A <= 0:
        return ChargingState.SUSPENDED_EVSE
    if s.power is Power.CLOSED and s.supply is Supply.POWER:  # AC: its loop is about to tell
        return evse.facts.charging_state
    by_vehicle = s.charged and s.hlc in (HlcState.TALKING, HlcState.DONE, HlcState.PAUSED)
    return ChargingState.SUSPENDED_EV if by_vehicle else ChargingState.EV_CONNECTED


def charging_state(evse: Evse, facts: Facts) -> ChargingState:
    """OCPP 2.1 ChargingStateEnumType, from what is so.

    SuspendedEV only once the EV has had its chance: it has drawn before, or the wake-up did not move it. Until then, and while
    a first closing is on its way, it is EVConnected.
    """
    s = evse.state
    if not s.plugged:
        return ChargingState.IDLE
    if s.power is Power.CLOSED and s.cp in (CpState.C2, CpState.D2) and not evse.is_dc and not evse_hlc.by_session(evse):
        return ChargingState.CHARGING
    if not s.authorised or not s.transaction_id:
        return ChargingState.EV_CONNECTED
    if evse_hlc.by_session(evse) or evse.is_dc:
        return _by_session(evse, facts)
    if s.wake in (Wake.PULSE, Wake.X1, Wake.OFFERED):
        return evse.facts.charging_state
    offered = s.output is Output.X2 and evse.interlock.offers(facts)
    if offered and s.cp is CpState.B2:
        return ChargingState.SUSPENDED_EV if s.charged or s.wake is Wake.DONE else ChargingState.EV_CONNECTED
    if offered and facts.settled and s.cp in (CpState.C2, CpState.D2):
        return evse.facts.charging_state if evse.facts.charging_state is not ChargingState.IDLE else ChargingState.EV_CONNECTED
    return ChargingState.SUSPENDED_EVSE if evse.interlock.not_offering(facts) or not facts.settled else evse.facts.charging_state
