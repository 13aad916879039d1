"""The closing invariant (safety facts, end of section 3), proved by exploring station x vehicle x faults; and the proof proved to bite."""

import os
import random
from dataclasses import replace

import pytest

from chargepoint.config import EvseConfig
from chargepoint.interlock import CONDITIONS, CONSENT, DUTY, KNOWN_OPEN, PERMIT, PILOT, PILOT_STAYS, SETTLED, Interlock
from chargepoint.pilot import TABLE, CpEvent, CpState
from hal.types import EvseInfo
from iso15118.machine import Transition
from tests.property.evse_explorer import Explorer
from tests.property.evse_world import CONFIG, Violation

SOAK = os.environ.get("SOAK") == "1"
STATES, WALKS, STEPS = (150_000, 20_000, 400) if SOAK else (2_500, 80, 200)

SELF_CLOSING = EvseInfo(closes_by_itself=True, has_meter=False, has_lock=True)

READY = ("feedback", "feedback", *("time passes",) * 6, "plug 220", "authorise", "feedback locked", "s2 on")
TETHERED = tuple(name for name in READY if not name.startswith("feedback l"))[1:]
CLOSED = (*READY, "durable", "feedback closed")
PAUSED = (*CLOSED, "limit 0", "time passes")
WELDED = (*CLOSED, "weld", "deauthorise at once", "feedback closed", "time passes")


@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 60)
@pytest.mark.req("S-10", "S-11", "F-12", "F-14", "F-16", "F-17", "F-18")
@pytest.mark.parametrize("prefix", [(), READY, CLOSED, PAUSED, WELDED], ids=["start", "ready", "closed", "paused", "welded"])
def test_the_invariant_holds_in_every_state_reached(prefix: tuple[str, ...]) -> None:
    explorer = Explorer()
    assert explorer.explore(STATES, prefix) >= STATES


@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 60)
@pytest.mark.req("S-10", "S-11", "F-12", "F-14", "F-16", "F-17", "F-18")
@pytest.mark.parametrize("config", [CONFIG, EvseConfig(connector="sType2", ventilation=False)], ids=["ventilated", "unventilated"])
def test_the_invariant_holds_on_long_walks(config: EvseConfig) -> None:
    reached: set[str] = set()
    for seed in range(WALKS):
        explorer = Explorer(config=config)
        explorer.walk(random.Random(seed), STEPS)
        reached |= explorer.closed_in
    assert {"C1", "C2"} <= reached, "a machine that never closes proves nothing"
    assert ("D2" in reached) is config.ventilation


@pytest.mark.soak
@pytest.mark.timeout(0 if SOAK else 60)
@pytest.mark.req("S-10", "S-11", "F-12", "F-14", "F-16", "F-17", "F-18")
def test_the_invariant_holds_with_a_board_that_closes_by_itself() -> None:
    reached: set[str] = set()
    for seed in range(WALKS):
        explorer = Explorer(traits=SELF_CLOSING)
        explorer.walk(random.Random(seed), STEPS)
        reached |= explorer.closed_in
    assert {"C1", "C2"} <= reached
    explorer = Explorer(traits=SELF_CLOSING)
    assert explorer.explore(STATES, CLOSED[:-1]) >= STATES


def broken(*names: str) -> Interlock:
    """The table with these conditions taken for granted."""
    assert all(name in {c.name for c in CONDITIONS} for name in names)
    return Interlock(tuple(replace(c, holds=lambda _: True) if c.name in names else c for c in CONDITIONS))


BROKEN = (
    (PILOT, DUTY),  # each of these two covers for the other: C2 is C with PWM
    (PILOT_STAYS,),
    ("diode",),
    ("cable",),
    ("lock",),
    ("authorised",),
    ("Started is durable",),
    ("no fault that opens",),
    ("running",),
    (SETTLED,),
)
COVERED = {
    PERMIT: "the board's own end of the lease, and the machine's check before each event",
    KNOWN_OPEN: "closing starts from Power.OPEN only, which a confirmed opening leads to",
    "phases set": "the phases change with the contactor open only (settle_phases)",
    "current offered": "no duty says less than 6 A: pilot.duty_for raises",
    "supply allowed": "not of the invariant: a limit of the transaction (OCPP E16)",
    "operative": "not of the invariant: OCPP G03",
    "no fault that stops": "not of the invariant: ends in order",
}

TALKING = {CONSENT, "voltages meet"}
"""Broken in `test_talking_proof`: no EVSE here talks."""


def test_every_condition_is_broken_below_or_said_to_be_covered() -> None:
    assert {c.name for c in CONDITIONS} == {name for names in BROKEN for name in names} | COVERED.keys() | TALKING


@pytest.mark.parametrize("names", BROKEN, ids="+".join)
def test_without_this_condition_the_proof_fails(names: tuple[str, ...]) -> None:
    with pytest.raises(Violation):
        search(Explorer(interlock=broken(*names)))


@pytest.mark.parametrize("event", [CpEvent.A, CpEvent.B, CpEvent.E])
def test_with_a_wrong_entry_in_the_pilot_table_the_proof_fails(event: CpEvent) -> None:
    wrong = TABLE.replaced(Transition(CpState.C2, event, CpState.C2))
    with pytest.raises(Violation):
        search(Explorer(pilot_table=wrong))


def search(explorer: Explorer) -> None:
    """The exploration of the first test, as far as it takes to find something."""
    for prefix in (CLOSED[:-1], ("restart", "feedback", "plug 220", "authorise", "s2 on", "durable")):
        if explorer.config is CONFIG:
            Explorer(**explorer.extra).explore(3_000, prefix)
    Explorer(**explorer.extra, config=EvseConfig(ventilation=True)).explore(2_000, (*TETHERED, "durable"))
