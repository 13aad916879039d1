"""What real vehicles have sent, against our charger: each complete session to its SessionStop, those that stop early answered OK."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.v2g.recorded import Recorded, recorded
from iso15118.terms import Ending, PowerOff, PowerWanted, SessionOver
from tests.replay.cars import Ride

pytestmark = pytest.mark.collected

DIY = {
    "pyplc-abb-2022-11-25": [("ChargeParameterDiscoveryRes", "FAILED_SequenceError")],
    "pyplc-alpitronic-2022-12-20": [("CurrentDemandRes", "FAILED_SequenceError")],
}
"""Self-made vehicles whose requests are out of order: one leaves ContractAuthentication out, one goes on with the loop after it has ended it."""


@pytest.fixture(scope="module")
def rides(collected: Path) -> list[Ride]:
    return [Ride(each).run() for each in recorded(collected)]


def of(rides: list[Ride], *states: str) -> list[Ride]:
    return [each for each in rides if each.car.row["state"] in states and each.car.row["kind"] == "car"]


def ending(ride: Ride) -> Ending | None:
    return next((each.ending for each in ride.told if isinstance(each, SessionOver)), None)


def last(ride: Ride) -> str:
    return type(ride.responses[-1]).__name__


def asked(car: Recorded) -> str:
    return car.requests[-1].name.replace("Req", "Res")


def test_nothing_that_a_vehicle_has_sent_is_refused_but_what_is_out_of_order(rides: list[Ride]) -> None:
    assert {each.car.name: codes for each in rides if (codes := each.codes())} == DIY


def test_complete_sessions_come_to_their_end(rides: list[Ride]) -> None:
    complete = of(rides, "complete")
    assert len(complete) >= 10
    for each in complete:
        assert (each.car.name, last(each), ending(each)) == (each.car.name, "SessionStopRes", Ending.TERMINATED)
        assert [type(one) for one in each.told if isinstance(one, (PowerWanted, PowerOff))][-1] is PowerOff


def test_vehicles_that_give_up_are_answered(rides: list[Ride]) -> None:
    """After the cable check, in the precharge, and right after the power came."""
    early = of(rides, "gave-up")
    assert {last(each) for each in early} == {"PowerDeliveryRes", "SessionStopRes"}
    for each in early:
        assert last(each) == asked(each.car), each.car.name
        assert each.charger.facts.current_A == 0.0
        if last(each) == "SessionStopRes":
            assert ending(each) is Ending.TERMINATED


def test_what_was_cut_off_is_answered_to_its_last_request(rides: list[Ride]) -> None:
    for each in of(rides, "cut-in-loop", "cut-before-loop"):
        assert (each.car.name, last(each), each.closed) == (each.car.name, asked(each.car), False)


def test_no_identifier_of_a_vehicle_is_in_a_note(rides: list[Ride]) -> None:
    for each in rides:
        ids = [one.evcc_id for one in each.told if hasattr(one, "evcc_id")]
        assert not any(found and found in note.words for found in ids for note in each.notes)
