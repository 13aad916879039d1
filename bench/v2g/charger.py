"""The power behind a SECC, simulated: what a session tells becomes facts, each in its time. Pure: time is an argument, as in the machines.

Nothing here judges: what may be closed when is the station's matter. A bench sees what the session asked for (`log`), and what the output did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bench.agenda import Agenda
from bench.v2g.approaching import STEPS, Approaching, Steps
from iso15118.approach import Approach, WptDemand, WptLimits
from iso15118.connection import Now
from iso15118.grid import GridCode
from iso15118.phases import share
from iso15118.terms import (
    AcDemand,
    AcLimits,
    AuthorizationWanted,
    CableCheckWanted,
    ContractShown,
    DcDemand,
    DcLimits,
    Energy,
    EnergyChosen,
    EvLimits,
    Facts,
    GridRulesMissed,
    InstallationAsked,
    MeteringConfirmed,
    Offered,
    PowerOff,
    PowerWanted,
    PrechargeWanted,
    Price,
    Prices,
    Progress,
    Reading,
    Schedule,
    ScheduleAsked,
    SessionBegun,
    SessionOver,
    Slot,
    Told,
    WeldingCheckWanted,
    Wish,
)
from iso15118.trust import Refusal

STEP_S = 0.05
"""Ramps move in steps of this."""
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, and how fast the output moves."""

    authorization_s: float = 1.0
    cable_check_s: float = 2.0
    contactor_s: float = 0.1
    schedule_s: float = 0.0
    voltage_V_per_s: float = 400.0
    current_A_per_s: float = 200.0
    off_A_per_s: float = 500.0
    """When the energy goes off."""
    accepts: bool = True
    """EIM is accepted."""
    contract_s: float = 0.5
    installation_s: float = 1.0
    steps: Steps = STEPS
    """Of vehicles that come without a cable."""


AC_22_KW = AcLimits(max_power_W=22_000)
DC_150_KW = DcLimits(
    max_power_W=150_000, max_current_A=400, max_voltage_V=1000, min_voltage_V=150, max_discharge_W=50_000, max_discharge_A=150
)


def every_way(**facts: Any) -> Facts:
    """Of a charger that offers every energy in every way; `facts` come beside that, or instead."""
    given: dict[str, Any] = {
        "energies": tuple(Offered(each, mobility_by_secc=True) for each in Energy),
        "ac": AC_22_KW,
        "dc": DC_150_KW,
        "grid": GridCode(),
        "wpt": WptLimits(),
        "approach": Approach(),
    }
    return Facts(**(given | facts))


_GRANTS: dict[Wish, type[Told] | tuple[type[Told], ...]] = {
    Wish.STOP: (PowerOff, SessionOver),
    Wish.PAUSE: (PowerOff, SessionOver),
    Wish.RENEGOTIATE_SERVICE: (PowerOff, SessionOver),
    Wish.RENEGOTIATE_SCHEDULE: ScheduleAsked,
    Wish.CONFIRM_METERING: MeteringConfirmed,
    Wish.EXIT_STANDBY: PowerWanted,
}
"""A wish of the charger is granted, and forgotten, when the vehicle does this."""


class Given(NamedTuple):
    """What a provisioning service answers: CertificateInstallationRes as an EXI document, and how many more contracts there are."""

    octets: bytes
    remaining: int | None = None


@dataclass
class Charger:
    """One output with its facts. `cable_V` is what a test cable has: the vehicle's battery behind closed contactors, as the vehicle says it."""

    facts: Facts = field(default_factory=Facts)
    pace: Pace = field(default_factory=Pace)
    back_W: float = 0.0
    """In dynamic control, both ways: the vehicle is to give so much."""
    pays: Callable[[str], Refusal | None] = lambda _: None
    """By the eMAID: why whoever pays does not."""
    provides: Callable[[InstallationAsked], Given | Refusal] = lambda _: Refusal.NO_CERTIFICATE
    """What the provisioning service answers."""

    def __post_init__(self) -> None:
        self.log: list[tuple[float, Told]] = []
        self.ev = EvLimits()
        self.chosen: EnergyChosen | None = None
        self.energy_Wh = self._back_Wh = 0.0
        """To the vehicle, less what came back; and what came back."""
        self.pilot = "B"
        """State B, and C from the cable check (DC) or the start of the power (AC) on: what an EV does there."""
        self._target_V = self._target_A = 0.0
        self._at = 0.0
        self._later = Agenda()
        self._approaching = Approaching()
        self._moving = self._planning = False

    # ---- time

    def deadline(self) -> float | None:
        """When something happens by itself."""
        return self._later.deadline()

    def tick(self, now: Now) -> bool:
        """Everything that is due; whether facts have changed."""
        return self._later.due(now.mono)

    def _in(self, now: float, seconds: float, what: Callable[[], None]) -> None:
        self._later.add(now + seconds, what)

    # ---- what a session tells

    def told(self, now: Now, told: Told) -> None:
        """One thing that a session has told."""
        self.log.append((now.mono, told))
        if self.facts.wish is not None and isinstance(told, _GRANTS[self.facts.wish]):
            self.facts.wish = None
        match told:
            case SessionBegun():
                self._reset()
            case EnergyChosen():
                self.chosen = told
                self._forget()
                self.facts.schedules = None
                if not self.pace.schedule_s:
                    self._plan()
            case EvLimits():
                self.ev = told
            case DcDemand():
                self._dc(now, told)
            case AcDemand():
                self._ac(now, told)
            case PowerOff() | SessionOver():
                self._off(now)
            case PrechargeWanted():
                most_V = self.facts.dc.max_voltage_V if self.facts.dc else 0.0
                self._target_V, self._target_A = _within(told.target_V, 0.0, most_V), 0.0
                self._move(now)
            case WeldingCheckWanted():
                self._target_V = 0.0
                self._move(now)
            case _:
                self._asked(now, told)
        self._approaching.arrive(told, self.facts, lambda seconds, what: self._in(now.mono, seconds, what), self.pace.steps)

    def _asked(self, now: Now, told: Told) -> None:
        """What takes time, begun once."""
        facts, pace = self.facts, self.pace
        match told:
            case AuthorizationWanted() if facts.authorization is Progress.NOT_ASKED:
                facts.authorization = Progress.UNDER_WAY
                self._in(now.mono, pace.authorization_s, self._authorised)
            case ContractShown(emaid):
                facts.contract = Progress.UNDER_WAY
                self._in(now.mono, pace.contract_s, lambda: self._paid(emaid))
            case InstallationAsked():
                facts.installation = Progress.UNDER_WAY
                self._in(now.mono, pace.installation_s, lambda: self._provided(told))
            case ScheduleAsked(aside=aside) if aside or (facts.schedules is None and not self._planning):
                facts.schedules, self._planning = None, True
                self._in(now.mono, pace.schedule_s, self._planned)
            case CableCheckWanted() if facts.cable_check is Progress.NOT_ASKED:
                facts.cable_check, self.pilot = Progress.UNDER_WAY, "C"
                self._in(now.mono, pace.cable_check_s, lambda: setattr(facts, "cable_check", Progress.DONE))
            case WptDemand():
                self._coil(now, told)
            case GridRulesMissed(stale=stale) if stale and facts.renegotiation and facts.wish is None:
                facts.wish = Wish.RENEGOTIATE_SERVICE
            case PowerWanted() if facts.power is Progress.NOT_ASKED:
                facts.power, self.pilot = Progress.UNDER_WAY, "C"
                self._in(now.mono, pace.contactor_s, self._closed)

    def _paid(self, emaid: str) -> None:
        refusal = self.pays(emaid)
        self.facts.contract = Progress.FAILED if refusal else Progress.DONE
        self.facts.contract_refusal = refusal or Refusal.NOT_ACCEPTED

    def _provided(self, asked: InstallationAsked) -> None:
        given = self.provides(asked)
        if isinstance(given, Refusal):
            self.facts.installation, self.facts.installation_refusal = Progress.FAILED, given
        else:
            self.facts.installation = Progress.DONE
            self.facts.installation_res, self.facts.installation_remaining = given

    def _closed(self) -> None:
        """Unless it was called off meanwhile."""
        if self.facts.power is Progress.UNDER_WAY:
            self.facts.power = Progress.DONE

    def _reset(self) -> None:
        facts = self.facts
        facts.authorization = facts.contract = facts.installation = Progress.NOT_ASKED
        self._forget()
        facts.voltage_V = facts.current_A = facts.target_power_W = 0.0
        facts.wish = None
        self.ev, self.chosen, self.pilot = EvLimits(), None, "B"
        self._later.clear()
        self._moving = self._planning = False

    def _forget(self) -> None:
        """Another service: everything for it is to be done anew."""
        facts = self.facts
        facts.cable_check = facts.precharge = facts.power = Progress.NOT_ASKED
        facts.schedules = None

    def _authorised(self) -> None:
        self.facts.authorization = Progress.DONE if self.pace.accepts else Progress.FAILED

    def _planned(self) -> None:
        self._planning = False
        self._plan()

    def _plan(self) -> None:
        limits = self.facts.dc if self.chosen is not None and self.chosen.energy.is_dc else self.facts.ac
        charging = (Slot(0, DAY_S, limits.max_power_W if limits else 0.0),)
        back = (Slot(0, DAY_S, -limits.max_discharge_W),) if limits and limits.max_discharge_W else ()
        prices = Prices(1, "EUR", (Price(0, DAY_S, level=1),), levels=1)
        self.facts.schedules = (Schedule(1, charging, back, prices),)

    # ---- the output

    def _dc(self, now: Now, told: DcDemand) -> None:
        """What the vehicle says is taken within the limits of this output, whatever it says."""
        limits = self.facts.dc
        if limits is None or self.facts.power is not Progress.DONE:
            return
        self._count_energy(now)
        present_V = max(told.present_V, 1.0)
        ev = told.limits or self.ev
        if told.target_A is not None and told.target_V is not None:
            wanted_A, wanted_V = told.target_A, told.target_V
        else:
            power_W = -min(self.back_W, ev.max_discharge_W or 0.0) if self.back_W else _least(limits.max_power_W, ev.max_power_W)
            wanted_A, wanted_V = _least(power_W / present_V, ev.max_current_A), told.present_V
        most_A = min(limits.max_current_A, limits.max_power_W / present_V)
        least_A = -min(limits.max_discharge_A, limits.max_discharge_W / present_V) if self._both_ways else 0.0
        self.facts.current_limited = wanted_A > most_A
        self.facts.power_limited = wanted_A > limits.max_power_W / present_V
        self._target_A, self._target_V = _within(wanted_A, least_A, most_A), _within(wanted_V, 0.0, limits.max_voltage_V)
        self._move(now)

    def _ac(self, now: Now, told: AcDemand) -> None:
        limits = self.facts.ac
        if limits is None:
            return
        self._count_energy(now)
        ev, part = told.limits or self.ev, self._part(limits)
        least_W = -limits.max_discharge_W if self._both_ways else 0.0
        target_W = -min(self.back_W, ev.max_discharge_W or 0.0) if self.back_W else ev.max_power_W or self.ev.max_power_W
        self.facts.target_power_W = _within(limits.max_power_W if target_W is None else target_W / part, least_W, limits.max_power_W)
        # A vehicle that does not say what it draws (ISO 15118-2) draws what it may.
        drawn_W = _within(self.facts.target_power_W * part if told.present_W is None else told.present_W, least_W, limits.max_power_W)
        self.facts.voltage_V, self.facts.current_A = limits.nominal_V, drawn_W / limits.nominal_V

    def _part(self, limits: AcLimits) -> float:
        """Of the power, that a vehicle has on the phases that it has chosen."""
        return share(self.chosen.phases if self.chosen is not None else 0, limits.phases)

    def _coil(self, now: Now, told: WptDemand) -> None:
        """What comes out of the vehicle's coil is what went into ours: a bench loses nothing."""
        limits = self.facts.wpt
        if limits is None or self.facts.power is not Progress.DONE:
            return
        self._count_energy(now)
        self.facts.target_power_W = _within(told.power_W, 0.0, limits.max_power_W)
        self.facts.voltage_V = AC_22_KW.nominal_V
        self.facts.current_A = _within(told.output_W, 0.0, limits.max_power_W) / AC_22_KW.nominal_V

    @property
    def _both_ways(self) -> bool:
        return self.chosen is not None and self.chosen.energy.is_bpt

    def _off(self, now: Now) -> None:
        """AC: the contactor opens. DC: the current goes down, and then the voltage."""
        self._count_energy(now)
        self.facts.power = self.facts.cable_check = Progress.NOT_ASKED
        self.facts.target_power_W = self._target_A = self._target_V = 0.0
        if self.chosen is None or not self.chosen.energy.is_dc:
            self.facts.current_A = self.facts.voltage_V = 0.0
        self.pilot = "B"
        self._move(now)

    def _count_energy(self, now: Now) -> None:
        """Between two things that are told the output is taken as it was."""
        if self.facts.power is Progress.DONE:
            moved_Wh = self.facts.voltage_V * self.facts.current_A * (now.mono - self._at) / 3600
            self.energy_Wh += moved_Wh
            self._back_Wh += max(0.0, -moved_Wh)
        self._at = now.mono
        self.facts.meter = Reading("SIM-1", round(self.energy_Wh + self._back_Wh), round(self._back_Wh))

    def _move(self, now: Now) -> None:
        if not self._moving:
            self._moving = True
            self._in(now.mono, STEP_S, lambda: self._step(now.mono + STEP_S))

    def _step(self, at: float) -> None:
        facts = self.facts
        rate = self.pace.current_A_per_s if facts.power is Progress.DONE else self.pace.off_A_per_s
        facts.current_A = _toward(facts.current_A, self._target_A, rate * STEP_S)
        if facts.power is Progress.DONE or facts.current_A == 0.0:
            facts.voltage_V = _toward(facts.voltage_V, self._target_V, self.pace.voltage_V_per_s * STEP_S)
        facts.precharge = Progress.DONE if abs(facts.voltage_V - self._target_V) < 1.0 else Progress.UNDER_WAY
        self._moving = facts.voltage_V != self._target_V or facts.current_A != self._target_A
        if self._moving:
            self._in(at, STEP_S, lambda: self._step(at + STEP_S))


def _toward(value: float, target: float, step: float) -> float:
    return target if abs(target - value) <= step else value + step if target > value else value - step


def _within(value: float, least: float, most: float) -> float:
    return max(least, min(most, value))


def _least(value: float, other: float | None) -> float:
    return value if other is None else min(value, other)
