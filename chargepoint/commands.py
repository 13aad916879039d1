"""What the station asks of the world, and of its own store.

Safe commands (`lane = Lane.SAFE`) make the installation safer. They come first in every list that `Station.handle` gives, and
the shell carries them out without waiting for anything: no queue, no fsync, no answer.
"""

from __future__ import annotations

import enum
from dataclasses import field
from typing import Any, ClassVar, Literal

from certs.store import KeyKind, OwnUse, RootUse, Subject
from iso15118.frozen import dataclass


class Lane(enum.Enum):
    """In which lane the shell carries a command out."""

    SAFE = "safe"
    NORMAL = "normal"


class Command:
    """Something to do. Subclasses are frozen dataclasses named in the imperative."""

    __slots__ = ()
    lane: ClassVar[Lane] = Lane.NORMAL


# The body: one EVSE's hardware. Each is answered by HardwareDone or HardwareFailed with the same evse_id and the class name.


@dataclass(frozen=True, slots=True)
class OpenContactor(Command):
    """Open, now."""

    evse_id: int
    lane: ClassVar[Lane] = Lane.SAFE


@dataclass(frozen=True, slots=True)
class WithdrawPermit(Command):
    """End the lease on power at once."""

    evse_id: int
    lane: ClassVar[Lane] = Lane.SAFE


@dataclass(frozen=True, slots=True)
class SetX1(Command):
    """Pilot at steady +12 V behind its source resistor: no PWM, the EV may not draw."""

    evse_id: int
    lane: ClassVar[Lane] = Lane.SAFE


@dataclass(frozen=True, slots=True)
class StopDcOutput(Command):
    """The DC stage off: current down as fast as it can, then voltage."""

    evse_id: int
    lane: ClassVar[Lane] = Lane.SAFE


@dataclass(frozen=True, slots=True)
class SetStateF(Command):
    """Pilot at -12 V: the EVSE is not available (IEC 61851-1 state F)."""

    evse_id: int
    lane: ClassVar[Lane] = Lane.SAFE


@dataclass(frozen=True, slots=True)
class SetDuty(Command):
    """Pilot with PWM (X2)."""

    evse_id: int
    duty_percent: float


@dataclass(frozen=True, slots=True)
class CloseContactor(Command):
    """Only `interlock` asks for this. `phases` is 1 or 3."""

    evse_id: int
    phases: int


@dataclass(frozen=True, slots=True)
class Permit(Command):
    """Renew the lease on power: the hardware opens by itself `ttl_s` after the last one."""

    evse_id: int
    ttl_s: float


@dataclass(frozen=True, slots=True)
class SetDcOutput(Command):
    """The DC stage gives at most this voltage and this current; a negative current is taken from the vehicle."""

    evse_id: int
    voltage_V: float
    current_A: float


@dataclass(frozen=True, slots=True)
class MeasureInsulation(Command):
    """Ask the insulation monitor, at the voltage that is on the output; InsulationSample comes before HardwareDone."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class LockCable(Command):
    """Lock the plug in the socket."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class UnlockCable(Command):
    """Release the plug."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class ResetResidualCurrent(Command):
    """Re-arm the residual-current device after a trip."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class SignMeter(Command):
    """Ask the signing meter for a signed value of this context."""

    evse_id: int
    context: Literal["Transaction.Begin", "Transaction.End", "Sample.Periodic", "Sample.Clock", "Trigger"]
    transaction_id: str
    id_token: str = ""


@dataclass(frozen=True, slots=True)
class Indicate(Command):
    """Show the person at the box what is going on: `key` of the texts for drivers, with its values."""

    evse_id: int
    key: str
    values: dict[str, Any] = field(default_factory=dict)


# The store.


@dataclass(frozen=True, slots=True)
class Put:
    """Write one row; `value` is any JSON value."""

    table: str
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove one row; a missing one is no error."""

    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Persist(Command):
    """Write these rows in one database transaction, durably (fsync), then say `Persisted(refs)`.

    All `Persist` of one `Station.handle` are merged into one, so what one event changed is stored whole or not at all.
    """

    writes: tuple[Put | Delete, ...]
    refs: tuple[str, ...] = ()


# The store of certificates. `token` comes back in the one answer: CertificateStored, for MakeCsr CsrMade.


@dataclass(frozen=True, slots=True)
class InstallRoot(Command):
    """Trust this root certificate for this use; the caller has judged it."""

    token: str
    use: RootUse
    pem: str


@dataclass(frozen=True, slots=True)
class DeleteRoot(Command):
    """Trust the root of this fingerprint (SHA-256 of its DER, hex) for nothing any more."""

    token: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class DeleteOwn(Command):
    """Forget an own chain with its key."""

    token: str
    slot: str


@dataclass(frozen=True, slots=True)
class MakeCsr(Command):
    """A new key in a pending slot, and the request for its certificate; one that waits for this use and kind is given up."""

    token: str
    use: OwnUse
    subject: Subject
    kind: KeyKind = "p256"


@dataclass(frozen=True, slots=True)
class AdoptChain(Command):
    """The chain for a pending slot, which the caller has judged: it is active from now on, the one that was is kept."""

    token: str
    slot: str
    pem: str


@dataclass(frozen=True, slots=True)
class RollBack(Command):
    """Give up the chain that was adopted last for this use, and go back to the one before."""

    token: str
    use: OwnUse


@dataclass(frozen=True, slots=True)
class SetStaples(Command):
    """What vehicles are told of whether the chain in this slot has been revoked, from the next handshake on: an OCSP response in DER for each of its
    certificates, leaf first, b"" where there is none.
    """

    slot: str
    responses: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetRevocations(Command):
    """These certificates (`certs.reading.tbs_fingerprint`) of vehicles are known to be revoked, and no others: a handshake with one of them is refused from now on."""

    fingerprints: tuple[str, ...]


# The link to the CSMS.


@dataclass(frozen=True, slots=True)
class OpenLink(Command):
    """Connect with the network profile of this slot: answered by LinkUp or LinkDown."""

    attempt: int
    slot: int
    url: str
    identity: str
    security_profile: int
    password: str = field(repr=False)
    subprotocols: tuple[str, ...]
    ping_interval_s: float
    distrusted: tuple[str, ...] = ()
    """Roots (fingerprints) for the CSMS that this attempt does without."""
    own_slot: str = ""
    """The client chain that is shown; "" = the newest of those in use."""
    wildcards: bool = False
    """A certificate of the CSMS may name the host by a wildcard."""


@dataclass(frozen=True, slots=True)
class CloseLink(Command):
    """Close the connection, whatever state it is in; answered by LinkDown."""

    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetPingInterval(Command):
    """Ping the CSMS this often on the connection that stands; 0 = not."""

    ping_interval_s: float


@dataclass(frozen=True, slots=True)
class SendText(Command):
    """One OCPP-J frame."""

    text: str


# The link to the vehicle.


@dataclass(frozen=True, slots=True)
class SendOnPowerLine(Command):
    """An Ethernet frame for the power-line modem's interface, as it is."""

    evse_id: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class ServeVehicle(Command):
    """Answer SDP and take connections on the cable's network interface, or do not (S-13): what is connected stays."""

    evse_id: int
    on: bool


@dataclass(frozen=True, slots=True)
class SendToVehicle(Command):
    """Octets for a connection."""

    evse_id: int
    connection: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class CloseVehicle(Command):
    """End a connection once what was sent is out; nothing more of it is told."""

    evse_id: int
    connection: int


# The process and its surroundings.


@dataclass(frozen=True, slots=True)
class Log(Command):
    """One line for the operator: a key, values, a level. No secrets."""

    level: Literal["debug", "info", "warning", "error"]
    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restart(Command):
    """End the process in order, to be started again; `reason` is what the next BootNotification says."""

    reason: str


@dataclass(frozen=True, slots=True)
class StopProcess(Command):
    """The station has put itself in order after ShutdownRequested; the shell may go."""
