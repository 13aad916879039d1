"""Which request may come when, in a session of ISO 15118-2, as the charger sees it (ISO 15118-2:2014 8.8 [K]).

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
    CONTRACT = "contract details"
    AUTHORIZATION = "authorization"
    PARAMETERS = "parameters"
    AC_READY = "AC ready"
    AC_BEGUN = "AC loop begun"
    """And has had no round: other schedules are agreed on after one ([V2G2-812] [K]). Likewise in DC."""
    AC_LOOP = "AC loop"
    AC_AGAIN = "AC parameters again"
    AC_OFF = "AC off"
    DC_CABLE_CHECK = "DC cable check"
    DC_PRECHARGE = "DC precharge"
    DC_PRECHARGING = "DC precharging"
    DC_BEGUN = "DC loop begun"
    DC_LOOP = "DC loop"
    DC_AGAIN = "DC parameters again"
    DC_READY = "DC ready"
    DC_OFF = "DC off"
    OVER = "over"


class E(enum.Enum):
    """A request, with what it chooses where that decides."""

    SETUP = "SessionSetupReq"
    DISCOVERY = "ServiceDiscoveryReq"
    DETAIL = "ServiceDetailReq"
    SELECTION = "PaymentServiceSelectionReq ExternalPayment"
    SELECTION_CONTRACT = "PaymentServiceSelectionReq Contract"
    PAYMENT_DETAILS = "PaymentDetailsReq"
    INSTALLATION = "CertificateInstallationReq"
    UPDATE = "CertificateUpdateReq"
    AUTHORIZATION = "AuthorizationReq"
    AC_PARAMETERS = "ChargeParameterDiscoveryReq AC"
    DC_PARAMETERS = "ChargeParameterDiscoveryReq DC"
    CABLE_CHECK = "CableCheckReq"
    PRECHARGE = "PreChargeReq"
    START = "PowerDeliveryReq Start"
    STOP = "PowerDeliveryReq Stop"
    RENEGOTIATE = "PowerDeliveryReq Renegotiate"
    AC_LOOP = "ChargingStatusReq"
    DC_LOOP = "CurrentDemandReq"
    RECEIPT = "MeteringReceiptReq"
    WELDING = "WeldingDetectionReq"
    TERMINATE = "SessionStopReq Terminate"
    PAUSE = "SessionStopReq Pause"


BEFORE = (S.DC_CABLE_CHECK, S.DC_PRECHARGE, S.DC_PRECHARGING)
"""Voltage may be on the output."""
AGAIN = (S.DC_AGAIN, S.DC_READY)
"""The loop has been left for other schedules, and current may flow."""
QUIET = tuple(each for each in S if each not in (S.SETUP, S.OVER))
"""States in which a vehicle may go: cars on the road stop right after the parameters, the cable check or the precharge, and out of the loop."""


def _rows() -> Iterator[Transition[S, E]]:
    yield from on(S.SETUP, E.SETUP, to=S.DISCOVERY, do=("session_setup",))
    yield from on(S.DISCOVERY, E.DISCOVERY, to=S.SELECTION, do=("service_discovery",))
    yield from stay(S.SELECTION, E.DETAIL, do=("service_detail",))
    yield from on(S.SELECTION, E.SELECTION, to=S.AUTHORIZATION, do=("payment_selection",))
    yield from on(S.SELECTION, E.SELECTION_CONTRACT, to=S.CONTRACT, do=("payment_selection",))
    yield from stay(S.CONTRACT, E.INSTALLATION, do=("certificate_installation",))
    yield from stay(S.CONTRACT, E.UPDATE, do=("certificate_update",))
    yield from on(S.CONTRACT, E.PAYMENT_DETAILS, to=S.AUTHORIZATION, do=("payment_details",))
    yield from on(S.AUTHORIZATION, E.AUTHORIZATION, to=S.PARAMETERS, do=("authorization",), source="stays while ongoing")
    yield from _ac()
    yield from _dc()
    yield from on(QUIET, E.TERMINATE, to=S.OVER, do=("session_stop",))
    yield from on((S.AC_READY, S.AC_OFF, S.DC_CABLE_CHECK, S.DC_OFF), E.PAUSE, to=S.OVER, do=("session_stop",), source="no energy flows")


def _ac() -> Iterator[Transition[S, E]]:
    yield from on((S.PARAMETERS, S.AC_AGAIN), E.AC_PARAMETERS, to=S.AC_READY, do=("ac_parameters",), source="stays while ongoing")
    yield from on(S.AC_READY, E.START, to=S.AC_BEGUN, do=("power_start",), source="waits for the contactor")
    yield from on((S.AC_BEGUN, S.AC_LOOP), E.AC_LOOP, to=S.AC_LOOP, do=("charging_status",))
    yield from stay(S.AC_LOOP, E.RECEIPT, do=("metering_receipt",))
    yield from on(S.AC_LOOP, E.RENEGOTIATE, to=S.AC_AGAIN, do=("renegotiation",), source="the contactor stays closed")
    yield from on((S.AC_READY, S.AC_BEGUN, S.AC_LOOP, S.AC_AGAIN, S.AC_OFF), E.STOP, to=S.AC_OFF, do=("power_stop",))


def _dc() -> Iterator[Transition[S, E]]:
    yield from on(S.PARAMETERS, E.DC_PARAMETERS, to=S.DC_CABLE_CHECK, do=("dc_parameters",), source="stays while ongoing")
    yield from on(S.DC_AGAIN, E.DC_PARAMETERS, to=S.DC_READY, do=("dc_parameters",), source="stays while ongoing")
    yield from on(S.DC_READY, E.CABLE_CHECK, to=S.DC_CABLE_CHECK, do=("cable_check_again",), source="waits for the current to go")
    yield from on(S.DC_CABLE_CHECK, E.CABLE_CHECK, to=S.DC_PRECHARGE, do=("cable_check",), source="stays while ongoing")
    yield from on((S.DC_PRECHARGE, S.DC_PRECHARGING), E.PRECHARGE, to=S.DC_PRECHARGING, do=("precharge",))
    yield from on((S.DC_PRECHARGING, S.DC_READY), E.START, to=S.DC_BEGUN, do=("power_start",), source="waits for the stage")
    yield from on((S.DC_BEGUN, S.DC_LOOP), E.DC_LOOP, to=S.DC_LOOP, do=("current_demand",))
    yield from stay(S.DC_LOOP, E.RECEIPT, do=("metering_receipt",))
    yield from on(S.DC_LOOP, E.RENEGOTIATE, to=S.DC_AGAIN, do=("renegotiation",), source="the energy stays on")
    yield from on((*BEFORE, S.DC_BEGUN, S.DC_LOOP, *AGAIN, S.DC_OFF), E.STOP, to=S.DC_OFF, do=("power_stop",))
    yield from stay(S.DC_OFF, E.WELDING, do=("welding_detection",))


TABLE: Table[S, E] = Table("SECC ISO 15118-2", S, E, S.SETUP, rest_refused(S, E, _rows(), why="out of sequence"))
