"""Network connection profiles: what stands in a slot, and whether it may (OCPP 2.1 B09, A05)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from chargepoint.config import StationConfig, identity_of
from chargepoint.ocpp.csms_url import UrlError, check_url, is_secure
from iso15118.frozen import dataclass

MOST_SLOTS = 4
"""Slots 1 to this (ours)."""
LONGEST_TIMEOUT_S = 300
"""Of messageTimeout and MessageTimeout[Default] (ours)."""
TABLE = "network_profiles"
IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]{0,48}", re.ASCII)
"""identifierString without the colon, at which HTTP parts name and password. The owner may call a station otherwise, the CSMS may not."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One slot. "" for identity and password: the station's own (SecurityCtrlr)."""

    slot: int
    url: str
    security_profile: int
    message_timeout_s: int = 0
    """Becomes MessageTimeout[Default] when this slot is taken into use; 0 leaves that as it is."""
    identity: str = ""
    password: str = field(default="", repr=False)
    interface: str = "Any"
    """As it came. Which way packets take is the operating system's routing, so it is kept and nothing more (ours)."""
    version: str = ""
    """OCPPVersionEnumType as it came (OCPP20, OCPP201, OCPP21); what is spoken is agreed with the CSMS on each connection."""


def identity_problem(identity: str) -> str:
    """Why nobody can be called so who shows a password (A00.FR.204), for a person; "" when one can.

    >>> identity_problem("CP-1"), identity_problem("CP:1")
    ('', 'an identity has no other characters than A-Z a-z 0-9 * - _ = + | @ and .')
    """
    return "" if IDENTITY.fullmatch(identity) else "an identity has no other characters than A-Z a-z 0-9 * - _ = + | @ and ."


def from_wire(slot: int, data: Mapping[str, Any]) -> Profile:
    """NetworkConnectionProfileType."""
    return Profile(
        slot,
        str(data["ocppCsmsUrl"]),
        int(data["securityProfile"]),
        int(data.get("messageTimeout", 0)),
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
    if not 0 <= profile.message_timeout_s <= LONGEST_TIMEOUT_S:
        return f"messageTimeout is 1 to {LONGEST_TIMEOUT_S} s"
    if profile.password and not (16 <= len(profile.password) <= 40 and profile.password.isascii() and profile.password.isprintable()):
        return "a basic-auth password has 16 to 40 characters that can be printed in ASCII"
    return ""


def configured(config: StationConfig) -> tuple[dict[int, Profile], list[str]]:
    """What the configuration says, and what is wrong with it: slot 1 is `csms`, the others are listed as SetNetworkProfile would set them."""
    found: dict[int, Profile] = {}
    wrong: list[str] = []
    if config.csms.url:
        found[1] = Profile(1, config.csms.url, config.csms.security_profile, identity=identity_of(config))
    for number, entry in enumerate(config.network_profiles, 1):
        try:
            slot = int(entry["configurationSlot"])
            profile = from_wire(slot, entry["connectionData"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            wrong.append(f"network_profiles, entry {number}: {error!r}")
            continue
        if not 1 <= slot <= MOST_SLOTS:
            wrong.append(f"network_profiles, entry {number}: there are slots 1 to {MOST_SLOTS}")
        elif slot != 1 or 1 not in found:
            found[slot] = profile
    return found, wrong
