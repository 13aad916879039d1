"""Why a payload does not fit its schema, and where its timestamps are: plain walks over the few JSON Schema words that OCPP uses.

A compiled validator only says yes or no here. The reason is looked for afterwards, by this one walk, so that it is the same
whichever validator is installed, and names the place without repeating a value (which may be a password).
"""

from __future__ import annotations

from typing import Any

from chargepoint.ocpp.timestamps import TimestampError, parse_timestamp
from iso15118.frozen import dataclass

Schema = dict[str, Any]

DESCRIPTION_LIMIT = 255
"""Characters of errorDescription in CALLERROR and CALLRESULTERROR (OCPP 2.1 part 4, 4.2.3)."""

UNKNOWN_FIELD = "additionalProperties"

CODES = {
    "type": "TypeConstraintViolation",
    "enum": "PropertyConstraintViolation",
    "maxLength": "PropertyConstraintViolation",
    "minimum": "PropertyConstraintViolation",
    "maximum": "PropertyConstraintViolation",
    "format": "PropertyConstraintViolation",
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
    UNKNOWN_FIELD: "FormatViolation",
    "json": "FormatViolation",
    "payload": "ProtocolError",
}
"""JSON Schema word -> RPC error code (OCPP 2.1 part 4, 4.3)."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with a payload: the schema's word, the place, and a few words for a person."""

    keyword: str
    path: str
    text: str

    @property
    def code(self) -> str:
        """The RPC error code."""
        return CODES[self.keyword]

    @property
    def description(self) -> str:
        """errorDescription, within its limit."""
        return clean(f"{self.path or 'payload'}: {self.text}")


def clean(text: str) -> str:
    r"""Text that any peer can take: UTF-8 can carry it, no control characters, at most 255 characters.

    >>> clean("a\ud800\n")
    'a\\ud800 '
    """
    whole = text[: DESCRIPTION_LIMIT * 2].encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in whole)[:DESCRIPTION_LIMIT]


def explain(schema: Schema, payload: Any, *, open_ended: bool = False) -> Violation | None:
    """The first thing wrong, depth first in the schema's order; None when all fits. `open_ended` lets unknown fields pass."""
    if not isinstance(payload, dict):
        return Violation("payload", "", "must be a JSON object")
    return _Walk(schema.get("definitions", {}), open_ended).value(schema, payload, "")


@dataclass(frozen=True, slots=True)
class _Walk:
    definitions: dict[str, Schema]
    open_ended: bool

    def value(self, schema: Schema, value: Any, path: str) -> Violation | None:
        schema = resolve(schema, self.definitions)
        kind = schema.get("type")
        if kind is not None and not _is(kind, value):
            return Violation("type", path, f"must be {_ARTICLE.get(kind, kind)}")
        return _limits(schema, value, path) or (
            self.object(schema, value, path) if kind == "object" else self.array(schema, value, path) if kind == "array" else None
        )

    def object(self, schema: Schema, value: dict[Any, Any], path: str) -> Violation | None:
        fields: dict[str, Schema] = schema.get("properties", {})
        if schema.get("additionalProperties") is False and not self.open_ended:
            for key in value:
                if key not in fields:
                    return Violation(UNKNOWN_FIELD, path, f"has no field {str(key)[:50]!r}")
        for key in schema.get("required", ()):
            if key not in value:
                return Violation("required", path, f"{key} is missing")
        for key, field in fields.items():
            if key in value and (found := self.value(field, value[key], f"{path}.{key}" if path else key)):
                return found
        return None

    def array(self, schema: Schema, value: Any, path: str) -> Violation | None:
        for i, item in enumerate(value):
            if found := self.value(schema["items"], item, f"{path}[{i}]"):
                return found
        return None


def resolve(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """Follow `$ref` into the schema's own definitions."""
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


_ARTICLE = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
}


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list | tuple)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _limits(schema: Schema, value: Any, path: str) -> Violation | None:
    for keyword, exceeded, words in _LIMITS:
        if keyword in schema and exceeded(value, schema[keyword]):
            return Violation(keyword, path, words.format(schema[keyword]))
    return None


_LIMITS = (
    ("enum", lambda value, allowed: value not in allowed, "is none of the values of its enumeration"),
    ("maxLength", lambda value, most: len(value) > most, "is longer than {} characters"),
    ("minimum", lambda value, least: value < least, "is below {:g}"),
    ("maximum", lambda value, most: value > most, "is above {:g}"),
    ("minItems", lambda value, least: len(value) < least, "has fewer than {} items"),
    ("maxItems", lambda value, most: len(value) > most, "has more than {} items"),
)

Times = tuple[tuple[str, "Times | None"], ...]
"""Where timestamps are: field -> None for a timestamp, or the places within."""


def timestamps_in(schema: Schema) -> Times:
    """The fields of format date-time, however deep; lists are looked through."""
    return _times(schema, schema.get("definitions", {})) or ()


def _times(schema: Schema, definitions: dict[str, Schema]) -> Times | None:
    """None for a timestamp itself, () for nothing of interest."""
    schema = resolve(schema, definitions)
    if schema.get("format") == "date-time":
        return None
    if schema.get("type") == "array":
        return _times(schema["items"], definitions)
    fields = ((key, _times(field, definitions)) for key, field in schema.get("properties", {}).items())
    return tuple((key, inner) for key, inner in fields if inner is None or inner)


def bad_timestamp(times: Times, value: Any, *, in_range: bool, path: str = "") -> Violation | None:
    """The first timestamp that cannot be read or, with `in_range`, lies outside 2000..2100 (S-18). The payload fits its schema."""
    for key, inner in times:
        if (found := value.get(key)) is None:
            continue
        place = f"{path}.{key}" if path else key
        for i, item in enumerate(found) if isinstance(found, list) else ((None, found),):
            where = place if i is None else f"{place}[{i}]"
            if inner is not None:
                if problem := bad_timestamp(inner, item, in_range=in_range, path=where):
                    return problem
                continue
            try:
                parse_timestamp(item, in_range=in_range)
            except TimestampError as error:
                return Violation("format", where, str(error))
    return None
