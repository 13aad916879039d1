"""What of grid rules the messages of AC_DER have words for, by IEC and by SAE. What they have none for is named here, so that it is not dropped without
a word: as a field of `GridCode` (`zero_current`), or a part of one (`over_frequency.hysteresis`, `trips.HVMustTrip.response_s`).

Nothing here raises for what is strange in a function: no number, a curve of one point, a unit that is none. That function is unsaid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from itertools import takewhile
from math import isclose
from typing import Any, NamedTuple, TypeVar, cast

from iso15118.grid import Curve, Droop, GridCode, Setpoint, Trip, TripKind, Unit
from iso15118.iso20.values import number, rational

T = TypeVar("T")

LEAST_POINTS, MOST_POINTS = 2, 10
MOST_SHORT, MOST_INT = (1 << 16) - 1, (1 << 32) - 1
MOST = 1e12
"""More is no value of a grid."""
STRAIGHT = 0.005
"""A point is on a line if it is no further off than this share of the line's height."""

KEPT = 16
"""Rules that were judged are not judged anew in each round of a loop."""

SETPOINTS = ("most_discharge_percent", "fixed_var", "power_factor")
"""By IEC the loop has words for these alone."""
LASTING = ("nominal_V", "nominal_Hz", "most_V", "least_V", "most_Hz", "least_Hz", "most_var")
"""By SAE the loop has no words for these."""
_REACTIVE = ("volt_var", "watt_var", "watt_cos_phi")
"""By IEC one of them can be asked for."""
_SILENT_IEC = ("nominal_V", "most_V", "least_V", "most_Hz", "least_Hz", "most_var", "enter", "fixed_W", "discharge_response_s", "trips")
_SILENT_SAE = ("watt_cos_phi", "over_voltage", "under_voltage", "zero_current", "dc_injection")


class Base(NamedTuple):
    """What percentages are a share of: the vehicle's. None: it does not declare it, and no share of it can be said."""

    power_W: float = 0.0
    var: float | None = None
    voltage_V: float = 230.0


class Worded(NamedTuple):
    """Grid rules as a vehicle has them once they are said (but for rounding), and what it does not have as it was meant."""

    code: GridCode
    unsaid: frozenset[str]


def differing(one: GridCode, other: GridCode, but: Iterable[str] = ()) -> frozenset[str]:
    """The fields in which they do.

    >>> sorted(differing(GridCode(), GridCode(most_V=264.0, dc_injection=0.5), but=["most_V"]))
    ['dc_injection']
    """
    return frozenset(each.name for each in fields(GridCode) if getattr(one, each.name) != getattr(other, each.name)) - frozenset(but)


@lru_cache(maxsize=KEPT)
def by_sae(code: GridCode) -> Worded:
    """A function with its unit, and one priority for both droops. None of what IEC alone has; of responses nothing but how long they take."""
    words = _Words()
    plain = words.without("", code, *_SILENT_SAE)
    over, under = (words.droop(name, getattr(plain, name), "stop_Hz", "hysteresis", "first_order", "delay_s") for name in _SIDES)
    first = min((each.priority for each in (over, under) if each is not None and each.priority is not None), default=None)
    percent = words.share("most_discharge_percent", plain.most_discharge_percent)
    response_s = words.only("discharge_response_s", plain.discharge_response_s, possible=percent is not None)
    factor = words.whole("power_factor", plain.power_factor)
    said = replace(
        plain,
        over_frequency=words.droop_of_both("over_frequency", over, first),
        under_frequency=words.droop_of_both("under_frequency", under, first),
        volt_watt=words.curve_by_sae("volt_watt", plain.volt_watt, "reference_V", "reference_follows_s"),
        volt_var=_referred(words.curve_by_sae("volt_var", plain.volt_var), plain.nominal_V),
        watt_var=words.curve_by_sae("watt_var", plain.watt_var, "reference_V", "reference_follows_s"),
        power_factor=words.without("power_factor", words.first("power_factor", factor), "response_s", "first_order") if factor else None,
        fixed_var=words.setpoint_by_sae("fixed_var", plain.fixed_var),
        fixed_W=words.setpoint_by_sae("fixed_W", plain.fixed_W),
        most_discharge_percent=percent,
        discharge_response_s=response_s,
        trips=words.trips(plain.trips),
    )
    return Worded(said, words.found())


@lru_cache(maxsize=KEPT)
def by_iec(code: GridCode, base: Base) -> Worded:
    """In absolute units, one function of reactive power, no priorities; Volt-Watt falls in one straight line from all of the power to none."""
    words = _Words()
    plain = words.without("", code, *_SILENT_IEC)
    reactive: dict[str, Any] = {name: words.curve_by_iec(name, getattr(plain, name), base) for name in _REACTIVE}
    asked = [name for name, curve in reactive.items() if curve is not None]
    for name in sorted(asked, key=lambda each: _rank(getattr(code, each)))[1:]:
        words.unsaid.add(name)
        reactive[name] = None
    factor, held = words.whole("power_factor", plain.power_factor), words.setpoint_by_iec(plain.fixed_var, base)
    said = replace(
        plain,
        **reactive,
        over_frequency=words.droop_by_iec("over_frequency", plain.over_frequency, plain.nominal_Hz, +1),
        under_frequency=words.droop_by_iec("under_frequency", plain.under_frequency, plain.nominal_Hz, -1),
        volt_watt=words.volt_watt_by_iec(plain.volt_watt, base),
        power_factor=words.without("power_factor", factor, "priority") if factor else None,
        fixed_var=held,
        most_discharge_percent=words.share("most_discharge_percent", plain.most_discharge_percent),
        over_voltage=words.whole("over_voltage", plain.over_voltage),
        under_voltage=words.whole("under_voltage", plain.under_voltage),
        zero_current=words.whole("zero_current", plain.zero_current),
        dc_injection=words.whole("dc_injection", plain.dc_injection),
    )
    return Worded(said, words.found())


_SIDES = ("over_frequency", "under_frequency")
_FACTOR = (Unit.NONE, 1.0)


def _rank(curve: Curve) -> float:
    return float("inf") if curve.priority is None else curve.priority


def _referred(curve: Curve | None, nominal_V: float) -> Curve | None:
    """The reference has to be said: where there is no other it is what the grid has."""
    return curve if curve is None or curve.reference_V is not None else replace(curve, reference_V=nominal_V)


def _sound(what: Any) -> bool:
    """Every number in it is one that a message can say."""
    if isinstance(what, (int, float)):
        return abs(what) <= MOST
    if isinstance(what, tuple):
        return all(_sound(each) for each in what)
    return not is_dataclass(what) or all(_sound(getattr(what, each.name)) for each in fields(what))


def _absolute(unit: Unit, base: Base, reference_V: float | None = None) -> tuple[Unit, float] | None:
    """The unit by IEC, and what a value is to be multiplied by. None: it cannot be said, as what it is a share of is not declared."""
    match unit:
        case Unit.MOST_W | Unit.AVAILABLE_W:
            return Unit.W, base.power_W / 100
        case Unit.MOST_VAR | Unit.AVAILABLE_VAR:
            return None if base.var is None else (Unit.VAR, base.var / 100)
        case Unit.EFFECTIVE_V:
            return Unit.V, (base.voltage_V if reference_V is None else reference_V) / 100
        case Unit.MOST_VA | Unit.NONE:
            return None
    return unit, 1.0


def fall(points: tuple[tuple[float, float], ...], full: float) -> tuple[float, float] | None:
    """Where the power begins to fall from all of it, and where nothing is left, by the line of the points. None: they fall otherwise.

    >>> fall(((230.0, 100.0), (253.0, 100.0), (264.5, 0.0)), 100.0), fall(((250.0, 100.0), (260.0, 50.0)), 100.0)
    ((253.0, 264.5), (250.0, 270.0))
    >>> fall(((250.0, 100.0), (260.0, 50.0), (280.0, 0.0)), 100.0)
    """
    above = list(takewhile(lambda each: isclose(each[1], full, rel_tol=1e-6), points))
    falling = points[len(above) :]
    if not above or not falling or falling[-1][1] >= full:
        return None
    (start, _), nothing = above[-1], [x for x, y in falling if abs(y) <= STRAIGHT * full]
    x, y = (nothing[0], 0.0) if nothing else falling[-1]
    stop = start + (x - start) * full / (full - y)

    def line(x: float) -> float:
        return max(0.0, full * (stop - x) / (stop - start)) if stop > start else 0.0

    return (start, stop) if all(abs(y - line(x)) <= STRAIGHT * full for x, y in falling) else None


class _Words:
    """What is unsaid, as it is found."""

    def __init__(self) -> None:
        self.unsaid: set[str] = set()

    def found(self) -> frozenset[str]:
        """Where something is unsaid as a whole, nothing is said of its parts."""
        return frozenset(each for each in self.unsaid if not any(each.startswith(f"{other}.") for other in self.unsaid))

    # ---- of whatever it is

    def without(self, name: str, what: T, *silent: str) -> T:
        """`silent` fields as they are by default."""
        found: Any = what
        given = {each.name: each.default for each in fields(found) if each.name in silent and getattr(found, each.name) != each.default}
        self.unsaid |= {f"{name}.{each}" if name else each for each in given}
        return replace(found, **given) if given else what

    def whole(self, name: str, what: T | None) -> T | None:
        """It, if all of it can be said."""
        return what if what is None or self.may(name, _sound(what)) else None

    def may(self, name: str, *possible: bool) -> bool:
        """Whether it can be said; where not it is unsaid."""
        if not all(possible):
            self.unsaid.add(name)
        return all(possible)

    def only(self, name: str, value: float | None, *, possible: bool) -> float | None:
        """A number, where there is a place for it."""
        return value if value is None or self.may(name, possible and _sound(value)) else None

    def count(self, name: str, value: float | None, most: int) -> Any:
        """The same where it is said as an integer."""
        return self.only(name, value, possible=value is not None and _sound(value) and 0 <= round(value) <= most)

    def share(self, name: str, percent: float | None) -> float | None:
        """Less than nothing is nothing, and more than all is all."""
        return None if self.whole(name, percent) is None or percent is None else min(100.0, max(0.0, percent))

    def first(self, name: str, what: T) -> T:
        """With a priority that can be said."""
        found: Any = what
        found = replace(found, priority=self.count(f"{name}.priority", found.priority, MOST_SHORT))
        return cast("T", found)

    # ---- functions

    def droop(self, name: str, droop: Droop | None, *silent: str) -> Droop | None:
        """By either; no dead band is less than nothing."""
        if droop is None or not self.may(name, _sound(droop) and droop.dead_band_Hz >= 0):
            return None
        return self.without(name, self.first(name, droop), *silent)

    def droop_of_both(self, name: str, droop: Droop | None, priority: int | None) -> Droop | None:
        """With the one priority of both."""
        if droop is None:
            return None
        self.may(f"{name}.priority", droop.priority == priority)
        return replace(droop, priority=priority)

    def droop_by_iec(self, name: str, droop: Droop | None, nominal_Hz: float, side: int) -> Droop | None:
        """An end where it begins is none."""
        found = self.droop(name, droop, "priority")
        if found is None:
            return None
        begin = rational(nominal_Hz + side * found.dead_band_Hz)
        ends = found.stop_Hz is not None and number(rational(found.stop_Hz)) != number(begin)
        stop_Hz = self.only(f"{name}.stop_Hz", found.stop_Hz, possible=ends)
        return replace(found, stop_Hz=stop_Hz, delay_s=self.count(f"{name}.delay_s", found.delay_s, MOST_SHORT))

    def _drawn(self, name: str, curve: Curve) -> bool:
        """It has points enough, and not too many, from left to right."""
        at = [x for x, _ in curve.points]
        return self.may(name, _sound(curve) and LEAST_POINTS <= len(at) <= MOST_POINTS and at == sorted(at))

    def curve_by_sae(self, name: str, curve: Curve | None, *silent: str) -> Curve | None:
        """In its own units."""
        if curve is None or not self._drawn(name, curve) or not self.may(name, Unit.NONE not in (curve.x, curve.y)):
            return None
        found = self.without(
            name, self.first(name, curve), "first_order", "delay_s", "least_cos_phi", "lock_in", "lock_out", "lock_unit", *silent
        )
        return replace(found, reference_follows_s=self.count(f"{name}.reference_follows_s", found.reference_follows_s, MOST_INT))

    def curve_by_iec(self, name: str, curve: Curve | None, base: Base) -> Curve | None:
        """Of reactive power: in absolute units. Along an axis that is a share of nothing there is no curve."""
        if curve is None or not self._drawn(name, curve):
            return None
        along, up = (_absolute(each, base, curve.reference_V) for each in (curve.x, curve.y))
        if name == "watt_cos_phi":
            up = _FACTOR if curve.y is Unit.NONE else None
        if along is None or up is None or along[1] <= 0:
            self.unsaid.add(name)
            return None
        (x, by_x), (y, by_y) = along, up
        points = tuple((at * by_x, value * by_y) for at, value in curve.points)
        return self._locked(name, self._unreferred(name, replace(curve, points=points, x=x, y=y), curve.x), base)

    def _unreferred(self, name: str, curve: Curve, x: Unit) -> Curve:
        """A voltage that percentages are a share of is in the points already. Priorities there are none."""
        if x is Unit.EFFECTIVE_V:
            curve = replace(curve, reference_V=None)
        return self.without(name, curve, "priority", "reference_V", "reference_follows_s")

    def _locked(self, name: str, curve: Curve, base: Base) -> Curve:
        if curve.lock_unit is None:
            return curve
        absolute = _absolute(curve.lock_unit, base)
        if absolute is None:
            return self.without(name, curve, "lock_in", "lock_out", "lock_unit")
        unit, by = absolute
        begin, end = (None if each is None else each * by for each in (curve.lock_in, curve.lock_out))
        return replace(curve, lock_unit=unit, lock_in=begin, lock_out=end)

    def volt_watt_by_iec(self, curve: Curve | None, base: Base) -> Curve | None:
        """From all to nothing."""
        name = "volt_watt"
        if curve is None or not self._drawn(name, curve):
            return None
        along = _absolute(curve.x, base, curve.reference_V)
        full = {Unit.MOST_W: 100.0, Unit.AVAILABLE_W: 100.0, Unit.W: base.power_W}.get(curve.y, 0.0)
        line = fall(curve.points, full) if full > 0 else None
        if along is None or along[0] is not Unit.V or along[1] <= 0 or line is None:
            self.unsaid.add(name)
            return None
        (start, stop), by_x = line, along[1]
        of = Unit.AVAILABLE_W if curve.y is Unit.AVAILABLE_W else Unit.MOST_W
        straight = replace(curve, points=((start * by_x, 100.0), (stop * by_x, 0.0)), x=Unit.V, y=of)
        found = self.without(name, self._unreferred(name, straight, curve.x), "least_cos_phi", "lock_in", "lock_out", "lock_unit")
        return replace(found, delay_s=self.count(f"{name}.delay_s", found.delay_s, MOST_INT))

    def setpoint_by_sae(self, name: str, held: Setpoint | None) -> Setpoint | None:
        """In its own unit."""
        if held is None or not self.may(name, _sound(held) and held.unit is not Unit.NONE):
            return None
        return self.without(name, self.first(name, held), "response_s", "first_order")

    def setpoint_by_iec(self, held: Setpoint | None, base: Base) -> Setpoint | None:
        """Of reactive power, in var."""
        if held is None or not self.may("fixed_var", _sound(held)):
            return None
        absolute = _absolute(held.unit, base)
        if absolute is None or absolute[0] is not Unit.VAR:
            self.unsaid.add("fixed_var")
            return None
        unit, by = absolute
        return self.without("fixed_var", replace(held, value=held.value * by, unit=unit), "priority")

    def trips(self, trips: tuple[Trip, ...]) -> tuple[Trip, ...]:
        """One curve of each kind, which is the last."""
        found: dict[TripKind, Trip] = {}
        for each in trips:
            name = f"trips.{each.kind.value}"
            self.may(name, each.kind not in found)
            curve = self.curve_by_sae(name, each.curve, "response_s", "reference_V", "reference_follows_s")
            if curve is not None:
                found[each.kind] = Trip(each.kind, curve)
        return tuple(found[kind] for kind in TripKind if kind in found)
