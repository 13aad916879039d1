"""What vehicles on the road do that speak DIN 70121 and ISO 15118-2, at the station: which protocol they take, a pause and back, early ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.ev.talking import TalkingEv
from bench.v2g.model import Vehicle
from chargepoint.commands import CloseContactor
from chargepoint.events import ChargingState
from iso15118.evcc.terms import EvWish
from iso15118.evcc.v2gmsg import plans
from iso15118.protocols import PROTOCOLS
from iso15118.secc import speak
from iso15118.secc.iso2.dialect import Iso2
from iso15118.secc.paused import Paused
from iso15118.secc.session import Session
from iso15118.terms import Ending, Energy, Facts
from tests.behaviour.hlc_rig import HlcSite


def make(*speeches: str, **wants: Any) -> tuple[HlcSite, Vehicle]:
    """A station that speaks everything, and a vehicle that speaks these; nobody has verified it."""
    mode = PROTOCOLS[speeches[0]].modes[0]
    site = HlcSite(mode, protocols=tuple(PROTOCOLS), tls="optional")
    site.heap.verified = False
    car = site.vehicle(Energy.DC if mode == "dc" else Energy.AC)
    car.wants.protocols = speeches
    for name, value in wants.items():
        setattr(car.wants, name, value)
    return site, car


@pytest.mark.parametrize(
    ("speeches", "said"),
    [
        (("din", "iso2-dc"), "ContractAuthenticationReq"),
        (("iso2-dc", "din"), "AuthorizationReq"),
        (("iso20-dc", "din"), "ContractAuthenticationReq"),
        (("iso20-ac", "iso2-ac"), "ChargingStatusReq"),
    ],
)
def test_the_vehicle_decides_and_who_is_not_verified_speaks_no_iso_15118_20(speeches: tuple[str, ...], said: str) -> None:
    site, car = make(*speeches)
    site.charge(car)
    site.run(1.0)
    assert said in site.said("ev")


@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
def test_a_pause_and_back(speech: str) -> None:
    site, car = make(speech)
    ev = site.charge(car)
    site.pause_and_back(ev, 30.0)
    codes = [getattr(message, "ResponseCode", "") for _, _, message in ev.messages if type(message).__name__ == "SessionSetupRes"]
    assert codes == ["OK_NewSessionEstablished", "OK_OldSessionJoined"]
    assert sum(line.startswith("Started") for line in site.story()) == 1


@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
def test_a_vehicle_that_comes_back_goes_by_the_schedule_that_it_had(speech: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """[V2G2-741] [K]: it names the SAScheduleTupleID from before its pause, which is not the first of a session. The next one has another id."""
    site, car = make(speech)
    ev = site.charge(car)
    site.run(5.0)
    site.limit(watts=8_000.0)
    site.run(40.0)
    kept = ids(ev)[-1]
    assert kept == 2
    best = plans.best
    monkeypatch.setattr(plans, "best", lambda *given: replace(best(*given), id=kept))
    site.pause_and_back(ev, 30.0)
    monkeypatch.undo()
    assert ids(ev)[-1] == kept
    assert ev.sessions == 2
    site.limit(watts=6_000.0)
    site.run(80.0)
    assert ids(ev)[-1] == kept + 1
    site.unplug()
    site.run(2.0)
    again = site.charge(make(speech)[1])
    assert ids(again) == [1]


def ids(ev: TalkingEv) -> list[int]:
    """SAScheduleTupleIDs that it has started by."""
    starts: list[Any] = [each for _, by, each in ev.messages if by == "ev" and getattr(each, "ChargeProgress", "") == "Start"]
    return [each.SAScheduleTupleID for each in starts]


@pytest.mark.req("F-12")
@pytest.mark.parametrize("speech", ["din", "iso2-dc", "iso2-ac"])
def test_it_is_unplugged_under_load(speech: str) -> None:
    site, car = make(speech)
    site.charge(car)
    site.unplug()
    site.run(0.2)
    assert not any(site.sim.current_A)
    site.run(2.0)
    assert site.hlc.value == "off"
    assert site.story()[-1] == "Ended EVCommunicationLost Idle EVDisconnected"


@pytest.mark.parametrize(
    ("speech", "at", "bare"),
    [
        ("din", "CableCheckReq", False),
        ("din", "PreChargeReq", True),
        ("iso2-dc", "PreChargeReq", False),
        ("iso2-ac", "PowerDeliveryReq", True),
    ],
)
def test_vehicles_that_stop_early(speech: str, at: str, bare: bool) -> None:
    """As the recorded ones do: what was closed opens again, and nothing is charged."""
    site, car = make(speech, bare_stop=bare)
    ev = site.plug(car)
    site.card()
    site.until(lambda: at in site.said("ev"))
    car.wants.wish = EvWish.STOP
    site.until(lambda: ev.over is not None, most_s=20.0)
    site.run(5.0)
    assert ev.over is not None
    assert (ev.over.ending, ev.over.why) == (Ending.TERMINATED, "SessionStop")
    assert all(getattr(message, "ResponseCode", "OK").startswith("OK") for _, who, message in ev.messages if who == "evse")
    assert site.said("ev")[-2:] == [at if bare else "PowerDeliveryReq", "SessionStopReq"]
    assert not any(site.sim.current_A)
    assert not site.facts.power_closed
    assert site.facts.charging_state is not ChargingState.CHARGING
    assert len(site.at(CloseContactor)) <= 1


def test_a_vehicle_that_pauses_again_before_power_keeps_its_schedule() -> None:
    """[V2G2-741] [K]: nothing was chosen in between, so what held before its first pause holds."""
    session = Session([])
    dialect = Iso2.begun(b"87654321", bytes(16), Facts(), Paused(b"12345678", "ev", 2), secure=False)
    session.dialect, talk = dialect, dialect.talk
    talk.session_id, talk.evcc_id = b"12345678", "ev"
    assert speak.paused(session) == Paused(b"12345678", "ev", 2)
    talk.schedule_id = 3
    assert speak.paused(session) == Paused(b"12345678", "ev", 3)
    talk.schedule_id, talk.session_id = None, b"87654321"
    assert speak.paused(session) == Paused(b"87654321", "ev", None)
