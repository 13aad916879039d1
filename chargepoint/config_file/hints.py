"""The declarations of `chargepoint.config`, taken apart: what a field may hold, in one form for the loader, the schema and the reference page."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import typing
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal, get_args, get_origin

from chargepoint.config import Range, Secret, Text
from iso15118.frozen import dataclass

Kind = Literal["text", "number", "integer", "boolean", "choice", "table", "map", "list", "any"]


@dataclass(frozen=True, slots=True)
class Hint:
    """One type, taken apart. `item` is what a list or a map holds; `table` is the dataclass of a table."""

    kind: Kind
    range: Range | None = None
    text: Text | None = None
    secret: bool = False
    choices: tuple[Any, ...] = ()
    item: Hint | None = None
    table: type[Any] | None = None

    @property
    def allowed(self) -> str:
        """For a person: "6 to 80"."""
        match self.kind:
            case "choice":
                return "one of " + ", ".join(written(choice) for choice in self.choices)
            case "number" | "integer":
                what = "a number" if self.kind == "number" else "a whole number"
                return f"{what} from {self.range.min:g} to {self.range.max:g}" if self.range else what
            case "boolean":
                return "true or false"
            case "text":
                return f"a text{_length(self.text)}" if self.text else "a text"
            case "list":
                return f"a list; each entry: {self.item.allowed}" if self.item else "a list"
            case _:
                return "a table"


def _length(text: Text) -> str:
    least = f"{text.min_length} to " if text.min_length else "at most "
    return f" of {least}{text.max_length} characters" + (f" that matches {text.pattern}" if text.pattern else "")


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table."""

    name: str
    hint: Hint
    default: Any
    attribute: str
    """As Python has it."""
    docs: Callable[[], dict[str, str]] = dataclasses.field(compare=False, repr=False)
    """Attributes of its table -> the strings under them in the source."""

    @property
    def doc(self) -> str:
        """The string under it in the source: looked up when somebody reads it, which a station that starts does not."""
        return self.docs().get(self.attribute, "")

    @property
    def required(self) -> bool:
        """There is no default."""
        return self.default is dataclasses.MISSING


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Not for a terminal."""


def written(value: Any) -> str:
    r"""A value as TOML has it, for an error.

    >>> written("x"), written(True), written([1, "a"])
    ('"x"', 'true', '[1, "a"]')
    >>> print(written("bell" + chr(7)))
    "bell\u0007"
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04X}", quoted) + '"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(each)}" for key, each in value.items()) + "}"
    return str(value)


def fields_of(table: type[Any]) -> dict[str, Field]:
    """Key -> what may stand there, in the order of the declarations. A key that Python has taken for itself is declared with a `_` behind it."""
    return _fields_of(table)  # type: ignore[arg-type] # typeshed does not see that a class is hashable


@cache
def _fields_of(table: type[Any]) -> dict[str, Field]:
    hints = typing.get_type_hints(table, include_extras=True)
    docs = cache(partial(_docs, table))
    return {
        (key := f.name.removesuffix("_")): Field(key, taken_apart(hints[f.name]), _default(f), f.name, docs)
        for f in dataclasses.fields(table)
    }


@cache
def taken_apart(hint: Any) -> Hint:
    """Raises TypeError for a type that no rule here knows, so that a new kind of field is not let through unchecked."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        marks = args[1:]
        return dataclasses.replace(
            taken_apart(args[0]),
            range=next((mark for mark in marks if isinstance(mark, Range)), None),
            text=next((mark for mark in marks if isinstance(mark, Text)), None),
            secret=any(isinstance(mark, Secret) for mark in marks),
        )
    if origin is Literal:
        return Hint("choice", choices=args)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return Hint("list", item=taken_apart(args[0]))
    if origin is dict and args[0] is str:
        return Hint("map", item=taken_apart(args[1]))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return Hint("table", table=hint)
    plain: dict[Any, Kind] = {str: "text", float: "number", int: "integer", bool: "boolean", Any: "any"}
    if hint in plain:
        return Hint(plain[hint])
    raise TypeError(f"no rule for a configuration field of type {hint!r}")


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def _docs(table: type[Any]) -> dict[str, str]:
    """The string under each field, which Python itself throws away. Without the source there are none."""
    try:
        body = ast.parse(inspect.getsource(table)).body[0]
    except OSError:
        return {}
    found: dict[str, str] = {}
    name = ""
    for statement in body.body if isinstance(body, ast.ClassDef) else ():
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                pass
            case ast.Expr(value=ast.Constant(value=str() as text)) if name:
                found[name] = " ".join(text.split())
                name = ""
            case _:
                name = ""
    return found
