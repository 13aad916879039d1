"""Certification cases of block G: availability of connectors, EVSEs and the station."""

from __future__ import annotations

import pytest

from tests.octt.system import TestSystem


@pytest.mark.req("TC_G_01", "G01.FR.01", "G01.FR.02")
def test_tc_g_01_available_to_occupied() -> None:
    station = TestSystem().booted()
    station.plug(ready=False)
    station.status("Occupied")


@pytest.mark.req("TC_G_02", "G01.FR.01", "G01.FR.02")
def test_tc_g_02_occupied_to_available() -> None:
    station = TestSystem().booted()
    station.plug(ready=False)
    station.status("Occupied")
    station.ignores.add("TransactionEvent")
    station.unplug()
    station.status("Available")


@pytest.mark.req("TC_G_05", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.05", "G04.FR.07")
def test_tc_g_05_the_station_goes_out_of_service() -> None:
    station = TestSystem(evses=2).booted()
    assert station.call("ChangeAvailability", {"operationalStatus": "Inoperative"})["status"] == "Accepted"
    station.status("Unavailable", 1)
    station.status("Unavailable", 2)
    station.nothing()
