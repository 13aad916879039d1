"""A vehicle among EVSEs that do wrong: which one it chooses, and whose key it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.plc.site import At
from iso15118.slac import mme, vendor
from iso15118.slac.amplitudes import TAKEN_S
from iso15118.slac.ev_state import MOST_EVSES
from iso15118.slac.ev_table import State
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import KNOWN, MOST, Mme
from iso15118.slac.mme import BROADCAST, LOCAL, Frame, octets
from iso15118.slac.signals import Begin, Chosen, FrameHeard, KeyReady, Leave, LinkChanged, MatchFailed, Note, Toggle
from tests.behaviour.slac_rig import EV, EVSE, KEY, RUN, STRANGER, Station, ev_mac, evse_mac, modem_mac, names, site
from tests.unit.iso15118.slac_frames import messages


def asking_for_a_key() -> Station:
    station = Station().to_listening()
    station.tell(4)
    assert station.state() is State.MATCHING
    return station


def chosen(station: Station) -> list[bytes]:
    return [each.evse_mac for each in station.site.told("ev0", Chosen)]


# ---- whose key


@pytest.mark.parametrize(
    "wrong",
    [
        {"run_id": RUN},
        {"pev_mac": ev_mac(1)},
        {"evse_mac": STRANGER},
        {"nid": nid_of(bytes(16))},
        {"nmk": bytes(16)},
        {"source": STRANGER},
        {"source": STRANGER, "evse_mac": STRANGER},
        {"to": BROADCAST},
        {"to": ev_mac(1)},
    ],
    ids="-".join,
)
@pytest.mark.req("S-13")
def test_a_key_that_it_has_not_asked_for_is_not_taken(wrong: dict[str, Any]) -> None:
    station = asking_for_a_key()
    assert station.key(**wrong) == []
    assert (station.state(), chosen(station)) == (State.MATCHING, [])
    station.key()
    assert (station.state(), chosen(station)) == (State.JOINING, [EVSE])


def test_a_key_with_another_name_is_noted() -> None:
    station = asking_for_a_key()
    station.key(nmk=bytes(16))
    assert station.site.told("ev0", Note)[-1].key == "slac.wrong_nid"


def test_a_key_before_it_asks_and_after_it_has_one_is_not_taken() -> None:
    station = Station()
    station.begin()
    station.key()
    station.parm()
    station.key()
    station.wait(0.45)
    station.key()
    station.tell(4)
    station.key()
    station.wait(0.1)
    station.key(nmk=bytes(16), nid=nid_of(bytes(16)))
    station.wait(2.0)
    assert chosen(station) == [EVSE]
    assert station.site.line.modems["ev0"].nmk == KEY


# ---- who answers


@pytest.mark.parametrize("wrong", [{"run_id": RUN}, {"forwarding_sta": STRANGER}, {"resp_type": 0}], ids="-".join)
def test_an_answer_that_is_not_for_it_is_none(wrong: dict[str, Any]) -> None:
    station = Station()
    station.begin()
    station.parm(**wrong)
    assert station.ev.run.answered == []
    assert names([(0.0, Frame(BROADCAST, EV, each)) for each in station.wait(0.3)]) == ["SlacParmReq"], "it asks again"


@pytest.mark.parametrize("wrong", [{"run_id": RUN}, {"source_address": STRANGER}, {"num_sounds": 0}], ids="-".join)
def test_an_attenuation_that_is_not_its_own_is_none(wrong: dict[str, Any]) -> None:
    station = Station().to_listening()
    assert station.tell(0, **wrong) == []
    assert station.ev.run.told == {}


def test_every_evse_is_answered_and_so_is_one_that_says_it_again() -> None:
    station = Station().to_listening()
    rsp = mme.AttenCharRsp(source_address=EV, run_id=station.ev.run.run_id)
    assert station.tell(15) == [rsp]
    assert station.tell(15) == [rsp]
    assert station.tell(30, source=STRANGER) == [rsp]
    station.wait(1.0)
    assert station.state() == State.VALIDATING
    assert station.tell(3) == [rsp], "it has not heard the answer; what it says now does not count"
    assert station.ev.run.told[EVSE].attenuation_dB == 15
    assert station.tell(3, source=evse_mac(9)) == [rsp]
    assert evse_mac(9) not in station.ev.run.told


def test_one_whose_first_answer_was_lost_may_still_be_the_one() -> None:
    station = Station()
    station.begin()
    station.says(mme.SlacParmCnf(forwarding_sta=EV, run_id=station.ev.run.run_id), STRANGER)
    station.wait(0.45)
    station.tell(5)
    station.tell(30, source=STRANGER)
    station.key()
    assert chosen(station) == [EVSE]


def test_notes_are_taken_of_so_many_evses_and_no_more() -> None:
    station = Station()
    station.begin()
    for number in range(MOST_EVSES + 20):
        source = b"\x02" + number.to_bytes(5, "big")
        station.says(mme.SlacParmCnf(forwarding_sta=EV, run_id=station.ev.run.run_id), source)
        station.tell(1, source=source)
    assert len(station.ev.run.answered) == MOST_EVSES
    station.wait(0.21)
    for number in range(MOST_EVSES + 20):
        station.tell(30, source=b"\x02" + number.to_bytes(5, "big"))
    assert len(station.ev.run.told) == MOST_EVSES


# ---- validation


def test_when_one_of_two_alike_is_not_it_the_other_one_is_asked_as_well() -> None:
    """Its own may have been asked first, and the answer was lost."""
    station = Station()
    station.begin()
    for source in (EVSE, STRANGER):
        station.says(mme.SlacParmCnf(forwarding_sta=EV, run_id=station.ev.run.run_id), source)
    station.wait(0.45)
    station.tell(6)
    station.tell(8, source=STRANGER)
    assert station.state() is State.VALIDATING
    assert isinstance(station.validated(3)[-1], mme.ValidateReq)
    assert (station.state(), station.ev.run.chosen) == (State.VALIDATING, STRANGER)


def toggling() -> Station:
    station = Station().to_validating()
    station.validated(1)
    assert station.state() is State.TOGGLING
    return station


@pytest.mark.parametrize("result", [0, 2, 3, 5, 255])
def test_one_that_will_not_validate_is_not_the_one(result: int) -> None:
    station = Station().to_validating()
    station.validated(result)
    assert station.site.told("ev0", Toggle) == []
    assert station.state() is State.RESTING


@pytest.mark.parametrize(("result", "off"), [(2, 1), (2, -1), (3, 0), (0, 0), (4, 0)])
def test_a_count_that_is_not_ours_is_another_vehicle_s(result: int, off: int) -> None:
    station = toggling()
    station.validated(result, station.ev.run.toggles + off)
    assert station.state() is State.RESTING
    assert chosen(station) == []


def test_the_first_answer_once_more_is_no_count() -> None:
    station = toggling()
    station.validated(1)
    assert station.state() is State.TOGGLING
    assert isinstance(station.validated(2, station.ev.run.toggles)[0], mme.SlacMatchReq)


def test_only_the_one_that_was_asked_answers() -> None:
    station = Station().to_validating()
    station.validated(1, source=STRANGER)
    assert station.state() == State.VALIDATING
    station.validated(1)
    station.validated(2, station.ev.run.toggles, source=STRANGER)
    assert station.state() is State.TOGGLING


def test_one_to_three_toggles_each_of_them_some_time() -> None:
    counts = set()
    for seed in range(12):
        station = Station(site(seed=seed)).to_validating()
        station.validated(1)
        counts.add(station.site.told("ev0", Toggle)[0].times)
    assert counts == {1, 2, 3}


# ---- its network


def test_it_begins_in_a_network_of_its_own_and_leaves_to_one() -> None:
    at = site()
    assert at.line.modems["ev0"].nmk != at.line.modems["evse0"].nmk
    station = asking_for_a_key()
    station.key()
    station.join().wait(3.0)
    station.site.tell("ev0", Leave("unplugged"))
    assert station.site.told("ev0", LinkChanged)[-1] == LinkChanged(up=False, why="unplugged")
    station.wait(1.0)
    assert station.site.line.modems["ev0"].nmk != KEY
    keys = station.site.line.modems["ev0"].keys
    station.site.tell("ev0", Leave("once more"))
    station.wait(1.0)
    assert station.site.line.modems["ev0"].keys == keys, "it is in nobody's any more"


def test_the_interface_goes_and_comes_back() -> None:
    station = asking_for_a_key()
    station.key()
    station.join().wait(3.0)
    host = station.site.hosts["ev0"]
    station.site._take(host, station.ev.stop(At(station.site.now), "the interface is down"))
    assert station.site.told("ev0", LinkChanged)[-1] == LinkChanged(up=False, why="the interface is down")
    assert station.ev.deadline() is None
    station.site._take(host, station.ev.start(At(station.site.now)))
    station.wait(2.0)
    assert isinstance(station.begin()[0], mme.SlacParmReq)


def test_a_modem_that_dies_while_it_joins_ends_the_attempt() -> None:
    station = asking_for_a_key()
    station.key()
    station.wait(1.0)
    station.site.line.modems["ev0"].dead = True
    station.wait(6.0)
    assert station.state() is State.WAITING, "long before TT_match_join"
    station.wait(60.0)
    assert station.site.told("ev0", MatchFailed)[-1].why == "the modem has no key after 10 s"
    assert station.site.told("ev0", KeyReady) == [], "that is its own matter"


def test_what_an_evse_wants_of_its_power_is_nothing_without_a_link() -> None:
    station = asking_for_a_key()
    wanted = mme.AmpMapReq(amplitudes=bytes(4))
    assert station.says(wanted) == []
    station.key()
    station.join().wait(1.0)
    assert [*station.says(wanted, STRANGER), *station.wait(1.0)] == []
    assert [*station.says(wanted), *station.wait(0.1)] == [mme.AmpMapCnf(result=0)]
    station.wait(TAKEN_S)
    assert [*station.says(wanted), *station.wait(1.0)] == [], "later nobody has a reason to ask"


# ---- whoever it is


@pytest.mark.req("S-8")
@pytest.mark.parametrize("mmtype", sorted(KNOWN))
def test_every_length_of_every_type_is_survived(mmtype: int) -> None:
    station = asking_for_a_key()
    before = station.ev.saved()
    for length in range(0, MOST + 200, 3):
        octets_ = (EV + STRANGER + b"\x88\xe1" + KNOWN[mmtype].begin).ljust(length, b"\x01")[:length]
        station.ev.handle(At(station.site.now), FrameHeard(octets_))
    assert station.ev.saved() == before


@pytest.mark.req("S-13")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=st.lists(st.tuples(messages(), st.sampled_from([EV, BROADCAST, LOCAL, EVSE])), max_size=20))
def test_nobody_s_frame_changes_what_it_has_chosen(said: list[tuple[Mme, bytes]]) -> None:
    station = asking_for_a_key()
    before = station.ev.saved()
    for message, to in said:
        try:
            station.site.hear("ev0", octets(Frame(to, STRANGER, message)))
        except ValueError:
            continue
    assert station.ev.saved() == before
    json.dumps(before)


def test_what_its_modem_says_of_others_is_nothing_to_it() -> None:
    station = asking_for_a_key()
    before = station.ev.saved()
    for message in (mme.AttenProfileInd(pev_mac=EV, aag=bytes(58)), vendor.VsRsDevCnf()):
        assert station.says(message, modem_mac(0, ev=True)) == []
    assert station.ev.saved() == before


def test_it_begins_anew_from_wherever_it_is() -> None:
    for steps in ((), ("to_listening",), ("to_validating",)):
        station = Station()
        for each in steps:
            getattr(station, each)()
        first = station.ev.run.run_id
        station.site.tell("ev0", Begin())
        assert station.state() is State.ASKING
        assert station.ev.run.run_id != first
