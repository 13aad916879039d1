"""What only ISO 15118-2 has, the vehicle's side: AC, services beside charging, and other schedules in the loop."""

from __future__ import annotations

from iso15118.connection import Now
from iso15118.evcc.iso2 import contracts
from iso15118.evcc.terms import EvseLimits, PowerTarget, ServiceDescribed
from iso15118.evcc.v2gmsg import hear, hear_dc
from iso15118.evcc.v2gmsg.hear_loop import heeding, looped
from iso15118.evcc.v2gmsg.table import Said
from iso15118.evcc.v2gmsg.talk import Heard, Talk, failed, leaving
from iso15118.messages.iso2 import data_charging as ch
from iso15118.messages.iso2 import data_services as sv
from iso15118.messages.iso2 import msg_body as mb
from iso15118.terms import AddedService, Parameter, ParameterSet
from iso15118.v2gmsg.values import number

BETWEEN_PHASES_V = 300.0
"""More than this is no voltage between a phase and the neutral conductor: there are chargers that say the one between phases."""


# ---- asked


def service_detail(talk: Talk, now: Now) -> mb.ServiceDetailReq:
    """Of the next one that is wanted beside charging."""
    talk.detail_of = talk.to_ask[0]
    return mb.ServiceDetailReq(ServiceID=talk.detail_of)


def charging_status(talk: Talk, now: Now) -> mb.ChargingStatusReq:
    """We are there."""
    return mb.ChargingStatusReq()


def renegotiation(talk: Talk, now: Now) -> mb.PowerDeliveryReq:
    """Other schedules."""
    request = talk.spelling.power(talk, "Renegotiate")
    if not isinstance(request, mb.PowerDeliveryReq):
        raise TypeError(type(request).__name__)
    return request


# ---- heard


def service_detail_heard(talk: Talk, now: Now, response: mb.ServiceDetailRes) -> Heard:
    """Its first parameter set is taken, where it has some."""
    if response.ServiceID != talk.detail_of:
        return failed(f"details of service {response.ServiceID} instead of {talk.detail_of}")
    found = response.ServiceParameterList
    sets = tuple(map(_read, found.ParameterSet)) if found is not None else ()
    talk.to_ask.remove(response.ServiceID)
    if response.ServiceID == contracts.CERTIFICATE:
        contracts.described(talk, sets)
    elif sets:
        talk.added.append((response.ServiceID, sets[0].id))
    told = ServiceDescribed(AddedService(response.ServiceID, sets))
    return leaving(talk, told, off=False) or Heard(Said.OTHER if talk.to_ask else Said.GO, (told,))


def _read(each: sv.ParameterSetType) -> ParameterSet:
    return ParameterSet(each.ParameterSetID, tuple(Parameter(parameter.Name, _value(parameter)) for parameter in each.Parameter))


def _value(parameter: sv.ParameterType) -> bool | int | str | float:
    for value in (parameter.boolValue, parameter.byteValue, parameter.shortValue, parameter.intValue, parameter.stringValue):
        if value is not None:
            return value
    return number(parameter.physicalValue) if parameter.physicalValue is not None else ""


def parameters(talk: Talk, now: Now, response: mb.ChargeParameterDiscoveryRes) -> Heard:
    """Limits of the charger, and schedules."""
    if talk.dc:
        return hear_dc.parameters(talk, now, response)
    found = response.EVSEChargeParameter
    if not isinstance(found, ch.AC_EVSEChargeParameter):
        return failed("the charger's parameters are not those of the chosen service")
    volts, amps = number(found.EVSENominalVoltage), number(found.EVSEMaxCurrent)
    talk.nominal_V = volts / 3**0.5 if volts > BETWEEN_PHASES_V else volts
    told = talk.evse = EvseLimits(max_power_W=talk.nominal_V * amps * talk.phases, max_current_A=amps)
    gone, more = heeding(talk, found.AC_EVSEStatus, told, off=talk.rescheduling)
    return gone or hear.schedules(talk, now, response, told, *more)


def charging_status_heard(talk: Talk, now: Now, response: mb.ChargingStatusRes) -> Heard:
    """The charger's current is the vehicle's to obey; where nothing is said of it, what was said before holds."""
    most_W = talk.evse.max_power_W
    if response.EVSEMaxCurrent is not None:
        most_W = number(response.EVSEMaxCurrent) * talk.nominal_V * talk.phases
    return looped(talk, now, response, response.AC_EVSEStatus, PowerTarget(most_W))


def renegotiation_heard(talk: Talk, now: Now, response: mb.PowerDeliveryRes) -> Heard:
    """The parameters come once more, and with them other schedules."""
    talk.rescheduling = True
    gone, told = heeding(talk, response.EVSEStatus, off=True)
    return gone or Heard(Said.GO, told)


def power_stop(talk: Talk, now: Now, response: mb.PowerDeliveryRes) -> Heard:
    """AC has nothing to test."""
    return hear_dc.power_stop(talk, now, response) if talk.dc else Heard(Said.END)
