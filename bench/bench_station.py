"""`chargepoint bench-station FILE.json`: the station on the simulated board, driven through the control port (docs/reference/control-port.md)."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.board.client import LinkedBoard, spawn
from bench.board.server import BoardOptions
from bench.verbs import STATION_VERBS, BadBody
from chargepoint.commands import Command
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.config_file import ConfigError, Problem
from chargepoint.ocpp.variable import seeds
from chargepoint.runtime.log import Logger
from chargepoint.runtime.main import Handle, Options, run_station
from chargepoint.tick import Tick
from hal.types import EvseInfo

KEYS = (
    "ocpp_version", "charge_point_id", "csms_url", "security_profile", "basic_auth_password", "certs_dir", "network_profiles",
    "variables", "keys", "evses", "state_dir", "control", "boot_jitter_s",
)  # fmt: skip
MAX_CURRENT_A = 32.0


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """What the file says."""

    station: StationConfig
    board: BoardOptions
    state_dir: Path
    warnings: tuple[str, ...]


def read(path: Path) -> BenchConfig:
    """Raises ConfigError. Unknown keys, `variables` and `keys` are ignored with a warning; null means absent."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]) from None
    except ValueError as error:
        raise ConfigError([Problem(str(path), getattr(error, "lineno", 0), "", f"no JSON: {error}")]) from None
    if not isinstance(document, dict):
        raise ConfigError([Problem(str(path), 1, "", "the file holds one JSON object")])
    given = {key: value for key, value in document.items() if value is not None}
    try:
        return _config(given)
    except (KeyError, TypeError, ValueError) as error:
        said = f"{error.args[0]}: missing" if isinstance(error, KeyError) else str(error)
        raise ConfigError([Problem(str(path), 0, "", said)]) from None


def _config(given: dict[str, Any]) -> BenchConfig:
    warnings = [f"{key}: unknown, ignored" for key in given if key not in KEYS]
    evses = tuple(_evse(each) for each in given.get("evses", [{"id": 1}]))
    version = given.get("ocpp_version")
    certs = Path(given["certs_dir"]) if given.get("certs_dir") else None
    csms = CsmsConfig(
        url=str(given["csms_url"]),
        identity=str(given["charge_point_id"]),
        security_profile=int(given.get("security_profile", 0)),
        basic_auth_password=str(given.get("basic_auth_password", "")),
        ca_file=_ca(certs),
        client_cert_file=_pem(certs, "client/csms", "CSMS_CP_CHAIN.pem", "*.pem"),
        client_key_file=_pem(certs, "client/csms", "*.key"),
        versions=(version,) if version else ("ocpp2.1", "ocpp2.0.1", "ocpp1.6"),
    )
    state_dir = Path(given["state_dir"])
    station = StationConfig(
        serial=csms.identity[:25],
        state_dir=str(state_dir),
        csms=csms,
        evses=evses,
        timings=Timings(boot_jitter_s=float(given.get("boot_jitter_s", 0.0)), close_after_boot_s=0.0),
        variables=seeds(given.get("variables", ())),
        network_profiles=tuple(given.get("network_profiles", ())),
    )
    host, port = _address(given["control"])
    infos = tuple(EvseInfo(evse.id, MAX_CURRENT_A, phases=3, connector=evse.connector) for evse in evses)
    return BenchConfig(station, BoardOptions(infos, str(state_dir), (host, port)), state_dir, tuple(warnings))


def _evse(given: dict[str, Any]) -> EvseConfig:
    if str(given.get("charge_mode") or "ac").lower() != "ac":
        raise ValueError(f"evses: id {given['id']}: charge_mode {given['charge_mode']!r}: this station has AC only so far")
    return EvseConfig(id=int(given["id"]), max_current_A=MAX_CURRENT_A)


def _address(control: Any) -> tuple[str, int]:
    if isinstance(control, dict):
        return str(control.get("host") or "127.0.0.1"), int(control["port"])
    if isinstance(control, str):
        host, _, port = control.rpartition(":")
        return host or "127.0.0.1", int(port)
    raise ValueError('control: {"host": ..., "port": ...}')


def _ca(certs: Path | None) -> str:
    return _pem(certs, "ca/csms", "CSMS_ROOT_CA.pem", "*.pem")


def _pem(certs: Path | None, folder: str, *patterns: str) -> str:
    if certs is None:
        return ""
    for pattern in patterns:
        found = sorted((certs / folder).glob(pattern))
        if found:
            return str(found[0])
    return ""


def believes(handle: Handle) -> dict[str, Any]:
    """What the station says of itself, for `/state`."""
    context = handle.station.wiring.context
    evses = {
        str(facts.evse_id): {
            "transaction": facts.transaction_id or None,
            "session": facts.charging_state.value,
            "faults": sorted(facts.faults),
        }
        for facts in context.evses.values()
    }
    return {"connected": context.link.connected, "evses": evses}


class Bench:
    """Station and board process together, over every restart of the station."""

    def __init__(self, config: BenchConfig, board: LinkedBoard) -> None:
        self.config, self.board = config, board
        self.handle: Handle | None = None
        self.ended = ""
        self._said: dict[str, Any] = {}
        board.on_verb = self.on_verb
        board.after_verb = self.after_verb

    def ready(self, handle: Handle) -> None:
        """A run has begun."""
        self.handle = handle
        handle.watch(self.watch)
        self.watch(Tick(0.0, 0.0), None, ())

    def watch(self, tick: Tick, event: object, commands: Sequence[Command]) -> None:
        """Tell the board's process what changed."""
        if self.handle is not None and (now := believes(self.handle)) != self._said:
            self._said = now
            self.board.tell_status(now)

    def on_verb(self, body: dict[str, Any]) -> tuple[int, str]:
        """A verb of the control port: 200 when the station has taken it."""
        if body.get("verb") == "end":
            self.ended = str(body["why"])
            self.end()
            return 200, ""
        if self.handle is None:
            return 503, "the station is starting"
        try:
            event = STATION_VERBS[body["verb"]](body)
        except BadBody as error:
            return 400, str(error)
        if isinstance(event, float):
            return 200, ""
        known = self.handle.station.wiring.context.evses
        if getattr(event, "evse_id", 1) not in known:
            return 400, f"connector_id: there is no EVSE {getattr(event, 'evse_id', 0)}; there are {sorted(known)}"
        self.handle.tell(event)
        return 200, ""

    def after_verb(self, body: dict[str, Any]) -> None:
        """`freeze`: the event loop hangs, on purpose, once the answer is out."""
        if body.get("verb") == "freeze":
            asyncio.get_running_loop().call_later(0.02, time.sleep, float(body["seconds"]))

    def end(self) -> None:
        """SIGINT, SIGTERM: in order, within 5 s."""
        if self.handle is not None:
            self.handle.shut_down()


async def run(config: BenchConfig) -> int:
    """Until SIGINT or SIGTERM; a Reset begins anew. Raises StartError."""
    loop = asyncio.get_running_loop()
    logger = Logger()
    board = await spawn(config.board)
    bench = Bench(config, board)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, bench.end)
    reason = "PowerUp"
    try:
        while True:
            options = Options(start_reason=reason, watchers=[logger])
            outcome = await run_station(config.station, board, config.state_dir, ready=bench.ready, options=options)
            bench.handle = None
            if not outcome.restart:
                break
            reason = outcome.reason or "PowerUp"
    finally:
        await board.close()
    if bench.ended:
        print(bench.ended, file=sys.stderr)
    return 1 if bench.ended else 0


def main(path: Path) -> int:
    """The command."""
    config = read(path)
    for warning in config.warnings:
        print(f"{path}: warning: {warning}", file=sys.stderr)
    return asyncio.run(run(config))
