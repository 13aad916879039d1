"""Whole lives of a station on the heap, for tests that record and replay them."""

from __future__ import annotations

import random
from typing import Any

from bench.ev import CATALOGUE, ev
from bench.heap import Heap
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.events import FaultAcknowledged, LinkSwitched, StopRequested
from hal.sim.evse import PlugHeld, SimEvseOptions
from hal.sim.world import SimWorld
from hal.types import EvseInfo, TokenPresented

CARD, STRANGER = "04A1B2C3D4E5F6", "04FFFFFFFFFFFF"


def csms(message_id: str, action: str, payload: Any) -> Any:
    """Accepts the station and one card."""
    match action:
        case "BootNotification":
            return {"currentTime": "2026-01-01T00:00:00.000Z", "interval": 300, "status": "Accepted"}
        case "Heartbeat":
            return {"currentTime": "2026-01-01T00:00:00.000Z"}
        case "Authorize":
            return {"idTokenInfo": {"status": "Accepted" if payload["idToken"]["idToken"] == CARD else "Invalid"}}
        case _:
            return {}


def configured(evses: int = 2, **more: Any) -> StationConfig:
    """Two EVSEs: a cable and a socket; boots and closes at once."""
    kinds = ("cType2", "sType2")
    made = tuple(EvseConfig(id=n + 1, connector=kinds[n % 2], max_current_A=32.0) for n in range(evses))  # type: ignore[arg-type] # of kinds
    settings: dict[str, Any] = {
        "csms": CsmsConfig(url="ws://csms.example/ocpp", security_profile=1, basic_auth_password="0123456789abcdef"),
        "evses": made,
        "timings": Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
        "serial": "CP-1",
    }
    return StationConfig(**(settings | more))


def world_of(config: StationConfig) -> SimWorld:
    """The body that fits."""
    return SimWorld([SimEvseOptions(EvseInfo(e.id, 32.0, connector=e.connector, has_lock=e.connector == "sType2")) for e in config.evses])


def life(seed: int = 1, **more: Any) -> Heap:
    """A station that is about to start."""
    config = configured(**more)
    return Heap(config, world_of(config), csms, seed=f"{seed:08x}")


def act(heap: Heap, dice: random.Random) -> None:
    """Something happens at the box, or on the line."""
    evse_id = dice.choice(list(heap.world.evses))
    evse = heap.world.evses[evse_id]
    match dice.choice(
        ("plug", "plug", "unplug", "card", "card", "stranger", "stop", "lost", "back", "pulled", "meter", "rcd", "mend", "wait", "start")
    ):
        case "plug" if evse.load is None:
            evse.plug(ev(dice.choice(sorted(CATALOGUE)), heap.now))
        case "unplug":
            try:
                evse.unplug_socket()
            except PlugHeld:
                evse.unplug_vehicle()
        case "card":
            heap.tell(TokenPresented(CARD, "ISO14443", (evse_id,)))
        case "stranger":
            heap.tell(TokenPresented(STRANGER, "ISO14443", (evse_id,)))
        case "stop":
            heap.tell(StopRequested(evse_id, "Local"))
        case "lost":
            heap.reachable = False
            heap.lose_link("closed")
        case "back":
            heap.reachable = True
        case "pulled":
            heap.tell(LinkSwitched(up=dice.random() < 0.5))
        case "meter":
            evse.meter_silent = dice.random() < 0.3
        case "rcd" if dice.random() < 0.3:
            evse.rcd.trip("ac")
        case "mend":
            evse.rcd.reset()
            heap.tell(FaultAcknowledged(evse_id))
        case "start":
            payload = {"remoteStartId": dice.randrange(1000), "evseId": evse_id, "idToken": {"idToken": "app", "type": "Central"}}
            heap.receive([2, f"c{dice.randrange(10**9)}", "RequestStartTransaction", payload])
        case _:
            heap.run(dice.choice((0.01, 0.1, 1.0, 5.0, 30.0)))
    heap.run(dice.choice((0.0, 0.0, 0.05, 0.5, 3.0)))
