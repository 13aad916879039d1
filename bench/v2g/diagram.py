"""The story of a pair of sessions as a sequence diagram: as text, and as SVG. What repeats itself is one line with its number."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from bench.v2g.pair import Pair
from bench.v2g.progress import progress
from iso15118.connection import Close
from iso15118.evcc import terms as ev
from iso15118.messages.declare import Message
from iso15118.terms import (
    CableCheckWanted,
    EnergyChosen,
    PlanChanged,
    PowerOff,
    PowerWanted,
    SessionBegun,
    SessionOver,
    StandbyWanted,
    Told,
)

WIDTH = 64
"""Of an arrow, in characters."""
_SHOWN: dict[str, tuple[type[Told], ...]] = {
    "ev": (ev.CloseContactors, ev.DrawPower, ev.StopDrawing, ev.OpenContactors, ev.EvseAsks, SessionOver),
    "evse": (SessionBegun, EnergyChosen, CableCheckWanted, PowerWanted, PlanChanged, StandbyWanted, PowerOff, SessionOver),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One message or note; `times` in all, until `to`."""

    at: float
    end: str
    words: str
    arrow: bool
    times: int = 1
    to: float = 0.0


def lines(pair: Pair) -> list[Line]:
    """The story, repetitions of a request and its response folded."""
    found = [each for at, end, thing in pair.moments if (each := _line(at, end, thing))]
    start = found[0].at if found else 0.0
    return _folded([Line(each.at - start, each.end, each.words, each.arrow, 1, each.at - start) for each in found])


def _line(at: float, end: str, thing: Message | Told | Close) -> Line | None:
    if isinstance(thing, Message):
        return Line(at, end, _words(thing), arrow=True)
    if isinstance(thing, Close):
        return Line(at, end, "closes", arrow=False)
    return Line(at, end, _note(thing), arrow=False) if isinstance(thing, _SHOWN[end]) else None


def _words(message: Message) -> str:
    name = type(message).__name__
    if asked := progress(message) or getattr(message, "ChargingSession", ""):
        return f"{name} {asked}"
    more = [getattr(message, each, None) for each in ("ResponseCode", "EVSEProcessing")]
    return " ".join([name, *(str(each) for each in more if each not in (None, "OK", "Finished"))])


def _note(told: Told) -> str:
    match told:
        case SessionOver(ending, why):
            return f"over: {ending.value}, {why}"
        case SessionBegun(resumed=resumed):
            return "session resumed" if resumed else "session begun"
        case EnergyChosen(energy, control):
            return f"{energy.value}, {control.value}"
        case PowerOff(why):
            return f"energy off: {why}"
        case ev.StopDrawing(why):
            return f"stops drawing: {why}"
        case ev.EvseAsks(wish):
            return f"hears: {wish.value}"
    return "".join(f" {each.lower()}" if each.isupper() else each for each in type(told).__name__).strip()


def _folded(given: list[Line]) -> list[Line]:
    """A, B, A, B, A, B becomes A, B with their number; also of one, or three."""
    out: list[Line] = []
    keys = [(each.end, each.words) for each in given]
    at = 0
    while at < len(given):
        for size in (1, 2, 3):
            block, times = keys[at : at + size], 1
            while len(block) == size and keys[at + times * size : at + (times + 1) * size] == block:
                times += 1
            if times > 1:
                last = given[at + times * size - 1].at
                out += [Line(each.at, each.end, each.words, each.arrow, times, last) for each in given[at : at + size]]
                at += times * size
                break
        else:
            out.append(given[at])
            at += 1
    return out


def text(pair: Pair) -> str:
    """For a terminal."""
    out = [f"{'seconds':>10}  {'vehicle':<{WIDTH - 6}} charger"]
    for each in lines(pair):
        words = each.words + (f"  ({each.times} times, to {each.to:.3f})" if each.times > 1 else "")
        if not each.arrow:
            body = f"* {words}" if each.end == "ev" else f"{words} *".rjust(WIDTH)
        elif each.end == "ev":
            body = "|" + f"-- {words} ".ljust(WIDTH - 3, "-") + ">|"
        else:
            body = "|<" + f" {words} --".rjust(WIDTH - 3, "-") + "|"
        out.append(f"{each.at:10.3f}  {body}")
    return "\n".join(out) + "\n"


ROW, LEFT, RIGHT, BROAD = 22, 150, 650, 800
"""Of the drawing, in its own units."""


def svg(pair: Pair, title: str = "") -> str:
    """For a page; colours go with light and dark ones."""
    found = lines(pair)
    height = ROW * (len(found) + 4)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {BROAD} {height}" font-family="sans-serif" font-size="12" fill="currentColor" stroke-width="1">',
        f"<title>{escape(title or 'ISO 15118 session')}</title>",
        '<defs><marker id="a" markerWidth="8" markerHeight="8" refX="8" refY="4" orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>',
        f'<g text-anchor="middle" font-weight="bold"><text x="{LEFT}" y="{ROW}">vehicle</text><text x="{RIGHT}" y="{ROW}">charger</text></g>',
        f'<path d="M{LEFT} {ROW + 6}V{height - ROW}M{RIGHT} {ROW + 6}V{height - ROW}" stroke="currentColor" opacity=".5"/>',
    ]
    for row, each in enumerate(found, 2):
        y = ROW * (row + 1)
        words = escape(each.words + (f" · {each.times} times" if each.times > 1 else ""))
        out.append(f'<text x="{LEFT - 100}" y="{y}" text-anchor="end" opacity=".7">{each.at:.3f}</text>')
        if each.arrow:
            x1, x2 = (LEFT, RIGHT) if each.end == "ev" else (RIGHT, LEFT)
            out.append(f'<path d="M{x1} {y}H{x2}" stroke="currentColor" marker-end="url(#a)"/>')
            out.append(f'<text x="{(LEFT + RIGHT) // 2}" y="{y - 4}" text-anchor="middle">{words}</text>')
        elif each.end == "ev":
            out.append(f'<circle cx="{LEFT}" cy="{y - 4}" r="3"/><text x="{LEFT + 8}" y="{y}" font-style="italic">{words}</text>')
        else:
            out.append(
                f'<circle cx="{RIGHT}" cy="{y - 4}" r="3"/><text x="{RIGHT - 8}" y="{y}" text-anchor="end" font-style="italic">{words}</text>'
            )
    return "\n".join([*out, "</svg>"]) + "\n"
