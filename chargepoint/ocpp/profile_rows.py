"""NetworkConfiguration[slot]: a network profile as device-model variables (OCPP 2.1 B09, Part 2 NetworkConfiguration)."""

from __future__ import annotations

from dataclasses import replace

from chargepoint.ocpp.device_model import Mutability, Variable
from chargepoint.ocpp.profiles import LONGEST_TIMEOUT_S, MOST_SLOTS, Profile

COMPONENT = "NetworkConfiguration"
INTERFACES = ("Any", *(f"Wired{n}" for n in range(4)), *(f"Wireless{n}" for n in range(4)))
VERSIONS = ("OCPP12", "OCPP15", "OCPP16", "OCPP20", "OCPP201", "OCPP21")
_RW, _WO = Mutability.READ_WRITE, Mutability.WRITE_ONLY
_SOURCE = "OCPP 2.1 Part 2, NetworkConfiguration"


def _rows(slot: int) -> tuple[Variable, ...]:
    """Stored with the profile, not as variables (`persistent`)."""
    at = str(slot)
    return (
        Variable(COMPONENT, "OcppCsmsUrl", "string", None, "URL of the CSMS, the identity in it or appended", component_instance=at,
                 mutability=_RW, persistent=False, max_length=2000, source=_SOURCE),
        Variable(COMPONENT, "SecurityProfile", "integer", None, "security profile of the connection", component_instance=at,
                 mutability=_RW, persistent=False, min=0, max=3, source=_SOURCE),
        Variable(COMPONENT, "MessageTimeout", "integer", None, "becomes MessageTimeout[Default] when the slot is taken into use", component_instance=at,
                 mutability=_RW, persistent=False, unit="s", min=1, max=LONGEST_TIMEOUT_S, source=_SOURCE),
        Variable(COMPONENT, "Identity", "string", None, "the station's identity on this connection; empty: SecurityCtrlr.Identity", component_instance=at,
                 mutability=_RW, persistent=False, max_length=48, source=_SOURCE),
        Variable(COMPONENT, "BasicAuthPassword", "string", None, "password on this connection; none: SecurityCtrlr.BasicAuthPassword", component_instance=at,
                 mutability=_WO, persistent=False, secret=True, min=16, max_length=40, source=_SOURCE),
        Variable(COMPONENT, "OcppInterface", "OptionList", None, "kept as it came; the way out is the operating system's choice", component_instance=at,
                 mutability=_RW, persistent=False, values=INTERFACES, source=_SOURCE),
        Variable(COMPONENT, "OcppVersion", "OptionList", None, "kept as it came; what is spoken is agreed on each connection", component_instance=at,
                 mutability=_RW, persistent=False, values=VERSIONS, source=_SOURCE),
        Variable(COMPONENT, "OcppTransport", "OptionList", "JSON", "this station speaks JSON", component_instance=at, constant=True, values=("JSON",), source=_SOURCE),
        Variable(COMPONENT, "VpnEnabled", "boolean", "false", "this station makes no tunnel", component_instance=at, constant=True, source=_SOURCE),
        Variable(COMPONENT, "ApnEnabled", "boolean", "false", "this station has no modem", component_instance=at, constant=True, source=_SOURCE),
    )  # fmt: skip


SLOT_ROWS: dict[tuple[int, str], Variable] = {(slot, row.name): row for slot in range(1, MOST_SLOTS + 1) for row in _rows(slot)}
"""Slot and name of the variable -> row."""


def values_of(profile: Profile) -> dict[str, str]:
    """The profile as values of what can be set; "" for what it does not say."""
    return {
        "OcppCsmsUrl": profile.url,
        "SecurityProfile": str(profile.security_profile),
        "MessageTimeout": str(profile.message_timeout_s or ""),
        "Identity": profile.identity,
        "BasicAuthPassword": profile.password,
        "OcppInterface": profile.interface,
        "OcppVersion": profile.version,
    }


def with_value(profile: Profile, name: str, value: str) -> Profile:
    """The profile with one value changed; a name that is none of its own changes nothing."""
    match name:
        case "OcppCsmsUrl":
            return replace(profile, url=value)
        case "SecurityProfile":
            return replace(profile, security_profile=int(value or 0))
        case "MessageTimeout":
            return replace(profile, message_timeout_s=int(value or 0))
        case "Identity":
            return replace(profile, identity=value)
        case "BasicAuthPassword":
            return replace(profile, password=value)
        case "OcppInterface":
            return replace(profile, interface=value)
        case "OcppVersion":
            return replace(profile, version=value)
        case _:
            return profile
