"""The closing invariant for an EVSE that talks, AC and DC, proved by exploring pilot x link x session x stage x faults; and the proof proved to bite."""

import os
import random
from typing import Any

import pytest

from chargepoint import evse_dc, evse_pilot
from chargepoint.hlc import TABLE, HlcEvent, HlcState
from chargepoint.interlock import CONSENT, DUTY, PILOT, PILOT_STAYS
from iso15118.machine import Transition
from tests.property.evse_world import Violation
from tests.property.talking_explorer import TalkingExplorer
from tests.property.test_interlock_proof import TALKING, broken

SOAK = os.environ.get("SOAK") == "1"
STATES, WALKS, STEPS = (100_000, 20_000, 400) if SOAK else (1_000, 40, 150)

PLUGGED = ("feedback", *("time passes",) * 6, "plug", "authorise", "durable")
WAITING = (*PLUGGED, *("time passes",) * 3)
LINKED = (*WAITING, "link up")
SILENT = (*WAITING, *("time passes",) * 5)
"""Nobody speaks: F is on the pilot, and then X1."""
GIVEN_UP = (*SILENT, *("time passes",) * 6)
"""A second time; X1 is on the pilot, and its time is nearly over."""
WANTED = (*LINKED, "session begins", "s2 on", "asks power")
CLOSED = (*WANTED, "feedback closed")
CHECKED = (
    *LINKED,
    "session begins",
    "s2 on",
    "asks check",
    "sample follows",
    "feedback closed",
    "sample follows",
    "insulation right",
    "sample follows",
)
FLOWS = (*CHECKED, "asks precharge", "sample follows", "asks power", "sample follows")
BACK = (*FLOWS, "asks for power back")
DOWN = (*FLOWS, "asks off")
MUTE = (*LINKED, "session begins", "s2 on", "stage falls silent", "time passes", "time passes")
DROPPED = (*FLOWS, "hang", "feedback open", "sample is of a live outlet")

PLACES = [
    *((False, prefix) for prefix in ((), LINKED, SILENT, CLOSED)),
    *((True, prefix) for prefix in (LINKED, CHECKED, FLOWS, BACK, DOWN, DROPPED, MUTE)),
]
NAMES = [
    "ac start",
    "ac linked",
    "ac silent",
    "ac closed",
    "dc linked",
    "dc checked",
    "dc flows",
    "dc flows back",
    "dc down",
    "dc dropped",
    "dc mute",
]


@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 60)
@pytest.mark.req("S-9", "S-10", "S-11", "S-13", "F-10", "F-11", "F-12", "F-16", "F-18")
@pytest.mark.parametrize(("dc", "prefix"), PLACES, ids=NAMES)
def test_the_invariant_holds_in_every_state_reached(dc: bool, prefix: tuple[str, ...]) -> None:
    explorer = TalkingExplorer(dc=dc)
    assert explorer.explore(STATES, prefix) >= STATES


@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 60)
@pytest.mark.req("S-9", "S-10", "S-11", "S-13", "F-10", "F-11", "F-12", "F-16", "F-18")
@pytest.mark.parametrize("dc", [False, True], ids=["ac", "dc"])
def test_the_invariant_holds_on_long_walks(dc: bool) -> None:
    prefixes = [prefix for each, prefix in PLACES if each is dc]
    reached: set[str] = set()
    for seed in range(WALKS):
        explorer = TalkingExplorer(dc=dc)
        explorer.walk(random.Random(seed), STEPS, prefixes[seed % len(prefixes)])
        reached |= explorer.closed_in
    assert {"C1", "C2"} <= reached, "a machine that never closes proves nothing"
    assert ({"cable check", "precharge", "flows", "flows back"} if dc else {"power", "current"}) <= reached


FOUND = {
    "a current, F for a moment, and 5 % without the rest in X1": (
        False,
        (
            "feedback open > plug > authorise > s2 on > time passes > durable > time passes > talking is switched off > time passes > time passes > time passes > "
            "feedback closed > deauthorise at once > time passes > talking is switched on > time passes > feedback open > acknowledge > time passes"
        ),
    ),
    "the same where nobody had talked before": (
        False,
        (
            "feedback > time passes > time passes > time passes > time passes > talking is switched off > authorise > plug > s2 on > durable > time passes > "
            "feedback closed > time passes > deauthorise at once > time passes > feedback open > time passes > talking is switched on > acknowledge > time passes"
        ),
    ),
    "power by a voltage that nobody has read any more": (
        True,
        (
            "feedback > time passes > time passes > plug > authorise > durable > time passes > time passes > time passes > session begins > s2 on > asks check > "
            "feedback closed > sample follows > insulation right > sample follows > asks precharge > sample follows > stage falls silent > time passes > asks check > "
            "asks for mad power > time passes"
        ),
    ),
}
"""Ways that walks have found, as short as they could be made."""


@pytest.mark.parametrize("name", FOUND)
def test_what_walks_have_found_is_mended(name: str) -> None:
    dc, path = FOUND[name]
    explorer = TalkingExplorer(dc=dc)
    explorer.start()
    for step in path.split(" > "):
        explorer._take(step)


BROKEN = (
    (False, WANTED, (CONSENT,)),
    (True, LINKED, (CONSENT,)),
    (True, DROPPED, ("voltages meet",)),
    (False, WANTED, (PILOT, DUTY)),  # each of these two covers for the other: C2 is C with PWM
    (False, CLOSED, (PILOT_STAYS,)),
    (True, FLOWS, (PILOT_STAYS,)),
    (False, CLOSED, ("diode",)),
    (False, CLOSED, ("authorised",)),
    (False, CLOSED, ("no fault that opens",)),
    (False, (*CLOSED, "shutdown"), ("running",)),
)
"""The others are those of every EVSE, and broken in `test_interlock_proof`."""


@pytest.mark.parametrize(
    ("dc", "prefix", "names"), BROKEN, ids=lambda each: "+".join(each) if isinstance(each, tuple) and len(each) < 3 else ""
)
def test_without_this_condition_the_proof_fails(dc: bool, prefix: tuple[str, ...], names: tuple[str, ...]) -> None:
    with pytest.raises(Violation):
        search(dc, prefix, interlock=broken(*names))


@pytest.mark.parametrize(
    ("dc", "prefix", "wrong"),
    [
        (True, GIVEN_UP, Transition(HlcState.LEAVING, HlcEvent.NO_OTHER_WAY, HlcState.BASIC)),
        (True, FLOWS, Transition(HlcState.TALKING, HlcEvent.LINK_LOST, HlcState.TALKING)),
        (False, CLOSED, Transition(HlcState.TALKING, HlcEvent.UNSERVED, HlcState.TALKING)),
        (False, WAITING, Transition(HlcState.WAITING, HlcEvent.LINK_UP, HlcState.TALKING)),
    ],
    ids=["dc goes on with the PWM", "without its link", "without its network", "a link is a session"],
)
def test_with_a_wrong_entry_in_the_table_the_proof_fails(dc: bool, prefix: tuple[str, ...], wrong: Transition[HlcState, HlcEvent]) -> None:
    with pytest.raises(Violation):
        search(dc, prefix, hlc_table=TABLE.replaced(wrong))


def test_with_a_wrong_entry_the_pilot_still_wants_its_x1_and_without_that_the_proof_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = TABLE.replaced(Transition(HlcState.AGAIN, HlcEvent.RESTED, HlcState.BASIC))
    search(dc=False, prefix=SILENT, hlc_table=wrong)
    monkeypatch.setattr(evse_pilot, "_means_another", lambda _evse: False)
    with pytest.raises(Violation, match="current without X1"):
        search(dc=False, prefix=SILENT, hlc_table=wrong)


def test_with_old_readings_the_proof_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evse_dc, "UNREAD_S", 1e6)
    with pytest.raises(Violation, match="closed on a reading of 2 s ago"):
        search(dc=True, prefix=MUTE)


def test_what_only_those_that_talk_need_is_broken_here() -> None:
    assert {name for _, _, names in BROKEN for name in names} >= TALKING


def search(dc: bool, prefix: tuple[str, ...], **tables: Any) -> None:
    """The exploration of the first test, from where it finds something soon."""
    TalkingExplorer(dc=dc, **tables).explore(6_000, prefix)
