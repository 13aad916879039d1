"""ISO 15118-20 as a vehicle speaks it: what each response comes to, in the states that a real session brings it to."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from bench.vehicle.charger import Charger, every_way
from bench.vehicle.model import Vehicle
from bench.vehicle.pair import Pair
from chargepoint.tick import Tick
from iso15118.evcc.iso20 import dialect as dialect_module
from iso15118.evcc.iso20 import plans
from iso15118.evcc.iso20.dialect import Iso20, spoken
from iso15118.evcc.iso20.table import TABLE, S, Said
from iso15118.evcc.session import Session, Turn
from iso15118.evcc.terms import (
    CloseContactors,
    DrawPower,
    EvseAsks,
    EvWish,
    OpenContactors,
    SessionJoined,
    StopDrawing,
    Wants,
    WeldingSeen,
    WishTaken,
)
from iso15118.iso20.values import number, profile_slots, rational
from iso15118.machine import step
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct
from iso15118.minimal import minimal
from iso15118.terms import AddedService, Control, Ending, Energy, EvLimits, Parameter, ParameterSet, Payment, PowerOff, Slot, Wish

_ABSTRACT: dict[type[Any], dict[str, Any]] = {
    ac.AC_ChargeLoopRes: {"CLResControlMode": ac.Dynamic_AC_CLResControlMode(EVSETargetActivePower=rational(5000))},
    dc.DC_ChargeLoopRes: {"CLResControlMode": minimal(dc.Dynamic_DC_CLResControlMode)},
}


def drive(energy: Energy, control: Control, wish: EvWish, *, parks: bool = False, **wants: Any) -> dict[S, tuple[Iso20, Tick]]:
    """A whole session with our own charger: the vehicle's dialect as it was when each state had just been asked. `parks`: checks in before
    the schedules, and the wish comes when the energy is off.
    """
    added = (AddedService(65, (ParameterSet(1, (Parameter("Port", 80),)),)),)
    pair = Pair(
        Charger(every_way(added_services=added)),
        Vehicle(wants=Wants(energies=(energy,), controls=(control,), loops=40, meter=True, **wants)),
    )
    pair.vehicle.wants.wish = EvWish.CHECK_IN if parks else None
    found: dict[S, tuple[Iso20, Tick]] = {}

    def keep(pair: Pair) -> None:
        dialect = pair.evcc.dialect if isinstance(pair.evcc, Session) else None
        if isinstance(dialect, Iso20) and dialect.state not in found:
            found[dialect.state] = copy.deepcopy(dialect), pair.now

    pair.watches.append(keep)
    begins = (lambda: any(isinstance(each, PowerOff) for _, each in pair.charger.log)) if parks else (lambda: pair.loops() > 5)
    pair.when(begins, lambda: setattr(pair.vehicle.wants, "wish", wish))
    pair.when(lambda: pair.loops() > 15, lambda: setattr(pair.vehicle.wants, "wish", EvWish.RESUME))
    pair.session()
    return found


@pytest.fixture(scope="module")
def places() -> dict[S, tuple[Iso20, Tick]]:
    found: dict[S, tuple[Iso20, Tick]] = {}
    for energy in (Energy.DC, Energy.AC):
        for wish in (EvWish.STANDBY, EvWish.RENEGOTIATE_SCHEDULE, EvWish.CONFIRM_METERING, EvWish.CHECK_IN):
            for state, place in drive(energy, Control.DYNAMIC, wish).items():
                found.setdefault(state, place)
        for state, place in drive(energy, Control.DYNAMIC, EvWish.RENEGOTIATE_SCHEDULE, other_schedules_aside=True).items():
            found.setdefault(state, place)
        for state, place in drive(energy, Control.DYNAMIC, EvWish.CHECK_OUT, parks=True).items():
            found.setdefault(state, place)
    return found


class Place:
    """A vehicle whose request has just gone out; its clock is ours."""

    def __init__(self, places: dict[S, tuple[Iso20, Tick]], state: S) -> None:
        dialect, self.start = copy.deepcopy(places[state])
        self.dialect, self.wants = dialect, dialect.talk.wants
        self.wants.loops, self.wants.wish = None, None
        self.now = self.start
        self.ask()

    def later(self, seconds: float) -> Place:
        self.now = Tick(self.start.mono + seconds, self.start.utc + seconds)
        return self

    def ask(self) -> Any:
        return self.dialect.ask(self.now).request

    def response(self, **fields: Any) -> Any:
        """The least response of the kind that is awaited."""
        kind: Any = self.dialect._expected
        header = ct.MessageHeaderType(SessionID=self.dialect.session_id or b"12345678", TimeStamp=0)
        return minimal(kind, **({"Header": header, "ResponseCode": "OK"} | _ABSTRACT.get(kind, {}) | fields))

    def hear(self, **fields: Any) -> Turn:
        return self.dialect.heard(self.now, self.response(**fields))

    def next(self, **fields: Any) -> Any:
        """The request that follows from a response."""
        turn = self.hear(**fields)
        assert turn.over is None, turn.why
        return self.ask()


AWAITED = [state for state in S if state not in (S.BEGIN, S.OVER)]


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


BEFORE = [
    S.SETUP, S.AUTHORIZATION_SETUP, S.AUTHORIZATION, S.DISCOVERY, S.DETAIL, S.SELECTION, S.AC_PARAMETERS, S.DC_PARAMETERS, S.ARRIVAL, S.SCHEDULE,
]  # fmt: skip
UNDER_POWER = [
    S.CABLE_CHECK,
    S.PRECHARGE,
    S.START,
    S.AC_LOOP,
    S.DC_LOOP,
    S.AC_STANDBY,
    S.DC_STANDBY,
    S.AC_TO_STANDBY,
    S.DC_TO_STANDBY,
    S.RENEGOTIATION,
    S.RESCHEDULE,
    S.AC_REPLAN,
    S.DC_REPLAN,
    S.AC_REPLANNED,
    S.DC_REPLANNED,
    S.AC_METERING,
    S.DC_METERING,
    S.AC_PARKING,
    S.DC_PARKING,
]
RIGHT: dict[S, dict[str, Any]] = {
    S.AUTHORIZATION_SETUP: {"AuthorizationServices": ("EIM",)},
    S.DETAIL: {"ServiceID": 2},
}


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


def test_plug_and_charge_says_that_it_is_not_there(places: dict[S, Any]) -> None:
    place = Place(places, S.AUTHORIZATION_SETUP)
    place.wants.payment = Payment.PNC
    turn = place.hear(AuthorizationServices=("EIM", "PnC"))
    assert turn.over is Ending.ABORTED
    assert "not implemented" in turn.why


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


# ---- schedules and the loop


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


# ---- schedules


def entry(seconds: int, *watts: float) -> cs.PowerScheduleEntryType:
    one, *more = (rational(each) for each in watts)
    return cs.PowerScheduleEntryType(Duration=seconds, Power=one, **dict(zip(("Power_L2", "Power_L3"), more, strict=False)))


def schedule(*entries: cs.PowerScheduleEntryType, **prices: Any) -> cs.ScheduleTupleType:
    power = cs.PowerScheduleType(TimeAnchor=1000, PowerScheduleEntries=cs.PowerScheduleEntryListType(PowerScheduleEntry=entries))
    return cs.ScheduleTupleType(ScheduleTupleID=3, ChargingSchedule=cs.ChargingScheduleType(PowerSchedule=power, **prices))


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


def test_a_profile_is_within_schedule_and_vehicle() -> None:
    made = plans.profile(
        schedule(entry(60, 20_000), entry(30, 5_000), entry(10, 4_000, 4_000, 4_000), entry(5, 0)), EvLimits(max_power_W=6_000)
    )
    assert profile_slots(made) == (Slot(0, 60, 6_000), Slot(60, 30, 5_000), Slot(90, 10, 6_000), Slot(100, 5, 0))
    assert made.EVPowerProfileEntries.EVPowerProfileEntry[2] == entry(10, 2_000, 2_000, 2_000)
    assert made.TimeAnchor == 1000
    assert made.Scheduled_EVPPTControlMode is not None
    assert made.Scheduled_EVPPTControlMode.SelectedScheduleTupleID == 3
    assert [plans.planned_W(made, utc) for utc in (900, 1000, 1059.9, 1060, 1095, 1104, 9999)] == [6_000, 6_000, 6_000, 5_000, 6_000, 0, 0]
    assert plans.planned_W(None, 1000) is None


def test_a_profile_of_giving() -> None:
    both = schedule(entry(60, 20_000))
    both.DischargingSchedule = schedule(entry(60, -3_000), entry(60, -9_000)).ChargingSchedule
    limits = EvLimits(max_power_W=6_000, max_discharge_W=5_000)
    assert profile_slots(plans.profile(both, limits, give=True)) == (Slot(0, 60, -3_000), Slot(60, 60, -5_000))
    assert profile_slots(plans.profile(both, limits)) == (Slot(0, 60, 6_000),)
    both.DischargingSchedule = None
    assert profile_slots(plans.profile(both, limits, give=True)) == (Slot(0, 60, 6_000),), "nothing is asked back"


@pytest.mark.parametrize(
    ("wanted", "most", "planned"), [(5, None, 5), (5, 3, 3), (2, 3, 2), (-5, 3, 0), (-5, -3, -3), (-2, -3, -2), (5, -3, 0), (-5, None, -5)]
)
def test_what_is_planned(wanted: float, most: float | None, planned: float) -> None:
    assert plans.planned(wanted, most) == planned


def test_prices_are_read() -> None:
    stack = pr.PriceRuleStackType(Duration=60, PriceRule=(pr.PriceRuleType(EnergyFee=rational(0.25), PowerRangeStart=rational(0)),))
    absolute = minimal(
        pr.AbsolutePriceScheduleType, TimeAnchor=0, PriceScheduleID=5, Currency="EUR", Language="de",
        PriceRuleStacks=pr.PriceRuleStackListType(PriceRuleStack=(stack, stack)),
    )  # fmt: skip
    found = plans.prices(absolute, None)
    assert found is not None
    assert (found.id, found.currency, [(each.start_s, each.per_kWh) for each in found.slots]) == (5, "EUR", [(0, 0.25), (60, 0.25)])
    levels = pr.PriceLevelScheduleType(
        TimeAnchor=0, PriceScheduleID=6, NumberOfPriceLevels=2,
        PriceLevelScheduleEntries=pr.PriceLevelScheduleEntryListType(
            PriceLevelScheduleEntry=(pr.PriceLevelScheduleEntryType(Duration=10, PriceLevel=1), pr.PriceLevelScheduleEntryType(Duration=20, PriceLevel=2)),
        ),
    )  # fmt: skip
    (read,) = plans.schedules(cs.Scheduled_SEResControlModeType(ScheduleTuple=(schedule(entry(1, 1), PriceLevelSchedule=levels),)))
    assert read.prices is not None
    assert (read.prices.levels, [(each.start_s, each.level) for each in read.prices.slots]) == (2, [(0, 1), (10, 2)])
    assert plans.prices(None, None) is None


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


def test_every_row_of_the_table(places: dict[S, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions, stops anywhere and failures anywhere take every row that is not refused."""
    taken: set[tuple[Any, Any]] = {(S.BEGIN, Said.GO)}

    def counted(table: Any, state: Any, event: Any) -> Any:
        if table is TABLE:
            taken.add((state, event))
        return step(table, state, event)

    monkeypatch.setattr(dialect_module, "step", counted)
    for energy in (Energy.AC, Energy.DC):
        for wish in (
            EvWish.STANDBY,
            EvWish.RENEGOTIATE_SCHEDULE,
            EvWish.CONFIRM_METERING,
            EvWish.RENEGOTIATE_SERVICE,
            EvWish.CHECK_IN,
            EvWish.CHECK_OUT,
        ):
            drive(energy, Control.DYNAMIC, wish, added_services=(65,))
        drive(energy, Control.DYNAMIC, EvWish.RENEGOTIATE_SCHEDULE, other_schedules_aside=True)
        drive(energy, Control.DYNAMIC, EvWish.CHECK_OUT, parks=True)
    for awaited in AWAITED:
        Place(places, awaited).hear(ResponseCode="FAILED")
    for state in [*BEFORE, *UNDER_POWER]:
        place = Place(places, state)
        place.wants.wish = EvWish.STOP
        place.hear(**RIGHT.get(state, {}))
    for state in (S.AC_STANDBY, S.DC_STANDBY):
        test_other_schedules_out_of_standby(places, state)
    for state in (S.AC_TO_STANDBY, S.DC_TO_STANDBY):
        test_standby_is_not_allowed(places, state)
    test_a_vehicle_that_is_not_ready_says_so(places)
    test_without_welding_detection(places)
    test_what_is_ongoing_for_too_long(places, S.SCHEDULE, {"EVSEProcessing": "Ongoing"}, 60.0, "schedules")
    test_what_is_ongoing_for_too_long(places, S.RESCHEDULE, {"EVSEProcessing": "Ongoing"}, 60.0, "schedules")
    assert taken == {(each.state, each.event) for each in TABLE.entries.values() if not each.refused}


def test_the_table_draws_itself() -> None:
    drawn = TABLE.to_mermaid()
    assert "[*] --> begin" in drawn
    assert all(word in drawn for word in ("precharge", "DC_loop", "session_stop"))
