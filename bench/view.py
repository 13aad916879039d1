"""What the demo shows: a model that follows the station, as a live picture in a terminal or as lines in a pipe."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chargepoint.commands import Command, SendText, SetDuty, SetStateF, SetX1
from chargepoint.events import TextReceived
from chargepoint.runtime.log import Teller, line
from chargepoint.tick import Tick
from hal.types import ContactorFeedback, MeterSample, PilotState, PilotVoltage

if TYPE_CHECKING:
    from rich.console import RenderableType

    from chargepoint.runtime.main import Handle

MOST_MESSAGES, MOST_NOTES = 14, 8
KEYS = "p plug in   u unplug   s swipe a card   space pause / resume   t trip the RCD   c clear   q quit"
FULL_A = 32.0


@dataclass(slots=True)
class Shown:
    """One EVSE as the view shows it."""

    pilot_V: float = 12.0
    duty_percent: float | None = None
    closed: bool = False
    meter: MeterSample | None = None
    energy_at_start_Wh: float = 0.0


@dataclass(slots=True)
class Model:
    """Everything that is shown; `follow` is a watcher of the shell."""

    handle: Handle | None = None
    evses: dict[int, Shown] = field(default_factory=dict)
    messages: deque[tuple[str, str, str]] = field(default_factory=lambda: deque(maxlen=MOST_MESSAGES))
    """Time, arrow, what."""
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_NOTES))
    calls: dict[str, str] = field(default_factory=dict)
    """Message id -> action of calls that wait for their answer."""
    teller: Teller = field(default_factory=Teller)

    def follow(self, tick: Tick, event: object, commands: Sequence[Command]) -> list[str]:
        """Take an input and its commands over; gives the lines that a pipe shows of it."""
        lines = [line(tick, *each) for each in self.teller.told(event, commands)]
        self.notes.extend(lines)
        self._body(event)
        if isinstance(event, TextReceived):
            lines.append(self._message(tick, "<", event.text))
        for command in commands:
            if isinstance(command, SendText):
                lines.append(self._message(tick, ">", command.text))
            elif isinstance(command, (SetDuty, SetX1, SetStateF)):
                self._evse(command.evse_id).duty_percent = command.duty_percent if isinstance(command, SetDuty) else None
        return lines

    def _evse(self, evse_id: int) -> Shown:
        return self.evses.setdefault(evse_id, Shown())

    def _body(self, event: object) -> None:
        match event:
            case PilotVoltage():
                self._evse(event.evse_id).pilot_V = event.high_V
            case PilotState():
                self._evse(event.evse_id).pilot_V = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0, "E": 0.0, "F": -12.0}[event.state]
            case ContactorFeedback():
                self._evse(event.evse_id).closed = event.closed
            case MeterSample():
                self._evse(event.evse_id).meter = event

    def _message(self, tick: Tick, arrow: str, text: str) -> str:
        what = self._what(text)
        self.messages.append((f"{datetime.fromtimestamp(tick.utc, UTC):%H:%M:%S}", arrow, what))
        return line(tick, "info", f"ocpp {arrow}", {}) + f" {what}"

    def _what(self, text: str) -> str:
        try:
            kind, message_id, *rest = json.loads(text)
        except ValueError:
            return "garbage"
        if kind == 2:
            self.calls[message_id] = rest[0]
            return f"{rest[0]} {summary(rest[0], rest[1])}".rstrip()
        action = self.calls.pop(message_id, "")
        if kind == 3:
            return f"{action}: {summary(action, rest[0]) or 'ok'}"
        return f"{action}: {' '.join(str(each) for each in rest[:2])}"


def summary(action: str, payload: dict[str, Any]) -> str:
    """What a person wants to know of a message.

    >>> summary("StatusNotification", {"connectorStatus": "Available", "evseId": 1})
    'Available'
    """
    words = [str(payload[key]) for key in ("eventType", "triggerReason", "reason", "connectorStatus", "status", "type") if key in payload]
    info = payload.get("transactionInfo", {})
    words += [str(info[key]) for key in ("chargingState", "stoppedReason") if key in info]
    if "idTokenInfo" in payload:
        words.append(str(payload["idTokenInfo"]["status"]))
    energy_Wh = energy_of(payload)
    return " ".join([*words, *([f"{energy_Wh:.1f} Wh"] if energy_Wh is not None else [])])


def energy_of(payload: dict[str, Any]) -> float | None:
    """The last imported energy that a message carries, in Wh."""
    found = None
    for value in payload.get("meterValue", ()):
        for sampled in value["sampledValue"]:
            if sampled.get("measurand", "Energy.Active.Import.Register") == "Energy.Active.Import.Register":
                found = float(sampled["value"])
    return found


def render(model: Model) -> RenderableType:
    """The picture."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    board = Table.grid(padding=(0, 2))
    for _ in range(2):
        board.add_column()
    for evse_id, shown in sorted(model.evses.items()):
        for name, value in rows(model, evse_id, shown):
            board.add_row(Text(name, style="dim"), value)
    messages = Table.grid(padding=(0, 1))
    for time, arrow, what in model.messages:
        messages.add_row(
            Text(time, style="dim"), Text(arrow, style="green" if arrow == ">" else "cyan"), Text(what, overflow="ellipsis", no_wrap=True)
        )
    notes = Text("\n".join(model.notes), overflow="ellipsis", no_wrap=True)
    return Group(
        Panel(board, title="charge point", title_align="left"),
        Panel(messages, title="OCPP 2.1", title_align="left", height=MOST_MESSAGES + 2),
        Panel(notes, title="log", title_align="left", height=MOST_NOTES + 2),
        Text(KEYS, style="bold"),
    )


def rows(model: Model, evse_id: int, shown: Shown) -> list[tuple[str, Any]]:
    """Name and value of each line about one EVSE."""
    from rich.text import Text

    facts = model.handle.station.wiring.context.evses[evse_id] if model.handle else None
    link = model.handle.station.wiring.context.link if model.handle else None
    meter = shown.meter
    amps = max(meter.current_A, default=0.0) if meter else 0.0
    bar = "█" * round(amps / FULL_A * 40)
    pwm = "no PWM" if shown.duty_percent is None else f"PWM {shown.duty_percent:.1f} %"
    limit = f", offers {facts.limit_A:.1f} A ({facts.limit_reason})" if facts and facts.limit_A else ""
    return [
        ("CSMS", Text("connected" if link and link.online else "not connected", style="green" if link and link.online else "red")),
        ("pilot", Text(f"{shown.pilot_V:+.1f} V, {pwm}{limit}")),
        ("contactor", Text("CLOSED" if shown.closed else "open", style="bold yellow" if shown.closed else "green")),
        ("current", Text(f"{amps:5.1f} A {bar}", style="yellow")),
        ("power", Text(f"{(meter.power_W or 0.0) / 1000 if meter else 0.0:5.2f} kW")),
        ("energy", Text(f"{meter.energy_import_Wh if meter else 0.0:.1f} Wh on the meter")),
        ("state", Text(facts.charging_state.value if facts else "")),
        ("transaction", Text((facts.transaction_id if facts else "") or "none")),
        (
            "faults",
            Text(", ".join(facts.faults.values()) if facts and facts.faults else "none", style="red" if facts and facts.faults else ""),
        ),
    ]
