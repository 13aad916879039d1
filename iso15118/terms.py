"""What a vehicle and a charger say to one another, in words of no dialect: SI units, floats, frozen values.

Three kinds of things:

- `Facts` is what the charger knows at this moment. Its host (the station, a bench) keeps it up to date; a session reads it and never waits. What takes
  time is `Progress`: a request that finds it under way is answered "ongoing", and the vehicle asks again.
- a `Told` is what the vehicle said or what follows from it; the session gives it to the host. Nothing is switched by a session.
- `Wish` is what the charger wants of the vehicle in the loop: stop, pause, another schedule.

The dialects (DIN 70121, ISO 15118-2, ISO 15118-20) translate to and from this. Positive power and current flow to the vehicle, negative ones from it.
"""

from __future__ import annotations

import enum
from dataclasses import field

from iso15118.approach import Approach, WptLimits
from iso15118.frozen import dataclass
from iso15118.grid import GridCode, Inverter, InverterState
from iso15118.told import Progress as Progress  # noqa: PLC0414 a word of this module
from iso15118.told import Told as Told  # noqa: PLC0414 likewise
from iso15118.trust import Refusal, Trust


class Energy(enum.Enum):
    """Kinds of energy transfer."""

    AC = "AC"
    DC = "DC"
    AC_BPT = "AC_BPT"
    DC_BPT = "DC_BPT"
    AC_DER_IEC = "AC_DER_IEC"
    """By grid rules of IEC (EN 50549), or of SAE (IEEE 1547): ISO 15118-20, Amendment 1."""
    AC_DER_SAE = "AC_DER_SAE"
    WPT = "WPT"
    """Over a coil in the ground."""
    ACDP = "ACDP"
    """DC by an arm that comes down to the vehicle."""
    ACDP_BPT = "ACDP_BPT"

    @property
    def is_dc(self) -> bool:
        return self in _DC

    @property
    def is_bpt(self) -> bool:
        """Bidirectional: the vehicle may feed back."""
        return self in _BPT

    @property
    def is_der(self) -> bool:
        """By grid rules."""
        return self in (Energy.AC_DER_IEC, Energy.AC_DER_SAE)


_DC = (Energy.DC, Energy.DC_BPT, Energy.ACDP, Energy.ACDP_BPT)
_BPT = (Energy.AC_BPT, Energy.DC_BPT, Energy.AC_DER_IEC, Energy.AC_DER_SAE, Energy.ACDP_BPT)
PLAIN = (Energy.AC, Energy.DC, Energy.AC_BPT, Energy.DC_BPT)
"""By cable, and by no grid rules: what every protocol means by AC and DC."""
BY_CABLE = (*PLAIN, Energy.AC_DER_IEC, Energy.AC_DER_SAE)


class Control(enum.Enum):
    """Who plans: the vehicle within a schedule, or the charger moment by moment."""

    SCHEDULED = "scheduled"
    DYNAMIC = "dynamic"


class Payment(enum.Enum):
    """How the vehicle is authorised: by other means (card, app), or by its contract certificate."""

    EIM = "EIM"
    PNC = "PnC"


# ---- what the charger is and knows


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of a parameter set: the standard's name, and its value."""

    name: str
    value: bool | int | str | float


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One way of a service that the vehicle may choose."""

    id: int
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Offered:
    """A kind of energy transfer that is offered; `controls` and `mobility_by_secc` are its ways, in words of no parameter set."""

    energy: Energy
    controls: tuple[Control, ...] = (Control.SCHEDULED, Control.DYNAMIC)
    mobility_by_secc: bool = False
    """In dynamic control the charger may be told the departure time and so on from elsewhere (MobilityNeedsMode 2)."""
    nominal_V: float = 230.0
    phases: int = 3
    """AC: of three a vehicle may choose one (ISO 15118-20: the parameter sets of one stand behind those of three)."""
    pricings: tuple[int, ...] = (0,)
    """0 no pricing, 1 absolute prices, 2 price levels (parameter Pricing of ISO 15118-20), each in a parameter set of its own. Where there is 0 alone,
    no parameter set says anything of prices: what the host has for its schedules is told all the same.
    """
    grid_functions: int = 0
    """By grid rules: what they ask for, as bits (`grid.functions`)."""


@dataclass(frozen=True, slots=True)
class AddedService:
    """A value-added service: internet, parking, or somebody's own. Configured data, nothing that we act on."""

    service_id: int
    parameter_sets: tuple[ParameterSet, ...]
    free: bool = True


@dataclass(frozen=True, slots=True)
class AcLimits:
    """Of the charger, for the sum of its phases; what it can do at least, it can on one. Feeding back: zero where it may not be."""

    max_power_W: float
    min_power_W: float = 0.0
    max_discharge_W: float = 0.0
    min_discharge_W: float = 0.0
    nominal_V: float = 230.0
    nominal_Hz: float = 50.0
    phases: int = 3
    """So many there are now: `Offered` may have more, where the charger has gone down to one since that was told."""


@dataclass(frozen=True, slots=True)
class DcLimits:
    """Of the charger's output."""

    max_power_W: float
    max_current_A: float
    max_voltage_V: float
    min_voltage_V: float = 50.0
    min_power_W: float = 0.0
    min_current_A: float = 0.0
    max_discharge_W: float = 0.0
    max_discharge_A: float = 0.0
    ramp_W_per_s: float | None = None
    """How fast the power follows. None: it is not told."""
    ripple_A: float = 1.0
    """Of the current, from peak to peak: DIN 70121 and ISO 15118-2 tell it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The meter, for the vehicle to see."""

    meter_id: str
    import_Wh: int
    export_Wh: int | None = None
    signature: bytes = b""
    utc: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of a schedule: from `start_s` after its anchor, this power at most (negative: at least so much back)."""

    start_s: int
    duration_s: int
    power_W: float


@dataclass(frozen=True, slots=True)
class Price:
    """A stretch of a price schedule. `level` is its price's place among the prices, for price-level schedules: the least is the cheapest."""

    start_s: int
    duration_s: int
    per_kWh: float = 0.0
    level: int = 0
    from_power_W: float = 0.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What energy costs. With a currency and with levels it can be told either way, as the chosen parameter set wants."""

    id: int
    currency: str
    """"": there are no amounts."""
    slots: tuple[Price, ...]
    language: str = "en"
    description: str = ""
    levels: int = 0
    """There are so many levels; 0: there are none, but amounts."""
    signed: bytes = field(default=b"", repr=False)
    """The same as the mobility operator has signed it: an EXI fragment of AbsolutePriceSchedule with an Id, told instead where amounts are. The signature
    is in `Facts.prices_signature`."""
    signed_tariff: bytes = field(default=b"", repr=False)
    """Likewise for ISO 15118-2: an EXI fragment of SalesTariff with an Id; its signature is in `Facts.tariff_signature`."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One that the vehicle may follow."""

    id: int
    charging: tuple[Slot, ...]
    discharging: tuple[Slot, ...] = ()
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class DynamicPlan:
    """What the charger says in dynamic control."""

    departure_s: int | None = None
    min_soc: int | None = None
    target_soc: int | None = None
    prices: Prices | None = None


class Wish(enum.Enum):
    """What the charger wants of the vehicle."""

    STOP = "stop"
    PAUSE = "pause"
    RENEGOTIATE_SCHEDULE = "renegotiate schedule"
    RENEGOTIATE_SERVICE = "renegotiate service"
    CONFIRM_METERING = "confirm metering"
    EXIT_STANDBY = "exit standby"


@dataclass(slots=True)
class Facts:
    """What the charger knows at this moment; its host changes it, sessions read it."""

    evse_id: str = "DE*ICE*E00001*1"
    payments: tuple[Payment, ...] = (Payment.EIM,)
    certificate_installation: bool = False
    energies: tuple[Offered, ...] = ()
    added_services: tuple[AddedService, ...] = ()
    renegotiation: bool = True
    """Service renegotiation is supported."""
    pausing: bool = True
    """A session may pause, and be resumed."""
    standby: bool = True
    """The loop may go on without energy."""
    parking_methods: tuple[str, ...] = ()

    authorization: Progress = Progress.NOT_ASKED
    """By other means than a contract."""
    trust: Trust = field(default_factory=Trust)
    providers: tuple[str, ...] = ()
    """Whose contracts are taken, as an eMAID begins ("DEABC"); none: anyone's."""
    contract: Progress = Progress.NOT_ASKED
    """What the host has found about the contract that was shown last (`ContractShown`); whoever hears that sets it anew, at once."""
    contract_refusal: Refusal = Refusal.NOT_ACCEPTED
    """Why, where `contract` is FAILED."""
    installation: Progress = Progress.NOT_ASKED
    """DONE: `installation_res` is there for what was asked for last (`InstallationAsked`), which sets it anew as well."""
    installation_res: bytes = field(default=b"", repr=False)
    """CertificateInstallationRes as the provisioning service has made it: an EXI document."""
    installation_remaining: int | None = None
    """How many more contracts can be asked for after it. None: as it says itself."""
    installation_refusal: Refusal = Refusal.NO_CERTIFICATE
    """Why, where `installation` is FAILED."""
    prices_signature: bytes = field(default=b"", repr=False)
    """Of all signed prices that `schedules` or `dynamic` have: an EXI fragment of Signature (xmldsig)."""
    tariff_signature: bytes = field(default=b"", repr=False)
    """Of all signed tariffs that `schedules` have: likewise."""
    ac: AcLimits | None = None
    dc: DcLimits | None = None
    schedules: tuple[Schedule, ...] | None = None
    """None: not known yet. Asked for others beside the loop, the host empties it until it has them."""
    dynamic: DynamicPlan | None = field(default_factory=DynamicPlan)
    cable_check: Progress = Progress.NOT_ASKED
    precharge: Progress = Progress.NOT_ASKED
    """DONE: the voltage is where the vehicle wants it."""
    power: Progress = Progress.NOT_ASKED
    """DONE: energy can flow (AC: the contactor is closed; DC: the stage delivers)."""
    voltage_V: float = 0.0
    voltage_known: bool = True
    """DC: somebody reads the output. Else nothing is said of it: a vehicle would take it for the truth."""
    current_A: float = 0.0
    target_power_W: float = 0.0
    """In dynamic control and AC: what the vehicle is to draw at most now; negative: to give. AC: for the sum of the charger's phases, as in `schedules`."""
    power_limited: bool = False
    current_limited: bool = False
    voltage_limited: bool = False
    meter: Reading | None = None
    wish: Wish | None = None
    wish_within_s: int = 0
    """NotificationMaxDelay."""
    fault: str = ""
    """Something is wrong with the charger: requests for energy fail."""
    rcd: bool = False
    """AC: the residual current device has tripped."""
    grid: GridCode | None = None
    """What grid rules ask of a vehicle that feeds back; the grid operator may change it while energy flows."""
    wpt: WptLimits | None = None
    approach: Approach | None = None
    """How far a vehicle has come that needs no cable."""


# ---- what is told


@dataclass(frozen=True, slots=True)
class DialectChosen(Told):
    """SupportedAppProtocol has agreed on a namespace."""

    namespace: str


@dataclass(frozen=True, slots=True)
class SessionBegun(Told):
    """SessionSetup. `resumed`: an earlier, paused session goes on."""

    session_id: bytes
    evcc_id: str
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class AuthorizationWanted(Told):
    """The vehicle waits for `Facts.authorization`."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class ContractShown(Told):
    """A contract whose signature is right, and is this session's. The vehicle waits for `Facts.contract`; told once for each contract."""

    emaid: str
    """Capitals, without separators; its check digit as the certificate has it."""
    chain: tuple[bytes, ...] = field(repr=False)
    """DER as it was sent: the contract's certificate, then its CAs."""
    path: tuple[bytes, ...] = field(default=(), repr=False)
    """DER up to a root that is known here: what to ask about each of them can be had from this (`certs.hash_data`). (): no way up was looked for, or found."""
    why: str = ""
    """What was found, as a log says it."""


@dataclass(frozen=True, slots=True)
class ContractRefused(Told):
    """A contract that this charger does not take. The vehicle may show another one, or go on by other means."""

    emaid: str
    refusal: Refusal
    why: str
    """For the log."""
    sentence: str = ""
    """For the driver."""


@dataclass(frozen=True, slots=True)
class InstallationAsked(Told):
    """The vehicle wants contracts, and waits for `Facts.installation`; told once for each of them."""

    octets: bytes = field(repr=False)
    """CertificateInstallationReq: an EXI document, as the vehicle has sent it."""
    maximum: int = 1
    """So many contracts it can take, all in all."""
    emaids: tuple[str, ...] = ()
    """Those that it wants first."""
    number: int = 1
    """Which of them this is about."""
    pcid: str = ""
    """Who asks: the common name of its provisioning certificate; for an update, the eMAID."""
    namespace: str = "urn:iso:std:iso:15118:-20:CommonMessages"
    """Of the octets."""
    update: bool = False
    """The contract that it has is wanted anew (ISO 15118-2: CertificateUpdateReq)."""
    certificate: bytes = field(default=b"", repr=False)
    """DER of the certificate that asks: what is made for it is for its key, in whichever session it comes."""


@dataclass(frozen=True, slots=True)
class InstallationRefused(Told):
    """What was asked for is not given. The session goes on, but for a signature that is wrong."""

    why: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class EnergyChosen(Told):
    """The service that the vehicle selected, and how."""

    energy: Energy
    control: Control
    mobility_by_secc: bool = False
    parameter_set: int = 0
    added_services: tuple[tuple[int, int], ...] = ()
    """(service, parameter set)."""
    pricing: int = 0
    """As in `Offered`."""
    phases: int = 0
    """AC: so many the vehicle has asked for. 0: it did not say."""


@dataclass(frozen=True, slots=True)
class EvLimits(Told):
    """What the vehicle can take, and give back. None: it did not say."""

    max_power_W: float | None = None
    min_power_W: float | None = None
    max_current_A: float | None = None
    min_current_A: float | None = None
    max_voltage_V: float | None = None
    min_voltage_V: float | None = None
    max_discharge_W: float | None = None
    min_discharge_W: float | None = None
    max_discharge_A: float | None = None
    target_soc: int | None = None


@dataclass(frozen=True, slots=True)
class EnergyWanted(Told):
    """What the vehicle needs, and until when (seconds from now). V2X: how far it may be discharged and charged by us."""

    departure_s: int | None = None
    target_Wh: float | None = None
    max_Wh: float | None = None
    min_Wh: float | None = None
    min_soc: int | None = None
    target_soc: int | None = None
    max_v2x_Wh: float | None = None
    min_v2x_Wh: float | None = None


@dataclass(frozen=True, slots=True)
class Battery(Told):
    """What the vehicle shows about its battery."""

    soc: int | None = None
    min_soc: int | None = None
    target_soc: int | None = None
    max_soc: int | None = None
    to_min_s: int | None = None
    to_target_s: int | None = None
    to_max_s: int | None = None
    full: bool | None = None
    capacity_Wh: float | None = None
    inlet_hot: bool | None = None


@dataclass(frozen=True, slots=True)
class ScheduleAsked(Told):
    """The vehicle waits for `Facts.schedules`. `most_points`: of one schedule, that it takes; 0: it did not say."""

    most_points: int
    control: Control
    aside: bool = False
    """Beside the loop, for others than those that hold; told once, before anything is answered from `Facts`."""


@dataclass(frozen=True, slots=True)
class CableCheckWanted(Told):
    """Insulation test: the host sets `Facts.cable_check`."""


@dataclass(frozen=True, slots=True)
class PrechargeWanted(Told):
    """Bring the output to this voltage with next to no current. `present_V` is the vehicle's own reading."""

    target_V: float
    present_V: float


@dataclass(frozen=True, slots=True)
class PowerWanted(Told):
    """Energy may flow from here on: the host sets `Facts.power`. The profile is what the vehicle plans."""

    schedule_id: int | None = None
    profile: tuple[Slot, ...] = ()
    discharging: bool = False


@dataclass(frozen=True, slots=True)
class PlanChanged(Told):
    """In the loop the vehicle has taken one of other schedules; energy flows on. As `PowerWanted` says it."""

    schedule_id: int | None = None
    profile: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class StandbyWanted(Told):
    """No energy for now, but the session goes on."""


@dataclass(frozen=True, slots=True)
class DcDemand(Told):
    """In the loop, DC. Scheduled: the target; dynamic: what the vehicle allows now."""

    present_V: float
    target_V: float | None = None
    target_A: float | None = None
    limits: EvLimits | None = None


@dataclass(frozen=True, slots=True)
class AcDemand(Told):
    """In the loop, AC."""

    present_W: float | None = None
    limits: EvLimits | None = None
    target_W: float | None = None
    """What it is told to draw now, by all its phases; negative: to give. 0 also where there is something, and less than it can draw."""


@dataclass(frozen=True, slots=True)
class VehicleTrouble(Told):
    """What the vehicle says is wrong with it (DIN 70121, ISO 15118-2 in DC). Told when that has changed; the session goes on as the vehicle wants it, but
    for current, which it gets none.
    """

    error: str
    """EVErrorCode as the protocol spells it; "" for none."""
    ready: bool = True
    """In the loop: EVReady."""


@dataclass(frozen=True, slots=True)
class InverterDeclared(Told):
    """By grid rules: what the vehicle's inverter is. `ready`: it has taken the rules over; until then it asks again."""

    inverter: Inverter
    ready: bool = True
    unsaid: frozenset[str] = frozenset()
    """What of the rules there are no words for, so that the vehicle does not have it: by the names of `grid.GridCode`."""


@dataclass(frozen=True, slots=True)
class GridRulesMissed(Told):
    """By grid rules, in the loop: what of them the vehicle does not have. Told when that has changed."""

    stale: frozenset[str] = frozenset()
    """It has them as they were, and the loop has no words for others: the host wishes other services (`Wish.RENEGOTIATE_SERVICE`)."""
    unsaid: frozenset[str] = frozenset()
    """As in `InverterDeclared`."""


@dataclass(frozen=True, slots=True)
class InverterShown(Told):
    """By grid rules, in the loop: how the vehicle's inverter is, and what it sees of the grid."""

    state: InverterState


@dataclass(frozen=True, slots=True)
class MeteringConfirmed(Told):
    """The vehicle has signed, or acknowledged, this reading."""

    reading: Reading
    verified: bool = False
    """Signed with the key of the contract that pays."""
    why: str = ""
    """Why not, where it is not; where it is, what stood beside what is signed."""


@dataclass(frozen=True, slots=True)
class PowerOff(Told):
    """No energy any more: the vehicle ends the loop, or the session comes to its end in whatever way. Comes before anything is answered."""

    why: str


@dataclass(frozen=True, slots=True)
class WeldingCheckWanted(Told):
    """The vehicle has opened its contactors and looks whether ours are open, too."""


@dataclass(frozen=True, slots=True)
class ParkingTold(Told):
    """Vehicle check-in or check-out."""

    what: str
    status: str


class Ending(enum.Enum):
    """How a session is over."""

    TERMINATED = "terminated"
    PAUSED = "paused"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class SessionOver(Told):
    """The last thing of a session; `PowerOff` came before where power was on. `why` in words."""

    ending: Ending
    why: str
    ev_code: str = ""
    """EVTerminationCode and its explanation, or the EVErrorCode that stood, as the vehicle gave them."""
