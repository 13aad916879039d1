"""Matching between honest sides on virtual time: its messages in order, how long it takes, and what becomes of it afterwards."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from bench.plc.line import Noise, Path
from bench.plc.site import At, Site
from iso15118.slac import mme, times
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import Mme
from iso15118.slac.mme import BROADCAST, LOCAL
from iso15118.slac.modem_table import Kind
from iso15118.slac.signals import (
    Begin,
    Chosen,
    FrameHeard,
    KeyReady,
    Leave,
    LinkChanged,
    Matched,
    MatchFailed,
    ModemSeen,
    PilotSeen,
    Toggle,
)
from tests.behaviour.slac_rig import EV, EVSE, ev_mac, ev_of, evse_mac, evse_of, names, site


def linked(at: Site) -> bool:
    return bool(at.told("ev0", LinkChanged) and at.told("evse0", LinkChanged))


def matched(**wanted: object) -> Site:
    at = site(**wanted)  # type: ignore[arg-type]
    at.plug("ev0", "evse0")
    assert at.run(10.0, until=lambda: linked(at))
    return at


def on_the_line(at: Site) -> list[str]:
    """Both sides' messages in order, those to their own modems left out."""
    frames = [(each.at, mme.read(each.octets)) for each in at.seen if each.sent]
    return names([each for each in frames if each[1].destination != LOCAL])


def test_an_honest_match_message_by_message() -> None:
    at = matched()
    assert on_the_line(at) == [
        "SlacParmReq", "SlacParmCnf", *["StartAttenCharInd"] * 3, *["MnbcSoundInd"] * 10, "AttenCharInd", "AttenCharRsp", "SlacMatchReq", "SlacMatchCnf",
    ]  # fmt: skip
    run_id = ev_of(at).run.run_id
    ours = {type(frame.mme): frame for port in ("ev0", "evse0") for _, frame in at.sent(port)}
    ways: dict[type[Mme], tuple[bytes, bytes]] = {
        mme.SlacParmReq: (EV, BROADCAST),
        mme.SlacParmCnf: (EVSE, EV),
        mme.StartAttenCharInd: (EV, BROADCAST),
        mme.MnbcSoundInd: (EV, BROADCAST),
        mme.AttenCharInd: (EVSE, EV),
        mme.AttenCharRsp: (EV, EVSE),
        mme.SlacMatchReq: (EV, EVSE),
        mme.SlacMatchCnf: (EVSE, EV),
    }
    assert {kind: (ours[kind].source, ours[kind].destination) for kind in ways} == ways
    assert {getattr(ours[kind].mme, "run_id", b"") for kind in ways} == {run_id}
    assert [frame.mme.count for _, frame in at.sent("ev0") if isinstance(frame.mme, mme.MnbcSoundInd)] == list(range(9, -1, -1))
    assert len({frame.mme.random for _, frame in at.sent("ev0") if isinstance(frame.mme, mme.MnbcSoundInd)}) == 10
    told = ours[mme.AttenCharInd].mme
    assert isinstance(told, mme.AttenCharInd)
    assert (told.num_sounds, told.aag, told.source_address) == (10, bytes([4] * 58), EV)
    key = ours[mme.SlacMatchCnf].mme
    assert isinstance(key, mme.SlacMatchCnf)
    assert key.nid == nid_of(key.nmk)
    assert at.told("evse0", Matched) == [Matched(EV, run_id, 4.0)]
    assert at.told("ev0", Chosen) == [Chosen(EVSE, run_id, 4.0)]
    assert at.line.modems["ev0"].nmk == at.line.modems["evse0"].nmk == key.nmk


def test_it_takes_the_waits_of_the_standard_and_of_the_modem_and_less_than_a_third_of_a_second_more() -> None:
    at = site()
    at.plug("ev0", "evse0")
    assert at.run(10.0, until=lambda: bool(at.told("ev0", Chosen)))
    sounds = (times.C_EV_START_ATTEN_CHAR_INDS + times.C_EV_MATCH_MNBC - 1) * times.TP_EV_BATCH_MSG_INTERVAL_S[0]
    assert at.now - 5.0 == pytest.approx(times.TT_MATCH_RESPONSE_S + sounds), "a line without delay: nothing else is waited for"
    assert at.run(10.0, until=lambda: linked(at))
    modem = at.line.modems["ev0"]
    waits = times.TT_MATCH_RESPONSE_S + sounds + modem.key_s + at.line.join_s
    assert waits <= at.now - 5.0 <= waits + 0.3


@pytest.mark.parametrize("interval_s", times.TP_EV_BATCH_MSG_INTERVAL_S)
def test_sounds_come_as_fast_or_as_slow_as_they_may(interval_s: float) -> None:
    at = matched(ev={"interval_s": interval_s})
    (told,) = [frame.mme for _, frame in at.sent("evse0") if isinstance(frame.mme, mme.AttenCharInd)]
    assert told.num_sounds >= 9, "at the slowest the last one meets the end of TT_EVSE_match_MNBC"


@pytest.mark.parametrize("result", [0, 1])
@pytest.mark.parametrize("kind", [Kind.QUALCOMM, Kind.LUMISSIL, Kind.KEY_ONLY])
def test_every_kind_of_modem_and_either_result_of_setting_a_key(kind: Kind, result: int) -> None:
    at = site(kind=kind, ready=False)
    for modem in at.line.modems.values():
        modem.result = result
    at.run(5.0)
    at.plug("ev0", "evse0")
    assert at.run(10.0, until=lambda: linked(at))


def test_5_percent_waits_for_the_key() -> None:
    at = site(ready=False)
    at.plug("ev0", "evse0")
    assert at.run(10.0, until=lambda: linked(at))
    ready = next(when for when, said in at.hosts["evse0"].said if said == KeyReady(ready=True))
    asked = next(when for when, frame in at.sent("ev0") if isinstance(frame.mme, mme.SlacParmReq))
    assert 0.5 < ready <= asked


def test_the_key_is_fresh_for_each_session() -> None:
    at = matched()
    keys = [at.line.modems["evse0"].nmk]
    for _ in range(3):
        at.unplug("ev0")
        at.run(3.0)
        assert at.line.modems["ev0"].nmk not in keys, "the vehicle has left the network as well"
        at.hosts["ev0"].said.clear()
        at.hosts["evse0"].said.clear()
        at.plug("ev0", "evse0")
        assert at.run(10.0, until=partial(linked, at))
        keys.append(at.line.modems["evse0"].nmk)
    assert len(set(keys)) == 4


def test_the_key_is_never_set_between_match_req_and_match_cnf() -> None:
    at = matched(noise=Noise(loss=0.2, delay_s=0.01, jitter_s=0.05), seed=5)
    order = names(at.sent("evse0"))
    assert order.count("SetKeyReq") == 1
    assert order.index("SetKeyReq") < order.index("SlacParmCnf")
    assert at.line.modems["evse0"].keys == 1


@pytest.mark.req("F-10")
def test_a_lost_link_is_told_and_so_is_its_return() -> None:
    at = matched()
    at.line.paths[frozenset(("ev0", "evse0"))] = None
    at.run(5.0)
    for port in ("ev0", "evse0"):
        assert [each.up for each in at.told(port, LinkChanged)] == [True, False]
    del at.line.paths[frozenset(("ev0", "evse0"))]
    at.run(5.0)
    for port in ("ev0", "evse0"):
        assert [each.up for each in at.told(port, LinkChanged)] == [True, False, True]


@pytest.mark.req("F-10")
def test_after_a_lost_link_slac_is_ready_again_within_five_seconds_of_b() -> None:
    at = matched()
    at.tell("evse0", Leave("the link is lost"))
    at.tell("ev0", Leave("the link is lost"))
    began = at.now
    assert [each.up for each in at.told("evse0", LinkChanged)] == [True, False]
    assert [each.up for each in at.told("ev0", LinkChanged)] == [True, False]
    assert at.told("evse0", KeyReady)[-1] == KeyReady(ready=False, why="the modem is being given a key")
    assert at.run(5.0, until=lambda: at.told("evse0", KeyReady)[-1].ready)
    assert at.now - began < times.TP_MATCH_LEAVE_S, "TP_match_leave: whoever is still in the network is alone in it"
    before = len(at.told("evse0", LinkChanged))
    assert at.run(10.0, until=lambda: len(at.told("evse0", LinkChanged)) > before), "and 5 % is shown again at once"


@pytest.mark.req("S-9")
def test_the_interface_goes_and_comes_back() -> None:
    at = matched()
    evse = evse_of(at)
    host = at.hosts["evse0"]
    at._take(host, evse.stop(at_now(at), "the interface is down"))
    assert at.told("evse0", LinkChanged)[-1] == LinkChanged(up=False, why="the interface is down")
    assert at.told("evse0", KeyReady)[-1] == KeyReady(ready=False, why="the interface is down")
    assert (evse.deadline(), evse.matchings) == (None, [])
    at.hear("evse0", mme.Frame(BROADCAST, EV, mme.SlacParmReq(run_id=bytes(8))))
    assert evse.matchings == []
    at._take(host, evse.start(at_now(at)))
    assert evse.deadline() is not None
    at.run(3.0)
    assert at.told("evse0", KeyReady)[-1] == KeyReady(ready=True)
    assert len(at.told("evse0", ModemSeen)) == 2
    at.tell("ev0", Begin())
    before = len(at.told("evse0", LinkChanged))
    assert at.run(10.0, until=lambda: len(at.told("evse0", LinkChanged)) > before)


def at_now(at: Site) -> At:
    return At(at.now)


@pytest.mark.req("S-9")
@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.3, 0.5])
def test_the_interface_goes_in_the_middle_of_a_matching(after_s: float) -> None:
    at = site(noise=Noise(delay_s=0.02))
    at.plug("ev0", "evse0")
    at.run(after_s)
    evse = evse_of(at)
    at._take(at.hosts["evse0"], evse.stop(at_now(at), "the interface is down"))
    assert (evse.deadline(), evse.matchings) == (None, [])
    at._take(at.hosts["evse0"], evse.start(at_now(at)))
    assert at.run(20.0, until=lambda: linked(at)), "5 % is still shown, and the vehicle goes on asking"


@pytest.mark.req("S-9")
def test_a_modem_that_is_dead_is_told_and_one_that_is_stuck_is_reset() -> None:
    at = site(ready=False)
    at.line.modems["evse0"].stuck = True
    at.plug("ev0", "evse0")
    assert at.run(20.0, until=lambda: linked(at)), "after a reset it takes its key, and 5 % has waited for it"
    at = site(ready=False)
    at.line.modems["evse0"].dead = True
    at.run(60.0)
    assert not any(each.ready for each in at.told("evse0", KeyReady))
    assert at.told("evse0", KeyReady)[-1].why.endswith("does not answer")
    at.line.modems["evse0"].dead = False
    at.plug("ev0", "evse0")
    assert at.run(60.0, until=lambda: linked(at))


@pytest.mark.parametrize("loss_percent", [5, 10, 20, 30])
def test_lost_frames_are_sent_again(loss_percent: int) -> None:
    at = site(noise=Noise(loss=loss_percent / 100), seed=loss_percent)
    at.plug("ev0", "evse0")
    assert at.run(30.0, until=lambda: linked(at))


@pytest.mark.parametrize("noise", [Noise(duplicates=1.0), Noise(delay_s=0.04), Noise(jitter_s=0.06), Noise(0.1, 0.5, 0.01, 0.05)])
def test_frames_that_come_twice_late_or_in_another_order(noise: Noise) -> None:
    at = site(noise=noise)
    at.plug("ev0", "evse0")
    assert at.run(30.0, until=lambda: linked(at))
    assert len(at.told("evse0", Matched)) == len(at.told("ev0", Chosen)) == 1


@pytest.mark.parametrize(("dB", "match"), [(0, True), (10, True), (20, True), (21, False), (60, False)])
def test_what_is_too_far_away_is_nobody_s(dB: int, match: bool) -> None:
    at = site(elsewhere=Path(float(dB)))
    at.plug("ev0", "evse0")
    assert at.run(20.0, until=lambda: linked(at)) is match
    assert bool(at.told("ev0", MatchFailed)) is not match
    assert not at.told("ev0", Toggle)


def test_the_modem_s_own_attenuation_is_taken_off() -> None:
    at = matched(elsewhere=Path(26.0, slope_dB=20.0), evse={"correction_dB": 20.0})
    (told,) = at.told("evse0", Matched)
    assert told.attenuation_dB == pytest.approx(6.2, abs=0.3), "with nothing below 0"


def test_of_two_stations_the_nearer_one() -> None:
    at = site(evses=2, paths={("ev0", "evse1"): Path(9.0), ("ev0", "evse0"): Path(4.0)}, noise=Noise(duplicates=0.5, jitter_s=0.01))
    for port in ("evse0", "evse1"):
        at.tell(port, PilotSeen("B"))
    at.tell("evse1", Begin())
    at.plug("ev0", "evse0")
    assert at.run(10.0, until=lambda: linked(at))
    assert [each.evse_mac for each in at.told("ev0", Chosen)] == [EVSE]
    told = [frame.destination for _, frame in at.sent("ev0") if isinstance(frame.mme, mme.AttenCharRsp)]
    assert set(told) == {EVSE, evse_mac(1)}, "every EVSE is answered"
    assert not at.told("evse1", Matched)


def between_two(**options: object) -> Site:
    """A vehicle on the cable of the first, hears the second better."""
    at = site(evses=2, paths={("ev0", "evse0"): Path(16.0), ("ev0", "evse1"): Path(13.0)}, **options)  # type: ignore[arg-type]
    at.tell("evse1", PilotSeen("B"))
    at.tell("evse1", Begin())
    at.plug("ev0", "evse0")
    return at


def test_toggles_on_the_pilot_find_the_right_one_of_two_that_are_as_near() -> None:
    at = between_two(evse={"validation": True})
    assert at.run(20.0, until=lambda: linked(at))
    assert [each.evse_mac for each in at.told("ev0", Chosen)] == [EVSE]
    asked = [(frame.destination, frame.mme.timer > 0) for _, frame in at.sent("ev0") if isinstance(frame.mme, mme.ValidateReq)]
    assert asked == [(evse_mac(1), False), (evse_mac(1), True), (EVSE, False), (EVSE, True)], "in the order of attenuation"
    answers = [[frame.mme for _, frame in at.sent(port) if isinstance(frame.mme, mme.ValidateCnf)] for port in ("evse1", "evse0")]
    assert [[each.result for each in of] for of in answers] == [[1, 3], [1, 2]]
    wrong, right = at.told("ev0", Toggle)
    assert answers[1][1].toggle_num == right.times
    least, most = times.C_EV_VALD_NB_TOGGLES
    assert all(least <= each.times <= most for each in (wrong, right))
    assert times.TP_EV_VALD_STATE_DURATION_S[0] <= right.state_s <= times.TP_EV_VALD_STATE_DURATION_S[1]


def test_one_that_need_not_be_validated_is_taken_or_not_as_the_vehicle_is_told() -> None:
    at = between_two(ev={"unvalidated": False})
    assert at.run(20.0, until=lambda: bool(at.told("ev0", MatchFailed)))
    assert not at.told("ev0", Chosen)
    assert not at.told("ev0", Toggle)
    at = site(paths={("ev0", "evse0"): Path(16.0)})
    at.plug("ev0", "evse0")
    assert at.run(20.0, until=lambda: bool(at.told("ev0", Chosen)))
    assert not at.told("ev0", Toggle)


@pytest.mark.parametrize("own_dB", [16.0, 8.0])
def test_of_two_that_are_alike_none_is_taken_that_will_not_validate(own_dB: float) -> None:
    """A decibel would decide who gives the key."""
    at = site(evses=2, paths={("ev0", "evse0"): Path(own_dB), ("ev0", "evse1"): Path(own_dB - 2.0)})
    at.tell("evse1", PilotSeen("B"))
    at.tell("evse1", Begin())
    at.plug("ev0", "evse0")
    assert at.run(20.0, until=lambda: bool(at.told("ev0", MatchFailed)))
    assert not at.told("ev0", Chosen)


def test_amplitude_maps_go_both_ways_once_there_is_a_link() -> None:
    at = site(evse={"amplitudes": bytes([3] * 100)}, ev={"amplitudes": bytes([5] * 100)})
    at.plug("ev0", "evse0")
    at.run(5.0)
    maps = [frame for port in ("ev0", "evse0") for _, frame in at.sent(port) if isinstance(frame.mme, mme.AmpMapReq | mme.AmpMapCnf)]
    assert [(each.source, each.destination, type(each.mme).__name__) for each in maps] == [
        (EV, EVSE, "AmpMapReq"),
        (EV, LOCAL, "AmpMapReq"),
        (EV, EVSE, "AmpMapCnf"),
        (EVSE, EV, "AmpMapReq"),
        (EVSE, LOCAL, "AmpMapReq"),
        (EVSE, EV, "AmpMapCnf"),
    ]
    assert maps[1].mme == mme.AmpMapReq(amplitudes=bytes([3] * 100)), "each gives its own modem what the other wants"
    assert maps[4].mme == mme.AmpMapReq(amplitudes=bytes([5] * 100))


@pytest.mark.req("V2G3-A09-16")
def test_a_vehicle_that_begins_anew_in_the_middle_matches() -> None:
    for after_s in (0.1, 0.25, 0.4, 0.6):
        at = site()
        at.plug("ev0", "evse0")
        at.run(after_s)
        at.tell("ev0", Begin())
        assert at.run(10.0, until=partial(linked, at)), after_s
        assert len({ev.run_id for ev in at.told("ev0", Chosen)}) <= 2


@pytest.mark.req("S-13")
def test_two_vehicles_at_one_station_are_both_measured_and_the_one_that_chooses_it_gets_the_key() -> None:
    at = site(evses=2, evs=2, paths={("ev0", "evse1"): Path(30.0), ("ev1", "evse0"): Path(30.0)})
    at.plug("ev0", "evse0")
    at.plug("ev1", "evse1")
    at.run(10.0)
    assert [each.ev_mac for each in at.told("evse0", Matched)] == [EV]
    assert [each.ev_mac for each in at.told("evse1", Matched)] == [ev_mac(1)]
    measured = [frame.destination for _, frame in at.sent("evse0") if isinstance(frame.mme, mme.AttenCharInd)]
    assert set(measured) == {EV, ev_mac(1)}


def test_nothing_is_sent_while_nothing_happens() -> None:
    at = site()
    quiet = len(at.seen)
    at.run(3600.0)
    assert len(at.seen) == quiet
    assert at.hosts["evse0"].machine.deadline() is None
    assert at.hosts["ev0"].machine.deadline() is None


@pytest.mark.req("S-13")
@pytest.mark.parametrize("level", "ABCDEF")
def test_a_station_answers_only_while_the_pilot_says_that_somebody_is_there(level: str) -> None:
    at = site()
    at.tell("evse0", Begin())
    at.tell("evse0", PilotSeen(level))
    at.tell("ev0", Begin())
    at.run(1.0)
    assert ("SlacParmCnf" in names(at.sent("evse0"))) is (level in "BCD")


@pytest.mark.req("S-13")
@pytest.mark.parametrize(("after_s", "level"), list(itertools.product((0.1, 0.3, 0.43, 0.5, 2.0), "AEF")))
def test_it_falls_silent_when_nobody_is_there_any_more(after_s: float, level: str) -> None:
    at = site(noise=Noise(delay_s=0.02), evse={"amplitudes": bytes(10)})
    at.plug("ev0", "evse0")
    at.run(after_s)
    at.tell("evse0", PilotSeen(level))
    before = len(at.sent("evse0"))
    at.run(20.0)
    assert {frame.destination for _, frame in at.sent("evse0")[before:]} <= {LOCAL}


@pytest.mark.req("S-13")
def test_a_station_that_shows_no_5_percent_answers_nobody() -> None:
    at = site()
    at.tell("evse0", PilotSeen("B"))
    at.tell("ev0", Begin())
    at.run(1.0)
    assert "SlacParmCnf" not in names(at.sent("evse0"))


def test_whatever_else_is_on_the_line_is_nothing_to_either() -> None:
    at = matched()
    for port, octets in itertools.product(("ev0", "evse0"), (EV + EVSE + b"\x86\xdd" + bytes(60), EVSE + EV + b"\x86\xdd" + bytes(60))):
        before = at.hosts[port].machine.saved(), len(at.seen), len(at.hosts[port].said)
        at.tell(port, FrameHeard(octets))
        assert (at.hosts[port].machine.saved(), len(at.seen), len(at.hosts[port].said)) == before
