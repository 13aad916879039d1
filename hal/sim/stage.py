"""A DC stage, its insulation monitor, and the circuit behind it: what stands at its terminals, on the cable, and what flows.

Between two moments voltages and current run linearly, and the next moment is not after `deadline`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hal.types import DcRatings

VOLTAGE_V_PER_S = 500.0
"""How fast the terminals follow their order while no battery holds them [K]."""
OFF_A_PER_S = 500.0
"""Off at least: from 500 A under 5 A within 1 s (IEC 61851-23 [K])."""
BLEEDS_V_PER_S = 1500.0
"""A cable that nobody holds: from 1250 V under 60 V within 1 s (IEC 61851-23 [K])."""
INRUSH_V = 20.0
"""What is connected onto a larger difference takes an inrush (IEC 61851-23: precharge to within 20 V)."""
INSULATION_OHM = 5e6
"""A dry cable and a whole vehicle [K]."""
MEASURES_FROM_V = 50.0
"""The insulation monitor has no reading below this [K]."""
ROUNDING = 1e-6
"""Values are sums of rounded steps."""


@dataclass(slots=True)
class DcStage:
    """Pure; `advance` first, then order, and `follow` after each of both. Times are on the caller's clock."""

    ratings: DcRatings
    now_s: float = 0.0
    set_V: float = 0.0
    set_A: float = 0.0
    ordered: bool = False
    """It was told to deliver."""
    on: bool = False
    """It does: with `not_off` it may without having been told."""
    closed: bool = False
    """The contactor behind it."""
    battery_V: float | None = None
    """What the vehicle has on the cable; None: its contactors are open."""
    voltage_V: float = 0.0
    """At the stage's terminals."""
    current_A: float = 0.0
    """Into the vehicle; negative from it."""
    outlet_V: float = 0.0
    """Behind the contactor."""
    inrush_V: float = 0.0
    """The largest difference onto which stage and battery were connected, of those that are too large; 0: it never was."""
    insulation_ohm: float = INSULATION_OHM
    measure_s: float = 1.0
    """So long a measurement of the insulation takes."""
    stuck: bool = False
    """It takes no order to deliver."""
    no_rise: bool = False
    """It takes the order, and there is no voltage."""
    not_off: bool = False
    """It goes on although it was told to stop."""
    stray_V: float = 0.0
    """What the outlet has by itself, whatever is open: the cable does not bleed."""

    @property
    def connected(self) -> bool:
        """Stage and battery are one circuit."""
        return self.closed and self.battery_V is not None

    @property
    def moving(self) -> bool:
        """A voltage or the current is on its way."""
        return self.deadline() is not None

    @property
    def measurable(self) -> bool:
        """There is voltage enough for the insulation monitor."""
        return max(self.voltage_V, self.outlet_V) >= MEASURES_FROM_V

    # ---- orders

    def problem(self, voltage_V: float, current_A: float) -> str:
        """Why this order is none for such a stage; "" when it is one."""
        r = self.ratings
        if not r.min_voltage_V <= voltage_V <= r.max_voltage_V:
            return f"{voltage_V:g} V: it gives {r.min_voltage_V:g} to {r.max_voltage_V:g} V"
        if not -r.max_discharge_A <= current_A <= r.max_current_A:
            return f"{current_A:g} A: it gives up to {r.max_current_A:g} A and takes up to {r.max_discharge_A:g} A"
        return ""

    def order(self, voltage_V: float, current_A: float) -> None:
        """Deliver, at most this."""
        self.set_V, self.set_A = voltage_V, current_A
        self.ordered = self.on = True

    def stop(self) -> None:
        """Current down, then voltage."""
        self.ordered = False
        self.on = self.on and self.not_off

    def obey(self) -> None:
        """A stage that did not go off does now, if it was told to."""
        self.not_off = False
        self.on = self.ordered

    # ---- what it is connected with

    def follow(self, *, closed: bool, battery_V: float | None, permitted: bool) -> None:
        """From this moment on the circuit is this; without a permit the gates are shut at once."""
        was_connected, self.closed, self.battery_V = self.connected, closed, battery_V
        if not permitted:
            self.stop()
            self.current_A = self.current_A if self.on else 0.0
        if closed and battery_V is not None and not was_connected:
            difference_V = abs(self.voltage_V - battery_V)
            self.inrush_V = max(self.inrush_V, difference_V if difference_V > INRUSH_V else 0.0)
        if not self.connected:
            self.current_A = 0.0
        self._pin()

    def _pin(self) -> None:
        """A battery holds what it is connected with."""
        if self.battery_V is not None:
            self.outlet_V = self.battery_V
            self.voltage_V = self.battery_V if self.closed else self.voltage_V
        elif self.closed:
            self.outlet_V = self.voltage_V
        else:
            self.outlet_V = max(self.outlet_V, self.stray_V)

    # ---- time

    def deadline(self) -> float | None:
        """When the first of them arrives where it is going."""
        ways = (
            (self._target_V, self.voltage_V, VOLTAGE_V_PER_S),
            (self.stray_V, self._loose_V, BLEEDS_V_PER_S),
            (self._target_A, self.current_A, self._A_per_s),
        )
        return min((self.now_s + abs(to - at) / per_s for to, at, per_s in ways if to != at), default=None)

    def advance(self, now_s: float) -> None:
        """Time comes to `now_s`, not past `deadline`."""
        passed_s = now_s - self.now_s
        voltage_V = _moved(self.voltage_V, self._target_V, VOLTAGE_V_PER_S * passed_s)
        current_A = self.current_at(now_s)
        if not self.closed and self.battery_V is None:
            self.outlet_V = _moved(self.outlet_V, self.stray_V, BLEEDS_V_PER_S * passed_s)
        self.now_s, self.voltage_V, self.current_A = now_s, voltage_V, current_A
        self._pin()

    def current_at(self, at_s: float) -> float:
        """What flows at this moment, not before the last `advance` and not after `deadline`."""
        return _moved(self.current_A, self._target_A, self._A_per_s * (at_s - self.now_s))

    @property
    def _target_V(self) -> float:
        """Where the terminals go; they stay where a battery holds them."""
        if self.connected:
            return self.voltage_V
        return self.set_V if self.on and not self.no_rise else 0.0

    @property
    def _loose_V(self) -> float:
        """The outlet, when nobody holds it."""
        return self.stray_V if self.closed or self.battery_V is not None else self.outlet_V

    @property
    def _target_A(self) -> float:
        """Where the current goes: at a change of direction first to 0, so that no stretch has both."""
        to_A = self._wanted_A
        return 0.0 if to_A * self.current_A < 0.0 else to_A

    @property
    def _wanted_A(self) -> float:
        if not self.connected or self.battery_V is None or not self.on or self.no_rise:
            return 0.0
        # A battery without voltage takes any current for no power.
        per_V = 1.0 / max(self.battery_V, 1.0)
        if self.set_A < 0.0:
            return max(self.set_A, -self.ratings.max_discharge_W * per_V)
        return min(self.set_A, self.ratings.max_power_W * per_V) if self.set_V >= self.battery_V else 0.0

    @property
    def _A_per_s(self) -> float:
        return self.ratings.ramp_A_per_s if self.on else max(self.ratings.ramp_A_per_s, OFF_A_PER_S)

    # ---- over a loss of power

    def save(self) -> dict[str, Any]:
        """What outlives it: what is broken, and what was done to it."""
        return {
            "inrush_V": self.inrush_V,
            "insulation_ohm": self.insulation_ohm,
            "stuck": self.stuck,
            "no_rise": self.no_rise,
            "not_off": self.not_off,
            "stray_V": self.stray_V,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from `save`, off. Raises KeyError, TypeError, ValueError for another shape."""
        self.inrush_V, self.insulation_ohm = float(saved["inrush_V"]), float(saved["insulation_ohm"])
        self.stuck, self.no_rise, self.not_off = bool(saved["stuck"]), bool(saved["no_rise"]), bool(saved["not_off"])
        self.stray_V = float(saved.get("stray_V", 0.0))  # a world of an earlier version has none


def _moved(at: float, to: float, by: float) -> float:
    """Towards `to`, by so much at most.

    >>> _moved(0.0, 10.0, 4.0), _moved(10.0, 0.0, 4.0), _moved(9.0, 10.0, 4.0)
    (4.0, 6.0, 10.0)
    """
    if abs(to - at) <= by + ROUNDING:
        return to
    return at + by if to > at else at - by
