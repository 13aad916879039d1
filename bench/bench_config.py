"""The JSON file of `chargepoint bench-station`, as a StationConfig and a board. Lenient: what is not understood is left out and said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from bench.board.server import BoardOptions
from chargepoint.config import CertificatesConfig, CsmsConfig, EvseConfig, StationConfig, Timings, V2gConfig
from chargepoint.config_file import ConfigError, Problem, spelled
from chargepoint.config_file.rules import broken
from chargepoint.ocpp.csms_url import UrlError, check_url, is_secure
from chargepoint.ocpp.variable import seeds
from hal.types import DcRatings, EvseInfo

KEYS = (
    "ocpp_version", "charge_point_id", "csms_url", "security_profile", "basic_auth_password", "certs_dir", "network_profiles",
    "variables", "keys", "evses", "state_dir", "control", "boot_jitter_s",
)  # fmt: skip
MAX_CURRENT_A = 32.0
VERSIONS = ("ocpp2.1", "ocpp2.0.1", "ocpp1.6")
OWN = "client/csms"
VEHICLES = "client/cso"
ROOTS = "ca/csms"


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """What the file says; `warnings` are what it says in vain."""

    station: StationConfig
    board: BoardOptions
    state_dir: Path
    warnings: tuple[str, ...]


def read(path: Path) -> BenchConfig:
    """Raises ConfigError. Null means absent."""
    name = str(path)
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([Problem(name, 0, "", f"cannot be read: {error.strerror or error}")]) from None
    except ValueError as error:
        raise ConfigError([Problem(name, getattr(error, "lineno", 0), "", f"is no JSON: {error}")]) from None
    if not isinstance(document, dict):
        raise ConfigError([Problem(name, 0, "", "the file holds one JSON object")])
    reader = _Reader(name, {key: value for key, value in document.items() if value is not None})
    config = reader.config()
    if reader.problems:
        raise ConfigError(reader.problems)
    return config


class _Reader:
    """Collects problems, which end it, and warnings, which do not."""

    def __init__(self, name: str, given: Mapping[str, Any]) -> None:
        self.name, self.given = name, given
        self.problems: list[Problem] = []
        self.warnings: list[str] = []

    def config(self) -> BenchConfig:
        for key in self.given:
            if key not in KEYS:
                near = get_close_matches(key, KEYS, n=1)
                self.warnings.append(f"{key}: unknown, ignored" + (f"; did you mean {near[0]}?" if near else ""))
        evses = self._with_keys_of_2(self._evses())
        identity, state_dir = self._text("charge_point_id"), Path(self._text("state_dir"))
        station = StationConfig(
            serial=identity[:25],
            state_dir=str(state_dir),
            csms=self._csms(identity, state_dir),
            certificates=CertificatesConfig(tree=self._certs_dir()),
            evses=evses,
            timings=Timings(boot_jitter_s=self._number("boot_jitter_s", 0.0), close_after_boot_s=0.0),
            variables=self._variables(),
            network_profiles=tuple(self._list("network_profiles")),
        )
        infos = tuple(info_of(evse) for evse in evses)
        board = BoardOptions(infos, str(state_dir), self._address(), certs_dir=self._certs_dir())
        return BenchConfig(self._without_what_is_wrong(station), board, state_dir, tuple(self.warnings))

    # ---- single keys

    def _wrong(self, key: str, text: str) -> None:
        self.problems.append(Problem(self.name, 0, key, text))

    def _text(self, key: str, default: str | None = None) -> str:
        value = self.given.get(key, default)
        if value is None:
            self._wrong(key, "is missing")
        elif not isinstance(value, str):
            self._wrong(key, f"{json.dumps(value)[:60]} is not a text")
        return value if isinstance(value, str) else ""

    def _number(self, key: str, default: float) -> float:
        value = self.given.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 600:
            self._wrong(key, f"{json.dumps(value)[:60]} is not a number from 0 to 600")
            return default
        return float(value)

    def _list(self, key: str) -> list[Any]:
        value = self.given.get(key, [])
        if not isinstance(value, list):
            self._wrong(key, f"{json.dumps(value)[:60]} is not a list")
            return []
        entries = [entry for entry in value if isinstance(entry, dict)]
        if len(entries) != len(value):
            self.warnings.append(f"{key}: entries that are no objects are ignored")
        return entries

    # ---- parts

    def _evses(self) -> tuple[EvseConfig, ...]:
        if "evses" not in self.given:
            return (evse_of(1, "ac"),)
        evses: dict[int, EvseConfig] = {}
        for i, entry in enumerate(self._list("evses")):
            evse_id = entry.get("id")
            if isinstance(evse_id, bool) or not isinstance(evse_id, int) or not 1 <= evse_id <= 99:
                self._wrong(f"evses[{i}].id", f"{json.dumps(evse_id)[:60]} is not a whole number from 1 to 99")
            elif evse_id in evses:
                self._wrong(f"evses[{i}].id", f"{evse_id} is the id of an EVSE above")
            else:
                evses[evse_id] = evse_of(evse_id, self._mode(f"evses[{i}].charge_mode", entry.get("charge_mode")))
                self._warn_of_connectors(f"evses[{i}]", entry)
        if not evses and not self.problems:
            self._wrong("evses", "there is none; a station has at least one EVSE")
        return tuple(evses.values())

    def _with_keys_of_2(self, evses: tuple[EvseConfig, ...]) -> tuple[EvseConfig, ...]:
        """A tree that has nothing else for vehicles is made do with: others know ISO 15118-20 with P-256 only."""
        kinds = _kinds_for_vehicles(Path(self._certs_dir())) if self._certs_dir() else set()
        if not kinds or kinds & {"p521", "ed448"}:
            return evses
        self.warnings.append(f"certs_dir: {VEHICLES}: no key of ISO 15118-20 (P-521, Ed448); those of ISO 15118-2 serve it, too")
        return tuple(replace(each, v2g=replace(each.v2g, p256_contracts=True)) for each in evses)

    def _warn_of_connectors(self, at: str, entry: Mapping[str, Any]) -> None:
        connectors = entry.get("connectors") or [1]
        ids = [each.get("id") if isinstance(each, dict) else each for each in connectors] if isinstance(connectors, list) else []
        if ids != [1]:
            self.warnings.append(f"{at}.connectors: {json.dumps(connectors)[:60]}: an EVSE of this station has one connector, 1")

    def _mode(self, key: str, value: Any) -> Literal["ac", "dc"]:
        match str(value or "ac").lower():
            case "ac":
                return "ac"
            case "dc":
                return "dc"
        self.warnings.append(f"{key}: {json.dumps(value)[:60]}: neither ac nor dc; the EVSE is an AC one")
        return "ac"

    def _csms(self, identity: str, state_dir: Path) -> CsmsConfig:
        url = self._text("csms_url")
        try:
            check_url(url or "ws://missing")
        except UrlError as error:
            self._wrong("csms_url", str(error))
        profile = self.given.get("security_profile", 2 if url.startswith("wss:") else 0)
        if isinstance(profile, bool) or profile not in (0, 1, 2, 3):
            self._wrong("security_profile", f"{json.dumps(profile)[:60]} is not 0, 1, 2 or 3")
            profile = 0
        elif not self.problems and is_secure(url) != (profile >= 2):
            self._wrong("security_profile", f"{profile} needs {'wss' if profile >= 2 else 'ws'}://; the csms_url is {url!r}")
        certs = Path(self._text("certs_dir")) if "certs_dir" in self.given else None
        chain, key = _own(certs)
        return CsmsConfig(
            url=url,
            identity=identity,
            security_profile=profile,
            basic_auth_password=self._text("basic_auth_password", ""),
            ca_file=_roots(certs, state_dir),
            client_cert_file=chain,
            client_key_file=key,
            versions=self._versions(),
        )

    def _certs_dir(self) -> str:
        """Also for what is not the CSMS's: read at each start, never written to."""
        folder = self.given.get("certs_dir")
        return folder if isinstance(folder, str) and Path(folder).is_dir() else ""

    def _versions(self) -> tuple[Any, ...]:
        version = self._text("ocpp_version", "")
        if version and version not in VERSIONS:
            self._wrong("ocpp_version", f"{version!r} is not one of {', '.join(VERSIONS)}")
        return (version,) if version in VERSIONS else VERSIONS

    def _variables(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for i, entry in enumerate(self._list("variables")):
            try:
                found |= seeds([entry])
            except KeyError as error:
                self.warnings.append(f"variables[{i}]: names no {error.args[0]}; ignored")
        return found

    def _address(self) -> tuple[str, int]:
        control = self.given.get("control")
        if isinstance(control, str):
            host, _, port = control.rpartition(":")
            control = {"host": host, "port": int(port) if port.isdecimal() else port}
        if not isinstance(control, dict):
            self._wrong("control", "is missing" if control is None else 'is not {"host": "127.0.0.1", "port": 8080}')
            return "127.0.0.1", 0
        host, number = control.get("host") or "127.0.0.1", control.get("port")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 65536 or not isinstance(host, str):
            self._wrong("control", f"{json.dumps(control)[:60]}: port is a whole number from 1 to 65535")
            return "127.0.0.1", 0
        if not host.startswith("127.") and host not in ("localhost", "::1"):
            self.warnings.append(f"control: {host} is no loopback address: whoever reaches it drives this station")
        return host, number

    def _without_what_is_wrong(self, station: StationConfig) -> StationConfig:
        """Bad seeds and slots are left out and told; credentials that are missing are the CSMS's to refuse."""
        seeds_left, slots_left = dict(station.variables), dict(enumerate(station.network_profiles))
        for found in broken(station, {}) if not self.problems else ():
            if found.path[0] == "evses":
                continue  # of its vehicles, who are inside of the board's process, no certificate is asked
            self.warnings.append(f"{spelled(found.path)}: {found.text}")
            if found.path[0] == "variables":
                seeds_left.pop(".".join(map(str, found.path[1:])), None)
            elif found.path[0] == "network_profiles" and isinstance(found.path[1], int):
                slots_left.pop(found.path[1], None)
        return replace(station, variables=seeds_left, network_profiles=tuple(slots_left.values()))


def evse_of(evse_id: int, mode: Literal["ac", "dc"]) -> EvseConfig:
    """Cars that talk are in the board's process, and nobody there has to be verified."""
    v2g = V2gConfig(interface="bench", tls="none", unverified_vehicles=True)
    return EvseConfig(id=evse_id, max_current_A=MAX_CURRENT_A, mode=mode, connector="cCCS2" if mode == "dc" else "cType2", v2g=v2g)


def info_of(evse: EvseConfig) -> EvseInfo:
    """The board's side of it."""
    is_dc = evse.mode == "dc"
    dc = DcRatings() if is_dc else None
    return EvseInfo(evse.id, MAX_CURRENT_A, phases=3, connector=evse.connector, residual_current=not is_dc, dc=dc)


# ---- the tree of certificates, which is read and never written to


def _own(certs: Path | None) -> tuple[str, str]:
    """The station's chain and the key that belongs to it, whatever they are called; "" where there are none."""
    if certs is None:
        return "", ""
    chains, keys = sorted((certs / OWN).glob("*.pem")), sorted((certs / OWN).glob("*.key"))
    fitting = ((chain, key) for chain in chains for key in keys if _belongs(chain, key)) if len(chains) + len(keys) > 2 else iter(())
    chain, key = next(fitting, (chains[0] if chains else "", keys[0] if keys else ""))
    return str(chain), str(key)


def _kinds_for_vehicles(certs: Path) -> set[str]:
    """Of the keys whose chains vehicles are shown."""
    from certs.reading import kind_of, readable

    chains = (readable(each.read_bytes()) for each in sorted((certs / VEHICLES).glob("*.pem")))
    return {kind_of(chain[0].public_key()) for chain in chains if chain}


def _belongs(chain: Path, key: Path) -> bool:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        of_key = load_pem_private_key(key.read_bytes(), None).public_key()
        return bool(load_pem_x509_certificate(chain.read_bytes()).public_key() == of_key)
    except (ValueError, TypeError):
        return False  # encrypted, or no PEM


def _roots(certs: Path | None, state_dir: Path) -> str:
    """All roots for the CSMS in one file, as OpenSSL wants them: under `state_dir`, where there are several."""
    files = sorted((certs / ROOTS).glob("*.pem")) if certs is not None else []
    if len(files) <= 1:
        return str(files[0]) if files else ""
    together = state_dir / "csms_roots.pem"
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    together.write_text("\n".join(file.read_text("utf-8", "replace") for file in files), "utf-8")
    return str(together)
