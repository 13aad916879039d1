"""GetBaseReport and GetReport, and the NotifyReport parts that follow (OCPP 2.1 B07, B08).

Which variables are told is fixed when the request comes; a part with their values is made when its turn has come, so that no report takes long at
once. One part is under way at a time, so that a long report never fills the queue of calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Any, ClassVar

from chargepoint.commands import Log
from chargepoint.events import LinkDown
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, CallReceived, Context, Reply, answers, hears, refusal
from chargepoint.ocpp.device_model import DeviceModel, Mutability, Place, Variable
from chargepoint.ocpp.limits import MOST_ITEMS, refuse_oversize, size_of
from chargepoint.ocpp.messages import CONNECTION_LOST, Call
from chargepoint.ocpp.variable_values import VALUE_SIZE
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

MOST_WAITING = 4
"""Reports that may wait for their sending; one more is refused."""
LARGEST_REPORT = 8192
"""Bytes of one GetReport and of one NotifyReport: small, because some hubs cut large frames (ocpp for Home Assistant, issue 176)."""
ENVELOPE = 256
"""Bytes that a NotifyReport needs beside its reportData."""

ITEMS = Variable(
    "DeviceDataCtrlr",
    "ItemsPerMessage",
    "integer",
    str(MOST_ITEMS),
    "entries of one GetReport request, and of one NotifyReport",
    instance="GetReport",
    constant=True,
    source="OCPP 2.1 B08.FR.17",
)
BYTES = Variable(
    "DeviceDataCtrlr",
    "BytesPerMessage",
    "integer",
    str(LARGEST_REPORT),
    "size of one GetReport request, and of one NotifyReport",
    instance="GetReport",
    constant=True,
    source="OCPP 2.1 B08.FR.18",
)

_SUMMARY = "availabilitystate"
_TROUBLE = frozenset({"problem", "tripped", "overload", "fallback"})
_CRITERIA = {"Active": True, "Available": True, "Enabled": True, "Problem": False}
"""Criterion -> whether a component without that variable meets it (one that cannot be inactive is active; it has no problem) [K]."""


@dataclass(slots=True)
class Report:
    """One report on its way: the parts that are still to be sent."""

    request_id: int
    generated_at: str
    left: list[tuple[Place, ...]]
    """What is still to be told: the places of one variable each."""
    seq_no: int = 0


@dataclass(slots=True)
class ReportsState:
    """What waits to be sent."""

    waiting: list[Report] = field(default_factory=list)
    under_way: bool = False


class ReportsBlock(Block):
    """Reports on the device model."""

    name: ClassVar[str] = "reports"
    variables: ClassVar[tuple[Variable, ...]] = (ITEMS, BYTES)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: ReportsState = ReportsState()

    @answers("GetBaseReport")
    def get_base_report(self, now: Tick, call: CallReceived) -> Reply:
        model = self.context.model
        match call.payload["reportBase"]:
            case "ConfigurationInventory":
                places = [p for p in model.visible() if model.rows[p].mutability is not Mutability.READ_ONLY]
            case "FullInventory":
                places = model.visible()
            case "SummaryInventory":
                places = [p for p in model.visible() if _in_summary(model, now, p)]
            case _:
                return Reply({"status": "NotSupported"})
        return self._begin(now, call, places)

    @answers("GetReport")
    def get_report(self, now: Tick, call: CallReceived) -> Reply:
        model, payload = self.context.model, call.payload
        asked = payload.get("componentVariable") or []
        refuse_oversize(model.integer(ITEMS), model.integer(BYTES), len(asked), payload)
        criteria = payload.get("componentCriteria") or []
        places = [p for p in model.visible() if not asked or any(_matches(p, item) for item in asked)]
        if criteria:
            wanted = {component for component in {_component(p) for p in places} if _meets(model, now, component, criteria)}
            places = [p for p in places if _component(p) in wanted]
        return self._begin(now, call, places)

    def _begin(self, now: Tick, call: CallReceived, places: Sequence[Place]) -> Reply:
        if not places:
            return Reply({"status": "EmptyResultSet"})
        if len(self.state.waiting) >= MOST_WAITING:
            return refusal("Rejected", "OutOfMemory", "other reports are still being sent")
        at = format_timestamp(self.context.clock.utc(now))
        self.state.waiting.append(Report(call.payload["requestId"], at, _by_variable(places)))
        return Reply({"status": "Accepted"}, self._next(now))

    def _next(self, now: Tick) -> Sequence[object]:
        state = self.state
        if state.under_way or not state.waiting:
            return ()
        report, model = state.waiting[0], self.context.model
        entries = (_report_data(model, now, same) for same in report.left)
        part = _part(entries, model.integer(ITEMS), model.integer(BYTES) - ENVELOPE)
        del report.left[: len(part)]
        payload = {
            "requestId": report.request_id,
            "generatedAt": report.generated_at,
            "seqNo": report.seq_no,
            "tbc": bool(report.left),
            "reportData": part,
        }
        token = f"{self.name}:{report.request_id}:{report.seq_no}"
        report.seq_no += 1
        state.under_way = True
        if not report.left:
            state.waiting.pop(0)
        return (Call("NotifyReport", payload, token),)

    @hears(CallAnswered, CallFailed)
    def part_done(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        """The next part, also after one that the CSMS refused or did not answer: it may want the rest."""
        if not event.token.startswith(f"{self.name}:"):
            return ()
        self.state.under_way = False
        if isinstance(event, CallAnswered):
            return self._next(now)
        log = Log("warning", "report.part_failed", {"part": event.token, "code": event.code, "why": event.description})
        if event.code == CONNECTION_LOST:
            self.state.waiting.clear()
            return (log,)
        return (log, *self._next(now))

    @hears(LinkDown)
    def link_down(self, now: Tick, event: LinkDown) -> Sequence[object]:
        """A report belongs to the connection that asked for it; whoever still wants it asks again."""
        self.state.waiting.clear()
        return ()


def _component(place: Place) -> tuple[str, str, int, int]:
    return place.component, place.component_instance, place.evse_id, place.connector_id


def _in_summary(model: DeviceModel, now: Tick, place: Place) -> bool:
    """Availability of station, EVSEs and connectors, and whatever is wrong (B07.FR.09)."""
    name = place.variable.lower()
    if name == _SUMMARY:
        return place.component in ("ChargingStation", "EVSE", "Connector")
    return name in _TROUBLE and model.shown(now, place) == "true"


def _matches(place: Place, item: dict[str, Any]) -> bool:
    """Whether a place is meant by an entry of componentVariable: what the entry leaves out may be anything (B08.FR.20 to .23 [K])."""
    component, variable = item["component"], item.get("variable") or {}
    evse = component.get("evse") or {}
    pairs = (
        (component["name"], place.component),
        (component.get("instance"), place.component_instance),
        (variable.get("name"), place.variable),
        (variable.get("instance"), place.instance),
    )
    numbers = ((evse.get("id"), place.evse_id), (evse.get("connectorId"), place.connector_id))
    return all(asked is None or asked.lower() == has.lower() for asked, has in pairs) and all(
        asked is None or asked == has for asked, has in numbers
    )


def _meets(model: DeviceModel, now: Tick, component: tuple[str, str, int, int], criteria: Sequence[str]) -> bool:
    """Any of the criteria is enough (B08.FR.05)."""
    name, instance, evse_id, connector_id = component
    for criterion in criteria:
        place = model.find(Place(name, criterion, "", instance, evse_id, connector_id))
        met = model.shown(now, place).lower() == "true" if isinstance(place, Place) else _CRITERIA[criterion]
        if met:
            return True
    return False


def _by_variable(places: Sequence[Place]) -> list[tuple[Place, ...]]:
    """The attributes of one variable belong into one entry."""
    groups: dict[tuple[object, ...], list[Place]] = {}
    for place in places:
        groups.setdefault((*_component(place), place.variable, place.instance), []).append(place)
    return [tuple(each) for each in groups.values()]


def _report_data(model: DeviceModel, now: Tick, places: Sequence[Place]) -> dict[str, Any]:
    place, row = places[0], model.rows[places[0]]
    component: dict[str, Any] = {"name": place.component}
    if place.component_instance:
        component["instance"] = place.component_instance
    if place.evse_id:
        component["evse"] = {"id": place.evse_id, **({"connectorId": place.connector_id} if place.connector_id else {})}
    return {
        "component": component,
        "variable": {"name": place.variable, **({"instance": place.instance} if place.instance else {})},
        "variableAttribute": [_attribute(model, now, each) for each in places],
        "variableCharacteristics": _characteristics(model, place, row),
    }


def _attribute(model: DeviceModel, now: Tick, place: Place) -> dict[str, Any]:
    row = model.rows[place]
    attribute: dict[str, Any] = {
        "type": place.attribute,
        "mutability": row.mutability.value,
        "persistent": row.persistent,
        "constant": row.constant,
    }
    if row.mutability is not Mutability.WRITE_ONLY:
        attribute["value"] = model.shown(now, place)[:VALUE_SIZE]
    return attribute


def _characteristics(model: DeviceModel, place: Place, row: Variable) -> dict[str, Any]:
    limits = model.limits(place)
    found: dict[str, Any] = {"dataType": row.type, "supportsMonitoring": False}
    if row.unit:
        found["unit"] = row.unit
    if limits.min is not None:
        found["minLimit"] = limits.min
    if limits.max is not None:
        found["maxLimit"] = limits.max
    if limits.values:
        found["valuesList"] = ",".join(limits.values)[:1000]
    if limits.max_elements is not None:
        found["maxElements"] = limits.max_elements
    return found


def _part(entries: Iterable[dict[str, Any]], most_items: int, most_bytes: int) -> list[dict[str, Any]]:
    """As many of them as both limits allow; one that is too large by itself goes alone."""
    part: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        size += size_of(entry) + 1
        if part and (len(part) >= most_items or size > most_bytes):
            break
        part.append(entry)
    return part


__all__ = ["BYTES", "ITEMS", "Report", "ReportsBlock", "ReportsState"]
