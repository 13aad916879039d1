"""The simulated DC stage: what stands at its terminals and on the cable, what flows, and what its contactor has to bear."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.board.driver import load_of
from hal.sim.box import ResistorBox
from hal.sim.sensors import DC_IDLE_INTERVAL_S, DC_INTERVAL_S
from hal.sim.signals import NOTHING, Offered
from hal.sim.stage import DcStage
from hal.sim.thermal import RISE_AT_32_A_K, TIME_CONSTANT_S
from hal.sim.world import SimWorld
from hal.types import ContactorFeedback, DcRatings, DcSample, EvseInfo, InsulationSample, MeterSample
from tests.unit.hal.life import Life

RATINGS = DcRatings(max_discharge_A=100.0, max_discharge_W=30_000.0)
DC = EvseInfo(1, connector="cCCS2", residual_current=False, dc=RATINGS)


class DcLife(Life):
    """A DC EVSE, and a vehicle whose contactors are a switch."""

    def __init__(self, info: EvseInfo = DC, **options: float) -> None:
        super().__init__(info, **options)
        self.box = ResistorBox("C")
        self.evse.plug(self.box)
        self.evse.contactor.permit(1e9)
        self.settle()

    @property
    def stage(self) -> DcStage:
        assert self.evse.stage is not None
        return self.evse.stage

    def order(self, voltage_V: float, current_A: float) -> None:
        self.stage.order(voltage_V, current_A)
        self.settle()

    def off(self) -> None:
        self.stage.stop()
        self.settle()

    def close(self) -> None:
        self.evse.contactor.close(3)
        self.settle()
        self.run(0.1)

    def open(self) -> None:
        self.evse.contactor.open()
        self.settle()
        self.run(0.1)

    def battery(self, volts: float | None) -> None:
        self.box.volts = volts
        self.settle()

    def deliver(self, current_A: float = 50.0, battery_V: float = 400.0) -> None:
        """Precharge, contactors, current."""
        self.close()
        self.order(battery_V, 0.0)
        self.run(2.0)
        self.battery(battery_V)
        self.order(battery_V + 20.0, current_A)
        self.run(2.0)

    def unhurt(self) -> bool:
        return self.stage.inrush_V == 0.0 and self.evse.contactor.opened_under_A == 0.0


def test_the_voltage_goes_straight_to_its_order_and_the_closed_outlet_with_it() -> None:
    life = DcLife()
    life.order(500.0, 2.0)
    life.run(0.5)
    assert life.stage.voltage_V == pytest.approx(250.0)
    assert life.stage.outlet_V == 0.0
    life.run(0.5)
    assert life.stage.voltage_V == 500.0
    life.close()
    assert (life.stage.outlet_V, life.stage.current_A) == (500.0, 0.0)
    life.order(300.0, 2.0)
    life.run(0.2)
    assert life.stage.outlet_V == pytest.approx(400.0)
    assert life.unhurt()


def test_off_with_an_open_vehicle_takes_the_voltage_down_and_the_open_outlet_faster() -> None:
    life = DcLife()
    life.close()
    life.order(1000.0, 2.0)
    life.run(2.0)
    life.off()
    life.open()
    assert life.stage.outlet_V > 60.0
    life.run(0.9)
    assert life.stage.outlet_V < 60.0
    assert life.stage.voltage_V == pytest.approx(1000.0 - 500.0)
    life.run(1.0)
    assert (life.stage.voltage_V, life.stage.moving) == (0.0, False)


def test_a_battery_holds_the_voltage_and_takes_what_was_ordered() -> None:
    life = DcLife()
    life.deliver(50.0)
    assert (life.stage.voltage_V, life.stage.current_A, life.stage.outlet_V) == (400.0, 50.0, 400.0)
    life.order(420.0, 90.0)
    life.run(0.1)
    assert life.stage.current_A == pytest.approx(70.0)
    life.run(0.1)
    assert life.stage.current_A == 90.0
    assert life.unhurt()


def test_what_is_connected_has_the_voltage_of_the_battery_wherever_that_goes() -> None:
    life = DcLife()
    life.close()
    life.order(400.0, 0.0)
    life.run(2.0)
    for volts in (415.0, 440.0, 470.0):
        life.battery(volts)
        assert (life.stage.voltage_V, life.stage.outlet_V) == (volts, volts)
    life.open()
    life.run(2.0)
    assert (life.stage.voltage_V, life.stage.outlet_V) == (400.0, 470.0)
    assert life.unhurt()


def test_the_vehicle_sees_what_is_on_the_cable_and_no_phases() -> None:
    life = DcLife()
    life.deliver(50.0)
    assert (life.box.offered.outlet_V, life.box.offered.outlet_A, life.box.offered.voltage_V) == (400.0, 50.0, NOTHING)
    assert life.evse.voltage_V == NOTHING
    life.open()
    life.battery(None)
    life.run(1.0)
    assert (life.box.offered.outlet_V, life.box.offered.outlet_A) == (0.0, 0.0)


def test_a_vehicle_that_closes_by_itself_is_on_the_cable_at_that_moment() -> None:
    class Closes(ResistorBox):
        def deadline(self) -> float | None:
            return 0.73 if self.volts is None else None

        def advance(self, now_s: float, offered: Offered) -> None:
            super().advance(now_s, offered)
            self.volts = 350.0 if now_s >= 0.73 else None

    life = DcLife()
    life.evse.plug(Closes("C"))
    life.settle()
    life.run(0.9)
    assert life.since(0, DcSample)[-1] == (0.73, DcSample(1, 0.0, 0.0, 350.0))


def test_less_voltage_than_the_battery_has_gives_no_current() -> None:
    life = DcLife()
    life.deliver()
    life.order(399.0, 50.0)
    life.run(2.0)
    assert (life.stage.voltage_V, life.stage.current_A) == (400.0, 0.0)


def test_the_rated_power_bounds_the_current_both_ways() -> None:
    life = DcLife()
    life.deliver(200.0, battery_V=500.0)
    assert life.stage.current_A == pytest.approx(60_000.0 / 500.0)
    life.order(500.0, -100.0)
    life.run(3.0)
    assert life.stage.current_A == pytest.approx(-30_000.0 / 500.0)


@pytest.mark.parametrize("per_s", [10.0, 200.0, 1000.0])
def test_off_is_under_5_A_within_a_second_whatever_the_ramp(per_s: float) -> None:
    life = DcLife(EvseInfo(1, connector="cCCS2", dc=DcRatings(ramp_A_per_s=per_s, max_power_W=1e6)))
    life.deliver(200.0)
    life.run(30.0)
    assert life.stage.current_A == 200.0
    life.off()
    life.run(0.2)
    assert life.stage.current_A == (0.0 if per_s > 500.0 else pytest.approx(100.0))
    life.run(0.8)
    life.open()
    assert life.unhurt()


def test_the_end_of_the_permit_shuts_the_gates_before_the_contacts_open() -> None:
    life = DcLife()
    life.deliver(100.0)
    life.evse.contactor.permit(life.now_s + 0.4)
    mark, ends_s = life.mark(), life.now_s + 0.4
    life.run(1.0)
    off = next(at_s for at_s, each in life.since(mark, DcSample) if each.current_A == 0.0)
    opened = next(at_s for at_s, each in life.since(mark, ContactorFeedback) if not each.closed)
    assert off == pytest.approx(ends_s, abs=1e-6)
    assert opened > off
    assert not life.stage.on
    assert life.unhurt()


def test_an_open_contactor_lets_no_stage_go_on_without_its_permit() -> None:
    life = DcLife()
    life.evse.contactor.permit(0.77)
    life.order(500.0, 2.0)
    on = []
    for seconds in (0.76, 0.23):
        life.run(seconds)
        on.append(life.stage.on)
    assert on == [True, False]
    assert life.stage.voltage_V == pytest.approx(500.0 * (0.77 - (0.99 - 0.77)))


@pytest.mark.parametrize(("volts", "seen_V"), [(381.0, 0.0), (419.9, 0.0), (379.0, 21.0), (600.0, 200.0)])
def test_what_is_connected_onto_a_difference_takes_an_inrush(volts: float, seen_V: float) -> None:
    """Whichever of the two contactors closes last."""
    for vehicle_first in (False, True):
        life = DcLife()
        life.order(400.0, 0.0)
        life.run(2.0)
        if vehicle_first:
            life.battery(volts)
            life.close()
        else:
            life.close()
            life.battery(volts)
        assert life.stage.inrush_V == pytest.approx(seen_V)
        life.battery(None)
        life.run(2.0)
        life.battery(400.0)
        assert life.stage.inrush_V == pytest.approx(seen_V)


@pytest.mark.parametrize(("amps", "seen_A"), [(4.9, 0.0), (5.0, 5.0), (-60.0, 60.0)])
def test_a_contactor_that_breaks_a_current_remembers_the_most(amps: float, seen_A: float) -> None:
    life = DcLife()
    life.deliver(amps)
    life.open()
    assert life.evse.contactor.opened_under_A == pytest.approx(seen_A)
    assert life.stage.current_A == 0.0
    life.close()
    life.open()
    assert life.evse.contactor.opened_under_A == pytest.approx(max(seen_A, abs(amps) if abs(amps) >= 5.0 else 0.0))


def test_a_vehicle_that_opens_ends_the_current_and_its_voltage_on_the_cable_is_told() -> None:
    life = DcLife()
    life.battery(350.0)
    assert life.since(0, DcSample)[-1][1] == DcSample(1, 0.0, 0.0, 350.0)
    life.battery(None)
    life.run(0.11)
    assert life.since(0, DcSample)[-1][1] == DcSample(1, 0.0, 0.0, 200.0)
    life.run(0.89)
    assert life.since(0, DcSample)[-1][1] == DcSample(1, 0.0, 0.0, 0.0)
    life.deliver()
    life.battery(None)
    assert (life.stage.current_A, life.stage.voltage_V) == (0.0, 400.0)
    life.run(1.0)
    assert life.stage.outlet_V == 420.0


# ---- what is said


def test_samples_come_at_their_interval_while_the_stage_is_on_and_each_second_while_it_is_off() -> None:
    life = DcLife()
    assert life.since(0, DcSample) == [(0.0, DcSample(1, 0.0, 0.0, 0.0))]
    life.run(100.0)
    mark = life.mark()
    life.order(500.0, 2.0)
    life.run(10.0)
    told = life.since(mark, DcSample)
    assert len(told) == pytest.approx(10.0 / DC_INTERVAL_S, abs=1)
    assert [each.voltage_V for _, each in told[:3]] == [pytest.approx(50.0), pytest.approx(100.0), pytest.approx(150.0)]
    life.off()
    life.run(2.0)
    mark = life.mark()
    life.run(100.0)
    assert len(life.since(mark, DcSample)) == pytest.approx(100.0 / DC_IDLE_INTERVAL_S, abs=1)
    assert life.since(0, DcSample)[-1][1] == DcSample(1, 0.0, 0.0, 0.0)


def test_a_change_of_the_insulation_is_told_while_there_is_voltage_only() -> None:
    life = DcLife()
    for ohm in (1e6, 5e5):
        life.world.inject(1, "InsulationLow", ohm)
        life.settle()
    assert life.since(0, InsulationSample) == []
    life.order(500.0, 2.0)
    life.run(2.0)
    assert life.since(0, InsulationSample) == []
    life.world.inject(1, "InsulationLow")
    life.settle()
    life.run(5.0)
    life.world.clear(1, "InsulationLow")
    life.settle()
    assert [each.resistance_ohm for _, each in life.since(0, InsulationSample)] == [20_000.0, 5e6]


# ---- the meter


def test_the_register_of_a_dc_evse_counts_the_outlet_both_ways() -> None:
    """50 A at 400 V for six minutes, then 50 A the other way for three."""
    life = DcLife()
    life.deliver(50.0)
    before = life.evse.register.import_Wh
    life.run(360.0)
    assert life.evse.register.import_Wh - before == pytest.approx(2000.0, abs=0.01)
    sample = life.since(0, MeterSample)[-1][1]
    assert (sample.current_A, sample.voltage_V, sample.power_W, sample.frequency_Hz) == ((50.0,), (400.0,), 20_000.0, None)
    imported = life.evse.register.import_Wh
    life.order(420.0, -50.0)
    life.run(180.0)
    assert life.evse.register.export_Wh == pytest.approx(1000.0, abs=3.0)
    # The quarter of a second in which the current came down still counts as import.
    assert life.evse.register.import_Wh - imported == pytest.approx(400.0 * 25.0 * 0.25 / 3600.0, abs=1e-3)
    assert life.world.view()[0]["meter"] == {"Wh": life.evse.register.import_Wh, "A": -50.0, "V": 400.0}


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0.0, 20.0), st.sampled_from([-90.0, -3.0, 0.0, 7.0, 120.0, 200.0])), max_size=6),
    st.lists(st.floats(0.001, 3.0), max_size=30),
)
def test_the_register_does_not_depend_on_the_steps(orders: list[tuple[float, float]], steps: list[float]) -> None:
    def lived(looks: list[float]) -> tuple[float, float, float]:
        life = DcLife()
        life.deliver()
        began_s = life.now_s
        moments: list[tuple[float, float | None]] = [*orders, *((look, None) for look in looks)]
        for at_s, amps in sorted(moments, key=lambda each: each[0]):
            life.run(max(began_s + at_s - life.now_s, 0.0))
            if amps is not None:
                life.order(420.0, amps)
        life.run(began_s + 30.0 - life.now_s)
        return life.evse.register.import_Ws, life.evse.register.export_Ws, life.stage.current_A

    looks = [sum(steps[: n + 1]) for n in range(len(steps)) if sum(steps[: n + 1]) < 25.0]
    assert lived(looks) == pytest.approx(lived([]), rel=1e-6, abs=0.1)


# ---- faults


def test_a_stage_that_does_not_rise_takes_the_order_and_nothing_comes() -> None:
    life = DcLife()
    life.world.inject(1, "StageNoRise")
    life.order(500.0, 2.0)
    life.run(5.0)
    assert (life.stage.voltage_V, life.stage.on) == (0.0, True)
    life.world.clear(1)
    life.settle()
    life.run(1.0)
    assert life.stage.voltage_V == 500.0
    life.off()
    life.run(2.0)
    life.deliver(50.0)
    life.world.inject(1, "StageNoRise")
    life.settle()
    life.run(1.0)
    assert life.stage.current_A == 0.0


def test_a_stage_that_does_not_go_off_is_broken_by_the_contactor_only() -> None:
    life = DcLife()
    life.deliver(50.0)
    life.world.inject(1, "StageNotOff")
    life.off()
    life.run(2.0)
    assert life.stage.current_A == 50.0
    life.evse.contactor.withdraw()
    life.settle()
    life.run(1.0)
    assert (life.evse.contactor.poles, life.stage.current_A) == (0, 0.0)
    assert life.evse.contactor.opened_under_A == 50.0
    assert life.stage.voltage_V == 420.0
    life.world.clear(1)
    life.settle()
    life.run(1.0)
    assert life.stage.voltage_V == 0.0


def test_cleared_a_stage_that_still_has_its_order_goes_on() -> None:
    life = DcLife()
    life.deliver(50.0)
    life.world.inject(1, "StageNotOff")
    life.settle()
    life.world.clear(1)
    life.settle()
    life.run(1.0)
    assert life.stage.current_A == 50.0


# ---- a loss of power


def test_a_power_cut_leaves_the_stage_off_and_what_was_done_to_it() -> None:
    life = DcLife()
    life.deliver(50.0)
    life.open()
    life.battery(None)
    life.run(1.0)
    life.battery(100.0)
    life.close()
    for name in ("InsulationLow", "StageStuck", "StageNoRise", "StageNotOff", "OutletLive"):
        life.world.inject(1, name)
    life.settle()
    world = SimWorld([life.evse.options], 1e6)
    world.restore(json.loads(json.dumps(life.world.save())), load_of, 1e6)
    world.say_everything(1e6)
    stage, evse = world.evses[1].stage, world.evses[1]
    assert stage is not None
    assert (stage.on, stage.voltage_V, stage.current_A, stage.outlet_V) == (False, 0.0, 0.0, 100.0)
    assert (stage.inrush_V, evse.contactor.opened_under_A) == (life.stage.inrush_V, 50.0)
    assert stage.inrush_V > 0.0
    assert (stage.insulation_ohm, stage.stuck, stage.no_rise, stage.not_off, stage.stray_V) == (20_000.0, True, True, True, 400.0)
    assert evse.register.import_Ws == life.evse.register.import_Ws


def test_a_cable_that_does_not_bleed_has_its_voltage_whatever_is_open() -> None:
    life = DcLife()
    life.world.inject(1, "OutletLive", 300.0)
    life.settle()
    assert (life.stage.outlet_V, life.stage.voltage_V) == (300.0, 0.0)
    life.battery(100.0)
    assert life.stage.outlet_V == 100.0
    life.battery(None)
    life.run(1.0)
    assert life.stage.outlet_V == 300.0
    life.world.clear(1, "OutletLive")
    life.run(1.0)
    assert life.stage.outlet_V == 0.0
    assert life.stage.deadline() is None


def test_the_contactor_of_a_dc_evse_gets_as_warm_as_its_rating_says() -> None:
    life = DcLife(EvseInfo(1, connector="cCCS2", dc=DcRatings(max_power_W=1e6)))
    life.deliver(200.0)
    life.run(TIME_CONSTANT_S)
    assert life.evse.thermal.celsius == pytest.approx(20.0 + RISE_AT_32_A_K * (1.0 - 1.0 / math.e), abs=0.5)
