"""GetVariables and SetVariables (OCPP 2.1 B05, B06), what the store holds of the device model, and what an operator forces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chargepoint.commands import Log
from chargepoint.events import PoweredUp, VariableForced
from chargepoint.ocpp.block import Block, CallReceived, Reply, answers, hears
from chargepoint.ocpp.device_model import TABLE, Attribute, BadValue, Missing, Mutability, Place, Variable
from chargepoint.ocpp.limits import LARGEST_MESSAGE, MOST_ITEMS, refuse_oversize
from chargepoint.ocpp.variable_values import VALUE_SIZE, checked
from chargepoint.tick import Tick


def _limit(name: str, instance: str, default: int, doc: str) -> Variable:
    return Variable(
        "DeviceDataCtrlr", name, "integer", str(default), doc, instance=instance, constant=True, source="OCPP 2.1 B05, B06, B08"
    )


GET_ITEMS = _limit("ItemsPerMessage", "GetVariables", MOST_ITEMS, "entries of getVariableData in one request")
GET_BYTES = _limit("BytesPerMessage", "GetVariables", LARGEST_MESSAGE, "size of one GetVariables request")
SET_ITEMS = _limit("ItemsPerMessage", "SetVariables", MOST_ITEMS, "entries of setVariableData in one request")
SET_BYTES = _limit("BytesPerMessage", "SetVariables", LARGEST_MESSAGE, "size of one SetVariables request")
VALUE_SIZES = tuple(
    Variable(
        "DeviceDataCtrlr", name, "integer", str(VALUE_SIZE), doc, constant=True, max=VALUE_SIZE, source="OCPP 2.1 Part 2, DeviceDataCtrlr"
    )
    for name, doc in (
        ("ConfigurationValueSize", "longest value of SetVariables"),
        ("ReportingValueSize", "longest value of GetVariables and reports"),
        ("ValueSize", "longest value either way"),
    )
)


class VariablesBlock(Block):
    """Answers about values; says VariableChanged for what becomes of them."""

    name: ClassVar[str] = "variables"
    variables: ClassVar[tuple[Variable, ...]] = (GET_ITEMS, GET_BYTES, SET_ITEMS, SET_BYTES, *VALUE_SIZES)

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """Take over what the configuration seeds and, over it, what the store holds; say what could not be taken over.

        This block stands before the others, so that they find the values when they begin.
        """
        model = self.context.model
        model.seed(self.context.config.variables)
        model.load(event.stored.get(TABLE, {}))
        problems, model.problems = model.problems, []
        return [Log("warning", "variable.ignored", {"why": problem}) for problem in problems]

    @answers("GetVariables")
    def get_variables(self, now: Tick, call: CallReceived) -> Reply:
        asked = call.payload["getVariableData"]
        self._within(call.payload, len(asked), GET_ITEMS, GET_BYTES)
        return Reply({"getVariableResult": [self._get(now, item) for item in asked]})

    def _get(self, now: Tick, item: dict[str, Any]) -> dict[str, Any]:
        place = self.context.model.find(wanted(item))
        if isinstance(place, Missing):
            return _result(item, place.status)
        if self.context.model.rows[place].mutability is Mutability.WRITE_ONLY:
            return _result(item, "Rejected", "WriteOnly")
        return {**_result(item, "Accepted"), "attributeValue": self.context.model.shown(now, place)[:VALUE_SIZE]}

    @answers("SetVariables")
    def set_variables(self, now: Tick, call: CallReceived) -> Reply:
        """Each entry by itself: one that is refused leaves the others standing (B05.FR.01 to .10)."""
        asked = call.payload["setVariableData"]
        self._within(call.payload, len(asked), SET_ITEMS, SET_BYTES)
        results: list[dict[str, Any]] = []
        then: list[object] = []
        seen: set[Place] = set()
        for item in asked:
            place = self.context.model.find(wanted(item))
            if isinstance(place, Missing):
                results.append(_result(item, place.status))
            elif place in seen:
                results.append(_result(item, "Rejected", "InvalidValue", "the same variable twice in one request (B05.FR.13)"))
            else:
                seen.add(place)
                result, changes = self._set(place, item)
                results.append(result)
                then.extend(changes)
        return Reply({"setVariableResult": results}, then)

    def _set(self, place: Place, item: dict[str, Any]) -> tuple[dict[str, Any], Sequence[object]]:
        model = self.context.model
        row = model.rows[place]
        if row.mutability is Mutability.READ_ONLY:
            return _result(item, "Rejected", "ReadOnly"), ()
        try:
            value = model.checked(place, item["attributeValue"])
        except BadValue as bad:
            return _result(item, "Rejected", bad.reason, str(bad)), ()
        changes = model.change(place, value)
        log = Log("info", "variable.set", {"variable": place.key, "value": "***" if row.secret else value})
        return _result(item, "RebootRequired" if place in model.pending else "Accepted"), [*changes, log]

    def _within(self, payload: object, items: int, items_row: Variable, bytes_row: Variable) -> None:
        refuse_oversize(self.context.model.integer(items_row), self.context.model.integer(bytes_row), items, payload)

    @hears(VariableForced)
    def forced(self, now: Tick, event: VariableForced) -> Sequence[object]:
        """Past mutability and the owner's checks, but never past type: a reader must not meet a word where it wants a number."""
        model = self.context.model
        wanted_place = Place(event.component, event.variable, event.instance)
        place = self._of_operator(wanted_place) if event.component else model.by_key16(event.variable)
        if place is None:
            return [Log("warning", "variable.unknown", {"variable": wanted_place.key})]
        if event.value is None:
            return [*model.remove(place), Log("info", "variable.removed", {"variable": place.key})]
        row = model.rows[place]
        try:
            value = checked(row.type, event.value)
        except BadValue as bad:
            return [Log("warning", "variable.refused", {"variable": place.key, "why": str(bad)})]
        return [
            *model.change(place, value),
            Log("info", "variable.forced", {"variable": place.key, "value": "***" if row.secret else value}),
        ]

    def _of_operator(self, wanted_place: Place) -> Place | None:
        """A removed variable comes back when the operator sets it again."""
        folded = (wanted_place.component.lower(), wanted_place.variable.lower(), wanted_place.instance.lower())
        return next((p for p in self.context.model.rows if (p.component.lower(), p.variable.lower(), p.instance.lower()) == folded), None)


def wanted(item: dict[str, Any]) -> Place:
    """What an entry of GetVariables, SetVariables or GetReport names."""
    component, variable = item["component"], item.get("variable") or {}
    evse = component.get("evse") or {}
    attribute: Attribute = item.get("attributeType") or "Actual"
    return Place(
        component["name"],
        variable.get("name", ""),
        variable.get("instance", ""),
        component.get("instance", ""),
        evse.get("id", 0),
        evse.get("connectorId", 0),
        attribute,
    )


def _result(item: dict[str, Any], status: str, reason: str = "", text: str = "") -> dict[str, Any]:
    """Component, variable and attributeType as they were asked for (B05.FR.02, B05.FR.03, B05.FR.12)."""
    result: dict[str, Any] = {
        "attributeStatus": status,
        "component": item["component"],
        "variable": item["variable"],
        "attributeType": item.get("attributeType") or "Actual",
    }
    if reason:
        result["attributeStatusInfo"] = {"reasonCode": reason, **({"additionalInfo": text[:1024]} if text else {})}
    return result
