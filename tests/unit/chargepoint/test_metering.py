"""Sampled values: of each phase, of a DC output, in both directions, and of the vehicle's battery."""

from typing import Any

import pytest

from chargepoint.facts import EvseFacts, Vehicle
from chargepoint.metering import FRESH_S, MEASURANDS, SOC_FRESH_S, Reading, Taken, meter_value, phases_used, read
from chargepoint.tick import Tick
from hal.types import MeterSample
from iso15118.terms import Battery
from tests.unit.ocpp.block_rig import NOW_UTC, valid

NOW = Tick(1000.0, NOW_UTC)
AC = MeterSample(1, 500.0, 20.0, 11_000.0, (16.0, 15.9, 16.1), (230.0, 231.0, 229.0), 50.0)
DC = MeterSample(1, 500.0, 20.0, 40_000.0, (100.0,), (400.0,))
BACK = MeterSample(1, 500.0, 20.0, -20_000.0, (-50.0,), (400.0,))


def facts(sample: MeterSample, *, age_s: float = 0.0, **more: Any) -> EvseFacts:
    return EvseFacts(1, meter=sample, meter_mono=NOW.mono - age_s, limit_A=16.0, **more)


def sampled(name: str, facts: EvseFacts, *, dc: bool = False) -> list[tuple[float, str, str]]:
    """Value, phase and location of what is told, which its schema has to allow."""
    reading = read(NOW, NOW_UTC, facts, dc=dc)
    assert reading
    value = meter_value(Taken(reading, "Sample.Periodic"), [name])
    if value is None:
        return []
    valid(
        "MeterValuesRequest",
        {"evseId": 1, "meterValue": [{"timestamp": "2026-11-24T12:00:00.000Z", "sampledValue": list(value.sampled)}]},
    )
    return [(each["value"], each.get("phase", ""), each.get("location", "")) for each in value.sampled]


def test_alternating_current_has_a_value_for_each_phase() -> None:
    assert sampled("Voltage", facts(AC)) == [(230.0, "L1-N", ""), (231.0, "L2-N", ""), (229.0, "L3-N", "")]
    assert sampled("Current.Import", facts(AC)) == [(16.0, "L1", ""), (15.9, "L2", ""), (16.1, "L3", "")]


@pytest.mark.parametrize(("name", "value"), [("Voltage", 400.0), ("Current.Import", 100.0), ("Power.Active.Import", 40_000.0)])
def test_direct_current_has_one_value_and_no_phase(name: str, value: float) -> None:
    assert sampled(name, facts(DC), dc=True) == [(value, "", "")]


def test_direct_current_uses_no_phases() -> None:
    assert phases_used(read(NOW, NOW_UTC, facts(AC))) == 3
    assert phases_used(read(NOW, NOW_UTC, facts(DC), dc=True)) is None


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        (DC, {"Current.Import": 100.0, "Current.Export": 0.0, "Power.Active.Import": 40_000.0, "Power.Active.Export": 0.0}),
        (BACK, {"Current.Import": 0.0, "Current.Export": 50.0, "Power.Active.Import": 0.0, "Power.Active.Export": 20_000.0}),
    ],
    ids=["to the vehicle", "back"],
)
def test_what_flows_back_is_exported_and_never_a_negative_import(sample: MeterSample, told: dict[str, float]) -> None:
    assert {name: sampled(name, facts(sample), dc=True)[0][0] for name in told} == told


def test_a_power_that_nobody_measures_is_not_told() -> None:
    silent = MeterSample(1, 500.0, None, None, (), ())
    assert [sampled(name, facts(silent)) for name in ("Power.Active.Import", "Power.Active.Export", "Current.Export", "Voltage")] == [
        []
    ] * 4


def test_the_power_that_is_offered_is_said_as_such_or_follows_from_the_current() -> None:
    assert sampled("Power.Offered", facts(DC, limit_W=50_000.0), dc=True) == [(50_000.0, "", "")]
    assert sampled("Power.Offered", facts(AC)) == [(16.0 * 690.0, "", "")]
    assert sampled("Current.Offered", facts(AC)) == [(16.0, "", "")]


def test_the_state_of_charge_is_the_vehicles() -> None:
    vehicle = Vehicle("urn:iso:std:iso:15118:-20:DC", "EV1", battery=Battery(soc=42), battery_mono=NOW.mono)
    assert sampled("SoC", facts(DC, vehicle=vehicle), dc=True) == [(42, "", "EV")]


@pytest.mark.parametrize(
    ("vehicle", "age_s"),
    [
        (None, 0.0),
        (Vehicle("", "EV1", battery_mono=NOW.mono), 0.0),
        (Vehicle("", "EV1", battery=Battery(soc=42), battery_mono=NOW.mono - SOC_FRESH_S - 1), 0.0),
        (Vehicle("", "EV1", battery=Battery(soc=42), battery_mono=NOW.mono), FRESH_S + 1),
    ],
    ids=["nobody talks", "not shown", "shown long ago", "the value would carry the time of a silent meter"],
)
def test_a_state_of_charge_that_is_not_known_now_is_not_told(vehicle: Vehicle | None, age_s: float) -> None:
    assert sampled("SoC", facts(DC, vehicle=vehicle, age_s=age_s), dc=True) == []


def test_a_silent_meter_keeps_its_registers_only() -> None:
    assert [name for name in MEASURANDS if sampled(name, facts(AC, age_s=FRESH_S + 1))] == [
        "Energy.Active.Import.Register",
        "Energy.Active.Export.Register",
    ]


def test_every_measurand_has_a_name_of_the_standard() -> None:
    """Each of them with a value, held against the schema."""
    reading = Reading(NOW_UTC, 1.0, 1.0, 1.0, (1.0,), (1.0,), 50.0, 1.0, offered_W=1.0, soc=1)
    value = meter_value(Taken(reading, "Trigger", 0.0, 0.0), list(MEASURANDS))
    assert value
    assert [each["measurand"] for each in value.sampled] == list(MEASURANDS)
    meter_values = [{"timestamp": "2026-11-24T12:00:00.000Z", "sampledValue": list(value.sampled)}]
    valid("MeterValuesRequest", {"evseId": 1, "meterValue": meter_values})
