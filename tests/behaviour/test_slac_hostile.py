"""Everybody on the power line who does wrong, at a station; and afterwards an honest vehicle that matches (facts: SLAC, peers' failures)."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.plc.site import At
from iso15118.slac import mme, times
from iso15118.slac.evse_state import ANEW_S
from iso15118.slac.evse_table import State
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import KNOWN, MOST, Mme
from iso15118.slac.mme import BROADCAST, GROUPS, LOCAL, Frame, octets
from iso15118.slac.signals import FrameHeard, Matched, Note, Toggled
from tests.behaviour.slac_rig import EV, EVSE, MODEM, RUN, STRANGER, Car, ev_mac
from tests.unit.iso15118.slac_frames import messages

MMV, APPLICATION_TYPE, SECURITY_TYPE, FRAGMENTS, MVF_LENGTH = 14, 19, 20, 17, 21
"""Octets of a frame."""


def changed(frame: bytes, at: int, value: int) -> bytes:
    return frame[:at] + bytes((value,)) + frame[at + 1 :]


def frame(message: Mme, to: bytes = EVSE, source: bytes = EV) -> bytes:
    return octets(Frame(to, source, message))


PARM = frame(mme.SlacParmReq(run_id=RUN), BROADCAST)
MATCH = frame(mme.SlacMatchReq(pev_mac=EV, evse_mac=EVSE, run_id=RUN))


def silent(car: Car, *frames: bytes) -> None:
    """None of these is answered, or moves anything."""
    before = car.evse.saved()
    for each in frames:
        car.site.hear("evse0", each)
        assert car.said() == []
        assert car.evse.saved() == before


# ---- the catalogue


def test_validate_is_answered() -> None:
    car = Car().to_known()
    assert car.validate() == [mme.ValidateCnf(result=4)]
    assert car.validate(9) == [mme.ValidateCnf(result=4)], "not required"
    assert car.match()


def test_validate_with_a_result_of_its_own_is_not() -> None:
    car = Car(validation=True).to_known()
    silent(car, *(frame(mme.ValidateReq(result=result)) for result in (0, 2, 3, 4, 255)))
    silent(car, frame(mme.ValidateReq(), source=STRANGER), frame(mme.ValidateReq(), BROADCAST), frame(mme.ValidateReq(), to=STRANGER))


@pytest.mark.req("V2G3-A09-16")
@pytest.mark.parametrize("steps", [(), ("start",), ("start", "profile"), ("start", "profile", "rsp")])
def test_dup_parm_the_same_run_begins_anew_wherever_it_was(steps: tuple[str, ...]) -> None:
    car = Car()
    car.parm()
    for each in steps:
        getattr(car, each)()
    assert car.parm() == [mme.SlacParmCnf(forwarding_sta=EV, run_id=RUN)]
    assert [(each.state, each.heard) for each in car.evse.matchings] == [(State.ASKED, 0)]
    assert car.match() == []
    car.whole()


def test_new_run_mid_another_run_of_the_same_vehicle() -> None:
    car = Car()
    car.parm()
    car.start()
    car.profile(4)
    again = Car(car.site, run=bytes(8))
    assert again.parm() == [mme.SlacParmCnf(forwarding_sta=EV, run_id=bytes(8))]
    again.start()
    assert again.profile(6) == [mme.AttenCharInd(source_address=EV, run_id=RUN, num_sounds=10, aag=bytes([4] * GROUPS))]
    again.profile(4)
    again.rsp()
    assert isinstance(again.match()[0], mme.SlacMatchCnf)
    assert [each.run_id for each in car.evse.matchings] == [bytes(8)], "the other is over"


def test_missing_sounds_are_told_as_missing() -> None:
    car = Car()
    car.parm()
    car.start()
    car.profile(7)
    (told,) = car.wait(0.61)
    assert isinstance(told, mme.AttenCharInd)
    assert told.num_sounds == 7
    car.rsp()
    assert car.match()


def test_sounds_alone_are_nothing_without_what_the_modem_says_of_them() -> None:
    car = Car()
    car.parm()
    car.start()
    for count in range(9, -1, -1):
        car.says(mme.MnbcSoundInd(count=count, run_id=RUN, random=bytes(16)), BROADCAST)
    assert car.wait(0.7) == []
    assert car.evse.matchings == []


@pytest.mark.req("S-8", "V2G3-A09-98")
def test_match_bad_length_match_bad_type_and_others() -> None:
    car = Car().to_known()
    silent(car, *(changed(MATCH, MVF_LENGTH, length) for length in (0, 0x3D, 0x3F, 0x56, 0xFF)), changed(MATCH, MVF_LENGTH + 1, 1))
    silent(car, changed(MATCH, APPLICATION_TYPE, 1), changed(MATCH, SECURITY_TYPE, 1))
    for wrong in (
        mme.SlacMatchReq(pev_mac=STRANGER, evse_mac=EVSE, run_id=RUN),
        mme.SlacMatchReq(pev_mac=EV, evse_mac=STRANGER, run_id=RUN),
        mme.SlacMatchReq(pev_mac=EV, evse_mac=EVSE, run_id=bytes(8)),
    ):
        silent(car, frame(wrong))
    silent(car, MATCH[:6] + STRANGER + MATCH[12:], BROADCAST + MATCH[6:], STRANGER + MATCH[6:])
    assert car.match()


@pytest.mark.req("S-8")
def test_parm_bad_fields_and_bad_mmv() -> None:
    car = Car()
    silent(car, changed(PARM, APPLICATION_TYPE, 1), changed(PARM, SECURITY_TYPE, 1), changed(PARM, FRAGMENTS, 1))
    silent(car, *(changed(PARM, MMV, version) for version in (0, 2, 0xFF)), STRANGER + PARM[6:], PARM[:6] + BROADCAST + PARM[12:])
    car.whole()


def test_match_repeat_gets_the_same_key_again() -> None:
    car = Car()
    first = car.whole()
    assert car.match() == [first]
    car.wait(1.0)
    assert car.match() == [first]
    assert car.site.told("evse0", Matched) == [Matched(EV, RUN, 4.0)]


def test_match_repeat_to_a_modem_that_has_lost_the_key_is_not_answered() -> None:
    car = Car()
    first = car.whole()
    car.site.line.modems["evse0"].dead = True
    car.site.run(6.0)
    assert car.evse.modem.key is None
    assert car.match() == []
    car.site.line.modems["evse0"].dead = False
    car.site.run(5.0)
    assert car.match() == [first], "reset, it has the same one"


@pytest.mark.req("S-8", "S-13")
@pytest.mark.parametrize("mmtype", sorted(KNOWN))
def test_truncated_and_oversize_every_length_of_every_type(mmtype: int) -> None:
    car = Car().to_known()
    layout = KNOWN[mmtype]
    before = car.evse.saved()
    for length in range(MOST + 200):
        given = (EVSE + EV + b"\x88\xe1" + layout.begin).ljust(length, b"\x01")[:length]
        car.evse.handle(At(car.site.now), FrameHeard(given))
    assert car.evse.saved() == before
    assert car.match()


def test_wrong_order_is_not_answered() -> None:
    car = Car()
    assert (car.match(), car.rsp(), car.validate(), car.start(), car.profile()) == ([], [], [], [], [])
    car.parm()
    assert (car.match(), car.rsp(), car.validate(), car.profile()) == ([], [], [], [])
    car.start()
    assert (car.match(), car.rsp(), car.validate(), car.profile(9)) == ([], [], [], [])
    car.profile(1)
    assert (car.match(), car.validate(), car.start()) == ([], [], [])
    car.rsp()
    assert car.match()


def test_fresh_keys_each_vehicle_its_own() -> None:
    keys = set()
    car = Car()
    for number in range(5):
        keys.add(Car(car.site, ev_mac(number)).whole().nmk)
        car.wait(13.0)
    assert len(keys) == 5


@pytest.mark.parametrize("result", [1, 2, 255])
def test_rsp_failure_gets_no_key(result: int) -> None:
    car = Car()
    car.parm()
    car.start()
    car.profile()
    car.rsp(result)
    assert car.evse.matchings == []
    assert car.match() == []
    car.whole()


@pytest.mark.req("S-13")
def test_who_has_said_that_it_has_the_attenuation_does_not_refuse_it_afterwards() -> None:
    car = Car().to_known()
    silent(car, *(frame(mme.AttenCharRsp(source_address=EV, run_id=RUN, result=result)) for result in (1, 2, 255)))
    assert car.match()


@pytest.mark.parametrize("source", [MODEM, EV])
def test_a_profile_of_255_groups_moves_nothing(source: bytes) -> None:
    car = Car()
    car.parm()
    car.start()
    car.profile(9, dB=8)
    wide = frame(mme.AttenProfileInd(pev_mac=EV, aag=bytes([8] * GROUPS)), source=source)
    silent(car, (changed(wide, 25, 255)).ljust(27 + 255, b"\x40"), changed(wide, 25, 255), changed(wide, 25, 0), changed(wide, 25, 57))
    (told,) = car.profile(1, dB=8)
    assert isinstance(told, mme.AttenCharInd)
    assert told.aag == bytes([8] * GROUPS)


@pytest.mark.req("S-13")
def test_a_forged_profile_moves_nothing_and_is_noted() -> None:
    car = Car()
    car.parm()
    car.start()
    car.profile(9, dB=8)
    silent(car, *(frame(mme.AttenProfileInd(pev_mac=EV, aag=bytes(GROUPS)), source=source) for source in (EV, STRANGER)))
    assert {each.key for each in car.site.told("evse0", Note)} == {"slac.forged_profile"}
    (told,) = car.profile(1, dB=8)
    assert isinstance(told, mme.AttenCharInd)
    assert told.aag == bytes([8] * GROUPS)


@pytest.mark.req("S-13")
def test_somebody_who_sounds_in_the_name_of_a_vehicle_takes_nothing_away_from_it() -> None:
    car = Car()
    car.parm()
    car.start()
    car.profile(2)
    forger = Car(car.site, run=bytes(8))
    forger.parm()
    forger.start()
    told = car.profile(8)
    assert [(each.run_id, each.num_sounds) for each in told if isinstance(each, mme.AttenCharInd)] == [(RUN, 10)]
    car.rsp()
    assert car.match()


@pytest.mark.req("S-13")
def test_a_forged_key_is_nothing_to_the_station() -> None:
    car = Car().to_known()
    nmk = bytes(16)
    forged = (
        mme.SetKeyCnf(result=0),
        mme.SetKeyReq(nid=nid_of(nmk), new_key=nmk),
        mme.SlacMatchCnf(pev_mac=EV, evse_mac=EVSE, run_id=RUN, nid=nid_of(nmk), nmk=nmk),
    )
    for source in (EV, STRANGER):
        silent(car, *(frame(each, to, source) for each in forged for to in (EVSE, LOCAL, BROADCAST)))
    (answer,) = car.match()
    assert isinstance(answer, mme.SlacMatchCnf)
    assert answer.nmk not in (nmk, bytes(16))


def test_who_is_matched_is_matched_whoever_else_asks() -> None:
    car = Car()
    car.whole()
    before = car.evse.matchings.saved()
    other = Car(car.site, ev_mac(1))
    assert (other.parm(), other.start(), other.profile(), other.rsp(), other.validate(), other.match()) == ([], [], [], [], [], [])
    assert car.evse.matchings.saved() == before


def test_of_two_that_want_the_key_the_first_gets_it() -> None:
    car = Car().to_known()
    other = Car(car.site, ev_mac(1)).to_known()
    assert car.match()
    assert other.match() == []
    assert [each.ev_mac for each in car.evse.matchings] == [EV]


def test_no_key_while_the_modem_has_not_confirmed_the_one_that_is_wanted() -> None:
    car = Car().to_known()
    car.evse.modem.wanted = bytes(16)
    assert car.match() == [], "it still has the old one"
    car.site._take(car.site.hosts["evse0"], car.evse.modem.set_key(At(car.site.now), bytes(16)))
    assert car.match() == []
    car.site.run(1.0)
    (answer,) = car.match()
    assert isinstance(answer, mme.SlacMatchCnf)
    assert answer.nmk == bytes(16)


def test_a_vehicle_that_has_the_key_and_begins_anew_gets_another_one() -> None:
    car = Car()
    first = car.whole()
    car.wait(ANEW_S)
    car.run = bytes(8)
    assert car.parm() == []
    car.wait(1.0)
    assert car.whole().nmk != first.nmk


@pytest.mark.req("S-13")
@pytest.mark.parametrize(("run", "after_s"), [(RUN, 0.0), (RUN, 9.0), (bytes(8), 0.0), (bytes(8), ANEW_S - 0.01)])
def test_whoever_asks_in_the_name_of_a_vehicle_that_joins_does_not_take_its_key_away(run: bytes, after_s: float) -> None:
    car = Car()
    first = car.whole()
    before = car.evse.modem.wanted
    car.wait(after_s)
    assert Car(car.site, run=run).parm() == []
    assert car.evse.modem.wanted == before
    assert car.match() == [first]
    car.site.line.modems["ev0"].nmk = first.nmk
    car.wait(2.0)
    assert car.evse.linked


def test_one_that_has_not_got_its_key_begins_anew_with_the_same_run_once_the_time_to_join_is_over() -> None:
    car = Car()
    first = car.whole()
    car.wait(times.TT_MATCH_JOIN_S + 1.5)
    assert car.whole().nmk != first.nmk


@pytest.mark.parametrize("anew", [False, True])
def test_a_vehicle_with_a_link_begins_anew_only_where_that_is_allowed(anew: bool) -> None:
    car = Car(anew_when_linked=anew)
    car.site.line.modems["ev0"].nmk = car.whole().nmk
    car.wait(2.0)
    assert car.evse.linked
    car.parm()
    assert car.evse.linked is not anew
    car.wait(1.0)
    assert bool(car.parm()) is anew


def test_toggles_are_counted_for_one_vehicle_at_a_time() -> None:
    car = Car(validation=True).to_known()
    other = Car(car.site, ev_mac(1)).to_known()
    car.validate()
    car.validate(9)
    assert other.validate() == [mme.ValidateCnf(result=0)]
    assert other.validate(9) == [mme.ValidateCnf(result=0)]
    car.site.tell("evse0", Toggled(2))
    assert car.said() == [mme.ValidateCnf(result=2, toggle_num=2)]
    assert other.said() == []
    assert other.validate() == [mme.ValidateCnf(result=1)]


# ---- whoever it is


@pytest.mark.req("S-8", "S-13")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.sampled_from([("parm",), ("parm", "start"), ("parm", "start", "profile"), ("to_known",), ("whole",)]),
    said=st.lists(st.tuples(messages(), st.sampled_from([EVSE, BROADCAST, LOCAL, EV])), max_size=20),
)
def test_nobody_s_frame_ends_matching_for_others(steps: tuple[str, ...], said: list[tuple[Mme, bytes]]) -> None:
    car = Car()
    for each in steps:
        getattr(car, each)()
    of = car.evse.matchings.of(EV, RUN)
    assert of is not None
    before, modem = of.saved(), car.evse.modem.saved()
    for message, to in said:
        try:
            car.site.hear("evse0", frame(message, to, STRANGER))
        except ValueError:
            continue
    assert of in car.evse.matchings
    assert (of.saved(), car.evse.modem.saved()) == (before, modem)
    json.dumps(car.evse.saved())
