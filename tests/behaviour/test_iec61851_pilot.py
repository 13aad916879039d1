"""IEC 61851-1, mode 3: the pilot. Times are the rig's virtual ones."""

from dataclasses import replace
from itertools import pairwise

import pytest

from chargepoint.commands import CloseContactor, OpenContactor, SetDuty, SetStateF, SetX1
from chargepoint.config import EvseConfig
from chargepoint.events import (
    CablePluggedIn,
    ChargingState,
    ChargingStateChanged,
    EvDisconnected,
    FaultCleared,
    FaultRaised,
    LimitApplied,
    LimitSet,
)
from chargepoint.pilot import CpState
from hal.types import PilotVoltage
from tests.unit.chargepoint.rig import TIMINGS, Rig

CHARGING_PATH = [ChargingState.EV_CONNECTED, ChargingState.CHARGING]


def states(rig: Rig) -> list[ChargingState]:
    return [e.state for e in rig.said(ChargingStateChanged)]


def test_an_ordinary_charge_goes_through_a1_b1_b2_c2() -> None:
    rig = Rig()
    assert rig.cp() is CpState.A1
    rig.plug()
    rig.run(5)
    assert rig.cp() is CpState.B1
    assert rig.did(SetDuty) == []
    rig.authorise()
    rig.run(1)
    assert rig.cp() is CpState.B2
    assert rig.did(SetDuty)[-1].duty_percent == pytest.approx(16 / 0.6)
    rig.s2(True)
    rig.run(1)
    assert rig.cp() is CpState.C2
    assert rig.closed()
    assert states(rig) == CHARGING_PATH
    assert rig.charging_state() is ChargingState.CHARGING
    assert len(rig.said(CablePluggedIn)) == 1


def test_power_follows_c_within_3_s() -> None:
    rig = Rig()
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(4)
    asked = rig.now
    rig.s2(True)
    rig.run(3)
    assert rig.when(CloseContactor)[0] - asked <= 3.0


@pytest.mark.req("F-12")
def test_unplugging_under_load_opens_within_100_ms() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.unplug()
    pulled = rig.now
    rig.run(1)
    assert rig.when(OpenContactor)[0] - pulled <= 0.1
    assert not rig.closed()
    assert rig.said(EvDisconnected) == [EvDisconnected(1, under_load=True)]
    assert rig.charging_state() is ChargingState.IDLE
    assert rig.pilot() == "X1"


def test_s2_opening_opens_within_100_ms() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.s2(False)
    opened = rig.now
    rig.run(1)
    assert rig.when(OpenContactor)[0] - opened <= 0.1
    assert states(rig) == [ChargingState.SUSPENDED_EV]
    assert rig.pilot() == "X2", "the EV may come back by itself"


def test_a_short_of_the_pilot_opens_within_100_ms_and_is_a_fault_while_it_lasts() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.world.short = True
    rig.show()
    shorted = rig.now
    rig.run(1)
    assert rig.when(OpenContactor)[0] - shorted <= 0.1
    assert [f.code for f in rig.said(FaultRaised)] == ["PilotFault"]
    assert rig.pilot() == "X1"
    rig.world.short = False
    rig.show()
    rig.run(15)
    assert [f.code for f in rig.said(FaultCleared)] == ["PilotFault"]
    assert rig.closed(), "still authorised, still plugged: the charge goes on"


def test_one_bad_reading_does_not_open() -> None:
    rig = Rig().charging()
    rig.tell(PilotVoltage(1, 8.9, -12.0))
    rig.run(0.01)
    rig.show()
    rig.run(1)
    assert rig.closed()


def test_without_its_diode_nothing_closes() -> None:
    rig = Rig()
    rig.world.diode = False
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(0.2)
    rig.s2(True)
    rig.run(10)
    assert rig.did(CloseContactor) == []
    assert [f.code for f in rig.said(FaultRaised) if f.stops_charging] == ["DiodeFault"]
    rig.unplug()
    rig.run(1)
    assert "DiodeFault" in [f.code for f in rig.said(FaultCleared)]


def test_a_diode_that_fails_under_load_opens() -> None:
    rig = Rig().charging()
    rig.world.diode = False
    rig.show()
    failed = rig.now
    rig.forget()
    rig.run(2)
    assert rig.when(OpenContactor)[0] - failed <= 0.1
    assert "DiodeFault" in rig.facts.faults


@pytest.mark.parametrize("ventilation", [True, False])
def test_d_needs_ventilation(ventilation: bool) -> None:
    rig = Rig(EvseConfig(ventilation=ventilation))
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(1)
    rig.world.ventilated = True
    rig.s2(True)
    rig.run(2)
    assert rig.cp() is CpState.D2
    assert rig.closed() is ventilation


def test_deauthorised_the_ev_gets_3_s_then_it_opens_under_load() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.deauthorise()
    stopped = rig.now
    assert rig.pilot() == "X1"
    rig.run(2.9)
    assert rig.closed()
    rig.run(2)
    assert rig.when(OpenContactor)[0] - stopped == pytest.approx(3.0)


@pytest.mark.req("S-11")
def test_an_ev_that_obeys_is_opened_without_load() -> None:
    rig = Rig().charging()
    rig.deauthorise()
    rig.run(0.5)
    rig.s2(False)
    rig.run(0.2)
    assert not rig.closed()


@pytest.mark.req("S-11")
def test_at_once_means_at_once() -> None:
    rig = Rig().charging()
    rig.deauthorise(at_once=True)
    rig.run(0.05)
    assert not rig.closed()


def test_a_pause_holds_c1_for_6_s_at_most() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.tell(LimitSet(1, "csms", 0.0))
    paused = rig.now
    assert rig.pilot() == "X1"
    assert rig.charging_state() is ChargingState.SUSPENDED_EVSE
    rig.run(5.9)
    assert rig.closed()
    rig.run(1)
    assert rig.when(OpenContactor)[0] - paused == pytest.approx(6.0)
    rig.tell(LimitSet(1, "csms", None))
    rig.run(12)
    assert rig.charging_state() is ChargingState.CHARGING


def test_a_pause_that_ends_in_time_never_opens() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.tell(LimitSet(1, "csms", 3.0))
    rig.run(1)
    rig.tell(LimitSet(1, "csms", 10.0))
    assert rig.pilot() == "X1", "T_step_X1: 3 s without PWM"
    rig.run(2.5)
    assert rig.pilot() == "X2"
    rig.run(5)
    assert rig.did(OpenContactor) == []
    assert rig.charging_state() is ChargingState.CHARGING


def test_the_pwm_changes_at_most_every_5_s() -> None:
    rig = Rig().charging()
    rig.run(6)
    rig.forget()
    for current_A in (15, 14, 13, 12, 11, 10):
        rig.tell(LimitSet(1, "csms", float(current_A)))
        rig.run(1)
    rig.run(6)
    moments = rig.when(SetDuty)
    assert all(b - a >= 5.0 for a, b in pairwise(moments))
    assert [e.current_A for e in rig.said(LimitApplied)] == [pytest.approx(15), pytest.approx(11), pytest.approx(10)]


def test_a_reduction_for_safety_does_not_wait() -> None:
    rig = Rig().charging()
    rig.run(6)
    rig.tell(LimitSet(1, "csms", 14.0))
    rig.forget()
    rig.tell(LimitSet(1, "local", 8.0))
    assert rig.did(SetDuty)[-1].duty_percent == pytest.approx(8 / 0.6)


@pytest.mark.req("S-20")
def test_nobody_raises_the_offer_above_the_hardware() -> None:
    rig = Rig(EvseConfig(max_current_A=16)).charging()
    for source in ("csms", "local", "hardware", "cable"):
        rig.tell(LimitSet(1, source, 80.0))
    rig.run(20)
    assert max(d.duty_percent for d in rig.did(SetDuty)) == pytest.approx(16 / 0.6)


def test_an_old_ev_is_woken_once_and_then_left_alone() -> None:
    rig = Rig()
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(1)
    rig.forget()
    rig.run(60)
    (pulse,) = rig.when(SetStateF)
    (x1,) = rig.when(SetX1)
    (pwm,) = rig.when(SetDuty)
    assert x1 - pulse == pytest.approx(4.0)
    assert 0.5 <= pwm - x1 <= 1.0
    assert rig.facts.plugged
    assert rig.said(EvDisconnected) == []


def test_after_the_wake_up_the_ev_counts_as_paused_by_itself() -> None:
    rig = Rig()
    rig.plug()
    rig.run(4)
    rig.authorise()
    from chargepoint.events import TransactionDurable

    rig.tell(TransactionDurable(1, "tx-1"))
    rig.run(60)
    assert states(rig) == [ChargingState.EV_CONNECTED, ChargingState.SUSPENDED_EV]
    rig.s2(True)
    rig.run(1)
    assert rig.charging_state() is ChargingState.CHARGING


def test_no_wake_up_for_an_ev_that_has_drawn() -> None:
    rig = Rig().charging()
    rig.s2(False)
    rig.forget()
    rig.run(100)
    assert rig.did(SetStateF) == []


def test_an_ev_unplugged_during_the_wake_up_is_seen_after_it() -> None:
    rig = Rig()
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(33)
    assert rig.pilot() == "F"
    rig.unplug()
    rig.run(5)
    assert len(rig.said(EvDisconnected)) == 1
    assert rig.pilot() == "X1"


def test_bcb_toggles_do_not_disturb() -> None:
    rig = Rig(timings=replace(TIMINGS, reclose_after_s=0.0))
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(1)
    for _ in range(3):
        rig.s2(True)
        rig.run(0.3)
        rig.s2(False)
        rig.run(0.3)
    assert not rig.closed()
    rig.s2(True)
    rig.run(1)
    assert rig.closed()
    assert rig.facts.faults == {}


def test_the_contactor_is_spared_when_an_ev_toggles() -> None:
    rig = Rig().charging()
    for _ in range(30):
        rig.s2(False)
        rig.run(0.3)
        rig.s2(True)
        rig.run(0.3)
    assert len(rig.did(CloseContactor)) <= 3
