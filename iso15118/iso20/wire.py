"""How messages of ISO 15118-20 travel: which payload type carries which, and what answers what."""

from __future__ import annotations

from iso15118 import v2gtp
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct

RESPONSES: dict[type[ct.V2GRequestType], type[ct.V2GResponseType]] = {
    cm.SessionSetupReq: cm.SessionSetupRes,
    cm.AuthorizationSetupReq: cm.AuthorizationSetupRes,
    cm.AuthorizationReq: cm.AuthorizationRes,
    cm.CertificateInstallationReq: cm.CertificateInstallationRes,
    cm.ServiceDiscoveryReq: cm.ServiceDiscoveryRes,
    cm.ServiceDetailReq: cm.ServiceDetailRes,
    cm.ServiceSelectionReq: cm.ServiceSelectionRes,
    cm.ScheduleExchangeReq: cm.ScheduleExchangeRes,
    cm.PowerDeliveryReq: cm.PowerDeliveryRes,
    cm.MeteringConfirmationReq: cm.MeteringConfirmationRes,
    cm.SessionStopReq: cm.SessionStopRes,
    cm.VehicleCheckInReq: cm.VehicleCheckInRes,
    cm.VehicleCheckOutReq: cm.VehicleCheckOutRes,
    ac.AC_ChargeParameterDiscoveryReq: ac.AC_ChargeParameterDiscoveryRes,
    ac.AC_ChargeLoopReq: ac.AC_ChargeLoopRes,
    dc.DC_ChargeParameterDiscoveryReq: dc.DC_ChargeParameterDiscoveryRes,
    dc.DC_CableCheckReq: dc.DC_CableCheckRes,
    dc.DC_PreChargeReq: dc.DC_PreChargeRes,
    dc.DC_ChargeLoopReq: dc.DC_ChargeLoopRes,
    dc.DC_WeldingDetectionReq: dc.DC_WeldingDetectionRes,
}
"""Request -> response."""

SIDE_STREAMS: dict[type[Message], int] = {
    cm.ScheduleExchangeReq: v2gtp.ISO20_SCHEDULE_RENEGOTIATION,
    cm.MeteringConfirmationReq: v2gtp.ISO20_METERING_CONFIRMATION,
    cm.VehicleCheckInReq: v2gtp.ISO20_PARKING,
    cm.VehicleCheckOutReq: v2gtp.ISO20_PARKING,
}
"""Requests that may come beside the main stream, in the charge loop: with this payload type [K]."""

_MAIN = {cm.NAMESPACE: v2gtp.ISO20_MAIN, ac.NAMESPACE: v2gtp.ISO20_AC, dc.NAMESPACE: v2gtp.ISO20_DC}


def payload_type(kind: type[Message]) -> int:
    """Of the main stream."""
    return _MAIN[f"urn:iso:std:iso:15118:-20:{_room(kind)}"]


def _room(kind: type[Message]) -> str:
    return {"ac": "AC", "dc": "DC"}.get(kind.__module__.rpartition(".")[2], "CommonMessages")
