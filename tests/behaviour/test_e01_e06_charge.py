"""One charge from plug to unplug, as the CSMS sees it (OCPP 2.1 E01, E02, E03, E06, E07)."""

from __future__ import annotations

import pytest

from chargepoint.events import ChargingState
from tests.unit.ocpp.transaction_rig import ChargeRig


@pytest.mark.req("E01.FR.05", "E01.FR.07", "E02.FR.01", "E07.FR.02")
def test_plug_card_charge_card_unplug_by_default() -> None:
    rig = ChargeRig()
    rig.meter(1000.0)
    rig.plug()
    rig.swipe()
    rig.wants_power()
    rig.charging()
    rig.meter(2500.0, amps=16)
    rig.stop_by("Local")
    rig.charging(ChargingState.EV_CONNECTED)
    rig.unplug()
    assert rig.story() == [
        "Started Authorized EVConnected",
        "Updated ChargingStateChanged Charging",
        "Ended StopAuthorized Local",
    ]
    assert [payload["seqNo"] for payload in rig.sent] == [0, 1, 2]


@pytest.mark.req("E01.FR.02", "E02.FR.01", "E02.FR.13")
def test_plug_first_with_start_point_connected() -> None:
    rig = ChargeRig("EVConnected", "EVConnected")
    rig.meter(1000.0)
    rig.plug()
    rig.swipe()
    rig.wants_power()
    rig.charging()
    rig.meter(2500.0, amps=16)
    rig.stop_by("Local")
    rig.charging(ChargingState.EV_CONNECTED)
    rig.unplug()
    assert rig.story() == [
        "Started CablePluggedIn EVConnected",
        "Updated Authorized",
        "Updated ChargingStateChanged Charging",
        "Updated StopAuthorized",
        "Updated ChargingStateChanged EVConnected",
        "Ended EVCommunicationLost Idle Local",
    ]
    assert [payload["seqNo"] for payload in rig.sent] == list(range(6))
    assert [payload.get("evse") for payload in rig.sent] == [{"id": 1, "connectorId": 1}, *[None] * 5]
    assert ["idToken" in payload for payload in rig.sent] == [False, True, False, True, False, False]
