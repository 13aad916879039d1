"""DIN 70121 and ISO 15118-2 as a vehicle speaks them: what each response comes to, up to the energy and at the end."""

from __future__ import annotations

from typing import Any

import pytest

from iso15118.connection import Unexpected
from iso15118.evcc.terms import (
    AuthorizationRefused,
    Authorized,
    DrawPower,
    EvWish,
    ServiceDescribed,
    ServicesOffered,
    SessionJoined,
    StopDrawing,
    WishTaken,
)
from iso15118.evcc.v2gmsg.table import BARE, BEFORE, UNDER_POWER, S
from iso15118.exi import encode
from iso15118.messages.din import data_services as din_services
from iso15118.messages.iso2 import data_services as iso2_services
from iso15118.messages.iso2 import msg_body as iso2_body
from iso15118.messages.iso2 import msg_data_types as iso2_types
from iso15118.minimal import minimal
from iso15118.terms import AddedService, Control, Ending, Energy, EnergyChosen, EnergyWanted, EvLimits, Parameter, ParameterSet, Payment
from iso15118.v2gmsg.values import number
from tests.unit.iso15118.v2gmsg_rig import ID, SPEECHES, Rig, paying

DC = ("din", "iso2-dc")
ISO2 = ("iso2-dc", "iso2-ac")
STATES = {
    speech: [
        each for each in S
        if each not in (S.BEGIN, S.OVER, S.DETAIL, S.RENEGOTIATION, S.REPARAMETERS)
        and each not in ((S.CABLE_CHECK, S.PRECHARGE, S.DC_LOOP, S.DC_RECEIPT, S.WELDING) if speech == "iso2-ac" else (S.AC_LOOP, S.AC_RECEIPT))
        and not (speech == "din" and paying(each))
    ]
    for speech in SPEECHES
}  # fmt: skip
EVERYWHERE = [(speech, state) for speech in SPEECHES for state in STATES[speech]]

TAKES_TIME = [
    (speech, state, processing, most_s)
    for speech in SPEECHES
    for state, processing, most_s in (
        (S.AUTHORIZATION, "Ongoing", 60.0),
        (S.AUTHORIZATION, "Ongoing_WaitingForCustomerInteraction", 180.0),
        (S.PARAMETERS, "Ongoing", 60.0),
        (S.CABLE_CHECK, "Ongoing", 40.0),
        (S.PRECHARGE, "", 7.0),
    )
    if state in STATES[speech] and (speech != "din" or processing in ("Ongoing", ""))
]
"""What may be ongoing, and how long."""


def rig(speech: str, state: S, **wants: Any) -> Rig:
    """Where the response of `state` is awaited."""
    made = Rig(speech, loops=2 if state in (S.STOP, S.WELDING, S.ENDING) else None, **(paying(state) | wants))
    made.receipts = state in (S.AC_RECEIPT, S.DC_RECEIPT)
    return made.to(state)


# ---- everywhere


@pytest.mark.parametrize(("speech", "state"), EVERYWHERE)
def test_failed_is_the_end_everywhere(speech: str, state: S) -> None:
    vehicle = rig(speech, state)
    drawing = vehicle.dialect.drawing
    turn = vehicle.hear(ResponseCode="FAILED_SequenceError")
    assert turn.over is Ending.ABORTED
    assert "FAILED_SequenceError" in turn.why
    assert isinstance(next(iter(turn.told), None), StopDrawing) is drawing
    assert not vehicle.dialect.drawing
    assert vehicle.dialect.state is S.OVER


@pytest.mark.parametrize(("speech", "state"), [each for each in EVERYWHERE if each[1] is not S.SETUP])
def test_a_strange_session_id_is_the_end_everywhere(speech: str, state: S) -> None:
    turn = rig(speech, state).hear(b"somebody")
    assert turn.over is Ending.ABORTED
    assert "session id" in turn.why


@pytest.mark.parametrize(
    ("speech", "state"), [each for each in EVERYWHERE if each[1] in (*BEFORE, *UNDER_POWER, S.AC_LOOP) or paying(each[1])]
)
def test_a_vehicle_may_stop_anywhere(speech: str, state: S) -> None:
    vehicle = rig(speech, state)
    drawing = vehicle.dialect.drawing
    vehicle.wants.wish = EvWish.STOP
    turn = vehicle.hear()
    assert turn.over is None, turn.why
    assert WishTaken(EvWish.STOP) in turn.told
    assert isinstance(turn.told[0], StopDrawing) == drawing
    request = vehicle.ask()
    if state in (*BEFORE, S.INSTALLATION, S.UPDATE, S.CONTRACT):
        assert type(request).__name__ == "SessionStopReq"
        assert getattr(request, "ChargingSession", "Terminate") == "Terminate"
        return
    assert type(request).__name__ == "PowerDeliveryReq"
    assert (request.ReadyToChargeState is False) if speech == "din" else (request.ChargeProgress == "Stop")


@pytest.mark.parametrize(("speech", "state"), [each for each in EVERYWHERE if each[1] in BARE])
def test_there_are_vehicles_that_say_session_stop_alone(speech: str, state: S) -> None:
    """As recorded cars do: after the cable check, in the precharge, straight after PowerDelivery."""
    vehicle = rig(speech, state, bare_stop=True, wish=None)
    vehicle.wants.wish = EvWish.STOP
    assert type(vehicle.next()).__name__ == "SessionStopReq"
    assert vehicle.hear().over is Ending.TERMINATED


@pytest.mark.parametrize("speech", SPEECHES)
def test_who_has_drawn_says_power_delivery_in_any_case(speech: str) -> None:
    vehicle = rig(speech, S.AC_LOOP if speech == "iso2-ac" else S.DC_LOOP, bare_stop=True)
    vehicle.wants.wish = EvWish.STOP
    assert type(vehicle.next()).__name__ == "PowerDeliveryReq"


@pytest.mark.parametrize(("speech", "state"), EVERYWHERE)
def test_only_the_response_that_was_asked_for(speech: str, state: S) -> None:
    vehicle = rig(speech, state)
    kind: Any = vehicle.dialect._expected
    spelling = vehicle.dialect.talk.spelling
    right = encode(spelling.document(ID, minimal(kind, **vehicle.good(kind))), spelling.namespace)
    assert type(vehicle.dialect.response(vehicle.now, 0x8001, right)) is kind
    assert vehicle.dialect.talk.given_id == ID
    with pytest.raises(Unexpected, match="payload type 8002"):
        vehicle.dialect.response(vehicle.now, 0x8002, right)
    other: Any = spelling.body.MeteringReceiptReq if state is S.SETUP else spelling.body.SessionSetupRes
    wrong = encode(spelling.document(ID, minimal(other)), spelling.namespace)
    with pytest.raises(Unexpected, match="instead of"):
        vehicle.dialect.response(vehicle.now, 0x8001, wrong)
    bare = encode(minimal(kind, **vehicle.good(kind)), spelling.namespace)
    with pytest.raises(Unexpected, match="NoneType instead of"):  # without a header it is of no session
        vehicle.dialect.response(vehicle.now, 0x8001, bare)


@pytest.mark.parametrize("speech", SPEECHES)
def test_the_times_of_messages(speech: str) -> None:
    longer = 2.0 if speech == "din" else 5.0
    loop, loop_s = (S.AC_LOOP, 2.0) if speech == "iso2-ac" else (S.DC_LOOP, 0.25)
    for state, within_s in {S.SETUP: 2.0, S.AUTHORIZATION: 2.0, S.START: longer, loop: loop_s, S.ENDING: 2.0}.items():
        assert rig(speech, state).within_s == within_s, state
    assert rig(speech, loop, patience_s=7.0).within_s == 7.0


# ---- set-up


@pytest.mark.parametrize("speech", SPEECHES)
def test_before_there_is_a_session_id(speech: str) -> None:
    vehicle = Rig(speech, mac=b"\x02\x03", fresh_id=b"\x00")
    assert vehicle.ask().EVCCID == b"\x02\x03"
    assert vehicle.document.Header.SessionID == b"\x00"
    vehicle.next()
    assert vehicle.document.Header.SessionID == ID


@pytest.mark.parametrize("speech", SPEECHES)
@pytest.mark.parametrize("given", [b"", b"\x00", bytes(8)])
def test_no_session_id(speech: str, given: bytes) -> None:
    vehicle = Rig(speech)
    vehicle.ask()
    assert vehicle.hear(given).why == "the charger gives no session id"


def test_a_paused_session_goes_on() -> None:
    vehicle = Rig("iso2-dc", resume=ID)
    vehicle.ask()
    assert vehicle.document.Header.SessionID == ID
    assert vehicle.hear(ResponseCode="OK_OldSessionJoined").told == (SessionJoined(ID, "0000000", resumed=True),)
    vehicle = Rig("iso2-dc", resume=b"another1")
    vehicle.ask()
    assert vehicle.hear(ResponseCode="OK_OldSessionJoined").why == "the charger joins a session that is not ours"


def test_din_has_no_pause() -> None:
    vehicle = Rig("din", resume=ID, fresh_id=b"\x00")
    vehicle.ask()
    assert vehicle.document.Header.SessionID == b"\x00"
    assert vehicle.hear(ResponseCode="OK_OldSessionJoined", EVSEID=b"\x00\x10").told == (SessionJoined(ID, "0010"),)
    vehicle = rig("din", S.DC_LOOP)
    vehicle.wants.wish = EvWish.PAUSE
    assert type(vehicle.next()).__name__ == "CurrentDemandReq"
    assert vehicle.wants.wish is EvWish.PAUSE


def test_the_evse_of_din_in_words() -> None:
    vehicle = Rig("din")
    vehicle.ask()
    assert vehicle.hear(EVSEID=b"DE*ICE*E1").told == (SessionJoined(ID, "DE*ICE*E1"),)


@pytest.mark.parametrize(
    ("offered", "requested"),
    [("DC_core", "DC_core"), ("DC_extended", "DC_extended"), ("DC_combo_core", "DC_combo_core"), ("DC_dual", "DC_extended"),
     ("AC_core1p_DC_extended", "DC_extended"), ("AC_single_DC_core", "DC_core"), ("AC_three_phase_core", None)],
)  # fmt: skip
def test_kinds_of_energy_transfer_of_din(offered: Any, requested: str | None) -> None:
    vehicle = Rig("din").to(S.DISCOVERY)
    tag = din_services.ServiceTagType(ServiceID=7, ServiceCategory="EVCharging")
    request = vehicle.next(ChargeService=din_services.ServiceCharge(ServiceTag=tag, FreeService=False, EnergyTransferType=offered))
    if requested is None:
        assert type(request).__name__ == "SessionStopReq"
        return
    assert [each.ServiceID for each in request.SelectedServiceList.SelectedService] == [7]
    vehicle.to(S.PARAMETERS)
    assert vehicle.asked[-1].EVRequestedEnergyTransferType == requested


@pytest.mark.parametrize(("phases", "mode", "most_A"), [(3, "AC_three_phase_core", 15.9), (1, "AC_single_phase_core", 47.8)])
def test_ac_by_one_phase_or_three(phases: int, mode: str, most_A: float) -> None:
    vehicle = Rig("iso2-ac", phases=phases).to(S.PARAMETERS)
    request = vehicle.asked[-1]
    assert request.RequestedEnergyTransferMode == mode
    current = request.EVChargeParameter.EVMaxCurrent
    assert round(current.Value * 10.0**current.Multiplier, 1) == most_A


@pytest.mark.parametrize(("phases", "volts", "least_A"), [(3, 400, 2.0), (1, 230, 6.1)])
def test_what_a_vehicle_of_ac_says_it_needs(phases: int, volts: int, least_A: float) -> None:
    found = Rig("iso2-ac", phases=phases).to(S.PARAMETERS).asked[-1].EVChargeParameter
    said = [number(each) for each in (found.EAmount, found.EVMaxVoltage, found.EVMinCurrent)]
    assert said == [20_000, volts, least_A]
    found = Rig("iso2-ac", limits=EvLimits(), needs=EnergyWanted()).to(S.PARAMETERS).asked[-1].EVChargeParameter
    said = [number(each) for each in (found.EAmount, found.EVMaxCurrent, found.EVMinCurrent)]
    assert said == [0, 0, 0]
    found = Rig("iso2-ac", needs=EnergyWanted(target_Wh=-1.0)).to(S.PARAMETERS).asked[-1].EVChargeParameter
    assert number(found.EAmount) == 0


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_message_of_another_protocol(speech: str) -> None:
    other = Rig("iso2-dc" if speech == "din" else "din").dialect.talk.spelling.body.SessionStopRes(ResponseCode="OK")
    with pytest.raises(TypeError, match="SessionStopRes is no message of"):
        Rig(speech).dialect.talk.spelling.document(ID, other)


def test_what_a_vehicle_of_iso2_says_it_needs() -> None:
    request = Rig("iso2-dc", most_points=29).to(S.PARAMETERS).asked[-1]
    found = request.EVChargeParameter
    assert (request.MaxEntriesSAScheduleTuple, found.DepartureTime, found.BulkSOC, found.DC_EVStatus.EVRESSSOC) == (29, 7200, 80, 40)
    assert (found.DC_EVStatus.EVReady, found.DC_EVStatus.EVErrorCode) == (False, "NO_ERROR")


@pytest.mark.parametrize("speech", SPEECHES)
def test_nothing_but_charging_is_asked_for(speech: str) -> None:
    assert rig(speech, S.DISCOVERY).asked[-1].ServiceCategory is None
    assert rig(speech, S.DISCOVERY, narrow=True).asked[-1].ServiceCategory == "EVCharging"
    assert rig(speech, S.DISCOVERY, narrow=True, added_services=(3,)).asked[-1].ServiceCategory is None


def test_services_beside_charging() -> None:
    vehicle = Rig("iso2-ac", added_services=(4, 3, 9)).to(S.DISCOVERY)
    turn = vehicle.hear()
    assert turn.told == (ServicesOffered((Energy.AC, Energy.DC), (2, 3, 4), renegotiation=True),)
    assert vehicle.ask().ServiceID == 4
    assert vehicle.within_s == 5.0
    parameter = iso2_services.ParameterType(Name="Port", intValue=80)
    sets = iso2_services.ServiceParameterListType(ParameterSet=(iso2_services.ParameterSetType(ParameterSetID=2, Parameter=(parameter,)),))
    turn = vehicle.hear(ServiceParameterList=sets)
    assert turn.told == (ServiceDescribed(AddedService(4, (ParameterSet(2, (Parameter("Port", 80),)),))),)
    assert vehicle.ask().ServiceID == 3
    request = vehicle.next()
    assert [(each.ServiceID, each.ParameterSetID) for each in request.SelectedServiceList.SelectedService] == [(1, None), (4, 2)]
    assert vehicle.hear().told == (EnergyChosen(Energy.AC, Control.SCHEDULED, added_services=((4, 2),), phases=3),)


def test_details_of_another_service_than_was_asked_for() -> None:
    vehicle = Rig("iso2-dc", added_services=(3,)).to(S.DETAIL)
    assert vehicle.hear(ServiceID=4).why == "details of service 4 instead of 3"
    vehicle = Rig("iso2-dc", added_services=(3,)).to(S.DETAIL)
    vehicle.wants.wish = EvWish.STOP
    assert isinstance(vehicle.next(), iso2_body.SessionStopReq)


WATTS = iso2_types.PhysicalValueType(Multiplier=1, Unit="W", Value=5)


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ({"boolValue": True}, True),
        ({"byteValue": -1}, -1),
        ({"shortValue": 300}, 300),
        ({"stringValue": "x"}, "x"),
        ({"physicalValue": WATTS}, 50.0),
        ({}, ""),
    ],
)
def test_values_of_services(value: dict[str, Any], means: object) -> None:
    vehicle = Rig("iso2-dc", added_services=(3,)).to(S.DETAIL)
    sets = iso2_services.ParameterSetType(ParameterSetID=1, Parameter=(iso2_services.ParameterType(Name="a", **value),))
    turn = vehicle.hear(ServiceParameterList=iso2_services.ServiceParameterListType(ParameterSet=(sets,)))
    told = turn.told[0]
    assert isinstance(told, ServiceDescribed)
    assert told.service.parameter_sets[0].parameters[0].value == means


@pytest.mark.parametrize(
    ("payment", "fall_back", "goes_on"), [(Payment.EIM, False, True), (Payment.PNC, True, True), (Payment.PNC, False, False)]
)
def test_ways_to_pay(payment: Payment, fall_back: bool, goes_on: bool) -> None:
    for speech in SPEECHES:
        request = Rig(speech, payment=payment, fall_back=fall_back).to(S.DISCOVERY).next()
        assert (type(request).__name__ != "SessionStopReq") is goes_on
        assert getattr(request, "SelectedPaymentOption", "ExternalPayment") == "ExternalPayment"


def test_a_charger_that_takes_contracts_alone() -> None:
    vehicle = Rig("iso2-dc").to(S.DISCOVERY)
    request = vehicle.next(PaymentOptionList=iso2_services.PaymentOptionListType(PaymentOption=("Contract",)))
    assert isinstance(request, iso2_body.SessionStopReq)
    vehicle = Rig("din").to(S.DISCOVERY)
    request = vehicle.next(PaymentOptions=din_services.PaymentOptionsType(PaymentOption=("Contract",)))
    assert type(request).__name__ == "SessionStopReq"


@pytest.mark.parametrize("speech", SPEECHES)
def test_not_authorised(speech: str) -> None:
    turn = rig(speech, S.AUTHORIZATION).hear(ResponseCode="FAILED")
    assert turn.told == (AuthorizationRefused(Payment.EIM, "FAILED"),)
    assert rig(speech, S.AUTHORIZATION).hear().told == (Authorized(Payment.EIM),)


# ---- what takes time


@pytest.mark.parametrize(("speech", "state", "processing", "most_s"), TAKES_TIME)
def test_what_is_ongoing_for_too_long(speech: str, state: S, processing: str, most_s: float) -> None:
    vehicle = rig(speech, state)
    fields = {"EVSEProcessing": processing} if processing else {"EVSEPresentVoltage": vehicle.value("V", 0)}
    if state is S.PARAMETERS:
        fields["SASchedules"] = vehicle.schedules((1, 11_000))
    kind = type(vehicle.asked[-1])
    assert vehicle.hear(**fields).wait_s == vehicle.wants.poll_s
    assert type(vehicle.ask()) is kind
    assert type(vehicle.later(most_s - 0.1).next(**fields)) is kind
    vehicle.later(0.2)
    turn = vehicle.hear(**fields)
    assert turn.over is None
    assert type(vehicle.ask()).__name__ == ("PowerDeliveryReq" if state in UNDER_POWER else "SessionStopReq")


@pytest.mark.parametrize("speech", SPEECHES)
def test_din_is_ready_to_charge_within_150_s(speech: str) -> None:
    for seconds, in_time in ((149.0, True), (151.0, speech != "din")):
        vehicle = rig(speech, S.DISCOVERY).later(seconds).to(S.START)
        assert (DrawPower() in vehicle.hear().told) is in_time
        assert (type(vehicle.ask()).__name__ != "PowerDeliveryReq") is in_time


def test_din_counts_that_once() -> None:
    vehicle = rig("din", S.DC_LOOP)
    vehicle.later(200.0)
    assert type(vehicle.next()).__name__ == "CurrentDemandReq"
