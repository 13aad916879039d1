"""Both sides of matching, put into JSON and taken out again at every event: the same future."""

from __future__ import annotations

import itertools
import json
from functools import partial
from typing import Any

import pytest

from bench.plc.line import Noise, Path
from bench.plc.site import Site
from iso15118.slac.ev import Ev
from iso15118.slac.evse import Evse
from iso15118.slac.signals import Begin, PilotSeen
from tests.behaviour.slac_rig import site


def exchanged(at: Site) -> None:
    """Each machine for one that comes out of a snapshot."""
    for host in at.hosts.values():
        old = host.machine
        made: Evse | Ev = Evse(old.options, old._draw) if isinstance(old, Evse) else Ev(old.options, old._draw)
        made.restore(json.loads(json.dumps(old.saved())))
        assert made.saved() == old.saved()
        assert made.deadline() == old.deadline()
        host.machine = made


def honest() -> Site:
    at = site(ready=False, evse={"amplitudes": bytes(6)}, ev={"amplitudes": bytes(9)})
    at.plug("ev0", "evse0")
    return at


def noisy() -> Site:
    at = site(ready=False, noise=Noise(0.2, 0.2, 0.01, 0.05), seed=3)
    at.plug("ev0", "evse0")
    return at


def validated() -> Site:
    at = site(evses=2, ready=False, evse={"validation": True}, paths={("ev0", "evse0"): Path(16.0), ("ev0", "evse1"): Path(13.0)})
    at.tell("evse1", PilotSeen("B"))
    at.tell("evse1", Begin())
    at.plug("ev0", "evse0")
    return at


def failing() -> Site:
    at = site(ready=False, elsewhere=Path(50.0))
    at.plug("ev0", "evse0")
    return at


def dying() -> Site:
    at = honest()
    at.after(3.0, partial(setattr, at.line.modems["evse0"], "dead", True))
    at.after(25.0, partial(setattr, at.line.modems["evse0"], "dead", False))
    return at


SCENES = {"honest": (honest, 5.0), "noisy": (noisy, 6.0), "validated": (validated, 9.0), "failing": (failing, 16.0), "dying": (dying, 45.0)}


def future(scene: str, exchange_at: int) -> tuple[list[Any], list[Any], int]:
    made, for_s = SCENES[scene]
    at, count = made(), itertools.count()

    def until() -> bool:
        if next(count) == exchange_at:
            exchanged(at)
        return False

    at.run(for_s, until)
    return at.seen, [host.said for host in at.hosts.values()], next(count)


@pytest.mark.parametrize("scene", SCENES)
def test_a_snapshot_at_any_event_has_the_same_future(scene: str) -> None:
    seen, said, turns = future(scene, -1)
    assert turns > 40
    assert any(said)
    for turn in range(turns):
        assert future(scene, turn)[:2] == (seen, said), f"restored at turn {turn}"
