"""ISO 15118-20, what a vehicle makes of the responses up to the choice of a service, and at the end of a session."""

from __future__ import annotations

from iso15118.connection import Now
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.iso20.talk import Heard, Talk, failed, leave, leaving
from iso15118.evcc.terms import ServiceDescribed, ServicesOffered, SessionJoined
from iso15118.iso20 import services
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import AddedService, Ending, EnergyChosen


def session_setup(talk: Talk, now: Now, response: cm.SessionSetupRes) -> Heard:
    """Our id from here on. A charger that joins an old session has to mean ours."""
    given, old = response.Header.SessionID, talk.wants.resume
    resumed = response.ResponseCode == "OK_OldSessionJoined"
    if given == bytes(8):
        return failed("the charger gives no session id")
    if resumed and given != old:
        return failed("the charger joins a session that is not ours")
    talk.session_id = given
    told = SessionJoined(given, response.EVSEID, resumed)
    return leaving(talk, told, off=False) or Heard(Said.GO, (told,))


def service_discovery(talk: Talk, now: Now, response: cm.ServiceDiscoveryRes) -> Heard:
    """What of the wanted is offered, best first."""
    offered = [each.ServiceID for each in response.EnergyTransferServiceList.Service]
    added = [each.ServiceID for each in response.VASList.Service] if response.VASList else []
    known = tuple(services.ENERGIES[each] for each in offered if each in services.ENERGIES)
    told = ServicesOffered(known, tuple(added), response.ServiceRenegotiationSupported)
    talk.renegotiation = response.ServiceRenegotiationSupported
    talk.candidates = [each for each in talk.wants.energies if each in known and each in talk.energies]
    talk.to_ask = [each for each in talk.wants.added_services if each in added]
    talk.energy, talk.way, talk.added = None, None, []
    if gone := leaving(talk, told, off=False):
        return gone
    if not talk.candidates:
        return leave(talk, "no energy transfer that suits", told, off=False)
    return Heard(Said.GO, (told,))


def service_detail(talk: Talk, now: Now, response: cm.ServiceDetailRes) -> Heard:
    """The first parameter set with the control mode that we want most, and with our phases; of a service beside energy its first."""
    if response.ServiceID != talk.detail_of:
        return failed(f"details of service {response.ServiceID} instead of {talk.detail_of}")
    sets = tuple(services.read(each) for each in response.ServiceParameterList.ParameterSet)
    told: tuple[ServiceDescribed, ...] = ()
    if response.ServiceID in services.ENERGIES:
        energy = talk.candidates.pop(0)
        talk.way = _best(talk, [services.meaning(energy, each) for each in sets])
        talk.energy = energy if talk.way else None
    else:
        talk.to_ask.remove(response.ServiceID)
        talk.added.append((response.ServiceID, sets[0].id))
        told = (ServiceDescribed(AddedService(response.ServiceID, sets)),)
    if gone := leaving(talk, *told, off=False):
        return gone
    if talk.energy is None and not talk.candidates:
        return leave(talk, "no control mode that suits", *told, off=False)
    return Heard(Said.OTHER if talk.energy is None or talk.to_ask else Said.GO, told)


def _best(talk: Talk, ways: list[services.Way]) -> services.Way | None:
    wants = talk.wants

    def less_wanted(way: services.Way) -> tuple[bool, bool, int]:
        rank = wants.pricings.index(way.pricing) if way.pricing in wants.pricings else len(wants.pricings)
        return (way.phases == 1) != (wants.phases == 1), way.mobility_by_secc != wants.mobility_by_secc, rank

    for control in wants.controls:
        suiting = [each for each in ways if each.control is control]
        if suiting:
            return min(suiting, key=less_wanted)
    return None


def service_selection(talk: Talk, now: Now, response: cm.ServiceSelectionRes) -> Heard:
    """From here on AC and DC go different ways."""
    if talk.energy is None or talk.way is None:
        return failed("nothing was selected")
    talk.dc = talk.energy.is_dc
    way = talk.way
    told = EnergyChosen(talk.energy, way.control, way.mobility_by_secc, way.id, tuple(talk.added), way.pricing, way.phases)
    return leaving(talk, told, off=False) or Heard(Said.DC if talk.dc else Said.AC, (told,))


def session_stop(talk: Talk, now: Now, response: cm.SessionStopRes) -> Heard:
    """Over, or back to the services."""
    if talk.ending == "ServiceRenegotiation":
        talk.ending, talk.profile, talk.loops = "Terminate", None, 0
        talk.since.clear()
        talk.close_told = talk.started = talk.rescheduling = talk.replanning = talk.welding_said_finished = False
        return Heard(Said.GO)
    return Heard(Said.OVER, why="SessionStop", over=Ending.PAUSED if talk.ending == "Pause" else Ending.TERMINATED)
