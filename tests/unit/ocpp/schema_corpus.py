"""Instances of any OCPP schema: the smallest valid one, the fullest valid one, and the fullest one spoilt in each single way.

Written from JSON Schema's rules alone, apart from the code under test.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
Path = tuple[str | int, ...]
WHEN = "2026-11-24T12:00:00.000Z"


@dataclass(frozen=True)
class Spoilt:
    """A payload with one thing wrong, and the error code and place that OCPP wants to hear of."""

    what: str
    payload: Any
    code: str
    place: str


class Corpus:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.definitions = schema.get("definitions", {})

    def minimal(self) -> Any:
        return self.instance(self.schema, full=False)

    def maximal(self) -> Any:
        return self.instance(self.schema, full=True)

    def resolve(self, schema: Schema) -> Schema:
        return self.definitions[schema["$ref"].removeprefix("#/definitions/")] if "$ref" in schema else schema

    def instance(self, schema: Schema, *, full: bool) -> Any:
        schema = self.resolve(schema)
        if "enum" in schema:
            return schema["enum"][-1 if full else 0]
        match schema.get("type"):
            case "object":
                fields = schema.get("properties", {})
                wanted = fields if full else schema.get("required", ())
                return {key: self.instance(fields[key], full=full) for key in wanted}
            case "array":
                length = min(schema.get("maxItems", 2), 3) if full else schema.get("minItems", 0)
                return [self.instance(schema["items"], full=full) for _ in range(length)]
            case "string":
                if schema.get("format") == "date-time":
                    return WHEN
                return "é" * min(schema.get("maxLength", 40), 3000) if full else ""
            case "integer":
                return int(schema.get("maximum", 2**40) if full else schema.get("minimum", 0))
            case "number":
                return schema.get("maximum", 1e9) if full else schema.get("minimum", -0.5)
            case "boolean":
                return full
        return {"anything": [1, None]} if full else None

    def spoilt(self) -> Iterator[Spoilt]:
        """One thing wrong at a time, each definition visited once."""
        whole = self.maximal()
        seen: set[str] = set()
        yield Spoilt("no object", [], "ProtocolError", "payload")
        yield from self._spoil(self.schema, (), whole, seen)

    def _spoil(self, schema: Schema, path: Path, whole: Any, seen: set[str]) -> Iterator[Spoilt]:
        if "$ref" in schema:
            if schema["$ref"] in seen:
                return
            seen.add(schema["$ref"])
        schema = self.resolve(schema)
        value = at(whole, path)
        place = render(path)
        if path:
            for wrong in wrong_types(schema.get("type")):
                yield Spoilt(f"{place} {wrong!r:.20}", put(whole, path, wrong), "TypeConstraintViolation", place)
        if "enum" in schema:
            yield Spoilt(f"{place} no such value", put(whole, path, "No such value"), "PropertyConstraintViolation", place)
        if "maxLength" in schema:
            yield Spoilt(f"{place} too long", put(whole, path, "é" * (schema["maxLength"] + 1)), "PropertyConstraintViolation", place)
        for word, step in (("minimum", -1), ("maximum", 1)):
            if word in schema:
                yield Spoilt(f"{place} beyond {word}", put(whole, path, schema[word] + step), "PropertyConstraintViolation", place)
        if schema.get("format") == "date-time":
            for wrong in ("yesterday", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2026-02-30T00:00:00Z", ""):
                yield Spoilt(f"{place} {wrong}", put(whole, path, wrong), "PropertyConstraintViolation", place)
        if schema.get("type") == "array":
            if schema.get("minItems"):
                yield Spoilt(f"{place} empty", put(whole, path, []), "OccurrenceConstraintViolation", place)
            if "maxItems" in schema:
                many = [copy.deepcopy(value[0]) for _ in range(schema["maxItems"] + 1)]
                yield Spoilt(f"{place} too many", put(whole, path, many), "OccurrenceConstraintViolation", place)
            yield from self._spoil(schema["items"], (*path, len(value) - 1), whole, seen)
        if schema.get("type") == "object":
            for key in schema.get("required", ()):
                less = {k: v for k, v in value.items() if k != key}
                yield Spoilt(f"{place} without {key}", put(whole, path, less), "OccurrenceConstraintViolation", place or "payload")
            if schema.get("additionalProperties") is False:
                more = {**value, "no_such_field": 1}
                yield Spoilt(f"{place} with an unknown field", put(whole, path, more), "FormatViolation", place or "payload")
            for key, field in schema.get("properties", {}).items():
                yield from self._spoil(field, (*path, key), whole, seen)


def wrong_types(kind: str | None) -> list[Any]:
    """JSON values that are not of this type; a boolean is no number, a number with a fraction no integer."""
    samples: dict[str, Any] = {"object": {}, "array": [], "string": "x", "boolean": True, "number": 1.5, "null": None}
    if kind is None:
        return []
    near = "number" if kind == "integer" else kind
    return [value for name, value in samples.items() if name != near] + ([1.5] if kind == "integer" else [])


def at(whole: Any, path: Path) -> Any:
    for step in path:
        whole = whole[step]
    return whole


def put(whole: Any, path: Path, value: Any) -> Any:
    """A copy with one place changed; everything off the path is shared."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(whole, list):
        return [put(item, rest, value) if i == head else item for i, item in enumerate(whole)]
    return {key: put(item, rest, value) if key == head else item for key, item in whole.items()}


def render(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
