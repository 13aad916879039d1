"""A pair of our charger's side and our vehicle's side of DIN 70121 or ISO 15118-2."""

from __future__ import annotations

import itertools
from typing import Any

from bench.v2g.guard import Careful, Guard
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from iso15118.evcc.terms import Wants
from iso15118.protocols import BY_NAMESPACE
from iso15118.terms import Control, Energy
from tests.behaviour.iso20_rig import charger

SPEECHES = ("din", "iso2-dc", "iso2-ac")


def make(speech: str, *, loops: int = 30, **wants: Any) -> Pair:
    """`speech` as the configuration names it; the charger speaks everything."""
    energy = Energy.AC if speech.endswith("ac") else Energy.DC
    usual: dict[str, Any] = {"energies": (energy,), "controls": (Control.SCHEDULED,), "protocols": (speech,), "loops": loops}
    pair = Pair(charger(), Vehicle(wants=Wants(**(usual | wants))), namespaces=tuple(BY_NAMESPACE))
    pair.watches += [Guard(), Careful()]
    return pair


def requests(pair: Pair) -> list[str]:
    """What the vehicle said, without repetitions; PowerDelivery and SessionStop with what they want."""
    said = []
    for _, end, message in pair.messages:
        if end == "ev":
            more = getattr(message, "ChargeProgress", None) or getattr(message, "ChargingSession", None)
            ready = getattr(message, "ReadyToChargeState", None)
            word = more or ("" if ready is None else "Start" if ready else "Stop")
            said.append(type(message).__name__.removesuffix("Req") + (f" {word}" if word else ""))
    return [name for name, _ in itertools.groupby(said)]


def codes(pair: Pair) -> list[str]:
    """Response codes of the charger that are no plain OK."""
    every = [(type(message).__name__, getattr(message, "ResponseCode", "")) for _, end, message in pair.messages if end == "evse"]
    return [f"{name} {code}" for name, code in every if code not in ("OK", "OK_SuccessfulNegotiation", "OK_NewSessionEstablished")]
