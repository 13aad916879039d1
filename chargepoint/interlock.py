"""What power needs, as a table. Only this module asks for a closed contactor, and only this module gives out the lease on power.

Each condition names what it wants of `Facts`, where that comes from, and what happens when it is lost while the contactor is closed.
The conditions are those of the closing invariant (facts of the project, safety section 3), of IEC 61851-1 modes 3 and 4 and of IEC 61851-23.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import field

from chargepoint.commands import CloseContactor, Command, Permit
from chargepoint.pilot import DUTY_DIGITAL_PERCENT, DUTY_MAX_PERCENT, DUTY_MIN_PERCENT, CpState
from iso15118.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision depends on, at one moment."""

    pilot: CpState
    duty_percent: float | None
    """The PWM that we put out; None at X1 or F."""
    ventilation: bool
    diode_right: bool
    """The negative half showed the EV's diode (boards that run the pilot themselves check it themselves)."""
    cable_right: bool
    """Coding valid where there is a socket; always for a tethered cable."""
    lock_right: bool
    """Locked where a lock is fitted."""
    authorised: bool
    durable: bool
    """The Started event of the transaction is on disk."""
    supply_allowed: bool
    """No transaction limit, nor anything else that only pauses, says no."""
    offered_A: float
    open_faults: bool
    """A fault stands that opens at once."""
    stop_faults: bool
    """A fault stands that ends the supply in order."""
    operative: bool
    settled: bool
    """Long enough after power-up and after the last closing."""
    contactor_known_open: bool
    """The feedback shows open (or there is no feedback, and opening was done); no weld."""
    phases_right: bool
    """No change between one and three phases is under way."""
    running: bool
    """Not shutting down, and past the first input."""
    permit_left_s: float
    """How long the lease on power still runs; 0 without one."""
    dc: bool = False
    digital: bool = False
    """The vehicle is to talk: the pilot states no current, and power waits for a session."""
    consent: bool = False
    """The session with the vehicle lets power be: AC from PowerDelivery Start on, DC from the cable check on, until it ends."""
    voltages_meet: bool = True
    """DC: both sides of the open contactor have the same voltage, or the outlet has none."""
    ramp_left_s: float = 0.0
    """DC: how long the current may still take to go down before the contactor opens."""


OPENING_S = 0.1
"""After a ramp-down the lease lives this long, so that the opening is ours: a lapse is for a station that hangs."""


class Lost(enum.Enum):
    """What the loss of a condition means for a closed contactor."""

    OPEN = "open"
    """At once (100 ms)."""
    STOP = "stop"
    """No PWM; the EV has 3 s to open S2, then it opens under load."""
    PAUSE = "pause"
    """No PWM; it opens under load after 6 s in C1."""
    NOTHING = "nothing"
    """Needed for closing only."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of the table. `offer` tells that a PWM that states a current waits for it; `talk` that 5 % does, too."""

    name: str
    holds: Callable[[Facts], bool]
    lost: Lost
    source: str
    offer: bool = True
    talk: bool = False


def _wants(f: Facts) -> bool:
    return f.pilot is CpState.C2 or (f.pilot is CpState.D2 and f.ventilation)


def _may_stay(f: Facts) -> bool:
    """C1 (or D1) is the EV's time after we took the PWM away; only B, A, E, F and an unventilated D end the supply at once."""
    return f.pilot in (CpState.C1, CpState.C2) or (f.pilot in (CpState.D1, CpState.D2) and f.ventilation)


def _duty_right(f: Facts) -> bool:
    """A current for a vehicle that goes by the PWM; 5 % for one that talks, and for every vehicle on DC."""
    if f.duty_percent is None:
        return False
    if f.dc or f.digital:
        return f.duty_percent == DUTY_DIGITAL_PERCENT
    return DUTY_MIN_PERCENT <= f.duty_percent <= DUTY_MAX_PERCENT


def _consents(f: Facts) -> bool:
    return f.consent or not (f.dc or f.digital)


PILOT, PILOT_STAYS, DUTY, DURABLE, PERMIT = (
    "EV wants energy",
    "EV on the line",
    "duty is right",
    "Started is durable",
    "live permit",
)
SETTLED, KNOWN_OPEN, CONSENT = "settled", "contactor known open", "consent of the session"

CONDITIONS: tuple[Condition, ...] = (
    Condition(PILOT, _wants, Lost.PAUSE, "IEC 61851-1 6.3.1: C2, or D2 with ventilation; C1 may hold closed for 6 s", offer=False),
    Condition(PILOT_STAYS, _may_stay, Lost.OPEN, "IEC 61851-1 Table A.5: 100 ms after B, A, E, F", offer=False),
    Condition(DUTY, _duty_right, Lost.PAUSE, "IEC 61851-1 Table A.8: 10 to 97 %, or 5 % with a session", offer=False),
    Condition(CONSENT, _consents, Lost.OPEN, "ISO 15118: PowerDelivery Start; DC: CableCheck", offer=False),
    Condition("diode", lambda f: f.diode_right, Lost.OPEN, "IEC 61851-1 A.4: no EV without its diode", offer=False),
    Condition("cable", lambda f: f.cable_right, Lost.OPEN, "IEC 61851-1 B.2: valid coding", talk=True),
    Condition("lock", lambda f: f.lock_right, Lost.OPEN, "IEC 61851-1 D.6: closed where fitted"),
    Condition("authorised", lambda f: f.authorised, Lost.STOP, "OCPP C01; S-11: no energy 5 s after it ends"),
    Condition(DURABLE, lambda f: f.durable, Lost.STOP, "F-1: on disk before power flows", offer=False),
    Condition("supply allowed", lambda f: f.supply_allowed, Lost.PAUSE, "OCPP E16: limits of a transaction"),
    Condition(
        "current offered", lambda f: f.offered_A > 0 or f.dc or f.digital, Lost.PAUSE, "IEC 61851-1: nothing below 6 A; a session says so"
    ),
    Condition("no fault that opens", lambda f: not f.open_faults, Lost.OPEN, "F-14, F-15, S-20", talk=True),
    Condition("no fault that stops", lambda f: not f.stop_faults, Lost.STOP, "F-13"),
    Condition("operative", lambda f: f.operative, Lost.STOP, "OCPP G03", talk=True),
    Condition("running", lambda f: f.running, Lost.OPEN, "F-18: contactor first", talk=True),
    Condition(SETTLED, lambda f: f.settled, Lost.NOTHING, "F-17: not again soon after a power loss", offer=False),
    Condition(KNOWN_OPEN, lambda f: f.contactor_known_open, Lost.NOTHING, "F-14: never onto a weld", offer=False),
    Condition("voltages meet", lambda f: f.voltages_meet, Lost.NOTHING, "IEC 61851-23: under 20 V between the two sides [K]", offer=False),
    Condition("phases set", lambda f: f.phases_right, Lost.NOTHING, "1p/3p only with contactors open, after X1 and a wait"),
    Condition(PERMIT, lambda f: f.permit_left_s > 0, Lost.OPEN, "F-16: the lease lapses with the process", offer=False),
)


SELF_CLOSING_WITHOUT = (PILOT, PILOT_STAYS, DUTY, PERMIT)
"""What a board that closes by itself waits for on its own: all else holds before it gets the lease and the PWM."""
ARMED_WITHOUT = (PILOT, PILOT_STAYS, DUTY, SETTLED, KNOWN_OPEN)
"""What is not asked of it any more once it has both: it may close in this very moment."""


@dataclass(frozen=True, slots=True)
class Interlock:
    """The decisions, from one table."""

    conditions: tuple[Condition, ...] = CONDITIONS
    losses: tuple[Condition, ...] = field(init=False, repr=False, compare=False)
    """Those that have a consequence, the hardest first: the first of them that does not hold is what is lost. Looked at with every reading."""

    def __post_init__(self) -> None:
        hardest_first = [each for lost in (Lost.OPEN, Lost.STOP, Lost.PAUSE) for each in self.conditions if each.lost is lost]
        object.__setattr__(self, "losses", tuple(hardest_first))

    def missing(self, facts: Facts, *, but: Iterable[str] = ()) -> tuple[str, ...]:
        """The conditions for closing that do not hold, the named ones left out."""
        return tuple(c.name for c in self.conditions if c.name not in but and not c.holds(facts))

    def offers(self, facts: Facts) -> bool:
        """Whether the PWM may tell the EV that there is energy."""
        return not self.not_offering(facts)

    def not_offering(self, facts: Facts) -> str:
        """The first condition that keeps the PWM away; "" when none does."""
        return next((c.name for c in self.conditions if c.offer and not c.holds(facts)), "")

    def talks(self, facts: Facts) -> bool:
        """Whether the pilot may show 5 %: before anybody is authorised, since the vehicle asks for that in its session."""
        return all(c.holds(facts) for c in self.conditions if c.talk)

    def lost(self, facts: Facts) -> tuple[Lost, str]:
        """For a closed contactor: the hardest consequence of what no longer holds, and the name of that condition."""
        for condition in self.losses:
            if not condition.holds(facts):
                return condition.lost, condition.name
        return Lost.NOTHING, ""

    def permit(self, facts: Facts, evse_id: int, ttl_s: float, *, but: Iterable[str] = ()) -> Permit | None:
        """The lease, for closing: when all but the lease itself holds (and what a self-closing board waits for: `but`)."""
        return None if self.missing(facts, but=(*but, PERMIT)) else Permit(evse_id, ttl_s)

    def renewed(self, facts: Facts, evse_id: int, ttl_s: float) -> Permit | None:
        """The lease again, while closed: as long as nothing is lost that opens at once. A lapsed lease is not renewed."""
        return None if self.lost(facts)[0] is Lost.OPEN else Permit(evse_id, ttl_s)

    def permit_ramp(self, facts: Facts, evse_id: int, ttl_s: float) -> Permit | None:
        """The lease while a DC output goes down: until the contactor may open, and no longer than that may take."""
        return Permit(evse_id, min(ttl_s, facts.ramp_left_s + OPENING_S)) if facts.dc and facts.ramp_left_s > 0 else None

    def permit_armed(self, facts: Facts, evse_id: int, ttl_s: float) -> Permit | None:
        """The lease again, for a board that may close by itself."""
        return None if self.disarmed(facts) else Permit(evse_id, ttl_s)

    def disarmed(self, facts: Facts) -> str:
        """For a board that closes by itself and is allowed to: the condition that ends this, "" when none does."""
        return next(iter(self.missing(facts, but=ARMED_WITHOUT)), "")

    def close(self, facts: Facts, evse_id: int, phases: int) -> tuple[Command, ...]:
        """The one place that asks for a closed contactor: when every condition holds."""
        return () if self.missing(facts) else (CloseContactor(evse_id, phases),)


INTERLOCK = Interlock()
