"""Toggles on the pilot of a cable, as the station at its end counts them."""

from __future__ import annotations

import pytest

from iso15118.slac.signals import CountToggles, Toggle
from tests.behaviour.slac_rig import site


@pytest.mark.parametrize(
    ("levels", "counted"),
    [
        ("", 0),
        ("B", 0),
        ("BB", 0),
        ("C", 0),
        ("CB", 1),
        ("CCBB", 1),
        ("BCB", 1),
        ("CBCBCB", 3),
        ("AB", 0),
        ("CAB", 0),
        ("CEB", 0),
        ("CBA", 1),
    ],
)
def test_a_toggle_is_c_and_then_b(levels: str, counted: int) -> None:
    at = site()
    at.plug("ev0", "evse0")
    host = at.hosts["evse0"]
    host.toggles = 0
    for level in levels:
        at._level("evse0", level)
    assert host.toggles == counted


def test_a_toggle_that_began_before_they_are_counted_is_one() -> None:
    at = site()
    at.plug("ev0", "evse0")
    at._level("evse0", "C")
    at._take(at.hosts["evse0"], [CountToggles(1.0)])
    at._level("evse0", "B")
    assert at.hosts["evse0"].toggles == 1


def test_a_cable_that_is_unplugged_and_plugged_again_has_not_toggled() -> None:
    at = site()
    at.plug("ev0", "evse0")
    at._level("evse0", "C")
    at.hosts["evse0"].toggles = 0
    at.unplug("ev0")
    at.plug("ev0", "evse0")
    at._level("evse0", "B")
    assert at.hosts["evse0"].toggles == 0


def test_a_vehicle_that_toggles_is_counted_as_often() -> None:
    at = site()
    at.plug("ev0", "evse0")
    at._take(at.hosts["evse0"], [CountToggles(3.0)])
    at._take(at.hosts["ev0"], [Toggle(3, 0.3)])
    at.run(2.5)
    assert at.hosts["evse0"].toggles == 3
