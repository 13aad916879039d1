"""`chargepoint report JOURNAL DIR`: a page with a picture and a list of messages for each session that the journal holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO
from xml.sax.saxutils import escape

from bench.report.collect import Said, SessionReport, sessions_of
from bench.report.draw import svg, title
from chargepoint import journal
from chargepoint.runtime.journal_file import lines

STYLE = (
    "body{font:14px system-ui,sans-serif;max-width:1040px;margin:2em auto;padding:0 1em;color-scheme:light dark}"
    "table{border-collapse:collapse}td,th{padding:1px 10px 1px 0;text-align:left}summary{cursor:pointer}svg{max-width:100%;height:auto}"
)


def write(journal_path: Path, folder: Path, out: TextIO) -> int:
    """The page and the pictures; how many sessions. Raises JournalError, OSError."""
    found = sessions_of(journal.read(lines(journal_path)))
    folder.mkdir(parents=True, exist_ok=True)
    for number, session in enumerate(found, 1):
        (folder / _name(number)).write_text(svg(session), "utf-8")
        print(f"{_name(number)}: {title(session)}", file=out)
    (folder / "index.html").write_text(page(found), "utf-8")
    if not found:
        print("the journal holds no session with a vehicle", file=out)
    return len(found)


def _name(number: int) -> str:
    return f"session-{number:03d}.svg"


def page(found: list[SessionReport]) -> str:
    """All sessions, the pictures inside, so that the file stands alone."""
    parts = [f"<!doctype html><meta charset=utf-8><title>Sessions</title><style>{STYLE}</style><h1>Sessions with vehicles</h1>"]
    if not found:
        parts.append("<p>The journal holds none.</p>")
    for number, session in enumerate(found, 1):
        began = dt.datetime.fromtimestamp(session.began_utc, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        parts.append(f"<h2>{number}. {began}</h2><p>{escape(title(session))}</p>{svg(session)}")
        parts.append("<details><summary>Messages</summary><table><tr><th>s</th><th>from</th><th>message</th><th></th></tr>")
        parts += [
            f"<tr><td>{first.at_s:.3f}</td><td>{'EV' if first.who == 'ev' else 'EVSE'}</td><td>{escape(first.name)}{f' × {times}' if times > 1 else ''}</td>"
            f"<td>{escape(first.words)}</td></tr>"
            for first, times in folded(session.messages)
        ]
        parts.append("</table></details>")
    return "\n".join(parts) + "\n"


def folded(messages: list[Said]) -> Iterator[tuple[Said, int]]:
    """Request and response that come again and again are one line each, with their number."""
    kept: list[tuple[Said, int]] = []
    for said in messages:
        for back in (1, 2):
            if len(kept) >= back:
                first, times = kept[-back]
                if (first.who, first.name, first.words) == (said.who, said.name, said.words):
                    kept[-back] = first, times + 1
                    break
        else:
            kept.append((said, 1))
    yield from kept
