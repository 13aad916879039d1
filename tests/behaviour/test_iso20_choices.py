"""ISO 15118-20 sessions in which one side wants something of its own: an early end, other energies and services, energy back, a schedule and its prices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.v2g.charger import Charger, Pace
from bench.v2g.model import COMPACT
from bench.v2g.pair import Pair
from iso15118.evcc.terms import (
    Authorized,
    Delivered,
    EvWish,
    MeterShown,
    OpenContactors,
    PlanOffered,
    ProfileMade,
    SchedulesOffered,
    ServiceDescribed,
    StopDrawing,
    WeldingSeen,
)
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import (
    BY_CABLE,
    Control,
    DynamicPlan,
    Ending,
    Energy,
    EnergyChosen,
    Offered,
    PowerOff,
    Price,
    Prices,
    Schedule,
    SessionBegun,
    Slot,
    Wish,
)
from tests.behaviour.iso20_rig import INTERNET, after, ask, ended_well, make, requests, told

# ---- the vehicle changes its mind


STATES_BEFORE_POWER = [
    "AuthorizationReq",
    "ServiceDetailReq",
    "DC_ChargeParameterDiscoveryReq",
    "ScheduleExchangeReq",
    "DC_CableCheckReq",
    "DC_PreChargeReq",
]


@pytest.mark.parametrize("at", STATES_BEFORE_POWER)
def test_a_vehicle_that_leaves_early(at: str) -> None:
    pair = make()
    pair.when(lambda: at in pair.said("ev"), lambda: setattr(pair.vehicle.wants, "wish", EvWish.STOP))
    pair.session()
    ended_well(pair)
    assert "DC_ChargeLoopReq" not in pair.said("ev")


def test_the_battery_is_full() -> None:
    pair = make(loops=None)
    pair.vehicle.soc = 79.95
    pair.session()
    ended_well(pair)
    assert pair.vehicle.soc == pytest.approx(80.0, abs=0.1)


@pytest.mark.parametrize("energy", [Energy.AC_BPT, Energy.DC_BPT])
def test_a_vehicle_that_gives(energy: Energy) -> None:
    pair = make(energy, Control.SCHEDULED)
    pair.vehicle.give = True
    pair.vehicle.tick(pair.now)
    pair.vehicle.told(pair.now, StopDrawing("fill wants"))
    pair.session()
    ended_well(pair)
    assert pair.vehicle.taken_Wh < -3
    assert pair.charger.energy_Wh == pytest.approx(pair.vehicle.taken_Wh, rel=0.15)


@pytest.mark.parametrize("energy", [Energy.AC_BPT, Energy.DC_BPT])
def test_a_charger_that_wants_energy_back(energy: Energy) -> None:
    pair = make(energy, Control.DYNAMIC)
    pair.charger.back_W = 5_000.0
    pair.session()
    ended_well(pair)
    assert pair.vehicle.taken_Wh < -3
    assert pair.charger.energy_Wh == pytest.approx(pair.vehicle.taken_Wh, rel=0.15)
    meter = told(pair, MeterShown, "ev")[-1].reading
    assert meter.import_Wh == 0
    assert meter.export_Wh == pytest.approx(-pair.charger.energy_Wh, abs=1.0)


def test_a_fact_that_no_message_can_say_ends_the_session() -> None:
    pair = make()
    after(pair, 5, lambda: setattr(pair.charger, "energy_Wh", 1e40))
    pair.charger.facts.meter = None
    after(pair, 6, lambda: setattr(pair.charger.facts, "wish_within_s", 1 << 20))
    ask(pair, "charger", 6, None, Wish.PAUSE)
    pair.session()
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED
    assert "no answer can be made" in pair.evse_over.why
    assert told(pair, PowerOff)


def test_a_service_beside_the_energy() -> None:
    pair = make(added_services=(65, 4711), narrow=True).session()
    ended_well(pair)
    assert told(pair, ServiceDescribed, "ev")[0].service == INTERNET
    asked = next(message for _, _, message in pair.messages if isinstance(message, cm.ServiceDiscoveryReq))
    assert asked.SupportedServiceIDs is not None
    assert asked.SupportedServiceIDs.ServiceID == (2, 65, 4711)
    assert told(pair, EnergyChosen)[0].added_services == ((65, 3),)


def test_the_second_best_energy() -> None:
    pair = make()
    pair.charger.facts.energies = (Offered(Energy.DC, (Control.SCHEDULED,)), Offered(Energy.DC_BPT, (Control.SCHEDULED,)))
    pair.vehicle.wants.energies, pair.vehicle.wants.controls = (Energy.DC_BPT, Energy.DC), (Control.SCHEDULED,)
    pair.session()
    ended_well(pair)
    assert told(pair, EnergyChosen)[0].energy is Energy.DC_BPT


def test_another_energy_for_the_sake_of_the_control_mode() -> None:
    pair = make(Energy.DC_BPT, Control.SCHEDULED, added_services=(65,))
    pair.vehicle.wants.energies = (Energy.DC_BPT, Energy.DC)
    pair.charger.facts.energies = (Offered(Energy.DC_BPT, (Control.DYNAMIC,)), Offered(Energy.DC))
    pair.session()
    ended_well(pair)
    assert [message.ServiceID for _, _, message in pair.messages if isinstance(message, cm.ServiceDetailReq)] == [6, 2, 65]
    assert told(pair, EnergyChosen)[0].energy is Energy.DC


def test_no_control_mode_suits() -> None:
    pair = make(Energy.DC, Control.SCHEDULED)
    pair.charger.facts.energies = (Offered(Energy.DC, (Control.DYNAMIC,)),)
    pair.session()
    ended_well(pair)
    assert requests(pair)[-2:] == ["ServiceDetail", "SessionStop Terminate"]


def test_what_the_vehicle_wants_of_two_control_modes() -> None:
    pair = make(Energy.DC)
    pair.vehicle.wants.controls = (Control.SCHEDULED, Control.DYNAMIC)
    pair.session()
    ended_well(pair)
    assert told(pair, EnergyChosen)[0].control is Control.SCHEDULED


def test_a_code_for_the_end_reaches_the_charger() -> None:
    pair = make(code="EV_OVERHEATED", explanation="the battery is too hot").session()
    ended_well(pair)
    assert pair.evse_over is not None
    assert pair.evse_over.ev_code == "EV_OVERHEATED the battery is too hot"


def test_nothing_suits() -> None:
    pair = make(Energy.DC_BPT)
    pair.charger.facts.energies = (Offered(Energy.DC),)
    pair.session()
    ended_well(pair)
    assert requests(pair)[-2:] == ["ServiceDiscovery", "SessionStop Terminate"]


def test_not_authorised() -> None:
    pair = make()
    pair.charger.pace = Pace(accepts=False)
    pair.session()
    ended_well(pair)
    assert requests(pair)[-2:] == ["Authorization", "SessionStop Terminate"]
    assert told(pair, Authorized, "ev") == []


def test_another_vehicle_does_not_get_the_session_that_was_paused() -> None:
    pair = make(loops=None)
    after(pair, 5, lambda: setattr(pair.vehicle.wants, "wish", EvWish.PAUSE))
    pair.session()
    wants = pair.vehicle.wants
    wants.resume, wants.evcc_id, wants.loops = pair.vehicle.session_id, "SOMEBODYELSE", 5
    pair.session()
    ended_well(pair)
    first, second = told(pair, SessionBegun)
    assert not second.resumed
    assert first.session_id != second.session_id


def test_slow_contactors_are_waited_for() -> None:
    pair = make()
    pair.vehicle.spec = replace(COMPACT, close_s=1.5)
    pair.session()
    ended_well(pair)


def test_contactors_that_do_not_open_are_seen() -> None:
    pair = make()
    pair.vehicle.spec = replace(COMPACT, welded=True)
    pair.session()
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.TERMINATED
    assert len(told(pair, WeldingSeen, "ev")) > 10, "as long as it may take"
    assert len(told(pair, OpenContactors, "ev")) == 1


def test_an_hour_of_charging() -> None:
    """At the pace of a car; with every limit in place the battery's curve is what it gets."""
    pair = make(loops=None, loop_s=0.4)
    pair.vehicle.target_soc, pair.vehicle.soc = 60.0, 40.0
    pair.session(7200)
    ended_well(pair)
    assert pair.vehicle.soc == pytest.approx(60.0, abs=0.1)
    assert pair.charger.energy_Wh == pytest.approx(0.2 * COMPACT.capacity_Wh, rel=0.02)
    assert {type(each) for each in told(pair, Delivered, "ev")} == {Delivered}


# ---- schedules


class Stepped(Charger):
    """A charger with little power, and then with less."""

    def _plan(self) -> None:
        self.facts.schedules = (Schedule(7, (Slot(0, 6, 8_000.0), Slot(6, 3600, 3_000.0))),)


@pytest.mark.parametrize("energy", BY_CABLE)
def test_what_is_drawn_follows_the_schedule(energy: Energy) -> None:
    pair = make(energy, Control.SCHEDULED, loops=60)
    pair.charger = Stepped(pair.charger.facts)
    power_W: dict[int, float] = {}

    def look(pair: Pair) -> None:
        if pair.vehicle.drawing:
            power_W[int(pair.mono * 10)] = pair.charger.facts.voltage_V * pair.charger.facts.current_A

    pair.watches.append(look)
    pair.session()
    ended_well(pair)
    made = told(pair, ProfileMade, "ev")[0]
    assert made == ProfileMade(7, (Slot(0, 6, 8_000.0), Slot(6, 3600, 3_000.0)))
    assert max(power_W.values()) == pytest.approx(8_000, rel=0.01)
    assert power_W[max(power_W)] == pytest.approx(3_000, rel=0.01)


class Priced(Charger):
    """A charger whose energy costs something."""

    prices = Prices(5, "EUR", (Price(0, 60, 0.25), Price(60, 3600, 0.4, from_power_W=100.0)), "de", "by the minute")

    def _plan(self) -> None:
        self.facts.schedules = (Schedule(7, (Slot(0, 3600, 8_000.0),), (Slot(0, 3600, -4_000.0),), self.prices),)


LEVELS = Prices(6, "", (Price(0, 60, level=1), Price(60, 30, level=3)), levels=3)


@pytest.mark.parametrize("prices", [Priced.prices, LEVELS], ids=["amounts", "levels"])
@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC_BPT])
def test_prices_reach_the_vehicle(energy: Energy, prices: Prices) -> None:
    pair = make(energy, Control.SCHEDULED)
    pair.charger = Priced(pair.charger.facts)
    pair.charger.prices = prices
    pair.session()
    ended_well(pair)
    (schedule,) = told(pair, SchedulesOffered, "ev")[0].schedules
    assert schedule.prices is not None
    assert replace(schedule.prices, language="") == replace(prices, language="")
    assert schedule.discharging == ((Slot(0, 3600, -4_000.0),) if energy.is_bpt else ())
    dynamic = make(energy, Control.DYNAMIC)
    dynamic.charger.facts.dynamic = DynamicPlan(prices=prices)
    dynamic.session()
    ended_well(dynamic)
    plan = told(dynamic, PlanOffered, "ev")[0].plan
    assert replace(plan.prices, language="") == replace(prices, language="")


class Fine(Charger):
    """A schedule of many steps."""

    def _plan(self) -> None:
        self.facts.schedules = (Schedule(7, tuple(Slot(at, 1, 8_000.0 - at) for at in range(100))),)


def test_as_many_points_as_the_vehicle_takes() -> None:
    pair = make(Energy.AC, Control.SCHEDULED, most_points=5)
    pair.charger = Fine(pair.charger.facts)
    pair.session()
    ended_well(pair)
    (schedule,) = told(pair, SchedulesOffered, "ev")[0].schedules
    assert len(schedule.charging) == 12, "the least that a vehicle has to take"
