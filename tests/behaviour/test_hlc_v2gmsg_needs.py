"""What the CSMS and the vehicle are told of a vehicle's needs where DIN 70121 or ISO 15118-2 is spoken: its words, and by the phases that it asked for."""

from __future__ import annotations

from typing import Any

import pytest

from iso15118.evcc.terms import EvWish
from iso15118.v2gmsg.values import number
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_v2gmsg import BIG, site_of, vehicle_of


def needs(site: HlcSite) -> dict[str, Any]:
    """Of NotifyEVChargingNeeds, with its maxScheduleTuples where it has one."""
    site.until(lambda: bool(site.told("NotifyEVChargingNeeds")))
    request = site.told("NotifyEVChargingNeeds")[-1]
    found: dict[str, Any] = {**request["chargingNeeds"], **{key: request[key] for key in request if key == "maxScheduleTuples"}}
    return found


def answers(site: HlcSite, name: str) -> list[Any]:
    assert site.ev is not None
    return [message for _, _, message in site.ev.messages if type(message).__name__ == name]


@pytest.mark.req("K15.FR.01", "K15.FR.06")
@pytest.mark.parametrize(("phases", "mode"), [(1, "AC_single_phase"), (3, "AC_three_phase")])
def test_an_ac_vehicle_is_told_in_the_words_of_its_protocol(phases: int, mode: str) -> None:
    site = site_of("iso2-ac")
    vehicle = vehicle_of(site, "iso2-ac", spec=BIG)
    vehicle.wants.phases, vehicle.wants.most_points = phases, 12
    site.charge(vehicle)
    told = needs(site)
    parameters = told.pop("acChargingParameters")
    asked = answers(site, "ChargeParameterDiscoveryReq")[-1].EVChargeParameter
    assert parameters == {
        "energyAmount": number(asked.EAmount),
        "evMinCurrent": number(asked.EVMinCurrent),
        "evMaxCurrent": number(asked.EVMaxCurrent),
        "evMaxVoltage": number(asked.EVMaxVoltage),
    }
    told.pop("departureTime", None)
    assert told == {"requestedEnergyTransfer": mode, "maxScheduleTuples": 12}


@pytest.mark.req("K15.FR.01", "K15.FR.06")
@pytest.mark.parametrize("speech", ["iso2-dc", "din"])
def test_a_dc_vehicle_is_told_in_the_words_of_its_protocol(speech: str) -> None:
    site = site_of(speech)
    vehicle = vehicle_of(site, speech)
    vehicle.departure_s = 0
    vehicle._fill()
    site.charge(vehicle)
    told = needs(site)
    parameters = told.pop("dcChargingParameters")
    asked = answers(site, "ChargeParameterDiscoveryReq")[-1].EVChargeParameter
    assert parameters == {
        "evMaxCurrent": number(asked.EVMaximumCurrentLimit),
        "evMaxVoltage": number(asked.EVMaximumVoltageLimit),
        "evMaxPower": number(asked.EVMaximumPowerLimit),
        "evEnergyCapacity": number(asked.EVEnergyCapacity),
        "energyAmount": number(asked.EVEnergyRequest),
        "stateOfCharge": asked.DC_EVStatus.EVRESSSOC,
        "fullSoC": asked.FullSOC,
        "bulkSoC": asked.BulkSOC,
    }
    more = {"maxScheduleTuples": 1024} if speech == "iso2-dc" else {}
    assert told == {"requestedEnergyTransfer": "DC", **more}, "a departure in no time is none, and DIN 70121 has no bound of schedules"


@pytest.mark.parametrize(("phases", "power_W"), [(1, 7_360.0), (3, 22_080.0)])
def test_a_schedule_is_of_the_phases_that_the_vehicle_asked_for(phases: int, power_W: float) -> None:
    site = site_of("iso2-ac")
    vehicle = vehicle_of(site, "iso2-ac", spec=BIG)
    vehicle.wants.phases = phases
    ev = site.charge(vehicle)
    response = answers(site, "ChargeParameterDiscoveryRes")[-1]
    (entry,) = response.SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry
    assert number(entry.PMax) == pytest.approx(power_W)
    assert number(response.EVSEChargeParameter.EVSEMaxCurrent) == pytest.approx(32.0)
    site.run(60.0)
    assert site.said("ev").count("ChargeParameterDiscoveryReq") == 1, "it has all that there is for it"
    assert ev.over is None


def test_the_greatest_number_of_din_stands_for_all_that_is_offered() -> None:
    site = site_of("din")
    site.charge(vehicle_of(site, "din", spec=BIG))
    site.until(lambda: bool(site.told("NotifyEVChargingSchedule")))
    offered_W = site.facts.limit_W or site.stage.ratings.max_power_W
    (period,) = site.told("NotifyEVChargingSchedule")[-1]["chargingSchedule"]["chargingSchedulePeriod"]
    assert answers(site, "PowerDeliveryReq")[0].ChargingProfile.ProfileEntry[0].ChargingProfileEntryMaxPower == 32_767
    assert offered_W > 32_767
    assert period["limit"] == pytest.approx(offered_W)


@pytest.mark.parametrize("speech", ["iso2-ac", "iso2-dc", "iso20-dc"])
def test_a_vehicle_that_takes_other_schedules_over_and_over_is_told_now_and_then(speech: str) -> None:
    """Of both notifications no more than two in twenty seconds; what it has said last is told in the end."""
    site = site_of(speech)
    vehicle = vehicle_of(site, speech, spec=BIG)
    ev = site.charge(vehicle)
    site.run(30.0)
    for kind in ("Needs", "Schedule"):
        assert len(site.told(f"NotifyEVCharging{kind}")) == 1
    for _ in range(400):
        vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
        site.run(0.1)
    asked = [
        message
        for _, by, message in ev.messages
        if by == "ev" and type(message).__name__ in ("ChargeParameterDiscoveryReq", "ScheduleExchangeReq")
    ]
    assert len(asked) > 20
    vehicle.wants.wish = None
    site.run(25.0)
    for kind in ("Needs", "Schedule"):
        assert 4 <= len(site.told(f"NotifyEVCharging{kind}")) <= 1 + 2 * 4
    assert site.facts.vehicle is not None
    assert site.told("NotifyEVChargingSchedule")[-1]["chargingSchedule"]["id"] == site.facts.vehicle.schedule_id
    told = len(site.told("NotifyEVChargingNeeds"))
    site.run(60.0)
    assert len(site.told("NotifyEVChargingNeeds")) == told
