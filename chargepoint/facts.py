"""What is known right now, for every machine to read. Each field has one machine that writes it, named beside it."""

from __future__ import annotations

from dataclasses import field

from certs.store import InstalledRoot, OwnChain, OwnUse, RootUse
from chargepoint.events import ChargingState, IdToken, Supply
from hal.types import DcSample, MeterSample
from iso15118 import phases
from iso15118.frozen import dataclass
from iso15118.terms import Battery, EnergyChosen, EnergyWanted, EvLimits, Slot


@dataclass(slots=True)
class Vehicle:
    """What the vehicle has said of itself in its session (ISO 15118). `protocol` is the namespace that both speak."""

    protocol: str
    evcc_id: str
    chosen: EnergyChosen | None = None
    limits: EvLimits = field(default_factory=EvLimits)
    needs: EnergyWanted = field(default_factory=EnergyWanted)
    battery: Battery = field(default_factory=Battery)
    battery_mono: float = 0.0
    """When it showed `battery` (Tick.mono)."""
    most_points: int = 0
    """MaximumSupportingPoints of a schedule; 0: not said."""
    schedule_id: int | None = None
    plan: tuple[Slot, ...] = ()
    """Of the vehicle, within that schedule."""
    target_W: float | None = None
    """AC: what it was told last to draw, in the loop that it is in; negative: to give."""
    resumed: bool = False
    trouble: str = ""
    """What it says is wrong with it: EVErrorCode."""
    connection: int = 0
    """Of its session, or of the last one that it had."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What bounds an output whatever its voltage; which of the two holds depends on that."""

    current_A: float = 0.0
    power_W: float = 0.0


@dataclass(slots=True)
class EvseFacts:
    """One EVSE as it stands."""

    evse_id: int
    # written by `evse`
    plugged: bool = False
    charging_state: ChargingState = ChargingState.IDLE
    power_closed: bool = False
    locked: bool = False
    limit_A: float = 0.0
    limit_reason: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    """Fault code -> text for a person."""
    meter: MeterSample | None = None
    meter_mono: float = 0.0
    dc: DcSample | None = None
    """Of the DC stage; None while nobody knows: the board is silent, or the last one is old."""
    supply: Supply = Supply.OFF
    """What is on the output: OFF until it is there, and until it is gone."""
    insulation: bool | None = None
    """The cable check of this session: passed, failed, or not done."""
    limit_W: float = 0.0
    """The power that is offered, for all phases together."""
    bounds: Bounds = field(default_factory=Bounds)
    """What both are made of, while something is offered."""
    settled: bool = True
    """Nothing has to wait any more after a start or an opening."""
    phases: int = 3
    switching: bool = False
    """Another number of phases is wanted, which comes with open contactors."""
    s2_open: bool = False
    """The pilot says that the vehicle is there, and wants no energy (B)."""
    digital: bool = False
    """The pilot shows 5 %: the vehicle is to talk."""
    # written by `v2g`
    vehicle: Vehicle | None = None
    """Who is plugged in, as far as it has said so; forgotten when it leaves."""
    # written by `authorize`
    id_token: IdToken | None = None
    """Whom the EVSE may give energy now."""
    owner: IdToken | None = None
    """Whose the running transaction is, also when its authorisation is over: nobody else goes on with it."""
    # written by `transaction`
    transaction_id: str = ""
    cost_bounded: bool = False
    """There is a bound to what it may cost."""
    # written by the availability block
    operative: bool = True
    reserved: bool = False
    bay_occupied: bool = False

    @property
    def part(self) -> float:
        """Of the power of all phases, what is on those that a vehicle that talks has chosen. 1.0: all of it."""
        chosen = self.vehicle.chosen if self.vehicle is not None and self.digital else None
        return phases.share(chosen.phases, self.phases) if chosen is not None else 1.0


@dataclass(slots=True)
class LinkFacts:
    """The link to the CSMS as it stands; written by the link machine and, for `registration`, the boot block."""

    connected: bool = False
    slot: int = 0
    security_profile: int = 0
    subprotocol: str = ""
    identity: str = ""
    """The station's identity on this connection, or on the last one."""
    password: str = field(default="", repr=False)
    """Basic-auth password of this connection, or of the last one; "" without basic auth."""
    root: str = ""
    """The root (fingerprint) that the CSMS's chain on this connection ends at; "" where nobody says."""
    wildcard: bool = False
    """Its certificate on this connection names it by a wildcard only."""
    registration: str = ""
    """RegistrationStatusEnumType of the last BootNotificationResponse; "" before the first."""
    offline_since: float | None = 0.0
    """Tick.mono since when there is no link; None while there is one."""

    @property
    def online(self) -> bool:
        """Whether the CSMS would answer an ordinary message now."""
        return self.connected and self.registration == "Accepted"


@dataclass(slots=True)
class CertificateFacts:
    """What the store of certificates held when it was read last; written by `certificates`. Empty until it was."""

    roots: tuple[InstalledRoot, ...] = ()
    own: tuple[OwnChain, ...] = ()
    read: bool = False
    """Whether it has been read at all."""
    # written by the block for vehicles' certificates
    revoked: frozenset[str] = frozenset()
    """`tbs_fingerprint` of certificates in vehicles' chains that the CSMS has called revoked."""

    def trusted(self, use: RootUse) -> tuple[InstalledRoot, ...]:
        """The roots for this use."""
        return tuple(each for each in self.roots if each.use == use)

    def active(self, use: OwnUse) -> tuple[OwnChain, ...]:
        """The chains that are shown for this use: one for each kind of key."""
        return tuple(each for each in self.own if each.use == use and each.state == "active")

    def slot(self, name: str) -> OwnChain | None:
        """The slot of this name."""
        return next((each for each in self.own if each.slot == name), None)
