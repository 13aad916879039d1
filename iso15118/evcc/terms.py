"""What a vehicle wants, and what it is told: the vehicle's half of `iso15118.terms`, in words of no dialect.

- `Wants` is what the vehicle wants and has at this moment. Its host (a bench, a car) keeps it up to date; a session only reads it.
- `EvWish` is something to be done once: when the session has taken it up it tells `WishTaken`, and the host clears it.
- a `Told` is what the charger said or what follows from it. Nothing is switched by a session: `CloseContactors` and `StopDrawing` are for the host.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import field
from typing import Any

from iso15118.frozen import dataclass
from iso15118.grid import GridCode, Inverter, InverterState
from iso15118.terms import (
    AddedService,
    Battery,
    Control,
    DynamicPlan,
    Energy,
    EnergyWanted,
    EvLimits,
    Payment,
    Reading,
    Schedule,
    Slot,
    Told,
    Wish,
)

EVERY_WISH = frozenset(Wish)


class EvWish(enum.Enum):
    """What the vehicle wants of its session, beside energy."""

    STOP = "stop"
    PAUSE = "pause"
    STANDBY = "standby"
    RESUME = "resume"
    """Out of standby."""
    RENEGOTIATE_SCHEDULE = "renegotiate schedule"
    RENEGOTIATE_SERVICE = "renegotiate service"
    CONFIRM_METERING = "confirm metering"
    CHECK_IN = "check in"
    CHECK_OUT = "check out"
    """Of a parking place: in before the schedules, or in the loop; out in the loop, or after the energy."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One that the vehicle may pay with. `chain` is DER, leaf first, without the root; `signer` signs with its key, wherever that is."""

    emaid: str
    chain: tuple[bytes, ...] = field(repr=False)
    signer: Callable[[bytes], bytes] = field(repr=False, compare=False)
    """From the octets of SignedInfo to the SignatureValue (`iso15118.signature`)."""
    agreement: Any = field(default=None, repr=False, compare=False)
    """As in `Provisioning`: by this a contract of ISO 15118-2 is updated. None: it cannot be."""


@dataclass(frozen=True, slots=True)
class Provisioning:
    """What the maker has given the vehicle: by this it asks for contracts."""

    pcid: str
    chain: tuple[bytes, ...] = field(repr=False)
    signer: Callable[[bytes], bytes] = field(repr=False, compare=False)
    agreement: Any = field(repr=False, compare=False)
    """Its private key, or what agrees with it on a secret (`certs.contract`)."""


@dataclass(slots=True)
class Wants:
    """What the vehicle wants and has now; its host changes it, sessions read it."""

    evcc_id: str = "ICEBENCH0001"
    resume: bytes = b""
    """Session id of an earlier session that was paused."""
    protocols: tuple[str, ...] = ()
    """What is spoken, best first, by the names in `evcc.speak`. None: ISO 15118-20."""
    mac: bytes = bytes.fromhex("021CE0000001")
    """EVCCID of DIN 70121 and ISO 15118-2: six octets, but there are vehicles that say less."""
    fresh_id: bytes = bytes(8)
    """Session id of a request before there is one, in these protocols: some vehicles say one octet."""
    payment: Payment = Payment.EIM
    fall_back: bool = True
    """Where no contract is taken: go on with EIM, if that is offered, too."""
    contracts: tuple[Contract, ...] = ()
    """Best first. One whose provider the charger does not take is not shown."""
    provisioning: Provisioning | None = None
    provisioning_iso2: Provisioning | None = None
    """Likewise for ISO 15118-2. None: the same."""
    install: bool = False
    """Ask for contracts though there are some. Without any that suits, they are asked for in any case."""
    update: bool = False
    """ISO 15118-2: ask for the contract anew that would pay."""
    refused: frozenset[str] = frozenset()
    """ISO 15118-2: eMAIDs that this charger has refused since the vehicle was plugged in. They are not shown again (`evcc.refusals`)."""
    asked: frozenset[str] = frozenset()
    """Likewise: ways in which contracts were asked for, "Installation" and "Update"; each is gone once."""
    most_contracts: int = 1
    """So many are asked for."""
    emaids: tuple[str, ...] = ()
    """Those that are wanted first, no more than `most_contracts`."""
    v2g_roots: tuple[bytes, ...] = field(default=(), repr=False)
    """DER: what the sender of a contract is judged by."""
    mo_roots: tuple[bytes, ...] = field(default=(), repr=False)
    """DER: what a contract is judged by before it is taken in. None: by its dates only."""
    peer_profile: bool = False
    """For peers in tests: sign with P-256, and take what is."""
    customer_s: float = 180.0
    """So long the driver may look for the card."""
    energies: tuple[Energy, ...] = (Energy.DC,)
    """What is wanted first stands first."""
    controls: tuple[Control, ...] = (Control.DYNAMIC, Control.SCHEDULED)
    """Likewise."""
    mobility_by_secc: bool = False
    """Where there is a choice: departure and states of charge come from the charger (MobilityNeedsMode 2)."""
    pricings: tuple[int, ...] = ()
    """Where there is a choice, best first: as in `iso15118.terms.Offered`. What is not here comes last."""
    added_services: tuple[int, ...] = ()
    """Ids of services that are taken, with their first parameter set, where they are offered."""
    narrow: bool = False
    """Ask the charger about wanted services only."""

    limits: EvLimits = field(default_factory=EvLimits)
    needs: EnergyWanted = field(default_factory=EnergyWanted)
    shown: Battery | None = None
    """For the charger's display."""
    voltage_V: float = 0.0
    """At the inlet, and so of the battery when the contactors are closed. Before that: of the battery."""
    target_V: float = 0.0
    target_A: float = 0.0
    """Scheduled DC: what is wanted now; less is asked for where the schedule has less."""
    power_W: float = 0.0
    """AC: what is drawn now; negative: given."""
    phases: int = 3
    """AC: of the charger on board. Where a charger has no way for so few, we use these of its phases, and keep to their share of its power."""
    begin_by_giving: bool = False
    """Both ways: discharge first."""
    contactors_closed: bool = False
    """DC; of AC vehicles nobody asks."""
    ready: bool = True
    """To start: until then PowerDelivery says that the vehicle is at work; in DC of DIN 70121 and ISO 15118-2, which have no word for that, precharging
    goes on. There the AC loop begins in any case."""
    error: str = "NO_ERROR"
    """DC_EVErrorCode of DIN 70121 and ISO 15118-2."""

    inverter: Inverter = field(default_factory=Inverter)
    """What feeds back by grid rules."""
    inverter_ready: bool = True
    """The grid rules are taken over; until then the parameters are exchanged again."""
    inverter_state: InverterState = field(default_factory=InverterState)
    clearance_mm: tuple[int, int] = (100, 250)
    """WPT: of the ground, the least and the most that the vehicle may have."""
    placed: bool = True
    """The vehicle has come to its place, as far as it can see itself."""
    pairing_code: int | None = None
    """WPT: what it has observed of the charger."""
    status_every_s: float | None = 5.0
    """ACDP: so often it says in the loop, on the stream beside it, how it is; None: never."""

    wish: EvWish | None = None
    heeds: frozenset[Wish] = EVERY_WISH
    """Of the charger's wishes these are followed."""
    patience_s: float = 0.0
    """A response may take so long at least: for chargers that are slow programs."""
    loops: int | None = None
    """After so many exchanges in the charge loop: stop."""
    loop_s: float = 0.2
    """From one request of the loop to the next; 0: as fast as it goes."""
    poll_s: float = 0.1
    """From an answer "ongoing" to the next question."""
    most_points: int = 1024
    """Of a schedule."""
    meter: bool = False
    """Ask for the meter in the loop."""
    near_V: float = 20.0
    """Precharge: the charger's voltage is near enough to ours, and the contactors may close. More only on a bench whose charger pretends."""
    welding_detection: bool = True
    bare_stop: bool = False
    """Before anything was drawn: SessionStop without PowerDelivery (DIN 70121 and ISO 15118-2)."""
    side_streams: bool = False
    """In the loop: confirm the meter, check in and check out on the streams beside the main one. Before and after it checking in and out always is there."""
    standby_or_stop: bool = False
    """Where the charger allows no standby: stop, rather than to go on drawing."""
    other_schedules_aside: bool = False
    """Ask for other schedules on the stream beside the loop, which goes on; else the loop is left for them."""
    parking_method: str = "Manual"
    """For checking in: AutoParking, MVGuideManual or Manual."""
    code: str = ""
    explanation: str = ""
    """EVTerminationCode and so on, for SessionStop."""


# ---- what is told


@dataclass(frozen=True, slots=True)
class SessionJoined(Told):
    """SessionSetup. `resumed`: the paused session goes on."""

    session_id: bytes
    evse_id: str
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Authorized(Told):
    """The charger lets us charge."""

    payment: Payment
    emaid: str = ""
    """The contract that pays."""
    ends_soon: bool = False
    """That contract expires within days."""


@dataclass(frozen=True, slots=True)
class AuthorizationRefused(Told):
    """The charger does not take this contract, or the card. The session may go on otherwise."""

    payment: Payment
    code: str
    emaid: str = ""


@dataclass(frozen=True, slots=True)
class ContractInstalled(Told):
    """A contract that came with its key: the vehicle keeps both. `remaining`: so many more are there."""

    contract: Contract
    key: Any = field(repr=False, compare=False)
    remaining: int = 0
    update: bool = False
    """In place of the one by which it was asked for (ISO 15118-2)."""


@dataclass(frozen=True, slots=True)
class InstallationFailed(Told):
    """No contract came, or one that is not taken in."""

    why: str
    code: str = ""
    """The response code, where it is that."""
    update: bool = False
    """A contract was asked for anew, which goes on to hold (ISO 15118-2)."""


@dataclass(frozen=True, slots=True)
class SignatureNoted(Told):
    """A signature holds, and has with it what ISO 15118-2 leaves out. Nobody has looked at that."""

    why: str


@dataclass(frozen=True, slots=True)
class ServicesOffered(Told):
    """What there is to choose from; energies that we do not know are left out."""

    energies: tuple[Energy, ...]
    added_services: tuple[int, ...]
    renegotiation: bool


@dataclass(frozen=True, slots=True)
class ServiceDescribed(Told):
    """The ways of a service beside energy."""

    service: AddedService


@dataclass(frozen=True, slots=True)
class EvseLimits(Told):
    """What the charger can give, and take back. None: it did not say."""

    max_power_W: float | None = None
    min_power_W: float | None = None
    max_current_A: float | None = None
    min_current_A: float | None = None
    max_voltage_V: float | None = None
    min_voltage_V: float | None = None
    max_discharge_W: float | None = None
    min_discharge_W: float | None = None
    max_discharge_A: float | None = None
    nominal_Hz: float | None = None
    ramp_W_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class GridRules(Told):
    """What the grid rules ask of our inverter, with everything that has changed since."""

    code: GridCode


@dataclass(frozen=True, slots=True)
class SchedulesOffered(Told):
    """Scheduled control: what to choose from."""

    schedules: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True)
class PlanOffered(Told):
    """Dynamic control."""

    plan: DynamicPlan


@dataclass(frozen=True, slots=True)
class PricesJudged(Told):
    """The prices come with a signature: whether it is that of the mobility operator whose contract pays."""

    verified: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class PricesDoubted(Told):
    """What the charger says of prices is not what it has offered, or makes no sense. The session goes on: it is the driver who pays."""

    why: str


@dataclass(frozen=True, slots=True)
class ProfileMade(Told):
    """The schedule that was chosen, and the power that we plan within it."""

    schedule_id: int
    profile: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class CableChecked(Told):
    """The insulation is good."""


@dataclass(frozen=True, slots=True)
class CloseContactors(Told):
    """The charger's voltage is near the battery's: the host closes and sets `Wants.contactors_closed`."""

    voltage_V: float


@dataclass(frozen=True, slots=True)
class DrawPower(Told):
    """Energy may flow from here on."""


@dataclass(frozen=True, slots=True)
class Delivered(Told):
    """DC, in the loop: what the charger has at its output, and which of its limits holds it back."""

    voltage_V: float
    current_A: float
    power_limited: bool = False
    current_limited: bool = False
    voltage_limited: bool = False


@dataclass(frozen=True, slots=True)
class PowerTarget(Told):
    """AC, in the loop: what the charger wants us to draw (negative: to give), where it says so."""

    power_W: float | None = None


@dataclass(frozen=True, slots=True)
class MeterShown(Told):
    """The charger's meter."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class Parked(Told):
    """The charger has heard that we check in or out; `status` where it says one."""

    wish: EvWish
    status: str = ""


@dataclass(frozen=True, slots=True)
class EvseAsks(Told):
    """The charger wants something of us."""

    wish: Wish
    within_s: int = 0


@dataclass(frozen=True, slots=True)
class WishTaken(Told):
    """This wish of the vehicle is being done: the host clears it."""

    wish: EvWish


@dataclass(frozen=True, slots=True)
class StopDrawing(Told):
    """No energy any more. Comes before anything else is said to the charger."""

    why: str


@dataclass(frozen=True, slots=True)
class OpenContactors(Told):
    """DC: the charger has its energy off; the host opens and clears `Wants.contactors_closed`."""


@dataclass(frozen=True, slots=True)
class WeldingSeen(Told):
    """DC, contactors open: the voltage that the charger still sees."""

    voltage_V: float
