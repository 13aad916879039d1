"""The contactor of one EVSE: closed by the interlock alone, opened by whatever is lost; its feedback, its lease, its welds."""

from __future__ import annotations

from chargepoint import evse_dc, evse_faults, evse_guard, evse_hlc, evse_pilot
from chargepoint.commands import Log, OpenContactor, Permit, StopDcOutput, WithdrawPermit
from chargepoint.energy import Offer
from chargepoint.events import PowerSwitched, PowerWanted
from chargepoint.evse_state import Evse, Power
from chargepoint.faults import CONTACTOR_DROPPED, CONTACTOR_STUCK_OPEN, CONTACTOR_WELDED, Reaction
from chargepoint.interlock import DURABLE, PERMIT, SELF_CLOSING_WITHOUT, Facts, Lost
from chargepoint.pilot import CpState
from chargepoint.tick import Tick

RENEW_SHARE = 0.4
"""The lease is renewed after this share of its time (at most half, so that one lost renewal is no lapse)."""
LONGER_S = 0.001
"""A lease that ends no later than the one that runs is not given: that of a ramp-down ends with it."""
DROPPED_S, DROPS_ALLOWED = 0.3, 2
"""A contactor that opens by itself while the EV still wants energy this much later has dropped [K]; once more than allowed is a fault."""
OPEN_AGAIN_S = 1.0
"""An opening that is not confirmed is commanded again after this."""
RECLOSE_TALKING_S = 2.0
"""From one closing to the next when a session asks for it: it waits 3 s for the contactor, and does not toggle as a pilot does."""
ASK_AGAIN_S = 10.0
"""`PowerWanted` is said again this long after the Started could not be stored (F-2)."""


NOT_THE_CONTACTOR = ("LeaseLapsed", "BoardSilent")
"""Reasons for not closing that say nothing against the contactor (`hal.errors`)."""


def facts_of(evse: Evse, now: Tick, offer: Offer) -> Facts:
    """Everything that the interlock goes by."""
    s = evse.state
    reactions = evse_faults.reactions(evse)
    return Facts(
        pilot=s.cp,
        duty_percent=s.duty_percent,
        ventilation=evse.config.ventilation,
        diode_right=evse_pilot.diode_right(evse, now),
        cable_right=not evse.has_socket or s.cable_A is not None,
        lock_right=not evse.has_lock or (s.locked is True and s.lock_asked == "lock"),
        authorised=s.authorised,
        durable=bool(s.transaction_id),
        supply_allowed=not s.stops,
        offered_A=offer.current_A,
        open_faults=Reaction.OPEN in reactions,
        stop_faults=Reaction.STOP in reactions,
        operative=evse.facts.operative or bool(s.transaction_id),
        settled=now.mono >= s.settled_at,
        contactor_known_open=s.power in (Power.OPEN, Power.ARMED) and s.open_confirmed and s.feedback_closed is not True,
        phases_right=s.phases == s.phases_wanted,
        running=s.running,
        permit_left_s=max(0.0, s.permit_until - now.mono),
        dc=evse.is_dc,
        digital=evse_hlc.by_session(evse),
        consent=evse_hlc.consents(evse),
        voltages_meet=evse_dc.voltages_meet(evse, now),
        ramp_left_s=max(0.0, s.ramp_until - now.mono) if s.power is Power.RAMPING else 0.0,
    )


# ---- what the hardware says


def feedback(evse: Evse, now: Tick, closed: bool) -> list[object]:
    """The mirror contact."""
    s = evse.state
    if closed is not s.feedback_closed:
        s.feedback_closed, s.feedback_since = closed, now.mono
    if closed and s.power in (Power.CLOSING, Power.ARMED):
        return _closed(evse, now)
    if not closed and s.power is Power.OPENING:
        return _opened(evse, now)
    if not closed and s.power is Power.OPEN:
        s.open_confirmed = True
    if closed and s.power is Power.OPEN:
        return open_now(evse, now, "closed unasked")
    if not closed and evse.board.closes_by_itself and s.power in (Power.CLOSED, Power.ARMED):
        return _opened_by_itself(evse, now)
    if not closed and s.power is Power.RAMPING:
        return [*_open(evse, now, "contactor opened while the output went down"), *_opened(evse, now)]
    if not closed and s.power is Power.CLOSED:
        s.dropped_at = now.mono
        if evse_hlc.by_session(evse):  # which ends with it
            s.settled_at = max(s.settled_at, now.mono + evse.timings.reclose_after_s)
        return [*_open(evse, now, "contactor opened by itself"), *_opened(evse, now)]
    return []


def done(evse: Evse, now: Tick, command: str) -> list[object]:
    """Ok means that the hardware moved."""
    s = evse.state
    if command == "CloseContactor" and s.power is Power.CLOSING:
        return feedback(evse, now, closed=True) if evse.board.contactor_feedback else _closed(evse, now)
    if command == "OpenContactor" and s.power is Power.OPENING:
        if evse.board.contactor_feedback:
            return feedback(evse, now, closed=False)
        return _opened(evse, now)
    return []


def failed(evse: Evse, now: Tick, command: str, error: str) -> list[object]:
    """It did not move."""
    s = evse.state
    if command == "CloseContactor" and s.power is Power.CLOSING:
        fault = [] if error in NOT_THE_CONTACTOR else evse_faults.raise_fault(evse, now, CONTACTOR_STUCK_OPEN)
        s.settled_at = max(s.settled_at, now.mono + evse.timings.reclose_after_s)
        return [*fault, *open_now(evse, now, error)]
    if command == "Permit":
        s.permit_until = 0.0  # the lease cannot be relied on: the interlock opens, and does not try again at once
        s.settled_at = max(s.settled_at, now.mono + evse.timings.reclose_after_s)
    if command == "OpenContactor" and s.power is Power.OPENING and error == "ContactorFault":
        return evse_faults.raise_fault(evse, now, CONTACTOR_WELDED)
    return []


def _closed(evse: Evse, now: Tick) -> list[object]:
    s = evse.state
    s.power, s.power_since = Power.CLOSED, now.mono
    s.closed_once_at = now.mono
    again_s = RECLOSE_TALKING_S if evse_hlc.digital(evse) else evse.timings.reclose_after_s
    s.settled_at = max(s.settled_at, now.mono + again_s)
    s.charged, s.open_confirmed, s.grace_until = s.charged or not evse.is_dc, False, None
    evse.facts.power_closed = True
    return [PowerSwitched(evse.id, closed=True)]


def _opened(evse: Evse, now: Tick) -> list[object]:
    s = evse.state
    s.power, s.power_since, s.opened_at = Power.OPEN, now.mono, now.mono
    s.open_confirmed = True
    was, evse.facts.power_closed = evse.facts.power_closed, False
    return [PowerSwitched(evse.id, closed=False)] if was else []


def _opened_by_itself(evse: Evse, now: Tick) -> list[object]:
    """A board that runs the pilot opens when the EV stops drawing, and may close again when it wants more."""
    out = _opened(evse, now)
    evse.state.power = Power.ARMED
    return out


# ---- opening


def open_now(evse: Evse, now: Tick, why: str) -> list[object]:
    """Make safe. AC opens. DC takes the output off, and opens when hardly a current flows any more, or when that takes too long."""
    s = evse.state
    if not evse.is_dc or s.power is not Power.CLOSED or not evse_dc.may_flow(evse):
        return [] if s.power is Power.RAMPING else _open(evse, now, why)
    s.power, s.power_since, s.grace_until, s.dc_ordered = Power.RAMPING, now.mono, None, None
    s.ramp_until = now.mono + evse.timings.dc_ramp_s
    return [StopDcOutput(evse.id), Log("info", "dc.off", {"evse": evse.id, "why": why})]


def _open(evse: Evse, now: Tick, why: str) -> list[object]:
    """Open, and end the lease: in that order, waiting for nothing."""
    s = evse.state
    out: list[object] = [*([StopDcOutput(evse.id)] if evse.is_dc else []), OpenContactor(evse.id), WithdrawPermit(evse.id)]
    s.dc_ordered = None
    if s.power is not Power.OPENING:
        out.append(Log("info", "contactor.open", {"evse": evse.id, "why": why}))
    s.power, s.power_since, s.asked_open_at = Power.OPENING, now.mono, now.mono
    s.permit_until, s.grace_until, s.open_confirmed = 0.0, None, False
    return out


def opened_by_hardware(evse: Evse, now: Tick, why: str) -> list[object]:
    """The hardware has opened without us: nothing is left to ramp down."""
    return _open(evse, now, why)


def settle_opening(evse: Evse, now: Tick, facts: Facts) -> list[object]:
    """Open what may no longer be closed."""
    s = evse.state
    if s.power is Power.RAMPING:
        if evse_dc.is_down(evse):
            return _open(evse, now, "hardly a current flows")
        return _open(evse, now, "the current did not go down in time") if evse.reached(now, s.ramp_until) else []
    if s.power is Power.CLOSED:
        return _settle_closed(evse, now, facts)
    if s.power is Power.CLOSING:
        lost, why = evse.interlock.lost(facts)
        return open_now(evse, now, why) if lost is not Lost.NOTHING else []
    if s.power is Power.ARMED:
        why = evse.interlock.disarmed(facts)
        return open_now(evse, now, why) if why else []
    return []


def _settle_closed(evse: Evse, now: Tick, facts: Facts) -> list[object]:
    s, t = evse.state, evse.timings
    lost, why = evse.interlock.lost(facts)
    if lost is Lost.NOTHING:
        s.grace_until = None
        return []
    if evse.board.closes_by_itself and s.cp is CpState.B2 and not evse.interlock.disarmed(facts):
        s.power, s.power_since = Power.ARMED, now.mono
        return []
    if lost is Lost.OPEN or (lost is Lost.STOP and s.at_once):
        return open_now(evse, now, why)
    until = now.mono + (t.ev_opens_s2_s if lost is Lost.STOP else t.open_under_load_s)
    s.grace_until = until if s.grace_until is None else min(s.grace_until, until)
    return open_now(evse, now, f"{why}; under load") if evse.reached(now, s.grace_until) else []


def watch(evse: Evse, now: Tick) -> list[object]:
    """Feedback against what was commanded: failing to close, welds, drops."""
    s, t = evse.state, evse.timings
    out: list[object] = []
    if s.power is Power.CLOSING and evse.reached(now, s.power_since + t.close_timeout_s):
        out += [*evse_faults.raise_fault(evse, now, CONTACTOR_STUCK_OPEN), *open_now(evse, now, "not closed in time")]
    suspicious = s.feedback_closed and s.power in (Power.OPEN, Power.OPENING) and CONTACTOR_WELDED not in s.faults
    if suspicious and evse.reached(now, max(s.power_since, s.feedback_since) + t.weld_after_s):
        out += evse_faults.raise_fault(evse, now, CONTACTOR_WELDED)
    if s.power is Power.ARMED and s.feedback_closed and evse.reached(now, s.power_since + t.weld_after_s):
        out += open_now(evse, now, "the board did not open by itself")
    if s.power is Power.OPENING and evse.reached(now, s.asked_open_at + OPEN_AGAIN_S):
        s.asked_open_at = now.mono
        out += [OpenContactor(evse.id), WithdrawPermit(evse.id)]
    if s.dropped_at is not None and evse.reached(now, s.dropped_at + DROPPED_S):
        s.dropped_at = None
        s.drops += s.cp in (CpState.C2, CpState.D2)
        if s.drops > DROPS_ALLOWED:
            out += evse_faults.raise_fault(evse, now, CONTACTOR_DROPPED)
    return out


# ---- closing


def settle_closing(evse: Evse, now: Tick, facts: Facts) -> list[object]:
    """Ask for a durable Started, then close; keep the lease alive while closed."""
    s = evse.state
    if s.power in (Power.CLOSED, Power.RAMPING, Power.CLOSING, Power.ARMED):
        return _renew(evse, now, facts)
    waits_for = SELF_CLOSING_WITHOUT if evse.board.closes_by_itself else ()
    missing = evse.interlock.missing(facts, but=(*waits_for, PERMIT))
    out: list[object] = []
    if missing != (DURABLE,):
        s.wanted = s.wanted and missing == ()
    elif not s.wanted and evse.reached(now, s.ask_again_at):
        s.wanted = True
        out.append(PowerWanted(evse.id))
    permit = evse.interlock.permit(facts, evse.id, evse.timings.permit_ttl_s, but=waits_for)
    if permit is None:
        if s.plugged and s.authorised:
            evse.reached(now, s.settled_at)
        return out
    return out + _close(evse, now, permit)


def _close(evse: Evse, now: Tick, permit: Permit) -> list[object]:
    s = evse.state
    s.permit_until = now.mono + permit.ttl_s
    s.power_since = now.mono
    if evse.board.closes_by_itself:
        s.power = Power.ARMED
        return [permit]
    commands = evse.interlock.close(facts_of(evse, now, evse_guard.offer(evse)), evse.id, s.phases)
    if commands:
        s.power = Power.CLOSING
    return [permit, *commands]


def _renew(evse: Evse, now: Tick, facts: Facts) -> list[object]:
    s, ttl_s = evse.state, evse.timings.permit_ttl_s
    if not evse.reached(now, s.permit_until - (1 - RENEW_SHARE) * ttl_s):
        return []
    match s.power:
        case Power.ARMED:
            permit = evse.interlock.permit_armed(facts, evse.id, ttl_s)
        case Power.RAMPING:
            permit = evse.interlock.permit_ramp(facts, evse.id, ttl_s)
        case _:
            permit = evse.interlock.renewed(facts, evse.id, ttl_s)
    if permit is None or now.mono + permit.ttl_s < s.permit_until + LONGER_S:
        return []
    s.permit_until = now.mono + permit.ttl_s
    evse.reached(now, s.permit_until - (1 - RENEW_SHARE) * ttl_s)
    return [permit]


def not_stored(evse: Evse, now: Tick) -> None:
    """The Started is not on disk: no power; the wish is repeated later."""
    evse.state.transaction_id = ""
    evse.state.wanted = False
    evse.state.ask_again_at = now.mono + ASK_AGAIN_S


# ---- phases


def settle_phases(evse: Evse, now: Tick) -> list[object]:
    """Between one and three phases: no PWM, contactor open, and a wait, in that order; never live."""
    s = evse.state
    if s.phases == s.phases_wanted or not (s.power is Power.OPEN and s.open_confirmed and s.duty_percent is None):
        return []
    if evse.reached(now, max(s.opened_at, s.output_since) + evse.timings.phase_switch_wait_s):
        s.phases = s.phases_wanted
        return [Log("info", "phases", {"evse": evse.id, "phases": s.phases})]
    return []
