"""A vehicle that pays by itself, by contract or MAC address, and was stopped by somebody: it begins nothing more before it has left, whatever restarts.

It shows its token again and again, by itself; without this a power cut would charge, and bill, what its owner has stopped.
"""

from __future__ import annotations

from chargepoint.authorize_contract import BY_ITSELF
from chargepoint.authorize_rules import EMAID, MAC, Spot, same_token
from chargepoint.commands import Delete, Persist, Put
from chargepoint.events import IdToken
from chargepoint.facts import EvseFacts

TABLE = "stopped_tokens"
"""EVSE -> the token's text and type."""


def noted(spot: Spot, evse_id: int, reason: str) -> list[object]:
    """What is authorised here ends, for this reason."""
    if spot.grant is None or spot.grant.id_token.type not in (EMAID, MAC) or reason in BY_ITSELF:
        return []
    spot.stopped = spot.grant.id_token
    return [Persist((Put(TABLE, str(evse_id), {"idToken": spot.stopped.id_token, "type": spot.stopped.type}),))]


def has_left(spot: Spot, evse_id: int) -> list[object]:
    """Nobody is plugged in here."""
    if spot.stopped is None:
        return []
    spot.stopped = None
    return [Persist((Delete(TABLE, str(evse_id)),))]


def seen(spot: Spot, facts: EvseFacts) -> list[object]:
    """The first look at the pilot after a restart: a vehicle that left while there was no power is not here any more."""
    return [] if facts.plugged else has_left(spot, facts.evse_id)


def restored(spots: dict[int, Spot], stored: dict[str, dict[str, object]]) -> list[object]:
    """After a restart. A row that nobody can read, or of an EVSE that is gone, goes."""
    out: list[object] = []
    for key, row in stored.get(TABLE, {}).items():
        match row:
            case {"idToken": str(text), "type": str(kind)} if key.isdecimal() and int(key) in spots:
                spots[int(key)].stopped = IdToken(text, kind)
            case _:
                out.append(Persist((Delete(TABLE, key),)))
    return out


def counts_no_more(spot: Spot, id_token: IdToken) -> bool:
    """This token was stopped here, and its vehicle has not left."""
    return spot.stopped is not None and same_token(spot.stopped, id_token)
