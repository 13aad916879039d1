"""What a charger says in its loop, as a vehicle of any protocol takes it: more than it can take, and the same wish again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iso15118.evcc.iso20.table import S as ISO20
from iso15118.evcc.loop import AGAIN_S, too_much
from iso15118.evcc.terms import Delivered, EvseAsks, EvWish, StopDrawing
from iso15118.evcc.v2gmsg.table import S
from iso15118.iso20.values import rational
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import EvLimits, Wish
from tests.unit.iso15118.evcc_places import Place
from tests.unit.iso15118.v2gmsg_rig import Rig

DC = ("din", "iso2-dc")
ISO2 = ("iso2-dc", "iso2-ac")


# ---- more than the vehicle can take


@pytest.mark.parametrize(
    ("volts", "amperes", "why"),
    [
        (462.0, 200.0, ""),
        (463.0, 200.0, "the charger shows 463 V, and our most is 420 V"),
        (400.0, 220.0, ""),
        (400.0, 221.0, "the charger shows 221 A, and our most is 200 A"),
        (400.0, -15.0, ""),
        (400.0, -16.0, "the charger shows 16 A, and our most is 10 A"),
    ],
)
def test_what_is_too_much(volts: float, amperes: float, why: str) -> None:
    """A tenth above, and no less than what a meter may be wrong by; of what was not said, nothing is."""
    limits = EvLimits(max_voltage_V=420.0, max_current_A=200.0, max_discharge_A=10.0)
    assert too_much(limits, Delivered(volts, amperes)) == why
    assert too_much(EvLimits(), Delivered(volts, amperes)) == ""


@pytest.mark.parametrize(("unit", "field", "shown"), [("V", "EVSEPresentVoltage", 950), ("A", "EVSEPresentCurrent", 900)])
@pytest.mark.parametrize("speech", DC)
def test_a_vehicle_goes_from_more_than_it_can_take(speech: str, unit: Any, field: str, shown: float) -> None:
    vehicle = Rig(speech, bare_stop=True).to(S.DC_LOOP)
    turn = vehicle.hear(**{field: vehicle.value(unit, shown)})
    assert isinstance(turn.told[0], StopDrawing)
    assert any(isinstance(each, Delivered) for each in turn.told)
    assert not vehicle.dialect.drawing
    assert type(vehicle.ask()).__name__ == "PowerDeliveryReq"


@pytest.mark.parametrize("field", ["EVSEPresentVoltage", "EVSEPresentCurrent"])
def test_so_does_one_of_iso_15118_20(places: dict[ISO20, Any], field: str) -> None:
    place = Place(places, ISO20.DC_LOOP)
    place.wants.limits = replace(place.wants.limits, max_voltage_V=420.0, max_current_A=200.0)
    assert isinstance(place.next(**{field: rational(200.0)}), dc.DC_ChargeLoopReq)
    turn = place.hear(**{field: rational(900.0)})
    assert isinstance(turn.told[0], StopDrawing)
    assert place.ask().ChargeProgress == "Stop"


# ---- a wish that is said again and again


def renegotiates(vehicle: Rig, word: str) -> bool:
    """Whether it does after a round in which the charger says this; all goes well until the loop, then."""
    field = "AC_EVSEStatus" if vehicle.speech == "iso2-ac" else "DC_EVSEStatus"
    request = vehicle.next(**{field: vehicle.status(EVSENotification=word)})
    vehicle.to(S.AC_LOOP if vehicle.speech == "iso2-ac" else S.DC_LOOP)
    return getattr(request, "ChargeProgress", "") == "Renegotiate"


@pytest.mark.parametrize("speech", ISO2)
def test_other_schedules_once_for_each_wish(speech: str) -> None:
    """A charger that does not cease to ask gets them from time to time."""
    vehicle, asks = Rig(speech).to(S.AC_LOOP if speech == "iso2-ac" else S.DC_LOOP), "ReNegotiation"
    assert [renegotiates(vehicle, each) for each in (asks, asks, asks)] == [True, False, False]
    assert EvseAsks(Wish.RENEGOTIATE_SCHEDULE) in vehicle.told[-3:], "it is told all the same"
    assert [renegotiates(vehicle, each) for each in ("None", asks, asks)] == [False, True, False]
    assert not renegotiates(vehicle.later(AGAIN_S - 0.1), asks)
    assert renegotiates(vehicle.later(0.1), asks)
    assert not renegotiates(vehicle, asks)
    vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
    assert renegotiates(vehicle, asks), "its own wish is another"


@pytest.mark.parametrize("state", [ISO20.AC_LOOP, ISO20.DC_LOOP])
def test_so_it_is_in_iso_15118_20(places: dict[ISO20, Any], state: ISO20) -> None:
    place = Place(places, state)
    asks = ct.EVSEStatusType(NotificationMaxDelay=30, EVSENotification="ScheduleRenegotiation")
    talk = place.dialect.talk

    def round_(status: ct.EVSEStatusType | None) -> bool:
        request = place.next(EVSEStatus=status)
        if isinstance(request, (ac.AC_ChargeLoopReq, dc.DC_ChargeLoopReq)):
            return False
        place.dialect = Place(places, state).dialect
        place.dialect.talk.since = dict(talk.since)
        place.ask()
        return True

    assert [round_(asks), round_(asks), round_(asks)] == [True, False, False]
    assert [round_(None), round_(asks), round_(asks)] == [False, True, False]
    place.later(AGAIN_S)
    assert round_(asks)
