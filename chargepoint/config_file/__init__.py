"""`chargepoint.toml` as a StationConfig, or everything that is wrong with it: file, line, key, value, what is allowed, the nearest right key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from chargepoint.config import StationConfig
from chargepoint.config_file.lines import Path, lines_of
from chargepoint.config_file.reader import Finding, Reader
from chargepoint.config_file.rules import broken
from iso15118.frozen import dataclass

_AT_LINE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Line 0 and key "": the whole file."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.key, self.text) if part)


class ConfigError(ValueError):
    """The file cannot be used; `problems` are all that is wrong, in the file's order, and as text one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def read(path: FilePath) -> StationConfig:
    """The configuration that a file says. Raises ConfigError, also for a file that cannot be read."""
    try:
        return parse(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error.strerror or error}")]) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "", "is no UTF-8")]) from None


def parse(text: str, name: str) -> StationConfig:
    """The configuration that a TOML text says; `name` stands before each problem. Raises ConfigError."""
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_not_toml(str(error), text, name)]) from None
    config, findings = from_values(values)
    if not findings:
        return config
    lines = lines_of(text)
    problems = [Problem(name, _line(lines, found.path), spelled(found.path), found.text) for found in findings]
    raise ConfigError(sorted(problems, key=lambda each: each.line))


def from_values(values: Mapping[str, Any]) -> tuple[StationConfig, list[Finding]]:
    """A configuration of plain values, and what is wrong with them. With a finding the configuration is of no use."""
    reader = Reader()
    config = reader.table(StationConfig, values)
    findings = list(reader.problems)
    return config, findings + [finding for finding in broken(config, values) if not _follows(finding, findings)]


def spelled(path: Path) -> str:
    """A path as a person writes it.

    >>> spelled(("evses", 0, "id"))
    'evses[0].id'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _follows(finding: Finding, before: Iterable[Finding]) -> bool:
    """Whether a broken rule may be only the echo of a value beside it that could not be read."""
    return any(
        finding.path[:-1] == () if len(other.path) == 1 else finding.path[: len(other.path) - 1] == other.path[:-1] for other in before
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


def _not_toml(said: str, text: str, name: str) -> Problem:
    match = _AT_LINE.search(said)
    line = int(match[1]) if match and match[1] else max(1, len(text.splitlines()))
    column = f" (column {match[2]})" if match and match[2] else ""
    return Problem(name, line, "", f"is no TOML: {_AT_LINE.sub('', said)}{column}")


__all__ = ["ConfigError", "Finding", "Problem", "from_values", "parse", "read", "spelled"]
