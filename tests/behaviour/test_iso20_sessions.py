"""Whole ISO 15118-20 sessions on virtual time, our charger's side against our vehicle's side: what both agree on, and what no vehicle gets done."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.vehicle.charger import AC_22_KW, DC_150_KW, Charger, Pace
from bench.vehicle.guard import Careful, Guard
from bench.vehicle.misbehave import CATALOGUE, Then, any_request, misbehaving
from bench.vehicle.model import COMPACT, Vehicle
from bench.vehicle.pair import Pair
from iso15118.connection import Lost
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.iso20.table import TABLE as EV_TABLE
from iso15118.evcc.session import Session as Evcc
from iso15118.evcc.terms import (
    Authorized,
    Delivered,
    EvseAsks,
    EvWish,
    MeterShown,
    OpenContactors,
    Parked,
    PlanOffered,
    ProfileMade,
    SchedulesOffered,
    ServiceDescribed,
    SessionJoined,
    StopDrawing,
    Wants,
    WeldingSeen,
)
from iso15118.iso20.values import number, rational
from iso15118.iso20.wire import RESPONSES
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.iso20.table import TABLE, E, S
from iso15118.terms import (
    AcDemand,
    AddedService,
    Control,
    DcDemand,
    DynamicPlan,
    Ending,
    Energy,
    EnergyChosen,
    EnergyWanted,
    Facts,
    MeteringConfirmed,
    Offered,
    Parameter,
    ParameterSet,
    ParkingTold,
    PowerOff,
    PowerWanted,
    Price,
    Prices,
    Progress,
    Schedule,
    ScheduleAsked,
    SessionBegun,
    Slot,
    StandbyWanted,
    Told,
    Wish,
)

AC_BOTH_WAYS = replace(AC_22_KW, max_discharge_W=11_000.0)
INTERNET = AddedService(65, (ParameterSet(3, (Parameter("Protocol", "http"), Parameter("Port", 80))),))
WAYS = [
    (energy, control, by_secc)
    for energy in Energy
    for control, by_secc in ((Control.SCHEDULED, False), (Control.DYNAMIC, False), (Control.DYNAMIC, True))
]
NAMES = [f"{energy.value}-{control.value}{'-by-secc' if by_secc else ''}" for energy, control, by_secc in WAYS]
every_way = pytest.mark.parametrize(("energy", "control", "by_secc"), WAYS, ids=NAMES)


def charger(**facts: Any) -> Charger:
    given: dict[str, Any] = {
        "energies": tuple(Offered(each, mobility_by_secc=True) for each in Energy),
        "ac": AC_BOTH_WAYS,
        "dc": DC_150_KW,
        "added_services": (INTERNET,),
        "dynamic": DynamicPlan(7200, 20, 70),
    }
    return Charger(Facts(**(given | facts)))


def make(energy: Energy = Energy.DC, control: Control = Control.DYNAMIC, by_secc: bool = False, **wants: Any) -> Pair:
    vehicle = Vehicle(
        wants=Wants(energies=(energy,), controls=(control,), mobility_by_secc=by_secc, **({"loops": 30, "meter": True} | wants))
    )
    pair = Pair(charger(), vehicle)
    pair.watches += [Guard(), Careful()]
    return pair


def loops(pair: Pair) -> int:
    return sum(isinstance(message, (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq)) for _, _, message in pair.messages)


def after(pair: Pair, rounds: int, what: Callable[[], object]) -> None:
    """Once the loop has gone round so often."""
    pair.when(lambda: loops(pair) >= rounds, what)


def told(pair: Pair, kind: type[Told], end: str = "evse") -> list[Any]:
    return [thing for who, thing in pair.story if who == end and isinstance(thing, kind)]


def test_the_end_of_dc_is_answered_when_the_current_is_gone() -> None:
    pair = make()
    pair.session()
    ended_well(pair)
    asked = next(
        when for when, _, message in pair.messages if isinstance(message, cm.PowerDeliveryReq) and message.ChargeProgress == "Stop"
    )
    answered = next(when for when, _, message in pair.messages if isinstance(message, cm.PowerDeliveryRes) and when > asked)
    assert 0.5 < answered - asked < 1.0, "400 A at 500 A/s"
    (off,) = [when for when, told in pair.charger.log if isinstance(told, PowerOff)]
    assert off == pytest.approx(asked, abs=0.01)


def ended_well(pair: Pair, ending: Ending = Ending.TERMINATED) -> None:
    """Both sides say the same, nothing was complained of, and nothing flows."""
    assert pair.ev_over is not None
    assert pair.evse_over is not None
    assert (pair.ev_over.ending, pair.evse_over.ending) == (ending, ending)
    assert pair.notes == []
    assert pair.closed == {"ev": True, "evse": True}
    assert pair.charger.facts.current_A == 0.0
    assert not pair.vehicle.drawing
    assert not pair.vehicle.wants.contactors_closed


def requests(pair: Pair) -> list[str]:
    """What the vehicle said, without repetitions; PowerDelivery and SessionStop with what they want."""
    said = []
    for _, end, message in pair.messages:
        if end == "ev":
            more = {cm.PowerDeliveryReq: "ChargeProgress", cm.SessionStopReq: "ChargingSession"}.get(type(message))
            said.append(type(message).__name__.removesuffix("Req") + (f" {getattr(message, more)}" if more else ""))
    return [name for name, _ in itertools.groupby(said)]


BEGINNING = [
    "supportedAppProtocol",
    "SessionSetup",
    "AuthorizationSetup",
    "Authorization",
    "ServiceDiscovery",
    "ServiceDetail",
    "ServiceSelection",
]


# ---- every way, to its end


@every_way
def test_a_session_from_plug_to_plug(energy: Energy, control: Control, by_secc: bool) -> None:
    pair = make(energy, control, by_secc).session()
    ended_well(pair)
    kind = "DC" if energy.is_dc else "AC"
    middle = ["DC_CableCheck", "DC_PreCharge"] if energy.is_dc else []
    end = ["DC_WeldingDetection"] if energy.is_dc else []
    assert requests(pair) == [
        *BEGINNING, f"{kind}_ChargeParameterDiscovery", "ScheduleExchange", *middle,
        "PowerDelivery Start", f"{kind}_ChargeLoop", "PowerDelivery Stop", *end, "SessionStop Terminate",
    ]  # fmt: skip
    assert told(pair, EnergyChosen) == told(pair, EnergyChosen, "ev")
    assert told(pair, EnergyChosen)[0] == EnergyChosen(energy, control, by_secc, told(pair, EnergyChosen)[0].parameter_set)
    wanted = told(pair, EnergyWanted)[0]
    in_request = control is Control.DYNAMIC and not by_secc
    assert (wanted.min_soc, wanted.target_soc) == ((10, 80) if in_request else (None, None))
    start = next(message for _, _, message in pair.messages if isinstance(message, cm.PowerDeliveryReq))
    assert start.BPT_ChannelSelection == ("Charge" if energy.is_bpt else None)
    assert len(told(pair, PowerWanted)) == 1, "told once, however long its answer takes"
    assert pair.vehicle.taken_Wh > 10
    assert pair.charger.energy_Wh == pytest.approx(pair.vehicle.taken_Wh, rel=0.1)
    if control is Control.SCHEDULED:
        assert told(pair, ProfileMade, "ev")[0].schedule_id == 1
    else:
        plan = told(pair, PlanOffered, "ev")[0].plan
        assert (plan.departure_s, plan.min_soc, plan.target_soc) == ((7200, 20, 70) if by_secc else (None, None, None))


@every_way
def test_paused_and_resumed(energy: Energy, control: Control, by_secc: bool) -> None:
    pair = make(energy, control, by_secc, loops=None)
    vehicle = pair.vehicle
    after(pair, 10, lambda: setattr(vehicle.wants, "wish", EvWish.PAUSE))
    pair.session()
    ended_well(pair, Ending.PAUSED)
    assert vehicle.wants.wish is None
    vehicle.wants.resume, vehicle.wants.loops = vehicle.session_id, 10
    pair.session()
    ended_well(pair)
    first, second = told(pair, SessionBegun)
    assert (first.resumed, second.resumed, first.session_id) == (False, True, second.session_id)
    assert [each.resumed for each in told(pair, SessionJoined, "ev")] == [False, True]


@every_way
@pytest.mark.parametrize("whose", ["vehicle", "charger"])
def test_other_schedules(energy: Energy, control: Control, by_secc: bool, whose: str) -> None:
    pair = make(energy, control, by_secc)
    ask(pair, whose, 10, EvWish.RENEGOTIATE_SCHEDULE, Wish.RENEGOTIATE_SCHEDULE)
    pair.session()
    ended_well(pair)
    loop = "DC_ChargeLoop" if energy.is_dc else "AC_ChargeLoop"
    said = requests(pair)
    at = said.index("PowerDelivery ScheduleRenegotiation")
    assert said[at - 1 : at + 4] == [loop, "PowerDelivery ScheduleRenegotiation", "ScheduleExchange", "PowerDelivery Start", loop]
    assert len(told(pair, ScheduleAsked)) == 2
    assert len(told(pair, PowerOff)) == 1


@every_way
@pytest.mark.parametrize("whose", ["vehicle", "charger"])
def test_other_services(energy: Energy, control: Control, by_secc: bool, whose: str) -> None:
    pair = make(energy, control, by_secc, loops=None)
    vehicle = pair.vehicle
    other = Energy.DC_BPT if energy is Energy.DC else Energy.DC if energy.is_dc else Energy.AC_BPT if energy is Energy.AC else Energy.AC

    def change() -> None:
        vehicle.wants.energies, vehicle.wants.loops = (other,), 10

    pair.when(lambda: bool(told(pair, PowerOff)), change)
    ask(pair, whose, 10, EvWish.RENEGOTIATE_SERVICE, Wish.RENEGOTIATE_SERVICE)
    pair.session()
    ended_well(pair)
    assert [each.energy for each in told(pair, EnergyChosen)] == [energy, other]
    said = requests(pair)
    at = said.index("SessionStop ServiceRenegotiation")
    assert said[at + 1 : at + 4] == ["ServiceDiscovery", "ServiceDetail", "ServiceSelection"]
    assert len(told(pair, SessionBegun)) == 1
    assert len(told(pair, PowerOff)) == 2


@every_way
def test_the_charger_wants_an_end(energy: Energy, control: Control, by_secc: bool) -> None:
    pair = make(energy, control, by_secc, loops=None)
    ask(pair, "charger", 10, None, Wish.STOP)
    pair.session()
    ended_well(pair)
    assert told(pair, EvseAsks, "ev")[0].wish is Wish.STOP
    assert loops(pair) <= 13


@every_way
def test_the_charger_wants_a_pause(energy: Energy, control: Control, by_secc: bool) -> None:
    pair = make(energy, control, by_secc, loops=None)
    ask(pair, "charger", 10, None, Wish.PAUSE)
    pair.session()
    ended_well(pair, Ending.PAUSED)
    assert pair.paused is not None


@every_way
@pytest.mark.parametrize("whose", ["vehicle", "charger"])
def test_standby(energy: Energy, control: Control, by_secc: bool, whose: str) -> None:
    pair = make(energy, control, by_secc, loops=60)
    ask(pair, "vehicle", 10, EvWish.STANDBY, None)
    ask(pair, whose, 30, EvWish.RESUME, Wish.EXIT_STANDBY)
    pair.session()
    ended_well(pair)
    loop = "DC_ChargeLoop" if energy.is_dc else "AC_ChargeLoop"
    said = requests(pair)
    at = said.index("PowerDelivery Standby")
    assert said[at : at + 4] == ["PowerDelivery Standby", loop, "PowerDelivery Start", loop]
    assert len(told(pair, StandbyWanted)) == 1
    kinds = [
        type(thing) for end, thing in pair.story if end == "evse" and isinstance(thing, (StandbyWanted, PowerWanted, DcDemand, AcDemand))
    ]
    waiting = [message for message in spoken_between(pair, "Standby", "Start") if isinstance(message, dc.DC_ChargeLoopReq)]
    assert bool(waiting) == energy.is_dc
    if control is Control.SCHEDULED:
        assert {number(message.CLReqControlMode.EVTargetCurrent) for message in waiting} <= {0.0}  # type: ignore[attr-defined]
    at = kinds.index(StandbyWanted)
    assert kinds[at : at + 2] == [StandbyWanted, PowerWanted], "in standby nothing is demanded"
    assert len(told(pair, PowerOff)) == 2


def spoken_between(pair: Pair, first: str, last: str) -> list[Any]:
    """What the vehicle said after one PowerDelivery, and before the next of another kind."""
    said = [message for _, end, message in pair.messages if end == "ev"]
    progress = [message.ChargeProgress if isinstance(message, cm.PowerDeliveryReq) else "" for message in said]
    begin = progress.index(first)
    return said[begin + 1 : progress.index(last, begin)]


@every_way
@pytest.mark.parametrize("aside", [False, True], ids=["main stream", "stream beside it"])
@pytest.mark.parametrize("whose", ["vehicle", "charger"])
def test_the_meter_is_confirmed(energy: Energy, control: Control, by_secc: bool, whose: str, aside: bool) -> None:
    pair = make(energy, control, by_secc, side_streams=aside)
    ask(pair, whose, 10, EvWish.CONFIRM_METERING, Wish.CONFIRM_METERING)
    pair.session()
    ended_well(pair)
    assert len(told(pair, MeteringConfirmed)) == 1
    kinds = {octets[2:4].hex() for _, _, octets in pair.octets}
    assert ("8102" in kinds) == aside


@pytest.mark.parametrize("aside", [False, True], ids=["main stream", "stream beside it"])
@pytest.mark.parametrize("energy", Energy)
def test_a_vehicle_checks_in_and_out(energy: Energy, aside: bool) -> None:
    pair = make(energy, side_streams=aside)
    ask(pair, "vehicle", 5, EvWish.CHECK_IN, None)
    ask(pair, "vehicle", 15, EvWish.CHECK_OUT, None)
    pair.session()
    ended_well(pair)
    assert told(pair, ParkingTold) == [ParkingTold("check-in, Manual", "Completed"), ParkingTold("check-out", "CheckOut")]
    assert told(pair, Parked, "ev") == [Parked(EvWish.CHECK_IN), Parked(EvWish.CHECK_OUT, "Scheduled")]
    kinds = {octets[2:4].hex() for _, _, octets in pair.octets}
    assert ("8104" in kinds) == aside


def ask(pair: Pair, whose: str, rounds: int, ours: EvWish | None, theirs: Wish | None) -> None:
    if whose == "vehicle":
        after(pair, rounds, lambda: setattr(pair.vehicle.wants, "wish", ours))
    else:
        after(pair, rounds, lambda: setattr(pair.charger.facts, "wish", theirs))


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


# ---- the vehicle does wrong


STRIKES = [
    "",
    "AuthorizationReq",
    "ServiceSelectionReq",
    "DC_CableCheckReq",
    "DC_PreChargeReq",
    "PowerDeliveryReq",
    "DC_ChargeLoopReq",
    "DC_WeldingDetectionReq",
]


def answers_of_failure(pair: Pair) -> list[str]:
    return [
        message.ResponseCode
        for _, end, message in pair.messages
        if end == "evse" and isinstance(message, ct.V2GResponseType) and message.ResponseCode.startswith("FAILED")
    ]


def then_honest(pair: Pair) -> None:
    """The next vehicle is served within a second, and to its end (S-24)."""
    began = len(told(pair, SessionBegun))
    pair.vehicle = Vehicle(wants=Wants(energies=(Energy.DC,), loops=5))
    pair.watches.append(Careful(len(pair.story)))
    pair.notes.clear()
    pair.messages.clear()
    pair.connect()
    pair.run(1.0, until=lambda: len(told(pair, SessionBegun)) > began)
    assert len(told(pair, SessionBegun)) == began + 1
    pair.run()
    ended_well(pair)


@pytest.mark.req("S-2", "S-4", "S-11", "S-24", "F-11")
@pytest.mark.parametrize("at", STRIKES, ids=[each or "anywhere" for each in STRIKES])
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_vehicle_that_does_wrong(name: str, at: str) -> None:
    pair, entry = make(), CATALOGUE[name]
    pair.watches.pop()  # this vehicle is not careful
    wrong = misbehaving(name, Evcc(spoken(pair.vehicle.wants)), seed=11, at=at)
    pair.connect(wrong)
    pair.run(400.0)
    assert wrong.struck
    assert pair.secc.deadline() is None, "the charger's side has come to its end"
    assert pair.closed["evse"]
    codes = answers_of_failure(pair)
    over = pair.evse_over
    assert over is not None
    match entry.then:
        case Then.SERVED:
            ended_well(pair)
        case Then.REFUSED:
            expected = "FAILED_SequenceError" if name == "setup_again" else "FAILED_UnknownSession"
            assert codes == [expected]
            assert over.ending is Ending.ABORTED
        case Then.CLOSED:
            assert [message for when, end, message in pair.messages if end == "evse" and when > wrong.struck_at] == []
            assert over.ending is Ending.ABORTED
        case Then.EITHER:
            assert len(codes) <= 1
    then_honest(pair)


def test_a_vehicle_whose_connection_is_cut_stops_drawing() -> None:
    pair = make(loops=None)
    after(pair, 5, lambda: pair._ev(Lost()))
    pair.session()
    assert pair.ev_over is not None
    assert pair.ev_over.ending is Ending.ABORTED
    assert len(told(pair, StopDrawing, "ev")) == 1


class Stepped(Charger):
    """A charger with little power, and then with less."""

    def _plan(self) -> None:
        self.facts.schedules = (Schedule(7, (Slot(0, 6, 8_000.0), Slot(6, 3600, 3_000.0))),)


@pytest.mark.parametrize("energy", Energy)
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


@pytest.mark.req("F-11")
def test_a_silent_vehicle_is_off_within_the_sequence_timeout_of_the_loop() -> None:
    pair = make()
    pair.watches.pop()
    pair.connect(misbehaving("silent", Evcc(spoken(pair.vehicle.wants)), at="DC_ChargeLoopReq"))
    pair.run(until=lambda: bool(told(pair, PowerOff)))
    last = max(when for when, end, _ in pair.messages if end == "evse")
    assert pair.mono - last == pytest.approx(0.5)
    assert not pair.closed["ev"], "the vehicle has not closed"


# ---- the charger does wrong, and the vehicle ends it


def spoil(pair: Pair, kind: type[ct.V2GResponseType], what: Callable[[Any], Any]) -> None:
    """The charger's next response of this kind is another one, from the first strike on."""
    honest = Iso20._answer

    def answer(self: Any, result: Any, *more: Any) -> Any:
        if isinstance(result.response, kind):
            result = result._replace(response=what(result.response))
        return honest(self, result, *more)

    pair.when(lambda: pair.dialect is not None, lambda: setattr(pair.dialect, "_answer", answer.__get__(pair.dialect)))


def field(name: str, value: Any) -> Callable[[Any], Any]:
    def change(response: Any) -> Any:
        setattr(response, name, value)
        return response

    return change


def _other_mode(was: cm.ScheduleExchangeRes) -> cm.ScheduleExchangeRes:
    entries = cs.PowerScheduleEntryListType(PowerScheduleEntry=(cs.PowerScheduleEntryType(Duration=1, Power=rational(1)),))
    schedule = cs.ChargingScheduleType(PowerSchedule=cs.PowerScheduleType(TimeAnchor=0, PowerScheduleEntries=entries))
    was.Dynamic_SEResControlMode = None
    was.Scheduled_SEResControlMode = cs.Scheduled_SEResControlModeType(
        ScheduleTuple=(cs.ScheduleTupleType(ScheduleTupleID=1, ChargingSchedule=schedule),)
    )
    return was


OTHER_HEADER = ct.MessageHeaderType(SessionID=b"somebody", TimeStamp=0)
WRONGS: dict[str, tuple[type[ct.V2GResponseType], Callable[[Any], Any]]] = {
    "a session id that is not ours": (dc.DC_ChargeLoopRes, field("Header", OTHER_HEADER)),
    "FAILED_SequenceError": (dc.DC_ChargeLoopRes, field("ResponseCode", "FAILED_SequenceError")),
    "ServiceDetailRes instead of AuthorizationSetupRes": (
        cm.AuthorizationSetupRes,
        lambda was: cm.ServiceDetailRes(
            Header=was.Header, ResponseCode="OK", ServiceID=2,
            ServiceParameterList=sv.ServiceParameterListType(ParameterSet=(sv.ParameterSetType(ParameterSetID=1, Parameter=(sv.ParameterType(Name="n", intValue=1),)),)),
        ),
    ),
    "details of service 9 instead of 2": (cm.ServiceDetailRes, field("ServiceID", 9)),
    "the charger does not offer EIM": (cm.AuthorizationSetupRes, field("AuthorizationServices", ("PnC",))),
    "the charger answers in another control mode": (cm.ScheduleExchangeRes, _other_mode),
    "the control mode is not that of the chosen parameter set": (dc.DC_ChargeLoopRes, field("CLResControlMode", dc.Scheduled_DC_CLResControlMode())),
    "the direction is not that of the chosen service": (
        dc.DC_ChargeLoopRes,
        field(
            "CLResControlMode",
            dc.BPT_Dynamic_DC_CLResControlMode(
                **{  # type: ignore[arg-type]
                    name: rational(0)
                    for name in (
                        "EVSEMaximumChargePower", "EVSEMinimumChargePower", "EVSEMaximumChargeCurrent", "EVSEMaximumVoltage", "EVSEMaximumDischargePower",
                        "EVSEMinimumDischargePower", "EVSEMaximumDischargeCurrent", "EVSEMinimumVoltage",
                    )
                }
            ),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", WRONGS)
def test_a_charger_that_does_wrong(why: str) -> None:
    pair = make()
    pair.watches.clear()  # the guard is for chargers that do right
    spoil(pair, *WRONGS[why])
    pair.session()
    assert pair.ev_over is not None
    assert pair.ev_over.ending is Ending.ABORTED
    assert why in pair.ev_over.why
    assert pair.closed["ev"]
    assert not pair.vehicle.drawing
    story = [thing for end, thing in pair.story if end == "ev" and isinstance(thing, Told)]
    assert ("ChargeLoop" not in pair.said("ev")[-1]) or isinstance(story[-2], StopDrawing)


def test_what_no_request_went_before_ends_the_session() -> None:
    pair = make()
    pair.session(3.0)
    twice = pair.octets[-1][2] if pair.octets[-1][1] == "evse" else pair.octets[-2][2]
    from iso15118.connection import Received

    pair._ev(Received(twice * 3))
    assert pair.ev_over is not None
    assert pair.ev_over.ending is Ending.ABORTED


# ---- the table of the charger


def _request(event: E, dialect: Iso20) -> Any:
    """A request that is right where it is in order."""
    talk, header = dialect.talk, ct.MessageHeaderType(SessionID=dialect.talk.session_id or bytes(8), TimeStamp=0)
    kw: dict[str, Any] = {"Header": header}
    zero = rational(0)
    match event:
        case E.START | E.STOP | E.STANDBY | E.RENEGOTIATE:
            word = {E.START: "Start", E.STOP: "Stop", E.STANDBY: "Standby", E.RENEGOTIATE: "ScheduleRenegotiation"}[event]
            return cm.PowerDeliveryReq(**kw, EVProcessing="Finished", ChargeProgress=word)  # type: ignore[arg-type]
        case E.TERMINATE | E.PAUSE | E.SERVICES_AGAIN:
            stop = {E.TERMINATE: "Terminate", E.PAUSE: "Pause", E.SERVICES_AGAIN: "ServiceRenegotiation"}[event]
            return cm.SessionStopReq(**kw, ChargingSession=stop)  # type: ignore[arg-type]
        case E.SELECTION_AC | E.SELECTION_DC:
            chosen = sv.SelectedServiceType(ServiceID=1 if event is E.SELECTION_AC else 2, ParameterSetID=2)
            return cm.ServiceSelectionReq(**kw, SelectedEnergyTransferService=chosen)
        case E.SCHEDULE:
            mode = cs.Dynamic_SEReqControlModeType(
                DepartureTime=1, EVTargetEnergyRequest=zero, EVMaximumEnergyRequest=zero, EVMinimumEnergyRequest=zero
            )
            return cm.ScheduleExchangeReq(**kw, MaximumSupportingPoints=12, Dynamic_SEReqControlMode=mode)
        case E.AC_LOOP:
            fields: dict[str, Any] = dict.fromkeys(
                (
                    "EVTargetEnergyRequest", "EVMaximumEnergyRequest", "EVMinimumEnergyRequest", "EVMaximumChargePower", "EVMinimumChargePower",
                    "EVPresentActivePower", "EVPresentReactivePower",
                ), zero,
            )  # fmt: skip
            return ac.AC_ChargeLoopReq(**kw, MeterInfoRequested=False, CLReqControlMode=ac.Dynamic_AC_CLReqControlMode(**fields))
        case E.DC_LOOP:
            fields = dict.fromkeys(
                (
                    "EVTargetEnergyRequest", "EVMaximumEnergyRequest", "EVMinimumEnergyRequest", "EVMaximumChargePower", "EVMinimumChargePower",
                    "EVMaximumChargeCurrent", "EVMaximumVoltage", "EVMinimumVoltage",
                ), zero,
            )  # fmt: skip
            return dc.DC_ChargeLoopReq(
                **kw, MeterInfoRequested=False, EVPresentVoltage=zero, CLReqControlMode=dc.Dynamic_DC_CLReqControlMode(**fields)
            )
        case E.DC_PARAMETERS:
            fields = {name: rational(400) for name in ("EVMaximumChargePower", "EVMinimumChargePower", "EVMaximumChargeCurrent", "EVMinimumChargeCurrent", "EVMaximumVoltage", "EVMinimumVoltage")}  # fmt: skip
            return dc.DC_ChargeParameterDiscoveryReq(**kw, DC_CPDReqEnergyTransferMode=dc.DC_CPDReqEnergyTransferModeType(**fields))
        case E.DETAIL:
            return cm.ServiceDetailReq(**kw, ServiceID=1 if dialect.talk.energies[0] is Energy.AC else 2)
        case E.METERING:
            data = cm.SignedMeteringDataType(
                Id="id1", SessionID=talk.session_id, MeterInfo=ct.MeterInfoType(MeterID="m", ChargedEnergyReadingWh=1),
                Dynamic_SMDTControlMode=cm.Dynamic_SMDTControlModeType(),
            )  # fmt: skip
            return cm.MeteringConfirmationReq(**kw, SignedMeteringData=data)
    kinds = {kind.__name__: kind for kind in RESPONSES}
    return any_request(kinds[event.value], header.SessionID)


@pytest.fixture(scope="module")
def places() -> dict[S, tuple[Iso20, Any]]:
    """The charger's dialect in each state, as honest vehicles bring it there, with the time."""
    found: dict[S, tuple[Iso20, Any]] = {}

    def keep(pair: Pair) -> None:
        if pair.dialect is not None and pair.dialect.state not in found:
            found[pair.dialect.state] = copy.deepcopy(pair.dialect), pair.now

    for energy in (Energy.AC, Energy.DC):
        for wish in (EvWish.STANDBY, EvWish.RENEGOTIATE_SCHEDULE):
            pair = make(energy, loops=40)
            pair.watches.append(keep)
            ask(pair, "vehicle", 10, wish, None)
            ask(pair, "vehicle", 30, EvWish.RESUME, None)
            pair.session()
    return found


SETUPS: dict[E, str] = {E.INSTALLATION: "FAILED"}
"""What is in order, and not granted."""
DC_ONLY = (E.SELECTION_DC, E.DC_PARAMETERS)


def test_honest_vehicles_come_to_every_state(places: dict[S, Any]) -> None:
    assert set(places) == set(S)


@pytest.mark.parametrize("state", S)
def test_every_row_of_the_table(places: dict[S, tuple[Iso20, Any]], state: S) -> None:
    """A refused row is answered FAILED_SequenceError; what is no refusal is granted, or waits for a fact."""
    taken = set()
    for event in E:
        honest, now = places[state]
        dialect = copy.deepcopy(honest)
        facts = dialect.talk.facts
        facts.authorization = facts.cable_check = facts.power = Progress.DONE
        facts.current_A = 0.0
        dialect.talk.since["precharge"] = now.mono
        entry = TABLE.entries[state, event]
        if event in (E.SELECTION_AC, E.SELECTION_DC) and not entry.refused:
            dialect.talk.energies = tuple(Energy)
        answer = dialect.answer(now, _request(event, dialect), late=False)
        code = answer.response.ResponseCode if isinstance(answer.response, ct.V2GResponseType) else ""
        if entry.refused:
            assert code == "FAILED_SequenceError", (state, event)
            assert answer.failed
        else:
            taken.add(event)
            expected = SETUPS.get(event, "OK")
            assert code == expected or (expected == "OK" and code.startswith("OK")), (state, event, code, answer.failed)
            if honest.talk.energy_on and not dialect.talk.energy_on:
                assert any(isinstance(each, PowerOff) for each in answer.told), (state, event)
            if event is E.STOP:
                assert dialect.talk.since == {}, "nothing goes on"
            stays = answer.failed or dialect.state is state
            assert dialect.state is entry.to or stays, (state, event)
    assert taken == {event for event in E if not TABLE.entries[state, event].refused}


def test_the_vehicles_table_is_whole() -> None:
    """Every pair is decided, every state can be reached, and every function in it exists."""
    from iso15118.evcc.iso20 import table
    from iso15118.evcc.iso20.dialect import ASK, HEAR

    assert EV_TABLE.undecided() == ()
    assert EV_TABLE.reachable() == frozenset(table.S)
    assert {name for each in EV_TABLE.entries.values() for name in each.do} == set(ASK)
    assert set(HEAR) == set(table.S) - {table.S.BEGIN, table.S.OVER}
