"""Every timer and counter of matching, on virtual time: what happens when the other side falls silent, and when."""

from __future__ import annotations

from functools import partial

import pytest

from bench.plc.line import Path
from bench.plc.site import At
from iso15118.slac import mme, times
from iso15118.slac.amplitudes import TAKEN_S
from iso15118.slac.ev_table import State as EvState
from iso15118.slac.evse_state import MOST_MATCHINGS
from iso15118.slac.layout import Mme
from iso15118.slac.mme import LOCAL
from iso15118.slac.signals import Begin, Chosen, CountToggles, FrameHeard, KeyReady, Leave, LinkChanged, Matched, MatchFailed, Note, Toggle
from iso15118.slac.vendor import VsPlLnkStatusReq
from tests.behaviour.slac_rig import EV, EVSE, STRANGER, Car, Station, ev_mac, evse_mac, site


def sent(car: Car | Station, kind: type[Mme]) -> list[float]:
    """When; since 5 % was shown, as all times here."""
    port = "evse0" if isinstance(car, Car) else "ev0"
    return [round(at - 5.0, 6) for at, frame in car.site.sent(port) if isinstance(frame.mme, kind)]


def failed(car: Car | Station) -> list[tuple[float, str]]:
    port = "evse0" if isinstance(car, Car) else "ev0"
    return [(round(at - 5.0, 6), said.why) for at, said in car.site.hosts[port].said if isinstance(said, MatchFailed)]


def missed(car: Car) -> list[tuple[float, str]]:
    notes = [(round(at - 5.0, 6), said) for at, said in car.site.hosts["evse0"].said if isinstance(said, Note)]
    return [(at, said.words) for at, said in notes if said.key == "slac.missed"]


# ---- the EVSE's


@pytest.mark.parametrize("init_s", times.TT_EVSE_SLAC_INIT_S)
def test_nobody_asks_within_tt_evse_slac_init(init_s: float) -> None:
    car = Car(init_s=init_s)
    car.wait(100.0)
    assert failed(car) == [(init_s, f"no vehicle has matched within {init_s:g} s")]
    car.site.tell("evse0", Begin())
    car.wait(100.0)
    assert len(failed(car)) == 2, "5 % shown again is waited for again"


def test_others_that_go_on_asking_do_not_keep_our_vehicle_from_what_comes_without_slac() -> None:
    car = Car(init_s=20.0)
    for _ in range(200):
        car.parm()
        car.wait(0.3)
    assert failed(car) == [(30.0, "no vehicle has matched within 20 s")], "who was about to match had TT_EVSE_match_session more"


def test_one_that_asks_late_may_still_match() -> None:
    car = Car(init_s=20.0)
    car.wait(19.9)
    car.parm()
    car.start()
    car.wait(0.2)
    car.profile()
    car.rsp()
    car.wait(5.0)
    assert car.match()
    car.wait(11.0)
    assert failed(car) == []


def test_tt_match_sequence_without_a_start() -> None:
    car = Car()
    car.parm()
    car.wait(1.0)
    assert missed(car) == [(times.TT_MATCH_SEQUENCE_S, f"vehicle {EV.hex(':')}: no CM_START_ATTEN_CHAR.IND came")]
    assert (car.start(), car.evse.matchings) == ([], [])


@pytest.mark.parametrize("heard", [0, 1, 9])
def test_tt_evse_match_mnbc_ends_the_sounds(heard: int) -> None:
    car = Car()
    car.parm()
    car.start()
    assert car.profile(heard) == []
    answers = car.wait(0.7)
    if heard:
        assert sent(car, mme.AttenCharInd)[0] == times.TT_EVSE_MATCH_MNBC_S
        assert answers == [mme.AttenCharInd(source_address=EV, run_id=car.run, num_sounds=heard, aag=bytes([4] * 58))]
    else:
        assert missed(car) == [(times.TT_EVSE_MATCH_MNBC_S, f"vehicle {EV.hex(':')}: none of its sounds was heard")]


def test_the_mean_of_all_sounds_is_told_within_tp_evse_avg_atten_calc_and_three_times_without_an_answer() -> None:
    car = Car()
    car.parm()
    car.start()
    car.profile(5, dB=10)
    (told,) = car.profile(5, dB=13)
    assert isinstance(told, mme.AttenCharInd)
    assert told.aag == bytes([12] * 58), "11.5, rounded"
    car.wait(2.0)
    response, often = times.TT_MATCH_RESPONSE_S, times.C_EV_MATCH_RETRY + 1
    assert sent(car, mme.AttenCharInd) == [pytest.approx(response * n) for n in range(often)]
    ((at, words),) = missed(car)
    assert at == pytest.approx(response * often)
    assert words == f"vehicle {EV.hex(':')}: no CM_ATTEN_CHAR.RSP came"
    assert car.match() == []


def test_tt_evse_match_session_without_a_choice() -> None:
    car = Car().to_known()
    car.wait(times.TT_EVSE_MATCH_SESSION_S - 0.1)
    assert missed(car) == []
    car.wait(0.2)
    assert missed(car) == [(times.TT_EVSE_MATCH_SESSION_S, f"vehicle {EV.hex(':')}: it chose nobody, or another EVSE")]
    assert car.match() == []


@pytest.mark.parametrize(("timer", "for_s"), [(1, 0.2), (17, 1.8), (34, 3.5), (255, 3.5)])
def test_toggles_are_counted_for_as_long_as_the_vehicle_says_and_at_most_tt_evse_vald_toggle(timer: int, for_s: float) -> None:
    car = Car(validation=True).to_known()
    assert car.validate() == [mme.ValidateCnf(result=1)]
    assert car.validate(timer) == []
    assert [each.for_s for each in car.site.told("evse0", CountToggles)] == [pytest.approx(for_s)]
    assert car.wait(for_s + 0.1) == [mme.ValidateCnf(result=3)]


def test_a_host_that_never_counts_has_counted_none() -> None:
    car = Car(validation=True).to_known()
    car.evse.handle(At(car.site.now), _validate(car, 5))
    car.site.run(10.0)
    assert car.said() == [mme.ValidateCnf(result=3)]


def _validate(car: Car, timer: int) -> FrameHeard:
    """Straight into the machine, past the host that would count."""
    return FrameHeard(mme.octets(mme.Frame(EVSE, car.mac, mme.ValidateReq(timer=timer))))


def test_tt_match_join_without_a_link_then_another_key() -> None:
    car = Car()
    first = car.whole()
    car.wait(times.TT_MATCH_JOIN_S - 0.01)
    assert failed(car) == []
    car.wait(0.02)
    why = f"{EV.hex(':')} has the key, and no link has come of it within 12 s"
    assert failed(car) == [(times.TT_MATCH_JOIN_S, why)]
    assert car.parm() == [], "while the modem is being given another one"
    car.wait(1.0)
    assert car.whole().nmk != first.nmk
    assert [each.ready for each in car.site.told("evse0", KeyReady)] == [False, True], "that is the vehicle's matter only"


def test_the_modem_is_asked_for_its_link_four_times_a_second_and_each_second_once_it_is_there() -> None:
    car = Car()
    key = car.whole().nmk
    car.wait(1.05)
    assert sent(car, VsPlLnkStatusReq) == [0.0, 0.25, 0.5, 0.75, 1.0]
    car.site.line.modems["ev0"].nmk = key
    car.wait(3.0)
    assert car.site.told("evse0", LinkChanged) != []
    assert sent(car, VsPlLnkStatusReq)[5:] == [1.25, 1.5, 2.5, 3.5], "the one that was due is still asked"


def linked_with_map() -> Car:
    car = Car(amplitudes=bytes([1, 2, 3]))
    car.site.line.modems["ev0"].nmk = car.whole().nmk
    car.site.run(0.3)
    return car


def test_tt_amp_map_exchange_and_a_map_that_nobody_confirms_three_times() -> None:
    car = linked_with_map()
    car.wait(5.0)
    first = sent(car, mme.AmpMapReq)[0]
    assert sent(car, mme.AmpMapReq) == [pytest.approx(first + n * times.TT_AMP_MAP_EXCHANGE_S) for n in range(3)]
    car = linked_with_map()
    car.says(mme.AmpMapCnf(result=0), EVSE)
    car.wait(5.0)
    assert len(sent(car, mme.AmpMapReq)) == 1


@pytest.mark.req("S-8")
@pytest.mark.parametrize("result", [0, 1])
def test_what_a_vehicle_wants_of_the_station_s_power(result: int) -> None:
    """Its own modem decides, says so, and is at full power again when the vehicle has gone; nobody else is heard, and nobody later."""
    car = linked_with_map()
    wanted = mme.AmpMapReq(amplitudes=bytes([9] * 7))
    car.site.line.modems["evse0"].takes_maps = not result
    to_modem = partial(maps_to_modem, car)
    Car(car.site, STRANGER).says(wanted)
    assert to_modem() == []
    assert [*car.says(wanted), *car.wait(0.1)] == [mme.AmpMapCnf(result=result)]
    car.wait(TAKEN_S)
    assert [*car.says(wanted), *car.wait(0.1)] == []
    assert to_modem() == [wanted]
    car.site.tell("evse0", Leave("the vehicle is unplugged"))
    assert to_modem() == [wanted, mme.AmpMapReq(amplitudes=bytes(7))]


def maps_to_modem(car: Car) -> list[Mme]:
    return [frame.mme for _, frame in car.site.sent("evse0") if frame.destination == LOCAL and isinstance(frame.mme, mme.AmpMapReq)]


# ---- how long one may take


def test_an_honest_matching_keeps_to_what_each_side_may_take() -> None:
    """From the frames on the line. TP_match_response, TP_match_sequence, TP_EV_match_session, TP_EVSE_avg_atten_calc, TP_amp_map_exchange, TP_EV_vald_toggle."""
    at = site(evse={"validation": True, "amplitudes": bytes(4)}, paths={("ev0", "evse0"): Path(15.0)})
    at.plug("ev0", "evse0")
    begun = at.now
    assert at.run(20.0, until=lambda: any(isinstance(frame.mme, mme.AmpMapReq) for _, frame in at.sent("evse0")))
    said = [(when, type(frame.mme)) for port in ("ev0", "evse0") for when, frame in at.sent(port) if frame.destination != LOCAL]

    def when(kind: type[Mme], number: int = 0) -> float:
        return [each for each, of in said if of is kind][number]

    link = next(each for each, told in at.hosts["evse0"].said if isinstance(told, LinkChanged))
    assert when(mme.SlacParmReq) - begun <= times.TP_EV_SLAC_INIT_S
    for asks, answers in ((mme.SlacParmReq, mme.SlacParmCnf), (mme.ValidateReq, mme.ValidateCnf), (mme.SlacMatchReq, mme.SlacMatchCnf)):
        assert 0 <= when(answers) - when(asks) <= times.TP_MATCH_RESPONSE_S
    assert when(mme.StartAttenCharInd) - when(mme.SlacParmReq) - times.TT_MATCH_RESPONSE_S <= times.TP_MATCH_SEQUENCE_S
    assert 0 <= when(mme.AttenCharInd) - when(mme.MnbcSoundInd, -1) <= times.TP_EVSE_AVG_ATTEN_CALC_S
    listened = max(when(mme.AttenCharRsp), when(mme.StartAttenCharInd) + times.TT_EV_ATTEN_RESULTS_S)
    assert when(mme.ValidateReq) - listened <= times.TP_EV_MATCH_SESSION_S
    toggle = at.told("ev0", Toggle)[0]
    assert times.TP_EV_VALD_TOGGLE_S[0] <= 2 * toggle.times * toggle.state_s <= times.TP_EV_VALD_TOGGLE_S[1]
    assert when(mme.SlacMatchReq) - when(mme.ValidateCnf, -1) <= times.TP_MATCH_SEQUENCE_S
    assert when(mme.AmpMapReq) - link <= times.TP_AMP_MAP_EXCHANGE_S
    assert MOST_MATCHINGS >= times.C_EVSE_MATCH_PARALLEL


# ---- the vehicle's


def test_nobody_answers_three_requests_and_matching_is_begun_again_for_ten_seconds() -> None:
    station = Station()
    station.begin()
    station.wait(60.0)
    run_s = (times.C_EV_MATCH_RETRY + 1) * times.TT_MATCH_RESPONSE_S
    asked = sent(station, mme.SlacParmReq)
    assert asked[:3] == [pytest.approx(n * times.TT_MATCH_RESPONSE_S) for n in range(3)]
    assert asked[3] == pytest.approx(run_s + times.TT_MATCHING_RATE_S)
    runs = len(asked) / 3
    assert runs >= times.C_CONN_MAX_MATCH
    ((at, why),) = failed(station)
    assert run_s + times.TT_MATCHING_REPETITION_S <= at <= run_s + times.TT_MATCHING_REPETITION_S + run_s + times.TT_MATCHING_RATE_S
    assert why == "nobody answers CM_SLAC_PARM.REQ"
    ids = [frame.mme.run_id for _, frame in station.site.sent("ev0") if isinstance(frame.mme, mme.SlacParmReq)]
    assert [len(set(ids[n : n + 3])) for n in range(0, len(ids), 3)] == [1] * int(runs), "the same RunID for what is sent again"
    assert len(set(ids)) == runs, "and another one for each new matching"


def test_tt_match_response_is_waited_out_for_several_stations_then_the_sounds_come_in_time() -> None:
    station = Station()
    station.begin()
    station.parm()
    station.says(mme.SlacParmCnf(forwarding_sta=EV, run_id=station.ev.run.run_id), STRANGER)
    station.wait(2.0)
    starts, sounds = sent(station, mme.StartAttenCharInd), sent(station, mme.MnbcSoundInd)
    step_s = times.TP_EV_BATCH_MSG_INTERVAL_S[0]
    assert starts == [pytest.approx(times.TT_MATCH_RESPONSE_S + n * step_s) for n in range(times.C_EV_START_ATTEN_CHAR_INDS)]
    assert sounds == [pytest.approx(starts[-1] + (n + 1) * step_s) for n in range(times.C_EV_MATCH_MNBC)]


def test_tt_ev_atten_results_ends_the_listening() -> None:
    station = Station().to_listening()
    began = sent(station, mme.StartAttenCharInd)[0]
    station.wait(began + times.TT_EV_ATTEN_RESULTS_S + 5.0 - station.site.now - 0.01)
    assert station.state() == EvState.LISTENING
    station.wait(0.02)
    assert station.state() is EvState.RESTING
    assert station.site.told("ev0", Note)[-1].words == "no EVSE tells how well it hears us"


def test_one_that_answers_and_tells_nothing_is_waited_for_and_then_left_out() -> None:
    station = Station()
    station.begin()
    station.parm()
    station.says(mme.SlacParmCnf(forwarding_sta=EV, run_id=station.ev.run.run_id), STRANGER)
    station.wait(0.5)
    assert station.tell(4) == [mme.AttenCharRsp(source_address=EV, run_id=station.ev.run.run_id)]
    assert isinstance(station.wait(1.0)[0], mme.SlacMatchReq)


@pytest.mark.parametrize("asks", [mme.ValidateReq, mme.SlacMatchReq])
def test_a_request_is_sent_three_times(asks: type[Mme]) -> None:
    station = Station().to_listening()
    station.tell(15 if asks is mme.ValidateReq else 4)
    station.wait(3.0)
    found = sent(station, asks)[:3]
    assert found == [pytest.approx(found[0] + n * times.TT_MATCH_RESPONSE_S) for n in range(3)]
    words = [each.words for each in station.site.told("ev0", Note)]
    assert any("is not answered" in each for each in words)


def test_toggles_that_nobody_counts_are_waited_for_and_the_next_one_is_asked() -> None:
    station = Station().to_listening()
    station.tell(15)
    station.tell(17, source=STRANGER)
    station.wait(1.0)
    first = station.validated(1)
    (toggle,) = station.site.told("ev0", Toggle)
    assert isinstance(first[0], mme.ValidateReq)
    window_s = 0.1 * (first[0].timer + 1)
    assert 2 * toggle.times * toggle.state_s < window_s <= times.TT_EVSE_VALD_TOGGLE_S
    assert station.wait(window_s + times.TT_MATCH_RESPONSE_S - 0.01) == []
    station.wait(0.02)
    assert station.site.sent("ev0")[-1][1].destination == STRANGER


def test_a_link_that_does_not_come_within_tt_match_join_is_a_failure() -> None:
    station = Station().to_listening()
    station.tell(4)
    station.key()
    began = station.site.now
    assert station.site.told("ev0", Chosen) != []
    station.wait(times.TT_MATCH_JOIN_S - 0.01)
    assert station.state() is EvState.JOINING
    assert isinstance(station.wait(times.TT_MATCHING_RATE_S + 0.02)[-1], mme.SlacParmReq)
    assert station.site.now - began < times.TT_MATCH_JOIN_S + 0.5


def test_tp_ev_slac_init_with_a_modem_that_takes_no_key() -> None:
    station = Station(site(ready=False))
    station.site.line.modems["ev0"].dead = True
    station.site.run(5.0)
    station.begin()
    station.wait(20.0)
    assert failed(station) == [(times.TP_EV_SLAC_INIT_S, "the modem has no key after 10 s")]
    assert sent(station, mme.SlacParmReq) == []


def test_the_vehicle_s_amplitude_map_that_nobody_confirms_three_times() -> None:
    station = Station(amplitudes=bytes([1, 2, 3])).to_listening()
    station.tell(4)
    station.key()
    station.join().wait(5.0)
    at = sent(station, mme.AmpMapReq)
    assert at == [pytest.approx(at[0] + n * times.TT_AMP_MAP_EXCHANGE_S) for n in range(3)]


def test_a_vehicle_that_is_too_far_for_all_gives_up_and_says_so() -> None:
    at = site(elsewhere=Path(40.0))
    at.plug("ev0", "evse0")
    at.run(30.0)
    (gone,) = at.told("ev0", MatchFailed)
    assert gone.why == f"the nearest EVSE that is left, {evse_mac().hex(':')}, is 40.0 dB away"
    assert at.told("evse0", Matched) == []
    assert {frame.destination for _, frame in at.sent("evse0")} == {LOCAL, ev_mac()}
