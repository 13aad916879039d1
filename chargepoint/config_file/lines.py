"""On which line of a TOML text each key stands: `tomllib` gives values, not places.

Only for a text that `tomllib` has read: what is valid is not checked again here, so this is a walk along keys, strings and brackets.
"""

from __future__ import annotations

import re
from bisect import bisect_right

Path = tuple[str | int, ...]
"""Keys and list positions from the top: ("evses", 0, "id")."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)


def lines_of(text: str) -> dict[Path, int]:
    r"""Path -> line, counted from 1; a table is where it is first named.

    >>> lines_of("a.b = 1\n[[c]]\nd = [\n 2,\n 3]")[("c", 0, "d", 1)]
    5
    """
    return _Walk(text).run()


class _Walk:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.found: dict[Path, int] = {}
        self.lengths: dict[Path, int] = {}
        """Array of tables -> how many there have been."""

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self._blank() < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _blank(self) -> int:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _note(self, path: Path) -> None:
        self.found.setdefault(path, bisect_right(self.starts, self.at))

    def _header(self) -> Path:
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        line_at = self.at
        self.at += brackets
        keys = self._key()
        self._blank()
        self.at, after = line_at, self.at + brackets
        path: Path = ()
        for i, key in enumerate(keys):
            path = (*path, key)
            self._note(path)
            if brackets == 2 and i == len(keys) - 1:
                self.lengths[path] = self.lengths.get(path, 0) + 1
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
                self._note(path)
        self.at = after
        return path

    def _pair(self, table: Path) -> None:
        self._blank()
        line_at = self.at
        keys = self._key()
        self._blank()
        self.at, after = line_at, self.at + 1
        path = table
        for key in keys:
            path = (*path, key)
            self._note(path)
        self.at = after
        self._value(path)

    def _key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._blank()
            quoted = self._string()
            if quoted is not None:
                keys.append(quoted)
            else:
                match = _BARE_KEY.match(self.text, self.at)
                keys.append(match.group() if match else "")
                self.at = match.end() if match else self.at
            self._blank()
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _string(self) -> str | None:
        for pattern in _STRINGS:
            match = pattern.match(self.text, self.at)
            if match:
                self.at = match.end()
                quoted = match.group()
                return _ESCAPE.sub(_unescape, quoted[1:-1]) if quoted[0] == '"' else quoted[1:-1]
        return None

    def _value(self, path: Path) -> None:
        self._blank()
        first = self.text[self.at : self.at + 1]
        if first == "[":
            self._list(path)
        elif first == "{":
            self._inline_table(path)
        elif self._string() is None:
            match = _BARE_VALUE.match(self.text, self.at)
            self.at = match.end() if match else self.at

    def _list(self, path: Path) -> None:
        self.at += 1
        index = 0
        while not self._closed("]"):
            self._note((*path, index))
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while not self._closed("}"):
            self._pair(path)

    def _closed(self, bracket: str) -> bool:
        self._blank()
        if self.text.startswith(",", self.at):
            self.at += 1
            self._blank()
        if self.at < len(self.text) and self.text[self.at] != bracket:
            return False
        self.at += 1
        return True


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    return chr(int(code, 16)) if code else _ESCAPES.get(match[4], match[4])
