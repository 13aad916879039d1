"""A vehicle that does wrong gets nothing of our charger's side, in DIN 70121 and ISO 15118-2 either; and the next one is served."""

from __future__ import annotations

import pytest

from bench.v2g.guard import Careful
from bench.v2g.misbehave import CATALOGUE, misbehaving
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from bench.v2g.wrong import Then
from iso15118.evcc.session import Session
from iso15118.evcc.speak import spoken
from iso15118.evcc.terms import Wants
from iso15118.terms import Ending, SessionBegun
from tests.behaviour.test_v2gmsg_vehicle import ended, make, told

STRIKES = {
    "din": ["", "ServicePaymentSelectionReq", "CableCheckReq", "PowerDeliveryReq", "CurrentDemandReq", "WeldingDetectionReq"],
    "iso2-dc": ["", "AuthorizationReq", "PreChargeReq", "CurrentDemandReq"],
    "iso2-ac": ["", "ChargeParameterDiscoveryReq", "PowerDeliveryReq", "ChargingStatusReq"],
}
PLACES = [(speech, at) for speech, places in STRIKES.items() for at in places]


def codes(pair: Pair) -> list[str]:
    """Answers of failure."""
    found = [str(getattr(message, "ResponseCode", "")) for _, end, message in pair.messages if end == "evse"]
    return [each for each in found if each.startswith("FAILED")]


def then_honest(pair: Pair, speech: str) -> None:
    """The next vehicle is served within a second, and to its end (S-24)."""
    began, before = len(told(pair, SessionBegun, "evse")), pair.vehicle.wants
    pair.vehicle = Vehicle(wants=Wants(energies=before.energies, protocols=(speech,), loops=5))
    pair.watches.append(Careful(len(pair.story)))
    pair.notes.clear()
    pair.messages.clear()
    pair.connect()
    pair.run(1.0, until=lambda: len(told(pair, SessionBegun, "evse")) > began)
    assert len(told(pair, SessionBegun, "evse")) == began + 1
    pair.run()
    ended(pair)


@pytest.mark.req("S-2", "S-4", "S-11", "S-24", "F-11")
@pytest.mark.parametrize(("speech", "at"), PLACES, ids=[f"{speech}-{at or 'anywhere'}" for speech, at in PLACES])
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_vehicle_that_does_wrong(name: str, speech: str, at: str) -> None:
    pair, entry = make(speech), CATALOGUE[name]
    pair.watches.pop()  # this vehicle is not careful
    wrong = misbehaving(name, Session(spoken(pair.vehicle.wants)), seed=11, at=at)
    pair.connect(wrong)
    pair.run(400.0)
    assert wrong.struck
    assert pair.secc.deadline() is None, "the charger's side has come to its end"
    assert pair.closed["evse"]
    over = pair.evse_over
    assert over is not None
    match entry.then:
        case Then.SERVED:
            ended(pair)
        case Then.REFUSED:
            assert codes(pair) == ["FAILED_SequenceError" if name == "setup_again" else "FAILED_UnknownSession"]
            assert over.ending is Ending.ABORTED
        case Then.CLOSED:
            assert [message for when, end, message in pair.messages if end == "evse" and when > wrong.struck_at] == []
            assert over.ending is Ending.ABORTED
        case Then.EITHER:
            assert len(codes(pair)) <= 1
    then_honest(pair, speech)
