"""A token that the CSMS refuses in the middle of its transaction: what it still gets, and how that ends (OCPP 2.1 E05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chargepoint.authorize_rules import ACCEPTED, AuthorizeState, said, same_token
from chargepoint.commands import Indicate
from chargepoint.events import SupplyStopped, TransactionTokenJudged
from chargepoint.facts import EvseFacts
from hal.types import MeterSample, MeterSilence

INVALID = "invalid_token"
"""Cause of the SupplyStopped of such a token."""


class Authorizing(Protocol):
    """What is needed of the authorize machine."""

    state: AuthorizeState
    evses: Mapping[int, EvseFacts]

    def end(self, evse_id: int, reason: str) -> list[object]: ...


def judged(it: Authorizing, event: TransactionTokenJudged) -> list[object]:
    """The CSMS has said of the token of a transaction what it thinks of it."""
    if not event.evse_id:
        return []
    spot = it.state.spots[event.evse_id]
    grant, current = spot.grant, event.transaction_id == it.evses[event.evse_id].transaction_id
    if grant is None or grant.owners or not current or not same_token(grant.id_token, event.id_token):
        return []
    if event.info.get("status") != ACCEPTED:
        spot.invalid = spot.invalid or "bounded"
        return [Indicate(event.evse_id, said(str(event.info.get("status")))), *_bounded(it, event.evse_id)]
    grant.group = str((event.info.get("groupIdToken") or {}).get("idToken", "")) or grant.group
    was, spot.invalid = spot.invalid, ""
    return [SupplyStopped(event.evse_id, False, INVALID)] if was == "stopped" else []


def measured(it: Authorizing, event: MeterSample) -> list[object]:
    """The bound may be reached."""
    return _bounded(it, event.evse_id) if it.state.spots[event.evse_id].invalid == "bounded" else []


def unmeasured(it: Authorizing, event: MeterSilence) -> list[object]:
    """What cannot be measured is not given to an invalid token."""
    return _stop(it, event.evse_id) if it.state.spots[event.evse_id].invalid == "bounded" else []


def _bounded(it: Authorizing, evse_id: int) -> list[object]:
    """StopTxOnInvalidId and MaxEnergyOnInvalidId (E05.FR.02, .03, .08 to .10)."""
    spot, meter, most_Wh = it.state.spots[evse_id], it.evses[evse_id].meter, it.state.rules.max_energy_on_invalid_Wh
    if spot.invalid == "stopped":
        return []
    if most_Wh > 0 and meter and spot.started_Wh is not None and meter.energy_import_Wh - spot.started_Wh < most_Wh:
        return []
    return _stop(it, evse_id)


def _stop(it: Authorizing, evse_id: int) -> list[object]:
    if it.state.rules.stop_on_invalid:
        return it.end(evse_id, "DeAuthorized")
    it.state.spots[evse_id].invalid = "stopped"
    return [SupplyStopped(evse_id, True, INVALID)]


def still(it: Authorizing, evse_id: int) -> list[object]:
    """For an EV that has come back: its owner is refused as before."""
    return [SupplyStopped(evse_id, True, INVALID)] if it.state.spots[evse_id].invalid == "stopped" else []
