"""Where the station's certificates and private keys lie: the words that everybody uses of it, and what a store can do.

Nothing here is heavy: events and commands speak these words. Private keys never leave a store but for the TLS library of the same process
(`Identity`); with a token they do not even do that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

RootUse: TypeAlias = Literal[
    "CSMSRootCertificate", "MORootCertificate", "V2GRootCertificate", "ManufacturerRootCertificate", "OEMRootCertificate"
]
"""InstallCertificateUseEnumType of OCPP 2.1."""
OwnUse: TypeAlias = Literal["ChargingStationCertificate", "V2GCertificate", "V2G20Certificate"]
"""CertificateSigningUseEnumType of OCPP 2.1: towards the CSMS, for ISO 15118-2, for ISO 15118-20."""
CertificateUse: TypeAlias = RootUse | OwnUse
ROOT_USES: tuple[RootUse, ...] = (
    "CSMSRootCertificate",
    "MORootCertificate",
    "V2GRootCertificate",
    "ManufacturerRootCertificate",
    "OEMRootCertificate",
)
OWN_USES: tuple[OwnUse, ...] = ("ChargingStationCertificate", "V2GCertificate", "V2G20Certificate")

KeyKind: TypeAlias = Literal["p256", "p521", "ed448"]
"""What a key can be made as; a chain of the configuration may have others (`OwnChain.kind` is a text)."""
SlotState: TypeAlias = Literal["active", "pending", "previous"]
"""In use; waits for its chain; kept to go back to."""
StoreProblem: TypeAlias = Literal["", "NotFound", "Invalid", "KeyMismatch", "Full", "Unsupported", "Failed"]
"""Why something was not done, in one word. "Failed": disk or token; nothing has changed then."""


@dataclass(frozen=True, slots=True)
class InstalledRoot:
    """A root certificate and what it is trusted for. Times are POSIX seconds."""

    use: RootUse
    pem: str = field(repr=False)
    fingerprint: str
    """SHA-256 of its DER, hex."""
    subject: str
    not_before_utc: float
    not_after_utc: float
    configured: bool = False
    """A file of the configuration; it was not installed."""


@dataclass(frozen=True, slots=True)
class OwnChain:
    """One slot of the station's own: a key, and the chain for it when it is there."""

    use: OwnUse
    slot: str
    state: SlotState
    kind: str
    """p256, p521, ed448, or what a key of the configuration is."""
    pem: str = field(default="", repr=False)
    """Leaf first, no root; "" while it waits."""
    csr: str = field(default="", repr=False)
    """The request that was made for its key; "" for a chain of the configuration."""
    subject: str = ""
    not_before_utc: float = 0.0
    """When the last of the chain begins."""
    not_after_utc: float = 0.0
    """When the first of the chain ends; 0 while it waits."""
    configured: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose the certificate is to be; "" leaves a field out."""

    common_name: str
    organization: str = ""
    country: str = ""
    domain_component: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a TLS library needs of a slot. `key` is PEM, or a `pkcs11:` URI where the key stays in a token."""

    slot: str
    kind: str
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def in_token(self) -> bool:
        return self.key.startswith(b"pkcs11:")


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a store holds, as of one moment; no private key."""

    roots: tuple[InstalledRoot, ...] = ()
    own: tuple[OwnChain, ...] = ()


def in_use(own: Iterable[OwnChain], use: OwnUse, utc: float | None) -> list[OwnChain]:
    """What is shown for this use, the best one first, and one for each kind of key: valid now, then the one that begins last (A02.FR.15), then adopted;
    of those for a CSMS whatever was adopted before any other, since it has asked for it (A02.FR.08).

    `utc` None: nobody has set a clock, and dates do not count. A chain of the configuration is among them whatever was adopted over it.
    """
    found = [each for each in own if each.use == use and (each.state == "active" or (each.configured and each.state == "previous"))]
    wanted = use == "ChargingStationCertificate"
    found.sort(key=lambda each: (_valid(each, utc), wanted and not each.configured, each.not_before_utc, not each.configured), reverse=True)
    kinds = [each.kind for each in found]
    return [each for at, each in enumerate(found) if each.kind not in kinds[:at]]


def _valid(own: OwnChain, utc: float | None) -> bool:
    return utc is None or own.not_before_utc <= utc <= own.not_after_utc


class StoreError(Exception):
    """Not done, and nothing has changed. `problem` is the word for programs, the message is for a person; neither has key material in it."""

    def __init__(self, problem: StoreProblem, text: str) -> None:
        super().__init__(text)
        self.problem = problem


class Store(Protocol):
    """One thread at a time uses it; every call blocks. What changes something is on disk when it returns, whole or not at all. All raise StoreError."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found wrong when it was opened and since, in words: files that were set aside, files of the configuration that cannot be used."""

    def contents(self) -> Contents:
        """All roots and own chains."""

    def install_root(self, use: RootUse, pem: str) -> None:
        """Trust this one, too; one that is there already is no error."""

    def delete_root(self, fingerprint: str) -> None:
        """Whatever it is trusted for. One of the configuration is passed over from now on."""

    def delete_own(self, slot: str) -> None:
        """With its key."""

    def make_request(self, use: OwnUse, kind: KeyKind, subject: Subject) -> tuple[str, str]:
        """A new key in a pending slot, which takes the place of one that waits already: (slot, PKCS#10 as PEM)."""

    def adopt(self, slot: str, pem: str) -> None:
        """The chain for a pending slot: that is active now, the one that was is kept as previous, and the one before that is gone."""

    def roll_back(self, use: OwnUse) -> None:
        """What was adopted last is gone, the one before is active again."""

    def identity(self, slot: str) -> Identity:
        """For a TLS library."""

    def signer(self, slot: str) -> Callable[[bytes], bytes]:
        """Signs octets with the slot's key: ECDSA (DER) with SHA-256 or SHA-512 as the curve has it, or Ed448."""
