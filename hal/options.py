"""Options of drivers: declared as a frozen dataclass with ranges in the types, read from the driver's section of the configuration.

    @dataclass(frozen=True, slots=True)
    class Options:
        port: Annotated[str, Text(200, r"/dev/.+")]
        baud: Annotated[int, Range(9600, 921600)] = 115200

A field without a default has to be given.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hal.errors import OptionError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, both included."""

    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Text:
    """Bounds of a text: its length, and a regular expression that it matches whole."""

    max_length: int
    pattern: str = ""
    min_length: int = 0


def read(kind: type[T], given: Mapping[str, Any], where: str = "") -> T:
    """The options of this kind. Raises OptionError, which names key, value, what it may be, and for an unknown key the nearest one.

    >>> @dataclass(frozen=True)
    ... class Options:
    ...     baud: Annotated[int, Range(9600, 921600)] = 115200
    >>> read(Options, {"baud": 300})
    Traceback (most recent call last):
    hal.errors.OptionError: baud = 300: from 9600 to 921600
    >>> read(Options, {"bauds": 9600})
    Traceback (most recent call last):
    hal.errors.OptionError: bauds: no such key; did you mean baud?
    """
    if not isinstance(given, Mapping):
        raise OptionError(f"{where or 'options'} = {given!r}: a table")
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type] # a dataclass, by contract
    for key in given:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            known = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(fields)) or 'none'}"
            raise OptionError(f"{_at(where, str(key))}: no such key; {known}")
    missing = [name for name, field in fields.items() if name not in given and _needed(field)]
    if missing:
        raise OptionError(f"{_at(where, missing[0])}: missing; {words(hints[missing[0]])}")
    return kind(**{key: _value(hints[key], value, _at(where, key)) for key, value in given.items()})


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        bare, *rest = get_args(hint)
        return _bounded(_value(bare, value, where), rest, hint, where)
    if origin in (Union, types.UnionType):
        return _one_of(hint, value, where)
    if origin is Literal:
        if any(value == each and type(value) is type(each) for each in get_args(hint)):
            return value
    elif origin is tuple:
        if isinstance(value, (list, tuple)):
            return tuple(_value(get_args(hint)[0], each, f"{where}[{i}]") for i, each in enumerate(value))
    elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return read(hint, value, where)
    elif (plain := _PLAIN.get(hint)) and plain(value):
        return float(value) if hint is float else value
    raise OptionError(f"{where} = {value!r}: {words(hint)}")


def _one_of(hint: Any, value: Any, where: str) -> Any:
    for each in get_args(hint):
        if each is type(None):
            if value is None:
                return None
            continue
        try:
            return _value(each, value, where)
        except OptionError:
            continue
    raise OptionError(f"{where} = {value!r}: {words(hint)}")


def _bounded(value: Any, bounds: list[Any], hint: Any, where: str) -> Any:
    for bound in bounds:
        wrong = isinstance(bound, Range) and not bound.min <= value <= bound.max
        if isinstance(bound, Text):
            wrong = not bound.min_length <= len(value) <= bound.max_length or (
                bool(bound.pattern) and not re.fullmatch(bound.pattern, value)
            )
        if wrong:
            raise OptionError(f"{where} = {value!r}: {words(hint)}")
    return value


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


_PLAIN: dict[Any, Callable[[Any], bool]] = {
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: _number,
    str: lambda value: isinstance(value, str),
}
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def words(hint: Any) -> str:
    """What a field of this type may hold, for a person."""
    origin = get_origin(hint)
    if origin is Annotated:
        bare, *bounds = get_args(hint)
        return ", ".join(_bound_words(bound) for bound in bounds if isinstance(bound, (Range, Text))) or words(bare)
    if origin in (Union, types.UnionType):
        return " or ".join("nothing" if each is type(None) else words(each) for each in get_args(hint))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    if origin is tuple:
        return f"a list, each {words(get_args(hint)[0])}"
    return _NAMES.get(hint, "a table")


def _bound_words(bound: Range | Text) -> str:
    if isinstance(bound, Range):
        return f"from {bound.min:g} to {bound.max:g}"
    length = f"a text of {bound.min_length} to {bound.max_length} characters"
    return f"{length} that matches {bound.pattern}" if bound.pattern else length
