"""An EV as a pure machine: S2, the on-board charger with its delay and ramp, the battery that fills, and the driver's wishes.

It sees what the EVSE offers at the cable (`hal.sim.signals.Offered`) and answers with a resistance and with currents that run
linearly from one moment of `advance` to the next.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from bench.ev.spec import EvSpec
from hal.iec61851 import EV_B_OHM, EV_C_OHM, EV_D_OHM, current_of
from hal.sim.signals import NO_OFFER, Offered, PhaseValues, PilotLoad, PilotOutput

SIMPLIFIED_A = 10.0
"""An EV without S2 (simplified control pilot) draws no more (IEC 61851-1 A.2.3)."""
WAKING_PULSE_S = 3.0
"""How long F or E has to stand for an old EV to wake [K]."""
STOP_RAMP_A_PER_S = 100.0
"""Down before S2 opens."""
BCB_STEP_S = 0.3
"""Each state of a B-C-B toggle lasts 200 to 400 ms."""


@dataclass(slots=True)
class Ramp:
    """Current over time: constant until `start_s`, then straight to `to_A`, then constant."""

    from_A: float = 0.0
    to_A: float = 0.0
    start_s: float = 0.0
    per_s: float = 1.0

    @property
    def end_s(self) -> float:
        """When it has arrived."""
        return self.start_s + abs(self.to_A - self.from_A) / self.per_s

    def at(self, now_s: float) -> float:
        """The current at this moment."""
        if now_s <= self.start_s:
            return self.from_A
        if now_s >= self.end_s:
            return self.to_A
        return self.from_A + (self.to_A - self.from_A) * (now_s - self.start_s) / (self.end_s - self.start_s)


@dataclass(slots=True)
class EvState:
    """All that changes. Times are on the caller's clock."""

    paused: bool = False
    """The driver, the app or the timer does not want to charge."""
    s2: bool = False
    diode: bool = True
    taken_Wh: float = 0.0
    asleep: bool = False
    s2_change_at: float | None = None
    pwm_since: float | None = None
    no_pwm_since: float | None = None
    dead_since: float | None = None
    """Since when the pilot is at F or E."""
    toggles: int = 0
    toggle_at: float | None = None
    flap_at: float | None = None
    drawing_since: float | None = None
    """Since when it has drawn, at first."""


STANDARD = EvSpec()


class Ev:
    """Implements `hal.sim.signals.Load`."""

    def __init__(self, spec: EvSpec = STANDARD, now_s: float = 0.0) -> None:
        self.spec = spec
        self.state = EvState(diode=spec.diode, s2=spec.simplified)
        self.now_s = now_s
        self.offered = NO_OFFER
        self.ramp = Ramp(start_s=now_s)

    # ---- the driver's wishes. `advance` follows.

    def pause(self) -> None:
        """Stop drawing: current down, S2 open."""
        self.state.paused = True

    def resume(self) -> None:
        """Draw again as soon as it may."""
        self.state.paused = self.state.asleep = False

    def fail_diode(self) -> None:
        """The diode in the pilot circuit is bridged from now on."""
        self.state.diode = False

    def toggle_bcb(self, times: int = 1) -> None:
        """B-C-B from state B, as EVs ask for a new session (ISO 15118-3)."""
        self.state.toggles, self.state.toggle_at = 2 * times, self.now_s

    # ---- as a load

    @property
    def pilot_load(self) -> PilotLoad:
        if not self.state.s2:
            return PilotLoad(EV_B_OHM, self.state.diode)
        return PilotLoad(EV_D_OHM if self.spec.ventilation else EV_C_OHM, self.state.diode)

    @property
    def leakage_dc_mA(self) -> float:
        return self.spec.leakage_dc_mA

    def currents_A(self, at_s: float) -> PhaseValues:
        amps = self.ramp.at(at_s)
        live = [i < self.spec.phases and volts > 0.0 for i, volts in enumerate(self.offered.voltage_V)]
        return (amps * live[0], amps * live[1], amps * live[2])

    def deadline(self) -> float | None:
        s = self.state
        ramp_at = next((at for at in (self.ramp.start_s, self.ramp.end_s) if at > self.now_s), None) if self._live else None
        parts = (s.s2_change_at, s.toggle_at, s.flap_at, self._sleep_at(), self._enough_at(), ramp_at, self._energy_at())
        return min((at for at in parts if at is not None), default=None)

    def advance(self, now_s: float, offered: Offered) -> None:
        self._charge(now_s)
        was, self.offered, self.now_s = self.offered, offered, now_s
        self._watch_pilot(was)
        self._toggle()
        self._plan_s2()
        if self.state.s2_change_at is not None and now_s >= self.state.s2_change_at:
            self.state.s2_change_at = None
            self.state.s2 = not self.state.s2
        self._steer()

    # ---- inside

    @property
    def _pwm_A(self) -> float:
        return current_of(self.offered.duty_percent) if self.offered.pilot is PilotOutput.PWM else 0.0

    @property
    def _live(self) -> bool:
        return self.offered.voltage_V[0] > 0.0

    @property
    def _full(self) -> bool:
        s, for_s = self.state, self.spec.draws_for_s
        if for_s is not None and s.drawing_since is not None and self.now_s >= s.drawing_since + for_s:
            return True
        return self.spec.wants_Wh is not None and self.state.taken_Wh >= self.spec.wants_Wh - 1e-6

    @property
    def wants(self) -> bool:
        """It would charge if it were offered enough."""
        return not (self.state.paused or self.state.asleep or self._full or self.spec.never_closes_s2)

    def _charge(self, now_s: float) -> None:
        passed_s = now_s - self.now_s
        before, after = self.currents_A(self.now_s), self.currents_A(now_s)
        watts = sum(u * (a + b) / 2.0 for u, a, b in zip(self.offered.voltage_V, before, after, strict=True))
        self.state.taken_Wh += watts * passed_s / 3600.0

    def _watch_pilot(self, was: Offered) -> None:
        s, now_s = self.state, self.now_s
        pwm = self._pwm_A >= self.spec.min_A
        s.pwm_since = (s.pwm_since if s.pwm_since is not None else now_s) if pwm else None
        s.no_pwm_since = None if pwm else (s.no_pwm_since if s.no_pwm_since is not None else now_s)
        dead = self.offered.pilot in (PilotOutput.F, PilotOutput.OFF)
        if not dead and s.dead_since is not None and now_s - s.dead_since >= WAKING_PULSE_S:
            s.asleep = False
        s.dead_since = (s.dead_since if s.dead_since is not None else now_s) if dead else None
        if pwm and s.asleep and self.spec.wakes_by == "pwm" and was.pilot is not PilotOutput.PWM:
            s.asleep = False
        sleep_at = self._sleep_at()
        if sleep_at is not None and now_s >= sleep_at:
            s.asleep = True

    def _sleep_at(self) -> float | None:
        s, after_s = self.state, self.spec.sleeps_after_s
        return s.no_pwm_since + after_s if after_s is not None and s.no_pwm_since is not None and not s.asleep else None

    def _enough_at(self) -> float | None:
        s, for_s = self.state, self.spec.draws_for_s
        return s.drawing_since + for_s if for_s is not None and s.drawing_since is not None and not self._full else None

    def _toggle(self) -> None:
        s = self.state
        if s.toggle_at is None or self.now_s < s.toggle_at:
            return
        s.s2 = not s.s2
        s.toggles -= 1
        s.toggle_at = self.now_s + BCB_STEP_S if s.toggles > 0 else None

    def _plan_s2(self) -> None:
        s, spec, now_s = self.state, self.spec, self.now_s
        if s.toggle_at is not None or spec.simplified:
            s.s2_change_at = s.flap_at = None
            return
        if spec.flaps_s is not None and s.pwm_since is not None:
            if s.flap_at is None or now_s >= s.flap_at:
                s.flap_at = now_s + spec.flaps_s
                s.s2_change_at = now_s
            return
        s.flap_at = None
        should = self.wants and (s.pwm_since is not None or (spec.ignores_pwm_loss and s.s2))
        if should is s.s2:
            s.s2_change_at = None
        elif should:
            s.s2_change_at = s.s2_change_at if s.s2_change_at is not None else now_s + spec.s2_delay_s
        elif s.s2_change_at is None:
            s.s2_change_at = now_s + spec.stop_s

    def _allowed_A(self) -> float:
        spec, s = self.spec, self.state
        if spec.draws_in_b:
            return spec.max_A
        if spec.simplified:
            return min(SIMPLIFIED_A, self._pwm_A or SIMPLIFIED_A) if self.wants else 0.0
        if not s.s2 or not self.wants:
            return 0.0
        offered_A = self._pwm_A
        if offered_A < spec.min_A:
            return self.ramp.to_A / spec.overdraw if spec.ignores_pwm_loss else 0.0
        return min([offered_A, spec.max_A, *(most_A for from_Wh, most_A in spec.taper if s.taken_Wh >= from_Wh - 1e-6)])

    def _steer(self) -> None:
        """Bring the current to where it should go; without voltage there is none."""
        now_s = self.now_s
        if not self._live:
            self.ramp = Ramp(start_s=now_s)
            return
        target_A = self._allowed_A() * self.spec.overdraw
        if abs(target_A - self.ramp.to_A) < 1e-9:
            return
        present_A = self.ramp.at(now_s)
        if self.state.drawing_since is None:
            self.state.drawing_since = now_s
        if target_A == 0.0:
            self.ramp = Ramp(present_A, 0.0, now_s, STOP_RAMP_A_PER_S)
        else:
            self.ramp = Ramp(present_A, target_A, now_s + self.spec.follow_s, self.spec.ramp_A_per_s)

    def _energy_at(self) -> float | None:
        """When the battery reaches the next threshold, with the present current; while it ramps, the ramp's end comes first."""
        marks = [m for m in (self.spec.wants_Wh, *(from_Wh for from_Wh, _ in self.spec.taper)) if m is not None]
        left_Wh = min((m - self.state.taken_Wh for m in marks if m - self.state.taken_Wh > 1e-6), default=None)
        watts = sum(u * i for u, i in zip(self.offered.voltage_V, self.currents_A(self.now_s), strict=True))
        if left_Wh is None or watts <= 0.0:
            return None
        return self.now_s + max(left_Wh * 3600.0 / watts, 1e-3)

    # ---- over a restart of its world

    def save(self, now_s: float) -> dict[str, Any]:
        """Spec and state as JSON values; times relative to `now_s`."""
        state = asdict(self.state)
        return {"spec": asdict(self.spec), "state": {k: _shift(k, v, -now_s) for k, v in state.items()}}

    @staticmethod
    def restored(saved: dict[str, Any], now_s: float) -> Ev:
        """An EV of what `save` gave; the charger begins at 0 A. Raises KeyError, TypeError for another shape."""
        spec = dict(saved["spec"])
        spec["taper"] = tuple((float(e), float(a)) for e, a in spec.get("taper", ()))
        ev = Ev(EvSpec(**spec), now_s)
        known = {f.name for f in fields(EvState)}
        ev.state = EvState(**{k: _shift(k, v, now_s) for k, v in saved["state"].items() if k in known})
        return ev


def _shift(name: str, value: Any, by_s: float) -> Any:
    return value + by_s if value is not None and name.endswith(("_at", "_since")) else value
