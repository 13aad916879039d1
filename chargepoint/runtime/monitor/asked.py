"""What the monitor tells of a station, as JSON objects; secrets are left out, tokens are cut short.

Shapes: `status` -> {"station", "link", "profiles", "evses", "outbox", "refused"}, `variables` -> a list of {"name", "attribute", "value", "type",
"mutability", ...}. Times are seconds ago (`_s`) or ISO 8601.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

from chargepoint.commands import Command, Indicate
from chargepoint.config import StationConfig
from chargepoint.events import IdToken
from chargepoint.facts import EvseFacts
from chargepoint.ocpp.network_slots import dialable, why_not
from chargepoint.ocpp.outbox import SET_ASIDE
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.secret_names import is_key_code
from chargepoint.station import Station
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

MOST_REMEMBERED = 16
REFUSALS = (
    "auth.other_card",
    "auth.unknown",
    "auth.blocked",
    "auth.offline",
    "contract.refused",
    "vehicle.refused",
    "vehicle.does_not_talk",
    "vehicle.session_failed",
)
"""Of what drivers read: these say why nothing begins."""
SHOWN_OF_TOKEN = 4


@dataclass(slots=True)
class Memory:
    """What the station said to drivers last; a watcher of the shell."""

    last: dict[int, tuple[float, str]] = field(default_factory=dict)
    """EVSE -> when (Tick.mono), and which of the texts for drivers."""
    refused: deque[tuple[float, int, str, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))

    def watch(self, now: Tick, event: object, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, Indicate):
                self.last[command.evse_id] = now.mono, command.key
                if command.key in REFUSALS:
                    self.refused.append((now.mono, command.evse_id, command.key, command.values))


def cut(token: IdToken | None) -> str:
    """Enough of a token to know it by; nothing of a PIN.

    >>> cut(IdToken("04A1B2C3D4E5F6", "ISO14443")), cut(IdToken("1234", "KeyCode"))
    ('ISO14443 04A1…', 'KeyCode …')
    """
    if token is None:
        return ""
    if is_key_code(token.type):
        return f"{token.type} …"
    shown = token.id_token if len(token.id_token) <= SHOWN_OF_TOKEN else f"{token.id_token[:SHOWN_OF_TOKEN]}…"
    return f"{token.type} {shown}".strip()


def status(station: Station, now: Tick, memory: Memory, version: str = "") -> dict[str, Any]:
    """All of it."""
    context = station.wiring.context
    return {
        "station": _station(station.config, station, now, version),
        "link": _link(station, now),
        "profiles": list(_profiles(station)),
        "evses": [_evse(facts, now, memory) for facts in context.evses.values()],
        "outbox": _outbox(station),
        "refused": [
            {"ago_s": round(now.mono - at, 1), "evse": evse_id, "why": key, **({"values": values} if values else {})}
            for at, evse_id, key, values in reversed(memory.refused)
        ],
    }


def _station(config: StationConfig, station: Station, now: Tick, version: str) -> dict[str, Any]:
    clock = station.wiring.context.clock
    return {
        "serial": config.serial,
        "version": version,
        "time": format_timestamp(clock.utc(now)),
        "clock_set": clock.known_utc(now) is not None,
        "board": config.board,
    }


def _link(station: Station, now: Tick) -> dict[str, Any]:
    link = station.wiring.context.link
    offline_s = None if link.offline_since is None else round(now.mono - link.offline_since, 1)
    return {
        "connected": link.connected,
        "registration": link.registration,
        "slot": link.slot,
        "security_profile": link.security_profile,
        "subprotocol": link.subprotocol,
        "identity": link.identity,
        "offline_s": offline_s,
    }


def _profiles(station: Station) -> Iterator[dict[str, Any]]:
    context = station.wiring.context
    state = station.wiring.machines["network"].state
    usable = dialable(state, context)
    for slot, profile in sorted(state.profiles.items()):
        why = "" if slot in usable else why_not(profile, state, context)
        yield {"slot": slot, "url": profile.url, "security_profile": profile.security_profile, "not_dialled": why}


def _evse(facts: EvseFacts, now: Tick, memory: Memory) -> dict[str, Any]:
    meter, vehicle, said = facts.meter, facts.vehicle, memory.last.get(facts.evse_id)
    return {
        "id": facts.evse_id,
        "operative": facts.operative,
        "plugged": facts.plugged,
        "charging_state": facts.charging_state.value,
        "power_closed": facts.power_closed,
        "limit_A": round(facts.limit_A, 1),
        "limit_reason": facts.limit_reason,
        "faults": dict(facts.faults),
        "transaction": facts.transaction_id,
        "token": cut(facts.id_token),
        "meter": None if meter is None else {"Wh": meter.energy_import_Wh, "A": list(meter.current_A), "V": list(meter.voltage_V)},
        "vehicle": None
        if vehicle is None
        else {"protocol": vehicle.protocol, "evcc_id": vehicle.evcc_id, "soc_percent": vehicle.battery.soc},
        "said": None if said is None else {"ago_s": round(now.mono - said[0], 1), "key": said[1]},
    }


def _outbox(station: Station) -> dict[str, Any]:
    state = station.wiring.machines["outbox"].state
    return {
        "waiting": len(state.rows),
        "octets": state.octets,
        "transactions": dict(state.waiting),
        "unsaved": len(state.storing),
        SET_ASIDE: state.aside,
    }


def variables(station: Station, now: Tick, wanted: str = "") -> list[dict[str, Any]]:
    """Those whose name has `wanted` in it, without regard to case."""
    model = station.wiring.context.model
    found = []
    for place in model.visible():
        row = model.rows[place]
        if wanted.casefold() not in place.key.casefold():
            continue
        hidden = row.secret or row.mutability.value == "WriteOnly"
        found.append(
            {
                "name": place.key,
                "value": None if hidden else model.shown(now, place),
                "type": row.type,
                "mutability": row.mutability.value,
                "unit": row.unit,
                "after_reboot": place in model.pending,
            }
        )
    return found
