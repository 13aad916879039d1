"""A pair of our charger's side and our vehicle's side of ISO 15118-20, and what is asked of it in more than one test."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench.v2g.charger import AC_22_KW, Charger, every_way
from bench.v2g.guard import Careful, Guard
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from iso15118.evcc.terms import EvWish, Wants
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import AddedService, Control, DynamicPlan, Ending, Energy, Parameter, ParameterSet, Told, Wish

AC_BOTH_WAYS = replace(AC_22_KW, max_discharge_W=11_000.0)
INTERNET = AddedService(65, (ParameterSet(3, (Parameter("Protocol", "http"), Parameter("Port", 80))),))


def charger(**facts: Any) -> Charger:
    """Every energy in every way and both directions, with a service beside it."""
    return Charger(every_way(**({"ac": AC_BOTH_WAYS, "added_services": (INTERNET,), "dynamic": DynamicPlan(7200, 20, 70)} | facts)))


def make(energy: Energy = Energy.DC, control: Control = Control.DYNAMIC, by_secc: bool = False, **wants: Any) -> Pair:
    vehicle = Vehicle(
        wants=Wants(energies=(energy,), controls=(control,), mobility_by_secc=by_secc, **({"loops": 30, "meter": True} | wants))
    )
    pair = Pair(charger(), vehicle)
    pair.watches += [Guard(), Careful()]
    return pair


def after(pair: Pair, rounds: int, what: Callable[[], object]) -> None:
    """Once the loop has gone round so often."""
    pair.when(lambda: pair.loops() >= rounds, what)


def ask(pair: Pair, whose: str, rounds: int, ours: EvWish | None, theirs: Wish | None) -> None:
    if whose == "vehicle":
        after(pair, rounds, lambda: setattr(pair.vehicle.wants, "wish", ours))
    else:
        after(pair, rounds, lambda: setattr(pair.charger.facts, "wish", theirs))


def goes_on_after_a_pause(pair: Pair, *, loops: int) -> None:
    """The vehicle pauses after ten rounds; it comes back to its session, and ends it after so many."""
    ask(pair, "vehicle", 10, EvWish.PAUSE, None)
    pair.session()
    ended_well(pair, Ending.PAUSED)
    pair.vehicle.wants.resume, pair.vehicle.wants.loops = pair.vehicle.session_id, loops
    pair.session()
    ended_well(pair)


def told(pair: Pair, kind: type[Told], end: str = "evse") -> list[Any]:
    return [thing for who, thing in pair.story if who == end and isinstance(thing, kind)]


def requests(pair: Pair) -> list[str]:
    """What the vehicle said, without repetitions; PowerDelivery and SessionStop with what they want."""
    said = []
    for _, end, message in pair.messages:
        if end == "ev":
            more = {cm.PowerDeliveryReq: "ChargeProgress", cm.SessionStopReq: "ChargingSession"}.get(type(message))
            said.append(type(message).__name__.removesuffix("Req") + (f" {getattr(message, more)}" if more else ""))
    return [name for name, _ in itertools.groupby(said)]


def ended_well(pair: Pair, ending: Ending = Ending.TERMINATED) -> None:
    """Both sides say the same, nothing was complained of, and nothing flows."""
    assert pair.ev_over is not None
    assert pair.evse_over is not None
    assert (pair.ev_over.ending, pair.evse_over.ending) == (ending, ending)
    assert pair.notes == []
    assert pair.closed == {"ev": True, "evse": True}
    assert pair.charger.facts.current_A == 0.0
    assert not pair.vehicle.drawing
    assert not pair.vehicle.wants.contactors_closed
