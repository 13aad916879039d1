"""DIN 70121 as a vehicle spells it (DIN SPEC 70121 9.4, 9.6 [K])."""

from __future__ import annotations

from typing import Any

from iso15118.evcc.v2gmsg.ask import dc_limits, full, status
from iso15118.evcc.v2gmsg.talk import Offer, Progress, Spelling, Talk
from iso15118.messages.declare import Message
from iso15118.messages.din import data_charging as ch
from iso15118.messages.din import data_schedules as sc
from iso15118.messages.din import data_services as sv
from iso15118.messages.din import msg_body as mb
from iso15118.messages.din import msg_data_types as dt
from iso15118.messages.din import msg_def as md
from iso15118.messages.din import msg_header as mh
from iso15118.terms import Payment
from iso15118.v2gmsg.values import Unit, physical

MAJOR, MINOR = 2, 0
"""Version of the namespace in supportedAppProtocol."""
MOST_W = 32_767
"""More no PMax can say: chargers that give more say this."""
NOT_LIMITED_W = 1_000_000.0
LOOP_S = 0.25
"""V2G_EVCC_Msg_Timeout of CurrentDemandReq."""
READY_S = 150.0
"""V2G_EVCC_ReadyToCharge_Timeout."""


def _document(session_id: bytes, body: Message, signature: Any = None) -> md.V2G_Message:
    if not isinstance(body, md.BodyBaseType):
        raise TypeError(f"{type(body).__name__} is no message of DIN 70121")
    return md.V2G_Message(Header=mh.MessageHeaderType(SessionID=session_id), Body=md.BodyType(BodyElement=body))


def _value(unit: Unit, value: float) -> dt.PhysicalValueType:
    return physical(dt.PhysicalValueType, unit, value)


def _evse_id(response: mb.SessionSetupRes) -> str:
    """Octets that most chargers fill with digits; text is shown as such."""
    octets = response.EVSEID
    return octets.decode("ascii") if octets and all(0x20 <= each < 0x7F for each in octets) else octets.hex().upper()


def _offer(response: mb.ServiceDiscoveryRes) -> Offer:
    charge = response.ChargeService
    payments = tuple(Payment.EIM for each in response.PaymentOptions.PaymentOption if each == "ExternalPayment")
    return Offer(payments, charge.ServiceTag.ServiceID, (charge.EnergyTransferType,))


def _selection(talk: Talk) -> mb.ServicePaymentSelectionReq:
    services = sv.SelectedServiceListType(SelectedService=(sv.SelectedServiceType(ServiceID=talk.charge_service),))
    return mb.ServicePaymentSelectionReq(SelectedPaymentOption="ExternalPayment", SelectedServiceList=services)


def _parameters(talk: Talk) -> mb.ChargeParameterDiscoveryReq:
    mode: Any = talk.mode
    return mb.ChargeParameterDiscoveryReq(EVRequestedEnergyTransferType=mode, EVChargeParameter=ch.DC_EVChargeParameter(**dc_limits(talk)))


def _power(talk: Talk, progress: Progress) -> mb.PowerDeliveryReq:
    on = progress == "Start"
    return mb.PowerDeliveryReq(
        ReadyToChargeState=on,
        ChargingProfile=_profile(talk) if on else None,
        EVPowerDeliveryParameter=ch.DC_EVPowerDeliveryParameter(
            DC_EVStatus=status(talk, ready=on), BulkChargingComplete=full(talk), ChargingComplete=not on
        ),
    )


def _profile(talk: Talk) -> sc.ChargingProfileType | None:
    entries = tuple(
        sc.ProfileEntryType(ChargingProfileEntryStart=each.start_s, ChargingProfileEntryMaxPower=round(min(each.power_W, MOST_W)))
        for each in talk.profile
    )
    return sc.ChargingProfileType(SAScheduleTupleID=talk.schedule_id, ProfileEntry=entries) if entries else None


def _power_W(most: int) -> float:
    return NOT_LIMITED_W if most >= MOST_W else float(most)


SPELLING = Spelling(
    md.NAMESPACE,
    mb,
    dt,
    responses={
        mb.SessionSetupReq: mb.SessionSetupRes,
        mb.ServiceDiscoveryReq: mb.ServiceDiscoveryRes,
        mb.ServicePaymentSelectionReq: mb.ServicePaymentSelectionRes,
        mb.ContractAuthenticationReq: mb.ContractAuthenticationRes,
        mb.ChargeParameterDiscoveryReq: mb.ChargeParameterDiscoveryRes,
        mb.CableCheckReq: mb.CableCheckRes,
        mb.PreChargeReq: mb.PreChargeRes,
        mb.PowerDeliveryReq: mb.PowerDeliveryRes,
        mb.CurrentDemandReq: mb.CurrentDemandRes,
        mb.WeldingDetectionReq: mb.WeldingDetectionRes,
        mb.SessionStopReq: mb.SessionStopRes,
    },
    longer_s={mb.CurrentDemandReq: LOOP_S},
    document=_document,
    value=_value,
    evse_id=_evse_id,
    offer=_offer,
    selection=_selection,
    authorization=lambda _: mb.ContractAuthenticationReq(),
    parameters=_parameters,
    power=_power,
    stop=lambda _: mb.SessionStopReq(),
    power_W=_power_W,
    ready_s=READY_S,
)
