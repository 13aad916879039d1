"""ISO 15118-20 as a vehicle speaks it: what each response comes to outside of the loop, in the states that a real session brings it to."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chargepoint.tick import Tick
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.iso20.table import S
from iso15118.evcc.session import Turn
from iso15118.evcc.terms import (
    CloseContactors,
    EvWish,
    OpenContactors,
    SessionJoined,
    StopDrawing,
    Wants,
    WeldingSeen,
    WishTaken,
)
from iso15118.iso20.values import number, rational
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct
from iso15118.minimal import minimal
from iso15118.terms import Ending, Energy, Payment
from tests.unit.iso15118.evcc_places import AWAITED, BEFORE, RIGHT, UNDER_POWER, Place


def test_a_session_brings_a_vehicle_everywhere(places: dict[S, Any]) -> None:
    assert set(places) >= set(AWAITED)


@pytest.mark.parametrize("state", AWAITED)
@pytest.mark.parametrize("code", ["FAILED", "FAILED_SequenceError", "FAILED_UnknownSession", "FAILED_ContactorError"])
def test_failed_is_the_end_everywhere(places: dict[S, Any], state: S, code: str) -> None:
    place = Place(places, state)
    drawing = place.dialect.drawing
    turn = place.hear(ResponseCode=code)
    assert turn.over is Ending.ABORTED
    assert code in turn.why
    assert [type(each) for each in turn.told] == ([StopDrawing] if drawing else [])
    assert not place.dialect.drawing
    assert place.dialect.state is S.OVER


@pytest.mark.parametrize("state", [state for state in AWAITED if state is not S.SETUP])
def test_a_strange_session_id_is_the_end_everywhere(places: dict[S, Any], state: S) -> None:
    turn = Place(places, state).hear(Header=ct.MessageHeaderType(SessionID=b"somebody", TimeStamp=0))
    assert turn.over is Ending.ABORTED
    assert "session id" in turn.why


@pytest.mark.parametrize("state", [*BEFORE, *UNDER_POWER])
def test_a_vehicle_may_stop_anywhere(places: dict[S, Any], state: S) -> None:
    place = Place(places, state)
    drawing = place.dialect.drawing
    place.wants.wish = EvWish.STOP
    turn = place.hear(**RIGHT.get(state, {}))
    assert turn.over is None, turn.why
    assert WishTaken(EvWish.STOP) in turn.told
    assert isinstance(turn.told[0], StopDrawing) == drawing
    request = place.ask()
    if state in BEFORE:
        assert isinstance(request, cm.SessionStopReq)
        assert request.ChargingSession == "Terminate"
    else:
        assert isinstance(request, cm.PowerDeliveryReq)
        assert request.ChargeProgress == "Stop"


@pytest.mark.parametrize("state", BEFORE)
def test_a_pause_waits_until_there_was_power(places: dict[S, Any], state: S) -> None:
    place = Place(places, state)
    place.wants.wish = EvWish.PAUSE
    right = RIGHT.get(state, {})
    if state is S.SCHEDULE:
        right = {"EVSEProcessing": "Finished", "Dynamic_SEResControlMode": cs.Dynamic_SEResControlModeType()}
    turn = place.hear(**right)
    assert WishTaken(EvWish.PAUSE) not in turn.told


# ---- set-up


def test_only_energies_of_the_agreed_namespace_are_taken(places: dict[S, Any]) -> None:
    """A charger may offer what another namespace is for."""
    place = Place(places, S.DISCOVERY)
    place.dialect.talk.energies = (Energy.DC, Energy.DC_BPT)
    place.wants.energies = (Energy.AC, Energy.DC)
    services = sv.ServiceListType(Service=(sv.ServiceType(ServiceID=1, FreeService=True), sv.ServiceType(ServiceID=2, FreeService=True)))
    assert place.next(EnergyTransferServiceList=services).ServiceID == 2


def test_parameters_of_another_direction(places: dict[S, Any]) -> None:
    for state, field, kind in (
        (S.AC_PARAMETERS, "AC_CPDResEnergyTransferMode", ac.BPT_AC_CPDResEnergyTransferMode),
        (S.DC_PARAMETERS, "DC_CPDResEnergyTransferMode", dc.BPT_DC_CPDResEnergyTransferMode),
    ):
        turn = Place(places, state).hear(**{field: minimal(kind)})
        assert turn.over is Ending.ABORTED
        assert "not those of the chosen service" in turn.why


def test_after_other_services_everything_begins_anew(places: dict[S, Any]) -> None:
    place = Place(places, S.ENDING)
    talk = place.dialect.talk
    talk.ending, talk.loops, talk.rescheduling = "ServiceRenegotiation", 7, True
    talk.since["welding"] = 0.0
    assert isinstance(place.next(), cm.ServiceDiscoveryReq)
    assert (talk.since, talk.loops, talk.profile, talk.ending) == ({}, 0, None, "Terminate")
    assert [talk.close_told, talk.started, talk.rescheduling, talk.welding_said_finished] == [False] * 4


def test_session_ids(places: dict[S, Any]) -> None:
    zero, ours, theirs = bytes(8), b"our old1", b"their ol"

    def hear(code: str, session_id: bytes) -> Turn:
        place = Place(places, S.SETUP)
        place.dialect.talk.session_id = b""
        place.wants.resume = ours
        return place.hear(ResponseCode=code, Header=ct.MessageHeaderType(SessionID=session_id, TimeStamp=0))

    assert hear("OK_NewSessionEstablished", zero).over is Ending.ABORTED
    assert hear("OK_OldSessionJoined", theirs).over is Ending.ABORTED
    assert hear("OK_OldSessionJoined", ours).told == (SessionJoined(ours, "", resumed=True),)
    assert hear("OK_NewSessionEstablished", theirs).told == (SessionJoined(theirs, "", resumed=False),)


def test_a_paused_session_is_asked_for_by_its_id() -> None:
    dialect = spoken(Wants(resume=b"our old1"))[0].make("")
    request: Any = dialect.ask(Tick(0, 0)).request
    assert request.Header.SessionID == b"our old1"
    assert request.EVCCID


@pytest.mark.parametrize("fall_back", [True, False])
def test_a_vehicle_without_a_contract_goes_on_with_a_card_or_not_at_all(places: dict[S, Any], fall_back: bool) -> None:
    place = Place(places, S.AUTHORIZATION_SETUP)
    place.wants.payment, place.wants.fall_back = Payment.PNC, fall_back
    turn = place.hear(AuthorizationServices=("EIM", "PnC"))
    if fall_back:
        assert place.ask().SelectedAuthorizationService == "EIM"
    else:
        assert (turn.over, turn.why) == (Ending.ABORTED, "the charger does not offer PnC")


@pytest.mark.parametrize("code", ["WARNING_EIMAuthorizationFailure", "WARNING_AuthorizationSelectionInvalid"])
def test_not_authorised(places: dict[S, Any], code: str) -> None:
    request = Place(places, S.AUTHORIZATION).next(ResponseCode=code, EVSEProcessing="Finished")
    assert isinstance(request, cm.SessionStopReq)


# ---- what takes time


@pytest.mark.parametrize(
    ("state", "fields", "most_s", "why"),
    [
        (S.AUTHORIZATION, {"EVSEProcessing": "Ongoing"}, 60.0, "authorisation"),
        (S.AUTHORIZATION, {"EVSEProcessing": "Ongoing_WaitingForCustomerInteraction"}, 180.0, "authorisation"),
        (S.SCHEDULE, {"EVSEProcessing": "Ongoing"}, 60.0, "schedules"),
        (S.RESCHEDULE, {"EVSEProcessing": "Ongoing"}, 60.0, "schedules"),
        (S.CABLE_CHECK, {"EVSEProcessing": "Ongoing"}, 40.0, "insulation"),
        (S.PRECHARGE, {"EVSEPresentVoltage": rational(0)}, 10.0, "voltage"),
    ],
)
def test_what_is_ongoing_for_too_long(places: dict[S, Any], state: S, fields: dict[str, Any], most_s: float, why: str) -> None:
    place = Place(places, state)
    place.dialect.talk.since.clear()
    kind = type(place.next(**fields))
    assert place.hear(**fields).wait_s == place.wants.poll_s
    assert type(place.later(most_s - 0.1).next(**fields)) is kind
    turn = place.later(most_s + 0.01).hear(**fields)
    assert turn.over is Ending.ABORTED
    assert why in turn.why


def test_the_times_of_messages(places: dict[S, Any]) -> None:
    for state, within_s in {
        S.SETUP: 2.0,
        S.DETAIL: 5.0,
        S.START: 5.0,
        S.AC_LOOP: 0.5,
        S.DC_LOOP: 0.5,
        S.CABLE_CHECK: 2.0,
        S.ENDING: 2.0,
    }.items():
        dialect, now = copy.deepcopy(places[state])
        assert dialect.ask(now).within_s == within_s, state


# ---- DC


def test_the_contactors_close_when_the_voltage_is_near(places: dict[S, Any]) -> None:
    place = Place(places, S.PRECHARGE)
    place.dialect.talk.close_told, place.wants.contactors_closed = False, False
    battery_V = place.wants.voltage_V
    assert place.hear(EVSEPresentVoltage=rational(round(battery_V - 21))).told == ()
    near = rational(round(battery_V - 19))
    assert place.hear(EVSEPresentVoltage=near).told == (CloseContactors(number(near)),)
    request = place.next(EVSEPresentVoltage=near)
    assert isinstance(request, dc.DC_PreChargeReq)
    assert request.EVProcessing == "Ongoing"
    place.wants.contactors_closed = True
    assert place.ask().EVProcessing == "Finished"
    start = place.next(EVSEPresentVoltage=near)
    assert (start.ChargeProgress, start.EVProcessing) == ("Start", "Finished")


def test_a_charger_that_cannot_reach_the_battery(places: dict[S, Any]) -> None:
    fields = {"EVSEMinimumVoltage": rational(500), "EVSEMaximumVoltage": rational(1000)}
    request = Place(places, S.DC_PARAMETERS).next(DC_CPDResEnergyTransferMode=minimal(dc.DC_CPDResEnergyTransferModeType, **fields))
    assert isinstance(request, cm.SessionStopReq)


def test_a_vehicle_that_is_not_ready_says_so(places: dict[S, Any]) -> None:
    place = Place(places, S.START)
    place.wants.ready = False
    assert place.ask().EVProcessing == "Ongoing"
    assert place.next().EVProcessing == "Ongoing"
    place.wants.ready = True
    assert place.next().EVProcessing == "Finished"
    assert isinstance(place.next(), (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq))


def test_welding_detection(places: dict[S, Any]) -> None:
    place = Place(places, S.WELDING)
    place.wants.contactors_closed = False
    assert place.next(EVSEPresentVoltage=rational(300)).EVProcessing == "Ongoing"
    assert place.next(EVSEPresentVoltage=rational(59)).EVProcessing == "Finished"
    assert isinstance(place.next(EVSEPresentVoltage=rational(59)), cm.SessionStopReq)


def test_welded(places: dict[S, Any]) -> None:
    place = Place(places, S.WELDING)
    place.wants.contactors_closed = False
    place.dialect.talk.since.clear()
    assert place.hear(EVSEPresentVoltage=rational(300)).told == (WeldingSeen(300.0),)
    place.later(4.9)
    assert isinstance(place.next(EVSEPresentVoltage=rational(300)), dc.DC_WeldingDetectionReq)
    place.later(5.0)
    assert isinstance(place.next(EVSEPresentVoltage=rational(300)), cm.SessionStopReq)


def test_without_welding_detection(places: dict[S, Any]) -> None:
    place = Place(places, S.STOP)
    place.dialect.talk.dc = True
    place.wants.welding_detection = False
    assert place.hear().told == (OpenContactors(),)
    assert isinstance(place.ask(), cm.SessionStopReq)
