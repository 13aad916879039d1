"""What a session may read of the EVSE: its facts in the words of `iso15118.terms`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from chargepoint.config import EvseConfig, ParkingConfig, V2gConfig
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRefused,
    Authorised,
    CertificatesRead,
    ChargingStateChanged,
    FaultCleared,
    FaultRaised,
    InsulationTested,
    LimitApplied,
    OperationalChanged,
    PowerSwitched,
    Supply,
    SupplyChanged,
    TransactionDurable,
    TransactionEnded,
)
from chargepoint.evse_dc import MEET_V, ratings_of
from chargepoint.facts import EvseFacts
from chargepoint.faults import RESIDUAL_CURRENT, Reaction, known
from chargepoint.v2g_state import V2gState
from hal.types import DcSample, EvseInfo, MeterSample
from iso15118 import protocols
from iso15118.iso20.services import ABSOLUTE_PRICES, NO_PRICING, PRICE_LEVELS
from iso15118.terms import (
    AcLimits,
    AddedService,
    DcLimits,
    DynamicPlan,
    Energy,
    Facts,
    Offered,
    Parameter,
    ParameterSet,
    Price,
    Prices,
    Progress,
    Reading,
    Schedule,
    Slot,
    Wish,
)

CHANGES = (
    Authorised, AuthorisationEnded, AuthorisationRefused, ChargingStateChanged, PowerSwitched, SupplyChanged, InsulationTested, LimitApplied, FaultRaised,
    FaultCleared, OperationalChanged, TransactionDurable, TransactionEnded, MeterSample, DcSample, CertificatesRead,
)  # fmt: skip
"""What a session may have waited for."""
DAY_S = 86_400
INTERNET, PARKING = 65, 66
INTERNET_SETS = {"ftp:20": 1, "ftp:21": 2, "http:80": 3, "https:443": 4}
"""What may be offered -> its parameter set; the standard has numbered them (ISO 15118-20 8.4.3.4 [K])."""
PARKING_SERVICES = {"check-in": 1, "check-out": 2}
PARKING_STATUS = {"auto, internal": 1, "auto, external": 2, "manual, internal": 3, "manual, external": 4}
"""IntendedService and ParkingStatusType [K]."""
NO_TARIFF = Prices(1, "", (Price(0, DAY_S, level=1),), levels=1)
"""One level all day: there are vehicles that take no schedule without prices."""
PRICINGS = (ABSOLUTE_PRICES, PRICE_LEVELS, NO_PRICING)
"""What a vehicle may choose where there is a tariff; one that does not look takes the first."""
NO_PLAN = DynamicPlan()
STOP_WITHIN_S = 2
"""NotificationMaxDelay: less than the time that an ended authorisation leaves (S-11)."""
REFUSED_S = 3.0
"""A vehicle that is not served any longer has this long to stop by itself, as when the authorisation has ended (S-11)."""
REVOKED = "the vehicle's certificate has been revoked"
FLOWS_W = 50.0


def of(config: EvseConfig, board: EvseInfo) -> Facts:
    """What it begins with; most of it does not change while the station runs."""
    v2g, phases = config.v2g, min(config.phases, board.phases)
    return Facts(
        evse_id=v2g.evse_id,
        energies=tuple(_offered(config, board, phases, (NO_PRICING,))),
        added_services=tuple(_added(v2g)),
        parking_methods=v2g.parking_methods,
        pausing=v2g.pausing,
        standby=v2g.standby,
        ac=None if config.mode == "dc" else _ac(config, board, phases),
    )


def _added(v2g: V2gConfig) -> Iterator[AddedService]:
    if v2g.internet:
        yield AddedService(INTERNET, tuple(_internet(each) for each in v2g.internet))
    if v2g.parking:
        yield AddedService(PARKING, tuple(_parking(number, each) for number, each in enumerate(v2g.parking, 1)))


def _internet(name: str) -> ParameterSet:
    protocol, _, port = name.partition(":")
    return ParameterSet(INTERNET_SETS[name], (Parameter("Protocol", protocol), Parameter("Port", int(port))))


def _parking(number: int, each: ParkingConfig) -> ParameterSet:
    intended, status = PARKING_SERVICES[each.service], PARKING_STATUS[each.status]
    return ParameterSet(number, (Parameter("IntendedService", intended), Parameter("ParkingStatusType", status)))


def spoken(config: EvseConfig) -> tuple[protocols.Spoken, ...]:
    """What this EVSE speaks: AC has no use for the DC messages, nor the other way round."""
    return protocols.spoken(config.protocols, config.mode)


def namespaces(config: EvseConfig) -> tuple[str, ...]:
    """The same as supportedAppProtocol names it."""
    return tuple(each.namespace for each in spoken(config))


def rated_W(config: EvseConfig, board: EvseInfo, phases: int) -> float:
    """AC, all phases together."""
    return min(config.max_current_A, board.max_current_A) * config.nominal_V * phases


def _offered(config: EvseConfig, board: EvseInfo, phases: int, pricings: tuple[int, ...]) -> list[Offered]:
    if config.mode == "dc":
        both = ratings_of(config, board).max_discharge_W > 0
        return [Offered(each, pricings=pricings) for each in (Energy.DC, *([Energy.DC_BPT] if both else []))]
    both = config.v2g.ac_discharge_W > 0
    energies = (Energy.AC, *([Energy.AC_BPT] if both else []))
    return [Offered(each, nominal_V=config.nominal_V, phases=phases, pricings=pricings) for each in energies]


def _ac(config: EvseConfig, board: EvseInfo, phases: int) -> AcLimits:
    """What may come back is configured for all phases of the EVSE."""
    most_W = rated_W(config, board, phases)
    least_W = max(config.min_current_A, board.min_current_A) * config.nominal_V
    back_W = config.v2g.ac_discharge_W * phases / min(config.phases, board.phases)
    return AcLimits(most_W, min(least_W, most_W), max_discharge_W=back_W, nominal_V=config.nominal_V, phases=phases)


class Moment(NamedTuple):
    """What beside the EVSE's own facts is so now."""

    prices: Prices | None = None
    read_utc: int | None = None
    """When the meter was read."""
    stands_by: bool = False
    """The vehicle is in its loop without energy."""


def refresh(facts: Facts, state: V2gState, evse: EvseFacts, config: EvseConfig, board: EvseInfo, moment: Moment) -> None:
    """Everything that changes, from what is so now."""
    prices = moment.prices
    facts.authorization = (
        Progress.DONE
        if evse.id_token is not None and evse.settled
        else Progress.UNDER_WAY
        if state.authorization_wanted
        else Progress.NOT_ASKED
    )
    facts.fault = _fault(state, evse, stands_by=moment.stands_by)
    facts.rcd = RESIDUAL_CURRENT in evse.faults
    facts.wish = _wish(state, evse)
    facts.wish_within_s = STOP_WITHIN_S if facts.wish is not None else 0
    facts.power = _power(state, evse)
    pricings = PRICINGS if prices else (NO_PRICING,)
    if facts.energies[0].pricings != pricings or (config.mode == "ac" and facts.energies[0].phases != evse.phases):
        facts.energies = tuple(_offered(config, board, evse.phases, pricings))
        facts.ac = None if config.mode == "dc" else _ac(config, board, evse.phases)
    if config.mode == "dc":
        _refresh_dc(facts, state, evse, config, board)
    else:
        facts.target_power_W = evse.limit_W if state.stops_by is None else 0.0
        sample = evse.meter
        facts.voltage_V = config.nominal_V if evse.power_closed else 0.0
        facts.current_A = max(sample.current_A, default=0.0) if sample is not None and evse.power_closed else 0.0
    number = state.replan.offers + 1
    told = replace(prices, id=number) if prices else None
    facts.schedules = (Schedule(number, (Slot(0, DAY_S, evse.limit_W),), _back(facts), told or replace(NO_TARIFF, id=number)),)
    facts.dynamic = DynamicPlan(prices=told) if told else NO_PLAN
    facts.meter = _reading(evse, moment.read_utc)


def _refresh_dc(facts: Facts, state: V2gState, evse: EvseFacts, config: EvseConfig, board: EvseInfo) -> None:
    rated, sample, in_loop = ratings_of(config, board), evse.dc, evse.supply is Supply.POWER
    facts.dc = DcLimits(
        evse.limit_W if in_loop else rated.max_power_W,
        evse.limit_A if in_loop else rated.max_current_A,
        rated.max_voltage_V,
        rated.min_voltage_V,
        max_discharge_W=rated.max_discharge_W,
        max_discharge_A=rated.max_discharge_A,
        ramp_W_per_s=rated.ramp_A_per_s * rated.min_voltage_V,  # at least, whatever the battery's voltage
    )
    if sample is not None:
        state.read_V = sample.voltage_V if evse.power_closed else sample.outlet_V
    facts.voltage_V = state.read_V
    facts.voltage_known = sample is not None
    facts.current_A = sample.current_A if sample is not None else 0.0
    facts.cable_check = {True: Progress.DONE, False: Progress.FAILED, None: Progress.NOT_ASKED}[evse.insulation]
    if state.supply is Supply.CABLE_CHECK and evse.insulation is None:
        facts.cable_check = Progress.UNDER_WAY
    near = sample is not None and abs(sample.voltage_V - state.asked_V) < MEET_V
    facts.precharge = Progress.DONE if near and state.supply is Supply.PRECHARGE else Progress.UNDER_WAY
    facts.current_limited = in_loop and state.asked_A > evse.limit_A
    facts.power_limited = in_loop and state.asked_A * facts.voltage_V > evse.limit_W + FLOWS_W
    facts.voltage_limited = in_loop and state.asked_V > rated.max_voltage_V


def _power(state: V2gState, evse: EvseFacts) -> Progress:
    if state.supply is Supply.OFF:
        return Progress.NOT_ASKED
    return Progress.DONE if evse.supply is Supply.POWER else Progress.UNDER_WAY


def _fault(state: V2gState, evse: EvseFacts, *, stands_by: bool) -> str:
    """In words, for requests that want energy; a fault that lets the vehicle stop in order, out of its loop, is a wish."""
    opening = next((text for code, text in evse.faults.items() if known(code).reaction is Reaction.OPEN), "")
    if opening:
        return opening
    if state.refused and evse.supply is not Supply.POWER and not stands_by:
        return REVOKED
    if state.authorised and evse.id_token is None and evse.supply is not Supply.POWER and not stands_by:
        return "the authorisation has ended"
    return ""


def _wish(state: V2gState, evse: EvseFacts) -> Wish | None:
    ended = state.authorised and evse.id_token is None
    stopping = any(known(code).reaction is Reaction.STOP for code in evse.faults)
    if ended or state.leaving or state.refused or not (evse.operative or evse.transaction_id):
        return Wish.STOP
    if evse.switching or stopping:  # it may pass
        return Wish.PAUSE
    if state.stopped:
        return Wish.STOP if state.stopped_for_good else Wish.PAUSE
    return None


def _back(facts: Facts) -> tuple[Slot, ...]:
    limits = facts.dc or facts.ac
    return (Slot(0, DAY_S, -limits.max_discharge_W),) if limits is not None and limits.max_discharge_W else ()


def _reading(evse: EvseFacts, utc: int | None) -> Reading | None:
    sample = evse.meter
    if sample is None:
        return None
    export = round(sample.energy_export_Wh) if sample.energy_export_Wh is not None else None
    return Reading(f"EVSE{evse.evse_id}", round(sample.energy_import_Wh), export, utc=utc)
