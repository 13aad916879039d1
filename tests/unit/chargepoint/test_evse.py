"""The EVSE machine's edges: what belongs to another EVSE, hardware that refuses, boards with less, snapshots."""

from dataclasses import replace

import pytest

from chargepoint import codec
from chargepoint.commands import CloseContactor, LockCable, OpenContactor, SetDuty, SetX1
from chargepoint.config import EvseConfig
from chargepoint.events import (
    ChargingState,
    FaultAcknowledged,
    FaultCleared,
    FaultRaised,
    HardwareDone,
    HardwareFailed,
    LimitSet,
    OperationalChanged,
    PoweredUp,
    TokenForced,
    TransactionDurable,
    UnlockFinished,
    UnlockWanted,
)
from chargepoint.evse_state import EvseState
from chargepoint.facts import EvseFacts
from hal.types import (
    BoardFault,
    BoardRestarted,
    BoardSilence,
    ContactorFeedback,
    EvseInfo,
    LockState,
    MeterSilence,
    PilotVoltage,
    ResidualCurrentReset,
    ResidualCurrentTrip,
)
from tests.unit.chargepoint.rig import Rig, socket


def test_events_of_another_evse_are_not_ours() -> None:
    rig = Rig()
    assert rig.tell(PilotVoltage(2, 6.0, -12.0)) == []
    assert rig.tell(LimitSet(2, "csms", 6.0)) == []
    rig.run(1)
    assert not rig.facts.plugged


def test_events_of_the_station_are_everybodys() -> None:
    rig = Rig()
    rig.tell(BoardFault(0, "MREC8EmergencyStop", "", True))
    assert "EmergencyStop" in rig.facts.faults


def test_what_it_does_not_know_changes_nothing() -> None:
    rig = Rig()
    before = codec.dump(EvseState, rig.machine.state)
    assert rig.tell(TokenForced("cache", "x", "Accepted")) == []
    assert codec.dump(EvseState, rig.machine.state) == before


@pytest.mark.parametrize("command", ["SetX1", "SetDuty", "SetStateF"])
def test_a_pilot_output_that_was_refused_is_asked_for_again(command: str) -> None:
    rig = Rig().charging()
    rig.forget()
    rig.tell(HardwareFailed(1, command, "BoardSilent"))
    rig.run(1.5)
    assert len(rig.did(SetDuty)) == 1
    rig.deauthorise(at_once=True)
    rig.forget()
    rig.tell(HardwareFailed(1, "SetX1", "BoardSilent"))
    rig.run(1.5)
    assert rig.did(SetX1) == [SetX1(1)]


def test_an_opening_that_is_not_confirmed_is_commanded_again() -> None:
    rig = Rig().charging()
    rig.world.deaf = True
    rig.deauthorise(at_once=True)
    rig.run(5.5)
    assert len(rig.did(OpenContactor)) >= 5


@pytest.mark.req("F-14")
def test_an_opening_that_the_contactor_refuses_is_a_weld() -> None:
    rig = Rig().charging()
    rig.deauthorise(at_once=True)
    rig.tell(HardwareFailed(1, "OpenContactor", "ContactorFault"))
    assert "ContactorWelded" in rig.facts.faults


def test_without_mirror_contacts_the_answers_count() -> None:
    rig = Rig(traits=EvseInfo(contactor_feedback=False), power_up=False)
    rig.world.deaf = True
    rig.tell(PoweredUp("LocalReset", "00", {}))
    rig.tell(HardwareDone(1, "OpenContactor"))
    rig.world.deaf = False
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.show()
    rig.world.stuck_open = True  # no feedback comes
    rig.run(0.5)
    assert rig.did(CloseContactor)
    rig.tell(HardwareDone(1, "CloseContactor"))
    assert rig.charging_state() is ChargingState.CHARGING
    rig.deauthorise(at_once=True)
    rig.tell(HardwareDone(1, "OpenContactor"))
    assert not rig.facts.power_closed


def test_the_answer_to_opening_counts_as_feedback() -> None:
    rig = Rig().charging()
    rig.world.deaf = True
    rig.deauthorise(at_once=True)
    rig.tell(HardwareDone(1, "OpenContactor"))
    assert not rig.facts.power_closed


def test_late_answers_change_nothing() -> None:
    rig = Rig()
    rig.tell(HardwareDone(1, "CloseContactor"))
    rig.tell(HardwareFailed(1, "CloseContactor", "ContactorFault"))
    assert rig.facts.faults == {}
    assert not rig.facts.power_closed


@pytest.mark.req("F-13")
def test_the_driver_itself_may_report_the_meter_silent() -> None:
    rig = Rig().charging()
    rig.tell(MeterSilence(1))
    assert "MeterSilent" in rig.facts.faults
    rig.meter(16)
    assert [e.code for e in rig.said(FaultCleared)] == ["MeterSilent"]


def test_a_lock_that_reports_its_own_fault() -> None:
    rig = Rig(socket())
    rig.plug()
    rig.run(4)
    rig.tell(LockState(1, False, True))
    assert "ConnectorLockFailure" in rig.facts.faults
    assert not rig.facts.locked


def test_a_lock_motor_that_refuses_is_tried_three_times() -> None:
    rig = Rig(socket())
    rig.run(1)
    rig.world.deaf = True
    rig.plug()
    rig.world.deaf = False
    rig.show()
    rig.run(4)
    rig.world.deaf = True
    rig.authorise()
    rig.forget()
    for _ in range(3):
        rig.tell(HardwareFailed(1, "LockCable", "LockFault"))
    assert len(rig.did(LockCable)) == 2
    assert "ConnectorLockFailure" in rig.facts.faults


def test_an_unlocking_that_fails_is_answered() -> None:
    rig = Rig(socket())
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.run(1)
    rig.world.lock_broken = True
    rig.tell(UnlockWanted(1))
    rig.run(20)
    assert rig.said(UnlockFinished) == [UnlockFinished(1, unlocked=False)]


def test_the_answer_to_locking_counts_without_a_sensor() -> None:
    rig = Rig(socket())
    rig.plug()
    rig.run(4)
    rig.world.deaf = True
    rig.authorise()
    rig.tell(HardwareDone(1, "LockCable"))
    assert rig.facts.locked


@pytest.mark.req("F-15")
def test_a_trip_that_is_still_there_stays_after_acknowledging() -> None:
    rig = Rig()
    rig.tell(BoardFault(1, "RcdTrip", "", True))
    rig.tell(FaultAcknowledged(1))
    assert "ResidualCurrentTrip" in rig.facts.faults


@pytest.mark.req("F-15")
def test_the_count_of_trips_survives_a_restart() -> None:
    rig = Rig(stored={"1/residual_trips": 7, "2/residual_trips": 3})
    rig.tell(ResidualCurrentTrip(1, "dc"))
    assert rig.machine.state.residual_trips == 8


def test_acknowledging_one_code_leaves_the_others() -> None:
    rig = Rig(stored={"1/ContactorWelded": {"text": "x", "utc": 1.0}, "1/CutCable": {"text": "y", "utc": 1.0}})
    assert {e.code for e in rig.said(FaultRaised)} == {"ContactorWelded", "CutCable"}
    rig.tell(FaultAcknowledged(1, "ContactorWeld"))
    assert set(rig.facts.faults) == {"CutCable"}


def test_an_inoperative_evse_starts_nothing_but_finishes_what_runs() -> None:
    rig = Rig().charging()
    rig.facts.operative = False
    rig.tell(OperationalChanged(1, operative=False))
    rig.run(10)
    assert rig.closed()
    rig.deauthorise()
    rig.unplug()
    rig.run(5)
    rig.durable = False
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.run(10)
    assert rig.pilot() == "X1"
    assert not rig.closed()


def test_a_silent_board_is_taken_as_open_until_it_speaks_again() -> None:
    rig = Rig().charging()
    rig.run(10)
    rig.forget()
    rig.world.deaf = True
    rig.tell(BoardSilence(silent=True))
    assert rig.did(OpenContactor)
    assert "BoardSilent" in rig.facts.faults
    rig.run(5)
    rig.world.deaf, rig.world.closed = False, False
    rig.world.pilot = "X1"
    rig.tell(BoardSilence(silent=False))
    rig.run(20)
    rig.tell(ContactorFeedback(1, False, 0))
    rig.show()
    rig.run(10)
    assert rig.facts.faults == {}
    assert rig.closed()


def test_a_silence_while_open_needs_a_new_word_about_the_contactor() -> None:
    rig = Rig()
    rig.plug()
    rig.run(4)
    rig.tell(BoardSilence(silent=True))
    rig.tell(BoardSilence(silent=False))
    rig.authorise()
    rig.s2(True)
    rig.run(5)
    assert not rig.closed()
    rig.tell(ContactorFeedback(1, False, 0))
    rig.run(1)
    assert rig.closed()


def test_a_board_that_restarted_begins_anew() -> None:
    rig = Rig().charging()
    rig.run(10)
    rig.forget()
    rig.world.closed, rig.world.pilot = False, "X1"
    assert rig.tell(BoardRestarted())[:1] == [OpenContactor(1)]
    rig.show()
    rig.run(5)
    assert rig.closed()
    assert rig.when(SetDuty)[0] - rig.when(SetX1)[0] >= 3.0


@pytest.mark.parametrize("error", ["LeaseLapsed", "BoardSilent"])
def test_not_every_failed_closing_is_the_contactors_fault(error: str) -> None:
    rig = Rig()
    rig.world.stuck_open = True
    rig.plug(s2=True)
    rig.run(4)
    rig.authorise()
    rig.run(0.2)
    rig.tell(HardwareFailed(1, "CloseContactor", error))
    assert rig.facts.faults == {}
    rig.world.stuck_open = False
    rig.run(9)
    assert not rig.closed()
    rig.run(2)
    assert rig.closed()


@pytest.mark.req("F-15")
def test_a_device_that_does_not_take_the_re_arming_stays_tripped() -> None:
    rig = Rig()
    rig.tell(ResidualCurrentTrip(1, "ac"))
    rig.world.deaf = True
    rig.tell(FaultAcknowledged(1))
    rig.tell(HardwareFailed(1, "ResetResidualCurrent", "ResidualCurrentFault"))
    assert "ResidualCurrentTrip" in rig.facts.faults


@pytest.mark.req("F-15")
def test_re_arming_by_hand_does_not_replace_looking() -> None:
    rig = Rig()
    rig.tell(ResidualCurrentTrip(1, "ac"))
    rig.tell(ResidualCurrentReset(1))
    assert "ResidualCurrentTrip" in rig.facts.faults


@pytest.mark.req("S-20")
def test_the_boards_own_rating_is_a_bound() -> None:
    rig = Rig(EvseConfig(max_current_A=32), traits=EvseInfo(max_current_A=20))
    rig.charging()
    assert rig.facts.limit_A == pytest.approx(20)


def test_a_socket_without_a_lock_needs_none() -> None:
    rig = Rig(socket(), traits=EvseInfo(has_lock=False)).charging()
    assert rig.did(LockCable) == []


def test_a_snapshot_goes_on_where_it_was() -> None:
    """Two machines, one restored from the other's snapshot in mid-charge, answer alike from then on."""
    one = Rig().charging()
    other = Rig()
    other.now, other.world = one.now, replace(one.world)
    other.facts = codec.load(EvseFacts, codec.dump(EvseFacts, one.facts))
    other.machine.evse.facts = other.facts
    other.machine.state = codec.load(EvseState, codec.dump(EvseState, one.machine.state))
    one.forget()
    other.forget()
    for rig in (one, other):
        rig.run(3)
        rig.tell(LimitSet(1, "csms", 10.0))
        rig.run(8)
        rig.unplug()
        rig.run(1)
    assert one.commands == other.commands
    assert one.events == other.events


def test_a_contactor_that_opens_and_comes_back_is_closed_again_later() -> None:
    rig = Rig().charging()
    rig.world.closed = False
    rig.tell(ContactorFeedback(1, False, 0))
    rig.run(12)
    assert rig.closed()
    assert rig.facts.faults == {}


def test_more_than_80_a_of_hardware_is_offered_as_80() -> None:
    rig = Rig(EvseConfig(max_current_A=100))  # the loader refuses it; the pilot could not say it
    rig.plug()
    rig.run(4)
    rig.authorise()
    rig.tell(TransactionDurable(1, "tx"))
    rig.run(1)
    assert rig.facts.limit_A == pytest.approx(80)
