"""What an EVSE remembers, and the wiring that its parts (`evse_*`) share."""

from __future__ import annotations

import enum
from dataclasses import field

from chargepoint.clock import WallClock
from chargepoint.config import EvseConfig, Timings
from chargepoint.events import ChargingState, Supply
from chargepoint.facts import EvseFacts
from chargepoint.hlc import TABLE as HLC_TABLE
from chargepoint.hlc import HlcEvent, HlcState
from chargepoint.interlock import INTERLOCK, Interlock
from chargepoint.pilot import TABLE, CpEvent, CpState, Level
from chargepoint.tick import Tick
from hal.types import EvseInfo
from iso15118.frozen import dataclass
from iso15118.machine import Table


class Power(enum.Enum):
    """Where the contactor is on its way."""

    OPEN = "open"
    ARMED = "armed"
    """The lease is given to a board that closes by itself once the EV wants energy."""
    CLOSING = "closing"
    CLOSED = "closed"
    RAMPING = "ramping"
    """DC: the output is off, and the contactor opens when hardly a current flows any more."""
    OPENING = "opening"


class Output(enum.Enum):
    """What we put on the pilot."""

    X1 = "X1"
    X2 = "X2"
    F = "F"


class Check(enum.Enum):
    """Where the cable check of a DC session stands (IEC 61851-23 [K])."""

    NONE = "none"
    RISING = "rising"
    """The stage goes to the test voltage."""
    MEASURING = "measuring"
    FALLING = "falling"
    PASSED = "passed"
    FAILED = "failed"


class Wake(enum.Enum):
    """The wake-up of old EVs (IEC 61851-1 A.5.3), once for each offer."""

    NONE = "none"
    PULSE = "pulse"
    """State F."""
    X1 = "X1 after it"
    OFFERED = "offered again"
    DONE = "done"
    """The EV does not want: paused by it."""


@dataclass(slots=True)
class Standing:
    """A fault that stands."""

    text: str
    since_utc: float
    present: bool = True
    """Whether its cause is still there."""


@dataclass(slots=True)
class EvseState:
    """All that the EVSE machine remembers. Times are `Tick.mono`."""

    running: bool = False
    settled_at: float = 0.0
    """Nothing closes before."""
    due: float | None = None

    # the pilot
    seen: bool = False
    """A level has been read since we started."""
    cp: CpState = CpState.U
    level: Level | None = None
    candidate: Level | None = None
    candidate_since: float = 0.0
    low_right: bool = False
    low_wrong_since: float | None = None
    output: Output = Output.X1
    output_since: float = 0.0
    output_least_s: float = 0.0
    """How long the present output (X1, F) has to stand at least."""
    output_failed_at: float | None = None
    f_shown: bool = False
    """State F of a fault has been shown to this EV; X1 follows, so that its unplugging is seen."""
    duty_percent: float | None = None
    duty_since: float = 0.0
    b2_since: float | None = None
    wake: Wake = Wake.NONE

    # what is offered
    limits: dict[str, float] = field(default_factory=dict)
    """Bounds of other machines (`LimitSet`): source -> A."""
    limits_W: dict[str, float] = field(default_factory=dict)
    """The same: source -> W."""
    thermal_A: float | None = None
    temperatures_C: dict[str, float] = field(default_factory=dict)
    cable_A: float | None = None
    cable_wrong_since: float | None = None
    plug_in_socket: bool = False
    unlock_on_unplug: bool = True
    """As AuthorisationRules say it."""
    presents: bool = False
    """Who is authorised has something to present again, and so to release the plug with."""
    held: bool = False
    """The plug was pulled at the EV, and the socket keeps it until its driver comes (E09.FR.03, E10.FR.01)."""
    applied_A: float = 0.0
    applied_reason: str = ""
    old_limit_A: float = 0.0
    old_limit_until: float = 0.0
    phases: int = 3
    phases_wanted: int = 3

    # permission
    plugged: bool = False
    authorised: bool = False
    at_once: bool = False
    transaction_id: str = ""
    """The transaction whose Started is on disk."""
    stops: tuple[str, ...] = ()
    """Causes that hold the supply for a while (`SupplyStopped`)."""
    charged: bool = False
    """Power has flowed since the EV was authorised."""
    shown_percent: float | None = None
    """What the PWM has stated last to this EV, also when it does not now."""
    wanted: bool = False
    """`PowerWanted` has been said for the present wish."""
    ask_again_at: float = 0.0

    # power
    power: Power = Power.OPEN
    power_since: float = 0.0
    feedback_closed: bool | None = None
    feedback_since: float = 0.0
    open_confirmed: bool = False
    opened_at: float = 0.0
    asked_open_at: float = 0.0
    closed_once_at: float | None = None
    permit_until: float = 0.0
    grace_until: float | None = None
    drops: int = 0
    dropped_at: float | None = None

    # guards
    faults: dict[str, Standing] = field(default_factory=dict)
    reported: dict[str, str] = field(default_factory=dict)
    """What the board reports, in its own word -> fault code."""
    over_soft_since: float | None = None
    over_hard_since: float | None = None
    stray_since: float | None = None
    meter_at: float = 0.0
    doubted_Wh: float | None = None
    """A register that has leapt, and how many readings in a row have borne it out."""
    doubts: int = 0
    residual_trips: int = 0
    residual_attempts: int = 0
    residual_reclose_at: float | None = None

    # talking with the vehicle (ISO 15118)
    hlc: HlcState = HlcState.OFF
    hlc_since: float = 0.0
    hlc_attempts: int = 0
    hlc_why: str = ""
    """Of the attempts that count: why the last session that a vehicle has begun failed, in words."""
    ready: bool = False
    """Somebody is authorised, and nothing of ours keeps the energy away."""
    wake_wanted: bool = False
    """There is something to talk about again, as soon as the session that is under way has ended."""
    allowed: bool = True
    """The CSMS lets it talk."""
    served: bool = False
    """The cable's network interface takes vehicles."""
    serving: bool = False
    """It has been told to."""
    link: bool = False
    """D-LINK_READY."""
    modem_ready: bool = True
    """The next vehicle finds a key; without a modem there is none to wait for."""
    modem_lost: bool = False
    """The modem does not work."""
    supply: Supply = Supply.OFF
    """What the session lets be on the output."""
    asked_V: float = 0.0
    asked_A: float = 0.0
    sign_since: float | None = None
    """C while nothing is offered: the first half of a BCB toggle."""

    # in the loop of a vehicle that talks
    flow: ChargingState | None = None
    """What is told of its energy."""
    flow_next: ChargingState | None = None
    """What is so."""
    flow_since: float = 0.0

    # direct current
    dc_ordered: tuple[float, float] | None = None
    """Voltage and current that the stage was last ordered; None: off."""
    check: Check = Check.NONE
    check_since: float = 0.0
    ramp_until: float = 0.0
    dc_sample_at: float = 0.0
    dc_ordered_at: float = 0.0
    dc_over_since: float | None = None
    dc_before_A: float = 0.0
    """What was ordered before a reduction: the stage takes a moment to follow."""
    dc_before_until: float = 0.0
    outlet_live_since: float | None = None
    """There is voltage where none may be."""
    outlet_within_s: float | None = None
    """And it may be there for so long; None: for as long as it likes."""
    outlet_nobody_s: float = 0.0
    """So long it has stood before, at times when no vehicle was there."""

    # the lock
    locked: bool | None = None
    """What the lock's sensor said last; None while it moves, and before it has spoken."""
    lock_asked: str = ""
    """What the lock was last asked: "", "lock", "unlock"."""
    lock_asked_at: float = 0.0
    lock_tries: int = 0
    released: bool = False
    """Unlocked by request: not locked again before the next authorisation or plug."""
    unlock_wanted: bool = False


@dataclass(slots=True)
class Evse:
    """One EVSE at work: wiring that does not change, and its state. The parts are functions over this."""

    config: EvseConfig
    timings: Timings
    facts: EvseFacts
    board: EvseInfo
    """What is fitted: `BoardInfo.evse(id)` of the driver."""
    clock: WallClock
    interlock: Interlock = INTERLOCK
    pilot_table: Table[CpState, CpEvent] = TABLE
    hlc_table: Table[HlcState, HlcEvent] = HLC_TABLE
    state: EvseState = field(default_factory=EvseState)

    @property
    def id(self) -> int:
        """EVSE id."""
        return self.config.id

    @property
    def is_dc(self) -> bool:
        """Direct current: a stage, and a vehicle that has to talk."""
        return self.config.mode == "dc"

    @property
    def talks(self) -> bool:
        """Configured for ISO 15118."""
        return bool(self.config.v2g.interface)

    @property
    def has_socket(self) -> bool:
        """A socket has a plug with a coding in it; a tethered cable has none."""
        return self.config.connector == "sType2"

    @property
    def has_lock(self) -> bool:
        """Whether the plug in the socket can be locked, and so has to be before there is power."""
        return self.has_socket and self.board.has_lock

    def reached(self, now: Tick, at: float) -> bool:
        """Whether this moment has come; if not, it becomes a deadline."""
        if now.mono >= at:
            return True
        if self.state.due is None or at < self.state.due:
            self.state.due = at
        return False
