"""A generated page under docs/: written, or with `--check` only compared."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def write_or_check(name: str, text: str, arguments: list[str]) -> int:
    """The exit code: 1 when `--check` finds another text in docs/`name`."""
    path = DOCS / name
    if "--check" not in arguments:
        path.write_text(text, "utf-8")
        return 0
    fresh = path.exists() and path.read_text("utf-8") == text
    print(f"docs/{name} is fresh" if fresh else f"stale: docs/{name}")
    return 0 if fresh else 1
