"""A transaction that a restart has interrupted, and that goes on, belongs to whom it belonged to (OCPP 2.1 E17)."""

from __future__ import annotations

from collections.abc import Collection

from chargepoint.authorize_rules import AuthorizeState, Grant, same_token
from chargepoint.events import IdToken, TransactionKept
from chargepoint.facts import EvseFacts
from chargepoint.tick import Tick


def kept(
    state: AuthorizeState,
    facts: EvseFacts,
    owners_tokens: Collection[IdToken],
    tethered: Collection[int],
    now: Tick,
    event: TransactionKept,
) -> list[object]:
    """A restart takes nobody's transaction away: its owner's card stops it, and nobody else's starts another one."""
    owner = event.owner
    facts.owner = owner
    if owner is not None and event.authorised:
        facts.id_token = owner
        owners = any(same_token(each, owner) for each in owners_tokens)
        spot, plugged = state.spots[event.evse_id], event.plugged
        spot.grant = Grant(owner, event.group, was_plugged=plugged is not None, owners=owners, leaf=event.leaf)
        spot.started_Wh = event.begun_Wh
        if plugged is None or (not plugged and event.evse_id in tethered):
            spot.grant.plug_by = now.mono + state.rules.connection_timeout_s
        spot.invalid = "bounded" if event.refused and not owners else ""
    return []


def seen(state: AuthorizeState, evse_id: int, now: Tick) -> None:
    """The first look at the pilot after a restart: whose vehicle was awaited has the whole time anew, as the rules have it, which nobody knew before."""
    grant = state.spots[evse_id].grant
    if grant is not None and grant.plug_by is not None:
        grant.plug_by = now.mono + state.rules.connection_timeout_s
