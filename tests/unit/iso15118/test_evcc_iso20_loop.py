"""ISO 15118-20 as a vehicle speaks it: what each response comes to in the loop and in standby, and how schedules are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iso15118.evcc.iso20.table import S
from iso15118.evcc.terms import (
    DrawPower,
    EvseAsks,
    EvWish,
    StopDrawing,
)
from iso15118.iso20.values import number, profile_slots
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_types as ct
from iso15118.minimal import minimal
from iso15118.terms import Ending, Slot, Wish
from tests.unit.iso15118.evcc_places import Place


def test_a_charger_that_wants_a_pause_before_it_begins(places: dict[S, Any]) -> None:
    request = Place(places, S.SCHEDULE).next(EVSEProcessing="Finished", GoToPause=True)
    assert isinstance(request, cm.SessionStopReq)
    assert request.ChargingSession == "Pause"


@pytest.mark.parametrize("state", [S.AC_TO_STANDBY, S.DC_TO_STANDBY])
def test_standby_is_not_allowed(places: dict[S, Any], state: S) -> None:
    """The loop goes on with energy, or the vehicle leaves."""
    place = Place(places, state)
    turn = place.hear(ResponseCode="WARNING_StandbyNotAllowed")
    assert turn.told == (DrawPower(),)
    assert place.dialect.drawing
    assert isinstance(place.ask(), (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq))
    place = Place(places, state)
    place.wants.standby_or_stop = True
    assert place.next(ResponseCode="WARNING_StandbyNotAllowed").ChargeProgress == "Stop"
    assert not place.dialect.drawing


NOTIFIED = {
    "Terminate": (Wish.STOP, "Stop"),
    "Pause": (Wish.PAUSE, "Stop"),
    "ServiceRenegotiation": (Wish.RENEGOTIATE_SERVICE, "Stop"),
    "ScheduleRenegotiation": (Wish.RENEGOTIATE_SCHEDULE, "ScheduleRenegotiation"),
    "MeteringConfirmation": (Wish.CONFIRM_METERING, ""),
}


@pytest.mark.parametrize("word", NOTIFIED)
@pytest.mark.parametrize("state", [S.AC_LOOP, S.DC_LOOP])
def test_what_the_charger_wants_is_done_or_not_heeded(places: dict[S, Any], state: S, word: Any) -> None:
    wish, progress = NOTIFIED[word]
    status = ct.EVSEStatusType(NotificationMaxDelay=30, EVSENotification=word)
    for heeds in (True, False):
        place = Place(places, state)
        place.dialect.talk.renegotiation, place.dialect.talk.meter = True, ct.MeterInfoType(MeterID="m", ChargedEnergyReadingWh=1)
        place.wants.heeds = frozenset({wish}) if heeds else frozenset(set(Wish) - {wish})
        turn = place.hear(EVSEStatus=status)
        assert EvseAsks(wish, 30) in turn.told
        assert any(isinstance(each, StopDrawing) for each in turn.told) == (heeds and progress == "Stop")
        request = place.ask()
        if not heeds:
            assert isinstance(request, (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq))
        elif progress:
            assert request.ChargeProgress == progress
        else:
            assert isinstance(request, cm.MeteringConfirmationReq)


def test_what_takes_time_is_forgotten_when_it_is_done(places: dict[S, Any]) -> None:
    place = Place(places, S.RESCHEDULE)
    talk = place.dialect.talk
    talk.since.clear()
    place.next(EVSEProcessing="Ongoing")
    assert set(talk.since) == {"schedule"}
    place.next(EVSEProcessing="Finished", Dynamic_SEResControlMode=cs.Dynamic_SEResControlModeType())
    assert talk.since == {}
    flags = [talk.rescheduling]
    place.next()
    assert [*flags, talk.rescheduling] == [True, False]
    renegotiation = Place(places, S.RENEGOTIATION)
    renegotiation.dialect.talk.since["schedule"] = 0.0
    renegotiation.next()
    assert renegotiation.dialect.talk.since.get("schedule") is None


@pytest.mark.parametrize("state", [S.AC_LOOP, S.DC_LOOP])
def test_other_services_are_not_asked_for_where_that_is_not_supported(places: dict[S, Any], state: S) -> None:
    place = Place(places, state)
    place.dialect.talk.renegotiation = False
    status = ct.EVSEStatusType(NotificationMaxDelay=0, EVSENotification="ServiceRenegotiation")
    assert isinstance(place.next(EVSEStatus=status), (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq))


@pytest.mark.parametrize("state", [S.AC_STANDBY, S.DC_STANDBY])
def test_in_standby_nothing_is_drawn(places: dict[S, Any], state: S) -> None:
    place = Place(places, state)
    place.wants.power_W = 5000.0
    request = place.next()
    if isinstance(request, ac.AC_ChargeLoopReq):
        assert isinstance(request.CLReqControlMode, ac.Dynamic_AC_CLReqControlMode)
        assert number(request.CLReqControlMode.EVPresentActivePower) == 0.0
    assert place.hear(EVSEStatus=ct.EVSEStatusType(NotificationMaxDelay=0, EVSENotification="MeteringConfirmation")).over is None
    assert isinstance(place.ask(), type(request)), "nothing to confirm"
    assert place.next(EVSEStatus=ct.EVSEStatusType(NotificationMaxDelay=0, EVSENotification="ExitStandby")).ChargeProgress == "Start"


def test_the_pace_of_the_loop(places: dict[S, Any]) -> None:
    """From question to question, whatever the answer takes."""
    place = Place(places, S.DC_LOOP)
    place.wants.loop_s = 0.2
    place.ask()
    place.later(0.05)
    assert place.hear().wait_s == pytest.approx(0.15)
    place.ask()
    place.later(0.5)
    assert place.hear().wait_s == 0.0


def test_in_dynamic_control_a_profile_says_what_the_vehicle_can_take(places: dict[S, Any]) -> None:
    place = Place(places, S.AC_STANDBY)
    place.wants.limits = replace(place.wants.limits, max_power_W=50_000.0)
    place.wants.needs = replace(place.wants.needs, departure_s=3600)
    place.wants.wish = EvWish.RESUME
    profile = place.next().EVPowerProfile
    assert profile.TimeAnchor == int(place.now.utc)
    assert profile.Dynamic_EVPPTControlMode is not None
    assert profile_slots(profile) == (Slot(0, 3600, 50_000.0),)
    place.wants.limits = replace(place.wants.limits, max_power_W=None)
    assert place.ask().EVPowerProfile is None


@pytest.mark.parametrize("state", [S.AC_STANDBY, S.DC_STANDBY])
def test_other_schedules_out_of_standby(places: dict[S, Any], state: S) -> None:
    place = Place(places, state)
    place.wants.wish, place.wants.other_schedules_aside = EvWish.RENEGOTIATE_SCHEDULE, True
    assert place.next().ChargeProgress == "ScheduleRenegotiation", "where no loop goes on nothing stands beside it"
    place.wants.wish = None
    assert isinstance(place.next(), cm.ScheduleExchangeReq)
    planned = place.next(EVSEProcessing="Finished", Dynamic_SEResControlMode=cs.Dynamic_SEResControlModeType())
    assert planned.ChargeProgress == "Start"
    assert isinstance(place.next(), (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq))
    assert place.dialect.drawing


@pytest.mark.parametrize("state", [S.AC_REPLAN, S.DC_REPLAN])
def test_other_schedules_beside_the_loop(places: dict[S, Any], state: S) -> None:
    """Nothing yet, and then a plan that is no plan of ours; what the charger wants of the loop is done all the same."""
    place = Place(places, state)
    place.wants.loop_s = 0.2
    place.later(0.05)
    assert place.hear(EVSEProcessing="Ongoing").wait_s == pytest.approx(0.2 - (place.now.mono - place.dialect.talk.looped_at))
    assert isinstance(place.ask(), (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq))
    again = place.next(EVSEStatus=ct.EVSEStatusType(NotificationMaxDelay=0, EVSENotification="ScheduleRenegotiation"))
    assert isinstance(again, cm.ScheduleExchangeReq), "once a round, and no second time for the charger's wish"
    turn = place.hear(EVSEProcessing="Finished", Scheduled_SEResControlMode=minimal(cs.Scheduled_SEResControlModeType))
    assert turn.over is Ending.ABORTED
    assert "control mode" in turn.why
    pause = Place(places, state).next(EVSEProcessing="Ongoing", GoToPause=True)
    assert pause.ChargeProgress == "Stop"


@pytest.mark.parametrize("fields", [{"EVSEProcessing": "Ongoing"}, {"EVSEProcessing": "Finished", "ResponseCode": "WARNING_ScheduleRenegotiationFailed"}])  # fmt: skip
def test_without_other_schedules_the_loop_goes_on(places: dict[S, Any], fields: dict[str, Any]) -> None:
    place = Place(places, S.DC_REPLAN)
    before = place.dialect.talk.profile
    place.hear(EVSEProcessing="Ongoing")
    place.ask()
    assert isinstance(place.next(), cm.ScheduleExchangeReq)
    place.later(60.1)
    assert isinstance(place.next(**fields), dc.DC_ChargeLoopReq)
    assert isinstance(place.next(), dc.DC_ChargeLoopReq), "asked for no more"
    assert place.dialect.talk.profile is before
    assert place.dialect.drawing


def test_a_vehicle_without_limits_still_has_a_profile_for_the_loop(places: dict[S, Any]) -> None:
    """A PowerDelivery without one would leave the loop."""
    place = Place(places, S.AC_REPLAN)
    place.wants.limits = replace(place.wants.limits, max_power_W=None)
    sent = place.next(EVSEProcessing="Finished", Dynamic_SEResControlMode=cs.Dynamic_SEResControlModeType())
    assert (sent.ChargeProgress, profile_slots(sent.EVPowerProfile)[0].power_W) == ("ScheduleRenegotiation", 0.0)
