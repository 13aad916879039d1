"""DIN 70121 and ISO 15118-2 as a vehicle speaks them: the charge loop, what a charger says beside it, and other schedules."""

from __future__ import annotations

from typing import Any

import pytest

from iso15118.evcc.terms import (
    Delivered,
    DrawPower,
    EvseAsks,
    EvseLimits,
    EvWish,
    MeterShown,
    PowerTarget,
    ProfileMade,
    SchedulesOffered,
    StopDrawing,
    WishTaken,
)
from iso15118.evcc.v2gmsg.table import S
from iso15118.messages.iso2 import msg_body as iso2_body
from iso15118.messages.iso2 import msg_data_types as iso2_types
from iso15118.terms import Battery, Ending, Reading, Slot, Wish
from iso15118.v2gmsg.values import number
from tests.unit.iso15118.v2gmsg_rig import BATTERY_V, SPEECHES, Rig, paying

DC = ("din", "iso2-dc")
ISO2 = ("iso2-dc", "iso2-ac")


def loop(speech: str, **wants: Any) -> Rig:
    return Rig(speech, **wants).to(S.AC_LOOP if speech == "iso2-ac" else S.DC_LOOP)


def status_field(vehicle: Rig) -> str:
    return "AC_EVSEStatus" if vehicle.speech == "iso2-ac" else "DC_EVSEStatus"


# ---- what is asked for


@pytest.mark.parametrize("speech", DC)
def test_the_current_is_the_least_of_what_vehicle_plan_and_charger_allow(speech: str) -> None:
    def asked_A(**wants: Any) -> float:
        return number(loop(speech, **wants).asked[-1].EVTargetCurrent)

    assert asked_A() == 25.0
    assert asked_A(target_A=200.0) == pytest.approx(11_000 / BATTERY_V, abs=0.05), "the schedule"
    assert asked_A(target_A=-10.0) == 0.0, "nothing is given back"
    vehicle = Rig(speech, target_A=200.0).to(S.PARAMETERS)
    limits = vehicle.parameters(EVSEMaximumCurrentLimit=vehicle.value("A", 12))
    vehicle.next(EVSEChargeParameter=limits)
    vehicle.to(S.DC_LOOP)
    assert number(vehicle.asked[-1].EVTargetCurrent) == 12.0
    told = vehicle.hear(EVSEMaximumCurrentLimit=vehicle.value("A", 7), EVSEMaximumVoltageLimit=vehicle.value("V", 450)).told
    assert EvseLimits(max_current_A=7.0, max_voltage_V=450.0) in told
    assert number(vehicle.ask().EVTargetCurrent) == 7.0
    vehicle.hear(EVSEMaximumPowerLimit=vehicle.value("W", 700))
    assert number(vehicle.ask().EVTargetCurrent) == 2.0
    assert number(vehicle.next().EVTargetCurrent) == 2.0, "what is said once holds"


@pytest.mark.parametrize("speech", DC)
def test_the_profile_is_kept_as_time_goes_on(speech: str) -> None:
    vehicle = Rig(speech, target_A=200.0).to(S.PARAMETERS)
    schedules = vehicle.schedules((1, 7_000))
    schedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry = (vehicle.entry(0, None, 7_000), vehicle.entry(600, 6000, 3_500))
    vehicle.next(SASchedules=schedules)
    vehicle.to(S.DC_LOOP)
    assert number(vehicle.asked[-1].EVTargetCurrent) == 20.0
    assert number(vehicle.later(599).next().EVTargetCurrent) == 20.0
    assert number(vehicle.later(1).next().EVTargetCurrent) == 10.0
    assert number(vehicle.later(9000).next().EVTargetCurrent) == 10.0


@pytest.mark.parametrize("speech", DC)
def test_what_the_vehicle_shows(speech: str) -> None:
    request = loop(speech, shown=Battery(soc=81, full=True)).asked[-1]
    assert (request.DC_EVStatus.EVRESSSOC, request.ChargingComplete, request.DC_EVStatus.EVReady) == (81, True, True)
    assert number(request.EVTargetVoltage) == 360.0
    assert [number(each) for each in (request.EVMaximumVoltageLimit, request.EVMaximumCurrentLimit, request.EVMaximumPowerLimit)] == [
        420,
        200,
        11_000,
    ]


# ---- what is heard


@pytest.mark.parametrize("speech", DC)
def test_what_the_charger_delivers(speech: str) -> None:
    vehicle = loop(speech)
    told = vehicle.hear(
        EVSEPresentVoltage=vehicle.value("V", 351.5), EVSEPresentCurrent=vehicle.value("A", 24), EVSECurrentLimitAchieved=True
    ).told
    assert told == (Delivered(351.5, 24.0, current_limited=True),)


@pytest.mark.parametrize(("said_A", "target_W"), [(16, 11_040.0), (10, 6_900.0), (None, 11_040.0)])
def test_the_current_of_ac_is_obeyed(said_A: int | None, target_W: float) -> None:
    vehicle = loop("iso2-ac")
    found = None if said_A is None else vehicle.value("A", said_A)
    assert vehicle.hear(EVSEMaxCurrent=found).told == (PowerTarget(target_W),)


@pytest.mark.parametrize(("volts", "phases", "power_W"), [(230, 3, 11_040), (400, 3, 11_085), (230, 1, 3_680)])
def test_the_voltage_between_phases_is_taken_as_such(volts: int, phases: int, power_W: int) -> None:
    vehicle = Rig("iso2-ac", phases=phases).to(S.PARAMETERS)
    told = vehicle.hear(EVSEChargeParameter=vehicle.parameters(EVSENominalVoltage=vehicle.value("V", volts))).told
    assert isinstance(told[0], EvseLimits)
    assert round(told[0].max_power_W or 0) == power_W


def test_at_a_charger_of_three_phases_alone_a_vehicle_of_one_has_the_current_of_one() -> None:
    vehicle = Rig("iso2-ac", phases=1).to(S.PARAMETERS)
    vehicle.dialect.talk.mode = "AC_three_phase_core"
    assert vehicle.hear().told[0] == EvseLimits(max_power_W=3_680.0, max_current_A=16.0)


@pytest.mark.parametrize("speech", ISO2)
def test_the_meter(speech: str) -> None:
    info = iso2_types.MeterInfoType(MeterID="M-1", MeterReading=12_345, TMeter=1_800_000_000)
    assert MeterShown(Reading("M-1", 12_345, None, b"", 1_800_000_000)) in loop(speech).hear(MeterInfo=info).told
    assert not any(isinstance(each, MeterShown) for each in loop(speech).hear(MeterInfo=iso2_types.MeterInfoType(MeterID="M-1")).told)


@pytest.mark.parametrize("speech", SPEECHES)
def test_the_pace_of_the_loop(speech: str) -> None:
    vehicle = loop(speech, loop_s=0.25)
    vehicle.later(0.1)
    assert vehicle.hear().wait_s == pytest.approx(0.15)
    vehicle.later(0.15).ask()
    vehicle.later(0.3)
    assert vehicle.hear().wait_s == 0.0


@pytest.mark.parametrize("speech", SPEECHES)
def test_as_many_rounds_as_are_wanted(speech: str) -> None:
    vehicle = loop(speech, loops=3).on(2)
    turn = vehicle.hear()
    assert isinstance(turn.told[0], StopDrawing)
    assert type(vehicle.ask()).__name__ == "PowerDeliveryReq"
    assert not vehicle.dialect.drawing


# ---- what the charger wants


@pytest.mark.parametrize("speech", SPEECHES)
def test_the_charger_asks_for_the_end(speech: str) -> None:
    vehicle = loop(speech)
    turn = vehicle.hear(**{status_field(vehicle): vehicle.status(EVSENotification="StopCharging", NotificationMaxDelay=5)})
    assert EvseAsks(Wish.STOP, 5) in turn.told
    assert isinstance(turn.told[0], StopDrawing)
    assert type(vehicle.ask()).__name__ == "PowerDeliveryReq"
    vehicle = loop(speech, heeds=frozenset())
    turn = vehicle.hear(**{status_field(vehicle): vehicle.status(EVSENotification="StopCharging")})
    assert EvseAsks(Wish.STOP) in turn.told
    assert vehicle.dialect.state in (S.AC_LOOP, S.DC_LOOP)


@pytest.mark.parametrize("speech", DC)
def test_a_shutdown_is_a_wish_for_the_end(speech: str) -> None:
    vehicle = loop(speech)
    assert EvseAsks(Wish.STOP) in vehicle.hear(DC_EVSEStatus=vehicle.status(EVSEStatusCode="EVSE_Shutdown")).told


@pytest.mark.parametrize(
    ("speech", "fields"),
    [
        *((speech, {"EVSEStatusCode": code}) for speech in DC for code in ("EVSE_EmergencyShutdown", "EVSE_Malfunction", "EVSE_UtilityInterruptEvent")),
        *((speech, {"EVSEIsolationStatus": "Fault"}) for speech in DC),
        ("iso2-ac", {"RCD": True}),
    ],
)  # fmt: skip
def test_something_is_wrong_with_the_charger(speech: str, fields: dict[str, Any]) -> None:
    vehicle = loop(speech, heeds=frozenset())
    turn = vehicle.hear(**{status_field(vehicle): vehicle.status(**fields)})
    assert isinstance(turn.told[0], StopDrawing)
    assert type(vehicle.ask()).__name__ == "PowerDeliveryReq"


@pytest.mark.parametrize("speech", DC)
@pytest.mark.parametrize(
    "fields", [{"EVSEStatusCode": "EVSE_NotReady"}, {"EVSEIsolationStatus": "Warning"}, {"EVSEIsolationStatus": "Invalid"}]
)
def test_what_is_no_reason_to_leave(speech: str, fields: dict[str, Any]) -> None:
    vehicle = loop(speech)
    assert type(vehicle.next(DC_EVSEStatus=vehicle.status(**fields))).__name__ == "CurrentDemandReq"


@pytest.mark.parametrize(("speech", "state", "field"), [
    *((speech, state, "DC_EVSEStatus") for speech in DC for state in (S.CABLE_CHECK, S.PRECHARGE)),
    *((speech, S.START, "EVSEStatus") for speech in SPEECHES),
])  # fmt: skip
def test_the_end_is_asked_for_before_the_loop(speech: str, state: S, field: str) -> None:
    vehicle = Rig(speech).to(state)
    turn = vehicle.hear(**{field: vehicle.status(EVSENotification="StopCharging")})
    assert EvseAsks(Wish.STOP) in turn.told
    assert DrawPower() not in turn.told
    assert type(vehicle.ask()).__name__ == "PowerDeliveryReq"


@pytest.mark.parametrize("speech", SPEECHES)
def test_the_end_is_asked_for_with_the_parameters(speech: str) -> None:
    vehicle = Rig(speech).to(S.PARAMETERS)
    status = {status_field(vehicle): vehicle.status(EVSENotification="StopCharging")}
    assert type(vehicle.next(EVSEChargeParameter=vehicle.parameters(**status))).__name__ == "SessionStopReq"


# ---- pause and other schedules


@pytest.mark.parametrize("speech", ISO2)
def test_a_pause(speech: str) -> None:
    vehicle = loop(speech)
    vehicle.wants.wish = EvWish.PAUSE
    turn = vehicle.hear()
    assert WishTaken(EvWish.PAUSE) in turn.told
    assert vehicle.ask().ChargeProgress == "Stop"
    vehicle.to(S.ENDING)
    assert vehicle.asked[-1].ChargingSession == "Pause"
    assert vehicle.hear().over is Ending.PAUSED


@pytest.mark.parametrize("speech", ISO2)
def test_a_pause_waits_until_there_was_power(speech: str) -> None:
    vehicle = Rig(speech, wish=EvWish.PAUSE).to(S.START)
    assert vehicle.wants.wish is EvWish.PAUSE
    vehicle.to(S.AC_LOOP if speech == "iso2-ac" else S.DC_LOOP)
    assert vehicle.next().ChargeProgress == "Stop"


@pytest.mark.parametrize("speech", ISO2)
@pytest.mark.parametrize("whose", ["vehicle", "charger"])
def test_other_schedules(speech: str, whose: str) -> None:
    vehicle = loop(speech)
    fields: dict[str, Any] = {}
    if whose == "vehicle":
        vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    else:
        fields = {status_field(vehicle): vehicle.status(EVSENotification="ReNegotiation")}
    request = vehicle.next(**fields)
    assert (WishTaken(EvWish.RENEGOTIATE_SCHEDULE) in vehicle.told) is (whose == "vehicle")
    assert request.ChargeProgress == "Renegotiate"
    assert vehicle.dialect.drawing
    vehicle.wants.wish = None
    assert isinstance(vehicle.next(), iso2_body.ChargeParameterDiscoveryReq)
    assert isinstance(vehicle.next(EVSEProcessing="Ongoing", SASchedules=None), iso2_body.ChargeParameterDiscoveryReq)
    request = vehicle.next(SASchedules=vehicle.schedules((9, 3_500)))
    assert (request.ChargeProgress, request.SAScheduleTupleID) == ("Start", 9)
    assert number(request.ChargingProfile.ProfileEntry[0].ChargingProfileEntryMaxPower) == 3_500
    assert DrawPower() in vehicle.hear().told
    if speech == "iso2-dc":
        assert number(vehicle.ask().EVTargetCurrent) == 10.0


@pytest.mark.parametrize("speech", ISO2)
@pytest.mark.parametrize("state", [S.RENEGOTIATION, S.REPARAMETERS])
def test_the_end_while_there_are_other_schedules(speech: str, state: S) -> None:
    vehicle = loop(speech, bare_stop=True)
    vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    vehicle.next()
    vehicle.wants.wish = None
    vehicle.to(state)
    vehicle.wants.wish = EvWish.STOP
    assert vehicle.next().ChargeProgress == "Stop"
    assert any(isinstance(each, StopDrawing) for each in vehicle.told)


@pytest.mark.parametrize("speech", ISO2)
def test_other_schedules_that_do_not_come(speech: str) -> None:
    vehicle = loop(speech)
    vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    vehicle.next()
    vehicle.wants.wish = None
    vehicle.to(S.REPARAMETERS)
    ongoing = {"EVSEProcessing": "Ongoing", "SASchedules": None}
    vehicle.next(**ongoing)
    assert vehicle.later(60.1).next(**ongoing).ChargeProgress == "Stop"


def test_din_has_no_other_schedules() -> None:
    vehicle = loop("din")
    vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    assert type(vehicle.next(DC_EVSEStatus=vehicle.status(EVSENotification="ReNegotiation"))).__name__ == "CurrentDemandReq"
    assert EvseAsks(Wish.RENEGOTIATE_SCHEDULE) in vehicle.told


def test_a_charger_whose_wish_for_other_schedules_is_not_heeded() -> None:
    vehicle = loop("iso2-ac", heeds=frozenset({Wish.STOP}))
    assert isinstance(vehicle.next(AC_EVSEStatus=vehicle.status(EVSENotification="ReNegotiation")), iso2_body.ChargingStatusReq)


# ---- the profile as it is said


@pytest.mark.parametrize("speech", SPEECHES)
def test_the_chosen_schedule_is_said(speech: str) -> None:
    vehicle = Rig(speech).to(S.PARAMETERS)
    turn = vehicle.hear(SASchedules=vehicle.schedules((3, 2_000), (5, 11_000)))
    assert ProfileMade(5, (Slot(0, 7200, 11_000.0),)) in turn.told
    offered = next(each for each in turn.told if isinstance(each, SchedulesOffered))
    assert [each.id for each in offered.schedules] == [3, 5]
    vehicle.ask()
    request = vehicle.to(S.START).asked[-1]
    profile = request.ChargingProfile
    assert (profile.SAScheduleTupleID if speech == "din" else request.SAScheduleTupleID) == 5
    entry = profile.ProfileEntry[0]
    said = entry.ChargingProfileEntryMaxPower
    assert (said if speech == "din" else number(said)) == 11_000
    assert getattr(entry, "ChargingProfileEntryMaxNumberOfPhasesInUse", None) == (3 if speech == "iso2-ac" else None)


@pytest.mark.parametrize("speech", ISO2)
def test_finished_without_schedules(speech: str) -> None:
    vehicle = Rig(speech).to(S.PARAMETERS)
    vehicle.next(SASchedules=None)
    request = vehicle.to(S.START).asked[-1]
    assert (request.SAScheduleTupleID, request.ChargingProfile) == (1, None)


def test_more_than_din_can_say_limits_nothing() -> None:
    vehicle = Rig("din", target_A=120.0).to(S.PARAMETERS)
    vehicle.wants.limits = vehicle.wants.limits.__class__(max_power_W=60_000, max_current_A=200, max_voltage_V=420)
    vehicle.next(SASchedules=vehicle.schedules((1, 32_767)))
    request = vehicle.to(S.START).asked[-1]
    assert request.ChargingProfile.ProfileEntry[0].ChargingProfileEntryMaxPower == 32_767
    vehicle.to(S.DC_LOOP)
    assert number(vehicle.asked[-1].EVTargetCurrent) == 100.0, "what the charger says of its current"


# ---- receipts, and whoever wants to leave with them


def receipted(speech: str, **given: Any) -> Rig:
    """In the loop, at a charger that wants each reading signed."""
    state = S.AC_RECEIPT if speech == "iso2-ac" else S.DC_RECEIPT
    vehicle = Rig(speech, **paying(state) | given)
    vehicle.receipts = True
    return vehicle.to(S.AC_LOOP if speech == "iso2-ac" else S.DC_LOOP)


def said(vehicle: Rig) -> str:
    return type(vehicle.asked[-1]).__name__


@pytest.mark.parametrize("speech", ISO2)
def test_before_it_leaves_a_vehicle_signs_what_has_flowed(speech: str) -> None:
    """Whoever it is that wants the end: the rounds that were wanted, the charger, the driver."""
    stops: dict[str, Any] = {}
    for who in ("rounds", "charger", "driver"):
        vehicle = receipted(speech, **({"loops": 1} if who == "rounds" else {}))
        if who == "charger":
            stops = {status_field(vehicle): vehicle.status(EVSENotification="StopCharging")}
        if who == "driver":
            vehicle.wants.wish = EvWish.STOP
        vehicle.next(**(stops if who == "charger" else {}))
        assert said(vehicle) == "MeteringReceiptReq", who
        assert not any(isinstance(each, StopDrawing) for each in vehicle.told)
        vehicle.next()
        assert said(vehicle) == "PowerDeliveryReq", who
        assert vehicle.asked[-1].ChargeProgress == "Stop"
        assert sum(isinstance(each, StopDrawing) for each in vehicle.told) == 1
        assert (EvseAsks(Wish.STOP) in vehicle.told) is (who == "charger")


@pytest.mark.parametrize("speech", ISO2)
def test_nobody_signs_while_something_is_wrong(speech: str) -> None:
    vehicle = receipted(speech)
    wrong = {"RCD": True} if speech == "iso2-ac" else {"EVSEStatusCode": "EVSE_EmergencyShutdown"}
    vehicle.next(**{status_field(vehicle): vehicle.status(**wrong)})
    assert said(vehicle) == "PowerDeliveryReq"


@pytest.mark.parametrize("speech", ISO2)
def test_after_a_receipt_it_goes_on(speech: str) -> None:
    vehicle = receipted(speech)
    vehicle.next(**{status_field(vehicle): vehicle.status(EVSENotification="ReNegotiation", NotificationMaxDelay=9)})
    assert vehicle.told.count(EvseAsks(Wish.CONFIRM_METERING)) == 1
    loops = vehicle.asked[-2]
    told = vehicle.hear(EVSEStatus=vehicle.status(EVSENotification="ReNegotiation", NotificationMaxDelay=9)).told
    assert told == (EvseAsks(Wish.RENEGOTIATE_SCHEDULE, 9),), "once, though both answers say so"
    assert type(vehicle.ask()) is type(loops)
