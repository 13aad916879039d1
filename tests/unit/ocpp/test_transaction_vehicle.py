"""What a vehicle that talks adds to a transaction: who it is, beside the token, and the values of a DC output."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.config import DcConfig, EvseConfig, StationConfig, V2gConfig
from chargepoint.events import Authorised, ChargingState, IdToken, VehicleIdentified
from chargepoint.facts import Vehicle
from hal.types import MeterSample
from iso15118.terms import Battery
from tests.unit.ocpp.transaction_rig import TOKEN, ChargeRig

BOTH_WAYS = StationConfig(
    evses=(EvseConfig(id=1, mode="dc", connector="cCCS2", dc=DcConfig(max_discharge_W=20_000), v2g=V2gConfig("eth1")),)
)
ONE_WAY = StationConfig(evses=(EvseConfig(id=1, mode="dc", connector="cCCS2", v2g=V2gConfig("eth1")),))
EVCCID = {"additionalIdToken": "WMIV1234567890ABCDEX", "type": "EVCCID"}


def names_itself(rig: ChargeRig, evcc_id: str = "WMIV1234567890ABCDEX") -> None:
    rig.evses[1].vehicle = Vehicle("urn:iso:std:iso:15118:-20:DC", evcc_id)
    rig.hear(VehicleIdentified(1))


def tokens(rig: ChargeRig) -> list[tuple[str, Any]]:
    """Type and additionalInfo of the events that carry the token."""
    return [(each["eventType"], each["idToken"].get("additionalInfo")) for each in rig.sent if "idToken" in each]


@pytest.mark.req("Q01.FR.02")
def test_started_names_the_vehicle_beside_the_token() -> None:
    rig = ChargeRig(config=BOTH_WAYS)
    rig.plug()
    names_itself(rig)
    rig.swipe()
    assert tokens(rig) == [("Started", [EVCCID])]


@pytest.mark.req("Q01.FR.02")
def test_a_card_after_started_brings_the_vehicle_with_it() -> None:
    rig = ChargeRig(start="EVConnected", config=BOTH_WAYS)
    rig.plug()
    names_itself(rig)
    rig.swipe()
    assert tokens(rig) == [("Updated", [EVCCID])]


@pytest.mark.req("Q01.FR.02")
def test_a_vehicle_that_names_itself_after_its_token_was_told_comes_with_the_token_of_the_end() -> None:
    rig = ChargeRig(config=BOTH_WAYS)
    rig.plug()
    rig.swipe()
    names_itself(rig)
    rig.stop_by("Local")
    assert tokens(rig) == [("Started", None), ("Ended", [EVCCID])]


@pytest.mark.req("Q01.FR.02")
@pytest.mark.parametrize(("config", "evcc_id"), [(ONE_WAY, "WMIV1234567890ABCDEX"), (BOTH_WAYS, "")], ids=["one way only", "nameless"])
def test_who_the_vehicle_is_goes_no_further_than_it_has_to(config: StationConfig, evcc_id: str) -> None:
    rig = ChargeRig(config=config)
    rig.plug()
    names_itself(rig, evcc_id)
    rig.swipe()
    assert tokens(rig) == [("Started", None)]


def test_what_the_token_brought_itself_stays_and_no_vehicle_is_named_twice() -> None:
    rig = ChargeRig(config=BOTH_WAYS)
    rig.plug()
    names_itself(rig)
    own = IdToken(TOKEN.id_token, TOKEN.type, (("somebody else", "EVCCID"), ("4711", "Contract")))
    rig.evses[1].id_token = rig.evses[1].owner = own
    rig.hear(Authorised(1, own))
    assert tokens(rig) == [("Started", [{"additionalIdToken": "4711", "type": "Contract"}, EVCCID])]


def test_a_dc_transaction_tells_one_voltage_no_phases_and_the_state_of_charge() -> None:
    rig = ChargeRig(config=ONE_WAY, variables={"SampledDataCtrlr.TxUpdatedMeasurands": "Voltage,Current.Import,SoC"})
    rig.plug()
    rig.swipe()
    rig.wants_power()
    rig.charging()
    facts = rig.evses[1]
    facts.vehicle = Vehicle("urn:iso:std:iso:15118:-20:DC", "EV1", battery=Battery(soc=37), battery_mono=rig.now.mono + 115)
    sample = MeterSample(1, 1000.0, None, 40_000.0, (100.0,), (400.0,))
    rig.advance(119)
    facts.meter, facts.meter_mono = sample, rig.now.mono
    rig.advance(2)
    rig.charging(ChargingState.SUSPENDED_EV)
    periodic = next(each for each in rig.sent if each["triggerReason"] == "MeterValuePeriodic")
    values = [(each["measurand"], each["value"], "phase" in each) for each in periodic["meterValue"][-1]["sampledValue"]]
    assert values == [("Voltage", 400.0, False), ("Current.Import", 100.0, False), ("SoC", 37, False)]
    assert not [each for each in rig.sent if "numberOfPhasesUsed" in each]
