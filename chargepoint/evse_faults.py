"""Faults of one EVSE: raised, standing, cleared, kept over a restart. The table of what they mean is `faults`."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from chargepoint.commands import Delete, Log, Persist, Put, ResetResidualCurrent
from chargepoint.events import FaultCleared, FaultRaised
from chargepoint.evse_state import Evse, Standing
from chargepoint.faults import RESIDUAL_CURRENT, Fault, Reaction, Until, known
from chargepoint.tick import Tick

NONE: AbstractSet[Reaction] = frozenset()
TABLE = "faults"
"""Of the store: key "<EVSE id>/<code>", value {"text", "utc"} of what stands, and the count of residual-current trips."""

TRIPS = "residual_trips"


def raise_fault(evse: Evse, now: Tick, code: str, text: str = "") -> list[object]:
    """The fault stands from now on; nothing happens when it does already, but that its cause is there (again)."""
    row = known(code)
    standing = evse.state.faults.get(row.code)
    if standing is not None:
        standing.present = True
        return []
    text = text or row.text
    evse.state.faults[row.code] = Standing(text, evse.clock.utc(now))
    evse.facts.faults[row.code] = text
    out: list[object] = [FaultRaised(evse.id, row.code, text, row.reaction is not Reaction.GO_ON), _log(evse, "fault.raised", row.code)]
    if row.until is Until.ACKNOWLEDGED:
        out.append(Persist((Put(TABLE, f"{evse.id}/{row.code}", {"text": text, "utc": evse.clock.utc(now)}),)))
    return out


def cause_over(evse: Evse, code: str) -> list[object]:
    """Its cause is gone; what waits for more (unplugging, a person) goes on standing."""
    row = known(code)
    standing = evse.state.faults.get(row.code)
    if standing is None:
        return []
    standing.present = False
    return _clear(evse, row) if row.until is Until.OVER else []


def unplugged(evse: Evse) -> list[object]:
    """The EV is gone: what waited for that, and whose cause is over or was this EV, ends."""
    codes = [code for code, standing in evse.state.faults.items() if known(code).until is Until.UNPLUGGED and not _reported(evse, code)]
    return [item for code in codes for item in _clear(evse, known(code))]


def acknowledged(evse: Evse, code: str) -> list[object]:
    """A person has looked; "" is all. What its cause still holds up is raised again by whoever watches it."""
    out: list[object] = []
    for name in list(evse.state.faults):
        row = known(name)
        if (code and known(code).code != name) or row.until is Until.OVER or _reported(evse, name):
            continue
        if name == RESIDUAL_CURRENT:
            evse.state.residual_reclose_at = None
            out.append(ResetResidualCurrent(evse.id))
        out += _clear(evse, row)
    return out


def reported(evse: Evse, now: Tick, code: str, text: str, present: bool) -> list[object]:
    """The board says in its own word that something is wrong, or no longer."""
    row = known(code)
    if present:
        evse.state.reported[code] = row.code
        return raise_fault(evse, now, row.code, text or (code if row.code == "OtherError" else ""))
    evse.state.reported.pop(code, None)
    return [] if _reported(evse, row.code) else cause_over(evse, row.code)


def restored(evse: Evse, stored: dict[str, Any], now: Tick) -> list[object]:
    """What stood when the power went, from the store."""
    out: list[object] = []
    for key, value in stored.items():
        owner, _, code = key.partition("/")
        if owner != str(evse.id):
            continue
        if code == TRIPS:
            evse.state.residual_trips = value if isinstance(value, int) else 0
            continue
        row, said = known(code), value if isinstance(value, dict) else {}
        since = said.get("utc", 0.0)
        evse.state.faults[row.code] = Standing(
            str(said.get("text", row.text)), float(since) if isinstance(since, (int, float)) else 0.0, present=False
        )
        evse.facts.faults[row.code] = evse.state.faults[row.code].text
        out.append(FaultRaised(evse.id, row.code, evse.facts.faults[row.code], row.reaction is not Reaction.GO_ON))
        out.append(_log(evse, "fault.kept", row.code))
    return out


def reactions(evse: Evse) -> AbstractSet[Reaction]:
    """What the standing faults ask for."""
    return {known(code).reaction for code in evse.state.faults} if evse.state.faults else NONE


def wants_state_f(evse: Evse) -> bool:
    """A fault stands that makes the EVSE unavailable to any EV."""
    return bool(evse.state.faults) and any(known(code).state_f for code in evse.state.faults)


def count_trip(evse: Evse) -> list[object]:
    """One more trip of the residual-current device, for good."""
    evse.state.residual_trips += 1
    return [Persist((Put(TABLE, f"{evse.id}/{TRIPS}", evse.state.residual_trips),))]


def _reported(evse: Evse, code: str) -> bool:
    return code in evse.state.reported.values()


def _clear(evse: Evse, row: Fault) -> list[object]:
    del evse.state.faults[row.code]
    evse.facts.faults.pop(row.code, None)
    out: list[object] = [FaultCleared(evse.id, row.code), Log("info", "fault.cleared", {"evse": evse.id, "code": row.code})]
    if row.until is Until.ACKNOWLEDGED:
        out.append(Persist((Delete(TABLE, f"{evse.id}/{row.code}"),)))
    return out


def acknowledged_by_itself(evse: Evse, code: str) -> list[object]:
    """What a person would have to acknowledge has been put right by the station as configured."""
    return _clear(evse, known(code)) if code in evse.state.faults and not _reported(evse, code) else []


def _log(evse: Evse, key: str, code: str) -> Log:
    """A fault that stands, for the operator."""
    return Log(
        "warning" if known(code).reaction is Reaction.GO_ON else "error",
        key,
        {"evse": evse.id, "code": code, "text": evse.facts.faults[code]},
    )
