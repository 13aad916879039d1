"""Talking with the vehicle, as one EVSE sees it: the table of `hlc`, its timers, and whether the cable's interface takes vehicles."""

from __future__ import annotations

from chargepoint import evse_faults
from chargepoint.commands import Indicate, Log, ServeVehicle
from chargepoint.events import (
    LevelSettled,
    MatchingFailed,
    ModemReady,
    SessionChanged,
    SessionStage,
    StopRequested,
    Supply,
    SupplyAsked,
    TalkingAllowed,
    TalkingBegun,
    TalkingEnded,
)
from chargepoint.evse_state import Check, Evse, Output
from chargepoint.faults import NO_VEHICLE_LINK, NO_VEHICLE_LINK_DC, SESSION_FAILED, VEHICLE_SILENT, Reaction
from chargepoint.hlc import ATTEMPT, DIGITAL, FORGET, HOLDS_X1, HlcEvent, HlcState
from chargepoint.pilot import Level
from chargepoint.tick import Tick
from iso15118.machine import step
from iso15118.slac.times import TT_EVSE_MATCH_SESSION_S, TT_EVSE_VALD_TOGGLE_S, TT_MATCH_JOIN_S

SIGN_S = (0.1, 1.0)
"""So long the C of a BCB toggle lasts: 200 to 400 ms (ISO 15118-3 [K]), with room for what debouncing takes and gives."""
MATCHING_S = TT_EVSE_MATCH_SESSION_S + TT_EVSE_VALD_TOGGLE_S + TT_MATCH_JOIN_S
"""So long after its time a vehicle that matches may still come to a link; matching says itself that it has failed, and this is for whatever it may miss."""
_OF_STAGE = {
    SessionStage.BEGUN: HlcEvent.BEGUN,
    SessionStage.TERMINATED: HlcEvent.TERMINATED,
    SessionStage.PAUSED: HlcEvent.PAUSED,
    SessionStage.ABORTED: HlcEvent.ABORTED,
    SessionStage.REPLACED: HlcEvent.REPLACED,
}
_SLEEPS = (HlcState.GIVEN_UP, HlcState.PAUSED, HlcState.DONE)
_ASKS = (HlcState.WAITING, HlcState.LINKED, HlcState.PULSE, HlcState.AGAIN)
"""The vehicle is asked to talk anyway."""
_FAILURES = (HlcEvent.TIMEOUT, HlcEvent.ABORTED, HlcEvent.LINK_LOST)


def digital(evse: Evse) -> bool:
    """The pilot is to show 5 %; to the next vehicle not before there is a key for it."""
    s = evse.state
    return s.hlc in DIGITAL and (s.modem_ready or s.hlc is not HlcState.WAITING)


def by_session(evse: Evse) -> bool:
    """A session decides about power, whether there is one just now or not."""
    return evse.state.hlc not in (HlcState.OFF, HlcState.BASIC)


def consents(evse: Evse) -> bool:
    """A session is under way, and lets power be. AC: from PowerDelivery Start on; DC: from the cable check on, and only if that was passed."""
    s = evse.state
    if s.hlc is not HlcState.TALKING:
        return False
    return (
        s.supply is Supply.CABLE_CHECK or (s.supply is not Supply.OFF and s.check is Check.PASSED)
        if evse.is_dc
        else s.supply is Supply.POWER
    )


def holds_x1(evse: Evse) -> bool:
    """Nothing is offered on the pilot, for reasons of the session. DC without one shows nothing else."""
    hlc = evse.state.hlc
    return hlc in HOLDS_X1 or (evse.is_dc and hlc is HlcState.OFF) or (hlc is HlcState.WAITING and not digital(evse))


# ---- in


def plugged(evse: Evse, now: Tick) -> list[object]:
    """A vehicle is there."""
    return advance(evse, now, HlcEvent.PLUGGED) if evse.talks and _may_talk(evse) else []


def unplugged(evse: Evse, now: Tick) -> list[object]:
    """It is not any more."""
    evse.state.sign_since, evse.state.link = None, False
    return [*asked(evse, now, SupplyAsked(evse.id, Supply.OFF)), *advance(evse, now, HlcEvent.UNPLUGGED)]


def served(evse: Evse, now: Tick, ready: bool, why: str) -> list[object]:
    """The cable's interface takes vehicles, or does not (S-9)."""
    s = evse.state
    s.served = ready
    if not ready:
        return [*evse_faults.raise_fault(evse, now, _no_link(evse), why), *advance(evse, now, HlcEvent.UNSERVED)]
    return [*([] if s.modem_lost else evse_faults.cause_over(evse, _no_link(evse))), *_again(evse, now)]


def _no_link(evse: Evse) -> str:
    """AC charges without talking, DC does not."""
    return NO_VEHICLE_LINK_DC if evse.is_dc else NO_VEHICLE_LINK


def _may_talk(evse: Evse) -> bool:
    s = evse.state
    return s.served and s.allowed and not s.modem_lost


def allowed(evse: Evse, now: Tick, event: TalkingAllowed) -> list[object]:
    """The CSMS lets it talk, or not: what is not a session yet ends."""
    s = evse.state
    s.allowed = event.allowed
    if event.allowed:
        return _again(evse, now)
    return [] if s.hlc is HlcState.TALKING else advance(evse, now, HlcEvent.UNSERVED)


def _again(evse: Evse, now: Tick) -> list[object]:
    """It may talk after all: with a vehicle that is there already, unless that charges by the PWM."""
    s = evse.state
    if not _may_talk(evse):
        return []
    s.wake_wanted = s.wake_wanted or s.hlc is HlcState.GIVEN_UP
    return plugged(evse, now) if s.plugged and not s.charged else []


def link(evse: Evse, now: Tick, ready: bool) -> list[object]:
    """D-LINK_READY, or no longer (F-10)."""
    evse.state.link = ready
    return advance(evse, now, HlcEvent.LINK_UP if ready else HlcEvent.LINK_LOST)


def modem(evse: Evse, now: Tick, event: ModemReady) -> list[object]:
    """A key for the next vehicle, or none yet; a modem that does not work is as good as no interface (S-9)."""
    s = evse.state
    s.modem_ready = event.ready
    if event.lost:
        s.modem_lost = True
        return [*evse_faults.raise_fault(evse, now, _no_link(evse), event.lost), *advance(evse, now, HlcEvent.UNSERVED)]
    if not event.ready or not s.modem_lost:
        return []
    s.modem_lost = False
    return [*(evse_faults.cause_over(evse, _no_link(evse)) if s.served else []), *_again(evse, now)]


def unmatched(evse: Evse, now: Tick, event: MatchingFailed) -> list[object]:
    """Nobody was found on the power line."""
    return [Log("info", "slac.failed", {"evse": evse.id, "text": event.why}), *advance(evse, now, HlcEvent.TIMEOUT)]


def session(evse: Evse, now: Tick, event: SessionChanged) -> list[object]:
    """A session has begun, or is over. The consent of one is none of another. A vehicle that has charged and leaves of its own will has had enough (E15)."""
    s = evse.state
    offered = s.ready and (evse.facts.limit_A > 0.0 or evse.facts.limit_W > 0.0)
    enough = event.stage is SessionStage.TERMINATED and offered and s.charged and not _free(evse)
    told: list[object] = [StopRequested(evse.id, "StoppedByEV")] if enough else []
    if event.stage is SessionStage.ABORTED and s.plugged:
        s.hlc_why = event.why
        told.append(Log("warning", "v2g.session_failed", {"evse": evse.id, "why": event.why}))
    return [*told, *asked(evse, now, SupplyAsked(evse.id, Supply.OFF)), *advance(evse, now, _OF_STAGE[event.stage])]


def _free(evse: Evse) -> bool:
    """Nobody was authorised who could be authorised anew: it may come again whenever it likes."""
    token = evse.facts.id_token
    return token is None or token.type == "NoAuthorization"


def asked(evse: Evse, now: Tick, event: SupplyAsked) -> list[object]:
    """What the session lets be on the output; a number that is none is nothing."""
    s = evse.state
    if s.supply is Supply.OFF and event.supply is not Supply.OFF:
        s.wake_wanted = False
    s.supply = event.supply
    s.asked_V = event.voltage_V if 0.0 <= event.voltage_V < float("inf") else 0.0
    s.asked_A = event.current_A if abs(event.current_A) < float("inf") else 0.0
    return []


def level(evse: Evse, now: Tick, was: Level | None, is_: Level) -> list[object]:
    """A level of the pilot: a short C without any offer is the vehicle's sign (BCB)."""
    s = evse.state
    told: list[object] = [LevelSettled(evse.id, "F" if is_ is Level.N else is_.value)] if evse.config.has_modem else []
    if s.output is not Output.X1 or is_ not in (Level.B, Level.C):
        s.sign_since = None
    elif is_ is Level.C:
        s.sign_since = now.mono if was is Level.B else None
    elif s.sign_since is not None and SIGN_S[0] <= now.mono - s.sign_since <= SIGN_S[1]:
        s.sign_since = None
        return [*told, *(advance(evse, now, HlcEvent.SIGN) if _may_talk(evse) else [])]
    return told


# ---- the table


def advance(evse: Evse, now: Tick, event: HlcEvent) -> list[object]:
    """One step. What failed as often as it may has been asked for often enough."""
    s = evse.state
    if event in _FAILURES and s.hlc in DIGITAL and s.hlc_attempts + 1 >= evse.timings.hlc_attempts:
        event = HlcEvent.ENOUGH
    entry = step(evse.hlc_table, s.hlc, event)
    for action in entry.do:
        if action == FORGET:
            s.hlc_attempts, s.hlc_why = 0, ""
        elif action == ATTEMPT:
            s.hlc_attempts += 1
    if entry.to is s.hlc:
        return []
    over = (VEHICLE_SILENT, SESSION_FAILED) if s.hlc is HlcState.GIVEN_UP else ()
    told = [item for code in over for item in evse_faults.cause_over(evse, code)]
    s.hlc, s.hlc_since = entry.to, now.mono
    if s.hlc is HlcState.GIVEN_UP and not _kept_away(evse):
        told = _gives_up(evse, now)
    out: list[object] = [*told, Log("info", "hlc", {"evse": evse.id, "is": s.hlc.value, "after": event.value})]
    if s.hlc is HlcState.WAITING and s.link:
        out += advance(evse, now, HlcEvent.LINK_UP)
    return out


def _gives_up(evse: Evse, now: Tick) -> list[object]:
    """A vehicle that has talked, and was refused or broke off, is told from one that says nothing."""
    why = evse.state.hlc_why
    if not why:
        return [*evse_faults.raise_fault(evse, now, VEHICLE_SILENT), Indicate(evse.id, "vehicle.does_not_talk")]
    sentence = f"The session with your vehicle failed: {why}."
    failed = evse_faults.raise_fault(evse, now, SESSION_FAILED, f"the sessions with the vehicle failed: {why}")
    return [*failed, Indicate(evse.id, "vehicle.session_failed", {"why": why, "sentence": sentence})]


def _kept_away(evse: Evse) -> bool:
    """A fault stands that lets nobody charge: what the vehicle did not say is not its failure."""
    return bool({Reaction.OPEN, Reaction.STOP} & evse_faults.reactions(evse))


def settle(evse: Evse, now: Tick) -> list[object]:
    """What falls due, and whether vehicles are taken now (S-13: only while one is on the pilot, and asked to talk)."""
    out = [*_due(evse, now), *_wake(evse, now)]
    s = evse.state
    begins = s.hlc is HlcState.TALKING or Reaction.OPEN not in evse_faults.reactions(evse)
    wanted = digital(evse) and s.running and begins
    if wanted is not s.serving:
        s.serving = wanted
        told = TalkingBegun(evse.id) if wanted else TalkingEnded(evse.id, paused=s.hlc is HlcState.PAUSED)
        out += [ServeVehicle(evse.id, wanted), told]
    evse.facts.digital = wanted
    return out


def _wake(evse: Evse, now: Tick) -> list[object]:
    """What has become possible is worth a talk: at once where nobody talks, else when the session that is under way has ended without it."""
    s = evse.state
    ready = (
        s.authorised
        and not s.stops
        and not _kept_away(evse)
        and (evse.facts.operative or bool(s.transaction_id))
        and s.phases == s.phases_wanted
    )
    s.wake_wanted = (s.wake_wanted or (ready and not s.ready)) and by_session(evse) and s.hlc not in _ASKS
    s.ready = ready
    if not s.wake_wanted or s.hlc not in _SLEEPS or not _may_talk(evse):
        return []
    s.wake_wanted = False
    return advance(evse, now, HlcEvent.WAKE)


def _due(evse: Evse, now: Tick) -> list[object]:
    s, t = evse.state, evse.timings
    rested = HlcEvent.NO_OTHER_WAY if evse.is_dc else HlcEvent.RESTED
    if s.hlc in (HlcState.PULSE, HlcState.AGAIN) and not _may_talk(evse):
        return advance(evse, now, HlcEvent.UNSERVED)
    match s.hlc:
        case HlcState.WAITING if s.output is Output.X2 and evse.reached(
            now, max(s.hlc_since, s.output_since) + t.link_s + (MATCHING_S if evse.config.has_modem else 0.0)
        ):
            return advance(evse, now, HlcEvent.TIMEOUT)
        case HlcState.LINKED if evse.reached(now, s.hlc_since + t.setup_s):
            return advance(evse, now, HlcEvent.TIMEOUT)
        case HlcState.PULSE if s.output is Output.F and evse.reached(now, s.output_since + t.ef_pulse_s):
            return advance(evse, now, rested)
        case HlcState.AGAIN if s.output is Output.X1 and evse.reached(now, s.output_since + s.output_least_s):
            return advance(evse, now, rested)
        case HlcState.LEAVING if s.output is Output.X1 and evse.reached(now, s.output_since + max(s.output_least_s, t.x1_s)):
            return advance(evse, now, rested)
    return []
