"""What a vehicle must not get by silence, by talk beside the loop, or by an order that the standard does not have; and a charger's own faults (S-11, F-11)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from bench.v2g.guard import Careful, Guard
from bench.v2g.pair import Pair
from hal.types import DcSample
from iso15118 import exi
from iso15118.connection import Abort, Received, Send, TimerExpired
from iso15118.evcc.iso20 import dialect as dialect_module
from iso15118.evcc.iso20.ask import session_stop as stop_asked
from iso15118.evcc.iso20.table import S as EvState
from iso15118.evcc.iso20.talk import failed
from iso15118.evcc.terms import EvWish
from iso15118.iso20.values import rational
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_types as ct
from iso15118.messages.iso20 import dc
from iso15118.secc.iso20 import schedules
from iso15118.secc.iso20.table import S
from iso15118.secc.session import Stage
from iso15118.terms import BY_CABLE, Control, Ending, Energy, PowerOff, PowerWanted, PrechargeWanted, Progress, Schedule, SessionOver, Slot
from iso15118.v2gtp import ISO20_MAIN, ISO20_PARKING, Frame
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.iso20_rig import ask, ended_well, make, told


def silent_from(pair: Pair, kind: type, **fields: Any) -> list[float]:
    """The vehicle says nothing any more once it has said this; when that was."""
    found: list[float] = []

    def spoil(end: str, send: Any) -> bytes:
        message = send.message
        if end == "ev" and found:
            return b""
        if end == "ev" and isinstance(message, kind) and all(getattr(message, name) == value for name, value in fields.items()):
            found.append(pair.mono)
        return bytes(send.octets)

    pair.spoil = spoil
    return found


def off_at(pair: Pair) -> float:
    return next(when for when, thing in pair.charger.log if isinstance(thing, PowerOff | SessionOver))


@pytest.mark.req("F-11")
@pytest.mark.parametrize(
    ("kind", "fields", "within_s"),
    [
        (cm.PowerDeliveryReq, {"ChargeProgress": "ScheduleRenegotiation"}, 1.1),
        (dc.DC_ChargeLoopReq, {}, 0.6),
        (dc.DC_PreChargeReq, {}, 10.1),
        (dc.DC_CableCheckReq, {}, 10.1),
    ],
)
def test_silence_takes_the_energy_off(kind: type, fields: dict[str, str], within_s: float) -> None:
    pair = make()
    ask(pair, "vehicle", 5, EvWish.RENEGOTIATE_SCHEDULE, None)
    since = silent_from(pair, kind, **fields)
    pair.session()
    assert since
    assert off_at(pair) - since[0] <= within_s
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED


@pytest.mark.req("S-11")
@pytest.mark.parametrize("kind", [dc.DC_CableCheckReq, dc.DC_PreChargeReq, cm.PowerDeliveryReq])
def test_a_fault_gives_no_energy(kind: type) -> None:
    pair = make()
    asked = lambda: any(isinstance(message, kind) for _, _, message in pair.messages)
    pair.when(asked, lambda: setattr(pair.charger.facts, "fault", "residual current"))
    pair.session()
    fault = next(at for at, (_, thing) in enumerate(pair.story) if isinstance(thing, kind))
    later = [thing for who, thing in pair.story[fault + 1 :] if who == "evse" and isinstance(thing, PowerWanted | PrechargeWanted)]
    assert len(later) <= 1, "at most what the very request said"
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED
    assert told(pair, PowerOff) or kind is dc.DC_CableCheckReq, "there, nothing was on yet"


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC])
def test_a_fact_that_is_no_number_takes_the_energy_off(energy: Energy) -> None:
    pair = make(energy)
    facts = pair.charger.facts

    def spoil() -> None:
        if facts.dc is not None and energy is Energy.DC:
            facts.dc = replace(facts.dc, max_power_W=math.nan)
        else:
            facts.target_power_W = math.nan

    pair.watches = []
    pair.when(lambda: pair.dialect is not None and pair.dialect.state in (S.AC_LOOP, S.DC_LOOP), spoil)
    pair.session()
    assert len(told(pair, PowerOff)) == 1
    assert len(told(pair, SessionOver)) == 1
    assert pair.secc.stage is Stage.OVER


@pytest.mark.parametrize("error", [KeyError("no word"), IndexError("of nothing"), ZeroDivisionError("of nothing")], ids=repr)
def test_a_fact_without_a_word_takes_the_energy_off(error: Exception) -> None:
    pair = make(Energy.AC)

    def answer(*_: object, **__: object) -> NoReturn:
        raise error

    def spoil() -> None:
        assert pair.dialect is not None
        pair.dialect.rules = replace(pair.dialect.rules, handlers={**pair.dialect.rules.handlers, "ac_loop": answer})

    pair.when(lambda: pair.loops() >= 5, spoil)
    pair.session()
    assert len(told(pair, PowerOff)) == 1
    assert [each.why for each in told(pair, SessionOver)] == [f"no answer can be made: {error}"]
    assert pair.secc.stage is Stage.OVER


def test_no_energy_without_a_precharge() -> None:
    pair = make()
    skipped = []

    def spoil(end: str, send: Any) -> bytes:
        if end == "ev" and isinstance(send.message, dc.DC_PreChargeReq):
            skipped.append(send.message)
            start = cm.PowerDeliveryReq(Header=send.message.Header, EVProcessing="Finished", ChargeProgress="Start")
            return Frame(ISO20_MAIN, exi.encode(start, cm.NAMESPACE)).octets()
        return bytes(send.octets)

    pair.spoil = spoil
    pair.session()
    assert skipped
    assert not told(pair, PowerWanted)
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC])
def test_a_vehicle_may_stop_while_schedules_are_made(energy: Energy) -> None:
    pair = make(energy)
    ask(pair, "vehicle", 5, EvWish.RENEGOTIATE_SCHEDULE, None)
    again = lambda: pair.dialect is not None and pair.dialect.state in (S.AC_RESCHEDULE, S.DC_RESCHEDULE)

    def stop() -> None:
        pair.charger.facts.schedules = pair.charger.facts.dynamic = None
        pair.vehicle.wants.wish = EvWish.STOP

    pair.when(again, stop)
    pair.session()
    ended_well(pair)


def test_a_current_that_does_not_go_down_is_no_ok() -> None:
    pair = make()
    pair.watches = []

    def stuck(pair: Pair) -> None:
        if told(pair, PowerOff) and not told(pair, SessionOver):
            pair.charger.facts.current_A = 300.0

    pair.watches.append(stuck)
    pair.session()
    stopped = [message for _, end, message in pair.messages if end == "evse" and isinstance(message, cm.PowerDeliveryRes)]
    assert stopped[-1].ResponseCode == "FAILED"


def stops_instead(pair: Pair, kind: type[Any]) -> list[float]:
    """In the place of this request, once it comes from the loop that was left for other schedules: SessionStop. When that was."""
    found: list[float] = []

    def spoil(end: str, send: Any) -> bytes:
        if end == "ev" and not found and isinstance(send.message, kind) and "PowerDeliveryReq" in pair.said("ev")[:-1] and pair.loops():
            if getattr(send.message, "ChargeProgress", "Start") != "Start":
                return bytes(send.octets)
            found.append(pair.mono)
            stop = cm.SessionStopReq(Header=send.message.Header, ChargingSession="Terminate", EVTerminationCode="EV_GONE")
            return Frame(ISO20_MAIN, exi.encode(stop, cm.NAMESPACE)).octets()
        return bytes(send.octets)

    pair.spoil = spoil
    ask(pair, "vehicle", 10, EvWish.RENEGOTIATE_SCHEDULE, None)
    return found


@pytest.mark.parametrize("kind", [cm.ScheduleExchangeReq, cm.PowerDeliveryReq], ids=["reschedule", "ready"])
@pytest.mark.parametrize("energy", BY_CABLE)
def test_a_session_that_stops_with_energy_on_is_answered_when_it_is_off(energy: Energy, kind: type) -> None:
    pair = make(energy)
    pair.watches = [Guard()]
    flowing: list[float] = []
    pair.watches.append(
        lambda pair: flowing.append(abs(pair.charger.facts.current_A)) if pair.said("evse")[-1:] == ["SessionStopRes"] else None
    )
    asked = stops_instead(pair, kind)
    pair.session()
    assert pair.evse_over == SessionOver(Ending.TERMINATED, "SessionStop", "EV_GONE")
    answered = next(when for when, _, message in pair.messages if isinstance(message, cm.SessionStopRes))
    assert flowing[0] < 5.0
    (off,) = [when for when, thing in pair.charger.log if isinstance(thing, PowerOff)]
    assert off == pytest.approx(asked[0], abs=0.01), "the energy goes off at once"
    assert answered - asked[0] == pytest.approx(0.75 if energy.is_dc else 0.0, abs=0.1), "400 A at 500 A/s"


def test_a_session_whose_current_does_not_go_down_is_not_stopped_well() -> None:
    pair = make()

    def stuck(pair: Pair) -> None:
        if told(pair, PowerOff) and not told(pair, SessionOver):
            pair.charger.facts.current_A = 300.0

    pair.watches = [stuck]
    asked = stops_instead(pair, cm.ScheduleExchangeReq)
    pair.session()
    (response,) = [(when, message) for when, _, message in pair.messages if isinstance(message, cm.SessionStopRes)]
    assert response[1].ResponseCode == "FAILED"
    assert response[0] - asked[0] == pytest.approx(1.5, abs=0.1), "while the vehicle still waits"
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED


@pytest.mark.parametrize(("entries", "wrong"), [([(7200, 22_000.0, None)], True), ([(3600, 22_000.0, None), (3600, 1_000.0, None)], False),
                                                ([(3600, 22_000.0, 22_000.0), (3600, 1_000.0, None)], True)])  # fmt: skip
def test_a_profile_is_held_against_the_whole_schedule(entries: list[tuple[int, float, float | None]], wrong: bool) -> None:
    pair = make(Energy.AC, Control.SCHEDULED)
    pair.session()
    assert pair.dialect is not None
    talk = pair.dialect.talk
    talk.schedules = (Schedule(7, (Slot(0, 3600, 22_000.0), Slot(3600, 3600, 1_000.0))),)
    talk.schedule_id = 7
    profile = cs.EVPowerProfileType(
        TimeAnchor=0,
        Scheduled_EVPPTControlMode=cs.Scheduled_EVPPTControlModeType(SelectedScheduleTupleID=7),
        EVPowerProfileEntries=cs.EVPowerProfileEntryListType(
            EVPowerProfileEntry=tuple(
                cs.PowerScheduleEntryType(Duration=seconds, Power=rational(one), Power_L2=rational(two) if two else None)
                for seconds, one, two in entries
            )
        ),
    )
    assert schedules.violated(talk, profile) is wrong


@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC])
def test_what_was_called_off_while_the_contactor_closes_stays_off(energy: Energy) -> None:
    pair = make(energy)
    pair.charger.pace = replace(pair.charger.pace, contactor_s=2.0)
    pair.watches = [Guard(), Careful()]
    under_way = lambda: pair.charger.facts.power is Progress.UNDER_WAY
    pair.when(under_way, lambda: pair.at(0.5, lambda: pair.abort(Abort("unplugged"))))
    pair.session()
    for _ in range(40):
        pair.mono += 0.1
        pair.charger.tick(pair.now)
    assert pair.charger.facts.power is Progress.NOT_ASKED


class Reached(Exception):
    """The place that a test wanted."""


@pytest.mark.req("F-11")
def test_talk_beside_the_loop_does_not_keep_it_alive() -> None:
    pair = make()

    def reached() -> None:
        raise Reached

    pair.when(lambda: pair.loops() >= 5, reached)
    with pytest.raises(Reached):
        pair.session()
    session, begun = pair.secc, pair.mono
    assert session.dialect is not None
    header = ct.MessageHeaderType(SessionID=pair.vehicle.session_id, TimeStamp=1)
    beside = cm.VehicleCheckInReq(Header=header, EVCheckInStatus="CheckIn", ParkingMethod="Manual")
    octets = Frame(ISO20_PARKING, exi.encode(beside, cm.NAMESPACE)).octets()
    said: list[Any] = []
    while session.stage is Stage.TALKING and pair.mono < begun + 5.0:
        pair.mono += 0.1
        due = session.deadline()
        said += session.handle(pair.now, TimerExpired() if due is not None and due <= pair.mono else Received(octets))
    assert pair.mono - begun < 1.0
    assert any(isinstance(each, PowerOff) for each in said)
    assert sum(isinstance(each, Send) for each in said) >= 3, "they were answered"


@pytest.mark.parametrize(("energy", "mode"), [(Energy.DC, "dc"), (Energy.AC, "ac")])
def test_a_station_answers_such_a_stop_when_nothing_flows(monkeypatch: pytest.MonkeyPatch, energy: Energy, mode: str) -> None:
    schedules_again = dialect_module.ASK["schedule_exchange"]
    monkeypatch.setitem(
        dialect_module.ASK, "schedule_exchange", lambda talk, now: (stop_asked if talk.rescheduling else schedules_again)(talk, now)
    )
    monkeypatch.setitem(dialect_module.HEAR, EvState.RESCHEDULE, lambda talk, now, response: failed("gone"))
    site = HlcSite(mode)
    vehicle = site.vehicle(energy)
    site.charge(vehicle)
    site.run(10.0)
    assert max(site.sim.current_A) > 10.0
    vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    site.until(lambda: site.said("evse")[-1] == "SessionStopRes", 5.0)
    assert site.ev is not None
    (asked, _, _), (answered, _, response) = site.ev.messages[-2:]
    assert response.ResponseCode == "OK"  # type: ignore[attr-defined]
    if energy.is_dc:
        seen = min(when for when, each in site.events if isinstance(each, DcSample) and when > asked and abs(each.current_A) < 5.0)
        assert asked + 0.1 < seen <= answered, "the stage says so first"
    else:
        assert answered - asked < 0.05
    site.run(5.0)
    assert not site.facts.power_closed
