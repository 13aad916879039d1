"""The own modem on virtual time: each timer, each refusal, and that no key counts before the modem has said so."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.plc.site import At
from iso15118.machine import step
from iso15118.slac import mme, vendor
from iso15118.slac import modem as modem_module
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import KNOWN, Mme
from iso15118.slac.modem import Modem
from iso15118.slac.modem_table import TABLE, Event, Kind, ModemOptions, State
from iso15118.slac.signals import (
    Begin,
    FrameHeard,
    KeyReady,
    LinkChanged,
    ModemSeen,
    Note,
    SendFrame,
    TimerExpired,
)
from tests.unit.iso15118 import test_slac_modem_link as links
from tests.unit.iso15118.slac_modem_rig import (
    HOST,
    KEY,
    KEY2,
    MODEM,
    OTHER,
    World,
    dead,
    key_only,
    linked,
    lumissil,
    mute,
    nonce,
    qualcomm,
    refusing,
)

# ---- what it is


def test_a_modem_of_qualcomm_says_so() -> None:
    world = World(qualcomm)
    world.start()
    world.run(5)
    assert world.kinds() == [vendor.VsSwVerReq, vendor.NscmGetVersionReq]
    assert world.take() == [ModemSeen("MAC-QCA7000-1.1.3", MODEM)]
    assert (world.modem.kind, world.modem.mac, world.modem.state) == (Kind.QUALCOMM, MODEM, State.IDLE)
    assert world.modem.deadline() is None


def test_a_modem_of_lumissil_says_so() -> None:
    world = World(lumissil)
    world.start()
    world.run(5)
    assert world.take() == [ModemSeen("3.4.5.6", MODEM)]
    assert world.modem.kind is Kind.LUMISSIL


@pytest.mark.parametrize(("kind", "asked"), [(Kind.QUALCOMM, vendor.VsSwVerReq), (Kind.LUMISSIL, vendor.NscmGetVersionReq)])
def test_a_kind_that_is_configured_is_asked_in_its_own_way_only(kind: Kind, asked: type[Mme]) -> None:
    world = World(dead, ModemOptions(kind=kind))
    world.start()
    assert world.kinds() == [asked]
    world.say(lumissil(vendor.NscmGetVersionReq()) if kind is Kind.QUALCOMM else qualcomm(vendor.VsSwVerReq()))  # type: ignore[arg-type]
    world.run(0.1)
    assert world.modem.state is State.ASKING, "the other kind's answer is none"


def test_one_that_says_nothing_of_itself_is_asked_three_times_and_given_keys() -> None:
    world = World(key_only)
    world.start(KEY)
    world.run(5)
    assert [at for at, message in world.sent if isinstance(message, vendor.VsSwVerReq)] == [0.0, 0.5, 1.0]
    assert [at for at, message in world.sent if isinstance(message, mme.SetKeyReq)] == [1.5]
    note, seen, ready = world.take()
    assert isinstance(note, Note)
    assert note.key == "modem_unknown"
    assert (seen, ready) == (ModemSeen("", MODEM), KeyReady(ready=True))
    assert world.modem.kind is Kind.KEY_ONLY


def test_one_that_only_takes_keys_is_not_asked_when_that_is_known() -> None:
    world = World(key_only, ModemOptions(kind=Kind.KEY_ONLY))
    world.start(KEY)
    world.run(5)
    assert world.kinds() == [mme.SetKeyReq]
    assert world.take() == [ModemSeen("", MODEM), KeyReady(ready=True)]


# ---- the key


@pytest.mark.parametrize("result", [0, 1])
def test_a_key_is_set_when_the_modem_has_said_so_and_not_before(result: int) -> None:
    world = World(lambda message: qualcomm(message, result=result))
    world.start()
    world.run(1)
    world.take()
    world.set_key(KEY)
    assert world.sent[-1][1] == mme.SetKeyReq(my_nonce=nonce(1), nid=nid_of(KEY), new_key=KEY)
    world.run(0.6)
    assert (world.modem.ready, world.take()) == (False, [])
    world.run(0.2)
    assert (world.modem.key, world.take()) == (KEY, [KeyReady(ready=True)])
    assert world.modem.deadline() is None


def test_a_key_that_is_wanted_before_the_modem_is_known_waits() -> None:
    world = World(qualcomm)
    world.set_key(KEY)
    assert world.sent == [], "the interface is down"
    world.start()
    assert mme.SetKeyReq not in world.kinds()
    world.run(2)
    assert world.kinds().count(mme.SetKeyReq) == 1
    assert world.take() == [ModemSeen("MAC-QCA7000-1.1.3", MODEM), KeyReady(ready=True)]


def test_the_key_that_is_set_already_is_ready_at_once() -> None:
    world = World(qualcomm)
    world.start(KEY)
    world.run(2)
    world.take()
    world.set_key(KEY)
    assert world.take() == [KeyReady(ready=True)]
    assert world.kinds().count(mme.SetKeyReq) == 1


def test_a_second_key_waits_for_the_first_and_only_the_second_counts() -> None:
    world = World(qualcomm)
    world.start()
    world.run(1)
    world.take()
    world.set_key(KEY)
    world.run(0.1)
    world.set_key(KEY2)
    assert world.kinds().count(mme.SetKeyReq) == 1, "the modem is at work"
    world.run(0.65)
    assert (world.take(), world.modem.ready) == ([], False), "the first is confirmed, and is not what is wanted"
    at, message = world.sent[-1]
    assert at == pytest.approx(1.7)
    assert message == mme.SetKeyReq(my_nonce=nonce(2), nid=nid_of(KEY2), new_key=KEY2)
    world.run(0.7)
    assert (world.take(), world.modem.key) == ([KeyReady(ready=True)], KEY2)


@pytest.mark.parametrize("field", ["your_nonce", "my_nonce"])
def test_a_late_answer_for_the_key_before_confirms_nothing(field: str) -> None:
    """The first request was answered after it had been repeated; so there is another answer to come, and meanwhile another key is wanted."""
    world = World(lambda message: None if isinstance(message, mme.SetKeyReq) else qualcomm(message))
    world.start(KEY)
    world.run(1.6)
    assert world.kinds().count(mme.SetKeyReq) == 2

    def answer(number: int, result: int = 1) -> mme.SetKeyCnf:
        if field == "my_nonce":
            return mme.SetKeyCnf(result=result, my_nonce=nonce(number))
        return mme.SetKeyCnf(result=result, your_nonce=nonce(number))

    world.say(answer(1))
    world.run(0.1)
    assert world.modem.ready, "either copy sets this key"
    world.set_key(KEY2)
    world.take()
    world.say(answer(1))
    world.say(answer(1, result=2))
    world.run(0.1)
    assert (world.take(), world.modem.key) == ([], None)
    world.say(answer(2))
    world.run(0.1)
    assert (world.take(), world.modem.key) == ([KeyReady(ready=True)], KEY2)


@pytest.mark.parametrize(
    ("mine", "yours"), [(bytes(4), bytes(4)), (b"\xaa" * 4, bytes(4)), (b"\0\0\0\1", b"\0\0\0\1"), (nonce(1), nonce(2))]
)
def test_an_answer_that_echoes_nothing_or_more_than_ours_counts(mine: bytes, yours: bytes) -> None:
    world = World(qualcomm)
    world.start(KEY)
    world.run(2)
    world.answer = lambda message: None
    world.set_key(KEY2)
    world.say(mme.SetKeyCnf(result=1, my_nonce=mine, your_nonce=yours))
    world.run(0.1)
    assert world.modem.key == KEY2


def test_no_answer_three_times_a_reset_and_then_it_takes_the_key() -> None:
    world = World(qualcomm, ModemOptions(kind=Kind.QUALCOMM))
    world.start()
    world.run(1)
    world.answer = lambda message: None if isinstance(message, mme.SetKeyReq) else qualcomm(message)
    world.take()
    world.set_key(KEY)
    world.run(4.6)
    assert [at for at, message in world.sent if isinstance(message, mme.SetKeyReq)] == pytest.approx([1.0, 2.5, 4.0])
    assert [at for at, message in world.sent if isinstance(message, vendor.VsRsDevReq)] == pytest.approx([5.5])
    assert [each.key for each in world.take() if isinstance(each, Note)] == ["modem_reset"]
    world.answer = qualcomm
    world.run(2.8)
    assert world.modem.state is State.RESETTING, "left alone"
    world.run(2)
    assert [at for at, message in world.sent if isinstance(message, vendor.VsSwVerReq)] == pytest.approx([0.0, 8.5])
    assert world.take() == [ModemSeen("MAC-QCA7000-1.1.3", MODEM), KeyReady(ready=True)]


def test_a_refused_key_is_offered_again_and_then_the_modem_is_reset_and_given_up() -> None:
    world = World(lambda message: qualcomm(message, result=2))
    world.start(KEY)
    world.run(20)
    assert world.kinds().count(vendor.VsRsDevReq) == 1
    assert world.kinds().count(mme.SetKeyReq) == 6
    assert len([each for each in world.told(Note) if isinstance(each, Note) and each.key == "modem_refuses_key"]) == 6
    assert world.modem.state is State.DEAD
    assert world.told(KeyReady) == [KeyReady(ready=False, why="the modem 00:b0:52:4e:4d:01 does not answer")]


def test_one_that_cannot_be_reset_is_given_up_at_once() -> None:
    world = World(dead, ModemOptions(kind=Kind.KEY_ONLY))
    world.start(KEY)
    world.run(4.6)
    assert world.kinds() == [mme.SetKeyReq] * 3
    assert world.modem.state is State.DEAD
    assert [each.key for each in world.told(Note) if isinstance(each, Note)] == ["modem_dead"]
    assert world.told(KeyReady) == [KeyReady(ready=False, why="the modem does not answer")]


@pytest.mark.req("S-9")
def test_a_dead_modem_is_reset_after_three_questions_given_up_and_tried_again_for_ever() -> None:
    world = World(dead, ModemOptions(kind=Kind.QUALCOMM))
    world.start(KEY)
    world.run(60)
    asked = [at for at, message in world.sent if isinstance(message, vendor.VsSwVerReq)]
    assert asked[:3] == pytest.approx([0.0, 0.5, 1.0])
    assert [at for at, message in world.sent if isinstance(message, vendor.VsRsDevReq)] == pytest.approx([1.5, 28.0, 54.5])
    assert asked[3:15] == pytest.approx([4.5 + each for each in range(12)]), "each second after the reset"
    assert asked[15:18] == pytest.approx([26.5, 27.0, 27.5]), "and ten seconds after it was given up"
    assert [at for at, command in world.said if isinstance(command, KeyReady)] == pytest.approx([16.5, 43.0])
    world.set_key(KEY2)
    assert world.modem.wanted == KEY2
    world.answer = qualcomm
    world.run(20)
    assert world.said[-1][1] == KeyReady(ready=True)
    assert world.modem.key == KEY2


def test_a_key_for_a_dead_modem_is_not_ready_and_remembered() -> None:
    world = World(dead, ModemOptions(kind=Kind.KEY_ONLY))
    world.start(KEY)
    world.run(5)
    world.take()
    world.set_key(KEY2)
    assert world.take() == [KeyReady(ready=False, why="the modem does not answer")]
    world.answer = key_only
    world.run(20)
    assert world.modem.key == KEY2


def test_another_modem_is_taken_after_the_first_was_given_up() -> None:
    world = World(qualcomm)
    world.start(KEY)
    world.run(2)
    world.source = OTHER
    world.set_key(KEY2)
    world.run(60)
    assert (world.modem.mac, world.modem.key) == (OTHER, KEY2)


def test_only_sixteen_octets_are_a_key() -> None:
    with pytest.raises(ValueError, match="15 octets"):
        Modem(HOST).set_key(At(0), bytes(15))


# ---- whose answers count


@pytest.mark.req("S-13")
def test_nobody_else_s_answer_counts() -> None:
    world = World(qualcomm)
    world.start()
    world.run(1)
    world.take()
    world.answer = dead
    world.set_key(KEY)
    world.say(mme.SetKeyCnf(result=1), source=OTHER)
    world.say(mme.SetKeyCnf(result=1), to=OTHER)
    world.say(mme.SetKeyCnf(result=1), to=mme.BROADCAST)
    world.say(mme.SetKeyCnf(result=1), source=HOST)
    world.run(0.5)
    assert (world.take(), world.modem.ready) == ([], False)
    world.say(mme.SetKeyCnf(result=1))
    world.run(0.1)
    assert world.take() == [KeyReady(ready=True)]


@pytest.mark.req("S-13")
def test_what_the_modem_s_address_is_is_not_learnt_from_others() -> None:
    world = World(dead)
    world.start()
    world.say(vendor.VsSwVerCnf(device_class=1, version="x"), source=HOST)
    world.say(mme.SetKeyCnf(result=1), source=OTHER)
    world.say(vendor.VsPlLnkStatusCnf(link_status=1), source=OTHER)
    world.run(0.4)
    assert (world.take(), world.modem.mac, world.modem.state) == ([], None, State.ASKING)


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    world = World(qualcomm)
    world.start(KEY)
    world.run(2)
    world.take()
    before = world.modem.saved()
    for message in (
        mme.SetKeyCnf(result=2),
        vendor.VsSwVerCnf(device_class=1, version="x"),
        vendor.VsPlLnkStatusCnf(link_status=1),
        vendor.NscmGetDLinkStatusCnf(link_status=1),
        mme.NwStatsCnf(stations=()),
        vendor.VsRsDevCnf(),
    ):
        world.say(message)
    world.run(1)
    assert world.take() == []
    assert world.modem.saved() == before


def test_a_configured_address_is_the_only_one() -> None:
    world = World(qualcomm, ModemOptions(mac=OTHER))
    world.start()
    world.run(0.4)
    assert world.take() == []
    world.say(vendor.VsSwVerCnf(device_class=1, version="mine"), source=OTHER)
    world.run(0.05)
    assert world.take() == [ModemSeen("mine", OTHER)]


def test_a_version_that_it_could_not_say_is_none() -> None:
    world = World(
        lambda message: vendor.VsSwVerCnf(status=1, device_class=1, version="") if isinstance(message, vendor.VsSwVerReq) else None
    )
    world.start()
    world.run(0.4)
    assert world.modem.state is State.ASKING


@given(st.binary(max_size=120), st.sampled_from(sorted(KNOWN)))
def test_no_frame_does_anything_but_be_an_answer(rest: bytes, mmtype: int) -> None:
    world = World(dead)
    world.start(KEY)
    head = HOST + MODEM + b"\x88\xe1" + KNOWN[mmtype].begin
    assert all(isinstance(each, SendFrame | ModemSeen) for each in world.modem.handle(At(0.1), FrameHeard(head + rest)))


def test_what_is_for_other_machines_is_left_alone() -> None:
    assert Modem(HOST).handle(At(0), Begin()) == []
    assert Modem(HOST).handle(At(0), TimerExpired()) == []


# ---- the interface


@pytest.mark.req("S-9")
def test_an_interface_that_goes_takes_link_and_key_with_it_and_brings_both_back() -> None:
    world = linked(qualcomm)
    world.watch(0.5)
    world.run(1)
    world.take()
    world.do(world.modem.stop)
    assert world.take() == [LinkChanged(up=False, why="the interface is down"), KeyReady(ready=False, why="the interface is down")]
    world.sent.clear()
    world.run(60)
    assert (world.sent, world.modem.deadline(), world.modem.mac) == ([], None, None)
    world.start()
    world.run(3)
    assert world.take() == [ModemSeen("MAC-QCA7000-1.1.3", MODEM), KeyReady(ready=True)]


# ---- the table and snapshots


def test_the_table_decides_everything_and_reaches_everything() -> None:
    assert TABLE.undecided() == ()
    assert TABLE.reachable() == set(State)


def test_every_row_that_does_something_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: set[tuple[State, Event]] = set()

    def counted(rows: object, state: State, event: Event) -> object:
        taken.add((state, event))
        return step(TABLE, state, event)

    monkeypatch.setattr(modem_module, "step", counted)
    for test in (
        test_one_that_says_nothing_of_itself_is_asked_three_times_and_given_keys,
        test_a_second_key_waits_for_the_first_and_only_the_second_counts,
        test_no_answer_three_times_a_reset_and_then_it_takes_the_key,
        test_a_refused_key_is_offered_again_and_then_the_modem_is_reset_and_given_up,
        test_a_dead_modem_is_reset_after_three_questions_given_up_and_tried_again_for_ever,
        links.test_a_modem_that_falls_silent_has_lost_its_link_and_its_key,
        test_an_interface_that_goes_takes_link_and_key_with_it_and_brings_both_back,
    ):
        test()
    for after_s in (0.2, 1.9, 2.0, 7.0, 12.0, 20.0, 30.0):
        for answer, resets in (
            (dead, 1),
            (dead, 0),
            (lambda message: None if isinstance(message, mme.SetKeyReq) else qualcomm(message), 1),
        ):
            world = World(answer, ModemOptions(kind=Kind.QUALCOMM, resets=resets))
            world.start(KEY)
            world.run(after_s)
            world.do(world.modem.stop)
    wanted = {(each.state, each.event) for each in TABLE.entries.values() if each.do or each.to is not each.state}
    assert wanted - taken == set()


@example(["key", "start", "long", "watch", "mute", *["run"] * 16])
@given(
    st.lists(
        st.sampled_from(["key", "key2", "watch", "unwatch", "stop", "start", "run", "long", "dead", "alive", "refuse", "mute"]), max_size=14
    )
)
def test_at_any_moment_it_goes_on_from_a_snapshot_as_it_would_have(acts: list[str]) -> None:
    one, two = World(qualcomm), World(qualcomm)
    for act in acts:
        for world in (one, two):
            match act:
                case "key" | "key2":
                    world.set_key(KEY if act == "key" else KEY2)
                case "watch":
                    world.watch(0.5)
                case "unwatch":
                    world.modem.unwatch()
                case "stop":
                    world.do(world.modem.stop)
                case "start":
                    world.start()
                case "run" | "long":
                    world.run(0.4 if act == "run" else 9.0)
                case _:
                    world.answer = {"dead": dead, "alive": qualcomm, "refuse": refusing, "mute": mute}[act]
        saved = json.loads(json.dumps(two.modem.saved()))
        two.modem = Modem(HOST)
        two.modem.restore(saved)
        assert (one.sent, one.said, one.modem.deadline()) == (two.sent, two.said, two.modem.deadline())
        assert not one.modem.ready or one.modem.key == one.modem.wanted
    assert not [each for each in one.told(KeyReady) if isinstance(each, KeyReady) and each.ready] or any("key" in act for act in acts)
