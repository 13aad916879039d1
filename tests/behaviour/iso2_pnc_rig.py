"""A charger and a vehicle of ISO 15118-2 that pay by contract, out of one test PKI."""

from __future__ import annotations

from typing import Any

from bench.v2g.pair import Pair
from bench.v2g.pki import Cps, World
from chargepoint import codec
from iso15118.evcc.terms import Contract
from iso15118.secc.iso2.dialect import Iso2, SavedIso2
from iso15118.secc.session import Session
from iso15118.terms import Payment
from tests.behaviour.iso20_rig import charger
from tests.behaviour.v2gmsg_rig import make

WORLD = World.of("p256")
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
    given = WORLD.wants(payment=Payment.PNC, contracts=(WORLD.contract(),) if contracts is None else contracts)
    pair = make(speech, loops=loops, **(given | wants))
    there: dict[str, Any] = {
        "payments": (Payment.PNC, Payment.EIM),
        "trust": WORLD.trust(**(trust or {})),
        "certificate_installation": True,
    }
    pair.charger = charger(**(there | (facts or {})))
    pair.charger.provides = Cps(WORLD, EMAIDS).answer
    return pair


def coded(pair: Pair, name: str) -> list[str]:
    """Response codes of these answers, in order and each once in a row."""
    said: list[Any] = [message for _, end, message in pair.messages if end == "evse" and type(message).__name__ == name]
    found = [each.ResponseCode for each in said]
    return [code for at, code in enumerate(found) if at == 0 or found[at - 1] != code]


def said(pair: Pair, kind: type[Any], end: str = "ev") -> list[Any]:
    """Messages of this kind, of the vehicle or of the charger."""
    return [message for _, by, message in pair.messages if by == end and isinstance(message, kind)]


def restarted(pair: Pair) -> None:
    """Its session goes on from what was saved of it, as JSON."""
    session, dialect = pair.secc, pair.secc.dialect
    assert isinstance(dialect, Iso2)
    plain = codec.load(SavedIso2, codec.dump(SavedIso2, dialect.saved()))
    pair.any_dialect = Iso2.restored(plain, pair.charger.facts)
    pair.secc = Session.restored(session.protocols, session.saved(), pair.any_dialect)
