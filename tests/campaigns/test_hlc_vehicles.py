"""Ten thousand hostile vehicles at the station (S-24): what they say is wrong or spoilt, their pilots lie, cards, stops, limits and faults come at any moment.

The station never raises, no session meets a bug, every session ends, the closing invariant holds at the board all the time, and the honest vehicle that comes
next charges. Its session begins within a second of its connection; before that come its own time to find the link, and what the pilot has to rest
after the one before: up to 3 s of X1 (T_step_X1), or 4 s of F and then X1.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from bench.campaign.hostile import Deeds, HostileEv
from bench.ev.talking import DIAL_S, LINK_S
from chargepoint.commands import Log
from chargepoint.events import ChargingState, VehicleConnected
from chargepoint.v2g import V2gMachine
from iso15118.protocols import PROTOCOLS
from iso15118.terms import Energy
from tests.behaviour.hlc_rig import CARD, HlcSite

WHOLE = bool(os.environ.get("SOAK"))
PARTS, LIVES, VEHICLES = (100, 10, 10) if WHOLE else (2, 4, 10)
"""Of all vehicles; stations of a part; vehicles of a station."""
RESTS_S = 5.5
"""The pilot: F and X1 after it, and some debouncing."""
ENDS_S = 62.0
"""V2G_SECC_Sequence_Timeout, and a little."""
BEGINS_S, CHARGES_S = 1.0, 30.0
BUGS = ("v2g.failed", "block.failed")


class Charger(HlcSite):
    """One station, and vehicle after vehicle at it."""

    def __init__(self, mode: str, dice: random.Random, protocols: tuple[str, ...] = ()) -> None:
        v2g: dict[str, Any] = {"protocols": tuple(PROTOCOLS), "tls": "optional"} if protocols else {}
        super().__init__(mode, both_ways=dice.random() < 0.5, internet=("http:80", "https:443") if dice.random() < 0.5 else (), **v2g)
        self.dice, self.protocols = dice, protocols
        self.deeds = Deeds(self.heap, dice, CARD, dc=mode == "dc", protocols=protocols)
        self.mode = mode
        self.hostile_s = 0.0
        """So long hostile vehicles had the contactor closed."""

    @property
    def link(self) -> V2gMachine:
        assert self.heap.station is not None
        machine = self.heap.station.wiring.machines["v2g:1"]
        assert isinstance(machine, V2gMachine)
        return machine

    def hostile(self) -> None:
        """One of them, and what happens meanwhile."""
        self.forget()
        self.deeds.plug()
        closed_s = self.guard.closed_s
        if self.facts.id_token is None and self.dice.random() < 0.7:
            self.card()
            self.heap.run(self.dice.choice((0.0, 5.0, 10.0)))
        for _ in range(self.dice.randrange(2, 25)):
            self.deeds.one()
        ev = self.deeds.ev
        if isinstance(ev, HostileEv) and self.dice.random() < 0.3:
            ev.give_up()
            self.heap.run(ENDS_S)
            assert self.link.sessions == {}, self.deeds.done
        self.deeds.mend()
        self.sim.unplug_vehicle()
        self.heap.run(0.0)
        self.until(lambda: not self.facts.plugged, RESTS_S)  # F hides that somebody leaves
        assert self.link.sessions == {}, self.deeds.done
        self.hostile_s += self.guard.closed_s - closed_s
        self.bugs()

    def honest(self) -> None:
        """Somebody who does nothing wrong."""
        self.forget()
        vehicle = self.vehicle(Energy.DC if self.mode == "dc" else Energy.AC, soc=30.0)
        vehicle.wants.protocols = self.protocols
        self.plug(vehicle)
        if self.facts.id_token is None:
            self.card()
        self.until(lambda: self.happened(VehicleConnected), RESTS_S + LINK_S + DIAL_S)
        self.until(self.begun, BEGINS_S)
        self.until(lambda: self.facts.charging_state is ChargingState.CHARGING and max(map(abs, self.sim.current_A)) > 1.0, CHARGES_S)
        self.unplug()
        self.heap.run(self.dice.choice((0.2, 1.0, 10.0)))
        assert self.sim.contactor.poles == 0
        assert self.link.sessions == {}
        self.bugs()

    def happened(self, kind: type) -> bool:
        return any(isinstance(each, kind) for _, each in self.events)

    def begun(self) -> bool:
        return self.link.evse.vehicle is not None

    def forget(self) -> None:
        super().forget()
        self.deeds.done.clear()

    def bugs(self) -> None:
        found = [log for _, log in self.at(Log) if log.key in BUGS]
        assert not found, (found, self.deeds.done)


def lived(part: int, station: Callable[[bool], Charger]) -> None:
    """Lives of stations, DC and AC in turn, each with its vehicles: a hostile one, then an honest one."""
    closed_s = 0.0
    for life in range(LIVES):
        site = station((part + life) % 2 == 1)
        for number in range(VEHICLES):
            try:
                site.hostile()
                site.honest()
            except AssertionError as error:
                raise AssertionError(f"part {part}, station {life}, vehicle {number}: {error}") from error
        closed_s += site.hostile_s
    assert closed_s > 100.0, "vehicles that never come to energy prove nothing"


@pytest.mark.soak
@pytest.mark.req("S-1", "S-2", "S-4", "S-11", "S-24", "S-30")
@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_vehicles_at_the_station(part: int) -> None:
    dice = random.Random(part)
    lived(part, lambda dc: Charger("dc" if dc else "ac", dice))


@pytest.mark.soak
@pytest.mark.req("S-1", "S-2", "S-4", "S-11", "S-24", "S-30")
@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_vehicles_of_older_protocols(part: int) -> None:
    """DIN 70121 and ISO 15118-2, which nobody has to verify."""
    dice = random.Random(1000 + part)

    def station(dc: bool) -> Charger:
        site = Charger("dc" if dc else "ac", dice, ("din", "iso2-dc") if dc else ("iso2-ac",))
        site.heap.verified = False
        return site

    lived(part, station)
