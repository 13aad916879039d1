"""The slots of network profiles, and which of them may be dialled (OCPP 2.1 A05, B09)."""

from __future__ import annotations

from dataclasses import field

from chargepoint.ocpp import profiles
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.device_model import DeviceModel, Variable
from chargepoint.ocpp.profiles import Profile
from iso15118.frozen import dataclass

ALLOW_DOWNGRADE = Variable(
    "SecurityCtrlr", "AllowSecurityProfileDowngrade", "boolean", "false", "whether security profile 3 may be left for 2; no profile is left for 1 or 0",
    source="OCPP 2.1 A05",
)  # fmt: skip


@dataclass(slots=True)
class NetworkState:
    """The slots, and what has been reached with them."""

    profiles: dict[int, Profile] = field(default_factory=dict)
    floor: int = 0
    """No profile with a lower security profile is dialled: what the configuration asks for, or what has worked since."""
    storing: dict[str, Profile] = field(default_factory=dict)
    """SetNetworkProfile that waits for the store: message id -> profile."""


def dialable(state: NetworkState, context: Context) -> dict[int, Profile]:
    """The profiles that a connection may be made with, by slot."""
    return {slot: profile for slot, profile in sorted(state.profiles.items()) if not why_not(profile, state, context)}


def why_not(profile: Profile, state: NetworkState, context: Context) -> str:
    """Why this profile is not dialled, for a person; "" when it is."""
    if wrong := profiles.problem(profile):
        return wrong
    if profile.security_profile == 3 and not _has_certificate(context):
        return "security profile 3 needs a certificate of the station's own"  # A05.FR.03
    if not high_enough(profile.security_profile, state.floor, context.model):
        return f"security profile {profile.security_profile} is below {state.floor}, which this station has reached"
    return ""


def _has_certificate(context: Context) -> bool:
    """As long as the store has not been read, one is in it where the CSMS has brought the station to profile 3."""
    held, csms = context.certificates, context.config.csms
    return bool(held.active("ChargingStationCertificate")) if held.read else bool(csms.client_cert_file) or csms.security_profile != 3


def no_root(profile: Profile, context: Context) -> str:
    """Why the CSMS may not have this profile used: a station that goes up to TLS needs to know whom it may trust (A05.FR.02). "" when it may.

    One that speaks TLS has shown that it knows; the system's roots are the configuration's choice, not the CSMS's.
    """
    if profile.security_profile < 2 or context.link.security_profile >= 2 or context.certificates.trusted("CSMSRootCertificate"):
        return ""
    return f"security profile {profile.security_profile} needs a root for the CSMS, and none is installed"


def high_enough(wanted: int, floor: int, model: DeviceModel) -> bool:
    """Whether a security profile may be used where `floor` has been reached: never down, but from 3 to 2 where that is allowed (A05.FR.08, .09, .10)."""
    return wanted >= floor or ((floor, wanted) == (3, 2) and model.flag(ALLOW_DOWNGRADE))
