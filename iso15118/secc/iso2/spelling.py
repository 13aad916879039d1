"""How ISO 15118-2 says what it has in common with DIN 70121, and with other services beside charging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iso15118.messages.declare import Message
from iso15118.messages.iso2 import data_charging as ch
from iso15118.messages.iso2 import data_services as sv
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.messages.iso2 import msg_def as md
from iso15118.messages.iso2 import msg_header as mh
from iso15118.secc.iso2 import schedules
from iso15118.secc.v2gmsg.setup import CERTIFICATE
from iso15118.secc.v2gmsg.talk import Spelling, Talk
from iso15118.terms import AddedService, Energy, Parameter, ParameterSet, Payment, Reading, Wish
from iso15118.v2gmsg.values import maker, physical

RESPONSES: dict[type[Message], type[Message]] = {
    mb.SessionSetupReq: mb.SessionSetupRes,
    mb.ServiceDiscoveryReq: mb.ServiceDiscoveryRes,
    mb.ServiceDetailReq: mb.ServiceDetailRes,
    mb.PaymentServiceSelectionReq: mb.PaymentServiceSelectionRes,
    mb.PaymentDetailsReq: mb.PaymentDetailsRes,
    mb.AuthorizationReq: mb.AuthorizationRes,
    mb.ChargeParameterDiscoveryReq: mb.ChargeParameterDiscoveryRes,
    mb.PowerDeliveryReq: mb.PowerDeliveryRes,
    mb.MeteringReceiptReq: mb.MeteringReceiptRes,
    mb.SessionStopReq: mb.SessionStopRes,
    mb.CertificateUpdateReq: mb.CertificateUpdateRes,
    mb.CertificateInstallationReq: mb.CertificateInstallationRes,
    mb.ChargingStatusReq: mb.ChargingStatusRes,
    mb.CableCheckReq: mb.CableCheckRes,
    mb.PreChargeReq: mb.PreChargeRes,
    mb.CurrentDemandReq: mb.CurrentDemandRes,
    mb.WeldingDetectionReq: mb.WeldingDetectionRes,
}
INTERNET = 3
ADDED = {INTERNET: 65}
"""ServiceID -> the service as ISO 15118-20 numbers it, and the configuration with it. Parameter sets have the same numbers in both [K]."""
MOST_WH = (1 << 64) - 1
_PAYMENTS: dict[Payment, sv.paymentOptionType] = {Payment.EIM: "ExternalPayment", Payment.PNC: "Contract"}
_CERTIFICATE = sv.ServiceType(ServiceID=CERTIFICATE, ServiceName="Certificate", ServiceCategory="ContractCertificate", FreeService=True)
AC_ONE, AC_THREE = "AC_single_phase_core", "AC_three_phase_core"


def document(session_id: bytes, body: Any, signature: Any = None) -> Message:
    """A message with its header."""
    return md.V2G_Message(Header=mh.MessageHeaderType(SessionID=session_id, Signature=signature), Body=mb.BodyType(BodyElement=body))


def _session_setup(code: Any, evse: str, utc: int) -> Message:
    return mb.SessionSetupRes(ResponseCode=code, EVSEID=evse, EVSETimeStamp=utc)


def modes(talk: Talk) -> tuple[sv.EnergyTransferModeType, ...]:
    """What is offered, in words of the protocol."""
    found: list[sv.EnergyTransferModeType] = []
    for each in talk.discovered:
        if each.energy.is_dc:
            found.append("DC_extended")
        else:
            found += ["AC_three_phase_core", "AC_single_phase_core"] if each.phases == 3 else ["AC_single_phase_core"]
    return tuple(found)


def _service_discovery(talk: Talk, added: tuple[AddedService, ...], category: str | None) -> Message:
    charging = sv.ChargeServiceType(
        ServiceID=1,
        ServiceName="AC_DC_Charging",
        ServiceCategory="EVCharging",
        FreeService=False,
        SupportedEnergyTransferMode=sv.SupportedEnergyTransferModeType(EnergyTransferMode=modes(talk)),
    )
    beside = tuple(
        sv.ServiceType(ServiceID=each.service_id, ServiceName="Internet", ServiceCategory="Internet", FreeService=each.free)
        for each in added
        if category in (None, "Internet")
    )
    if talk.installable and category in (None, "ContractCertificate"):
        beside = (_CERTIFICATE, *beside)
    return mb.ServiceDiscoveryRes(
        ResponseCode="OK",
        PaymentOptionList=sv.PaymentOptionListType(PaymentOption=tuple(_PAYMENTS[each] for each in talk.payments)),
        ChargeService=charging,
        ServiceList=sv.ServiceListType(Service=beside) if beside else None,
    )


def _service_detail(number: int, sets: tuple[ParameterSet, ...]) -> Message:
    written = tuple(
        sv.ParameterSetType(ParameterSetID=each.id, Parameter=tuple(_parameter(one) for one in each.parameters)) for each in sets
    )
    return mb.ServiceDetailRes(
        ResponseCode="OK", ServiceID=number, ServiceParameterList=sv.ServiceParameterListType(ParameterSet=written) if written else None
    )


def _parameter(each: Parameter) -> sv.ParameterType:
    value = each.value
    if isinstance(value, bool):
        return sv.ParameterType(Name=each.name, boolValue=value)
    if isinstance(value, int):
        return sv.ParameterType(Name=each.name, intValue=value)
    if isinstance(value, float):
        return sv.ParameterType(Name=each.name, physicalValue=physical(dt.PhysicalValueType, "W", value))
    return sv.ParameterType(Name=each.name, stringValue=value)


def _ac_status(talk: Talk, delay: int, word: Any) -> Message:
    return dt.AC_EVSEStatusType(NotificationMaxDelay=delay, EVSENotification=word, RCD=talk.facts.rcd)


def seen(talk: Talk) -> Mapping[str, Any]:
    """What both loops show: whose charger this is, the schedule that holds, and the meter."""
    facts, shown = talk.facts, talk.shown
    required = facts.wish is Wish.CONFIRM_METERING and facts.meter is not None and shown is not None and shown.accepted
    if required:
        talk.metered = facts.meter
    info = meter_info(facts.meter) if facts.meter is not None else None
    return {"EVSEID": facts.evse_id, "SAScheduleTupleID": schedule_told(talk), "MeterInfo": info, "ReceiptRequired": required}


def schedule_told(talk: Talk) -> int:
    """The one that holds; 1 where none was chosen."""
    return talk.schedule_id or 1


def meter_info(reading: Reading) -> dt.MeterInfoType:
    """The meter, as it is told."""
    return dt.MeterInfoType(
        MeterID=reading.meter_id[:32],
        MeterReading=min(max(0, reading.import_Wh), MOST_WH),
        SigMeterReading=reading.signature[:64] or None,
        TMeter=reading.utc,
    )


SPELLING = Spelling(
    namespace=md.NAMESPACE,
    responses=RESPONSES,
    document=document,
    volts=maker(dt.PhysicalValueType, "V"),
    amperes=maker(dt.PhysicalValueType, "A"),
    watts=maker(dt.PhysicalValueType, "W"),
    evse_id=str,
    wait_for_driver="Ongoing_WaitingForCustomerInteraction",
    wishes={Wish.STOP: "StopCharging", Wish.PAUSE: "StopCharging", Wish.RENEGOTIATE_SCHEDULE: "ReNegotiation"},
    energies={AC_ONE: Energy.AC, AC_THREE: Energy.AC} | dict.fromkeys(("DC_extended", "DC_core", "DC_combo_core", "DC_unique"), Energy.DC),
    asked_energy=lambda request: request.RequestedEnergyTransferMode,
    wrong_energy="FAILED_WrongEnergyTransferMode",
    no_charging="FAILED_NoChargeServiceSelected",
    no_contactor="FAILED_ContactorError",
    added=ADDED,
    session_setup=_session_setup,
    service_discovery=_service_discovery,
    service_detail=_service_detail,
    selection=mb.PaymentServiceSelectionRes,
    authorization=mb.AuthorizationRes,
    parameters=mb.ChargeParameterDiscoveryRes,
    power=mb.PowerDeliveryRes,
    stop=mb.SessionStopRes,
    dc_parameters=ch.DC_EVSEChargeParameter,
    ac_parameters=ch.AC_EVSEChargeParameter,
    dc_status=dt.DC_EVSEStatusType,
    ac_status=_ac_status,
    cable_check=mb.CableCheckRes,
    precharge=mb.PreChargeRes,
    loop=mb.CurrentDemandRes,
    welding=mb.WeldingDetectionRes,
    loop_more=seen,
    schedules=schedules.offered,
    no_schedules=None,
    chosen=schedules.chosen,
    signature=schedules.signature,
    pausing=True,
)
