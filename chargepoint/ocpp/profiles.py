"""Network connection profiles: what stands in a slot, and whether it may (OCPP 2.1 B09, A05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chargepoint.config import StationConfig, identity_of
from chargepoint.ocpp.csms_url import UrlError, check_url, is_secure

MOST_SLOTS = 8
"""Slots 1 to this (ours)."""
TABLE = "network_profiles"


@dataclass(frozen=True, slots=True)
class Profile:
    """One slot. "" for identity and password: the station's own (SecurityCtrlr)."""

    slot: int
    url: str
    security_profile: int
    message_timeout_s: int = 30
    identity: str = ""
    password: str = field(default="", repr=False)
    interface: str = "Any"
    version: str = ""
    """OCPPVersionEnumType as it came (OCPP20, OCPP201, OCPP21); what is spoken is agreed with the CSMS on each connection."""


def from_wire(slot: int, data: Mapping[str, Any]) -> Profile:
    """NetworkConnectionProfileType."""
    return Profile(
        slot,
        str(data["ocppCsmsUrl"]),
        int(data["securityProfile"]),
        int(data.get("messageTimeout", 30)),
        str(data.get("identity", "")),
        str(data.get("basicAuthPassword", "")),
        str(data.get("ocppInterface", "Any")),
        str(data.get("ocppVersion") or ""),
    )


def to_wire(profile: Profile) -> dict[str, Any]:
    """As it is kept; the way back of `from_wire`."""
    optional = {"identity": profile.identity, "basicAuthPassword": profile.password, "ocppVersion": profile.version}
    return {
        "ocppTransport": "JSON",
        "ocppCsmsUrl": profile.url,
        "messageTimeout": profile.message_timeout_s,
        "securityProfile": profile.security_profile,
        "ocppInterface": profile.interface,
        **{key: value for key, value in optional.items() if value},
    }


def problem(profile: Profile) -> str:
    """Why nothing can be dialled with this profile, for a person; "" when it can."""
    try:
        check_url(profile.url)
    except UrlError as error:
        return str(error)
    if not 0 <= profile.security_profile <= 3:
        return f"there is no security profile {profile.security_profile}"
    if is_secure(profile.url) != (profile.security_profile >= 2):
        return f"security profile {profile.security_profile} needs {'wss' if profile.security_profile >= 2 else 'ws'}://"
    if profile.password and not 16 <= len(profile.password) <= 40:
        return "a basic-auth password has 16 to 40 characters"
    return ""


def configured(config: StationConfig) -> dict[int, Profile]:
    """What the configuration says: slot 1 is `csms`, the others are listed as SetNetworkProfile would set them."""
    found: dict[int, Profile] = {}
    if config.csms.url:
        found[1] = Profile(1, config.csms.url, config.csms.security_profile, identity=identity_of(config))
    for entry in config.network_profiles:
        slot = int(entry["configurationSlot"])
        if slot != 1 or 1 not in found:
            found[slot] = from_wire(slot, entry["connectionData"])
    return found
