"""ISO 15118-20 in AC: a vehicle of one phase chooses its parameter set at a charger of three, and every power that it is told is that of its phase."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from bench.v2g.model import CITY, Vehicle
from bench.v2g.pair import Pair
from chargepoint import codec
from iso15118.evcc.terms import EvseLimits, PowerTarget, ProfileMade, SchedulesOffered
from iso15118.grid import GridCode
from iso15118.iso20 import services
from iso15118.iso20.values import number, part_W, rational
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.secc import phases
from iso15118.secc.iso20.talk import SavedTalk, Talk
from iso15118.terms import BY_CABLE, AcLimits, Control, Energy, EnergyChosen, Facts, Offered, Schedule, Slot
from tests.behaviour.iso20_rig import AC_BOTH_WAYS, ended_well, goes_on_after_a_pause, make, told

AC = tuple(each for each in BY_CABLE if not each.is_dc)
in_every_way = [pytest.mark.parametrize("energy", AC, ids=lambda each: each.value), pytest.mark.parametrize("control", Control)]
ONE_W, ONE_BACK_W = 22_000.0 / 3, 11_000.0 / 3


def one_phase(energy: Energy, control: Control, *, only: int | None = None, phases: int = 1, **wants: Any) -> Pair:
    """`only`: the charger offers no sets but those of so many phases."""
    pair = make(energy, control, phases=phases, **wants)
    if phases == 1:
        pair.vehicle = Vehicle(CITY, wants=pair.vehicle.wants)
    if only is not None:
        offers = pair.charger.facts
        offers.energies = tuple(replace(each, phases=only) for each in offers.energies)
    return pair


def said(pair: Pair, kind: type) -> list[Any]:
    return [message for _, end, message in pair.messages if end == "evse" and isinstance(message, kind)]


def every_way(test: Any) -> Any:
    for mark in in_every_way:
        test = mark(test)
    return test


@every_way
def test_a_vehicle_of_one_phase_is_told_what_there_is_on_one(energy: Energy, control: Control) -> None:
    pair = one_phase(energy, control).session()
    ended_well(pair)
    chosen = told(pair, EnergyChosen)[0]
    assert told(pair, EnergyChosen, "ev") == [chosen]
    assert (chosen.phases, chosen.control) == (1, control)
    limits = said(pair, ac.AC_ChargeParameterDiscoveryRes)[0].AC_CPDResEnergyTransferMode
    assert number(limits.EVSEMaximumChargePower) == pytest.approx(ONE_W, rel=1e-3)
    if energy.is_bpt:
        assert number(limits.EVSEMaximumDischargePower) == pytest.approx(ONE_BACK_W, rel=1e-3)
    if control is Control.SCHEDULED:
        (schedule,) = told(pair, SchedulesOffered, "ev")[0].schedules
        assert [each.power_W for each in schedule.charging] == pytest.approx([ONE_W], rel=1e-3)
        if energy.is_bpt:
            assert [each.power_W for each in schedule.discharging] == pytest.approx([-ONE_BACK_W], rel=1e-3)
        assert told(pair, ProfileMade, "ev")[0].profile[0].power_W <= ONE_W * 1.001
    targets = [each.power_W for each in told(pair, PowerTarget, "ev")]
    assert max(targets) == pytest.approx(ONE_W, rel=1e-3), "all that there is on its phase, and no more"
    assert pair.vehicle.taken_Wh > 5


@pytest.mark.parametrize("control", Control)
@pytest.mark.parametrize("energy", [each for each in AC if each.is_bpt], ids=lambda each: each.value)
def test_what_it_gives_back_is_that_of_its_phase(energy: Energy, control: Control) -> None:
    pair = one_phase(energy, control)
    pair.charger.back_W = 10_000.0
    pair.session()
    ended_well(pair)
    assert min(each.power_W for each in told(pair, PowerTarget, "ev")) == pytest.approx(-ONE_BACK_W, rel=1e-3)
    if energy.is_der:
        loop = said(pair, ac.AC_ChargeLoopRes)[-1].CLResControlMode
        assert number(loop.EVSEMaximumChargePower) == pytest.approx(ONE_W, rel=1e-3)
        assert number(loop.EVSEMaximumDischargePower) == pytest.approx(ONE_BACK_W, rel=1e-3)


@pytest.mark.parametrize(("phases", "most_var"), [(1, 3_000.0), (3, 9_000.0)])
def test_so_is_the_reactive_power_of_the_charger(phases: int, most_var: float) -> None:
    pair = one_phase(Energy.AC_DER_SAE, Control.DYNAMIC, phases=phases)
    pair.charger.facts.grid = GridCode(most_var=9_000.0)
    pair.session()
    ended_well(pair)
    limits = said(pair, ac.AC_ChargeParameterDiscoveryRes)[0].AC_CPDResEnergyTransferMode.EVSEReactivePowerLimits
    assert number(limits.EVSEMaximumVarAbsorptionDuringCharging) == most_var
    assert number(limits.EVSEMaximumVarInjectionDuringDischarging) == most_var


@every_way
def test_a_vehicle_of_three_phases_is_told_the_whole(energy: Energy, control: Control) -> None:
    pair = one_phase(energy, control, phases=3).session()
    ended_well(pair)
    assert told(pair, EnergyChosen)[0].phases == 3
    assert told(pair, EnergyChosen)[0].parameter_set == (1 if control is Control.SCHEDULED else 2)
    assert told(pair, EvseLimits, "ev")[0].max_power_W == 22_000.0


@pytest.mark.parametrize("vehicle_phases", [1, 3])
def test_a_charger_of_one_phase_has_nothing_to_share(vehicle_phases: int) -> None:
    pair = one_phase(Energy.AC, Control.SCHEDULED, only=1, phases=vehicle_phases)
    pair.charger.facts.ac = AcLimits(7_000.0, phases=1)
    pair.session()
    ended_well(pair)
    assert told(pair, EnergyChosen)[0].phases == 1
    assert told(pair, EvseLimits, "ev")[0].max_power_W == 7_000.0
    assert pair.vehicle.phases == 1, "and it draws on the one that there is"
    connectors = {
        each.intValue
        for one in said(pair, cm.ServiceDetailRes)[0].ServiceParameterList.ParameterSet
        for each in one.Parameter
        if each.Name == "Connector"
    }
    assert connectors == {services.SINGLE_PHASE}


@every_way
def test_at_a_charger_that_has_three_phases_only_it_keeps_to_its_share(
    monkeypatch: pytest.MonkeyPatch, energy: Energy, control: Control
) -> None:
    """Such chargers mean by a power that of all three."""
    every = services.ways
    monkeypatch.setattr(services, "ways", lambda offered: tuple(each for each in every(offered) if each.phases != 1))
    pair = one_phase(energy, control).session()
    ended_well(pair)
    assert told(pair, EnergyChosen)[0].phases == 3
    assert pair.vehicle.phases == 1
    assert told(pair, EvseLimits, "ev")[0].max_power_W == pytest.approx(ONE_W, rel=1e-3)
    drawn_W = [each.power_W for each in told(pair, PowerTarget, "ev")]
    assert 0 < max(drawn_W) <= ONE_W * 1.001
    if control is Control.SCHEDULED:
        assert told(pair, ProfileMade, "ev")[0].profile[0].power_W <= ONE_W * 1.001


def test_of_powers_that_are_said_apart_it_has_that_of_its_phase() -> None:
    apart = cs.PowerScheduleEntryType(Duration=60, Power=rational(1000), Power_L2=rational(200), Power_L3=rational(300))
    alone = cs.PowerScheduleEntryType(Duration=60, Power=rational(1500))
    assert [part_W(apart, "Power", use, 3) for use in (1, 2, 3)] == [1000, 1200, 1500]
    assert [part_W(alone, "Power", use, 3) for use in (1, 2, 3)] == [500, 1000, 1500]
    assert [part_W(each, "Power", 1, 0) for each in (apart, alone)] == [1500, 1500], "nothing is known of phases"
    assert part_W(alone, "Missing", 1, 3) is None


# ---- parameter sets


@pytest.mark.parametrize("energy", list(Energy), ids=lambda each: each.value)
def test_sets_of_one_phase_stand_behind_those_of_three_and_mean_the_same(energy: Energy) -> None:
    """With all that multiplies them, there are no more than a message can have (32)."""
    offered = Offered(energy, mobility_by_secc=True, pricings=(1, 2, 0))
    ways = services.ways(offered)
    assert [each.id for each in ways] == list(range(1, len(ways) + 1))
    assert len(ways) == (18 if energy in AC else 9)
    assert [each.phases for each in ways] == ([3] * 9 + [1] * 9 if energy in AC else [0] * 9)
    assert [each[1:4] for each in ways[9:]] == [each[1:4] for each in ways[:9] if energy in AC]
    if energy in BY_CABLE:
        assert [services.meaning(energy, each) for each in services.parameter_sets(offered)] == list(ways)


# ---- what a session remembers


def talk(chosen: int, has: int = 3, **more: Any) -> Talk:
    facts = Facts(ac=replace(AC_BOTH_WAYS, max_power_W=22_080.0 * has / 3, min_power_W=1_380.0, phases=has), target_power_W=9_000.0)
    return Talk(facts, (), bytes(8), phases=chosen, **more)


@pytest.mark.parametrize(
    ("chosen", "has", "part"),
    [(1, 3, 1 / 3), (3, 3, 1), (0, 3, 1), (1, 1, 1), (3, 1, 1)],
    ids=["one", "three", "unsaid", "of one", "gone down"],
)
def test_the_share_goes_by_the_phases_that_are_there_now(chosen: int, has: int, part: float) -> None:
    one = talk(chosen, has)
    assert phases.share(one) == pytest.approx(part)
    assert phases.target_W(one) == pytest.approx(9_000.0 * part)
    limits = phases.limits_of(one)
    assert limits is not None
    assert limits.max_power_W == pytest.approx(22_080.0 * has / 3 * part)
    assert limits.min_power_W == 1_380.0, "what it can do at least, it can on one"
    made = phases.schedule_of(one, Schedule(1, (Slot(0, 60, 6_000.0),), (Slot(0, 60, -3_000.0),)))
    assert [each.power_W for each in chain(made.charging, made.discharging)] == pytest.approx([6_000.0 * part, -3_000.0 * part])


def test_a_session_without_ac_has_no_share() -> None:
    one = Talk(Facts(), (), bytes(8), phases=1)
    assert (phases.share(one), phases.limits_of(one)) == (1.0, None)


def test_the_phases_come_out_of_a_snapshot() -> None:
    way = services.ways(Offered(Energy.AC))[-1]
    kept = talk(way.phases, way=way)
    saved = codec.load(SavedTalk, codec.dump(SavedTalk, kept.saved()))
    again = Talk.restored(saved, kept.facts)
    assert (again.way, again.phases) == (way, 1)


def test_a_snapshot_of_before_knows_of_no_phases() -> None:
    way = services.Way(2, Control.DYNAMIC, mobility_by_secc=False)
    written = codec.dump(SavedTalk, talk(0, way=way).saved())
    assert "phases" not in written
    again = Talk.restored(codec.load(SavedTalk, written), Facts(ac=AcLimits(22_080.0)))
    assert (again.way, phases.share(again)) == (way, 1.0)


@pytest.mark.parametrize("control", Control)
def test_a_session_that_is_resumed_keeps_its_set(control: Control) -> None:
    pair = one_phase(Energy.AC, control, loops=None)
    goes_on_after_a_pause(pair, loops=10)
    first, second = told(pair, EnergyChosen)
    assert first == second
    assert second.phases == 1
    assert max(each.power_W for each in told(pair, PowerTarget, "ev")) == pytest.approx(ONE_W, rel=1e-3)
