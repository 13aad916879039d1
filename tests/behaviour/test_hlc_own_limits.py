"""What a vehicle has said that it can take, and what is wrong with it, at the station: DIN 70121, ISO 15118-2 and ISO 15118-20, whatever it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.ev.talking import TalkingEv
from chargepoint.commands import Log, SetDcOutput
from chargepoint.events import ChargingState, Supply
from chargepoint.facts import EvseFacts, Vehicle
from chargepoint.tick import Tick
from chargepoint.v2g_state import V2gState
from chargepoint.v2g_told import Teller
from iso15118.evcc.terms import EvWish
from iso15118.terms import DcDemand, EvLimits, PrechargeWanted, Told
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_v2gmsg import BIG, site_of, vehicle_of

DC = ("din", "iso2-dc")
Change = Callable[[Any, Any], None]
"""A request, and what makes a value of a unit."""


def odd(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Change]) -> None:
    """Vehicles of DIN 70121 and ISO 15118-2 change what they ask, by the name of the state that they ask in, as long as `changes` has it."""
    for place in ("din", "iso2"):
        module = __import__(f"iso15118.evcc.{place}.dialect", fromlist=["ASK"])
        monkeypatch.setattr(module, "ASK", {name: _changed(name, ask, changes) for name, ask in module.ASK.items()})


def _changed(name: str, ask: Any, changes: dict[str, Change]) -> Any:
    def asked(talk: Any, now: Any) -> Any:
        request = ask(talk, now)
        if name in changes:
            changes[name](request, talk.spelling.value)
        return request

    return asked


def limits(volts: float, amps: float, watts: float) -> Change:
    def change(request: Any, value: Any) -> None:
        asked = getattr(request, "EVChargeParameter", request)
        asked.EVMaximumVoltageLimit, asked.EVMaximumCurrentLimit = value("V", volts), value("A", amps)
        asked.EVMaximumPowerLimit = value("W", watts)

    return change


def wants(volts: float, amps: float, more: Change | None = None) -> Change:
    def change(request: Any, value: Any) -> None:
        request.EVTargetVoltage, request.EVTargetCurrent = value("V", volts), value("A", amps)
        if more is not None:
            more(request, value)

    return change


def trouble(code: str, *, ready: bool = True) -> Change:
    def change(request: Any, _: Any) -> None:
        places: tuple[Any, ...] = (request, getattr(request, "EVPowerDeliveryParameter", None))
        for status in (found for each in places if (found := getattr(each, "DC_EVStatus", None)) is not None):
            status.EVErrorCode, status.EVReady = code, ready

    return change


def ordered(site: HlcSite) -> SetDcOutput:
    return site.at(SetDcOutput)[-1][1]


# ---- no more than it can take


@pytest.mark.parametrize("speech", DC)
@pytest.mark.parametrize(
    ("said", "voltage_V", "current_A"),
    [
        ((420.0, 20.0, 50_000.0), 420.0, 20.0),
        ((420.0, 60.0, 5_000.0), 420.0, 5_000.0 / 366.0),
        ((420.0, 20.0, 0.0), 420.0, 20.0),
        ((420.0, 20.0, -100.0), 420.0, 20.0),
        ((420.0, -100.0, 50_000.0), 420.0, 60.0),
    ],
    ids=["current", "power", "a power of nothing is none", "nor is one below", "nor a current below"],
)
def test_in_the_loop(monkeypatch: pytest.MonkeyPatch, speech: str, said: Any, voltage_V: float, current_A: float) -> None:
    changes: dict[str, Change] = {}
    odd(monkeypatch, changes)
    site = site_of(speech)
    site.charge(vehicle_of(site, speech, spec=BIG))
    changes["current_demand"] = wants(900.0, 60.0, limits(*said))
    site.run(5.0)
    assert ordered(site).voltage_V == voltage_V
    assert ordered(site).current_A == pytest.approx(current_A, rel=0.01)
    assert site.stage.current_A == pytest.approx(current_A, rel=0.02)
    assert site.facts.charging_state is ChargingState.CHARGING


@pytest.mark.parametrize("speech", DC)
def test_before_the_loop(monkeypatch: pytest.MonkeyPatch, speech: str) -> None:
    odd(monkeypatch, {"precharge": wants(800.0, 1.0)})
    site = site_of(speech)
    site.plug(vehicle_of(site, speech, spec=BIG))
    site.card()
    site.until(lambda: "PreChargeReq" in site.said("ev"))
    most_V = 0.0
    for _ in range(60):
        site.run(0.1)
        most_V = max(most_V, site.stage.outlet_V)
    assert 400.0 < most_V <= 420.0 * 1.01


@pytest.mark.parametrize(
    ("target_A", "most", "current_A"),
    [
        (60.0, EvLimits(max_current_A=20.0), 20.0),
        (60.0, EvLimits(max_current_A=0.0), 0.0),
        (60.0, EvLimits(max_current_A=100.0, max_power_W=8_000.0), 20.0),
        (-60.0, EvLimits(max_current_A=20.0, max_power_W=400.0), -60.0),
        (-60.0, EvLimits(max_discharge_A=10.0), -10.0),
        (-60.0, EvLimits(max_discharge_A=50.0, max_discharge_W=8_000.0), -20.0),
        (-60.0, EvLimits(max_discharge_A=0.0), 0.0),
    ],
)
def test_each_way(target_A: float, most: EvLimits, current_A: float) -> None:
    """In whatever protocol; ISO 15118-20 has both ways."""
    site = HlcSite("dc")
    evse = EvseFacts(1, vehicle=Vehicle("", ""))
    assert site.heap.station is not None
    teller = Teller(site.heap.station.wiring.context.config.evses[0], evse)

    def asked(told: Told) -> Any:
        return teller.said(Tick(0.0, 0.0), V2gState(), (most, told))[-1]

    found = asked(DcDemand(400.0, 430.0, target_A, EvLimits(max_voltage_V=420.0)))
    assert (found.supply, found.voltage_V, found.current_A) == (Supply.POWER, 420.0, pytest.approx(current_A))
    assert asked(PrechargeWanted(800.0, 0.0)).voltage_V == 420.0


@pytest.mark.parametrize("speech", DC)
@pytest.mark.parametrize(("volts", "amps"), [(420.0, -100.0), (420.0, 0.0), (-5.0, 100.0)])
def test_a_vehicle_that_takes_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, speech: str, volts: float, amps: float) -> None:
    odd(monkeypatch, {"parameters": limits(volts, amps, 50_000.0)})
    site = site_of(speech)
    ev = site.plug(vehicle_of(site, speech, spec=BIG))
    site.card()
    site.until(lambda: "ChargeParameterDiscoveryRes" in site.said("evse"))
    codes = [getattr(each, "ResponseCode", "") for _, _, each in ev.messages if type(each).__name__ == "ChargeParameterDiscoveryRes"]
    assert codes == ["FAILED_WrongChargeParameter"]
    assert site.told("NotifyEVChargingNeeds") == []


@pytest.mark.parametrize("speech", DC)
def test_what_cannot_be_below_nothing_is_not_said(monkeypatch: pytest.MonkeyPatch, speech: str) -> None:
    def change(request: Any, value: Any) -> None:
        asked = request.EVChargeParameter
        asked.EVMaximumPowerLimit, asked.EVEnergyCapacity, asked.EVEnergyRequest = value("W", -1000), value("Wh", -5), value("Wh", -5000)

    odd(monkeypatch, {"parameters": change})
    site = site_of(speech)
    site.charge(vehicle_of(site, speech, spec=BIG))
    site.until(lambda: bool(site.told("NotifyEVChargingNeeds")))
    told = site.told("NotifyEVChargingNeeds")[0]["chargingNeeds"]["dcChargingParameters"]
    assert not {"evMaxPower", "evEnergyCapacity", "energyAmount"} & set(told)


# ---- no less than it can draw


class AtLeast(TalkingEv):
    """It draws this current, or nothing."""

    def currents_A(self, at_s: float) -> tuple[float, float, float]:
        one, two, three = (max(6.0, each) if each > 0.0 else each for each in super().currents_A(at_s))
        return one, two, three


LEAST = replace(BIG, name="least", ac_least_W=4_140.0)


@pytest.mark.parametrize("speech", ["iso2-ac", "iso20-ac"])
@pytest.mark.parametrize(("limit_A", "current_A"), [(3.0, 0.0), (5.9, 0.0), (6.0, 6.0), (8.0, 8.0)])
def test_less_than_it_can_draw_is_nothing(speech: str, limit_A: float, current_A: float) -> None:
    site = site_of(speech)
    site.charge(vehicle_of(site, speech, spec=LEAST), kind=AtLeast)
    site.run(5.0)
    site.limit(amps=limit_A)
    site.run(60.0)
    assert max(site.sim.current_A) == pytest.approx(current_A, abs=0.1)
    assert site.facts.faults == {}
    assert site.hlc.value == "talking"
    site.limit(amps=16.0)
    site.run(60.0)
    assert max(site.sim.current_A) == pytest.approx(16.0, abs=0.5)


# ---- what is wrong with it


@pytest.mark.parametrize("speech", DC)
def test_a_vehicle_that_says_what_is_wrong_with_it_gets_no_current_and_its_answers(monkeypatch: pytest.MonkeyPatch, speech: str) -> None:
    changes: dict[str, Change] = {}
    odd(monkeypatch, changes)
    site = site_of(speech)
    ev = site.charge(vehicle_of(site, speech, spec=BIG))
    site.run(3.0)
    changes["current_demand"] = trouble("FAILED_EVRESSMalfunction", ready=False)
    site.run(3.0)
    assert ordered(site).current_A == 0.0
    assert site.stage.current_A == pytest.approx(0.0, abs=0.5)
    logged = [each for _, each in site.at(Log) if each.key == "v2g.trouble"]
    assert [each.values for each in logged] == [{"evse": 1, "code": "FAILED_EVRESSMalfunction", "ready": False}], "once"
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.trouble == "FAILED_EVRESSMalfunction"
    changes.clear()
    site.run(3.0)
    assert site.stage.current_A > 10.0
    assert site.facts.vehicle.trouble == ""
    assert ev.over is None
    assert ev.sessions == 1


@pytest.mark.parametrize("speech", DC)
def test_what_was_wrong_with_it_is_why_it_has_stopped(monkeypatch: pytest.MonkeyPatch, speech: str) -> None:
    """As recorded vehicles do: nothing is wanted, with a code, and then the charge ends in order."""
    changes: dict[str, Change] = {}
    odd(monkeypatch, changes)
    site = site_of(speech)
    ev = site.charge(vehicle_of(site, speech, spec=BIG))
    site.run(3.0)
    changes |= {name: trouble("FAILED_ChargingCurrentdifferential") for name in ("current_demand", "power_stop")}
    ev.vehicle.wants.wish = EvWish.STOP
    site.run(15.0)
    assert site.hlc.value == "done"
    said = [each.values["code"] for _, each in site.at(Log) if each.key == "v2g.vehicle_says"]
    assert said == ["FAILED_ChargingCurrentdifferential"]
