"""Reusable states of the certification procedures that several files need; each brings a station there and does with what was said on the way."""

from __future__ import annotations

from typing import Any

from bench.ev import Ev
from tests.octt.system import CARD, Payload, TestSystem

CLEANED = {"AuthCacheCtrlr.Enabled": "false"}


def station(
    start: str = "PowerPathClosed", stop: str = "EVConnected,Authorized", *, variables: dict[str, str] | None = None, **more: Any
) -> TestSystem:
    """Booted, with these points of start and stop, and no sampled values unless they are asked for."""
    points = {"TxCtrlr.TxStartPoint": start, "TxCtrlr.TxStopPoint": stop, "SampledDataCtrlr.TxUpdatedInterval": "0"}
    return TestSystem(variables=points | (variables or {}), **more).booted()


def token(value: str = CARD) -> Payload:
    """A card's IdTokenType."""
    return {"idToken": value, "type": "ISO14443"}


def remote_start(it: TestSystem, remote_start_id: int = 7, evse: int = 1, **more: Any) -> Payload:
    """RequestStartTransaction for the usual card."""
    return it.call("RequestStartTransaction", {"idToken": token(), "remoteStartId": remote_start_id, "evseId": evse, **more})


def driver(it: TestSystem, remote_start_id: int | None = None) -> None:
    """Authorized: at the station, or by the CSMS."""
    if remote_start_id is None:
        it.swipe()
    else:
        assert remote_start(it, remote_start_id)["status"] == "Accepted"
    it.expect("Authorize", idToken=token())


def charges(it: TestSystem, remote_start_id: int | None = None, **car: Any) -> tuple[Ev, str]:
    """EnergyTransferStarted: the vehicle, and the transaction's id."""
    ev = it.plug(**car)
    it.wait(3.0)
    it.forget()
    driver(it, remote_start_id)
    event = it.among("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    it.wait(2.0)
    it.forget()
    found: str = event["transactionInfo"]["transactionId"]
    return ev, found


def suspended(it: TestSystem, **car: Any) -> tuple[Ev, str]:
    """EnergyTransferSuspended, by the vehicle."""
    ev, transaction = charges(it, **car)
    ev.pause()
    it.among("TransactionEvent", transactionInfo={"chargingState": lambda state: state in ("SuspendedEV", "EVConnected")})
    it.wait(5.0)
    it.forget()
    return ev, transaction


def cached(it: TestSystem, *cards: str) -> None:
    """IdTokenCached: each was shown once where no vehicle came, and what it led to is over."""
    for card in cards:
        it.swipe(card)
        it.among("Authorize", idToken=token(card))
        it.wait(float(it.get("TxCtrlr.EVConnectionTimeOut")) + 1.0)
    it.forget()


def listed(it: TestSystem, cards: dict[str, str], *, group: str = "", version: int = 1) -> None:
    """IdTokenLocalAuthList: these cards with their status are the whole list."""
    info: Payload = {"groupIdToken": {"idToken": group, "type": "Central"}} if group else {}
    entries = [{"idToken": token(card), "idTokenInfo": {"status": status, **info}} for card, status in cards.items()]
    request = {"versionNumber": version, "updateType": "Full", "localAuthorizationList": entries}
    assert it.call("SendLocalList", request)["status"] == "Accepted"
