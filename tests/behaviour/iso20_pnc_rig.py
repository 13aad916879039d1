"""A charger and a vehicle that pay by contract, out of one test PKI."""

from __future__ import annotations

from typing import Any

from bench.v2g.guard import Careful, Guard
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from bench.v2g.pki import Cps, World
from certs.testpki_make import Kind
from iso15118.evcc.terms import Contract, Wants
from iso15118.terms import Control, Energy, Payment
from tests.behaviour.iso20_rig import charger

KINDS: tuple[Kind, ...] = ("p521", "ed448")
EMAID = "DETSTC00000001"
EMAIDS = ("DETSTC00000001", "DETSTC00000002", "DETSTC00000003")


def pnc(
    kind: Kind = "p521",
    energy: Energy = Energy.DC,
    control: Control = Control.DYNAMIC,
    *,
    contracts: tuple[Contract, ...] | None = None,
    trust: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    world: World | None = None,
    **wants: Any,
) -> Pair:
    """The charger takes the contracts of `kind`, or cards; the vehicle has one, or those that are given."""
    world = world or World.of(kind)
    given: dict[str, Any] = {"loops": 5, "meter": True, "contracts": (world.contract(),) if contracts is None else contracts}
    vehicle = Vehicle(wants=Wants(energies=(energy,), controls=(control,), payment=Payment.PNC, **world.wants(**(given | wants))))
    there: dict[str, Any] = {
        "payments": (Payment.PNC, Payment.EIM),
        "trust": world.trust(**(trust or {})),
        "certificate_installation": True,
    }
    pair = Pair(charger(**(there | (facts or {}))), vehicle)
    pair.charger.provides = Cps(world, EMAIDS).answer
    pair.watches += [Guard(), Careful()]
    return pair


def codes(pair: Pair, kind: type[Any]) -> list[str]:
    """Response codes of these answers, without those that are ongoing."""
    said = [message for _, end, message in pair.messages if end == "evse" and isinstance(message, kind)]
    return [each.ResponseCode for each in said if not getattr(each, "EVSEProcessing", "Finished").startswith("Ongoing")]
