"""Whole ISO 15118-20 sessions on virtual time, in every way there is, to their end: what our charger's side and our vehicle's side agree on."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g.pair import Pair
from iso15118.evcc.terms import EvseAsks, EvWish, Parked, PlanOffered, ProfileMade, SessionJoined
from iso15118.iso20.values import number
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import dc
from iso15118.secc.iso20.table import S
from iso15118.terms import (
    BY_CABLE,
    PLAIN,
    AcDemand,
    Control,
    DcDemand,
    Ending,
    Energy,
    EnergyChosen,
    EnergyWanted,
    MeteringConfirmed,
    ParkingTold,
    PowerOff,
    PowerWanted,
    ScheduleAsked,
    SessionBegun,
    StandbyWanted,
    Wish,
)
from tests.behaviour.iso20_rig import after, ask, ended_well, make, requests, told

WAYS = [
    (energy, control, by_secc)
    for energy in BY_CABLE
    for control, by_secc in ((Control.SCHEDULED, False), (Control.DYNAMIC, False), (Control.DYNAMIC, True))
]
NAMES = [f"{energy.value}-{control.value}{'-by-secc' if by_secc else ''}" for energy, control, by_secc in WAYS]
in_every_way = pytest.mark.parametrize(("energy", "control", "by_secc"), WAYS, ids=NAMES)
in_ways_with_others = pytest.mark.parametrize(
    ("energy", "control", "by_secc"), [each for each in WAYS if each[0] in PLAIN], ids=[each for each in NAMES if "DER" not in each]
)
"""Where the same protocol has another service."""
BEGINNING = [
    "supportedAppProtocol",
    "SessionSetup",
    "AuthorizationSetup",
    "Authorization",
    "ServiceDiscovery",
    "ServiceDetail",
    "ServiceSelection",
]


@in_every_way
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
    assert told(pair, EnergyChosen)[0] == EnergyChosen(
        energy, control, by_secc, told(pair, EnergyChosen)[0].parameter_set, phases=0 if energy.is_dc else 3
    )
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


@in_every_way
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


@in_every_way
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


@in_ways_with_others
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


@in_every_way
def test_the_charger_wants_an_end(energy: Energy, control: Control, by_secc: bool) -> None:
    pair = make(energy, control, by_secc, loops=None)
    ask(pair, "charger", 10, None, Wish.STOP)
    pair.session()
    ended_well(pair)
    assert told(pair, EvseAsks, "ev")[0].wish is Wish.STOP
    assert pair.loops() <= 13


@in_every_way
def test_the_charger_wants_a_pause(energy: Energy, control: Control, by_secc: bool) -> None:
    pair = make(energy, control, by_secc, loops=None)
    ask(pair, "charger", 10, None, Wish.PAUSE)
    pair.session()
    ended_well(pair, Ending.PAUSED)
    assert pair.paused is not None


@in_every_way
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


@in_every_way
@pytest.mark.parametrize("stops", [False, True], ids=["goes on", "stops"])
def test_a_standby_that_is_not_allowed(energy: Energy, control: Control, by_secc: bool, stops: bool) -> None:
    """The charger stays in the loop with its energy on; what the vehicle makes of that is its choice."""
    pair = make(energy, control, by_secc, standby_or_stop=stops)
    pair.charger.facts.standby = False
    ask(pair, "vehicle", 10, EvWish.STANDBY, None)
    states = set()
    pair.watches.append(lambda pair: states.add(pair.dialect.state if pair.dialect else None))
    pair.session()
    ended_well(pair)
    assert not states & {S.AC_STANDBY, S.DC_STANDBY}
    loop = "DC_ChargeLoop" if energy.is_dc else "AC_ChargeLoop"
    said = requests(pair)
    at = said.index("PowerDelivery Standby")
    assert said[at - 1 : at + 2] == [loop, "PowerDelivery Standby", "PowerDelivery Stop" if stops else loop]
    codes = [message.ResponseCode for _, _, message in pair.messages if isinstance(message, cm.PowerDeliveryRes)]
    assert codes == ["OK", "WARNING_StandbyNotAllowed", "OK"]
    assert told(pair, StandbyWanted) == []
    assert [each.why for each in told(pair, PowerOff)] == ["PowerDelivery Stop"]
    assert pair.loops() == (10 if stops else 30)


def spoken_between(pair: Pair, first: str, last: str) -> list[Any]:
    """What the vehicle said after one PowerDelivery, and before the next of another kind."""
    said = [message for _, end, message in pair.messages if end == "ev"]
    progress = [message.ChargeProgress if isinstance(message, cm.PowerDeliveryReq) else "" for message in said]
    begin = progress.index(first)
    return said[begin + 1 : progress.index(last, begin)]


@in_every_way
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
@pytest.mark.parametrize("energy", BY_CABLE)
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


@pytest.mark.parametrize("welding", [False, True], ids=["no welding detection", "welding detection"])
@pytest.mark.parametrize("energy", BY_CABLE)
def test_a_vehicle_checks_in_before_the_schedules_and_out_after_the_energy(energy: Energy, welding: bool) -> None:
    pair = make(energy, wish=EvWish.CHECK_IN, welding_detection=welding)
    pair.when(lambda: bool(told(pair, PowerOff)), lambda: setattr(pair.vehicle.wants, "wish", EvWish.CHECK_OUT))
    pair.session()
    ended_well(pair)
    said = requests(pair)
    kind = "DC" if energy.is_dc else "AC"
    arrived, left = said.index("VehicleCheckIn"), said.index("VehicleCheckOut")
    assert said[arrived - 1 : arrived + 2] == [f"{kind}_ChargeParameterDiscovery", "VehicleCheckIn", "ScheduleExchange"]
    before = "DC_WeldingDetection" if energy.is_dc and welding else "PowerDelivery Stop"
    assert said[left - 1 :] == [before, "VehicleCheckOut", "SessionStop Terminate"]
    assert told(pair, ParkingTold) == [ParkingTold("check-in, Manual", "Completed"), ParkingTold("check-out", "CheckOut")]
    assert told(pair, Parked, "ev") == [Parked(EvWish.CHECK_IN), Parked(EvWish.CHECK_OUT, "Scheduled")]
    assert [octets[2:4].hex() for _, _, octets in pair.octets].count("8104") == 4


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
