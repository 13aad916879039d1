"""Which request may come when, in a session of DIN 70121, as the charger sees it (DIN SPEC 70121:2014 9.6 [K]).

An entry names the function that answers; it may keep the session where it is ("ongoing"), else the session goes where the entry says.
What is not here is out of sequence.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from iso15118.machine import Table, Transition, on, rest_refused, stay


class S(enum.Enum):
    """Where a session is."""

    SETUP = "setup"
    DISCOVERY = "service discovery"
    SELECTION = "service selection"
    AUTHENTICATION = "contract authentication"
    PARAMETERS = "parameters"
    CABLE_CHECK = "cable check"
    PRECHARGE = "precharge"
    PRECHARGING = "precharging"
    LOOP = "loop"
    OFF = "off"
    OVER = "over"


class E(enum.Enum):
    """A request, with what it chooses where that decides."""

    SETUP = "SessionSetupReq"
    DISCOVERY = "ServiceDiscoveryReq"
    DETAIL = "ServiceDetailReq"
    SELECTION = "ServicePaymentSelectionReq"
    PAYMENT_DETAILS = "PaymentDetailsReq"
    AUTHENTICATION = "ContractAuthenticationReq"
    PARAMETERS = "ChargeParameterDiscoveryReq"
    CABLE_CHECK = "CableCheckReq"
    PRECHARGE = "PreChargeReq"
    START = "PowerDeliveryReq on"
    STOP = "PowerDeliveryReq off"
    LOOP = "CurrentDemandReq"
    WELDING = "WeldingDetectionReq"
    TERMINATE = "SessionStopReq"
    CHARGING_STATUS = "ChargingStatusReq"
    RECEIPT = "MeteringReceiptReq"
    INSTALLATION = "CertificateInstallationReq"
    UPDATE = "CertificateUpdateReq"


BEFORE = (S.CABLE_CHECK, S.PRECHARGE, S.PRECHARGING)
"""Voltage may be on the output."""
QUIET = (S.DISCOVERY, S.SELECTION, S.AUTHENTICATION, S.PARAMETERS, *BEFORE, S.LOOP, S.OFF)
"""States in which a vehicle may go: cars on the road stop right after the parameters, the cable check or the precharge, and out of the loop."""


def _rows() -> Iterator[Transition[S, E]]:
    yield from on(S.SETUP, E.SETUP, to=S.DISCOVERY, do=("session_setup",))
    yield from on(S.DISCOVERY, E.DISCOVERY, to=S.SELECTION, do=("service_discovery",))
    yield from stay(S.SELECTION, E.DETAIL, do=("service_detail",))
    yield from on(S.SELECTION, E.SELECTION, to=S.AUTHENTICATION, do=("payment_selection",), source="other means than a contract")
    yield from on(S.AUTHENTICATION, E.AUTHENTICATION, to=S.PARAMETERS, do=("authorization",), source="stays while ongoing")
    yield from on(S.PARAMETERS, E.PARAMETERS, to=S.CABLE_CHECK, do=("dc_parameters",), source="stays while ongoing")
    yield from on(S.CABLE_CHECK, E.CABLE_CHECK, to=S.PRECHARGE, do=("cable_check",), source="stays while ongoing")
    yield from on((S.PRECHARGE, S.PRECHARGING), E.PRECHARGE, to=S.PRECHARGING, do=("precharge",))
    yield from on(S.PRECHARGING, E.START, to=S.LOOP, do=("power_start",), source="waits for the stage")
    yield from stay(S.LOOP, E.LOOP, do=("current_demand",))
    yield from on((*BEFORE, S.LOOP, S.OFF), E.STOP, to=S.OFF, do=("power_stop",))
    yield from stay(S.OFF, E.WELDING, do=("welding_detection",))
    yield from on(QUIET, E.TERMINATE, to=S.OVER, do=("session_stop",))


TABLE: Table[S, E] = Table("SECC DIN 70121", S, E, S.SETUP, rest_refused(S, E, _rows(), why="out of sequence"))
