"""Scenarios: a few lines of TOML say which vehicle comes, what happens, and how it has to end.

    words = "The driver pauses, and comes back"
    service = "DC_BPT"
    control = "dynamic"
    ends = ["paused", "terminated"]        # one for each connection
    [[then]]
    after_loops = 20
    vehicle = "pause"
    [[then]]
    after_loops = 60
    vehicle = "stop"

`run` plays one on virtual time, with our charger and our vehicle, and gives the pair back: for its diagram, and for whatever else is to be looked at.
"""

from __future__ import annotations

import enum
import tomllib
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO

from bench.v2g import diagram, offer
from bench.v2g.charger import Charger, Pace, every_way
from bench.v2g.guard import Guard
from bench.v2g.misbehave import CATALOGUE, CONTRACTS, OLDER_CONTRACTS, misbehaving
from bench.v2g.model import SPECS, Vehicle
from bench.v2g.others import spoken
from bench.v2g.pair import Pair
from bench.v2g.pki import Cps, World
from certs.testpki_make import Kind
from chargepoint.config import Range
from iso15118 import protocols
from iso15118.connection import Abort, Connected, Lost
from iso15118.evcc.session import Session
from iso15118.evcc.terms import EvWish, Wants
from iso15118.protocols import PROTOCOLS
from iso15118.terms import PLAIN, Control, Ending, Energy, Payment, Wish
from iso15118.trust import Refusal

FOLDER = Path(__file__).parent / "scenarios"


class ScenarioError(ValueError):
    """The file is none, or says something that does not exist."""


@dataclass(frozen=True, slots=True)
class Then:
    """Something that happens once: after so many exchanges of the loop, so many seconds after the connection, or at a message of the vehicle."""

    after_loops: int | None = None
    after_s: float | None = None
    at: str = ""
    """When the vehicle has said this for the first time: the name of a message."""
    vehicle: EvWish | None = None
    charger: Wish | None = None
    fault: str = ""
    cut: str = ""
    """The connection is lost, for this reason, without a word."""
    abort: str = ""
    """The charger ends it, for this reason."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file."""

    words: str
    service: Energy = Energy.DC
    protocols: tuple[str, ...] = ()
    """What the vehicle speaks, best first. None: ISO 15118-20."""
    offers: tuple[str, ...] = ()
    """What the charger speaks. None: everything."""
    control: Control = Control.DYNAMIC
    mobility_by_secc: bool = False
    vehicle: str = "compact"
    soc: float = 30.0
    target_soc: float = 80.0
    give: bool = False
    loops: int | None = None
    loop_s: float = 0.2
    most_s: float = 3600.0
    accepts: bool = True
    """The charger lets the driver charge."""
    contracts: tuple[str, ...] = ()
    """eMAIDs: with one of these the vehicle pays, over TLS."""
    installs: tuple[str, ...] = ()
    """eMAIDs: contracts that are there for the vehicle, which asks for as many."""
    keys: str = "p521"
    """Of all certificates: one of KEYS."""
    pays: tuple[str, ...] = ()
    """eMAIDs whose operators pay. None: all do."""
    updates: bool = False
    """The vehicle asks for its contract anew (ISO 15118-2)."""
    standby: bool = True
    """The charger allows it."""
    other_schedules_aside: bool = False
    """Asked for on the stream beside the loop."""
    bare_stop: bool = False
    """Before energy the vehicle says SessionStop alone (DIN 70121 and ISO 15118-2)."""
    welding_detection: bool = True
    misbehaves: str = ""
    """A name of the catalogue."""
    at: str = ""
    seed: int = 0
    ends: tuple[str, ...] = ("terminated",)
    """As the charger sees each connection end. After "paused" the vehicle comes back to the same session, after a contract that was refused by another way to pay."""
    then: tuple[Then, ...] = ()


OLDER = ("bare_stop", "updates")
"""Keys that ISO 15118-20 has no word for."""
NEWER = ("mobility_by_secc", "other_schedules_aside", "keys")
"""Those that only ISO 15118-20 has one for."""
WISHES: dict[str, tuple[frozenset[EvWish], frozenset[Wish]]] = {
    "din": (frozenset({EvWish.STOP}), frozenset({Wish.STOP, Wish.PAUSE})),
    "iso2": (
        frozenset({EvWish.STOP, EvWish.PAUSE, EvWish.RENEGOTIATE_SCHEDULE}),
        frozenset({Wish.STOP, Wish.PAUSE, Wish.RENEGOTIATE_SCHEDULE, Wish.CONFIRM_METERING}),
    ),
    "iso20": (frozenset(EvWish), frozenset(Wish)),
}
"""What a vehicle and a charger can want of each other."""
KEYS = ("p521", "ed448")
ENDS = tuple(each.value for each in Ending)
LISTS: dict[str, tuple[str, ...]] = {"ends": ENDS, "protocols": tuple(PROTOCOLS), "offers": tuple(PROTOCOLS)}
"""What may stand in a list."""
RANGES: dict[str, Range] = {
    "soc": Range(0, 100), "target_soc": Range(0, 100), "loops": Range(1, 1_000_000), "loop_s": Range(0, 60), "most_s": Range(1, 1_000_000),
    "seed": Range(0, 1 << 32), "after_loops": Range(0, 1_000_000), "after_s": Range(0, 1_000_000),
}  # fmt: skip
"""Of the numbers."""


def read(text: str) -> Scenario:
    """Raises ScenarioError, which names the key and what is allowed there."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"is no TOML: {error}") from None
    scenario: Scenario = _made(Scenario, given)
    _chosen("vehicle", scenario.vehicle, SPECS)
    _chosen("misbehaves", scenario.misbehaves or None, CATALOGUE | CONTRACTS | OLDER_CONTRACTS)
    _chosen("keys", scenario.keys, KEYS)
    if why := next(impossible(scenario, given), ""):
        raise ScenarioError(why)
    return scenario


def _made(kind: Any, given: Mapping[str, Any], at: str = "") -> Any:
    """One table. Other keys, and a key that is not there and has no default, are errors."""
    hints = typing.get_type_hints(kind)
    if strange := set(given) - set(hints):
        raise ScenarioError(f"{', '.join(at + each for each in sorted(strange))}: no such key; there are {', '.join(hints)}")
    for each in fields(kind):
        if each.name not in given and each.default is MISSING:
            raise ScenarioError(f"{at}{each.name} is needed: a text")
    return kind(**{name: _value(hints[name], value, at + name) for name, value in given.items()})


def _value(hint: Any, value: Any, key: str) -> Any:
    """A value as its field has it."""
    kinds = [each for each in typing.get_args(hint) or (hint,) if each is not type(None)]
    match kinds[0]:
        case type() as kind if issubclass(kind, enum.Enum):
            return kind(_chosen(key, value, [each.value for each in kind]))
        case _ if hint == tuple[Then, ...]:
            if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
                raise ScenarioError(f"{key}: a list of tables, [[then]]")
            return tuple(_then(each, f"{key}[{i}].") for i, each in enumerate(value))
        case _ if hint == tuple[str, ...]:
            return _texts(value, key)
        case type() as kind if kind in (int, float):
            return _number(kind, value, key)
        case type() as kind if isinstance(value, kind):
            return value
    raise ScenarioError(f"{key}: {value!r} is not {'true or false' if kinds[0] is bool else 'a text'}")


def _texts(value: Any, key: str) -> tuple[str, ...]:
    if key == "ends" and (not isinstance(value, list) or not value):
        raise ScenarioError(f"{key}: {value!r} is not a list of {', '.join(ENDS)}, one for each connection")
    allowed = LISTS.get(key)
    if allowed is not None and isinstance(value, list):
        return tuple(_chosen(f"{key}[{i}]", each, allowed) for i, each in enumerate(value))
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ScenarioError(f"{key}: {value!r} is not a list of texts")
    return tuple(value)


def _number(kind: type, value: Any, key: str) -> Any:
    allowed = RANGES[key.rpartition(".")[2]]
    right = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool) and allowed.min <= value <= allowed.max
    if not right:
        what = "a whole number" if kind is int else "a number"
        raise ScenarioError(f"{key}: {value!r} is not {what} from {allowed.min:g} to {allowed.max:g}")
    return kind(value)


def _chosen(key: str, value: Any, allowed: Iterable[str]) -> Any:
    """None where nothing was said."""
    allowed = list(allowed)
    if value is not None and value not in allowed:
        raise ScenarioError(f"{key}: {value!r} is not one of: {', '.join(allowed)}")
    return value


def _then(given: Mapping[str, Any], at: str) -> Then:
    made: Then = _made(Then, given, at)
    if (made.after_loops is not None) + (made.after_s is not None) + bool(made.at) != 1:
        raise ScenarioError(f"{at}after_loops, {at}after_s or {at}at, one of them")
    return made


@dataclass
class Played:
    """What came of it."""

    scenario: Scenario
    pair: Pair
    ends: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """It ended as the scenario says."""
        return tuple(self.ends) == self.scenario.ends


def run(scenario: Scenario) -> Played:
    """Play it, guarded. Raises AssertionError where the guard sees something wrong."""
    wants = Wants(
        energies=(scenario.service,), controls=(scenario.control,), mobility_by_secc=scenario.mobility_by_secc, loops=scenario.loops, loop_s=scenario.loop_s,
        meter=True, other_schedules_aside=scenario.other_schedules_aside, protocols=scenario.protocols, bare_stop=scenario.bare_stop,
        welding_detection=scenario.welding_detection,
    )  # fmt: skip
    vehicle = Vehicle(SPECS[scenario.vehicle], scenario.soc, target_soc=scenario.target_soc, give=scenario.give, wants=wants)
    pair = Pair(Charger(every_way(standby=scenario.standby), Pace(accepts=scenario.accepts)), vehicle)
    if scenario.protocols or scenario.offers:
        pair.namespaces = tuple(each.namespace for each in protocols.spoken(scenario.offers or PROTOCOLS))
    by_contract = bool(scenario.contracts or scenario.installs)
    if _older(scenario) and not by_contract:
        pair.connection = Connected()
    if by_contract:
        _by_contract(pair, scenario)
    pair.watches.append(Guard())
    for each in scenario.then:
        _arrange(pair, each)
    played = Played(scenario, pair)
    for _ in scenario.ends:
        wants.resume = pair.paused.session_id if pair.paused else b""
        inner = Session(spoken(wants))
        pair.connect(misbehaving(scenario.misbehaves, inner, scenario.seed, scenario.at) if scenario.misbehaves else inner)
        pair.run(scenario.most_s)
        played.ends.append(pair.evse_over.ending.value if pair.evse_over else "not over")
    return played


def impossible(scenario: Scenario, given: Mapping[str, Any]) -> Iterator[str]:
    """What cannot be by what is spoken, and would play something else: the key and the protocol, in words."""
    service = scenario.service
    for i, name in enumerate(scenario.protocols):
        if service not in PLAIN or service not in offer.carried(name):
            able = ", ".join(each.value for each in offer.carried(name) if each in PLAIN)
            yield f"protocols[{i}]: {name} has {able}; service is {service.value}{'' if 'service' in given else ' where nothing is said'}"
    if scenario.offers and service not in PLAIN:
        yield f"offers: none of {', '.join(PROTOCOLS)} has service {service.value}, which is ISO 15118-20's"
    if scenario.give and not service.is_bpt:
        yield f"give: with service {service.value} nothing is given back; there are {', '.join(each.value for each in Energy if each.is_bpt)}"
    agreed = _agreed(scenario)
    if agreed is not None:
        yield from _impossible_by(agreed, scenario, given)


def _impossible_by(name: str, scenario: Scenario, given: Mapping[str, Any]) -> Iterator[str]:
    """By the protocol that both will speak."""
    family = name.partition("-")[0]
    if family != "iso20" and given.get("control") == Control.DYNAMIC.value:
        yield f"control: {name} has scheduled alone"
    yield from (f"{key}: {name} knows nothing of it" for key in (OLDER if family == "iso20" else NEWER) if given.get(key))
    yield from (
        f"{key}: din takes no contracts" for key in ("contracts", "installs", "pays", "updates") if name == "din" and given.get(key)
    )
    if (family == "iso20" and scenario.misbehaves in OLDER_CONTRACTS) or (family != "iso20" and scenario.misbehaves in CONTRACTS):
        yield f"misbehaves: {scenario.misbehaves} is not of {name}"
    wishes, asks = WISHES[family]
    for i, then in enumerate(scenario.then):
        if then.vehicle is not None and then.vehicle not in wishes:
            yield f"then[{i}].vehicle: {name} has no {then.vehicle.value!r}; it has {_values(wishes)}"
        if then.charger is not None and then.charger not in asks:
            yield f"then[{i}].charger: {name} has no {then.charger.value!r}; it has {_values(asks)}"


def _values(words: Iterable[enum.Enum]) -> str:
    return ", ".join(sorted(str(each.value) for each in words))


def _agreed(scenario: Scenario) -> str | None:
    """What both will speak; None: nothing."""
    mine = scenario.protocols or (("iso20-dc" if scenario.service.is_dc else "iso20-ac"),)
    theirs = {each.namespace for each in protocols.spoken(scenario.offers or PROTOCOLS)}
    return next((each for each in mine if PROTOCOLS[each].namespace in theirs), None)


def _older(scenario: Scenario) -> bool:
    """Nothing of ISO 15118-20 is spoken."""
    return offer.are_older(scenario.protocols)


def _by_contract(pair: Pair, scenario: Scenario) -> None:
    """The certificates, and who pays by them; a card is taken as well. Those of ISO 15118-2 have one kind of key."""
    kind: Kind = "p256" if _older(scenario) else "ed448" if scenario.keys == "ed448" else "p521"
    world, facts, wants = World.of(kind), pair.charger.facts, pair.vehicle.wants
    wants.update = scenario.updates
    facts.payments, facts.trust, facts.certificate_installation = (Payment.PNC, Payment.EIM), world.trust(), bool(scenario.installs)
    pair.charger.provides = Cps(world, scenario.installs).answer
    pair.charger.pays = lambda emaid: None if not scenario.pays or emaid in scenario.pays else Refusal.NOT_ACCEPTED
    wants.payment, wants.contracts = Payment.PNC, tuple(map(world.contract, scenario.contracts))
    wants.provisioning, wants.v2g_roots, wants.mo_roots = world.provisioning(), world.roots("v2gRoot"), world.roots("moRoot")
    wants.most_contracts = max(1, len(scenario.installs))


def _arrange(pair: Pair, then: Then) -> None:
    def act() -> None:
        if then.vehicle is not None:
            pair.vehicle.wants.wish = then.vehicle
        if then.charger is not None or then.fault:
            pair.charger.facts.wish, pair.charger.facts.fault = then.charger, then.fault
            pair.changed()
        if then.cut:
            pair.lose(Lost(then.cut))
        if then.abort:
            pair.abort(Abort(then.abort))

    if then.after_s is not None:
        pair.at(then.after_s, act)
    elif then.at:
        pair.when(lambda: any(who == "ev" and type(message).__name__ == then.at for _, who, message in pair.messages[-2:]), act)
    else:
        pair.when(lambda: pair.loops() >= (then.after_loops or 0), act)


def listed() -> list[str]:
    """Those that are there, a line each: name and what happens."""
    found = {path.stem: read(path.read_text(encoding="utf-8")).words for path in sorted(FOLDER.glob("*.toml"))}
    width = max(map(len, found), default=0)
    return [f"{name.ljust(width)}  {words}" for name, words in found.items()]


def main(name: str, svg: Path | None, out: TextIO) -> int:
    """Plays a file, or the scenario of that name, prints its diagram, and draws it into `svg`; 1 where it ends in another way than it says. Raises
    ScenarioError, OSError.
    """
    path = Path(name)
    if not path.is_file():
        path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ScenarioError(
            f"{name}: neither a file nor a scenario; there are {', '.join(sorted(each.stem for each in FOLDER.glob('*.toml')))}"
        )
    try:
        scenario = read(path.read_text(encoding="utf-8"))
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: is no TOML: no UTF-8 at octet {error.start}") from None
    played = run(scenario)
    print(scenario.words, file=out)
    print(diagram.text(played.pair), end="", file=out)
    print(f"{', '.join(played.ends)}; {played.pair.vehicle.taken_Wh:.0f} Wh taken; {played.pair.vehicle.soc:.1f} %", file=out)
    if svg is not None:
        svg.write_text(diagram.svg(played.pair, scenario.words), encoding="utf-8")
    if not played.right:
        print(f"expected: {', '.join(scenario.ends)}", file=out)
    return 0 if played.right else 1
