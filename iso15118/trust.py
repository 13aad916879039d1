"""Plug & Charge, what both sides go by: whom they trust, and why a contract is not taken. Plain values: certificates are DER."""

from __future__ import annotations

import enum
from dataclasses import field

from iso15118.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Trust:
    """What a charger judges the certificates by that a vehicle shows in its session."""

    contract_roots: tuple[bytes, ...] = field(default=(), repr=False)
    """MO roots, and those V2G roots where contracts may end."""
    oem_roots: tuple[bytes, ...] = field(default=(), repr=False)
    revoked: frozenset[str] = frozenset()
    """`certs.chain.tbs_fingerprint` of certificates that are known to be revoked."""
    local: bool = True
    """The chain is judged here. Else only the challenge and the signature are, and the host has the rest judged."""
    central: bool = False
    """A contract whose root is not known here goes to the host all the same (CentralContractValidationAllowed)."""
    installation: bool = False
    """The chain of a provisioning certificate is judged here, by the OEM roots; else that is the work of the provisioning service alone."""
    clock_known: bool = True
    """False: nobody has set the clock yet, and no dates are judged (F-3)."""
    peer_profile: bool = False
    """For peers in tests, never by itself: P-256 and SHA-256 are taken as well."""


class Refusal(enum.Enum):
    """Why a contract is not taken, or none is installed."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    REVOKED = "revoked"
    INVALID = "invalid"
    """It is not what it has to be, or not genuine."""
    CHALLENGE = "challenge"
    """It was signed for another session."""
    UNKNOWN_PROVIDER = "unknown provider"
    CANCELLED = "cancelled"
    """The contract has ended."""
    NOT_ACCEPTED = "not accepted"
    """Whoever pays does not, for whatever reason."""
    SELECTION = "selection"
    """This way of paying is not offered."""
    NO_CERTIFICATE = "no certificate"
    """To be installed; nobody has given one in time."""
    NO_CONTRACT = "no contract"
    """To be installed: there is none for this vehicle."""
