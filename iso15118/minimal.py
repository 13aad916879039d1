"""The least message of a type: what has to be there, each at its least. A failure answer is that with its response code (ISO 15118: fields of a
failed response carry any value that the schema allows).
"""

from __future__ import annotations

from typing import Any, TypeVar

from iso15118.exi.types import Field, Simple, fields_of
from iso15118.messages.declare import Message, defaults

M = TypeVar("M", bound=Message)


def minimal(kind: type[M], **given: Any) -> M:
    """An object of this type with `given` fields, and the rest from its declaration. A choice takes its first branch.

    Raises TypeError for an abstract type that has to be there (no member can be chosen from a declaration alone: it has to be given), and for the
    types of xmldsig with nested groups.
    """
    if kind._content_:
        raise TypeError(f"{kind.__name__}: what is least cannot be told from its fields")
    values = dict(defaults(kind)) | given
    chosen: set[str] = {each.choice for each in fields_of(kind) if each.choice and each.name in given}
    for field in fields_of(kind):
        if field.name in given or not _needed(field, chosen):
            continue
        chosen.add(field.choice)
        one = _least(field.value)
        values[field.name] = (one,) * field.least if field.many else one
    return kind(**values)


def _needed(field: Field, chosen: set[str]) -> bool:
    if field.choice:
        return not field.choice_optional and field.choice not in chosen
    return field.least > 0


def _least(value: Simple | type[Message]) -> Any:
    if not isinstance(value, Simple):
        if value._abstract_:
            raise TypeError(f"{value.__name__} is abstract: give a member")
        return minimal(value)
    match value.kind:
        case "bool":
            return False
        case "enum":
            return value.values[0]
        case "text":
            return "0" * (value.least or 0)
        case "binary":
            return bytes(value.least or 0)
        case _:
            return max(value.least, 0) if value.least is not None else 0
