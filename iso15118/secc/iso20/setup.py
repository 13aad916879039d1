"""ISO 15118-20, the charger's answers up to the choice of a service, and to the end of a session."""

from __future__ import annotations

from dataclasses import replace

from iso15118.connection import Now
from iso15118.grid import functions
from iso15118.iso20 import services
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_services as sv
from iso15118.secc.iso20 import contracts
from iso15118.secc.iso20.talk import Result, Talk, failed, off, ok, warned
from iso15118.secc.output import flows
from iso15118.secc.session import EIM_S
from iso15118.terms import (
    AddedService,
    AuthorizationWanted,
    Ending,
    EnergyChosen,
    ParameterSet,
    ParkingTold,
    Payment,
    Progress,
    SessionBegun,
)

MOST_PROVIDERS = 128


def session_setup(talk: Talk, now: Now, request: cm.SessionSetupReq) -> Result:
    """A paused session is resumed by the vehicle that paused it; every other id begins a new session."""
    paused = talk.paused
    resumed = paused is not None and request.Header.SessionID == paused.session_id and paused.evcc_id == request.EVCCID
    talk.session_id = paused.session_id if resumed and paused else talk.fresh_id
    talk.evcc_id = request.EVCCID
    code = "OK_OldSessionJoined" if resumed else "OK_NewSessionEstablished"
    response = ok(talk, now, cm.SessionSetupRes, ResponseCode=code, EVSEID=talk.facts.evse_id)
    return Result(response, (SessionBegun(talk.session_id, request.EVCCID, resumed),))


def authorization_setup(talk: Talk, now: Now, request: cm.AuthorizationSetupReq) -> Result:
    """The ways that the host allows, and the challenge to sign."""
    payments, providers = contracts.payments(talk), talk.facts.providers[:MOST_PROVIDERS]
    pnc = Payment.PNC in payments
    supported = cm.SupportedProvidersListType(ProviderID=providers) if providers else None
    return Result(
        ok(
            talk, now, cm.AuthorizationSetupRes,
            AuthorizationServices=tuple(each.value for each in payments),
            CertificateInstallationService=contracts.installable(talk),
            EIM_ASResAuthorizationMode=None if pnc else cm.EIM_ASResAuthorizationModeType(),
            PnC_ASResAuthorizationMode=cm.PnC_ASResAuthorizationModeType(GenChallenge=talk.challenge, SupportedProviders=supported) if pnc else None,
        )
    )  # fmt: skip


def authorization(talk: Talk, now: Now, request: cm.AuthorizationReq) -> Result:
    """Ongoing until the host knows."""
    if request.SelectedAuthorizationService == Payment.PNC.value:
        return contracts.contract(talk, now, request)
    for each in (contracts.CONTRACT, contracts.INSTALLATION):
        talk.done(each)
    talk.shown = None
    if Payment.EIM not in contracts.payments(talk):
        return warned(talk, now, request, "WARNING_AuthorizationSelectionInvalid")
    match talk.facts.authorization:
        case Progress.DONE:
            talk.done("authorization")
            return Result(ok(talk, now, cm.AuthorizationRes, EVSEProcessing="Finished"), (AuthorizationWanted(Payment.EIM),))
        case Progress.FAILED:
            return warned(talk, now, request, "WARNING_EIMAuthorizationFailure")
    if not talk.ongoing("authorization", now, EIM_S):
        return failed(talk, now, request, "FAILED", "no authorisation in time")
    response = ok(talk, now, cm.AuthorizationRes, EVSEProcessing="Ongoing_WaitingForCustomerInteraction")
    return Result(response, (AuthorizationWanted(Payment.EIM),), stay=True)


def service_discovery(talk: Talk, now: Now, request: cm.ServiceDiscoveryReq) -> Result:
    """What is offered, narrowed to what the vehicle asks for where that leaves anything."""
    asked = set(request.SupportedServiceIDs.ServiceID) if request.SupportedServiceIDs else None
    rules = functions(talk.facts.grid) if talk.facts.grid is not None else 0
    talk.discovered = tuple(
        replace(each, grid_functions=rules) if each.energy.is_der else each for each in talk.facts.energies if each.energy in talk.energies
    )
    talk.added = talk.facts.added_services
    energies = [services.SERVICE_IDS[each.energy] for each in talk.discovered]
    chosen = [each for each in energies if asked is None or each in asked] or energies
    added = [each for each in talk.added if asked is None or each.service_id in asked]
    if not energies:
        return failed(talk, now, request, "FAILED_NoEnergyTransferServiceSelected", "no energy transfer is offered for this protocol")
    return Result(
        ok(
            talk, now, cm.ServiceDiscoveryRes,
            ServiceRenegotiationSupported=talk.facts.renegotiation,
            EnergyTransferServiceList=sv.ServiceListType(Service=tuple(sv.ServiceType(ServiceID=each, FreeService=False) for each in chosen)),
            VASList=sv.ServiceListType(Service=tuple(sv.ServiceType(ServiceID=each.service_id, FreeService=each.free) for each in added[:8])) if added else None,
        )
    )  # fmt: skip


def service_detail(talk: Talk, now: Now, request: cm.ServiceDetailReq) -> Result:
    """The parameter sets of one service."""
    sets = _sets(talk, request.ServiceID)
    if not sets:
        return failed(talk, now, request, "FAILED_ServiceIDInvalid", f"there is no service {request.ServiceID}")
    written = sv.ServiceParameterListType(ParameterSet=tuple(services.written(each) for each in sets[:32]))
    return Result(ok(talk, now, cm.ServiceDetailRes, ServiceID=request.ServiceID, ServiceParameterList=written))


def _sets(talk: Talk, service_id: int) -> tuple[ParameterSet, ...]:
    for offered in talk.discovered:
        if services.SERVICE_IDS[offered.energy] == service_id:
            return services.parameter_sets(offered)
    return next((each.parameter_sets for each in talk.added if each.service_id == service_id), ())


def service_selection(talk: Talk, now: Now, request: cm.ServiceSelectionReq) -> Result:
    """One energy transfer with one of its parameter sets, and any services beside it."""
    chosen = request.SelectedEnergyTransferService
    offered = next((each for each in talk.discovered if services.SERVICE_IDS[each.energy] == chosen.ServiceID), None)
    way = next((each for each in services.ways(offered) if each.id == chosen.ParameterSetID), None) if offered else None
    if offered is None or way is None:
        return failed(
            talk,
            now,
            request,
            "FAILED_ServiceSelectionInvalid",
            f"service {chosen.ServiceID} with parameter set {chosen.ParameterSetID} is not offered",
        )
    added = request.SelectedVASList.SelectedService if request.SelectedVASList else ()
    for each in added:
        if not _is_offered(talk.added, each):
            return failed(
                talk,
                now,
                request,
                "FAILED_ServiceSelectionInvalid",
                f"service {each.ServiceID} with parameter set {each.ParameterSetID} is not offered",
            )
    talk.offered, talk.way, talk.phases = offered, way, way.phases
    told = EnergyChosen(
        offered.energy,
        way.control,
        way.mobility_by_secc,
        way.id,
        tuple((each.ServiceID, each.ParameterSetID) for each in added),
        way.pricing,
        way.phases,
    )
    return Result(ok(talk, now, cm.ServiceSelectionRes), (told,))


def _is_offered(added: tuple[AddedService, ...], chosen: sv.SelectedServiceType) -> bool:
    return any(
        each.service_id == chosen.ServiceID and any(one.id == chosen.ParameterSetID for one in each.parameter_sets) for each in added
    )


def session_stop(talk: Talk, now: Now, request: cm.SessionStopReq, *, late: bool) -> Result:
    """The energy goes off, whatever came before, and then this is answered: DC when hardly a current flows any more, as a PowerDelivery Stop is."""
    match request.ChargingSession:
        case "Pause" if not talk.facts.pausing:
            return failed(talk, now, request, "FAILED_PauseNotAllowed", "the vehicle wants to pause, and may not")
        case "ServiceRenegotiation" if not talk.facts.renegotiation:
            return failed(talk, now, request, "FAILED_NoServiceRenegotiationSupported", "the vehicle wants other services, and may not")
    told = off(talk, "SessionStop")
    if flows(talk):
        return failed(talk, now, request, "FAILED", "the current does not go down") if late else Result(None, told)
    if request.ChargingSession == "ServiceRenegotiation":
        return Result(ok(talk, now, cm.SessionStopRes), told)
    ev_code = " ".join(each for each in (request.EVTerminationCode, request.EVTerminationExplanation) if each)
    over = Ending.PAUSED if request.ChargingSession == "Pause" else Ending.TERMINATED
    return Result(ok(talk, now, cm.SessionStopRes), told, over=over, ev_code=ev_code)


def check_in(talk: Talk, now: Now, request: cm.VehicleCheckInReq) -> Result:
    """The vehicle says how it parks."""
    if talk.facts.parking_methods and request.ParkingMethod not in talk.facts.parking_methods:
        return failed(talk, now, request, "FAILED", f"parking by {request.ParkingMethod} is not offered")
    return Result(
        ok(talk, now, cm.VehicleCheckInRes), (ParkingTold(f"check-in, {request.ParkingMethod}", request.EVCheckInStatus),), stay=True
    )


def check_out(talk: Talk, now: Now, request: cm.VehicleCheckOutReq) -> Result:
    """Done when the vehicle says so, or at the time that it names."""
    done = request.EVCheckOutStatus == "Completed" or request.CheckOutTime <= now.utc
    response = ok(talk, now, cm.VehicleCheckOutRes, EVSECheckOutStatus="Completed" if done else "Scheduled")
    return Result(response, (ParkingTold("check-out", request.EVCheckOutStatus),), stay=True)
