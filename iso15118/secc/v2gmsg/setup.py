"""DIN 70121 and ISO 15118-2, the charger's answers up to the choice of services, and to the end of a session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iso15118.connection import Now
from iso15118.secc.output import flows
from iso15118.secc.session import EIM_S
from iso15118.secc.v2gmsg.refuse import failed
from iso15118.secc.v2gmsg.talk import Result, Talk, off
from iso15118.terms import AuthorizationWanted, Ending, Parameter, ParameterSet, Payment, Progress, SessionBegun

CHARGING = 1
"""ServiceID of charging itself."""
CERTIFICATE = 2
CERTIFICATES = ParameterSet(1, (Parameter("Service", "Installation"),)), ParameterSet(2, (Parameter("Service", "Update"),))
"""ISO 15118-2: the service by which contracts are asked for, and its two ways (8.4.3.5 [K])."""
READY = "ready"
"""What DIN 70121 counts up to the power."""


def session_setup(talk: Talk, now: Now, request: Any, *, header: Any) -> Result:
    """A paused session is resumed by the vehicle that paused it; every other id, of whatever length, begins a new session. A vehicle without an EVCCID is
    taken, and never resumes: it cannot be told from any other. DIN 70121 has no pause: nothing is joined in it, whatever was paused in another protocol.
    """
    paused, given, evcc_id = talk.paused, header.SessionID, request.EVCCID.hex(":").upper()
    known = talk.spelling.pausing and paused is not None and bool(evcc_id)
    resumed = known and paused is not None and (given, evcc_id) == (paused.session_id, paused.evcc_id)
    talk.session_id = paused.session_id if resumed and paused else talk.fresh_id
    talk.evcc_id = evcc_id
    code = "OK_OldSessionJoined" if resumed else "OK_NewSessionEstablished"
    response = talk.spelling.session_setup(code, talk.spelling.evse_id(talk.facts.evse_id), max(0, int(now.utc)))
    return Result(response, (SessionBegun(talk.session_id, evcc_id, resumed),))


def service_discovery(talk: Talk, now: Now, request: Any) -> Result:
    """What is offered; services beside charging of the category that the vehicle asks for."""
    facts, category = talk.facts, request.ServiceCategory
    talk.discovered = tuple(each for each in facts.energies if not each.energy.is_bpt and each.energy in talk.spelling.energies.values())
    talk.payments, talk.installable = payments(talk), installable(talk)
    wanted = {told: number for number, told in talk.spelling.added.items()}
    talk.added = tuple(replace(each, service_id=wanted[each.service_id]) for each in facts.added_services if each.service_id in wanted)
    if not talk.discovered:
        return failed(talk, request, "FAILED", "no energy transfer is offered for this protocol")
    added = () if category == "EVCharging" else talk.added
    return Result(talk.spelling.service_discovery(talk, added, category))


def service_detail(talk: Talk, now: Now, request: Any) -> Result:
    """The parameter sets of a service beside charging; charging itself has none."""
    sets = _sets(talk, request.ServiceID)
    if not sets and request.ServiceID != CHARGING:
        return failed(talk, request, "FAILED_ServiceIDInvalid", f"there is no service {request.ServiceID}")
    return Result(talk.spelling.service_detail(request.ServiceID, sets))


def payments(talk: Talk) -> tuple[Payment, ...]:
    """The ways that the host allows; Plug & Charge only over TLS."""
    return tuple(each for each in talk.facts.payments if each is Payment.EIM or talk.secure) or (Payment.EIM,)


def installable(talk: Talk) -> bool:
    """Whether contracts can be asked for."""
    return Payment.PNC in payments(talk) and talk.facts.certificate_installation


def _sets(talk: Talk, number: int) -> tuple[ParameterSet, ...]:
    if number == CERTIFICATE:
        return CERTIFICATES if talk.installable else ()
    return next((each.parameter_sets for each in talk.added if each.service_id == number), ())


def payment_selection(talk: Talk, now: Now, request: Any) -> Result:
    """Charging, how it is paid for, and any services beside it."""
    talk.by_contract = request.SelectedPaymentOption == "Contract"
    if (Payment.PNC if talk.by_contract else Payment.EIM) not in talk.payments:
        return failed(talk, request, "FAILED_PaymentSelectionInvalid", f"{request.SelectedPaymentOption} was not offered")
    added: list[tuple[int, int]] = []
    charging = False
    for each in request.SelectedServiceList.SelectedService:
        if each.ServiceID == CHARGING:
            charging = True
        elif each.ServiceID == CERTIFICATE and talk.installable:
            continue  # a request for a contract may follow, whichever parameter set is named: there are vehicles that name none
        elif _is_offered(talk, each):
            added.append((talk.spelling.added[each.ServiceID], each.ParameterSetID or 0))
        else:
            why = f"service {each.ServiceID} with parameter set {each.ParameterSetID} is not offered"
            return failed(talk, request, "FAILED_ServiceSelectionInvalid", why)
    if not charging:
        return failed(talk, request, talk.spelling.no_charging, "charging was not chosen")
    talk.chosen_services = tuple(added)
    return Result(talk.spelling.selection(ResponseCode="OK"))


def _is_offered(talk: Talk, chosen: Any) -> bool:
    """A parameter set may be left out where there is nothing to choose."""
    sets = _sets(talk, chosen.ServiceID)
    if chosen.ParameterSetID is None:
        return len(sets) == 1
    return any(one.id == chosen.ParameterSetID for one in sets)


def authorization(talk: Talk, now: Now, request: Any) -> Result:
    """Ongoing until the host knows."""
    make, wanted = talk.spelling.authorization, (AuthorizationWanted(Payment.EIM),)
    match talk.facts.authorization:
        case Progress.DONE:
            talk.done("authorization")
            if talk.spelling.ready_s is not None:
                talk.ongoing(READY, now, talk.spelling.ready_s)
            return Result(make(ResponseCode="OK", EVSEProcessing="Finished"), wanted)
        case Progress.FAILED:
            return failed(talk, request, "FAILED", "the driver is not authorised")
    if not talk.ongoing("authorization", now, EIM_S):
        return failed(talk, request, "FAILED", "no authorisation in time")
    return Result(make(ResponseCode="OK", EVSEProcessing=talk.spelling.wait_for_driver), wanted, stay=True)


def session_stop(talk: Talk, now: Now, request: Any, *, late: bool) -> Result:
    """The energy goes off, whatever came before, and then this is answered: DC when hardly a current flows any more, as a PowerDelivery that stops is."""
    pause = getattr(request, "ChargingSession", "Terminate") == "Pause"
    if pause and not talk.facts.pausing:
        return failed(talk, request, "FAILED", "the vehicle wants to pause, and may not")
    told = off(talk, "SessionStop")
    if flows(talk):
        return failed(talk, request, "FAILED", "the current does not go down")._replace(told=told) if late else Result(None, told)
    return Result(talk.spelling.stop(ResponseCode="OK"), told, over=Ending.PAUSED if pause else Ending.TERMINATED)
