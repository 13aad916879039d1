"""A charger and a vehicle of ISO 15118-2 that pay by contract, out of one test PKI."""

from __future__ import annotations

from typing import Any

from bench.v2g.pair import Pair
from bench.v2g.pki import Cps, World
from iso15118.evcc.terms import Contract
from iso15118.terms import Payment
from tests.behaviour.iso20_rig import charger
from tests.behaviour.v2gmsg_rig import make

EMAID = "DETSTC00000001"
EMAIDS = (EMAID, "DETSTC00000002")
SPEECHES = ("iso2-dc", "iso2-ac")


def pnc(
    speech: str = "iso2-dc",
    *,
    contracts: tuple[Contract, ...] | None = None,
    trust: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    loops: int = 5,
    **wants: Any,
) -> Pair:
    """The charger takes contracts, or cards; the vehicle has one, or those that are given."""
    world = World.of("p256")
    given = world.wants(payment=Payment.PNC, contracts=(world.contract(),) if contracts is None else contracts)
    pair = make(speech, loops=loops, **(given | wants))
    there: dict[str, Any] = {
        "payments": (Payment.PNC, Payment.EIM),
        "trust": world.trust(**(trust or {})),
        "certificate_installation": True,
    }
    pair.charger = charger(**(there | (facts or {})))
    pair.charger.provides = Cps(world, EMAIDS).answer
    return pair


def coded(pair: Pair, name: str) -> list[str]:
    """Response codes of these answers, in order and each once in a row."""
    said: list[Any] = [message for _, end, message in pair.messages if end == "evse" and type(message).__name__ == name]
    found = [each.ResponseCode for each in said]
    return [code for at, code in enumerate(found) if at == 0 or found[at - 1] != code]
