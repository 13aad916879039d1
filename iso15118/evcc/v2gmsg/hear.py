"""What a vehicle makes of the responses that DIN 70121 and ISO 15118-2 have alike, up to the schedules and at the end of a session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iso15118.connection import Now
from iso15118.evcc.terms import (
    AuthorizationRefused,
    Authorized,
    InstallationFailed,
    ProfileMade,
    SchedulesOffered,
    ServicesOffered,
    SessionJoined,
)
from iso15118.evcc.v2gmsg import plans
from iso15118.evcc.v2gmsg.table import S, Said
from iso15118.evcc.v2gmsg.talk import ONGOING_S, Heard, Talk, again, failed, leave, leaving
from iso15118.terms import Control, Ending, Energy, EnergyChosen, Payment, Told

READY = "ready to charge"
"""What goes on until the first PowerDeliveryRes."""
_MODES = {
    Energy.AC: ("AC_three_phase_core", "AC_single_phase_core"),
    Energy.DC: ("DC_extended", "DC_combo_core", "DC_core", "DC_unique"),
}
"""What can be requested for an energy, best first."""
_MEANS = {
    "DC_dual": ("DC_core", "DC_extended"),
    "AC_core1p_DC_extended": ("AC_single_phase_core", "DC_extended"),
    "AC_single_DC_core": ("AC_single_phase_core", "DC_core"),
    "AC_single_phase_three_phase_core_DC_extended": ("AC_single_phase_core", "AC_three_phase_core", "DC_extended"),
    "AC_core3p_DC_extended": ("AC_three_phase_core", "DC_extended"),
}
"""What is offered under one name, and requested by another (DIN 70121)."""


def session_setup(talk: Talk, now: Now, response: Any) -> Heard:
    """Our id from here on. A charger that joins an old session has to mean ours; where there is no pause, nothing is joined, whatever it says."""
    given = talk.given_id
    resumed = talk.spelling.pausing and response.ResponseCode == "OK_OldSessionJoined"
    if not any(given):
        return failed("the charger gives no session id")
    if resumed and given != talk.wants.resume:
        return failed("the charger joins a session that is not ours")
    talk.session_id = given
    talk.ongoing(READY, now, 0.0)
    told = SessionJoined(given, talk.spelling.evse_id(response), resumed)
    return leaving(talk, told, off=False) or Heard(Said.GO, (told,))


def service_discovery(talk: Talk, now: Now, response: Any) -> Heard:
    """The energy that is wanted most of those that are there, and how it can be paid."""
    offer = talk.spelling.offer(response)
    modes = [mode for each in offer.modes for mode in _MEANS.get(each, (each,))]
    known = tuple(energy for energy, names in _MODES.items() if any(each in modes for each in names))
    told = ServicesOffered(known, offer.added_services, renegotiation=talk.spelling.pausing)
    talk.energy = next((each for each in talk.energies if each in known), None)
    talk.charge_service = offer.charge_service
    talk.to_ask = [each for each in talk.wants.added_services if each in offer.added_services]
    if gone := leaving(talk, told, off=False):
        return gone
    if talk.energy is None:
        return leave(talk, "no energy transfer that suits", told, off=False)
    wants = talk.wants
    if wants.payment is Payment.PNC and Payment.PNC in offer.payments and talk.spelling.by_contract(talk, now, offer):
        talk.payment = Payment.PNC
    elif Payment.EIM not in offer.payments or (wants.payment is not Payment.EIM and not wants.fall_back):
        return leave(talk, "no way to pay that suits", told, off=False)
    talk.mode = _mode(talk, talk.energy, modes)
    return Heard(Said.OTHER if talk.to_ask else Said.GO, (told,))


def _mode(talk: Talk, energy: Energy, modes: list[str]) -> str:
    found = [each for each in _MODES[energy] if each in modes]
    one_phase = energy is Energy.AC and talk.wants.phases == 1
    return found[-1] if one_phase else found[0]


def selection(talk: Talk, now: Now, response: Any) -> Heard:
    """The choice is taken. There is one control mode: within a schedule."""
    if talk.energy is None:
        raise AssertionError("a service is selected before one suits")
    phases = 0 if talk.dc else talk.phases
    told = EnergyChosen(talk.energy, Control.SCHEDULED, added_services=tuple(talk.added), phases=phases)
    return leaving(talk, told, off=False) or Heard(Said.GO, (told,))


def authorization(talk: Talk, now: Now, response: Any) -> Heard:
    """Again while nobody knows. Where the charger says that the driver has to do something, the driver has time."""
    if gone := leaving(talk, off=False):
        return gone
    if response.EVSEProcessing == "Finished":
        return Heard(Said.GO, (Authorized(talk.payment, emaid(talk), talk.ends_soon),))
    most_s = ONGOING_S if response.EVSEProcessing == "Ongoing" else talk.wants.customer_s
    if not talk.ongoing("authorization", now, most_s):
        return leave(talk, "no authorisation in time", off=False)
    return again(talk)


def emaid(talk: Talk) -> str:
    """Of the contract that pays; "": none does."""
    return talk.contracts[0].emaid if talk.payment is Payment.PNC and talk.contracts else ""


def refused(talk: Talk, state: S, code: str) -> tuple[Told, ...]:
    """What FAILED means beside the end of the session."""
    match state:
        case S.AUTHORIZATION | S.CONTRACT:
            return (AuthorizationRefused(talk.payment, code, emaid(talk)),)
        case S.INSTALLATION | S.UPDATE:
            return (InstallationFailed("the charger brings no contract", code, update=state is S.UPDATE),)
    return ()


def schedules(talk: Talk, now: Now, response: Any, *told: Told) -> Heard:
    """Of ChargeParameterDiscoveryRes: nothing yet, or schedules, of which the best one is taken. Without any the vehicle does as it likes."""
    if response.EVSEProcessing != "Finished":
        if not talk.ongoing("schedule", now, ONGOING_S):
            return leave(talk, "no schedules in time", *told, off=talk.rescheduling)
        return again(talk, *told)
    talk.done("schedule")
    offered = plans.schedules(response.SASchedules, talk.spelling.power_W)
    made: tuple[Told, ...] = ()
    if offered:
        wants, judged = talk.wants, talk.spelling.judged(talk, response.SASchedules)
        told = (*told, *judged.told)
        # Prices that nobody answers for are not chosen by.
        priced = [replace(each, prices=None) if each.id in judged.doubted else each for each in offered]
        chosen = plans.best(priced, wants.needs, wants.limits.max_power_W)
        talk.schedule_id, talk.planned_at = chosen.id, now.mono
        talk.profile = plans.profile(chosen, wants.limits.max_power_W, talk.spelling.most_entries)
        made = SchedulesOffered(offered), ProfileMade(chosen.id, talk.profile)
    return Heard(Said.DC if talk.dc else Said.AC, (*told, *made))


def session_stop(talk: Talk, now: Now, response: Any) -> Heard:
    """Over."""
    return Heard(Said.OVER, why="SessionStop", over=Ending.PAUSED if talk.ending == "Pause" else Ending.TERMINATED)
