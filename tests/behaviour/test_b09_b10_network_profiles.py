"""OCPP 2.1 B09 and B10: another network profile is set, tried after a reset, and left again when nobody is there. Attempts are counted."""

from __future__ import annotations

import pytest

from tests.unit.ocpp.link_rig import LinkRig

ATTEMPTS = 3


def migrating(priority: str) -> LinkRig:
    """A station that works on slot 1, has been given slot 2 and this priority, and has just been reset."""
    station = LinkRig()
    station.power_up()
    station.accepted()
    assert station.set_profile(2, url="ws://new.example/ocpp")["status"] == "Accepted"
    assert station.set("OCPPCommCtrlr.NetworkProfileConnectionAttempts", str(ATTEMPTS)) == "Accepted"
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", priority) == "RebootRequired"
    assert station.dialled == [1]
    station = station.restart()
    station.power_up("RemoteReset")
    return station


@pytest.mark.req("B09.FR.01", "B10.FR.01", "B10.FR.04", "B10.FR.06", "TC_B_45")
def test_success_on_the_new_one() -> None:
    station = migrating("2,1")
    assert (station.dialled, station.last.url) == ([2], "ws://new.example/ocpp/CP1")
    station.accepted()
    assert station.context.link.slot == 2
    station.fail(1)
    assert station.dialled == [2, 2]


@pytest.mark.req("B10.FR.03", "B10.FR.04", "TC_B_46")
def test_fall_back_to_the_next_of_the_priority_after_exactly_the_attempts() -> None:
    station = migrating("2,1")
    station.fail(ATTEMPTS)
    assert station.dialled == [2] * ATTEMPTS + [1]
    station.up()
    assert station.actions() == ["BootNotification"]
    assert station.context.link.slot == 1


@pytest.mark.req("B10.FR.07", "TC_B_47", "TC_B_49")
def test_fall_back_to_the_last_one_that_worked_though_the_priority_does_not_name_it() -> None:
    station = migrating("2")
    station.fail(ATTEMPTS)
    assert station.dialled == [2] * ATTEMPTS + [1]
    station.accepted()
    assert station.context.link.slot == 1
    assert station.set_profile(1)["status"] == "Rejected"  # B09.FR.22: in use, though not in the priority


@pytest.mark.req("B10.FR.03", "B10.FR.07", "B10.FR.08", "B10.FR.09")
def test_nobody_anywhere_goes_round_for_ever_with_the_same_counts() -> None:
    station = migrating("2")
    station.fail(4 * ATTEMPTS - 1)
    assert station.dialled == ([2] * ATTEMPTS + [1] * ATTEMPTS) * 2
    assert max(station.waits) == 160


@pytest.mark.req("TC_B_57")
def test_a_lost_connection_comes_back_on_the_same_profile_without_another_boot() -> None:
    station = migrating("2,1")
    station.accepted()
    station.advance(100)
    station.fail(1)
    station.up()
    assert (station.dialled, station.actions()) == ([2, 2], [])
