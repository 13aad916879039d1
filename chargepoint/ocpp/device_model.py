"""The device model: typed rows that blocks declare, and the values that stand in them (OCPP 2.1 Part 1 chapter 4 [K], block B).

Declared are only rows that somebody honours, so a variable without effect refuses to be set, as an unknown one (B05.FR.05).
Reading is for everybody. A row changes by `change` (checked by the caller or by `checked`, kept, told as `VariableChanged`), by its
owner's `put` (what it reports of itself), or by being computed when it is asked for (`compute`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Literal

from chargepoint.commands import Delete, Persist, Put
from chargepoint.ocpp.variable import Attribute, Mutability, Place, Variable, parse_place, place_of, seeds
from chargepoint.ocpp.variable_values import BadValue, DataType, Limits, checked
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

TABLE = "variables"
"""Where values stand that differ from the configuration: key of the place -> text, or null for a removed variable."""


@dataclass(frozen=True, slots=True)
class VariableChanged:
    """A row has a new value; `old` and `new` are "" for secrets. Not told for what counts only after a restart."""

    place: Place
    old: str
    new: str

    def concerns(self, row: Variable) -> bool:
        """Whether this is about that row, on whichever EVSE."""
        place = self.place
        return (place.component, place.variable, place.instance, place.component_instance) == (
            row.component,
            row.name,
            row.instance,
            row.component_instance,
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no such place: an attributeStatus of GetVariables and SetVariables."""

    status: Literal["UnknownComponent", "UnknownVariable", "NotSupportedAttributeType"]


@dataclass(slots=True)
class ModelState:
    """What the device model remembers in a snapshot: values by the key of their place."""

    values: dict[str, str] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


class DeviceModel:
    """Values by place. Reading is for everybody; writing is the variables block's and the owner's of the row."""

    def __init__(self, rows: Iterable[Variable], evse_ids: Iterable[int]) -> None:
        self.rows: dict[Place, Variable] = {}
        self.values: dict[Place, str] = {}
        self.pending: dict[Place, str] = {}
        self.removed: set[Place] = set()
        self.problems: list[str] = []
        """What `seed` and `load` could not take over, for a person."""
        self._limits: dict[Place, Limits] = {}
        self._computed: dict[Place, Callable[[Tick], str]] = {}
        self._guards: dict[Place, Callable[[str], None]] = {}
        self._at_once: dict[Place, Callable[[str, str], bool]] = {}
        for row in rows:
            for place in _places(row, tuple(evse_ids)):
                self._declare(place, row)
        self._index()

    def _index(self) -> None:
        self._folded = {_fold(place): place for place in self.rows}
        self._components = {_fold(place)[:4] for place in self.rows}

    def _declare(self, place: Place, row: Variable) -> None:
        if place in self.rows:
            raise ValueError(f"{place.key} is declared twice")
        self.rows[place] = row
        if row.default is not None:
            self.values[place] = row.default

    # ---- reading, for everybody

    def text(self, row: Variable, evse_id: int = 0) -> str:
        """The value that counts now; "" where there is none. A removed variable counts as its default."""
        place = place_of(row, evse_id)
        return (row.default or "") if place in self.removed else self.values.get(place, "")

    def integer(self, row: Variable, evse_id: int = 0) -> int:
        """The value of an integer row; 0 where there is none."""
        return int(self.text(row, evse_id) or 0)

    def decimal(self, row: Variable, evse_id: int = 0) -> float:
        """The value of a decimal row; 0.0 where there is none."""
        return float(self.text(row, evse_id) or 0)

    def flag(self, row: Variable, evse_id: int = 0) -> bool:
        """The value of a boolean row; False where there is none."""
        return self.text(row, evse_id).lower() == "true"

    def members(self, row: Variable, evse_id: int = 0) -> tuple[str, ...]:
        """The entries of a list row, in their order."""
        return tuple(part.strip() for part in self.text(row, evse_id).split(",") if part.strip())

    # ---- what the owner of a row does

    def put(self, row: Variable, value: str, evse_id: int = 0) -> None:
        """The owner of a row reports a new value (actual state); no check, no persistence."""
        self.values[place_of(row, evse_id)] = value

    def compute(self, row: Variable, value: Callable[[Tick], str], evse_id: int = 0, attribute: Attribute = "Actual") -> None:
        """From now on the row's value on the wire is what `value(now)` gives when somebody asks."""
        self._computed[place_of(row, evse_id, attribute)] = value

    def undeclare(self, rows: Iterable[Variable], evse_id: int) -> None:
        """This EVSE is not made so that it could have these rows; said by their owner before anything else happens."""
        for place in [place for row in rows for place in _places(row, (evse_id,))]:
            self.rows.pop(place)
            self.values.pop(place, None)
        self._index()

    def declare(self, row: Variable) -> None:
        """One row more, of the whole station, that this one's make or extensions bring; said before anything else happens."""
        self._declare(place_of(row), row)
        self._index()

    def fix(self, row: Variable, value: str) -> None:
        """This station is not made so that the row could be anything else; said by its owner before anything else happens."""
        place = place_of(row)
        self.rows[place] = replace(row, default=value, mutability=Mutability.READ_ONLY, constant=True)
        self.values[place] = value

    def guard(self, row: Variable, check: Callable[[str], None], evse_id: int = 0) -> None:
        """The owner's own check of a new value, after type and limits: raises BadValue."""
        self._guards[place_of(row, evse_id)] = check

    def at_once(self, row: Variable, holds: Callable[[str, str], bool]) -> None:
        """Of a row that waits for a restart: `holds(old, new)` says of which changes that is not so."""
        self._at_once[place_of(row)] = holds

    def bound(self, row: Variable, limits: Limits, evse_id: int = 0) -> None:
        """Limits of this place where they are narrower than the row's: ratings of one EVSE, slots of the configuration."""
        self._limits[place_of(row, evse_id)] = limits

    def change(self, place: Place, value: str) -> list[object]:
        """Take a checked value over: gives the Persist, and VariableChanged where the value counts at once."""
        row, old = self.rows[place], self.values.get(place, "")
        if value == old and place not in self.pending and place not in self.removed:
            return []
        kept: list[object] = [Persist((Put(TABLE, place.key, value),))] if row.persistent else []
        self.removed.discard(place)
        self.pending.pop(place, None)
        if value == old:
            return kept
        if row.reboot_required and not (place in self._at_once and self._at_once[place](old, value)):
            self.pending[place] = value
            return kept
        self.values[place] = value
        return [*kept, VariableChanged(place, "", "") if row.secret else VariableChanged(place, old, value)]

    def remove(self, place: Place) -> list[object]:
        """The variable is gone, as if this station had never had it; readers see its default."""
        row, old = self.rows[place], self.values.get(place, "")
        self.removed.add(place)
        return [
            Persist((Put(TABLE, place.key, None),)),
            VariableChanged(place, "" if row.secret else old, "" if row.secret else row.default or ""),
        ]

    def forget(self, place: Place) -> list[object]:
        """Back to the declared default, and no longer in the store."""
        row, old = self.rows[place], self.values.get(place, "")
        self.values.pop(place, None)
        if row.default is not None:
            self.values[place] = row.default
        new = self.values.get(place, "")
        return [
            Persist((Delete(TABLE, place.key),)),
            *([VariableChanged(place, "" if row.secret else old, "" if row.secret else new)] if old != new else []),
        ]

    # ---- what the wire sees

    def find(self, wanted: Place) -> Place | Missing:
        """The declared place that is meant, names compared without regard to case; or why there is none."""
        folded = _fold(wanted)
        place = self._folded.get(folded)
        if place is not None and place not in self.removed:
            return place
        if folded[:4] not in self._components:
            return Missing("UnknownComponent")
        variable = folded[:6]
        if any(other[:6] == variable and place not in self.removed for other, place in self._folded.items()):
            return Missing("NotSupportedAttributeType")
        return Missing("UnknownVariable")

    def shown(self, now: Tick, place: Place) -> str:
        """The value for the wire: computed, waiting for a restart, or as it stands. Callers keep secrets back."""
        if place in self._computed:
            return self._computed[place](now)
        return self.pending.get(place, self.values.get(place, ""))

    def limits(self, place: Place) -> Limits:
        """The limits that hold at this place."""
        row = self.rows[place]
        upper = row.max if row.max_length is None else row.max_length
        return self._limits.get(place, Limits(row.min, upper, row.values, row.max_elements))

    def checked(self, place: Place, value: str) -> str:
        """The value in its one spelling. Raises BadValue when type, limits or the row's owner refuse it."""
        spelled = checked(self.rows[place].type, value, self.limits(place))
        guard = self._guards.get(place)
        if guard is not None:
            guard(spelled)
        return spelled

    def visible(self) -> list[Place]:
        """All places, a component's together, in the order of their declaration."""
        return [place for place in self.rows if place not in self.removed]

    def by_key16(self, key: str) -> Place | None:
        """The first place of the row with this OCPP 1.6 key."""
        return next((place for place, row in self.rows.items() if row.key16 and row.key16.lower() == key.lower()), None)

    # ---- beginnings

    def seed(self, variables: Mapping[str, str]) -> Sequence[str]:
        """Start values from the configuration, past mutability; gives what is wrong with them, and appends it to `problems`."""
        wrong = [problem for key, value in variables.items() if (problem := self._take(key, value))]
        self.problems.extend(wrong)
        return wrong

    def load(self, stored: Mapping[str, object]) -> Sequence[str]:
        """What the store holds, over the seeds. A row that is no longer declared, or whose type changed, is named and left out."""
        wrong: list[str] = []
        for key, value in stored.items():
            problem = self._take(key, value if isinstance(value, str) else None)
            if problem:
                wrong.append(problem)
        self.problems.extend(wrong)
        return wrong

    def _take(self, key: str, value: str | None) -> str:
        try:
            place = self.find(parse_place(key))
            if isinstance(place, Missing):
                return f"{key}: {place.status}"
            if value is None:
                self.removed.add(place)
                return ""
            self.values[place] = checked(self.rows[place].type, value, self.limits(place))
        except BadValue as bad:
            return f"{key}: {bad}"
        except ValueError as error:
            return str(error)
        return ""

    @property
    def state(self) -> ModelState:
        """All values, for a snapshot."""
        return ModelState(
            {place.key: value for place, value in self.values.items()},
            {place.key: value for place, value in self.pending.items()},
            tuple(sorted(place.key for place in self.removed)),
        )

    @state.setter
    def state(self, value: ModelState) -> None:
        by_key = {place.key: place for place in self.rows}
        self.values = {by_key[key]: text for key, text in value.values.items() if key in by_key}
        self.pending = {by_key[key]: text for key, text in value.pending.items() if key in by_key}
        self.removed = {by_key[key] for key in value.removed if key in by_key}


def _places(row: Variable, evse_ids: tuple[int, ...]) -> list[Place]:
    places = [place_of(row)] if row.per == "station" else [place_of(row, evse_id) for evse_id in evse_ids]
    return [replace(place, attribute=attribute) for place in places for attribute in row.attributes]


def _fold(place: Place) -> tuple[str, str, int, int, str, str, str]:
    return (
        place.component.lower(),
        place.component_instance.lower(),
        place.evse_id,
        place.connector_id,
        place.variable.lower(),
        place.instance.lower(),
        place.attribute,
    )


__all__ = [
    "TABLE",
    "Attribute",
    "BadValue",
    "DataType",
    "DeviceModel",
    "Limits",
    "Missing",
    "ModelState",
    "Mutability",
    "Place",
    "Variable",
    "VariableChanged",
    "parse_place",
    "place_of",
    "seeds",
]
