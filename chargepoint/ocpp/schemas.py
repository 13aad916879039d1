"""The official OCPP schemas: loaded from the PyPI package `ocpp` when first needed, compiled once, asked for a verdict with a reason.

Only that package's data files are read, by path: importing its modules costs a fifth of a second. The verdict comes from
jsonschema_rs where it has a wheel, else from fastjsonschema; the reason and the timestamps from `chargepoint.ocpp.schema_walk`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chargepoint.ocpp.schema_walk import Schema, Times, Violation, bad_timestamp, explain, timestamps_in

Fits = Callable[[Any], bool]
"""Whether a payload fits one schema. May raise ValueError for what is not JSON at all."""


class SchemasMissing(RuntimeError):
    """The installation lacks the schemas or a validator; the message says what to install."""


@cache
def folder(schema_set: str) -> Path:
    """Where a set of schemas lies; `schema_set` is named by the dialect (`v21`)."""
    spec = find_spec("ocpp")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / schema_set / "schemas"
        if path.is_dir():
            return path
    raise SchemasMissing(f"no OCPP schemas {schema_set}: install the package `ocpp` (2.1 or later)")


@cache
def names(schema_set: str) -> frozenset[str]:
    """All schemas of a set, as `BootNotificationRequest`; a message that is never answered has no suffix."""
    return frozenset(path.stem for path in folder(schema_set).glob("*.json"))


def request_name(schema_set: str, action: str) -> str | None:
    """The schema of an action's request; None for an action that the standard does not know."""
    known = names(schema_set)
    if (name := f"{action}Request") in known:
        return name
    return action if action in known and not action.endswith(("Request", "Response")) else None


def response_name(action: str) -> str:
    """The schema of the answer to an action."""
    return f"{action}Response"


def load(schema_set: str, name: str) -> Schema:
    """One schema as it was published. Raises KeyError for an unknown name."""
    if name not in names(schema_set):
        raise KeyError(f"no schema {name} in {schema_set}")
    schema: Schema = json.loads((folder(schema_set) / f"{name}.json").read_text("utf-8-sig"))
    return schema


def compile_with_jsonschema_rs(schema: Schema) -> Fits:
    """Rust; a microsecond or two for a TransactionEvent."""
    import jsonschema_rs  # noqa: PLC0415 paid for when the first message passes, not at start

    fits: Fits = jsonschema_rs.validator_for(schema, validate_formats=False).is_valid
    return fits


def compile_with_fastjsonschema(schema: Schema) -> Fits:
    """Generated Python; ten times slower, and some 10 ms for compiling."""
    import fastjsonschema  # noqa: PLC0415 paid for when the first message passes, not at start

    validate = fastjsonschema.compile(schema, use_default=False, use_formats=False)

    def fits(payload: Any) -> bool:
        try:
            validate(payload)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return fits


COMPILERS = {"jsonschema_rs": compile_with_jsonschema_rs, "fastjsonschema": compile_with_fastjsonschema}
"""Package -> how it compiles; the first one that is installed is used."""


@cache
def compiler() -> Callable[[Schema], Fits]:
    """The best validator that is installed."""
    for package, compile_schema in COMPILERS.items():
        if find_spec(package):
            return compile_schema
    raise SchemasMissing(f"no JSON Schema validator: install one of {', '.join(COMPILERS)}")


@cache
def _fits(schema_set: str, name: str) -> Fits:
    return compiler()(load(schema_set, name))


@cache
def _times(schema_set: str, name: str) -> Times:
    return timestamps_in(load(schema_set, name))


def warm(schema_set: str, some: frozenset[str]) -> None:
    """Compile these now, while nobody waits."""
    for name in sorted(some & names(schema_set)):
        _fits(schema_set, name)
        _times(schema_set, name)


def check(schema_set: str, name: str, payload: Any, *, received: bool, open_ended: bool = False) -> Violation | None:
    """What is wrong with a payload, or None. Never raises for a payload, whatever it is; raises KeyError for an unknown name.

    What was `received` must also date from 2000..2100 (S-18); our own clock may still stand in 1970.
    `open_ended` lets unknown fields pass: for a second look at a payload that fits but for them.
    """
    fits = _fits(schema_set, name)
    try:
        if not open_ended and not fits(payload):
            return explain(load(schema_set, name), payload) or Violation("json", "", "is no JSON")
        if open_ended and (violation := explain(load(schema_set, name), payload, open_ended=True)):
            return violation
        return bad_timestamp(_times(schema_set, name), payload, in_range=received)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Violation("json", "", "is no JSON")
