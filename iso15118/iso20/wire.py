"""How messages of ISO 15118-20 travel: which payload type carries which, what answers what, and the least that can be sent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from iso15118 import v2gtp
from iso15118.connection import Unexpected
from iso15118.exi.types import namespace_of
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.minimal import minimal
from iso15118.terms import Wish

M = TypeVar("M", bound=Message)

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

NOTIFICATIONS: dict[Wish, ct.evseNotificationType] = {
    Wish.STOP: "Terminate",
    Wish.PAUSE: "Pause",
    Wish.RENEGOTIATE_SCHEDULE: "ScheduleRenegotiation",
    Wish.RENEGOTIATE_SERVICE: "ServiceRenegotiation",
    Wish.CONFIRM_METERING: "MeteringConfirmation",
    Wish.EXIT_STANDBY: "ExitStandby",
}
"""What the charger wants -> EVSENotification."""
WISHES: dict[ct.evseNotificationType, Wish] = {word: wish for wish, word in NOTIFICATIONS.items()}

STREAMS: Mapping[str, int] = {v2gtp.SCHEMA_SETS[number]: number for number in (v2gtp.ISO20_MAIN, v2gtp.ISO20_AC, v2gtp.ISO20_DC)}
"""Schema sets of a session by cable -> the payload type of their messages. Other ways of energy transfer have their own."""
_MEMBERS: dict[type[Message], tuple[str, type[Message]]] = {
    ac.AC_ChargeLoopReq: ("CLReqControlMode", ac.Scheduled_AC_CLReqControlMode),
    ac.AC_ChargeLoopRes: ("CLResControlMode", ac.Scheduled_AC_CLResControlMode),
    dc.DC_ChargeLoopReq: ("CLReqControlMode", dc.Scheduled_DC_CLReqControlMode),
    dc.DC_ChargeLoopRes: ("CLResControlMode", dc.Scheduled_DC_CLResControlMode),
}
"""Fields whose declared type is abstract -> the member that is least."""


def payload_type(kind: type[Message], streams: Mapping[str, int] = STREAMS) -> int:
    """Of the main stream. Raises Unexpected for a message of a schema set that the session does not speak."""
    number = streams.get(namespace_of(kind))
    if number is None:
        raise Unexpected(f"{kind.__name__} of {namespace_of(kind)}")
    return number


def response_of(kind: type[ct.V2GRequestType]) -> type[ct.V2GResponseType]:
    """What answers a request of whatever schema set: declared beside it, by the same name."""
    found = RESPONSES.get(kind)
    if found is None:
        found = vars(sys.modules[kind.__module__])[kind.__name__.removesuffix("Req") + "Res"]
    return found


def least(kind: type[M], **given: Any) -> M:
    """The least message of a kind, as `minimal` makes it, of those too that have an abstract field."""
    if kind in _MEMBERS:
        name, member = _MEMBERS[kind]
        given.setdefault(name, minimal(member))
    return minimal(kind, **given)
