"""AC by grid rules on virtual time: what of the rules a vehicle does not have, by whatever is said to it, and what it may give at most."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.pair import Pair
from iso15118.evcc.terms import EvseLimits, GridRules
from iso15118.grid import (
    Curve,
    EnterService,
    GridCode,
    PowerFactor,
    Quadrants,
    Setpoint,
    Unit,
)
from iso15118.iso20 import services
from iso15118.iso20.values import number
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import common_messages as cm
from iso15118.secc.iso20.dialect import Iso20
from iso15118.terms import AcDemand, Control, Energy, EnergyChosen, GridRulesMissed, InverterDeclared
from tests.behaviour.grid_rules_rig import CODES, DER, IEC, INVERTER, VOLT_VAR, by_rules, change, in_every_way
from tests.behaviour.iso20_rig import after, ended_well, requests, told

# ---- what the vehicle does not have


OTHER = replace(VOLT_VAR, points=((210.0, 3000.0), (250.0, -3000.0)))
BEYOND_THE_LOOP = [(Energy.AC_DER_IEC, {"volt_var": OTHER, "over_frequency": None}), (Energy.AC_DER_IEC, {"islanded": True}),
                   (Energy.AC_DER_SAE, {"most_V": 250.0, "most_var": 1000.0})]  # fmt: skip


def _missing(pair: Pair) -> list[GridRulesMissed]:
    return told(pair, GridRulesMissed)


def _believed(pair: Pair) -> GridCode | None:
    assert isinstance(pair.dialect, Iso20)
    return pair.dialect.talk.grid_told


@pytest.mark.parametrize("control", Control)
@pytest.mark.parametrize(("energy", "fields"), BEYOND_THE_LOOP)
def test_what_the_loop_has_no_words_for_comes_by_other_services(energy: Energy, fields: dict[str, Any], control: Control) -> None:
    """The host hears of it once; the bench's wishes other services, and then the vehicle has it."""
    pair = by_rules(energy, control, loops=60)
    after(pair, 10, lambda: change(pair, **fields))
    pair.session()
    ended_well(pair)
    assert _missing(pair) == [GridRulesMissed(frozenset(fields))]
    assert "SessionStop ServiceRenegotiation" in requests(pair)
    assert [each.code for each in told(pair, GridRules, "ev")] == [CODES[energy], replace(CODES[energy], **fields)]


@pytest.mark.parametrize("control", Control)
@pytest.mark.parametrize(("energy", "fields"), BEYOND_THE_LOOP)
def test_where_there_are_no_other_services_the_charger_knows_what_the_vehicle_has(
    energy: Energy, fields: dict[str, Any], control: Control
) -> None:
    pair = by_rules(energy, control, loops=60)
    pair.charger.facts.renegotiation = False
    believed: list[GridCode | None] = []
    after(pair, 10, lambda: change(pair, most_discharge_percent=50.0, **fields))
    after(pair, 30, lambda: believed.append(_believed(pair)))
    after(pair, 30, lambda: change(pair, **{name: getattr(CODES[energy], name) for name in fields}))
    pair.session()
    ended_well(pair)
    assert _missing(pair) == [GridRulesMissed(frozenset(fields)), GridRulesMissed()], "once each time that it changes"
    assert believed == [replace(CODES[energy], most_discharge_percent=50.0)]
    assert [each.code for each in told(pair, GridRules, "ev")] == [CODES[energy], believed[0]]


@pytest.mark.parametrize("energy", DER)
def test_rules_that_change_between_the_parameters_and_the_loop(energy: Energy) -> None:
    pair = by_rules(energy, loops=60)
    pair.when(lambda: "ScheduleExchangeReq" in pair.said("ev"), lambda: change(pair, volt_var=None))
    pair.session()
    ended_well(pair)
    assert _missing(pair) == ([GridRulesMissed(frozenset({"volt_var"}))] if energy is Energy.AC_DER_IEC else [])
    assert told(pair, GridRules, "ev")[-1].code.volt_var is None


@in_every_way
def test_what_there_are_no_words_for_is_named_and_the_session_goes_on(energy: Energy, control: Control) -> None:
    """From the first, and when it comes in the loop: rules without sense among them."""
    code = replace(CODES[energy], fixed_var=Setpoint(1.0, Unit.NONE))
    pair = by_rules(energy, control, code, loops=60)
    after(pair, 10, lambda: change(pair, fixed_var=None, fixed_W=Setpoint(1.0, Unit.NONE), power_factor=PowerFactor(math.nan)))
    after(pair, 20, lambda: change(pair, fixed_W=None, power_factor=None))
    pair.session()
    ended_well(pair)
    assert [each.unsaid for each in told(pair, InverterDeclared)] == [frozenset({"fixed_var"})]
    assert _missing(pair) == [GridRulesMissed(unsaid=frozenset({"fixed_W", "power_factor"})), GridRulesMissed()]
    assert [each.code for each in told(pair, GridRules, "ev")] == [CODES[energy]]


@pytest.mark.parametrize("var", [None, Quadrants(-5.0, -5.0, -5.0, -5.0)])
def test_by_iec_the_share_of_a_vehicle_that_declares_nothing(var: Quadrants | None) -> None:
    """No curve of nothing is said where it declares nothing; and what is less than nothing turns no curve round."""
    curve = Curve(((207.0, 44.0), (253.0, -44.0)), Unit.V, Unit.MOST_VAR)
    pair = by_rules(Energy.AC_DER_IEC, code=replace(IEC, volt_var=curve))
    pair.vehicle.wants.inverter = replace(INVERTER, var=var)
    pair.session()
    ended_well(pair)
    (declared,) = told(pair, InverterDeclared)
    assert declared.inverter.var == (None if var is None else Quadrants())
    assert declared.unsaid == ({"volt_var"} if var is None else frozenset())
    heard = told(pair, GridRules, "ev")[-1].code.volt_var
    assert heard is None if var is None else [y for _, y in heard.points] == [0.0, 0.0]


# ---- what may be given


@in_every_way
@pytest.mark.parametrize(
    ("fields", "most_W"),
    [({"most_discharge_percent": 0.0}, 0.0), ({"enter": EnterService(permitted=False)}, 0.0), ({"most_discharge_percent": 40.0}, 4000.0),
     ({"most_discharge_percent": math.nan}, 0.0)],
    ids=str,
)  # fmt: skip
def test_no_more_is_asked_back_than_the_rules_let(energy: Energy, control: Control, fields: dict[str, Any], most_W: float) -> None:
    pair = by_rules(energy, control, loops=40)
    pair.charger.back_W = 10_000.0
    after(pair, 10, lambda: setattr(pair.charger.facts, "renegotiation", False))
    after(pair, 10, lambda: change(pair, **fields))
    pair.session()
    ended_well(pair)
    loops: list[Any] = [m.CLResControlMode for _, end, m in pair.messages if end == "evse" and isinstance(m, ac.AC_ChargeLoopRes)]
    assert [number(each.EVSETargetActivePower) for each in (loops[5], loops[-1])] == [-10_000.0, -most_W]
    assert [number(each.EVSEMaximumDischargePower) for each in (loops[5], loops[-1])] == [11_000.0, most_W]
    assert [told(pair, AcDemand)[at].target_W for at in (5, -1)] == [-10_000.0, -most_W], "so the host hears"
    heard = [each for each in told(pair, EvseLimits, "ev") if each.min_power_W is None]
    assert heard[-1] == EvseLimits(max_power_W=22_000.0, max_discharge_W=most_W)
    assert pair.vehicle.wants.power_W >= -most_W


@in_every_way
@pytest.mark.parametrize("connector", [2, 3])
def test_a_vehicle_takes_three_phases_by_either_number(
    monkeypatch: pytest.MonkeyPatch, energy: Energy, control: Control, connector: int
) -> None:
    monkeypatch.setattr(services, "THREE_PHASE", connector)
    pair = by_rules(energy, control).session()
    ended_well(pair)
    (detail,) = (m for _, end, m in pair.messages if end == "evse" and isinstance(m, cm.ServiceDetailRes))
    said = [each.intValue for one in detail.ServiceParameterList.ParameterSet for each in one.Parameter if each.Name == "Connector"]
    assert set(said) == {connector, services.SINGLE_PHASE}
    assert told(pair, EnergyChosen, "ev")[0].phases == told(pair, EnergyChosen)[0].phases == 3
