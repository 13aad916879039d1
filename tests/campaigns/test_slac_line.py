"""Four vehicles and four stations on one noisy power line, each heard at each: the right pairs match or nobody does. Thousands under SOAK."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import product

import pytest

from bench.plc.line import Noise, Path
from bench.plc.site import Site
from iso15118.slac import mme
from iso15118.slac.mme import LOCAL
from iso15118.slac.signals import Begin, Chosen, KeyReady, LinkChanged, Matched, MatchFailed, PilotSeen, Toggle
from tests.behaviour.slac_rig import ev_mac, evse_mac, site

WHOLE = bool(os.environ.get("SOAK"))
COUNT = 4


def noise(dice: random.Random) -> Noise:
    return Noise(
        loss=dice.choice((0.0, 0.0, 0.05, 0.1, 0.2, 0.3)),
        duplicates=dice.choice((0.0, 0.1, 0.5, 1.0)),
        delay_s=dice.choice((0.0, 0.005, 0.03)),
        jitter_s=dice.choice((0.0, 0.01, 0.06)),
    )


def paths(dice: random.Random, own: tuple[float, float], others: tuple[float, float]) -> dict[tuple[str, str], Path | None]:
    """The own cable is nearer than all others; two vehicles hear each other somehow, as two stations do."""
    found: dict[tuple[str, str], Path | None] = {}
    for ev, evse in product(range(COUNT), range(COUNT)):
        dB = dice.uniform(*(own if ev == evse else others))
        found[f"ev{ev}", f"evse{evse}"] = None if ev != evse and dice.random() < 0.2 else Path(dB, dice.uniform(0.0, 6.0))
    return found


def arrive(at: Site, dice: random.Random) -> None:
    """Within a few seconds, in any order; what a vehicle does when its matching has failed is to begin again."""
    for number in dice.sample(range(COUNT), COUNT):
        at.after(dice.choice((0.0, dice.uniform(0.0, 3.0))), partial(at.plug, f"ev{number}", f"evse{number}"))


def matches(at: Site) -> dict[int, bytes]:
    """Vehicle by station, as the station has it."""
    return {n: told[-1].ev_mac for n in range(COUNT) if (told := at.told(f"evse{n}", Matched))}


def check(at: Site) -> int:
    """The right pairs, or nobody; how many of them have a link."""
    for number in range(COUNT):
        ev, evse = at.told(f"ev{number}", Chosen), at.told(f"evse{number}", Matched)
        assert {each.evse_mac for each in ev} <= {evse_mac(number)}
        assert {each.ev_mac for each in evse} <= {ev_mac(number)}
    keys = [at.line.modems[f"evse{number}"].nmk for number in range(COUNT)]
    assert len(set(keys)) == COUNT, "no two stations have one key"
    linked = [number for number in range(COUNT) if [each.up for each in at.told(f"ev{number}", LinkChanged)][-1:] == [True]]
    for number in linked:
        assert at.line.linked(at.now, f"ev{number}", f"evse{number}")
        assert not any(at.line.linked(at.now, f"ev{number}", f"evse{other}") for other in range(COUNT) if other != number)
    return len(linked)


def between(at: Site) -> None:
    """No station has given its modem a key between CM_SLAC_MATCH.REQ and its answer, and none has answered while no key was ready."""
    for number in range(COUNT):
        host = at.hosts[f"evse{number}"]
        ready = next(when for when, said in host.said if said == KeyReady(ready=True))
        sent = at.sent(f"evse{number}")
        assert all(when >= ready for when, frame in sent if frame.destination != LOCAL)
        given = [when for when, frame in sent if isinstance(frame.mme, mme.SlacMatchCnf)]
        asked = [each.at for each in at.seen if each.port == f"evse{number}" and not each.sent and each.octets[15:17] == b"\x7c\x60"]
        for when in given:
            assert any(abs(when - other) < 1e-9 for other in asked), "the answer is immediate"


@pytest.mark.soak
@pytest.mark.req("S-13")
@pytest.mark.parametrize("part", range(20 if WHOLE else 2))
def test_the_right_pairs_match_or_nobody_does(part: int) -> None:
    dice, count = random.Random(part), Counter[int]()
    for _ in range(150 if WHOLE else 12):
        at = site(
            evses=COUNT,
            evs=COUNT,
            seed=dice.randrange(1 << 30),
            noise=noise(dice),
            paths=paths(dice, (1.0, 9.0), (20.5, 60.0)),
            elsewhere=Path(30.0),
        )
        arrive(at, dice)
        at.run(30.0)
        linked = check(at)
        between(at)
        count[linked] += 1
        if not at.line.noise.loss:
            assert linked == COUNT, at.line.noise
    assert count[COUNT] > sum(count.values()) / 2, count


def one_after_the_other(at: Site) -> None:
    """Vehicles are plugged in, and pulled where they find no link. Whoever is on the line answers, be it with nobody on its cable."""
    for number in range(COUNT):
        at.tell(f"evse{number}", PilotSeen("B"))
        at.tell(f"evse{number}", Begin())
    for number in range(COUNT):
        at.plug(f"ev{number}", f"evse{number}")
        if not at.run(25.0, until=partial(has_link, at, f"ev{number}")):
            at.unplug(f"ev{number}")


def has_link(at: Site, port: str) -> bool:
    return bool(at.told(port, LinkChanged))


@pytest.mark.soak
@pytest.mark.req("S-13")
@pytest.mark.parametrize("part", range(20 if WHOLE else 2))
def test_so_they_do_when_others_may_be_the_right_one(part: int) -> None:
    """Between 10 and 20 dB the vehicle toggles, and takes nobody who does not count. One after the other: what two toggle at once the standard cannot
    tell apart.
    """
    dice, linked = random.Random(1000 + part), 0
    for _ in range(100 if WHOLE else 8):
        at = site(
            evses=COUNT, evs=COUNT, seed=dice.randrange(1 << 30), noise=noise(dice), paths=paths(dice, (1.0, 18.0), (11.0, 25.0)), elsewhere=Path(30.0),
            evse={"validation": dice.random() < 0.7}, ev={"unvalidated": False},
        )  # fmt: skip
        one_after_the_other(at)
        linked += check(at)
    assert linked > 0


def alike(dice: random.Random) -> dict[tuple[str, str], Path | None]:
    """All cables are near each other: a vehicle hears others as well as its own station, or somewhat better."""
    own = [dice.uniform(1.0, 18.0) for _ in range(COUNT)]
    others = {(ev, evse): own[ev] if ev == evse else dice.uniform(own[ev] - 2.0, 25.0) for ev, evse in product(range(COUNT), range(COUNT))}
    return {(f"ev{ev}", f"evse{evse}"): Path(max(dB, 0.0)) for (ev, evse), dB in others.items()}


@pytest.mark.soak
@pytest.mark.req("S-13")
@pytest.mark.parametrize("part", range(20 if WHOLE else 2))
def test_so_they_do_when_others_are_as_near_as_the_own_one(part: int) -> None:
    """Below 10 dB as above: stations that validate, one vehicle after the other, on a line that loses nothing."""
    dice, linked, toggled, count = random.Random(3000 + part), 0, 0, 100 if WHOLE else 8
    for _ in range(count):
        at = site(
            evses=COUNT, evs=COUNT, seed=dice.randrange(1 << 30), noise=replace(noise(dice), loss=0.0), paths=alike(dice), elsewhere=Path(30.0),
            evse={"validation": True}, ev={"unvalidated": dice.random() < 0.5},
        )  # fmt: skip
        one_after_the_other(at)
        linked += check(at)
        toggled += sum(bool(at.told(f"ev{number}", Toggle)) for number in range(COUNT))
    assert linked > count * COUNT / 2
    assert toggled > count


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10 if WHOLE else 1))
def test_vehicles_come_and_go_for_a_day(part: int) -> None:
    """Plugged and unplugged at any moment: whoever stays long enough has a link of its own."""
    dice = random.Random(2000 + part)
    at = site(evses=COUNT, evs=COUNT, seed=part, noise=Noise(0.05, 0.2, 0.002, 0.01), paths=paths(dice, (1.0, 9.0), (20.5, 60.0)))
    for _ in range(200 if WHOLE else 25):
        number = dice.randrange(COUNT)
        host = at.hosts[f"ev{number}"]
        if host.partner:
            at.unplug(f"ev{number}")
        else:
            at.plug(f"ev{number}", f"evse{number}")
        at.run(dice.choice((0.01, 0.1, 0.3, 0.5, 1.0, 3.0, 10.0)))
        check(at)
    for number in range(COUNT):
        if not at.hosts[f"ev{number}"].partner:
            at.plug(f"ev{number}", f"evse{number}")
        elif at.told(f"ev{number}", MatchFailed):
            at.tell(f"ev{number}", Begin())
    at.run(40.0)
    assert check(at) == COUNT
