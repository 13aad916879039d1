"""Whole sessions of DIN 70121 and ISO 15118-2 between our charger's side and our vehicle's, on virtual time; silence, wishes and refusals in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.charger import AC_22_KW, Pace
from bench.v2g.pair import Pair
from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.connection import Connected, Received
from iso15118.evcc.terms import EvWish
from iso15118.messages import sap
from iso15118.messages.iso2 import data_charging as ch
from iso15118.messages.iso2 import msg_body as mb
from iso15118.minimal import minimal
from iso15118.protocols import BY_NAMESPACE, DIN, ISO2
from iso15118.secc.iso2 import schedules
from iso15118.secc.iso2.dialect import Iso2
from iso15118.terms import (
    AcDemand,
    DcDemand,
    Ending,
    EnergyChosen,
    PowerOff,
    PowerWanted,
    Price,
    Prices,
    Progress,
    Schedule,
    ScheduleAsked,
    SessionBegun,
    SessionOver,
    Slot,
    Wish,
)
from iso15118.v2gmsg.values import number
from iso15118.v2gtp import SAP_DIN_ISO2, Frame
from tests.behaviour.iso20_rig import ask, ended_well, told
from tests.behaviour.v2gmsg_rig import SPEECHES, codes, make, requests

BEFORE = ["supportedAppProtocol", "SessionSetup", "ServiceDiscovery"]
WAYS = {
    "din": [
        "ServicePaymentSelection", "ContractAuthentication", "ChargeParameterDiscovery", "CableCheck", "PreCharge", "PowerDelivery Start", "CurrentDemand",
        "PowerDelivery Stop", "WeldingDetection", "SessionStop",
    ],
    "iso2-dc": [
        "PaymentServiceSelection", "Authorization", "ChargeParameterDiscovery", "CableCheck", "PreCharge", "PowerDelivery Start", "CurrentDemand",
        "PowerDelivery Stop", "WeldingDetection", "SessionStop Terminate",
    ],
    "iso2-ac": [
        "PaymentServiceSelection", "Authorization", "ChargeParameterDiscovery", "PowerDelivery Start", "ChargingStatus", "PowerDelivery Stop",
        "SessionStop Terminate",
    ],
}  # fmt: skip


def answers(pair: Pair, kind: str) -> list[Any]:
    return [message for _, end, message in pair.messages if end == "evse" and type(message).__name__ == kind]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("speech", SPEECHES)
def test_a_whole_session(speech: str, secure: bool) -> None:
    """Nobody has to have judged the vehicle's certificate."""
    pair = make(speech)
    pair.connection = Connected(verified=secure)
    pair.session()
    ended_well(pair)
    assert requests(pair) == [*BEFORE, *WAYS[speech]]
    assert codes(pair) == []
    assert pair.loops() == 30
    (chosen,), (wanted,) = told(pair, EnergyChosen), told(pair, PowerWanted)[:1]
    assert (chosen.energy, wanted.schedule_id) == (pair.vehicle.wants.energies[0], 1)
    assert [each.why for each in told(pair, PowerOff)] == ["PowerDelivery Stop"]
    assert pair.charger.energy_Wh > 0


@pytest.mark.parametrize("whose", ["vehicle", "charger"])
@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
def test_other_schedules_are_agreed_on_while_energy_flows(speech: str, whose: str) -> None:
    pair = make(speech)
    ask(pair, whose, 10, EvWish.RENEGOTIATE_SCHEDULE, Wish.RENEGOTIATE_SCHEDULE)
    pair.session()
    ended_well(pair)
    said = requests(pair)
    again = said.index("PowerDelivery Renegotiate")
    loop = "CurrentDemand" if speech == "iso2-dc" else "ChargingStatus"
    assert said[again - 1 : again + 4] == [loop, "PowerDelivery Renegotiate", "ChargeParameterDiscovery", "PowerDelivery Start", loop]
    assert [each.why for each in told(pair, PowerOff)] == ["PowerDelivery Stop"]
    assert len(told(pair, PowerWanted)) == 2
    assert len(told(pair, EnergyChosen)) == 1


@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
def test_a_pause_is_resumed_by_its_vehicle_alone(speech: str) -> None:
    pair, vehicle = (made := make(speech)), made.vehicle
    ask(pair, "vehicle", 10, EvWish.PAUSE, None)
    pair.session()
    ended_well(pair, Ending.PAUSED)
    vehicle.wants.resume, vehicle.wants.wish, vehicle.wants.loops = vehicle.session_id, None, 10
    pair.session()
    ended_well(pair)
    first, second = told(pair, SessionBegun)
    assert (first.resumed, second.resumed, first.session_id) == (False, True, second.session_id)
    assert codes(pair) == ["SessionSetupRes OK_OldSessionJoined"]


def test_another_vehicle_does_not_resume_it() -> None:
    pair = make("iso2-ac")
    ask(pair, "vehicle", 10, EvWish.PAUSE, None)
    pair.session()
    assert pair.paused is not None
    pair.paused = replace(pair.paused, evcc_id="02:00:00:00:00:99")
    pair.vehicle.wants.resume, pair.vehicle.wants.wish = pair.paused.session_id, None
    pair.session()
    assert [each.resumed for each in told(pair, SessionBegun)] == [False, False]


def test_a_vehicle_that_may_not_pause() -> None:
    pair = make("iso2-ac")
    pair.charger.facts.pausing = False
    ask(pair, "vehicle", 10, EvWish.PAUSE, None)
    pair.session()
    assert codes(pair)[-1] == "SessionStopRes FAILED"
    assert told(pair, SessionOver)[0].ending is Ending.ABORTED


@pytest.mark.parametrize("wish", [Wish.STOP, Wish.PAUSE])
@pytest.mark.parametrize("speech", SPEECHES)
def test_the_charger_asks_to_stop(speech: str, wish: Wish) -> None:
    pair = make(speech)
    ask(pair, "charger", 10, None, wish)
    pair.charger.facts.wish_within_s = 2
    pair.session()
    ended_well(pair)
    assert pair.loops() < 15
    loop = answers(pair, "ChargingStatusRes" if speech == "iso2-ac" else "CurrentDemandRes")[-1]
    status = loop.AC_EVSEStatus if speech == "iso2-ac" else loop.DC_EVSEStatus
    assert (status.EVSENotification, status.NotificationMaxDelay) == ("StopCharging", 2)
    if speech != "iso2-ac":
        assert status.EVSEStatusCode == "EVSE_Shutdown"


@pytest.mark.parametrize("speech", ["din", "iso2-dc"])
def test_the_status_of_each_step(speech: str) -> None:
    pair = make(speech)
    pair.session()
    found: list[tuple[tuple[str, str], str, str]] = []
    for _, end, message in pair.messages:
        status = getattr(message, "DC_EVSEStatus", None) or getattr(message, "EVSEStatus", None)
        status = status or getattr(getattr(message, "EVSEChargeParameter", None), "DC_EVSEStatus", None)
        step = (type(message).__name__, getattr(message, "EVSEProcessing", ""))
        if end == "evse" and status is not None and (not found or found[-1][0] != step):
            found.append((step, status.EVSEIsolationStatus, status.EVSEStatusCode))
    assert found == [
        (("ChargeParameterDiscoveryRes", "Ongoing"), "Invalid", "EVSE_Ready"),
        (("ChargeParameterDiscoveryRes", "Finished"), "Invalid", "EVSE_Ready"),
        (("CableCheckRes", "Ongoing"), "Invalid", "EVSE_IsolationMonitoringActive"),
        (("CableCheckRes", "Finished"), "Valid", "EVSE_Ready"),
        (("PreChargeRes", ""), "Valid", "EVSE_Ready"),
        (("PowerDeliveryRes", ""), "Valid", "EVSE_Ready"),
        (("CurrentDemandRes", ""), "Valid", "EVSE_Ready"),
        (("PowerDeliveryRes", ""), "Valid", "EVSE_NotReady"),
        (("WeldingDetectionRes", ""), "Valid", "EVSE_NotReady"),
    ]


def test_a_residual_current_is_told() -> None:
    pair = make("iso2-ac")
    facts = pair.charger.facts

    def trips() -> None:
        facts.rcd, facts.fault = True, "residual current"

    pair.when(lambda: pair.loops() >= 10, trips)
    pair.session()
    last = answers(pair, "ChargingStatusRes")[-1]
    assert (last.ResponseCode, last.AC_EVSEStatus.RCD) == ("FAILED", True)
    assert told(pair, PowerOff)


# ---- schedules


def _two(levels: int = 0) -> tuple[Schedule, ...]:
    prices = Prices(
        7, "" if levels else "EUR", (Price(0, 3600, 0.20, 1), Price(3600, 3600, 0.40, 2), Price(7200, 3600, 0.20, 1)), levels=levels
    )
    slots = tuple(Slot(at, 1200, 11_000.0) for at in range(0, 10_800, 1200))
    return (Schedule(300, slots, prices=prices), Schedule(2, slots))


@pytest.mark.parametrize("levels", [0, 2], ids=["amounts", "levels"])
def test_schedules_and_what_they_cost(levels: int) -> None:
    """Ids are those that the protocol has; amounts are shares of the dearest."""
    pair = make("iso2-ac")
    pair.charger.pace = Pace(schedule_s=1.0)
    pair.charger._plan = lambda: setattr(pair.charger.facts, "schedules", _two(levels))  # type: ignore[method-assign]
    pair.session()
    ended_well(pair)
    first, *_, last = answers(pair, "ChargeParameterDiscoveryRes")
    assert (first.EVSEProcessing, first.SASchedules, last.EVSEProcessing) == ("Ongoing", None, "Finished")
    both = last.SASchedules.SAScheduleTuple
    assert [each.SAScheduleTupleID for each in both] == [45, 2]
    assert [number(each.PMax) for each in both[0].PMaxSchedule.PMaxScheduleEntry] == [11_000.0] * 9
    tariff, none = both[0].SalesTariff, both[1].SalesTariff
    assert (tariff.NumEPriceLevels, tariff.Id, none) == (2, None, None)
    assert [each.EPriceLevel for each in tariff.SalesTariffEntry] == [1, 2, 1]
    costs = [[one.Cost[0].amount for one in each.ConsumptionCost] for each in tariff.SalesTariffEntry]
    assert costs == ([[50], [100], [50]] if not levels else [[], [], []])


def test_no_more_entries_than_the_vehicle_takes() -> None:
    facts = make("iso2-ac").charger.facts
    facts.schedules = _two()
    dialect = Iso2.begun(bytes(8), b"", facts)
    request = minimal(mb.ChargeParameterDiscoveryReq, MaxEntriesSAScheduleTuple=2, EVChargeParameter=minimal(ch.DC_EVChargeParameter))
    found = schedules.offered(dialect.talk, Tick(1.0, 1.0), request)
    assert found is not None
    first = found.SAScheduleTuple[0]
    assert first.SalesTariff is not None
    assert (len(first.PMaxSchedule.PMaxScheduleEntry), len(first.SalesTariff.SalesTariffEntry)) == (2, 2)


def test_din_says_no_more_power_than_it_can() -> None:
    pair = make("din")
    pair.session()
    answer = answers(pair, "ChargeParameterDiscoveryRes")[-1]
    (only,) = answer.SASchedules.SAScheduleTuple
    assert (only.PMaxSchedule.PMaxScheduleEntry[0].PMax, only.SalesTariff) == (32_767, None)


def test_the_current_in_each_phase() -> None:
    """The charger's limit holds for all of its phases, however many a vehicle uses."""
    pair = make("iso2-ac")
    pair.charger.facts.ac = replace(AC_22_KW, max_power_W=11_040.0)
    pair.session()
    parameters = answers(pair, "ChargeParameterDiscoveryRes")[-1]
    assert number(parameters.EVSEChargeParameter.EVSEMaxCurrent) == 16.0
    assert number(answers(pair, "ChargingStatusRes")[-1].EVSEMaxCurrent) <= 16.0
    assert told(pair, AcDemand)


# ---- silence


@pytest.mark.req("F-11")
@pytest.mark.parametrize("speech", ["din", "iso2-dc"])
def test_a_silent_vehicle_gets_no_current_and_then_no_energy(speech: str) -> None:
    """0 A after a second; energy off, told before the connection is closed, after the sequence timeout."""
    pair = make(speech, loops=100_000)
    pair.connect()
    pair.run(until=lambda: pair.loops() >= 20)
    begun = pair.mono
    pair.evcc = Deaf()
    pair.run(0.9)
    assert told(pair, DcDemand)[-1].target_A > 100.0
    pair.run(4.0)
    assert told(pair, DcDemand)[-1].target_A == 0.0
    assert told(pair, PowerOff) == []
    assert pair.charger.facts.current_A == 0.0
    pair.run(70.0)
    assert [each.why for each in told(pair, PowerOff)] == ["no request in time"]
    assert 59.0 < next(at for at, each in pair.charger.log if isinstance(each, SessionOver)) - begun < 61.5


class Deaf:
    """A vehicle that has stopped talking."""

    def handle(self, now: object, event: object) -> list[Any]:
        return []

    def deadline(self) -> None:
        return None


@pytest.mark.parametrize(
    ("speech", "step", "waits_s"),
    [("din", "CableCheckRes", 10.0), ("iso2-dc", "PreChargeRes", 10.0), ("iso2-ac", "ChargingStatusRes", 60.0)],
)
def test_silence_elsewhere(speech: str, step: str, waits_s: float) -> None:
    pair = make(speech, loops=100_000)
    pair.connect()
    pair.run(until=lambda: bool(answers(pair, step)))
    begun = pair.mono
    pair.evcc = Deaf()
    pair.run(100.0)
    (over,) = [at for at, each in pair.charger.log if isinstance(each, SessionOver)]
    assert over - begun == pytest.approx(waits_s, abs=0.1)
    assert len(told(pair, PowerOff)) == 1


def test_ready_to_charge() -> None:
    """DIN 70121: a power that does not come in time after the authorisation. Each step alone would still be in its own."""
    pair = make("din")
    pair.charger.pace = Pace(cable_check_s=1.0)
    pair.connect()
    pair.run(until=lambda: bool(answers(pair, "ChargeParameterDiscoveryRes")))
    assert pair.any_dialect is not None
    pair.any_dialect.talk.since["ready"] -= 149.5
    pair.run()
    assert codes(pair)[-1] == "CableCheckRes FAILED"
    assert told(pair, PowerOff)


# ---- what is offered, and agreed on


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        (((DIN, 2), ("urn:tesla:din:2018:MsgDef", 1)), DIN),
        (((ISO2, 2), (DIN, 1)), DIN),
        (((ISO2, 1), (DIN, 2)), ISO2),
        ((("urn:tesla:din:2018:MsgDef", 1),), None),
    ],
)
def test_the_vehicles_priorities_decide(offers: tuple[tuple[str, int], ...], chosen: str | None) -> None:
    pair = make("din")
    pair.connect(Deaf())
    asked = sap.supportedAppProtocolReq(
        AppProtocol=tuple(
            sap.AppProtocolType(
                ProtocolNamespace=name,
                VersionNumberMajor=2 if name in BY_NAMESPACE else 0,
                VersionNumberMinor=0 if name in BY_NAMESPACE else 7,
                SchemaID=number,
                Priority=priority,
            )
            for number, (name, priority) in enumerate(offers)
        )
    )
    pair._evse(Received(Frame(SAP_DIN_ISO2, exi.encode(asked, sap.NAMESPACE)).octets()))
    (answer,) = answers(pair, "supportedAppProtocolRes")
    if chosen is None:
        assert (answer.ResponseCode, answer.SchemaID) == ("Failed_NoNegotiation", None)
    else:
        assert (answer.ResponseCode, answer.SchemaID) == ("OK_SuccessfulNegotiation", [name for name, _ in offers].index(chosen))


@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
def test_internet_is_offered_and_chosen(speech: str) -> None:
    pair = make(speech)
    pair.session()
    (found,) = answers(pair, "ServiceDiscoveryRes")
    (only,) = found.ServiceList.Service
    assert (only.ServiceID, only.ServiceCategory) == (3, "Internet")
    assert answers(pair, "ServiceDetailRes") == []


def test_the_authorisation_is_refused() -> None:
    for speech in SPEECHES:
        pair = make(speech)
        pair.charger.pace = Pace(accepts=False)
        pair.session()
        assert codes(pair)[-1].endswith("Res FAILED"), speech
        assert told(pair, PowerWanted) == []


def test_a_fault_before_the_power() -> None:
    pair = make("din")
    pair.connect()
    pair.run(until=lambda: bool(answers(pair, "PreChargeRes")))
    pair.charger.facts.fault = "the stage has failed"
    pair.run()
    assert codes(pair)[-1] == "PreChargeRes FAILED"
    assert answers(pair, "PreChargeRes")[-1].DC_EVSEStatus.EVSEStatusCode == "EVSE_Malfunction"
    assert told(pair, PowerOff)


@pytest.mark.parametrize(
    ("speech", "code"),
    [("din", "FAILED_PowerDeliveryNotApplied"), ("iso2-dc", "FAILED_ContactorError"), ("iso2-ac", "FAILED_ContactorError")],
)
def test_the_power_does_not_come(speech: str, code: str) -> None:
    pair = make(speech)
    facts = pair.charger.facts

    def fails() -> None:
        facts.power = Progress.FAILED
        pair.changed()

    pair.when(lambda: facts.power is Progress.UNDER_WAY, fails)
    pair.session()
    assert codes(pair)[-1] == f"PowerDeliveryRes {code}"
    assert told(pair, PowerOff)


def test_the_vehicle_says_how_much_of_a_schedule_it_takes() -> None:
    pair = make("iso2-ac", most_points=12)
    pair.session()
    assert {each.most_points for each in told(pair, ScheduleAsked)} == {12}
