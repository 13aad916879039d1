"""More frames than anybody sends, at a station: whoever was matching still is, and whoever comes then matches within a second."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from iso15118.slac import mme
from iso15118.slac.evse_state import MOST_MATCHINGS, MOST_RUNS
from iso15118.slac.evse_table import State
from iso15118.slac.layout import Mme
from iso15118.slac.mme import BROADCAST, GROUPS, Frame, octets
from iso15118.slac.signals import Begin, Chosen, Matched, Note, PilotSeen
from tests.behaviour.slac_rig import EV, EVSE, RUN, STRANGER, Car, ev_mac, evse_of, site


def frame(message: Mme, to: bytes = EVSE, source: bytes = EV) -> bytes:
    return octets(Frame(to, source, message))


PARM = frame(mme.SlacParmReq(run_id=RUN), BROADCAST)


def _flood(dice: random.Random, count: int) -> list[bytes]:
    """Honest messages of vehicles that are not there, broken ones, other protocols, octets."""
    kinds: list[Callable[[bytes, bytes], bytes]] = [
        lambda mac, run: frame(mme.SlacParmReq(run_id=run), BROADCAST, mac),
        lambda mac, run: frame(mme.StartAttenCharInd(forwarding_sta=mac, run_id=run), BROADCAST, mac),
        lambda mac, run: frame(mme.MnbcSoundInd(count=3, run_id=run, random=bytes(16)), BROADCAST, mac),
        lambda mac, run: frame(mme.SlacMatchReq(pev_mac=mac, evse_mac=EVSE, run_id=run), EVSE, mac),
        lambda mac, run: frame(mme.AttenProfileInd(pev_mac=mac, aag=bytes(GROUPS)), EVSE, mac),
        lambda mac, run: frame(mme.SetKeyCnf(result=2), EVSE, mac),
        lambda mac, run: PARM[: dice.randrange(mme.SlacParmReq.LAYOUT.least)],
        lambda mac, run: EVSE + mac + b"\x88\xe1" + dice.randbytes(dice.randrange(100)),
        lambda mac, run: dice.randbytes(dice.randrange(1514)),
    ]
    return [dice.choice(kinds)(b"\x02" + dice.randbytes(5), dice.randbytes(8)) for _ in range(count)]


@pytest.mark.req("S-13")
def test_flood_of_20000_frames_then_a_match_within_a_second() -> None:
    at = site()
    at.plug("ev0", "evse0")
    at.run(10.0, until=lambda: bool(at.told("ev0", Chosen)))
    at.unplug("ev0")
    at.run(3.0)
    at.hosts["ev0"].said.clear()
    dice = random.Random(1)
    at.hosts["evse0"].partner, at.hosts["ev0"].partner = "ev0", "evse0"
    at.tell("evse0", PilotSeen("B"))
    at.tell("evse0", Begin())
    for octets_ in _flood(dice, 20_000):
        at.hear("evse0", octets_)
    assert len(evse_of(at).matchings) <= MOST_MATCHINGS
    at.tell("ev0", Begin())
    assert at.run(1.0, until=lambda: bool(at.told("ev0", Chosen)))


@pytest.mark.parametrize("steps", [("start", "profile"), ("start", "profile", "rsp"), ("start", "profile", "rsp", "match")])
def test_a_flood_in_the_middle_ends_nobody_s_matching(steps: tuple[str, ...]) -> None:
    car = Car()
    car.parm()
    for each in steps:
        getattr(car, each)()
    before = car.evse.matchings.of(EV, RUN)
    assert before is not None
    was = before.saved()
    for octets_ in _flood(random.Random(2), 5_000):
        car.site.hear("evse0", octets_)
    after = car.evse.matchings.of(EV, RUN)
    assert after is not None
    assert after.saved() == was


def test_when_all_who_match_have_come_far_the_oldest_that_decides_gives_way() -> None:
    car = Car()
    for number in range(MOST_MATCHINGS):
        Car(car.site, ev_mac(number)).to_known()
    late = Car(car.site, STRANGER)
    late.whole()
    assert not car.site.told("evse0", Note)
    assert [each.ev_mac for each in car.evse.matchings] == [STRANGER]


def test_the_oldest_that_decides_is_the_one_that_goes() -> None:
    car = Car()
    for number in range(MOST_MATCHINGS):
        Car(car.site, ev_mac(number)).to_known()
    assert Car(car.site, STRANGER).parm()
    assert [each.ev_mac for each in car.evse.matchings] == [*(ev_mac(number) for number in range(1, MOST_MATCHINGS)), STRANGER]


def test_one_address_with_many_runs_locks_nobody_out_and_is_told_twice() -> None:
    bad = Car(mac=STRANGER)
    runs = [bytes((number,)) * 8 for number in range(MOST_MATCHINGS)]
    for bad.run in runs:
        bad.parm()
    assert [each.run_id for each in bad.evse.matchings] == [runs[0], runs[-1]], "the first, and the last that was asked for"
    assert MOST_RUNS == 2
    for bad.run in runs:
        bad.start()
    assert len(bad.profile()) == MOST_RUNS
    for bad.run in runs:
        bad.rsp()
    assert [each.state for each in bad.evse.matchings] == [State.KNOWN] * MOST_RUNS
    Car(bad.site).whole()
    assert [each.ev_mac for each in bad.site.told("evse0", Matched)] == [EV]


def test_of_one_vehicle_s_runs_the_one_that_has_come_least_far_gives_way_to_a_new_one() -> None:
    car = Car().to_known()
    for number in range(20):
        assert Car(car.site, run=bytes((number,)) * 8).parm(), "in its name"
    assert [each.run_id for each in car.evse.matchings] == [RUN, bytes((19,)) * 8]
    assert car.match()


@pytest.mark.parametrize("steps", [(), ("start",)])
def test_what_asks_in_a_vehicle_s_name_ends_nothing_that_it_has_begun(steps: tuple[str, ...]) -> None:
    """Not even before any of its sounds is heard."""
    car = Car()
    car.parm()
    for each in steps:
        getattr(car, each)()
    for number in range(20):
        Car(car.site, run=bytes((number,)) * 8).parm()
    if not steps:
        car.start()
    car.profile()
    car.rsp()
    assert car.match()


def test_at_the_rate_that_a_station_lets_in_nobody_has_to_give_way() -> None:
    """250 frames a second: 125 vehicles that ask and announce sounds that nobody hears."""
    car = Car()
    dice = random.Random(3)
    for number in range(500):
        other = Car(car.site, b"\x02" + dice.randbytes(5), dice.randbytes(8))
        assert other.parm(), "it is answered"
        other.start()
        if number == 250:
            car.parm()
            car.start()
        car.site.run(2 / 250)
        if number == 310:
            car.profile()
            car.rsp()
            assert car.match()
            return


def test_when_it_is_crowded_a_vehicle_with_two_runs_gives_way_before_one_that_decides() -> None:
    car = Car()
    for number in range(MOST_MATCHINGS - 2):
        Car(car.site, ev_mac(number)).to_known()
    Car(car.site, ev_mac(200), bytes(8)).to_known()
    again = Car(car.site, ev_mac(200))
    again.parm()
    again.start()
    again.profile()
    assert len(car.evse.matchings) == MOST_MATCHINGS
    assert Car(car.site, STRANGER).parm()
    assert car.evse.matchings.of(ev_mac(200), bytes(8)) is None, "the older one, though it has come farther"
    assert len(car.evse.matchings) == MOST_MATCHINGS
    again.rsp()
    assert again.match()


def test_who_sounds_and_is_heard_gives_way_to_nobody_and_who_is_not_heard_does() -> None:
    car = Car()
    for number in range(MOST_MATCHINGS):
        each = Car(car.site, ev_mac(number))
        each.parm()
        each.start()
        each.profile(0 if number == 7 else 1)
    assert Car(car.site, STRANGER).parm()
    assert car.evse.matchings.of(ev_mac(7), RUN) is None
    assert len(car.evse.matchings) == MOST_MATCHINGS
    late = Car(car.site, ev_mac(201))
    assert late.parm(), "the one that came last has only asked"
    assert car.evse.matchings.of(STRANGER, RUN) is None
    late.start()
    late.profile(1)
    assert Car(car.site, STRANGER).parm() == []
    assert car.site.told("evse0", Note)[-1].key == "slac.crowded"
