"""What the demo shows: a model that follows the station, as a live picture in a terminal or as lines in a pipe."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chargepoint.commands import Command, Log, SendText, SetDuty, SetStateF, SetX1
from chargepoint.events import TextReceived
from chargepoint.facts import EvseFacts
from chargepoint.runtime.log import LETTERS, Teller, line
from chargepoint.tick import Tick
from hal.types import ContactorFeedback, MeterSample, PilotState, PilotVoltage

if TYPE_CHECKING:
    from rich.console import RenderableType

    from chargepoint.runtime.main import Handle

KEPT = 100
"""Messages and notes that a tall terminal may show."""
KEYS = "p plug   u unplug   s swipe   space pause   t trip the RCD   c clear   q quit"
FULL_A, FULL_DC_A = 32.0, 200.0
VEHICLE_EVERY_S = 5.0
"""So often a pipe shows how the vehicle is charging."""
CALL, CALLRESULT, SEND = 2, 3, 6
TITLES = {"iso20": "ISO 15118-20", "iso2": "ISO 15118-2", "din": "DIN 70121"}


@dataclass(slots=True)
class Shown:
    """One EVSE as the view shows it."""

    pilot_V: float = 12.0
    duty_percent: float | None = None
    closed: bool = False
    meter: MeterSample | None = None
    energy_before_Wh: float = 0.0
    """What the register said when the transaction began."""


@dataclass(slots=True)
class Model:
    """Everything that is shown; `follow` is a watcher of the shell."""

    handle: Handle | None = None
    speaks: str = ""
    """What the car speaks (`iso15118.protocols`); none: it does not talk."""
    session: deque[tuple[str, str, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """What is said to the vehicle and by it, as `messages`."""
    evses: dict[int, Shown] = field(default_factory=dict)
    messages: deque[tuple[str, str, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Time, arrow, what."""
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    calls: dict[str, str] = field(default_factory=dict)
    """Message id -> action of calls that wait for their answer."""
    ended: list[str] = field(default_factory=list)
    """A line for each transaction that is over."""
    teller: Teller = field(default_factory=Teller)
    _vehicle_at: float = 0.0

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
            elif isinstance(command, Log):
                self._transaction(command)
                self._session(tick, command)
            elif isinstance(command, (SetDuty, SetX1, SetStateF)):
                self._evse(command.evse_id).duty_percent = command.duty_percent if isinstance(command, SetDuty) else None
        if isinstance(event, MeterSample) and self.speaks:
            lines += self._vehicle(tick, event)
        return lines

    def _session(self, tick: Tick, log: Log) -> None:
        if log.key == "v2g.message":
            what = f"{log.values['message']} {log.values.get('code', '')}".rstrip()
            self.session.append((_time(tick), str(log.values["way"]), what))
        elif log.key == "slac.message":
            self.session.append((_time(tick), str(log.values["way"]), f"SLAC {log.values['message']}"))
        elif log.key == "slac.matched":
            self.session.append((_time(tick), "=", f"SLAC matched, {log.values['attenuation_dB']} dB"))

    def _vehicle(self, tick: Tick, meter: MeterSample) -> list[str]:
        facts = self.facts(meter.evse_id)
        if facts.vehicle is None or tick.mono < self._vehicle_at:
            return []
        self._vehicle_at = tick.mono + VEHICLE_EVERY_S
        values = {
            "evse": meter.evse_id,
            "soc_percent": facts.vehicle.battery.soc,
            "voltage_V": round(max(meter.voltage_V, default=0.0), 1),
            "current_A": round(max(meter.current_A, default=0.0), 1),
            "limit_W": round(facts.limit_W),
        }
        return [line(tick, "info", "vehicle", {name: value for name, value in values.items() if value is not None})]

    def facts(self, evse_id: int) -> EvseFacts:
        """What the station knows of it."""
        return self.handle.station.wiring.context.evses[evse_id] if self.handle else EvseFacts(evse_id)

    def _transaction(self, log: Log) -> None:
        if log.key == "transaction.started":
            shown = self._evse(log.values["evse"])
            shown.energy_before_Wh = shown.meter.energy_import_Wh if shown.meter else 0.0
        elif log.key == "transaction.ended":
            self.ended.append("transaction {id} ended ({reason}) after {Wh} Wh".format_map(log.values))

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
        self.messages.append((_time(tick), arrow, what))
        return line(tick, "info", f"ocpp {arrow}", {}) + f" {what}"

    def _what(self, text: str) -> str:
        """A line that no peer can break out of. Anything that is no frame is garbage."""
        try:
            said = self._frame(*json.loads(text))
        except (ValueError, TypeError, LookupError, AttributeError):
            return "garbage"
        return "".join(char if char.isprintable() else "?" for char in said)

    def _frame(self, kind: int, message_id: str, *rest: Any) -> str:
        if kind in (CALL, SEND):
            self.calls[message_id] = rest[0]
            return f"{rest[0]} {summary(rest[0], rest[1])}".rstrip()
        action = self.calls.pop(message_id, "")
        if kind == CALLRESULT:
            return f"{action}: {summary(action, rest[0]) or 'ok'}"
        return f"{action}: {' '.join(str(each) for each in rest[:2])}"


def _time(tick: Tick) -> str:
    return f"{datetime.fromtimestamp(tick.utc, UTC):%H:%M:%S}"


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


def heights(evses: int, height: int, rows: int = 9) -> tuple[int, int]:
    """Lines of messages and of the log for a terminal of this height, with so many rows an EVSE; 0: there is no room for it.

    >>> heights(1, 24), heights(1, 50), heights(1, 12)
    ((6, 2), (24, 10), (0, 0))
    """
    left = height - (rows * evses + 2) - 1
    notes = left // 3 - 2
    messages = left - (notes + 2 if notes >= 1 else 0) - 2
    return max(messages, 0), max(notes, 0)


def title(protocol: str) -> str:
    """The standard of a protocol.

    >>> title("iso20-ac"), title("iso2-dc"), title("din")
    ('ISO 15118-20', 'ISO 15118-2', 'DIN 70121')
    """
    return TITLES[protocol.partition("-")[0]]


def render(model: Model, height: int = 40) -> RenderableType:
    """The picture, for a terminal of this height."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    board = Table.grid(padding=(0, 2))
    for evse_id, shown in sorted(model.evses.items()):
        for name, value in rows(model, evse_id, shown):
            board.add_row(Text(name, style="dim"), value)
    parts: list[RenderableType] = [Panel(board, title="charge point", title_align="left")]
    most_messages, most_notes = heights(max(len(model.evses), 1), height, ROWS + (VEHICLE_ROWS if model.speaks else 0))
    if model.speaks and most_messages >= 4:
        most_said = (most_messages - 2) // 2
        most_messages -= most_said + 2
        parts.append(_said(model.session, title(model.speaks), most_said))
    if most_messages:
        parts.append(_said(model.messages, "OCPP 2.1", most_messages))
    if most_notes:
        notes = Text("\n".join(list(model.notes)[-most_notes:]), overflow="ellipsis", no_wrap=True)
        parts.append(Panel(notes, title="log", title_align="left", height=most_notes + 2))
    return Group(*parts, Text(KEYS, style="bold", no_wrap=True))


def _said(messages: Iterable[tuple[str, str, str]], title: str, most: int) -> RenderableType:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for time, arrow, what in list(messages)[-most:]:
        style = "green" if arrow == ">" else "cyan"
        grid.add_row(Text(time, style="dim"), Text(arrow, style=style), Text(what, overflow="ellipsis", no_wrap=True))
    return Panel(grid, title=title, title_align="left", height=most + 2)


def rows(model: Model, evse_id: int, shown: Shown) -> list[tuple[str, Any]]:
    """Name and value of each of the rows about one EVSE: ROWS, and VEHICLE_ROWS where the car talks."""
    from rich.text import Text

    context = model.handle.station.wiring.context if model.handle else None
    facts = model.facts(evse_id)
    online = context is not None and context.link.online
    meter = shown.meter
    amps = max(meter.current_A, default=0.0) if meter else 0.0
    full_A = FULL_A if facts.dc is None else FULL_DC_A
    energy_Wh = meter.energy_import_Wh if meter else 0.0
    level = model.teller.levels.get(evse_id)
    letter = f"{LETTERS[level]}{'' if shown.duty_percent is None else 2}" if level else "?"
    pwm = "no PWM" if shown.duty_percent is None else f"PWM {shown.duty_percent:.1f} %"
    limit = f", offers {facts.limit_A:.1f} A ({facts.limit_reason})" if facts.limit_A else ""
    of_it = f"{energy_Wh - shown.energy_before_Wh:.1f} Wh in this transaction, " if facts.transaction_id else ""
    faults = ", ".join(facts.faults.values())
    found: list[tuple[str, str, str]] = [
        ("CSMS", "connected" if online else "not connected", "green" if online else "red"),
        ("pilot", f"{letter:2}  {shown.pilot_V:+.1f} V, {pwm}{limit}", ""),
        ("contactor", "CLOSED" if shown.closed else "open", "bold yellow" if shown.closed else "green"),
        ("current", f"{amps:5.1f} A {'█' * round(amps / full_A * 40)}", "yellow"),
        ("power", f"{(meter.power_W or 0.0) / 1000 if meter else 0.0:5.2f} kW", ""),
        ("energy", f"{of_it}{energy_Wh:.1f} Wh on the meter", ""),
        ("state", facts.charging_state.value, ""),
        ("transaction", facts.transaction_id or "none", ""),
        ("faults", faults or "none", "red" if faults else ""),
    ]
    if model.speaks:
        found[4:4] = _vehicle_rows(facts, meter)
    return [(name, Text(value, style=style, overflow="ellipsis", no_wrap=True)) for name, value, style in found]


def _vehicle_rows(facts: EvseFacts, meter: MeterSample | None) -> list[tuple[str, str, str]]:
    vehicle = facts.vehicle
    soc = vehicle.battery.soc if vehicle else None
    who = f"{vehicle.evcc_id}, " if vehicle else ""
    battery = f"{who}battery {soc:3} % {'█' * round(soc / 100 * 40)}" if soc is not None else f"{who}battery not known yet"
    volts = max(meter.voltage_V, default=0.0) if meter else 0.0
    limit = f" of {facts.limit_W / 1000:.1f} kW ({facts.limit_reason})" if facts.limit_W else ""
    return [("vehicle", battery if vehicle else "says nothing yet", "cyan"), ("output", f"{volts:5.1f} V, {facts.supply.value}{limit}", "")]


ROWS, VEHICLE_ROWS = 9, 2
