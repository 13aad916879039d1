"""S2 that opens while AC flows, before a word about it: the contactor opens at once, and the session has two seconds to end in order."""

from __future__ import annotations

import pytest

from bench.ev.talking import TalkingEv
from chargepoint import v2g_ends
from chargepoint.commands import CloseContactor, Log
from chargepoint.events import ChargingState
from chargepoint.hlc import HlcState
from chargepoint.v2g_state import V2gState
from iso15118.evcc.terms import EvWish
from iso15118.protocols import PROTOCOLS
from iso15118.terms import Control, Ending, Energy
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_stops import current_A, opened_within

SPEECHES = ("iso2-ac", "iso20-ac")


def charging_ac(speech: str) -> tuple[HlcSite, TalkingEv]:
    site = HlcSite("ac", protocols=tuple(PROTOCOLS), tls="optional")
    vehicle = site.vehicle(Energy.AC, Control.SCHEDULED)
    vehicle.wants.protocols = (speech,)
    ev = site.charge(vehicle)
    site.run(5.0)
    return site, ev


@pytest.mark.parametrize("closes_again", [False, True], ids=["S2 stays open", "S2 closes again"])
@pytest.mark.parametrize("speech", SPEECHES)
def test_s2_opens_in_the_middle_of_the_loop_of_ac_and_nothing_is_said(speech: str, closes_again: bool) -> None:
    """No energy comes back in this session, and two seconds later it is over."""
    site, ev = charging_ac(speech)
    began = site.heap.now
    ev.s2 = False
    site.heap.run(0.0)
    opened_within(site, 0.2)
    site.run(0.5)
    ev.s2 = closes_again
    site.heap.run(1.3)
    assert site.hlc is HlcState.TALKING
    site.run(0.4)
    assert ev.over is not None
    assert ev.over.ending is Ending.ABORTED
    assert [at for at, _ in site.at(CloseContactor) if began < at < began + 2.2] == []
    assert site.hlc.value in ("pulse", "again"), "it is talked to anew"


@pytest.mark.parametrize("pauses", [False, True], ids=["stops", "pauses"])
@pytest.mark.parametrize("lead_s", [0.02, 0.3, 1.5])
@pytest.mark.parametrize("speech", SPEECHES)
def test_s2_opens_a_little_before_the_loop_is_ended_in_words(speech: str, lead_s: float, pauses: bool) -> None:
    """As some vehicles do it: the contactor opens at once, and the session ends in order; it is no attempt that has failed."""
    site, ev = charging_ac(speech)
    ev.s2 = False
    site.heap.run(0.0)
    opened_within(site, 0.2)
    site.run(max(0.0, lead_s - 0.2))
    ev.vehicle.wants.wish = EvWish.PAUSE if pauses else EvWish.STOP
    site.run(10.0)
    assert ev.over is not None
    assert ev.over.ending is (Ending.PAUSED if pauses else Ending.TERMINATED)
    assert site.hlc.value == ("paused" if pauses else "done")
    assert ev.sessions == 1
    assert not [each for _, each in site.at(Log) if each.key == "v2g.session_failed"]
    assert current_A(site) == 0.0


def test_s2_that_has_opened_bounds_the_next_session_of_the_vehicle_by_nothing() -> None:
    site, ev = charging_ac("iso2-ac")
    ev.s2 = False
    site.heap.run(0.0)
    site.run(0.3)
    site.pause_and_back(ev)
    site.run(5.0)
    assert ev.sessions == 2
    assert site.facts.charging_state is ChargingState.CHARGING
    assert current_A(site) > 6.0


def test_a_loop_that_was_ended_in_words_may_begin_anew_at_once() -> None:
    site, ev = charging_ac("iso20-ac")
    ev.s2 = False
    site.heap.run(0.0)
    site.run(0.2)
    ev.vehicle.wants.wish = EvWish.RENEGOTIATE_SERVICE
    site.until(lambda: not ev.s2 and "SessionStopRes" in site.said("evse"), most_s=1.0)
    site.until(lambda: current_A(site) > 6.0, most_s=6.0)
    site.run(5.0)
    assert ev.sessions == 1
    assert ev.over is None
    assert site.facts.charging_state is ChargingState.CHARGING


def test_what_one_session_has_opened_is_none_of_the_next() -> None:
    state = V2gState(stops_by=5.0)
    v2g_ends.forget(state)
    assert state.stops_by is None
