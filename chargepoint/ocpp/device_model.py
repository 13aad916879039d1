"""The device model: typed rows that blocks declare, and the values that stand in them (OCPP 2.1 Part 1 chapter 4 [K], block B)."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

DataType = Literal["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]


class Mutability(enum.Enum):
    """OCPP 2.1 MutabilityEnumType."""

    READ_ONLY = "ReadOnly"
    WRITE_ONLY = "WriteOnly"
    READ_WRITE = "ReadWrite"


@dataclass(frozen=True, slots=True)
class Variable:
    """One declared row: the 2.x variable, its limits, its 1.6 key, what it means.

    A row is declared by the block that honours it; a block that does not act on a variable does not declare it.
    """

    component: str
    name: str
    type: DataType
    default: str | None
    doc: str
    instance: str = ""
    component_instance: str = ""
    per: Literal["station", "evse", "connector"] = "station"
    mutability: Mutability = Mutability.READ_ONLY
    persistent: bool = True
    constant: bool = False
    unit: str = ""
    values: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    secret: bool = False
    reboot_required: bool = False
    key16: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands. Names compare without regard to case, as Part 2 asks for [K: B06.FR.13 et al.]; "" and 0 mean none."""

    component: str
    variable: str
    instance: str = ""
    component_instance: str = ""
    evse_id: int = 0
    connector_id: int = 0


class DeviceModel:
    """Values by place. Reading is for everybody; writing is the variables block's and the owner's of the row."""

    def __init__(self, rows: Iterable[Variable], evse_ids: Iterable[int]) -> None:
        self.rows: dict[Place, Variable] = {}
        self.values: dict[Place, str] = {}
        for row in rows:
            for place in _places(row, tuple(evse_ids)):
                if place in self.rows:
                    raise ValueError(f"{place} is declared twice")
                self.rows[place] = row
                if row.default is not None:
                    self.values[place] = row.default

    def text(self, row: Variable, evse_id: int = 0) -> str:
        """The value as it stands on the wire; "" where there is none."""
        return self.values.get(place_of(row, evse_id), "")

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

    def put(self, row: Variable, value: str, evse_id: int = 0) -> None:
        """The owner of a row reports a new value (actual state); no check, no persistence."""
        self.values[place_of(row, evse_id)] = value


def place_of(row: Variable, evse_id: int = 0) -> Place:
    """Where this row's value stands on the given EVSE."""
    if row.per == "station":
        return Place(row.component, row.name, row.instance, row.component_instance)
    return Place(row.component, row.name, row.instance, row.component_instance, evse_id, 1 if row.per == "connector" else 0)


def _places(row: Variable, evse_ids: tuple[int, ...]) -> list[Place]:
    return [place_of(row)] if row.per == "station" else [place_of(row, evse_id) for evse_id in evse_ids]
