"""DC gives up: a driver whose vehicle has talked, and was refused, reads why; one whose vehicle says nothing reads that."""

from __future__ import annotations

import pytest

from bench.v2g.model import Spec
from chargepoint.commands import Indicate, Log
from chargepoint.faults import SESSION_FAILED, VEHICLE_SILENT
from iso15118.terms import Energy
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_v2gmsg import site_of, vehicle_of

LOW = Spec("low", voltage_V=((0, 60), (100, 90)), max_voltage_V=100.0, min_voltage_V=50.0)
WHY = "the voltages of vehicle and charger do not meet"


def given_up(site: HlcSite) -> list[Indicate]:
    """What the driver has read about it."""
    site.until(lambda: site.hlc.value == "given up", most_s=300.0)
    site.run(1.0)
    return [each for _, each in site.at(Indicate) if each.key.startswith("vehicle.")]


@pytest.mark.parametrize("speech", ["din", "iso2-dc"])
def test_a_vehicle_that_was_refused_has_talked(speech: str) -> None:
    site = site_of(speech)
    site.plug(vehicle_of(site, speech, spec=LOW))
    site.card()
    (read,) = given_up(site)
    assert (read.key, read.values["why"]) == ("vehicle.session_failed", WHY)
    assert WHY in read.values["sentence"]
    assert WHY in site.facts.faults[SESSION_FAILED]
    assert VEHICLE_SILENT not in site.facts.faults
    logged = [each.values["why"] for _, each in site.at(Log) if each.key == "v2g.session_failed"]
    assert logged == [WHY] * 3, "once for each session"
    site.unplug()
    site.run(2.0)
    assert site.facts.faults == {}


def test_a_vehicle_that_says_nothing_does_not_talk() -> None:
    site = HlcSite("dc")
    site.plug(site.vehicle(Energy.DC), modem=False)
    assert [each.key for each in given_up(site)] == ["vehicle.does_not_talk"]
    assert VEHICLE_SILENT in site.facts.faults
    assert SESSION_FAILED not in site.facts.faults


def test_what_one_vehicle_was_refused_for_is_not_said_of_the_next() -> None:
    site = site_of("din")
    site.plug(vehicle_of(site, "din", spec=LOW))
    site.card()
    given_up(site)
    site.unplug()
    site.run(5.0)
    site.plug(site.vehicle(Energy.DC), modem=False)
    assert [each.key for each in given_up(site)][-1] == "vehicle.does_not_talk"
    assert SESSION_FAILED not in site.facts.faults
