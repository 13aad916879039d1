"""A vehicle in DC by ISO 15118-2 leaves its loop for other schedules, and does then what it likes: power follows a cable check and a precharge, and flows
no longer than a second without a CurrentDemand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bench.ev.talking import TalkingEv
from bench.v2g.model import Spec
from chargepoint.commands import CloseContactor, OpenContactor, SetDcOutput
from chargepoint.events import Supply, SupplyAsked
from chargepoint.tick import Tick
from hal.types import DcSample
from iso15118 import exi
from iso15118.connection import Command, Event, Received, Send
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_def as md
from iso15118.secc.iso2.spelling import document
from iso15118.terms import PowerWanted
from iso15118.v2gmsg.values import number
from iso15118.v2gtp import SAP_DIN_ISO2, Frame, FrameReader
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_v2gmsg import site_of, vehicle_of

BIG = Spec("big", capacity_Wh=400_000.0)
Made = Callable[["Script"], Any]
Step = tuple[float, Sequence[str | Made]]
"""Seconds after the answer before, and what is said then, in one segment: the vehicle's own last request by name, or what is made."""
AGAIN = mb.PowerDeliveryReq(ChargeProgress="Renegotiate", SAScheduleTupleID=1)


def read(frame: Frame) -> Any:
    """The document in it."""
    return exi.decode(frame.payload, md.NAMESPACE)


class Script:
    """An honest session up to its loop, and what is written from there on."""

    def __init__(self, inner: Any, steps: Sequence[Step], loops: int) -> None:
        self.inner, self.steps, self.loops = inner, list(steps), loops
        self.on = False
        self.due: float | None = None
        self.session_id = b""
        self.last: dict[str, Any] = {}
        self.answers: list[tuple[float, Any]] = []

    def handle(self, now: Any, event: Event) -> list[Command]:
        if not self.on:
            return self._honest(now, event)
        if isinstance(event, Received):
            bodies = [read(each).Body.BodyElement for each in FrameReader().feed(event.octets)]
            self.answers += [(now.mono, each) for each in bodies]
            self.due = now.mono + self.steps[0][0] if self.steps else None
        elif self.due is not None and now.mono >= self.due:
            self.due = None
            bodies = [each(self) if callable(each) else self.last[each] for each in self.steps.pop(0)[1]]
            return [Send(b"".join(self._octets(each) for each in bodies), bodies[-1])]
        return []

    def _honest(self, now: Any, event: Event) -> list[Command]:
        out: list[Command] = []
        for each in self.inner.handle(now, event):
            if isinstance(each, Send):
                name = type(each.message).__name__
                if name != "supportedAppProtocolReq":
                    self.session_id = read(FrameReader().feed(each.octets)[0]).Header.SessionID
                self.last[name] = each.message
                self.loops -= name == "CurrentDemandReq"
                if self.loops < 0:
                    self.on, self.due = True, now.mono + self.steps[0][0]
                    return out
            out.append(each)
        return out

    def _octets(self, body: Any) -> bytes:
        return Frame(SAP_DIN_ISO2, exi.encode(document(self.session_id, body), md.NAMESPACE)).octets()

    def deadline(self) -> float | None:
        at: float | None = self.due if self.on else self.inner.deadline()
        return at


def scripted(*steps: Step, loops: int = 30) -> tuple[HlcSite, Script, Any, float]:
    """A station with this vehicle, at the first step: the site, the vehicle's script, the vehicle, and when."""
    made: list[Script] = []

    class Kind(TalkingEv):
        def session(self) -> Any:
            made.append(Script(super().session(), steps, loops))
            return made[-1]

    site = site_of("iso2-dc")
    vehicle = vehicle_of(site, "iso2-dc", spec=BIG)
    site.plug(vehicle, kind=Kind)
    site.card()
    site.until(lambda: bool(made) and made[-1].on, most_s=60.0)
    return site, made[-1], vehicle, site.heap.now


def start(_: Script) -> Any:
    return mb.PowerDeliveryReq(ChargeProgress="Start", SAScheduleTupleID=2)


def nothing(script: Script) -> Any:
    """No current is wanted any more."""
    last = script.last["CurrentDemandReq"]
    none = type(last.EVTargetCurrent)(Multiplier=0, Unit="A", Value=0)
    return mb.CurrentDemandReq(
        DC_EVStatus=last.DC_EVStatus, EVTargetCurrent=none, EVTargetVoltage=last.EVTargetVoltage, ChargingComplete=False
    )


def welding(script: Script) -> Any:
    return mb.WeldingDetectionReq(DC_EVStatus=script.last["CurrentDemandReq"].DC_EVStatus)


def amperes(site: HlcSite) -> float:
    return max(map(abs, site.sim.current_A))


DOWN: list[Step] = [(0.05, [nothing])] * 5
PARAMETERS: list[Step] = [(0.0, [lambda _: AGAIN]), (0.05, ["ChargeParameterDiscoveryReq"])]


def checks(count: int, every_s: float = 0.1) -> list[Step]:
    return [(every_s, ["CableCheckReq"])] * count


def test_an_outlet_that_still_has_voltage_is_waited_for() -> None:
    """Nobody calls it a fault: the test is asked for when the outlet is dead, and is good."""
    holder: list[Any] = []

    def opened(script: Script) -> Any:
        holder[0].wants.contactors_closed = False
        return script.last["CableCheckReq"]

    site, script, vehicle, _ = scripted(*DOWN, *PARAMETERS, (0.05, [opened]), *checks(100))
    holder.append(vehicle)
    site.until(
        lambda: (
            bool(script.answers)
            and getattr(script.answers[-1][1], "EVSEProcessing", "") == "Finished"
            and type(script.answers[-1][1]).__name__ == "CableCheckRes"
        ),
        most_s=20.0,
    )
    assert script.answers[-1][1].ResponseCode == "OK"
    assert site.facts.faults == {}
    assert site.facts.insulation is True


def test_a_vehicle_that_keeps_its_voltage_on_the_outlet_is_refused_after_a_time() -> None:
    """It has not opened its contactors: its session ends, and the charger has no fault."""
    site, script, _, began = scripted(*DOWN, *PARAMETERS, *checks(200))
    site.until(lambda: bool(script.answers) and script.answers[-1][1].ResponseCode != "OK", most_s=15.0)
    at, answer = script.answers[-1]
    assert (type(answer).__name__, answer.ResponseCode) == ("CableCheckRes", "FAILED")
    assert at - began == pytest.approx(10.0, abs=1.0)
    assert [each for when, each in site.at(CloseContactor) if when > began] == []
    assert site.facts.faults == {}


@pytest.mark.parametrize("waited_s", [0.1, 3.0])
def test_no_power_without_a_cable_check_and_a_precharge(waited_s: float) -> None:
    """After the first CableCheckReq power is refused, and no output is ordered at the voltage of the check."""
    site, script, _, began = scripted(*DOWN, *PARAMETERS, *checks(1), *checks(2, waited_s), (0.05, [start]), (0.05, ["CurrentDemandReq"]))
    site.run(12.0)
    codes = [(type(each).__name__, each.ResponseCode) for _, each in script.answers]
    assert codes[-1] == ("PowerDeliveryRes", "FAILED_SequenceError")
    asked = [each.supply for at, each in site.events if at > began + 0.5 and isinstance(each, SupplyAsked)]
    assert Supply.POWER not in asked
    assert amperes(site) == 0.0


def test_the_silence_in_a_cable_check_asks_for_no_power() -> None:
    """It is not that of the loop: a test of the insulation goes on."""
    holder: list[Any] = []

    def opened(script: Script) -> Any:
        holder[0].wants.contactors_closed = False
        return script.last["CableCheckReq"]

    site, script, vehicle, _ = scripted(*DOWN, *PARAMETERS, (0.05, [opened]), *checks(1, 3.0), *checks(8, 1.2))
    holder.append(vehicle)
    site.run(12.0)
    codes = [each.ResponseCode for _, each in script.answers if type(each).__name__ == "CableCheckRes"]
    assert set(codes[:4]) == {"OK"}
    assert site.facts.faults == {}


def test_a_cable_check_is_answered_when_the_current_is_gone() -> None:
    """As a PowerDelivery that stops is: the vehicle may open its contactors then."""
    site, script, _, _ = scripted(*PARAMETERS, *checks(3))
    assert amperes(site) > 100.0
    flowing: list[float] = []
    while not any(type(each).__name__ == "CableCheckRes" for _, each in script.answers):
        site.heap.run(0.005)
        flowing.append(amperes(site))
    assert flowing[-1] < 5.0
    assert max(flowing) > 100.0


@pytest.mark.req("F-11")
def test_what_is_said_beside_the_loop_does_not_keep_the_current_flowing() -> None:
    site, _, _, began = scripted(
        (0.0, [lambda _: AGAIN]), (0.9, ["ChargeParameterDiscoveryReq"]), (0.9, [start]), *[(0.2, ["CurrentDemandReq"])] * 3
    )
    assert amperes(site) > 100.0
    site.run(1.6)
    assert amperes(site) < 2.0
    none = next(at for at, each in site.at(SetDcOutput) if at > began and each.current_A == 0.0)
    assert none - began < 1.05
    assert [at for at, _ in site.at(OpenContactor) if at > began] == [], "the voltage stays"
    site.run(1.5)
    assert amperes(site) > 100.0, "and the loop goes on with other schedules"


def test_many_requests_in_one_segment_are_answered_by_what_is_so() -> None:
    """What is off is not called ready: the energy went off with the cable check, and no current is promised after it."""
    every: list[str | Made] = [lambda _: AGAIN, "ChargeParameterDiscoveryReq", "CableCheckReq", start, "CurrentDemandReq"]
    site, script, _, began = scripted((0.0, every), *[(0.2, ["CurrentDemandReq"])] * 10)
    site.run(5.0)
    late = [(type(each).__name__, each.ResponseCode) for _, each in script.answers if type(each).__name__ == "CurrentDemandRes"]
    assert late == []
    assert [at for at, _ in site.at(OpenContactor) if at > began]
    assert amperes(site) == 0.0


def test_the_voltage_of_a_cable_check_is_none_for_power() -> None:
    """Whatever lets power be asked for then: the stage is ordered nothing by it. That of a precharge is the battery's."""
    site, _, _, _ = scripted(*DOWN)
    assert site.heap.station is not None
    machine: Any = site.heap.station.wiring.machines["v2g:1"]
    state, asked = machine.state, []
    for state.supply in (Supply.CABLE_CHECK, Supply.PRECHARGE, Supply.POWER):
        state.asked_V = 420.0
        said = machine.teller.said(Tick(site.heap.now, 0.0), state, [PowerWanted(1)])
        asked += [each.voltage_V for each in said if isinstance(each, SupplyAsked)]
    assert asked == [0.0, 420.0, 420.0]


def test_a_refusal_tells_the_voltage_that_is_there() -> None:
    site, script, _, _ = scripted((0.0, [welding]))
    site.run(1.0)
    answer = script.answers[-1][1]
    assert (type(answer).__name__, answer.ResponseCode) == ("WeldingDetectionRes", "FAILED_SequenceError")
    assert number(answer.EVSEPresentVoltage) == pytest.approx(366.0, abs=10.0)


def test_a_welding_detection_without_a_reading_is_refused_with_what_was_read_last() -> None:
    """It is no proof that nothing is welded."""
    stop = mb.PowerDeliveryReq(ChargeProgress="Stop", SAScheduleTupleID=1)
    site, script, _, _ = scripted(*DOWN, (0.0, [lambda _: stop]), (4.0, [welding]))
    site.run(2.0)
    before_V = site.stage.outlet_V
    assert before_V > 300.0, "the vehicle's contactors are closed"
    site.heap.deaf = DcSample
    site.run(3.0)
    answer = script.answers[-1][1]
    assert (type(answer).__name__, answer.ResponseCode) == ("WeldingDetectionRes", "FAILED")
    assert number(answer.EVSEPresentVoltage) == pytest.approx(before_V, abs=2.0)
