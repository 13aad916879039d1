"""Which request may come when, in an ISO 15118-20 session, as the charger sees it (ISO 15118-20 8.8 [K]).

An entry names the function that answers; it may keep the session where it is ("ongoing"), else the session goes where the entry says.
What is not here is out of sequence.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from iso15118.machine import Table, Transition, on, rest_refused, stay


class S(enum.Enum):
    """Where a session is."""

    SETUP = "setup"
    AUTHORIZATION_SETUP = "authorization setup"
    AUTHORIZATION = "authorization"
    SERVICE_DISCOVERY = "service discovery"
    SERVICE_SELECTION = "service selection"
    AC_PARAMETERS = "AC parameters"
    AC_SCHEDULE = "AC schedule"
    AC_READY = "AC ready"
    AC_LOOP = "AC loop"
    AC_REPLANNED = "AC loop, other schedules offered"
    AC_STANDBY = "AC standby"
    AC_RESCHEDULE = "AC reschedule"
    AC_OFF = "AC off"
    DC_PARAMETERS = "DC parameters"
    DC_SCHEDULE = "DC schedule"
    DC_CABLE_CHECK = "DC cable check"
    DC_PRECHARGE = "DC precharge"
    DC_PRECHARGING = "DC precharging"
    DC_LOOP = "DC loop"
    DC_REPLANNED = "DC loop, other schedules offered"
    DC_STANDBY = "DC standby"
    DC_RESCHEDULE = "DC reschedule"
    DC_READY = "DC ready"
    DC_OFF = "DC off"
    OVER = "over"


class E(enum.Enum):
    """A request, with what it chooses where that decides."""

    SETUP = "SessionSetupReq"
    AUTHORIZATION_SETUP = "AuthorizationSetupReq"
    AUTHORIZATION = "AuthorizationReq"
    INSTALLATION = "CertificateInstallationReq"
    DISCOVERY = "ServiceDiscoveryReq"
    DETAIL = "ServiceDetailReq"
    SELECTION_AC = "ServiceSelectionReq AC"
    SELECTION_DC = "ServiceSelectionReq DC"
    AC_PARAMETERS = "AC_ChargeParameterDiscoveryReq"
    DC_PARAMETERS = "DC_ChargeParameterDiscoveryReq"
    SCHEDULE = "ScheduleExchangeReq"
    SCHEDULE_ASIDE = "ScheduleExchangeReq 8101"
    """On the stream beside the loop."""
    CABLE_CHECK = "DC_CableCheckReq"
    PRECHARGE = "DC_PreChargeReq"
    START = "PowerDeliveryReq Start"
    STOP = "PowerDeliveryReq Stop"
    STANDBY = "PowerDeliveryReq Standby"
    RENEGOTIATE = "PowerDeliveryReq ScheduleRenegotiation"
    REPLAN = "PowerDeliveryReq ScheduleRenegotiation EVPowerProfile"
    AC_LOOP = "AC_ChargeLoopReq"
    DC_LOOP = "DC_ChargeLoopReq"
    WELDING = "DC_WeldingDetectionReq"
    METERING = "MeteringConfirmationReq"
    TERMINATE = "SessionStopReq Terminate"
    PAUSE = "SessionStopReq Pause"
    SERVICES_AGAIN = "SessionStopReq ServiceRenegotiation"
    CHECK_IN = "VehicleCheckInReq"
    CHECK_OUT = "VehicleCheckOutReq"


_QUIET = (
    S.AUTHORIZATION_SETUP, S.AUTHORIZATION, S.SERVICE_DISCOVERY, S.SERVICE_SELECTION, S.AC_PARAMETERS, S.AC_SCHEDULE, S.AC_READY, S.AC_STANDBY, S.AC_RESCHEDULE,
    S.AC_OFF, S.DC_PARAMETERS, S.DC_SCHEDULE, S.DC_CABLE_CHECK, S.DC_PRECHARGE, S.DC_PRECHARGING, S.DC_STANDBY, S.DC_RESCHEDULE, S.DC_READY, S.DC_OFF,
)  # fmt: skip
"""States in which a vehicle may go: cars on the road stop right after the parameters, the cable check or the precharge."""
_OFF = (S.AC_OFF, S.DC_OFF)
LOOPS = (S.AC_LOOP, S.AC_REPLANNED, S.DC_LOOP, S.DC_REPLANNED)


BEGINNING = (S.AUTHORIZATION_SETUP, S.AUTHORIZATION, S.SERVICE_DISCOVERY, S.SERVICE_SELECTION)
"""States that every way of energy transfer goes through, after the setup."""


def beginning() -> Iterator[Transition[Any, Any]]:
    """What is the same whatever is chosen, but for the setup."""
    yield from on(S.AUTHORIZATION_SETUP, E.AUTHORIZATION_SETUP, to=S.AUTHORIZATION, do=("authorization_setup",))
    yield from on(S.AUTHORIZATION, E.AUTHORIZATION, to=S.SERVICE_DISCOVERY, do=("authorization",), source="stays while ongoing")
    yield from stay(S.AUTHORIZATION, E.INSTALLATION, do=("certificate_installation",))
    yield from on(S.SERVICE_DISCOVERY, E.DISCOVERY, to=S.SERVICE_SELECTION, do=("service_discovery",))
    yield from stay(S.SERVICE_SELECTION, E.DETAIL, do=("service_detail",))


def _rows() -> Iterator[Transition[S, E]]:
    yield from on(S.SETUP, E.SETUP, to=S.AUTHORIZATION_SETUP, do=("session_setup",))
    yield from beginning()
    yield from on(S.SERVICE_SELECTION, E.SELECTION_AC, to=S.AC_PARAMETERS, do=("service_selection",))
    yield from on(S.SERVICE_SELECTION, E.SELECTION_DC, to=S.DC_PARAMETERS, do=("service_selection",))
    yield from _ac()
    yield from dc()
    yield from ending(_QUIET, _OFF, (S.AC_SCHEDULE, S.DC_SCHEDULE))
    yield from parking((*_QUIET, *LOOPS))


def ending(quiet: tuple[Any, ...], off: tuple[Any, ...], schedule: tuple[Any, ...]) -> Iterator[Transition[Any, Any]]:
    """Where a vehicle may go (`quiet`), pause or want other services (`off`)."""
    yield from on(quiet, E.TERMINATE, to=S.OVER, do=("session_stop",))
    yield from on(off, E.PAUSE, to=S.OVER, do=("session_stop",), source="after PowerDelivery Stop")
    yield from on(schedule, E.PAUSE, to=S.OVER, do=("session_stop",), source="after GoToPause")
    yield from on(off, E.SERVICES_AGAIN, to=S.SERVICE_DISCOVERY, do=("session_stop",))


def parking(states: tuple[Any, ...]) -> Iterator[Transition[Any, Any]]:
    """Checking in and out."""
    for event, name in ((E.CHECK_IN, "check_in"), (E.CHECK_OUT, "check_out")):
        yield from stay(states, event, do=(name,), source="the parking stream stands beside the main one")


def _ac() -> Iterator[Transition[S, E]]:
    yield from on(S.AC_PARAMETERS, E.AC_PARAMETERS, to=S.AC_SCHEDULE, do=("ac_parameters",))
    yield from on((S.AC_SCHEDULE, S.AC_RESCHEDULE), E.SCHEDULE, to=S.AC_READY, do=("schedule_exchange",), source="stays while ongoing")
    yield from on((S.AC_READY, S.AC_STANDBY), E.START, to=S.AC_LOOP, do=("power_start",), source="waits for the contactor")
    yield from stay((S.AC_LOOP, S.AC_REPLANNED), E.AC_LOOP, do=("ac_loop",))
    yield from stay(S.AC_STANDBY, E.AC_LOOP, do=("ac_loop",), source="without energy; here the charger can ask to exit standby")
    yield from around(
        S.AC_LOOP, S.AC_REPLANNED, S.AC_STANDBY, S.AC_RESCHEDULE, S.AC_OFF, (S.AC_RESCHEDULE, S.AC_READY, S.AC_STANDBY, S.AC_OFF)
    )


def dc(after_schedule: Any = S.DC_CABLE_CHECK) -> Iterator[Transition[Any, Any]]:
    """From the parameters to the end of the energy."""
    yield from on(S.DC_PARAMETERS, E.DC_PARAMETERS, to=S.DC_SCHEDULE, do=("dc_parameters",))
    yield from on(S.DC_SCHEDULE, E.SCHEDULE, to=after_schedule, do=("schedule_exchange",), source="stays while ongoing")
    yield from on(S.DC_RESCHEDULE, E.SCHEDULE, to=S.DC_READY, do=("schedule_exchange",), source="stays while ongoing")
    yield from on(S.DC_CABLE_CHECK, E.CABLE_CHECK, to=S.DC_PRECHARGE, do=("cable_check",), source="stays while ongoing")
    yield from on((S.DC_PRECHARGE, S.DC_PRECHARGING), E.PRECHARGE, to=S.DC_PRECHARGING, do=("precharge",))
    yield from on((S.DC_PRECHARGING, S.DC_READY, S.DC_STANDBY), E.START, to=S.DC_LOOP, do=("power_start",), source="waits for the stage")
    yield from stay((S.DC_LOOP, S.DC_REPLANNED), E.DC_LOOP, do=("dc_loop",))
    yield from stay(S.DC_STANDBY, E.DC_LOOP, do=("dc_loop",), source="as AC")
    yield from stay(S.DC_OFF, E.WELDING, do=("welding_detection",))
    before = (S.DC_CABLE_CHECK, S.DC_PRECHARGE, S.DC_PRECHARGING, S.DC_RESCHEDULE, S.DC_READY, S.DC_STANDBY, S.DC_OFF)
    yield from around(S.DC_LOOP, S.DC_REPLANNED, S.DC_STANDBY, S.DC_RESCHEDULE, S.DC_OFF, before)


def around(loop: Any, replanned: Any, standby: Any, again: Any, off: Any, before: tuple[Any, ...]) -> Iterator[Transition[Any, Any]]:
    """What leads out of a loop, and goes on beside it. `before`: energy may be stopped there, too."""
    loops = (loop, replanned)
    yield from on((*loops, *before), E.STOP, to=off, do=("power_stop",))
    yield from on(loops, E.STANDBY, to=standby, do=("power_standby",), source="stays where it is not allowed")
    yield from on(
        (*loops, standby), E.RENEGOTIATE, to=again, do=("schedule_renegotiation",), source="leaves the loop for a ScheduleExchange"
    )
    yield from on((loop, standby), E.REPLAN, to=again, do=("schedule_renegotiation",), source="a profile of no schedule that is new")
    yield from on(loops, E.SCHEDULE_ASIDE, to=replanned, do=("schedule_exchange_aside",), source="stays while ongoing; the loop goes on")
    yield from on(replanned, E.REPLAN, to=loop, do=("other_profile",), source="the loop goes on")
    yield from stay(loops, E.METERING, do=("metering_confirmation",))


TABLE: Table[S, E] = Table("SECC ISO 15118-20", S, E, S.SETUP, rest_refused(S, E, _rows(), why="out of sequence"))
