"""ISO 15118-2 as a vehicle spells it (ISO 15118-2 8.4, 8.5 [K])."""

from __future__ import annotations

from typing import Any

from iso15118.evcc.iso2 import contracts
from iso15118.evcc.v2gmsg.ask import dc_limits, full, status
from iso15118.evcc.v2gmsg.talk import Offer, Progress, Spelling, Talk
from iso15118.messages.declare import Message
from iso15118.messages.iso2 import data_charging as ch
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import data_services as sv
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.messages.iso2 import msg_def as md
from iso15118.messages.iso2 import msg_header as mh
from iso15118.terms import Payment
from iso15118.v2gmsg.values import Unit, number, physical

MAJOR, MINOR = 2, 0
"""Version of the namespace in supportedAppProtocol."""
MOST_ENTRIES = 24
"""Of a charging profile."""
LOOP_S = 0.25
LONGER_S = 5.0
"""V2G_EVCC_Msg_Timeout of CurrentDemandReq, and of what may take longer than others."""
AC_V = 230.0
"""Between a phase and the neutral conductor, where the charger has not said it yet."""
_OPTIONS: dict[Payment, sv.paymentOptionType] = {Payment.EIM: "ExternalPayment", Payment.PNC: "Contract"}
_PAYMENTS = {"ExternalPayment": Payment.EIM, "Contract": Payment.PNC}


def _document(session_id: bytes, body: Message, signature: Any = None) -> md.V2G_Message:
    if not isinstance(body, mb.BodyBaseType):
        raise TypeError(f"{type(body).__name__} is no message of ISO 15118-2")
    return md.V2G_Message(Header=mh.MessageHeaderType(SessionID=session_id, Signature=signature), Body=mb.BodyType(BodyElement=body))


def _value(unit: Unit, value: float) -> dt.PhysicalValueType:
    return physical(dt.PhysicalValueType, unit, value)


def _offer(response: mb.ServiceDiscoveryRes) -> Offer:
    charge, others = response.ChargeService, response.ServiceList
    return Offer(
        tuple(_PAYMENTS[each] for each in response.PaymentOptionList.PaymentOption),
        charge.ServiceID,
        charge.SupportedEnergyTransferMode.EnergyTransferMode,
        tuple(each.ServiceID for each in others.Service) if others is not None else (),
    )


def _selection(talk: Talk) -> mb.PaymentServiceSelectionReq:
    chosen = (
        sv.SelectedServiceType(ServiceID=talk.charge_service),
        *([sv.SelectedServiceType(ServiceID=contracts.CERTIFICATE, ParameterSetID=talk.ask_by)] if talk.ask_for else []),
        *(sv.SelectedServiceType(ServiceID=service, ParameterSetID=ways) for service, ways in talk.added),
    )
    return mb.PaymentServiceSelectionReq(
        SelectedPaymentOption=_OPTIONS[talk.payment], SelectedServiceList=sv.SelectedServiceListType(SelectedService=chosen[:16])
    )


def _parameters(talk: Talk) -> mb.ChargeParameterDiscoveryReq:
    mode: Any = talk.mode
    departure_s = talk.wants.needs.departure_s
    return mb.ChargeParameterDiscoveryReq(
        MaxEntriesSAScheduleTuple=talk.wants.most_points,
        RequestedEnergyTransferMode=mode,
        EVChargeParameter=ch.DC_EVChargeParameter(DepartureTime=departure_s, **dc_limits(talk)) if talk.dc else _ac(talk),
    )


def _ac(talk: Talk) -> ch.AC_EVChargeParameter:
    """Currents are those of a phase."""
    limits, needs, phases = talk.wants.limits, talk.wants.needs, talk.phases
    per_phase_W = AC_V * phases
    return ch.AC_EVChargeParameter(
        DepartureTime=needs.departure_s,
        EAmount=_value("Wh", max(0.0, needs.target_Wh or 0.0)),
        EVMaxVoltage=_value("V", AC_V if phases == 1 else 400.0),
        EVMaxCurrent=_value("A", (limits.max_power_W or 0.0) / per_phase_W),
        EVMinCurrent=_value("A", (limits.min_power_W or 0.0) / per_phase_W),
    )


def _power(talk: Talk, progress: Progress) -> mb.PowerDeliveryReq:
    on = progress == "Start"
    return mb.PowerDeliveryReq(
        ChargeProgress=progress,
        SAScheduleTupleID=talk.schedule_id,
        ChargingProfile=_profile(talk) if on else None,
        EVPowerDeliveryParameter=ch.DC_EVPowerDeliveryParameter(
            DC_EVStatus=status(talk, ready=progress != "Stop"), BulkChargingComplete=full(talk), ChargingComplete=progress == "Stop"
        )
        if talk.dc
        else None,
    )


def _profile(talk: Talk) -> sc.ChargingProfileType | None:
    entries = tuple(
        sc.ProfileEntryType(
            ChargingProfileEntryStart=each.start_s,
            ChargingProfileEntryMaxPower=_value("W", each.power_W),
            ChargingProfileEntryMaxNumberOfPhasesInUse=None if talk.dc else talk.phases,
        )
        for each in talk.profile
    )
    return sc.ChargingProfileType(ProfileEntry=entries) if entries else None


SPELLING = Spelling(
    md.NAMESPACE,
    mb,
    dt,
    responses={
        mb.SessionSetupReq: mb.SessionSetupRes,
        mb.ServiceDiscoveryReq: mb.ServiceDiscoveryRes,
        mb.ServiceDetailReq: mb.ServiceDetailRes,
        mb.PaymentServiceSelectionReq: mb.PaymentServiceSelectionRes,
        mb.AuthorizationReq: mb.AuthorizationRes,
        mb.ChargeParameterDiscoveryReq: mb.ChargeParameterDiscoveryRes,
        mb.CableCheckReq: mb.CableCheckRes,
        mb.PreChargeReq: mb.PreChargeRes,
        mb.PowerDeliveryReq: mb.PowerDeliveryRes,
        mb.ChargingStatusReq: mb.ChargingStatusRes,
        mb.CurrentDemandReq: mb.CurrentDemandRes,
        mb.WeldingDetectionReq: mb.WeldingDetectionRes,
        mb.SessionStopReq: mb.SessionStopRes,
        mb.PaymentDetailsReq: mb.PaymentDetailsRes,
        mb.CertificateInstallationReq: mb.CertificateInstallationRes,
        mb.CertificateUpdateReq: mb.CertificateUpdateRes,
        mb.MeteringReceiptReq: mb.MeteringReceiptRes,
    },
    longer_s={
        **dict.fromkeys((mb.ServiceDetailReq, mb.PowerDeliveryReq, mb.PaymentDetailsReq), LONGER_S),
        **dict.fromkeys((mb.CertificateInstallationReq, mb.CertificateUpdateReq), LONGER_S),
        mb.CurrentDemandReq: LOOP_S,
    },
    document=_document,
    value=_value,
    evse_id=lambda response: str(response.EVSEID),
    offer=_offer,
    selection=_selection,
    authorization=contracts.authorization,
    parameters=_parameters,
    power=_power,
    stop=lambda talk: mb.SessionStopReq(ChargingSession=talk.ending),
    power_W=number,
    pausing=True,
    most_entries=MOST_ENTRIES,
    by_contract=contracts.by_contract,
    judged=contracts.judged,
)
