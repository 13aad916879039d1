"""AC: a schedule that has less than the vehicle can draw has nothing (EVMinCurrent of ISO 15118-2, EVMinimumChargePower of ISO 15118-20)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.model import CITY
from chargepoint.v2g_replan import STANDS_S
from iso15118.evcc.terms import EvseAsks, ProfileMade, SchedulesOffered
from iso15118.iso20.values import number as rational_number
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.secc.iso2 import table as iso2
from iso15118.secc.iso2.dialect import Iso2
from iso15118.secc.iso20.table import S
from iso15118.terms import Control, Energy, Progress, Schedule, Slot, Wish
from iso15118.v2gmsg.values import number, physical
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_own_limits import LEAST, AtLeast
from tests.behaviour.test_hlc_v2gmsg import site_of, vehicle_of
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
        (LEAST, 6.0, 4_140.0),
        (LEAST, 8.0, 5_520.0),
        (CITY_LEAST, 5.9, 0.0),
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


def iso20_offer(least_W: float) -> tuple[Any, list[float]]:
    place = reach(S.AC_SCHEDULE, Energy.AC, Control.SCHEDULED)
    talk = place[0].talk
    talk.least_W, talk.facts.schedules, talk.facts.power = least_W, (STRETCHES,), Progress.DONE
    mode = {"Dynamic_SEReqControlMode": None, "Scheduled_SEReqControlMode": cs.Scheduled_SEReqControlModeType()}
    answer: Any = said20(place, cm.ScheduleExchangeReq, MaximumSupportingPoints=12, **mode)
    (told,) = answer.response.Scheduled_SEResControlMode.ScheduleTuple
    return place, [rational_number(each.Power) for each in told.ChargingSchedule.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry]


@pytest.mark.parametrize(("least_W", "expected"), [(4_140, [12_000, 0, 12_000]), (3_000.6, [12_000, 3_000, 12_000])])
def test_iso20_in_each_stretch(least_W: float, expected: list[int]) -> None:
    assert iso20_offer(least_W)[1] == expected


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
