"""Whole sessions of DIN 70121 and ISO 15118-2 on virtual time, our vehicle at our charger: every service, with pause, other schedules and an early end."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from bench.v2g.charger import Charger, Pace, every_way
from bench.v2g.guard import Careful, Guard
from bench.v2g.model import Spec, Vehicle
from bench.v2g.pair import VERIFIED, Pair
from bench.v2g.progress import progress
from iso15118 import protocols
from iso15118.connection import Connected, Lost
from iso15118.evcc.terms import DrawPower, EvWish, OpenContactors, ProfileMade, SessionJoined, StopDrawing, Wants, WeldingSeen
from iso15118.protocols import PROTOCOLS
from iso15118.terms import AddedService, DialectChosen, Ending, Energy, Parameter, ParameterSet, PowerOff, SessionBegun, Told, Wish

SPEECHES = ("din", "iso2-dc", "iso2-ac")
ISO2 = ("iso2-dc", "iso2-ac")
INTERNET = AddedService(65, (ParameterSet(3, (Parameter("Protocol", "http"), Parameter("Port", 80))),))
FIRST = {
    "din": ["supportedAppProtocol", "SessionSetup", "ServiceDiscovery", "ServicePaymentSelection", "ContractAuthentication"],
    "iso2": ["supportedAppProtocol", "SessionSetup", "ServiceDiscovery", "PaymentServiceSelection", "Authorization"],
}
MIDDLE = {"DC": ["CableCheck", "PreCharge"], "AC": []}
LOOP = {"DC": "CurrentDemand", "AC": "ChargingStatus"}
END = {"DC": ["WeldingDetection"], "AC": []}


def kind(speech: str) -> str:
    return "AC" if speech == "iso2-ac" else "DC"


def make(*speeches: str, pace: Pace | None = None, spec: Spec | None = None, tls: bool = False, **wants: Any) -> Pair:
    """A vehicle that speaks these at a charger that speaks everything."""
    usual = {"energies": (Energy.AC if speeches[0].endswith("-ac") else Energy.DC,), "protocols": speeches, "loops": 30}
    vehicle = Vehicle(spec or Spec(), wants=Wants(**(usual | wants)))  # type: ignore[arg-type]
    names = tuple(each.namespace for each in protocols.spoken(PROTOCOLS))
    charger = Charger(every_way(added_services=(INTERNET,)), pace or Pace())
    pair = Pair(charger, vehicle, namespaces=names, connection=VERIFIED if tls else Connected())
    pair.watches += [Guard(), Careful()]
    return pair


def said(pair: Pair) -> list[str]:
    """The vehicle's requests without repetitions; PowerDelivery with what it wants."""
    found = []
    for _, end, message in pair.messages:
        if end == "ev":
            found.append(f"{type(message).__name__.removesuffix('Req')} {progress(message)}".strip())
    return [name for name, _ in itertools.groupby(found)]


def told(pair: Pair, what: type[Told], end: str = "ev") -> list[Any]:
    return [thing for who, thing in pair.story if who == end and isinstance(thing, what)]


def ended(pair: Pair, ending: Ending = Ending.TERMINATED) -> None:
    for over in (pair.ev_over, pair.evse_over):
        assert over is not None
        assert (over.ending, over.why) == (ending, "SessionStop")
    assert not pair.vehicle.wants.contactors_closed
    assert all(note.level != "warning" for _, _, note in pair.notes), pair.notes


@pytest.mark.parametrize(("speech", "tls"), [*((each, False) for each in SPEECHES), *((each, True) for each in ISO2)])
def test_a_session_from_plug_to_plug(speech: str, tls: bool) -> None:
    pair = make(speech, tls=tls).session()
    ended(pair)
    current = kind(speech)
    assert said(pair) == [
        *FIRST[speech[:4].rstrip("-")], "ChargeParameterDiscovery", *MIDDLE[current], "PowerDelivery Start", LOOP[current], "PowerDelivery Stop",
        *END[current], "SessionStop",
    ]  # fmt: skip
    assert told(pair, DialectChosen)[0].namespace == PROTOCOLS[speech].namespace
    assert pair.vehicle.taken_Wh > 10.0
    assert len(told(pair, DrawPower)) == len(told(pair, StopDrawing)) == len(told(pair, PowerOff, "evse")) == 1


@pytest.mark.parametrize("speech", SPEECHES)
@pytest.mark.parametrize("welding_detection", [True, False])
def test_a_battery_that_is_full(speech: str, welding_detection: bool) -> None:
    pair = make(speech, loops=None, welding_detection=welding_detection)
    pair.vehicle.soc = pair.vehicle.target_soc - 0.2
    pair.session()
    ended(pair)
    assert pair.vehicle.soc >= pair.vehicle.target_soc
    assert bool(told(pair, WeldingSeen)) is (welding_detection and speech != "iso2-ac")
    assert bool(told(pair, OpenContactors)) is (speech != "iso2-ac")


@pytest.mark.parametrize("speech", ISO2)
@pytest.mark.parametrize("whose", ["nobody", "vehicle", "charger"])
@pytest.mark.parametrize("pauses", [0, 1, 2])
@pytest.mark.parametrize("services", [(), (3,)])
def test_pause_and_other_schedules(speech: str, whose: str, pauses: int, services: tuple[int, ...]) -> None:
    pair = make(speech, loops=None, added_services=services)
    for session in range(pauses + 1):
        pair.vehicle.wants.resume = pair.paused.session_id if pair.paused else b""
        pair.connect()
        begun = pair.loops()

        def other(begun: int = begun) -> bool:
            return pair.loops() >= begun + 10

        if whose == "vehicle":
            pair.when(other, lambda: setattr(pair.vehicle.wants, "wish", EvWish.RENEGOTIATE_SCHEDULE))
        elif whose == "charger":
            pair.when(other, lambda: setattr(pair.charger.facts, "wish", Wish.RENEGOTIATE_SCHEDULE))
        wish = EvWish.PAUSE if session < pauses else EvWish.STOP
        pair.when(lambda begun=begun: pair.loops() >= begun + 20, lambda wish=wish: setattr(pair.vehicle.wants, "wish", wish))  # type: ignore[misc]
        pair.run()
        ended(pair, Ending.PAUSED if session < pauses else Ending.TERMINATED)
    assert [each.resumed for each in told(pair, SessionBegun, "evse")] == [False] + [True] * pauses
    assert [each.resumed for each in told(pair, SessionJoined)] == [False] + [True] * pauses
    assert len({each.session_id for each in told(pair, SessionJoined)}) == 1
    assert said(pair).count("PowerDelivery Renegotiate") == (0 if whose == "nobody" else pauses + 1)
    assert len(told(pair, ProfileMade)) == (pauses + 1) * (1 if whose == "nobody" else 2)
    assert said(pair).count("ServiceDetail") == (pauses + 1) * len(services)


@pytest.mark.parametrize(("speech", "at", "bare", "last"), [
    ("din", "ChargeParameterDiscoveryReq", False, ["ChargeParameterDiscovery", "SessionStop"]),
    ("din", "CableCheckReq", False, ["CableCheck", "PowerDelivery Stop", "SessionStop"]),
    ("din", "PreChargeReq", True, ["PreCharge", "SessionStop"]),
    ("iso2-dc", "ChargeParameterDiscoveryReq", False, ["ChargeParameterDiscovery", "SessionStop"]),
    ("iso2-dc", "CableCheckReq", True, ["CableCheck", "SessionStop"]),
    ("iso2-dc", "PreChargeReq", False, ["PreCharge", "PowerDelivery Stop", "SessionStop"]),
    ("iso2-dc", "AuthorizationReq", False, ["Authorization", "SessionStop"]),
    ("iso2-ac", "PowerDeliveryReq", True, ["PowerDelivery Start", "SessionStop"]),
    ("iso2-ac", "ServiceDiscoveryReq", False, ["ServiceDiscovery", "SessionStop"]),
])  # fmt: skip
def test_cars_stop_early(speech: str, at: str, bare: bool, last: list[str]) -> None:
    """As the recorded ones do; the charger takes it."""
    pair = make(speech, bare_stop=bare)
    pair.when(lambda: pair.said("ev")[-1:] == [at], lambda: setattr(pair.vehicle.wants, "wish", EvWish.STOP))
    pair.session()
    ended(pair)
    assert said(pair)[-len(last) :] == last
    assert all(getattr(message, "ResponseCode", "OK").startswith("OK") for _, end, message in pair.messages if end == "evse")


@pytest.mark.parametrize("speech", SPEECHES)
def test_the_charger_asks_for_the_end(speech: str) -> None:
    pair = make(speech, loops=None)
    pair.when(lambda: pair.loops() > 10, lambda: setattr(pair.charger.facts, "wish", Wish.STOP))
    pair.session()
    ended(pair)
    assert pair.loops() < 15


@pytest.mark.parametrize(("speeches", "chosen"), [
    (("din", "iso2-dc", "iso20-dc"), "din"), (("iso2-dc", "din"), "iso2-dc"), (("iso20-dc", "iso2-dc", "din"), "iso20-dc"), (("iso2-ac", "iso20-ac"), "iso2-ac"),
])  # fmt: skip
def test_the_vehicle_decides_which_protocol(speeches: tuple[str, ...], chosen: str) -> None:
    pair = make(*speeches, tls=chosen.startswith("iso20"))
    pair.session()
    ended(pair)
    assert told(pair, DialectChosen)[0].namespace == PROTOCOLS[chosen].namespace


# ---- what takes too long


@pytest.mark.parametrize("speech", ["din", "iso2-dc"])
def test_a_cable_check_that_takes_too_long(speech: str) -> None:
    """The charger says so before the vehicle's own timer ends."""
    pair = make(speech, pace=Pace(cable_check_s=60.0)).session()
    assert said(pair)[-1] == "CableCheck"
    assert pair.ev_over is not None
    assert (pair.ev_over.ending, pair.ev_over.why) == (Ending.ABORTED, "CableCheckRes: FAILED")
    asked = [moment for moment, _, message in pair.messages if type(message).__name__ == "CableCheckReq"]
    assert asked[-1] - asked[0] < 40.0
    assert not told(pair, DrawPower)


@pytest.mark.parametrize("speech", ["din", "iso2-dc"])
def test_a_precharge_that_takes_too_long(speech: str) -> None:
    """The vehicle goes, in order, when its own timer ends."""
    pair = make(speech, pace=Pace(voltage_V_per_s=30.0)).session()
    ended(pair)
    assert "PreCharge" in said(pair)
    assert "CurrentDemand" not in said(pair)
    asked = [moment for moment, _, message in pair.messages if type(message).__name__ == "PreChargeReq"]
    assert 6.9 < asked[-1] - asked[0] <= 7.1
    assert not told(pair, DrawPower)


@pytest.mark.parametrize("speech", ["din", "iso2-dc"])
def test_a_vehicle_that_takes_its_time_with_its_contactors(speech: str) -> None:
    """The voltage is there long before: the charger waits as long as the vehicle does."""
    pair = make(speech, ready=False)
    pair.connect()
    pair.run(until=lambda: "PreCharge" in said(pair))
    pair.run(6.7)
    pair.vehicle.wants.ready = True
    pair.run()
    ended(pair)
    assert pair.loops() == 30


def test_a_driver_who_looks_for_the_card() -> None:
    """ISO 15118-2 has a word for it, and the vehicle waits; in DIN 70121 it does not."""
    pair = make("din", pace=Pace(authorization_s=100.0)).session()
    assert said(pair)[-2:] == ["ContractAuthentication", "SessionStop"]
    pair = make("iso2-ac", pace=Pace(authorization_s=100.0)).session()
    ended(pair)
    assert pair.loops() == 30


def test_din_is_ready_to_charge_within_150_s() -> None:
    for cable_check_s, in_time in ((35.0, True), (37.5, False)):
        pair = make("din", pace=Pace(authorization_s=59.0, schedule_s=54.0, cable_check_s=cable_check_s)).session()
        assert bool(told(pair, DrawPower)) is in_time, cable_check_s
        assert said(pair)[-1] == "SessionStop"


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_charger_that_falls_silent(speech: str) -> None:
    """0.25 s in the loop of DC, 2 s in that of AC; then the contactors are open."""
    pair = make(speech, loops=None)
    stopped: list[float] = []

    def silence() -> None:
        pair.spoil = lambda end, send: b"" if end == "evse" else send.octets
        stopped.append(pair.mono)

    pair.when(lambda: pair.loops() > 10, silence)
    pair.connect()
    pair.run(until=lambda: pair.ev_over is not None)
    assert pair.ev_over is not None
    assert pair.ev_over.ending is Ending.ABORTED
    assert pair.ev_over.why == "no response in time"
    assert pair.mono - stopped[0] == pytest.approx(2.0 if speech == "iso2-ac" else 0.25, abs=0.01)
    assert told(pair, StopDrawing)
    pair.lose(Lost("silence"))
