"""Grid rules of any kind, said by the charger and heard by the vehicle, through the octets between them: every function is heard as it was meant, within
rounding, or is named as unsaid. What is meant is reckoned here, by another way than it is said.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from math import inf, isclose, nan
from typing import Any

import pytest

from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.evcc.iso20 import der as evcc
from iso15118.evcc.iso20.talk import Talk as Vehicle
from iso15118.evcc.terms import GridRules, Wants
from iso15118.grid import (
    Curve,
    Droop,
    EnterService,
    GridCode,
    Inverter,
    PowerFactor,
    Quadrants,
    RideThrough,
    Setpoint,
    Trip,
    TripKind,
    Unit,
    ZeroCurrent,
)
from iso15118.iso20 import grid_words
from iso15118.iso20.services import ways
from iso15118.messages.iso20 import ac_der_iec as iec
from iso15118.messages.iso20 import ac_der_sae as sae
from iso15118.secc.iso20 import der as secc
from iso15118.secc.iso20.talk import Talk as Charger
from iso15118.terms import AcLimits, Control, Energy, EvLimits, Facts, InverterDeclared, Offered

NOW = Tick(100.0, 1_800_000_000.0)
ID = b"sessions"
GIVE_W = 10_000.0
EXAMPLES = 2000 if os.environ.get("SOAK") else 150
NAMESPACES = {Energy.AC_DER_IEC: iec.NAMESPACE, Energy.AC_DER_SAE: sae.NAMESPACE}
REACTIVE = ("volt_var", "watt_var", "watt_cos_phi")

# ---- any rules


class Dice:
    """Rules by chance: mostly such as there may be, now and then some that make no sense."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def flag(self) -> bool:
        return self.random.random() < 0.5

    def unit(self) -> Unit:
        return self.random.choice(list(Unit))

    def one(self, *what: Any) -> Any:
        return self.random.choice(what)

    def maybe(self, what: Callable[[], Any]) -> Any:
        return what() if self.random.random() < 0.6 else None

    def between(self, least: float, most: float) -> Callable[[], float]:
        return lambda: self.random.uniform(least, most)

    def usual(self) -> float:
        return self.random.uniform(-1000.0, 1000.0)

    def number(self) -> float:
        return float(self.one(nan, inf, -inf, 1e300, 123_456.0, 0.0)) if self.random.random() < 0.1 else self.usual()

    def seconds(self) -> float:
        return float(self.one(-1.0, 70_000.0, 1e11)) if self.random.random() < 0.1 else self.random.uniform(0.0, 500.0)

    def priority(self) -> int | None:
        return self.random.choice((-1, 65_535, 65_536)) if self.random.random() < 0.1 else self.random.choice((None, 0, 1, 2, 3))

    def curve(self, y: Callable[[], float] | None = None, units: Callable[[], Unit] | None = None) -> Curve:
        xs = [self.random.uniform(0.0, 400.0) for _ in range(self.one(2, 2, 3, 4, 5, 10, self.one(0, 1, 11)))]
        ys = y or self.one(self.usual, self.usual, self.number)
        points = tuple((x, ys()) for x in (sorted(xs) if self.random.random() < 0.95 else xs))
        return self.traits(Curve(points, self.unit(), units() if units else self.unit()))

    def traits(self, curve: Curve) -> Curve:
        """Locks and a reference are for some."""
        more: dict[str, Any] = {}
        if self.flag():
            more = {"lock_in": self.maybe(self.usual), "lock_out": self.maybe(self.usual), "lock_unit": self.maybe(self.unit)}
            more |= {"reference_V": self.maybe(self.between(100.0, 400.0)), "reference_follows_s": self.maybe(self.seconds)}
        return replace(
            curve, priority=self.priority(), response_s=self.seconds(), first_order=self.flag(), delay_s=self.maybe(self.seconds),
            least_cos_phi=self.maybe(self.between(0.0, 1.0)), **more,
        )  # fmt: skip

    def volt_watt(self) -> Curve:
        """As it is usual: all, a fall, and perhaps a tail; or bent; or any."""
        if self.random.random() < 0.2:
            return self.curve()
        start, width, least = float(self.random.randint(200, 260)), self.random.randint(1, 30), self.one(0.0, 0.0, 20.0, 60.0)
        points = [(start - 20.0, 100.0)] * self.one(0, 1) + [(start, 100.0)]
        points += [(start + width / 2, (100.0 + least) / 2 + self.one(0.0, 0.0, 5.0))] * self.one(0, 1)
        points += [(start + width, least)] + [(start + width + 10.0, least)] * self.one(0, 1)
        x, y = self.one(Unit.V, Unit.V, Unit.EFFECTIVE_V, Unit.HZ), self.one(Unit.MOST_W, Unit.AVAILABLE_W, Unit.W, Unit.VAR)
        share = 100.0 if y is Unit.W else 1.0
        return self.traits(Curve(tuple((at, value * share) for at, value in points), x, y))

    def droop(self) -> Droop:
        band = self.number() if self.random.random() < 0.1 else self.random.uniform(0.0, 2.0)
        return Droop(
            band, self.random.uniform(0.001, 0.2), self.maybe(self.between(45.0, 65.0)), self.flag(), self.flag(), self.seconds(), self.flag(),
            self.maybe(self.seconds), self.priority(),
        )  # fmt: skip

    def setpoint(self) -> Setpoint:
        return Setpoint(self.number(), self.unit(), self.seconds(), self.flag(), self.priority())

    def ride(self) -> RideThrough:
        k = [self.maybe(self.usual) for _ in range(4)]
        return RideThrough(self.number(), k[0], k[1], k[2], k[3], self.seconds(), self.flag())

    def enter(self) -> EnterService:
        range_ = [self.usual() for _ in range(4)]
        times_s = [self.maybe(self.seconds) for _ in range(3)]
        return EnterService(self.flag(), range_[0], range_[1], range_[2], range_[3], times_s[0], times_s[1], times_s[2])

    def code(self, nominal_Hz: float | None = None) -> GridCode:
        return GridCode(
            nominal_V=self.random.uniform(100.0, 400.0),
            nominal_Hz=nominal_Hz or self.one(50.0, 60.0),
            most_V=self.usual(),
            least_V=self.usual(),
            most_Hz=self.maybe(self.usual),
            least_Hz=self.maybe(self.usual),
            forming=self.flag(),
            islanded=self.flag(),
            most_var=self.usual(),
            enter=self.enter(),
            over_frequency=self.maybe(self.droop),
            under_frequency=self.maybe(self.droop),
            volt_watt=self.maybe(self.volt_watt),
            volt_var=self.maybe(self.curve),
            watt_var=self.maybe(self.curve),
            watt_cos_phi=self.maybe(lambda: self.curve(self.between(-1.0, 1.0), lambda: self.one(Unit.NONE, Unit.NONE, Unit.VAR))),
            power_factor=self.maybe(
                lambda: PowerFactor(self.one(0.9, 1.0, self.number()), self.flag(), self.seconds(), self.flag(), self.priority())
            ),
            fixed_var=self.maybe(self.setpoint),
            fixed_W=self.maybe(self.setpoint),
            most_discharge_percent=self.maybe(lambda: self.one(self.number(), self.random.uniform(0.0, 100.0))),
            discharge_response_s=self.maybe(self.seconds),
            trips=tuple(Trip(kind, self.curve()) for kind in self.random.sample(list(TripKind), self.one(0, 1, 3))),
            over_voltage=self.maybe(self.ride),
            under_voltage=self.maybe(self.ride),
            zero_current=self.maybe(
                lambda: ZeroCurrent(self.maybe(self.number), self.maybe(self.usual), None, self.maybe(self.usual), self.seconds())
            ),
            dc_injection=self.maybe(self.number),
        )

    def declared(self) -> Quadrants | None:
        return None if self.random.random() < 0.3 else Quadrants(3000.0, 3000.0, 5000.0, 5000.0)


# ---- both ends


@dataclass
class Ends:
    charger: Charger
    vehicle: Vehicle

    def parameters(self) -> frozenset[str]:
        request = evcc.ac_parameters(self.vehicle, NOW)
        result = secc.parameters(self.charger, NOW, request)
        assert not result.failed
        heard = evcc.hear_parameters(self.vehicle, NOW, self._over(result.response))
        assert not heard.why
        return next(each for each in result.told if isinstance(each, InverterDeclared)).unsaid

    def round(self) -> list[GridCode]:
        result = secc.loop(self.charger, NOW, evcc.ac_loop(self.vehicle, NOW))
        assert not result.failed
        heard = evcc.hear_loop(self.vehicle, NOW, self._over(result.response))
        return [each.code for each in heard.told if isinstance(each, GridRules)]

    def _over(self, response: Any) -> Any:
        assert self.charger.offered is not None
        namespace = NAMESPACES[self.charger.offered.energy]
        return exi.decode(exi.encode(response, namespace), namespace)


def between(energy: Energy, code: GridCode, var: Quadrants | None, give_W: float = GIVE_W) -> Ends:
    offered = Offered(energy, (Control.DYNAMIC,))
    way, one_phase = ways(offered)
    assert (way.phases, one_phase.phases) == (3, 1)
    charger = Charger(Facts(ac=AcLimits(22_000.0, max_discharge_W=11_000.0), grid=code), (energy,), ID)
    charger.session_id, charger.offered, charger.way = ID, offered, way
    wants = Wants(limits=EvLimits(max_power_W=11_000.0, max_discharge_W=give_W), inverter=Inverter(var=var))
    vehicle = Vehicle(wants, (energy,))
    vehicle.session_id, vehicle.energy, vehicle.way = ID, energy, way
    return Ends(charger, vehicle)


# ---- what is meant


@dataclass
class Meant:
    """By IEC: in absolute units, by what the vehicle can."""

    code: GridCode
    var: float
    give_W: float = GIVE_W

    def of(self, unit: Unit, reference_V: float | None = None) -> tuple[Unit, float]:
        volts = self.code.nominal_V if reference_V is None else reference_V
        return {
            Unit.MOST_W: (Unit.W, self.give_W / 100),
            Unit.AVAILABLE_W: (Unit.W, self.give_W / 100),
            Unit.MOST_VAR: (Unit.VAR, self.var / 100),
            Unit.AVAILABLE_VAR: (Unit.VAR, self.var / 100),
            Unit.EFFECTIVE_V: (Unit.V, volts / 100),
        }.get(unit, (unit, 1.0))

    def curve(self, curve: Curve) -> Curve:
        (x, by_x), (y, by_y) = self.of(curve.x, curve.reference_V), self.of(curve.y, curve.reference_V)
        unit, by = self.of(curve.lock_unit) if curve.lock_unit else (None, 1.0)
        lock = [None if each is None else each * by for each in (curve.lock_in, curve.lock_out)]
        reference_V = None if curve.x is Unit.EFFECTIVE_V else curve.reference_V
        return replace(
            curve, points=tuple((at * by_x, value * by_y) for at, value in curve.points), x=x, y=y, lock_in=lock[0], lock_out=lock[1],
            lock_unit=unit, reference_V=reference_V,
        )  # fmt: skip

    def setpoint(self, held: Setpoint) -> Setpoint:
        unit, by = self.of(held.unit)
        return replace(held, value=held.value * by, unit=unit)


def at(curve: Curve, x: float) -> float:
    """A curve between its points, and level beyond them."""
    before = [each for each in curve.points if each[0] <= x] or [curve.points[0]]
    behind = [each for each in curve.points if each[0] > x] or [curve.points[-1]]
    (x0, y0), (x1, y1) = before[-1], behind[0]
    return y0 if x1 <= x0 else y0 + (y1 - y0) * max(0.0, x - x0) / (x1 - x0)


def as_meant(name: str, meant: Any, heard: Any, unsaid: frozenset[str], within: float = 0.0) -> None:
    """Whatever it is, but for its parts that are unsaid."""
    if name in unsaid:
        return
    if isinstance(meant, float) and isinstance(heard, (int, float)):
        assert isclose(meant, heard, rel_tol=2e-4, abs_tol=max(5.1e-4, within)), (name, meant, heard)
    elif isinstance(meant, tuple) and isinstance(heard, tuple):
        assert len(meant) == len(heard), (name, meant, heard)
        for one, other in zip(meant, heard, strict=True):
            as_meant(name, one, other, unsaid, within)
    elif is_dataclass(meant) and type(meant) is type(heard):
        for each in fields(meant):
            finer = {"delay_s": 0.51, "reference_follows_s": 0.51, "dead_band_Hz": 0.0101, "stop_Hz": 0.0101}
            as_meant(f"{name}.{each.name}", getattr(meant, each.name), getattr(heard, each.name), unsaid, finer.get(each.name, 0.0))
    else:
        assert meant == heard, (name, meant, heard)


def judge(energy: Energy, code: GridCode, var: Quadrants | None, unsaid: frozenset[str], heard: GridCode) -> None:
    by_iec = energy is Energy.AC_DER_IEC
    meaning = Meant(code, var.discharge_absorb if var else 0.0)
    for field in fields(GridCode):
        name, meant, found = field.name, getattr(code, field.name), getattr(heard, field.name)
        assert field.default is not MISSING
        if name in unsaid:
            assert found == field.default, name
            assert meant != field.default, name
        elif name == "most_discharge_percent" and meant is not None:
            as_meant(name, min(100.0, max(0.0, meant)), found, unsaid, within=0.01 if by_iec else 0.51)
        elif name == "volt_watt" and by_iec and meant is not None:
            straight(meaning.curve(meant), found, unsaid)
        elif name == "trips" and not by_iec:
            there = [
                each for each in sorted(meant, key=lambda each: list(TripKind).index(each.kind)) if f"trips.{each.kind.value}" not in unsaid
            ]
            assert [each.kind for each in there] == [each.kind for each in found]
            for one, other in zip(there, found, strict=True):
                as_meant(f"trips.{one.kind.value}", one.curve, other.curve, unsaid)
        elif isinstance(meant, Curve) and by_iec:
            as_meant(name, meaning.curve(meant), found, unsaid)
        elif isinstance(meant, Setpoint) and by_iec:
            as_meant(name, meaning.setpoint(meant), found, unsaid)
        elif name == "volt_var" and meant is not None and meant.reference_V is None:
            as_meant(name, replace(meant, reference_V=code.nominal_V), found, unsaid)
        else:
            as_meant(name, meant, found, unsaid)


def straight(meant: Curve, heard: Curve, unsaid: frozenset[str]) -> None:
    """The same line where the points are; by IEC in % of all that the vehicle can give."""
    (start, _), (stop, _) = heard.points
    for x, watts in meant.points:
        off = 0.11 * 100.0 / max(stop - start, 0.11)  # a voltage is said by tenths
        assert abs(at(heard, x) - 100.0 * watts / GIVE_W) <= 0.6 + off, (x, watts, heard)
    as_meant("volt_watt", replace(meant, points=heard.points, y=heard.y), heard, unsaid)


@pytest.mark.parametrize("energy", NAMESPACES)
def test_every_function_is_heard_as_it_was_meant_or_is_named(energy: Energy) -> None:
    for seed in range(EXAMPLES):
        dice = Dice(seed)
        code, var = dice.code(), dice.declared()
        ends = between(energy, code, var)
        unsaid = ends.parameters()
        for _ in range(2):
            ends.round()
        assert ends.vehicle.grid is not None
        judge(energy, code, var, unsaid, ends.vehicle.grid)


@pytest.mark.parametrize("energy", NAMESPACES)
def test_what_is_changed_is_heard_or_named(energy: Energy) -> None:
    """In the loop: what is neither stale nor unsaid is as a vehicle hears it that comes now, and what is stale as it was."""
    for seed in range(EXAMPLES):
        dice = Dice(seed)
        before, var = dice.code(), dice.declared()
        other = dice.code(before.nominal_Hz)
        kept = {each.name: getattr(before, each.name) for each in fields(GridCode) if dice.flag()}
        after = replace(other, **kept)
        ends, fresh = between(energy, before, var), between(energy, after, var)
        ends.parameters()
        ends.round()
        was = ends.vehicle.grid
        ends.charger.facts.grid = after
        ends.round()
        unsaid = fresh.parameters()
        fresh.round()
        heard, there, stale = ends.vehicle.grid, fresh.vehicle.grid, ends.charger.grid_stale
        assert ends.charger.grid_unsaid == unsaid
        assert stale <= (set(grid_words.LASTING) if energy is Energy.AC_DER_SAE else {each.name for each in fields(GridCode)})
        for field in fields(GridCode):
            expected = was if field.name in stale else there
            assert said_none(getattr(heard, field.name)) == said_none(getattr(expected, field.name)), (seed, field.name)


def said_none(value: Any) -> Any:
    """A time of nothing is none."""
    if isinstance(value, EnterService):
        return replace(value, delay_s=value.delay_s or None, random_delay_s=value.random_delay_s or None, ramp_s=value.ramp_s or None)
    return value


@pytest.mark.parametrize("energy", NAMESPACES)
def test_rules_that_ask_for_nothing(energy: Energy) -> None:
    ends = between(energy, GridCode(), None)
    assert ends.parameters() == frozenset()
    assert ends.vehicle.grid == GridCode()
    assert ends.round() == []
