"""A vehicle on virtual time: battery, contactors, a driver with wishes. It fills `Wants`, and counts the energy that the charger delivers.

    vehicle = Vehicle(COMPACT, soc=20.0)
    session = Session(spoken(vehicle.wants))

Pure: time is an argument, as in the machines. A session is never called from here; whoever drives both looks at `deadline` and calls `tick`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.agenda import Agenda
from iso15118.connection import Now
from iso15118.evcc.iso20.plans import planned
from iso15118.evcc.refusals import after_refusal
from iso15118.evcc.terms import (
    CloseContactors,
    ContractInstalled,
    Delivered,
    DrawPower,
    EvseAsks,
    EvseLimits,
    EvWish,
    OpenContactors,
    PowerTarget,
    ProfileMade,
    SessionJoined,
    StopDrawing,
    Wants,
    WishTaken,
)
from iso15118.terms import Battery, Control, EnergyChosen, EnergyWanted, EvLimits, SessionOver, Slot, Told, Wish

Curve = tuple[tuple[float, float], ...]
"""(state of charge in %, value), rising; between the points it is a line."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A kind of vehicle."""

    name: str = "compact"
    capacity_Wh: float = 60_000.0
    power_W: Curve = ((0, 80_000), (10, 150_000), (50, 120_000), (80, 60_000), (95, 20_000), (100, 3_000))
    """What the battery takes at most, DC."""
    voltage_V: Curve = ((0, 330), (20, 360), (80, 395), (100, 410))
    max_voltage_V: float = 420.0
    min_voltage_V: float = 300.0
    max_current_A: float = 400.0
    ac_power_W: float = 11_000.0
    """Of the charger on board."""
    ac_least_W: float = 1_400.0
    give_W: float = 10_000.0
    """Back, at most, where there are both ways."""
    give_A: float = 30.0
    close_s: float = 0.1
    open_s: float = 0.05
    welded: bool = False
    """The contactors do not open."""
    phases: int = 3
    """Of the charger on board."""


COMPACT = Spec()
TRUCK = Spec(
    "truck", 500_000.0, ((0, 250_000), (60, 350_000), (90, 100_000), (100, 5_000)), ((0, 620), (100, 800)), 830.0, 560.0, 500.0, 22_000.0, 4_000.0, 40_000.0, 60.0
)  # fmt: skip
CITY = Spec("city", 36_000.0, ac_power_W=7_360.0, phases=1)
"""One phase, 32 A."""
SPECS = {each.name: each for each in (COMPACT, TRUCK, CITY)}


def on_curve(curve: Curve, soc: float) -> float:
    """The value at this state of charge; beyond the ends as at the ends."""
    (low, value), *rest = curve
    if soc <= low:
        return value
    for high, upper in rest:
        if soc <= high:
            return value + (upper - value) * (soc - low) / (high - low)
        low, value = high, upper
    return value


def _least(own: float, theirs: float | None) -> float:
    return own if theirs is None else min(own, theirs)


@dataclass
class Vehicle:
    """One vehicle. `give`: in scheduled control, and on its own charger in AC, it feeds back as long as it has more than `min_soc`."""

    spec: Spec = COMPACT
    soc: float = 30.0
    min_soc: float = 10.0
    target_soc: float = 80.0
    departure_s: int | None = 4 * 3600
    give: bool = False
    wants: Wants = field(default_factory=Wants)

    def __post_init__(self) -> None:
        self.wants.phases = min(self.wants.phases, self.spec.phases)
        self.log: list[tuple[float, Told]] = []
        self.taken_Wh = 0.0
        """Into the battery; what was given back is taken off."""
        self.drawing = False
        self.session_id = b""
        self.over: SessionOver | None = None
        self.comes_again: bool | None = None
        """After its last session, by another way to pay: as `after_refusal` says it."""
        self._begun = 0
        """Where in the log the session begins."""
        self.evse = EvseLimits()
        self.chosen: EnergyChosen | None = None
        self._flow_W = 0.0
        self._profile: tuple[Slot, ...] = ()
        self._profile_at = self._at = 0.0
        self._target_W: float | None = None
        self._later = Agenda()
        self._fill()

    # ---- time

    def deadline(self) -> float | None:
        """When something happens by itself."""
        return self._later.deadline()

    def tick(self, now: Now) -> bool:
        """Everything that is due; whether `wants` have changed."""
        changed = self._later.due(now.mono)
        self._flow(now)
        return changed

    def _in(self, now: float, seconds: float, what: Callable[[], None]) -> None:
        self._later.add(now + seconds, what)

    # ---- what a session tells

    def told(self, now: Now, told: Told) -> None:
        """One thing that a session has told."""
        self.log.append((now.mono, told))
        self._flow(now)
        match told:
            case SessionJoined(session_id):
                self.session_id, self.over = session_id, None
            case EvseLimits():
                self.evse = told
            case EnergyChosen():
                self.chosen, self._profile = told, ()
            case ProfileMade(_, profile):
                self._profile, self._profile_at = profile, now.mono
            case CloseContactors():
                self._in(now.mono, self.spec.close_s, lambda: self._contactors(closed=True))
            case DrawPower():
                self.drawing = True
            case Delivered():
                self._flow_W = told.voltage_V * told.current_A if self.drawing and self.wants.contactors_closed else 0.0
            case PowerTarget(power_W):
                self._target_W = power_W
            case StopDrawing() | SessionOver():
                self._stop(now, told)
            case ContractInstalled(contract):
                others = (each for each in self.wants.contracts if each.emaid != contract.emaid)
                self.wants.contracts, self.wants.install, self.wants.update = (contract, *others), False, False
            case OpenContactors():
                self._in(now.mono, self.spec.open_s, lambda: self._contactors(closed=False))
            case _:
                self._driver(told)
        self._fill()
        self._onboard(now)

    def _driver(self, told: Told) -> None:
        match told:
            case WishTaken(wish) if self.wants.wish is wish:
                self.wants.wish = None
            case EvseAsks(Wish.EXIT_STANDBY) if self.wants.wish is EvWish.STANDBY:
                self.wants.wish = None

    def _stop(self, now: Now, told: Told) -> None:
        self.drawing, self._flow_W, self._target_W = False, 0.0, None
        if isinstance(told, SessionOver):
            self.over = told
            self.comes_again = after_refusal(self.wants, [each for _, each in self.log[self._begun :]], now)
            self._begun = len(self.log)
            self._later.clear()
            self._contactors(closed=False)

    def _contactors(self, *, closed: bool) -> None:
        self.wants.contactors_closed = closed or (self.spec.welded and self.wants.contactors_closed)

    # ---- the battery

    def _flow(self, now: Now) -> None:
        """What has flowed since the last time."""
        moved_Wh = self._flow_W * max(0.0, now.mono - self._at) / 3600
        self._at = now.mono
        if moved_Wh:
            self.taken_Wh += moved_Wh
            self.soc = min(100.0, max(0.0, self.soc + 100 * moved_Wh / self.spec.capacity_Wh))
            self._fill()

    @property
    def phases(self) -> int:
        """AC: it draws on so many: on its own, as far as what it has chosen has them."""
        chosen = self.chosen.phases if self.chosen is not None else 0
        return min(self.wants.phases, chosen or self.wants.phases)

    @property
    def full(self) -> bool:
        """The target is reached; giving, the least is."""
        return self.soc <= self.min_soc if self.give else self.soc >= self.target_soc

    def _fill(self) -> None:
        """What a charger may be told now."""
        spec, wants = self.spec, self.wants
        ac = not self._dc
        most_W = min(spec.ac_power_W if ac else on_curve(spec.power_W, self.soc), on_curve(spec.power_W, self.soc))
        give_W = spec.give_W if self.soc > self.min_soc else 0.0
        wants.limits = EvLimits(
            max_power_W=0.0 if self.soc >= 100.0 else most_W,
            min_power_W=spec.ac_least_W if ac else 0.0,
            max_current_A=spec.max_current_A,
            min_current_A=0.0,
            max_voltage_V=spec.max_voltage_V,
            min_voltage_V=spec.min_voltage_V,
            max_discharge_W=give_W,
            min_discharge_W=0.0,
            max_discharge_A=spec.give_A if give_W else 0.0,
            target_soc=round(self.target_soc),
        )
        room_Wh = spec.capacity_Wh / 100
        wants.needs = EnergyWanted(
            self.departure_s,
            target_Wh=(self.target_soc - self.soc) * room_Wh,
            max_Wh=(100.0 - self.soc) * room_Wh,
            min_Wh=(self.min_soc - self.soc) * room_Wh,
            min_soc=round(self.min_soc),
            target_soc=round(self.target_soc),
            max_v2x_Wh=(self.target_soc - self.soc) * room_Wh,
            min_v2x_Wh=(self.min_soc - self.soc) * room_Wh,
        )
        wants.shown = Battery(
            round(self.soc),
            round(self.min_soc),
            round(self.target_soc),
            100,
            full=self.soc >= self.target_soc,
            capacity_Wh=spec.capacity_Wh,
        )
        battery_V = on_curve(spec.voltage_V, self.soc)
        wants.voltage_V = battery_V
        wants.target_V = min(battery_V + 10.0, spec.max_voltage_V)
        give_A = -min(spec.give_A, give_W / battery_V)
        wants.target_A = give_A if self.give else min(spec.max_current_A, (wants.limits.max_power_W or 0.0) / battery_V)
        wants.begin_by_giving = self.give
        if self.full and self.drawing and wants.wish is None:
            wants.wish = EvWish.STOP

    def _onboard(self, now: Now) -> None:
        """AC: the charger on board follows the target, the profile and the limits of both sides."""
        wants, chosen, evse = self.wants, self.chosen, self.evse
        if self._dc:
            return
        most_W, least_W = _least(wants.limits.max_power_W or 0.0, evse.max_power_W), 0.0
        if chosen is not None and chosen.energy.is_bpt:
            least_W = -_least(wants.limits.max_discharge_W or 0.0, evse.max_discharge_W)
        wanted_W, target_W = (least_W if self.give else most_W), self._target_W
        if target_W is not None and (wanted_W >= 0 or (chosen is not None and chosen.control is Control.DYNAMIC)):
            wanted_W = target_W
        at_s = now.mono - self._profile_at
        wanted_W = planned(wanted_W, next((each.power_W for each in self._profile if at_s < each.start_s + each.duration_s), None))
        wants.power_W = self._flow_W = max(least_W, min(most_W, wanted_W)) if self.drawing else 0.0

    @property
    def _dc(self) -> bool:
        return self.chosen.energy.is_dc if self.chosen is not None else self.wants.energies[0].is_dc
