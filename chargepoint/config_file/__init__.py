"""`chargepoint.toml` as a StationConfig, or everything that is wrong with it: file, line, key, value, what is allowed, the nearest right key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from chargepoint.config import StationConfig
from chargepoint.config_file.lines import Path, lines_of
from chargepoint.config_file.reader import Problem, Reader
from chargepoint.config_file.rules import broken

_AT_LINE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class ConfigError(ValueError):
    """The file cannot be used. `problems`: one line for each thing that is wrong, in the file's order."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def parse(text: str, name: str) -> StationConfig:
    """The configuration that a TOML text says; `name` stands before each problem. Raises ConfigError."""
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_not_toml(str(error), text, name)]) from None
    config, problems = read(values)
    if not problems:
        return config
    lines = lines_of(text)
    placed = sorted(((_line(lines, problem.path), problem) for problem in problems), key=lambda each: each[0])
    raise ConfigError(f"{name}:{line}: {spelled(problem.path)}: {problem.text}" for line, problem in placed)


def read(values: Mapping[str, Any]) -> tuple[StationConfig, list[Problem]]:
    """A configuration of plain values, and what is wrong with them. With a problem the configuration is of no use."""
    reader = Reader()
    config = reader.table(StationConfig, values)
    problems = list(reader.problems)
    return config, problems + [problem for problem in broken(config) if not _follows(problem, problems)]


def spelled(path: Path) -> str:
    """A path as a person writes it.

    >>> spelled(("evses", 0, "id"))
    'evses[0].id'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _follows(problem: Problem, before: Iterable[Problem]) -> bool:
    """Whether a broken rule may be only the echo of a value beside it that could not be read."""
    return any(
        problem.path[:-1] == () if len(other.path) == 1 else problem.path[: len(other.path) - 1] == other.path[:-1] for other in before
    )


def _line(lines: Mapping[Path, int], path: Path) -> int:
    """A dotted key may have been written as tables in tables; what is not there is reported where its table begins."""
    if path in lines:
        return lines[path]
    whole = ".".join(map(str, path))
    for other, line in lines.items():
        if ".".join(map(str, other)) == whole:
            return line
    return _line(lines, path[:-1]) if path else 1


def _not_toml(said: str, text: str, name: str) -> str:
    match = _AT_LINE.search(said)
    line = int(match[1]) if match and match[1] else max(1, len(text.splitlines()))
    return f"{name}:{line}: is no TOML: {_AT_LINE.sub('', said)}" + (f" (column {match[2]})" if match and match[2] else "")


__all__ = ["ConfigError", "Problem", "parse", "read", "spelled"]
