"""A life with vehicles that talk replays as any other, from its start or from a snapshot at any moment of a session (ISO 15118)."""

from __future__ import annotations

import inspect
import json
import random
import re
from dataclasses import fields
from functools import partial
from typing import Any

import pytest

from bench.campaign.hostile import Deeds, HostileEv
from bench.heap import info_of
from chargepoint.commands import Command
from chargepoint.config import TariffConfig, TariffTime
from chargepoint.events import ChargingState, LimitSet, PoweredUp, StopRequested, SupplyStopped, VehicleConnected
from chargepoint.evse_flow import STANDS_S
from chargepoint.journal import Entry, Head, entry_line, head_line, read, replay
from chargepoint.station import Station
from chargepoint.tick import Tick
from chargepoint.v2g import V2gMachine
from chargepoint.v2g_replan import BETWEEN_S
from iso15118.protocols import PROTOCOLS
from iso15118.secc.din.dialect import Din
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.iso20.talk import SavedTalk, Talk
from iso15118.secc.session import Session
from iso15118.secc.v2gmsg import talk as v2gmsg
from iso15118.terms import Control, Energy
from tests.behaviour.hlc_rig import CARD, HlcSite
from tests.behaviour.test_hlc_flow import Sated
from tests.behaviour.test_hlc_own_limits import LEAST, AtLeast

FOLLOWED = 12
"""Inputs after each cut that are looked at."""
KIND = {"ac": Energy.AC, "dc": Energy.DC}


class Recorded(HlcSite):
    """Each input with what followed, and the snapshot before it."""

    def __init__(self, mode: str, **more: Any) -> None:
        self.entries: list[Entry] = []
        self.before: list[str] = []
        self._next = "null"
        super().__init__(mode, **more)

    def _watch(self, tick: Tick, event: object, commands: tuple[Command, ...]) -> None:
        super()._watch(tick, event, commands)
        self.entries.append(Entry(tick, event, commands))
        self.before.append(self._next)
        if self.heap.station is not None:
            self._next = json.dumps(self.heap.station.snapshot())

    def head(self, at: int) -> Head:
        """Of a segment that begins with this input."""
        entry = self.entries[at]
        return Head(
            "test", self.heap.config, info_of(self.heap.world), None if isinstance(entry.event, PoweredUp) else json.loads(self.before[at])
        )


def session(mode: str, control: Control, *, pausing: bool, speech: str = "") -> Recorded:
    """From the plug to the unplugging: polls before the card, the loop, an end in order or a pause and its resumption. DIN 70121 has no pause: it begins anew."""
    site = Recorded(mode, protocols=tuple(PROTOCOLS), tls="optional") if speech else Recorded(mode)
    vehicle = site.vehicle(KIND[mode], control, soc=60.0)
    vehicle.wants.protocols = (speech,) if speech else ()
    ev = site.plug(vehicle)
    site.run(6.0)
    site.card()
    site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0)
    site.run(1.0)
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test") if pausing else StopRequested(1, "Local"))
    site.until(lambda: ev.over is not None)
    site.run(1.0)
    if pausing:
        site.heap.tell(SupplyStopped(1, stopped=False, cause="test"))
        site.until(lambda: max(map(abs, site.sim.current_A)) > 1.0)
    site.unplug()
    site.run(1.0)
    return site


def in_pieces(mode: str) -> Recorded:
    """A vehicle that sends one octet at a time, until it polls for its authorisation."""
    site = Recorded(mode)
    segmented = partial(HostileEv, dice=random.Random(1), names=("segmented",), spoils=0.0)
    site.plug(site.vehicle(KIND[mode]), segmented)
    site.until(lambda: "AuthorizationRes" in site.said("evse"))
    return site


def replanned(mode: str) -> Recorded:
    """A limit drops, the vehicle is asked for other schedules and takes them; then another limit that it does not heed."""
    site = Recorded(mode, tariff=TariffConfig("EUR", 0.2, (TariffTime("00:01", 0.3),)))
    vehicle = site.vehicle(KIND[mode], Control.SCHEDULED)
    vehicle.wants.loop_s = 0.45
    ev = site.charge(vehicle)
    site.run(2.0)
    site.limit(watts=6_000.0)
    site.until(lambda: site.said().count("ScheduleExchangeReq") > 1)
    site.until(lambda: site.facts.vehicle is not None and site.facts.vehicle.plan[0].power_W <= 6_001.0)
    vehicle.wants.heeds = frozenset()
    site.limit(watts=5_000.0)
    site.run(BETWEEN_S + 2.0)
    assert ev.over is None
    return site


def follow(site: Recorded, kind: type = VehicleConnected, *, step: int = 1) -> None:
    """From each cut, since the first event of this kind: the same commands, and the same memory after them. `step`: one cut of so many."""
    begins = next(at for at, each in enumerate(site.entries) if isinstance(each.event, kind))
    for at in range(begins, len(site.entries), step):
        station = Station(site.heap.config, info_of(site.heap.world))
        station.restore(json.loads(site.before[at]))
        for ahead, entry in enumerate(site.entries[at : at + FOLLOWED], at):
            found = station.handle(entry.tick, entry.event)
            assert found == entry.commands, (at, ahead, type(entry.event).__name__)
        if at + FOLLOWED < len(site.before):
            assert json.dumps(station.snapshot()) == site.before[at + FOLLOWED], at


@pytest.mark.parametrize("pausing", [False, True], ids=["stopped", "paused"])
@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_from_any_moment_of_a_session_what_follows_is_the_same(mode: str, pausing: bool) -> None:
    site = session(mode, Control.SCHEDULED if pausing else Control.DYNAMIC, pausing=pausing)
    follow(site)
    assert sum('"stage": "talking"' in each for each in site.before) > 60
    assert any('"pending"' in each for each in site.before), "PowerDelivery waits for the contactor"


@pytest.mark.parametrize("pausing", [False, True], ids=["stopped", "paused"])
@pytest.mark.parametrize(("mode", "speech"), [("dc", "din"), ("dc", "iso2-dc"), ("ac", "iso2-ac")])
def test_the_same_of_vehicles_that_speak_older_protocols(mode: str, speech: str, pausing: bool) -> None:
    site = session(mode, Control.SCHEDULED, pausing=pausing, speech=speech)
    follow(site, step=2)
    assert sum('"stage": "talking"' in each for each in site.before) > 30
    assert any('"pending"' in each for each in site.before), "PowerDelivery waits for the contactor"
    assert all('"SavedIso20"' not in each for each in site.before)


def test_from_any_moment_of_a_message_what_follows_is_the_same() -> None:
    site = in_pieces("dc")
    follow(site)
    assert sum('"rest"' in each for each in site.before) > 100


@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_from_any_moment_of_a_renegotiation_what_follows_is_the_same(mode: str) -> None:
    site = replanned(mode)
    follow(site, LimitSet, step=5)
    for watts in ("6000.0", "5000.0"):
        asked = re.compile(rf'"asked": {{[^}}]*"power_W": {watts}')
        assert sum(asked.search(each) is not None for each in site.before) > 1, "the question stands"


@pytest.mark.parametrize(("kind", "told"), [(AtLeast, "SuspendedEVSE"), (Sated, "SuspendedEV")])
def test_from_any_moment_before_a_state_of_charging_has_stood_long_enough_what_follows_is_the_same(kind: Any, told: str) -> None:
    site = Recorded("ac")
    vehicle = site.vehicle(Energy.AC, Control.DYNAMIC, spec=LEAST)
    vehicle.wants.loop_s = 0.45
    ev: Any = site.charge(vehicle, kind=kind)
    site.run(15.0)
    ev.enough = True
    site.limit(amps=3.0 if kind is AtLeast else 16.0)
    site.run(STANDS_S[ChargingState(told)] + 5.0)
    assert site.facts.charging_state is ChargingState(told)
    follow(site, LimitSet, step=7)
    waits = f'"flow": "Charging", "flow_next": "{told}"'
    assert sum(waits in each for each in site.before) > FOLLOWED


@pytest.mark.parametrize("seed", range(4))
def test_a_life_with_vehicles_that_mean_no_good_replays(seed: int) -> None:
    """Whole from its journal, and in segments that begin anywhere."""
    dice = random.Random(seed)
    mode = "dc" if seed % 2 else "ac"
    site = Recorded(mode)
    deeds = Deeds(site.heap, dice, CARD, dc=mode == "dc")
    deeds.plug()
    site.card()
    site.run(8.0)
    for _ in range(10):
        deeds.one()
    cuts = sorted({0, *(dice.randrange(len(site.entries)) for _ in range(8))})
    for begin, end in zip(cuts, [*cuts[1:], len(site.entries)], strict=True):
        lines = [head_line(site.head(begin)), *map(entry_line, site.entries[begin:end])]
        assert [each.first_difference for each in replay(read(lines)) if not each.same] == []
    whole = [head_line(site.head(0)), *map(entry_line, site.entries)]
    assert [each.first_difference for each in replay(read(whole)) if not each.same] == []


def test_a_field_of_a_talk_is_a_field_of_what_is_saved_of_it() -> None:
    assert {each.name for each in fields(Talk)} - {"facts"} == {each.name for each in fields(SavedTalk)}
    assert {each.name for each in fields(v2gmsg.Talk)} - {"facts", "spelling"} == {each.name for each in fields(v2gmsg.SavedTalk)}


def test_what_a_session_and_its_dialect_remember_is_known_here() -> None:
    """Who adds something decides whether a snapshot needs it."""
    kept = {"stage", "_verified", "_deadline", "_told_over", "_reader", "_waiting", "_pending", "_asked", "_hush", "dialect"}
    assert vars(Session(())).keys() == kept | {"protocols"}
    talk = Talk(V2gMachineOf("ac").facts, (), bytes(8))
    given_again = {"_came_as", "_octets", "_stops", "_told_for"}
    """With the request that waits."""
    assert vars(Iso20(talk)).keys() == {"talk", "loop_s", "rules", "state", "_heard_at", "_away"} | given_again
    given_again = {"_header", "_octets", "_name", "_told_for"}
    assert vars(Din.begun(bytes(8), b"", V2gMachineOf("dc").facts)).keys() == {"talk", "state", "_loop_at", "_away"} | given_again


def V2gMachineOf(mode: str) -> V2gMachine:
    station = HlcSite(mode).heap.station
    assert station is not None
    machine = station.wiring.machines["v2g:1"]
    assert isinstance(machine, V2gMachine)
    return machine


def test_what_the_machine_of_the_link_remembers_stands_in_its_snapshot() -> None:
    machine = V2gMachineOf("dc")
    wiring = set(inspect.signature(V2gMachine.__init__).parameters) - {"self"} | {"facts", "teller", "handlers"}
    within_one_event = {"_replacing", "_lost"}
    assert vars(machine).keys() - wiring - within_one_event == {"memory", "sessions", "_secure"}
