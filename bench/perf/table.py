"""What every measurement gives: a row of one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`reach` is what the project wants of it, in words; `peer` what stands beside it in the same run."""

    what: str
    ours: str
    reach: str
    peer: str = ""
    ratio: str = ""


def markdown(rows: Iterable[Row]) -> str:
    """The table as docs quote it."""
    lines = ["| what | ours | beside it | ratio | reach |", "|---|---|---|---|---|"]
    lines += [f"| {r.what} | {r.ours} | {r.peer or '-'} | {r.ratio or '-'} | {r.reach} |" for r in rows]
    return "\n".join(lines)
