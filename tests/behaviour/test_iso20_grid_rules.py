"""AC by grid rules (AC_DER, IEC and SAE) on virtual time: what the rules ask for reaches the vehicle, what the grid operator changes reaches it in the loop,
and what the vehicle declares reaches the host. What these sessions share with AC by cable is tested with it (`test_iso20_sessions` and its like).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargepoint import codec
from iso15118 import v2gtp
from iso15118.connection import Abort, Lost
from iso15118.evcc.terms import EvWish, GridRules
from iso15118.grid import (
    Curve,
    Droop,
    EnterService,
    GridCode,
    GridFunction,
    Inverter,
    InverterState,
    PowerFactor,
    Setpoint,
    TripKind,
    Unit,
    functions,
)
from iso15118.iso20 import der_iec, der_sae, services
from iso15118.iso20.grid_words import Base, by_iec
from iso15118.iso20.values import number, rational
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.dialect import Iso20, SavedIso20
from iso15118.secc.iso20.others import RULES
from iso15118.terms import Control, Ending, Energy, InverterDeclared, InverterShown, Offered, PowerOff, ScheduleAsked, Wish
from tests.behaviour.grid_rules_rig import BOTH, CODES, DER, IEC, INVERTER, SAE, by_rules, change, in_every_way
from tests.behaviour.iso20_rig import after, ended_well, requests, told


@in_every_way
def test_the_rules_reach_the_vehicle_and_the_inverter_the_host(energy: Energy, control: Control) -> None:
    pair = by_rules(energy, control).session()
    ended_well(pair)
    heard = told(pair, GridRules, "ev")
    iec_knows = replace(IEC, under_frequency=BOTH.under_frequency)
    assert heard == [GridRules(iec_knows if energy is Energy.AC_DER_IEC else SAE)], "once: nothing has changed since"
    declared = told(pair, InverterDeclared)
    expected = Inverter(var=INVERTER.var, available_Wh=20_000.0) if energy is Energy.AC_DER_IEC else INVERTER
    assert declared == [InverterDeclared(expected)]
    types = {int.from_bytes(octets[2:4], "big") for _, _, octets in pair.octets}
    own = v2gtp.ISO20_AC_DER_IEC if energy is Energy.AC_DER_IEC else v2gtp.ISO20_AC_DER_SAE
    assert types == {v2gtp.SAP_DIN_ISO2, v2gtp.ISO20_MAIN, own}


@in_every_way
def test_what_the_grid_operator_changes_reaches_the_vehicle_in_the_loop(energy: Energy, control: Control) -> None:
    pair = by_rules(energy, control, loops=40)
    factor = PowerFactor(0.95, under_excited=True)
    after(pair, 10, lambda: change(pair, fixed_var=Setpoint(1500.0, Unit.VAR), most_discharge_percent=60.0))
    after(pair, 20, lambda: change(pair, fixed_var=None, power_factor=factor))
    after(pair, 30, lambda: change(pair, power_factor=None, most_discharge_percent=None))
    pair.session()
    ended_well(pair)
    first, second, third, last = (each.code for each in told(pair, GridRules, "ev"))
    assert (second.fixed_var, second.most_discharge_percent) == (Setpoint(1500.0, Unit.VAR), 60.0)
    assert (third.fixed_var, third.power_factor, third.most_discharge_percent) == (None, factor, 60.0)
    assert last == first


@pytest.mark.parametrize("control", Control)
def test_by_sae_every_function_may_change(control: Control) -> None:
    pair = by_rules(Energy.AC_DER_SAE, control)
    other: dict[str, Any] = {
        "volt_var": None,
        "volt_watt": replace(BOTH.volt_watt, priority=3) if BOTH.volt_watt else None,
        "over_frequency": Droop(0.036, 0.03),
        "fixed_W": Setpoint(-50.0, Unit.MOST_W),
        "enter": EnterService(permitted=False, high_V=250.0, low_V=221.0, high_Hz=60.2, low_Hz=59.6, delay_s=10.0, ramp_s=20.0),
        "trips": SAE.trips[:2],
        "islanded": True,
        "forming": True,
    }
    after(pair, 10, lambda: change(pair, **other))
    pair.session()
    ended_well(pair)
    assert [each.code for each in told(pair, GridRules, "ev")] == [SAE, replace(SAE, **other)]
    loops: list[Any] = [m.CLResControlMode for _, end, m in pair.messages if end == "evse" and isinstance(m, ac.AC_ChargeLoopRes)]
    said = [each for each in loops if getattr(each, "DERControlCLRes", None) and each.DERControlCLRes.ActivePowerSupportCLRes]
    assert len(said) == 1, "what has changed is told once"


@in_every_way
def test_what_the_inverter_sees_reaches_the_host(energy: Energy, control: Control) -> None:
    state = InverterState(241.5, 60.02, True, True, 5, 3, 2, 12_000.0, 3000.0, 4000.0)
    pair = by_rules(energy, control, inverter_state=state).session()
    shown = told(pair, InverterShown)[-1].state
    if energy is Energy.AC_DER_IEC:
        assert (shown.event, shown.most_charge_var, shown.most_discharge_var) == (2, 3000.0, 4000.0)
    else:
        assert (shown.present_V, shown.present_Hz, shown.running, shown.connected, shown.alarms, shown.enabled) == (
            241.5,
            60.02,
            True,
            True,
            5,
            3,
        )
    assert shown.available_Wh == (12_000.0 if control is Control.DYNAMIC else None)


@in_every_way
def test_a_vehicle_that_takes_the_rules_over_slowly(energy: Energy, control: Control) -> None:
    pair = by_rules(energy, control, inverter_ready=False)
    pair.at(10.0, lambda: setattr(pair.vehicle.wants, "inverter_ready", True))
    pair.session()
    ended_well(pair)
    declared = [each.ready for each in told(pair, InverterDeclared)]
    assert declared.count(True) == 1
    assert len(declared) > 10
    assert declared == sorted(declared)
    assert len(told(pair, GridRules, "ev")) == 1
    assert not told(pair, ScheduleAsked)[0].aside


@pytest.mark.parametrize("energy", DER)
def test_a_vehicle_that_never_takes_them_over(energy: Energy) -> None:
    pair = by_rules(energy, inverter_ready=False).session(200.0)
    assert pair.evse_over is not None
    assert (pair.evse_over.ending, "in time" in pair.evse_over.why) == (Ending.ABORTED, True)
    assert told(pair, PowerOff) == []


@pytest.mark.parametrize("energy", DER)
def test_it_goes_while_it_takes_them_over(energy: Energy) -> None:
    pair = by_rules(energy, inverter_ready=False)
    pair.at(10.0, lambda: setattr(pair.vehicle.wants, "wish", EvWish.STOP))
    pair.session()
    ended_well(pair)
    assert requests(pair)[-2:] == ["AC_ChargeParameterDiscovery", "SessionStop Terminate"]


@pytest.mark.parametrize("energy", DER)
@pytest.mark.parametrize("missing", ["grid", "ac"])
def test_a_charger_without_rules_refuses(energy: Energy, missing: str) -> None:
    pair = by_rules(energy)
    setattr(pair.charger.facts, missing, None)
    pair.session()
    assert pair.evse_over is not None
    assert "no AC by grid rules" in pair.evse_over.why
    after_all = by_rules(energy)
    after(after_all, 10, lambda: setattr(after_all.charger.facts, missing, None))
    after_all.session()
    assert after_all.evse_over is not None
    assert after_all.evse_over.ending is Ending.ABORTED
    assert after_all.charger.facts.current_A == 0.0


def test_parameters_and_rounds_of_the_other_rules_are_refused() -> None:
    """Of IEC in a session of SAE, and of plain AC in both: as a host sees it that hands a message in."""
    for energy, other in ((Energy.AC_DER_IEC, Energy.AC_DER_SAE), (Energy.AC_DER_SAE, Energy.AC_DER_IEC)):
        strange = by_rules(other).session()
        for kind, at in ((ac.AC_ChargeParameterDiscoveryReq, "AC parameters"), (ac.AC_ChargeLoopReq, "AC loop")):
            pair = by_rules(energy, loops=None)
            pair.connect()
            pair.run(60.0, until=lambda: pair.dialect is not None and pair.dialect.state.value == at)  # noqa: B023 called in this round
            dialect = pair.dialect
            assert dialect is not None
            message: Any = next(m for _, end, m in strange.messages if end == "ev" and isinstance(m, kind))
            message.Header.SessionID = dialect.talk.session_id
            answer = dialect.answer(pair.now, message, late=False)
            assert isinstance(answer.response, ct.V2GResponseType)
            assert answer.response.ResponseCode.startswith("FAILED")
            assert answer.failed


@pytest.mark.parametrize(("said_W", "back_W"), [(None, None), (4000.0, 2000.0), (0.0, 0.0)])
def test_by_sae_a_round_that_names_no_limit_goes_by_that_of_the_parameters(said_W: float | None, back_W: float | None) -> None:
    pair = by_rules(Energy.AC_DER_SAE, loops=None)
    change(pair, most_discharge_percent=50.0)
    pair.connect()
    pair.run(60.0, until=lambda: pair.loops() > 3)
    dialect = pair.dialect
    assert dialect is not None
    declared: Any = next(m for _, _, m in pair.messages if isinstance(m, ac.AC_ChargeParameterDiscoveryReq)).AC_CPDReqEnergyTransferMode
    message: Any = next(m for _, _, m in reversed(pair.messages) if isinstance(m, ac.AC_ChargeLoopReq))
    message.CLReqControlMode.EVMaximumDischargePower = None if said_W is None else rational(said_W)
    answer: Any = dialect.answer(pair.now, message, late=False).response
    assert number(answer.CLResControlMode.EVSEMaximumDischargePower) == pytest.approx(
        number(declared.EVMaximumDischargePower) / 2 if back_W is None else back_W
    )


def test_by_iec_percentages_are_what_the_vehicle_can() -> None:
    code = GridCode(
        nominal_V=230.0,
        volt_var=Curve(((90.0, 44.0), (110.0, -44.0)), Unit.EFFECTIVE_V, Unit.MOST_VAR),
        fixed_var=Setpoint(50.0, Unit.AVAILABLE_VAR),
        most_discharge_percent=40.0,
    )
    worded = by_iec(code, Base(10_000.0, 5_000.0, 230.0)).code
    curve = der_iec._read_curve(_there(der_iec.control(worded).ReactivePowerSupport).VoltVar)
    assert (curve.x, curve.y) == (Unit.V, Unit.VAR)
    assert curve.points == ((207.0, 2200.0), (253.0, -2200.0))
    said = der_iec.setpoints(worded, 10_000.0)
    assert number(said["DSOQSetpoint"].DSOQSetpointValue) == 2500.0
    assert number(said["DSOMaximumDischargePower"]) == 4000.0


def test_by_iec_a_power_factor_has_its_side() -> None:
    code = GridCode(watt_cos_phi=Curve(((0.0, 1.0), (5000.0, 0.95), (10_000.0, -0.9)), Unit.W, Unit.NONE, least_cos_phi=0.9))
    asked = _there(_there(der_iec.control(by_iec(code, Base()).code).ReactivePowerSupport).WattCosPhi)
    assert [each.yValue.Excitation for each in asked.CurveDataPoints.CurveDataPoint] == ["OverExcited", "OverExcited", "UnderExcited"]
    assert der_iec._read_curve(asked) == code.watt_cos_phi


def _there(value: Any) -> Any:
    assert value is not None
    return value


def test_what_is_asked_for_as_bits() -> None:
    assert functions(GridCode()) == 0
    assert functions(IEC) == sum(
        1 << each
        for each in (
            GridFunction.OVER_FREQUENCY_WATT, GridFunction.UNDER_FREQUENCY_WATT, GridFunction.VOLT_WATT, GridFunction.VOLT_VAR, GridFunction.DC_INJECTION,
            GridFunction.ZERO_CURRENT, GridFunction.OVER_VOLTAGE_RIDE_THROUGH, GridFunction.UNDER_VOLTAGE_RIDE_THROUGH,
        )
    )  # fmt: skip
    for each in services.parameter_sets(Offered(Energy.AC_DER_IEC, (Control.DYNAMIC,), grid_functions=functions(IEC))):
        assert {one.name: one.value for one in each.parameters}["DERControlFunctions"] == functions(IEC)


@pytest.mark.parametrize("energy", DER)
def test_a_service_says_which_rules_hold_when_it_is_asked_for(energy: Energy) -> None:
    pair = by_rules(energy).session()
    (detail,) = (m for _, end, m in pair.messages if end == "evse" and isinstance(m, cm.ServiceDetailRes))
    sets = [services.read(each) for each in detail.ServiceParameterList.ParameterSet]
    assert {parameter.value for each in sets for parameter in each.parameters if parameter.name == "DERControlFunctions"} == {
        functions(CODES[energy])
    }


def test_units_have_their_words_both_ways() -> None:
    assert set(der_sae.UNITS) == set(Unit) - {Unit.NONE}
    assert set(der_sae.TRIPS) == set(TripKind)


@pytest.mark.parametrize("energy", DER)
def test_a_session_is_kept_over_a_restart(energy: Energy) -> None:
    """As JSON, and back by the same rules; what was told of the rules is told no second time."""
    pair = by_rules(energy, loops=None)
    pair.connect()
    pair.run(60.0, until=lambda: pair.loops() > 10)
    dialect = pair.dialect
    assert dialect is not None
    saved = codec.load(SavedIso20, codec.dump(SavedIso20, dialect.saved()))
    again = Iso20.restored(saved, pair.charger.facts, RULES[energy])
    assert again.saved() == dialect.saved()
    assert again.talk.grid_told == CODES[energy]
    assert again.rules.streams == dialect.rules.streams


STEPS = [
    "AuthorizationSetup",
    "Authorization",
    "ServiceSelection",
    "AC_ChargeParameterDiscovery",
    "ScheduleExchange",
    "PowerDelivery",
    "AC_ChargeLoop",
]


@in_every_way
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["withdrawn", "wished", "cut"])
def test_no_energy_after_the_charger_ends_it_at_any_step(energy: Energy, control: Control, step: str, how: str) -> None:
    """S-11: 5 s later nothing flows. A wish is heard in the loop, the end of an authorisation at once."""
    pair = by_rules(energy, control, loops=None)

    def end() -> None:
        if how == "withdrawn":
            pair.abort(Abort("authorisation was withdrawn"))
        elif how == "cut":
            pair.lose(Lost("unplugged"))
        else:
            pair.charger.facts.wish = Wish.STOP
            pair.changed()

    pair.when(lambda: any(type(message).__name__ == f"{step}Req" for _, _, message in pair.messages), end)
    pair.watches[:] = pair.watches[:1]  # a vehicle whose connection is cut draws for a moment more
    pair.connect()
    pair.run(60.0, until=lambda: pair.evse_over is not None)
    pair.run(5.0)
    assert pair.evse_over is not None
    assert pair.charger.facts.current_A == 0.0
    if how == "wished":
        ended_well(pair)
