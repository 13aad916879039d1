"""The simulated vehicle, its misbehaviours, and the watches that look at a session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.charger import DC_150_KW, Charger
from bench.v2g.guard import Careful, Guard
from bench.v2g.misbehave import CATALOGUE, misbehaving
from bench.v2g.model import COMPACT, SPECS, Vehicle, on_curve
from bench.v2g.pair import Pair
from bench.v2g.wrong import Wrong
from chargepoint.tick import Tick
from iso15118.connection import Close
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session
from iso15118.evcc.terms import (
    CloseContactors,
    Delivered,
    DrawPower,
    EvseAsks,
    EvWish,
    OpenContactors,
    PowerTarget,
    StopDrawing,
    Wants,
    WishTaken,
)
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import (
    CableCheckWanted,
    Control,
    Ending,
    Energy,
    EnergyChosen,
    Facts,
    Offered,
    PowerOff,
    PowerWanted,
    SessionOver,
    Wish,
)


def at(seconds: float) -> Tick:
    return Tick(seconds, 1e9 + seconds)


def closed(vehicle: Vehicle) -> bool:
    return vehicle.wants.contactors_closed


def wish(vehicle: Vehicle) -> EvWish | None:
    return vehicle.wants.wish


def test_curves() -> None:
    curve = ((10.0, 100.0), (20.0, 200.0), (40.0, 100.0))
    assert [on_curve(curve, soc) for soc in (0, 10, 15, 20, 30, 40, 100)] == [100, 100, 150, 200, 150, 100, 100]


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_a_battery_is_within_its_limits_at_every_state_of_charge(spec: Any) -> None:
    for soc in range(101):
        vehicle = Vehicle(spec, float(soc), target_soc=100.0)
        wants = vehicle.wants
        assert spec.min_voltage_V <= wants.voltage_V <= spec.max_voltage_V
        assert wants.target_V <= spec.max_voltage_V
        assert 0 <= wants.target_A <= spec.max_current_A
        assert (wants.limits.max_power_W == 0.0) == (soc == 100)
        assert wants.needs.target_Wh == pytest.approx((100 - soc) * spec.capacity_Wh / 100)


def test_energy_is_what_was_delivered_over_time() -> None:
    vehicle = Vehicle(soc=30.0)
    vehicle.told(at(0), CloseContactors(370.0))
    assert not closed(vehicle)
    assert vehicle.deadline() == pytest.approx(0.1)
    assert vehicle.tick(at(0.1))
    assert closed(vehicle)
    vehicle.told(at(1), DrawPower())
    vehicle.told(at(1), Delivered(360.0, 100.0))
    vehicle.told(at(3601), Delivered(360.0, 0.0))
    assert vehicle.taken_Wh == pytest.approx(36_000)
    assert vehicle.soc == pytest.approx(90.0)
    assert wish(vehicle) is EvWish.STOP, "the target is passed"
    vehicle.told(at(3602), StopDrawing("stop"))
    vehicle.told(at(3602), Delivered(360.0, 100.0))
    vehicle.tick(at(9999))
    assert vehicle.taken_Wh == pytest.approx(36_000), "nothing is taken after that"


def test_with_open_contactors_nothing_is_taken() -> None:
    vehicle = Vehicle()
    vehicle.told(at(0), DrawPower())
    vehicle.told(at(0), Delivered(360.0, 100.0))
    vehicle.tick(at(3600))
    assert vehicle.taken_Wh == 0.0


@pytest.mark.parametrize("welded", [False, True])
def test_contactors_open_in_their_time_or_never(welded: bool) -> None:
    vehicle = Vehicle(replace(COMPACT, welded=welded))
    vehicle.told(at(0), CloseContactors(370.0))
    vehicle.tick(at(0.1))
    vehicle.told(at(1), OpenContactors())
    vehicle.tick(at(1.05))
    assert closed(vehicle) == welded


def test_the_charger_on_board_follows_its_target() -> None:
    vehicle = Vehicle(wants=Wants(energies=(Energy.AC_BPT,)))
    vehicle.told(at(0), EnergyChosen(Energy.AC_BPT, Control.DYNAMIC))
    vehicle.told(at(0), PowerTarget(5_000.0))
    assert vehicle.wants.power_W == 0.0, "not before it may"
    vehicle.told(at(0), DrawPower())
    assert vehicle.wants.power_W == 5_000.0
    for target_W, power_W in ((50_000.0, COMPACT.ac_power_W), (-2_000.0, -2_000.0), (-50_000.0, -COMPACT.give_W)):
        vehicle.told(at(1), PowerTarget(target_W))
        assert vehicle.wants.power_W == power_W
    vehicle.told(at(2), EnergyChosen(Energy.AC, Control.DYNAMIC))
    assert vehicle.wants.power_W == 0.0, "one way only"


def test_the_driver() -> None:
    vehicle = Vehicle()
    vehicle.wants.wish = EvWish.PAUSE
    vehicle.told(at(0), WishTaken(EvWish.STOP))
    assert wish(vehicle) is EvWish.PAUSE
    vehicle.told(at(0), WishTaken(EvWish.PAUSE))
    assert wish(vehicle) is None
    vehicle.wants.wish = EvWish.STANDBY
    vehicle.told(at(0), EvseAsks(Wish.EXIT_STANDBY))
    assert wish(vehicle) is None
    vehicle.told(at(0), SessionOver(Ending.ABORTED, "x"))
    assert vehicle.over == SessionOver(Ending.ABORTED, "x")


# ---- misbehaviours


def octets_of(name: str, seed: int) -> list[tuple[float, str, bytes]]:
    pair = Pair(Charger(Facts(energies=(Offered(Energy.DC),), dc=DC_150_KW)), Vehicle(wants=Wants(loops=5)))
    pair.connect(misbehaving(name, Session(spoken(pair.vehicle.wants)), seed))
    pair.run(300.0)
    return pair.octets


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_same_seed_does_the_same(name: str) -> None:
    first = octets_of(name, 5)
    assert first == octets_of(name, 5)
    if name not in ("honest", "segmented", "mute"):
        assert any(octets_of(name, seed) != first for seed in range(6, 12))


def test_every_misbehaviour_says_what_it_is() -> None:
    for entry in CATALOGUE.values():
        assert len(entry.words) > 10, entry.name
        assert issubclass(entry.make, Wrong)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        misbehaving("polite", Session(()))


# ---- the watches see what they are there for


HEADER = ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=0)
OFF = cm.PowerDeliveryReq(Header=HEADER, EVProcessing="Finished", ChargeProgress="Stop")
START = cm.PowerDeliveryReq(Header=HEADER, EVProcessing="Finished", ChargeProgress="Start")
OK = cm.PowerDeliveryRes(Header=HEADER, ResponseCode="OK")
FAILED = cm.PowerDeliveryRes(Header=HEADER, ResponseCode="FAILED")
STOP = cm.SessionStopReq(Header=HEADER, ChargingSession="Terminate")
STOPPED = cm.SessionStopRes(Header=HEADER, ResponseCode="OK")
OVER = SessionOver(Ending.TERMINATED, "SessionStop")


def told(watch: Any, *story: tuple[str, Any], amperes: float = 0.0, volts: float = 0.0, energy: Energy = Energy.DC) -> str:
    """What a watch complains of."""
    pair = Pair(Charger(Facts(dc=DC_150_KW)), Vehicle())
    pair.charger.chosen = pair.vehicle.chosen = EnergyChosen(energy, Control.DYNAMIC)
    pair.charger.facts.current_A, pair.charger.facts.voltage_V = amperes, volts
    pair.story += story
    try:
        watch(pair)
    except AssertionError as error:
        return str(error)
    return ""


def test_what_the_guard_sees() -> None:
    on, off = ("evse", PowerWanted()), ("evse", PowerOff("x"))
    assert told(Guard(), on, ("ev", OFF), off, ("evse", OK), ("evse", STOPPED), ("evse", OVER), ("evse", Close())) == ""
    assert "PowerDeliveryRes while" in told(Guard(), on, ("ev", OFF), ("evse", OK), off)
    assert "PowerDeliveryRes while" in told(Guard(), on, ("ev", START), ("evse", FAILED), off)
    assert "SessionStopRes while" in told(Guard(), ("evse", CableCheckWanted()), ("evse", STOPPED))
    assert "SessionOver while" in told(Guard(), on, ("evse", OVER))
    assert "the end of the connection while" in told(Guard(), on, ("evse", Close()))
    assert "twice" in told(Guard(), ("evse", OVER), ("evse", OVER))
    assert "after the session was over" in told(Guard(), ("evse", OVER), on)
    assert "without PowerDelivery Start" in told(Guard(), ("evse", CableCheckWanted()), amperes=2.1)
    assert "without PowerDelivery Start" in told(Guard(), on, off, amperes=-2.1)
    assert told(Guard(), on, amperes=400.0, volts=1000.0) == ""
    assert "more than the charger may" in told(Guard(), on, amperes=401.0)
    assert "more than the charger may" in told(Guard(), on, volts=1001.0)
    assert "gives nothing" in told(Guard(), on, amperes=-1.0)
    assert told(Guard(), on, amperes=-150.0, energy=Energy.DC_BPT) == ""
    assert "more than the charger may" in told(Guard(), on, amperes=-151.0, energy=Energy.DC_BPT)


def test_what_the_careful_watch_sees() -> None:
    draws = ("ev", DrawPower())
    assert told(Careful(), draws, ("ev", StopDrawing("x")), ("ev", OFF), ("ev", STOP), ("ev", OVER), ("ev", Close())) == ""
    assert "PowerDeliveryReq of a vehicle that draws" in told(Careful(), draws, ("ev", OFF))
    assert "SessionStopReq of a vehicle that draws" in told(Careful(), draws, ("ev", STOP))
    assert "SessionOver of a vehicle that draws" in told(Careful(), draws, ("ev", OVER))
    assert "Close of a vehicle that draws" in told(Careful(), draws, ("ev", Close()))
    assert "contactors open under 6 A" in told(Careful(), ("ev", OpenContactors()), amperes=6.0)
    assert "open contactors" in told(Careful(), ("ev", START))
    assert told(Careful(), ("ev", START), energy=Energy.AC) == ""
    assert "contactors close at 300 V" in told(Careful(), ("ev", CloseContactors(300.0)))
    assert told(Careful(1), draws, ("ev", STOP)) == "", "only what comes after its place"
