"""Whether there is a link, as the own modem says it, or does not say it."""

from __future__ import annotations

import pytest

from iso15118.slac import mme, vendor
from iso15118.slac.layout import Mme
from iso15118.slac.modem_table import Kind, ModemOptions, State
from iso15118.slac.signals import (
    KeyReady,
    LinkChanged,
    ModemSeen,
    Note,
)
from tests.unit.iso15118.slac_modem_rig import (
    KEY,
    KEY2,
    MODEM,
    OTHER,
    Answer,
    dead,
    key_only,
    linked,
    lumissil,
    mute,
    qualcomm,
    with_stats,
)


@pytest.mark.parametrize(("answer", "asked"), [(qualcomm, vendor.VsPlLnkStatusReq), (lumissil, vendor.NscmGetDLinkStatusReq)])
def test_the_link_is_asked_for_and_told_once(answer: Answer, asked: type[Mme]) -> None:
    world = linked(answer)
    world.watch(0.5)
    world.run(2.2)
    assert world.kinds() == [asked] * 5
    assert world.take() == [LinkChanged(up=True, why="the modem 00:b0:52:4e:4d:01 says so")]
    assert world.modem.link


def test_a_link_that_is_not_up_yet_is_waited_for_in_silence() -> None:
    world = linked(lambda message: qualcomm(message, link=0))
    world.watch(0.1)
    world.run(2)
    assert world.take() == []
    assert world.modem.link is None
    world.answer = qualcomm
    world.run(0.2)
    assert world.take() == [LinkChanged(up=True, why="the modem 00:b0:52:4e:4d:01 says so")]


@pytest.mark.req("F-10")
def test_a_link_is_lost_when_two_answers_say_so() -> None:
    world = linked(qualcomm)
    world.watch(0.5)
    world.run(1.1)
    world.take()
    links = iter([0, 1, 0, 0, 0])
    world.answer = lambda message: qualcomm(message, link=next(links, 1))
    world.run(1.1)
    assert world.take() == [], "one alone is none"
    world.run(1.0)
    assert world.take() == [LinkChanged(up=False, why="the modem 00:b0:52:4e:4d:01 says so")]
    world.run(1.0)
    assert world.take() == [LinkChanged(up=True, why="the modem 00:b0:52:4e:4d:01 says so")]


@pytest.mark.req("F-10")
def test_a_modem_that_falls_silent_has_lost_its_link_and_its_key() -> None:
    world = linked(qualcomm)
    world.watch(0.5)
    world.run(1.1)
    world.take()
    world.answer = dead
    world.run(1.9)
    assert (world.take(), world.modem.state, world.modem.key) == ([], State.ASKING, KEY), "it may be mute only"
    world.run(1.5)
    why = "the modem 00:b0:52:4e:4d:01 does not answer"
    assert world.take()[:2] == [LinkChanged(up=False, why=why), KeyReady(ready=False, why=why)]
    assert (world.modem.key, world.modem.state) == (None, State.RESETTING)
    world.answer = qualcomm
    world.run(5)
    assert world.take() == [
        ModemSeen("MAC-QCA7000-1.1.3", MODEM),
        KeyReady(ready=True),
        LinkChanged(up=True, why="the modem 00:b0:52:4e:4d:01 says so"),
    ]


def test_one_that_is_mute_about_its_link_keeps_its_key_and_is_taken_as_linked() -> None:
    world = linked(mute)
    world.watch(0.5)
    world.run(30)
    assert mme.SetKeyReq not in world.kinds(), "setting it again would break the link"
    assert vendor.VsRsDevReq not in world.kinds()
    seen, note, changed = world.take()
    assert seen == ModemSeen("MAC-QCA7000-1.1.3", MODEM)
    assert isinstance(note, Note)
    assert isinstance(changed, LinkChanged)
    assert (note.key, changed.up) == ("link_presumed", True)
    world.answer = lambda message: qualcomm(message, link=0)
    world.run(2)
    assert world.take() == [LinkChanged(up=False, why="the modem 00:b0:52:4e:4d:01 says so")], "when it does say so, it counts"


def test_one_that_cannot_say_is_taken_as_linked_at_once() -> None:
    world = linked(
        lambda message: (
            vendor.VsPlLnkStatusCnf(status=1, link_status=1) if isinstance(message, vendor.VsPlLnkStatusReq) else qualcomm(message)
        )
    )
    world.watch(0.5)
    world.run(5)
    assert [type(each) for each in world.take()] == [Note, LinkChanged]
    assert (world.modem.link, world.modem.state, world.modem.key) == (True, State.IDLE, KEY)


def test_no_question_for_the_link_while_a_key_is_being_set() -> None:
    world = linked(qualcomm)
    world.watch(0.1)
    world.run(0.35)
    world.sent.clear()
    world.set_key(KEY2)
    world.run(0.65)
    assert world.kinds() == [mme.SetKeyReq]
    world.run(0.3)
    assert vendor.VsPlLnkStatusReq in world.kinds()


def test_one_that_only_takes_keys_says_by_its_statistics_whether_there_is_a_link() -> None:
    world = linked(with_stats(), ModemOptions(kind=Kind.KEY_ONLY))
    world.watch(0.5)
    world.run(3)
    assert world.take() == []
    world.answer = with_stats(mme.Rate(OTHER, 9, 9))
    world.run(0.6)
    assert world.take() == [LinkChanged(up=True, why="the modem 00:b0:52:4e:4d:01 says so")]


def test_one_that_says_nothing_is_taken_as_linked_and_that_is_said() -> None:
    world = linked(key_only, ModemOptions(kind=Kind.KEY_ONLY))
    world.watch(0.5)
    world.run(1.4)
    assert world.take() == []
    world.run(10)
    note, changed = world.take()
    assert isinstance(note, Note)
    assert note.key == "link_presumed"
    assert isinstance(changed, LinkChanged)
    assert changed.up
    assert "taken as up" in changed.why
    assert world.modem.state is State.IDLE, "silence about it is no sign that it is dead"


def test_watching_ends_and_slows_down() -> None:
    world = linked(qualcomm)
    world.watch(0.1)
    world.run(0.25)
    world.modem.watch_slower(1.0)
    world.sent.clear()
    world.run(2.1)
    assert len(world.sent) == 3
    world.modem.unwatch()
    world.sent.clear()
    world.run(5)
    assert (world.sent, world.modem.link, world.modem.deadline()) == ([], None, None)
