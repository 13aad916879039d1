"""What the machine of the vehicle's link remembers."""

from __future__ import annotations

from dataclasses import field

from chargepoint.events import ContractsAllowed, Supply
from chargepoint.facts import Bounds
from iso15118.frozen import dataclass
from iso15118.secc.session import Saved
from iso15118.secc.speak import SavedDialect
from iso15118.terms import Progress
from iso15118.trust import Refusal


@dataclass(slots=True)
class Talking:
    """A connection and its session."""

    session: Saved
    dialect: SavedDialect | None = None
    """None until it is agreed."""
    secure: bool = False
    """Over TLS."""


@dataclass(slots=True)
class Replan:
    """Whether the schedules that the vehicle was offered still hold, and what was done about it."""

    offered_mono: float = 0.0
    """As in its `Talk`; 0: nothing yet."""
    offered: Bounds = field(default_factory=Bounds)
    """What bounded the output then."""
    offers: int = 0
    """How often something was offered in this session: ids count on."""
    since: float | None = None
    """Since when they do not hold."""
    asked_mono: float | None = None
    """When the vehicle was last asked to take others..."""
    asked: Bounds | None = None
    asked_per_kWh: float | None = None
    """...and for which bounds and price: for the same it is not asked again. None: what was offered has held meanwhile."""


@dataclass(slots=True)
class Asks:
    """What else the vehicle is asked in its loop. Times are `Tick.mono`."""

    least_W: float | None = None
    """The least that there was for a while since it stands by."""
    less_since: float | None = None
    """There is less than that."""
    more_since: float | None = None
    exit_mono: float | None = None
    """When it was last asked to come out of standby."""
    confirmed_mono: float | None = None
    """When it last confirmed the meter, or its loop began."""
    confirm_mono: float | None = None
    """Since when it is asked to."""


@dataclass(slots=True)
class Paced:
    """What was told the CSMS of needs and plans, by kind (`v2g_paced`). It outlives a session, not a vehicle."""

    at: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """The last times (Tick.mono)."""
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What the provisioning service was asked last. Its answer may come when the session that waited for it is over: then the next one has it."""

    leaf: str
    """Who asks and for what (`v2g_contracts.question`): what is made is for the key of that certificate, and of no use to another."""
    since: float
    """Tick.mono."""
    installation_res: bytes = field(default=b"", repr=False)
    """It has come, and nobody has it yet."""
    remaining: int | None = None


@dataclass(slots=True)
class Contracts:
    """Plug & Charge in this session, and since the vehicle was plugged in: what was shown or asked for last, and what has been said to it."""

    allowed: ContractsAllowed | None = None
    """None: nobody has said yet."""
    offers_pnc: bool = False
    offers_installation: bool = False
    """What a vehicle is told, or has been told."""
    number: int = 0
    """Of contracts that were shown here."""
    emaid: str = ""
    """Of the one that was shown last; "": none was in this session."""
    refusal: Refusal | None = None
    pays: bool = False
    paid: str = ""
    """The eMAID that was taken last since the vehicle was plugged in, in whichever session."""
    unsaid: Refusal | None = None
    """Why the first one that was refused in this session was, as long as its driver has not read it: another one may yet pay..."""
    unsaid_sentence: str = ""
    """...in words..."""
    unsaid_key: str = ""
    """...and what it will be known by in `said`."""
    lasting: bool = False
    """The refusal of the one that was shown last is not of the moment."""
    said: tuple[str, ...] = ()
    """What the driver has read since the vehicle was plugged in: hashes of eMAID and sentence."""
    vain: tuple[str, ...] = ()
    """Whose refusal has ended a session since then: hashes of eMAIDs..."""
    spent: bool = False
    """...and one of them did so again: no contract is asked for any more."""
    asked: int = 0
    """How often contracts were asked for here."""
    question: Question | None = None
    installation: Progress = Progress.NOT_ASKED
    installation_res: bytes = b""
    remaining: int | None = None
    installation_refusal: Refusal = Refusal.NO_CERTIFICATE


@dataclass(slots=True)
class V2gState:
    """Of one EVSE."""

    sessions: dict[int, Talking] = field(default_factory=dict)
    """By the number of the connection, as they stood when this was asked for: at work they are objects."""
    active: int | None = None
    """The connection whose session is under way: what others want does not count."""
    protocol: str = ""
    """The namespace that was agreed on last."""
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Way -> message and response code that were logged last."""
    authorization_wanted: bool = False
    """The vehicle waits to be authorised."""
    authorised: bool = False
    """It was told that it is."""
    supply: Supply = Supply.OFF
    """What was last asked for."""
    asked_V: float = 0.0
    read_V: float = 0.0
    """Of the output, when it was read last."""
    asked_A: float = 0.0
    was_on: bool = False
    """What was asked for has been on the output."""
    needs_told: int = 0
    """How often the vehicle has said what it needs, in this session."""
    asking_needs: bool = False
    replan: Replan = field(default_factory=Replan)
    asks: Asks = field(default_factory=Asks)
    contracts: Contracts = field(default_factory=Contracts)
    refused: bool = False
    """The vehicle's certificate turned out to be revoked while it has energy: it is asked to stop..."""
    refused_by: float | None = None
    """...and is given no more than until then (Tick.mono)."""
    stops_by: float | None = None
    """AC: the vehicle has opened S2, and is given until then to end its loop in words (Tick.mono)."""
    paced: Paced = field(default_factory=Paced)
    stopped: tuple[str, ...] = ()
    """Causes of SupplyStopped."""
    stopped_for_good: bool = False
    leaving: bool = False
    """The station shuts down."""
    paused_id: bytes = b""
    paused_evcc: str = ""
    paused_schedule: int | None = None
    """A session that its vehicle may resume, and the id of the schedule that it goes by."""
