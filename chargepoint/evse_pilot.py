"""The pilot of one EVSE: readings through debounce into the table, and what we put out: X1, PWM, F, when the rules let it change."""

from __future__ import annotations

from chargepoint import evse_dc, evse_faults, evse_hlc, evse_lock, pilot
from chargepoint.commands import SetDuty, SetStateF, SetX1
from chargepoint.energy import PAUSE, SAFETY_SOURCES, Offer
from chargepoint.events import CablePluggedIn, EvDisconnected, EvseSeen, LimitApplied
from chargepoint.evse_state import Evse, Output, Power, Wake
from chargepoint.facts import Bounds
from chargepoint.faults import DIODE, PILOT
from chargepoint.hlc import HlcState
from chargepoint.interlock import Facts
from chargepoint.pilot import LEVEL_EVENT, CpEvent, CpState, Level
from chargepoint.tick import Tick
from iso15118.machine import step

CONNECTED = (CpState.B1, CpState.B2, CpState.C1, CpState.C2, CpState.D1, CpState.D2)
SUPPLYING = (CpState.C1, CpState.C2, CpState.D1, CpState.D2)
RETRY_S = 1.0
"""A pilot output that the board refused is asked for again after this."""
DIODE_SHOWS_S = 0.1
"""From the beginning of the PWM until a reading of its negative half is expected [K]."""
NO_DIODE_S = 0.5
"""Without the negative half for this long it is a fault [K]; the supply does not wait for that (`diode_right`)."""
SMALLEST_STEP_DC_A = 0.5
"""DC: with every volt of the battery the current moves that a power allows."""
SMALLEST_STEP_A = 0.1
"""Smaller changes of the offer are no change of the PWM: the duty's own tolerance is larger (IEC 61851-1 Table A.8)."""


# ---- in


def voltage(evse: Evse, now: Tick, high_V: float, low_V: float | None) -> list[object]:
    """A reading of both halves of the pilot (raw board)."""
    s = evse.state
    level = pilot.level_of(high_V, s.level)
    if s.output is Output.X2:
        if pilot.low_is_right(low_V):
            s.low_right, s.low_wrong_since = True, None
        elif s.low_wrong_since is None and (s.low_right or now.mono >= s.output_since + DIODE_SHOWS_S):
            s.low_wrong_since = now.mono
    if level is s.level:
        s.candidate = None
    elif level is not s.candidate:
        s.candidate, s.candidate_since = level, now.mono
    return []


def reported_state(evse: Evse, now: Tick, letter: str) -> list[object]:
    """The state as a board that runs the pilot itself reports it; it has debounced, and checked the diode."""
    evse.state.candidate = None
    letter = letter[:1].upper()
    level = Level.N if letter == "F" else Level(letter) if letter in Level.__members__ else Level.E
    return take_level(evse, now, level)


def settle_level(evse: Evse, now: Tick) -> list[object]:
    """A level that has stood long enough counts; the diode is judged while there is PWM."""
    s = evse.state
    out: list[object] = []
    if s.candidate is not None:
        ends_supply = s.cp in SUPPLYING and s.candidate not in (Level.C, Level.D)
        wait_s = evse.timings.pilot_open_debounce_s if ends_supply else evse.timings.pilot_debounce_s
        if evse.reached(now, s.candidate_since + wait_s):
            level, s.candidate = s.candidate, None
            out += take_level(evse, now, level)
    judged = s.cp in (CpState.B2, CpState.C2, CpState.D2) and DIODE not in s.faults
    if judged and s.low_wrong_since is not None and evse.reached(now, s.low_wrong_since + NO_DIODE_S):
        out += evse_faults.raise_fault(evse, now, DIODE)
    return out


def diode_right(evse: Evse, now: Tick) -> bool:
    """The negative half has shown the diode since the PWM is on, and still does (a single bad reading aside).

    Without PWM there is no negative half to judge; closing waits for PWM by the pilot's state.
    """
    s = evse.state
    if evse.board.closes_by_itself or s.output is not Output.X2:
        return True
    if not s.low_right and s.power is Power.CLOSED and s.low_wrong_since is None:
        return not evse.reached(now, s.output_since + DIODE_SHOWS_S)  # the PWM has come back within C1's 6 s
    return s.low_right and (s.low_wrong_since is None or not evse.reached(now, s.low_wrong_since + evse.timings.pilot_open_debounce_s))


def take_level(evse: Evse, now: Tick, level: Level) -> list[object]:
    """A debounced level goes into the table."""
    was, evse.state.level = evse.state.level, level
    out = [*advance(evse, now, LEVEL_EVENT[level]), *evse_hlc.level(evse, now, was, level)]
    if not evse.state.seen:
        evse.state.seen = True
        out.append(EvseSeen(evse.id))
    return out


def advance(evse: Evse, now: Tick, event: CpEvent) -> list[object]:
    """One step of the pilot table, and what its entry asks for. Opening follows from the state itself, by the interlock."""
    s = evse.state
    entry = step(evse.pilot_table, s.cp, event)
    was, s.cp = s.cp, entry.to
    if s.cp is CpState.U:
        s.level = None
    if s.cp is not CpState.B2:
        s.b2_since = None
    elif was is not CpState.B2:
        s.b2_since = now.mono
    out: list[object] = []
    for action in entry.do:
        match action:
            case pilot.PLUGGED:
                out += _plugged(evse, now)
            case pilot.UNPLUGGED:
                out += _unplugged(evse, now)
            case pilot.ERROR:
                out += evse_faults.raise_fault(evse, now, PILOT)
            case pilot.ERROR_OVER:
                out += evse_faults.cause_over(evse, PILOT)
            case _:
                pass
    return out


def _plugged(evse: Evse, now: Tick) -> list[object]:
    s = evse.state
    if s.plugged:
        return []
    s.plugged = evse.facts.plugged = True
    s.released = False
    return [CablePluggedIn(evse.id), *evse_hlc.plugged(evse, now)]


def _unplugged(evse: Evse, now: Tick) -> list[object]:
    """No EV: what belonged to it is forgotten. The authorisation goes, too: no car inherits it (S-10)."""
    s = evse.state
    out = evse_faults.unplugged(evse)
    s.low_right, s.low_wrong_since = False, None
    if not s.plugged:
        return out
    s.plugged = evse.facts.plugged = False
    evse_lock.unplugged(evse)
    s.authorised = s.at_once = s.charged = s.wanted = s.released = False
    s.shown_percent = None
    s.transaction_id, s.stops = "", ()
    s.drops, s.residual_attempts, s.wake = 0, 0, Wake.NONE
    under_load = s.power in (Power.CLOSED, Power.CLOSING, Power.RAMPING)
    return [*out, EvDisconnected(evse.id, under_load), *evse_hlc.unplugged(evse, now)]


# ---- out


def board_restarted(evse: Evse, now: Tick) -> list[object]:
    """The controller has forgotten what we put out: from the beginning, at X1."""
    _put(evse, now, Output.X1, evse.timings.x1_s)
    return [SetX1(evse.id), *advance(evse, now, CpEvent.X1)]


def settle_output(evse: Evse, now: Tick, facts: Facts, offer: Offer) -> list[object]:
    """Bring the pilot to what it should show, as soon as the rules of IEC 61851-1 let it."""
    s = evse.state
    _note_wake(evse, now, facts)
    _note_f(evse, now)
    want = _wanted_output(evse, facts)
    if want is Output.X2 and s.output is Output.X2 and evse_hlc.digital(evse) is not (s.duty_percent == pilot.DUTY_DIGITAL_PERCENT):
        want = Output.X1  # between 5 % and a current there is X1
    out: list[object] = []
    if s.output_failed_at is not None and evse.reached(now, s.output_failed_at + RETRY_S):
        s.output_failed_at = None
        out += _again(evse)
    if want is Output.X2 and s.output is Output.X2:
        out += _change_duty(evse, now, offer)
    elif want is not s.output:
        out += _switch(evse, now, want, offer)
    out += _applied(evse, now, offer, facts)
    return out


def _wanted_output(evse: Evse, facts: Facts) -> Output:
    s = evse.state
    if s.wake is Wake.PULSE or s.hlc is HlcState.PULSE or (evse_faults.wants_state_f(evse) and not s.f_shown):
        return Output.F
    if s.wake is Wake.X1 or s.cp not in CONNECTED or evse_hlc.holds_x1(evse):
        return Output.X1
    if evse_hlc.digital(evse):
        return Output.X2 if evse.interlock.talks(facts) else Output.X1
    if not evse.interlock.offers(facts):
        return Output.X1
    if evse.board.closes_by_itself and s.power not in (Power.ARMED, Power.CLOSED):
        return Output.X1
    return Output.X2


def _note_f(evse: Evse, now: Tick) -> None:
    """F of a fault tells a connected EV to stop, for T_step_EF; then X1, or nobody would see it leave. Without an EV it stays F."""
    s = evse.state
    if not s.plugged or not evse_faults.wants_state_f(evse):
        s.f_shown = False
    elif s.output is Output.F and evse.reached(now, s.output_since + evse.timings.ef_pulse_s):
        s.f_shown = True


def _switch(evse: Evse, now: Tick, want: Output, offer: Offer) -> list[object]:
    """From one output to another. To F at once; to X1 at once from PWM, after its least time from F; to PWM from X1 only."""
    s = evse.state
    least_until = s.output_since + s.output_least_s
    if want is Output.F:
        _put(evse, now, Output.F, evse.timings.ef_pulse_s if s.wake is Wake.PULSE or s.hlc is HlcState.PULSE else evse.timings.state_f_s)
        return [SetStateF(evse.id), *advance(evse, now, CpEvent.F)]
    if want is Output.X1 or s.output is Output.F:
        if s.output is Output.F and not evse.reached(now, least_until):
            return []
        after_f = s.output is Output.F
        _put(evse, now, Output.X1, evse.timings.x1_after_ef_s if after_f else evse.timings.x1_s)
        return [SetX1(evse.id), *advance(evse, now, CpEvent.X1)]
    if not evse.reached(now, max(least_until, s.output_since + evse.timings.x1_s * _means_another(evse))):
        return []
    _put(evse, now, Output.X2, 0.0)
    return [*_set_duty(evse, now, offer), *advance(evse, now, CpEvent.X2)]


def _means_another(evse: Evse) -> bool:
    """5 % after a current, or a current after 5 %: X1 stands its time between them, whatever else was shown there (IEC 61851-1)."""
    shown = evse.state.shown_percent
    return shown is not None and evse_hlc.digital(evse) is not pilot.duty_means(shown).digital


def _put(evse: Evse, now: Tick, output: Output, least_s: float) -> None:
    s = evse.state
    s.output, s.output_since, s.output_least_s = output, now.mono, least_s
    s.output_failed_at = None
    s.low_right, s.low_wrong_since = False, None
    if output is not Output.X2:
        s.duty_percent = None


def _set_duty(evse: Evse, now: Tick, offer: Offer) -> list[object]:
    s = evse.state
    duty = pilot.DUTY_DIGITAL_PERCENT if evse_hlc.digital(evse) else pilot.duty_for(offer.current_A)
    s.duty_percent, s.duty_since, s.shown_percent = duty, now.mono, duty
    return [SetDuty(evse.id, s.duty_percent)]


def _change_duty(evse: Evse, now: Tick, offer: Offer) -> list[object]:
    """At most every 5 s; only a reduction for safety does not wait."""
    s = evse.state
    if evse_hlc.digital(evse):
        return []
    change_A = offer.current_A - s.applied_A
    if abs(change_A) < SMALLEST_STEP_A:
        return []
    for_safety = change_A < 0 and offer.reason in SAFETY_SOURCES
    if not for_safety and not evse.reached(now, s.duty_since + max(evse.timings.duty_spacing_s, evse.board.duty_spacing_s)):
        return []
    return _set_duty(evse, now, offer)


def _again(evse: Evse) -> list[object]:
    s = evse.state
    if s.output is Output.X2 and s.duty_percent is not None:
        return [SetDuty(evse.id, s.duty_percent)]
    return [SetStateF(evse.id) if s.output is Output.F else SetX1(evse.id)]


def _applied(evse: Evse, now: Tick, offer: Offer, facts: Facts) -> list[object]:
    """Tell what the EV is offered. After a reduction the old limit counts a while longer (S-20)."""
    s = evse.state
    current_A = _offered_A(evse, offer)
    evse.facts.limit_W = evse_dc.power(evse) if evse.is_dc and current_A else current_A * evse.config.nominal_V * s.phases
    evse.facts.bounds = evse_dc.bounds(evse) if evse.is_dc and current_A else Bounds(current_A, evse.facts.limit_W)
    changed = abs(current_A - s.applied_A) > (SMALLEST_STEP_DC_A if evse.is_dc else SMALLEST_STEP_A / 2)
    if current_A:
        reason = offer.reason if changed else s.applied_reason
    else:
        reason = offer.reason if offer.paused else evse.interlock.not_offering(facts)
    if not changed and reason == s.applied_reason:
        return []
    if current_A < s.applied_A:
        s.old_limit_A = max(s.applied_A, s.old_limit_A if now.mono < s.old_limit_until else 0.0)
        s.old_limit_until = now.mono + evse.timings.old_limit_s
    s.applied_A, s.applied_reason = current_A, reason
    evse.facts.limit_A, evse.facts.limit_reason = current_A, reason
    return [LimitApplied(evse.id, current_A, reason)]


def _offered_A(evse: Evse, offer: Offer) -> float:
    """What the PWM states; at 5 % what the session tells."""
    duty = evse.state.duty_percent
    if duty is None:
        return PAUSE
    meaning = pilot.duty_means(duty)
    return offer.current_A if meaning.digital else meaning.current_A


def _note_wake(evse: Evse, now: Tick, facts: Facts) -> None:
    """Where the wake-up stands. It starts anew with each offer, and ends with the first C."""
    s, t = evse.state, evse.timings
    quiet = not evse.interlock.offers(facts) or evse_hlc.digital(evse) or evse_hlc.holds_x1(evse)
    if not s.plugged or quiet or s.cp in (CpState.C2, CpState.D2):
        s.wake = Wake.NONE
    elif s.wake is Wake.NONE and s.b2_since is not None and t.wake_up_after_s and not s.charged:
        if evse.reached(now, s.b2_since + t.wake_up_after_s):
            s.wake = Wake.PULSE
    elif s.wake is Wake.PULSE and s.output is Output.F and evse.reached(now, s.output_since + t.ef_pulse_s):
        s.wake = Wake.X1
    elif s.wake is Wake.X1 and s.output is Output.X1 and evse.reached(now, s.output_since + t.x1_after_ef_s):
        s.wake = Wake.OFFERED
    elif s.wake is Wake.OFFERED and s.b2_since is not None and evse.reached(now, s.b2_since + t.paused_after_wake_up_s):
        s.wake = Wake.DONE
