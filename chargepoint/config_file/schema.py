"""The JSON Schema of `chargepoint.toml`, from the same declarations: for editors, forms and other people's programs."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import Any

from chargepoint.config import StationConfig
from chargepoint.config_file.hints import Field, Hint, fields_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TYPES = {"text": "string", "number": "number", "integer": "integer", "boolean": "boolean"}


def json_schema() -> dict[str, Any]:
    """Of the whole file. What no type can say (two EVSEs of one id, TLS without wss) only `check-config` tells."""
    return {"$schema": DRAFT, "title": "chargepoint.toml", **_table(StationConfig)}


def _table(kind: type[Any]) -> dict[str, Any]:
    doc = (kind.__doc__ or "").split("\n\n")[0]
    properties = {name: _property(field) for name, field in fields_of(kind).items()}
    required = [name for name, field in fields_of(kind).items() if field.required]
    schema = {"type": "object", "description": doc, "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _property(field: Field) -> dict[str, Any]:
    schema = _hint(field.hint)
    if field.doc:
        schema["description"] = field.doc
    if field.hint.kind != "table" and not field.required:
        schema["default"] = plain(field.default)
    return schema


def plain(value: Any) -> Any:
    """A default as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value


def _hint(hint: Hint) -> dict[str, Any]:
    match hint.kind:
        case "choice":
            return {"enum": list(hint.choices)}
        case "list" if hint.item is not None:
            return {"type": "array", "items": _hint(hint.item)}
        case "map" if hint.item is not None:
            return {
                "type": "object",
                "additionalProperties": True if hint.item.kind == "any" else {"type": ["string", "number", "boolean", "object"]},
            }
        case "table" if hint.table is not None:
            return _table(hint.table)
        case "any":
            return {}
        case _:
            return {"type": TYPES[hint.kind], **_bounds(hint), **({"writeOnly": True} if hint.secret else {})}


def _bounds(hint: Hint) -> dict[str, Any]:
    if hint.range is not None:
        return {"minimum": hint.range.min, "maximum": hint.range.max}
    if hint.text is None:
        return {}
    lengths: dict[str, Any] = {"maxLength": hint.text.max_length, **({"minLength": hint.text.min_length} if hint.text.min_length else {})}
    return lengths | ({"pattern": f"^(?:{hint.text.pattern})$"} if hint.text.pattern else {})
