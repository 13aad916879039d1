"""What a site and its hardware are: the declarations behind `chargepoint.toml`. Immutable while the station runs.

Ranges stand in the types; the loader (`config_file`), the JSON Schema and the reference page all come from these lines.
Money, tokens and everything that a CSMS may change live in the device model, which `variables` here only seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, both included."""

    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Text:
    """Bounds of a text: its length, and a regular expression that it matches whole."""

    max_length: int
    pattern: str = ""
    min_length: int = 0


@dataclass(frozen=True, slots=True)
class Secret:
    """Never logged, never exported."""


@dataclass(frozen=True, slots=True)
class CsmsConfig:
    """How the CSMS is reached: network profile slot 1."""

    url: Annotated[str, Text(2000)] = ""
    """ws:// or wss://; the identity is appended as the last path segment unless `{identity}` stands in the URL. "" = none: offline."""
    identity: Annotated[str, Text(48, r"[A-Za-z0-9*\-_=:+|@.]*")] = ""
    """The station's identity at the CSMS; "" = the station's serial number."""
    security_profile: Annotated[int, Range(0, 3)] = 2
    """0 = no security (must be asked for), 1 = basic auth, 2 = TLS + basic auth, 3 = TLS with client certificate."""
    basic_auth_password: Annotated[str, Text(64), Secret()] = field(default="", repr=False)
    ca_file: str = ""
    """PEM roots for the CSMS; "" = the system's."""
    client_cert_file: str = ""
    client_key_file: str = ""
    versions: tuple[Literal["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], ...] = ("ocpp2.1", "ocpp2.0.1", "ocpp1.6")
    """Subprotocols that may be offered, in order of preference; what is not implemented is left out of the offer."""


@dataclass(frozen=True, slots=True)
class EvseConfig:
    """One EVSE: its ratings and how it is wired."""

    id: Annotated[int, Range(1, 99)] = 1
    max_current_A: Annotated[float, Range(6, 80)] = 16.0
    """What supply, wiring and hardware carry; nothing raises it (S-20)."""
    min_current_A: Annotated[float, Range(6, 80)] = 6.0
    phases: Literal[1, 3] = 3
    connector: Literal["cType2", "sType2", "cType1"] = "cType2"
    """c = tethered cable, s = socket (with PP coding and a lock), as in ConnectorEnumStringType."""
    mode: Literal["ac", "dc"] = "ac"
    ventilation: bool = False
    """Whether the place is ventilated, so that an EV in state D may charge."""
    nominal_V: Annotated[float, Range(100, 260)] = 230.0


@dataclass(frozen=True, slots=True)
class Timings:
    """Times of IEC 61851-1 and house rules that a site may have to change."""

    permit_ttl_s: Annotated[float, Range(0.1, 2.0)] = 0.4
    """Lease on power: the hardware opens this long after the last renewal (F-16: 500 ms at most for a hung process)."""
    boot_jitter_s: Annotated[float, Range(0, 600)] = 30.0
    """BootNotification and first closing wait a random time up to this after a start (F-17)."""
    close_after_boot_s: Annotated[float, Range(0, 600)] = 10.0
    """Nothing closes sooner than this after a power loss (F-17)."""
    overcurrent_delay_s: Annotated[float, Range(1, 60)] = 7.0
    meter_silence_s: Annotated[float, Range(2, 120)] = 10.0
    meter_interval_s: Annotated[float, Range(0.2, 10)] = 1.0


@dataclass(frozen=True, slots=True)
class StationConfig:
    """The whole of `chargepoint.toml`."""

    vendor: Annotated[str, Text(50)] = "chargepoint"
    model: Annotated[str, Text(20)] = "AC wallbox"
    serial: Annotated[str, Text(25)] = ""
    state_dir: str = "/var/lib/chargepoint"
    board: Annotated[str, Text(40, r"[a-z][a-z0-9_]*")] = "sim"
    """Name of the hardware driver."""
    board_options: dict[str, Any] = field(default_factory=dict)
    """The driver's own section; each driver declares its keys and ranges."""
    accept_on_silence: Literal["opens", "falls_back", "goes_on"] = "opens"
    """The weakest behaviour of the board on the station's silence that this site accepts."""
    csms: CsmsConfig = CsmsConfig()
    evses: tuple[EvseConfig, ...] = (EvseConfig(),)
    timings: Timings = Timings()
    variables: dict[str, str] = field(default_factory=dict)
    """Start values of device-model variables: "Component.Variable" or "Component.Variable[instance]" -> value."""
    network_profiles: tuple[dict[str, Any], ...] = ()
    """More slots, shaped as SetNetworkProfileRequest; slot 1 is `csms`."""
    local_tokens: tuple[str, ...] = ()
    """"type:value" tokens that may always charge here (the owner's)."""
    keep_disk_MB: Annotated[int, Range(8, 4096)] = 64
    """Bound of outbox and journal together."""


def identity_of(config: StationConfig) -> str:
    """The identity on the wire."""
    return config.csms.identity or config.serial or "chargepoint"
