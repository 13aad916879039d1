"""Vehicles of DIN 70121 and ISO 15118-2 whose octets arrive wrong: whatever comes, the session ends or goes on, and no energy flows that may not (S-1, S-2, S-11)."""

from __future__ import annotations

import random

import pytest

from bench.v2g.guard import Guard
from iso15118 import exi
from iso15118.connection import Send
from iso15118.exi.types import namespace_of
from iso15118.terms import Ending, SessionOver
from iso15118.v2gtp import HEADER, SAP_DIN_ISO2, Frame
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


@pytest.mark.req("S-2", "S-4")
@pytest.mark.parametrize("speech", SPEECHES)
@pytest.mark.parametrize("at", ["SessionSetupReq", "ChargeParameterDiscoveryReq", "PowerDeliveryReq"])
def test_a_body_without_its_message(speech: str, at: str) -> None:
    """Its schema has it as a document, too; it has no header, and so no session."""
    pair = make(speech, loops=15)
    pair.watches = [Guard()]

    def bare(end: str, command: Send) -> bytes:
        if type(command.message).__name__ != at:
            return command.octets
        namespace = namespace_of(type(command.message)).replace(":MsgBody", ":MsgDef")
        return Frame(SAP_DIN_ISO2, exi.encode(command.message, namespace)).octets()

    pair.spoil = bare
    pair.session(most_s=400.0)
    (over,) = told(pair, SessionOver)
    assert (over.ending, over.why) == (Ending.ABORTED, "NoneType is no request")
    assert pair.charger.facts.current_A == 0.0
