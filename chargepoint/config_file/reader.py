"""Values as TOML or JSON gives them, made into the dataclasses of `chargepoint.config`; everything that is wrong is told, not the first only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from keyword import iskeyword
from typing import Any, TypeVar

from chargepoint.config import StationConfig
from chargepoint.config_file.hints import Hint, fields_of, written
from chargepoint.config_file.lines import Path
from iso15118.frozen import dataclass

T = TypeVar("T")
LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at one place."""

    path: Path
    text: str


_NOTHING: dict[str, Any] = {"text": "", "number": 0.0, "integer": 0, "boolean": False}
"""For a key that is needed and not there: told, and of no use."""


class Reader:
    """Collects `problems`; what could not be read has its default in the result."""

    def __init__(self) -> None:
        self.problems: list[Finding] = []

    def table(self, kind: type[T], value: Mapping[str, Any], path: Path = ()) -> T:
        """A dataclass of this kind."""
        known = fields_of(kind)
        found: dict[str, Any] = {}
        for key, each in value.items():
            if key in known:
                wrong = len(self.problems)
                read = self.value(known[key].hint, each, (*path, key))
                if len(self.problems) == wrong or is_dataclass(read) or isinstance(read, tuple):
                    found[key] = read
            else:
                self.problems.append(Finding((*path, key), _no_such(key, [*known], path)))
        for lacking in (each for each in known.values() if each.required and each.name not in found):
            if lacking.name not in value:
                self.problems.append(Finding(path, f"{lacking.name} is needed: {lacking.hint.allowed}"))
            found[lacking.name] = _NOTHING[lacking.hint.kind]
        return kind(**{f"{key}_" if iskeyword(key) else key: each for key, each in found.items()})

    def value(self, hint: Hint, value: Any, path: Path) -> Any:
        """What `hint` makes of it; None with a problem."""
        match hint.kind:
            case "table" if isinstance(value, Mapping) and hint.table is not None:
                return self.table(hint.table, value, path)
            case "list" if isinstance(value, list) and hint.item is not None:
                return tuple(self._entries(hint.item, value, path))
            case "map" if isinstance(value, Mapping) and hint.item is not None:
                return self._map(hint.item, value, path)
            case "any":
                return value
            case "table" | "list" | "map":
                return self._wrong(hint, value, path)
            case _:
                return self._scalar(hint, value, path)

    def _entries(self, item: Hint, value: list[Any], path: Path) -> list[Any]:
        """Entries that could not be read are left out: the problem is told anyhow."""
        read = [self.value(item, each, (*path, i)) for i, each in enumerate(value)]
        return [each for each in read if each is not None]

    def _map(self, item: Hint, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """A dotted key is written with quotes or as a table in a table; both mean the same."""
        if item.kind == "any":
            return dict(value)
        flat: dict[str, Any] = {}
        for key, each in value.items():
            if isinstance(each, Mapping):
                flat |= {f"{key}.{rest}": text for rest, text in self._map(item, each, (*path, key)).items()}
            elif isinstance(each, str | bool | int | float):
                flat[key] = each if isinstance(each, str) else written(each)
            else:
                self._wrong(item, each, (*path, key))
        return flat

    def _scalar(self, hint: Hint, value: Any, path: Path) -> Any:
        return _number(hint, value) if _fits(hint, value) else self._wrong(hint, value, path)

    def _wrong(self, hint: Hint, value: Any, path: Path) -> None:
        shown = "***" if hint.secret else written(value)
        shown = shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 3] + "..."
        near = get_close_matches(value, hint.choices, n=1) if isinstance(value, str) and hint.kind == "choice" else []
        self.problems.append(Finding(path, f"{shown} is not {hint.allowed}" + (f"; did you mean {written(near[0])}?" if near else "")))


def _fits(hint: Hint, value: Any) -> bool:
    match hint.kind:
        case "choice":
            return any(value == choice and type(value) is type(choice) for choice in hint.choices)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "number":
            right = isinstance(value, int if hint.kind == "integer" else int | float) and not isinstance(value, bool)
            return right and (hint.range is None or hint.range.min <= value <= hint.range.max)
        case _:
            return isinstance(value, str) and _fits_text(hint, value)


def _fits_text(hint: Hint, value: str) -> bool:
    bounds = hint.text
    return bounds is None or (
        bounds.min_length <= len(value) <= bounds.max_length and (not bounds.pattern or re.fullmatch(bounds.pattern, value) is not None)
    )


def _number(hint: Hint, value: Any) -> Any:
    return float(value) if hint.kind == "number" else value


def _no_such(key: str, here: list[str], path: Path) -> str:
    spelled = {name.lower(): name for name in here}
    near = get_close_matches(key.lower(), spelled, n=1)
    if near:
        return f"no such key; did you mean {spelled[near[0]]}?"
    elsewhere = [place for place, names in _tables().items() if key in names and place != _shown(path)]
    if elsewhere:
        return f"no such key here; it belongs to {' or '.join(elsewhere)}"
    all_spelled = {name.lower(): (name, place) for place, names in _tables().items() for name in sorted(names)}
    near = get_close_matches(key.lower(), all_spelled, n=1)
    if near:
        name, place = all_spelled[near[0]]
        return f"no such key; did you mean {name}, which belongs to {place}?"
    return f"no such key; there are {', '.join(here)}"


def _shown(path: Path) -> str:
    names = [str(part) for part in path if isinstance(part, str)]
    return f"[{'.'.join(names)}]" if names else "the top of the file"


def _tables() -> dict[str, set[str]]:
    """Where keys live."""
    found = {"the top of the file": {f.name for f in fields(StationConfig)}}
    for name, each in fields_of(StationConfig).items():
        hint = each.hint.item if each.hint.kind == "list" and each.hint.item else each.hint
        if hint.table is not None:
            found[f"[{name}]"] = {*fields_of(hint.table)}
    return found
