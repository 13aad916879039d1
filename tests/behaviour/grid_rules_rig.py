"""Sessions by grid rules (AC_DER, IEC and SAE): rules that each of them can say, and what changes them on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.pair import Pair
from iso15118.grid import (
    Curve,
    Droop,
    EnterService,
    GridCode,
    Inverter,
    Nameplate,
    Quadrants,
    RideThrough,
    Trip,
    TripKind,
    Unit,
    ZeroCurrent,
)
from iso15118.terms import Control, Energy
from tests.behaviour.iso20_rig import make

DER = (Energy.AC_DER_IEC, Energy.AC_DER_SAE)
WAYS = [(energy, control) for energy in DER for control in Control]
in_every_way = pytest.mark.parametrize(("energy", "control"), WAYS, ids=[f"{e.value}-{c.value}" for e, c in WAYS])

VOLT_VAR = Curve(((207.0, 4000.0), (220.0, 0.0), (240.0, 0.0), (253.0, -4000.0)), Unit.V, Unit.VAR, response_s=5.0)
BOTH = GridCode(
    nominal_Hz=50.0,
    over_frequency=Droop(0.2, 0.05, response_s=2.0),
    under_frequency=Droop(0.2, 0.04, of_present_power=True, response_s=2.0),
    volt_watt=Curve(((253.0, 100.0), (264.5, 0.0)), Unit.V, Unit.MOST_W, response_s=10.0),
    volt_var=VOLT_VAR,
)
"""What IEC and SAE both can say."""
IEC = replace(
    BOTH,
    over_voltage=RideThrough(264.0, 250.0, 253.0, 2.0, 6.0, 0.03),
    under_voltage=RideThrough(195.0, response_s=0.03),
    zero_current=ZeroCurrent(287.0, 115.0, 264.0, 195.0, 0.1),
    dc_injection=0.5,
)
SAE = replace(
    BOTH,
    nominal_V=240.0,
    most_V=264.0,
    least_V=211.0,
    most_Hz=61.2,
    least_Hz=58.8,
    most_var=5000.0,
    under_frequency=Droop(0.2, 0.04, of_present_power=True, response_s=2.0),
    volt_var=replace(VOLT_VAR, reference_V=240.0, reference_follows_s=300.0, priority=1),
    watt_var=Curve(((0.0, 0.0), (100.0, -44.0)), Unit.MOST_W, Unit.MOST_VAR, response_s=10.0),
    enter=EnterService(permitted=True, high_V=252.0, low_V=220.0, high_Hz=60.1, low_Hz=59.5, delay_s=300.0, ramp_s=300.0),
    trips=(
        Trip(TripKind.HV_MUST, Curve(((0.16, 288.0), (13.0, 264.0)), Unit.S, Unit.V)),
        Trip(TripKind.LV_MUST, Curve(((2.0, 108.0), (21.0, 168.0)), Unit.S, Unit.V)),
        Trip(TripKind.LV_CEASE, Curve(((0.0, 72.0), (1.0, 120.0)), Unit.S, Unit.V)),
        Trip(TripKind.HF_MUST, Curve(((0.16, 62.0), (300.0, 61.2)), Unit.S, Unit.HZ)),
        Trip(TripKind.LF_MAY, Curve(((0.16, 56.5), (300.0, 58.5)), Unit.S, Unit.HZ)),
    ),
)
CODES = {Energy.AC_DER_IEC: IEC, Energy.AC_DER_SAE: SAE}
INVERTER = Inverter(
    var=Quadrants(3000.0, 3000.0, 5000.0, 5000.0),
    apparent_VA=Quadrants(11_000.0, 11_000.0, 11_500.0, 11_500.0),
    available_Wh=20_000.0,
    usable_Wh=40_000.0,
    over_excited=(0.9, 9_000.0),
    under_excited=(0.85, 9_500.0),
    susceptance_S=0.01,
    nameplate=Nameplate("Maker", "Model", "4711", "1.2", "3"),
    normal_category="B",
    abnormal_category="III",
    nominal_V=240.0,
    most_V=264.0,
    least_V=211.0,
    certified_utc=1_700_000_000,
    supported=0x1FF,
    enabled=0x3,
)


def by_rules(energy: Energy, control: Control = Control.DYNAMIC, code: GridCode | None = None, **wants: Any) -> Pair:
    pair = make(energy, control, inverter=INVERTER, **wants)
    pair.charger.facts.grid = CODES[energy] if code is None else code
    return pair


def change(pair: Pair, **fields: Any) -> None:
    assert pair.charger.facts.grid is not None
    pair.charger.facts.grid = replace(pair.charger.facts.grid, **fields)
    pair.changed()
