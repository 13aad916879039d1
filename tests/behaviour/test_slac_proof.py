"""Who gets the key: whoever is near enough, and has shown itself on the pilot where it has to."""

from __future__ import annotations

import pytest

from bench.plc.line import Path
from iso15118.slac import mme
from iso15118.slac.signals import Begin, Chosen, LinkChanged, Matched, Note, PilotSeen, Toggle, Toggled
from tests.behaviour.slac_rig import EVSE, STRANGER, Car, site


def known(dB: int, *, validation: bool) -> Car:
    car = Car(validation=validation)
    car.parm()
    car.start()
    car.profile(dB=dB)
    car.rsp()
    return car


def counted(car: Car, toggles: int) -> None:
    car.validate()
    car.validate(9)
    car.site.tell("evse0", Toggled(toggles))


@pytest.mark.req("S-13")
@pytest.mark.parametrize("dB", [4, 15])
def test_a_failed_validation_gets_no_key(dB: int) -> None:
    car = known(dB, validation=True)
    counted(car, 0)
    assert car.said() == [mme.ValidateCnf(result=3, toggle_num=0)]
    assert car.match() == []
    assert [each.key for each in car.site.told("evse0", Note)] == ["slac.unproven"]
    assert not car.site.told("evse0", Matched)
    counted(car, 2)
    assert car.match(), "it may show itself once more"


@pytest.mark.req("S-13")
def test_toggles_that_the_host_never_counted_are_a_failed_validation() -> None:
    car = known(4, validation=True)
    car.validate(9)
    car.site.hosts["evse0"].toggles = None
    car.wait(5.0)
    assert car.match() == []


@pytest.mark.req("S-13")
@pytest.mark.parametrize(("dB", "key"), [(0, True), (10, True), (11, False), (20, False), (21, False), (60, False)])
def test_a_skipped_validation_is_for_who_is_near(dB: int, key: bool) -> None:
    car = known(dB, validation=True)
    assert bool(car.match()) is key
    assert bool(car.site.told("evse0", Matched)) is key


@pytest.mark.req("S-13")
@pytest.mark.parametrize(("dB", "key"), [(4, True), (20, True), (21, False)])
def test_a_validated_one_gets_it_as_far_away_as_a_vehicle_may_be(dB: int, key: bool) -> None:
    car = known(dB, validation=True)
    counted(car, 1)
    assert bool(car.match()) is key


@pytest.mark.req("S-13")
@pytest.mark.parametrize(("dB", "key"), [(10, True), (20, True), (21, False), (60, False)])
def test_without_validation_nobody_far_away_gets_it(dB: int, key: bool) -> None:
    car = known(dB, validation=False)
    assert car.validate() == [mme.ValidateCnf(result=4)]
    assert bool(car.match()) is key


@pytest.mark.req("S-13")
def test_a_stranger_that_asks_first_leaves_the_key_to_who_has_shown_itself() -> None:
    car = known(15, validation=True)
    stranger = Car(car.site, STRANGER)
    stranger.parm()
    stranger.start()
    stranger.profile(dB=15)
    stranger.rsp()
    assert stranger.match() == []
    counted(car, 3)
    assert stranger.match() == []
    assert car.match()


def test_a_run_that_begins_anew_has_its_validation_before_it() -> None:
    car = known(15, validation=True)
    counted(car, 2)
    car.parm()
    car.start()
    car.profile(dB=15)
    car.rsp()
    assert car.match() == []
    counted(car, 2)
    assert car.match()


# ---- and whom a vehicle asks for it


@pytest.mark.req("S-13")
@pytest.mark.parametrize(("own_dB", "other_dB"), [(8.0, 6.0), (6.0, 6.0), (6.0, 8.0), (9.0, 7.0), (12.0, 9.0)])
def test_toggles_find_the_right_one_of_two_that_are_near_and_alike(own_dB: float, other_dB: float) -> None:
    at = site(evses=2, paths={("ev0", "evse0"): Path(own_dB), ("ev0", "evse1"): Path(other_dB)}, evse={"validation": True})
    at.tell("evse1", PilotSeen("B"))
    at.tell("evse1", Begin())
    at.plug("ev0", "evse0")
    assert at.run(20.0, until=lambda: bool(at.told("ev0", LinkChanged)))
    assert [each.evse_mac for each in at.told("ev0", Chosen)] == [EVSE]
    assert not at.told("evse1", Matched)


def test_near_and_not_alike_asks_for_no_validation() -> None:
    at = site(evses=2, paths={("ev0", "evse0"): Path(4.0), ("ev0", "evse1"): Path(7.5)}, evse={"validation": True})
    at.tell("evse1", PilotSeen("B"))
    at.tell("evse1", Begin())
    at.plug("ev0", "evse0")
    assert at.run(20.0, until=lambda: bool(at.told("ev0", LinkChanged)))
    assert not at.told("ev0", Toggle)
