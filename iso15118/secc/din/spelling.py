"""How DIN 70121 says what it has in common with ISO 15118-2."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.messages.declare import Message
from iso15118.messages.din import data_charging as ch
from iso15118.messages.din import data_schedules as sc
from iso15118.messages.din import data_services as sv
from iso15118.messages.din import msg_body as mb
from iso15118.messages.din import msg_data_types as dt
from iso15118.messages.din import msg_def as md
from iso15118.messages.din import msg_header as mh
from iso15118.secc.v2gmsg.talk import Chosen, Spelling, Talk
from iso15118.terms import AddedService, Energy, ParameterSet, Schedule, Slot, Wish
from iso15118.v2gmsg.values import MOST_VALUE, maker

RESPONSES: dict[type[Message], type[Message]] = {
    mb.SessionSetupReq: mb.SessionSetupRes,
    mb.ServiceDiscoveryReq: mb.ServiceDiscoveryRes,
    mb.ServiceDetailReq: mb.ServiceDetailRes,
    mb.ServicePaymentSelectionReq: mb.ServicePaymentSelectionRes,
    mb.PaymentDetailsReq: mb.PaymentDetailsRes,
    mb.ContractAuthenticationReq: mb.ContractAuthenticationRes,
    mb.ChargeParameterDiscoveryReq: mb.ChargeParameterDiscoveryRes,
    mb.CableCheckReq: mb.CableCheckRes,
    mb.PreChargeReq: mb.PreChargeRes,
    mb.PowerDeliveryReq: mb.PowerDeliveryRes,
    mb.CurrentDemandReq: mb.CurrentDemandRes,
    mb.WeldingDetectionReq: mb.WeldingDetectionRes,
    mb.SessionStopReq: mb.SessionStopRes,
    mb.ChargingStatusReq: mb.ChargingStatusRes,
    mb.MeteringReceiptReq: mb.MeteringReceiptRes,
    mb.CertificateInstallationReq: mb.CertificateInstallationRes,
    mb.CertificateUpdateReq: mb.CertificateUpdateRes,
}
READY_S = 150.0
"""The ready-to-charge timer, counted here from the end of the authorisation: how long a driver takes for that is no fault of the vehicle [K]."""
NO_ID = b"\x00"
"""EVSEID of a charger whose own does not fit."""
MOST_ID = 32
MOST_W = MOST_VALUE
"""PMax has no multiplier: more cannot be said, and binds no vehicle that is told the limits of the output beside it."""
DAY_S = 86_400


def evse_id(text: str) -> bytes:
    """The octets of its characters: DIN SPEC 91286 in hexadecimal has no letters (E is missing), so that is what chargers do [K]."""
    return text.encode("ascii", "replace")[:MOST_ID] or NO_ID


def document(session_id: bytes, body: Any, signature: Any = None) -> Message:
    """A message with its header; nothing is signed in this protocol."""
    return md.V2G_Message(Header=mh.MessageHeaderType(SessionID=session_id), Body=md.BodyType(BodyElement=body))


def _session_setup(code: Any, evse: bytes, utc: int) -> Message:
    return mb.SessionSetupRes(ResponseCode=code, EVSEID=evse, DateTimeNow=utc)


def _service_discovery(talk: Talk, added: tuple[AddedService, ...], category: str | None) -> Message:
    """Charging alone: services beside it are not known to this protocol by number."""
    charging = sv.ServiceCharge(
        ServiceTag=sv.ServiceTagType(ServiceID=1, ServiceCategory="EVCharging"), FreeService=False, EnergyTransferType="DC_extended"
    )
    return mb.ServiceDiscoveryRes(
        ResponseCode="OK", PaymentOptions=sv.PaymentOptionsType(PaymentOption=("ExternalPayment",)), ChargeService=charging
    )


def _service_detail(number: int, sets: tuple[ParameterSet, ...]) -> Message:
    return mb.ServiceDetailRes(ResponseCode="OK", ServiceID=number)


def _ac_status(talk: Talk, delay: int, word: Any) -> Message:
    return dt.AC_EVSEStatusType(PowerSwitchClosed=False, RCD=talk.facts.rcd, NotificationMaxDelay=delay, EVSENotification=word)


def _written(schedules: tuple[Schedule, ...]) -> sc.SAScheduleList:
    return sc.SAScheduleList(
        SAScheduleTuple=tuple(
            sc.SAScheduleTupleType(
                SAScheduleTupleID=each.id,
                PMaxSchedule=sc.PMaxScheduleType(PMaxScheduleID=each.id, PMaxScheduleEntry=tuple(_entry(slot) for slot in each.charging)),
            )
            for each in schedules
        )
    )


def _entry(slot: Slot) -> sc.PMaxScheduleEntryType:
    when = sc.RelativeTimeInterval(start=slot.start_s, duration=slot.duration_s)
    return sc.PMaxScheduleEntryType(TimeInterval=when, PMax=int(max(0.0, min(MOST_W, slot.power_W))))


def _schedules(talk: Talk, now: Now, request: Any) -> sc.SAScheduleList | None:
    """The first one alone: there are no tariffs to choose by."""
    known = talk.facts.schedules
    if not known:
        return None
    talk.schedules, talk.offered_mono = known[:1], now.mono
    return _written(talk.schedules)


def _chosen(talk: Talk, request: mb.PowerDeliveryReq) -> Chosen:
    """Cars on the road send no profile; one that names another schedule is refused."""
    profile = request.ChargingProfile
    offered = talk.schedules[0].id if talk.schedules else None
    if profile is None:
        talk.schedule_id = offered
        return Chosen()
    if profile.SAScheduleTupleID != offered:
        return Chosen((), ("FAILED_TariffSelectionInvalid", "the profile names no schedule that was offered"))
    talk.schedule_id = offered
    starts = [each.ChargingProfileEntryStart for each in profile.ProfileEntry]
    ends = [*starts[1:], starts[-1] + DAY_S]
    return Chosen(
        tuple(
            Slot(start, max(0, end - start), _meant(talk.schedules[0], start, each.ChargingProfileEntryMaxPower))
            for start, end, each in zip(starts, ends, profile.ProfileEntry, strict=True)
        )
    )


def _meant(offered: Schedule, start_s: int, most_W: int) -> float:
    """In a profile the greatest number that can be said stands for all that is offered at that moment, which may be more."""
    if most_W < MOST_W:
        return float(most_W)
    return max(
        (slot.power_W for slot in offered.charging if slot.start_s <= start_s < slot.start_s + slot.duration_s), default=float(most_W)
    )


SPELLING = Spelling(
    namespace=md.NAMESPACE,
    responses=RESPONSES,
    document=document,
    volts=maker(dt.PhysicalValueType, "V"),
    amperes=maker(dt.PhysicalValueType, "A"),
    watts=maker(dt.PhysicalValueType, "W"),
    evse_id=evse_id,
    wait_for_driver="Ongoing",
    wishes=dict.fromkeys((Wish.STOP, Wish.PAUSE), "StopCharging"),
    energies=dict.fromkeys(("DC_extended", "DC_core", "DC_combo_core", "DC_unique"), Energy.DC),
    asked_energy=lambda request: request.EVRequestedEnergyTransferType,
    wrong_energy="FAILED_WrongEnergyTransferType",
    no_charging="FAILED_ServiceSelectionInvalid",
    no_contactor="FAILED_PowerDeliveryNotApplied",
    added={},
    session_setup=_session_setup,
    service_discovery=_service_discovery,
    service_detail=_service_detail,
    selection=mb.ServicePaymentSelectionRes,
    authorization=mb.ContractAuthenticationRes,
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
    loop_more=lambda _: {},
    schedules=_schedules,
    no_schedules=_written((Schedule(1, (Slot(0, DAY_S, 0.0),)),)),
    chosen=_chosen,
    ready_s=READY_S,
)
