"""A whole simulated EVSE: what it says and when, faults, meter, and what a loss of power leaves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bench.ev import Ev, ev
from hal.iec61851 import PLUG_OHM
from hal.sim.box import ResistorBox
from hal.sim.evse import PlugHeld
from hal.sim.faults import FAULTS
from hal.sim.signals import NOTHING
from hal.types import (
    BoardFault,
    BoardInput,
    ContactorFeedback,
    EvseInfo,
    LockState,
    MeterSample,
    MeterSilence,
    PhaseWiring,
    PilotVoltage,
    ProximityResistance,
    ResidualCurrentReset,
    ResidualCurrentTrip,
    TemperatureSample,
)
from tests.unit.hal.life import Life, state

SOCKET = EvseInfo(2, phases=1, connector="sType2", has_lock=True)


# ---- what is said


def test_at_a_start_everything_is_said_once() -> None:
    life = Life(SOCKET)
    kinds = [type(each) for _, each in life.said]
    assert sorted(kind.__name__ for kind in kinds) == sorted(
        kind.__name__
        for kind in (
            PilotVoltage, ContactorFeedback, ProximityResistance, LockState, ResidualCurrentReset, MeterSample, TemperatureSample,
        )
    )  # fmt: skip


def test_nothing_is_said_while_nothing_changes_but_the_meter() -> None:
    life = Life()
    mark = life.mark()
    life.run(3600.0)
    assert {type(each) for _, each in life.said[mark:]} == {MeterSample}
    assert len(life.said[mark:]) == 1800


def test_a_reading_comes_one_cycle_after_the_change() -> None:
    life = Life()
    life.run(1.5)
    mark = life.mark()
    life.evse.plug(ResistorBox("B"))
    life.settle()
    life.run(1.0)
    assert [(round(at_s, 4), each.high_V) for at_s, each in life.since(mark, PilotVoltage)] == [(1.504, 8.98)]


def test_a_level_that_is_gone_before_it_was_read_is_not_said() -> None:
    life = Life()
    mark = life.mark()
    life.evse.plug(ResistorBox("B"))
    life.settle()
    life.run(0.002)
    life.evse.unplug_vehicle()
    life.settle()
    life.run(1.0)
    assert life.since(mark, PilotVoltage) == []


def test_a_sample_comes_as_soon_as_current_flows_and_as_it_stops() -> None:
    life = Life(meter_interval_s=60.0, meter_idle_interval_s=60.0)
    life.charge()
    mark = life.mark()
    life.evse.unplug_vehicle()
    life.settle()
    life.run(0.1)
    assert [each.current_A for _, each in life.since(mark, MeterSample)] == [NOTHING]


@pytest.mark.parametrize("ampere", sorted(PLUG_OHM))
def test_the_plug_of_a_cable_is_measured(ampere: int) -> None:
    life = Life(SOCKET)
    mark = life.mark()
    life.evse.plug(ResistorBox("B"), PLUG_OHM[ampere])
    life.settle()
    life.evse.unplug_socket()
    life.settle()
    assert [each.ohm for _, each in life.since(mark, ProximityResistance)] == [PLUG_OHM[ampere], None]


def test_a_locked_plug_is_held_and_the_other_end_is_not() -> None:
    life = Life(SOCKET)
    life.evse.plug(ResistorBox("B"))
    life.evse.lock.drive(0.0, locked=True)
    life.settle()
    life.run(1.0)
    with pytest.raises(PlugHeld):
        life.evse.unplug_socket()
    mark = life.mark()
    life.evse.unplug_vehicle()
    life.settle()
    life.run(1.0)
    assert [each.high_V for _, each in life.since(mark, PilotVoltage)] == [12.0]
    assert life.evse.proximity_ohm == 220.0


# ---- power


@pytest.mark.parametrize(
    ("info", "phases", "voltage_V"),
    [
        (EvseInfo(), 3, (230.0, 230.0, 230.0)),
        (EvseInfo(phase_wiring=PhaseWiring.SERIAL), 1, (230.0, 0.0, 0.0)),
        (EvseInfo(phases=1), 1, (230.0, 0.0, 0.0)),
    ],
)
def test_voltage_is_where_the_poles_are_closed(info: EvseInfo, phases: Any, voltage_V: tuple[float, ...]) -> None:
    life = Life(info)
    life.evse.contactor.permit(100.0)
    life.evse.contactor.close(phases)
    life.settle()
    assert life.evse.voltage_V == NOTHING
    life.run(0.1)
    assert life.evse.voltage_V == voltage_V


def test_a_load_whose_time_stands_still_is_named() -> None:
    class Stuck(ResistorBox):
        def deadline(self) -> float | None:
            return 1.0

    life = Life()
    life.evse.plug(Stuck("B"))
    with pytest.raises(RuntimeError, match="EVSE 1: time stands still"):
        life.world.advance(3.0)


@pytest.mark.req("F-12")
def test_unplugged_under_load_nothing_flows_any_more() -> None:
    life = Life()
    life.charge()
    assert life.evse.current_A[0] == pytest.approx(16.0, abs=0.03)
    before = life.evse.register.import_Ws
    life.evse.unplug_vehicle()
    life.settle()
    assert life.evse.current_A == NOTHING
    life.run(60.0)
    assert life.evse.register.import_Ws == before


def test_a_car_that_comes_back_has_not_charged_on_the_way() -> None:
    life = Life()
    car = ev()
    life.charge(car)
    taken_Wh = car.state.taken_Wh
    life.evse.unplug_vehicle()
    life.settle()
    life.run(3600.0)
    life.evse.plug(car)
    life.settle()
    life.run(0.5)
    assert car.state.taken_Wh == pytest.approx(taken_Wh)


@pytest.mark.req("F-15")
@pytest.mark.parametrize(("car", "within_s"), [(ev("leaks-dc"), 10.0), (ev(leakage_dc_mA=60.0), 0.3), (ev(leakage_dc_mA=200.0), 0.1)])
def test_a_car_that_leaks_trips_the_device_and_that_opens_without_any_software(car: Ev, within_s: float) -> None:
    life = Life()
    life.evse.plug(car)
    life.evse.contactor.permit(1e9)
    life.evse.contactor.close(3)
    life.settle()
    closed_s = life.now_s
    life.run(20.0)
    (trip,) = life.since(0, ResidualCurrentTrip)
    assert trip[1].kind == "dc"
    assert trip[0] <= closed_s + 0.03 + within_s
    opened = life.since(0, ContactorFeedback)[-1]
    assert not opened[1].closed
    assert opened[0] <= trip[0] + 0.02


def test_a_tripped_device_holds_the_contactor_open_until_it_is_armed() -> None:
    life = Life()
    life.charge()
    life.world.inject(1, "RcdTrip")
    life.settle()
    life.run(1.0)
    life.evse.contactor.close(3)
    life.settle()
    life.run(1.0)
    assert life.evse.contactor.poles == 0
    assert life.evse.rearm()
    assert life.world.view()[0]["faults"] == []
    life.evse.contactor.close(3)
    life.settle()
    life.run(1.0)
    assert life.evse.contactor.poles == 3


def test_it_gets_warm() -> None:
    life = Life()
    life.charge(ev("22kW"), 53.3)
    life.run(3600.0)
    warm = life.since(0, TemperatureSample)
    assert warm[-1][1].celsius == pytest.approx(55.0, abs=1.0)
    assert all(abs(after[1].celsius - before[1].celsius) >= 1.0 for before, after in pairwise(warm))


# ---- faults


@pytest.mark.parametrize("name", [*FAULTS, "GroundFailure", "MREC6UnderVoltage"])
def test_every_fault_shows_and_can_be_taken_back(name: str) -> None:
    life = Life(SOCKET)
    life.charge()
    before = state(life.evse)
    life.world.inject(2, name)
    life.settle()
    life.run(10.0)
    assert life.world.view()[0]["faults"] == [name]
    life.world.clear(2, name)
    life.settle()
    assert life.world.view()[0]["faults"] == []
    life.evse.rearm()
    life.evse.contactor.close(1)
    life.settle()
    life.run(5.0)
    assert state(life.evse) == before


# fault -> what the board says of it
SHOWS: list[tuple[str, type[BoardInput], dict[str, Any]]] = [
    ("ContactorWeld", ContactorFeedback, {}),
    ("RcdTrip", ResidualCurrentTrip, {"kind": "dc"}),
    ("ResidualAc", ResidualCurrentTrip, {"kind": "ac"}),
    ("ResidualDc", ResidualCurrentTrip, {"kind": "dc"}),
    ("PilotShort", PilotVoltage, {"high_V": 0.0}),
    ("DiodeFault", PilotVoltage, {"low_V": -5.62}),
    ("ProximityOpen", ProximityResistance, {"ohm": None}),
    ("ProximityValue", ProximityResistance, {"ohm": 350.0}),
    ("Temperature", TemperatureSample, {"celsius": 95.0}),
    ("MeterSilent", MeterSilence, {}),
    ("GroundFailure", BoardFault, {"code": "GroundFailure", "present": True}),
    ("ConnectorLockFailure", BoardFault, {"code": "ConnectorLockFailure", "present": True}),
]


@pytest.mark.parametrize(("name", "kind", "fields"), SHOWS, ids=lambda each: each if isinstance(each, str) else "")
def test_what_a_fault_says(name: str, kind: type[BoardInput], fields: dict[str, Any]) -> None:
    life = Life(SOCKET)
    if name != "ContactorWeld":
        life.charge(ResistorBox("C"))
    mark = life.mark()
    life.world.inject(2, name)
    life.settle()
    life.run(20.0)
    said = [each for _, each in life.since(mark, kind)]
    assert len(said) == 1
    for field, value in fields.items():
        assert getattr(said[0], field) == value
    if name == "ContactorWeld":
        assert said[0] == ContactorFeedback(2, closed=True, phases=1)


@pytest.mark.req("F-13")
def test_a_silent_meter_counts_on_and_says_so_when_it_is_back() -> None:
    life = Life()
    life.charge()
    life.world.inject(1, "MeterSilent")
    life.settle()
    mark = life.mark()
    life.run(60.0)
    assert len(life.since(mark, MeterSilence)) == 1
    assert life.since(mark, MeterSample) == []
    life.world.clear(1, "MeterSilent")
    life.settle()
    sample = life.since(mark, MeterSample)[0][1]
    assert sample.energy_import_Wh == pytest.approx(3 * 230.0 * 16.0 * 60.0 / 3600.0, rel=0.25)


def test_a_silent_board_says_nothing_and_its_physics_go_on() -> None:
    life = Life()
    life.charge()
    life.world.inject(0, "BoardSilent")
    mark, before = life.mark(), life.evse.register.import_Ws
    life.run(60.0)
    life.evse.contactor.withdraw()
    life.run(60.0)
    assert life.said[mark:] == []
    assert life.evse.register.import_Ws > before
    life.world.clear(0, "BoardSilent")
    life._hear(life.world.say_everything(life.now_s))
    assert ContactorFeedback(1, closed=False, phases=0) in [each for _, each in life.said[mark:]]


def test_faults_of_the_board_as_a_whole() -> None:
    life = Life(EvseInfo(1), EvseInfo(2))
    mark = life.mark()
    life.world.inject(0, "PowerSupply")
    life.settle()
    life.world.clear(0)
    life.settle()
    assert [(each.evse_id, each.code, each.present) for _, each in life.since(mark, BoardFault)] == [
        (0, "PowerSupply", True),
        (0, "PowerSupply", False),
    ]
    with pytest.raises(KeyError):
        life.world.inject(7, "RcdTrip")
