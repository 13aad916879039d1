"""A session over time as SVG: voltage, current with what was ordered, state of charge, and the messages on the time axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bench.report.collect import Said, Series, SessionReport

WIDTH, LEFT, RIGHT, PANEL, GAP, LANES = 1000, 64, 16, 120, 26, 74
STYLE = """
svg{font:12px system-ui,sans-serif;background:#fff;color:#222}
.axis{stroke:#bbb;stroke-width:1}.grid{stroke:#eee}.tick{fill:#666}.name{fill:#222;font-weight:600}
.v{stroke:#1f6fb2}.a{stroke:#c0392b}.o{stroke:#c0392b;stroke-dasharray:4 3;opacity:.6}.s{stroke:#2e8b57}.p{stroke:#7d4fb0}
path{fill:none;stroke-width:1.6}.ev{fill:#1f6fb2}.evse{fill:#c0392b}.loop{fill:#1f6fb2;opacity:.15}.mark{stroke:#888;stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){svg{background:#16181c}.name{fill:#eee}.tick{fill:#aaa}.axis{stroke:#555}.grid{stroke:#2a2d33}}
"""
MOST_POINTS = 1200
"""Of a line: more than pixels are not seen."""
LOOPS = tuple(f"{name}{way}" for name in ("AC_ChargeLoop", "DC_ChargeLoop", "CurrentDemand", "ChargingStatus") for way in ("Req", "Res"))
LABEL_PX = 46
"""A message is named when the one before it that is named stands so far away."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram: its unit, and its lines by their class of style."""

    name: str
    unit: str
    lines: tuple[tuple[str, Series], ...]
    least: float = 0.0
    most: float | None = None


def svg(session: SessionReport) -> str:
    """The whole picture."""
    panels = [each for each in _panels(session) if any(series for _, series in each.lines)]
    height = GAP + len(panels) * (PANEL + GAP) + LANES + GAP
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">']
    parts.append(f"<title>{escape(title(session))}</title><style>{STYLE}</style>")
    for number, panel in enumerate(panels):
        parts += _panel(panel, session, GAP + number * (PANEL + GAP))
    parts += _lanes(session, GAP + len(panels) * (PANEL + GAP))
    return "\n".join([*parts, "</svg>\n"])


def title(session: SessionReport) -> str:
    """One line: which EVSE, what, how long, how much."""
    kind = "DC" if session.dc else "AC"
    return f"EVSE {session.evse_id}, {kind}, {session.tls or 'no TLS'}: {session.lasts_s:.0f} s, {session.energy_Wh:.0f} Wh; {session.why}"


def _panels(session: SessionReport) -> Iterator[Panel]:
    yield Panel("Voltage", "V", (("v", session.voltage_V),))
    yield Panel("Current", "A", (("o", session.ordered_A), ("a", session.current_A)))
    if not session.dc:
        yield Panel("Power", "kW", (("p", [(at, watts / 1000) for at, watts in session.power_W]),))
    yield Panel("State of charge", "%", (("s", session.soc),), most=100.0)


def _panel(panel: Panel, session: SessionReport, top: float) -> Iterator[str]:
    values = [value for _, series in panel.lines for _, value in series]
    least, most = min(panel.least, *values), panel.most if panel.most is not None else max(*values, panel.least + 1.0)
    ticks = steps(least, most, 4)
    least, most = min(least, ticks[0]), max(most, ticks[-1])

    def y(value: float) -> float:
        return top + PANEL * (1 - (value - least) / ((most - least) or 1.0))

    yield f'<text class="name" x="{LEFT}" y="{top - 6:.0f}">{panel.name} [{panel.unit}]</text>'
    for tick in ticks:
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        yield f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{y(tick) + 4:.1f}">{tick:g}</text>'
    yield f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{top}" y2="{top + PANEL}"/>'
    for name, series in panel.lines:
        if series:
            points = " ".join(_path(series, session.lasts_s, y, held=name == "o"))
            yield f'<path class="{name}" d="M{points[1:]}"/>'


def _path(series: Series, lasts_s: float, y: Callable[[float], float], *, held: bool) -> Iterator[str]:
    """`held`: a value stands until the next one."""
    stride = max(1, len(series) // MOST_POINTS)
    last_y = 0.0
    for number, (at_s, value) in enumerate(series):
        if number % stride and number != len(series) - 1:
            continue
        place_y = y(value)
        if held and number:
            yield f"L{_x(at_s, lasts_s):.1f},{last_y:.1f}"
        yield f"L{_x(at_s, lasts_s):.1f},{place_y:.1f}"
        last_y = place_y


def _x(at_s: float, lasts_s: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at_s / lasts_s


def _lanes(session: SessionReport, top: float) -> Iterator[str]:
    """Messages as ticks, vehicle above and charger below; the loop as a band; contactor and faults as dashed lines over everything."""
    last = session.lasts_s
    for first, final in _loops(session.messages):
        yield f'<rect class="loop" x="{_x(first, last):.1f}" width="{max(1.0, _x(final, last) - _x(first, last)):.1f}" y="{top}" height="30"/>'
    yield f'<text class="name" x="{LEFT}" y="{top - 6:.0f}">Messages</text>'
    for who, y in (("ev", top + 4), ("evse", top + 18)):
        yield f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{y + 8:.0f}">{"EV" if who == "ev" else "EVSE"}</text>'
        for said in session.messages:
            if said.who == who and said.name not in LOOPS:
                words = escape(f"{said.at_s:.3f} s {said.name} {said.words}".strip())
                yield f'<rect class="{who}" x="{_x(said.at_s, last):.1f}" y="{y}" width="2" height="10"><title>{words}</title></rect>'
    yield from _labels(session, top + 44)
    for at_s, words in session.marks:
        x = _x(at_s, last)
        yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{GAP}" y2="{top + 30}"><title>{escape(f"{at_s:.3f} s {words}")}</title></line>'
    for tick in steps(0.0, last, 10):
        if tick <= last:
            yield f'<text class="tick" text-anchor="middle" x="{_x(tick, last):.1f}" y="{top + LANES}">{tick:g} s</text>'


def _labels(session: SessionReport, y: float) -> Iterator[str]:
    """The names of what the vehicle asked first, as far as they find room."""
    free = 0.0
    seen: set[str] = set()
    for said in session.messages:
        x = _x(said.at_s, session.lasts_s)
        if said.who != "ev" or said.name in LOOPS or said.name in seen or x < free:
            continue
        seen.add(said.name)
        free = x + LABEL_PX
        short = said.name.removesuffix("Req").replace("supportedAppProtocol", "SAP")
        yield f'<text class="tick" transform="translate({x:.1f} {y}) rotate(20)" font-size="9">{escape(short)}</text>'


def _loops(messages: Sequence[Said]) -> Iterator[tuple[float, float]]:
    """Stretches of the charge loop."""
    first: float | None = None
    final = 0.0
    for said in messages:
        if said.name in LOOPS:
            first, final = (said.at_s if first is None else first), said.at_s
        elif first is not None:
            yield first, final
            first = None
    if first is not None:
        yield first, final


def steps(least: float, most: float, about: int) -> list[float]:
    """Round numbers that span it.

    >>> steps(0, 420, 4), steps(-3, 12, 4), steps(0, 0.5, 5)
    ([0.0, 200.0, 400.0, 600.0], [-5.0, 0.0, 5.0, 10.0, 15.0], [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    """
    raw = max((most - least) / about, 1e-9)
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(each * scale for each in (1, 2, 5, 10) if each * scale >= raw * 0.999)
    first = math.floor(least / step + 1e-9)
    last = math.ceil(most / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]
