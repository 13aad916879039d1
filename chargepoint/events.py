"""What happened. Inputs come through the one door (`Station.handle`) and are journalled; the others pass between machines.

What the hardware says are the dataclasses of `hal.types`; they are inputs as they are.
"""

from __future__ import annotations

import enum
from dataclasses import field
from typing import Any, Literal

from certs.store import CertificateUse, InstalledRoot, OwnChain, StoreProblem
from iso15118.frozen import dataclass
from iso15118.trust import Refusal


class Event:
    """Something that happened. Subclasses are frozen dataclasses named in the past tense or as a finding."""

    __slots__ = ()


# ---- inputs: the process


@dataclass(frozen=True, slots=True)
class PoweredUp(Event):
    """The first input of every run."""

    reason: str
    """Why we start, as BootReasonEnumType: PowerUp, LocalReset, RemoteReset, ScheduledReset, Watchdog, ApplicationReset."""
    entropy_hex: str = field(repr=False)
    stored: dict[str, dict[str, Any]]
    """The store as it was found: table -> key -> value."""
    firmware_version: str = ""
    uptime_s: float | None = None
    """How long the board had been up; small means that the power was away."""


@dataclass(frozen=True, slots=True)
class TimerExpired(Event):
    """A deadline was reached. Machines find out which one from `now`."""


@dataclass(frozen=True, slots=True)
class ShutdownRequested(Event):
    """SIGTERM, SIGINT or the operator: end in order (F-18)."""

    reason: str = "Reboot"


# ---- inputs: the store


@dataclass(frozen=True, slots=True)
class Persisted(Event):
    """These refs are on disk."""

    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersistFailed(Event):
    """The database said no (F-2); nothing of these refs is on disk."""

    refs: tuple[str, ...]
    error: str


# ---- inputs: the hardware's answers to commands


@dataclass(frozen=True, slots=True)
class HardwareDone(Event):
    """The hardware moved. `command` is the class name of the command."""

    evse_id: int
    command: str


@dataclass(frozen=True, slots=True)
class HardwareFailed(Event):
    """The hardware did not do it. `error` is the class name of the HalError."""

    evse_id: int
    command: str
    error: str
    text: str = ""


# ---- inputs: the link to the CSMS


@dataclass(frozen=True, slots=True)
class LinkUp(Event):
    """Connected, upgraded, subprotocol chosen by the CSMS ("" when it chose none)."""

    attempt: int
    subprotocol: str
    peer: str = ""
    root: str = ""
    """The root (fingerprint) that the CSMS's chain ends at, where there is TLS and the port can say."""
    wildcard: bool = False
    """Its certificate names it by a wildcard only."""


LinkCause = Literal[
    "closed",
    "dns",
    "refused",
    "unreachable",
    "timeout",
    "tls",
    "certificate",
    "unauthorized",
    "forbidden",
    "not_found",
    "http",
    "redirect",
    "pong",
    "protocol",
]
"""Why there is no connection, in one word."""


@dataclass(frozen=True, slots=True)
class LinkDown(Event):
    """Not connected, or no longer. `cause` says why in one word of this list, `detail` for a person."""

    attempt: int
    cause: LinkCause
    detail: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class TextReceived(Event):
    """One text frame from the CSMS."""

    text: str


@dataclass(frozen=True, slots=True)
class OversizeReceived(Event):
    """A frame beyond the limit, which the shell did not keep."""

    size: int


# ---- inputs: the link to the vehicle (ISO 15118)


@dataclass(frozen=True, slots=True)
class DataLinkChanged(Event):
    """D-LINK_READY of ISO 15118-3: the power line has found its vehicle (True), or lost it."""

    evse_id: int
    ready: bool


@dataclass(frozen=True, slots=True)
class PowerLineChanged(Event):
    """The interface of the power-line modem can be sent on and heard, or not; `why` not, in words. `mac` is its own address."""

    evse_id: int
    ready: bool
    mac: bytes = b""
    why: str = ""


@dataclass(frozen=True, slots=True)
class PowerLineHeard(Event):
    """A frame with EtherType 88E1 came in there: from the modem, or from whoever is on the line."""

    evse_id: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class VehicleServed(Event):
    """The cable's network interface takes vehicles, or does not (S-9); `why` not, in words."""

    evse_id: int
    ready: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class VehicleConnected(Event):
    """A connection stands, TLS included where there is one. `connection` is a number of this run."""

    evse_id: int
    connection: int
    peer: str
    tls: str = ""
    """"TLSv1.3", ...; "" without."""
    verified: bool = False
    """The vehicle's certificate was judged good."""
    chain_pem: str = field(default="", repr=False)
    """Its chain as it was judged, from the leaf to the root; "" where there is none that is good."""
    note: str = ""
    """What is odd about that one, in a line."""


@dataclass(frozen=True, slots=True)
class VehicleSaid(Event):
    """Octets of a connection, TLS taken off."""

    evse_id: int
    connection: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class VehicleGone(Event):
    """A connection is over, and not by us; or it never stood. `sentence` is for the driver where the vehicle's certificate was refused."""

    evse_id: int
    connection: int
    why: str
    sentence: str = ""


# ---- inputs: the station's certificates; no private key ever comes through the door


@dataclass(frozen=True, slots=True)
class CertificatesRead(Event):
    """All that the store of certificates holds: after the start, and after every change. `notes` say in words what was found wrong since."""

    roots: tuple[InstalledRoot, ...] = ()
    own: tuple[OwnChain, ...] = ()
    notes: tuple[str, ...] = ()
    read: bool = True
    """False: it could not be read since the start, and nobody knows what it holds."""


@dataclass(frozen=True, slots=True)
class CertificateStored(Event):
    """The one answer to InstallRoot, DeleteRoot, DeleteOwn, AdoptChain and RollBack of this token; CertificatesRead came before it. "" is no error."""

    token: str
    error: StoreProblem = ""
    text: str = ""
    """For a person."""


@dataclass(frozen=True, slots=True)
class CsrMade(Event):
    """The one answer to MakeCsr: the key waits in its slot, and this is the request for it (PKCS#10)."""

    token: str
    slot: str = ""
    pem: str = ""
    error: StoreProblem = ""
    text: str = ""


# ---- inputs: the operator (control port, local page): what a person at the box does beside the hardware


@dataclass(frozen=True, slots=True)
class StopRequested(Event):
    """Stop the transaction of this EVSE here. `reason` is a ReasonEnumType."""

    evse_id: int
    reason: str = "Local"


@dataclass(frozen=True, slots=True)
class BayOccupied(Event):
    """The parking bay sensor saw a car come or go."""

    evse_id: int
    occupied: bool
    token: str = ""


@dataclass(frozen=True, slots=True)
class VariableForced(Event):
    """Somebody with the right to it set a variable past its mutability; value None removes it."""

    component: str
    variable: str
    value: str | None
    instance: str = ""


@dataclass(frozen=True, slots=True)
class TokenForced(Event):
    """Somebody with the right to it put a token into the cache or the local list."""

    where: Literal["cache", "list"]
    token: str
    status: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class LinkSwitched(Event):
    """The network was pulled (False) or put back (True) by the operator."""

    up: bool


@dataclass(frozen=True, slots=True)
class FaultAcknowledged(Event):
    """A person at the box cleared a latched fault; code "" clears all of this EVSE."""

    evse_id: int
    code: str = ""


# ---- between machines: the EVSE


class ChargingState(enum.Enum):
    """OCPP 2.1 ChargingStateEnumType."""

    IDLE = "Idle"
    EV_CONNECTED = "EVConnected"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    CHARGING = "Charging"


@dataclass(frozen=True, slots=True)
class CablePluggedIn(Event):
    """An EV is on the cable (pilot A to B, C or D)."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class EvseSeen(Event):
    """The first look at the pilot since we started: whether an EV is on the cable is known from here on (and told before this)."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class EvDisconnected(Event):
    """No EV on the cable any more."""

    evse_id: int
    under_load: bool = False


@dataclass(frozen=True, slots=True)
class PowerWanted(Event):
    """All that closing needs holds, but for a durable Started: say TransactionDurable once there is one.

    Comes again with every fresh wish, so that TxStartPoint EnergyTransfer finds its moment before the contactor closes.
    """

    evse_id: int


@dataclass(frozen=True, slots=True)
class ChargingStateChanged(Event):
    """What the EVSE and the EV are doing, as OCPP says it."""

    evse_id: int
    state: ChargingState


@dataclass(frozen=True, slots=True)
class PowerSwitched(Event):
    """The contactor has moved: energy can flow, or no longer."""

    evse_id: int
    closed: bool


@dataclass(frozen=True, slots=True)
class FaultRaised(Event):
    """Something is wrong. `code` is one of `chargepoint.faults`; evse_id 0 is the station."""

    evse_id: int
    code: str
    text: str = ""
    stops_charging: bool = True


@dataclass(frozen=True, slots=True)
class FaultCleared(Event):
    """It is over."""

    evse_id: int
    code: str


@dataclass(frozen=True, slots=True)
class LimitApplied(Event):
    """The current that the EVSE offers now, and the name of the bound that won."""

    evse_id: int
    current_A: float
    reason: str


# ---- between machines: the session with the vehicle (ISO 15118)


class SessionStage(enum.Enum):
    """What has become of a V2G session."""

    BEGUN = "begun"
    """SessionSetup is done."""
    TERMINATED = "terminated"
    PAUSED = "paused"
    ABORTED = "aborted"
    REPLACED = "replaced"
    """By another connection of the same vehicle."""


@dataclass(frozen=True, slots=True)
class SessionChanged(Event):
    """The session with the vehicle has begun, or is over."""

    evse_id: int
    stage: SessionStage
    why: str = ""
    lost: bool = False
    """The vehicle fell silent, or its connection is gone."""


class Supply(enum.Enum):
    """What the session with the vehicle lets be on the output."""

    OFF = "off"
    CABLE_CHECK = "cable check"
    PRECHARGE = "precharge"
    STANDBY = "standby"
    """DC: the battery's voltage behind the closed contactor, and no current."""
    POWER = "power"


@dataclass(frozen=True, slots=True)
class SupplyAsked(Event):
    """The vehicle's consent to power, and in DC what it wants; its words, unjudged. Comes again with each round of the loop."""

    evse_id: int
    supply: Supply
    voltage_V: float = 0.0
    current_A: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class TalkingAllowed(Event):
    """The CSMS lets the vehicle be asked to talk, or not (ISO15118Ctrlr.Enabled); a session that goes on is not ended by it."""

    evse_id: int
    allowed: bool


@dataclass(frozen=True, slots=True)
class TalkingBegun(Event):
    """5 % is on the pilot."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class TalkingEnded(Event):
    """5 % is not on the pilot any more: sessions that still go on are over. `paused`: the vehicle sleeps, and its data link stays."""

    evse_id: int
    paused: bool = False


@dataclass(frozen=True, slots=True)
class LevelSettled(Event):
    """The pilot of an EVSE that talks has another level, debounced: "A" to "F"."""

    evse_id: int
    level: str


@dataclass(frozen=True, slots=True)
class ModemReady(Event):
    """The power-line modem has confirmed the key for the next vehicle, so that 5 % may be shown; or not yet. `lost`: it does not work at all, and why."""

    evse_id: int
    ready: bool
    lost: str = ""


@dataclass(frozen=True, slots=True)
class VehicleMatched(Event):
    """SLAC has found the vehicle on this cable."""

    evse_id: int
    mac: str
    attenuation_dB: float


@dataclass(frozen=True, slots=True)
class MatchingFailed(Event):
    """SLAC has found nobody."""

    evse_id: int
    why: str


@dataclass(frozen=True, slots=True)
class VehicleLeft(Event):
    """Everybody has heard of the unplugging: what the vehicle had said can be forgotten."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class SupplyChanged(Event):
    """What is on the output is something else: `EvseFacts.supply` says what."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class InsulationTested(Event):
    """The cable check is over."""

    evse_id: int
    passed: bool


@dataclass(frozen=True, slots=True)
class VehicleRevoked(Event):
    """A certificate of the vehicle on this connection has been revoked."""

    evse_id: int
    connection: int


@dataclass(frozen=True, slots=True)
class VehicleDismissed(Event):
    """A connection is over, by us."""

    evse_id: int
    connection: int


@dataclass(frozen=True, slots=True)
class VehicleIdentified(Event):
    """The vehicle has said who it is: `EvseFacts.vehicle` stands."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class ChargingNeedsTold(Event):
    """The vehicle has said what it needs (ScheduleExchange): `EvseFacts.vehicle` has it. `renegotiated`: not for the first time in its session."""

    evse_id: int
    renegotiated: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleChosen(Event):
    """The vehicle goes by this schedule, and has said what it plans (PowerDelivery Start): `EvseFacts.vehicle` has both."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class ChargingNeedsAnswered(Event):
    """What the CSMS says to ChargingNeedsTold: NotifyEVChargingNeedsStatusEnumType; "" when nobody could be asked, or none answered."""

    evse_id: int
    status: str


# ---- between machines: Plug & Charge


@dataclass(frozen=True, slots=True)
class CertificateHash:
    """OCSPRequestDataType of OCPP: one certificate, and who tells its state."""

    algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    responder_url: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What a vehicle has shown, and what was found of it here."""

    evse_id: int
    number: int
    """Counts the contracts that were shown at this EVSE."""
    chain_pem: str = field(repr=False)
    """As it was sent, leaf first; never a root."""
    hashes: tuple[CertificateHash, ...] = ()
    """What to ask about each of them, leaf first. None: no root is known for it, or its certificates name nobody who would tell."""
    rooted: bool = False
    """It was judged here by a root that is known here, and is right. Else only its signature is: whether it may pay is for the CSMS alone to say."""
    why: str = ""
    """What was found, as a log says it."""


@dataclass(frozen=True, slots=True)
class ContractPresented(Event):
    """The vehicle wants to pay by this contract; its signature is right, and of this session. Answered by exactly one ContractJudged."""

    evse_id: int
    emaid: str
    contract: Contract


@dataclass(frozen=True, slots=True)
class ContractJudged(Event):
    """The contract of this number pays (None), or why it does not."""

    evse_id: int
    number: int
    refusal: Refusal | None
    sentence: str = ""
    """For its driver; "" where nobody is there to read it."""
    lasting: bool = False
    """The contract itself is not taken: shown again it is not, either. Else it is a matter of the moment, or nobody could tell."""
    leaf: str = ""
    """Where it pays: its certificate, by `certificate_key`."""


@dataclass(frozen=True, slots=True)
class ContractsAllowed(Event):
    """What the CSMS lets this EVSE do with contracts, as far as it can be done now; comes again with every change."""

    evse_id: int
    pnc: bool = False
    """They pay here (ISO15118Ctrlr.PnCEnabled), and there is somebody to judge them."""
    central: bool = False
    """One whose root is not known here is given to the CSMS (CentralContractValidationAllowed)."""
    installation: bool = False
    """They can be asked for through the CSMS (ContractCertificateInstallationEnabled)."""
    providers: tuple[str, ...] = ()
    """Whose contracts pay here (SupportedProviders): the first five characters of their eMAIDs, without the hyphen; () = everybody's."""


@dataclass(frozen=True, slots=True)
class InstallationWanted(Event):
    """The vehicle asks for contracts, or for the one that it has anew; answered by exactly one InstallationAnswered."""

    evse_id: int
    number: int
    """Counts what was asked for at this EVSE."""
    schema: str
    """Of the octets: their namespace."""
    octets: bytes = field(repr=False)
    """CertificateInstallationReq or CertificateUpdateReq, an EXI document."""
    maximum: int
    emaids: tuple[str, ...] = ()
    update: bool = False


@dataclass(frozen=True, slots=True)
class InstallationAnswered(Event):
    """What the provisioning service behind the CSMS has made for it, or why there is nothing."""

    evse_id: int
    number: int
    octets: bytes = field(default=b"", repr=False)
    """The response, an EXI document; b"": none."""
    remaining: int | None = None
    """How many more contracts there are; None: as it says itself."""
    refusal: Refusal = Refusal.NO_CERTIFICATE


# ---- between machines: authorisation and transactions


@dataclass(frozen=True, slots=True)
class IdToken:
    """OCPP 2.1 IdTokenType, without additionalInfo but for what is needed. `type` is an IdTokenEnumStringType."""

    id_token: str
    type: str
    additional: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Authorised(Event):
    """This EVSE may give energy to this token."""

    evse_id: int
    id_token: IdToken
    group: str = ""
    how: Literal["online", "cache", "list", "offline_unknown", "remote", "none_needed"] = "online"
    remote_start_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuthorisationRefused(Event):
    """The token may not charge here. `status` is an AuthorizationStatusEnumType."""

    evse_id: int
    id_token: IdToken
    status: str


@dataclass(frozen=True, slots=True)
class AuthorisationEnded(Event):
    """No more energy for this EVSE's token: stopped by the driver, the CSMS, an invalid token, a time-out."""

    evse_id: int
    reason: str
    """ReasonEnumType, as the Ended event will say it."""
    trigger: str
    """TriggerReasonEnumType."""
    id_token: IdToken | None = None
    """The token that was presented for it; None where none was."""
    at_once: bool = False
    """Open without giving the EV its 3 s to stop by itself (S-11)."""


@dataclass(frozen=True, slots=True)
class TransactionStarted(Event):
    """A transaction exists; not yet on disk."""

    evse_id: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class TransactionKept(Event):
    """A transaction that a restart has interrupted goes on where its EV is still there (OCPP 2.1 E17): whoever it belongs to owns the EVSE until then."""

    evse_id: int
    transaction_id: str
    owner: IdToken | None
    """Whose it is; None where nobody had been authorised."""
    authorised: bool
    """The owner's authorisation stood when it was interrupted."""
    group: str = ""
    refused: bool = False
    """The CSMS has refused the owner's token in it (E05)."""
    begun_Wh: float | None = None
    """The meter's register when it began."""
    plugged: bool | None = True
    """Its EV was plugged in when it was interrupted; None: none ever has been."""
    leaf: str = ""
    """The certificate of the contract that authorises the owner, by `certificate_key`; "": it is no contract, or none has been judged."""


@dataclass(frozen=True, slots=True)
class TransactionDurable(Event):
    """Its Started event is on disk: power may flow."""

    evse_id: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class TransactionNotStored(Event):
    """Its Started event could not be stored (F-2): no power."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class TransactionEnded(Event):
    """The transaction is over; the EVSE may still hold the plug."""

    evse_id: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class SupplyStopped(Event):
    """Energy has to stop for a while or for good, though the authorisation stands (transaction limits, invalid token): SuspendedEVSE."""

    evse_id: int
    stopped: bool
    cause: str


@dataclass(frozen=True, slots=True)
class OperationalChanged(Event):
    """The CSMS made this EVSE operative or inoperative (ChangeAvailability), or it became so by itself."""

    evse_id: int
    operative: bool


@dataclass(frozen=True, slots=True)
class LimitSet(Event):
    """A bound from one source, "csms", "local", "thermal" ...: on the current of each phase (DC: of the output), on the power, or on both. None lifts it."""

    evse_id: int
    source: str
    current_A: float | None
    power_W: float | None = None


@dataclass(frozen=True, slots=True)
class PhasesWanted(Event):
    """Charge on this many phases from now on (solar surplus); only boards that can switch follow, with open contactors."""

    evse_id: int
    phases: Literal[1, 3]


@dataclass(frozen=True, slots=True)
class UnlockWanted(Event):
    """Release the plug; the answer is LockReport of this EVSE."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class PlugKept(Event):
    """The socket holds its plug from now on, or does not any more: the lock's sensor says so, or its motor moves."""

    evse_id: int
    kept: bool


@dataclass(frozen=True, slots=True)
class UnlockFinished(Event):
    """The plug is free, or it is not."""

    evse_id: int
    unlocked: bool


# ---- between machines: what a token means (the authorize machine asks, OCPP's blocks know)


@dataclass(frozen=True, slots=True)
class KnownToken:
    """What a list or a cache says about a token. `status` is an AuthorizationStatusEnumType; no `evse_ids` means every EVSE."""

    status: str
    group: str = ""
    evse_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenLookup(Event):
    """Who is this? Answered by exactly one TokenVerdict with the same id: at once, or once the CSMS has answered."""

    lookup_id: int
    id_token: IdToken
    purpose: Literal["start", "stop"]
    """"stop": nothing can be started, only a group or a master pass can show; an unknown token is then no use, offline or not."""
    contract: Contract | None = None
    """It is the eMAID of this contract, which a vehicle has shown."""
    stops: tuple[str, ...] = ()
    """Groups of those whose authorisation it would end, were it of the same one (E07.FR.01)."""


@dataclass(frozen=True, slots=True)
class ListChecked(Event):
    """The local authorization list has been asked for a TokenLookup; the cache and the CSMS come after it."""

    lookup_id: int
    id_token: IdToken
    purpose: Literal["start", "stop"]
    found: KnownToken | None = None
    final: bool = False
    """The CSMS is not to be asked about a token that the list refuses (LocalAuthListCtrlr.DisablePostAuthorize)."""
    contract: Contract | None = None
    lapsed: bool = False
    """It is in the list, and its time there is over: it counts for nothing, and yet it is not unknown (C13.FR.06)."""
    stops: tuple[str, ...] = ()
    """As the lookup has them."""


@dataclass(frozen=True, slots=True)
class TokenVerdict(Event):
    """What is known about the token. `status` is an AuthorizationStatusEnumType, or "" when nobody could tell."""

    lookup_id: int
    status: str
    group: str = ""
    how: Literal["online", "cache", "list", "offline_unknown"] = "online"
    evse_ids: tuple[int, ...] = ()
    """The only EVSEs where it may charge; none = everywhere."""
    certificate: str = ""
    """AuthorizeCertificateStatusEnumType of a contract; "": nobody has said."""


@dataclass(frozen=True, slots=True)
class TransactionTokenJudged(Event):
    """The CSMS answered a TransactionEvent that carried this token; `info` is the idTokenInfo of the answer."""

    evse_id: int
    """0: it has ended meanwhile."""
    transaction_id: str
    id_token: IdToken
    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one transaction (TransactionLimitType); None: no such bound."""

    cost: float | None = None
    """In the currency of the tariff, with taxes."""
    energy_Wh: float | None = None
    time_s: int | None = None
    """From its start, whether energy flows or not."""
    soc_percent: int | None = None


@dataclass(frozen=True, slots=True)
class TransactionAnswered(Event):
    """What the CSMS said of a running transaction in its answer to a TransactionEvent. None: nothing."""

    evse_id: int
    transaction_id: str
    limits: Limits | None = None
    total_cost: float | None = None


@dataclass(frozen=True, slots=True)
class LimitsWanted(Event):
    """The driver bounds the transaction that goes on here; a bound that is not named stays as it was."""

    evse_id: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class RulesWanted(Event):
    """The authorize machine asks for AuthorisationRules."""


@dataclass(frozen=True, slots=True)
class AuthorisationRules(Event):
    """What the CSMS has set about authorisation, as the authorize machine needs it; comes again with every change."""

    enabled: bool = True
    """AuthCtrlr.Enabled; without it whoever plugs in may charge."""
    connection_timeout_s: float = 120.0
    """TxCtrlr.EVConnectionTimeOut."""
    master_pass_group: str = ""
    """AuthCtrlr.MasterPassGroupId."""
    stop_on_invalid: bool = True
    """TxCtrlr.StopTxOnInvalidId."""
    max_energy_on_invalid_Wh: float = 0.0
    """TxCtrlr.MaxEnergyOnInvalidId, counted from the beginning of the transaction."""
    end_on_unplug: bool = True
    """TxCtrlr.StopTxOnEVSideDisconnect: without it the authorisation outlives a plug that is pulled at the EV."""
    unlock_on_unplug: bool = True
    """OCPPCommCtrlr.UnlockOnEVSideDisconnect: without it a socket keeps the plug until its driver presents the token again."""


@dataclass(frozen=True, slots=True)
class RemoteStartRequested(Event):
    """The CSMS wants this token to charge here; `authorize`: it is to be asked about the token first."""

    evse_id: int
    id_token: IdToken
    remote_start_id: int
    group: str = ""
    authorize: bool = False


@dataclass(frozen=True, slots=True)
class RemoteStopRequested(Event):
    """The CSMS wants this transaction to end."""

    evse_id: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class MessageTriggered(Event):
    """The CSMS asked for this message (MessageTriggerEnumType) with TriggerMessage, and was told that it comes. evse_id 0 = all."""

    requested: str
    evse_id: int = 0
    custom: str = ""


@dataclass(frozen=True, slots=True)
class DataTransferWanted(Event):
    """A vendor's extension, or whoever embeds the station, has something for its CSMS (P02). `data`: anything that JSON can carry; None: nothing."""

    vendor_id: str
    message_id: str = ""
    data: Any = None


# ---- between machines: time


@dataclass(frozen=True, slots=True)
class TimeSet(Event):
    """The CSMS told the time; `offset_s` is what is added to the board's clock from now on."""

    offset_s: float
    changed_s: float


# ---- between machines: certificates


@dataclass(frozen=True, slots=True)
class CertificateExpiring(Event):
    """This one ends soon, or has ended (`days` below 0): told when the configured time ahead begins, then daily. A root's slot is its fingerprint."""

    use: CertificateUse
    slot: str
    days: float


# ---- between machines: registration, reset, security


@dataclass(frozen=True, slots=True)
class RegistrationChanged(Event):
    """The CSMS answered a BootNotification. `status` is a RegistrationStatusEnumType; every answer tells, also the same one again."""

    status: str


@dataclass(frozen=True, slots=True)
class ResetInterrupts(Event):
    """A reset is about to interrupt the transaction of this EVSE, which stays open (B13); or that is over, and it goes on."""

    evse_id: int
    over: bool = False


@dataclass(frozen=True, slots=True)
class EvseOutOfService(Event):
    """Keep this EVSE from being used (True) or no longer (False), whatever ChangeAvailability said: a reset waits or is going on."""

    evse_id: int
    cause: str
    out: bool


@dataclass(frozen=True, slots=True)
class PasswordChanged(Event):
    """Another basic-auth password stands in the device model: connect anew with it. The value is read there, it is not in the event."""

    fell_back: bool = False
    """The CSMS refused the new one, so this is the one before."""


@dataclass(frozen=True, slots=True)
class CredentialsRenewed(Event):
    """Something else is shown to the CSMS from now on: connect anew with it. `what` is for the log."""

    what: str


@dataclass(frozen=True, slots=True)
class RootReplaced(Event):
    """A new root for the CSMS was installed in the place of this one, which is kept as long as the new one has not proved itself (M05.FR.12)."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class SigningAsked(Event):
    """The CSMS asked for this certificate to be renewed with TriggerMessage: whoever renews it answers."""

    message_id: str
    use: CertificateUse


@dataclass(frozen=True, slots=True)
class SecurityEvent(Event):
    """Something for the security log. `type` is one of `chargepoint.ocpp.blocks.security.SECURITY_EVENTS`; no secrets in `info`."""

    type: str
    info: str = ""
