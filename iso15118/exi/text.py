"""Simple values as text: in the JSON form, and where a stream has them untyped."""

from __future__ import annotations

import binascii
from typing import Any

from iso15118.exi.limits import MOST_BIG_INTEGER_OCTETS
from iso15118.exi.types import Simple

_SPACE = str.maketrans("\t\r\n", "   ")
MOST_BIG_INTEGER_BITS = 7 * MOST_BIG_INTEGER_OCTETS
LONGEST_INTEGER = 100
"""Digits of an integer as text."""


def problem(simple: Simple, value: Any) -> str:
    """What is wrong with a value of this type; "" when it is right."""
    match simple.kind:
        case "bool":
            right = isinstance(value, bool)
        case "enum":
            right = isinstance(value, str) and value in simple.values
        case "text":
            return _text_problem(simple, value)
        case "binary":
            right = isinstance(value, bytes) and (simple.least or 0) <= len(value) <= simple.longest
        case _:
            right = isinstance(value, int) and not isinstance(value, bool)
            right = right and (simple.least is None or value >= simple.least) and (simple.most is None or value <= simple.most)
            if right and simple.most is None and value.bit_length() > MOST_BIG_INTEGER_BITS:
                return f"{shortly(value)} is larger than {MOST_BIG_INTEGER_BITS} bits"
    return "" if right else f"{shortly(value)} is not {simple}"


def _text_problem(simple: Simple, value: Any) -> str:
    if not isinstance(value, str) or not (simple.least or 0) <= len(value) <= simple.longest:
        return f"{shortly(value)} is not {simple}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"{shortly(value)} has half a surrogate pair"
    return ""


def shortly(value: Any) -> str:
    """A value of any kind and size, for an error."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, (str, bytes)):
        shown = repr(value[:40])
        return shown if len(value) <= 40 else f"{shown}..."
    return repr(value) if value is None or isinstance(value, (int, float)) else f"a {type(value).__name__}"


def parsed(simple: Simple, text: str) -> Any:
    """The value that a text stands for, by the rules of XML Schema. Raises ValueError in words."""
    value: Any = text
    plain = text if simple.kind == "text" else text.translate(_SPACE).strip(" ")
    match simple.kind:
        case "bool":
            value = {"true": True, "1": True, "false": False, "0": False}.get(plain)
        case "enum":
            value = plain
        case "binary":
            value = _binary(simple, plain)
        case "text":
            pass
        case _:
            value = _integer(plain)
    if wrong := problem(simple, value):
        raise ValueError(wrong if value is not None else f"{shortly(text)} is not {simple}")
    return value


def shown(simple: Simple, value: Any) -> str:
    """The other way."""
    match simple.kind:
        case "bool":
            return "true" if value else "false"
        case "binary":
            return value.hex().upper() if simple.hex else binascii.b2a_base64(value, newline=False).decode("ascii")
        case _:
            return str(value)


def _integer(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("+", "-") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_INTEGER else None


def _binary(simple: Simple, text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if simple.hex else binascii.a2b_base64(text.replace(" ", ""), strict_mode=True)
    except (ValueError, binascii.Error):
        return None
