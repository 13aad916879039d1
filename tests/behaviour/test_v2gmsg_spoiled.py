"""Vehicles of DIN 70121 and ISO 15118-2 whose octets arrive wrong: whatever comes, the session ends or goes on, and no energy flows that may not (S-1, S-2, S-11)."""

from __future__ import annotations

import random

import pytest

from bench.v2g.guard import Guard
from iso15118.connection import Send
from iso15118.terms import Ending, SessionOver
from iso15118.v2gtp import HEADER
from tests.behaviour.iso20_rig import told
from tests.behaviour.v2gmsg_rig import SPEECHES, make

RIDES = 60


@pytest.mark.parametrize("speech", SPEECHES)
def test_whatever_comes(speech: str) -> None:
    """One octet in so many requests is another one, a request is cut, or comes twice. `Guard` looks at the energy at every step."""
    endings: set[Ending] = set()
    for seed in range(RIDES):
        dice = random.Random(seed)
        pair = make(speech, loops=15)
        pair.watches = [Guard()]
        spoils = dice.randrange(2, 40)
        sent = 0

        def spoil(end: str, command: Send, dice: random.Random = dice, spoils: int = spoils) -> bytes:
            nonlocal sent
            sent += end == "ev"
            if end != "ev" or sent < spoils:
                return command.octets
            octets = bytearray(command.octets)
            match dice.randrange(4):
                case 0:
                    octets[dice.randrange(HEADER, len(octets))] ^= 1 << dice.randrange(8)
                case 1:
                    octets[dice.randrange(len(octets))] = dice.randrange(256)
                case 2:
                    return bytes(octets) * 2
                case _:
                    return bytes(octets[: dice.randrange(1, len(octets))])
            return bytes(octets)

        pair.spoil = spoil
        pair.session(most_s=400.0)
        overs = told(pair, SessionOver)
        assert len(overs) == 1, seed
        endings.add(overs[0].ending)
        assert pair.charger.facts.current_A == 0.0
        assert pair.closed["evse"]
    assert Ending.ABORTED in endings
