"""The parts of the simulated board by themselves: contactor, residual-current device, lock, temperature, pilot."""

from __future__ import annotations

import json

import pytest

from hal.iec61851 import EV_B_OHM, EV_C_OHM, EV_D_OHM
from hal.sim.contactor import CLOSE_TRAVEL_S, OPEN_TRAVEL_S, Contactor
from hal.sim.lock import TRAVEL_S, PlugLock
from hal.sim.pilot import letter, plateaus_V
from hal.sim.rcd import AC_CURVE, DC_CURVE, ResidualCurrentDevice
from hal.sim.signals import NOTHING, Offered, PilotLoad, PilotOutput
from hal.sim.thermal import RISE_AT_32_A_K, TIME_CONSTANT_S, Thermal

# ---- contactor


def closed(permit_s: float = 100.0) -> Contactor:
    """Three phases closed at 1 s."""
    contactor = Contactor()
    contactor.permit(permit_s)
    assert contactor.close(3)
    contactor.advance(0.0)
    contactor.advance(1.0)
    assert contactor.poles == contactor.mirror == 3
    return contactor


def test_contacts_travel() -> None:
    contactor = Contactor()
    contactor.permit(100.0)
    assert contactor.close(1)
    contactor.advance(0.0)
    assert contactor.deadline() == pytest.approx(CLOSE_TRAVEL_S)
    contactor.advance(CLOSE_TRAVEL_S - 1e-6)
    assert contactor.poles == 0
    contactor.advance(CLOSE_TRAVEL_S)
    assert (contactor.poles, contactor.mirror) == (1, 1)
    contactor.open()
    contactor.advance(5.0)
    contactor.advance(5.0 + OPEN_TRAVEL_S - 1e-6)
    assert contactor.poles == 1
    contactor.advance(5.0 + OPEN_TRAVEL_S)
    assert (contactor.poles, contactor.mirror) == (0, 0)


@pytest.mark.req("F-16")
def test_no_coil_current_without_a_permit() -> None:
    contactor = Contactor()
    assert not contactor.close(3)
    contactor.permit(1.0)
    contactor.advance(1.0)
    assert not contactor.close(3)
    contactor.permit(2.0)
    contactor.withdraw()
    assert not contactor.close(3)


@pytest.mark.req("F-16")
def test_a_permit_that_ends_takes_the_coil_current() -> None:
    contactor = closed(permit_s=2.0)
    assert contactor.deadline() == 2.0
    contactor.advance(2.0)
    assert contactor.coil == 0
    contactor.advance(2.0 + OPEN_TRAVEL_S)
    assert contactor.poles == 0


def test_live_from_one_to_three_phases_is_impossible() -> None:
    contactor = closed()
    assert not contactor.close(1)
    assert contactor.coil == 3


@pytest.mark.req("F-14")
def test_a_weld_stays_and_a_repair_lets_it_fall() -> None:
    contactor = closed()
    contactor.weld()
    contactor.open()
    contactor.advance(2.0)
    contactor.advance(3.0)
    assert (contactor.coil, contactor.poles, contactor.mirror) == (0, 3, 3)
    contactor.welded = False
    contactor.free()
    contactor.advance(4.0)
    contactor.advance(5.0)
    assert (contactor.poles, contactor.mirror) == (0, 0)


def test_it_welds_at_its_next_closing() -> None:
    contactor = Contactor(welds_on_close=True)
    contactor.permit(100.0)
    contactor.close(3)
    contactor.advance(0.0)
    contactor.advance(1.0)
    contactor.withdraw()
    contactor.advance(1.0)
    contactor.advance(2.0)
    assert (contactor.welded, contactor.poles) == (True, 3)


def test_a_jam_holds_it_open_and_a_repair_lets_it_close() -> None:
    contactor = Contactor(stuck_open=True)
    contactor.permit(100.0)
    contactor.close(3)
    contactor.advance(0.0)
    contactor.advance(1.0)
    assert (contactor.coil, contactor.poles, contactor.mirror) == (3, 0, 0)
    contactor.stuck_open = False
    contactor.free()
    contactor.advance(1.0)
    contactor.advance(2.0)
    assert contactor.poles == 3


def test_a_mirror_contact_that_sticks_lies() -> None:
    contactor = closed()
    contactor.mirror_stuck = True
    contactor.open()
    contactor.advance(2.0)
    contactor.advance(3.0)
    assert (contactor.poles, contactor.mirror) == (0, 3)


def test_closed_again_on_its_way_down_it_stays() -> None:
    contactor = closed()
    contactor.open()
    contactor.advance(2.0)
    assert contactor.close(3)
    contactor.advance(3.0)
    assert contactor.poles == 3


def test_only_damage_outlives_a_loss_of_power() -> None:
    assert Contactor.restored(json.loads(json.dumps(closed().save()))).poles == 0
    welded = closed()
    welded.weld()
    again = Contactor.restored(json.loads(json.dumps(welded.save())))
    assert (again.poles, again.mirror, again.coil, again.permitted) == (3, 3, 0, False)


# ---- residual-current device

# Residual current in mA (dc, ac) -> it trips within so many seconds (IEC 62955, IEC 61008-1), or never.
TRIPS = [
    (6.0, 0.0, 10.0),
    (60.0, 0.0, 0.3),
    (200.0, 0.0, 0.1),
    (400.0, 0.0, 0.1),
    (20.0, 0.0, 10.0),
    (0.0, 30.0, 0.3),
    (0.0, 60.0, 0.15),
    (0.0, 150.0, 0.04),
    (0.0, 500.0, 0.04),
    (3.0, 0.0, None),
    (5.9, 0.0, None),
    (0.0, 15.0, None),
    (5.9, 29.0, None),
]


@pytest.mark.parametrize(("dc_mA", "ac_mA", "within_s"), TRIPS)
def test_it_trips_within_the_time_of_the_standard(dc_mA: float, ac_mA: float, within_s: float | None) -> None:
    device = ResidualCurrentDevice()
    device.advance(100.0)
    device.set(dc_mA, ac_mA)
    due = device.deadline()
    if within_s is None:
        assert due is None
        device.advance(1e6)
        assert device.tripped is None
        return
    assert due is not None
    assert 100.0 < due <= 100.0 + within_s
    tripped = []
    for at_s in (due - 1e-4, due):
        device.advance(at_s)
        tripped.append(device.tripped)
    assert tripped == [None, "dc" if dc_mA else "ac"]
    assert not device.reset()
    device.set(0.0, 0.0)
    assert device.reset()


def test_more_current_never_trips_later() -> None:
    def after(mA: float, *, dc: bool) -> float:
        device = ResidualCurrentDevice()
        device.set(mA if dc else 0.0, 0.0 if dc else mA)
        return device.deadline() or float("inf")

    for dc, curve in ((True, DC_CURVE), (False, AC_CURVE)):
        times = [after(step / 10.0, dc=dc) for step in range(1, 3000, 7)]
        assert times == sorted(times, reverse=True)
        assert all(after(mA, dc=dc) <= limit_s for mA, limit_s in curve)


def test_a_current_that_rises_trips_sooner_than_its_first_value_and_one_that_ends_does_not_trip() -> None:
    device = ResidualCurrentDevice()
    device.set(6.0, 0.0)
    device.advance(5.0)
    device.set(60.0, 0.0)
    due = device.deadline()
    assert due is not None
    assert 5.0 < due < 5.1
    device.set(0.0, 0.0)
    device.advance(5.05)
    device.set(60.0, 0.0)
    assert device.deadline() == pytest.approx(5.05 + 0.21)


def test_a_broken_one_never_trips() -> None:
    device = ResidualCurrentDevice(broken=True)
    device.set(500.0, 500.0)
    device.advance(10.0)
    assert (device.deadline(), device.tripped) == (None, None)


# ---- lock, temperature


def test_the_lock_travels_and_says_when_it_did_not_arrive() -> None:
    lock = PlugLock()
    lock.drive(0.0, locked=True)
    lock.advance(TRAVEL_S - 0.01)
    assert (lock.locked, lock.failed) == (False, False)
    lock.advance(TRAVEL_S)
    assert (lock.locked, lock.failed, lock.deadline()) == (True, False, None)
    lock.stuck = True
    lock.drive(1.0, locked=False)
    lock.advance(2.0)
    assert (lock.locked, lock.failed) == (True, True)


def test_heat_goes_with_the_square_of_the_current_and_with_time() -> None:
    warm, half = Thermal(20.0, 20.0), Thermal(20.0, 20.0)
    warm.advance(TIME_CONSTANT_S, 32.0**2)
    half.advance(TIME_CONSTANT_S, 16.0**2)
    assert warm.celsius == pytest.approx(20.0 + RISE_AT_32_A_K * (1 - 1 / 2.718281828), abs=0.01)
    assert half.celsius - 20.0 == pytest.approx((warm.celsius - 20.0) / 4.0)
    warm.advance(20 * TIME_CONSTANT_S, 0.0)
    assert warm.celsius == pytest.approx(20.0, abs=0.01)


def test_steps_do_not_matter_for_the_temperature() -> None:
    one, many = Thermal(), Thermal()
    one.advance(900.0, 500.0)
    for _ in range(900):
        many.advance(1.0, 500.0)
    assert many.celsius == pytest.approx(one.celsius, abs=1e-9)


# ---- pilot

B, C, D = PilotLoad(EV_B_OHM), PilotLoad(EV_C_OHM), PilotLoad(EV_D_OHM)
OPEN = PilotLoad(None)
# output, load, shorted, diode bridged -> high, low in V (IEC 61851-1 Table A.3: +/-1 V), letter
LEVELS = [
    (PilotOutput.X1, OPEN, False, False, 12.0, None, "A"),
    (PilotOutput.PWM, OPEN, False, False, 12.0, -12.0, "A"),
    (PilotOutput.X1, B, False, False, 9.0, None, "B"),
    (PilotOutput.PWM, B, False, False, 9.0, -12.0, "B"),
    (PilotOutput.PWM, C, False, False, 6.0, -12.0, "C"),
    (PilotOutput.PWM, D, False, False, 3.0, -12.0, "D"),
    (PilotOutput.X1, D, False, False, 3.0, None, "D"),
    (PilotOutput.PWM, B, False, True, 8.8, -8.8, "B"),
    (PilotOutput.PWM, PilotLoad(EV_C_OHM, diode=False), False, False, 5.6, -5.6, "C"),
    (PilotOutput.PWM, C, True, False, 0.0, 0.0, "E"),
    (PilotOutput.X1, OPEN, True, False, 0.0, None, "E"),
    (PilotOutput.OFF, B, False, False, 0.0, None, "E"),
    (PilotOutput.F, C, False, False, -12.0, None, "F"),
    (PilotOutput.F, OPEN, False, False, -12.0, None, "F"),
]


@pytest.mark.parametrize(("output", "load", "shorted", "bridged", "high_V", "low_V", "name"), LEVELS)
def test_levels_of_the_pilot(
    output: PilotOutput, load: PilotLoad, shorted: bool, bridged: bool, high_V: float, low_V: float | None, name: str
) -> None:
    high, low = plateaus_V(output, load, shorted=shorted, diode_bridged=bridged)
    assert high == pytest.approx(high_V, abs=0.1)
    assert low is None if low_V is None else low == pytest.approx(low_V, abs=0.1)
    assert letter(Offered(output, 20.0, NOTHING), load, shorted=shorted) == name
