"""AC: a schedule that has less than the vehicle can draw, or give back, has nothing, and its loop says the same (EVMinCurrent of ISO 15118-2,
EVMinimumChargePower and EVMinimumDischargePower of ISO 15118-20).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.model import CITY, Vehicle
from chargepoint.v2g_replan import BETWEEN_S, STANDS_S
from iso15118.evcc.terms import EvseAsks, PowerTarget, ProfileMade, SchedulesOffered
from iso15118.iso20.values import number as rational_number
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.secc.iso2 import table as iso2
from iso15118.secc.iso2.dialect import Iso2
from iso15118.secc.iso20.table import S
from iso15118.terms import BY_CABLE, AcDemand, Control, Energy, Progress, Schedule, Slot, Wish
from iso15118.v2gmsg.values import number, physical
from tests.behaviour import iso20_rig
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_own_limits import LEAST, AtLeast
from tests.behaviour.test_hlc_v2gmsg import BIG, site_of, vehicle_of
from tests.behaviour.test_iso20_refusals import code_of, profile, reach
from tests.behaviour.test_iso20_refusals import said as said20
from tests.behaviour.test_v2gmsg_requests import code, said
from tests.behaviour.test_v2gmsg_table import placed, request

SPEECHES = ("iso2-ac", "iso20-ac")
BELOW_A, ABOVE_A = 3.0, 16.0
CITY_LEAST = replace(CITY, ac_least_W=1_380.0, capacity_Wh=400_000.0)
PLACES = pytest.mark.parametrize("speech", SPEECHES)


def heard(site: HlcSite, kind: type[Any]) -> list[Any]:
    assert site.ev is not None
    return [each for _, each in site.ev.vehicle.log if isinstance(each, kind)]


def offered_W(site: HlcSite) -> list[float]:
    return [each.schedules[0].charging[0].power_W for each in heard(site, SchedulesOffered)]


def planned_W(site: HlcSite) -> list[float]:
    return [each.profile[0].power_W for each in heard(site, ProfileMade)]


def asked(site: HlcSite) -> int:
    return sum(each.wish is Wish.RENEGOTIATE_SCHEDULE for each in heard(site, EvseAsks))


@PLACES
@pytest.mark.parametrize(
    ("spec", "limit_A", "power_W"),
    [
        (LEAST, 3.0, 0.0),
        (LEAST, 5.9, 0.0),
        (LEAST, 5.96, 0.0),
        (LEAST, 5.98, 0.0),
        (LEAST, 6.0, 4_140.0),
        (LEAST, 8.0, 5_520.0),
        (CITY_LEAST, 5.98, 0.0),
        (CITY_LEAST, 6.0, 1_380.0),
    ],
)
def test_what_the_vehicle_is_offered(speech: str, spec: Any, limit_A: float, power_W: float) -> None:
    site = site_of(speech)
    site.limit(amps=limit_A)
    site.plug(vehicle_of(site, speech, spec=spec))
    site.card()
    site.until(lambda: bool(planned_W(site)))
    assert offered_W(site) == [pytest.approx(power_W, abs=1.0)]
    assert planned_W(site) == [pytest.approx(power_W, abs=1.0)]
    site.run(30.0)
    assert site.hlc.value == "talking"
    assert max(site.sim.current_A) == pytest.approx(limit_A if power_W else 0.0, abs=0.1)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.target_W == pytest.approx(power_W, abs=1.0), "its loop says the same"


@PLACES
def test_it_is_asked_again_when_there_is_enough(speech: str) -> None:
    site = site_of(speech)
    site.limit(amps=BELOW_A)
    ev = site.plug(vehicle_of(site, speech, spec=LEAST), kind=AtLeast)
    site.card()
    site.until(lambda: bool(planned_W(site)))
    site.run(30.0)
    assert asked(site) == 0
    site.limit(amps=5.0)
    site.run(30.0)
    assert asked(site) == 0, "that is not enough, either"
    site.limit(amps=ABOVE_A)
    assert site.until(lambda: max(site.sim.current_A) > 15.0) < STANDS_S + 5.0
    assert planned_W(site) == [0.0, pytest.approx(ABOVE_A * 690.0)]
    assert ev.sessions == 1


@PLACES
@pytest.mark.parametrize(("below_A", "above_A"), [(5.9, 6.1), (5.8, 6.0), (5.98, 6.0)])
def test_it_is_asked_again_however_little_was_missing(speech: str, below_A: float, above_A: float) -> None:
    site = site_of(speech)
    site.limit(amps=below_A)
    ev = site.plug(vehicle_of(site, speech, spec=LEAST), kind=AtLeast)
    site.card()
    site.run(60.0)
    assert (asked(site), max(site.sim.current_A)) == (0, 0.0)
    site.limit(amps=above_A)
    assert site.until(lambda: max(site.sim.current_A) > 5.9) < STANDS_S + 5.0
    site.run(120.0)
    assert planned_W(site) == [0.0, pytest.approx(above_A * 690.0)], "once"
    assert ev.sessions == 1


@PLACES
def test_a_limit_that_wanders_about_its_least_takes_no_schedule_of_nothing(speech: str) -> None:
    site = site_of(speech)
    site.limit(amps=6.5)
    site.charge(vehicle_of(site, speech, spec=LEAST), kind=AtLeast)
    for _ in range(5):
        site.limit(amps=5.9)
        site.run(2.0 * STANDS_S)
        assert max(site.sim.current_A) == 0.0
        site.limit(amps=6.5)
        site.run(2.0 * STANDS_S)
        assert max(site.sim.current_A) == pytest.approx(6.5, abs=0.1)
    assert asked(site) == 0


@PLACES
def test_of_less_than_it_can_draw_no_schedule_of_a_day_is_made(speech: str) -> None:
    """It is a pause, and what the vehicle was offered holds again afterwards."""
    site = site_of(speech)
    site.limit(amps=ABOVE_A)
    site.charge(vehicle_of(site, speech, spec=LEAST), kind=AtLeast)
    site.run(5.0)
    site.limit(amps=BELOW_A)
    site.run(120.0)
    site.limit(amps=ABOVE_A)
    site.run(30.0)
    assert asked(site) == 0
    assert planned_W(site) == [pytest.approx(ABOVE_A * 690.0)]
    assert max(site.sim.current_A) == pytest.approx(ABOVE_A, abs=0.5)


# ---- a schedule of several stretches, and what the vehicle makes of it

STRETCHES = Schedule(1, tuple(Slot(at, 60, watts) for at, watts in ((0, 12_000.0), (60, 3_000.0), (120, 12_000.0))))


def entries_W(entries: Any) -> list[float]:
    return [rational_number(each.Power) for each in entries.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry]


def iso2_offer(mode: str, least_A: int) -> tuple[Any, list[float]]:
    dialect: Any = placed(Iso2, iso2.S.PARAMETERS)
    dialect.talk.facts.schedules = (STRETCHES,)
    body = request(Iso2, iso2.E.AC_PARAMETERS)
    body.RequestedEnergyTransferMode = mode
    body.EVChargeParameter.EVMinCurrent = physical(dt.PhysicalValueType, "A", least_A)
    body.EVChargeParameter.EVMaxCurrent = physical(dt.PhysicalValueType, "A", 32)
    (told,) = said(dialect, body).response.SASchedules.SAScheduleTuple
    return dialect, [number(each.PMax) for each in told.PMaxSchedule.PMaxScheduleEntry]


@pytest.mark.parametrize(
    ("mode", "least_A", "expected"),
    [
        ("AC_three_phase_core", 6, [12_000, 0, 12_000]),
        ("AC_three_phase_core", 4, [12_000, 3_000, 12_000]),
        ("AC_three_phase_core", 0, [12_000, 3_000, 12_000]),
        ("AC_three_phase_core", 20, [0, 0, 0]),
        ("AC_single_phase_core", 6, [4_000, 0, 4_000]),
        ("AC_single_phase_core", 4, [4_000, 1_000, 4_000]),
    ],
)
def test_iso2_in_each_stretch(mode: str, least_A: int, expected: list[int]) -> None:
    assert iso2_offer(mode, least_A)[1] == expected


def iso20_told(talk_of: Energy, schedule: Schedule, least_W: float, least_back_W: float = 0.0) -> tuple[Any, Any]:
    place = reach(S.AC_SCHEDULE, talk_of, Control.SCHEDULED)
    talk = place[0].talk
    talk.least_W, talk.least_back_W, talk.facts.schedules, talk.facts.power = least_W, least_back_W, (schedule,), Progress.DONE
    mode = {"Dynamic_SEReqControlMode": None, "Scheduled_SEReqControlMode": cs.Scheduled_SEReqControlModeType()}
    answer: Any = said20(place, cm.ScheduleExchangeReq, MaximumSupportingPoints=12, **mode)
    (told,) = answer.response.Scheduled_SEResControlMode.ScheduleTuple
    return place, told


def iso20_offer(least_W: float) -> tuple[Any, list[float]]:
    place, told = iso20_told(Energy.AC, STRETCHES, least_W)
    return place, entries_W(told.ChargingSchedule)


@pytest.mark.parametrize(("least_W", "expected"), [(4_140, [12_000, 0, 12_000]), (3_000.6, [12_000, 3_000, 12_000])])
def test_iso20_in_each_stretch(least_W: float, expected: list[int]) -> None:
    assert iso20_offer(least_W)[1] == expected


BOTH_WAYS = Schedule(
    1,
    tuple(Slot(at, 60, watts) for at, watts in ((0, 3_000.0), (60, -500.0), (120, 6_000.0))),
    tuple(Slot(at, 60, watts) for at, watts in ((0, -3_000.0), (60, -500.0), (120, 0.0))),
)


@pytest.mark.parametrize(
    ("least_W", "least_back_W", "draw", "give"),
    [
        (0, 0, [3_000, -500, 6_000], [-3_000, -500, 0]),
        (4_140, 0, [0, -500, 6_000], [-3_000, -500, 0]),
        (0, 1_000, [3_000, -500, 6_000], [-3_000, 0, 0]),
        (4_140, 3_000.6, [0, -500, 6_000], [-3_000, 0, 0]),
        (4_140, 3_500, [0, -500, 6_000], [0, 0, 0]),
    ],
)
def test_iso20_in_each_direction(least_W: float, least_back_W: float, draw: list[float], give: list[float]) -> None:
    """A schedule for charging that has less than nothing wants at least so much back: that is no little that is drawn."""
    _, told = iso20_told(Energy.AC_BPT, BOTH_WAYS, least_W, least_back_W)
    assert (entries_W(told.ChargingSchedule), entries_W(told.DischargingSchedule)) == (draw, give)


@pytest.mark.parametrize(("planned", "expected"), [((12_000, 0, 12_000), "OK"), ((12_000, 3_000, 12_000), "FAILED_ChargingProfileInvalid")])
def test_iso2_a_profile_is_held_against_what_was_told(planned: tuple[int, ...], expected: str) -> None:
    dialect, _ = iso2_offer("AC_three_phase_core", 6)
    entries = tuple(
        sc.ProfileEntryType(ChargingProfileEntryStart=at * 60, ChargingProfileEntryMaxPower=physical(dt.PhysicalValueType, "W", watts))
        for at, watts in enumerate(planned)
    )
    start = mb.PowerDeliveryReq(ChargeProgress="Start", SAScheduleTupleID=1, ChargingProfile=sc.ChargingProfileType(ProfileEntry=entries))
    assert code(said(dialect, start)) == expected


@pytest.mark.parametrize(("planned", "expected"), [((12_000, 0), "OK"), ((12_000, 3_000), "FAILED_EVPowerProfileInvalid")])
def test_iso20_a_profile_is_held_against_what_was_told(planned: tuple[int, int], expected: str) -> None:
    place, _ = iso20_offer(4_140.0)
    plan = profile(1, *((60, watts) for watts in planned))
    answer = said20(place, cm.PowerDeliveryReq, EVProcessing="Finished", ChargeProgress="Start", EVPowerProfile=plan)
    assert code_of(answer) == expected


def test_iso20_what_a_vehicle_says_of_its_least_in_its_loop_holds_for_its_next_schedules() -> None:
    """Else it would be asked for schedules that have nothing again, each minute."""
    site = site_of("iso20-ac")
    site.limit(amps=5.0)
    vehicle = vehicle_of(site, "iso20-ac", spec=LEAST)
    site.plug(vehicle)
    site.card()
    site.run(60.0)
    assert (offered_W(site), asked(site)) == ([0.0], 0)
    vehicle.spec = replace(LEAST, ac_least_W=1_380.0)
    site.run(2 * BETWEEN_S)
    assert offered_W(site) == [0.0, pytest.approx(3_450.0)]
    assert max(site.sim.current_A) == pytest.approx(5.0, abs=0.1)


# ---- a least that is more than the most


NONSENSE = replace(BIG, name="nonsense", ac_least_W=50_000.0)


@PLACES
def test_a_least_above_the_most_is_the_most(speech: str) -> None:
    site = site_of(speech)
    site.charge(vehicle_of(site, speech, spec=NONSENSE))
    site.run(30.0)
    assert max(site.sim.current_A) == pytest.approx(22_000.0 / 690.0, abs=0.1)
    assert offered_W(site) == [pytest.approx(22_080.0)]


@pytest.mark.parametrize("control", Control)
@pytest.mark.parametrize("energy", [each for each in BY_CABLE if not each.is_dc], ids=lambda each: each.value)
def test_so_it_is_in_every_way_of_iso20(energy: Energy, control: Control) -> None:
    pair = iso20_rig.make(energy, control)
    pair.vehicle = Vehicle(NONSENSE, wants=pair.vehicle.wants)
    pair.session()
    iso20_rig.ended_well(pair)
    assert max(each.power_W for each in iso20_rig.told(pair, PowerTarget, "ev")) == pytest.approx(22_000.0)
    offers = [each.schedules[0].charging[0].power_W for each in iso20_rig.told(pair, SchedulesOffered, "ev")]
    assert offers == ([pytest.approx(22_000.0)] if control is Control.SCHEDULED else [])


# ---- another energy


def test_iso2_a_least_of_ac_is_none_of_dc() -> None:
    """A vehicle may ask for the other as long as no schedules have come."""
    dialect: Any = placed(Iso2, iso2.S.PARAMETERS)
    dialect.talk.facts.schedules = None
    asked_ac = request(Iso2, iso2.E.AC_PARAMETERS)
    asked_ac.EVChargeParameter.EVMinCurrent = physical(dt.PhysicalValueType, "A", 20)
    asked_ac.EVChargeParameter.EVMaxCurrent = physical(dt.PhysicalValueType, "A", 32)
    assert said(dialect, asked_ac).response.EVSEProcessing == "Ongoing"
    dialect.talk.facts.schedules = (STRETCHES,)
    (told,) = said(dialect, request(Iso2, iso2.E.DC_PARAMETERS)).response.SASchedules.SAScheduleTuple
    assert [number(each.PMax) for each in told.PMaxSchedule.PMaxScheduleEntry] == [12_000, 3_000, 12_000]


# ---- a charger that goes down to one phase while it tells


@pytest.mark.parametrize(("chosen", "told_A", "told_W"), [("AC_three_phase_core", 10.0, 2_300.0), ("AC_single_phase_core", 10.0, 2_300.0)])
def test_iso2_the_loop_means_the_phases_that_are_there(chosen: str, told_A: float, told_W: float) -> None:
    dialect: Any = placed(Iso2, iso2.S.AC_LOOP)
    talk = dialect.talk
    talk.phases, talk.least_A = 3 if "three" in chosen else 1, 6.0
    talk.facts.ac, talk.facts.target_power_W = replace(talk.facts.ac, max_power_W=7_360.0, phases=1), 2_300.0
    answer = said(dialect, request(Iso2, iso2.E.AC_LOOP))
    assert number(answer.response.EVSEMaxCurrent) == told_A
    assert [each.target_W for each in answer.told if isinstance(each, AcDemand)] == [told_W]
