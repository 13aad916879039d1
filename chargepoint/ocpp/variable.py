"""Declaring a device-model variable, and naming the place where a value of it stands."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from chargepoint.ocpp.variable_values import DataType
from iso15118.frozen import dataclass

Attribute = Literal["Actual", "Target", "MinSet", "MaxSet"]


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
    """Least value; for a string its least length."""
    max: float | None = None
    max_length: int | None = None
    secret: bool = False
    """Never read back, never in a report, an event or a log."""
    reboot_required: bool = False
    """A new value counts from the next start on; until then `text` gives the old one and the wire shows the new one."""
    key16: str = ""
    source: str = ""
    max_elements: int | None = None
    attributes: tuple[Attribute, ...] = ("Actual",)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands. Names compare without regard to case, as the schemas say of component and variable; "" and 0 mean none."""

    component: str
    variable: str
    instance: str = ""
    component_instance: str = ""
    evse_id: int = 0
    connector_id: int = 0
    attribute: Attribute = "Actual"

    @property
    def key(self) -> str:
        """As text, in the store and in `chargepoint.toml`.

        >>> Place("TxCtrlr", "EVConnectionTimeOut").key, Place("Connector", "Available", evse_id=2, connector_id=1).key
        ('TxCtrlr.EVConnectionTimeOut', 'Connector@2.1.Available')
        """
        component = self.component + (f"[{self.component_instance}]" if self.component_instance else "")
        where = f"@{self.evse_id}" + (f".{self.connector_id}" if self.connector_id else "") if self.evse_id else ""
        variable = self.variable + (f"[{self.instance}]" if self.instance else "")
        return f"{component}{where}.{variable}" + (f"/{self.attribute}" if self.attribute != "Actual" else "")


_KEY = re.compile(
    r"(?P<component>[^.\[\]@/]+)(\[(?P<component_instance>[^\[\]]*)\])?(@(?P<evse_id>\d{1,4})(\.(?P<connector_id>\d{1,4})(?=\.))?)?"
    r"\.(?P<variable>[^.\[\]@/]+)(\[(?P<instance>[^\[\]]*)\])?(/(?P<attribute>Actual|Target|MinSet|MaxSet))?",
    re.ASCII,
)


def parse_place(key: str) -> Place:
    """The place that a key names. Raises ValueError.

    >>> parse_place("DeviceDataCtrlr.ItemsPerMessage[GetReport]").instance
    'GetReport'
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key!r} is not shaped Component[instance]@evse.connector.Variable[instance]/Attribute")
    part = {name: text for name, text in match.groupdict().items() if text}
    return Place(
        component=part["component"],
        variable=part["variable"],
        instance=part.get("instance", ""),
        component_instance=part.get("component_instance", ""),
        evse_id=int(part.get("evse_id", 0)),
        connector_id=int(part.get("connector_id", 0)),
        attribute=part.get("attribute", "Actual"),  # type: ignore[arg-type]
    )


def seeds(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Rows as a bench-station file lists them (`component`, `evse_id`, `variable`, `attribute`, `value` ...) as keys and values for `seed`.

    Null means absent, for a field as for a value. Raises KeyError when a row names no component or no variable.
    """
    found: dict[str, str] = {}
    for entry in entries:
        if entry.get("value") is not None:
            place = Place(
                component=entry["component"],
                variable=entry["variable"],
                instance=entry.get("variable_instance") or "",
                component_instance=entry.get("component_instance") or "",
                evse_id=entry.get("evse_id") or 0,
                connector_id=entry.get("connector_id") or 0,
                attribute=entry.get("attribute") or "Actual",
            )
            found[place.key] = str(entry["value"])
    return found


def place_of(row: Variable, evse_id: int = 0, attribute: Attribute = "Actual") -> Place:
    """Where this row's value stands on the given EVSE."""
    if row.per == "station":
        return Place(row.component, row.name, row.instance, row.component_instance, attribute=attribute)
    connector_id = 1 if row.per == "connector" else 0
    return Place(row.component, row.name, row.instance, row.component_instance, evse_id, connector_id, attribute)
