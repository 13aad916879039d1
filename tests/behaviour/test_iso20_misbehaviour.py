"""A vehicle that does wrong gets nothing of our charger's side, a charger that does wrong is left by our vehicle (ISO 15118-20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.v2g.guard import Careful
from bench.v2g.misbehave import CATALOGUE, misbehaving
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from bench.v2g.wrong import Then
from iso15118.connection import Lost
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session as Evcc
from iso15118.evcc.terms import StopDrawing, Wants
from iso15118.iso20.values import rational
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct
from iso15118.messages.iso20 import dc
from iso15118.secc.iso20.dialect import Iso20
from iso15118.terms import Ending, Energy, PowerOff, SessionBegun, Told
from tests.behaviour.iso20_rig import after, ended_well, make, told

# ---- the vehicle does wrong


STRIKES = [
    "",
    "AuthorizationReq",
    "ServiceSelectionReq",
    "DC_CableCheckReq",
    "DC_PreChargeReq",
    "PowerDeliveryReq",
    "DC_ChargeLoopReq",
    "DC_WeldingDetectionReq",
]


def answers_of_failure(pair: Pair) -> list[str]:
    return [
        message.ResponseCode
        for _, end, message in pair.messages
        if end == "evse" and isinstance(message, ct.V2GResponseType) and message.ResponseCode.startswith("FAILED")
    ]


def then_honest(pair: Pair) -> None:
    """The next vehicle is served within a second, and to its end (S-24)."""
    began = len(told(pair, SessionBegun))
    pair.vehicle = Vehicle(wants=Wants(energies=(Energy.DC,), loops=5))
    pair.watches.append(Careful(len(pair.story)))
    pair.notes.clear()
    pair.messages.clear()
    pair.connect()
    pair.run(1.0, until=lambda: len(told(pair, SessionBegun)) > began)
    assert len(told(pair, SessionBegun)) == began + 1
    pair.run()
    ended_well(pair)


@pytest.mark.req("S-2", "S-4", "S-11", "S-24", "F-11")
@pytest.mark.parametrize("at", STRIKES, ids=[each or "anywhere" for each in STRIKES])
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_vehicle_that_does_wrong(name: str, at: str) -> None:
    pair, entry = make(), CATALOGUE[name]
    pair.watches.pop()  # this vehicle is not careful
    wrong = misbehaving(name, Evcc(spoken(pair.vehicle.wants)), seed=11, at=at)
    pair.connect(wrong)
    pair.run(400.0)
    assert wrong.struck
    assert pair.secc.deadline() is None, "the charger's side has come to its end"
    assert pair.closed["evse"]
    codes = answers_of_failure(pair)
    over = pair.evse_over
    assert over is not None
    match entry.then:
        case Then.SERVED:
            ended_well(pair)
        case Then.REFUSED:
            expected = "FAILED_SequenceError" if name == "setup_again" else "FAILED_UnknownSession"
            assert codes == [expected]
            assert over.ending is Ending.ABORTED
        case Then.CLOSED:
            assert [message for when, end, message in pair.messages if end == "evse" and when > wrong.struck_at] == []
            assert over.ending is Ending.ABORTED
        case Then.EITHER:
            assert len(codes) <= 1
    then_honest(pair)


def test_a_vehicle_whose_connection_is_cut_stops_drawing() -> None:
    pair = make(loops=None)
    after(pair, 5, lambda: pair._ev(Lost()))
    pair.session()
    assert pair.ev_over is not None
    assert pair.ev_over.ending is Ending.ABORTED
    assert len(told(pair, StopDrawing, "ev")) == 1


@pytest.mark.req("F-11")
def test_a_silent_vehicle_is_off_within_the_sequence_timeout_of_the_loop() -> None:
    pair = make()
    pair.watches.pop()
    pair.connect(misbehaving("silent", Evcc(spoken(pair.vehicle.wants)), at="DC_ChargeLoopReq"))
    pair.run(until=lambda: bool(told(pair, PowerOff)))
    last = max(when for when, end, _ in pair.messages if end == "evse")
    assert pair.mono - last == pytest.approx(0.5)
    assert not pair.closed["ev"], "the vehicle has not closed"


# ---- the charger does wrong, and the vehicle ends it


def spoil(pair: Pair, kind: type[ct.V2GResponseType], what: Callable[[Any], Any]) -> None:
    """The charger's next response of this kind is another one, from the first strike on."""
    honest = Iso20._answer

    def answer(self: Any, result: Any, *more: Any) -> Any:
        if isinstance(result.response, kind):
            result = result._replace(response=what(result.response))
        return honest(self, result, *more)

    pair.when(lambda: pair.dialect is not None, lambda: setattr(pair.dialect, "_answer", answer.__get__(pair.dialect)))


def field(name: str, value: Any) -> Callable[[Any], Any]:
    def change(response: Any) -> Any:
        setattr(response, name, value)
        return response

    return change


def _other_mode(was: cm.ScheduleExchangeRes) -> cm.ScheduleExchangeRes:
    entries = cs.PowerScheduleEntryListType(PowerScheduleEntry=(cs.PowerScheduleEntryType(Duration=1, Power=rational(1)),))
    schedule = cs.ChargingScheduleType(PowerSchedule=cs.PowerScheduleType(TimeAnchor=0, PowerScheduleEntries=entries))
    was.Dynamic_SEResControlMode = None
    was.Scheduled_SEResControlMode = cs.Scheduled_SEResControlModeType(
        ScheduleTuple=(cs.ScheduleTupleType(ScheduleTupleID=1, ChargingSchedule=schedule),)
    )
    return was


OTHER_HEADER = ct.MessageHeaderType(SessionID=b"somebody", TimeStamp=0)
WRONGS: dict[str, tuple[type[ct.V2GResponseType], Callable[[Any], Any]]] = {
    "a session id that is not ours": (dc.DC_ChargeLoopRes, field("Header", OTHER_HEADER)),
    "FAILED_SequenceError": (dc.DC_ChargeLoopRes, field("ResponseCode", "FAILED_SequenceError")),
    "ServiceDetailRes instead of AuthorizationSetupRes": (
        cm.AuthorizationSetupRes,
        lambda was: cm.ServiceDetailRes(
            Header=was.Header, ResponseCode="OK", ServiceID=2,
            ServiceParameterList=sv.ServiceParameterListType(ParameterSet=(sv.ParameterSetType(ParameterSetID=1, Parameter=(sv.ParameterType(Name="n", intValue=1),)),)),
        ),
    ),
    "details of service 9 instead of 2": (cm.ServiceDetailRes, field("ServiceID", 9)),
    "the charger does not offer EIM": (cm.AuthorizationSetupRes, field("AuthorizationServices", ("PnC",))),
    "the charger answers in another control mode": (cm.ScheduleExchangeRes, _other_mode),
    "the control mode is not that of the chosen parameter set": (dc.DC_ChargeLoopRes, field("CLResControlMode", dc.Scheduled_DC_CLResControlMode())),
    "the direction is not that of the chosen service": (
        dc.DC_ChargeLoopRes,
        field(
            "CLResControlMode",
            dc.BPT_Dynamic_DC_CLResControlMode(
                **{  # type: ignore[arg-type]
                    name: rational(0)
                    for name in (
                        "EVSEMaximumChargePower", "EVSEMinimumChargePower", "EVSEMaximumChargeCurrent", "EVSEMaximumVoltage", "EVSEMaximumDischargePower",
                        "EVSEMinimumDischargePower", "EVSEMaximumDischargeCurrent", "EVSEMinimumVoltage",
                    )
                }
            ),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", WRONGS)
def test_a_charger_that_does_wrong(why: str) -> None:
    pair = make()
    pair.watches.clear()  # the guard is for chargers that do right
    spoil(pair, *WRONGS[why])
    pair.session()
    assert pair.ev_over is not None
    assert pair.ev_over.ending is Ending.ABORTED
    assert why in pair.ev_over.why
    assert pair.closed["ev"]
    assert not pair.vehicle.drawing
    story = [thing for end, thing in pair.story if end == "ev" and isinstance(thing, Told)]
    assert ("ChargeLoop" not in pair.said("ev")[-1]) or isinstance(story[-2], StopDrawing)


def test_what_no_request_went_before_ends_the_session() -> None:
    pair = make()
    pair.session(3.0)
    twice = pair.octets[-1][2] if pair.octets[-1][1] == "evse" else pair.octets[-2][2]
    from iso15118.connection import Received

    pair._ev(Received(twice * 3))
    assert pair.ev_over is not None
    assert pair.ev_over.ending is Ending.ABORTED
