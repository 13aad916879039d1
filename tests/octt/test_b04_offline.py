"""Certification cases of B04 and of reconnecting (Part 4, 5.4): an idle station that its CSMS cannot reach for a while."""

from __future__ import annotations

import pytest

from tests.octt.system import TestSystem

THRESHOLD_S = 60.0


def away(it: TestSystem, for_s: float) -> None:
    """Offline, in the middle of which a vehicle comes to EVSE 1."""
    it.ignores |= {"TransactionEvent"}
    it.ignores -= {"StatusNotification"}
    it.offline()
    it.wait(for_s / 2)
    it.plug(1, ready=False)
    it.wait(for_s / 2)
    assert it.said("StatusNotification")[2:] == []
    it.online()


def rig(minimum_s: float) -> TestSystem:
    return TestSystem(
        evses=2,
        variables={
            "OCPPCommCtrlr.OfflineThreshold": f"{THRESHOLD_S:.0f}",
            "OCPPCommCtrlr.RetryBackOffWaitMinimum": f"{minimum_s:.0f}",
            "OCPPCommCtrlr.RetryBackOffRandomRange": "0",
            "OCPPCommCtrlr.RetryBackOffRepeatTimes": "0",
        },
    ).booted()


@pytest.mark.req("TC_B_51", "B04.FR.01")
def test_tc_b_51_longer_than_the_threshold_tells_all_connectors() -> None:
    it = rig(THRESHOLD_S + 2)
    away(it, THRESHOLD_S)
    told = [it.expect("StatusNotification", 2 * THRESHOLD_S) for _ in range(2)]
    assert {each["evseId"]: each["connectorStatus"] for each in told} == {1: "Occupied", 2: "Available"}
    it.nothing()


@pytest.mark.req("TC_B_52", "B04.FR.02")
def test_tc_b_52_shorter_than_the_threshold_tells_what_changed() -> None:
    it = rig(THRESHOLD_S - 2)
    away(it, THRESHOLD_S - 10)
    it.expect("StatusNotification", THRESHOLD_S, evseId=1, connectorId=1, connectorStatus="Occupied")
    it.nothing()


@pytest.mark.req("B04.FR.02")
def test_what_is_as_it_was_is_not_told() -> None:
    it = rig(10.0)
    it.ignores -= {"StatusNotification"}
    it.ignores |= {"TransactionEvent"}
    it.offline()
    it.wait(2.0)
    it.plug(1, ready=False)
    it.wait(3.0)
    it.unplug(1)
    it.wait(2.0)
    it.online()
    it.nothing()
