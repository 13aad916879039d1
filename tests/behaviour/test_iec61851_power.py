"""IEC 61851-1 and the faults of the project's safety list: contactor, lock, cable, residual current, over-current, meter, lease."""

from dataclasses import replace
from itertools import pairwise

import pytest

from chargepoint.commands import (
    CloseContactor,
    LockCable,
    OpenContactor,
    Permit,
    Persist,
    Put,
    ResetResidualCurrent,
    SetX1,
    UnlockCable,
    WithdrawPermit,
)
from chargepoint.config import EvseConfig
from chargepoint.events import (
    ChargingState,
    EvDisconnected,
    FaultAcknowledged,
    FaultCleared,
    FaultRaised,
    HardwareFailed,
    LimitSet,
    PhasesWanted,
    PoweredUp,
    PowerSwitched,
    PowerWanted,
    ShutdownRequested,
    SupplyStopped,
    TimerExpired,
    TransactionDurable,
    TransactionEnded,
    TransactionNotStored,
    UnlockFinished,
    UnlockWanted,
)
from hal.types import (
    BoardFault,
    ContactorFeedback,
    EvseInfo,
    PhaseWiring,
    PilotState,
    ProximityResistance,
    ResidualCurrentTrip,
    TemperatureSample,
)
from tests.unit.chargepoint.rig import TIMINGS, Rig, socket


def raised(rig: Rig) -> list[str]:
    return [e.code for e in rig.said(FaultRaised)]


# ---- start and end


@pytest.mark.req("F-1")
def test_opening_is_the_first_thing_after_power_up() -> None:
    rig = Rig(power_up=False)
    assert rig.tell(PoweredUp("PowerUp", "00", {}))[:3] == [OpenContactor(1), WithdrawPermit(1), SetX1(1)]


@pytest.mark.req("F-17")
def test_after_a_power_loss_nothing_closes_for_10_s() -> None:
    rig = Rig(timings=replace(TIMINGS, close_after_boot_s=10.0), reason="PowerUp")
    started = rig.now - 0.1
    rig.plug(s2=True)
    rig.authorise()
    rig.run(30)
    assert rig.when(CloseContactor)[0] - started == pytest.approx(10.0, abs=0.3)


@pytest.mark.req("F-17")
def test_after_a_commanded_reset_nothing_waits() -> None:
    rig = Rig(timings=replace(TIMINGS, close_after_boot_s=10.0), reason="RemoteReset")
    rig.plug(s2=True)
    rig.authorise()
    rig.run(4)
    assert rig.closed()


@pytest.mark.req("F-17")
def test_the_jitter_differs_between_stations_and_stays_in_its_bound() -> None:
    holds = []
    for seed in ("aa", "bb", "cc"):
        rig = Rig(timings=replace(TIMINGS, boot_jitter_s=30.0), power_up=False)
        rig.tell(PoweredUp("PowerUp", seed, {}))
        holds.append(rig.machine.state.settled_at - rig.now)
    assert len(set(holds)) == 3
    assert all(0 <= hold <= 30 for hold in holds)


@pytest.mark.req("F-18")
def test_shutting_down_opens_first() -> None:
    rig = Rig().charging()
    assert rig.tell(ShutdownRequested())[:2] == [OpenContactor(1), WithdrawPermit(1)]
    rig.run(30)
    assert not rig.closed()
    assert rig.pilot() == "X1"


def test_nothing_closes_before_the_first_input() -> None:
    rig = Rig(power_up=False)
    rig.plug(s2=True)
    rig.authorise()
    rig.tell(TransactionDurable(1, "tx"))
    rig.run(60)
    assert rig.did(CloseContactor) == []
    assert rig.did(Permit) == []


# ---- permission


@pytest.mark.req("F-1")
def test_closing_waits_for_the_durable_started() -> None:
    rig = Rig(durable=False)
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(1)
    assert rig.said(PowerWanted) == [], "nobody wants power yet: TxStartPoint EnergyTransfer is not reached"
    rig.s2(True)
    rig.run(5)
    assert len(rig.said(PowerWanted)) == 1
    assert rig.did(CloseContactor) == []
    rig.tell(TransactionDurable(1, "tx-1"))
    rig.run(1)
    assert rig.closed()


@pytest.mark.req("F-2")
def test_a_started_that_cannot_be_stored_gives_no_power_and_is_wanted_again() -> None:
    rig = Rig(durable=False)
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.run(1)
    rig.tell(TransactionNotStored(1))
    rig.run(9)
    assert len(rig.said(PowerWanted)) == 1
    rig.run(2)
    assert len(rig.said(PowerWanted)) == 2
    assert rig.did(CloseContactor) == []


@pytest.mark.req("S-10", "S-11")
def test_deauthorised_before_durable_never_closes() -> None:
    rig = Rig(durable=False)
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.run(1)
    rig.deauthorise()
    rig.tell(TransactionDurable(1, "tx-1"))
    rig.run(30)
    assert rig.did(CloseContactor) == []


@pytest.mark.req("S-10")
def test_the_next_car_inherits_nothing() -> None:
    rig = Rig().charging()
    rig.unplug()
    rig.run(20)
    rig.plug(s2=True)
    rig.run(60)
    assert not rig.closed()
    assert rig.charging_state() is ChargingState.EV_CONNECTED


def test_supply_stopped_pauses_and_comes_back() -> None:
    rig = Rig().charging()
    rig.run(10)
    rig.tell(SupplyStopped(1, stopped=True, cause="energy limit"))
    rig.run(0.5)
    rig.s2(False)
    rig.run(1)
    assert not rig.closed()
    assert rig.charging_state() is ChargingState.SUSPENDED_EVSE
    rig.tell(SupplyStopped(1, stopped=False, cause="energy limit"))
    rig.run(4)
    rig.s2(True)
    rig.run(1)
    assert rig.charging_state() is ChargingState.CHARGING


def test_the_end_of_the_transaction_ends_power() -> None:
    rig = Rig().charging()
    rig.durable = False
    rig.tell(TransactionEnded(1, "tx-1"))
    rig.run(3.1)
    assert not rig.closed()


# ---- contactor


@pytest.mark.req("F-14")
def test_a_weld_is_found_latched_and_kept_over_a_restart() -> None:
    rig = Rig().charging()
    rig.world.welded = True
    rig.deauthorise(at_once=True)
    opened = rig.now
    rig.run(0.5)
    at = next(t for t, e in rig.events if isinstance(e, FaultRaised) and e.code == "ContactorWelded")
    assert at - opened == pytest.approx(0.2, abs=0.05)
    assert rig.pilot() == "F"
    stored = {w.key: w.value for p in rig.did(Persist) for w in p.writes if isinstance(w, Put)}
    assert "1/ContactorWelded" in stored

    again = Rig(stored=stored)
    again.plug(s2=True)
    again.authorise()
    again.run(60)
    assert again.did(CloseContactor) == []
    assert again.pilot() == "F"
    again.tell(FaultAcknowledged(1))
    again.run(5)
    again.authorise()
    again.run(5)
    assert again.closed()


@pytest.mark.req("F-14")
def test_an_ev_on_a_weld_sees_f_and_its_unplugging_is_seen() -> None:
    rig = Rig().charging()
    rig.world.welded = True
    rig.deauthorise(at_once=True)
    rig.run(4.0)
    assert rig.pilot() == "F"
    rig.run(1.0)
    assert rig.pilot() == "X1"
    rig.unplug()
    rig.run(1.0)
    assert rig.said(EvDisconnected) == [EvDisconnected(1, under_load=False)]
    assert rig.pilot() == "F", "not available"


@pytest.mark.req("F-14")
def test_acknowledging_a_weld_that_is_still_there_helps_nothing() -> None:
    rig = Rig().charging()
    rig.world.welded = True
    rig.deauthorise(at_once=True)
    rig.run(1)
    rig.tell(FaultAcknowledged(1))
    rig.run(1)
    assert "ContactorWelded" in rig.facts.faults


def test_a_contactor_that_does_not_close_is_a_fault_until_unplugged() -> None:
    rig = Rig()
    rig.world.stuck_open = True
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.run(60)
    assert "ContactorFailedToClose" in rig.facts.faults
    assert len(rig.did(CloseContactor)) == 1
    rig.unplug()
    rig.run(1)
    assert "ContactorFailedToClose" not in rig.facts.faults


def test_a_refused_closing_is_a_fault_at_once() -> None:
    rig = Rig()
    rig.world.stuck_open = True
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.run(0.2)
    rig.tell(HardwareFailed(1, "CloseContactor", "ContactorFault"))
    assert "ContactorFailedToClose" in rig.facts.faults


def test_a_contactor_that_keeps_dropping_is_a_fault() -> None:
    rig = Rig().charging()
    for _ in range(3):
        rig.world.closed = False
        rig.tell(ContactorFeedback(1, False, 0))
        assert not rig.facts.power_closed
        rig.run(11)
    assert "ContactorDropped" in rig.facts.faults


def test_a_contactor_that_closes_unasked_is_a_weld() -> None:
    rig = Rig()
    rig.world.welded = rig.world.closed = True
    rig.tell(ContactorFeedback(1, True, 3))
    rig.run(0.3)
    assert "ContactorWelded" in rig.facts.faults


# ---- the lease


@pytest.mark.req("F-16")
def test_the_lease_is_renewed_at_half_its_time_at_most_and_only_while_closed() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.run(5)
    moments = rig.when(Permit)
    assert all(b - a <= TIMINGS.permit_ttl_s / 2 for a, b in pairwise(moments))
    assert rig.closed()
    rig.unplug()
    rig.run(0.1)
    rig.forget()
    rig.run(5)
    assert rig.did(Permit) == []


@pytest.mark.req("F-16")
def test_an_overrun_of_the_lease_means_open() -> None:
    rig = Rig().charging()
    rig.run(20)
    rig.forget()
    rig.now += 1.0  # the process hung; the hardware has opened by itself
    rig.world.closed = False
    out = rig.tell(TimerExpired())
    assert out[:2] == [OpenContactor(1), WithdrawPermit(1)]
    rig.run(1)
    assert rig.said(PowerSwitched) == [PowerSwitched(1, closed=False)]
    rig.run(12)
    assert rig.closed(), "all else holds: it closes again, after a while"


@pytest.mark.req("F-16")
def test_a_lease_that_the_board_did_not_take_opens() -> None:
    rig = Rig().charging()
    rig.forget()
    rig.tell(HardwareFailed(1, "Permit", "BoardSilent"))
    assert rig.did(OpenContactor)


# ---- cable and lock


def test_a_socket_locks_before_it_closes_and_unlocks_at_the_end() -> None:
    rig = Rig(socket())
    rig.charging()
    assert rig.when(LockCable)[0] < rig.when(CloseContactor)[0]
    assert rig.facts.locked
    rig.deauthorise()
    rig.run(0.5)
    rig.s2(False)
    rig.run(2)
    assert not rig.plug_locked()
    assert not rig.closed()


def test_the_plug_stays_locked_while_there_is_power() -> None:
    rig = Rig(socket()).charging()
    rig.tell(UnlockWanted(1))
    rig.run(1)
    assert rig.said(UnlockFinished) == [UnlockFinished(1, unlocked=False)]
    assert rig.plug_locked()


def test_unlocking_by_request() -> None:
    rig = Rig(socket())
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(2)
    assert rig.plug_locked()
    rig.tell(UnlockWanted(1))
    rig.run(2)
    assert rig.said(UnlockFinished) == [UnlockFinished(1, unlocked=True)]
    assert not rig.plug_locked()


def test_a_broken_lock_gives_no_power_and_an_answer() -> None:
    rig = Rig(socket())
    rig.world.lock_broken = True
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.run(60)
    assert "ConnectorLockFailure" in rig.facts.faults
    assert rig.did(CloseContactor) == []


def test_a_lock_that_opens_under_load_opens_the_contactor() -> None:
    from hal.types import LockState

    rig = Rig(socket()).charging()
    rig.tell(LockState(1, False, False))
    rig.run(0.05)
    assert not rig.closed()


@pytest.mark.parametrize(("ohm", "expected_A"), [(1500, 13), (680, 20), (220, 32), (100, 32)])
@pytest.mark.req("S-20")
def test_the_cable_limits_the_offer(ohm: float, expected_A: float) -> None:
    rig = Rig(socket())
    rig.plug(ohm=ohm)
    rig.run(4)
    rig.authorise()
    rig.run(4)
    assert rig.facts.limit_A == pytest.approx(expected_A)
    assert rig.facts.limit_reason == ("hardware" if expected_A == 32 else "cable")


@pytest.mark.parametrize("ohm", [0.0, 50.0, 350.0, 3000.0, float("nan")])
def test_a_coding_out_of_range_is_a_fault(ohm: float) -> None:
    rig = Rig(socket())
    rig.plug(s2=True, ohm=ohm)
    rig.run(4)
    rig.authorise()
    rig.run(10)
    assert "ProximityFault" in rig.facts.faults
    assert rig.did(CloseContactor) == []
    rig.unplug()
    rig.run(1)
    assert rig.facts.faults == {}


def test_a_plug_drawn_from_the_socket_under_load_opens() -> None:
    rig = Rig(socket()).charging()
    rig.tell(ProximityResistance(1, None))
    rig.run(0.05)
    assert not rig.closed()


def test_a_tethered_cable_has_no_coding_and_no_lock() -> None:
    rig = Rig(EvseConfig(connector="cType2")).charging()
    assert rig.did(LockCable) == []
    assert rig.did(UnlockCable) == []
    rig.tell(UnlockWanted(1))
    assert rig.said(UnlockFinished) == [UnlockFinished(1, unlocked=False)]


# ---- residual current, over-current, meter, heat


@pytest.mark.req("F-15")
def test_a_residual_trip_opens_and_waits_for_a_person() -> None:
    rig = Rig().charging()
    rig.tell(ResidualCurrentTrip(1, "dc"))
    rig.run(0.05)
    assert not rig.closed()
    assert rig.pilot() == "X1"
    rig.run(3600)
    assert not rig.closed()
    stored = {w.key: w.value for p in rig.did(Persist) for w in p.writes if isinstance(w, Put)}
    assert stored["1/residual_trips"] == 1
    rig.tell(FaultAcknowledged(1))
    assert rig.did(ResetResidualCurrent)
    rig.run(5)
    assert rig.closed()


@pytest.mark.req("F-15")
def test_auto_reclose_only_as_often_as_configured() -> None:
    rig = Rig(EvseConfig(residual_reclose_attempts=2)).charging()
    for _ in range(2):
        rig.tell(ResidualCurrentTrip(1, "dc"))
        rig.run(310)
        assert rig.closed()
    rig.tell(ResidualCurrentTrip(1, "dc"))
    rig.run(3000)
    assert not rig.closed()
    assert len(rig.did(ResetResidualCurrent)) == 2
    assert rig.machine.state.residual_trips == 3


@pytest.mark.req("S-20")
def test_over_current_by_more_than_10_percent_for_7_s_stops() -> None:
    rig = Rig().charging()
    rig.meter(18.2, 6)
    assert rig.closed()
    rig.meter(18.2, 2)
    assert "OverCurrent" in rig.facts.faults
    rig.run(0.05)
    assert not rig.closed()


@pytest.mark.req("S-20")
def test_over_current_by_more_than_25_percent_for_1_s_stops() -> None:
    rig = Rig().charging()
    rig.meter(20.5, 1)
    assert "OverCurrent" in rig.facts.faults


@pytest.mark.req("S-20")
def test_a_little_over_is_tolerated() -> None:
    rig = Rig().charging()
    rig.meter(18.0, 60)
    assert rig.closed()


@pytest.mark.req("S-20")
def test_over_current_is_found_when_the_meter_falls_silent_after_it() -> None:
    rig = Rig().charging()
    rig.meter(40.0)
    rig.run(3)
    assert "OverCurrent" in rig.facts.faults


@pytest.mark.req("S-20")
def test_after_a_reduction_the_old_limit_counts_for_6_s() -> None:
    rig = Rig().charging()
    rig.run(6)
    rig.tell(LimitSet(1, "csms", 6.0))
    rig.meter(16.0, 5)
    assert rig.closed()
    rig.meter(16.0, 3)
    assert "OverCurrent" in rig.facts.faults


@pytest.mark.req("S-20")
def test_current_through_an_open_contactor_is_a_weld_without_feedback() -> None:
    rig = Rig().charging()
    rig.deauthorise(at_once=True)
    rig.run(1)
    rig.meter(10.0, 4)
    assert "CurrentWhileOpen" in rig.facts.faults


@pytest.mark.req("F-13")
def test_a_silent_meter_freezes_energy_and_is_told() -> None:
    rig = Rig(timings=replace(TIMINGS, meter_silence_s=10.0)).charging()
    rig.meter(16.0)
    energy_Wh = rig.world.energy_Wh
    rig.run(20)
    assert "MeterSilent" in rig.facts.faults
    assert rig.closed()
    assert rig.facts.meter is not None
    assert rig.facts.meter.energy_import_Wh == energy_Wh
    rig.meter(16.0)
    assert "MeterSilent" not in rig.facts.faults


@pytest.mark.req("F-13")
def test_where_nothing_is_sold_unmeasured_a_silent_meter_stops() -> None:
    rig = Rig(EvseConfig(on_meter_silence="stops"), timings=replace(TIMINGS, meter_silence_s=10.0)).charging()
    rig.meter(16.0)
    rig.run(14)
    assert not rig.closed()


@pytest.mark.req("S-12")
def test_a_register_that_goes_backwards_is_no_reading() -> None:
    rig = Rig(timings=replace(TIMINGS, meter_silence_s=10.0)).charging()
    rig.meter(16.0)
    before = rig.facts.meter
    rig.world.energy_Wh = 5.0
    rig.meter(16.0, 12)
    assert rig.facts.meter == before
    assert "MeterSilent" in rig.facts.faults


def test_heat_takes_current_away_and_in_the_end_all_of_it() -> None:
    rig = Rig().charging()
    rig.tell(TemperatureSample(1, "relay", 70.0))
    assert rig.facts.limit_A == pytest.approx(11.0)
    assert rig.facts.limit_reason == "thermal"
    rig.tell(TemperatureSample(1, "relay", 81.0))
    rig.run(7)
    assert "OverTemperature" in rig.facts.faults
    assert not rig.closed()
    rig.tell(TemperatureSample(1, "relay", 50.0))
    rig.run(20)
    assert rig.closed()


@pytest.mark.parametrize("code", ["MREC8EmergencyStop", "GroundFailure", "Zorp", "ContactorWeld", "RcdTrip"])
def test_faults_that_the_board_reports_open_at_once(code: str) -> None:
    rig = Rig().charging()
    rig.tell(BoardFault(1, code, "", True))
    rig.run(0.05)
    assert not rig.closed()
    rig.tell(BoardFault(1, code, "", False))
    rig.tell(FaultAcknowledged(1))
    rig.run(20)
    assert rig.facts.faults == {}
    assert "FaultCleared" in {type(e).__name__ for e in rig.said(FaultCleared)}


def test_two_reports_of_one_fault_end_with_the_second() -> None:
    rig = Rig()
    rig.tell(BoardFault(1, "Zorp", "", True))
    rig.tell(BoardFault(1, "Blub", "", True))
    rig.tell(BoardFault(1, "Zorp", "", False))
    assert "OtherError" in rig.facts.faults
    rig.tell(BoardFault(1, "Blub", "", False))
    assert rig.facts.faults == {}


# ---- phases


def test_phases_change_only_open_without_pwm_and_after_the_wait() -> None:
    rig = Rig(traits=EvseInfo(max_current_A=80, phase_wiring=PhaseWiring.SERIAL)).charging()
    assert rig.did(CloseContactor)[-1].phases == 3
    rig.run(20)
    rig.forget()
    rig.tell(PhasesWanted(1, 1))
    assert rig.pilot() == "X1"
    rig.run(1)
    rig.s2(False)
    rig.run(0.1)
    opened = rig.now
    rig.run(9)
    assert rig.pilot() == "X1"
    rig.run(2)
    assert rig.pilot() == "X2"
    rig.s2(True)
    rig.run(1)
    assert rig.did(CloseContactor)[-1].phases == 1
    assert rig.when(CloseContactor)[-1] - opened >= 10


def test_a_board_that_cannot_switch_phases_is_left_alone() -> None:
    rig = Rig().charging()
    rig.tell(PhasesWanted(1, 1))
    rig.run(1)
    assert rig.closed()


# ---- boards that run the pilot themselves


def delegated() -> Rig:
    return Rig(traits=EvseInfo(closes_by_itself=True), durable=False)


def test_a_self_closing_board_gets_pwm_only_when_all_else_holds() -> None:
    rig = delegated()
    rig.tell(PilotState(1, "B"))
    rig.run(4)
    rig.authorise()
    rig.run(1)
    assert rig.pilot() == "X1"
    assert len(rig.said(PowerWanted)) == 1
    rig.tell(TransactionDurable(1, "tx-1"))
    assert rig.did(Permit)
    assert rig.pilot() == "X2"
    rig.tell(PilotState(1, "C"))
    rig.tell(ContactorFeedback(1, True, 3))
    rig.run(30)
    assert rig.charging_state() is ChargingState.CHARGING
    assert rig.did(CloseContactor) == []
    rig.tell(ContactorFeedback(1, False, 3))
    rig.tell(PilotState(1, "B"))
    rig.run(1)
    assert rig.charging_state() is ChargingState.SUSPENDED_EV
    assert rig.pilot() == "X2"
    rig.forget()
    rig.deauthorise()
    rig.run(0.1)
    assert rig.pilot() == "X1"
    assert rig.did(WithdrawPermit)


def test_a_self_closing_board_that_does_not_open_is_told_to() -> None:
    rig = delegated()
    rig.tell(PilotState(1, "B"))
    rig.run(4)
    rig.authorise()
    rig.tell(TransactionDurable(1, "tx-1"))
    rig.tell(PilotState(1, "C"))
    rig.tell(ContactorFeedback(1, True, 3))
    rig.run(5)
    rig.forget()
    rig.tell(PilotState(1, "B"))
    rig.run(0.3)
    assert rig.did(OpenContactor)
