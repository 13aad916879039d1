"""Other schedules beside the charge loop of ISO 15118-20, which goes on: asked for on payload stream 8101, taken by a PowerDelivery within the loop."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bench.v2g.charger import Charger, Pace
from bench.v2g.pair import Pair
from bench.v2g.wrong import again, any_request
from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.connection import Received, Send
from iso15118.evcc.terms import EvWish, PlanOffered, ProfileMade, WishTaken
from iso15118.iso20.wire import payload_type
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.dialect import LOOP_S
from iso15118.secc.iso20.table import S
from iso15118.terms import BY_CABLE, Control, Energy, PlanChanged, PowerOff, PowerWanted, Schedule, ScheduleAsked, Slot, Wish
from iso15118.v2gtp import ISO20_SCHEDULE_RENEGOTIATION, SCHEMA_SETS, Frame
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.iso20_rig import after, ask, ended_well, make, requests, told
from tests.behaviour.test_iso20_refusals import profile

LOOPS = (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq)
WAYS = [(energy, control) for energy in BY_CABLE for control in Control]
in_every_way = pytest.mark.parametrize(("energy", "control"), WAYS, ids=[f"{energy.value}-{control.value}" for energy, control in WAYS])


class Less(Charger):
    """A charger whose later schedules give less."""

    count = 0

    def _plan(self) -> None:
        self.count += 1
        self.facts.schedules = (Schedule(self.count, (Slot(0, 3600, 9_000.0 if self.count == 1 else 4_000.0),)),)


def beside(energy: Energy = Energy.DC, control: Control = Control.SCHEDULED, *, schedule_s: float = 0.0, **wants: Any) -> Pair:
    pair = make(energy, control, other_schedules_aside=True, **({"loops": 60} | wants))
    pair.charger = Less(pair.charger.facts, Pace(schedule_s=schedule_s))
    return pair


def gap_s(pair: Pair) -> float:
    """The longest time from one request of the loop to the next."""
    rounds = [when for when, end, message in pair.messages if end == "ev" and isinstance(message, LOOPS)]
    return max(later - sooner for sooner, later in pairwise(rounds))


def power_W(pair: Pair) -> float:
    return pair.charger.facts.voltage_V * pair.charger.facts.current_A


@in_every_way
@pytest.mark.parametrize("whose", ["vehicle", "charger"])
def test_other_schedules_while_the_loop_goes_on(energy: Energy, control: Control, whose: str) -> None:
    pair = beside(energy, control)
    ask(pair, whose, 20, EvWish.RENEGOTIATE_SCHEDULE, Wish.RENEGOTIATE_SCHEDULE)
    pair.session()
    ended_well(pair)
    loop = "DC_ChargeLoop" if energy.is_dc else "AC_ChargeLoop"
    said = requests(pair)
    at = said.index("PowerDelivery ScheduleRenegotiation")
    aside = ["ScheduleExchange", loop, "ScheduleExchange"]
    assert said[at - 4 : at + 3] == [loop, *aside, "PowerDelivery ScheduleRenegotiation", loop, "PowerDelivery Stop"]
    assert gap_s(pair) < pair.vehicle.wants.loop_s + 0.05
    assert [each.aside for each in told(pair, ScheduleAsked)] == [False, True]
    assert len(told(pair, PowerOff)) == len(told(pair, PowerWanted)) == 1, "energy flows on"
    (changed,) = told(pair, PlanChanged)
    assert changed.profile
    if control is Control.SCHEDULED:
        assert changed == PlanChanged(2, (Slot(0, 3600, 4_000.0),))
        assert [each.schedule_id for each in told(pair, ProfileMade, "ev")] == [1, 2]
    else:
        assert changed.schedule_id is None
        assert len(told(pair, PlanOffered, "ev")) == 2
    streams = {(octets[2:4].hex(), end) for _, end, octets in pair.octets}
    assert {("8101", "ev"), ("8101", "evse")} <= streams


@pytest.mark.parametrize("energy", BY_CABLE)
def test_what_is_drawn_follows_the_new_schedule(energy: Energy) -> None:
    pair = beside(energy, loops=80)
    seen: list[float] = []
    for rounds in (20, 70):
        after(pair, rounds, lambda: seen.append(power_W(pair)))
    ask(pair, "charger", 30, None, Wish.RENEGOTIATE_SCHEDULE)
    pair.session()
    ended_well(pair)
    assert seen == [pytest.approx(9_000, rel=0.02), pytest.approx(4_000, rel=0.02)]


def test_ongoing_until_there_are_schedules() -> None:
    """Asked once a round, and the loop keeps its pace."""
    pair = beside(schedule_s=5.0)
    ask(pair, "vehicle", 20, EvWish.RENEGOTIATE_SCHEDULE, None)
    pair.session()
    ended_well(pair)
    aside = [octets for _, end, octets in pair.octets if end == "ev" and octets[2:4].hex() == "8101"]
    assert 24 <= len(aside) <= 27
    assert gap_s(pair) < pair.vehicle.wants.loop_s + 0.05
    assert [each.aside for each in told(pair, ScheduleAsked) if each.aside] == [True], "told once"


def test_without_schedules_in_time_those_of_before_hold() -> None:
    pair = beside(loops=400)
    pair.charger.pace = Pace(schedule_s=0.0)
    after(pair, 20, lambda: setattr(pair.charger, "pace", Pace(schedule_s=1e4)))
    ask(pair, "vehicle", 20, EvWish.RENEGOTIATE_SCHEDULE, None)
    pair.session()
    ended_well(pair)
    answers = [message for _, _, message in pair.messages if isinstance(message, cm.ScheduleExchangeRes)]
    assert (answers[-1].ResponseCode, answers[-1].EVSEProcessing) == ("WARNING_ScheduleRenegotiationFailed", "Finished")
    when = [at for at, _, message in pair.messages if isinstance(message, cm.ScheduleExchangeRes)]
    assert when[-1] - when[1] == pytest.approx(55.0, abs=0.3)
    assert "PowerDelivery ScheduleRenegotiation" not in requests(pair)
    assert told(pair, PlanChanged) == []
    assert gap_s(pair) < pair.vehicle.wants.loop_s + 0.05


def test_the_charger_asks_on_until_it_is_heard() -> None:
    """Its wish stands in every answer of the loop; the vehicle asks for schedules once."""
    pair = beside(schedule_s=2.0)
    charger = pair.charger
    assert isinstance(charger, Less)

    def insist(pair: Pair) -> None:
        charger.facts.wish = Wish.RENEGOTIATE_SCHEDULE if charger.count == 1 and pair.loops() > 20 else None

    pair.watches.append(insist)
    pair.session()
    ended_well(pair)
    assert len(told(pair, PlanChanged)) == 1
    assert [each.aside for each in told(pair, ScheduleAsked) if each.aside] == [True]


@pytest.mark.parametrize("wish", [EvWish.STANDBY, EvWish.PAUSE, EvWish.STOP, EvWish.RENEGOTIATE_SERVICE])
def test_a_vehicle_that_wants_something_else_meanwhile(wish: EvWish) -> None:
    """What was asked for is forgotten; out of standby it can be asked for anew."""
    pair = beside(schedule_s=5.0, loops=500)
    ask(pair, "vehicle", 20, EvWish.RENEGOTIATE_SCHEDULE, None)
    ask(pair, "vehicle", 40, wish, None)
    if wish is EvWish.STANDBY:
        ask(pair, "vehicle", 380, EvWish.RESUME, None)
        ask(pair, "vehicle", 400, EvWish.RENEGOTIATE_SCHEDULE, None)
    pair.session()
    assert pair.notes == []
    assert len(told(pair, PlanChanged)) == (1 if wish is EvWish.STANDBY else 0)
    assert sum(each.aside for each in told(pair, ScheduleAsked)) == (2 if wish is EvWish.STANDBY else 1)


@pytest.mark.parametrize(("energy", "mode"), [(Energy.DC, "dc"), (Energy.AC, "ac")])
def test_a_station_hears_of_it_and_delivers_on(energy: Energy, mode: str) -> None:
    """The CSMS is told what the vehicle needs now; the output does not dip."""
    site = HlcSite(mode)
    vehicle = site.vehicle(energy, Control.SCHEDULED)
    vehicle.wants.other_schedules_aside = True
    site.charge(vehicle)
    site.limit(watts=6_000.0)
    site.run(10.0)
    flowing = max(site.sim.current_A)
    least: list[float] = []
    site.heap.looks.append(lambda: least.append(max(site.sim.current_A)))
    vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    site.run(5.0)
    assert WishTaken(EvWish.RENEGOTIATE_SCHEDULE) in [each for _, each in vehicle.log]
    progress = [each.ChargeProgress for _, who, each in site.ev.messages if isinstance(each, cm.PowerDeliveryReq)] if site.ev else []
    assert progress[-2:] == ["Start", "ScheduleRenegotiation"]
    assert min(least) > 0.9 * flowing
    assert len(site.told("NotifyEVChargingNeeds")) == 2
    assert site.facts.vehicle is not None
    assert [each.power_W for each in site.facts.vehicle.plan] == [6_000.0]


# ---- the charger's side, request by request


class AtLoop:
    """The charger's session in the loop, and a vehicle of which each word is ours."""

    def __init__(self, energy: Energy = Energy.AC) -> None:
        self.pair = beside(energy)
        self.pair.connect()
        self.pair.run(until=lambda: self.state in (S.AC_LOOP, S.DC_LOOP))
        self.now = self.pair.now
        self.over = False

    @property
    def state(self) -> S:
        return self.pair.dialect.state if self.pair.dialect else S.SETUP

    def later(self, seconds: float) -> None:
        self.now = Tick(self.now.mono + seconds, self.now.utc + seconds)

    def say(self, kind: type[Any], *, aside: bool = False, **fields: Any) -> Any:
        """A request, and the response to it."""
        assert self.pair.dialect is not None
        request = again(any_request(kind, self.pair.dialect.talk.session_id), **fields)
        stream = ISO20_SCHEDULE_RENEGOTIATION if aside else payload_type(kind)
        octets = Frame(stream, exi.encode(request, SCHEMA_SETS[stream])).octets()
        commands = self.pair.secc.handle(self.now, Received(octets))
        assert {int.from_bytes(each.octets[2:4], "big") for each in commands if isinstance(each, Send)} <= {stream}
        return next((each.message for each in commands if isinstance(each, Send)), None)

    def schedules(self, *, aside: bool = True) -> Any:
        mode = cs.Scheduled_SEReqControlModeType()
        return self.say(cm.ScheduleExchangeReq, aside=aside, Scheduled_SEReqControlMode=mode, Dynamic_SEReqControlMode=None)

    def planned(self) -> AtLoop:
        """Other schedules are there."""
        assert self.schedules().EVSEProcessing == "Ongoing"
        assert self.schedules().EVSEProcessing == "Finished"
        return self

    def replan(self, plan: Any) -> str:
        answer: ct.V2GResponseType = self.say(
            cm.PowerDeliveryReq, EVProcessing="Finished", ChargeProgress="ScheduleRenegotiation", EVPowerProfile=plan
        )
        return answer.ResponseCode


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC])
def test_on_the_main_stream_the_loop_is_no_place_for_schedules(energy: Energy) -> None:
    assert AtLoop(energy).schedules(aside=False).ResponseCode == "FAILED_SequenceError"
    assert AtLoop(energy).planned().schedules(aside=False).ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize("state", [S.AC_SCHEDULE, S.AC_RESCHEDULE, S.AC_STANDBY])
def test_the_stream_beside_the_loop_is_for_the_loop(state: S) -> None:
    at = AtLoop()
    assert at.pair.dialect is not None
    at.pair.dialect.state = state
    assert at.schedules().ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (profile(1, (60, 9_000)), "OK"),
        (profile(1, (60, 9_500)), "FAILED_EVPowerProfileInvalid"),
        (profile(2, (60, 100)), "FAILED_ScheduleSelectionInvalid"),
    ],
)
def test_profiles_in_the_loop(plan: Any, code: str) -> None:
    at = AtLoop().planned()
    before = at.state
    assert at.replan(plan) == code
    assert (before, at.state) == (S.AC_REPLANNED, S.AC_LOOP if code == "OK" else S.AC_REPLANNED)


def test_the_loop_can_still_be_left_for_schedules() -> None:
    at = AtLoop().planned()
    assert at.replan(None) == "OK"
    assert at.state is S.AC_RESCHEDULE
    assert at.schedules(aside=False).EVSEProcessing == "Finished"
    at = AtLoop()
    assert at.replan(profile(1, (60, 100))) == "OK"
    assert at.state is S.AC_RESCHEDULE, "a profile of no schedule that is new"


def test_what_stands_beside_the_loop_does_not_keep_it_going() -> None:
    at = AtLoop()
    began = at.now.mono
    assert at.pair.secc.deadline() == pytest.approx(began + LOOP_S)
    for _ in range(4):
        at.later(0.1)
        at.schedules()
        assert at.pair.secc.deadline() == pytest.approx(began + LOOP_S)
    assert at.replan(profile(1, (60, 100))) == "OK"
    assert at.pair.secc.deadline() == pytest.approx(at.now.mono + LOOP_S), "a PowerDelivery is of the main stream"
